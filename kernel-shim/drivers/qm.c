// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver of the queue manager (docs/queue-manager.md): offers its queue pairs to user space through uacce.
 *
 * A queue of uacce is a queue pair of the device. Its rings and status words are DMA memory, mapped by the process as the
 * DUS region; its user window, with the doorbell, is the MMIO region. The queue pair's context carries the
 * process's PASID, with which the device accesses data at the process's own addresses.
 *
 * Stopping. A transaction of the device that the SMMU has stalled is answered by a work item of the I/O page fault queue,
 * which refers to the bond between device and mm (struct iommu_sva) until it has answered, and the core frees that bond
 * right after put_queue(), without flushing that queue. So a queue pair is stopped by STOP_QP, which ends only when the last
 * transaction has, and a stalled one ends only by the answer that is the last thing which its work item does with the bond: it
 * then frees what belongs to the fault alone. There is nothing left to flush. Nor can an event be on its way
 * that nobody has read: its transaction would still be stalled. Whoever waits for STOP_QP must not hold what a fault
 * handler needs: mmap_lock, or a lock that is taken under it. That is why removal stops all queue pairs before
 * uacce_remove(), which calls put_queue() with the queue's mutex held, and uacce takes that mutex under mmap_lock.
 *
 * Not supported: queues without SVA, use by the kernel itself, power management, reset.
 */
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uacce.h>
#include <linux/uaccess.h>
#include <uapi/misc/uacce/hisi_qm.h>
#include <uapi/misc/uacce/uacce.h>

#include "qm_hw.h"

#define QM_EVENT_DEPTH	   4096u
#define QM_ERROR_DEPTH	   256u
#define QM_DEPTH_LIMIT	   65535u /* the user's structure has 16 bits for it */
#define QM_QC_TYPE_MAX	   2
#define QM_MAILBOX_POLL_US 1
#define QM_MAILBOX_WAIT_US (10 * USEC_PER_SEC)
#define QM_STOP_POLL_US	   5
#define QM_IDLE_WAIT_US	   USEC_PER_SEC
#define QM_POLLER_POLL_US  10
#define QM_POLLER_WAIT_US  USEC_PER_SEC

static unsigned int qm_depth = 1024;
module_param(qm_depth, uint, 0444);
MODULE_PARM_DESC(qm_depth, "entries in the rings of a new queue");

/* EQ or AEQ */
struct qm_ring {
	__le32 *entry;
	dma_addr_t dma;
	unsigned int depth, head;
	bool phase; /* of the entries that are new */
};

struct qm_qp {
	struct qm *qm;
	unsigned int id;
	struct uacce_queue *queue; /* NULL: free; under qm->event_lock */
	bool started;		   /* in hardware; under qm->state_lock */
	u32 pasid;
	u16 qc_type;

	/* The DUS region. Kept when the queue is put, for the next user: uacce_remove() unmaps it from the process only after that */
	void *region;
	dma_addr_t region_dma;
	size_t region_size;
	unsigned int depth;

	bool dead;	 /* stopped, or by an error of the device */
	bool broken;	 /* the device may still use it */
	atomic_t events; /* since poll() asked last */
};

struct qm {
	struct device *dev;
	void __iomem *base;
	phys_addr_t windows; /* of the user */
	unsigned int version, qp_count, engines, depth_max, window_size;
	unsigned int depth; /* of new queues */
	char algorithms[32];

	struct mutex mailbox_lock;
	struct qm_context *context; /* what the mailbox points to */
	dma_addr_t context_dma;

	struct qm_ring eq, aeq;
	spinlock_t event_lock; /* queue pairs' users, as interrupts see them */

	struct mutex state_lock; /* what follows, started and regions */
	struct qm_qp *qp;
	unsigned long *used;
	bool removing;

	atomic_t errors[QM_AEQE_TYPES]; /* by type of AEQE */
	u32 isolate_threshold;		/* errors after which no new queue is given; 0: never */

	struct uacce_device *uacce;
};

