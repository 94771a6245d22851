/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scheduler: tasks on a limited number of CPUs. One run queue for the machine, real-time tasks (threaded
 * interrupts) before ordinary ones, each class first in, first out; ordinary tasks have time slices. A task that
 * becomes ready takes an idle CPU after an inter-processor interrupt, or preempts a task in user mode.
 * The kernel itself is not preempted (PREEMPT_NONE): a task in it runs until it blocks, offers to
 * reschedule, or returns to user mode.
 *
 * Not modelled: per-CPU run queues and their balancing, nice levels, CPU affinity, groups.
 */
#include <linux/hashtable.h>
#include <linux/kthread.h>
#include <linux/sched/debug.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/sched/wake_q.h>
#include <linux/slab.h>

#include "kernel.h"

#define MIN_GRANULARITY_SHARE 4 /* a waking task preempts one that has had this part of its slice */

static LIST_HEAD(realtime_queue);
static LIST_HEAD(ordinary_queue);
static DEFINE_HASHTABLE(tasks_by_thread, 10);
LIST_HEAD(all_tasks);
struct kernel_task boot_task;
static struct kernel_task idle_tasks[SHIM_MAX_CPUS];
static LIST_HEAD(dead_tasks); /* their host threads have ended, or end before anything else runs */
static int last_pid = 1;

/* ---- run queue ------------------------------------------------------------------------------------ */

static void enqueue(struct task_struct *task, bool at_head)
{
	struct shim_sched *sched = sched_of(task);
	struct list_head *queue = sched->realtime ? &realtime_queue : &ordinary_queue;

	sched->queued = true;
	if (at_head)
		list_add(&sched->rq_node, queue);
	else
		list_add_tail(&sched->rq_node, queue);
}

static struct task_struct *dequeue_next(void)
{
	struct list_head *queue = !list_empty(&realtime_queue) ? &realtime_queue : &ordinary_queue;
	struct shim_sched *sched;

	if (list_empty(queue))
		return NULL;
	sched = list_first_entry(queue, struct shim_sched, rq_node);
	list_del_init(&sched->rq_node);
	sched->queued = false;
	return &container_of(sched, struct kernel_task, sched)->shim.task;
}

static u64 slice_ps(void)
{
	return (u64)kparams.timeslice_us * 1000 * PS_PER_NS;
}

u64 sched_slice_end(const struct shim_cpu *cpu)
{
	return cpu->slice_start + slice_ps() > host->now() ? cpu->slice_start + slice_ps()
							   : host->now() + slice_ps();
}

/* ---- switching --------------------------------------------------------------------------------------- */

struct task_struct *task_by_host_thread(void *thread)
{
	struct shim_sched *sched;

	hash_for_each_possible(tasks_by_thread, sched, by_thread, (unsigned long)thread)
	{
		struct kernel_task *task = container_of(sched, struct kernel_task, sched);

		if (task->shim.thread == thread)
			return &task->shim.task;
	}
	return NULL;
}

static void bind_host_thread(struct task_struct *task, void *thread)
{
	shim_task(task)->thread = thread;
	hash_add(tasks_by_thread, &sched_of(task)->by_thread, (unsigned long)thread);
}

static void host_thread_main(void *arg)
{
	struct task_struct *task = arg;

	cpu_resume(task);
	sched_of(task)->main(task);
}

static void run_on(struct shim_cpu *cpu, struct task_struct *next)
{
	struct shim_sched *sched = sched_of(next);

	cpu->curr = next;
	sched->cpu = cpu;
	sched->info.cpu = cpu->id;
	sched->running = true;
	if (shim_task(next)->thread)
		host->thread_wake(shim_task(next)->thread);
	else
		bind_host_thread(next, host->thread_start(next->comm, host_thread_main, next));
}

static void switch_to_task(struct shim_cpu *cpu, struct task_struct *prev, struct task_struct *next)
{
	struct shim_sched *sched = sched_of(prev);

	kcounters.context_switches++;
	shim_charge_ns(kparams.context_switch_ns);
	if (sched_of(next)->ready_at > cpu->local)
		cpu->local = sched_of(next)->ready_at;
	cpu->need_resched = false;
	cpu->slice_start = cpu->local;
	if (prev->mm != next->mm)
		shim_mm_switch(next->mm);
	if (host->trace_on)
		host->trace_cpu_switch(cpu->id, next->pid, next->comm, cpu->local);
	sched->running = false;
	run_on(cpu, next);
	if (sched->dead) {
		hash_del(&sched->by_thread);
		list_add_tail(&sched->rq_node, &dead_tasks);
		cpu_forget();
		return;
	}
	while (!sched->running)
		host->thread_block();
	cpu_resume(prev);
}

