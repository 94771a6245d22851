/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CPUs as software meets them: a program's loads, stores and system calls
 * (workloads/include/program.h), and the CPU side of the kernel image's machine_ops.
 *
 * An access goes through the CPU's MMU model; a fault enters the kernel, and the access is tried
 * again, or the task ends. Plain accesses to RAM move their bytes at once and add their cost to the
 * CPU's time, which catches up with simulated time at least every quantum, before device
 * accesses (cpu_device.c), atomics and system calls. Instruction fetch and the pipeline are not
 * modelled.
 */
#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <asm-generic/unistd.h>

#include "models/mem/memory.h"
#include "models/mem/ram.h"
#include "models/mmu/mmu.h"
#include "sim/platform/cpu_internal.h"

#define PAGE_BYTES	   4096u
#define CLONE_FLAGS_FORK   ((uint64_t)SIGCHLD)
#define CLONE_FLAGS_THREAD 0x50f00ull /* VM, FS, FILES, SIGHAND, THREAD, SYSVSEM */

/* What user mode keeps per thread of a program. */
struct user_context {
	jmp_buf leave; /* back to user_run() */
	int exit_code;
	uint64_t loaded_va, loaded_value; /* the last load, as an exclusive monitor remembers it */
	unsigned int loaded_size;
};

struct machine *the_machine;

/* The user contexts of live threads by thread id. */
static struct user_context **contexts;
static size_t context_slots;

/*
 * User mode as long as nobody else runs and the kernel is not asked: where it is, and the time that it has spent since
 * then, which its CPU gets in one piece. In effect while `epoch` is the engine's.
 */
static struct {
	uint64_t epoch; /* UINT64_MAX: not in effect */
	struct cpu *cpu;
	unsigned int index;
	struct user_context *context;
	sim_time begun, spent;
	sim_time limit; /* it catches up when its time is beyond */
} stretch = {.epoch = UINT64_MAX};

static void stretch_begin(void)
{
	const struct kernel_ops *kernel = the_machine->kernel;
	const size_t tid = (size_t)kernel->current_tid();

	stretch.epoch = sim_thread_epoch;
	stretch.index = kernel->current_cpu();
	stretch.cpu = &the_machine->cpus[stretch.index];
	stretch.context = tid < context_slots ? contexts[tid] : NULL;
	stretch.begun = kernel->local_time();
	stretch.spent = 0;
	stretch.limit = sim_now() + SIM_NS(the_machine->config->cpu.quantum_ns);
}

/* Before anything that may let time pass, and before every call of the kernel. */
static inline void stretch_end(void)
{
	if (stretch.epoch == sim_thread_epoch && stretch.spent)
		the_machine->kernel->charge(stretch.spent);
	stretch.epoch = UINT64_MAX;
}

static inline void stretch_go_on(void)
{
	if (stretch.epoch != sim_thread_epoch)
		stretch_begin();
}

static inline struct cpu *this_cpu(void)
{
	stretch_go_on();
	return stretch.cpu;
}

static inline struct user_context *this_context(void)
{
	stretch_go_on();
	return stretch.context;
}

static inline void charge(sim_time cost)
{
	stretch_go_on();
	stretch.spent += cost;
}

static void context_set(int tid, struct user_context *context)
{
	if ((size_t)tid >= context_slots) {
		size_t slots = context_slots ? context_slots * 2 : 64;

		while (slots <= (size_t)tid)
			slots *= 2;
		contexts = realloc(contexts, slots * sizeof(*contexts));
		if (!contexts)
			abort();
		memset(contexts + context_slots, 0, (slots - context_slots) * sizeof(*contexts));
		context_slots = slots;
	}
	contexts[tid] = context;
}

/* User mode ends here if the task has a fatal signal. */
static void leave_if_dying(void)
{
	stretch_end();
	if (the_machine->kernel->user_must_exit())
		longjmp(this_context()->leave, 1);
}

static void catch_up(void)
{
	stretch_end();
	the_machine->kernel->sync();
	leave_if_dying();
}

/* Adds to the CPU's time; lets simulated time catch up once a quantum is full. */
static inline void charge_user(sim_time cost)
{
	charge(cost);
	if (stretch.begun + stretch.spent > stretch.limit)
		catch_up();
}

/* ---- translated accesses -------------------------------------------------------------------- */

