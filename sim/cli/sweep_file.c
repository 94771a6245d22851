/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sweep files: YAML, read with libyaml's document loader, whose nodes know their lines.
 *
 * Each mapping has a table of its keys. Values of parameters stay text here: what is allowed for
 * them only a point's configuration can tell (sweep_plan.c).
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "sim/cli/cli.h"
#include "sim/cli/sweep.h"

#define FILE_BYTES_MAX	(1u << 20)
#define AXIS_VALUES_MAX SWEEP_POINTS_MAX
#define REPETITIONS_MAX 10000
#define DEPTH_MAX	16
#define RANGE_SLACK	1e-9 /* of a step: 0.1 × 3 is more than 0.3 */

struct reader {
	struct sweep_file *file;
	yaml_document_t document;
	struct sweep_axis *axis; /* the one being read */
	unsigned int zips;	 /* groups so far */
};

/* One key of a mapping. */
struct field {
	const char *name;
	int (*take)(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value);
};

int sweep_file_error(const struct sweep_file *file, size_t line, const char *key, const char *value,
		     const char *reason, const char *allowed)
{
	char where[32] = "";

	if (line)
		snprintf(where, sizeof(where), ":%zu", line);
	return cli_user_error("%s%s: %s%s%s: %s%s%s%s", file->path, where, key, value ? ": " : "",
			      value ? value : "", reason, allowed ? " (allowed: " : "",
			      allowed ? allowed : "", allowed ? ")" : "");
}

/* ---- nodes -------------------------------------------------------------------------------- */

static const yaml_node_t *node_of(struct reader *reader, int index)
{
	return yaml_document_get_node(&reader->document, index);
}

static size_t line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

static bool is_scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE &&
	       strlen((const char *)node->data.scalar.value) == node->data.scalar.length;
}

/* A node's text, or what stands for it in a message. */
static const char *text_of(const yaml_node_t *node)
{
	if (node->type == YAML_SCALAR_NODE)
		return (const char *)node->data.scalar.value;
	return node->type == YAML_MAPPING_NODE ? "{...}" : "[...]";
}

static int fail(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value,
		const char *reason, const char *allowed)
{
	sweep_file_error(reader->file, line_of(key), text_of(key), value ? text_of(value) : NULL,
			 reason, allowed);
	return CLI_EXIT_USER_ERROR;
}

static struct sweep_pair pair_of(struct reader *reader, const char *key, const yaml_node_t *value)
{
	struct pool *pool = &reader->file->pool;

	return (struct sweep_pair){pool_copy(pool, key), pool_copy(pool, text_of(value)),
				   line_of(value)};
}

static int take_text(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value,
		     const char **text)
{
	if (!is_scalar(value))
		return fail(reader, key, value, "not a text", "text");
	*text = pool_copy(&reader->file->pool, text_of(value));
	return 0;
}

static int take_number(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value,
		       double *number)
{
	const char *end = is_scalar(value) ? sweep_number(text_of(value), number) : NULL;

	if (!end || *end)
		return fail(reader, key, value, "not a number", "a number");
	return 0;
}

static int take_whole(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value,
		      double min, double max, double *number)
{
	char allowed[64];

	if (is_scalar(value)) {
		const char *end = sweep_number(text_of(value), number);

		if (end && !*end && *number >= min && *number <= max && *number == floor(*number))
			return 0;
	}
	snprintf(allowed, sizeof(allowed), "%.0f..%.0f", min, max);
	return fail(reader, key, value, "not a whole number in the range", allowed);
}

/* ---- mappings ----------------------------------------------------------------------------- */

static int fail_unknown(struct reader *reader, const yaml_node_t *key, const struct field *fields)
{
	char allowed[256];
	size_t used = 0;

	for (const struct field *field = fields; field->name && used < sizeof(allowed); field++)
		used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
					 field == fields ? "" : ", ", field->name);
	return fail(reader, key, NULL, "unknown key", allowed);
}

