/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cases of svasim bench: bare events, and machines that copy. What a machine costs is taken
 * over the measured window, so that boot, warm-up and shutdown are not in it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/cli/bench.h"
#include "sim/cli/cli.h"
#include "sim/platform/bench_systemc.h"
#include "sim/platform/platform.h"

/* ---- bare events -------------------------------------------------------------------------------- */

static int run_systemc_events(const struct bench_case *which, uint64_t operations,
			      struct bench_figures *figures)
{
	(void)which;
	meter_begin(&figures->meter);
	bench_systemc_events(operations);
	meter_end(&figures->meter);
	figures->operations = (double)operations;
	return 0;
}

struct ticker {
	struct sim_event event;
	uint64_t left;
};

static void tick(void *arg)
{
	struct ticker *ticker = arg;

	if (ticker->left-- > 0)
		sim_event_after(&ticker->event, SIM_NS(1));
}

static int run_engine_events(const struct bench_case *which, uint64_t operations,
			     struct bench_figures *figures)
{
	struct ticker ticker = {.left = operations};

	(void)which;
	sim_event_init(&ticker.event, tick, &ticker);
	sim_event_after(&ticker.event, SIM_NS(1));
	meter_begin(&figures->meter);
	sim_run(NULL);
	meter_end(&figures->meter);
	figures->operations = (double)operations;
	return 0;
}

/* ---- machines ----------------------------------------------------------------------------------- */

static const char *const common_settings[] = {
	"workload.inflight=64",
	"accel.dma_burst_bytes=4096",
	NULL,
};

static const char *const copy_settings[] = {
	"workload.bytes=4096",
	"workload.poll=spin",
	"workload.verify=false", /* an instrument of ours, not the machine's */
	NULL,
};

struct job {
	const struct bench_case *which;
	struct bench_figures *figures;
	char folder[64], trace[96];
};

static void on_window(void *arg, enum life_window_edge edge)
{
	struct job *job = arg;

	if (edge == LIFE_WINDOW_BEGIN)
		meter_begin(&job->figures->meter);
	else
		meter_end(&job->figures->meter);
}

static int on_begin(void *arg)
{
	struct job *job = arg;
	const struct trace_options options = {.path = job->trace, .to = SIM_TIME_NEVER};

	if (!job->which->trace)
		return 0;
	snprintf(job->folder, sizeof(job->folder), "/tmp/svasim-bench-XXXXXX");
	if (mkdtemp(job->folder)) {
		snprintf(job->trace, sizeof(job->trace), "%s/trace.pftrace", job->folder);
		if (!trace_open(&options))
			return 0;
	}
	cli_user_error("%s: %s", job->folder, strerror(errno));
	return -1;
}

/* The length of the next packet of a trace: field 1 of the outermost message (protobuf). -1 at the end. */
static long packet_length(FILE *file)
{
	unsigned long length = 0;

	if (fgetc(file) != 0x0a)
		return -1;
	for (int shift = 0; shift < 35; shift += 7) {
		const int c = fgetc(file);

		if (c == EOF)
			return -1;
		length |= (unsigned long)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return (long)length;
	}
	return -1;
}

static int finish_trace(struct job *job)
{
	FILE *file;
	long length;

	if (!job->which->trace)
		return 0;
	if (trace_close() || !(file = fopen(job->trace, "rb")))
		return cli_user_error("%s: %s", job->trace, strerror(errno));
	while ((length = packet_length(file)) >= 0 && !fseek(file, length, SEEK_CUR))
		job->figures->trace_packets++;
	fseek(file, 0, SEEK_END);
	job->figures->trace_bytes = (uint64_t)ftell(file);
	fclose(file);
	unlink(job->trace);
	rmdir(job->folder);
	return 0;
}

static int assign(struct platform_config *config, const struct bench_case *which,
		  const char *const *settings)
{
	struct param_error error;

	for (; *settings; settings++)
		if (param_assign(config->params, which->name, *settings, &error))
			return cli_user_error("%s", error.text);
	return 0;
}

static int configure(struct platform_config *config, const struct bench_case *which,
		     uint64_t requests)
{
	static const char *const nothing[] = {NULL};
	char text[64];
	const char *const operations[] = {text, NULL};
	struct param_error error;

	snprintf(text, sizeof(text), "workload.requests=%llu", (unsigned long long)requests);
	if (assign(config, which, operations) || assign(config, which, common_settings) ||
	    assign(config, which, which->workload ? nothing : copy_settings) ||
	    assign(config, which, which->settings))
		return CLI_EXIT_USER_ERROR;
	return platform_config_check(config, &error) ? cli_user_error("%s", error.text) : 0;
}

