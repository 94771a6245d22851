/* SPDX-License-Identifier: BSD-3-Clause */
/* SQEs that are stored to the device's push window. */
#include "rig.h"

#define SRC (RIG_DATA + 0x100000u)
#define DST (RIG_DATA + 0x2000000u)

static const struct rig_sqe copy = {
	.opcode = OP_COPY, .length = 512, .source = SRC, .destination = DST};

static uint64_t push_line(uint32_t queue)
{
	return QM_WINDOWS + queue * 0x10000ull + 0x2000;
}

static void push_words(const struct rig_queue *q, const struct rig_sqe *sqe, int words)
{
	uint64_t line[8];

	memcpy(line, sqe, sizeof(line));
	for (int i = 0; i < words; i++)
		mmio_write(push_line(q->number) + 8 * (uint64_t)i, line[i], 8);
}

static void push(struct rig_queue *q, const struct rig_sqe *sqe)
{
	push_words(q, sqe, 8);
	q->tail = (q->tail + 1) % q->sq_depth;
}

static void push_at_once(struct rig_queue *q, const struct rig_sqe *sqe)
{
	uint8_t line[64];

	memcpy(line, sqe, sizeof(line));
	ck_assert(mmio(SIM_WRITE, push_line(q->number), line, 64) == SIM_OK);
	q->tail = (q->tail + 1) % q->sq_depth;
}

/* ---- one after another ------------------------------------------------------------------------------- */

static void body_push(void)
{
	struct rig_queue *q;
	struct rig_cqe cqe;

	enable();
	q = queue_open(3, 4, 4, 9);
	ck_assert_uint_eq(mmio_read(push_line(3), 4), 5);
	ck_assert_uint_eq(mmio_read(push_line(3), 8), 5);
	ck_assert_uint_eq(mmio_read(push_line(3) + 8, 8), 0);
	/* both ways to bring one, and the ring in between; it wraps */
	for (uint32_t i = 0; i < 30; i++) {
		struct rig_sqe sqe = copy;

		sqe.tag = (uint16_t)(1000 + i);
		fill(SRC, 512, i);
		if (i % 3 == 0)
			push(q, &sqe);
		else if (i % 3 == 1)
			push_at_once(q, &sqe);
		else
			send(q, &sqe);
		ck_assert(receive(q, &cqe, SIM_US(10)));
		ck_assert_uint_eq(cqe.tag, 1000 + i);
		ck_assert_uint_eq(cqe.index, i % 4);
		ck_assert_uint_eq(sqe_at(q, i % 4)->status, 1);
		ck_assert_uint_eq(sqe_at(q, i % 4)->bytes_done, 512);
		ck_assert_mem_eq(rig.ram + SRC, rig.ram + DST, 512);
		wait_ns(300);
		free_cqes(q, false);
	}
	ck_assert(metric("accel.sqes_pushed") == 20);
	ck_assert(metric("accel.sqes_fetched") == 10);
	ck_assert(metric("accel.qm.bad_doorbells") == 0);
	ck_assert(metric("accel.qm.bad_register_accesses") == 0);
	/* words that are not stored keep what they were */
	push_words(q, &(struct rig_sqe){.opcode = 77}, 1);
	ck_assert(!receive(q, &cqe, SIM_US(5)));
	mmio_write(push_line(3) + 56, 0, 8);
	ck_assert(receive(q, &cqe, SIM_US(5)));
	ck_assert_uint_eq(sqe_at(q, 2)->status, 0x81);
	/* 32 bits are not a word */
	mmio_write(push_line(3), 1, 4);
	ck_assert(metric("accel.qm.bad_register_accesses") == 1);
}

START_TEST(test_pushed_requests_complete_like_others)
{
	rig_init();
	rig.params.push_entries = 5;
	rig_run(body_push);
}
END_TEST

static void body_waits(void)
{
	struct rig_queue *q;
	struct rig_cqe cqe;

	enable();
	q = queue_open(0, 4, 4, 9);
	push(q, &copy);
	ck_assert(receive(q, &cqe, SIM_US(10)));
	wait_ns(300);
	ck_assert_uint_eq(rig.vectors, 1);
	ck_assert_uint_eq(rig.last_waits.ps[WAIT_QUEUE], SIM_NS(5));
	/* data and completion: no SQE is read */
	ck_assert_uint_eq(rig.last_waits.ps[WAIT_MEMORY], SIM_NS(400));
}

START_TEST(test_pushed_request_waits_for_no_fetch)
{
	rig_init();
	rig.params.push_entries = 1;
	rig_run(body_waits);
}
END_TEST

/* ---- in the ring's order ----------------------------------------------------------------------------- */

