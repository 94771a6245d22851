/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory controller: see memory.h. */
#include "models/mem/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/mem/bandwidth.h"
#include "models/mem/lines.h"
#include "models/mem/monitor.h"
#include "sim/stats/waits.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define FLIGHTS_A_CHUNK 64u
#define PAGE_LINES	64u
#define ALL_LINES	UINT64_MAX
#define CLIENT_CPUS	(MEMORY_MAX_REQUESTERS + 1u)
#define CLIENTS		(CLIENT_CPUS + 1u)

#define N1_PERF "AnandTech 15578, Arm Neoverse N1 (Graviton2)"

static_assert(MEMORY_LINE_BYTES == 1u << MONITOR_LINE_BITS, "monitors watch lines");
static_assert(MEMORY_LINE_BYTES == 1u << LINES_LINE_BITS, "caches have the same lines");
static_assert(SIM_TXN_MAX_BYTES == PAGE_LINES * MEMORY_LINE_BYTES, "a transaction is in one page");
static_assert(MEMORY_MAX_CHANNELS <= 64, "a mask of channels");

static const char *const device_read_names[] = {
	[MEMORY_READ_ALLOCATE] = "allocate", [MEMORY_READ_AROUND] = "around", NULL};
static const char *const device_write_names[] = {
	[MEMORY_WRITE_STASH] = "stash", [MEMORY_WRITE_DRAM] = "dram", NULL};

const struct param_desc memory_param_descs[] = {
	PARAM_U32_(memory_params, latency_ns, 82, 0, 100000,
		   "time of an access to DRAM beside its data transfer", N1_PERF),
	PARAM_U32_(memory_params, channels, 8, 1, MEMORY_MAX_CHANNELS, "DRAM channels of each node",
		   N1_PERF ": 8 channels of DDR4-3200"),
	PARAM_U32_(memory_params, channel_mb_s, 25600, 1, 100000000,
		   "data path of one DRAM channel, 10^6 bytes a second",
		   N1_PERF ": 8 channels of DDR4-3200"),
	PARAM_POW2_(memory_params, interleave_bytes, 256, 64, 1 << 20,
		    "bytes of consecutive addresses in one channel before the next", "assumed"),
	PARAM_U32_(memory_params, llc_kib, 32768, 0, 4 << 20,
		   "last-level cache, all nodes together; 0: none", N1_PERF),
	PARAM_U32_(memory_params, llc_hit_ns, 30, 0, 100000,
		   "time of an access to the last-level cache beside its data transfer", "assumed"),
	PARAM_U32_(memory_params, llc_mb_s, 409600, 1, 100000000,
		   "data path of each node's last-level cache, 10^6 bytes a second",
		   "assumed: twice that of DRAM"),
	PARAM_U32_(memory_params, snoop_ns, 50, 0, 100000,
		   "time of an access that a CPU's cache must answer or give up the line for",
		   "Chips and Cheese, Neoverse V2 in Graviton 4: 30 to 60 ns, Graviton 2 alike"),
	PARAM_ENUM_(
		memory_params, device_read, "allocate", device_read_names,
		"lines that a device or walker reads from DRAM: to the last-level cache, or not",
		"assumed: read-allocate, as Linux sets the SMMU's attributes"),
	PARAM_ENUM_(memory_params, device_write, "stash", device_write_names,
		    "a device writes into the last-level cache, or to DRAM",
		    "assumed: write-allocate, as Linux sets the SMMU's attributes"),
	PARAM_U32_(memory_params, nodes, 1, 1, MEMORY_MAX_NODES,
		   "NUMA nodes, each with an equal part of RAM and channels of its own", "assumed"),
	PARAM_U32_(memory_params, node_distance_ns, 60, 0, 100000,
		   "what an access takes longer between two nodes", "assumed"),
	PARAM_U32_(memory_params, cpu_cache_kib, 1024, 0, 1 << 20,
		   "private cache of each CPU; 0: not modelled, every access hits",
		   N1_PERF ": 1 MiB of L2"),
	PARAM_U32_(memory_params, cpu_misses, 24, 1, 1024,
		   "line misses of one CPU that overlap in a block access or behind stores",
		   "assumed: 19 GB/s of one CPU from DRAM"),
	PARAM_U32_(memory_params, cpu_load_hit_ps, 1600, 0, 100000000,
		   "a CPU's load: its first 64-byte line",
		   "Arm Neoverse N1 Software Optimization Guide: 4 cycles, at 2.5 GHz"),
	PARAM_U32_(memory_params, cpu_store_hit_ps, 400, 0, 100000000,
		   "a CPU's store: its first 64-byte line", "assumed: 1 cycle at 2.5 GHz"),
	PARAM_U32_(memory_params, cpu_line_ps, 1600, 0, 100000000,
		   "each further line of a CPU's load or store",
		   "assumed: 16 bytes a cycle at 2.5 GHz"),
	PARAM_U32_(memory_params, cpu_atomic_ps, 8000, 0, 100000000,
		   "a CPU's atomic operation on a line that it owns", "assumed"),
};
const size_t memory_param_count = ARRAY_SIZE(memory_param_descs);

