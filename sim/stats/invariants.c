/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of invariants, and the reader of its formulas: an expression is evaluated while it is
 * read, by recursive descent.
 */
#include "sim/stats/invariants.h"

#include <assert.h>
#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sums of picoseconds may lose their last digits in a double. */
#define ROUNDING 1e-12

const struct invariant invariants[] = {
	/* Little's law, as an identity: L = lambda W */
	{"little",
	 "requests.in_flight_mean = requests.per_s * latency.sum_ps / latency.count / 1e12",
	 "requests.abandoned", 0.01},
	{"requests-ended",
	 "requests.sent = requests.completed + requests.errors + requests.abandoned",
	 "requests.abandoned", 0},
	{"latency-sums", "sum(request_stage_ns.*.sum_ps) = latency.sum_ps", NULL, ROUNDING},
	{"waits-sum", "sum(waits.*.sum_ps) = latency.sum_ps", NULL, ROUNDING},
	{"waits-match", "life.waits_mismatches = 0", NULL, 0},
	{"stamps-placed", "life.misplaced_stamps = 0", NULL, 0},
	{"fault-sums", "sum(fault_ns.*.sum_ps) - fault_ns.total.sum_ps = fault_ns.total.sum_ps",
	 NULL, ROUNDING},
	{"fault-parts-sum",
	 "sum(fault_parts.*.sum_ps) = fault_ns.mm.sum_ps + fault_ns.mm_done.sum_ps", NULL,
	 ROUNDING},
	{"faults-ended", "faults.stall_events = faults.handled + faults.aborted", NULL, 0},
	/* a rate is at most servers / service time */
	{"fault-workers",
	 "fault_ns.total.count / duration_ps <= kernel.max_workers * fault_ns.total.count"
	 " / (fault_ns.mm.sum_ps + fault_ns.mm_done.sum_ps + fault_ns.responded.sum_ps)",
	 NULL, ROUNDING},
	/* a STAG is held from the event record to CMD_RESUME */
	{"faults-outstanding",
	 "fault_ns.total.count / duration_ps <= smmu.stall_max * fault_ns.total.count"
	 " / (fault_ns.total.sum_ps - fault_ns.recorded.sum_ps - fault_ns.retried.sum_ps)",
	 NULL, ROUNDING},
	{"walkers",
	 "smmu.walk_ns.count / duration_ps <= smmu.walk_slots / (smmu.walk_ns.mean * 1000)", NULL,
	 ROUNDING},
	{"utilisation", "max(*.utilisation) <= 1", NULL, 1e-3},
	{"pages", "kernel.pages_allocated - kernel.pages_freed = kernel.pages_live", NULL, 0},
	{"pages-freed", "kernel.pages_freed <= kernel.pages_allocated", NULL, 0},
	{"smmu-look-ups", "smmu.tlb.hits + smmu.tlb.misses = smmu.tlb.lookups", NULL, 0},
	{"mmu-look-ups", "mmu.tlb.hits + mmu.tlb.misses = mmu.tlb.lookups", NULL, 0},
	/* data moved: what engines did is what DMA moved, and no more than memory served */
	{"copied-bytes", "sum(accel*.dma.write_bytes) = sum(accel*.engines.copy.bytes)",
	 "sum(accel*.dma.errors) + requests.errors + requests.abandoned", 0},
	{"read-bytes",
	 "sum(accel*.dma.read_bytes) = sum(accel*.engines.copy.bytes) + "
	 "sum(accel*.engines.crc32c.bytes)",
	 "sum(accel*.dma.errors) + requests.errors + requests.abandoned", 0},
	{"requested-bytes",
	 "requests.bytes = sum(accel*.engines.copy.bytes) + sum(accel*.engines.crc32c.bytes)",
	 "sum(accel*.dma.errors) + requests.errors + requests.abandoned", 0},
	{"read-served", "sum(accel*.dma.read_bytes) <= sum(memory.requester.accel*.bytes_read)",
	 "sum(accel*.dma.errors)", 0},
	{"write-served",
	 "sum(accel*.dma.write_bytes) <= sum(memory.requester.accel*.bytes_written)",
	 "sum(accel*.dma.errors)", 0},
	{"sqes-answered",
	 "sum(accel*.sqes_fetched) + sum(accel*.sqes_pushed) = "
	 "sum(accel*.requests.by_status.*) + "
	 "sum(accel*.requests.dropped)",
	 "requests.errors + requests.abandoned", 0},
};

