/* SPDX-License-Identifier: BSD-3-Clause */
/* The trace writer: order, window, filter, tracks, strings, numbers, errors. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/trace/extent.h"
#include "sim/trace/pb.h"
#include "sim/trace/trace.h"
#include "tests/sim-trace/trace_reader.h"

sim_time sim_current_time;

static struct trace_file file;
static trace_track track;
static trace_name outer, inner, key;

static void start(sim_time from, sim_time to, uint32_t categories)
{
	struct trace_options options = {
		.path = trace_reader_path(), .from = from, .to = to, .categories = categories};

	sim_current_time = 0;
	ck_assert_int_eq(trace_open(&options), 0);
	track = trace_track_add(0, "unit", 3);
	outer = trace_intern("outer");
	inner = trace_intern("inner");
	key = trace_intern("key");
}

static void finish(void)
{
	ck_assert_int_eq(trace_close(), 0);
	ck_assert(!trace_enabled);
	file = trace_reader_load(trace_reader_path());
	ck_assert_uint_eq(file.misnested, 0);
	ck_assert_uint_eq(trace_get_totals().packets, file.packets);
	ck_assert_uint_eq(trace_get_totals().bytes, file.bytes);
}

static void expect(size_t i, unsigned int type, uint64_t ns, const char *name)
{
	ck_assert_uint_lt(i, file.count);
	ck_assert_uint_eq(file.events[i].type, type);
	ck_assert_uint_eq(file.events[i].ns, ns);
	ck_assert_str_eq(file.events[i].name, name);
}

enum { BEGIN = 1, END = 2, INSTANT = 3, COUNTER = 4 };

static void begin(trace_name name, uint64_t ns)
{
	trace_begin(track, TRACE_SMMU, name, SIM_NS(ns), NULL);
}

static void end(uint64_t ns)
{
	trace_end(track, SIM_NS(ns), NULL);
}

START_TEST(test_encoder_lengths_and_numbers)
{
	static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384, 70000};
	static char text[70001];

	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pb pb = {0};
		size_t nested = pb_open(&pb, 1);
		size_t length_bytes = pb_varint_size(sizes[i]);

		pb_raw(&pb, text, sizes[i]);
		pb_close(&pb, nested);
		ck_assert_uint_eq(pb.length, 1 + length_bytes + sizes[i]);
		ck_assert_uint_eq(pb.data[0], 0x0a);
		ck_assert(sizes[i] == 0 || pb.data[pb.length - 1] == 'x');
		ck_assert_uint_eq(pb.data[1] & 0x7f, sizes[i] & 0x7f);
		free(pb.data);
	}
	ck_assert_uint_eq(pb_varint_size(UINT64_MAX), 10);
}
END_TEST

START_TEST(test_slices_and_args_read_back)
{
	const struct trace_arg args[] = {
		{.key = key, .type = TRACE_ARG_U64, .u = UINT64_MAX},
		{.key = key, .type = TRACE_ARG_I64, .u = (uint64_t)-5},
		{.key = key, .type = TRACE_ARG_STRING, .s = "text"},
		{.key = key, .type = TRACE_ARG_POINTER, .u = 0xffff0000},
	};
	struct trace_arg with_keys[4];
	struct trace_extra extra = {.args = with_keys, .arg_count = 4};

	start(0, SIM_TIME_NEVER, 0);
	memcpy(with_keys, args, sizeof(args));
	for (int i = 0; i < 4; i++)
		with_keys[i].key = key;
	extra.flow = trace_flow_new();
	extra.flow_end = trace_flow_new();
	trace_begin(track, TRACE_WALK, outer, 1999, &extra);
	trace_begin(track, TRACE_WALK, 0, 2000, NULL);
	trace_end(track, 2000, NULL);
	trace_end(track, SIM_US(5), &extra);
	trace_instant(0, TRACE_WALK, outer, 1, NULL); /* no track */
	finish();
	ck_assert_uint_eq(file.count, 4);
	expect(0, BEGIN, 1, "outer");
	expect(1, BEGIN, 2, "(unnamed)");
	expect(2, END, 2, "");
	expect(3, END, 5000, "");
	ck_assert_str_eq(file.events[0].category, "walk");
	for (int i = 0; i < 4; i += 3) {
		const struct trace_event *e = &file.events[i];

		ck_assert_uint_eq(e->arg_count, 4);
		ck_assert_str_eq(e->args[0].key, "key");
		ck_assert_uint_eq(e->args[0].number, UINT64_MAX);
		ck_assert_int_eq((int64_t)e->args[1].number, -5);
		ck_assert_str_eq(e->args[2].text, "text");
		ck_assert_uint_eq(e->args[3].number, 0xffff0000);
		ck_assert_uint_eq(e->flow, 1);
		ck_assert_uint_eq(e->flow_end, 2);
	}
	ck_assert_uint_eq(trace_get_totals().slices, 2);
}
END_TEST

