/* SPDX-License-Identifier: BSD-3-Clause */
/* A core's MMU: look-up, walks, answers. See mmu.h. */
#include "models/mmu/mmu.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/mmu/internal.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define WALK_SLOTS_MAX 64
#define T0SZ	       16			 /* 48-bit addresses, as Linux configures them */
#define VA_MASK	       ((UINT64_C(1) << 56) - 1) /* what a TLBI operand holds of an address */
#define N1_TRM	       "Arm Neoverse N1 TRM 100616: L2 TLB"

const struct param_desc mmu_param_descs[] = {
	PARAM_U32_(mmu_params, tlb_entries, 1280, 1, 65536, "entries of a core's TLB", N1_TRM),
	PARAM_U32_(mmu_params, tlb_ways, 5, 1, 64, "largest number of entries of one set", N1_TRM),
	PARAM_U32_(mmu_params, tlb_hit_ps, 400, 0, 1000000, "looking up the TLB",
		   "assumed: 1 cycle at 2.5 GHz"),
	PARAM_U32_(mmu_params, walk_slots, 4, 1, WALK_SLOTS_MAX, "walks of a core at once",
		   "assumed"),
	PARAM_U32_(mmu_params, tlbi_ns, 100, 0, 1000000,
		   "broadcast TLB maintenance and its DSB, on the CPU that issues it", "assumed"),
	PARAM_U32_(mmu_params, tlbi_page_ps, 400, 0, 1000000,
		   "each page of TLB maintenance by address", "assumed: 1 cycle at 2.5 GHz"),
};
const size_t mmu_param_count = ARRAY_SIZE(mmu_param_descs);

/* struct mmu_request.state */
enum {
	REQUEST_STARTING, /* mmu_translate() has not returned */
	REQUEST_WAITING,  /* it has, or will, return MMU_PENDING */
	REQUEST_ANSWERED,
};

/* A walk slot. */
struct walk {
	struct mmu *mmu;
	struct mmu_request *request; /* NULL: the slot is free */
	struct vmsa_regime regime;
	struct vmsa_walk state;
	struct sim_txn txn;
	uint64_t descriptor; /* where the read puts it */
	sim_time started;
	unsigned int reads;
	bool overtaken; /* TLB maintenance came meanwhile: begin again */
	trace_track lane;
	struct walk *next_free;
};

struct mmu {
	struct mmu_params params;
	struct mmu_domain *domain;
	struct sim_port walk_port;
	struct vmsa_regime regime; /* ttb 0: disabled */
	uint16_t asid;

	struct tlb *tlb;

	struct walk *walks; /* params.walk_slots */
	struct walk *walks_free;
	unsigned int walks_busy;
	struct mmu_request *waiting_first, *waiting_last; /* for a walk slot */

	struct mmu_counters counters;
	trace_name name_walk, name_va, name_asid, name_reads, name_fault;
};

/* Both the core's and the domain's figures. */
#define COUNT(mmu, field)                                                                          \
	do {                                                                                       \
		(mmu)->counters.field++;                                                           \
		(mmu)->domain->total.field++;                                                      \
	} while (0)

/* ---- answers ----------------------------------------------------------------------------- */

static void answer_fault(struct mmu *mmu, struct mmu_request *request, enum vmsa_fault fault,
			 int level)
{
	request->fault = (enum mmu_fault)fault;
	request->level = (int8_t)level;
	COUNT(mmu, faults[fault]);
}

/* From a TLB entry, or what would become one. */
static void answer_entry(struct mmu *mmu, struct mmu_request *request,
			 const struct tlb_entry *entry)
{
	uint64_t bytes = UINT64_C(1) << entry->size_bits;

	if (!vmsa_permitted(entry->permissions, (enum vmsa_access)request->access,
			    !request->user)) {
		answer_fault(mmu, request, VMSA_FAULT_PERMISSION, entry->level);
		return;
	}
	request->fault = MMU_FAULT_NONE;
	request->level = entry->level;
	request->pa = entry->pa | (request->va & (bytes - 1));
	request->page_bytes = bytes;
}

static enum mmu_result result_of(const struct mmu_request *request)
{
	return request->fault == MMU_FAULT_NONE ? MMU_HIT : MMU_FAULT;
}

/* ---- walks ------------------------------------------------------------------------------- */

static void walk_begin(struct walk *walk);

static void trace_walk_begin(const struct walk *walk)
{
	const struct mmu *mmu = walk->mmu;
	const struct trace_arg args[] = {
		{.key = mmu->name_va, .type = TRACE_ARG_POINTER, .u = walk->request->va},
		{.key = mmu->name_asid, .type = TRACE_ARG_U64, .u = walk->request->asid},
	};
	const struct trace_extra extra = {.args = args, .arg_count = ARRAY_SIZE(args)};

	trace_begin(walk->lane, TRACE_WALK, mmu->name_walk, walk->started, &extra);
}

