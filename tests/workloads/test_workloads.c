/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The programs that come with svasim, on whole machines: rings of every depth, many queues, every way to wait, background
 * load, and a published measurement of one client.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/platform/platform.h"

#define TEST_TIMEOUT_S 120

static struct platform *platform;
static struct platform_result result;

static void set(const struct platform_config *config, const char *setting)
{
	struct param_error error;

	if (param_assign(config->params, "test", setting, &error))
		ck_abort_msg("%s", error.text);
}

static struct platform_config *configure(const char *workload, const char *file,
					 const char *const *settings)
{
	struct platform_config *config = platform_config_new(platform_workload(workload));
	struct param_error error;

	if (file && param_load_yaml(config->params, file, &error))
		ck_abort_msg("%s", error.text);
	for (; *settings; settings++)
		set(config, *settings);
	return config;
}

/* Runs a workload; `settings` end with NULL. */
static void run(const char *workload, const char *file, const char *const *settings)
{
	static const struct platform_options options = {.image_directory = SVASIM_IMAGE_DIRECTORY,
							.log_level = 4};
	struct platform_config *config = configure(workload, file, settings);
	struct param_error error;

	if (platform_config_check(config, &error))
		ck_abort_msg("%s", error.text);
	platform = platform_run(config, &options, &result);
	ck_assert_msg(result.status == PLATFORM_OK, "status %d: %s", result.status, result.reason);
}

static double metric(const char *name)
{
	double value = 0;

	ck_assert_msg(stats_get(platform_stats(platform), name, &value), "no metric %s", name);
	return value;
}

/* ---- depths and queues -------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint64_t requests;
	const char *settings[10];
} shapes[] = {
	{"in flight 1", 300, {"workload.inflight=1"}},
	{"a ring of 2", 300, {"accel.sq_depth=2", "workload.inflight=1"}},
	{"a ring of 2, asleep",
	 100,
	 {"accel.sq_depth=2", "workload.inflight=1", "workload.poll=sleep"}},
	{"a ring of 3 wraps", 600, {"accel.sq_depth=3", "workload.inflight=2"}},
	{"a full ring", 1500, {"accel.sq_depth=64", "workload.inflight=63"}},
	{"a full ring, in order",
	 1500,
	 {"accel.sq_depth=64", "workload.inflight=63", "accel.completion=in_order"}},
	{"a full ring, one batch",
	 1500,
	 {"accel.sq_depth=64", "workload.inflight=63", "workload.batch=63"}},
	{"a full ring, interrupts",
	 1000,
	 {"accel.sq_depth=64", "workload.inflight=63", "workload.poll=irq"}},
	{"the deepest ring", 400, {"accel.sq_depth=65535", "workload.inflight=200"}},
	{"the user's own depth has the last word",
	 100,
	 {"accel.sq_depth=64", "workload.inflight=70",
	  "machine.kernel_command_line=qm.qm_depth=128"}},
	{"shared interrupts",
	 1000,
	 {"workload.poll=irq", "workload.threads=8", "workload.inflight=4",
	  "accel.eq_coalesce_count=8", "accel.eq_coalesce_ns=5000"}},
	{"pushed",
	 1500,
	 {"accel.push_entries=64", "workload.channel=mmio", "workload.inflight=64"}},
	{"pushed, gathered",
	 1500,
	 {"accel.push_entries=64", "workload.channel=mmio", "workload.inflight=64",
	  "cpu.gather_ns=20", "cpu.posted_writes=2"}},
	{"pushed, a ring of 2",
	 300,
	 {"accel.push_entries=4", "workload.channel=mmio", "workload.inflight=1",
	  "accel.sq_depth=2"}},
	{"pushed, threads and faults",
	 600,
	 {"accel.push_entries=8", "workload.channel=mmio", "workload.inflight=8",
	  "workload.threads=4", "workload.poll=irq", "workload.destination_fresh_percent=10"}},
	{"one CPU", 300, {"machine.cpus=1", "workload.destination_fresh_percent=10"}},
	{"one CPU, pollers",
	 300,
	 {"machine.cpus=1", "workload.threads=3", "workload.inflight=2",
	  "workload.destination_fresh_percent=10"}},
	{"the port waits for faults",
	 300,
	 {"accel.fault_blocks=dma_port", "workload.destination_fresh_percent=20",
	  "workload.queues=3", "workload.inflight=8"}},
	{"engines wait for faults",
	 300,
	 {"accel.fault_blocks=engine", "workload.destination_fresh_percent=20", "workload.queues=3",
	  "workload.inflight=8"}},
	{"queues wait for faults",
	 300,
	 {"accel.fault_blocks=queue", "workload.destination_fresh_percent=20", "workload.queues=3",
	  "workload.inflight=8"}},
	{"1,024 queues, weighted",
	 3072,
	 {"workload.threads=8", "workload.queues=128", "workload.inflight=1", "workload.bytes=256",
	  "accel.sq_depth=2"}},
	{"1,024 queues, round robin",
	 3072,
	 {"workload.threads=8", "workload.queues=128", "workload.inflight=1", "workload.bytes=256",
	  "accel.sq_depth=4", "accel.arbitration=round_robin"}},
	{"1,024 queues, priority",
	 3072,
	 {"workload.threads=8", "workload.queues=128", "workload.inflight=1", "workload.bytes=256",
	  "accel.sq_depth=4", "accel.arbitration=priority"}},
};

START_TEST(test_every_shape_completes)
{
	const char *settings[16] = {0};
	char requests[64];
	size_t count = 0;

	for (; shapes[_i].settings[count]; count++)
		settings[count] = shapes[_i].settings[count];
	snprintf(requests, sizeof(requests), "workload.requests=%llu",
		 (unsigned long long)shapes[_i].requests);
	settings[count] = requests;
	run("copy", NULL, settings);
	ck_assert_msg(metric("requests.completed") == (double)shapes[_i].requests, "%s",
		      shapes[_i].what);
	ck_assert(metric("accel.qm.bad_doorbells") == 0);
	ck_assert(metric("kernel.warnings") == 0);
}
END_TEST

/* What is refused before anything runs, and what the line names. */
static const struct {
	const char *settings[4];
	const char *named;
} refused[] = {
	{{"accel.sq_depth=64", "workload.inflight=64"}, "workload.inflight: 64"},
	{{"accel.depth_max=512"}, "accel.sq_depth"},
	{{"workload.channel=mmio", "workload.inflight=1"}, "accel.push_entries"},
	{{"workload.channel=mmio", "workload.inflight=8", "accel.push_entries=7"},
	 "accel.push_entries, which is 7"},
	{{"workload.channel=mmio", "accel.push_entries=64", "accel.version=v2"}, "v3"},
};

