/* SPDX-License-Identifier: BSD-3-Clause */
/* What the library and its user drivers share. */
#ifndef WORKLOADS_LIBWD_WD_INTERNAL_H
#define WORKLOADS_LIBWD_WD_INTERNAL_H

#include "workloads/include/program.h"
#include "workloads/libwd/wd.h"

/* A device as sysfs describes it; a local of wd_request_queue(). */
struct wd_device {
	char name[WD_NAME_BYTES]; /* of the class device and of the node in /dev */
	uint32_t id;
	uint32_t driver; /* index into wd_drivers */
	uint64_t instances, mmio_bytes, dus_bytes;
};

/* A user driver: the protocol of one type of queue. Calls other than open and close are made with the queue locked. */
struct wd_driver {
	const char *const *apis; /* sysfs attribute api: those that it speaks; ends with NULL */
	/* The node is open in q->fd; `scratch`: a page of the process's memory. Sets number, depth, priv. */
	int (*open)(struct wd_queue *q, const struct wd_device *device, uint64_t scratch);
	void (*close)(struct wd_queue *q);
	int (*send)(struct wd_queue *q, struct wd_msg *msg);
	int (*recv)(struct wd_queue *q, struct wd_msg **msg);
	void (*flush)(struct wd_queue *q);
	/* The next completion makes the node readable. False: nothing is in flight */
	bool (*arm)(struct wd_queue *q);
	/* Address of a word that changes with the next completion; 0: it is there already */
	uint64_t (*completion_word)(struct wd_queue *q);
};

extern const struct wd_driver wd_drv_qm;
extern const struct wd_driver *const wd_drivers[];
extern const unsigned int wd_driver_count;

/* The best device for the queue's algorithm: 0, or -ENODEV. */
int wd_device_find(const struct wd_queue *q, uint64_t scratch, struct wd_device *found);

#endif
