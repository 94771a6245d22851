// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page allocator: a buddy system over simulated RAM. RAM that was never used lies above a
 * frontier and has no state at all, so that a terabyte costs nothing until it is touched; below the
 * frontier the kernel's struct page holds it. Addresses depend only on the order of calls. Free
 * single pages are kept in a last-in first-out list, as the per-CPU lists of the kernel do, so that
 * a page that is still in the caches is used first.
 *
 * No lock is needed: simulated threads run one at a time and nothing here lets time pass. Not
 * modelled: zones, nodes, watermarks, reclaim (memory is out when RAM is), migration types.
 */
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/vmstat.h>

#include "mm_internal.h"

/*
 * Larger than the kernel's MAX_PAGE_ORDER: a device's queue may ask for one contiguous piece (CMA
 * in a real machine)
 */
#define BUDDY_ORDERS 19
#define FAST_PAGES   256

unsigned long uml_physmem;
unsigned long end_iomem;
struct page *mem_map;
unsigned long max_mapnr, max_pfn, max_low_pfn, min_low_pfn;
unsigned long zero_pfn;
struct pglist_data contig_page_data;
atomic_long_t vm_node_stat[NR_VM_NODE_STAT_ITEMS];
atomic_long_t vm_zone_stat[NR_VM_ZONE_STAT_ITEMS];
atomic_long_t _totalram_pages;

static struct {
	bool ready;
	unsigned long first_pfn, frontier_pfn, end_pfn;
	struct list_head free[BUDDY_ORDERS];
	struct list_head fast;
	unsigned int nr_fast;
	unsigned long pages_in_use;
} buddy;

/*
 * An allocated block keeps its order and the code that asked for it in page->index, which page
 * tables and drivers leave alone: order in bits 0 to 5, bit 6 "lives as long as the kernel", the
 * caller's offset in the image above.
 */
#define INFO_ORDER 0x3fUL
#define INFO_KEEP  0x40UL
#define INFO_SITE  8

unsigned long shim_image_offset(const void *code)
{
	return (unsigned long)code - (unsigned long)&shim_mm_init;
}

bool shim_pfn_is_ram(unsigned long pfn)
{
	return pfn >= buddy.first_pfn && pfn < buddy.end_pfn;
}

unsigned int shim_page_order(const struct page *page)
{
	return page->index & INFO_ORDER;
}

void shim_page_keep(struct page *page)
{
	page->index |= INFO_KEEP;
}

void shim_page_init(void)
{
	int order;

	if (buddy.ready)
		return;
	buddy.ready = true;
	uml_physmem = (unsigned long)machine->ram - machine->ram_base;
	mem_map = (struct page *)KI_PAGE_ARRAY_HOST_BASE;
	buddy.first_pfn = machine->ram_base >> PAGE_SHIFT;
	buddy.frontier_pfn = buddy.first_pfn;
	buddy.end_pfn = (machine->ram_base + machine->ram_bytes) >> PAGE_SHIFT;
	max_mapnr = max_pfn = max_low_pfn = buddy.end_pfn;
	min_low_pfn = buddy.first_pfn;
	end_iomem = (unsigned long)machine->ram + machine->ram_bytes;
	atomic_long_set(&_totalram_pages, buddy.end_pfn - buddy.first_pfn);
	for (order = 0; order < BUDDY_ORDERS; order++)
		INIT_LIST_HEAD(&buddy.free[order]);
	INIT_LIST_HEAD(&buddy.fast);
}

static void buddy_put(struct page *page, unsigned int order)
{
	page->page_type = UINT_MAX;
	__SetPageBuddy(page);
	page->private = order;
	list_add(&page->buddy_list, &buddy.free[order]);
}

static void buddy_take(struct page *page)
{
	list_del(&page->buddy_list);
	__ClearPageBuddy(page);
	page->private = 0;
}

/*
 * Moves the frontier up to the next block that is naturally aligned and holds an allocation of
 * `order`
 */
static bool buddy_grow(unsigned int order)
{
	unsigned int want = max_t(unsigned int, order, MAX_PAGE_ORDER);

	while (buddy.frontier_pfn < buddy.end_pfn) {
		unsigned int grown = min_t(unsigned int, want, BUDDY_ORDERS - 1);

		if (buddy.frontier_pfn)
			grown = min_t(unsigned int, grown, __ffs(buddy.frontier_pfn));
		while (buddy.frontier_pfn + (1UL << grown) > buddy.end_pfn)
			grown--;
		buddy_put(pfn_to_page(buddy.frontier_pfn), grown);
		buddy.frontier_pfn += 1UL << grown;
		if (grown >= order)
			return true;
	}
	return false;
}