/* Two CPUs, each ahead of the clock by up to some time, and hardware at the clock; more than one
 * batch. */
START_TEST(test_events_are_sorted_by_time_then_arrival)
{
	trace_track tracks[3];
	sim_time local[3] = {0};
	unsigned int state = 1, sent = 0;

	start(0, SIM_TIME_NEVER, 0);
	for (int i = 0; i < 3; i++)
		tracks[i] = trace_track_add(0, "cpu", i);
	while (sent < 60000) {
		state = state * 1103515245u + 12345u;
		sim_current_time += state >> 16 & 255;
		for (unsigned int i = 0; i < 3; i++) {
			if (local[i] < sim_now())
				local[i] = sim_now();
			if (i < 2 && local[i] < sim_now() + 20000)
				local[i] += state >> 8 & 1023;
			trace_begin(tracks[i], TRACE_CPU, outer, local[i], NULL);
			trace_end(tracks[i], local[i], NULL);
			sent += 2;
		}
	}
	finish();
	ck_assert_uint_eq(file.count, sent);
	/* a begin and its end arrived one after the other at one time */
	for (size_t i = 0; i + 1 < file.count; i += 2) {
		const struct trace_event *e = &file.events[i];

		if (e[0].absolute || e[0].type != BEGIN || e[1].type != END ||
		    e[0].track != e[1].track)
			ck_abort_msg("event %zu is out of place", i);
	}
	ck_assert_uint_lt(file.bytes, 26 * file.packets);
}
END_TEST

START_TEST(test_everything_far_ahead_is_kept)
{
	start(0, SIM_TIME_NEVER, 0);
	for (uint64_t i = 0; i < 50000; i++) /* in reverse; the clock stands still */
		trace_instant(track, TRACE_CPU, outer, SIM_NS(60000 - i), NULL);
	finish();
	ck_assert_uint_eq(file.count, 50000);
	for (size_t i = 0; i < file.count; i++)
		ck_assert_uint_eq(file.events[i].ns, 10001 + i);
}
END_TEST

START_TEST(test_late_event_is_written_at_its_time)
{
	trace_track other;

	start(0, SIM_TIME_NEVER, 0);
	other = trace_track_add(0, "other", 0);
	for (uint64_t i = 0; i < 10000; i++) {
		sim_current_time = SIM_NS(i);
		trace_instant(track, TRACE_CPU, outer, sim_now(), NULL);
	}
	trace_begin(other, TRACE_CPU, inner, SIM_NS(7), NULL);
	trace_end(other, SIM_NS(9), NULL);
	finish();
	for (size_t i = 0; i < file.count; i++) {
		const struct trace_event *e = &file.events[i];

		if (e->type == BEGIN) {
			ck_assert(e->absolute);
			ck_assert_uint_eq(e->ns, 7);
			ck_assert_uint_eq(file.events[i + 1].ns, 9);
		}
	}
}
END_TEST

START_TEST(test_late_counter_step_counts_from_now)
{
	trace_track counter;

	start(0, SIM_TIME_NEVER, 0);
	counter = trace_counter_add(0, "level", "count", 0);
	trace_count_add(counter, SIM_NS(1), 1);
	for (uint64_t i = 0; i < 10000; i++) {
		sim_current_time = SIM_NS(i);
		trace_instant(track, TRACE_CPU, outer, sim_now(), NULL);
	}
	trace_count_add(counter, SIM_NS(7), 1);
	finish();
	for (size_t i = 0; i < file.count; i++) {
		const struct trace_event *e = &file.events[i];

		ck_assert(!e->absolute);
		if (e->type == COUNTER && e->ns > 1)
			ck_assert_int_eq(e->value, 2);
	}
}
END_TEST

