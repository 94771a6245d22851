/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * User driver of the queue manager, v2 and v3 (docs/queue-manager.md; ioctls of the uacce user ABI): rings in
 * the DUS region, doorbells in the MMIO region.
 *
 * The device may complete out of order, so a slot of the SQ is free when its own request has come back. The CQ
 * doorbell is rung for an eighth of the ring at once, and when an interrupt is armed.
 */
#include <errno.h>
#include <misc/uacce/hisi_qm.h>
#include <misc/uacce/uacce.h>
#include <string.h>

#include "workloads/libwd/sys.h"
#include "workloads/libwd/umem.h"
#include "workloads/libwd/wd_internal.h"

#define QM_DOORBELL_OFFSET 0x1000u
#define QM_PUSH_OFFSET	   0x2000u
#define QM_DOORBELL_SQ	   0u
#define QM_DOORBELL_CQ	   1u
#define QM_DOORBELL_ARM	   1u

#define QM_SQE_BYTES 64u
#define QM_CQE_BYTES 16u

struct qm_sqe {
	uint8_t opcode, flags;
	uint16_t tag;
	uint32_t length;
	uint64_t source, destination;
	uint32_t seed, reserved_28;
	uint32_t status, bytes_done, result, reserved_44;
	uint64_t fault_address;
	uint64_t reserved_56;
};

/* what the device writes back */
struct qm_writeback {
	uint32_t status, bytes_done, result, reserved_44;
	uint64_t fault_address;
};

struct qm_cqe {
	uint32_t reserved_0;
	uint16_t tag, reserved_6;
	uint16_t sqe_index, queue;
	uint32_t phase; /* bit 16 */
};

/* The queue's state, in the process's memory. The first line is what sending and receiving change. */
struct qm_queue {
	uint32_t tail;	 /* of the SQ */
	uint32_t unsent; /* the last ones before the tail: no doorbell yet */
	uint32_t in_flight;
	uint32_t cq_head;
	uint32_t phase;	  /* that a new CQE has */
	uint32_t unfreed; /* CQEs taken since the last CQ doorbell */
	uint32_t number, depth, cq_depth;
	uint64_t sq, cq, doorbell;
	uint64_t push;		       /* address of the push line; 0: SQEs go through the ring */
	uint32_t room;		       /* requests that can be in flight */
	uint64_t tx_status, rx_status; /* addresses of the region's last words */
	uint64_t mmio, mmio_bytes, dus, dus_bytes, bytes; /* mappings, and this structure's own */
	uint64_t slots[]; /* per SQE: the message in flight there, or 0 */
};

static struct qm_queue *qm_of(const struct wd_queue *q)
{
	return (struct qm_queue *)(uintptr_t)LOAD(&q->priv);
}

static void qm_doorbell(const struct qm_queue *qm, uint32_t command, uint32_t index,
			uint32_t priority)
{
	uint64_t value = (uint64_t)LOAD(&qm->number) | (uint64_t)command << 12 |
			 (uint64_t)index << 32 | (uint64_t)priority << 48;

	prog_store(LOAD(&qm->doorbell), value, sizeof(value));
}

/* ---- opening ------------------------------------------------------------------------------------------ */

static int qm_negotiate(struct wd_queue *q, uint64_t scratch, struct hisi_qp_ctx *context,
			struct hisi_qp_info *info)
{
	int32_t fd = LOAD(&q->fd);
	int64_t error;

	*context = (struct hisi_qp_ctx){0};
	prog_write(scratch, context, sizeof(*context));
	error = sys_ioctl(fd, UACCE_CMD_QM_SET_QP_CTX, scratch);
	if (error)
		return (int)error;
	prog_read(context, scratch, sizeof(*context));

	*info = (struct hisi_qp_info){0};
	prog_write(scratch, info, sizeof(*info));
	error = sys_ioctl(fd, UACCE_CMD_QM_SET_QP_INFO, scratch);
	if (error)
		return (int)error;
	prog_read(info, scratch, sizeof(*info));
	return 0;
}

static uint64_t cq_offset(uint32_t sq_depth)
{
	return (uint64_t)sq_depth * QM_SQE_BYTES;
}