/* How long a resource is used by an access, and waited for. */
struct usage {
	sim_time busy, wait;
};

/* A transaction between its arrival and its completion. */
struct flight {
	struct sim_event event;
	struct memory *memory;
	struct sim_txn *txn;
	unsigned int client, node;
	bool uses_dram, uses_llc;
	struct usage dram, llc;
	struct flight *next_free;
};

struct flight_chunk {
	struct flight_chunk *next;
	struct flight flights[FLIGHTS_A_CHUNK];
};

struct requester {
	char *name; /* NULL: counted with the others */
	unsigned int node;
	uint64_t reads, writes; /* writes: atomics included */
	uint64_t bytes_read, bytes_written;
	uint64_t llc_hits, llc_misses, snoops; /* lines */
};

struct cpu {
	sim_time local; /* its own time is not before this */
	unsigned int node;
};

struct node {
	struct bandwidth_use channels;
};

struct memory {
	struct memory_params params;
	const struct ram *ram;
	struct monitor_table *monitors;
	struct lines *lines; /* NULL: there are no caches */
	bool stash;

	/* pipes: the channels of node 0, of node 1, ..., then each node's last-level cache */
	struct bandwidth *bandwidth;
	struct node nodes[MEMORY_MAX_NODES];
	struct bandwidth_use llc;
	uint64_t node_bytes;
	sim_time distance_ps[MEMORY_MAX_NODES][MEMORY_MAX_NODES]; /* [from][to] */

	struct cpu *cpus;
	unsigned int cpu_count;

	struct flight *flights_free;
	struct flight_chunk *chunks;

	struct requester *requesters; /* MEMORY_MAX_REQUESTERS, and one for the rest */

