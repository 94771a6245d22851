/* SPDX-License-Identifier: BSD-3-Clause */
/* The event heap; see heap.h. */
#include "sim/engine/heap.h"

#include <stdio.h>
#include <stdlib.h>

static bool entry_before(const struct event_heap_entry *a, const struct event_heap_entry *b)
{
	return a->time < b->time || (a->time == b->time && a->sequence < b->sequence);
}

static void place(struct event_heap *heap, uint32_t index, struct event_heap_entry entry)
{
	heap->entries[index] = entry;
	entry.event->heap_index = index;
}

static void sift_up(struct event_heap *heap, uint32_t index, struct event_heap_entry entry)
{
	while (index > 0) {
		uint32_t parent = (index - 1) / 2;

		if (!entry_before(&entry, &heap->entries[parent]))
			break;
		place(heap, index, heap->entries[parent]);
		index = parent;
	}
	place(heap, index, entry);
}

static void sift_down(struct event_heap *heap, uint32_t index, struct event_heap_entry entry)
{
	for (;;) {
		uint32_t child = 2 * index + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
		    entry_before(&heap->entries[child + 1], &heap->entries[child]))
			child++;
		if (!entry_before(&heap->entries[child], &entry))
			break;
		place(heap, index, heap->entries[child]);
		index = child;
	}
	place(heap, index, entry);
}

/* Puts an entry into the hole at `index`, wherever its key belongs from there. */
static void settle(struct event_heap *heap, uint32_t index, struct event_heap_entry entry)
{
	if (index > 0 && entry_before(&entry, &heap->entries[(index - 1) / 2]))
		sift_up(heap, index, entry);
	else
		sift_down(heap, index, entry);
}

static void grow(struct event_heap *heap)
{
	uint32_t capacity = heap->capacity ? 2 * heap->capacity : 256;
	struct event_heap_entry *entries = NULL;

	if (capacity > heap->capacity)
		entries = realloc(heap->entries, capacity * sizeof(*entries));
	if (!entries) {
		fprintf(stderr, "svasim: out of memory for %u pending events\n", heap->count);
		abort();
	}
	heap->entries = entries;
	heap->capacity = capacity;
}

static struct event_heap_entry entry_of(struct sim_event *event)
{
	return (struct event_heap_entry){event->time, event->sequence, event};
}

void event_heap_push(struct event_heap *heap, struct sim_event *event)
{
	if (heap->count == heap->capacity)
		grow(heap);
	sift_up(heap, heap->count++, entry_of(event));
}

void event_heap_remove(struct event_heap *heap, struct sim_event *event)
{
	uint32_t index = event->heap_index;

	event->heap_index = SIM_EVENT_IDLE;
	heap->count--;
	if (index != heap->count)
		settle(heap, index, heap->entries[heap->count]);
}

struct sim_event *event_heap_pop(struct event_heap *heap)
{
	struct sim_event *event = heap->entries[0].event;

	event->heap_index = SIM_EVENT_IDLE;
	heap->count--;
	if (heap->count)
		sift_down(heap, 0, heap->entries[heap->count]);
	return event;
}

void event_heap_update(struct event_heap *heap, struct sim_event *event)
{
	settle(heap, event->heap_index, entry_of(event));
}
