/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A queue of the accelerator by system calls alone, without libwd: for tests that need what a library would not do.
 * A raw_queue is a local of the program's thread.
 */
#ifndef TESTS_E2E_RAW_QUEUE_H
#define TESTS_E2E_RAW_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define RAW_PROT_RW 3 /* PROT_READ | PROT_WRITE */
#define RAW_STATUS_OK 1u

struct raw_queue {
	int64_t fd;
	unsigned int device; /* number in the names of marks: accelerators in the order of boot */
	unsigned int sqn;
	uint32_t depth;
	uint64_t mmio, dus; /* process addresses */
	uint64_t mmio_bytes, dus_bytes;
	uint32_t tail, head; /* SQ tail, CQ head */
	unsigned int phase;
};

struct raw_sqe {
	uint8_t opcode, flags;
	uint16_t tag;
	uint32_t length;
	uint64_t source, destination;
	uint32_t seed, reserved0;
	uint32_t status, done, result, reserved1;
	uint64_t fault_address, reserved2;
};

/* A string or a struct in the process's memory, in a scratch page of its own: its address. */
uint64_t raw_string(const char *text);
uint64_t raw_pages(unsigned int pages); /* anonymous, private, readable and writable */

int64_t raw_open(struct raw_queue *q, unsigned int device); /* open(2): fd or negative errno; the queue is not started */
int64_t raw_map(struct raw_queue *q); /* both regions, and SET_QP_CTX, SET_QP_INFO */
int64_t raw_start(struct raw_queue *q);
int64_t raw_put(struct raw_queue *q);
void raw_close(struct raw_queue *q);
/* The four steps from open to start; 0 or the first negative errno. */
int64_t raw_queue_new(struct raw_queue *q, unsigned int device);

/* Writes an SQE at the tail, without its doorbell; returns its index. */
unsigned int raw_push(struct raw_queue *q, const struct raw_sqe *sqe);
void raw_doorbell(struct raw_queue *q, uint64_t value); /* any value */
void raw_ring(struct raw_queue *q); /* tells the tail */
/* Waits by polling for the next completion and reads its SQE back; false after `timeout_us`. */
bool raw_pop(struct raw_queue *q, struct raw_sqe *sqe, uint64_t timeout_us);

/* push, ring, pop: the SQE's status, or 0 after `timeout_us`. */
uint32_t raw_copy(struct raw_queue *q, uint64_t source, uint64_t destination, uint32_t length, uint64_t timeout_us);

#endif
