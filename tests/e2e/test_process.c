/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes and their queues: address spaces that must not mix, and ends of all kinds. That nothing
 * leaks is what every scenario checks when it has ended; here a process beside the one that ends
 * goes on working, too.
 */
#include <signal.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define SAME_VA	   0x10000000ull
#define SAME_PAGES 4u

/*
 * Notes of a test that all of its processes read and write: a test's own memory, not the machine's
 */
static struct {
	unsigned int sqn; /* of the child's queue */
	bool stalled, go;
	bool started, ended; /* the queue; who inherited it */
} notes;

static struct raw_queue thread_queue; /* of the process whose threads share it */

static void await(const bool *flag)
{
	while (!*flag)
		sys_sleep_us(1);
}

static void expect_end(int64_t pid, int expected)
{
	int status = -1;

	expect_eq(sys_wait(pid, &status), pid);
	expect_eq(status, expected);
}

/* ---- address spaces -------------------------------------------------------------------------- */

static void use_own_memory(void *arg)
{
	const unsigned int me = (unsigned int)(uintptr_t)arg;
	const uint64_t bytes = SAME_PAGES * PAGE, source = SAME_VA, sink = SAME_VA + bytes;
	struct raw_queue q;

	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(sys_map(SAME_VA, 2 * bytes, SYS_PROT_RW), SAME_VA);
	for (unsigned int round = 0; round < 20; round++) {
		pattern_write(source, bytes, 100 * me + round);
		expect_eq(raw_copy(&q, source, sink, (uint32_t)bytes), RAW_STATUS_OK);
		expect(pattern_is(sink, bytes, 100 * me + round));
	}
	raw_close(&q);
}

static void run_children(unsigned int children)
{
	int64_t pids[8];

	for (unsigned int i = 0; i < children; i++)
		pids[i] = prog_fork(use_own_memory, (void *)(uintptr_t)(i + 1));
	for (unsigned int i = 0; i < children; i++)
		expect_end(pids[i], 0);
}

static void two_processes(void *arg)
{
	(void)arg;
	run_children(2);
}

static void eight_processes(void *arg)
{
	(void)arg;
	run_children(8);
}

START_TEST(test_processes_see_only_their_own_memory)
{
	struct platform *p =
		scenario_passes(&(struct scenario){_i ? eight_processes : two_processes, {NULL}});
	const unsigned int processes = _i ? 8 : 2;

	ck_assert_double_eq(metric(p, "requests.completed"), 20 * processes);
	ck_assert_double_eq(metric(p, "faults.ptes_installed"), SAME_PAGES * processes);
}
END_TEST

/* One after the other: a PASID, an ASID and page tables that are used again */
static void successors(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 6; i++)
		expect_end(prog_fork(use_own_memory, (void *)(uintptr_t)(i + 1)), 0);
}

START_TEST(test_successors_do_not_see_their_predecessors)
{
	struct platform *p = scenario_passes(&(struct scenario){successors, {NULL}});

	ck_assert_double_eq(metric(p, "faults.ptes_installed"), 6 * SAME_PAGES);
}
END_TEST

#define THREADS 4u

static void thread_with_queue(void *arg)
{
	const uint64_t shared = (uint64_t)(uintptr_t)arg;
	uint64_t source = raw_pages(1), sink = raw_pages(1), me;
	struct raw_queue q;

	me = prog_fetch_add(shared, 1, 4);
	expect_eq(raw_queue_new(&q, 0), 0);
	for (unsigned int round = 0; round < 20; round++) {
		pattern_write(source, PAGE, (unsigned int)(me * 100 + round));
		expect_eq(raw_copy(&q, source, sink, PAGE), RAW_STATUS_OK);
		expect(pattern_is(sink, PAGE, (unsigned int)(me * 100 + round)));
	}
	raw_close(&q);
	prog_fetch_add(shared + 4, 1, 4);
}

static void start_threads(void *arg)
{
	uint64_t shared = raw_pages(1);

	(void)arg;
	for (unsigned int i = 0; i < THREADS; i++)
		expect(prog_thread(thread_with_queue, (void *)(uintptr_t)shared) > 0);
	while (prog_load(shared + 4, 4) < THREADS)
		sys_sleep_us(10);
}

START_TEST(test_threads_have_queues_of_one_address_space)
{
	struct platform *p = scenario_passes(&(struct scenario){start_threads, {NULL}});

	ck_assert_double_eq(metric(p, "requests.completed"), 20 * THREADS);
	/* One bond of device and mm, however many queues */
	ck_assert_double_eq(metric(p, "faults.ptes_installed"), THREADS);
}
END_TEST

/* ---- all queues that there are --------------------------------------------------------------- */

#define QUEUES 64u

