/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TLB: leaf descriptors by StreamWorld, ASID and page, blocks as one entry (SMMUv3 IHI 0070
 * §3.17, §4.4). Fully associative, least recently used.
 *
 * Entries of global pages (nG = 0) match every ASID of their StreamWorld; an invalidation by ASID
 * alone leaves them, one by address takes them. No VMIDs, since there is no stage 2.
 */
#include "models/smmu/smmu_internal.h"

#include <stdlib.h>

static uint64_t tlb_group(enum smmu_world world, bool global, uint16_t asid)
{
	return (uint64_t)world << 17 | (uint64_t)global << 16 | (global ? 0 : asid);
}

static uint64_t tlb_aux(uint64_t group, unsigned int size_bits)
{
	return group << 8 | size_bits;
}

static uint64_t page_of(uint64_t va, unsigned int size_bits)
{
	return va >> size_bits;
}

static bool is_global(uint64_t group)
{
	return group >> 16 & 1;
}

static void entry_remove(struct smmu *smmu, uint32_t i)
{
	unsigned int size = smmu->tlb_entries[i].size_bits;
	bool global = is_global(smmu->tlb.entries[i].group);

	if (--smmu->tlb_size_count[global][size] == 0)
		smmu->tlb_sizes[global] &= ~BIT(size);
	assoc_remove(&smmu->tlb, i);
}

static uint32_t tlb_lookup(struct smmu *smmu, enum smmu_world world, uint16_t asid, uint64_t va)
{
	for (int global = 0; global < 2; global++) {
		uint64_t group = tlb_group(world, global, asid);

		for (uint64_t sizes = smmu->tlb_sizes[global]; sizes; sizes &= sizes - 1) {
			unsigned int size = (unsigned int)__builtin_ctzll(sizes);
			uint32_t i =
				assoc_find(&smmu->tlb, page_of(va, size), tlb_aux(group, size));

			if (i != ASSOC_NONE)
				return i;
		}
	}
	return ASSOC_NONE;
}

bool smmu_tlb_find(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;
	uint32_t i = tlb_lookup(smmu, t->ste.world, t->cd.asid, t->va);
	const struct smmu_tlb_entry *entry;

	if (!(t->counted & COUNTED_TLB)) {
		t->counted |= COUNTED_TLB;
		if (i != ASSOC_NONE)
			smmu->stats.tlb_hits++;
		else
			smmu->stats.tlb_misses++;
	}
	if (i == ASSOC_NONE)
		return false;
	entry = &smmu->tlb_entries[i];
	t->pa = entry->pa | (t->va & (BIT(entry->size_bits) - 1));
	t->permissions = entry->permissions;
	return true;
}

static bool spans_meet(const struct va_span *span, uint64_t first, uint64_t last)
{
	return span->first <= span->last && span->first <= last && first <= span->last;
}

void smmu_tlb_fill(struct smmu_translation *t, const struct vmsa_leaf *leaf)
{
	struct smmu *smmu = t->smmu;
	unsigned int size = leaf->size_bits;
	/* without ASIDs, nG means nothing */
	bool global = !leaf->ng && t->ste.world != WORLD_EL2;
	uint64_t group = tlb_group(t->ste.world, global, t->cd.asid);
	uint64_t first = t->va & ~(BIT(size) - 1), last = t->va | (BIT(size) - 1);
	uint32_t i;

	if (spans_meet(&t->stale_own, first, last) ||
	    (global && spans_meet(&t->stale_global, first, last)))
		return;
	if (assoc_peek(&smmu->tlb, page_of(t->va, size), tlb_aux(group, size)) != ASSOC_NONE)
		return; /* another walk of the same page was faster */
	i = assoc_victim(&smmu->tlb);
	if (i != ASSOC_NONE)
		entry_remove(smmu, i);
	i = assoc_insert(&smmu->tlb, page_of(t->va, size), tlb_aux(group, size), group);
	smmu->tlb_entries[i] = (struct smmu_tlb_entry){
		.pa = leaf->pa,
		.size_bits = (uint8_t)size,
		.permissions = leaf->permissions,
	};
	if (smmu->tlb_size_count[global][size]++ == 0)
		smmu->tlb_sizes[global] |= BIT(size);
}