const size_t invariant_count = sizeof(invariants) / sizeof(invariants[0]);

/* ---- expressions -------------------------------------------------------------------------- */

struct reader {
	const char *at;
	const struct invariant_names *names;
	bool unknown; /* it names something that there is not */
};

static double read_sum(struct reader *r);

static void skip_blanks(struct reader *r)
{
	while (*r->at == ' ')
		r->at++;
}

static bool take(struct reader *r, char c)
{
	skip_blanks(r);
	if (*r->at != c)
		return false;
	r->at++;
	return true;
}

/* A name, or a pattern of names. */
static void read_word(struct reader *r, char *word, size_t size)
{
	size_t length = strspn(r->at, "abcdefghijklmnopqrstuvwxyz0123456789_.*");

	assert(length > 0 && length < size && "not a formula");
	memcpy(word, r->at, length);
	word[length] = '\0';
	r->at += length;
}

struct matches {
	const struct stats *stats;
	const char *pattern;
	double sum, max;
	size_t count;
};

static void add_match(void *arg, const char *name, const char *unit, const char *help)
{
	struct matches *matches = arg;
	double value;

	(void)unit;
	(void)help;
	if (fnmatch(matches->pattern, name, 0) || !stats_get(matches->stats, name, &value))
		return;
	matches->sum += value;
	if (!matches->count++ || value > matches->max)
		matches->max = value;
}

static double read_pattern(struct reader *r, bool max)
{
	char pattern[128];
	struct matches matches = {.stats = r->names->stats, .pattern = pattern};

	read_word(r, pattern, sizeof(pattern));
	if (!take(r, ')'))
		assert(false && "not a formula");
	stats_visit(matches.stats, add_match, &matches);
	if (!matches.count)
		r->unknown = true;
	return max ? matches.max : matches.sum;
}

static double read_name(struct reader *r)
{
	char name[128];
	double value = 0;

	read_word(r, name, sizeof(name));
	if (*r->at == '(' && (!strcmp(name, "sum") || !strcmp(name, "max"))) {
		r->at++;
		return read_pattern(r, name[0] == 'm');
	}
	if (!stats_get(r->names->stats, name, &value) &&
	    !(r->names->lookup && r->names->lookup(r->names->arg, name, &value)))
		r->unknown = true;
	return value;
}

static double read_factor(struct reader *r)
{
	char *end;
	double value;

	skip_blanks(r);
	if (take(r, '(')) {
		value = read_sum(r);
		if (!take(r, ')'))
			assert(false && "not a formula");
		return value;
	}
	if (!isdigit((unsigned char)*r->at))
		return read_name(r);
	value = strtod(r->at, &end);
	r->at = end;
	return value;
}

static double read_product(struct reader *r)
{
	double value = read_factor(r);

	for (;;) {
		if (take(r, '*'))
			value *= read_factor(r);
		else if (take(r, '/'))
			value /= read_factor(r);
		else
			return value;
	}
}

static double read_sum(struct reader *r)
{
	double value = read_product(r);

	for (;;) {
		if (take(r, '+'))
			value += read_product(r);
		else if (take(r, '-'))
			value -= read_product(r);
		else
			return value;
	}
}

/* ---- checking ----------------------------------------------------------------------------- */

static bool applies(const struct invariant *invariant, const struct invariant_names *names)
{
	struct reader r = {.at = invariant->unless, .names = names};

	if (!invariant->unless)
		return true;
	return read_sum(&r) == 0 && !r.unknown;
}

enum invariant_result invariant_check(const struct invariant *invariant,
				      const struct invariant_names *names, char *line, size_t size)
{
	struct reader r = {.at = invariant->formula, .names = names};
	double left, right, slack;
	bool at_most;

	if (!applies(invariant, names))
		return INVARIANT_SKIPPED;
	left = read_sum(&r);
	at_most = take(&r, '<');
	if (!take(&r, '='))
		assert(false && "not a formula");
	right = read_sum(&r);
	skip_blanks(&r);
	assert(!*r.at && "not a formula");
	if (r.unknown || !isfinite(left) || !isfinite(right))
		return INVARIANT_SKIPPED;
	slack = invariant->tolerance * fmax(fabs(left), fabs(right));
	if (left <= right + slack && (at_most || left >= right - slack))
		return INVARIANT_HOLDS;
	snprintf(line, size, "invariant %s: %s: %.17g %s %.17g", invariant->name,
		 invariant->formula, left, at_most ? "<=" : "=", right);
	return INVARIANT_VIOLATED;
}
