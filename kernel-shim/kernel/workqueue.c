/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Workqueues: items are executed by kernel worker threads of two kinds of pools, by the kernel's rules. A pool with items
 * and no running worker needs one more: its idle worker of last is woken, which is idle until it runs. A pool of a CPU,
 * whose workers are bound to it, counts its running workers, so that the next begins when one blocks; of the unbound pool none is
 * counted, so that every item queued wakes a worker, and every worker that takes an item wakes the next. A worker that takes
 * the last idle one's place first makes another. The unbound pool has kparams.max_workers at most. max_active and
 * ordering hold per workqueue; an item never runs on two workers at once.
 *
 * Not modelled: rescuers, priorities, freezing, CPU-intensive detection, workers that go after a while, pools per node or cache.
 */
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "kernel.h"

#define MAX_WORKQUEUES 4096
/* While an item is queued, its data word holds the workqueue's number and the flush colour beside the kernel's bits */
#define DATA_WQ_SHIFT	  8
#define DATA_COLOUR_SHIFT 4
#define DATA_ACTIVE	  BIT(5) /* counted in nr_active */

struct pool {
	unsigned int id;
	bool unbound;
	struct list_head works; /* work_struct.entry */
	struct list_head idle;
	unsigned int nr_idle, nr_workers;
	unsigned int nr_running; /* of a CPU's: at work and not blocked */
};

struct worker {
	struct list_head node; /* pool's idle list */
	struct list_head busy; /* all that execute something */
	struct pool *pool;
	struct task_struct *task;
	struct work_struct
		*work; /* being executed; may be freed by its own function: compared only */
	struct workqueue_struct *wq;
	unsigned int colour;
	bool counted;  /* in nr_running, unless it sleeps */
	bool sleeping; /* blocked in an item */
};

struct workqueue_struct {
	unsigned int number;
	unsigned int flags;
	bool permanent;
	int max_active, nr_active;
	struct list_head inactive; /* works over max_active */
	unsigned int colour;
	unsigned int in_flight[2]; /* queued or executing, by colour */
	struct mutex flush_mutex;
	wait_queue_head_t drained;
	char name[32];
};

struct flusher {
	struct list_head node;
	struct work_struct *work;
	bool started; /* the instance it waits for is being executed */
	struct completion done;
};

static struct pool cpu_pools[SHIM_MAX_CPUS];
static struct pool unbound_pool;
static struct workqueue_struct *workqueues[MAX_WORKQUEUES];
static LIST_HEAD(busy_workers);
static LIST_HEAD(flushers);
static bool online;

struct workqueue_struct *system_wq, *system_percpu_wq, *system_highpri_wq, *system_long_wq;
struct workqueue_struct *system_unbound_wq, *system_dfl_wq, *system_freezable_wq;
struct workqueue_struct *system_power_efficient_wq, *system_freezable_power_efficient_wq;

/* ---- an item's data word ----------------------------------------------------------------------------------- */

static unsigned long *data_of(struct work_struct *work)
{
	return (unsigned long *)&work->data;
}

static struct workqueue_struct *wq_of(struct work_struct *work)
{
	return workqueues[*data_of(work) >> DATA_WQ_SHIFT];
}

static unsigned int colour_of(struct work_struct *work)
{
	return (*data_of(work) >> DATA_COLOUR_SHIFT) & 1;
}

static struct worker *worker_executing(struct work_struct *work)
{
	struct worker *worker;

	list_for_each_entry(worker, &busy_workers, busy) if (worker->work == work) return worker;
	return NULL;
}

/* ---- pools ---------------------------------------------------------------------------------------------------- */

static int worker_main(void *arg);

static unsigned int max_workers(const struct pool *pool)
{
	unsigned int limit = kparams.max_workers ? kparams.max_workers : 1;

	/* A CPU's pool needs one worker per item that is blocked */
	return pool->unbound ? limit : 512;
}

static struct worker *worker_create(struct pool *pool)
{
	struct worker *worker = kzalloc(sizeof(*worker), GFP_KERNEL);

	if (!worker)
		return NULL;
	worker->pool = pool;
	INIT_LIST_HEAD(&worker->busy);
	if (pool->unbound)
		worker->task =
			kthread_create(worker_main, worker, "kworker/u:%u", pool->nr_workers);
	else
		worker->task = kthread_create(worker_main, worker, "kworker/%u:%u", pool->id,
					      pool->nr_workers);
	if (IS_ERR(worker->task)) {
		kfree(worker);
		return NULL;
	}
	if (!pool->unbound)
		sched_bind(worker->task, pool->id);
	sched_of(worker->task)->worker = worker;
	shim_mm_keep(worker);
	shim_mm_keep(container_of(worker->task, struct kernel_task, shim.task));
	list_add_tail(&worker->node, &pool->idle);
	pool->nr_idle++;
	pool->nr_workers++;
	return worker;
}