START_TEST(test_window_clips_slices_and_counters)
{
	struct trace_arg arg = {.type = TRACE_ARG_U64, .u = 77};
	trace_track counter, unused;

	start(SIM_NS(100), SIM_NS(200), 0);
	arg.key = key;
	counter = trace_counter_add(0, "level", "entries", 0);
	unused = trace_track_add(0, "before the window", 0);
	trace_instant(unused, TRACE_SMMU, inner, SIM_NS(50), NULL);
	begin(inner, 10);
	end(20); /* all before */
	trace_begin(track, TRACE_SMMU, outer, SIM_NS(90),
		    &(struct trace_extra){.args = &arg, .arg_count = 1});
	trace_count(counter, SIM_NS(60), 4);
	trace_count_add(counter, SIM_NS(70), 1);
	begin(inner, 95);
	end(150);
	trace_count_add(counter, SIM_NS(160), -2);
	trace_count(counter, SIM_NS(170), 3); /* no change */
	begin(inner, 180);
	sim_current_time = SIM_NS(300);
	end(250);
	end(260);
	trace_instant(track, TRACE_SMMU, inner, SIM_NS(270), NULL);
	finish();
	expect(0, BEGIN, 100, "outer");
	ck_assert_uint_eq(file.events[0].arg_count, 2);
	ck_assert_str_eq(file.events[0].args[1].key, "clipped");
	ck_assert_uint_eq(file.events[0].args[0].number, 77);
	expect(1, BEGIN, 100, "inner");
	expect(2, COUNTER, 100, "");
	ck_assert_int_eq(file.events[2].value, 5);
	expect(3, END, 150, "");
	ck_assert_uint_eq(file.events[3].arg_count, 0);
	expect(4, COUNTER, 160, "");
	ck_assert_int_eq(file.events[4].value, 3);
	expect(5, BEGIN, 180, "inner");
	expect(6, END, 200, "");
	ck_assert_str_eq(file.events[6].args[0].key, "clipped");
	expect(7, END, 200, "");
	ck_assert_uint_eq(file.count, 8);
	ck_assert_uint_eq(file.track_count, 3); /* root, unit, level */
}
END_TEST

START_TEST(test_window_edges)
{
	start(SIM_NS(100), SIM_NS(200), 0);
	begin(outer, 50);
	end(100); /* ends where the window begins: not in it */
	trace_instant(track, TRACE_SMMU, inner, SIM_NS(100), NULL);
	begin(outer, 150);
	end(200); /* ends where the window ends: whole */
	begin(inner, 200);
	end(200);
	trace_instant(track, TRACE_SMMU, inner, SIM_NS(200), NULL);
	finish();
	expect(0, INSTANT, 100, "inner");
	expect(1, BEGIN, 150, "outer");
	expect(2, END, 200, "");
	ck_assert_uint_eq(file.events[2].arg_count, 0);
	ck_assert_uint_eq(file.count, 3);
}
END_TEST

START_TEST(test_window_with_nothing_in_it_still_cuts_what_spans_it)
{
	start(SIM_NS(100), SIM_NS(200), 0);
	begin(outer, 50);
	sim_current_time = SIM_NS(1000);
	end(900);
	finish();
	expect(0, BEGIN, 100, "outer");
	expect(1, END, 200, "");
	ck_assert_uint_eq(file.count, 2);
}
END_TEST

START_TEST(test_window_that_the_run_does_not_reach_is_empty)
{
	start(SIM_NS(100), SIM_TIME_NEVER, 0);
	begin(outer, 50);
	sim_current_time = SIM_NS(60);
	finish();
	ck_assert_uint_eq(file.count, 0);
}
END_TEST

START_TEST(test_tracing_ends_with_its_window)
{
	start(0, SIM_NS(100), 0);
	for (uint64_t i = 0; i < 20000 && trace_enabled; i++) {
		sim_current_time = SIM_NS(i);
		begin(outer, i);
		end(i);
	}
	ck_assert(!trace_enabled);
	ck_assert_uint_eq(trace_flow_new(), 0);
	finish();
	ck_assert_uint_eq(file.count, 200);
}
END_TEST

START_TEST(test_open_slices_end_with_the_run)
{
	start(0, SIM_TIME_NEVER, 0);
	begin(outer, 10);
	begin(inner, 20);
	sim_current_time = SIM_NS(15);
	finish();
	expect(2, END, 20, ""); /* the latest that is known */
	expect(3, END, 20, "");
}
END_TEST

START_TEST(test_end_of_a_filtered_slice_is_filtered)
{
	trace_track counter;

	start(0, SIM_TIME_NEVER, 1u << TRACE_FAULT);
	counter = trace_counter_add(0, "level", NULL, 0);
	trace_begin(track, TRACE_SMMU, outer, 1000, NULL);
	trace_begin(track, TRACE_FAULT, inner, 2000, NULL);
	trace_begin(track, TRACE_SMMU, outer, 3000, NULL);
	trace_end(track, 4000, NULL);
	trace_end(track, 5000, NULL);
	trace_end(track, 6000, NULL);
	trace_end(track, 7000, NULL); /* was never begun */
	trace_instant(track, TRACE_CPU, outer, 8000, NULL);
	trace_count(counter, 9000, 1);
	finish();
	ck_assert_uint_eq(file.count, 2);
	expect(0, BEGIN, 2, "inner");
	expect(1, END, 5, "");
}
END_TEST

