/* SPDX-License-Identifier: BSD-3-Clause */
/* The thinnest real path: one request through everything, faulting once. */
#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

static void copy_one_page(void *arg)
{
	struct raw_queue q;
	uint64_t source, destination;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	source = raw_pages(1);
	destination = raw_pages(1);
	pattern_write(source, PAGE, 1);
	expect(!prog_verify_mapped(destination));
	expect_eq(raw_copy(&q, source, destination, PAGE), RAW_STATUS_OK);
	expect(pattern_is(destination, PAGE, 1));
	raw_close(&q);
}

START_TEST(test_device_faults_its_destination_in)
{
	struct platform *p = scenario_passes(&(struct scenario){copy_one_page, {NULL}});

	ck_assert_double_eq(metric(p, "requests.completed"), 1);
	ck_assert_double_eq(metric(p, "faults.ptes_installed"), 1);
	ck_assert_double_ge(metric(p, "faults.stall_events"), 1);
	ck_assert_double_eq(metric(p, "faults.handled"), metric(p, "faults.stall_events"));
}
END_TEST

SCENARIO_SUITE("first", {test_device_faults_its_destination_in, 1})
