/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parameter groups of a machine: the platform's own (machine, cpu, kernel) and those that the
 * models bring along, joined into one set that YAML files and the command line fill in.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/platform/config.h"

#define RAM_STEP_BYTES (2u << 20)

#define U32(...) PARAM_U32_(__VA_ARGS__)

static const struct param_desc machine_descs[] = {
	U32(machine_params, cpus, 8, 1, MACHINE_MAX_CPUS, "CPUs of the machine", "assumed"),
	{.key = "ram_bytes",
	 .type = PARAM_U64,
	 .offset = offsetof(struct machine_params, ram_bytes),
	 .def.u = 16ULL << 30,
	 .min = 64 << 20,
	 .max = (double)(1ULL << 40),
	 .help = "size of RAM in bytes; backed by the host only where it is touched",
	 .origin = "assumed"},
	U32(machine_params, accelerators, 1, 1, MACHINE_MAX_ACCELERATORS,
	    "accelerators behind the SMMU, each with a StreamID of its own", "assumed"),
	U32(machine_params, seed, 1, 0, UINT32_MAX,
	    "seed of everything random in the machine and the workload", "assumed"),
	PARAM_STRING_(machine_params, kernel_image, "kernel-linux-6.12",
		      "kernel image: a shared object beside the program, without its suffix",
		      "Linux 6.12"),
	PARAM_STRING_(machine_params, kernel_command_line, "",
		      "kernel parameters, for example arm_smmu_v3.disable_msipolling=1",
		      "kernel defaults"),
	U32(machine_params, irq_delivery_ns, 300, 0, 1000000,
	    "from an interrupt output to the CPU's interrupt input, in ns", "assumed"),
};

static const struct param_desc run_descs[] = {
	PARAM_STRING_(run_params, warmup, "auto",
		      "warm-up that throughput and distributions leave out: auto (until max(in "
		      "flight, 5 % of all) requests are received), none, or a number of requests",
		      "common practice for closed loops"),
	PARAM_BOOL_(run_params, check_frames, false,
		    "look through all TLBs and transactions whenever the kernel frees memory: a "
		    "frame that "
		    "something still reaches is an error (slow)",
		    "a check of kernel and models"),
};

static const struct param_desc cpu_descs[] = {
	U32(cpu_params, mmio_write_ns, 95, 0, 1000000,
	    "a posted device store occupies the CPU for this long, in ns",
	    "assumed (PCIe part: about 95 ns)"),
	U32(cpu_params, barrier_ns, 10, 0, 100000, "a barrier that has nothing to wait for, in ns",
	    "assumed"),
	U32(cpu_params, quantum_ns, 1000, 10, 1000000,
	    "the most that a CPU adds up before it waits for simulated time, in ns",
	    "simulation granularity"),
	U32(cpu_params, poll_detect_ns, 40, 0, 100000,
	    "from the write of a polled line to the polling CPU seeing it, in ns",
	    "assumed: one line transfer"),
	U32(cpu_params, posted_writes, 16, 1, 1024,
	    "device stores in flight per CPU before a further one waits", "assumed"),
	U32(cpu_params, gather_ns, 0, 0, 1000,
	    "write combining: how long a program's device store waits for one that goes on where "
	    "it "
	    "ended, in the same 64 bytes, to be sent with it, in ns; 0: every store goes alone",
	    "off: uacce maps device memory as Device-nGnRE"),
};

#define K(key_, field, def_, min_, max_, help_, origin_)                                           \
	{                                                                                          \
		.key = (key_), .type = PARAM_U32, .offset = offsetof(struct kernel_params, field), \
		.def.u = (def_), .min = (min_), .max = (max_), .help = (help_),                    \
		.origin = (origin_)                                                                \
	}

#define KNOB "an experiment's knob"

