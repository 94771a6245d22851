/* SPDX-License-Identifier: BSD-3-Clause */
/* The TLB and the configuration caches: what they save, what each command removes, and races. */
#include "tests/models-smmu/bench.h"

#include <string.h>

#define VA	UINT64_C(0x7f0000000000)
#define ASID(n) ((uint64_t)(100 + (n)) << 48)

static void ril(struct smmu_params *params)
{
	params->ril = true;
}

static void two_contexts(struct bench *b)
{
	bench_start(b);
	ste_stage1(b, SID, 2, S1DSS_BYPASS);
	for (uint32_t i = 1; i < 3; i++) {
		cd_set(b, i, 0);
		for (unsigned int page = 0; page < 4; page++)
			map(b, i, VA + page * 0x1000, DATA + i * 0x10000 + page * 0x1000, 3,
			    ATTR_RW);
		map(b, i, VA + 0x200000, DATA, 2, ATTR_RW);
		map(b, i, VA + 0x400000, DATA + i * 0x1000, 3,
		    ATTR_RW & ~VMSA_ATTR_NG); /* global */
	}
}

static void fill_all(struct bench *b)
{
	static const uint64_t pages[] = {0, 0x1000, 0x2000, 0x3000, 0x200000, 0x400000};
	struct access a = {0};

	for (int ssid = 1; ssid < 3; ssid++)
		for (int i = 0; i < 6; i++)
			ck_assert_int_eq(access_do(b, &a, SID, ssid, VA + pages[i], SIM_READ),
					 SIM_OK);
	ck_assert_uint_eq(smmu_get_occupancy(b->smmu).tlb, 11); /* 5 each, and one global */
}

static const struct tlbi_case {
	const char *what;
	uint64_t dw0, dw1;
	unsigned int left;
} tlbi_cases[] = {
	{"NSNH_ALL", CMD_TLBI_NSNH_ALL, 0, 0},
	{"NH_ALL", CMD_TLBI_NH_ALL, 0, 0},
	{"NH_ASID leaves global", CMD_TLBI_NH_ASID | ASID(1), 0, 6},
	{"NH_ASID of another", CMD_TLBI_NH_ASID | ASID(7), 0, 11},
	{"NH_VA", CMD_TLBI_NH_VA | ASID(1), VA + 0x1000, 10},
	{"NH_VA of another ASID", CMD_TLBI_NH_VA | ASID(7), VA + 0x1000, 11},
	{"NH_VA leaf", CMD_TLBI_NH_VA | ASID(2), (VA + 0x2000) | 1, 10},
	{"NH_VA inside a block", CMD_TLBI_NH_VA | ASID(1), VA + 0x2ff000, 10},
	{"NH_VA of a global page, any ASID", CMD_TLBI_NH_VA | ASID(7), VA + 0x400000, 10},
	{"NH_VA of nothing", CMD_TLBI_NH_VA | ASID(1), VA + 0x9000, 11},
	{"NH_VAA", CMD_TLBI_NH_VAA, VA + 0x1000, 9},
};

BENCH_TEST(test_tlbi_scopes)
{
	two_contexts(b);
	for (size_t i = 0; i < sizeof(tlbi_cases) / sizeof(tlbi_cases[0]); i++) {
		command_sync(b, CMD_TLBI_NSNH_ALL, 0);
		fill_all(b);
		command_sync(b, tlbi_cases[i].dw0, tlbi_cases[i].dw1);
		ck_assert_msg(smmu_get_occupancy(b->smmu).tlb == tlbi_cases[i].left, "%s: %u",
			      tlbi_cases[i].what, smmu_get_occupancy(b->smmu).tlb);
	}
}

/* (NUM + 1) × 2^SCALE pages of the granule TG */
#define RANGE(num, scale) (FIELD_PREP(CMD_TLBI_0_NUM, num) | FIELD_PREP(CMD_TLBI_0_SCALE, scale))

static const struct tlbi_case range_cases[] = {
	{"one page", CMD_TLBI_NH_VA | ASID(1) | RANGE(0, 0), VA | 1 << 10, 10},
	{"three pages", CMD_TLBI_NH_VA | ASID(1) | RANGE(2, 0), VA | 1 << 10, 8},
	{"four by scale", CMD_TLBI_NH_VA | ASID(1) | RANGE(1, 1), VA | 1 << 10, 7},
	{"with the block", CMD_TLBI_NH_VA | ASID(1) | RANGE(1, 9), VA | 1 << 10, 6},
	{"everything", CMD_TLBI_NH_VAA | RANGE(31, 31), 1 << 10, 0},
	{"no TG, no range", CMD_TLBI_NH_VA | ASID(1) | RANGE(2, 0), VA, 10},
};

