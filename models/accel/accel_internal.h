/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inside the accelerator: its state, and what its units call of one another.
 *
 *   qm_regs ── doorbell ── queue ── arbiter ── queue (fetch) ── engine ── dma ── engine ── queue (complete)
 *                            └── event_queue             ring: every access to a ring or context
 *
 * Field names and layouts are those of docs/queue-manager.md.
 */
#ifndef MODELS_ACCEL_ACCEL_INTERNAL_H
#define MODELS_ACCEL_ACCEL_INTERNAL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "models/accel/accel.h"
#include "models/accel/list.h"
#include "sim/stats/resource.h"
#include "sim/stats/waits.h"

#define FIELD_GET(value, high, low) (((value) >> (low)) & ((UINT64_C(2) << ((high) - (low))) - 1))
#define PAGE_4K			    4096u

/* ---- rings in memory (docs/queue-manager.md, Rings) ------------------------------------------ */

#define SQE_BYTES	     64u
#define SQE_WRITEBACK_OFFSET 32u
#define SQE_WRITEBACK_BYTES  24u
#define CQE_BYTES	     16u
#define EQE_BYTES	     4u
#define CONTEXT_BYTES	     32u

enum sqe_opcode { SQE_OP_COPY = 1, SQE_OP_CRC32C = 2 };

enum sqe_status {
	SQE_STATUS_SUCCESS = 1,
	SQE_STATUS_BAD_OPCODE = 0x81,
	SQE_STATUS_BAD_LENGTH = 0x82,
	SQE_STATUS_RESERVED_FIELD = 0x83,
	SQE_STATUS_ABORTED = 0x84,
	SQE_STATUS_READ_FAILED = 0x91,
	SQE_STATUS_WRITE_FAILED = 0x92,
};

enum aeqe_type { AEQE_BAD_DOORBELL = 0, AEQE_SQE_READ = 1, AEQE_WRITE = 2 };

struct sqe {
	uint8_t opcode, flags;
	uint16_t tag;
	uint32_t length;
	uint64_t source, destination;
	uint32_t seed, reserved_28;
	uint64_t reserved_56;
};

/* How far `to` lies ahead of `from` in a ring. */
static inline uint32_t ring_distance(uint32_t from, uint32_t to, uint32_t depth)
{
	return to >= from ? to - from : to + depth - from;
}

static inline uint32_t ring_next(uint32_t index, uint32_t depth)
{
	return index + 1 == depth ? 0 : index + 1;
}

static inline uint32_t load_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t load_le64(const uint8_t *p)
{
	return load_le32(p) | (uint64_t)load_le32(p + 4) << 32;
}

