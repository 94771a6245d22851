/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenarios: a program of the test's own on a whole machine, with the real kernel, in a process of
 * its own (Check forks one per test). What the program finds wrong it reports with expect(); the
 * test looks at the run's result and metrics.
 */
#ifndef TESTS_E2E_SCENARIO_H
#define TESTS_E2E_SCENARIO_H

#include <check.h>

#include "sim/platform/platform.h"
#include "workloads/include/program.h"

struct scenario {
	void (*main)(void *arg);
	const char *settings[16]; /* "key=value", NULL-terminated */
};

/* Builds and runs, in a test or outside of one. */
struct platform *scenario_execute(const struct scenario *scenario, struct platform_result *result);

/*
 * Builds, runs and checks that the run itself is clean: no leak, no open request, idle hardware, no
 * warning of the kernel.
 */
struct platform *scenario_run(const struct scenario *scenario, struct platform_result *result);

/* As scenario_run(), and the run must end with PLATFORM_OK. */
struct platform *scenario_passes(const struct scenario *scenario);

/* A metric of the run that has just ended; the test fails if there is none of that name. */
double metric(const struct platform *platform, const char *name);

/* In a program: what a counter says now. It costs nothing. */
uint64_t metric_now(const char *name);

/* In a program: hot removal of a boot device, for those that no driver attribute unbinds. */
void machine_remove_device(unsigned int index);

struct scenario_test {
	const TTest *test;
	int cases; /* runs for _i below this */
};

/* A test program of one suite: runs all tests, returns main()'s exit status. */
int scenario_suite(const char *name, const struct scenario_test *tests, size_t count);

/* main(): the tests of the suite, each {test, cases} */
#define SCENARIO_SUITE(name, ...)                                                                  \
	int main(void)                                                                             \
	{                                                                                          \
		const struct scenario_test tests[] = {__VA_ARGS__};                                \
                                                                                                   \
		return scenario_suite(name, tests, sizeof(tests) / sizeof(tests[0]));              \
	}

/* In a program: what does not hold ends the run with exit status 1 and this place. */
#define expect(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			prog_mark_failure("%s:%d: %s", __FILE__, __LINE__, #condition);            \
	} while (0)

#define expect_eq(a, b)                                                                            \
	do {                                                                                       \
		const long long a_ = (long long)(a), b_ = (long long)(b);                          \
		if (a_ != b_)                                                                      \
			prog_mark_failure("%s:%d: %s is %lld, not %s (%lld)", __FILE__, __LINE__,  \
					  #a, a_, #b, b_);                                         \
	} while (0)

#endif
