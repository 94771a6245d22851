/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads a sweep's database into the JSON that the report's page works on.
 *
 * The page looks at a quantity over points, so everything is by column: an array with one entry per
 * point, or the value itself if all points have the same. Distributions are thinned to what a curve
 * can show.
 */
#include <math.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cli/cli.h"
#include "sim/cli/report.h"
#include "sim/cli/sweep.h"
#include "sim/platform/platform.h"

#define BUSY_MS 10000 /* a sweep that is under way commits meanwhile */

/* A point of a distribution's curve is kept if so much of it, or so much of what is beyond it, has passed. */
#define KEEP_PART 0.008
#define KEEP_TAIL 0.08

struct reader {
	const char *path;
	sqlite3 *sqlite;
	json_t *data;
	sqlite3_int64 *ids; /* of the points, ascending */
	size_t count;
};

static int fail(const struct reader *r)
{
	return cli_user_error("report: %s: %s", r->path,
			      r->sqlite ? sqlite3_errmsg(r->sqlite) : "out of memory");
}

/* Takes a row; what it returns ends the query unless it is 0. */
typedef int (*row_fn)(struct reader *r, sqlite3_stmt *row, void *arg);

static int query(struct reader *r, const char *sql, row_fn take, void *arg)
{
	sqlite3_stmt *statement = NULL;
	int status = 0, code = sqlite3_prepare_v2(r->sqlite, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return fail(r);
	while (!status && (code = sqlite3_step(statement)) == SQLITE_ROW)
		status = take(r, statement, arg);
	if (!status && code != SQLITE_DONE)
		status = fail(r);
	sqlite3_finalize(statement);
	return status;
}

static const char *text(sqlite3_stmt *row, int column)
{
	const char *value = (const char *)sqlite3_column_text(row, column);

	return value ? value : "";
}

/* Text of a database can be anything; JSON is UTF-8. */
static json_t *json_text(const char *value)
{
	json_t *json = json_string(value);
	char *copy;

	if (json || !(copy = strdup(value)))
		return json;
	for (char *c = copy; *c; c++)
		if (*c & 0x80)
			*c = '?';
	json = json_string(copy);
	free(copy);
	return json;
}

static json_t *json_number(double value)
{
	if (!isfinite(value))
		return json_null();
	if (value == floor(value) && fabs(value) < 9e15)
		return json_integer((json_int_t)value);
	return json_real(value);
}

static json_t *json_value(sqlite3_stmt *row, int column)
{
	switch (sqlite3_column_type(row, column)) {
	case SQLITE_INTEGER:
		return json_integer(sqlite3_column_int64(row, column));
	case SQLITE_FLOAT:
		return json_number(sqlite3_column_double(row, column));
	case SQLITE_NULL:
		return json_null();
	default:
		return json_text(text(row, column));
	}
}

/* ---- columns ------------------------------------------------------------------------------ */

/* Index of a point; the number of points if there is none with this id. */
static size_t point_index(const struct reader *r, sqlite3_int64 id)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (r->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->count && r->ids[low] == id ? low : r->count;
}

/* The column `name`, of nulls if it is new. */
static json_t *column(const struct reader *r, json_t *table, const char *name)
{
	json_t *array = json_object_get(table, name);

	if (array)
		return array;
	array = json_array();
	for (size_t i = 0; i < r->count; i++)
		json_array_append_new(array, json_null());
	if (json_object_set_new(table, name, array)) { /* no UTF-8 */
		return NULL;
	}
	return array;
}

/* Columns of one value become that value. */
static void shorten(json_t *table)
{
	const char *name;
	json_t *array;

	json_object_foreach(table, name, array)
	{
		json_t *first = json_array_get(array, 0);
		size_t i = 1;

		while (i < json_array_size(array) && json_equal(json_array_get(array, i), first))
			i++;
		if (first && i == json_array_size(array))
			json_object_set(table, name, first);
	}
}

/* A row of (point, name, value) into a table of columns. */
static int take_cell(struct reader *r, sqlite3_stmt *row, void *arg)
{
	const size_t point = point_index(r, sqlite3_column_int64(row, 0));
	json_t *array;

	if (point == r->count)
		return 0; /* of no point */
	array = column(r, arg, text(row, 1));
	if (array)
		json_array_set_new(array, point, json_value(row, 2));
	return 0;
}

static int read_table(struct reader *r, const char *name, const char *sql)
{
	json_t *table = json_object();
	int status = query(r, sql, take_cell, table);

	shorten(table);
	json_object_set_new(r->data, name, table);
	return status;
}

/* ---- the sweep ---------------------------------------------------------------------------- */

static int take_meta(struct reader *r, sqlite3_stmt *row, void *arg)
{
	(void)r;
	json_object_set_new(arg, text(row, 0), json_text(text(row, 1)));
	return 0;
}

static int read_meta(struct reader *r)
{
	json_t *meta = json_object();
	const char *schema;

	json_object_set_new(r->data, "meta", meta);
	if (query(r, "SELECT key, value FROM meta ORDER BY key", take_meta, meta))
		return CLI_EXIT_USER_ERROR;
	schema = json_string_value(json_object_get(meta, "schema"));
	if (!schema || strcmp(schema, SWEEP_SCHEMA) != 0)
		return cli_user_error("report: %s: schema: %s (allowed: " SWEEP_SCHEMA ")", r->path,
				      schema ? schema : "none");
	return 0;
}

static int take_axis(struct reader *r, sqlite3_stmt *row, void *arg)
{
	json_t *axis = json_object();

	(void)r;
	json_object_set_new(axis, "key", json_text(text(row, 0)));
	json_object_set_new(axis, "label", json_text(text(row, 1)));
	json_object_set_new(axis, "unit", json_text(text(row, 2)));
	json_object_set_new(axis, "scale", json_text(text(row, 3)));
	json_object_set_new(axis, "zip", json_value(row, 4));
	json_object_set_new(axis, "values", json_array());
	json_array_append_new(arg, axis);
	return 0;
}

/* (key, value) */
static int take_axis_value(struct reader *r, sqlite3_stmt *row, void *arg)
{
	size_t i;
	json_t *axis;

	(void)r;
	json_array_foreach(
		(json_t *)arg, i,
		axis) if (!strcmp(json_string_value(json_object_get(axis, "key")), text(row, 0)))
		json_array_append_new(json_object_get(axis, "values"), json_text(text(row, 1)));
	return 0;
}

static int read_axes(struct reader *r)
{
	json_t *axes = json_array();

	json_object_set_new(r->data, "axes", axes);
	if (query(r, "SELECT key, label, unit, scale, zip_group FROM axis ORDER BY id", take_axis,
		  axes))
		return CLI_EXIT_USER_ERROR;
	return query(r,
		     "SELECT axis.key, axis_value.value FROM axis_value JOIN axis ON axis.id = axis"
		     " ORDER BY axis.id, position",
		     take_axis_value, axes);
}

static int take_point(struct reader *r, sqlite3_stmt *row, void *arg)
{
	static const char *const names[] = {"id", "status", "exit", "error", "repetition", "seed"};
	sqlite3_int64 *ids = realloc(r->ids, (r->count + 1) * sizeof(*ids));

	if (!ids)
		return cli_user_error("out of memory");
	r->ids = ids;
	ids[r->count++] = sqlite3_column_int64(row, 0);
	for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++)
		json_array_append_new(json_object_get(arg, names[i]), json_value(row, i));
	return 0;
}