	uint64_t reads, writes, atomics;
	uint64_t bytes_read, bytes_written;
	uint64_t decode_errors, slave_errors;
	uint64_t wait_ps;
	uint64_t llc_hits, llc_misses, snoops, writebacks; /* lines */
	uint64_t cpu_loads, cpu_stores, cpu_atomics;
	uint64_t cpu_bytes_loaded, cpu_bytes_stored;
	uint64_t cpu_llc_hits, cpu_llc_misses, cpu_transfers; /* lines */
	uint64_t cpu_aborts;
	uint64_t monitors_added, monitors_fired;
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

/* ---- DRAM channels and the last-level cache's data path ---------------------------------- */

static unsigned int node_of(const struct memory *memory, uint64_t pa)
{
	if (memory->params.nodes == 1)
		return 0;
	return (unsigned int)((pa - memory->ram->base) / memory->node_bytes);
}

/* Sums the digits of the unit's number, so that strides spread as well as sequences do. */
static unsigned int channel_of(const struct memory *memory, uint64_t unit)
{
	const uint32_t channels = memory->params.channels;

	return (unsigned int)((unit + unit / channels + unit / channels / channels) % channels);
}

/* A page's lines by channel. Returns a mask of channels. */
static uint64_t split(const struct memory *memory, uint64_t page, uint64_t mask,
		      uint8_t lines[MEMORY_MAX_CHANNELS])
{
	const uint32_t unit_lines = memory->params.interleave_bytes / MEMORY_LINE_BYTES;
	const uint32_t units = unit_lines < PAGE_LINES ? PAGE_LINES / unit_lines : 1;
	const uint64_t unit_mask = ALL_LINES >> (PAGE_LINES - PAGE_LINES / units);
	const uint64_t first = units > 1 ? page * units : page * PAGE_LINES / unit_lines;
	uint64_t channels = 0;

	for (uint64_t unit = first; mask; unit++) {
		const uint64_t part = mask & unit_mask;

		mask = units > 1 ? mask >> unit_lines : 0;
		if (!part)
			continue;
		const unsigned int channel = channel_of(memory, unit);

		if (!(channels >> channel & 1))
			lines[channel] = 0;
		channels |= UINT64_C(1) << channel;
		lines[channel] =
			(uint8_t)(lines[channel] +
				  (part == unit_mask ? PAGE_LINES / units
						     : (unsigned)__builtin_popcountll(part)));
	}
	return channels;
}

/* A page in equal parts, the usual case of a long burst. */
static bool split_evenly(const struct memory *memory, uint64_t mask)
{
	const uint64_t round = (uint64_t)memory->params.channels * memory->params.interleave_bytes;

	return mask == ALL_LINES && round <= SIM_TXN_MAX_BYTES && SIM_TXN_MAX_BYTES % round == 0;
}

enum booking { BOOK_TXN, BOOK_CPU, BOOK_POSTED };

static struct bandwidth_slot book_pipe(struct memory *memory, enum booking kind,
				       struct bandwidth_client *client, unsigned int pipe,
				       uint32_t bytes)
{
	if (kind == BOOK_TXN)
		return bandwidth_book(memory->bandwidth, client, pipe, bytes);
	if (kind == BOOK_CPU)
		return bandwidth_book_steady(memory->bandwidth, client, pipe, bytes);
	return (struct bandwidth_slot){
		.busy = bandwidth_book_posted(memory->bandwidth, pipe, bytes)};
}

/* Over all channels that it needs: the last end, the longest transfer, and their sum. */
static struct bandwidth_slot book_channels(struct memory *memory, enum booking kind,
					   struct bandwidth_client *client, unsigned int node,
					   uint64_t page, uint64_t mask, sim_time *busy_sum)
{
	const unsigned int first = node * memory->params.channels;
	const bool even = split_evenly(memory, mask);
	uint8_t lines[MEMORY_MAX_CHANNELS];
	uint64_t channels = even ? ALL_LINES >> (64 - memory->params.channels)
				 : split(memory, page, mask, lines);
	uint32_t bytes = SIM_TXN_MAX_BYTES / memory->params.channels;
	struct bandwidth_slot all = {0};

	*busy_sum = 0;
	for (; channels; channels &= channels - 1) {
		const unsigned int channel = (unsigned int)__builtin_ctzll(channels);

		if (!even)
			bytes = lines[channel] * MEMORY_LINE_BYTES;
		const struct bandwidth_slot slot =
			book_pipe(memory, kind, client, first + channel, bytes);

		*busy_sum += slot.busy;
		if (all.end < slot.end)
			all.end = slot.end;
		if (all.busy < slot.busy)
			all.busy = slot.busy;
	}
	return all;
}

static struct bandwidth_slot book_llc(struct memory *memory, enum booking kind,
				      struct bandwidth_client *client, unsigned int node,
				      uint64_t mask)
{
	const unsigned int pipe = memory->params.nodes * memory->params.channels + node;

	return book_pipe(memory, kind, client, pipe,
			 (uint32_t)__builtin_popcountll(mask) * MEMORY_LINE_BYTES);
}

/* Lines that the last-level cache or a CPU's cache gave up. */
static void write_back(void *arg, uint64_t page, uint64_t mask)
{
	struct memory *memory = arg;
	const unsigned int node = node_of(memory, page << LINES_PAGE_BITS);
	sim_time busy;

	book_channels(memory, BOOK_POSTED, NULL, node, page, mask, &busy);
	bandwidth_used(&memory->nodes[node].channels, busy, 0);
	memory->writebacks += (uint64_t)__builtin_popcountll(mask);
}

/* ---- the time of a transaction ------------------------------------------------------------ */

static void count_lines(struct memory *memory, struct requester *requester,
			const struct lines_found *found)
{
	const unsigned int hits = (unsigned int)__builtin_popcountll(found->llc);
	const unsigned int misses = (unsigned int)__builtin_popcountll(found->memory);

	memory->llc_hits += hits;
	requester->llc_hits += hits;
	memory->llc_misses += misses;
	requester->llc_misses += misses;
	if (!found->cpu)
		return;
	const unsigned int snoops = (unsigned int)__builtin_popcountll(found->cpu);

	memory->snoops += snoops;
	requester->snoops += snoops;
}

/* What a transaction asks of caches and of DRAM. */
struct demand {
	uint64_t llc, dram; /* lines that pass */
	sim_time llc_latency, dram_latency;
};

static struct demand find_lines(struct memory *memory, struct requester *requester,
				const struct sim_txn *txn, uint64_t page, uint64_t mask)
{
	const sim_time snoop = SIM_NS(memory->params.snoop_ns);
	struct demand demand = {.dram_latency = SIM_NS(memory->params.latency_ns)};
	struct lines_found found;

	if (!memory->lines) {
		demand.dram = mask;
		return demand;
	}
	if (txn->cmd == SIM_READ)
		lines_device_read(memory->lines, page, mask, &found);
	else
		lines_device_write(memory->lines, page, mask, &found);
	count_lines(memory, requester, &found);
	demand.llc_latency = found.cpu ? snoop : SIM_NS(memory->params.llc_hit_ns);
	if (txn->cmd == SIM_READ) {
		demand.llc = found.llc | found.cpu;
		demand.dram = found.memory;
	} else if (memory->stash) {
		demand.llc = mask;
	} else {
		demand.dram = mask;
		if (found.cpu && demand.dram_latency < snoop)
			demand.dram_latency = snoop;
	}
	return demand;
}

/* The later of two ends; `unloaded`: the same if nobody else were there. */
struct outcome {
	sim_time end, unloaded;
};

static struct usage add_service(struct outcome *outcome, struct bandwidth_slot slot,
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

/* When the transaction that arrives now completes; says what it waits for. */
static sim_time completion_time(struct memory *memory, struct flight *flight)
{
	const struct sim_txn *txn = flight->txn;
	struct requester *requester = requester_of(memory, txn->requester);
	const uint64_t page = txn->addr >> LINES_PAGE_BITS;
	const struct demand demand =
		find_lines(memory, requester, txn, page, lines_mask(txn->addr, txn->len));
	struct outcome outcome = {.end = sim_now(), .unloaded = sim_now()};

	flight->node = node_of(memory, txn->addr);
	flight->client = (unsigned int)(requester - memory->requesters);
	struct bandwidth_client *client = bandwidth_begin(memory->bandwidth, flight->client);

	flight->uses_dram = demand.dram;
	flight->uses_llc = demand.llc;
	if (demand.dram) {
		struct bandwidth_use *channels = &memory->nodes[flight->node].channels;
		sim_time busy;
		const struct bandwidth_slot slot = book_channels(
			memory, BOOK_TXN, client, flight->node, page, demand.dram, &busy);

		flight->dram = add_service(&outcome, slot, demand.dram_latency);
		bandwidth_queued(channels, flight->dram.busy, flight->dram.wait);
		flight->dram.busy = busy;
	}
	if (demand.llc) {
		flight->llc = add_service(
			&outcome, book_llc(memory, BOOK_TXN, client, flight->node, demand.llc),
			demand.llc_latency);
		bandwidth_queued(&memory->llc, flight->llc.busy, flight->llc.wait);
	}
	const sim_time far = memory->distance_ps[requester->node][flight->node];

	waits_add(txn->waits, WAIT_LINK, far);
	waits_add(txn->waits, WAIT_MEMORY, outcome.unloaded - sim_now());
	waits_add(txn->waits, WAIT_BANDWIDTH, outcome.end - outcome.unloaded);
	memory->wait_ps += outcome.end - outcome.unloaded;
	return outcome.end + far;
}

static void end_service(struct memory *memory, struct flight *flight)
{
	struct bandwidth_use *channels = &memory->nodes[flight->node].channels;

	bandwidth_end(memory->bandwidth, flight->client);
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

static bool atomic_allowed(uint64_t pa, uint32_t len)
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

/* Operands as in struct sim_txn. Returns whether memory was written. */
static bool do_atomic(enum sim_cmd cmd, void *at, uint8_t *data, uint32_t len)
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

static void notify(struct memory *memory, uint64_t pa, uint64_t len)
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
		if (!atomic_allowed(txn->addr, txn->len))
			return SIM_SLVERR;
		*written = do_atomic(txn->cmd, at, txn->data, txn->len);
		return SIM_OK;
	}
	return SIM_SLVERR;
}

/* ---- statistics -------------------------------------------------------------------------- */

static void count(struct memory *memory, const struct sim_txn *txn, enum sim_response response)
{
	struct requester *requester = requester_of(memory, txn->requester);

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
	void *at = ram_host(memory->ram, pa, len);
	enum sim_response response = SIM_DECERR;
	bool written = false;

	if (at) {
		end_service(memory, flight);
		response = move_data(txn, at, &written);
	}
	flight_put(flight);
	count(memory, txn, response);
	/* monitors first: who polls and who waits for the completion see the same instant */
	if (written)
		notify(memory, pa, len);
	sim_txn_complete(txn, response);
}

void memory_request(void *target, struct sim_txn *txn)
{
	struct memory *memory = target;
	struct flight *flight = flight_get(memory);

	assert(txn->len >= 1 && txn->len <= SIM_TXN_MAX_BYTES);
	flight->txn = txn;
	if (ram_host(memory->ram, txn->addr, txn->len)) {
		sim_event_at(&flight->event, completion_time(memory, flight));
		return;
	}
	waits_add(txn->waits, WAIT_MEMORY, SIM_NS(memory->params.latency_ns));
	sim_event_after(&flight->event, SIM_NS(memory->params.latency_ns));
}

/* ---- CPU accesses ------------------------------------------------------------------------ */

enum access { ACCESS_LOAD, ACCESS_STORE, ACCESS_ATOMIC };

static struct cpu *cpu_of(struct memory *memory, unsigned int cpu)
{
	if (cpu >= memory->cpu_count) {
		memory->cpus = reallocarray(memory->cpus, cpu + 1, sizeof(*memory->cpus));
		if (!memory->cpus)
			abort(); /* the host is out of memory */
		memset(&memory->cpus[memory->cpu_count], 0,
		       (cpu + 1 - memory->cpu_count) * sizeof(*memory->cpus));
		memory->cpu_count = cpu + 1;
	}
	return &memory->cpus[cpu];
}

/* How much later than `from`, plus its own transfer, a booking ends. */
static sim_time wait_of(struct bandwidth_slot slot, sim_time from)
{
	return slot.end > from + slot.busy ? slot.end - slot.busy - from : 0;
}

/*
 * What the missing lines of a page cost beyond a hit. A load or an atomic operation waits for the first; the rest
 * overlap, as all do behind stores.
 */
static sim_time miss_cost(struct memory *memory, struct cpu *cpu, uint64_t page, enum access access,
			  const struct lines_found *found)
{
	const unsigned int node = node_of(memory, page << LINES_PAGE_BITS);
	const sim_time far = memory->distance_ps[cpu->node][node];
	const struct {
		uint64_t lines;
		sim_time latency;
	} levels[] = {{found->llc, SIM_NS(memory->params.llc_hit_ns) + far},
		      {found->cpu, SIM_NS(memory->params.snoop_ns) + far},
		      {found->memory, SIM_NS(memory->params.latency_ns) + far}};
	struct bandwidth_client *client = bandwidth_steady_client(memory->bandwidth, CLIENT_CPUS);
	sim_time sum = 0, first = 0, wait = 0;

	if (cpu->local < sim_now())
		cpu->local = sim_now();
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		sum += (unsigned int)__builtin_popcountll(levels[i].lines) * levels[i].latency;
		if (levels[i].lines && first < levels[i].latency)
			first = levels[i].latency;
	}
	if (found->llc | found->cpu) {
		const struct bandwidth_slot slot =
			book_llc(memory, BOOK_CPU, client, node, found->llc | found->cpu);

		wait = wait_of(slot, cpu->local);
		bandwidth_used(&memory->llc, slot.busy, wait);
	}
	if (found->memory) {
		sim_time busy;
		const struct bandwidth_slot slot =
			book_channels(memory, BOOK_CPU, client, node, page, found->memory, &busy);
		const sim_time queued = wait_of(slot, cpu->local);

		bandwidth_used(&memory->nodes[node].channels, busy, queued);
		if (wait < queued)
			wait = queued;
	}
	if (access == ACCESS_STORE)
		first = 0;
	const sim_time cost = first + (sum - first) / memory->params.cpu_misses + wait;

