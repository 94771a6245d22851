/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim: the command's entry point and the table of its subcommands.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/cli.h"

static const struct cli_command commands[] = {
	{"run", "simulate one machine with one workload", cmd_run},
	{"sweep", "simulate over ranges of parameters", cmd_sweep},
	{"check", "compare results with a baseline", cmd_check},
	{"list", "list workloads, platforms, parameters or metrics", cmd_list},
	{"report", "make an HTML file of a sweep's results", cmd_report},
	{"open", "hand a trace to Perfetto's user interface", cmd_open},
	{"bench", "measure what the host spends on simulating", cmd_bench},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

int cli_user_error(const char *format, ...)
{
	char line[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* one line, whatever the user's text holds */
	for (char *c = line; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = ' ';
	fprintf(stderr, "svasim: %s\n", line);
	return CLI_EXIT_USER_ERROR;
}

const char *cli_program_directory(void)
{
	static char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (length < 0)
		return ".";
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return path;
}

const char *cli_platform_directory(void)
{
	return SVASIM_PLATFORM_DIRECTORY;
}

const char *cli_platform_path(const char *name, char *buf, size_t size)
{
	if (!access(name, F_OK))
		return name;
	if (!strchr(name, '/')) {
		snprintf(buf, size, "%s/%s.yaml", cli_platform_directory(), name);
		if (!access(buf, F_OK))
			return buf;
	}
	return NULL;
}

static void print_usage(FILE *to)
{
	fputs("Usage: svasim COMMAND [OPTION...]\n\n", to);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\n'svasim COMMAND --help' tells a command's options.\n", to);
}

static int fail_unknown(const char *name)
{
	char allowed[512];
	size_t used = 0;

	for (size_t i = 0; i < COMMAND_COUNT && used < sizeof(allowed); i++)
		used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
					 i ? ", " : "", commands[i].name);
	return cli_user_error("%s: no such command (allowed: %s)", name, allowed);
}

static int run_command(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return CLI_EXIT_USER_ERROR;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("svasim " SVASIM_VERSION);
		return 0;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return fail_unknown(argv[1]);
}

/* What went to a full disk or a closed pipe was not said. */
int main(int argc, char **argv)
{
	const int status = run_command(argc, argv);

	if (fflush(stdout) && !status)
		return cli_user_error("standard output: %s", strerror(errno));
	return status;
}
