/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The accelerator: a queue manager (docs/queue-manager.md) with a DMA unit and engines behind it.
 *
 * A platform gives it a register frame on the bus, one upstream port for everything that it reads
 * and writes (the SMMU, or memory directly), and two interrupt lines. Ring and context accesses
 * go out without SubstreamID, data accesses with the queue's PASID.
 */
#ifndef MODELS_ACCEL_ACCEL_H
#define MODELS_ACCEL_ACCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/config/param.h"
#include "sim/engine/port.h"
#include "sim/stats/life.h"
#include "sim/stats/stats.h"
#include "sim/trace/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

enum accel_version { ACCEL_V2, ACCEL_V3 };
/* Who waits while a data transaction is late, as one is that the SMMU stalls. */
enum accel_fault_blocks {
	ACCEL_BLOCKS_TRANSACTION, /* nobody else */
	ACCEL_BLOCKS_DMA_PORT,	  /* the port's answers come in order: all that were issued later */
	ACCEL_BLOCKS_ENGINE,	  /* an engine works on one request at a time, in order */
	ACCEL_BLOCKS_QUEUE,	  /* a queue pair has one request in work at a time */
};
enum accel_arbitration { ACCEL_WEIGHTED, ACCEL_ROUND_ROBIN, ACCEL_PRIORITY };
enum accel_completion { ACCEL_COMPLETION_FREE, ACCEL_COMPLETION_IN_ORDER };

struct accel_params {
	uint32_t version; /* enum accel_version */
	uint32_t qp_count;
	uint32_t depth_max;
	uint32_t sq_depth; /* of new queues: the driver's choice, which the platform hands to it */
	uint64_t length_max_bytes; /* bytes of one request */
	/* the queue manager's own times */
	uint32_t mmio_ns;
	uint32_t doorbell_ns;
	uint32_t arbitration_ns;
	uint32_t arbitration;	  /* enum accel_arbitration */
	uint32_t completion;	  /* enum accel_completion */
	uint32_t reorder_entries; /* per queue pair, for completion in order */
	uint32_t fault_blocks;	  /* enum accel_fault_blocks */
	uint32_t eq_coalesce_count, eq_coalesce_ns;
	uint32_t push_entries; /* SQEs of one queue pair that stores have brought */
	uint32_t sqe_prefetch; /* per queue pair */
	uint32_t sqe_buffers;  /* in all */
	/* engines */
	uint32_t engines_copy;
	uint32_t engines_crc32c;
	uint32_t engine_mhz;
	uint32_t copy_bytes_per_cycle;
	uint32_t crc32c_bytes_per_cycle;
	uint32_t engine_setup_ns;
	uint32_t engine_requests; /* in work in one engine at once */
	uint32_t engine_buffers;  /* bursts in work per request */
	/* DMA unit */
	uint32_t dma_burst_bytes;
	uint32_t dma_outstanding;  /* data transactions */
	uint32_t ring_outstanding; /* transactions on rings and contexts */
};

extern const struct param_desc accel_param_descs[];
extern const size_t accel_param_count;

/* All of it is copied; what it points to outlives the accelerator. */
struct accel_config {
	const char *name;  /* of its trace track, for example "accel0" */
	uint64_t reg_base; /* the addresses that accel_mmio_request() sees begin here */
	uint32_t stream_id;
	uint16_t requester; /* of its transactions */
	struct sim_port dma_port;
	struct sim_irq eq_irq, aeq_irq;
	struct life *life;	  /* NULL: no stamps */
	unsigned int life_device; /* its number there */
	trace_track track;	  /* parent of its tracks; 0: none */
};

struct accel;

/* Never NULL: running out of host memory ends the program. */
struct accel *accel_new(const struct accel_params *params, const struct accel_config *config);
/* Between runs only: transactions in flight must have ended. */
void accel_free(struct accel *accel);

/* Size of the register frame with its user windows, in bytes. */
uint64_t accel_reg_bytes(const struct accel_params *params);

/* The register frame as a target of the bus; `accel` is the struct accel. Ends a transaction later, in order. */
void accel_mmio_request(void *accel, struct sim_txn *txn);

/* QM_STATUS.IDLE: no transaction and no request is in flight. */
bool accel_idle(const struct accel *accel);

/* Registers its metrics below `prefix` ("accel"), which must not have been used before. */
void accel_register_metrics(const struct accel *accel, struct stats *stats, const char *prefix);

#ifdef __cplusplus
}
#endif
#endif
