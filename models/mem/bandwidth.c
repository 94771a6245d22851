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

struct bandwidth_client *bandwidth_steady_client(struct bandwidth *bandwidth, unsigned int client)
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

struct bandwidth_client *bandwidth_begin(struct bandwidth *bandwidth, unsigned int client)
{
	struct bandwidth_client *who = bandwidth_steady_client(bandwidth, client);

	if (!who->under_way++)
		bandwidth->active++;
	return who;
}

void bandwidth_end(struct bandwidth *bandwidth, unsigned int client)
{
	assert(bandwidth->clients[client]->under_way);
	if (!--bandwidth->clients[client]->under_way)
		bandwidth->active--;
}

/* Appends to what is booked. Exact over a busy period: no rounding adds up. */
static sim_time append(struct bandwidth_pipe *pipe, uint32_t bytes)
{
	if (pipe->free < sim_now()) {
		pipe->free = sim_now();
		pipe->carry = 0;
	}
	uint64_t work = (uint64_t)bytes * 1000000 + pipe->carry;
	sim_time busy = work / pipe->mb_s;

	pipe->carry = work % pipe->mb_s;
	pipe->free += busy;
	return busy;
}

static struct bandwidth_slot book(struct bandwidth *bandwidth, struct bandwidth_client *client,
				  unsigned int pipe, uint32_t bytes, unsigned int sharers)
{
	const sim_time busy = append(&bandwidth->pipes[pipe], bytes);
	struct bandwidth_slot slot = {.end = bandwidth->pipes[pipe].free, .busy = busy};

	if (sharers > 1) {
		sim_time from = client->booked[pipe];

		if (from < sim_now())
			from = sim_now();
		if (slot.end > from + busy * sharers)
			slot.end = from + busy * sharers;
	}
	client->booked[pipe] = slot.end;
	return slot;
}

struct bandwidth_slot bandwidth_book(struct bandwidth *bandwidth, struct bandwidth_client *client,
				     unsigned int pipe, uint32_t bytes)
{
	return book(bandwidth, client, pipe, bytes,
		    bandwidth->active + (bandwidth->steady_busy > sim_now()));
}

struct bandwidth_slot bandwidth_book_steady(struct bandwidth *bandwidth,
					    struct bandwidth_client *client, unsigned int pipe,
					    uint32_t bytes)
{
	struct bandwidth_slot slot = book(bandwidth, client, pipe, bytes, bandwidth->active + 1);

	if (bandwidth->steady_busy < slot.end)
		bandwidth->steady_busy = slot.end;
	return slot;
}

sim_time bandwidth_book_posted(struct bandwidth *bandwidth, unsigned int pipe, uint32_t bytes)
{
	return append(&bandwidth->pipes[pipe], bytes);
}

/* The queue is counted in transactions of the newcomer's own size. */
void bandwidth_queued(struct bandwidth_use *use, sim_time busy, sim_time wait)
{
	use->under_way++;
	if (!wait)
		return;
	uint64_t queue = busy ? wait / busy + 1 : 1;

	if (queue > use->under_way)
		queue = use->under_way;
	if (queue > use->resource.waiting_max)
		use->resource.waiting_max = (uint32_t)queue;
}

void bandwidth_used(struct bandwidth_use *use, sim_time busy, sim_time wait)
{
	const uint64_t possible = use->resource.servers * sim_now();

	use->busy_ps += busy;
	resource_add(&use->resource, 0, wait);
	use->resource.busy_ps = use->busy_ps < possible ? use->busy_ps : possible;
}
