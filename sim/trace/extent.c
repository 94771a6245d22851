/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the packets' timestamps and nothing else: each is the difference from the one before. An
 * event that was written late names an absolute clock and does not count; see writer.c.
 */
#include "sim/trace/extent.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define BUFFER_BYTES (1u << 20)
#define PACKET_MAX   (1u << 20) /* ours have a few hundred bytes, the first one a few thousand */

enum { TAG_PACKET = 1 << 3 | 2 };
enum { PACKET_TIMESTAMP = 8, PACKET_TIMESTAMP_CLOCK_ID = 58 };
enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct bytes {
	const uint8_t *at, *end;
};

static bool take_varint(struct bytes *in, uint64_t *value)
{
	*value = 0;
	for (unsigned int shift = 0; shift < 64 && in->at < in->end; shift += 7) {
		const uint8_t byte = *in->at++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool skip(struct bytes *in, uint64_t length)
{
	if (length > (uint64_t)(in->end - in->at))
		return false;
	in->at += length;
	return true;
}

static bool skip_field(struct bytes *in, uint64_t tag)
{
	uint64_t value;

	switch (tag & 7) {
	case WIRE_VARINT:
		return take_varint(in, &value);
	case WIRE_FIXED64:
		return skip(in, 8);
	case WIRE_BYTES:
		return take_varint(in, &value) && skip(in, value);
	case WIRE_FIXED32:
		return skip(in, 4);
	default:
		return false;
	}
}

struct clock {
	struct trace_extent extent;
	bool started;
};

static bool read_packet(struct bytes in, struct clock *clock)
{
	uint64_t delta = 0, tag, clock_id;
	bool timed = false, absolute = false;

	while (in.at < in.end) {
		if (!take_varint(&in, &tag))
			return false;
		if (tag == (PACKET_TIMESTAMP << 3 | WIRE_VARINT)) {
			timed = take_varint(&in, &delta);
			if (!timed)
				return false;
		} else if (tag == (PACKET_TIMESTAMP_CLOCK_ID << 3 | WIRE_VARINT)) {
			absolute = take_varint(&in, &clock_id);
			if (!absolute)
				return false;
		} else if (!skip_field(&in, tag)) {
			return false;
		}
	}
	if (!timed || absolute)
		return true;
	clock->extent.last_ns += delta;
	if (!clock->started)
		clock->extent.first_ns = clock->extent.last_ns;
	clock->started = true;
	return true;
}

/* The next packet's length: 1, 0 at the end of what there is, -1 if this is no packet. */
static int read_length(FILE *file, size_t *length)
{
	int byte = getc(file);

	if (byte == EOF)
		return 0;
	if (byte != TAG_PACKET)
		return -1;
	*length = 0;
	for (unsigned int shift = 0; shift < 28; shift += 7) {
		byte = getc(file);
		if (byte == EOF)
			return 0;
		*length |= (size_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return *length <= PACKET_MAX ? 1 : -1;
	}
	return -1;
}

static int read_packets(FILE *file, uint8_t *packet, struct clock *clock)
{
	size_t length, packets = 0;
	int found;

	while ((found = read_length(file, &length)) > 0) {
		if (fread(packet, 1, length, file) < length)
			break;
		if (!read_packet((struct bytes){packet, packet + length}, clock))
			found = -1;
		if (found < 0)
			break;
		packets++;
	}
	if (ferror(file))
		return -1;
	if (found < 0 || !packets) {
		errno = EILSEQ;
		return -1;
	}
	return 0;
}

int trace_read_extent(const char *path, struct trace_extent *extent)
{
	struct clock clock = {0};
	FILE *file = fopen(path, "r");
	uint8_t *packet = malloc(PACKET_MAX);
	int status = -1, error;

	if (file && packet) {
		setvbuf(file, NULL, _IOFBF, BUFFER_BYTES);
		status = read_packets(file, packet, &clock);
	}
	error = errno;
	free(packet);
	if (file)
		fclose(file);
	*extent = clock.extent;
	errno = error;
	return status;
}
