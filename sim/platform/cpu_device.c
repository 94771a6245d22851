/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device accesses of the CPUs. Stores are posted: at most cpu.posted_writes are in flight, in order; loads and
 * barriers wait for them.
 *
 * With cpu.gather_ns programs' stores are gathered, as to memory of type Device-GRE or Normal Non-cacheable
 * (Arm DDI 0487 B2.7): one that goes on where the last one ended, in the same 64 bytes, joins it. They leave
 * together when the line is full, when a store elsewhere, a load or a barrier comes, or when none has come for
 * that long. A line that is not full leaves word by word.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/platform/cpu_internal.h"

static void gather_send(struct cpu *cpu);

struct device_load {
	struct sim_txn txn;
	struct sim_thread *thread;
	bool done;
};

static void device_load_done(struct sim_txn *txn)
{
	struct device_load *load = txn->owner;

	load->done = true;
	sim_thread_wake(load->thread);
}

static void posted_write_done(struct sim_txn *txn)
{
	struct posted_write *write = txn->owner;
	struct cpu *cpu = write->cpu;

	if (txn->response != SIM_OK)
		cpu->bus_errors++;
	write->next_free = cpu->free_writes;
	cpu->free_writes = write;
	cpu->writes_in_flight--;
	if (cpu->gather.due)
		gather_send(cpu);
	if (cpu->waiter)
		sim_thread_wake(cpu->waiter);
}

/* Blocks until at most `limit` device stores of the CPU are in flight. */
static void wait_for_posted(struct cpu *cpu, unsigned int limit)
{
	while (cpu->writes_in_flight > limit || cpu->gather.due) {
		cpu->waiter = sim_thread_self();
		sim_thread_block();
	}
	cpu->waiter = NULL;
}

/* There is a free one. */
static void post(struct cpu *cpu, uint64_t pa, const void *data, unsigned int size)
{
	struct posted_write *write = cpu->free_writes;

	cpu->free_writes = write->next_free;
	cpu->writes_in_flight++;
	cpu->device_stores++;
	memcpy(write->data, data, size);
	write->txn = (struct sim_txn){.addr = pa,
				      .len = size,
				      .cmd = SIM_WRITE,
				      .data = write->data,
				      .privileged = true,
				      .requester = REQUESTER_CPU_MMIO,
				      .done = posted_write_done,
				      .owner = write};
	sim_port_request(&cpu->port, &write->txn);
}

/* A device access is one of 1, 2, 4 or 8 bytes, aligned: the first of a range. */
static unsigned int access_size(uint64_t pa, size_t bytes)
{
	unsigned int size = 8;

	while (size > bytes || pa % size)
		size /= 2;
	return size;
}

/* ---- gathering --------------------------------------------------------------------------------- */

/* As far as there is room for stores in flight; the rest follows when one has arrived. */
static void gather_send(struct cpu *cpu)
{
	struct gather *gather = &cpu->gather;

	sim_event_cancel(&gather->drain);
	while (gather->from < gather->to && cpu->free_writes) {
		const unsigned int left = gather->to - gather->from;
		const unsigned int size =
			left == LINE_BYTES ? left : access_size(gather->from, left);

		post(cpu, gather->line + gather->from, gather->data + gather->from, size);
		gather->from += size;
	}
	gather->due = gather->from < gather->to;
	if (!gather->due)
		gather->to = 0;
}

static void gather_drain(void *arg)
{
	gather_send(arg);
}

/* Blocks until what has been gathered is on its way. */
static void gather_flush(struct cpu *cpu)
{
	if (!cpu->gather.to)
		return;
	gather_send(cpu);
	wait_for_posted(cpu, cpu->machine->config->cpu.posted_writes);
}