/* ---- mailbox ------------------------------------------------------------------------------------------ */

/*
 * Runs a command and sleeps until it has ended, which for STOP_QP may take as long as a page fault. A queue manager that
 * does not answer for ten seconds is broken.
 */
static int qm_mailbox_locked(struct qm *qm, enum qm_command command, unsigned int queue,
			     dma_addr_t address)
{
	unsigned int poll_us = command == QM_COMMAND_STOP_QP ? QM_STOP_POLL_US : QM_MAILBOX_POLL_US;
	u64 store = FIELD_PREP(QM_MAILBOX_COMMAND, command) | QM_MAILBOX_BUSY |
		    FIELD_PREP(QM_MAILBOX_QUEUE, queue) |
		    FIELD_PREP(QM_MAILBOX_BASE_L, lower_32_bits(address));
	u32 value;
	int ret;

	writel(upper_32_bits(address), qm->base + QM_MAILBOX_BASE_H);
	writeq(store, qm->base + QM_MAILBOX);
	ret = readl_poll_timeout(qm->base + QM_MAILBOX, value, !(value & QM_MAILBOX_BUSY), poll_us,
				 QM_MAILBOX_WAIT_US);
	if (ret) {
		dev_err(qm->dev, "mailbox command %d of queue %u does not end\n", command, queue);
		return ret;
	}
	if (FIELD_GET(QM_MAILBOX_STATUS, value)) {
		dev_err(qm->dev, "mailbox command %d of queue %u: status %llu\n", command, queue,
			FIELD_GET(QM_MAILBOX_STATUS, value));
		return -EIO;
	}
	return 0;
}

static int qm_mailbox(struct qm *qm, enum qm_command command, unsigned int queue,
		      const struct qm_context *context)
{
	int ret;

	mutex_lock(&qm->mailbox_lock);
	if (context)
		*qm->context = *context;
	ret = qm_mailbox_locked(qm, command, queue, context ? qm->context_dma : 0);
	mutex_unlock(&qm->mailbox_lock);
	return ret;
}

static struct qm_context ring_context(dma_addr_t base, unsigned int depth)
{
	return (struct qm_context){
		.base_l = cpu_to_le32(lower_32_bits(base)),
		.base_h = cpu_to_le32(upper_32_bits(base)),
		.ring = cpu_to_le32(FIELD_PREP(QM_CONTEXT_DEPTH, depth - 1)),
	};
}

/* ---- the DUS region ------------------------------------------------------------------------------------ */

static size_t cq_offset(unsigned int depth)
{
	return ALIGN((size_t)depth * QM_SQE_SIZE, QM_CQ_ALIGN);
}

static size_t region_size(unsigned int depth)
{
	return PAGE_ALIGN(cq_offset(depth) + (size_t)depth * QM_CQE_SIZE + 2 * sizeof(u32));
}

/* Tells the process, which reads the region's last two words (RX and TX status), whether its queue is dead. */
static void qp_write_status(struct qm_qp *qp, u32 dead)
{
	u32 *end = qp->region + qp->region_size;

	WRITE_ONCE(end[-1], dead);
	WRITE_ONCE(end[-2], dead);
}

static void qp_region_free(struct qm_qp *qp)
{
	if (qp->region)
		dma_free_coherent(qp->qm->dev, qp->region_size, qp->region, qp->region_dma);
	qp->region = NULL;
}

/* A region of the depth that new queues have, with nothing in it of a former user. */
static int qp_region_prepare(struct qm_qp *qp)
{
	struct qm *qm = qp->qm;

	if (qp->region && qp->depth != qm->depth)
		qp_region_free(qp);
	if (qp->region) {
		memset(qp->region, 0, qp->region_size);
		return 0;
	}
	qp->depth = qm->depth;
	qp->region_size = region_size(qp->depth);
	qp->region = dma_alloc_coherent(qm->dev, qp->region_size, &qp->region_dma, GFP_KERNEL);
	return qp->region ? 0 : -ENOMEM;
}

