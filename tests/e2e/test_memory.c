/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process changes its address space while the device uses it: what the device has in its TLB must
 * be invalidated, by the driver's own commands, before the change is over.
 */
#include "tests/e2e/raw_queue.h"
#include "tests/e2e/scenario.h"
#include "tests/e2e/sys.h"

#define FAILED_READ(q, from, to)  expect_eq(raw_copy(q, from, to, PAGE), RAW_STATUS_READ_FAILED)
#define FAILED_WRITE(q, from, to) expect_eq(raw_copy(q, from, to, PAGE), RAW_STATUS_WRITE_FAILED)
#define COPIED(q, from, to)	  expect_eq(raw_copy(q, from, to, PAGE), RAW_STATUS_OK)

/* ---- munmap ---------------------------------------------------------------------------------- */

static void map_again(void *arg)
{
	struct raw_queue q;
	uint64_t page = raw_pages(1), sink = raw_pages(1), tlbi;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	pattern_write(page, PAGE, 1);
	COPIED(&q, page, sink);
	expect(pattern_is(sink, PAGE, 1));

	tlbi = metric_now("smmu.commands.tlbi_nh_va");
	expect_eq(sys_unmap(page, PAGE), 0);
	expect_eq(metric_now("smmu.commands.tlbi_nh_va"), tlbi + 1);
	FAILED_READ(&q, page, sink);
	expect_eq(sys_map(page, PAGE, SYS_PROT_RW), page);
	COPIED(&q, page, sink);
	expect(zeros_are(sink, PAGE));
	pattern_write(page, PAGE, 2);
	COPIED(&q, page, sink);
	expect(pattern_is(sink, PAGE, 2));

	/* Replaced at once: the device sees no gap, but a new page */
	expect_eq(sys_map(page, PAGE, SYS_PROT_RW), page);
	pattern_write(page, PAGE, 3);
	COPIED(&q, page, sink);
	expect(pattern_is(sink, PAGE, 3));
	raw_close(&q);
}

START_TEST(test_device_sees_the_page_that_is_mapped_now)
{
	struct platform *p = scenario_passes(&(struct scenario){map_again, {NULL}});

	/* sink, and `page` as the zero page */
	ck_assert_double_eq(metric(p, "faults.ptes_installed"), 2);
	ck_assert_double_ge(metric(p, "faults.aborted"), 1);
}
END_TEST

static void unmap_much(void *arg)
{
	const uint64_t bytes = 513 * PAGE;
	struct raw_queue q;
	uint64_t area = (uint64_t)sys_map(0, bytes, SYS_PROT_RW), sink = raw_pages(1), by_asid;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	pattern_write(area + 512 * PAGE, PAGE, 1);
	COPIED(&q, area + 512 * PAGE, sink);
	COPIED(&q, sink, area);
	by_asid = metric_now("smmu.commands.tlbi_nh_asid");
	expect_eq(sys_unmap(area, bytes), 0);
	expect_eq(metric_now("smmu.commands.tlbi_nh_asid"), by_asid + 1);
	FAILED_READ(&q, area + 512 * PAGE, sink);
	FAILED_WRITE(&q, sink, area);
	raw_close(&q);
}

START_TEST(test_large_unmapping_invalidates_the_address_space)
{
	scenario_passes(&(struct scenario){unmap_much, {NULL}});
}
END_TEST

/*
 * Requests in flight read and write what goes away: each ends, one way or the other, and with the
 * data of one of the two
 */
#define IN_FLIGHT 32u

static void unmap_under_way(void *arg)
{
	struct raw_queue q;
	struct raw_sqe answer;
	uint64_t area = raw_pages(IN_FLIGHT), sink = raw_pages(IN_FLIGHT);
	unsigned int copied = 0, failed = 0;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	pattern_write(area, IN_FLIGHT * PAGE, 1);
	for (unsigned int i = 0; i < IN_FLIGHT; i++)
		raw_push_copy(&q, area + i * PAGE, sink + i * PAGE, PAGE);
	raw_ring(&q);
	sys_sleep_us(5);
	expect_eq(sys_unmap(area, IN_FLIGHT * PAGE), 0);
	expect_eq(sys_map(area, IN_FLIGHT * PAGE, SYS_PROT_RW), area);
	for (unsigned int i = 0; i < IN_FLIGHT; i++) {
		expect(raw_pop(&q, &answer, 100000));
		copied += answer.status == RAW_STATUS_OK;
		failed += answer.status == RAW_STATUS_READ_FAILED;
	}
	expect_eq(copied + failed, IN_FLIGHT);
	COPIED(&q, area, sink);
	expect(zeros_are(sink, PAGE));
	raw_close(&q);
}