/* libyaml does not say whether a key comes twice. */
static int check_duplicate(struct reader *reader, const yaml_node_t *mapping,
			   const yaml_node_pair_t *pair)
{
	const yaml_node_t *key = node_of(reader, pair->key);
	char reason[64];

	for (const yaml_node_pair_t *other = mapping->data.mapping.pairs.start; other < pair;
	     other++) {
		const yaml_node_t *other_key = node_of(reader, other->key);

		if (strcmp(text_of(other_key), text_of(key)) != 0)
			continue;
		snprintf(reason, sizeof(reason), "duplicate key, first on line %zu",
			 line_of(other_key));
		return fail(reader, key, NULL, reason, NULL);
	}
	return 0;
}

static int check_key(struct reader *reader, const yaml_node_t *mapping,
		     const yaml_node_pair_t *pair)
{
	const yaml_node_t *key = node_of(reader, pair->key);

	if (!is_scalar(key) || !key->data.scalar.length)
		return fail(reader, key, NULL, "cannot be a key", "a name");
	return check_duplicate(reader, mapping, pair);
}

static int walk_fields(struct reader *reader, const yaml_node_t *mapping,
		       const struct field *fields)
{
	int status = 0;

	for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top && !status; pair++) {
		const yaml_node_t *key = node_of(reader, pair->key);
		const struct field *field = fields;

		if (check_key(reader, mapping, pair))
			return CLI_EXIT_USER_ERROR;
		while (field->name && strcmp(field->name, text_of(key)) != 0)
			field++;
		if (!field->name)
			return fail_unknown(reader, key, fields);
		status = field->take(reader, key, node_of(reader, pair->value));
	}
	return status;
}

static size_t length_of(const yaml_node_t *node)
{
	if (node->type == YAML_MAPPING_NODE)
		return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

/* ---- an axis's values --------------------------------------------------------------------- */

static int start_values(struct reader *reader, const yaml_node_t *key, size_t count)
{
	struct sweep_axis *axis = reader->axis;

	if (axis->values)
		return fail(reader, key, NULL, "the axis has values already",
			    "one of values, range, powers_of_two");
	if (!count)
		return fail(reader, key, NULL, "no values", "one or more");
	if (count > AXIS_VALUES_MAX)
		return fail(reader, key, NULL, "too many values", "up to 100000");
	axis->values = pool_alloc(&reader->file->pool, count, sizeof(*axis->values));
	axis->count = (unsigned int)count;
	return 0;
}

static int take_values(struct reader *reader, const yaml_node_t *key, const yaml_node_t *list)
{
	if (list->type != YAML_SEQUENCE_NODE)
		return fail(reader, key, list, "not a list", "[value, ...]");
	if (start_values(reader, key, length_of(list)))
		return CLI_EXIT_USER_ERROR;
	for (unsigned int i = 0; i < reader->axis->count; i++) {
		const yaml_node_t *value = node_of(reader, list->data.sequence.items.start[i]);

		if (!is_scalar(value))
			return fail(reader, key, value, "not a value", "numbers or names");
		reader->axis->values[i] = pair_of(reader, "", value);
	}
	return 0;
}

/* What range and powers_of_two say. */
struct span {
	const yaml_node_t *key[3];
	double number[3];
};

static int take_span(struct reader *reader, const yaml_node_t *key, const yaml_node_t *mapping,
		     size_t count, struct span *span, const char *allowed)
{
	static const char *const names[] = {"from", "to", "step"};

	if (mapping->type != YAML_MAPPING_NODE)
		return fail(reader, key, mapping, "not a range", allowed);
	for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = node_of(reader, pair->key);
		size_t i = 0;

		if (check_key(reader, mapping, pair))
			return CLI_EXIT_USER_ERROR;
		while (i < count && strcmp(names[i], text_of(name)) != 0)
			i++;
		if (i == count)
			return fail(reader, name, NULL, "unknown key", allowed);
		span->key[i] = name;
		if (take_number(reader, name, node_of(reader, pair->value), &span->number[i]))
			return CLI_EXIT_USER_ERROR;
	}
	for (size_t i = 0; i < count; i++)
		if (!span->key[i])
			return fail(reader, key, NULL, "incomplete", allowed);
	if (span->number[1] < span->number[0])
		return fail(reader, span->key[1], NULL, "less than from", allowed);
	return 0;
}

