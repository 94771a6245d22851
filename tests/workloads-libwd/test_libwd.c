/* SPDX-License-Identifier: BSD-3-Clause */
/* The WarpDrive library and its queue-manager driver on a machine that is just enough for them. */
#include <asm-generic/unistd.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_machine.h"
#include "workloads/include/program.h"
#include "workloads/libwd/umem.h"
#include "workloads/libwd/wd.h"

#define BLOCK 256u

static struct umem *arena;
static struct wd_queue *q;

static void setup(void)
{
	fake_init();
	arena = umem_new(1 << 20);
	q = umem_alloc(arena, sizeof(*q), 64);
	wd_queue_init(q, "copy");
}

static struct wd_msg *message(uint32_t number)
{
	struct wd_msg *msg = umem_alloc(arena, sizeof(*msg), 64);
	struct wd_msg local = {.op = WD_OP_COPY, .length = BLOCK, .user = number};
	uint8_t data[BLOCK];

	memset(data, (int)number + 1, sizeof(data));
	local.source = PROG_VA(umem_alloc(arena, BLOCK, 64));
	local.destination = PROG_VA(umem_alloc(arena, BLOCK, 64));
	prog_write(local.source, data, sizeof(data));
	wd_msg_write(msg, &local);
	return msg;
}

static void check_done(const void *req)
{
	struct wd_msg msg;

	wd_msg_read(req, &msg);
	ck_assert_uint_eq(msg.status, WD_SUCCESS);
	ck_assert_uint_eq(msg.bytes_done, BLOCK);
	ck_assert_mem_eq(fake_host(msg.source), fake_host(msg.destination), BLOCK);
}

/* ---- finding a device ---------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct fake_device devices[3];
	uint32_t wanted;
	int error;
	const char *opened;
} find_cases[] = {
	{"one",
	 {{"svasim_qm-0", "hisi_qm_v3", "copy\ncrc32c", "1", "9"}},
	 WD_ANY_DEVICE,
	 0,
	 "svasim_qm-0"},
	{"v2", {{"x-y-7", "hisi_qm_v2", "copy", "3", "9"}}, WD_ANY_DEVICE, 0, "x-y-7"},
	{"none", {{0}}, WD_ANY_DEVICE, -ENODEV, ""},
	{"other api", {{"a-0", "hisi_qm_v9", "copy", "1", "9"}}, WD_ANY_DEVICE, -ENODEV, ""},
	{"other algorithm",
	 {{"a-0", "hisi_qm_v3", "copying\ncop\nzlib", "1", "9"}},
	 WD_ANY_DEVICE,
	 -ENODEV,
	 ""},
	{"no SVA", {{"a-0", "hisi_qm_v3", "copy", "0", "9"}}, WD_ANY_DEVICE, -ENODEV, ""},
	{"attribute missing",
	 {{"a-0", "hisi_qm_v3", "copy", "1", NULL}},
	 WD_ANY_DEVICE,
	 -ENODEV,
	 ""},
	{"no number in the name",
	 {{"a0", "hisi_qm_v3", "copy", "1", "9"}},
	 WD_ANY_DEVICE,
	 -ENODEV,
	 ""},
	{"most queues left",
	 {{"a-0", "hisi_qm_v3", "copy", "1", "9"},
	  {"a-1", "hisi_qm_v3", "copy", "1", "10"},
	  {"a-2", "hisi_qm_v3", "zlib", "1", "99"}},
	 WD_ANY_DEVICE,
	 0,
	 "a-1"},
	{"lowest number among equals",
	 {{"a-2", "hisi_qm_v3", "copy", "1", "9"},
	  {"a-1", "hisi_qm_v3", "copy", "1", "9"},
	  {"a-3", "hisi_qm_v3", "copy", "1", "9"}},
	 WD_ANY_DEVICE,
	 0,
	 "a-1"},
	{"the one asked for",
	 {{"a-0", "hisi_qm_v3", "copy", "1", "9"}, {"a-1", "hisi_qm_v3", "copy", "1", "1"}},
	 1,
	 0,
	 "a-1"},
	{"not the one asked for", {{"a-0", "hisi_qm_v3", "copy", "1", "9"}}, 1, -ENODEV, ""},
};

START_TEST(test_device_is_matched_through_sysfs)
{
	unsigned int count = 0;

	while (count < 3 && find_cases[_i].devices[count].name)
		count++;
	fake.devices = count ? find_cases[_i].devices : NULL;
	fake.device_count = count;
	STORE(&q->device, find_cases[_i].wanted);
	ck_assert_msg(wd_request_queue(q) == find_cases[_i].error, "%s", find_cases[_i].what);
	ck_assert_str_eq(fake.opened, find_cases[_i].opened);
	if (find_cases[_i].error) {
		ck_assert_uint_eq(fake.open_fds, 0);
		return;
	}
	ck_assert_uint_eq(LOAD(&q->device), (uint32_t)atoi(strrchr(fake.opened, '-') + 1));
	ck_assert_uint_eq(LOAD(&q->number), FAKE_QUEUE);
	ck_assert_uint_eq(LOAD(&q->depth), 16);
	ck_assert_uint_eq(fake.started, 1);
	wd_release_queue(q);
}
END_TEST

/* Whatever fails, nothing stays open or mapped. */
START_TEST(test_failing_call_leaves_nothing_behind)
{
	static const uint64_t calls[] = {__NR_openat, __NR_mmap, __NR_ioctl, __NR_read,
					 __NR_getdents64};
	unsigned int mapped = fake.mapped, failures = 0;

	for (unsigned int nth = 1; nth < 20; nth++) {
		fake.fail_number = calls[_i];
		fake.fail_nth = nth;
		fake.fail_error = -EMFILE;
		STORE(&q->device, WD_ANY_DEVICE);
		if (wd_request_queue(q)) {
			failures++;
			ck_assert_int_lt(LOAD(&q->fd), 0);
		} else {
			wd_release_queue(q);
		}
		ck_assert_uint_eq(fake.open_fds, 0);
		ck_assert_uint_eq(fake.mapped, mapped);
	}
	ck_assert_uint_ge(failures, 1);
	ck_assert_uint_eq(fake.queues_opened, fake.queues_closed);
}
END_TEST