START_TEST(test_tracks_form_a_tree_with_ranks)
{
	trace_track lane_a, lane_b, counter;
	const struct trace_track_info *t;

	start(0, SIM_TIME_NEVER, 0);
	lane_a = trace_lane_add(track, "queue 0", 1);
	lane_b = trace_lane_add(track, "queue 0", 1);
	counter = trace_counter_add(track, "bytes", "bytes", -2);
	trace_instant(lane_b, TRACE_REQUEST, outer, 0, NULL);
	trace_instant(lane_a, TRACE_REQUEST, outer, 1, NULL);
	trace_count(counter, 2, -1);
	finish();
	ck_assert_uint_eq(file.track_count, 5);
	ck_assert_uint_eq(file.tracks[0].parent, 0);
	t = trace_reader_track(&file, file.events[0].track);
	ck_assert_str_eq(t->name, "queue 0");
	ck_assert_uint_eq(t->merge, 1);
	t = trace_reader_track(&file, t->parent);
	ck_assert_str_eq(t->name, "unit");
	ck_assert_int_eq(t->rank, 3);
	ck_assert_uint_eq(t->merge, 2);
	t = trace_reader_track(&file, file.events[2].track);
	ck_assert(t->counter);
	ck_assert_str_eq(t->unit, "3");
	ck_assert_int_eq(t->rank, -2);
	ck_assert_int_eq(file.events[2].value, -1);
}
END_TEST

START_TEST(test_counter_steps_add_up_in_the_order_of_time)
{
	trace_track counter;

	start(0, SIM_TIME_NEVER, 0);
	counter = trace_counter_add(0, "level", "count", 0);
	trace_count_add(counter, SIM_NS(150), -1); /* a CPU that is ahead */
	trace_count_add(counter, SIM_NS(120), 6);
	finish();
	ck_assert_int_eq(file.events[0].value, 6);
	ck_assert_int_eq(file.events[1].value, 5);
}
END_TEST

START_TEST(test_names_are_stable_from_before_one_trace_to_the_next)
{
	trace_name before = trace_intern("early");
	char name[32];

	ck_assert_uint_eq(trace_intern("early"), before);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		trace_intern(name);
	}
	ck_assert_uint_eq(trace_intern("early"), before);
	for (int i = 0; i < 2; i++) {
		start(0, SIM_TIME_NEVER, 0);
		begin(before, 1);
		end(2);
		finish();
		expect(0, BEGIN, 1, "early");
		trace_reader_free(&file);
	}
}
END_TEST

START_TEST(test_off_is_off)
{
	struct trace_options options = {0};

	ck_assert_int_eq(trace_open(&options), 0);
	ck_assert(!trace_enabled);
	ck_assert_uint_eq(trace_track_add(0, "x", 0), 0);
	ck_assert_uint_eq(trace_flow_new(), 0);
	trace_begin(0, TRACE_CPU, 0, 0, NULL);
	trace_end(0, 0, NULL);
	ck_assert_int_eq(trace_close(), 0);
}
END_TEST

