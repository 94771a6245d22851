/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sweep's points. Axes are crossed, zipped ones counting as one; the last one changes fastest,
 * after it the repetition. A point is worked out from its number whenever it is needed: its
 * configuration, checked as `svasim run` would check it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/cli/sweep.h"
#include "sim/platform/platform.h"

#define VALUE_BYTES 512

/* ---- positions ---------------------------------------------------------------------------- */

/* The first axis of the group after this axis's. */
static unsigned int next_group(const struct sweep_file *file, unsigned int axis)
{
	unsigned int next = axis + 1;

	while (next < file->axis_count && file->axes[axis].zip &&
	       file->axes[next].zip == file->axes[axis].zip)
		next++;
	return next;
}

unsigned int sweep_point_count(const struct sweep_file *file)
{
	uint64_t count = file->repetitions;

	for (unsigned int i = 0; i < file->axis_count && count <= SWEEP_POINTS_MAX;
	     i = next_group(file, i))
		count *= file->axes[i].count;
	return count <= SWEEP_POINTS_MAX ? (unsigned int)count : SWEEP_POINTS_MAX + 1;
}

/* Positions on the axes, and the repetition, of a point's number. */
static void find_positions(const struct sweep_file *file, struct sweep_point *point)
{
	unsigned int rest = (point->id - 1) / file->repetitions;

	point->repetition = (point->id - 1) % file->repetitions + 1;
	for (unsigned int last = file->axis_count; last > 0;) {
		unsigned int first = last - 1;

		while (first > 0 && file->axes[first].zip &&
		       file->axes[first - 1].zip == file->axes[first].zip)
			first--;
		for (unsigned int i = first; i < last; i++)
			point->positions[i] = rest % file->axes[i].count;
		rest /= file->axes[first].count;
		last = first;
	}
}

/* ---- platform and workload ----------------------------------------------------------------- */

bool sweep_is_parameter(const char *key)
{
	return strcmp(key, "platform") != 0 && strcmp(key, "workload") != 0;
}

/* The axis's value for the point if there is such an axis, else the file's. */
static struct sweep_pair value_for(const struct sweep_file *file, const struct sweep_point *point,
				   const char *key, struct sweep_pair otherwise)
{
	for (unsigned int i = 0; i < file->axis_count; i++)
		if (!strcmp(file->axes[i].key, key))
			return file->axes[i].values[point->positions[i]];
	return otherwise;
}

/* The name of a platform that comes with svasim, or a file beside the sweep's. */
static int find_platform(const struct sweep_file *file, struct sweep_point *point)
{
	const struct sweep_pair platform = value_for(file, point, "platform", file->platform);
	const size_t length = platform.value ? strlen(platform.value) : 0;
	const char *slash = strrchr(file->path, '/');
	const char *path;

	point->platform = platform.value ? platform.value : "";
	if (!platform.value)
		return 0;
	if (!strchr(platform.value, '/') &&
	    (length < 5 || strcmp(platform.value + length - 5, ".yaml") != 0))
		path = pool_print(&point->pool, "%s/%s.yaml", cli_platform_directory(),
				  platform.value);
	else if (*platform.value == '/' || !slash)
		path = platform.value;
	else
		path = pool_print(&point->pool, "%.*s/%s", (int)(slash - file->path), file->path,
				  platform.value);
	point->platform_path = path;
	if (!access(path, R_OK))
		return 0;
	return sweep_file_error(file, platform.line, "platform", platform.value,
				"no such file or platform",
				"a file beside this one, or see 'svasim list platforms'");
}

static int make_config(const struct sweep_file *file, struct sweep_point *point)
{
	const struct sweep_pair name = value_for(file, point, "workload", file->workload);
	const struct workload *workload = platform_workload(name.value);
	struct param_error error;

	if (!workload)
		return sweep_file_error(file, name.line, "workload", name.value, "no such workload",
					"see 'svasim list workloads'");
	if (find_platform(file, point))
		return CLI_EXIT_USER_ERROR;
	point->config = platform_config_new(workload);
	if (point->platform_path &&
	    param_load_yaml(point->config->params, point->platform_path, &error))
		return cli_user_error("%s", error.text);
	return 0;
}

/* ---- parameters ---------------------------------------------------------------------------- */

