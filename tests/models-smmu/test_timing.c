/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What takes time and what is scarce: each structure when it binds, at the value that theory gives;
 * what caches and merging save; what invalidation takes from each; what a transaction waited for.
 */
#include "tests/models-smmu/bench.h"

#include <string.h>

#define VA	UINT64_C(0x7f0000000000)
#define MANY	240u
#define ASID(n) ((uint64_t)(100 + (n)) << 48)
#define MEM_NS	80u /* of the bench's memory */
#define WALK_NS (4u * MEM_NS)

static struct access accesses[MANY];

/* Pages 0 … MANY - 1 of spaces 1 and 2; space 3 is empty, and its faults stall. */
static void many_pages(struct bench *b)
{
	bench_start(b);
	ste_stage1(b, SID, 2, S1DSS_BYPASS);
	ste_stage1(b, 8, 2, S1DSS_BYPASS);
	for (uint32_t i = 1; i < 4; i++)
		cd_set(b, i, i == 3 ? CD_0_S : 0);
	for (uint32_t i = 1; i < 3; i++)
		for (unsigned int page = 0; page < MANY; page++)
			map(b, i, VA + page * 0x1000, DATA + page * 0x1000, 3, ATTR_RW);
	b->downstream_at_once = true;
}

/* Configuration is cached then, and nothing else. */
static void warm_up(struct bench *b)
{
	struct access a = {0};

	ck_assert_int_eq(access_do(b, &a, SID, 1, VA, SIM_READ), SIM_OK);
	command_sync(b, CMD_TLBI_NSNH_ALL, 0);
}

/* Starts MANY at once, `step` bytes apart; returns how long it takes until all are done. */
static sim_time burst(struct bench *b, uint64_t step)
{
	sim_time begin = sim_now(), last = begin;

	for (unsigned int i = 0; i < MANY; i++)
		access_start(b, &accesses[i], SID, 1, VA + i * step, SIM_READ);
	for (unsigned int i = 0; i < MANY; i++) {
		ck_assert(access_wait(&accesses[i], SIM_MS(1)));
		ck_assert_int_eq(accesses[i].txn.response, SIM_OK);
		last = accesses[i].done_at > last ? accesses[i].done_at : last;
	}
	return last - begin;
}

static void check_rate(sim_time took, double per_second)
{
	double measured = MANY / ((double)took * 1e-12);

	ck_assert_msg(measured > per_second * 0.95 && measured < per_second * 1.05,
		      "%g per second, theory says %g", measured, per_second);
}

/* ---- what binds -------------------------------------------------------------------------- */

static void walkers_bind(struct bench *b)
{
	double busy;
	sim_time took;

	many_pages(b);
	warm_up(b);
	busy = metric(b, "smmu.walkers.busy_ps");
	took = burst(b, 0x1000);
	check_rate(took, b->params.walk_slots / (WALK_NS * 1e-9));
	ck_assert_double_eq(metric(b, "smmu.walkers.busy_ps") - busy, MANY * WALK_NS * 1e3);
	ck_assert_double_eq(metric(b, "smmu.walkers.queue_max"), MANY - b->params.walk_slots);
}

static void open_wide(struct smmu_params *params)
{
	params->translation_slots = 1024;
	params->tlb_entries = 1024;
}

static void one_walker(struct smmu_params *params)
{
	open_wide(params);
	params->walk_slots = 1;
}

BENCH_TEST_WITH(test_one_walker_binds, one_walker)
{
	walkers_bind(b);
}

BENCH_TEST_WITH(test_six_walkers_bind, open_wide)
{
	walkers_bind(b);
}

static void few_translation_slots(struct smmu_params *params)
{
	open_wide(params);
	params->walk_slots = 64;
	params->translation_slots = 4;
}

BENCH_TEST_WITH(test_translation_slots_bind, few_translation_slots)
{
	many_pages(b);
	warm_up(b);
	check_rate(burst(b, 0x1000), 4 / ((WALK_NS + 5) * 1e-9));
	ck_assert_double_eq(metric(b, "smmu.translation_slots.servers"), 4);
	ck_assert_double_eq(metric(b, "smmu.translation_slots.queue_max"), MANY - 4);
	ck_assert_double_eq(metric(b, "smmu.port_waits"), MANY - 4);
}

