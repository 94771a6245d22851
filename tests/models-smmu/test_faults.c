/* SPDX-License-Identifier: BSD-3-Clause */
/* Translation faults and their records; stalls, STAGs, CMD_RESUME. */
#include "tests/models-smmu/bench.h"

#include <string.h>

#define VA UINT64_C(0x7f1234567000)

static const struct fault_case {
	const char *what;
	uint64_t va;
	uint64_t attributes; /* of a page at VA; 0: not mapped */
	enum sim_cmd cmd;
	bool privileged, instruction;
	unsigned int event; /* 0: translated */
} fault_table[] = {
	{"read", VA + 8, ATTR_RW, SIM_READ, false, false, 0},
	{"write", VA + 8, ATTR_RW, SIM_WRITE, false, false, 0},
	{"not mapped", VA + 8, 0, SIM_READ, false, false, F_TRANSLATION},
	{"not mapped, write", VA, 0, SIM_WRITE, false, false, F_TRANSLATION},
	{"beyond T0SZ", BIT(50), 0, SIM_READ, false, false, F_TRANSLATION},
	{"upper half, EPD1", ~UINT64_C(0xfff), 0, SIM_READ, false, false, F_TRANSLATION},
	{"access flag", VA, VMSA_ATTR_AP_USER | VMSA_ATTR_NG, SIM_READ, false, false, F_ACCESS},
	{"read-only, read", VA, ATTR_RW | VMSA_ATTR_AP_RDONLY, SIM_READ, false, false, 0},
	{"read-only, write", VA, ATTR_RW | VMSA_ATTR_AP_RDONLY, SIM_WRITE, false, false,
	 F_PERMISSION},
	{"read-only, atomic", VA, ATTR_RW | VMSA_ATTR_AP_RDONLY, SIM_ATOMIC_ADD, false, false,
	 F_PERMISSION},
	{"kernel page, user", VA, VMSA_ATTR_AF | VMSA_ATTR_NG, SIM_READ, false, false,
	 F_PERMISSION},
	{"kernel page, kernel", VA, VMSA_ATTR_AF | VMSA_ATTR_NG, SIM_READ, true, false, 0},
	{"execute", VA, ATTR_RW, SIM_READ, false, true, 0},
	{"execute never", VA, ATTR_RW | VMSA_ATTR_UXN, SIM_READ, false, true, F_PERMISSION},
	{"execute never, privileged", VA, ATTR_RW | VMSA_ATTR_PXN, SIM_READ, true, true,
	 F_PERMISSION},
};

BENCH_TEST(test_translation_faults_and_their_records)
{
	bench_start(b);
	ste_stage1(b, SID, 2, S1DSS_BYPASS);
	cd_set(b, 1, 0);
	for (size_t i = 0; i < sizeof(fault_table) / sizeof(fault_table[0]); i++) {
		const struct fault_case *c = &fault_table[i];
		struct access a = {
			.txn = {.privileged = c->privileged, .instruction = c->instruction}};
		uint64_t record[4];

		map(b, 1, VA, DATA, 3, c->attributes);
		if (!c->attributes)
			unmap(b, 1, VA);
		command_sync(b, CMD_TLBI_NH_ALL, 0);
		ck_assert_msg(access_do(b, &a, SID, 1, c->va, c->cmd) ==
				      (c->event ? SIM_SLVERR : SIM_OK),
			      "%s", c->what);
		if (!c->event) {
			ck_assert_uint_eq(b->last_pa, DATA + (c->va & 4095));
			continue;
		}
		event_take(b, record);
		ck_assert_msg(record[0] ==
				      (c->event | EVENT_0_SSV | 1u << 12 | (uint64_t)SID << 32),
			      "%s", c->what);
		ck_assert_msg(record[1] == (FIELD_PREP(EVENT_1_CLASS, CLASS_IN) |
					    (c->cmd == SIM_READ ? EVENT_1_RNW : 0) |
					    (c->privileged ? EVENT_1_PNU : 0) |
					    (c->instruction ? EVENT_1_IND : 0)),
			      "%s: %lx", c->what, record[1]);
		ck_assert_uint_eq(record[2], c->va);
		ck_assert_uint_eq(record[3], 0);
	}
}

