/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * WarpDrive: the user library of accelerators with shared virtual addressing, on mainline uacce.
 *
 * A queue, and the messages that travel on it, live in the process's memory: the pointers below are
 * process addresses, to be looked at with LOAD() and written with STORE(). wd_queue_init() and
 * wd_msg_write()/wd_msg_read() do so for whole structures.
 *
 *	struct wd_queue *q = umem_alloc(arena, sizeof(*q), 64);
 *	wd_queue_init(q, "copy");
 *	wd_request_queue(q);
 *	wd_send(q, msg);
 *	while (!wd_recv(q, &done))
 *		wd_wait_line(q, 0);
 *	wd_release_queue(q);
 *
 * Any thread of the process may use a queue: a spinlock in it keeps them apart. A forked child may not: the
 * kernel does not give it the queue's memory, so its first access ends it with SIGSEGV.
 *
 * Errors are negative errno values.
 */
#ifndef WORKLOADS_LIBWD_WD_H
#define WORKLOADS_LIBWD_WD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WD_NAME_BYTES 32
#define WD_ANY_DEVICE UINT32_MAX

struct wd_queue {
	/* the caller's, before wd_request_queue() */
	char algorithm[WD_NAME_BYTES]; /* "copy", "crc32c", as in the device's sysfs attribute */
	uint32_t
		device; /* number of the accelerator (its uacce id), or WD_ANY_DEVICE; set to the one chosen */
	uint32_t batch;	  /* a doorbell every so many sends, and by wd_flush(); 1 by default */
	uint32_t channel; /* enum wd_channel: how SQEs reach the device */
	uint32_t
		priority; /* of its requests to a device that arbitrates by it, 0 (lowest) to 7; may be changed later */
	/* set by wd_request_queue() */
	int32_t fd;
	uint32_t number; /* of the queue pair in its device */
	uint32_t
		depth; /* of its rings, or less where the channel holds less: depth - 1 requests can be in flight */
	int32_t error;	 /* why the last call that returns a pointer returned NULL */
	uint64_t priv;	 /* the user driver's, in the process's memory */
	uint32_t driver; /* which */
	uint32_t lock;
	/* struct pollfd of wd_recv_sync(); several threads may wait with it, since nobody reads what comes back */
	int32_t poll_fd;
	int16_t poll_events, poll_revents;
};

/* In memory that both share, with a doorbell; or by stores to the device, which need none. */
enum wd_channel { WD_CHANNEL_SHARED, WD_CHANNEL_MMIO };

enum wd_op { WD_OP_COPY = 1, WD_OP_CRC32C = 2 };

enum wd_status {
	WD_SUCCESS = 1,
	WD_BAD_OPCODE = 0x81,
	WD_BAD_LENGTH = 0x82,
	WD_BAD_FIELD = 0x83,
	WD_ABORTED = 0x84,
	WD_READ_FAILED = 0x91,
	WD_WRITE_FAILED = 0x92,
};

/* A request: one cache line. Belongs to the queue from wd_send() until wd_recv() gives it back. */
struct wd_msg {
	uint64_t source, destination;
	uint32_t op, length; /* enum wd_op; bytes */
	uint32_t seed;	     /* CRC-32C: of what came before, 0 at first */
	uint32_t user;	     /* the caller's */
	/* filled in by wd_recv() */
	uint32_t status; /* enum wd_status */
	uint32_t bytes_done;
	uint32_t result; /* CRC-32C */
	uint32_t reserved;
	uint64_t fault_address; /* of the access that failed */
	uint64_t cookie;	/* the caller's */
};

/* Empties the queue structure and asks for an algorithm on any device, without batching. */
void wd_queue_init(struct wd_queue *q, const char *algorithm);
void wd_msg_write(struct wd_msg *msg, const struct wd_msg *local);
void wd_msg_read(const struct wd_msg *msg, struct wd_msg *local);

/*
 * Finds the devices that have the algorithm and a user driver here (by the sysfs attributes api and algorithms), and
 * opens a queue on the one with the most queues left. -ENODEV: there is none; -EOPNOTSUPP: it does not have the channel.
 */
int wd_request_queue(struct wd_queue *q);
/* What is still in flight is lost: the device ends it as aborted. */
void wd_release_queue(struct wd_queue *q);

/* `req` is a struct wd_msg. 0; -EBUSY: the ring is full, receive first; -EIO: the queue is dead. */
int wd_send(struct wd_queue *q, void *req);
/*
 * 1 and a request that has ended, well or not (see its status), in *req, a variable of the caller; 0: none has
 * ended; -EIO: none, and the queue is dead. Sends what a batch has kept back when there is nothing to receive.
 */
int wd_recv(struct wd_queue *q, void **req);
/* As wd_recv(), but waits in the kernel, by poll(2). -ENODATA: nothing is in flight. */
int wd_recv_sync(struct wd_queue *q, void **req);
/* Rings the doorbell for requests that a batch has kept back. */
void wd_flush(struct wd_queue *q);

/* Keeps the CPU busy until the next completion is written, at most `timeout_ns` (0: no limit). May return early. */
void wd_wait_line(struct wd_queue *q, uint64_t timeout_ns);

/*
 * Memory reserved for devices without SVA (the SS region). Mainline uacce has none and devices with SVA need none:
 * NULL with q->error = -EOPNOTSUPP, and -EOPNOTSUPP.
 */
void *wd_reserve_memory(struct wd_queue *q, size_t size);
int wd_share_reserved_memory(struct wd_queue *q, struct wd_queue *target_q);

#endif