static void slow_micro_tlb(struct smmu_params *params)
{
	open_wide(params);
	params->micro_tlb_entries = 32;
	params->micro_tlb_slots = 2;
	params->micro_tlb_hit_ps = 10000;
}

BENCH_TEST_WITH(test_micro_tlb_slots_bind, slow_micro_tlb)
{
	static const uint32_t sid = SID;
	struct access a = {0};

	smmu_port_add(b->smmu, "port0", &sid, 1);
	many_pages(b);
	access_do(b, &a, SID, 1, VA, SIM_READ);
	check_rate(burst(b, 8), 2 / 10e-9);
	ck_assert_double_eq(metric(b, "smmu.micro_tlb.hits"), MANY);
	ck_assert_double_eq(metric(b, "smmu.port0.micro_tlb_slots.served"), MANY + 1);
	ck_assert_double_eq(metric(b, "smmu.port0.micro_tlb_slots.busy_ps"), (MANY + 1) * 1e4);
}

static void slow_commands(struct smmu_params *params)
{
	params->cmd_ns = 1000;
	params->cmdq_fetch_entries = 16;
}

BENCH_TEST_WITH(test_command_rate_binds, slow_commands)
{
	sim_time begin;
	double took;

	bench_start(b);
	begin = sim_now();
	for (unsigned int i = 0; i < 15; i++)
		command_put(b, CMD_TLBI_NSNH_ALL, 0);
	commands_ring(b);
	while (smmu_idle(b->smmu) == false)
		sim_thread_sleep(SIM_NS(10));
	took = (double)(sim_now() - begin);
	ck_assert_double_ge(took, 15e6);
	ck_assert_double_le(took, 15e6 * 1.05);
	ck_assert_double_eq(metric(b, "smmu.cmdq.served"), 15);
	ck_assert_double_eq(metric(b, "smmu.cmdq.busy_ps"), 15e6 + MEM_NS * 1e3);
	ck_assert_double_eq(metric(b, "smmu.cmdq.queue_max"), 14);
}

static void slow_events(struct smmu_params *params)
{
	params->evtq_write_ns = 1000;
	params->irq_ns = 500;
	params->merge_misses = false;
}

BENCH_TEST_WITH(test_event_records_and_interrupts_take_their_time, slow_events)
{
	struct access a[3] = {0};
	sim_time begin;

	many_pages(b);
	warm_up(b);
	begin = sim_now();
	for (int i = 0; i < 3; i++) /* nothing is mapped there */
		access_start(b, &a[i], SID, 1, VA - 0x1000, SIM_READ);
	mem64(b, CDTAB + 64)[0] |= CD_0_R;
	ck_assert(access_wait(&a[2], SIM_US(1)));
	while (!b->irqs[IRQ_EVENTQ])
		sim_thread_sleep(SIM_NS(1));
	/* the look-up, a read of the first level's descriptor, record, write, interrupt */
	ck_assert_uint_eq(sim_now() - begin, SIM_NS(5 + MEM_NS + 1000 + MEM_NS + 500));
	sim_thread_sleep(SIM_US(4));
	ck_assert_uint_eq(b->irqs[IRQ_EVENTQ], 1);
	ck_assert_uint_eq(events_waiting(b), 3);
	ck_assert_double_eq(metric(b, "smmu.evtq.served"), 3);
	ck_assert_double_eq(metric(b, "smmu.evtq.busy_ps"), 3 * (1000 + MEM_NS) * 1e3);
	ck_assert_double_eq(metric(b, "smmu.evtq.queue_max"), 2);
}

/* ---- ports ------------------------------------------------------------------------------- */

static void one_slot_each(struct smmu_params *params)
{
	params->translation_slots = 1;
}

