/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim sweep: what its parts share.
 *
 * sweep_file.c reads a sweep file, sweep_plan.c turns its axes into points, sweep_db.c keeps points and results,
 * sweep_jobs.c runs points in processes of their own, sweep_result.c takes in what one has written,
 * sweep_csv.c writes the table. Errors are said where they are found: such a function returns 0 or
 * CLI_EXIT_USER_ERROR.
 */
#ifndef SIM_CLI_SWEEP_H
#define SIM_CLI_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/cli/pool.h"
#include "sim/platform/config.h"

#define SWEEP_SCHEMA	 "svasim-sweep-1"
#define SWEEP_POINTS_MAX 100000

/* ---- the file ----------------------------------------------------------------------------- */

/* A key and the text that the file gives it. */
struct sweep_pair {
	const char *key, *value;
	size_t line;
};

struct sweep_axis {
	const char *key, *label, *unit;
	const char *scale; /* "linear", "log2", "category" */
	unsigned int zip;  /* axes of one such number change together; 0: none */
	size_t line;
	struct sweep_pair *values;
	unsigned int count;
};

struct sweep_file {
	struct pool pool;
	const char *path, *text;
	const char *name, *description;
	struct sweep_pair platform, workload; /* without a value: the default */
	struct sweep_pair *settings, *derived;
	struct sweep_axis *axes;
	unsigned int setting_count, derived_count, axis_count;
	size_t axes_line;
	unsigned int repetitions;
	struct sweep_pair seed; /* of the first repetition; without a value: the machine's */
};

/* Reads everything that a sweep file alone can say. */
int sweep_file_read(struct sweep_file *file, const char *path);
void sweep_file_free(struct sweep_file *file);
/* "FILE:LINE: KEY: VALUE: REASON (allowed: …)"; VALUE and ALLOWED may be NULL. */
int sweep_file_error(const struct sweep_file *file, size_t line, const char *key, const char *value,
		     const char *reason, const char *allowed);

/* ---- numbers and formulas ------------------------------------------------------------------- */

#define SWEEP_EXPR_ALLOWED "numbers, keys of parameters, + - * / ( ), min, max, floor, ceil"

/* A number that may end in KiB, MiB, GiB or TiB; NULL, or the first character after it. */
const char *sweep_number(const char *text, double *value);
/* Whole numbers without a fraction, others so that they read back. */
char *sweep_number_text(struct pool *pool, double value);

/* Gives the value of a key; false if it has none that is a number. */
typedef bool (*sweep_lookup_fn)(void *arg, const char *key, double *value);
/* NULL, or what is wrong with the formula. */
const char *sweep_expr(const char *text, sweep_lookup_fn lookup, void *arg, double *value);

/* ---- points --------------------------------------------------------------------------------- */

struct sweep_point {
	struct pool pool;
	unsigned int id; /* from 1 */
	unsigned int repetition;
	uint32_t seed;
	const char *platform;	   /* as it is written; "" for none */
	const char *platform_path; /* NULL: none */
	struct sweep_pair *pairs;  /* settings, axes, derived: what `svasim run` is to be told */
	unsigned int pair_count, first; /* from `first` on: the point's own */
	struct platform_config *config;
	unsigned int positions[]; /* of its values on the file's axes */
};

/* Every point, before the first one runs. Axes' values take their final form. */
int sweep_plan_check(struct sweep_file *file);
unsigned int sweep_point_count(const struct sweep_file *file);
/* Not "platform" and not "workload", which can be axes, too. */
bool sweep_is_parameter(const char *key);
/* The point's whole configuration, checked; NULL, and what is wrong has been said. There can be one at a time: a workload has one set of values. */
struct sweep_point *sweep_point_new(const struct sweep_file *file, unsigned int id);
void sweep_point_free(struct sweep_point *point);
/* "key=value key=value": the axes and what is derived from them, and the repetition if there are several. */
const char *sweep_point_text(struct sweep_point *point, const struct sweep_file *file);

/* ---- results -------------------------------------------------------------------------------- */

enum sweep_status { SWEEP_PENDING, SWEEP_OK, SWEEP_FAILED, SWEEP_TIMEOUT };

struct sweep_result {
	unsigned int point;
	enum sweep_status status;
	int exit_status; /* 128 + n: signal n; -1: none */
	char error[512]; /* a line, unless SWEEP_OK */
	double wall_s, user_s;
	long max_rss_kib;
};

struct sweep_db;

/* A new database that holds the plan, all points pending. Until it returns 0 there is none. */
int sweep_db_create(const char *path, const struct sweep_file *file, struct sweep_db **db);
/* An earlier one, which must be of this file and of this svasim. *db is NULL if it holds no plan yet. */
int sweep_db_open(const char *path, const struct sweep_file *file, struct sweep_db **db);
void sweep_db_close(struct sweep_db *db);

/* Whether each point of the plan is SWEEP_OK: done[id]. */
int sweep_db_done(struct sweep_db *db, bool *done);
/* How many points have this status. */
int sweep_db_count(struct sweep_db *db, enum sweep_status status, unsigned int *count);

/* All of a point's results become visible together, or none. After an error there is nothing to end. */
int sweep_db_begin(struct sweep_db *db, const struct sweep_result *result);
int sweep_db_metric(struct sweep_db *db, unsigned int point, const char *name, bool whole,
		    int64_t integer, double real);
int sweep_db_bucket(struct sweep_db *db, unsigned int point, const char *name, double upper_ns,
		    int64_t count);
int sweep_db_kernel(struct sweep_db *db, const char *version);
int sweep_db_commit(struct sweep_db *db);

/* Enters a finished process's result, with what it has written into its folder if it is SWEEP_OK. */
int sweep_result_enter(struct sweep_db *db, struct sweep_result *result, const char *folder);

/* The table of all points, from the database. */
int sweep_csv_write(const char *db_path, const char *csv_path);

/* ---- running -------------------------------------------------------------------------------- */

struct sweep_jobs {
	const struct sweep_file *file;
	struct sweep_db *db;
	const char *folder; /* points/NNNN are in it */
	const bool *skip;   /* by point */
	unsigned int at_once;
	unsigned int timeout_s; /* 0: none */
	int signal;		/* that ended it, or 0 */
};

/* Runs the points that are not to be skipped. 0 also if some failed or a signal ended it. */
int sweep_jobs_run(struct sweep_jobs *jobs);

/* What a person sees meanwhile: a bar on a terminal, else a line per point. */
struct sweep_progress {
	bool terminal;
	unsigned int total, done, failed, at_once;
	unsigned int finished; /* of this process */
	double busy_s;	       /* wall time of those */
};

void sweep_progress_point(struct sweep_progress *progress, const struct sweep_result *result,
			  const char *text);
void sweep_progress_draw(const struct sweep_progress *progress);
void sweep_progress_end(const struct sweep_progress *progress);

#endif
