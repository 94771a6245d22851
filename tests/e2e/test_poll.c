/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for completions in the kernel: an armed CQ, an EQE, the interrupt, the queue's wait
 * queue, ppoll(2).
 */
#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define US 1000ull
#define MS 1000000ull

static void push(struct raw_queue *q, uint64_t area)
{
	raw_push_copy(q, area, area + PAGE, PAGE);
	raw_ring(q);
}

static void pop(struct raw_queue *q)
{
	struct raw_sqe answer;

	expect(raw_pop(q, &answer, 0));
	expect_eq(answer.status, RAW_STATUS_OK);
}

#define ROUNDS 10u

static void sleep_for_completions(void *arg)
{
	uint64_t area = raw_pages(2);
	struct raw_queue q;
	unsigned int revents;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		/* Before the request or after it: the event comes once in any case */
		if (round % 2)
			raw_arm(&q);
		push(&q, area);
		if (round % 2 == 0)
			raw_arm(&q);
		expect_eq(sys_poll(q.fd, SYS_POLLIN, SYS_POLL_FOREVER, &revents), 1);
		expect_eq(revents, SYS_POLLIN);
		pop(&q);
	}
	raw_close(&q);
}

START_TEST(test_armed_queue_wakes_its_poller)
{
	static const char *const cpus[] = {"machine.cpus=1", "machine.cpus=8"};
	struct platform *p = scenario_passes(&(struct scenario){sleep_for_completions, {cpus[_i]}});

	ck_assert_double_eq(metric(p, "accel.eq.written"), ROUNDS);
	ck_assert_double_eq(metric(p, "accel.eq.interrupts"), ROUNDS);
	ck_assert_double_eq(metric(p, "accel.doorbells.eq"), ROUNDS);
	ck_assert_double_eq(metric(p, "requests.completed"), ROUNDS);
	ck_assert_double_ge(metric(p, "kernel.interrupts"), ROUNDS);
}
END_TEST

static void wait_in_vain(void *arg)
{
	uint64_t area = raw_pages(2), before;
	struct raw_queue q;
	unsigned int revents;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	before = prog_time_ps();
	expect_eq(sys_poll(q.fd, SYS_POLLIN, 0, &revents), 0);
	expect(prog_time_ps() - before < 50 * US * 1000);

	/* Armed, but nothing comes */
	raw_arm(&q);
	before = prog_time_ps();
	expect_eq(sys_poll(q.fd, SYS_POLLIN, 200 * US, &revents), 0);
	expect_eq(revents, 0);
	expect(prog_time_ps() - before >= 200 * US * 1000);
	expect(prog_time_ps() - before < 400 * US * 1000);

	/* The arming holds until the event comes, and is then used up */
	push(&q, area);
	expect_eq(sys_poll(q.fd, SYS_POLLIN, SYS_POLL_FOREVER, &revents), 1);
	expect_eq(sys_poll(q.fd, SYS_POLLIN, 0, &revents), 0);
	pop(&q);

	/* Not armed: done, but nobody says so */
	push(&q, area);
	expect_eq(sys_poll(q.fd, SYS_POLLIN, 1 * MS, &revents), 0);
	expect_eq(metric_now("accel.eq.written"), 1);
	/* Armed when it is there already */
	raw_arm(&q);
	expect_eq(sys_poll(q.fd, SYS_POLLIN, 1 * MS, &revents), 1);
	pop(&q);

	/* A queue that is stopped reports that to whoever asks */
	expect_eq(raw_put(&q), 0);
	expect_eq(sys_poll(q.fd, SYS_POLLIN, 0, &revents), 1);
	raw_close(&q);
}

START_TEST(test_poll_that_is_not_served_times_out)
{
	struct platform *p = scenario_passes(&(struct scenario){wait_in_vain, {NULL}});

	ck_assert_double_eq(metric(p, "accel.eq.written"), 2);
}
END_TEST

/* A thread sleeps for each of several queues; one interrupt handler wakes the right ones */
#define SLEEPERS 6u

static void sleeper(void *arg)
{
	const uint64_t shared = (uint64_t)(uintptr_t)arg;
	uint64_t area = raw_pages(2), me = prog_fetch_add(shared, 1, 4);
	struct raw_queue q;
	unsigned int revents;

	expect_eq(raw_queue_new(&q, 0), 0);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		pattern_write(area, PAGE, (unsigned int)me * 50 + round);
		push(&q, area);
		raw_arm(&q);
		expect_eq(sys_poll(q.fd, SYS_POLLIN, SYS_POLL_FOREVER, &revents), 1);
		pop(&q);
		expect(pattern_is(area + PAGE, PAGE, (unsigned int)me * 50 + round));
	}
	raw_close(&q);
	prog_fetch_add(shared + 4, 1, 4);
}

static void start_sleepers(void *arg)
{
	uint64_t shared = raw_pages(1);

	(void)arg;
	for (unsigned int i = 0; i < SLEEPERS; i++)
		expect(prog_thread(sleeper, (void *)(uintptr_t)shared) > 0);
	while (prog_load(shared + 4, 4) < SLEEPERS)
		sys_sleep_us(20);
}

START_TEST(test_interrupt_wakes_the_right_sleepers)
{
	static const char *const machines[] = {"machine.cpus=1", "machine.cpus=2",
					       "accel.version=v2"};
	struct platform *p = scenario_passes(&(struct scenario){start_sleepers, {machines[_i]}});

	ck_assert_double_eq(metric(p, "accel.eq.written"), SLEEPERS * ROUNDS);
	ck_assert_double_eq(metric(p, "requests.completed"), SLEEPERS * ROUNDS);
}
END_TEST

SCENARIO_SUITE("poll", {test_armed_queue_wakes_its_poller, 2},
	       {test_poll_that_is_not_served_times_out, 1},
	       {test_interrupt_wakes_the_right_sleepers, 3})
