/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet writer. Field numbers are those of Perfetto's TracePacket and what hangs below it; a
 * schema of this subset is tests/trace-query/perfetto_subset.proto.
 */
#include "sim/trace/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sim/trace/names.h"

#define FLUSH_BYTES (1u << 20)

#define SEQUENCE_ID    1
#define CLOCK_BOOTTIME 6
#define CLOCK_DELTA    64 /* the first of the ids that a sequence may define for itself */

enum { TRACE_PACKET = 1 };
enum { /* TracePacket */
       PACKET_CLOCK_SNAPSHOT = 6,
       PACKET_TIMESTAMP = 8,
       PACKET_SEQUENCE_ID = 10,
       PACKET_TRACK_EVENT = 11,
       PACKET_INTERNED_DATA = 12,
       PACKET_SEQUENCE_FLAGS = 13,
       PACKET_TIMESTAMP_CLOCK_ID = 58,
       PACKET_DEFAULTS = 59,
       PACKET_TRACK_DESCRIPTOR = 60,
};
enum { SNAPSHOT_CLOCKS = 1, SNAPSHOT_PRIMARY = 2 };
enum { CLOCK_ID = 1, CLOCK_TIMESTAMP = 2, CLOCK_INCREMENTAL = 3 };
enum { INTERNED_CATEGORIES = 1, INTERNED_EVENT_NAMES = 2, INTERNED_KEYS = 3 };
enum { INTERNED_IID = 1, INTERNED_NAME = 2 };
enum {
	TRACK_UUID = 1,
	TRACK_NAME = 2,
	TRACK_PARENT = 5,
	TRACK_COUNTER_DESC = 8,
	TRACK_CHILD_ORDERING = 11,
	TRACK_RANK = 12,
	TRACK_MERGE = 15,
};
enum { ORDER_EXPLICIT = 3, MERGE_BY_NAME = 1, MERGE_NONE = 2 };
enum { COUNTER_UNIT = 3, COUNTER_UNIT_NAME = 6 };
enum { UNIT_NS = 1, UNIT_COUNT = 2, UNIT_BYTES = 3 };
enum {
	EVENT_CATEGORY_IIDS = 3,
	EVENT_TYPE = 9,
	EVENT_NAME_IID = 10,
	EVENT_TRACK_UUID = 11,
	EVENT_COUNTER_VALUE = 30,
};

/* ---- the file ----------------------------------------------------------------------------- */

static void flush(struct writer *w)
{
	const uint8_t *data = w->out.data;
	size_t left = w->out.length;

	while (left && !w->error) {
		ssize_t n = write(w->fd, data, left);

		if (n < 0) {
			if (errno != EINTR)
				w->error = errno;
			continue;
		}
		data += n;
		left -= (size_t)n;
		w->bytes += (uint64_t)n;
	}
	w->out.length = 0;
}

static size_t packet_open(struct writer *w)
{
	size_t packet = pb_open(&w->out, TRACE_PACKET);

	pb_u64(&w->out, PACKET_SEQUENCE_ID, SEQUENCE_ID);
	return packet;
}

static void packet_close(struct writer *w, size_t packet)
{
	pb_close(&w->out, packet);
	w->packets++;
	if (w->out.length >= FLUSH_BYTES)
		flush(w);
}

/* ---- the first packet --------------------------------------------------------------------- */

static void put_clock(struct pb *out, unsigned int id, bool incremental)
{
	size_t clock = pb_open(out, SNAPSHOT_CLOCKS);

	pb_u64(out, CLOCK_ID, id);
	pb_u64(out, CLOCK_TIMESTAMP, 0);
	if (incremental)
		pb_u64(out, CLOCK_INCREMENTAL, 1);
	pb_close(out, clock);
}

static void put_interned(struct pb *out, unsigned int field, uint32_t iid, const char *text)
{
	size_t string = pb_open(out, field);

	pb_u64(out, INTERNED_IID, iid);
	pb_string(out, INTERNED_NAME, text);
	pb_close(out, string);
}