static void trace_walk_end(const struct walk *walk)
{
	const struct mmu *mmu = walk->mmu;
	const struct trace_arg args[] = {
		{.key = mmu->name_reads, .type = TRACE_ARG_U64, .u = walk->reads},
		{.key = mmu->name_fault,
		 .type = TRACE_ARG_STRING,
		 .s = vmsa_fault_names[walk->request->fault]},
	};
	const struct trace_extra extra = {.args = args, .arg_count = ARRAY_SIZE(args)};

	trace_end(walk->lane, sim_now(), &extra);
}

static void walk_take_slot(struct mmu *mmu, struct mmu_request *request)
{
	struct walk *walk = mmu->walks_free;
	sim_time waited = sim_now() - request->arrived;

	mmu->walks_free = walk->next_free;
	mmu->walks_busy++;
	mmu->counters.slot_wait_ps += waited;
	mmu->domain->total.slot_wait_ps += waited;
	COUNT(mmu, walks);
	walk->request = request;
	walk->regime = mmu->regime;
	walk->regime.ttb = request->ttb;
	walk->regime.epd = false; /* TTBR0 may have changed while the request waited */
	walk->started = sim_now();
	walk->reads = 0;
	if (TRACE_ON_)
		trace_walk_begin(walk);
	walk_begin(walk);
}

static struct mmu_request *waiting_pop(struct mmu *mmu)
{
	struct mmu_request *request = mmu->waiting_first;

	if (request) {
		mmu->waiting_first = request->next;
		if (!mmu->waiting_first)
			mmu->waiting_last = NULL;
	}
	return request;
}

static void waiting_push(struct mmu *mmu, struct mmu_request *request)
{
	request->next = NULL;
	if (mmu->waiting_last)
		mmu->waiting_last->next = request;
	else
		mmu->waiting_first = request;
	mmu->waiting_last = request;
}

/* The request has its answer: the slot goes to who waits for one, then the caller hears of it. */
static void walk_end(struct walk *walk)
{
	struct mmu *mmu = walk->mmu;
	struct mmu_request *request = walk->request;

	if (TRACE_ON_)
		trace_walk_end(walk);
	histogram_record(&mmu->counters.walk_time, sim_now() - walk->started);
	histogram_record(&mmu->domain->total.walk_time, sim_now() - walk->started);
	walk->request = NULL;
	walk->next_free = mmu->walks_free;
	mmu->walks_free = walk;
	mmu->walks_busy--;

	request->sequence = tlb_maintenance(mmu->tlb);
	bool pending = request->state == REQUEST_WAITING;

	request->state = REQUEST_ANSWERED;
	struct mmu_request *next = waiting_pop(mmu);

	if (next)
		walk_take_slot(mmu, next);
	if (pending)
		request->done(request);
}

static void walk_fault(struct walk *walk, enum vmsa_fault fault)
{
	answer_fault(walk->mmu, walk->request, fault, walk->state.level);
	walk_end(walk);
}

static void walk_leaf(struct walk *walk, const struct vmsa_leaf *leaf)
{
	const struct tlb_entry entry = {
		.pa = leaf->pa,
		.page = walk->request->va >> leaf->size_bits,
		.asid = walk->request->asid,
		.global = !leaf->ng,
		.size_bits = leaf->size_bits,
		.permissions = leaf->permissions,
		.level = leaf->level,
	};

	tlb_install(walk->mmu->tlb, &entry);
	answer_entry(walk->mmu, walk->request, &entry);
	walk_end(walk);
}

static void walk_read(struct walk *walk)
{
	walk->txn.addr = vmsa_walk_descriptor(&walk->regime, &walk->state);
	walk->reads++;
	COUNT(walk->mmu, walk_reads);
	sim_port_request(&walk->mmu->walk_port, &walk->txn);
}

static void walk_read_done(struct sim_txn *txn)
{
	struct walk *walk = txn->owner;
	struct vmsa_leaf leaf;
	enum vmsa_fault fault;

	if (walk->overtaken) {
		COUNT(walk->mmu, walk_restarts);
		walk_begin(walk);
		return;
	}
	if (txn->response != SIM_OK) {
		walk_fault(walk, VMSA_FAULT_EXTERNAL);
		return;
	}
	/* descriptors are little endian, as the host is */
	switch (vmsa_walk_next(&walk->regime, &walk->state, walk->descriptor, &leaf, &fault)) {
	case VMSA_STEP_TABLE:
		walk_read(walk);
		break;
	case VMSA_STEP_LEAF:
		walk_leaf(walk, &leaf);
		break;
	case VMSA_STEP_FAULT:
		walk_fault(walk, fault);
		break;
	}
}

