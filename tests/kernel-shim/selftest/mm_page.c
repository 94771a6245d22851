// SPDX-License-Identifier: GPL-2.0-only
/* The page allocator: alignment, splitting and coalescing, references, running out. */
#include <linux/gfp.h>

#include "mm_test.h"

KI_SELFTEST(mm_page_blocks_are_naturally_aligned)
{
	unsigned int order;

	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		KI_CHECK(page);
		KI_CHECK(IS_ALIGNED(page_to_pfn(page), 1UL << order));
		KI_CHECK(shim_pfn_is_ram(page_to_pfn(page)));
		KI_CHECK(page_count(page) == 1);
		__free_pages(page, order);
	}
	return 0;
}

KI_SELFTEST(mm_page_freed_blocks_coalesce)
{
	struct page *block = alloc_pages(GFP_KERNEL, 5), *again;
	unsigned long i;

	KI_CHECK(block);
	split_page(block, 5);
	for (i = 0; i < 32; i++)
		__free_page(block + i);
	again = alloc_pages(GFP_KERNEL, 5);
	/* The single pages wait in the fast list; a larger request must not fail because of that */
	KI_CHECK(again);
	__free_pages(again, 5);
	return 0;
}

KI_SELFTEST(mm_page_goes_back_with_its_last_reference)
{
	u64 before = pages_in_use();
	struct page *page = alloc_page(GFP_KERNEL);

	get_page(page);
	put_page(page);
	KI_CHECK(page_count(page) == 1 && pages_in_use() == before + 1);
	put_page(page);
	KI_CHECK(pages_in_use() == before);
	return 0;
}

KI_SELFTEST(mm_page_compound_reference_through_a_tail)
{
	u64 before = pages_in_use();
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);

	KI_CHECK(folio_order(page_folio(page + 5)) == 3);
	get_page(page + 5);
	KI_CHECK(page_count(page) == 2);
	put_page(page + 5);
	put_page(page);
	KI_CHECK(pages_in_use() == before);
	return 0;
}

KI_SELFTEST(mm_page_zeroed_when_asked_for)
{
	u8 *page = (u8 *)__get_free_page(GFP_KERNEL);
	unsigned int i;

	memset(page, 0xa5, PAGE_SIZE);
	free_page((unsigned long)page);
	page = (u8 *)get_zeroed_page(GFP_KERNEL);
	for (i = 0; i < PAGE_SIZE; i++)
		KI_CHECK(!page[i]);
	KI_CHECK(virt_to_page(page) == pfn_to_page(__pa(page) >> PAGE_SHIFT));
	free_page((unsigned long)page);
	return 0;
}

KI_SELFTEST(mm_page_exact_gives_the_rest_back)
{
	u64 before = pages_in_use();
	void *memory = alloc_pages_exact(PAGES(5), GFP_KERNEL);

	KI_CHECK(memory && pages_in_use() == before + 5);
	free_pages_exact(memory, PAGES(5));
	KI_CHECK(pages_in_use() == before);
	return 0;
}

KI_SELFTEST(mm_page_out_of_memory_is_null)
{
	struct page *blocks[64], *block;
	unsigned int i, nr = 0, order = ilog2(totalram_pages()) - 1;
	u64 before = pages_in_use();

	order = min(order, 18u);
	while (nr < ARRAY_SIZE(blocks) && (block = alloc_pages(GFP_KERNEL, order)))
		blocks[nr++] = block;
	KI_CHECK(nr && (nr == ARRAY_SIZE(blocks) || nr <= totalram_pages() >> order));
	for (i = 0; i < nr; i++)
		__free_pages(blocks[i], order);
	KI_CHECK(pages_in_use() == before);
	KI_CHECK(!alloc_pages(GFP_KERNEL, 30));
	return 0;
}
