/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The DMA unit: the engines' data transactions, with the PASID of the queue pair that they work for.
 *
 * A request is read in bursts that end at multiples of the burst size, so none crosses 4 KiB; each is written from
 * its staging buffer, in two parts where the destination crosses 4 KiB. Slots are bounded; jobs with something to read
 * take turns, writes go first because they free buffers.
 *
 * A transaction that the SMMU stalls is late, and nothing else that the unit could know: it keeps its slot and its
 * buffer, everything else goes on. A port whose answers come in order (fault_blocks = dma_port) keeps back what is
 * answered behind it, slots included, until it has ended.
 */
#include <stdlib.h>

#include "models/accel/accel_internal.h"

static void dma_pump(struct accel *accel);

static void dma_outstanding_add(struct accel *accel, int n)
{
	struct dma_unit *dma = &accel->dma;

	dma->outstanding += (uint32_t)n;
	if (dma->outstanding > dma->max_outstanding)
		dma->max_outstanding = dma->outstanding;
	trace_count(dma->outstanding_track, sim_now(), dma->outstanding);
}

static sim_time chunk_born(const struct dma_chunk *chunk)
{
	return chunk->job->request->born;
}

/* The engine gets the answer, and the slot is free. */
static void dma_deliver(struct accel *accel, struct dma_chunk *chunk)
{
	const struct sim_txn *txn = &chunk->txn;
	bool ok = txn->response == SIM_OK;

	dma_outstanding_add(accel, -1);
	resource_release(&accel->dma.slots, sim_now());
	if (!ok)
		accel->dma.errors++;
	if (chunk->state == CHUNK_READING) {
		engine_chunk_read(chunk, ok);
	} else {
		if (ok)
			chunk->written += txn->len;
		if (ok && chunk->written < chunk->bytes && chunk->offset < chunk->job->limit)
			dma_write(accel, chunk);
		else
			engine_chunk_written(chunk, ok);
	}
}

static bool dma_in_order(const struct accel *accel)
{
	return accel->params.fault_blocks == ACCEL_BLOCKS_DMA_PORT;
}

static void dma_deliver_in_order(struct accel *accel)
{
	struct link *issued = &accel->dma.issued;

	while (!list_empty(issued)) {
		struct dma_chunk *chunk = LINK_OWNER(issued->next, struct dma_chunk, issued);

		if (!chunk->answered)
			return;
		link_remove(&chunk->issued);
		path_settle(&chunk->path, chunk_born(chunk), WAIT_DMA_SLOT);
		dma_deliver(accel, chunk);
	}
}

static void dma_txn_done(struct sim_txn *txn)
{
	struct dma_chunk *chunk = LINK_OWNER(txn, struct dma_chunk, txn);
	struct accel *accel = txn->owner;

	path_settle(&chunk->path, chunk_born(chunk), WAIT_MEMORY);
	if (dma_in_order(accel)) {
		chunk->answered = true;
		dma_deliver_in_order(accel);
	} else {
		dma_deliver(accel, chunk);
	}
	dma_pump(accel);
}

static void dma_issue(struct accel *accel, struct dma_chunk *chunk, enum sim_cmd cmd, uint64_t addr,
		      uint32_t bytes)
{
	const struct queue_pair *qp = chunk->job->request->qp;
	struct sim_txn *txn = &chunk->txn;

	accel_init_txn(accel, txn);
	txn->addr = addr;
	txn->len = bytes;
	txn->cmd = cmd;
	txn->data = chunk->data + chunk->written;
	txn->ssv = qp->sq.pasid_enable;
	txn->substream_id = txn->ssv ? qp->sq.pasid : 0;
	txn->done = dma_txn_done;
	txn->owner = accel;
	path_settle(&chunk->path, chunk_born(chunk), WAIT_DMA_SLOT);
	txn->waits = &chunk->path;
	dma_outstanding_add(accel, 1);
	if (dma_in_order(accel)) {
		chunk->answered = false;
		list_append(&accel->dma.issued, &chunk->issued);
	}
	sim_port_request(&accel->config.dma_port, txn);
}

/* ---- chunks ------------------------------------------------------------------------------------ */

static struct dma_chunk *dma_chunk_new(struct accel *accel, struct engine_job *job)
{
	struct link *link = list_pop(&accel->dma.free_chunks);
	struct dma_chunk *chunk;

