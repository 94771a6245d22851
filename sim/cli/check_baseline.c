/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Baselines: JSON with sorted keys, a line per metric, so that what changes is what a diff shows.
 *
 * `points` and `made_with` are results; the rest is the user's: `time_tolerance_percent`, and `tolerances`, a list of
 * {"metrics": PATTERN, "percent": NUMBER} or {"metrics": PATTERN, "ignore": true}.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cli/check.h"
#include "sim/cli/cli.h"
#include "sim/cli/files.h"

#define DUMP_FLAGS (JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(17))

static int refuse(const char *path, const char *key, const char *wrong, const char *allowed)
{
	cli_user_error("%s: %s: %s (allowed: %s)", path, key, wrong, allowed);
	return CLI_EXIT_USER_ERROR;
}

static bool is_percentage(const json_t *json)
{
	return json_is_number(json) && json_number_value(json) >= 0;
}

static bool is_tolerance(json_t *json)
{
	const bool percent = is_percentage(json_object_get(json, "percent"));
	const bool ignore = json_is_true(json_object_get(json, "ignore"));

	return json_is_object(json) && json_object_size(json) == 2 && percent != ignore &&
	       json_is_string(json_object_get(json, "metrics"));
}

static int check_tolerances(const char *path, const json_t *baseline)
{
	json_t *list = json_object_get(baseline, "tolerances"), *tolerance;
	json_t *times = json_object_get(baseline, "time_tolerance_percent");
	size_t i;

	if (times && !is_percentage(times))
		return refuse(path, "time_tolerance_percent", "not a percentage", "0 or more");
	if (list && !json_is_array(list))
		return refuse(path, "tolerances", "not a list", "[{...}, ...]");
	json_array_foreach(list, i, tolerance)
	{
		char key[64];

		snprintf(key, sizeof(key), "tolerances[%zu]", i);
		if (!is_tolerance(tolerance))
			return refuse(path, key, "not a tolerance",
				      "{\"metrics\": PATTERN, \"percent\": 0 or more} or "
				      "{\"metrics\": PATTERN, \"ignore\": true}");
	}
	return 0;
}

static int check_points(const char *path, const json_t *baseline)
{
	json_t *points = json_object_get(baseline, "points"), *point, *value;
	const char *name, *metric;

	if (!json_is_object(points) || !json_is_object(json_object_get(baseline, "made_with")))
		return refuse(path, "points, made_with", "not there", "what --update writes");
	json_object_foreach(points, name, point)
	{
		if (!json_is_object(point))
			return refuse(path, name, "not a point", "what --update writes");
		json_object_foreach(point, metric, value)
		{
			if (!json_is_number(value))
				return refuse(path, metric, "not a number", "what --update writes");
		}
	}
	return 0;
}

static int check_schema(const char *path, const json_t *baseline)
{
	const char *schema = json_string_value(json_object_get(baseline, "schema"));

	if (schema && !strcmp(schema, CHECK_SCHEMA))
		return 0;
	return refuse(path, "schema", schema ? schema : "not there", CHECK_SCHEMA);
}

json_t *check_baseline_read(const char *path)
{
	json_error_t error;
	json_t *baseline = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

	if (!baseline && error.line > 0)
		cli_user_error("%s:%d: %s", path, error.line, error.text);
	else if (!baseline)
		cli_user_error("%s: %s (allowed: a baseline; --update makes one)", path,
			       strerror(errno));
	if (!baseline || (!check_schema(path, baseline) && !check_tolerances(path, baseline) &&
			  !check_points(path, baseline)))
		return baseline;
	json_decref(baseline);
	return NULL;
}

int check_baseline_write(const char *path, const json_t *baseline, const json_t *results)
{
	json_t *next = baseline ? json_copy((json_t *)baseline)
				: json_pack("{s:s, s:f, s:[]}", "schema", CHECK_SCHEMA,
					    "time_tolerance_percent", CHECK_TIME_TOLERANCE_PERCENT,
					    "tolerances");
	char *text;
	int status = 0;

	json_object_update(next, (json_t *)results);
	text = json_dumps(next, DUMP_FLAGS);
	if (!text)
		status = cli_user_error("%s: not written: out of memory", path);
	else if (cli_write_text(path, text))
		status = cli_user_error("%s: not written: %s", path, strerror(errno));
	free(text);
	json_decref(next);
	return status;
}
