/* SPDX-License-Identifier: BSD-3-Clause */
/* What a person sees while a sweep runs, on stderr. */
#include <stdio.h>

#include "sim/cli/sweep.h"

#define BAR_WIDTH    40
#define ERASE_TO_END "\r\033[K"

static const char *const words[] = {
	[SWEEP_PENDING] = "stopped",
	[SWEEP_OK] = "ok",
	[SWEEP_FAILED] = "failed",
	[SWEEP_TIMEOUT] = "timed out",
};

/* As long as the points so far took on average, so many at a time. */
static double left_s(const struct sweep_progress *progress)
{
	const unsigned int left = progress->total - progress->done;
	const unsigned int at_once = progress->at_once < left ? progress->at_once : left;

	return at_once ? progress->busy_s / progress->finished * left / at_once : 0;
}

void sweep_progress_draw(const struct sweep_progress *progress)
{
	char bar[BAR_WIDTH + 1], failed[32] = "", left[32] = "";

	if (!progress->terminal)
		return;
	for (unsigned int i = 0; i < BAR_WIDTH; i++)
		bar[i] = (uint64_t)i * progress->total < (uint64_t)progress->done * BAR_WIDTH ? '#'
											      : '.';
	bar[BAR_WIDTH] = '\0';
	if (progress->failed)
		snprintf(failed, sizeof(failed), ", %u failed", progress->failed);
	if (progress->finished) {
		const unsigned int seconds = (unsigned int)left_s(progress);

		snprintf(left, sizeof(left), ", %u:%02u left", seconds / 60, seconds % 60);
	}
	fprintf(stderr, ERASE_TO_END "[%s] %u of %u points%s%s", bar, progress->done,
		progress->total, failed, left);
}

void sweep_progress_point(struct sweep_progress *progress, const struct sweep_result *result,
			  const char *text)
{
	progress->done++;
	progress->finished++;
	progress->failed += result->status != SWEEP_OK;
	progress->busy_s += result->wall_s;
	if (result->status != SWEEP_OK || !progress->terminal)
		fprintf(stderr, "%s%u of %u: point %u, %s: %s, %.2f s%s%s\n",
			progress->terminal ? ERASE_TO_END : "", progress->done, progress->total,
			result->point, text, words[result->status], result->wall_s,
			*result->error ? ": " : "", result->error);
	sweep_progress_draw(progress);
}

void sweep_progress_end(const struct sweep_progress *progress)
{
	if (progress->terminal)
		fputs(ERASE_TO_END, stderr);
}
