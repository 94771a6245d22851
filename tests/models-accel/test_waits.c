/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a request waited for: the vectors sum to the time from doorbell to completion (the rig checks every
 * one), and each wait is under its cause.
 */
#include "rig.h"

#define SRC (RIG_DATA + 0x100000u)
#define DST (RIG_DATA + 0x2000000u)

static void expect(enum wait_cause cause, sim_time ps)
{
	ck_assert_msg(rig.last_waits.ps[cause] == ps, "%u: %llu ps, expected %llu", cause,
		      (unsigned long long)rig.last_waits.ps[cause], (unsigned long long)ps);
}

static void one(struct rig_queue *q, const struct rig_sqe *sqe)
{
	struct rig_cqe cqe;

	send(q, sqe);
	ck_assert(receive(q, &cqe, SIM_MS(5)));
	wait_ns(500);
	free_cqes(q, false);
}

/* ---- one request on an idle machine: every picosecond -------------------------------------------------- */

static void body_idle(void)
{
	const struct rig_sqe copy = {
		.opcode = OP_COPY, .length = 4096, .source = SRC, .destination = DST};
	const struct rig_sqe bad = {.opcode = 77, .length = 64};
	struct rig_queue *q;

	enable();
	q = queue_open(0, 8, 8, 9);
	one(q, &copy);
	expect(WAIT_QUEUE, SIM_NS(5));
	/* set-up, then 16 bursts that arrive together pass the data path one by one */
	expect(WAIT_COMPUTE, SIM_NS(20 + 256));
	/* SQE, read, write, status, CQE */
	expect(WAIT_MEMORY, SIM_NS(500));
	ck_assert_uint_eq(waits_sum(&rig.last_waits), SIM_NS(5 + 276 + 500));
	/* one that no engine sees */
	one(q, &bad);
	expect(WAIT_MEMORY, SIM_NS(300));
	ck_assert_uint_eq(waits_sum(&rig.last_waits), SIM_NS(305));
	/* what the memory attributes is not counted again */
	rig.attribute = true;
	one(q, &copy);
	expect(WAIT_COMPUTE, SIM_NS(276));
	expect(WAIT_TRANSLATION, SIM_NS(250));
	expect(WAIT_BANDWIDTH, SIM_NS(100));
	expect(WAIT_MEMORY, SIM_NS(150));
}

START_TEST(test_lone_request_waits_for_what_it_must)
{
	rig_init();
	rig_run(body_idle);
}
END_TEST

static void body_dma_slot(void)
{
	const struct rig_sqe copy = {
		.opcode = OP_COPY, .length = 512, .source = SRC, .destination = DST};
	struct rig_queue *q;

	enable();
	q = queue_open(0, 8, 8, 9);
	one(q, &copy);
	/* read, read; the first write waits for the second read, the second write for the first */
	expect(WAIT_DMA_SLOT, SIM_NS(100 + 84));
	expect(WAIT_MEMORY, SIM_NS(500));
	expect(WAIT_COMPUTE, SIM_NS(20 + 16));
}

START_TEST(test_scarce_dma_slots_are_waited_for)
{
	rig_init();
	rig.params.dma_outstanding = 1;
	rig_run(body_dma_slot);
}
END_TEST

static void body_engine(void)
{
	const struct rig_sqe crc = {.opcode = OP_CRC32C, .length = 256, .source = SRC};
	struct rig_queue *q;

	enable();
	q = queue_open(0, 8, 8, 9);
	put(q, &crc);
	put(q, &crc);
	doorbell(DB_SQ, 0, 2, 0);
	wait_ns(5000);
	ck_assert_uint_eq(rig.vectors, 2);
	/* its SQE comes 5 ns after the first one's, which then takes the engine for 136 ns */
	expect(WAIT_ENGINE, SIM_NS(131));
	expect(WAIT_QUEUE, SIM_NS(10));
	expect(WAIT_COMPUTE, SIM_NS(36));
	expect(WAIT_MEMORY, SIM_NS(400));
}

START_TEST(test_busy_engine_is_waited_for)
{
	rig_init();
	rig.params.engines_crc32c = 1;
	rig.params.engine_requests = 1;
	rig_run(body_engine);
}
END_TEST

static void body_fault(void)
{
	const struct rig_sqe copy = {
		.opcode = OP_COPY, .length = 1024, .source = SRC, .destination = DST};
	struct rig_queue *q;
	struct rig_cqe cqe;

	enable();
	q = queue_open(0, 8, 8, 9);
	rig.stall_from = SRC + 512;
	rig.stall_to = SRC + 768;
	send(q, &copy);
	wait_ns(10000);
	ck_assert_uint_eq(rig.stalled, 1);
	rig_release(SIM_OK);
	ck_assert(receive(q, &cqe, SIM_US(5)));
	wait_ns(500);
	/* the other bursts' work is hidden behind the fault */
	ck_assert_uint_gt(rig.last_waits.ps[WAIT_PAGE_FAULT], SIM_US(9));
	expect(WAIT_MEMORY, SIM_NS(400));
	/* in order, the burst behind it had to wait, too */
	expect(WAIT_COMPUTE, SIM_NS(rig.params.fault_blocks == ACCEL_BLOCKS_DMA_PORT ||
						    rig.params.fault_blocks == ACCEL_BLOCKS_ENGINE
					    ? 20 + 32
					    : 20 + 16));
}

