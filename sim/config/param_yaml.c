/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parameter files: YAML of nested mappings down to scalars, read with libyaml's document loader,
 * whose nodes know their lines.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "sim/config/param_internal.h"

#define KEY_MAX	  256
#define DEPTH_MAX 16 /* of mappings; also ends an alias that contains itself */

/* A file being read, and the file that includes it. */
struct reader {
	struct param_set *set;
	struct param_error *error;
	const char *path;
	char *real_path;
	const struct reader *parent;
	unsigned int number; /* of the file, from 1 */
	yaml_document_t document;
};

static int read_file(struct param_set *set, const char *path, const struct reader *parent,
		     const struct param_source *source, struct param_error *error);

static struct param_source source_of(const struct reader *reader, const yaml_node_t *node)
{
	return (struct param_source){reader->path, node->start_mark.line + 1};
}

/* A node's value for a message. */
static const char *value_text(const yaml_node_t *node)
{
	if (node->type == YAML_SCALAR_NODE)
		return (const char *)node->data.scalar.value;
	return node->type == YAML_MAPPING_NODE ? "{...}" : "[...]";
}

static int fail_at(const struct reader *reader, const yaml_node_t *key_node, const char *key,
		   const yaml_node_t *value, const char *reason, const char *allowed)
{
	const struct param_source source = source_of(reader, key_node);

	return param_fail(reader->error, &source, key, value ? value_text(value) : NULL, reason,
			  allowed);
}

static bool is_scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE &&
	       strlen((const char *)node->data.scalar.value) == node->data.scalar.length;
}

/* `smmu:` with nothing below it. */
static bool is_empty(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && !node->data.scalar.length &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* ---- one key ------------------------------------------------------------------------------ */

static int set_scalar(struct reader *reader, const yaml_node_t *key_node, const char *key,
		      const yaml_node_t *value)
{
	const struct param_source source = source_of(reader, key_node);
	struct param_entry *entry = param_find(reader->set, key);
	char reason[64];

	if (!entry && param_is_group(reader->set, key)) {
		if (is_empty(value))
			return 0;
		return fail_at(reader, key_node, key, value, "a group, not a parameter",
			       "a mapping of its parameters");
	}
	/* The same parameter by two spellings: `a: {b: 1}` and `a.b: 2`. */
	if (entry && entry->file == reader->number) {
		snprintf(reason, sizeof(reason), "duplicate key, first on line %zu", entry->line);
		return fail_at(reader, key_node, key, value, reason, NULL);
	}
	if (entry) {
		entry->file = reader->number;
		entry->line = source.line;
	}
	return param_set_text(reader->set, &source, key, value_text(value), reader->error);
}

/* A list or a mapping where a parameter stands. */
static int fail_not_scalar(struct reader *reader, const yaml_node_t *key_node, const char *key,
			   const yaml_node_t *value)
{
	const struct param_entry *entry = param_find(reader->set, key);
	const char *reason =
		value->type == YAML_MAPPING_NODE ? "a mapping, not a value" : "a list, not a value";
	char allowed[PARAM_VALUE_MAX];

	if (!entry)
		return fail_at(reader, key_node, key, value, reason, "nested mappings of values");
	param_value_allowed(entry->desc, allowed, sizeof(allowed));
	return fail_at(reader, key_node, key, value, reason, allowed);
}

static int walk_mapping(struct reader *reader, const yaml_node_t *mapping, const char *prefix,
			unsigned int depth);

static int walk_pair(struct reader *reader, const yaml_node_t *key_node, const char *key,
		     unsigned int depth, const yaml_node_t *value)
{
	if (value->type == YAML_SCALAR_NODE) {
		if (!is_scalar(value))
			return fail_at(reader, key_node, key, value, "holds a null character",
				       NULL);
		return set_scalar(reader, key_node, key, value);
	}
	if (value->type == YAML_SEQUENCE_NODE || param_find(reader->set, key))
		return fail_not_scalar(reader, key_node, key, value);
	if (depth == DEPTH_MAX)
		return fail_at(reader, key_node, key, value, "nested too deeply", NULL);
	return walk_mapping(reader, value, key, depth + 1);
}

/* ---- mappings ----------------------------------------------------------------------------- */

static const yaml_node_t *node_of(struct reader *reader, int index)
{
	return yaml_document_get_node(&reader->document, index);
}

static bool is_reserved(const char *key, unsigned int depth)
{
	return depth == 0 && (!strcmp(key, "description") || !strcmp(key, "include"));
}

/* Whether an earlier key of the mapping has the same name; libyaml does not say. */
static int check_duplicate(struct reader *reader, const yaml_node_t *mapping,
			   const yaml_node_pair_t *pair, const char *full_key)
{
	const yaml_node_t *key = node_of(reader, pair->key);
	char reason[64];

	for (const yaml_node_pair_t *other = mapping->data.mapping.pairs.start; other < pair;
	     other++) {
		const yaml_node_t *other_key = node_of(reader, other->key);

		if (strcmp(value_text(other_key), value_text(key)) != 0)
			continue;
		snprintf(reason, sizeof(reason), "duplicate key, first on line %zu",
			 other_key->start_mark.line + 1);
		return fail_at(reader, key, full_key, node_of(reader, pair->value), reason, NULL);
	}
	return 0;
}

static int walk_mapping(struct reader *reader, const yaml_node_t *mapping, const char *prefix,
			unsigned int depth)
{
	char full_key[KEY_MAX];

	for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
	     pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = node_of(reader, pair->key);
		const yaml_node_t *value = node_of(reader, pair->value);
		int length;

		if (!is_scalar(key))
			return fail_at(reader, key, value_text(key), NULL, "cannot be a key",
				       "a name");
		length = snprintf(full_key, sizeof(full_key), "%s%s%s", prefix, *prefix ? "." : "",
				  value_text(key));
		if (length >= KEY_MAX)
			return fail_at(reader, key, full_key, NULL, "key is too long", NULL);
		if (check_duplicate(reader, mapping, pair, full_key))
			return -1;
		if (!is_reserved(full_key, depth) && walk_pair(reader, key, full_key, depth, value))
			return -1;
	}
	return 0;
}