static int read_points(struct reader *r)
{
	json_t *points = json_pack("{s:[], s:[], s:[], s:[], s:[], s:[]}", "id", "status", "exit",
				   "error", "repetition", "seed");

	json_object_set_new(r->data, "points", points);
	return query(r,
		     "SELECT id, status, exit_status, error, repetition, seed FROM point"
		     " ORDER BY id",
		     take_point, points);
}

/* ---- distributions ------------------------------------------------------------------------ */

struct curve {
	struct reader *reader;
	sqlite3_int64 point;
	char name[128];
	struct bucket {
		double upper_ns;
		sqlite3_int64 count;
	} * buckets;
	size_t count, room;
};

/* [upper edges in ns], [share of what is at most so long]. */
static json_t *thin(const struct curve *curve)
{
	json_t *edges = json_array(), *shares = json_array();
	double total = 0, passed = 0, kept = 0;

	for (size_t i = 0; i < curve->count; i++)
		total += (double)curve->buckets[i].count;
	for (size_t i = 0; i < curve->count && total > 0; i++) {
		double share;

		passed += (double)curve->buckets[i].count;
		share = passed / total;
		if (i && i + 1 < curve->count && share - kept < KEEP_PART &&
		    share - kept < KEEP_TAIL * (1 - kept))
			continue;
		kept = share;
		json_array_append_new(edges, json_number(curve->buckets[i].upper_ns));
		json_array_append_new(shares, json_number(share));
	}
	return json_pack("[o, o]", edges, shares);
}

/* Enters what has come together of one point's distribution. */
static void finish_curve(struct curve *curve)
{
	struct reader *r = curve->reader;
	const size_t point = point_index(r, curve->point);
	json_t *array;

	if (curve->count && point < r->count) {
		array = column(r, json_object_get(r->data, "histograms"), curve->name);
		json_array_set_new(array, point, thin(curve));
	}
	curve->count = 0;
}