	if (link) {
		chunk = LINK_OWNER(link, struct dma_chunk, link);
	} else {
		/* allocated once: at most engine_buffers for every job */
		chunk = accel_alloc(sizeof(*chunk) + accel->params.dma_burst_bytes);
		sim_event_init(&chunk->computed, engine_chunk_computed, chunk);
		list_append(&accel->dma.all_chunks, &chunk->all);
	}
	chunk->job = job;
	chunk->written = 0;
	list_append(&job->chunks, &chunk->link);
	job->chunk_count++;
	return chunk;
}

void dma_chunk_release(struct accel *accel, struct dma_chunk *chunk)
{
	if (link_on_list(&chunk->write_link)) {
		link_remove(&chunk->write_link);
		resource_leave(&accel->dma.slots, sim_now());
	}
	link_remove(&chunk->link);
	chunk->job->chunk_count--;
	list_append(&accel->dma.free_chunks, &chunk->link);
}

/* ---- issue --------------------------------------------------------------------------------------- */

static void dma_issue_write(struct accel *accel, struct dma_chunk *chunk)
{
	uint64_t addr = chunk->job->request->sqe.destination + chunk->offset + chunk->written;
	uint32_t to_page_end = PAGE_4K - (uint32_t)(addr % PAGE_4K);
	uint32_t bytes = chunk->bytes - chunk->written;

	if (bytes > to_page_end)
		bytes = to_page_end;
	chunk->state = CHUNK_WRITING;
	accel->dma.writes++;
	accel->dma.write_bytes += bytes;
	dma_issue(accel, chunk, SIM_WRITE, addr, bytes);
}

static void dma_issue_read(struct accel *accel, struct engine_job *job)
{
	const struct sqe *sqe = &job->request->sqe;
	uint64_t addr = sqe->source + job->next_offset;
	uint32_t burst = accel->params.dma_burst_bytes;
	uint32_t bytes = burst - (uint32_t)(addr % burst);
	struct dma_chunk *chunk = dma_chunk_new(accel, job);

	if (bytes > sqe->length - job->next_offset)
		bytes = sqe->length - job->next_offset;
	chunk->offset = job->next_offset;
	chunk->bytes = bytes;
	chunk->state = CHUNK_READING;
	chunk->path = job->path;
	job->next_offset += bytes;
	accel->dma.reads++;
	accel->dma.read_bytes += bytes;
	/* its next turn comes after the others' */
	dma_read(accel, job);
	dma_issue(accel, chunk, SIM_READ, addr, bytes);
}

/* A port may complete at once, from within the request: the flag turns that recursion into a loop. */
static void dma_pump(struct accel *accel)
{
	struct dma_unit *dma = &accel->dma;
	struct link *link;

	if (dma->pumping)
		return;
	dma->pumping = true;
	while (dma->outstanding < accel->params.dma_outstanding) {
		bool write = !list_empty(&dma->writers);

		link = list_pop(write ? &dma->writers : &dma->readers);
		if (!link)
			break;
		resource_serve_waiter(&dma->slots, sim_now());
		if (write)
			dma_issue_write(accel, LINK_OWNER(link, struct dma_chunk, write_link));
		else
			dma_issue_read(accel, LINK_OWNER(link, struct engine_job, read_link));
	}
	dma->pumping = false;
}

void dma_read(struct accel *accel, struct engine_job *job)
{
	if (!engine_wants_read(job) || link_on_list(&job->read_link))
		return;
	resource_wait(&accel->dma.slots, sim_now());
	list_append(&accel->dma.readers, &job->read_link);
	dma_pump(accel);
}

void dma_write(struct accel *accel, struct dma_chunk *chunk)
{
	chunk->state = CHUNK_WRITE_WAIT;
	resource_wait(&accel->dma.slots, sim_now());
	list_append(&accel->dma.writers, &chunk->write_link);
	dma_pump(accel);
}

void dma_job_forget(struct engine_job *job)
{
	if (!link_on_list(&job->read_link))
		return;
	link_remove(&job->read_link);
	resource_leave(&job->engine->type->accel->dma.slots, sim_now());
}

void dma_init(struct accel *accel)
{
	struct dma_unit *dma = &accel->dma;

	list_init(&dma->free_chunks);
	list_init(&dma->all_chunks);
	list_init(&dma->readers);
	list_init(&dma->writers);
	list_init(&dma->issued);
	resource_init(&dma->slots, accel->params.dma_outstanding);
	dma->slots.holds = true;
}

void dma_free(struct accel *accel)
{
	struct link *link;

	while ((link = list_pop(&accel->dma.all_chunks))) {
		struct dma_chunk *chunk = LINK_OWNER(link, struct dma_chunk, all);

		sim_event_cancel(&chunk->computed);
		free(chunk);
	}
}
