/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine behind workloads/include/program.h that is just enough for the library: a process's memory whose addresses are
 * no host addresses, the system calls that it makes, and a device that executes copies at its doorbell.
 */
#ifndef TESTS_WORKLOADS_LIBWD_FAKE_MACHINE_H
#define TESTS_WORKLOADS_LIBWD_FAKE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

struct fake_device {
	const char *name, *api, *algorithms, *flags, *instances;
};

struct fake {
	/* what there is */
	const struct fake_device *devices;
	unsigned int device_count;
	uint16_t sq_depth, cq_depth;
	uint32_t sqe_size;
	uint32_t push_entries; /* of the push window; 0: there is none */
	/* what goes wrong: the n-th system call of this number fails with this error */
	uint64_t fail_number;
	unsigned int fail_nth;
	int64_t fail_error;
	unsigned int cas_failures; /* somebody else holds the lock for so long */
	uint32_t next_status;	   /* of the next requests; 0: success */
	bool reverse;		   /* completes what a doorbell brings in reverse order */
	bool hold;		   /* completes nothing before the next poll */
	/* what happened */
	unsigned int open_fds, mapped, sq_doorbells, cq_doorbells, arms, polls, lock_polls, started,
		put, pushes, priority;
	unsigned int sends, submitted, received, received_ok, queues_opened, queues_closed;
	char opened[64]; /* last node */
	/* the queue's state */
	uint64_t mmio, dus;
	uint32_t head, tail, cq_tail, cq_head, phase;
	uint64_t line[8]; /* the push window's */
	unsigned int armed;
};

extern struct fake fake;

void fake_init(void);
void fake_set_dead(void);
void *fake_host(uint64_t va); /* looks into the process's memory */

#define FAKE_QUEUE 42

#endif
