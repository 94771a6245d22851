// SPDX-License-Identifier: GPL-2.0-only
/* The slab allocator: alignment, caches, bulk, resizing, accounting. */
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mm_test.h"

KI_SELFTEST(mm_slab_kmalloc_of_a_power_of_two_is_aligned_to_it)
{
	size_t size;

	for (size = 8; size <= SZ_1M; size *= 2) {
		u8 *object = kmalloc(size, GFP_KERNEL);

		KI_CHECK(object && IS_ALIGNED((unsigned long)object, size));
		memset(object, 0x5a, size);
		kfree(object);
	}
	return 0;
}

KI_SELFTEST(mm_slab_zeroes_what_was_used_before)
{
	u8 *objects[32];
	unsigned int i, j;

	for (i = 0; i < 32; i++) {
		objects[i] = kmalloc(100, GFP_KERNEL);
		memset(objects[i], 0xff, 100);
	}
	for (i = 0; i < 32; i++)
		kfree(objects[i]);
	for (i = 0; i < 32; i++) {
		objects[i] = kzalloc(100, GFP_KERNEL);
		for (j = 0; j < 100; j++)
			KI_CHECK(!objects[i][j]);
	}
	for (i = 0; i < 32; i++)
		kfree(objects[i]);
	return 0;
}

static void construct(void *object)
{
	*(u32 *)object = 0xc0ffee;
}

KI_SELFTEST(mm_slab_cache_honours_alignment_and_constructor)
{
	struct kmem_cache *cache = kmem_cache_create("selftest", 200, 256, 0, construct);
	void *objects[100];
	int i;

	KI_CHECK(cache && kmem_cache_size(cache) == 200);
	KI_CHECK(kmem_cache_alloc_bulk(cache, GFP_KERNEL, 100, objects) == 100);
	for (i = 0; i < 100; i++) {
		KI_CHECK(IS_ALIGNED((unsigned long)objects[i], 256));
		KI_CHECK(*(u32 *)objects[i] == 0xc0ffee);
		KI_CHECK(!i || objects[i] != objects[i - 1]);
	}
	kmem_cache_free_bulk(cache, 100, objects);
	kmem_cache_destroy(cache);
	return 0;
}

KI_SELFTEST(mm_slab_krealloc_keeps_the_contents)
{
	char *object = kstrdup("accelerator", GFP_KERNEL);

	object = krealloc(object, 5000, GFP_KERNEL);
	KI_CHECK(object && !strcmp(object, "accelerator"));
	KI_CHECK(ksize(object) >= 5000);
	kfree(object);
	KI_CHECK(kmalloc_size_roundup(65) == 96 && kmalloc_size_roundup(129) == 192);
	KI_CHECK(kmalloc_size_roundup(0) == 0);
	KI_CHECK(krealloc(NULL, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	return 0;
}

KI_SELFTEST(mm_slab_gives_its_pages_back)
{
	u64 before = pages_in_use();
	struct kmem_cache *cache = kmem_cache_create("selftest", 512, 0, 0, NULL);
	static void *objects[1000];
	int i;

	for (i = 0; i < 1000; i++)
		objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	KI_CHECK(pages_in_use() >= before + 1000 * 512 / PAGE_SIZE);
	for (i = 0; i < 1000; i++)
		kmem_cache_free(cache, objects[i]);
	kmem_cache_destroy(cache);
	/* At most the slab of the cache's own descriptor and one of its name stay */
	KI_CHECK(pages_in_use() <= before + 4);
	return 0;
}

KI_SELFTEST(mm_slab_percpu_is_zeroed_and_aligned)
{
	u64 __percpu *counter = __alloc_percpu(40, 64);

	KI_CHECK(counter && IS_ALIGNED((unsigned long)counter, 64));
	KI_CHECK(!*this_cpu_ptr(counter));
	free_percpu(counter);
	return 0;
}

KI_SELFTEST(mm_slab_counts_a_leak_until_it_is_freed_or_kept)
{
	int before = shim_slab_check_leaks();
	void *leak = kmalloc(24, GFP_KERNEL), *kept = kmalloc(24, GFP_KERNEL);

	shim_mm_keep(kept);
	KI_CHECK(shim_slab_check_leaks() == before + 1);
	kfree(leak);
	KI_CHECK(shim_slab_check_leaks() == before);
	kfree(kept);
	return 0;
}
