/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Simulated CPUs: each has a time of its own that runs ahead of the simulation's by what its code has added up,
 * and catches up before an effect that others can see. Kernel code adds up by executed basic blocks, everything
 * else by named costs. Interrupts are taken when they are enabled and the CPU's time has caught up.
 *
 * Every task has a host thread. The globals that the kernel's inline functions read (the interrupt flag, the current
 * task) belong to the thread that runs and are exchanged whenever another one does.
 *
 * Not modelled: hyper-threads, frequency, the cost of a cache miss of kernel code.
 */
#include <linux/hardirq.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/time-internal.h>

#include "kernel.h"

#define LOCK_SKEW_PS                                                                               \
	(200 * PS_PER_NS) /* how far apart CPUs may be when they meet at a lock or clock */
#define QUANTUM_PS	 (10000 * PS_PER_NS) /* a CPU executes so much at most without others seeing it */
#define BLOCKS_PER_CHECK 1000
#define CLOCK_READ_PS	 (20 * PS_PER_NS)
/* The architected timer's event stream, which Linux runs at 10 kHz, ends a WFE that nobody else ends */
#define EVENT_STREAM_PS (100000 * PS_PER_NS)

struct shim_cpu shim_cpus[SHIM_MAX_CPUS];
unsigned int shim_nr_cpus;
const struct machine_ops *host;
static struct machine_ops wrapped;
const struct machine_ops *machine = &wrapped;
struct kernel_params kparams;
const struct boot_params *boot_params;
struct kernel_counters kcounters;

/* Read inline by irqs_disabled() and friends: the running task's */
int signals_enabled = 1;
enum time_travel_mode time_travel_mode = TT_MODE_INFCPU;

static struct task_struct *running; /* whose state the globals hold */
static unsigned int blocks;	    /* executed since they were folded into the CPU's time */
static unsigned int event_depth;
static unsigned int event_saved_blocks;

struct task_struct *shim_current(void)
{
	return running;
}

struct thread_info *shim_thread_info(void)
{
	return &sched_of(running)->info;
}

struct shim_cpu *this_cpu(void)
{
	return running && !event_depth ? sched_of(running)->cpu : NULL;
}

unsigned int shim_cpu(void)
{
	return running ? sched_of(running)->cpu->id : 0;
}

void event_enter(void)
{
	if (!event_depth++)
		event_saved_blocks = blocks;
}

void event_exit(void)
{
	if (!--event_depth)
		blocks = event_saved_blocks;
}

unsigned int untimed_begin(void)
{
	unsigned int before = blocks;

	blocks = 0;
	return before;
}

void untimed_end(unsigned int blocks_before)
{
	blocks = blocks_before;
}

/* ---- time --------------------------------------------------------------------------------------- */

void cpu_fold_blocks(struct shim_cpu *cpu)
{
	kcounters.blocks += blocks;
	cpu->local += (u64)blocks * kparams.block_ps;
	blocks = 0;
}

static void cpu_not_before_now(struct shim_cpu *cpu)
{
	u64 now = host->now();

	if (cpu->local < now)
		cpu->local = now;
	jiffies_update(cpu->local);
}

/* A long stretch of kernel code: others may run in between, where an interrupt could come too and no lock is held */
static noinline void blocks_check(void)
{
	struct shim_cpu *cpu = this_cpu();

	if (!cpu)
		return;
	cpu_fold_blocks(cpu);
	if (cpu->local > host->now() + QUANTUM_PS && signals_enabled && !preempt_count() &&
	    !sched_of(running)->locks_held)
		cpu_catch_up(cpu);
}

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	if (unlikely(++blocks >= BLOCKS_PER_CHECK))
		blocks_check();
}

void shim_charge_ps(u64 ps)
{
	struct shim_cpu *cpu = this_cpu();

	if (cpu)
		cpu->local += ps;
}