static struct page *buddy_find(unsigned int order, unsigned int *found)
{
	for (*found = order; *found < BUDDY_ORDERS; (*found)++)
		if (!list_empty(&buddy.free[*found]))
			return list_first_entry(&buddy.free[*found], struct page, buddy_list);
	return NULL;
}

static void fast_drain(void);

static struct page *buddy_alloc(unsigned int order)
{
	unsigned int found;
	struct page *page = buddy_find(order, &found);

	if (!page && buddy_grow(order))
		page = buddy_find(order, &found);
	if (!page && buddy.nr_fast) {
		fast_drain();
		page = buddy_find(order, &found);
	}
	if (!page)
		return NULL;
	buddy_take(page);
	/* The upper halves go back: what comes next has ascending addresses */
	while (found > order) {
		found--;
		buddy_put(page + (1UL << found), found);
	}
	return page;
}

static void buddy_free(struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);

	while (order < BUDDY_ORDERS - 1) {
		unsigned long buddy_pfn = pfn ^ (1UL << order);
		struct page *other = pfn_to_page(buddy_pfn);

		if (buddy_pfn < buddy.first_pfn || buddy_pfn + (1UL << order) > buddy.frontier_pfn)
			break;
		if (!PageBuddy(other) || other->private != order)
			break;
		buddy_take(other);
		pfn = min(pfn, buddy_pfn);
		order++;
	}
	buddy_put(pfn_to_page(pfn), order);
}

static void fast_drain(void)
{
	while (buddy.nr_fast) {
		struct page *page = list_last_entry(&buddy.fast, struct page, pcp_list);

		list_del(&page->pcp_list);
		buddy.nr_fast--;
		buddy_free(page, 0);
	}
}

static void page_prepare(struct page *page, unsigned int order, gfp_t gfp, const void *site)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++) {
		struct page *p = page + i;

		p->flags = 0;
		p->mapping = NULL;
		p->private = 0;
		p->index = 0;
		p->page_type = UINT_MAX;
		set_page_count(p, i == 0);
	}
	INIT_LIST_HEAD(&page->lru);
	page->index = order | shim_image_offset(site) << INFO_SITE;
	if (order && (gfp & __GFP_COMP)) {
		struct folio *folio = (struct folio *)page;

		for (i = 1; i < 1UL << order; i++)
			page[i].compound_head = (unsigned long)page | 1;
		__SetPageHead(page);
		folio->_flags_1 = (folio->_flags_1 & ~0xffUL) | order;
		folio->_folio_nr_pages = 1U << order;
	}
	if (gfp & __GFP_ZERO)
		memset(page_address(page), 0, PAGE_SIZE << order);
}

struct page *shim_alloc_pages_site(gfp_t gfp, unsigned int order, const void *site)
{
	struct page *page = NULL;

	shim_page_init();
	if (order >= BUDDY_ORDERS)
		return NULL;
	if (!order && buddy.nr_fast) {
		page = list_first_entry(&buddy.fast, struct page, pcp_list);
		list_del(&page->pcp_list);
		buddy.nr_fast--;
	} else {
		page = buddy_alloc(order);
	}
	if (!page)
		return NULL;
	page_prepare(page, order, gfp, site);
	buddy.pages_in_use += 1UL << order;
	kcounters.pages_allocated += 1UL << order;
	return page;
}

void shim_free_pages_uncharged(struct page *page, unsigned int order)
{
	unsigned long i;

	if (machine->frame_freed)
		machine->frame_freed(page_to_phys(page), PAGE_SIZE << order);
	for (i = 0; i < 1UL << order; i++) {
		/* The word that tells a tail page must not outlive the block */
		page[i].compound_head = 0;
		page[i].flags = 0;
		page[i].mapping = NULL;
		page[i].page_type = UINT_MAX;
		set_page_count(page + i, 0);
	}
	buddy.pages_in_use -= 1UL << order;
	kcounters.pages_freed += 1UL << order;
	if (order) {
		buddy_free(page, order);
		return;
	}
	list_add(&page->pcp_list, &buddy.fast);
	if (++buddy.nr_fast > FAST_PAGES)
		fast_drain();
}

void shim_charge_memory(u64 core_ps, u64 to, u64 bytes, u64 from)
{
	unsigned int cpu = shim_cpu();
	u64 ps = machine->stream_store(cpu, to, bytes);

	if (from != SHIM_NO_SOURCE)
		ps += machine->touch(cpu, from, bytes);
	shim_charge_ps(max(core_ps, ps));
}