/* Whether the rings are what this driver knows, and fit into the region before its last two words. */
static bool qm_layout_ok(const struct wd_device *device, const struct hisi_qp_info *info)
{
	uint64_t end = cq_offset(info->sq_depth) + (uint64_t)info->cq_depth * QM_CQE_BYTES;

	return info->sqe_size == QM_SQE_BYTES && info->sq_depth >= 2 && info->cq_depth >= 2 &&
	       device->mmio_bytes >= QM_DOORBELL_OFFSET + 8 &&
	       end + 2 * sizeof(uint32_t) <= device->dus_bytes;
}

static uint64_t qm_map_region(int32_t fd, enum uacce_qfrt type, uint64_t bytes)
{
	int64_t address = sys_mmap(bytes, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_SHARED, fd,
				   (uint64_t)type * SYS_PAGE);

	return address < 0 ? 0 : (uint64_t)address;
}

static void qm_unmap(struct qm_queue *qm)
{
	uint64_t mmio = LOAD(&qm->mmio), dus = LOAD(&qm->dus);

	if (dus)
		umem_unmap(dus, LOAD(&qm->dus_bytes));
	if (mmio)
		umem_unmap(mmio, LOAD(&qm->mmio_bytes));
	umem_unmap(PROG_VA(qm), LOAD(&qm->bytes));
}

static struct qm_queue *qm_map(int32_t fd, const struct wd_device *device,
			       const struct hisi_qp_ctx *context, const struct hisi_qp_info *info)
{
	uint64_t bytes = sizeof(struct qm_queue) + info->sq_depth * sizeof(uint64_t);
	uint64_t address = umem_map(bytes);
	struct qm_queue *qm = (struct qm_queue *)(uintptr_t)address;
	struct qm_queue local = {
		.phase = 1,
		.number = context->id,
		.depth = info->sq_depth,
		.cq_depth = info->cq_depth,
		.mmio_bytes = device->mmio_bytes,
		.dus_bytes = device->dus_bytes,
		.bytes = bytes,
		.room = info->sq_depth - 1u,
	};

	if (!address)
		return NULL;
	local.mmio = qm_map_region(fd, UACCE_QFRT_MMIO, device->mmio_bytes);
	local.dus = qm_map_region(fd, UACCE_QFRT_DUS, device->dus_bytes);
	local.doorbell = local.mmio + QM_DOORBELL_OFFSET;
	local.sq = local.dus;
	local.cq = local.dus + cq_offset(info->sq_depth);
	local.tx_status = local.dus + device->dus_bytes - sizeof(uint32_t);
	local.rx_status = local.tx_status - sizeof(uint32_t);
	prog_write(address, &local, sizeof(local));
	if (!local.mmio || !local.dus) {
		qm_unmap(qm);
		return NULL;
	}
	return qm;
}

/* The line's first word says how many SQEs the device keeps for a queue: 0 if there is no line. */
static int qm_use_push_line(struct qm_queue *qm)
{
	uint64_t line = LOAD(&qm->mmio) + QM_PUSH_OFFSET;
	uint32_t entries = 0;

	if (LOAD(&qm->mmio_bytes) >= QM_PUSH_OFFSET + QM_SQE_BYTES)
		entries = (uint32_t)prog_load(line, sizeof(entries));
	if (!entries)
		return -EOPNOTSUPP;
	STORE(&qm->push, line);
	if (entries < LOAD(&qm->room))
		STORE(&qm->room, entries);
	return 0;
}

static int qm_open(struct wd_queue *q, const struct wd_device *device, uint64_t scratch)
{
	struct hisi_qp_ctx context;
	struct hisi_qp_info info;
	struct qm_queue *qm;
	int error = qm_negotiate(q, scratch, &context, &info);

	if (error)
		return error;
	if (!qm_layout_ok(device, &info))
		return -EPROTO;
	qm = qm_map(LOAD(&q->fd), device, &context, &info);
	if (!qm)
		return -ENOMEM;
	error = LOAD(&q->channel) == WD_CHANNEL_MMIO ? qm_use_push_line(qm) : 0;
	error = error ? error : (int)sys_ioctl(LOAD(&q->fd), UACCE_CMD_START_Q, 0);
	if (error) {
		qm_unmap(qm);
		return error;
	}
	STORE_PTR(&q->priv, qm);
	STORE(&q->number, context.id);
	STORE(&q->depth, LOAD(&qm->room) + 1);
	prog_mark_queue_open(device->id, context.id, info.sq_depth);
	return 0;
}

