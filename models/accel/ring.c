/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The queue manager's own port to memory: SQE fetches, write-backs, CQEs, EQEs, contexts. All of it
 * is without SubstreamID, in the device's own address space. Bounded apart from data transactions, so that
 * stalled data never keeps the queue manager from its rings; those that find no slot wait in order.
 */
#include <stdlib.h>

#include "models/accel/accel_internal.h"

static void ring_pump(struct accel *accel);

static void ring_txn_done(struct sim_txn *txn)
{
	struct ring_access *access = LINK_OWNER(txn, struct ring_access, txn);
	struct accel *accel = txn->owner;
	struct ring_unit *ring = &accel->ring;
	enum ring_result result = txn->response == SIM_OK ? RING_OK : RING_FAILED;

	ring->in_flight--;
	ring->pending--;
	resource_release(&ring->slots, sim_now());
	if (access->path)
		path_settle(access->path, access->born, WAIT_MEMORY);
	if (result == RING_FAILED)
		ring->errors++;
	if (access->epoch != accel->epoch)
		result = RING_DROPPED;
	access->done(accel, access->arg, result, access->data);
	list_append(&ring->free, &access->link);
	ring_pump(accel);
}

/* A port may complete at once, from within the request: the flag turns that recursion into a loop. */
static void ring_pump(struct accel *accel)
{
	struct ring_unit *ring = &accel->ring;

	if (ring->pumping)
		return;
	ring->pumping = true;
	while (ring->in_flight < accel->params.ring_outstanding && !list_empty(&ring->waiting)) {
		struct ring_access *access =
			LINK_OWNER(list_pop(&ring->waiting), struct ring_access, link);

		ring->in_flight++;
		resource_serve_waiter(&ring->slots, sim_now());
		if (access->path)
			path_settle(access->path, access->born, WAIT_DMA_SLOT);
		if (ring->in_flight > ring->max_outstanding)
			ring->max_outstanding = ring->in_flight;
		sim_port_request(&accel->config.dma_port, &access->txn);
	}
	ring->pumping = false;
}

/* Accesses that wait are bounded by the requests and queue pairs that exist; so is what is allocated here. */
static struct ring_access *ring_access_new(struct accel *accel)
{
	struct link *link = list_pop(&accel->ring.free);
	struct ring_block {
		struct link link;
		struct ring_access access;
	} * block;

	if (link)
		return LINK_OWNER(link, struct ring_access, link);
	block = accel_alloc(sizeof(*block));
	list_append(&accel->ring.blocks, &block->link);
	return &block->access;
}

static void ring_start(struct accel *accel, uint64_t addr, enum sim_cmd cmd, const void *data,
		       uint32_t bytes, ring_done_fn done, void *arg, struct accel_request *request)
{
	struct ring_access *access = ring_access_new(accel);

	access->done = done;
	access->arg = arg;
	access->epoch = accel->epoch;
	access->path = request ? &request->path : NULL;
	access->born = request ? request->born : 0;
	accel_init_txn(accel, &access->txn);
	access->txn.addr = addr;
	access->txn.len = bytes;
	access->txn.cmd = cmd;
	access->txn.data = access->data;
	access->txn.done = ring_txn_done;
	access->txn.owner = accel;
	access->txn.waits = access->path;
	if (data)
		memcpy(access->data, data, bytes);
	accel->ring.pending++;
	resource_wait(&accel->ring.slots, sim_now());
	list_append(&accel->ring.waiting, &access->link);
	ring_pump(accel);
}

void ring_read(struct accel *accel, uint64_t addr, uint32_t bytes, ring_done_fn done, void *arg,
	       struct accel_request *request)
{
	ring_start(accel, addr, SIM_READ, NULL, bytes, done, arg, request);
}

void ring_write(struct accel *accel, uint64_t addr, const void *data, uint32_t bytes,
		ring_done_fn done, void *arg, struct accel_request *request)
{
	ring_start(accel, addr, SIM_WRITE, data, bytes, done, arg, request);
}

void ring_reset(struct accel *accel)
{
	struct ring_unit *ring = &accel->ring;
	struct link *link;

	while ((link = list_pop(&ring->waiting))) {
		struct ring_access *access = LINK_OWNER(link, struct ring_access, link);

		ring->pending--;
		resource_leave(&ring->slots, sim_now());
		access->done(accel, access->arg, RING_DROPPED, access->data);
		list_append(&ring->free, &access->link);
	}
}

void ring_init(struct accel *accel)
{
	struct ring_unit *ring = &accel->ring;

	list_init(&ring->free);
	list_init(&ring->waiting);
	list_init(&ring->blocks);
	resource_init(&ring->slots, accel->params.ring_outstanding);
	ring->slots.holds = true;
}

void ring_free(struct accel *accel)
{
	struct link *link;

	while ((link = list_pop(&accel->ring.blocks)))
		free(link);
}
