/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Formulas of derived parameters, by recursive descent:
 *
 *     sum     = product {("+" | "-") product}
 *     product = factor {("*" | "/") factor}
 *     factor  = {"-"} (number | key | function "(" sum {"," sum} ")" | "(" sum ")")
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cli/sweep.h"

#define DEPTH_MAX  64
#define NAME_BYTES 128

struct parser {
	const char *at;
	sweep_lookup_fn lookup;
	void *arg;
	const char *wrong; /* NULL so far */
	unsigned int depth;
};

/* ---- numbers ------------------------------------------------------------------------------ */

const char *sweep_number(const char *text, double *value)
{
	static const struct {
		const char *name;
		int shift;
	} suffixes[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
	const char *digits = text + (*text == '-' || *text == '+');
	char *end;

	if (!isdigit((unsigned char)*digits) && *digits != '.')
		return NULL;
	*value = strtod(text, &end);
	if (end == text || !isfinite(*value))
		return NULL;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		const char *suffix = end + (*end == ' ');

		if (!strncmp(suffix, suffixes[i].name, 3)) {
			*value = ldexp(*value, suffixes[i].shift);
			return suffix + 3;
		}
	}
	return end;
}

char *sweep_number_text(struct pool *pool, double value)
{
	char text[32];

	if (value == floor(value) && fabs(value) < 0x1p53)
		return pool_print(pool, "%.0f", value);
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	return pool_copy(pool, text);
}

/* ---- formulas ------------------------------------------------------------------------------ */

static double sum(struct parser *parser);

/* The first mistake is the one that is told. */
static double fail(struct parser *parser, const char *wrong)
{
	if (!parser->wrong)
		parser->wrong = wrong;
	return 0;
}

/* Takes the character if it comes next. */
static bool take(struct parser *parser, char c)
{
	while (isspace((unsigned char)*parser->at))
		parser->at++;
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

static double function(struct parser *parser, const char *name)
{
	const bool is_min = !strcmp(name, "min"), is_max = !strcmp(name, "max");
	double value = sum(parser);

	if (!strcmp(name, "floor"))
		value = floor(value);
	else if (!strcmp(name, "ceil"))
		value = ceil(value);
	else if (!is_min && !is_max)
		return fail(parser, "no such function");
	while ((is_min || is_max) && take(parser, ',')) {
		const double other = sum(parser);

		value = is_min ? fmin(value, other) : fmax(value, other);
	}
	return take(parser, ')') ? value : fail(parser, "a ) is missing");
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static double name(struct parser *parser)
{
	char text[NAME_BYTES];
	size_t length = 0;
	double value = 0;

	while (in_name(*parser->at) && length < sizeof(text) - 1)
		text[length++] = *parser->at++;
	text[length] = '\0';
	if (take(parser, '('))
		return function(parser, text);
	if (!parser->wrong && !parser->lookup(parser->arg, text, &value))
		return fail(parser, "names what is no parameter with a number");
	return value;
}

static double unsigned_factor(struct parser *parser)
{
	const char *end;
	double value;

	if (take(parser, '(')) {
		value = sum(parser);
		return take(parser, ')') ? value : fail(parser, "a ) is missing");
	}
	if (isalpha((unsigned char)*parser->at))
		return name(parser);
	end = isdigit((unsigned char)*parser->at) ? sweep_number(parser->at, &value) : NULL;
	if (!end)
		return fail(parser, *parser->at ? "not a formula" : "ends too early");
	parser->at = end;
	return value;
}

static double factor(struct parser *parser)
{
	bool negative = false;

	while (take(parser, '-'))
		negative = !negative;
	return negative ? -unsigned_factor(parser) : unsigned_factor(parser);
}

static double product(struct parser *parser)
{
	double value = factor(parser);

	for (;;) {
		if (take(parser, '*')) {
			value *= factor(parser);
		} else if (take(parser, '/')) {
			const double divisor = factor(parser);

			if (divisor == 0)
				return fail(parser, "divides by zero");
			value /= divisor;
		} else {
			return value;
		}
	}
}

static double sum(struct parser *parser)
{
	double value;

	if (parser->depth == DEPTH_MAX)
		return fail(parser, "nested too deeply");
	parser->depth++;
	value = product(parser);
	for (;;) {
		if (take(parser, '+'))
			value += product(parser);
		else if (take(parser, '-'))
			value -= product(parser);
		else
			break;
	}
	parser->depth--;
	return value;
}

const char *sweep_expr(const char *text, sweep_lookup_fn lookup, void *arg, double *value)
{
	struct parser parser = {.at = text, .lookup = lookup, .arg = arg};

	*value = sum(&parser);
	if (!take(&parser, '\0'))
		fail(&parser, "not a formula");
	if (!isfinite(*value))
		fail(&parser, "out of range");
	return parser.wrong;
}
