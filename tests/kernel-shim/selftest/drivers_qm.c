// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue manager's driver under the real uacce core, on a device that is only its registers and an IOMMU that grants
 * everything: what the driver writes into contexts, what the process sees, how queues end.
 */
#include <linux/bitfield.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <uapi/misc/uacce/hisi_qm.h>
#include <uapi/misc/uacce/uacce.h>

#include "../../../kernel-shim/drivers/qm_hw.h"
#include "fs_test.h"

#define FAKE_BASE     0x20000000ULL
#define FAKE_QPS      4
#define FAKE_WINDOW   0x10000
#define FAKE_BYTES    (QM_WINDOWS + FAKE_QPS * FAKE_WINDOW)
#define FAKE_LINE_EQ  20
#define FAKE_LINE_AEQ 21
#define LINE_REGISTER 0x10000000ULL /* of the test machine: a write raises the line */

/* ---- the device: registers, and what was written to them ---------------------------------------------- */

static struct {
	const struct machine_ops *real;
	struct machine_ops machine;
	u32 base_h, control;
	unsigned int busy_reads; /* until the mailbox's command has ended */
	unsigned int status;
	struct qm_context context[QM_COMMAND_AEQC + 1];
	unsigned int queue[QM_COMMAND_AEQC + 1];
	unsigned int stops, stop_reads; /* a STOP_QP takes that many reads */
	u64 eq_doorbell;
	unsigned int written[2]; /* entries of EQ and AEQ */
} fake;

static void mailbox(u64 value)
{
	unsigned int command = FIELD_GET(QM_MAILBOX_COMMAND, value);
	phys_addr_t address = (u64)fake.base_h << 32 | FIELD_GET(QM_MAILBOX_BASE_L, value);

	fake.busy_reads = 1;
	if (command <= QM_COMMAND_AEQC) {
		memcpy(&fake.context[command], __va(address), sizeof(struct qm_context));
		fake.queue[command] = FIELD_GET(QM_MAILBOX_QUEUE, value);
	} else if (command == QM_COMMAND_STOP_QP) {
		fake.stops++;
		fake.busy_reads = fake.stop_reads;
	}
}

static ki_u64 fake_read(unsigned int cpu, ki_u64 pa, unsigned int size)
{
	if (pa < FAKE_BASE || pa >= FAKE_BASE + FAKE_BYTES)
		return fake.real->mmio_read(cpu, pa, size);
	switch (pa - FAKE_BASE) {
	case QM_VERSION:
		return QM_VERSION_V3;
	case QM_QP_COUNT:
		return FAKE_QPS;
	case QM_ENGINES:
		return QM_ENGINES_COPY | QM_ENGINES_CRC32C;
	case QM_DEPTH_MAX:
		return 4096;
	case QM_WINDOW:
		return FAKE_WINDOW;
	case QM_STATUS:
		return QM_STATUS_IDLE;
	case QM_MAILBOX:
		return fake.busy_reads && fake.busy_reads-- ? QM_MAILBOX_BUSY : 0;
	}
	return 0;
}

static void fake_write(unsigned int cpu, ki_u64 pa, ki_u64 value, unsigned int size)
{
	if (pa < FAKE_BASE || pa >= FAKE_BASE + FAKE_BYTES)
		return fake.real->mmio_write(cpu, pa, value, size);
	switch (pa - FAKE_BASE) {
	case QM_CONTROL:
		fake.control = (u32)value;
		break;
	case QM_MAILBOX_BASE_H:
		fake.base_h = (u32)value;
		break;
	case QM_MAILBOX:
		mailbox(value);
		break;
	case QM_EQ_DOORBELL:
		fake.eq_doorbell = value;
		break;
	}
}

static phys_addr_t context_base(unsigned int command)
{
	const struct qm_context *context = &fake.context[command];

	return (u64)le32_to_cpu(context->base_h) << 32 | le32_to_cpu(context->base_l);
}

