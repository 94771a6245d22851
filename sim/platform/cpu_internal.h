/* SPDX-License-Identifier: BSD-3-Clause */
/* What cpu.c and cpu_device.c share: a CPU, and its device accesses. */
#ifndef SIM_PLATFORM_CPU_INTERNAL_H
#define SIM_PLATFORM_CPU_INTERNAL_H

#include "sim/platform/machine.h"

#define LINE_BYTES 64u

struct cpu;

/* A posted device store on its way. */
struct posted_write {
	struct sim_txn txn;
	struct cpu *cpu;
	uint8_t data[LINE_BYTES];
	struct posted_write *next_free;
};

/* Stores that wait to be sent as one: bytes [from, to) of a line; to 0: none. */
struct gather {
	uint64_t line;
	unsigned int from, to;
	uint8_t data[LINE_BYTES];
	struct sim_event drain;
	bool due; /* its time is over, but too many stores are in flight */
};

struct cpu {
	struct machine *machine;
	struct mmu *mmu;
	struct sim_port port;
	struct posted_write *writes; /* cpu.posted_writes of them */
	struct posted_write *free_writes;
	unsigned int writes_in_flight;
	struct gather gather;
	struct sim_thread *waiter; /* the CPU's thread, waiting for device stores */
	uint64_t device_loads, device_stores, gathered, bus_errors;
	uint64_t waited_ps; /* programs, until a line was written or something happened */
};

/* One or more accesses, each of 1, 2, 4 or 8 bytes and aligned, in order (blocks). Simulated time has caught up. */
void cpu_access_device(struct cpu *cpu, uint64_t pa, uint8_t *at, size_t bytes, bool store);
/* Blocks until all device stores of the CPU have arrived. */
void cpu_device_drain(struct cpu *cpu);

void cpu_device_init(struct cpu *cpu);
void cpu_device_fini(struct cpu *cpu);
void cpu_device_fill_ops(struct machine_ops *ops);

#endif
