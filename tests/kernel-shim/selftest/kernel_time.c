/* SPDX-License-Identifier: GPL-2.0-only */
/* Timers, sleeping, clocks, RCU. */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/timer.h>

#include "kernel_test.h"

KI_SELFTEST(kernel_time_sleeping_takes_the_time_asked_for)
{
	u64 began = shim_local_time();
	ktime_t then = ktime_get();

	usleep_range(150, 200);
	KI_CHECK(shim_local_time() - began >= 150 * US && shim_local_time() - began < 200 * US);
	KI_CHECK(ktime_us_delta(ktime_get(), then) >= 150);
	began = shim_local_time();
	msleep(20);
	KI_CHECK(shim_local_time() - began >= 20 * MS && shim_local_time() - began < 30 * MS);
	return 0;
}

KI_SELFTEST(kernel_time_jiffies_follow_simulated_time)
{
	unsigned long before = jiffies;

	msleep(1000);
	KI_CHECK(jiffies - before >= HZ && jiffies - before <= HZ + 2);
	return 0;
}

KI_SELFTEST(kernel_time_delays_occupy_the_cpu)
{
	u64 began = shim_local_time(), switches = kcounters.context_switches;

	udelay(7);
	KI_CHECK(shim_local_time() - began >= 7 * US && shim_local_time() - began < 8 * US);
	KI_CHECK(kcounters.context_switches == switches);
	return 0;
}

KI_SELFTEST(kernel_time_reading_the_clock_passes_time)
{
	ktime_t until = ktime_get() + 10000;

	while (ktime_get() < until)
		;
	return 0;
}

struct ticker {
	struct timer_list timer;
	unsigned int fired;
	unsigned long at;
	bool in_interrupt;
};

static void ticker_fires(struct timer_list *timer)
{
	struct ticker *ticker = from_timer(ticker, timer, timer);

	ticker->at = jiffies;
	ticker->in_interrupt = !in_task();
	if (++ticker->fired < 3)
		mod_timer(timer, jiffies + 2);
}

KI_SELFTEST(kernel_timer_fires_in_order_and_can_be_moved_and_deleted)
{
	struct ticker early = {}, late = {};

	timer_setup(&early.timer, ticker_fires, 0);
	timer_setup(&late.timer, ticker_fires, 0);
	mod_timer(&late.timer, jiffies + 5);
	mod_timer(&early.timer, jiffies + 10);
	mod_timer(&early.timer, jiffies + 2);
	KI_CHECK(timer_pending(&late.timer) && timer_pending(&early.timer));
	msleep(35);
	KI_CHECK(early.fired == 1 && !late.fired && early.in_interrupt);
	msleep(1000);
	KI_CHECK(early.fired == 3 && late.fired == 3 && !timer_pending(&early.timer));
	mod_timer(&late.timer, jiffies + 5);
	KI_CHECK(del_timer_sync(&late.timer) == 1 && !del_timer_sync(&late.timer));
	msleep(100);
	KI_CHECK(late.fired == 3);
	return 0;
}

KI_SELFTEST(kernel_schedule_timeout_returns_what_is_left_when_woken)
{
	set_current_state(TASK_INTERRUPTIBLE);
	KI_CHECK(schedule_timeout(2) == 0);
	return 0;
}

struct protected_item {
	struct rcu_head rcu;
	bool freed;
};

static bool reader_inside, reader_left;

static int rcu_reader(void *data)
{
	struct protected_item *item = data;
	bool found_freed;
	unsigned int i;

	rcu_read_lock();
	found_freed = item->freed; /* with one CPU the grace period may be over before */
	reader_inside = true;
	for (i = 0; i < 50; i++) {
		udelay(10);
		if (READ_ONCE(item->freed) != found_freed)
			return -EFAULT;
	}
	reader_left = true;
	rcu_read_unlock();
	return 0;
}

static void item_free(struct rcu_head *head)
{
	container_of(head, struct protected_item, rcu)->freed = true;
}

KI_SELFTEST(kernel_rcu_grace_period_waits_for_readers_on_other_cpus)
{
	struct protected_item item = {};
	struct task_struct *reader = kthread_create(rcu_reader, &item, "reader");

	KI_CHECK(!IS_ERR(reader));
	get_task_struct(reader);
	wake_up_process(reader);
	while (shim_nr_cpus > 1 && !READ_ONCE(reader_inside))
		udelay(1);
	call_rcu(&item.rcu, item_free);
	synchronize_rcu();
	KI_CHECK(item.freed);
	KI_CHECK(shim_nr_cpus == 1 || reader_left);
	KI_CHECK(kthread_stop(reader) != -EFAULT);
	put_task_struct(reader);
	return 0;
}

KI_SELFTEST(kernel_rcu_frees_by_offset_and_barrier_waits_for_callbacks)
{
	struct protected_item *item = kzalloc(sizeof(*item), GFP_KERNEL), other = {};

	KI_CHECK(item);
	kfree_rcu(item, rcu);
	call_rcu(&other.rcu, item_free);
	rcu_barrier();
	KI_CHECK(other.freed);
	return 0;
}

DEFINE_STATIC_SRCU(test_srcu);
static bool srcu_reader_done;

static int srcu_reader(void *data)
{
	int index = srcu_read_lock(&test_srcu);

	complete(data);
	usleep_range(300, 300);
	srcu_reader_done = true;
	srcu_read_unlock(&test_srcu, index);
	return 0;
}

KI_SELFTEST(kernel_srcu_waits_for_a_sleeping_reader)
{
	DECLARE_COMPLETION_ONSTACK(inside);

	KI_CHECK(!IS_ERR(kthread_run(srcu_reader, &inside, "srcu-reader")));
	wait_for_completion(&inside);
	synchronize_srcu(&test_srcu);
	KI_CHECK(srcu_reader_done);
	return 0;
}