START_TEST(test_unmapping_under_requests_in_flight)
{
	scenario_passes(&(struct scenario){unmap_under_way, {NULL}});
}
END_TEST

/* ---- mprotect, madvise, mremap --------------------------------------------------------------- */

static void change_protection(void *arg)
{
	struct raw_queue q;
	uint64_t page = raw_pages(1), other = raw_pages(1), sink = raw_pages(1);

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	pattern_write(other, PAGE, 2);
	pattern_write(page, PAGE, 1);
	COPIED(&q, other, page);
	expect(pattern_is(page, PAGE, 2));
	pattern_write(page, PAGE, 1);

	expect_eq(sys_protect(page, PAGE, SYS_PROT_READ), 0);
	FAILED_WRITE(&q, other, page);
	expect(pattern_is(page, PAGE, 1));
	COPIED(&q, page, sink);
	expect(pattern_is(sink, PAGE, 1));

	expect_eq(sys_protect(page, PAGE, SYS_PROT_NONE), 0);
	FAILED_READ(&q, page, sink);
	FAILED_WRITE(&q, other, page);

	expect_eq(sys_protect(page, PAGE, SYS_PROT_RW), 0);
	COPIED(&q, page, sink);
	expect(pattern_is(sink, PAGE, 1));
	COPIED(&q, other, page);
	expect(pattern_is(page, PAGE, 2));
	raw_close(&q);
}

START_TEST(test_protection_holds_for_the_device)
{
	scenario_passes(&(struct scenario){change_protection, {NULL}});
}
END_TEST

static void discard(void *arg)
{
	struct raw_queue q;
	uint64_t pages = raw_pages(2), sink = raw_pages(2), tlbi;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	pattern_write(pages, 2 * PAGE, 1);
	expect_eq(raw_copy(&q, pages, sink, 2 * PAGE), RAW_STATUS_OK);
	tlbi = metric_now("smmu.commands.tlbi_nh_va");
	expect_eq(sys_discard(pages, PAGE), 0);
	expect(metric_now("smmu.commands.tlbi_nh_va") > tlbi);
	expect(!prog_verify_mapped(pages));
	expect_eq(raw_copy(&q, pages, sink, 2 * PAGE), RAW_STATUS_OK);
	expect(zeros_are(sink, PAGE));
	/* The pattern of the second page goes on where it was */
	expect(!zeros_are(sink + PAGE, 1));
	raw_close(&q);
}

START_TEST(test_discarded_page_reads_as_zero)
{
	struct platform *p = scenario_passes(&(struct scenario){discard, {NULL}});

	ck_assert_double_eq(metric(p, "faults.ptes_installed"), 3);
	ck_assert_double_eq(metric(p, "kernel.zero_page_maps"), 1);
}
END_TEST

static void move(void *arg)
{
	struct raw_queue q;
	uint64_t page = raw_pages(1), sink = raw_pages(1), to = raw_pages(1);

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	q.errors_expected = true;
	pattern_write(page, PAGE, 1);
	COPIED(&q, page, sink);
	COPIED(&q, to, sink);
	expect(zeros_are(sink, PAGE));
	expect_eq(sys_remap(page, PAGE, PAGE, to), to);
	FAILED_READ(&q, page, sink);
	COPIED(&q, to, sink);
	expect(pattern_is(sink, PAGE, 1));
	raw_close(&q);
}

START_TEST(test_moved_page_is_found_at_its_new_address_only)
{
	scenario_passes(&(struct scenario){move, {NULL}});
}
END_TEST

/* ---- fork ------------------------------------------------------------------------------------ */

/*
 * Notes of a test that both of its processes read and write: a test's own memory, not the machine's
 */
static struct {
	uint64_t page, area;
	bool go, done;
} notes;

static void await(const bool *flag)
{
	while (!*flag)
		sys_sleep_us(1);
}

static void child_writes_its_copy(void *arg)
{
	(void)arg;
	expect(pattern_is(notes.page, PAGE, 1));
	pattern_write(notes.page, PAGE, 2);
	expect(pattern_is(notes.page, PAGE, 2));
	notes.done = true;
	await(&notes.go);
	/* The device has written the parent's page meanwhile */
	expect(pattern_is(notes.page, PAGE, 2));
}

static void fork_and_share(void *arg)
{
	struct raw_queue q;
	uint64_t sink = raw_pages(1), other = raw_pages(1);
	int64_t child;
	int status;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	notes.page = raw_pages(1);
	pattern_write(notes.page, PAGE, 1);
	pattern_write(other, PAGE, 3);
	COPIED(&q, notes.page, sink);
	child = prog_fork(child_writes_its_copy, NULL);
	expect(child > 0);
	await(&notes.done);
	COPIED(&q, notes.page, sink);
	expect(pattern_is(sink, PAGE, 1));
	COPIED(&q, other, notes.page);
	expect(pattern_is(notes.page, PAGE, 3));
	notes.go = true;
	expect_eq(sys_wait(child, &status), child);
	expect_eq(status, 0);
	raw_close(&q);
}