/*
 * The queue is stopped while its regions are still mapped. The number of an idle queue may belong to somebody else as
 * soon as it is put; what is in flight on another is still seen by the instruments until it has ended.
 */
static void qm_close(struct wd_queue *q)
{
	struct qm_queue *qm = qm_of(q);
	uint32_t device = LOAD(&q->device), number = LOAD(&qm->number);
	bool idle = !LOAD(&qm->in_flight);

	if (idle)
		prog_mark_queue_close(device, number);
	sys_ioctl(LOAD(&q->fd), UACCE_CMD_PUT_Q, 0);
	if (!idle)
		prog_mark_queue_close(device, number);
	qm_unmap(qm);
	STORE(&q->priv, 0);
}

/* ---- sending -------------------------------------------------------------------------------------------- */

static void qm_flush_queue(struct wd_queue *q, struct qm_queue *qm)
{
	uint32_t unsent = LOAD(&qm->unsent);
	uint32_t tail, depth, device, number;

	if (!unsent)
		return;
	tail = LOAD(&qm->tail);
	depth = LOAD(&qm->depth);
	device = LOAD(&q->device);
	number = LOAD(&qm->number);
	STORE(&qm->unsent, 0);
	/* the SQEs before the doorbell */
	prog_barrier(PROG_DMB_ST);
	for (uint32_t i = unsent; i > 0; i--)
		prog_mark_submitted(device, number, (tail + depth - i) % depth);
	qm_doorbell(qm, QM_DOORBELL_SQ, tail, LOAD(&q->priority));
}

static void qm_flush(struct wd_queue *q)
{
	qm_flush_queue(q, qm_of(q));
}

static struct qm_sqe qm_make_sqe(uint32_t index, const struct wd_msg *msg)
{
	return (struct qm_sqe){
		.opcode = (uint8_t)msg->op,
		.tag = (uint16_t)index,
		.length = msg->length,
		.source = msg->source,
		.destination = msg->destination,
		.seed = msg->seed,
	};
}

/* What the SQE points to before the store that hands it over. */
static void qm_push_sqe(const struct wd_queue *q, const struct qm_queue *qm, uint32_t index,
			const struct qm_sqe *sqe)
{
	uint64_t words[QM_SQE_BYTES / 8];
	const uint64_t line = LOAD(&qm->push);
	const uint32_t last = QM_SQE_BYTES / 8 - 1;

	memcpy(words, sqe, sizeof(words));
	prog_barrier(PROG_DMB_ST);
	for (uint32_t i = 0; i < last; i++)
		prog_store(line + 8 * i, words[i], 8);
	prog_mark_submitted(LOAD(&q->device), LOAD(&qm->number), index);
	prog_store(line + 8 * last, words[last], 8);
}

static int qm_send(struct wd_queue *q, struct wd_msg *msg)
{
	struct qm_queue *qm = qm_of(q);
	uint32_t index = LOAD(&qm->tail);
	uint32_t depth = LOAD(&qm->depth);
	uint32_t in_flight = LOAD(&qm->in_flight);
	uint32_t unsent = LOAD(&qm->unsent) + 1;
	bool push = LOAD(&qm->push);
	struct wd_msg local;
	struct qm_sqe sqe;

	if (prog_load(LOAD(&qm->tx_status), sizeof(uint32_t)))
		return -EIO;
	if (in_flight == LOAD(&qm->room) || LOAD(&qm->slots[index])) {
		qm_flush_queue(q, qm);
		return -EBUSY;
	}
	prog_mark_send(LOAD(&q->device), LOAD(&qm->number), index);
	wd_msg_read(msg, &local);
	sqe = qm_make_sqe(index, &local);
	if (!push)
		prog_write(LOAD(&qm->sq) + (uint64_t)index * QM_SQE_BYTES, &sqe, sizeof(sqe));
	STORE(&qm->slots[index], PROG_VA(msg));
	STORE(&qm->tail, index + 1 == depth ? 0 : index + 1);
	STORE(&qm->in_flight, in_flight + 1);
	if (push) {
		qm_push_sqe(q, qm, index, &sqe);
		return 0;
	}
	STORE(&qm->unsent, unsent);
	if (unsent >= LOAD(&q->batch))
		qm_flush_queue(q, qm);
	return 0;
}