/* ---- starting and stopping a queue pair; state_lock held -------------------------------------------------- */

static int qp_start(struct qm_qp *qp)
{
	struct qm *qm = qp->qm;
	struct qm_context cqc = ring_context(qp->region_dma + cq_offset(qp->depth), qp->depth);
	struct qm_context sqc = ring_context(qp->region_dma, qp->depth);
	int ret;

	sqc.ring |= cpu_to_le32(FIELD_PREP(QM_CONTEXT_SQE_SHIFT, QM_SQE_SHIFT));
	sqc.cq = cpu_to_le32(FIELD_PREP(QM_CONTEXT_CQ, qp->id));
	sqc.pasid = cpu_to_le32(FIELD_PREP(QM_CONTEXT_PASID, qp->pasid) | QM_CONTEXT_PASID_ENABLE);
	/* Started anew, the rings are those of a new queue: phases begin with 1 */
	memset(qp->region + cq_offset(qp->depth), 0, (size_t)qp->depth * QM_CQE_SIZE);
	qp->dead = false;
	atomic_set(&qp->events, 0);
	qp_write_status(qp, 0);
	ret = qm_mailbox(qm, QM_COMMAND_CQC, qp->id, &cqc);
	ret = ret ?: qm_mailbox(qm, QM_COMMAND_SQC, qp->id, &sqc);
	if (!ret)
		qp->started = true;
	else
		qp_write_status(qp, 1);
	return ret;
}

/* Something has happened to a queue pair: who polls its queue asks again. */
static void qp_wake(struct qm *qm, unsigned int id, bool dead)
{
	struct qm_qp *qp;
	unsigned long flags;

	if (id >= qm->qp_count)
		return;
	qp = &qm->qp[id];
	spin_lock_irqsave(&qm->event_lock, flags);
	if (qp->queue) {
		if (dead) {
			WRITE_ONCE(qp->dead, true);
			qp_write_status(qp, 1);
		}
		atomic_set(&qp->events, 1);
		wake_up_interruptible(&qp->queue->wait);
	}
	spin_unlock_irqrestore(&qm->event_lock, flags);
}

/*
 * Returns when the device has ended its last access for this queue pair, stalled ones included. One that cannot be stopped is
 * not used again, nor is its memory.
 */
static void qp_stop(struct qm_qp *qp)
{
	if (!qp->started)
		return;
	if (qm_mailbox(qp->qm, QM_COMMAND_STOP_QP, qp->id, NULL))
		qp->broken = true;
	qp->started = false;
	qp_wake(qp->qm, qp->id, true);
}

/* ---- uacce ------------------------------------------------------------------------------------------------- */

static bool qm_isolated(const struct qm *qm)
{
	u32 errors = 0;

	for (int i = 0; i < QM_AEQE_TYPES; i++)
		errors += (u32)atomic_read(&qm->errors[i]);
	return qm->isolate_threshold && errors >= qm->isolate_threshold;
}

static int qm_get_available_instances(struct uacce_device *uacce)
{
	struct qm *qm = uacce->priv;
	unsigned int used;

	mutex_lock(&qm->state_lock);
	used = bitmap_weight(qm->used, qm->qp_count);
	mutex_unlock(&qm->state_lock);
	return (int)(qm->qp_count - used);
}

static struct qm_qp *qp_take(struct qm *qm)
{
	struct qm_qp *qp;
	unsigned int id;
	int ret;

	if (qm->removing)
		return ERR_PTR(-ENODEV);
	if (qm_isolated(qm))
		return ERR_PTR(-EIO);
	id = (unsigned int)find_first_zero_bit(qm->used, qm->qp_count);
	if (id >= qm->qp_count)
		return ERR_PTR(-EBUSY);
	qp = &qm->qp[id];
	ret = qp_region_prepare(qp);
	if (ret)
		return ERR_PTR(ret);
	set_bit(id, qm->used);
	return qp;
}

