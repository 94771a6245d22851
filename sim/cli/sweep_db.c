/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sweep's database: the plan with every point's configuration, and the results as they come in.
 *
 * Plan and results of a point are a transaction each, with SQLite's rollback journal: whatever ends
 * the process, the file holds whole points. docs/sweeps.md describes the tables for those who
 * read them.
 */
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cli/cli.h"
#include "sim/cli/sweep.h"

#define BUSY_MS	      10000 /* readers may look on */
#define VERSION_BYTES 256

static const char schema_sql[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE axis(id INTEGER PRIMARY KEY, key TEXT NOT NULL, label TEXT NOT NULL,"
	" unit TEXT NOT NULL, scale TEXT NOT NULL CHECK(scale IN ('linear','log2','category')),"
	" zip_group INTEGER);"
	"CREATE TABLE axis_value(axis INTEGER REFERENCES axis, position INTEGER,"
	" value TEXT NOT NULL, PRIMARY KEY(axis, position)) WITHOUT ROWID;"
	"CREATE TABLE point(id INTEGER PRIMARY KEY,"
	" status TEXT NOT NULL CHECK(status IN ('pending','ok','failed','timeout')),"
	" exit_status INTEGER, error TEXT, repetition INTEGER NOT NULL, seed INTEGER NOT NULL);"
	"CREATE TABLE setting(point INTEGER REFERENCES point, key TEXT, value TEXT NOT NULL,"
	" PRIMARY KEY(point, key)) WITHOUT ROWID;"
	"CREATE TABLE config(point INTEGER REFERENCES point, key TEXT, value TEXT NOT NULL,"
	" PRIMARY KEY(point, key)) WITHOUT ROWID;"
	"CREATE TABLE metric(point INTEGER REFERENCES point, name TEXT, value NOT NULL,"
	" PRIMARY KEY(point, name)) WITHOUT ROWID;"
	"CREATE TABLE histogram(point INTEGER REFERENCES point, name TEXT, upper_ns REAL,"
	" count INTEGER NOT NULL, PRIMARY KEY(point, name, upper_ns)) WITHOUT ROWID;"
	"CREATE TABLE host(point INTEGER PRIMARY KEY REFERENCES point, wall_s REAL NOT NULL,"
	" user_s REAL NOT NULL, max_rss_kib INTEGER NOT NULL);"
	"CREATE TABLE validation(case_name TEXT, \"row\" TEXT, quantity TEXT, unit TEXT,"
	" published REAL, simulated REAL, low REAL, high REAL, calibrated INTEGER, source TEXT);";

static const char *const status_names[] = {
	[SWEEP_PENDING] = "pending",
	[SWEEP_OK] = "ok",
	[SWEEP_FAILED] = "failed",
	[SWEEP_TIMEOUT] = "timeout",
};

/* Statements that are run again and again. */
enum statement {
	INSERT_META,
	INSERT_AXIS,
	INSERT_AXIS_VALUE,
	INSERT_POINT,
	INSERT_SETTING,
	INSERT_CONFIG,
	INSERT_METRIC,
	INSERT_BUCKET,
	INSERT_HOST,
	UPDATE_POINT,
	STATEMENT_COUNT,
};

static const char *const statement_sql[] = {
	[INSERT_META] = "INSERT OR REPLACE INTO meta VALUES(?, ?)",
	[INSERT_AXIS] = "INSERT INTO axis VALUES(?, ?, ?, ?, ?, nullif(?, 0))",
	[INSERT_AXIS_VALUE] = "INSERT INTO axis_value VALUES(?, ?, ?)",
	[INSERT_POINT] = "INSERT INTO point VALUES(?, 'pending', NULL, NULL, ?, ?)",
	[INSERT_SETTING] = "INSERT INTO setting VALUES(?, ?, ?)",
	[INSERT_CONFIG] = "INSERT INTO config VALUES(?, ?, ?)",
	[INSERT_METRIC] = "INSERT INTO metric VALUES(?, ?, ?)",
	[INSERT_BUCKET] = "INSERT INTO histogram VALUES(?, ?, ?, ?)",
	[INSERT_HOST] = "INSERT OR REPLACE INTO host VALUES(?, ?, ?, ?)",
	[UPDATE_POINT] =
		"UPDATE point SET status = ?, exit_status = nullif(?, -1), error = ? WHERE id = ?",
};

struct sweep_db {
	sqlite3 *sqlite;
	char *path;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	bool failed; /* the first error has been told */
};

/* ---- SQLite ------------------------------------------------------------------------------- */

/* What the system said of the database file, where SQLite only says that it said something. */
static const char *system_error(const struct sweep_db *db)
{
	int error = 0;

	if (sqlite3_errcode(db->sqlite) != SQLITE_IOERR)
		return NULL;
	sqlite3_file_control(db->sqlite, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
	return error ? strerror(error) : NULL;
}

static int fail(struct sweep_db *db, const char *what)
{
	const char *message = system_error(db);

	if (!db->failed)
		cli_user_error("%s: %s: %s", db->path, what,
			       message ? message : sqlite3_errmsg(db->sqlite));
	db->failed = true;
	return CLI_EXIT_USER_ERROR;
}

static int execute(struct sweep_db *db, const char *sql)
{
	if (sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return fail(db, "not written");
}

static int begin(struct sweep_db *db)
{
	return execute(db, "BEGIN IMMEDIATE");
}

/* After a failed COMMIT, or in the middle: nothing of the transaction stays. */
static int give_up(struct sweep_db *db)
{
	sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
	return CLI_EXIT_USER_ERROR;
}

int sweep_db_commit(struct sweep_db *db)
{
	return execute(db, "COMMIT") ? give_up(db) : 0;
}

static int bind(sqlite3_stmt *statement, const char *types, va_list args)
{
	int code = SQLITE_OK;

	for (int i = 1; types[i - 1] && code == SQLITE_OK; i++) {
		switch (types[i - 1]) {
		case 'i':
			code = sqlite3_bind_int64(statement, i, va_arg(args, int64_t));
			break;
		case 'd':
			code = sqlite3_bind_double(statement, i, va_arg(args, double));
			break;
		default:
			code = sqlite3_bind_text(statement, i, va_arg(args, const char *), -1,
						 SQLITE_STATIC);
		}
	}
	return code;
}

/* Runs one of the statements with the values given: i int64_t, d double, s text or NULL. */
static int put(struct sweep_db *db, enum statement which, const char *types, ...)
{
	sqlite3_stmt **statement = &db->statements[which];
	va_list args;
	int code = SQLITE_OK;

	if (!*statement)
		code = sqlite3_prepare_v2(db->sqlite, statement_sql[which], -1, statement, NULL);
	va_start(args, types);
	if (code == SQLITE_OK)
		code = bind(*statement, types, args);
	va_end(args);
	if (code == SQLITE_OK && sqlite3_step(*statement) == SQLITE_DONE) {
		sqlite3_reset(*statement);
		return 0;
	}
	fail(db, "not written");
	sqlite3_reset(*statement);
	return give_up(db);
}

/* The first column of the first row; NULL if there is none. Freed by the caller. */
static int get_text(struct sweep_db *db, const char *sql, const char *parameter, char **text)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db->sqlite, sql, -1, &statement, NULL);

	*text = NULL;
	if (code == SQLITE_OK && parameter)
		code = sqlite3_bind_text(statement, 1, parameter, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW && sqlite3_column_text(statement, 0))
		*text = strdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : fail(db, "not read");
}

void sweep_db_close(struct sweep_db *db)
{
	if (!db)
		return;
	for (unsigned int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->sqlite);
	free(db->path);
	free(db);
}

static int open_file(const char *path, struct sweep_db **result)
{
	struct sweep_db *db = calloc(1, sizeof(*db));

	if (!db || !(db->path = strdup(path)))
		exit(cli_user_error("out of memory"));
	*result = db;
	if (sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		return fail(db, "cannot be opened");
	sqlite3_busy_timeout(db->sqlite, BUSY_MS);
	if (sqlite3_db_readonly(db->sqlite, "main"))
		return cli_user_error("%s: read-only (allowed: a file that can be written)", path);
	return 0;
}

/* ---- the plan ------------------------------------------------------------------------------ */

/* "a, b" of an axis of this key, else the file's own. */
static const char *all_values(struct pool *pool, const struct sweep_file *file, const char *key,
			      const char *otherwise)
{
	const char *text = NULL;

	for (unsigned int i = 0; i < file->axis_count; i++)
		for (unsigned int j = 0; j < file->axes[i].count; j++)
			if (!strcmp(file->axes[i].key, key))
				text = pool_print(pool, "%s%s%s", text ? text : "",
						  text ? ", " : "", file->axes[i].values[j].value);
	return text ? text : otherwise ? otherwise : "";
}

static int put_meta(struct sweep_db *db, const struct sweep_file *file)
{
	struct pool pool = {0};
	const char *const rows[][2] = {
		{"schema", SWEEP_SCHEMA},
		{"name", file->name},
		{"description", file->description},
		{"sweep_file", file->text},
		{"svasim", SVASIM_VERSION},
		{"compiler", __VERSION__},
		{"flags", SVASIM_FLAGS},
		{"kernel", ""}, /* known when the first point has run */
		{"systemc", SVASIM_SYSTEMC_VERSION},
		{"platform", all_values(&pool, file, "platform", file->platform.value)},
		{"workload", all_values(&pool, file, "workload", file->workload.value)},
	};
	int status = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !status; i++)
		status = put(db, INSERT_META, "ss", rows[i][0], rows[i][1]);
	pool_free(&pool);
	return status;
}

static int put_axes(struct sweep_db *db, const struct sweep_file *file)
{
	int status = 0;

	for (unsigned int i = 0; i < file->axis_count && !status; i++) {
		const struct sweep_axis *axis = &file->axes[i];

		status = put(db, INSERT_AXIS, "issssi", (int64_t)i + 1, axis->key, axis->label,
			     axis->unit, axis->scale, (int64_t)axis->zip);
		for (unsigned int j = 0; j < axis->count && !status; j++)
			status = put(db, INSERT_AXIS_VALUE, "iis", (int64_t)i + 1, (int64_t)j,
				     axis->values[j].value);
	}
	return status;
}

struct config_rows {
	struct sweep_db *db;
	unsigned int point;
	int status;
};

/* param_visit_fn */
static void put_config(void *arg, const char *key, const struct param_desc *desc, const char *value,
		       const char *default_value, const char *allowed)
{
	struct config_rows *rows = arg;

	(void)desc;
	(void)default_value;
	(void)allowed;
	if (!rows->status)
		rows->status =
			put(rows->db, INSERT_CONFIG, "iss", (int64_t)rows->point, key, value);
}

static int put_point(struct sweep_db *db, const struct sweep_point *point)
{
	const int64_t id = point->id;
	struct config_rows rows = {.db = db, .point = point->id};

	if (put(db, INSERT_POINT, "iii", id, (int64_t)point->repetition, (int64_t)point->seed) ||
	    put(db, INSERT_CONFIG, "iss", id, "platform", point->platform) ||
	    put(db, INSERT_CONFIG, "iss", id, "workload", point->config->workload->name))
		return CLI_EXIT_USER_ERROR;
	for (unsigned int i = point->first; i < point->pair_count; i++)
		if (put(db, INSERT_SETTING, "iss", id, point->pairs[i].key, point->pairs[i].value))
			return CLI_EXIT_USER_ERROR;
	param_visit(point->config->params, put_config, &rows);
	return rows.status;
}

static int put_points(struct sweep_db *db, const struct sweep_file *file)
{
	const unsigned int count = sweep_point_count(file);
	int status = 0;

	for (unsigned int id = 1; id <= count && !status; id++) {
		struct sweep_point *point = sweep_point_new(file, id);

		if (!point) {
			status = CLI_EXIT_USER_ERROR;
			break;
		}
		status = put_point(db, point);
		sweep_point_free(point);
	}
	return status;
}

static int create(struct sweep_db *db, const struct sweep_file *file)
{
	if (begin(db))
		return CLI_EXIT_USER_ERROR;
	if (execute(db, schema_sql) || put_meta(db, file) || put_axes(db, file) ||
	    put_points(db, file))
		return give_up(db);
	return sweep_db_commit(db);
}

int sweep_db_create(const char *path, const struct sweep_file *file, struct sweep_db **db)
{
	if (!open_file(path, db) && !create(*db, file))
		return 0;
	sweep_db_close(*db);
	*db = NULL;
	return CLI_EXIT_USER_ERROR;
}

/* ---- an earlier sweep ------------------------------------------------------------------------ */

static int check_meta(struct sweep_db *db, const char *key, const char *wanted,
		      const char *complaint, const char *allowed)
{
	char *value;
	int status = 0;

	if (get_text(db, "SELECT value FROM meta WHERE key = ?", key, &value))
		return CLI_EXIT_USER_ERROR;
	if (!value || strcmp(value, wanted) != 0)
		status = cli_user_error("%s: %s (allowed: %s)", db->path, complaint, allowed);
	free(value);
	return status;
}

static int check_origin(struct sweep_db *db, const struct sweep_file *file)
{
	static const char elsewhere[] = "another folder, or the svasim that began it";
	const char *const builds[][2] = {
		{"svasim", SVASIM_VERSION},
		{"compiler", __VERSION__},
		{"flags", SVASIM_FLAGS},
		{"systemc", SVASIM_SYSTEMC_VERSION},
	};

	if (check_meta(db, "schema", SWEEP_SCHEMA, "not a sweep of this svasim",
		       "schema " SWEEP_SCHEMA) ||
	    check_meta(db, "sweep_file", file->text, "is of another version of the sweep file",
		       "another folder, or the file as it was"))
		return CLI_EXIT_USER_ERROR;
	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++)
		if (check_meta(db, builds[i][0], builds[i][1],
			       "was begun by another build of svasim", elsewhere))
			return CLI_EXIT_USER_ERROR;
	return 0;
}

struct comparison {
	sqlite3_stmt *statement;
	unsigned int point;
	const char *differs; /* the key */
};

/* param_visit_fn */
static void compare_config(void *arg, const char *key, const struct param_desc *desc,
			   const char *value, const char *default_value, const char *allowed)
{
	struct comparison *comparison = arg;
	const char *known = NULL;

	(void)desc;
	(void)default_value;
	(void)allowed;
	if (comparison->differs)
		return;
	sqlite3_bind_int64(comparison->statement, 1, comparison->point);
	sqlite3_bind_text(comparison->statement, 2, key, -1, SQLITE_STATIC);
	if (sqlite3_step(comparison->statement) == SQLITE_ROW)
		known = (const char *)sqlite3_column_text(comparison->statement, 0);
	if (!known || strcmp(known, value) != 0)
		comparison->differs = key;
	sqlite3_reset(comparison->statement);
}

/* A platform file may have changed, or a default. */
static int check_configs(struct sweep_db *db, const struct sweep_file *file)
{
	const unsigned int count = sweep_point_count(file);
	struct comparison comparison = {0};
	int status = 0;

	if (sqlite3_prepare_v2(db->sqlite, "SELECT value FROM config WHERE point = ? AND key = ?",
			       -1, &comparison.statement, NULL) != SQLITE_OK)
		return fail(db, "not read");
	for (unsigned int id = 1; id <= count && !status; id++) {
		struct sweep_point *point = sweep_point_new(file, id);

		if (!point) {
			status = CLI_EXIT_USER_ERROR;
			break;
		}
		comparison.point = id;
		param_visit(point->config->params, compare_config, &comparison);
		if (comparison.differs)
			status = cli_user_error("%s: point %u had another %s (allowed: another "
						"folder, or the platform as it was)",
						db->path, id, comparison.differs);
		sweep_point_free(point);
	}
	sqlite3_finalize(comparison.statement);
	return status;
}

/* A file that a process left before its first transaction holds nothing. */
static int holds_plan(struct sweep_db *db, bool *plan)
{
	char *tables;

	*plan = false;
	if (get_text(db, "SELECT count(*) FROM sqlite_master", NULL, &tables))
		return CLI_EXIT_USER_ERROR;
	*plan = tables && strcmp(tables, "0") != 0;
	free(tables);
	return 0;
}

int sweep_db_open(const char *path, const struct sweep_file *file, struct sweep_db **db)
{
	bool plan;

	if (!open_file(path, db) && !holds_plan(*db, &plan)) {
		if (plan && !check_origin(*db, file) && !check_configs(*db, file))
			return 0;
		sweep_db_close(*db);
		*db = NULL;
		return plan ? CLI_EXIT_USER_ERROR : 0;
	}
	sweep_db_close(*db);
	*db = NULL;
	return CLI_EXIT_USER_ERROR;
}

int sweep_db_done(struct sweep_db *db, bool *done)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db->sqlite, "SELECT id FROM point WHERE status = 'ok'", -1,
				      &statement, NULL);

	if (code == SQLITE_OK)
		while ((code = sqlite3_step(statement)) == SQLITE_ROW)
			done[sqlite3_column_int64(statement, 0)] = true;
	sqlite3_finalize(statement);
	return code == SQLITE_DONE ? 0 : fail(db, "not read");
}

