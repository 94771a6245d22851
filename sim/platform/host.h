/* SPDX-License-Identifier: BSD-3-Clause */
/* machine_ops that are not a CPU's: time, threads, timers, console. Private to sim/platform. */
#ifndef SIM_PLATFORM_HOST_H
#define SIM_PLATFORM_HOST_H

#include "sim/platform/machine.h"

void host_fill_ops(struct machine_ops *ops, int log_level);
/* Why the kernel panicked, or NULL. */
const char *host_panic_reason(void);

/* The signal that platform_interrupt() was called for, or 0. */
int host_interrupted(void);

#endif
