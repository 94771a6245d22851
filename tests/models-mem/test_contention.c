/* SPDX-License-Identifier: BSD-3-Clause */
/* Bandwidth: initiators in closed loops share channels, the last-level cache's path and links. */
#include "models/mem/interconnect.h"
#include "models/mem/memory.h"

#include "sim/stats/resource.h"
#include "sim/stats/waits.h"
#include "tests/models-mem/harness.h"

#define BASE	    UINT64_C(0x80000000)
#define BYTES	    UINT64_C(0x4000000)
#define SLICE	    (BYTES / 16) /* of RAM for each initiator */
#define LOOPS	    4u
#define IN_FLIGHT   16384u /* bytes of each initiator */
#define WARM_UP	    SIM_US(10)
#define MEASURED    SIM_US(200)
#define WAYS_IN_MAX 256u
#define GB_S(rate)  ((double)(rate) / 1000.0) /* of MB/s */

/* 4 channels of 16 GB/s */
static const struct memory_params defaults = {
	.latency_ns = 100,
	.channels = 4,
	.channel_mb_s = 16000,
	.interleave_bytes = 256,
	.llc_hit_ns = 30,
	.llc_mb_s = 48000,
	.snoop_ns = 50,
	.nodes = 1,
	.cpu_cache_kib = 64,
	.cpu_misses = 10,
};

static struct ram ram;
static struct memory *memory;
static struct sim_port port;

static void build(const struct memory_params *with)
{
	static const char *const names[] = {"a", "b", "c", "d"};

	ck_assert_int_eq(ram_init(&ram, 0, BASE, BYTES), 0);
	memory = memory_new(with, &ram);
	for (uint16_t i = 0; i < LOOPS; i++)
		memory_requester_name(memory, i, names[i]);
	port = (struct sim_port){memory_request, memory};
}

static void teardown(void)
{
	memory_free(memory);
	ram_destroy(&ram);
}

/* ---- closed loops -------------------------------------------------------------------------- */

struct closed_loop;

struct flight {
	struct closed_loop *loop;
	struct sim_txn txn;
	struct waits waits;
	sim_time start;
	uint8_t data[4096];
};

struct closed_loop {
	struct flight flights[WAYS_IN_MAX];
	uint32_t burst, in_flight;
	enum sim_cmd cmd;
	uint64_t base, span, at;
	sim_time from, until; /* what completes in between is counted */
	uint64_t bytes, completions;
	sim_time latency, latency_max;
	uint64_t digest;
};

static struct closed_loop loops[LOOPS];

static void issue(struct flight *flight)
{
	struct closed_loop *loop = flight->loop;

	flight->txn.addr = loop->base + loop->at;
	loop->at = (loop->at + loop->burst) % loop->span;
	flight->start = sim_now();
	waits_clear(&flight->waits);
	sim_port_request(&port, &flight->txn);
}

static void landed(struct sim_txn *txn)
{
	struct flight *flight = txn->owner;
	struct closed_loop *loop = flight->loop;
	const sim_time took = sim_now() - flight->start;

	if (txn->response != SIM_OK)
		ck_abort_msg("refused");
	if (waits_sum(&flight->waits) != took)
		ck_abort_msg("the waits do not add up");
	if (sim_now() >= loop->from && sim_now() < loop->until) {
		loop->bytes += txn->len;
		loop->completions++;
		loop->latency += took;
		if (loop->latency_max < took)
			loop->latency_max = took;
	}
	loop->digest = (loop->digest ^ (sim_now() - loop->from)) * UINT64_C(0x100000001b3);
	if (sim_now() < loop->until)
		issue(flight);
}

static void loop_init(unsigned int index, uint32_t burst, uint32_t in_flight, enum sim_cmd cmd)
{
	struct closed_loop *loop = &loops[index];

	ck_assert_uint_le(in_flight, WAYS_IN_MAX);
	*loop = (struct closed_loop){.burst = burst,
				     .in_flight = in_flight,
				     .cmd = cmd,
				     .base = BASE + index * SLICE,
				     .span = SLICE};
	for (unsigned int i = 0; i < in_flight; i++) {
		struct flight *flight = &loop->flights[i];

		flight->loop = loop;
		flight->txn = (struct sim_txn){.len = burst,
					       .cmd = cmd,
					       .data = flight->data,
					       .requester = (uint16_t)index,
					       .waits = &flight->waits,
					       .owner = flight,
					       .done = landed};
	}
}