static void walk_begin(struct walk *walk)
{
	enum vmsa_fault fault = vmsa_walk_start(&walk->regime, walk->request->va, &walk->state);

	walk->overtaken = false;
	if (fault != VMSA_FAULT_NONE)
		walk_fault(walk, fault);
	else
		walk_read(walk);
}

/* ---- translating ------------------------------------------------------------------------- */

/* True if the address faults without a look-up: walks are off, or it is not of the lower half. */
static bool outside(const struct mmu *mmu, uint64_t va)
{
	return mmu->regime.epd || va >> (64 - T0SZ);
}

bool mmu_translate_hit(struct mmu *mmu, uint64_t va, enum mmu_access access, uint64_t *pa,
		       sim_time *cost)
{
	const struct tlb_entry *entry;

	if (outside(mmu, va))
		return false;
	entry = tlb_recent(mmu->tlb, mmu->asid, va);
	if (!entry || !vmsa_permitted(entry->permissions, (enum vmsa_access)access, false))
		return false;
	COUNT(mmu, hits);
	*pa = entry->pa | (va & ((UINT64_C(1) << entry->size_bits) - 1));
	*cost = mmu->params.tlb_hit_ps;
	return true;
}

enum mmu_result mmu_translate(struct mmu *mmu, struct mmu_request *request)
{
	request->cost = mmu->params.tlb_hit_ps;
	request->sequence = tlb_maintenance(mmu->tlb);
	if (outside(mmu, request->va)) {
		answer_fault(mmu, request, VMSA_FAULT_TRANSLATION, 0);
		return MMU_FAULT;
	}
	const struct tlb_entry *entry = tlb_lookup(mmu->tlb, mmu->asid, request->va);

	if (entry) {
		COUNT(mmu, hits);
		answer_entry(mmu, request, entry);
		return result_of(request);
	}
	COUNT(mmu, misses);
	request->ttb = mmu->regime.ttb;
	request->asid = mmu->asid;
	request->arrived = sim_now();
	request->state = REQUEST_STARTING;
	if (!mmu->walks_free) {
		request->state = REQUEST_WAITING;
		waiting_push(mmu, request);
		return MMU_PENDING;
	}
	walk_take_slot(mmu, request);
	if (request->state == REQUEST_ANSWERED) /* memory answered without delay */
		return result_of(request);
	request->state = REQUEST_WAITING;
	return MMU_PENDING;
}

bool mmu_translation_current(const struct mmu *mmu, const struct mmu_request *request)
{
	return request->sequence == tlb_maintenance(mmu->tlb);
}

bool mmu_reaches(const struct mmu *mmu, uint64_t pa, uint64_t bytes, uint16_t *asid, uint64_t *va)
{
	const struct tlb_entry *entry = tlb_find_pa(mmu->tlb, pa, pa + bytes - 1);

	if (!entry)
		return false;
	*asid = entry->asid;
	*va = entry->page << entry->size_bits;
	return true;
}

void mmu_set_ttbr0(struct mmu *mmu, uint64_t table_pa, uint16_t asid)
{
	mmu->regime.ttb = table_pa;
	mmu->regime.epd = !table_pa;
	mmu->asid = asid;
}

/* ---- TLB maintenance --------------------------------------------------------------------- */

/* Walks that could have read what has changed begin again when their current read is done. */
static void overtake_all(struct mmu *mmu)
{
	for (uint32_t i = 0; mmu->walks_busy && i < mmu->params.walk_slots; i++)
		mmu->walks[i].overtaken = true;
}

static void overtake_asid(struct mmu *mmu, uint16_t asid)
{
	for (uint32_t i = 0; mmu->walks_busy && i < mmu->params.walk_slots; i++) {
		struct walk *walk = &mmu->walks[i];

		if (walk->request && walk->request->asid == asid)
			walk->overtaken = true;
	}
}

/* Whatever the ASID: the walk may end at a global entry. */
static void overtake_range(struct mmu *mmu, uint64_t first, uint64_t last)
{
	for (uint32_t i = 0; mmu->walks_busy && i < mmu->params.walk_slots; i++) {
		struct walk *walk = &mmu->walks[i];

		if (walk->request && walk->request->va >= first && walk->request->va <= last)
			walk->overtaken = true;
	}
}

void mmu_tlbi_all(struct mmu *mmu)
{
	COUNT(mmu, tlbi);
	tlb_invalidate_all(mmu->tlb);
	overtake_all(mmu);
}

void mmu_tlbi_asid(struct mmu *mmu, uint16_t asid)
{
	COUNT(mmu, tlbi);
	tlb_invalidate_asid(mmu->tlb, asid);
	overtake_asid(mmu, asid);
}

