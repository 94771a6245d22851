/* SPDX-License-Identifier: BSD-3-Clause */
/* The library's calls: finding a device, locking, waiting; the protocol is the user driver's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "workloads/libwd/sys.h"
#include "workloads/libwd/umem.h"
#include "workloads/libwd/wd_internal.h"

/* A waiter looks again after this long, in case it missed the release */
#define LOCK_RETRY_NS 10000u

static const struct wd_driver *driver_of(const struct wd_queue *q)
{
	return wd_drivers[LOAD(&q->driver)];
}

static void wd_lock(struct wd_queue *q)
{
	while (prog_cas(PROG_VA(&q->lock), 0, 1, sizeof(q->lock))) {
		if (LOAD(&q->lock))
			prog_poll_line(PROG_VA(&q->lock), LOCK_RETRY_NS);
	}
}

/* Release semantics: what was written under the lock is seen before it is free. */
static void wd_unlock(struct wd_queue *q)
{
	prog_swap(PROG_VA(&q->lock), 0, sizeof(q->lock));
}

void wd_queue_init(struct wd_queue *q, const char *algorithm)
{
	struct wd_queue local = {.device = WD_ANY_DEVICE, .batch = 1, .fd = -1};

	snprintf(local.algorithm, sizeof(local.algorithm), "%s", algorithm);
	prog_write(PROG_VA(q), &local, sizeof(local));
}

void wd_msg_write(struct wd_msg *msg, const struct wd_msg *local)
{
	prog_write(PROG_VA(msg), local, sizeof(*local));
}

void wd_msg_read(const struct wd_msg *msg, struct wd_msg *local)
{
	prog_read(local, PROG_VA(msg), sizeof(*local));
}

static int open_on_device(struct wd_queue *q, const struct wd_device *device, uint64_t scratch)
{
	char path[WD_NAME_BYTES + 8];
	int64_t fd;
	int error;

	snprintf(path, sizeof(path), "/dev/%s", device->name);
	fd = sys_open(scratch, path, SYS_O_RDWR | SYS_O_CLOEXEC);
	if (fd < 0)
		return (int)fd;
	STORE(&q->fd, fd);
	STORE(&q->device, device->id);
	STORE(&q->driver, device->driver);
	STORE(&q->lock, 0);
	STORE(&q->poll_fd, fd);
	STORE(&q->poll_events, SYS_POLLIN);
	error = wd_drivers[device->driver]->open(q, device, scratch);
	if (error) {
		sys_close(fd);
		STORE(&q->fd, -1);
		return error;
	}
	return 0;
}

int wd_request_queue(struct wd_queue *q)
{
	uint64_t scratch = umem_map(SYS_PAGE);
	struct wd_device device;
	int error;

	if (!scratch)
		return -ENOMEM;
	error = wd_device_find(q, scratch, &device);
	if (!error)
		error = open_on_device(q, &device, scratch);
	umem_unmap(scratch, SYS_PAGE);
	return error;
}

void wd_release_queue(struct wd_queue *q)
{
	int32_t fd = LOAD(&q->fd);

	if (fd < 0)
		return;
	driver_of(q)->close(q);
	sys_close(fd);
	STORE(&q->fd, -1);
}

int wd_send(struct wd_queue *q, void *req)
{
	int error;

	wd_lock(q);
	error = driver_of(q)->send(q, req);
	wd_unlock(q);
	return error;
}

static int recv_locked(struct wd_queue *q, void **req)
{
	const struct wd_driver *driver = driver_of(q);
	struct wd_msg *msg = NULL;
	int received = driver->recv(q, &msg);

	if (received > 0)
		*req = msg;
	else
		driver->flush(q);
	return received;
}

int wd_recv(struct wd_queue *q, void **req)
{
	int received;

	wd_lock(q);
	received = recv_locked(q, req);
	wd_unlock(q);
	return received;
}

/*
 * Between arming and waiting there is no need to look again: if a completion has come meanwhile, the device
 * sends the event at once and the kernel remembers it.
 */
static int wait_in_kernel(struct wd_queue *q)
{
	int64_t ready = sys_poll(PROG_VA(&q->poll_fd));

	return ready < 0 && ready != -EINTR ? (int)ready : 0;
}

int wd_recv_sync(struct wd_queue *q, void **req)
{
	for (;;) {
		bool armed = false;
		int result;

		wd_lock(q);
		result = recv_locked(q, req);
		if (!result)
			armed = driver_of(q)->arm(q);
		wd_unlock(q);
		if (result)
			return result;
		if (!armed)
			return -ENODATA;
		result = wait_in_kernel(q);
		if (result)
			return result;
	}
}

void wd_flush(struct wd_queue *q)
{
	wd_lock(q);
	driver_of(q)->flush(q);
	wd_unlock(q);
}

void wd_wait_line(struct wd_queue *q, uint64_t timeout_ns)
{
	/* without the lock: the word must be what was loaded last, and a stale one only ends the wait early */
	uint64_t word = driver_of(q)->completion_word(q);

	if (word)
		prog_poll_line(word, timeout_ns);
}

void *wd_reserve_memory(struct wd_queue *q, size_t size)
{
	(void)size;
	STORE(&q->error, -EOPNOTSUPP);
	return NULL;
}

int wd_share_reserved_memory(struct wd_queue *q, struct wd_queue *target_q)
{
	(void)q;
	(void)target_q;
	return -EOPNOTSUPP;
}
