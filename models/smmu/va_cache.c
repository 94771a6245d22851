/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries by StreamWorld, ASID and virtual address (SMMUv3 IHI 0070 §3.17, §4.4): see va_cache.h.
 *
 * Global entries match every ASID of their StreamWorld; an invalidation by ASID alone leaves them,
 * one by address takes them. No VMIDs, since there is no stage 2.
 */
#include "models/smmu/va_cache.h"

#include <stdlib.h>

static uint64_t bit(unsigned int n)
{
	return UINT64_C(1) << n;
}

static bool is_global(uint64_t group)
{
	return group >> 16 & 1;
}

static void size_leaves(struct va_cache *cache, bool global, unsigned int size)
{
	if (--cache->size_count[global][size] == 0)
		cache->sizes[global] &= ~bit(size);
}

static void size_comes(struct va_cache *cache, bool global, unsigned int size)
{
	if (cache->size_count[global][size]++ == 0)
		cache->sizes[global] |= bit(size);
}

static void entry_remove(struct va_cache *cache, uint32_t i)
{
	size_leaves(cache, is_global(cache->assoc.entries[i].group), cache->entries[i].size_bits);
	assoc_remove(&cache->assoc, i);
}

void va_cache_insert(struct va_cache *cache, uint64_t group, uint64_t va,
		     const struct va_entry *entry)
{
	unsigned int size = entry->size_bits;
	uint64_t key = va >> size, aux = va_aux(group, size);
	uint32_t i;

	if (!cache->entries)
		return;
	i = assoc_peek(&cache->assoc, key, aux);
	if (i != ASSOC_NONE) {
		cache->entries[i] = *entry;
		return;
	}
	i = assoc_victim(&cache->assoc);
	if (i != ASSOC_NONE)
		size_leaves(cache, is_global(cache->assoc.entries[i].group),
			    cache->entries[i].size_bits);
	i = assoc_insert(&cache->assoc, key, aux, group);
	cache->entries[i] = *entry;
	size_comes(cache, is_global(group), size);
}

void va_cache_drop(struct va_cache *cache, enum smmu_world world, uint16_t asid, uint64_t va)
{
	uint32_t i = va_cache_find(cache, world, asid, va);

	if (i != ASSOC_NONE)
		entry_remove(cache, i);
}

uint32_t va_cache_find_address(const struct va_cache *cache, uint64_t first, uint64_t last)
{
	if (!cache->entries)
		return ASSOC_NONE;
	for (uint32_t i = assoc_first(&cache->assoc); i != ASSOC_NONE;
	     i = assoc_next(&cache->assoc, i)) {
		const struct va_entry *entry = &cache->entries[i];

		if (entry->address <= last && entry->address + (bit(entry->size_bits) - 1) >= first)
			return i;
	}
	return ASSOC_NONE;
}

/* ---- invalidation ------------------------------------------------------------------------ */

static bool covers_any(const struct va_cache *cache, uint32_t i, uint64_t first, uint64_t last)
{
	unsigned int size = cache->entries[i].size_bits;
	uint64_t begin = cache->assoc.entries[i].key << size;

	return begin <= last && (begin | (bit(size) - 1)) >= first;
}

static void invalidate_group(struct va_cache *cache, uint64_t group, uint64_t first, uint64_t last)
{
	for (uint32_t i = assoc_group_first(&cache->assoc, group), next; i != ASSOC_NONE;
	     i = next) {
		next = assoc_group_next(&cache->assoc, i);
		if (covers_any(cache, i, first, last))
			entry_remove(cache, i);
	}
}

static void invalidate_page(struct va_cache *cache, uint64_t group, uint64_t va)
{
	for (uint64_t sizes = cache->sizes[is_global(group)]; sizes; sizes &= sizes - 1) {
		unsigned int size = (unsigned int)__builtin_ctzll(sizes);
		uint32_t i = assoc_peek(&cache->assoc, va >> size, va_aux(group, size));

		if (i != ASSOC_NONE)
			entry_remove(cache, i);
	}
}

/* Every ASID of a StreamWorld: the one scope that looks at every entry. */
static void invalidate_world(struct va_cache *cache, const struct smmu_tlbi *tlbi)
{
	for (uint32_t i = assoc_first(&cache->assoc), next; i != ASSOC_NONE; i = next) {
		next = assoc_next(&cache->assoc, i);
		if (cache->assoc.entries[i].group >> 17 == tlbi->world &&
		    covers_any(cache, i, tlbi->first, tlbi->last))
			entry_remove(cache, i);
	}
}

void va_cache_invalidate(struct va_cache *cache, const struct smmu_tlbi *tlbi)
{
	uint64_t own = va_group(tlbi->world, false, tlbi->asid);
	uint64_t global = va_group(tlbi->world, true, 0);

	if (!cache->entries || !cache->assoc.used)
		return;
	if (tlbi->any_asid) {
		invalidate_world(cache, tlbi);
	} else if (tlbi->any_va) {
		invalidate_group(cache, own, 0, UINT64_MAX);
	} else if (tlbi->last - tlbi->first < 4096) {
		invalidate_page(cache, own, tlbi->first);
		invalidate_page(cache, global, tlbi->first);
	} else {
		invalidate_group(cache, own, tlbi->first, tlbi->last);
		invalidate_group(cache, global, tlbi->first, tlbi->last);
	}
}

/* ---- life -------------------------------------------------------------------------------- */

void va_cache_init(struct va_cache *cache, uint32_t entries)
{
	if (!entries)
		return;
	assoc_init(&cache->assoc, entries);
	cache->entries = calloc(entries, sizeof(*cache->entries));
	if (!cache->entries)
		abort();
}

void va_cache_destroy(struct va_cache *cache)
{
	if (!cache->entries)
		return;
	assoc_destroy(&cache->assoc);
	free(cache->entries);
}
