/* SPDX-License-Identifier: BSD-3-Clause */
/* What an access takes depends on who has its lines. */
#include "models/mem/memory.h"

#include "sim/stats/waits.h"
#include "tests/models-mem/harness.h"

#define BASE  UINT64_C(0x80000000)
#define BYTES UINT64_C(0x1000000)

/* A line takes 2 ns of a channel, 1 ns of the last-level cache's data path. */
static const struct memory_params defaults = {
	.latency_ns = 100,
	.channels = 4,
	.channel_mb_s = 32000,
	.interleave_bytes = 256,
	.llc_kib = 1024,
	.llc_hit_ns = 30,
	.llc_mb_s = 64000,
	.snoop_ns = 50,
	.nodes = 1,
	.node_distance_ns = 70,
	.cpu_cache_kib = 64,
	.cpu_misses = 10,
	.cpu_load_hit_ps = 2000,
	.cpu_store_hit_ps = 500,
	.cpu_line_ps = 300,
	.cpu_atomic_ps = 9000,
};

static struct ram ram;
static struct memory *memory;
static struct sim_port port;

static void build(const struct memory_params *with)
{
	ck_assert_int_eq(ram_init(&ram, 0, BASE, BYTES), 0);
	memory = memory_new(with, &ram);
	port = (struct sim_port){memory_request, memory};
}

static void teardown(void)
{
	memory_free(memory);
	ram_destroy(&ram);
}

/* The time of a transaction; its waits add up to it. */
static sim_time timed(enum sim_cmd cmd, uint64_t pa, uint32_t len, uint16_t requester,
		      struct waits *waits)
{
	static uint8_t data[4096];
	struct waits own;
	struct probe probe = {.txn = {.addr = pa,
				      .len = len,
				      .cmd = cmd,
				      .data = data,
				      .requester = requester,
				      .waits = waits ? waits : &own,
				      .done = probe_done}};
	const sim_time start = sim_now();

	waits_clear(probe.txn.waits);
	probe.txn.owner = &probe;
	sim_port_request(&port, &probe.txn);
	ck_assert_int_eq(probe_wait(&probe), SIM_OK);
	ck_assert_uint_eq(waits_sum(probe.txn.waits), sim_now() - start);
	return sim_now() - start;
}

/* ---- one line changes its owner ------------------------------------------------------------ */

enum policy { STASH, DRAM, AROUND, NO_LLC };
enum found { OWN, CPU, LLC, MEMORY };

/*
 * Accesses in order: L0 a load by CPU 0, S1 a store by CPU 1, A2 an atomic by CPU 2, R and W a
 * device's. The last one is timed.
 */
static const struct transition {
	const char *accesses;
	enum policy policy;
	enum found found;
} transitions[] = {
	{"R", STASH, MEMORY},
	{"R R", STASH, LLC},
	{"W R", STASH, LLC},
	{"L0", STASH, MEMORY},
	{"L0 L0", STASH, OWN},
	{"L0 L1", STASH, MEMORY},
	{"R L0", STASH, LLC},
	{"W L0", STASH, LLC},
	{"W L0 L0", STASH, OWN},
	{"S0 L0", STASH, OWN},
	{"S0 L1", STASH, CPU},
	{"S0 L1 L1", STASH, OWN},
	{"S0 L1 L0", STASH, OWN},
	{"S0 L1 L2", STASH, LLC},
	{"S0 L1 R", STASH, LLC},
	{"S0 R", STASH, CPU},
	{"S0 R R", STASH, LLC},
	{"S0 R L0", STASH, OWN},
	{"S0 W", STASH, CPU},
	{"L0 W", STASH, CPU},
	{"L0 W L0", STASH, LLC},
	{"S0 W L0", STASH, LLC},
	{"S0 W R", STASH, LLC},
	{"L0 R", STASH, MEMORY},
	{"S0 S0", STASH, OWN},
	{"L0 S0", STASH, OWN},
	{"L0 L1 S0", STASH, CPU},
	{"S0 S1", STASH, CPU},
	{"S0 S1 L0", STASH, CPU},
	{"S0 R S0", STASH, LLC}, /* the cache's copy must go */
	{"S0", STASH, MEMORY},
	{"A0", STASH, MEMORY},
	{"A0 A0", STASH, OWN},
	{"A0 A1", STASH, CPU},
	{"L0 A0", STASH, OWN},
	{"W A0", STASH, LLC},
	{"W R", DRAM, MEMORY},
	{"W L0", DRAM, MEMORY},
	{"R W R", DRAM, MEMORY},
	{"S0 W L0", DRAM, MEMORY},
	{"S0 R R", DRAM, LLC},
	{"R R", AROUND, MEMORY},
	{"S0 R R", AROUND, LLC},
	{"W R", AROUND, LLC},
	{"R R", NO_LLC, MEMORY},
	{"W R", NO_LLC, MEMORY},
	{"S0 R", NO_LLC, CPU},
	{"S0 R R", NO_LLC, MEMORY},
	{"S0 L1", NO_LLC, CPU},
	/* zeroing streams past the CPU's cache */
	{"Z0 L0", STASH, LLC},
	{"Z0 R", STASH, LLC},
	{"S1 Z0 L1", STASH, LLC},
	{"Z0 R", DRAM, LLC},
	{"Z0 R", NO_LLC, MEMORY},
	{"S0 Z0 L0", NO_LLC, MEMORY},
};

