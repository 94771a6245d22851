// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree of the machine, unflattened from boot_params->devices into the nodes and properties
 * that drivers/of works on. Everything behind it is the kernel's own code: platform devices from the nodes
 * (drivers/of/platform.c), addresses, links between consumers and suppliers, IOMMU configuration
 * (drivers/iommu/of_iommu.c), properties.
 *
 * Not modelled: an interrupt controller node. A device's interrupts are the machine's lines; the number that
 * Linux knows line n by is n + 1.
 */
#include <linux/fs.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_irq.h>
#include <linux/of_platform.h>
#include <linux/irqdomain.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "shim.h"
#include "base.h"

#define REG_CELLS 2 /* #address-cells and #size-cells of the root */

static struct device_node *root_node;
static struct device_node **device_nodes; /* one per boot device */

/* ---- nodes and properties ------------------------------------------------------------------------ */

static struct device_node *node_new(struct device_node *parent, const char *name,
				    const char *full_name)
{
	struct device_node *np = kzalloc(sizeof(*np), GFP_KERNEL);

	if (!np)
		return NULL;
	np->name = name;
	np->full_name = full_name;
	of_node_init(np);
	np->parent = parent;
	if (parent) {
		struct device_node **last = &parent->child;

		while (*last)
			last = &(*last)->sibling;
		*last = np;
	}
	return np;
}

/* Takes over `value`, which was kmalloc'ed or is NULL for an empty property. */
static int property_add(struct device_node *np, const char *name, void *value, int length)
{
	struct property *pp = kzalloc(sizeof(*pp), GFP_KERNEL);
	struct property **last = &np->properties;

	if (!pp || (length && !value)) {
		kfree(pp);
		kfree(value);
		return -ENOMEM;
	}
	pp->name = (char *)name;
	pp->value = value;
	pp->length = length;
	while (*last)
		last = &(*last)->next;
	*last = pp;
	return 0;
}

static int property_add_flag(struct device_node *np, const char *name)
{
	return property_add(np, name, NULL, 0);
}

static int property_add_string(struct device_node *np, const char *name, const char *string)
{
	return property_add(np, name, kstrdup(string, GFP_KERNEL), (int)strlen(string) + 1);
}

static int property_add_cells(struct device_node *np, const char *name, const u32 *cells,
			      unsigned int count)
{
	__be32 *value = kmalloc_array(count, sizeof(*value), GFP_KERNEL);

	for (unsigned int i = 0; value && i < count; i++)
		value[i] = cpu_to_be32(cells[i]);
	return property_add(np, name, value, (int)(count * sizeof(*value)));
}

static int property_add_u32(struct device_node *np, const char *name, u32 value)
{
	return property_add_cells(np, name, &value, 1);
}

/* ---- boot devices to nodes ----------------------------------------------------------------------- */

static bool is_smmu(const struct boot_device *device)
{
	return !strcmp(device->compatible, "arm,smmu-v3");
}

static int add_interrupts(struct device_node *np, const struct boot_device *device)
{
	u32 lines[KI_MAX_IRQS];
	size_t length = 0, at = 0;
	char *names;
	int ret;

	if (!device->nr_irqs)
		return 0;
	for (unsigned int i = 0; i < device->nr_irqs; i++) {
		lines[i] = device->irqs[i].line;
		length += strlen(device->irqs[i].name) + 1;
	}
	names = kmalloc(length, GFP_KERNEL);
	for (unsigned int i = 0; names && i < device->nr_irqs; i++) {
		strcpy(names + at, device->irqs[i].name);
		at += strlen(device->irqs[i].name) + 1;
	}
	ret = property_add_cells(np, "interrupts", lines, device->nr_irqs);
	return ret ?: property_add(np, "interrupt-names", names, (int)length);
}

static int add_reg(struct device_node *np, const struct boot_device *device)
{
	const u32 reg[2 * REG_CELLS] = {
		upper_32_bits(device->reg_base), lower_32_bits(device->reg_base),
		upper_32_bits(device->reg_bytes), lower_32_bits(device->reg_bytes)};

	return property_add_cells(np, "reg", reg, ARRAY_SIZE(reg));
}

/* What a device behind an SMMU says about its stream */
static int add_master(struct device_node *np, const struct boot_device *device)
{
	int ret = 0;

	if (device->smmu >= 0) {
		const u32 iommus[] = {device_nodes[device->smmu]->phandle, device->stream_id};

		ret = property_add_cells(np, "iommus", iommus, ARRAY_SIZE(iommus));
	}
	if (!ret && device->pasid_bits)
		ret = property_add_u32(np, "pasid-num-bits", device->pasid_bits);
	if (!ret && device->can_stall)
		ret = property_add_flag(np, "dma-can-stall");
	return ret;
}

