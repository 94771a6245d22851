/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TLB and the ports' micro-TLBs: leaf descriptors by StreamWorld, ASID and page, blocks as one
 * entry (SMMUv3 IHI 0070 §3.17, §4.4).
 *
 * A micro-TLB is filled from the TLB and by walks. Neither contains the other: what one replaces
 * stays in the other; an invalidation takes it from all.
 */
#include "models/smmu/smmu_internal.h"

static void take_entry(struct smmu_translation *t, const struct va_entry *entry)
{
	t->pa = entry->address | (t->va & (BIT(entry->size_bits) - 1));
	t->permissions = entry->attributes;
}

/* A hit goes into the micro-TLB. */
static bool main_find(struct smmu_translation *t, enum smmu_world world, uint16_t asid)
{
	struct smmu *smmu = t->smmu;
	uint32_t i = va_cache_find(&smmu->tlb, world, asid, t->va);

	if (i == ASSOC_NONE)
		return false;
	take_entry(t, &smmu->tlb.entries[i]);
	va_cache_insert(&t->port->micro_tlb, va_cache_group(&smmu->tlb, i), t->va,
			&smmu->tlb.entries[i]);
	return true;
}

enum tlb_result smmu_tlb_find(struct smmu_translation *t, enum smmu_world world, uint16_t asid)
{
	struct smmu *smmu = t->smmu;
	struct va_cache *micro = &t->port->micro_tlb;

	t->counted |= COUNTED_TLB;
	if (micro->entries) {
		uint32_t i = va_cache_find(micro, world, asid, t->va);

		if (i != ASSOC_NONE) {
			smmu->stats.micro_hits++;
			take_entry(t, &micro->entries[i]);
			return TLB_MICRO_HIT;
		}
		smmu->stats.micro_misses++;
	}
	if (main_find(t, world, asid)) {
		smmu->stats.tlb_hits++;
		return TLB_HIT;
	}
	smmu->stats.tlb_misses++;
	return TLB_MISS;
}

bool smmu_tlb_find_again(struct smmu_translation *t)
{
	if (!(t->counted & COUNTED_TLB))
		return smmu_tlb_find(t, t->ste.world, t->cd.asid) != TLB_MISS;
	/* what came into the micro-TLB meanwhile came into the TLB, too */
	return main_find(t, t->ste.world, t->cd.asid);
}

static bool spans_meet(const struct va_span *span, uint64_t first, uint64_t last)
{
	return span->first <= span->last && span->first <= last && first <= span->last;
}

bool smmu_walk_stale(const struct smmu_translation *t, unsigned int size_bits, bool global)
{
	uint64_t first = t->va & ~(BIT(size_bits) - 1), last = t->va | (BIT(size_bits) - 1);

	return spans_meet(&t->stale_own, first, last) ||
	       (global && spans_meet(&t->stale_global, first, last));
}

bool smmu_tlb_fill(struct smmu_translation *t, const struct vmsa_leaf *leaf, uint64_t *group,
		   struct va_entry *entry)
{
	/* without ASIDs, nG means nothing */
	bool global = !leaf->ng && t->ste.world != WORLD_EL2;

	*group = va_group(t->ste.world, global, t->cd.asid);
	*entry = (struct va_entry){
		.address = leaf->pa,
		.size_bits = leaf->size_bits,
		.attributes = leaf->permissions,
	};
	if (smmu_walk_stale(t, leaf->size_bits, global))
		return false;
	va_cache_insert(&t->smmu->tlb, *group, t->va, entry);
	va_cache_insert(&t->port->micro_tlb, *group, t->va, entry);
	return true;
}

void smmu_tlb_drop(struct smmu_translation *t)
{
	va_cache_drop(&t->port->micro_tlb, t->ste.world, t->cd.asid, t->va);
	va_cache_drop(&t->smmu->tlb, t->ste.world, t->cd.asid, t->va);
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

/*
 * Walks that have begun may have read what is now invalid: they must not fill anything with it, and
 * what comes from now on must not wait for their result.
 */
static void in_flight_stale(struct smmu *smmu, const struct smmu_tlbi *tlbi)
{
	for (struct smmu_translation *t = smmu->walkers_first; t; t = t->walker_next) {
		bool own = tlbi->any_asid || t->cd.asid == tlbi->asid;
		bool global = tlbi->any_asid || !tlbi->any_va;

		if (t->stage != STAGE_PERMISSION || t->ste.world != tlbi->world)
			continue;
		if (own)
			span_add(&t->stale_own, tlbi->first, tlbi->last);
		if (global)
			span_add(&t->stale_global, tlbi->first, tlbi->last);
		if (own || global)
			smmu_walk_unshare(t);
	}
}

void smmu_tlb_invalidate(struct smmu *smmu, const struct smmu_tlbi *tlbi)
{
	in_flight_stale(smmu, tlbi);
	va_cache_invalidate(&smmu->tlb, tlbi);
	for (uint32_t i = 0; i < smmu->port_count; i++)
		va_cache_invalidate(&smmu->ports[i]->micro_tlb, tlbi);
	if (tlbi->leaf)
		return;
	for (int level = 0; level < WALK_CACHE_LEVELS; level++)
		va_cache_invalidate(&smmu->walk_caches[level], tlbi);
}