static void put_number(struct reader *reader, const yaml_node_t *key, unsigned int i, double number)
{
	struct pool *pool = &reader->file->pool;

	reader->axis->values[i] =
		(struct sweep_pair){"", sweep_number_text(pool, number), line_of(key)};
}

static int take_range(struct reader *reader, const yaml_node_t *key, const yaml_node_t *mapping)
{
	static const char allowed[] = "{from: A, to: B, step: C}, A <= B, C > 0";
	struct span span = {0};
	double steps;

	if (take_span(reader, key, mapping, 3, &span, allowed))
		return CLI_EXIT_USER_ERROR;
	if (!(span.number[2] > 0))
		return fail(reader, span.key[2], NULL, "not more than 0", allowed);
	steps = floor((span.number[1] - span.number[0]) / span.number[2] + RANGE_SLACK);
	if (start_values(reader, key, steps < AXIS_VALUES_MAX ? (size_t)steps + 1 : SIZE_MAX))
		return CLI_EXIT_USER_ERROR;
	for (unsigned int i = 0; i < reader->axis->count; i++)
		put_number(reader, key, i, span.number[0] + i * span.number[2]);
	return 0;
}

static bool is_power_of_two(double number)
{
	int exponent;

	return number >= 1 && frexp(number, &exponent) == 0.5;
}

static int take_powers_of_two(struct reader *reader, const yaml_node_t *key,
			      const yaml_node_t *mapping)
{
	static const char allowed[] = "{from: A, to: B}, powers of two, A <= B";
	struct span span = {0};

	if (take_span(reader, key, mapping, 2, &span, allowed))
		return CLI_EXIT_USER_ERROR;
	for (unsigned int i = 0; i < 2; i++)
		if (!is_power_of_two(span.number[i]))
			return fail(reader, span.key[i], NULL, "not a power of two", allowed);
	if (start_values(reader, key, (size_t)log2(span.number[1] / span.number[0]) + 1))
		return CLI_EXIT_USER_ERROR;
	for (unsigned int i = 0; i < reader->axis->count; i++)
		put_number(reader, key, i, ldexp(span.number[0], (int)i));
	if (!reader->axis->scale)
		reader->axis->scale = "log2";
	return 0;
}

/* ---- axes --------------------------------------------------------------------------------- */

static int take_key(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	return take_text(reader, key, value, &reader->axis->key);
}

static int take_label(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	return take_text(reader, key, value, &reader->axis->label);
}

static int take_unit(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	return take_text(reader, key, value, &reader->axis->unit);
}

static int take_scale(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	static const char *const scales[] = {"linear", "log2", "category"};

	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
		if (is_scalar(value) && !strcmp(text_of(value), scales[i])) {
			reader->axis->scale = scales[i];
			return 0;
		}
	return fail(reader, key, value, "not one of the choices", "linear, log2, category");
}

static const struct field axis_fields[] = {
	{"key", take_key},     {"values", take_values},
	{"range", take_range}, {"label", take_label},
	{"unit", take_unit},   {"powers_of_two", take_powers_of_two},
	{"scale", take_scale}, {NULL, NULL},
};

/* A key's ending says its unit. */
static const char *unit_of(const char *key)
{
	static const struct {
		const char *ending, *unit;
	} units[] = {
		{"_bytes_per_cycle", "bytes/cycle"},
		{"_percent", "%"},
		{"_bytes", "bytes"},
		{".bytes", "bytes"},
		{"_mhz", "MHz"},
		{"_hz", "Hz"},
		{"_ps", "ps"},
		{"_ns", "ns"},
		{"_us", "us"},
		{"_kib", "KiB"},
	};
	const size_t length = strlen(key);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		const size_t ending = strlen(units[i].ending);

		if (length >= ending && !strcmp(key + length - ending, units[i].ending))
			return units[i].unit;
	}
	return "";
}

