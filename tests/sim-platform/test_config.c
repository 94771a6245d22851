/* SPDX-License-Identifier: BSD-3-Clause */
/* Combinations of parameters that no machine can have. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/platform/platform.h"

struct mistake {
	const char *settings[6];
	const char *says; /* the line begins with it */
};

/* NULL: allowed; else the line */
static const char *check(const struct workload *workload, const char *const *settings)
{
	static struct param_error error;
	struct platform_config *config = platform_config_new(workload);
	int result;

	for (; *settings; settings++)
		ck_assert_msg(!param_assign(config->params, "test", *settings, &error), "%s",
			      error.text);
	error.text[0] = '\0';
	result = platform_config_check(config, &error);
	platform_config_free(config);
	ck_assert_int_eq(result, error.text[0] ? -1 : 0);
	return result ? error.text : NULL;
}

START_TEST(test_defaults_are_allowed_with_every_workload)
{
	const char *const none[] = {NULL};

	ck_assert_ptr_null(check(NULL, none));
	for (const struct workload *const *w = platform_workloads(); *w; w++)
		ck_assert_ptr_null(check(*w, none));
}
END_TEST

static const struct mistake machine_mistakes[] = {
	{{"machine.ram_bytes=67108865"}, "machine.ram_bytes: 67108865: "},
	{{"accel.depth_max=1023"}, "accel.depth_max: 1023: "},
	{{"machine.kernel_command_line=qm.qm_depth=65537"}, "accel.depth_max: 65536: "},
	{{"machine.kernel_command_line=qm.qm_depth=1"}, "accel.depth_max: 65536: "},
	{{"machine.kernel_command_line=qm.qm_depth=64 svasim_qm.qm_depth=99999999999"},
	 "accel.depth_max: 65536: "},
};

START_TEST(test_machines_that_cannot_be_are_refused)
{
	const struct mistake *mistake = &machine_mistakes[_i];
	const char *line = check(NULL, mistake->settings);

	ck_assert_ptr_nonnull(line);
	ck_assert_msg(!strncmp(line, mistake->says, strlen(mistake->says)), "%s", line);
	ck_assert_ptr_nonnull(strstr(line, "(allowed: "));
}
END_TEST

static const char *const allowed[][6] = {
	{"accel.depth_max=512", "machine.kernel_command_line=qm.qm_depth=512"},
	{"machine.kernel_command_line=svasim_qm.qm_depth=2"},
	{"machine.kernel_command_line=qm.qm_depth=99999999 qm.qm_depth=8"}, /* the last counts */
	{"machine.ram_bytes=1TiB", "machine.cpus=128", "machine.accelerators=8"},
};

START_TEST(test_unusual_machines_are_allowed)
{
	const char *line = check(NULL, allowed[_i]);

	ck_assert_msg(!line, "%s", line);
}
END_TEST

/* ---- what a workload is told, and may refuse ------------------------------------------------- */

static struct workload_machine told;

static int refuse_all(const struct workload_machine *machine, char *error, size_t size)
{
	told = *machine;
	snprintf(error, size, "workload.everything: 1: refused");
	return -1;
}

START_TEST(test_a_workload_is_told_what_it_could_read_of_the_machine)
{
	static const struct workload workload = {.name = "picky", .help = "", .check = refuse_all};
	const char *const settings[] = {"machine.ram_bytes=1GiB",
					"machine.accelerators=3",
					"accel.qp_count=7",
					"accel.length_max_bytes=4096",
					"machine.kernel_command_line=qm.qm_depth=16",
					NULL};

	ck_assert_str_eq(check(&workload, settings), "workload.everything: 1: refused");
	ck_assert_uint_eq(told.ram_bytes, 1u << 30);
	ck_assert_uint_eq(told.accelerators, 3);
	ck_assert_uint_eq(told.queues, 7);
	ck_assert_uint_eq(told.queue_depth, 16);
	ck_assert_uint_eq(told.request_bytes, 4096);
}
END_TEST

static const struct mistake copy_mistakes[] = {
	{{"workload.inflight=1024"}, "workload.inflight: 1024: "},
	{{"workload.inflight=2", "machine.kernel_command_line=qm.qm_depth=2"},
	 "workload.inflight: 2: "},
	{{"workload.bytes=4097", "accel.length_max_bytes=4096"}, "workload.bytes: 4097: "},
	{{"workload.queues=2", "workload.threads=3", "workload.processes=171"},
	 "workload.queues: 2: "},
	{{"workload.requests=1000000000000", "workload.bytes=16777216",
	  "workload.source_fresh_percent=100"},
	 "workload.requests: 1000000000000: "},
	{{"workload.inflight=1000", "workload.bytes=65536", "machine.ram_bytes=64MiB"},
	 "workload.requests: 20000: "},
};

START_TEST(test_copy_refuses_what_the_machine_has_not)
{
	const struct mistake *mistake = &copy_mistakes[_i];
	const char *line = check(platform_workload("copy"), mistake->settings);

	ck_assert_ptr_nonnull(line);
	ck_assert_msg(!strncmp(line, mistake->says, strlen(mistake->says)), "%s", line);
}
END_TEST

static const char *const copy_allowed[][6] = {
	{"workload.inflight=1023"},
	{"workload.inflight=1", "machine.kernel_command_line=qm.qm_depth=2"},
	{"workload.queues=2", "workload.threads=8", "workload.processes=64"},
	{"workload.queues=1024", "workload.threads=8", "machine.accelerators=8"},
	/* no more buffers than requests */
	{"workload.requests=10", "workload.inflight=1000", "workload.bytes=65536",
	 "machine.ram_bytes=64MiB"},
};

START_TEST(test_copy_takes_all_that_the_machine_has)
{
	const char *line = check(platform_workload("copy"), copy_allowed[_i]);

	ck_assert_msg(!line, "%s", line);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("config");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, test_defaults_are_allowed_with_every_workload);
	tcase_add_loop_test(tcase, test_machines_that_cannot_be_are_refused, 0,
			    COUNT(machine_mistakes));
	tcase_add_loop_test(tcase, test_unusual_machines_are_allowed, 0, COUNT(allowed));
	tcase_add_test(tcase, test_a_workload_is_told_what_it_could_read_of_the_machine);
	tcase_add_loop_test(tcase, test_copy_refuses_what_the_machine_has_not, 0,
			    COUNT(copy_mistakes));
	tcase_add_loop_test(tcase, test_copy_takes_all_that_the_machine_has, 0,
			    COUNT(copy_allowed));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
