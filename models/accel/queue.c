/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queue pairs: their contexts, and what the queue manager does with a request before and after an engine:
 * SQE fetch, checks, status write-back, CQE (docs/queue-manager.md, Contexts and Rings).
 *
 * A CQE is reserved when its SQE is fetched, so a request that has been executed never waits for room in
 * its CQ, and a client that does not empty its CQ holds up its own queue pair alone.
 */
#include <stdlib.h>

#include "models/accel/accel_internal.h"

/* ABORTED write-backs of one stopping queue pair in flight: enough to hide the latency of memory */
#define ABORT_WRITES 8u

static void queue_stop_check(struct accel *accel, struct queue_pair *qp);

/* ---- contexts ------------------------------------------------------------------------------------ */

static bool ring_context_ok(const struct accel *accel, uint64_t base, uint32_t depth)
{
	return base % 64 == 0 && depth >= 2 && depth <= accel->params.depth_max;
}

bool queue_load_cqc(struct accel *accel, struct queue_pair *qp, const uint8_t *context)
{
	uint64_t base = load_le64(context);
	uint32_t depth = (load_le32(context + 8) >> 16) + 1;

	if (!ring_context_ok(accel, base, depth))
		return false;
	qp->cq.base = base;
	qp->cq.depth = depth;
	qp->cq.head = qp->cq.tail = qp->cq.visible = 0;
	qp->cq.reserved = 0;
	qp->cq.phase = true;
	qp->cq.armed = false;
	qp->state = QP_CQ;
	return true;
}

/* When each entry's doorbell came: kept from one use of the queue pair to the next. */
static void queue_need_rung(struct queue_pair *qp)
{
	if (qp->sq.rung_entries >= qp->sq.depth)
		return;
	free(qp->sq.rung);
	qp->sq.rung = accel_alloc_array(qp->sq.depth, sizeof(*qp->sq.rung));
	qp->sq.rung_entries = qp->sq.depth;
}

bool queue_load_sqc(struct accel *accel, struct queue_pair *qp, const uint8_t *context)
{
	uint64_t base = load_le64(context);
	uint32_t w2 = load_le32(context + 8);
	uint32_t w4 = load_le32(context + 16);
	uint32_t depth = (w2 >> 16) + 1;
	uint16_t weight = (uint16_t)load_le32(context + 20);

	if (!ring_context_ok(accel, base, depth) || (w2 & 0xf) != 6 ||
	    (load_le32(context + 12) & 0xffff) != qp->sqn)
		return false;
	qp->sq.base = base;
	qp->sq.depth = depth;
	qp->sq.head = qp->sq.tail = 0;
	qp->sq.pasid = w4 & 0xfffff;
	qp->sq.pasid_enable = w4 >> 31;
	qp->sq.weight = weight ? weight : 1;
	qp->sq.context_priority = (uint8_t)(load_le32(context + 20) >> 16 & (PRIORITY_LEVELS - 1));
	qp->sq.priority = qp->sq.context_priority;
	queue_need_rung(qp);
	push_open(accel, qp);
	qp->state = QP_READY;
	return true;
}

static void queue_drop_contexts(struct queue_pair *qp)
{
	qp->state = QP_NONE;
	qp->push.count = 0;
	if (link_on_list(&qp->eq_waiting))
		link_remove(&qp->eq_waiting);
}

/* ---- requests ------------------------------------------------------------------------------------- */

static void request_block_new(struct accel *accel)
{
	struct request_block *block = accel_alloc(sizeof(*block));

	list_append(&accel->request_blocks, &block->link);
	for (uint32_t i = 0; i < REQUEST_BLOCK; i++) {
		block->requests[i].accel = accel;
		list_append(&accel->free_requests, &block->requests[i].link);
	}
}

static struct accel_request *request_new(struct accel *accel, struct queue_pair *qp)
{
	struct accel_request *request;

