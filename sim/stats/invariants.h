/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must hold between the figures of any run: laws of queueing, and sums that must come out.
 *
 * Each is a formula over names of metrics and parameters. One that names what a machine does not
 * have, or divides by what did not occur, does not apply. A violation is a bug of the simulator.
 */
#ifndef SIM_STATS_INVARIANTS_H
#define SIM_STATS_INVARIANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/stats/stats.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Formula: "A = B" or "A <= B" of + - * / ( ), numbers, names, sum(PATTERN) and max(PATTERN) over the metrics
 * whose names match the pattern, where * stands for anything. At least one must match.
 */
struct invariant {
	const char *name;
	const char *formula;
	const char *
		unless; /* an expression: where it is not 0 the invariant does not apply; or NULL */
	double tolerance; /* relative to the larger side */
};

extern const struct invariant invariants[];
extern const size_t invariant_count;

enum invariant_result { INVARIANT_HOLDS, INVARIANT_VIOLATED, INVARIANT_SKIPPED };

/* A number that is not a metric, for example a parameter; false if there is none of that name. */
typedef bool (*invariant_lookup_fn)(void *arg, const char *name, double *value);

struct invariant_names {
	const struct stats *stats;
	invariant_lookup_fn lookup; /* for what is not in `stats`; may be NULL */
	void *arg;
};

/* `line` gets the formula and both sides' values if it is violated. */
enum invariant_result invariant_check(const struct invariant *invariant,
				      const struct invariant_names *names, char *line, size_t size);

#ifdef __cplusplus
}
#endif
#endif
