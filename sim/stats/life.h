/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lives of requests and of I/O page faults: when each reached which stage, wherever that is
 * known (the program, the kernel, a model). An instrument, not a part of the machine: nothing
 * simulated reads it.
 *
 * A request is known by (device, queue, index of its SQE in the submission ring); a fault by
 * (SMMU, StreamID, STAG). The difference between consecutive stamps is what the later stage took; a
 * stage without a stamp took nothing, so the parts always sum to the whole, in picoseconds.
 * From the stamps come the metrics requests.*, latency_ns.*, doorbell.*, faults.*, fault_ns.* and
 * the trace's request lanes and fault lanes with their flows; from them and the vectors of the
 * accelerator, waits.*.
 *
 * Every function does nothing if `life` is NULL.
 */
#ifndef SIM_STATS_LIFE_H
#define SIM_STATS_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"
#include "sim/stats/measure.h"
#include "sim/stats/stats.h"
#include "sim/stats/waits.h"
#include "sim/trace/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

enum request_stage {
	REQUEST_SEND,	   /* the program enters the send call: the request is born */
	REQUEST_SUBMITTED, /* the SQE is in the ring, the doorbell store is issued */
	REQUEST_DOORBELL,  /* the doorbell arrived at the queue manager */
	REQUEST_FETCH,	   /* the queue manager asks memory for the SQE */
	REQUEST_FETCHED,   /* the SQE is in the queue manager */
	REQUEST_ENGINE,	   /* an engine took it */
	REQUEST_EXECUTED,  /* the engine's last write is done */
	REQUEST_COMPLETED, /* the CQE is visible in memory */
	REQUEST_RECEIVED,  /* the program has it back: the request ends */
	REQUEST_STAGE_COUNT
};

enum fault_stage {
	FAULT_DETECTED,	 /* the translation failed, the transaction stalls: the fault is born */
	FAULT_RECORDED,	 /* the event record is visible in the event queue */
	FAULT_DRIVER,	 /* the driver's interrupt thread runs for it */
	FAULT_REPORTED,	 /* its work item is queued for a worker */
	FAULT_WORKER,	 /* a worker runs its work item */
	FAULT_MM,	 /* handle_mm_fault() entered */
	FAULT_MM_DONE,	 /* handle_mm_fault() returned */
	FAULT_RESPONDED, /* the worker gives its answer, which becomes a CMD_RESUME */
	FAULT_RESUMED,	 /* the SMMU executed CMD_RESUME */
	FAULT_RETRIED,	 /* the transaction was translated again, or terminated: the fault ends */
	FAULT_STAGE_COUNT
};

extern const char *const request_stage_names[REQUEST_STAGE_COUNT]; /* "send", "submitted", … */
extern const char *const fault_stage_names[FAULT_STAGE_COUNT];

struct life; /* the ledger of one machine */

struct life *life_new(struct stats *stats, trace_track root);
void life_free(struct life *life);

/* Announces a device (its trace tracks hang below `track`) with queues 0 … queues - 1. Returns its
 * number. */
unsigned int life_device_add(struct life *life, const char *name, unsigned int queues,
			     trace_track track);
/* Faults of this StreamID are shown on a track of the device's; those of other streams hang below
 * the ledger's root. */
void life_device_stream(struct life *life, unsigned int device, uint32_t stream_id);
/* A queue (again) in use, with a ring of `depth` entries; what was open on it before is dropped and
 * counted as abandoned. */
void life_queue_open(struct life *life, unsigned int device, unsigned int queue,
		     unsigned int depth);
void life_queue_close(struct life *life, unsigned int device, unsigned int queue, sim_time at);

/*
 * Stamps must come with non-decreasing times per request and in the order of the stages (skipping
 * is allowed); others are ignored and counted in life.misplaced_stamps, which a correct run has at
 * 0. A stamp for a request that was not born, on a queue that is not open, likewise; one for a
 * request that was abandoned is ignored without a count. An end that comes before its last stamp is
 * counted, too, and ends the request or fault at that stamp.
 */
void life_request_send(struct life *life, unsigned int device, unsigned int queue,
		       unsigned int index, sim_time at);
void life_request_stamp(struct life *life, unsigned int device, unsigned int queue,
			unsigned int index, enum request_stage stage, sim_time at);
/* Ends the request: completed or, if not `ok`, an error; `bytes` count for throughput. */
void life_request_received(struct life *life, unsigned int device, unsigned int queue,
			   unsigned int index, sim_time at, uint64_t bytes, bool ok);

/*
 * What the request waited for from REQUEST_DOORBELL to REQUEST_COMPLETED; called about the time of
 * the latter stamp. The ledger adds what it knows from the stamps: SEND to SUBMITTED is WAIT_CPU,
 * SUBMITTED to DOORBELL is WAIT_DOORBELL, COMPLETED to RECEIVED is WAIT_COMPLETION. The whole must be the latency to the
 * picosecond: otherwise life.waits_mismatches counts it, which a correct run has at 0. Such a request
 * and one without a vector (life.waits_missing) count with their stages in place of causes.
 */
void life_request_waits(struct life *life, unsigned int device, unsigned int queue,
			unsigned int index, const struct waits *waits);

/* How many requests the run is to make, as far as is known now; for the warm-up rule and the window's end. */
void life_expect(struct life *life, uint64_t requests);
/* Before the first request. */
void life_set_warmup(struct life *life, struct warmup warmup);

/*
 * The measured window's edges, as they come: LIFE_WINDOW_BEGIN at the first send and, if there is a
 * warm-up, again at its end; LIFE_WINDOW_END when all expected requests have ended, or, if their number is not known, whenever
 * none is open.
 */
enum life_window_edge { LIFE_WINDOW_BEGIN, LIFE_WINDOW_END };
void life_on_window(struct life *life, void (*fn)(void *arg, enum life_window_edge edge),
		    void *arg);

/* The flow that joins the request's stages, for `flow` of a model's own slices; 0 where there is
 * none (before SUBMITTED, from EXECUTED on, while tracing is off). */
uint64_t life_request_flow(const struct life *life, unsigned int device, unsigned int queue,
			   unsigned int index);

/* `stream_id` and `stag` identify the fault; the rest is for the trace. */
struct fault_info {
	uint32_t stream_id, stag, pasid;
	uint64_t va;
	bool write;
};
void life_fault_begin(struct life *life, const struct fault_info *info, sim_time at);
void life_fault_stamp(struct life *life, uint32_t stream_id, uint32_t stag, enum fault_stage stage,
		      sim_time at);
/* `handled`: retried with success; false: aborted or terminated. */
/*
 * What the handler of an open fault spent its time on, in ps, by enum ki_fault_part of kernel_image.h; it sums to the
 * stages `mm` and `mm_done`, and may come before their stamps.
 */
#define FAULT_PART_COUNT 9
extern const char *const fault_part_names[FAULT_PART_COUNT];
void life_fault_parts(struct life *life, uint32_t stream_id, uint32_t stag,
		      const uint64_t parts[FAULT_PART_COUNT]);
void life_fault_end(struct life *life, uint32_t stream_id, uint32_t stag, sim_time at,
		    bool handled);

/* As life_request_flow(); from DETECTED until RESUMED. */
uint64_t life_fault_flow(const struct life *life, uint32_t stream_id, uint32_t stag);

/* Open requests and faults; both 0 at the end of a clean run. */
struct life_open {
	uint64_t requests, faults;
};
struct life_open life_get_open(const struct life *life);

#ifdef __cplusplus
}
#endif
#endif
