/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pool of lanes: a bitmap of free ones, looked through from the lowest that can be free.
 */
#include "sim/stats/lanes.h"

#include "sim/stats/alloc.h"

void lanes_init(struct lanes *lanes, trace_track parent, const char *name, int rank)
{
	*lanes = (struct lanes){.parent = parent, .name = name, .rank = rank};
}

void lanes_release(struct lanes *lanes)
{
	free(lanes->lanes);
	free(lanes->free);
	*lanes = (struct lanes){0};
}

static uint32_t lane_add(struct lanes *lanes)
{
	uint32_t lane = lanes->count;

	if (lane == lanes->capacity) {
		uint32_t capacity = lane + 64;

		lanes->lanes = must_realloc(lanes->lanes, capacity, sizeof(*lanes->lanes));
		lanes->free = must_realloc(lanes->free, capacity / 64, sizeof(*lanes->free));
		lanes->free[lane / 64] = 0;
		lanes->capacity = capacity;
	}
	lanes->lanes[lane].track = trace_lane_add(lanes->parent, lanes->name, lanes->rank);
	lanes->lanes[lane].free_at = 0;
	lanes->count++;
	return lane;
}

uint32_t lanes_take(struct lanes *lanes, sim_time at)
{
	uint32_t words = lanes->capacity / 64;

	if (!trace_enabled)
		return LANE_NONE;
	while (lanes->first_word < words && lanes->free[lanes->first_word] == 0)
		lanes->first_word++;
	for (uint32_t w = lanes->first_word; w < words; w++) {
		for (uint64_t bits = lanes->free[w]; bits; bits &= bits - 1) {
			uint32_t lane = 64 * w + (uint32_t)__builtin_ctzll(bits);

			if (lanes->lanes[lane].free_at > at)
				continue;
			lanes->free[w] &= ~(UINT64_C(1) << (lane % 64));
			return lane;
		}
	}
	return lane_add(lanes);
}

void lanes_give(struct lanes *lanes, uint32_t lane, sim_time at)
{
	if (lane == LANE_NONE)
		return;
	lanes->lanes[lane].free_at = at;
	lanes->free[lane / 64] |= UINT64_C(1) << (lane % 64);
	if (lane / 64 < lanes->first_word)
		lanes->first_word = lane / 64;
}