struct walk_wait {
	struct mmu_request request;
	struct sim_thread *thread;
	bool done;
};

static void walk_done(struct mmu_request *request)
{
	struct walk_wait *wait = request->owner;

	wait->done = true;
	if (wait->thread)
		sim_thread_wake(wait->thread);
}

/* As translate(), by all that an access may need. */
static __attribute__((noinline)) bool translate_fully(uint64_t va, unsigned int access,
						      uint64_t *pa)
{
	const struct kernel_ops *kernel = the_machine->kernel;

	for (;;) {
		struct walk_wait wait = {
			.request =
				{
					.va = va,
					.access = access & KI_WRITE ? MMU_WRITE : MMU_READ,
					.user = true,
					.done = walk_done,
				},
		};

		wait.request.owner = &wait;
		struct mmu *mmu = this_cpu()->mmu;

		if (mmu_translate(mmu, &wait.request) == MMU_PENDING) {
			stretch_end();
			wait.thread = sim_thread_self();
			while (!wait.done)
				sim_thread_block();
			/* TLB maintenance between the walk's end and now: its answer must not be used. */
			if (!mmu_translation_current(mmu, &wait.request))
				continue;
		}
		charge(wait.request.cost);
		if (wait.request.fault == MMU_FAULT_NONE) {
			*pa = wait.request.pa;
			return true;
		}
		stretch_end();
		if (kernel->page_fault(va, access))
			return false;
		if (access & KI_USER)
			leave_if_dying();
	}
}

/*
 * Translates one access of the current task, faulting into the kernel as often as it takes. False if the
 * kernel will not have it; *pa is then undefined.
 */
static inline bool translate(uint64_t va, unsigned int access, uint64_t *pa)
{
	sim_time cost;

	if (!mmu_translate_hit(this_cpu()->mmu, va, access & KI_WRITE ? MMU_WRITE : MMU_READ, pa,
			       &cost))
		return translate_fully(va, access, pa);
	stretch.spent += cost;
	return true;
}

/* An access to a device's registers, whose page has been looked up. False: no access any more. */
static __attribute__((noinline)) bool access_device(uint64_t va, void *buffer, size_t bytes,
						    bool store, unsigned int access)
{
	struct machine *machine = the_machine;
	struct cpu *cpu;
	uint64_t pa;

	/*
	 * What has been done before must have happened before; what happens meanwhile may take the
	 * mapping away
	 */
	stretch_end();
	machine->kernel->sync();
	if (!translate(va, access | (store ? KI_WRITE : KI_READ), &pa))
		return false;
	cpu = this_cpu();
	if (ram_host(&machine->ram, pa, bytes)) {
		charge(store ? memory_cpu_store(machine->memory, stretch.index, pa, buffer,
						(uint32_t)bytes)
			     : memory_cpu_load(machine->memory, stretch.index, pa, buffer,
					       (uint32_t)bytes));
		return true;
	}
	stretch_end();
	cpu_access_device(cpu, pa, buffer, bytes, store);
	return true;
}

/* One piece within a page. False: no access. */
static bool access_piece(uint64_t va, void *buffer, size_t bytes, bool store, unsigned int access)
{
	struct machine *machine = the_machine;
	uint64_t pa;

	if (!translate(va, access | (store ? KI_WRITE : KI_READ), &pa))
		return false;
	if (!ram_host(&machine->ram, pa, bytes))
		return access_device(va, buffer, bytes, store, access);
	stretch_go_on();
	charge(store ? memory_cpu_store(machine->memory, stretch.index, pa, buffer, (uint32_t)bytes)
		     : memory_cpu_load(machine->memory, stretch.index, pa, buffer,
				       (uint32_t)bytes));
	return true;
}

/* Any range; returns the bytes that were not accessed. */
static size_t access_range(uint64_t va, void *buffer, size_t bytes, bool store, unsigned int access)
{
	uint8_t *at = buffer;

	while (bytes) {
		size_t piece = PAGE_BYTES - (va & (PAGE_BYTES - 1));

		if (piece > bytes)
			piece = bytes;
		if (!access_piece(va, at, piece, store, access))
			return bytes;
		va += piece;
		at += piece;
		bytes -= piece;
	}
	return 0;
}

