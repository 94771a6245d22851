/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protobuf wire format, append only: tags, varints, fixed64 and length-delimited fields at the
 * end of a growing buffer. No parsing, no zigzag (TrackEvent's int64 are plain varints).
 */
#ifndef SIM_TRACE_PB_H
#define SIM_TRACE_PB_H

#include <stdint.h>
#include <string.h>

#include "sim/stats/alloc.h"

struct pb {
	uint8_t *data;
	size_t length, capacity;
};

enum { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2 };

#define PB_VARINT_MAX 10u

static inline void pb_reserve(struct pb *pb, size_t more)
{
	if (__builtin_expect(pb->capacity - pb->length < more, 0)) {
		pb->capacity = 2 * pb->capacity + more;
		pb->data = must_realloc(pb->data, pb->capacity, 1);
	}
}

static inline size_t pb_varint_size(uint64_t value)
{
	unsigned int bits = 64u - (unsigned int)__builtin_clzll(value | 1);

	return (bits * 9 + 64) / 64; /* = ceil(bits / 7) for 1 … 64 */
}

/* Writes at p, where room has been reserved, and returns the end. */
static inline uint8_t *pb_put_varint(uint8_t *p, uint64_t value)
{
	while (value >= 0x80) {
		*p++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*p++ = (uint8_t)value;
	return p;
}

static inline void pb_varint(struct pb *pb, uint64_t value)
{
	pb_reserve(pb, PB_VARINT_MAX);
	pb->length = (size_t)(pb_put_varint(pb->data + pb->length, value) - pb->data);
}

static inline void pb_u64(struct pb *pb, unsigned int field, uint64_t value)
{
	pb_varint(pb, field << 3 | PB_VARINT);
	pb_varint(pb, value);
}

static inline void pb_fixed64(struct pb *pb, unsigned int field, uint64_t value)
{
	pb_varint(pb, field << 3 | PB_FIXED64);
	pb_reserve(pb, 8);
	for (unsigned int i = 0; i < 8; i++)
		pb->data[pb->length++] = (uint8_t)(value >> (8 * i));
}

static inline void pb_raw(struct pb *pb, const void *bytes, size_t size)
{
	if (size == 0)
		return;
	pb_reserve(pb, size);
	memcpy(pb->data + pb->length, bytes, size);
	pb->length += size;
}

static inline void pb_string(struct pb *pb, unsigned int field, const char *string)
{
	size_t size = strlen(string);

	pb_varint(pb, field << 3 | PB_BYTES);
	pb_varint(pb, size);
	pb_raw(pb, string, size);
}

/* Opens a nested message. One byte is kept for its length; pb_close() makes room if that is not
 * enough. */
static inline size_t pb_open(struct pb *pb, unsigned int field)
{
	pb_varint(pb, field << 3 | PB_BYTES);
	pb_reserve(pb, 1);
	return ++pb->length;
}

static inline void pb_close(struct pb *pb, size_t start)
{
	size_t size = pb->length - start;
	size_t extra = pb_varint_size(size) - 1;

	if (__builtin_expect(extra != 0, 0)) {
		pb_reserve(pb, extra);
		memmove(pb->data + start + extra, pb->data + start, size);
	}
	pb->length = start - 1;
	pb_reserve(pb, PB_VARINT_MAX);
	pb_varint(pb, size);
	pb->length += size;
}

#endif