/* Writes an entry of the event queue's first pass and raises the interrupt. */
static void raise(unsigned int ring, unsigned int line, u32 entry)
{
	__le32 *entries = __va(context_base(ring));

	entries[fake.written[ring - QM_COMMAND_EQC]++] = cpu_to_le32(entry | QM_EQE_PHASE);
	writeq(10, (void __iomem *)(LINE_REGISTER + 8 * line));
	schedule_timeout_uninterruptible(2);
}

/* ---- the IOMMU ------------------------------------------------------------------------------------------- */

static int attach(struct iommu_domain *domain, struct device *dev)
{
	return 0;
}

static int set_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
		     struct iommu_domain *old)
{
	return 0;
}

static void remove_pasid(struct device *dev, ioasid_t pasid, struct iommu_domain *domain)
{
}

static void sva_free(struct iommu_domain *domain)
{
	kfree(domain);
}

static const struct iommu_domain_ops identity_ops = {.attach_dev = attach};
static const struct iommu_domain_ops sva_ops = {.set_dev_pasid = set_pasid, .free = sva_free};
static struct iommu_domain identity = {.type = IOMMU_DOMAIN_IDENTITY, .ops = &identity_ops};
static struct iommu_device fake_iommu = {.max_pasids = 256};

static struct iommu_domain *sva_alloc(struct device *dev, struct mm_struct *mm)
{
	struct iommu_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL);

	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->ops = &sva_ops;
	return domain;
}

static struct iommu_device *probe_device(struct device *dev)
{
	return strstr(dev_name(dev), "svasim_qm") ? &fake_iommu : ERR_PTR(-ENODEV);
}

static int feature(struct device *dev, enum iommu_dev_features feat)
{
	return 0;
}

static const struct iommu_ops fake_iommu_ops = {
	.probe_device = probe_device,
	.device_group = generic_device_group,
	.domain_alloc_sva = sva_alloc,
	.remove_dev_pasid = remove_pasid,
	.dev_enable_feat = feature,
	.dev_disable_feat = feature,
	.identity_domain = &identity,
	.default_domain = &identity,
};

/* ---- set-up --------------------------------------------------------------------------------------------------- */

static struct platform_device *fake_add(void)
{
	static const struct resource resources[] = {
		DEFINE_RES_MEM(FAKE_BASE, FAKE_BYTES),
		DEFINE_RES_NAMED(FAKE_LINE_EQ + 1, 1, "eq", IORESOURCE_IRQ),
		DEFINE_RES_NAMED(FAKE_LINE_AEQ + 1, 1, "aeq", IORESOURCE_IRQ),
	};
	static const struct property_entry properties[] = {
		PROPERTY_ENTRY_U32("pasid-num-bits", 8),
		{},
	};
	const struct platform_device_info info = {
		.name = "svasim_qm",
		.id = PLATFORM_DEVID_NONE,
		.res = resources,
		.num_res = ARRAY_SIZE(resources),
		.dma_mask = DMA_BIT_MASK(64),
		.properties = properties,
	};

	memset(&fake, 0, sizeof(fake));
	fake.real = machine;
	fake.machine = *machine;
	fake.machine.mmio_read = fake_read;
	fake.machine.mmio_write = fake_write;
	fake.stop_reads = 3;
	machine = &fake.machine;
	if (iommu_device_sysfs_add(&fake_iommu, &platform_bus, NULL, "fake_iommu") ||
	    iommu_device_register(&fake_iommu, &fake_iommu_ops, NULL))
		return ERR_PTR(-EINVAL);
	return platform_device_register_full(&info);
}

static void fake_remove(struct platform_device *pdev)
{
	platform_device_unregister(pdev);
	iommu_device_unregister(&fake_iommu);
	iommu_device_sysfs_remove(&fake_iommu);
	machine = fake.real;
}

static noinline u64 map_file(s64 fd, enum uacce_qfrt region, u64 pages)
{
	return (u64)mm_syscall(NR_mmap, 0, PAGES(pages), READ_WRITE, MAP_SHARED, (u64)fd,
			       PAGES(region));
}