	cpu->local += cost;
	return cost;
}

/* Lines of [pa, pa + bytes), within a page, that it covers wholly. */
static uint64_t whole_lines(uint64_t pa, uint32_t bytes)
{
	const uint64_t from = (pa + MEMORY_LINE_BYTES - 1) & ~(uint64_t)(MEMORY_LINE_BYTES - 1);
	const uint64_t to = (pa + bytes) & ~(uint64_t)(MEMORY_LINE_BYTES - 1);

	return from < to ? lines_mask(from, (uint32_t)(to - from)) : 0;
}

static sim_time page_miss(struct memory *memory, unsigned int cpu, uint64_t pa, uint32_t bytes,
			  enum access access)
{
	const uint64_t page = pa >> LINES_PAGE_BITS;
	const uint64_t mask = lines_mask(pa, bytes);
	struct lines_found found;

	if (access == ACCESS_LOAD)
		lines_cpu_load(memory->lines, cpu, page, mask, &found);
	else
		lines_cpu_store(memory->lines, cpu, page, mask,
				access == ACCESS_STORE ? whole_lines(pa, bytes) : 0, &found);
	memory->cpu_llc_hits += (uint64_t)__builtin_popcountll(found.llc);
	memory->cpu_llc_misses += (uint64_t)__builtin_popcountll(found.memory);
	memory->cpu_transfers += (uint64_t)__builtin_popcountll(found.cpu);
	if (!(found.llc | found.memory | found.cpu))
		return 0;
	return miss_cost(memory, cpu_of(memory, cpu), page, access, &found);
}