	if (list_empty(&accel->free_requests))
		request_block_new(accel);
	request = LINK_OWNER(list_pop(&accel->free_requests), struct accel_request, link);
	request->qp = qp;
	request->in_use = true;
	request->dropped = request->waiting = request->cqe_written = request->held = false;
	request->status = request->bytes_done = request->result = 0;
	request->fault_address = 0;
	request->buffered = true;
	accel->sqe_buffers_used++;
	resource_serve(&accel->sqe_buffers, sim_now());
	accel->requests_alive++;
	qp->prefetched++;
	qp->requests++;
	return request;
}

static void request_unbuffer(struct accel_request *request)
{
	if (!request->buffered)
		return;
	request->buffered = false;
	request->accel->sqe_buffers_used--;
	resource_release(&request->accel->sqe_buffers, sim_now());
	if (!request->dropped)
		request->qp->prefetched--;
}

static void request_free(struct accel_request *request)
{
	struct accel *accel = request->accel;

	request_unbuffer(request);
	request->in_use = false;
	accel->requests_alive--;
	list_append(&accel->free_requests, &request->link);
	arbiter_kick(accel);
}

static void request_end(struct accel_request *request)
{
	struct accel *accel = request->accel;
	struct queue_pair *qp = request->qp;

	request_free(request);
	qp->requests--;
	arbiter_update(accel, qp);
	queue_stop_check(accel, qp);
}

void queue_request_started(struct accel_request *request)
{
	request_unbuffer(request);
	arbiter_update(request->accel, request->qp);
}

/* ---- completion ------------------------------------------------------------------------------------- */

static uint64_t *status_counter(struct accel *accel, uint32_t status)
{
	switch (status) {
	case SQE_STATUS_SUCCESS:
		return &accel->counters.by_status[BY_SUCCESS];
	case SQE_STATUS_BAD_OPCODE:
		return &accel->counters.by_status[BY_BAD_OPCODE];
	case SQE_STATUS_BAD_LENGTH:
		return &accel->counters.by_status[BY_BAD_LENGTH];
	case SQE_STATUS_RESERVED_FIELD:
		return &accel->counters.by_status[BY_RESERVED_FIELD];
	case SQE_STATUS_ABORTED:
		return &accel->counters.by_status[BY_ABORTED];
	case SQE_STATUS_READ_FAILED:
		return &accel->counters.by_status[BY_READ_FAILED];
	default:
		return &accel->counters.by_status[BY_WRITE_FAILED];
	}
}

/* Software may have seen an entry, and moved the head past it, before the write's response came back. */
static bool cq_has_entries(const struct queue_pair *qp)
{
	uint32_t entries = ring_distance(qp->cq.head, qp->cq.visible, qp->cq.depth);

	return entries && entries <= ring_distance(qp->cq.head, qp->cq.tail, qp->cq.depth);
}

/* CQEs may become visible out of order; what software may count on is the run without a gap. */
static void cq_advance_visible(struct accel *accel, struct queue_pair *qp)
{
	while (!list_empty(&qp->cq.writing)) {
		struct accel_request *first =
			LINK_OWNER(qp->cq.writing.next, struct accel_request, link);

		if (!first->cqe_written)
			break;
		link_remove(&first->link);
		qp->cq.visible = ring_next(qp->cq.visible, qp->cq.depth);
		if (qp->cq.armed && cq_has_entries(qp))
			event_queue_notify(accel, qp);
		request_end(first);
	}
}

static void cqe_written(struct accel *accel, void *arg, enum ring_result result,
			const uint8_t *data)
{
	struct accel_request *request = arg;

	(void)data;
	if (result == RING_DROPPED) {
		request_free(request);
		return;
	}
	request->cqe_written = true;
	if (result == RING_OK) {
		accel->counters.cqes_written++;
		accel_stamp(accel, request->qp, request->index, REQUEST_COMPLETED);
		if (accel->config.life)
			life_request_waits(accel->config.life, accel->config.life_device,
					   request->qp->sqn, request->index, &request->path);
	} else {
		accel->counters.write_errors++;
		event_queue_report(accel, request->qp->sqn, AEQE_WRITE);
	}
	cq_advance_visible(accel, request->qp);
}

