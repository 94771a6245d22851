/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the shim's memory management share: the page allocator's accounting, address
 * spaces beside mm_struct, VMSAv8-64 page tables and the VMA helpers. Everything that a kernel
 * header declares is declared there.
 */
#ifndef KERNEL_SHIM_MM_INTERNAL_H
#define KERNEL_SHIM_MM_INTERNAL_H

#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/spinlock.h>

#include "shim.h"

/* ---- pages (page.c) ------------------------------------------------------------------------ */

/*
 * As alloc_pages, for a caller that passes on its own caller's address to the leak report; no cost
 * charged
 */
struct page *shim_alloc_pages_site(gfp_t gfp, unsigned int order, const void *site);
/*
 * Filling RAM at `to`, with zeroes or (unless `from` is SHIM_NO_SOURCE) with a copy: what the core takes, or as
 * long as memory takes for it
 */
#define SHIM_NO_SOURCE (~0ULL)
void shim_charge_memory(u64 core_ps, u64 to, u64 bytes, u64 from);
void shim_free_pages_uncharged(struct page *page, unsigned int order);
/* The order that a page block was allocated with */
unsigned int shim_page_order(const struct page *page);
void shim_page_keep(struct page *page);
bool shim_pfn_is_ram(unsigned long pfn);
void shim_page_init(void);
void shim_page_baseline(void);
int shim_page_check_leaks(void);

/*
 * A code address relative to shim_mm_init: the same in every run, wherever the image is loaded
 * (gdb: info symbol)
 */
unsigned long shim_image_offset(const void *code);

/* ---- slab (slab.c) ------------------------------------------------------------------------- */

void shim_slab_init(void);
void shim_slab_baseline(void);
void shim_slab_drain(void); /* under AddressSanitizer: ends the quarantine of freed objects */
int shim_slab_check_leaks(void);

/* ---- VMSAv8-64 stage 1 descriptors, 4 KiB granule, 48-bit addresses (Arm DDI 0487 D8.3) ---- */

#define PTD_VALID	BIT_ULL(0)
#define PTD_TABLE	BIT_ULL(1) /* at levels 0 to 2; at level 3 it tells a page */
#define PTD_PAGE	(PTD_VALID | PTD_TABLE)
#define PTD_ATTR(index) ((u64)(index) << 2) /* AttrIndx[2:0]: field of MAIR_EL1 */
#define PTD_AP_USER	BIT_ULL(6)	    /* AP[1] */
#define PTD_AP_RDONLY	BIT_ULL(7)	    /* AP[2] */
#define PTD_SH_INNER	(3ULL << 8)
#define PTD_AF		BIT_ULL(10)
#define PTD_NG		BIT_ULL(11)
#define PTD_PXN		BIT_ULL(53)
#define PTD_UXN		BIT_ULL(54)
/* Bits that the architecture leaves to software, with arch/arm64's meaning */
#define PTD_SPECIAL   BIT_ULL(56) /* no reference to the page is held: zero page, PFN map */
#define PTD_PROT_NONE BIT_ULL(58) /* a page is here, but nobody has access; not valid */
#define PTD_ADDRESS   GENMASK_ULL(47, 12)

/* MAIR_EL1 fields as arch/arm64 lays them out */
#define MAIR_NORMAL	  0
#define MAIR_DEVICE_nGnRE 4

#define PT_LEVELS	4
#define PT_ENTRIES	512
#define PT_SHIFT(level) (12 + 9 * (3 - (level)))
#define PT_SPAN(level)	(1ULL << PT_SHIFT(level)) /* bytes that one entry of this level covers */
#define PT_LIMIT	(1ULL << 48)

static inline bool ptd_present(u64 descriptor)
{
	return descriptor & (PTD_VALID | PTD_PROT_NONE);
}

static inline unsigned long ptd_pfn(u64 descriptor)
{
	return (descriptor & PTD_ADDRESS) >> PAGE_SHIFT;
}

static inline bool ptd_is_table(u64 descriptor)
{
	return (descriptor & PTD_PAGE) == PTD_PAGE;
}

struct shim_gather_batch;
#define SHIM_GATHER_FEW 8

/* Pages and tables whose entries are gone, but which go back only after the TLBs have been told */
struct shim_gather {
	struct mm_struct *mm;
	unsigned long start, end; /* what has been cleared; start >= end: nothing */
	struct shim_gather_batch *pages;
	/* The first ones need no memory: unmapping goes on where there is none left */
	struct page *few[SHIM_GATHER_FEW];
	unsigned int nr_few;
	unsigned int nr_pages;
	struct list_head tables; /* unlinked, by page->lru: walk caches must go, too */
	bool whole_mm;		 /* at the end of its life: nothing runs on it */
};

