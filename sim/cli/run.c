/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim run: simulate one machine with one workload.
 *
 * Writes into the output folder: metrics.json (simulated results only: the same inputs give the
 * same bytes), histograms.json (their distributions), host.json (what the host measured about itself), trace.pftrace with --trace. What
 * an earlier run left there is touched only once nothing can refuse the new one; and whatever ends
 * a run, what it has come to is written.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/cli/files.h"
#include "sim/cli/options.h"
#include "sim/cli/summary.h"
#include "sim/cli/whatif.h"
#include "sim/platform/platform.h"
#include "sim/trace/trace.h"

#define MAX_SETTINGS	       256
#define LONGEST_FILE_NAME      32 /* of the output folder */
#define EMERGENCY_TIMEOUT_S    20
#define EMERGENCY_STACK_BYTES  (256 * 1024)
#define EXIT_BY_SIGNAL(signal) (128 + (signal))

struct run_options {
	const char *platform; /* -c */
	const char *workload;
	const char *settings[MAX_SETTINGS];
	unsigned int setting_count;
	const char *output;
	bool trace;
	const char *trace_from, *trace_to, *trace_categories;
	int log_level;
	bool what_if;
};

enum run_option {
	OPTION_CONFIG,
	OPTION_WORKLOAD,
	OPTION_SET,
	OPTION_OUTPUT,
	OPTION_TRACE,
	OPTION_TRACE_FROM,
	OPTION_TRACE_TO,
	OPTION_TRACE_CATEGORIES,
	OPTION_VERBOSE,
	OPTION_WHAT_IF,
};

static const struct cli_option option_table[] = {
	[OPTION_CONFIG] = {"config", 'c', "PLATFORM",
			   "platform file, or the name of one that comes with svasim"},
	[OPTION_WORKLOAD] = {"workload", 'w', "NAME", "workload (default: copy)"},
	[OPTION_SET] = {"set", 's', "KEY=VALUE", "set a parameter; may be repeated, the last wins"},
	[OPTION_OUTPUT] = {"output", 'o', "DIR", "output folder (default: out/run)"},
	[OPTION_TRACE] = {"trace", 0, NULL, "write DIR/trace.pftrace"},
	[OPTION_TRACE_FROM] = {"trace-from", 0, "NS",
			       "begin of the trace's window, in simulated ns"},
	[OPTION_TRACE_TO] = {"trace-to", 0, "NS", "end of the trace's window, in simulated ns"},
	[OPTION_TRACE_CATEGORIES] = {"trace-categories", 0, "LIST",
				     "only these, separated by commas"},
	[OPTION_VERBOSE] = {"verbose", 'v', NULL,
			    "show the kernel's messages; twice: its debug messages, too"},
	[OPTION_WHAT_IF] = {"what-if", 0, NULL,
			    "predict what changes of the main parameters would gain; run the best"},
};

static const struct cli_syntax syntax = {
	.command = "run",
	.help = "Simulates one machine with one workload.",
	.options = option_table,
	.count = sizeof(option_table) / sizeof(option_table[0]),
};

static int take_option(void *arg, size_t option, const char *value)
{
	struct run_options *options = arg;

	switch ((enum run_option)option) {
	case OPTION_CONFIG:
		options->platform = value;
		break;
	case OPTION_WORKLOAD:
		options->workload = value;
		break;
	case OPTION_SET:
		if (options->setting_count == MAX_SETTINGS)
			return cli_user_error("-s: %s: one too many (allowed: %d)", value,
					      MAX_SETTINGS);
		options->settings[options->setting_count++] = value;
		break;
	case OPTION_OUTPUT:
		options->output = value;
		break;
	case OPTION_TRACE:
		options->trace = true;
		break;
	case OPTION_TRACE_FROM:
		options->trace_from = value;
		break;
	case OPTION_TRACE_TO:
		options->trace_to = value;
		break;
	case OPTION_TRACE_CATEGORIES:
		options->trace_categories = value;
		break;
	case OPTION_VERBOSE:
		options->log_level = options->log_level < 7 ? 7 : 8;
		break;
	case OPTION_WHAT_IF:
		options->what_if = true;
		break;
	}
	return 0;
}

