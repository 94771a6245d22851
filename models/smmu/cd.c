/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Context descriptors (SMMUv3 IHI 0070 §5.3, §5.4): a single one, a linear table, or two levels
 * with leaves of 4 or 64 KiB, and the cache of decoded CDs by StreamID and SubstreamID.
 *
 * AArch64 translation tables with the 4 KiB granule only; no hardware update of flags.
 */
#include "models/smmu/smmu_internal.h"

const struct smmu_cd *smmu_cd_find(struct smmu_translation *t, uint32_t ssid)
{
	struct smmu *smmu = t->smmu;
	uint32_t i = assoc_find(&smmu->cd_cache, t->upstream->stream_id, ssid);

	if (!(t->counted & COUNTED_CD)) {
		t->counted |= COUNTED_CD;
		if (i != ASSOC_NONE)
			smmu->stats.cd_hits++;
		else
			smmu->stats.cd_misses++;
	}
	return i == ASSOC_NONE ? NULL : &smmu->cds[i];
}

static bool regime_ok(const struct smmu *smmu, const struct vmsa_regime *regime)
{
	if (regime->epd)
		return true;
	return regime->granule_bits == 12 && vmsa_regime_valid(regime) &&
	       !(regime->ttb >> regime->output_bits) && smmu_address_ok(smmu, regime->ttb);
}

static void regimes_decode(const struct smmu_translation *t, const uint64_t *data,
			   struct smmu_cd *cd)
{
	unsigned int oas = smmu_oas_bits(t->smmu);
	unsigned int ips = vmsa_ips_bits((unsigned int)FIELD_GET(CD_0_IPS, data[0]));
	const struct vmsa_regime common = {
		.output_bits = (uint8_t)(ips && ips < oas ? ips : oas),
		.affd = data[0] & CD_0_AFFD,
		.wxn = data[0] & CD_0_WXN,
		.pan = t->ste.world != WORLD_EL2 && data[0] & CD_0_PAN,
		.one_privilege = t->ste.world == WORLD_EL2,
	};

	cd->regime[0] = cd->regime[1] = common;
	cd->regime[0].ttb = data[1] & CD_1_TTB0;
	cd->regime[0].txsz = (uint8_t)FIELD_GET(CD_0_T0SZ, data[0]);
	cd->regime[0].granule_bits =
		(uint8_t)vmsa_tg0_granule_bits((unsigned int)FIELD_GET(CD_0_TG0, data[0]));
	cd->regime[0].tbi = data[0] & CD_0_TBI0;
	cd->regime[0].epd = data[0] & CD_0_EPD0;
	cd->regime[1].ttb = data[2] & CD_2_TTB1;
	cd->regime[1].txsz = (uint8_t)FIELD_GET(CD_0_T1SZ, data[0]);
	cd->regime[1].granule_bits =
		(uint8_t)vmsa_tg1_granule_bits((unsigned int)FIELD_GET(CD_0_TG1, data[0]));
	cd->regime[1].tbi = data[0] & CD_0_TBI1;
	/* EL2 without E2H has no upper half */
	cd->regime[1].epd = t->ste.world == WORLD_EL2 || data[0] & CD_0_EPD1;
	cd->regime[1].upper = true;
}

/* §5.4.2 Validity of CD. */
static bool cd_decode(const struct smmu_translation *t, const uint64_t *data, struct smmu_cd *cd)
{
	const struct smmu *smmu = t->smmu;
	uint32_t stall_model = smmu->params.stall_model;

	if (!(data[0] & CD_0_V) || !(data[0] & CD_0_AA64) ||
	    data[0] & (CD_0_ENDI | CD_0_HA | CD_0_HD))
		return false;
	cd->asid = t->ste.world == WORLD_EL2 ? 0 : (uint16_t)FIELD_GET(CD_0_ASID, data[0]);
	cd->s = data[0] & CD_0_S;
	cd->r = data[0] & CD_0_R;
	cd->a = data[0] & CD_0_A;
	if (cd->s ? stall_model == 1 || t->ste.s1stalld : stall_model == 2)
		return false;
	regimes_decode(t, data, cd);
	return regime_ok(smmu, &cd->regime[0]) && regime_ok(smmu, &cd->regime[1]);
}

