/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory model: transactions, their data and their time. See memory.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "models/mem/memory_internal.h"
#include "sim/stats/waits.h"

#define FLIGHTS_A_CHUNK 64u

static_assert(MEMORY_LINE_BYTES == 1u << MONITOR_LINE_BITS, "monitors watch lines");
static_assert(MEMORY_LINE_BYTES == 1u << LINES_LINE_BITS, "caches have the same lines");
static_assert(SIM_TXN_MAX_BYTES == PAGE_LINES * MEMORY_LINE_BYTES, "a transaction is in one page");

/* How long a resource is used by an access, and waited for. */
struct usage {
	sim_time busy, wait;
};

/* A transaction between its arrival and its completion. */
struct flight {
	struct sim_event event;
	struct memory *memory;
	struct sim_txn *txn;
	struct requester *requester;
	void *at; /* NULL: outside RAM */
	unsigned int node;
	bool uses_dram, uses_llc;
	struct usage dram, llc;
	struct flight *next_free;
};

struct flight_chunk {
	struct flight_chunk *next;
	struct flight flights[FLIGHTS_A_CHUNK];
};

/* ---- flights ----------------------------------------------------------------------------- */

static void flight_land(void *arg);

static void add_chunk(struct memory *memory)
{
	struct flight_chunk *chunk = calloc(1, sizeof(*chunk));

	if (!chunk)
		abort(); /* the host is out of memory */
	chunk->next = memory->chunks;
	memory->chunks = chunk;
	for (unsigned int i = FLIGHTS_A_CHUNK; i-- > 0;) {
		struct flight *flight = &chunk->flights[i];

		sim_event_init(&flight->event, flight_land, flight);
		flight->memory = memory;
		flight->next_free = memory->flights_free;
		memory->flights_free = flight;
	}
}

static struct flight *flight_get(struct memory *memory)
{
	if (!memory->flights_free)
		add_chunk(memory);

	struct flight *flight = memory->flights_free;

	memory->flights_free = flight->next_free;
	return flight;
}

static void flight_put(struct flight *flight)
{
	flight->txn = NULL;
	flight->next_free = flight->memory->flights_free;
	flight->memory->flights_free = flight;
}

/* ---- the time of a transaction ------------------------------------------------------------ */

static void count_lines(struct memory *memory, struct requester *requester,
			const struct lines_found *found)
{
	if (found->llc) {
		const unsigned int lines = lines_count(found->llc);

		memory->llc_hits += lines;
		requester->llc_hits += lines;
	}
	if (found->memory) {
		const unsigned int lines = lines_count(found->memory);

		memory->llc_misses += lines;
		requester->llc_misses += lines;
	}
	if (found->cpu) {
		const unsigned int lines = lines_count(found->cpu);

		memory->snoops += lines;
		requester->snoops += lines;
	}
}

/* What a transaction asks of caches and of DRAM. */
struct demand {
	uint64_t llc, dram; /* lines that pass */
	sim_time llc_latency, dram_latency;
};

static struct demand find_lines(struct memory *memory, struct requester *requester, bool read,
				uint64_t page, uint64_t mask)
{
	struct demand demand = {.dram_latency = memory->latency_ps};
	struct lines_found found;

	if (!memory->lines) {
		demand.dram = mask;
		return demand;
	}
	if (read)
		lines_device_read(memory->lines, page, mask, &found);
	else
		lines_device_write(memory->lines, page, mask, &found);
	count_lines(memory, requester, &found);
	demand.llc_latency = found.cpu ? memory->snoop_ps : memory->llc_hit_ps;
	if (read) {
		demand.llc = found.llc | found.cpu;
		demand.dram = found.memory;
	} else if (memory->stash) {
		demand.llc = mask;
	} else {
		demand.dram = mask;
		if (found.cpu && demand.dram_latency < memory->snoop_ps)
			demand.dram_latency = memory->snoop_ps;
	}
	return demand;
}

/* The later of two ends; `unloaded`: the same if nobody else were there. */
struct outcome {
	sim_time end, unloaded;
};

static inline struct usage add_service(struct outcome *outcome, struct bandwidth_slot slot,
				       sim_time latency)
{
	const sim_time unloaded = sim_now() + slot.busy;

	if (outcome->end < slot.end + latency)
		outcome->end = slot.end + latency;
	if (outcome->unloaded < unloaded + latency)
		outcome->unloaded = unloaded + latency;
	return (struct usage){.busy = slot.busy, .wait = slot.end - unloaded};
}

