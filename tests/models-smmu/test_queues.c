/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command and event queues as software sees them: pointers, wraps, CMD_SYNC, errors,
 * interrupts.
 */
#include "tests/models-smmu/bench.h"

static void signals(struct smmu_params *params)
{
	params->sev = params->msi = true;
}

BENCH_TEST(test_commands_wait_for_cmdqen)
{
	reg_write64(b, REG_CMDQ_BASE, CMDQ | CMDQ_LOG2);
	command(b, CMD_SYNC, 0);
	sim_thread_sleep(SIM_US(2));
	ck_assert_uint_eq(reg_read32(b, REG_CMDQ_CONS), 0);
	cr0_set(b, CR0_CMDQEN);
	ck_assert(commands_consumed(b));
	ck_assert_uint_eq(metric(b, "smmu.syncs"), 1);
}

BENCH_TEST(test_command_queue_wraps)
{
	bench_start(b);
	for (int round = 0; round < 11; round++) { /* of 7 in a queue of 16 */
		for (int i = 0; i < 6; i++)
			command_put(b, CMD_SID(CMD_PREFETCH_CONFIG, SID), 0);
		command(b, CMD_SYNC, 0);
		ck_assert(commands_consumed(b));
	}
	ck_assert_uint_eq(metric(b, "smmu.commands.prefetch_config"), 66);
	ck_assert_uint_eq(metric(b, "smmu.commands.sync"), 11);
}

BENCH_TEST(test_a_full_command_queue_is_consumed)
{
	bench_start(b);
	for (int i = 0; i < 1 << CMDQ_LOG2; i++)
		command_put(b, CMD_TLBI_NSNH_ALL, 0);
	commands_ring(b);
	ck_assert(commands_consumed(b));
	ck_assert_uint_eq(metric(b, "smmu.commands.tlbi_nsnh_all"), 16);
}

BENCH_TEST(test_commands_take_their_time)
{
	sim_time begin;

	bench_start(b);
	begin = sim_now();
	for (int i = 0; i < 8; i++)
		command_put(b, CMD_TLBI_NSNH_ALL, 0);
	commands_ring(b);
	sim_thread_sleep(begin + SIM_NS(20 + 80 + 39) - sim_now());
	ck_assert_uint_eq(metric(b, "smmu.commands.tlbi_nsnh_all"), 3);
	sim_thread_sleep(SIM_NS(1));
	ck_assert_uint_eq(metric(b, "smmu.commands.tlbi_nsnh_all"), 4);
	ck_assert(commands_consumed(b));
}

BENCH_TEST_WITH(test_sync_sends_an_event, signals)
{
	bench_start(b);
	command(b, CMD_SYNC | FIELD_PREP(CMD_SYNC_0_CS, SYNC_CS_SEV), 0);
	ck_assert(commands_consumed(b));
	ck_assert_uint_eq(b->sevs, 1);
}

BENCH_TEST(test_sync_without_sev_sends_none)
{
	bench_start(b);
	command(b, CMD_SYNC | FIELD_PREP(CMD_SYNC_0_CS, SYNC_CS_SEV), 0);
	ck_assert(commands_consumed(b));
	ck_assert_uint_eq(b->sevs, 0);
}

BENCH_TEST_WITH(test_sync_writes_an_msi_over_its_own_command, signals)
{
	bench_start(b);
	command(b, CMD_SYNC | FIELD_PREP(CMD_SYNC_0_CS, SYNC_CS_IRQ), CMDQ);
	ck_assert(commands_consumed(b));
	ck_assert_uint_eq(*mem64(b, CMDQ), 0);
	ck_assert_uint_eq(*mem64(b, CMDQ + 8), CMDQ); /* 32 bits only */
	command(b, CMD_SYNC | FIELD_PREP(CMD_SYNC_0_CS, SYNC_CS_IRQ) | UINT64_C(0xabcd) << 32,
		MSI_ADDR);
	ck_assert(commands_consumed(b));
	ck_assert_uint_eq(*mem64(b, MSI_ADDR), 0xabcd);
	ck_assert_uint_eq(b->irqs[IRQ_CMDQ_SYNC], 0);
	command(b, CMD_SYNC | FIELD_PREP(CMD_SYNC_0_CS, SYNC_CS_IRQ), 0);
	ck_assert(commands_consumed(b));
	ck_assert_uint_eq(b->irqs[IRQ_CMDQ_SYNC], 1); /* no address: the wire */
}

