/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a request waited for: time by cause, along the critical path.
 *
 * A transaction, a burst, a request each carry a vector of times. Who makes it wait adds the wait to
 * the vector, under its cause, exactly once: waits never overlap, so a vector's sum is the time
 * since its owner began. Where several things must end before the next can begin, the one that ended
 * last enabled it, and its vector is what the next one starts from. The vector of what ends a
 * request is then its critical path, followed back from its completion, and sums to its latency in ps.
 */
#ifndef SIM_STATS_WAITS_H
#define SIM_STATS_WAITS_H

#include <stdint.h>
#include <string.h>

#include "sim/engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

enum wait_cause {
	WAIT_CPU, /* software that runs, or is ready and waits for a CPU, in submitting and receiving */
	WAIT_DOORBELL, /* the doorbell on its way to the queue manager */
	WAIT_QUEUE, /* in the ring, until the queue manager takes it (arbitration, prefetch, full CQ) */
	WAIT_ENGINE,	  /* for an engine, or for a buffer or slot in it */
	WAIT_COMPUTE,	  /* the engine's own work */
	WAIT_DMA_SLOT,	  /* for one of the DMA unit's outstanding transactions */
	WAIT_TRANSLATION, /* TLB look-ups, translation slots, configuration fetches */
	WAIT_WALK_SLOT,	  /* for a walker */
	WAIT_WALK,	  /* table walks */
	WAIT_PAGE_FAULT,  /* stalled or waiting for a page request's answer */
	WAIT_LINK,	  /* interconnect and links: latency and queueing */
	WAIT_BANDWIDTH,	  /* queueing for memory channels or the last-level cache */
	WAIT_MEMORY,	  /* latency of memory and caches, coherence included */
	WAIT_COMPLETION, /* the CQE on its way: written, not yet seen (interrupt, sleep, detection) */
	WAIT_CAUSE_COUNT
};

extern const char *const wait_cause_names[WAIT_CAUSE_COUNT]; /* "cpu", "doorbell", ... */

struct waits {
	sim_time ps[WAIT_CAUSE_COUNT];
};

static inline void waits_clear(struct waits *waits)
{
	memset(waits, 0, sizeof(*waits));
}

/* `waits` may be NULL: nobody wants to know. */
static inline void waits_add(struct waits *waits, enum wait_cause cause, sim_time ps)
{
	if (waits)
		waits->ps[cause] += ps;
}

static inline sim_time waits_sum(const struct waits *waits)
{
	sim_time sum = 0;

	for (int cause = 0; cause < WAIT_CAUSE_COUNT; cause++)
		sum += waits->ps[cause];
	return sum;
}

#ifdef __cplusplus
}
#endif
#endif