static void body_order(void)
{
	struct rig_queue *q = queue_open(0, 16, 16, 9);
	struct rig_cqe cqe;

	/* all wait: pushed and fetched ones by turns */
	for (uint32_t i = 0; i < 12; i++) {
		struct rig_sqe sqe = copy;

		sqe.tag = (uint16_t)i;
		if (i % 4 < 2)
			push(q, &sqe);
		else
			send(q, &sqe);
	}
	/* the last two are taken back: one was pushed, and what comes in its place is not */
	doorbell(DB_SQ, 0, 9, 0);
	q->tail = 9;
	for (uint32_t i = 9; i < 12; i++) {
		struct rig_sqe sqe = copy;

		sqe.tag = (uint16_t)(100 + i);
		send(q, &sqe);
	}
	enable();
	for (uint32_t i = 0; i < 12; i++) {
		ck_assert(receive(q, &cqe, SIM_US(10)));
		ck_assert_uint_eq(cqe.index, i);
		ck_assert_uint_eq(cqe.tag, i < 9 ? i : 100 + i);
	}
	ck_assert(!receive(q, &cqe, SIM_US(1)));
}

START_TEST(test_pushed_and_fetched_keep_their_order)
{
	rig_init();
	rig.params.push_entries = 16;
	rig.params.completion = ACCEL_COMPLETION_IN_ORDER;
	rig_run(body_order);
}
END_TEST

/* ---- what cannot be taken ---------------------------------------------------------------------------- */

static void body_full(void)
{
	struct rig_queue *q = queue_open(0, 4, 4, 9), *small = queue_open(1, 2, 4, 9);
	struct rig_cqe cqe;

	eq_open(MB_AEQC, ring_alloc(256), 64);
	/* the device's room, then the ring's */
	for (int i = 0; i < 2; i++)
		push(q, &copy);
	push_words(q, &copy, 8);
	wait_ns(500);
	ck_assert(metric("accel.qm.bad_doorbells") == 1);
	push(small, &copy);
	push_words(small, &copy, 8);
	wait_ns(500);
	ck_assert(metric("accel.qm.bad_doorbells") == 2);
	ck_assert_uint_eq(rig.aeq_irqs, 2);
	/* a queue that is not ready */
	push_words(&(struct rig_queue){.number = 9}, &copy, 8);
	wait_ns(500);
	ck_assert_uint_eq(rig.aeq_irqs, 3);
	enable();
	ck_assert(receive(q, &cqe, SIM_US(10)) && receive(q, &cqe, SIM_US(10)));
	ck_assert(receive(small, &cqe, SIM_US(10)));
	ck_assert(!receive(q, &cqe, SIM_US(1)) && !receive(small, &cqe, 0));
}

START_TEST(test_push_without_room_is_ignored_and_reported)
{
	rig_init();
	rig.params.push_entries = 2;
	rig_run(body_full);
}
END_TEST

static void body_none(void)
{
	struct rig_queue *q;
	struct rig_cqe cqe;

	enable();
	q = queue_open(0, 4, 4, 9);
	ck_assert_uint_eq(mmio_read(push_line(0), 4), 0);
	push_words(q, &copy, 8);
	ck_assert(!receive(q, &cqe, SIM_US(5)));
	ck_assert(metric("accel.qm.bad_doorbells") == 0);
}

START_TEST(test_without_a_push_window_stores_do_nothing)
{
	rig_init();
	rig_run(body_none);
}
END_TEST

/* Stopped or reset with pushed entries waiting: they are gone, and the next user of the queue finds none. */
static bool with_reset;

static void body_stop(void)
{
	struct rig_queue *q = queue_open(0, 8, 8, 9);
	struct rig_cqe cqe;

	for (int i = 0; i < 5; i++)
		push(q, &copy);
	if (with_reset) {
		mmio_write(0x18, 0, 4);
	} else {
		ck_assert_int_eq(mailbox(MB_STOP_QP, 0, 0, SIM_US(5)), 0);
		for (uint32_t i = 0; i < 5; i++)
			ck_assert_uint_eq(sqe_at(q, i)->status, 0x84);
	}
	q = queue_open(0, 8, 8, 9);
	enable();
	send(q, &copy);
	ck_assert(receive(q, &cqe, SIM_US(10)));
	ck_assert(!receive(q, &cqe, SIM_US(5)));
	ck_assert(metric("accel.sqes_fetched") == 1);
}

START_TEST(test_stop_and_reset_drop_what_was_pushed)
{
	with_reset = _i;
	rig_init();
	rig.params.push_entries = 8;
	rig_run(body_stop);
}
END_TEST

Suite *push_suite(void)
{
	Suite *suite = suite_create("push");
	TCase *tc = tcase_create("push");

	tcase_add_test(tc, test_pushed_requests_complete_like_others);
	tcase_add_test(tc, test_pushed_request_waits_for_no_fetch);
	tcase_add_test(tc, test_pushed_and_fetched_keep_their_order);
	tcase_add_test(tc, test_push_without_room_is_ignored_and_reported);
	tcase_add_test(tc, test_without_a_push_window_stores_do_nothing);
	tcase_add_loop_test(tc, test_stop_and_reset_drop_what_was_pushed, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}
