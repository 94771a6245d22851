/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A run from power-on to the last check: build, boot, run the workload, shut down, look for what should not be
 * there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/platform/host.h"
#include "sim/platform/platform.h"
#include "sim/stats/invariants.h"
#include "sim/stats/resource.h"

/* The page array has one struct page of 64 bytes for each 4 KiB from physical address 0 on. */
#define PAGE_STRUCT_BYTES 64ull

struct platform {
	struct machine machine;
	void *image; /* dlopen() */
	void *page_array;
	size_t page_array_bytes;
	const struct platform_options *options;
	struct platform_result *result;
	int workload_status; /* of its first process, as of wait(2) */
	uint64_t finished;   /* 1: shut down in order */
	uint64_t duration;
	uint64_t invariants_held, invariants_violated, invariants_skipped;
};

/* The one that simulates, for those who cannot be given it: signal handlers, panics. */
static struct platform *running;

__attribute__((format(printf, 3, 4))) static void
fail(struct platform *platform, enum platform_status status, const char *format, ...)
{
	struct platform_result *result = platform->result;
	va_list args;

	if (result->status >= status)
		return;
	result->status = status;
	va_start(args, format);
	vsnprintf(result->reason, sizeof(result->reason), format, args);
	va_end(args);
}

/* ---- metrics ---------------------------------------------------------------------------------- */

static void register_kernel_stats(struct machine *machine)
{
	struct kernel_counters *c = &machine->counters;
	const struct {
		const char *name, *unit, *help;
		const ki_u64 *value;
	} rows[] = {
		{"kernel.blocks", "count", "basic blocks of the kernel's own objects", &c->blocks},
		{"kernel.syscalls", "count", "system calls", &c->syscalls},
		{"kernel.context_switches", "count", "switches between tasks",
		 &c->context_switches},
		{"kernel.interrupts", "count", "interrupts taken by CPUs", &c->interrupts},
		{"kernel.wakeups", "count", "tasks woken", &c->wakeups},
		{"kernel.migrations", "count", "tasks moved to another CPU's run queue",
		 &c->migrations},
		{"kernel.cpu_faults", "count", "handle_mm_fault() for a CPU", &c->cpu_faults},
		{"kernel.io_faults", "count", "handle_mm_fault() for a device", &c->io_faults},
		{"kernel.ptes_installed_cpu", "count", "PTEs that CPU faults installed",
		 &c->ptes_installed_cpu},
		{"faults.ptes_installed", "count", "PTEs that I/O page faults installed",
		 &c->ptes_installed_io},
		{"kernel.cow_copies", "count", "pages copied on write", &c->cow_copies},
		{"kernel.zero_page_maps", "count", "mappings of the zero page", &c->zero_page_maps},
		{"kernel.spinlock_contended", "count",
		 "spinlocks that were taken when they got asked for", &c->spinlock_contended},
		{"kernel.spinlock_wait_ps", "ps", "time that CPUs spun on locks",
		 &c->spinlock_wait_ps},
		{"kernel.owner_spin_ps", "ps",
		 "time that CPUs spun for mutexes and rwsems whose owner runs", &c->owner_spin_ps},
		{"kernel.pages_allocated", "pages", "page frames allocated", &c->pages_allocated},
		{"kernel.pages_freed", "pages", "page frames freed", &c->pages_freed},
		{"kernel.works_executed", "count", "work items", &c->works_executed},
		{"kernel.segfaults", "count", "tasks that got SIGSEGV or SIGBUS", &c->segfaults},
		{"kernel.warnings", "count", "WARN() of the kernel's code", &c->warnings},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		stats_counter(machine->stats, rows[i].name, (const uint64_t *)rows[i].value,
			      rows[i].unit, rows[i].help);
}

static void register_machine_stats(struct platform *platform)
{
	struct machine *machine = &platform->machine;

	stats_text(machine->stats, "schema", "svasim-metrics-1",
		   "name and version of this file's layout");
	stats_text(machine->stats, "workload",
		   machine->config->workload ? machine->config->workload->name : "none",
		   "the workload that ran");
	stats_counter(machine->stats, "duration_ps", &platform->duration, "ps",
		      "simulated time of the whole run");
	stats_counter(machine->stats, "invariants.held", &platform->invariants_held, "count",
		      "invariants that were checked at the end and hold");
	stats_counter(machine->stats, "invariants.violated", &platform->invariants_violated,
		      "count", "invariants that do not hold; 0, or it is a bug of the simulator");
	stats_counter(machine->stats, "invariants.skipped", &platform->invariants_skipped, "count",
		      "invariants about what the run did not have");
	stats_counter(machine->stats, "finished", &platform->finished, "count",
		      "1: the machine was shut down in order; 0: interrupted, or a bug ended it");
}

/* ---- building --------------------------------------------------------------------------------- */

static struct platform *platform_new(const struct platform_config *config)
{
	struct platform *platform = calloc(1, sizeof(*platform));

	if (!platform)
		abort();
	platform->machine.config = config;
	return platform;
}

static void window_edge(void *arg, enum life_window_edge edge)
{
	struct platform *platform = arg;

	if (edge == LIFE_WINDOW_BEGIN)
		resource_window_begin(platform->machine.stats);
	else
		resource_window_end(platform->machine.stats);
	if (platform->options->window)
		platform->options->window(platform->options->arg, edge);
}

static void build(struct platform *platform)
{
	struct machine *machine = &platform->machine;
	struct warmup warmup;

	machine->stats = stats_new();
	register_machine_stats(platform);
	machine->life = life_new(machine->stats, 0);
	if (platform_config_warmup(machine->config, &warmup))
		life_set_warmup(machine->life, warmup);
	life_on_window(machine->life, window_edge, platform);
	machine->irqs = irq_controller_new(machine);
	machine_wire(machine);
	machine->cpus = cpus_new(machine);
	cpus_register_stats(machine, machine->stats);
	frames_register_stats(machine, machine->stats);
	register_kernel_stats(machine);
	the_machine = machine;
}

static int load_image(struct platform *platform)
{
	struct machine *machine = &platform->machine;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.so", platform->options->image_directory,
		 machine->config->machine.kernel_image);
	platform->image = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!platform->image) {
		fail(platform, PLATFORM_USER_ERROR,
		     "machine.kernel_image: %s: %s (allowed: a kernel image beside the program)",
		     machine->config->machine.kernel_image, dlerror());
		return -1;
	}
	machine->kernel = dlsym(platform->image, KERNEL_IMAGE_SYMBOL);
	if (!machine->kernel || machine->kernel->abi != KERNEL_IMAGE_ABI) {
		fail(platform, PLATFORM_USER_ERROR,
		     "machine.kernel_image: %s: not a kernel image of this version of svasim",
		     path);
		return -1;
	}
	platform->result->kernel_version = machine->kernel->version;
	return 0;
}