BENCH_TEST_WITH(test_full_port_delays_only_its_own, one_slot_each)
{
	static const uint32_t shared[] = {SID, 8};
	struct access a[3] = {0};

	smmu_port_add(b->smmu, "port0", shared, 2);
	many_pages(b);
	ste_stage1(b, 9, 2, S1DSS_BYPASS);
	access_start(b, &a[0], SID, 1, VA, SIM_READ);
	access_start(b, &a[1], 8, 1, VA + 0x1000, SIM_READ);
	access_start(b, &a[2], 9, 1, VA + 0x2000, SIM_READ);
	for (int i = 0; i < 3; i++)
		ck_assert(access_wait(&a[i], SIM_US(10)));
	ck_assert_uint_eq(a[0].waits.ps[WAIT_TRANSLATION], SIM_NS(5 + 2 * MEM_NS));
	ck_assert_uint_eq(a[1].waits.ps[WAIT_TRANSLATION],
			  SIM_NS(5 + 2 * MEM_NS) + a[0].done_at - a[0].started_at);
	ck_assert_uint_eq(a[2].waits.ps[WAIT_TRANSLATION], SIM_NS(5 + 2 * MEM_NS));
	ck_assert_double_eq(metric(b, "smmu.translation_slots.servers"), 2);
}

BENCH_TEST_WITH(test_stalled_transaction_keeps_its_slot, one_slot_each)
{
	struct access a[2] = {0};
	uint64_t record[4];

	many_pages(b);
	access_start(b, &a[0], SID, 3, VA, SIM_READ);
	access_start(b, &a[1], SID, 1, VA, SIM_READ);
	event_take(b, record);
	sim_thread_sleep(SIM_US(2));
	ck_assert(!a[1].done);
	command(b, CMD_SID(CMD_RESUME, SID) | CMD_RESUME_0_AB, FIELD_GET(EVENT_1_STAG, record[1]));
	ck_assert(access_wait(&a[1], SIM_US(3)));
}

/* ---- latencies and waits ----------------------------------------------------------------- */

static void micro(struct smmu_params *params)
{
	params->micro_tlb_entries = 2;
	params->micro_tlb_slots = 4;
	params->micro_tlb_hit_ps = 1000;
}

static void check_waits(struct bench *b, const struct access *a, uint64_t translation,
			uint64_t slot, uint64_t walk, uint64_t fault)
{
	(void)b;
	ck_assert_uint_eq(a->waits.ps[WAIT_TRANSLATION], SIM_NS(translation));
	ck_assert_uint_eq(a->waits.ps[WAIT_WALK_SLOT], SIM_NS(slot));
	ck_assert_uint_eq(a->waits.ps[WAIT_WALK], SIM_NS(walk));
	ck_assert_uint_eq(a->waits.ps[WAIT_PAGE_FAULT], SIM_NS(fault));
}

BENCH_TEST_WITH(test_waits_of_hits_and_walks, micro)
{
	struct access a = {0};

	many_pages(b);
	access_do(b, &a, SID, 1, VA, SIM_READ); /* with the fetch of STE and CD */
	check_waits(b, &a, 1 + 5 + 2 * MEM_NS, 0, WALK_NS, 0);
	access_do(b, &a, SID, 1, VA + 8, SIM_READ);
	check_waits(b, &a, 1, 0, 0, 0);
	for (unsigned int page = 1; page < 3; page++) {
		access_do(b, &a, SID, 1, VA + page * 0x1000, SIM_READ);
		check_waits(b, &a, 1 + 5, 0, WALK_NS, 0);
	}
	access_do(b, &a, SID, 1, VA, SIM_READ); /* out of the micro-TLB, in the TLB */
	check_waits(b, &a, 1 + 5, 0, 0, 0);
	access_do(b, &a, SID, 1, VA, SIM_READ);
	check_waits(b, &a, 1, 0, 0, 0);
	access_do(b, &a, SID, -1, DATA, SIM_READ); /* a bypass */
	check_waits(b, &a, 1, 0, 0, 0);
	ck_assert_double_eq(metric(b, "smmu.micro_tlb.hits"), 2);
	ck_assert_double_eq(metric(b, "smmu.tlb.hits"), 1);
}

BENCH_TEST_WITH(test_waits_of_a_queued_walk, one_walker)
{
	struct access a[3] = {0};

	many_pages(b);
	warm_up(b);
	for (unsigned int i = 0; i < 3; i++)
		access_start(b, &a[i], SID, 1, VA + i * 0x1000, SIM_READ);
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert(access_wait(&a[i], SIM_US(10)));
		check_waits(b, &a[i], 5, i * WALK_NS, WALK_NS, 0);
	}
}

