/* SPDX-License-Identifier: BSD-3-Clause */
/* A subcommand's options, as a table: parsing with errors of one line, and the help. */
#ifndef SIM_CLI_OPTIONS_H
#define SIM_CLI_OPTIONS_H

#include <stddef.h>

struct cli_option {
	const char *name;     /* --name */
	char letter;	      /* -x; 0: none */
	const char *argument; /* what the help calls it; NULL: takes none */
	const char *help;
};

struct cli_syntax {
	const char *command;
	const char *
		operand; /* what the help calls what stands beside the options; NULL: nothing may */
	const char *help; /* one line */
	const struct cli_option *options;
	size_t count;
};

#define CLI_GO_ON   (-1)
#define CLI_OPERAND ((size_t)-1)

/*
 * Calls take() for each option of the command line, with the option's index, then for each operand
 * with CLI_OPERAND; what take() returns ends parsing unless it is 0. CLI_GO_ON, or the command's
 * exit status: --help was asked for, or something is wrong and has been said.
 */
int cli_parse(const struct cli_syntax *syntax, int argc, char **argv,
	      int (*take)(void *arg, size_t option, const char *value), void *arg);

#endif