static struct device_node *device_node_new(struct device_node *parent,
					   const struct boot_device *device, phandle phandle)
{
	struct device_node *np;
	const char *full_name = kasprintf(GFP_KERNEL, "%s@%llx", device->name, device->reg_base);
	int ret;

	np = full_name ? node_new(parent, device->name, full_name) : NULL;
	if (!np)
		return NULL;
	np->phandle = phandle;
	ret = property_add_string(np, "compatible", device->compatible);
	ret = ret ?: add_reg(np, device);
	ret = ret ?: add_interrupts(np, device);
	ret = ret ?: property_add_flag(np, "dma-coherent");
	if (is_smmu(device))
		ret = ret ?: property_add_u32(np, "#iommu-cells", 1);
	else
		ret = ret ?: add_master(np, device);
	if (device->numa_node >= 0)
		ret = ret ?: property_add_u32(np, "numa-node-id", (u32)device->numa_node);
	return ret ? NULL : np;
}

static int check_device(unsigned int index)
{
	const struct boot_device *device = &boot_params->devices[index];

	if (device->nr_irqs > KI_MAX_IRQS)
		return -EINVAL;
	if (device->smmu >= (int)index ||
	    (device->smmu >= 0 && !is_smmu(&boot_params->devices[device->smmu])))
		return -EINVAL;
	return 0;
}

/*
 * Before of_core_init(), which enters the nodes in /sys and the phandles in its cache. The root has no "compatible"
 * property, so that no device is made of the tree among the initcalls: shim_devices_add() does it, after memory
 * that the kernel keeps for good has been told apart from memory that may leak.
 */
int __init shim_devicetree_init(void)
{
	unsigned int count = boot_params->nr_devices;
	int ret;

	root_node = node_new(NULL, "", "/");
	device_nodes = kcalloc(count + 1, sizeof(*device_nodes), GFP_KERNEL);
	if (!root_node || !device_nodes)
		return -ENOMEM;
	ret = property_add_u32(root_node, "#address-cells", REG_CELLS);
	ret = ret ?: property_add_u32(root_node, "#size-cells", REG_CELLS);
	for (unsigned int i = 0; !ret && i < count; i++) {
		ret = check_device(i);
		if (ret) {
			pr_err("devicetree: %s: bad SMMU or interrupts\n",
			       boot_params->devices[i].name);
			break;
		}
		device_nodes[i] = device_node_new(root_node, &boot_params->devices[i], i + 1);
		if (!device_nodes[i])
			ret = -ENOMEM;
	}
	if (!ret)
		of_root = root_node;
	return ret;
}

/* ---- interrupts ---------------------------------------------------------------------------------- */

int of_irq_get(struct device_node *np, int index)
{
	u32 line;

	if (of_property_read_u32_index(np, "interrupts", (u32)index, &line))
		return -EINVAL;
	return (int)line + 1;
}

/* No node is an interrupt controller: there is no supplier of interrupts to wait for. */
int of_irq_parse_one(struct device_node *np, int index, struct of_phandle_args *out)
{
	return -EINVAL;
}

/* Nor is there an MSI controller: the devices' MSI domain stays NULL, their interrupts are wired. */
void of_msi_configure(struct device *dev, struct device_node *np)
{
}

/* The number means a wired line: it was not created and stays. */
void irq_dispose_mapping(unsigned int virq)
{
}

/* ---- life of the devices ------------------------------------------------------------------------- */

/* Creates the platform devices in the order of boot_params; the drivers, registered by now, are bound to them. */
int shim_devices_add(void)
{
	int ret;

	ret = of_platform_default_populate(root_node, NULL, NULL);
	if (ret)
		return ret;
	wait_for_device_probe();
	for (unsigned int i = 0; i < boot_params->nr_devices; i++) {
		struct platform_device *pdev = of_find_device_by_node(device_nodes[i]);

		if (!pdev) {
			pr_err("%s: no platform device\n", boot_params->devices[i].name);
			return -ENODEV;
		}
		if (!pdev->dev.driver)
			dev_warn(&pdev->dev, "no driver has taken this device (%s)\n",
				 boot_params->devices[i].compatible);
		platform_device_put(pdev);
	}
	return 0;
}

static void device_remove(struct device_node *np)
{
	struct platform_device *pdev = of_find_device_by_node(np);

	if (!pdev)
		return;
	of_platform_device_destroy(&pdev->dev, NULL);
	platform_device_put(pdev);
}

void shim_device_remove(unsigned int index)
{
	if (index < boot_params->nr_devices)
		device_remove(device_nodes[index]);
}

void shim_devices_remove(void)
{
	for (unsigned int i = boot_params->nr_devices; i-- > 0;)
		device_remove(device_nodes[i]);
	of_node_clear_flag(root_node, OF_POPULATED_BUS);
}