static void put_header(struct writer *w, const char *const *categories, uint32_t category_count)
{
	struct pb *out = &w->out;
	size_t packet = packet_open(w);
	size_t part;

	pb_u64(out, PACKET_SEQUENCE_FLAGS, 3); /* state cleared here; what follows needs it */
	part = pb_open(out, PACKET_CLOCK_SNAPSHOT);
	put_clock(out, CLOCK_BOOTTIME, false);
	put_clock(out, CLOCK_DELTA, true);
	pb_u64(out, SNAPSHOT_PRIMARY, CLOCK_BOOTTIME);
	pb_close(out, part);
	part = pb_open(out, PACKET_DEFAULTS);
	pb_u64(out, PACKET_TIMESTAMP_CLOCK_ID, CLOCK_DELTA);
	pb_close(out, part);
	part = pb_open(out, PACKET_INTERNED_DATA);
	for (uint32_t i = 0; i < category_count; i++)
		put_interned(out, INTERNED_CATEGORIES, i + 1, categories[i]);
	pb_close(out, part);
	packet_close(w, packet);
}

int writer_open(struct writer *w, const char *path, const char *const *categories,
		uint32_t category_count)
{
	memset(w, 0, sizeof(*w));
	w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (w->fd < 0)
		return -1;
	names_reset();
	pb_reserve(&w->out, FLUSH_BYTES + 65536);
	put_header(w, categories, category_count);
	return 0;
}

int writer_close(struct writer *w)
{
	flush(w);
	if (close(w->fd) && !w->error)
		w->error = errno;
	w->fd = -1;
	free(w->out.data);
	w->out = (struct pb){0};
	errno = w->error;
	return w->error ? -1 : 0;
}

/* ---- tracks ------------------------------------------------------------------------------- */

static void put_unit(struct pb *out, const char *unit)
{
	size_t counter = pb_open(out, TRACK_COUNTER_DESC);

	if (strcmp(unit, "ns") == 0)
		pb_u64(out, COUNTER_UNIT, UNIT_NS);
	else if (strcmp(unit, "bytes") == 0)
		pb_u64(out, COUNTER_UNIT, UNIT_BYTES);
	else if (strcmp(unit, "count") == 0)
		pb_u64(out, COUNTER_UNIT, UNIT_COUNT);
	else
		pb_string(out, COUNTER_UNIT_NAME, unit);
	pb_close(out, counter);
}

void writer_descriptor(struct writer *w, const struct track_descriptor *track)
{
	struct pb *out = &w->out;
	size_t packet = packet_open(w);
	size_t part = pb_open(out, PACKET_TRACK_DESCRIPTOR);

	pb_u64(out, TRACK_UUID, track->uuid);
	pb_string(out, TRACK_NAME, track->name);
	if (track->parent_uuid)
		pb_u64(out, TRACK_PARENT, track->parent_uuid);
	if (track->kind == TRACK_COUNTER)
		put_unit(out, track->unit);
	pb_u64(out, TRACK_CHILD_ORDERING, ORDER_EXPLICIT);
	pb_u64(out, TRACK_RANK, (uint64_t)(int64_t)track->rank);
	pb_u64(out, TRACK_MERGE, track->kind == TRACK_LANE ? MERGE_BY_NAME : MERGE_NONE);
	pb_close(out, part);
	packet_close(w, packet);
}

/* ---- events ------------------------------------------------------------------------------- */

static void put_time(struct writer *w, sim_time at)
{
	uint64_t ns = at / 1000;

	if (ns >= w->last_ns) {
		pb_u64(&w->out, PACKET_TIMESTAMP, ns - w->last_ns);
		w->last_ns = ns;
	} else { /* came after the clock had passed it */
		pb_u64(&w->out, PACKET_TIMESTAMP, ns);
		pb_u64(&w->out, PACKET_TIMESTAMP_CLOCK_ID, CLOCK_BOOTTIME);
	}
}

/* Strings that this packet or a later one is the first to use. */
static void put_new_names(struct pb *out)
{
	static const unsigned int fields[NAME_USE_COUNT] = {
		[NAME_EVENT] = INTERNED_EVENT_NAMES,
		[NAME_KEY] = INTERNED_KEYS,
	};
	size_t part = 0;

	for (unsigned int use = 0; use < NAME_USE_COUNT; use++) {
		uint32_t count;
		const uint32_t *ids = names_take(use, &count);

		if (count && !part)
			part = pb_open(out, PACKET_INTERNED_DATA);
		for (uint32_t i = 0; i < count; i++)
			put_interned(out, fields[use], ids[i], names_text(ids[i]));
	}
	if (part)
		pb_close(out, part);
}

