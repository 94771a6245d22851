/* SPDX-License-Identifier: BSD-3-Clause */
/* The accelerator's registers, parameters and mailbox; runs the other suites, too. */
#include <stdlib.h>

#include "rig.h"

struct register_case {
	uint64_t offset;
	uint32_t v2, v3;
};

static void body_registers(void)
{
	static const struct register_case cases[] = {
		{0x00, 0x20, 0x30},
		{0x04, 1024, 1024},
		{0x08, 3, 3},
		{0x0c, 65536, 65536},
		{0x10, 0x2000, 0x10000},
		{0x14, 16u << 20, 16u << 20},
		{0x18, 0, 0},
		{0x1c, 1, 1},
		{0x304, 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_uint_eq(mmio_read(cases[i].offset, 4),
				  rig.params.version == ACCEL_V2 ? cases[i].v2 : cases[i].v3);
	ck_assert(metric("accel.qm.bad_register_accesses") == 0);
	enable();
	ck_assert_uint_eq(mmio_read(0x18, 4), 1);
}

START_TEST(test_registers_identify_the_version)
{
	rig_init();
	rig.params.version = (uint32_t)_i;
	rig_run(body_registers);
}
END_TEST

static void body_bad_accesses(void)
{
	static const struct {
		enum sim_cmd cmd;
		uint64_t offset;
		uint32_t bytes;
	} cases[] = {
		{SIM_READ, 0x20, 4},   {SIM_WRITE, 0x20, 4},
		{SIM_WRITE, 0x00, 4},  {SIM_READ, 0x00, 8},
		{SIM_READ, 0x02, 2},   {SIM_WRITE, 0x300, 4},
		{SIM_READ, 0x2000, 8}, {SIM_WRITE, 0x2000, 4},
		{SIM_WRITE, 0x18, 1},  {SIM_WRITE, QM_WINDOWS + 0x1000, 4},
	};
	uint8_t data[8];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(data, 0xff, sizeof(data));
		ck_assert(mmio(cases[i].cmd, cases[i].offset, data, cases[i].bytes) == SIM_OK);
		ck_assert_uint_eq((uint64_t)metric("accel.qm.bad_register_accesses"), i + 1);
		if (cases[i].cmd == SIM_READ && cases[i].offset != 0)
			ck_assert_uint_eq(data[0], 0);
	}
	/* of a window, all but the doorbell reads 0 and ignores writes */
	memset(data, 0xff, sizeof(data));
	ck_assert_uint_eq(mmio_read(QM_WINDOWS + 0x1000, 8), 0);
	ck_assert_uint_eq(mmio_read(QM_WINDOWS + 0x18, 4), 0);
	mmio_write(QM_WINDOWS + 0x18, 1, 4);
	ck_assert_uint_eq((uint64_t)metric("accel.qm.bad_register_accesses"), 10);
	ck_assert(mmio(SIM_ATOMIC_ADD, 0x18, data, 4) == SIM_SLVERR);
	ck_assert(mmio(SIM_READ, accel_reg_bytes(&rig.params), data, 4) == SIM_DECERR);
}

START_TEST(test_bad_register_accesses_are_ignored_and_counted)
{
	rig_init();
	rig_run(body_bad_accesses);
}
END_TEST

struct mailbox_case {
	uint32_t command, queue;
	uint64_t addr;
	uint64_t base;
	uint32_t w2, w3;
	int status;
};

static void body_mailbox(void)
{
	static const struct mailbox_case cases[] = {
		{7, 0, 64, 4096, 7 << 16, 0, 1}, /* no such command */
		{MB_CQC, 1024, 64, 4096, 7 << 16, 0, 1},
		{MB_SQC, 1024, 64, 4096, 7 << 16 | 6, 0, 1},
		{MB_SQC, 1, 64, 4096, 7 << 16 | 6, 1, 1}, /* before CQC */
		{MB_EQC, 1, 64, 4096, 7 << 16, 0, 1},
		{MB_STOP_QP, 1024, 0, 0, 0, 0, 1},
		{MB_CQC, 1, RIG_RAM_BYTES, 4096, 7 << 16, 0, 2}, /* no memory there */
		{MB_CQC, 1, 4096 - 16, 4096, 7 << 16, 0, 2},	 /* crosses a page */
		{MB_CQC, 1, 64, 4096 + 32, 7 << 16, 0, 3},	 /* base */
		{MB_CQC, 1, 64, 4096, 0 << 16, 0, 3},		 /* depth 1 */
		{MB_EQC, 0, 64, 4096, 0 << 16, 0, 3},
		{MB_AEQC, 0, 64, 4097, 7 << 16, 0, 3},
		{MB_CQC, 1, 64, 4096, 7 << 16, 0, 0},
		{MB_CQC, 1, 64, 4096, 15 << 16, 0, 0},	  /* again, not ready yet */
		{MB_SQC, 1, 64, 8192, 7 << 16 | 7, 1, 3}, /* SQE size */
		{MB_SQC, 1, 64, 8192, 7 << 16 | 6, 2, 3}, /* another CQ */
		{MB_SQC, 1, 64, 8192 + 8, 7 << 16 | 6, 1, 3},
		{MB_SQC, 1, 64, 8192, 0 << 16 | 6, 1, 3},
		{MB_SQC, 1, 64, 8192, 7 << 16 | 6, 1, 0},
		{MB_SQC, 1, 64, 8192, 7 << 16 | 6, 1, 1}, /* ready: must be stopped first */
		{MB_CQC, 1, 64, 4096, 7 << 16, 0, 1},
		{MB_STOP_QP, 1, 0, 0, 0, 0, 0},
		{MB_STOP_QP, 1, 0, 0, 0, 0, 0},		  /* nothing to stop */
		{MB_SQC, 1, 64, 8192, 7 << 16 | 6, 1, 1}, /* its CQ context is gone, too */
	};
	uint32_t bad = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mailbox_case *c = &cases[i];
		uint32_t words[8] = {(uint32_t)c->base, 0, c->w2, c->w3};

		if (c->addr < 4096)
			memcpy(rig.ram + 64, words, sizeof(words));
		ck_assert_msg(mailbox(c->command, c->queue, c->addr, SIM_US(10)) == c->status,
			      "case %zu", i);
		bad += c->status != 0;
		ck_assert_uint_eq((uint64_t)metric("accel.qm.bad_mailbox_commands"), bad);
	}
}

