// SPDX-License-Identifier: GPL-2.0-only
/*
 * ppoll(2) (fs/select.c): the file's own poll() puts the caller on its wait queues; a wake-up makes the caller
 * ask every file again.
 *
 * Not modelled: select(2), epoll(7), busy polling. A signal mask is checked and has no effect: the signals that there are
 * end the process.
 */
#include <linux/file.h>
#include <linux/hrtimer.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/time64.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "shim.h"
#include "fs.h"

/* ---- wait queues of the files -------------------------------------------------------------------------- */

struct poll_table_page {
	struct poll_table_page *next;
	unsigned int used;
	struct poll_table_entry entries[];
};

#define ENTRIES_PER_PAGE                                                                           \
	((PAGE_SIZE - sizeof(struct poll_table_page)) / sizeof(struct poll_table_entry))

static struct poll_table_entry *entry_new(struct poll_wqueues *pwq)
{
	struct poll_table_page *page = pwq->table;

	if (pwq->inline_index < (int)N_INLINE_POLL_ENTRIES)
		return &pwq->inline_entries[pwq->inline_index++];
	if (!page || page->used == ENTRIES_PER_PAGE) {
		page = (struct poll_table_page *)get_zeroed_page(GFP_KERNEL);
		if (!page) {
			pwq->error = -ENOMEM;
			return NULL;
		}
		page->next = pwq->table;
		pwq->table = page;
	}
	return &page->entries[page->used++];
}

/* On the wait queue's wake-up: only for events that were asked for. */
static int poll_wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct poll_table_entry *entry = container_of(wait, struct poll_table_entry, wait);
	struct poll_wqueues *pwq = wait->private;
	DECLARE_WAITQUEUE(task_wait, pwq->polling_task);

	if (key && !(key_to_poll(key) & entry->key))
		return 0;
	/* What the waker wrote is seen by whoever sees `triggered` */
	smp_wmb();
	pwq->triggered = 1;
	return default_wake_function(&task_wait, mode, sync, key);
}

static void poll_queue(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	struct poll_wqueues *pwq = container_of(table, struct poll_wqueues, pt);
	struct poll_table_entry *entry = entry_new(pwq);

	if (!entry)
		return;
	entry->filp = get_file(file);
	entry->wait_address = head;
	entry->key = table->_key;
	init_waitqueue_func_entry(&entry->wait, poll_wake);
	entry->wait.private = pwq;
	add_wait_queue(head, &entry->wait);
}

void poll_initwait(struct poll_wqueues *pwq)
{
	init_poll_funcptr(&pwq->pt, poll_queue);
	pwq->polling_task = current;
	pwq->triggered = 0;
	pwq->error = 0;
	pwq->table = NULL;
	pwq->inline_index = 0;
}

static void entry_free(struct poll_table_entry *entry)
{
	remove_wait_queue(entry->wait_address, &entry->wait);
	fput(entry->filp);
}

void poll_freewait(struct poll_wqueues *pwq)
{
	struct poll_table_page *page, *next;

	for (int i = 0; i < pwq->inline_index; i++)
		entry_free(&pwq->inline_entries[i]);
	for (page = pwq->table; page; page = next) {
		next = page->next;
		for (unsigned int i = 0; i < page->used; i++)
			entry_free(&page->entries[i]);
		free_page((unsigned long)page);
	}
}

/* ---- ppoll ---------------------------------------------------------------------------------------------- */

static __poll_t poll_one(struct pollfd *pollfd, poll_table *table)
{
	__poll_t filter = demangle_poll((u16)pollfd->events) | EPOLLERR | EPOLLHUP, mask;
	struct file *file;

	if (pollfd->fd < 0)
		return 0;
	file = fget((unsigned int)pollfd->fd);
	if (!file)
		return EPOLLNVAL;
	table->_key = filter;
	mask = vfs_poll(file, table) & filter;
	fput(file);
	return mask;
}

static int poll_all(struct pollfd *fds, unsigned int count, poll_table *table)
{
	int ready = 0;

	for (unsigned int i = 0; i < count; i++) {
		__poll_t mask = poll_one(&fds[i], table);

		fds[i].revents = (short)mangle_poll(mask);
		if (mask) {
			ready++;
			/* The answer is known: no more wait queues */
			table->_qproc = NULL;
		}
	}
	table->_qproc = NULL;
	return ready;
}

