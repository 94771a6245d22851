/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the requests' time went: sums by wait cause, over all requests and around the median.
 *
 * Beside each bucket of a latency histogram stands the sum of its requests' wait vectors. The
 * requests around the median are those in the buckets that hold the 45th to the 55th percentile; what
 * they waited for is the sum over these buckets. Memory and time per request are constant.
 */
#ifndef SIM_STATS_ATTRIBUTION_H
#define SIM_STATS_ATTRIBUTION_H

#include "sim/stats/stats.h"
#include "sim/stats/waits.h"

#ifdef __cplusplus
extern "C" {
#endif

struct attribution {
	struct waits all;
	uint64_t count;			      /* requests in `all` */
	struct waits rows[HISTOGRAM_BUCKETS]; /* of measured requests, by latency */
	struct attribution_cause {
		const struct attribution *attribution;
		const struct histogram *latency;
		enum wait_cause cause;
	} causes[WAIT_CAUSE_COUNT]; /* what the computed metrics are given */
};

/* `latency` is the histogram of the measured requests. Registers waits.<cause>.{sum_ps,mean_ns,median_share}. */
void attribution_register(struct attribution *a, struct stats *stats,
			  const struct histogram *latency);
void attribution_add(struct attribution *a, const struct waits *waits, sim_time latency,
		     bool measured);
/* The share of `cause` in the time of the requests around the median; 0 if there are none. */
double attribution_median_share(const struct attribution *a, const struct histogram *latency,
				enum wait_cause cause);

/* The largest part of a vector. */
static inline enum wait_cause waits_largest(const struct waits *waits)
{
	unsigned int largest = 0;

	for (unsigned int cause = 1; cause < WAIT_CAUSE_COUNT; cause++)
		if (waits->ps[cause] > waits->ps[largest])
			largest = cause;
	return (enum wait_cause)largest;
}

#ifdef __cplusplus
}
#endif
#endif
