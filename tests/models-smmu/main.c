/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/models-smmu/bench.h"

#include <stdlib.h>

int main(void)
{
	Suite *suite = suite_create("models/smmu");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, config_cases());
	suite_add_tcase(suite, fault_cases());
	suite_add_tcase(suite, queue_cases());
	suite_add_tcase(suite, invalidation_cases());
	suite_add_tcase(suite, random_cases());
	suite_add_tcase(suite, timing_cases());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
