/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fair scheduling class: Earliest Eligible Virtual Deadline First, with the policies of Linux 6.12. A task is
 * eligible if it has had no more than the average (by weight) virtual time; of the eligible ones the earliest deadline runs,
 * until its slice is over or it has had more than its share (RUN_TO_PARITY). A task that sleeps keeps what it is owed
 * (PLACE_LAG); one that has had too much stays queued until the others have caught up, and owes nothing from then on
 * (DELAY_DEQUEUE, DELAY_ZERO). A new task begins with half a slice (PLACE_DEADLINE_INITIAL).
 *
 * Not modelled: groups, slices per task, SCHED_BATCH and SCHED_IDLE, buddies, the deadline server that guards this class
 * against the real-time one.
 *
 * Products of a weight and a virtual time fit 64 bits: entities are within some slices of the average, 2^34 ps for
 * nice 0, and hundreds of them weigh 2^20.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/rbtree_augmented.h>
#include <linux/sched/prio.h>

#include "kernel.h"

#define NICE_0_WEIGHT 1024

/* The kernel's own weights, from nice -20 on: a step is about 25 % */
static const s64 weights[NICE_WIDTH] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548,  7620,  6100,  4904,  3906,  3121,  2501,	 1991,	1586,  1277,
	1024,  820,   655,   526,   423,   335,	  272,	 215,	172,   137,
	110,   87,    70,    56,    45,	   36,	  29,	 23,	18,    15,
};

s64 fair_weight(int nice)
{
	return weights[nice - MIN_NICE];
}

void fair_entity_init(struct fair_entity *entity, int nice)
{
	*entity = (struct fair_entity){.weight = fair_weight(nice)};
	RB_CLEAR_NODE(&entity->node);
}

/* kernel.timeslice_us is a big machine's: the kernel scales a quarter of it by 1 + log2(CPUs), of 8 at most */
u64 fair_slice_ps(void)
{
	u64 quarters = 1 + ilog2(min(shim_nr_cpus, 8u));

	return kparams.timeslice_us * 1000 * PS_PER_NS * quarters / 4;
}

static s64 to_virtual(u64 ps, s64 weight)
{
	return weight == NICE_0_WEIGHT ? (s64)ps : (s64)ps * NICE_0_WEIGHT / weight;
}

static s64 virtual_slice(const struct fair_entity *entity)
{
	return to_virtual(fair_slice_ps(), entity->weight);
}

/* ---- the average ------------------------------------------------------------------------------------ */

static s64 key(const struct fair_queue *queue, const struct fair_entity *entity)
{
	return entity->vruntime - queue->zero;
}

static void sums(const struct fair_queue *queue, s64 *sum, s64 *load)
{
	const struct fair_entity *curr = queue->curr;

	*sum = queue->sum;
	*load = queue->load;
	if (curr && curr->queued) {
		*sum += curr->weight * key(queue, curr);
		*load += curr->weight;
	}
}

static s64 average(struct fair_queue *queue)
{
	s64 sum, load, delta;

	sums(queue, &sum, &load);
	if (!load)
		return queue->zero;
	delta = sum / load - (sum % load < 0); /* rounded down */
	queue->zero += delta;
	queue->sum -= delta * queue->load;
	return queue->zero;
}

static bool eligible_at(const struct fair_queue *queue, s64 vruntime)
{
	s64 sum, load;

	sums(queue, &sum, &load);
	return sum >= (vruntime - queue->zero) * load;
}

static bool eligible(const struct fair_queue *queue, const struct fair_entity *entity)
{
	return eligible_at(queue, entity->vruntime);
}

/* ---- the tree ---------------------------------------------------------------------------------------- */

static struct fair_entity *entity_at(const struct rb_node *node)
{
	return rb_entry(node, struct fair_entity, node);
}

static bool deadline_before(struct rb_node *left, const struct rb_node *right)
{
	return entity_at(left)->deadline < entity_at(right)->deadline;
}