BENCH_TEST(test_address_size_fault_of_a_descriptor)
{
	struct access a = {0};
	uint64_t record[4], *cd = mem64(b, CDTAB);

	bench_start(b);
	ste_stage1(b, SID, 0, 0);
	cd_set(b, 0, 0);
	cd[0] &= ~CD_0_IPS; /* 32 bits */
	map(b, 0, VA, BIT(33), 3, ATTR_RW);
	ck_assert_int_eq(access_do(b, &a, SID, -1, VA, SIM_READ), SIM_SLVERR);
	event_take(b, record);
	ck_assert_uint_eq(FIELD_GET(EVENT_0_ID, record[0]), F_ADDR_SIZE);
}

BENCH_TEST(test_blocks_translate_and_take_one_entry)
{
	static const struct {
		int level;
		uint64_t va, pa, offset;
	} cases[] = {
		{1, 0x4000000000, 0, 0x400123},
		{2, 0x5000200000, 0x400000, 0x1ff00},
		{3, 0x6000001000, DATA, 0xff0},
	};

	bench_start(b);
	ste_stage1(b, SID, 0, 0);
	cd_set(b, 0, 0);
	for (unsigned int i = 0; i < 3; i++) {
		struct access a = {0};
		unsigned int before = b->walk_reads;

		map(b, 0, cases[i].va, cases[i].pa, cases[i].level, ATTR_RW);
		ck_assert_int_eq(access_do(b, &a, SID, -1, cases[i].va + cases[i].offset, SIM_READ),
				 SIM_OK);
		ck_assert_uint_eq(b->last_pa, cases[i].pa + cases[i].offset);
		ck_assert_uint_eq(b->walk_reads - before,
				  (unsigned int)cases[i].level + (i ? 1 : 3));
		before = b->walk_reads;
		ck_assert_int_eq(access_do(b, &a, SID, -1, cases[i].va, SIM_READ), SIM_OK);
		ck_assert_uint_eq(b->walk_reads, before);
		ck_assert_uint_eq(smmu_get_occupancy(b->smmu).tlb, i + 1);
	}
}

/* Where each fetch goes is made to abort. */
BENCH_TEST(test_fetch_aborts_say_what_was_fetched)
{
	uint64_t l3 = space_pgd(0) + 0x3000;
	const struct {
		uint64_t page;
		unsigned int event;
		uint64_t fetch_addr, dw1;
	} cases[] = {
		{STRTAB, F_STE_FETCH, STRTAB + SID * 64, 0},
		{CDTAB, F_CD_FETCH, CDTAB, 0},
		{space_pgd(0), F_WALK_EABT, space_pgd(0) + (VA >> 39 & 511) * 8,
		 FIELD_PREP(EVENT_1_CLASS, CLASS_TTD) | EVENT_1_RNW},
		{l3, F_WALK_EABT, l3 + (VA >> 12 & 511) * 8,
		 FIELD_PREP(EVENT_1_CLASS, CLASS_TTD) | EVENT_1_RNW},
	};

	bench_start(b);
	ste_stage1(b, SID, 0, 0);
	cd_set(b, 0, CD_0_S); /* not even these stall */
	map(b, 0, VA, DATA, 3, ATTR_RW);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct access a = {0};
		uint64_t record[4];

		b->abort_page = cases[i].page;
		ck_assert_int_eq(access_do(b, &a, SID, -1, VA, SIM_READ), SIM_SLVERR);
		b->abort_page = ~UINT64_C(0);
		event_take(b, record);
		ck_assert_uint_eq(record[0], cases[i].event | (uint64_t)SID << 32);
		ck_assert_uint_eq(record[1], cases[i].dw1);
		ck_assert_uint_eq(record[2], cases[i].event == F_WALK_EABT ? VA : 0);
		ck_assert_uint_eq(record[3], cases[i].fetch_addr);
	}
}

BENCH_TEST(test_terminated_faults_follow_the_cd)
{
	static const struct {
		uint64_t clear;
		enum sim_response response;
		unsigned int events;
	} cases[] = {
		{0, SIM_SLVERR, 1},
		{CD_0_R, SIM_SLVERR, 0},
		{CD_0_A, SIM_OK, 1},
		{CD_0_A | CD_0_R, SIM_OK, 0},
	};

	bench_start(b);
	ste_stage1(b, SID, 0, 0);
	for (size_t i = 0; i < 4; i++) {
		struct access a = {0};
		uint64_t record[4];

		cd_set(b, 0, 0);
		*mem64(b, CDTAB) &= ~cases[i].clear;
		command_sync(b, CMD_SID(CMD_CFGI_CD, SID), 1);
		memset(a.data, 0xee, sizeof(a.data));
		ck_assert_int_eq(access_do(b, &a, SID, -1, VA, SIM_READ), cases[i].response);
		ck_assert_uint_eq(a.data[0], cases[i].response == SIM_OK ? 0 : 0xee);
		sim_thread_sleep(SIM_US(1));
		ck_assert_uint_eq(events_waiting(b), cases[i].events);
		if (cases[i].events)
			event_take(b, record);
	}
}

