/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One client transaction, from its arrival to its completion (SMMUv3 IHI 0070 §3.3, §3.12, §15).
 *
 * The stages below are in the order in which a transaction passes through them. A stage goes on to
 * the next, or ends the translation, or leaves it waiting for memory or for a walk slot; then
 * smmu_translation_continue() takes it up where it was.
 *
 * When a transaction has a translation slot of its port, everything that is cached is looked up at
 * once, and the answer comes after the time that this takes: micro_tlb_hit_ps if the port's
 * micro-TLB had it, tlb_hit_ps more if the TLB was asked. A hit is then sent on: it costs one event.
 * What is no hit goes through all stages at that time, since others may have brought in what it
 * needs.
 *
 * From the look-up that was a hit, or from the first stage, until its completion a transaction is in
 * flight: it may use configuration and translations that an invalidation removes, and CMD_SYNC
 * waits for it. While it waits for a walk slot or stalls it is not: it will look everything up again.
 */
#include "models/smmu/smmu_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- the pool ---------------------------------------------------------------------------- */

#define TRANSLATION_CHUNK 64

static void looked_up(void *arg);

static void pool_grow(struct smmu *smmu)
{
	struct smmu_translation *chunk = calloc(TRANSLATION_CHUNK, sizeof(*chunk));
	size_t n = smmu->translation_chunk_count + 1;

	smmu->translation_chunks =
		realloc(smmu->translation_chunks, n * sizeof(struct smmu_translation *));
	if (!chunk || !smmu->translation_chunks)
		abort();
	smmu->translation_chunks[n - 1] = chunk;
	smmu->translation_chunk_count = n;
	for (int i = TRANSLATION_CHUNK - 1; i >= 0; i--) {
		chunk[i].smmu = smmu;
		chunk[i].slot = SLOT_NONE;
		chunk[i].stag = STAG_NONE;
		sim_event_init(&chunk[i].event, looked_up, &chunk[i]);
		chunk[i].fetch = (struct sim_txn){
			.cmd = SIM_READ,
			.data = chunk[i].fetch_data,
			.privileged = true,
			.requester = smmu->config.requester,
			.owner = &chunk[i],
		};
		chunk[i].next = smmu->translation_free;
		smmu->translation_free = &chunk[i];
	}
}

/* ---- who is in flight -------------------------------------------------------------------- */

void smmu_translation_begin_use(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;

	t->in_flight = true;
	t->sequence = smmu->next_sequence++;
	t->younger = NULL;
	t->older = smmu->youngest;
	if (smmu->youngest)
		smmu->youngest->younger = t;
	else
		smmu->oldest = t;
	smmu->youngest = t;
}

void smmu_translation_end_use(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;
	bool was_oldest = smmu->oldest == t;

	if (!t->in_flight)
		return;
	t->in_flight = false;
	if (t->older)
		t->older->younger = t->younger;
	else
		smmu->oldest = t->younger;
	if (t->younger)
		t->younger->older = t->older;
	else
		smmu->youngest = t->older;
	if (was_oldest) {
		smmu_cmdq_drained(smmu);
		smmu_regs_update_ack(smmu);
	}
}

/* ---- ends -------------------------------------------------------------------------------- */

static void translation_finish(struct smmu_translation *t, enum sim_response response)
{
	struct smmu *smmu = t->smmu;
	struct sim_txn *upstream = t->upstream;

	smmu_wait_ends(t);
	smmu_walk_slot_release(t);
	smmu_stall_end(t, false);
	smmu_translation_end_use(t);
	smmu_port_slot_release(t);
	t->upstream = NULL;
	t->next = smmu->translation_free;
	smmu->translation_free = t;
	smmu->inside--;
	sim_txn_complete(upstream, response);
}

void smmu_translation_terminate(struct smmu_translation *t, bool abort)
{
	struct sim_txn *upstream = t->upstream;

	if (abort) {
		t->smmu->stats.aborted++;
		translation_finish(t, SIM_SLVERR);
		return;
	}
	t->smmu->stats.terminated_raz_wi++;
	if (upstream->cmd != SIM_WRITE)
		memset(upstream->data, 0, upstream->len);
	translation_finish(t, SIM_OK);
}

static void record_begin(struct smmu_translation *t, enum smmu_event_id id)
{
	const struct sim_txn *txn = t->upstream;
	uint64_t *record = t->event_record;

	memset(record, 0, sizeof(t->event_record));
	record[0] = FIELD_PREP(EVENT_0_ID, id) | FIELD_PREP(EVENT_0_SID, txn->stream_id);
	if (txn->ssv)
		record[0] |= EVENT_0_SSV | FIELD_PREP(EVENT_0_SSID, txn->substream_id);
}

