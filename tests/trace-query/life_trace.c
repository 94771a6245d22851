/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes a trace and its metrics through the ledger alone, for the checks of traces:
 *   life_trace TRACE METRICS [FROM_NS TO_NS]
 * Two devices with a few queues each, many requests in flight, stamps from CPUs that run ahead of
 * the clock, faults, errors, skipped stages, an engine whose slices join the requests' flows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/stats/life.h"

sim_time sim_current_time; /* no scheduler here */

#define DEVICES	  2u
#define QUEUES	  3u
#define DEPTH	  64u
#define REQUESTS  3000u
#define AHEAD_MAX SIM_US(3) /* of a CPU, before it waits for the clock */

static uint64_t random_state = 42;

static uint64_t random_below(uint64_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (random_state >> 33) % n;
}

struct machine {
	struct life *life;
	trace_track engines[DEVICES];
	sim_time engine_free[DEVICES];
	trace_name copy;
	uint32_t stag;
	struct slot {
		enum request_stage stage; /* of the last stamp */
		bool open;
		sim_time at;
	} slots[DEVICES][QUEUES][DEPTH];
	unsigned int sent, open;
};

static void fault(struct machine *m, unsigned int device, sim_time at)
{
	static const enum fault_stage stages[] = {FAULT_RECORDED,  FAULT_DRIVER, FAULT_REPORTED,
						  FAULT_WORKER,	   FAULT_MM,	 FAULT_MM_DONE,
						  FAULT_RESPONDED, FAULT_RESUMED};
	struct fault_info info = {
		.stream_id = 0x10 + device,
		.stag = m->stag++ % 128,
		.pasid = 1,
		.va = UINT64_C(0xffff80000000) + 4096 * random_below(1000),
		.write = random_below(2),
	};
	bool handled = random_below(10) != 0;

	life_fault_begin(m->life, &info, at);
	for (unsigned int i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		at += random_below(SIM_NS(700));
		if (!handled && (stages[i] == FAULT_MM || stages[i] == FAULT_MM_DONE))
			continue;
		life_fault_stamp(m->life, info.stream_id, info.stag, stages[i], at);
	}
	life_fault_end(m->life, info.stream_id, info.stag, at + random_below(900), handled);
}

static void engine_slice(struct machine *m, unsigned int d, unsigned int q, unsigned int i,
			 sim_time from, sim_time to)
{
	struct trace_extra extra = {.flow = life_request_flow(m->life, d, q, i)};

	if (from < m->engine_free[d]) /* the engine is busy with another one */
		return;
	trace_begin(m->engines[d], TRACE_ENGINE, m->copy, from, &extra);
	trace_end(m->engines[d], to, NULL);
	m->engine_free[d] = to;
}

/* Takes one request one step further. The CPUs' stamps may lie ahead of the clock. */
static void step(struct machine *m, unsigned int d, unsigned int q, unsigned int i)
{
	struct slot *slot = &m->slots[d][q][i];
	sim_time at = sim_now() > slot->at ? sim_now() : slot->at;

	if (!slot->open) {
		if (m->sent == REQUESTS)
			return;
		slot->open = true;
		slot->stage = REQUEST_SEND;
		slot->at = at + random_below(AHEAD_MAX);
		m->sent++;
		m->open++;
		life_request_send(m->life, d, q, i, slot->at);
		return;
	}
	at += random_below(SIM_NS(400));
	slot->stage++;
	if (slot->stage == REQUEST_FETCH && random_below(16) == 0)
		slot->stage = REQUEST_COMPLETED; /* a bad descriptor */
	if (slot->stage == REQUEST_EXECUTED) {
		engine_slice(m, d, q, i, slot->at, at);
		if (random_below(8) == 0)
			fault(m, d, at);
	}
	if (slot->stage < REQUEST_RECEIVED) {
		life_request_stamp(m->life, d, q, i, slot->stage, at);
	} else {
		at += random_below(AHEAD_MAX);
		life_request_received(m->life, d, q, i, at, 8192, random_below(50) != 0);
		slot->open = false;
		m->open--;
	}
	slot->at = at;
}

static void build(struct machine *m, struct stats *stats)
{
	trace_track root = trace_track_add(0, "machine", 0);

	m->life = life_new(stats, root);
	m->copy = trace_intern("copy");
	for (unsigned int d = 0; d < DEVICES; d++) {
		char name[16];
		trace_track track;

		snprintf(name, sizeof(name), "accel%u", d);
		track = trace_track_add(root, name, (int)d);
		life_device_add(m->life, name, QUEUES, track);
		if (d == 0)
			life_device_stream(m->life, d, 0x10 + d);
		m->engines[d] = trace_track_add(track, "engine 0", 10);
		for (unsigned int q = 0; q < QUEUES; q++)
			life_queue_open(m->life, d, q, DEPTH);
	}
}

static void run(struct machine *m)
{
	while (m->sent < REQUESTS || m->open) {
		sim_current_time += random_below(SIM_NS(40));
		step(m, (unsigned int)random_below(DEVICES), (unsigned int)random_below(QUEUES),
		     (unsigned int)random_below(DEPTH));
	}
}

int main(int argc, char **argv)
{
	static struct machine machine;
	struct trace_options options = {.to = SIM_TIME_NEVER};
	struct stats *stats = stats_new();
	struct trace_totals totals;

	if (argc != 3 && argc != 5)
		return 2;
	options.path = argv[1];
	if (argc == 5) {
		options.from = SIM_NS(strtoull(argv[3], NULL, 10));
		options.to = SIM_NS(strtoull(argv[4], NULL, 10));
	}
	if (trace_open(&options)) {
		perror(options.path);
		return 1;
	}
	build(&machine, stats);
	run(&machine);
	if (stats_write_json(stats, argv[2]) || trace_close()) {
		perror("life_trace");
		return 1;
	}
	totals = trace_get_totals();
	printf("%llu packets, %llu bytes (%.1f a packet), %llu slices\n",
	       (unsigned long long)totals.packets, (unsigned long long)totals.bytes,
	       (double)totals.bytes / (double)totals.packets, (unsigned long long)totals.slices);
	life_free(machine.life);
	stats_free(stats);
	return 0;
}
