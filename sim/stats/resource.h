/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A contended resource: `servers` equal servers and a queue in front of them. Keeps the exact time
 * integrals of what is busy and of what waits, and nothing else: who is served when is its owner's business.
 *
 * Metrics <name>.{servers,utilisation,queue_mean,queue_max,served,busy_ps}: utilisation is busy time ÷ (servers × time),
 * queue_mean the time average of how many wait, both over the measured window (resource_window_begin()); the others
 * cover the whole run. Registered resources are what a run's summary looks at to name its bottleneck. Two additions per change; safe to call at sim_now() only, or at times that never decrease.
 */
#ifndef SIM_STATS_RESOURCE_H
#define SIM_STATS_RESOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"
#include "sim/stats/stats.h"

#ifdef __cplusplus
extern "C" {
#endif

struct resource {
	uint32_t servers;
	/* Set by the owner after resource_init(): a place that is held while others work (a slot, a buffer, an
	 * outstanding transaction). It is full when what comes after it is slow. */
	bool holds;
	uint32_t busy, waiting; /* now */
	uint32_t waiting_max;
	sim_time changed;	      /* when busy or waiting last did */
	uint64_t busy_ps, waiting_ps; /* integrals up to `changed` */
	uint64_t served;
};

void resource_init(struct resource *resource, uint32_t servers);

static inline void resource_advance(struct resource *r, sim_time at)
{
	const sim_time dt = at > r->changed ? at - r->changed : 0;

	r->busy_ps += (uint64_t)r->busy * dt;
	r->waiting_ps += (uint64_t)r->waiting * dt;
	r->changed += dt;
}

/* Somebody begins to wait. */
static inline void resource_wait(struct resource *r, sim_time at)
{
	resource_advance(r, at);
	if (++r->waiting > r->waiting_max)
		r->waiting_max = r->waiting;
}

/* Somebody who waited is served now. */
static inline void resource_serve_waiter(struct resource *r, sim_time at)
{
	resource_advance(r, at);
	r->waiting--;
	r->busy++;
}

/* Somebody gives up waiting. */
static inline void resource_leave(struct resource *r, sim_time at)
{
	resource_advance(r, at);
	r->waiting--;
}

/* Somebody is served without having waited. */
static inline void resource_serve(struct resource *r, sim_time at)
{
	resource_advance(r, at);
	r->busy++;
}

/* A server becomes free. */
static inline void resource_release(struct resource *r, sim_time at)
{
	resource_advance(r, at);
	r->busy--;
	r->served++;
}

/* For a resource whose occupancy is computed ahead (a bus that is busy until some time): adds a finished service as a whole. */
static inline void resource_add(struct resource *r, sim_time busy_ps, sim_time waited_ps)
{
	r->busy_ps += busy_ps;
	r->waiting_ps += waited_ps;
	r->served++;
}

/* `name` as in stats_counter(); the resource outlives the registry. */
void resource_register(struct stats *stats, const char *name, const struct resource *resource,
		       const char *help);

/*
 * The window that utilisation and queue_mean are of: from the last begin to the last end, or to now if it has not
 * ended; without a begin from time 0. Begin and end may be called again; a begin forgets the end before it.
 */
void resource_window_begin(struct stats *stats);
void resource_window_end(struct stats *stats);

/*
 * The resource that limits the run: the one with the highest utilisation; of those within RESOURCE_SAME of it
 * one that works rather than one that is held, since whatever is slow fills the places before it.
 */
#define RESOURCE_SAME 0.02
struct resource_load {
	const char *name; /* the registry's */
	double utilisation, queue_mean;
};
/* False if none is registered. */
bool resource_bottleneck(const struct stats *stats, struct resource_load *load);

/* All registered resources of a registry, in order: fn(arg, name, utilisation, queue_mean). */
typedef void (*resource_visit_fn)(void *arg, const char *name, double utilisation,
				  double queue_mean);
void resource_visit(const struct stats *stats, resource_visit_fn fn, void *arg);

#ifdef __cplusplus
}
#endif
#endif
