/* SPDX-License-Identifier: BSD-3-Clause */
/* What of a run is measured: warm-up, window, requests in flight, confidence; and resources in that window. */
#include <check.h>
#include <math.h>

#include "sim/stats/measure.h"
#include "sim/stats/resource.h"

sim_time sim_current_time;

static struct measure m;

static void setup(void)
{
	measure_init(&m);
}

/* A closed loop of `total` requests: each takes `latency`, one ends each `step`; returns those that count. */
static unsigned int closed_loop(unsigned int total, unsigned int in_flight, sim_time step)
{
	static bool sent_in_window[100000];
	const sim_time latency = in_flight * step;
	unsigned int sent = 0, counted = 0;

	for (; sent < in_flight && sent < total; sent++) {
		bool opened = measure_send(&m, 1000 + sent * step);

		sent_in_window[sent] = opened || m.open;
	}
	for (unsigned int i = 0; i < total; i++) {
		const sim_time at = 1000 + i * step + latency;
		const bool counts = measure_counts(&m, sent_in_window[i]);

		counted += counts;
		measure_receive(&m, at, 4096, latency, counts);
		if (sent == total)
			continue;
		measure_send(&m, at);
		sent_in_window[sent++] = m.open;
	}
	return counted;
}

START_TEST(test_warm_up_is_five_percent_of_many_requests)
{
	m.expected = 10000;
	/* 500 are received, and the 15 that are in flight beside the next one were sent before */
	ck_assert_uint_eq(closed_loop(10000, 16, 100), 10000 - 500 - 15);
	ck_assert_uint_eq(m.from, 1000 + 499 * 100 + 1600);
	ck_assert_uint_eq(m.requests, 9500);
	ck_assert_uint_eq(m.received, 10000);
}
END_TEST

START_TEST(test_warm_up_is_at_least_what_is_in_flight)
{
	m.expected = 1000;
	ck_assert_uint_eq(closed_loop(1000, 200, 100), 1000 - 200 - 199);
	ck_assert_uint_eq(m.requests, 800);
}
END_TEST

START_TEST(test_short_runs_have_no_warm_up)
{
	m.expected = 100;
	ck_assert_uint_eq(closed_loop(100, 64, 100), 100);
	ck_assert_uint_eq(m.from, m.first_send);
	ck_assert_uint_eq(m.requests, 100);
	ck_assert(m.too_short);
}
END_TEST

START_TEST(test_no_warm_up_where_the_number_of_requests_is_not_known)
{
	ck_assert_uint_eq(closed_loop(1000, 8, 100), 1000);
	ck_assert_uint_eq(m.from, m.first_send);
}
END_TEST

START_TEST(test_warm_up_as_told)
{
	m.expected = 1000;
	m.warmup.kind = WARMUP_NONE;
	ck_assert_uint_eq(closed_loop(1000, 64, 100), 1000);
	measure_init(&m);
	m.warmup = (struct warmup){WARMUP_REQUESTS, 10};
	ck_assert_uint_eq(closed_loop(1000, 1, 100), 990);
	measure_init(&m);
	m.warmup = (struct warmup){WARMUP_REQUESTS, 5000};
	ck_assert_uint_eq(closed_loop(1000, 1, 100), 0);
}
END_TEST

START_TEST(test_in_flight_is_exact_when_times_do_not_come_in_order)
{
	measure_send(&m, 100);
	measure_send(&m, 300);
	measure_receive(&m, 200, 0, 100, true); /* by a processor that is behind */
	measure_send(&m, 250);
	measure_receive(&m, 500, 0, 250, true);
	measure_receive(&m, 400, 0, 100, true);
	ck_assert_uint_eq(m.integral, 100 + 250 + 100);
	ck_assert_uint_eq(m.in_flight, 0);
	ck_assert_double_eq(measure_in_flight_mean(&m), 450.0 / 400.0);
	ck_assert_uint_eq(m.in_flight_max, 2);
}
END_TEST

START_TEST(test_batches_are_between_20_and_39_whatever_the_length)
{
	static const unsigned int totals[] = {20, 39, 40, 41, 79, 80, 81, 1000, 99999};

	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		uint64_t received = 0;

		measure_init(&m);
		closed_loop(totals[i], 4, 100);
		ck_assert_uint_ge(measure_batches(&m), 20);
		ck_assert_uint_le(measure_batches(&m), MEASURE_BATCHES_MAX);
		for (unsigned int b = 0; b < MEASURE_BATCHES_MAX; b++)
			received += m.batches[b].received;
		ck_assert_uint_eq(received, totals[i]);
	}
}
END_TEST

START_TEST(test_confidence_of_equal_batches_is_perfect)
{
	closed_loop(1000, 1, 100);
	ck_assert_double_lt(measure_latency_ci(&m), 1e-9);
	ck_assert_double_lt(measure_throughput_ci(&m), 1); /* of 40 TB/s */
}
END_TEST

START_TEST(test_confidence_follows_the_batches_spread)
{
	/* 20 batches of one request: latencies 90 and 110 by turns */
	sim_time at = 1000;

	for (unsigned int i = 0; i < 20; i++) {
		const sim_time latency = i % 2 ? 110 : 90;

		measure_send(&m, at);
		measure_receive(&m, at += latency, 4096, latency, true);
	}
	/* t(19) x s / sqrt(20), s = sqrt(20 x 100 / 19) */
	ck_assert_double_eq_tol(measure_latency_ci(&m), 2.093 * sqrt(2000.0 / 19) / sqrt(20), 1e-9);
}
END_TEST

