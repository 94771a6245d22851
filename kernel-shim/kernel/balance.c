/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * On which CPU a task is queued. When it wakes: its last one if that is idle, else the waker's if it is idle (an
 * interrupt), else an idle one of its node, else its last one. A new task: the CPU with the shortest queue, near ones first. A CPU
 * that becomes idle takes a waiting task from the longest queue; a tick on a busy one hands a task to an idle CPU, or
 * takes one from a queue that is longer by two, now and then.
 *
 * Not modelled: caches that tasks keep warm, loads by weight and by history, domains other than nodes, wake-ups that
 * pull a task to its waker.
 */
#include <linux/kernel.h>

#include "kernel.h"

#define BUSY_BALANCE_PS                                                                            \
	(16 * PS_PER_SEC / 1000) /* per CPU of the machine: the kernel's busy_factor ms */

static bool cpu_idle(const struct shim_cpu *cpu)
{
	return cpu->curr == cpu->idle && !run_queue_length(&cpu->rq);
}

static unsigned int cpu_load(const struct shim_cpu *cpu)
{
	return run_queue_length(&cpu->rq);
}

static struct shim_cpu *cpu_after(const struct shim_cpu *cpu, unsigned int steps)
{
	return &shim_cpus[(cpu->id + steps) % shim_nr_cpus];
}

/* ---- placing ---------------------------------------------------------------------------------------- */

/* The shortest queue, of those the nearest, then the next in number */
static struct shim_cpu *shortest_queue(struct shim_cpu *from)
{
	struct shim_cpu *best = from;
	unsigned int i;

	for (i = 1; i < shim_nr_cpus; i++) {
		struct shim_cpu *cpu = cpu_after(from, i);
		unsigned int load = cpu_load(cpu), least = cpu_load(best);

		if (load < least || (load == least && best != from && best->node != from->node &&
				     cpu->node == from->node))
			best = cpu;
	}
	return best;
}

static struct shim_cpu *idle_in_node(struct shim_cpu *from)
{
	unsigned int i;

	for (i = 1; i < shim_nr_cpus; i++) {
		struct shim_cpu *cpu = cpu_after(from, i);

		if (cpu->node == from->node && cpu_idle(cpu))
			return cpu;
	}
	return NULL;
}

static struct shim_cpu *place_fair(struct shim_cpu *last)
{
	struct shim_cpu *here = this_cpu(), *cpu;

	if (cpu_idle(last))
		return last;
	if (here && cpu_idle(here) && here->node == last->node)
		return here;
	cpu = idle_in_node(last);
	return cpu ? cpu : last;
}

/* Where it is, unless it would wait there for one that is at least as urgent */
static struct shim_cpu *place_rt(struct shim_cpu *last, int priority)
{
	unsigned int i;

	for (i = 0; i < shim_nr_cpus; i++) {
		struct shim_cpu *cpu = cpu_after(last, i);
		struct rt_entity *first = rt_first(&cpu->rq.rt);

		if (!first || first->priority < priority)
			return cpu;
	}
	return last;
}

struct shim_cpu *cpu_for_waking(struct task_struct *task)
{
	struct shim_sched *sched = sched_of(task);

	if (sched->bound)
		return sched->bound;
	if (sched->rt.priority)
		return place_rt(sched->cpu ? sched->cpu : &shim_cpus[0], sched->rt.priority);
	if (!sched->cpu)
		return shortest_queue(this_cpu() ? this_cpu() : &shim_cpus[0]);
	return place_fair(sched->cpu);
}

/* ---- moving ------------------------------------------------------------------------------------------- */

static struct shim_sched *sched_at(const struct fair_entity *entity)
{
	return container_of(entity, struct shim_sched, fair);
}

static bool may_move(const struct fair_entity *entity)
{
	return !sched_at(entity)->bound;
}

static unsigned int waiting(const struct shim_cpu *cpu)
{
	return cpu->curr == cpu->idle ? cpu_load(cpu) : cpu_load(cpu) - 1;
}

static bool move_one(struct shim_cpu *from, struct shim_cpu *to)
{
	struct fair_entity *entity = fair_movable(&from->rq.fair, may_move);

	if (!entity)
		return false;
	fair_dequeue(&from->rq.fair, entity, FAIR_MIGRATE);
	fair_enqueue(&to->rq.fair, entity, false);
	sched_at(entity)->cpu = to;
	kcounters.migrations++;
	return true;
}

/* The longest queue of waiting tasks that has one to give, own node first */
static bool pull(struct shim_cpu *to, unsigned int at_least)
{
	struct shim_cpu *longest = NULL;
	unsigned int i;

	for (i = 1; i < shim_nr_cpus; i++) {
		struct shim_cpu *cpu = cpu_after(to, i);
		unsigned int most = longest ? waiting(longest) : at_least - 1;
		bool nearer = longest && cpu->node == to->node && longest->node != to->node;

		if ((waiting(cpu) > most || (nearer && waiting(cpu) == most)) &&
		    fair_movable(&cpu->rq.fair, may_move))
			longest = cpu;
	}
	return longest && move_one(longest, to);
}

bool balance_idle(struct shim_cpu *cpu)
{
	return pull(cpu, 1);
}

static struct shim_cpu *any_idle(struct shim_cpu *from)
{
	unsigned int i;

	for (i = 1; i < shim_nr_cpus; i++)
		if (cpu_idle(cpu_after(from, i)))
			return cpu_after(from, i);
	return NULL;
}

void balance_tick(struct shim_cpu *cpu)
{
	struct shim_cpu *idle = waiting(cpu) ? any_idle(cpu) : NULL;

	if (idle && move_one(cpu, idle)) {
		sched_kick_idle(idle);
		return;
	}
	if (cpu->local < cpu->balance_at)
		return;
	cpu->balance_at = cpu->local + shim_nr_cpus * BUSY_BALANCE_PS;
	pull(cpu, waiting(cpu) + 2);
}
