/* SPDX-License-Identifier: BSD-3-Clause */
/* svasim run --what-if: which change would gain most. */
#ifndef SIM_CLI_WHATIF_H
#define SIM_CLI_WHATIF_H

#include "sim/platform/platform.h"

/* How the run was started: the changed ones are started alike. */
struct whatif_run {
	const char *platform; /* -c; may be NULL */
	const char *workload;
	const char *const *settings;
	unsigned int setting_count;
	const char *output; /* its folder; theirs go beneath */
};

/*
 * Predicts what each change of one parameter would gain, runs the best, and prints what was predicted beside
 * what came out. An exit status.
 */
int whatif(const struct whatif_run *run, const struct platform_config *config,
	   const struct stats *stats);

#endif
