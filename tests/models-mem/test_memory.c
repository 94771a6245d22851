/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory controller: time, visibility of data, atomics, CPU accesses, errors, figures. */
#include "models/mem/memory.h"

#include "tests/models-mem/harness.h"

#define BASE  UINT64_C(0x80000000)
#define BYTES UINT64_C(0x100000)

/* No caches, one channel; a line takes 1 ns of the data path. test_caches.c has the others. */
static const struct memory_params params = {
	.latency_ns = 100,
	.channels = 1,
	.channel_mb_s = 64000,
	.interleave_bytes = 256,
	.llc_mb_s = 64000,
	.nodes = 1,
	.cpu_misses = 1,
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

static void setup(void)
{
	build(&params);
}

static void teardown(void)
{
	memory_free(memory);
	ram_destroy(&ram);
}

static uint64_t *word_at(uint64_t pa)
{
	return ram_host(&ram, pa, 8);
}

/* ---- time -------------------------------------------------------------------------------- */

static void access_times(void *arg)
{
	static uint8_t data[4096];
	struct probe probe;

	(void)arg;
	probe_send(&probe, &port, SIM_READ, BASE, data, 64);
	ck_assert_int_eq(probe_wait(&probe), SIM_OK);
	ck_assert_uint_eq(probe.done_at, SIM_NS(101));
	probe_send(&probe, &port, SIM_WRITE, BASE, data, 4096);
	ck_assert_int_eq(probe_wait(&probe), SIM_OK);
	ck_assert_uint_eq(probe.done_at, SIM_NS(101 + 164));
	ck_assert_uint_eq(probe.completions, 1);
}

START_TEST(test_an_access_takes_its_transfer_and_the_latency)
{
	run_on_thread(access_times, NULL);
}
END_TEST

static void contention(void *arg)
{
	static struct probe probes[1000];
	static uint8_t data[64];

	(void)arg;
	for (unsigned int i = 0; i < 1000; i++)
		probe_send(&probes[i], &port, i % 2 ? SIM_READ : SIM_WRITE, BASE + i * 64, data,
			   64);
	for (unsigned int i = 0; i < 1000; i++) {
		probe_wait(&probes[i]);
		ck_assert_uint_eq(probes[i].done_at, SIM_NS(101 + i));
	}
}

START_TEST(test_concurrent_accesses_share_the_bandwidth_in_order)
{
	run_on_thread(contention, NULL);
}
END_TEST

static void total_time(void *arg)
{
	static struct probe probes[1024];
	static uint8_t data[4096];
	uint32_t burst = *(uint32_t *)arg;
	unsigned int count = 65536 / burst;

	for (unsigned int i = 0; i < count; i++)
		probe_send(&probes[i], &port, SIM_READ, BASE + (uint64_t)i * burst, data, burst);
	for (unsigned int i = 0; i < count; i++)
		probe_wait(&probes[i]);
	/* 64 KiB at 7001 MB/s, whatever the pieces: no rounding adds up */
	ck_assert_uint_eq(probes[count - 1].done_at,
			  SIM_NS(100) + UINT64_C(65536) * 1000000 / 7001);
}

START_TEST(test_bursts_of_any_size_reach_the_same_bandwidth)
{
	static uint32_t bursts[] = {64, 256, 4096};
	struct memory_params odd = params;

	teardown();
	odd.channel_mb_s = 7001;
	build(&odd);
	run_on_thread(total_time, &bursts[_i]);
}
END_TEST

/* ---- data -------------------------------------------------------------------------------- */

static void visibility(void *arg)
{
	uint64_t value = 0;
	struct probe probe;

	(void)arg;
	*word_at(BASE) = 1;
	probe_send(&probe, &port, SIM_READ, BASE, &value, 8);
	sim_thread_sleep(SIM_NS(90));
	*word_at(BASE) = 2; /* while the read is under way */
	probe_wait(&probe);
	ck_assert_uint_eq(value, 2);

	value = 3;
	probe_send(&probe, &port, SIM_WRITE, BASE, &value, 8);
	sim_thread_sleep(SIM_NS(90));
	ck_assert_uint_eq(*word_at(BASE), 2);
	probe_wait(&probe);
	ck_assert_uint_eq(*word_at(BASE), 3);
}

START_TEST(test_data_moves_when_the_access_completes)
{
	run_on_thread(visibility, NULL);
}
END_TEST

static const struct atomic_case {
	enum sim_cmd cmd;
	uint32_t offset, len;
	uint64_t before, operand, new; /* new: of a compare-and-swap */
	uint64_t after;
	enum sim_response response;
} atomics[] = {
	{SIM_ATOMIC_ADD, 0, 8, UINT64_MAX, 2, 0, 1, SIM_OK},
	{SIM_ATOMIC_ADD, 4, 4, 0xffffffff00000001, 2, 0, 0x0000000100000001, SIM_OK},
	{SIM_ATOMIC_ADD, 0, 1, 0x1ff, 1, 0, 0x100, SIM_OK},
	{SIM_ATOMIC_SWAP, 2, 2, 0x1122334455667788, 0xabcd, 0, 0x11223344abcd7788, SIM_OK},
	{SIM_ATOMIC_CAS, 0, 8, 5, 5, 9, 9, SIM_OK},
	{SIM_ATOMIC_CAS, 0, 8, 5, 6, 9, 5, SIM_OK},
	{SIM_ATOMIC_CAS, 0, 4, 0xaaaaaaaa00000005, 5, 0xbbbbbbbb, 0xaaaaaaaabbbbbbbb, SIM_OK},
	{SIM_ATOMIC_ADD, 4, 8, 7, 1, 0, 7, SIM_SLVERR},
	{SIM_ATOMIC_ADD, 0, 3, 7, 1, 0, 7, SIM_SLVERR},
	{SIM_ATOMIC_ADD, 0, 16, 7, 1, 0, 7, SIM_SLVERR},
};

/* By a transaction, then the same by a CPU. */
static void atomic(void *arg)
{
	const struct atomic_case *c = arg;
	uint64_t mask = c->len >= 8 ? UINT64_MAX : (UINT64_C(1) << c->len * 8) - 1;
	uint64_t old = c->before >> c->offset * 8 & mask;

	for (int by_cpu = 0; by_cpu <= 1; by_cpu++) {
		uint8_t data[32] = {0};
		uint64_t got = 0;

		*word_at(BASE) = c->before;
		memcpy(data, &c->operand, 8);
		memcpy(data + c->len, &c->new, 8);
		if (by_cpu)
			ck_assert_uint_eq(memory_cpu_atomic(memory, 0, c->cmd, BASE + c->offset,
							    data, c->len),
					  c->response == SIM_OK ? 9000 : SIM_TIME_NEVER);
		else
			ck_assert_int_eq(access_port(&port, c->cmd, BASE + c->offset, data, c->len),
					 c->response);
		ck_assert_uint_eq(*word_at(BASE), c->after);
		if (c->response != SIM_OK)
			continue;
		memcpy(&got, data, c->len);
		ck_assert_uint_eq(got, old);
	}
}

START_TEST(test_atomics_return_the_old_value)
{
	run_on_thread(atomic, (void *)(uintptr_t)&atomics[_i]);
}
END_TEST

static void outside(void *arg)
{
	uint8_t data[64];
	struct probe probe;

	(void)arg;
	ck_assert_int_eq(access_port(&port, SIM_READ, BASE - 64, data, 64), SIM_DECERR);
	ck_assert_uint_ge(sim_now(), SIM_NS(100));
	ck_assert_int_eq(access_port(&port, SIM_WRITE, BASE + BYTES - 32, data, 64), SIM_DECERR);
	probe_send(&probe, &port, SIM_READ, BASE + BYTES - 64, data, 64);
	ck_assert_int_eq(probe_wait(&probe), SIM_OK);
}

START_TEST(test_outside_ram_is_a_decode_error)
{
	struct stats *stats = stats_new();
	double value;

	memory_register_stats(memory, stats, "memory");
	run_on_thread(outside, NULL);
	ck_assert(stats_get(stats, "memory.decode_errors", &value));
	ck_assert_double_eq(value, 2);
	stats_free(stats);
}
END_TEST

/* ---- monitors ---------------------------------------------------------------------------- */

struct watched {
	unsigned int fired;
	sim_time at;
	uint64_t seen;
};

static void watched_written(void *arg)
{
	struct watched *watched = arg;

	watched->fired++;
	watched->at = sim_now();
	watched->seen = *word_at(BASE + 64);
}

static void monitored(void *arg)
{
	struct watched watched = {0};
	uint64_t data[512] = {[8] = 42};
	struct probe probe;

	(void)arg;
	memory_monitor_add(memory, BASE + 72, watched_written, &watched);
	access_port(&port, SIM_WRITE, BASE, data, 64);
	access_port(&port, SIM_READ, BASE + 64, data + 16, 64);
	ck_assert_uint_eq(watched.fired, 0);
	probe_send(&probe, &port, SIM_WRITE, BASE, data, 4096);
	probe_wait(&probe);
	ck_assert_uint_eq(watched.fired, 1);
	ck_assert_uint_eq(watched.at, probe.done_at);
	ck_assert_uint_eq(watched.seen, 42);
	access_port(&port, SIM_WRITE, BASE, data, 4096);
	ck_assert_uint_eq(watched.fired, 1);

	/* a compare-and-swap that fails writes nothing */
	data[0] = 1;
	memory_monitor_add(memory, BASE + 64, watched_written, &watched);
	access_port(&port, SIM_ATOMIC_CAS, BASE + 64, data, 8);
	ck_assert_uint_eq(watched.fired, 1);
	access_port(&port, SIM_ATOMIC_ADD, BASE + 64, data, 8);
	ck_assert_uint_eq(watched.fired, 2);
}

START_TEST(test_a_monitor_fires_when_a_write_becomes_visible)
{
	run_on_thread(monitored, NULL);
}
END_TEST

START_TEST(test_cpu_stores_fire_monitors)
{
	struct watched watched = {0};
	uint64_t value = 77;

	memory_monitor_add(memory, BASE + 64, watched_written, &watched);
	memory_cpu_load(memory, 1, BASE + 64, &value, 8);
	ck_assert_uint_eq(watched.fired, 0);
	value = 77;
	memory_cpu_store(memory, 1, BASE + 64, &value, 8);
	ck_assert_uint_eq(watched.fired, 1);
	ck_assert_uint_eq(watched.seen, 77);

	memory_monitor_add(memory, BASE + 64, watched_written, &watched);
	*word_at(BASE + 64) = 78;
	memory_cpu_touch(memory, 1, BASE + 64, 8, true);
	ck_assert_uint_eq(watched.fired, 2);
	ck_assert_uint_eq(watched.seen, 78);

	uint64_t id = memory_monitor_add(memory, BASE + 64, watched_written, &watched);

	memory_monitor_cancel(memory, id);
	memory_cpu_store(memory, 1, BASE + 64, &value, 8);
	ck_assert_uint_eq(watched.fired, 2);
}
END_TEST

/* ---- CPU accesses ------------------------------------------------------------------------ */

static const struct {
	uint64_t offset;
	uint32_t len;
	sim_time load, store;
} cpu_costs[] = {
	{0, 0, 0, 0},
	{0, 8, 2000, 500},
	{0, 64, 2000, 500},
	{60, 8, 2300, 800},
	{0, 4096, 2000 + 63 * 300, 500 + 63 * 300},
	{BYTES - 8, 8, 2000, 500},
	{BYTES - 8, 9, SIM_TIME_NEVER, SIM_TIME_NEVER},
	{BYTES, 1, SIM_TIME_NEVER, SIM_TIME_NEVER},
};

START_TEST(test_cpu_accesses_cost_by_lines)
{
	uint8_t out[4096], in[4096] = {0};
	uint64_t pa = BASE + cpu_costs[_i].offset;
	uint32_t len = cpu_costs[_i].len;

	memset(out, 0x5a, sizeof(out));
	ck_assert_uint_eq(memory_cpu_touch(memory, 0, pa, len, false), cpu_costs[_i].load);
	ck_assert_uint_eq(memory_cpu_touch(memory, 0, pa, len, true), cpu_costs[_i].store);
	ck_assert_uint_eq(memory_cpu_store(memory, 0, pa, out, len), cpu_costs[_i].store);
	ck_assert_uint_eq(memory_cpu_load(memory, 0, pa, in, len), cpu_costs[_i].load);
	if (cpu_costs[_i].load != SIM_TIME_NEVER)
		ck_assert_int_eq(memcmp(in, out, len), 0);
}
END_TEST

/* ---- figures ----------------------------------------------------------------------------- */

static void send_as(uint16_t requester, enum sim_cmd cmd, uint32_t len)
{
	static uint8_t data[4096];
	struct probe probe = {.txn = {.addr = BASE,
				      .len = len,
				      .cmd = cmd,
				      .data = data,
				      .requester = requester,
				      .done = probe_done}};

	probe.txn.owner = &probe;
	sim_port_request(&port, &probe.txn);
	probe_wait(&probe);
}

static void traffic(void *arg)
{
	(void)arg;
	send_as(3, SIM_READ, 256);
	send_as(3, SIM_WRITE, 128);
	send_as(4, SIM_READ, 64);
	send_as(9999, SIM_READ, 32);
	send_as(3, SIM_ATOMIC_ADD, 8);
}

START_TEST(test_traffic_is_counted_by_requester)
{
	static const struct {
		const char *name;
		double value;
	} expected[] = {
		{"memory.reads", 3},
		{"memory.writes", 1},
		{"memory.atomics", 1},
		{"memory.bytes_read", 352},
		{"memory.bytes_written", 136},
		{"memory.requester.dma.reads", 1},
		{"memory.requester.dma.writes", 2},
		{"memory.requester.dma.bytes_read", 256},
		{"memory.requester.dma.bytes_written", 136},
		{"memory.requester.walker.bytes_read", 64},
		{"memory.requester.other.bytes_read", 32},
		{"memory.busy_ps", 4000 + 2000 + 1000 + 1000 + 1000},
	};
	struct stats *stats = stats_new();
	double value;

	memory_requester_name(memory, 3, "dma");
	memory_requester_name(memory, 4, "walker");
	memory_register_stats(memory, stats, "memory");
	run_on_thread(traffic, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		ck_assert_msg(stats_get(stats, expected[i].name, &value), "%s", expected[i].name);
		ck_assert_msg(value == expected[i].value, "%s is %g", expected[i].name, value);
	}
	ck_assert(stats_get(stats, "memory.utilisation", &value));
	ck_assert_double_gt(value, 0);
	ck_assert_double_lt(value, 1);
	stats_free(stats);
}
END_TEST

START_TEST(test_every_parameter_says_what_it_is)
{
	for (size_t i = 0; i < memory_param_count; i++) {
		const struct param_desc *desc = &memory_param_descs[i];

		ck_assert(desc->help && *desc->help && desc->origin && *desc->origin);
		if (desc->type == PARAM_ENUM)
			continue;
		ck_assert_double_ge((double)desc->def.u, desc->min);
		ck_assert_double_le((double)desc->def.u, desc->max);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tc = tcase_create("memory");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_an_access_takes_its_transfer_and_the_latency);
	tcase_add_test(tc, test_concurrent_accesses_share_the_bandwidth_in_order);
	tcase_add_loop_test(tc, test_bursts_of_any_size_reach_the_same_bandwidth, 0, 3);
	tcase_add_test(tc, test_data_moves_when_the_access_completes);
	tcase_add_loop_test(tc, test_atomics_return_the_old_value, 0, ARRAY_SIZE(atomics));
	tcase_add_test(tc, test_outside_ram_is_a_decode_error);
	tcase_add_test(tc, test_a_monitor_fires_when_a_write_becomes_visible);
	tcase_add_test(tc, test_cpu_stores_fire_monitors);
	tcase_add_loop_test(tc, test_cpu_accesses_cost_by_lines, 0, ARRAY_SIZE(cpu_costs));
	tcase_add_test(tc, test_traffic_is_counted_by_requester);
	tcase_add_test(tc, test_every_parameter_says_what_it_is);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
