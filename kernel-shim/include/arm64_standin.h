/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What arch/arm64 offers to the SMMUv3 driver, forced in front of its files: the machine's identification registers
 * and a few instructions. The rest of the kernel is configured as ARCH=um.
 */
#ifndef KERNEL_SHIM_ARM64_STANDIN_H
#define KERNEL_SHIM_ARM64_STANDIN_H

#include <linux/types.h>
#include <linux/mmu_notifier.h>

#define VA_BITS 48
extern u64 vabits_actual;

void shim_wfe(void);
#define wfe()	 shim_wfe()
#define __iomb() mb()

#define ARM64_HAS_VIRT_HOST_EXTN 1
bool cpus_have_cap(unsigned int capability);
bool arm64_kernel_unmapped_at_el0(void);

#define SYS_ID_AA64MMFR0_EL1		0x180700 /* op0 3, op1 0, CRn 0, CRm 7, op2 0 */
#define ID_AA64MMFR0_EL1_PARANGE_SHIFT	0
#define ID_AA64MMFR0_EL1_ASIDBITS_SHIFT 4
u64 read_sanitised_ftr_reg(u32 id);
u32 id_aa64mmfr0_parange_to_phys_shift(int parange);
static inline unsigned int cpuid_feature_extract_unsigned_field(u64 features, int shift)
{
	return (features >> shift) & 0xf;
}

u64 shim_read_sysreg(const char *name);
#define read_sysreg(name) shim_read_sysreg(#name)

#endif
