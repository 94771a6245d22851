/* SPDX-License-Identifier: BSD-3-Clause */
/* Choices of the hardware: arbitration, order of completion, who waits for a late transaction, coalescing. */
#include "rig.h"

#define SRC (RIG_DATA + 0x100000u)
#define DST (RIG_DATA + 0x2000000u)

static const struct rig_sqe copy_64 = {
	.opcode = OP_COPY, .length = 64, .source = SRC + 65536, .destination = DST + 65536};
static const struct rig_sqe stalls = {
	.opcode = OP_COPY, .length = 64, .source = SRC, .destination = DST};

static void stall_source(void)
{
	rig.stall_from = SRC;
	rig.stall_to = SRC + 64;
}

/* As queue_open(), with weight and priority in the SQ context. */
static struct rig_queue *queue_open_as(uint32_t number, uint32_t depth, uint32_t w5)
{
	struct rig_queue *q = queue_open(number, depth, depth, 0);

	ck_assert_int_eq(mailbox(MB_STOP_QP, number, 0, SIM_US(5)), 0);
	ck_assert_int_eq(load_context(MB_CQC, number, q->cq, (depth - 1) << 16, 0, 0, 0), 0);
	ck_assert_int_eq(load_context(MB_SQC, number, q->sq, (depth - 1) << 16 | 6, number, 0, w5),
			 0);
	return q;
}

static void put_many(struct rig_queue *q, const struct rig_sqe *sqe, uint32_t count)
{
	while (count--)
		put(q, sqe);
}

/* ---- arbitration ------------------------------------------------------------------------------------ */

static void body_weights_ignored(void)
{
	for (uint32_t n = 0; n < 2; n++) {
		put_many(queue_open_as(n, 128, n ? 3 : 1), &copy_64, 100);
		doorbell(DB_SQ, n, 100, 0);
	}
	enable();
	wait_ns(200000);
	ck_assert_uint_eq(rig.fetches, 200);
	for (uint32_t i = 0; i < 200; i++)
		ck_assert_uint_eq(rig.fetch_order[i], i % 2);
}

START_TEST(test_round_robin_ignores_weights)
{
	rig_init();
	rig.params.arbitration = ACCEL_ROUND_ROBIN;
	rig.params.sqe_prefetch = 256;
	rig.params.sqe_buffers = 1024;
	rig_run(body_weights_ignored);
}
END_TEST

/* Queue 1 by its context, queue 2 by its doorbell, queue 3 by both: the higher one counts. */
static void body_priority(void)
{
	static const uint32_t contexts[] = {0, 4, 0, 6}, doorbells[] = {0, 0, 5, 2};
	static const uint32_t order[] = {3, 2, 1, 0};

	for (uint32_t n = 0; n < 4; n++) {
		put_many(queue_open_as(n, 128, contexts[n] << 16), &copy_64, 20);
		doorbell(DB_SQ, n, 20, doorbells[n]);
	}
	enable();
	wait_ns(100000);
	ck_assert_uint_eq(rig.fetches, 80);
	for (uint32_t i = 0; i < 80; i++)
		ck_assert_uint_eq(rig.fetch_order[i], order[i / 20]);
	/* a doorbell changes the priority of what already waits */
	for (uint32_t n = 0; n < 4; n++)
		put_many(&rig.queues[n], &copy_64, 40);
	rig.fetches = 0;
	for (uint32_t n = 0; n < 4; n++)
		doorbell(DB_SQ, n, 60, 0);
	doorbell(DB_SQ, 0, 60, 7);
	wait_ns(100000);
	ck_assert_uint_eq(rig.fetches, 160);
	ck_assert_uint_eq(rig.fetch_order[159], 2);
}

START_TEST(test_priority_is_strict)
{
	rig_init();
	rig.params.arbitration = ACCEL_PRIORITY;
	rig.params.sqe_prefetch = 256;
	rig.params.sqe_buffers = 1024;
	rig_run(body_priority);
}
END_TEST

