// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults: handle_mm_fault() for CPUs and, called by the kernel's I/O-page-fault path, for
 * devices; anonymous memory with the zero page, copy-on-write, pages that a driver's fault
 * operation gives. The order of locks is the kernel's: mmap lock for reading, then the page table's
 * lock, under which a racing fault on the same page is found to be served already.
 *
 * Not modelled: swap, huge pages, per-VMA locks, retry with the mmap lock dropped, page_mkwrite,
 * private copies of device memory.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "mm_internal.h"

unsigned long *empty_zero_page;
static long zero_page_users;

struct fault {
	struct vm_area_struct *vma;
	struct mm_struct *mm;
	unsigned long va; /* of the page */
	unsigned int flags;
	bool io; /* for a device */
};

void shim_fault_init(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	empty_zero_page = page_address(page);
	zero_pfn = page_to_pfn(page);
}

void shim_zero_page_get(void)
{
	zero_page_users++;
}

void shim_zero_page_put(void)
{
	zero_page_users--;
}

int shim_zero_page_check_leaks(void)
{
	if (!zero_page_users)
		return 0;
	pr_err("leak: %ld page table entries that map the zero page are not accounted for\n",
	       zero_page_users);
	return 1;
}

/* ---- anonymous memory ---------------------------------------------------------------------- */

/* The lock of an entry's table: what is done under it is the entry's part of the fault's time */
static void lock_table(spinlock_t *ptl)
{
	shim_fault_part(KI_PART_PTE);
	spin_lock(ptl);
}

static void unlock_table(spinlock_t *ptl)
{
	spin_unlock(ptl);
	shim_fault_part(KI_PART_OTHER);
}

static void map_page(const struct fault *f, u64 *pte, struct page *page, bool writable)
{
	atomic_inc(&page->_mapcount);
	shim_pte_install(pte, shim_pte_mk(page_to_pfn(page), f->vma->vm_flags, writable, false),
			 f->io);
}

static vm_fault_t map_zero_page(const struct fault *f)
{
	spinlock_t *ptl;
	u64 *pte = shim_pte_make(f->mm, f->va, &ptl);

	if (!pte)
		return VM_FAULT_OOM;
	lock_table(ptl);
	if (!ptd_present(*pte)) {
		shim_zero_page_get();
		kcounters.zero_page_maps++;
		shim_pte_install(pte, shim_pte_mk(zero_pfn, f->vma->vm_flags, false, true), f->io);
	}
	unlock_table(ptl);
	return 0;
}

static vm_fault_t do_anonymous_page(const struct fault *f)
{
	struct page *page;
	spinlock_t *ptl;
	u64 *pte;

	if (!(f->flags & FAULT_FLAG_WRITE))
		return map_zero_page(f);
	pte = shim_pte_make(f->mm, f->va, &ptl);
	page = pte ? alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO) : NULL;
	if (!page)
		return VM_FAULT_OOM;
	lock_table(ptl);
	if (ptd_present(*pte)) {
		unlock_table(ptl);
		put_page(page);
		return 0;
	}
	map_page(f, pte, page, true);
	unlock_table(ptl);
	return 0;
}

/* ---- copy-on-write ------------------------------------------------------------------------- */

static struct page *copy_of(const struct page *old)
{
	unsigned int before;
	struct page *page;

	if (is_zero_pfn(page_to_pfn(old)))
		return alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO);
	page = alloc_page(GFP_HIGHUSER_MOVABLE);
	if (!page)
		return NULL;
	memcpy(page_address(page), page_address(old), PAGE_SIZE);
	before = shim_fault_part(KI_PART_COPY);
	shim_charge_memory(kparams.copy_page_ns * 1000ULL, page_to_phys(page), PAGE_SIZE,
			   page_to_phys(old));
	shim_fault_part(before);
	return page;
}

/* The entry stays what it is, but for the right to write; nobody may go on with the old one */
static void make_writable(const struct fault *f, u64 *pte)
{
	shim_charge_ns(kparams.pte_ns);
	shim_sync();
	WRITE_ONCE(*pte, *pte & ~PTD_AP_RDONLY);
	shim_flush_range(f->mm, f->va, f->va + PAGE_SIZE, true);
}

/*
 * Break before make (Arm DDI 0487 D8.14): the old page is unreachable everywhere when the new one
 * appears
 */
static void replace_page(const struct fault *f, u64 *pte, struct page *new)
{
	WRITE_ONCE(*pte, 0);
	shim_flush_range(f->mm, f->va, f->va + PAGE_SIZE, true);
	map_page(f, pte, new, true);
}

