/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim check: what its parts share.
 *
 * check_results.c reads what a run or a sweep has left, check_baseline.c the file that says what it should be,
 * check_compare.c finds the differences, check_report.c tells them. Results on both sides are JSON:
 *
 *     {"made_with": {"compiler": TEXT, ...}, "points": {POINT: {METRIC: NUMBER, ...}, ...}}
 *
 * Errors are said where they are found: such a function returns NULL or CLI_EXIT_USER_ERROR.
 */
#ifndef SIM_CLI_CHECK_H
#define SIM_CLI_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "sim/cli/pool.h"

#define CHECK_SCHEMA		     "svasim-baseline-1"
#define CHECK_TIME_TOLERANCE_PERCENT 2.0
#define CHECK_RUN		     "run" /* the one point of a run */

/* What metrics depend on besides the configuration, in the order of messages. NULL-terminated. */
extern const char *const check_origins[];

/* ---- results -------------------------------------------------------------------------------- */

/* Of a folder that `svasim run` or `svasim sweep` has written. */
json_t *check_results_read(const char *folder);

/* ---- the baseline ---------------------------------------------------------------------------- */

/* NULL, and it has been said why. */
json_t *check_baseline_read(const char *path);
/* Results take the place of those in `baseline` (NULL: there is none yet); what else is in it stays. */
int check_baseline_write(const char *path, const json_t *baseline, const json_t *results);

/* ---- comparison ------------------------------------------------------------------------------ */

enum check_kind { CHECK_CHANGED, CHECK_METRIC_GONE, CHECK_POINT_GONE };

struct check_change {
	enum check_kind kind;
	const char *point, *metric;	 /* metric: "" for CHECK_POINT_GONE */
	const json_t *before, *now;	 /* NULL where there is none */
	double percent, allowed_percent; /* of CHECK_CHANGED */
};

struct check_comparison {
	struct pool pool;
	struct check_change *changes; /* in the baseline's order */
	size_t count, room;
	size_t points, metrics;		/* compared */
	size_t new_points, new_metrics; /* that the baseline does not have */
	const char *other_origin;	/* NULL, or what differs: times have a tolerance then */
	double time_tolerance_percent;
};

void check_compare(struct check_comparison *comparison, const json_t *baseline,
		   const json_t *results);
void check_comparison_free(struct check_comparison *comparison);

/* ---- telling --------------------------------------------------------------------------------- */

/* To standard output; `all`: however many there are. */
void check_print(const struct check_comparison *comparison, bool all);
/* A test case per point and group of metrics. 0, or -1 with errno set. */
int check_write_junit(const struct check_comparison *comparison, const json_t *baseline,
		      const char *name, const char *path);

#endif
