/* SPDX-License-Identifier: BSD-3-Clause */
/* STOP_QP and reset, with requests everywhere and transactions that stall. */
#include "rig.h"

#define SRC (RIG_DATA + 0x100000u)
#define DST (RIG_DATA + 0x2000000u)

static const struct rig_sqe copy = {
	.opcode = OP_COPY, .length = 4096, .source = SRC, .destination = DST};

static enum sim_response release_response;

static bool mailbox_busy(void)
{
	return mmio_read(0x300, 4) & 1u << 13;
}

static void body_stop_stalled(void)
{
	struct rig_queue *q, *other;
	struct rig_cqe cqe;
	uint32_t aborted = 0, done = 0;

	enable();
	q = queue_open(0, 64, 64, 9);
	other = queue_open(1, 64, 64, 10);
	rig.stall_from = SRC;
	rig.stall_to = SRC + 256;
	for (int i = 0; i < 40; i++)
		put(q, &copy);
	doorbell(DB_SQ, 0, 40, 0);
	wait_ns(10000);
	ck_assert_uint_gt(rig.stalled, 0);
	/* not while a transaction stalls */
	ck_assert_int_eq(mailbox(MB_STOP_QP, 0, 0, SIM_US(20)), -1);
	ck_assert(mailbox_busy());
	/* it takes no more; the others go on */
	doorbell(DB_SQ, 0, 41, 0);
	ck_assert(metric("accel.qm.bad_doorbells") == 1);
	for (uint32_t i = 0; i < 40; i++)
		aborted += sqe_at(q, i)->status == 0x84;
	ck_assert_uint_eq(aborted, 40 - 8);
	send(other, &(struct rig_sqe){.opcode = OP_CRC32C, .length = 64, .source = SRC + 4096});
	ck_assert(receive(other, &cqe, SIM_US(10)));
	/* those that had been started end, well or not, with a CQE */
	rig_release(release_response);
	wait_ns(20000);
	ck_assert(!mailbox_busy());
	ck_assert_uint_eq(mmio_read(0x300, 4) >> 9 & 0xf, 0);
	for (uint32_t i = 0; i < 40; i++)
		done += sqe_at(q, i)->status == (release_response == SIM_OK ? 1 : 0x91);
	ck_assert_uint_eq(done, 8);
	while (receive(q, &cqe, 0))
		done--;
	ck_assert_uint_eq(done, 0);
	ck_assert(metric("accel.requests.by_status.aborted") == 32);
	/* the contexts are gone, and can be loaded again */
	doorbell(DB_CQ, 0, 0, 0);
	ck_assert(metric("accel.qm.bad_doorbells") == 2);
	q = queue_open(0, 8, 8, 9);
	send(q, &copy);
	ck_assert(receive(q, &cqe, SIM_US(20)));
	ck_assert(wait_idle(SIM_US(2)));
}

START_TEST(test_stop_waits_for_stalled_transactions)
{
	rig_init();
	release_response = _i ? SIM_SLVERR : SIM_OK;
	rig_run(body_stop_stalled);
}
END_TEST

/* Stop at many moments of a busy queue's life. */
static void body_stop_anytime(void)
{
	uint64_t begun = 0;

	enable();
	for (uint32_t delay = 0; delay < 3000; delay += 53) {
		uint32_t ended = 0, completed = 0;
		struct rig_queue *q;
		struct rig_cqe cqe;

		rig.next_ring = 4096;
		q = queue_open(delay % 5, 32, 32, 9);
		for (int i = 0; i < 20; i++)
			put(q, &copy);
		doorbell(DB_SQ, q->number, 20, 0);
		wait_ns(delay);
		ck_assert_int_eq(mailbox(MB_STOP_QP, q->number, 0, SIM_MS(1)), 0);
		ck_assert_uint_eq(rig.data_outstanding + rig.ring_outstanding, 0);
		ck_assert_uint_eq(mmio_read(0x1c, 4), 1);
		for (uint32_t i = 0; i < 20; i++) {
			ended += sqe_at(q, i)->status != 0;
			completed += sqe_at(q, i)->status == 1;
		}
		ck_assert_uint_eq(ended, 20);
		while (receive(q, &cqe, 0)) {
			ck_assert_uint_eq(sqe_at(q, cqe.index)->status, 1);
			completed--;
		}
		ck_assert_uint_eq(completed, 0);
		begun += 20;
	}
	ck_assert(metric("accel.requests.by_status.success") +
			  metric("accel.requests.by_status.aborted") ==
		  begun);
	ck_assert(metric("accel.requests.by_status.aborted") > 0);
}