static const struct param_desc kernel_descs[] = {
	K("block_ps", block_ps, 1500, 0, 1000000, "one basic block of the kernel's own code, in ps",
	  "assumed: 5 instructions at 2.6 GHz, 1.3 IPC"),
	K("syscall_ns", syscall_ns, 120, 0, 100000, "system call entry and exit, in ns", "assumed"),
	K("exception_ns", exception_ns, 150, 0, 100000,
	  "page fault exception entry and exit, in ns", "assumed"),
	K("irq_entry_ns", irq_entry_ns, 300, 0, 100000,
	  "interrupt entry and exit on the CPU, in ns", "assumed"),
	K("context_switch_ns", context_switch_ns, 800, 0, 1000000, "switch between tasks, in ns",
	  "assumed"),
	K("wakeup_ns", wakeup_ns, 250, 0, 100000, "waking a task, on the waker's CPU, in ns",
	  "assumed"),
	K("ipi_ns", ipi_ns, 300, 0, 100000, "from a wake-up to another CPU's reaction, in ns",
	  "assumed"),
	K("idle_exit_ns", idle_exit_ns, 700, 0, 1000000, "leaving the idle loop (WFI), in ns",
	  "assumed"),
	K("lock_ns", lock_ns, 6, 0, 100000, "taking or releasing a free lock, in ns", "assumed"),
	K("lock_transfer_ns", lock_transfer_ns, 60, 0, 100000,
	  "a contended lock's line moving to its next owner, in ns", "assumed: one line transfer"),
	K("timeslice_us", timeslice_us, 3000, 1, 1000000,
	  "slice of an ordinary task on 8 CPUs or more (on 4, 2, 1: 3/4, 2/4, 1/4 of it), in us",
	  "Linux 6.12 sched_base_slice: 0.75 ms x (1 + log2(CPUs))"),
	K("tick_hz", tick_hz, 250, 1, 10000, "jiffies per second; slices end on them",
	  "CONFIG_HZ of arm64's defconfig"),
	K("timer_slack_us", timer_slack_us, 50, 0, 100000,
	  "slack of a sleep by an ordinary task, in us", "Linux default timer_slack_ns: 50 us"),
	K("alloc_page_ns", alloc_page_ns, 120, 0, 100000,
	  "page allocator, zeroing not included, in ns", "assumed"),
	K("zero_page_ns", zero_page_ns, 180, 0, 100000, "zeroing 4 KiB, in ns", "assumed: 22 GB/s"),
	K("copy_page_ns", copy_page_ns, 350, 0, 100000, "copying 4 KiB, in ns", "assumed: 12 GB/s"),
	K("slab_ns", slab_ns, 25, 0, 100000, "kmalloc or kfree, in ns", "assumed"),
	K("pte_ns", pte_ns, 40, 0, 100000, "writing one PTE with its barrier, in ns", "assumed"),
	K("vma_ns", vma_ns, 80, 0, 100000, "finding or changing one VMA, in ns", "assumed"),
	K("table_walk_ns", table_walk_ns, 20, 0, 100000,
	  "a fault handler's way down the page table, in ns",
	  "assumed: four dependent reads that hit a private cache"),
	K("fault.driver_extra_ns", fault_extra_ns[KI_EXTRA_DRIVER], 0, 0, 100000000,
	  "added to the driver's handling of every I/O page fault, on its CPU, in ns", KNOB),
	K("fault.worker_extra_ns", fault_extra_ns[KI_EXTRA_WORKER], 0, 0, 100000000,
	  "added before a worker takes an I/O page fault up, waiting without a CPU, in ns", KNOB),
	K("fault.extra_ns", fault_extra_ns[KI_EXTRA_MM], 0, 0, 100000000,
	  "added to handle_mm_fault() of every I/O page fault, waiting without a CPU, in ns", KNOB),
	K("fault.respond_extra_ns", fault_extra_ns[KI_EXTRA_RESPOND], 0, 0, 100000000,
	  "added before the answer to every I/O page fault, on the worker's CPU, in ns", KNOB),
	K("workqueue_ns", workqueue_ns, 100, 0, 100000, "queueing a work item, in ns", "assumed"),
	K("max_workers", max_workers, 256, 1, 4096,
	  "workers of an unbound workqueue that run at once",
	  "Linux 6.12 WQ_DFL_ACTIVE: 1024 per node at most; 256 before 6.9"),
	K("irq_affinity_spread", irq_affinity_spread, 1, 0, 1,
	  "1: interrupt lines go to CPU line mod cpus; 0: all to CPU 0", "assumed: irqbalance"),
};

static const char *const shapes[] = {"constant", "uniform", "exponential", "lognormal", NULL};

#define SHAPE(field, of)                                                                           \
	PARAM_ENUM_(fault_params, field, "constant", shapes,                                       \
		    "distribution of " of ", which is its mean", KNOB)

