/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory model's data paths: which channel has which line, and their bookings.
 */
#include <assert.h>

#include "models/mem/memory_internal.h"

static_assert(MEMORY_MAX_CHANNELS <= 64, "a mask of channels");

/* Sums the digits of the unit's number, so that strides spread as well as sequences do. */
static unsigned int channel_of(const struct memory *memory, uint64_t unit)
{
	const uint32_t channels = memory->params.channels;
	const uint64_t rounds = unit / channels;

	return (unsigned int)((unit + rounds + rounds / channels) % channels);
}

/* A page's lines by channel. Returns a mask of channels. */
static uint64_t split(const struct memory *memory, uint64_t page, uint64_t mask,
		      uint8_t lines[MEMORY_MAX_CHANNELS])
{
	const unsigned int unit_lines = memory->unit_lines;
	const uint64_t unit_mask = ALL_LINES >> (PAGE_LINES - unit_lines);
	const uint64_t page_unit = (page << LINES_PAGE_BITS) / memory->params.interleave_bytes;
	uint64_t channels = 0;

	while (mask) {
		const unsigned int unit = (unsigned int)__builtin_ctzll(mask) / unit_lines;
		const uint64_t part = mask & unit_mask << unit * unit_lines;
		const unsigned int channel = channel_of(memory, page_unit + unit);

		mask &= ~part;
		if (!(channels >> channel & 1))
			lines[channel] = 0;
		channels |= UINT64_C(1) << channel;
		lines[channel] = (uint8_t)(lines[channel] + lines_count(part));
	}
	return channels;
}

static struct bandwidth_slot book_pipe(struct memory *memory, enum booking kind,
				       struct bandwidth_client *client, unsigned int pipe,
				       uint32_t bytes)
{
	if (kind == BOOK_TXN)
		return bandwidth_book(memory->bandwidth, client, pipe, bytes);
	if (kind == BOOK_CPU)
		return bandwidth_book_steady(memory->bandwidth, client, pipe, bytes);
	return (struct bandwidth_slot){
		.busy = bandwidth_append(&memory->bandwidth->pipes[pipe], bytes)};
}

struct bandwidth_slot memory_book_channels(struct memory *memory, enum booking kind,
					   struct bandwidth_client *client, unsigned int node,
					   uint64_t page, uint64_t mask, sim_time *busy_sum)
{
	const unsigned int first = node * memory->params.channels;
	const bool even = memory->even_pages && mask == ALL_LINES;
	uint8_t lines[MEMORY_MAX_CHANNELS];
	uint64_t channels = even ? ALL_LINES >> (64 - memory->params.channels)
				 : split(memory, page, mask, lines);
	uint32_t bytes = SIM_TXN_MAX_BYTES / memory->params.channels;
	struct bandwidth_slot all = {0};

	*busy_sum = 0;
	for (; channels; channels &= channels - 1) {
		const unsigned int channel = (unsigned int)__builtin_ctzll(channels);

		if (!even)
			bytes = lines[channel] * MEMORY_LINE_BYTES;
		const struct bandwidth_slot slot =
			book_pipe(memory, kind, client, first + channel, bytes);

		*busy_sum += slot.busy;
		if (all.end < slot.end)
			all.end = slot.end;
		if (all.busy < slot.busy)
			all.busy = slot.busy;
	}
	return all;
}

void memory_write_back(void *arg, uint64_t page, uint64_t mask)
{
	struct memory *memory = arg;
	const unsigned int node = memory_node(memory, page << LINES_PAGE_BITS);
	sim_time busy;

	if (memory->stream_end) {
		const struct bandwidth_slot slot = memory_book_channels(
			memory, BOOK_CPU, bandwidth_client(memory->bandwidth, CLIENT_CPUS), node,
			page, mask, &busy);

		if (*memory->stream_end < slot.end)
			*memory->stream_end = slot.end;
	} else {
		memory_book_channels(memory, BOOK_POSTED, NULL, node, page, mask, &busy);
	}
	bandwidth_used(&memory->nodes[node].channels, busy, 0);
	memory->writebacks += lines_count(mask);
}