/*
 * A preempted task stays runnable whatever state it has set, as in the kernel. One that a
 * real-time task preempts keeps its place.
 */
static void reschedule(bool preempted, bool at_head)
{
	struct task_struct *prev = shim_current(), *next;
	struct shim_sched *sched = sched_of(prev);
	struct shim_cpu *cpu = sched->cpu;

	tasks_reap();
	if (sched->locks_held)
		trap("a task is switched while it holds a spinlock");
	if (!preempted && sched->worker && READ_ONCE(prev->__state) != TASK_RUNNING)
		worker_sleeping(sched->worker);
	cpu_catch_up(cpu);
	rcu_quiescent(cpu);
	if (!preempted && signal_pending_state(READ_ONCE(prev->__state), prev))
		WRITE_ONCE(prev->__state, TASK_RUNNING);
	if (prev != cpu->idle && (preempted || READ_ONCE(prev->__state) == TASK_RUNNING))
		enqueue(prev, at_head);
	next = dequeue_next();
	if (!next)
		next = cpu->idle;
	if (next == prev) {
		cpu->need_resched = false;
		cpu->slice_start = cpu->local;
	} else {
		switch_to_task(cpu, prev, next);
	}
	if (sched->worker)
		worker_running(sched->worker);
}

void schedule(void)
{
	reschedule(false, false);
	cpu_take_interrupts(this_cpu());
}

void schedule_preempt_disabled(void)
{
	schedule();
}

bool sched_preempt_check(struct shim_cpu *cpu)
{
	bool slice_over = cpu->local >= cpu->slice_start + slice_ps();

	if (!list_empty(&realtime_queue) && !sched_of(cpu->curr)->realtime) {
		reschedule(true, !slice_over);
		return true;
	}
	if (!list_empty(&ordinary_queue) && !sched_of(cpu->curr)->realtime &&
	    (cpu->need_resched || slice_over)) {
		reschedule(true, false);
		return true;
	}
	cpu->need_resched = false;
	if (slice_over)
		cpu->slice_start = cpu->local;
	return false;
}

int __cond_resched(void)
{
	struct shim_cpu *cpu = this_cpu();

	if (!cpu || !signals_enabled || preempt_count())
		return 0;
	rcu_quiescent(cpu);
	return sched_preempt_check(cpu);
}

void yield(void)
{
	__set_current_state(TASK_RUNNING);
	reschedule(true, false);
}

void task_leave_cpu(struct task_struct *task)
{
	struct shim_sched *sched = sched_of(task);
	struct shim_cpu *cpu = sched->cpu;
	struct task_struct *next;

	cpu_catch_up(cpu);
	rcu_quiescent(cpu);
	sched->dead = true;
	WRITE_ONCE(task->__state, TASK_DEAD);
	next = dequeue_next();
	switch_to_task(cpu, task, next ? next : cpu->idle);
}

void tasks_reap(void)
{
	while (!list_empty(&dead_tasks)) {
		struct shim_sched *sched =
			list_first_entry(&dead_tasks, struct shim_sched, rq_node);

		list_del_init(&sched->rq_node);
		put_task_struct(&container_of(sched, struct kernel_task, sched)->shim.task);
	}
}

/* ---- idle ------------------------------------------------------------------------------------------------ */

static void idle_wait(struct shim_cpu *cpu)
{
	cpu->kicked = false;
	cpu->kick_at = 0;
	rcu_quiescent(cpu);
	while (!cpu->kicked && !cpu_interrupt_pending(cpu))
		cpu_wait(cpu, SHIM_NO_TIME, true);
	if (cpu->kick_at > cpu->local)
		cpu->local = cpu->kick_at;
	shim_charge_ns(kparams.idle_exit_ns);
	cpu_catch_up(cpu);
}

static void idle_main(struct task_struct *task)
{
	struct shim_cpu *cpu = sched_of(task)->cpu;

	for (;;) {
		cpu->kicked = true; /* awake: it looks at the queue by itself */
		cpu->claimed = false;
		cpu_take_interrupts(cpu);
		if (!list_empty(&realtime_queue) || !list_empty(&ordinary_queue))
			reschedule(true, false);
		else if (!cpu_interrupt_pending(cpu))
			idle_wait(cpu);
	}
}

