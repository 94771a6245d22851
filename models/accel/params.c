/* SPDX-License-Identifier: BSD-3-Clause */
/* The accelerator's parameters: sizes that software reads from registers, times, and the width of its units. */
#include "models/accel/accel.h"

static const char *const versions[] = {"v2", "v3", NULL};
static const char *const arbitrations[] = {"weighted", "round_robin", "priority", NULL};
static const char *const completions[] = {"free", "in_order", NULL};
static const char *const fault_blockers[] = {"transaction", "dma_port", "engine", "queue", NULL};

#define U32(...)  PARAM_U32_(accel_params, __VA_ARGS__)
#define POW2(...) PARAM_POW2_(accel_params, __VA_ARGS__)

const struct param_desc accel_param_descs[] = {
	PARAM_ENUM_(
		accel_params, version, "v3", versions,
		"queue manager: v2 (one doorbell window for all queues) or v3 (one per queue pair)",
		"uacce user ABI, hisi_qm"),
	U32(qp_count, 1024, 1, 1024, "queue pairs", "HiSilicon QM: 1024 per function"),
	U32(depth_max, 65536, 2, 65536, "largest ring depth, in entries",
	    "width of the doorbell's index field"),
	U32(sq_depth, 1024, 2, 65535,
	    "depth of a new queue's rings in entries, of which one less can be in use; handed to "
	    "the "
	    "driver as qm.qm_depth, where machine.kernel_command_line has the last word",
	    "hisi_qm: QM queue depth 1024"),
	PARAM_U64_(accel_params, length_max_bytes, 16u << 20, 64, 1u << 30,
		   "largest length of one request, in bytes", "assumed"),

	U32(mmio_ns, 10, 0, 1000000, "register access inside the device, in ns", "assumed"),
	U32(doorbell_ns, 10, 0, 1000000, "decoding one doorbell, in ns", "assumed"),
	U32(arbitration_ns, 5, 0, 1000000,
	    "choosing the next queue pair and asking for its SQE, in ns; one at a time", "assumed"),
	PARAM_ENUM_(accel_params, arbitration, "weighted", arbitrations,
		    "whose SQE is fetched next: round robin with the weights in the SQ contexts, "
		    "without "
		    "them, or the highest priority first and weighted within one",
		    "assumed"),
	PARAM_ENUM_(accel_params, completion, "free", completions,
		    "CQEs of a queue pair as requests end, or in the order of its ring", "assumed"),
	U32(reorder_entries, 64, 1, 65536,
	    "with completion in order: requests of one queue pair fetched and not yet completed",
	    "assumed"),
	PARAM_ENUM_(accel_params, fault_blocks, "transaction", fault_blockers,
		    "who waits while a data transaction is late, as one that faults is: nobody "
		    "else; the "
		    "DMA port, whose answers come in order; its engine, which works on one request "
		    "at a "
		    "time and in order; its queue pair, which has one request in work at a time",
		    "assumed"),
	U32(eq_coalesce_count, 1, 1, 65536,
	    "completion events that share an interrupt; 1: each has its own", "assumed"),
	U32(eq_coalesce_ns, 0, 0, 100000000,
	    "the longest that a completion event waits for others to share its interrupt, in ns; "
	    "0: "
	    "it does not wait",
	    "assumed"),
	U32(push_entries, 0, 0, 65536,
	    "SQEs of one queue pair that can be stored to its user window (v3) and wait there to "
	    "be taken; "
	    "0: there is no push window",
	    "assumed"),
	U32(sqe_prefetch, 8, 1, 65536, "SQEs of one queue pair fetched ahead of the engines",
	    "assumed"),
	U32(sqe_buffers, 64, 1, 65536, "SQEs of all queue pairs fetched ahead of the engines",
	    "assumed"),

	U32(engines_copy, 4, 0, 256, "copy engines", "assumed"),
	U32(engines_crc32c, 2, 0, 256, "CRC-32C engines", "assumed"),
	U32(engine_mhz, 1000, 1, 10000, "clock of the engines, in MHz", "assumed"),
	U32(copy_bytes_per_cycle, 16, 1, 4096, "bytes that a copy engine passes on per cycle",
	    "assumed"),
	U32(crc32c_bytes_per_cycle, 16, 1, 4096, "bytes that a CRC-32C engine takes in per cycle",
	    "assumed"),
	U32(engine_setup_ns, 20, 0, 1000000,
	    "from an engine taking a request to its first read, in ns", "assumed"),
	U32(engine_requests, 2, 1, 16,
	    "requests in work in one engine at once: the next one's reads overlap the last one's "
	    "writes",
	    "assumed"),
	U32(engine_buffers, 16, 1, 1024,
	    "bursts of one request in work at once: read, computed or written", "assumed"),

	POW2(dma_burst_bytes, 256, 64, 4096, "longest data transaction, in bytes",
	     "assumed: 16 beats of 128 bits"),
	U32(dma_outstanding, 64, 1, 65536, "data transactions in flight, stalled ones included",
	    "assumed"),
	U32(ring_outstanding, 32, 1, 65536,
	    "transactions in flight on rings and contexts, apart from data", "assumed"),
};

const size_t accel_param_count = sizeof(accel_param_descs) / sizeof(accel_param_descs[0]);
