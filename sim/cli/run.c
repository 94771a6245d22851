/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim run: simulate one machine with one workload.
 *
 * Writes into the output folder: metrics.json (simulated results only: the same inputs give the
 * same bytes), host.json (what the host measured about itself), trace.pftrace with --trace.
 */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/cli/summary.h"
#include "sim/platform/platform.h"
#include "sim/trace/trace.h"

#define MAX_SETTINGS 256

struct run_options {
	const char *platform; /* -c */
	const char *workload;
	const char *settings[MAX_SETTINGS];
	unsigned int setting_count;
	const char *output;
	bool trace;
	const char *trace_from, *trace_to, *trace_categories;
	int log_level;
};

enum { OPT_TRACE = 256, OPT_TRACE_FROM, OPT_TRACE_TO, OPT_TRACE_CATEGORIES };

static const struct argp_option argp_options[] = {
	{"config", 'c', "PLATFORM", 0, "platform file, or the name of one that comes with svasim",
	 0},
	{"workload", 'w', "NAME", 0, "workload (default: copy)", 0},
	{"set", 's', "KEY=VALUE", 0, "set a parameter; may be repeated, the last wins", 0},
	{"output", 'o', "DIR", 0, "output folder (default: out/run)", 0},
	{"trace", OPT_TRACE, NULL, 0, "write DIR/trace.pftrace", 0},
	{"trace-from", OPT_TRACE_FROM, "NS", 0, "begin of the trace's window, in simulated ns", 0},
	{"trace-to", OPT_TRACE_TO, "NS", 0, "end of the trace's window, in simulated ns", 0},
	{"trace-categories", OPT_TRACE_CATEGORIES, "LIST", 0, "only these, separated by commas", 0},
	{"verbose", 'v', NULL, 0, "show the kernel's messages; twice: its debug messages, too", 0},
	{0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct run_options *options = state->input;

	switch (key) {
	case 'c':
		options->platform = arg;
		return 0;
	case 'w':
		options->workload = arg;
		return 0;
	case 's':
		if (options->setting_count == MAX_SETTINGS)
			argp_error(state, "more than %d settings", MAX_SETTINGS);
		options->settings[options->setting_count++] = arg;
		return 0;
	case 'o':
		options->output = arg;
		return 0;
	case OPT_TRACE:
		options->trace = true;
		return 0;
	case OPT_TRACE_FROM:
		options->trace_from = arg;
		return 0;
	case OPT_TRACE_TO:
		options->trace_to = arg;
		return 0;
	case OPT_TRACE_CATEGORIES:
		options->trace_categories = arg;
		return 0;
	case 'v':
		options->log_level = options->log_level < 7 ? 7 : 8;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: unexpected argument", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
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

static int parse_ns(const char *option, const char *text, sim_time *ps)
{
	char *end;
	unsigned long long ns;

	errno = 0;
	ns = strtoull(text, &end, 10);
	if (end == text || *end || errno || *text == '-' || ns > SIM_TIME_NEVER / 1000)
		return cli_user_error("%s: %s: not a time (allowed: nanoseconds, 0..%llu)", option,
				      text, (unsigned long long)(SIM_TIME_NEVER / 1000));
	*ps = SIM_NS(ns);
	return 0;
}

static int open_trace(const struct run_options *options)
{
	struct trace_options trace = {.to = SIM_TIME_NEVER};
	char path[4096];

	if (options->trace_from && parse_ns("--trace-from", options->trace_from, &trace.from))
		return CLI_EXIT_USER_ERROR;
	if (options->trace_to && parse_ns("--trace-to", options->trace_to, &trace.to))
		return CLI_EXIT_USER_ERROR;
	if (trace.to <= trace.from)
		return cli_user_error(
			"--trace-to: %s: the window is empty (allowed: more than --trace-from)",
			options->trace_to);
	if (options->trace_categories) {
		const char *bad;

		if (trace_parse_categories(options->trace_categories, &trace.categories, &bad)) {
			char allowed[256] = "";

			for (int i = 0; i < TRACE_CATEGORY_COUNT; i++) {
				strncat(allowed, i ? ", " : "",
					sizeof(allowed) - strlen(allowed) - 1);
				strncat(allowed, trace_category_names[i],
					sizeof(allowed) - strlen(allowed) - 1);
			}
			return cli_user_error(
				"--trace-categories: %.*s: no such category (allowed: %s)",
				(int)strcspn(bad, ","), bad, allowed);
		}
	}
	if (!options->trace)
		return 0;
	snprintf(path, sizeof(path), "%s/trace.pftrace", options->output);
	trace.path = path;
	if (trace_open(&trace))
		return cli_user_error("%s: %s", path, strerror(errno));
	return 0;
}

/* ---- output folder ----------------------------------------------------------------------------- */

static int make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) && errno != EEXIST) {
			*slash = '/';
			return -1;
		}
		*slash = '/';
	}
	return mkdir(path, 0777) && errno != EEXIST ? -1 : 0;
}

