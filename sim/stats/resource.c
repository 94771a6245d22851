/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Utilisation and mean queue length of contended resources, as metrics.
 */
#include <stdio.h>

#include "sim/stats/alloc.h"
#include "sim/stats/resource_list.h"
#include "sim/stats/waits.h"

#define NAME_BYTES 128

const char *const wait_cause_names[WAIT_CAUSE_COUNT] = {
	[WAIT_CPU] = "cpu",
	[WAIT_DOORBELL] = "doorbell",
	[WAIT_QUEUE] = "queue",
	[WAIT_ENGINE] = "engine",
	[WAIT_COMPUTE] = "compute",
	[WAIT_DMA_SLOT] = "dma_slot",
	[WAIT_TRANSLATION] = "translation",
	[WAIT_WALK_SLOT] = "walk_slot",
	[WAIT_WALK] = "walk",
	[WAIT_PAGE_FAULT] = "page_fault",
	[WAIT_LINK] = "link",
	[WAIT_BANDWIDTH] = "bandwidth",
	[WAIT_MEMORY] = "memory",
	[WAIT_COMPLETION] = "completion",
};

void resource_init(struct resource *resource, uint32_t servers)
{
	*resource = (struct resource){.servers = servers};
}

/* An integral up to now; what was computed ahead may lie beyond it. */
static double integral(uint64_t sum, uint32_t level, const struct resource *resource)
{
	const sim_time now = sim_now();

	return (double)sum +
	       (double)level * (double)(now > resource->changed ? now - resource->changed : 0);
}

static struct resource_snapshot snapshot(const struct resource *resource)
{
	return (struct resource_snapshot){
		.at = sim_now(),
		.busy_ps = integral(resource->busy_ps, resource->busy, resource),
		.waiting_ps = integral(resource->waiting_ps, resource->waiting, resource),
	};
}

static struct resource_snapshot window_end(const struct resource_entry *entry)
{
	return entry->list->ended ? entry->end : snapshot(entry->resource);
}

static double utilisation(const void *arg)
{
	const struct resource_entry *entry = arg;
	const struct resource_snapshot end = window_end(entry);

	if (end.at <= entry->begin.at || !entry->resource->servers)
		return 0;
	return (end.busy_ps - entry->begin.busy_ps) /
	       ((double)entry->resource->servers * (double)(end.at - entry->begin.at));
}

static double queue_mean(const void *arg)
{
	const struct resource_entry *entry = arg;
	const struct resource_snapshot end = window_end(entry);

	if (end.at <= entry->begin.at)
		return 0;
	return (end.waiting_ps - entry->begin.waiting_ps) / (double)(end.at - entry->begin.at);
}

void resource_window_begin(struct stats *stats)
{
	struct resource_list *list = stats_resources(stats);

	for (size_t i = 0; i < list->count; i++)
		list->entries[i]->begin = snapshot(list->entries[i]->resource);
	list->ended = false;
}

void resource_window_end(struct stats *stats)
{
	struct resource_list *list = stats_resources(stats);

	for (size_t i = 0; i < list->count; i++)
		list->entries[i]->end = snapshot(list->entries[i]->resource);
	list->ended = true;
}

static uint64_t servers(const void *arg)
{
	return ((const struct resource *)arg)->servers;
}

static uint64_t queue_max(const void *arg)
{
	return ((const struct resource *)arg)->waiting_max;
}

void resource_register(struct stats *stats, const char *name, const struct resource *resource,
		       const char *help)
{
	struct resource_list *list = stats_resources(stats);
	struct resource_entry *entry = must_calloc(1, sizeof(*entry));
	char full[NAME_BYTES];

	list->entries = must_realloc(list->entries, list->count + 1, sizeof(*list->entries));
	list->entries[list->count++] = entry;
	*entry = (struct resource_entry){
		.name = must_strdup(name), .resource = resource, .list = list};
	snprintf(full, sizeof(full), "%s.servers", name);
	stats_computed_u64(stats, full, servers, resource, "count", help);
	snprintf(full, sizeof(full), "%s.utilisation", name);
	stats_computed(stats, full, utilisation, entry, "1",
		       "busy time / (servers x time), in the measured window");
	snprintf(full, sizeof(full), "%s.queue_mean", name);
	stats_computed(stats, full, queue_mean, entry, "count",
		       "time average of what waits for it, in the measured window");
	snprintf(full, sizeof(full), "%s.queue_max", name);
	stats_computed_u64(stats, full, queue_max, resource, "count",
			   "most that ever waited for it");
	snprintf(full, sizeof(full), "%s.served", name);
	stats_counter(stats, full, &resource->served, "count", "services");
	snprintf(full, sizeof(full), "%s.busy_ps", name);
	stats_counter(stats, full, &resource->busy_ps, "ps",
		      "busy time of all servers, up to the last change");
}

bool resource_bottleneck(const struct stats *stats, struct resource_load *load)
{
	const struct resource_list *list = stats_resources((struct stats *)(uintptr_t)stats);
	const struct resource_entry *best = NULL;
	double highest = 0, best_use = 0;

	for (size_t i = 0; i < list->count; i++) {
		const double use = utilisation(list->entries[i]);

		if (use > highest)
			highest = use;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct resource_entry *entry = list->entries[i];
		const double use = utilisation(entry);

		if (use < highest - RESOURCE_SAME)
			continue;
		if (!best || best->resource->holds > entry->resource->holds ||
		    (best->resource->holds == entry->resource->holds && use > best_use)) {
			best = entry;
			best_use = use;
		}
	}
	if (!best)
		return false;
	*load = (struct resource_load){best->name, best_use, queue_mean(best)};
	return true;
}

void resource_visit(const struct stats *stats, resource_visit_fn fn, void *arg)
{
	const struct resource_list *list = stats_resources((struct stats *)(uintptr_t)stats);

	for (size_t i = 0; i < list->count; i++)
		fn(arg, list->entries[i]->name, utilisation(list->entries[i]),
		   queue_mean(list->entries[i]));
}

void resource_list_free(struct resource_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->entries[i]->name);
		free(list->entries[i]);
	}
	free(list->entries);
}
