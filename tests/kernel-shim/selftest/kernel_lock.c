/* SPDX-License-Identifier: GPL-2.0-only */
/* Spinlocks between CPUs; the kernel's own mutexes and rwsems on top of the scheduler. */
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>

#include "kernel_test.h"

#define ROUNDS 50

struct contest {
	spinlock_t spinlock;
	struct mutex mutex;
	struct rw_semaphore rwsem;
	unsigned int inside, most_inside, writers, entries;
	bool overlap;
	atomic_t left;
	struct completion done;
};

static void contest_init(struct contest *contest, unsigned int contenders)
{
	memset(contest, 0, sizeof(*contest));
	spin_lock_init(&contest->spinlock);
	mutex_init(&contest->mutex);
	init_rwsem(&contest->rwsem);
	atomic_set(&contest->left, contenders);
	init_completion(&contest->done);
}

static int hold(int (*body)(void *data), struct contest *contest, unsigned int contenders)
{
	unsigned int i;

	contest_init(contest, contenders);
	for (i = 0; i < contenders; i++)
		if (IS_ERR(kthread_run(body, contest, "contender/%u", i)))
			return -ENOMEM;
	wait_for_completion(&contest->done);
	return 0;
}

static void contest_left(struct contest *contest)
{
	if (atomic_dec_and_test(&contest->left))
		complete(&contest->done);
}

static void enter(struct contest *contest)
{
	contest->overlap |= contest->inside != 0;
	contest->inside++;
	contest->entries++;
}

static int spin_body(void *data)
{
	struct contest *contest = data;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		spin_lock(&contest->spinlock);
		enter(contest);
		udelay(2);
		contest->inside--;
		spin_unlock(&contest->spinlock);
	}
	contest_left(contest);
	return 0;
}

KI_SELFTEST(kernel_spinlock_excludes_and_waiting_occupies_the_cpu)
{
	u64 began = shim_local_time(), contended = kcounters.spinlock_contended;
	struct contest contest;

	KI_CHECK(!hold(spin_body, &contest, 4));
	KI_CHECK(!contest.overlap && contest.entries == 4 * ROUNDS);
	KI_CHECK(shim_local_time() - began >= 4 * ROUNDS * 2 * US);
	if (shim_nr_cpus > 1)
		KI_CHECK(kcounters.spinlock_contended > contended && kcounters.spinlock_wait_ps);
	return 0;
}

static int irq_spin_body(void *data)
{
	struct contest *contest = data;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		spin_lock_irqsave(&contest->spinlock, flags);
		contest->overlap |= !irqs_disabled();
		enter(contest);
		udelay(1);
		contest->inside--;
		spin_unlock_irqrestore(&contest->spinlock, flags);
		contest->overlap |= irqs_disabled();
	}
	contest_left(contest);
	return 0;
}

KI_SELFTEST(kernel_spinlock_keeps_each_cpus_interrupt_flag)
{
	struct contest contest;

	KI_CHECK(!hold(irq_spin_body, &contest, 4));
	KI_CHECK(!contest.overlap && contest.entries == 4 * ROUNDS && !irqs_disabled());
	return 0;
}

KI_SELFTEST(kernel_spinlock_trylock_fails_on_a_taken_lock)
{
	DEFINE_SPINLOCK(lock);

	KI_CHECK(spin_trylock(&lock) && spin_is_locked(&lock));
	KI_CHECK(!spin_trylock(&lock));
	spin_unlock(&lock);
	KI_CHECK(!spin_is_locked(&lock));
	return 0;
}

static int mutex_body(void *data)
{
	struct contest *contest = data;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		mutex_lock(&contest->mutex);
		enter(contest);
		usleep_range(5, 5);
		contest->inside--;
		mutex_unlock(&contest->mutex);
	}
	contest_left(contest);
	return 0;
}

KI_SELFTEST(kernel_mutex_excludes_across_sleep)
{
	struct contest contest;

	KI_CHECK(!hold(mutex_body, &contest, 4));
	KI_CHECK(!contest.overlap && contest.entries == 4 * ROUNDS);
	KI_CHECK(!mutex_is_locked(&contest.mutex));
	return 0;
}

static int rwsem_body(void *data)
{
	struct contest *contest = data;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		bool write = contest->entries++ % 7 == 6;

		if (write)
			down_write(&contest->rwsem);
		else
			down_read(&contest->rwsem);
		contest->overlap |= contest->writers || (write && contest->inside);
		contest->writers += write;
		contest->inside++;
		contest->most_inside = max(contest->most_inside, contest->inside);
		usleep_range(5, 5);
		contest->inside--;
		contest->writers -= write;
		if (write)
			up_write(&contest->rwsem);
		else
			up_read(&contest->rwsem);
	}
	contest_left(contest);
	return 0;
}

KI_SELFTEST(kernel_rwsem_readers_share_writers_do_not)
{
	struct contest contest;

	KI_CHECK(!hold(rwsem_body, &contest, 4));
	KI_CHECK(!contest.overlap);
	KI_CHECK(contest.most_inside > 1);
	KI_CHECK(!rwsem_is_locked(&contest.rwsem));
	return 0;
}

KI_SELFTEST(kernel_rwsem_count_is_what_inline_assertions_read)
{
	static DECLARE_RWSEM(sem);

	down_write(&sem);
	KI_CHECK(rwsem_is_locked(&sem) && !down_read_trylock(&sem));
	downgrade_write(&sem);
	KI_CHECK(down_read_trylock(&sem) && !down_write_trylock(&sem));
	up_read(&sem);
	up_read(&sem);
	KI_CHECK(!rwsem_is_locked(&sem));
	return 0;
}