/* What it costs that lines are not in the CPU's cache; 0 if they are. */
static inline sim_time misses_cost(struct memory *memory, unsigned int cpu, uint64_t pa,
				   uint32_t len, enum access access)
{
	sim_time cost = 0;

	if (!memory->params.cpu_cache_kib)
		return 0;
	for (;;) {
		uint32_t piece = SIM_TXN_MAX_BYTES - (pa & (SIM_TXN_MAX_BYTES - 1));

		if (piece > len)
			piece = len;
		if (!lines_cpu_hit(memory->lines, cpu, pa >> LINES_PAGE_BITS, lines_mask(pa, piece),
				   access != ACCESS_LOAD))
			cost += page_miss(memory, cpu, pa, piece, access);
		len -= piece;
		if (!len)
			return cost;
		pa += piece;
	}
}

static sim_time lines_cost(const struct memory *memory, uint64_t pa, uint32_t len,
			   uint32_t first_ps)
{
	uint64_t further = ((pa + len - 1) >> MONITOR_LINE_BITS) - (pa >> MONITOR_LINE_BITS);

	return first_ps + further * memory->params.cpu_line_ps;
}

static sim_time load_cost(struct memory *memory, unsigned int cpu, uint64_t pa, uint32_t len)
{
	memory->cpu_loads++;
	memory->cpu_bytes_loaded += len;
	return lines_cost(memory, pa, len, memory->params.cpu_load_hit_ps) +
	       misses_cost(memory, cpu, pa, len, ACCESS_LOAD);
}

