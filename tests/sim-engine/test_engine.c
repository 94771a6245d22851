/* SPDX-License-Identifier: BSD-3-Clause */
/* Events, threads and the run: each test is a process, and so a simulation, of its own. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/engine/engine.h"

/* What happened, in order: one letter or number per step. */
static char history[256];

static void note(const char *what)
{
	strncat(history, what, sizeof(history) - strlen(history) - 1);
}

static void note_fired(void *arg)
{
	note(arg);
}

static struct sim_event event_a, event_b, event_c;

static void init_abc(void)
{
	sim_event_init(&event_a, note_fired, "a");
	sim_event_init(&event_b, note_fired, "b");
	sim_event_init(&event_c, note_fired, "c");
}

/* ---- events ------------------------------------------------------------------------------- */

START_TEST(test_events_fire_in_order_of_time)
{
	init_abc();
	sim_event_at(&event_a, SIM_NS(30));
	sim_event_at(&event_b, SIM_NS(10));
	sim_event_at(&event_c, SIM_NS(20));
	ck_assert(sim_event_pending(&event_a));
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	ck_assert_str_eq(history, "bca");
	ck_assert_uint_eq(sim_now(), SIM_NS(30));
	ck_assert(!sim_event_pending(&event_a));
}
END_TEST

START_TEST(test_events_of_one_time_fire_in_order_of_scheduling)
{
	static struct sim_event events[12];
	static char names[12][3];

	for (int i = 0; i < 12; i++) {
		snprintf(names[i], sizeof(names[i]), "%x", i);
		sim_event_init(&events[i], note_fired, names[i]);
		sim_event_at(&events[i], SIM_NS(5));
	}
	sim_run(NULL);
	ck_assert_str_eq(history, "0123456789ab");
}
END_TEST

static void schedule_c_now(void *arg)
{
	(void)arg;
	note("[");
	sim_event_at(&event_c, sim_now());
	note("]");
}

START_TEST(test_event_scheduled_for_now_fires_behind_those_of_now)
{
	static struct sim_event scheduler;

	init_abc();
	sim_event_init(&scheduler, schedule_c_now, NULL);
	sim_event_at(&scheduler, SIM_PS(7));
	sim_event_at(&event_a, SIM_PS(7));
	sim_event_at(&event_b, SIM_PS(8));
	sim_run(NULL);
	ck_assert_str_eq(history, "[]acb");
}
END_TEST

START_TEST(test_pending_event_moves_behind_others)
{
	init_abc();
	sim_event_at(&event_a, SIM_NS(1));
	sim_event_at(&event_b, SIM_NS(2));
	sim_event_at(&event_c, SIM_NS(9));
	sim_event_at(&event_a, SIM_NS(2)); /* later, and behind b */
	sim_event_at(&event_c, SIM_NS(1)); /* earlier */
	sim_run(NULL);
	ck_assert_str_eq(history, "cba");
	ck_assert_uint_eq(sim_now(), SIM_NS(2));
}
END_TEST

START_TEST(test_cancelled_event_does_not_fire)
{
	init_abc();
	sim_event_at(&event_a, SIM_NS(1));
	sim_event_at(&event_b, SIM_NS(2));
	sim_event_cancel(&event_a);
	sim_event_cancel(&event_c); /* was not pending: no effect */
	sim_event_at(&event_c, SIM_TIME_NEVER);
	ck_assert(!sim_event_pending(&event_a));
	ck_assert(!sim_event_pending(&event_c));
	sim_run(NULL);
	ck_assert_str_eq(history, "b");
}
END_TEST

static void cancel_b(void *arg)
{
	(void)arg;
	note("x");
	sim_event_cancel(&event_b);
}

START_TEST(test_run_does_not_go_on_to_a_cancelled_time)
{
	static struct sim_event canceller;

	init_abc();
	sim_event_init(&canceller, cancel_b, NULL);
	sim_event_at(&canceller, SIM_NS(1));
	sim_event_at(&event_b, SIM_US(1));
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	ck_assert_str_eq(history, "x");
	ck_assert_uint_eq(sim_now(), SIM_NS(1));
}
END_TEST

#define MANY 10000

static sim_time last_time;
static unsigned int fired_count;

static void check_order(void *arg)
{
	struct sim_event *event = arg;

	ck_assert_uint_eq(event->time, sim_now());
	ck_assert_uint_ge(sim_now(), last_time);
	last_time = sim_now();
	fired_count++;
}