START_TEST(test_stop_at_any_moment_ends_every_request_once)
{
	rig_init();
	rig.jitter = 100000;
	rig.immediate = _i;
	rig_run(body_stop_anytime);
}
END_TEST

/* ---- reset -------------------------------------------------------------------------------------------- */

static void submit_to(uint32_t queues, uint32_t requests)
{
	for (uint32_t n = 0; n < queues; n++) {
		struct rig_queue *q = queue_open(n, 64, 64, 9 + n);
		struct rig_sqe sqe = copy;

		for (uint32_t i = 0; i < requests; i++) {
			sqe.opcode = i % 3 ? OP_COPY : OP_CRC32C;
			put(q, &sqe);
		}
		free_cqes(q, true);
		doorbell(DB_SQ, n, requests, 0);
	}
}

static void body_reset_anytime(void)
{
	for (uint32_t delay = 0; delay < 4000; delay += 127) {
		struct rig_queue *q;
		struct rig_cqe cqe;

		rig.next_ring = 4096;
		eq_open(MB_EQC, ring_alloc(256), 64);
		enable();
		submit_to(4, 30);
		wait_ns(delay);
		mmio_write(0x18, 0, 4);
		ck_assert_uint_eq(mmio_read(0x18, 4), 0);
		ck_assert_uint_eq(mmio_read(0x300, 8), 0);
		/* what was there is gone */
		doorbell(DB_SQ, 0, 31, 0);
		ck_assert(wait_idle(SIM_US(20)));
		ck_assert_uint_eq(rig.data_outstanding + rig.ring_outstanding, 0);
		q = queue_open(0, 8, 8, 9);
		enable();
		send(q, &copy);
		ck_assert(receive(q, &cqe, SIM_US(20)));
		mmio_write(0x18, 0, 4);
		ck_assert(wait_idle(SIM_US(20)));
	}
	ck_assert(metric("accel.requests.dropped") > 0);
}

START_TEST(test_reset_at_any_moment_leaves_nothing_behind)
{
	rig_init();
	rig.jitter = _i ? 400000 : 0;
	rig_run(body_reset_anytime);
}
END_TEST

/* Queue pairs come back into use while transactions of before the reset still stall. */
static void body_reset_stalled(void)
{
	const struct rig_sqe goes = {.opcode = OP_COPY,
				     .length = 4096,
				     .source = SRC + 65536,
				     .destination = DST + 65536};
	struct rig_queue *q;
	struct rig_cqe cqe;
	uint32_t eq_irqs;

	enable();
	q = queue_open(0, 64, 64, 9);
	rig.stall_from = SRC;
	rig.stall_to = SRC + 4096;
	for (int i = 0; i < 3; i++)
		put(q, &copy);
	doorbell(DB_SQ, 0, 3, 0);
	wait_ns(10000);
	ck_assert_int_eq(mailbox(MB_STOP_QP, 0, 0, SIM_US(1)), -1);
	mmio_write(0x18, 0, 4);
	ck_assert(!mailbox_busy());
	ck_assert(!wait_idle(SIM_US(20)));
	enable();
	q = queue_open(0, 64, 64, 11);
	send(q, &goes);
	ck_assert(receive(q, &cqe, SIM_US(20)));
	eq_irqs = rig.eq_irqs;
	rig_release(SIM_OK);
	ck_assert(wait_idle(SIM_US(20)));
	ck_assert(!receive(q, &cqe, SIM_US(1)));
	ck_assert_uint_eq(rig.eq_irqs, eq_irqs);
	ck_assert_uint_eq(mmio_read(0x300, 4) >> 9 & 0x1f, 0);
	ck_assert(metric("accel.requests.dropped") == 3);
}

START_TEST(test_reset_swallows_what_ends_later)
{
	rig_init();
	rig_run(body_reset_stalled);
}
END_TEST

Suite *stop_suite(void)
{
	Suite *suite = suite_create("stop");
	TCase *tc = tcase_create("stop");

	tcase_add_loop_test(tc, test_stop_waits_for_stalled_transactions, 0, 2);
	tcase_add_loop_test(tc, test_stop_at_any_moment_ends_every_request_once, 0, 2);
	tcase_add_loop_test(tc, test_reset_at_any_moment_leaves_nothing_behind, 0, 2);
	tcase_add_test(tc, test_reset_swallows_what_ends_later);
	suite_add_tcase(suite, tc);
	return suite;
}
