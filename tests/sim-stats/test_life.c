/* SPDX-License-Identifier: BSD-3-Clause */
/* The ledger: what counts, that parts sum to wholes, and what happens to stamps that do not fit. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "sim/stats/life.h"
#include "tests/sim-trace/trace_reader.h"

sim_time sim_current_time;

static struct stats *stats;
static struct life *life;

static void setup(void)
{
	stats = stats_new();
	life = life_new(stats, 0);
	life_device_add(life, "accel0", 2, 0);
	life_queue_open(life, 0, 0, 8);
}

static void teardown(void)
{
	life_free(life);
	stats_free(stats);
}

static uint64_t metric(const char *name)
{
	double value = -1;

	ck_assert_msg(stats_get(stats, name, &value), "no metric %s", name);
	return (uint64_t)value;
}

static uint64_t sum_of_stages(const char *prefix, const char *const *names, unsigned int count)
{
	uint64_t sum = 0;
	char name[96];

	for (unsigned int i = 1; i < count; i++) {
		snprintf(name, sizeof(name), "%s.%s.sum_ps", prefix, names[i]);
		sum += metric(name);
	}
	return sum;
}

/* A request with every stage, `step` ps each. */
static void whole_request(unsigned int index, sim_time at, sim_time step, uint64_t bytes, bool ok)
{
	life_request_send(life, 0, 0, index, at);
	for (enum request_stage s = REQUEST_SUBMITTED; s < REQUEST_RECEIVED; s++)
		life_request_stamp(life, 0, 0, index, s, at += step);
	life_request_received(life, 0, 0, index, at + step, bytes, ok);
}

START_TEST(test_request_counts_and_times)
{
	whole_request(0, 1000, 10, 4096, true);
	whole_request(1, 2000, 100, 4096, true);
	whole_request(2, 5000, 1, 0, false);
	ck_assert_uint_eq(metric("requests.completed"), 2);
	ck_assert_uint_eq(metric("requests.errors"), 1);
	ck_assert_uint_eq(metric("requests.bytes"), 8192);
	ck_assert_uint_eq(metric("latency_ns.count"), 3);
	ck_assert_uint_eq(metric("latency.sum_ps"), 80 + 800 + 8);
	ck_assert_uint_eq(metric("doorbell.count"), 3);
	ck_assert_uint_eq(metric("request_stage_ns.doorbell.sum_ps"), 111);
	ck_assert_uint_eq(metric("life.misplaced_stamps"), 0);
	/* first send 1000 ps, last receive 5008 ps */
	ck_assert_uint_eq(metric("throughput.bytes_per_s"), (uint64_t)(8192 / 4008e-12));
	ck_assert_uint_eq(life_get_open(life).requests, 0);
}
END_TEST

START_TEST(test_request_stages_sum_to_the_latency_when_some_are_skipped)
{
	life_request_send(life, 0, 0, 3, 100);
	life_request_stamp(life, 0, 0, 3, REQUEST_DOORBELL, 107);
	life_request_stamp(life, 0, 0, 3, REQUEST_COMPLETED, 1000);
	life_request_received(life, 0, 0, 3, 1003, 1, true);
	ck_assert_uint_eq(metric("latency.sum_ps"), 903);
	ck_assert_uint_eq(metric("request_stage_ns.completed.sum_ps"), 893);
	ck_assert_uint_eq(metric("request_stage_ns.engine.count"), 0);
	ck_assert_uint_eq(
		sum_of_stages("request_stage_ns", request_stage_names, REQUEST_STAGE_COUNT), 903);
	ck_assert_uint_eq(metric("doorbell.latency_ns.count"), 0); /* no SUBMITTED to count from */
}
END_TEST

START_TEST(test_misplaced_stamps_are_counted_and_change_nothing)
{
	life_request_stamp(life, 0, 0, 0, REQUEST_FETCH, 10); /* not born */
	life_request_stamp(life, 0, 1, 0, REQUEST_FETCH, 10); /* queue never opened */
	life_request_stamp(life, 7, 0, 0, REQUEST_FETCH, 10); /* no such device */
	life_request_send(life, 0, 0, 8, 10);		      /* past the ring */
	ck_assert_uint_eq(metric("life.misplaced_stamps"), 4);
	life_request_send(life, 0, 0, 0, 100);
	life_request_stamp(life, 0, 0, 0, REQUEST_ENGINE, 200);
	life_request_stamp(life, 0, 0, 0, REQUEST_FETCH, 300);	  /* out of order */
	life_request_stamp(life, 0, 0, 0, REQUEST_EXECUTED, 150); /* before the last */
	life_request_stamp(life, 0, 0, 0, REQUEST_SEND, 250);
	ck_assert_uint_eq(metric("life.misplaced_stamps"), 7);
	life_request_received(life, 0, 0, 0, 400, 1, true);
	ck_assert_uint_eq(metric("latency.sum_ps"), 300);
	ck_assert_uint_eq(metric("request_stage_ns.engine.sum_ps"), 100);
	ck_assert_uint_eq(metric("request_stage_ns.received.sum_ps"), 200);
}
END_TEST