START_TEST(test_ten_thousand_pending_events)
{
	static struct sim_event events[MANY];
	unsigned int cancelled = 0;
	uint32_t random = 1;

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < MANY; i++) {
			random = random * 1664525u + 1013904223u;
			if (!round)
				sim_event_init(&events[i], check_order, &events[i]);
			sim_event_at(&events[i], random >> 12);
		}
	}
	for (int i = 0; i < MANY; i += 3, cancelled++)
		sim_event_cancel(&events[i]);
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	ck_assert_uint_eq(fired_count, MANY - cancelled);
	ck_assert_uint_eq(sim_host_counters()->events_fired, MANY - cancelled);
}
END_TEST

static void again(void *arg)
{
	struct sim_event *event = arg;

	if (++fired_count < 1000)
		sim_event_after(event, 1);
}

START_TEST(test_event_schedules_itself)
{
	static struct sim_event event;

	sim_event_init(&event, again, &event);
	sim_event_at(&event, 1);
	sim_run(NULL);
	ck_assert_uint_eq(sim_now(), 1000);
}
END_TEST

/* ---- threads ------------------------------------------------------------------------------ */

static struct sim_thread *sleeper;
static char result_text[64];

static void block_once(void *arg)
{
	(void)arg;
	note("B");
	sim_thread_block();
	note("W");
	ck_assert_ptr_eq(sim_thread_self(), sleeper);
	snprintf(result_text, sizeof(result_text), "%llu", (unsigned long long)sim_now());
}

static void wake_sleeper(void *arg)
{
	ck_assert_ptr_null(sim_thread_self());
	note(arg);
	sim_thread_wake(sleeper);
}

START_TEST(test_thread_blocks_until_woken_and_runs_after_the_events)
{
	static struct sim_event waker;

	init_abc();
	sim_event_init(&waker, wake_sleeper, "w");
	sim_event_at(&event_a, 0);
	sleeper = sim_thread_start("sleeper", block_once, NULL);
	sim_event_at(&event_b, 0);
	sim_event_at(&waker, SIM_NS(4));
	sim_event_at(&event_c, SIM_NS(4));
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	ck_assert_str_eq(history, "abBwcW");
	ck_assert_str_eq(result_text, "4000");
}
END_TEST

static void sleep_then_block(void *arg)
{
	(void)arg;
	sim_thread_sleep(SIM_NS(10)); /* two wake-ups come meanwhile: one is kept */
	ck_assert_uint_eq(sim_now(), SIM_NS(10));
	sim_thread_block();
	ck_assert_uint_eq(sim_now(), SIM_NS(10));
	note("1");
	sim_thread_block();
	note("2");
}

START_TEST(test_wake_before_block_is_kept_once)
{
	static struct sim_event wakers[2];

	sleeper = sim_thread_start("sleeper", sleep_then_block, NULL);
	for (int i = 0; i < 2; i++) {
		sim_event_init(&wakers[i], wake_sleeper, "w");
		sim_event_at(&wakers[i], SIM_NS(3));
	}
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	ck_assert_str_eq(history, "ww1");
}
END_TEST

static void block_with_timeouts(void *arg)
{
	(void)arg;
	ck_assert(!sim_thread_block_until(SIM_NS(5)));
	ck_assert_uint_eq(sim_now(), SIM_NS(5));
	ck_assert(sim_thread_block_until(SIM_US(1))); /* woken at 7 ns */
	ck_assert_uint_eq(sim_now(), SIM_NS(7));
	ck_assert(!sim_thread_block_until(SIM_NS(7))); /* the past: at once */
	sim_thread_wake(sim_thread_self());
	ck_assert(sim_thread_block_until(SIM_NS(9))); /* woken before */
	ck_assert_uint_eq(sim_now(), SIM_NS(7));
	note("ok");
}

START_TEST(test_block_until_ends_at_its_time_or_when_woken)
{
	static struct sim_event waker;

	sleeper = sim_thread_start("sleeper", block_with_timeouts, NULL);
	sim_event_init(&waker, wake_sleeper, "w");
	sim_event_at(&waker, SIM_NS(7));
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	ck_assert_str_eq(history, "wok");
	ck_assert_uint_eq(sim_now(), SIM_NS(7)); /* the timeout of 1 us was taken back */
}
END_TEST

static struct sim_thread *ping, *pong;

static void play(void *arg)
{
	bool is_ping = arg != NULL;

	for (int i = 0; i < 3; i++) {
		if (!is_ping)
			sim_thread_block();
		note(is_ping ? "i" : "o");
		sim_thread_wake(is_ping ? pong : ping);
		if (is_ping)
			sim_thread_block();
	}
}

START_TEST(test_threads_wake_one_another_at_one_time)
{
	ping = sim_thread_start("ping", play, &ping);
	pong = sim_thread_start("pong", play, NULL);
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	ck_assert_str_eq(history, "ioioio");
	ck_assert_uint_eq(sim_now(), 0);
}
END_TEST

