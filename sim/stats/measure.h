/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What of a run is measured: the warm-up rule, the window that throughput is taken over, the
 * requests in flight, and confidence intervals by batch means. Memory does not grow with the run.
 *
 * Counts are of all requests. A request that is sent before the warm-up has ended is left out of
 * distributions; bytes received before that are left out of the throughput.
 */
#ifndef SIM_STATS_MEASURE_H
#define SIM_STATS_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * WARMUP_AUTO: the warm-up ends when as many requests have been received as ever were in flight, and
 * 5 % of those expected. A run that would lose more than half of its requests to it, or
 * does not say how many it expects, has none.
 */
enum warmup_kind { WARMUP_AUTO, WARMUP_NONE, WARMUP_REQUESTS };

struct warmup {
	enum warmup_kind kind;
	uint64_t requests; /* WARMUP_REQUESTS: received before it ends */
};

/* Batches: between MEASURE_BATCHES and twice as many less one; two are joined when there would be more. */
#define MEASURE_BATCHES	    20
#define MEASURE_BATCHES_MAX (2 * MEASURE_BATCHES)

struct batch {
	uint64_t received, bytes;
	uint64_t latencies, latency_sum; /* of measured requests only */
	sim_time end;			 /* of the last receive in it */
};

struct measure {
	struct warmup warmup;
	uint64_t expected;

	uint64_t sent, received, abandoned, in_flight, in_flight_max;
	sim_time first_send, last_received;
	sim_time changed;  /* the latest time at which in_flight changed */
	uint64_t integral; /* of in_flight over time, up to `changed` */

	bool open;		  /* the warm-up is over */
	bool too_short;		  /* to leave anything out */
	sim_time from;		  /* begin of the window */
	uint64_t bytes, requests; /* received within it */

	struct batch batches[MEASURE_BATCHES_MAX];
	unsigned int batch; /* the one being filled */
	uint64_t batch_size;
};

void measure_init(struct measure *m);

/* True if the window opens with it. `at` may be earlier than that of another processor's call before. */
bool measure_send(struct measure *m, sim_time at);
/* Whether a request that was sent when the window was (or not) open counts in distributions. */
static inline bool measure_counts(const struct measure *m, bool sent_in_window)
{
	return sent_in_window || m->too_short;
}
/* True if the window opens with it. */
bool measure_receive(struct measure *m, sim_time at, uint64_t bytes, sim_time latency, bool counts);
void measure_abandon(struct measure *m, sim_time at);

double measure_in_flight_mean(const struct measure *m);
/* Half widths at 95 %; NAN with fewer than MEASURE_BATCHES batches. */
double measure_throughput_ci(const struct measure *m); /* bytes per second */
double measure_latency_ci(const struct measure *m);    /* ps */
/* Full batches. */
unsigned int measure_batches(const struct measure *m);
/* Fewer requests than this make figures that cannot be relied on. */
uint64_t measure_requests_wanted(const struct measure *m);

#ifdef __cplusplus
}
#endif
#endif
