/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel threads: created stopped, started by their first wake-up, ended by returning or kthread_exit().
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>

#include "kernel.h"

static void kthread_main(struct task_struct *task)
{
	struct shim_sched *sched = sched_of(task);
	int result = -EINTR;

	if (!sched->kthread_stop)
		result = sched->kthread_fn(sched->kthread_data);
	sched->kthread_result = result;
	task->exit_state = EXIT_DEAD;
	complete_all(&sched->exited);
	if (host->trace_on)
		host->trace_thread_end(task->pid, shim_local_time());
	task_leave_cpu(task);
}

struct task_struct *kthread_create_on_node(int (*threadfn)(void *data), void *data, int node,
					   const char namefmt[], ...)
{
	char name[TASK_COMM_LEN];
	struct task_struct *task;
	va_list args;

	va_start(args, namefmt);
	vsnprintf(name, sizeof(name), namefmt, args);
	va_end(args);
	task = task_new(name, kthread_main);
	if (!task)
		return ERR_PTR(-ENOMEM);
	task->flags |= PF_KTHREAD;
	sched_of(task)->kthread_fn = threadfn;
	sched_of(task)->kthread_data = data;
	WRITE_ONCE(task->__state, TASK_UNINTERRUPTIBLE);
	return task;
}

struct task_struct *kthread_create_on_cpu(int (*threadfn)(void *data), void *data, unsigned int cpu,
					  const char *namefmt)
{
	return kthread_create_on_node(threadfn, data, NUMA_NO_NODE, namefmt, cpu);
}

bool kthread_should_stop(void)
{
	return sched_of(current)->kthread_stop;
}

bool kthread_should_park(void)
{
	return false;
}

bool kthread_should_stop_or_park(void)
{
	return kthread_should_stop();
}

void *kthread_data(struct task_struct *task)
{
	return sched_of(task)->kthread_data;
}

int kthread_stop(struct task_struct *task)
{
	struct shim_sched *sched = sched_of(task);
	int result;

	get_task_struct(task);
	sched->kthread_stop = true;
	wake_up_process(task);
	wait_for_completion(&sched->exited);
	result = sched->kthread_result;
	put_task_struct(task);
	return result;
}

int kthread_stop_put(struct task_struct *task)
{
	int result = kthread_stop(task);

	put_task_struct(task);
	return result;
}