START_TEST(test_unknown_layout_is_refused)
{
	switch (_i) {
	case 0:
		fake.sqe_size = 128;
		break;
	case 1:
		fake.sq_depth = 1;
		break;
	default: /* larger than the region */
		fake.sq_depth = fake.cq_depth = 8192;
		break;
	}
	ck_assert_int_eq(wd_request_queue(q), -EPROTO);
	ck_assert_uint_eq(fake.open_fds, 0);
	wd_release_queue(q); /* of a queue that is not open: nothing */
}
END_TEST

/* ---- sending and receiving -------------------------------------------------------------------------------- */

static const struct {
	uint16_t sq_depth, cq_depth;
	bool reverse;
	uint32_t batch;
} ring_cases[] = {
	{2, 2, false, 1},   {2, 16, false, 1}, {16, 2, false, 1},      {16, 16, true, 1},
	{16, 16, false, 5}, {7, 5, true, 3},   {1024, 1024, true, 64}, {3, 3, false, 100},
};

START_TEST(test_rings_wrap_and_requests_come_back)
{
	struct wd_msg *msgs[64];
	bool in_flight[64] = {false};
	unsigned int sent = 0, received = 0;
	void *done;

	fake.sq_depth = ring_cases[_i].sq_depth;
	fake.cq_depth = ring_cases[_i].cq_depth;
	fake.reverse = ring_cases[_i].reverse;
	STORE(&q->batch, ring_cases[_i].batch);
	for (uint32_t i = 0; i < 64; i++)
		msgs[i] = message(i);
	ck_assert_int_eq(wd_request_queue(q), 0);
	while (received < 3000) {
		int error = -EBUSY;

		/* with completion in any order, a message may still be in flight when its turn comes again */
		if (sent - received < 64 && sent < 3000 && !in_flight[sent % 64]) {
			error = wd_send(q, msgs[sent % 64]);
			in_flight[sent % 64] = !error;
		}
		if (!error) {
			sent++;
			continue;
		}
		ck_assert_int_eq(error, -EBUSY);
		ck_assert_int_eq(wd_recv(q, &done) == 1 || wd_recv(q, &done) == 1, 1);
		check_done(done);
		in_flight[LOAD(&((struct wd_msg *)done)->user)] = false;
		received++;
	}
	ck_assert_int_eq(wd_recv(q, &done), 0);
	ck_assert_uint_eq(fake.received_ok, 3000);
	ck_assert_uint_eq(fake.submitted, 3000);
	wd_release_queue(q);
	ck_assert_uint_eq(fake.put, 1);
	ck_assert_uint_eq(fake.queues_closed, 1);
	umem_free(arena);
	ck_assert_uint_eq(fake.mapped + fake.open_fds, 0);
}
END_TEST

/* One in flight, a ring of two, and rings whose messages the device's own room limits. */
static const struct {
	uint16_t sq_depth;
	uint32_t push_entries, depth;
	bool reverse;
} push_cases[] = {{2, 1, 2, false}, {2, 8, 2, false}, {16, 4, 5, true}, {16, 15, 16, true}};

