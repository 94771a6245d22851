/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of interned strings: ids are indices into an array, an open-addressing hash finds them.
 */
#include "sim/trace/names.h"

#include <stdbool.h>

#include "sim/stats/alloc.h"

struct name {
	char *text;
	uint32_t hash;
	bool sent[NAME_USE_COUNT];
};

static struct {
	struct name *list;	  /* list[id]; 0 is unused */
	uint32_t count, capacity; /* count includes the unused one */
	uint32_t *slots;	  /* hash table of ids; 0: free */
	uint32_t slot_mask;
	uint32_t *pending[NAME_USE_COUNT];
	uint32_t pending_count[NAME_USE_COUNT], pending_capacity[NAME_USE_COUNT];
} names;

uint32_t names_pending;

static uint32_t hash_string(const char *s)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *s; s++)
		hash = (hash ^ (uint8_t)*s) * 16777619u;
	return hash;
}

static void grow_slots(void)
{
	uint32_t size = names.slot_mask ? 2 * (names.slot_mask + 1) : 256;

	free(names.slots);
	names.slots = must_calloc(size, sizeof(*names.slots));
	names.slot_mask = size - 1;
	for (uint32_t id = 1; id < names.count; id++) {
		uint32_t at = names.list[id].hash & names.slot_mask;

		while (names.slots[at])
			at = (at + 1) & names.slot_mask;
		names.slots[at] = id;
	}
}

static uint32_t name_add(const char *string, uint32_t hash)
{
	if (names.count == names.capacity) {
		names.capacity = names.capacity ? 2 * names.capacity : 256;
		names.list = must_realloc(names.list, names.capacity, sizeof(*names.list));
	}
	if (names.count == 0)
		names.list[names.count++] = (struct name){0};
	names.list[names.count] = (struct name){.text = must_strdup(string), .hash = hash};
	return names.count++;
}

uint32_t names_intern(const char *string)
{
	uint32_t hash = hash_string(string);
	uint32_t at;

	if (2 * names.count >= names.slot_mask)
		grow_slots();
	for (at = hash & names.slot_mask; names.slots[at]; at = (at + 1) & names.slot_mask) {
		const struct name *name = &names.list[names.slots[at]];

		if (name->hash == hash && strcmp(name->text, string) == 0)
			return names.slots[at];
	}
	names.slots[at] = name_add(string, hash);
	return names.slots[at];
}

const char *names_text(uint32_t id)
{
	return id && id < names.count ? names.list[id].text : "";
}

void names_reset(void)
{
	for (uint32_t id = 0; id < names.count; id++)
		memset(names.list[id].sent, 0, sizeof(names.list[id].sent));
	memset(names.pending_count, 0, sizeof(names.pending_count));
	names_pending = 0;
}

void names_need(uint32_t id, enum name_use use)
{
	if (id == 0 || id >= names.count || names.list[id].sent[use])
		return;
	names.list[id].sent[use] = true;
	if (names.pending_count[use] == names.pending_capacity[use]) {
		uint32_t capacity =
			names.pending_capacity[use] ? 2 * names.pending_capacity[use] : 64;

		names.pending[use] =
			must_realloc(names.pending[use], capacity, sizeof(*names.pending[use]));
		names.pending_capacity[use] = capacity;
	}
	names.pending[use][names.pending_count[use]++] = id;
	names_pending++;
}

const uint32_t *names_take(enum name_use use, uint32_t *count)
{
	*count = names.pending_count[use];
	names.pending_count[use] = 0;
	names_pending -= *count;
	return *count ? names.pending[use] : NULL;
}
