/* SPDX-License-Identifier: BSD-3-Clause */
/* The parameters of memory.h, with their defaults and where those come from. */
#include "models/mem/memory.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define N1_PERF "AnandTech 15578, Arm Neoverse N1 (Graviton2)"

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
