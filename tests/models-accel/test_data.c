/* SPDX-License-Identifier: BSD-3-Clause */
/* What engines do with data: copies byte by byte, CRCs, bad requests, failing accesses, bounds. */
#include <stdlib.h>

#include "rig.h"

#define SRC  (RIG_DATA + 0x100000u)
#define DST  (RIG_DATA + 0x2000000u)
#define AREA 0x20000u /* around a destination, to see that nothing else is written */

static struct rig_queue *queue;

/* Submits one request and gives back its SQE as the device left it. */
static struct rig_sqe execute(const struct rig_sqe *sqe)
{
	struct rig_cqe cqe;
	uint32_t index = send(queue, sqe);

	ck_assert(receive(queue, &cqe, SIM_MS(2)));
	ck_assert_uint_eq(cqe.index, index);
	ck_assert_uint_eq(cqe.tag, sqe->tag);
	free_cqes(queue, false);
	return *sqe_at(queue, index);
}

/* ---- copy ------------------------------------------------------------------------------------------- */

static void copy_one(uint32_t source_offset, uint32_t destination_offset, uint32_t length)
{
	const struct rig_sqe sqe = {.opcode = OP_COPY,
				    .length = length,
				    .source = SRC + source_offset,
				    .destination = DST + 0x8000 + destination_offset};
	uint8_t *expected = malloc(AREA);
	struct rig_sqe done;

	fill(SRC, length + 8192, length + source_offset);
	fill(DST, AREA, destination_offset + 1000);
	memcpy(expected, rig.ram + DST, AREA);
	memcpy(expected + 0x8000 + destination_offset, rig.ram + SRC + source_offset, length);
	done = execute(&sqe);
	ck_assert_uint_eq(done.status, 1);
	ck_assert_uint_eq(done.bytes_done, length);
	ck_assert_uint_eq(done.fault_address, 0);
	ck_assert_msg(!memcmp(expected, rig.ram + DST, AREA), "%u -> %u, %u bytes", source_offset,
		      destination_offset, length);
	free(expected);
}

static void body_copy(void)
{
	static const uint32_t offsets[] = {0, 1, 64, 255, 4032, 4095};
	static const uint32_t lengths[] = {1,	2,    63,   64,	  65,	255,
					   257, 4095, 4096, 4097, 8192, 20001};

	enable();
	queue = queue_open(0, 8, 8, 9);
	for (size_t s = 0; s < sizeof(offsets) / sizeof(offsets[0]); s++) {
		for (size_t d = 0; d < sizeof(offsets) / sizeof(offsets[0]); d++) {
			for (size_t n = 0; n < sizeof(lengths) / sizeof(lengths[0]); n++)
				copy_one(offsets[s], offsets[d], lengths[n]);
		}
	}
	ck_assert_uint_eq(rig.longest_burst, rig.params.dma_burst_bytes);
	ck_assert(metric("accel.dma.read_bytes") == metric("accel.dma.write_bytes"));
}

/* The port itself checks that no transaction crosses 4 KiB. */
START_TEST(test_copies_are_exact_at_any_address_and_length)
{
	static const uint32_t bursts[] = {64, 256, 1024, 4096};

	rig_init();
	rig.params.dma_burst_bytes = bursts[_i % 4];
	rig.jitter = 200000;
	rig.immediate = _i >= 4;
	rig_run(body_copy);
}
END_TEST

static void body_bursts(void)
{
	const struct rig_sqe sqe = {
		.opcode = OP_COPY, .length = 8192, .source = SRC, .destination = DST};

	enable();
	queue = queue_open(0, 8, 8, 9);
	ck_assert_uint_eq(execute(&sqe).status, 1);
	ck_assert_uint_eq(rig.data_reads, 8192 / rig.params.dma_burst_bytes);
	ck_assert_uint_eq(rig.data_writes, 8192 / rig.params.dma_burst_bytes);
}

START_TEST(test_aligned_copy_takes_as_many_bursts_as_it_must)
{
	rig_init();
	rig.params.dma_burst_bytes = 64u << _i;
	rig_run(body_bursts);
}
END_TEST

/* ---- CRC-32C ------------------------------------------------------------------------------------------- */

static uint32_t crc_of(uint64_t addr, uint32_t bytes, uint32_t seed)
{
	const struct rig_sqe sqe = {
		.opcode = OP_CRC32C, .length = bytes, .source = addr, .seed = seed};
	struct rig_sqe done = execute(&sqe);

	ck_assert_uint_eq(done.status, 1);
	ck_assert_uint_eq(done.bytes_done, bytes);
	return done.result;
}

