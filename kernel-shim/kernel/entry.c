/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/kernel.h>
#include "shim.h"
void shim_unreached(const char *name) __attribute__((noreturn));
void shim_unreached(const char *name) { for (;;) machine->panic(name); }
const struct machine_ops *machine;
const struct kernel_ops svasim_kernel = { .abi = KERNEL_IMAGE_ABI, .version = SVASIM_LINUX_VERSION };
