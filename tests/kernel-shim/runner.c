/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs every self-test of the kernel image in a process of its own, on one, two and four CPUs: boot, test, shutdown
 * without a leak. The tests themselves are in selftest/, one file per subsystem of the shim.
 */
#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "sim/engine/engine.h"

static const unsigned int cpu_counts[] = {1, 2, 4};
#define CPU_COUNTS (sizeof(cpu_counts) / sizeof(cpu_counts[0]))

static const struct kernel_ops *kernel;

static struct {
	const char *test; /* NULL: boot and shut down alone */
	unsigned int cpus;
	int booted, failed_line, leaks;
	bool finished;
} run;

static void run_main(void *arg)
{
	(void)arg;
	run.booted = kernel->boot(test_machine(kernel, run.cpus, 1), test_boot_params());
	if (!run.booted && run.test)
		run.failed_line = kernel->self_test(run.test, 0, NULL);
	if (!run.booted && !run.failed_line)
		run.leaks = kernel->shutdown();
	run.finished = true;
	sim_stop();
}

static void run_on(const char *test, unsigned int cpus)
{
	enum sim_run_result result;

	run.test = test;
	run.cpus = cpus;
	printf("%s on %u CPUs\n", test ? test : "boot", cpus);
	fflush(stdout);
	sim_thread_start("init", run_main, NULL);
	result = sim_run(NULL);
	fflush(stdout);
	ck_assert_msg(run.finished, "%s on %u CPUs: the machine stands still (%d)", test, cpus,
		      (int)result);
	ck_assert_msg(!run.booted, "boot on %u CPUs: %d", cpus, run.booted);
	ck_assert_msg(!run.failed_line, "%s on %u CPUs fails in line %d", test, cpus,
		      run.failed_line);
	ck_assert_msg(!run.leaks, "%s on %u CPUs: %d leaks", test ? test : "boot", cpus, run.leaks);
}

START_TEST(test_boot_and_shutdown)
{
	run_on(NULL, cpu_counts[_i]);
}
END_TEST

START_TEST(test_in_image)
{
	const char *name = NULL;

	ck_assert_int_eq(kernel->self_test(NULL, _i / (int)CPU_COUNTS, &name), 0);
	run_on(name, cpu_counts[_i % (int)CPU_COUNTS]);
}
END_TEST

struct outcome {
	sim_time end;
	struct kernel_counters counters;
};

/* In a process of its own, since a process has one simulation */
static struct outcome outcome_of(const char *test, unsigned int cpus)
{
	struct outcome outcome;
	int pipes[2], status;
	pid_t child;

	memset(&outcome, 0, sizeof(outcome));
	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		run_on(test, cpus);
		outcome.end = sim_now();
		kernel->counters(&outcome.counters);
		_exit(write(pipes[1], &outcome, sizeof(outcome)) != sizeof(outcome));
	}
	ck_assert_int_eq(read(pipes[0], &outcome, sizeof(outcome)), sizeof(outcome));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	close(pipes[0]);
	close(pipes[1]);
	return outcome;
}

START_TEST(test_two_runs_are_equal)
{
	static const char *const tests[] = {
		"kernel_spinlock_excludes_and_waiting_occupies_the_cpu",
		"kernel_sched_programs_share_the_cpus_by_time_slices",
		"kernel_mutex_excludes_across_sleep",
	};
	struct outcome first = outcome_of(tests[_i], 4), second = outcome_of(tests[_i], 4);

	ck_assert_uint_eq(first.end, second.end);
	ck_assert_mem_eq(&first.counters, &second.counters, sizeof(first.counters));
	ck_assert_uint_gt(first.counters.context_switches, 10);
	ck_assert_uint_gt(first.counters.blocks, 1000);
	ck_assert_uint_eq(first.counters.warnings, 0);
}
END_TEST

/* KI_SELFTEST=name KI_CPUS=n: one test in this process, for a debugger */
static int run_one(const char *name)
{
	const char *cpus = getenv("KI_CPUS");

	run.test = strcmp(name, "boot") ? name : NULL;
	run.cpus = cpus ? (unsigned int)strtoul(cpus, NULL, 10) : 1;
	sim_thread_start("init", run_main, NULL);
	sim_run(NULL);
	printf("booted %d, failed in line %d, %d leaks, %s, %.3f ms\n", run.booted, run.failed_line,
	       run.leaks, run.finished ? "finished" : "stands still", (double)sim_now() / 1e9);
	return run.finished && !run.booted && !run.failed_line && !run.leaks ? 0 : 1;
}

int main(void)
{
	void *image = dlopen(KERNEL_SELFTEST_IMAGE, RTLD_NOW | RTLD_LOCAL);
	TCase *boot, *in_image;
	SRunner *runner;
	Suite *suite;
	int tests = 0, failed;

	kernel = image ? dlsym(image, KERNEL_IMAGE_SYMBOL) : NULL;
	if (!kernel) {
		fprintf(stderr, "%s\n", dlerror());
		return EXIT_FAILURE;
	}
	if (getenv("KI_SELFTEST"))
		return run_one(getenv("KI_SELFTEST"));
	while (kernel->self_test(NULL, tests, NULL) == 0)
		tests++;
	suite = suite_create("kernel-shim");
	boot = tcase_create("boot");
	in_image = tcase_create("in-image");
	tcase_add_loop_test(boot, test_boot_and_shutdown, 0, (int)CPU_COUNTS);
	tcase_add_loop_test(boot, test_two_runs_are_equal, 0, 3);
	tcase_add_loop_test(in_image, test_in_image, 0, tests * (int)CPU_COUNTS);
	suite_add_tcase(suite, boot);
	suite_add_tcase(suite, in_image);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