START_TEST(test_closing_a_queue_abandons_what_is_open)
{
	life_request_send(life, 0, 0, 0, 10);
	life_request_send(life, 0, 0, 1, 10);
	life_request_stamp(life, 0, 0, 1, REQUEST_DOORBELL, 30);
	life_queue_close(life, 0, 0, 20);
	life_request_stamp(life, 0, 0, 1, REQUEST_COMPLETED, 40); /* the hardware did not know */
	ck_assert_uint_eq(metric("requests.abandoned"), 2);
	ck_assert_uint_eq(metric("requests.completed"), 0);
	ck_assert_uint_eq(metric("latency.sum_ps"), 0);
	ck_assert_uint_eq(metric("life.misplaced_stamps"), 0);
	ck_assert_uint_eq(life_get_open(life).requests, 0);
	life_request_send(life, 0, 0, 2, 50); /* closed */
	ck_assert_uint_eq(metric("life.misplaced_stamps"), 1);
}
END_TEST

START_TEST(test_reopened_queue_starts_afresh)
{
	life_request_send(life, 0, 0, 7, 10);
	life_queue_open(life, 0, 0, 16);
	ck_assert_uint_eq(metric("requests.abandoned"), 1);
	life_request_send(life, 0, 0, 15, 20);
	life_request_received(life, 0, 0, 15, 25, 1, true);
	life_queue_open(life, 0, 0, 16);
	life_request_stamp(life, 0, 0, 15, REQUEST_FETCH, 30);
	ck_assert_uint_eq(metric("requests.completed"), 1);
	ck_assert_uint_eq(metric("life.misplaced_stamps"), 1);
}
END_TEST

START_TEST(test_slot_sent_again_abandons_the_first)
{
	life_request_send(life, 0, 0, 0, 10);
	life_request_send(life, 0, 0, 0, 20);
	life_request_received(life, 0, 0, 0, 15, 1, true); /* before its own send */
	ck_assert_uint_eq(metric("requests.abandoned"), 1);
	ck_assert_uint_eq(metric("requests.completed"), 1);
	ck_assert_uint_eq(metric("latency.sum_ps"), 0);
	ck_assert_uint_eq(metric("life.misplaced_stamps"), 2);
}
END_TEST

/* ---- what requests waited for ---- */

static uint64_t sum_of_waits(void)
{
	uint64_t sum = 0;
	char name[96];

	for (int cause = 0; cause < WAIT_CAUSE_COUNT; cause++) {
		snprintf(name, sizeof(name), "waits.%s.sum_ps", wait_cause_names[cause]);
		sum += metric(name);
	}
	return sum;
}

static double share(const char *cause)
{
	double value = -1;
	char name[96];

	snprintf(name, sizeof(name), "waits.%s.median_share", cause);
	ck_assert(stats_get(stats, name, &value));
	return value;
}

/* send .. 10 .. submitted .. 20 .. doorbell .. accelerator .. completed .. 30 .. received */
static void request_with_waits(unsigned int index, sim_time at, enum wait_cause cause,
			       sim_time accelerator, sim_time told)
{
	struct waits waits = {.ps = {[WAIT_QUEUE] = 5}};

	waits_add(&waits, cause, told - 5);
	life_request_send(life, 0, 0, index, at);
	life_request_stamp(life, 0, 0, index, REQUEST_SUBMITTED, at += 10);
	life_request_stamp(life, 0, 0, index, REQUEST_DOORBELL, at += 20);
	life_request_stamp(life, 0, 0, index, REQUEST_ENGINE, at + 1);
	life_request_stamp(life, 0, 0, index, REQUEST_COMPLETED, at += accelerator);
	life_request_waits(life, 0, 0, index, &waits);
	life_request_received(life, 0, 0, index, at + 30, 1, true);
}

