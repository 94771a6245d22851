/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pipes of limited bandwidth (DRAM channels, the last-level cache's data path, links), shared by
 * clients: who gets when how much of them.
 *
 * A pipe never idles while it has work. Clients that have transactions under way share it equally,
 * byte by byte, as by round robin over slices: a short transfer does not wait behind all
 * the long ones that another client has queued. A booking is final, so that it costs no event: it ends
 * at the client's own fair share or when all that was booked before has passed, whichever is earlier. What a
 * client gains over first-come-first-served delays what is booked later, not what was booked before.
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

/* Brackets a transaction. */
struct bandwidth_client *bandwidth_begin(struct bandwidth *bandwidth, unsigned int client);
void bandwidth_end(struct bandwidth *bandwidth, unsigned int client);

/* A client that books without transactions: it shares while what it booked passes. */
struct bandwidth_client *bandwidth_steady_client(struct bandwidth *bandwidth, unsigned int client);

struct bandwidth_slot {
	sim_time end;  /* the last byte has passed */
	sim_time busy; /* what the bytes take on an idle pipe */
};

/* Books `bytes` on a pipe, from now on. */
struct bandwidth_slot bandwidth_book(struct bandwidth *bandwidth, struct bandwidth_client *client,
				     unsigned int pipe, uint32_t bytes);
struct bandwidth_slot bandwidth_book_steady(struct bandwidth *bandwidth,
					    struct bandwidth_client *client, unsigned int pipe,
					    uint32_t bytes);
/* For what nobody waits for. Returns its busy time. */
sim_time bandwidth_book_posted(struct bandwidth *bandwidth, unsigned int pipe, uint32_t bytes);

/* A group of pipes as a contended resource. */
struct bandwidth_use {
	struct resource resource;
	uint64_t busy_ps;	/* booked; the resource shows what is not ahead of now */
	unsigned int under_way; /* transactions */
};

/* A transaction begins, and would wait; its owner counts under_way down. */
void bandwidth_queued(struct bandwidth_use *use, sim_time busy, sim_time wait);
/* A service as a whole. */
void bandwidth_used(struct bandwidth_use *use, sim_time busy, sim_time wait);

#endif