static void open_all_queues(void *arg)
{
	static struct raw_queue queues[QUEUES];
	struct raw_queue one_more;
	struct raw_sqe answer;
	uint64_t source = raw_pages(1), sinks = raw_pages(QUEUES);

	(void)arg;
	pattern_write(source, PAGE, 1);
	expect_eq(raw_attribute(0, "available_instances"), QUEUES);
	for (unsigned int i = 0; i < QUEUES; i++) {
		expect_eq(raw_queue_new(&queues[i], 0), 0);
		expect_eq(raw_attribute(0, "available_instances"), QUEUES - 1 - i);
	}
	expect_eq(raw_queue_new(&one_more, 0), -16 /* EBUSY */);
	for (unsigned int i = 0; i < QUEUES; i++) {
		raw_push_copy(&queues[i], source, sinks + i * PAGE, PAGE);
		raw_ring(&queues[i]);
	}
	for (unsigned int i = 0; i < QUEUES; i++) {
		expect(raw_pop(&queues[i], &answer, 100000));
		expect_eq(answer.status, RAW_STATUS_OK);
		expect(pattern_is(sinks + i * PAGE, PAGE, 1));
	}
	raw_close(&queues[5]);
	expect_eq(raw_attribute(0, "available_instances"), 1);
	expect_eq(raw_queue_new(&queues[5], 0), 0);
	for (unsigned int i = 0; i < QUEUES; i++)
		raw_close(&queues[i]);
	expect_eq(raw_attribute(0, "available_instances"), QUEUES);
}

START_TEST(test_all_queues_work_and_one_more_is_refused)
{
	static const char *const versions[] = {"accel.version=v2", "accel.version=v3"};

	scenario_passes(&(struct scenario){open_all_queues, {"accel.qp_count=64", versions[_i]}});
}
END_TEST

/* ---- ends ------------------------------------------------------------------------------------ */

/* How a process leaves its queue, with requests in flight */
enum leave {
	LEAVE_EXIT,
	LEAVE_RETURN,
	LEAVE_KILLED,	       /* by its parent, while it polls */
	LEAVE_KILLED_SLEEPING, /* in poll(2) */
	LEAVE_SEGFAULT,
	LEAVE_CLOSE,	 /* the queue, then goes on with another one */
	LEAVE_PUT,	 /* stops the queue, starts it again */
	LEAVE_UNMAP_ALL, /* unmaps what the device is about to touch, then exits */
	LEAVE_COUNT
};

#define FLIGHT_PAGES 16u

static void use_again(struct raw_queue *q, bool open)
{
	uint64_t source = raw_pages(1), sink = raw_pages(1);

	if (open)
		expect_eq(raw_queue_new(q, 0), 0);
	pattern_write(source, PAGE, 1);
	expect_eq(raw_copy(q, source, sink, PAGE), RAW_STATUS_OK);
	expect(pattern_is(sink, PAGE, 1));
	raw_close(q);
}

static void leave(struct raw_queue *q, enum leave how, uint64_t area)
{
	unsigned int revents;
	struct raw_sqe answer;

	switch (how) {
	case LEAVE_EXIT:
		prog_exit(3);
	case LEAVE_KILLED:
		raw_pop(q, &answer, 1000000);
		break;
	case LEAVE_KILLED_SLEEPING:
		sys_poll(q->fd, SYS_POLLIN, SYS_POLL_FOREVER, &revents);
		break;
	case LEAVE_SEGFAULT:
		prog_load(8, 8);
		break;
	case LEAVE_CLOSE:
		raw_close(q);
		use_again(q, true);
		break;
	case LEAVE_PUT:
		expect_eq(raw_put(q), 0);
		expect_eq(raw_start(q), 0);
		use_again(q, false);
		break;
	case LEAVE_UNMAP_ALL:
		sys_unmap(area, 2 * FLIGHT_PAGES * PAGE);
		break;
	default:
		break;
	}
}

static int status_of(enum leave how)
{
	switch (how) {
	case LEAVE_EXIT:
		return 3 << 8;
	case LEAVE_KILLED:
	case LEAVE_KILLED_SLEEPING:
		return SIGKILL;
	case LEAVE_SEGFAULT:
		return SIGSEGV;
	default:
		return 0;
	}
}

static void child_with_flight(void *arg)
{
	const enum leave how = (enum leave)(uintptr_t)arg;
	uint64_t area = raw_pages(2 * FLIGHT_PAGES);
	struct raw_queue q;

	expect_eq(raw_queue_new(&q, 0), 0);
	notes.sqn = q.sqn;
	for (unsigned int i = 0; i < FLIGHT_PAGES; i++)
		raw_push_copy(&q, area + i * PAGE, area + (FLIGHT_PAGES + i) * PAGE, PAGE);
	raw_ring(&q);
	prog_barrier(PROG_DSB);
	while (metric_now("smmu.stalls.taken") == metric_now("faults.handled"))
		prog_work_ns(100);
	notes.stalled = true;
	leave(&q, how, area);
}