/* (name, point, upper_ns, count), of one distribution after the other */
static int take_bucket(struct reader *r, sqlite3_stmt *row, void *arg)
{
	struct curve *curve = arg;
	const sqlite3_int64 point = sqlite3_column_int64(row, 1);

	(void)r;
	if (strcmp(curve->name, text(row, 0)) != 0 || curve->point != point) {
		finish_curve(curve);
		snprintf(curve->name, sizeof(curve->name), "%s", text(row, 0));
		curve->point = point;
	}
	if (curve->count == curve->room) {
		const size_t room = curve->room ? 2 * curve->room : 256;
		struct bucket *buckets = realloc(curve->buckets, room * sizeof(*buckets));

		if (!buckets)
			return cli_user_error("out of memory");
		curve->buckets = buckets;
		curve->room = room;
	}
	curve->buckets[curve->count++] =
		(struct bucket){sqlite3_column_double(row, 2), sqlite3_column_int64(row, 3)};
	return 0;
}

static int read_histograms(struct reader *r)
{
	struct curve curve = {.reader = r};
	int status;

	json_object_set_new(r->data, "histograms", json_object());
	status = query(r,
		       "SELECT name, point, upper_ns, count FROM histogram WHERE name IN"
		       " ('latency_ns', 'fault_ns.total', 'doorbell.latency_ns', 'smmu.walk_ns')"
		       " ORDER BY name, point, upper_ns",
		       take_bucket, &curve);
	finish_curve(&curve);
	free(curve.buckets);
	return status;
}

/* ---- validation --------------------------------------------------------------------------- */

static int take_validation(struct reader *r, sqlite3_stmt *row, void *arg)
{
	static const char *const names[] = {"case",	  "row",       "quantity", "unit",
					    "published",  "simulated", "low",	   "high",
					    "calibrated", "source"};
	json_t *entry = json_object();

	(void)r;
	for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++)
		json_object_set_new(entry, names[i], json_value(row, i));
	json_array_append_new(arg, entry);
	return 0;
}

static int take_any(struct reader *r, sqlite3_stmt *row, void *arg)
{
	(void)r;
	(void)row;
	*(bool *)arg = true;
	return 0;
}

/* A sweep that was never compared with what is published may lack the table. */
static int read_validation(struct reader *r)
{
	json_t *rows = json_array();
	bool there = false;

	json_object_set_new(r->data, "validation", rows);
	if (query(r, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'validation'",
		  take_any, &there))
		return CLI_EXIT_USER_ERROR;
	if (!there)
		return 0;
	return query(r,
		     "SELECT case_name, \"row\", quantity, unit, published, simulated, low, high,"
		     " calibrated, source FROM validation ORDER BY rowid",
		     take_validation, rows);
}

/* ---- all of it ---------------------------------------------------------------------------- */

/* Units and help of the metrics that a report can name. */
static void add_help(void *arg, const char *name, const char *unit, const char *help)
{
	json_t *data = arg;

	if (json_object_get(json_object_get(data, "metrics"), name))
		json_object_set_new(json_object_get(data, "help"), name,
				    json_pack("[s, s]", unit ? unit : "", help ? help : ""));
}

static void read_help(struct reader *r)
{
	struct platform_config *config = platform_config_new(NULL);

	json_object_set_new(r->data, "help", json_object());
	platform_list_metrics(config, add_help, r->data);
	platform_config_free(config);
}

static int read_all(struct reader *r)
{
	static const struct {
		const char *name, *sql;
	} tables[] = {
		{"settings", "SELECT point, key, value FROM setting ORDER BY key, point"},
		{"config", "SELECT point, key, value FROM config ORDER BY key, point"},
		{"metrics", "SELECT point, name, value FROM metric ORDER BY name, point"},
		{"host", "SELECT point, 'wall_s', wall_s FROM host UNION ALL"
			 " SELECT point, 'user_s', user_s FROM host UNION ALL"
			 " SELECT point, 'max_rss_kib', max_rss_kib FROM host"},
	};

	/* what other processes write meanwhile is not seen */
	if (sqlite3_exec(r->sqlite, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return fail(r);
	if (read_meta(r) || read_axes(r) || read_points(r))
		return CLI_EXIT_USER_ERROR;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (read_table(r, tables[i].name, tables[i].sql))
			return CLI_EXIT_USER_ERROR;
	if (read_histograms(r) || read_validation(r))
		return CLI_EXIT_USER_ERROR;
	read_help(r);
	return 0;
}

int report_data_read(const char *path, json_t **data)
{
	struct reader r = {.path = path, .data = json_pack("{s:s}", "schema", "svasim-report-1")};
	int status;

	/* one that was cut off in the middle of a transaction is put right by whoever opens it */
	if (sqlite3_open_v2(path, &r.sqlite, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(r.sqlite, BUSY_MS);
		status = read_all(&r);
	} else {
		status = fail(&r);
	}
	sqlite3_close(r.sqlite);
	free(r.ids);
	if (status)
		json_decref(r.data);
	else
		*data = r.data;
	return status;
}
