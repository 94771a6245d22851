/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stall model (SMMUv3 IHI 0070 §3.12.2, §4.7): a faulting transaction waits, under a STAG
 * that its event record carries, for CMD_RESUME or CMD_STALL_TERM.
 *
 * There are IDR5.STALL_MAX STAGs. A transaction that finds none, or no room in the event queue,
 * waits in order of its fault, so a stall is never lost. A STAG is used again only when the
 * transaction's retry has come to an end, the longest unused first. No retries before the
 * response.
 */
#include "models/smmu/smmu_internal.h"

#include <stdlib.h>

static void count_stalled(struct smmu *smmu, int change)
{
	smmu->stalled += (uint64_t)(int64_t)change;
	if (smmu->stalled > smmu->stats.stalls_max)
		smmu->stats.stalls_max = smmu->stalled;
	trace_count(smmu->stall_counter, sim_now(), (int64_t)smmu->stalled);
}

static void stag_assign(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;
	const struct fault_info info = {
		.stream_id = t->upstream->stream_id,
		.stag = smmu->stag_ring[smmu->stag_head],
		.pasid = t->upstream->ssv ? t->upstream->substream_id : 0,
		.va = t->upstream->addr,
		.write = t->upstream->cmd != SIM_READ,
	};

	smmu->stag_head = (smmu->stag_head + 1) % smmu->params.stall_max;
	smmu->stags_free--;
	smmu->stalls[info.stag] = t;
	t->stag = info.stag;
	t->recorded = false;
	t->event_record[1] |= FIELD_PREP(EVENT_1_STAG, info.stag) | EVENT_1_STALL;
	if (smmu->config.life)
		life_fault_begin(smmu->config.life, &info, t->fault_time);
}

static void stag_free(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;
	uint32_t tail = (smmu->stag_head + smmu->stags_free) % smmu->params.stall_max;

	smmu->stag_ring[tail] = t->stag;
	smmu->stags_free++;
	smmu->stalls[t->stag] = NULL;
	t->stag = STAG_NONE;
}

void smmu_stall_report(struct smmu *smmu)
{
	if (smmu->reporting)
		return;
	smmu->reporting = true;
	while (smmu->unreported.head && smmu->stags_free && smmu_evtq_has_room(smmu)) {
		struct smmu_translation *t = translation_fifo_pop(&smmu->unreported);

		stag_assign(t);
		smmu_evtq_push(smmu, t->event_record, t);
	}
	smmu->reporting = false;
}

void smmu_stall(struct smmu_translation *t)
{
	struct smmu *smmu = t->smmu;

	t->fault_time = sim_now();
	smmu->stats.stalls_taken++;
	count_stalled(smmu, 1);
	if (smmu->unreported.head || !smmu->stags_free || !smmu_evtq_has_room(smmu))
		smmu->stats.stalls_waited++;
	translation_fifo_push(&smmu->unreported, t);
	smmu_stall_report(smmu);
}

void smmu_stag_release(struct smmu_translation *t, bool handled)
{
	struct smmu *smmu = t->smmu;

	if (smmu->config.life)
		life_fault_end(smmu->config.life, t->upstream->stream_id, t->stag, sim_now(),
			       handled);
	if (!t->recorded)
		smmu_evtq_forget(smmu, t);
	t->retried = false;
	stag_free(t);
	smmu_stall_report(smmu);
}

/* A pair that names no stalled transaction is ignored (§4.7.1). */
void smmu_stall_resume(struct smmu *smmu, uint32_t sid, uint32_t stag, bool retry, bool abort)
{
	struct smmu_translation *t = stag < smmu->params.stall_max ? smmu->stalls[stag] : NULL;

	if (!t || t->upstream->stream_id != sid || !t->recorded || t->retried) {
		smmu->stats.resumes_ignored++;
		return;
	}
	if (smmu->config.life)
		life_fault_stamp(smmu->config.life, sid, stag, FAULT_RESUMED, sim_now());
	count_stalled(smmu, -1);
	if (retry) {
		t->retried = true;
		smmu_translation_restart(t);
	} else {
		smmu_translation_terminate(t, abort);
	}
}

static void terminate_unreported(struct smmu *smmu, const uint32_t *sid)
{
	struct translation_fifo all = smmu->unreported;

	/* the tail of an empty FIFO points into the FIFO itself */
	if (!all.head)
		return;
	translation_fifo_init(&smmu->unreported);
	while (all.head) {
		struct smmu_translation *t = translation_fifo_pop(&all);

		if (sid && t->upstream->stream_id != *sid) {
			translation_fifo_push(&smmu->unreported, t);
			continue;
		}
		count_stalled(smmu, -1);
		smmu_translation_terminate(t, true);
	}
}

void smmu_stall_terminate(struct smmu *smmu, const uint32_t *sid)
{
	terminate_unreported(smmu, sid);
	for (uint32_t stag = 0; stag < smmu->params.stall_max; stag++) {
		struct smmu_translation *t = smmu->stalls[stag];

		if (!t || t->retried || (sid && t->upstream->stream_id != *sid))
			continue;
		count_stalled(smmu, -1);
		smmu_translation_terminate(t, true);
	}
}

void smmu_stall_init(struct smmu *smmu)
{
	uint32_t n = smmu->params.stall_max;

	smmu->stalls = calloc(n, sizeof(struct smmu_translation *));
	smmu->stag_ring = calloc(n, sizeof(*smmu->stag_ring));
	if (!smmu->stalls || !smmu->stag_ring)
		abort();
	for (uint32_t i = 0; i < n; i++)
		smmu->stag_ring[i] = i;
	smmu->stags_free = n;
	translation_fifo_init(&smmu->unreported);
	smmu->stall_counter =
		trace_counter_add(smmu->config.track, "stalled transactions", "transactions", 11);
}

void smmu_stall_destroy(struct smmu *smmu)
{
	free(smmu->stalls);
	free(smmu->stag_ring);
}
