/* SPDX-License-Identifier: BSD-3-Clause */
/* Everything that describes a machine and a run of it, in one place: the parameter groups of all models. */
#ifndef SIM_PLATFORM_CONFIG_H
#define SIM_PLATFORM_CONFIG_H

#include "kernel-shim/include/kernel_image.h"
#include "models/accel/accel.h"
#include "models/mem/interconnect.h"
#include "models/mem/memory.h"
#include "models/mmu/mmu.h"
#include "models/smmu/smmu.h"
#include "sim/config/param.h"
#include "sim/stats/measure.h"
#include "workloads/include/program.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MACHINE_MAX_CPUS	 128
#define MACHINE_MAX_ACCELERATORS 8

struct machine_params {
	uint32_t cpus;
	uint64_t ram_bytes;
	uint32_t accelerators;
	uint32_t seed;
	const char *kernel_image; /* file name beside the program, without ".so" */
	const char *kernel_command_line;
	uint32_t irq_delivery_ns;
};

/* A core, as far as programs and the kernel see its time; its MMU has a group of its own. */
struct cpu_params {
	uint32_t mmio_write_ns;
	uint32_t barrier_ns;
	uint32_t quantum_ns;
	uint32_t poll_detect_ns;
	uint32_t posted_writes;
	uint32_t gather_ns;
};

/* How a run is measured. */
struct run_params {
	const char *warmup; /* "auto", "none", or a number of requests */
	bool check_frames;  /* frames.c */
};

/* How the kernel.fault.*_extra_ns are distributed (inject.c). */
enum fault_extra_shape {
	FAULT_EXTRA_CONSTANT,
	FAULT_EXTRA_UNIFORM,
	FAULT_EXTRA_EXPONENTIAL,
	FAULT_EXTRA_LOGNORMAL,
};

struct fault_params {
	uint32_t driver_extra_shape, worker_extra_shape, extra_shape, respond_extra_shape;
	uint32_t extra_spread_percent;
};

struct platform_config {
	struct run_params run;
	struct machine_params machine;
	struct cpu_params cpu;
	struct kernel_params kernel;
	struct fault_params fault;
	struct memory_params memory;
	struct interconnect_params interconnect;
	struct mmu_params mmu;
	struct smmu_params smmu;
	struct accel_params accel;
	struct param_set *params; /* of all of the above and the workload's */
	const struct workload *workload;
};

/* The parameter set of a machine that will run `workload` (NULL: the machine's parameters only), at its defaults. */
struct platform_config *platform_config_new(const struct workload *workload);
void platform_config_free(struct platform_config *config);

/*
 * What no single range can say: combinations that no machine can have. 0, or -1 with a line in `error`.
 */
int platform_config_check(const struct platform_config *config, struct param_error *error);

/* The warm-up rule that run.warmup names; false if it names none. */
bool platform_config_warmup(const struct platform_config *config, struct warmup *warmup);

#ifdef __cplusplus
}
#endif
#endif
