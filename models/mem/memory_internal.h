/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the memory model share; memory.h is the model's face. */
#ifndef MODELS_MEM_MEMORY_INTERNAL_H
#define MODELS_MEM_MEMORY_INTERNAL_H

#include "models/mem/bandwidth.h"
#include "models/mem/lines.h"
#include "models/mem/memory.h"
#include "models/mem/monitor.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_LINES    64u
#define ALL_LINES     UINT64_MAX
#define CLIENT_CPUS   (MEMORY_MAX_REQUESTERS + 1u)
#define CLIENTS	      (CLIENT_CPUS + 1u)

struct requester {
	char *name; /* NULL: counted with the others */
	unsigned int node;
	struct bandwidth_client *client;
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
	sim_time latency_ps, llc_hit_ps, snoop_ps; /* of params */
	const struct ram *ram;
	struct monitor_table *monitors;
	struct lines *lines;			     /* NULL: there are no caches */
	const struct lines_front *front, *cpu_front; /* NULL: no caches; CPUs always hit */
	bool stash;
	bool even_pages;	 /* a page has as much in each channel of its node */
	unsigned int unit_lines; /* consecutive lines of a page in one channel */

	/* pipes: the channels of node 0, of node 1, ..., then each node's last-level cache */
	struct bandwidth *bandwidth;
	struct node nodes[MEMORY_MAX_NODES];
	struct bandwidth_use llc;
	sim_time *stream_end; /* while a CPU streams: when what it displaces has been written */
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

/* ---- channels.c: DRAM channels and the last-level cache's data path ---------------------- */

enum booking {
	BOOK_TXN, /* by a transaction that is under way */
	BOOK_CPU,
	BOOK_POSTED, /* nobody waits */
};

/* Of an address in RAM. */
static inline unsigned int memory_node(const struct memory *memory, uint64_t pa)
{
	if (memory->params.nodes == 1)
		return 0;
	return (unsigned int)((pa - memory->ram->base) / memory->node_bytes);
}

static inline unsigned int memory_llc_pipe(const struct memory *memory, unsigned int node)
{
	return memory->params.nodes * memory->params.channels + node;
}

/* Over all channels that it needs: the last end, the longest transfer, and the sum of transfers. */
struct bandwidth_slot memory_book_channels(struct memory *memory, enum booking kind,
					   struct bandwidth_client *client, unsigned int node,
					   uint64_t page, uint64_t mask, sim_time *busy_sum);
/* Lines that the last-level cache or a CPU's cache gave up; `memory` is a struct memory. */
void memory_write_back(void *memory, uint64_t page, uint64_t mask);

/* ---- data, in memory.c ------------------------------------------------------------------- */

bool memory_atomic_allowed(uint64_t pa, uint32_t len);
/* Operands as in struct sim_txn. Returns whether memory was written. */
bool memory_do_atomic(enum sim_cmd cmd, void *at, uint8_t *data, uint32_t len);
void memory_notify(struct memory *memory, uint64_t pa, uint64_t len);

/* ---- memory_cpu.c ------------------------------------------------------------------------ */

struct cpu *memory_cpu(struct memory *memory, unsigned int cpu);

#endif
