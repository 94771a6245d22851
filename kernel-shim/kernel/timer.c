/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time as the kernel knows it: jiffies, timers, sleeping. Every waiting period is a time-out in one tree that the
 * machine's timer serves; it expires as a timer interrupt on the CPU that armed it. jiffies run at the kernel's
 * HZ, time-outs in jiffies expire on ticks of kparams.tick_hz, sleeps in nanoseconds after their slack.
 *
 * Not modelled: the periodic tick itself, clock adjustment, time of day (it begins at 0).
 */
#include <linux/delay.h>
#include <linux/hardirq.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/syscalls.h>
#include <linux/timer.h>
#include <linux/uaccess.h>

#include "kernel.h"

#define PS_PER_JIFFY (PS_PER_SEC / HZ)

unsigned long volatile jiffies = INITIAL_JIFFIES;
u64 jiffies_64 = INITIAL_JIFFIES;

static struct rb_root_cached timeouts = RB_ROOT_CACHED;
static void *machine_timer;
static u64 timeout_sequence;

void jiffies_update(u64 now)
{
	unsigned long value = INITIAL_JIFFIES + (unsigned long)(now / PS_PER_JIFFY);

	if (time_after(value, jiffies)) {
		jiffies = value;
		jiffies_64 = value;
	}
}

/* ---- time-outs -------------------------------------------------------------------------------------- */

static bool timeout_before(struct rb_node *left, const struct rb_node *right)
{
	const struct shim_timeout *a = rb_entry(left, struct shim_timeout, node);
	const struct shim_timeout *b = rb_entry(right, struct shim_timeout, node);

	return a->when != b->when ? a->when < b->when : a->sequence < b->sequence;
}

static bool tree_add(struct shim_timeout *timeout)
{
	unsigned int blocks = untimed_begin();
	bool first = rb_add_cached(&timeout->node, &timeouts, timeout_before);

	untimed_end(blocks);
	return first;
}

static void tree_remove(struct shim_timeout *timeout)
{
	unsigned int blocks = untimed_begin();

	rb_erase_cached(&timeout->node, &timeouts);
	untimed_end(blocks);
}

static void machine_timer_set(void)
{
	struct rb_node *first = rb_first_cached(&timeouts);

	if (first) {
		u64 when = rb_entry(first, struct shim_timeout, node)->when;

		host->timer_set(machine_timer, when > host->now() ? when : host->now());
	}
}

static void machine_timer_fired(void *unused)
{
	struct rb_node *first;
	u64 now = host->now();

	event_enter();
	while ((first = rb_first_cached(&timeouts))) {
		struct shim_timeout *timeout = rb_entry(first, struct shim_timeout, node);

		if (timeout->when > now)
			break;
		tree_remove(timeout);
		list_add_tail(&timeout->expired, &timeout->cpu->timeouts);
		cpu_kick(timeout->cpu);
	}
	machine_timer_set();
	event_exit();
}

void timeout_arm(struct shim_timeout *timeout, u64 when, void (*fn)(struct shim_timeout *timeout))
{
	timeout_cancel(timeout);
	timeout->when = when;
	timeout->sequence = timeout_sequence++;
	timeout->fn = fn;
	timeout->cpu = this_cpu();
	timeout->armed = true;
	INIT_LIST_HEAD(&timeout->expired);
	if (tree_add(timeout))
		machine_timer_set();
}

bool timeout_cancel(struct shim_timeout *timeout)
{
	if (!timeout->armed)
		return false;
	timeout->armed = false;
	if (list_empty(&timeout->expired))
		tree_remove(timeout);
	else
		list_del_init(&timeout->expired);
	return true;
}

/* The timer interrupt's line number in traces */
#define TIMER_LINE 0xffffu

void timeouts_run(struct shim_cpu *cpu)
{
	if (list_empty(&cpu->timeouts))
		return;
	if (host->trace_on)
		host->trace_irq_enter(cpu->id, TIMER_LINE, "timer", shim_local_time());
	while (!list_empty(&cpu->timeouts)) {
		struct shim_timeout *timeout =
			list_first_entry(&cpu->timeouts, struct shim_timeout, expired);

		list_del_init(&timeout->expired);
		timeout->armed = false;
		timeout->fn(timeout);
	}
	if (host->trace_on)
		host->trace_irq_exit(cpu->id, shim_local_time());
}

/* ---- sleeping ------------------------------------------------------------------------------------------ */

static void sleep_expired(struct shim_timeout *timeout)
{
	struct shim_sched *sched = container_of(timeout, struct shim_sched, sleep);

	wake_up_process(&container_of(sched, struct kernel_task, sched)->shim.task);
}

bool sleep_until(u64 when)
{
	struct shim_timeout *timeout = &sched_of(current)->sleep;

	if (when != SHIM_NO_TIME)
		timeout_arm(timeout, when, sleep_expired);
	schedule();
	return when != SHIM_NO_TIME && !timeout_cancel(timeout);
}

