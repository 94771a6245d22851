/* SPDX-License-Identifier: BSD-3-Clause */
/* Options by getopt_long(3), whose own messages would be of more than one style. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/cli/cli.h"
#include "sim/cli/options.h"

#define OPTIONS_MAX  32
#define CODE_FIRST   256 /* of long options: above any letter */
#define CODE_HELP    (CODE_FIRST + OPTIONS_MAX)
#define HELP_COLUMNS 30

/* What getopt_long() wants; the table's order is kept. */
struct getopt_tables {
	char letters[2 + 2 * OPTIONS_MAX + 2];
	struct option names[OPTIONS_MAX + 2];
};

static void fill_tables(struct getopt_tables *tables, const struct cli_syntax *syntax)
{
	char *letter = tables->letters;

	*letter++ = ':'; /* a missing argument is told apart */
	for (size_t i = 0; i < syntax->count; i++) {
		const struct cli_option *option = &syntax->options[i];

		tables->names[i] = (struct option){
			.name = option->name,
			.has_arg = option->argument ? required_argument : no_argument,
			.val = CODE_FIRST + (int)i,
		};
		if (!option->letter)
			continue;
		*letter++ = option->letter;
		if (option->argument)
			*letter++ = ':';
	}
	*letter = 'h';
	tables->names[syntax->count] = (struct option){.name = "help", .val = CODE_HELP};
}

static void print_option(const struct cli_option *option)
{
	char left[64], letter[4] = "  ";

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c", option->letter);
	snprintf(left, sizeof(left), "%s%s --%s%s%s", letter, option->letter ? "," : " ",
		 option->name, option->argument ? "=" : "",
		 option->argument ? option->argument : "");
	printf("  %-*s %s\n", HELP_COLUMNS, left, option->help);
}

static int print_help(const struct cli_syntax *syntax)
{
	const struct cli_option help = {"help", 'h', NULL, "this list"};

	printf("Usage: svasim %s [OPTION...]%s%s\n%s\n\n", syntax->command,
	       syntax->operand ? " " : "", syntax->operand ? syntax->operand : "", syntax->help);
	for (size_t i = 0; i < syntax->count; i++)
		print_option(&syntax->options[i]);
	print_option(&help);
	return EXIT_SUCCESS;
}

static size_t index_of(const struct cli_syntax *syntax, int code)
{
	size_t i = 0;

	if (code >= CODE_FIRST)
		return (size_t)(code - CODE_FIRST);
	while (syntax->options[i].letter != code)
		i++;
	return i;
}

static int fail(const struct cli_syntax *syntax, const char *what, char *const *argv)
{
	char letter[3] = {'-', (char)optopt, '\0'};
	/* a long option stands in the argument before the next one, a letter may be anywhere in its own */
	const char *text = optopt > 0 && optopt < CODE_FIRST ? letter : argv[optind - 1];

	return cli_user_error("%s: %s: %s (allowed: see 'svasim %s --help')", syntax->command, text,
			      what, syntax->command);
}

int cli_parse(const struct cli_syntax *syntax, int argc, char **argv,
	      int (*take)(void *arg, size_t option, const char *value), void *arg)
{
	struct getopt_tables tables = {0};
	int code, status;

	fill_tables(&tables, syntax);
	opterr = 0;
	while ((code = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
		if (code == CODE_HELP || code == 'h')
			return print_help(syntax);
		if (code == ':')
			return fail(syntax, "needs a value", argv);
		if (code == '?' && optopt >= CODE_FIRST)
			return fail(syntax, "takes no value", argv);
		if (code == '?')
			return fail(syntax, "no such option", argv);
		status = take(arg, index_of(syntax, code), optarg);
		if (status)
			return status;
	}
	if (optind < argc && !syntax->operand)
		return cli_user_error(
			"%s: %s: unexpected argument (allowed: see 'svasim %s --help')",
			syntax->command, argv[optind], syntax->command);
	for (int i = optind; i < argc; i++) {
		status = take(arg, CLI_OPERAND, argv[i]);
		if (status)
			return status;
	}
	return CLI_GO_ON;
}
