// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual memory areas: the maple tree of an mm, splitting, merging, unmapping; the reverse map
 * from a file to the VMAs that map it; page-frame mappings that drivers make; memory that is shared
 * across fork.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "mm_internal.h"

int sysctl_max_map_count = DEFAULT_MAX_MAP_COUNT;
const struct vm_operations_struct vma_dummy_vm_ops;
static struct kmem_cache *vma_cache;

void shim_vma_init(void)
{
	vma_cache = kmem_cache_create("vm_area_struct", sizeof(struct vm_area_struct), 0, 0, NULL);
}

pgprot_t vm_get_page_prot(unsigned long vm_flags)
{
	unsigned long prot = _PAGE_ACCESSED;

	if (!(vm_flags & VM_ACCESS_FLAGS))
		return __pgprot(prot | _PAGE_PROTNONE);
	prot |= _PAGE_PRESENT | _PAGE_USER;
	if ((vm_flags & VM_WRITE) && (vm_flags & VM_SHARED))
		prot |= _PAGE_RW;
	return __pgprot(prot);
}

void vma_set_page_prot(struct vm_area_struct *vma)
{
	WRITE_ONCE(vma->vm_page_prot, vm_get_page_prot(vma->vm_flags));
}

struct vm_area_struct *vm_area_alloc(struct mm_struct *mm)
{
	struct vm_area_struct *vma = kmem_cache_zalloc(vma_cache, GFP_KERNEL);

	if (!vma)
		return NULL;
	vma->vm_mm = mm;
	vma->vm_ops = &vma_dummy_vm_ops;
	INIT_LIST_HEAD(&vma->anon_vma_chain);
	return vma;
}

void vm_area_free(struct vm_area_struct *vma)
{
	kmem_cache_free(vma_cache, vma);
}

/* ---- from a file to the VMAs that map it --------------------------------------------------- */

static struct address_space *vma_mapping(struct vm_area_struct *vma)
{
	return vma->vm_file ? vma->vm_file->f_mapping : NULL;
}

static void vma_link_file(struct vm_area_struct *vma)
{
	struct address_space *mapping = vma_mapping(vma);

	if (!mapping)
		return;
	i_mmap_lock_write(mapping);
	vma_interval_tree_insert(vma, &mapping->i_mmap);
	i_mmap_unlock_write(mapping);
}

static void vma_unlink_file(struct vm_area_struct *vma)
{
	struct address_space *mapping = vma_mapping(vma);

	if (!mapping)
		return;
	i_mmap_lock_write(mapping);
	vma_interval_tree_remove(vma, &mapping->i_mmap);
	i_mmap_unlock_write(mapping);
}

static void vma_resize(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	vma_unlink_file(vma);
	vma->vm_pgoff += (long)(start - vma->vm_start) >> PAGE_SHIFT;
	vma->vm_start = start;
	vma->vm_end = end;
	vma_link_file(vma);
}

/* ---- the tree ------------------------------------------------------------------------------ */

static int vma_store(struct mm_struct *mm, unsigned long start, unsigned long end,
		     struct vm_area_struct *vma)
{
	MA_STATE(mas, &mm->mm_mt, start, end - 1);

	shim_charge_ns(kparams.vma_ns);
	return mas_store_gfp(&mas, vma, GFP_KERNEL);
}

struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	unsigned long index = addr;

	return mt_find(&mm->mm_mt, &index, ULONG_MAX);
}

struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start,
					     unsigned long end)
{
	unsigned long index = start;

	return mt_find(&mm->mm_mt, &index, end - 1);
}

struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long addr,
				     struct vm_area_struct **prev)
{
	MA_STATE(mas, &mm->mm_mt, addr, addr);
	struct vm_area_struct *vma = mas_walk(&mas);

	*prev = mas_prev(&mas, 0);
	return vma ? vma : mas_next(&mas, ULONG_MAX);
}

struct vm_area_struct *shim_vma_dup(struct vm_area_struct *vma, struct mm_struct *mm)
{
	struct vm_area_struct *copy = vm_area_alloc(mm);

	if (!copy)
		return NULL;
	memcpy(copy, vma, sizeof(*copy));
	copy->vm_mm = mm;
	INIT_LIST_HEAD(&copy->anon_vma_chain);
	if (copy->vm_file)
		get_file(copy->vm_file);
	if (copy->vm_ops && copy->vm_ops->open)
		copy->vm_ops->open(copy);
	return copy;
}

