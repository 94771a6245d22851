/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim bench [--json] [--instructions]: the command, and its table.
 *
 * The parent starts one child per case, under callgrind if instructions are wanted, and reads its
 * figures from a pipe. Times are the child's processor time: others' work does not count.
 */
#include "sim/cli/bench.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/cli/options.h"

#define CASES_MAX	  64
#define BENCH_CASE_FAILED 3 /* a simulation did not end well */
/* Under callgrind a case does this part of its operations: it takes 50 times as long, and varies less. */
#define INSTRUCTIONS_PART 4
/* Of a bare SystemC event: what goes beyond it is the case's own work. */
#define EVENT_INSTRUCTIONS 552

struct bench_options {
	bool json, instructions;
	const char *only;  /* --only */
	const char *child; /* --case: be the child for it */
	uint64_t operations;
};

enum bench_option {
	OPTION_JSON,
	OPTION_INSTRUCTIONS,
	OPTION_ONLY,
	OPTION_OPERATIONS,
	OPTION_CASE,
};

static const struct cli_option option_table[] = {
	[OPTION_JSON] = {"json", 0, NULL, "print JSON"},
	[OPTION_INSTRUCTIONS] = {"instructions", 0, NULL,
				 "count instructions, too: under valgrind, takes minutes"},
	[OPTION_ONLY] = {"only", 0, "CASE", "only this case"},
	[OPTION_OPERATIONS] = {"operations", 0, "N", "as many of each case's operations"},
	[OPTION_CASE] = {"case", 0, "CASE", "run it in this process and print its raw figures"},
};

static const struct cli_syntax syntax = {
	.command = "bench",
	.help = "Measures what the host spends on simulating.",
	.options = option_table,
	.count = sizeof(option_table) / sizeof(option_table[0]),
};

/* What is known of a case when it has run. */
struct row {
	const struct bench_case *which;
	struct bench_figures figures;
	double max_rss_bytes;
	double instructions; /* NAN: not counted */
};

static double per_operation(const struct row *row, double value)
{
	return row->figures.operations > 0 ? value / row->figures.operations : NAN;
}

/* ---- the child ---------------------------------------------------------------------------------- */

static const struct bench_case *case_named(const char *name)
{
	for (unsigned int i = 0; i < bench_case_count; i++)
		if (!strcmp(bench_cases[i].name, name))
			return &bench_cases[i];
	return NULL;
}

static int be_child(const struct bench_case *which, uint64_t operations)
{
	struct bench_figures figures = {0};
	struct rusage usage;
	json_t *json;
	int status = which->run(which, operations, &figures);

	if (status)
		return status;
	getrusage(RUSAGE_SELF, &usage);
	json = json_pack("{s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I}", "operations",
			 figures.operations, "wall_s", figures.meter.wall_s, "cpu_s",
			 figures.meter.cpu_s, "events", (json_int_t)figures.meter.events,
			 "thread_switches", (json_int_t)figures.meter.thread_switches,
			 "trace_bytes", (json_int_t)figures.trace_bytes, "trace_packets",
			 (json_int_t)figures.trace_packets, "max_rss_bytes",
			 (json_int_t)usage.ru_maxrss * 1024);
	status = !json || json_dumpf(json, stdout, 0) ? CLI_EXIT_USER_ERROR : 0;
	json_decref(json);
	return status;
}

/* ---- the parent --------------------------------------------------------------------------------- */

static void exec_child(const struct bench_case *which, uint64_t operations, const char *callgrind,
		       int output)
{
	char program[4096], out_file[128], number[32];
	const char *argv[16];
	unsigned int n = 0;

	snprintf(program, sizeof(program), "%s/svasim", cli_program_directory());
	snprintf(number, sizeof(number), "%llu", (unsigned long long)operations);
	if (callgrind) {
		snprintf(out_file, sizeof(out_file), "--callgrind-out-file=%s", callgrind);
		argv[n++] = "valgrind";
		argv[n++] = "-q";
		argv[n++] = "--tool=callgrind";
		argv[n++] = "--instr-atstart=no";
		argv[n++] = out_file;
	}
	argv[n++] = program;
	argv[n++] = "bench";
	argv[n++] = "--operations";
	argv[n++] = number;
	argv[n++] = "--case";
	argv[n++] = which->name;
	argv[n] = NULL;
	dup2(output, STDOUT_FILENO);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(cli_user_error("%s: %s", argv[0], strerror(errno)));
}

