/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wait vectors, summed over all requests and by latency.
 */
#include "sim/stats/attribution.h"

#include <stdio.h>

/* The middle tenth of the requests, by latency. */
#define MIDDLE_FROM 0.45
#define MIDDLE_TO   0.55

void attribution_add(struct attribution *a, const struct waits *waits, sim_time latency,
		     bool measured)
{
	struct waits *row = &a->rows[histogram_bucket(latency)];

	for (unsigned int cause = 0; cause < WAIT_CAUSE_COUNT; cause++)
		a->all.ps[cause] += waits->ps[cause];
	a->count++;
	if (!measured)
		return;
	for (unsigned int cause = 0; cause < WAIT_CAUSE_COUNT; cause++)
		row->ps[cause] += waits->ps[cause];
}

double attribution_median_share(const struct attribution *a, const struct histogram *latency,
				enum wait_cause cause)
{
	unsigned int from, to;
	double part = 0, whole = 0;

	if (!latency->count)
		return 0;
	from = histogram_bucket(histogram_quantile(latency, MIDDLE_FROM));
	to = histogram_bucket(histogram_quantile(latency, MIDDLE_TO));
	for (unsigned int row = from; row <= to; row++) {
		part += (double)a->rows[row].ps[cause];
		whole += (double)waits_sum(&a->rows[row]);
	}
	return whole > 0 ? part / whole : 0;
}

static double mean_ns(const void *arg)
{
	const struct attribution_cause *cause = arg;
	const struct attribution *a = cause->attribution;

	return a->count ? (double)a->all.ps[cause->cause] / (double)a->count / 1000.0 : 0;
}

static double median_share(const void *arg)
{
	const struct attribution_cause *cause = arg;

	return attribution_median_share(cause->attribution, cause->latency, cause->cause);
}

void attribution_register(struct attribution *a, struct stats *stats,
			  const struct histogram *latency)
{
	char name[64];

	for (unsigned int i = 0; i < WAIT_CAUSE_COUNT; i++) {
		a->causes[i] = (struct attribution_cause){a, latency, (enum wait_cause)i};
		snprintf(name, sizeof(name), "waits.%s.sum_ps", wait_cause_names[i]);
		stats_counter(stats, name, &a->all.ps[i], "ps",
			      "what requests waited for on their critical path, all requests");
		snprintf(name, sizeof(name), "waits.%s.mean_ns", wait_cause_names[i]);
		stats_computed(stats, name, mean_ns, &a->causes[i], "ns", "the same per request");
		snprintf(name, sizeof(name), "waits.%s.median_share", wait_cause_names[i]);
		stats_computed(stats, name, median_share, &a->causes[i], "1",
			       "its share in the time of the requests around the median latency");
	}
}