BENCH_TEST_WITH(test_msi_that_aborts_is_a_global_error, signals)
{
	bench_start(b);
	command(b, CMD_SYNC | FIELD_PREP(CMD_SYNC_0_CS, SYNC_CS_IRQ), BIT(30));
	ck_assert(commands_consumed(b));
	ck_assert_uint_eq(reg_read32(b, REG_GERROR), GERROR_MSI_CMDQ_ABT_ERR);
	ck_assert_uint_eq(b->irqs[IRQ_GERROR], 1);
}

BENCH_TEST_WITH(test_event_queue_interrupt_as_msi, signals)
{
	struct access a = {0};

	reg_write64(b, REG_EVENTQ_IRQ_CFG0, MSI_ADDR);
	reg_write32(b, REG_EVENTQ_IRQ_CFG1, 77);
	bench_start(b);
	reg_write32(b, REG_EVENTQ_IRQ_CFG1, 78); /* guarded */
	access_do(b, &a, SID, -1, DATA, SIM_READ);
	sim_thread_sleep(SIM_US(1));
	ck_assert_uint_eq(*mem64(b, MSI_ADDR), 77);
	ck_assert_uint_eq(b->irqs[IRQ_EVENTQ], 0);
}

BENCH_TEST(test_event_interrupt_on_leaving_empty_only)
{
	struct access a = {0};
	uint64_t record[4];

	bench_start(b);
	for (int i = 0; i < 3; i++)
		access_do(b, &a, SID, -1, DATA, SIM_READ);
	sim_thread_sleep(SIM_US(1));
	ck_assert_uint_eq(b->irqs[IRQ_EVENTQ], 1);
	for (int i = 0; i < 3; i++)
		event_take(b, record);
	access_do(b, &a, SID, -1, DATA, SIM_READ);
	sim_thread_sleep(SIM_US(1));
	ck_assert_uint_eq(b->irqs[IRQ_EVENTQ], 2);
	event_take(b, record);
	irq_ctrl_set(b, 0);
	access_do(b, &a, SID, -1, DATA, SIM_READ);
	sim_thread_sleep(SIM_US(1));
	ck_assert_uint_eq(b->irqs[IRQ_EVENTQ], 2);
}

BENCH_TEST(test_event_queue_wraps)
{
	struct access a = {0};
	uint64_t record[4];

	bench_start(b);
	for (uint32_t i = 0; i < 19; i++) { /* a queue of 4 */
		access_do(b, &a, i, -1, DATA, SIM_READ);
		event_take(b, record);
		ck_assert_uint_eq(record[0], C_BAD_STE | (uint64_t)i << 32);
	}
	ck_assert_uint_eq(reg_read32(b, REG_EVENTQ_PROD), 19 & 7);
	ck_assert_uint_eq(metric(b, "smmu.events.c_bad_ste"), 19);
	ck_assert_uint_eq(metric(b, "smmu.events_lost"), 0);
}

static const struct {
	const char *what;
	uint64_t dw0, dw1;
} illegal[] = {
	{"opcode 0", 0, 0},
	{"unknown opcode", 0x7f, 0},
	{"opcode 0xff", 0xff, 0},
	{"ATC_INV without ATS", 0x40, 0},
	{"PRI_RESP without PRI", 0x41, 0},
	{"TLBI_EL2_ALL without HYP", CMD_TLBI_EL2_ALL, 0},
	{"TLBI_S12_VMALL without stage 2", 0x28, 0},
	{"TLBI_S2_IPA without stage 2", 0x2a, 0},
	{"SYNC with reserved CS", CMD_SYNC | FIELD_PREP(CMD_SYNC_0_CS, 3), 0},
	{"Secure", CMD_CFGI_STE | CMD_0_SSEC, 0},
};

BENCH_TEST(test_illegal_command_stops_the_queue_until_acknowledged)
{
	bench_start(b);
	for (unsigned int i = 0; i < sizeof(illegal) / sizeof(illegal[0]); i++) {
		uint32_t at = b->cmdq_prod, cons;

		command_put(b, illegal[i].dw0, illegal[i].dw1);
		command_put(b, CMD_SYNC, 0);
		commands_ring(b);
		sim_thread_sleep(SIM_US(2));
		cons = reg_read32(b, REG_CMDQ_CONS);
		ck_assert_msg(cons == (at | CERROR_ILL << 24), "%s: %x", illegal[i].what, cons);
		ck_assert_uint_eq((reg_read32(b, REG_GERROR) ^ reg_read32(b, REG_GERRORN)),
				  GERROR_CMDQ_ERR);
		ck_assert_uint_eq(b->irqs[IRQ_GERROR], i + 1);
		/* software puts a CMD_SYNC in its place, then acknowledges */
		*mem64(b, CMDQ + (at & 15) * CMD_BYTES) = CMD_SYNC;
		*mem64(b, CMDQ + (at & 15) * CMD_BYTES + 8) = 0;
		reg_write32(b, REG_GERRORN, reg_read32(b, REG_GERROR));
		ck_assert(commands_consumed(b));
	}
	ck_assert_uint_eq(metric(b, "smmu.gerrors"), sizeof(illegal) / sizeof(illegal[0]));
}