/* ---- waking ------------------------------------------------------------------------------------------------ */

static bool cpu_idle_for(const struct shim_cpu *cpu)
{
	return cpu->curr == cpu->idle && !cpu->kicked;
}

static struct shim_cpu *find_idle_cpu(struct task_struct *task)
{
	unsigned int i;

	if (sched_of(task)->cpu && cpu_idle_for(sched_of(task)->cpu))
		return sched_of(task)->cpu;
	for (i = 0; i < shim_nr_cpus; i++)
		if (cpu_idle_for(&shim_cpus[i]))
			return &shim_cpus[i];
	return NULL;
}

/*
 * The CPU that has run its task for longest, one in user mode first since it can be taken at
 * once. A real-time task takes any, an ordinary one leaves the task a share of its slice.
 */
static struct shim_cpu *find_preemptible_cpu(struct task_struct *task)
{
	u64 now = cpu_now(), longest = 0;
	struct shim_cpu *found = NULL;
	bool found_user = false;
	unsigned int i;

	for (i = 0; i < shim_nr_cpus; i++) {
		struct shim_cpu *cpu = &shim_cpus[i];
		u64 used = now > cpu->slice_start ? now - cpu->slice_start : 0;
		bool user = sched_of(cpu->curr)->in_user;

		if (cpu->need_resched || cpu->curr == cpu->idle || sched_of(cpu->curr)->realtime)
			continue;
		if (!sched_of(task)->realtime && used < slice_ps() / MIN_GRANULARITY_SHARE)
			continue;
		if (!found || user > found_user || (user == found_user && used > longest)) {
			found = cpu;
			found_user = user;
			longest = used;
		}
	}
	return found;
}

static void wake_cpu_for(struct task_struct *task)
{
	struct shim_cpu *here = this_cpu(), *cpu;

	/* An interrupt on an idle CPU: it takes one task itself when the handler is done */
	if (here && here->curr == here->idle && !here->claimed) {
		here->claimed = true;
		here->kicked = true;
		return;
	}
	cpu = find_idle_cpu(task);
	if (cpu) {
		cpu->kicked = true;
		cpu->kick_at = cpu_now() + kparams.ipi_ns * PS_PER_NS;
		cpu_kick(cpu);
		return;
	}
	cpu = find_preemptible_cpu(task);
	if (cpu) {
		cpu->need_resched = true;
		if (cpu != here)
			cpu_kick(cpu);
	}
}

int try_to_wake_up(struct task_struct *task, unsigned int state, int wake_flags)
{
	struct shim_sched *sched = sched_of(task);

	if (!(READ_ONCE(task->__state) & state))
		return 0;
	kcounters.wakeups++;
	shim_charge_ns(kparams.wakeup_ns);
	WRITE_ONCE(task->__state, TASK_RUNNING);
	if (sched->running || sched->queued)
		return 1;
	sched->ready_at = cpu_now();
	enqueue(task, false);
	wake_cpu_for(task);
	return 1;
}

int wake_up_process(struct task_struct *task)
{
	return try_to_wake_up(task, TASK_NORMAL, 0);
}

int wake_up_state(struct task_struct *task, unsigned int state)
{
	return try_to_wake_up(task, state, 0);
}

int default_wake_function(wait_queue_entry_t *entry, unsigned int mode, int wake_flags, void *key)
{
	return try_to_wake_up(entry->private, mode, wake_flags);
}

void wake_q_add(struct wake_q_head *head, struct task_struct *task)
{
	struct wake_q_node *node = &task->wake_q;

	if (node->next)
		return;
	node->next = WAKE_Q_TAIL;
	*head->lastp = node;
	head->lastp = &node->next;
	get_task_struct(task);
}

/* The caller's reference becomes the queue's */
void wake_q_add_safe(struct wake_q_head *head, struct task_struct *task)
{
	wake_q_add(head, task);
	put_task_struct(task);
}

void wake_up_q(struct wake_q_head *head)
{
	struct wake_q_node *node = head->first;

	while (node != WAKE_Q_TAIL) {
		struct task_struct *task = container_of(node, struct task_struct, wake_q);

		node = node->next;
		task->wake_q.next = NULL;
		wake_up_process(task);
		put_task_struct(task);
	}
}

int io_schedule_prepare(void)
{
	return 0;
}

void io_schedule_finish(int token)
{
}

void io_schedule(void)
{
	schedule();
}

long io_schedule_timeout(long timeout)
{
	return schedule_timeout(timeout);
}