static ki_u64 host_copy_user(unsigned int cpu, ki_u64 va, void *buffer, ki_u64 bytes,
			     unsigned int access)
{
	size_t left;

	(void)cpu; /* the current task's, which may change while it faults */
	stretch.epoch = UINT64_MAX;
	left = access_range(va, buffer, bytes, access & KI_WRITE, 0);
	stretch_end();
	return left;
}

/* The kernel refused and the signal is on its way: the access never happened. */
static void access_refused(void)
{
	catch_up();
	assert(!"an access without permission left user mode");
}

static __attribute__((noinline)) void user_access_any(uint64_t va, void *buffer, size_t bytes,
						      bool store)
{
	size_t left = access_range(va, buffer, bytes, store, KI_USER);

	charge_user(0);
	if (left)
		access_refused();
}

/* Most accesses are of a word in a page that the TLB has. */
static inline void user_access(uint64_t va, void *buffer, unsigned int size, bool store)
{
	struct machine *machine = the_machine;
	sim_time cost;
	uint64_t pa;

	stretch_go_on();
	if ((va & (PAGE_BYTES - 1)) + size > PAGE_BYTES ||
	    !mmu_translate_hit(stretch.cpu->mmu, va, store ? MMU_WRITE : MMU_READ, &pa, &cost)) {
		user_access_any(va, buffer, size, store);
		return;
	}
	stretch.spent += cost;
	if (!ram_host(&machine->ram, pa, size)) {
		if (!access_device(va, buffer, size, store, KI_USER))
			access_refused();
		cost = 0;
	} else {
		cost = store ? memory_cpu_store(machine->memory, stretch.index, pa, buffer, size)
			     : memory_cpu_load(machine->memory, stretch.index, pa, buffer, size);
	}
	charge_user(cost);
}

/* ---- program.h: memory ---------------------------------------------------------------------- */

uint64_t prog_load(uint64_t va, unsigned int size)
{
	struct user_context *context;
	uint64_t value = 0;

	user_access(va, &value, size, false);
	context = this_context();
	context->loaded_va = va;
	context->loaded_size = size;
	context->loaded_value = value;
	return value;
}

void prog_store(uint64_t va, uint64_t value, unsigned int size)
{
	user_access(va, &value, size, true);
}

void prog_read(void *local, uint64_t va, size_t bytes)
{
	user_access_any(va, local, bytes, false);
}

void prog_write(uint64_t va, const void *local, size_t bytes)
{
	/* access_range() only reads from the buffer of a store */
	user_access_any(va, (void *)(uintptr_t)local, bytes, true);
}

/* An alignment fault: the process ends as by SIGBUS. */
static void die_of_alignment(uint64_t va)
{
	prog_mark_failure("an atomic access at 0x%llx: misaligned, or not in RAM",
			  (unsigned long long)va);
	prog_exit(128 + SIGBUS);
}

/* Atomics are seen by others at once: simulated time catches up first. Device memory has none. */
static uint64_t user_atomic(uint64_t va, enum sim_cmd cmd, uint64_t operand, uint64_t desired,
			    unsigned int size)
{
	struct machine *machine = the_machine;
	uint64_t data[2] = {operand, desired};
	uint8_t bytes[16];
	sim_time cost;
	uint64_t old = 0;
	uint64_t pa;

	catch_up();
	if (!translate(va, KI_USER | KI_READ | KI_WRITE, &pa)) {
		catch_up();
		assert(!"an access without permission left user mode");
	}
	memcpy(bytes, &data[0], size);
	memcpy(bytes + size, &data[1], size);
	stretch_go_on();
	cost = memory_cpu_atomic(machine->memory, stretch.index, cmd, pa, bytes, size);
	if (cost == SIM_TIME_NEVER)
		die_of_alignment(va);
	charge_user(cost);
	memcpy(&old, bytes, size);
	return old;
}

uint64_t prog_cas(uint64_t va, uint64_t expected, uint64_t desired, unsigned int size)
{
	return user_atomic(va, SIM_ATOMIC_CAS, expected, desired, size);
}

uint64_t prog_fetch_add(uint64_t va, uint64_t operand, unsigned int size)
{
	return user_atomic(va, SIM_ATOMIC_ADD, operand, 0, size);
}

uint64_t prog_swap(uint64_t va, uint64_t value, unsigned int size)
{
	return user_atomic(va, SIM_ATOMIC_SWAP, value, 0, size);
}

