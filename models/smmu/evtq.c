/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event queue (SMMUv3 IHI 0070 §7.2): records are written to memory one after another, PROD
 * moves when a record is visible, and the interrupt says that the queue is no longer empty. A
 * record takes evtq_write_ns to be made before its write is issued.
 *
 * A record is accepted only if the queue has room for it. A stall's record waits for room
 * (stall.c); others are lost, and if the queue was full, OVFLG says so. Records are never merged.
 */
#include "models/smmu/smmu_internal.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_CHUNK 32

static uint32_t evtq_log2(const struct smmu *smmu)
{
	return queue_log2(smmu->evtq.base, smmu->params.evtq_log2);
}

static bool evtq_enabled(const struct smmu *smmu)
{
	return smmu->cr0 & smmu->cr0ack & CR0_EVENTQEN;
}

static uint32_t used(const struct smmu *smmu)
{
	return queue_used(smmu->evtq.prod, smmu->evtq.cons, evtq_log2(smmu));
}

static bool full(const struct smmu *smmu)
{
	return used(smmu) + smmu->evtq.pending >= 1u << evtq_log2(smmu);
}

bool smmu_evtq_has_room(const struct smmu *smmu)
{
	return evtq_enabled(smmu) && !smmu_gerror_active(smmu, GERROR_EVENTQ_ABT_ERR) &&
	       !full(smmu);
}

/* Toggled once until software acknowledges it (§7.4). */
static void overflow(struct smmu *smmu)
{
	if (!((smmu->evtq.prod ^ smmu->evtq.cons) & Q_OVERFLOW))
		smmu->evtq.prod ^= (uint32_t)Q_OVERFLOW;
}

static struct smmu_event *event_alloc(struct smmu *smmu)
{
	struct smmu_event *event;

	if (!smmu->evtq.free) {
		struct smmu_event *chunk = calloc(EVENT_CHUNK, sizeof(*chunk));

		if (!chunk)
			abort();
		chunk[0].next = smmu->evtq.chunks; /* the first only links the chunks */
		smmu->evtq.chunks = chunk;
		for (int i = 1; i < EVENT_CHUNK; i++) {
			chunk[i].next = smmu->evtq.free;
			smmu->evtq.free = &chunk[i];
		}
	}
	event = smmu->evtq.free;
	smmu->evtq.free = event->next;
	return event;
}

static struct smmu_event *head_pop(struct smmu *smmu)
{
	struct smmu_event *event = smmu->evtq.head;

	smmu->evtq.head = event->next;
	if (!smmu->evtq.head)
		smmu->evtq.tail = &smmu->evtq.head;
	event->next = smmu->evtq.free;
	smmu->evtq.free = event;
	smmu->evtq.pending--;
	return event;
}

static void record_visible(struct smmu *smmu)
{
	uint32_t log2 = evtq_log2(smmu);
	bool was_empty = used(smmu) == 0;
	struct smmu_translation *stalled = head_pop(smmu)->stalled;

	smmu->evtq.prod = (smmu->evtq.prod & (uint32_t)Q_OVERFLOW) |
			  ((smmu->evtq.prod + 1) & ((2u << log2) - 1));
	if (stalled) {
		stalled->recorded = true;
		if (smmu->config.life)
			life_fault_stamp(smmu->config.life, stalled->upstream->stream_id,
					 stalled->stag, FAULT_RECORDED, sim_now());
	}
	if (was_empty)
		smmu_irq_raise(smmu, SMMU_IRQ_EVENTQ);
}

static void record_written(struct sim_txn *txn)
{
	struct smmu *smmu = txn->owner;

	smmu->evtq.writing = false;
	trace_end(smmu->evtq.track, sim_now(), NULL);
	resource_release(&smmu->evtq.resource, sim_now());
	if (txn->response == SIM_OK) {
		record_visible(smmu);
	} else {
		smmu->evtq.resource.served--;
		/* a stall's record is written again once software has acknowledged the error */
		if (!smmu->evtq.head->stalled) {
			head_pop(smmu);
			smmu->stats.events_lost++;
		} else {
			resource_wait(&smmu->evtq.resource, sim_now());
		}
		smmu_gerror(smmu, GERROR_EVENTQ_ABT_ERR);
	}
	smmu_evtq_kick(smmu);
	smmu_stall_report(smmu);
	smmu_regs_update_ack(smmu);
}

