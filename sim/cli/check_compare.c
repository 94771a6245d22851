/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What differs between a baseline and results.
 *
 * Simulated results are exact, so any difference counts. Two things give room. Tolerances of the
 * baseline: the first whose pattern matches. And where another compiler, other flags or another
 * kernel made the results, the kernel's code has other basic blocks, and so other times: these
 * then have a tolerance of their own, while counts stay exact.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "sim/cli/check.h"
#include "sim/platform/platform.h"

#define PERCENT_OF_NOTHING 1e9 /* the change of a metric that was 0 */

/* ---- counts and times ---------------------------------------------------------------------- */

/* stats_visit_fn */
static void note_unit(void *arg, const char *name, const char *unit, const char *help)
{
	(void)help;
	json_object_set_new(arg, name, json_string(unit));
}

/* Units by name: the metric table of the largest machine. */
static json_t *read_units(void)
{
	struct platform_config *config = platform_config_new(NULL);
	json_t *units = json_object();

	config->machine.accelerators = MACHINE_MAX_ACCELERATORS;
	platform_list_metrics(config, note_unit, units);
	platform_config_free(config);
	return units;
}

/*
 * A time, or what is worked out from times: rates, and what is no whole number, shares and averages over time. Kernel time is
 * made of basic blocks, so that they are one, too.
 */
static bool is_time(const json_t *units, const char *metric, const json_t *value)
{
	static const char *const time_units[] = {"ns", "ps", "1/s", "bytes/s"};
	const char *unit = json_string_value(json_object_get(units, metric));

	if (!json_is_integer(value) || !strcmp(metric, "kernel.blocks"))
		return true;
	for (size_t i = 0; unit && i < sizeof(time_units) / sizeof(time_units[0]); i++)
		if (!strcmp(unit, time_units[i]))
			return true;
	return !unit && strstr(metric, "_ps") != NULL;
}

/* ---- tolerances ---------------------------------------------------------------------------- */

/* Of the first pattern that matches; negative: the metric is not looked at. */
static double tolerance_percent(const json_t *baseline, const char *metric)
{
	json_t *tolerance;
	size_t i;

	json_array_foreach(json_object_get(baseline, "tolerances"), i, tolerance)
	{
		const json_t *pattern = json_object_get(tolerance, "metrics");
		const json_t *percent = json_object_get(tolerance, "percent");

		if (!fnmatch(json_string_value(pattern), metric, 0))
			return percent ? json_number_value(percent) : -1;
	}
	return 0;
}

static double change_percent(const json_t *before, const json_t *now)
{
	const double a = json_number_value(before);
	double difference = json_number_value(now) - a;

	/* exactly, also where doubles are not */
	if (json_is_integer(before) && json_is_integer(now))
		difference = (double)(json_integer_value(now) - json_integer_value(before));
	if (difference == 0)
		return 0;
	if (a == 0)
		return difference > 0 ? PERCENT_OF_NOTHING : -PERCENT_OF_NOTHING;
	return 100 * difference / (a < 0 ? -a : a);
}

/* ---- comparing ----------------------------------------------------------------------------- */

struct context {
	struct check_comparison *comparison;
	const json_t *baseline;
	json_t *units;
	const char *point;
};

static void add(struct check_comparison *comparison, struct check_change change)
{
	if (comparison->count == comparison->room) {
		const size_t room = 2 * comparison->room + 64;
		struct check_change *more = pool_alloc(&comparison->pool, room, sizeof(*more));

		if (comparison->count)
			memcpy(more, comparison->changes, comparison->count * sizeof(*more));
		comparison->changes = more;
		comparison->room = room;
	}
	comparison->changes[comparison->count++] = change;
}

static void compare_metric(const struct context *context, const char *metric, const json_t *before,
			   const json_t *now)
{
	struct check_comparison *comparison = context->comparison;
	struct check_change change = {.kind = now ? CHECK_CHANGED : CHECK_METRIC_GONE,
				      .point = context->point,
				      .metric = metric,
				      .before = before,
				      .now = now};
	const double tolerance = tolerance_percent(context->baseline, metric);

	if (tolerance < 0)
		return;
	comparison->metrics++;
	change.allowed_percent = tolerance;
	if (comparison->other_origin && comparison->time_tolerance_percent > tolerance &&
	    is_time(context->units, metric, before))
		change.allowed_percent = comparison->time_tolerance_percent;
	if (now) {
		change.percent = change_percent(before, now);
		if (change.percent == 0 || (change.percent <= change.allowed_percent &&
					    -change.percent <= change.allowed_percent))
			return;
	}
	add(comparison, change);
}

static void compare_point(const struct context *context, json_t *before, json_t *now)
{
	struct check_comparison *comparison = context->comparison;
	const char *metric;
	json_t *value;

	comparison->points++;
	json_object_foreach(before, metric, value)
	{
		compare_metric(context, metric, value, json_object_get(now, metric));
	}
	json_object_foreach(now, metric, value)
	{
		comparison->new_metrics += !json_object_get(before, metric);
	}
}

static const char *find_other_origin(struct pool *pool, const json_t *baseline,
				     const json_t *results)
{
	const json_t *before = json_object_get(baseline, "made_with");
	const json_t *now = json_object_get(results, "made_with");
	const char *text = NULL;

	for (const char *const *key = check_origins; *key; key++) {
		const char *a = json_string_value(json_object_get(before, *key));
		const char *b = json_string_value(json_object_get(now, *key));

		/* svasim's version and SystemC's move no figure by themselves */
		if (!strcmp(*key, "svasim") || !strcmp(*key, "systemc") ||
		    !strcmp(a ? a : "", b ? b : ""))
			continue;
		text = pool_print(pool, "%s%s%s %s, not %s", text ? text : "", text ? "; " : "",
				  *key, b ? b : "unknown", a ? a : "unknown");
	}
	return text;
}

void check_compare(struct check_comparison *comparison, const json_t *baseline,
		   const json_t *results)
{
	json_t *before = json_object_get(baseline, "points");
	json_t *now = json_object_get(results, "points");
	const json_t *times = json_object_get(baseline, "time_tolerance_percent");
	struct context context = {
		.comparison = comparison, .baseline = baseline, .units = read_units()};
	json_t *point;

	*comparison = (struct check_comparison){0};
	comparison->other_origin = find_other_origin(&comparison->pool, baseline, results);
	comparison->time_tolerance_percent =
		times ? json_number_value(times) : CHECK_TIME_TOLERANCE_PERCENT;
	json_object_foreach(before, context.point, point)
	{
		json_t *same = json_object_get(now, context.point);

		if (same)
			compare_point(&context, point, same);
		else
			add(comparison, (struct check_change){.kind = CHECK_POINT_GONE,
							      .point = context.point,
							      .metric = ""});
	}
	json_object_foreach(now, context.point, point)
	{
		comparison->new_points += !json_object_get(before, context.point);
	}
	json_decref(context.units);
}

void check_comparison_free(struct check_comparison *comparison)
{
	pool_free(&comparison->pool);
}