void smmu_tlb_drop(struct smmu_translation *t)
{
	uint32_t i = tlb_lookup(t->smmu, t->ste.world, t->cd.asid, t->va);

	if (i != ASSOC_NONE)
		entry_remove(t->smmu, i);
}

/* ---- invalidation ------------------------------------------------------------------------ */

static void span_add(struct va_span *span, uint64_t first, uint64_t last)
{
	if (span->first > span->last) {
		*span = (struct va_span){first, last};
		return;
	}
	if (first < span->first)
		span->first = first;
	if (last > span->last)
		span->last = last;
}

/* Walks that have begun may have read what is now invalid: they must not fill the TLB with it. */
static void in_flight_stale(struct smmu *smmu, const struct smmu_tlbi *tlbi)
{
	for (uint32_t i = 0; i < smmu->params.walk_slots; i++) {
		struct smmu_translation *t = smmu->slots[i].user;

		if (!t || t->stage != STAGE_PERMISSION || t->ste.world != tlbi->world)
			continue;
		if (tlbi->any_asid || t->cd.asid == tlbi->asid)
			span_add(&t->stale_own, tlbi->first, tlbi->last);
		if (tlbi->any_asid || !tlbi->any_va)
			span_add(&t->stale_global, tlbi->first, tlbi->last);
	}
}

static void invalidate_group(struct smmu *smmu, uint64_t group, uint64_t first, uint64_t last)
{
	for (uint32_t i = assoc_group_first(&smmu->tlb, group), next; i != ASSOC_NONE; i = next) {
		unsigned int size = smmu->tlb_entries[i].size_bits;
		uint64_t begin = smmu->tlb.entries[i].key << size;

		next = assoc_group_next(&smmu->tlb, i);
		if (begin <= last && (begin | (BIT(size) - 1)) >= first)
			entry_remove(smmu, i);
	}
}

static void invalidate_page(struct smmu *smmu, uint64_t group, uint64_t va)
{
	for (uint64_t sizes = smmu->tlb_sizes[is_global(group)]; sizes; sizes &= sizes - 1) {
		unsigned int size = (unsigned int)__builtin_ctzll(sizes);
		uint32_t i = assoc_peek(&smmu->tlb, page_of(va, size), tlb_aux(group, size));

		if (i != ASSOC_NONE)
			entry_remove(smmu, i);
	}
}

/* Every ASID of a StreamWorld: the one scope that looks at every entry. */
static void invalidate_world(struct smmu *smmu, const struct smmu_tlbi *tlbi)
{
	for (uint32_t i = assoc_first(&smmu->tlb), next; i != ASSOC_NONE; i = next) {
		unsigned int size = smmu->tlb_entries[i].size_bits;
		uint64_t begin = smmu->tlb.entries[i].key << size;

		next = assoc_next(&smmu->tlb, i);
		if (smmu->tlb.entries[i].group >> 17 == tlbi->world && begin <= tlbi->last &&
		    (begin | (BIT(size) - 1)) >= tlbi->first)
			entry_remove(smmu, i);
	}
}

void smmu_tlb_invalidate(struct smmu *smmu, const struct smmu_tlbi *tlbi)
{
	uint64_t own = tlb_group(tlbi->world, false, tlbi->asid);
	uint64_t global = tlb_group(tlbi->world, true, 0);

	in_flight_stale(smmu, tlbi);
	if (tlbi->any_asid) {
		invalidate_world(smmu, tlbi);
	} else if (tlbi->any_va) {
		invalidate_group(smmu, own, 0, UINT64_MAX);
	} else if (tlbi->last - tlbi->first < 4096) {
		invalidate_page(smmu, own, tlbi->first);
		invalidate_page(smmu, global, tlbi->first);
	} else {
		invalidate_group(smmu, own, tlbi->first, tlbi->last);
		invalidate_group(smmu, global, tlbi->first, tlbi->last);
	}
}

void smmu_tlb_init(struct smmu *smmu)
{
	assoc_init(&smmu->tlb, smmu->params.tlb_entries);
	smmu->tlb_entries = calloc(smmu->params.tlb_entries, sizeof(*smmu->tlb_entries));
	if (!smmu->tlb_entries)
		abort();
}

void smmu_tlb_destroy(struct smmu *smmu)
{
	assoc_destroy(&smmu->tlb);
	free(smmu->tlb_entries);
}
