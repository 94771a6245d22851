/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walk slots and stage 1 walks (SMMUv3 IHI 0070 §3.4; the table format is models/vmsa's).
 *
 * A translation that must fetch configuration or walk occupies one of walk_slots until it is
 * translated or faults; others wait in order of arrival and look everything up again when it is
 * their turn, since what they need may have been brought in meanwhile. Reads are timed, one at a
 * time per slot. No walk caches.
 */
#include "models/smmu/smmu_internal.h"

#include <stdlib.h>

static void slot_occupy(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;
	uint32_t i = 0;
	struct trace_arg args[2];
	struct trace_extra extra = {.args = args, .arg_count = 2};

	while (smmu->slots[i].user)
		i++;
	smmu->slots[i].user = t;
	smmu->slots_free--;
	t->slot = i;
	t->stale_ste = t->stale_cd = false;
	t->stale_own = t->stale_global = (struct va_span){1, 0};
	args[0] = (struct trace_arg){
		.key = smmu->names.va, .type = TRACE_ARG_POINTER, .u = t->upstream->addr};
	args[1] = (struct trace_arg){
		.key = smmu->names.ssid,
		.type = TRACE_ARG_U64,
		.u = t->upstream->ssv ? t->upstream->substream_id : 0,
	};
	trace_begin(smmu->slots[i].lane, TRACE_WALK, smmu->names.walk, sim_now(), &extra);
}

bool smmu_walk_slot_take(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;

	if (t->slot != SLOT_NONE)
		return true;
	if (smmu->slots_free && !smmu->slot_waiters.head) {
		slot_occupy(t);
		return true;
	}
	/* it starts over later, so it holds on to nothing that it looked up */
	smmu_translation_end_use(t);
	t->stage = STAGE_GLOBAL;
	smmu->stats.slot_waits++;
	translation_fifo_push(&smmu->slot_waiters, t);
	return false;
}

void smmu_walk_slot_release(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;

	if (t->slot == SLOT_NONE)
		return;
	trace_end(smmu->slots[t->slot].lane, sim_now(), NULL);
	smmu->slots[t->slot].user = NULL;
	smmu->slots_free++;
	t->slot = SLOT_NONE;
	if (smmu->slots_dispatching)
		return; /* a loop below us on the stack takes it */
	smmu->slots_dispatching = true;
	while (smmu->slots_free && smmu->slot_waiters.head) {
		struct smmu_translation *next = translation_fifo_pop(&smmu->slot_waiters);

		slot_occupy(next);
		smmu_translation_begin_use(next);
		smmu_translation_continue(next);
	}
	smmu->slots_dispatching = false;
}

void smmu_fetch(struct smmu_translation *t, uint64_t addr, uint32_t len,
		void (*done)(struct sim_txn *txn))
{
	t->fetch = (struct sim_txn){
		.addr = addr,
		.len = len,
		.cmd = SIM_READ,
		.data = t->fetch_data,
		.privileged = true,
		.requester = t->smmu->config.requester,
		.done = done,
		.owner = t,
	};
	sim_port_request(&t->smmu->config.walk_port, &t->fetch);
}

static enum smmu_event_id fault_event(enum vmsa_fault fault)
{
	switch (fault) {
	case VMSA_FAULT_ADDRESS_SIZE:
		return F_ADDR_SIZE;
	case VMSA_FAULT_ACCESS_FLAG:
		return F_ACCESS;
	case VMSA_FAULT_PERMISSION:
		return F_PERMISSION;
	default:
		return F_TRANSLATION;
	}
}

static const struct vmsa_regime *walk_regime(const struct smmu_translation *t)
{
	return &t->cd.regime[vmsa_va_upper(t->va)];
}

static void walk_ended(struct smmu_translation *t)
{
	histogram_record(&t->smmu->stats.walk_time, sim_now() - t->walk_began);
}

static void descriptor_fetched(struct sim_txn *txn);

static void walk_read(struct smmu_translation *t)
{
	t->smmu->stats.walk_reads++;
	smmu_fetch(t, vmsa_walk_descriptor(walk_regime(t), &t->walk), 8, descriptor_fetched);
}

static void descriptor_fetched(struct sim_txn *txn)
{
	struct smmu_translation *t = txn->owner;
	struct vmsa_leaf leaf;
	enum vmsa_fault fault;

	if (txn->response != SIM_OK) {
		walk_ended(t);
		smmu_translation_walk_abort(t, txn->addr);
		return;
	}
	switch (vmsa_walk_next(walk_regime(t), &t->walk, t->fetch_data[0], &leaf, &fault)) {
	case VMSA_STEP_TABLE:
		walk_read(t);
		break;
	case VMSA_STEP_LEAF:
		walk_ended(t);
		smmu_tlb_fill(t, &leaf);
		t->pa = vmsa_leaf_pa(&leaf, t->va);
		t->permissions = leaf.permissions;
		smmu_translation_continue(t);
		break;
	case VMSA_STEP_FAULT:
		walk_ended(t);
		smmu_translation_fault(t, fault_event(fault));
		break;
	}
}

void smmu_walk(struct smmu_translation *t)
{
	enum vmsa_fault fault = vmsa_walk_start(walk_regime(t), t->va, &t->walk);

	if (fault != VMSA_FAULT_NONE) {
		smmu_translation_fault(t, fault_event(fault));
		return;
	}
	t->smmu->stats.walks++;
	t->walk_began = sim_now();
	walk_read(t);
}

void smmu_walk_init(struct smmu *smmu)
{
	uint32_t n = smmu->params.walk_slots;

	smmu->slots = calloc(n, sizeof(*smmu->slots));
	if (!smmu->slots)
		abort();
	for (uint32_t i = 0; i < n; i++)
		smmu->slots[i].lane = trace_lane_add(smmu->config.track, "walkers", 3);
	smmu->slots_free = n;
	translation_fifo_init(&smmu->slot_waiters);
	smmu->names.walk = trace_intern("walk");
	smmu->names.va = trace_intern("va");
	smmu->names.ssid = trace_intern("ssid");
}

void smmu_walk_destroy(struct smmu *smmu)
{
	free(smmu->slots);
}