START_TEST(test_mailbox_commands_are_checked)
{
	rig_init();
	rig_run(body_mailbox);
}
END_TEST

static void body_mailbox_busy(void)
{
	rig.delay = SIM_US(1);
	mmio_write(0x300, MB_CQC, 8); /* BUSY not set */
	ck_assert_uint_eq(mmio_read(0x300, 8), 0);
	mmio_write(0x300, MB_CQC | 1u << 13 | 64ull << 32, 8);
	mmio_write(0x300, 7 | 1u << 13, 8); /* ignored */
	ck_assert_uint_eq(mmio_read(0x300, 4), MB_CQC | 1u << 13);
	ck_assert_uint_eq((uint64_t)metric("accel.qm.bad_register_accesses"), 2);
	wait_ns(1100);
	ck_assert_uint_eq(mmio_read(0x300, 4), MB_CQC | 3u << 9); /* an empty context */
}

START_TEST(test_mailbox_ignores_stores_while_busy)
{
	rig_init();
	rig_run(body_mailbox_busy);
}
END_TEST

static void body_addresses(void)
{
	ck_assert_uint_eq(mmio_read(0x1c, 4), 1);
	/* the upper half of the address counts */
	mmio_write(0x308, 0xff, 4);
	ck_assert_uint_eq(mmio_read(0x308, 4), 0xff);
	mmio_write(0x300, MB_CQC | 1u << 13 | 64ull << 32, 8);
	ck_assert_uint_eq(mmio_read(0x1c, 4), 0);
	wait_ns(200);
	ck_assert_uint_eq(mmio_read(0x300, 4) >> 9 & 0x1f, 2);
}

START_TEST(test_mailbox_address_has_64_bits)
{
	rig_init();
	rig_run(body_addresses);
}
END_TEST

START_TEST(test_every_parameter_is_described)
{
	for (size_t i = 0; i < accel_param_count; i++) {
		const struct param_desc *d = &accel_param_descs[i];

		ck_assert(d->key && d->help && *d->help && d->origin && *d->origin);
		if (d->type == PARAM_U32 || d->type == PARAM_U64) {
			ck_assert(d->max > d->min);
			ck_assert((double)d->def.u >= d->min && (double)d->def.u <= d->max);
		}
	}
}
END_TEST

START_TEST(test_register_frame_holds_all_windows)
{
	struct accel_params params = {.version = ACCEL_V2, .qp_count = 1024};

	ck_assert_uint_eq(accel_reg_bytes(&params), 0x102000);
	params.version = ACCEL_V3;
	ck_assert_uint_eq(accel_reg_bytes(&params), 0x100000 + 1024 * 0x10000ull);
}
END_TEST

static Suite *accel_suite(void)
{
	Suite *suite = suite_create("accel");
	TCase *tc = tcase_create("registers");

	tcase_add_loop_test(tc, test_registers_identify_the_version, 0, 2);
	tcase_add_test(tc, test_bad_register_accesses_are_ignored_and_counted);
	tcase_add_test(tc, test_mailbox_commands_are_checked);
	tcase_add_test(tc, test_mailbox_ignores_stores_while_busy);
	tcase_add_test(tc, test_mailbox_address_has_64_bits);
	tcase_add_test(tc, test_every_parameter_is_described);
	tcase_add_test(tc, test_register_frame_holds_all_windows);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(accel_suite());
	int failed;

	srunner_add_suite(runner, queue_suite());
	srunner_add_suite(runner, data_suite());
	srunner_add_suite(runner, stop_suite());
	srunner_add_suite(runner, waits_suite());
	srunner_add_suite(runner, policy_suite());
	srunner_add_suite(runner, push_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
