/* SPDX-License-Identifier: BSD-3-Clause */
/* Invariants: with figures that fit all of them hold, and each of them can fail. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "sim/stats/invariants.h"

sim_time sim_current_time;

/* A run of 1,000 requests of 10 us with 10 in flight in 1 ms, 100 of them with a fault of 2 us. */
static struct figure {
	const char *name;
	double value;
} figures[] = {
	{"duration_ps", 1e9},
	{"requests.sent", 1000},
	{"requests.completed", 1000},
	{"requests.errors", 0},
	{"requests.abandoned", 0},
	{"requests.bytes", 4096000},
	{"requests.per_s", 1e6},
	{"requests.in_flight_mean", 10},
	{"latency.sum_ps", 1e10},
	{"latency.count", 1000},
	{"request_stage_ns.submitted.sum_ps", 4e9},
	{"request_stage_ns.received.sum_ps", 6e9},
	{"waits.cpu.sum_ps", 1e9},
	{"waits.page_fault.sum_ps", 9e9},
	{"life.waits_mismatches", 0},
	{"life.misplaced_stamps", 0},
	{"faults.stall_events", 100},
	{"faults.handled", 99},
	{"faults.aborted", 1},
	{"fault_ns.total.count", 100},
	{"fault_ns.total.sum_ps", 2e8},
	{"fault_ns.recorded.sum_ps", 1e7},
	{"fault_ns.retried.sum_ps", 1e7},
	{"fault_ns.mm.sum_ps", 3e7},
	{"fault_ns.mm_done.sum_ps", 5e7},
	{"fault_ns.responded.sum_ps", 1e8},
	{"fault_parts.zero.sum_ps", 6e7},
	{"fault_parts.pte.sum_ps", 2e7},
	{"smmu.stall_max", 1},
	{"kernel.max_workers", 1},
	{"smmu.walks", 200},
	{"smmu.walk_slots", 1},
	{"smmu.walk_ns.count", 200},
	{"smmu.walk_ns.mean", 400},
	{"smmu.tlb.hits", 800},
	{"smmu.tlb.misses", 200},
	{"smmu.tlb.lookups", 1000},
	{"mmu.tlb.hits", 70},
	{"mmu.tlb.misses", 7},
	{"mmu.tlb.lookups", 77},
	{"memory.utilisation", 0.7},
	{"accel.engines.copy.utilisation", 1},
	{"kernel.pages_allocated", 500},
	{"kernel.pages_freed", 400},
	{"kernel.pages_live", 100},
	{"accel.dma.read_bytes", 4000000},
	{"accel.dma.write_bytes", 3000000},
	{"accel.dma.errors", 0},
	{"accel.engines.copy.bytes", 3000000},
	{"accel.engines.crc32c.bytes", 1000000},
	{"accel1.dma.read_bytes", 96000},
	{"accel1.dma.write_bytes", 96000},
	{"accel1.dma.errors", 0},
	{"accel1.engines.copy.bytes", 96000},
	{"accel1.engines.crc32c.bytes", 0},
	{"memory.requester.accel0.bytes_read", 4100000},
	{"memory.requester.accel0.bytes_written", 3000000},
	{"memory.requester.accel1.bytes_read", 100000},
	{"memory.requester.accel1.bytes_written", 96000},
	{"accel.sqes_fetched", 1000},
	{"accel.sqes_pushed", 0},
	{"accel.requests.by_status.success", 998},
	{"accel.requests.by_status.bad_opcode", 1},
	{"accel.requests.dropped", 1},
};

#define FIGURES (sizeof(figures) / sizeof(figures[0]))

static double saved[FIGURES];
static struct stats *stats;

static double value_of(const void *arg)
{
	return ((const struct figure *)arg)->value;
}

static void setup(void)
{
	stats = stats_new();
	for (size_t i = 0; i < FIGURES; i++) {
		saved[i] = figures[i].value;
		stats_computed(stats, figures[i].name, value_of, &figures[i], "1", "fabricated");
	}
}

static void teardown(void)
{
	stats_free(stats);
}

static void set(const char *name, double value)
{
	for (size_t i = 0; i < FIGURES; i++) {
		if (strcmp(figures[i].name, name))
			continue;
		figures[i].value = value;
		return;
	}
	ck_abort_msg("no figure %s", name);
}

static void restore(void)
{
	for (size_t i = 0; i < FIGURES; i++)
		figures[i].value = saved[i];
}

static const struct invariant *named(const char *name)
{
	for (size_t i = 0; i < invariant_count; i++)
		if (!strcmp(invariants[i].name, name))
			return &invariants[i];
	ck_abort_msg("no invariant %s", name);
	return NULL;
}

static enum invariant_result check(const struct invariant *invariant, char *line)
{
	const struct invariant_names names = {.stats = stats};

	return invariant_check(invariant, &names, line, 512);
}

START_TEST(test_all_hold_for_figures_that_fit)
{
	char line[512];

	for (size_t i = 0; i < invariant_count; i++)
		ck_assert_msg(check(&invariants[i], line) == INVARIANT_HOLDS, "%s: %s",
			      invariants[i].name, line);
}
END_TEST

