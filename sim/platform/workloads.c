/* SPDX-License-Identifier: BSD-3-Clause */
/* The workloads that are built in. */
#include <string.h>

#include "sim/platform/platform.h"
#include "workloads/workloads.h"

static const struct workload *const workloads[] = {
	&workload_copy,
	&workload_load,
	NULL,
};

const struct workload *const *platform_workloads(void)
{
	return workloads;
}

const struct workload *platform_workload(const char *name)
{
	for (const struct workload *const *w = workloads; *w; w++)
		if (!strcmp((*w)->name, name))
			return *w;
	return NULL;
}