static void record_access(struct smmu_translation *t, unsigned int class)
{
	uint64_t *record = t->event_record;

	record[1] |= FIELD_PREP(EVENT_1_CLASS, class) | (t->privileged ? EVENT_1_PNU : 0) |
		     (smmu_access(t) == VMSA_EXECUTE ? EVENT_1_IND : 0) |
		     (t->upstream->cmd == SIM_READ ? EVENT_1_RNW : 0);
	record[2] = t->upstream->addr;
}

void smmu_translation_config_fault(struct smmu_translation *t, enum smmu_event_id id,
				   uint64_t fetch_addr)
{
	record_begin(t, id);
	if (id == C_BAD_SUBSTREAMID)
		t->event_record[0] &=
			~EVENT_0_SSV; /* RES0 there: its SubstreamID is always valid */
	t->event_record[3] = fetch_addr & EVENT_3_FETCHADDR;
	smmu_evtq_push(t->smmu, t->event_record, NULL);
	smmu_translation_terminate(t, true);
}

void smmu_translation_walk_abort(struct smmu_translation *t, uint64_t fetch_addr)
{
	record_begin(t, F_WALK_EABT);
	record_access(t, CLASS_TTD);
	t->event_record[3] = fetch_addr & EVENT_3_FETCHADDR;
	smmu_evtq_push(t->smmu, t->event_record, NULL);
	smmu_translation_terminate(t, true);
}

void smmu_translation_fault(struct smmu_translation *t, enum smmu_event_id id)
{
	record_begin(t, id);
	record_access(t, CLASS_IN);
	if (t->cd.s) {
		smmu_stall_end(t, false); /* of the stall that this was the retry of */
		smmu_translation_end_use(t);
		smmu_wait(t, WAIT_PAGE_FAULT);
		smmu_stall(t);
		smmu_walk_slot_release(t); /* last: others may fault, too, and after it */
		return;
	}
	if (t->cd.r)
		smmu_evtq_push(t->smmu, t->event_record, NULL);
	smmu_translation_terminate(t, t->cd.a);
}

/* ---- what the tables say ----------------------------------------------------------------- */

static bool smmu_enabled(const struct smmu *smmu)
{
	return smmu->cr0 & smmu->cr0ack & CR0_SMMUEN;
}

enum stream_outcome {
	STREAM_TRANSLATE,
	STREAM_BYPASS,
	STREAM_ABORT, /* without an event */
	STREAM_BAD_SUBSTREAM,
	STREAM_DISABLED,
};

/* What the STE says of a transaction: Config, S1CDMax, S1DSS (§5.2). */
static enum stream_outcome stream_outcome(const struct smmu_ste *ste, const struct sim_txn *txn)
{
	if (ste->config < STE_CONFIG_BYPASS)
		return STREAM_ABORT;
	if (txn->ssv && (ste->config == STE_CONFIG_BYPASS || !ste->s1cdmax ||
			 (uint64_t)txn->substream_id >> ste->s1cdmax))
		return STREAM_BAD_SUBSTREAM;
	if (ste->config == STE_CONFIG_BYPASS)
		return STREAM_BYPASS;
	if (!ste->s1cdmax)
		return STREAM_TRANSLATE;
	/* with SSID0, CD 0 is for those without a SubstreamID */
	if (txn->ssv)
		return txn->substream_id || ste->s1dss != S1DSS_SSID0 ? STREAM_TRANSLATE
								      : STREAM_DISABLED;
	if (ste->s1dss == S1DSS_SSID0)
		return STREAM_TRANSLATE;
	return ste->s1dss == S1DSS_BYPASS ? STREAM_BYPASS : STREAM_DISABLED;
}

static uint32_t substream(const struct sim_txn *txn)
{
	return txn->ssv ? txn->substream_id : 0;
}

static inline void apply_overrides(struct smmu_translation *t, uint8_t privcfg, uint8_t instcfg)
{
	/* 2: unprivileged, data; 3: privileged, instruction; otherwise as it came */
	if (privcfg & 2)
		t->privileged = privcfg & 1;
	if (instcfg & 2)
		t->instruction = instcfg & 1;
}

/* t->va and t->privileged become what the TLB and permissions know. */
static inline void apply_regime(struct smmu_translation *t, enum smmu_world world, unsigned int tbi)
{
	bool upper = vmsa_va_upper(t->va);

	/* a tag byte is no part of the address */
	if (tbi >> upper & 1)
		t->va = upper ? t->va | BITS(63, 56) : t->va & BITS(55, 0);
	if (world == WORLD_EL2)
		t->privileged = true; /* one privilege level */
}