static u64 next_tick(u64 when)
{
	u64 period = PS_PER_SEC / (kparams.tick_hz ? kparams.tick_hz : HZ);

	return DIV_ROUND_UP(when, period) * period;
}

signed long schedule_timeout(signed long timeout)
{
	u64 end;

	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		sleep_until(SHIM_NO_TIME);
		return timeout;
	}
	if (timeout < 0) {
		__set_current_state(TASK_RUNNING);
		return 0;
	}
	end = next_tick(shim_local_time() + (u64)timeout * PS_PER_JIFFY);
	if (sleep_until(end) || shim_local_time() >= end)
		return 0;
	return (signed long)DIV_ROUND_UP(end - shim_local_time(), PS_PER_JIFFY);
}

signed long schedule_timeout_interruptible(signed long timeout)
{
	__set_current_state(TASK_INTERRUPTIBLE);
	return schedule_timeout(timeout);
}

signed long schedule_timeout_killable(signed long timeout)
{
	__set_current_state(TASK_KILLABLE);
	return schedule_timeout(timeout);
}

signed long schedule_timeout_uninterruptible(signed long timeout)
{
	__set_current_state(TASK_UNINTERRUPTIBLE);
	return schedule_timeout(timeout);
}

void msleep(unsigned int msecs)
{
	u64 end = next_tick(shim_local_time() + (u64)msecs * 1000000 * PS_PER_NS);

	while (shim_local_time() < end) {
		__set_current_state(TASK_UNINTERRUPTIBLE);
		sleep_until(end);
	}
}

void usleep_range_state(unsigned long min, unsigned long max, unsigned int state)
{
	u64 end = shim_local_time() + (u64)min * 1000 * PS_PER_NS;

	while (shim_local_time() < end) {
		__set_current_state(state);
		sleep_until(end);
	}
}

/* As of a high-resolution timer: `expires` is absolute or relative in ns; 0 at that time, -EINTR if woken before */
int schedule_hrtimeout_range(ktime_t *expires, u64 delta, const enum hrtimer_mode mode)
{
	u64 end = SHIM_NO_TIME;

	if (expires) {
		end = ((u64)*expires + delta) * PS_PER_NS;
		if (!(mode & HRTIMER_MODE_REL))
			end = max(end, shim_local_time());
		else
			end += shim_local_time();
	}
	return sleep_until(end) ? 0 : -EINTR;
}

int schedule_hrtimeout(ktime_t *expires, const enum hrtimer_mode mode)
{
	return schedule_hrtimeout_range(expires, 0, mode);
}

/* ---- timer_list ------------------------------------------------------------------------------------------- */

static HLIST_HEAD(pending_timers);
static struct shim_timeout wheel;
static struct timer_list *running_timer;

static u64 timer_time(const struct timer_list *timer)
{
	return (u64)(timer->expires - INITIAL_JIFFIES) * PS_PER_JIFFY;
}

static void wheel_expired(struct shim_timeout *timeout);

static struct timer_list *earliest_timer(void)
{
	struct timer_list *timer, *first = NULL;

	hlist_for_each_entry(timer, &pending_timers,
			     entry) if (!first || time_before(timer->expires, first->expires))
		first = timer;
	return first;
}

static void wheel_set(void)
{
	struct timer_list *first = earliest_timer();

	if (first)
		timeout_arm(&wheel, max(next_tick(timer_time(first)), shim_local_time()),
			    wheel_expired);
	else
		timeout_cancel(&wheel);
}

static void wheel_expired(struct shim_timeout *timeout)
{
	struct timer_list *timer;

	while ((timer = earliest_timer()) && timer_time(timer) <= shim_local_time()) {
		void (*fn)(struct timer_list * timer) = timer->function;

		hlist_del(&timer->entry);
		timer->entry.pprev = NULL;
		running_timer = timer;
		if (fn)
			fn(timer);
		running_timer = NULL;
	}
	wheel_set();
}

void init_timer_key(struct timer_list *timer, void (*func)(struct timer_list *), unsigned int flags,
		    const char *name, struct lock_class_key *key)
{
	timer->entry.pprev = NULL;
	timer->function = func;
	timer->flags = flags;
}

int timer_delete(struct timer_list *timer)
{
	if (!timer_pending(timer))
		return 0;
	hlist_del(&timer->entry);
	timer->entry.pprev = NULL;
	wheel_set();
	return 1;
}

int mod_timer(struct timer_list *timer, unsigned long expires)
{
	int pending = timer_delete(timer);

	timer->expires = expires;
	hlist_add_head(&timer->entry, &pending_timers);
	wheel_set();
	return pending;
}

int mod_timer_pending(struct timer_list *timer, unsigned long expires)
{
	return timer_pending(timer) ? mod_timer(timer, expires) : 0;
}

void add_timer(struct timer_list *timer)
{
	mod_timer(timer, timer->expires);
}