BENCH_TEST(test_waits_of_a_fault_that_is_resumed)
{
	struct access a = {0};
	uint64_t record[4];
	sim_time resumed;

	many_pages(b);
	b->downstream_at_once = false;
	map(b, 3, VA + 0x5000, DATA, 3, ATTR_RW); /* so that the other pages' tables are there */
	access_do(b, &a, SID, 3, VA + 0x5000, SIM_READ);
	access_start(b, &a, SID, 3, VA, SIM_READ);
	event_take(b, record);
	map(b, 3, VA, DATA, 3, ATTR_RW);
	command(b, CMD_SID(CMD_RESUME, SID) | CMD_RESUME_0_AC, FIELD_GET(EVENT_1_STAG, record[1]));
	while (smmu_stalled(b->smmu))
		sim_thread_sleep(SIM_PS(1));
	resumed = sim_now();
	ck_assert(access_wait(&a, SIM_US(10)));
	ck_assert_uint_eq(a.txn.response, SIM_OK);
	/* twice: the look-up and a walk of four reads */
	ck_assert_uint_eq(a.waits.ps[WAIT_TRANSLATION], SIM_NS(2 * 5));
	ck_assert_uint_eq(a.waits.ps[WAIT_WALK], SIM_NS(2 * WALK_NS));
	ck_assert_uint_eq(a.waits.ps[WAIT_PAGE_FAULT],
			  resumed - a.started_at - SIM_NS(5 + WALK_NS));
	ck_assert_uint_eq(a.waits.ps[WAIT_MEMORY], SIM_NS(MEM_NS));
}

BENCH_TEST(test_waits_of_a_fault_that_is_aborted)
{
	struct access a = {0};
	uint64_t record[4];

	many_pages(b);
	access_start(b, &a, SID, 3, VA, SIM_READ);
	event_take(b, record);
	command(b, CMD_SID(CMD_RESUME, SID) | CMD_RESUME_0_AB, FIELD_GET(EVENT_1_STAG, record[1]));
	ck_assert(access_wait(&a, SIM_US(10)));
	ck_assert_uint_eq(a.waits.ps[WAIT_PAGE_FAULT],
			  a.done_at - a.started_at - SIM_NS(5 + 3 * MEM_NS));
}

/* ---- merged misses ----------------------------------------------------------------------- */

BENCH_TEST_WITH(test_misses_on_one_page_share_a_walk, open_wide)
{
	unsigned int reads;

	many_pages(b);
	warm_up(b);
	reads = b->walk_reads;
	ck_assert_uint_eq(burst(b, 8), SIM_NS(5 + WALK_NS));
	ck_assert_uint_eq(b->walk_reads - reads, 4);
	ck_assert_double_eq(metric(b, "smmu.walks"), 2);
	ck_assert_double_eq(metric(b, "smmu.walks_merged"), MANY - 1);
	check_waits(b, &accesses[MANY - 1], 5, 0, WALK_NS, 0);
}

static void not_merged(struct smmu_params *params)
{
	open_wide(params);
	params->walk_slots = 1024;
	params->merge_misses = false;
}

BENCH_TEST_WITH(test_misses_walk_for_themselves_if_not_merged, not_merged)
{
	many_pages(b);
	warm_up(b);
	ck_assert_uint_eq(burst(b, 8), SIM_NS(5 + WALK_NS));
	ck_assert_double_eq(metric(b, "smmu.walks"), 1 + MANY);
	ck_assert_double_eq(metric(b, "smmu.walks_merged"), 0);
}

