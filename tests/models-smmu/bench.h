/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bench for the SMMU alone: memory is a byte array behind C function ports, the test is a
 * simulated thread that programs the registers, builds tables and sends transactions.
 */
#ifndef TESTS_MODELS_SMMU_BENCH_H
#define TESTS_MODELS_SMMU_BENCH_H

#include <check.h>

#include "models/smmu/smmu.h"
#include "models/smmu/spec.h"
#include "models/vmsa/vmsa.h"
#include "sim/stats/waits.h"

#define MEM_BYTES 0x800000u
#define REG_BASE  UINT64_C(0x40000000)

/* where things are in memory */
#define STRTAB	 UINT64_C(0x10000)
#define CMDQ	 UINT64_C(0x20000)
#define EVTQ	 UINT64_C(0x28000)
#define CDTAB	 UINT64_C(0x40000)
#define L2_TABLE UINT64_C(0x60000) /* of streams or contexts */
#define PGD	 UINT64_C(0x80000) /* + 0x10000 per address space */
#define MSI_ADDR UINT64_C(0x7000)
#define DATA	 UINT64_C(0x400000)

#define CMDQ_LOG2 4u
#define EVTQ_LOG2 2u
#define SID	  5u

enum bench_irq { IRQ_EVENTQ, IRQ_PRIQ, IRQ_GERROR, IRQ_CMDQ_SYNC };

/* A client transaction and its outcome. That its waits sum to its latency is always checked. */
struct access {
	struct sim_txn txn;
	unsigned char data[64];
	struct waits waits;
	bool done;
	sim_time started_at, done_at;
};

struct bench {
	struct smmu *smmu;
	struct smmu_params params;
	struct stats *stats;
	struct life *life;
	unsigned char *mem;
	sim_time mem_latency;  /* a read returns what was there when it was issued */
	sim_time cmdq_latency; /* of reads of the command queue; 0: as the rest */
	uint64_t abort_page;   /* reads and writes of the SMMU's own to it abort; ~0: none */
	uint64_t last_pa;      /* of the last transaction downstream */
	unsigned int downstream, walk_reads, irqs[4], sevs;
	bool hold_downstream;	 /* transactions downstream wait for bench_release() */
	bool downstream_at_once; /* they complete within their request */
	struct mem_op *free_ops;
	struct sim_txn *held[8];
	sim_time held_since[8];
	unsigned int held_count;
	uint32_t cmdq_prod, evtq_cons;
};

/*
 * Runs `script` in a simulation of its own: once per process. `adjust` may change the
 * parameters; may be NULL.
 */
void bench_run(void (*script)(struct bench *b), void (*adjust)(struct smmu_params *params));

uint32_t reg_read32(struct bench *b, uint32_t offset);
void reg_write32(struct bench *b, uint32_t offset, uint32_t value);
uint64_t reg_read64(struct bench *b, uint32_t offset);
void reg_write64(struct bench *b, uint32_t offset, uint64_t value);
/* Writes CR0 or IRQ_CTRL and waits for its acknowledgement. */
void cr0_set(struct bench *b, uint32_t value);
void irq_ctrl_set(struct bench *b, uint32_t value);

uint64_t *mem64(struct bench *b, uint64_t addr);

/* Queues, a linear stream table, interrupts; everything on. STEs are all invalid. */
void bench_start(struct bench *b);

void ste_set(struct bench *b, uint32_t sid, uint64_t dw0, uint64_t dw1);
/* Stage 1, linear CD table of 2^cdmax at CDTAB. */
void ste_stage1(struct bench *b, uint32_t sid, unsigned int cdmax, unsigned int s1dss);
#define CD_DEFAULT                                                                                 \
	(CD_0_V | CD_0_AA64 | CD_0_R | CD_0_A | CD_0_ASET | CD_0_EPD1 | 16 |                       \
	 FIELD_PREP(CD_0_IPS, 5))
/* CD `index` of the linear table: address space `index`, ASID 100 + index. */
void cd_set(struct bench *b, uint32_t index, uint64_t extra);
uint64_t space_pgd(uint32_t space);
void map(struct bench *b, uint32_t space, uint64_t va, uint64_t pa, int level, uint64_t attributes);
/* Makes the page's descriptor invalid. */
void unmap(struct bench *b, uint32_t space, uint64_t va);
#define ATTR_RW (VMSA_ATTR_AF | VMSA_ATTR_AP_USER | VMSA_ATTR_NG)

/* Sends; does not wait. */
void access_start(struct bench *b, struct access *a, uint32_t sid, int ssid, uint64_t va,
		  enum sim_cmd cmd);
/* Waits until it is done, or `limit` has passed. */
bool access_wait(struct access *a, sim_time limit);
/* Both; returns the response. The transaction must end. ssid < 0: no SubstreamID. */
enum sim_response access_do(struct bench *b, struct access *a, uint32_t sid, int ssid, uint64_t va,
			    enum sim_cmd cmd);

void command_put(struct bench *b, uint64_t dw0, uint64_t dw1); /* writes it, without telling */
void commands_ring(struct bench *b);
void command(struct bench *b, uint64_t dw0, uint64_t dw1);
/* Waits until CONS has reached PROD. */
bool commands_consumed(struct bench *b);
void command_sync(struct bench *b, uint64_t dw0, uint64_t dw1); /* and a CMD_SYNC, and waits */
#define CMD_SID(op, sid) ((uint64_t)(op) | (uint64_t)(sid) << 32)

unsigned int events_waiting(struct bench *b);
/* Takes the next record; fails the test if there is none. */
void event_take(struct bench *b, uint64_t record[4]);

/* Completes the `count` oldest of what was held downstream; what comes later is still held. */
void bench_release(struct bench *b, unsigned int count);
double metric(struct bench *b, const char *name);

TCase *config_cases(void);
TCase *fault_cases(void);
TCase *queue_cases(void);
TCase *invalidation_cases(void);
TCase *random_cases(void);
TCase *timing_cases(void);

/* A test whose body is a script on a started bench. */
#define BENCH_TEST_WITH(name, adjust)                                                              \
	static void name##_script(struct bench *b);                                                \
	START_TEST(name)                                                                           \
	{                                                                                          \
		bench_run(name##_script, adjust);                                                  \
	}                                                                                          \
	END_TEST                                                                                   \
	static void name##_script(struct bench *b)
#define BENCH_TEST(name) BENCH_TEST_WITH(name, NULL)

#endif
