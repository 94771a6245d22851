/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports: where the transactions of one upstream requester enter the SMMU, as a TBU is of an
 * implementation with distributed TLBs.
 *
 * A port has a micro-TLB, which micro_tlb_slots look-ups use at once, each for micro_tlb_hit_ps, and
 * translation_slots: so many of its transactions are being translated at once, and the next one
 * waits in order of arrival. A slot is taken on arrival and kept until the transaction leaves
 * translated, or ends; a stalled transaction keeps it.
 *
 * The platform says which StreamIDs share a port. A StreamID of which it said nothing has a port of
 * its own, made when its first transaction comes.
 */
#include "models/smmu/smmu_internal.h"

#include <stdio.h>
#include <stdlib.h>

static struct smmu_port *port_new(struct smmu *smmu)
{
	const struct smmu_params *params = &smmu->params;
	struct smmu_port *port = calloc(1, sizeof(*port));
	uint32_t n = smmu->port_count + 1;

	smmu->ports = realloc(smmu->ports, n * sizeof(struct smmu_port *));
	if (!port || !smmu->ports)
		abort();
	smmu->ports[n - 1] = port;
	smmu->port_count = n;
	va_cache_init(&port->micro_tlb, params->micro_tlb_entries);
	port->look_up_ends = calloc(params->micro_tlb_slots, sizeof(*port->look_up_ends));
	if (!port->look_up_ends)
		abort();
	port->slots_free = params->translation_slots;
	translation_fifo_init(&port->slot_waiters);
	resource_init(&port->look_ups, params->micro_tlb_slots);
	port->look_ups.holds = true;
	return port;
}

/* The place of a StreamID in the table of ports; NULL: there can be no such StreamID. */
static struct smmu_port **port_place(struct smmu *smmu, uint32_t sid)
{
	struct smmu_port ***leaf;

	if (sid >> smmu->params.sid_bits)
		return NULL;
	leaf = &smmu->port_of[sid >> PORT_LEAF_BITS];
	if (!*leaf) {
		*leaf = calloc(1u << PORT_LEAF_BITS, sizeof(struct smmu_port *));
		if (!*leaf)
			abort();
	}
	return &(*leaf)[sid & ((1u << PORT_LEAF_BITS) - 1)];
}

struct smmu_port *smmu_port_of_new(struct smmu *smmu, uint32_t sid)
{
	struct smmu_port **place = port_place(smmu, sid);

	if (!place)
		place = &smmu->stray_port;
	if (!*place) {
		*place = port_new(smmu);
		smmu->translation_slots.servers += smmu->params.translation_slots;
	}
	return *place;
}

void smmu_port_add(struct smmu *smmu, const char *name, const uint32_t *stream_ids,
		   unsigned int count)
{
	struct smmu_port *port = port_new(smmu);
	char full[96];

	smmu->translation_slots.servers += smmu->params.translation_slots;
	for (unsigned int i = 0; i < count; i++) {
		struct smmu_port **place = port_place(smmu, stream_ids[i]);

		if (place)
			*place = port;
	}
	if (!smmu->config.stats || !port->micro_tlb.entries)
		return;
	snprintf(full, sizeof(full), "smmu.%s.micro_tlb_slots", name);
	resource_register(smmu->config.stats, full, &port->look_ups,
			  "look-ups in this port's micro-TLB at once");
}

void smmu_port_slot_await(struct smmu_translation *t)
{
	t->smmu->stats.port_waits++;
	resource_wait(&t->smmu->translation_slots, sim_now());
	translation_fifo_push(&t->port->slot_waiters, t);
}

void smmu_port_slot_pass_on(struct smmu_translation *t)
{
	struct smmu_translation *next = translation_fifo_pop(&t->port->slot_waiters);

	next->holds_port_slot = true;
	resource_serve_waiter(&t->smmu->translation_slots, sim_now());
	smmu_translation_restart(next);
}

void smmu_ports_init(struct smmu *smmu)
{
	unsigned int bits = smmu->params.sid_bits;

	smmu->port_of = calloc(bits > PORT_LEAF_BITS ? 1u << (bits - PORT_LEAF_BITS) : 1,
			       sizeof(struct smmu_port **));
	if (!smmu->port_of)
		abort();
	resource_init(&smmu->translation_slots, 0);
	smmu->translation_slots.holds = true;
}

void smmu_ports_destroy(struct smmu *smmu)
{
	unsigned int bits = smmu->params.sid_bits;
	uint32_t leaves = bits > PORT_LEAF_BITS ? 1u << (bits - PORT_LEAF_BITS) : 1;

	for (uint32_t i = 0; i < smmu->port_count; i++) {
		va_cache_destroy(&smmu->ports[i]->micro_tlb);
		free(smmu->ports[i]->look_up_ends);
		free(smmu->ports[i]);
	}
	for (uint32_t i = 0; i < leaves; i++)
		free(smmu->port_of[i]);
	free(smmu->port_of);
	free(smmu->ports);
}