BENCH_TEST(test_merged_misses_that_fault_stall_one_by_one)
{
	struct access a[3] = {0};
	uint64_t record[4], stags = 0;

	many_pages(b);
	access_start(b, &a[0], SID, 3, VA + 0x5000, SIM_READ); /* brings in the CD */
	event_take(b, record);
	command(b, CMD_SID(CMD_RESUME, SID) | CMD_RESUME_0_AB, FIELD_GET(EVENT_1_STAG, record[1]));
	ck_assert(access_wait(&a[0], SIM_US(1)));
	for (int i = 0; i < 3; i++)
		access_start(b, &a[i], SID, 3, VA + (unsigned int)i * 8, SIM_READ);
	for (unsigned int i = 0; i < 3; i++) {
		event_take(b, record);
		ck_assert_uint_eq(record[2], VA + i * 8);
		stags |= UINT64_C(1) << FIELD_GET(EVENT_1_STAG, record[1]);
		if (!i)
			map(b, 3, VA, DATA, 3, ATTR_RW);
		command(b, CMD_SID(CMD_RESUME, SID) | CMD_RESUME_0_AC,
			FIELD_GET(EVENT_1_STAG, record[1]));
	}
	ck_assert_int_eq(__builtin_popcountll(stags), 3);
	for (int i = 0; i < 3; i++) {
		ck_assert(access_wait(&a[i], SIM_US(5)));
		ck_assert_int_eq(a[i].txn.response, SIM_OK);
	}
	ck_assert_double_ge(metric(b, "smmu.walks_merged"), 2);
	ck_assert_double_eq(metric(b, "smmu.stalls.taken"), 4);
}

/*
 * At every instant of a miss: what comes after an invalidation must not use what was read before it.
 * Commands are a pair, of which the second may be nothing.
 */
struct join {
	void (*change)(struct bench *b, bool new);
	uint64_t commands[2][2];
};

static void change_page(struct bench *b, bool new)
{
	map(b, 1, VA, DATA + (new ? 0x20000 : 0), 3, ATTR_RW);
}

static void change_cd(struct bench *b, bool new)
{
	mem64(b, CDTAB + 64)[1] = space_pgd(new ? 2 : 1);
}

static void join_after(struct bench *b, const struct join *join, unsigned int delay)
{
	struct access first = {0}, second = {0};

	change_page(b, false);
	change_cd(b, false);
	command_sync(b, CMD_CFGI_STE_RANGE, 31);
	command_sync(b, CMD_TLBI_NSNH_ALL, 0);
	access_start(b, &first, SID, 1, VA, SIM_READ);
	sim_thread_sleep(SIM_NS(delay));
	join->change(b, true);
	for (int i = 0; i < 2 && join->commands[i][0]; i++)
		command_put(b, join->commands[i][0], join->commands[i][1]);
	commands_ring(b);
	ck_assert(commands_consumed(b));
	access_start(b, &second, SID, 1, VA, SIM_READ);
	ck_assert(access_wait(&first, SIM_US(10)));
	ck_assert(access_wait(&second, SIM_US(10)));
	ck_assert_msg(b->last_pa == DATA + 0x20000, "delay %u: %lx", delay, b->last_pa);
}

static void all_caches(struct smmu_params *params)
{
	micro(params);
	params->walk_cache_l0_entries = 4;
	params->walk_cache_l1_entries = 4;
	params->walk_cache_l2_entries = 4;
}

BENCH_TEST_WITH(test_nobody_joins_a_walk_that_was_invalidated, all_caches)
{
	static const struct join joins[] = {
		{change_page, {{CMD_TLBI_NH_VA | ASID(1), VA}}},
		{change_page, {{CMD_TLBI_NH_VA | ASID(1), VA | 1}}},
		{change_page, {{CMD_TLBI_NH_ASID | ASID(1), 0}}},
		{change_page, {{CMD_TLBI_NH_VAA, VA}}},
		{change_page, {{CMD_TLBI_NSNH_ALL, 0}}},
		{change_cd,
		 {{CMD_SID(CMD_CFGI_CD, SID) | 1 << 12, 1}, {CMD_TLBI_NH_ASID | ASID(1), 0}}},
		{change_cd, {{CMD_SID(CMD_CFGI_STE, SID), 1}, {CMD_TLBI_NH_ASID | ASID(1), 0}}},
		{change_cd, {{CMD_TLBI_NH_ASID | ASID(1), 0}, {CMD_CFGI_STE_RANGE, 31}}},
	};

	many_pages(b);
	map(b, 2, VA, DATA + 0x20000, 3, ATTR_RW);
	b->mem_latency = SIM_NS(400);
	b->cmdq_latency = SIM_NS(10);
	for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++)
		for (unsigned int delay = 0; delay < 2800; delay += 61)
			join_after(b, &joins[i], delay);
}

/* ---- walk caches ------------------------------------------------------------------------- */