/* ---- configuration ----------------------------------------------------------------------------- */

static int configure(struct platform_config *config, const struct run_options *options)
{
	struct param_error error;
	char buf[4096];

	if (options->platform) {
		const char *path = cli_platform_path(options->platform, buf, sizeof(buf));

		if (!path)
			return cli_user_error("-c: %s: no such file or platform (allowed: a file, "
					      "or see 'svasim list platforms')",
					      options->platform);
		if (param_load_yaml(config->params, path, &error))
			return cli_user_error("%s", error.text);
	}
	for (unsigned int i = 0; i < options->setting_count; i++)
		if (param_assign(config->params, "-s", options->settings[i], &error))
			return cli_user_error("%s", error.text);
	if (platform_config_check(config, &error))
		return cli_user_error("%s", error.text);
	return 0;
}

/* ---- the trace's options ------------------------------------------------------------------------ */

static int parse_ns(const char *option, const char *text, sim_time *ps)
{
	char *end;
	unsigned long long ns;

	errno = 0;
	ns = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || ns > SIM_TIME_NEVER / 1000)
		return cli_user_error("%s: %s: not a time (allowed: nanoseconds, 0..%llu)", option,
				      text, (unsigned long long)(SIM_TIME_NEVER / 1000));
	*ps = SIM_NS(ns);
	return 0;
}

static int parse_categories(const char *list, uint32_t *mask)
{
	char allowed[256];
	size_t used = 0;
	const char *bad;

	if (!trace_parse_categories(list, mask, &bad))
		return 0;
	for (int i = 0; i < TRACE_CATEGORY_COUNT && used < sizeof(allowed); i++)
		used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
					 i ? ", " : "", trace_category_names[i]);
	return cli_user_error("--trace-categories: %.*s: no such category (allowed: %s)",
			      (int)strcspn(bad, ","), bad, allowed);
}

static int check_trace_wanted(const struct run_options *options)
{
	const char *option = options->trace_from	 ? "--trace-from"
			     : options->trace_to	 ? "--trace-to"
			     : options->trace_categories ? "--trace-categories"
							 : NULL;

	if (options->trace || !option)
		return 0;
	return cli_user_error("%s: nothing is traced (allowed: together with --trace)", option);
}

static int parse_trace_options(const struct run_options *options, struct trace_options *trace)
{
	*trace = (struct trace_options){.to = SIM_TIME_NEVER};
	if (check_trace_wanted(options) ||
	    (options->trace_from && parse_ns("--trace-from", options->trace_from, &trace->from)) ||
	    (options->trace_to && parse_ns("--trace-to", options->trace_to, &trace->to)) ||
	    (options->trace_categories &&
	     parse_categories(options->trace_categories, &trace->categories)))
		return CLI_EXIT_USER_ERROR;
	if (trace->to <= trace->from)
		return cli_user_error(
			"--trace-to: %s: the window is empty (allowed: more than --trace-from)",
			options->trace_to);
	return 0;
}

/* ---- output folder ----------------------------------------------------------------------------- */

static bool is_result(const char *name)
{
	return !strcmp(name, "metrics.json") || !strcmp(name, "histograms.json") ||
	       !strcmp(name, "host.json") || !strcmp(name, "trace.pftrace");
}

/* One that exists must be empty or hold an earlier run. */
static int check_contents(const char *output, DIR *dir)
{
	const struct dirent *entry;
	bool earlier = false, other = false;

	while ((entry = readdir(dir))) {
		if (is_result(entry->d_name))
			earlier = true;
		else if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			other = true;
	}
	if (other && !earlier)
		return cli_user_error("-o: %s: holds other files (allowed: a new or empty folder, "
				      "or one of an earlier run)",
				      output);
	return 0;
}

