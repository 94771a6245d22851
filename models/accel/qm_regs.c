/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The register frame with its mailbox (docs/queue-manager.md, Registers). Accesses are served one at a time
 * in the order of their arrival, each for mmio_ns or, a doorbell, doorbell_ns.
 */
#include "models/accel/accel_internal.h"

#define QM_VERSION	  0x0000u
#define QM_QP_COUNT	  0x0004u
#define QM_ENGINES	  0x0008u
#define QM_DEPTH_MAX	  0x000cu
#define QM_WINDOW	  0x0010u
#define QM_LENGTH_MAX	  0x0014u
#define QM_CONTROL	  0x0018u
#define QM_STATUS	  0x001cu
#define QM_MAILBOX	  0x0300u
#define QM_MAILBOX_BASE_H 0x0308u
#define QM_EQ_DOORBELL	  0x2000u
#define QM_WINDOWS	  0x100000u

#define QM_VERSION_V2 0x20u
#define QM_VERSION_V3 0x30u
#define WINDOW_V2     0x2000u
#define WINDOW_V3     0x10000u

#define QM_CONTROL_ENABLE 1u
#define QM_STATUS_IDLE	  1u

#define WINDOW_DOORBELL 0x1000u
#define WINDOW_PUSH	0x2000u

#define MAILBOX_COMMAND(value) ((uint32_t)FIELD_GET(value, 7, 0))
#define MAILBOX_STATUS_SHIFT   9
#define MAILBOX_STATUS_MASK    (UINT64_C(0xf) << MAILBOX_STATUS_SHIFT)
#define MAILBOX_BUSY	       (UINT64_C(1) << 13)
#define MAILBOX_QUEUE(value)   ((uint32_t)FIELD_GET(value, 31, 16))
#define MAILBOX_BASE_L(value)  ((uint32_t)FIELD_GET(value, 63, 32))

enum mailbox_command {
	MAILBOX_SQC = 0,
	MAILBOX_CQC = 1,
	MAILBOX_EQC = 2,
	MAILBOX_AEQC = 3,
	MAILBOX_STOP_QP = 8,
};

enum mailbox_status {
	MAILBOX_SUCCESS = 0,
	MAILBOX_BAD_COMMAND = 1,
	MAILBOX_UNREADABLE = 2,
	MAILBOX_BAD_CONTEXT = 3,
};

/* ---- mailbox --------------------------------------------------------------------------------------- */

static void mailbox_end(struct accel *accel, enum mailbox_status status)
{
	struct mailbox *mailbox = &accel->regs.mailbox;

	if (status != MAILBOX_SUCCESS)
		accel->counters.bad_mailbox_commands++;
	mailbox->value &= ~(MAILBOX_BUSY | MAILBOX_STATUS_MASK);
	mailbox->value |= (uint64_t)status << MAILBOX_STATUS_SHIFT;
	mailbox->busy = false;
}

/* Whether the command fits what the queue pair is: a context is loaded into one that is not in use. */
static bool mailbox_command_allowed(const struct accel *accel, uint32_t command, uint32_t queue)
{
	switch (command) {
	case MAILBOX_SQC:
		return queue < accel->params.qp_count && accel->qps[queue].state == QP_CQ;
	case MAILBOX_CQC:
		return queue < accel->params.qp_count && accel->qps[queue].state <= QP_CQ;
	case MAILBOX_EQC:
	case MAILBOX_AEQC:
		return queue == 0;
	case MAILBOX_STOP_QP:
		return queue < accel->params.qp_count;
	default:
		return false;
	}
}

static bool mailbox_load_context(struct accel *accel, const uint8_t *context)
{
	uint64_t value = accel->regs.mailbox.value;
	uint32_t queue = MAILBOX_QUEUE(value);

	switch (MAILBOX_COMMAND(value)) {
	case MAILBOX_SQC:
		return queue_load_sqc(accel, &accel->qps[queue], context);
	case MAILBOX_CQC:
		return queue_load_cqc(accel, &accel->qps[queue], context);
	case MAILBOX_EQC:
		return event_queue_load_context(accel, &accel->eq, context);
	default:
		return event_queue_load_context(accel, &accel->aeq, context);
	}
}

static void mailbox_context_read(struct accel *accel, void *arg, enum ring_result result,
				 const uint8_t *data)
{
	(void)arg;
	if (result == RING_DROPPED)
		return;
	if (result == RING_FAILED)
		mailbox_end(accel, MAILBOX_UNREADABLE);
	else
		mailbox_end(accel, mailbox_load_context(accel, data) ? MAILBOX_SUCCESS
								     : MAILBOX_BAD_CONTEXT);
}

