/* SPDX-License-Identifier: BSD-3-Clause */
/* The programs that come with svasim. */
#ifndef WORKLOADS_WORKLOADS_H
#define WORKLOADS_WORKLOADS_H

#include "workloads/include/program.h"

extern const struct workload workload_copy;
extern const struct workload workload_load;

#endif
