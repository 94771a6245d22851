/* SPDX-License-Identifier: BSD-3-Clause */
/* Histograms and the registry: what they promise about exactness, order and names. */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/stats/keymap.h"
#include "sim/stats/stats.h"

sim_time sim_current_time;

/* ---- histogram ---- */

START_TEST(test_empty_histogram_has_no_values)
{
	static const struct histogram h;

	ck_assert_uint_eq(histogram_quantile(&h, 0.5), 0);
	ck_assert_uint_eq(h.count, 0);
}
END_TEST

START_TEST(test_small_values_are_exact)
{
	static struct histogram h;

	for (sim_time v = 0; v < 128; v++)
		histogram_record(&h, v);
	ck_assert_uint_eq(h.min, 0);
	ck_assert_uint_eq(h.max, 127);
	ck_assert_uint_eq(h.sum, 127 * 128 / 2);
	ck_assert_uint_eq(histogram_quantile(&h, 0.0), 0);
	ck_assert_uint_eq(histogram_quantile(&h, 0.5), 63);
	ck_assert_uint_eq(histogram_quantile(&h, 0.25), 31);
	ck_assert_uint_eq(histogram_quantile(&h, 1.0), 127);
}
END_TEST

START_TEST(test_rank_is_not_rounded_up_by_the_product)
{
	static struct histogram h;

	for (sim_time v = 1; v <= 100; v++)
		histogram_record(&h, v);
	ck_assert_uint_eq(histogram_quantile(&h, 0.07), 7); /* 0.07 * 100 > 7 in doubles */
	ck_assert_uint_eq(histogram_quantile(&h, 0.57), 57);
}
END_TEST

static int compare(const void *a, const void *b)
{
	sim_time x = *(const sim_time *)a, y = *(const sim_time *)b;

	return x < y ? -1 : x > y;
}

START_TEST(test_quantiles_are_within_one_sixty_fourth)
{
	static const double quantiles[] = {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0};
	static struct histogram h;
	static sim_time values[5000];
	uint64_t state = 1, sum = 0;
	size_t n = sizeof(values) / sizeof(values[0]);

	for (size_t i = 0; i < n; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		values[i] = state >> (20 + state % 40); /* every magnitude */
		histogram_record(&h, values[i]);
		sum += values[i];
	}
	qsort(values, n, sizeof(values[0]), compare);
	ck_assert_uint_eq(h.sum, sum);
	ck_assert_uint_eq(h.min, values[0]);
	ck_assert_uint_eq(h.max, values[n - 1]);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		sim_time exact = values[(size_t)ceil(quantiles[i] * (double)n - 1e-6) - 1];
		sim_time got = histogram_quantile(&h, quantiles[i]);

		ck_assert_uint_ge(got, exact);
		ck_assert_uint_le(got - exact, exact / 64);
	}
}
END_TEST

START_TEST(test_extremes_fit)
{
	static struct histogram h;

	histogram_record(&h, UINT64_MAX);
	ck_assert_uint_eq(histogram_quantile(&h, 0.5), UINT64_MAX);
	histogram_record(&h, 0);
	ck_assert_uint_eq(h.min, 0);
	ck_assert_uint_eq(histogram_quantile(&h, 0.5), 0);
	histogram_record(&h, UINT64_C(1) << 63);
	ck_assert_uint_ge(histogram_quantile(&h, 0.6), UINT64_C(1) << 63);
}
END_TEST

/* ---- keymap ---- */

START_TEST(test_keymap_reuses_indices_and_finds_all)
{
	struct keymap map;

	keymap_init(&map);
	ck_assert_uint_eq(keymap_find(&map, 7), KEYMAP_NONE);
	for (uint64_t key = 0; key < 1000; key++)
		keymap_add(&map, key << 32);
	for (uint64_t key = 0; key < 1000; key++)
		ck_assert_uint_eq(keymap_find(&map, key << 32), key);
	for (uint64_t key = 0; key < 1000; key += 2)
		keymap_remove(&map, key << 32);
	ck_assert_uint_eq(keymap_find(&map, UINT64_C(2) << 32), KEYMAP_NONE);
	ck_assert_uint_eq(keymap_find(&map, UINT64_C(3) << 32), 3);
	for (uint64_t key = 0; key < 500; key++)
		ck_assert_uint_lt(keymap_add(&map, key), 1000);
	ck_assert_uint_eq(map.capacity, 1024);
	keymap_release(&map);
}
END_TEST