static bool need_more_worker(const struct pool *pool)
{
	return online && !list_empty(&pool->works) && !pool->nr_running;
}

/* Last in, first out: its cache is warm, and few threads serve a light load. One that was woken already is still the first */
static void pool_kick(struct pool *pool)
{
	if (need_more_worker(pool) && !list_empty(&pool->idle))
		wake_up_process(list_first_entry(&pool->idle, struct worker, node)->task);
}

static void count(struct worker *worker, bool counted)
{
	if (worker->pool->unbound || worker->counted == counted)
		return;
	worker->counted = counted;
	worker->pool->nr_running += counted ? 1 : -1;
}

void worker_sleeping(struct worker *worker)
{
	if (!worker->counted || worker->sleeping)
		return;
	worker->sleeping = true;
	worker->pool->nr_running--;
	pool_kick(worker->pool);
}

void worker_running(struct worker *worker)
{
	if (!worker->sleeping)
		return;
	worker->sleeping = false;
	worker->pool->nr_running++;
}

static struct work_struct *next_work(struct pool *pool)
{
	struct work_struct *work;

	if (pool->nr_running > 1)
		return NULL;
	list_for_each_entry(work, &pool->works, entry) if (!worker_executing(work)) return work;
	return NULL;
}

/* ---- executing ---------------------------------------------------------------------------------------------------- */

static void activate(struct workqueue_struct *wq, struct work_struct *work);

static void activate_next(struct workqueue_struct *wq)
{
	struct work_struct *work;

	if (list_empty(&wq->inactive) || wq->nr_active >= wq->max_active)
		return;
	work = list_first_entry(&wq->inactive, struct work_struct, entry);
	list_del_init(&work->entry);
	activate(wq, work);
}

static void instance_ended(struct workqueue_struct *wq, unsigned int colour, bool active)
{
	if (active)
		wq->nr_active--;
	activate_next(wq);
	if (!--wq->in_flight[colour])
		wake_up_all(&wq->drained);
}

static void flushers_started(struct work_struct *work)
{
	struct flusher *flusher;

	list_for_each_entry(flusher, &flushers, node) if (flusher->work == work) flusher->started =
		true;
}

static void flushers_finished(struct work_struct *work)
{
	struct flusher *flusher, *next;

	list_for_each_entry_safe(flusher, next, &flushers, node)
	{
		if (flusher->work != work || !flusher->started)
			continue;
		list_del(&flusher->node);
		complete(&flusher->done);
	}
}

static void execute(struct worker *worker, struct work_struct *work)
{
	struct workqueue_struct *wq = wq_of(work);
	unsigned int colour = colour_of(work);
	work_func_t func = work->func;

	worker->work = work;
	worker->wq = wq;
	list_add_tail(&worker->busy, &busy_workers);
	flushers_started(work);
	/* From here on it may be queued again, by its own function too */
	atomic_long_set(&work->data, WORK_STRUCT_NO_POOL);
	fault_probe_work_begins(func);
	func(work);
	fault_probe_work_ended();
	kcounters.works_executed++;
	worker->work = NULL;
	list_del_init(&worker->busy);
	flushers_finished(work);
	instance_ended(wq, colour, true);
	cond_resched();
}

static void worker_go_idle(struct worker *worker)
{
	struct pool *pool = worker->pool;

	list_add(&worker->node, &pool->idle);
	pool->nr_idle++;
	set_current_state(TASK_IDLE);
	schedule();
	list_del_init(&worker->node);
	pool->nr_idle--;
}

/* One idle worker stays, for when this one blocks. Creating may block: look again */
static bool replacement_made(struct pool *pool)
{
	if (pool->nr_idle || pool->nr_workers >= max_workers(pool))
		return false;
	return worker_create(pool) != NULL;
}

static void work_until_done(struct worker *worker)
{
	struct pool *pool = worker->pool;
	struct work_struct *work;

	count(worker, true);
	while ((work = next_work(pool))) {
		list_del_init(&work->entry);
		pool_kick(pool);
		execute(worker, work);
	}
	count(worker, false);
}

static int worker_main(void *arg)
{
	struct worker *worker = arg;
	struct pool *pool = worker->pool;

	current->flags |= PF_WQ_WORKER;
	list_del_init(&worker->node);
	pool->nr_idle--;
	for (;;) {
		if (need_more_worker(pool) && next_work(pool)) {
			if (!replacement_made(pool))
				work_until_done(worker);
			continue;
		}
		worker_go_idle(worker);
	}
	return 0;
}

