/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time and events between two points; under callgrind, where its header was there when this was
 * compiled, instructions, too.
 */
#include <time.h>

#include "sim/cli/bench.h"
#include "sim/engine/engine.h"

#if __has_include(<valgrind/callgrind.h>)
#pragma GCC diagnostic ignored "-Wconversion"
#include <valgrind/callgrind.h>
#define HAVE_CALLGRIND true
#else
#define HAVE_CALLGRIND			false
#define CALLGRIND_START_INSTRUMENTATION ((void)0)
#define CALLGRIND_STOP_INSTRUMENTATION	((void)0)
#define CALLGRIND_ZERO_STATS		((void)0)
#endif

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void meter_begin(struct meter *meter)
{
	*meter = (struct meter){
		.wall_s = seconds(CLOCK_MONOTONIC),
		.cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID),
		.events = sim_host_counters()->events_fired,
		.thread_switches = sim_host_counters()->thread_switches,
	};
	CALLGRIND_START_INSTRUMENTATION;
	CALLGRIND_ZERO_STATS;
}

void meter_end(struct meter *meter)
{
	CALLGRIND_STOP_INSTRUMENTATION;
	meter->wall_s = seconds(CLOCK_MONOTONIC) - meter->wall_s;
	meter->cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID) - meter->cpu_s;
	meter->events = sim_host_counters()->events_fired - meter->events;
	meter->thread_switches = sim_host_counters()->thread_switches - meter->thread_switches;
}

bool meter_counts_instructions(void)
{
	return HAVE_CALLGRIND;
}
