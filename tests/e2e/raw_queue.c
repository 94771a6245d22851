/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm-generic/unistd.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/raw_queue.h"
#include "workloads/include/program.h"

#define PAGE 4096ull
#define SQE_BYTES sizeof(struct raw_sqe)
#define CQE_BYTES 16u
#define DOORBELL_OFFSET 0x1000u
#define O_RDWR 2
#define O_CLOEXEC 02000000
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 0x20
#define IOC(dir, type, nr, size) (((uint64_t)(dir) << 30) | ((uint64_t)(size) << 16) | ((uint64_t)(type) << 8) | (nr))
#define UACCE_START_Q IOC(0, 'W', 0, 0)
#define UACCE_PUT_Q IOC(0, 'W', 1, 0)
#define SET_QP_CTX IOC(3, 'H', 10, 4)
#define SET_QP_INFO IOC(3, 'H', 11, 16)

static int64_t map_pages(uint64_t bytes, uint64_t flags, int64_t fd, uint64_t offset)
{
	return prog_syscall(__NR_mmap, 0, bytes, RAW_PROT_RW, flags, (uint64_t)fd, offset);
}

uint64_t raw_pages(unsigned int pages)
{
	return (uint64_t)map_pages(pages * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

uint64_t raw_string(const char *text)
{
	uint64_t at = raw_pages(1);

	prog_write(at, text, strlen(text) + 1);
	return at;
}

static uint64_t sysfs_number(unsigned int device, const char *attribute)
{
	char text[64] = "";
	uint64_t page;
	int64_t fd, length;
	unsigned long long value = 0;

	snprintf(text, sizeof(text), "/sys/class/uacce/svasim_qm-%u/%s", device, attribute);
	page = raw_string(text);
	fd = prog_syscall(__NR_openat, (uint64_t)-100, page, 0, 0, 0, 0);
	if (fd >= 0) {
		length = prog_syscall(__NR_read, (uint64_t)fd, page, 63, 0, 0, 0);
		if (length > 0) {
			prog_read(text, page, (size_t)length);
			text[length] = '\0';
			sscanf(text, "%llu", &value);
		}
		prog_syscall(__NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	}
	prog_syscall(__NR_munmap, page, PAGE, 0, 0, 0, 0);
	return value;
}

int64_t raw_open(struct raw_queue *q, unsigned int device)
{
	char path[32];
	uint64_t page;

	*q = (struct raw_queue){ .device = device, .phase = 1 };
	snprintf(path, sizeof(path), "/dev/svasim_qm-%u", device);
	page = raw_string(path);
	q->fd = prog_syscall(__NR_openat, (uint64_t)-100, page, O_RDWR | O_CLOEXEC, 0, 0, 0);
	prog_syscall(__NR_munmap, page, PAGE, 0, 0, 0, 0);
	return q->fd;
}

int64_t raw_map(struct raw_queue *q)
{
	const uint64_t page = raw_pages(1);
	int64_t result;
	uint16_t context[2] = { 0, 0 };
	struct {
		uint32_t sqe_size;
		uint16_t sq_depth, cq_depth;
		uint64_t reserved;
	} info = { 0 };

	q->mmio_bytes = sysfs_number(q->device, "region_mmio_size");
	q->dus_bytes = sysfs_number(q->device, "region_dus_size");
	result = map_pages(q->mmio_bytes, MAP_SHARED, q->fd, 0);
	if (result < 0)
		return result;
	q->mmio = (uint64_t)result;
	result = map_pages(q->dus_bytes, MAP_SHARED, q->fd, PAGE);
	if (result < 0)
		return result;
	q->dus = (uint64_t)result;
	prog_write(page, context, sizeof(context));
	result = prog_syscall(__NR_ioctl, (uint64_t)q->fd, SET_QP_CTX, page, 0, 0, 0);
	if (result < 0)
		return result;
	prog_read(context, page, sizeof(context));
	q->sqn = context[0];
	prog_write(page, &info, sizeof(info));
	result = prog_syscall(__NR_ioctl, (uint64_t)q->fd, SET_QP_INFO, page, 0, 0, 0);
	if (result < 0)
		return result;
	prog_read(&info, page, sizeof(info));
	q->depth = info.sq_depth;
	prog_syscall(__NR_munmap, page, PAGE, 0, 0, 0, 0);
	return 0;
}

int64_t raw_start(struct raw_queue *q)
{
	int64_t result = prog_syscall(__NR_ioctl, (uint64_t)q->fd, UACCE_START_Q, 0, 0, 0, 0);

	if (!result)
		prog_mark_queue_open(q->device, q->sqn, q->depth);
	return result;
}

int64_t raw_put(struct raw_queue *q)
{
	return prog_syscall(__NR_ioctl, (uint64_t)q->fd, UACCE_PUT_Q, 0, 0, 0, 0);
}

void raw_close(struct raw_queue *q)
{
	prog_syscall(__NR_close, (uint64_t)q->fd, 0, 0, 0, 0, 0);
	prog_syscall(__NR_munmap, q->mmio, q->mmio_bytes, 0, 0, 0, 0);
	prog_syscall(__NR_munmap, q->dus, q->dus_bytes, 0, 0, 0, 0);
	prog_mark_queue_close(q->device, q->sqn);
}

int64_t raw_queue_new(struct raw_queue *q, unsigned int device)
{
	int64_t result = raw_open(q, device);

	if (result >= 0)
		result = raw_map(q);
	if (result >= 0)
		result = raw_start(q);
	return result;
}

unsigned int raw_push(struct raw_queue *q, const struct raw_sqe *sqe)
{
	const unsigned int index = q->tail;

	prog_mark_send(q->device, q->sqn, index);
	prog_write(q->dus + index * SQE_BYTES, sqe, SQE_BYTES);
	q->tail = (q->tail + 1) % q->depth;
	prog_mark_submitted(q->device, q->sqn, index);
	return index;
}

void raw_doorbell(struct raw_queue *q, uint64_t value)
{
	prog_barrier(PROG_DMB_ST);
	prog_store(q->mmio + DOORBELL_OFFSET, value, 8);
}

void raw_ring(struct raw_queue *q)
{
	raw_doorbell(q, q->sqn | ((uint64_t)q->tail << 32));
}

static uint64_t cq_base(const struct raw_queue *q)
{
	return q->dus + ((uint64_t)q->depth * SQE_BYTES + 63) / 64 * 64;
}

bool raw_pop(struct raw_queue *q, struct raw_sqe *sqe, uint64_t timeout_us)
{
	const uint64_t end = prog_time_ps() + timeout_us * 1000000;
	const uint64_t entry = cq_base(q) + (uint64_t)q->head * CQE_BYTES;
	unsigned int index;

	while ((prog_load(entry + 14, 2) & 1) != q->phase) {
		if (prog_time_ps() >= end)
			return false;
		prog_poll_line(entry + 14, timeout_us * 1000);
	}
	prog_barrier(PROG_DMB_LD);
	index = (unsigned int)prog_load(entry + 8, 2);
	prog_read(sqe, q->dus + index * SQE_BYTES, SQE_BYTES);
	if (++q->head == q->depth) {
		q->head = 0;
		q->phase ^= 1;
	}
	prog_store(q->mmio + DOORBELL_OFFSET, q->sqn | (1ull << 12) | ((uint64_t)q->head << 32), 8);
	prog_mark_received(q->device, q->sqn, index, sqe->done, sqe->status == RAW_STATUS_OK);
	return true;
}

uint32_t raw_copy(struct raw_queue *q, uint64_t source, uint64_t destination, uint32_t length, uint64_t timeout_us)
{
	const struct raw_sqe request = { .opcode = 1, .tag = 7, .length = length, .source = source, .destination = destination };
	struct raw_sqe answer;

	raw_push(q, &request);
	raw_ring(q);
	return raw_pop(q, &answer, timeout_us) ? answer.status : 0;
}