static unsigned int cd_tbi(const struct smmu_cd *cd)
{
	return cd->regime[0].tbi | (unsigned int)cd->regime[1].tbi << 1;
}

static bool permitted(const struct smmu_translation *t)
{
	bool atomic = t->upstream->cmd != SIM_READ && t->upstream->cmd != SIM_WRITE;

	return vmsa_permitted(t->permissions, smmu_access(t), t->privileged) &&
	       (!atomic || vmsa_permitted(t->permissions, VMSA_READ, t->privileged));
}

static void take_upstream(struct smmu_translation *t)
{
	t->va = t->pa = t->upstream->addr;
	t->privileged = t->upstream->privileged;
	t->instruction = t->upstream->instruction;
}

/* ---- the look-up on arrival -------------------------------------------------------------- */

enum look_up {
	LOOK_UP_PORT, /* the port knew enough; no translation */
	LOOK_UP_MISS,
	LOOK_UP_MICRO_HIT,
	LOOK_UP_HIT,
};

static struct smmu_context *context_place(const struct smmu *smmu, const struct sim_txn *txn)
{
	uint64_t hash =
		((uint64_t)txn->stream_id << 32 | substream(txn)) * UINT64_C(0x9e3779b97f4a7c15);

	return &smmu->contexts[hash >> (64 - SMMU_CONTEXTS_LOG2)];
}

/* NULL: nothing is to be translated with what is cached; *result says why. */
static const struct smmu_context *context_make(struct smmu_translation *t, enum look_up *result)
{
	const struct sim_txn *txn = t->upstream;
	struct smmu *smmu = t->smmu;
	struct smmu_context *context = context_place(smmu, txn);
	const struct smmu_ste *ste = smmu_ste_find(t);
	const struct smmu_cd *cd;

	*result = LOOK_UP_MISS;
	if (!ste)
		return NULL;
	if (stream_outcome(ste, txn) != STREAM_TRANSLATE) {
		*result = LOOK_UP_PORT;
		return NULL;
	}
	cd = smmu_cd_find(t, substream(txn));
	if (!cd)
		return NULL;
	*context = (struct smmu_context){
		.generation = smmu->config_generation,
		.sid = txn->stream_id,
		.ssid = txn->substream_id,
		.ssv = txn->ssv,
		.ste = (uint32_t)(ste - smmu->stes),
		.cd = (uint32_t)(cd - smmu->cds),
		.asid = cd->asid,
		.privcfg = ste->privcfg,
		.instcfg = ste->instcfg,
		.tbi = (uint8_t)cd_tbi(cd),
		.world = ste->world,
	};
	return context;
}

/* NULL if there is none yet. */
static inline const struct smmu_context *context_peek(const struct smmu *smmu,
						      const struct sim_txn *txn)
{
	const struct smmu_context *context = context_place(smmu, txn);

	if (context->generation != smmu->config_generation || context->sid != txn->stream_id ||
	    context->ssv != txn->ssv || (txn->ssv && context->ssid != txn->substream_id))
		return NULL;
	return context;
}

static inline const struct smmu_context *context_find(struct smmu_translation *t,
						      enum look_up *result)
{
	struct smmu *smmu = t->smmu;
	const struct smmu_context *context = context_peek(smmu, t->upstream);

	if (!context)
		return context_make(t, result);
	/* as if both had been looked up */
	assoc_touch(&smmu->ste_cache, context->ste);
	assoc_touch(&smmu->cd_cache, context->cd);
	smmu->stats.ste_hits++;
	smmu->stats.cd_hits++;
	t->counted |= COUNTED_STE | COUNTED_CD;
	return context;
}

/*
 * Without effect but on the statistics and on what is least recently used, if it is no hit; a hit
 * sets t->pa. What was found in the TLB is in the micro-TLB at once, not only when the answer is
 * there.
 */
static enum look_up look_up(struct smmu_translation *t)
{
	const struct smmu_context *context;
	enum look_up result;
	enum tlb_result found;

	if (!smmu_enabled(t->smmu) || t->upstream->ats != SIM_ATS_UNTRANSLATED)
		return LOOK_UP_PORT;
	context = context_find(t, &result);
	if (!context)
		return result;
	take_upstream(t);
	apply_overrides(t, context->privcfg, context->instcfg);
	apply_regime(t, context->world, context->tbi);
	found = smmu_tlb_find(t, context->world, context->asid);
	if (found == TLB_MISS || !permitted(t))
		return LOOK_UP_MISS;
	return found == TLB_HIT ? LOOK_UP_HIT : LOOK_UP_MICRO_HIT;
}

