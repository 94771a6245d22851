/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Doorbells: one 64-bit store that says which ring moved and how far (docs/queue-manager.md, Doorbells; the
 * layout is that of HiSilicon's v2 and v3 queue managers). What does not fit is ignored, counted and reported.
 */
#include "models/accel/accel_internal.h"

#define DOORBELL_SQN(value)	 ((uint32_t)FIELD_GET(value, 9, 0))
#define DOORBELL_COMMAND(value)	 ((uint32_t)FIELD_GET(value, 15, 12))
#define DOORBELL_INDEX(value)	 ((uint32_t)FIELD_GET(value, 47, 32))
#define DOORBELL_PRIORITY(value) ((uint32_t)FIELD_GET(value, 63, 48))
#define DOORBELL_ARM		 1u
#define DOORBELL_PRIORITY_LEVEL	 7u

enum doorbell_command { DOORBELL_SQ = 0, DOORBELL_CQ = 1, DOORBELL_EQ = 2, DOORBELL_AEQ = 3 };

static void doorbell_trace(const struct accel *accel, trace_name name, uint32_t sqn, uint32_t index)
{
	if (!trace_enabled)
		return;

	const struct trace_arg args[] = {
		{.key = accel->trace.key_queue, .type = TRACE_ARG_U64, .u = sqn},
		{.key = accel->trace.key_index, .type = TRACE_ARG_U64, .u = index},
	};
	const struct trace_extra extra = {.args = args, .arg_count = 2};

	trace_instant(accel->trace.doorbells, TRACE_REQUEST, name, sim_now(), &extra);
}

static void doorbell_bad(struct accel *accel, uint32_t sqn, uint64_t value)
{
	accel->counters.bad_doorbells++;
	doorbell_trace(accel, accel->trace.bad_doorbell, sqn, DOORBELL_INDEX(value));
	if (sqn < accel->params.qp_count)
		event_queue_report(accel, (uint16_t)sqn, AEQE_BAD_DOORBELL);
}

static bool doorbell_sq(struct accel *accel, struct queue_pair *qp, uint64_t value)
{
	if (qp->state != QP_READY || DOORBELL_INDEX(value) >= qp->sq.depth)
		return false;
	accel->counters.doorbells_sq++;
	doorbell_trace(accel, accel->trace.sq_doorbell, qp->sqn, DOORBELL_INDEX(value));
	queue_sq_doorbell(accel, qp, DOORBELL_INDEX(value),
			  DOORBELL_PRIORITY(value) & DOORBELL_PRIORITY_LEVEL);
	return true;
}

/* A queue pair that no longer fetches still completes: its CQ doorbells go on being taken. */
static bool doorbell_cq(struct accel *accel, struct queue_pair *qp, uint64_t value)
{
	if (qp->state < QP_READY || DOORBELL_INDEX(value) >= qp->cq.depth ||
	    !queue_cq_doorbell(accel, qp, DOORBELL_INDEX(value),
			       DOORBELL_PRIORITY(value) & DOORBELL_ARM))
		return false;
	accel->counters.doorbells_cq++;
	doorbell_trace(accel, accel->trace.cq_doorbell, qp->sqn, DOORBELL_INDEX(value));
	return true;
}

void doorbell_user(struct accel *accel, uint32_t window_sqn, uint64_t value)
{
	uint32_t sqn = DOORBELL_SQN(value);
	/* what a window's owner does wrong must not be held against another's queue */
	uint32_t blamed = window_sqn == DOORBELL_ANY_QUEUE ? sqn : window_sqn;
	bool good = false;

	if (sqn < accel->params.qp_count && sqn == blamed) {
		if (DOORBELL_COMMAND(value) == DOORBELL_SQ)
			good = doorbell_sq(accel, &accel->qps[sqn], value);
		else if (DOORBELL_COMMAND(value) == DOORBELL_CQ)
			good = doorbell_cq(accel, &accel->qps[sqn], value);
	}
	if (!good)
		doorbell_bad(accel, blamed, value);
}

void doorbell_push(struct accel *accel, uint32_t window_sqn, unsigned int word, uint64_t value)
{
	struct queue_pair *qp = &accel->qps[window_sqn];
	uint32_t tail = qp->sq.tail;

	if (!push_store(accel, qp, word, value))
		doorbell_bad(accel, window_sqn, 0);
	else if (qp->sq.tail != tail)
		doorbell_trace(accel, accel->trace.push, window_sqn, tail);
}

void doorbell_eq(struct accel *accel, uint64_t value)
{
	uint32_t command = DOORBELL_COMMAND(value);
	uint32_t index = DOORBELL_INDEX(value);
	bool good = false;

	if (command == DOORBELL_EQ)
		good = event_queue_doorbell(accel, &accel->eq, index);
	else if (command == DOORBELL_AEQ)
		good = event_queue_doorbell(accel, &accel->aeq, index);
	if (!good) {
		doorbell_bad(accel, DOORBELL_SQN(value), value);
		return;
	}
	accel->counters.doorbells_eq++;
	doorbell_trace(accel, accel->trace.eq_doorbell, DOORBELL_SQN(value), index);
}