/* Runs loops 0 … count - 1 and returns when all their transactions have ended. */
static void loops_run(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		loops[i].from = sim_now() + WARM_UP;
		loops[i].until = loops[i].from + MEASURED;
	}
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int j = 0; j < loops[i].in_flight; j++)
			issue(&loops[i].flights[j]);
	sim_thread_sleep(WARM_UP + 2 * MEASURED);
}

static double rate(const struct closed_loop *loop)
{
	return (double)loop->bytes / (double)MEASURED * 1000.0; /* GB/s */
}

static double total_rate(unsigned int count)
{
	double sum = 0;

	for (unsigned int i = 0; i < count; i++)
		sum += rate(&loops[i]);
	return sum;
}

static void ck_within(double value, double expected, double tolerance)
{
	ck_assert_msg(value >= expected * (1 - tolerance) && value <= expected * (1 + tolerance),
		      "%g is not %g within %g %%", value, expected, tolerance * 100);
}

/* ---- saturation ---------------------------------------------------------------------------- */

static const struct shape {
	uint32_t channels, interleave_bytes;
} shapes[] = {{1, 256}, {4, 256}, {8, 256}, {8, 64}, {6, 512}, {2, 4096}};

static const uint32_t bursts[] = {256, 1024, 4096};

static struct memory_params shaped(const struct shape *shape)
{
	struct memory_params params = defaults;

	params.channels = shape->channels;
	params.interleave_bytes = shape->interleave_bytes;
	params.channel_mb_s = 48000 / shape->channels;
	return params;
}

static void saturate(void *arg)
{
	const enum sim_cmd cmd = arg ? SIM_WRITE : SIM_READ;
	double rates[ARRAY_SIZE(bursts)];

	for (size_t size = 0; size < ARRAY_SIZE(bursts); size++) {
		for (unsigned int i = 0; i < LOOPS; i++)
			loop_init(i, bursts[size], IN_FLIGHT / bursts[size], cmd);
		loops_run(LOOPS);
		rates[size] = total_rate(LOOPS);
		ck_within(rates[size], 48.0, 0.05);
		for (unsigned int i = 0; i < LOOPS; i++)
			ck_within(rate(&loops[i]), rates[size] / LOOPS, 0.03);
	}
	ck_within(rates[0], rates[2], 0.03); /* 256 B and 4 KiB */
}

START_TEST(test_channels_saturate_at_their_bandwidth_with_bursts_of_any_size)
{
	static int write = 1;
	struct memory_params params = shaped(&shapes[_i / 2]);

	build(&params);
	run_on_thread(saturate, _i % 2 ? &write : NULL);
	teardown();
}
END_TEST

START_TEST(test_the_last_level_cache_saturates_at_its_bandwidth)
{
	struct memory_params params = defaults;

	params.llc_kib = 32768; /* all that is used fits */
	build(&params);
	for (unsigned int i = 0; i < LOOPS; i++)
		for (uint64_t at = 0; at < SLICE; at += 4096)
			memory_cpu_touch(memory, i, BASE + i * SLICE + at, 4096, true);
	run_on_thread(saturate, NULL);
	teardown();
}
END_TEST

static void unloaded(void *arg)
{
	(void)arg;
	for (size_t size = 0; size < ARRAY_SIZE(bursts); size++) {
		/* a burst of n units takes the time of the units that share a channel */
		const uint32_t units = bursts[size] / 256;
		const sim_time own = SIM_NS(16) * ((units + 3) / 4);

		loop_init(0, bursts[size], 1, SIM_READ);
		loops_run(1);
		ck_assert_uint_eq(loops[0].latency_max, SIM_NS(100) + own);
		ck_assert_uint_eq(loops[0].latency, loops[0].completions * (SIM_NS(100) + own));
		ck_assert_uint_eq(loops[0].flights[0].waits.ps[WAIT_BANDWIDTH], 0);
	}
}

START_TEST(test_without_contention_an_access_takes_its_latency_and_its_transfer)
{
	build(&defaults);
	run_on_thread(unloaded, NULL);
	teardown();
}
END_TEST

static void littles_law(void *arg)
{
	(void)arg;
	/* 2 × 256 B in flight, 116 ns each: far from what four channels can do */
	loop_init(0, 256, 2, SIM_READ);
	loops_run(1);
	ck_within(rate(&loops[0]), 2 * 256 / 116.0, 0.05);
	/* saturated: the latency is what is in flight over the bandwidth */
	for (unsigned int i = 0; i < LOOPS; i++)
		loop_init(i, 4096, 8, SIM_READ);
	loops_run(LOOPS);
	ck_within((double)loops[0].latency / (double)loops[0].completions,
		  LOOPS * 8 * 4096 / 64.0 * 1000, 0.05);
}

