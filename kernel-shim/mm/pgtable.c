// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translation tables of user address spaces: VMSAv8-64 stage 1, 4 KiB granule, 48-bit, four levels
 * (Arm DDI 0487 D8.2, D8.3), in pages of simulated RAM, where the walkers of CPUs and SMMUs read
 * them by physical address. mm->pgd is the level 0 table.
 *
 * Each level 3 table has a lock of its own; tables of the upper levels are linked under
 * mm->page_table_lock. An entry is written after the time for it has passed, since a walker may
 * read it at any moment. Hardware management of the access flag and dirty state is not used:
 * entries are installed with AF set. Blocks are read, never made.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>

#include "mm_internal.h"

/* Beyond this many pages one invalidation of the whole ASID is cheaper, as in arch/arm64 */
#define MAX_TLBI_PAGES 512
#define BATCH_PAGES    ((PAGE_SIZE - sizeof(void *) - sizeof(unsigned long)) / sizeof(void *))
#define MAX_GATHERED   10000

struct shim_gather_batch {
	struct shim_gather_batch *next;
	unsigned long nr;
	struct page *pages[BATCH_PAGES];
};

static struct kmem_cache *ptl_cache;

void shim_pgtable_init(void)
{
	ptl_cache = kmem_cache_create("page->ptl", sizeof(spinlock_t), 0, 0, NULL);
}

/* ---- tables -------------------------------------------------------------------------------- */

static struct page *table_alloc(struct mm_struct *mm)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	spinlock_t *ptl;

	if (!page)
		return NULL;
	ptl = kmem_cache_alloc(ptl_cache, GFP_KERNEL);
	if (!ptl) {
		__free_page(page);
		return NULL;
	}
	spin_lock_init(ptl);
	page->private = (unsigned long)ptl;
	if (mm)
		mm_inc_nr_ptes(mm);
	return page;
}

static void table_free(struct mm_struct *mm, struct page *page)
{
	kmem_cache_free(ptl_cache, (void *)page->private);
	page->private = 0;
	__free_page(page);
	if (mm)
		mm_dec_nr_ptes(mm);
}

static spinlock_t *table_lock(u64 *table)
{
	return (spinlock_t *)virt_to_page(table)->private;
}

static u64 *table_of(u64 descriptor)
{
	return __va(descriptor & PTD_ADDRESS);
}

static unsigned int pt_index(unsigned long va, int level)
{
	return (va >> PT_SHIFT(level)) & (PT_ENTRIES - 1);
}

u64 *shim_pgd_alloc(void)
{
	struct page *page = table_alloc(NULL);

	return page ? page_address(page) : NULL;
}

void shim_pgd_free(u64 *pgd)
{
	table_free(NULL, virt_to_page(pgd));
}

/* Links a new table below *entry, unless another task was faster */
static bool table_link(struct mm_struct *mm, u64 *entry)
{
	struct page *page = table_alloc(mm);

	if (!page)
		return false;
	spin_lock(&mm->page_table_lock);
	shim_charge_ns(kparams.pte_ns);
	shim_sync();
	if (READ_ONCE(*entry)) {
		spin_unlock(&mm->page_table_lock);
		table_free(mm, page);
		return true;
	}
	WRITE_ONCE(*entry, (page_to_pfn(page) << PAGE_SHIFT) | PTD_PAGE);
	spin_unlock(&mm->page_table_lock);
	return true;
}

u64 *shim_pte_find(struct mm_struct *mm, unsigned long va, spinlock_t **ptl)
{
	u64 *table = (u64 *)mm->pgd;
	int level;

	for (level = 0; level < PT_LEVELS - 1; level++) {
		u64 descriptor = READ_ONCE(table[pt_index(va, level)]);

		if (!ptd_is_table(descriptor))
			return NULL;
		table = table_of(descriptor);
	}
	*ptl = table_lock(table);
	return &table[pt_index(va, PT_LEVELS - 1)];
}