static sim_time store_cost(struct memory *memory, unsigned int cpu, uint64_t pa, uint32_t len)
{
	memory->cpu_stores++;
	memory->cpu_bytes_stored += len;
	return lines_cost(memory, pa, len, memory->params.cpu_store_hit_ps) +
	       misses_cost(memory, cpu, pa, len, ACCESS_STORE);
}

static sim_time cpu_abort(struct memory *memory)
{
	memory->cpu_aborts++;
	return SIM_TIME_NEVER;
}

sim_time memory_cpu_load(struct memory *memory, unsigned int cpu, uint64_t pa, void *buf,
			 uint32_t len)
{
	const void *at = ram_host(memory->ram, pa, len);

	if (!at)
		return cpu_abort(memory);
	if (!len)
		return 0;
	memcpy(buf, at, len);
	return load_cost(memory, cpu, pa, len);
}

sim_time memory_cpu_store(struct memory *memory, unsigned int cpu, uint64_t pa, const void *buf,
			  uint32_t len)
{
	void *at = ram_host(memory->ram, pa, len);

	if (!at)
		return cpu_abort(memory);
	if (len)
		memcpy(at, buf, len);
	return memory_cpu_touch(memory, cpu, pa, len, true);
}

sim_time memory_cpu_atomic(struct memory *memory, unsigned int cpu, enum sim_cmd cmd, uint64_t pa,
			   void *data, uint32_t len)
{
	void *at = ram_host(memory->ram, pa, len);

	assert(cmd == SIM_ATOMIC_CAS || cmd == SIM_ATOMIC_ADD || cmd == SIM_ATOMIC_SWAP);
	if (!at || !atomic_allowed(pa, len))
		return cpu_abort(memory);
	const sim_time cost =
		memory->params.cpu_atomic_ps + misses_cost(memory, cpu, pa, len, ACCESS_ATOMIC);

	memory->cpu_atomics++;
	if (do_atomic(cmd, at, data, len))
		notify(memory, pa, len);
	return cost;
}