/* A figure that breaks each of them. */
static const struct breakage {
	const char *invariant, *figure;
	double value;
} breakages[] = {
	{"little", "requests.in_flight_mean", 10.2},
	{"little", "latency.sum_ps", 0.98e10},
	{"requests-ended", "requests.sent", 1001},
	{"latency-sums", "latency.sum_ps", 1e10 + 1},
	{"waits-sum", "waits.cpu.sum_ps", 1e9 + 1},
	{"waits-match", "life.waits_mismatches", 1},
	{"stamps-placed", "life.misplaced_stamps", 1},
	{"fault-sums", "fault_ns.mm.sum_ps", 3e7 + 1},
	{"fault-parts-sum", "fault_parts.pte.sum_ps", 2e7 + 1},
	{"faults-ended", "faults.aborted", 0},
	{"fault-workers", "fault_ns.mm.sum_ps", 1e9},
	{"faults-outstanding", "fault_ns.total.sum_ps", 1.1e9},
	{"walkers", "smmu.walk_ns.mean", 5001},
	{"utilisation", "accel.engines.copy.utilisation", 1.01},
	{"pages", "kernel.pages_live", 99},
	{"pages-freed", "kernel.pages_freed", 501},
	{"smmu-look-ups", "smmu.tlb.lookups", 999},
	{"mmu-look-ups", "mmu.tlb.hits", 71},
	{"copied-bytes", "accel1.dma.write_bytes", 4096},
	{"read-bytes", "accel.dma.read_bytes", 4000001},
	{"requested-bytes", "requests.bytes", 4096},
	{"read-served", "memory.requester.accel0.bytes_read", 3900000},
	{"write-served", "memory.requester.accel1.bytes_written", 95999},
	{"sqes-answered", "accel.requests.dropped", 2},
};

START_TEST(test_each_can_fail)
{
	char line[512];

	for (size_t i = 0; i < sizeof(breakages) / sizeof(breakages[0]); i++) {
		const struct breakage *b = &breakages[i];

		set(b->figure, b->value);
		ck_assert_msg(check(named(b->invariant), line) == INVARIANT_VIOLATED,
			      "%s holds with %s = %g", b->invariant, b->figure, b->value);
		ck_assert_ptr_nonnull(strstr(line, named(b->invariant)->formula));
		restore();
	}
	for (size_t i = 0; i < invariant_count; i++) {
		bool tried = false;

		for (size_t j = 0; j < sizeof(breakages) / sizeof(breakages[0]); j++)
			tried |= !strcmp(breakages[j].invariant, invariants[i].name);
		ck_assert_msg(tried, "nothing breaks %s", invariants[i].name);
	}
}
END_TEST

START_TEST(test_a_violation_names_formula_and_values)
{
	char line[512];

	set("faults.handled", 42);
	ck_assert_int_eq(check(named("faults-ended"), line), INVARIANT_VIOLATED);
	ck_assert_str_eq(line, "invariant faults-ended: faults.stall_events = faults.handled + "
			       "faults.aborted: 100 = 43");
	restore();
}
END_TEST

START_TEST(test_what_does_not_apply_is_skipped)
{
	static const struct invariant missing = {"m", "no.such.metric = 1", NULL, 0},
				      no_match = {"n", "sum(no.such.*) = 1", NULL, 0},
				      not_a_number = {"d", "1 / requests.errors <= 0", NULL, 0},
				      excepted = {"e", "1 = 2", "requests.sent", 0};
	char line[512];

	ck_assert_int_eq(check(&missing, line), INVARIANT_SKIPPED);
	ck_assert_int_eq(check(&no_match, line), INVARIANT_SKIPPED);
	ck_assert_int_eq(check(&not_a_number, line), INVARIANT_SKIPPED);
	ck_assert_int_eq(check(&excepted, line), INVARIANT_SKIPPED);
}
END_TEST

START_TEST(test_expressions)
{
	static const char *const true_ones[] = {
		"1 + 2 * 3 = 7",
		"(1 + 2) * 3 = 9",
		"8 / 2 / 2 - 1 - 1 = 0",
		"1.5e3 = 1500",
		"sum(faults.*) = 200",
		"max(faults.*) = faults.stall_events",
		"1 <= 2",
		"2 <= 2",
	};
	static const char *const false_ones[] = {"1 = 2", "2 <= 1", "10 - 3 - 2 = 9"};
	char line[512];

	for (size_t i = 0; i < sizeof(true_ones) / sizeof(true_ones[0]); i++)
		ck_assert_msg(check(&(struct invariant){"t", true_ones[i], NULL, 0}, line) ==
				      INVARIANT_HOLDS,
			      "%s", true_ones[i]);
	for (size_t i = 0; i < sizeof(false_ones) / sizeof(false_ones[0]); i++)
		ck_assert_int_eq(check(&(struct invariant){"f", false_ones[i], NULL, 0}, line),
				 INVARIANT_VIOLATED);
}
END_TEST

static bool lookup(void *arg, const char *name, double *value)
{
	*value = *(const double *)arg;
	return !strcmp(name, "smmu.walkers");
}

START_TEST(test_names_that_are_no_metrics_are_looked_up)
{
	double walkers = 4;
	const struct invariant_names names = {.stats = stats, .lookup = lookup, .arg = &walkers};
	char line[512];

	ck_assert_int_eq(invariant_check(&(struct invariant){"w", "smmu.walkers = 4", NULL, 0},
					 &names, line, sizeof(line)),
			 INVARIANT_HOLDS);
	ck_assert_int_eq(invariant_check(&(struct invariant){"w", "smmu.talkers = 4", NULL, 0},
					 &names, line, sizeof(line)),
			 INVARIANT_SKIPPED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("invariants");
	TCase *tcase = tcase_create("invariants");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_all_hold_for_figures_that_fit);
	tcase_add_test(tcase, test_each_can_fail);
	tcase_add_test(tcase, test_a_violation_names_formula_and_values);
	tcase_add_test(tcase, test_what_does_not_apply_is_skipped);
	tcase_add_test(tcase, test_expressions);
	tcase_add_test(tcase, test_names_that_are_no_metrics_are_looked_up);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