u64 *shim_pte_make(struct mm_struct *mm, unsigned long va, spinlock_t **ptl)
{
	unsigned int before = shim_fault_part(KI_PART_WALK);
	u64 *table = (u64 *)mm->pgd;
	int level;

	for (level = 0; level < PT_LEVELS - 1 && table; level++) {
		u64 *entry = &table[pt_index(va, level)];

		table = READ_ONCE(*entry) || table_link(mm, entry) ? table_of(READ_ONCE(*entry))
								   : NULL;
	}
	shim_fault_part(before);
	if (!table)
		return NULL;
	*ptl = table_lock(table);
	return &table[pt_index(va, PT_LEVELS - 1)];
}

u64 shim_peek_va(struct mm_struct *mm, u64 va)
{
	u64 *table = (u64 *)mm->pgd;
	int level;

	if (va >= PT_LIMIT)
		return ~0ULL;
	for (level = 0; level < PT_LEVELS; level++) {
		u64 descriptor = READ_ONCE(table[pt_index(va, level)]);
		u64 offset = va & (PT_SPAN(level) - 1);

		if (!(descriptor & PTD_VALID))
			return ~0ULL;
		if (level == PT_LEVELS - 1 || !(descriptor & PTD_TABLE))
			return (descriptor & PTD_ADDRESS & ~(PT_SPAN(level) - 1)) | offset;
		table = table_of(descriptor);
	}
	return ~0ULL;
}

/* ---- entries ------------------------------------------------------------------------------- */

static u64 pte_rights(vm_flags_t flags, bool writable)
{
	u64 rights = PTD_PXN;

	if (!(flags & VM_ACCESS_FLAGS))
		return rights | PTD_PROT_NONE | PTD_UXN | PTD_AP_RDONLY;
	rights |= PTD_VALID | PTD_AP_USER;
	if (!(flags & VM_EXEC))
		rights |= PTD_UXN;
	if (!writable)
		rights |= PTD_AP_RDONLY;
	return rights;
}

u64 shim_pte_mk(unsigned long pfn, vm_flags_t flags, bool writable, bool special)
{
	u64 attributes = shim_pfn_is_ram(pfn) ? PTD_ATTR(MAIR_NORMAL) | PTD_SH_INNER
					      : PTD_ATTR(MAIR_DEVICE_nGnRE);

	return ((u64)pfn << PAGE_SHIFT) | attributes | PTD_TABLE | PTD_AF | PTD_NG |
	       (special ? PTD_SPECIAL : 0) | pte_rights(flags, writable);
}

void shim_pte_install(u64 *pte, u64 descriptor, bool io)
{
	shim_charge_ns(kparams.pte_ns);
	shim_sync();
	WRITE_ONCE(*pte, descriptor);
	if (io)
		kcounters.ptes_installed_io++;
	else
		kcounters.ptes_installed_cpu++;
}

void shim_page_map_get(struct page *page)
{
	get_page(page);
	atomic_inc(&page->_mapcount);
}

void shim_page_map_put(struct page *page)
{
	atomic_dec(&page->_mapcount);
	put_page(page);
}

/* ---- TLB maintenance ----------------------------------------------------------------------- */

void shim_flush_range(struct mm_struct *mm, unsigned long start, unsigned long end, bool last_level)
{
	unsigned long pages = (end - start) >> PAGE_SHIFT;
	unsigned int asid = shim_mm_asid(mm);

	if (asid && pages > MAX_TLBI_PAGES)
		machine->tlbi(shim_cpu(), KI_TLBI_ASID, asid, 0, 0);
	else if (asid)
		machine->tlbi(shim_cpu(), last_level ? KI_TLBI_VA_LAST : KI_TLBI_VA, asid, start,
			      pages);
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, start, end);
}

void shim_flush_mm(struct mm_struct *mm)
{
	unsigned int asid = shim_mm_asid(mm);

	if (asid)
		machine->tlbi(shim_cpu(), KI_TLBI_ASID, asid, 0, 0);
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, 0, -1UL);
}

void shim_gather_begin(struct shim_gather *gather, struct mm_struct *mm, bool whole_mm)
{
	*gather = (struct shim_gather){.mm = mm, .start = ~0UL, .whole_mm = whole_mm};
	INIT_LIST_HEAD(&gather->tables);
}

