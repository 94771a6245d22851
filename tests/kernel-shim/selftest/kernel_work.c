/* SPDX-License-Identifier: GPL-2.0-only */
/* Wait queues, workqueues, interrupts. */
#include <linux/interrupt.h>
#include <linux/workqueue.h>

#include "kernel_test.h"

static DECLARE_WAIT_QUEUE_HEAD(test_queue);
static unsigned int tickets, served;

static int ticket_holder(void *data)
{
	wait_event(test_queue, tickets);
	tickets--;
	served++;
	return 0;
}

KI_SELFTEST(kernel_wait_queue_wakes_all_whose_condition_holds)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		KI_CHECK(!IS_ERR(kthread_run(ticket_holder, NULL, "holder/%u", i)));
	msleep(1);
	KI_CHECK(served == 0);
	tickets = 2;
	wake_up_all(&test_queue);
	msleep(1);
	KI_CHECK(served == 2);
	tickets = 1;
	wake_up(&test_queue);
	msleep(1);
	KI_CHECK(served == 3);
	KI_CHECK(wait_event_timeout(test_queue, tickets, 2) == 0);
	return 0;
}

struct job {
	struct work_struct work;
	unsigned int *running, *most, runs;
	u64 began, ended;
	unsigned int sleep_us, spin_us;
};

static void job_run(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	job->began = shim_local_time();
	++*job->running;
	*job->most = max(*job->most, *job->running);
	if (job->sleep_us)
		usleep_range(job->sleep_us, job->sleep_us);
	if (job->spin_us)
		udelay(job->spin_us);
	--*job->running;
	job->runs++;
	job->ended = shim_local_time();
}

static unsigned int run_jobs(struct workqueue_struct *wq, struct job *jobs, unsigned int count,
			     unsigned int sleep_us, unsigned int spin_us)
{
	unsigned int running = 0, most = 0, i;

	for (i = 0; i < count; i++) {
		jobs[i] = (struct job){.running = &running,
				       .most = &most,
				       .sleep_us = sleep_us,
				       .spin_us = spin_us};
		INIT_WORK(&jobs[i].work, job_run);
		queue_work(wq, &jobs[i].work);
	}
	flush_workqueue(wq);
	return most;
}

KI_SELFTEST(kernel_workqueue_unbound_runs_many_at_once_up_to_its_workers)
{
	struct workqueue_struct *wq = alloc_workqueue("unbound", WQ_UNBOUND, 0);
	struct job jobs[12];
	unsigned int i;

	KI_CHECK(run_jobs(wq, jobs, 12, 100, 0) == kparams.max_workers);
	for (i = 0; i < 12; i++)
		KI_CHECK(jobs[i].runs == 1);
	destroy_workqueue(wq);
	return 0;
}

KI_SELFTEST(kernel_workqueue_per_cpu_runs_the_next_when_one_blocks)
{
	struct workqueue_struct *wq = alloc_workqueue("percpu", 0, 0);
	struct job jobs[4];

	KI_CHECK(run_jobs(wq, jobs, 4, 0, 20) == 1);
	KI_CHECK(run_jobs(wq, jobs, 4, 100, 0) == 4);
	destroy_workqueue(wq);
	return 0;
}

struct tracked {
	struct work_struct work;
	struct task_struct *by;
	unsigned int cpu, spin_us, sleep_us;
	u64 began;
};

static void tracked_run(struct work_struct *work)
{
	struct tracked *item = container_of(work, struct tracked, work);

	item->by = current;
	item->cpu = shim_cpu();
	item->began = shim_local_time();
	if (item->spin_us)
		udelay(item->spin_us);
	if (item->sleep_us)
		usleep_range(item->sleep_us, item->sleep_us);
}

/* How many wake-ups it takes to queue them */
static u64 queue_tracked(struct workqueue_struct *wq, struct tracked *items, unsigned int count,
			 unsigned int spin_us, unsigned int sleep_us)
{
	u64 before = kcounters.wakeups;
	unsigned int i;

	for (i = 0; i < count; i++) {
		items[i] = (struct tracked){.spin_us = spin_us, .sleep_us = sleep_us};
		INIT_WORK(&items[i].work, tracked_run);
		queue_work(wq, &items[i].work);
	}
	return kcounters.wakeups - before;
}

static unsigned int different_workers(const struct tracked *items, unsigned int count)
{
	unsigned int i, j, different = 0;

	for (i = 0; i < count; i++) {
		for (j = 0; j < i && items[j].by != items[i].by; j++)
			;
		different += i == j;
	}
	return different;
}

/* A worker that has been woken and has not run yet is enough, whatever is queued meanwhile */
KI_SELFTEST(kernel_workqueue_wakes_one_worker_until_it_runs)
{
	unsigned int kind;

	for (kind = 0; kind < 2; kind++) {
		struct workqueue_struct *wq = alloc_workqueue("burst", kind ? WQ_UNBOUND : 0, 0);
		struct tracked items[5];

		KI_CHECK(queue_tracked(wq, items, 5, 1, 0) == 1);
		flush_workqueue(wq);
		destroy_workqueue(wq);
	}
	return 0;
}

