/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RCU: a grace period ends when every CPU has been in a quiescent state since it began (switched tasks, run in user mode,
 * been idle). A kernel thread waits for it and then runs the callbacks in the order in which they were queued.
 * Sleepable RCU is the kernel's own (srcutiny).
 *
 * Not modelled: the ticks that a real grace period waits for; it ends as soon as it may.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/rcupdate_wait.h>
#include <linux/slab.h>

#include "kernel.h"

#define KFREE_OFFSET_MAX                                                                           \
	4096 /* a "function" below this is the offset of the rcu_head in an object to free */

static struct rcu_head *pending, **pending_tail = &pending;
static struct task_struct *rcu_task;
static unsigned long grace_period; /* number of the one that runs, or ran last */
static unsigned long completed;
static bool sleeping; /* rcu_task waits for callbacks */

static bool in_quiescent_state(const struct shim_cpu *cpu)
{
	struct shim_sched *sched = sched_of(cpu->curr);

	if (sched->info.preempt_count)
		return false;
	return sched->in_user || (cpu->curr == cpu->idle && !cpu->kicked);
}

static bool all_cpus_quiescent(void)
{
	unsigned int i;

	for (i = 0; i < shim_nr_cpus; i++)
		if (shim_cpus[i].rcu_seen != grace_period)
			return false;
	return true;
}

void rcu_quiescent(struct shim_cpu *cpu)
{
	if (likely(cpu->rcu_seen == grace_period))
		return;
	cpu->rcu_seen = grace_period;
	if (rcu_task && cpu->curr != rcu_task && all_cpus_quiescent())
		wake_up_process(rcu_task);
}

static void wait_for_grace_period(void)
{
	unsigned int i;

	grace_period++;
	for (i = 0; i < shim_nr_cpus; i++) {
		if (in_quiescent_state(&shim_cpus[i])) {
			shim_cpus[i].rcu_seen = grace_period;
		} else {
			sched_resched(&shim_cpus[i]);
			cpu_kick(&shim_cpus[i]);
		}
	}
	this_cpu()->rcu_seen = grace_period; /* this thread reads nothing */
	for (;;) {
		set_current_state(TASK_IDLE);
		if (all_cpus_quiescent())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	completed = grace_period;
}

static void run_callback(struct rcu_head *head)
{
	unsigned long offset = (unsigned long)head->func;

	if (offset < KFREE_OFFSET_MAX)
		kvfree((void *)head - offset);
	else
		head->func(head);
}

static int rcu_main(void *unused)
{
	for (;;) {
		struct rcu_head *list, *next;

		while (!pending) {
			sleeping = true;
			set_current_state(TASK_IDLE);
			if (!pending)
				schedule();
			__set_current_state(TASK_RUNNING);
		}
		sleeping = false;
		list = pending;
		pending = NULL;
		pending_tail = &pending;
		wait_for_grace_period();
		for (; list; list = next) {
			next = list->next;
			run_callback(list);
		}
	}
	return 0;
}

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	head->func = func;
	head->next = NULL;
	*pending_tail = head;
	pending_tail = &head->next;
	if (sleeping) {
		sleeping = false;
		wake_up_process(rcu_task);
	}
}

void wakeme_after_rcu(struct rcu_head *head)
{
	complete(&container_of(head, struct rcu_synchronize, head)->completion);
}

void synchronize_rcu(void)
{
	struct rcu_synchronize rs;

	init_rcu_head_on_stack(&rs.head);
	init_completion(&rs.completion);
	call_rcu(&rs.head, wakeme_after_rcu);
	wait_for_completion(&rs.completion);
}

/* Callbacks run in order: the last one queued is run after all others */
void rcu_barrier(void)
{
	synchronize_rcu();
}

void rcu_drain(void)
{
	rcu_barrier();
	rcu_barrier(); /* callbacks that callbacks queued */
}

unsigned long get_state_synchronize_rcu(void)
{
	return grace_period + 1;
}

unsigned long start_poll_synchronize_rcu(void)
{
	return get_state_synchronize_rcu();
}

bool poll_state_synchronize_rcu(unsigned long oldstate)
{
	return completed >= oldstate;
}

void rcu_shim_init(void)
{
	rcu_task = kthread_run(rcu_main, NULL, "rcu_sched");
	if (IS_ERR(rcu_task))
		trap("no memory for the RCU thread");
}