static sim_time one_access(const char *access)
{
	const unsigned int cpu = (unsigned int)(access[1] - '0');
	uint64_t data[2] = {0};

	switch (access[0]) {
	case 'L':
		return memory_cpu_load(memory, cpu, BASE + 128, data, 8);
	case 'S':
		return memory_cpu_store(memory, cpu, BASE + 128, data, 8);
	case 'A':
		return memory_cpu_atomic(memory, cpu, SIM_ATOMIC_ADD, BASE + 128, data, 8);
	case 'Z':
		return memory_cpu_stream(memory, cpu, BASE, 4096);
	case 'R':
		return timed(SIM_READ, BASE + 136, 8, 0, NULL);
	default:
		return timed(SIM_WRITE, BASE + 136, 8, 0, NULL);
	}
}

static sim_time expected_time(const struct transition *t, char kind)
{
	static const sim_time latency[] = {0, SIM_NS(50), SIM_NS(30), SIM_NS(100)};

	switch (kind) {
	case 'L':
		return 2000 + latency[t->found];
	case 'S': /* hidden behind the store buffer but for its share */
		return 500 + latency[t->found] / 10;
	case 'A':
		return 9000 + latency[t->found];
	case 'R':
		return latency[t->found] + SIM_NS(t->found == MEMORY ? 2 : 1);
	default: /* into the last-level cache, at once or after a CPU has given up the line */
		return (t->found == CPU ? SIM_NS(50) : SIM_NS(30)) + SIM_NS(1);
	}
}

static void run_transition(void *arg)
{
	const struct transition *t = arg;
	const char *access = t->accesses;
	sim_time took = 0;

	for (;;) {
		sim_thread_sleep(SIM_US(1)); /* no access meets another */
		took = one_access(access);
		if (!strchr(access, ' '))
			break;
		access = strchr(access, ' ') + 1;
	}
	ck_assert_msg(took == expected_time(t, access[0]), "%s: %lu ps, not %lu", t->accesses, took,
		      expected_time(t, access[0]));
}

START_TEST(test_an_access_takes_what_the_lines_owner_takes)
{
	struct memory_params params = defaults;

	if (transitions[_i].policy == DRAM)
		params.device_write = MEMORY_WRITE_DRAM;
	if (transitions[_i].policy == AROUND)
		params.device_read = MEMORY_READ_AROUND;
	if (transitions[_i].policy == NO_LLC)
		params.llc_kib = 0;
	build(&params);
	run_on_thread(run_transition, (void *)(uintptr_t)&transitions[_i]);
	teardown();
}
END_TEST

/* ---- device writes by policy --------------------------------------------------------------- */

static void writes_to_dram(void *arg)
{
	uint8_t value = 0;

	(void)arg;
	ck_assert_uint_eq(timed(SIM_WRITE, BASE, 64, 0, NULL), SIM_NS(102));
	memory_cpu_load(memory, 0, BASE, &value, 1);
	sim_thread_sleep(SIM_US(1));
	ck_assert_uint_eq(timed(SIM_WRITE, BASE, 64, 0, NULL), SIM_NS(102));
}

START_TEST(test_writes_go_to_dram_by_policy)
{
	struct memory_params params = defaults;

	params.device_write = MEMORY_WRITE_DRAM;
	build(&params);
	run_on_thread(writes_to_dram, NULL);
	teardown();
}
END_TEST

/* ---- parts of one transaction -------------------------------------------------------------- */