static int simulate(const struct platform_config *config, struct job *job)
{
	const struct platform_options options = {
		.image_directory = cli_program_directory(),
		.begin = on_begin,
		.window = on_window,
		.arg = job,
		.log_level = 4,
	};
	struct platform_result result;
	struct platform *platform = platform_run(config, &options, &result);
	int status = 0;

	if (result.status != PLATFORM_OK) {
		cli_user_error("%s: %s", job->which->name, result.reason);
		status = (int)result.status;
	} else {
		stats_get(platform_stats(platform), "throughput.requests",
			  &job->figures->operations);
		status = finish_trace(job);
	}
	platform_free(platform);
	return status;
}

static int run_machine(const struct bench_case *which, uint64_t operations,
		       struct bench_figures *figures)
{
	struct platform_config *config =
		platform_config_new(which->workload ? which->workload : platform_workload("copy"));
	struct job job = {.which = which, .figures = figures};
	int status = configure(config, which, operations);

	if (!status)
		status = simulate(config, &job);
	platform_config_free(config);
	return status;
}

/* ---- the table ---------------------------------------------------------------------------------- */

#define MACHINE .operation = "request", .run = run_machine, .operations = 20000

/* The first two are the units that the others are told in. */
const struct bench_case bench_cases[] = {
	{.name = "systemc",
	 .help = "bare SystemC: sc_event and SC_METHOD",
	 .operation = "event",
	 .run = run_systemc_events,
	 .operations = 2000000},
	{.name = "engine",
	 .help = "the same through the engine",
	 .operation = "event",
	 .run = run_engine_events,
	 .operations = 2000000},
	{.name = "copy",
	 .help = "4 KiB copies, 64 in flight, no faults, no trace, spinning",
	 MACHINE},
	{.name = "copy-traced", .help = "the same, traced", MACHINE, .trace = true},
	{.name = "copy-verified",
	 .help = "the same, results compared",
	 MACHINE,
	 .settings = {"workload.verify=true"}},
	{.name = "queues-64",
	 .help = "64 queues in 8 threads, 1 in flight each",
	 MACHINE,
	 .settings = {"workload.threads=8", "workload.queues=8", "workload.inflight=1"}},
	{.name = "queues-512",
	 .help = "512 queues in 8 threads, 1 in flight each",
	 MACHINE,
	 .settings = {"workload.threads=8", "workload.queues=64", "workload.inflight=1"}},
	{.name = "processes-1000",
	 .help = "1,000 processes with 1 queue and 1 in flight each",
	 MACHINE,
	 .settings = {"workload.processes=1000", "workload.inflight=1"}},
	{.name = "footprint-4K",
	 .help = "4 KiB copies, 64 in flight, between two pages",
	 MACHINE,
	 .workload = &bench_footprint,
	 .settings = {"workload.footprint_bytes=8KiB"}},
	{.name = "footprint-64G",
	 .help = "the same, between random pages of 64 GiB",
	 MACHINE,
	 .workload = &bench_footprint,
	 .settings = {"workload.footprint_bytes=64GiB", "machine.ram_bytes=128GiB"}},
	{.name = "hit-64",
	 .help = "SMMU alone: TLB hits, 64 entries",
	 .operation = "transaction",
	 .run = bench_translation_hit,
	 .operations = 500000,
	 .number = 64},
	{.name = "hit-1024",
	 .help = "SMMU alone: TLB hits, 1,024 entries",
	 .operation = "transaction",
	 .run = bench_translation_hit,
	 .operations = 500000,
	 .number = 1024},
	{.name = "hit-65536",
	 .help = "SMMU alone: TLB hits, 65,536 entries",
	 .operation = "transaction",
	 .run = bench_translation_hit,
	 .operations = 500000,
	 .number = 65536},
	{.name = "walk",
	 .help = "SMMU alone: four-level walks, random over 4,096 pages",
	 .operation = "transaction",
	 .run = bench_translation_walk,
	 .operations = 100000,
	 .number = 16},
};

const unsigned int bench_case_count = sizeof(bench_cases) / sizeof(bench_cases[0]);
