// SPDX-License-Identifier: GPL-2.0-only
/*
 * ASIDs of the CPUs, in the way of arch/arm64/mm/context.c: an mm keeps its ASID for a generation;
 * when all have been given out a new generation begins, all TLBs are flushed, and only what is
 * running right now keeps its number. ASID 0 belongs to nobody. One is assigned when the mm is
 * made, where waiting for the flush is easy; a context switch has to ask only when there are more
 * address spaces than ASIDs. These are the CPUs' ASIDs; the SMMU driver gives the same mm an ASID
 * of its own there.
 */
#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/mm.h>

#include "mm_internal.h"

#define MAX_ASIDS 65536u
#define MAX_CPUS  1024u

static struct {
	u64 generation;	   /* in the bits above the ASID */
	unsigned int next; /* where to look for a free one */
	DECLARE_BITMAP(used, MAX_ASIDS);
	struct mm_struct *running[MAX_CPUS]; /* per CPU */
} asids = {.generation = MAX_ASIDS, .next = 1};

unsigned int shim_mm_asid(struct mm_struct *mm)
{
	u64 asid = to_shim_mm(mm)->asid;

	/* An older generation's entries went with the flush that ended it */
	if (mm == &init_mm || (asid & ~(u64)(MAX_ASIDS - 1)) != asids.generation)
		return 0;
	return asid & (MAX_ASIDS - 1);
}

static unsigned int nr_asids(void)
{
	return min(1u << machine->asid_bits, MAX_ASIDS);
}

/* New generation: who runs keeps its ASID, everyone else will ask for a new one */
static void asid_rollover(void)
{
	unsigned int cpu, nr = min(machine->nr_cpus, MAX_CPUS);

	bitmap_zero(asids.used, MAX_ASIDS);
	asids.generation += MAX_ASIDS;
	for (cpu = 0; cpu < nr; cpu++) {
		struct shim_mm *smm;
		unsigned int asid;

		if (!asids.running[cpu])
			continue;
		smm = to_shim_mm(asids.running[cpu]);
		asid = smm->asid & (MAX_ASIDS - 1);
		smm->asid = asids.generation | asid;
		__set_bit(asid, asids.used);
	}
	asids.next = 1;
	machine->tlbi(shim_cpu(), KI_TLBI_ALL, 0, 0, 0);
}

void shim_asid_assign(struct mm_struct *mm)
{
	unsigned int asid = find_next_zero_bit(asids.used, nr_asids(), asids.next);

	if (asid >= nr_asids()) {
		asid_rollover();
		/* The flush took time: another CPU may have run this mm meanwhile */
		if (shim_mm_asid(mm))
			return;
		asid = find_next_zero_bit(asids.used, nr_asids(), 1);
	}
	__set_bit(asid, asids.used);
	asids.next = asid + 1;
	to_shim_mm(mm)->asid = asids.generation | asid;
}

void shim_mm_switch(struct mm_struct *next)
{
	unsigned int cpu = shim_cpu();

	if (next == &init_mm)
		next = NULL;
	if (asids.running[cpu % MAX_CPUS] == next && (!next || shim_mm_asid(next)))
		return;
	asids.running[cpu % MAX_CPUS] = NULL;
	if (!next) {
		machine->set_ttbr0(cpu, 0, 0);
		return;
	}
	if (!shim_mm_asid(next))
		shim_asid_assign(next);
	asids.running[cpu % MAX_CPUS] = next;
	machine->set_ttbr0(cpu, __pa(next->pgd), shim_mm_asid(next));
}
