/* SPDX-License-Identifier: BSD-3-Clause */
/* Takes what a point's run has written into the database. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "sim/cli/cli.h"
#include "sim/cli/sweep.h"

#define NAME_BYTES 512

static const char *const file_names[] = {"metrics.json", "histograms.json", "host.json"};

enum { METRICS, HISTOGRAMS, HOST, FILE_COUNT };

/* Every number below `tree`, by its dotted name. */
static int enter_metrics(struct sweep_db *db, unsigned int point, json_t *tree, const char *prefix)
{
	const char *key;
	json_t *value;
	int status = 0;

	json_object_foreach(tree, key, value)
	{
		char name[NAME_BYTES];

		snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", key);
		if (json_is_object(value))
			status = enter_metrics(db, point, value, name);
		else if (json_is_number(value))
			status = sweep_db_metric(db, point, name, json_is_integer(value),
						 json_integer_value(value),
						 json_number_value(value));
		if (status)
			return status;
	}
	return 0;
}

static int enter_histogram(struct sweep_db *db, unsigned int point, const char *name,
			   const json_t *buckets)
{
	json_t *bucket;
	size_t i;

	json_array_foreach(buckets, i, bucket)
	{
		const double upper_ns = json_number_value(json_array_get(bucket, 0));
		const json_int_t count = json_integer_value(json_array_get(bucket, 1));

		if (sweep_db_bucket(db, point, name, upper_ns, count))
			return CLI_EXIT_USER_ERROR;
	}
	return 0;
}

static int enter_histograms(struct sweep_db *db, unsigned int point, json_t *histograms)
{
	const char *name;
	json_t *buckets;

	json_object_foreach(histograms, name, buckets)
	{
		if (json_is_array(buckets) && enter_histogram(db, point, name, buckets))
			return CLI_EXIT_USER_ERROR;
	}
	return 0;
}

/* A run that ended well but left no results has not. */
static void read_files(struct sweep_result *result, const char *folder, json_t **files)
{
	for (unsigned int i = 0; i < FILE_COUNT; i++) {
		char path[PATH_MAX];
		json_error_t error;

		snprintf(path, sizeof(path), "%s/%s", folder, file_names[i]);
		files[i] = result->status == SWEEP_OK ? json_load_file(path, 0, &error) : NULL;
		if (result->status != SWEEP_OK || files[i])
			continue;
		result->status = SWEEP_FAILED;
		snprintf(result->error, sizeof(result->error), "%.200s: %.200s", path, error.text);
	}
}

int sweep_result_enter(struct sweep_db *db, struct sweep_result *result, const char *folder)
{
	const unsigned int point = result->point;
	json_t *files[FILE_COUNT];
	int status;

	read_files(result, folder, files);
	status = sweep_db_begin(db, result);
	if (!status && result->status == SWEEP_OK) {
		const char *kernel = json_string_value(json_object_get(files[HOST], "kernel"));

		status = enter_metrics(db, point, files[METRICS], "");
		if (!status)
			status = enter_histograms(db, point, files[HISTOGRAMS]);
		if (!status && kernel)
			status = sweep_db_kernel(db, kernel);
	}
	if (!status)
		status = sweep_db_commit(db);
	for (unsigned int i = 0; i < FILE_COUNT; i++)
		json_decref(files[i]);
	return status;
}
