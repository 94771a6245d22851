/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings, doorbells, arbitration, events: what happens around a request. */
#include "rig.h"

#define SRC (RIG_DATA + 0x10000u)
#define DST (RIG_DATA + 0x2000000u)

static const struct rig_sqe copy_64 = {
	.opcode = OP_COPY, .length = 64, .source = SRC, .destination = DST};

/* ---- the life of a request ------------------------------------------------------------------------- */

static void body_life(void)
{
	static const uint8_t stages[] = {REQUEST_DOORBELL, REQUEST_FETCH,    REQUEST_FETCHED,
					 REQUEST_ENGINE,   REQUEST_EXECUTED, REQUEST_COMPLETED};
	struct rig_sqe sqe = copy_64;
	struct rig_queue *q;
	struct rig_cqe cqe;

	enable();
	q = queue_open(0, 16, 16, 77);
	sqe.tag = 0xbeef;
	sqe.length = 4096;
	fill(SRC, 4096, 1);
	send(q, &sqe);
	ck_assert(receive(q, &cqe, SIM_US(20)));
	wait_ns(500);
	ck_assert_uint_eq(cqe.tag, 0xbeef);
	ck_assert_uint_eq(cqe.index, 0);
	ck_assert_uint_eq(sqe_at(q, 0)->status, 1);
	ck_assert_uint_eq(sqe_at(q, 0)->bytes_done, 4096);
	ck_assert_uint_eq(sqe_at(q, 0)->opcode, OP_COPY);
	ck_assert_mem_eq(rig.ram + SRC, rig.ram + DST, 4096);
	ck_assert_uint_eq(rig.stamps, sizeof(stages));
	ck_assert_mem_eq(rig.stages, stages, sizeof(stages));
	ck_assert(metric("accel.requests.by_status.success") == 1);
	ck_assert(metric("accel.sqes_fetched") == 1);
	ck_assert(metric("accel.cqes_written") == 1);
	ck_assert(metric("accel.doorbells.sq") == 1);
	/* 256 cycles of 1 ns */
	ck_assert(metric("accel.engines.copy.busy_ps") == 256000);
	ck_assert_uint_eq(mmio_read(0x1c, 4), 1);
}

START_TEST(test_request_goes_from_doorbell_to_completion)
{
	rig_init();
	rig.immediate = _i;
	rig_run(body_life);
}
END_TEST

static void body_not_enabled(void)
{
	struct rig_queue *q = queue_open(0, 16, 16, 0);
	struct rig_cqe cqe;

	send(q, &copy_64);
	ck_assert(!receive(q, &cqe, SIM_US(5)));
	enable();
	ck_assert(receive(q, &cqe, SIM_US(5)));
}

START_TEST(test_nothing_is_fetched_before_enable)
{
	rig_init();
	rig_run(body_not_enabled);
}
END_TEST

/* ---- rings ------------------------------------------------------------------------------------------- */

/* Keeps the ring as full as it may be, in every combination of depths. */
static void wrap_rings(uint32_t number, uint32_t sq_depth, uint32_t cq_depth, uint32_t total)
{
	struct rig_queue *q = queue_open(number, sq_depth, cq_depth, 0);
	uint32_t sent = 0, received = 0;
	bool seen[256] = {false};

	while (received < total) {
		struct rig_sqe sqe = copy_64;
		struct rig_cqe cqe;

		while (sent < total && sent - received < sq_depth - 1) {
			sqe.tag = (uint16_t)sent++;
			send(q, &sqe);
		}
		ck_assert_msg(receive(q, &cqe, SIM_US(50)), "%u of %u", received, total);
		ck_assert_uint_eq(cqe.index, cqe.tag % sq_depth);
		ck_assert(!seen[cqe.tag]);
		seen[cqe.tag] = true;
		received++;
		free_cqes(q, false);
	}
	ck_assert(wait_idle(SIM_US(5)));
}

