/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages that the device touches first: SMMU stall, event, the driver, io-pgfault,
 * handle_mm_fault(), CMD_RESUME, retry; and addresses that no fault handler can serve, which end in
 * CMD_RESUME with abort and an error in the request.
 */
#include <string.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

/* ---- first touch ----------------------------------------------------------------------------- */

#define BLOCK 65536u

static void copy_in_blocks(struct raw_queue *q, uint64_t source, uint64_t destination,
			   uint64_t bytes)
{
	struct raw_sqe answer;

	for (uint64_t at = 0; at < bytes; at += BLOCK)
		raw_push_copy(q, source + at, destination + at, BLOCK);
	raw_ring(q);
	for (uint64_t at = 0; at < bytes; at += BLOCK) {
		expect(raw_pop(q, &answer, 100000));
		expect_eq(answer.status, RAW_STATUS_OK);
		expect_eq(answer.done, BLOCK);
	}
}

static void touch_a_mebibyte_first(void *arg)
{
	struct raw_queue q;
	uint64_t source, destination;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	source = (uint64_t)sys_map(0, MEBIBYTE, SYS_PROT_RW);
	destination = (uint64_t)sys_map(0, MEBIBYTE, SYS_PROT_RW);
	copy_in_blocks(&q, source, destination, MEBIBYTE);
	expect(zeros_are(source, MEBIBYTE));
	expect(zeros_are(destination, MEBIBYTE));
	raw_close(&q);
}

static void check_first_touch(const char *burst, double pages)
{
	struct platform *p = scenario_passes(&(struct scenario){touch_a_mebibyte_first, {burst}});

	ck_assert_double_ge(metric(p, "accel.dma.max_outstanding"), 8);
	ck_assert_double_eq(metric(p, "faults.ptes_installed"), pages);
	ck_assert_double_eq(metric(p, "kernel.zero_page_maps"), pages / 2);
	/* Several transactions may find the same page missing before it is there */
	ck_assert_double_ge(metric(p, "faults.stall_events"), pages);
	ck_assert_double_eq(metric(p, "faults.handled"), metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "faults.aborted"), 0);
	ck_assert_double_eq(metric(p, "smmu.stalls.taken"), metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "smmu.commands.resume"), metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "smmu.events.f_translation"),
			    metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "requests.bytes"), MEBIBYTE);
}

START_TEST(test_short_bursts_install_each_page_once)
{
	check_first_touch("accel.dma_burst_bytes=256", 512);
}
END_TEST

START_TEST(test_page_bursts_install_each_page_once)
{
	check_first_touch("accel.dma_burst_bytes=4096", 512);
}
END_TEST

static void fault_destination_in(void *arg)
{
	struct raw_queue q;
	uint64_t source, destination;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	source = (uint64_t)sys_map(0, MEBIBYTE, SYS_PROT_RW);
	destination = (uint64_t)sys_map(0, MEBIBYTE, SYS_PROT_RW);
	pattern_write(source, MEBIBYTE, 3);
	copy_in_blocks(&q, source, destination, MEBIBYTE);
	expect(pattern_is(destination, MEBIBYTE, 3));
	expect(pattern_is(source, MEBIBYTE, 3));
	raw_close(&q);
}

START_TEST(test_pages_that_the_program_has_touched_do_not_fault)
{
	struct platform *p = scenario_passes(&(struct scenario){fault_destination_in, {NULL}});

	ck_assert_double_eq(metric(p, "faults.ptes_installed"), 256);
	ck_assert_double_eq(metric(p, "kernel.zero_page_maps"), 0);
}
END_TEST

