/* SPDX-License-Identifier: BSD-3-Clause */
/* Every parameter says what it is: its unit, what it may be, what it does, and where its default comes from. */
#include <check.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/platform/platform.h"

/* Units of times, sizes and rates: a help text that says "in UNIT" has a key that ends so. */
static const char *const units[] = {"ps",      "ns",   "us",	  "ms",	    "bytes",
				    "percent", "bits", "entries", "cycles", "mhz"};
/* A key with one of these words is a time or a size, and must end in a unit. */
static const char *const dimensions[] = {"latency", "delay", "timeout", "interval",
					 "period",  "size",  "time",	"length"};
/* "in entries" is a count that keys name in their own ways. */
static const char counted[] = "entries";

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Whether the word is one of the key's, which are joined by _ and dots. */
static bool has_word(const char *key, const char *word)
{
	for (const char *at = key;; at++) {
		const size_t length = strcspn(at, "_.");

		if (length == strlen(word) && !strncmp(at, word, length))
			return true;
		at += length;
		if (!*at)
			return false;
	}
}

static bool ends_in_unit(const char *key, const char *unit)
{
	const size_t key_length = strlen(key), length = strlen(unit);

	return key_length >= length && !strcmp(key + key_length - length, unit) &&
	       (key_length == length || strchr("_.", key[key_length - length - 1]));
}

/* "…, in ns": the unit that the help names; NULL if none. */
static const char *unit_in_help(const char *help)
{
	char phrase[16];

	for (size_t i = 0; i < COUNT(units); i++) {
		const char *at;

		snprintf(phrase, sizeof(phrase), ", in %s", units[i]);
		at = strstr(help, phrase);
		if (at && !isalnum((unsigned char)at[strlen(phrase)]))
			return units[i];
	}
	return NULL;
}

static bool is_number(const struct param_desc *desc)
{
	return desc->type == PARAM_U32 || desc->type == PARAM_U64 || desc->type == PARAM_F64;
}

static const char *unit_missing(const struct param_desc *desc)
{
	const char *unit = unit_in_help(desc->help);
	bool any = false;

	if (unit && strcmp(unit, counted) && !ends_in_unit(desc->key, unit))
		return "its unit is in the help and not in the name";
	for (size_t i = 0; i < COUNT(units); i++)
		any |= ends_in_unit(desc->key, units[i]);
	for (size_t i = 0; i < COUNT(dimensions) && !any; i++)
		if (has_word(desc->key, dimensions[i]))
			return "a time or a size has no unit in its name";
	return NULL;
}

static const char *number_missing(const struct param_desc *desc)
{
	const double value = desc->type == PARAM_F64 ? desc->def.f : (double)desc->def.u;

	if (!isfinite(desc->min) || !isfinite(desc->max) || desc->min >= desc->max)
		return "no range";
	if (value < desc->min || value > desc->max)
		return "its default is out of range";
	return unit_missing(desc);
}

static const char *choice_missing(const struct param_desc *desc)
{
	if (!desc->choices || !desc->choices[0])
		return "no choices";
	for (const char *const *choice = desc->choices; *choice; choice++)
		if (!strcmp(*choice, desc->def.s))
			return NULL;
	return "its default is none of its choices";
}

/* What the parameter lacks; NULL: nothing. */
static const char *missing(const struct param_desc *desc)
{
	if (!desc->help || !*desc->help)
		return "no help";
	if (strchr(desc->help, '\n'))
		return "its help is more than a line";
	if (!desc->origin || !*desc->origin)
		return "no origin";
	if (is_number(desc))
		return number_missing(desc);
	return desc->type == PARAM_ENUM ? choice_missing(desc) : NULL;
}

static void check_param(void *arg, const char *key, const struct param_desc *desc,
			const char *value, const char *default_value, const char *allowed)
{
	const char *what = missing(desc);

	(void)value;
	(void)default_value;
	ck_assert_msg(!what, "%s: %s", key, what);
	ck_assert_msg(*allowed, "%s: nothing says what is allowed", key);
	++*(unsigned int *)arg;
}

START_TEST(test_every_parameter_has_unit_range_help_and_origin)
{
	unsigned int machine = 0;
	struct platform_config *config = platform_config_new(NULL);

	param_visit(config->params, check_param, &machine);
	ck_assert_uint_gt(machine, 80);
	platform_config_free(config);
	for (const struct workload *const *w = platform_workloads(); *w; w++) {
		unsigned int all = 0;

		config = platform_config_new(*w);
		param_visit(config->params, check_param, &all);
		ck_assert_uint_ge(all, machine);
		platform_config_free(config);
	}
}
END_TEST

#define NUMBER(key_, help_, origin_, def_, max_)                                                   \
	{                                                                                          \
		.key = (key_), .type = PARAM_U32, .def.u = (def_), .min = 0, .max = (max_),        \
		.help = (help_), .origin = (origin_)                                               \
	}
#define NAMED(key) NUMBER(key, "what it is", "assumed", 0, 10)

static const char *const no_choices[] = {NULL};
static const char *const two_choices[] = {"one", "two", NULL};

/* The check itself: each of these lacks one thing. */
static const struct param_desc bad[] = {
	NUMBER("slots", "", "assumed", 0, 10),
	NUMBER("slots", NULL, "assumed", 0, 10),
	NUMBER("slots", "two\nlines", "assumed", 0, 10),
	NUMBER("slots", "what it is", NULL, 0, 10),
	NUMBER("slots", "what it is", "assumed", 0, 0),
	NUMBER("slots", "what it is", "assumed", 11, 10),
	NUMBER("walk", "a walk, in ns", "assumed", 0, 10),
	NUMBER("walk_us", "a walk, in ns", "assumed", 0, 10),
	NAMED("walk_latency"),
	NAMED("fault.delay"),
	NAMED("line_size"),
	{.key = "mode", .type = PARAM_ENUM, .choices = no_choices, .help = "h", .origin = "o"},
	{.key = "mode",
	 .type = PARAM_ENUM,
	 .choices = two_choices,
	 .def.s = "three",
	 .help = "h",
	 .origin = "o"},
};

START_TEST(test_what_lacks_one_is_noticed)
{
	ck_assert_msg(missing(&bad[_i]), "%s", bad[_i].key);
}
END_TEST

static const struct param_desc good[] = {
	NAMED("slots"),
	NAMED("ns"),
	NAMED("walk_latency_ns"),
	NUMBER("fault.extra_ns", "added to a fault, in ns", "assumed", 0, 10),
	NUMBER("depth_max", "of a ring, in entries", "assumed", 0, 10),
	{.key = "mode",
	 .type = PARAM_ENUM,
	 .choices = two_choices,
	 .def.s = "two",
	 .help = "h",
	 .origin = "o"},
	{.key = "on", .type = PARAM_BOOL, .help = "h", .origin = "o"},
};

START_TEST(test_what_has_all_is_accepted)
{
	ck_assert_msg(!missing(&good[_i]), "%s: %s", good[_i].key, missing(&good[_i]));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("params");
	TCase *tcase = tcase_create("params");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_every_parameter_has_unit_range_help_and_origin);
	tcase_add_loop_test(tcase, test_what_lacks_one_is_noticed, 0, (int)COUNT(bad));
	tcase_add_loop_test(tcase, test_what_has_all_is_accepted, 0, (int)COUNT(good));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