BENCH_TEST(test_ats_is_refused)
{
	struct access a = {.txn = {.ats = SIM_ATS_TRANSLATION_REQUEST}};
	uint64_t record[4];

	bench_start(b);
	ck_assert_int_eq(access_do(b, &a, SID, -1, VA, SIM_READ), SIM_SLVERR);
	event_take(b, record);
	ck_assert_uint_eq(FIELD_GET(EVENT_0_ID, record[0]), F_BAD_ATS_TREQ);
	a.txn.ats = SIM_ATS_TRANSLATED;
	ck_assert_int_eq(access_do(b, &a, SID, -1, VA, SIM_READ), SIM_SLVERR);
	event_take(b, record);
	ck_assert_uint_eq(FIELD_GET(EVENT_0_ID, record[0]), F_TRANSL_FORBIDDEN);
}

/* ---- stalls ------------------------------------------------------------------------------ */

static void stalling_stream(struct bench *b)
{
	bench_start(b);
	ste_stage1(b, SID, 2, S1DSS_BYPASS);
	cd_set(b, 1, CD_0_S);
}

static void resume(struct bench *b, uint32_t sid, uint64_t stag, uint64_t how)
{
	command(b, CMD_SID(CMD_RESUME, sid) | how, stag);
	ck_assert(commands_consumed(b));
}

static uint64_t stall_take(struct bench *b, uint64_t va)
{
	uint64_t record[4];

	event_take(b, record);
	ck_assert_uint_eq(FIELD_GET(EVENT_0_ID, record[0]), F_TRANSLATION);
	ck_assert(record[1] & EVENT_1_STALL);
	ck_assert_uint_eq(record[2], va);
	return FIELD_GET(EVENT_1_STAG, record[1]);
}

BENCH_TEST(test_stalled_transaction_retries_after_resume)
{
	struct access a = {0};
	uint64_t stag;

	stalling_stream(b);
	memcpy(mem64(b, DATA), "contents", 8);
	access_start(b, &a, SID, 1, VA, SIM_READ);
	stag = stall_take(b, VA);
	ck_assert_uint_eq(b->irqs[IRQ_EVENTQ], 1);
	ck_assert(!access_wait(&a, SIM_US(50)));
	map(b, 1, VA, DATA, 3, ATTR_RW);
	resume(b, SID, stag, CMD_RESUME_0_AC);
	ck_assert(access_wait(&a, SIM_US(5)));
	ck_assert_int_eq(a.txn.response, SIM_OK);
	ck_assert_mem_eq(a.data, "contents", 8);
	ck_assert_uint_eq(metric(b, "smmu.stalls.taken"), 1);
	ck_assert_uint_eq(metric(b, "faults.handled"), 1);
}

BENCH_TEST(test_retry_that_faults_again_is_a_new_stall)
{
	struct access a = {0};
	uint64_t stag;

	stalling_stream(b);
	access_start(b, &a, SID, 1, VA, SIM_WRITE);
	resume(b, SID, stall_take(b, VA), CMD_RESUME_0_AC);
	stag = stall_take(b, VA);
	resume(b, SID, stag, CMD_RESUME_0_AB);
	ck_assert(access_wait(&a, SIM_US(5)));
	ck_assert_int_eq(a.txn.response, SIM_SLVERR);
	ck_assert_uint_eq(metric(b, "smmu.stalls.taken"), 2);
}

BENCH_TEST(test_resume_can_abort_or_terminate_silently)
{
	struct access a = {0};

	stalling_stream(b);
	access_start(b, &a, SID, 1, VA, SIM_READ);
	resume(b, SID, stall_take(b, VA), CMD_RESUME_0_AB);
	ck_assert(access_wait(&a, SIM_US(5)));
	ck_assert_int_eq(a.txn.response, SIM_SLVERR);
	memset(a.data, 0xee, sizeof(a.data));
	access_start(b, &a, SID, 1, VA, SIM_READ);
	resume(b, SID, stall_take(b, VA), 0);
	ck_assert(access_wait(&a, SIM_US(5)));
	ck_assert_int_eq(a.txn.response, SIM_OK);
	ck_assert_uint_eq(a.data[0], 0);
}

