/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walk slots, walk caches and stage 1 walks (SMMUv3 IHI 0070 §3.4; the table format is
 * models/vmsa's).
 *
 * A translation that must fetch configuration or walk occupies one of walk_slots until it is
 * translated or faults; others wait in order of arrival and look everything up again when it is
 * their turn, since what they need may have been brought in meanwhile. Reads are timed, one at a
 * time per slot.
 *
 * With merge_misses, a miss on a page that is being walked for takes no slot: it waits for that
 * walk and shares its outcome. A fault is reported for each of them, since each transaction that
 * stalls needs a STAG of its own. A walk that an invalidation overtakes is not joined any more.
 *
 * The walk cache of level n keeps the table descriptors of that level, so that a walk begins below
 * the deepest one that is cached. They are looked up with the TLB, in its time.
 */
#include "models/smmu/smmu_internal.h"

#include <stdlib.h>

#define LANES_MAX 1024u /* slots beyond it do not show in the trace */

/* ---- slots ------------------------------------------------------------------------------- */

static trace_track slot_lane(const struct smmu *smmu, uint32_t slot)
{
	return slot < smmu->lane_count ? smmu->lanes[slot] : 0;
}

static void slot_trace(const struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;
	const struct trace_arg args[2] = {
		{.key = smmu->names.va, .type = TRACE_ARG_POINTER, .u = t->upstream->addr},
		{.key = smmu->names.ssid,
		 .type = TRACE_ARG_U64,
		 .u = t->upstream->ssv ? t->upstream->substream_id : 0},
	};
	const struct trace_extra extra = {.args = args, .arg_count = 2};

	trace_begin(slot_lane(smmu, t->slot), TRACE_WALK, smmu->names.walk, sim_now(), &extra);
}

static void slot_occupy(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;

	t->slot = smmu->free_slots[--smmu->slots_free];
	t->walker_prev = NULL;
	t->walker_next = smmu->walkers_first;
	if (t->walker_next)
		t->walker_next->walker_prev = t;
	smmu->walkers_first = t;
	t->stale_ste = t->stale_cd = false;
	t->stale_own = t->stale_global = (struct va_span){1, 0};
	if (trace_enabled)
		slot_trace(t);
}

bool smmu_walk_slot_take(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;

	if (t->slot != SLOT_NONE)
		return true;
	if (smmu->slots_free && !smmu->slot_waiters.head) {
		resource_serve(&smmu->walkers, sim_now());
		slot_occupy(t);
		return true;
	}
	/* it starts over later, so it holds on to nothing that it looked up */
	smmu_translation_end_use(t);
	t->stage = STAGE_GLOBAL;
	smmu->stats.slot_waits++;
	smmu_wait(t, WAIT_WALK_SLOT);
	resource_wait(&smmu->walkers, sim_now());
	translation_fifo_push(&smmu->slot_waiters, t);
	return false;
}

static void slot_vacate(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;

	trace_end(slot_lane(smmu, t->slot), sim_now(), NULL);
	if (t->walker_prev)
		t->walker_prev->walker_next = t->walker_next;
	else
		smmu->walkers_first = t->walker_next;
	if (t->walker_next)
		t->walker_next->walker_prev = t->walker_prev;
	smmu->free_slots[smmu->slots_free++] = t->slot;
	t->slot = SLOT_NONE;
	resource_release(&smmu->walkers, sim_now());
}

void smmu_walk_slot_pass_on(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;

	slot_vacate(t);
	if (smmu->slots_dispatching)
		return; /* a loop below us on the stack takes it */
	smmu->slots_dispatching = true;
	while (smmu->slots_free && smmu->slot_waiters.head) {
		struct smmu_translation *next = translation_fifo_pop(&smmu->slot_waiters);

		smmu_wait(next, WAIT_TRANSLATION);
		resource_serve_waiter(&smmu->walkers, sim_now());
		slot_occupy(next);
		smmu_translation_begin_use(next);
		smmu_translation_continue(next);
	}
	smmu->slots_dispatching = false;
}

/* ---- shared walks ------------------------------------------------------------------------ */

static struct smmu_translation **share_bucket(const struct smmu *smmu, uint64_t page, uint16_t asid)
{
	uint64_t hash = (page + ((uint64_t)asid << 40)) * UINT64_C(0x9e3779b97f4a7c15);

	return &smmu->shareable[(uint32_t)(hash >> 32) & smmu->shareable_mask];
}

static struct smmu_translation **bucket_of(const struct smmu_translation *t)
{
	return share_bucket(t->smmu, t->va >> 12, t->cd.asid);
}

bool smmu_walk_share(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;
	struct smmu_translation *walk;

	if (!smmu->shareable)
		return false;
	walk = *bucket_of(t);
	while (walk && (walk->va >> 12 != t->va >> 12 || walk->cd.asid != t->cd.asid ||
			walk->ste.world != t->ste.world))
		walk = walk->share_next;
	if (!walk)
		return false;
	smmu->stats.walks_merged++;
	smmu_wait(t, WAIT_WALK);
	t->stage = STAGE_PERMISSION;
	translation_fifo_push(&walk->sharers, t);
	smmu_walk_slot_release(t); /* one that came to it while it waited for a slot */
	return true;
}

static void walk_share_begin(struct smmu_translation *t)
{
	struct smmu_translation **bucket;

	translation_fifo_init(&t->sharers);
	/* configuration that was invalidated while it was fetched must not serve others */
	if (!t->smmu->shareable || t->stale_cd || t->stale_ste)
		return;
	bucket = bucket_of(t);
	t->shareable = true;
	t->share_next = *bucket;
	*bucket = t;
}

void smmu_walk_unshare(struct smmu_translation *t)
{
	struct smmu_translation **link;

	if (!t->shareable)
		return;
	t->shareable = false;
	for (link = bucket_of(t); *link != t; link = &(*link)->share_next)
		;
	*link = t->share_next;
}

/* ---- reads ------------------------------------------------------------------------------- */

void smmu_fetch(struct smmu_translation *t, uint64_t addr, uint32_t len,
		void (*done)(struct sim_txn *txn))
{
	t->fetch.addr = addr;
	t->fetch.len = len;
	t->fetch.done = done;
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

static struct translation_fifo walk_ended(struct smmu_translation *t)
{
	struct translation_fifo sharers = t->sharers;

	histogram_record(&t->smmu->stats.walk_time, sim_now() - t->walk_began);
	smmu_walk_unshare(t);
	translation_fifo_init(&t->sharers);
	return sharers;
}

static void walk_found(struct smmu_translation *t, const struct vmsa_leaf *leaf)
{
	struct translation_fifo sharers = walk_ended(t);
	struct va_entry entry;
	uint64_t group;
	bool keep = smmu_tlb_fill(t, leaf, &group, &entry);

	t->pa = vmsa_leaf_pa(leaf, t->va);
	t->permissions = leaf->permissions;
	smmu_translation_continue(t);
	while (sharers.head) {
		t = translation_fifo_pop(&sharers);
		if (keep)
			va_cache_insert(&t->port->micro_tlb, group, t->va, &entry);
		t->pa = vmsa_leaf_pa(leaf, t->va);
		t->permissions = leaf->permissions;
		smmu_translation_continue(t);
	}
}

static void walk_faulted(struct smmu_translation *t, enum vmsa_fault fault)
{
	struct translation_fifo sharers = walk_ended(t);

	smmu_translation_fault(t, fault_event(fault));
	while (sharers.head)
		smmu_translation_fault(translation_fifo_pop(&sharers), fault_event(fault));
}

static void walk_aborted(struct smmu_translation *t, uint64_t fetch_addr)
{
	struct translation_fifo sharers = walk_ended(t);

	smmu_translation_walk_abort(t, fetch_addr);
	while (sharers.head)
		smmu_translation_walk_abort(translation_fifo_pop(&sharers), fetch_addr);
}

/* ---- walk caches ------------------------------------------------------------------------- */

/* `walk` has gone past a table descriptor. */
static void walk_cache_fill(struct smmu_translation *t)
{
	int level = t->walk.level - 1;
	struct va_cache *cache;
	struct va_entry entry;

	if (level < 0 || level >= WALK_CACHE_LEVELS || !t->smmu->walk_caches[level].entries)
		return;
	cache = &t->smmu->walk_caches[level];
	entry = (struct va_entry){
		.address = t->walk.table,
		.size_bits = (uint8_t)vmsa_level_bits(walk_regime(t), level),
		.attributes = t->walk.hierarchy,
	};
	if (!smmu_walk_stale(t, entry.size_bits, false))
		va_cache_insert(cache, va_group(t->ste.world, false, t->cd.asid), t->va, &entry);
}

/* Goes past every table whose descriptor is cached. */
static void walk_cache_find(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;

	for (int level = WALK_CACHE_LEVELS - 1; level >= t->walk.level; level--) {
		struct va_cache *cache = &smmu->walk_caches[level];
		uint32_t i;

		if (!cache->entries)
			continue;
		i = va_cache_find(cache, t->ste.world, t->cd.asid, t->va);
		if (i == ASSOC_NONE) {
			smmu->stats.walk_cache_misses[level]++;
			continue;
		}
		smmu->stats.walk_cache_hits[level]++;
		t->walk.table = cache->entries[i].address;
		t->walk.hierarchy = cache->entries[i].attributes;
		t->walk.level = (int8_t)(level + 1);
		return;
	}
}

/* ---- walks ------------------------------------------------------------------------------- */

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
		walk_aborted(t, txn->addr);
		return;
	}
	switch (vmsa_walk_next(walk_regime(t), &t->walk, t->fetch_data[0], &leaf, &fault)) {
	case VMSA_STEP_TABLE:
		walk_cache_fill(t);
		walk_read(t);
		break;
	case VMSA_STEP_LEAF:
		walk_found(t, &leaf);
		break;
	case VMSA_STEP_FAULT:
		walk_faulted(t, fault);
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
	smmu_wait(t, WAIT_WALK);
	walk_share_begin(t);
	walk_cache_find(t);
	walk_read(t);
}

/* ---- life -------------------------------------------------------------------------------- */

static void *array(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

void smmu_walk_init(struct smmu *smmu)
{
	const struct smmu_params *params = &smmu->params;
	const uint32_t cached[WALK_CACHE_LEVELS] = {params->walk_cache_l0_entries,
						    params->walk_cache_l1_entries,
						    params->walk_cache_l2_entries};
	uint32_t n = params->walk_slots, buckets = 1;

	smmu->free_slots = array(n, sizeof(*smmu->free_slots));
	for (uint32_t i = 0; i < n; i++)
		smmu->free_slots[i] = n - 1 - i;
	smmu->slots_free = n;
	resource_init(&smmu->walkers, n);
	smmu->lane_count = n < LANES_MAX ? n : LANES_MAX;
	smmu->lanes = array(smmu->lane_count, sizeof(*smmu->lanes));
	for (uint32_t i = 0; i < smmu->lane_count; i++)
		smmu->lanes[i] = trace_lane_add(smmu->config.track, "walkers", 3);
	translation_fifo_init(&smmu->slot_waiters);
	if (params->merge_misses) {
		while (buckets < n)
			buckets *= 2;
		smmu->shareable = array(buckets, sizeof(struct smmu_translation *));
		smmu->shareable_mask = buckets - 1;
	}
	for (int level = 0; level < WALK_CACHE_LEVELS; level++)
		va_cache_init(&smmu->walk_caches[level], cached[level]);
	smmu->names.walk = trace_intern("walk");
	smmu->names.va = trace_intern("va");
	smmu->names.ssid = trace_intern("ssid");
}

void smmu_walk_destroy(struct smmu *smmu)
{
	for (int level = 0; level < WALK_CACHE_LEVELS; level++)
		va_cache_destroy(&smmu->walk_caches[level]);
	free(smmu->shareable);
	free(smmu->free_slots);
	free(smmu->lanes);
}