START_TEST(test_waits_sum_to_the_latency)
{
	for (unsigned int i = 0; i < 100; i++)
		request_with_waits(i % 8, 1000 * i, i % 3 ? WAIT_WALK : WAIT_PAGE_FAULT, 100 + i,
				   100 + i);
	ck_assert_uint_eq(metric("life.waits_mismatches"), 0);
	ck_assert_uint_eq(metric("life.waits_missing"), 0);
	ck_assert_uint_eq(metric("waits.cpu.sum_ps"), 1000);
	ck_assert_uint_eq(metric("waits.doorbell.sum_ps"), 2000);
	ck_assert_uint_eq(metric("waits.completion.sum_ps"), 3000);
	ck_assert_uint_eq(metric("waits.queue.sum_ps"), 500);
	ck_assert_uint_eq(sum_of_waits(), metric("latency.sum_ps"));
}
END_TEST

START_TEST(test_waits_that_do_not_fit_are_counted_and_replaced)
{
	request_with_waits(0, 0, WAIT_WALK, 100, 101);
	request_with_waits(1, 1000, WAIT_WALK, 100, 99);
	request_with_waits(2, 2000, WAIT_WALK, 100, 100);
	ck_assert_uint_eq(metric("life.waits_mismatches"), 2);
	ck_assert_uint_eq(metric("waits.walk.sum_ps"), 95);
	ck_assert_uint_eq(sum_of_waits(), metric("latency.sum_ps"));
}
END_TEST

START_TEST(test_waits_are_told_from_stages_where_no_vector_came)
{
	whole_request(0, 1000, 10, 1, true);
	ck_assert_uint_eq(metric("life.waits_missing"), 1);
	ck_assert_uint_eq(metric("waits.cpu.sum_ps"), 10);
	ck_assert_uint_eq(metric("waits.engine.sum_ps"), 10);
	ck_assert_uint_eq(sum_of_waits(), 80);
	/* the vector of an earlier request in the same slot is not this one's */
	request_with_waits(1, 2000, WAIT_WALK, 100, 100);
	whole_request(1, 3000, 10, 1, true);
	ck_assert_uint_eq(metric("life.waits_missing"), 2);
	ck_assert_uint_eq(sum_of_waits(), metric("latency.sum_ps"));
}
END_TEST

START_TEST(test_median_request_waits_for_what_those_around_it_do)
{
	/* 30 short ones for a walk, 40 in the middle for memory, 30 long ones for faults */
	for (unsigned int i = 0; i < 30; i++)
		request_with_waits(0, 100000 * i, WAIT_WALK, 1000, 1000);
	for (unsigned int i = 30; i < 70; i++)
		request_with_waits(0, 100000 * i, WAIT_MEMORY, 2000, 2000);
	for (unsigned int i = 70; i < 100; i++)
		request_with_waits(0, 100000 * i, WAIT_PAGE_FAULT, 90000, 90000);
	ck_assert_double_eq_tol(share("memory"), 1995.0 / 2060.0, 1e-9);
	ck_assert_double_eq(share("walk"), 0);
	ck_assert_double_eq(share("page_fault"), 0);
	ck_assert_uint_gt(metric("waits.page_fault.sum_ps"), metric("waits.memory.sum_ps"));
}
END_TEST

START_TEST(test_warm_up_is_in_counts_and_not_in_distributions)
{
	life_set_warmup(life, (struct warmup){WARMUP_REQUESTS, 2});
	whole_request(0, 0, 1000, 100, true);
	whole_request(0, 10000, 1000, 100, true);
	whole_request(0, 20000, 10, 100, true);
	whole_request(0, 30000, 10, 100, true);
	ck_assert_uint_eq(metric("requests.completed"), 4);
	ck_assert_uint_eq(metric("requests.warm_up"), 2);
	ck_assert_uint_eq(metric("latency.sum_ps"), 16000 + 160);
	ck_assert_uint_eq(metric("latency.count"), 4);
	ck_assert_uint_eq(metric("latency_ns.count"), 2);
	ck_assert_uint_eq(metric("request_stage_ns.engine.count"), 2);
	ck_assert_uint_eq(metric("request_stage_ns.engine.sum_ps"), 2020);
	/* from the second receive at 18000 to the last at 30080 */
	ck_assert_uint_eq(metric("throughput.bytes_per_s"), (uint64_t)(200 / 12080e-12));
}
END_TEST