/* The folder is made; one that exists must be empty or hold an earlier run. */
static int prepare_output(const char *output)
{
	char path[4096];
	struct dirent *entry;
	bool earlier = false, other = false;
	DIR *dir;

	if (snprintf(path, sizeof(path), "%s", output) >= (int)sizeof(path) - 32 || !*output)
		return cli_user_error("-o: %s: not a folder's name", output);
	if (make_parents(path))
		return cli_user_error("-o: %s: %s", output, strerror(errno));
	dir = opendir(output);
	if (!dir)
		return cli_user_error("-o: %s: %s", output, strerror(errno));
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, "metrics.json") || !strcmp(entry->d_name, "host.json"))
			earlier = true;
		else if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			other = true;
	}
	closedir(dir);
	if (other && !earlier)
		return cli_user_error("-o: %s: holds other files (allowed: a new or empty folder, "
				      "or one of an earlier run)",
				      output);
	if (access(output, W_OK | X_OK))
		return cli_user_error("-o: %s: %s", output, strerror(errno));
	snprintf(path, sizeof(path), "%s/trace.pftrace", output);
	unlink(path); /* an earlier run's trace does not belong to this run's metrics */
	return 0;
}

static int write_host_json(const struct run_options *options, const struct platform_result *result,
			   double wall_s)
{
	const struct sim_host_counters *host = sim_host_counters();
	char path[4096];
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:I, s:I}", "svasim",
				 SVASIM_VERSION, "compiler", __VERSION__, "kernel",
				 result->kernel_version ? result->kernel_version : "none", "build",
				 SVASIM_BUILD_TYPE, "wall_s", wall_s, "requests_per_wall_s",
				 wall_s > 0 ? (double)result->requests / wall_s : 0.0,
				 "simulated_s_per_wall_s",
				 wall_s > 0 ? (double)result->duration / 1e12 / wall_s : 0.0,
				 "events", (json_int_t)host->events_fired, "thread_switches",
				 (json_int_t)host->thread_switches);

	snprintf(path, sizeof(path), "%s/host.json", options->output);
	if (!json || json_dump_file(json, path, JSON_INDENT(2))) {
		json_decref(json);
		return cli_user_error("%s: %s", path, strerror(errno));
	}
	json_decref(json);
	return 0;
}

/* ---- the command ------------------------------------------------------------------------------- */

static double wall_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int write_results(const struct run_options *options, const struct platform *platform,
			 const struct platform_result *result, double wall_s)
{
	char path[4096];
	int status = 0;

	if (trace_close())
		status = cli_user_error("%s/trace.pftrace: incomplete: %s", options->output,
					strerror(errno));
	snprintf(path, sizeof(path), "%s/metrics.json", options->output);
	if (stats_write_json(platform_stats(platform), path))
		status = cli_user_error("%s: %s", path, strerror(errno));
	if (write_host_json(options, result, wall_s))
		status = CLI_EXIT_USER_ERROR;
	return status;
}

static int run(struct platform_config *config, const struct run_options *options)
{
	struct platform_options platform_options = {
		.image_directory = cli_program_directory(),
		.log_level = options->log_level,
	};
	struct platform_result result;
	struct platform *platform;
	double start, wall_s;
	int status;

	if (prepare_output(options->output) || open_trace(options))
		return CLI_EXIT_USER_ERROR;
	if (isatty(STDERR_FILENO))
		platform_options.progress = summary_progress;
	start = wall_seconds();
	platform = platform_run(config, &platform_options, &result);
	wall_s = wall_seconds() - start;
	if (platform_options.progress)
		summary_progress_end();
	status = result.status == PLATFORM_USER_ERROR
			 ? 0
			 : write_results(options, platform, &result, wall_s);
	if (result.status != PLATFORM_USER_ERROR)
		summary_print(platform_stats(platform), &result, options->output, options->trace,
			      wall_s);
	if (result.status != PLATFORM_OK)
		fprintf(stderr, "svasim: %s\n", result.reason);
	platform_free(platform);
	return result.status != PLATFORM_OK ? (int)result.status : status;
}

int cmd_run(int argc, char **argv)
{
	static const struct argp argp = {
		argp_options, parse_option, NULL, "Simulate one machine with one workload.",
		NULL,	      NULL,	    NULL};
	struct run_options options = {.workload = "copy", .output = "out/run", .log_level = 4};
	const struct workload *workload;
	struct platform_config *config;
	int status;

	argp_err_exit_status = CLI_EXIT_USER_ERROR;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &options);
	workload = platform_workload(options.workload);
	if (!workload)
		return cli_user_error(
			"-w: %s: no such workload (allowed: see 'svasim list workloads')",
			options.workload);
	config = platform_config_new(workload);
	status = configure(config, &options);
	if (!status)
		status = run(config, &options);
	platform_config_free(config);
	return status;
}
