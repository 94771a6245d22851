/* SPDX-License-Identifier: BSD-3-Clause */
/* The resources of a registry, in the order of registration. Private to sim/stats. */
#ifndef SIM_STATS_RESOURCE_LIST_H
#define SIM_STATS_RESOURCE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/stats/resource.h"

/* The integrals at an edge of the window. */
struct resource_snapshot {
	sim_time at;
	double busy_ps, waiting_ps;
};

struct resource_entry {
	char *name;
	const struct resource *resource;
	const struct resource_list *list;
	struct resource_snapshot begin, end;
};

struct resource_list {
	struct resource_entry **entries;
	size_t count;
	bool ended; /* the window has an end */
};

struct resource_list *stats_resources(struct stats *stats); /* stats.c */
void resource_list_free(struct resource_list *list);

#endif
