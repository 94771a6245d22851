/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stream table (SMMUv3 IHI 0070 §5.1, §5.2, §6.3.24): linear or two levels, and the cache of
 * decoded STEs by StreamID.
 *
 * Invalid entries are not cached. Stage 2 configurations are ILLEGAL, since IDR0.S2P is 0.
 * Attribute overrides other than PRIVCFG and INSTCFG are ignored.
 */
#include "models/smmu/smmu_internal.h"

const struct smmu_ste *smmu_ste_find(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;
	uint32_t i = assoc_find(&smmu->ste_cache, t->upstream->stream_id, 0);

	if (!(t->counted & COUNTED_STE)) {
		t->counted |= COUNTED_STE;
		if (i != ASSOC_NONE)
			smmu->stats.ste_hits++;
		else
			smmu->stats.ste_misses++;
	}
	return i == ASSOC_NONE ? NULL : &smmu->stes[i];
}

static bool stream_world(const struct smmu *smmu, unsigned int strw, enum smmu_world *world)
{
	if (strw == STRW_NS_EL1) {
		*world = WORLD_NS_EL1;
		return true;
	}
	if (strw != STRW_NS_EL2 || !smmu->params.hyp)
		return false;
	*world = smmu->cr2 & CR2_E2H ? WORLD_EL2_E2H : WORLD_EL2;
	return true;
}

/* §5.2.2 Validity of STE, as far as stage 1 goes. */
static bool ste_decode(const struct smmu *smmu, const uint64_t *data, struct smmu_ste *ste)
{
	unsigned int config = (unsigned int)FIELD_GET(STE_0_CONFIG, data[0]);

	if (!(data[0] & STE_0_V))
		return false;
	*ste = (struct smmu_ste){
		.config = (uint8_t)config,
		.s1ctxptr = data[0] & STE_0_S1CTXPTR,
		.s1fmt = (uint8_t)FIELD_GET(STE_0_S1FMT, data[0]),
		.s1cdmax = smmu->params.ssid_bits ? (uint8_t)FIELD_GET(STE_0_S1CDMAX, data[0]) : 0,
		.s1dss = (uint8_t)FIELD_GET(STE_1_S1DSS, data[1]),
		.s1stalld = data[1] & STE_1_S1STALLD,
		.privcfg = (uint8_t)FIELD_GET(STE_1_PRIVCFG, data[1]),
		.instcfg = (uint8_t)FIELD_GET(STE_1_INSTCFG, data[1]),
	};
	if (config < STE_CONFIG_BYPASS || config == STE_CONFIG_BYPASS)
		return true;
	if (config != STE_CONFIG_S1)
		return false;
	if (!stream_world(smmu, (unsigned int)FIELD_GET(STE_1_STRW, data[1]), &ste->world))
		return false;
	if (ste->s1stalld && smmu->params.stall_model != 0)
		return false;
	if (ste->s1cdmax > smmu->params.ssid_bits)
		return false;
	if (ste->s1cdmax && ste->s1fmt != S1FMT_LINEAR &&
	    (ste->s1fmt > S1FMT_64K_L2 || !smmu->params.cd_2lvl))
		return false;
	return smmu_address_ok(smmu, ste->s1ctxptr);
}

static void ste_fetched(struct sim_txn *txn)
{
	struct smmu_translation *t = txn->owner;
	struct smmu *smmu = t->smmu;

	if (txn->response != SIM_OK) {
		smmu_translation_config_fault(t, F_STE_FETCH, txn->addr);
		return;
	}
	if (!ste_decode(smmu, t->fetch_data, &t->ste)) {
		smmu_translation_config_fault(t, C_BAD_STE, 0);
		return;
	}
	if (!t->stale_ste &&
	    assoc_peek(&smmu->ste_cache, t->upstream->stream_id, 0) == ASSOC_NONE) {
		smmu->stes[assoc_insert(&smmu->ste_cache, t->upstream->stream_id, 0, 0)] = t->ste;
		smmu->config_generation++;
	}
	smmu_translation_continue(t);
}

static void ste_read(struct smmu_translation *t, uint64_t addr)
{
	if (smmu_address_ok(t->smmu, addr))
		smmu_fetch(t, addr, STE_BYTES, ste_fetched);
	else
		smmu_translation_config_fault(t, F_STE_FETCH, addr);
}