void shim_gather_end(struct shim_gather *gather)
{
	struct page *page, *next;

	if (gather->start < gather->end) {
		if (gather->whole_mm)
			shim_flush_mm(gather->mm);
		else
			shim_flush_range(gather->mm, gather->start, gather->end,
					 list_empty(&gather->tables));
	}
	for (unsigned int i = 0; i < gather->nr_few; i++)
		put_page(gather->few[i]);
	while (gather->pages) {
		struct shim_gather_batch *batch = gather->pages;
		unsigned long i;

		for (i = 0; i < batch->nr; i++)
			put_page(batch->pages[i]);
		gather->pages = batch->next;
		shim_free_pages_uncharged(virt_to_page(batch), 0);
	}
	list_for_each_entry_safe(page, next, &gather->tables, lru) table_free(gather->mm, page);
	shim_gather_begin(gather, gather->mm, gather->whole_mm);
}

static void gather_range(struct shim_gather *gather, unsigned long start, unsigned long end)
{
	gather->start = min(gather->start, start);
	gather->end = max(gather->end, end);
}

/* False: there is no memory to remember the page in; flush first */
static bool gather_room(struct shim_gather *gather)
{
	struct shim_gather_batch *batch = gather->pages;
	struct page *page;

	if (gather->nr_few < SHIM_GATHER_FEW || (batch && batch->nr < BATCH_PAGES))
		return true;
	/* Bookkeeping of the host's size: the kernel's batches cost next to nothing */
	page = shim_alloc_pages_site(GFP_NOWAIT, 0, __builtin_return_address(0));
	if (!page)
		return false;
	batch = page_address(page);
	batch->next = gather->pages;
	batch->nr = 0;
	gather->pages = batch;
	return true;
}

static void gather_page(struct shim_gather *gather, struct page *page)
{
	atomic_dec(&page->_mapcount);
	if (gather->nr_few < SHIM_GATHER_FEW)
		gather->few[gather->nr_few++] = page;
	else
		gather->pages->pages[gather->pages->nr++] = page;
	gather->nr_pages++;
}

/* ---- ranges: zap, protect, copy, move ------------------------------------------------------ */

/* The first address after va where another level 3 table begins, or a missing one ends */
static unsigned long next_table(struct mm_struct *mm, unsigned long va, unsigned long end)
{
	u64 *table = (u64 *)mm->pgd;
	int level;

	for (level = 0; level < PT_LEVELS - 2; level++) {
		u64 descriptor = READ_ONCE(table[pt_index(va, level)]);

		if (!ptd_is_table(descriptor))
			break;
		table = table_of(descriptor);
	}
	va = (va | (PT_SPAN(level) - 1)) + 1;
	return va && va < end ? va : end;
}

static unsigned int count_present(const u64 *pte, unsigned long pages)
{
	unsigned int present = 0;

	while (pages--)
		present += ptd_present(*pte++);
	return present;
}

/* Clears up to `pages` entries of one table; how many it came to before the gather had no room */
static unsigned long zap_table(struct shim_gather *gather, u64 *pte, unsigned long va,
			       unsigned long pages)
{
	unsigned int present = count_present(pte, pages);
	unsigned long i;

	if (!present)
		return pages;
	shim_charge_ns((u64)present * kparams.pte_ns);
	shim_sync();
	for (i = 0; i < pages; i++) {
		u64 old = pte[i];

		if (!ptd_present(old))
			continue;
		if (!(old & PTD_SPECIAL) && !gather_room(gather))
			return i;
		WRITE_ONCE(pte[i], 0);
		gather_range(gather, va + i * PAGE_SIZE, va + (i + 1) * PAGE_SIZE);
		if (!(old & PTD_SPECIAL))
			gather_page(gather, pfn_to_page(ptd_pfn(old)));
		else if (is_zero_pfn(ptd_pfn(old)))
			shim_zero_page_put();
	}
	return pages;
}

