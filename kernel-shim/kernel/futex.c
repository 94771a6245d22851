/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Futexes: waiting on a word of the process's memory. Keys are (address space, address), so words shared between
 * processes do not meet; no requeueing, no priority inheritance, no bit sets but the full one.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <uapi/linux/futex.h>

#include "kernel.h"

struct futex_waiter {
	struct list_head node;
	struct mm_struct *mm;
	u64 va;
	struct task_struct *task;
	bool woken;
};

static LIST_HEAD(futex_waiters);

static s64 futex_wake(u64 va, u64 limit)
{
	struct futex_waiter *waiter, *next;
	s64 woken = 0;

	list_for_each_entry_safe(waiter, next, &futex_waiters, node)
	{
		if ((u64)woken >= limit)
			break;
		if (waiter->mm != current->mm || waiter->va != va)
			continue;
		list_del_init(&waiter->node);
		waiter->woken = true;
		wake_up_process(waiter->task);
		woken++;
	}
	return woken;
}

void futex_wake_address(u64 va)
{
	futex_wake(va, 1);
}

static s64 futex_deadline(u64 address, bool absolute, u64 *deadline)
{
	struct __kernel_timespec ts;

	*deadline = SHIM_NO_TIME;
	if (!address)
		return 0;
	if (copy_from_user(&ts, (void __user *)address, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*deadline = ((u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec) * PS_PER_NS;
	if (!absolute)
		*deadline += shim_local_time();
	return 0;
}

static s64 futex_wait(u64 va, u32 expected, u64 deadline)
{
	struct futex_waiter waiter = {.mm = current->mm, .va = va, .task = current};
	u32 value;
	s64 result = 0;

	/* On the list before the word is read: a waker that changes it afterwards finds this waiter */
	list_add_tail(&waiter.node, &futex_waiters);
	if (get_user(value, (u32 __user *)va))
		result = -EFAULT;
	else if (value != expected)
		result = -EAGAIN;
	while (!result && !waiter.woken) {
		if (signal_pending(current))
			result = -ERESTARTSYS;
		else if (shim_local_time() >= deadline)
			result = -ETIMEDOUT;
		else {
			set_current_state(TASK_INTERRUPTIBLE);
			if (!waiter.woken)
				sleep_until(deadline);
		}
	}
	__set_current_state(TASK_RUNNING);
	if (waiter.woken)
		return 0;
	list_del(&waiter.node);
	return result;
}

/* futex(address, operation, value, timeout, address2, value3) */
s64 sys_futex_shim(const u64 args[7])
{
	int operation = (int)args[1] & FUTEX_CMD_MASK;
	bool absolute = operation == FUTEX_WAIT_BITSET;
	u64 deadline;
	s64 error;

	if (args[0] & 3)
		return -EINVAL;
	switch (operation) {
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT:
		if (absolute && (u32)args[5] != FUTEX_BITSET_MATCH_ANY)
			return -ENOSYS;
		error = futex_deadline(args[3], absolute, &deadline);
		return error ? error : futex_wait(args[0], (u32)args[2], deadline);
	case FUTEX_WAKE_BITSET:
	case FUTEX_WAKE:
		return futex_wake(args[0], (u32)args[2]);
	default:
		return -ENOSYS;
	}
}
