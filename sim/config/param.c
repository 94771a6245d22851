/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parameter sets: the tables of all groups under their full keys, and the one setter that files
 * and the command line share. Nothing here is on a path that a simulation takes.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/param_internal.h"

static void *checked(void *p)
{
	if (!p) {
		fprintf(stderr, "svasim: out of memory for parameters\n");
		abort();
	}
	return p;
}

/* ---- errors ------------------------------------------------------------------------------- */

int param_fail(struct param_error *error, const struct param_source *source, const char *key,
	       const char *value, const char *reason, const char *allowed)
{
	char line[32] = "";

	if (source->line)
		snprintf(line, sizeof(line), ":%zu", source->line);
	snprintf(error->text, sizeof(error->text), "%s%s: %s%s%s: %s%s%s%s", source->name, line,
		 key, value ? ": " : "", value ? value : "", reason, allowed ? " (allowed: " : "",
		 allowed ? allowed : "", allowed ? ")" : "");
	return -1;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions and replacements that make one of the other; both at most 127 long. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[128], length = strlen(b);

	if (strlen(a) >= 128 || length >= 128)
		return SIZE_MAX / 2;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = min_size(replaced, min_size(row[j], row[j - 1]) + 1);
		}
	}
	return row[length];
}

/* The key that was probably meant, or NULL. A key without its group counts as near. */
static const char *nearest_key(const struct param_set *set, const char *key)
{
	size_t best = strlen(key) / 3 + 1;
	const char *found = NULL;

	for (size_t i = 0; i < set->entry_count; i++) {
		const struct param_entry *entry = &set->entries[i];
		size_t distance = edit_distance(key, entry->key);

		if (!strchr(key, '.'))
			distance = min_size(distance, edit_distance(key, entry->desc->key));
		if (distance <= best && (!found || distance < best)) {
			best = distance;
			found = entry->key;
		}
	}
	return found;
}

static int fail_unknown_key(const struct param_set *set, const struct param_source *source,
			    const char *key, const char *text, struct param_error *error)
{
	const char *nearest = nearest_key(set, key);
	char reason[256] = "unknown key";

	if (nearest)
		snprintf(reason, sizeof(reason), "unknown key, did you mean %s?", nearest);
	return param_fail(error, source, key, text, reason, "what 'svasim list params' shows");
}

/* ---- the set ------------------------------------------------------------------------------ */

struct param_entry *param_find(const struct param_set *set, const char *key)
{
	for (size_t i = 0; i < set->entry_count; i++) {
		if (!strcmp(set->entries[i].key, key))
			return &set->entries[i];
	}
	return NULL;
}

bool param_is_group(const struct param_set *set, const char *key)
{
	size_t length = strlen(key);

	for (size_t i = 0; i < set->entry_count; i++) {
		if (!strncmp(set->entries[i].key, key, length) &&
		    set->entries[i].key[length] == '.')
			return true;
	}
	return false;
}

static void *field_of(const struct param_entry *entry)
{
	return (char *)entry->group->values + entry->desc->offset;
}

static void store(struct param_entry *entry, union param_value value)
{
	void *field = field_of(entry);

	switch (entry->desc->type) {
	case PARAM_U64:
		*(uint64_t *)field = value.u;
		break;
	case PARAM_U32:
	case PARAM_ENUM:
		*(uint32_t *)field = (uint32_t)value.u;
		break;
	case PARAM_BOOL:
		*(bool *)field = value.u != 0;
		break;
	case PARAM_F64:
		*(double *)field = value.f;
		break;
	case PARAM_STRING: {
		char *copy = checked(strdup(value.s ? value.s : ""));

		free(entry->string); /* after the copy: the value may be the old string */
		entry->string = copy;
		*(const char **)field = copy;
		break;
	}
	}
}

static union param_value load(const struct param_entry *entry)
{
	const void *field = field_of(entry);
	union param_value value = {0};

	switch (entry->desc->type) {
	case PARAM_U64:
		value.u = *(const uint64_t *)field;
		break;
	case PARAM_U32:
	case PARAM_ENUM:
		value.u = *(const uint32_t *)field;
		break;
	case PARAM_BOOL:
		value.u = *(const bool *)field;
		break;
	case PARAM_F64:
		value.f = *(const double *)field;
		break;
	case PARAM_STRING:
		value.s = *(const char *const *)field;
		break;
	}
	return value;
}

