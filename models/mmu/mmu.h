/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The MMU of one core: TLB and table walker for the EL1&0 regime's TTBR0 half, 4 KiB granule,
 * 48-bit addresses (Arm DDI 0487 J.a, D8.2 … D8.4, D8.14 TLBs, D8.15 TLB maintenance); and the
 * domain (inner shareable) through which TLB maintenance reaches all cores.
 *
 * A hit is answered at once. A miss reads descriptors from memory through the core's port, one
 * after another, and answers by callback; walks beyond mmu.walk_slots wait their turn. A walk
 * that TLB maintenance overtakes begins again, so that no translation from before it is
 * installed or used.
 *
 * Not modelled: TTBR1 (the kernel's addresses are physical here), a second TLB level, walk
 * caches, hardware update of AF and dirty state (AF = 0 faults), stage 2, PAN, speculative
 * walks. Translation and access flag faults are not cached; a permission fault can come from a
 * cached entry.
 */
#ifndef MODELS_MMU_MMU_H
#define MODELS_MMU_MMU_H

#include <stdbool.h>
#include <stdint.h>

#include "models/vmsa/vmsa.h"
#include "sim/config/param.h"
#include "sim/engine/port.h"
#include "sim/stats/stats.h"
#include "sim/trace/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mmu_params {
	uint32_t tlb_entries;
	uint32_t tlb_ways;
	uint32_t tlb_hit_ps;
	uint32_t walk_slots;
	uint32_t tlbi_ns;
	uint32_t tlbi_page_ps;
};

extern const struct param_desc mmu_param_descs[];
extern const size_t mmu_param_count;

struct mmu;
struct mmu_domain;

/* ---- building ---------------------------------------------------------------------------- */

struct mmu_domain *mmu_domain_new(const struct mmu_params *params); /* NULL: no host memory */
void mmu_domain_free(struct mmu_domain *domain);		    /* after its MMUs */

struct mmu_config {
	const struct mmu_params *params; /* copied */
	struct mmu_domain *domain;
	struct sim_port walk_port; /* where descriptors are read, by physical address */
	uint16_t requester;	   /* of those reads */
	unsigned int pa_bits;	   /* TCR_EL1.IPS in bits: 32 … 48 */
	trace_track track;	   /* parent of the walkers' tracks; 0: none */
};

struct mmu *mmu_new(const struct mmu_config *config); /* NULL: no host memory */
void mmu_free(struct mmu *mmu); /* after the run: walks in flight are dropped */

/*
 * Counters of one core; of all cores together, for example with the prefixes "cpu0.mmu" and
 * "mmu".
 */
void mmu_register_stats(struct mmu *mmu, struct stats *stats, const char *prefix);
void mmu_domain_register_stats(struct mmu_domain *domain, struct stats *stats, const char *prefix);

/* ---- translating ------------------------------------------------------------------------- */

enum mmu_access {
	MMU_READ = VMSA_READ,
	MMU_WRITE = VMSA_WRITE,
	MMU_EXECUTE = VMSA_EXECUTE,
};

enum mmu_fault {
	MMU_FAULT_NONE = VMSA_FAULT_NONE,
	MMU_FAULT_TRANSLATION = VMSA_FAULT_TRANSLATION,
	MMU_FAULT_ADDRESS_SIZE = VMSA_FAULT_ADDRESS_SIZE,
	MMU_FAULT_ACCESS_FLAG = VMSA_FAULT_ACCESS_FLAG,
	MMU_FAULT_PERMISSION = VMSA_FAULT_PERMISSION,
	MMU_FAULT_EXTERNAL = VMSA_FAULT_EXTERNAL, /* external abort on a descriptor read */
};

enum mmu_result {
	MMU_HIT,     /* translated: the outputs are valid */
	MMU_FAULT,   /* fault and level are valid */
	MMU_PENDING, /* a walk: done() will be called, after mmu_translate() has returned */
};

/* Belongs to the caller until it is answered, and must not move or be used again before that. */
struct mmu_request {
	/* set by the caller */
	uint64_t va;
	enum mmu_access access;
	bool user;				   /* with EL0's permissions, else EL1's */
	void (*done)(struct mmu_request *request); /* event context */
	void *owner;				   /* the caller's */
	/* set by the MMU */
	enum mmu_fault fault;
	int8_t level; /* of the fault or of the descriptor that maps the address */
	uint64_t pa;
	uint64_t page_bytes; /* of the block or page around it */
	sim_time cost; /* of the look-up, for the caller to charge; a walk's time has passed */
	/* the MMU's own */
	struct mmu_request *next;
	uint64_t ttb;
	uint64_t sequence;
	sim_time arrived;
	uint16_t asid;
	uint8_t state;
};

enum mmu_result mmu_translate(struct mmu *mmu, struct mmu_request *request);

/*
 * The same for an access of user mode that the TLB answers and allows, which is what most are: true, and its
 * physical address and cost. False, without any effect, for all others: mmu_translate() tells.
 */
bool mmu_translate_hit(struct mmu *mmu, uint64_t va, enum mmu_access access, uint64_t *pa,
		       sim_time *cost);

/*
 * True while no TLB maintenance has reached this MMU since the request was answered. One who
 * let time pass between the answer and the access translates again if it is false.
 */
bool mmu_translation_current(const struct mmu *mmu, const struct mmu_request *request);

/*
 * True if the TLB translates anything to one of the bytes [pa, pa + bytes); *asid and *va then say what.
 * Looks at every entry: for checks.
 */
bool mmu_reaches(const struct mmu *mmu, uint64_t pa, uint64_t bytes, uint16_t *asid, uint64_t *va);

/*
 * TTBR0_EL1: table base and ASID of what runs on this core. table_pa 0: no walks and no hits
 * (TCR_EL1.EPD0): every address faults. The TLB keeps its entries. Walks in flight go on with
 * the values that they began with.
 */
void mmu_set_ttbr0(struct mmu *mmu, uint64_t table_pa, uint16_t asid);

/* ---- TLB maintenance --------------------------------------------------------------------- */

/*
 * Of one core (TLBI …E1) and of all (TLBI …E1IS). The latter return what the issuing CPU pays,
 * its DSB included. `pages` counts 4 KiB pages from the one that va lies in; blocks that
 * overlap the range go as a whole; global entries go by address and with all, not by ASID.
 * `last_level` names the operation; there are no walk caches that it could spare.
 */
void mmu_tlbi_all(struct mmu *mmu);
void mmu_tlbi_asid(struct mmu *mmu, uint16_t asid);
void mmu_tlbi_va(struct mmu *mmu, uint16_t asid, uint64_t va, uint64_t pages, bool last_level);

sim_time mmu_domain_tlbi_all(struct mmu_domain *domain);
sim_time mmu_domain_tlbi_asid(struct mmu_domain *domain, uint16_t asid);
sim_time mmu_domain_tlbi_va(struct mmu_domain *domain, uint16_t asid, uint64_t va, uint64_t pages,
			    bool last_level);

#ifdef __cplusplus
}
#endif
#endif