static void note_edge(void *arg, enum life_window_edge edge)
{
	unsigned int *edges = arg;

	edges[edge]++;
}

START_TEST(test_window_begins_with_the_first_send_and_ends_with_the_last_receive)
{
	unsigned int edges[2] = {0};

	life_on_window(life, note_edge, edges);
	life_expect(life, 3);
	life_set_warmup(life, (struct warmup){WARMUP_REQUESTS, 1});
	life_request_send(life, 0, 0, 0, 0);
	ck_assert_uint_eq(edges[LIFE_WINDOW_BEGIN], 1);
	life_request_received(life, 0, 0, 0, 10, 1, true);
	ck_assert_uint_eq(edges[LIFE_WINDOW_BEGIN], 2); /* the end of the warm-up */
	life_request_send(life, 0, 0, 1, 20);
	life_request_send(life, 0, 0, 2, 20);
	life_request_received(life, 0, 0, 1, 30, 1, true);
	ck_assert_uint_eq(edges[LIFE_WINDOW_END], 0);
	life_queue_close(life, 0, 0, 40); /* abandons the last */
	ck_assert_uint_eq(edges[LIFE_WINDOW_END], 1);
}
END_TEST

static void whole_fault(uint32_t stream_id, uint32_t stag, sim_time at, sim_time step, bool handled)
{
	const struct fault_info info = {.stream_id = stream_id, .stag = stag, .va = 0x1000};

	life_fault_begin(life, &info, at);
	for (enum fault_stage s = FAULT_RECORDED; s < FAULT_RETRIED; s++)
		life_fault_stamp(life, stream_id, stag, s, at += step);
	life_fault_end(life, stream_id, stag, at + step, handled);
}

START_TEST(test_fault_stages_sum_to_the_total)
{
	const struct fault_info info = {.stream_id = 1, .stag = 2};

	for (uint32_t i = 0; i < 300; i++)
		whole_fault(i % 3, i, 1000 * i, i, i % 4 != 0);
	life_fault_begin(life, &info, 7);
	life_fault_stamp(life, 1, 2, FAULT_DRIVER, 1000);
	life_fault_stamp(life, 1, 2, FAULT_RETRIED,
			 1100); /* the last stage may be stamped before its end */
	life_fault_end(life, 1, 2, 1234, false);
	ck_assert_uint_eq(metric("faults.stall_events"), 301);
	ck_assert_uint_eq(metric("faults.handled"), 225);
	ck_assert_uint_eq(metric("faults.aborted"), 76);
	ck_assert_uint_eq(metric("fault_ns.total.count"), 301);
	ck_assert_uint_eq(metric("fault_ns.total.sum_ps"), 9 * 299 * 300 / 2 + 1227);
	ck_assert_uint_eq(sum_of_stages("fault_ns", fault_stage_names, FAULT_STAGE_COUNT),
			  metric("fault_ns.total.sum_ps"));
	ck_assert_uint_eq(metric("life.misplaced_stamps"), 0);
	ck_assert_uint_eq(life_get_open(life).faults, 0);
}
END_TEST

START_TEST(test_faults_are_told_apart_by_stream_and_stag)
{
	const struct fault_info a = {.stream_id = 1, .stag = 2}, b = {.stream_id = 2, .stag = 1};

	life_fault_begin(life, &a, 0);
	life_fault_begin(life, &b, 5);
	ck_assert_uint_eq(life_get_open(life).faults, 2);
	life_fault_end(life, 1, 2, 10, true);
	life_fault_end(life, 2, 2, 10, true);	    /* none */
	life_fault_stamp(life, 1, 2, FAULT_MM, 11); /* ended */
	ck_assert_uint_eq(metric("fault_ns.total.sum_ps"), 10);
	ck_assert_uint_eq(metric("life.misplaced_stamps"), 2);
	life_fault_begin(life, &b, 20); /* its STAG is in use */
	ck_assert_uint_eq(metric("life.misplaced_stamps"), 3);
	ck_assert_uint_eq(life_get_open(life).faults, 1);
}
END_TEST