START_TEST(test_latency_under_load_follows_littles_law)
{
	build(&defaults);
	run_on_thread(littles_law, NULL);
	teardown();
}
END_TEST

/* ---- fairness ------------------------------------------------------------------------------ */

static void light_among_heavy(void *arg)
{
	(void)arg;
	loop_init(0, 256, 1, SIM_READ);
	for (unsigned int i = 1; i < LOOPS; i++)
		loop_init(i, 4096, 64, SIM_READ);
	loops_run(LOOPS);
	ck_within(total_rate(LOOPS), 64.0, 0.03);
	/* in order of arrival, 192 bursts would be before it; fair are four turns of 16 ns */
	ck_assert_uint_le(loops[0].latency_max, SIM_NS(100 + 4 * 16));
}

START_TEST(test_a_light_requester_does_not_wait_behind_long_bursts)
{
	build(&defaults);
	run_on_thread(light_among_heavy, NULL);
	teardown();
}
END_TEST

static void different_sizes(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < LOOPS; i++)
		loop_init(i, i % 2 ? 4096 : 256, i % 2 ? 16 : 64, SIM_READ);
	loops_run(LOOPS);
	ck_within(total_rate(LOOPS), 64.0, 0.03);
	for (unsigned int i = 0; i < LOOPS; i++)
		ck_within(rate(&loops[i]), 16.0, 0.05);
}

START_TEST(test_requesters_with_short_and_long_bursts_share_equally)
{
	build(&defaults);
	run_on_thread(different_sizes, NULL);
	teardown();
}
END_TEST

static void come_and_go(void *arg)
{
	(void)arg;
	/* a share that is not used is the others' */
	loop_init(0, 4096, 32, SIM_READ);
	loop_init(1, 4096, 32, SIM_WRITE);
	loop_init(2, 64, 1, SIM_READ);
	loops_run(3);
	ck_within(total_rate(3), 64.0, 0.03);
	ck_within(rate(&loops[0]), rate(&loops[1]), 0.05);
	loop_init(0, 4096, 32, SIM_READ);
	loops_run(1);
	ck_within(rate(&loops[0]), 64.0, 0.03);
}

START_TEST(test_what_one_does_not_use_others_get)
{
	build(&defaults);
	run_on_thread(come_and_go, NULL);
	teardown();
}
END_TEST

/* Strides that are multiples of channels × interleave still use all channels. */
static void strided(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < LOOPS; i++)
		loop_init(i, 4096, 16, SIM_READ);
	for (unsigned int i = 0; i < LOOPS; i++)
		for (unsigned int j = 0; j < 16; j++)
			loops[i].flights[j].txn.len = 64; /* of each page */
	loops_run(LOOPS);
	/* the latency of 64 reads in flight binds: one channel alone would give 16 GB/s */
	ck_within(total_rate(LOOPS), 64 * 64 / 104.0, 0.10);
}

START_TEST(test_strides_spread_over_channels)
{
	build(&defaults);
	run_on_thread(strided, NULL);
	teardown();
}
END_TEST

/* ---- CPUs beside devices ------------------------------------------------------------------- */

static uint64_t cpu_bytes;

static void cpu_stream(void *arg)
{
	const unsigned int cpu = (unsigned int)(uintptr_t)arg;
	const sim_time from = sim_now() + WARM_UP, until = from + MEASURED;
	uint64_t at = BASE + (8 + cpu) * SLICE;
	static uint8_t data[4096];

	for (; sim_now() < until; at += 4096) {
		sim_thread_sleep(memory_cpu_load(memory, cpu, at, data, 4096));
		if (sim_now() >= from && sim_now() < until)
			cpu_bytes += 4096;
	}
}

static void cpus_and_devices(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 2; i++)
		loop_init(i, 4096, 32, SIM_READ);
	for (uintptr_t i = 0; i < 8; i++)
		sim_thread_start("cpu", cpu_stream, (void *)i);
	loops_run(2);
	const double cpus = (double)cpu_bytes / (double)MEASURED * 1000.0;

	/* eight CPUs together count as one requester of three */
	ck_within(total_rate(2) + cpus, 64.0, 0.05);
	ck_within(cpus, 64.0 / 3, 0.10);
}

