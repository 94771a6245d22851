/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "tests/e2e/raw_queue.h"
#include "tests/e2e/sys.h"
#include "workloads/include/program.h"

#define SQE_BYTES   sizeof(struct raw_sqe)
#define CQE_BYTES   16u
#define CQE_INDEX   8u	/* of the SQE */
#define CQE_PHASE   14u /* bit 0 */
#define CQ_ALIGN    64u
#define PATIENCE_US 100000u

int64_t raw_attribute(unsigned int device, const char *attribute)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/uacce/svasim_qm-%u/%s", device, attribute);
	return sys_read_number(path);
}

uint64_t raw_pages(unsigned int pages)
{
	return (uint64_t)sys_map(0, pages * PAGE, SYS_PROT_RW);
}

/* ---- from open to close ---------------------------------------------------------------------- */

int64_t raw_open(struct raw_queue *q, unsigned int device)
{
	char path[32];

	*q = (struct raw_queue){.device = device, .phase = 1};
	snprintf(path, sizeof(path), "/dev/svasim_qm-%u", device);
	q->fd = sys_open(path, SYS_RDWR);
	return q->fd;
}

static int64_t map_regions(struct raw_queue *q)
{
	int64_t result;

	q->mmio_bytes = (uint64_t)raw_attribute(q->device, "region_mmio_size");
	q->dus_bytes = (uint64_t)raw_attribute(q->device, "region_dus_size");
	result = sys_map_file(q->mmio_bytes, SYS_PROT_RW, q->fd, 0);
	if (result < 0)
		return result;
	q->mmio = (uint64_t)result;
	result = sys_map_file(q->dus_bytes, SYS_PROT_RW, q->fd, PAGE);
	if (result < 0)
		return result;
	q->dus = (uint64_t)result;
	return 0;
}

/* An ioctl with a structure that it changes */
static int64_t ask(int64_t fd, uint64_t command, void *structure, size_t bytes)
{
	const uint64_t page = raw_pages(1);
	int64_t result;

	prog_write(page, structure, bytes);
	result = sys_ioctl(fd, command, page);
	prog_read(structure, page, bytes);
	sys_unmap(page, PAGE);
	return result;
}

int64_t raw_map(struct raw_queue *q)
{
	uint16_t context[2] = {0, 0};
	struct {
		uint32_t sqe_size;
		uint16_t sq_depth, cq_depth;
		uint64_t reserved;
	} info = {0};
	int64_t result = map_regions(q);

	if (!result)
		result = ask(q->fd, RAW_SET_QP_CTX, context, sizeof(context));
	if (!result)
		result = ask(q->fd, RAW_SET_QP_INFO, &info, sizeof(info));
	q->sqn = context[0];
	q->depth = info.sq_depth;
	return result;
}

int64_t raw_start(struct raw_queue *q)
{
	int64_t result = sys_ioctl(q->fd, RAW_START_Q, 0);

	if (result)
		return result;
	q->tail = 0;
	q->head = 0;
	q->phase = 1;
	prog_mark_queue_open(q->device, q->sqn, q->depth);
	return 0;
}

int64_t raw_put(struct raw_queue *q)
{
	int64_t result = sys_ioctl(q->fd, RAW_PUT_Q, 0);

	if (!result)
		prog_mark_queue_close(q->device, q->sqn);
	return result;
}

void raw_close(struct raw_queue *q)
{
	if (q->mmio)
		sys_unmap(q->mmio, q->mmio_bytes);
	if (q->dus)
		sys_unmap(q->dus, q->dus_bytes);
	sys_close(q->fd);
	prog_mark_queue_close(q->device, q->sqn);
}

int64_t raw_queue_new(struct raw_queue *q, unsigned int device)
{
	int64_t result = raw_open(q, device);

	if (result < 0)
		return result;
	result = raw_map(q);
	if (!result)
		result = raw_start(q);
	if (result)
		raw_close(q);
	return result;
}

/* ---- requests -------------------------------------------------------------------------------- */

unsigned int raw_push(struct raw_queue *q, const struct raw_sqe *sqe)
{
	const unsigned int index = q->tail;

	prog_mark_send(q->device, q->sqn, index);
	prog_write(q->dus + index * SQE_BYTES, sqe, SQE_BYTES);
	q->tail = (q->tail + 1) % q->depth;
	prog_mark_submitted(q->device, q->sqn, index);
	return index;
}

uint64_t raw_doorbell_value(unsigned int sqn, unsigned int command, unsigned int index)
{
	return sqn | ((uint64_t)command << 12) | ((uint64_t)index << 32);
}

void raw_doorbell(struct raw_queue *q, uint64_t value)
{
	prog_barrier(PROG_DMB_ST);
	prog_store(q->mmio + RAW_DOORBELL, value, 8);
}

void raw_ring(struct raw_queue *q)
{
	raw_doorbell(q, raw_doorbell_value(q->sqn, RAW_DOORBELL_SQ, q->tail));
}

void raw_arm(struct raw_queue *q)
{
	raw_doorbell(q, raw_doorbell_value(q->sqn, RAW_DOORBELL_CQ, q->head) | (1ull << 48));
}

static uint64_t cqe_address(const struct raw_queue *q)
{
	const uint64_t ring = ((uint64_t)q->depth * SQE_BYTES + CQ_ALIGN - 1) / CQ_ALIGN * CQ_ALIGN;

	return q->dus + ring + (uint64_t)q->head * CQE_BYTES;
}

bool raw_pop(struct raw_queue *q, struct raw_sqe *sqe, uint64_t timeout_us)
{
	const uint64_t end = prog_time_ps() + timeout_us * 1000000u;
	const uint64_t cqe = cqe_address(q);
	unsigned int index;

	while ((prog_load(cqe + CQE_PHASE, 2) & 1) != q->phase) {
		if (prog_time_ps() >= end)
			return false;
		prog_poll_line(cqe + CQE_PHASE, (end - prog_time_ps()) / 1000 + 1);
	}
	prog_barrier(PROG_DMB_LD);
	index = (unsigned int)prog_load(cqe + CQE_INDEX, 2);
	prog_read(sqe, q->dus + index * SQE_BYTES, SQE_BYTES);
	if (++q->head == q->depth) {
		q->head = 0;
		q->phase ^= 1;
	}
	raw_doorbell(q, raw_doorbell_value(q->sqn, RAW_DOORBELL_CQ, q->head));
	prog_mark_received(q->device, q->sqn, index, sqe->done,
			   sqe->status == RAW_STATUS_OK || q->errors_expected);
	return true;
}

void raw_push_copy(struct raw_queue *q, uint64_t source, uint64_t destination, uint32_t length)
{
	const struct raw_sqe request = {
		.opcode = RAW_COPY,
		.tag = 7,
		.length = length,
		.source = source,
		.destination = destination,
	};

	raw_push(q, &request);
}

bool raw_run(struct raw_queue *q, const struct raw_sqe *request, struct raw_sqe *answer)
{
	raw_push(q, request);
	raw_ring(q);
	return raw_pop(q, answer, PATIENCE_US);
}

uint32_t raw_copy(struct raw_queue *q, uint64_t source, uint64_t destination, uint32_t length)
{
	struct raw_sqe answer;

	raw_push_copy(q, source, destination, length);
	raw_ring(q);
	return raw_pop(q, &answer, PATIENCE_US) ? answer.status : 0;
}
