/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Histograms, and the registry of metrics that writes them as JSON.
 *
 * A histogram's first bucket row is linear, one picosecond a bucket; each further row covers one
 * power of two in as many equal steps. The registry holds one entry per leaf of the JSON tree and
 * no values of its own (but texts).
 */
#include "sim/stats/resource_list.h"
#include "sim/stats/stats.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "sim/stats/alloc.h"

/* ---- histogram ---------------------------------------------------------------------------- */

#define SUB_BUCKETS (1u << HISTOGRAM_SUB_BITS)

unsigned int histogram_bucket(sim_time ps)
{
	unsigned int exponent, shift;

	if (ps < SUB_BUCKETS)
		return (unsigned int)ps;
	exponent = 63u - (unsigned int)__builtin_clzll(ps);
	shift = exponent - HISTOGRAM_SUB_BITS;
	return ((shift + 1) << HISTOGRAM_SUB_BITS) +
	       (unsigned int)((ps >> shift) & (SUB_BUCKETS - 1));
}

/* The largest value that falls into the bucket. */
static sim_time bucket_top(unsigned int bucket)
{
	unsigned int row = bucket >> HISTOGRAM_SUB_BITS;
	uint64_t sub = bucket & (SUB_BUCKETS - 1);

	if (row == 0)
		return sub;
	return ((SUB_BUCKETS + sub) << (row - 1)) + ((UINT64_C(1) << (row - 1)) - 1);
}

void histogram_record(struct histogram *h, sim_time ps)
{
	if (h->count == 0 || ps < h->min)
		h->min = ps;
	if (ps > h->max)
		h->max = ps;
	h->count++;
	h->sum += ps;
	h->buckets[histogram_bucket(ps)]++;
}

sim_time histogram_quantile(const struct histogram *h, double q)
{
	uint64_t rank, seen = 0;
	double exact;

	if (h->count == 0)
		return 0;
	/* a product such as 0.07 * 100 must not be rounded up to the next rank */
	exact = q * (double)h->count * (1.0 - 4.0 * DBL_EPSILON);
	rank = exact <= 1.0 ? 1 : (uint64_t)ceil(exact);
	if (rank >= h->count)
		return h->max;
	for (unsigned int b = histogram_bucket(h->min);; b++) {
		seen += h->buckets[b];
		if (seen >= rank) {
			sim_time top = bucket_top(b);

			return top < h->max ? top : h->max;
		}
	}
}

/* ---- registry ----------------------------------------------------------------------------- */

enum leaf_kind {
	LEAF_COUNTER,
	LEAF_COMPUTED,
	LEAF_COMPUTED_U64,
	LEAF_TEXT,
	/* of a histogram */
	LEAF_COUNT,
	LEAF_MEAN,
	LEAF_P50,
	LEAF_P99,
	LEAF_P999,
	LEAF_MAX,
};

struct leaf {
	enum leaf_kind kind;
	char *name, *unit, *help;
	union {
		const uint64_t *counter;
		const struct histogram *histogram;
		char *text;
		struct {
			double (*f64)(const void *arg);
			uint64_t (*u64)(const void *arg);
			const void *arg;
		};
	};
};

struct stats {
	struct leaf *leaves;
	size_t count, capacity;
	json_t *by_name; /* full name → index of the leaf, or -1 for an inner node */
	struct resource_list resources; /* resource.c's */
};

struct stats *stats_new(void)
{
	struct stats *stats = must_calloc(1, sizeof(*stats));

	stats->by_name = must_have(json_object());
	return stats;
}

void stats_free(struct stats *stats)
{
	if (!stats)
		return;
	for (size_t i = 0; i < stats->count; i++) {
		struct leaf *leaf = &stats->leaves[i];

		free(leaf->name);
		free(leaf->unit);
		free(leaf->help);
		if (leaf->kind == LEAF_TEXT)
			free(leaf->text);
	}
	resource_list_free(&stats->resources);
	free(stats->leaves);
	json_decref(stats->by_name);
	free(stats);
}

struct resource_list *stats_resources(struct stats *stats)
{
	return &stats->resources;
}

/* Enters the name and the inner nodes above it: a name is either a leaf or has leaves below it. */
static void enter_name(struct stats *stats, const char *name, size_t index)
{
	char *copy = must_strdup(name);

	assert(!json_object_get(stats->by_name, name) && "metric registered twice");
	for (char *dot = strchr(copy, '.'); dot; dot = strchr(dot + 1, '.')) {
		const json_t *above;

		*dot = '\0';
		above = json_object_get(stats->by_name, copy);
		assert(!above || json_integer_value(above) < 0);
		if (!above)
			json_object_set_new(stats->by_name, copy, json_integer(-1));
		*dot = '.';
	}
	free(copy);
	json_object_set_new(stats->by_name, name, json_integer((json_int_t)index));
}

