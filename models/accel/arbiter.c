/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arbitration between queue pairs: weighted round robin over those that have an SQE to fetch, a CQE reserved for
 * it, and room to prefetch. The round is a list: a decision takes its head and costs the same with one
 * queue pair or 1,024. Priorities are not modelled.
 */
#include "models/accel/accel_internal.h"

static bool arbiter_can_decide(const struct accel *accel)
{
	return accel->regs.enable && !list_empty(&accel->arbiter.ready) &&
	       accel->sqe_buffers_used < accel->params.sqe_buffers &&
	       !list_empty(&accel->free_requests);
}

void arbiter_kick(struct accel *accel)
{
	if (!sim_event_pending(&accel->arbiter.decide) && arbiter_can_decide(accel))
		sim_event_after(&accel->arbiter.decide, SIM_NS(accel->params.arbitration_ns));
}

void arbiter_update(struct accel *accel, struct queue_pair *qp)
{
	bool wants = queue_wants_fetch(accel, qp);

	if (wants && !link_on_list(&qp->ready)) {
		qp->credit = qp->sq.weight;
		list_append(&accel->arbiter.ready, &qp->ready);
	} else if (!wants && link_on_list(&qp->ready)) {
		link_remove(&qp->ready);
	}
	arbiter_kick(accel);
}

static void arbiter_decide(void *arg)
{
	struct accel *accel = arg;
	struct queue_pair *qp;

	if (!arbiter_can_decide(accel))
		return;
	qp = LINK_OWNER(accel->arbiter.ready.next, struct queue_pair, ready);
	if (--qp->credit == 0) {
		link_remove(&qp->ready);
		qp->credit = qp->sq.weight;
		list_append(&accel->arbiter.ready, &qp->ready);
	}
	queue_fetch(accel, qp);
	arbiter_update(accel, qp);
}

void arbiter_init(struct accel *accel)
{
	list_init(&accel->arbiter.ready);
	sim_event_init(&accel->arbiter.decide, arbiter_decide, accel);
}

void arbiter_reset(struct accel *accel)
{
	while (list_pop(&accel->arbiter.ready))
		;
	sim_event_cancel(&accel->arbiter.decide);
}