static unsigned int reads_of(struct bench *b, uint32_t ssid, uint64_t va)
{
	struct access a = {0};
	unsigned int before = b->walk_reads;

	ck_assert_int_eq(access_do(b, &a, SID, (int)ssid, va, SIM_READ), SIM_OK);
	return b->walk_reads - before;
}

static void cache_l0(struct smmu_params *params)
{
	params->walk_cache_l0_entries = 4;
}

static void cache_l1(struct smmu_params *params)
{
	params->walk_cache_l1_entries = 4;
}

static void cache_l2(struct smmu_params *params)
{
	params->walk_cache_l2_entries = 4;
}

BENCH_TEST_WITH(test_walk_cache_of_level_0_saves_a_read, cache_l0)
{
	many_pages(b);
	warm_up(b);
	reads_of(b, 1, VA);
	ck_assert_uint_eq(reads_of(b, 1, VA + 0x1000), 3);
}

BENCH_TEST_WITH(test_walk_cache_of_level_1_saves_two_reads, cache_l1)
{
	many_pages(b);
	warm_up(b);
	reads_of(b, 1, VA);
	ck_assert_uint_eq(reads_of(b, 1, VA + 0x1000), 2);
}

BENCH_TEST_WITH(test_walk_cache_of_level_2_saves_three_reads, cache_l2)
{
	struct access a = {0};

	many_pages(b);
	warm_up(b);
	reads_of(b, 1, VA);
	ck_assert_uint_eq(reads_of(b, 1, VA + 0x1000), 1);
	access_do(b, &a, SID, 1, VA + 0x2000, SIM_READ);
	check_waits(b, &a, 5, 0, MEM_NS, 0);
	ck_assert_double_eq(metric(b, "smmu.walk_cache_l2.hits"), 2);
	ck_assert_double_eq(metric(b, "smmu.walk_cache_l2.misses"), 2);
}

/* Each level serves what the deeper ones do not have. */
BENCH_TEST_WITH(test_walk_caches_serve_from_the_deepest_level, all_caches)
{
	many_pages(b);
	map(b, 1, VA + 0x200000, DATA, 3, ATTR_RW);
	map(b, 1, VA + 0x40000000, DATA, 3, ATTR_RW);
	warm_up(b);
	ck_assert_uint_eq(reads_of(b, 1, VA), 4);
	ck_assert_uint_eq(reads_of(b, 1, VA + 0x1000), 1);
	ck_assert_uint_eq(reads_of(b, 1, VA + 0x200000), 2);
	ck_assert_uint_eq(reads_of(b, 1, VA + 0x40000000), 3);
	ck_assert_uint_eq(reads_of(b, 2, VA),
			  5); /* another ASID, its CD, and nothing of the first */
}

BENCH_TEST_WITH(test_hierarchical_permissions_survive_in_walk_caches, all_caches)
{
	struct access a = {0};

	many_pages(b);
	*mem64(b, space_pgd(1) + (VA >> 39 & 511) * 8) |= VMSA_TABLE_AP_RDONLY;
	warm_up(b);
	reads_of(b, 1, VA);
	ck_assert_uint_eq(reads_of(b, 1, VA + 0x1000), 1);
	ck_assert_int_eq(access_do(b, &a, SID, 1, VA + 0x2000, SIM_WRITE), SIM_SLVERR);
}

/* ---- invalidation of each structure ------------------------------------------------------ */