static bool all_numbers(const struct sweep_axis *axis)
{
	for (unsigned int i = 0; i < axis->count; i++) {
		double number;
		const char *end = sweep_number(axis->values[i].value, &number);

		if (!end || *end)
			return false;
	}
	return true;
}

static int complete_axis(struct reader *reader, const yaml_node_t *node, struct sweep_axis *axis)
{
	struct sweep_file *file = reader->file;

	if (!axis->key)
		return sweep_file_error(file, line_of(node), "axes", NULL, "an axis without a key",
					"{key: ..., values: [...]}");
	if (!axis->values)
		return sweep_file_error(file, line_of(node), axis->key, NULL,
					"an axis without values",
					"one of values, range, powers_of_two");
	if (!axis->label)
		axis->label = axis->key;
	if (!axis->unit)
		axis->unit = unit_of(axis->key);
	if (!axis->scale)
		axis->scale = all_numbers(axis) ? "linear" : "category";
	for (unsigned int i = 0; i < axis->count; i++)
		axis->values[i].key = axis->key;
	return 0;
}

static int take_axis(struct reader *reader, const yaml_node_t *node, unsigned int zip)
{
	struct sweep_file *file = reader->file;
	struct sweep_axis *axis = &file->axes[file->axis_count++];

	axis->zip = zip;
	axis->line = line_of(node);
	if (node->type != YAML_MAPPING_NODE)
		return sweep_file_error(file, axis->line, "axes", text_of(node), "not an axis",
					"{key: ..., values: [...]}");
	reader->axis = axis;
	if (walk_fields(reader, node, axis_fields))
		return CLI_EXIT_USER_ERROR;
	return complete_axis(reader, node, axis);
}

/* `- zip: [...]`: the list of axes, or NULL for an axis of its own. */
static const yaml_node_t *zip_of(struct reader *reader, const yaml_node_t *node)
{
	const yaml_node_t *key;

	if (node->type != YAML_MAPPING_NODE || length_of(node) != 1)
		return NULL;
	key = node_of(reader, node->data.mapping.pairs.start->key);
	return strcmp(text_of(key), "zip") != 0
		       ? NULL
		       : node_of(reader, node->data.mapping.pairs.start->value);
}

static int take_zip(struct reader *reader, const yaml_node_t *list)
{
	struct sweep_file *file = reader->file;
	const struct sweep_axis *first = &file->axes[file->axis_count];

	reader->zips++;
	for (const yaml_node_item_t *item = list->data.sequence.items.start;
	     item < list->data.sequence.items.top; item++) {
		const struct sweep_axis *axis = &file->axes[file->axis_count];
		char reason[80];

		if (take_axis(reader, node_of(reader, *item), reader->zips))
			return CLI_EXIT_USER_ERROR;
		snprintf(reason, sizeof(reason), "%u values beside %u in the zipped axis before",
			 axis->count, first->count);
		if (axis->count != first->count)
			return sweep_file_error(file, axis->line, axis->key, NULL, reason,
						"as many");
	}
	return 0;
}

static int count_axes(struct reader *reader, const yaml_node_t *list, size_t *count)
{
	*count = 0;
	for (const yaml_node_item_t *item = list->data.sequence.items.start;
	     item < list->data.sequence.items.top; item++) {
		const yaml_node_t *node = node_of(reader, *item), *zip = zip_of(reader, node);

		if (zip && (zip->type != YAML_SEQUENCE_NODE || length_of(zip) < 2))
			return fail(reader, node_of(reader, node->data.mapping.pairs.start->key),
				    zip, "not a group of axes", "a list of two or more axes");
		*count += zip ? length_of(zip) : 1;
	}
	return 0;
}

