// SPDX-License-Identifier: GPL-2.0-only
/*
 * Brings the driver core up before the initcalls, as init/main.c does: the kernel's own driver_init() on the
 * machine's device tree.
 *
 * Not modelled: /sys/devices/system/cpu, the writeback device of file systems (nothing here has dirty pages).
 */
#include <linux/backing-dev.h>
#include <linux/cpu.h>
#include <linux/device/bus.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/pci.h>

#include "shim.h"
#include "base.h"
#include "../fs/fs.h"

struct kobject *kernel_kobj; /* /sys/kernel */
struct backing_dev_info noop_backing_dev_info = {
	.dev = NULL,
};

int bdi_init(struct backing_dev_info *bdi)
{
	return 0;
}

void __init cpu_dev_init(void)
{
}

/*
 * The PCI bus exists, with no device and no driver on it: the IOMMU core wants to be told of what appears on every
 * bus that the kernel was built with.
 */
const struct bus_type pci_bus_type = {
	.name = "pci",
};

static int __init pci_bus_init(void)
{
	return bus_register(&pci_bus_type);
}
postcore_initcall(pci_bus_init);

/* What the driver core's own initialisation (driver_init()) builds on: the tree of names, the device tree. */
void __init shim_base_init(void)
{
	if (shim_sysfs_init())
		panic("sysfs cannot be set up");
	kernel_kobj = kobject_create_and_add("kernel", NULL);
	if (!kernel_kobj || shim_devicetree_init())
		panic("the device tree cannot be set up");
}
