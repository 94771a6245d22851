/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the CPU's MMU share. */
#ifndef MODELS_MMU_INTERNAL_H
#define MODELS_MMU_INTERNAL_H

#include "models/mmu/mmu.h"
#include "models/mmu/tlb.h"

struct mmu_counters {
	uint64_t hits, misses;
	uint64_t walks, walk_reads, walk_restarts;
	uint64_t slot_wait_ps; /* misses waited for a walk slot */
	uint64_t faults[MMU_FAULT_EXTERNAL + 1];
	uint64_t tlbi;
	struct histogram walk_time; /* from the first read to the answer */
};

void mmu_counters_register(const struct mmu_counters *counters, struct stats *stats,
			   const char *prefix);

struct mmu_domain {
	struct mmu_params params;
	struct mmu **members;
	unsigned int member_count;
	struct mmu_counters total;
};

void mmu_domain_join(struct mmu_domain *domain, struct mmu *mmu);
void mmu_domain_leave(struct mmu_domain *domain, const struct mmu *mmu);

#endif