static void put_clipped(struct pb *out, uint32_t key)
{
	size_t annotation = pb_open(out, TRACK_EVENT_DEBUG_ANNOTATIONS);

	pb_u64(out, DEBUG_ANNOTATION_NAME_IID, key);
	pb_u64(out, DEBUG_ANNOTATION_BOOL, 1);
	pb_close(out, annotation);
}

/* The general case: piece by piece. */
static void put_event(struct writer *w, const struct event *event)
{
	struct pb *out = &w->out;
	size_t packet = packet_open(w);
	size_t part;

	put_time(w, event->at);
	put_new_names(out);
	part = pb_open(out, PACKET_TRACK_EVENT);
	pb_u64(out, EVENT_TYPE, event->type);
	pb_u64(out, EVENT_TRACK_UUID, event->track_uuid);
	if (event->category)
		pb_u64(out, EVENT_CATEGORY_IIDS, event->category);
	if (event->name)
		pb_u64(out, EVENT_NAME_IID, event->name);
	if (event->type == EVENT_COUNTER)
		pb_u64(out, EVENT_COUNTER_VALUE, (uint64_t)event->value);
	pb_raw(out, event->payload, event->payload_bytes);
	if (event->clipped_key)
		put_clipped(out, event->clipped_key);
	pb_close(out, part);
	packet_close(w, packet);
}

#define TAG1(field)    ((uint8_t)((field) << 3 | PB_VARINT)) /* of a field below 16 */
#define FAST_EVENT_MAX 96 /* bytes of a packet without its payload */

static size_t event_size(const struct event *event)
{
	size_t size = 2 + 1 + pb_varint_size(event->track_uuid) + event->payload_bytes;

	if (event->category)
		size += 1 + pb_varint_size(event->category);
	if (event->name)
		size += 1 + pb_varint_size(event->name);
	if (event->type == EVENT_COUNTER)
		size += 2 + pb_varint_size((uint64_t)event->value);
	return size;
}

static uint8_t *put_event_body(uint8_t *p, const struct event *event)
{
	*p++ = TAG1(EVENT_TYPE);
	*p++ = (uint8_t)event->type;
	*p++ = TAG1(EVENT_TRACK_UUID);
	p = pb_put_varint(p, event->track_uuid);
	if (event->category) {
		*p++ = TAG1(EVENT_CATEGORY_IIDS);
		p = pb_put_varint(p, event->category);
	}
	if (event->name) {
		*p++ = TAG1(EVENT_NAME_IID);
		p = pb_put_varint(p, event->name);
	}
	if (event->type == EVENT_COUNTER) {
		p = pb_put_varint(p, EVENT_COUNTER_VALUE << 3 | PB_VARINT);
		p = pb_put_varint(p, (uint64_t)event->value);
	}
	if (event->payload_bytes)
		memcpy(p, event->payload, event->payload_bytes);
	return p + event->payload_bytes;
}

/* Nearly every event: nothing new but a difference of time. All lengths are known before the first
 * byte. */
static void put_event_fast(struct writer *w, const struct event *event, uint64_t delta_ns)
{
	size_t body = event_size(event);
	size_t packet = 2 + 1 + pb_varint_size(delta_ns) + 1 + pb_varint_size(body) + body;
	uint8_t *p;

	pb_reserve(&w->out, FAST_EVENT_MAX + event->payload_bytes);
	p = w->out.data + w->out.length;
	*p++ = TRACE_PACKET << 3 | PB_BYTES;
	p = pb_put_varint(p, packet);
	*p++ = TAG1(PACKET_SEQUENCE_ID);
	*p++ = SEQUENCE_ID;
	*p++ = TAG1(PACKET_TIMESTAMP);
	p = pb_put_varint(p, delta_ns);
	*p++ = PACKET_TRACK_EVENT << 3 | PB_BYTES;
	p = pb_put_varint(p, body);
	p = put_event_body(p, event);
	w->out.length = (size_t)(p - w->out.data);
	w->packets++;
	if (w->out.length >= FLUSH_BYTES)
		flush(w);
}

void writer_event(struct writer *w, const struct event *event)
{
	uint64_t ns = event->at / 1000;

	if (names_pending || event->clipped_key || ns < w->last_ns) {
		put_event(w, event);
	} else {
		put_event_fast(w, event, ns - w->last_ns);
		w->last_ns = ns;
	}
	if (event->type == EVENT_BEGIN)
		w->slices++;
}
