/* SPDX-License-Identifier: BSD-3-Clause */
/* The interconnect: see interconnect.h. */
#include "models/mem/interconnect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/mem/bandwidth.h"
#include "sim/stats/waits.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define HOPS_A_CHUNK	64u
#define NANOSECONDS_MAX 1000000
#define CLIENTS		4096u /* requesters; one more for the rest */

const struct param_desc interconnect_param_descs[] = {
	PARAM_U32_(interconnect_params, memory_request_ns, 0, 0, NANOSECONDS_MAX,
		   "initiator to memory controller",
		   "assumed: part of memory.latency_ns, which was measured from a core"),
	PARAM_U32_(interconnect_params, memory_response_ns, 0, 0, NANOSECONDS_MAX,
		   "memory controller to initiator",
		   "assumed: part of memory.latency_ns, which was measured from a core"),
	PARAM_U32_(interconnect_params, device_request_ns, 95, 0, NANOSECONDS_MAX,
		   "initiator to a device's registers", "assumed: a posted MMIO write"),
	PARAM_U32_(interconnect_params, device_response_ns, 95, 0, NANOSECONDS_MAX,
		   "a device's registers to initiator", "assumed: as the way there"),
	PARAM_U32_(interconnect_params, memory_link_mb_s, 0, 0, 100000000,
		   "each direction of the link to memory, 10^6 bytes a second; 0: not limited",
		   "assumed: wider than memory.channels"),
	PARAM_U32_(interconnect_params, device_link_mb_s, 0, 0, 100000000,
		   "each direction of a link to a device's registers; 0: not limited", "assumed"),
	PARAM_U32_(interconnect_params, header_bytes, 16, 0, 4096,
		   "header of each message on a link of limited bandwidth",
		   "assumed: a request flit of Arm AMBA CHI"),
};
const size_t interconnect_param_count = ARRAY_SIZE(interconnect_param_descs);

enum direction { TO_TARGET, TO_INITIATOR, DIRECTIONS };

struct region {
	char *name;
	uint64_t base, last; /* first and last address */
	struct sim_port port;
	enum interconnect_kind kind;
	struct bandwidth *link; /* a pipe for each direction; NULL: not limited */
	struct bandwidth_use use[DIRECTIONS];
	uint64_t reads, writes, bytes; /* writes: atomics included */
};

/* A transaction under way: the child is what the target sees. */
struct hop {
	struct sim_txn child;
	struct sim_txn *parent;
	struct interconnect *interconnect;
	struct region *region;		 /* NULL: nobody's address */
	struct bandwidth_client *client; /* of the region's link, if that is limited */
	struct sim_event arrive, respond;
	struct hop *next_free;
};

struct hop_chunk {
	struct hop_chunk *next;
	struct hop hops[HOPS_A_CHUNK];
};

struct interconnect {
	sim_time request_ps[INTERCONNECT_KIND_COUNT], response_ps[INTERCONNECT_KIND_COUNT];
	uint32_t link_mb_s[INTERCONNECT_KIND_COUNT];
	uint32_t header_bytes;

	struct region *
		*regions; /* by base; each allocated alone: counters are registered by address */
	size_t region_count;
	size_t last_hit; /* a hint */

	struct hop *hops_free;
	struct hop_chunk *chunks;

	uint64_t decode_errors;
};

/* ---- hops -------------------------------------------------------------------------------- */

static void hop_arrive(void *arg);
static void hop_respond(void *arg);
static void hop_target_done(struct sim_txn *child);

static void add_chunk(struct interconnect *interconnect)
{
	struct hop_chunk *chunk = calloc(1, sizeof(*chunk));

	if (!chunk)
		abort(); /* the host is out of memory */
	chunk->next = interconnect->chunks;
	interconnect->chunks = chunk;
	for (unsigned int i = HOPS_A_CHUNK; i-- > 0;) {
		struct hop *hop = &chunk->hops[i];

		sim_event_init(&hop->arrive, hop_arrive, hop);
		sim_event_init(&hop->respond, hop_respond, hop);
		hop->interconnect = interconnect;
		hop->next_free = interconnect->hops_free;
		interconnect->hops_free = hop;
	}
}

static struct hop *hop_get(struct interconnect *interconnect, struct sim_txn *parent,
			   struct region *region)
{
	if (!interconnect->hops_free)
		add_chunk(interconnect);

	struct hop *hop = interconnect->hops_free;

	interconnect->hops_free = hop->next_free;
	hop->parent = parent;
	hop->region = region;
	hop->child = *parent;
	hop->child.done = hop_target_done;
	hop->child.owner = hop;
	hop->child.hop = NULL;
	return hop;
}

static unsigned int client_of(const struct sim_txn *txn)
{
	return txn->requester < CLIENTS ? txn->requester : CLIENTS;
}