u64 shim_local_time(void)
{
	struct shim_cpu *cpu = this_cpu();
	u64 now = host->now(), local;

	if (!cpu)
		return now;
	/* Only a look: a trace asks often, and must not shift the next check of the blocks */
	local = cpu->local + (u64)blocks * kparams.block_ps;
	return local > now ? local : now;
}

u64 cpu_now(void)
{
	return shim_local_time();
}

/* ---- which task the globals belong to ------------------------------------------------------------- */

void cpu_resume(struct task_struct *task)
{
	struct shim_sched *sched;

	if (running != task) {
		if (running) {
			sched = sched_of(running);
			cpu_fold_blocks(sched->cpu);
			sched->irqs_enabled = signals_enabled;
		}
		blocks = 0;
		running = task;
		signals_enabled = sched_of(task)->irqs_enabled;
	}
	cpu_not_before_now(sched_of(task)->cpu);
}

void cpu_forget(void)
{
	if (running)
		cpu_fold_blocks(sched_of(running)->cpu);
	running = NULL;
}

struct shim_cpu *cpu_enter(void)
{
	void *thread = host->thread_self();

	if (!running || shim_task(running)->thread != thread) {
		struct task_struct *task = task_by_host_thread(thread);

		if (!task)
			trap("the kernel was called on a thread that is not a task's");
		cpu_resume(task);
	} else {
		cpu_not_before_now(sched_of(running)->cpu);
	}
	return sched_of(running)->cpu;
}

/* ---- waiting -------------------------------------------------------------------------------------- */

bool cpu_wait(struct shim_cpu *cpu, u64 when, bool kickable)
{
	struct task_struct *me = running;
	bool woken = true;

	cpu->waiting = kickable;
	if (when == SHIM_NO_TIME)
		host->thread_block();
	else
		woken = host->thread_block_until(when);
	cpu->waiting = false;
	cpu_resume(me);
	return woken;
}

void cpu_catch_up(struct shim_cpu *cpu)
{
	cpu_fold_blocks(cpu);
	while (cpu->local > host->now())
		cpu_wait(cpu, cpu->local, false);
	jiffies_update(cpu->local);
}

void cpu_kick(struct shim_cpu *cpu)
{
	if (!cpu->waiting)
		return;
	cpu->waiting = false;
	host->thread_wake(shim_task(cpu->curr)->thread);
}

bool cpu_interrupt_pending(const struct shim_cpu *cpu)
{
	return !list_empty(&cpu->irqs) || !list_empty(&cpu->timeouts);
}

void cpu_take_interrupts(struct shim_cpu *cpu)
{
	struct shim_sched *sched = sched_of(running);
	const bool user = sched->in_user;

	sched->in_user = false; /* a handler is the kernel's: nothing else runs before its end */
	while (signals_enabled && cpu_interrupt_pending(cpu)) {
		signals_enabled = 0;
		preempt_count_add(HARDIRQ_OFFSET);
		kcounters.interrupts++;
		shim_charge_ns(kparams.irq_entry_ns);
		cpu_catch_up(cpu);
		timeouts_run(cpu);
		irqs_run(cpu);
		preempt_count_sub(HARDIRQ_OFFSET);
		signals_enabled = 1;
	}
	sched->in_user = user;
}

void shim_sync(void)
{
	struct shim_cpu *cpu = this_cpu();

	if (!cpu)
		return;
	if (sched_of(running)->in_user) {
		cpu_user_sync();
		return;
	}
	/* Interrupts take time, too: what follows must not happen before they have ended */
	for (;;) {
		cpu_catch_up(cpu);
		if (!signals_enabled || !cpu_interrupt_pending(cpu))
			return;
		cpu_take_interrupts(cpu);
	}
}