START_TEST(test_fault_is_on_the_path_once)
{
	rig_init();
	rig.params.fault_blocks = (uint32_t)_i;
	rig_run(body_fault);
}
END_TEST

static void body_in_order(void)
{
	const struct rig_sqe slow = {
		.opcode = OP_COPY, .length = 64, .source = SRC, .destination = DST};
	const struct rig_sqe fast = {
		.opcode = OP_COPY, .length = 64, .source = SRC + 8192, .destination = DST + 8192};
	struct rig_queue *q;

	enable();
	q = queue_open(0, 8, 8, 9);
	rig.stall_from = SRC;
	rig.stall_to = SRC + 64;
	put(q, &slow);
	put(q, &fast);
	doorbell(DB_SQ, 0, 2, 0);
	wait_ns(5000);
	ck_assert_uint_eq(rig.vectors, 0);
	rig_release(SIM_OK);
	wait_ns(5000);
	ck_assert_uint_eq(rig.vectors, 2);
	ck_assert_uint_gt(rig.last_waits.ps[WAIT_QUEUE], SIM_US(4));
	expect(WAIT_PAGE_FAULT, 0);
	expect(WAIT_MEMORY, SIM_NS(500));
}

START_TEST(test_turn_in_a_ring_is_waited_for)
{
	rig_init();
	rig.params.completion = ACCEL_COMPLETION_IN_ORDER;
	rig_run(body_in_order);
}
END_TEST

/* ---- all kinds of requests on all kinds of machines --------------------------------------------------- */

#define MIX_QUEUES   5u
#define MIX_REQUESTS 60u

static const struct {
	const char *what;
	uint32_t dma_outstanding, ring_outstanding, engines, engine_requests, engine_buffers, burst;
	uint32_t sqe_prefetch, sqe_buffers, completion, fault_blocks, arbitration;
	bool immediate;
} machines[] = {
	{"as it comes", 64, 32, 4, 2, 16, 256, 8, 64, 0, 0, 0, false},
	{"no latency", 64, 32, 4, 2, 16, 256, 8, 64, 0, 0, 0, true},
	{"one of everything", 1, 1, 1, 1, 1, 64, 1, 1, 0, 0, 1, false},
	{"few DMA slots", 3, 32, 4, 2, 16, 256, 8, 64, 0, 0, 2, false},
	{"few ring slots", 64, 2, 64, 4, 4, 4096, 64, 256, 0, 0, 0, false},
	{"in order", 64, 32, 4, 2, 16, 256, 8, 64, 1, 0, 0, false},
	{"in order, few slots", 2, 2, 2, 2, 3, 256, 8, 64, 1, 0, 0, false},
	{"the port waits", 8, 32, 4, 2, 16, 256, 8, 64, 0, 1, 0, false},
	{"the engine waits", 64, 32, 2, 2, 16, 256, 8, 64, 0, 2, 0, false},
	{"the queue waits", 64, 32, 4, 2, 16, 256, 8, 64, 1, 3, 0, false},
};
#define MACHINES (sizeof(machines) / sizeof(machines[0]))

static struct rig_sqe mixed_request(uint32_t n)
{
	static const uint32_t lengths[] = {1, 64, 255, 4096, 4097, 20001, 512, 8192};
	struct rig_sqe sqe = {
		.opcode = n % 3 == 2 ? OP_CRC32C : OP_COPY,
		.length = lengths[n % 8],
		.source = SRC + n * 37 % 4096,
		.destination = DST + (n % 16) * 65536 + n * 101 % 4096,
	};

	if (n % 17 == 5)
		sqe.opcode = 9;
	if (n % 19 == 7)
		sqe.length = 0;
	if (n % 13 == 3)
		sqe.source = SRC + 0x10000; /* refused in part */
	if (n % 11 == 4)
		sqe.source = SRC + 0x20000; /* stalls */
	return sqe;
}

static void drain(uint32_t *received)
{
	for (uint32_t n = 0; n < MIX_QUEUES; n++) {
		struct rig_cqe cqe;

		while (receive(&rig.queues[n], &cqe, 0))
			++*received;
		free_cqes(&rig.queues[n], false);
	}
}