static u32 user_u16(struct fs_process *p, u64 at)
{
	return (u32)user_load(p->mm, at) | (u32)user_load(p->mm, at + 1) << 8;
}

/* POLLIN without waiting */
static noinline bool readable(struct fs_process *p, s64 fd)
{
	u64 at = p->data + 512;

	for (unsigned int i = 0; i < 24; i++)
		user_store(p->mm, at + i, 0);
	user_store(p->mm, at, (u8)fd);
	user_store(p->mm, at + 4, POLLIN);
	return fs_syscall(NR_ppoll, at, 1, at + 8, 0, 0) == 1;
}

#define CLASS_DIR "/sys/class/uacce/svasim_qm-0/"

/* ---- tests ------------------------------------------------------------------------------------------------------- */

KI_SELFTEST(drivers_qm_is_offered_through_sysfs)
{
	struct platform_device *pdev = fake_add();
	struct fs_process p;

	fs_enter(&p);
	KI_CHECK(!IS_ERR(pdev) && pdev->dev.driver);
	KI_CHECK(fake.control == QM_CONTROL_ENABLE && context_base(QM_COMMAND_AEQC));
	KI_CHECK(fs_file_is(&p, CLASS_DIR "api", "hisi_qm_v3\n"));
	KI_CHECK(fs_file_is(&p, CLASS_DIR "algorithms", "copy\ncrc32c\n"));
	KI_CHECK(fs_file_is(&p, CLASS_DIR "flags", "1\n"));
	KI_CHECK(fs_file_is(&p, CLASS_DIR "available_instances", "4\n"));
	KI_CHECK(fs_file_is(&p, CLASS_DIR "region_mmio_size", "65536\n"));
	KI_CHECK(fs_file_is(&p, CLASS_DIR "region_dus_size", "86016\n"));
	KI_CHECK(fs_file_is(&p, CLASS_DIR "isolate", "0\n"));
	KI_CHECK(fs_write_file(&p, CLASS_DIR "device/qm_depth", "64") == 2);
	KI_CHECK(fs_file_is(&p, CLASS_DIR "region_dus_size", "8192\n"));
	KI_CHECK(fs_write_file(&p, CLASS_DIR "device/qm_depth", "1") == -EINVAL);
	KI_CHECK(fs_write_file(&p, CLASS_DIR "device/qm_depth", "4097") == -EINVAL);
	fs_leave(&p);
	fake_remove(pdev);
	KI_CHECK(fake.control == 0);
	return 0;
}