static void keep_working(void *arg)
{
	uint64_t source = raw_pages(1), sink = raw_pages(1);
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	for (unsigned int round = 0; round < 100 || !notes.go; round++) {
		pattern_write(source, PAGE, round);
		expect_eq(raw_copy(&q, source, sink, PAGE), RAW_STATUS_OK);
		expect(pattern_is(sink, PAGE, round));
	}
	raw_close(&q);
}

static void leave_beside_a_worker(enum leave how)
{
	int64_t worker = prog_fork(keep_working, NULL);
	int64_t child = prog_fork(child_with_flight, (void *)(uintptr_t)how);

	await(&notes.stalled);
	if (how == LEAVE_KILLED || how == LEAVE_KILLED_SLEEPING) {
		if (how == LEAVE_KILLED_SLEEPING)
			sys_sleep_us(3);
		expect_eq(sys_kill(child, SIGKILL), 0);
	}
	expect_end(child, status_of(how));
	/* The ledger of requests is not told by who has been killed */
	prog_mark_queue_close(0, notes.sqn);
	notes.go = true;
	expect_end(worker, 0);
	/* A fault handler that is at work holds the address space, whose mappings hold the queue */
	for (unsigned int i = 0; i < 100 && raw_attribute(0, "available_instances") != 1024; i++)
		sys_sleep_us(20);
	expect_eq(raw_attribute(0, "available_instances"), 1024);
}

#define LEAVES_BY(how)                                                                             \
	static void leaves_by_##how(void *arg)                                                     \
	{                                                                                          \
		(void)arg;                                                                         \
		leave_beside_a_worker(LEAVE_##how);                                                \
	}
LEAVES_BY(EXIT)
LEAVES_BY(RETURN)
LEAVES_BY(KILLED)
LEAVES_BY(KILLED_SLEEPING)
LEAVES_BY(SEGFAULT)
LEAVES_BY(CLOSE)
LEAVES_BY(PUT)
LEAVES_BY(UNMAP_ALL)

static void (*const leaves[LEAVE_COUNT])(void *arg) = {
	leaves_by_EXIT,	    leaves_by_RETURN, leaves_by_KILLED, leaves_by_KILLED_SLEEPING,
	leaves_by_SEGFAULT, leaves_by_CLOSE,  leaves_by_PUT,	leaves_by_UNMAP_ALL,
};

/*
 * Short faults: the end meets them at any stage. Long ones: their work items are waiting when the
 * process is long gone
 */
static const char *const fault_times[] = {"kernel.fault.extra_ns=0", "kernel.fault.extra_ns=3000",
					  "kernel.fault.extra_ns=500000"};

START_TEST(test_queue_left_with_faults_in_flight)
{
	struct platform *p = scenario_passes(
		&(struct scenario){leaves[_i % LEAVE_COUNT], {fault_times[_i / LEAVE_COUNT]}});

	ck_assert_double_gt(metric(p, "faults.stall_events"), 0);
	ck_assert_double_eq(metric(p, "faults.handled") + metric(p, "faults.aborted"),
			    metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "smmu.stalls.resumes_ignored"), 0);
	/* Stalled transactions are drained, so no page request of a bond that is gone is left */
	ck_assert_double_eq(metric(p, "accel.qm.bad_mailbox_commands"), 0);
}
END_TEST

/* ---- files that outlive the address space ---------------------------------------------------- */

/* The child has its parent's queue, which works in its parent's address space: one that is gone */
static void heir(void *arg)
{
	const uint64_t area = raw_pages(2);
	struct raw_queue q = {.fd = (int64_t)(uintptr_t)arg};
	struct raw_sqe answer, request = {.opcode = RAW_COPY,
					  .length = PAGE,
					  .source = area,
					  .destination = area + PAGE};

	await(&notes.go);
	pattern_write(area, PAGE, 1);
	/* The parent's mappings are gone, so the regions can be mapped */
	expect_eq(raw_map(&q), 0);
	expect_eq(raw_start(&q), notes.started ? -22 /* EINVAL: it is started */ : 0);
	if (notes.started) {
		q.phase = 1;
		prog_mark_queue_open(0, q.sqn, q.depth);
	}
	q.errors_expected = true;
	expect(raw_run(&q, &request, &answer));
	expect_eq(answer.status, RAW_STATUS_READ_FAILED);
	expect_eq(answer.fault_address, area);
	expect(!prog_verify_mapped(area + PAGE));
	raw_close(&q);
	/* A queue of its own works */
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(raw_copy(&q, area, area + PAGE, PAGE), RAW_STATUS_OK);
	expect(pattern_is(area + PAGE, PAGE, 1));
	raw_close(&q);
	notes.ended = true;
}