static int prepare_output(const char *output)
{
	char path[PATH_MAX];
	DIR *dir;
	int status;

	if (!*output ||
	    snprintf(path, sizeof(path), "%s", output) >= (int)sizeof(path) - LONGEST_FILE_NAME)
		return cli_user_error("-o: %.60s: not a folder's name (allowed: a path)", output);
	if (cli_make_folder(path) || !(dir = opendir(output)))
		return cli_user_error("-o: %s: %s (allowed: a folder that can be written)", output,
				      strerror(errno));
	status = check_contents(output, dir);
	closedir(dir);
	if (!status && access(output, W_OK | X_OK))
		return cli_user_error("-o: %s: %s (allowed: a folder that can be written)", output,
				      strerror(errno));
	return status;
}

/* ---- one run, from its first file to its last --------------------------------------------------- */

struct job {
	const struct run_options *options;
	struct trace_options trace;
	struct platform_result result;
	bool progress;
	double start; /* host time */
};

static double wall_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void output_path(const struct job *job, const char *name, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", job->options->output, name);
}

/* platform_options.begin() */
static int job_begin(void *arg)
{
	struct job *job = arg;
	char path[PATH_MAX];

	if (prepare_output(job->options->output))
		return -1;
	output_path(job, "trace.pftrace", path);
	if (!job->options->trace) {
		unlink(path); /* an earlier run's does not belong to this run's metrics */
		return 0;
	}
	job->trace.path = path;
	if (!trace_open(&job->trace))
		return 0;
	cli_user_error("%s: %s", path, strerror(errno));
	return -1;
}

static json_t *host_json(const struct job *job, double wall_s)
{
	const struct sim_host_counters *host = sim_host_counters();
	const struct platform_result *result = &job->result;
	const double simulated_s = (double)result->duration / 1e12;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:I, s:I, s:I}", "svasim",
			 SVASIM_VERSION, "kernel", result->kernel_version, "systemc",
			 SVASIM_SYSTEMC_VERSION, "compiler", __VERSION__, "flags", SVASIM_FLAGS,
			 "build", SVASIM_BUILD_TYPE, "wall_s", wall_s, "requests_per_wall_s",
			 wall_s > 0 ? (double)result->requests / wall_s : 0.0,
			 "simulated_s_per_wall_s", wall_s > 0 ? simulated_s / wall_s : 0.0,
			 "events", (json_int_t)host->events_fired, "thread_switches",
			 (json_int_t)host->thread_switches, "max_rss_bytes",
			 (json_int_t)usage.ru_maxrss * 1024);
}

static int write_host_json(const struct job *job, double wall_s, const char *path)
{
	json_t *json = host_json(job, wall_s);
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	int error;

	json_decref(json);
	if (!text) {
		errno = ENOMEM;
		return -1;
	}
	error = cli_write_text(path, text);
	free(text);
	return error;
}

/* All are tried; the first that fails is told. */
static int write_results(const struct job *job, const struct platform *platform, double wall_s)
{
	char path[PATH_MAX];
	int status = 0;

	output_path(job, "trace.pftrace", path);
	if (trace_close())
		status = cli_user_error("%s: incomplete: %s", path, strerror(errno));
	output_path(job, "metrics.json", path);
	if (stats_write_json(platform_stats(platform), path) && !status)
		status = cli_user_error("%s: not written: %s", path, strerror(errno));
	output_path(job, "histograms.json", path);
	if (stats_write_histograms(platform_stats(platform), path) && !status)
		status = cli_user_error("%s: not written: %s", path, strerror(errno));
	output_path(job, "host.json", path);
	if (write_host_json(job, wall_s, path) && !status)
		status = cli_user_error("%s: not written: %s", path, strerror(errno));
	return status;
}

static int exit_status(const struct platform_result *result, int write_status)
{
	if (result->status == PLATFORM_INTERRUPTED)
		return EXIT_BY_SIGNAL(result->signal);
	return result->status != PLATFORM_OK ? (int)result->status : write_status;
}