static const struct {
	const char *what;
	uint64_t dw0, dw1;
	unsigned int micro, tlb, walk; /* left, of 4, 4, and 2 of each level */
} scopes[] = {
	{"NSNH_ALL", CMD_TLBI_NSNH_ALL, 0, 0, 0, 0},
	{"NH_ALL", CMD_TLBI_NH_ALL, 0, 0, 0, 0},
	{"NH_ASID", CMD_TLBI_NH_ASID | ASID(1), 0, 2, 2, 1},
	{"NH_ASID of another", CMD_TLBI_NH_ASID | ASID(7), 0, 4, 4, 2},
	{"NH_VA takes the tables on its way", CMD_TLBI_NH_VA | ASID(1), VA, 3, 3, 1},
	{"NH_VA of a leaf leaves them", CMD_TLBI_NH_VA | ASID(1), VA | 1, 3, 3, 2},
	{"NH_VA of a page that is not cached", CMD_TLBI_NH_VA | ASID(1), VA + 0x9000, 4, 4, 1},
	{"NH_VA of another ASID", CMD_TLBI_NH_VA | ASID(7), VA, 4, 4, 2},
	{"NH_VA elsewhere", CMD_TLBI_NH_VA | ASID(1), 0x1000, 4, 4, 2},
	{"NH_VAA", CMD_TLBI_NH_VAA, VA, 2, 2, 0},
	{"NH_VAA of a leaf", CMD_TLBI_NH_VAA, VA | 1, 2, 2, 2},
	{"CFGI_STE", CMD_SID(CMD_CFGI_STE, SID), 1, 4, 4, 2},
	{"CFGI_CD", CMD_SID(CMD_CFGI_CD, SID) | 1 << 12, 1, 4, 4, 2},
};

static void all_caches_larger(struct smmu_params *params)
{
	all_caches(params);
	params->micro_tlb_entries = 16;
}

BENCH_TEST_WITH(test_invalidation_of_each_structure, all_caches_larger)
{
	many_pages(b);
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		struct smmu_occupancy o;

		command_sync(b, CMD_TLBI_NSNH_ALL, 0);
		for (uint32_t ssid = 1; ssid < 3; ssid++)
			for (unsigned int page = 0; page < 2; page++)
				reads_of(b, ssid, VA + page * 0x1000);
		command_sync(b, scopes[i].dw0, scopes[i].dw1);
		o = smmu_get_occupancy(b->smmu);
		ck_assert_msg(o.micro_tlbs == scopes[i].micro && o.tlb == scopes[i].tlb &&
				      o.walk_cache[0] == scopes[i].walk &&
				      o.walk_cache[1] == scopes[i].walk &&
				      o.walk_cache[2] == scopes[i].walk,
			      "%s: %u %u %u %u %u", scopes[i].what, o.micro_tlbs, o.tlb,
			      o.walk_cache[0], o.walk_cache[1], o.walk_cache[2]);
	}
}

BENCH_TEST_WITH(test_invalidation_reaches_every_micro_tlb, micro)
{
	struct access a = {0};

	many_pages(b);
	for (uint32_t sid = SID; sid <= 8; sid += 3)
		access_do(b, &a, sid, 1, VA, SIM_READ);
	ck_assert_uint_eq(smmu_get_occupancy(b->smmu).micro_tlbs, 2);
	map(b, 1, VA, DATA + 0x7000, 3, ATTR_RW);
	command_sync(b, CMD_TLBI_NH_VA | ASID(1), VA | 1);
	ck_assert_uint_eq(smmu_get_occupancy(b->smmu).micro_tlbs, 0);
	for (uint32_t sid = SID; sid <= 8; sid += 3) {
		access_do(b, &a, sid, 1, VA, SIM_READ);
		ck_assert_uint_eq(b->last_pa, DATA + 0x7000);
	}
}

BENCH_TEST_WITH(test_permission_that_was_added_needs_no_invalidation_of_a_micro_tlb, micro)
{
	struct access a = {0};

	many_pages(b);
	map(b, 1, VA, DATA, 3, ATTR_RW | VMSA_ATTR_AP_RDONLY);
	access_do(b, &a, SID, 1, VA, SIM_READ);
	map(b, 1, VA, DATA, 3, ATTR_RW);
	access_do(b, &a, SID, 1, VA, SIM_WRITE); /* may fault, once */
	ck_assert_int_eq(access_do(b, &a, SID, 1, VA, SIM_WRITE), SIM_OK);
}

/* A look-up that was a hit is waited for, though its time is not over. */
BENCH_TEST_WITH(test_sync_waits_for_a_hit_whose_answer_is_on_its_way, slow_micro_tlb)
{
	struct access a = {0};
	sim_time sync;

	many_pages(b);
	b->cmdq_latency = SIM_PS(100);
	access_do(b, &a, SID, 1, VA, SIM_READ);
	for (int i = 0; i < 40; i++) /* some hundred ns of look-ups in a queue */
		access_start(b, &accesses[i], SID, 1, VA, SIM_READ);
	command_put(b, CMD_TLBI_NH_VA | ASID(1), VA);
	command(b, CMD_SYNC, 0);
	ck_assert(commands_consumed(b));
	sync = sim_now();
	for (int i = 0; i < 40; i++)
		ck_assert(accesses[i].done && accesses[i].done_at <= sync);
}

