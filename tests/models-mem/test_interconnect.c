/* SPDX-License-Identifier: BSD-3-Clause */
/* The interconnect: decoding, refusals, latencies. */
#include "models/mem/interconnect.h"

#include "sim/stats/stats.h"
#include "tests/models-mem/harness.h"

/* Answers at once, or keeps the transaction. */
struct target {
	struct sim_port port;
	sim_time arrived;
	unsigned int requests;
	struct sim_txn *last;
	bool keep;
};

static void target_request(void *arg, struct sim_txn *txn)
{
	struct target *target = arg;

	target->arrived = sim_now();
	target->requests++;
	target->last = txn;
	txn->hop = target; /* a target may use it as it likes */
	if (!target->keep)
		sim_txn_complete(txn, SIM_OK);
}

static const struct interconnect_params params = {
	.device_request_ns = 30,
	.device_response_ns = 20,
};

static struct interconnect *interconnect;
static struct sim_port port;
static struct target ram, smmu, accel;

static int add(const char *name, enum interconnect_kind kind, uint64_t base, uint64_t bytes,
	       struct target *target)
{
	target->port = (struct sim_port){target_request, target};
	return interconnect_region_add(interconnect, name, kind, base, bytes, &target->port, NULL);
}

static void build(const struct interconnect_params *with)
{
	interconnect = interconnect_new(with);
	port = (struct sim_port){interconnect_request, interconnect};
	ram = smmu = accel = (struct target){0};
	ck_assert_int_eq(add("ram", INTERCONNECT_MEMORY, 0x80000000, 0x40000000, &ram), 0);
	ck_assert_int_eq(add("smmu", INTERCONNECT_DEVICE, 0x10000000, 0x20000, &smmu), 0);
	ck_assert_int_eq(add("accel", INTERCONNECT_DEVICE, 0x10020000, 0x10000, &accel), 0);
}

static void setup(void)
{
	build(&params);
}

static void teardown(void)
{
	interconnect_free(interconnect);
}

static const struct decode_case {
	uint64_t addr;
	uint32_t len;
	struct target *target;	     /* NULL: decode error */
	sim_time arrives, completes; /* ns */
} decode_cases[] = {
	{0x80000000, 64, &ram, 0, 0},
	{0xbffff000, 4096, &ram, 0, 0},
	{0x10000000, 4, &smmu, 30, 50},
	{0x1001fff8, 8, &smmu, 30, 50},
	{0x10020000, 8, &accel, 30, 50},
	{0x0ffffffc, 4, NULL, 0, 50},
	{0x10030000, 4, NULL, 0, 50},
	{0xc0000000, 1, NULL, 0, 50},
	{0, 8, NULL, 0, 50},
	{UINT64_MAX, 1, NULL, 0, 50},
	{0x0ffffffc, 8, NULL, 0, 50}, /* begins in nothing, ends in a region */
	{0x1002fffc, 8, NULL, 0, 50}, /* begins in a region, ends in nothing */
	{0x1001fffc, 8, NULL, 0, 50}, /* crosses from one region into the next */
};

static void decode(void *arg)
{
	const struct decode_case *c = arg;
	struct probe probe;
	uint8_t data[4096];

	probe_send(&probe, &port, SIM_READ, c->addr, data, c->len);
	ck_assert_int_eq(probe_wait(&probe), c->target ? SIM_OK : SIM_DECERR);
	ck_assert_uint_eq(probe.completions, 1);
	ck_assert_uint_eq(probe.done_at, SIM_NS(c->completes));
	ck_assert_uint_eq(ram.requests, c->target == &ram);
	ck_assert_uint_eq(smmu.requests, c->target == &smmu);
	ck_assert_uint_eq(accel.requests, c->target == &accel);
	if (!c->target)
		return;
	ck_assert_uint_eq(c->target->arrived, SIM_NS(c->arrives));
	ck_assert_uint_eq(c->target->last->addr, c->addr);
}

START_TEST(test_a_transaction_reaches_the_region_that_holds_it)
{
	run_on_thread(decode, (void *)(uintptr_t)&decode_cases[_i]);
}
END_TEST

static void forwarded(void *arg)
{
	struct probe probe;
	uint8_t data[8];

	(void)arg;
	probe_send(&probe, &port, SIM_READ, 0x80000000, data, 8);
	ck_assert_uint_eq(probe.completions, 1); /* without an event */
	ck_assert_ptr_eq(ram.last, &probe.txn);
}

START_TEST(test_without_latency_the_transaction_itself_is_forwarded)
{
	run_on_thread(forwarded, NULL);
}
END_TEST