/* When the answer to a look-up that begins now is there. */
static sim_time look_up_ends(const struct smmu_translation *t, enum look_up result)
{
	const struct smmu_params *params = &t->smmu->params;
	sim_time tlb = SIM_PS(params->tlb_hit_ps);

	if (!params->micro_tlb_entries)
		return sim_now() + tlb;
	if (result == LOOK_UP_PORT || result == LOOK_UP_MICRO_HIT)
		tlb = 0;
	return smmu_port_look_up(t->port, params) + tlb;
}

/* ---- the stages -------------------------------------------------------------------------- */

/* Is there translation at all? SMMUEN, GBPA (§3.11), and ATS, which this SMMU does not have. */
static bool stage_global(struct smmu_translation *t)
{
	const struct smmu *smmu = t->smmu;
	bool enabled = smmu_enabled(smmu);

	take_upstream(t);
	if (t->upstream->ats != SIM_ATS_UNTRANSLATED) {
		record_begin(t, t->upstream->ats == SIM_ATS_TRANSLATED ? F_TRANSL_FORBIDDEN
								       : F_BAD_ATS_TREQ);
		record_access(t, 0);
		t->event_record[1] &= EVENT_1_RNW;
		if (enabled)
			smmu_evtq_push(t->smmu, t->event_record, NULL);
		smmu_translation_terminate(t, true);
		return false;
	}
	if (enabled) {
		t->stage = STAGE_STE;
		return true;
	}
	if (smmu->gbpa & GBPA_ABORT || !smmu_address_ok(smmu, t->pa)) {
		smmu_translation_terminate(t, true);
		return false;
	}
	t->smmu->stats.bypassed++;
	t->stage = STAGE_FORWARD;
	return true;
}

/* Takes STE and CD at once, if the look-up on arrival had found both and they are still there. */
static bool context_take(struct smmu_translation *t)
{
	const struct smmu *smmu = t->smmu;
	const struct smmu_context *context;

	if (!(t->counted & COUNTED_CD))
		return false;
	context = context_peek(smmu, t->upstream);
	if (!context)
		return false;
	t->ste = smmu->stes[context->ste];
	t->cd = smmu->cds[context->cd];
	t->ssid = substream(t->upstream);
	apply_overrides(t, context->privcfg, context->instcfg);
	t->stage = STAGE_TLB;
	return true;
}

static bool stage_ste(struct smmu_translation *t)
{
	const struct smmu_ste *ste;

	if (context_take(t))
		return true;
	ste = smmu_ste_find(t);
	if (ste) {
		t->ste = *ste;
		t->stage = STAGE_SUBSTREAM;
		return true;
	}
	if (!smmu_walk_slot_take(t))
		return false;
	t->stage = STAGE_SUBSTREAM;
	smmu_ste_fetch(t);
	return false;
}

/* Stage 1 does not translate: the address must be one that the SMMU can put out (§3.4). */
static bool bypass_stage1(struct smmu_translation *t)
{
	if (!smmu_address_ok(t->smmu, t->pa)) {
		record_begin(t, F_ADDR_SIZE);
		record_access(t, CLASS_IN);
		smmu_evtq_push(t->smmu, t->event_record, NULL);
		smmu_translation_terminate(t, true);
		return false;
	}
	t->smmu->stats.bypassed++;
	t->stage = STAGE_FORWARD;
	return true;
}

static bool stage_substream(struct smmu_translation *t)
{
	enum stream_outcome outcome = stream_outcome(&t->ste, t->upstream);

	if (outcome == STREAM_ABORT) {
		smmu_translation_terminate(t, true);
		return false;
	}
	apply_overrides(t, t->ste.privcfg, t->ste.instcfg);
	switch (outcome) {
	case STREAM_BYPASS:
		return bypass_stage1(t);
	case STREAM_BAD_SUBSTREAM:
		smmu_translation_config_fault(t, C_BAD_SUBSTREAMID, 0);
		return false;
	case STREAM_DISABLED:
		smmu_translation_config_fault(t, F_STREAM_DISABLED, 0);
		return false;
	default:
		t->ssid = substream(t->upstream);
		t->stage = STAGE_CD;
		return true;
	}
}

static bool stage_cd(struct smmu_translation *t)
{
	const struct smmu_cd *cd = smmu_cd_find(t, t->ssid);

	if (cd) {
		t->cd = *cd;
		t->stage = STAGE_TLB;
		return true;
	}
	if (!smmu_walk_slot_take(t))
		return false;
	t->stage = STAGE_TLB;
	smmu_cd_fetch(t);
	return false;
}

