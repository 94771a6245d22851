/* SPDX-License-Identifier: BSD-3-Clause */
/* The thinnest real path: one request through everything, faulting once on each side. */
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"

static void copy_one_page(void *arg)
{
	struct raw_queue q;
	uint64_t source, destination;
	uint8_t a[4096], b[4096];

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	source = raw_pages(1);
	destination = raw_pages(1);
	memset(a, 0x5a, sizeof(a));
	prog_write(source, a, sizeof(a));
	expect(!prog_verify_mapped(destination));
	expect_eq(raw_copy(&q, source, destination, 4096, 1000), RAW_STATUS_OK);
	expect(prog_verify_read(b, destination, sizeof(b)) && !memcmp(a, b, sizeof(a)));
	raw_close(&q);
}

START_TEST(test_device_faults_its_destination_in)
{
	struct platform *p = scenario_passes(&(struct scenario){ copy_one_page, { NULL } });

	ck_assert_double_eq(metric(p, "requests.completed"), 1);
	ck_assert_double_eq(metric(p, "faults.ptes_installed"), 1);
	ck_assert_double_ge(metric(p, "faults.stall_events"), 1);
	ck_assert_double_eq(metric(p, "faults.handled"), metric(p, "faults.stall_events"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("first");
	TCase *tcase = tcase_create("first");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_device_faults_its_destination_in);
	srunner_run_all(runner, CK_ENV);
	return srunner_ntests_failed(runner) ? EXIT_FAILURE : EXIT_SUCCESS;
}
