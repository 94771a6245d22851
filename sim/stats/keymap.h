/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hash from 64-bit keys to small, reused indices into the owner's array. Nothing is allocated
 * once it has held as many keys as it ever will.
 */
#ifndef SIM_STATS_KEYMAP_H
#define SIM_STATS_KEYMAP_H

#include <stdint.h>

#define KEYMAP_NONE UINT32_MAX

struct keymap {
	uint32_t *heads; /* first node of each chain; as many as `capacity`, a power of two */
	struct keymap_node {
		uint64_t key;
		uint32_t next; /* in the chain, or in the list of free nodes */
	} * nodes;
	uint32_t capacity; /* indices are below it */
	uint32_t used;	   /* nodes that were ever taken */
	uint32_t free;	   /* list of those given back */
	uint32_t count;
};

void keymap_init(struct keymap *map);
void keymap_release(struct keymap *map);
uint32_t keymap_find(const struct keymap *map, uint64_t key);
/* The key is not in the map. May raise map->capacity: the owner then grows its array. */
uint32_t keymap_add(struct keymap *map, uint64_t key);
void keymap_remove(struct keymap *map, uint64_t key);

#endif
