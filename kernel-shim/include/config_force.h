/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Forced in front of every kernel-side file: the SVA stack's Kconfig symbols (their menus depend on
 * arm64, the rest of the configuration is ARCH=um's), the preemption of Debian's kernels, and `current` as a call, so
 * that no special stack is needed.
 */
#ifndef KERNEL_SHIM_CONFIG_FORCE_H
#define KERNEL_SHIM_CONFIG_FORCE_H

#define CONFIG_IOMMU_API	     1
#define CONFIG_IOMMU_SVA	     1
#define CONFIG_OF_IOMMU		     1
#define CONFIG_IOMMU_MM_DATA	     1
#define CONFIG_IOMMU_IOPF	     1
#define CONFIG_UACCE		     1
#define CONFIG_MMU_NOTIFIER	     1
#define CONFIG_ARM_SMMU_V3	     1
#define CONFIG_ARM_SMMU_V3_SVA	     1
#define CONFIG_IOMMU_IO_PGTABLE	     1
#define CONFIG_IOMMU_IO_PGTABLE_LPAE 1
#define CONFIG_PCI_ATS		     1
#define CONFIG_PCI_PRI		     1
#define CONFIG_PCI_PASID	     1

/* might_sleep() offers to be preempted; ARCH=um's configuration is PREEMPT_NONE */
#define CONFIG_PREEMPT_VOLUNTARY_BUILD 1

/* Who waits for a mutex or rwsem spins while its owner runs, as on arm64 (SMP); osq_lock() is the shim's */
#define CONFIG_LOCK_SPIN_ON_OWNER  1
#define CONFIG_MUTEX_SPIN_ON_OWNER 1
#define CONFIG_RWSEM_SPIN_ON_OWNER 1

#define __ASM_GENERIC_CURRENT_H
#ifndef __ASSEMBLY__
struct task_struct;
extern struct task_struct *shim_current(void);
#define current shim_current()
extern _Bool shim_owner_on_cpu(const struct task_struct *owner);
#define owner_on_cpu(owner) shim_owner_on_cpu(owner)
#endif

#endif