START_TEST(test_no_confidence_with_few_batches)
{
	closed_loop(19, 1, 100);
	ck_assert(isnan(measure_latency_ci(&m)));
	ck_assert(isnan(measure_throughput_ci(&m)));
}
END_TEST

START_TEST(test_requests_wanted)
{
	closed_loop(10, 10, 100);
	ck_assert_uint_eq(measure_requests_wanted(&m), 2000);
	measure_init(&m);
	closed_loop(1000, 512, 100);
	ck_assert_uint_eq(measure_requests_wanted(&m), 10240);
}
END_TEST

/* ---- resources in the window ---- */

static double metric(const struct stats *stats, const char *name)
{
	double value = NAN;

	ck_assert(stats_get(stats, name, &value));
	return value;
}

START_TEST(test_utilisation_is_of_the_window)
{
	struct stats *stats = stats_new();
	struct resource walkers, other;

	resource_init(&walkers, 2);
	resource_init(&other, 1);
	resource_register(stats, "walkers", &walkers, "walkers");
	resource_register(stats, "other", &other, "another");
	sim_current_time = 1000; /* boot: nothing */
	resource_window_begin(stats);
	resource_serve(&walkers, 1000);
	resource_serve(&walkers, 1000);
	resource_wait(&walkers, 1000);
	sim_current_time = 1500;
	resource_release(&walkers, 1500);
	resource_serve_waiter(&walkers, 1500);
	sim_current_time = 2000;
	ck_assert_double_eq(metric(stats, "walkers.utilisation"), 1.0);
	resource_window_end(stats);
	sim_current_time = 10000; /* shutdown */
	ck_assert_double_eq(metric(stats, "walkers.utilisation"), 1.0);
	ck_assert_double_eq(metric(stats, "walkers.queue_mean"), 0.5);
	ck_assert_double_eq(metric(stats, "walkers.queue_max"), 1);
	ck_assert_double_eq(metric(stats, "other.utilisation"), 0.0);
	resource_window_begin(stats); /* the warm-up was over only now */
	sim_current_time = 12000;
	resource_release(&walkers, 12000);
	sim_current_time = 14000;
	ck_assert_double_eq(metric(stats, "walkers.utilisation"), 0.75);
	stats_free(stats);
}
END_TEST

static void count_visit(void *arg, const char *name, double utilisation, double queue_mean)
{
	(void)name;
	(void)queue_mean;
	ck_assert_double_eq(utilisation, 0.25);
	++*(unsigned int *)arg;
}

START_TEST(test_without_a_window_the_whole_run_counts)
{
	struct stats *stats = stats_new();
	struct resource bus;
	unsigned int visits = 0;

	resource_init(&bus, 1);
	resource_register(stats, "bus", &bus, "bus");
	resource_add(&bus, 25, 5);
	sim_current_time = 100;
	ck_assert_double_eq(metric(stats, "bus.utilisation"), 0.25);
	ck_assert_double_eq(metric(stats, "bus.queue_mean"), 0.05);
	ck_assert_double_eq(metric(stats, "bus.served"), 1);
	resource_visit(stats, count_visit, &visits);
	ck_assert_uint_eq(visits, 1);
	stats_free(stats);
}
END_TEST

START_TEST(test_bottleneck_is_the_busiest_that_works)
{
	struct stats *stats = stats_new();
	struct resource slots, engine, bus;
	struct resource_load load;

	ck_assert(!resource_bottleneck(stats, &load));
	resource_init(&slots, 1);
	resource_init(&engine, 1);
	resource_init(&bus, 1);
	slots.holds = true;
	resource_register(stats, "slots", &slots, "slots before the engine");
	resource_register(stats, "engine", &engine, "engine");
	resource_register(stats, "bus", &bus, "bus");
	sim_current_time = 1000;
	resource_add(&slots, 1000, 0);
	resource_add(&engine, 400, 0);
	resource_add(&bus, 600, 0);
	ck_assert(resource_bottleneck(stats, &load)); /* nothing that works is as busy */
	ck_assert_str_eq(load.name, "slots");
	resource_add(&engine, 590, 100);
	ck_assert(resource_bottleneck(stats, &load));
	ck_assert_str_eq(load.name, "engine");
	ck_assert_double_eq(load.utilisation, 0.99);
	ck_assert_double_eq(load.queue_mean, 0.1);
	resource_add(&bus, 395, 0);
	ck_assert(resource_bottleneck(stats, &load));
	ck_assert_str_eq(load.name, "bus");
	stats_free(stats);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("measure");
	TCase *tcase = tcase_create("measure");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_warm_up_is_five_percent_of_many_requests);
	tcase_add_test(tcase, test_warm_up_is_at_least_what_is_in_flight);
	tcase_add_test(tcase, test_short_runs_have_no_warm_up);
	tcase_add_test(tcase, test_no_warm_up_where_the_number_of_requests_is_not_known);
	tcase_add_test(tcase, test_warm_up_as_told);
	tcase_add_test(tcase, test_in_flight_is_exact_when_times_do_not_come_in_order);
	tcase_add_test(tcase, test_batches_are_between_20_and_39_whatever_the_length);
	tcase_add_test(tcase, test_confidence_of_equal_batches_is_perfect);
	tcase_add_test(tcase, test_confidence_follows_the_batches_spread);
	tcase_add_test(tcase, test_no_confidence_with_few_batches);
	tcase_add_test(tcase, test_requests_wanted);
	tcase_add_test(tcase, test_utilisation_is_of_the_window);
	tcase_add_test(tcase, test_without_a_window_the_whole_run_counts);
	tcase_add_test(tcase, test_bottleneck_is_the_busiest_that_works);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
