/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The push window: SQEs that come as stores to a user window, not from the SQ in memory (docs/queue-manager.md, Pushing SQEs).
 * Each queue pair has a line of eight words that stores fill in; the store to its last word makes it the SQ's next
 * entry. Entries wait on the chip, and are taken in the SQ's order among those that doorbells cover.
 */
#include <stdlib.h>

#include "models/accel/accel_internal.h"

void push_open(const struct accel *accel, struct queue_pair *qp)
{
	if (accel->params.push_entries && !qp->push.entries)
		qp->push.entries =
			accel_alloc_array(accel->params.push_entries, sizeof(*qp->push.entries));
	qp->push.first = qp->push.count = 0;
}

static struct push_entry *push_entry(const struct accel *accel, const struct queue_pair *qp,
				     uint32_t n)
{
	return &qp->push.entries[(qp->push.first + n) % accel->params.push_entries];
}

bool push_store(struct accel *accel, struct queue_pair *qp, unsigned int word, uint64_t value)
{
	struct push_entry *entry;
	uint32_t tail = qp->sq.tail;

	store_le64(qp->push.line + 8 * word, value);
	if (word != SQE_BYTES / 8 - 1)
		return true;
	if (qp->state != QP_READY || qp->push.count == accel->params.push_entries ||
	    ring_next(tail, qp->sq.depth) == qp->sq.head)
		return false;
	entry = push_entry(accel, qp, qp->push.count++);
	entry->index = tail;
	memcpy(entry->sqe, qp->push.line, SQE_BYTES);
	accel->counters.sqes_pushed++;
	queue_sq_doorbell(accel, qp, ring_next(tail, qp->sq.depth), qp->sq.priority);
	return true;
}

const uint8_t *push_take(const struct accel *accel, struct queue_pair *qp, uint32_t index)
{
	const struct push_entry *entry;

	if (!qp->push.count)
		return NULL;
	entry = push_entry(accel, qp, 0);
	if (entry->index != index)
		return NULL;
	qp->push.first = (qp->push.first + 1) % accel->params.push_entries;
	qp->push.count--;
	return entry->sqe;
}

void push_cut(const struct accel *accel, struct queue_pair *qp, uint32_t entries)
{
	while (qp->push.count &&
	       ring_distance(qp->sq.head, push_entry(accel, qp, qp->push.count - 1)->index,
			     qp->sq.depth) >= entries)
		qp->push.count--;
}

void push_free(struct queue_pair *qp)
{
	free(qp->push.entries);
}