/* Concurrency management: items that compute need one worker, items that block one each, on the CPU that queued them */
KI_SELFTEST(kernel_workqueue_per_cpu_has_as_many_workers_as_block)
{
	struct workqueue_struct *wq = alloc_workqueue("bound", 0, 0);
	struct tracked items[5];
	unsigned int cpu, i;

	msleep(1);
	cpu = shim_cpu();
	queue_tracked(wq, items, 5, 20, 0);
	flush_workqueue(wq);
	KI_CHECK(different_workers(items, 5) == 1);
	for (i = 0; i < 5; i++)
		KI_CHECK(items[i].cpu == cpu);
	cpu = shim_cpu();
	queue_tracked(wq, items, 5, 5, 100);
	flush_workqueue(wq);
	KI_CHECK(different_workers(items, 5) == 5);
	for (i = 0; i < 5; i++)
		KI_CHECK(items[i].cpu == cpu);
	destroy_workqueue(wq);
	return 0;
}

/* Every worker that takes an item wakes the next: long items occupy as many CPUs as there are */
KI_SELFTEST(kernel_workqueue_unbound_spreads_over_the_cpus)
{
	struct workqueue_struct *wq = alloc_workqueue("spread", WQ_UNBOUND, 0);
	unsigned int workers = min(shim_nr_cpus, kparams.max_workers), i;
	struct tracked items[4];
	u64 began;

	msleep(1);
	began = shim_local_time();
	queue_tracked(wq, items, workers, 500, 0);
	flush_workqueue(wq);
	KI_CHECK(different_workers(items, workers) == workers);
	/* All but one at once: this thread has a CPU until it waits */
	for (i = 0; i < workers; i++)
		KI_CHECK(items[i].began < began + 50 * US);
	destroy_workqueue(wq);
	return 0;
}

KI_SELFTEST(kernel_workqueue_ordered_runs_one_after_the_other)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("ordered", 0);
	struct job jobs[5];
	unsigned int i;

	KI_CHECK(run_jobs(wq, jobs, 5, 50, 0) == 1);
	for (i = 1; i < 5; i++)
		KI_CHECK(jobs[i].began >= jobs[i - 1].ended);
	destroy_workqueue(wq);
	return 0;
}

KI_SELFTEST(kernel_workqueue_max_active_holds)
{
	struct workqueue_struct *wq = alloc_workqueue("two", WQ_UNBOUND, 2);
	struct job jobs[6];

	KI_CHECK(run_jobs(wq, jobs, 6, 50, 0) == 2);
	destroy_workqueue(wq);
	return 0;
}

KI_SELFTEST(kernel_work_is_pending_once_and_may_queue_itself_again)
{
	struct workqueue_struct *wq = alloc_workqueue("once", WQ_UNBOUND, 0);
	unsigned int running = 0, most = 0;
	struct job job = {.running = &running, .most = &most, .sleep_us = 100};

	INIT_WORK(&job.work, job_run);
	KI_CHECK(queue_work(wq, &job.work) && !queue_work(wq, &job.work));
	while (!READ_ONCE(running))
		usleep_range(1, 1);
	/* It runs: it may be queued again, and does not run on two workers */
	KI_CHECK(!work_pending(&job.work) && queue_work(wq, &job.work));
	KI_CHECK(flush_work(&job.work));
	KI_CHECK(job.runs == 2 && most == 1 && !flush_work(&job.work));
	destroy_workqueue(wq);
	return 0;
}

KI_SELFTEST(kernel_work_cancelled_does_not_run_or_has_ended)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("cancel", 0);
	unsigned int running = 0, most = 0;
	struct job first = {.running = &running, .most = &most, .sleep_us = 100}, second = first;

	INIT_WORK(&first.work, job_run);
	INIT_WORK(&second.work, job_run);
	queue_work(wq, &first.work);
	queue_work(wq, &second.work);
	usleep_range(30, 30);
	KI_CHECK(cancel_work_sync(&second.work) && second.runs == 0);
	KI_CHECK(!cancel_work_sync(&first.work) && first.runs == 1 && !running);
	destroy_workqueue(wq);
	return 0;
}

static void delayed_run(struct work_struct *work)
{
	served = (unsigned int)jiffies;
}

KI_SELFTEST(kernel_work_delayed_runs_after_its_delay)
{
	static DECLARE_DELAYED_WORK(work, delayed_run);
	unsigned int before = (unsigned int)jiffies;

	served = 0;
	KI_CHECK(schedule_delayed_work(&work, 3));
	msleep(10);
	KI_CHECK(!served);
	msleep(100);
	KI_CHECK(served - before >= 3 && served - before <= 5);
	KI_CHECK(schedule_delayed_work(&work, 100) && cancel_delayed_work_sync(&work));
	return 0;
}

/* ---- interrupts ------------------------------------------------------------------------------------ */

struct device_under_test {
	unsigned int hard, threaded;
	u64 fired_at, hard_at, thread_at;
	bool wrong_context;
	unsigned int thread_us;
};