static struct requester *requester_of(struct memory *memory, uint16_t id)
{
	if (id < MEMORY_MAX_REQUESTERS && memory->requesters[id].name)
		return &memory->requesters[id];
	return &memory->requesters[MEMORY_MAX_REQUESTERS];
}

static struct bandwidth_client *client_of(struct memory *memory, struct requester *requester)
{
	if (!requester->client)
		requester->client = bandwidth_client(
			memory->bandwidth, (unsigned int)(requester - memory->requesters));
	return requester->client;
}

static void serve_from_llc(struct memory *memory, struct flight *flight, uint64_t mask,
			   sim_time latency, struct outcome *outcome)
{
	const struct bandwidth_slot slot = bandwidth_book(
		memory->bandwidth, flight->requester->client, memory_llc_pipe(memory, flight->node),
		lines_count(mask) * MEMORY_LINE_BYTES);

	flight->uses_llc = true;
	flight->llc = add_service(outcome, slot, latency);
	bandwidth_queued(&memory->llc, flight->llc.busy, flight->llc.wait);
}

static void serve_from_dram(struct memory *memory, struct flight *flight, uint64_t mask,
			    sim_time latency, struct outcome *outcome)
{
	sim_time busy;
	const struct bandwidth_slot slot =
		memory_book_channels(memory, BOOK_TXN, flight->requester->client, flight->node,
				     flight->txn->addr >> LINES_PAGE_BITS, mask, &busy);

	flight->uses_dram = true;
	flight->dram = add_service(outcome, slot, latency);
	bandwidth_queued(&memory->nodes[flight->node].channels, flight->dram.busy,
			 flight->dram.wait);
	flight->dram.busy = busy;
}

static void serve(struct memory *memory, struct flight *flight, struct outcome *outcome)
{
	const struct sim_txn *txn = flight->txn;
	const uint64_t page = txn->addr >> LINES_PAGE_BITS;
	const uint64_t mask = lines_mask(txn->addr, txn->len);

	if (txn->cmd == SIM_READ && memory->front && lines_device_hit(memory->front, page, mask)) {
		const unsigned int lines = lines_count(mask);

		memory->llc_hits += lines;
		flight->requester->llc_hits += lines;
		serve_from_llc(memory, flight, mask, memory->llc_hit_ps, outcome);
		return;
	}
	const struct demand demand =
		find_lines(memory, flight->requester, txn->cmd == SIM_READ, page, mask);

	if (demand.dram)
		serve_from_dram(memory, flight, demand.dram, demand.dram_latency, outcome);
	if (demand.llc)
		serve_from_llc(memory, flight, demand.llc, demand.llc_latency, outcome);
}

/* When the transaction that arrives now completes; says what it waits for. */
static sim_time completion_time(struct memory *memory, struct flight *flight)
{
	struct outcome outcome = {.end = sim_now(), .unloaded = sim_now()};

	flight->node = memory_node(memory, flight->txn->addr);
	flight->uses_dram = flight->uses_llc = false;
	bandwidth_begin(memory->bandwidth, client_of(memory, flight->requester));
	serve(memory, flight, &outcome);

	const sim_time far = memory->distance_ps[flight->requester->node][flight->node];
	struct waits *waits = flight->txn->waits;

	if (waits) {
		waits_add(waits, WAIT_LINK, far);
		waits_add(waits, WAIT_MEMORY, outcome.unloaded - sim_now());
		waits_add(waits, WAIT_BANDWIDTH, outcome.end - outcome.unloaded);
	}
	memory->wait_ps += outcome.end - outcome.unloaded;
	return outcome.end + far;
}

static void end_service(struct memory *memory, struct flight *flight)
{
	struct bandwidth_use *channels = &memory->nodes[flight->node].channels;

	bandwidth_end(memory->bandwidth, flight->requester->client);
	if (flight->uses_dram) {
		channels->under_way--;
		bandwidth_used(channels, flight->dram.busy, flight->dram.wait);
	}
	if (flight->uses_llc) {
		memory->llc.under_way--;
		bandwidth_used(&memory->llc, flight->llc.busy, flight->llc.wait);
	}
}

/* ---- data -------------------------------------------------------------------------------- */

bool memory_atomic_allowed(uint64_t pa, uint32_t len)
{
	return len && len <= 8 && !(len & (len - 1)) && !(pa & (len - 1));
}

/* The simulated machine and the host are both little endian. */
static uint64_t load_value(const void *from, uint32_t len)
{
	uint64_t value = 0;

	memcpy(&value, from, len);
	return value;
}

