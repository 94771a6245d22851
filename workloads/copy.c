/* SPDX-License-Identifier: BSD-3-Clause */
#include "workloads/workloads.h"
static void copy_main(void *a) { (void)a; prog_work_ns(1000); }
const struct workload workload_copy = { .name = "copy", .main = copy_main };
