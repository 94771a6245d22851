/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event heap: a binary heap of embedded events, ordered by (time, sequence).
 *
 * An entry repeats its event's key, so that a comparison touches no event. Private to the engine.
 */
#ifndef SIM_ENGINE_HEAP_H
#define SIM_ENGINE_HEAP_H

#include "sim/engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

struct event_heap_entry {
	sim_time time;
	uint64_t sequence;
	struct sim_event *event;
};

/* Zero-initialised is empty. Grows by doubling, never shrinks. */
struct event_heap {
	struct event_heap_entry *entries;
	uint32_t count;
	uint32_t capacity;
};

/* The event's time and sequence are its key; heap_index is kept by the heap. */
void event_heap_push(struct event_heap *heap, struct sim_event *event);
void event_heap_remove(struct event_heap *heap, struct sim_event *event);
/* The heap must not be empty. */
struct sim_event *event_heap_pop(struct event_heap *heap);
/* A pending event's key changed. */
void event_heap_update(struct event_heap *heap, struct sim_event *event);

#ifdef __cplusplus
}
#endif
#endif