void add_timer_on(struct timer_list *timer, int cpu)
{
	add_timer(timer);
}

int try_to_del_timer_sync(struct timer_list *timer)
{
	return running_timer == timer ? -1 : timer_delete(timer);
}

int timer_delete_sync(struct timer_list *timer)
{
	int pending = timer_delete(timer);

	while (running_timer == timer)
		cpu_relax();
	return pending;
}

int timer_shutdown_sync(struct timer_list *timer)
{
	int pending = timer_delete_sync(timer);

	timer->function = NULL;
	return pending;
}

/* ---- clocks and conversions ---------------------------------------------------------------------------------- */

unsigned long __msecs_to_jiffies(const unsigned int msecs)
{
	if ((int)msecs < 0)
		return MAX_JIFFY_OFFSET;
	return DIV_ROUND_UP((unsigned long)msecs * HZ, MSEC_PER_SEC);
}

unsigned long __usecs_to_jiffies(const unsigned int usecs)
{
	return DIV_ROUND_UP((unsigned long)usecs * HZ, USEC_PER_SEC);
}

unsigned long nsecs_to_jiffies(u64 nsecs)
{
	return (unsigned long)(nsecs / (NSEC_PER_SEC / HZ));
}

unsigned int jiffies_to_msecs(const unsigned long j)
{
	return (unsigned int)(j * (MSEC_PER_SEC / HZ));
}

unsigned int jiffies_to_usecs(const unsigned long j)
{
	return (unsigned int)(j * (USEC_PER_SEC / HZ));
}

ktime_t ktime_get_with_offset(enum tk_offsets offs)
{
	return ktime_get();
}

ktime_t ktime_get_raw(void)
{
	return ktime_get();
}

void ktime_get_ts64(struct timespec64 *ts)
{
	*ts = ktime_to_timespec64(ktime_get());
}

void ktime_get_real_ts64(struct timespec64 *ts)
{
	ktime_get_ts64(ts);
}

time64_t ktime_get_real_seconds(void)
{
	return ktime_get() / NSEC_PER_SEC;
}

struct timespec64 ns_to_timespec64(s64 nsec)
{
	struct timespec64 ts = {.tv_sec = nsec / NSEC_PER_SEC, .tv_nsec = nsec % NSEC_PER_SEC};

	if (ts.tv_nsec < 0) {
		ts.tv_nsec += NSEC_PER_SEC;
		ts.tv_sec--;
	}
	return ts;
}

unsigned long long sched_clock(void)
{
	return shim_local_time() / PS_PER_NS;
}

/* ---- system calls ------------------------------------------------------------------------------------------------ */

static s64 user_timespec(u64 address, u64 *ns)
{
	struct __kernel_timespec ts;

	if (copy_from_user(&ts, (void __user *)address, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*ns = (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
	return 0;
}

static s64 sleep_for_user(u64 end, u64 remaining_address)
{
	end += (u64)kparams.timer_slack_us * 1000 * PS_PER_NS;
	while (shim_local_time() < end) {
		if (signal_pending(current)) {
			struct timespec64 left =
				ns_to_timespec64((s64)((end - shim_local_time()) / PS_PER_NS));
			struct __kernel_timespec ts = {left.tv_sec, left.tv_nsec};

			if (remaining_address &&
			    copy_to_user((void __user *)remaining_address, &ts, sizeof(ts)))
				return -EFAULT;
			return -EINTR;
		}
		set_current_state(TASK_INTERRUPTIBLE);
		sleep_until(end);
	}
	return 0;
}

s64 sys_nanosleep_shim(const u64 args[7])
{
	u64 ns;
	s64 error = user_timespec(args[0], &ns);

	return error ? error : sleep_for_user(shim_local_time() + ns * PS_PER_NS, args[1]);
}

static bool clock_known(u64 clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ||
	       clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_BOOTTIME ||
	       clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
}

s64 sys_clock_nanosleep_shim(const u64 args[7])
{
	s64 error;
	u64 ns;

	if (!clock_known(args[0]))
		return -EINVAL;
	error = user_timespec(args[2], &ns);
	if (error)
		return error;
	if (args[1] & TIMER_ABSTIME)
		return sleep_for_user(ns * PS_PER_NS, 0);
	return sleep_for_user(shim_local_time() + ns * PS_PER_NS, args[3]);
}

s64 sys_clock_gettime_shim(const u64 args[7])
{
	struct timespec64 now;
	struct __kernel_timespec ts;

	if (!clock_known(args[0]))
		return -EINVAL;
	ktime_get_ts64(&now);
	ts.tv_sec = now.tv_sec;
	ts.tv_nsec = now.tv_nsec;
	return copy_to_user((void __user *)args[1], &ts, sizeof(ts)) ? -EFAULT : 0;
}

void timers_init(void)
{
	machine_timer = host->timer_new(machine_timer_fired, NULL);
}
