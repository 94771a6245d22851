// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel's DMA API (kernel/dma/mapping.c and direct.c, as they are) needs from the architecture: device registers
 * are reached through a cookie that is their physical address, and no device brought memory of its own. All
 * DMA is coherent and direct-mapped, aligned to its own size by the page allocator; what is not freed shows up as pages.
 */
#include <linux/dma-map-ops.h>
#include <linux/io.h>

void __iomem *ioremap(phys_addr_t offset, size_t size)
{
	return (void __iomem *)offset;
}

void iounmap(volatile void __iomem *addr)
{
}

/* 0: not from the device's own memory; the caller goes on to the general allocator. */
int dma_alloc_from_dev_coherent(struct device *dev, ssize_t size, dma_addr_t *handle, void **ret)
{
	return 0;
}

int dma_release_from_dev_coherent(struct device *dev, int order, void *vaddr)
{
	return 0;
}

int dma_mmap_from_dev_coherent(struct device *dev, struct vm_area_struct *vma, void *vaddr,
			       size_t size, int *ret)
{
	return 0;
}
