/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPU's MMU: hits and misses, walk times, ASIDs, faults, TLB maintenance and its races with
 * walks. A test runs as a simulated thread and waits for its walks.
 */
#include "models/mmu/mmu.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/models-mmu/tables.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define AF	VMSA_ATTR_AF
#define USER	VMSA_ATTR_AP_USER
#define RO	VMSA_ATTR_AP_RDONLY
#define NG	VMSA_ATTR_NG
#define UXN	VMSA_ATTR_UXN
#define PXN	VMSA_ATTR_PXN
#define USER_RW (AF | USER | NG | PXN)

#define VA UINT64_C(0x0000aabbccdde000)
#define PA UINT64_C(0x0000000123456000)

static const struct mmu_params params = {
	.tlb_entries = 64,
	.tlb_ways = 4,
	.tlb_hit_ps = 500,
	.walk_slots = 2,
	.tlbi_ns = 100,
	.tlbi_page_ps = 400,
};

static struct tables tables;
static struct mmu_domain *domain;
static struct mmu *mmu, *other;
static uint64_t root;

static struct mmu *mmu_make_on(uint16_t requester, trace_track track)
{
	const struct mmu_config config = {
		.params = &params,
		.domain = domain,
		.walk_port = tables_port(&tables),
		.requester = requester,
		.pa_bits = 40,
		.track = track,
	};

	return mmu_new(&config);
}

static void setup(void)
{
	tables_init(&tables);
	domain = mmu_domain_new(&params);
	mmu = mmu_make_on(11, 0);
	other = mmu_make_on(12, 0);
	root = tables_page(&tables);
	mmu_set_ttbr0(mmu, root, 1);
	mmu_set_ttbr0(other, root, 1);
}

static void teardown(void)
{
	mmu_free(mmu);
	mmu_free(other);
	mmu_domain_free(domain);
}

/* ---- a thread's translation -------------------------------------------------------------- */

struct call {
	struct mmu_request request;
	struct sim_thread *waiter;
	sim_time began, took;
	unsigned int answers;
};

static void call_done(struct mmu_request *request)
{
	struct call *call = request->owner;

	call->answers++;
	call->took = sim_now() - call->began;
	if (call->waiter)
		sim_thread_wake(call->waiter);
}

static enum mmu_result call_start(struct call *call, struct mmu *on, uint64_t va,
				  enum mmu_access access, bool user)
{
	*call = (struct call){
		.request = {.va = va, .access = access, .user = user, .done = call_done},
		.began = sim_now()};
	call->request.owner = call;
	return mmu_translate(on, &call->request);
}

static void call_wait(struct call *call)
{
	call->waiter = sim_thread_self();
	while (!call->answers)
		sim_thread_block();
	call->waiter = NULL;
}

/* Waits for a walk; says whether there was one. */
static bool translate(struct call *call, struct mmu *on, uint64_t va, enum mmu_access access,
		      bool user)
{
	bool walked = call_start(call, on, va, access, user) == MMU_PENDING;

	if (walked)
		call_wait(call);
	return walked;
}

static bool user_read(struct call *call, uint64_t va)
{
	return translate(call, mmu, va, MMU_READ, true);
}

static void run_on_thread(void (*body)(void *arg), void *arg)
{
	sim_thread_start("test", body, arg);
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
}