START_TEST(test_cpus_take_their_share_of_the_bandwidth)
{
	struct memory_params params = defaults;

	params.cpu_misses = 20; /* 11 GB/s of each CPU, were it alone */
	build(&params);
	run_on_thread(cpus_and_devices, NULL);
	teardown();
}
END_TEST

static void dirty_stream(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < LOOPS; i++)
		loop_init(i, 4096, 16, SIM_WRITE);
	loops_run(LOOPS);
	loops_run(LOOPS); /* by now each write pushes a dirty page out */
}

START_TEST(test_stashed_writes_that_do_not_fit_go_to_dram)
{
	struct memory_params params = defaults;
	struct stats *stats = stats_new();
	double writebacks, busy, lines;

	params.llc_kib = 1024;
	params.llc_mb_s = 16000;
	build(&params);
	memory_register_stats(memory, stats, "memory");
	run_on_thread(dirty_stream, NULL);
	ck_assert(stats_get(stats, "memory.llc.writebacks", &writebacks));
	ck_assert(stats_get(stats, "memory.channels.busy_ps", &busy));
	ck_assert(stats_get(stats, "memory.llc.lines", &lines));
	ck_assert_double_eq(lines, 1024 * 16);
	ck_assert_double_eq(busy, writebacks * 4000);
	ck_within(writebacks * 64, 16.0 / 1000 * 2 * (double)(WARM_UP + MEASURED), 0.20);
	stats_free(stats);
	teardown();
}
END_TEST

/* ---- figures, determinism ------------------------------------------------------------------ */

static void busy_then_stop(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < LOOPS; i++)
		loop_init(i, 4096, 16, SIM_READ);
	for (unsigned int i = 0; i < LOOPS; i++) {
		loops[i].until = SIM_TIME_NEVER;
		for (unsigned int j = 0; j < loops[i].in_flight; j++)
			issue(&loops[i].flights[j]);
	}
	sim_thread_sleep(SIM_US(100));
	sim_stop(); /* in the middle of it all */
}

START_TEST(test_utilisation_is_one_when_saturated_and_never_more)
{
	struct stats *stats = stats_new();
	double value;

	build(&defaults);
	memory_register_stats(memory, stats, "memory");
	sim_thread_start("test", busy_then_stop, NULL);
	ck_assert_int_eq(sim_run(NULL), SIM_RUN_STOPPED);
	ck_assert(stats_get(stats, "memory.channels.utilisation", &value));
	ck_assert_double_le(value, 1.0);
	ck_assert_double_ge(value, 0.98);
	ck_assert(stats_get(stats, "memory.channels.queue_mean", &value));
	ck_within(value, LOOPS * 16 - 2, 0.05); /* those in flight that are not being served */
	ck_assert(stats_get(stats, "memory.channels.queue_max", &value));
	ck_assert_double_le(value, LOOPS * 16);
	stats_free(stats);
	teardown();
}
END_TEST

static void twice(void *arg)
{
	uint64_t first[LOOPS];

	(void)arg;
	for (int round = 0; round < 2; round++) {
		struct memory_params params = defaults;

		params.llc_kib = 2048;
		build(&params);
		for (unsigned int i = 0; i < LOOPS; i++)
			loop_init(i, 256u << i, 7 + i, i % 2 ? SIM_WRITE : SIM_READ);
		loops_run(LOOPS);
		for (unsigned int i = 0; i < LOOPS; i++) {
			if (!round)
				first[i] = loops[i].digest;
			ck_assert_uint_eq(loops[i].digest, first[i]);
		}
		teardown();
	}
}

START_TEST(test_the_same_accesses_end_at_the_same_times)
{
	run_on_thread(twice, NULL);
}
END_TEST

/* ---- links --------------------------------------------------------------------------------- */

static struct interconnect *interconnect;

static void build_link(uint32_t mb_s, uint32_t request_ns, uint32_t response_ns)
{
	const struct interconnect_params params = {.memory_request_ns = request_ns,
						   .memory_response_ns = response_ns,
						   .memory_link_mb_s = mb_s,
						   .header_bytes = 16};
	struct sim_port to_memory;

	build(&defaults);
	to_memory = port;
	interconnect = interconnect_new(&params);
	ck_assert_int_eq(interconnect_region_add(interconnect, "ram", INTERCONNECT_MEMORY, BASE,
						 BYTES, &to_memory, NULL),
			 0);
	port = (struct sim_port){interconnect_request, interconnect};
}