int shim_vma_insert(struct mm_struct *mm, struct vm_area_struct *vma)
{
	int error = vma_store(mm, vma->vm_start, vma->vm_end, vma);

	if (error)
		return error;
	mm->map_count++;
	mm->total_vm += vma_pages(vma);
	vma_link_file(vma);
	return 0;
}

void shim_vma_release(struct vm_area_struct *vma)
{
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	if (vma->vm_file)
		fput(vma->vm_file);
	vm_area_free(vma);
}

/* The part from `addr` on becomes a VMA of its own */
static int vma_split(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr)
{
	struct vm_area_struct *upper;
	int error;

	if (mm->map_count >= sysctl_max_map_count)
		return -ENOMEM;
	if (vma->vm_ops && vma->vm_ops->may_split) {
		error = vma->vm_ops->may_split(vma, addr);
		if (error)
			return error;
	}
	upper = shim_vma_dup(vma, mm);
	if (!upper)
		return -ENOMEM;
	upper->vm_pgoff += (addr - vma->vm_start) >> PAGE_SHIFT;
	upper->vm_start = addr;
	error = vma_store(mm, addr, upper->vm_end, upper);
	if (error) {
		shim_vma_release(upper);
		return error;
	}
	mm->map_count++;
	vma_resize(vma, vma->vm_start, addr);
	vma_link_file(upper);
	return 0;
}

int shim_vma_split_at(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = find_vma(mm, start);
	int error;

	if (vma && vma->vm_start < start) {
		error = vma_split(mm, vma, start);
		if (error)
			return error;
	}
	vma = find_vma(mm, end - 1);
	if (vma && vma->vm_start < end && vma->vm_end > end)
		return vma_split(mm, vma, end);
	return 0;
}

static bool vma_can_merge(struct vm_area_struct *lower, struct vm_area_struct *upper)
{
	return lower && upper && lower->vm_end == upper->vm_start && !lower->vm_file &&
	       !upper->vm_file && vma_is_anonymous(lower) && vma_is_anonymous(upper) &&
	       lower->vm_flags == upper->vm_flags &&
	       lower->vm_pgoff + vma_pages(lower) == upper->vm_pgoff;
}

static struct vm_area_struct *vma_join(struct mm_struct *mm, struct vm_area_struct *lower,
				       struct vm_area_struct *upper)
{
	/* The whole range at once: two adjacent entries for one VMA would be visited twice */
	if (!vma_can_merge(lower, upper) || vma_store(mm, lower->vm_start, upper->vm_end, lower))
		return upper;
	lower->vm_end = upper->vm_end;
	mm->map_count--;
	vm_area_free(upper);
	return lower;
}

struct vm_area_struct *shim_vma_merge(struct mm_struct *mm, struct vm_area_struct *vma)
{
	struct vm_area_struct *prev;

	find_vma_prev(mm, vma->vm_start, &prev);
	vma = vma_join(mm, prev, vma);
	vma_join(mm, vma, vma_lookup(mm, vma->vm_end));
	return vma;
}

/* ---- unmapping ----------------------------------------------------------------------------- */

static void zap_detached(struct mm_struct *mm, struct list_head *detached, unsigned long start,
			 unsigned long end, unsigned long floor, unsigned long ceiling, bool all)
{
	struct vm_area_struct *vma, *next;
	struct shim_gather gather;

	shim_gather_begin(&gather, mm, all);
	list_for_each_entry(vma, detached, anon_vma_chain)
	{
		/* From here on nobody finds the tables through the file */
		vma_unlink_file(vma);
		shim_zap_range(&gather, vma, vma->vm_start, vma->vm_end);
	}
	shim_free_tables(&gather, start, end, floor, ceiling);
	shim_gather_end(&gather);
	list_for_each_entry_safe(vma, next, detached, anon_vma_chain)
	{
		shim_charge_ns(kparams.vma_ns);
		mm->map_count--;
		mm->total_vm -= vma_pages(vma);
		list_del_init(&vma->anon_vma_chain);
		shim_vma_release(vma);
	}
}

int shim_munmap_locked(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma, *prev, *next;
	struct mmu_notifier_range range;
	LIST_HEAD(detached);
	int error;

	shim_charge_ns(kparams.vma_ns);
	if (!find_vma_intersection(mm, start, end))
		return 0;
	error = shim_vma_split_at(mm, start, end);
	if (error)
		return error;
	VMA_ITERATOR(vmi, mm, start);
	for_each_vma_range(vmi, vma, end) list_add_tail(&vma->anon_vma_chain, &detached);
	error = vma_store(mm, start, end, NULL);
	if (error) {
		while ((vma = list_first_entry_or_null(&detached, struct vm_area_struct,
						       anon_vma_chain)))
			list_del_init(&vma->anon_vma_chain);
		return error;
	}
	next = find_vma_prev(mm, start, &prev);
	mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, mm, start, end);
	mmu_notifier_invalidate_range_start(&range);
	zap_detached(mm, &detached, start, end, prev ? prev->vm_end : 0,
		     next ? next->vm_start : PT_LIMIT, false);
	mmu_notifier_invalidate_range_end(&range);
	return 0;
}

