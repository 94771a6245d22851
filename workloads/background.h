/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Background load: threads that keep CPUs busy for a share of the time, beside what a program does or alone. They
 * compute for that share of each period and sleep for the rest; what a sleep or a pre-emption took too much is made up for,
 * at most one period of it.
 */
#ifndef WORKLOADS_BACKGROUND_H
#define WORKLOADS_BACKGROUND_H

#include <stdint.h>

struct background_params {
	uint32_t threads;
	uint32_t busy_percent; /* of each thread's time */
	uint32_t period_us;
};

/* Starts them in the calling process. Returns what background_stop() takes: an address, or 0 if there are none. */
uint64_t background_start(const struct background_params *params);
/* Tells them to end, and waits until they have. */
void background_stop(uint64_t background);

#endif
