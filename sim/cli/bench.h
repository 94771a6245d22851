/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svasim bench: what the host spends on simulating. Each case runs in a process of its own, since a
 * process can hold one simulation; it measures itself and prints its figures as JSON, which the
 * command collects.
 */
#ifndef SIM_CLI_BENCH_H
#define SIM_CLI_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "workloads/include/program.h"

/* What happened between meter_begin() and meter_end(). */
struct meter {
	double wall_s, cpu_s;
	uint64_t events, thread_switches;
};

/* Begin may be called again: the last one counts. Under callgrind instructions are counted between the two. */
void meter_begin(struct meter *meter);
void meter_end(struct meter *meter);
/* Whether callgrind's header was there when this was compiled. */
bool meter_counts_instructions(void);

struct bench_figures {
	struct meter meter;
	double operations; /* what the case calls one */
	uint64_t trace_bytes, trace_packets;
};

struct bench_case {
	const char *name, *help, *operation;
	/* 0, or the exit status after telling why */
	int (*run)(const struct bench_case *which, uint64_t operations,
		   struct bench_figures *figures);
	const struct workload *workload; /* of a machine; NULL: copy */
	const char *settings[8];	 /* of a machine: besides the common ones */
	uint64_t operations;		 /* by default */
	uint32_t number;		 /* the case's own */
	bool trace;
};

/* bench_cases.c */
extern const struct bench_case bench_cases[];
extern const unsigned int bench_case_count;

/* bench_footprint.c */
extern const struct workload bench_footprint;

/* bench_smmu.c: an SMMU alone; `number` is the TLB's size */
int bench_translation_hit(const struct bench_case *which, uint64_t operations,
			  struct bench_figures *figures);
int bench_translation_walk(const struct bench_case *which, uint64_t operations,
			   struct bench_figures *figures);

#endif