static void mixed(void *arg)
{
	uint8_t data[4096] = {0};

	(void)arg;
	/* lines 0 … 31 in the last-level cache, 32 … 39 a CPU's, the others only in DRAM */
	timed(SIM_WRITE, BASE, 2048, 0, NULL);
	memory_cpu_store(memory, 1, BASE + 2048, data, 512);
	sim_thread_sleep(SIM_US(1));
	/* 24 lines over four channels: two units of 4 lines on two of them, one on the others */
	ck_assert_uint_eq(timed(SIM_READ, BASE, 4096, 0, NULL), SIM_NS(100 + 2 * 4 * 2));
	ck_assert_uint_eq(timed(SIM_READ, BASE, 4096, 0, NULL), SIM_NS(30 + 64));
}

START_TEST(test_the_slowest_part_counts)
{
	build(&defaults);
	run_on_thread(mixed, NULL);
	teardown();
}
END_TEST

/* ---- CPU costs ----------------------------------------------------------------------------- */

static void block_costs(void *arg)
{
	uint8_t data[8192] = {0};
	const sim_time lines = 2000 + 127 * 300;
	sim_time cost = memory_cpu_load(memory, 0, BASE, data, 8192);

	(void)arg;
	/* per page the first line waits, the other 63 overlap ten by ten; no bandwidth binds */
	ck_assert_uint_eq(cost, lines + 2 * (SIM_NS(100) + SIM_NS(6300) / 10));
	ck_assert_uint_eq(memory_cpu_load(memory, 0, BASE, data, 8192), lines);
	/* lines that are written wholly are not fetched */
	ck_assert_uint_eq(memory_cpu_store(memory, 0, BASE + 0x10000, data, 4096), 500 + 63 * 300);
	ck_assert_uint_eq(memory_cpu_store(memory, 0, BASE + 0x20001, data, 128),
			  500 + 2 * 300 + SIM_NS(200) / 10);
}

START_TEST(test_block_accesses_overlap_their_misses)
{
	build(&defaults);
	run_on_thread(block_costs, NULL);
	teardown();
}
END_TEST

static void capacity(void *arg)
{
	static uint8_t data[4096];

	(void)arg;
	/* 64 KiB in each CPU; the last-level cache takes what it gives up */
	for (unsigned int i = 0; i < 32; i++)
		memory_cpu_load(memory, 0, BASE + i * 4096, data, 4096);
	sim_thread_sleep(SIM_MS(1));
	ck_assert_uint_eq(memory_cpu_load(memory, 0, BASE + 31 * 4096, data, 64), 2000);
	ck_assert_uint_eq(memory_cpu_load(memory, 0, BASE, data, 64), 2000 + SIM_NS(30));
}

START_TEST(test_a_cpus_cache_is_bounded)
{
	build(&defaults);
	run_on_thread(capacity, NULL);
	teardown();
}
END_TEST

/* ---- NUMA ---------------------------------------------------------------------------------- */

static void distances(void *arg)
{
	const uint64_t far = BASE + 3 * (BYTES / 4);
	struct waits waits;
	uint64_t base, bytes;
	uint64_t value;

	(void)arg;
	ck_assert_uint_eq(memory_node_of(memory, far), 3);
	ck_assert_uint_eq(memory_node_of(memory, far - 1), 2);
	memory_node_range(memory, 3, &base, &bytes);
	ck_assert(base == far && bytes == BYTES / 4);

	memory_requester_name(memory, 5, "near");
	memory_place_requester(memory, 5, 3);
	memory_place_cpu(memory, 1, 3);
	memory_set_distance(memory, 0, 2, 500);
	ck_assert_uint_eq(timed(SIM_READ, BASE, 64, 0, &waits), SIM_NS(102));
	ck_assert_uint_eq(waits.ps[WAIT_LINK], 0);
	ck_assert_uint_eq(timed(SIM_READ, far, 64, 0, &waits), SIM_NS(102 + 70));
	ck_assert_uint_eq(waits.ps[WAIT_LINK], SIM_NS(70));
	ck_assert_uint_eq(timed(SIM_READ, far + 4096, 64, 5, &waits), SIM_NS(102));
	ck_assert_uint_eq(timed(SIM_READ, far - 64, 64, 0, &waits), SIM_NS(102 + 500));
	ck_assert_uint_eq(timed(SIM_READ, far - 64, 64, 5, &waits), SIM_NS(31 + 70));
	sim_thread_sleep(SIM_US(1));
	ck_assert_uint_eq(memory_cpu_load(memory, 0, far + 8192, &value, 8), 2000 + SIM_NS(170));
	sim_thread_sleep(SIM_US(1));
	ck_assert_uint_eq(memory_cpu_load(memory, 1, far + 12288, &value, 8), 2000 + SIM_NS(100));
}