/* A read maps the zero page; the first write after it, whoever makes it, gets a page of its own */
static void write_after_read(void *arg)
{
	struct raw_queue q;
	uint64_t source, by_device, by_cpu, sink;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	source = raw_pages(1);
	by_device = raw_pages(1);
	by_cpu = raw_pages(1);
	sink = raw_pages(1);
	pattern_write(source, PAGE, 1);
	expect_eq(raw_copy(&q, by_device, sink, PAGE), RAW_STATUS_OK);
	expect_eq(raw_copy(&q, by_cpu, sink, PAGE), RAW_STATUS_OK);
	expect_eq(metric_now("kernel.zero_page_maps"), 2);
	expect(zeros_are(sink, PAGE));

	expect_eq(metric_now("smmu.events.f_permission"), 0);
	expect_eq(raw_copy(&q, source, by_device, PAGE), RAW_STATUS_OK);
	expect(metric_now("smmu.events.f_permission") > 0);
	expect(pattern_is(by_device, PAGE, 1));
	expect(zeros_are(by_cpu, PAGE));

	/* The device has the zero page in its TLB: it must be told */
	pattern_write(by_cpu, PAGE, 2);
	expect_eq(raw_copy(&q, by_cpu, sink, PAGE), RAW_STATUS_OK);
	expect(pattern_is(sink, PAGE, 2));
	raw_close(&q);
}

START_TEST(test_write_after_read_leaves_the_zero_page)
{
	struct platform *p = scenario_passes(&(struct scenario){write_after_read, {NULL}});

	/* by_device twice, by_cpu, sink */
	ck_assert_double_eq(metric(p, "faults.ptes_installed"), 4);
	ck_assert_double_ge(metric(p, "smmu.commands.tlbi_nh_va"), 2);
}
END_TEST

/* ---- odd lengths and places ------------------------------------------------------------------ */

#define GUARD 64u

struct odd_copy {
	unsigned int source, destination, length; /* offsets in a page */
};

static const struct odd_copy odd_copies[] = {
	{0, 0, 1},	    {4095, 0, 1},      {0, 4095, 1},	{4095, 4095, 2}, {1, 4095, 2},
	{4095, 1, 8193},    {100, 200, 12293}, {255, 257, 511}, {64, 63, 4096},	 {4032, 32, 4160},
	{2048, 2048, 4096}, {1, 0, 16383},     {3, 5, 65521},
};

static void copy_oddly(struct raw_queue *q, const struct odd_copy *c, unsigned int seed)
{
	const unsigned int pages = (c->length + 4095) / 4096 + 3;
	uint64_t source = raw_pages(pages), destination = raw_pages(pages);
	uint64_t from = source + c->source, to = destination + PAGE + c->destination;

	pattern_write(from, c->length, seed);
	expect_eq(raw_copy(q, from, to, c->length), RAW_STATUS_OK);
	expect(pattern_is(to, c->length, seed));
	/* Where the neighbours' pages are there at all */
	expect(zeros_are(to - c->destination % GUARD, c->destination % GUARD));
	expect(zeros_are(to + c->length, -(to + c->length) % GUARD));
	sys_unmap(source, pages * PAGE);
	sys_unmap(destination, pages * PAGE);
}

static void copy_odd_ranges(void *arg)
{
	struct raw_queue q;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	for (unsigned int i = 0; i < sizeof(odd_copies) / sizeof(odd_copies[0]); i++)
		copy_oddly(&q, &odd_copies[i], i + 1);
	raw_close(&q);
}

START_TEST(test_odd_ranges_copy_exactly_their_bytes)
{
	static const char *const bursts[] = {"accel.dma_burst_bytes=64",
					     "accel.dma_burst_bytes=256",
					     "accel.dma_burst_bytes=4096"};

	scenario_passes(&(struct scenario){copy_odd_ranges, {bursts[_i]}});
}
END_TEST