/* What is left of the user code's time after an interruption is added to it again, on whatever CPU it goes on */
bool cpu_user_sync(void)
{
	struct shim_cpu *cpu = this_cpu();
	bool disturbed = false;

	cpu_fold_blocks(cpu);
	for (;;) {
		u64 now = host->now();
		u64 left = cpu->local > now ? cpu->local - now : 0;
		u64 slice_end;

		cpu->local = now;
		jiffies_update(now);
		if (cpu_interrupt_pending(cpu)) {
			cpu_take_interrupts(cpu);
			disturbed = true;
		}
		rcu_quiescent(cpu);
		disturbed |= sched_preempt_check(cpu);
		cpu = this_cpu();
		cpu->local += left;
		if (cpu->local <= host->now())
			return disturbed;
		slice_end = sched_slice_end(cpu);
		disturbed |= cpu_wait(cpu, cpu->local < slice_end ? cpu->local : slice_end, true);
	}
}

int cpu_poll_wait(u64 when)
{
	struct shim_cpu *cpu;

	/* The machine's wake-up may be among what disturbed it: the caller looks again */
	if (cpu_user_sync())
		return 1;
	cpu = this_cpu();
	for (;;) {
		u64 slice_end = sched_slice_end(cpu);
		bool woken;

		if (host->now() >= when)
			return 0;
		woken = cpu_wait(cpu, when < slice_end ? when : slice_end, true);
		if (cpu_interrupt_pending(cpu)) {
			cpu_user_sync();
			return 1;
		}
		if (sched_preempt_check(cpu) || woken)
			return 1;
	}
}

/* ---- interrupt flag: called by the kernel's inline functions ----------------------------------------- */

void block_signals(void)
{
	signals_enabled = 0;
}

void unblock_signals(void)
{
	struct shim_cpu *cpu = this_cpu();

	signals_enabled = 1;
	if (cpu && unlikely(cpu_interrupt_pending(cpu)))
		cpu_take_interrupts(cpu);
}

int um_set_signals(int enable)
{
	int before = signals_enabled;

	if (enable)
		unblock_signals();
	else
		block_signals();
	return before;
}

/* ---- delays and registers ---------------------------------------------------------------------------- */

void time_travel_ndelay(unsigned long nsec)
{
	struct shim_cpu *cpu;

	shim_charge_ns(nsec);
	shim_sync();
	/* Who waits in a loop (cpu_relax()) is told by the tick to make way, perhaps for whom it waits for */
	cpu = this_cpu();
	if (cpu && signals_enabled)
		sched_slice_check(cpu);
}

void __udelay(unsigned long usecs)
{
	time_travel_ndelay(1000 * usecs);
}

void __ndelay(unsigned long nsecs)
{
	time_travel_ndelay(nsecs);
}

/* xloops is microseconds times 2^32 / 10^6 */
void __const_udelay(unsigned long xloops)
{
	time_travel_ndelay((unsigned long)(((unsigned __int128)xloops * 1000000000ULL) >> 32));
}

void shim_wfe(void);
void shim_wfe(void)
{
	struct shim_cpu *cpu = this_cpu();

	cpu_catch_up(cpu);
	if (!cpu->event)
		cpu_wait(cpu, host->now() + EVENT_STREAM_PS, true);
	cpu->event = false;
	cpu_not_before_now(cpu);
}

void cpus_send_event(void)
{
	unsigned int i;

	for (i = 0; i < shim_nr_cpus; i++) {
		shim_cpus[i].event = true;
		cpu_kick(&shim_cpus[i]);
	}
}

ktime_t ktime_get(void)
{
	struct shim_cpu *cpu = this_cpu();

	shim_charge_ps(CLOCK_READ_PS);
	/* A loop that only looks at the clock must let the others run */
	if (cpu && shim_local_time() > host->now() + LOCK_SKEW_PS)
		shim_sync();
	return (ktime_t)(shim_local_time() / PS_PER_NS);
}

#define MMIO_READ(suffix, type)                                                                    \
	type __raw_read##suffix(const volatile void __iomem *addr)                                 \
	{                                                                                          \
		return (type)machine->mmio_read(shim_cpu(), (u64)(uintptr_t)addr, sizeof(type));   \
	}