static int qm_get_queue(struct uacce_device *uacce, unsigned long pasid, struct uacce_queue *q)
{
	struct qm *qm = uacce->priv;
	struct qm_qp *qp;

	mutex_lock(&qm->state_lock);
	qp = qp_take(qm);
	mutex_unlock(&qm->state_lock);
	if (IS_ERR(qp))
		return (int)PTR_ERR(qp);
	qp->pasid = (u32)pasid;
	qp->qc_type = 0;
	qp->dead = false;
	atomic_set(&qp->events, 0);
	q->priv = qp;
	return 0;
}

static int qm_start_queue(struct uacce_queue *q)
{
	struct qm_qp *qp = q->priv;
	struct qm *qm = qp->qm;
	int ret = -ENODEV;

	/* From now on its wait queue is set up and interrupts may find it */
	spin_lock_irq(&qm->event_lock);
	qp->queue = q;
	spin_unlock_irq(&qm->event_lock);
	mutex_lock(&qm->state_lock);
	if (!qm->removing)
		ret = qp_start(qp);
	mutex_unlock(&qm->state_lock);
	return ret;
}

static void qm_stop_queue(struct uacce_queue *q)
{
	struct qm_qp *qp = q->priv;

	mutex_lock(&qp->qm->state_lock);
	qp_stop(qp);
	mutex_unlock(&qp->qm->state_lock);
}

static void qm_put_queue(struct uacce_queue *q)
{
	struct qm_qp *qp = q->priv;
	struct qm *qm = qp->qm;

	mutex_lock(&qm->state_lock);
	qp_stop(qp);
	spin_lock_irq(&qm->event_lock);
	qp->queue = NULL;
	spin_unlock_irq(&qm->event_lock);
	if (!qp->broken)
		clear_bit(qp->id, qm->used);
	mutex_unlock(&qm->state_lock);
}

/*
 * An event has come since poll() asked last: the completion that the process armed its CQ for. Which entries it has
 * consumed meanwhile, only the process knows. A dead queue is reported for ever.
 */
static int qm_is_q_updated(struct uacce_queue *q)
{
	struct qm_qp *qp = q->priv;

	return READ_ONCE(qp->dead) || atomic_xchg(&qp->events, 0);
}

static int map_window(struct qm_qp *qp, struct vm_area_struct *vma)
{
	struct qm *qm = qp->qm;
	size_t size = vma->vm_end - vma->vm_start;
	phys_addr_t window = qm->windows;

	if (qm->version >= QM_VERSION_V3)
		window += (phys_addr_t)qp->id * qm->window_size;
	if (size > qm->window_size)
		return -EINVAL;
	vm_flags_set(vma, VM_IO);
	return remap_pfn_range(vma, vma->vm_start, window >> PAGE_SHIFT, size,
			       pgprot_noncached(vma->vm_page_prot));
}

static int map_region(struct qm_qp *qp, struct vm_area_struct *vma)
{
	unsigned long pgoff = vma->vm_pgoff;
	int ret;

	if (vma->vm_end - vma->vm_start > qp->region_size)
		return -EINVAL;
	/* To uacce the offset means the region's type, to the DMA API an offset in the region */
	vma->vm_pgoff = 0;
	ret = dma_mmap_coherent(qp->qm->dev, vma, qp->region, qp->region_dma, qp->region_size);
	vma->vm_pgoff = pgoff;
	return ret;
}

static int qm_mmap(struct uacce_queue *q, struct vm_area_struct *vma,
		   struct uacce_qfile_region *qfr)
{
	switch (qfr->type) {
	case UACCE_QFRT_MMIO:
		return map_window(q->priv, vma);
	case UACCE_QFRT_DUS:
		return map_region(q->priv, vma);
	default:
		return -EINVAL;
	}
}