BENCH_TEST(test_resume_of_nothing_is_ignored)
{
	struct access a = {0};
	uint64_t stag;

	stalling_stream(b);
	access_start(b, &a, SID, 1, VA, SIM_READ);
	stag = stall_take(b, VA);
	resume(b, SID + 1, stag, CMD_RESUME_0_AB);
	resume(b, SID, stag + 1, CMD_RESUME_0_AB);
	resume(b, SID, 0xffff, CMD_RESUME_0_AB);
	ck_assert(!a.done);
	ck_assert_uint_eq(metric(b, "smmu.stalls.resumes_ignored"), 3);
	resume(b, SID, stag, CMD_RESUME_0_AB);
	ck_assert(access_wait(&a, SIM_US(5)));
}

BENCH_TEST(test_stall_term_ends_all_of_a_stream)
{
	struct access a[6] = {0}, other = {0};
	unsigned int ended = 0;

	stalling_stream(b);
	ste_stage1(b, SID + 1, 2, S1DSS_BYPASS);
	for (int i = 0; i < 6; i++) /* the event queue holds four */
		access_start(b, &a[i], SID, 1, VA, SIM_READ);
	access_start(b, &other, SID + 1, 1, VA, SIM_READ);
	sim_thread_sleep(SIM_US(5));
	ck_assert_uint_eq(smmu_stalled(b->smmu), 7);
	command(b, CMD_SID(CMD_STALL_TERM, SID), 0);
	ck_assert(commands_consumed(b));
	sim_thread_sleep(SIM_US(1));
	for (int i = 0; i < 6; i++)
		ended += a[i].done && a[i].txn.response == SIM_SLVERR;
	ck_assert_uint_eq(ended, 6);
	ck_assert(!other.done);
	ck_assert_uint_eq(smmu_stalled(b->smmu), 1);
	for (int i = 0; i < 4; i++)
		stall_take(b, VA);
	resume(b, SID + 1, stall_take(b, VA), CMD_RESUME_0_AB);
	ck_assert(access_wait(&other, SIM_US(5)));
}

static void two_stags(struct smmu_params *params)
{
	params->stall_max = 2;
}

BENCH_TEST_WITH(test_stalls_wait_for_stags_in_order, two_stags)
{
	struct access a[5] = {0};

	stalling_stream(b);
	for (int i = 0; i < 5; i++) {
		access_start(b, &a[i], SID, 1, VA + 0x1000u * (unsigned int)i, SIM_READ);
		sim_thread_sleep(SIM_US(1));
	}
	ck_assert_uint_eq(events_waiting(b), 2);
	ck_assert_uint_eq(smmu_stalled(b->smmu), 5);
	for (int i = 0; i < 5; i++) {
		uint64_t stag = stall_take(b, VA + 0x1000u * (unsigned int)i);

		ck_assert_uint_lt(stag, 2);
		resume(b, SID, stag, CMD_RESUME_0_AB);
		ck_assert(access_wait(&a[i], SIM_US(5)));
	}
	ck_assert_uint_eq(metric(b, "smmu.stalls.waited_for_stag"), 3);
	ck_assert_uint_eq(metric(b, "smmu.stalls.max"), 5);
}

BENCH_TEST(test_full_event_queue_delays_stalls_and_loses_others)
{
	struct access stall[6] = {0}, lost = {0};
	uint32_t prod;

	stalling_stream(b);
	for (int i = 0; i < 6; i++) {
		access_start(b, &stall[i], SID, 1, VA + 0x1000u * (unsigned int)i, SIM_READ);
		sim_thread_sleep(SIM_US(1));
	}
	ck_assert_uint_eq(events_waiting(b), 4);
	ck_assert(!(reg_read32(b, REG_EVENTQ_PROD) & Q_OVERFLOW)); /* a stall is no overflow */
	ck_assert_int_eq(access_do(b, &lost, SID + 1, -1, VA, SIM_READ), SIM_SLVERR);
	ck_assert_int_eq(access_do(b, &lost, SID + 1, -1, VA, SIM_READ), SIM_SLVERR);
	prod = reg_read32(b, REG_EVENTQ_PROD);
	ck_assert(prod & Q_OVERFLOW); /* toggled once for both */
	ck_assert_uint_eq(metric(b, "smmu.events_lost"), 2);
	for (int i = 0; i < 6; i++) {
		resume(b, SID, stall_take(b, VA + 0x1000u * (unsigned int)i), CMD_RESUME_0_AB);
		ck_assert(access_wait(&stall[i], SIM_US(5)));
	}
	/* acknowledged: the next overflow shows again */
	reg_write32(b, REG_EVENTQ_CONS, b->evtq_cons | (uint32_t)Q_OVERFLOW);
	for (int i = 0; i < 5; i++)
		access_do(b, &lost, SID + 1, -1, VA, SIM_READ);
	sim_thread_sleep(SIM_US(1));
	ck_assert(!(reg_read32(b, REG_EVENTQ_PROD) & Q_OVERFLOW));
	ck_assert_uint_eq(metric(b, "smmu.events_lost"), 3);
}

