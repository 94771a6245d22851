/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fully associative store with least-recently-used replacement, as the SMMU's TLB and its
 * configuration caches are: lookup, insertion and removal take constant time at any size. Each
 * entry belongs to a group (the TLB: an address space; the CD cache: a stream), so that what
 * invalidates a group costs what the group holds, not what the store holds.
 *
 * Entries are numbered; the owner keeps the payload in an array of its own.
 */
#ifndef MODELS_SMMU_ASSOC_H
#define MODELS_SMMU_ASSOC_H

#include <stdint.h>

#define ASSOC_NONE UINT32_MAX

struct assoc_entry {
	uint64_t key, group;
	uint64_t aux; /* second half of the key */
	uint32_t hash_next, hash_prev;
	uint32_t group_next, group_prev;
	uint32_t lru_next, lru_prev; /* toward older, toward younger */
};

struct assoc {
	struct assoc_entry *entries;
	uint32_t *hash_heads, *group_heads;
	uint32_t capacity, used, bucket_mask;
	uint32_t youngest, oldest, free;
};

void assoc_init(struct assoc *a, uint32_t capacity);
void assoc_destroy(struct assoc *a);

static inline uint32_t assoc_hash(const struct assoc *a, uint64_t key, uint64_t aux)
{
	uint64_t h = (key + aux * UINT64_C(0xff51afd7ed558ccd)) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(h >> 32) & a->bucket_mask;
}

/* The entry, or ASSOC_NONE. */
static inline uint32_t assoc_peek(const struct assoc *a, uint64_t key, uint64_t aux)
{
	uint32_t i = a->hash_heads[assoc_hash(a, key, aux)];

	while (i != ASSOC_NONE && (a->entries[i].key != key || a->entries[i].aux != aux))
		i = a->entries[i].hash_next;
	return i;
}

void assoc_make_youngest(struct assoc *a, uint32_t index);

/* It was used. */
static inline void assoc_touch(struct assoc *a, uint32_t index)
{
	if (index != a->youngest)
		assoc_make_youngest(a, index);
}

/* As assoc_peek(), and it becomes the youngest. */
static inline uint32_t assoc_find(struct assoc *a, uint64_t key, uint64_t aux)
{
	uint32_t i = assoc_peek(a, key, aux);

	if (i != ASSOC_NONE)
		assoc_touch(a, i);
	return i;
}

/*
 * The oldest entry if nothing is free (its owner may look before it is replaced), else
 * ASSOC_NONE.
 */
uint32_t assoc_victim(const struct assoc *a);

/* The key must not be present. Replaces the oldest if full. */
uint32_t assoc_insert(struct assoc *a, uint64_t key, uint64_t aux, uint64_t group);
void assoc_remove(struct assoc *a, uint32_t index);

/* Entries of a group, in no architectural order; take the next before removing one. */
uint32_t assoc_group_first(const struct assoc *a, uint64_t group);
uint32_t assoc_group_next(const struct assoc *a, uint32_t index);

/* All entries, youngest first. */
static inline uint32_t assoc_first(const struct assoc *a)
{
	return a->youngest;
}

static inline uint32_t assoc_next(const struct assoc *a, uint32_t index)
{
	return a->entries[index].lru_next;
}

#endif
