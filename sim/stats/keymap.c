/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chained hash over an array of nodes.
 */
#include "sim/stats/keymap.h"

#include "sim/stats/alloc.h"

void keymap_init(struct keymap *map)
{
	*map = (struct keymap){.free = KEYMAP_NONE};
}

void keymap_release(struct keymap *map)
{
	free(map->heads);
	free(map->nodes);
	keymap_init(map);
}

static uint32_t *head_of(const struct keymap *map, uint64_t key)
{
	uint64_t hash =
		key * UINT64_C(0x9e3779b97f4a7c15); /* Fibonacci hashing: the high bits are good */

	return &map->heads[(uint32_t)(hash >> 32) & (map->capacity - 1)];
}

uint32_t keymap_find(const struct keymap *map, uint64_t key)
{
	uint32_t i;

	if (map->count == 0)
		return KEYMAP_NONE;
	for (i = *head_of(map, key); i != KEYMAP_NONE; i = map->nodes[i].next) {
		if (map->nodes[i].key == key)
			break;
	}
	return i;
}

/* All nodes are in use: none is on the free list. */
static void grow(struct keymap *map)
{
	map->capacity = map->capacity ? 2 * map->capacity : 64;
	map->heads = must_realloc(map->heads, map->capacity, sizeof(*map->heads));
	map->nodes = must_realloc(map->nodes, map->capacity, sizeof(*map->nodes));
	memset(map->heads, 0xff, map->capacity * sizeof(*map->heads));
	for (uint32_t i = 0; i < map->used; i++) {
		uint32_t *head = head_of(map, map->nodes[i].key);

		map->nodes[i].next = *head;
		*head = i;
	}
}

uint32_t keymap_add(struct keymap *map, uint64_t key)
{
	uint32_t i = map->free;
	uint32_t *head;

	if (i != KEYMAP_NONE) {
		map->free = map->nodes[i].next;
	} else {
		if (map->used == map->capacity)
			grow(map);
		i = map->used++;
	}
	head = head_of(map, key);
	map->nodes[i] = (struct keymap_node){.key = key, .next = *head};
	*head = i;
	map->count++;
	return i;
}

void keymap_remove(struct keymap *map, uint64_t key)
{
	uint32_t *link = head_of(map, key);
	uint32_t i;

	while (map->nodes[*link].key != key)
		link = &map->nodes[*link].next;
	i = *link;
	*link = map->nodes[i].next;
	map->nodes[i].next = map->free;
	map->free = i;
	map->count--;
}
