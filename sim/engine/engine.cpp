/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine: one SC_METHOD drains the event heap, pooled SC_THREADs run the software.
 *
 * The method is sensitive to two SystemC events: a timed one that is armed for the earliest event
 * of the heap, and one for immediate notification when a thread, or a module that is not ours,
 * schedules at the current time. Two, because an immediate notification would take the timed one
 * back. A thread waits on a SystemC event of its own, statically, and its sim_event notifies it:
 * so all hardware of an instant runs before the software that it woke.
 *
 * A pooled SC_THREAD never ends: SystemC ends threads by a C++ exception, which must not pass
 * through the C functions on its stack.
 */
#include "sim/engine/engine.h"

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <systemc>

#include "sim/engine/fiber.h"
#include "sim/engine/guard.h"
#include "sim/engine/heap.h"

using sc_core::sc_event;
using sc_core::sc_time;

sim_time sim_current_time;
uint64_t sim_thread_epoch;

enum class thread_state {
	free,	  /* in the pool */
	running,  /* or about to run, after its event has fired */
	blocked,  /* a wake-up ends it */
	sleeping, /* only its event ends it */
};

struct sim_thread {
	sim_event event; /* fires: the thread goes on */
	thread_state state;
	bool token; /* a wake-up that was not consumed */
	void (*fn)(void *arg);
	void *arg;
	sim_thread *next_free;
	char name[32];
	sc_event resume;
};

namespace
{

constexpr uint64_t guard_default_events = 10000000;
/* The census covers the last callbacks before the limit: earlier ones may have been real work. */
constexpr uint64_t guard_census_events = 100000;

/* The two SystemC events exist once the run begins. */
struct doorbells {
	sc_event timed{"engine_timed"};
	sc_event immediate{"engine_immediate"};
};

struct engine {
	event_heap heap;
	uint64_t next_sequence;
	sim_time armed_for = SIM_TIME_NEVER; /* what the timed event is armed for */
	bool armed_now;			     /* the method will run at this time */
	bool draining;			     /* inside the method */
	bool stopping;
	bool started;
	sim_run_result result = SIM_RUN_IDLE;
	doorbells *bells;

	sim_thread *current;
	sim_thread *free_threads;

	sim_time instant; /* the time for which instant_events counts */
	uint64_t instant_events;
	uint64_t census_from;
	uint64_t guard_limit;
	sim::guard_census census;

	struct sim_host_counters counters;
};

engine e;

/* ---- events ------------------------------------------------------------------------------- */

void thread_event_fired(void *arg);

void arm(sim_time when)
{
	if (e.draining || e.stopping || !e.bells || when >= e.armed_for)
		return;
	if (when > sim_current_time) {
		e.armed_for = when;
		e.bells->timed.notify(sc_time::from_value(when - sim_current_time));
	} else if (!e.armed_now) {
		e.armed_now = true;
		/* Immediate notification exists only while processes run. */
		if (sc_core::sc_get_curr_simcontext()->evaluation_phase())
			e.bells->immediate.notify();
		else
			e.bells->immediate.notify(sc_core::SC_ZERO_TIME);
	}
}

/* Without this a run whose last timeout was cancelled would go on until that time. */
void disarm_if_empty()
{
	if (!e.heap.count && e.armed_for != SIM_TIME_NEVER) {
		e.bells->timed.cancel();
		e.armed_for = SIM_TIME_NEVER;
	}
}

void stop(sim_run_result result)
{
	if (e.stopping)
		return;
	e.stopping = true;
	e.result = result;
	if (e.started)
		sc_core::sc_stop();
}

void take_census(const sim_event *event)
{
	if (event->fn == thread_event_fired) {
		auto *thread = static_cast<const sim_thread *>(event->arg);

		e.census.add(reinterpret_cast<const void *>(thread->fn), thread->name);
	} else {
		e.census.add(reinterpret_cast<const void *>(event->fn), nullptr);
	}
	if (e.instant_events < e.guard_limit)
		return;
	e.census.report(sim_current_time, e.instant_events);
	stop(SIM_RUN_STUCK);
}

void begin_instant(sim_time now)
{
	sim_current_time = now;
	if (now != e.instant) {
		e.instant = now;
		e.instant_events = 0;
		e.census.clear();
	}
	if (e.armed_for <= now)
		e.armed_for = SIM_TIME_NEVER;
	e.armed_now = false;
}

/* The body of the one SC_METHOD. */
void drain()
{
	begin_instant(sc_core::sc_time_stamp().value());
	e.draining = true;
	while (e.heap.count && e.heap.entries[0].time <= sim_current_time && !e.stopping) {
		sim_event *event = event_heap_pop(&e.heap);

		e.counters.events_fired++;
		if (++e.instant_events >= e.census_from)
			take_census(event);
		event->fn(event->arg);
	}
	e.draining = false;
	if (e.heap.count)
		arm(e.heap.entries[0].time);
	else
		disarm_if_empty();
}

/* ---- threads ------------------------------------------------------------------------------ */

void thread_event_fired(void *arg)
{
	auto *thread = static_cast<sim_thread *>(arg);

	thread->state = thread_state::running;
	thread->resume.notify();
}

/* Gives the host's control back to SystemC until the thread's event has fired. */
void thread_suspend(sim_thread *thread)
{
	e.current = nullptr;
	do {
		sc_core::wait();
	} while (e.stopping); /* SystemC still runs those that were notified before the stop */
	e.current = thread;
	sim_thread_epoch++;
}

[[noreturn]] void thread_main(sim_thread *thread)
{
	if (e.stopping)
		thread_suspend(thread);
	e.current = thread;
	sim_thread_epoch++;
	for (;;) {
		thread->fn(thread->arg);
		thread->state = thread_state::free;
		thread->next_free = e.free_threads;
		e.free_threads = thread;
		thread_suspend(thread);
	}
}

sim_thread *thread_new()
{
	auto *thread = new sim_thread{};
	sc_core::sc_spawn_options options;
	char process_name[32];

	sim_event_init(&thread->event, thread_event_fired, thread);
	options.set_stack_size(SIM_THREAD_STACK_BYTES);
	options.dont_initialize();
	options.set_sensitivity(&thread->resume);
	snprintf(process_name, sizeof(process_name), "sim_thread_%llu",
		 static_cast<unsigned long long>(e.counters.threads_created++));
	sc_core::sc_spawn([thread] { thread_main(thread); }, process_name, &options);
	return thread;
}

sim_thread *thread_take()
{
	sim_thread *thread = e.free_threads;

	if (!thread)
		return thread_new();
	e.free_threads = thread->next_free;
	return thread;
}

} // namespace

