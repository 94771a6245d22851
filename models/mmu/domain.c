/* SPDX-License-Identifier: BSD-3-Clause */
/* The inner shareable domain: TLB maintenance of all cores (TLBI …IS), and their common figures. */
#include <assert.h>
#include <stdlib.h>

#include "models/mmu/internal.h"

struct mmu_domain *mmu_domain_new(const struct mmu_params *params)
{
	struct mmu_domain *domain = calloc(1, sizeof(*domain));

	if (domain)
		domain->params = *params;
	return domain;
}

void mmu_domain_free(struct mmu_domain *domain)
{
	if (!domain)
		return;
	assert(!domain->member_count);
	free(domain->members);
	free(domain);
}

void mmu_domain_join(struct mmu_domain *domain, struct mmu *mmu)
{
	struct mmu **members =
		reallocarray(domain->members, domain->member_count + 1, sizeof(struct mmu *));

	if (!members)
		abort(); /* the host is out of memory */
	members[domain->member_count++] = mmu;
	domain->members = members;
}

void mmu_domain_leave(struct mmu_domain *domain, const struct mmu *mmu)
{
	for (unsigned int i = 0; i < domain->member_count; i++) {
		if (domain->members[i] == mmu) {
			domain->members[i] = domain->members[--domain->member_count];
			return;
		}
	}
}

sim_time mmu_domain_tlbi_all(struct mmu_domain *domain)
{
	for (unsigned int i = 0; i < domain->member_count; i++)
		mmu_tlbi_all(domain->members[i]);
	return SIM_NS(domain->params.tlbi_ns);
}

sim_time mmu_domain_tlbi_asid(struct mmu_domain *domain, uint16_t asid)
{
	for (unsigned int i = 0; i < domain->member_count; i++)
		mmu_tlbi_asid(domain->members[i], asid);
	return SIM_NS(domain->params.tlbi_ns);
}

sim_time mmu_domain_tlbi_va(struct mmu_domain *domain, uint16_t asid, uint64_t va, uint64_t pages,
			    bool last_level)
{
	for (unsigned int i = 0; i < domain->member_count; i++)
		mmu_tlbi_va(domain->members[i], asid, va, pages, last_level);
	return SIM_NS(domain->params.tlbi_ns) + pages * domain->params.tlbi_page_ps;
}

void mmu_domain_register_stats(struct mmu_domain *domain, struct stats *stats, const char *prefix)
{
	mmu_counters_register(&domain->total, stats, prefix);
}
