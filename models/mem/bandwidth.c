/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared pipes of limited bandwidth: see bandwidth.h. */
#include "models/mem/bandwidth.h"

#include <assert.h>
#include <stdlib.h>

struct bandwidth *bandwidth_new(unsigned int pipes, unsigned int clients, uint32_t mb_s)
{
	struct bandwidth *bandwidth = calloc(1, sizeof(*bandwidth));

	if (!bandwidth)
		return NULL;
	bandwidth->pipe_count = pipes;
	bandwidth->client_count = clients;
	bandwidth->pipes = calloc(pipes, sizeof(*bandwidth->pipes));
	bandwidth->clients = calloc(clients, sizeof(struct bandwidth_client *));
	if (!bandwidth->pipes || !bandwidth->clients) {
		bandwidth_free(bandwidth);
		return NULL;
	}
	for (unsigned int i = 0; i < pipes; i++)
		bandwidth->pipes[i].mb_s = mb_s;
	return bandwidth;
}

void bandwidth_free(struct bandwidth *bandwidth)
{
	if (!bandwidth)
		return;
	for (unsigned int i = 0; bandwidth->clients && i < bandwidth->client_count; i++)
		free(bandwidth->clients[i]);
	free(bandwidth->clients);
	free(bandwidth->pipes);
	free(bandwidth);
}

struct bandwidth_client *bandwidth_client(struct bandwidth *bandwidth, unsigned int client)
{
	struct bandwidth_client **slot = &bandwidth->clients[client];

	assert(client < bandwidth->client_count);
	if (!*slot) {
		*slot = calloc(1,
			       sizeof(**slot) + bandwidth->pipe_count * sizeof((*slot)->booked[0]));
		if (!*slot)
			abort(); /* the host is out of memory */
	}
	return *slot;
}

struct bandwidth_slot bandwidth_book_steady(struct bandwidth *bandwidth,
					    struct bandwidth_client *client, unsigned int pipe,
					    uint32_t bytes)
{
	const struct bandwidth_slot slot =
		bandwidth_share(bandwidth, client, pipe, bytes, bandwidth->active + 1);

	if (bandwidth->steady_busy < slot.end)
		bandwidth->steady_busy = slot.end;
	return slot;
}

/* The queue is counted in transactions of the newcomer's own size. */
void bandwidth_note_queue(struct bandwidth_use *use, sim_time busy, sim_time wait)
{
	uint64_t queue = busy ? wait / busy + 1 : 1;

	if (queue > use->under_way)
		queue = use->under_way;
	if (queue > use->resource.waiting_max)
		use->resource.waiting_max = (uint32_t)queue;
}
