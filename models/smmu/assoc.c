/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fully associative store of assoc.h: chained hashes over an array, an LRU list through it.
 */
#include "models/smmu/assoc.h"

#include <assert.h>
#include <stdlib.h>

static uint32_t group_hash(const struct assoc *a, uint64_t group)
{
	return assoc_hash(a, group, 0);
}

void assoc_init(struct assoc *a, uint32_t capacity)
{
	uint32_t buckets = 1;

	assert(capacity > 0);
	while (buckets < capacity)
		buckets *= 2;
	a->entries = calloc(capacity, sizeof(*a->entries));
	a->hash_heads = malloc(buckets * sizeof(*a->hash_heads));
	a->group_heads = malloc(buckets * sizeof(*a->group_heads));
	if (!a->entries || !a->hash_heads || !a->group_heads)
		abort();
	for (uint32_t i = 0; i < buckets; i++)
		a->hash_heads[i] = a->group_heads[i] = ASSOC_NONE;
	for (uint32_t i = 0; i < capacity; i++)
		a->entries[i].lru_next = i + 1 < capacity ? i + 1 : ASSOC_NONE;
	a->capacity = capacity;
	a->used = 0;
	a->bucket_mask = buckets - 1;
	a->free = 0;
	a->youngest = a->oldest = ASSOC_NONE;
}

void assoc_destroy(struct assoc *a)
{
	free(a->entries);
	free(a->hash_heads);
	free(a->group_heads);
}

static void lru_unlink(struct assoc *a, uint32_t index)
{
	struct assoc_entry *e = &a->entries[index];

	if (e->lru_prev != ASSOC_NONE)
		a->entries[e->lru_prev].lru_next = e->lru_next;
	else
		a->youngest = e->lru_next;
	if (e->lru_next != ASSOC_NONE)
		a->entries[e->lru_next].lru_prev = e->lru_prev;
	else
		a->oldest = e->lru_prev;
}

static void lru_push(struct assoc *a, uint32_t index)
{
	struct assoc_entry *e = &a->entries[index];

	e->lru_prev = ASSOC_NONE;
	e->lru_next = a->youngest;
	if (a->youngest != ASSOC_NONE)
		a->entries[a->youngest].lru_prev = index;
	else
		a->oldest = index;
	a->youngest = index;
}

void assoc_make_youngest(struct assoc *a, uint32_t index)
{
	lru_unlink(a, index);
	lru_push(a, index);
}

uint32_t assoc_victim(const struct assoc *a)
{
	return a->free == ASSOC_NONE ? a->oldest : ASSOC_NONE;
}

static void hash_link(struct assoc *a, uint32_t i)
{
	struct assoc_entry *e = &a->entries[i];
	uint32_t *head = &a->hash_heads[assoc_hash(a, e->key, e->aux)];

	e->hash_prev = ASSOC_NONE;
	e->hash_next = *head;
	if (*head != ASSOC_NONE)
		a->entries[*head].hash_prev = i;
	*head = i;
}

static void hash_unlink(struct assoc *a, const struct assoc_entry *e)
{
	if (e->hash_prev != ASSOC_NONE)
		a->entries[e->hash_prev].hash_next = e->hash_next;
	else
		a->hash_heads[assoc_hash(a, e->key, e->aux)] = e->hash_next;
	if (e->hash_next != ASSOC_NONE)
		a->entries[e->hash_next].hash_prev = e->hash_prev;
}

static void group_link(struct assoc *a, uint32_t i)
{
	struct assoc_entry *e = &a->entries[i];
	uint32_t *head = &a->group_heads[group_hash(a, e->group)];

	e->group_prev = ASSOC_NONE;
	e->group_next = *head;
	if (*head != ASSOC_NONE)
		a->entries[*head].group_prev = i;
	*head = i;
}

static void group_unlink(struct assoc *a, const struct assoc_entry *e)
{
	if (e->group_prev != ASSOC_NONE)
		a->entries[e->group_prev].group_next = e->group_next;
	else
		a->group_heads[group_hash(a, e->group)] = e->group_next;
	if (e->group_next != ASSOC_NONE)
		a->entries[e->group_next].group_prev = e->group_prev;
}

/* The oldest entry becomes another one; in its group, if that is the same, it stays where it is. */
static uint32_t replace(struct assoc *a, uint64_t key, uint64_t aux, uint64_t group)
{
	uint32_t i = a->oldest;
	struct assoc_entry *e = &a->entries[i];

	hash_unlink(a, e);
	e->key = key;
	e->aux = aux;
	hash_link(a, i);
	if (e->group != group) {
		group_unlink(a, e);
		e->group = group;
		group_link(a, i);
	}
	assoc_touch(a, i);
	return i;
}

uint32_t assoc_insert(struct assoc *a, uint64_t key, uint64_t aux, uint64_t group)
{
	struct assoc_entry *e;
	uint32_t i = a->free;

	if (i == ASSOC_NONE)
		return replace(a, key, aux, group);
	e = &a->entries[i];
	a->free = e->lru_next;
	a->used++;
	e->key = key;
	e->aux = aux;
	e->group = group;
	hash_link(a, i);
	group_link(a, i);
	lru_push(a, i);
	return i;
}

void assoc_remove(struct assoc *a, uint32_t index)
{
	struct assoc_entry *e = &a->entries[index];

	hash_unlink(a, e);
	group_unlink(a, e);
	lru_unlink(a, index);
	e->lru_next = a->free;
	a->free = index;
	a->used--;
}

static uint32_t group_match(const struct assoc *a, uint32_t i, uint64_t group)
{
	while (i != ASSOC_NONE && a->entries[i].group != group)
		i = a->entries[i].group_next;
	return i;
}

uint32_t assoc_group_first(const struct assoc *a, uint64_t group)
{
	return group_match(a, a->group_heads[group_hash(a, group)], group);
}

uint32_t assoc_group_next(const struct assoc *a, uint32_t index)
{
	return group_match(a, a->entries[index].group_next, a->entries[index].group);
}
