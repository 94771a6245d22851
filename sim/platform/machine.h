/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A built machine: the models, the sockets between them, the kernel image that runs on it. Private to sim/platform.
 *
 * One machine runs per process. The program interface (workloads/include/program.h) and the kernel
 * image's machine_ops are called as a processor's instructions are, without naming a machine: they act on
 * `the_machine`.
 */
#ifndef SIM_PLATFORM_MACHINE_H
#define SIM_PLATFORM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/mem/ram.h"
#include "sim/engine/engine.h"
#include "sim/engine/port.h"
#include "sim/platform/config.h"
#include "sim/stats/life.h"
#include "sim/stats/stats.h"
#include "sim/trace/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The memory map. Registers lie below RAM. */
#define MAP_SMMU_BASE	0x20000000ull
#define MAP_ACCEL_BASE	0x40000000ull
#define MAP_ACCEL_BYTES 0x08000000ull
#define MAP_RAM_BASE	0x80000000ull

/* Interrupt lines (shared peripheral interrupts). */
enum irq_line {
	LINE_SMMU_EVENTQ = 1,
	LINE_SMMU_PRIQ,
	LINE_SMMU_GERROR,
	LINE_SMMU_SYNC,
	LINE_ACCEL_FIRST = 8, /* two per accelerator: eq, aeq */
	LINE_COUNT = LINE_ACCEL_FIRST + 2 * MACHINE_MAX_ACCELERATORS,
};

/* Who a transaction is from, for statistics. */
enum requester {
	REQUESTER_SMMU_WALK,
	REQUESTER_CPU_WALK,
	REQUESTER_CPU_MMIO,
	REQUESTER_ACCEL_FIRST,
};

static inline uint32_t machine_stream_id(unsigned int accelerator)
{
	return 0x100 + accelerator;
}

struct cpu;	       /* cpu.c */
struct irq_controller; /* irq.c */
struct instruments;    /* instruments.c */
struct wiring;	       /* wiring.cpp: the sc_modules */

struct frame_check {
	uint64_t freed, stale;
	char first[192]; /* what the first stale one was */
};

struct machine {
	const struct platform_config *config;
	const struct kernel_ops *kernel;
	struct machine_ops ops;		 /* what the kernel image is given */
	struct kernel_counters counters; /* copied from the image when the run ends */

	struct stats *stats;
	struct life *life;

	struct ram ram;
	struct memory *memory;
	struct interconnect *interconnect;
	struct mmu_domain *mmu_domain;
	struct mmu **mmus; /* one per CPU */
	struct smmu *smmu;
	struct accel *accels[MACHINE_MAX_ACCELERATORS];
	struct irq_controller *irqs;
	struct cpu *cpus; /* one per CPU */
	struct instruments *instruments;
	struct frame_check frames;
	struct wiring *wiring;

	/* what the programs reported */
	uint64_t requests_expected, requests_received;
	uint64_t failures;
	char first_failure[256];
	void (*progress)(void *arg, uint64_t received, uint64_t expected);
	void *progress_arg; /* of progress() */
};

extern struct machine *the_machine;

/* wiring.cpp: creates the models and connects them through TLM-2.0 sockets */
void machine_wire(struct machine *machine);
void machine_unwire(struct machine *machine);
/* Nothing is in flight in any model. */
bool machine_idle(const struct machine *machine);
/* Ports that wiring.cpp made for the CPUs: device accesses of CPU n */
struct sim_port machine_cpu_port(struct machine *machine, unsigned int cpu);

/* cpu.c: program.h and the CPU side of machine_ops */
struct cpu *cpus_new(struct machine *machine);
void cpus_free(struct cpu *cpus);
void cpu_fill_ops(struct machine_ops *ops);
void cpus_register_stats(struct machine *machine, struct stats *stats);

/* irq.c */
struct irq_controller *irq_controller_new(struct machine *machine);
void irq_controller_free(struct irq_controller *irqs);
struct sim_irq irq_controller_line(struct irq_controller *irqs, unsigned int line);

/* frames.c: whether anything still reaches a frame that the kernel frees (run.check_frames) */
void frames_fill_ops(const struct machine *machine, struct machine_ops *ops);
void frames_register_stats(struct machine *machine, struct stats *stats);

/* inject.c: what kernel.fault.*_extra_ns comes to */
void inject_fill_ops(const struct machine *machine, struct machine_ops *ops);

/* instruments.c: traces of CPUs, threads, kernel functions, interrupts */
struct instruments *instruments_new(struct machine *machine);
void instruments_free(struct instruments *instruments);
void instruments_fill_ops(struct machine_ops *ops);

#ifdef __cplusplus
}
#endif
#endif
