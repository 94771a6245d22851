/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scheduler: tasks on a limited number of CPUs, each with a run queue of its own (runqueue.h, balance.c). Real-time
 * tasks (rt.c) run before fair ones (fair.c). A task in user mode can be preempted at any time, the kernel itself where
 * it offers to be (PREEMPT_VOLUNTARY, as Debian's kernels: cond_resched(), might_sleep(), return to user mode). Whether a slice is over
 * is looked at on ticks (HZ), and when another task joins or leaves the queue.
 *
 * Not modelled: deadline and idle classes, groups, sets of allowed CPUs other than one or all, the cost of ticks.
 */
#include <linux/hashtable.h>
#include <linux/kthread.h>
#include <linux/sched/debug.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/sched/wake_q.h>
#include <linux/slab.h>
#include <uapi/linux/resource.h>

#include "kernel.h"

static DEFINE_HASHTABLE(tasks_by_thread, 10);
LIST_HEAD(all_tasks);
struct kernel_task boot_task;
static struct kernel_task idle_tasks[SHIM_MAX_CPUS];
static LIST_HEAD(dead_tasks); /* their host threads have ended, or end before anything else runs */
static int last_pid = 1;

/* ---- run queues ----------------------------------------------------------------------------------- */

static struct task_struct *task_of_sched(struct shim_sched *sched)
{
	return &container_of(sched, struct kernel_task, sched)->shim.task;
}

static struct task_struct *task_of_fair(struct fair_entity *entity)
{
	return entity ? task_of_sched(container_of(entity, struct shim_sched, fair)) : NULL;
}

static bool queued(struct shim_sched *sched)
{
	return sched->rt.priority ? !list_empty(&sched->rt.node)
				  : sched->fair.queued && !sched->fair.delayed;
}

static u64 tick_after(u64 when)
{
	u64 period = PS_PER_SEC / kparams.tick_hz;

	return DIV_ROUND_UP(when, period) * period;
}

static void set_slice_end(struct shim_cpu *cpu)
{
	u64 left = cpu->rq.fair.curr ? fair_slice_left(&cpu->rq.fair) : fair_slice_ps();

	cpu->slice_end = tick_after(cpu->exec_start + max(left, 1));
}

u64 sched_slice_end(const struct shim_cpu *cpu)
{
	return cpu->slice_end;
}

/* curr is to leave the CPU at the next opportunity */
void sched_resched(struct shim_cpu *cpu)
{
	set_ti_thread_flag(&sched_of(cpu->curr)->info, TIF_NEED_RESCHED);
}

static bool resched_wanted(const struct shim_cpu *cpu)
{
	return test_ti_thread_flag(&sched_of(cpu->curr)->info, TIF_NEED_RESCHED);
}

/* Another CPU's time may be behind the one who looks */
static u64 cpu_clock(const struct shim_cpu *cpu)
{
	return max(cpu->local, cpu_now());
}

/* What curr has run since the last time */
static void account_curr(struct shim_cpu *cpu)
{
	u64 now = cpu_clock(cpu);

	if (now <= cpu->exec_start)
		return;
	if (cpu->rq.fair.curr && fair_account(&cpu->rq.fair, now - cpu->exec_start))
		sched_resched(cpu);
	cpu->exec_start = now;
}

static void enqueue(struct shim_cpu *cpu, struct task_struct *task)
{
	struct shim_sched *sched = sched_of(task);

	account_curr(cpu);
	if (sched->rt.priority)
		rt_enqueue(&cpu->rq.rt, &sched->rt);
	else
		fair_enqueue(&cpu->rq.fair, &sched->fair, !sched->cpu);
	sched->cpu = cpu;
}

static void dequeue_curr(struct shim_cpu *cpu, struct task_struct *task, enum fair_leave why)
{
	struct shim_sched *sched = sched_of(task);

	if (sched->rt.priority)
		rt_dequeue(&cpu->rq.rt, &sched->rt);
	else
		fair_dequeue(&cpu->rq.fair, &sched->fair, why);
}

static struct task_struct *pick_fair(struct shim_cpu *cpu)
{
	struct fair_entity *entity = fair_pick(&cpu->rq.fair);

	if (!entity && balance_idle(cpu))
		entity = fair_pick(&cpu->rq.fair);
	return task_of_fair(entity);
}

static struct task_struct *pick_next(struct shim_cpu *cpu)
{
	struct rt_entity *rt = rt_first(&cpu->rq.rt);
	struct task_struct *fair;

	if (rt)
		return task_of_sched(container_of(rt, struct shim_sched, rt));
	fair = pick_fair(cpu);
	return fair ? fair : cpu->idle;
}

static void change_curr(struct shim_cpu *cpu, struct task_struct *next)
{
	struct shim_sched *sched = sched_of(next);

	if (cpu->rq.fair.curr)
		fair_put_curr(&cpu->rq.fair);
	if (next != cpu->idle && !sched->rt.priority)
		fair_set_curr(&cpu->rq.fair, &sched->fair);
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
	if (prev->mm != next->mm)
		shim_mm_switch(next->mm);
	if (host->trace_on)
		host->trace_cpu_switch(cpu->id, next->pid, next->comm, cpu->local);
	sched->running = false;
	run_on(cpu, next);
	if (sched->dead) {
		hash_del(&sched->by_thread);
		list_add_tail(&sched->dead_node, &dead_tasks);
		cpu_forget();
		return;
	}
	while (!sched->running)
		host->thread_block();
	cpu_resume(prev);
}

/*
 * A preempted task stays runnable whatever state it has set, as in the kernel. True if another one ran.
 */
static bool reschedule(bool preempted)
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
	account_curr(cpu);
	if (!preempted && prev != cpu->idle && READ_ONCE(prev->__state) != TASK_RUNNING)
		dequeue_curr(cpu, prev, FAIR_SLEEP);
	next = pick_next(cpu);
	clear_ti_thread_flag(&sched->info, TIF_NEED_RESCHED);
	if (next != prev)
		change_curr(cpu, next);
	set_slice_end(cpu);
	if (next != prev)
		switch_to_task(cpu, prev, next);
	if (sched->worker)
		worker_running(sched->worker);
	return next != prev;
}