BENCH_TEST_WITH(test_range_invalidation, ril)
{
	two_contexts(b);
	for (size_t i = 0; i < sizeof(range_cases) / sizeof(range_cases[0]); i++) {
		command_sync(b, CMD_TLBI_NSNH_ALL, 0);
		fill_all(b);
		command_sync(b, range_cases[i].dw0, range_cases[i].dw1);
		ck_assert_msg(smmu_get_occupancy(b->smmu).tlb == range_cases[i].left, "%s: %u",
			      range_cases[i].what, smmu_get_occupancy(b->smmu).tlb);
	}
}

static const struct {
	const char *what;
	uint64_t dw0, dw1;
	unsigned int stes, cds;
} cfgi_cases[] = {
	{"CFGI_STE takes its CDs", CMD_SID(CMD_CFGI_STE, SID), 1, 1, 1},
	{"CFGI_STE of another", CMD_SID(CMD_CFGI_STE, 63), 1, 2, 3},
	{"CFGI_STE_RANGE", CMD_SID(CMD_CFGI_STE_RANGE, 4), 0, 1, 1}, /* 4 and 5 */
	{"CFGI_ALL", CMD_CFGI_STE_RANGE, 31, 0, 0},
	{"CFGI_CD", CMD_SID(CMD_CFGI_CD, SID) | 1 << 12, 1, 2, 2},
	{"CFGI_CD of another", CMD_SID(CMD_CFGI_CD, SID) | 3 << 12, 1, 2, 3},
	{"CFGI_CD_ALL", CMD_SID(CMD_CFGI_CD_ALL, SID), 0, 2, 1},
};

BENCH_TEST(test_configuration_invalidation_scopes)
{
	struct access a = {0};

	two_contexts(b);
	ste_stage1(b, 8, 2, S1DSS_BYPASS);
	for (size_t i = 0; i < sizeof(cfgi_cases) / sizeof(cfgi_cases[0]); i++) {
		struct smmu_occupancy o;

		access_do(b, &a, SID, 1, VA, SIM_READ);
		access_do(b, &a, SID, 2, VA, SIM_READ);
		access_do(b, &a, 8, 2, VA, SIM_READ);
		o = smmu_get_occupancy(b->smmu);
		ck_assert_uint_eq(o.ste_cache, 2);
		ck_assert_uint_eq(o.cd_cache, 3);
		command_sync(b, cfgi_cases[i].dw0, cfgi_cases[i].dw1);
		o = smmu_get_occupancy(b->smmu);
		ck_assert_msg(o.ste_cache == cfgi_cases[i].stes, "%s: %u", cfgi_cases[i].what,
			      o.ste_cache);
		ck_assert_msg(o.cd_cache == cfgi_cases[i].cds, "%s: %u", cfgi_cases[i].what,
			      o.cd_cache);
	}
}

BENCH_TEST(test_cached_translation_stays_until_invalidated)
{
	struct access a = {0};
	unsigned int reads;

	two_contexts(b);
	access_do(b, &a, SID, 1, VA, SIM_READ);
	reads = b->walk_reads;
	map(b, 1, VA, DATA + 0x70000, 3, ATTR_RW);
	access_do(b, &a, SID, 1, VA, SIM_READ);
	ck_assert_uint_eq(b->last_pa, DATA + 0x10000);
	ck_assert_uint_eq(b->walk_reads, reads);
	command_sync(b, CMD_TLBI_NH_VA | ASID(1), VA);
	access_do(b, &a, SID, 1, VA, SIM_READ);
	ck_assert_uint_eq(b->last_pa, DATA + 0x70000);
}

BENCH_TEST(test_permission_that_was_added_needs_no_invalidation)
{
	struct access a = {0};

	two_contexts(b);
	map(b, 1, VA, DATA, 3, ATTR_RW | VMSA_ATTR_AP_RDONLY);
	ck_assert_int_eq(access_do(b, &a, SID, 1, VA, SIM_READ), SIM_OK);
	map(b, 1, VA, DATA, 3, ATTR_RW);
	access_do(b, &a, SID, 1, VA, SIM_WRITE); /* may fault, once */
	ck_assert_int_eq(access_do(b, &a, SID, 1, VA, SIM_WRITE), SIM_OK);
}

/*
 * The race, at every instant of a miss: what it reads is changed and invalidated while it is under
 * way. After the CMD_SYNC nothing old may be used: what began before has ended, and what comes then
 * sees the change.
 */
struct race {
	void (*change)(struct bench *b, bool new);
	uint64_t dw0, dw1;
};