static void cqe_write(struct accel_request *request)
{
	struct queue_pair *qp = request->qp;
	uint64_t addr = qp->cq.base + (uint64_t)qp->cq.tail * CQE_BYTES;
	uint8_t cqe[CQE_BYTES];

	store_le32(cqe, 0);
	store_le32(cqe + 4, request->sqe.tag);
	store_le32(cqe + 8, request->index | (uint32_t)qp->sqn << 16);
	store_le32(cqe + 12, (uint32_t)qp->cq.phase << 16);
	qp->cq.reserved--;
	qp->cq.tail = ring_next(qp->cq.tail, qp->cq.depth);
	if (qp->cq.tail == 0)
		qp->cq.phase = !qp->cq.phase;
	list_append(&qp->cq.writing, &request->link);
	ring_write(request->accel, addr, cqe, sizeof(cqe), cqe_written, request, request);
}

/* Completion in order: CQEs for those that have ended, up to the first that has not. */
static void cqes_write_in_order(struct queue_pair *qp)
{
	while (!list_empty(&qp->cq.order)) {
		struct accel_request *first =
			LINK_OWNER(qp->cq.order.next, struct accel_request, order);

		if (!first->held)
			return;
		first->held = false;
		link_remove(&first->order);
		/* its turn, which the ring's order gives it */
		path_settle(&first->path, first->born, WAIT_QUEUE);
		cqe_write(first);
	}
}

/* It gets no CQE: those behind it no longer wait for it. */
static void request_leave_order(struct accel_request *request)
{
	if (!link_on_list(&request->order))
		return;
	link_remove(&request->order);
	cqes_write_in_order(request->qp);
}

static void status_written(struct accel *accel, void *arg, enum ring_result result,
			   const uint8_t *data)
{
	struct accel_request *request = arg;

	(void)data;
	if (result == RING_DROPPED) {
		request_free(request);
		return;
	}
	if (result == RING_FAILED) {
		accel->counters.write_errors++;
		event_queue_report(accel, request->qp->sqn, AEQE_WRITE);
	}
	if (request->status == SQE_STATUS_ABORTED) {
		request->qp->cq.reserved--;
		request_leave_order(request);
		request_end(request);
	} else if (link_on_list(&request->order)) {
		request->held = true;
		cqes_write_in_order(request->qp);
	} else {
		cqe_write(request);
	}
}

static uint64_t sqe_address(const struct queue_pair *qp, uint32_t index)
{
	return qp->sq.base + (uint64_t)index * SQE_BYTES;
}

void queue_request_complete(struct accel_request *request)
{
	struct accel *accel = request->accel;
	uint8_t writeback[SQE_WRITEBACK_BYTES];

	if (request->dropped) {
		request_free(request);
		return;
	}
	request_unbuffer(request);
	++*status_counter(accel, request->status);
	store_le32(writeback, request->status);
	store_le32(writeback + 4, request->bytes_done);
	store_le32(writeback + 8, request->result);
	store_le32(writeback + 12, 0);
	store_le64(writeback + 16, request->fault_address);
	ring_write(accel, sqe_address(request->qp, request->index) + SQE_WRITEBACK_OFFSET,
		   writeback, sizeof(writeback), status_written, request, request);
	arbiter_update(accel, request->qp);
}

/* ---- fetch ------------------------------------------------------------------------------------------- */

static void sqe_decode(struct sqe *sqe, const uint8_t *data)
{
	sqe->opcode = data[0];
	sqe->flags = data[1];
	sqe->tag = (uint16_t)(data[2] | data[3] << 8);
	sqe->length = load_le32(data + 4);
	sqe->source = load_le64(data + 8);
	sqe->destination = load_le64(data + 16);
	sqe->seed = load_le32(data + 24);
	sqe->reserved_28 = load_le32(data + 28);
	sqe->reserved_56 = load_le64(data + 56);
}

static bool range_wraps(uint64_t addr, uint32_t bytes)
{
	return addr + bytes - 1 < addr;
}