sim_time memory_cpu_touch(struct memory *memory, unsigned int cpu, uint64_t pa, uint32_t len,
			  bool store)
{
	if (!ram_host(memory->ram, pa, len))
		return cpu_abort(memory);
	if (!len)
		return 0;
	if (!store)
		return load_cost(memory, cpu, pa, len);
	const sim_time cost = store_cost(memory, cpu, pa, len);

	/* last: whoever is woken may touch the line */
	notify(memory, pa, len);
	return cost;
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
		.writeback = write_back,
		.writeback_arg = memory,
	};

	memory->stash = params->llc_kib && config.device_write_stash;
	if (!params->llc_kib && !params->cpu_cache_kib)
		return true;
	memory->lines = lines_new(&config);
	return memory->lines;
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
	return ram_host(memory->ram, pa, 1) ? node_of(memory, pa) : 0;
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
	cpu_of(memory, cpu)->node = node;
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

/* ---- figures ----------------------------------------------------------------------------- */

static uint64_t channels_busy(const void *arg)
{
	const struct memory *memory = arg;
	uint64_t busy = 0;

	for (unsigned int i = 0; i < memory->params.nodes; i++)
		busy += memory->nodes[i].channels.resource.busy_ps;
	return busy;
}

static double channels_utilisation(const void *arg)
{
	const struct memory *memory = arg;
	const double servers = (double)memory->params.nodes * memory->params.channels;

	return sim_now() ? (double)channels_busy(memory) / servers / (double)sim_now() : 0.0;
}

static void register_resources(const struct memory *memory, struct stats *stats, const char *prefix)
{
	char name[256];

	for (unsigned int i = 0; i < memory->params.nodes; i++) {
		if (memory->params.nodes == 1)
			snprintf(name, sizeof(name), "%s.channels", prefix);
		else
			snprintf(name, sizeof(name), "%s.node%u.channels", prefix, i);
		resource_register(stats, name, &memory->nodes[i].channels.resource,
				  "DRAM channels");
	}
	if (!memory->lines)
		return;
	snprintf(name, sizeof(name), "%s.llc", prefix);
	resource_register(stats, name, &memory->llc.resource, "the last-level cache's data path");
	snprintf(name, sizeof(name), "%s.llc.lines", prefix);
	stats_counter(stats, name, lines_llc_used(memory->lines), "lines", "held now");
}