static inline void store_le32(uint8_t *p, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static inline void store_le64(uint8_t *p, uint64_t value)
{
	store_le32(p, (uint32_t)value);
	store_le32(p + 4, (uint32_t)(value >> 32));
}

/* ---- a request's critical path (sim/stats/waits.h) --------------------------------------------- */

/*
 * A path accounts for the time from `born`, the arrival of a request's doorbell, to some event of the request. What has
 * passed since that event, less what others have put into the vector meanwhile, was for `cause`.
 */
static inline void path_settle(struct waits *path, sim_time born, enum wait_cause cause)
{
	sim_time elapsed = sim_now() - born, sum = waits_sum(path);

	assert(sum <= elapsed);
	path->ps[cause] += elapsed - sum;
}

/* ---- ring.c: accesses to rings and contexts, without SubstreamID ------------------------------ */

enum ring_result {
	RING_OK,
	RING_FAILED,  /* the bus answered with an error */
	RING_DROPPED, /* a reset came in between: whatever the access was for is gone */
};

typedef void (*ring_done_fn)(struct accel *accel, void *arg, enum ring_result result,
			     const uint8_t *data);

struct ring_access {
	struct link link; /* waiting, or free */
	struct sim_txn txn;
	ring_done_fn done;
	void *arg;
	uint32_t epoch;	    /* of the queue manager when it was asked for */
	struct waits *path; /* of the request that waits for it; NULL: none does */
	sim_time born;
	uint8_t data[SQE_BYTES];
};

struct ring_unit {
	struct link free, waiting;
	struct link blocks;	     /* all that were allocated, for accel_free() */
	uint32_t in_flight, pending; /* pending: in flight and waiting */
	bool pumping;
	struct resource slots;
	uint64_t max_outstanding, errors;
};

void ring_init(struct accel *accel);
void ring_free(struct accel *accel);
struct accel_request;
/* `request` waits for it: its path has the access's time when it ends. NULL: none does. */
void ring_read(struct accel *accel, uint64_t addr, uint32_t bytes, ring_done_fn done, void *arg,
	       struct accel_request *request);
void ring_write(struct accel *accel, uint64_t addr, const void *data, uint32_t bytes,
		ring_done_fn done, void *arg, struct accel_request *request);
/* After the epoch has moved on: ends what has not been sent yet. */
void ring_reset(struct accel *accel);

/* ---- queue.c: queue pairs, and a request from its fetch to its completion ---------------------- */

enum qp_state {
	QP_NONE,
	QP_CQ, /* has a CQ context, not yet an SQ context */
	QP_READY,
	QP_ERROR, /* an SQE could not be read */
	QP_STOPPING,
};

struct queue_pair {
	uint16_t sqn;
	uint8_t state; /* enum qp_state */
	struct {
		uint64_t base;
		uint32_t depth, head, tail; /* head: next to fetch */
		uint32_t pasid;
		bool pasid_enable;
		uint16_t weight;
		uint8_t priority; /* the context's, or the last doorbell's if that is higher */
		uint8_t context_priority;
		sim_time *rung; /* per entry: when the doorbell for it came */
		uint32_t rung_entries;
	} sq;
	struct {
		uint64_t base;
		uint32_t depth, head, tail; /* tail: next to write */
		uint32_t visible;	    /* entries before it have been written */
		uint32_t reserved; /* for requests that have been fetched and have no CQE yet */
		bool phase, armed;
		struct link writing; /* requests whose CQE is being written, in ring order */
		struct link
			order; /* for completion in order: requests without a CQE, as in the SQ */
	} cq;
	struct {
		struct push_entry *entries; /* a ring of push_entries, oldest at `first` */
		uint32_t first, count;
		uint8_t line[SQE_BYTES]; /* as stores fill it in */
	} push;
	uint32_t requests;	/* fetched and not ended */
	uint32_t prefetched;	/* of these, not yet taken by an engine */
	uint32_t aborting;	/* ABORTED write-backs in flight for SQEs that were never fetched */
	uint32_t credit;	/* fetches left in this round of the arbiter */
	struct link ready;	/* arbiter */
	uint8_t ready_level;	/* on which of its lists */
	struct link eq_waiting; /* armed, with an entry, and the EQ has no room */
};

struct accel_request {
	struct accel *accel;
	struct queue_pair *qp;
	struct link link; /* free, waiting for an engine, or its CQE is being written */
	uint16_t index;	  /* of its SQE */
	bool in_use;
	bool buffered; /* holds an SQE buffer: not yet taken by an engine */
	bool waiting;  /* for an engine */
	bool dropped;  /* by a reset: its queue pair is gone */
	bool cqe_written;
	bool held;	   /* has ended, and waits for older ones of its queue pair */
	struct link order; /* qp->cq.order */
	sim_time born;	   /* its doorbell's arrival */
	struct waits path;
	struct sqe sqe;
	uint32_t status, bytes_done, result;
	uint64_t fault_address;
};

#define REQUEST_BLOCK 64u

/* Requests are allocated as they are first needed. */
struct request_block {
	struct link link;
	struct accel_request requests[REQUEST_BLOCK];
};

void queue_init(struct accel *accel);
void queue_free(struct accel *accel);
/* Contexts as read from memory. False: not an allowed one. */
bool queue_load_sqc(struct accel *accel, struct queue_pair *qp, const uint8_t *context);
bool queue_load_cqc(struct accel *accel, struct queue_pair *qp, const uint8_t *context);
void queue_sq_doorbell(struct accel *accel, struct queue_pair *qp, uint32_t tail, uint8_t priority);
/* False: the head is beyond what has been written. */
bool queue_cq_doorbell(struct accel *accel, struct queue_pair *qp, uint32_t head, bool arm);
/* Ends with qm_stop_done(), perhaps before it returns. */
void queue_stop(struct accel *accel, struct queue_pair *qp);
bool queue_wants_fetch(const struct accel *accel, const struct queue_pair *qp);
void queue_fetch(struct accel *accel, struct queue_pair *qp);
/* An engine took it: its SQE buffer is free. */
void queue_request_started(struct accel_request *request);
/* status, bytes_done, result and fault_address are set: writes them back, then the CQE. */
void queue_request_complete(struct accel_request *request);
void queue_reset(struct accel *accel);

/* ---- push.c: SQEs that come as stores --------------------------------------------------------------- */

struct push_entry {
	uint32_t index; /* in the SQ */
	uint8_t sqe[SQE_BYTES];
};

/* The queue pair gets an SQ. */
void push_open(const struct accel *accel, struct queue_pair *qp);
/* A store to the window; false: its last word has come and it cannot be taken. */
bool push_store(struct accel *accel, struct queue_pair *qp, unsigned int word, uint64_t value);
/* The SQE that was pushed as this entry of the SQ, valid until the next store; NULL: it is in memory. */
const uint8_t *push_take(const struct accel *accel, struct queue_pair *qp, uint32_t index);
/* Only this many entries from the head on are left in the SQ. */
void push_cut(const struct accel *accel, struct queue_pair *qp, uint32_t entries);
void push_free(struct queue_pair *qp);

/* ---- arbiter.c: which queue pair's SQE is fetched next ------------------------------------------ */

#define PRIORITY_LEVELS 8u

struct arbiter {
	struct link ready[PRIORITY_LEVELS]; /* queue pairs that want a fetch, next first */
	uint32_t levels;		    /* bit n: ready[n] is not empty */
	struct sim_event decide;
};

void arbiter_init(struct accel *accel);
/* Something about the queue pair changed: it joins or leaves the round. */
void arbiter_update(struct accel *accel, struct queue_pair *qp);
/* Its priority has changed. */
void arbiter_requeue(struct accel *accel, struct queue_pair *qp);
/* A buffer has become free, or fetching was enabled. */
void arbiter_kick(struct accel *accel);
void arbiter_reset(struct accel *accel);

/* ---- event_queue.c: EQ and AEQ -------------------------------------------------------------------- */

struct event_ring {
	struct accel *accel;
	const struct sim_irq *irq;
	bool valid, phase;
	uint64_t base;
	uint32_t depth, head, tail;
	uint32_t in_flight;	 /* entries being written: the last ones before tail */
	uint32_t coalesce_count; /* entries per interrupt, or after coalesce_time */
	sim_time coalesce_time;
	uint32_t coalesced; /* entries written whose interrupt is not raised yet */
	struct sim_event coalesce;
	uint64_t written, dropped, write_errors, interrupts;
};

void event_queue_init(struct accel *accel);
bool event_queue_load_context(struct accel *accel, struct event_ring *ring, const uint8_t *context);
/* False: an index outside the ring or beyond its tail, or no ring. */
bool event_queue_doorbell(struct accel *accel, struct event_ring *ring, uint32_t head);
/* An armed CQ has an entry: one EQE, at once or when the EQ has room. */
void event_queue_notify(struct accel *accel, struct queue_pair *qp);
void event_queue_report(struct accel *accel, uint16_t sqn, enum aeqe_type type);
void event_queue_reset(struct accel *accel);
void event_queue_free(struct accel *accel);

/* ---- doorbell.c --------------------------------------------------------------------------------------- */

#define DOORBELL_ANY_QUEUE UINT32_MAX

/* A user window's doorbell; `window_sqn`: the queue that the window is for, or DOORBELL_ANY_QUEUE (v2). */
void doorbell_user(struct accel *accel, uint32_t window_sqn, uint64_t value);
/* A store to word `word` of a window's push line. */
void doorbell_push(struct accel *accel, uint32_t window_sqn, unsigned int word, uint64_t value);
void doorbell_eq(struct accel *accel, uint64_t value);

/* ---- engine.c: engines, and a request from being taken to its last write --------------------------- */

struct engine_job;

struct engine_ops {
	const char *name;
	uint8_t opcode;
	bool in_order; /* takes the data in order of address */
	bool writes;   /* passes each burst on to the destination */
	void (*start)(struct engine_job *job);
	void (*consume)(struct engine_job *job, const uint8_t *data,
			uint32_t bytes);		  /* NULL: nothing to compute */
	uint32_t (*result)(const struct engine_job *job); /* NULL: 0 */
};

extern const struct engine_ops engine_copy_ops, engine_crc32c_ops;

enum engine_type_index { ENGINE_COPY, ENGINE_CRC32C, ENGINE_TYPE_COUNT };

struct engine;

struct engine_type {
	const struct engine_ops *ops;
	struct accel *accel;
	uint32_t count, bytes_per_cycle;
	struct engine *engines;
	struct link *by_load; /* engines with 0 … engine_requests requests in work */
	struct link waiting;  /* requests */
	trace_name trace_name;
	struct resource data_paths, slots;
	uint64_t taken, bytes, busy_ps, occupied_ps;
};

struct engine {
	struct engine_type *type;
	struct link link; /* by_load */
	uint32_t load;
	struct link free_jobs;
	struct engine_job *jobs;
	sim_time compute_free;		/* the data path is busy until then */
	struct engine_job *compute_job; /* with a burst of this job, if it has not ended */
	struct waits compute_path;	/* that burst's, until then */
};

enum chunk_state {
	CHUNK_READING,
	CHUNK_HELD, /* read, waits for its turn */
	CHUNK_COMPUTING,
	CHUNK_WRITE_WAIT,
	CHUNK_WRITING,
};

/* A burst of a request with its staging buffer: read, computed, written. */
struct dma_chunk {
	struct link link;	/* chunks of its job in order of address, or free */
	struct link write_link; /* waiting for a slot to write */
	struct link all;
	struct link issued; /* for a port whose answers come in order */
	struct sim_txn txn;
	struct sim_event computed;
	struct waits path;
	struct engine_job *job;
	uint8_t state; /* enum chunk_state */
	bool answered; /* its answer is there and waits for older ones */
	uint32_t offset, bytes, written;
	uint8_t data[]; /* dma_burst_bytes */
};

struct engine_job {
	struct engine *engine;
	struct link link;      /* free_jobs */
	struct link read_link; /* waiting for a slot to read */
	struct sim_event start;
	struct accel_request *request;
	struct link chunks;
	uint32_t chunk_count;
	uint32_t next_offset; /* next to read */
	uint32_t
		limit; /* what may still be done ends here: the length, or where the first access failed */
	bool running;
	uint32_t status;
	uint64_t fault_address;
	uint32_t crc; /* engine_crc32c.c */
	sim_time taken_at;
	struct waits path; /* up to what allowed its next read, or ended it */
	trace_track track;
};

void engine_init(struct accel *accel);
void engine_free(struct accel *accel);
/* NULL: there is none for this opcode. */
struct engine_type *engine_for_opcode(struct accel *accel, uint8_t opcode);
void engine_submit(struct engine_type *type, struct accel_request *request);
/* Drops what has been taken: nothing more is issued for it, what is in flight ends unseen. */
void engine_reset(struct accel *accel);
bool engine_wants_read(const struct engine_job *job);
void engine_chunk_read(struct dma_chunk *chunk, bool ok);
void engine_chunk_computed(void *chunk);
void engine_chunk_written(struct dma_chunk *chunk, bool ok);

/* ---- dma.c: the data port --------------------------------------------------------------------------- */

struct dma_unit {
	struct link free_chunks, all_chunks;
	struct link readers; /* jobs with something to read */
	struct link writers; /* chunks to write */
	struct link issued;  /* for answers in order: chunks, oldest first */
	struct resource slots;
	uint32_t outstanding;
	bool pumping;
	trace_track outstanding_track;
	uint64_t reads, writes, read_bytes, write_bytes, max_outstanding, errors;
};

void dma_init(struct accel *accel);
void dma_free(struct accel *accel);
/* The job may have become able to read. */
void dma_read(struct accel *accel, struct engine_job *job);
void dma_write(struct accel *accel, struct dma_chunk *chunk);
void dma_job_forget(struct engine_job *job);
/* The chunk's buffer is free; it is on no list of its job any more. */
void dma_chunk_release(struct accel *accel, struct dma_chunk *chunk);

/* ---- qm_regs.c ------------------------------------------------------------------------------------------ */

struct mailbox {
	uint32_t base_high;
	uint64_t value; /* as read back, status and BUSY included */
	bool busy;
};

struct qm_regs {
	bool enable;
	struct mailbox mailbox;
	struct sim_txn *first, *last; /* accesses that wait their turn, chained by txn->hop */
	struct sim_event access;
	uint64_t window_bytes;
};

void qm_regs_init(struct accel *accel);
void qm_stop_done(struct accel *accel);

/* ---- the whole ---------------------------------------------------------------------------------------------- */

enum request_status_index {
	BY_SUCCESS,
	BY_BAD_OPCODE,
	BY_BAD_LENGTH,
	BY_RESERVED_FIELD,
	BY_ABORTED,
	BY_READ_FAILED,
	BY_WRITE_FAILED,
	BY_STATUS_COUNT
};

struct accel_counters {
	uint64_t doorbells_sq, doorbells_cq, doorbells_eq, bad_doorbells;
	uint64_t bad_register_accesses, bad_mailbox_commands, mailbox_commands, resets;
	uint64_t sqes_fetched, sqes_pushed, sqe_read_errors;
	uint64_t cqes_written, write_errors;
	uint64_t by_status[BY_STATUS_COUNT];
	uint64_t dropped_requests;
};

struct accel {
	struct accel_params params;
	struct accel_config config;

	uint32_t epoch; /* moves on at a reset: what was asked for before it is dropped */
	struct qm_regs regs;
	struct queue_pair *qps;
	struct link request_blocks, free_requests;
	uint32_t request_limit; /* as many are alive at most */
	uint32_t requests_alive, sqe_buffers_used;
	uint64_t entries_waiting; /* in all SQs: covered by a doorbell, not fetched */

	struct arbiter arbiter;
	struct event_ring eq, aeq;
	struct link eq_waiting; /* queue pairs */
	struct ring_unit ring;
	struct dma_unit dma;
	struct resource sqe_buffers; /* what waits for them: SQ entries covered by a doorbell */
	struct engine_type engines[ENGINE_TYPE_COUNT];

	struct accel_counters counters;
	struct {
		trace_track doorbells, waiting;
		trace_name sq_doorbell, cq_doorbell, eq_doorbell, bad_doorbell, push;
		trace_name key_queue, key_index, key_bytes, key_status, key_value;
	} trace;
};

/* QM_CONTROL.ENABLE written 0. */
void accel_reset(struct accel *accel);

static inline void accel_stamp(struct accel *accel, const struct queue_pair *qp, uint32_t index,
			       enum request_stage stage)
{
	if (accel->config.life)
		life_request_stamp(accel->config.life, accel->config.life_device, qp->sqn, index,
				   stage, sim_now());
}

static inline void accel_init_txn(const struct accel *accel, struct sim_txn *txn)
{
	memset(txn, 0, sizeof(*txn));
	txn->stream_id = accel->config.stream_id;
	txn->requester = accel->config.requester;
}

/* As malloc and calloc; running out of host memory ends the program. */
void *accel_alloc(size_t bytes);
void *accel_alloc_array(size_t count, size_t size);

#endif
