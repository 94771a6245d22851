/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine for the kernel image's self-tests; see machine.h.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "machine.h"
#include "sim/engine/engine.h"

#define RAM_BASE	 0x40000000ULL
#define RAM_BYTES	 (256ULL << 20)
#define PAGE_ARRAY_BYTES (64ULL * ((RAM_BASE + RAM_BYTES) / 4096))
#define MMIO_NS		 100
#define MAX_CPUS	 8

static const struct kernel_ops *kernel;
static struct machine_ops machine;
static uint64_t ttbr0[MAX_CPUS];

static struct {
	struct sim_event event;
	uint64_t raised;
} lines[TEST_IRQ_LINES];

/* ---- time and threads --------------------------------------------------------------------------- */

static ki_u64 now(void)
{
	return sim_now();
}

static void *thread_start(const char *name, void (*fn)(void *arg), void *arg)
{
	return sim_thread_start(name, fn, arg);
}

static void *thread_self(void)
{
	return sim_thread_self();
}

static int thread_block_until(ki_u64 when)
{
	return sim_thread_block_until(when);
}

static void thread_wake(void *thread)
{
	sim_thread_wake(thread);
}

static void *timer_new(void (*fn)(void *arg), void *arg)
{
	struct sim_event *event = malloc(sizeof(*event));

	if (!event)
		abort();
	sim_event_init(event, fn, arg);
	return event;
}

static void timer_set(void *timer, ki_u64 when)
{
	sim_event_at(timer, when);
}

static void timer_cancel(void *timer)
{
	sim_event_cancel(timer);
}

static void timer_free(void *timer)
{
	sim_event_cancel(timer);
	free(timer);
}

/* ---- registers ------------------------------------------------------------------------------------- */

static void line_fires(void *arg)
{
	unsigned int line = (unsigned int)(uintptr_t)arg;

	lines[line].raised++;
	kernel->interrupt(line % machine.nr_cpus, line);
}

static ki_u64 mmio_read(unsigned int cpu, ki_u64 pa, unsigned int size)
{
	uint64_t line = (pa - TEST_IRQ_BASE) / 8;

	(void)cpu;
	(void)size;
	sim_thread_sleep(SIM_NS(MMIO_NS));
	return line < TEST_IRQ_LINES ? lines[line].raised : 0;
}

static void mmio_write(unsigned int cpu, ki_u64 pa, ki_u64 value, unsigned int size)
{
	uint64_t line = (pa - TEST_IRQ_BASE) / 8;

	(void)cpu;
	(void)size;
	if (line < TEST_IRQ_LINES)
		sim_event_after(&lines[line].event, SIM_NS(value));
}

static void barrier(unsigned int cpu)
{
	(void)cpu;
}

/* ---- the MMU ------------------------------------------------------------------------------------------ */

static void set_ttbr0(unsigned int cpu, ki_u64 table_pa, unsigned int asid)
{
	(void)asid;
	ttbr0[cpu] = table_pa;
}

static void tlbi(unsigned int cpu, enum ki_tlbi op, unsigned int asid, ki_u64 va, ki_u64 pages)
{
	(void)cpu;
	(void)op;
	(void)asid;
	(void)va;
	(void)pages;
	sim_thread_sleep(SIM_NS(MMIO_NS));
}

static uint8_t *ram_at(uint64_t pa)
{
	if (pa < RAM_BASE || pa >= RAM_BASE + RAM_BYTES)
		return NULL;
	return (uint8_t *)(uintptr_t)KI_RAM_HOST_BASE + (pa - RAM_BASE);
}

/* VMSAv8-64, 4 KiB granule: AF is bit 10, AP[1] (EL0) bit 6, AP[2] (read-only) bit 7 */
static uint8_t *translate(uint64_t table, uint64_t va, unsigned int access)
{
	unsigned int level;

	for (level = 0; level < 4; level++) {
		unsigned int shift = 39 - 9 * level;
		uint8_t *entry = ram_at(table);
		uint64_t descriptor;

		if (!entry)
			return NULL;
		memcpy(&descriptor, entry + 8 * ((va >> shift) & 511), sizeof(descriptor));
		table = descriptor & 0xfffffffff000ULL;
		if (!(descriptor & 1))
			return NULL;
		if (level < 3 && descriptor & 2)
			continue;
		if (!(descriptor & 1u << 10) || !(descriptor & 1u << 6) ||
		    (access & KI_WRITE && descriptor & 1u << 7))
			return NULL;
		return ram_at(table + (va & ((1ULL << shift) - 1)));
	}
	return NULL;
}