static void register_requester(struct stats *stats, const char *prefix, const char *name,
			       const struct requester *requester)
{
	const struct {
		const char *name;
		const uint64_t *value;
		const char *unit, *help;
	} counters[] = {
		{"reads", &requester->reads, "transactions", "reads of this requester"},
		{"writes", &requester->writes, "transactions",
		 "writes and atomics of this requester"},
		{"bytes_read", &requester->bytes_read, "bytes", "read by this requester"},
		{"bytes_written", &requester->bytes_written, "bytes", "written by this requester"},
		{"llc_hits", &requester->llc_hits, "lines", "found in the last-level cache"},
		{"llc_misses", &requester->llc_misses, "lines", "found in no cache"},
		{"snoops", &requester->snoops, "lines", "found in a CPU's cache"},
	};
	char full[256];

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		snprintf(full, sizeof(full), "%s.requester.%s.%s", prefix, name, counters[i].name);
		stats_counter(stats, full, counters[i].value, counters[i].unit, counters[i].help);
	}
}

void memory_register_stats(struct memory *memory, struct stats *stats, const char *prefix)
{
	const struct {
		const char *name;
		const uint64_t *value;
		const char *unit, *help;
	} counters[] = {
		{"reads", &memory->reads, "transactions", "reads served"},
		{"writes", &memory->writes, "transactions", "writes served"},
		{"atomics", &memory->atomics, "transactions", "atomic operations served"},
		{"bytes_read", &memory->bytes_read, "bytes", "read by transactions"},
		{"bytes_written", &memory->bytes_written, "bytes",
		 "written by transactions, atomics included"},
		{"decode_errors", &memory->decode_errors, "transactions", "outside RAM"},
		{"slave_errors", &memory->slave_errors, "transactions",
		 "atomics of a wrong size or alignment"},
		{"wait_ps", &memory->wait_ps, "ps",
		 "transactions waited for DRAM channels or the last-level cache's data path"},
		{"llc.hits", &memory->llc_hits, "lines",
		 "of transactions, found in the last-level cache"},
		{"llc.misses", &memory->llc_misses, "lines", "of transactions, found in no cache"},
		{"llc.writebacks", &memory->writebacks, "lines",
		 "dirty, given up by caches to DRAM"},
		{"snoops", &memory->snoops, "lines", "of transactions, found in a CPU's cache"},
		{"cpu.loads", &memory->cpu_loads, "accesses", "loads and block reads by CPUs"},
		{"cpu.stores", &memory->cpu_stores, "accesses", "stores and block writes by CPUs"},
		{"cpu.atomics", &memory->cpu_atomics, "accesses", "atomic operations by CPUs"},
		{"cpu.bytes_loaded", &memory->cpu_bytes_loaded, "bytes", "loaded by CPUs"},
		{"cpu.bytes_stored", &memory->cpu_bytes_stored, "bytes", "stored by CPUs"},
		{"cpu.llc_hits", &memory->cpu_llc_hits, "lines",
		 "of CPU accesses, found in the last-level cache"},
		{"cpu.llc_misses", &memory->cpu_llc_misses, "lines",
		 "of CPU accesses, read from DRAM"},
		{"cpu.transfers", &memory->cpu_transfers, "lines",
		 "of CPU accesses, found in another CPU's cache"},
		{"cpu.aborts", &memory->cpu_aborts, "accesses", "outside RAM or misaligned"},
		{"monitors.added", &memory->monitors_added, "monitors", "waits for a line's write"},
		{"monitors.fired", &memory->monitors_fired, "monitors", "ended by a write"},
	};
	char name[256];

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		snprintf(name, sizeof(name), "%s.%s", prefix, counters[i].name);
		stats_counter(stats, name, counters[i].value, counters[i].unit, counters[i].help);
	}
	snprintf(name, sizeof(name), "%s.utilisation", prefix);
	stats_computed(stats, name, channels_utilisation, memory, "1",
		       "share of the DRAM channels' time in which they moved data");
	snprintf(name, sizeof(name), "%s.busy_ps", prefix);
	stats_computed_u64(stats, name, channels_busy, memory, "ps",
			   "DRAM channels moved data, all together");
	register_resources(memory, stats, prefix);
	for (unsigned int i = 0; i < MEMORY_MAX_REQUESTERS; i++) {
		if (memory->requesters[i].name)
			register_requester(stats, prefix, memory->requesters[i].name,
					   &memory->requesters[i]);
	}
	register_requester(stats, prefix, "other", &memory->requesters[MEMORY_MAX_REQUESTERS]);
}