/* Starts the child and takes its JSON; NULL after telling why. */
static json_t *run_child(const struct bench_case *which, uint64_t operations, const char *callgrind)
{
	json_error_t error;
	json_t *json;
	int ends[2], status;
	pid_t child;

	fflush(stdout);
	if (pipe(ends) || (child = fork()) < 0) {
		cli_user_error("%s: %s", which->name, strerror(errno));
		return NULL;
	}
	if (!child) {
		close(ends[0]);
		exec_child(which, operations, callgrind, ends[1]);
	}
	close(ends[1]);
	json = json_loadfd(ends[0], JSON_DISABLE_EOF_CHECK, &error);
	close(ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (status || !json)
		cli_user_error("bench: %s: failed", which->name);
	if (!status)
		return json;
	json_decref(json);
	return NULL;
}

static int take_figures(json_t *json, struct row *row)
{
	struct bench_figures *f = &row->figures;
	json_int_t events, switches, trace_bytes, trace_packets, rss;
	int bad = json_unpack(json, "{s:F, s:F, s:F, s:I, s:I, s:I, s:I, s:I}", "operations",
			      &f->operations, "wall_s", &f->meter.wall_s, "cpu_s", &f->meter.cpu_s,
			      "events", &events, "thread_switches", &switches, "trace_bytes",
			      &trace_bytes, "trace_packets", &trace_packets, "max_rss_bytes", &rss);

	if (bad)
		return cli_user_error("bench: %s: no figures", row->which->name);
	f->meter.events = (uint64_t)events;
	f->meter.thread_switches = (uint64_t)switches;
	f->trace_bytes = (uint64_t)trace_bytes;
	f->trace_packets = (uint64_t)trace_packets;
	row->max_rss_bytes = (double)rss;
	return 0;
}

/* The sum that callgrind writes at the end of its file. */
static double callgrind_total(const char *path)
{
	FILE *file = fopen(path, "r");
	double total = NAN;
	char line[256];

	if (!file)
		return NAN;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "totals:", 7))
			total = strtod(line + 7, NULL);
	fclose(file);
	return total;
}

static int count_instructions(struct row *row, uint64_t operations)
{
	char path[] = "/tmp/svasim-bench-XXXXXX";
	struct row counted = {.which = row->which};
	json_t *json;
	int fd = mkstemp(path), status = CLI_EXIT_USER_ERROR;

	if (fd < 0)
		return cli_user_error("%s: %s", path, strerror(errno));
	close(fd);
	json = run_child(row->which, operations / INSTRUCTIONS_PART, path);
	if (json)
		status = take_figures(json, &counted);
	json_decref(json);
	if (!status)
		row->instructions = per_operation(&counted, callgrind_total(path));
	unlink(path);
	return status;
}

static int measure(const struct bench_options *options, struct row *row)
{
	const uint64_t operations =
		options->operations ? options->operations : row->which->operations;
	json_t *json = run_child(row->which, operations, NULL);
	int status;

	row->instructions = NAN;
	if (!json)
		return BENCH_CASE_FAILED;
	status = take_figures(json, row);
	json_decref(json);
	if (!status && options->instructions)
		status = count_instructions(row, operations);
	return status;
}

/* ---- output ------------------------------------------------------------------------------------- */

static double nanoseconds(const struct row *row)
{
	return per_operation(row, row->figures.meter.cpu_s * 1e9);
}

/* In bare events: by instructions if they were counted, else by time. The first row is the unit. */
static double in_bare_events(const struct row *row, const struct row *unit)
{
	return isnan(row->instructions) || isnan(unit->instructions)
		       ? nanoseconds(row) / nanoseconds(unit)
		       : row->instructions / unit->instructions;
}

static double beyond_events(const struct row *row)
{
	return row->instructions -
	       EVENT_INSTRUCTIONS * per_operation(row, (double)row->figures.meter.events);
}

static const struct row *row_named(const struct row *rows, unsigned int count, const char *name)
{
	for (unsigned int i = 0; i < count; i++)
		if (!strcmp(rows[i].which->name, name))
			return &rows[i];
	return NULL;
}

static void print_number(double value, int width)
{
	if (isnan(value))
		printf(" %*s", width, "-");
	else
		printf(" %*.*f", width, value < 100 ? 1 : 0, value);
}