static long set_qp_context(struct qm_qp *qp, void __user *arg)
{
	struct hisi_qp_ctx context;

	if (copy_from_user(&context, arg, sizeof(context)))
		return -EFAULT;
	if (context.qc_type > QM_QC_TYPE_MAX)
		return -EINVAL;
	qp->qc_type = context.qc_type;
	context.id = (u16)qp->id;
	return copy_to_user(arg, &context, sizeof(context)) ? -EFAULT : 0;
}

static long set_qp_info(struct qm_qp *qp, void __user *arg)
{
	struct hisi_qp_info info;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	info.sqe_size = QM_SQE_SIZE;
	info.sq_depth = (u16)qp->depth;
	info.cq_depth = (u16)qp->depth;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long qm_ioctl(struct uacce_queue *q, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case UACCE_CMD_QM_SET_QP_CTX:
		return set_qp_context(q->priv, (void __user *)arg);
	case UACCE_CMD_QM_SET_QP_INFO:
		return set_qp_info(q->priv, (void __user *)arg);
	default:
		return -EINVAL;
	}
}

static enum uacce_dev_state qm_get_isolate_state(struct uacce_device *uacce)
{
	return qm_isolated(uacce->priv) ? UACCE_DEV_ISOLATE : UACCE_DEV_NORMAL;
}

static int qm_isolate_threshold_write(struct uacce_device *uacce, u32 threshold)
{
	struct qm *qm = uacce->priv;

	if (qm_isolated(qm))
		return -EPERM;
	qm->isolate_threshold = threshold;
	return 0;
}

static u32 qm_isolate_threshold_read(struct uacce_device *uacce)
{
	struct qm *qm = uacce->priv;

	return qm->isolate_threshold;
}

static const struct uacce_ops qm_uacce_ops = {
	.get_available_instances = qm_get_available_instances,
	.get_queue = qm_get_queue,
	.put_queue = qm_put_queue,
	.start_queue = qm_start_queue,
	.stop_queue = qm_stop_queue,
	.is_q_updated = qm_is_q_updated,
	.mmap = qm_mmap,
	.ioctl = qm_ioctl,
	.get_isolate_state = qm_get_isolate_state,
	.isolate_err_threshold_write = qm_isolate_threshold_write,
	.isolate_err_threshold_read = qm_isolate_threshold_read,
};

/* ---- interrupts ------------------------------------------------------------------------------------------------ */

/* Takes the next entry of an event ring; false if there is none. */
static bool ring_next(struct qm_ring *ring, u32 *entry)
{
	*entry = le32_to_cpu(READ_ONCE(ring->entry[ring->head]));
	if (!!(*entry & QM_EQE_PHASE) != ring->phase)
		return false;
	if (++ring->head == ring->depth) {
		ring->head = 0;
		ring->phase = !ring->phase;
	}
	return true;
}

static void ring_doorbell(struct qm *qm, const struct qm_ring *ring, unsigned int command)
{
	writeq(FIELD_PREP(QM_DOORBELL_COMMAND, command) | FIELD_PREP(QM_DOORBELL_INDEX, ring->head),
	       qm->base + QM_EQ_DOORBELL);
}

static irqreturn_t qm_eq_interrupt(int irq, void *data)
{
	struct qm *qm = data;
	u32 eqe;

	if (!ring_next(&qm->eq, &eqe))
		return IRQ_NONE;
	do {
		qp_wake(qm, FIELD_GET(QM_EQE_QUEUE, eqe), false);
	} while (ring_next(&qm->eq, &eqe));
	ring_doorbell(qm, &qm->eq, QM_DOORBELL_EQ);
	return IRQ_HANDLED;
}

static void qm_error(struct qm *qm, u32 aeqe)
{
	static const char *const texts[QM_AEQE_TYPES] = {
		[QM_AEQE_BAD_DOORBELL] = "bad doorbell",
		[QM_AEQE_SQE_UNREADABLE] = "a request could not be read",
		[QM_AEQE_CQE_UNWRITABLE] = "a completion could not be written",
	};
	unsigned int type = FIELD_GET(QM_EQE_TYPE, aeqe), id = FIELD_GET(QM_EQE_QUEUE, aeqe);

	if (type >= QM_AEQE_TYPES) {
		dev_err_ratelimited(qm->dev, "queue %u: unknown error %u\n", id, type);
		return;
	}
	atomic_inc(&qm->errors[type]);
	dev_err_ratelimited(qm->dev, "queue %u: %s\n", id, texts[type]);
	if (type != QM_AEQE_BAD_DOORBELL)
		qp_wake(qm, id, true);
}

