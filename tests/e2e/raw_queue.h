/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A queue of the accelerator by system calls alone, without libwd: for tests that need what a
 * library would not do. A raw_queue is a local of the program's thread. Results are 0 or negative
 * errno unless said otherwise.
 */
#ifndef TESTS_E2E_RAW_QUEUE_H
#define TESTS_E2E_RAW_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define RAW_COPY   1u
#define RAW_CRC32C 2u

#define RAW_STATUS_OK		  1u
#define RAW_STATUS_BAD_OPCODE	  0x81u
#define RAW_STATUS_BAD_LENGTH	  0x82u
#define RAW_STATUS_RESERVED_FIELD 0x83u
#define RAW_STATUS_READ_FAILED	  0x91u
#define RAW_STATUS_WRITE_FAILED	  0x92u

#define RAW_IOC(direction, type, number, size)                                                     \
	(((uint64_t)(direction) << 30) | ((uint64_t)(size) << 16) | ((uint64_t)(type) << 8) |      \
	 (number))
#define RAW_START_Q	RAW_IOC(0, 'W', 0, 0)
#define RAW_PUT_Q	RAW_IOC(0, 'W', 1, 0)
#define RAW_SET_QP_CTX	RAW_IOC(3, 'H', 10, 4)
#define RAW_SET_QP_INFO RAW_IOC(3, 'H', 11, 16)

#define RAW_DOORBELL	0x1000u /* offset in the window */
#define RAW_DOORBELL_SQ 0u
#define RAW_DOORBELL_CQ 1u
#define RAW_DOORBELL_EQ 2u

struct raw_queue {
	int64_t fd;
	unsigned int device; /* accelerators in the order of boot */
	unsigned int sqn;
	uint32_t depth;
	uint64_t mmio, dus; /* process addresses */
	uint64_t mmio_bytes, dus_bytes;
	uint32_t tail, head; /* SQ tail, CQ head */
	unsigned int phase;
	/* Requests are meant to fail: the ledger of requests takes their errors for success */
	bool errors_expected;
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

/* A number that the device shows in sysfs; -1 if there is none */
int64_t raw_attribute(unsigned int device, const char *attribute);
uint64_t raw_pages(unsigned int pages); /* anonymous, private, readable and writable */

int64_t raw_open(struct raw_queue *q, unsigned int device); /* the fd; the queue is not started */
int64_t raw_map(struct raw_queue *q); /* both regions, and SET_QP_CTX, SET_QP_INFO */
int64_t raw_start(struct raw_queue *q);
int64_t raw_put(struct raw_queue *q);
void raw_close(struct raw_queue *q);
/* The steps from open to start. What was open after an error is closed. */
int64_t raw_queue_new(struct raw_queue *q, unsigned int device);

/* Writes an SQE at the tail, without its doorbell; returns its index. */
unsigned int raw_push(struct raw_queue *q, const struct raw_sqe *sqe);
void raw_doorbell(struct raw_queue *q, uint64_t value);
uint64_t raw_doorbell_value(unsigned int sqn, unsigned int command, unsigned int index);
void raw_ring(struct raw_queue *q); /* tells the tail */
void raw_arm(struct raw_queue *q);  /* tells the CQ's head and asks for an event */
/* Waits by polling for the next completion and reads its SQE back; false after `timeout_us`. */
bool raw_pop(struct raw_queue *q, struct raw_sqe *sqe, uint64_t timeout_us);

void raw_push_copy(struct raw_queue *q, uint64_t source, uint64_t destination, uint32_t length);
/* push, ring, pop; false after a time that no request may take */
bool raw_run(struct raw_queue *q, const struct raw_sqe *request, struct raw_sqe *answer);
/* Likewise; the SQE's status, or 0 */
uint32_t raw_copy(struct raw_queue *q, uint64_t source, uint64_t destination, uint32_t length);

#endif