static uint32_t crc32c(uint32_t crc, uint64_t va, unsigned int length)
{
	uint8_t byte;

	crc = ~crc;
	for (unsigned int i = 0; i < length; i++) {
		if (!prog_verify_read(&byte, va + i, 1))
			return 0;
		crc ^= byte;
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void checksum_ranges(void *arg)
{
	static const char digits[] = "123456789";
	struct raw_queue q;
	struct raw_sqe answer, request = {.opcode = RAW_CRC32C, .tag = 0x1234};
	uint64_t data = raw_pages(8);

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	prog_write(data + PAGE - 4, digits, 9);
	request.source = data + PAGE - 4;
	request.length = 9;
	expect(raw_run(&q, &request, &answer));
	expect_eq(answer.status, RAW_STATUS_OK);
	expect_eq(answer.result, 0xe3069283u);
	expect_eq(answer.tag, 0x1234);

	pattern_write(data, 8 * PAGE, 5);
	for (unsigned int i = 0; i < sizeof(odd_copies) / sizeof(odd_copies[0]); i++) {
		request.source = data + odd_copies[i].source;
		request.length = odd_copies[i].length % 20000;
		request.seed = i;
		expect(raw_run(&q, &request, &answer));
		expect_eq(answer.status, RAW_STATUS_OK);
		expect_eq(answer.result, crc32c(i, request.source, request.length));
	}
	raw_close(&q);
}

START_TEST(test_checksums_are_castagnolis)
{
	scenario_passes(&(struct scenario){checksum_ranges, {NULL}});
}
END_TEST

/* ---- faults that nobody can serve ------------------------------------------------------------ */

enum place {
	PLACE_MAPPED,
	PLACE_NOTHING,	 /* no VMA */
	PLACE_NONE,	 /* PROT_NONE */
	PLACE_READ_ONLY, /* never touched */
	PLACE_READ_ONLY_PRESENT,
	PLACE_ZERO, /* the null page */
	PLACE_KERNEL,
	PLACE_NOT_CANONICAL,
	PLACE_LAST, /* the last page of the lower half, where no process may map */
	PLACE_COUNT
};

static uint64_t make_place(enum place place)
{
	uint64_t va;

	switch (place) {
	case PLACE_NONE:
		return (uint64_t)sys_map(0, PAGE, SYS_PROT_NONE);
	case PLACE_READ_ONLY:
		return (uint64_t)sys_map(0, PAGE, SYS_PROT_READ);
	case PLACE_READ_ONLY_PRESENT:
		va = raw_pages(1);
		pattern_write(va, PAGE, 9);
		sys_protect(va, PAGE, SYS_PROT_READ);
		return va;
	case PLACE_NOTHING:
		va = raw_pages(1);
		sys_unmap(va, PAGE);
		return va;
	case PLACE_KERNEL:
		return 0xffff800000000000ull;
	case PLACE_NOT_CANONICAL:
		return 0x0001000000000000ull;
	case PLACE_LAST:
		return 0x0000fffffffff000ull;
	case PLACE_ZERO:
		return 0;
	default:
		va = raw_pages(1);
		pattern_write(va, PAGE, 4);
		return va;
	}
}

static void expect_abort(struct raw_queue *q, uint64_t source, uint64_t destination, bool write)
{
	const struct raw_sqe request = {
		.opcode = RAW_COPY, .length = PAGE, .source = source, .destination = destination};
	struct raw_sqe answer;

	expect(raw_run(q, &request, &answer));
	expect_eq(answer.status, write ? RAW_STATUS_WRITE_FAILED : RAW_STATUS_READ_FAILED);
	expect_eq(answer.fault_address, write ? destination : source);
	expect_eq(answer.done, 0);
}

static void ask_for_the_impossible(void *arg)
{
	struct raw_queue q, other;
	uint64_t good = make_place(PLACE_MAPPED), place, sink = raw_pages(1);

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(raw_queue_new(&other, 0), 0);
	q.errors_expected = true;
	for (enum place i = PLACE_NOTHING; i < PLACE_COUNT; i++) {
		place = make_place(i);
		if (i != PLACE_READ_ONLY && i != PLACE_READ_ONLY_PRESENT)
			expect_abort(&q, place, sink, false);
		expect_abort(&q, good, place, true);
		if (i == PLACE_READ_ONLY_PRESENT)
			expect(pattern_is(place, PAGE, 9));
		/* Neither this queue nor another one is worse off */
		expect_eq(raw_copy(&q, good, sink, PAGE), RAW_STATUS_OK);
		expect_eq(raw_copy(&other, good, sink, PAGE), RAW_STATUS_OK);
		expect(pattern_is(sink, PAGE, 4));
	}
	raw_close(&q);
	raw_close(&other);
}

START_TEST(test_impossible_addresses_fail_their_request_only)
{
	const unsigned int aborts = 2 * (PLACE_COUNT - 1) - 2;
	struct platform *p = scenario_passes(&(struct scenario){ask_for_the_impossible, {NULL}});
	double failed = metric(p, "accel.requests.by_status.read_failed") +
			metric(p, "accel.requests.by_status.write_failed");

	ck_assert_double_eq(failed, aborts);
	ck_assert_double_ge(metric(p, "faults.aborted"), aborts);
	ck_assert_double_eq(metric(p, "faults.aborted") + metric(p, "faults.handled"),
			    metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "smmu.commands.resume"), metric(p, "faults.stall_events"));
	ck_assert_double_eq(metric(p, "kernel.segfaults"), 0);
	ck_assert_double_eq(metric(p, "accel.requests.by_status.success"), 2 * (PLACE_COUNT - 1));
}
END_TEST

/* A hole in the middle: what lies before it is done and told */
static void run_into_a_hole(void *arg)
{
	struct raw_queue q;
	struct raw_sqe answer, request = {.opcode = RAW_COPY, .length = 6 * PAGE - 100};
	uint64_t source = raw_pages(6), destination = raw_pages(6);

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	pattern_write(source, 6 * PAGE, 1);
	expect_eq(sys_unmap(destination + 4 * PAGE, PAGE), 0);
	request.source = source + 100;
	request.destination = destination;
	expect(raw_run(&q, &request, &answer));
	expect_eq(answer.status, RAW_STATUS_WRITE_FAILED);
	expect_eq(answer.fault_address, destination + 4 * PAGE);
	expect_eq(answer.done, 4 * PAGE);
	expect_eq(raw_copy(&q, source, destination, 4 * PAGE), RAW_STATUS_OK);
	expect(pattern_is(destination, 4 * PAGE, 1));

	expect_eq(sys_protect(source + 2 * PAGE, PAGE, SYS_PROT_NONE), 0);
	request.source = source;
	request.length = 4 * PAGE;
	expect(raw_run(&q, &request, &answer));
	expect_eq(answer.status, RAW_STATUS_READ_FAILED);
	expect_eq(answer.fault_address, source + 2 * PAGE);
	expect_eq(answer.done, 2 * PAGE);
	expect_eq(sys_protect(source + 2 * PAGE, PAGE, SYS_PROT_RW), 0);
	expect_eq(raw_copy(&q, source, destination, 4 * PAGE), RAW_STATUS_OK);
	raw_close(&q);
}

START_TEST(test_request_tells_where_it_failed)
{
	static const char *const bursts[] = {"accel.dma_burst_bytes=256",
					     "accel.dma_burst_bytes=4096"};

	scenario_passes(&(struct scenario){run_into_a_hole, {bursts[_i]}});
}
END_TEST

/* An error that the program did not expect makes the run fail, with a line that says so */
static void fail_once(void *arg)
{
	struct raw_queue q;
	uint64_t sink = raw_pages(1);

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	expect_eq(raw_copy(&q, 0, sink, 64), RAW_STATUS_READ_FAILED);
	raw_close(&q);
}

START_TEST(test_unexpected_error_fails_the_run)
{
	struct platform_result result;
	struct platform *p = scenario_run(&(struct scenario){fail_once, {NULL}}, &result);

	ck_assert_int_eq(result.status, PLATFORM_WORKLOAD_FAILED);
	ck_assert_ptr_nonnull(strstr(result.reason, "1 requests failed"));
	ck_assert_double_eq(metric(p, "requests.errors"), 1);
}
END_TEST

SCENARIO_SUITE("fault", {test_short_bursts_install_each_page_once, 1},
	       {test_page_bursts_install_each_page_once, 1},
	       {test_pages_that_the_program_has_touched_do_not_fault, 1},
	       {test_write_after_read_leaves_the_zero_page, 1},
	       {test_odd_ranges_copy_exactly_their_bytes, 3}, {test_checksums_are_castagnolis, 1},
	       {test_impossible_addresses_fail_their_request_only, 1},
	       {test_request_tells_where_it_failed, 2}, {test_unexpected_error_fails_the_run, 1})