/* STRTAB_BASE_CFG.SPLIT: 6, 8 or 10; reserved values behave as 6. */
static unsigned int strtab_split(const struct smmu *smmu)
{
	unsigned int split = (unsigned int)FIELD_GET(STRTAB_CFG_SPLIT, smmu->strtab_base_cfg);

	return split == 8 || split == 10 ? split : 6;
}

static void bad_streamid(struct smmu_translation *t)
{
	/* recorded only if software asked for it */
	if (t->smmu->cr2 & CR2_RECINVSID)
		smmu_translation_config_fault(t, C_BAD_STREAMID, 0);
	else
		smmu_translation_terminate(t, true);
}

static void l1std_fetched(struct sim_txn *txn)
{
	struct smmu_translation *t = txn->owner;
	unsigned int split = strtab_split(t->smmu);
	uint64_t l1std = t->fetch_data[0];
	unsigned int span = (unsigned int)FIELD_GET(L1STD_SPAN, l1std);
	uint32_t index = t->upstream->stream_id & ((1u << split) - 1);

	if (txn->response != SIM_OK) {
		smmu_translation_config_fault(t, F_STE_FETCH, txn->addr);
		return;
	}
	if (!span || span > split + 1 || index >= 1u << (span - 1)) {
		bad_streamid(t);
		return;
	}
	/* the table is aligned to its size */
	ste_read(t, (l1std & L1STD_L2PTR & ~((UINT64_C(1) << (5 + span)) - 1)) +
			    (uint64_t)index * STE_BYTES);
}

void smmu_ste_fetch(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;
	unsigned int log2size = (unsigned int)FIELD_GET(STRTAB_CFG_LOG2SIZE, smmu->strtab_base_cfg);
	unsigned int split = strtab_split(smmu), align;
	uint64_t base = smmu->strtab_base & STRTAB_BASE_ADDR, addr;
	uint32_t sid = t->upstream->stream_id;

	if (log2size > smmu->params.sid_bits)
		log2size = smmu->params.sid_bits;
	if ((uint64_t)sid >> log2size) {
		bad_streamid(t);
		return;
	}
	if (!smmu->params.strtab_2lvl ||
	    FIELD_GET(STRTAB_CFG_FMT, smmu->strtab_base_cfg) != STRTAB_FMT_2LVL) {
		align = log2size + 6;
		ste_read(t, (base & ~((UINT64_C(1) << align) - 1)) + (uint64_t)sid * STE_BYTES);
		return;
	}
	align = log2size > split + 3 ? log2size - split + 3 : 6;
	addr = (base & ~((UINT64_C(1) << align) - 1)) + (uint64_t)(sid >> split) * 8;
	if (smmu_address_ok(smmu, addr))
		smmu_fetch(t, addr, 8, l1std_fetched);
	else
		smmu_translation_config_fault(t, F_STE_FETCH, addr);
}

static bool sid_in_range(uint32_t a, uint32_t b, unsigned int low_bits)
{
	return low_bits >= 32 || !((a ^ b) >> low_bits);
}

/*
 * What was read through an STE goes with it (§4.3.1): its CDs, and what is on its way into the
 * caches.
 */
void smmu_ste_invalidate(struct smmu *smmu, uint32_t sid, unsigned int low_bits)
{
	smmu->config_generation++;
	for (struct smmu_translation *t = smmu->walkers_first; t; t = t->walker_next) {
		if (!sid_in_range(t->upstream->stream_id, sid, low_bits))
			continue;
		t->stale_ste = t->stale_cd = true;
		t->stale_own = t->stale_global = (struct va_span){0, UINT64_MAX};
		smmu_walk_unshare(t);
	}
	if (!low_bits) {
		uint32_t i = assoc_peek(&smmu->ste_cache, sid, 0);

		if (i != ASSOC_NONE)
			assoc_remove(&smmu->ste_cache, i);
		smmu_cd_invalidate_stream(smmu, sid);
		return;
	}
	for (uint32_t i = assoc_first(&smmu->ste_cache), next; i != ASSOC_NONE; i = next) {
		next = assoc_next(&smmu->ste_cache, i);
		if (sid_in_range((uint32_t)smmu->ste_cache.entries[i].key, sid, low_bits))
			assoc_remove(&smmu->ste_cache, i);
	}
	smmu_cd_invalidate_range(smmu, sid, low_bits);
}