/* Data of the transaction that travels that way. */
static uint32_t payload(const struct sim_txn *txn, enum direction direction)
{
	if (txn->cmd == SIM_READ)
		return direction == TO_INITIATOR ? txn->len : 0;
	if (txn->cmd == SIM_WRITE)
		return direction == TO_TARGET ? txn->len : 0;
	return txn->cmd == SIM_ATOMIC_CAS && direction == TO_TARGET ? 2 * txn->len : txn->len;
}

/* The time from now until a message has passed, `latency` included. */
static sim_time travel(struct hop *hop, enum direction direction, sim_time latency)
{
	struct region *region = hop->region;

	if (region->link) {
		const struct bandwidth_slot slot = bandwidth_book(
			region->link, hop->client, direction,
			hop->interconnect->header_bytes + payload(&hop->child, direction));
		const sim_time took = slot.end - sim_now();

		bandwidth_queued(&region->use[direction], slot.busy, took - slot.busy);
		bandwidth_used(&region->use[direction], slot.busy, took - slot.busy);
		latency += took;
	}
	waits_add(hop->child.waits, WAIT_LINK, latency);
	return latency;
}

/*
 * Hands the answer to the initiator; the hop is free before that, since a new request may come
 * of it.
 */
static void hop_respond(void *arg)
{
	struct hop *hop = arg;
	struct sim_txn *parent = hop->parent;
	enum sim_response response = hop->child.response;

	if (hop->region && hop->region->link) {
		hop->region->use[TO_INITIATOR].under_way--;
		bandwidth_end(hop->region->link, hop->client);
	}
	hop->parent = NULL;
	hop->next_free = hop->interconnect->hops_free;
	hop->interconnect->hops_free = hop;
	sim_txn_complete(parent, response);
}

static void hop_target_done(struct sim_txn *child)
{
	struct hop *hop = child->owner;
	sim_time time =
		travel(hop, TO_INITIATOR, hop->interconnect->response_ps[hop->region->kind]);

	if (time)
		sim_event_after(&hop->respond, time);
	else
		hop_respond(hop);
}

static void hop_arrive(void *arg)
{
	struct hop *hop = arg;

	if (hop->region->link)
		hop->region->use[TO_TARGET].under_way--;
	sim_port_request(&hop->region->port, &hop->child);
}

/* ---- decoding ---------------------------------------------------------------------------- */

