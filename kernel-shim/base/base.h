/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared within base/: steps of the driver core's initialisation. */
#ifndef KERNEL_SHIM_BASE_H
#define KERNEL_SHIM_BASE_H

int shim_devicetree_init(void);

#endif
