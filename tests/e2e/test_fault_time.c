/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a page fault's time is made of: each part of the handler's time is what its cause says, and what an
 * experiment adds to a stage is found in that stage, and in no other.
 */
#include <stdio.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define PAGES 400u

/* One fault after another: nothing waits for anything but itself. */
static void touch_pages(void *arg)
{
	struct raw_queue q;
	uint64_t source = raw_pages(1), destination = raw_pages(PAGES);

	(void)arg;
	prog_store(source, 1, 8);
	expect_eq(raw_queue_new(&q, 0), 0);
	for (unsigned int i = 0; i < PAGES; i++)
		expect_eq(raw_copy(&q, source, destination + i * PAGE, 64), RAW_STATUS_OK);
	raw_close(&q);
}

/* ps of one fault */
static double mean(const struct platform *p, const char *name)
{
	char sum[96];

	snprintf(sum, sizeof(sum), "%s.sum_ps", name);
	return metric(p, sum) / metric(p, "faults.handled");
}

/* ---- parts ----------------------------------------------------------------------------------- */

START_TEST(test_parts_are_what_their_causes_cost)
{
	struct platform *p = scenario_passes(&(struct scenario){
		touch_pages,
		{"kernel.zero_page_ns=300", "kernel.alloc_page_ns=110", "kernel.pte_ns=50",
		 "kernel.lock_ns=7", "kernel.table_walk_ns=33", "kernel.fault.extra_ns=1000",
		 "machine.cpus=4"}});
	double sum = 0;

	static const char *const all[] = {"prepare", "mmap_lock", "injected", "walk", "alloc",
					  "zero",    "copy",	  "pte",      "other"};

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "fault_parts.%s.sum_ps", all[i]);
		sum += metric(p, name);
	}
	ck_assert_double_eq(sum,
			    metric(p, "fault_ns.mm.sum_ps") + metric(p, "fault_ns.mm_done.sum_ps"));
	/* A page each; now and then a table for 512 of them */
	ck_assert_double_eq_tol(mean(p, "fault_parts.zero"), 300000, 3000);
	ck_assert_double_eq_tol(mean(p, "fault_parts.alloc"), 110000, 1500);
	ck_assert_double_eq_tol(mean(p, "fault_parts.pte"), 50000 + 2 * 7000, 1000);
	ck_assert_double_ge(mean(p, "fault_parts.walk"), 33000);
	ck_assert_double_le(mean(p, "fault_parts.walk"), 34500);
	ck_assert_double_ge(mean(p, "fault_parts.injected"), 1000000);
	/* down_read() of a free lock: a few blocks of the kernel's own code */
	ck_assert_double_gt(mean(p, "fault_parts.mmap_lock"), 0);
	ck_assert_double_lt(mean(p, "fault_parts.mmap_lock"), 20000);
	ck_assert_double_eq(metric(p, "fault_parts.copy.sum_ps"), 0);
}
END_TEST

/* 4 KiB at the bandwidth of the one channel, which is the slowest of all that zeroing needs */
START_TEST(test_zeroing_takes_what_memory_gives)
{
	struct platform *p = scenario_passes(
		&(struct scenario){touch_pages,
				   {"memory.llc_kib=0", "memory.channels=1",
				    "memory.channel_mb_s=2000", "kernel.zero_page_ns=100"}});

	ck_assert_double_eq_tol(mean(p, "fault_parts.zero"), 4096 / 2000.0 * 1e6, 0.05 * 2.048e6);
}
END_TEST

static void change_mappings(void *arg)
{
	const uint64_t ended = (uint64_t)(uintptr_t)arg;

	while (!prog_load(ended, 4)) {
		const uint64_t at = raw_pages(512);

		for (unsigned int i = 0; i < 512; i++)
			prog_store(at + i * PAGE, 1, 8);
		sys_unmap(at, 512 * PAGE);
	}
	prog_fetch_add(ended + 8, 1, 4);
}