/* Bit by bit, as the definition has it. */
static uint32_t crc_reference(uint64_t addr, uint32_t bytes)
{
	uint32_t crc = ~0u;

	for (uint32_t i = 0; i < bytes; i++) {
		crc ^= rig.ram[addr + i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

static void body_crc(void)
{
	enable();
	queue = queue_open(0, 8, 8, 9);
	/* RFC 3720 §B.4, and the usual check value */
	ck_assert_uint_eq(crc_of(SRC, 32, 0), 0x8a9136aa);
	memset(rig.ram + SRC, 0xff, 32);
	ck_assert_uint_eq(crc_of(SRC, 32, 0), 0x62a8ab43);
	for (uint32_t i = 0; i < 32; i++)
		rig.ram[SRC + i] = (uint8_t)i;
	ck_assert_uint_eq(crc_of(SRC, 32, 0), 0x46dd794e);
	for (uint32_t i = 0; i < 32; i++)
		rig.ram[SRC + i] = (uint8_t)(31 - i);
	ck_assert_uint_eq(crc_of(SRC, 32, 0), 0x113fdb5c);
	memcpy(rig.ram + SRC + 5, "123456789", 9);
	ck_assert_uint_eq(crc_of(SRC + 5, 9, 0), 0xe3069283);

	fill(SRC, 100000, 7);
	ck_assert_uint_eq(crc_of(SRC + 3, 99990, 0), crc_reference(SRC + 3, 99990));
	/* in two pieces */
	ck_assert_uint_eq(crc_of(SRC + 5003, 94990, crc_of(SRC + 3, 5000, 0)),
			  crc_reference(SRC + 3, 99990));
	ck_assert_uint_eq(rig.data_writes, 0);
}

/* With jitter the bursts arrive out of order and must still be taken in order. */
START_TEST(test_crc32c_gives_known_answers)
{
	rig_init();
	rig.jitter = _i ? 2000000 : 0;
	rig_run(body_crc);
}
END_TEST

/* ---- bad requests ----------------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct rig_sqe sqe;
	uint32_t status;
} bad_sqes[] = {
	{"opcode 0", {.opcode = 0, .length = 64}, 0x81},
	{"opcode 3", {.opcode = 3, .length = 64}, 0x81},
	{"opcode before flags", {.opcode = 99, .flags = 1, .length = 0}, 0x81},
	{"flags", {.opcode = 1, .flags = 0x80, .length = 64}, 0x83},
	{"reserved at 28", {.opcode = 1, .length = 64, .reserved_28 = 1}, 0x83},
	{"reserved at 56", {.opcode = 2, .length = 64, .reserved_56 = 1ull << 63}, 0x83},
	{"length 0", {.opcode = 1, .length = 0}, 0x82},
	{"length beyond the limit", {.opcode = 2, .length = (1u << 20) + 1}, 0x82},
	{"source wraps", {.opcode = 2, .length = 64, .source = UINT64_MAX - 62}, 0x82},
	{"destination wraps",
	 {.opcode = 1, .length = 64, .source = SRC, .destination = UINT64_MAX - 62},
	 0x82},
	{"source nowhere",
	 {.opcode = 1, .length = 64, .source = 1ull << 40, .destination = DST},
	 0x91},
	{"destination nowhere",
	 {.opcode = 1, .length = 64, .source = SRC, .destination = 1ull << 40},
	 0x92},
	{"last byte of all", {.opcode = 2, .length = 64, .source = UINT64_MAX - 63}, 0x91},
};

static void body_bad_sqes(void)
{
	const struct rig_sqe good = {
		.opcode = OP_COPY, .length = 64, .source = SRC, .destination = DST};

	enable();
	queue = queue_open(0, 8, 8, 9);
	for (size_t i = 0; i < sizeof(bad_sqes) / sizeof(bad_sqes[0]); i++) {
		struct rig_sqe done = execute(&bad_sqes[i].sqe);

		ck_assert_msg(done.status == bad_sqes[i].status, "%s: %#x", bad_sqes[i].what,
			      done.status);
		ck_assert_uint_eq(done.bytes_done, 0);
		if (done.status == 0x91)
			ck_assert_uint_eq(done.fault_address, bad_sqes[i].sqe.source);
		if (done.status == 0x92)
			ck_assert_uint_eq(done.fault_address, bad_sqes[i].sqe.destination);
		ck_assert_uint_eq(execute(&good).status, 1);
	}
	ck_assert(metric("accel.requests.by_status.bad_opcode") == 3);
	ck_assert(metric("accel.requests.by_status.reserved_field") == 3);
	ck_assert(metric("accel.requests.by_status.bad_length") == 4);
	ck_assert(metric("accel.requests.by_status.read_failed") == 2);
	ck_assert(metric("accel.requests.by_status.write_failed") == 1);
}

START_TEST(test_bad_requests_end_with_their_status)
{
	rig_init();
	rig.params.length_max_bytes = 1u << 20;
	rig_run(body_bad_sqes);
}
END_TEST

static void body_no_engine(void)
{
	const struct rig_sqe sqe = {.opcode = OP_CRC32C, .length = 64, .source = SRC};

	ck_assert_uint_eq(mmio_read(0x08, 4), 1);
	enable();
	queue = queue_open(0, 8, 8, 9);
	ck_assert_uint_eq(execute(&sqe).status, 0x81);
}

START_TEST(test_opcode_without_an_engine_is_a_bad_opcode)
{
	rig_init();
	rig.params.engines_crc32c = 0;
	rig_run(body_no_engine);
}
END_TEST

/* ---- failing accesses ------------------------------------------------------------------------------------------ */

static void body_partial(void)
{
	const struct rig_sqe copy = {
		.opcode = OP_COPY, .length = 32768, .source = SRC, .destination = DST};
	const struct rig_sqe crc = {.opcode = OP_CRC32C, .length = 32768, .source = SRC};
	struct rig_sqe done;

	enable();
	queue = queue_open(0, 8, 8, 9);
	fill(SRC, 32768, 3);
	/* all before the failed access is done */
	rig.fail_from = SRC + 12288;
	rig.fail_to = SRC + 20480;
	done = execute(&copy);
	ck_assert_uint_eq(done.status, 0x91);
	ck_assert_uint_eq(done.fault_address, SRC + 12288);
	ck_assert_uint_eq(done.bytes_done, 12288);
	ck_assert_mem_eq(rig.ram + SRC, rig.ram + DST, 12288);
	done = execute(&crc);
	ck_assert_uint_eq(done.status, 0x91);
	ck_assert_uint_eq(done.bytes_done, 12288);
	ck_assert_uint_eq(done.result, crc_reference(SRC, 12288));
	memset(rig.ram + DST, 0, 32768);
	rig.fail_from = DST + 4096;
	rig.fail_to = DST + 8192;
	done = execute(&copy);
	ck_assert_uint_eq(done.status, 0x92);
	ck_assert_uint_eq(done.fault_address, DST + 4096);
	ck_assert_uint_eq(done.bytes_done, 4096);
	ck_assert_mem_eq(rig.ram + SRC, rig.ram + DST, 4096);
	/* nothing is left behind */
	rig.fail_to = 0;
	ck_assert_uint_eq(execute(&copy).status, 1);
	ck_assert_mem_eq(rig.ram + SRC, rig.ram + DST, 32768);
	ck_assert(wait_idle(SIM_US(1)));
	ck_assert_uint_eq(rig.data_outstanding, 0);
}

START_TEST(test_failed_access_ends_the_request_where_it_failed)
{
	rig_init();
	rig.jitter = _i & 1 ? 1000000 : 0;
	rig.params.engine_buffers = _i & 2 ? 2 : 16;
	rig.immediate = _i == 4;
	rig_run(body_partial);
}
END_TEST

/* ---- bounds and policies ------------------------------------------------------------------------------------------ */

static void body_bounds(void)
{
	struct rig_sqe sqe = {
		.opcode = OP_COPY, .length = 65536, .source = SRC, .destination = DST};
	struct rig_cqe cqe;

	rig.delay = SIM_US(2);
	enable();
	queue = queue_open(0, 32, 32, 9);
	for (int i = 0; i < 12; i++)
		put(queue, &sqe);
	doorbell(DB_SQ, 0, 12, 0);
	for (int i = 0; i < 12; i++)
		ck_assert(receive(queue, &cqe, SIM_MS(20)));
	ck_assert_uint_eq(rig.data_max, rig.params.dma_outstanding);
	ck_assert(metric("accel.dma.max_outstanding") == rig.params.dma_outstanding);
	ck_assert_uint_le(rig.ring_max, rig.params.ring_outstanding);
}

START_TEST(test_outstanding_transactions_reach_and_keep_their_bound)
{
	static const uint32_t bounds[] = {1, 7, 64};

	rig_init();
	rig.params.dma_outstanding = bounds[_i];
	rig.params.ring_outstanding = 2;
	rig_run(body_bounds);
}
END_TEST

static void body_buffers(void)
{
	const struct rig_sqe sqe = {
		.opcode = OP_COPY, .length = 65536, .source = SRC, .destination = DST};

	enable();
	queue = queue_open(0, 8, 8, 9);
	ck_assert_uint_eq(execute(&sqe).status, 1);
	ck_assert_uint_eq(rig.data_max, 3);
}

START_TEST(test_one_request_has_its_buffers_and_no_more)
{
	rig_init();
	rig.params.engine_buffers = 3;
	rig_run(body_buffers);
}
END_TEST

/* A long copy is limited by the engine's data path: 16 bytes a nanosecond. */
static void body_rate(void)
{
	const struct rig_sqe sqe = {
		.opcode = OP_COPY, .length = 1u << 20, .source = SRC, .destination = DST};
	struct rig_cqe cqe;
	sim_time begin, expected = SIM_NS(8 * (1u << 20) / 16);

	rig.delay = SIM_NS(50);
	enable();
	queue = queue_open(0, 16, 16, 9);
	for (int i = 0; i < 8; i++)
		put(queue, &sqe);
	begin = sim_now();
	doorbell(DB_SQ, 0, 8, 0);
	for (int i = 0; i < 8; i++)
		ck_assert(receive(queue, &cqe, SIM_MS(20)));
	ck_assert_uint_ge(sim_now() - begin, expected);
	ck_assert_uint_le(sim_now() - begin, expected * 101 / 100);
}

START_TEST(test_throughput_is_the_engines_rate)
{
	rig_init();
	rig.params.engines_copy = 1;
	rig_run(body_rate);
}
END_TEST

static void body_stall(void)
{
	const struct rig_sqe stalls = {
		.opcode = OP_COPY, .length = 4096, .source = SRC, .destination = DST};
	const struct rig_sqe goes = {.opcode = OP_COPY,
				     .length = 4096,
				     .source = SRC + 65536,
				     .destination = DST + 65536};
	struct rig_queue *other;
	struct rig_cqe cqe;

	enable();
	queue = queue_open(0, 64, 64, 9);
	other = queue_open(1, 64, 64, 10);
	fill(SRC, 4096, 5);
	rig.stall_from = SRC;
	rig.stall_to = SRC + 4096;
	send(queue, &stalls);
	wait_ns(5000);
	ck_assert_uint_eq(rig.stalled, 16);
	for (int i = 0; i < 50; i++) {
		send(other, &goes);
		ck_assert(receive(other, &cqe, SIM_US(10)));
		free_cqes(other, false);
	}
	ck_assert(!receive(queue, &cqe, 0));
	rig_release(SIM_OK);
	ck_assert(receive(queue, &cqe, SIM_US(10)));
	ck_assert_mem_eq(rig.ram + SRC, rig.ram + DST, 4096);
}

START_TEST(test_stalled_request_does_not_hold_up_other_queues)
{
	rig_init();
	rig_run(body_stall);
}
END_TEST

/* A queue whose requests all stall keeps its own SQE buffers, not everybody's. */
static void body_stalled_queue(void)
{
	const struct rig_sqe stalls = {
		.opcode = OP_COPY, .length = 256, .source = SRC, .destination = DST};
	const struct rig_sqe crc = {.opcode = OP_CRC32C, .length = 256, .source = SRC + 65536};
	struct rig_queue *other;
	struct rig_cqe cqe;

	enable();
	queue = queue_open(0, 256, 256, 9);
	other = queue_open(1, 8, 8, 10);
	rig.stall_from = SRC;
	rig.stall_to = SRC + 4096;
	for (int i = 0; i < 200; i++)
		put(queue, &stalls);
	doorbell(DB_SQ, 0, 200, 0);
	wait_ns(20000);
	ck_assert_uint_eq(rig.stalled, 8);
	send(other, &crc);
	ck_assert(receive(other, &cqe, SIM_US(10)));
	rig_release(SIM_OK);
	for (int i = 0; i < 200; i++)
		ck_assert(receive(queue, &cqe, SIM_US(20)));
}

START_TEST(test_queue_full_of_stalled_requests_leaves_room_for_others)
{
	rig_init();
	rig_run(body_stalled_queue);
}
END_TEST

Suite *data_suite(void)
{
	Suite *suite = suite_create("data");
	TCase *tc = tcase_create("data");

	tcase_add_loop_test(tc, test_copies_are_exact_at_any_address_and_length, 0, 5);
	tcase_add_loop_test(tc, test_aligned_copy_takes_as_many_bursts_as_it_must, 0, 7);
	tcase_add_loop_test(tc, test_crc32c_gives_known_answers, 0, 2);
	tcase_add_test(tc, test_bad_requests_end_with_their_status);
	tcase_add_test(tc, test_opcode_without_an_engine_is_a_bad_opcode);
	tcase_add_loop_test(tc, test_failed_access_ends_the_request_where_it_failed, 0, 5);
	tcase_add_loop_test(tc, test_outstanding_transactions_reach_and_keep_their_bound, 0, 3);
	tcase_add_test(tc, test_one_request_has_its_buffers_and_no_more);
	tcase_add_test(tc, test_throughput_is_the_engines_rate);
	tcase_add_test(tc, test_stalled_request_does_not_hold_up_other_queues);
	tcase_add_test(tc, test_queue_full_of_stalled_requests_leaves_room_for_others);
	suite_add_tcase(suite, tc);
	return suite;
}
