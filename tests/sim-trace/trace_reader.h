/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads back, for tests, what the trace writer wrote: a protobuf reader of its own, which knows the
 * packets' fields and fails the test on any other, the clock, and the interned strings.
 */
#ifndef TESTS_SIM_TRACE_TRACE_READER_H
#define TESTS_SIM_TRACE_TRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_event {
	unsigned int type; /* 1 begin, 2 end, 3 instant, 4 counter */
	uint64_t ns, track;
	const char *name, *category; /* "" if none */
	int64_t value;
	uint64_t flow, flow_end;
	unsigned int arg_count;
	struct {
		const char *key;
		uint64_t number;
		char text[32];
	} args[6];
	bool absolute; /* it named the absolute clock */
};

struct trace_track_info {
	uint64_t uuid, parent;
	char name[64];
	int64_t rank;
	unsigned int merge;
	bool counter;
	char unit[16];
};

struct trace_file {
	struct trace_event *events; /* in the order of the file */
	size_t count;
	struct trace_track_info tracks[512];
	size_t track_count;
	uint64_t packets, bytes;
	unsigned int misnested; /* ends without a begin, slices left open, events on undescribed
				   tracks */
};

const char *trace_reader_path(void); /* a file for this process */
struct trace_file trace_reader_load(const char *path);
void trace_reader_free(struct trace_file *file); /* and removes the file */
const struct trace_track_info *trace_reader_track(const struct trace_file *file, uint64_t uuid);

#endif
