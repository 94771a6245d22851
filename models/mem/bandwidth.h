/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pipes of limited bandwidth (DRAM channels, the last-level cache's data path, links), shared by
 * clients: who gets when how much of them.
 *
 * A pipe never idles while it has work. Clients that have transactions under way share it
 * equally, byte by byte, as by round robin over slices: a short transfer does not wait behind
 * all the long ones that another client has queued. A booking is final, so that it costs no
 * event: it ends at the client's own fair share or when all that was booked before has passed,
 * whichever is earlier. What a client gains over first-come-first-served delays what is booked
 * later, not what was booked before.
 */
#ifndef MODELS_MEM_BANDWIDTH_H
#define MODELS_MEM_BANDWIDTH_H

#include <stdint.h>

#include "sim/engine/engine.h"
#include "sim/stats/resource.h"

struct bandwidth_pipe {
	sim_time free;	/* when it has moved all that is booked */
	uint64_t carry; /* of the last division, in 1/mb_s ps */
	uint32_t mb_s;	/* 10^6 bytes a second */
};

struct bandwidth_client {
	uint32_t under_way; /* transactions */
	sim_time booked[];  /* by pipe: when its last booking ends */
};

struct bandwidth {
	struct bandwidth_pipe *pipes;
	struct bandwidth_client **clients; /* NULL: has sent nothing yet */
	unsigned int pipe_count, client_count;
	unsigned int active;  /* clients with transactions under way */
	sim_time steady_busy; /* until when the client that has no transactions keeps pipes busy */
};

/* All pipes have the same rate at first; NULL: the host has no memory. */
struct bandwidth *bandwidth_new(unsigned int pipes, unsigned int clients, uint32_t mb_s);
void bandwidth_free(struct bandwidth *bandwidth);

/* Valid as long as the pipes are. */
struct bandwidth_client *bandwidth_client(struct bandwidth *bandwidth, unsigned int client);

/* Brackets a transaction. A client that never does shares while what it booked passes. */
static inline void bandwidth_begin(struct bandwidth *bandwidth, struct bandwidth_client *client)
{
	if (!client->under_way++)
		bandwidth->active++;
}

static inline void bandwidth_end(struct bandwidth *bandwidth, struct bandwidth_client *client)
{
	if (!--client->under_way)
		bandwidth->active--;
}

struct bandwidth_slot {
	sim_time end;  /* the last byte has passed */
	sim_time busy; /* what the bytes take on an idle pipe */
};

/*
 * Appends to what is booked. Exact over a busy period: no rounding adds up. Returns the busy
 * time.
 */
static inline sim_time bandwidth_append(struct bandwidth_pipe *pipe, uint32_t bytes)
{
	if (pipe->free < sim_now()) {
		pipe->free = sim_now();
		pipe->carry = 0;
	}
	const uint64_t work = (uint64_t)bytes * 1000000 + pipe->carry;
	const sim_time busy = work / pipe->mb_s;

	pipe->carry = work % pipe->mb_s;
	pipe->free += busy;
	return busy;
}

static inline struct bandwidth_slot bandwidth_share(struct bandwidth *bandwidth,
						    struct bandwidth_client *client,
						    unsigned int pipe, uint32_t bytes,
						    unsigned int sharers)
{
	const sim_time busy = bandwidth_append(&bandwidth->pipes[pipe], bytes);
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

/* Books `bytes` on a pipe, from now on. */
static inline struct bandwidth_slot bandwidth_book(struct bandwidth *bandwidth,
						   struct bandwidth_client *client,
						   unsigned int pipe, uint32_t bytes)
{
	return bandwidth_share(bandwidth, client, pipe, bytes,
			       bandwidth->active + (bandwidth->steady_busy > sim_now()));
}

struct bandwidth_slot bandwidth_book_steady(struct bandwidth *bandwidth,
					    struct bandwidth_client *client, unsigned int pipe,
					    uint32_t bytes);
/* A group of pipes as a contended resource. */
struct bandwidth_use {
	struct resource resource;
	uint64_t busy_ps;	/* booked; the resource shows what is not ahead of now */
	unsigned int under_way; /* transactions */
};

void bandwidth_note_queue(struct bandwidth_use *use, sim_time busy, sim_time wait);

/* A transaction begins, and would wait; its owner counts under_way down. */
static inline void bandwidth_queued(struct bandwidth_use *use, sim_time busy, sim_time wait)
{
	use->under_way++;
	if (wait)
		bandwidth_note_queue(use, busy, wait);
}

/* A service as a whole. */
static inline void bandwidth_used(struct bandwidth_use *use, sim_time busy, sim_time wait)
{
	const uint64_t possible = use->resource.servers * sim_now();

	use->busy_ps += busy;
	resource_add(&use->resource, 0, wait);
	use->resource.busy_ps = use->busy_ps < possible ? use->busy_ps : possible;
}

#endif