void shim_zap_range(struct shim_gather *gather, struct vm_area_struct *vma, unsigned long start,
		    unsigned long end)
{
	struct mm_struct *mm = vma->vm_mm;

	while (start < end) {
		unsigned long next = next_table(mm, start, end), done;
		spinlock_t *ptl;
		u64 *pte = shim_pte_find(mm, start, &ptl);

		if (!pte) {
			start = next;
			continue;
		}
		spin_lock(ptl);
		done = zap_table(gather, pte, start, (next - start) >> PAGE_SHIFT);
		spin_unlock(ptl);
		start += done * PAGE_SIZE;
		if (start < next || gather->nr_pages >= MAX_GATHERED)
			shim_gather_end(gather);
	}
}

static void free_level(struct shim_gather *gather, u64 *table, int level, unsigned long start,
		       unsigned long end, unsigned long floor, unsigned long ceiling)
{
	unsigned long va, base;

	for (va = start; va < end; va = base + PT_SPAN(level)) {
		u64 *entry = &table[pt_index(va, level)];
		u64 descriptor = READ_ONCE(*entry);

		base = va & ~(PT_SPAN(level) - 1);
		if (!ptd_is_table(descriptor))
			continue;
		if (level < PT_LEVELS - 2)
			free_level(gather, table_of(descriptor), level + 1, va,
				   min(end, (unsigned long)(base + PT_SPAN(level))), floor,
				   ceiling);
		if (base < floor || base + PT_SPAN(level) > ceiling)
			continue;
		spin_lock(&gather->mm->page_table_lock);
		shim_charge_ns(kparams.pte_ns);
		shim_sync();
		WRITE_ONCE(*entry, 0);
		spin_unlock(&gather->mm->page_table_lock);
		gather_range(gather, va, va + PAGE_SIZE);
		list_add_tail(&virt_to_page(table_of(descriptor))->lru, &gather->tables);
	}
}

void shim_free_tables(struct shim_gather *gather, unsigned long start, unsigned long end,
		      unsigned long floor, unsigned long ceiling)
{
	free_level(gather, (u64 *)gather->mm->pgd, 0, start, end, floor, ceiling);
}

static u64 pte_protect(u64 old, vm_flags_t flags)
{
	bool writable = flags & VM_WRITE;

	/* A private page may be written at once only if nobody else has it */
	if (writable && !(flags & VM_SHARED))
		writable = !(old & PTD_SPECIAL) && page_count(pfn_to_page(ptd_pfn(old))) == 1;
	return shim_pte_mk(ptd_pfn(old), flags, writable, old & PTD_SPECIAL);
}

static bool protect_table(u64 *pte, unsigned long pages, vm_flags_t flags)
{
	unsigned int changed = 0;
	unsigned long i;

	for (i = 0; i < pages; i++)
		changed += ptd_present(pte[i]) && pte_protect(pte[i], flags) != pte[i];
	if (!changed)
		return false;
	shim_charge_ns((u64)changed * kparams.pte_ns);
	shim_sync();
	for (i = 0; i < pages; i++)
		if (ptd_present(pte[i]))
			WRITE_ONCE(pte[i], pte_protect(pte[i], flags));
	return true;
}

void shim_protect_range(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			vm_flags_t flags)
{
	struct mm_struct *mm = vma->vm_mm;
	struct mmu_notifier_range range;
	unsigned long va, next, first = end, last = start;

	mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_VMA, 0, mm, start, end);
	mmu_notifier_invalidate_range_start(&range);
	for (va = start; va < end; va = next) {
		spinlock_t *ptl;
		u64 *pte = shim_pte_find(mm, va, &ptl);

		next = next_table(mm, va, end);
		if (!pte)
			continue;
		spin_lock(ptl);
		if (protect_table(pte, (next - va) >> PAGE_SHIFT, flags)) {
			first = min(first, va);
			last = max(last, next);
		}
		spin_unlock(ptl);
	}
	if (first < last)
		shim_flush_range(mm, first, last, true);
	mmu_notifier_invalidate_range_end(&range);
}