static irqreturn_t qm_aeq_thread(int irq, void *data)
{
	struct qm *qm = data;
	u32 aeqe;

	if (!ring_next(&qm->aeq, &aeqe))
		return IRQ_NONE;
	do {
		qm_error(qm, aeqe);
	} while (ring_next(&qm->aeq, &aeqe));
	ring_doorbell(qm, &qm->aeq, QM_DOORBELL_AEQ);
	return IRQ_HANDLED;
}

/* ---- sysfs, beside what uacce shows ---------------------------------------------------------------------------- */

static int check_depth(struct qm *qm, unsigned int depth)
{
	unsigned int max = min(qm->depth_max, QM_DEPTH_LIMIT);

	if (depth >= 2 && depth <= max)
		return 0;
	dev_err(qm->dev, "qm_depth %u: allowed are 2 to %u\n", depth, max);
	return -EINVAL;
}

static ssize_t qm_depth_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qm *qm = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", qm->depth);
}

static ssize_t qm_depth_store(struct device *dev, struct device_attribute *attr, const char *buf,
			      size_t count)
{
	struct qm *qm = dev_get_drvdata(dev);
	unsigned int depth;
	int ret = kstrtouint(buf, 0, &depth);

	ret = ret ?: check_depth(qm, depth);
	if (ret)
		return ret;
	mutex_lock(&qm->state_lock);
	qm->depth = depth;
	qm->uacce->qf_pg_num[UACCE_QFRT_DUS] = region_size(depth) >> PAGE_SHIFT;
	mutex_unlock(&qm->state_lock);
	return (ssize_t)count;
}
static DEVICE_ATTR_RW(qm_depth);

static ssize_t qm_errors_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct qm *qm = dev_get_drvdata(dev);

	return sysfs_emit(buf, "bad_doorbell %d\nsqe_unreadable %d\ncqe_unwritable %d\n",
			  atomic_read(&qm->errors[QM_AEQE_BAD_DOORBELL]),
			  atomic_read(&qm->errors[QM_AEQE_SQE_UNREADABLE]),
			  atomic_read(&qm->errors[QM_AEQE_CQE_UNWRITABLE]));
}
static DEVICE_ATTR_RO(qm_errors);

static struct attribute *qm_attrs[] = {
	&dev_attr_qm_depth.attr,
	&dev_attr_qm_errors.attr,
	NULL,
};
ATTRIBUTE_GROUPS(qm);

/* ---- probe ---------------------------------------------------------------------------------------------------------- */

static int qm_read_identity(struct qm *qm, const struct resource *res)
{
	unsigned int windows;

	qm->version = readl(qm->base + QM_VERSION);
	qm->qp_count = readl(qm->base + QM_QP_COUNT);
	qm->engines = readl(qm->base + QM_ENGINES);
	qm->depth_max = readl(qm->base + QM_DEPTH_MAX);
	qm->window_size = readl(qm->base + QM_WINDOW);
	qm->windows = res->start + QM_WINDOWS;
	windows = qm->version >= QM_VERSION_V3 ? qm->qp_count : 1;
	if ((qm->version != QM_VERSION_V2 && qm->version != QM_VERSION_V3) || !qm->qp_count ||
	    !qm->window_size || !PAGE_ALIGNED(qm->window_size) || qm->depth_max < 2) {
		dev_err(qm->dev, "not a queue manager: version %#x, %u queue pairs\n", qm->version,
			qm->qp_count);
		return -ENODEV;
	}
	if (resource_size(res) < QM_WINDOWS + (u64)windows * qm->window_size) {
		dev_err(qm->dev, "registers end before the last of %u user windows\n", windows);
		return -EINVAL;
	}
	snprintf(qm->algorithms, sizeof(qm->algorithms), "%s%s",
		 qm->engines & QM_ENGINES_COPY ? "copy\n" : "",
		 qm->engines & QM_ENGINES_CRC32C ? "crc32c\n" : "");
	/* uacce ends the list with a newline of its own */
	if (qm->algorithms[0])
		qm->algorithms[strlen(qm->algorithms) - 1] = '\0';
	return 0;
}

