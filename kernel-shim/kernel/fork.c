/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes and their threads: clone, exit, wait, fatal signals. A new task begins in a function that it is given, since
 * a host stack cannot return twice. A process's main function that returns ends the process, a thread's ends the thread.
 *
 * Not modelled: handlers, stopping and masking of signals (every signal that would run a handler or be ignored by
 * default is ignored, the others end the process), credentials, namespaces, sessions, ptrace, exec.
 */
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <uapi/linux/sched.h>
#include <uapi/linux/wait.h>

#include "kernel.h"

struct process {
	struct list_head all;
	int pid;
	struct process *parent;
	struct task_struct *leader; /* holds a reference until it is waited for */
	unsigned int nr_threads;
	bool exiting; /* a fatal signal, or exit_group() */
	int status;   /* as wait(2) says it */
	bool zombie;
	wait_queue_head_t child_wait;
	struct signal_struct signal;
	struct sighand_struct sighand;
};

static LIST_HEAD(all_processes);
static struct process
	boot_process; /* of the thread that boots: parent of what is spawned, heir of orphans */

struct cred init_cred = {.usage = ATOMIC_INIT(4)};

/* ---- processes --------------------------------------------------------------------------------------------- */

static void process_init(struct process *process, struct process *parent)
{
	unsigned int i;

	process->parent = parent;
	init_waitqueue_head(&process->child_wait);
	refcount_set(&process->signal.sigcnt, 1);
	INIT_LIST_HEAD(&process->signal.thread_head);
	INIT_LIST_HEAD(&process->signal.shared_pending.list);
	init_waitqueue_head(&process->signal.wait_chldexit);
	for (i = 0; i < RLIM_NLIMITS; i++)
		process->signal.rlim[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
	refcount_set(&process->sighand.count, 1);
	spin_lock_init(&process->sighand.siglock);
	init_waitqueue_head(&process->sighand.signalfd_wqh);
	list_add_tail(&process->all, &all_processes);
}

static void process_add(struct process *process, struct task_struct *task)
{
	sched_of(task)->process = process;
	task->signal = &process->signal;
	task->sighand = &process->sighand;
	RCU_INIT_POINTER(task->cred, &init_cred);
	RCU_INIT_POINTER(task->real_cred, &init_cred);
	if (!process->leader) {
		process->leader = get_task_struct(task);
		process->pid = task->pid;
	}
	task->tgid = process->pid;
	task->group_leader = process->leader;
	process->nr_threads++;
	process->signal.nr_threads++;
}

static struct process *process_by_pid(int pid)
{
	struct process *process;

	list_for_each_entry(process, &all_processes, all) if (process->pid == pid) return process;
	return NULL;
}

static void process_free(struct process *process)
{
	list_del(&process->all);
	put_task_struct(process->leader);
	kfree(process);
}

/* ---- signals --------------------------------------------------------------------------------------------------- */

static void signal_wake(struct task_struct *task)
{
	sigaddset(&task->pending.signal, SIGKILL);
	set_tsk_thread_flag(task, TIF_SIGPENDING);
	try_to_wake_up(task, TASK_INTERRUPTIBLE | TASK_WAKEKILL, 0);
	/* A polling loop in user mode is left at once */
	if (sched_of(task)->running && sched_of(task)->in_user && task != current)
		cpu_kick(sched_of(task)->cpu);
}

static void process_end(struct process *process, int status)
{
	struct shim_sched *sched;

	if (process->exiting || process == &boot_process)
		return;
	process->exiting = true;
	process->status = status;
	process->signal.flags |= SIGNAL_GROUP_EXIT;
	list_for_each_entry(sched, &all_tasks, all)
	{
		struct task_struct *task =
			&container_of(sched, struct kernel_task, sched)->shim.task;

		if (sched->process == process && !(task->flags & PF_EXITING))
			signal_wake(task);
	}
}

void shim_send_fatal_signal(struct task_struct *task, int signal)
{
	struct process *process = sched_of(task)->process;

	if (!process)
		return;
	if ((signal == SIGSEGV || signal == SIGBUS) && !process->exiting)
		kcounters.segfaults++;
	process_end(process, signal);
}

static bool ends_process(int signal)
{
	return signal != SIGCHLD && signal != SIGCONT && signal != SIGURG && signal != SIGWINCH &&
	       signal != SIGSTOP && signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU;
}

int kill_process(int pid, int signal)
{
	struct process *process = process_by_pid(pid);

	if (signal < 0 || signal > _NSIG)
		return -EINVAL;
	if (!process || process == &boot_process)
		return -ESRCH;
	if (signal && !process->zombie && ends_process(signal))
		shim_send_fatal_signal(process->leader, signal);
	return 0;
}

int send_sig(int signal, struct task_struct *task, int priv)
{
	if (ends_process(signal))
		shim_send_fatal_signal(task, signal);
	return 0;
}

void force_sig(int signal)
{
	shim_send_fatal_signal(current, signal);
}

int user_must_exit(void)
{
	struct shim_sched *sched = sched_of(current);

	return sched->exiting || (sched->process && sched->process->exiting);
}

/* ---- ending ---------------------------------------------------------------------------------------------------- */

static void reparent_children(struct process *process)
{
	struct process *child;

	list_for_each_entry(child, &all_processes, all)
	{
		if (child->parent != process)
			continue;
		child->parent = &boot_process;
		if (child->zombie)
			wake_up_all(&boot_process.child_wait);
	}
}

static void clear_child_tid(struct task_struct *task)
{
	int __user *tid = task->clear_child_tid;

	if (!tid || !task->mm)
		return;
	task->clear_child_tid = NULL;
	if (!put_user(0, tid))
		futex_wake_address((u64)(uintptr_t)tid);
}

/* In the kernel's order: the address space goes before the files, so that a driver sees the mm's release first */
static void task_exit(struct task_struct *task)
{
	struct process *process = sched_of(task)->process;

	task->flags |= PF_EXITING;
	clear_child_tid(task);
	shim_exit_mm(task);
	if (shim_task(task)->files)
		shim_files_put(shim_task(task)->files);
	shim_task(task)->files = NULL;
	task->exit_state = EXIT_ZOMBIE;
	process->signal.nr_threads--;
	if (!--process->nr_threads) {
		reparent_children(process);
		process->zombie = true;
		wake_up_all(&process->parent->child_wait);
	}
	/* Not this process any more: it may be waited for and freed now */
	sched_of(task)->process = NULL;
	task->signal = NULL;
	task->sighand = NULL;
	if (host->trace_on)
		host->trace_thread_end(task->pid, shim_local_time());
	task_leave_cpu(task);
}

static void user_main(struct task_struct *task)
{
	struct shim_sched *sched = sched_of(task);
	struct process *process = sched->process;
	int code = machine->user_run(sched->user_entry, sched->user_arg);

	if (!process->exiting && !sched->exiting) {
		task->exit_code = (code & 0xff) << 8;
		if (task == process->leader)
			process_end(process, task->exit_code);
		else if (process->nr_threads == 1)
			process->status = task->exit_code;
	}
	task_exit(task);
}

/* ---- beginning ---------------------------------------------------------------------------------------------------- */

int process_spawn(const char *name, void (*entry)(void *arg), void *arg)
{
	struct process *process = kzalloc(sizeof(*process), GFP_KERNEL);
	struct task_struct *task = process ? task_new(name, user_main) : NULL;
	struct mm_struct *mm = task ? shim_mm_alloc() : NULL;
	struct shim_files *files = !IS_ERR_OR_NULL(mm) ? shim_files_new() : NULL;

	if (IS_ERR_OR_NULL(files)) {
		if (!IS_ERR_OR_NULL(mm))
			mmput(mm);
		if (task)
			task_forget(task);
		kfree(process);
		return -ENOMEM;
	}
	process_init(process, &boot_process);
	process_add(process, task);
	task->mm = mm;
	task->active_mm = mm;
	shim_task(task)->files = files;
	sched_of(task)->user_entry = entry;
	sched_of(task)->user_arg = arg;
	task_start(task);
	return task->pid;
}

#define CLONE_SUPPORTED                                                                            \
	(CSIGNAL | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |              \
	 CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID |               \
	 CLONE_CHILD_SETTID | CLONE_DETACHED)

static int copy_mm(struct task_struct *task, u64 flags)
{
	struct mm_struct *mm = current->mm;

	if (flags & CLONE_VM)
		mmget(mm);
	else
		mm = shim_mm_fork(mm);
	if (IS_ERR_OR_NULL(mm))
		return mm ? PTR_ERR(mm) : -ENOMEM;
	task->mm = mm;
	task->active_mm = mm;
	return 0;
}

static int copy_files(struct task_struct *task, u64 flags)
{
	struct shim_files *files = shim_task(current)->files;

	files = flags & CLONE_FILES ? shim_files_get(files) : shim_files_dup(files);
	if (IS_ERR_OR_NULL(files))
		return -ENOMEM;
	shim_task(task)->files = files;
	return 0;
}

static int copy_process_of(struct task_struct *task, u64 flags)
{
	struct process *process = sched_of(current)->process;

	if (!(flags & CLONE_THREAD)) {
		struct process *parent = process;

		process = kzalloc(sizeof(*process), GFP_KERNEL);
		if (!process)
			return -ENOMEM;
		process_init(process, parent);
	}
	process_add(process, task);
	return 0;
}

/* clone(flags, stack, parent_tid, tls, child_tid, entry, argument) */
s64 sys_clone_shim(const u64 args[7])
{
	u64 flags = args[0];
	struct task_struct *task;
	s64 error;

	if (flags & ~(u64)CLONE_SUPPORTED || !args[5] || !current->mm)
		return -EINVAL;
	if ((flags & CLONE_THREAD && !(flags & CLONE_SIGHAND)) ||
	    (flags & CLONE_SIGHAND && !(flags & CLONE_VM)))
		return -EINVAL;
	if (signal_pending(current))
		return -ERESTARTNOINTR;
	task = task_new(current->comm, user_main);
	if (!task)
		return -ENOMEM;
	error = copy_mm(task, flags);
	if (error)
		goto forget;
	error = copy_files(task, flags);
	if (error)
		goto put_mm;
	error = copy_process_of(task, flags);
	if (error)
		goto put_files;
	if (flags & CLONE_CHILD_CLEARTID)
		task->clear_child_tid = (int __user *)args[4];
	if (flags & CLONE_PARENT_SETTID)
		put_user(task->pid, (int __user *)args[2]);
	if (flags & CLONE_CHILD_SETTID && flags & CLONE_VM)
		put_user(task->pid, (int __user *)args[4]);
	set_user_nice(task, task_nice(current));
	sched_of(task)->user_entry = (void (*)(void *))args[5];
	sched_of(task)->user_arg = (void *)args[6];
	error = task->pid;
	task_start(task);
	return error;

put_files:
	shim_files_put(shim_task(task)->files);
put_mm:
	mmput(task->mm);
forget:
	task->mm = NULL;
	task_forget(task);
	return error;
}

/* ---- system calls --------------------------------------------------------------------------------------------------- */

s64 sys_exit_shim(const u64 args[7])
{
	struct process *process = sched_of(current)->process;

	current->exit_code = (int)(args[0] & 0xff) << 8;
	if (process->nr_threads == 1)
		process->status = current->exit_code;
	sched_of(current)->exiting = true;
	return 0;
}

s64 sys_exit_group_shim(const u64 args[7])
{
	process_end(sched_of(current)->process, (int)(args[0] & 0xff) << 8);
	sched_of(current)->exiting = true;
	return 0;
}

static struct process *find_child(struct process *parent, int pid, bool *any)
{
	struct process *child;

	*any = false;
	list_for_each_entry(child, &all_processes, all)
	{
		if (child->parent != parent || child == parent || (pid > 0 && child->pid != pid))
			continue;
		*any = true;
		if (child->zombie)
			return child;
	}
	return NULL;
}

/* wait4(pid, status, options, rusage) */
s64 sys_wait4_shim(const u64 args[7])
{
	struct process *me = sched_of(current)->process, *child = NULL;
	int pid = (int)args[0], status;
	bool any = true;

	if (args[2] & ~(u64)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (args[2] & WNOHANG)
		child = find_child(me, pid, &any);
	else if (wait_event_interruptible(me->child_wait,
					  (child = find_child(me, pid, &any)) || !any))
		return -ERESTARTSYS;
	if (!any)
		return -ECHILD;
	if (!child)
		return 0;
	status = child->status;
	pid = child->pid;
	process_free(child);
	if (args[1] && put_user(status, (int __user *)args[1]))
		return -EFAULT;
	return pid;
}

/* The thread that boots waits for what it spawned */
int process_wait(int pid)
{
	struct process *child = NULL;
	bool any = true;
	int status;

	wait_event(boot_process.child_wait, (child = find_child(&boot_process, pid, &any)) || !any);
	if (!child)
		return -ECHILD;
	status = child->status;
	process_free(child);
	return status;
}

s64 sys_kill_shim(const u64 args[7])
{
	return kill_process((int)args[0], (int)args[1]);
}

s64 sys_tgkill_shim(const u64 args[7])
{
	return kill_process((int)args[0], (int)args[2]);
}

s64 sys_getpid_shim(const u64 args[7])
{
	return current->tgid;
}

s64 sys_gettid_shim(const u64 args[7])
{
	return current->pid;
}

s64 sys_getppid_shim(const u64 args[7])
{
	return sched_of(current)->process->parent->pid;
}

s64 sys_set_tid_address_shim(const u64 args[7])
{
	current->clear_child_tid = (int __user *)args[0];
	return current->pid;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------------- */

ki_u64 process_peek(int pid, ki_u64 va)
{
	struct process *process;

	if (!pid) {
		cpu_enter();
		return current->mm ? shim_peek_va(current->mm, va) : ~0ULL;
	}
	process = process_by_pid(pid);
	return process && process->leader->mm ? shim_peek_va(process->leader->mm, va) : ~0ULL;
}

void processes_init(void)
{
	process_init(&boot_process, &boot_process);
	process_add(&boot_process, &boot_task.shim.task);
}

/*
 * As init does when the machine goes down: ends who is left, and waits for those whose parent is gone. Whoever was started by the
 * machine has been waited for; what is left are orphans.
 */
void processes_end(void)
{
	struct process *child;
	bool any = true;

	list_for_each_entry(child, &all_processes, all) process_end(child, SIGKILL);
	for (;;) {
		wait_event(boot_process.child_wait,
			   (child = find_child(&boot_process, 0, &any)) || !any);
		if (!child)
			return;
		process_free(child);
	}
}

int processes_check_leaks(void)
{
	struct process *process;
	int leaks = 0;

	list_for_each_entry(process, &all_processes, all)
	{
		if (process == &boot_process)
			continue;
		shim_leak("process %d %s", process->pid,
			  process->zombie ? "was not waited for" : "has not ended");
		leaks++;
	}
	return leaks;
}