void prog_barrier(enum prog_barrier kind)
{
	charge_user(SIM_NS(the_machine->config->cpu.barrier_ns));
	if (kind == PROG_DSB) {
		catch_up();

		struct cpu *cpu = this_cpu();

		stretch_end();
		cpu_device_drain(cpu);
	}
}

/* ---- program.h: time ------------------------------------------------------------------------ */

uint64_t prog_time_ps(void)
{
	stretch_go_on();
	return stretch.begun + stretch.spent;
}

void prog_work_ns(uint64_t ns)
{
	const uint64_t quantum = the_machine->config->cpu.quantum_ns;

	while (ns) {
		uint64_t part = ns < quantum ? ns : quantum;

		charge_user(SIM_NS(part));
		ns -= part;
	}
}

struct poll_watch {
	struct sim_thread *thread;
	bool written;
};

static void polled_line_written(void *arg)
{
	struct poll_watch *watch = arg;

	watch->written = true;
	sim_thread_wake(watch->thread);
}

void prog_poll_line(uint64_t va, uint64_t timeout_ns)
{
	struct machine *machine = the_machine;
	struct user_context *context = this_context();
	struct poll_watch watch = {.thread = sim_thread_self()};
	uint64_t monitor;
	uint64_t value = 0;
	uint64_t pa;

	catch_up();
	if (!translate(va, KI_USER | KI_READ, &pa) || !ram_host(&machine->ram, pa, 1))
		return;
	monitor = memory_monitor_add(machine->memory, pa, polled_line_written, &watch);
	/* What was written between the load and the monitor ends the wait at once, as it clears an exclusive monitor. */
	if (context->loaded_va / LINE_BYTES == va / LINE_BYTES) {
		uint64_t at = (pa & ~(uint64_t)(LINE_BYTES - 1)) |
			      (context->loaded_va & (LINE_BYTES - 1));

		memcpy(&value, ram_host(&machine->ram, at, context->loaded_size),
		       context->loaded_size);
		if (value != context->loaded_value)
			watch.written = true;
	}
	stretch_end();
	if (!watch.written) {
		struct cpu *cpu = &machine->cpus[machine->kernel->current_cpu()];
		const sim_time begin = sim_now();

		machine->kernel->poll_wait(timeout_ns ? begin + SIM_NS(timeout_ns)
						      : SIM_TIME_NEVER);
		cpu->waited_ps += sim_now() - begin;
	}
	memory_monitor_cancel(machine->memory, monitor);
	if (watch.written)
		machine->kernel->charge(SIM_NS(machine->config->cpu.poll_detect_ns));
	leave_if_dying();
}

/* ---- program.h: kernel ---------------------------------------------------------------------- */

static int64_t system_call(uint64_t number, const ki_u64 args[7])
{
	int64_t result;

	stretch_end();
	if (number == __NR_nanosleep || number == __NR_ppoll) {
		struct cpu *cpu = this_cpu();
		const sim_time begin = stretch.begun;

		stretch_end();
		result = the_machine->kernel->syscall(number, args);
		cpu->waited_ps += the_machine->kernel->local_time() - begin;
	} else {
		result = the_machine->kernel->syscall(number, args);
	}
	leave_if_dying();
	return result;
}

int64_t prog_syscall(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		     uint64_t a4, uint64_t a5)
{
	const ki_u64 args[7] = {a0, a1, a2, a3, a4, a5, 0};

	return system_call(number, args);
}

static int64_t user_clone(uint64_t flags, void (*entry)(void *arg), void *arg)
{
	const ki_u64 args[7] = {flags, 0, 0, 0, 0, (uintptr_t)entry, (uintptr_t)arg};

	return system_call(__NR_clone, args);
}

int64_t prog_fork(void (*entry)(void *arg), void *arg)
{
	return user_clone(CLONE_FLAGS_FORK, entry, arg);
}

int64_t prog_thread(void (*entry)(void *arg), void *arg)
{
	return user_clone(CLONE_FLAGS_THREAD, entry, arg);
}

void prog_exit(int code)
{
	prog_syscall(__NR_exit_group, (uint64_t)code, 0, 0, 0, 0, 0);
	for (;;) /* exit_group makes the task leave user mode */
		catch_up();
}

