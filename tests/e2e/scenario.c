/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "sim/platform/machine.h"
#include "tests/e2e/scenario.h"

#define TEST_TIMEOUT_S 60

struct platform *scenario_execute(const struct scenario *scenario, struct platform_result *result)
{
	static struct workload workload = {.name = "scenario", .help = "a test's program"};
	static struct platform_options options = {.image_directory = SVASIM_IMAGE_DIRECTORY};
	struct platform_config *config;
	struct param_error error;

	workload.main = scenario->main;
	options.log_level = getenv("SVASIM_TEST_VERBOSE") ? 8 : 4;
	config = platform_config_new(&workload);
	for (const char *const *setting = scenario->settings; *setting; setting++) {
		if (param_assign(config->params, "scenario", *setting, &error)) {
			fprintf(stderr, "%s\n", error.text);
			exit(EXIT_FAILURE);
		}
	}
	if (platform_config_check(config, &error)) {
		fprintf(stderr, "%s\n", error.text);
		exit(EXIT_FAILURE);
	}
	return platform_run(config, &options, result);
}

struct platform *scenario_run(const struct scenario *scenario, struct platform_result *result)
{
	struct platform *platform = scenario_execute(scenario, result);

	ck_assert_msg(result->status < PLATFORM_USER_ERROR, "%s", result->reason);
	ck_assert_msg(metric(platform, "kernel.warnings") == 0, "the kernel warned");
	return platform;
}

struct platform *scenario_passes(const struct scenario *scenario)
{
	struct platform_result result;
	struct platform *platform = scenario_run(scenario, &result);

	ck_assert_msg(result.status == PLATFORM_OK, "%s", result.reason);
	return platform;
}

double metric(const struct platform *platform, const char *name)
{
	double value = 0;

	ck_assert_msg(stats_get(platform_stats(platform), name, &value), "no metric %s", name);
	return value;
}

uint64_t metric_now(const char *name)
{
	double value = 0;

	the_machine->kernel->counters(&the_machine->counters);
	if (!stats_get(the_machine->stats, name, &value))
		prog_mark_failure("no metric %s", name);
	return (uint64_t)value;
}

int scenario_suite(const char *name, const struct scenario_test *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, TEST_TIMEOUT_S);
	for (size_t i = 0; i < count; i++)
		tcase_add_loop_test(tcase, tests[i].test, 0, tests[i].cases);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

void machine_remove_device(unsigned int index)
{
	the_machine->kernel->remove_device(index);
}