static void change_page(struct bench *b, bool new)
{
	map(b, 1, VA, DATA + (new ? 0x20000 : 0x10000), 3, ATTR_RW);
}

static void change_cd(struct bench *b, bool new)
{
	mem64(b, CDTAB + 64)[1] = space_pgd(new ? 2 : 1);
}

static void change_ste(struct bench *b, bool new)
{
	mem64(b, STRTAB + SID * 64)[0] = STE_0_V | FIELD_PREP(STE_0_CONFIG, 5) |
					 FIELD_PREP(STE_0_S1CDMAX, 2) | (new ? L2_TABLE : CDTAB);
}

static void run_race(struct bench *b, const struct race *race, unsigned int delay)
{
	struct access a = {0}, after = {0};

	change_page(b, false);
	change_cd(b, false);
	change_ste(b, false);
	command_sync(b, CMD_CFGI_STE_RANGE, 31);
	command_sync(b, CMD_TLBI_NSNH_ALL, 0);
	access_start(b, &a, SID, 1, VA, SIM_READ);
	sim_thread_sleep(SIM_NS(delay));
	race->change(b, true);
	command_put(b, race->dw0, race->dw1);
	if (race->change != change_page)
		command_put(b, CMD_TLBI_NH_ASID | ASID(1), 0);
	command(b, CMD_SYNC, 0);
	for (int i = 0; i < 400 && reg_read32(b, REG_CMDQ_CONS) != b->cmdq_prod; i++)
		;
	ck_assert_msg(a.done || delay == 0, "delay %u: the CMD_SYNC did not wait", delay);
	ck_assert(access_wait(&a, SIM_US(10)));
	ck_assert_int_eq(access_do(b, &after, SID, 1, VA, SIM_READ), SIM_OK);
	ck_assert_msg(b->last_pa == DATA + 0x20000, "delay %u: %lx", delay, b->last_pa);
}

BENCH_TEST(test_invalidation_races_with_a_walk_in_flight)
{
	static const struct race races[] = {
		{change_page, CMD_TLBI_NH_VA | ASID(1), VA},
		{change_page, CMD_TLBI_NH_ASID | ASID(1), 0},
		{change_page, CMD_TLBI_NH_VAA, VA},
		{change_page, CMD_TLBI_NSNH_ALL, 0},
		{change_cd, CMD_SID(CMD_CFGI_CD, SID) | 1 << 12, 1},
		{change_cd, CMD_SID(CMD_CFGI_CD_ALL, SID), 1},
		{change_cd, CMD_SID(CMD_CFGI_STE, SID), 1},
		{change_ste, CMD_SID(CMD_CFGI_STE, SID), 1},
		{change_ste, CMD_CFGI_STE_RANGE, 31},
	};

	two_contexts(b);
	memcpy(mem64(b, L2_TABLE), mem64(b, CDTAB), 4 * CD_BYTES);
	mem64(b, L2_TABLE + 64)[1] = space_pgd(2); /* same ASID */
	b->mem_latency = SIM_NS(300);
	b->cmdq_latency = SIM_NS(10); /* a command takes effect within one read of a walk */
	for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++)
		for (unsigned int delay = 6; delay < 2400; delay += 53)
			run_race(b, &races[i], delay);
}

BENCH_TEST(test_sync_waits_for_a_user_of_what_was_invalidated)
{
	struct access old = {0}, young = {0};

	two_contexts(b);
	access_do(b, &old, SID, 1, VA, SIM_READ);
	b->hold_downstream = true;
	access_start(b, &old, SID, 1, VA, SIM_WRITE); /* a hit; its write is on its way */
	sim_thread_sleep(SIM_US(1));
	command_put(b, CMD_TLBI_NH_VA | ASID(1), VA);
	command(b, CMD_SYNC, 0);
	ck_assert(!commands_consumed(b));
	access_start(b, &young, SID, 1, VA, SIM_WRITE); /* began later: need not be waited for */
	sim_thread_sleep(SIM_US(3));
	ck_assert_uint_eq(b->held_count, 2);
	bench_release(b, 1);
	ck_assert(commands_consumed(b));
	ck_assert(!young.done);
	bench_release(b, 1);
	ck_assert(access_wait(&young, SIM_US(1)));
}

BENCH_TEST(test_sync_without_invalidation_waits_for_nobody)
{
	struct access a = {0};

	two_contexts(b);
	b->hold_downstream = true;
	access_start(b, &a, SID, 1, VA, SIM_READ);
	sim_thread_sleep(SIM_US(2));
	command(b, CMD_SYNC, 0);
	ck_assert(commands_consumed(b));
	bench_release(b, 1);
	ck_assert(access_wait(&a, SIM_US(1)));
}