void schedule(void)
{
	reschedule(false);
	cpu_take_interrupts(this_cpu());
}

void schedule_preempt_disabled(void)
{
	schedule();
}

void sched_slice_check(struct shim_cpu *cpu)
{
	if (cpu->local < cpu->slice_end)
		return;
	account_curr(cpu);
	set_slice_end(cpu);
	balance_tick(cpu);
}

bool sched_preempt_check(struct shim_cpu *cpu)
{
	sched_slice_check(cpu);
	return resched_wanted(cpu) && reschedule(true);
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
	struct shim_sched *sched = sched_of(current);

	__set_current_state(TASK_RUNNING);
	account_curr(sched->cpu);
	if (sched->rt.priority)
		rt_yield(&sched->cpu->rq.rt, &sched->rt);
	else
		fair_yield(&sched->cpu->rq.fair);
	reschedule(true);
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
	account_curr(cpu);
	dequeue_curr(cpu, task, FAIR_END);
	next = pick_next(cpu);
	change_curr(cpu, next);
	set_slice_end(cpu);
	switch_to_task(cpu, task, next);
}

void tasks_reap(void)
{
	while (!list_empty(&dead_tasks)) {
		struct shim_sched *sched =
			list_first_entry(&dead_tasks, struct shim_sched, dead_node);

		list_del_init(&sched->dead_node);
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
		cpu_take_interrupts(cpu);
		if (run_queue_length(&cpu->rq))
			reschedule(true);
		else if (!cpu_interrupt_pending(cpu))
			idle_wait(cpu);
	}
}

/* ---- waking ------------------------------------------------------------------------------------------------ */

void sched_kick_idle(struct shim_cpu *cpu)
{
	if (cpu->kicked)
		return;
	cpu->kicked = true;
	cpu->kick_at = cpu_now() + kparams.ipi_ns * PS_PER_NS;
	cpu_kick(cpu);
}

static bool preempts_curr(struct shim_cpu *cpu, struct task_struct *task)
{
	struct shim_sched *sched = sched_of(task), *curr = sched_of(cpu->curr);

	if (sched->rt.priority)
		return sched->rt.priority > curr->rt.priority;
	return !curr->rt.priority && fair_preempts(&cpu->rq.fair, &sched->fair);
}

/* The task is in the CPU's queue: does the CPU have to look at it now? */
static void check_preempt(struct shim_cpu *cpu, struct task_struct *task)
{
	if (cpu->curr == cpu->idle) {
		if (cpu != this_cpu())
			sched_kick_idle(cpu);
		cpu->kicked = true;
		return;
	}
	if (!resched_wanted(cpu) && preempts_curr(cpu, task))
		sched_resched(cpu);
	if (resched_wanted(cpu) && cpu != this_cpu())
		cpu_kick(cpu);
}