static irqreturn_t hard_handler(int irq, void *data)
{
	struct device_under_test *dut = data;

	dut->hard++;
	dut->hard_at = shim_local_time();
	dut->wrong_context |= in_task() || !irqs_disabled();
	return IRQ_WAKE_THREAD;
}

static irqreturn_t thread_handler(int irq, void *data)
{
	struct device_under_test *dut = data;

	dut->thread_at = shim_local_time();
	dut->wrong_context |= !in_task() || irqs_disabled();
	usleep_range(dut->thread_us, dut->thread_us);
	dut->threaded++;
	return IRQ_HANDLED;
}

KI_SELFTEST(kernel_irq_hard_handler_then_thread)
{
	struct device_under_test dut = {.thread_us = 1};
	unsigned int virq = shim_virq(5);
	u64 at;

	KI_CHECK(!request_threaded_irq(virq, hard_handler, thread_handler, 0, "dut", &dut));
	KI_CHECK(request_threaded_irq(virq, hard_handler, NULL, 0, "dut", &dut) == -EBUSY);
	KI_CHECK(request_threaded_irq(shim_virq(6), NULL, thread_handler, 0, "dut", &dut) ==
		 -EINVAL);
	raise_line(5, 10000);
	at = shim_local_time() + 10 * US;
	msleep(1);
	KI_CHECK(dut.hard == 1 && dut.threaded == 1 && !dut.wrong_context);
	KI_CHECK(dut.hard_at + US >= at + kparams.irq_entry_ns * PS_PER_NS);
	KI_CHECK(dut.hard_at < at + 4 * US && dut.thread_at > dut.hard_at);
	free_irq(virq, &dut);
	raise_line(5, 10);
	msleep(1);
	KI_CHECK(dut.hard == 1);
	return 0;
}

/* Fires twice while the thread runs: one more run, not two, not none */
KI_SELFTEST(kernel_irq_oneshot_line_is_remembered_while_its_thread_runs)
{
	struct device_under_test dut = {.thread_us = 50};
	unsigned int virq = shim_virq(7);

	KI_CHECK(!request_threaded_irq(virq, NULL, thread_handler, IRQF_ONESHOT, "dut", &dut));
	raise_line(7, 0);
	usleep_range(20, 20);
	KI_CHECK(dut.threaded == 0);
	raise_line(7, 0);
	raise_line(7, 2000);
	synchronize_irq(virq);
	msleep(1);
	KI_CHECK(dut.threaded == 2);
	free_irq(virq, &dut);
	return 0;
}

KI_SELFTEST(kernel_irq_disabled_line_fires_when_enabled)
{
	struct device_under_test dut = {.thread_us = 1};
	unsigned int virq = shim_virq(8);

	KI_CHECK(!request_threaded_irq(virq, hard_handler, thread_handler, 0, "dut", &dut));
	disable_irq(virq);
	raise_line(8, 0);
	msleep(1);
	KI_CHECK(dut.hard == 0);
	enable_irq(virq);
	msleep(1);
	KI_CHECK(dut.hard == 1 && dut.threaded == 1);
	free_irq(virq, &dut);
	return 0;
}

static void spin_in_user_mode(void *arg)
{
	user_work(5 * MS);
}

/* CPUs busy with programs: the interrupt is taken in the middle of their work, its thread preempts one of them */
KI_SELFTEST(kernel_irq_thread_preempts_programs)
{
	struct device_under_test dut = {.thread_us = 1};
	unsigned int virq = shim_virq(9), i;
	int pids[4];
	u64 at;

	KI_CHECK(!request_threaded_irq(virq, hard_handler, thread_handler, 0, "dut", &dut));
	for (i = 0; i < shim_nr_cpus; i++)
		pids[i] = process_spawn("spinner", spin_in_user_mode, NULL);
	raise_line(9, 1000000);
	at = shim_local_time() + MS;
	for (i = 0; i < shim_nr_cpus; i++)
		KI_CHECK(process_wait(pids[i]) == 0);
	KI_CHECK(dut.threaded == 1 && dut.hard_at < at + 3 * US && dut.thread_at < at + 10 * US);
	free_irq(virq, &dut);
	return 0;
}

/* Interrupts off: it waits until they are on again */
KI_SELFTEST(kernel_irq_waits_while_interrupts_are_off)
{
	struct device_under_test dut = {.thread_us = 1};
	unsigned int line = 16 * shim_nr_cpus + shim_cpu(), virq = shim_virq(line);
	unsigned long flags;

	KI_CHECK(line < 64 || shim_nr_cpus == 4);
	line %= 64;
	virq = shim_virq(line);
	KI_CHECK(!request_threaded_irq(virq, hard_handler, thread_handler, 0, "dut", &dut));
	local_irq_save(flags);
	raise_line(line, 1000);
	udelay(20);
	if (line % shim_nr_cpus == shim_cpu())
		KI_CHECK(dut.hard == 0);
	local_irq_restore(flags);
	msleep(1);
	KI_CHECK(dut.hard == 1 && dut.threaded == 1);
	free_irq(virq, &dut);
	return 0;
}
