/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run.check_frames: what the kernel frees must be out of everybody's reach. A frame that goes back to the page
 * allocator while a CPU's TLB, the SMMU's TLBs or a translated transaction lead to it will belong to somebody
 * else soon, and be read or written there. Either the kernel left out an invalidation or did it too late, or a
 * model did not do it; neither shows in a result that nobody compares.
 */
#include <stdio.h>

#include "models/mmu/mmu.h"
#include "models/smmu/smmu.h"
#include "sim/platform/machine.h"

static void stale(struct frame_check *frames, ki_u64 pa, const char *who, unsigned int number,
		  uint64_t va)
{
	if (frames->stale++)
		return;
	snprintf(frames->first, sizeof(frames->first),
		 "at %llu ps the kernel freed 0x%llx, which %s %u still reaches at va 0x%llx",
		 (unsigned long long)sim_now(), (unsigned long long)pa, who, number,
		 (unsigned long long)va);
}

static void frame_freed(ki_u64 pa, ki_u64 bytes)
{
	static const char *const by[] = {
		[SMMU_REACH_TLB] = "the TLB of SMMU",
		[SMMU_REACH_MICRO_TLB] = "a micro-TLB of SMMU",
		[SMMU_REACH_TRANSACTION] = "a transaction in SMMU",
	};
	struct machine *machine = the_machine;
	enum smmu_reach reach;
	uint16_t asid;
	uint64_t va;

	machine->frames.freed++;
	for (unsigned int i = 0; i < machine->config->machine.cpus; i++)
		if (mmu_reaches(machine->mmus[i], pa, bytes, &asid, &va))
			stale(&machine->frames, pa, "the TLB of CPU", i, va);
	reach = smmu_reaches(machine->smmu, pa, bytes, &va);
	if (reach)
		stale(&machine->frames, pa, by[reach], 0, va);
}

void frames_fill_ops(const struct machine *machine, struct machine_ops *ops)
{
	if (machine->config->run.check_frames)
		ops->frame_freed = frame_freed;
}

void frames_register_stats(struct machine *machine, struct stats *stats)
{
	stats_counter(stats, "frames.checked", &machine->frames.freed, "count",
		      "times that memory was freed, and looked for (run.check_frames)");
	stats_counter(stats, "frames.stale", &machine->frames.stale, "count",
		      "of these, what something still reached; 0, or it is a bug");
}