START_TEST(test_errors_are_told)
{
	struct trace_options options = {.path = "/nonexistent/t.pftrace", .to = SIM_TIME_NEVER};

	ck_assert_int_eq(trace_open(&options), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert(!trace_enabled);
	options.from = options.to = 5;
	ck_assert_int_eq(trace_open(&options), -1);
	ck_assert_int_eq(errno, EINVAL);
	options = (struct trace_options){.path = "/dev/full", .to = SIM_TIME_NEVER};
	ck_assert_int_eq(trace_open(&options), 0);
	for (uint64_t i = 0; i < 100000; i++) {
		sim_current_time = i;
		trace_instant(trace_track_add(0, "t", 0), TRACE_CPU, outer, i, NULL);
	}
	ck_assert_int_eq(trace_close(), -1);
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

START_TEST(test_category_lists)
{
	const char *bad = NULL;
	uint32_t mask = 0;

	ck_assert_int_eq(trace_parse_categories("fault,cpu", &mask, &bad), 0);
	ck_assert_uint_eq(mask, 1u << TRACE_FAULT | 1u << TRACE_CPU);
	ck_assert_int_eq(trace_parse_categories("counter", &mask, &bad), 0);
	ck_assert_uint_eq(mask, 1u << TRACE_COUNTER);
	ck_assert_int_eq(trace_parse_categories("cpu,faul", &mask, &bad), -1);
	ck_assert_str_eq(bad, "faul");
	ck_assert_int_eq(trace_parse_categories("cpu,", &mask, &bad), -1);
	ck_assert_int_eq(trace_parse_categories("", &mask, &bad), -1);
	ck_assert_uint_eq(mask, 1u << TRACE_COUNTER);
}
END_TEST

static void expect_extent(uint64_t first_ns, uint64_t last_ns)
{
	struct trace_extent extent = {1, 2};

	ck_assert_int_eq(trace_read_extent(trace_reader_path(), &extent), 0);
	ck_assert_uint_eq(extent.first_ns, first_ns);
	ck_assert_uint_eq(extent.last_ns, last_ns);
}

START_TEST(test_extent_is_from_the_first_event_to_the_last)
{
	start(0, SIM_TIME_NEVER, 0);
	begin(outer, 500);
	begin(inner, 600);
	sim_current_time = SIM_US(5);
	end(1ull << 40);
	end((1ull << 40) + 7);
	ck_assert_int_eq(trace_close(), 0);
	expect_extent(500, (1ull << 40) + 7);

	/* what was cut off does not count */
	ck_assert_int_eq(truncate(trace_reader_path(), (off_t)trace_get_totals().bytes - 1), 0);
	expect_extent(500, 1ull << 40);
	unlink(trace_reader_path());
}
END_TEST

START_TEST(test_extent_of_a_trace_without_events_is_nothing)
{
	start(0, SIM_TIME_NEVER, 0);
	ck_assert_int_eq(trace_close(), 0);
	expect_extent(0, 0);
	unlink(trace_reader_path());
}
END_TEST

START_TEST(test_what_is_no_trace_has_no_extent)
{
	static const struct {
		const char *bytes;
		size_t length;
	} cases[] = {
		{"", 0},
		{"hello", 5},
		{"\x0a\xff\xff\xff\xff\xff\x7f", 7}, /* a packet longer than any */
		{"\x0a\x02\x40\xff", 4},	     /* a timestamp that does not end */
		{"\x0a\x01\x07", 3},		     /* no wire type */
		{"\x0a\x03\x12\x05\x00", 5},	     /* a field beyond its packet */
	};
	struct trace_extent extent;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *out = fopen(trace_reader_path(), "w");

		fwrite(cases[i].bytes, 1, cases[i].length, out);
		fclose(out);
		errno = 0;
		ck_assert_int_eq(trace_read_extent(trace_reader_path(), &extent), -1);
		ck_assert_int_eq(errno, EILSEQ);
	}
	unlink(trace_reader_path());
	ck_assert_int_eq(trace_read_extent(trace_reader_path(), &extent), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace");
	TCase *tcase = tcase_create("trace");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_encoder_lengths_and_numbers);
	tcase_add_test(tcase, test_slices_and_args_read_back);
	tcase_add_test(tcase, test_events_are_sorted_by_time_then_arrival);
	tcase_add_test(tcase, test_everything_far_ahead_is_kept);
	tcase_add_test(tcase, test_late_event_is_written_at_its_time);
	tcase_add_test(tcase, test_late_counter_step_counts_from_now);
	tcase_add_test(tcase, test_window_clips_slices_and_counters);
	tcase_add_test(tcase, test_window_edges);
	tcase_add_test(tcase, test_window_with_nothing_in_it_still_cuts_what_spans_it);
	tcase_add_test(tcase, test_window_that_the_run_does_not_reach_is_empty);
	tcase_add_test(tcase, test_tracing_ends_with_its_window);
	tcase_add_test(tcase, test_open_slices_end_with_the_run);
	tcase_add_test(tcase, test_end_of_a_filtered_slice_is_filtered);
	tcase_add_test(tcase, test_tracks_form_a_tree_with_ranks);
	tcase_add_test(tcase, test_counter_steps_add_up_in_the_order_of_time);
	tcase_add_test(tcase, test_names_are_stable_from_before_one_trace_to_the_next);
	tcase_add_test(tcase, test_off_is_off);
	tcase_add_test(tcase, test_errors_are_told);
	tcase_add_test(tcase, test_category_lists);
	tcase_add_test(tcase, test_extent_is_from_the_first_event_to_the_last);
	tcase_add_test(tcase, test_extent_of_a_trace_without_events_is_nothing);
	tcase_add_test(tcase, test_what_is_no_trace_has_no_extent);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