START_TEST(test_another_nodes_memory_is_farther)
{
	struct memory_params params = defaults;

	params.nodes = 4;
	build(&params);
	run_on_thread(distances, NULL);
	teardown();
}
END_TEST

/* ---- figures ------------------------------------------------------------------------------- */

static void traffic(void *arg)
{
	uint8_t data[64] = {0};

	(void)arg;
	memory_cpu_store(memory, 0, BASE, data, 64);
	timed(SIM_READ, BASE, 256, 2, NULL);
	timed(SIM_READ, BASE, 128, 2, NULL);
	timed(SIM_WRITE, BASE, 64, 2, NULL);
	memory_cpu_load(memory, 0, BASE, data, 8);
	memory_cpu_load(memory, 0, BASE + 4096, data, 8);
	memory_cpu_store(memory, 0, BASE, data, 8);
	memory_cpu_load(memory, 1, BASE, data, 8);
}

START_TEST(test_lines_are_counted_by_where_they_were)
{
	static const struct {
		const char *name;
		double value;
	} expected[] = {
		{"memory.requester.dma.snoops", 2},
		{"memory.requester.dma.llc_hits", 2},
		{"memory.requester.dma.llc_misses", 3},
		{"memory.requester.dma.reads", 2},
		{"memory.llc.hits", 2},
		{"memory.llc.misses", 3},
		{"memory.snoops", 2},
		{"memory.cpu.llc_hits", 2},
		{"memory.cpu.llc_misses", 1},
		{"memory.cpu.transfers", 1},
		{"memory.channels.servers", 4},
		{"memory.llc.servers", 1},
		{"memory.channels.busy_ps", 4 * 2000},
	};
	struct stats *stats = stats_new();
	double value;

	build(&defaults);
	memory_requester_name(memory, 2, "dma");
	memory_register_stats(memory, stats, "memory");
	run_on_thread(traffic, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		ck_assert_msg(stats_get(stats, expected[i].name, &value), "%s", expected[i].name);
		ck_assert_msg(value == expected[i].value, "%s is %g", expected[i].name, value);
	}
	stats_free(stats);
	teardown();
}
END_TEST

/* ---- zeroing ------------------------------------------------------------------------------- */

static const struct {
	uint32_t llc_kib, channel_mb_s;
	sim_time fresh,
		dirty; /* a page, while the cache has clean room, and once all of it is dirty */
} streams[] = {
	{1024, 32000, SIM_NS(64), SIM_NS(64)}, /* the cache's data path limits */
	{1024, 8000, SIM_NS(64), SIM_NS(128)}, /* what must leave the cache for it does */
	{0, 8000, SIM_NS(128), SIM_NS(128)},   /* there is none: DRAM itself */
};

static void stream(void *arg)
{
	const long i = (long)arg;
	const uint64_t pages = 256; /* of the cache's size */
	uint64_t pa = BASE;
	sim_time took = 0;

	for (unsigned int round = 0; round < 3; round++) {
		took = memory_cpu_stream(memory, 0, pa, pages * 4096);
		sim_thread_sleep(took);
		pa += pages * 4096;
		ck_assert_msg(took == pages * (round ? streams[i].dirty : streams[i].fresh),
			      "round %u: %lu ps", round, took);
	}
}

START_TEST(test_zeroing_is_as_fast_as_memory_takes_it)
{
	struct memory_params params = defaults;

	params.llc_kib = streams[_i].llc_kib;
	params.channel_mb_s = streams[_i].channel_mb_s;
	build(&params);
	run_on_thread(stream, (void *)(intptr_t)_i);
	teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("caches");
	TCase *tc = tcase_create("caches");

	tcase_add_loop_test(tc, test_an_access_takes_what_the_lines_owner_takes, 0,
			    ARRAY_SIZE(transitions));
	tcase_add_test(tc, test_writes_go_to_dram_by_policy);
	tcase_add_test(tc, test_the_slowest_part_counts);
	tcase_add_test(tc, test_block_accesses_overlap_their_misses);
	tcase_add_test(tc, test_a_cpus_cache_is_bounded);
	tcase_add_test(tc, test_another_nodes_memory_is_farther);
	tcase_add_test(tc, test_lines_are_counted_by_where_they_were);
	tcase_add_loop_test(tc, test_zeroing_is_as_fast_as_memory_takes_it, 0, ARRAY_SIZE(streams));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
