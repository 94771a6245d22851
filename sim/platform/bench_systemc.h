/* SPDX-License-Identifier: BSD-3-Clause */
/* Bare SystemC, without the engine: the unit that simulating is measured in. */
#ifndef SIM_PLATFORM_BENCH_SYSTEMC_H
#define SIM_PLATFORM_BENCH_SYSTEMC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One sc_event notified `count` times, each by the SC_METHOD that it triggers. Once per process, in place of sim_run(). */
void bench_systemc_events(uint64_t count);

#ifdef __cplusplus
}
#endif
#endif
