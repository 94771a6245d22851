/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim open TRACE: hands a trace to Perfetto's user interface.
 *
 * The interface is a web page that works in the browser alone. Its content policy lets it fetch from
 * 127.0.0.1:9001, so that is where the trace is served; the link names it, the tracks to pin, and the
 * time to look at.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/cli/cli.h"
#include "sim/cli/http_file.h"
#include "sim/cli/options.h"
#include "sim/trace/extent.h"

#define UI_ORIGIN "https://ui.perfetto.dev"
#define UI_PORT	  9001 /* what the interface may fetch from */
#define TARGET	  "/trace.pftrace"

#define VIEW_LATENCIES 5  /* mean latencies of a request that the first view shows */
#define VIEW_PART      50 /* without metrics, this part of the trace */

/* Commands of the interface that its documentation calls stable. */
static const char startup_commands[] = "[{\"id\":\"dev.perfetto.ExpandTracksByRegex\",\"args\":[\"^"
				       "(svasim \\\\(simulated ns\\\\)|accel0|queues)$\"]},"
				       "{\"id\":\"dev.perfetto.PinTracksByRegex\",\"args\":[\"^("
				       "queue 0( in flight)?|faults( in progress)?|walkers)$\"]}]";

struct open_options {
	const char *trace;
	const char *ui;
	uint16_t port;
	bool once;
	bool at_given;
	uint64_t at_ns;
};

enum open_option {
	OPTION_AT,
	OPTION_PORT,
	OPTION_ONCE,
	OPTION_UI,
};

static const struct cli_option option_table[] = {
	[OPTION_AT] = {"at", 0, "NS", "look at this simulated time first (default: the middle)"},
	[OPTION_PORT] = {"port", 0, "N", "serve on this port (default 9001; 0: any free one)"},
	[OPTION_ONCE] = {"once", 0, NULL, "end when the trace was fetched"},
	[OPTION_UI] = {"ui", 0, "ORIGIN",
		       "the user interface's web origin (default " UI_ORIGIN ")"},
};

static const struct cli_syntax syntax = {
	.command = "open",
	.operand = "TRACE",
	.help = "Serves a trace, or the trace in a run's folder, to Perfetto's user interface.",
	.options = option_table,
	.count = sizeof(option_table) / sizeof(option_table[0]),
};

static bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end && !errno && *number <= max;
}

/* scheme://host[:port], as a browser writes it in "Origin:" */
static bool is_origin(const char *text)
{
	const char *host = strstr(text, "://");

	if (!host || (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0))
		return false;
	host += 3;
	return *host && strlen(host) < 256 &&
	       host[strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]")] == '\0';
}

static int take(void *arg, size_t option, const char *value)
{
	struct open_options *options = arg;
	uint64_t number;

	switch (option) {
	case CLI_OPERAND:
		if (options->trace)
			return cli_user_error("open: %s: unexpected argument (allowed: one trace)",
					      value);
		options->trace = value;
		return 0;
	case OPTION_AT:
		options->at_given = true;
		if (!parse_number(value, UINT64_MAX / 1000, &options->at_ns))
			return cli_user_error("open: --at: %s (allowed: nanoseconds, 0..)", value);
		return 0;
	case OPTION_PORT:
		if (!parse_number(value, UINT16_MAX, &number))
			return cli_user_error("open: --port: %s (allowed: 0..65535)", value);
		options->port = (uint16_t)number;
		return 0;
	case OPTION_ONCE:
		options->once = true;
		return 0;
	default:
		if (!is_origin(value))
			return cli_user_error("open: --ui: %s (allowed: http://HOST[:PORT] or "
					      "https://HOST[:PORT], lower case)",
					      value);
		options->ui = value;
		return 0;
	}
}

/* ---- the trace --------------------------------------------------------------------------------- */

struct trace_file {
	char path[PATH_MAX];
	char folder[PATH_MAX]; /* where its run's metrics.json may be */
	off_t size;
	struct trace_extent extent; /* 0 and 0: not known */
};

static bool is_compressed(const char *path)
{
	unsigned char magic[2] = {0};
	FILE *file = fopen(path, "r");
	bool is = file && fread(magic, 1, 2, file) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;

	if (file)
		fclose(file);
	return is;
}

