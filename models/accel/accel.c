/* SPDX-License-Identifier: BSD-3-Clause */
/* The accelerator as a whole: building it, resetting it, what it reports. */
#include <stdio.h>
#include <stdlib.h>

#include "models/accel/accel_internal.h"

void *accel_alloc_array(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p) {
		fprintf(stderr, "accel: out of memory\n");
		abort();
	}
	return p;
}

void *accel_alloc(size_t bytes)
{
	return accel_alloc_array(1, bytes);
}

bool accel_idle(const struct accel *accel)
{
	return !accel->requests_alive && !accel->ring.pending && !accel->dma.outstanding;
}

/*
 * What is on the bus cannot be called back: it ends later, unseen, into buffers that stay allocated.
 * Requests are marked first, so that what ends during the reset knows that it has nobody to tell.
 */
void accel_reset(struct accel *accel)
{
	accel->counters.resets++;
	accel->epoch++;
	accel->regs.enable = false;
	memset(&accel->regs.mailbox, 0, sizeof(accel->regs.mailbox));
	arbiter_reset(accel);
	event_queue_reset(accel);
	queue_reset(accel);
	ring_reset(accel);
	engine_reset(accel);
}

static trace_track counter_add(const struct accel *accel, const char *what, const char *unit,
			       int rank)
{
	char name[128];

	snprintf(name, sizeof(name), "%s %s", accel->config.name, what);
	return trace_counter_add(accel->config.track, name, unit, rank);
}

static void accel_trace_init(struct accel *accel)
{
	accel->trace.doorbells = trace_track_add(accel->config.track, "doorbells", 1);
	accel->trace.waiting = counter_add(accel, "SQ entries waiting", "entries", 2);
	accel->dma.outstanding_track = counter_add(accel, "DMA outstanding", "transactions", 3);
	accel->trace.sq_doorbell = trace_intern("SQ doorbell");
	accel->trace.cq_doorbell = trace_intern("CQ doorbell");
	accel->trace.eq_doorbell = trace_intern("EQ doorbell");
	accel->trace.push = trace_intern("SQE push");
	accel->trace.bad_doorbell = trace_intern("bad doorbell");
	accel->trace.key_queue = trace_intern("queue");
	accel->trace.key_index = trace_intern("index");
	accel->trace.key_bytes = trace_intern("bytes");
	accel->trace.key_status = trace_intern("status");
}

struct accel *accel_new(const struct accel_params *params, const struct accel_config *config)
{
	struct accel *accel = accel_alloc(sizeof(*accel));

	accel->params = *params;
	if (params->fault_blocks == ACCEL_BLOCKS_ENGINE)
		accel->params.engine_requests = 1;
	accel->config = *config;
	accel_trace_init(accel);
	qm_regs_init(accel);
	ring_init(accel);
	queue_init(accel);
	arbiter_init(accel);
	event_queue_init(accel);
	dma_init(accel);
	engine_init(accel);
	accel->config.name = NULL;
	return accel;
}

void accel_free(struct accel *accel)
{
	if (!accel)
		return;
	sim_event_cancel(&accel->regs.access);
	sim_event_cancel(&accel->arbiter.decide);
	event_queue_free(accel);
	engine_free(accel);
	dma_free(accel);
	queue_free(accel);
	ring_free(accel);
	free(accel);
}

/* ---- metrics ------------------------------------------------------------------------------------ */

struct metric {
	const char *name;
	size_t offset; /* of a uint64_t in struct accel */
	const char *unit, *help;
};

#define METRIC(name, field, unit, help)                                                            \
	{                                                                                          \
		name, offsetof(struct accel, field), unit, help                                    \
	}