static int qm_disable(struct qm *qm)
{
	u32 status;

	writel(0, qm->base + QM_CONTROL);
	return readl_poll_timeout(qm->base + QM_STATUS, status, status & QM_STATUS_IDLE,
				  QM_MAILBOX_POLL_US, QM_IDLE_WAIT_US);
}

static int ring_alloc(struct qm *qm, struct qm_ring *ring, unsigned int depth)
{
	ring->depth = min(depth, qm->depth_max);
	ring->phase = true;
	ring->entry = dmam_alloc_coherent(qm->dev, ring->depth * sizeof(*ring->entry), &ring->dma,
					  GFP_KERNEL);
	return ring->entry ? 0 : -ENOMEM;
}

static int qm_alloc(struct qm *qm)
{
	int ret;

	qm->qp = devm_kcalloc(qm->dev, qm->qp_count, sizeof(*qm->qp), GFP_KERNEL);
	qm->used = devm_bitmap_zalloc(qm->dev, qm->qp_count, GFP_KERNEL);
	qm->context =
		dmam_alloc_coherent(qm->dev, sizeof(*qm->context), &qm->context_dma, GFP_KERNEL);
	if (!qm->qp || !qm->used || !qm->context)
		return -ENOMEM;
	for (unsigned int i = 0; i < qm->qp_count; i++) {
		qm->qp[i].qm = qm;
		qm->qp[i].id = i;
	}
	ret = ring_alloc(qm, &qm->eq, QM_EVENT_DEPTH);
	return ret ?: ring_alloc(qm, &qm->aeq, QM_ERROR_DEPTH);
}

static int qm_request_interrupts(struct qm *qm, struct platform_device *pdev)
{
	int eq = platform_get_irq_byname(pdev, "eq");
	int aeq = platform_get_irq_byname(pdev, "aeq");
	int ret;

	if (eq < 0 || aeq < 0)
		return eq < 0 ? eq : aeq;
	ret = devm_request_irq(qm->dev, (unsigned int)eq, qm_eq_interrupt, 0, "qm-eq", qm);
	return ret
		       ?: devm_request_threaded_irq(qm->dev, (unsigned int)aeq, NULL, qm_aeq_thread,
						    IRQF_ONESHOT, "qm-aeq", qm);
}

static int qm_enable(struct qm *qm)
{
	struct qm_context eqc = ring_context(qm->eq.dma, qm->eq.depth);
	struct qm_context aeqc = ring_context(qm->aeq.dma, qm->aeq.depth);
	int ret;

	writel(QM_CONTROL_ENABLE, qm->base + QM_CONTROL);
	ret = qm_mailbox(qm, QM_COMMAND_EQC, 0, &eqc);
	return ret ?: qm_mailbox(qm, QM_COMMAND_AEQC, 0, &aeqc);
}

