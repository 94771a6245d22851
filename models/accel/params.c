/* SPDX-License-Identifier: BSD-3-Clause */
/* The accelerator's parameters: sizes that software reads from registers, times, and the width of its units. */
#include "models/accel/accel.h"

static const char *const versions[] = {"v2", "v3", NULL};

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
	PARAM_U64_(accel_params, length_max, 16u << 20, 64, 1u << 30,
		   "largest length of one request, in bytes", "assumed"),

	U32(mmio_ns, 10, 0, 1000000, "register access inside the device, in ns", "assumed"),
	U32(doorbell_ns, 10, 0, 1000000, "decoding one doorbell, in ns", "assumed"),
	U32(arbitration_ns, 5, 0, 1000000,
	    "choosing the next queue pair and asking for its SQE, in ns; one at a time", "assumed"),
	U32(sqe_prefetch, 8, 1, 256, "SQEs of one queue pair fetched ahead of the engines",
	    "assumed"),
	U32(sqe_buffers, 64, 1, 65536, "SQEs of all queue pairs fetched ahead of the engines",
	    "assumed"),

	U32(engines_copy, 4, 0, 64, "copy engines", "assumed"),
	U32(engines_crc32c, 2, 0, 64, "CRC-32C engines", "assumed"),
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