static void touch_among_changes(void *arg)
{
	const uint64_t ended = raw_pages(1);

	prog_store(ended, 0, 8);
	prog_store(ended + 8, 0, 8);
	expect(prog_thread(change_mappings, (void *)(uintptr_t)ended) > 0);
	touch_pages(arg);
	prog_store(ended, 1, 4);
	while (!prog_load(ended + 8, 4))
		sys_sleep_us(20);
}

START_TEST(test_the_mmap_lock_is_waited_for)
{
	struct platform *p = scenario_passes(&(struct scenario){touch_among_changes, {NULL}});

	/* munmap() holds it for 512 entries at a time */
	ck_assert_double_gt(mean(p, "fault_parts.mmap_lock"), 200000);
	ck_assert_double_gt(metric(p, "fault_parts.mmap_lock.max"), 10000);
}
END_TEST

/* ---- time that is added ------------------------------------------------------------------------ */

static const struct {
	const char *key, *stage;
} stages[] = {
	{"driver_extra", "driver"},
	{"worker_extra", "worker"},
	{"extra", "mm_done"},
	{"respond_extra", "responded"},
};

static struct platform *with_extra(unsigned int stage, unsigned int ns, const char *shape,
				   const char *more)
{
	static char settings[3][96];

	snprintf(settings[0], sizeof(settings[0]), "kernel.fault.%s_ns=%u", stages[stage].key, ns);
	snprintf(settings[1], sizeof(settings[1]), "kernel.fault.%s_shape=%s", stages[stage].key,
		 shape);
	return scenario_passes(&(struct scenario){touch_pages, {settings[0], settings[1], more}});
}

static double stage_mean(const struct platform *p, unsigned int stage)
{
	char name[64];

	snprintf(name, sizeof(name), "fault_ns.%s", stages[stage].stage);
	return mean(p, name);
}

/* What a timer adds of its own, where the stage waits by one */
#define TIMER_PS 5000000.0

START_TEST(test_extra_time_is_in_its_stage)
{
	const unsigned int ns = 30000;
	struct platform *p = with_extra((unsigned int)_i, ns, "constant", NULL);

	for (unsigned int stage = 0; stage < 4; stage++) {
		const double took = stage_mean(p, stage);

		if (stage == (unsigned int)_i)
			ck_assert_msg(took >= ns * 1e3 && took < ns * 1e3 + TIMER_PS, "%s: %.0f ps",
				      stages[stage].stage, took);
		else
			ck_assert_msg(took < ns * 1e3 / 2, "%s: %.0f ps", stages[stage].stage,
				      took);
	}
}
END_TEST

/* 400 draws: the mean of a distribution of deviation s is within 4 s / 20 but once in 16,000 */
START_TEST(test_extra_time_has_its_distribution)
{
	static const struct {
		const char *shape;
		double deviation; /* of the mean */
	} shapes[] = {{"uniform", 0.2887}, {"exponential", 1}, {"lognormal", 0.5}};
	const double ns = 30000;
	struct platform *p = with_extra(2, (unsigned int)ns, shapes[_i].shape, NULL);
	const double mm = stage_mean(p, 2) / 1e3, p99 = metric(p, "fault_ns.mm_done.p99");

	ck_assert_double_eq_tol(mm, ns + 1500, ns * 4 * shapes[_i].deviation / 20 + 1500);
	/* It varies */
	ck_assert_double_gt(p99, ns * (1 + 1.2 * shapes[_i].deviation));
	ck_assert_double_lt(metric(p, "fault_ns.mm_done.p50"), ns * 1.1);
}
END_TEST

SCENARIO_SUITE("fault time", {test_parts_are_what_their_causes_cost, 1},
	       {test_zeroing_takes_what_memory_gives, 1}, {test_the_mmap_lock_is_waited_for, 1},
	       {test_extra_time_is_in_its_stage, 4}, {test_extra_time_has_its_distribution, 3})
