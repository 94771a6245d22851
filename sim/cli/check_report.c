/* SPDX-License-Identifier: BSD-3-Clause */
/* Differences from a baseline, for people and, as JUnit XML, for CI systems. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cli/check.h"
#include "sim/cli/files.h"

#define SHOWN_AT_MOST  30 /* of a point's changes */
#define NUMBER_BYTES   32
#define INFINITE_ABOVE 1e8 /* percent: of a metric that was 0 */

static const char *number(const json_t *json, char text[static NUMBER_BYTES])
{
	if (!json)
		return "-";
	if (json_is_integer(json))
		snprintf(text, NUMBER_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
	else
		snprintf(text, NUMBER_BYTES, "%.10g", json_number_value(json));
	return text;
}

static const char *change_text(const struct check_change *change, char text[static NUMBER_BYTES])
{
	if (change->kind != CHECK_CHANGED)
		return "gone";
	if (fabs(change->percent) > INFINITE_ABOVE)
		return "from 0";
	/* as many digits as it takes to show that there is a change */
	snprintf(text, NUMBER_BYTES, fabs(change->percent) < 0.01 ? "%+.2e %%" : "%+.2f %%",
		 change->percent);
	return text;
}

static void print_change(const struct check_change *change, FILE *file)
{
	char before[NUMBER_BYTES], now[NUMBER_BYTES], percent[NUMBER_BYTES];

	if (change->kind == CHECK_POINT_GONE) {
		fputs("  no results of this point\n", file);
		return;
	}
	fprintf(file, "  %-42s %18s %18s %12s", change->metric, number(change->before, before),
		number(change->now, now), change_text(change, percent));
	if (change->allowed_percent > 0)
		fprintf(file, "  (allowed: %g %%)", change->allowed_percent);
	fputc('\n', file);
}

/* ---- for people ---------------------------------------------------------------------------- */

/* The changes of one point; the first one that is of the next. */
static size_t print_point(const struct check_comparison *comparison, size_t first, bool all)
{
	const char *point = comparison->changes[first].point;
	size_t i = first;

	printf("%s\n  %-42s %18s %18s %12s\n", point, "metric", "baseline", "now", "change");
	for (; i < comparison->count && !strcmp(comparison->changes[i].point, point); i++)
		if (all || i - first < SHOWN_AT_MOST)
			print_change(&comparison->changes[i], stdout);
	if (!all && i - first > SHOWN_AT_MOST)
		printf("  and %zu more (--all shows them)\n", i - first - SHOWN_AT_MOST);
	return i;
}

void check_print(const struct check_comparison *comparison, bool all)
{
	for (size_t i = 0; i < comparison->count;)
		i = print_point(comparison, i, all);
	printf("compared: %zu metrics, points: %zu, differences: %zu\n", comparison->metrics,
	       comparison->points, comparison->count);
	if (comparison->new_points || comparison->new_metrics)
		printf("note: not in the baseline are %zu metrics, points: %zu (--update adds "
		       "them)\n",
		       comparison->new_metrics, comparison->new_points);
	if (comparison->other_origin)
		printf("note: made with %s: times may differ by %g %%\n", comparison->other_origin,
		       comparison->time_tolerance_percent);
}

/* ---- JUnit ---------------------------------------------------------------------------------- */

/* For text and for attributes; what XML cannot hold becomes a question mark. */
static void put_xml(const char *text, FILE *file)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '&')
			fputs("&amp;", file);
		else if (c == '<')
			fputs("&lt;", file);
		else if (c == '>')
			fputs("&gt;", file);
		else if (c == '"')
			fputs("&quot;", file);
		else
			putc(c < ' ' && c != '\n' && c != '\t' ? '?' : c, file);
	}
}

static void put_attribute(const char *name, const char *value, FILE *file)
{
	fprintf(file, " %s=\"", name);
	put_xml(value, file);
	putc('"', file);
}

/* "smmu.tlb.hits" is of smmu. */
static size_t group_length(const char *metric)
{
	return strcspn(metric, ".");
}

/* A point's changes stand together. */
struct point_changes {
	const char *point;
	const struct check_change *change;
	size_t count;
};

static bool is_of(const struct check_change *change, const char *group)
{
	const size_t length = group_length(change->metric);

	return change->kind == CHECK_POINT_GONE ||
	       (!strncmp(change->metric, group, length) && !group[length]);
}

static void put_failure(const struct point_changes *changes, const char *group, size_t count,
			FILE *file)
{
	char *text = NULL;
	size_t size;
	FILE *lines = open_memstream(&text, &size);

	for (size_t i = 0; i < changes->count && lines; i++)
		if (is_of(&changes->change[i], group))
			print_change(&changes->change[i], lines);
	if (lines)
		fclose(lines);
	fprintf(file, "      <failure message=\"%zu differ from the baseline\">\n", count);
	put_xml(text ? text : "", file);
	fputs("</failure>\n", file);
	free(text);
}

/* Whether it failed. */
static bool put_case(const struct point_changes *changes, const char *group, FILE *file)
{
	size_t count = 0;

	for (size_t i = 0; i < changes->count; i++)
		count += is_of(&changes->change[i], group);
	fputs("    <testcase", file);
	put_attribute("classname", changes->point, file);
	put_attribute("name", group, file);
	fputs(count ? ">\n" : "/>\n", file);
	if (count) {
		put_failure(changes, group, count, file);
		fputs("    </testcase>\n", file);
	}
	return count > 0;
}

struct totals {
	size_t tests, failures;
};

/* One case for each first part of its metrics' names. */
static void put_point(const struct point_changes *changes, json_t *metrics, struct totals *totals,
		      FILE *file)
{
	json_t *groups = json_object(), *value;
	const char *metric, *group;

	json_object_foreach(metrics, metric, value)
	{
		json_object_setn_new(groups, metric, group_length(metric), json_true());
	}
	json_object_foreach(groups, group, value)
	{
		totals->tests++;
		totals->failures += put_case(changes, group, file);
	}
	json_decref(groups);
}

static struct totals put_points(const struct check_comparison *comparison, const json_t *baseline,
				FILE *file)
{
	struct totals totals = {0};
	const char *point;
	json_t *metrics;
	size_t next = 0;

	json_object_foreach(json_object_get(baseline, "points"), point, metrics)
	{
		struct point_changes changes = {.point = point,
						.change = &comparison->changes[next]};

		while (next < comparison->count && !strcmp(comparison->changes[next].point, point))
			next++;
		changes.count = (size_t)(&comparison->changes[next] - changes.change);
		put_point(&changes, metrics, &totals, file);
	}
	return totals;
}

static void put_suite(const char *name, struct totals totals, const char *cases, FILE *file)
{
	fprintf(file,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%zu\" "
		"failures=\"%zu\">\n  <testsuite",
		totals.tests, totals.failures);
	put_attribute("name", name, file);
	fprintf(file,
		" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n%s  </testsuite>\n"
		"</testsuites>",
		totals.tests, totals.failures, cases);
}

int check_write_junit(const struct check_comparison *comparison, const json_t *baseline,
		      const char *name, const char *path)
{
	char *cases = NULL, *suite = NULL;
	size_t size;
	FILE *file = open_memstream(&cases, &size);
	struct totals totals;
	int status = -1;

	if (!file)
		return -1;
	totals = put_points(comparison, baseline, file);
	fclose(file);
	file = open_memstream(&suite, &size);
	if (file) {
		put_suite(name, totals, cases, file);
		if (!fclose(file))
			status = cli_write_text(path, suite);
	}
	free(cases);
	free(suite);
	return status;
}