/* Every queue full, rings wrap. */
static void body_many(void)
{
	enable();
	for (uint32_t n = 0; n < RIG_QUEUES; n++)
		queue_open_as(n, 4, (n % 8) << 16 | n % 5);
	for (int round = 0; round < 3; round++) {
		for (uint32_t n = 0; n < RIG_QUEUES; n++) {
			put_many(&rig.queues[n], &copy_64, 3);
			doorbell(DB_SQ, n, rig.queues[n].tail, n % 3);
		}
		for (uint32_t n = 0; n < RIG_QUEUES; n++) {
			struct rig_cqe cqe;

			for (int i = 0; i < 3; i++)
				ck_assert(receive(&rig.queues[n], &cqe, SIM_MS(1)));
			free_cqes(&rig.queues[n], false);
		}
	}
	ck_assert_uint_eq(rig.vectors, 9 * RIG_QUEUES);
	ck_assert(metric("accel.qm.bad_doorbells") == 0);
	ck_assert(metric("accel.sqe_buffers.queue_max") <= 3 * RIG_QUEUES);
	ck_assert(wait_idle(SIM_US(10)));
}

START_TEST(test_1024_full_queues_with_each_arbitration_and_order)
{
	rig_init();
	rig.params.arbitration = (uint32_t)_i % 3;
	rig.params.completion = (uint32_t)_i / 3;
	rig_run(body_many);
}
END_TEST

/* ---- order of completion -------------------------------------------------------------------------------- */

static void body_order(void)
{
	struct rig_queue *q;
	uint32_t sent = 0;

	enable();
	q = queue_open(0, 16, 16, 9);
	rig.fail_from = SRC + 32768;
	rig.fail_to = SRC + 32768 + 64;
	for (uint32_t i = 0; i < 300; i++) {
		struct rig_cqe cqe;

		for (; sent < 300 && sent < i + 15; sent++) {
			struct rig_sqe sqe = copy_64;

			sqe.tag = (uint16_t)sent;
			sqe.length = 1 + sent * 2477 % 9000;
			sqe.opcode = sent % 23 == 0 ? 99 : 1 + sent % 2;
			if (sent % 9 == 0)
				sqe.source = SRC + 32768;
			send(q, &sqe);
		}
		ck_assert(receive(q, &cqe, SIM_US(50)));
		ck_assert_uint_eq(cqe.tag, i);
		ck_assert_uint_eq(cqe.index, i % 16);
		free_cqes(q, false);
	}
}

START_TEST(test_completions_come_in_the_order_of_the_ring)
{
	rig_init();
	rig.params.completion = ACCEL_COMPLETION_IN_ORDER;
	rig.jitter = 2000000;
	rig_run(body_order);
}
END_TEST

/* A queue whose oldest request stalls fetches what it may hold back, and leaves the others alone. */
static void body_reorder(void)
{
	struct rig_queue *q[2];
	struct rig_cqe cqe;

	enable();
	q[0] = queue_open(0, 256, 256, 9);
	q[1] = queue_open(1, 256, 256, 10);
	stall_source();
	put(q[0], &stalls);
	put_many(q[0], &copy_64, 200);
	doorbell(DB_SQ, 0, 201, 0);
	wait_ns(50000);
	ck_assert_uint_eq(rig.fetches, 16);
	for (int i = 0; i < 100; i++) {
		send(q[1], &copy_64);
		ck_assert(receive(q[1], &cqe, SIM_US(5)));
		free_cqes(q[1], false);
	}
	ck_assert(!receive(q[0], &cqe, 0));
	rig_release(SIM_OK);
	for (uint32_t i = 0; i < 201; i++) {
		ck_assert(receive(q[0], &cqe, SIM_US(20)));
		ck_assert_uint_eq(cqe.index, i);
	}
}

START_TEST(test_stalled_head_holds_back_its_own_queue_alone)
{
	rig_init();
	rig.params.completion = ACCEL_COMPLETION_IN_ORDER;
	rig.params.reorder_entries = 16;
	rig_run(body_reorder);
}
END_TEST

static bool with_reset;