/* The kernel image's call into user mode. */
static int host_user_run(void (*entry)(void *arg), void *arg)
{
	const int tid = the_machine->kernel->current_tid();
	struct user_context context = {.loaded_va = UINT64_MAX};

	context_set(tid, &context);
	if (setjmp(context.leave) == 0)
		entry(arg);
	stretch_end();
	contexts[tid] = NULL;
	return context.exit_code;
}

/* ---- program.h: configuration, marks, verifier ----------------------------------------------- */

static const struct param_desc *find_workload_param(const char *key)
{
	const struct workload *workload = the_machine->config->workload;

	for (size_t i = 0; i < workload->param_count; i++)
		if (!strcmp(workload->params[i].key, key))
			return &workload->params[i];
	assert(!"a program asks for a parameter that its workload does not declare");
	abort();
}

/* Programs ask often, and nearly always with the same string constants. */
static const struct param_desc *workload_param(const char *key)
{
	static struct {
		const struct workload *workload;
		const char *key;
		const struct param_desc *desc;
	} asked[64];
	const size_t i = ((uintptr_t)key ^ (uintptr_t)key >> 6) % 64;

	if (asked[i].key != key || asked[i].workload != the_machine->config->workload) {
		asked[i].workload = the_machine->config->workload;
		asked[i].key = key;
		asked[i].desc = find_workload_param(key);
	}
	return asked[i].desc;
}

static const void *workload_value(const struct param_desc *desc)
{
	return (const char *)the_machine->config->workload->values + desc->offset;
}

uint64_t prog_param_u64(const char *key)
{
	const struct param_desc *desc = workload_param(key);

	if (desc->type == PARAM_U32)
		return *(const uint32_t *)workload_value(desc);
	assert(desc->type == PARAM_U64);
	return *(const uint64_t *)workload_value(desc);
}

bool prog_param_bool(const char *key)
{
	const struct param_desc *desc = workload_param(key);

	assert(desc->type == PARAM_BOOL);
	return *(const bool *)workload_value(desc);
}

unsigned int prog_param_enum(const char *key)
{
	const struct param_desc *desc = workload_param(key);

	assert(desc->type == PARAM_ENUM);
	return *(const uint32_t *)workload_value(desc);
}

void prog_mark_queue_open(unsigned int device, unsigned int queue, unsigned int depth)
{
	life_queue_open(the_machine->life, device, queue, depth);
}

void prog_mark_queue_close(unsigned int device, unsigned int queue)
{
	life_queue_close(the_machine->life, device, queue, prog_time_ps());
}

void prog_mark_send(unsigned int device, unsigned int queue, unsigned int index)
{
	life_request_send(the_machine->life, device, queue, index, prog_time_ps());
}

void prog_mark_submitted(unsigned int device, unsigned int queue, unsigned int index)
{
	life_request_stamp(the_machine->life, device, queue, index, REQUEST_SUBMITTED,
			   prog_time_ps());
}

void prog_mark_received(unsigned int device, unsigned int queue, unsigned int index, uint64_t bytes,
			bool ok)
{
	struct machine *machine = the_machine;

	life_request_received(machine->life, device, queue, index, prog_time_ps(), bytes, ok);
	machine->requests_received++;
	if (machine->progress)
		machine->progress(machine->progress_arg, machine->requests_received,
				  machine->requests_expected);
}

void prog_mark_expected(uint64_t requests)
{
	the_machine->requests_expected += requests;
	life_expect(the_machine->life, the_machine->requests_expected);
}

void prog_mark_failure(const char *format, ...)
{
	struct machine *machine = the_machine;
	va_list args;

	if (machine->failures++)
		return;
	va_start(args, format);
	vsnprintf(machine->first_failure, sizeof(machine->first_failure), format, args);
	va_end(args);
}

bool prog_verify_read(void *local, uint64_t va, size_t bytes)
{
	struct machine *machine = the_machine;
	uint8_t *at = local;

	while (bytes) {
		size_t piece = PAGE_BYTES - (va & (PAGE_BYTES - 1));
		uint64_t pa = machine->kernel->peek_va(0, va);

		if (piece > bytes)
			piece = bytes;
		if (pa == UINT64_MAX || !ram_host(&machine->ram, pa, piece))
			return false;
		memcpy(at, ram_host(&machine->ram, pa, piece), piece);
		va += piece;
		at += piece;
		bytes -= piece;
	}
	return true;
}

bool prog_verify_mapped(uint64_t va)
{
	return the_machine->kernel->peek_va(0, va) != UINT64_MAX;
}