/* ---- a file's own keys -------------------------------------------------------------------- */

static char *sibling_path(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash && name[0] != '/' ? (size_t)(slash - path) + 1 : 0;
	size_t size = folder + strlen(name) + 1;
	char *joined = malloc(size);

	if (joined)
		snprintf(joined, size, "%.*s%s", (int)folder, path, name);
	return joined;
}

static int include_file(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	struct param_source source = source_of(reader, key);
	char *path;
	int result;

	if (!is_scalar(value) || !value->data.scalar.length)
		return fail_at(reader, key, "include", value, "not a file name",
			       "a path relative to this file");
	path = sibling_path(reader->path, value_text(value));
	if (!path)
		return fail_at(reader, key, "include", value, "out of memory", NULL);
	result = read_file(reader->set, path, reader, &source, reader->error);
	free(path);
	return result;
}

static int take_description(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	char *text;

	if (!is_scalar(value))
		return fail_at(reader, key, "description", value, "not a text", "text");
	if (reader->parent)
		return 0; /* an included file's describes that file */
	text = strdup(value_text(value));
	if (!text)
		return fail_at(reader, key, "description", NULL, "out of memory", NULL);
	free(reader->set->description);
	reader->set->description = text;
	return 0;
}

/* Before the parameters, so that the file overrides what it includes. */
static int apply_own_keys(struct reader *reader, const yaml_node_t *root)
{
	for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     pair < root->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = node_of(reader, pair->key);
		const yaml_node_t *value = node_of(reader, pair->value);

		if (!strcmp(value_text(key), "include") && include_file(reader, key, value))
			return -1;
		if (!strcmp(value_text(key), "description") && take_description(reader, key, value))
			return -1;
	}
	return 0;
}

