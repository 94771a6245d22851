/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interconnect: decodes physical addresses to regions and carries transactions to the
 * region's port and back, with a latency each way that depends on the region's kind. Regions
 * are added while the machine is built and do not overlap.
 *
 * Each region has a link with two directions, which may be limited in bandwidth: a message, its
 * header and the data that it carries, takes its turn (bandwidth.h) and then the latency. All
 * of it counts as waiting for LINK. No topology, no ordering between transactions beyond: two
 * transactions of one requester to one region arrive in order.
 *
 * What no region holds, wholly, completes with SIM_DECERR after the device latency both ways. A
 * transaction is forwarded as it is where there is neither latency nor a limit; else a child of
 * it travels, so that sim_txn.hop stays free for the target.
 */
#ifndef MODELS_MEM_INTERCONNECT_H
#define MODELS_MEM_INTERCONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/config/param.h"
#include "sim/engine/port.h"
#include "sim/stats/stats.h"

#ifdef __cplusplus
extern "C" {
#endif

struct interconnect_params {
	uint32_t memory_request_ns, memory_response_ns;
	uint32_t device_request_ns, device_response_ns;
	uint32_t memory_link_mb_s, device_link_mb_s; /* each direction; 0: not limited */
	uint32_t header_bytes;
};

extern const struct param_desc interconnect_param_descs[];
extern const size_t interconnect_param_count;

enum interconnect_kind {
	INTERCONNECT_MEMORY,
	INTERCONNECT_DEVICE,
	INTERCONNECT_KIND_COUNT,
};

struct interconnect;

/* params are copied. NULL: no host memory. */
struct interconnect *interconnect_new(const struct interconnect_params *params);
/* Requests in flight are dropped without completion. */
void interconnect_free(struct interconnect *interconnect);

/*
 * 0; or -1, nothing added: empty, wraps around, or overlaps a region (whose name goes to *other
 * if `other` is not NULL).
 */
int interconnect_region_add(struct interconnect *interconnect, const char *name,
			    enum interconnect_kind kind, uint64_t base, uint64_t bytes,
			    const struct sim_port *port, const char **other);

/* The name of the region that holds pa, or NULL. */
const char *interconnect_region_at(const struct interconnect *interconnect, uint64_t pa);

/* The target of a sim_port: {interconnect_request, interconnect}. */
void interconnect_request(void *interconnect, struct sim_txn *txn);

/*
 * prefix.<region>.{reads,writes,bytes}, resources prefix.<region>.{request_link,response_link}
 * where bandwidth is limited, prefix.decode_errors; after the last region was added.
 */
void interconnect_register_stats(struct interconnect *interconnect, struct stats *stats,
				 const char *prefix);

#ifdef __cplusplus
}
#endif
#endif