void sim_event_at(sim_event *event, sim_time when)
{
	assert(when >= sim_current_time);
	if (when == SIM_TIME_NEVER) {
		sim_event_cancel(event);
		return;
	}
	event->time = when;
	event->sequence = e.next_sequence++;
	if (sim_event_pending(event))
		event_heap_update(&e.heap, event);
	else
		event_heap_push(&e.heap, event);
	arm(when);
}

void sim_event_cancel(sim_event *event)
{
	if (!sim_event_pending(event))
		return;
	event_heap_remove(&e.heap, event);
	disarm_if_empty();
}

sim_thread *sim_thread_start(const char *name, void (*fn)(void *arg), void *arg)
{
	sim_thread *thread = thread_take();

	thread->fn = fn;
	thread->arg = arg;
	thread->token = false;
	thread->state = thread_state::sleeping; /* until its event fires */
	snprintf(thread->name, sizeof(thread->name), "%s", name);
	sim_event_at(&thread->event, sim_now());
	return thread;
}

sim_thread *sim_thread_self()
{
	return e.draining ? nullptr : e.current;
}

bool sim_thread_block_until(sim_time when)
{
	sim_thread *thread = sim_thread_self();
	bool woken;

	assert(thread);
	if (!thread->token && when > sim_now()) {
		thread->state = thread_state::blocked;
		if (when != SIM_TIME_NEVER)
			sim_event_at(&thread->event, when);
		thread_suspend(thread);
	}
	woken = thread->token;
	thread->token = false;
	return woken;
}

void sim_thread_block()
{
	sim_thread_block_until(SIM_TIME_NEVER);
}

void sim_thread_sleep(sim_time delay)
{
	sim_thread *thread = sim_thread_self();

	assert(thread);
	thread->state = thread_state::sleeping;
	sim_event_after(&thread->event, delay);
	thread_suspend(thread);
}

void sim_thread_wake(sim_thread *thread)
{
	assert(thread->state != thread_state::free);
	/* Only the first of several wake-ups moves the thread's event. */
	if (thread->state == thread_state::blocked && !thread->token)
		sim_event_at(&thread->event, sim_now());
	thread->token = true;
}

/* ---- the run ------------------------------------------------------------------------------ */

static void spawn_drain()
{
	sc_core::sc_spawn_options options;

	options.spawn_method();
	options.set_sensitivity(&e.bells->timed);
	options.set_sensitivity(&e.bells->immediate);
	sc_core::sc_spawn(drain, "engine", &options);
}

static void set_guard(const sim_limits *limits)
{
	e.guard_limit = limits && limits->max_events_per_instant ? limits->max_events_per_instant
								 : guard_default_events;
	e.census_from =
		e.guard_limit > guard_census_events ? e.guard_limit - guard_census_events : 1;
}

sim_run_result sim_run(const sim_limits *limits)
{
	sim_time max_time = limits && limits->max_time ? limits->max_time : SIM_TIME_NEVER;

	assert(!e.started);
	assert(sc_core::sc_get_time_resolution() == sc_time(1, sc_core::SC_PS));
	if (e.stopping)
		return e.result;
	fiber_init();
	set_guard(limits);
	sc_core::sc_set_stop_mode(sc_core::SC_STOP_IMMEDIATE);
	/* sc_stop() would say so on the user's terminal */
	sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO,
						sc_core::SC_DO_NOTHING);
	e.bells = new doorbells;
	spawn_drain();
	e.started = true;
	if (max_time >= SIM_TIME_NEVER - 1) {
		sc_core::sc_start();
	} else {
		/* SystemC stops before the last instant; ours still runs. */
		sc_core::sc_start(sc_time::from_value(max_time + 1),
				  sc_core::SC_EXIT_ON_STARVATION);
		if (!e.stopping && (e.heap.count || sc_core::sc_pending_activity())) {
			e.result = SIM_RUN_TIME_LIMIT;
			sim_current_time = max_time;
		}
	}
	fiber_sync();
	return e.result;
}

void sim_stop()
{
	stop(SIM_RUN_STOPPED);
}

const struct sim_host_counters *sim_host_counters()
{
	e.counters.thread_switches = sim_thread_epoch;
	return &e.counters;
}

/* SystemC's library has a main() of its own that wants this; the program's main() takes its place. */
int sc_main(int, char *[])
{
	return 0;
}