BENCH_TEST(test_disabled_event_queue_keeps_stalls)
{
	struct access stall = {0}, lost = {0};

	stalling_stream(b);
	cr0_set(b, CR0_CMDQEN | CR0_SMMUEN);
	access_start(b, &stall, SID, 1, VA, SIM_READ);
	ck_assert_int_eq(access_do(b, &lost, SID + 1, -1, VA, SIM_READ), SIM_SLVERR);
	sim_thread_sleep(SIM_US(2));
	ck_assert_uint_eq(events_waiting(b), 0);
	cr0_set(b, CR0_CMDQEN | CR0_SMMUEN | CR0_EVENTQEN);
	resume(b, SID, stall_take(b, VA), CMD_RESUME_0_AB);
	ck_assert(access_wait(&stall, SIM_US(5)));
}

BENCH_TEST(test_disabling_the_smmu_aborts_stalls)
{
	struct access a = {0};

	stalling_stream(b);
	access_start(b, &a, SID, 1, VA, SIM_READ);
	stall_take(b, VA);
	cr0_set(b, 0);
	ck_assert(a.done);
	ck_assert_int_eq(a.txn.response, SIM_SLVERR);
}

static void forced(struct smmu_params *params)
{
	params->stall_model = 2;
}

static void never(struct smmu_params *params)
{
	params->stall_model = 1;
}

static void s_is_illegal(struct bench *b, uint64_t s, uint64_t dw1)
{
	struct access a = {0};
	uint64_t record[4];

	bench_start(b);
	ste_set(b, SID, STE_0_V | FIELD_PREP(STE_0_CONFIG, 5) | CDTAB, dw1);
	cd_set(b, 0, s);
	ck_assert_int_eq(access_do(b, &a, SID, -1, VA, SIM_READ), SIM_SLVERR);
	event_take(b, record);
	ck_assert_uint_eq(FIELD_GET(EVENT_0_ID, record[0]), dw1 && !s ? C_BAD_STE : C_BAD_CD);
}

BENCH_TEST_WITH(test_forced_stall_needs_s, forced)
{
	s_is_illegal(b, 0, 0);
}

BENCH_TEST_WITH(test_forced_stall_forbids_s1stalld, forced)
{
	s_is_illegal(b, 0, STE_1_S1STALLD);
}

BENCH_TEST_WITH(test_no_stall_model_forbids_s, never)
{
	s_is_illegal(b, CD_0_S, 0);
}

BENCH_TEST(test_s1stalld_forbids_s)
{
	s_is_illegal(b, CD_0_S, STE_1_S1STALLD);
}

TCase *fault_cases(void)
{
	TCase *tc = tcase_create("faults");

	tcase_add_test(tc, test_translation_faults_and_their_records);
	tcase_add_test(tc, test_address_size_fault_of_a_descriptor);
	tcase_add_test(tc, test_blocks_translate_and_take_one_entry);
	tcase_add_test(tc, test_fetch_aborts_say_what_was_fetched);
	tcase_add_test(tc, test_terminated_faults_follow_the_cd);
	tcase_add_test(tc, test_ats_is_refused);
	tcase_add_test(tc, test_stalled_transaction_retries_after_resume);
	tcase_add_test(tc, test_retry_that_faults_again_is_a_new_stall);
	tcase_add_test(tc, test_resume_can_abort_or_terminate_silently);
	tcase_add_test(tc, test_resume_of_nothing_is_ignored);
	tcase_add_test(tc, test_stall_term_ends_all_of_a_stream);
	tcase_add_test(tc, test_stalls_wait_for_stags_in_order);
	tcase_add_test(tc, test_full_event_queue_delays_stalls_and_loses_others);
	tcase_add_test(tc, test_disabled_event_queue_keeps_stalls);
	tcase_add_test(tc, test_disabling_the_smmu_aborts_stalls);
	tcase_add_test(tc, test_forced_stall_needs_s);
	tcase_add_test(tc, test_forced_stall_forbids_s1stalld);
	tcase_add_test(tc, test_no_stall_model_forbids_s);
	tcase_add_test(tc, test_s1stalld_forbids_s);
	return tc;
}
