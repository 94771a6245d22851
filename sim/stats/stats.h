/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Metrics: counters and histograms that live in their owners and are read once, at the end.
 *
 * A name is a dotted path ("smmu.tlb.hits"); metrics.json nests along the dots, in the order of
 * registration. `svasim list metrics` prints what is registered here.
 */
#ifndef SIM_STATS_STATS_H
#define SIM_STATS_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Log-linear histogram of times: 64 linear buckets per power of two, so a quantile is within 1/64
 * of the true value; mean, sum, minimum and maximum are exact. Zero-initialised is empty.
 */
#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_BUCKETS  ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)
struct histogram {
	uint64_t count, min, max;
	uint64_t sum; /* ps; overflows only after 213 days of summed time */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram *h, sim_time ps);
/* The bucket that a value falls into. */
unsigned int histogram_bucket(sim_time ps);
/* 0 ≤ q ≤ 1; the upper edge of the bucket that holds the quantile, at most max; 0 if empty. */
sim_time histogram_quantile(const struct histogram *h, double q);

struct stats; /* a registry */

struct stats *stats_new(void);
void stats_free(struct stats *stats);

/* The value is read when the registry is written: it outlives the registry. Registering a name
 * twice is a bug (asserted). */
void stats_counter(struct stats *stats, const char *name, const uint64_t *value, const char *unit,
		   const char *help);
/* A figure computed at the end. */
void stats_computed(struct stats *stats, const char *name, double (*fn)(const void *arg),
		    const void *arg, const char *unit, const char *help);
void stats_computed_u64(struct stats *stats, const char *name, uint64_t (*fn)(const void *arg),
			const void *arg, const char *unit, const char *help);
/* name.{mean,p50,p99,p999,max} in ns, name.count. */
void stats_histogram(struct stats *stats, const char *name, const struct histogram *h,
		     const char *help);
/* A text value, for example the platform's name. Copied. */
void stats_text(struct stats *stats, const char *name, const char *text, const char *help);

typedef void (*stats_visit_fn)(void *arg, const char *name, const char *unit, const char *help);
void stats_visit(const struct stats *stats, stats_visit_fn fn, void *arg);

/* A leaf's current value; false if there is none of that name or it is a text. */
bool stats_get(const struct stats *stats, const char *name, double *value);

/* Writes to PATH by way of a temporary file beside it. 0, or -1 with errno set. Doubles are printed
 * so that they read back exactly. */
int stats_write_json(const struct stats *stats, const char *path);

/* Likewise: every histogram by its name, as a list of [upper edge in ns, count], buckets that hold nothing left out. */
int stats_write_histograms(const struct stats *stats, const char *path);

#ifdef __cplusplus
}
#endif
#endif