/* ---- registry ---- */

static char folder[] = "/tmp/svasim-stats-XXXXXX";
static char path[64];
static struct stats *stats;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/metrics.json", folder);
	stats = stats_new();
}

static void teardown(void)
{
	stats_free(stats);
	unlink(path);
	rmdir(folder);
}

static json_t *write_and_read(void)
{
	json_error_t error;
	json_t *json;

	ck_assert_int_eq(stats_write_json(stats, path), 0);
	json = json_load_file(path, 0, &error);
	ck_assert_msg(json != NULL, "%s", error.text);
	return json;
}

static double third(const void *arg)
{
	return *(const double *)arg / 3.0;
}

static uint64_t twice(const void *arg)
{
	return 2 * *(const uint64_t *)arg;
}

START_TEST(test_values_read_back_exactly)
{
	static const uint64_t big = INT64_MAX, small = 21;
	static const double one = 1.0, none = NAN;
	double value;
	json_t *whole, *json;

	stats_counter(stats, "a.counter", &big, "1", "");
	stats_computed(stats, "a.third", third, &one, "1", "");
	stats_computed_u64(stats, "a.twice", twice, &small, "1", "");
	stats_computed(stats, "a.none", third, &none, "1", "");
	stats_text(stats, "name", "kunpeng \"920\"", "");
	whole = write_and_read();
	json = json_object_get(whole, "a");
	ck_assert_int_eq(json_integer_value(json_object_get(json, "counter")), INT64_MAX);
	ck_assert(json_real_value(json_object_get(json, "third")) == 1.0 / 3.0);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "twice")), 42);
	ck_assert(json_is_null(json_object_get(json, "none")));
	ck_assert(stats_get(stats, "a.third", &value) && value == 1.0 / 3.0);
	ck_assert(stats_get(stats, "a.twice", &value) && value == 42.0);
	ck_assert(!stats_get(stats, "a", &value));
	ck_assert(!stats_get(stats, "a.missing", &value));
	ck_assert(!stats_get(stats, "name", &value));
	json_decref(whole);
}
END_TEST

START_TEST(test_json_is_in_order_of_registration)
{
	static const char *const expected[] = {"zebra", "smmu", "apple"};
	static const uint64_t value = 1;
	const char *key;
	json_t *json, *member;
	size_t i = 0;

	stats_counter(stats, "zebra.x", &value, "1", "");
	stats_counter(stats, "smmu.tlb.misses", &value, "1", "");
	stats_counter(stats, "apple", &value, "1", "");
	stats_counter(stats, "smmu.tlb.hits", &value, "1", "");
	json = write_and_read();
	json_object_foreach(json, key, member) ck_assert_str_eq(key, expected[i++]);
	ck_assert_uint_eq(i, 3);
	ck_assert_uint_eq(json_object_size(json_object_get(json_object_get(json, "smmu"), "tlb")),
			  2);
	json_decref(json);
}
END_TEST

START_TEST(test_histogram_gives_its_figures_in_ns)
{
	static struct histogram h;
	double value;

	stats_histogram(stats, "latency_ns", &h, "");
	ck_assert(stats_get(stats, "latency_ns.mean", &value) && value == 0.0);
	histogram_record(&h, 1500);
	histogram_record(&h, 2500);
	ck_assert(stats_get(stats, "latency_ns.count", &value) && value == 2.0);
	ck_assert(stats_get(stats, "latency_ns.mean", &value) && value == 2.0);
	ck_assert(stats_get(stats, "latency_ns.max", &value) && value == 2.5);
	ck_assert(stats_get(stats, "latency_ns.p999", &value) && value == 2.5);
}
END_TEST

static void count_names(void *arg, const char *name, const char *unit, const char *help)
{
	ck_assert(name[0] && unit && help);
	++*(unsigned int *)arg;
}

START_TEST(test_visit_names_every_leaf)
{
	static const struct histogram h;
	static const uint64_t value;
	unsigned int count = 0;

	stats_histogram(stats, "latency_ns", &h, "latency");
	stats_counter(stats, "x", &value, "1", NULL);
	stats_visit(stats, count_names, &count);
	ck_assert_uint_eq(count, 7);
}
END_TEST