/* ---- receiving ------------------------------------------------------------------------------------------- */

static uint64_t qm_cqe_address(const struct qm_queue *qm)
{
	return LOAD(&qm->cq) + (uint64_t)LOAD(&qm->cq_head) * QM_CQE_BYTES;
}

static bool qm_cqe_ready(const struct qm_queue *qm, uint64_t cqe)
{
	uint32_t word = (uint32_t)prog_load(cqe + offsetof(struct qm_cqe, phase), sizeof(word));

	return (word >> 16 & 1) == LOAD(&qm->phase);
}

static void qm_free_cqe(struct qm_queue *qm)
{
	uint32_t depth = LOAD(&qm->cq_depth);
	uint32_t head = LOAD(&qm->cq_head) + 1;
	uint32_t unfreed = LOAD(&qm->unfreed) + 1;

	if (head == depth) {
		head = 0;
		STORE(&qm->phase, LOAD(&qm->phase) ^ 1);
	}
	STORE(&qm->cq_head, head);
	if (unfreed > depth / 8) {
		qm_doorbell(qm, QM_DOORBELL_CQ, head, 0);
		unfreed = 0;
	}
	STORE(&qm->unfreed, unfreed);
}

/* Takes the device's answer from the SQE to the message. */
static void qm_finish(struct wd_queue *q, const struct qm_queue *qm, uint32_t index,
		      struct wd_msg *msg)
{
	struct qm_writeback answer;

	prog_read(&answer,
		  LOAD(&qm->sq) + (uint64_t)index * QM_SQE_BYTES + offsetof(struct qm_sqe, status),
		  sizeof(answer));
	STORE(&msg->status, answer.status);
	STORE(&msg->bytes_done, answer.bytes_done);
	STORE(&msg->result, answer.result);
	STORE(&msg->fault_address, answer.fault_address);
	prog_mark_received(LOAD(&q->device), LOAD(&qm->number), index, answer.bytes_done,
			   answer.status == WD_SUCCESS);
}

static int qm_recv(struct wd_queue *q, struct wd_msg **msg)
{
	struct qm_queue *qm = qm_of(q);
	uint64_t cqe = qm_cqe_address(qm);
	uint32_t index;

	if (!qm_cqe_ready(qm, cqe))
		return prog_load(LOAD(&qm->rx_status), sizeof(uint32_t)) ? -EIO : 0;
	/* the phase before what it vouches for */
	prog_barrier(PROG_DMB_LD);
	index = (uint32_t)prog_load(cqe + offsetof(struct qm_cqe, sqe_index), sizeof(uint16_t));
	if (index >= LOAD(&qm->depth) || !LOAD(&qm->slots[index]))
		return -EIO;
	*msg = (struct wd_msg *)(uintptr_t)LOAD(&qm->slots[index]);
	STORE(&qm->slots[index], 0);
	STORE(&qm->in_flight, LOAD(&qm->in_flight) - 1);
	qm_finish(q, qm, index, *msg);
	qm_free_cqe(qm);
	return 1;
}

static bool qm_arm(struct wd_queue *q)
{
	struct qm_queue *qm = qm_of(q);

	if (!LOAD(&qm->in_flight))
		return false;
	STORE(&qm->unfreed, 0);
	qm_doorbell(qm, QM_DOORBELL_CQ, LOAD(&qm->cq_head), QM_DOORBELL_ARM);
	return true;
}

static uint64_t qm_completion_word(struct wd_queue *q)
{
	const struct qm_queue *qm = qm_of(q);
	uint64_t cqe = qm_cqe_address(qm);
	uint64_t address = cqe + offsetof(struct qm_cqe, phase);
	uint32_t phase = LOAD(&qm->phase);

	/* loaded last: the wait is for a change of this word */
	if ((prog_load(address, sizeof(uint32_t)) >> 16 & 1) == phase)
		return 0;
	return address;
}

static const char *const apis[] = {HISI_QM_API_VER2_BASE, HISI_QM_API_VER3_BASE, NULL};

const struct wd_driver wd_drv_qm = {
	.apis = apis,
	.open = qm_open,
	.close = qm_close,
	.send = qm_send,
	.recv = qm_recv,
	.flush = qm_flush,
	.arm = qm_arm,
	.completion_word = qm_completion_word,
};