KI_SELFTEST(drivers_qm_queue_lives_from_open_to_close)
{
	struct platform_device *pdev = fake_add();
	const struct qm_context *sqc = &fake.context[QM_COMMAND_SQC];
	struct fs_process p;
	u64 dus;
	s64 fd;

	fs_enter(&p);
	KI_CHECK(!IS_ERR(pdev));
	fd = fs_open(&p, "/dev/svasim_qm-0", O_RDWR | O_CLOEXEC);
	KI_CHECK(fd >= 0);
	KI_CHECK(fs_syscall(NR_ioctl, (u64)fd, UACCE_CMD_QM_SET_QP_CTX, p.data, 0, 0) == 0);
	KI_CHECK(user_u16(&p, p.data) == 0);
	KI_CHECK(fs_syscall(NR_ioctl, (u64)fd, UACCE_CMD_QM_SET_QP_INFO, p.data, 0, 0) == 0);
	KI_CHECK(user_u16(&p, p.data) == 64 && user_u16(&p, p.data + 4) == 1024);
	KI_CHECK(fs_syscall(NR_ioctl, (u64)fd, 0x1234, 0, 0, 0) == -EINVAL);
	KI_CHECK(!IS_ERR_VALUE(map_file(fd, UACCE_QFRT_MMIO, 16)));
	KI_CHECK((s64)map_file(fd, UACCE_QFRT_MMIO, 16) == -EEXIST);
	dus = map_file(fd, UACCE_QFRT_DUS, 22);
	KI_CHECK((s64)dus == -EINVAL);
	dus = map_file(fd, UACCE_QFRT_DUS, 21);
	KI_CHECK(!IS_ERR_VALUE(dus));
	KI_CHECK(fs_syscall(NR_ioctl, (u64)fd, UACCE_CMD_START_Q, 0, 0, 0) == 0);
	KI_CHECK(fs_syscall(NR_ioctl, (u64)fd, UACCE_CMD_START_Q, 0, 0, 0) == -EINVAL);
	KI_CHECK(context_base(QM_COMMAND_SQC) == (shim_peek_va(p.mm, dus) & PAGE_MASK));
	KI_CHECK(context_base(QM_COMMAND_CQC) == context_base(QM_COMMAND_SQC) + 65536);
	KI_CHECK(le32_to_cpu(sqc->ring) == (1023u << 16 | 6));
	KI_CHECK(le32_to_cpu(sqc->pasid) == (QM_CONTEXT_PASID_ENABLE | p.mm->iommu_mm->pasid));
	KI_CHECK(fs_file_is(&p, CLASS_DIR "available_instances", "3\n"));
	KI_CHECK(user_load(p.mm, dus + PAGES(21) - 4) == 0);
	/* Closed with its regions mapped: the last mapping releases it */
	KI_CHECK(fs_close(fd) == 0 && fake.stops == 0);
	fs_leave(&p);
	KI_CHECK(fake.stops == 1);
	fake_remove(pdev);
	return 0;
}

KI_SELFTEST(drivers_qm_interrupts_wake_the_queue_they_name)
{
	struct platform_device *pdev = fake_add();
	struct fs_process p;
	s64 first, second;
	u64 dus;

	fs_enter(&p);
	KI_CHECK(!IS_ERR(pdev));
	first = fs_open(&p, "/dev/svasim_qm-0", O_RDWR);
	second = fs_open(&p, "/dev/svasim_qm-0", O_RDWR);
	KI_CHECK(fs_syscall(NR_ioctl, (u64)first, UACCE_CMD_START_Q, 0, 0, 0) == 0);
	KI_CHECK(fs_syscall(NR_ioctl, (u64)second, UACCE_CMD_START_Q, 0, 0, 0) == 0);
	KI_CHECK(!readable(&p, first) && !readable(&p, second));
	raise(QM_COMMAND_EQC, FAKE_LINE_EQ, 1);
	KI_CHECK(!readable(&p, first) && readable(&p, second));
	KI_CHECK(!readable(&p, second)); /* once per event */
	KI_CHECK(FIELD_GET(QM_DOORBELL_INDEX, fake.eq_doorbell) == 1);
	raise(QM_COMMAND_EQC, FAKE_LINE_EQ, 999); /* no such queue */
	dus = map_file(second, UACCE_QFRT_DUS, 21);
	/* An error of one queue: that one is dead, the other is not */
	raise(QM_COMMAND_AEQC, FAKE_LINE_AEQ, 1 | FIELD_PREP(QM_EQE_TYPE, QM_AEQE_SQE_UNREADABLE));
	KI_CHECK(readable(&p, second) && !readable(&p, first));
	KI_CHECK(user_load(p.mm, dus + PAGES(21) - 4) == 1);
	KI_CHECK(user_load(p.mm, dus + PAGES(21) - 8) == 1);
	KI_CHECK(fs_file_is(&p, CLASS_DIR "device/qm_errors",
			    "bad_doorbell 0\nsqe_unreadable 1\ncqe_unwritable 0\n"));
	/* Stopped and started anew it is alive */
	KI_CHECK(fs_syscall(NR_ioctl, (u64)second, UACCE_CMD_PUT_Q, 0, 0, 0) == 0);
	KI_CHECK(fake.stops == 1 && readable(&p, second));
	KI_CHECK(fs_syscall(NR_ioctl, (u64)second, UACCE_CMD_START_Q, 0, 0, 0) == 0);
	KI_CHECK(user_load(p.mm, dus + PAGES(21) - 4) == 0 && !readable(&p, second));
	fs_leave(&p);
	KI_CHECK(fake.stops == 3);
	fake_remove(pdev);
	return 0;
}