u64 *shim_pgd_alloc(void); /* NULL without memory */
void shim_pgd_free(u64 *pgd);
/* The level 3 entry of va and its lock; NULL if there is no table */
u64 *shim_pte_find(struct mm_struct *mm, unsigned long va, spinlock_t **ptl);
/* Makes the tables that are missing; NULL without memory (blocks) */
u64 *shim_pte_make(struct mm_struct *mm, unsigned long va, spinlock_t **ptl);
u64 shim_pte_mk(unsigned long pfn, vm_flags_t flags, bool writable, bool special);
/* Time passes, then the entry is visible to every walker (blocks); the lock is held */
void shim_pte_install(u64 *pte, u64 descriptor, bool io);
/* Clears the entries of a range, drops mapped pages into the gather (blocks) */
void shim_zap_range(struct shim_gather *gather, struct vm_area_struct *vma, unsigned long start,
		    unsigned long end); /* may flush in between, when very many pages wait */
/* Gives back the tables of [start, end) within [floor, ceiling), where no VMA has a part */
void shim_free_tables(struct shim_gather *gather, unsigned long start, unsigned long end,
		      unsigned long floor, unsigned long ceiling);
void shim_gather_begin(struct shim_gather *gather, struct mm_struct *mm, bool whole_mm);
void shim_gather_end(struct shim_gather *gather); /* TLB maintenance, then pages go back (blocks) */
/*
 * Changes what the entries of a range allow to the VMA's new flags (blocks). A page that is shared
 * stays read-only
 */
void shim_protect_range(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			vm_flags_t flags);
/* Copies a VMA's entries to the child; private writable pages become read-only in both. -ENOMEM */
int shim_copy_range(struct mm_struct *child, struct mm_struct *parent, struct vm_area_struct *vma);
/* Moves the entries of `bytes` bytes to another address of the mm; -ENOMEM */
int shim_move_range(struct vm_area_struct *vma, unsigned long from, unsigned long to,
		    unsigned long bytes);
/* TLB maintenance for a range: CPUs, then devices through the mmu notifier (blocks) */
void shim_flush_range(struct mm_struct *mm, unsigned long start, unsigned long end,
		      bool last_level);
void shim_flush_mm(struct mm_struct *mm);
void shim_pgtable_init(void);

void shim_page_map_get(struct page *page); /* one more page table entry refers to it */
void shim_page_map_put(struct page *page);

/* ---- address spaces (mm.c, asid.c) --------------------------------------------------------- */

struct shim_mm {
	u64 asid;	       /* generation and ASID; 0: none yet */
	struct list_head node; /* all_mms */
	unsigned int id;       /* counts from 1, for reports */
	struct mm_struct mm;   /* last: it ends with a cpumask of run-time size */
};

static inline struct shim_mm *to_shim_mm(struct mm_struct *mm)
{
	return container_of(mm, struct shim_mm, mm);
}

/* The ASID that TLBs may hold entries of this mm under; 0 if there are none */
unsigned int shim_mm_asid(struct mm_struct *mm);
void shim_asid_assign(struct mm_struct *mm); /* may begin a new generation (blocks) */

/* ---- faults and VMAs (fault.c, vma.c, mmap.c) ---------------------------------------------- */

extern unsigned long zero_pfn;
void shim_zero_page_get(void); /* counts entries that map the zero page */
void shim_zero_page_put(void);
int shim_zero_page_check_leaks(void);
void shim_fault_init(void);

struct vm_area_struct *shim_vma_dup(struct vm_area_struct *vma, struct mm_struct *mm);
/* The mmap lock is held for writing in all of these */
int shim_vma_insert(struct mm_struct *mm, struct vm_area_struct *vma);
void shim_vma_release(
	struct vm_area_struct *vma); /* calls close, drops the file, frees; not in the tree */
/* Makes start and end boundaries of VMAs */
int shim_vma_split_at(struct mm_struct *mm, unsigned long start, unsigned long end);
/* Joins a VMA with neighbours that do not differ; the result covers it, `vma` may be gone */
struct vm_area_struct *shim_vma_merge(struct mm_struct *mm, struct vm_area_struct *vma);
int shim_munmap_locked(struct mm_struct *mm, unsigned long start, unsigned long end);
void shim_unmap_all(struct mm_struct *mm); /* exit_mmap */
void shim_vma_init(void);
int shim_shared_anon_attach(struct vm_area_struct *vma);
void shim_populate(struct mm_struct *mm, unsigned long start, unsigned long end);

#endif