#define THREAD_TEST(name)                                                                          \
	static void name##_body(void *arg);                                                        \
	START_TEST(name)                                                                           \
	{                                                                                          \
		run_on_thread(name##_body, (void *)(intptr_t)_i);                                  \
	}                                                                                          \
	END_TEST                                                                                   \
	static void name##_body(void *arg)

/* ---- hits, walks, times ------------------------------------------------------------------ */

static const struct {
	int level;
	uint64_t pa, page_bytes;
} leaves[] = {
	{1, UINT64_C(0x1c0000000), UINT64_C(1) << 30},
	{2, UINT64_C(0x1c0200000), UINT64_C(1) << 21},
	{3, UINT64_C(0x1c0201000), UINT64_C(1) << 12},
};

THREAD_TEST(test_a_walk_takes_one_read_per_level_and_then_hits)
{
	intptr_t i = (intptr_t)arg;
	uint64_t mask = leaves[i].page_bytes - 1;
	struct call call;

	tables_map(&tables, root, VA, leaves[i].level, leaves[i].pa, USER_RW);
	ck_assert(user_read(&call, VA + 0x123));
	ck_assert_int_eq(call.request.fault, MMU_FAULT_NONE);
	ck_assert_uint_eq(call.took, (sim_time)(leaves[i].level + 1) * TABLES_LATENCY);
	ck_assert_uint_eq(call.request.pa, leaves[i].pa | ((VA + 0x123) & mask));
	ck_assert_uint_eq(call.request.page_bytes, leaves[i].page_bytes);
	ck_assert_int_eq(call.request.level, leaves[i].level);
	ck_assert_uint_eq(tables.requester, 11);

	/* the first and the last byte of the page, at once */
	ck_assert_int_eq(call_start(&call, mmu, VA & ~mask, MMU_WRITE, true), MMU_HIT);
	ck_assert_uint_eq(call.request.pa, leaves[i].pa);
	ck_assert_uint_eq(call.request.cost, params.tlb_hit_ps);
	ck_assert_int_eq(call_start(&call, mmu, VA | mask, MMU_READ, true), MMU_HIT);
	ck_assert_uint_eq(call.request.pa, leaves[i].pa | mask);
	ck_assert_uint_eq(tables.read_count, (unsigned int)leaves[i].level + 1);
}

START_TEST(test_memory_that_answers_at_once_needs_no_callback)
{
	struct call call;

	tables.immediate = true;
	tables_map(&tables, root, VA, 3, PA, USER_RW);
	ck_assert_int_eq(call_start(&call, mmu, VA, MMU_READ, true), MMU_HIT);
	ck_assert_uint_eq(call.request.pa, PA);
	ck_assert_int_eq(call_start(&call, mmu, VA + 4096, MMU_READ, true), MMU_FAULT);
	ck_assert_int_eq(call.request.fault, MMU_FAULT_TRANSLATION);
	ck_assert_int_eq(call.request.level, 3);
	ck_assert_uint_eq(call.answers, 0);
}
END_TEST

THREAD_TEST(test_misses_beyond_the_walk_slots_wait_in_order)
{
	struct call calls[5];

	(void)arg;
	for (unsigned int i = 0; i < 5; i++)
		tables_map(&tables, root, VA + i * 4096, 3, PA + i * 4096, USER_RW);
	for (unsigned int i = 0; i < 5; i++)
		ck_assert_int_eq(call_start(&calls[i], mmu, VA + i * 4096, MMU_READ, true),
				 MMU_PENDING);
	for (unsigned int i = 0; i < 5; i++) {
		call_wait(&calls[i]);
		ck_assert_uint_eq(calls[i].answers, 1);
		ck_assert_uint_eq(calls[i].took, (i / 2 + 1) * 4 * TABLES_LATENCY);
		ck_assert_uint_eq(calls[i].request.pa, PA + i * 4096);
	}
}

THREAD_TEST(test_a_waiting_miss_walks_the_table_that_it_asked_for)
{
	uint64_t second = tables_page(&tables);
	struct call calls[3];

	(void)arg;
	tables_map(&tables, root, VA, 3, PA, USER_RW);
	tables_map(&tables, second, VA, 3, PA + 0x1000, USER_RW);
	for (unsigned int i = 0; i < 3; i++)
		call_start(&calls[i], mmu, VA, MMU_READ, true);
	mmu_set_ttbr0(mmu, 0, 0);
	mmu_set_ttbr0(mmu, second, 2);
	for (unsigned int i = 0; i < 3; i++) {
		call_wait(&calls[i]);
		ck_assert_uint_eq(calls[i].request.pa, PA);
	}
	translate(&calls[0], mmu, VA, MMU_READ, true);
	ck_assert_uint_eq(calls[0].request.pa, PA + 0x1000);
}

/* ---- address spaces ---------------------------------------------------------------------- */

THREAD_TEST(test_entries_belong_to_their_asid)
{
	uint64_t second = tables_page(&tables);
	struct call call;

	(void)arg;
	tables_map(&tables, root, VA, 3, PA, USER_RW);
	tables_map(&tables, second, VA, 3, PA + 0x1000, USER_RW);
	ck_assert(user_read(&call, VA));
	mmu_set_ttbr0(mmu, second, 2);
	ck_assert(user_read(&call, VA));
	ck_assert_uint_eq(call.request.pa, PA + 0x1000);
	mmu_set_ttbr0(mmu, root, 1);
	ck_assert(!user_read(&call, VA));
	ck_assert_uint_eq(call.request.pa, PA);
	/* entries of one core are not another's */
	ck_assert(translate(&call, other, VA, MMU_READ, true));
}

THREAD_TEST(test_global_entries_serve_every_asid)
{
	struct call call;

	(void)arg;
	tables_map(&tables, root, VA, 3, PA, USER_RW & ~NG);
	ck_assert(user_read(&call, VA));
	mmu_set_ttbr0(mmu, tables_page(&tables), 2);
	ck_assert(!user_read(&call, VA));
	ck_assert_uint_eq(call.request.pa, PA);
	mmu_tlbi_asid(mmu, 1);
	mmu_tlbi_asid(mmu, 2);
	ck_assert(!user_read(&call, VA));
	mmu_tlbi_va(mmu, 3, VA, 1, true);
	ck_assert(user_read(&call, VA));
	ck_assert_int_eq(call.request.fault, MMU_FAULT_TRANSLATION);
}

THREAD_TEST(test_without_a_table_every_address_faults)
{
	struct call call;

	(void)arg;
	tables_map(&tables, root, VA, 3, PA, USER_RW);
	ck_assert(user_read(&call, VA));
	mmu_set_ttbr0(mmu, 0, 1);
	ck_assert_int_eq(call_start(&call, mmu, VA, MMU_READ, true), MMU_FAULT);
	ck_assert_int_eq(call.request.fault, MMU_FAULT_TRANSLATION);
	ck_assert_int_eq(call.request.level, 0);
	mmu_set_ttbr0(mmu, root, 1);
	ck_assert(!user_read(&call, VA));
}

/* ---- faults ------------------------------------------------------------------------------ */

static const struct fault_case {
	const char *what;
	uint64_t va;
	int level; /* of the leaf made for VA; -1: none */
	uint64_t pa, attributes;
	enum mmu_access access;
	bool privileged;
	enum mmu_fault fault;
	int fault_level;
	unsigned int reads;
} fault_cases[] = {
	{"not mapped at all", VA, -1, 0, 0, MMU_READ, false, MMU_FAULT_TRANSLATION, 0, 1},
	{"neighbour mapped", VA + 0x1000, 3, PA, USER_RW, MMU_READ, false, MMU_FAULT_TRANSLATION, 3,
	 4},
	{"neighbour block", VA ^ 0x200000, 2, PA, USER_RW, MMU_READ, false, MMU_FAULT_TRANSLATION,
	 2, 3},
	{"first beyond 48 bits", UINT64_C(1) << 48, 3, PA, USER_RW, MMU_READ, false,
	 MMU_FAULT_TRANSLATION, 0, 0},
	{"upper half", UINT64_MAX, 3, PA, USER_RW, MMU_READ, true, MMU_FAULT_TRANSLATION, 0, 0},
	{"page beyond pa_bits", VA, 3, UINT64_C(1) << 40, USER_RW, MMU_READ, false,
	 MMU_FAULT_ADDRESS_SIZE, 3, 4},
	{"block beyond pa_bits", VA, 2, UINT64_C(1) << 40, USER_RW, MMU_READ, false,
	 MMU_FAULT_ADDRESS_SIZE, 2, 3},
	{"AF clear", VA, 3, PA, USER, MMU_READ, false, MMU_FAULT_ACCESS_FLAG, 3, 4},
	{"AF clear in a block", VA, 1, PA, USER, MMU_READ, false, MMU_FAULT_ACCESS_FLAG, 1, 2},
	{"AF before permission", VA, 3, PA, RO, MMU_WRITE, false, MMU_FAULT_ACCESS_FLAG, 3, 4},
	{"write to read-only", VA, 3, PA, AF | USER | RO, MMU_WRITE, false, MMU_FAULT_PERMISSION, 3,
	 4},
	{"EL0 at EL1's page", VA, 3, PA, AF, MMU_READ, false, MMU_FAULT_PERMISSION, 3, 4},
	{"execute never", VA, 2, PA, AF | USER | RO | UXN, MMU_EXECUTE, false, MMU_FAULT_PERMISSION,
	 2, 3},
	{"EL1 executes what EL0 writes", VA, 3, PA, AF | USER, MMU_EXECUTE, true,
	 MMU_FAULT_PERMISSION, 3, 4},
	{"EL0 executes", VA, 3, PA, AF | USER, MMU_EXECUTE, false, MMU_FAULT_NONE, 3, 4},
	{"EL1 reads EL0's page", VA, 3, PA, AF | USER, MMU_READ, true, MMU_FAULT_NONE, 3, 4},
	{"EL1 writes its page", VA, 3, PA, AF, MMU_WRITE, true, MMU_FAULT_NONE, 3, 4},
};

THREAD_TEST(test_faults_say_what_and_at_which_level)
{
	const struct fault_case *c = &fault_cases[(intptr_t)arg];
	struct call call;

	if (c->level >= 0)
		tables_map(&tables, root, VA, c->level, c->pa, c->attributes);
	translate(&call, mmu, c->va, c->access, !c->privileged);
	ck_assert_msg(call.request.fault == c->fault, "%s: %s", c->what,
		      vmsa_fault_names[call.request.fault]);
	ck_assert_msg(call.request.level == c->fault_level, "%s: level %d", c->what,
		      call.request.level);
	ck_assert_msg(tables.read_count == c->reads, "%s: %u reads", c->what, tables.read_count);
	ck_assert_msg(sim_now() == c->reads * TABLES_LATENCY, "%s", c->what);
}

THREAD_TEST(test_a_failing_read_is_an_external_abort_at_its_level)
{
	int level = (int)(intptr_t)arg;
	uint64_t table = root;
	struct call call;

	tables_map(&tables, root, VA, 3, PA, USER_RW);
	for (int at = 0;; at++) {
		uint64_t where = table + (VA >> (39 - 9 * at) & 511) * 8;

		if (at == level) {
			tables.failing = where;
			break;
		}
		table = *tables_word(&tables, where) & UINT64_C(0xfffffffff000);
	}
	ck_assert(user_read(&call, VA));
	ck_assert_int_eq(call.request.fault, MMU_FAULT_EXTERNAL);
	ck_assert_int_eq(call.request.level, level);
	tables.failing = 0;
	ck_assert(user_read(&call, VA));
	ck_assert_int_eq(call.request.fault, MMU_FAULT_NONE);
}

THREAD_TEST(test_a_fixed_fault_translates_without_maintenance)
{
	struct call call;

	(void)arg;
	/* translation and access flag faults are not cached */
	ck_assert(user_read(&call, VA));
	tables_map(&tables, root, VA, 3, PA, USER_RW & ~AF);
	ck_assert(user_read(&call, VA));
	ck_assert_int_eq(call.request.fault, MMU_FAULT_ACCESS_FLAG);
	tables_map(&tables, root, VA, 3, PA, USER_RW);
	ck_assert(user_read(&call, VA));
	ck_assert_int_eq(call.request.fault, MMU_FAULT_NONE);
}

THREAD_TEST(test_a_permission_fault_can_come_from_the_tlb)
{
	struct call call;

	(void)arg;
	tables_map(&tables, root, VA, 3, PA, USER_RW | RO);
	ck_assert(user_read(&call, VA));
	tables_map(&tables, root, VA, 3, PA, USER_RW);
	ck_assert_int_eq(call_start(&call, mmu, VA, MMU_WRITE, true), MMU_FAULT);
	ck_assert_int_eq(call.request.fault, MMU_FAULT_PERMISSION);
	ck_assert_int_eq(call.request.level, 3);
	mmu_tlbi_va(mmu, 1, VA, 1, true);
	ck_assert(translate(&call, mmu, VA, MMU_WRITE, true));
	ck_assert_int_eq(call.request.fault, MMU_FAULT_NONE);
}

/* ---- maintenance ------------------------------------------------------------------------- */

THREAD_TEST(test_broadcast_maintenance_reaches_every_core)
{
	struct call call;

	(void)arg;
	tables_map(&tables, root, VA, 3, PA, USER_RW);
	for (int op = 0; op < 3; op++) {
		translate(&call, mmu, VA, MMU_READ, true);
		translate(&call, other, VA, MMU_READ, true);
		ck_assert(mmu_translation_current(other, &call.request));
		if (op == 0)
			ck_assert_uint_eq(mmu_domain_tlbi_all(domain), SIM_NS(100));
		else if (op == 1)
			ck_assert_uint_eq(mmu_domain_tlbi_asid(domain, 1), SIM_NS(100));
		else
			ck_assert_uint_eq(mmu_domain_tlbi_va(domain, 1, VA, 10, true),
					  SIM_NS(100) + 4000);
		ck_assert(!mmu_translation_current(other, &call.request));
		ck_assert(translate(&call, mmu, VA, MMU_READ, true));
		ck_assert(translate(&call, other, VA, MMU_READ, true));
	}
}

/* What happens while a walk of VA is under way: the page moves, with one kind of maintenance. */
static uint64_t leaf_at;
static intptr_t race;

static const struct {
	const char *what;
	bool overtakes;
} races[] = {
	{"all", true},		 {"its ASID", true},
	{"its page", true},	 {"a range around", true},
	{"another ASID", false}, {"another page", false},
};

static void move_page(void *arg)
{
	(void)arg;
	*tables_word(&tables, leaf_at) += 0x1000;
	switch (race) {
	case 0:
		mmu_domain_tlbi_all(domain);
		break;
	case 1:
		mmu_domain_tlbi_asid(domain, 1);
		break;
	case 2:
		mmu_domain_tlbi_va(domain, 1, VA, 1, true);
		break;
	case 3:
		mmu_domain_tlbi_va(domain, 1, VA - (1 << 20), 1 << 20, false);
		break;
	case 4:
		mmu_domain_tlbi_asid(domain, 2);
		break;
	case 5:
		mmu_domain_tlbi_va(domain, 1, VA + 4096, 1, true);
		break;
	}
}

/* The last read has taken its (old) value, its answer is on the way. */
static void schedule_move(void *arg)
{
	sim_event_after(arg, TABLES_LATENCY / 2);
}

THREAD_TEST(test_maintenance_overtakes_a_walk)
{
	struct sim_event event;
	struct call call;

	race = (intptr_t)arg;
	leaf_at = tables_map(&tables, root, VA, 3, PA, USER_RW);
	sim_event_init(&event, move_page, NULL);
	tables.hook = schedule_move;
	tables.hook_arg = &event;
	tables.hook_at = 2; /* while the second of four reads is under way */
	ck_assert(user_read(&call, VA));
	ck_assert_msg(call.took == (races[race].overtakes ? 6u : 4u) * TABLES_LATENCY, "%s",
		      races[race].what);
	ck_assert_uint_eq(call.request.pa, PA + 0x1000);
	ck_assert(mmu_translation_current(mmu, &call.request));
	ck_assert(!user_read(&call, VA));
	ck_assert_uint_eq(call.request.pa, PA + 0x1000);
}

/* The read of the leaf itself returns the old descriptor, maintenance comes, the answer arrives. */
static struct sim_txn *kept;
static struct sim_port behind;

static void keep_leaf_read(void *target, struct sim_txn *txn)
{
	if (!kept && txn->addr == leaf_at) {
		kept = txn;
		*(uint64_t *)txn->data = *tables_word(&tables, txn->addr);
		return;
	}
	sim_port_request(target, txn);
}

THREAD_TEST(test_no_stale_entry_is_installed_or_used)
{
	struct mmu_config config = {.params = &params,
				    .domain = domain,
				    .walk_port = {keep_leaf_read, &behind},
				    .pa_bits = 40};
	struct mmu *racing = mmu_new(&config);
	struct call call;

	behind = tables_port(&tables);
	race = (intptr_t)arg;
	leaf_at = tables_map(&tables, root, VA, 3, PA, USER_RW);
	mmu_set_ttbr0(racing, root, 1);
	ck_assert_int_eq(call_start(&call, racing, VA, MMU_READ, true), MMU_PENDING);
	sim_thread_sleep(SIM_US(1));
	ck_assert_ptr_nonnull(kept);
	ck_assert_uint_eq(call.answers, 0);
	move_page(NULL);
	sim_txn_complete(kept, SIM_OK);
	call_wait(&call);
	ck_assert_msg(call.request.pa == PA + 0x1000, "%s", races[race].what);
	ck_assert(!translate(&call, racing, VA, MMU_READ, true));
	ck_assert_uint_eq(call.request.pa, PA + 0x1000);
	mmu_free(racing);
}

/* ---- figures ----------------------------------------------------------------------------- */

static void traffic(void *arg)
{
	struct call call;

	(void)arg;
	tables_map(&tables, root, VA, 3, PA, USER_RW | RO);
	user_read(&call, VA);
	user_read(&call, VA);
	translate(&call, mmu, VA, MMU_WRITE, true);
	user_read(&call, VA + 4096);
	translate(&call, other, VA, MMU_READ, true);
	mmu_domain_tlbi_all(domain);
}

START_TEST(test_figures_of_a_core_and_of_all)
{
	static const struct {
		const char *name;
		double value;
	} expected[] = {
		{"mmu.tlb.hits", 2},
		{"mmu.tlb.misses", 3},
		{"mmu.walks", 3},
		{"mmu.walk_reads", 12},
		{"mmu.walk_restarts", 0},
		{"mmu.faults.translation", 1},
		{"mmu.faults.permission", 1},
		{"mmu.faults.access_flag", 0},
		{"mmu.tlbi", 2},
		{"mmu.walk_ns.count", 3},
		{"mmu.walk_ns.mean", 400},
		{"cpu0.mmu.tlb.misses", 2},
		{"cpu1.mmu.tlb.misses", 1},
		{"cpu1.mmu.walk_ns.max", 400},
	};
	struct stats *stats = stats_new();
	double value;

	mmu_domain_register_stats(domain, stats, "mmu");
	mmu_register_stats(mmu, stats, "cpu0.mmu");
	mmu_register_stats(other, stats, "cpu1.mmu");
	run_on_thread(traffic, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		ck_assert_msg(stats_get(stats, expected[i].name, &value), "%s", expected[i].name);
		ck_assert_msg(value == expected[i].value, "%s is %g", expected[i].name, value);
	}
	stats_free(stats);
}
END_TEST

static void two_walks_at_once(void *arg)
{
	struct call calls[2];

	(void)arg;
	for (unsigned int i = 0; i < 2; i++) {
		tables_map(&tables, root, VA + i * 4096, 3, PA, USER_RW);
		call_start(&calls[i], mmu, VA + i * 4096, MMU_READ, true);
	}
	for (unsigned int i = 0; i < 2; i++)
		call_wait(&calls[i]);
	ck_assert_uint_eq(sim_now(), 4 * TABLES_LATENCY);
}

START_TEST(test_every_walk_is_a_slice)
{
	char path[] = "/tmp/svasim-test-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(trace_open(&(struct trace_options){.path = path, .to = SIM_TIME_NEVER}),
			 0);
	mmu_free(mmu);
	mmu = mmu_make_on(11, trace_track_add(0, "cpu0", 0));
	mmu_set_ttbr0(mmu, root, 1);
	run_on_thread(two_walks_at_once, NULL);
	ck_assert_int_eq(trace_close(), 0);
	ck_assert_uint_eq(trace_get_totals().slices, 2);
	unlink(path);
}
END_TEST