START_TEST(test_no_ledger_is_no_error)
{
	const struct fault_info info = {0};

	ck_assert_uint_eq(life_device_add(NULL, "x", 1, 0), 0);
	life_device_stream(NULL, 0, 0);
	life_queue_open(NULL, 0, 0, 1);
	life_request_send(NULL, 0, 0, 0, 0);
	life_request_stamp(NULL, 0, 0, 0, REQUEST_FETCH, 0);
	life_request_waits(NULL, 0, 0, 0, NULL);
	life_request_received(NULL, 0, 0, 0, 0, 0, true);
	life_expect(NULL, 1);
	life_set_warmup(NULL, (struct warmup){WARMUP_NONE, 0});
	life_on_window(NULL, NULL, NULL);
	life_queue_close(NULL, 0, 0, 0);
	life_fault_begin(NULL, &info, 0);
	life_fault_stamp(NULL, 0, 0, FAULT_MM, 0);
	life_fault_end(NULL, 0, 0, 0, true);
	ck_assert_uint_eq(life_request_flow(NULL, 0, 0, 0), 0);
	ck_assert_uint_eq(life_fault_flow(NULL, 0, 0), 0);
	ck_assert_uint_eq(life_get_open(NULL).requests, 0);
	life_free(NULL);
}
END_TEST

/* ---- the trace of it ---- */

START_TEST(test_requests_in_flight_take_lanes_that_are_free_at_their_time)
{
	struct trace_options options = {.path = trace_reader_path(), .to = SIM_TIME_NEVER};
	struct trace_file file;
	struct life *traced;
	struct stats *other = stats_new();
	uint64_t lanes[4];
	size_t n = 0;

	ck_assert_int_eq(trace_open(&options), 0);
	traced = life_new(other, 0);
	life_device_add(traced, "accel0", 1, trace_track_add(0, "accel0", 0));
	life_queue_open(traced, 0, 0, 8);
	life_request_send(traced, 0, 0, 0, SIM_NS(10));
	life_request_received(traced, 0, 0, 0, SIM_NS(50), 1, true); /* by a CPU that is ahead */
	life_request_send(traced, 0, 0, 1, SIM_NS(30)); /* the lane is not free yet at 30 ns */
	life_request_send(traced, 0, 0, 2, SIM_NS(60));
	life_request_received(traced, 0, 0, 1, SIM_NS(70), 1, true);
	life_request_stamp(traced, 0, 0, 2, REQUEST_SUBMITTED, SIM_NS(65));
	ck_assert_uint_ne(life_request_flow(traced, 0, 0, 2), 0);
	life_request_stamp(traced, 0, 0, 2, REQUEST_COMPLETED, SIM_NS(75));
	life_request_received(traced, 0, 0, 2, SIM_NS(80), 1, true);
	ck_assert_int_eq(trace_close(), 0);

	file = trace_reader_load(options.path);
	ck_assert_uint_eq(file.misnested, 0);
	for (size_t i = 0; i < file.count; i++) {
		const struct trace_event *e = &file.events[i];

		if (e->type == 1 && strcmp(e->name, "request") == 0)
			lanes[n++] = e->track;
	}
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_ne(lanes[0], lanes[1]);
	ck_assert_uint_eq(lanes[0], lanes[2]);
	trace_reader_free(&file);
	life_free(traced);
	stats_free(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("life");
	TCase *tcase = tcase_create("ledger");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_request_counts_and_times);
	tcase_add_test(tcase, test_request_stages_sum_to_the_latency_when_some_are_skipped);
	tcase_add_test(tcase, test_misplaced_stamps_are_counted_and_change_nothing);
	tcase_add_test(tcase, test_closing_a_queue_abandons_what_is_open);
	tcase_add_test(tcase, test_reopened_queue_starts_afresh);
	tcase_add_test(tcase, test_slot_sent_again_abandons_the_first);
	tcase_add_test(tcase, test_waits_sum_to_the_latency);
	tcase_add_test(tcase, test_waits_that_do_not_fit_are_counted_and_replaced);
	tcase_add_test(tcase, test_waits_are_told_from_stages_where_no_vector_came);
	tcase_add_test(tcase, test_median_request_waits_for_what_those_around_it_do);
	tcase_add_test(tcase, test_warm_up_is_in_counts_and_not_in_distributions);
	tcase_add_test(tcase,
		       test_window_begins_with_the_first_send_and_ends_with_the_last_receive);
	tcase_add_test(tcase, test_fault_stages_sum_to_the_total);
	tcase_add_test(tcase, test_faults_are_told_apart_by_stream_and_stag);
	tcase_add_test(tcase, test_no_ledger_is_no_error);
	tcase_add_test(tcase, test_requests_in_flight_take_lanes_that_are_free_at_their_time);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