int sweep_db_count(struct sweep_db *db, enum sweep_status status, unsigned int *count)
{
	char *text;

	if (get_text(db, "SELECT count(*) FROM point WHERE status = ?", status_names[status],
		     &text))
		return CLI_EXIT_USER_ERROR;
	*count = text ? (unsigned int)strtoul(text, NULL, 10) : 0;
	free(text);
	return 0;
}

/* ---- results ------------------------------------------------------------------------------- */

int sweep_db_begin(struct sweep_db *db, const struct sweep_result *result)
{
	const int64_t point = result->point;

	if (begin(db) ||
	    put(db, UPDATE_POINT, "sisi", status_names[result->status],
		(int64_t)result->exit_status, *result->error ? result->error : NULL, point))
		return CLI_EXIT_USER_ERROR;
	return put(db, INSERT_HOST, "iddi", point, result->wall_s, result->user_s,
		   (int64_t)result->max_rss_kib);
}

int sweep_db_metric(struct sweep_db *db, unsigned int point, const char *name, bool whole,
		    int64_t integer, double real)
{
	if (whole)
		return put(db, INSERT_METRIC, "isi", (int64_t)point, name, integer);
	return put(db, INSERT_METRIC, "isd", (int64_t)point, name, real);
}

int sweep_db_bucket(struct sweep_db *db, unsigned int point, const char *name, double upper_ns,
		    int64_t count)
{
	return put(db, INSERT_BUCKET, "isdi", (int64_t)point, name, upper_ns, count);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Platforms may boot different kernels: all of them, whatever the order in which points end. */
int sweep_db_kernel(struct sweep_db *db, const char *version)
{
	char *known, *rest, *word, joined[VERSION_BYTES] = "";
	const char *versions[16] = {version};
	size_t count = 1, used = 0;
	int status;

	if (get_text(db, "SELECT value FROM meta WHERE key = ?", "kernel", &known))
		return give_up(db);
	for (word = known ? strtok_r(known, ", ", &rest) : NULL;
	     word && count < sizeof(versions) / sizeof(versions[0]);
	     word = strtok_r(NULL, ", ", &rest))
		if (strcmp(word, version) != 0)
			versions[count++] = word;
	qsort(versions, count, sizeof(versions[0]), by_name);
	for (size_t i = 0; i < count && used < sizeof(joined); i++)
		used += (size_t)snprintf(joined + used, sizeof(joined) - used, "%s%s",
					 i ? ", " : "", versions[i]);
	status = put(db, INSERT_META, "ss", "kernel", joined);
	free(known);
	return status;
}
