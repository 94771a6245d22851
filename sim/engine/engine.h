/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Simulated time, events and threads: the C face of the SystemC kernel.
 *
 * Hardware is event callbacks: a sim_event is embedded in its owner and fires once per
 * scheduling. Events of the same time fire in the order in which they were scheduled. All events
 * live in one heap that one SC_METHOD drains, so an unrelated event never reorders others.
 * Software is threads: pooled SC_THREADs that may block. At one instant the events run first,
 * then the threads that they woke.
 *
 * Everything runs on one host thread; nothing here is reentrant from another.
 */
#ifndef SIM_ENGINE_ENGINE_H
#define SIM_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Simulated time in picoseconds since the start of the run; 2^64 ps are 213 days. */
typedef uint64_t sim_time;

#define SIM_PS(n)      ((sim_time)(n))
#define SIM_NS(n)      ((sim_time)(n)*1000u)
#define SIM_US(n)      ((sim_time)(n)*1000000u)
#define SIM_MS(n)      ((sim_time)(n)*1000000000u)
#define SIM_TIME_NEVER UINT64_MAX

extern sim_time sim_current_time; /* read it through sim_now() */

static inline sim_time sim_now(void)
{
	return sim_current_time;
}

/* ---- events ------------------------------------------------------------------------------- */

typedef void (*sim_event_fn)(void *arg);

#define SIM_EVENT_IDLE UINT32_MAX

struct sim_event {
	sim_event_fn fn;
	void *arg;
	sim_time time;	     /* when it fires, while pending */
	uint64_t sequence;   /* order among events of the same time */
	uint32_t heap_index; /* SIM_EVENT_IDLE while not pending */
};

/*
 * fn runs in event context: it must not block. The event belongs to its owner, who must cancel it
 * before freeing it.
 */
static inline void sim_event_init(struct sim_event *event, sim_event_fn fn, void *arg)
{
	event->fn = fn;
	event->arg = arg;
	event->time = 0;
	event->sequence = 0;
	event->heap_index = SIM_EVENT_IDLE;
}

static inline bool sim_event_pending(const struct sim_event *event)
{
	return event->heap_index != SIM_EVENT_IDLE;
}

/*
 * Schedule at an absolute time, not before sim_now(). A pending event is moved (and goes behind
 * others of its new time). SIM_TIME_NEVER cancels.
 */
void sim_event_at(struct sim_event *event, sim_time when);

static inline void sim_event_after(struct sim_event *event, sim_time delay)
{
	sim_event_at(event, sim_now() + delay);
}

/* No effect if the event is not pending. */
void sim_event_cancel(struct sim_event *event);

/* ---- threads ------------------------------------------------------------------------------ */

struct sim_thread;

/*
 * The stack of every thread: the kernel's code and a program run on it. Backed on touch; a guard
 * page ends a run that overflows it. AddressSanitizer's frames are several times as large.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SIM_THREAD_STACK_BYTES (512u * 1024u)
#else
#define SIM_THREAD_STACK_BYTES (128u * 1024u)
#endif

/*
 * Runs fn(arg) on a pooled thread, beginning at the current time after the events of this time.
 * When fn returns the thread goes back to the pool and the handle is dead. Threads are never
 * killed. Also before sim_run(): the thread then begins with the run. The name is copied.
 */
struct sim_thread *sim_thread_start(const char *name, void (*fn)(void *arg), void *arg);

/*
 * Counts how often a thread went on after a wait, or began. Code on a thread that finds it unchanged knows that
 * nothing else has run.
 */
extern uint64_t sim_thread_epoch; /* only read it */

/* The running thread, or NULL in event context. */
struct sim_thread *sim_thread_self(void);

/*
 * Blocks the running thread until sim_thread_wake(). A wake-up that comes while the thread is not
 * blocked is kept (one, not a count) and makes the next block return at once. Wake-ups that come
 * between the first one and the time when the thread runs again are one with it.
 */
void sim_thread_block(void);

/* As sim_thread_block(), but returns false at `when` at the latest; true if woken. */
bool sim_thread_block_until(sim_time when);

/* Blocks the running thread for `delay`, whatever wakes it; a wake-up that comes meanwhile is kept. */
void sim_thread_sleep(sim_time delay);

/* From any context. The thread goes on at the current time, through the event heap. */
void sim_thread_wake(struct sim_thread *thread);

/* ---- the run ------------------------------------------------------------------------------ */

struct sim_limits {
	/* callbacks without time advancing before the run is ended as stuck; 0 = 10 million */
	uint64_t max_events_per_instant;
	/* the run ends after this instant with SIM_RUN_TIME_LIMIT; 0 = none */
	sim_time max_time;
};

enum sim_run_result {
	SIM_RUN_STOPPED, /* sim_stop() was called */
	SIM_RUN_IDLE,	 /* nothing is left that could ever happen */
	SIM_RUN_STUCK, /* time does not advance; a line on stderr names the most frequent callbacks */
	SIM_RUN_TIME_LIMIT,
};

/* Drives the simulation from the host's main thread, once per process. */
enum sim_run_result sim_run(const struct sim_limits *limits);

/* Ends sim_run() after the current callback or thread step. */
void sim_stop(void);

/* What the host did for it, for speed figures only; never part of a simulated result. */
struct sim_host_counters {
	uint64_t events_fired;
	uint64_t thread_switches;
	uint64_t threads_created;
};
const struct sim_host_counters *sim_host_counters(void);

#ifdef __cplusplus
}
#endif
#endif