static int take_axes(struct reader *reader, const yaml_node_t *key, const yaml_node_t *list)
{
	struct sweep_file *file = reader->file;
	size_t count;

	file->axes_line = line_of(key);
	if (list->type != YAML_SEQUENCE_NODE)
		return fail(reader, key, list, "not a list", "a list of axes");
	if (count_axes(reader, list, &count))
		return CLI_EXIT_USER_ERROR;
	file->axes = pool_alloc(&file->pool, count, sizeof(*file->axes));
	for (const yaml_node_item_t *item = list->data.sequence.items.start;
	     item < list->data.sequence.items.top; item++) {
		const yaml_node_t *node = node_of(reader, *item), *zip = zip_of(reader, node);

		if (zip ? take_zip(reader, zip) : take_axis(reader, node, 0))
			return CLI_EXIT_USER_ERROR;
	}
	return 0;
}

/* ---- settings and derived parameters ------------------------------------------------------- */

static size_t count_leaves(struct reader *reader, const yaml_node_t *mapping, unsigned int depth)
{
	size_t count = 0;

	for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *value = node_of(reader, pair->value);

		count += value->type == YAML_MAPPING_NODE && depth < DEPTH_MAX
				 ? count_leaves(reader, value, depth + 1)
				 : 1;
	}
	return count;
}

/* Nested mappings down to values, as in a platform file. */
static int walk_pairs(struct reader *reader, const yaml_node_t *mapping, const char *prefix,
		      unsigned int depth, struct sweep_pair *pairs, unsigned int *count)
{
	for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = node_of(reader, pair->key);
		const yaml_node_t *value = node_of(reader, pair->value);
		const char *name;

		if (check_key(reader, mapping, pair))
			return CLI_EXIT_USER_ERROR;
		name = pool_print(&reader->file->pool, "%s%s%s", prefix, *prefix ? "." : "",
				  text_of(key));
		if (value->type == YAML_MAPPING_NODE && depth < DEPTH_MAX) {
			if (walk_pairs(reader, value, name, depth + 1, pairs, count))
				return CLI_EXIT_USER_ERROR;
			continue;
		}
		if (!is_scalar(value))
			return fail(reader, key, value, "not a value", "a number or a name");
		pairs[*count] = pair_of(reader, name, value);
		pairs[(*count)++].line = line_of(key);
	}
	return 0;
}

static int take_pairs(struct reader *reader, const yaml_node_t *key, const yaml_node_t *mapping,
		      struct sweep_pair **pairs, unsigned int *count)
{
	if (mapping->type != YAML_MAPPING_NODE)
		return fail(reader, key, mapping, "not a mapping", "{key: value, ...}");
	*pairs = pool_alloc(&reader->file->pool, count_leaves(reader, mapping, 0), sizeof(**pairs));
	return walk_pairs(reader, mapping, "", 0, *pairs, count);
}

static int take_settings(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	struct sweep_file *file = reader->file;

	return take_pairs(reader, key, value, &file->settings, &file->setting_count);
}

static int take_derived(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	struct sweep_file *file = reader->file;

	return take_pairs(reader, key, value, &file->derived, &file->derived_count);
}

/* ---- the file's own keys ------------------------------------------------------------------- */

static int take_name(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	return take_text(reader, key, value, &reader->file->name);
}

static int take_description(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	return take_text(reader, key, value, &reader->file->description);
}

static int take_platform(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	if (!is_scalar(value) || !value->data.scalar.length)
		return fail(reader, key, value, "not a platform", "a name or a file");
	reader->file->platform = pair_of(reader, "platform", value);
	return 0;
}

static int take_workload(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	if (!is_scalar(value))
		return fail(reader, key, value, "not a workload", "a name");
	reader->file->workload = pair_of(reader, "workload", value);
	return 0;
}

static int take_repetitions(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	double number;

	if (take_whole(reader, key, value, 1, REPETITIONS_MAX, &number))
		return CLI_EXIT_USER_ERROR;
	reader->file->repetitions = (unsigned int)number;
	return 0;
}

static int take_seed(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	double number;

	if (take_whole(reader, key, value, 0, UINT32_MAX, &number))
		return CLI_EXIT_USER_ERROR;
	reader->file->seed = pair_of(reader, "machine.seed", value);
	return 0;
}