START_TEST(test_what_cannot_work_is_refused)
{
	struct platform_config *config = configure("copy", NULL, refused[_i].settings);
	struct param_error error;

	ck_assert_int_eq(platform_config_check(config, &error), -1);
	ck_assert_msg(strstr(error.text, refused[_i].named) != NULL, "%s", error.text);
	platform_config_free(config);
}
END_TEST

/* ---- a published client ------------------------------------------------------------------------------------ */

/*
 * hisi_zip with SVA: 8 KiB blocks, batches of so many in flight, the client sleeps for usleep(1) when it finds nothing; MiB/s
 * (Linaro/uadk docs/perf.rst).
 */
static const struct {
	unsigned int in_flight;
	double published;
} depths[] = {{4, 557},	  {10, 1381}, {20, 3134}, {30, 4317},
	      {40, 5618}, {50, 6715}, {60, 7245}, {70, 7272}};

START_TEST(test_sleeping_client_has_the_published_rate)
{
	char in_flight[64], batch[64];
	const char *const settings[] = {"workload.requests=10000", "workload.poll=sleep", in_flight,
					batch, NULL};
	double rate;

	snprintf(in_flight, sizeof(in_flight), "workload.inflight=%u", depths[_i].in_flight);
	snprintf(batch, sizeof(batch), "workload.batch=%u", depths[_i].in_flight);
	run("copy", SVASIM_PLATFORMS "/kunpeng920.yaml", settings);
	rate = metric("throughput.bytes_per_s") / (1 << 20);
	ck_assert_msg(rate > 0.87 * depths[_i].published && rate < 1.13 * depths[_i].published,
		      "%u in flight: %.0f MiB/s, published %.0f", depths[_i].in_flight, rate,
		      depths[_i].published);
}
END_TEST

/* ---- background load -------------------------------------------------------------------------------------- */

START_TEST(test_load_lasts_as_long_as_it_is_told)
{
	static const char *const settings[] = {"workload.threads=4", "workload.busy_percent=50",
					       "workload.duration_us=5000", NULL};

	run("load", NULL, settings);
	ck_assert(result.duration > SIM_MS(5) && result.duration < SIM_MS(8));
}
END_TEST

static sim_time loaded_duration(const char *percent)
{
	const char *const settings[] = {
		"workload.requests=3000",      "machine.cpus=1", "workload.load_threads=1",
		"workload.load_period_us=500", percent,		 NULL};

	run("copy", NULL, settings);
	ck_assert(metric("requests.completed") == 3000);
	return result.duration;
}

/* A program on the one CPU that there is gets what the load leaves, as the scheduler has it. */
START_TEST(test_load_takes_time_from_a_program)
{
	static const char *const percents[] = {"workload.load_busy_percent=0",
					       "workload.load_busy_percent=100"};
	static const sim_time least[] = {SIM_US(500), SIM_MS(3)}, most[] = {SIM_MS(3), SIM_MS(40)};
	sim_time duration = loaded_duration(percents[_i]);

	ck_assert_msg(duration > least[_i] && duration < most[_i], "%s: %llu ps", percents[_i],
		      (unsigned long long)duration);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workloads");
	TCase *tcase = tcase_create("workloads");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, TEST_TIMEOUT_S);
	tcase_add_loop_test(tcase, test_every_shape_completes, 0,
			    sizeof(shapes) / sizeof(shapes[0]));
	tcase_add_loop_test(tcase, test_what_cannot_work_is_refused, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(tcase, test_sleeping_client_has_the_published_rate, 0,
			    sizeof(depths) / sizeof(depths[0]));
	tcase_add_test(tcase, test_load_lasts_as_long_as_it_is_told);
	tcase_add_loop_test(tcase, test_load_takes_time_from_a_program, 0, 2);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
