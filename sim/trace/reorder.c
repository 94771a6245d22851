/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reorder buffer of the trace writer. Records and payloads are kept in the order of arrival;
 * only keys are sorted.
 */
#include "sim/trace/reorder.h"

/* Long enough to sort well, short enough to stay in the cache. */
#define REORDER_MIN_BATCH 2048u

void reorder_init(struct reorder *r)
{
	memset(r, 0, sizeof(*r));
	r->batch = REORDER_MIN_BATCH;
	r->sorted = true;
}

void reorder_free(struct reorder *r)
{
	free(r->records);
	free(r->spare);
	free(r->keys);
	free(r->spare_keys);
	free(r->payload.data);
	free(r->spare_payload.data);
	memset(r, 0, sizeof(*r));
}

static void grow(struct reorder *r)
{
	r->capacity = r->capacity ? 2 * r->capacity : REORDER_MIN_BATCH;
	r->records = must_realloc(r->records, r->capacity, sizeof(*r->records));
	r->spare = must_realloc(r->spare, r->capacity, sizeof(*r->spare));
	r->keys = must_realloc(r->keys, r->capacity, sizeof(*r->keys));
	r->spare_keys = must_realloc(r->spare_keys, r->capacity, sizeof(*r->spare_keys));
}

void reorder_push(struct reorder *r, const struct reorder_record *record)
{
	if (r->count == r->capacity)
		grow(r);
	if (r->count && record->at < r->records[r->count - 1].at)
		r->sorted = false;
	r->records[r->count] = *record;
	if (record->payload_bytes)
		r->records[r->count].payload_at = r->payload.length - record->payload_bytes;
	r->count++;
}

/* Insertion sort of one short run: most records are within a few places of where they belong. */
static void sort_run(struct reorder_key *keys, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct reorder_key key = keys[i];
		uint32_t j = i;

		for (; j > 0 && keys[j - 1].at > key.at; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
}

/* Stable merge of from[0…mid) and from[mid…n) into to. */
static void merge_runs(struct reorder_key *to, const struct reorder_key *from, uint32_t mid,
		       uint32_t n)
{
	uint32_t a = 0, b = mid;

	if (mid >= n || from[mid - 1].at <= from[mid].at) {
		memcpy(to, from, n * sizeof(*to));
		return;
	}
	while (a < mid && b < n)
		*to++ = from[a].at <= from[b].at ? from[a++] : from[b++];
	memcpy(to, from + a, (mid - a) * sizeof(*to));
	memcpy(to + (mid - a), from + b, (n - b) * sizeof(*to));
}

#define RUN 16u

static void sort_keys(struct reorder *r)
{
	uint32_t n = r->count;

	for (uint32_t i = 0; i < n; i++)
		r->keys[i] = (struct reorder_key){.at = r->records[i].at, .index = i};
	for (uint32_t i = 0; i < n; i += RUN)
		sort_run(r->keys + i, n - i < RUN ? n - i : RUN);
	for (uint64_t width = RUN; width < n; width *= 2) {
		struct reorder_key *merged = r->spare_keys;

		for (uint64_t i = 0; i < n; i += 2 * width) {
			uint64_t left = n - i;
			uint32_t size = (uint32_t)(left < 2 * width ? left : 2 * width);
			uint32_t mid = (uint32_t)(size < width ? size : width);

			merge_runs(merged + i, r->keys + i, mid, size);
		}
		r->spare_keys = r->keys;
		r->keys = merged;
	}
}

/* Keeps the records from the sorted position `first` on, with their payloads, as the start of the
 * next batch. */
static void keep_rest(struct reorder *r, uint32_t first)
{
	struct reorder_record *records = r->spare;
	struct pb payload = r->spare_payload;
	uint32_t kept = 0;

	payload.length = 0;
	for (uint32_t i = first; i < r->count; i++) {
		struct reorder_record *to = &records[kept++];

		*to = r->records[r->sorted ? i : r->keys[i].index];
		if (to->payload_bytes) {
			uint64_t at = payload.length;

			pb_raw(&payload, r->payload.data + to->payload_at, to->payload_bytes);
			to->payload_at = at;
		}
	}
	r->spare = r->records;
	r->records = records;
	r->spare_payload = r->payload;
	r->payload = payload;
	r->count = kept;
	r->sorted = true;
	r->batch = 2 * kept > REORDER_MIN_BATCH ? 2 * kept : REORDER_MIN_BATCH;
}

void reorder_drain(struct reorder *r, sim_time limit, reorder_fn fn)
{
	uint32_t i;

	if (!r->sorted)
		sort_keys(r);
	for (i = 0; i < r->count; i++) {
		const struct reorder_record *record = &r->records[r->sorted ? i : r->keys[i].index];

		if (record->at > limit)
			break;
		fn(record, record->payload_bytes ? r->payload.data + record->payload_at : NULL);
	}
	keep_rest(r, i);
}