static void print_table(const struct row *rows, unsigned int count)
{
	const struct row *unit = row_named(rows, count, "systemc"),
			 *copy = row_named(rows, count, "copy"),
			 *traced = row_named(rows, count, "copy-traced");

	printf("%-16s %-12s %8s %8s %8s %8s %8s %9s %9s\n", "case", "operation", "events",
	       "switches", "ns", "instr.", "beyond", "bare ev.", "RSS MiB");
	for (unsigned int i = 0; i < count; i++) {
		const struct row *row = &rows[i];

		printf("%-16s %-12s", row->which->name, row->which->operation);
		print_number(per_operation(row, (double)row->figures.meter.events), 8);
		print_number(per_operation(row, (double)row->figures.meter.thread_switches), 8);
		print_number(nanoseconds(row), 8);
		print_number(row->instructions, 8);
		print_number(beyond_events(row), 8);
		print_number(unit ? in_bare_events(row, unit) : NAN, 9);
		print_number(row->max_rss_bytes / (1 << 20), 9);
		printf("\n");
	}
	if (copy && traced && traced->figures.trace_packets)
		printf("tracing: %.2f x in time, %.1f bytes a packet, %.1f packets a request\n",
		       nanoseconds(traced) / nanoseconds(copy),
		       (double)traced->figures.trace_bytes / (double)traced->figures.trace_packets,
		       per_operation(traced, (double)traced->figures.trace_packets));
}

static json_t *number_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *row_json(const struct row *row, const struct row *unit)
{
	const struct bench_figures *f = &row->figures;

	return json_pack(
		"{s:s, s:s, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:f}", "help",
		row->which->help, "operation", row->which->operation, "operations", f->operations,
		"wall_s", f->meter.wall_s, "cpu_ns", number_or_null(nanoseconds(row)), "events",
		number_or_null(per_operation(row, (double)f->meter.events)), "thread_switches",
		number_or_null(per_operation(row, (double)f->meter.thread_switches)),
		"instructions", number_or_null(row->instructions), "instructions_beyond_events",
		number_or_null(beyond_events(row)), "bare_events",
		number_or_null(unit ? in_bare_events(row, unit) : NAN), "trace_bytes",
		(json_int_t)f->trace_bytes, "trace_packets", (json_int_t)f->trace_packets,
		"max_rss_bytes", row->max_rss_bytes);
}

static void print_json(const struct row *rows, unsigned int count)
{
	const struct row *unit = row_named(rows, count, "systemc");
	json_t *json = json_object();

	for (unsigned int i = 0; i < count; i++)
		json_object_set_new(json, rows[i].which->name, row_json(&rows[i], unit));
	json_dumpf(json, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(json);
}

/* ---- the command -------------------------------------------------------------------------------- */

static int take_case(const char *option, const char *value)
{
	if (case_named(value))
		return 0;
	return cli_user_error("%s: %s: no such case (allowed: those of the table)", option, value);
}

static int take_option(void *arg, size_t option, const char *value)
{
	struct bench_options *options = arg;
	char *end;

	switch ((enum bench_option)option) {
	case OPTION_JSON:
		options->json = true;
		break;
	case OPTION_INSTRUCTIONS:
		if (!meter_counts_instructions())
			return cli_user_error("--instructions: svasim was built without valgrind's "
					      "header (allowed: with it)");
		options->instructions = true;
		break;
	case OPTION_ONLY:
		options->only = value;
		return take_case("--only", value);
	case OPTION_CASE:
		options->child = value;
		return take_case("--case", value);
	case OPTION_OPERATIONS:
		errno = 0;
		options->operations = strtoull(value, &end, 10);
		if (!isdigit((unsigned char)value[0]) || *end || errno || !options->operations)
			return cli_user_error(
				"--operations: %s: not a number of them (allowed: 1..2^64-1)",
				value);
		break;
	}
	return 0;
}

int cmd_bench(int argc, char **argv)
{
	struct bench_options options = {0};
	static struct row rows[CASES_MAX];
	unsigned int count = 0;
	int status = cli_parse(&syntax, argc, argv, take_option, &options);

	if (status != CLI_GO_ON)
		return status;
	if (options.child) {
		const struct bench_case *which = case_named(options.child);

		return be_child(which, options.operations ? options.operations : which->operations);
	}
	status = 0;
	for (unsigned int i = 0; i < bench_case_count && count < CASES_MAX && !status; i++) {
		if (options.only && strcmp(options.only, bench_cases[i].name))
			continue;
		rows[count].which = &bench_cases[i];
		status = measure(&options, &rows[count]);
		if (!status)
			count++;
	}
	if (options.json)
		print_json(rows, count);
	else
		print_table(rows, count);
	return status;
}
