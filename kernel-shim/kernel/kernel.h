/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of kernel/ share among themselves: simulated CPUs, the scheduler's part of a task, time-outs.
 */
#ifndef KERNEL_SHIM_KERNEL_KERNEL_H
#define KERNEL_SHIM_KERNEL_KERNEL_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "runqueue.h"
#include "shim.h"

#define PS_PER_NS     1000ULL
#define PS_PER_SEC    1000000000000ULL
#define SHIM_MAX_CPUS 256u
#define SHIM_NO_TIME  (~0ULL)

/* ---- simulated CPUs (cpu.c) -------------------------------------------------------------------- */

struct shim_cpu {
	unsigned int id;
	u64 local; /* its time in ps: now(), or ahead of it by what it has added up */
	struct task_struct *curr; /* the task that runs on it, or its idle task */
	struct task_struct *idle;
	bool waiting; /* curr's host thread is blocked in a wait that cpu_kick() may end */
	bool kicked;  /* idle, and told to look at the run queue */
	bool event;   /* the event register of WFE */
	u64 kick_at;  /* when an idle CPU learns of the wake-up */
	unsigned int node;
	struct run_queue rq;
	u64 exec_start;		   /* from here on curr's time is not accounted */
	u64 slice_end;		   /* the tick that ends curr's slice */
	u64 balance_at;		   /* not before, while it is busy */
	struct list_head irqs;	   /* pending lines, in the order of their arrival */
	struct list_head timeouts; /* expired, not yet run */
	unsigned long rcu_seen; /* the last grace period for which it reported a quiescent state */
};

extern struct shim_cpu shim_cpus[SHIM_MAX_CPUS];
extern unsigned int shim_nr_cpus;

/* The machine as the simulator gave it; `machine` is a copy whose blocking calls keep the CPU's state */
extern const struct machine_ops *host;

void cpus_init(const struct machine_ops *machine_from_host);
/* The CPU of the running task; NULL before boot and in event context */
struct shim_cpu *this_cpu(void);
/* On entry from the simulator: makes the globals those of the running host thread's task. */
struct shim_cpu *cpu_enter(void);
/* The running host thread continues as `task`, after others may have run */
void cpu_resume(struct task_struct *task);
/* The running task's host thread ends */
void cpu_forget(void);
void cpu_fold_blocks(struct shim_cpu *cpu);
/* Waits until now() reaches the CPU's time. Takes no interrupts */
void cpu_catch_up(struct shim_cpu *cpu);
/* User mode's shim_sync(): interrupts are taken when they come, the task may be preempted and go on elsewhere.
 * True if anything but time passed */
bool cpu_user_sync(void);
void cpu_take_interrupts(struct shim_cpu *cpu);
bool cpu_interrupt_pending(const struct shim_cpu *cpu);
/* SEV, or a device's event: sets every CPU's event register, which ends a WFE */
void cpus_send_event(void);
/* Ends the wait of the CPU's host thread, if it is in one that may be ended */
void cpu_kick(struct shim_cpu *cpu);
/* Blocks the host thread until `when` or cpu_kick() or the machine's thread_wake(); true if woken */
bool cpu_wait(struct shim_cpu *cpu, u64 when, bool kickable);
int cpu_poll_wait(u64 when);
u64 cpu_now(void); /* in any context: local time on a CPU, else now() */

/* The kernel's library on behalf of the shim: its blocks do not count, and nothing else runs in between */
unsigned int untimed_begin(void);
void untimed_end(unsigned int blocks_before);

/* Event context runs between these; nothing is charged there and nothing may block */
void event_enter(void);
void event_exit(void);

/* ---- time-outs (timer.c) ------------------------------------------------------------------------ */

/* fn runs in the timer interrupt of the CPU on which it was armed */
struct shim_timeout {
	struct rb_node node;
	struct list_head expired;
	u64 when, sequence;
	void (*fn)(struct shim_timeout *timeout);
	struct shim_cpu *cpu;
	bool armed;
};
void timeout_arm(struct shim_timeout *timeout, u64 when, void (*fn)(struct shim_timeout *timeout));
bool timeout_cancel(struct shim_timeout *timeout); /* true if it was pending */
void timeouts_run(struct shim_cpu *cpu);
void timers_init(void);
void jiffies_update(u64 now);
/* Sleeps in the current task state until `when`; true if the time had come */
bool sleep_until(u64 when);

/* ---- tasks (sched.c, fork.c) --------------------------------------------------------------------- */

struct worker;
struct process;

struct shim_sched {
	struct thread_info info;
	struct rt_entity rt;
	struct fair_entity fair;
	struct list_head dead_node;
	struct hlist_node by_thread;
	struct shim_cpu *cpu; /* where it runs, waits or ran last; NULL before its first wake-up */
	struct shim_cpu *bound; /* the only one where it may run; NULL: anywhere */
	bool running;		/* owns `cpu` */
	bool in_user;
	bool dead;
	int irqs_enabled; /* while its host thread does not run */
	int locks_held;	  /* spinlocks */
	u64 ready_at;	  /* the waker's time */
	struct shim_timeout sleep;