bool memory_do_atomic(enum sim_cmd cmd, void *at, uint8_t *data, uint32_t len)
{
	uint64_t old = load_value(at, len);
	uint64_t operand = load_value(data, len);
	uint64_t new = operand;
	bool write = true;

	if (cmd == SIM_ATOMIC_ADD) {
		new = old + operand;
	} else if (cmd == SIM_ATOMIC_CAS) {
		new = load_value(data + len, len);
		write = old == operand;
	}
	if (write)
		memcpy(at, &new, len);
	memcpy(data, &old, len);
	return write;
}

void memory_notify(struct memory *memory, uint64_t pa, uint64_t len)
{
	memory->monitors_fired += monitor_written(memory->monitors, pa, len);
}

/* Moves the data of a transaction that is in RAM at `at`; says whether memory was written. */
static enum sim_response move_data(const struct sim_txn *txn, void *at, bool *written)
{
	*written = false;
	switch (txn->cmd) {
	case SIM_READ:
		memcpy(txn->data, at, txn->len);
		return SIM_OK;
	case SIM_WRITE:
		memcpy(at, txn->data, txn->len);
		*written = true;
		return SIM_OK;
	case SIM_ATOMIC_CAS:
	case SIM_ATOMIC_ADD:
	case SIM_ATOMIC_SWAP:
		if (!memory_atomic_allowed(txn->addr, txn->len))
			return SIM_SLVERR;
		*written = memory_do_atomic(txn->cmd, at, txn->data, txn->len);
		return SIM_OK;
	}
	return SIM_SLVERR;
}

/* ---- statistics -------------------------------------------------------------------------- */

static void count(struct memory *memory, struct requester *requester, const struct sim_txn *txn,
		  enum sim_response response)
{
	if (response == SIM_DECERR) {
		memory->decode_errors++;
		return;
	}
	if (response == SIM_SLVERR) {
		memory->slave_errors++;
		return;
	}
	if (txn->cmd == SIM_READ) {
		memory->reads++;
		memory->bytes_read += txn->len;
		requester->reads++;
		requester->bytes_read += txn->len;
		return;
	}
	if (txn->cmd == SIM_WRITE)
		memory->writes++;
	else
		memory->atomics++;
	memory->bytes_written += txn->len;
	requester->writes++;
	requester->bytes_written += txn->len;
}

/* ---- transactions ------------------------------------------------------------------------ */

static void flight_land(void *arg)
{
	struct flight *flight = arg;
	struct memory *memory = flight->memory;
	struct sim_txn *txn = flight->txn;
	uint64_t pa = txn->addr;
	uint32_t len = txn->len;
	enum sim_response response = SIM_DECERR;
	bool written = false;

	if (flight->at) {
		end_service(memory, flight);
		response = move_data(txn, flight->at, &written);
	}
	count(memory, flight->requester, txn, response);
	flight_put(flight);
	/* monitors first: who polls and who waits for the completion see the same instant */
	if (written)
		memory_notify(memory, pa, len);
	sim_txn_complete(txn, response);
}

void memory_request(void *target, struct sim_txn *txn)
{
	struct memory *memory = target;
	struct flight *flight = flight_get(memory);

	assert(txn->len >= 1 && txn->len <= SIM_TXN_MAX_BYTES);
	flight->txn = txn;
	flight->at = ram_host(memory->ram, txn->addr, txn->len);
	flight->requester = requester_of(memory, txn->requester);
	if (flight->at) {
		sim_event_at(&flight->event, completion_time(memory, flight));
		return;
	}
	waits_add(txn->waits, WAIT_MEMORY, memory->latency_ps);
	sim_event_after(&flight->event, memory->latency_ps);
}

/* ---- monitors ---------------------------------------------------------------------------- */

uint64_t memory_monitor_add(struct memory *memory, uint64_t pa, void (*fn)(void *arg), void *arg)
{
	memory->monitors_added++;
	return monitor_add(memory->monitors, pa, fn, arg);
}

void memory_monitor_cancel(struct memory *memory, uint64_t id)
{
	monitor_cancel(memory->monitors, id);
}

/* ---- life -------------------------------------------------------------------------------- */

static bool build_caches(struct memory *memory)
{
	const struct memory_params *params = &memory->params;
	const struct lines_config config = {
		.llc_kib = params->llc_kib,
		.cpu_cache_kib = params->cpu_cache_kib,
		.device_read_allocate = params->device_read == MEMORY_READ_ALLOCATE,
		.device_write_stash = params->device_write == MEMORY_WRITE_STASH,
		.writeback = memory_write_back,
		.writeback_arg = memory,
	};

	memory->stash = params->llc_kib && config.device_write_stash;
	if (!params->llc_kib && !params->cpu_cache_kib)
		return true;
	memory->lines = lines_new(&config);
	if (!memory->lines)
		return false;
	memory->front = lines_front(memory->lines);
	memory->cpu_front = params->cpu_cache_kib ? memory->front : NULL;
	return true;
}