static void cd_fetched(struct sim_txn *txn)
{
	struct smmu_translation *t = txn->owner;
	struct smmu *smmu = t->smmu;
	uint32_t sid = t->upstream->stream_id;

	if (txn->response != SIM_OK) {
		smmu_translation_config_fault(t, F_CD_FETCH, txn->addr);
		return;
	}
	if (!cd_decode(t, t->fetch_data, &t->cd)) {
		smmu_translation_config_fault(t, C_BAD_CD, 0);
		return;
	}
	if (!t->stale_cd && assoc_peek(&smmu->cd_cache, sid, t->ssid) == ASSOC_NONE) {
		smmu->cds[assoc_insert(&smmu->cd_cache, sid, t->ssid, sid)] = t->cd;
		smmu->config_generation++;
	}
	smmu_translation_continue(t);
}

static void cd_read(struct smmu_translation *t, uint64_t addr)
{
	if (smmu_address_ok(t->smmu, addr))
		smmu_fetch(t, addr, CD_BYTES, cd_fetched);
	else
		smmu_translation_config_fault(t, F_CD_FETCH, addr);
}

/* log2 of the CDs in one leaf table. */
static unsigned int leaf_log2(const struct smmu_translation *t)
{
	return t->ste.s1fmt == S1FMT_4K_L2 ? 6 : 10;
}

static void l1cd_fetched(struct sim_txn *txn)
{
	struct smmu_translation *t = txn->owner;
	uint64_t l1cd = t->fetch_data[0], l2ptr = l1cd & L1CD_L2PTR;
	unsigned int leaf = leaf_log2(t);

	if (txn->response != SIM_OK) {
		smmu_translation_config_fault(t, F_CD_FETCH, txn->addr);
		return;
	}
	if (!(l1cd & L1CD_V) || !smmu_address_ok(t->smmu, l2ptr)) {
		smmu_translation_config_fault(t, C_BAD_SUBSTREAMID, 0);
		return;
	}
	l2ptr &= ~((UINT64_C(1) << (leaf + 6)) - 1);
	cd_read(t, l2ptr + (uint64_t)(t->ssid & ((1u << leaf) - 1)) * CD_BYTES);
}

void smmu_cd_fetch(struct smmu_translation *t)
{
	const struct smmu_ste *ste = &t->ste;
	uint64_t addr;

	if (!ste->s1cdmax || ste->s1fmt == S1FMT_LINEAR) {
		cd_read(t, (ste->s1ctxptr & ~((UINT64_C(1) << (ste->s1cdmax + 6)) - 1)) +
				   (uint64_t)t->ssid * CD_BYTES);
		return;
	}
	addr = ste->s1ctxptr + (uint64_t)(t->ssid >> leaf_log2(t)) * 8;
	if (smmu_address_ok(t->smmu, addr))
		smmu_fetch(t, addr, 8, l1cd_fetched);
	else
		smmu_translation_config_fault(t, F_CD_FETCH, addr);
}

/* ---- invalidation ------------------------------------------------------------------------ */

static void in_flight_stale(struct smmu *smmu, uint32_t sid, bool any_ssid, uint32_t ssid)
{
	for (struct smmu_translation *t = smmu->walkers_first; t; t = t->walker_next) {
		if (t->upstream->stream_id != sid || (!any_ssid && t->ssid != ssid))
			continue;
		t->stale_cd = true;
		t->stale_own = t->stale_global = (struct va_span){0, UINT64_MAX};
		smmu_walk_unshare(t);
	}
}

void smmu_cd_invalidate(struct smmu *smmu, uint32_t sid, uint32_t ssid)
{
	uint32_t i = assoc_peek(&smmu->cd_cache, sid, ssid);

	smmu->config_generation++;
	in_flight_stale(smmu, sid, false, ssid);
	if (i != ASSOC_NONE)
		assoc_remove(&smmu->cd_cache, i);
}

void smmu_cd_invalidate_stream(struct smmu *smmu, uint32_t sid)
{
	smmu->config_generation++;
	in_flight_stale(smmu, sid, true, 0);
	for (uint32_t i = assoc_group_first(&smmu->cd_cache, sid), next; i != ASSOC_NONE;
	     i = next) {
		next = assoc_group_next(&smmu->cd_cache, i);
		assoc_remove(&smmu->cd_cache, i);
	}
}

/* By CFGI_STE_RANGE, which has dealt with what is in flight. */
void smmu_cd_invalidate_range(struct smmu *smmu, uint32_t sid, unsigned int low_bits)
{
	for (uint32_t i = assoc_first(&smmu->cd_cache), next; i != ASSOC_NONE; i = next) {
		uint32_t entry_sid = (uint32_t)smmu->cd_cache.entries[i].key;

		next = assoc_next(&smmu->cd_cache, i);
		if (low_bits >= 32 || !((entry_sid ^ sid) >> low_bits))
			assoc_remove(&smmu->cd_cache, i);
	}
}
