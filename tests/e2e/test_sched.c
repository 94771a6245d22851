/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scheduler under the device: clients that poll, and so occupy their CPU, against the kernel's fault handlers.
 */
#include <stdio.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define ROUNDS	   30u
#define COPY_PAGES 8u

static unsigned int clients;

/* Every page of source and destination is touched by the device first */
static void copy_fresh_pages(void *arg)
{
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		const uint64_t area = raw_pages(2 * COPY_PAGES);

		expect_eq(raw_copy(&q, area, area + COPY_PAGES * PAGE, COPY_PAGES * PAGE),
			  RAW_STATUS_OK);
		sys_unmap(area, 2 * COPY_PAGES * PAGE);
	}
	raw_close(&q);
}

static void poll_on_every_cpu(void *arg)
{
	int status;

	(void)arg;
	for (unsigned int i = 0; i < clients; i++)
		expect(prog_fork(copy_fresh_pages, NULL) > 0);
	for (unsigned int i = 0; i < clients; i++) {
		expect(sys_wait(-1, &status) > 0);
		expect_eq(status, 0);
	}
}

struct load_case {
	unsigned int cpus, clients;
};

static const struct load_case load_cases[] = {{1, 1}, {1, 2}, {2, 2}, {4, 4}, {8, 8}, {4, 8}};

/* kernel.timeslice_us as the kernel scales it, and kernel.tick_hz */
static double turn_ns(unsigned int cpus)
{
	const unsigned int quarters = cpus >= 8 ? 4 : cpus >= 4 ? 3 : cpus >= 2 ? 2 : 1;

	return 3e6 * quarters / 4 + 4e6;
}

START_TEST(test_pollers_do_not_starve_fault_handlers)
{
	const struct load_case *c = &load_cases[_i];
	const unsigned int turns = (c->clients + c->cpus - 1) / c->cpus;
	char cpus[32];
	struct platform *p;

	clients = c->clients;
	snprintf(cpus, sizeof(cpus), "machine.cpus=%u", c->cpus);
	p = scenario_passes(&(struct scenario){poll_on_every_cpu, {cpus}});
	/*
	 * A fault's work item waits for a turn of each client that shares its worker's CPU at most: a slice, rounded up to a
	 * tick. Few wait that long: a worker that waited once is owed time, and preempts from then on.
	 */
	ck_assert_double_gt(metric(p, "faults.handled"), c->clients * ROUNDS * COPY_PAGES);
	ck_assert_double_lt(metric(p, "fault_ns.worker.max"), turns * turn_ns(c->cpus) + 100e3);
	ck_assert_double_lt(metric(p, "fault_ns.worker.p99"), 100e3);
	ck_assert_double_lt(metric(p, "fault_ns.total.p99"), 500e3);
}
END_TEST

SCENARIO_SUITE("sched", {test_pollers_do_not_starve_fault_handlers,
			 sizeof(load_cases) / sizeof(load_cases[0])})
