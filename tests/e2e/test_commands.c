/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SMMU's command queue between CPUs: each process unmaps pages that its device may use, and each such munmap() is
 * an invalidation and a CMD_SYNC that it waits for.
 */
#include <stdio.h>

#include "sim/platform/machine.h"
#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define ROUNDS 60u

static unsigned int processes, done;
static sim_time began[8], ended[8]; /* by process */

static void unmap_pages(void *arg)
{
	const unsigned int me = (unsigned int)(uintptr_t)arg;
	struct raw_queue q;

	expect_eq(raw_queue_new(&q, 0), 0);
	/* All begin together */
	while (prog_time_ps() < 5000000000)
		sys_sleep_us(50);
	began[me] = prog_time_ps();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		const uint64_t page = raw_pages(1);

		prog_store(page, 1, 8);
		sys_unmap(page, PAGE);
	}
	ended[me] = prog_time_ps();
	/* Closing a queue takes commands, too */
	for (done++; done < processes;)
		sys_sleep_us(50);
	raw_close(&q);
}

static void unmap_in_processes(void *arg)
{
	int64_t children[8];
	int status;

	(void)arg;
	for (unsigned int i = 0; i < processes; i++)
		children[i] = prog_fork(unmap_pages, (void *)(uintptr_t)i);
	for (unsigned int i = 0; i < processes; i++) {
		expect_eq(sys_wait(children[i], &status), children[i]);
		expect_eq(status, 0);
	}
}

/* ns that a round takes a process, on as many CPUs as there are processes */
static double round_ns(unsigned int n, const char *setting)
{
	double sum = 0;
	char cpus[32];

	processes = n;
	snprintf(cpus, sizeof(cpus), "machine.cpus=%u", n);
	scenario_passes(&(struct scenario){unmap_in_processes, {cpus, setting}});
	for (unsigned int i = 0; i < n; i++)
		sum += (double)(ended[i] - began[i]) / 1e3 / ROUNDS;
	return sum / n;
}

/* Two commands a round, of 20 us each, one after another whoever sends them */
START_TEST(test_a_slow_queue_is_shared)
{
	static const unsigned int cpus[] = {2, 4, 8};
	const double ns = round_ns(cpus[_i], "smmu.cmd_ns=20000");

	ck_assert_msg(ns > cpus[_i] * 40000.0 * 0.98 && ns < cpus[_i] * 40000.0 * 1.05,
		      "%u CPUs: %.0f ns a round", cpus[_i], ns);
}
END_TEST

/*
 * As fast as the queue is by default it does not bind, and a round is of the order of what was published for map and
 * unmap through the queue by 8 CPUs, 3.5 us (LKML 1598018062-175608-1)
 */
START_TEST(test_a_fast_queue_does_not_bind)
{
	static const unsigned int cpus[] = {1, 2, 4, 8};
	const double ns = round_ns(cpus[_i], NULL);

	ck_assert_msg(ns > 3500 / 2.0 && ns < 3500 * 2, "%u CPUs: %.0f ns a round", cpus[_i], ns);
}
END_TEST

SCENARIO_SUITE("commands", {test_a_slow_queue_is_shared, 3}, {test_a_fast_queue_does_not_bind, 4})