START_TEST(test_pushed_requests_need_no_doorbell)
{
	unsigned int sent = 0, received = 0;
	struct wd_msg *msgs[16];
	void *done;

	fake.sq_depth = fake.cq_depth = push_cases[_i].sq_depth;
	fake.push_entries = push_cases[_i].push_entries;
	STORE(&q->channel, WD_CHANNEL_MMIO);
	for (uint32_t i = 0; i < 16; i++)
		msgs[i] = message(i);
	ck_assert_int_eq(wd_request_queue(q), 0);
	ck_assert_uint_eq(LOAD(&q->depth), push_cases[_i].depth);
	fake.reverse = push_cases[_i].reverse;
	while (received < 500) {
		fake.hold = sent % 3 != 0;
		if (sent < 500 && !wd_send(q, msgs[sent % 16])) {
			sent++;
			continue;
		}
		fake.hold = false;
		wd_wait_line(q, 0);
		/* what is held goes on with the next store to the doorbell */
		prog_store(fake.mmio + 0x1000,
			   FAKE_QUEUE | 1ull << 12 | (uint64_t)fake.cq_head << 32, 8);
		while (wd_recv(q, &done) == 1)
			received++;
	}
	ck_assert_uint_eq(fake.pushes, 500);
	ck_assert_uint_eq(fake.sq_doorbells, 0);
	ck_assert_uint_eq(fake.submitted, 500);
	wd_release_queue(q);
}
END_TEST

START_TEST(test_device_without_a_push_window_says_so)
{
	unsigned int mapped = fake.mapped;

	STORE(&q->channel, WD_CHANNEL_MMIO);
	ck_assert_int_eq(wd_request_queue(q), -EOPNOTSUPP);
	ck_assert_uint_eq(fake.started, 0);
	ck_assert_uint_eq(fake.open_fds, 0);
	ck_assert_uint_eq(fake.mapped, mapped);
}
END_TEST

START_TEST(test_batch_saves_doorbells)
{
	void *done;

	STORE(&q->batch, 4);
	ck_assert_int_eq(wd_request_queue(q), 0);
	for (uint32_t i = 0; i < 6; i++)
		ck_assert_int_eq(wd_send(q, message(i)), 0);
	ck_assert_uint_eq(fake.sq_doorbells, 1);
	ck_assert_uint_eq(fake.priority, 0);
	STORE(&q->priority, 5);
	wd_flush(q);
	ck_assert_uint_eq(fake.priority, 5);
	wd_flush(q);
	ck_assert_uint_eq(fake.sq_doorbells, 2);
	for (uint32_t i = 0; i < 6; i++)
		ck_assert_int_eq(wd_recv(q, &done), 1);
	/* what is kept back is sent when there is nothing to receive */
	ck_assert_int_eq(wd_send(q, message(6)), 0);
	ck_assert_uint_eq(fake.sq_doorbells, 2);
	ck_assert_int_eq(wd_recv(q, &done), 0);
	ck_assert_uint_eq(fake.sq_doorbells, 3);
	ck_assert_int_eq(wd_recv(q, &done), 1);
}
END_TEST

START_TEST(test_recv_sync_waits_in_the_kernel)
{
	void *done;

	ck_assert_int_eq(wd_request_queue(q), 0);
	ck_assert_int_eq(wd_recv_sync(q, &done), -ENODATA);
	fake.hold = true;
	ck_assert_int_eq(wd_send(q, message(0)), 0);
	ck_assert_int_eq(wd_recv_sync(q, &done), 1);
	check_done(done);
	ck_assert_uint_eq(fake.polls, 1);
	ck_assert_uint_eq(fake.arms, 1);
	/* one that is there already costs no system call */
	ck_assert_int_eq(wd_send(q, message(1)), 0);
	ck_assert_int_eq(wd_recv_sync(q, &done), 1);
	ck_assert_uint_eq(fake.polls, 1);
	/* an error of poll(2) is handed on; a signal is not one */
	fake.hold = true;
	fake.fail_number = __NR_ppoll;
	fake.fail_nth = 1;
	fake.fail_error = -ENOMEM;
	ck_assert_int_eq(wd_send(q, message(2)), 0);
	ck_assert_int_eq(wd_recv_sync(q, &done), -ENOMEM);
	fake.fail_nth = 1;
	fake.fail_error = -EINTR;
	ck_assert_int_eq(wd_recv_sync(q, &done), 1);
}
END_TEST

START_TEST(test_failed_request_comes_back_with_its_status)
{
	struct wd_msg msg;
	void *done;

	ck_assert_int_eq(wd_request_queue(q), 0);
	fake.next_status = WD_READ_FAILED;
	ck_assert_int_eq(wd_send(q, message(0)), 0);
	ck_assert_int_eq(wd_recv(q, &done), 1);
	wd_msg_read(done, &msg);
	ck_assert_uint_eq(msg.status, WD_READ_FAILED);
	ck_assert_uint_eq(msg.bytes_done, 0);
	ck_assert_uint_eq(fake.received, 1);
	ck_assert_uint_eq(fake.received_ok, 0);
}
END_TEST