static int apply_document(struct reader *reader)
{
	const yaml_node_t *root = yaml_document_get_root_node(&reader->document);

	if (!root || is_empty(root))
		return 0; /* an empty file changes nothing */
	if (root->type != YAML_MAPPING_NODE)
		return fail_at(reader, root, value_text(root), NULL, "not a parameter file",
			       "nested mappings of values");
	if (apply_own_keys(reader, root))
		return -1;
	return walk_mapping(reader, root, "", 0);
}

/* ---- files -------------------------------------------------------------------------------- */

static int fail_syntax(struct reader *reader, const yaml_parser_t *parser)
{
	struct param_source source = {reader->path, parser->problem_mark.line + 1};
	char text[128];

	snprintf(text, sizeof(text), "%s%s%s", parser->context ? parser->context : "",
		 parser->context ? ", " : "", parser->problem ? parser->problem : "unreadable");
	return param_fail(reader->error, &source, "not valid YAML", NULL, text, NULL);
}

/* There must be one document: a second one's values would be overlooked. */
static int check_end(struct reader *reader, yaml_parser_t *parser)
{
	yaml_document_t more;
	const yaml_node_t *root;
	int result = 0;

	if (!yaml_parser_load(parser, &more))
		return fail_syntax(reader, parser);
	root = yaml_document_get_root_node(&more);
	if (root)
		result = fail_at(reader, root, "a second document", NULL, "not a parameter file",
				 "one document");
	yaml_document_delete(&more);
	return result;
}

static int parse(struct reader *reader, FILE *file)
{
	yaml_parser_t parser;
	int result;

	if (!yaml_parser_initialize(&parser)) {
		struct param_source source = {reader->path, 0};

		return param_fail(reader->error, &source, "out of memory", NULL, "not read", NULL);
	}
	yaml_parser_set_input_file(&parser, file);
	if (!yaml_parser_load(&parser, &reader->document)) {
		result = fail_syntax(reader, &parser);
	} else {
		result = apply_document(reader);
		if (!result && yaml_document_get_root_node(&reader->document))
			result = check_end(reader, &parser);
		yaml_document_delete(&reader->document);
	}
	yaml_parser_delete(&parser);
	return result;
}

static bool includes_itself(const struct reader *reader)
{
	for (const struct reader *r = reader->parent; r; r = r->parent) {
		if (r->real_path && reader->real_path && !strcmp(r->real_path, reader->real_path))
			return true;
	}
	return false;
}

/* The file that cannot be had is named by the line that includes it, if one does. */
static int fail_open(const struct reader *reader, const struct param_source *source,
		     const char *reason)
{
	const struct param_source self = {reader->path, 0};

	if (source)
		return param_fail(reader->error, source, "include", reader->path, reason,
				  "a readable file");
	return param_fail(reader->error, &self, "cannot be read", NULL, reason, NULL);
}

static FILE *open_regular(const char *path)
{
	FILE *file = fopen(path, "r");
	struct stat status;

	if (file && !fstat(fileno(file), &status) && S_ISDIR(status.st_mode)) {
		fclose(file);
		file = NULL;
		errno = EISDIR;
	}
	return file;
}

static int read_file(struct param_set *set, const char *path, const struct reader *parent,
		     const struct param_source *source, struct param_error *error)
{
	struct reader reader = {.set = set,
				.error = error,
				.path = path,
				.parent = parent,
				.number = ++set->files_read};
	FILE *file = open_regular(path);
	int result;

	if (!file)
		return fail_open(&reader, source, strerror(errno));
	reader.real_path = realpath(path, NULL);
	if (includes_itself(&reader))
		result = fail_open(&reader, source, "includes itself");
	else
		result = parse(&reader, file);
	free(reader.real_path);
	fclose(file);
	return result;
}

int param_load_yaml(struct param_set *set, const char *path, struct param_error *error)
{
	set->description[0] = '\0';
	return read_file(set, path, NULL, NULL, error);
}
