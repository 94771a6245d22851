/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What TLBI commands apply to: entries by StreamWorld, ASID and virtual address, each covering a
 * power of two of bytes. The TLB and the micro-TLBs keep leaves in it, the walk caches tables.
 * Fully associative, least recently used; lookup and insertion take constant time at any size.
 */
#ifndef MODELS_SMMU_VA_CACHE_H
#define MODELS_SMMU_VA_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/smmu/assoc.h"

/*
 * Translation regime that a stream's addresses belong to (§3.3.4). Entries are tagged with it.
 */
enum smmu_world { WORLD_NS_EL1, WORLD_EL2, WORLD_EL2_E2H, WORLD_COUNT };

/* What a TLBI command names. */
struct smmu_tlbi {
	enum smmu_world world;
	bool any_asid, any_va;
	bool leaf; /* leaves only: walk caches keep what they have */
	uint16_t asid;
	uint64_t first, last; /* bytes */
};

struct va_entry {
	uint64_t address;   /* of the page or block; of the next table */
	uint8_t size_bits;  /* log2 of the bytes that it covers */
	uint8_t attributes; /* permissions; hierarchical attributes */
};

struct va_cache {
	struct assoc assoc;
	struct va_entry *entries; /* NULL: there is no such cache */
	uint64_t sizes[2];	  /* which log2 sizes are present: of one ASID, of all (global) */
	uint32_t size_count[2][64];
};

/* An address space, or the pages that all of a StreamWorld share. */
static inline uint64_t va_group(enum smmu_world world, bool global, uint16_t asid)
{
	return (uint64_t)world << 17 | (uint64_t)global << 16 | (global ? 0 : asid);
}

/* `entries` 0: finds nothing and keeps nothing. */
void va_cache_init(struct va_cache *cache, uint32_t entries);
void va_cache_destroy(struct va_cache *cache);

static inline uint64_t va_aux(uint64_t group, unsigned int size_bits)
{
	return group << 8 | size_bits;
}

static inline uint32_t va_cache_find_in(struct va_cache *cache, bool global, uint64_t group,
					uint64_t va)
{
	for (uint64_t sizes = cache->sizes[global]; sizes; sizes &= sizes - 1) {
		unsigned int size = (unsigned int)__builtin_ctzll(sizes);
		uint32_t i = assoc_find(&cache->assoc, va >> size, va_aux(group, size));

		if (i != ASSOC_NONE)
			return i;
	}
	return ASSOC_NONE;
}

/* The entry, of the ASID or global, which becomes the youngest; or ASSOC_NONE. */
static inline uint32_t va_cache_find(struct va_cache *cache, enum smmu_world world, uint16_t asid,
				     uint64_t va)
{
	uint32_t i = va_cache_find_in(cache, false, va_group(world, false, asid), va);

	if (i == ASSOC_NONE && __builtin_expect(cache->sizes[true] != 0, 0))
		i = va_cache_find_in(cache, true, va_group(world, true, 0), va);
	return i;
}

static inline uint64_t va_cache_group(const struct va_cache *cache, uint32_t index)
{
	return cache->assoc.entries[index].group;
}

/* In place of an entry of this group, size and address, if there is one. */
void va_cache_insert(struct va_cache *cache, uint64_t group, uint64_t va,
		     const struct va_entry *entry);
void va_cache_drop(struct va_cache *cache, enum smmu_world world, uint16_t asid, uint64_t va);
/* An entry whose `address` leads to any of the bytes [first, last], or ASSOC_NONE. Looks at all. */
uint32_t va_cache_find_address(const struct va_cache *cache, uint64_t first, uint64_t last);
void va_cache_invalidate(struct va_cache *cache, const struct smmu_tlbi *tlbi);

#endif
