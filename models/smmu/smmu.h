/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An Arm SMMUv3 (Arm IHI 0070) at register level: Non-secure programming interface, stage 1.
 *
 * Software meets it in its register frame and in memory (stream table, context descriptors,
 * command and event queue); devices send it transactions with StreamID and SubstreamID, which come
 * out translated on the downstream port, or end in an abort or a stall.
 *
 * Not modelled: stage 2, ATS and PRI, HTTU, Secure and Realm state, ATOS, PMCG, MPAM, memory
 * attributes (they are accepted and change nothing). IDR registers say so.
 */
#ifndef MODELS_SMMU_SMMU_H
#define MODELS_SMMU_SMMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/config/param.h"
#include "sim/engine/engine.h"
#include "sim/engine/port.h"
#include "sim/stats/life.h"
#include "sim/stats/stats.h"
#include "sim/trace/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SMMU_FRAME_BYTES 0x20000u /* two 64 KiB pages of registers */

struct smmu_params {
	/* what the ID registers advertise */
	uint32_t sid_bits;    /* IDR1.SIDSIZE */
	uint32_t ssid_bits;   /* IDR1.SSIDSIZE */
	uint32_t cmdq_log2;   /* IDR1.CMDQS */
	uint32_t evtq_log2;   /* IDR1.EVENTQS */
	uint32_t priq_log2;   /* IDR1.PRIQS */
	uint32_t stall_model; /* IDR0.STALL_MODEL: 0 optional, 1 none, 2 forced */
	uint32_t stall_max;   /* IDR5.STALL_MAX, and the number of STAGs */
	uint32_t oas;	      /* IDR5.OAS encoding */
	bool strtab_2lvl;     /* IDR0.ST_LEVEL */
	bool cd_2lvl;	      /* IDR0.CD2L */
	bool sev;	      /* IDR0.SEV */
	bool msi;	      /* IDR0.MSI */
	bool hyp;	      /* IDR0.HYP */
	bool cohacc;	      /* IDR0.COHACC */
	bool ril;	      /* IDR3.RIL */
	bool gbpa_abort;      /* GBPA.ABORT out of reset */
	/* structures */
	uint32_t micro_tlb_entries; /* of each port; 0: no micro-TLBs */
	uint32_t micro_tlb_slots;   /* look-ups in one micro-TLB at once */
	uint32_t translation_slots; /* of each port: transactions in translation at once */
	uint32_t tlb_entries;
	uint32_t ste_cache_entries;
	uint32_t cd_cache_entries;
	uint32_t walk_slots; /* translations that may fetch configuration or walk at once */
	uint32_t walk_cache_l0_entries, walk_cache_l1_entries, walk_cache_l2_entries;
	bool merge_misses;
	uint32_t cmdq_fetch_entries; /* commands that one read of the queue brings in */
	/* times */
	uint64_t micro_tlb_hit_ps;
	uint64_t tlb_hit_ps;
	uint64_t cmd_ns;
	uint64_t evtq_write_ns;
	uint64_t irq_ns;
	uint64_t mmio_ns;
	uint64_t update_ns;
};

extern const struct param_desc smmu_param_descs[];
extern const size_t smmu_param_count;

struct smmu_config {
	const struct smmu_params *params; /* copied */
	uint64_t reg_base;		  /* subtracted from the address of an MMIO transaction */
	uint16_t requester;		  /* of the SMMU's own transactions */
	struct sim_port downstream;	  /* translated transactions */
	struct sim_port walk_port;	  /* the SMMU's own: tables, queues, MSIs */
	struct sim_irq eventq_irq, priq_irq, gerror_irq,
		cmdq_sync_irq;	/* wired interrupts: edges */
	void (*sev)(void *arg); /* the event that ends a WFE; may be NULL */
	void *sev_arg;
	struct life *life;   /* may be NULL */
	struct stats *stats; /* may be NULL; must be written before the SMMU is destroyed */
	trace_track track;   /* parent of the SMMU's tracks; may be 0 */
};

struct smmu;

struct smmu *smmu_create(const struct smmu_config *config);
/*
 * Whatever is still inside is dropped without completion. Transactions that it sent must have come
 * back.
 */
void smmu_destroy(struct smmu *smmu);

/* Target of the register frame: aligned accesses of 4 or 8 bytes, answered after mmio_ns. */
void smmu_mmio_request(void *smmu, struct sim_txn *txn);

/*
 * Target of client devices' transactions. A transaction that is not translated ends with
 * SIM_SLVERR.
 */
void smmu_request(void *smmu, struct sim_txn *txn);

/*
 * These StreamIDs share a port: a micro-TLB and translation slots, shown in the metrics as
 * smmu.<name>. Before their first transaction. Every other StreamID has a port of its own.
 */
void smmu_port_add(struct smmu *smmu, const char *name, const uint32_t *stream_ids,
		   unsigned int count);

/*
 * No transaction is inside, stalled ones included, no command is being consumed and no event
 * waits to be recorded.
 */
bool smmu_idle(const struct smmu *smmu);

/* How many transactions are stalled now, those that wait for a STAG included. */
unsigned int smmu_stalled(const struct smmu *smmu);

/* By what the SMMU can still get at some memory. */
enum smmu_reach { SMMU_REACH_NONE, SMMU_REACH_TLB, SMMU_REACH_MICRO_TLB, SMMU_REACH_TRANSACTION };

/*
 * Whether anything cached, or a translated transaction that is under way, leads to one of the bytes [pa, pa +
 * bytes); *va then says from where. Looks at every entry: for checks.
 */
enum smmu_reach smmu_reaches(const struct smmu *smmu, uint64_t pa, uint64_t bytes, uint64_t *va);

/* What the caches hold, for tests. */
struct smmu_occupancy {
	unsigned int tlb, ste_cache, cd_cache, walk_slots, inside;
	unsigned int micro_tlbs; /* of all ports */
	unsigned int walk_cache[3];
};
struct smmu_occupancy smmu_get_occupancy(const struct smmu *smmu);

#ifdef __cplusplus
}
#endif
#endif
