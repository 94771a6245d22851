/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What arch/arm64 would tell the SMMUv3 driver about the CPUs: identification registers and features.
 */
#include <linux/bug.h>
#include <linux/string.h>

#include "arm64_standin.h"
#include "kernel.h"

/* Memory attributes in the order in which Linux on AArch64 sets them up: Device-nGnRnE, Device-nGnRE, -, Normal NC,
 * Normal WB, Normal tagged. Page tables select them by AttrIndx */
#define MAIR_EL1_VALUE 0x000000f0ff440400ULL

u64 vabits_actual = VA_BITS;

/* {bits, PARange} of ID_AA64MMFR0_EL1 (DDI 0487, D19.2.64) */
static const struct {
	unsigned int bits, parange;
} paranges[] = {{32, 0}, {36, 1}, {40, 2}, {42, 3}, {44, 4}, {48, 5}, {52, 6}};

bool cpus_have_cap(unsigned int capability)
{
	return false; /* the kernel runs at EL1 */
}

bool arm64_kernel_unmapped_at_el0(void)
{
	return false;
}

u64 read_sanitised_ftr_reg(u32 id)
{
	u64 parange = 5;
	unsigned int i;

	if (id != SYS_ID_AA64MMFR0_EL1)
		return 0;
	for (i = 0; i < ARRAY_SIZE(paranges); i++)
		if (paranges[i].bits == host->pa_bits)
			parange = paranges[i].parange;
	return parange << ID_AA64MMFR0_EL1_PARANGE_SHIFT |
	       (host->asid_bits == 16 ? 2ULL : 0ULL) << ID_AA64MMFR0_EL1_ASIDBITS_SHIFT;
}

u32 id_aa64mmfr0_parange_to_phys_shift(int parange)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(paranges); i++)
		if (paranges[i].parange == (unsigned int)parange)
			return paranges[i].bits;
	return 48;
}

u64 shim_read_sysreg(const char *name)
{
	if (!strcmp(name, "mair_el1"))
		return MAIR_EL1_VALUE;
	trap("the kernel reads a system register that the shim does not know");
}