int try_to_wake_up(struct task_struct *task, unsigned int state, int wake_flags)
{
	struct shim_sched *sched = sched_of(task);

	if (!(READ_ONCE(task->__state) & state))
		return 0;
	kcounters.wakeups++;
	shim_charge_ns(kparams.wakeup_ns);
	WRITE_ONCE(task->__state, TASK_RUNNING);
	if (sched->running || queued(sched))
		return 1;
	sched->ready_at = cpu_now();
	if (sched->fair.delayed) {
		account_curr(sched->cpu);
		fair_wake_delayed(&sched->cpu->rq.fair, &sched->fair);
	} else {
		enqueue(cpu_for_waking(task), task);
	}
	check_preempt(sched->cpu, task);
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

/* Before the task runs for the first time */
void sched_set_fifo(struct task_struct *task)
{
	sched_of(task)->rt.priority = MAX_RT_PRIO / 2;
	task->policy = SCHED_FIFO;
	task->prio = MAX_RT_PRIO - 1 - MAX_RT_PRIO / 2;
}

void sched_bind(struct task_struct *task, unsigned int cpu)
{
	sched_of(task)->bound = &shim_cpus[cpu];
}

void set_user_nice(struct task_struct *task, long nice)
{
	struct shim_sched *sched = sched_of(task);
	struct shim_cpu *cpu = sched->cpu ? sched->cpu : &shim_cpus[0];

	task->static_prio = NICE_TO_PRIO(nice);
	task->prio = task->static_prio;
	if (sched->fair.queued)
		account_curr(cpu);
	fair_renice(&cpu->rq.fair, &sched->fair, (int)nice);
	if (cpu->rq.fair.curr == &sched->fair)
		set_slice_end(cpu);
}

/* ---- system calls -------------------------------------------------------------------------------------------- */

s64 sys_sched_yield_shim(const u64 args[7])
{
	yield();
	return 0;
}

/* PRIO_PROCESS: of one thread */
static s64 thread_by_id(u64 which, u64 id, struct task_struct **found)
{
	struct shim_sched *sched;

	if (which > PRIO_USER)
		return -EINVAL;
	if (which != PRIO_PROCESS)
		return -ENOSYS;
	*found = current;
	if (!id || id == (u64)current->pid)
		return 0;
	list_for_each_entry(sched, &all_tasks, all)
	{
		*found = task_of_sched(sched);
		if ((u64)(*found)->pid == id)
			return 0;
	}
	return -ESRCH;
}

/* setpriority(which, who, nice) */
s64 sys_setpriority_shim(const u64 args[7])
{
	struct task_struct *task;
	s64 error = thread_by_id(args[0], args[1], &task);

	if (!error)
		set_user_nice(task, clamp((int)args[2], MIN_NICE, MAX_NICE));
	return error;
}

/* getpriority(which, who): 20 - nice, so that it is positive */
s64 sys_getpriority_shim(const u64 args[7])
{
	struct task_struct *task;
	s64 error = thread_by_id(args[0], args[1], &task);

	return error ? error : MAX_NICE + 1 - task_nice(task);
}

/* ---- tasks ------------------------------------------------------------------------------------------------- */

static void task_init(struct kernel_task *task, const char *name, int pid)
{
	struct task_struct *t = &task->shim.task;

	task->shim.sched = &task->sched;
	task->sched.info.task = t;
	task->sched.irqs_enabled = 1;
	INIT_LIST_HEAD(&task->sched.dead_node);
	INIT_LIST_HEAD(&task->sched.rt.node);
	fair_entity_init(&task->sched.fair, 0);
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
		shim_cpus[i].exec_start = host->now();
		rt_queue_init(&shim_cpus[i].rq.rt);
	}
	task_init(&boot_task, "init", 1);
	boot_task.sched.cpu = &shim_cpus[0];
	boot_task.sched.running = true;
	boot->flags |= PF_KTHREAD;
	list_add_tail(&boot_task.sched.all, &all_tasks);
	shim_cpus[0].curr = boot;
	fair_enqueue(&shim_cpus[0].rq.fair, &boot_task.sched.fair, true);
	fair_set_curr(&shim_cpus[0].rq.fair, &boot_task.sched.fair);
	set_slice_end(&shim_cpus[0]);
	bind_host_thread(boot, host->thread_self());
	if (host->trace_on) {
		host->trace_thread_new(1, boot->comm);
		host->trace_cpu_switch(0, 1, boot->comm, host->now());
	}
	cpu_resume(boot);
	for (i = 1; i < shim_nr_cpus; i++)
		run_on(&shim_cpus[i], shim_cpus[i].idle);
}