/* Sets it, and keeps it in the form that the setter gives it. */
static int set(const struct sweep_file *file, struct sweep_point *point, struct sweep_pair pair)
{
	const char *assignment = pool_print(&point->pool, "%s=%s", pair.key, pair.value);
	const char *where = pool_print(&point->pool, "%s:%zu", file->path, pair.line);
	struct param_error error;
	char value[VALUE_BYTES];

	if (param_assign(point->config->params, where, assignment, &error))
		return cli_user_error("%s", error.text);
	param_format(point->config->params, pair.key, value, sizeof(value));
	point->pairs[point->pair_count++] =
		(struct sweep_pair){pair.key, pool_copy(&point->pool, value), pair.line};
	return 0;
}

/* sweep_lookup_fn */
static bool look_up(void *arg, const char *key, double *value)
{
	const struct sweep_point *point = arg;
	char text[VALUE_BYTES];
	const char *end;

	if (!param_format(point->config->params, key, text, sizeof(text)))
		return false;
	end = sweep_number(text, value);
	return end && !*end;
}

static int derive(const struct sweep_file *file, struct sweep_point *point,
		  struct sweep_pair formula)
{
	const char *wrong;
	double value;

	wrong = sweep_expr(formula.value, look_up, point, &value);
	if (wrong)
		return sweep_file_error(file, formula.line, formula.key, formula.value, wrong,
					SWEEP_EXPR_ALLOWED);
	formula.value = sweep_number_text(&point->pool, value);
	return set(file, point, formula);
}

/* Only where the file says something of it: else it is the machine's. */
static int set_seed(const struct sweep_file *file, struct sweep_point *point)
{
	struct sweep_pair seed = file->seed;
	double first = point->config->machine.seed;

	if (!seed.value && file->repetitions == 1)
		return 0;
	if (seed.value)
		sweep_number(seed.value, &first);
	seed.key = "machine.seed";
	seed.value = sweep_number_text(&point->pool, first + point->repetition - 1);
	return set(file, point, seed);
}

/* Settings and the seed first: what follows is the point's own. */
static int set_all(const struct sweep_file *file, struct sweep_point *point)
{
	const size_t most = file->setting_count + 1 + file->axis_count + file->derived_count;

	point->pairs = pool_alloc(&point->pool, most, sizeof(*point->pairs));
	for (unsigned int i = 0; i < file->setting_count; i++)
		if (set(file, point, file->settings[i]))
			return CLI_EXIT_USER_ERROR;
	if (set_seed(file, point))
		return CLI_EXIT_USER_ERROR;
	point->first = point->pair_count;
	for (unsigned int i = 0; i < file->axis_count; i++) {
		const struct sweep_pair value = file->axes[i].values[point->positions[i]];

		if (!sweep_is_parameter(value.key))
			point->pairs[point->pair_count++] = value;
		else if (set(file, point, value))
			return CLI_EXIT_USER_ERROR;
	}
	for (unsigned int i = 0; i < file->derived_count; i++)
		if (derive(file, point, file->derived[i]))
			return CLI_EXIT_USER_ERROR;
	point->seed = point->config->machine.seed; /* which an axis may set */
	return 0;
}

/* Combinations that no machine can have are told at the line of the key that the complaint begins with. */
static int check_config(const struct sweep_file *file, struct sweep_point *point)
{
	struct param_error error;
	size_t line = file->axes_line;

	if (!platform_config_check(point->config, &error))
		return 0;
	for (unsigned int i = 0; i < point->pair_count; i++) {
		const size_t length = strlen(point->pairs[i].key);

		if (!strncmp(error.text, point->pairs[i].key, length) && error.text[length] == ':')
			line = point->pairs[i].line;
	}
	return cli_user_error("%s:%zu: %s, in point %u: %s", file->path, line ? line : 1,
			      error.text, point->id, sweep_point_text(point, file));
}

/* ---- points ------------------------------------------------------------------------------- */

struct sweep_point *sweep_point_new(const struct sweep_file *file, unsigned int id)
{
	struct sweep_point *point =
		calloc(1, sizeof(*point) + file->axis_count * sizeof(point->positions[0]));

	if (!point)
		exit(cli_user_error("out of memory"));
	point->id = id;
	find_positions(file, point);
	if (make_config(file, point) || set_all(file, point) || check_config(file, point)) {
		sweep_point_free(point);
		return NULL;
	}
	return point;
}

void sweep_point_free(struct sweep_point *point)
{
	platform_config_free(point->config);
	pool_free(&point->pool);
	free(point);
}

const char *sweep_point_text(struct sweep_point *point, const struct sweep_file *file)
{
	const char *text = "";

	for (unsigned int i = point->first; i < point->pair_count; i++)
		text = pool_print(&point->pool, "%s%s%s=%s", text, *text ? " " : "",
				  point->pairs[i].key, point->pairs[i].value);
	if (file->repetitions > 1)
		text = pool_print(&point->pool, "%s%srepetition %u", text, *text ? " " : "",
				  point->repetition);
	return text;
}