/* Called without the lock, but with a reference to the old page unless that is the zero page */
static vm_fault_t wp_page_copy(const struct fault *f, u64 *pte, spinlock_t *ptl, u64 descriptor)
{
	bool was_zero = descriptor & PTD_SPECIAL;
	struct page *old = pfn_to_page(ptd_pfn(descriptor)), *new = copy_of(old);
	struct mmu_notifier_range range;
	bool same;

	if (!new) {
		if (!was_zero)
			put_page(old);
		return VM_FAULT_OOM;
	}
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, f->mm, f->va, f->va + PAGE_SIZE);
	mmu_notifier_invalidate_range_start(&range);
	lock_table(ptl);
	same = *pte == descriptor;
	if (same) {
		replace_page(f, pte, new);
		kcounters.cow_copies += !was_zero;
	}
	unlock_table(ptl);
	mmu_notifier_invalidate_range_end(&range);
	if (!same)
		put_page(new);
	else if (was_zero)
		shim_zero_page_put();
	else
		shim_page_map_put(old);
	if (!was_zero)
		put_page(old);
	return 0;
}

/* A write to a present, read-only page. Called with the lock, returns without */
static vm_fault_t do_wp_page(const struct fault *f, u64 *pte, spinlock_t *ptl)
{
	u64 descriptor = *pte;
	bool special = descriptor & PTD_SPECIAL;
	unsigned long pfn = ptd_pfn(descriptor);

	if (f->vma->vm_flags & VM_SHARED || (!special && page_count(pfn_to_page(pfn)) == 1)) {
		make_writable(f, pte);
		unlock_table(ptl);
		return 0;
	}
	if (!special)
		get_page(pfn_to_page(pfn));
	unlock_table(ptl);
	if (special && !is_zero_pfn(pfn))
		return VM_FAULT_SIGBUS; /* device memory has no private copy */
	return wp_page_copy(f, pte, ptl, descriptor);
}

/* ---- mappings with a fault operation ------------------------------------------------------- */

static vm_fault_t install_file_page(const struct fault *f, struct page *page, bool writable)
{
	spinlock_t *ptl;
	u64 *pte = shim_pte_make(f->mm, f->va, &ptl);

	if (!pte) {
		put_page(page);
		return VM_FAULT_OOM;
	}
	lock_table(ptl);
	if (!ptd_present(*pte)) {
		map_page(f, pte, page, writable);
		page = NULL;
	}
	unlock_table(ptl);
	if (page)
		put_page(page);
	return 0;
}

static vm_fault_t do_fault(const struct fault *f, unsigned long address)
{
	struct vm_area_struct *vma = f->vma;
	bool shared = vma->vm_flags & VM_SHARED, write = f->flags & FAULT_FLAG_WRITE;
	struct vm_fault vmf = {
		.vma = vma,
		.gfp_mask = GFP_KERNEL,
		.pgoff = linear_page_index(vma, f->va),
		.address = f->va,
		.real_address = address,
		.flags = f->flags,
	};
	struct page *page;
	vm_fault_t result;

	if (!vma->vm_ops->fault)
		return VM_FAULT_SIGBUS;
	result = vma->vm_ops->fault(&vmf);
	if (result & (VM_FAULT_ERROR | VM_FAULT_NOPAGE | VM_FAULT_RETRY | VM_FAULT_DONE_COW))
		return result;
	page = vmf.page;
	if (result & VM_FAULT_LOCKED)
		unlock_page(page);
	if (write && !shared) {
		struct page *copy = copy_of(page);

		put_page(page);
		if (!copy)
			return VM_FAULT_OOM;
		page = copy;
		kcounters.cow_copies++;
	}
	return result | install_file_page(f, page, (vma->vm_flags & VM_WRITE) && (write || shared));
}

void unlock_page(struct page *page)
{
	folio_unlock(page_folio(page));
}

void folio_unlock(struct folio *folio)
{
	clear_bit(PG_locked, folio_flags(folio, 0));
}

/* ---- entry --------------------------------------------------------------------------------- */

/* The way down is taken once: whoever needs missing tables goes on from here */
static u64 *walk_down(const struct fault *f, spinlock_t **ptl)
{
	unsigned int before = shim_fault_part(KI_PART_WALK);

	shim_charge_ns(kparams.table_walk_ns);
	shim_fault_part(before);
	return shim_pte_find(f->mm, f->va, ptl);
}

static vm_fault_t handle_pte_fault(const struct fault *f, unsigned long address)
{
	spinlock_t *ptl;
	u64 *pte = walk_down(f, &ptl);
	u64 descriptor = pte ? READ_ONCE(*pte) : 0;
	vm_fault_t result = 0;

	if (!ptd_present(descriptor))
		return vma_is_anonymous(f->vma) ? do_anonymous_page(f) : do_fault(f, address);
	lock_table(ptl);
	descriptor = *pte;
	if (descriptor & PTD_PROT_NONE)
		result = VM_FAULT_SIGSEGV;
	else if ((descriptor & PTD_VALID) && (f->flags & FAULT_FLAG_WRITE) &&
		 (descriptor & PTD_AP_RDONLY))
		return do_wp_page(f, pte, ptl);
	/* Otherwise another task has served it, or the entry went away: translate again */
	unlock_table(ptl);
	return result;
}

vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long address, unsigned int flags,
			   struct pt_regs *regs)
{
	struct fault f = {
		.vma = vma,
		.mm = vma->vm_mm,
		.va = address & PAGE_MASK,
		.flags = flags,
		.io = (flags & FAULT_FLAG_REMOTE) || current->mm != vma->vm_mm,
	};
	vm_fault_t result;

	if (f.io) {
		kcounters.io_faults++;
		shim_task(current)->mm_entered = shim_local_time();
		shim_fault_part(KI_PART_INJECTED);
		shim_fault_extra_wait(KI_EXTRA_MM);
		shim_fault_part(KI_PART_OTHER);
	} else {
		kcounters.cpu_faults++;
	}
	if ((flags & FAULT_FLAG_WRITE) && !(vma->vm_flags & VM_WRITE))
		result = VM_FAULT_SIGSEGV;
	else
		result = handle_pte_fault(&f, address);
	if (f.io) {
		shim_fault_part(KI_PART_PREPARE); /* of the group's next fault, if there is one */
		shim_task(current)->mm_left = shim_local_time();
	}
	return result;
}

static vm_fault_t user_fault(struct mm_struct *mm, u64 va, unsigned int access)
{
	unsigned int flags = FAULT_FLAG_USER;
	vm_flags_t needed = VM_ACCESS_FLAGS; /* whatever else is allowed, reading is */
	struct vm_area_struct *vma = vma_lookup(mm, va);

	shim_charge_ns(kparams.vma_ns);
	if (access & KI_WRITE) {
		needed = VM_WRITE;
		flags |= FAULT_FLAG_WRITE;
	} else if (access & KI_EXEC) {
		needed = VM_EXEC;
		flags |= FAULT_FLAG_INSTRUCTION;
	}
	if (!vma || !(vma->vm_flags & needed))
		return VM_FAULT_SIGSEGV;
	return handle_mm_fault(vma, va, flags, NULL);
}

/*
 * A data or instruction abort of the current task. A user access that cannot be served ends the
 * process; an access of the kernel on its behalf fails with -EFAULT.
 */
int shim_mm_page_fault(u64 va, unsigned int access)
{
	struct mm_struct *mm = current->mm;
	vm_fault_t result = VM_FAULT_SIGSEGV;
	int signal = SIGSEGV;

	/*
	 * The way in from user mode has charged its exception; one out of a copy to or from user
	 * memory comes on top
	 */
	if (!(access & KI_USER))
		shim_charge_ns(kparams.exception_ns);
	if (mm && va < TASK_SIZE) {
		mmap_read_lock(mm);
		result = user_fault(mm, va, access);
		mmap_read_unlock(mm);
	}
	if (!(result & VM_FAULT_ERROR))
		return 0;
	if (result & VM_FAULT_OOM)
		signal = SIGKILL;
	else if (result & VM_FAULT_SIGBUS)
		signal = SIGBUS;
	if (access & KI_USER)
		shim_send_fatal_signal(current, signal);
	return -EFAULT;
}

static bool pte_serves(struct mm_struct *mm, unsigned long va, bool write)
{
	spinlock_t *ptl;
	u64 *pte = shim_pte_find(mm, va, &ptl);

	return pte && (READ_ONCE(*pte) & PTD_VALID) && !(write && (*pte & PTD_AP_RDONLY));
}

void shim_populate(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = NULL;
	unsigned long va;

	mmap_read_lock(mm);
	for (va = start; va < end; va += PAGE_SIZE) {
		bool write;

		if (!vma || va >= vma->vm_end)
			vma = find_vma(mm, va);
		if (!vma || vma->vm_start >= end)
			break;
		va = max(va, vma->vm_start);
		if (vma->vm_flags & (VM_IO | VM_PFNMAP) || !(vma->vm_flags & VM_ACCESS_FLAGS)) {
			va = vma->vm_end - PAGE_SIZE;
			continue;
		}
		/* Private memory gets pages of its own at once; shared memory is only mapped */
		write = (vma->vm_flags & (VM_WRITE | VM_SHARED)) == VM_WRITE;
		if (pte_serves(mm, va, write))
			continue;
		if (handle_mm_fault(vma, va, write ? FAULT_FLAG_WRITE : 0, NULL) & VM_FAULT_ERROR)
			break;
	}
	mmap_read_unlock(mm);
}
