/* SPDX-License-Identifier: BSD-3-Clause */
/* The resources of a registry, in the order of registration. Private to sim/stats. */
#ifndef SIM_STATS_RESOURCE_LIST_H
#define SIM_STATS_RESOURCE_LIST_H

#include <stddef.h>

#include "sim/stats/resource.h"

struct resource_entry {
	char *name;
	const struct resource *resource;
};

struct resource_list {
	struct resource_entry *entries;
	size_t count;
};

struct resource_list *stats_resources(struct stats *stats); /* stats.c */
void resource_list_free(struct resource_list *list);

#endif