static const struct field file_fields[] = {
	{"name", take_name},	     {"description", take_description},
	{"platform", take_platform}, {"workload", take_workload},
	{"settings", take_settings}, {"axes", take_axes},
	{"derived", take_derived},   {"repetitions", take_repetitions},
	{"seed", take_seed},	     {NULL, NULL},
};

static int take_document(struct reader *reader)
{
	const yaml_node_t *root = yaml_document_get_root_node(&reader->document);

	if (!root || root->type != YAML_MAPPING_NODE)
		return sweep_file_error(reader->file, root ? line_of(root) : 1, "not a sweep file",
					NULL, "no mapping", "name, axes, ... (docs/sweeps.md)");
	return walk_fields(reader, root, file_fields);
}

/* ---- reading ------------------------------------------------------------------------------- */

static int fail_syntax(const struct reader *reader, const yaml_parser_t *parser)
{
	char text[160];

	snprintf(text, sizeof(text), "%s%s%s", parser->context ? parser->context : "",
		 parser->context ? ", " : "", parser->problem ? parser->problem : "unreadable");
	return sweep_file_error(reader->file, parser->problem_mark.line + 1, "not valid YAML", NULL,
				text, NULL);
}

/* A second document would be overlooked. */
static int check_end(const struct reader *reader, yaml_parser_t *parser)
{
	yaml_document_t more;
	const yaml_node_t *root;
	int status = 0;

	if (!yaml_parser_load(parser, &more))
		return fail_syntax(reader, parser);
	root = yaml_document_get_root_node(&more);
	if (root)
		status = sweep_file_error(reader->file, line_of(root), "a second document", NULL,
					  "not a sweep file", "one document");
	yaml_document_delete(&more);
	return status;
}

static int parse(struct reader *reader)
{
	const char *text = reader->file->text;
	yaml_parser_t parser;
	int status;

	if (!yaml_parser_initialize(&parser))
		return cli_user_error("out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	if (!yaml_parser_load(&parser, &reader->document)) {
		status = fail_syntax(reader, &parser);
	} else {
		status = take_document(reader);
		if (!status)
			status = check_end(reader, &parser);
		yaml_document_delete(&reader->document);
	}
	yaml_parser_delete(&parser);
	return status;
}

static int read_text(struct sweep_file *file)
{
	FILE *stream = fopen(file->path, "r");
	char *text = pool_alloc(&file->pool, FILE_BYTES_MAX + 2, 1);
	size_t length = 0;

	errno = stream ? 0 : errno;
	if (stream)
		length = fread(text, 1, FILE_BYTES_MAX + 1, stream);
	if (!stream || ferror(stream))
		cli_user_error("%s: %s (allowed: a readable file)", file->path, strerror(errno));
	else if (length > FILE_BYTES_MAX)
		cli_user_error("%s: too large (allowed: up to 1 MiB)", file->path);
	else if (strlen(text) != length)
		cli_user_error("%s: holds a null character (allowed: a text file)", file->path);
	else
		file->text = text;
	if (stream)
		fclose(stream);
	return file->text ? 0 : CLI_EXIT_USER_ERROR;
}

/* "dir/inflight.yaml" is named inflight. */
static const char *name_of(struct pool *pool, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	const char *dot = strrchr(base, '.');

	return pool_print(pool, "%.*s", dot && dot > base ? (int)(dot - base) : INT_MAX, base);
}

int sweep_file_read(struct sweep_file *file, const char *path)
{
	struct reader reader = {.file = file};

	*file = (struct sweep_file){.path = path, .repetitions = 1};
	if (read_text(file) || parse(&reader))
		return CLI_EXIT_USER_ERROR;
	if (!file->name)
		file->name = name_of(&file->pool, path);
	if (!file->description)
		file->description = "";
	if (!file->workload.value)
		file->workload.value = "copy";
	return 0;
}

void sweep_file_free(struct sweep_file *file)
{
	pool_free(&file->pool);
}