static void schedule_and_sleep(void *arg)
{
	(void)arg;
	sim_thread_sleep(SIM_NS(1));
	sim_event_at(&event_a, sim_now());
	sim_event_at(&event_c, sim_now() + 1);
	note("s");
	sim_thread_sleep(0);
	note("t");
	sim_event_at(&event_b, sim_now() + 2);
	sim_event_at(&event_c, SIM_NS(3));
	sim_thread_sleep(SIM_NS(1));
	note("u");
}

START_TEST(test_thread_schedules_events)
{
	init_abc();
	sim_thread_start("scheduler", schedule_and_sleep, NULL);
	sim_run(NULL);
	ck_assert_str_eq(history, "satbuc");
}
END_TEST

static void finish_at_once(void *arg)
{
	(void)arg;
	fired_count++;
}

static void start_many_in_turn(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++) {
		sim_thread_start("short", finish_at_once, NULL);
		sim_thread_sleep(1);
	}
}

START_TEST(test_finished_thread_is_used_again)
{
	sim_thread_start("starter", start_many_in_turn, NULL);
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	ck_assert_uint_eq(fired_count, 1000);
	ck_assert_uint_eq(sim_host_counters()->threads_created, 2);
}
END_TEST

static void sleep_a_little(void *arg)
{
	sim_thread_sleep(SIM_NS(*(int *)arg));
	sim_thread_block_until(sim_now() + SIM_NS(*(int *)arg));
	fired_count++;
}

START_TEST(test_two_thousand_threads)
{
	static int delays[2000];

	for (int i = 0; i < 2000; i++) {
		delays[i] = i % 97;
		sim_thread_start("one of many", sleep_a_little, &delays[i]);
	}
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_IDLE);
	ck_assert_uint_eq(fired_count, 2000);
	ck_assert_uint_eq(sim_now(), SIM_NS(192));
}
END_TEST

static void note_and_sleep(void *arg)
{
	note(arg);
	sim_thread_sleep(SIM_NS(1));
	note(arg);
}

START_TEST(test_threads_woken_at_one_time_run_in_order)
{
	sim_thread_start("1", note_and_sleep, "1");
	sim_thread_start("2", note_and_sleep, "2");
	sim_thread_start("3", note_and_sleep, "3");
	sim_run(NULL);
	ck_assert_str_eq(history, "123123");
}
END_TEST

static int deep(int n)
{
	volatile char frame[1024];

	frame[0] = (char)n;
	return n ? deep(n - 1) + frame[0] - (char)n : 0;
}

static void use_stack(void *arg)
{
	(void)arg;
	fired_count = 1 + (unsigned int)deep(60); /* about 60 KiB */
}

START_TEST(test_thread_stack_holds_deep_calls)
{
	sim_thread_start("deep", use_stack, NULL);
	sim_run(NULL);
	ck_assert_uint_eq(fired_count, 1);
}
END_TEST

/* ---- the run ------------------------------------------------------------------------------ */

static void stop_run(void *arg)
{
	note(arg);
	sim_stop();
}

START_TEST(test_stop_ends_the_run_after_the_callback)
{
	static struct sim_event stopper;

	init_abc();
	sim_event_init(&stopper, stop_run, "s");
	sim_event_at(&event_a, SIM_NS(1));
	sim_event_at(&stopper, SIM_NS(2));
	sim_event_at(&event_b, SIM_NS(2));
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_STOPPED);
	ck_assert_str_eq(history, "as");
	ck_assert_uint_eq(sim_now(), SIM_NS(2));
}
END_TEST

static void stop_thread(void *arg)
{
	(void)arg;
	sim_thread_sleep(SIM_NS(1));
	sim_stop();
	note("s");
	sim_thread_sleep(SIM_NS(1));
	note("never");
}

START_TEST(test_stop_from_a_thread_ends_the_run_before_other_threads)
{
	sim_thread_start("stopper", stop_thread, NULL);
	sim_thread_start("other", note_and_sleep, "o");
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_STOPPED);
	ck_assert_str_eq(history, "os");
}
END_TEST

START_TEST(test_time_limit_includes_its_instant)
{
	struct sim_limits limits = {.max_time = SIM_NS(2)};

	init_abc();
	sim_event_at(&event_a, SIM_NS(1));
	sim_event_at(&event_b, SIM_NS(2));
	sim_event_at(&event_c, SIM_NS(2) + 1);
	ck_assert_int_eq(sim_run(&limits), SIM_RUN_TIME_LIMIT);
	ck_assert_str_eq(history, "ab");
	ck_assert_uint_eq(sim_now(), SIM_NS(2));
}
END_TEST