/* ---- sizes ------------------------------------------------------------------------------- */

static void all_sizes(struct smmu_params *params, uint32_t n)
{
	params->micro_tlb_entries = params->micro_tlb_slots = params->translation_slots = n;
	params->tlb_entries = params->ste_cache_entries = params->cd_cache_entries = n;
	params->walk_cache_l0_entries = params->walk_cache_l1_entries =
		params->walk_cache_l2_entries = n;
	params->walk_slots = n;
	params->stall_max = n < 65535 ? n : 65535;
	params->micro_tlb_hit_ps = 1000;
}

static void smallest(struct smmu_params *params)
{
	all_sizes(params, 1);
}

static void largest(struct smmu_params *params)
{
	all_sizes(params, 65536);
}

static void use_everything(struct bench *b)
{
	struct access a = {0};

	many_pages(b);
	burst(b, 0x1000);
	burst(b, 8);
	for (uint32_t i = 0; i < 40; i++) {
		ck_assert_int_eq(access_do(b, &a, i & 1 ? SID : 8, (int)(1 + i % 2),
					   VA + (i % 7) * 0x1000, SIM_READ),
				 SIM_OK);
		ck_assert_uint_eq(b->last_pa, DATA + (i % 7) * 0x1000);
		if (i % 10 == 5)
			command_sync(b, CMD_TLBI_NH_ASID | ASID(1), 0);
	}
}

BENCH_TEST_WITH(test_structures_of_size_one_work, smallest)
{
	use_everything(b);
}

BENCH_TEST_WITH(test_structures_of_the_largest_size_work, largest)
{
	use_everything(b);
}

TCase *timing_cases(void)
{
	TCase *tc = tcase_create("timing");

	tcase_add_test(tc, test_one_walker_binds);
	tcase_add_test(tc, test_six_walkers_bind);
	tcase_add_test(tc, test_translation_slots_bind);
	tcase_add_test(tc, test_micro_tlb_slots_bind);
	tcase_add_test(tc, test_command_rate_binds);
	tcase_add_test(tc, test_event_records_and_interrupts_take_their_time);
	tcase_add_test(tc, test_full_port_delays_only_its_own);
	tcase_add_test(tc, test_stalled_transaction_keeps_its_slot);
	tcase_add_test(tc, test_waits_of_hits_and_walks);
	tcase_add_test(tc, test_waits_of_a_queued_walk);
	tcase_add_test(tc, test_waits_of_a_fault_that_is_resumed);
	tcase_add_test(tc, test_waits_of_a_fault_that_is_aborted);
	tcase_add_test(tc, test_misses_on_one_page_share_a_walk);
	tcase_add_test(tc, test_misses_walk_for_themselves_if_not_merged);
	tcase_add_test(tc, test_merged_misses_that_fault_stall_one_by_one);
	tcase_add_test(tc, test_nobody_joins_a_walk_that_was_invalidated);
	tcase_add_test(tc, test_walk_cache_of_level_0_saves_a_read);
	tcase_add_test(tc, test_walk_cache_of_level_1_saves_two_reads);
	tcase_add_test(tc, test_walk_cache_of_level_2_saves_three_reads);
	tcase_add_test(tc, test_walk_caches_serve_from_the_deepest_level);
	tcase_add_test(tc, test_hierarchical_permissions_survive_in_walk_caches);
	tcase_add_test(tc, test_invalidation_of_each_structure);
	tcase_add_test(tc, test_invalidation_reaches_every_micro_tlb);
	tcase_add_test(tc, test_permission_that_was_added_needs_no_invalidation_of_a_micro_tlb);
	tcase_add_test(tc, test_sync_waits_for_a_hit_whose_answer_is_on_its_way);
	tcase_add_test(tc, test_structures_of_size_one_work);
	tcase_add_test(tc, test_structures_of_the_largest_size_work);
	return tc;
}