static const struct param_desc fault_descs[] = {
	SHAPE(driver_extra_shape, "kernel.fault.driver_extra_ns"),
	SHAPE(worker_extra_shape, "kernel.fault.worker_extra_ns"),
	SHAPE(extra_shape, "kernel.fault.extra_ns"),
	SHAPE(respond_extra_shape, "kernel.fault.respond_extra_ns"),
	PARAM_U32_(
		fault_params, extra_spread_percent, 50, 0, 1000,
		"of the mean: half the width of a uniform distribution (at most 100), the standard "
		"deviation of a lognormal one",
		KNOB),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct platform_config *platform_config_new(const struct workload *workload)
{
	struct platform_config *config = calloc(1, sizeof(*config));

	if (!config)
		abort();
	config->workload = workload;
	const struct param_group groups[] = {
		{"run", run_descs, COUNT(run_descs), &config->run},
		{"machine", machine_descs, COUNT(machine_descs), &config->machine},
		{"cpu", cpu_descs, COUNT(cpu_descs), &config->cpu},
		{"kernel", kernel_descs, COUNT(kernel_descs), &config->kernel},
		{"kernel.fault", fault_descs, COUNT(fault_descs), &config->fault},
		{"memory", memory_param_descs, memory_param_count, &config->memory},
		{"interconnect", interconnect_param_descs, interconnect_param_count,
		 &config->interconnect},
		{"mmu", mmu_param_descs, mmu_param_count, &config->mmu},
		{"smmu", smmu_param_descs, smmu_param_count, &config->smmu},
		{"accel", accel_param_descs, accel_param_count, &config->accel},
		{"workload", workload ? workload->params : NULL,
		 workload ? workload->param_count : 0, workload ? workload->values : NULL},
	};

	config->params = param_set_new(groups, workload ? COUNT(groups) : COUNT(groups) - 1);
	return config;
}

void platform_config_free(struct platform_config *config)
{
	if (!config)
		return;
	param_set_free(config->params);
	free(config);
}

bool platform_config_warmup(const struct platform_config *config, struct warmup *warmup)
{
	const char *text = config->run.warmup;
	char *end;

	*warmup = (struct warmup){.kind = WARMUP_AUTO};
	if (!strcmp(text, "auto"))
		return true;
	warmup->kind = WARMUP_NONE;
	if (!strcmp(text, "none"))
		return true;
	warmup->kind = WARMUP_REQUESTS;
	errno = 0;
	warmup->requests = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno;
}

/* Entries of a new queue's ring: the driver's parameter qm_depth, the last of the command line (see run.c). */
static unsigned int queue_depth(const struct platform_config *config)
{
	static const char name[] = "qm_depth=";
	const char *at = config->machine.kernel_command_line;
	unsigned long depth = config->accel.sq_depth;

	while ((at = strstr(at, name))) {
		at += strlen(name);
		depth = strtoul(at, NULL, 0);
	}
	return depth < UINT32_MAX ? (unsigned int)depth : UINT32_MAX;
}

static int check_ram(const struct platform_config *config, struct param_error *error)
{
	if (config->machine.ram_bytes % RAM_STEP_BYTES == 0)
		return 0;
	snprintf(error->text, sizeof(error->text),
		 "machine.ram_bytes: %llu: not a multiple of 2 MiB (allowed: 64MiB..1TiB in steps "
		 "of 2MiB)",
		 (unsigned long long)config->machine.ram_bytes);
	return -1;
}

static int check_depth(const struct platform_config *config, struct param_error *error)
{
	const unsigned int depth = queue_depth(config);

	if (depth >= 2 && depth <= config->accel.depth_max)
		return 0;
	snprintf(error->text, sizeof(error->text),
		 "accel.depth_max: %u: the driver's rings have %u entries (allowed: rings of 2 to "
		 "accel.depth_max, by accel.sq_depth or qm.qm_depth=N in "
		 "machine.kernel_command_line)",
		 config->accel.depth_max, depth);
	return -1;
}

static int check_spread(const struct platform_config *config, struct param_error *error)
{
	const struct fault_params *fault = &config->fault;

	if (fault->extra_spread_percent <= 100 ||
	    (fault->driver_extra_shape != FAULT_EXTRA_UNIFORM &&
	     fault->worker_extra_shape != FAULT_EXTRA_UNIFORM &&
	     fault->extra_shape != FAULT_EXTRA_UNIFORM &&
	     fault->respond_extra_shape != FAULT_EXTRA_UNIFORM))
		return 0;
	snprintf(
		error->text, sizeof(error->text),
		"kernel.fault.extra_spread_percent: %u: a uniform distribution would have negative "
		"times (allowed: 0..100 with it)",
		fault->extra_spread_percent);
	return -1;
}

static int check_workload(const struct platform_config *config, struct param_error *error)
{
	const struct workload_machine machine = {
		.ram_bytes = config->machine.ram_bytes,
		.accelerators = config->machine.accelerators,
		.queues = config->accel.qp_count,
		.queue_depth = queue_depth(config),
		.push_entries = config->accel.version == ACCEL_V3 ? config->accel.push_entries : 0,
		.request_bytes = config->accel.length_max_bytes,
	};

	if (!config->workload || !config->workload->check)
		return 0;
	return config->workload->check(&machine, error->text, sizeof(error->text));
}

static int check_warmup(const struct platform_config *config, struct param_error *error)
{
	struct warmup warmup;

	if (platform_config_warmup(config, &warmup))
		return 0;
	snprintf(error->text, sizeof(error->text),
		 "run.warmup: %s: not a rule (allowed: auto, none, a number of requests)",
		 config->run.warmup);
	return -1;
}

int platform_config_check(const struct platform_config *config, struct param_error *error)
{
	if (check_ram(config, error) || check_depth(config, error) ||
	    check_workload(config, error) || check_warmup(config, error) ||
	    check_spread(config, error))
		return -1;
	return 0;
}