static bool min_vruntime_update(struct fair_entity *entity, bool exit)
{
	const struct rb_node *left = entity->node.rb_left, *right = entity->node.rb_right;
	s64 before = entity->min_vruntime, min = entity->vruntime;

	if (left)
		min = min(min, entity_at(left)->min_vruntime);
	if (right)
		min = min(min, entity_at(right)->min_vruntime);
	entity->min_vruntime = min;
	return exit && min == before;
}

RB_DECLARE_CALLBACKS(static, min_vruntime_callbacks, struct fair_entity, node, min_vruntime,
		     min_vruntime_update);

static void insert(struct fair_queue *queue, struct fair_entity *entity)
{
	unsigned int blocks = untimed_begin();

	queue->sum += entity->weight * key(queue, entity);
	queue->load += entity->weight;
	entity->min_vruntime = entity->vruntime;
	rb_add_augmented_cached(&entity->node, &queue->waiting, deadline_before,
				&min_vruntime_callbacks);
	untimed_end(blocks);
}

static void take_out(struct fair_queue *queue, struct fair_entity *entity)
{
	unsigned int blocks = untimed_begin();

	rb_erase_augmented_cached(&entity->node, &queue->waiting, &min_vruntime_callbacks);
	RB_CLEAR_NODE(&entity->node);
	queue->sum -= entity->weight * key(queue, entity);
	queue->load -= entity->weight;
	untimed_end(blocks);
}

/* ---- joining and leaving ------------------------------------------------------------------------------ */

static s64 lag_of(struct fair_queue *queue, const struct fair_entity *entity)
{
	s64 limit =
		to_virtual(max(2 * fair_slice_ps(), PS_PER_SEC / kparams.tick_hz), entity->weight);

	return clamp(average(queue) - entity->vruntime, -limit, limit);
}

/*
 * The entity's own weight moves the average towards it: the lag that it brings is inflated so that what it has
 * afterwards is what it had.
 */
static void place(struct fair_queue *queue, struct fair_entity *entity, bool fresh)
{
	s64 at = average(queue), lag = 0, sum, load;

	sums(queue, &sum, &load);
	if (load)
		lag = entity->lag + entity->lag * entity->weight / load;
	entity->vruntime = at - lag;
	if (entity->relative)
		entity->deadline += entity->vruntime;
	else
		entity->deadline = entity->vruntime + virtual_slice(entity) / (fresh ? 2 : 1);
	entity->relative = false;
}

void fair_enqueue(struct fair_queue *queue, struct fair_entity *entity, bool fresh)
{
	place(queue, entity, fresh);
	insert(queue, entity);
	entity->queued = true;
	queue->nr++;
}

static void leave(struct fair_queue *queue, struct fair_entity *entity)
{
	entity->lag = lag_of(queue, entity);
	if (entity != queue->curr)
		take_out(queue, entity);
	entity->queued = false;
	queue->nr--;
}

static void end_delay(struct fair_queue *queue, struct fair_entity *entity)
{
	entity->delayed = false;
	queue->nr_delayed--;
}

void fair_dequeue(struct fair_queue *queue, struct fair_entity *entity, enum fair_leave why)
{
	if (why == FAIR_SLEEP && !eligible(queue, entity)) {
		entity->delayed = true;
		queue->nr_delayed++;
		return;
	}
	leave(queue, entity);
	if (why == FAIR_MIGRATE) {
		entity->deadline -= entity->vruntime;
		entity->relative = true;
	}
}

void fair_wake_delayed(struct fair_queue *queue, struct fair_entity *entity)
{
	end_delay(queue, entity);
	if (lag_of(queue, entity) <= 0)
		return;
	leave(queue, entity);
	entity->lag = 0;
	fair_enqueue(queue, entity, false);
}

/* ---- choosing ------------------------------------------------------------------------------------------- */

/* Every subtree knows its smallest virtual time, so that the way to the earliest eligible deadline is one descent */
static struct fair_entity *earliest_eligible(const struct fair_queue *queue)
{
	struct rb_node *node = queue->waiting.rb_root.rb_node;