/* Blocks while an older line is on its way. */
static void gather_store(struct cpu *cpu, uint64_t pa, const void *data, unsigned int size)
{
	const struct platform_config *config = cpu->machine->config;
	struct gather *gather = &cpu->gather;

	if (gather->due || (gather->to && pa != gather->line + gather->to))
		gather_flush(cpu);
	if (!gather->to) {
		/* it occupies the CPU as a store that goes alone does; those that join it do not */
		cpu->machine->kernel->charge(SIM_NS(config->cpu.mmio_write_ns));
		gather->line = pa & ~(uint64_t)(LINE_BYTES - 1);
		gather->from = pa % LINE_BYTES;
		gather->to = gather->from;
	} else {
		cpu->machine->kernel->charge(config->memory.cpu_store_hit_ps);
		cpu->gathered++;
	}
	memcpy(gather->data + gather->to, data, size);
	gather->to += size;
	if (gather->to == LINE_BYTES)
		gather_flush(cpu);
	else
		sim_event_at(&gather->drain,
			     cpu->machine->kernel->local_time() + SIM_NS(config->cpu.gather_ns));
}

/* ---- the kernel's accesses ----------------------------------------------------------------------- */

static ki_u64 load(struct cpu *cpu, uint64_t pa, unsigned int size)
{
	uint64_t value = 0;
	struct device_load load = {
		.txn = {.addr = pa,
			.len = size,
			.cmd = SIM_READ,
			.data = &value,
			.privileged = true,
			.requester = REQUESTER_CPU_MMIO,
			.done = device_load_done},
		.thread = sim_thread_self(),
	};

	cpu_device_drain(cpu);
	cpu->device_loads++;
	load.txn.owner = &load;
	sim_port_request(&cpu->port, &load.txn);
	while (!load.done)
		sim_thread_block();
	if (load.txn.response != SIM_OK) {
		cpu->bus_errors++;
		return UINT64_MAX >> (64 - 8 * size);
	}
	return value;
}

static void store(struct cpu *cpu, uint64_t pa, const void *data, unsigned int size)
{
	const struct cpu_params *params = &cpu->machine->config->cpu;

	gather_flush(cpu);
	wait_for_posted(cpu, params->posted_writes - 1);
	cpu->machine->kernel->charge(SIM_NS(params->mmio_write_ns));
	post(cpu, pa, data, size);
}

static ki_u64 host_mmio_read(unsigned int index, ki_u64 pa, unsigned int size)
{
	return load(&the_machine->cpus[index], pa, size);
}

static void host_mmio_write(unsigned int index, ki_u64 pa, ki_u64 value, unsigned int size)
{
	store(&the_machine->cpus[index], pa, &value, size);
}

static void host_barrier(unsigned int index)
{
	the_machine->kernel->charge(SIM_NS(the_machine->config->cpu.barrier_ns));
	cpu_device_drain(&the_machine->cpus[index]);
}

/* ---- programs' accesses -------------------------------------------------------------------------- */

void cpu_device_drain(struct cpu *cpu)
{
	gather_flush(cpu);
	wait_for_posted(cpu, 0);
}

void cpu_access_device(struct cpu *cpu, uint64_t pa, uint8_t *at, size_t bytes, bool is_store)
{
	const bool gather = cpu->machine->config->cpu.gather_ns;

	while (bytes) {
		const unsigned int size = access_size(pa, bytes);

		if (!is_store) {
			const uint64_t value = load(cpu, pa, size);

			memcpy(at, &value, size);
		} else if (gather) {
			gather_store(cpu, pa, at, size);
		} else {
			store(cpu, pa, at, size);
		}
		pa += size;
		at += size;
		bytes -= size;
	}
}

/* ---- construction -------------------------------------------------------------------------------- */

void cpu_device_init(struct cpu *cpu)
{
	const unsigned int posted = cpu->machine->config->cpu.posted_writes;

	cpu->writes = calloc(posted, sizeof(*cpu->writes));
	if (!cpu->writes)
		abort();
	for (unsigned int w = 0; w < posted; w++) {
		cpu->writes[w].cpu = cpu;
		cpu->writes[w].next_free = cpu->free_writes;
		cpu->free_writes = &cpu->writes[w];
	}
	sim_event_init(&cpu->gather.drain, gather_drain, cpu);
}

void cpu_device_fini(struct cpu *cpu)
{
	sim_event_cancel(&cpu->gather.drain);
	free(cpu->writes);
}

void cpu_device_fill_ops(struct machine_ops *ops)
{
	ops->mmio_read = host_mmio_read;
	ops->mmio_write = host_mmio_write;
	ops->barrier = host_barrier;
}