static int map_ram(struct platform *platform)
{
	struct machine *machine = &platform->machine;
	const uint64_t bytes = machine->config->machine.ram_bytes;

	if (!ram_init(&machine->ram, KI_RAM_HOST_BASE, MAP_RAM_BASE, bytes))
		return 0;
	fail(platform, PLATFORM_USER_ERROR,
	     "machine.ram_bytes: %llu: the host has no room for it: %s (allowed: what it can map)",
	     (unsigned long long)bytes, strerror(errno));
	return -1;
}

static int map_page_array(struct platform *platform)
{
	const uint64_t pages = (MAP_RAM_BASE + platform->machine.config->machine.ram_bytes) / 4096;
	void *want = (void *)(uintptr_t)KI_PAGE_ARRAY_HOST_BASE;

	platform->page_array_bytes = pages * PAGE_STRUCT_BYTES;
	platform->page_array =
		mmap(want, platform->page_array_bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (platform->page_array != want) {
		if (platform->page_array != MAP_FAILED) /* a kernel that takes it for a hint */
			munmap(platform->page_array, platform->page_array_bytes);
		platform->page_array = NULL;
		fail(platform, PLATFORM_USER_ERROR,
		     "the host has no room for the page array at %p: %s", want, strerror(errno));
		return -1;
	}
	return 0;
}

/* ---- running ----------------------------------------------------------------------------------- */

static unsigned int describe_devices(const struct machine *machine, struct boot_device *devices)
{
	static const char *const names[MACHINE_MAX_ACCELERATORS] = {
		"accel0", "accel1", "accel2", "accel3", "accel4", "accel5", "accel6", "accel7"};
	unsigned int count = 0;

	devices[count++] = (struct boot_device){
		.compatible = "arm,smmu-v3",
		.name = "smmu3.0",
		.reg_base = MAP_SMMU_BASE,
		.reg_bytes = SMMU_FRAME_BYTES,
		.irqs = {{"eventq", LINE_SMMU_EVENTQ},
			 {"priq", LINE_SMMU_PRIQ},
			 {"gerror", LINE_SMMU_GERROR}},
		.nr_irqs = 3,
		.smmu = -1,
	};
	for (unsigned int i = 0; i < machine->config->machine.accelerators; i++)
		devices[count++] = (struct boot_device){
			.compatible = "svasim,qm",
			.name = names[i],
			.reg_base = MAP_ACCEL_BASE + i * MAP_ACCEL_BYTES,
			.reg_bytes = MAP_ACCEL_BYTES,
			.irqs = {{"eq", LINE_ACCEL_FIRST + 2 * i},
				 {"aeq", LINE_ACCEL_FIRST + 2 * i + 1}},
			.nr_irqs = 2,
			.smmu = 0,
			.stream_id = machine_stream_id(i),
			.pasid_bits = 16,
			.can_stall = 1,
		};
	return count;
}

/* The boot processor's thread: everything that happens in order. */
static void boot_thread(void *arg)
{
	struct platform *platform = arg;
	struct machine *machine = &platform->machine;
	const struct platform_config *config = machine->config;
	struct boot_device devices[1 + MACHINE_MAX_ACCELERATORS];
	char command_line[1024];
	struct boot_params boot = {
		.abi = KERNEL_IMAGE_ABI,
		.params = config->kernel,
		.devices = devices,
		.nr_devices = describe_devices(machine, devices),
		.command_line = command_line,
	};
	int status;

	/* the user's own parameters come later, and so have the last word */
	snprintf(command_line, sizeof(command_line), "qm.qm_depth=%u %s", config->accel.sq_depth,
		 config->machine.kernel_command_line);
	status = machine->kernel->boot(&machine->ops, &boot);

	if (status) {
		fail(platform, PLATFORM_BUG, "the kernel did not boot: error %d", status);
		sim_stop();
		return;
	}
	status = machine->kernel->spawn(config->workload->name, config->workload->main, NULL);
	if (status < 0)
		fail(platform, PLATFORM_BUG, "the workload's process could not be made: error %d",
		     status);
	else
		platform->workload_status = machine->kernel->wait(status);
	status = machine->kernel->shutdown();
	if (status)
		fail(platform, PLATFORM_BUG,
		     "%d leaks when the machine was shut down (the lines above name them)", status);
	platform->finished = 1;
	sim_stop();
}

static bool metric_is_zero(const struct machine *machine, const char *name)
{
	double value = 0;

	return !stats_get(machine->stats, name, &value) || value == 0;
}

static void check_workload(struct platform *platform)
{
	struct machine *machine = &platform->machine;
	const int status = platform->workload_status;
	double errors = 0;

	if (machine->failures)
		fail(platform, PLATFORM_WORKLOAD_FAILED, "%s%s", machine->first_failure,
		     machine->failures > 1 ? " (and more)" : "");
	if (stats_get(machine->stats, "requests.errors", &errors) && errors > 0)
		fail(platform, PLATFORM_WORKLOAD_FAILED, "%.0f requests failed", errors);
	if (status)
		fail(platform, PLATFORM_WORKLOAD_FAILED, "the workload ended with %s %d",
		     status & 0x7f ? "signal" : "exit code",
		     status & 0x7f ? status & 0x7f : status >> 8);
}

/* invariant_lookup_fn: parameters that are numbers */
static bool param_number(void *arg, const char *name, double *value)
{
	const struct platform_config *config = arg;
	char text[64], *end;

	if (!param_format(config->params, name, text, sizeof(text)))
		return false;
	*value = strtod(text, &end);
	return end != text && !*end;
}

static void check_figures(struct platform *platform)
{
	const struct platform_config *config = platform->machine.config;
	const struct invariant_names names = {.stats = platform->machine.stats,
					      .lookup = param_number,
					      .arg = (void *)(uintptr_t)config};

	for (size_t i = 0; i < invariant_count; i++) {
		char line[sizeof(platform->result->reason)];

		switch (invariant_check(&invariants[i], &names, line, sizeof(line))) {
		case INVARIANT_HOLDS:
			platform->invariants_held++;
			break;
		case INVARIANT_SKIPPED:
			platform->invariants_skipped++;
			break;
		case INVARIANT_VIOLATED:
			platform->invariants_violated++;
			fail(platform, PLATFORM_BUG, "%s", line);
		}
	}
}

/* What must hold after any run that shut down in order. */
static void check_invariants(struct platform *platform)
{
	struct machine *machine = &platform->machine;
	struct life_open open = life_get_open(machine->life);

	if (open.requests || open.faults)
		fail(platform, PLATFORM_BUG,
		     "at the end %llu requests and %llu faults were still open",
		     (unsigned long long)open.requests, (unsigned long long)open.faults);
	if (!metric_is_zero(machine, "life.misplaced_stamps"))
		fail(platform, PLATFORM_BUG,
		     "the instruments saw stages out of order (life.misplaced_stamps)");
	if (machine->frames.stale)
		fail(platform, PLATFORM_BUG, "%s", machine->frames.first);
	if (!machine_idle(machine))
		fail(platform, PLATFORM_BUG,
		     "hardware still had work in it after the devices were removed");
	check_figures(platform);
}

/* A run that did not end by itself: where it was. */
static void fail_halted(struct platform *platform, enum platform_status status, const char *why)
{
	const struct machine *machine = &platform->machine;
	struct life_open open = life_get_open(machine->life);

	fail(platform, status,
	     "%s at %llu ps: %llu of %llu requests received, %llu requests and %llu faults open",
	     why, (unsigned long long)sim_now(), (unsigned long long)machine->requests_received,
	     (unsigned long long)machine->requests_expected, (unsigned long long)open.requests,
	     (unsigned long long)open.faults);
}

static void fill_result(struct platform *platform)
{
	struct machine *machine = &platform->machine;

	machine->kernel->counters(&machine->counters);
	platform->duration = sim_now();
	platform->result->duration = platform->duration;
	platform->result->requests = machine->requests_received;
}

void platform_emergency(const char *why)
{
	struct platform *platform = running;

	running = NULL; /* once */
	if (platform) {
		fail_halted(platform, PLATFORM_BUG, why);
		fill_result(platform);
		if (platform->options->emergency)
			platform->options->emergency(platform->options->arg, platform);
		else
			fprintf(stderr, "svasim: %s\n", platform->result->reason);
	}
	fflush(NULL);
	_exit(PLATFORM_BUG);
}

static void interrupted(struct platform *platform, int signal)
{
	char why[64];

	snprintf(why, sizeof(why), "interrupted (%s)", strsignal(signal));
	fail_halted(platform, PLATFORM_INTERRUPTED, why);
	platform->result->signal = signal;
}

static void fill_ops(struct platform *platform)
{
	struct machine *machine = &platform->machine;

	host_fill_ops(&machine->ops, platform->options->log_level);
	cpu_fill_ops(&machine->ops);
	instruments_fill_ops(&machine->ops);
	frames_fill_ops(machine, &machine->ops);
	inject_fill_ops(machine, &machine->ops);
	machine->ops.nr_cpus = machine->config->machine.cpus;
	machine->ops.ram = machine->ram.host;
	machine->ops.ram_base = MAP_RAM_BASE;
	machine->ops.ram_bytes = machine->config->machine.ram_bytes;
	machine->ops.pa_bits = 48;
	machine->ops.asid_bits = 16;
	machine->ops.seed = machine->config->machine.seed;
}

static void simulate(struct platform *platform)
{
	const struct sim_limits limits = {0};
	enum sim_run_result end;

	platform->machine.instruments = instruments_new(&platform->machine);
	fill_ops(platform);
	sim_thread_start("boot", boot_thread, platform);
	running = platform;
	end = sim_run(&limits);
	running = NULL;
	if (host_panic_reason())
		fail_halted(platform, PLATFORM_BUG, host_panic_reason());
	else if (end == SIM_RUN_IDLE)
		fail_halted(platform, PLATFORM_BUG, "deadlock, nothing can happen any more,");
	else if (end == SIM_RUN_STUCK)
		fail_halted(platform, PLATFORM_BUG, "simulated time stands still");
	else if (!platform->finished && host_interrupted())
		interrupted(platform, host_interrupted());
	fill_result(platform);
	check_workload(platform);
	if (platform->finished)
		check_invariants(platform);
}

/* All that can be missing on the host. */
static int claim_host(struct platform *platform)
{
	if (load_image(platform) || map_ram(platform) || map_page_array(platform))
		return -1;
	if (!platform->options->begin || !platform->options->begin(platform->options->arg))
		return 0;
	platform->result->status = PLATFORM_USER_ERROR;
	return -1;
}

struct platform *platform_run(const struct platform_config *config,
			      const struct platform_options *options,
			      struct platform_result *result)
{
	struct platform *platform = platform_new(config);

	*result = (struct platform_result){.status = PLATFORM_OK};
	platform->options = options;
	platform->result = result;
	platform->machine.progress = options->progress;
	platform->machine.progress_arg = options->arg;
	if (!claim_host(platform)) {
		build(platform);
		simulate(platform);
	}
	return platform;
}

const struct stats *platform_stats(const struct platform *platform)
{
	return platform->machine.stats;
}

void platform_free(struct platform *platform)
{
	struct machine *machine = &platform->machine;

	instruments_free(machine->instruments);
	cpus_free(machine->cpus);
	irq_controller_free(machine->irqs);
	life_free(machine->life);
	stats_free(machine->stats);
	machine_unwire(machine);
	ram_destroy(&machine->ram);
	if (platform->page_array)
		munmap(platform->page_array, platform->page_array_bytes);
	/* The image stays mapped: threads of the simulation may rest in it, and it is wanted until the process ends. */
	the_machine = NULL;
	free(platform);
}

void platform_list_metrics(const struct platform_config *config, stats_visit_fn visit, void *arg)
{
	struct platform *platform = platform_new(config);

	build(platform);
	stats_visit(platform->machine.stats, visit, arg);
	platform_free(platform);
}
