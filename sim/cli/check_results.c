/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run or a sweep has left in its folder, as the baseline has it. */
#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/check.h"
#include "sim/cli/cli.h"
#include "sim/cli/sweep.h"

#define NAME_BYTES 512

const char *const check_origins[] = {"compiler", "flags", "kernel", "svasim", "systemc", NULL};

/* ---- a run -------------------------------------------------------------------------------- */

/* Every number below `tree`, by its dotted name. */
static void flatten(json_t *flat, json_t *tree, const char *prefix)
{
	const char *key;
	json_t *value;

	json_object_foreach(tree, key, value)
	{
		char name[NAME_BYTES];

		snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", key);
		if (json_is_object(value))
			flatten(flat, value, name);
		else if (json_is_number(value))
			json_object_set(flat, name, value);
	}
}

static json_t *load(const char *folder, const char *name)
{
	char path[PATH_MAX];
	json_error_t error;
	json_t *json;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	json = json_load_file(path, 0, &error);
	if (!json && error.line > 0)
		cli_user_error("%s:%d: %s", path, error.line, error.text);
	else if (!json)
		cli_user_error("%s", error.text);
	return json;
}

static json_t *read_run(const char *folder)
{
	json_t *metrics = load(folder, "metrics.json");
	json_t *host = metrics ? load(folder, "host.json") : NULL;
	json_t *results = NULL, *flat = json_object(), *made_with = json_object();

	if (host) {
		flatten(flat, metrics, "");
		for (const char *const *key = check_origins; *key; key++)
			json_object_set(made_with, *key, json_object_get(host, *key));
		results = json_pack("{s:O, s:{s:O}}", "made_with", made_with, "points", CHECK_RUN,
				    flat);
	}
	json_decref(flat);
	json_decref(made_with);
	json_decref(host);
	json_decref(metrics);
	return results;
}

/* ---- a sweep ------------------------------------------------------------------------------ */

/* What a point is called: its settings, and its repetition if there are several. Failed ones have no metrics. */
static const char points_sql[] =
	"SELECT p.id, trim(coalesce((SELECT group_concat(key || '=' || value, ' ')"
	"  FROM (SELECT s.key, s.value FROM setting s LEFT JOIN axis a USING (key)"
	"   WHERE s.point = p.id ORDER BY a.id IS NULL, a.id, s.key)), '')"
	" || iif((SELECT max(repetition) FROM point) > 1, ' repetition ' || p.repetition, ''))"
	" FROM point p WHERE p.status = 'ok' ORDER BY p.id";
static const char metrics_sql[] = "SELECT name, value FROM metric WHERE point = ? ORDER BY name";
static const char meta_sql[] = "SELECT value FROM meta WHERE key = ?";

static sqlite3_stmt *prepare(sqlite3 *sqlite, const char *sql)
{
	sqlite3_stmt *statement = NULL;

	sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL);
	return statement; /* NULL: the next step says why */
}

static json_t *number(sqlite3_stmt *statement, int column)
{
	if (sqlite3_column_type(statement, column) == SQLITE_INTEGER)
		return json_integer(sqlite3_column_int64(statement, column));
	return json_real(sqlite3_column_double(statement, column));
}

static json_t *read_metrics(sqlite3_stmt *metrics, sqlite3_int64 point)
{
	json_t *flat = json_object();

	sqlite3_bind_int64(metrics, 1, point);
	while (sqlite3_step(metrics) == SQLITE_ROW)
		json_object_set_new(flat, (const char *)sqlite3_column_text(metrics, 0),
				    number(metrics, 1));
	sqlite3_reset(metrics);
	return flat;
}

/* SQLITE_DONE, or the error. */
static int read_points(sqlite3 *sqlite, json_t *all)
{
	sqlite3_stmt *points = prepare(sqlite, points_sql), *metrics = prepare(sqlite, metrics_sql);
	int code = points && metrics ? SQLITE_ROW : SQLITE_ERROR;

	while (code == SQLITE_ROW && (code = sqlite3_step(points)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(points, 1);

		json_object_set_new(all, *name ? name : CHECK_RUN,
				    read_metrics(metrics, sqlite3_column_int64(points, 0)));
	}
	sqlite3_finalize(points);
	sqlite3_finalize(metrics);
	return code;
}

static json_t *read_origins(sqlite3 *sqlite)
{
	sqlite3_stmt *meta = prepare(sqlite, meta_sql);
	json_t *made_with = json_object();

	for (const char *const *key = check_origins; *key && meta; key++) {
		sqlite3_bind_text(meta, 1, *key, -1, SQLITE_STATIC);
		if (sqlite3_step(meta) == SQLITE_ROW)
			json_object_set_new(
				made_with, *key,
				json_string((const char *)sqlite3_column_text(meta, 0)));
		sqlite3_reset(meta);
	}
	sqlite3_finalize(meta);
	return made_with;
}

static json_t *read_sweep(const char *path)
{
	json_t *points = json_object(), *results = NULL;
	sqlite3 *sqlite = NULL;
	int code = sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READONLY, NULL);

	if (code == SQLITE_OK)
		code = read_points(sqlite, points);
	if (code == SQLITE_DONE)
		results = json_pack("{s:o, s:O}", "made_with", read_origins(sqlite), "points",
				    points);
	else
		cli_user_error("%s: not read: %s", path, sqlite3_errmsg(sqlite));
	sqlite3_close(sqlite);
	json_decref(points);
	return results;
}

json_t *check_results_read(const char *folder)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/sweep.sqlite", folder) >= (int)sizeof(path)) {
		cli_user_error("%.60s...: %s", folder, strerror(ENAMETOOLONG));
		return NULL;
	}
	if (!access(path, F_OK))
		return read_sweep(path);
	snprintf(path, sizeof(path), "%s/metrics.json", folder);
	if (!access(path, F_OK))
		return read_run(folder);
	cli_user_error("%s: holds no results (allowed: the folder of a run or of a sweep)", folder);
	return NULL;
}
