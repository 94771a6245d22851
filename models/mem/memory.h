/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory as devices and table walkers reach it by transactions, and CPUs by loads and stores:
 * DRAM channels behind a last-level cache, and CPUs' private caches (lines.h says who has which
 * line).
 *
 * A transaction takes the slowest of its parts: lines from the last-level cache, from a CPU's
 * cache, from DRAM, each with its latency after its turn on the data path (bandwidth.h says
 * whose turn it is). Its data moves when it completes: a read returns memory as it is then, a
 * write becomes visible then; caches hold no data of their own. What lies outside RAM completes
 * with SIM_DECERR. Two transactions complete in an order that depends on where their lines are.
 *
 * Waits: MEMORY is what it takes when nobody else is there, BANDWIDTH what others add, LINK the
 * way between nodes.
 *
 * CPU accesses move their data at once and return what they cost; the caller adds that to its
 * CPU's time. They take bandwidth from everybody else. A kernel that writes RAM without them
 * owns no lines.
 */
#ifndef MODELS_MEM_MEMORY_H
#define MODELS_MEM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "models/mem/ram.h"
#include "sim/config/param.h"
#include "sim/engine/port.h"
#include "sim/stats/stats.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MEMORY_LINE_BYTES     64u
#define MEMORY_MAX_REQUESTERS 4096u

#define MEMORY_MAX_NODES    16u
#define MEMORY_MAX_CHANNELS 64u

enum memory_device_read { MEMORY_READ_ALLOCATE, MEMORY_READ_AROUND };
enum memory_device_write { MEMORY_WRITE_STASH, MEMORY_WRITE_DRAM };

struct memory_params {
	uint32_t latency_ns;
	uint32_t channels;     /* of each node */
	uint32_t channel_mb_s; /* 10^6 bytes a second */
	uint32_t interleave_bytes;
	uint32_t llc_kib; /* 0: none */
	uint32_t llc_hit_ns;
	uint32_t llc_mb_s; /* of each node */
	uint32_t snoop_ns;
	uint32_t device_read, device_write; /* enum memory_device_read, memory_device_write */
	uint32_t nodes;
	uint32_t node_distance_ns;
	uint32_t cpu_cache_kib; /* 0: CPUs always hit */
	uint32_t cpu_misses;
	uint32_t cpu_load_hit_ps;  /* first line of a load */
	uint32_t cpu_store_hit_ps; /* first line of a store */
	uint32_t cpu_line_ps;	   /* each further line of a load or store */
	uint32_t cpu_atomic_ps;
};

extern const struct param_desc memory_param_descs[];
extern const size_t memory_param_count;

struct memory;

/*
 * `ram` is the caller's and outlives the controller; params are copied. NULL if the host has no
 * memory.
 */
struct memory *memory_new(const struct memory_params *params, const struct ram *ram);
void memory_free(struct memory *memory); /* requests in flight are dropped without completion */

/*
 * A name for one value of sim_txn.requester, for the metrics; before memory_register_stats().
 * Unnamed ones count as "other".
 */
void memory_requester_name(struct memory *memory, uint16_t requester, const char *name);

/* The target of a sim_port: {memory_request, memory}. */
void memory_request(void *memory, struct sim_txn *txn);

/* ---- NUMA: RAM is divided among the nodes in order, in equal parts ------------------------ */

/* 0 if it is not in RAM. */
unsigned int memory_node_of(const struct memory *memory, uint64_t pa);
void memory_node_range(const struct memory *memory, unsigned int node, uint64_t *base,
		       uint64_t *bytes);
/* Where a CPU or a requester that has a name is; node 0 unless told. */
void memory_place_cpu(struct memory *memory, unsigned int cpu, unsigned int node);
void memory_place_requester(struct memory *memory, uint16_t requester, unsigned int node);
/* What an access takes longer; otherwise node_distance_ns between two nodes, 0 within one. */
void memory_set_distance(struct memory *memory, unsigned int from, unsigned int to,
			 uint32_t extra_ns);

/* ---- CPU accesses (any context, nothing blocks) ------------------------------------------ */

/*
 * Each returns its cost in ps, or SIM_TIME_NEVER if the address is not in RAM (nothing was
 * moved: a synchronous external abort). Stores and atomics fire the monitors of the lines they
 * touch.
 */
sim_time memory_cpu_load(struct memory *memory, unsigned int cpu, uint64_t pa, void *buf,
			 uint32_t len);
sim_time memory_cpu_store(struct memory *memory, unsigned int cpu, uint64_t pa, const void *buf,
			  uint32_t len);
/* `data` as in struct sim_txn; len is 1, 2, 4 or 8 and pa is aligned to it, else SIM_TIME_NEVER. */
sim_time memory_cpu_atomic(struct memory *memory, unsigned int cpu, enum sim_cmd cmd, uint64_t pa,
			   void *data, uint32_t len);

/*
 * For callers that move the data themselves through the host pointer: what it costs, and for a
 * store, after the data has been moved, tells the monitors.
 */
sim_time memory_cpu_touch(struct memory *memory, unsigned int cpu, uint64_t pa, uint32_t len,
			  bool store);

/*
 * Stores of whole lines in a row, as zeroing a page is: they pass the CPU's cache (write streaming) and
 * go on as fast as the last-level cache takes them and memory takes what that gives up for them. The
 * caller has moved the data. pa and len are multiples of a line. What the core itself needs is not
 * in the cost.
 */
sim_time memory_cpu_stream(struct memory *memory, unsigned int cpu, uint64_t pa, uint64_t len);

/* ---- monitors ---------------------------------------------------------------------------- */

/*
 * fn(arg) is called once, when anybody writes the 64-byte line of pa: a transaction at its
 * completion, or a CPU's store at its call, that of the monitor's own CPU included (another
 * thread may run there by then). It runs in the context of the write, after the data is
 * visible. Returns an id, never 0, for memory_monitor_cancel(), which has no effect on one that
 * has fired.
 */
uint64_t memory_monitor_add(struct memory *memory, uint64_t pa, void (*fn)(void *arg), void *arg);
void memory_monitor_cancel(struct memory *memory, uint64_t id);

/* prefix.reads, …; the registry is read before memory_free(). */
void memory_register_stats(struct memory *memory, struct stats *stats, const char *prefix);

#ifdef __cplusplus
}
#endif
#endif
