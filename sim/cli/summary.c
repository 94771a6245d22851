/* SPDX-License-Identifier: BSD-3-Clause */
/* The summary of a run, for people; programs read metrics.json. */
#include <math.h>
#include <stdio.h>

#include "sim/cli/summary.h"
#include "sim/stats/life.h"
#include "sim/stats/resource.h"

#define BAR_WIDTH    40
#define REDRAW_EVERY 10000 /* requests, where a percent is more */
#define ERASE_TO_END "\r\033[K"

static bool progress_shown;

void summary_progress(void *arg, uint64_t received, uint64_t expected)
{
	static uint64_t shown_percent;
	const uint64_t percent = expected ? received * 100 / expected : 0;
	char bar[BAR_WIDTH + 1];

	(void)arg;
	if (progress_shown && percent == shown_percent && received % REDRAW_EVERY)
		return;
	progress_shown = true;
	shown_percent = percent;
	for (unsigned int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i * 100 < percent * BAR_WIDTH ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %3llu %%  %llu of %llu requests", bar, (unsigned long long)percent,
		(unsigned long long)received, (unsigned long long)expected);
}

void summary_progress_end(void)
{
	if (progress_shown)
		fputs(ERASE_TO_END, stderr);
}

static double get(const struct stats *stats, const char *name)
{
	double value = 0;

	stats_get(stats, name, &value);
	return value;
}

/* A time in the unit that reads best. */
static void print_time(const char *label, double ns)
{
	if (ns < 1e4)
		printf("%s%.0f ns", label, ns);
	else if (ns < 1e7)
		printf("%s%.1f us", label, ns / 1e3);
	else
		printf("%s%.2f ms", label, ns / 1e6);
}

static void print_latency(const struct stats *stats, const char *title, const char *name)
{
	static const char *const parts[] = {"mean", "p50", "p99", "max"};
	char key[128];

	printf("  %-12s", title);
	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char label[16];

		snprintf(key, sizeof(key), "%s.%s", name, parts[i]);
		snprintf(label, sizeof(label), "  %s ", parts[i]);
		print_time(label, get(stats, key));
	}
	printf("\n");
}

static void print_fault_stages(const struct stats *stats, double count)
{
	printf("  %-12s", "");
	for (int stage = FAULT_DETECTED + 1; stage < FAULT_STAGE_COUNT; stage++) {
		char key[128], label[64];

		snprintf(key, sizeof(key), "fault_ns.%s.sum_ps", fault_stage_names[stage]);
		snprintf(label, sizeof(label), "  %s ", fault_stage_names[stage]);
		print_time(label, get(stats, key) / 1e3 / count);
	}
	printf("  (mean time to reach each stage from the one before)\n");
}

/* What limits the run, in a line: the resource with the highest utilisation, and what the requests around the
 * median waited for most. */
static void print_bottleneck(const struct stats *stats)
{
	struct resource_load busiest = {0};
	double share = 0;
	int largest = 0;

	for (int cause = 0; cause < WAIT_CAUSE_COUNT; cause++) {
		char key[64];

		snprintf(key, sizeof(key), "waits.%s.median_share", wait_cause_names[cause]);
		if (get(stats, key) > share) {
			share = get(stats, key);
			largest = cause;
		}
	}
	resource_bottleneck(stats, &busiest);
	if (!busiest.name && share == 0)
		return;
	printf("  %-12s", "bottleneck");
	if (busiest.name)
		printf("  %s %.0f %% busy, %.1f waiting%s", busiest.name, 100 * busiest.utilisation,
		       busiest.queue_mean, share > 0 ? ";" : "");
	if (share > 0)
		printf("  the median request waited for %s most, %.0f %% of its time%s",
		       wait_cause_names[largest], 100 * share,
		       get(stats, "life.waits_missing") > 0 ? " (told from its stages)" : "");
	printf("\n");
}

static void print_throughput(const struct stats *stats)
{
	const double rate = get(stats, "throughput.bytes_per_s"),
		     width = get(stats, "throughput.ci95_bytes_per_s");

	printf("  %-12s  %.0f completed, %.0f in error, %.2f GB/s", "requests",
	       get(stats, "requests.completed"), get(stats, "requests.errors"), rate / 1e9);
	if (rate > 0 && isfinite(width))
		printf(" ± %.1f %%", 100 * width / rate);
	if (get(stats, "requests.warm_up") > 0)
		printf(", after a warm-up of %.0f", get(stats, "requests.warm_up"));
	printf("\n");
}

static void print_warnings(const struct stats *stats)
{
	const double received = get(stats, "latency.count"), wanted = get(stats, "requests.wanted");

	if (received > 0 && received < wanted)
		printf("  %-12s  %.0f requests are few: figures to rely on take %.0f\n", "warning",
		       received, wanted);
}

void summary_print(const struct stats *stats, const struct platform_result *result, double wall_s)
{
	const double faults = get(stats, "faults.stall_events");
	const double tlb_hits = get(stats, "smmu.micro_tlb.hits") + get(stats, "smmu.tlb.hits"),
		     tlb_misses = get(stats, "smmu.tlb.misses");

	printf("Linux %s, %.3f ms simulated in %.2f s\n",
	       result->kernel_version ? result->kernel_version : "-",
	       (double)result->duration / 1e9, wall_s);
	print_throughput(stats);
	print_latency(stats, "latency", "latency_ns");
	print_latency(stats, "doorbell", "doorbell.latency_ns");
	printf("  %-12s  %.0f stall events, %.0f handled, %.0f pages installed\n", "I/O faults",
	       faults, get(stats, "faults.handled"), get(stats, "faults.ptes_installed"));
	if (faults > 0) {
		print_latency(stats, "fault", "fault_ns.total");
		print_fault_stages(stats, faults);
	}
	if (tlb_hits + tlb_misses > 0)
		printf("  %-12s  %.1f %% hits, %.0f walks\n", "SMMU TLB",
		       100 * tlb_hits / (tlb_hits + tlb_misses), get(stats, "smmu.walks"));
	print_bottleneck(stats);
	print_warnings(stats);
}

void summary_written(const char *output, bool trace)
{
	printf("  %-12s  %s/metrics.json%s\n", "written", output,
	       trace ? ", trace.pftrace (open it in ui.perfetto.dev)" : "");
}