/* [edge, count] of the bucket is what is expected. */
static void assert_bucket(const json_t *buckets, size_t index, double edge_ns, int count)
{
	const json_t *bucket = json_array_get(buckets, index);

	ck_assert_double_eq(json_number_value(json_array_get(bucket, 0)), edge_ns);
	ck_assert_int_eq(json_integer_value(json_array_get(bucket, 1)), count);
}

START_TEST(test_histograms_are_written_bucket_by_bucket)
{
	static struct histogram some, none;
	json_error_t error;
	json_t *json;

	histogram_record(&some, 0);
	histogram_record(&some, 5);
	histogram_record(&some, 5);
	histogram_record(&some, 1000000); /* of one bucket with the next */
	histogram_record(&some, 1000001);
	stats_histogram(stats, "a.some_ns", &some, "");
	stats_histogram(stats, "none_ns", &none, "");
	ck_assert_int_eq(stats_write_histograms(stats, path), 0);
	json = json_load_file(path, 0, &error);
	ck_assert_msg(json != NULL, "%s", error.text);
	ck_assert_str_eq(json_string_value(json_object_get(json, "schema")), "svasim-histograms-1");
	ck_assert_uint_eq(json_object_size(json), 3);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "none_ns")), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "a.some_ns")), 3);
	assert_bucket(json_object_get(json, "a.some_ns"), 0, 0, 1);
	assert_bucket(json_object_get(json, "a.some_ns"), 1, 0.005, 2);
	assert_bucket(json_object_get(json, "a.some_ns"), 2, 1000.001, 2); /* the maximum */
	json_decref(json);
	ck_assert_int_eq(stats_write_histograms(stats, "/nonexistent/histograms.json"), -1);
}
END_TEST

START_TEST(test_write_error_is_told_and_leaves_nothing)
{
	errno = 0;
	ck_assert_int_eq(stats_write_json(stats, "/nonexistent/metrics.json"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(stats_write_json(stats, folder),
			 -1); /* a folder is in the place of the file */
	ck_assert_int_ne(errno, 0);
	snprintf(path, sizeof(path), "%s.tmp", folder);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

#ifndef NDEBUG
START_TEST(test_same_name_twice_is_a_bug)
{
	static const uint64_t value;

	stats_counter(stats, "a.b", &value, "1", "");
	stats_counter(stats, "a.b", &value, "1", "");
}
END_TEST

START_TEST(test_leaf_above_a_leaf_is_a_bug)
{
	static const uint64_t value;

	stats_counter(stats, "a", &value, "1", "");
	stats_counter(stats, "a.b", &value, "1", "");
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("stats");
	TCase *histogram = tcase_create("histogram"), *registry = tcase_create("registry");
	SRunner *runner;
	int failed;

	tcase_add_test(histogram, test_empty_histogram_has_no_values);
	tcase_add_test(histogram, test_small_values_are_exact);
	tcase_add_test(histogram, test_rank_is_not_rounded_up_by_the_product);
	tcase_add_test(histogram, test_quantiles_are_within_one_sixty_fourth);
	tcase_add_test(histogram, test_extremes_fit);
	tcase_add_test(histogram, test_keymap_reuses_indices_and_finds_all);
	tcase_add_checked_fixture(registry, setup, teardown);
	tcase_add_test(registry, test_values_read_back_exactly);
	tcase_add_test(registry, test_json_is_in_order_of_registration);
	tcase_add_test(registry, test_histogram_gives_its_figures_in_ns);
	tcase_add_test(registry, test_visit_names_every_leaf);
	tcase_add_test(registry, test_histograms_are_written_bucket_by_bucket);
	tcase_add_test(registry, test_write_error_is_told_and_leaves_nothing);
#ifndef NDEBUG
	tcase_add_test_raise_signal(registry, test_same_name_twice_is_a_bug, 6);
	tcase_add_test_raise_signal(registry, test_leaf_above_a_leaf_is_a_bug, 6);
#endif
	suite_add_tcase(suite, histogram);
	suite_add_tcase(suite, registry);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