/* ---- the whole plan -------------------------------------------------------------------------- */

/* A key that two places set would have the value of the later one. */
struct claims {
	const struct sweep_file *file;
	struct sweep_pair *first;
	unsigned int count;
};

static int claim(struct claims *claims, const char *key, size_t line)
{
	char reason[64];

	for (unsigned int i = 0; i < claims->count; i++) {
		if (strcmp(claims->first[i].key, key) != 0)
			continue;
		snprintf(reason, sizeof(reason), "set twice, first on line %zu",
			 claims->first[i].line);
		return sweep_file_error(claims->file, line, key, NULL, reason,
					"one of platform, workload, settings, axes, derived, seed");
	}
	claims->first[claims->count++] = (struct sweep_pair){key, NULL, line};
	return 0;
}

static int claim_all(struct claims *claims)
{
	const struct sweep_file *file = claims->file;
	int status = 0;

	if (file->seed.value)
		status = claim(claims, "machine.seed", file->seed.line);
	if (file->platform.value && !status)
		status = claim(claims, "platform", file->platform.line);
	if (file->workload.line && !status)
		status = claim(claims, "workload", file->workload.line);
	for (unsigned int i = 0; i < file->setting_count && !status; i++)
		status = claim(claims, file->settings[i].key, file->settings[i].line);
	for (unsigned int i = 0; i < file->axis_count && !status; i++)
		status = claim(claims, file->axes[i].key, file->axes[i].line);
	for (unsigned int i = 0; i < file->derived_count && !status; i++)
		status = claim(claims, file->derived[i].key, file->derived[i].line);
	return status;
}

static int check_keys(const struct sweep_file *file)
{
	const size_t most = 3 + file->setting_count + file->axis_count + file->derived_count;
	struct claims claims = {.file = file};
	struct pool pool = {0};
	int status;

	claims.first = pool_alloc(&pool, most, sizeof(*claims.first));
	status = claim_all(&claims);
	for (unsigned int i = 0; i < file->axis_count && !status && file->repetitions > 1; i++)
		if (!strcmp(file->axes[i].key, "machine.seed"))
			status = sweep_file_error(file, file->axes[i].line, "machine.seed", NULL,
						  "repetitions change it, too",
						  "an axis of seeds, or repetitions");
	pool_free(&pool);
	return status;
}

static bool same_values(const struct sweep_file *file, unsigned int axis, unsigned int end,
			unsigned int a, unsigned int b)
{
	for (; axis < end; axis++)
		if (strcmp(file->axes[axis].values[a].value, file->axes[axis].values[b].value) != 0)
			return false;
	return true;
}

/* Two points would be one. */
static int check_values(const struct sweep_file *file)
{
	for (unsigned int i = 0; i < file->axis_count; i = next_group(file, i)) {
		const struct sweep_axis *axis = &file->axes[i];

		for (unsigned int b = 1; b < axis->count; b++)
			for (unsigned int a = 0; a < b; a++)
				if (same_values(file, i, next_group(file, i), a, b))
					return sweep_file_error(file, axis->values[b].line,
								axis->key, axis->values[b].value,
								"stands twice on the axis", NULL);
	}
	return 0;
}

/* Axes' values get the form that the setter gives them. */
static void keep_values(struct sweep_file *file, const struct sweep_point *point)
{
	for (unsigned int i = 0; i < file->axis_count; i++) {
		const char *known = point->pairs[point->first + i].value;
		struct sweep_pair *value = &file->axes[i].values[point->positions[i]];

		if (strcmp(value->value, known) != 0)
			value->value = pool_copy(&file->pool, known);
	}
}

int sweep_plan_check(struct sweep_file *file)
{
	const unsigned int count = sweep_point_count(file);
	char reason[64];

	if (check_keys(file))
		return CLI_EXIT_USER_ERROR;
	snprintf(reason, sizeof(reason), "more than %d points", SWEEP_POINTS_MAX);
	if (count > SWEEP_POINTS_MAX)
		return sweep_file_error(file, file->axes_line, "axes", NULL, reason,
					"fewer values or repetitions");
	for (unsigned int id = 1; id <= count; id++) {
		struct sweep_point *point = sweep_point_new(file, id);

		if (!point)
			return CLI_EXIT_USER_ERROR;
		keep_values(file, point);
		sweep_point_free(point);
	}
	return check_values(file);
}