static int job_finish(struct job *job, const struct platform *platform)
{
	const struct platform_result *result = &job->result;
	const double wall_s = wall_seconds() - job->start;
	int status = 0;

	if (job->progress)
		summary_progress_end();
	if (result->status != PLATFORM_USER_ERROR) {
		status = write_results(job, platform, wall_s);
		summary_print(platform_stats(platform), result, wall_s);
		if (!status)
			summary_written(job->options->output, job->options->trace);
	}
	if (result->status != PLATFORM_OK && result->reason[0])
		cli_user_error("%s", result->reason);
	return exit_status(result, status);
}

/* platform_options.emergency() */
static void job_emergency(void *arg, struct platform *platform)
{
	job_finish(arg, platform);
}

/* ---- signals ------------------------------------------------------------------------------------ */

static void on_interrupt(int signal)
{
	platform_interrupt(signal);
}

/* An assertion has failed, or worse. What the run has come to helps to find out why. */
static void on_bug(int signal)
{
	alarm(EMERGENCY_TIMEOUT_S);
	platform_emergency(signal == SIGABRT ? "a bug of the simulator, see above,"
					     : "a bug of the simulator, a bad memory access,");
}

/* AddressSanitizer has more to say about a bad access. */
static void catch_bad_accesses(void)
{
#if !defined(__SANITIZE_ADDRESS__)
	/* of its own, since the one in use may have overflowed */
	static char stack[EMERGENCY_STACK_BYTES];
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	const struct sigaction action = {.sa_handler = on_bug,
					 .sa_flags = (int)SA_RESETHAND | SA_ONSTACK};

	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
#endif
}

static void catch_signals(void)
{
	/* The second time the program just ends. */
	const struct sigaction interrupt = {.sa_handler = on_interrupt,
					    .sa_flags = (int)SA_RESETHAND};
	const struct sigaction bug = {.sa_handler = on_bug, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
	sigaction(SIGHUP, &interrupt, NULL);
	sigaction(SIGABRT, &bug, NULL);
	catch_bad_accesses();
	/* Full files and closed pipes are errors of the write, and must not cost the results. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- the command ------------------------------------------------------------------------------- */

static int run(const struct platform_config *config, struct job *job)
{
	const struct platform_options platform_options = {
		.image_directory = cli_program_directory(),
		.log_level = job->options->log_level,
		.begin = job_begin,
		.progress = job->progress ? summary_progress : NULL,
		.emergency = job_emergency,
		.arg = job,
	};
	struct platform *platform;
	int status;

	catch_signals();
	job->start = wall_seconds();
	platform = platform_run(config, &platform_options, &job->result);
	status = job_finish(job, platform);
	if (!status && job->options->what_if)
		status = whatif(&(struct whatif_run){.platform = job->options->platform,
						     .workload = job->options->workload,
						     .settings = job->options->settings,
						     .setting_count = job->options->setting_count,
						     .output = job->options->output},
				config, platform_stats(platform));
	platform_free(platform);
	return status;
}

int cmd_run(int argc, char **argv)
{
	struct run_options options = {.workload = "copy", .output = "out/run", .log_level = 4};
	struct job job = {.options = &options, .progress = isatty(STDERR_FILENO)};
	const struct workload *workload;
	struct platform_config *config;
	int status = cli_parse(&syntax, argc, argv, take_option, &options);

	if (status != CLI_GO_ON)
		return status;
	workload = platform_workload(options.workload);
	if (!workload)
		return cli_user_error(
			"-w: %s: no such workload (allowed: see 'svasim list workloads')",
			options.workload);
	config = platform_config_new(workload);
	status = parse_trace_options(&options, &job.trace);
	if (!status)
		status = configure(config, &options);
	if (!status)
		status = run(config, &job);
	platform_config_free(config);
	return status;
}
