/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event queue (completions, one EQE per arming of a CQ) and the asynchronous event queue (errors), with
 * their interrupts. Completion events share an interrupt: it comes with the eq_coalesce_count-th, or eq_coalesce_ns
 * after the first of them.
 */
#include "models/accel/accel_internal.h"

static bool event_ring_full(const struct event_ring *ring)
{
	return ring_distance(ring->head, ring->tail, ring->depth) == ring->depth - 1;
}

static void event_ring_interrupt(struct event_ring *ring)
{
	ring->coalesced = 0;
	sim_event_cancel(&ring->coalesce);
	ring->interrupts++;
	sim_irq_pulse(ring->irq);
}

static void event_ring_coalesce_end(void *ring)
{
	event_ring_interrupt(ring);
}

/* Software has taken what the interrupt would be for. */
static void event_ring_forget(struct event_ring *ring)
{
	ring->coalesced = 0;
	sim_event_cancel(&ring->coalesce);
}

/* One more entry is visible. */
static void event_ring_signal(struct event_ring *ring)
{
	ring->coalesced++;
	if (ring->coalesced >= ring->coalesce_count || !ring->coalesce_time)
		event_ring_interrupt(ring);
	else if (!sim_event_pending(&ring->coalesce))
		sim_event_after(&ring->coalesce, ring->coalesce_time);
}

static void event_written(struct accel *accel, void *arg, enum ring_result result,
			  const uint8_t *data)
{
	struct event_ring *ring = arg;

	(void)accel;
	(void)data;
	if (result == RING_DROPPED)
		return;
	ring->in_flight--;
	if (result == RING_FAILED) {
		ring->write_errors++;
		return;
	}
	ring->written++;
	event_ring_signal(ring);
}

static void event_ring_write(struct event_ring *ring, uint16_t sqn, uint32_t type)
{
	uint64_t addr = ring->base + (uint64_t)ring->tail * EQE_BYTES;
	uint8_t entry[EQE_BYTES];

	store_le32(entry, sqn | (uint32_t)ring->phase << 16 | type << 17);
	ring->tail = ring_next(ring->tail, ring->depth);
	if (ring->tail == 0)
		ring->phase = !ring->phase;
	ring->in_flight++;
	ring_write(ring->accel, addr, entry, sizeof(entry), event_written, ring, NULL);
}

/* CQs whose EQE found no room stay armed, in order. */
static void event_queue_retry(struct accel *accel)
{
	while (accel->eq.valid && !event_ring_full(&accel->eq) && !list_empty(&accel->eq_waiting)) {
		struct queue_pair *qp =
			LINK_OWNER(list_pop(&accel->eq_waiting), struct queue_pair, eq_waiting);

		qp->cq.armed = false;
		event_ring_write(&accel->eq, qp->sqn, 0);
	}
}

void event_queue_notify(struct accel *accel, struct queue_pair *qp)
{
	if (link_on_list(&qp->eq_waiting))
		return;
	if (!accel->eq.valid || event_ring_full(&accel->eq)) {
		accel->eq.dropped++;
		list_append(&accel->eq_waiting, &qp->eq_waiting);
		return;
	}
	qp->cq.armed = false;
	event_ring_write(&accel->eq, qp->sqn, 0);
}

void event_queue_report(struct accel *accel, uint16_t sqn, enum aeqe_type type)
{
	if (!accel->aeq.valid || event_ring_full(&accel->aeq)) {
		accel->aeq.dropped++;
		return;
	}
	event_ring_write(&accel->aeq, sqn, (uint32_t)type);
}

bool event_queue_doorbell(struct accel *accel, struct event_ring *ring, uint32_t head)
{
	uint32_t remaining;

	if (!ring->valid || head >= ring->depth ||
	    ring_distance(ring->head, head, ring->depth) >
		    ring_distance(ring->head, ring->tail, ring->depth))
		return false;
	ring->head = head;
	remaining = ring_distance(head, ring->tail, ring->depth);
	/* those in flight, and those that wait for company, have their interrupt before them */
	remaining = remaining > ring->in_flight ? remaining - ring->in_flight : 0;
	if (remaining > ring->coalesced)
		event_ring_interrupt(ring);
	else if (!remaining)
		event_ring_forget(ring);
	else
		ring->coalesced = remaining;
	if (ring == &accel->eq)
		event_queue_retry(accel);
	return true;
}

bool event_queue_load_context(struct accel *accel, struct event_ring *ring, const uint8_t *context)
{
	uint64_t base = load_le64(context);
	uint32_t depth = (load_le32(context + 8) >> 16) + 1;

	if (base % 64 || depth < 2 || depth > accel->params.depth_max)
		return false;
	ring->base = base;
	ring->depth = depth;
	ring->head = ring->tail = 0;
	ring->phase = true;
	ring->valid = true;
	if (ring == &accel->eq)
		event_queue_retry(accel);
	return true;
}

static void event_ring_init(struct accel *accel, struct event_ring *ring, const struct sim_irq *irq,
			    uint32_t coalesce_count, uint32_t coalesce_ns)
{
	ring->accel = accel;
	ring->irq = irq;
	ring->coalesce_count = coalesce_count;
	ring->coalesce_time = SIM_NS(coalesce_ns);
	sim_event_init(&ring->coalesce, event_ring_coalesce_end, ring);
}

void event_queue_init(struct accel *accel)
{
	list_init(&accel->eq_waiting);
	event_ring_init(accel, &accel->eq, &accel->config.eq_irq, accel->params.eq_coalesce_count,
			accel->params.eq_coalesce_ns);
	event_ring_init(accel, &accel->aeq, &accel->config.aeq_irq, 1, 0);
}

void event_queue_reset(struct accel *accel)
{
	while (list_pop(&accel->eq_waiting))
		;
	accel->eq.valid = accel->aeq.valid = false;
	accel->eq.in_flight = accel->aeq.in_flight = 0;
	event_ring_forget(&accel->eq);
}

void event_queue_free(struct accel *accel)
{
	event_ring_forget(&accel->eq);
}
