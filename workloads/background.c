/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads that keep CPUs busy, and `load`: a workload of nothing else. */
#include <asm-generic/unistd.h>
#include <stddef.h>

#include "sim/config/param.h"
#include "workloads/background.h"
#include "workloads/libwd/umem.h"
#include "workloads/workloads.h"

#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129
#define PS_PER_NS	   1000u

/* One thread's variables, in the process's memory: what nanosleep(2) is given. */
struct loader {
	uint64_t background;
	uint64_t sleep_time[2]; /* struct timespec */
};

struct background {
	uint32_t running; /* a futex */
	uint32_t stop;
	uint64_t busy_ns, period_ns; /* busy out of each period */
	uint64_t bytes;
	struct loader loaders[];
};

static void sleep_ns(struct loader *loader, uint64_t ns)
{
	STORE(&loader->sleep_time[0], ns / 1000000000u);
	STORE(&loader->sleep_time[1], ns % 1000000000u);
	prog_syscall(__NR_nanosleep, PROG_VA(loader->sleep_time), 0, 0, 0, 0, 0);
}

static void loader_main(void *arg)
{
	struct loader *loader = arg;
	struct background *background = (struct background *)(uintptr_t)LOAD(&loader->background);
	const uint64_t busy_ns = LOAD(&background->busy_ns);
	const uint64_t period_ns = LOAD(&background->period_ns);
	uint64_t next =
		prog_time_ps() / PS_PER_NS; /* when this period ends, if all goes as planned */

	while (!LOAD(&background->stop)) {
		uint64_t now;

		next += period_ns;
		prog_work_ns(busy_ns);
		now = prog_time_ps() / PS_PER_NS;
		if (now < next && busy_ns < period_ns)
			sleep_ns(loader, next - now);
		else if (now > next + period_ns)
			next = now - period_ns;
	}
	prog_fetch_add(PROG_VA(&background->running), (uint64_t)-1, 4);
	prog_syscall(__NR_futex, PROG_VA(&background->running), FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

uint64_t background_start(const struct background_params *params)
{
	const uint64_t bytes = sizeof(struct background) + params->threads * sizeof(struct loader);
	struct background *background;
	uint64_t memory;

	if (!params->threads || !params->busy_percent)
		return 0;
	memory = umem_map(bytes);
	background = (struct background *)(uintptr_t)memory;
	if (!memory) {
		prog_mark_failure("no memory for the background load");
		return 0;
	}
	STORE(&background->bytes, bytes);
	STORE(&background->period_ns, (uint64_t)params->period_us * 1000u);
	STORE(&background->busy_ns, (uint64_t)params->period_us * 10u * params->busy_percent);
	for (uint32_t i = 0; i < params->threads; i++) {
		struct loader *loader = &background->loaders[i];

		STORE(&loader->background, memory);
		prog_fetch_add(PROG_VA(&background->running), 1, 4);
		if (prog_thread(loader_main, loader) >= 0)
			continue;
		prog_mark_failure("thread %u of the background load could not be made", i);
		prog_fetch_add(PROG_VA(&background->running), (uint64_t)-1, 4);
	}
	return memory;
}

void background_stop(uint64_t memory)
{
	struct background *background = (struct background *)(uintptr_t)memory;
	uint32_t running;

	if (!memory)
		return;
	STORE(&background->stop, 1);
	while ((running = LOAD(&background->running)))
		prog_syscall(__NR_futex, PROG_VA(&background->running), FUTEX_WAIT_PRIVATE, running,
			     0, 0, 0);
	umem_unmap(memory, LOAD(&background->bytes));
}

/* ---- the workload: load alone, for a time ------------------------------------------------------------ */

struct load_params {
	uint32_t threads, busy_percent, period_us, duration_us;
};

static struct load_params params_values;

static const struct param_desc params_table[] = {
	PARAM_U32_(load_params, threads, 1, 1, 4096, "threads", "assumed"),
	PARAM_U32_(load_params, busy_percent, 100, 1, 100,
		   "share of its time that each thread computes, in percent", "assumed"),
	PARAM_U32_(load_params, period_us, 1000, 1, 1000000,
		   "a thread computes for its share of this and sleeps for the rest, in us",
		   "assumed"),
	PARAM_U32_(load_params, duration_us, 10000, 1, 100000000, "how long, in us", "assumed"),
};

static void load_main(void *arg)
{
	const struct background_params params = {
		.threads = (uint32_t)prog_param_u64("threads"),
		.busy_percent = (uint32_t)prog_param_u64("busy_percent"),
		.period_us = (uint32_t)prog_param_u64("period_us"),
	};
	const uint64_t duration_us = prog_param_u64("duration_us");
	uint64_t background, sleep_time = umem_map(2 * sizeof(uint64_t));

	(void)arg;
	if (!sleep_time) {
		prog_mark_failure("no memory");
		return;
	}
	background = background_start(&params);
	prog_store(sleep_time, duration_us / 1000000u, 8);
	prog_store(sleep_time + 8, duration_us % 1000000u * 1000u, 8);
	prog_syscall(__NR_nanosleep, sleep_time, 0, 0, 0, 0, 0);
	background_stop(background);
}

const struct workload workload_load = {
	.name = "load",
	.help = "threads that keep CPUs busy for a share of the time, and no accelerator",
	.main = load_main,
	.params = params_table,
	.param_count = sizeof(params_table) / sizeof(params_table[0]),
	.values = &params_values,
};
