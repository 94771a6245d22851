/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spinlocks between simulated CPUs: taking and releasing one costs time; who finds it taken occupies its CPU until
 * the lock is handed over, in the order of arrival (a queued spinlock). With interrupts enabled the
 * waiting CPU still takes them. Mutexes and rwsems are the kernel's own and stand on these; who waits for one whose
 * owner runs spins: one looks at the owner, the others queue behind it (osq_lock()), until the scheduler wants their CPU.
 *
 * Readers of an rwlock exclude one another: none of the kernel's users here holds one for long.
 */
#include <linux/interrupt.h>
#include <linux/osq_lock.h>
#include <linux/spinlock.h>

#include "kernel.h"

#define LOCK_SKEW_PS (200 * PS_PER_NS)
#define SLOCK_FREE   1
#define SLOCK_TAKEN  0

struct lock_waiter {
	struct list_head node;
	raw_spinlock_t *lock;
	struct task_struct *task;
	bool granted;
	u64 granted_at;
};

static LIST_HEAD(waiters); /* at most one per CPU */
static int locks_held;

static void lock_sync(void)
{
	shim_charge_ns(kparams.lock_ns);
	if (shim_local_time() > host->now() + LOCK_SKEW_PS)
		shim_sync();
}

static void lock_taken(raw_spinlock_t *lock, struct task_struct *task)
{
	lock->raw_lock.slock = SLOCK_TAKEN;
	lock->owner = task;
	lock->owner_cpu = sched_of(task)->cpu->id;
	sched_of(task)->locks_held++;
	locks_held++;
}

static void lock_wait(raw_spinlock_t *lock)
{
	struct task_struct *me = current;
	struct lock_waiter waiter = {.lock = lock, .task = me};
	struct shim_cpu *cpu = this_cpu();
	u64 since = shim_local_time();

	if (lock->owner == me)
		trap("a CPU waits for a spinlock that it holds");
	kcounters.spinlock_contended++;
	list_add_tail(&waiter.node, &waiters);
	while (!waiter.granted) {
		cpu_wait(cpu, SHIM_NO_TIME, signals_enabled);
		if (!waiter.granted)
			cpu_take_interrupts(cpu);
	}
	if (cpu->local < waiter.granted_at)
		cpu->local = waiter.granted_at;
	shim_charge_ns(kparams.lock_transfer_ns);
	kcounters.spinlock_wait_ps += shim_local_time() - since;
}

static void shim_lock_acquire(raw_spinlock_t *lock)
{
	if (!current)
		return;
	lock_sync();
	if (lock->raw_lock.slock == SLOCK_FREE)
		lock_taken(lock, current);
	else
		lock_wait(lock);
}

static int lock_try(raw_spinlock_t *lock)
{
	if (!current)
		return 1;
	lock_sync();
	if (lock->raw_lock.slock != SLOCK_FREE)
		return 0;
	lock_taken(lock, current);
	return 1;
}

static void shim_lock_release(raw_spinlock_t *lock)
{
	struct lock_waiter *waiter;

	if (!current)
		return;
	shim_charge_ns(kparams.lock_ns);
	if (lock->raw_lock.slock == SLOCK_FREE)
		trap("a spinlock is released that nobody holds");
	sched_of(lock->owner)->locks_held--;
	locks_held--;
	lock->raw_lock.slock = SLOCK_FREE;
	lock->owner = SPINLOCK_OWNER_INIT;
	lock->owner_cpu = -1;
	list_for_each_entry(waiter, &waiters, node)
	{
		if (waiter->lock != lock)
			continue;
		list_del(&waiter->node);
		lock_taken(lock, waiter->task);
		waiter->granted = true;
		waiter->granted_at = shim_local_time();
		host->thread_wake(shim_task(waiter->task)->thread);
		return;
	}
}

void __raw_spin_lock_init(raw_spinlock_t *lock, const char *name, struct lock_class_key *key,
			  short inner)
{
	lock->raw_lock.slock = SLOCK_FREE;
	lock->magic = SPINLOCK_MAGIC;
	lock->owner = SPINLOCK_OWNER_INIT;
	lock->owner_cpu = -1;
}

void _raw_spin_lock(raw_spinlock_t *lock)
{
	shim_lock_acquire(lock);
}

void _raw_spin_lock_nested(raw_spinlock_t *lock, int subclass)
{
	shim_lock_acquire(lock);
}

void _raw_spin_lock_bh(raw_spinlock_t *lock)
{
	local_bh_disable();
	shim_lock_acquire(lock);
}

void _raw_spin_lock_irq(raw_spinlock_t *lock)
{
	local_irq_disable();
	shim_lock_acquire(lock);
}

unsigned long _raw_spin_lock_irqsave(raw_spinlock_t *lock)
{
	unsigned long flags;

	local_irq_save(flags);
	shim_lock_acquire(lock);
	return flags;
}

int _raw_spin_trylock(raw_spinlock_t *lock)
{
	return lock_try(lock);
}

int _raw_spin_trylock_bh(raw_spinlock_t *lock)
{
	local_bh_disable();
	if (lock_try(lock))
		return 1;
	local_bh_enable();
	return 0;
}

void _raw_spin_unlock(raw_spinlock_t *lock)
{
	shim_lock_release(lock);
}