void shim_unmap_all(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	LIST_HEAD(detached);

	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, vma) list_add_tail(&vma->anon_vma_chain, &detached);
	zap_detached(mm, &detached, 0, PT_LIMIT, 0, PT_LIMIT, true);
}

/*
 * Takes the pages out of a range of one VMA, which stays; the mmap lock is held for reading at
 * least
 */
void zap_page_range_single(struct vm_area_struct *vma, unsigned long address, unsigned long size,
			   struct zap_details *details)
{
	struct mmu_notifier_range range;
	struct shim_gather gather;

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm, address, address + size);
	mmu_notifier_invalidate_range_start(&range);
	shim_gather_begin(&gather, vma->vm_mm, false);
	shim_zap_range(&gather, vma, address, address + size);
	shim_gather_end(&gather);
	mmu_notifier_invalidate_range_end(&range);
}

void zap_vma_ptes(struct vm_area_struct *vma, unsigned long address, unsigned long size)
{
	if (vma->vm_flags & VM_PFNMAP)
		zap_page_range_single(vma, address, size, NULL);
}

/* Every process loses its mapping of this part of a file; the VMAs stay. holelen 0: to the end */
void unmap_mapping_range(struct address_space *mapping, loff_t const holebegin,
			 loff_t const holelen, int even_cows)
{
	pgoff_t first = holebegin >> PAGE_SHIFT;
	pgoff_t last = holelen ? first + ((holelen + PAGE_SIZE - 1) >> PAGE_SHIFT) - 1 : ULONG_MAX;
	struct vm_area_struct *vma;

	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(vma, &mapping->i_mmap, first, last)
	{
		pgoff_t from = max(first, vma->vm_pgoff);
		pgoff_t to = min(last, vma->vm_pgoff + vma_pages(vma) - 1);

		zap_page_range_single(vma, vma->vm_start + (from - vma->vm_pgoff) * PAGE_SIZE,
				      (to - from + 1) * PAGE_SIZE, NULL);
	}
	i_mmap_unlock_read(mapping);
}

/* ---- mappings that drivers make ------------------------------------------------------------ */

static bool vma_writable(struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_WRITE | VM_SHARED)) == (VM_WRITE | VM_SHARED);
}

static int insert_pfn(struct vm_area_struct *vma, unsigned long va, unsigned long pfn, bool special)
{
	struct mm_struct *mm = vma->vm_mm;
	spinlock_t *ptl;
	u64 *pte = shim_pte_make(mm, va, &ptl);

	if (!pte)
		return -ENOMEM;
	spin_lock(ptl);
	if (ptd_present(*pte)) {
		spin_unlock(ptl);
		return -EBUSY;
	}
	shim_charge_ns(kparams.pte_ns);
	shim_sync();
	WRITE_ONCE(*pte, shim_pte_mk(pfn, vma->vm_flags, vma_writable(vma), special));
	spin_unlock(ptl);
	return 0;
}

int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
		    unsigned long size, pgprot_t prot)
{
	unsigned long offset, length = PAGE_ALIGN(size);
	int error = 0;

	if (!PAGE_ALIGNED(addr) || addr < vma->vm_start || addr + length > vma->vm_end)
		return -EINVAL;
	if (is_cow_mapping(vma->vm_flags)) {
		if (addr != vma->vm_start || addr + length != vma->vm_end)
			return -EINVAL;
		vma->vm_pgoff = pfn;
	}
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	for (offset = 0; offset < length && !error; offset += PAGE_SIZE)
		error = insert_pfn(vma, addr + offset, pfn + (offset >> PAGE_SHIFT), true);
	if (error && offset)
		zap_page_range_single(vma, addr, length, NULL);
	return error;
}

