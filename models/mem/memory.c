/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory controller: see memory.h. */
#include "models/mem/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/mem/monitor.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define FLIGHTS_A_CHUNK 64u

#define N1_PERF "AnandTech 15578, Arm Neoverse N1 (Graviton2)"

static_assert(MEMORY_LINE_BYTES == 1u << MONITOR_LINE_BITS, "monitors watch lines");

const struct param_desc memory_param_descs[] = {
	PARAM_U32_(memory_params, latency_ns, 82, 0, 100000,
		   "time of an access beside its data transfer", N1_PERF),
	PARAM_U32_(memory_params, bandwidth_mb_s, 204800, 1, 100000000,
		   "data path of all channels together, 10^6 bytes a second",
		   N1_PERF ": 8 channels of DDR4-3200"),
	PARAM_U32_(memory_params, cpu_load_hit_ps, 1600, 0, 100000000,
		   "a CPU's load: its first 64-byte line",
		   "Arm Neoverse N1 Software Optimization Guide: 4 cycles, at 2.5 GHz"),
	PARAM_U32_(memory_params, cpu_store_hit_ps, 400, 0, 100000000,
		   "a CPU's store: its first 64-byte line", "assumed: 1 cycle at 2.5 GHz"),
	PARAM_U32_(memory_params, cpu_line_ps, 1600, 0, 100000000,
		   "each further line of a CPU's load or store",
		   "assumed: 16 bytes a cycle at 2.5 GHz"),
	PARAM_U32_(memory_params, cpu_atomic_ps, 8000, 0, 100000000, "a CPU's atomic operation",
		   "assumed"),
};
const size_t memory_param_count = ARRAY_SIZE(memory_param_descs);

/* A transaction between its arrival and its completion. */
struct flight {
	struct sim_event event;
	struct memory *memory;
	struct sim_txn *txn;
	struct flight *next_free;
};

struct flight_chunk {
	struct flight_chunk *next;
	struct flight flights[FLIGHTS_A_CHUNK];
};

struct requester {
	char *name; /* NULL: counted with the others */
	uint64_t bytes_read, bytes_written;
};

struct memory {
	struct memory_params params;
	const struct ram *ram;
	struct monitor_table *monitors;

	/* the data path */
	sim_time path_free;  /* when it has moved all that arrived so far */
	uint64_t path_carry; /* of the last division, in 1/bandwidth_mb_s ps */

	struct flight *flights_free;
	struct flight_chunk *chunks;

	struct requester *requesters; /* MEMORY_MAX_REQUESTERS, and one for the rest */

	uint64_t reads, writes, atomics;
	uint64_t bytes_read, bytes_written;
	uint64_t decode_errors, slave_errors;
	uint64_t busy_ps, wait_ps;
	uint64_t cpu_loads, cpu_stores, cpu_atomics;
	uint64_t cpu_bytes_loaded, cpu_bytes_stored;
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

/* ---- timing ------------------------------------------------------------------------------ */

/*
 * Takes the data path for `bytes`; returns when the last of them has passed. Exact over a busy
 * period.
 */
static sim_time occupy_path(struct memory *memory, uint32_t bytes)
{
	sim_time start = memory->path_free;

	if (start < sim_now()) {
		start = sim_now();
		memory->path_carry = 0;
	}
	uint64_t work = (uint64_t)bytes * 1000000 + memory->path_carry;
	sim_time busy = work / memory->params.bandwidth_mb_s;

	memory->path_carry = work % memory->params.bandwidth_mb_s;
	memory->path_free = start + busy;
	memory->busy_ps += busy;
	memory->wait_ps += start - sim_now();
	return memory->path_free;
}

static uint32_t bytes_moved(const struct sim_txn *txn)
{
	return txn->cmd == SIM_READ || txn->cmd == SIM_WRITE ? txn->len : MEMORY_LINE_BYTES;
}

/* When the transaction that arrives now completes. */
static sim_time completion_time(struct memory *memory, const struct sim_txn *txn)
{
	return occupy_path(memory, bytes_moved(txn)) + SIM_NS(memory->params.latency_ns);
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

static struct requester *requester_of(struct memory *memory, uint16_t id)
{
	if (id < MEMORY_MAX_REQUESTERS && memory->requesters[id].name)
		return &memory->requesters[id];
	return &memory->requesters[MEMORY_MAX_REQUESTERS];
}

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
		requester->bytes_read += txn->len;
		return;
	}
	if (txn->cmd == SIM_WRITE)
		memory->writes++;
	else
		memory->atomics++;
	memory->bytes_written += txn->len;
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

	flight_put(flight);
	if (at)
		response = move_data(txn, at, &written);
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
	sim_event_at(&flight->event, completion_time(memory, txn));
}