void sched_set_fifo(struct task_struct *task)
{
	sched_of(task)->realtime = true;
	task->policy = SCHED_FIFO;
}

void set_user_nice(struct task_struct *task, long nice)
{
	task->static_prio = NICE_TO_PRIO(nice);
}

/* ---- tasks ------------------------------------------------------------------------------------------------- */

static void task_init(struct kernel_task *task, const char *name, int pid)
{
	struct task_struct *t = &task->shim.task;

	task->shim.sched = &task->sched;
	task->sched.info.task = t;
	task->sched.irqs_enabled = 1;
	INIT_LIST_HEAD(&task->sched.rq_node);
	INIT_LIST_HEAD(&task->sched.all);
	init_completion(&task->sched.exited);
	t->stack = &task->sched.info;
	t->pid = pid;
	t->tgid = pid;
	t->group_leader = t;
	t->static_prio = DEFAULT_PRIO;
	t->prio = DEFAULT_PRIO;
	t->policy = SCHED_NORMAL;
	refcount_set(&t->usage, 1);
	INIT_LIST_HEAD(&t->children);
	INIT_LIST_HEAD(&t->sibling);
	INIT_LIST_HEAD(&t->pending.list);
	sigemptyset(&t->pending.signal);
	sigemptyset(&t->blocked);
	raw_spin_lock_init(&t->pi_lock);
	spin_lock_init(&t->alloc_lock);
	t->cpus_ptr = &t->cpus_mask;
	cpumask_set_cpu(0, &t->cpus_mask);
	t->nr_cpus_allowed = 1;
	strscpy(t->comm, name, sizeof(t->comm));
}

struct task_struct *task_new(const char *name, void (*main)(struct task_struct *task))
{
	struct kernel_task *task = kzalloc(sizeof(*task), GFP_KERNEL);

	if (!task)
		return NULL;
	task_init(task, name, ++last_pid);
	task->sched.main = main;
	WRITE_ONCE(task->shim.task.__state, TASK_NEW);
	list_add_tail(&task->sched.all, &all_tasks);
	if (host->trace_on)
		host->trace_thread_new(task->shim.task.pid, task->shim.task.comm);
	return &task->shim.task;
}

void task_start(struct task_struct *task)
{
	try_to_wake_up(task, TASK_NEW, 0);
}

void task_forget(struct task_struct *task)
{
	list_del_init(&sched_of(task)->all);
	put_task_struct(task);
}

void __put_task_struct(struct task_struct *task)
{
	list_del_init(&sched_of(task)->all);
	kfree(container_of(task, struct kernel_task, shim.task));
}

void __put_task_struct_rcu_cb(struct rcu_head *head)
{
	__put_task_struct(container_of(head, struct task_struct, rcu));
}

char *__get_task_comm(char *to, size_t len, struct task_struct *task)
{
	strscpy_pad(to, task->comm, len);
	return to;
}

void __set_task_comm(struct task_struct *task, const char *from, bool exec)
{
	strscpy_pad(task->comm, from, sizeof(task->comm));
}

/* The thread that boots becomes a task on CPU 0; the other CPUs begin idle. */
void sched_init(void)
{
	struct task_struct *boot = &boot_task.shim.task;
	unsigned int i;

	for (i = 0; i < shim_nr_cpus; i++) {
		struct kernel_task *idle = &idle_tasks[i];

		task_init(idle, "swapper", 0);
		idle->shim.task.flags |= PF_IDLE | PF_KTHREAD;
		idle->sched.main = idle_main;
		idle->sched.cpu = &shim_cpus[i];
		shim_cpus[i].idle = &idle->shim.task;
		shim_cpus[i].curr = &idle->shim.task;
		shim_cpus[i].local = host->now();
	}
	task_init(&boot_task, "init", 1);
	boot_task.sched.cpu = &shim_cpus[0];
	boot_task.sched.running = true;
	boot->flags |= PF_KTHREAD;
	list_add_tail(&boot_task.sched.all, &all_tasks);
	shim_cpus[0].curr = boot;
	shim_cpus[0].slice_start = host->now();
	bind_host_thread(boot, host->thread_self());
	if (host->trace_on) {
		host->trace_thread_new(1, boot->comm);
		host->trace_cpu_switch(0, 1, boot->comm, host->now());
	}
	cpu_resume(boot);
	for (i = 1; i < shim_nr_cpus; i++)
		run_on(&shim_cpus[i], shim_cpus[i].idle);
}
