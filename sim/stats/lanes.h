/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanes: a pool of trace tracks for slices that overlap, shown as one track. A slice takes the
 * lowest lane that is free at its time. A CPU is ahead of others, so a lane that was given back may
 * be free only later.
 */
#ifndef SIM_STATS_LANES_H
#define SIM_STATS_LANES_H

#include "sim/trace/trace.h"

struct lanes {
	trace_track parent;
	const char *name; /* all lanes have it */
	int rank;
	struct lane {
		trace_track track;
		sim_time free_at; /* the end of its last slice */
	} * lanes;
	uint64_t *free; /* bit set: not in use */
	uint32_t count, capacity;
	uint32_t first_word; /* no lane below this word of `free` is free */
};

#define LANE_NONE UINT32_MAX

/* `name` must stay. Nothing is allocated until a lane is taken. */
void lanes_init(struct lanes *lanes, trace_track parent, const char *name, int rank);
void lanes_release(struct lanes *lanes);

/* LANE_NONE while tracing is off. */
uint32_t lanes_take(struct lanes *lanes, sim_time at);
void lanes_give(struct lanes *lanes, uint32_t lane, sim_time at);

static inline trace_track lanes_track(const struct lanes *lanes, uint32_t lane)
{
	return lane == LANE_NONE ? 0 : lanes->lanes[lane].track;
}

#endif