	while (node) {
		struct rb_node *left = node->rb_left;

		if (left && eligible_at(queue, entity_at(left)->min_vruntime))
			node = left;
		else if (eligible(queue, entity_at(node)))
			return entity_at(node);
		else
			node = node->rb_right;
	}
	return NULL;
}

static struct fair_entity *choose(const struct fair_queue *queue)
{
	struct fair_entity *curr = queue->curr, *best;

	if (curr && !curr->queued)
		curr = NULL;
	if (curr && queue->nr > 1 && !eligible(queue, curr))
		curr = NULL;
	if (curr && (queue->nr == 1 || curr->protected))
		return curr;
	best = earliest_eligible(queue);
	return !best || (curr && curr->deadline < best->deadline) ? curr : best;
}

struct fair_entity *fair_pick(struct fair_queue *queue)
{
	struct fair_entity *entity;

	while ((entity = choose(queue)) && entity->delayed) {
		leave(queue, entity);
		end_delay(queue, entity);
		entity->lag = min_t(s64, entity->lag, 0);
	}
	return entity;
}

bool fair_preempts(struct fair_queue *queue, const struct fair_entity *entity)
{
	return choose(queue) == entity;
}

/* ---- running ------------------------------------------------------------------------------------------------ */

void fair_set_curr(struct fair_queue *queue, struct fair_entity *entity)
{
	take_out(queue, entity);
	entity->protected = true;
	queue->curr = entity;
}

void fair_put_curr(struct fair_queue *queue)
{
	struct fair_entity *curr = queue->curr;

	queue->curr = NULL;
	if (curr->queued)
		insert(queue, curr);
}

static void next_slice(struct fair_queue *queue, struct fair_entity *entity)
{
	entity->deadline = entity->vruntime + virtual_slice(entity);
	entity->protected = false;
	average(queue); /* keeps `zero` close */
}

bool fair_account(struct fair_queue *queue, u64 ps)
{
	struct fair_entity *curr = queue->curr;

	curr->vruntime += to_virtual(ps, curr->weight);
	if (curr->vruntime < curr->deadline)
		return false;
	next_slice(queue, curr);
	return queue->nr > 1;
}

u64 fair_slice_left(const struct fair_queue *queue)
{
	const struct fair_entity *curr = queue->curr;
	s64 left = curr->deadline - curr->vruntime;

	return left > 0 ? (u64)DIV_ROUND_UP(left * curr->weight, NICE_0_WEIGHT) : 0;
}

void fair_yield(struct fair_queue *queue)
{
	struct fair_entity *curr = queue->curr;

	if (queue->nr == 1 || !eligible(queue, curr))
		return;
	curr->vruntime = curr->deadline;
	next_slice(queue, curr);
}

/* ---- the rest ------------------------------------------------------------------------------------------------ */

/* What it is owed, and what is left of its slice, stay the same in real time */
void fair_renice(struct fair_queue *queue, struct fair_entity *entity, int nice)
{
	s64 before = entity->weight, after = fair_weight(nice);
	bool queued = entity->queued, running = queued && queue->curr == entity;

	if (queued) {
		leave(queue, entity);
		entity->deadline -= entity->vruntime;
		entity->relative = true;
	}
	entity->weight = after;
	entity->lag = entity->lag * before / after;
	if (entity->relative)
		entity->deadline = entity->deadline * before / after;
	if (!queued)
		return;
	place(queue, entity, false);
	if (!running)
		insert(queue, entity);
	entity->queued = true;
	queue->nr++;
}

struct fair_entity *fair_movable(struct fair_queue *queue,
				 bool (*may_move)(const struct fair_entity *entity))
{
	struct fair_entity *found = NULL;
	struct rb_node *node;
	unsigned int blocks = untimed_begin();

	for (node = rb_first_cached(&queue->waiting); node && !found; node = rb_next(node))
		if (!entity_at(node)->delayed && may_move(entity_at(node)))
			found = entity_at(node);
	untimed_end(blocks);
	return found;
}