#define MMIO_WRITE(suffix, type)                                                                   \
	void __raw_write##suffix(type value, volatile void __iomem *addr)                          \
	{                                                                                          \
		machine->mmio_write(shim_cpu(), (u64)(uintptr_t)addr, value, sizeof(type));        \
	}
#undef __raw_readb
#undef __raw_readw
#undef __raw_readl
#undef __raw_readq
#undef __raw_writeb
#undef __raw_writew
#undef __raw_writel
#undef __raw_writeq
MMIO_READ(b, u8)
MMIO_READ(w, u16)
MMIO_READ(l, u32)
MMIO_READ(q, u64)
MMIO_WRITE(b, u8)
MMIO_WRITE(w, u16)
MMIO_WRITE(l, u32)
MMIO_WRITE(q, u64)

/* ---- the machine's blocking calls ---------------------------------------------------------------------- */

static struct task_struct *leave(void)
{
	if (this_cpu())
		shim_sync();
	return running;
}

static ki_u64 machine_mmio_read(unsigned int cpu, ki_u64 pa, unsigned int size)
{
	struct task_struct *me = leave();
	ki_u64 value = host->mmio_read(sched_of(me)->cpu->id, pa, size);

	cpu_resume(me);
	return value;
}

static void machine_mmio_write(unsigned int cpu, ki_u64 pa, ki_u64 value, unsigned int size)
{
	struct task_struct *me = leave();

	host->mmio_write(sched_of(me)->cpu->id, pa, value, size);
	cpu_resume(me);
}

static void machine_barrier(unsigned int cpu)
{
	struct task_struct *me = leave();

	(host->barrier)(sched_of(me)->cpu->id);
	cpu_resume(me);
}

static void machine_tlbi(unsigned int cpu, enum ki_tlbi op, unsigned int asid, ki_u64 va,
			 ki_u64 pages)
{
	struct task_struct *me = leave();

	host->tlbi(sched_of(me)->cpu->id, op, asid, va, pages);
	cpu_resume(me);
}

static ki_u64 machine_copy_user(unsigned int cpu, ki_u64 user_va, void *buffer, ki_u64 bytes,
				unsigned int access)
{
	struct task_struct *me = leave();
	ki_u64 left = host->copy_user(sched_of(me)->cpu->id, user_va, buffer, bytes, access);

	cpu_resume(me);
	return left;
}

static int machine_user_run(void (*entry)(void *arg), void *arg)
{
	struct task_struct *me = leave();
	int code;

	sched_of(me)->in_user = true;
	code = host->user_run(entry, arg);
	cpu_resume(me);
	sched_of(me)->in_user = false;
	return code;
}

static void machine_thread_block(void)
{
	struct task_struct *me = leave();

	cpu_wait(sched_of(me)->cpu, SHIM_NO_TIME, false);
}

static int machine_thread_block_until(ki_u64 when)
{
	struct task_struct *me = leave();

	return cpu_wait(sched_of(me)->cpu, when, false);
}

void cpus_init(const struct machine_ops *machine_from_host)
{
	unsigned int i;

	host = machine_from_host;
	wrapped = *host;
	wrapped.mmio_read = machine_mmio_read;
	wrapped.mmio_write = machine_mmio_write;
	wrapped.barrier = machine_barrier;
	wrapped.tlbi = machine_tlbi;
	wrapped.copy_user = machine_copy_user;
	wrapped.user_run = machine_user_run;
	wrapped.thread_block = machine_thread_block;
	wrapped.thread_block_until = machine_thread_block_until;

	shim_nr_cpus = host->nr_cpus;
	for (i = 0; i < shim_nr_cpus; i++) {
		shim_cpus[i].id = i;
		INIT_LIST_HEAD(&shim_cpus[i].irqs);
		INIT_LIST_HEAD(&shim_cpus[i].timeouts);
	}
}
