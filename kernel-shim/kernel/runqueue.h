/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A CPU's run queue, by scheduling class: real-time tasks (rt.c) before fair ones (fair.c). sched.c decides when
 * to look at it, balance.c on which CPU's a task is queued.
 *
 * Times are in ps. Virtual time passes at the rate of real time for a task of nice 0, and more slowly the more a task weighs.
 */
#ifndef KERNEL_SHIM_KERNEL_RUNQUEUE_H
#define KERNEL_SHIM_KERNEL_RUNQUEUE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/* ---- fair class (fair.c) ------------------------------------------------------------------------ */

struct fair_entity {
	struct rb_node node; /* while it waits; the one that runs is not in the tree */
	s64 vruntime;	     /* virtual time that it has had */
	s64 deadline;	  /* when it will have had its slice; relative to vruntime if `relative` */
	s64 min_vruntime; /* of its subtree */
	s64 lag;	  /* what it was owed, in virtual time, when it left the queue */
	s64 weight;
	bool queued;	/* it counts, waiting or running */
	bool delayed;	/* it sleeps, but stays until it has made up for what it had too much */
	bool relative;	/* it moves between queues with what is left of its slice */
	bool protected; /* it runs, and has not had its slice since it was chosen */
};

struct fair_queue {
	struct rb_root_cached waiting; /* by deadline */
	struct fair_entity *curr;
	/* The average virtual time, by weight: sums over what waits, relative to `zero` to stay small */
	s64 zero, sum, load;
	unsigned int nr, nr_delayed; /* nr counts the delayed, too */
};

enum fair_leave {
	FAIR_SLEEP,   /* it may stay for a while, delayed */
	FAIR_MIGRATE, /* to another queue */
	FAIR_END,
};

/* What it costs to be nice: a task of this weight gets 1024th of a nice-0 task's time */
s64 fair_weight(int nice);
void fair_entity_init(struct fair_entity *entity, int nice);
/* `fresh`: a new task, which begins with half a slice */
void fair_enqueue(struct fair_queue *queue, struct fair_entity *entity, bool fresh);
void fair_dequeue(struct fair_queue *queue, struct fair_entity *entity, enum fair_leave why);
/* A delayed entity wakes where it is */
void fair_wake_delayed(struct fair_queue *queue, struct fair_entity *entity);
/* The one to run: curr, one that waits, or NULL. Delayed ones that come up leave the queue */
struct fair_entity *fair_pick(struct fair_queue *queue);
void fair_set_curr(struct fair_queue *queue, struct fair_entity *entity);
void fair_put_curr(struct fair_queue *queue);
/* curr has run for `ps`. True if its slice is over and others wait */
bool fair_account(struct fair_queue *queue, u64 ps);
/* How long curr may still run in its slice */
u64 fair_slice_left(const struct fair_queue *queue);
/* `entity`, which has just been queued, goes before curr */
bool fair_preempts(struct fair_queue *queue, const struct fair_entity *entity);
/* curr gives up the rest of its slice */
void fair_yield(struct fair_queue *queue);
void fair_renice(struct fair_queue *queue, struct fair_entity *entity, int nice);
/* One that could move to another queue: the waiting one with the earliest deadline for which may_move() is true */
struct fair_entity *fair_movable(struct fair_queue *queue,
				 bool (*may_move)(const struct fair_entity *entity));
u64 fair_slice_ps(void);

/* ---- real-time class (rt.c) ----------------------------------------------------------------------- */

struct rt_entity {
	struct list_head node; /* while it is runnable, running or not */
	int priority;	       /* 1 … 99, higher first; 0: not of this class */
};

struct rt_queue {
	struct list_head tasks; /* by priority, first in first out within one */
	unsigned int nr;
};

void rt_queue_init(struct rt_queue *queue);
void rt_enqueue(struct rt_queue *queue, struct rt_entity *entity);
void rt_dequeue(struct rt_queue *queue, struct rt_entity *entity);
struct rt_entity *rt_first(struct rt_queue *queue);
/* To the end of its priority */
void rt_yield(struct rt_queue *queue, struct rt_entity *entity);

/* ---- both ------------------------------------------------------------------------------------------ */

struct run_queue {
	struct rt_queue rt;
	struct fair_queue fair;
};

static inline unsigned int run_queue_length(const struct run_queue *rq)
{
	return rq->rt.nr + rq->fair.nr - rq->fair.nr_delayed;
}

#endif
