/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spans: the arithmetic and the slices of a life in stages.
 */
#include "sim/stats/span.h"

#include <assert.h>

void span_kind_init(struct span_kind *kind, const char *slice, const char *const *stage_names,
		    unsigned int stages, enum trace_category category)
{
	assert(stages <= SPAN_STAGES_MAX);
	kind->category = category;
	kind->stage_names = stage_names;
	kind->stages = stages;
	kind->slice = trace_intern(slice);
	kind->reached = trace_intern("reached");
	for (unsigned int i = 0; i < stages; i++)
		kind->names[i] = trace_intern(stage_names[i]);
}

/* The slice that follows the stamp of `stage`: it waits for the next one. */
static void begin_stage(struct span *span, const struct span_kind *kind, trace_track track,
			unsigned int stage, sim_time at)
{
	struct trace_extra extra = {0};

	if (stage == kind->flow_from) {
		span->flow = trace_flow_new();
		extra.flow = span->flow;
	} else if (span->flow && stage >= kind->flow_to) {
		extra.flow_end = span->flow;
		span->flow = 0;
	} else if (stage == kind->flow_step) {
		extra.flow = span->flow;
	}
	trace_begin(track, kind->category, kind->names[stage + 1], at, &extra);
}

static void end_stage(const struct span_kind *kind, trace_track track, unsigned int last,
		      unsigned int reached, sim_time at)
{
	struct trace_arg arg = {.key = kind->reached, .type = TRACE_ARG_STRING};
	struct trace_extra extra = {.args = &arg, .arg_count = 1};

	if (reached == last + 1) {
		trace_end(track, at, NULL);
		return;
	}
	arg.s = kind->stage_names[reached];
	trace_end(track, at, &extra);
}

void span_begin(struct span *span, const struct span_kind *kind, struct lanes *lanes, sim_time at,
		const struct trace_extra *extra)
{
	trace_track track;

	span->stamps[0] = at;
	span->stamped = 1;
	span->last = 0;
	span->flow = 0;
	span->unmeasured = false;
	span->lane = lanes_take(lanes, at);
	if (span->lane == LANE_NONE)
		return;
	track = lanes_track(lanes, span->lane);
	trace_begin(track, kind->category, kind->slice, at, extra);
	begin_stage(span, kind, track, 0, at);
}

bool span_stamp(struct span *span, const struct span_kind *kind, const struct lanes *lanes,
		unsigned int stage, sim_time at)
{
	unsigned int last = span->last;

	if (stage <= last || stage >= kind->stages || at < span->stamps[last])
		return false;
	span->stamps[stage] = at;
	span->stamped |= (uint16_t)(1u << stage);
	span->last = (uint8_t)stage;
	if (span->lane == LANE_NONE)
		return true;
	end_stage(kind, lanes_track(lanes, span->lane), last, stage, at);
	if (stage + 1 < kind->stages)
		begin_stage(span, kind, lanes_track(lanes, span->lane), stage, at);
	return true;
}

static void record(const struct span *span, struct span_kind *kind)
{
	sim_time before = span->stamps[0];

	kind->total_sum += span_last_time(span) - before;
	if (!span->unmeasured)
		histogram_record(&kind->total, span_last_time(span) - before);
	for (unsigned int i = 1; i < kind->stages; i++) {
		if (!span_has(span, i))
			continue;
		kind->stage_sum[i] += span->stamps[i] - before;
		if (!span->unmeasured)
			histogram_record(&kind->stage[i], span->stamps[i] - before);
		before = span->stamps[i];
	}
}

void span_end(struct span *span, struct span_kind *kind, struct lanes *lanes, sim_time at,
	      const struct trace_extra *extra)
{
	unsigned int final = kind->stages - 1;

	if (!span_has(span, final))
		span_stamp(span, kind, lanes, final, at);
	span->stamps[final] =
		at; /* it may have been stamped before: that time is the stage's, too */
	record(span, kind);
	trace_end(lanes_track(lanes, span->lane), at, extra);
	lanes_give(lanes, span->lane, at);
	span->lane = LANE_NONE;
}

void span_drop(struct span *span, const struct span_kind *kind, struct lanes *lanes, sim_time at,
	       const struct trace_extra *extra)
{
	trace_track track = lanes_track(lanes, span->lane);

	if (span->last + 1u < kind->stages)
		trace_end(track, at, NULL);
	trace_end(track, at, extra);
	lanes_give(lanes, span->lane, at);
	span->lane = LANE_NONE;
}
