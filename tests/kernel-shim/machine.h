/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The smallest machine that boots the kernel image: CPUs without caches, RAM, a page-table walker of its own, and a
 * device whose registers raise interrupts.
 */
#ifndef TESTS_KERNEL_SHIM_MACHINE_H
#define TESTS_KERNEL_SHIM_MACHINE_H

#include "kernel-shim/include/kernel_image.h"

/* Writing n to TEST_IRQ_BASE + 8 * line raises the line after n nanoseconds, on CPU line modulo CPUs. Reading gives
 * how often it was raised. Anything else reads as it was last written, or 0 */
#define TEST_IRQ_BASE  0x10000000ULL
#define TEST_IRQ_LINES 64

const struct machine_ops *test_machine(const struct kernel_ops *kernel, unsigned int cpus,
				       unsigned int seed);
const struct boot_params *test_boot_params(void);

#endif