/* Sleeps until a wake-up or `expires` (NULL: for ever); false once the time is over. */
static bool poll_sleep(struct poll_wqueues *pwq, ktime_t *expires)
{
	int rc = -EINTR;

	set_current_state(TASK_INTERRUPTIBLE);
	if (!pwq->triggered)
		rc = schedule_hrtimeout_range(expires, 0, HRTIMER_MODE_ABS);
	__set_current_state(TASK_RUNNING);
	/* Before the files are asked again: a wake-up from now on counts */
	smp_store_mb(pwq->triggered, 0);
	return rc != 0;
}

/* `expires` 0: only ask; KTIME_MAX: no limit. */
static int poll_loop(struct pollfd *fds, unsigned int count, ktime_t expires)
{
	struct poll_wqueues *pwq = kmalloc(sizeof(*pwq), GFP_KERNEL);
	bool timed_out = expires == 0;
	int ready;

	if (!pwq)
		return -ENOMEM;
	poll_initwait(pwq);
	if (timed_out)
		pwq->pt._qproc = NULL;
	for (;;) {
		ready = poll_all(fds, count, &pwq->pt);
		if (!ready)
			ready = pwq->error ?: (signal_pending(current) ? -EINTR : 0);
		if (ready || timed_out)
			break;
		if (!poll_sleep(pwq, expires == KTIME_MAX ? NULL : &expires))
			timed_out = true;
	}
	poll_freewait(pwq);
	kfree(pwq);
	return ready;
}

static ktime_t ktime_add_saturated(ktime_t a, ktime_t b)
{
	return b >= KTIME_MAX - a ? KTIME_MAX : a + b;
}

static int get_deadline(const struct __kernel_timespec __user *user, ktime_t *expires)
{
	struct timespec64 ts;

	*expires = KTIME_MAX;
	if (!user)
		return 0;
	if (copy_from_user(&ts, user, sizeof(ts)))
		return -EFAULT;
	if (!timespec64_valid(&ts))
		return -EINVAL;
	if (!ts.tv_sec && !ts.tv_nsec)
		*expires = 0;
	else
		*expires = ktime_add_saturated(ktime_get(), timespec64_to_ktime(ts));
	return 0;
}

/* Linux tells how much of the time is left; a caller whose timeout cannot be written is not told. */
static void put_remaining(struct __kernel_timespec __user *user, ktime_t expires)
{
	struct timespec64 ts = {};
	ktime_t left;

	if (!user || expires == KTIME_MAX)
		return;
	left = expires ? ktime_sub(expires, ktime_get()) : 0;
	if (left > 0)
		ts = ktime_to_timespec64(left);
	if (copy_to_user(user, &ts, sizeof(ts)))
		return;
}

static s64 poll_copied(struct pollfd __user *user, struct pollfd *fds, unsigned int count,
		       ktime_t expires)
{
	s64 ret;

	if (copy_from_user(fds, user, count * sizeof(*fds)))
		return -EFAULT;
	ret = poll_loop(fds, count, expires);
	for (unsigned int i = 0; ret >= 0 && i < count; i++)
		if (put_user(fds[i].revents, &user[i].revents))
			ret = -EFAULT;
	return ret;
}

s64 shim_sys_ppoll(const u64 args[7])
{
	unsigned int count = (unsigned int)args[1];
	struct __kernel_timespec __user *timeout = (struct __kernel_timespec __user *)args[2];
	struct pollfd *fds;
	ktime_t expires;
	s64 ret;

	if (count > 65536 || (args[3] && args[4] != sizeof(u64)))
		return -EINVAL;
	ret = get_deadline(timeout, &expires);
	if (ret)
		return ret;
	fds = kcalloc(count ?: 1, sizeof(*fds), GFP_KERNEL);
	if (!fds)
		return -ENOMEM;
	ret = poll_copied((struct pollfd __user *)args[0], fds, count, expires);
	kfree(fds);
	put_remaining(timeout, expires);
	return ret;
}
