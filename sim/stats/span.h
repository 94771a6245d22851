/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A life in stages, as requests and faults have one: stamps in order, what each stage took, and the
 * slice in the trace with the stages nested in it.
 *
 * The slice of a stage begins at the stamp before it, so it bears the name of the stage that is due
 * next. If that one is skipped, the slice's end says in `reached` which stage it was; the time
 * counts for that one.
 */
#ifndef SIM_STATS_SPAN_H
#define SIM_STATS_SPAN_H

#include "sim/stats/lanes.h"
#include "sim/stats/stats.h"

#define SPAN_STAGES_MAX 10

/* What all spans of a kind share. */
struct span_kind {
	enum trace_category category;
	const char *const *stage_names;
	unsigned int stages; /* the last one ends the span */
	unsigned int flow_from, flow_step,
		flow_to; /* stages whose following slice starts, continues, ends the flow */
	trace_name slice;
	trace_name names[SPAN_STAGES_MAX];
	trace_name reached;
	/* of spans that ended */
	uint64_t total_sum, stage_sum[SPAN_STAGES_MAX]; /* ps */
	struct histogram total, stage[SPAN_STAGES_MAX]; /* of those that are measured */
};

struct span {
	sim_time stamps[SPAN_STAGES_MAX];
	uint64_t flow;
	uint32_t lane;
	uint16_t stamped; /* bit per stage */
	uint8_t last;	  /* latest stage with a stamp */
	bool unmeasured;  /* set before the end: sums only, no histograms */
};

void span_kind_init(struct span_kind *kind, const char *slice, const char *const *stage_names,
		    unsigned int stages, enum trace_category category);

static inline sim_time span_last_time(const struct span *span)
{
	return span->stamps[span->last];
}

static inline bool span_has(const struct span *span, unsigned int stage)
{
	return span->stamped & 1u << stage;
}

void span_begin(struct span *span, const struct span_kind *kind, struct lanes *lanes, sim_time at,
		const struct trace_extra *extra);
/* False, and no effect, for a stage that is not after the last one or a time before its stamp. */
bool span_stamp(struct span *span, const struct span_kind *kind, const struct lanes *lanes,
		unsigned int stage, sim_time at);
/* Ends the span and records its times; `at` is not before the last stamp. */
void span_end(struct span *span, struct span_kind *kind, struct lanes *lanes, sim_time at,
	      const struct trace_extra *extra);
/* Ends the span's slices without recording anything. */
void span_drop(struct span *span, const struct span_kind *kind, struct lanes *lanes, sim_time at,
	       const struct trace_extra *extra);

#endif