static struct leaf *leaf_add(struct stats *stats, enum leaf_kind kind, const char *name,
			     const char *unit, const char *help)
{
	struct leaf *leaf;

	if (stats->count == stats->capacity) {
		stats->capacity = stats->capacity ? 2 * stats->capacity : 128;
		stats->leaves = must_realloc(stats->leaves, stats->capacity, sizeof(*leaf));
	}
	enter_name(stats, name, stats->count);
	leaf = &stats->leaves[stats->count++];
	memset(leaf, 0, sizeof(*leaf));
	leaf->kind = kind;
	leaf->name = must_strdup(name);
	leaf->unit = must_strdup(unit ? unit : "");
	leaf->help = must_strdup(help ? help : "");
	return leaf;
}

void stats_counter(struct stats *stats, const char *name, const uint64_t *value, const char *unit,
		   const char *help)
{
	leaf_add(stats, LEAF_COUNTER, name, unit, help)->counter = value;
}

void stats_computed(struct stats *stats, const char *name, double (*fn)(const void *arg),
		    const void *arg, const char *unit, const char *help)
{
	struct leaf *leaf = leaf_add(stats, LEAF_COMPUTED, name, unit, help);

	leaf->f64 = fn;
	leaf->arg = arg;
}

void stats_computed_u64(struct stats *stats, const char *name, uint64_t (*fn)(const void *arg),
			const void *arg, const char *unit, const char *help)
{
	struct leaf *leaf = leaf_add(stats, LEAF_COMPUTED_U64, name, unit, help);

	leaf->u64 = fn;
	leaf->arg = arg;
}

void stats_histogram(struct stats *stats, const char *name, const struct histogram *h,
		     const char *help)
{
	static const struct {
		enum leaf_kind kind;
		const char *suffix, *unit;
	} leaves[] = {
		{LEAF_COUNT, "count", "1"}, {LEAF_MEAN, "mean", "ns"}, {LEAF_P50, "p50", "ns"},
		{LEAF_P99, "p99", "ns"},    {LEAF_P999, "p999", "ns"}, {LEAF_MAX, "max", "ns"},
	};

	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		char full[256];
		int length = snprintf(full, sizeof(full), "%s.%s", name, leaves[i].suffix);

		assert(length > 0 && (size_t)length < sizeof(full));
		(void)length;
		leaf_add(stats, leaves[i].kind, full, leaves[i].unit, help)->histogram = h;
	}
}

void stats_text(struct stats *stats, const char *name, const char *text, const char *help)
{
	leaf_add(stats, LEAF_TEXT, name, "", help)->text = must_strdup(text);
}

void stats_visit(const struct stats *stats, stats_visit_fn fn, void *arg)
{
	for (size_t i = 0; i < stats->count; i++) {
		const struct leaf *leaf = &stats->leaves[i];

		fn(arg, leaf->name, leaf->unit, leaf->help);
	}
}

/* ---- values ------------------------------------------------------------------------------- */

static double ps_to_ns(sim_time ps)
{
	return (double)ps / 1000.0;
}

static double histogram_mean_ns(const struct histogram *h)
{
	return h->count ? (double)h->sum / (double)h->count / 1000.0 : 0.0;
}

/* True if the leaf is an integer; else its value is in *real. */
static bool leaf_value(const struct leaf *leaf, uint64_t *integer, double *real)
{
	switch (leaf->kind) {
	case LEAF_COUNTER:
		*integer = *leaf->counter;
		return true;
	case LEAF_COMPUTED_U64:
		*integer = leaf->u64(leaf->arg);
		return true;
	case LEAF_COUNT:
		*integer = leaf->histogram->count;
		return true;
	case LEAF_COMPUTED:
		*real = leaf->f64(leaf->arg);
		return false;
	case LEAF_MEAN:
		*real = histogram_mean_ns(leaf->histogram);
		return false;
	case LEAF_P50:
		*real = ps_to_ns(histogram_quantile(leaf->histogram, 0.5));
		return false;
	case LEAF_P99:
		*real = ps_to_ns(histogram_quantile(leaf->histogram, 0.99));
		return false;
	case LEAF_P999:
		*real = ps_to_ns(histogram_quantile(leaf->histogram, 0.999));
		return false;
	case LEAF_MAX:
		*real = ps_to_ns(leaf->histogram->max);
		return false;
	case LEAF_TEXT:
		break;
	}
	*real = NAN;
	return false;
}