/* A default that the setter would refuse is a mistake in its table. */
static bool default_is_allowed(const struct param_desc *desc)
{
	char text[PARAM_VALUE_MAX];
	union param_value value = param_value_default(desc);

	if (desc->type == PARAM_ENUM && !desc->choices[value.u])
		return false;
	param_value_format(desc, value, text, sizeof(text));
	return !param_value_parse(desc, text, &value);
}

static void add_entry(struct param_set *set, const struct param_group *group,
		      const struct param_desc *desc)
{
	size_t size = strlen(group->prefix) + strlen(desc->key) + 2;
	char *key = checked(malloc(size));

	snprintf(key, size, "%s%s%s", group->prefix, *group->prefix ? "." : "", desc->key);
	if (param_find(set, key) || !default_is_allowed(desc)) {
		fprintf(stderr, "svasim: parameter table: %s: %s\n", key,
			param_find(set, key) ? "declared twice" : "default not allowed");
		abort();
	}
	set->entries[set->entry_count] = (struct param_entry){group, desc, key, NULL, 0, 0};
	store(&set->entries[set->entry_count++], param_value_default(desc));
}

struct param_set *param_set_new(const struct param_group *groups, size_t count)
{
	struct param_set *set = checked(calloc(1, sizeof(*set)));
	size_t entries = 0;

	set->groups = checked(calloc(count + 1, sizeof(*groups)));
	memcpy(set->groups, groups, count * sizeof(*groups));
	set->group_count = count;
	for (size_t i = 0; i < count; i++)
		entries += groups[i].count;
	set->entries = checked(calloc(entries + 1, sizeof(*set->entries)));
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < groups[i].count; j++)
			add_entry(set, &set->groups[i], &groups[i].descs[j]);
	}
	set->description = checked(strdup(""));
	return set;
}

void param_set_free(struct param_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->entry_count; i++) {
		free(set->entries[i].key);
		free(set->entries[i].string);
	}
	free(set->entries);
	free(set->groups);
	free(set->description);
	free(set);
}

/* ---- setting and showing ------------------------------------------------------------------ */

int param_set_text(struct param_set *set, const struct param_source *source, const char *key,
		   const char *text, struct param_error *error)
{
	struct param_entry *entry = param_find(set, key);
	char allowed[PARAM_VALUE_MAX];
	union param_value value;
	const char *wrong;

	if (!entry)
		return fail_unknown_key(set, source, key, text, error);
	wrong = param_value_parse(entry->desc, text, &value);
	if (wrong) {
		param_value_allowed(entry->desc, allowed, sizeof(allowed));
		return param_fail(error, source, key, text, wrong, allowed);
	}
	store(entry, value);
	return 0;
}

int param_assign(struct param_set *set, const char *where, const char *assignment,
		 struct param_error *error)
{
	const struct param_source source = {where, 0};
	const char *equals = strchr(assignment, '=');
	char *key;
	int result;

	if (!equals || equals == assignment)
		return param_fail(error, &source, assignment, NULL, "not an assignment",
				  "key=value");
	key = checked(strndup(assignment, (size_t)(equals - assignment)));
	result = param_set_text(set, &source, key, equals + 1, error);
	free(key);
	return result;
}

const char *param_format(const struct param_set *set, const char *key, char *buf, size_t size)
{
	const struct param_entry *entry = param_find(set, key);

	if (!entry)
		return NULL;
	param_value_format(entry->desc, load(entry), buf, size);
	return buf;
}

void param_visit(const struct param_set *set, param_visit_fn fn, void *arg)
{
	char value[PARAM_VALUE_MAX], by_default[PARAM_VALUE_MAX], allowed[PARAM_VALUE_MAX];

	for (size_t i = 0; i < set->entry_count; i++) {
		const struct param_entry *entry = &set->entries[i];

		param_value_format(entry->desc, load(entry), value, sizeof(value));
		param_value_format(entry->desc, param_value_default(entry->desc), by_default,
				   sizeof(by_default));
		param_value_allowed(entry->desc, allowed, sizeof(allowed));
		fn(arg, entry->key, entry->desc, value, by_default, allowed);
	}
}

const char *param_description(const struct param_set *set)
{
	return set->description;
}