START_TEST(test_idle_before_the_time_limit)
{
	struct sim_limits limits = {.max_time = SIM_MS(1)};

	init_abc();
	sim_event_at(&event_a, SIM_NS(1));
	ck_assert_int_eq(sim_run(&limits), SIM_RUN_IDLE);
	ck_assert_uint_eq(sim_now(), SIM_NS(1));
}
END_TEST

static void spin(void *arg)
{
	sim_event_at(arg, sim_now());
}

static void spin_thread(void *arg)
{
	(void)arg;
	for (;;)
		sim_thread_sleep(0);
}

static char *capture_stderr(enum sim_run_result *result, const struct sim_limits *limits)
{
	static char text[1024];
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t length;

	ck_assert_ptr_nonnull(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	*result = sim_run(limits);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	rewind(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	close(saved);
	return text;
}

START_TEST(test_guard_ends_a_run_in_which_time_stands_still)
{
	static struct sim_event event;
	struct sim_limits limits = {.max_events_per_instant = 1000};
	enum sim_run_result result;
	char *text;

	sim_event_init(&event, spin, &event);
	sim_event_at(&event, SIM_NS(3));
	sim_thread_start("restless", spin_thread, NULL);
	text = capture_stderr(&result, &limits);
	ck_assert_int_eq(result, SIM_RUN_STUCK);
	ck_assert_ptr_nonnull(strstr(text, "svasim: stuck at 0 ps: 1000 callbacks"));
	ck_assert_ptr_nonnull(strstr(text, "spin_thread in thread restless"));
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

START_TEST(test_guard_names_a_callback)
{
	static struct sim_event event;
	struct sim_limits limits = {.max_events_per_instant = 1000};
	enum sim_run_result result;
	char *text;

	sim_event_init(&event, spin, &event);
	sim_event_at(&event, SIM_NS(3));
	text = capture_stderr(&result, &limits);
	ck_assert_int_eq(result, SIM_RUN_STUCK);
	ck_assert_ptr_nonnull(strstr(text, "stuck at 3000 ps"));
	ck_assert_ptr_nonnull(strstr(text, " spin\n"));
}
END_TEST

START_TEST(test_guard_lets_many_events_pass_while_time_advances)
{
	static struct sim_event event;
	struct sim_limits limits = {.max_events_per_instant = 10};

	sim_event_init(&event, again, &event);
	sim_event_at(&event, 1);
	ck_assert_int_eq(sim_run(&limits), SIM_RUN_IDLE);
	ck_assert_uint_eq(fired_count, 1000);
}
END_TEST

static TCase *events_case(void)
{
	TCase *tc = tcase_create("events");

	tcase_add_test(tc, test_events_fire_in_order_of_time);
	tcase_add_test(tc, test_events_of_one_time_fire_in_order_of_scheduling);
	tcase_add_test(tc, test_event_scheduled_for_now_fires_behind_those_of_now);
	tcase_add_test(tc, test_pending_event_moves_behind_others);
	tcase_add_test(tc, test_cancelled_event_does_not_fire);
	tcase_add_test(tc, test_run_does_not_go_on_to_a_cancelled_time);
	tcase_add_test(tc, test_ten_thousand_pending_events);
	tcase_add_test(tc, test_event_schedules_itself);
	return tc;
}

static TCase *threads_case(void)
{
	TCase *tc = tcase_create("threads");

	tcase_add_test(tc, test_thread_blocks_until_woken_and_runs_after_the_events);
	tcase_add_test(tc, test_wake_before_block_is_kept_once);
	tcase_add_test(tc, test_block_until_ends_at_its_time_or_when_woken);
	tcase_add_test(tc, test_threads_wake_one_another_at_one_time);
	tcase_add_test(tc, test_thread_schedules_events);
	tcase_add_test(tc, test_finished_thread_is_used_again);
	tcase_add_test(tc, test_two_thousand_threads);
	tcase_add_test(tc, test_threads_woken_at_one_time_run_in_order);
	tcase_add_test(tc, test_thread_stack_holds_deep_calls);
	return tc;
}

static TCase *run_case(void)
{
	TCase *tc = tcase_create("run");

	tcase_add_test(tc, test_stop_ends_the_run_after_the_callback);
	tcase_add_test(tc, test_stop_from_a_thread_ends_the_run_before_other_threads);
	tcase_add_test(tc, test_time_limit_includes_its_instant);
	tcase_add_test(tc, test_idle_before_the_time_limit);
	tcase_add_test(tc, test_guard_ends_a_run_in_which_time_stands_still);
	tcase_add_test(tc, test_guard_names_a_callback);
	tcase_add_test(tc, test_guard_lets_many_events_pass_while_time_advances);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("engine");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, events_case());
	suite_add_tcase(suite, threads_case());
	suite_add_tcase(suite, run_case());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
