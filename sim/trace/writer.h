/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes TrackEvent packets to a file: clock, interned strings, track descriptors, events.
 *
 * Timestamps are the difference to the packet before in nanoseconds, on a clock of the sequence's
 * own; a packet that lies before its predecessor names the absolute clock instead. Output goes out
 * in large chunks.
 */
#ifndef SIM_TRACE_WRITER_H
#define SIM_TRACE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/engine.h"
#include "sim/trace/pb.h"

enum event_type { EVENT_BEGIN = 1, EVENT_END = 2, EVENT_INSTANT = 3, EVENT_COUNTER = 4 };

/* Fields of TrackEvent that a payload is made of. */
enum { TRACK_EVENT_DEBUG_ANNOTATIONS = 4, TRACK_EVENT_FLOW_IDS = 47, TRACK_EVENT_FLOW_ENDS = 48 };
enum {
	DEBUG_ANNOTATION_NAME_IID = 1,
	DEBUG_ANNOTATION_BOOL = 2,
	DEBUG_ANNOTATION_UINT = 3,
	DEBUG_ANNOTATION_INT = 4,
	DEBUG_ANNOTATION_STRING = 6,
	DEBUG_ANNOTATION_POINTER = 7,
};

struct writer {
	int fd;
	int error; /* errno of the first failure; nothing is written after it */
	struct pb out;
	uint64_t last_ns;
	uint64_t packets, bytes, slices;
};

enum track_kind { TRACK_PLAIN, TRACK_LANE, TRACK_COUNTER };

struct track_descriptor {
	uint64_t uuid, parent_uuid; /* parent 0: none */
	const char *name;
	enum track_kind kind;
	const char *unit; /* counters */
	int rank;
};

struct event {
	enum event_type type;
	uint64_t track_uuid;
	sim_time at;
	uint32_t category, name; /* iids; 0: none */
	int64_t value;		 /* counters */
	const uint8_t *payload;
	size_t payload_bytes;
	uint32_t clipped_key; /* iid of the annotation that marks a clipped slice; 0: not clipped */
};

/* Creates the file and writes the sequence's first packet. 0, or -1 with errno set. */
int writer_open(struct writer *w, const char *path, const char *const *categories,
		uint32_t category_count);
void writer_descriptor(struct writer *w, const struct track_descriptor *track);
void writer_event(struct writer *w, const struct event *event);
/* 0, or -1 with errno set to the first error of all. */
int writer_close(struct writer *w);

#endif
