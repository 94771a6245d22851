/* SPDX-License-Identifier: BSD-3-Clause */
/* What a person sees of a run: progress while it goes, a summary when it is over. */
#ifndef SIM_CLI_SUMMARY_H
#define SIM_CLI_SUMMARY_H

#include <stdbool.h>

#include "sim/platform/platform.h"

/* A progress bar on stderr, redrawn when it has something new to show. */
void summary_progress(void *arg, uint64_t received, uint64_t expected);
void summary_progress_end(void);

void summary_print(const struct stats *stats, const struct platform_result *result, double wall_s);
void summary_written(const char *output, bool trace);

#endif