static int find_trace(const char *name, struct trace_file *trace)
{
	struct stat info;
	char *slash;

	if (stat(name, &info))
		return cli_user_error("open: %s: %s (allowed: a trace, or a run's folder)", name,
				      strerror(errno));
	if (snprintf(trace->path, sizeof(trace->path), "%s%s", name,
		     S_ISDIR(info.st_mode) ? TARGET : "") >= (int)sizeof(trace->path))
		return cli_user_error("open: %.60s...: %s", name, strerror(ENAMETOOLONG));
	if (stat(trace->path, &info))
		return cli_user_error("open: %s: %s (allowed: a folder of 'svasim run --trace')",
				      trace->path, strerror(errno));
	trace->size = info.st_size;
	if ((!S_ISREG(info.st_mode) || trace_read_extent(trace->path, &trace->extent)) &&
	    !is_compressed(trace->path))
		return cli_user_error("open: %s: not a trace (allowed: what 'svasim run --trace' "
				      "wrote, or that compressed by gzip)",
				      trace->path);
	memcpy(trace->folder, trace->path, sizeof(trace->folder));
	slash = strrchr(trace->folder, '/');
	snprintf(slash ? slash : trace->folder, 3, slash ? "/" : "./");
	return 0;
}

/* Mean latency of the run's requests; 0 if there are no metrics beside the trace. */
static uint64_t mean_latency_ns(const struct trace_file *trace)
{
	char path[PATH_MAX + sizeof("metrics.json")];
	double mean;
	json_t *metrics;

	snprintf(path, sizeof(path), "%smetrics.json", trace->folder);
	metrics = json_load_file(path, 0, NULL);
	mean = json_number_value(json_object_get(json_object_get(metrics, "latency_ns"), "mean"));
	json_decref(metrics);
	return mean > 0 && mean < 1e15 ? (uint64_t)mean : 0;
}

struct view {
	uint64_t from_ns, to_ns; /* the same: all there is */
};

/* A few requests are what can be read; all of a run is a solid block. */
static struct view first_view(const struct trace_file *trace, const struct open_options *options)
{
	const struct trace_extent *extent = &trace->extent;
	const uint64_t whole = extent->last_ns - extent->first_ns;
	uint64_t width = mean_latency_ns(trace) * VIEW_LATENCIES;
	uint64_t centre = extent->first_ns + whole / 2;

	if (!width)
		width = whole / VIEW_PART;
	if (!width)
		width = 1000;
	if (options->at_given)
		centre = options->at_ns;
	else if (width >= whole)
		return (struct view){0, 0};
	centre -= centre > width / 2 ? width / 2 : centre;
	return (struct view){centre, centre + width};
}

/* ---- what is said ------------------------------------------------------------------------------ */

static void print_escaped(const char *text)
{
	for (; *text; text++)
		if (isalnum((unsigned char)*text) || strchr("-_.~", *text))
			putchar(*text);
		else
			printf("%%%02X", (unsigned char)*text);
}

static void print_link(const struct open_options *options, uint16_t port, const struct view *view)
{
	printf("  %s/#!/?url=http://127.0.0.1:%u%s", options->ui, port, TARGET);
	if (port != UI_PORT)
		printf("&rpc_port=%u", port);
	if (view->to_ns > view->from_ns)
		printf("&visStart=%" PRIu64 "&visEnd=%" PRIu64, view->from_ns, view->to_ns);
	printf("&startupCommands=");
	print_escaped(startup_commands);
	printf("\n\n");
}

static void print_what_to_do(const struct trace_file *trace, const struct open_options *options,
			     uint16_t port, const struct view *view)
{
	printf("%s, %.1f MB. Open in a browser on this machine:\n\n", trace->path,
	       (double)trace->size / 1e6);
	print_link(options, port, view);
	if (port != UI_PORT)
		printf("The user interface fetches from port %u only if its flag 'Relax Content "
		       "Security Policy for 127.0.0.1:*' is on.\n",
		       port);
	printf("The trace goes from here to the browser and nowhere else. Without a network, "
	       "docs/traces.md: SQL, or a local user interface (--ui).\n"
	       "%s\n",
	       options->once ? "Ends when the trace was fetched." : "Ctrl-C ends it.");
}

int cmd_open(int argc, char **argv)
{
	struct open_options options = {.ui = UI_ORIGIN, .port = UI_PORT};
	static struct trace_file trace;
	struct http_file file = {.path = trace.path, .target = TARGET};
	struct view view;
	int listener, status = cli_parse(&syntax, argc, argv, take, &options);

	if (status != CLI_GO_ON)
		return status;
	if (!options.trace)
		return cli_user_error("open: what? (allowed: a trace, or a run's folder)");
	status = find_trace(options.trace, &trace);
	if (status)
		return status;
	listener = http_file_listen(&options.port);
	if (listener < 0)
		return cli_user_error("open: --port: %u: %s (allowed: one that is free; a trace "
				      "processor, too, serves on %u)",
				      options.port, strerror(errno), UI_PORT);
	view = first_view(&trace, &options);
	print_what_to_do(&trace, &options, options.port, &view);
	if (fflush(stdout)) {
		close(listener);
		return cli_user_error("standard output: %s", strerror(errno));
	}
	file.origin = options.ui;
	file.once = options.once;
	if (http_file_serve(&file, listener, options.port))
		return cli_user_error("open: %s", strerror(errno));
	return 0;
}