static bool build_nodes(struct memory *memory)
{
	const struct memory_params *params = &memory->params;
	const uint64_t pages = memory->ram->bytes / SIM_TXN_MAX_BYTES;
	const unsigned int channels = params->nodes * params->channels;

	memory->node_bytes = (pages + params->nodes - 1) / params->nodes * SIM_TXN_MAX_BYTES;
	for (unsigned int i = 0; i < params->nodes; i++) {
		resource_init(&memory->nodes[i].channels.resource, params->channels);
		for (unsigned int j = 0; j < params->nodes; j++)
			memory->distance_ps[i][j] = i == j ? 0 : SIM_NS(params->node_distance_ns);
	}
	resource_init(&memory->llc.resource, params->nodes);
	memory->unit_lines = params->interleave_bytes < SIM_TXN_MAX_BYTES
				     ? params->interleave_bytes / MEMORY_LINE_BYTES
				     : PAGE_LINES;
	memory->even_pages = PAGE_LINES % (params->channels * memory->unit_lines) == 0;
	memory->bandwidth = bandwidth_new(channels + params->nodes, CLIENTS, params->channel_mb_s);
	if (!memory->bandwidth)
		return false;
	for (unsigned int i = 0; i < params->nodes; i++)
		memory->bandwidth->pipes[channels + i].mb_s = params->llc_mb_s;
	return true;
}

struct memory *memory_new(const struct memory_params *params, const struct ram *ram)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return NULL;
	memory->params = *params;
	memory->latency_ps = SIM_NS(params->latency_ns);
	memory->llc_hit_ps = SIM_NS(params->llc_hit_ns);
	memory->snoop_ps = SIM_NS(params->snoop_ns);
	memory->ram = ram;
	memory->monitors = monitor_table_new();
	memory->requesters = calloc(MEMORY_MAX_REQUESTERS + 1, sizeof(*memory->requesters));
	if (!memory->monitors || !memory->requesters || !build_nodes(memory) ||
	    !build_caches(memory)) {
		memory_free(memory);
		return NULL;
	}
	add_chunk(memory);
	return memory;
}

void memory_free(struct memory *memory)
{
	if (!memory)
		return;
	for (struct flight_chunk *chunk = memory->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		for (unsigned int i = 0; i < FLIGHTS_A_CHUNK; i++)
			sim_event_cancel(&chunk->flights[i].event);
		free(chunk);
	}
	for (unsigned int i = 0; memory->requesters && i < MEMORY_MAX_REQUESTERS; i++)
		free(memory->requesters[i].name);
	free(memory->requesters);
	free(memory->cpus);
	lines_free(memory->lines);
	bandwidth_free(memory->bandwidth);
	monitor_table_free(memory->monitors);
	free(memory);
}

void memory_requester_name(struct memory *memory, uint16_t requester, const char *name)
{
	assert(requester < MEMORY_MAX_REQUESTERS);
	free(memory->requesters[requester].name);
	memory->requesters[requester].name = strdup(name);
}

/* ---- NUMA -------------------------------------------------------------------------------- */

unsigned int memory_node_of(const struct memory *memory, uint64_t pa)
{
	return ram_host(memory->ram, pa, 1) ? memory_node(memory, pa) : 0;
}

void memory_node_range(const struct memory *memory, unsigned int node, uint64_t *base,
		       uint64_t *bytes)
{
	const uint64_t offset = node * memory->node_bytes;
	const uint64_t left = offset < memory->ram->bytes ? memory->ram->bytes - offset : 0;

	*base = memory->ram->base + offset;
	*bytes = left < memory->node_bytes ? left : memory->node_bytes;
}

void memory_place_cpu(struct memory *memory, unsigned int cpu, unsigned int node)
{
	assert(node < memory->params.nodes);
	memory_cpu(memory, cpu)->node = node;
}

void memory_place_requester(struct memory *memory, uint16_t requester, unsigned int node)
{
	assert(requester < MEMORY_MAX_REQUESTERS && node < memory->params.nodes);
	memory->requesters[requester].node = node;
}

void memory_set_distance(struct memory *memory, unsigned int from, unsigned int to,
			 uint32_t extra_ns)
{
	assert(from < memory->params.nodes && to < memory->params.nodes);
	memory->distance_ps[from][to] = SIM_NS(extra_ns);
}
