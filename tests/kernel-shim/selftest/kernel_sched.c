/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks on a limited number of CPUs: who runs, for how long, and what it costs. */
#include "kernel_test.h"

static int add_one(void *arg)
{
	++*(int *)arg;
	return *(int *)arg;
}

KI_SELFTEST(kernel_kthread_runs_and_gives_its_result)
{
	struct task_struct *task;
	int value = 41;

	task = kthread_create(add_one, &value, "adder");
	KI_CHECK(!IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	while (!READ_ONCE(value) || value == 41)
		msleep(1);
	KI_CHECK(kthread_stop(task) == 42);
	put_task_struct(task);
	return 0;
}

KI_SELFTEST(kernel_kthread_stopped_before_it_ran_does_not_run)
{
	struct task_struct *task;
	int value = 0;

	task = kthread_create(add_one, &value, "adder");
	KI_CHECK(!IS_ERR(task));
	KI_CHECK(kthread_stop(task) == -EINTR && value == 0);
	return 0;
}

struct burner {
	u64 work, done_at;
	unsigned int migrations;
};

static void burn(void *arg)
{
	struct burner *burner = arg;
	u64 step = 100 * US, done;

	for (done = 0; done < burner->work; done += step)
		user_work(step);
	burner->done_at = svasim_kernel.local_time();
}

/* As many programs as twice the CPUs, each with ten slices' work: they end late and close together */
KI_SELFTEST(kernel_sched_programs_share_the_cpus_by_time_slices)
{
	u64 slice = kparams.timeslice_us * US, began = shim_local_time(), first = ~0ULL, last = 0;
	unsigned int count = 2 * shim_nr_cpus, i;
	struct burner burners[8] = {};
	int pids[8];

	for (i = 0; i < count; i++) {
		burners[i].work = 10 * slice;
		pids[i] = process_spawn("burner", burn, &burners[i]);
		KI_CHECK(pids[i] > 0);
	}
	for (i = 0; i < count; i++) {
		KI_CHECK(process_wait(pids[i]) == 0);
		first = min(first, burners[i].done_at - began);
		last = max(last, burners[i].done_at - began);
	}
	KI_CHECK(last >= 20 * slice && last < 21 * slice);
	KI_CHECK(first >= 18 * slice);
	return 0;
}

KI_SELFTEST(kernel_sched_cpus_work_at_the_same_time)
{
	u64 began = shim_local_time();
	struct burner burners[4] = {};
	unsigned int i;
	int pids[4];

	for (i = 0; i < shim_nr_cpus; i++) {
		burners[i].work = 2 * MS;
		pids[i] = process_spawn("burner", burn, &burners[i]);
	}
	for (i = 0; i < shim_nr_cpus; i++)
		KI_CHECK(process_wait(pids[i]) == 0);
	KI_CHECK(shim_local_time() - began < 2 * MS + 200 * US);
	return 0;
}

/* One long computation: preemption happens inside of it, not at its end */
static void burn_at_once(void *arg)
{
	struct burner *burner = arg;

	user_work(burner->work);
	burner->done_at = svasim_kernel.local_time();
}

KI_SELFTEST(kernel_sched_waking_task_preempts_a_long_computation)
{
	struct burner burners[4] = {};
	u64 slept_from, late;
	unsigned int i;
	int pids[4];

	for (i = 0; i < shim_nr_cpus; i++) {
		burners[i].work = 50 * MS;
		pids[i] = process_spawn("burner", burn_at_once, &burners[i]);
	}
	usleep_range(2000, 2000);
	slept_from = shim_local_time();
	usleep_range(2000, 2000);
	late = shim_local_time() - slept_from - 2000 * US;
	for (i = 0; i < shim_nr_cpus; i++)
		KI_CHECK(process_wait(pids[i]) == 0);
	KI_CHECK(late < kparams.timeslice_us * US);
	return 0;
}

static void poll_until_flag(void *arg)
{
	while (!READ_ONCE(*(bool *)arg) && !svasim_kernel.user_must_exit())
		svasim_kernel.poll_wait(svasim_kernel.local_time() + 100 * MS);
}

/* Pollers on every CPU: a kernel thread still gets one after a time slice at most */
KI_SELFTEST(kernel_sched_pollers_do_not_starve_others)
{
	bool flag = false;
	unsigned int i;
	int pids[4];
	u64 began;

	for (i = 0; i < shim_nr_cpus; i++)
		pids[i] = process_spawn("poller", poll_until_flag, &flag);
	began = shim_local_time();
	for (i = 0; i < 5; i++)
		usleep_range(100, 100);
	KI_CHECK(shim_local_time() - began < 5 * (100 + kparams.timeslice_us + 50) * US);
	flag = true;
	for (i = 0; i < shim_nr_cpus; i++) {
		kill_process(pids[i], SIGKILL);
		KI_CHECK((process_wait(pids[i]) & ~SIGKILL) == 0);
	}
	return 0;
}

static int note_time(void *arg)
{
	*(u64 *)arg = shim_local_time();
	return 0;
}

KI_SELFTEST(kernel_sched_switching_takes_its_time)
{
	struct task_struct *task;
	u64 ran_at = 0, woken_at;

	task = kthread_create(note_time, &ran_at, "noter");
	KI_CHECK(!IS_ERR(task));
	msleep(1);
	woken_at = shim_local_time();
	wake_up_process(task);
	while (!READ_ONCE(ran_at))
		msleep(1);
	KI_CHECK(ran_at - woken_at >= (kparams.wakeup_ns + kparams.context_switch_ns) * PS_PER_NS);
	if (shim_nr_cpus > 1)
		KI_CHECK(ran_at - woken_at <= (kparams.wakeup_ns + kparams.ipi_ns +
					       kparams.idle_exit_ns + kparams.context_switch_ns +
					       500) * PS_PER_NS);
	return 0;
}