static ki_u64 copy_user(unsigned int cpu, ki_u64 user_va, void *buffer, ki_u64 bytes,
			unsigned int access)
{
	uint8_t *local = buffer;

	while (bytes) {
		uint64_t part = 4096 - (user_va & 4095);
		uint8_t *page = user_va >> 48 ? NULL : translate(ttbr0[cpu], user_va, access);

		if (part > bytes)
			part = bytes;
		if (!page) {
			if (kernel->page_fault(user_va, access))
				return bytes;
			cpu = kernel->current_cpu();
			continue;
		}
		if (access & KI_WRITE)
			memcpy(page, local, part);
		else
			memcpy(local, page, part);
		sim_thread_sleep(SIM_NS(1));
		user_va += part;
		local += part;
		bytes -= part;
	}
	return 0;
}

static int user_run(void (*entry)(void *arg), void *arg)
{
	entry(arg);
	return 0;
}

/* ---- instruments ----------------------------------------------------------------------------------------- */

static void log_line(int level, const char *line)
{
	printf("<%d> %s\n", level, line);
}

static void panic(const char *why)
{
	fflush(stdout);
	fprintf(stderr, "kernel panic: %s\n", why);
	abort();
}

static void *map_at(uint64_t address, uint64_t bytes)
{
	void *memory =
		mmap((void *)(uintptr_t)address, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Memory is as fast as the core here */
static ki_u64 stream_store(unsigned int cpu, ki_u64 pa, ki_u64 bytes)
{
	(void)cpu;
	(void)pa;
	(void)bytes;
	return 0;
}

static ki_u64 touch(unsigned int cpu, ki_u64 pa, ki_u64 bytes)
{
	return stream_store(cpu, pa, bytes);
}

const struct machine_ops *test_machine(const struct kernel_ops *kernel_ops, unsigned int cpus,
				       unsigned int seed)
{
	uintptr_t i;
	void *ram = map_at(KI_RAM_HOST_BASE, RAM_BYTES);

	if (!ram || !map_at(KI_PAGE_ARRAY_HOST_BASE, PAGE_ARRAY_BYTES) || cpus > MAX_CPUS)
		return NULL;
	kernel = kernel_ops;
	for (i = 0; i < TEST_IRQ_LINES; i++)
		sim_event_init(&lines[i].event, line_fires, (void *)i);
	machine = (struct machine_ops){
		.nr_cpus = cpus,
		.ram = ram,
		.ram_base = RAM_BASE,
		.ram_bytes = RAM_BYTES,
		.pa_bits = 48,
		.asid_bits = 16,
		.seed = seed,
		.now = now,
		.thread_start = thread_start,
		.thread_self = thread_self,
		.thread_block = sim_thread_block,
		.thread_block_until = thread_block_until,
		.thread_wake = thread_wake,
		.timer_new = timer_new,
		.timer_set = timer_set,
		.timer_cancel = timer_cancel,
		.timer_free = timer_free,
		.mmio_read = mmio_read,
		.mmio_write = mmio_write,
		.barrier = barrier,
		.set_ttbr0 = set_ttbr0,
		.tlbi = tlbi,
		.stream_store = stream_store,
		.touch = touch,
		.copy_user = copy_user,
		.user_run = user_run,
		.log = log_line,
		.panic = panic,
	};
	return &machine;
}

const struct boot_params *test_boot_params(void)
{
	static const struct boot_params params = {
		.abi = KERNEL_IMAGE_ABI,
		.params =
			{
				.block_ps = 1000,
				.syscall_ns = 100,
				.exception_ns = 300,
				.irq_entry_ns = 400,
				.context_switch_ns = 1000,
				.wakeup_ns = 500,
				.ipi_ns = 500,
				.idle_exit_ns = 1000,
				.lock_ns = 10,
				.lock_transfer_ns = 60,
				.timeslice_us = 3000,
				.tick_hz = 250,
				.timer_slack_us = 50,
				.alloc_page_ns = 200,
				.zero_page_ns = 200,
				.copy_page_ns = 400,
				.slab_ns = 30,
				.pte_ns = 20,
				.vma_ns = 50,
				.table_walk_ns = 20,
				.workqueue_ns = 100,
				.max_workers = 4,
				.irq_affinity_spread = 1,
			},
		.command_line = "arm_smmu_v3.disable_msipolling=1 iommu.passthrough=1",
	};

	return &params;
}
