/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The accelerator alone: a memory behind a C function port in place of the bus and the SMMU, and a driver in
 * place of the kernel. A test's body runs as a simulated thread. Addresses below RIG_DATA hold rings
 * and contexts, which must be reached without PASID; from there on, data.
 */
#ifndef TESTS_MODELS_ACCEL_RIG_H
#define TESTS_MODELS_ACCEL_RIG_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "models/accel/accel.h"
#include "sim/engine/engine.h"
#include "sim/stats/waits.h"

#define RIG_RAM_BYTES (96u << 20)
#define RIG_DATA      (32u << 20)
#define RIG_REG_BASE  0x40000000u
#define RIG_STREAM_ID 0x17u
#define RIG_QUEUES    1024u

#define RIG_STAMPED 256u /* entries per ring whose times are kept */

#define QM_WINDOWS 0x100000u

enum { MB_SQC = 0, MB_CQC = 1, MB_EQC = 2, MB_AEQC = 3, MB_STOP_QP = 8 };
enum { DB_SQ = 0, DB_CQ = 1, DB_EQ = 2, DB_AEQ = 3 };
enum { OP_COPY = 1, OP_CRC32C = 2 };

struct rig_sqe {
	uint8_t opcode, flags;
	uint16_t tag;
	uint32_t length;
	uint64_t source, destination;
	uint32_t seed, reserved_28;
	uint32_t status, bytes_done, result, reserved_44;
	uint64_t fault_address, reserved_56;
};

struct rig_cqe {
	uint32_t w0;
	uint16_t tag, w3;
	uint16_t index, queue;
	uint16_t w6, phase;
};

struct rig_queue {
	uint32_t number, sq_depth, cq_depth;
	uint64_t sq, cq; /* addresses */
	uint32_t tail, cq_head;
	bool phase;
	uint32_t pasid;
	bool with_pasid;
};

struct rig {
	struct accel_params params;
	struct accel *accel;
	struct stats *stats;
	uint8_t *ram;
	/* the memory */
	sim_time delay;
	bool immediate; /* completes from within the request */
	uint64_t
		jitter; /* non-zero: the delay varies by up to this, in ps, so that accesses overtake */
	uint64_t fail_from, fail_to; /* accesses here are refused */
	bool fail_writes_only;
	uint64_t stall_from, stall_to; /* accesses here wait for rig_release() */
	uint32_t stalled;
	uint32_t data_outstanding, data_max, data_reads, data_writes;
	uint32_t ring_outstanding, ring_max;
	uint32_t longest_burst;
	/* the interrupts */
	uint32_t eq_irqs, aeq_irqs;
	/* stamps of queue 0 */
	uint8_t stages[256];
	uint32_t stamps;
	uint32_t fetch_order[8192];
	uint32_t fetches;
	/* of queue 0: arrivals and completions, and the vectors, all checked against one another */
	sim_time rung[RIG_QUEUES][RIG_STAMPED];
	sim_time completed_at[RIG_QUEUES][RIG_STAMPED];
	struct waits waits; /* summed over all requests */
	struct waits last_waits;
	uint32_t vectors;
	bool reuses_slots; /* of requests in flight: their times are not known by index then */
	bool attribute;	   /* the memory says what it delayed accesses for */
	uint16_t completion_order[8192]; /* indices, of queue 0 */
	uint32_t completions;
	struct rig_queue queues[RIG_QUEUES];
	uint64_t next_ring; /* bump allocator */
};

/*
 * As ck_assert(), for what every access checks: each of Check's own, passed or not, sends a message to the process that waits for
 * the test.
 */
#define rig_assert(condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("%s", #condition);                                            \
	} while (0)

extern struct rig rig;

/* Sets `params` to the defaults; a test changes some, then runs its body. */
void rig_init(void);
void rig_run(void (*body)(void));

/* ---- within the body ---------------------------------------------------------------------------- */

uint64_t mmio_read(uint64_t offset, uint32_t bytes);
void mmio_write(uint64_t offset, uint64_t value, uint32_t bytes);
enum sim_response mmio(enum sim_cmd cmd, uint64_t offset, void *data, uint32_t bytes);
/* A command from its store to the end of BUSY: its status, or -1 while it is still busy after `timeout`. */
int mailbox(uint32_t command, uint32_t queue, uint64_t addr, sim_time timeout);
void doorbell(uint32_t command, uint32_t queue, uint32_t index, uint32_t priority);
void enable(void);
uint64_t ring_alloc(uint64_t bytes);
struct rig_queue *queue_open(uint32_t number, uint32_t sq_depth, uint32_t cq_depth, uint32_t pasid);
int load_context(uint32_t command, uint32_t queue, uint64_t base, uint32_t w2, uint32_t w3,
		 uint32_t w4, uint32_t w5);
void eq_open(uint32_t command, uint64_t base, uint32_t depth);
/* Into the ring, without a doorbell */
uint32_t put(struct rig_queue *q, const struct rig_sqe *sqe);
uint32_t send(struct rig_queue *q, const struct rig_sqe *sqe);
struct rig_sqe *sqe_at(const struct rig_queue *q, uint32_t index);
/* The next completion, its CQ doorbell not rung: false if there is none after `timeout`. */
bool receive(struct rig_queue *q, struct rig_cqe *cqe, sim_time timeout);
void free_cqes(struct rig_queue *q, bool arm);
void wait_ns(uint64_t ns);
bool wait_idle(sim_time timeout);
void rig_release(enum sim_response response);
double metric(const char *name);
void fill(uint64_t addr, uint32_t bytes, uint32_t seed);
uint32_t load_le32_at(uint64_t addr);

Suite *queue_suite(void);
Suite *data_suite(void);
Suite *stop_suite(void);
Suite *waits_suite(void);
Suite *policy_suite(void);
Suite *push_suite(void);

#endif