/* ---- CPU accesses ------------------------------------------------------------------------ */

static sim_time lines_cost(const struct memory *memory, uint64_t pa, uint32_t len,
			   uint32_t first_ps)
{
	uint64_t further = ((pa + len - 1) >> MONITOR_LINE_BITS) - (pa >> MONITOR_LINE_BITS);

	return first_ps + further * memory->params.cpu_line_ps;
}

static sim_time load_cost(struct memory *memory, uint64_t pa, uint32_t len)
{
	memory->cpu_loads++;
	memory->cpu_bytes_loaded += len;
	return lines_cost(memory, pa, len, memory->params.cpu_load_hit_ps);
}

static sim_time store_cost(struct memory *memory, uint64_t pa, uint32_t len)
{
	memory->cpu_stores++;
	memory->cpu_bytes_stored += len;
	return lines_cost(memory, pa, len, memory->params.cpu_store_hit_ps);
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

	(void)cpu;
	if (!at)
		return cpu_abort(memory);
	if (!len)
		return 0;
	memcpy(buf, at, len);
	return load_cost(memory, pa, len);
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

	(void)cpu;
	assert(cmd == SIM_ATOMIC_CAS || cmd == SIM_ATOMIC_ADD || cmd == SIM_ATOMIC_SWAP);
	if (!at || !atomic_allowed(pa, len))
		return cpu_abort(memory);
	if (do_atomic(cmd, at, data, len))
		notify(memory, pa, len);
	memory->cpu_atomics++;
	return memory->params.cpu_atomic_ps;
}

sim_time memory_cpu_touch(struct memory *memory, unsigned int cpu, uint64_t pa, uint32_t len,
			  bool store)
{
	(void)cpu;
	if (!ram_host(memory->ram, pa, len))
		return cpu_abort(memory);
	if (!len)
		return 0;
	if (!store)
		return load_cost(memory, pa, len);
	notify(memory, pa, len);
	return store_cost(memory, pa, len);
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

struct memory *memory_new(const struct memory_params *params, const struct ram *ram)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return NULL;
	memory->params = *params;
	memory->ram = ram;
	memory->monitors = monitor_table_new();
	memory->requesters = calloc(MEMORY_MAX_REQUESTERS + 1, sizeof(*memory->requesters));
	if (!memory->monitors || !memory->requesters) {
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
	monitor_table_free(memory->monitors);
	free(memory);
}

void memory_requester_name(struct memory *memory, uint16_t requester, const char *name)
{
	assert(requester < MEMORY_MAX_REQUESTERS);
	free(memory->requesters[requester].name);
	memory->requesters[requester].name = strdup(name);
}

static double path_utilisation(const void *arg)
{
	const struct memory *memory = arg;

	/* what was booked beyond now has not happened yet */
	uint64_t ahead = memory->path_free > sim_now() ? memory->path_free - sim_now() : 0;

	return sim_now() ? (double)(memory->busy_ps - ahead) / (double)sim_now() : 0.0;
}

static void register_requester(struct stats *stats, const char *prefix, const char *name,
			       const struct requester *requester)
{
	char full[256];

	snprintf(full, sizeof(full), "%s.requester.%s.bytes_read", prefix, name);
	stats_counter(stats, full, &requester->bytes_read, "bytes", "read by this requester");
	snprintf(full, sizeof(full), "%s.requester.%s.bytes_written", prefix, name);
	stats_counter(stats, full, &requester->bytes_written, "bytes", "written by this requester");
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
		{"busy_ps", &memory->busy_ps, "ps", "the data path moved data"},
		{"wait_ps", &memory->wait_ps, "ps", "transactions waited for the data path"},
		{"cpu.loads", &memory->cpu_loads, "accesses", "loads and block reads by CPUs"},
		{"cpu.stores", &memory->cpu_stores, "accesses", "stores and block writes by CPUs"},
		{"cpu.atomics", &memory->cpu_atomics, "accesses", "atomic operations by CPUs"},
		{"cpu.bytes_loaded", &memory->cpu_bytes_loaded, "bytes", "loaded by CPUs"},
		{"cpu.bytes_stored", &memory->cpu_bytes_stored, "bytes", "stored by CPUs"},
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
	stats_computed(stats, name, path_utilisation, memory, "1",
		       "share of the time in which the data path moved data");
	for (unsigned int i = 0; i < MEMORY_MAX_REQUESTERS; i++) {
		if (memory->requesters[i].name)
			register_requester(stats, prefix, memory->requesters[i].name,
					   &memory->requesters[i]);
	}
	register_requester(stats, prefix, "other", &memory->requesters[MEMORY_MAX_REQUESTERS]);
}
