/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timing traces in Perfetto's native format (TrackEvent packets), written as the run goes.
 *
 * Every event carries its own simulated time: a CPU runs ahead of sim_now() by the time it has
 * added up, so the writer sorts what arrives (stably, by time, then by order of arrival) and writes
 * what sim_now() has passed. Slices on one track must nest. A window and a category filter bound
 * the file: slices are clipped to the window, so that every begin has its end; a slice that was
 * clipped has the annotation `clipped`. An event that comes after sim_now() has passed its time is
 * still written at its time, as long as its track's events come in order.
 *
 * Switched off, a call costs one predicted branch. Tracing never changes a simulated result.
 */
#ifndef SIM_TRACE_TRACE_H
#define SIM_TRACE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t trace_track; /* 0: no track, events on it are dropped */
typedef uint32_t trace_name;  /* an interned string; 0: none */

/* What --trace-categories selects, and what a slice's category says in the user interface. */
enum trace_category {
	TRACE_CPU,    /* which task runs on a CPU */
	TRACE_KERNEL, /* functions of the kernel's SVA path, on their thread's track */
	TRACE_IRQ,
	TRACE_REQUEST, /* a request from send to receive, and its stages */
	TRACE_ENGINE,
	TRACE_DMA,
	TRACE_SMMU,
	TRACE_FAULT,
	TRACE_WALK, /* table walks of the SMMU and the CPUs' MMUs */
	TRACE_MEMORY,
	TRACE_COUNTER,
	TRACE_CATEGORY_COUNT
};

extern const char *const trace_category_names[TRACE_CATEGORY_COUNT];

struct trace_options {
	const char *path;    /* the file to write; NULL: tracing stays off */
	sim_time from, to;   /* window; to = SIM_TIME_NEVER for no end */
	uint32_t categories; /* bit mask of 1u << trace_category; 0 = all */
};

/* 0, or -1 with errno set (the file cannot be created; EINVAL: an empty window). Before any track
 * is added. */
int trace_open(const struct trace_options *options);

/* "a,b,c" → mask; -1 and *bad (a copy is not made) at the first unknown name. */
int trace_parse_categories(const char *list, uint32_t *mask, const char **bad);

/* Ends open slices at the end of the window or at sim_now(), flushes. 0, or -1 with errno set: the
 * file is incomplete. */
int trace_close(void);

/* Tracks form a tree below one root; `rank` orders siblings. Works, and returns 0, while tracing is
 * off. */
trace_track trace_track_add(trace_track parent, const char *name, int rank);
/* Siblings of one name that the user interface merges into one visual track: lanes for overlapping
 * slices. */
trace_track trace_lane_add(trace_track parent, const char *name, int rank);
trace_track trace_counter_add(trace_track parent, const char *name, const char *unit, int rank);

/* The same string gives the same name, also before a trace is opened and from one trace to the
 * next. The string is copied. */
trace_name trace_intern(const char *string);

extern bool trace_enabled;

struct trace_arg {
	trace_name key;
	enum { TRACE_ARG_U64, TRACE_ARG_I64, TRACE_ARG_POINTER, TRACE_ARG_STRING } type;
	uint64_t u;
	const char *s;
};

struct trace_extra {
	uint64_t flow; /* flow that this event is part of; 0 = none. Ids come from trace_flow_new()
			*/
	uint64_t flow_end; /* flow that ends here */
	const struct trace_arg *args;
	unsigned int arg_count;
};

void trace_begin_(trace_track track, enum trace_category category, trace_name name, sim_time at,
		  const struct trace_extra *extra);
void trace_end_(trace_track track, sim_time at, const struct trace_extra *extra);
void trace_instant_(trace_track track, enum trace_category category, trace_name name, sim_time at,
		    const struct trace_extra *extra);
void trace_count_(trace_track counter, sim_time at, int64_t value);
void trace_count_add_(trace_track counter, sim_time at, int64_t step);
uint64_t trace_flow_new(void);

#define TRACE_ON_ __builtin_expect(trace_enabled, 0)

/* `extra` may be NULL. Strings in args are copied. */
static inline void trace_begin(trace_track track, enum trace_category category, trace_name name,
			       sim_time at, const struct trace_extra *extra)
{
	if (TRACE_ON_)
		trace_begin_(track, category, name, at, extra);
}

/* Ends the innermost open slice of the track. */
static inline void trace_end(trace_track track, sim_time at, const struct trace_extra *extra)
{
	if (TRACE_ON_)
		trace_end_(track, at, extra);
}

static inline void trace_instant(trace_track track, enum trace_category category, trace_name name,
				 sim_time at, const struct trace_extra *extra)
{
	if (TRACE_ON_)
		trace_instant_(track, category, name, at, extra);
}

static inline void trace_count(trace_track counter, sim_time at, int64_t value)
{
	if (TRACE_ON_)
		trace_count_(counter, at, value);
}

/* For a counter that several CPUs step, each at its own time: the steps are added up in the order
 * of time. */
static inline void trace_count_add(trace_track counter, sim_time at, int64_t step)
{
	if (TRACE_ON_)
		trace_count_add_(counter, at, step);
}

/* Packets and bytes written so far; after trace_close(), of the trace that it closed. */
struct trace_totals {
	uint64_t packets, bytes, slices;
};
struct trace_totals trace_get_totals(void);

#ifdef __cplusplus
}
#endif
#endif