static void body_order_stop(void)
{
	struct rig_queue *q;
	struct rig_cqe cqe;
	uint32_t aborted = 0, received = 0;

	enable();
	q = queue_open(0, 256, 256, 9);
	stall_source();
	put(q, &stalls);
	put_many(q, &copy_64, 100);
	doorbell(DB_SQ, 0, 101, 0);
	wait_ns(20000);
	ck_assert_int_eq(mailbox(MB_STOP_QP, 0, 0, SIM_US(5)), -1);
	if (with_reset) {
		mmio_write(0x18, 0, 4);
		rig_release(SIM_OK);
		ck_assert(wait_idle(SIM_US(20)));
		enable();
		q = queue_open(0, 16, 16, 9);
		send(q, &copy_64);
		ck_assert(receive(q, &cqe, SIM_US(5)));
		return;
	}
	rig_release(SIM_OK);
	wait_ns(20000);
	for (uint32_t i = 0; i < 101; i++)
		aborted += sqe_at(q, i)->status == 0x84;
	while (receive(q, &cqe, 0))
		received++;
	ck_assert_uint_eq(aborted + received, 101);
	ck_assert_uint_ge(received, 2);
	ck_assert(wait_idle(SIM_US(1)));
}

START_TEST(test_held_completions_survive_a_stop_and_not_a_reset)
{
	rig_init();
	rig.params.completion = ACCEL_COMPLETION_IN_ORDER;
	rig.reuses_slots = with_reset = _i;
	rig_run(body_order_stop);
}
END_TEST

/* ---- who waits for a late transaction ------------------------------------------------------------------- */

/* A request of queue 0 stalls; then each of these sends another. How far they get before it is released: */
static const struct {
	const char *blocks;
	uint32_t mode, engines_copy;
	bool same_queue, other_queue, other_type;
} late[] = {
	{"transaction", ACCEL_BLOCKS_TRANSACTION, 1, true, true, true},
	{"DMA port", ACCEL_BLOCKS_DMA_PORT, 4, false, false, false},
	{"engine", ACCEL_BLOCKS_ENGINE, 1, false, false, true},
	{"engine, with another", ACCEL_BLOCKS_ENGINE, 2, true, true, true},
	{"queue", ACCEL_BLOCKS_QUEUE, 4, false, true, true},
};
static int late_case;

static void expect_progress(struct rig_queue *q, bool expected)
{
	struct rig_cqe cqe;

	ck_assert_msg(receive(q, &cqe, SIM_US(10)) == expected, "%s: queue %u",
		      late[late_case].blocks, q->number);
}

static void body_late(void)
{
	const struct rig_sqe crc = {.opcode = OP_CRC32C, .length = 64, .source = SRC + 65536};
	struct rig_queue *q[3];
	struct rig_cqe cqe;
	uint32_t late_ones;

	enable();
	for (uint32_t n = 0; n < 3; n++)
		q[n] = queue_open(n, 16, 16, 9 + n);
	stall_source();
	send(q[0], &stalls);
	wait_ns(2000);
	ck_assert_uint_eq(rig.stalled, 1);
	send(q[0], &copy_64);
	send(q[1], &copy_64);
	send(q[2], &crc);
	expect_progress(q[0], late[late_case].same_queue);
	expect_progress(q[1], late[late_case].other_queue);
	expect_progress(q[2], late[late_case].other_type);
	late_ones = 1 + !late[late_case].same_queue + !late[late_case].other_queue +
		    !late[late_case].other_type;
	rig_release(SIM_OK);
	wait_ns(5000);
	for (uint32_t n = 0; n < 3; n++)
		while (receive(q[n], &cqe, 0))
			late_ones--;
	ck_assert_uint_eq(late_ones, 0);
	ck_assert(wait_idle(SIM_US(1)));
}

START_TEST(test_late_transaction_blocks_what_it_is_set_to_block)
{
	late_case = _i;
	rig_init();
	rig.params.fault_blocks = late[_i].mode;
	rig.params.engines_copy = late[_i].engines_copy;
	rig_run(body_late);
}
END_TEST

/* ---- coalescing of interrupts --------------------------------------------------------------------------- */