void mmu_tlbi_va(struct mmu *mmu, uint16_t asid, uint64_t va, uint64_t pages, bool last_level)
{
	uint64_t first = va & VA_MASK & ~UINT64_C(0xfff);
	uint64_t last_page = (VA_MASK - first) >> 12;

	(void)last_level; /* no entries of intermediate levels are kept */
	if (!pages)
		return;
	if (pages - 1 < last_page)
		last_page = pages - 1;
	uint64_t last = first + (last_page << 12) + 0xfff;

	COUNT(mmu, tlbi);
	tlb_invalidate_range(mmu->tlb, asid, first, last);
	overtake_range(mmu, first, last);
}

/* ---- life -------------------------------------------------------------------------------- */

static void walk_init(struct walk *walk, struct mmu *mmu, const struct mmu_config *config)
{
	walk->mmu = mmu;
	walk->txn = (struct sim_txn){
		.len = sizeof(walk->descriptor),
		.cmd = SIM_READ,
		.data = &walk->descriptor,
		.privileged = true,
		.requester = config->requester,
		.done = walk_read_done,
		.owner = walk,
	};
	walk->lane = config->track ? trace_lane_add(config->track, "table walks", 0) : 0;
}

struct mmu *mmu_new(const struct mmu_config *config)
{
	struct mmu *mmu = calloc(1, sizeof(*mmu));

	if (!mmu)
		return NULL;
	mmu->params = *config->params;
	mmu->domain = config->domain;
	mmu->walk_port = config->walk_port;
	mmu->regime = (struct vmsa_regime){
		.txsz = T0SZ,
		.granule_bits = 12,
		.output_bits = (uint8_t)config->pa_bits,
		.epd = true,
	};
	mmu->tlb = tlb_new(mmu->params.tlb_entries, mmu->params.tlb_ways);
	mmu->walks = calloc(mmu->params.walk_slots, sizeof(*mmu->walks));
	if (!mmu->tlb || !mmu->walks) {
		tlb_free(mmu->tlb);
		free(mmu->walks);
		free(mmu);
		return NULL;
	}
	for (uint32_t i = mmu->params.walk_slots; i-- > 0;) {
		walk_init(&mmu->walks[i], mmu, config);
		mmu->walks[i].next_free = mmu->walks_free;
		mmu->walks_free = &mmu->walks[i];
	}
	mmu->name_walk = trace_intern("walk");
	mmu->name_va = trace_intern("va");
	mmu->name_asid = trace_intern("asid");
	mmu->name_reads = trace_intern("reads");
	mmu->name_fault = trace_intern("fault");
	mmu_domain_join(mmu->domain, mmu);
	return mmu;
}

void mmu_free(struct mmu *mmu)
{
	if (!mmu)
		return;
	mmu_domain_leave(mmu->domain, mmu);
	tlb_free(mmu->tlb);
	free(mmu->walks);
	free(mmu);
}

void mmu_counters_register(const struct mmu_counters *counters, struct stats *stats,
			   const char *prefix)
{
	const struct {
		const char *name;
		const uint64_t *value;
		const char *unit, *help;
	} list[] = {
		{"tlb.hits", &counters->hits, "look-ups", "translations answered by the TLB"},
		{"tlb.misses", &counters->misses, "look-ups", "translations that needed a walk"},
		{"walks", &counters->walks, "walks", "begun"},
		{"walk_reads", &counters->walk_reads, "reads", "descriptors read"},
		{"walk_restarts", &counters->walk_restarts, "walks",
		 "begun again because TLB maintenance overtook them"},
		{"walk_slot_wait_ps", &counters->slot_wait_ps, "ps",
		 "misses waited for a walk slot"},
		{"tlbi", &counters->tlbi, "operations", "TLB maintenance, counted at each core"},
	};
	char name[256];

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		snprintf(name, sizeof(name), "%s.%s", prefix, list[i].name);
		stats_counter(stats, name, list[i].value, list[i].unit, list[i].help);
	}
	for (unsigned int i = VMSA_FAULT_TRANSLATION; i <= VMSA_FAULT_EXTERNAL; i++) {
		snprintf(name, sizeof(name), "%s.faults.%s", prefix, vmsa_fault_names[i]);
		stats_counter(stats, name, &counters->faults[i], "faults",
			      "translations that ended so");
	}
	snprintf(name, sizeof(name), "%s.walk_ns", prefix);
	stats_histogram(stats, name, &counters->walk_time,
			"a walk, from its first read to its answer");
}

void mmu_register_stats(struct mmu *mmu, struct stats *stats, const char *prefix)
{
	mmu_counters_register(&mmu->counters, stats, prefix);
}