static void teardown_link(void)
{
	interconnect_free(interconnect);
	teardown();
}

static void unloaded_link(void *arg)
{
	struct waits *waits = &loops[0].flights[0].waits;

	(void)arg;
	/* there 16 B, back 16 + 256 B, at 16 GB/s; then 10 and 20 ns; the access itself 116 ns */
	loop_init(0, 256, 1, SIM_READ);
	loops_run(1);
	ck_assert_uint_eq(loops[0].latency_max, SIM_NS(1 + 10 + 116 + 17 + 20));
	ck_assert_uint_eq(waits->ps[WAIT_LINK], SIM_NS(1 + 10 + 17 + 20));
	ck_assert_uint_eq(waits->ps[WAIT_MEMORY], SIM_NS(116));
	/* a write has its data on the way there */
	loop_init(0, 256, 1, SIM_WRITE);
	loops_run(1);
	ck_assert_uint_eq(loops[0].latency_max, SIM_NS(17 + 10 + 116 + 1 + 20));
}

START_TEST(test_a_message_takes_its_transfer_and_the_links_latency)
{
	build_link(16000, 10, 20);
	run_on_thread(unloaded_link, NULL);
	teardown_link();
}
END_TEST

static void saturated_link(void *arg)
{
	(void)arg;
	for (size_t size = 0; size < ARRAY_SIZE(bursts); size++) {
		const double payload = bursts[size] / (bursts[size] + 16.0);

		for (unsigned int i = 0; i < LOOPS; i++)
			loop_init(i, bursts[size], IN_FLIGHT / bursts[size], SIM_READ);
		loops_run(LOOPS);
		ck_within(total_rate(LOOPS), 16.0 * payload, 0.05);
		/* the other direction is free meanwhile */
		for (unsigned int i = 0; i < LOOPS; i++)
			loop_init(i, bursts[size], IN_FLIGHT / bursts[size],
				  i % 2 ? SIM_READ : SIM_WRITE);
		loops_run(LOOPS);
		ck_assert_double_ge(total_rate(LOOPS), 1.8 * 16.0 * payload);
	}
	loop_init(0, 64, 1, SIM_READ);
	for (unsigned int i = 1; i < LOOPS; i++)
		loop_init(i, 4096, 32, SIM_READ);
	loops_run(LOOPS);
	/* its turn among four: not behind 96 bursts of 257 ns */
	ck_assert_uint_le(loops[0].latency_max, SIM_NS(30 + 100 + 4 * 4 + 4 * 1 + 4 * 5));
}

START_TEST(test_a_link_saturates_at_its_bandwidth)
{
	struct stats *stats = stats_new();
	double value;

	build_link(16000, 10, 20);
	interconnect_register_stats(interconnect, stats, "bus");
	run_on_thread(saturated_link, NULL);
	ck_assert(stats_get(stats, "bus.ram.response_link.utilisation", &value));
	ck_assert_double_le(value, 1.0);
	ck_assert_double_ge(value, 0.3);
	stats_free(stats);
	teardown_link();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contention");
	TCase *tc = tcase_create("contention");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_channels_saturate_at_their_bandwidth_with_bursts_of_any_size,
			    0, 2 * ARRAY_SIZE(shapes));
	tcase_add_test(tc, test_the_last_level_cache_saturates_at_its_bandwidth);
	tcase_add_test(tc, test_without_contention_an_access_takes_its_latency_and_its_transfer);
	tcase_add_test(tc, test_latency_under_load_follows_littles_law);
	tcase_add_test(tc, test_a_light_requester_does_not_wait_behind_long_bursts);
	tcase_add_test(tc, test_requesters_with_short_and_long_bursts_share_equally);
	tcase_add_test(tc, test_what_one_does_not_use_others_get);
	tcase_add_test(tc, test_strides_spread_over_channels);
	tcase_add_test(tc, test_cpus_take_their_share_of_the_bandwidth);
	tcase_add_test(tc, test_stashed_writes_that_do_not_fit_go_to_dram);
	tcase_add_test(tc, test_utilisation_is_one_when_saturated_and_never_more);
	tcase_add_test(tc, test_the_same_accesses_end_at_the_same_times);
	tcase_add_test(tc, test_a_message_takes_its_transfer_and_the_links_latency);
	tcase_add_test(tc, test_a_link_saturates_at_its_bandwidth);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
