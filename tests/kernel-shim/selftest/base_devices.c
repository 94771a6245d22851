// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's driver core on the shim: probing, deferred probing, bind and unbind through /sys, DMA memory. */
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/property.h>

#include "fs_test.h"

static struct {
	unsigned int probes, removes;
	bool supplier_ready;
	char order[8];
} seen;

static void note(char what)
{
	size_t length = strlen(seen.order);

	if (length + 1 < sizeof(seen.order))
		seen.order[length] = what;
}

static int supplier_probe(struct platform_device *pdev)
{
	seen.supplier_ready = true;
	note('s');
	return 0;
}

static int consumer_probe(struct platform_device *pdev)
{
	note('c');
	if (!seen.supplier_ready)
		return -EPROBE_DEFER;
	seen.probes++;
	return 0;
}

static void consumer_remove(struct platform_device *pdev)
{
	seen.removes++;
}

static struct platform_driver supplier = {.driver.name = "test_supplier", .probe = supplier_probe};
static struct platform_driver consumer = {
	.driver.name = "test_consumer",
	.probe = consumer_probe,
	.remove = consumer_remove,
};

KI_SELFTEST(base_deferred_probe_follows_its_supplier)
{
	struct platform_device *first, *second;

	memset(&seen, 0, sizeof(seen));
	KI_CHECK(!platform_driver_register(&consumer));
	KI_CHECK(!platform_driver_register(&supplier));
	first = platform_device_register_simple("test_consumer", 0, NULL, 0);
	KI_CHECK(!IS_ERR(first) && !first->dev.driver && seen.probes == 0);
	second = platform_device_register_simple("test_supplier", 0, NULL, 0);
	KI_CHECK(!IS_ERR(second) && second->dev.driver);
	wait_for_device_probe();
	KI_CHECK(seen.probes == 1 && first->dev.driver);
	KI_CHECK(!strcmp(seen.order, "csc"));
	platform_device_unregister(first);
	platform_device_unregister(second);
	KI_CHECK(seen.removes == 1);
	platform_driver_unregister(&consumer);
	platform_driver_unregister(&supplier);
	return 0;
}

KI_SELFTEST(base_unbind_and_bind_through_sysfs)
{
	static const char unbind[] = "/sys/bus/platform/drivers/test_consumer/unbind";
	static const char bind[] = "/sys/bus/platform/drivers/test_consumer/bind";
	struct platform_device *pdev;
	struct fs_process p;

	memset(&seen, 0, sizeof(seen));
	seen.supplier_ready = true;
	fs_enter(&p);
	KI_CHECK(!platform_driver_register(&consumer));
	pdev = platform_device_register_simple("test_consumer", 1, NULL, 0);
	KI_CHECK(!IS_ERR(pdev) && seen.probes == 1);
	KI_CHECK(fs_readlink(&p, "/sys/devices/platform/test_consumer.1/driver") > 0);
	KI_CHECK(fs_write_file(&p, unbind, "test_consumer.1") == 15);
	KI_CHECK(seen.removes == 1 && !pdev->dev.driver);
	KI_CHECK(fs_readlink(&p, "/sys/devices/platform/test_consumer.1/driver") == -ENOENT);
	KI_CHECK(fs_write_file(&p, unbind, "test_consumer.1") == -ENODEV);
	KI_CHECK(fs_write_file(&p, bind, "test_consumer.1") == 15);
	KI_CHECK(seen.probes == 2 && pdev->dev.driver);
	fs_leave(&p);
	platform_device_unregister(pdev);
	platform_driver_unregister(&consumer);
	return 0;
}

KI_SELFTEST(base_dma_memory_is_zeroed_and_aligned_to_its_size)
{
	struct platform_device *pdev;
	dma_addr_t dma;
	u8 *memory;

	memset(&seen, 0, sizeof(seen));
	pdev = platform_device_register_simple("test_none", 0, NULL, 0);
	KI_CHECK(!IS_ERR(pdev));
	KI_CHECK(!dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64)));
	for (size_t size = PAGE_SIZE; size <= 64 * PAGE_SIZE; size *= 2) {
		memory = dma_alloc_coherent(&pdev->dev, size, &dma, GFP_KERNEL);
		KI_CHECK(memory && IS_ALIGNED(dma, size) && dma == virt_to_phys(memory));
		KI_CHECK(!memchr_inv(memory, 0, size));
		memset(memory, 0xa5, size);
		dma_free_coherent(&pdev->dev, size, memory, dma);
	}
	KI_CHECK(dmam_alloc_coherent(&pdev->dev, 100, &dma, GFP_KERNEL));
	platform_device_unregister(pdev); /* devres gives it back: the leak check would tell */
	return 0;
}

KI_SELFTEST(base_sysfs_has_the_driver_core)
{
	struct fs_process p;

	fs_enter(&p);
	KI_CHECK(fs_exists(&p, "/sys/bus/platform/drivers/arm-smmu-v3"));
	KI_CHECK(fs_exists(&p, "/sys/bus/platform/drivers/svasim_qm/unbind"));
	KI_CHECK(fs_exists(&p, "/sys/class/uacce"));
	KI_CHECK(fs_exists(&p, "/sys/firmware/devicetree/base"));
	KI_CHECK(fs_exists(&p, "/sys/devices/platform"));
	fs_leave(&p);
	return 0;
}