	void (*main)(struct task_struct *task); /* body of its host thread */
	/* kthread */
	int (*kthread_fn)(void *data);
	void *kthread_data;
	bool kthread_stop;
	int kthread_result;
	struct completion exited;
	struct worker *worker; /* of a workqueue */
	/* user task */
	struct process *process;
	void (*user_entry)(void *arg);
	void *user_arg;
	bool exiting;	      /* asked to leave user mode for good */
	struct list_head all; /* every task but the idle ones */
};

struct kernel_task {
	struct shim_task shim;
	struct shim_sched sched;
};

static inline struct shim_sched *sched_of(struct task_struct *task)
{
	return shim_task(task)->sched;
}

void sched_init(void);
extern struct list_head all_tasks;
extern struct kernel_task boot_task;

/* A task that does not run yet; NULL without memory. The caller's reference is the task's own */
struct task_struct *task_new(const char *name, void (*main)(struct task_struct *task));
void task_start(struct task_struct *task);
void task_forget(struct task_struct *task); /* never started: drops it */
void tasks_reap(void);			    /* drops the ended tasks' own references */
/* Leaves the CPU for good; the caller returns from the host thread's function at once. */
void task_leave_cpu(struct task_struct *task);
/* Preempts the current task in user mode, or at a voluntary point, if another one should run. True if it did */
bool sched_preempt_check(struct shim_cpu *cpu);
u64 sched_slice_end(const struct shim_cpu *cpu);
/* At the end of curr's slice: does somebody else's begin? */
void sched_slice_check(struct shim_cpu *cpu);
void sched_resched(struct shim_cpu *cpu);   /* its task leaves it as soon as it may */
void sched_kick_idle(struct shim_cpu *cpu); /* its idle loop looks at the queue */
void sched_bind(struct task_struct *task, unsigned int cpu); /* from its next wake-up on */
/* balance.c */
struct shim_cpu *cpu_for_waking(struct task_struct *task);
bool balance_idle(struct shim_cpu *cpu); /* takes a task from another queue; true if it did */
void balance_tick(struct shim_cpu *cpu);
struct task_struct *task_by_host_thread(void *thread);
int try_to_wake_up(struct task_struct *task, unsigned int state, int wake_flags);

int user_must_exit(void);
int process_spawn(const char *name, void (*entry)(void *arg), void *arg);
int process_wait(int pid);
void processes_end(void); /* all that are left */
ki_u64 process_peek(int pid, ki_u64 va);
void processes_init(void);
int processes_check_leaks(void);
bool fatal_signal_of(struct task_struct *task);
int kill_process(int pid, int signal);

/* ---- the other units --------------------------------------------------------------------------- */

void locks_init(void);
int locks_check_leaks(void);
void workqueues_init(void);
void workqueues_baseline(void); /* those of the kernel itself: they stay */
int workqueues_check_leaks(void);
void worker_sleeping(struct worker *worker);
void worker_running(struct worker *worker);
void rcu_shim_init(void);
void rcu_drain(void);
void rcu_quiescent(struct shim_cpu *cpu);
void rcu_check_idle(void);
void irqs_init(void);
void irqs_run(struct shim_cpu *cpu);
void irq_raise(unsigned int cpu, unsigned int line); /* event context */
void futex_wake_address(u64 va);
void random_init_seed(u64 seed);
int kernel_self_test(const char *name, int index, const char **name_out);
void shim_leak(const char *format, ...) __printf(1, 2);
void trap(const char *why) __noreturn;

/* System calls, by file */
s64 sys_clone_shim(const u64 args[7]);
s64 sys_nanosleep_shim(const u64 args[7]);
s64 sys_clock_nanosleep_shim(const u64 args[7]);
s64 sys_clock_gettime_shim(const u64 args[7]);
s64 sys_futex_shim(const u64 args[7]);
s64 sys_exit_shim(const u64 args[7]);
s64 sys_exit_group_shim(const u64 args[7]);
s64 sys_wait4_shim(const u64 args[7]);
s64 sys_kill_shim(const u64 args[7]);
s64 sys_tgkill_shim(const u64 args[7]);
s64 sys_getpid_shim(const u64 args[7]);
s64 sys_getppid_shim(const u64 args[7]);
s64 sys_gettid_shim(const u64 args[7]);
s64 sys_set_tid_address_shim(const u64 args[7]);
s64 sys_sched_yield_shim(const u64 args[7]);
s64 sys_setpriority_shim(const u64 args[7]);
s64 sys_getpriority_shim(const u64 args[7]);

/* fault_probe.c: the current task is about to queue a work item */
void fault_probe_work_queued(const struct work_struct *work);
/* A worker's work item begins, has ended. */
void fault_probe_work_begins(work_func_t func);
void fault_probe_work_ended(void);

#endif