/* ---- queueing ------------------------------------------------------------------------------------------------------- */

static void activate(struct workqueue_struct *wq, struct work_struct *work)
{
	struct pool *pool = wq->flags & WQ_UNBOUND ? &unbound_pool : &cpu_pools[shim_cpu()];
	struct worker *worker = worker_executing(work);

	/* An item that is being executed goes behind itself in the same pool */
	if (worker)
		pool = worker->pool;
	wq->nr_active++;
	*data_of(work) |= DATA_ACTIVE;
	list_add_tail(&work->entry, &pool->works);
	pool_kick(pool);
}

/* The caller owns the pending bit */
static void insert(struct workqueue_struct *wq, struct work_struct *work)
{
	INIT_LIST_HEAD(&work->entry);
	*data_of(work) = (unsigned long)wq->number << DATA_WQ_SHIFT |
			 (unsigned long)wq->colour << DATA_COLOUR_SHIFT | WORK_STRUCT_PENDING;
	wq->in_flight[wq->colour]++;
	if (wq->nr_active < wq->max_active)
		activate(wq, work);
	else
		list_add_tail(&work->entry, &wq->inactive);
}

static bool claim(struct work_struct *work)
{
	return !test_and_set_bit(WORK_STRUCT_PENDING_BIT, data_of(work));
}

bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *work)
{
	if (!claim(work))
		return false;
	/* A worker of another CPU may take it at once: not before it is queued, in simulated time */
	shim_charge_ns(kparams.workqueue_ns);
	shim_sync();
	fault_probe_work_queued(work);
	insert(wq, work);
	return true;
}

bool queue_work_node(int node, struct workqueue_struct *wq, struct work_struct *work)
{
	return queue_work_on(WORK_CPU_UNBOUND, wq, work);
}

void delayed_work_timer_fn(struct timer_list *timer)
{
	struct delayed_work *dwork = from_timer(dwork, timer, timer);

	insert(dwork->wq, &dwork->work);
}

static void insert_delayed(struct workqueue_struct *wq, struct delayed_work *dwork,
			   unsigned long delay)
{
	if (!delay) {
		insert(wq, &dwork->work);
		return;
	}
	dwork->wq = wq;
	INIT_LIST_HEAD(&dwork->work.entry);
	mod_timer(&dwork->timer, jiffies + delay);
}

bool queue_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *dwork,
			   unsigned long delay)
{
	if (!claim(&dwork->work))
		return false;
	insert_delayed(wq, dwork, delay);
	return true;
}

/* Takes the pending bit from a queued item. True if it was queued */
static bool grab(struct work_struct *work)
{
	struct workqueue_struct *wq;

	if (claim(work))
		return false;
	if (list_empty(&work->entry))
		return false; /* somebody else cancels it */
	wq = wq_of(work);
	list_del_init(&work->entry);
	flushers_started(work);
	flushers_finished(work);
	instance_ended(wq, colour_of(work), *data_of(work) & DATA_ACTIVE);
	return true;
}

bool mod_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *dwork,
			 unsigned long delay)
{
	bool pending = timer_delete(&dwork->timer) || grab(&dwork->work);

	insert_delayed(wq, dwork, delay);
	return pending;
}

static void rcu_work_fn(struct rcu_head *head)
{
	struct rcu_work *rwork = container_of(head, struct rcu_work, rcu);

	insert(rwork->wq, &rwork->work);
}

bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *rwork)
{
	if (!claim(&rwork->work))
		return false;
	rwork->wq = wq;
	call_rcu(&rwork->rcu, rcu_work_fn);
	return true;
}

/* ---- waiting and cancelling -------------------------------------------------------------------------------------------- */

static bool wait_for_instance(struct work_struct *work, bool pending)
{
	struct flusher flusher = {.work = work, .started = !pending};

	if (!pending && !worker_executing(work))
		return false;
	init_completion(&flusher.done);
	list_add_tail(&flusher.node, &flushers);
	wait_for_completion(&flusher.done);
	return true;
}

bool flush_work(struct work_struct *work)
{
	return wait_for_instance(work, work_pending(work));
}

bool flush_delayed_work(struct delayed_work *dwork)
{
	if (timer_delete(&dwork->timer))
		insert(dwork->wq, &dwork->work);
	return flush_work(&dwork->work);
}

bool flush_rcu_work(struct rcu_work *rwork)
{
	if (work_pending(&rwork->work))
		rcu_barrier();
	return flush_work(&rwork->work);
}

static void release(struct work_struct *work)
{
	atomic_long_set(&work->data, WORK_STRUCT_NO_POOL);
}

