/* SPDX-License-Identifier: BSD-3-Clause */
/* How runs end that do not end by themselves, and runs that are not made. */
#include <asm-generic/unistd.h>
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "sim/platform/machine.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define FUTEX_WAIT_PRIVATE 128

static struct platform_result result;

static struct platform *run(void (*program)(void *arg), const struct platform_options *options,
			    const char *setting)
{
	static struct workload workload = {.name = "run", .help = "a test's program"};
	struct platform_options all = *options;
	struct platform_config *config;
	struct param_error error;

	workload.main = program;
	config = platform_config_new(&workload);
	if (setting)
		ck_assert_msg(!param_assign(config->params, "test", setting, &error), "%s",
			      error.text);
	all.image_directory = SVASIM_IMAGE_DIRECTORY;
	all.log_level = 4;
	return platform_run(config, &all, &result);
}

static bool finished(const struct platform *platform)
{
	return metric(platform, "finished") == 1;
}

/* ---- not made -------------------------------------------------------------------------------------- */

static unsigned int begun;

static int count_begin(void *arg)
{
	begun++;
	return *(int *)arg;
}

static void nothing(void *arg)
{
	(void)arg;
}

START_TEST(test_begin_is_asked_once_when_all_else_is_there)
{
	int allow = 0;
	struct platform *p =
		run(nothing, &(struct platform_options){.begin = count_begin, .arg = &allow}, NULL);

	ck_assert_int_eq(result.status, PLATFORM_OK);
	ck_assert_uint_eq(begun, 1);
	ck_assert(finished(p));
	ck_assert_uint_gt(result.duration, 0);
	platform_free(p);
}
END_TEST

START_TEST(test_begin_may_refuse)
{
	int refuse = -1;
	struct platform *p = run(
		nothing, &(struct platform_options){.begin = count_begin, .arg = &refuse}, NULL);

	ck_assert_int_eq(result.status, PLATFORM_USER_ERROR);
	ck_assert_str_eq(result.reason, "");
	platform_free(p);
}
END_TEST

START_TEST(test_an_image_that_is_not_there_is_named_before_begin)
{
	int allow = 0;
	struct platform *p =
		run(nothing, &(struct platform_options){.begin = count_begin, .arg = &allow},
		    "machine.kernel_image=nowhere");

	ck_assert_int_eq(result.status, PLATFORM_USER_ERROR);
	ck_assert_ptr_nonnull(strstr(result.reason, "machine.kernel_image: nowhere: "));
	ck_assert_uint_eq(begun, 0);
	platform_free(p);
}
END_TEST

/* ---- ended early ------------------------------------------------------------------------------------ */

static void interrupt_itself(void *arg)
{
	(void)arg;
	prog_mark_expected(7);
	platform_interrupt(SIGTERM);
	sys_sleep_us(1);
	prog_mark_failure("went on");
}

START_TEST(test_an_interrupted_run_ends_with_what_there_is)
{
	struct platform *p = run(interrupt_itself, &(struct platform_options){0}, NULL);

	ck_assert_int_eq(result.status, PLATFORM_INTERRUPTED);
	ck_assert_int_eq(result.signal, SIGTERM);
	ck_assert_msg(!strncmp(result.reason, "interrupted (Terminated) at ", 28), "%s",
		      result.reason);
	ck_assert_ptr_nonnull(strstr(result.reason, "0 of 7 requests received"));
	ck_assert(!finished(p));
	ck_assert_uint_gt(result.duration, 0);
	ck_assert_double_gt(metric(p, "kernel.syscalls"), 0);
}
END_TEST

static void wait_for_ever(void *arg)
{
	uint64_t word = (uint64_t)sys_map(0, PAGE, SYS_PROT_RW);

	(void)arg;
	prog_store(word, 1, 4);
	prog_syscall(__NR_futex, word, FUTEX_WAIT_PRIVATE, 1, 0, 0, 0);
}

START_TEST(test_a_deadlock_is_named)
{
	struct platform *p = run(wait_for_ever, &(struct platform_options){0}, NULL);

	ck_assert_int_eq(result.status, PLATFORM_BUG);
	ck_assert_msg(!strncmp(result.reason, "deadlock", 8), "%s", result.reason);
	ck_assert(!finished(p));
}
END_TEST

static void panic(void *arg)
{
	(void)arg;
	the_machine->ops.panic("the test says so");
}

START_TEST(test_a_panic_ends_the_run_and_is_told)
{
	struct platform *p = run(panic, &(struct platform_options){0}, NULL);

	ck_assert_int_eq(result.status, PLATFORM_BUG);
	ck_assert_msg(!strncmp(result.reason, "the test says so at ", 20), "%s", result.reason);
	ck_assert(!finished(p));
}
END_TEST

/* From event context no simulation can be ended in order: the process ends, after its last words. */
#define LAST_WORDS_OK 42

static void last_words(void *arg, struct platform *platform)
{
	(void)arg;
	if (result.status == PLATFORM_BUG && !strncmp(result.reason, "in an event at ", 15) &&
	    metric(platform, "finished") == 0 && metric(platform, "kernel.syscalls") > 0)
		_Exit(LAST_WORDS_OK);
}

static void panic_now(void *arg)
{
	(void)arg;
	the_machine->ops.panic("in an event");
}

static void panic_in_an_event(void *arg)
{
	static struct sim_event event;

	(void)arg;
	sim_event_init(&event, panic_now, NULL);
	sim_event_after(&event, SIM_US(1));
	sys_sleep_us(10);
}

START_TEST(test_a_panic_in_event_context_has_last_words)
{
	run(panic_in_an_event, &(struct platform_options){.emergency = last_words}, NULL);
	ck_abort_msg("came back");
}
END_TEST

START_TEST(test_a_panic_in_event_context_ends_the_process)
{
	run(panic_in_an_event, &(struct platform_options){0}, NULL);
	ck_abort_msg("came back");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("run");
	TCase *tcase = tcase_create("run");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_begin_is_asked_once_when_all_else_is_there);
	tcase_add_test(tcase, test_begin_may_refuse);
	tcase_add_test(tcase, test_an_image_that_is_not_there_is_named_before_begin);
	tcase_add_test(tcase, test_an_interrupted_run_ends_with_what_there_is);
	tcase_add_test(tcase, test_a_deadlock_is_named);
	tcase_add_test(tcase, test_a_panic_ends_the_run_and_is_told);
	tcase_add_exit_test(tcase, test_a_panic_in_event_context_has_last_words, LAST_WORDS_OK);
	tcase_add_exit_test(tcase, test_a_panic_in_event_context_ends_the_process, PLATFORM_BUG);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
