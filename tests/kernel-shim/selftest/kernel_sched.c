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

/* The longest that a task waits for one other: the other's slice, which ends on a tick */
static u64 turn_ps(void)
{
	return fair_slice_ps() + PS_PER_SEC / kparams.tick_hz;
}

struct burner {
	u64 work, done_at;
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
	KI_CHECK(late < turn_ps());
	return 0;
}

static void poll_until_flag(void *arg)
{
	while (!READ_ONCE(*(bool *)arg) && !svasim_kernel.user_must_exit())
		svasim_kernel.poll_wait(svasim_kernel.local_time() + 100 * MS);
}

/* Pollers on every CPU: a kernel thread still gets one after a turn of theirs at most */
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
	KI_CHECK(shim_local_time() - began < 5 * (150 * US + turn_ps()));
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

/* ---- shares ---------------------------------------------------------------------------------------- */

static int join(struct task_struct *task)
{
	int result;

	wait_for_completion(&sched_of(task)->exited);
	result = sched_of(task)->kthread_result;
	put_task_struct(task);
	return result;
}

struct spinner {
	u64 end, ran;
	int nice;
};

static void spin_until_end(void *arg)
{
	struct spinner *spinner = arg;

	while (svasim_kernel.local_time() < spinner->end) {
		user_work(50 * US);
		spinner->ran += 50 * US;
	}
}

static bool within_percent(u64 value, u64 expected, u64 percent)
{
	u64 off = value > expected ? value - expected : expected - value;

	return off * 100 <= expected * percent;
}

/* Two programs for each CPU: half of a CPU each */
KI_SELFTEST(kernel_sched_equal_programs_get_equal_shares)
{
	u64 duration = 400 * MS;
	struct spinner spinners[8];
	int pids[8];
	unsigned int i, count = 2 * shim_nr_cpus;

	for (i = 0; i < count; i++) {
		spinners[i] = (struct spinner){.end = shim_local_time() + duration};
		pids[i] = process_spawn("spinner", spin_until_end, &spinners[i]);
	}
	for (i = 0; i < count; i++)
		KI_CHECK(process_wait(pids[i]) == 0);
	for (i = 0; i < count; i++)
		KI_CHECK(within_percent(spinners[i].ran, duration / 2, 5));
	return 0;
}

static int kernel_spinner(void *data)
{
	struct spinner *spinner = data;

	while (shim_local_time() < spinner->end) {
		udelay(50);
		spinner->ran += 50 * US;
		cond_resched();
	}
	return 0;
}

/* Threads of the given nice levels on the last CPU; waits until they have ended */
static int run_bound_spinners(struct spinner *spinners, unsigned int count, u64 duration)
{
	struct task_struct *tasks[4];
	unsigned int i;

	for (i = 0; i < count; i++) {
		spinners[i].end = shim_local_time() + duration;
		tasks[i] = kthread_create(kernel_spinner, &spinners[i], "spinner/%u", i);
		if (IS_ERR(tasks[i]))
			return __LINE__;
		get_task_struct(tasks[i]);
		sched_bind(tasks[i], shim_nr_cpus - 1);
		set_user_nice(tasks[i], spinners[i].nice);
	}
	for (i = 0; i < count; i++)
		wake_up_process(tasks[i]);
	for (i = 0; i < count; i++)
		join(tasks[i]);
	return 0;
}

KI_SELFTEST(kernel_sched_shares_follow_the_weights_of_nice_levels)
{
	static const int levels[][3] = {{0, 5, 0}, {-5, 0, 5}, {0, 0, 10}, {-20, 0, 0}};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		struct spinner spinners[3] = {};
		u64 duration = 1500 * MS, weight = 0;

		for (j = 0; j < 3; j++) {
			spinners[j].nice = levels[i][j];
			weight += (u64)fair_weight(levels[i][j]);
		}
		KI_CHECK(!run_bound_spinners(spinners, 3, duration));
		for (j = 0; j < 3; j++) {
			u64 share = duration * (u64)fair_weight(levels[i][j]) / weight;

			/* A tick is the grain: a share of a few of them cannot be exact */
			KI_CHECK(within_percent(spinners[j].ran, share, 5) ||
				 (spinners[j].ran < share + 6 * MS &&
				  spinners[j].ran + 6 * MS > share));
		}
	}
	return 0;
}