/* Index of the first region whose last address is not below pa. */
static size_t lower_bound(const struct interconnect *interconnect, uint64_t pa)
{
	size_t low = 0, high = interconnect->region_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (interconnect->regions[middle]->last < pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool holds(const struct region *region, uint64_t pa)
{
	return pa >= region->base && pa <= region->last;
}

static struct region *region_at(const struct interconnect *interconnect, uint64_t pa)
{
	size_t i = lower_bound(interconnect, pa);

	if (i == interconnect->region_count || !holds(interconnect->regions[i], pa))
		return NULL;
	return interconnect->regions[i];
}

/* The region that holds the whole transaction, or NULL. */
static struct region *decode(struct interconnect *interconnect, const struct sim_txn *txn)
{
	size_t i = interconnect->last_hit;

	if (i >= interconnect->region_count || !holds(interconnect->regions[i], txn->addr))
		i = lower_bound(interconnect, txn->addr);
	if (i == interconnect->region_count || !holds(interconnect->regions[i], txn->addr))
		return NULL;
	interconnect->last_hit = i;
	if (interconnect->regions[i]->last - txn->addr < txn->len - 1u)
		return NULL;
	return interconnect->regions[i];
}

static void refuse(struct interconnect *interconnect, struct sim_txn *txn)
{
	sim_time latency = interconnect->request_ps[INTERCONNECT_DEVICE] +
			   interconnect->response_ps[INTERCONNECT_DEVICE];
	struct hop *hop = hop_get(interconnect, txn, NULL);

	interconnect->decode_errors++;
	hop->child.response = SIM_DECERR;
	waits_add(txn->waits, WAIT_LINK, latency);
	/* never at once, so that an initiator that retries does not recurse */
	sim_event_after(&hop->respond, latency);
}

void interconnect_request(void *target, struct sim_txn *txn)
{
	struct interconnect *interconnect = target;
	struct region *region = decode(interconnect, txn);

	if (!region) {
		refuse(interconnect, txn);
		return;
	}
	region->bytes += txn->len;
	if (txn->cmd == SIM_READ)
		region->reads++;
	else
		region->writes++;

	const sim_time latency = interconnect->request_ps[region->kind];

	if (!latency && !interconnect->response_ps[region->kind] && !region->link) {
		sim_port_request(&region->port, txn);
		return;
	}
	struct hop *hop = hop_get(interconnect, txn, region);

	if (region->link) {
		hop->client = bandwidth_client(region->link, client_of(txn));
		bandwidth_begin(region->link, hop->client);
	}
	const sim_time time = travel(hop, TO_TARGET, latency);

	if (time)
		sim_event_after(&hop->arrive, time);
	else
		hop_arrive(hop);
}

/* ---- building ---------------------------------------------------------------------------- */

struct interconnect *interconnect_new(const struct interconnect_params *params)
{
	struct interconnect *interconnect = calloc(1, sizeof(*interconnect));

	if (!interconnect)
		return NULL;
	interconnect->request_ps[INTERCONNECT_MEMORY] = SIM_NS(params->memory_request_ns);
	interconnect->response_ps[INTERCONNECT_MEMORY] = SIM_NS(params->memory_response_ns);
	interconnect->request_ps[INTERCONNECT_DEVICE] = SIM_NS(params->device_request_ns);
	interconnect->response_ps[INTERCONNECT_DEVICE] = SIM_NS(params->device_response_ns);
	interconnect->link_mb_s[INTERCONNECT_MEMORY] = params->memory_link_mb_s;
	interconnect->link_mb_s[INTERCONNECT_DEVICE] = params->device_link_mb_s;
	interconnect->header_bytes = params->header_bytes;
	return interconnect;
}

void interconnect_free(struct interconnect *interconnect)
{
	if (!interconnect)
		return;
	for (struct hop_chunk *chunk = interconnect->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		for (unsigned int i = 0; i < HOPS_A_CHUNK; i++) {
			sim_event_cancel(&chunk->hops[i].arrive);
			sim_event_cancel(&chunk->hops[i].respond);
		}
		free(chunk);
	}
	for (size_t i = 0; i < interconnect->region_count; i++) {
		bandwidth_free(interconnect->regions[i]->link);
		free(interconnect->regions[i]->name);
		free(interconnect->regions[i]);
	}
	free(interconnect->regions);
	free(interconnect);
}

static struct region *region_new(const char *name, enum interconnect_kind kind, uint64_t base,
				 uint64_t bytes, const struct sim_port *port, uint32_t link_mb_s)
{
	struct region *region = calloc(1, sizeof(*region));

	if (!region)
		abort(); /* the host is out of memory */
	region->name = strdup(name);
	region->base = base;
	region->last = base + bytes - 1;
	region->port = *port;
	region->kind = kind;
	if (link_mb_s) {
		region->link = bandwidth_new(DIRECTIONS, CLIENTS + 1, link_mb_s);
		if (!region->link)
			abort(); /* the host is out of memory */
		resource_init(&region->use[TO_TARGET].resource, 1);
		resource_init(&region->use[TO_INITIATOR].resource, 1);
	}
	return region;
}

int interconnect_region_add(struct interconnect *interconnect, const char *name,
			    enum interconnect_kind kind, uint64_t base, uint64_t bytes,
			    const struct sim_port *port, const char **other)
{
	uint64_t last = base + bytes - 1;
	size_t count = interconnect->region_count;

	if (other)
		*other = NULL;
	if (!bytes || last < base)
		return -1;
	size_t at = lower_bound(interconnect, base);

	if (at < count && interconnect->regions[at]->base <= last) {
		if (other)
			*other = interconnect->regions[at]->name;
		return -1;
	}
	struct region **regions =
		reallocarray(interconnect->regions, count + 1, sizeof(struct region *));

	if (!regions)
		abort(); /* the host is out of memory */
	memmove(&regions[at + 1], &regions[at], (count - at) * sizeof(struct region *));
	regions[at] = region_new(name, kind, base, bytes, port, interconnect->link_mb_s[kind]);
	interconnect->regions = regions;
	interconnect->region_count = count + 1;
	return 0;
}

const char *interconnect_region_at(const struct interconnect *interconnect, uint64_t pa)
{
	const struct region *region = region_at(interconnect, pa);

	return region ? region->name : NULL;
}

void interconnect_register_stats(struct interconnect *interconnect, struct stats *stats,
				 const char *prefix)
{
	char name[256];

	for (size_t i = 0; i < interconnect->region_count; i++) {
		const struct region *region = interconnect->regions[i];

		snprintf(name, sizeof(name), "%s.%s.reads", prefix, region->name);
		stats_counter(stats, name, &region->reads, "transactions", "reads of this region");
		snprintf(name, sizeof(name), "%s.%s.writes", prefix, region->name);
		stats_counter(stats, name, &region->writes, "transactions",
			      "writes and atomics of this region");
		snprintf(name, sizeof(name), "%s.%s.bytes", prefix, region->name);
		stats_counter(stats, name, &region->bytes, "bytes", "read and written");
		if (!region->link)
			continue;
		snprintf(name, sizeof(name), "%s.%s.request_link", prefix, region->name);
		resource_register(stats, name, &region->use[TO_TARGET].resource,
				  "the link to this region");
		snprintf(name, sizeof(name), "%s.%s.response_link", prefix, region->name);
		resource_register(stats, name, &region->use[TO_INITIATOR].resource,
				  "the link back from this region");
	}
	snprintf(name, sizeof(name), "%s.decode_errors", prefix);
	stats_counter(stats, name, &interconnect->decode_errors, "transactions",
		      "addresses that no region holds");
}