static void testator(void *arg)
{
	struct raw_queue q;

	if (arg) {
		expect_eq(raw_queue_new(&q, 0), 0);
		prog_mark_queue_close(0, q.sqn);
	} else {
		expect(raw_open(&q, 0) >= 0);
	}
	prog_fork(heir, (void *)(uintptr_t)q.fd);
}

static void bequeath(bool started)
{
	notes.started = started;
	expect_end(prog_fork(testator, started ? (void *)1 : NULL), 0);
	expect_eq(raw_attribute(0, "available_instances"), 1023);
	notes.go = true;
	/* An orphan cannot be waited for */
	await(&notes.ended);
	expect_eq(raw_attribute(0, "available_instances"), 1024);
}

static void bequeath_started(void *arg)
{
	(void)arg;
	bequeath(true);
}

static void bequeath_opened(void *arg)
{
	(void)arg;
	bequeath(false);
}

START_TEST(test_queue_of_an_address_space_that_is_gone)
{
	struct platform *p = scenario_passes(
		&(struct scenario){_i ? bequeath_started : bequeath_opened, {NULL}});

	ck_assert_double_eq(metric(p, "requests.completed"), 2);
	ck_assert_double_ge(metric(p, "accel.requests.by_status.read_failed"), 1);
}
END_TEST

/* ---- a process of several threads ends ------------------------------------------------------- */

static void poll_for_ever(void *arg)
{
	const struct raw_queue *q = &thread_queue;
	unsigned int revents;

	(void)arg;
	for (;;)
		sys_poll(q->fd, SYS_POLLIN, SYS_POLL_FOREVER, &revents);
}

static void stop_for_ever(void *arg)
{
	(void)arg;
	for (;;) {
		sys_ioctl(thread_queue.fd, RAW_PUT_Q, 0);
		sys_ioctl(thread_queue.fd, RAW_START_Q, 0);
	}
}

static void compute_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		prog_work_ns(1000);
}

static void touch_for_ever(void *arg)
{
	(void)arg;
	for (;;) {
		const uint64_t page = raw_pages(4);

		pattern_write(page, 4 * PAGE, 1);
		sys_unmap(page, 4 * PAGE);
	}
}

static void many_threads(void *arg)
{
	uint64_t area = raw_pages(2 * FLIGHT_PAGES);

	expect_eq(raw_queue_new(&thread_queue, 0), 0);
	for (unsigned int i = 0; i < FLIGHT_PAGES; i++)
		raw_push_copy(&thread_queue, area + i * PAGE, area + (FLIGHT_PAGES + i) * PAGE,
			      PAGE);
	raw_ring(&thread_queue);
	/* From now on nobody looks for completions */
	prog_mark_queue_close(0, thread_queue.sqn);
	expect(prog_thread(poll_for_ever, NULL) > 0);
	expect(prog_thread(stop_for_ever, NULL) > 0);
	expect(prog_thread(compute_for_ever, NULL) > 0);
	expect(prog_thread(touch_for_ever, NULL) > 0);
	sys_sleep_us((uint64_t)(uintptr_t)arg);
	prog_exit(4);
}

static void end_of_many_threads(void *arg)
{
	(void)arg;
	for (unsigned int us = 1; us < 60; us += 9)
		expect_end(prog_fork(many_threads, (void *)(uintptr_t)us), 4 << 8);
}

START_TEST(test_process_ends_with_all_its_threads)
{
	static const char *const settings[][2] = {
		{"machine.cpus=1", "kernel.fault.extra_ns=0"},
		{"machine.cpus=2", "kernel.fault.extra_ns=10000"},
		{"machine.cpus=8", "kernel.fault.extra_ns=0"},
		{"machine.cpus=8", "kernel.fault.extra_ns=200000"},
	};

	scenario_passes(
		&(struct scenario){end_of_many_threads, {settings[_i][0], settings[_i][1]}});
}
END_TEST

SCENARIO_SUITE("process", {test_processes_see_only_their_own_memory, 2},
	       {test_successors_do_not_see_their_predecessors, 1},
	       {test_threads_have_queues_of_one_address_space, 1},
	       {test_all_queues_work_and_one_more_is_refused, 2},
	       {test_queue_left_with_faults_in_flight, 3 * LEAVE_COUNT},
	       {test_queue_of_an_address_space_that_is_gone, 2},
	       {test_process_ends_with_all_its_threads, 4})