KI_SELFTEST(drivers_qm_isolation_refuses_new_queues)
{
	struct platform_device *pdev = fake_add();
	struct fs_process p;

	fs_enter(&p);
	KI_CHECK(!IS_ERR(pdev));
	KI_CHECK(fs_write_file(&p, CLASS_DIR "isolate_strategy", "1") == 1);
	KI_CHECK(fs_open(&p, "/dev/svasim_qm-0", O_RDWR) == 0);
	raise(QM_COMMAND_AEQC, FAKE_LINE_AEQ, FIELD_PREP(QM_EQE_TYPE, QM_AEQE_CQE_UNWRITABLE));
	KI_CHECK(fs_file_is(&p, CLASS_DIR "isolate", "1\n"));
	KI_CHECK(fs_open(&p, "/dev/svasim_qm-0", O_RDWR) == -EIO);
	KI_CHECK(fs_write_file(&p, CLASS_DIR "isolate_strategy", "5") == -EPERM);
	fs_leave(&p);
	fake_remove(pdev);
	return 0;
}

KI_SELFTEST(drivers_qm_runs_out_of_queue_pairs)
{
	struct platform_device *pdev = fake_add();
	struct fs_process p;

	fs_enter(&p);
	KI_CHECK(!IS_ERR(pdev));
	for (int i = 0; i < FAKE_QPS; i++)
		KI_CHECK(fs_open(&p, "/dev/svasim_qm-0", O_RDWR) == i);
	KI_CHECK(fs_open(&p, "/dev/svasim_qm-0", O_RDWR) == -EBUSY);
	KI_CHECK(fs_close(2) == 0);
	KI_CHECK(fs_open(&p, "/dev/svasim_qm-0", O_RDWR) == 2);
	fs_leave(&p);
	KI_CHECK(fake.stops == 0); /* none was started */
	fake_remove(pdev);
	return 0;
}

KI_SELFTEST(drivers_qm_unbound_with_queues_open)
{
	static const char unbind[] = "/sys/bus/platform/drivers/svasim_qm/unbind";
	static const char bind[] = "/sys/bus/platform/drivers/svasim_qm/bind";
	struct platform_device *pdev = fake_add();
	struct fs_process p;
	u64 dus;
	s64 fd;

	fs_enter(&p);
	KI_CHECK(!IS_ERR(pdev));
	fd = fs_open(&p, "/dev/svasim_qm-0", O_RDWR);
	KI_CHECK(fs_syscall(NR_ioctl, (u64)fd, UACCE_CMD_START_Q, 0, 0, 0) == 0);
	dus = map_file(fd, UACCE_QFRT_DUS, 21);
	KI_CHECK(user_store(p.mm, dus, 1));
	KI_CHECK(fs_write_file(&p, unbind, "svasim_qm") == 9);
	KI_CHECK(fake.stops == 1 && fake.control == 0);
	KI_CHECK(!user_store(p.mm, dus, 1)); /* its mappings are gone */
	KI_CHECK(fs_syscall(NR_ioctl, (u64)fd, UACCE_CMD_START_Q, 0, 0, 0) == -ENXIO);
	KI_CHECK(fs_open(&p, "/dev/svasim_qm-0", O_RDWR) == -ENOENT);
	memset(fake.written, 0, sizeof(fake.written));
	KI_CHECK(fs_write_file(&p, bind, "svasim_qm") == 9);
	/* The new device has the next number; the dead queue is still open */
	KI_CHECK(fs_exists(&p, "/dev/svasim_qm-0") || fs_exists(&p, "/dev/svasim_qm-1"));
	KI_CHECK(fs_close(fd) == 0);
	fs_leave(&p);
	KI_CHECK(fake.stops == 1);
	fake_remove(pdev);
	return 0;
}