int vm_iomap_memory(struct vm_area_struct *vma, phys_addr_t start, unsigned long len)
{
	unsigned long pages = (offset_in_page(start) + len + PAGE_SIZE - 1) >> PAGE_SHIFT;

	if (vma->vm_pgoff > pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	return remap_pfn_range(vma, vma->vm_start, (start >> PAGE_SHIFT) + vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn)
{
	int error = insert_pfn(vma, addr & PAGE_MASK, pfn, true);

	if (error == -ENOMEM)
		return VM_FAULT_OOM;
	return VM_FAULT_NOPAGE; /* -EBUSY: another task's fault has put it there */
}

vm_fault_t vmf_insert_pfn_prot(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
			       pgprot_t pgprot)
{
	return vmf_insert_pfn(vma, addr, pfn);
}

int vm_insert_page(struct vm_area_struct *vma, unsigned long addr, struct page *page)
{
	int error;

	if (addr < vma->vm_start || addr >= vma->vm_end)
		return -EFAULT;
	if (!page_count(page))
		return -EINVAL;
	vm_flags_set(vma, VM_MIXEDMAP);
	shim_page_map_get(page);
	error = insert_pfn(vma, addr, page_to_pfn(page), false);
	if (error)
		shim_page_map_put(page);
	return error;
}

int vm_insert_pages(struct vm_area_struct *vma, unsigned long addr, struct page **pages,
		    unsigned long *num)
{
	int error = 0;

	while (*num && !error) {
		error = vm_insert_page(vma, addr, *pages);
		if (error)
			break;
		addr += PAGE_SIZE;
		pages++;
		(*num)--;
	}
	return error;
}

int vm_map_pages(struct vm_area_struct *vma, struct page **pages, unsigned long num)
{
	unsigned long count = vma_pages(vma);

	if (vma->vm_pgoff >= num || count > num - vma->vm_pgoff)
		return -ENXIO;
	return vm_insert_pages(vma, vma->vm_start, pages + vma->vm_pgoff, &count);
}

/* ---- anonymous memory shared across fork: what tmpfs does for the kernel ------------------- */

struct shared_anon {
	refcount_t users;
	struct xarray pages; /* by page offset; holds a reference each */
};

static void shared_anon_open(struct vm_area_struct *vma)
{
	struct shared_anon *object = vma->vm_private_data;

	refcount_inc(&object->users);
}

static void shared_anon_close(struct vm_area_struct *vma)
{
	struct shared_anon *object = vma->vm_private_data;
	unsigned long index;
	struct page *page;

	if (!refcount_dec_and_test(&object->users))
		return;
	xa_for_each(&object->pages, index, page) put_page(page);
	xa_destroy(&object->pages);
	kfree(object);
}

static vm_fault_t shared_anon_fault(struct vm_fault *vmf)
{
	struct shared_anon *object = vmf->vma->vm_private_data;
	struct page *page = xa_load(&object->pages, vmf->pgoff), *other;

	if (!page) {
		page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_ZERO);
		if (!page)
			return VM_FAULT_OOM;
		other = xa_cmpxchg(&object->pages, vmf->pgoff, NULL, page, GFP_KERNEL);
		if (other) {
			put_page(page);
			if (xa_is_err(other))
				return VM_FAULT_OOM;
			page = other;
		}
	}
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct shared_anon_ops = {
	.open = shared_anon_open,
	.close = shared_anon_close,
	.fault = shared_anon_fault,
};

int shim_shared_anon_attach(struct vm_area_struct *vma)
{
	struct shared_anon *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (!object)
		return -ENOMEM;
	refcount_set(&object->users, 1);
	xa_init(&object->pages);
	vma->vm_pgoff = 0;
	vma->vm_private_data = object;
	vma->vm_ops = &shared_anon_ops;
	return 0;
}

/* ---- all locks, for the registration of an mmu notifier ------------------------------------ */

static DEFINE_MUTEX(mm_all_locks_mutex);

/*
 * The mmap lock, which the caller holds for writing, keeps out every fault and system call on this
 * mm. What is left are those that come through a file's reverse map.
 */
int mm_take_all_locks(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	mmap_assert_write_locked(mm);
	mutex_lock(&mm_all_locks_mutex);
	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, vma)
	{
		struct address_space *mapping = vma_mapping(vma);

		if (mapping && !test_and_set_bit(AS_MM_ALL_LOCKS, &mapping->flags))
			down_write(&mapping->i_mmap_rwsem);
	}
	return 0;
}

void mm_drop_all_locks(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, vma)
	{
		struct address_space *mapping = vma_mapping(vma);

		if (mapping && test_and_clear_bit(AS_MM_ALL_LOCKS, &mapping->flags))
			up_write(&mapping->i_mmap_rwsem);
	}
	mutex_unlock(&mm_all_locks_mutex);
}