void qm_stop_done(struct accel *accel)
{
	mailbox_end(accel, MAILBOX_SUCCESS);
}

static void mailbox_command(struct accel *accel, uint64_t value)
{
	struct mailbox *mailbox = &accel->regs.mailbox;
	uint32_t command = MAILBOX_COMMAND(value);
	uint32_t queue = MAILBOX_QUEUE(value);
	uint64_t addr = (uint64_t)mailbox->base_high << 32 | MAILBOX_BASE_L(value);

	if (mailbox->busy || !(value & MAILBOX_BUSY)) {
		accel->counters.bad_register_accesses++;
		return;
	}
	accel->counters.mailbox_commands++;
	mailbox->value = value & ~MAILBOX_STATUS_MASK;
	mailbox->busy = true;
	if (!mailbox_command_allowed(accel, command, queue))
		mailbox_end(accel, MAILBOX_BAD_COMMAND);
	else if (command == MAILBOX_STOP_QP)
		queue_stop(accel, &accel->qps[queue]);
	else if (addr % PAGE_4K > PAGE_4K - CONTEXT_BYTES)
		mailbox_end(accel, MAILBOX_UNREADABLE);
	else
		ring_read(accel, addr, CONTEXT_BYTES, mailbox_context_read, NULL, NULL);
}

/* ---- registers --------------------------------------------------------------------------------------- */

static void control_write(struct accel *accel, uint32_t value)
{
	if (value & QM_CONTROL_ENABLE) {
		accel->regs.enable = true;
		arbiter_kick(accel);
	} else {
		accel_reset(accel);
	}
}

static bool register_read32(const struct accel *accel, uint64_t offset, uint32_t *value)
{
	const struct accel_params *p = &accel->params;

	switch (offset) {
	case QM_VERSION:
		*value = p->version == ACCEL_V2 ? QM_VERSION_V2 : QM_VERSION_V3;
		return true;
	case QM_QP_COUNT:
		*value = p->qp_count;
		return true;
	case QM_ENGINES:
		*value = (p->engines_copy ? 1u : 0) | (p->engines_crc32c ? 2u : 0);
		return true;
	case QM_DEPTH_MAX:
		*value = p->depth_max;
		return true;
	case QM_WINDOW:
		*value = (uint32_t)accel->regs.window_bytes;
		return true;
	case QM_LENGTH_MAX:
		*value = (uint32_t)p->length_max_bytes;
		return true;
	case QM_CONTROL:
		*value = accel->regs.enable ? QM_CONTROL_ENABLE : 0;
		return true;
	case QM_STATUS:
		*value = accel_idle(accel) ? QM_STATUS_IDLE : 0;
		return true;
	case QM_MAILBOX:
		*value = (uint32_t)accel->regs.mailbox.value;
		return true;
	case QM_MAILBOX + 4:
		*value = (uint32_t)(accel->regs.mailbox.value >> 32);
		return true;
	case QM_MAILBOX_BASE_H:
		*value = accel->regs.mailbox.base_high;
		return true;
	default:
		*value = 0;
		return false;
	}
}

static bool register_read(struct accel *accel, uint64_t offset, struct sim_txn *txn)
{
	uint32_t value;
	bool known;

	if (txn->len == 8 && offset == QM_MAILBOX) {
		store_le64(txn->data, accel->regs.mailbox.value);
		return true;
	}
	memset(txn->data, 0, txn->len);
	if (txn->len != 4)
		return false;
	known = register_read32(accel, offset, &value);
	store_le32(txn->data, value);
	return known;
}

static bool register_write(struct accel *accel, uint64_t offset, const struct sim_txn *txn)
{
	if (txn->len == 8 && offset == QM_MAILBOX)
		mailbox_command(accel, load_le64(txn->data));
	else if (txn->len == 8 && offset == QM_EQ_DOORBELL)
		doorbell_eq(accel, load_le64(txn->data));
	else if (txn->len == 4 && offset == QM_CONTROL)
		control_write(accel, load_le32(txn->data));
	else if (txn->len == 4 && offset == QM_MAILBOX_BASE_H)
		accel->regs.mailbox.base_high = load_le32(txn->data);
	else
		return false;
	return true;
}