static void body_wrap(void)
{
	static const uint32_t depths[][2] = {{2, 2}, {2, 16}, {16, 2}, {16, 16}, {5, 7}, {7, 3}};

	enable();
	for (uint32_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
		wrap_rings(i, depths[i][0], depths[i][1], 100);
	ck_assert(metric("accel.qm.bad_doorbells") == 0);
}

START_TEST(test_rings_wrap_with_their_phase)
{
	rig_init();
	rig.jitter = _i ? 300000 : 0;
	rig.reuses_slots = true;
	rig_run(body_wrap);
}
END_TEST

static void body_full_cq(void)
{
	struct rig_queue *small, *other;
	struct rig_cqe cqe;

	enable();
	small = queue_open(0, 16, 4, 0);
	other = queue_open(1, 16, 16, 0);
	for (int i = 0; i < 10; i++)
		send(small, &copy_64);
	wait_ns(20000);
	ck_assert(metric("accel.cqes_written") == 3);
	/* the others go on */
	for (int i = 0; i < 10; i++)
		send(other, &copy_64);
	for (int i = 0; i < 10; i++)
		ck_assert(receive(other, &cqe, SIM_US(10)));
	for (int i = 0; i < 10; i++) {
		ck_assert(receive(small, &cqe, SIM_US(10)));
		free_cqes(small, false);
	}
}

START_TEST(test_full_cq_holds_up_its_own_queue_alone)
{
	rig_init();
	rig_run(body_full_cq);
}
END_TEST

/* ---- arbitration --------------------------------------------------------------------------------------- */

static void body_fair(void)
{
	uint32_t counts[RIG_QUEUES] = {0};

	for (uint32_t n = 0; n < RIG_QUEUES; n++) {
		struct rig_queue *q = queue_open(n, 8, 8, 0);

		for (int i = 0; i < 5; i++)
			put(q, &copy_64);
		doorbell(DB_SQ, n, q->tail, 0);
	}
	enable();
	while (metric("accel.cqes_written") < 5 * RIG_QUEUES)
		wait_ns(10000);
	ck_assert_uint_eq(rig.fetches, 5 * RIG_QUEUES);
	for (uint32_t i = 0; i < rig.fetches; i++)
		ck_assert_uint_eq(counts[rig.fetch_order[i]]++, i / RIG_QUEUES);
}

START_TEST(test_1024_queues_take_turns)
{
	rig_init();
	rig.params.sqe_prefetch = 256;
	rig_run(body_fair);
}
END_TEST

static void body_weights(void)
{
	uint32_t counts[2] = {0};

	for (uint32_t n = 0; n < 2; n++) {
		struct rig_queue *q = queue_open(n, 128, 128, 0);

		ck_assert_int_eq(mailbox(MB_STOP_QP, n, 0, SIM_US(5)), 0);
		ck_assert_int_eq(load_context(MB_CQC, n, q->cq, 127 << 16, 0, 0, 0), 0);
		ck_assert_int_eq(load_context(MB_SQC, n, q->sq, 127 << 16 | 6, n, 0, n ? 3 : 1), 0);
		for (int i = 0; i < 100; i++)
			put(q, &copy_64);
		doorbell(DB_SQ, n, q->tail, 0);
	}
	enable();
	wait_ns(200000);
	for (uint32_t i = 0; i < 80; i++)
		counts[rig.fetch_order[i]]++;
	ck_assert_uint_eq(counts[0], 20);
	ck_assert_uint_eq(counts[1], 60);
}

START_TEST(test_weight_is_a_share_of_the_fetches)
{
	rig_init();
	rig.params.sqe_prefetch = 256;
	rig.params.sqe_buffers = 1024;
	rig_run(body_weights);
}
END_TEST

/* ---- doorbells ------------------------------------------------------------------------------------------ */

struct doorbell_case {
	const char *what;
	uint64_t offset;
	uint64_t value;
	uint32_t aeqes; /* how many of them are reported */
};

#define DB(sqn, command, index)                                                                    \
	((uint64_t)(sqn) | (uint64_t)(command) << 12 | (uint64_t)(index) << 32)
#define WINDOW(n) (QM_WINDOWS + (n)*0x10000ull + 0x1000)

static const struct doorbell_case bad_doorbells[] = {
	{"SQ index outside the ring", WINDOW(0), DB(0, DB_SQ, 8), 1},
	{"CQ index outside the ring", WINDOW(0), DB(0, DB_CQ, 16), 1},
	{"CQ head beyond its tail", WINDOW(0), DB(0, DB_CQ, 1), 1},
	{"queue without context", WINDOW(1), DB(1, DB_SQ, 1), 1},
	{"queue without SQ context", WINDOW(2), DB(2, DB_CQ, 0), 1},
	{"EQ in a user window", WINDOW(0), DB(0, DB_EQ, 0), 1},
	{"AEQ in a user window", WINDOW(0), DB(0, DB_AEQ, 0), 1},
	{"another queue's window", WINDOW(3), DB(0, DB_SQ, 1), 1},
	{"no such command", WINDOW(0), DB(0, 9, 1), 1},
	{"SQ at the EQ's doorbell", 0x2000, DB(0, DB_SQ, 1), 1},
	{"EQ index outside the ring", 0x2000, DB(0, DB_EQ, 64), 1},
	{"EQ head beyond its tail", 0x2000, DB(0, DB_EQ, 3), 1},
	{"no such queue", 0x2000, DB(1000, DB_SQ, 0), 0},
};

static void body_bad_doorbells(void)
{
	uint64_t aeq = ring_alloc(1024);
	uint32_t reported = 0;

	eq_open(MB_EQC, ring_alloc(256), 64);
	eq_open(MB_AEQC, aeq, 256);
	enable();
	queue_open(0, 8, 16, 0);
	ck_assert_int_eq(load_context(MB_CQC, 2, ring_alloc(128), 7 << 16, 0, 0, 0), 0);
	for (size_t i = 0; i < sizeof(bad_doorbells) / sizeof(bad_doorbells[0]); i++) {
		const struct doorbell_case *c = &bad_doorbells[i];

		mmio_write(c->offset, c->value, 8);
		wait_ns(500);
		reported += c->aeqes;
		ck_assert_msg((uint64_t)metric("accel.qm.bad_doorbells") == i + 1, "%s", c->what);
		ck_assert_msg(rig.aeq_irqs == reported, "%s", c->what);
	}
	/* type 0, phase 1, and the queue whose window it was */
	for (uint32_t i = 0; i < reported; i++)
		ck_assert_uint_eq(load_le32_at(aeq + 4 * i) >> 16, 1);
	ck_assert_uint_eq(load_le32_at(aeq + 4 * 7) & 0xffff, 3);
	ck_assert(metric("accel.sqes_fetched") == 0);
}

START_TEST(test_bad_doorbells_are_ignored_counted_and_reported)
{
	rig_init();
	rig.params.qp_count = 512;
	rig_run(body_bad_doorbells);
}
END_TEST

static void body_v2(void)
{
	struct rig_queue *a, *b;
	struct rig_cqe cqe;

	enable();
	a = queue_open(3, 8, 8, 0);
	b = queue_open(1000, 8, 8, 0);
	send(a, &copy_64);
	send(b, &copy_64);
	ck_assert(receive(a, &cqe, SIM_US(10)) && receive(b, &cqe, SIM_US(10)));
	doorbell(DB_SQ, 4, 1, 0);
	ck_assert(metric("accel.qm.bad_doorbells") == 1);
}

START_TEST(test_v2_has_one_window_for_all_queues)
{
	rig_init();
	rig.params.version = ACCEL_V2;
	rig_run(body_v2);
}
END_TEST

static void body_backward_tail(void)
{
	struct rig_queue *q = queue_open(0, 16, 16, 0);

	for (int i = 0; i < 8; i++)
		put(q, &copy_64);
	doorbell(DB_SQ, 0, 8, 0);
	doorbell(DB_SQ, 0, 2, 0);
	enable();
	wait_ns(10000);
	ck_assert(metric("accel.cqes_written") == 2);
	ck_assert(wait_idle(SIM_US(1)));
}

START_TEST(test_tail_that_moves_back_takes_entries_away)
{
	rig_init();
	rig_run(body_backward_tail);
}
END_TEST

/* ---- events ------------------------------------------------------------------------------------------------ */

static void body_arm(void)
{
	uint64_t eq = ring_alloc(16);
	struct rig_queue *q;
	struct rig_cqe cqe;

	eq_open(MB_EQC, eq, 4);
	enable();
	q = queue_open(5, 16, 16, 0);
	/* not armed: no event */
	send(q, &copy_64);
	wait_ns(5000);
	ck_assert_uint_eq(rig.eq_irqs, 0);
	/* armed with an entry beyond the head: at once, once */
	free_cqes(q, true);
	wait_ns(5000);
	ck_assert_uint_eq(rig.eq_irqs, 1);
	ck_assert_uint_eq(load_le32_at(eq), 5 | 1u << 16);
	send(q, &copy_64);
	wait_ns(5000);
	ck_assert_uint_eq(rig.eq_irqs, 1);
	/* armed without an entry: with the next one */
	ck_assert(receive(q, &cqe, 0) && receive(q, &cqe, 0));
	free_cqes(q, true);
	wait_ns(5000);
	ck_assert_uint_eq(rig.eq_irqs, 1);
	send(q, &copy_64);
	send(q, &copy_64);
	wait_ns(5000);
	ck_assert_uint_eq(rig.eq_irqs, 2);
	/* entries remain beyond the head: again */
	doorbell(DB_EQ, 0, 1, 0);
	ck_assert_uint_eq(rig.eq_irqs, 3);
	doorbell(DB_EQ, 0, 2, 0);
	ck_assert_uint_eq(rig.eq_irqs, 3);
	ck_assert(metric("accel.eq.written") == 2);
}

START_TEST(test_armed_cq_gives_one_event)
{
	rig_init();
	rig_run(body_arm);
}
END_TEST

static void body_eq_wrap(void)
{
	uint64_t eq = ring_alloc(16);
	struct rig_queue *q;
	struct rig_cqe cqe;

	eq_open(MB_EQC, eq, 3);
	enable();
	q = queue_open(7, 8, 8, 0);
	for (uint32_t i = 0; i < 20; i++) {
		free_cqes(q, true);
		send(q, &copy_64);
		ck_assert(receive(q, &cqe, SIM_US(10)));
		wait_ns(500);
		ck_assert_uint_eq(rig.eq_irqs, i + 1);
		ck_assert_uint_eq(load_le32_at(eq + i % 3 * 4), 7u | (i / 3 % 2 ? 0u : 1u << 16));
		doorbell(DB_EQ, 0, (i + 1) % 3, 0);
	}
}

START_TEST(test_eq_wraps_with_its_phase)
{
	rig_init();
	rig_run(body_eq_wrap);
}
END_TEST

static void body_eq_full(void)
{
	struct rig_queue *q[3];
	struct rig_cqe cqe;

	eq_open(MB_EQC, ring_alloc(8), 2);
	enable();
	for (uint32_t i = 0; i < 3; i++) {
		q[i] = queue_open(i, 8, 8, 0);
		free_cqes(q[i], true);
		send(q[i], &copy_64);
		ck_assert(receive(q[i], &cqe, SIM_US(10)));
		wait_ns(500);
	}
	ck_assert(metric("accel.eq.written") == 1);
	ck_assert(metric("accel.eq.dropped") == 2);
	/* queue 1 looks for itself and has nothing left; queue 2 still waits for its event */
	free_cqes(q[1], false);
	doorbell(DB_EQ, 0, 1, 0);
	wait_ns(500);
	ck_assert(metric("accel.eq.written") == 2);
	ck_assert_uint_eq(rig.eq_irqs, 2);
	doorbell(DB_EQ, 0, 0, 0);
	wait_ns(500);
	ck_assert(metric("accel.eq.written") == 2);
	/* queue 1 is armed as before */
	send(q[1], &copy_64);
	wait_ns(5000);
	ck_assert(metric("accel.eq.written") == 3);
}

START_TEST(test_armed_cq_stays_armed_while_the_eq_is_full)
{
	rig_init();
	rig_run(body_eq_full);
}
END_TEST

/* ---- bus errors on rings -------------------------------------------------------------------------------------- */

static void body_unreadable_sqe(void)
{
	uint64_t aeq = ring_alloc(64);
	struct rig_queue *q, *other;
	struct rig_cqe cqe;

	eq_open(MB_AEQC, aeq, 16);
	enable();
	q = queue_open(9, 16, 16, 0);
	other = queue_open(10, 16, 16, 0);
	rig.fail_from = q->sq + 64;
	rig.fail_to = q->sq + 128;
	for (int i = 0; i < 4; i++)
		put(q, &copy_64);
	doorbell(DB_SQ, 9, 4, 0);
	wait_ns(10000);
	ck_assert_uint_eq(load_le32_at(aeq), 9 | 1u << 16 | 1u << 17);
	ck_assert(metric("accel.sqe_read_errors") == 1);
	ck_assert(receive(q, &cqe, 0));
	/* it takes no more, and still lets its completions be freed */
	doorbell(DB_SQ, 9, 5, 0);
	ck_assert(metric("accel.qm.bad_doorbells") == 1);
	free_cqes(q, false);
	ck_assert(metric("accel.qm.bad_doorbells") == 1);
	send(other, &copy_64);
	ck_assert(receive(other, &cqe, SIM_US(10)));
	ck_assert_int_eq(mailbox(MB_STOP_QP, 9, 0, SIM_US(10)), 0);
}

START_TEST(test_unreadable_sqe_stops_its_queue_alone)
{
	rig_init();
	rig_run(body_unreadable_sqe);
}
END_TEST

static void body_unwritable(void)
{
	uint64_t aeq = ring_alloc(64);
	struct rig_queue *q;
	struct rig_cqe cqe;

	eq_open(MB_AEQC, aeq, 16);
	enable();
	q = queue_open(2, 16, 16, 0);
	rig.fail_from = q->cq;
	rig.fail_to = q->cq + 16;
	send(q, &copy_64);
	wait_ns(5000);
	ck_assert_uint_eq(load_le32_at(aeq), 2 | 1u << 16 | 2u << 17);
	ck_assert(metric("accel.write_errors") == 1);
	ck_assert(metric("accel.cqes_written") == 0);
	/* the entry is lost, the queue goes on */
	q->cq_head = 1;
	send(q, &copy_64);
	ck_assert(receive(q, &cqe, SIM_US(10)));
	/* a status write-back that fails does not keep the CQE back */
	rig.fail_writes_only = true;
	rig.fail_from = q->sq + 2 * 64 + 32;
	rig.fail_to = q->sq + 3 * 64;
	send(q, &copy_64);
	ck_assert(receive(q, &cqe, SIM_US(10)));
	ck_assert(metric("accel.write_errors") == 2);
	/* an AEQE that cannot be written is counted */
	rig.fail_from = aeq;
	rig.fail_to = aeq + 64;
	doorbell(DB_SQ, 2, 999, 0);
	wait_ns(500);
	ck_assert(metric("accel.aeq.write_errors") == 1);
}

START_TEST(test_unwritable_cqe_is_reported)
{
	rig_init();
	rig_run(body_unwritable);
}
END_TEST

static void body_aeq_full(void)
{
	eq_open(MB_AEQC, ring_alloc(16), 4);
	for (int i = 0; i < 10; i++)
		doorbell(DB_SQ, 0, 0, 0);
	wait_ns(1000);
	ck_assert(metric("accel.aeq.written") == 3);
	ck_assert(metric("accel.aeq.dropped") == 7);
	doorbell(DB_AEQ, 0, 3, 0);
	doorbell(DB_SQ, 0, 0, 0);
	wait_ns(1000);
	ck_assert(metric("accel.aeq.written") == 4);
}

START_TEST(test_full_aeq_drops_and_counts)
{
	rig_init();
	rig_run(body_aeq_full);
}
END_TEST

Suite *queue_suite(void)
{
	Suite *suite = suite_create("queues");
	TCase *tc = tcase_create("queues");

	tcase_add_loop_test(tc, test_request_goes_from_doorbell_to_completion, 0, 2);
	tcase_add_test(tc, test_nothing_is_fetched_before_enable);
	tcase_add_loop_test(tc, test_rings_wrap_with_their_phase, 0, 2);
	tcase_add_test(tc, test_full_cq_holds_up_its_own_queue_alone);
	tcase_add_test(tc, test_1024_queues_take_turns);
	tcase_add_test(tc, test_weight_is_a_share_of_the_fetches);
	tcase_add_test(tc, test_bad_doorbells_are_ignored_counted_and_reported);
	tcase_add_test(tc, test_v2_has_one_window_for_all_queues);
	tcase_add_test(tc, test_tail_that_moves_back_takes_entries_away);
	tcase_add_test(tc, test_armed_cq_gives_one_event);
	tcase_add_test(tc, test_eq_wraps_with_its_phase);
	tcase_add_test(tc, test_armed_cq_stays_armed_while_the_eq_is_full);
	tcase_add_test(tc, test_unreadable_sqe_stops_its_queue_alone);
	tcase_add_test(tc, test_unwritable_cqe_is_reported);
	tcase_add_test(tc, test_full_aeq_drops_and_counts);
	suite_add_tcase(suite, tc);
	return suite;
}