START_TEST(test_dead_queue_says_so)
{
	void *done;

	ck_assert_int_eq(wd_request_queue(q), 0);
	ck_assert_int_eq(wd_send(q, message(0)), 0);
	fake_set_dead();
	ck_assert_int_eq(wd_send(q, message(1)), -EIO);
	/* what has ended before can still be received */
	ck_assert_int_eq(wd_recv(q, &done), 1);
	ck_assert_int_eq(wd_recv(q, &done), -EIO);
	ck_assert_int_eq(wd_recv_sync(q, &done), -EIO);
	wd_release_queue(q);
}
END_TEST

START_TEST(test_queue_is_locked_against_other_threads)
{
	void *done;

	ck_assert_int_eq(wd_request_queue(q), 0);
	fake.cas_failures = 4;
	ck_assert_int_eq(wd_send(q, message(0)), 0);
	ck_assert_uint_eq(fake.lock_polls, 3);
	ck_assert_uint_eq(LOAD(&q->lock), 0);
	ck_assert_int_eq(wd_recv(q, &done), 1);
	ck_assert_uint_eq(LOAD(&q->lock), 0);
}
END_TEST

START_TEST(test_wait_line_ends_when_there_is_something)
{
	ck_assert_int_eq(wd_request_queue(q), 0);
	wd_wait_line(q, 100);
	ck_assert_uint_eq(fake.lock_polls, 1);
	ck_assert_int_eq(wd_send(q, message(0)), 0);
	wd_wait_line(q, 100);
	ck_assert_uint_eq(fake.lock_polls, 1);
}
END_TEST

START_TEST(test_reserved_memory_is_not_supported_on_mainline)
{
	ck_assert_int_eq(wd_request_queue(q), 0);
	ck_assert_ptr_null(wd_reserve_memory(q, 4096));
	ck_assert_int_eq(LOAD(&q->error), -EOPNOTSUPP);
	ck_assert_int_eq(wd_share_reserved_memory(q, q), -EOPNOTSUPP);
}
END_TEST

START_TEST(test_arena_hands_out_aligned_pieces_until_it_is_used_up)
{
	struct umem *small = umem_new(4000);
	void *first = umem_alloc(small, 1, 64), *second = umem_alloc(small, 100, 1024);

	ck_assert_uint_eq(PROG_VA(first) % 64, 0);
	ck_assert_uint_eq(PROG_VA(second) % 1024, 0);
	ck_assert_uint_gt(PROG_VA(second), PROG_VA(first));
	ck_assert_ptr_null(umem_alloc(small, 4000, 1));
	ck_assert_ptr_null(umem_alloc(small, SIZE_MAX, 1));
	umem_reset(small);
	ck_assert_ptr_eq(umem_alloc(small, 1, 64), first);
	umem_free(small);
	fake.fail_number = __NR_mmap;
	fake.fail_nth = 1;
	fake.fail_error = -ENOMEM;
	ck_assert_ptr_null(umem_new(4096));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("libwd");
	TCase *tc = tcase_create("libwd");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, test_device_is_matched_through_sysfs, 0,
			    sizeof(find_cases) / sizeof(find_cases[0]));
	tcase_add_loop_test(tc, test_failing_call_leaves_nothing_behind, 0, 5);
	tcase_add_loop_test(tc, test_unknown_layout_is_refused, 0, 3);
	tcase_add_loop_test(tc, test_rings_wrap_and_requests_come_back, 0,
			    sizeof(ring_cases) / sizeof(ring_cases[0]));
	tcase_add_loop_test(tc, test_pushed_requests_need_no_doorbell, 0,
			    sizeof(push_cases) / sizeof(push_cases[0]));
	tcase_add_test(tc, test_device_without_a_push_window_says_so);
	tcase_add_test(tc, test_batch_saves_doorbells);
	tcase_add_test(tc, test_recv_sync_waits_in_the_kernel);
	tcase_add_test(tc, test_failed_request_comes_back_with_its_status);
	tcase_add_test(tc, test_dead_queue_says_so);
	tcase_add_test(tc, test_queue_is_locked_against_other_threads);
	tcase_add_test(tc, test_wait_line_ends_when_there_is_something);
	tcase_add_test(tc, test_reserved_memory_is_not_supported_on_mainline);
	tcase_add_test(tc, test_arena_hands_out_aligned_pieces_until_it_is_used_up);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