/* Whether there is a push line, and `offset` in a window lies in it. */
static bool window_push_line(const struct accel *accel, uint64_t offset)
{
	return accel->params.push_entries && accel->params.version == ACCEL_V3 &&
	       offset >= WINDOW_PUSH && offset < WINDOW_PUSH + SQE_BYTES;
}

/* One word, or the whole line in one store. */
static bool window_push(struct accel *accel, uint32_t window, uint64_t offset,
			const struct sim_txn *txn)
{
	const uint8_t *data = txn->data;

	if ((txn->len != 8 && txn->len != SQE_BYTES) || offset % txn->len)
		return false;
	for (uint32_t at = 0; at < txn->len; at += 8)
		doorbell_push(accel, window, (unsigned int)(offset % SQE_BYTES + at) / 8,
			      load_le64(data + at));
	return true;
}

static void window_read(const struct accel *accel, uint64_t offset, struct sim_txn *txn)
{
	memset(txn->data, 0, txn->len);
	if (offset == WINDOW_PUSH && txn->len >= 4 && window_push_line(accel, offset))
		store_le32(txn->data, accel->params.push_entries);
}

/* A user window: the doorbell, and perhaps a push line, are all that is in it. */
static bool window_access(struct accel *accel, uint64_t offset, struct sim_txn *txn)
{
	uint32_t window = (uint32_t)(offset / accel->regs.window_bytes);

	offset %= accel->regs.window_bytes;
	if (txn->cmd == SIM_READ) {
		window_read(accel, offset, txn);
		return true;
	}
	if (window_push_line(accel, offset))
		return window_push(accel, window, offset, txn);
	if (offset != WINDOW_DOORBELL)
		return true;
	if (txn->len != 8)
		return false;
	doorbell_user(accel, accel->params.version == ACCEL_V2 ? DOORBELL_ANY_QUEUE : window,
		      load_le64(txn->data));
	return true;
}

/* ---- the port ------------------------------------------------------------------------------------------ */

static uint64_t frame_offset(const struct accel *accel, const struct sim_txn *txn)
{
	return txn->addr - accel->config.reg_base;
}

static enum sim_response access_serve(struct accel *accel, struct sim_txn *txn)
{
	uint64_t offset = frame_offset(accel, txn);
	bool good;

	if (offset >= accel_reg_bytes(&accel->params))
		return SIM_DECERR;
	if (txn->cmd != SIM_READ && txn->cmd != SIM_WRITE) {
		accel->counters.bad_register_accesses++;
		return SIM_SLVERR;
	}
	if (offset >= QM_WINDOWS)
		good = window_access(accel, offset - QM_WINDOWS, txn);
	else if (txn->cmd == SIM_READ)
		good = register_read(accel, offset, txn);
	else
		good = register_write(accel, offset, txn);
	if (!good)
		accel->counters.bad_register_accesses++;
	return SIM_OK;
}

static sim_time access_time(const struct accel *accel, const struct sim_txn *txn)
{
	uint64_t offset = frame_offset(accel, txn);
	bool doorbell = txn->cmd == SIM_WRITE && (offset >= QM_WINDOWS || offset == QM_EQ_DOORBELL);

	return SIM_NS(doorbell ? accel->params.doorbell_ns : accel->params.mmio_ns);
}

static void access_next(void *arg)
{
	struct accel *accel = arg;
	struct qm_regs *regs = &accel->regs;
	struct sim_txn *txn = regs->first;
	enum sim_response response = access_serve(accel, txn);

	/* off the chain first: its initiator may send another from its callback */
	regs->first = txn->hop;
	if (regs->first)
		sim_event_after(&regs->access, access_time(accel, regs->first));
	else
		regs->last = NULL;
	sim_txn_complete(txn, response);
}

void accel_mmio_request(void *target, struct sim_txn *txn)
{
	struct accel *accel = target;
	struct qm_regs *regs = &accel->regs;

	txn->hop = NULL;
	if (regs->last) {
		regs->last->hop = txn;
	} else {
		regs->first = txn;
		sim_event_after(&regs->access, access_time(accel, txn));
	}
	regs->last = txn;
}

uint64_t accel_reg_bytes(const struct accel_params *params)
{
	if (params->version == ACCEL_V2)
		return QM_WINDOWS + WINDOW_V2;
	return QM_WINDOWS + (uint64_t)params->qp_count * WINDOW_V3;
}

void qm_regs_init(struct accel *accel)
{
	accel->regs.window_bytes = accel->params.version == ACCEL_V2 ? WINDOW_V2 : WINDOW_V3;
	sim_event_init(&accel->regs.access, access_next, accel);
}