static bool stage_tlb(struct smmu_translation *t)
{
	apply_regime(t, t->ste.world, cd_tbi(&t->cd));
	t->stage = smmu_tlb_find_again(t) ? STAGE_PERMISSION : STAGE_WALK;
	return true;
}

static bool stage_walk(struct smmu_translation *t)
{
	if (smmu_walk_share(t) || !smmu_walk_slot_take(t))
		return false;
	t->stage = STAGE_PERMISSION;
	smmu_walk(t);
	return false;
}

static bool stage_permission(struct smmu_translation *t)
{
	if (!permitted(t)) {
		/*
		 * Software that only adds permissions need not invalidate: do not fault on
		 * this twice.
		 */
		smmu_tlb_drop(t);
		smmu_translation_fault(t, F_PERMISSION);
		return false;
	}
	t->stage = STAGE_FORWARD;
	return true;
}

static void forward_done(struct sim_txn *txn)
{
	translation_finish(txn->owner, txn->response);
}

static bool stage_forward(struct smmu_translation *t)
{
	t->out = *t->upstream;
	t->out.addr = t->pa;
	t->out.done = forward_done;
	t->out.owner = t;
	t->out.hop = NULL;
	smmu_wait_ends(t); /* what is behind the port adds its own */
	smmu_walk_slot_release(t);
	smmu_stall_end(t, true);
	smmu_port_slot_release(t);
	sim_port_request(&t->smmu->config.downstream, &t->out);
	return false;
}

void smmu_translation_continue(struct smmu_translation *t)
{
	static bool (*const stages[])(struct smmu_translation * t) = {
		[STAGE_GLOBAL] = stage_global,
		[STAGE_STE] = stage_ste,
		[STAGE_SUBSTREAM] = stage_substream,
		[STAGE_CD] = stage_cd,
		[STAGE_TLB] = stage_tlb,
		[STAGE_WALK] = stage_walk,
		[STAGE_PERMISSION] = stage_permission,
		[STAGE_FORWARD] = stage_forward,
	};

	while (stages[t->stage](t))
		;
}

/* ---- beginnings -------------------------------------------------------------------------- */

static void looked_up(void *arg)
{
	struct smmu_translation *t = arg;

	if (t->stage == STAGE_FORWARD) { /* it was a hit */
		stage_forward(t);
		return;
	}
	smmu_translation_begin_use(t);
	smmu_translation_continue(t);
}

static inline void look_up_begin(struct smmu_translation *t)
{
	enum look_up result;

	smmu_wait(t, WAIT_TRANSLATION);
	t->counted = 0;
	result = look_up(t);
	if (result == LOOK_UP_HIT || result == LOOK_UP_MICRO_HIT) {
		smmu_translation_begin_use(t);
		t->stage = STAGE_FORWARD;
	} else {
		t->stage = STAGE_GLOBAL;
	}
	sim_event_at(&t->event, look_up_ends(t, result));
}

void smmu_translation_restart(struct smmu_translation *t)
{
	look_up_begin(t);
}

void smmu_request(void *target, struct sim_txn *txn)
{
	struct smmu *smmu = target;
	struct smmu_translation *t;

	if (!smmu->translation_free)
		pool_grow(smmu);
	t = smmu->translation_free;
	smmu->translation_free = t->next;
	t->next = NULL;
	t->upstream = txn;
	t->port = smmu_port_of(smmu, txn->stream_id);
	t->waits_for = WAIT_TRANSLATION;
	t->since = sim_now();
	t->retried = t->recorded = false;
	smmu->inside++;
	smmu->stats.translations++;
	if (smmu_port_slot_take(t))
		look_up_begin(t);
}

void smmu_translation_init(struct smmu *smmu)
{
	smmu->next_sequence = 1;
	smmu->config_generation = 1;
	smmu->contexts = calloc(1u << SMMU_CONTEXTS_LOG2, sizeof(*smmu->contexts));
	if (!smmu->contexts)
		abort();
	pool_grow(smmu);
}

void smmu_translation_destroy(struct smmu *smmu)
{
	for (size_t c = 0; c < smmu->translation_chunk_count; c++) {
		for (int i = 0; i < TRANSLATION_CHUNK; i++)
			sim_event_cancel(&smmu->translation_chunks[c][i].event);
		free(smmu->translation_chunks[c]);
	}
	free(smmu->translation_chunks);
	free(smmu->contexts);
}
