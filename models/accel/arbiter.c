/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arbitration between the queue pairs that have an SQE to fetch, a CQE reserved for it, and room to prefetch: round
 * robin, with the weights of the SQ contexts or without, or by priority and weighted within one. A round is a list,
 * one per priority: a decision takes a head and costs the same with one queue pair or 1,024. Priority is
 * strict: a level waits as long as a higher one has something to fetch.
 */
#include "models/accel/accel_internal.h"

static bool arbiter_can_decide(const struct accel *accel)
{
	return accel->regs.enable && accel->arbiter.levels &&
	       accel->sqe_buffers_used < accel->params.sqe_buffers &&
	       accel->requests_alive < accel->request_limit;
}

void arbiter_kick(struct accel *accel)
{
	if (!sim_event_pending(&accel->arbiter.decide) && arbiter_can_decide(accel))
		sim_event_after(&accel->arbiter.decide, SIM_NS(accel->params.arbitration_ns));
}

static void arbiter_join(struct accel *accel, struct queue_pair *qp)
{
	const struct accel_params *p = &accel->params;

	qp->credit = p->arbitration == ACCEL_ROUND_ROBIN ? 1 : qp->sq.weight;
	qp->ready_level = p->arbitration == ACCEL_PRIORITY ? qp->sq.priority : 0;
	list_append(&accel->arbiter.ready[qp->ready_level], &qp->ready);
	accel->arbiter.levels |= 1u << qp->ready_level;
}

static void arbiter_leave(struct accel *accel, struct queue_pair *qp)
{
	link_remove(&qp->ready);
	if (list_empty(&accel->arbiter.ready[qp->ready_level]))
		accel->arbiter.levels &= ~(1u << qp->ready_level);
}

void arbiter_update(struct accel *accel, struct queue_pair *qp)
{
	bool wants = queue_wants_fetch(accel, qp);

	if (wants && !link_on_list(&qp->ready))
		arbiter_join(accel, qp);
	else if (!wants && link_on_list(&qp->ready))
		arbiter_leave(accel, qp);
	arbiter_kick(accel);
}

void arbiter_requeue(struct accel *accel, struct queue_pair *qp)
{
	if (!link_on_list(&qp->ready) || qp->ready_level == qp->sq.priority ||
	    accel->params.arbitration != ACCEL_PRIORITY)
		return;
	arbiter_leave(accel, qp);
	arbiter_join(accel, qp);
}

static struct queue_pair *arbiter_first(struct arbiter *arbiter)
{
	unsigned int level = 31u - (unsigned int)__builtin_clz(arbiter->levels);

	return LINK_OWNER(arbiter->ready[level].next, struct queue_pair, ready);
}

static void arbiter_decide(void *arg)
{
	struct accel *accel = arg;
	struct queue_pair *qp;

	if (!arbiter_can_decide(accel))
		return;
	qp = arbiter_first(&accel->arbiter);
	if (--qp->credit == 0) {
		arbiter_leave(accel, qp);
		arbiter_join(accel, qp);
	}
	queue_fetch(accel, qp);
	arbiter_update(accel, qp);
}

void arbiter_init(struct accel *accel)
{
	for (unsigned int level = 0; level < PRIORITY_LEVELS; level++)
		list_init(&accel->arbiter.ready[level]);
	sim_event_init(&accel->arbiter.decide, arbiter_decide, accel);
}

void arbiter_reset(struct accel *accel)
{
	for (unsigned int level = 0; level < PRIORITY_LEVELS; level++)
		while (list_pop(&accel->arbiter.ready[level]))
			;
	accel->arbiter.levels = 0;
	sim_event_cancel(&accel->arbiter.decide);
}