/* 0: it can be executed. */
static uint32_t sqe_check(struct accel *accel, const struct sqe *sqe)
{
	const struct engine_type *type = engine_for_opcode(accel, sqe->opcode);

	if (!type)
		return SQE_STATUS_BAD_OPCODE;
	if (sqe->flags || sqe->reserved_28 || sqe->reserved_56)
		return SQE_STATUS_RESERVED_FIELD;
	if (!sqe->length || sqe->length > accel->params.length_max_bytes ||
	    range_wraps(sqe->source, sqe->length) ||
	    (type->ops->writes && range_wraps(sqe->destination, sqe->length)))
		return SQE_STATUS_BAD_LENGTH;
	return 0;
}

static void entries_waiting_set(struct accel *accel, uint64_t entries)
{
	struct resource *resource = &accel->sqe_buffers;

	resource_advance(resource, sim_now());
	resource->waiting = (uint32_t)entries;
	if (resource->waiting > resource->waiting_max)
		resource->waiting_max = resource->waiting;
	accel->entries_waiting = entries;
	trace_count(accel->trace.waiting, sim_now(), (int64_t)entries);
}

static void queue_fail(struct accel *accel, struct queue_pair *qp)
{
	entries_waiting_set(accel, accel->entries_waiting -
					   ring_distance(qp->sq.head, qp->sq.tail, qp->sq.depth));
	qp->sq.tail = qp->sq.head;
	qp->push.count = 0;
	if (qp->state == QP_READY)
		qp->state = QP_ERROR;
	event_queue_report(accel, qp->sqn, AEQE_SQE_READ);
}

/* Its SQE is here. */
static void request_execute(struct accel_request *request, const uint8_t *sqe)
{
	struct accel *accel = request->accel;
	struct queue_pair *qp = request->qp;

	accel_stamp(accel, qp, request->index, REQUEST_FETCHED);
	sqe_decode(&request->sqe, sqe);
	request->status =
		qp->state == QP_STOPPING ? SQE_STATUS_ABORTED : sqe_check(accel, &request->sqe);
	if (request->status)
		queue_request_complete(request);
	else
		engine_submit(engine_for_opcode(accel, request->sqe.opcode), request);
}

static void sqe_fetched(struct accel *accel, void *arg, enum ring_result result,
			const uint8_t *data)
{
	struct accel_request *request = arg;
	struct queue_pair *qp = request->qp;

	if (result == RING_DROPPED) {
		request_free(request);
		return;
	}
	if (result == RING_FAILED) {
		accel->counters.sqe_read_errors++;
		qp->cq.reserved--;
		queue_fail(accel, qp);
		request_leave_order(request);
		request_end(request);
		return;
	}
	accel->counters.sqes_fetched++;
	request_execute(request, data);
}

bool queue_wants_fetch(const struct accel *accel, const struct queue_pair *qp)
{
	const struct accel_params *p = &accel->params;

	return qp->state == QP_READY && qp->sq.head != qp->sq.tail &&
	       qp->prefetched < p->sqe_prefetch &&
	       !(p->fault_blocks == ACCEL_BLOCKS_QUEUE && qp->requests) &&
	       !(p->completion == ACCEL_COMPLETION_IN_ORDER &&
		 qp->requests >= p->reorder_entries) &&
	       ring_distance(qp->cq.head, qp->cq.tail, qp->cq.depth) + qp->cq.reserved <
		       qp->cq.depth - 1;
}

void queue_fetch(struct accel *accel, struct queue_pair *qp)
{
	struct accel_request *request = request_new(accel, qp);
	const uint8_t *pushed = push_take(accel, qp, qp->sq.head);

	request->index = (uint16_t)qp->sq.head;
	request->born = qp->sq.rung[request->index];
	waits_clear(&request->path);
	path_settle(&request->path, request->born, WAIT_QUEUE);
	if (accel->params.completion == ACCEL_COMPLETION_IN_ORDER)
		list_append(&qp->cq.order, &request->order);
	qp->sq.head = ring_next(qp->sq.head, qp->sq.depth);
	qp->cq.reserved++;
	entries_waiting_set(accel, accel->entries_waiting - 1);
	accel_stamp(accel, qp, request->index, REQUEST_FETCH);
	if (pushed) {
		request_execute(request, pushed);
		return;
	}
	ring_read(accel, sqe_address(qp, request->index), SQE_BYTES, sqe_fetched, request, request);
}