START_TEST(test_every_parameter_says_what_it_is)
{
	for (size_t i = 0; i < mmu_param_count; i++) {
		const struct param_desc *desc = &mmu_param_descs[i];

		ck_assert(desc->help && *desc->help && desc->origin && *desc->origin);
		ck_assert_double_ge((double)desc->def.u, desc->min);
		ck_assert_double_le((double)desc->def.u, desc->max);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mmu");
	TCase *tc = tcase_create("mmu");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_a_walk_takes_one_read_per_level_and_then_hits, 0,
			    ARRAY_SIZE(leaves));
	tcase_add_test(tc, test_memory_that_answers_at_once_needs_no_callback);
	tcase_add_test(tc, test_misses_beyond_the_walk_slots_wait_in_order);
	tcase_add_test(tc, test_a_waiting_miss_walks_the_table_that_it_asked_for);
	tcase_add_test(tc, test_entries_belong_to_their_asid);
	tcase_add_test(tc, test_global_entries_serve_every_asid);
	tcase_add_test(tc, test_without_a_table_every_address_faults);
	tcase_add_loop_test(tc, test_faults_say_what_and_at_which_level, 0,
			    ARRAY_SIZE(fault_cases));
	tcase_add_loop_test(tc, test_a_failing_read_is_an_external_abort_at_its_level, 0, 4);
	tcase_add_test(tc, test_a_fixed_fault_translates_without_maintenance);
	tcase_add_test(tc, test_a_permission_fault_can_come_from_the_tlb);
	tcase_add_test(tc, test_broadcast_maintenance_reaches_every_core);
	tcase_add_loop_test(tc, test_maintenance_overtakes_a_walk, 0, ARRAY_SIZE(races));
	tcase_add_loop_test(tc, test_no_stale_entry_is_installed_or_used, 0, 4);
	tcase_add_test(tc, test_figures_of_a_core_and_of_all);
	tcase_add_test(tc, test_every_walk_is_a_slice);
	tcase_add_test(tc, test_every_parameter_says_what_it_is);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