BENCH_TEST(test_command_fetch_abort_is_retried)
{
	bench_start(b);
	b->abort_page = CMDQ;
	command(b, CMD_SYNC, 0);
	sim_thread_sleep(SIM_US(2));
	ck_assert_uint_eq(reg_read32(b, REG_CMDQ_CONS), CERROR_ABT << 24);
	b->abort_page = ~UINT64_C(0);
	reg_write32(b, REG_GERRORN, reg_read32(b, REG_GERROR));
	ck_assert(commands_consumed(b));
}

BENCH_TEST(test_event_write_abort_keeps_stalls_and_loses_others)
{
	struct access a = {0}, stall = {0};
	uint64_t record[4];

	bench_start(b);
	ste_stage1(b, SID, 2, S1DSS_BYPASS);
	cd_set(b, 1, CD_0_S);
	b->abort_page = EVTQ;
	access_do(b, &a, SID + 1, -1, DATA, SIM_READ);
	sim_thread_sleep(SIM_US(1));
	ck_assert_uint_eq(reg_read32(b, REG_GERROR), GERROR_EVENTQ_ABT_ERR);
	ck_assert_uint_eq(metric(b, "smmu.events_lost"), 1);
	b->abort_page = ~UINT64_C(0);
	access_start(b, &stall, SID, 1, DATA, SIM_READ);
	sim_thread_sleep(SIM_US(2));
	ck_assert_uint_eq(events_waiting(b), 0);
	b->abort_page = EVTQ;
	reg_write32(b, REG_GERRORN, reg_read32(b, REG_GERROR));
	sim_thread_sleep(SIM_US(2));
	b->abort_page = ~UINT64_C(0);
	reg_write32(b, REG_GERRORN, reg_read32(b, REG_GERROR));
	event_take(b, record);
	ck_assert(record[1] & EVENT_1_STALL);
	command(b, CMD_SID(CMD_RESUME, SID) | CMD_RESUME_0_AB, FIELD_GET(EVENT_1_STAG, record[1]));
	ck_assert(access_wait(&stall, SIM_US(5)));
}

BENCH_TEST(test_disabling_the_queue_stops_it_after_a_command)
{
	bench_start(b);
	for (int i = 0; i < 10; i++)
		command_put(b, CMD_TLBI_NSNH_ALL, 0);
	commands_ring(b);
	cr0_set(b, 0);
	ck_assert_uint_lt(reg_read32(b, REG_CMDQ_CONS), 10);
	reg_write32(b, REG_CMDQ_CONS, 9); /* now software may */
	cr0_set(b, CR0_CMDQEN);
	ck_assert(commands_consumed(b));
}

TCase *queue_cases(void)
{
	TCase *tc = tcase_create("queues");

	tcase_add_test(tc, test_commands_wait_for_cmdqen);
	tcase_add_test(tc, test_command_queue_wraps);
	tcase_add_test(tc, test_a_full_command_queue_is_consumed);
	tcase_add_test(tc, test_commands_take_their_time);
	tcase_add_test(tc, test_sync_sends_an_event);
	tcase_add_test(tc, test_sync_without_sev_sends_none);
	tcase_add_test(tc, test_sync_writes_an_msi_over_its_own_command);
	tcase_add_test(tc, test_msi_that_aborts_is_a_global_error);
	tcase_add_test(tc, test_event_queue_interrupt_as_msi);
	tcase_add_test(tc, test_event_interrupt_on_leaving_empty_only);
	tcase_add_test(tc, test_event_queue_wraps);
	tcase_add_test(tc, test_illegal_command_stops_the_queue_until_acknowledged);
	tcase_add_test(tc, test_command_fetch_abort_is_retried);
	tcase_add_test(tc, test_event_write_abort_keeps_stalls_and_loses_others);
	tcase_add_test(tc, test_disabling_the_queue_stops_it_after_a_command);
	return tc;
}