/* ---- doorbells ---------------------------------------------------------------------------------------- */

void queue_sq_doorbell(struct accel *accel, struct queue_pair *qp, uint32_t tail, uint8_t priority)
{
	uint32_t before = ring_distance(qp->sq.head, qp->sq.tail, qp->sq.depth);
	uint32_t after = ring_distance(qp->sq.head, tail, qp->sq.depth);

	/* a tail that moves back takes entries away that were never fetched */
	if (after < before)
		push_cut(accel, qp, after);
	for (uint32_t index = qp->sq.tail, n = before; n < after; n++) {
		qp->sq.rung[index] = sim_now();
		accel_stamp(accel, qp, index, REQUEST_DOORBELL);
		index = ring_next(index, qp->sq.depth);
	}
	qp->sq.tail = tail;
	entries_waiting_set(accel, accel->entries_waiting + after - before);
	qp->sq.priority = priority > qp->sq.context_priority ? priority : qp->sq.context_priority;
	arbiter_requeue(accel, qp);
	arbiter_update(accel, qp);
}

bool queue_cq_doorbell(struct accel *accel, struct queue_pair *qp, uint32_t head, bool arm)
{
	if (ring_distance(qp->cq.head, head, qp->cq.depth) >
	    ring_distance(qp->cq.head, qp->cq.tail, qp->cq.depth))
		return false;
	qp->cq.head = head;
	if (arm)
		qp->cq.armed = true;
	if (qp->cq.armed && cq_has_entries(qp))
		event_queue_notify(accel, qp);
	else if (link_on_list(&qp->eq_waiting))
		link_remove(&qp->eq_waiting);
	arbiter_update(accel, qp);
	return true;
}

/* ---- STOP_QP -------------------------------------------------------------------------------------------- */

static void abort_written(struct accel *accel, void *arg, enum ring_result result,
			  const uint8_t *data)
{
	struct queue_pair *qp = arg;

	(void)data;
	if (result == RING_DROPPED)
		return;
	qp->aborting--;
	if (result == RING_FAILED) {
		accel->counters.write_errors++;
		event_queue_report(accel, qp->sqn, AEQE_WRITE);
	}
	queue_stop_check(accel, qp);
}

static void queue_abort_entry(struct accel *accel, struct queue_pair *qp)
{
	uint8_t writeback[SQE_WRITEBACK_BYTES] = {SQE_STATUS_ABORTED};
	uint64_t addr = sqe_address(qp, qp->sq.head) + SQE_WRITEBACK_OFFSET;

	qp->sq.head = ring_next(qp->sq.head, qp->sq.depth);
	qp->aborting++;
	entries_waiting_set(accel, accel->entries_waiting - 1);
	++*status_counter(accel, SQE_STATUS_ABORTED);
	ring_write(accel, addr, writeback, sizeof(writeback), abort_written, qp, NULL);
}

static void queue_stop_check(struct accel *accel, struct queue_pair *qp)
{
	if (qp->state != QP_STOPPING)
		return;
	while (qp->sq.head != qp->sq.tail && qp->aborting < ABORT_WRITES)
		queue_abort_entry(accel, qp);
	if (qp->requests || qp->aborting || qp->sq.head != qp->sq.tail)
		return;
	queue_drop_contexts(qp);
	qm_stop_done(accel);
}

static void queue_abort_waiting(const struct queue_pair *qp, struct engine_type *type)
{
	struct link *next;

	for (struct link *link = type->waiting.next; link != &type->waiting; link = next) {
		struct accel_request *request = LINK_OWNER(link, struct accel_request, link);

		next = link->next;
		if (request->qp != qp)
			continue;
		link_remove(link);
		request->waiting = false;
		resource_leave(&type->slots, sim_now());
		path_settle(&request->path, request->born, WAIT_ENGINE);
		request->status = SQE_STATUS_ABORTED;
		queue_request_complete(request);
	}
}