static int qm_register(struct qm *qm)
{
	struct uacce_interface interface = {
		.name = "svasim_qm",
		.flags = UACCE_DEV_SVA,
		.ops = &qm_uacce_ops,
	};
	struct uacce_device *uacce = uacce_alloc(qm->dev, &interface);
	int ret;

	if (IS_ERR(uacce))
		return (int)PTR_ERR(uacce);
	if (!(uacce->flags & UACCE_DEV_SVA)) {
		/* Without a PASID a process would reach all of memory */
		dev_err(qm->dev, "no shared virtual addressing, not offered to user space\n");
		uacce_remove(uacce);
		return -ENODEV;
	}
	uacce->priv = qm;
	uacce->algs = qm->algorithms;
	uacce->api_ver =
		qm->version >= QM_VERSION_V3 ? HISI_QM_API_VER3_BASE : HISI_QM_API_VER2_BASE;
	uacce->qf_pg_num[UACCE_QFRT_MMIO] = qm->window_size >> PAGE_SHIFT;
	uacce->qf_pg_num[UACCE_QFRT_DUS] = region_size(qm->depth) >> PAGE_SHIFT;
	qm->uacce = uacce;
	ret = uacce_register(uacce);
	if (ret)
		uacce_remove(uacce);
	return ret;
}

static int qm_probe(struct platform_device *pdev)
{
	struct qm *qm = devm_kzalloc(&pdev->dev, sizeof(*qm), GFP_KERNEL);
	struct resource *res;
	int ret;

	if (!qm)
		return -ENOMEM;
	qm->dev = &pdev->dev;
	mutex_init(&qm->mailbox_lock);
	mutex_init(&qm->state_lock);
	spin_lock_init(&qm->event_lock);
	platform_set_drvdata(pdev, qm);
	qm->base = devm_platform_get_and_ioremap_resource(pdev, 0, &res);
	if (IS_ERR(qm->base))
		return (int)PTR_ERR(qm->base);
	ret = qm_read_identity(qm, res);
	ret = ret ?: check_depth(qm, qm_depth);
	ret = ret ?: dma_set_mask_and_coherent(qm->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	qm->depth = qm_depth;
	ret = qm_disable(qm);
	ret = ret ?: qm_alloc(qm);
	ret = ret ?: qm_request_interrupts(qm, pdev);
	if (ret)
		return ret;
	ret = qm_enable(qm);
	ret = ret ?: qm_register(qm);
	if (ret)
		qm_disable(qm);
	return ret;
}

static bool qp_has_poller(struct qm_qp *qp)
{
	bool polled;

	spin_lock_irq(&qp->qm->event_lock);
	polled = qp->queue && waitqueue_active(&qp->queue->wait);
	spin_unlock_irq(&qp->qm->event_lock);
	return polled;
}

/*
 * Lets those who sleep in poll() see that their queue is dead: once uacce_remove() has been there, poll() reports nothing any
 * more, and a poller that is late would sleep on for ever. A poller that does not run for a second loses that.
 */
static void qm_wait_for_pollers(struct qm *qm)
{
	bool polled;

	for (unsigned int i = 0; i < qm->qp_count; i++)
		read_poll_timeout(qp_has_poller, polled, !polled, QM_POLLER_POLL_US,
				  QM_POLLER_WAIT_US, false, &qm->qp[i]);
}

static void qm_remove(struct platform_device *pdev)
{
	struct qm *qm = platform_get_drvdata(pdev);

	mutex_lock(&qm->state_lock);
	qm->removing = true;
	for (unsigned int i = 0; i < qm->qp_count; i++)
		qp_stop(&qm->qp[i]);
	mutex_unlock(&qm->state_lock);
	qm_wait_for_pollers(qm);
	uacce_remove(qm->uacce);
	if (qm_disable(qm))
		dev_err(qm->dev, "not idle after the last queue was stopped\n");
	/* No process has them mapped any more */
	for (unsigned int i = 0; i < qm->qp_count; i++)
		if (!qm->qp[i].broken)
			qp_region_free(&qm->qp[i]);
}

static const struct of_device_id qm_match[] = {
	{.compatible = "svasim,qm"},
	{},
};

static struct platform_driver qm_driver = {
	.driver =
		{
			.name = "svasim_qm",
			.of_match_table = qm_match,
			.dev_groups = qm_groups,
		},
	.probe = qm_probe,
	.remove = qm_remove,
};
module_platform_driver(qm_driver);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Queue manager of the modelled accelerator");
