/* SPDX-License-Identifier: BSD-3-Clause */
/* Device stores of a program: each alone, or gathered as a write-combining buffer does. */
#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define IGNORED 0x3000u /* of the user window: nothing is there */

static struct raw_queue q;

static uint64_t stores_of(void (*what)(uint64_t at))
{
	const uint64_t before = metric_now("cpu.device_stores");

	what(q.mmio + IGNORED);
	prog_barrier(PROG_DSB);
	return metric_now("cpu.device_stores") - before;
}

static void whole_line(uint64_t at)
{
	for (unsigned int i = 0; i < 8; i++)
		prog_store(at + 8 * i, i, 8);
}

static void small_words(uint64_t at)
{
	for (unsigned int i = 0; i < 32; i++)
		prog_store(at + 2 * i, i, 2);
}

static void part_of_a_line(uint64_t at)
{
	prog_store(at + 4, 1, 4);
	prog_store(at + 8, 2, 8);
	prog_store(at + 16, 3, 2);
}

static void across_a_line(uint64_t at)
{
	for (unsigned int i = 4; i < 12; i++)
		prog_store(at + 8 * i, i, 8);
}

static void backwards(uint64_t at)
{
	for (unsigned int i = 8; i-- > 0;)
		prog_store(at + 8 * i, i, 8);
}

static void slowly(uint64_t at)
{
	for (unsigned int i = 0; i < 8; i++) {
		prog_store(at + 8 * i, i, 8);
		prog_work_ns(2000);
	}
}

static void with_a_load_between(uint64_t at)
{
	for (unsigned int i = 0; i < 8; i++) {
		prog_store(at + 8 * i, i, 8);
		if (i == 3)
			prog_load(at, 8);
	}
}

static void store_alone(void *arg)
{
	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(stores_of(whole_line), 8);
	expect_eq(stores_of(small_words), 32);
	expect_eq(metric_now("cpu.device_stores_gathered"), 0);
	raw_close(&q);
}

static void store_together(void *arg)
{
	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(stores_of(whole_line), 1);
	expect_eq(stores_of(small_words), 1);
	expect_eq(stores_of(part_of_a_line), 3); /* of 4, 8 and 2 bytes */
	expect_eq(stores_of(across_a_line), 8);	 /* two halves, word by word */
	expect_eq(stores_of(backwards), 8);
	expect_eq(stores_of(slowly), 8);
	expect_eq(stores_of(with_a_load_between), 8);
	/* A doorbell goes by itself when its time is over */
	expect_eq(raw_copy(&q, raw_pages(1), raw_pages(1), 64), RAW_STATUS_OK);
	raw_close(&q);
}

START_TEST(test_each_store_goes_alone)
{
	scenario_passes(&(struct scenario){store_alone, {NULL}});
}
END_TEST

START_TEST(test_neighbours_go_together)
{
	static const char *const in_flight[] = {"cpu.posted_writes=1", "cpu.posted_writes=16"};

	scenario_passes(&(struct scenario){store_together, {"cpu.gather_ns=30", in_flight[_i]}});
}
END_TEST

SCENARIO_SUITE("device stores", {test_each_store_goes_alone, 1}, {test_neighbours_go_together, 2})
