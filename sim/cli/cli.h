/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line: one file per subcommand, one table of them (main.c). */
#ifndef SIM_CLI_CLI_H
#define SIM_CLI_CLI_H

#include "sim/platform/config.h"

struct cli_command {
	const char *name;
	const char *help;		   /* one line */
	int (*run)(int argc, char **argv); /* argv[0] is the subcommand; returns the exit status */
};

int cmd_run(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_open(int argc, char **argv);
int cmd_bench(int argc, char **argv);

#define CLI_EXIT_USER_ERROR 2

/* One line on stderr, "svasim: …". Returns CLI_EXIT_USER_ERROR. */
int cli_user_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The folder of the running program, without a trailing slash. */
const char *cli_program_directory(void);

/* -c takes a file, or the name of a platform that comes with svasim: its path in buf, or NULL if there is neither. */
const char *cli_platform_path(const char *name, char *buf, size_t size);

/* Folder of the platforms that come with svasim. */
const char *cli_platform_directory(void);

#endif