static void body_mix(void)
{
	uint32_t received = 0;

	enable();
	rig.fail_from = SRC + 0x10000 + 3000;
	rig.fail_to = rig.fail_from + 64;
	for (uint32_t n = 0; n < MIX_QUEUES; n++) {
		queue_open(n, 128, 32, 9 + n);
		for (uint32_t i = 0; i < MIX_REQUESTS; i++) {
			struct rig_sqe sqe = mixed_request(n * 7 + i);

			put(&rig.queues[n], &sqe);
			if (i % 4 == 3)
				doorbell(DB_SQ, n, rig.queues[n].tail, n);
		}
	}
	for (int round = 0; received < MIX_QUEUES * MIX_REQUESTS; round++) {
		ck_assert_int_lt(round, 20000);
		rig.stall_from = SRC + 0x20000;
		rig.stall_to = rig.stall_from + 512;
		wait_ns(1000);
		rig_release(round % 7 == 3 ? SIM_SLVERR : SIM_OK);
		wait_ns(4000);
		drain(&received);
	}
	ck_assert(wait_idle(SIM_US(20)));
	ck_assert_uint_eq(rig.vectors, MIX_QUEUES * MIX_REQUESTS);
	ck_assert(metric("accel.dma.utilisation") <= 1);
	ck_assert(metric("accel.engine.copy.utilisation") <= 1);
	ck_assert(metric("accel.engine_slots.copy.utilisation") <= 1);
}

START_TEST(test_waits_sum_to_the_latency)
{
	const size_t machine = (size_t)_i % MACHINES;

	rig_init();
	rig.params.dma_outstanding = machines[machine].dma_outstanding;
	rig.params.ring_outstanding = machines[machine].ring_outstanding;
	rig.params.engines_copy = rig.params.engines_crc32c = machines[machine].engines;
	rig.params.engine_requests = machines[machine].engine_requests;
	rig.params.engine_buffers = machines[machine].engine_buffers;
	rig.params.dma_burst_bytes = machines[machine].burst;
	rig.params.sqe_prefetch = machines[machine].sqe_prefetch;
	rig.params.sqe_buffers = machines[machine].sqe_buffers;
	rig.params.completion = machines[machine].completion;
	rig.params.fault_blocks = machines[machine].fault_blocks;
	rig.params.arbitration = machines[machine].arbitration;
	rig.immediate = machines[machine].immediate;
	rig.attribute = (size_t)_i >= MACHINES;
	rig.jitter = (size_t)_i >= MACHINES ? 777777 : 0;
	rig_run(body_mix);
}
END_TEST

/* ---- resources, where they bind ------------------------------------------------------------------------- */

static sim_time run_copies(uint32_t requests, uint32_t length)
{
	const struct rig_sqe copy = {
		.opcode = OP_COPY, .length = length, .source = SRC, .destination = DST};
	struct rig_queue *q = queue_open(0, 256, 256, 9);
	struct rig_cqe cqe;
	sim_time begin;

	for (uint32_t i = 0; i < requests; i++)
		put(q, &copy);
	begin = sim_now();
	doorbell(DB_SQ, 0, requests, 0);
	for (uint32_t i = 0; i < requests; i++)
		ck_assert(receive(q, &cqe, SIM_MS(20)));
	return sim_now() - begin;
}

static void within(double value, double expected, double tolerance)
{
	ck_assert_msg(value > expected * (1 - tolerance) && value < expected * (1 + tolerance),
		      "%g, expected %g", value, expected);
}

/* Little: four slots, each held for 1 us, move 256 bytes in and out. */
static void body_dma_bound(void)
{
	sim_time took;

	rig.delay = SIM_US(1);
	enable();
	took = run_copies(100, 8192);
	within((double)took, 100.0 * 8192 / 256 * 2 / 4 * 1e6, 0.05);
	within(metric("accel.dma.busy_ps"), 100.0 * 32 * 2 * 1e6, 0.001);
	within(metric("accel.dma.utilisation") * (double)sim_now() / (double)took, 1, 0.05);
	ck_assert(metric("accel.dma.queue_mean") > 1);
}

START_TEST(test_dma_slots_bind_as_little_says)
{
	rig_init();
	rig.params.dma_outstanding = 4;
	rig_run(body_dma_bound);
}
END_TEST

static void body_engine_bound(void)
{
	sim_time took;

	enable();
	took = run_copies(100, 8192);
	within((double)took, 100.0 * 8192 / 4 * 1e3, 0.05);
	within(metric("accel.engine.copy.busy_ps"), 100.0 * 8192 / 4 * 1e3, 0.001);
	within((double)rig.waits.ps[WAIT_COMPUTE] / 100, 8192 / 4 * 1e3, 0.5);
}

START_TEST(test_engines_bind_at_their_rate)
{
	rig_init();
	rig.params.engines_copy = 1;
	rig.params.copy_bytes_per_cycle = 4;
	rig_run(body_engine_bound);
}
END_TEST

Suite *waits_suite(void)
{
	Suite *suite = suite_create("waits");
	TCase *tc = tcase_create("waits");

	tcase_add_test(tc, test_lone_request_waits_for_what_it_must);
	tcase_add_test(tc, test_scarce_dma_slots_are_waited_for);
	tcase_add_test(tc, test_busy_engine_is_waited_for);
	tcase_add_loop_test(tc, test_fault_is_on_the_path_once, 0, 4);
	tcase_add_test(tc, test_turn_in_a_ring_is_waited_for);
	tcase_add_loop_test(tc, test_waits_sum_to_the_latency, 0, 2 * (int)MACHINES);
	tcase_add_test(tc, test_dma_slots_bind_as_little_says);
	tcase_add_test(tc, test_engines_bind_at_their_rate);
	suite_add_tcase(suite, tc);
	return suite;
}