static struct page *alloc_charged(gfp_t gfp, unsigned int order, const void *site)
{
	unsigned int before = shim_fault_part(KI_PART_ALLOC);
	struct page *page = shim_alloc_pages_site(gfp, order, site);

	shim_charge_ns(kparams.alloc_page_ns);
	if (page && (gfp & __GFP_ZERO)) {
		shim_fault_part(KI_PART_ZERO);
		shim_charge_memory((u64)kparams.zero_page_ns * 1000 << order, page_to_phys(page),
				   PAGE_SIZE << order, SHIM_NO_SOURCE);
	}
	shim_fault_part(before);
	return page;
}

struct page *__alloc_pages_noprof(gfp_t gfp, unsigned int order, int nid, nodemask_t *nodemask)
{
	return alloc_charged(gfp, order, __builtin_return_address(0));
}

struct folio *__folio_alloc_noprof(gfp_t gfp, unsigned int order, int nid, nodemask_t *nodemask)
{
	return (struct folio *)alloc_charged(gfp | __GFP_COMP, order, __builtin_return_address(0));
}

unsigned long get_free_pages_noprof(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_charged(gfp, order, __builtin_return_address(0));

	return page ? (unsigned long)page_address(page) : 0;
}

unsigned long get_zeroed_page_noprof(gfp_t gfp)
{
	struct page *page = alloc_charged(gfp | __GFP_ZERO, 0, __builtin_return_address(0));

	return page ? (unsigned long)page_address(page) : 0;
}

void __free_pages(struct page *page, unsigned int order)
{
	shim_charge_ns(kparams.alloc_page_ns);
	if (put_page_testzero(page))
		shim_free_pages_uncharged(page, order);
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

/* Splits the block, so that what is beyond the asked-for size can go back */
void *alloc_pages_exact_noprof(size_t size, gfp_t gfp)
{
	unsigned int order = get_order(size);
	unsigned long i, used = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct page *page;

	page = alloc_charged(gfp & ~__GFP_COMP, order, __builtin_return_address(0));
	if (!page)
		return NULL;
	split_page(page, order);
	for (i = used; i < 1UL << order; i++) {
		set_page_count(page + i, 0);
		shim_free_pages_uncharged(page + i, 0);
	}
	return page_address(page);
}

void free_pages_exact(void *virt, size_t size)
{
	char *at = virt, *end = at + PAGE_ALIGN(size);

	for (; at < end; at += PAGE_SIZE)
		free_pages((unsigned long)at, 0);
}

void split_page(struct page *page, unsigned int order)
{
	unsigned long i, info = page->index & ~INFO_ORDER;

	for (i = 0; i < 1UL << order; i++) {
		set_page_count(page + i, 1);
		page[i].index = info;
	}
}

/* The last reference of a page or compound page has been dropped by put_page() or folio_put() */
void __folio_put(struct folio *folio)
{
	shim_charge_ns(kparams.alloc_page_ns);
	shim_free_pages_uncharged(&folio->page, shim_page_order(&folio->page));
}

void put_pages_list(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru)
	{
		list_del_init(&page->lru);
		put_page(page);
	}
}

unsigned long nr_free_buffer_pages(void)
{
	return buddy.end_pfn - buddy.first_pfn - buddy.pages_in_use;
}

/* ---- what lives as long as the kernel, and what leaked ------------------------------------- */

static struct page *next_block(unsigned long *pfn)
{
	while (*pfn < buddy.frontier_pfn) {
		struct page *page = pfn_to_page(*pfn);

		if (PageBuddy(page)) {
			*pfn += 1UL << page->private;
			continue;
		}
		if (page_count(page) > 0) {
			*pfn += 1UL << shim_page_order(page);
			return page;
		}
		(*pfn)++;
	}
	return NULL;
}

void shim_page_baseline(void)
{
	unsigned long pfn = buddy.first_pfn;
	struct page *page;

	while ((page = next_block(&pfn)))
		shim_page_keep(page);
}

/* Slab pages are judged by their objects */
int shim_page_check_leaks(void)
{
	unsigned long pfn = buddy.first_pfn;
	struct page *page;
	int leaks = 0;

	while ((page = next_block(&pfn))) {
		if ((page->index & INFO_KEEP) || folio_test_slab((struct folio *)page))
			continue;
		pr_err("leak: %lu page(s) at physical %#lx, %d reference(s), allocated at "
		       "shim_mm_init%+ld\n",
		       1UL << shim_page_order(page), page_to_pfn(page) << PAGE_SHIFT,
		       page_count(page), (long)page->index >> INFO_SITE);
		leaks++;
	}
	return leaks;
}