bool stats_get(const struct stats *stats, const char *name, double *value)
{
	const json_t *index = json_object_get(stats->by_name, name);
	const struct leaf *leaf;
	uint64_t integer = 0;

	if (!index || json_integer_value(index) < 0)
		return false;
	leaf = &stats->leaves[json_integer_value(index)];
	if (leaf->kind == LEAF_TEXT)
		return false;
	if (leaf_value(leaf, &integer, value))
		*value = (double)integer;
	return true;
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *leaf_json(const struct leaf *leaf)
{
	uint64_t integer = 0;
	double real = 0;

	if (leaf->kind == LEAF_TEXT) {
		json_t *text = json_string(leaf->text);

		return text ? text : json_null(); /* not UTF-8 */
	}
	if (leaf_value(leaf, &integer, &real)) {
		if (integer <= INT64_MAX)
			return json_integer((json_int_t)integer);
		real = (double)integer;
	}
	/* JSON has no NaN and no infinity */
	return isfinite(real) ? json_real(real) : json_null();
}

/* Puts the leaf where its dotted name says; objects are made at their first member. */
static void tree_put(json_t *tree, const struct leaf *leaf)
{
	char *copy = must_strdup(leaf->name);
	char *key = copy;

	for (char *dot = strchr(key, '.'); dot; dot = strchr(key, '.')) {
		json_t *below;

		*dot = '\0';
		below = json_object_get(tree, key);
		if (!below) {
			below = must_have(json_object());
			json_object_set_new_nocheck(tree, key, below);
		}
		tree = below;
		key = dot + 1;
	}
	json_object_set_new_nocheck(tree, key, must_have(leaf_json(leaf)));
	free(copy);
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

static int write_file(const char *path, const char *text, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int error = 0;

	if (fd < 0)
		return -1;
	if (write_all(fd, text, length) || write_all(fd, "\n", 1))
		error = errno;
	if (close(fd) && !error)
		error = errno;
	errno = error;
	return error ? -1 : 0;
}

/* Readers see the old file or the new one, never a part. */
static int replace_file(const char *path, const char *text)
{
	size_t size = strlen(path) + sizeof(".tmp");
	char *temporary = must_calloc(size, 1);
	int error = 0;

	snprintf(temporary, size, "%s.tmp", path);
	if (write_file(temporary, text, strlen(text)) || rename(temporary, path)) {
		error = errno;
		unlink(temporary);
	}
	free(temporary);
	errno = error;
	return error ? -1 : 0;
}

int stats_write_json(const struct stats *stats, const char *path)
{
	json_t *tree = must_have(json_object());
	char *text;
	int ret;

	for (size_t i = 0; i < stats->count; i++)
		tree_put(tree, &stats->leaves[i]);
	/* 17 significant digits tell any two doubles apart */
	text = must_have(json_dumps(tree, JSON_INDENT(2) | JSON_REAL_PRECISION(17)));
	json_decref(tree);
	ret = replace_file(path, text);
	free(text);
	return ret;
}

/* ---- histograms --------------------------------------------------------------------------- */

/* [upper edge in ns, count] of each bucket that holds something; the last edge is the maximum. */
static void write_buckets(FILE *file, const struct histogram *h)
{
	const char *separator = "";

	for (unsigned int b = h->count ? histogram_bucket(h->min) : HISTOGRAM_BUCKETS;
	     b < HISTOGRAM_BUCKETS; b++) {
		const sim_time top = bucket_top(b) < h->max ? bucket_top(b) : h->max;

		if (!h->buckets[b])
			continue;
		fprintf(file, "%s[%" PRIu64 ".%03u, %" PRIu64 "]", separator, top / 1000,
			(unsigned int)(top % 1000), h->buckets[b]);
		separator = ", ";
	}
}

/* A line per histogram, in the order of registration. */
static void write_histograms(const struct stats *stats, FILE *file)
{
	fputs("{\n  \"schema\": \"svasim-histograms-1\"", file);
	for (size_t i = 0; i < stats->count; i++) {
		const struct leaf *leaf = &stats->leaves[i];

		if (leaf->kind != LEAF_COUNT)
			continue;
		fprintf(file, ",\n  \"%.*s\": [", (int)(strrchr(leaf->name, '.') - leaf->name),
			leaf->name);
		write_buckets(file, leaf->histogram);
		fputs("]", file);
	}
	fputs("\n}", file);
}

int stats_write_histograms(const struct stats *stats, const char *path)
{
	char *text = NULL;
	size_t size;
	FILE *file = must_have(open_memstream(&text, &size));
	int ret = -1;

	write_histograms(stats, file);
	if (!fclose(file))
		ret = replace_file(path, text);
	free(text);
	return ret;
}