/* ---- the kernel image's view of the MMU ------------------------------------------------------- */

static void host_set_ttbr0(unsigned int cpu, ki_u64 table_pa, unsigned int asid)
{
	mmu_set_ttbr0(the_machine->mmus[cpu], table_pa, (uint16_t)asid);
}

static void host_tlbi(unsigned int cpu, enum ki_tlbi op, unsigned int asid, ki_u64 va, ki_u64 pages)
{
	struct machine *machine = the_machine;
	sim_time cost = 0;

	(void)cpu;
	switch (op) {
	case KI_TLBI_ALL:
		cost = mmu_domain_tlbi_all(machine->mmu_domain);
		break;
	case KI_TLBI_ASID:
		cost = mmu_domain_tlbi_asid(machine->mmu_domain, (uint16_t)asid);
		break;
	case KI_TLBI_VA:
	case KI_TLBI_VA_LAST:
		cost = mmu_domain_tlbi_va(machine->mmu_domain, (uint16_t)asid, va, pages,
					  op == KI_TLBI_VA_LAST);
		break;
	}
	machine->kernel->charge(cost);
}

/* ---- what the kernel moves itself ---------------------------------------------------------------- */

static ki_u64 host_stream_store(unsigned int cpu, ki_u64 pa, ki_u64 bytes)
{
	return memory_cpu_stream(the_machine->memory, cpu, pa, bytes);
}

static ki_u64 host_touch(unsigned int cpu, ki_u64 pa, ki_u64 bytes)
{
	return memory_cpu_touch(the_machine->memory, cpu, pa, (uint32_t)bytes, false);
}

/* ---- construction ------------------------------------------------------------------------------ */

struct cpu *cpus_new(struct machine *machine)
{
	struct cpu *cpus = calloc(machine->config->machine.cpus, sizeof(*cpus));

	if (!cpus)
		abort();
	for (unsigned int i = 0; i < machine->config->machine.cpus; i++) {
		struct cpu *cpu = &cpus[i];

		cpu->machine = machine;
		cpu->mmu = machine->mmus[i];
		cpu->port = machine_cpu_port(machine, i);
		cpu_device_init(cpu);
	}
	return cpus;
}

void cpus_free(struct cpu *cpus)
{
	if (!cpus)
		return;
	for (unsigned int i = 0; i < cpus[0].machine->config->machine.cpus; i++)
		cpu_device_fini(&cpus[i]);
	free(cpus);
	free(contexts);
	contexts = NULL;
	context_slots = 0;
}

/* Sums of a counter over all CPUs. */
#define SUM(field)                                                                                 \
	static uint64_t sum_##field(const void *arg)                                               \
	{                                                                                          \
		const struct machine *machine = arg;                                               \
		uint64_t sum = 0;                                                                  \
                                                                                                   \
		for (unsigned int i = 0; i < machine->config->machine.cpus; i++)                   \
			sum += machine->cpus[i].field;                                             \
		return sum;                                                                        \
	}

SUM(device_loads)
SUM(device_stores)
SUM(gathered)
SUM(bus_errors)
SUM(waited_ps)

void cpus_register_stats(struct machine *machine, struct stats *stats)
{
	stats_computed_u64(stats, "cpu.device_loads", sum_device_loads, machine, "count",
			   "device loads of all CPUs");
	stats_computed_u64(stats, "cpu.device_stores", sum_device_stores, machine, "count",
			   "device stores of all CPUs, gathered ones as one");
	stats_computed_u64(stats, "cpu.device_stores_gathered", sum_gathered, machine, "count",
			   "stores of programs that joined an earlier one");
	stats_computed_u64(
		stats, "programs.waited_ps", sum_waited_ps, machine, "ps",
		"for a line to be written, in nanosleep() and in ppoll(); of all threads");
	stats_computed_u64(stats, "cpu.bus_errors", sum_bus_errors, machine, "count",
			   "device accesses that nothing answered");
}

void cpu_fill_ops(struct machine_ops *ops)
{
	cpu_device_fill_ops(ops);
	ops->set_ttbr0 = host_set_ttbr0;
	ops->tlbi = host_tlbi;
	ops->stream_store = host_stream_store;
	ops->touch = host_touch;
	ops->copy_user = host_copy_user;
	ops->user_run = host_user_run;
}