bool cancel_work(struct work_struct *work)
{
	bool pending = work_pending(work) && grab(work);

	if (pending)
		release(work);
	return pending;
}

bool cancel_work_sync(struct work_struct *work)
{
	bool pending = cancel_work(work);

	wait_for_instance(work, false);
	return pending;
}

bool cancel_delayed_work(struct delayed_work *dwork)
{
	if (timer_delete(&dwork->timer)) {
		release(&dwork->work);
		return true;
	}
	return cancel_work(&dwork->work);
}

bool cancel_delayed_work_sync(struct delayed_work *dwork)
{
	bool pending = cancel_delayed_work(dwork);

	wait_for_instance(&dwork->work, false);
	return pending;
}

void __flush_workqueue(struct workqueue_struct *wq)
{
	unsigned int colour;

	mutex_lock(&wq->flush_mutex);
	colour = wq->colour;
	wq->colour = !colour;
	wait_event(wq->drained, !wq->in_flight[colour]);
	mutex_unlock(&wq->flush_mutex);
}

void drain_workqueue(struct workqueue_struct *wq)
{
	while (wq->in_flight[0] || wq->in_flight[1])
		__flush_workqueue(wq);
}

void __warn_flushing_systemwide_wq(void)
{
}

struct work_struct *current_work(void)
{
	struct worker *worker = sched_of(current)->worker;

	return worker ? worker->work : NULL;
}

unsigned int work_busy(struct work_struct *work)
{
	return (work_pending(work) ? WORK_BUSY_PENDING : 0) |
	       (worker_executing(work) ? WORK_BUSY_RUNNING : 0);
}

/* ---- workqueues ---------------------------------------------------------------------------------------------------------- */

struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...)
{
	struct workqueue_struct *wq;
	unsigned int number;
	va_list args;

	for (number = 0; number < MAX_WORKQUEUES && workqueues[number]; number++)
		;
	wq = number < MAX_WORKQUEUES ? kzalloc(sizeof(*wq), GFP_KERNEL) : NULL;
	if (!wq)
		return NULL;
	wq->number = number;
	wq->flags = flags;
	wq->max_active = max_active ? max_active : WQ_DFL_ACTIVE;
	INIT_LIST_HEAD(&wq->inactive);
	mutex_init(&wq->flush_mutex);
	init_waitqueue_head(&wq->drained);
	va_start(args, max_active);
	vsnprintf(wq->name, sizeof(wq->name), fmt, args);
	va_end(args);
	workqueues[number] = wq;
	return wq;
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	drain_workqueue(wq);
	workqueues[wq->number] = NULL;
	kfree(wq);
}

void workqueue_set_max_active(struct workqueue_struct *wq, int max_active)
{
	wq->max_active = max_active;
	activate_next(wq);
}

void workqueue_set_min_active(struct workqueue_struct *wq, int min_active)
{
}

static void pool_init(struct pool *pool, unsigned int id, bool unbound)
{
	pool->id = id;
	pool->unbound = unbound;
	INIT_LIST_HEAD(&pool->works);
	INIT_LIST_HEAD(&pool->idle);
	worker_create(pool);
}

void workqueues_init(void)
{
	unsigned int i;

	for (i = 0; i < shim_nr_cpus; i++)
		pool_init(&cpu_pools[i], i, false);
	pool_init(&unbound_pool, 0, true);
	online = true;
	system_wq = alloc_workqueue("events", 0, 0);
	system_percpu_wq = system_wq;
	system_highpri_wq = alloc_workqueue("events_highpri", WQ_HIGHPRI, 0);
	system_long_wq = alloc_workqueue("events_long", 0, 0);
	system_unbound_wq = alloc_workqueue("events_unbound", WQ_UNBOUND, 0);
	system_dfl_wq = system_unbound_wq;
	system_freezable_wq = system_wq;
	system_power_efficient_wq = system_unbound_wq;
	system_freezable_power_efficient_wq = system_unbound_wq;
}

void workqueues_baseline(void)
{
	unsigned int i;

	for (i = 0; i < MAX_WORKQUEUES; i++)
		if (workqueues[i])
			workqueues[i]->permanent = true;
}

/* The kernel's own workqueues stay; a driver's or an iopf queue's must be gone */
int workqueues_check_leaks(void)
{
	unsigned int i;
	int leaks = 0;

	for (i = 0; i < MAX_WORKQUEUES; i++) {
		struct workqueue_struct *wq = workqueues[i];

		if (!wq || wq->permanent)
			continue;
		shim_leak("workqueue %s was not destroyed", wq->name);
		leaks++;
	}
	return leaks;
}