void queue_stop(struct accel *accel, struct queue_pair *qp)
{
	if (qp->state < QP_READY) {
		queue_drop_contexts(qp);
		qm_stop_done(accel);
		return;
	}
	qp->state = QP_STOPPING;
	qp->requests++; /* keeps the end from coming before all of this is done */
	arbiter_update(accel, qp);
	for (unsigned int i = 0; i < ENGINE_TYPE_COUNT; i++)
		queue_abort_waiting(qp, &accel->engines[i]);
	qp->requests--;
	queue_stop_check(accel, qp);
}

/* ---- the table ------------------------------------------------------------------------------------------- */

static void queue_pair_clear(struct queue_pair *qp, uint16_t sqn)
{
	sim_time *rung = qp->sq.rung;
	uint32_t rung_entries = qp->sq.rung_entries;
	struct push_entry *push_entries = qp->push.entries;

	memset(qp, 0, sizeof(*qp));
	qp->sqn = sqn;
	qp->sq.rung = rung;
	qp->sq.rung_entries = rung_entries;
	qp->push.entries = push_entries;
	list_init(&qp->cq.writing);
	list_init(&qp->cq.order);
}

static void request_drop(struct accel_request *request)
{
	struct accel *accel = request->accel;

	accel->counters.dropped_requests++;
	request->dropped = true;
	if (link_on_list(&request->order))
		link_remove(&request->order);
	if (request->waiting)
		resource_leave(&engine_for_opcode(accel, request->sqe.opcode)->slots, sim_now());
	/* no access and no engine will end these */
	if (request->waiting || request->cqe_written)
		link_remove(&request->link);
	if (request->waiting || request->cqe_written || request->held)
		request_free(request);
}

/* Queue pairs are on no list of another unit any more when this is called. */
void queue_reset(struct accel *accel)
{
	for (struct link *link = accel->request_blocks.next; link != &accel->request_blocks;
	     link = link->next) {
		struct request_block *block = LINK_OWNER(link, struct request_block, link);

		for (uint32_t i = 0; i < REQUEST_BLOCK; i++)
			if (block->requests[i].in_use)
				request_drop(&block->requests[i]);
	}
	for (uint32_t n = 0; n < accel->params.qp_count; n++) {
		/* the requests on it are dropped: their accesses' ends free them */
		while (list_pop(&accel->qps[n].cq.writing))
			;
		queue_pair_clear(&accel->qps[n], (uint16_t)n);
	}
	entries_waiting_set(accel, 0);
}

void queue_init(struct accel *accel)
{
	const struct accel_params *p = &accel->params;

	accel->qps = accel_alloc_array(p->qp_count, sizeof(*accel->qps));
	for (uint32_t n = 0; n < p->qp_count; n++)
		queue_pair_clear(&accel->qps[n], (uint16_t)n);
	/* fetched ahead, in engines, and being completed at the rate of the ring accesses */
	accel->request_limit = p->sqe_buffers + p->ring_outstanding +
			       (p->engines_copy + p->engines_crc32c) * p->engine_requests;
	if (p->completion == ACCEL_COMPLETION_IN_ORDER) /* reorder_entries bounds each queue pair */
		accel->request_limit = UINT32_MAX;
	resource_init(&accel->sqe_buffers, p->sqe_buffers);
	accel->sqe_buffers.holds = true;
	list_init(&accel->request_blocks);
	list_init(&accel->free_requests);
}

void queue_free(struct accel *accel)
{
	struct link *link;

	for (uint32_t n = 0; n < accel->params.qp_count; n++) {
		free(accel->qps[n].sq.rung);
		push_free(&accel->qps[n]);
	}
	while ((link = list_pop(&accel->request_blocks)))
		free(LINK_OWNER(link, struct request_block, link));
	free(accel->qps);
}