static const struct metric metrics[] = {
	METRIC("doorbells.sq", counters.doorbells_sq, "", "SQ doorbells taken"),
	METRIC("doorbells.cq", counters.doorbells_cq, "", "CQ doorbells taken"),
	METRIC("doorbells.eq", counters.doorbells_eq, "", "EQ and AEQ doorbells taken"),
	METRIC("sqes_fetched", counters.sqes_fetched, "", "SQEs read from rings"),
	METRIC("sqes_pushed", counters.sqes_pushed, "", "SQEs that came as stores"),
	METRIC("sqe_read_errors", counters.sqe_read_errors, "", "SQEs that could not be read"),
	METRIC("cqes_written", counters.cqes_written, "", "CQEs written to rings"),
	METRIC("write_errors", counters.write_errors, "",
	       "CQEs and status write-backs that could not be written"),
	METRIC("requests.by_status.success", counters.by_status[BY_SUCCESS], "",
	       "requests that ended with this status"),
	METRIC("requests.by_status.bad_opcode", counters.by_status[BY_BAD_OPCODE], "",
	       "requests that ended with this status"),
	METRIC("requests.by_status.bad_length", counters.by_status[BY_BAD_LENGTH], "",
	       "requests that ended with this status"),
	METRIC("requests.by_status.reserved_field", counters.by_status[BY_RESERVED_FIELD], "",
	       "requests that ended with this status"),
	METRIC("requests.by_status.aborted", counters.by_status[BY_ABORTED], "",
	       "requests that ended with this status"),
	METRIC("requests.by_status.read_failed", counters.by_status[BY_READ_FAILED], "",
	       "requests that ended with this status"),
	METRIC("requests.by_status.write_failed", counters.by_status[BY_WRITE_FAILED], "",
	       "requests that ended with this status"),
	METRIC("requests.dropped", counters.dropped_requests, "", "requests dropped by a reset"),
	METRIC("dma.reads", dma.reads, "", "data transactions: reads"),
	METRIC("dma.writes", dma.writes, "", "data transactions: writes"),
	METRIC("dma.read_bytes", dma.read_bytes, "bytes", "data read"),
	METRIC("dma.write_bytes", dma.write_bytes, "bytes", "data written"),
	METRIC("dma.errors", dma.errors, "", "data transactions that ended with an error"),
	METRIC("dma.max_outstanding", dma.max_outstanding, "",
	       "most data transactions in flight at once"),
	METRIC("ring.max_outstanding", ring.max_outstanding, "",
	       "most ring transactions in flight at once"),
	METRIC("ring.errors", ring.errors, "", "ring transactions that ended with an error"),
	METRIC("engines.copy.requests", engines[ENGINE_COPY].taken, "", "requests taken"),
	METRIC("engines.copy.bytes", engines[ENGINE_COPY].bytes, "bytes", "bytes done"),
	METRIC("engines.copy.busy_ps", engines[ENGINE_COPY].busy_ps, "ps",
	       "time that data paths were busy, summed over engines"),
	METRIC("engines.copy.occupied_ps", engines[ENGINE_COPY].occupied_ps, "ps",
	       "time that requests were in engines, summed over requests"),
	METRIC("engines.crc32c.requests", engines[ENGINE_CRC32C].taken, "", "requests taken"),
	METRIC("engines.crc32c.bytes", engines[ENGINE_CRC32C].bytes, "bytes", "bytes done"),
	METRIC("engines.crc32c.busy_ps", engines[ENGINE_CRC32C].busy_ps, "ps",
	       "time that data paths were busy, summed over engines"),
	METRIC("engines.crc32c.occupied_ps", engines[ENGINE_CRC32C].occupied_ps, "ps",
	       "time that requests were in engines, summed over requests"),
	METRIC("eq.written", eq.written, "", "EQEs written"),
	METRIC("eq.dropped", eq.dropped, "", "EQEs that found the EQ full; their CQs stayed armed"),
	METRIC("eq.write_errors", eq.write_errors, "", "EQEs that could not be written"),
	METRIC("eq.interrupts", eq.interrupts, "", "pulses of the eq interrupt"),
	METRIC("aeq.written", aeq.written, "", "AEQEs written"),
	METRIC("aeq.dropped", aeq.dropped, "", "AEQEs lost because the AEQ was full"),
	METRIC("aeq.write_errors", aeq.write_errors, "", "AEQEs that could not be written"),
	METRIC("aeq.interrupts", aeq.interrupts, "", "pulses of the aeq interrupt"),
	METRIC("qm.bad_doorbells", counters.bad_doorbells, "", "doorbells that were ignored"),
	METRIC("qm.bad_register_accesses", counters.bad_register_accesses, "",
	       "register accesses that were ignored"),
	METRIC("qm.mailbox_commands", counters.mailbox_commands, "", "mailbox commands started"),
	METRIC("qm.bad_mailbox_commands", counters.bad_mailbox_commands, "",
	       "mailbox commands that ended with an error"),
	METRIC("qm.resets", counters.resets, "", "resets by QM_CONTROL"),
};

static void register_resource(struct stats *stats, const char *prefix, const char *name,
			      const struct resource *resource, const char *help)
{
	char full[128];

	if (!resource->servers)
		return;
	snprintf(full, sizeof(full), "%s.%s", prefix, name);
	resource_register(stats, full, resource, help);
}

static void register_resources(const struct accel *accel, struct stats *stats, const char *prefix)
{
	const struct engine_type *copy = &accel->engines[ENGINE_COPY];
	const struct engine_type *crc32c = &accel->engines[ENGINE_CRC32C];

	register_resource(stats, prefix, "engine.copy", &copy->data_paths,
			  "data paths of the copy engines");
	register_resource(stats, prefix, "engine_slots.copy", &copy->slots,
			  "requests that the copy engines can work on at once");
	register_resource(stats, prefix, "engine.crc32c", &crc32c->data_paths,
			  "data paths of the CRC-32C engines");
	register_resource(stats, prefix, "engine_slots.crc32c", &crc32c->slots,
			  "requests that the CRC-32C engines can work on at once");
	register_resource(
		stats, prefix, "dma", &accel->dma.slots,
		"data transactions; each request that reads waits for one slot at a time");
	register_resource(stats, prefix, "rings", &accel->ring.slots,
			  "transactions on rings and contexts");
	register_resource(stats, prefix, "sqe_buffers", &accel->sqe_buffers,
			  "fetched SQEs; what waits are the SQ entries with a doorbell");
}

void accel_register_metrics(const struct accel *accel, struct stats *stats, const char *prefix)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		const struct metric *m = &metrics[i];
		const void *field = (const char *)accel + m->offset;
		char name[128];

		snprintf(name, sizeof(name), "%s.%s", prefix, m->name);
		stats_counter(stats, name, field, m->unit, m->help);
	}
	register_resources(accel, stats, prefix);
}