BENCH_TEST(test_sync_does_not_wait_for_a_stall)
{
	struct access a = {0};
	uint64_t record[4];

	two_contexts(b);
	cd_set(b, 3, CD_0_S);
	access_start(b, &a, SID, 3, VA, SIM_READ);
	event_take(b, record);
	command_sync(b, CMD_TLBI_NSNH_ALL, 0);
	ck_assert(!a.done);
	command(b, CMD_SID(CMD_RESUME, SID) | CMD_RESUME_0_AB, FIELD_GET(EVENT_1_STAG, record[1]));
	ck_assert(access_wait(&a, SIM_US(2)));
}

static void one_slot(struct smmu_params *params)
{
	params->walk_slots = 1;
}

BENCH_TEST_WITH(test_misses_wait_for_a_walk_slot, one_slot)
{
	struct access a[4] = {0};
	sim_time begin, last = 0;

	two_contexts(b);
	access_do(b, &a[0], SID, 1, VA, SIM_READ); /* STE and CD are cached */
	command_sync(b, CMD_TLBI_NSNH_ALL, 0);
	begin = sim_now();
	for (unsigned int i = 0; i < 4; i++)
		access_start(b, &a[i], SID, 1, VA + i * 0x1000, SIM_READ);
	for (unsigned int i = 0; i < 4; i++) {
		ck_assert(access_wait(&a[i], SIM_US(10)));
		ck_assert_uint_gt(a[i].done_at, last);
		last = a[i].done_at;
	}
	/* 5 ns to look up, four walks of four reads one after another, the last one's access */
	ck_assert_uint_eq(last - begin, SIM_NS(5 + 4 * 4 * 80 + 80));
	ck_assert_uint_eq(metric(b, "smmu.walk_slot_waits"), 3);
}

BENCH_TEST(test_latency_of_hit_and_miss)
{
	struct access a = {0};
	sim_time begin;

	two_contexts(b);
	access_do(b, &a, SID, 1, VA, SIM_READ);
	begin = sim_now();
	access_do(b, &a, SID, 1, VA + 8, SIM_READ);
	ck_assert_uint_eq(a.done_at - begin, SIM_NS(5 + 80));
	begin = sim_now();
	access_do(b, &a, SID, 1, VA + 0x1000, SIM_READ);
	ck_assert_uint_eq(a.done_at - begin, SIM_NS(5 + 4 * 80 + 80));
	ck_assert_uint_eq(metric(b, "smmu.tlb.hits"), 1);
	ck_assert_uint_eq(metric(b, "smmu.tlb.misses"), 2);
	ck_assert_double_eq(metric(b, "smmu.walk_ns.max"), 320);
}

static void tiny(struct smmu_params *params)
{
	params->tlb_entries = params->ste_cache_entries = params->cd_cache_entries = 1;
}

BENCH_TEST_WITH(test_caches_of_one_entry_are_right, tiny)
{
	struct access a = {0};

	two_contexts(b);
	for (unsigned int i = 0; i < 20; i++) {
		uint32_t ssid = 1 + i % 2;

		ck_assert_int_eq(access_do(b, &a, SID, (int)ssid, VA + (i % 3) * 0x1000, SIM_READ),
				 SIM_OK);
		ck_assert_uint_eq(b->last_pa, DATA + ssid * 0x10000 + (i % 3) * 0x1000);
	}
	ck_assert_uint_eq(smmu_get_occupancy(b->smmu).tlb, 1);
}

TCase *invalidation_cases(void)
{
	TCase *tc = tcase_create("invalidation");

	tcase_add_test(tc, test_tlbi_scopes);
	tcase_add_test(tc, test_range_invalidation);
	tcase_add_test(tc, test_configuration_invalidation_scopes);
	tcase_add_test(tc, test_cached_translation_stays_until_invalidated);
	tcase_add_test(tc, test_permission_that_was_added_needs_no_invalidation);
	tcase_add_test(tc, test_invalidation_races_with_a_walk_in_flight);
	tcase_add_test(tc, test_sync_waits_for_a_user_of_what_was_invalidated);
	tcase_add_test(tc, test_sync_without_invalidation_waits_for_nobody);
	tcase_add_test(tc, test_sync_does_not_wait_for_a_stall);
	tcase_add_test(tc, test_misses_wait_for_a_walk_slot);
	tcase_add_test(tc, test_latency_of_hit_and_miss);
	tcase_add_test(tc, test_caches_of_one_entry_are_right);
	return tc;
}