void _raw_spin_unlock_bh(raw_spinlock_t *lock)
{
	shim_lock_release(lock);
	local_bh_enable();
}

void _raw_spin_unlock_irq(raw_spinlock_t *lock)
{
	shim_lock_release(lock);
	local_irq_enable();
}

void _raw_spin_unlock_irqrestore(raw_spinlock_t *lock, unsigned long flags)
{
	shim_lock_release(lock);
	local_irq_restore(flags);
}

void __local_bh_enable_ip(unsigned long ip, unsigned int count)
{
	preempt_count_sub(count);
}

/* ---- spinning on the owner of a mutex or rwsem ---------------------------------------------------------- */

static bool runs(const struct task_struct *task)
{
	unsigned int i;

	for (i = 0; i < shim_nr_cpus; i++)
		if (shim_cpus[i].curr == task)
			return true;
	return false;
}

/*
 * The condition of the kernel's spinning loops: a look at the owner's line takes its transfer. The owner may end meanwhile and is
 * only compared.
 */
bool shim_owner_on_cpu(const struct task_struct *owner)
{
	u64 since = shim_local_time();

	if (!runs(owner))
		return false;
	shim_charge_ns(kparams.lock_transfer_ns);
	shim_sync();
	sched_slice_check(this_cpu());
	kcounters.owner_spin_ps += shim_local_time() - since;
	return true;
}

struct osq_waiter {
	struct list_head node;
	struct optimistic_spin_queue *queue;
	struct task_struct *task;
	bool granted;
	u64 granted_at;
};

static LIST_HEAD(osq_waiters); /* at most one per CPU */

/* False if the scheduler wants the CPU */
static bool osq_wait(struct osq_waiter *waiter)
{
	while (!waiter->granted) {
		struct shim_cpu *cpu = this_cpu();

		cpu_wait(cpu, sched_slice_end(cpu), true);
		if (waiter->granted)
			break;
		cpu_take_interrupts(cpu);
		sched_slice_check(cpu);
		if (!waiter->granted && need_resched()) {
			list_del(&waiter->node);
			return false;
		}
	}
	return true;
}

bool osq_lock(struct optimistic_spin_queue *queue)
{
	struct osq_waiter waiter = {.queue = queue, .task = current};
	struct shim_cpu *cpu = this_cpu();
	u64 since;
	bool taken;

	lock_sync();
	if (!osq_is_locked(queue)) {
		atomic_set(&queue->tail, 1);
		return true;
	}
	since = shim_local_time();
	list_add_tail(&waiter.node, &osq_waiters);
	taken = osq_wait(&waiter);
	if (cpu->local < waiter.granted_at)
		cpu->local = waiter.granted_at;
	shim_charge_ns(kparams.lock_transfer_ns);
	kcounters.owner_spin_ps += shim_local_time() - since;
	return taken;
}

void osq_unlock(struct optimistic_spin_queue *queue)
{
	struct osq_waiter *waiter;

	shim_charge_ns(kparams.lock_ns);
	list_for_each_entry(waiter, &osq_waiters, node)
	{
		if (waiter->queue != queue)
			continue;
		list_del(&waiter->node);
		waiter->granted = true;
		waiter->granted_at = shim_local_time();
		host->thread_wake(shim_task(waiter->task)->thread);
		return;
	}
	atomic_set(&queue->tail, OSQ_UNLOCKED_VAL);
}

/* ---- rwlocks ------------------------------------------------------------------------------------------ */

/* On a uniprocessor build an rwlock's raw part is empty; its debugging fields carry the spinlock's state. */
static void rwlock_enter(rwlock_t *lock)
{
	while (lock->owner && lock->owner != SPINLOCK_OWNER_INIT && lock->owner != current) {
		shim_charge_ns(kparams.lock_transfer_ns);
		shim_sync();
	}
	lock_sync();
	lock->owner = current;
	lock->owner_cpu = lock->owner_cpu == (unsigned int)-1 ? 1 : lock->owner_cpu + 1;
}

static void rwlock_leave(rwlock_t *lock)
{
	shim_charge_ns(kparams.lock_ns);
	if (--lock->owner_cpu == 0) {
		lock->owner = SPINLOCK_OWNER_INIT;
		lock->owner_cpu = -1;
	}
}

void __rwlock_init(rwlock_t *lock, const char *name, struct lock_class_key *key)
{
	lock->magic = RWLOCK_MAGIC;
	lock->owner = SPINLOCK_OWNER_INIT;
	lock->owner_cpu = -1;
}

void _raw_read_lock(rwlock_t *lock)
{
	rwlock_enter(lock);
}

void _raw_write_lock(rwlock_t *lock)
{
	rwlock_enter(lock);
}

void _raw_read_unlock(rwlock_t *lock)
{
	rwlock_leave(lock);
}

void _raw_write_unlock(rwlock_t *lock)
{
	rwlock_leave(lock);
}

void _raw_write_lock_irq(rwlock_t *lock)
{
	local_irq_disable();
	rwlock_enter(lock);
}

void _raw_write_unlock_irq(rwlock_t *lock)
{
	rwlock_leave(lock);
	local_irq_enable();
}

int locks_check_leaks(void)
{
	if (locks_held)
		shim_leak("%d spinlocks are held", locks_held);
	return locks_held;
}
