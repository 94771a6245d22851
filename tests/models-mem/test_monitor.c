/* SPDX-License-Identifier: BSD-3-Clause */
/* Line monitors: which fire, in which order, how often. */
#include "models/mem/monitor.h"

#include "tests/models-mem/harness.h"

static struct monitor_table *table;
static unsigned int order[16], fired;

static void note(void *arg)
{
	order[fired++ % ARRAY_SIZE(order)] = (unsigned int)(uintptr_t)arg;
}

static uint64_t watch(uint64_t pa, unsigned int number)
{
	return monitor_add(table, pa, note, (void *)(uintptr_t)number);
}

static void setup(void)
{
	table = monitor_table_new();
	fired = 0;
}

static void teardown(void)
{
	monitor_table_free(table);
}

/* a monitor at 0x10080: does the write reach its line 0x10080 … 0x100bf? */
static const struct {
	uint64_t pa, len;
	bool fires;
} writes[] = {
	{0x10080, 1, true},	{0x100bf, 1, true},	 {0x100c0, 1, false},
	{0x1007f, 1, false},	{0x1007f, 2, true},	 {0x10000, 4096, true},
	{0x10000, 0x80, false}, {0x100c0, 0xf40, false}, {0x11080, 64, false},
	{0xf080, 64, false},	{0xff80, 0x10000, true},
};

START_TEST(test_a_write_fires_the_monitors_of_its_lines)
{
	watch(0x10088, 7);
	ck_assert_uint_eq(monitor_written(table, writes[_i].pa, writes[_i].len), writes[_i].fires);
	ck_assert_uint_eq(fired, writes[_i].fires);
	ck_assert_uint_eq(monitor_count(table), !writes[_i].fires);
}
END_TEST

START_TEST(test_monitors_fire_once_and_in_order)
{
	watch(0x1000, 1);
	watch(0x1fc0, 2);
	watch(0x1001, 3);
	watch(0x1800, 4);
	ck_assert_uint_eq(monitor_written(table, 0x1000, 1), 2);
	ck_assert_uint_eq(order[0], 1);
	ck_assert_uint_eq(order[1], 3);
	ck_assert_uint_eq(monitor_written(table, 0x1000, 4096), 2);
	ck_assert_uint_eq(order[2], 2);
	ck_assert_uint_eq(order[3], 4);
	ck_assert_uint_eq(monitor_written(table, 0x1000, 4096), 0);
}
END_TEST

START_TEST(test_a_cancelled_monitor_is_silent_and_its_id_dead)
{
	uint64_t first = watch(0x1000, 1);

	watch(0x1000, 2);
	ck_assert_uint_ne(first, 0);
	monitor_cancel(table, first);
	monitor_cancel(table, first);
	uint64_t third = watch(0x2000, 3); /* may take the slot of the first */

	monitor_cancel(table, first);
	monitor_cancel(table, 0);
	monitor_cancel(table, UINT64_MAX);
	ck_assert_uint_eq(monitor_written(table, 0x1000, 1), 1);
	ck_assert_uint_eq(order[0], 2);
	ck_assert_uint_eq(monitor_written(table, 0x2000, 1), 1);
	monitor_cancel(table, third);
	ck_assert_uint_eq(monitor_count(table), 0);
}
END_TEST

static uint64_t other;

static void cancel_other(void *arg)
{
	note(arg);
	monitor_cancel(table, other);
}

START_TEST(test_a_callback_may_cancel_one_that_is_about_to_fire)
{
	monitor_add(table, 0x1000, cancel_other, (void *)(uintptr_t)1);
	other = watch(0x1000, 2);
	watch(0x1000, 3);
	ck_assert_uint_eq(monitor_written(table, 0x1000, 1), 2);
	ck_assert_uint_eq(order[1], 3);
}
END_TEST

static void add_again(void *arg)
{
	note(arg);
	monitor_add(table, 0x1000, add_again, arg);
}

START_TEST(test_a_callback_may_watch_the_line_again)
{
	monitor_add(table, 0x1000, add_again, (void *)(uintptr_t)1);
	for (unsigned int i = 1; i <= 3; i++) {
		ck_assert_uint_eq(monitor_written(table, 0x1000, 64), 1);
		ck_assert_uint_eq(fired, i);
	}
	ck_assert_uint_eq(monitor_count(table), 1);
}
END_TEST

START_TEST(test_many_monitors_on_many_pages)
{
	enum { COUNT = 5000 };

	for (unsigned int i = 0; i < COUNT; i++)
		watch(UINT64_C(0x80000000) + (uint64_t)i * 0x3040, i);
	ck_assert_uint_eq(monitor_count(table), COUNT);
	for (unsigned int i = 0; i < COUNT; i += 2)
		ck_assert_uint_eq(
			monitor_written(table, UINT64_C(0x80000000) + (uint64_t)i * 0x3040, 1), 1);
	ck_assert_uint_eq(monitor_count(table), COUNT / 2);
	ck_assert_uint_eq(
		monitor_written(table, UINT64_C(0x80000000), (uint64_t)COUNT * 0x3040 + 64),
		COUNT / 2);
	ck_assert_uint_eq(monitor_count(table), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("monitor");
	TCase *tc = tcase_create("monitor");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_a_write_fires_the_monitors_of_its_lines, 0,
			    ARRAY_SIZE(writes));
	tcase_add_test(tc, test_monitors_fire_once_and_in_order);
	tcase_add_test(tc, test_a_cancelled_monitor_is_silent_and_its_id_dead);
	tcase_add_test(tc, test_a_callback_may_cancel_one_that_is_about_to_fire);
	tcase_add_test(tc, test_a_callback_may_watch_the_line_again);
	tcase_add_test(tc, test_many_monitors_on_many_pages);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
