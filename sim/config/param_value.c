/* SPDX-License-Identifier: BSD-3-Clause */
/* The text form of one parameter's value: read, written, and what is allowed for it. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/config/param_internal.h"

/* The range's ends are doubles; 2^64 stands for the largest uint64_t. */
static uint64_t to_u64(double d)
{
	return d >= 18446744073709551616.0 ? UINT64_MAX : (uint64_t)d;
}

static uint64_t largest(const struct param_desc *desc)
{
	uint64_t max = to_u64(desc->max);

	return desc->type == PARAM_U32 && max > UINT32_MAX ? UINT32_MAX : max;
}

/* Bits to shift by, or -1. */
static int suffix_shift(const char *suffix)
{
	static const struct {
		const char *name;
		int shift;
	} suffixes[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (!strcmp(suffix, suffixes[i].name))
			return suffixes[i].shift;
	}
	return -1;
}

static const char *parse_integer(const struct param_desc *desc, const char *text, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end;
	int shift;

	if (!isdigit((unsigned char)text[0]) || (hex && !isxdigit((unsigned char)text[2])))
		return "not a whole number";
	errno = 0;
	*value = strtoull(text, &end, hex ? 16 : 10);
	if (errno)
		return "out of range";
	while (*end == ' ')
		end++;
	shift = suffix_shift(end);
	if (shift < 0)
		return "not a whole number";
	if (*value > UINT64_MAX >> shift)
		return "out of range";
	*value <<= shift;
	if (*value < to_u64(desc->min) || *value > largest(desc))
		return "out of range";
	if (desc->power_of_two && (*value & (*value - 1)))
		return "not a power of two";
	return NULL;
}

static const char *parse_float(const struct param_desc *desc, const char *text, double *value)
{
	char *end;

	if (!isdigit((unsigned char)text[0]) && !strchr("+-.", text[0]))
		return "not a number";
	*value = strtod(text, &end);
	if (end == text || *end || !isfinite(*value))
		return "not a number";
	if (*value < desc->min || *value > desc->max)
		return "out of range";
	return NULL;
}

static const char *parse_bool(const char *text, uint64_t *value)
{
	static const char *const names[] = {"false", "true", "no", "yes", "off", "on"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcasecmp(text, names[i])) {
			*value = i % 2;
			return NULL;
		}
	}
	return "not a truth value";
}

static const char *parse_enum(const struct param_desc *desc, const char *text, uint64_t *value)
{
	for (*value = 0; desc->choices[*value]; ++*value) {
		if (!strcmp(text, desc->choices[*value]))
			return NULL;
	}
	return "not one of the choices";
}

const char *param_value_parse(const struct param_desc *desc, const char *text,
			      union param_value *value)
{
	switch (desc->type) {
	case PARAM_U64:
	case PARAM_U32:
		return *text ? parse_integer(desc, text, &value->u) : "no value";
	case PARAM_BOOL:
		return *text ? parse_bool(text, &value->u) : "no value";
	case PARAM_ENUM:
		return parse_enum(desc, text, &value->u);
	case PARAM_F64:
		return *text ? parse_float(desc, text, &value->f) : "no value";
	case PARAM_STRING:
		value->s = text;
		return NULL;
	}
	return "of an unknown type";
}

/* The shortest form that reads back as the same number. */
static void format_float(double value, char *buf, size_t size)
{
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(buf, size, "%.*g", digits, value);
		if (!(strtod(buf, NULL) < value) && !(strtod(buf, NULL) > value))
			return;
	}
}

void param_value_format(const struct param_desc *desc, union param_value value, char *buf,
			size_t size)
{
	switch (desc->type) {
	case PARAM_U64:
	case PARAM_U32:
		snprintf(buf, size, "%llu", (unsigned long long)value.u);
		break;
	case PARAM_BOOL:
		snprintf(buf, size, "%s", value.u ? "true" : "false");
		break;
	case PARAM_ENUM:
		snprintf(buf, size, "%s", desc->choices[value.u]);
		break;
	case PARAM_F64:
		format_float(value.f, buf, size);
		break;
	case PARAM_STRING:
		snprintf(buf, size, "%s", value.s ? value.s : "");
		break;
	}
}

static void list_choices(const struct param_desc *desc, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; desc->choices[i] && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "",
					 desc->choices[i]);
}

void param_value_allowed(const struct param_desc *desc, char *buf, size_t size)
{
	char min[64], max[64];

	switch (desc->type) {
	case PARAM_U64:
	case PARAM_U32:
		snprintf(buf, size, "%s%llu..%llu", desc->power_of_two ? "powers of two, " : "",
			 (unsigned long long)to_u64(desc->min), (unsigned long long)largest(desc));
		break;
	case PARAM_BOOL:
		snprintf(buf, size, "true, false, yes, no, on, off");
		break;
	case PARAM_ENUM:
		list_choices(desc, buf, size);
		break;
	case PARAM_F64:
		format_float(desc->min, min, sizeof(min));
		format_float(desc->max, max, sizeof(max));
		snprintf(buf, size, "%s..%s", min, max);
		break;
	case PARAM_STRING:
		snprintf(buf, size, "text");
		break;
	}
}

union param_value param_value_default(const struct param_desc *desc)
{
	union param_value value = {0};

	if (desc->type == PARAM_ENUM) {
		parse_enum(desc, desc->def.s, &value.u);
		return value;
	}
	if (desc->type == PARAM_F64)
		value.f = desc->def.f;
	else if (desc->type == PARAM_STRING)
		value.s = desc->def.s;
	else
		value.u = desc->def.u;
	return value;
}