static void attributes(void *arg)
{
	uint8_t data[8];
	struct probe probe = {.txn = {.addr = 0x10000008,
				      .len = 8,
				      .cmd = SIM_WRITE,
				      .data = data,
				      .stream_id = 5,
				      .substream_id = 6,
				      .ssv = true,
				      .privileged = true,
				      .requester = 7,
				      .hop = &probe,
				      .done = probe_done}};

	(void)arg;
	probe.txn.owner = &probe;
	smmu.keep = true;
	sim_port_request(&port, &probe.txn);
	sim_thread_sleep(SIM_NS(100));
	const struct sim_txn *seen = smmu.last;

	ck_assert(seen->cmd == SIM_WRITE && seen->data == data && seen->stream_id == 5);
	ck_assert(seen->substream_id == 6 && seen->ssv && seen->privileged && seen->requester == 7);
	sim_txn_complete(smmu.last, SIM_SLVERR);
	ck_assert_int_eq(probe_wait(&probe), SIM_SLVERR);
	ck_assert_uint_eq(probe.done_at, SIM_NS(120));
	ck_assert_ptr_eq(probe.txn.hop, &probe);
}

START_TEST(test_attributes_and_the_targets_answer_come_through)
{
	run_on_thread(attributes, NULL);
}
END_TEST

static void ordering(void *arg)
{
	static struct probe probes[300];
	static uint8_t data[8];

	(void)arg;
	for (unsigned int i = 0; i < 300; i++)
		probe_send(&probes[i], &port, SIM_WRITE, 0x10020000 + i * 8, data, 8);
	for (unsigned int i = 0; i < 300; i++) {
		probe_wait(&probes[i]);
		ck_assert_uint_eq(probes[i].done_at, SIM_NS(50));
	}
	ck_assert_uint_eq(accel.last->addr, 0x10020000 + 299 * 8);
	ck_assert_uint_eq(accel.requests, 300);
}

START_TEST(test_many_in_flight_arrive_in_order)
{
	run_on_thread(ordering, NULL);
}
END_TEST

static const struct {
	uint64_t base, bytes;
	int result;
	const char *other;
} region_cases[] = {
	{0x20000000, 0x1000, 0, NULL},	 {0x0ffff000, 0x1000, 0, NULL},
	{0x7fffffff, 1, 0, NULL},	 {0xc0000000, UINT64_MAX - 0xc0000000 + 1, 0, NULL},
	{0x80000000, 0x1000, -1, "ram"}, {0xbfffffff, 1, -1, "ram"},
	{0x7ffff000, 0x1001, -1, "ram"}, {0x10010000, 0x20000, -1, "smmu"},
	{0, UINT64_MAX, -1, "smmu"},	 {0x20000000, 0, -1, NULL},
	{UINT64_MAX - 10, 12, -1, NULL},
};

START_TEST(test_regions_do_not_overlap)
{
	const char *other = "unset";

	ck_assert_int_eq(interconnect_region_add(interconnect, "new", INTERCONNECT_DEVICE,
						 region_cases[_i].base, region_cases[_i].bytes,
						 &ram.port, &other),
			 region_cases[_i].result);
	ck_assert_pstr_eq(other, region_cases[_i].other);
	ck_assert_pstr_eq(interconnect_region_at(interconnect, 0x20000000), _i == 0 ? "new" : NULL);
	ck_assert_pstr_eq(interconnect_region_at(interconnect, 0x10020000), "accel");
}
END_TEST

static void traffic(void *arg)
{
	uint8_t data[64];

	(void)arg;
	access_port(&port, SIM_READ, 0x80000000, data, 64);
	access_port(&port, SIM_WRITE, 0x80000000, data, 32);
	access_port(&port, SIM_READ, 0x10000000, data, 4);
	access_port(&port, SIM_READ, 0x50000000, data, 4);
}

START_TEST(test_traffic_is_counted_by_region)
{
	static const struct {
		const char *name;
		double value;
	} expected[] = {
		{"bus.ram.reads", 1},  {"bus.ram.writes", 1},  {"bus.ram.bytes", 96},
		{"bus.smmu.reads", 1}, {"bus.accel.reads", 0}, {"bus.decode_errors", 1},
	};
	struct stats *stats = stats_new();
	double value;

	interconnect_register_stats(interconnect, stats, "bus");
	run_on_thread(traffic, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		ck_assert_msg(stats_get(stats, expected[i].name, &value), "%s", expected[i].name);
		ck_assert_msg(value == expected[i].value, "%s is %g", expected[i].name, value);
	}
	stats_free(stats);
}
END_TEST

START_TEST(test_every_parameter_says_what_it_is)
{
	for (size_t i = 0; i < interconnect_param_count; i++) {
		const struct param_desc *desc = &interconnect_param_descs[i];

		ck_assert(desc->help && *desc->help && desc->origin && *desc->origin);
		ck_assert_double_ge((double)desc->def.u, desc->min);
		ck_assert_double_le((double)desc->def.u, desc->max);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("interconnect");
	TCase *tc = tcase_create("interconnect");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_a_transaction_reaches_the_region_that_holds_it, 0,
			    ARRAY_SIZE(decode_cases));
	tcase_add_test(tc, test_without_latency_the_transaction_itself_is_forwarded);
	tcase_add_test(tc, test_attributes_and_the_targets_answer_come_through);
	tcase_add_test(tc, test_many_in_flight_arrive_in_order);
	tcase_add_loop_test(tc, test_regions_do_not_overlap, 0, ARRAY_SIZE(region_cases));
	tcase_add_test(tc, test_traffic_is_counted_by_region);
	tcase_add_test(tc, test_every_parameter_says_what_it_is);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