static void complete_one(uint32_t number)
{
	struct rig_queue *q = &rig.queues[number];
	struct rig_cqe cqe;

	free_cqes(q, true);
	send(q, &copy_64);
	ck_assert(receive(q, &cqe, SIM_US(10)));
	wait_ns(500);
}

static void body_coalesce(void)
{
	eq_open(MB_EQC, ring_alloc(256), 64);
	enable();
	for (uint32_t n = 0; n < 8; n++)
		queue_open(n, 8, 8, 0);
	/* by count */
	for (uint32_t n = 0; n < 3; n++)
		complete_one(n);
	ck_assert(metric("accel.eq.written") == 3);
	ck_assert_uint_eq(rig.eq_irqs, 0);
	complete_one(3);
	ck_assert_uint_eq(rig.eq_irqs, 1);
	doorbell(DB_EQ, 0, 4, 0);
	wait_ns(100000);
	ck_assert_uint_eq(rig.eq_irqs, 1);
	/* by time */
	complete_one(4);
	wait_ns(45000);
	ck_assert_uint_eq(rig.eq_irqs, 1);
	wait_ns(6000);
	ck_assert_uint_eq(rig.eq_irqs, 2);
	doorbell(DB_EQ, 0, 5, 0);
	/* software that takes an entry before its interrupt has none */
	complete_one(5);
	doorbell(DB_EQ, 0, 6, 0);
	wait_ns(100000);
	ck_assert_uint_eq(rig.eq_irqs, 2);
	/* one of two taken: the other's still comes */
	complete_one(6);
	complete_one(7);
	doorbell(DB_EQ, 0, 7, 0);
	ck_assert_uint_eq(rig.eq_irqs, 2);
	wait_ns(100000);
	ck_assert_uint_eq(rig.eq_irqs, 3);
	/* entries that had their interrupt and were left: again, at once */
	doorbell(DB_EQ, 0, 7, 0);
	ck_assert_uint_eq(rig.eq_irqs, 4);
	/* errors do not wait */
	eq_open(MB_AEQC, ring_alloc(256), 64);
	doorbell(DB_SQ, 900, 0, 0);
	wait_ns(500);
	ck_assert_uint_eq(rig.aeq_irqs, 1);
}

START_TEST(test_completion_events_share_interrupts)
{
	rig_init();
	rig.params.eq_coalesce_count = 4;
	rig.params.eq_coalesce_ns = 50000;
	rig_run(body_coalesce);
}
END_TEST

static void body_coalesce_reset(void)
{
	eq_open(MB_EQC, ring_alloc(256), 64);
	enable();
	queue_open(0, 8, 8, 0);
	complete_one(0);
	mmio_write(0x18, 0, 4);
	wait_ns(100000);
	ck_assert_uint_eq(rig.eq_irqs, 0);
}

START_TEST(test_reset_drops_events_without_an_interrupt)
{
	rig_init();
	rig.params.eq_coalesce_count = 4;
	rig.params.eq_coalesce_ns = 50000;
	rig_run(body_coalesce_reset);
}
END_TEST

Suite *policy_suite(void)
{
	Suite *suite = suite_create("policies");
	TCase *tc = tcase_create("policies");

	tcase_add_test(tc, test_round_robin_ignores_weights);
	tcase_add_test(tc, test_priority_is_strict);
	tcase_add_loop_test(tc, test_1024_full_queues_with_each_arbitration_and_order, 0, 6);
	tcase_add_test(tc, test_completions_come_in_the_order_of_the_ring);
	tcase_add_test(tc, test_stalled_head_holds_back_its_own_queue_alone);
	tcase_add_loop_test(tc, test_held_completions_survive_a_stop_and_not_a_reset, 0, 2);
	tcase_add_loop_test(tc, test_late_transaction_blocks_what_it_is_set_to_block, 0,
			    sizeof(late) / sizeof(late[0]));
	tcase_add_test(tc, test_completion_events_share_interrupts);
	tcase_add_test(tc, test_reset_drops_events_without_an_interrupt);
	suite_add_tcase(suite, tc);
	return suite;
}
