/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queue manager's registers, mailbox, contexts, doorbells and rings, as docs/queue-manager.md specifies them.
 */
#ifndef KERNEL_SHIM_QM_HW_H
#define KERNEL_SHIM_QM_HW_H

#include <linux/bits.h>
#include <linux/types.h>

/* ---- registers ---------------------------------------------------------------------------------- */

#define QM_VERSION	  0x0000
#define QM_VERSION_V2	  0x20
#define QM_VERSION_V3	  0x30
#define QM_QP_COUNT	  0x0004
#define QM_ENGINES	  0x0008
#define QM_ENGINES_COPY	  BIT(0)
#define QM_ENGINES_CRC32C BIT(1)
#define QM_DEPTH_MAX	  0x000c
#define QM_WINDOW	  0x0010
#define QM_LENGTH_MAX	  0x0014
#define QM_CONTROL	  0x0018
#define QM_CONTROL_ENABLE BIT(0)
#define QM_STATUS	  0x001c
#define QM_STATUS_IDLE	  BIT(0)

#define QM_MAILBOX	   0x0300 /* one 64-bit store starts the command */
#define QM_MAILBOX_BASE_H  0x0308
#define QM_MAILBOX_COMMAND GENMASK_ULL(7, 0)
#define QM_MAILBOX_STATUS  GENMASK_ULL(12, 9)
#define QM_MAILBOX_BUSY	   BIT_ULL(13)
#define QM_MAILBOX_QUEUE   GENMASK_ULL(31, 16)
#define QM_MAILBOX_BASE_L  GENMASK_ULL(63, 32)

enum qm_command {
	QM_COMMAND_SQC = 0,
	QM_COMMAND_CQC = 1,
	QM_COMMAND_EQC = 2,
	QM_COMMAND_AEQC = 3,
	QM_COMMAND_STOP_QP = 8,
};

#define QM_EQ_DOORBELL 0x2000
#define QM_WINDOWS     0x100000 /* v2: one for all queues; v3: one per queue pair */

/* ---- doorbells ----------------------------------------------------------------------------------- */

#define QM_DOORBELL_COMMAND GENMASK_ULL(15, 12)
#define QM_DOORBELL_EQ	    2
#define QM_DOORBELL_AEQ	    3
#define QM_DOORBELL_INDEX   GENMASK_ULL(47, 32)

/* ---- contexts -------------------------------------------------------------------------------------- */

struct qm_context {
	__le32 base_l, base_h;
	__le32 ring;
	__le32 cq;
	__le32 pasid;
	__le32 weight;
	__le32 reserved[2];
};

#define QM_CONTEXT_DEPTH	GENMASK(31, 16) /* minus one */
#define QM_CONTEXT_SQE_SHIFT	GENMASK(3, 0)
#define QM_CONTEXT_CQ		GENMASK(15, 0)
#define QM_CONTEXT_PASID	GENMASK(19, 0)
#define QM_CONTEXT_PASID_ENABLE BIT(31)

/* ---- rings -------------------------------------------------------------------------------------------- */

#define QM_SQE_SHIFT 6
#define QM_SQE_SIZE  BIT(QM_SQE_SHIFT)
#define QM_CQE_SIZE  16
#define QM_CQ_ALIGN  64

#define QM_EQE_QUEUE GENMASK(15, 0)
#define QM_EQE_PHASE BIT(16)
#define QM_EQE_TYPE  GENMASK(20, 17) /* AEQE */

enum qm_aeqe_type {
	QM_AEQE_BAD_DOORBELL = 0,
	QM_AEQE_SQE_UNREADABLE = 1, /* the queue pair has stopped */
	QM_AEQE_CQE_UNWRITABLE = 2,
	QM_AEQE_TYPES,
};

#endif
