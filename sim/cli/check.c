/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim check: whether results are what they were.
 *
 * docs/ci.md describes the baseline, and how to use it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/check.h"
#include "sim/cli/cli.h"
#include "sim/cli/options.h"

#define EXIT_DIFFERS 1

struct check_options {
	const char *folder, *baseline, *junit;
	bool update, all;
};

enum check_option { OPTION_BASELINE, OPTION_JUNIT, OPTION_UPDATE, OPTION_ALL };

static const struct cli_option option_table[] = {
	[OPTION_BASELINE] = {"baseline", 0, "FILE", "what the results should be"},
	[OPTION_JUNIT] = {"junit", 0, "FILE", "write the outcome as JUnit XML, too"},
	[OPTION_UPDATE] = {"update", 0, NULL, "make the results the baseline"},
	[OPTION_ALL] = {"all", 0, NULL, "show all differences of a point, not the first 30"},
};

static const struct cli_syntax syntax = {
	.command = "check",
	.operand = "DIR",
	.help = "Compares the results of a run or a sweep with a baseline.",
	.options = option_table,
	.count = sizeof(option_table) / sizeof(option_table[0]),
};

static int take_option(void *arg, size_t option, const char *value)
{
	struct check_options *options = arg;

	if (option == CLI_OPERAND) {
		if (options->folder)
			return cli_user_error("check: %s: one folder too many (allowed: one)",
					      value);
		options->folder = value;
		return 0;
	}
	switch ((enum check_option)option) {
	case OPTION_BASELINE:
		options->baseline = value;
		break;
	case OPTION_JUNIT:
		options->junit = value;
		break;
	case OPTION_UPDATE:
		options->update = true;
		break;
	case OPTION_ALL:
		options->all = true;
		break;
	}
	return 0;
}

/* Differences are told; the exit status. */
static int compare(const struct check_options *options, const json_t *baseline,
		   const json_t *results)
{
	struct check_comparison comparison;
	int status;

	check_compare(&comparison, baseline, results);
	check_print(&comparison, options->all);
	status = comparison.count ? EXIT_DIFFERS : 0;
	if (options->junit &&
	    check_write_junit(&comparison, baseline, options->baseline, options->junit))
		status = cli_user_error("%s: not written: %s", options->junit, strerror(errno));
	check_comparison_free(&comparison);
	return status;
}

/* What is replaced is told first. */
static int update(const struct check_options *options, const json_t *baseline,
		  const json_t *results)
{
	int status = baseline ? compare(options, baseline, results) : 0;

	if (status == CLI_EXIT_USER_ERROR)
		return status;
	status = check_baseline_write(options->baseline, baseline, results);
	if (!status)
		printf("written: %s\n", options->baseline);
	return status;
}

static int check(const struct check_options *options)
{
	const bool is_new = options->update && access(options->baseline, F_OK) != 0;
	json_t *results = check_results_read(options->folder);
	json_t *baseline = results && !is_new ? check_baseline_read(options->baseline) : NULL;
	int status = CLI_EXIT_USER_ERROR;

	if (results && (baseline || is_new))
		status = options->update ? update(options, baseline, results)
					 : compare(options, baseline, results);
	json_decref(baseline);
	json_decref(results);
	return status;
}

int cmd_check(int argc, char **argv)
{
	struct check_options options = {0};
	int status = cli_parse(&syntax, argc, argv, take_option, &options);

	if (status != CLI_GO_ON)
		return status;
	if (!options.folder || !options.baseline)
		return cli_user_error("check: no %s (allowed: see 'svasim check --help')",
				      options.folder ? "--baseline" : "folder");
	return check(&options);
}