static void record_write(void *arg)
{
	struct smmu *smmu = arg;

	memcpy(smmu->evtq.data, smmu->evtq.head->record, EVENT_BYTES);
	smmu->evtq.write.addr =
		queue_entry(smmu->evtq.base, smmu->evtq.prod, evtq_log2(smmu), EVENT_BYTES);
	sim_port_request(&smmu->config.walk_port, &smmu->evtq.write);
}

void smmu_evtq_kick(struct smmu *smmu)
{
	if (smmu->evtq.writing || !smmu->evtq.head || !evtq_enabled(smmu) ||
	    smmu_gerror_active(smmu, GERROR_EVENTQ_ABT_ERR))
		return;
	smmu->evtq.writing = true;
	resource_serve_waiter(&smmu->evtq.resource, sim_now());
	trace_begin(smmu->evtq.track, TRACE_SMMU, smmu->names.event, sim_now(), NULL);
	if (smmu->params.evtq_write_ns)
		sim_event_after(&smmu->evtq.event, SIM_NS(smmu->params.evtq_write_ns));
	else
		record_write(smmu);
}

void smmu_evtq_push(struct smmu *smmu, const uint64_t record[4], struct smmu_translation *stalled)
{
	struct smmu_event *event;

	smmu->stats.events[FIELD_GET(EVENT_0_ID, record[0])]++;
	if (!smmu_evtq_has_room(smmu)) {
		smmu->stats.events_lost++;
		if (evtq_enabled(smmu) && full(smmu))
			overflow(smmu);
		return;
	}
	event = event_alloc(smmu);
	memcpy(event->record, record, sizeof(event->record));
	event->stalled = stalled;
	event->next = NULL;
	*smmu->evtq.tail = event;
	smmu->evtq.tail = &event->next;
	smmu->evtq.pending++;
	resource_wait(&smmu->evtq.resource, sim_now());
	smmu_evtq_kick(smmu);
}

/* Records that no stall depends on are lost with the queue. */
void smmu_evtq_disabled(struct smmu *smmu)
{
	struct smmu_event **link = &smmu->evtq.head;

	while (*link) {
		struct smmu_event *event = *link;

		if (event->stalled) {
			link = &event->next;
			continue;
		}
		*link = event->next;
		event->next = smmu->evtq.free;
		smmu->evtq.free = event;
		smmu->evtq.pending--;
		resource_leave(&smmu->evtq.resource, sim_now());
		smmu->stats.events_lost++;
	}
	smmu->evtq.tail = link;
}

void smmu_evtq_forget(struct smmu *smmu, const struct smmu_translation *t)
{
	for (struct smmu_event *event = smmu->evtq.head; event; event = event->next)
		if (event->stalled == t)
			event->stalled = NULL;
}

void smmu_evtq_init(struct smmu *smmu)
{
	smmu->evtq.tail = &smmu->evtq.head;
	sim_event_init(&smmu->evtq.event, record_write, smmu);
	resource_init(&smmu->evtq.resource, 1);
	smmu->evtq.write = (struct sim_txn){
		.len = EVENT_BYTES,
		.cmd = SIM_WRITE,
		.data = smmu->evtq.data,
		.privileged = true,
		.requester = smmu->config.requester,
		.done = record_written,
		.owner = smmu,
	};
	smmu->evtq.track = trace_track_add(smmu->config.track, "event queue", 2);
	smmu->names.event = trace_intern("event record");
}

void smmu_evtq_destroy(struct smmu *smmu)
{
	sim_event_cancel(&smmu->evtq.event);
	while (smmu->evtq.chunks) {
		struct smmu_event *chunk = smmu->evtq.chunks;

		smmu->evtq.chunks = chunk[0].next;
		free(chunk);
	}
}