START_TEST(test_device_keeps_its_process_view_after_fork)
{
	struct platform *p = scenario_passes(&(struct scenario){fork_and_share, {NULL}});

	ck_assert_double_ge(metric(p, "kernel.cow_copies"), 1);
}
END_TEST

static void device_writes_after_fork(void *arg)
{
	struct raw_queue q;
	uint64_t other = raw_pages(1);
	int64_t child;
	int status;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	notes.page = raw_pages(1);
	notes.done = false;
	pattern_write(other, PAGE, 3);
	/* The device's TLB holds the page as writable */
	COPIED(&q, other, notes.page);
	pattern_write(notes.page, PAGE, 1);
	child = prog_fork(child_writes_its_copy, NULL);
	COPIED(&q, other, notes.page);
	expect(pattern_is(notes.page, PAGE, 3));
	await(&notes.done);
	notes.go = true;
	expect_eq(sys_wait(child, &status), child);
	expect_eq(status, 0);
	raw_close(&q);
}

START_TEST(test_device_write_after_fork_breaks_the_sharing)
{
	struct platform *p = scenario_passes(&(struct scenario){device_writes_after_fork, {NULL}});

	ck_assert_double_ge(metric(p, "smmu.events.f_permission"), 1);
	ck_assert_double_eq(metric(p, "kernel.cow_copies"), 1);
}
END_TEST

#define FORK_BYTES (256 * PAGE) /* more than the device copies while the fork goes on */

static uint64_t checksum(uint64_t va, uint64_t bytes)
{
	uint64_t sum = 0, word;

	for (uint64_t at = 0; at < bytes; at += sizeof(word)) {
		expect(prog_verify_read(&word, va + at, sizeof(word)));
		sum = (sum << 7 | sum >> 57) ^ word;
	}
	return sum;
}

/* What the device writes for the parent from the fork on must not appear here */
static void child_keeps_its_snapshot(void *arg)
{
	const uint64_t before = checksum(notes.area, FORK_BYTES);

	(void)arg;
	await(&notes.go);
	expect_eq(checksum(notes.area, FORK_BYTES), before);
}

static void fork_under_way(void *arg)
{
	struct raw_queue q;
	struct raw_sqe answer;
	uint64_t source = (uint64_t)sys_map(0, FORK_BYTES, SYS_PROT_RW);
	int64_t child;
	int status;

	(void)arg;
	expect_eq(raw_queue_new(&q, 0), 0);
	notes.area = (uint64_t)sys_map(0, FORK_BYTES, SYS_PROT_RW);
	pattern_write(notes.area, FORK_BYTES, 1);
	pattern_write(source, FORK_BYTES, 2);
	for (uint64_t at = 0; at < FORK_BYTES; at += PAGE)
		raw_push_copy(&q, source + at, notes.area + at, PAGE);
	raw_ring(&q);
	child = prog_fork(child_keeps_its_snapshot, NULL);
	for (uint64_t at = 0; at < FORK_BYTES; at += PAGE) {
		expect(raw_pop(&q, &answer, 100000));
		expect_eq(answer.status, RAW_STATUS_OK);
	}
	expect(pattern_is(notes.area, FORK_BYTES, 2));
	notes.go = true;
	expect_eq(sys_wait(child, &status), child);
	expect_eq(status, 0);
	raw_close(&q);
}

START_TEST(test_fork_under_requests_in_flight_loses_no_write)
{
	static const char *const bursts[] = {"accel.dma_burst_bytes=256",
					     "accel.dma_burst_bytes=4096"};
	struct platform *p = scenario_passes(&(struct scenario){fork_under_way, {bursts[_i]}});

	ck_assert_double_ge(metric(p, "kernel.cow_copies"), 1);
}
END_TEST

SCENARIO_SUITE("memory", {test_device_sees_the_page_that_is_mapped_now, 1},
	       {test_large_unmapping_invalidates_the_address_space, 1},
	       {test_unmapping_under_requests_in_flight, 1},
	       {test_protection_holds_for_the_device, 1}, {test_discarded_page_reads_as_zero, 1},
	       {test_moved_page_is_found_at_its_new_address_only, 1},
	       {test_device_keeps_its_process_view_after_fork, 1},
	       {test_device_write_after_fork_breaks_the_sharing, 1},
	       {test_fork_under_requests_in_flight_loses_no_write, 2})