enum { NR_setpriority = 140, NR_getpriority = 141 };

static void child_priority(void *arg)
{
	*(s64 *)arg = user_syscall(NR_getpriority, 0, 0, 0, 0);
}

struct priority_result {
	s64 before, after, child, bad_pid, bad_which, clamped;
};

static void priority_checks(void *arg)
{
	struct priority_result *result = arg;

	result->before = user_syscall(NR_getpriority, 0, 0, 0, 0);
	user_syscall(NR_setpriority, 0, 0, 7, 0);
	result->after = user_syscall(NR_getpriority, 0, 0, 0, 0);
	user_clone(SIGCHLD, child_priority, &result->child);
	user_syscall(NR_wait4, (u64)-1, 0, 0, 0);
	result->bad_pid = user_syscall(NR_setpriority, 0, 99999, 1, 0);
	result->bad_which = user_syscall(NR_getpriority, 3, 0, 0, 0);
	user_syscall(NR_setpriority, 0, 0, 100, 0);
	result->clamped = user_syscall(NR_getpriority, 0, 0, 0, 0);
}

KI_SELFTEST(kernel_sched_priority_of_a_program_is_its_own_and_its_childrens)
{
	struct priority_result result = {};

	/* PRIO_PROCESS, the caller: getpriority() says 20 - nice */
	KI_CHECK(run_program(priority_checks, &result) == 0);
	KI_CHECK(result.before == 20 && result.after == 13 && result.child == 13);
	KI_CHECK(result.bad_pid == -ESRCH && result.bad_which == -EINVAL && result.clamped == 1);
	return 0;
}

/* ---- wake-ups ---------------------------------------------------------------------------------------- */

struct sleeper {
	unsigned int rounds, prompt, moved;
	u64 worst;
};

static int sleep_often(void *data)
{
	struct sleeper *sleeper = data;
	unsigned int i, cpu = shim_cpu();

	for (i = 0; i < sleeper->rounds; i++) {
		u64 began = shim_local_time(), late;

		usleep_range(1000 + 37 * i, 1000 + 37 * i);
		late = shim_local_time() - began - (1000 + 37 * i) * US;
		sleeper->worst = max(sleeper->worst, late);
		sleeper->prompt += late < 20 * US;
		sleeper->moved += shim_cpu() != cpu;
		cpu = shim_cpu();
	}
	return 0;
}

static int run_sleeper(struct sleeper *sleeper, int nice)
{
	struct task_struct *task = kthread_create(sleep_often, sleeper, "sleeper");

	if (IS_ERR(task))
		return __LINE__;
	get_task_struct(task);
	set_user_nice(task, nice);
	wake_up_process(task);
	join(task);
	return 0;
}

KI_SELFTEST(kernel_sched_wakes_a_task_where_it_ran_if_that_is_idle)
{
	struct sleeper sleeper = {.rounds = 20};

	KI_CHECK(!run_sleeper(&sleeper, 0));
	KI_CHECK(sleeper.moved == 0 && sleeper.prompt == 20);
	return 0;
}

/* A heavy task's slice is short in virtual time: its deadline is mostly earlier than that of the task that runs */
KI_SELFTEST(kernel_sched_heavy_task_preempts_when_it_wakes_others_wait_a_turn_at_most)
{
	struct sleeper heavy = {.rounds = 40}, light = {.rounds = 40};
	bool flag = false;
	unsigned int i;
	int pids[4];

	for (i = 0; i < shim_nr_cpus; i++)
		pids[i] = process_spawn("poller", poll_until_flag, &flag);
	KI_CHECK(!run_sleeper(&heavy, -15));
	KI_CHECK(!run_sleeper(&light, 15));
	KI_CHECK(heavy.prompt > 30 && heavy.worst < turn_ps() + 20 * US);
	KI_CHECK(light.worst < turn_ps() + 20 * US);
	flag = true;
	for (i = 0; i < shim_nr_cpus; i++) {
		kill_process(pids[i], SIGKILL);
		KI_CHECK((process_wait(pids[i]) & ~SIGKILL) == 0);
	}
	return 0;
}

