/* SPDX-License-Identifier: BSD-3-Clause */
/* The interrupt controller alone: who gets a line's edge, and when. */
#include <check.h>
#include <stdlib.h>

#include "sim/platform/machine.h"

#define LATENCY	  SIM_NS(300)
#define TAKEN_MAX 16

static struct {
	sim_time at;
	unsigned int cpu, line;
} taken[TAKEN_MAX];
static unsigned int taken_count;

static void fake_interrupt(unsigned int cpu, unsigned int line)
{
	ck_assert_uint_lt(taken_count, TAKEN_MAX);
	taken[taken_count].at = sim_now();
	taken[taken_count].cpu = cpu;
	taken[taken_count++].line = line;
}

static const struct kernel_ops fake_kernel = {.interrupt = fake_interrupt};
static struct platform_config config;
static struct machine machine;

static void setup(void)
{
	config.machine.cpus = 4;
	config.machine.irq_delivery_ns = LATENCY / SIM_NS(1);
	config.kernel.irq_affinity_spread = 1;
	machine.config = &config;
	machine.kernel = &fake_kernel;
	machine.stats = stats_new();
	machine.irqs = irq_controller_new(&machine);
}

static void teardown(void)
{
	irq_controller_free(machine.irqs);
	stats_free(machine.stats);
}

/* An edge on a line at a time. */
struct edge {
	struct sim_event event;
	unsigned int line;
};

static void edge_now(void *arg)
{
	const struct edge *edge = arg;
	struct sim_irq irq = irq_controller_line(machine.irqs, edge->line);

	sim_irq_pulse(&irq);
}

static void edge_at(struct edge *edge, sim_time at, unsigned int line)
{
	edge->line = line;
	sim_event_init(&edge->event, edge_now, edge);
	sim_event_at(&edge->event, at);
}

static uint64_t metric(const char *name)
{
	double value = 0;

	ck_assert(stats_get(machine.stats, name, &value));
	return (uint64_t)value;
}

static void assert_taken(unsigned int i, sim_time at, unsigned int cpu, unsigned int line)
{
	ck_assert_uint_eq(taken[i].at, at);
	ck_assert_uint_eq(taken[i].cpu, cpu);
	ck_assert_uint_eq(taken[i].line, line);
}

START_TEST(test_an_edge_arrives_after_its_latency_at_its_lines_cpu)
{
	struct edge edges[3];

	edge_at(&edges[0], SIM_NS(10), 1);
	edge_at(&edges[1], SIM_NS(20), 8);
	edge_at(&edges[2], SIM_NS(20), 7);
	sim_run(NULL);
	ck_assert_uint_eq(taken_count, 3);
	assert_taken(0, SIM_NS(10) + LATENCY, 1, 1);
	assert_taken(1, SIM_NS(20) + LATENCY, 0, 8);
	assert_taken(2, SIM_NS(20) + LATENCY, 3, 7);
}
END_TEST

START_TEST(test_without_spreading_all_lines_are_cpu_0s)
{
	struct edge edges[2];

	config.kernel.irq_affinity_spread = 0;
	edge_at(&edges[0], 0, 1);
	edge_at(&edges[1], 0, LINE_COUNT - 1);
	sim_run(NULL);
	ck_assert_uint_eq(taken_count, 2);
	assert_taken(0, LATENCY, 0, 1);
	assert_taken(1, LATENCY, 0, LINE_COUNT - 1);
}
END_TEST

START_TEST(test_edges_of_a_line_merge_while_one_is_on_its_way)
{
	struct edge edges[4];

	edge_at(&edges[0], 0, 2);
	edge_at(&edges[1], LATENCY - 1, 2);
	edge_at(&edges[2], LATENCY - 1, 3); /* another line's does not */
	edge_at(&edges[3], LATENCY + 1, 2); /* nor one after the delivery */
	sim_run(NULL);
	ck_assert_uint_eq(taken_count, 3);
	assert_taken(0, LATENCY, 2, 2);
	assert_taken(1, 2 * LATENCY - 1, 3, 3);
	assert_taken(2, 2 * LATENCY + 1, 2, 2);
	ck_assert_uint_eq(metric("interrupts.edges"), 4);
	ck_assert_uint_eq(metric("interrupts.merged"), 1);
}
END_TEST

START_TEST(test_no_latency_is_a_latency)
{
	struct edge edge;

	machine.irqs = (irq_controller_free(machine.irqs), NULL);
	stats_free(machine.stats);
	config.machine.irq_delivery_ns = 0;
	machine.stats = stats_new();
	machine.irqs = irq_controller_new(&machine);
	edge_at(&edge, SIM_NS(5), 1);
	sim_run(NULL);
	ck_assert_uint_eq(taken_count, 1);
	assert_taken(0, SIM_NS(5), 1, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("irq");
	TCase *tcase = tcase_create("irq");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_an_edge_arrives_after_its_latency_at_its_lines_cpu);
	tcase_add_test(tcase, test_without_spreading_all_lines_are_cpu_0s);
	tcase_add_test(tcase, test_edges_of_a_line_merge_while_one_is_on_its_way);
	tcase_add_test(tcase, test_no_latency_is_a_latency);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
