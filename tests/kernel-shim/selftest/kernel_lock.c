/* SPDX-License-Identifier: GPL-2.0-only */
/* Spinlocks between CPUs; the kernel's own mutexes and rwsems on top of the scheduler. */
#include <linux/interrupt.h>
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

/* ---- spinning on the owner ---------------------------------------------------------------------------- */

static DEFINE_MUTEX(spun_mutex);
static DECLARE_RWSEM(spun_rwsem);

struct spin_test {
	bool rwsem, sleeps; /* what the owner does meanwhile: sleep or run */
	u64 taken_at, left_at;
	unsigned int owner_cpu;
	atomic_t inside;
	bool overlap;
};

static void spun_lock(const struct spin_test *test)
{
	if (test->rwsem)
		down_write(&spun_rwsem);
	else
		mutex_lock(&spun_mutex);
}

static void spun_unlock(const struct spin_test *test)
{
	if (test->rwsem)
		up_write(&spun_rwsem);
	else
		mutex_unlock(&spun_mutex);
}

static int owner_body(void *data)
{
	struct spin_test *test = data;

	spun_lock(test);
	test->owner_cpu = shim_cpu();
	test->taken_at = shim_local_time();
	if (test->sleeps)
		usleep_range(30, 30);
	else
		udelay(30);
	test->left_at = shim_local_time();
	spun_unlock(test);
	return 0;
}

/* Begins a thread that holds the lock for 30 us, and returns when it does */
static struct task_struct *owner_begin(struct spin_test *test)
{
	struct task_struct *task = kthread_run(owner_body, test, "owner");

	if (!IS_ERR(task))
		while (!READ_ONCE(test->taken_at))
			udelay(1);
	return task;
}

KI_SELFTEST(kernel_mutex_and_rwsem_spin_while_the_owner_runs)
{
	unsigned int i;

	if (shim_nr_cpus == 1)
		return 0;
	for (i = 0; i < 2; i++) {
		struct spin_test test = {.rwsem = i};
		u64 switches, spun = kcounters.owner_spin_ps;

		KI_CHECK(!IS_ERR(owner_begin(&test)));
		switches = kcounters.context_switches;
		spun_lock(&test);
		KI_CHECK(kcounters.context_switches == switches);
		KI_CHECK(shim_local_time() < test.left_at + US);
		spun_unlock(&test);
		KI_CHECK(kcounters.owner_spin_ps - spun > 25 * US);
		KI_CHECK(kcounters.owner_spin_ps - spun < 31 * US);
	}
	return 0;
}

KI_SELFTEST(kernel_mutex_and_rwsem_do_not_spin_while_the_owner_sleeps)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct spin_test test = {.rwsem = i, .sleeps = true};
		struct task_struct *task = kthread_run(owner_body, &test, "owner");
		u64 spun = kcounters.owner_spin_ps;

		KI_CHECK(!IS_ERR(task));
		usleep_range(10, 10);
		KI_CHECK(test.taken_at && !test.left_at);
		spun_lock(&test);
		KI_CHECK(test.left_at);
		spun_unlock(&test);
		KI_CHECK(kcounters.owner_spin_ps - spun < 2 * US);
	}
	return 0;
}

static int queue_body(void *data)
{
	struct spin_test *test = data;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		spun_lock(test);
		test->overlap |= atomic_inc_return(&test->inside) != 1;
		udelay(3);
		atomic_dec(&test->inside);
		spun_unlock(test);
		udelay(1);
	}
	return 0;
}

/* Twice as many as there are CPUs: some spin, some queue behind them, some are not on a CPU */
KI_SELFTEST(kernel_mutex_and_rwsem_exclude_while_many_spin)
{
	struct task_struct *tasks[8];
	unsigned int i, count = 2 * shim_nr_cpus, j;

	for (j = 0; j < 2; j++) {
		struct spin_test test = {.rwsem = j};

		for (i = 0; i < count; i++) {
			tasks[i] = kthread_create(queue_body, &test, "queue/%u", i);
			KI_CHECK(!IS_ERR(tasks[i]));
			get_task_struct(tasks[i]);
		}
		for (i = 0; i < count; i++)
			wake_up_process(tasks[i]);
		for (i = 0; i < count; i++) {
			wait_for_completion(&sched_of(tasks[i])->exited);
			put_task_struct(tasks[i]);
		}
		KI_CHECK(!test.overlap);
		KI_CHECK(!osq_is_locked(&spun_mutex.osq) && !osq_is_locked(&spun_rwsem.osq));
	}
	return 0;
}

static irqreturn_t note_arrival(int irq, void *data)
{
	*(u64 *)data = shim_local_time();
	return IRQ_HANDLED;
}

/* On this CPU in the middle of a spin: the thread of an interrupt preempts the spinner at once */
static int spin_and_make_way(unsigned int spinners_before)
{
	unsigned int line = 4 * shim_nr_cpus + shim_cpu(), i;
	struct spin_test test = {}, before = {};
	u64 arrived = 0, raised;

	if (request_threaded_irq(shim_virq(line), NULL, note_arrival, IRQF_ONESHOT, "urgent",
				 &arrived))
		return __LINE__;
	msleep(1); /* its thread has begun, and waits */
	KI_CHECK(line % shim_nr_cpus == shim_cpu());
	if (IS_ERR(owner_begin(&test)))
		return __LINE__;
	for (i = 0; i < spinners_before; i++)
		if (IS_ERR(kthread_run(owner_body, &before, "spinner")))
			return __LINE__;
	udelay(5);
	raise_line(line, 5000);
	raised = shim_local_time() + 5 * US;
	mutex_lock(&spun_mutex);
	KI_CHECK(arrived > raised && arrived < raised + 5 * US && arrived < test.left_at);
	KI_CHECK(test.left_at);
	mutex_unlock(&spun_mutex);
	free_irq(shim_virq(line), &arrived);
	msleep(1); /* who spun before has had the lock, too */
	return 0;
}

KI_SELFTEST(kernel_mutex_spinner_makes_way)
{
	return shim_nr_cpus > 1 ? spin_and_make_way(0) : 0;
}

KI_SELFTEST(kernel_mutex_spinner_in_the_queue_makes_way)
{
	return shim_nr_cpus > 2 ? spin_and_make_way(1) : 0;
}