/* ---- several CPUs ------------------------------------------------------------------------------------ */

/*
 * 20, 10 and 10 ms of work: the first and the last share a CPU until the second ends on the other one, which then takes
 * one of them. 25 ms, not 30.
 */
KI_SELFTEST(kernel_sched_idle_cpu_takes_a_task_that_waits_elsewhere)
{
	struct burner burners[3] = {{20 * MS}, {10 * MS}, {10 * MS}};
	u64 began = shim_local_time();
	int pids[3];
	unsigned int i;

	if (shim_nr_cpus != 2)
		return 0;
	for (i = 0; i < 3; i++)
		pids[i] = process_spawn("burner", burn, &burners[i]);
	for (i = 0; i < 3; i++)
		KI_CHECK(process_wait(pids[i]) == 0);
	KI_CHECK(shim_local_time() - began < 27 * MS);
	return 0;
}

/* What begins on one CPU, one after the other, is spread */
KI_SELFTEST(kernel_sched_new_tasks_go_to_the_shortest_queue)
{
	struct burner burners[8] = {};
	u64 began = shim_local_time();
	int pids[8];
	unsigned int i;

	for (i = 0; i < 2 * shim_nr_cpus; i++) {
		burners[i].work = 8 * MS;
		pids[i] = process_spawn("burner", burn, &burners[i]);
	}
	for (i = 0; i < 2 * shim_nr_cpus; i++)
		KI_CHECK(process_wait(pids[i]) == 0);
	KI_CHECK(shim_local_time() - began < 17 * MS);
	return 0;
}

/* ---- the real-time class ------------------------------------------------------------------------------- */

static unsigned int next_rank;
static DEFINE_MUTEX(never_contended);

struct fifo_thread {
	unsigned int rank;
	u64 woken_at, ran_at;
};

static int take_rank(void *data)
{
	struct fifo_thread *thread = data;

	thread->ran_at = shim_local_time();
	thread->rank = next_rank++;
	udelay(100);
	return 0;
}

/* All on one CPU, woken by a thread that runs there: by priority, then in order */
static int wake_fifo_threads(void *data)
{
	static const int priorities[] = {10, 50, 50, 99};
	struct fifo_thread *threads = data;
	struct task_struct *tasks[4];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		tasks[i] = kthread_create(take_rank, &threads[i], "fifo/%u", i);
		if (IS_ERR(tasks[i]))
			return -ENOMEM;
		get_task_struct(tasks[i]);
		sched_set_fifo(tasks[i]);
		sched_of(tasks[i])->rt.priority = priorities[i];
		sched_bind(tasks[i], shim_cpu());
	}
	for (i = 0; i < 4; i++) {
		wake_up_process(tasks[i]);
		threads[i].woken_at = shim_local_time();
	}
	/* What might sleep is a point at which the kernel lets itself be preempted, even if it does not sleep */
	mutex_lock(&never_contended);
	mutex_unlock(&never_contended);
	for (i = 0; i < 4; i++)
		join(tasks[i]);
	return 0;
}

KI_SELFTEST(kernel_sched_fifo_threads_run_by_priority_then_in_order)
{
	struct fifo_thread threads[4] = {};
	struct task_struct *task = kthread_create(wake_fifo_threads, threads, "waker");

	KI_CHECK(!IS_ERR(task));
	get_task_struct(task);
	sched_bind(task, shim_nr_cpus - 1);
	next_rank = 0;
	wake_up_process(task);
	KI_CHECK(join(task) == 0);
	KI_CHECK(threads[3].rank == 0 && threads[1].rank == 1 && threads[2].rank == 2 &&
		 threads[0].rank == 3);
	/* Preempting a fair task costs a switch */
	KI_CHECK(threads[3].ran_at - threads[3].woken_at <=
		 (kparams.context_switch_ns + 100) * PS_PER_NS);
	return 0;
}
