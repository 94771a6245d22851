/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sweep as one table: a row per point, columns for its axes, derived parameters and metrics. What a
 * point has no value for stays empty.
 */
#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/cli/sweep.h"

static const char settings_sql[] =
	/* axes in their order, then what is derived */
	"SELECT key FROM (SELECT key, id AS place FROM axis UNION ALL"
	" SELECT DISTINCT key, 1e9 FROM setting WHERE key NOT IN (SELECT key FROM axis))"
	" ORDER BY place, key";
static const char metrics_sql[] = "SELECT DISTINCT name FROM metric ORDER BY name";
static const char points_sql[] = "SELECT id, status, repetition, seed FROM point ORDER BY id";
static const char setting_sql[] = "SELECT value FROM setting WHERE point = ? AND key = ?";
static const char metric_sql[] = "SELECT value FROM metric WHERE point = ? AND name = ?";

struct table {
	sqlite3 *sqlite;
	FILE *file;
	struct pool pool;
	bool bad; /* SQLite's or the file's error */
};

/* Names that a query gives. */
struct names {
	const char **name;
	size_t count;
};

static sqlite3_stmt *prepare(struct table *table, const char *sql)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(table->sqlite, sql, -1, &statement, NULL) != SQLITE_OK)
		table->bad = true;
	return statement;
}

static bool step(struct table *table, sqlite3_stmt *statement)
{
	const int code = statement ? sqlite3_step(statement) : SQLITE_DONE;

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		table->bad = true;
	return code == SQLITE_ROW;
}

static struct names read_names(struct table *table, const char *sql)
{
	sqlite3_stmt *statement = prepare(table, sql);
	struct names names = {0};
	size_t room = 0;

	while (step(table, statement)) {
		if (names.count == room) {
			const char **more = pool_alloc(&table->pool, 2 * room + 64, sizeof(*more));

			if (room)
				memcpy(more, names.name, room * sizeof(*more));
			names.name = more;
			room = 2 * room + 64;
		}
		names.name[names.count++] =
			pool_copy(&table->pool, (const char *)sqlite3_column_text(statement, 0));
	}
	sqlite3_finalize(statement);
	return names;
}

/* RFC 4180: quoted where it must be. */
static void put_cell(struct table *table, const char *text, bool first)
{
	if (!first)
		putc(',', table->file);
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, table->file);
		return;
	}
	putc('"', table->file);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', table->file);
		putc(*text, table->file);
	}
	putc('"', table->file);
}

/* The value that the statement finds for the point. A number reads back as it was. */
static void put_value(struct table *table, sqlite3_stmt *statement, sqlite3_int64 point,
		      const char *name)
{
	char number[32];

	sqlite3_bind_int64(statement, 1, point);
	sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
	if (!step(table, statement)) {
		put_cell(table, "", false);
	} else if (sqlite3_column_type(statement, 0) == SQLITE_FLOAT) {
		snprintf(number, sizeof(number), "%.17g", sqlite3_column_double(statement, 0));
		put_cell(table, number, false);
	} else {
		put_cell(table, (const char *)sqlite3_column_text(statement, 0), false);
	}
	sqlite3_reset(statement);
}

static void put_head(struct table *table, const struct names *settings, const struct names *metrics)
{
	fputs("point,status,repetition,seed", table->file);
	for (size_t i = 0; i < settings->count; i++)
		put_cell(table, settings->name[i], false);
	for (size_t i = 0; i < metrics->count; i++)
		put_cell(table, metrics->name[i], false);
	putc('\n', table->file);
}

static void put_rows(struct table *table, const struct names *settings, const struct names *metrics)
{
	sqlite3_stmt *points = prepare(table, points_sql), *setting = prepare(table, setting_sql),
		     *metric = prepare(table, metric_sql);

	while (!table->bad && step(table, points)) {
		const sqlite3_int64 id = sqlite3_column_int64(points, 0);

		for (int i = 0; i < 4; i++)
			put_cell(table, (const char *)sqlite3_column_text(points, i), i == 0);
		for (size_t i = 0; i < settings->count; i++)
			put_value(table, setting, id, settings->name[i]);
		for (size_t i = 0; i < metrics->count; i++)
			put_value(table, metric, id, metrics->name[i]);
		putc('\n', table->file);
	}
	sqlite3_finalize(points);
	sqlite3_finalize(setting);
	sqlite3_finalize(metric);
}

static void put_table(struct table *table)
{
	const struct names settings = read_names(table, settings_sql);
	const struct names metrics = read_names(table, metrics_sql);

	put_head(table, &settings, &metrics);
	put_rows(table, &settings, &metrics);
}

/* Readers see the old file or the new one. */
static int write_file(struct table *table, const char *path)
{
	char *temporary = pool_print(&table->pool, "%s.tmp", path);
	int status = 0;

	table->file = fopen(temporary, "w");
	if (!table->file)
		return cli_user_error("%s: not written: %s", path, strerror(errno));
	put_table(table);
	if (table->bad)
		status = cli_user_error("%s: not written: %s", path, sqlite3_errmsg(table->sqlite));
	table->bad = ferror(table->file);
	table->bad |= fclose(table->file) != 0;
	if (!status && (table->bad || rename(temporary, path)))
		status = cli_user_error("%s: not written: %s", path, strerror(errno));
	if (status)
		unlink(temporary);
	return status;
}

int sweep_csv_write(const char *db_path, const char *csv_path)
{
	struct table table = {0};
	int status;

	if (sqlite3_open_v2(db_path, &table.sqlite, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
		status = write_file(&table, csv_path);
	else
		status = cli_user_error("%s: not read: %s", db_path, sqlite3_errmsg(table.sqlite));
	sqlite3_close(table.sqlite);
	pool_free(&table.pool);
	return status;
}
