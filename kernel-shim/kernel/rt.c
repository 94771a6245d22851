/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The real-time scheduling class, SCHED_FIFO: the highest priority runs until it sleeps or yields, equals in the order
 * in which they became runnable. The threads of interrupts are of this class, with priority 50.
 *
 * Not modelled: SCHED_RR, throttling, moving real-time tasks away from a CPU after they were queued there.
 */
#include "runqueue.h"

void rt_queue_init(struct rt_queue *queue)
{
	INIT_LIST_HEAD(&queue->tasks);
	queue->nr = 0;
}

/* Behind all of its priority */
static void insert(struct rt_queue *queue, struct rt_entity *entity)
{
	struct rt_entity *other;

	list_for_each_entry(other, &queue->tasks, node)
	{
		if (other->priority < entity->priority)
			break;
	}
	list_add_tail(&entity->node, &other->node);
}

void rt_enqueue(struct rt_queue *queue, struct rt_entity *entity)
{
	insert(queue, entity);
	queue->nr++;
}

void rt_dequeue(struct rt_queue *queue, struct rt_entity *entity)
{
	list_del_init(&entity->node);
	queue->nr--;
}

struct rt_entity *rt_first(struct rt_queue *queue)
{
	return list_first_entry_or_null(&queue->tasks, struct rt_entity, node);
}

void rt_yield(struct rt_queue *queue, struct rt_entity *entity)
{
	list_del(&entity->node);
	insert(queue, entity);
}
