/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rest of machine_ops: time, host threads, timers, the console, and the end of everything.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/platform/host.h"
#include "sim/platform/platform.h"

static int console_level;
static volatile sig_atomic_t interrupted;
static char panic_reason[256];

static ki_u64 host_now(void)
{
	return sim_now();
}

static void *host_thread_start(const char *name, void (*fn)(void *arg), void *arg)
{
	return sim_thread_start(name, fn, arg);
}

static void *host_thread_self(void)
{
	return sim_thread_self();
}

/* Every simulated thread comes by here again and again: a run that was interrupted ends here. */
static void host_thread_block(void)
{
	if (interrupted)
		sim_stop();
	sim_thread_block();
}

static int host_thread_block_until(ki_u64 when)
{
	if (interrupted)
		sim_stop();
	return sim_thread_block_until(when);
}

static void host_thread_wake(void *thread)
{
	sim_thread_wake(thread);
}

static void *host_timer_new(void (*fn)(void *arg), void *arg)
{
	struct sim_event *event = malloc(sizeof(*event));

	if (!event)
		abort();
	sim_event_init(event, fn, arg);
	return event;
}

static void host_timer_set(void *timer, ki_u64 when)
{
	sim_event_at(timer, when);
}

static void host_timer_cancel(void *timer)
{
	sim_event_cancel(timer);
}

static void host_timer_free(void *timer)
{
	sim_event_cancel(timer);
	free(timer);
}

static void host_log(int level, const char *line)
{
	if (level < console_level)
		fprintf(stderr, "[%12.6f] %s\n", (double)sim_now() / 1e12, line);
}

static void host_panic(const char *why)
{
	if (!panic_reason[0])
		snprintf(panic_reason, sizeof(panic_reason), "%s", why);
	if (!sim_thread_self())
		platform_emergency(panic_reason);
	sim_stop();
	for (;;)
		sim_thread_block();
}

static void host_fault_stamp(unsigned int stream_id, unsigned int stag, enum ki_fault_stage stage,
			     ki_u64 at)
{
	life_fault_stamp(the_machine->life, stream_id, stag, (enum fault_stage)stage, at);
}

static void host_fault_parts(unsigned int stream_id, unsigned int stag, const ki_u64 *parts)
{
	uint64_t ps[KI_PART_COUNT];

	for (unsigned int i = 0; i < KI_PART_COUNT; i++)
		ps[i] = parts[i];
	life_fault_parts(the_machine->life, stream_id, stag, ps);
}

void host_fill_ops(struct machine_ops *ops, int log_level)
{
	console_level = log_level;
	panic_reason[0] = '\0';
	ops->now = host_now;
	ops->thread_start = host_thread_start;
	ops->thread_self = host_thread_self;
	ops->thread_block = host_thread_block;
	ops->thread_block_until = host_thread_block_until;
	ops->thread_wake = host_thread_wake;
	ops->timer_new = host_timer_new;
	ops->timer_set = host_timer_set;
	ops->timer_cancel = host_timer_cancel;
	ops->timer_free = host_timer_free;
	ops->log = host_log;
	ops->panic = host_panic;
	ops->fault_stamp = host_fault_stamp;
	ops->fault_parts = host_fault_parts;
}

const char *host_panic_reason(void)
{
	return panic_reason[0] ? panic_reason : NULL;
}

void platform_interrupt(int signal)
{
	interrupted = signal;
}

int host_interrupted(void)
{
	return interrupted;
}
