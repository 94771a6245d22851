/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sorts the events of a trace by time, stably, on their way to the file. A CPU runs ahead of the
 * simulated clock, so events arrive nearly in order: they are collected in batches, a batch is
 * merge-sorted by its natural order and what the clock has passed is handed on. A batch is at
 * least as long as what was left over of the one before, so the work per event stays bounded.
 */
#ifndef SIM_TRACE_REORDER_H
#define SIM_TRACE_REORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"
#include "sim/trace/pb.h"

struct reorder_record {
	sim_time at;
	uint32_t track;
	uint32_t name;
	uint8_t type, category;
	uint32_t payload_bytes; /* flows and arguments, encoded */
	union {
		uint64_t payload_at;
		int64_t value; /* counters */
	};
};

struct reorder_key {
	sim_time at;
	uint32_t index;
};

typedef void (*reorder_fn)(const struct reorder_record *record, const uint8_t *payload);

struct reorder {
	struct reorder_record *records, *spare;
	struct reorder_key *keys, *spare_keys;
	uint32_t count, capacity;
	uint32_t batch; /* drain when this many are held */
	bool sorted;	/* they arrived in order */
	struct pb payload, spare_payload;
};

void reorder_init(struct reorder *r);
void reorder_free(struct reorder *r);

/* The payload, if any, has been appended to r->payload just before; the record's payload_bytes
 * tells its size. */
void reorder_push(struct reorder *r, const struct reorder_record *record);

static inline bool reorder_full(const struct reorder *r)
{
	return r->count >= r->batch;
}

/* Hands on, in order, everything up to and including `limit`. */
void reorder_drain(struct reorder *r, sim_time limit, reorder_fn fn);

#endif
