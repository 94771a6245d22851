/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole run: build the machine that a configuration describes, boot the kernel image on it, run a
 * workload, shut down, and say what came of it.
 */
#ifndef SIM_PLATFORM_PLATFORM_H
#define SIM_PLATFORM_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"
#include "sim/platform/config.h"
#include "sim/stats/life.h"
#include "sim/stats/stats.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Exit statuses of the program. */
enum platform_status {
	PLATFORM_OK = 0,
	PLATFORM_WORKLOAD_FAILED =
		1,		  /* a request that was not meant to fail did, or data is wrong */
	PLATFORM_USER_ERROR = 2,  /* the configuration cannot be built or booted */
	PLATFORM_BUG = 3,	  /* a leak, a broken invariant, a panic */
	PLATFORM_INTERRUPTED = 4, /* platform_interrupt(): 128 + the signal */
};

struct platform;

struct platform_options {
	const char *image_directory; /* where kernel images are */
	/* Nothing can refuse the run any more, nothing has been built or traced yet. Nonzero: it is
	 * not made, PLATFORM_USER_ERROR; whoever says so has told why */
	int (*begin)(void *arg);
	void (*progress)(void *arg, uint64_t received, uint64_t expected);
	/* A panic or a bug of the simulator where sim_run() cannot return from: the last chance to
	 * write what there is. The result is filled in; the process ends afterwards, PLATFORM_BUG */
	void (*emergency)(void *arg, struct platform *platform);
	/* The measured window begins (perhaps again: the last one counts) or ends (likewise) */
	void (*window)(void *arg, enum life_window_edge edge);
	void *arg;
	int log_level; /* kernel lines below this level (0 emergency … 7 debug) go to stderr */
};

struct platform_result {
	enum platform_status status;
	char reason[320];  /* a line, unless PLATFORM_OK; "" if begin() has told it */
	int signal;	   /* of PLATFORM_INTERRUPTED */
	sim_time duration; /* simulated */
	uint64_t requests;
	const char *kernel_version;
};

/*
 * Builds, boots, runs and shuts down, once per process. Never NULL; the configuration outlives it. Until
 * platform_free() the machine's metrics stay readable, except after PLATFORM_USER_ERROR.
 */
struct platform *platform_run(const struct platform_config *config,
			      const struct platform_options *options,
			      struct platform_result *result);
const struct stats *platform_stats(const struct platform *platform);
void platform_free(struct platform *platform);

/* For signal handlers: the run ends soon, with what there is and PLATFORM_INTERRUPTED. */
void platform_interrupt(int signal);
/* Where the simulation cannot be returned to, also from a handler of SIGABRT: platform_options.emergency(), the end. */
void platform_emergency(const char *why) __attribute__((noreturn));

/* A machine's metrics by name, without running it. */
void platform_list_metrics(const struct platform_config *config, stats_visit_fn visit, void *arg);

/* The workloads that are built in, NULL-terminated. */
const struct workload *const *platform_workloads(void);
const struct workload *platform_workload(const char *name);

#ifdef __cplusplus
}
#endif
#endif
