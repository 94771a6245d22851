/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim report DIR: a sweep's results as one HTML file that needs nothing else.
 *
 * The page is part of the program (sim/report); this writes the sweep's data into it.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/cli/options.h"
#include "sim/cli/report.h"
#include "sim/report/page.h"

#define DATABASE "sweep.sqlite"
#define REPORT	 "report.html"

struct report_options {
	const char *folder;
	const char *output; /* NULL: report.html in the folder */
};

enum report_option {
	OPTION_OUTPUT,
};

static const struct cli_option option_table[] = {
	[OPTION_OUTPUT] = {"output", 'o', "FILE", "write this file (default: DIR/" REPORT ")"},
};

static const struct cli_syntax syntax = {
	.command = "report",
	.operand = "DIR",
	.help = "Makes an HTML file of a sweep's results that opens in a browser without a "
		"network.",
	.options = option_table,
	.count = sizeof(option_table) / sizeof(option_table[0]),
};

static int take(void *arg, size_t option, const char *value)
{
	struct report_options *options = arg;

	if (option == OPTION_OUTPUT)
		options->output = value;
	else if (options->folder)
		return cli_user_error("report: %s: unexpected argument (allowed: one folder)",
				      value);
	else
		options->folder = value;
	return 0;
}

/* A string of JSON must not end the element that it stands in. */
static int write_json(const char *buffer, size_t size, void *arg)
{
	FILE *file = arg;

	for (size_t i = 0; i < size; i++)
		if ((buffer[i] == '<' ? fputs("\\u003c", file) : putc(buffer[i], file)) == EOF)
			return -1;
	return 0;
}

static int write_page(FILE *file, const json_t *data)
{
	if (fwrite(report_page_before, 1, report_page_before_size, file) <
		    report_page_before_size ||
	    json_dump_callback(data, write_json, file, JSON_COMPACT | JSON_REAL_PRECISION(6)) ||
	    fwrite(report_page_after, 1, report_page_after_size, file) < report_page_after_size)
		return -1;
	return 0;
}

/* The file is whole, or what it was. */
static int write_file(const char *path, const json_t *data)
{
	char temporary[PATH_MAX + sizeof(".tmp")];
	FILE *file;
	int error = 0;

	snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	file = fopen(temporary, "w");
	if (!file)
		return -1;
	if (write_page(file, data))
		error = errno;
	if (fclose(file) && !error)
		error = errno;
	if (!error && rename(temporary, path))
		error = errno;
	if (!error)
		return 0;
	unlink(temporary);
	errno = error;
	return -1;
}

static size_t count_ok(const json_t *data)
{
	const json_t *status = json_object_get(json_object_get(data, "points"), "status");
	const json_t *one;
	size_t i, count = 0;

	json_array_foreach(status, i, one) count += !strcmp(json_string_value(one), "ok");
	return count;
}

static int find_database(const char *folder, char *path, size_t size)
{
	struct stat info;

	if (snprintf(path, size, "%s/" DATABASE, folder) >= (int)size)
		return cli_user_error("report: %.60s...: %s", folder, strerror(ENAMETOOLONG));
	if (stat(path, &info))
		return cli_user_error("report: %s: %s (allowed: a folder of 'svasim sweep')", path,
				      strerror(errno));
	return 0;
}

int cmd_report(int argc, char **argv)
{
	struct report_options options = {0};
	char database[PATH_MAX], output[PATH_MAX];
	struct stat info;
	json_t *data;
	int status = cli_parse(&syntax, argc, argv, take, &options);

	if (status != CLI_GO_ON)
		return status;
	if (!options.folder)
		return cli_user_error("report: of what? (allowed: a folder of 'svasim sweep')");
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is a write error like a full disk */
	if (find_database(options.folder, database, sizeof(database)))
		return CLI_EXIT_USER_ERROR;
	if (snprintf(output, sizeof(output), options.output ? "%s" : "%s/" REPORT,
		     options.output ? options.output : options.folder) >= (int)sizeof(output))
		return cli_user_error("report: -o: %.60s...: %s", output, strerror(ENAMETOOLONG));
	status = report_data_read(database, &data);
	if (status)
		return status;
	if (write_file(output, data) || stat(output, &info))
		status = cli_user_error("report: %s: not written: %s", output, strerror(errno));
	else
		printf("%s: %zu of %zu points, %.0f kB\n", output, count_ok(data),
		       json_array_size(json_object_get(json_object_get(data, "points"), "id")),
		       (double)info.st_size / 1e3);
	json_decref(data);
	return status;
}