static void copy_entry(u64 *to, u64 *from, vm_flags_t flags)
{
	u64 descriptor = *from;

	if (!(descriptor & PTD_SPECIAL)) {
		shim_page_map_get(pfn_to_page(ptd_pfn(descriptor)));
		if (!(flags & VM_SHARED) && !(descriptor & PTD_AP_RDONLY)) {
			descriptor |= PTD_AP_RDONLY;
			WRITE_ONCE(*from, descriptor);
		}
	} else if (is_zero_pfn(ptd_pfn(descriptor))) {
		shim_zero_page_get();
	}
	WRITE_ONCE(*to, descriptor);
}

static int copy_table(struct mm_struct *child, struct vm_area_struct *vma, u64 *from,
		      spinlock_t *from_ptl, unsigned long va, unsigned long pages)
{
	spinlock_t *to_ptl;
	u64 *to = shim_pte_make(child, va, &to_ptl);
	unsigned long i;

	if (!to)
		return -ENOMEM;
	spin_lock(to_ptl);
	spin_lock_nested(from_ptl, SINGLE_DEPTH_NESTING);
	shim_charge_ns((u64)count_present(from, pages) * kparams.pte_ns);
	shim_sync();
	for (i = 0; i < pages; i++)
		if (ptd_present(from[i]))
			copy_entry(&to[i], &from[i], vma->vm_flags);
	spin_unlock(from_ptl);
	spin_unlock(to_ptl);
	return 0;
}

int shim_copy_range(struct mm_struct *child, struct mm_struct *parent, struct vm_area_struct *vma)
{
	struct mmu_notifier_range range;
	unsigned long va, next;
	int error = 0;

	/* What a fault finds again need not be copied */
	if ((vma->vm_flags & VM_SHARED) && !(vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)))
		return 0;
	mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_PAGE, 0, parent, vma->vm_start,
				vma->vm_end);
	mmu_notifier_invalidate_range_start(&range);
	for (va = vma->vm_start; va < vma->vm_end && !error; va = next) {
		spinlock_t *ptl;
		u64 *from = shim_pte_find(parent, va, &ptl);
		unsigned long pages;

		next = next_table(parent, va, vma->vm_end);
		pages = (next - va) >> PAGE_SHIFT;
		if (from && count_present(from, pages))
			error = copy_table(child, vma, from, ptl, va, pages);
	}
	mmu_notifier_invalidate_range_end(&range);
	return error;
}

static int move_entry(struct mm_struct *mm, unsigned long from, unsigned long to)
{
	spinlock_t *from_ptl, *to_ptl;
	u64 *old = shim_pte_find(mm, from, &from_ptl), *new;

	if (!old || !ptd_present(*old))
		return 0;
	new = shim_pte_make(mm, to, &to_ptl);
	if (!new)
		return -ENOMEM;
	spin_lock(from_ptl);
	if (to_ptl != from_ptl)
		spin_lock_nested(to_ptl, SINGLE_DEPTH_NESTING);
	shim_charge_ns(2 * kparams.pte_ns);
	shim_sync();
	WRITE_ONCE(*new, *old);
	WRITE_ONCE(*old, 0);
	if (to_ptl != from_ptl)
		spin_unlock(to_ptl);
	spin_unlock(from_ptl);
	return 0;
}

int shim_move_range(struct vm_area_struct *vma, unsigned long from, unsigned long to,
		    unsigned long bytes)
{
	struct mm_struct *mm = vma->vm_mm;
	struct mmu_notifier_range range;
	unsigned long offset;
	int error = 0;

	mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, mm, from, from + bytes);
	mmu_notifier_invalidate_range_start(&range);
	for (offset = 0; offset < bytes && !error; offset += PAGE_SIZE) {
		spinlock_t *ptl;

		if (shim_pte_find(mm, from + offset, &ptl))
			error = move_entry(mm, from + offset, to + offset);
		else
			offset = next_table(mm, from + offset, from + bytes) - from - PAGE_SIZE;
	}
	/* The old translations lead to pages that the process still owns until this returns */
	shim_flush_range(mm, from, from + bytes, true);
	mmu_notifier_invalidate_range_end(&range);
	return error;
}
