// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system calls on address spaces: mmap, munmap, mprotect, mremap, madvise, brk, mincore, with
 * the numbers and structures of the asm-generic ABI. New mappings are placed from the top down, at
 * the same addresses in every run; the parameter mmap.rnd_bits moves the top by a number of pages
 * that depends on the machine's seed.
 *
 * Not modelled: the heap (brk fails, as for a process without one; libraries fall back to mmap),
 * huge pages, resource limits but for the number of VMAs and the overcommit heuristic.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/moduleparam.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "mm_internal.h"

#define MMAP_MIN_ADDR SZ_64K
#define STACK_GAP     SZ_128M /* below the end of the address space */

static unsigned int rnd_bits;
module_param(rnd_bits, uint, 0444);

static unsigned long mmap_base(struct mm_struct *mm)
{
	unsigned long rnd = 0;

	if (mm->mmap_base)
		return mm->mmap_base;
	if (rnd_bits)
		rnd = hash_64(((u64)machine->seed << 32) + to_shim_mm(mm)->id, min(rnd_bits, 28u));
	mm->mmap_base = TASK_SIZE - STACK_GAP - (rnd << PAGE_SHIFT);
	return mm->mmap_base;
}

/* ---- where a mapping goes ------------------------------------------------------------------ */

static unsigned long unmapped_area(struct mm_struct *mm, unsigned long hint, unsigned long length)
{
	MA_STATE(mas, &mm->mm_mt, 0, 0);

	if (hint) {
		hint = max(PAGE_ALIGN(hint), (unsigned long)MMAP_MIN_ADDR);
		if (hint <= TASK_SIZE - length && !find_vma_intersection(mm, hint, hint + length))
			return hint;
	}
	if (!mas_empty_area_rev(&mas, MMAP_MIN_ADDR, mmap_base(mm) - 1, length))
		return mas.last + 1 - length;
	mas_reset(&mas);
	if (!mas_empty_area(&mas, mmap_base(mm), TASK_SIZE - 1, length))
		return mas.index;
	return -ENOMEM;
}

static unsigned long place(struct mm_struct *mm, struct file *file, unsigned long addr,
			   unsigned long length, unsigned long pgoff, unsigned long flags)
{
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (!PAGE_ALIGNED(addr))
			return -EINVAL;
		if (addr > TASK_SIZE - length)
			return -ENOMEM;
		if (addr < MMAP_MIN_ADDR)
			return -EPERM;
		if ((flags & MAP_FIXED_NOREPLACE) && find_vma_intersection(mm, addr, addr + length))
			return -EEXIST;
		return addr;
	}
	if (file && file->f_op->get_unmapped_area) {
		addr = file->f_op->get_unmapped_area(file, addr, length, pgoff, flags);
		return IS_ERR_VALUE(addr) || PAGE_ALIGNED(addr) ? addr : -EINVAL;
	}
	return unmapped_area(mm, addr, length);
}

/* ---- mmap ---------------------------------------------------------------------------------- */

static int file_flags(struct file *file, unsigned long flags, unsigned long prot, vm_flags_t *vm)
{
	if (!(file->f_mode & FMODE_READ))
		return -EACCES;
	if (!file->f_op->mmap)
		return -ENODEV;
	if ((flags & MAP_TYPE) == MAP_PRIVATE)
		return 0;
	if ((prot & PROT_WRITE) && !(file->f_mode & FMODE_WRITE))
		return -EACCES;
	*vm |= VM_SHARED | VM_MAYSHARE;
	if (!(file->f_mode & FMODE_WRITE))
		*vm &= ~(VM_MAYWRITE | VM_SHARED);
	return 0;
}

static int mapping_flags(struct mm_struct *mm, struct file *file, unsigned long flags,
			 unsigned long prot, vm_flags_t *vm)
{
	*vm = calc_vm_prot_bits(prot, 0) | mm->def_flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	if (flags & MAP_LOCKED)
		*vm |= VM_LOCKED;
	if (flags & MAP_NORESERVE)
		*vm |= VM_NORESERVE;
	switch (flags & MAP_TYPE) {
	case MAP_SHARED_VALIDATE:
	case MAP_SHARED:
		if (!file)
			*vm |= VM_SHARED | VM_MAYSHARE;
		break;
	case MAP_PRIVATE:
		break;
	default:
		return -EINVAL;
	}
	return file ? file_flags(file, flags, prot, vm) : 0;
}

/* What backs the new VMA. The caller releases the VMA after an error */
static int vma_back(struct vm_area_struct *vma, struct file *file)
{
	int error;

	if (!file) {
		if (vma->vm_flags & VM_SHARED)
			return shim_shared_anon_attach(vma);
		vma_set_anonymous(vma);
		vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
		return 0;
	}
	vma->vm_file = get_file(file);
	error = call_mmap(file, vma);
	if (error) {
		/* A driver may have mapped a part before it failed; its close is not called */
		zap_page_range_single(vma, vma->vm_start, vma->vm_end - vma->vm_start, NULL);
		vma->vm_ops = &vma_dummy_vm_ops;
	}
	return error;
}

static unsigned long map_region(struct mm_struct *mm, struct file *file, unsigned long addr,
				unsigned long length, vm_flags_t flags, unsigned long pgoff)
{
	struct vm_area_struct *vma;
	int error = shim_munmap_locked(mm, addr, addr + length);

	if (error)
		return error;
	if (mm->map_count >= sysctl_max_map_count)
		return -ENOMEM;
	vma = vm_area_alloc(mm);
	if (!vma)
		return -ENOMEM;
	vma->vm_start = addr;
	vma->vm_end = addr + length;
	vma->vm_pgoff = pgoff;
	vm_flags_init(vma, flags);
	vma_set_page_prot(vma);
	error = vma_back(vma, file);
	if (!error)
		error = shim_vma_insert(mm, vma);
	if (error) {
		shim_vma_release(vma);
		return error;
	}
	vma_set_page_prot(vma);
	shim_vma_merge(mm, vma);
	return addr;
}

/* The kernel's heuristic: refuse only what obviously cannot be served */
static bool overcommits(unsigned long flags, vm_flags_t vm, unsigned long length)
{
	return !(flags & MAP_NORESERVE) && (vm & VM_WRITE) &&
	       length >> PAGE_SHIFT > totalram_pages();
}

static unsigned long mmap_locked(struct mm_struct *mm, struct file *file, unsigned long addr,
				 unsigned long length, unsigned long prot, unsigned long flags,
				 unsigned long pgoff)
{
	vm_flags_t vm;
	int error = mapping_flags(mm, file, flags, prot, &vm);

	if (error)
		return error;
	if (!file && overcommits(flags, vm, length))
		return -ENOMEM;
	addr = place(mm, file, addr, length, pgoff, flags);
	return IS_ERR_VALUE(addr) ? addr : map_region(mm, file, addr, length, vm, pgoff);
}

static s64 do_mmap_file(struct file *file, const u64 args[7])
{
	struct mm_struct *mm = current->mm;
	unsigned long length = PAGE_ALIGN(args[1]), flags = args[3], addr;

	if (!args[1])
		return -EINVAL;
	if (!length || length > TASK_SIZE)
		return -ENOMEM;
	if ((args[5] >> PAGE_SHIFT) + (length >> PAGE_SHIFT) < args[5] >> PAGE_SHIFT)
		return -EOVERFLOW;
	mmap_write_lock(mm);
	addr = mmap_locked(mm, file, args[0], length, args[2], flags, args[5] >> PAGE_SHIFT);
	mmap_write_unlock(mm);
	if (!IS_ERR_VALUE(addr) && (flags & (MAP_POPULATE | MAP_LOCKED)) &&
	    (flags & (MAP_POPULATE | MAP_NONBLOCK)) != (MAP_POPULATE | MAP_NONBLOCK))
		shim_populate(mm, addr, addr + length);
	return (s64)addr;
}

static s64 sys_mmap(const u64 args[7])
{
	struct file *file;
	s64 result;

	if (args[5] & ~PAGE_MASK)
		return -EINVAL;
	if (args[3] & MAP_ANONYMOUS)
		return do_mmap_file(NULL, args);
	file = fget((unsigned int)args[4]);
	if (!file)
		return -EBADF;
	result = do_mmap_file(file, args);
	fput(file);
	return result;
}

/* ---- munmap, mprotect ---------------------------------------------------------------------- */

static bool bad_range(unsigned long start, unsigned long length)
{
	return !PAGE_ALIGNED(start) || start > TASK_SIZE || length > TASK_SIZE - start;
}

static s64 sys_munmap(const u64 args[7])
{
	struct mm_struct *mm = current->mm;
	unsigned long length = PAGE_ALIGN(args[1]);
	int error;

	if (!length || bad_range(args[0], length))
		return -EINVAL;
	mmap_write_lock(mm);
	error = shim_munmap_locked(mm, args[0], args[0] + length);
	mmap_write_unlock(mm);
	return error;
}

static int mprotect_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start,
			unsigned long end, vm_flags_t access)
{
	vm_flags_t flags = (vma->vm_flags & ~VM_ACCESS_FLAGS) | access;
	int error;

	start = max(start, vma->vm_start);
	end = min(end, vma->vm_end);
	if ((flags & ~(flags >> 4)) & VM_ACCESS_FLAGS)
		return -EACCES;
	if (vma->vm_ops && vma->vm_ops->mprotect) {
		error = vma->vm_ops->mprotect(vma, start, end, flags);
		if (error)
			return error;
	}
	if (flags == vma->vm_flags)
		return 0;
	error = shim_vma_split_at(mm, start, end);
	if (error)
		return error;
	vma = vma_lookup(mm, start);
	vm_flags_reset(vma, flags);
	vma_set_page_prot(vma);
	shim_protect_range(vma, start, end, flags);
	shim_vma_merge(mm, vma);
	return 0;
}

static int mprotect_locked(struct mm_struct *mm, unsigned long start, unsigned long end,
			   vm_flags_t access)
{
	while (start < end) {
		struct vm_area_struct *vma = vma_lookup(mm, start);
		unsigned long next;
		int error;

		shim_charge_ns(kparams.vma_ns);
		if (!vma)
			return -ENOMEM;
		next = vma->vm_end;
		error = mprotect_vma(mm, vma, start, end, access);
		if (error)
			return error;
		start = next;
	}
	return 0;
}

static s64 sys_mprotect(const u64 args[7])
{
	struct mm_struct *mm = current->mm;
	unsigned long length = PAGE_ALIGN(args[1]);
	int error;

	if (!PAGE_ALIGNED(args[0]) || (args[2] & ~(u64)(PROT_READ | PROT_WRITE | PROT_EXEC)))
		return -EINVAL;
	if (args[0] > TASK_SIZE || length > TASK_SIZE - args[0] || (args[1] && !length))
		return -ENOMEM;
	mmap_write_lock(mm);
	error = mprotect_locked(mm, args[0], args[0] + length, calc_vm_prot_bits(args[2], 0));
	mmap_write_unlock(mm);
	return error;
}

/* ---- mremap -------------------------------------------------------------------------------- */

static unsigned long move_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long from,
			      unsigned long old_length, unsigned long to, unsigned long new_length)
{
	struct vm_area_struct *moved;
	int error;

	/* The driver may refuse that its region is moved */
	if (vma->vm_ops && vma->vm_ops->mremap) {
		error = vma->vm_ops->mremap(vma);
		if (error)
			return error;
	}
	moved = shim_vma_dup(vma, mm);
	if (!moved)
		return -ENOMEM;
	moved->vm_pgoff += (from - vma->vm_start) >> PAGE_SHIFT;
	if (vma_is_anonymous(moved))
		moved->vm_pgoff = to >> PAGE_SHIFT;
	moved->vm_start = to;
	moved->vm_end = to + new_length;
	error = shim_vma_insert(mm, moved);
	if (error) {
		shim_vma_release(moved);
		return error;
	}
	error = shim_move_range(moved, from, to, old_length);
	if (error) {
		/* The old tables are still there: going back needs no memory */
		shim_move_range(moved, to, from, old_length);
		shim_munmap_locked(mm, to, to + new_length);
		return error;
	}
	error = shim_munmap_locked(mm, from, from + old_length);
	return error ? error : to;
}

static unsigned long grow_in_place(struct mm_struct *mm, struct vm_area_struct *vma,
				   unsigned long start, unsigned long length)
{
	struct vm_area_struct *more;
	unsigned long end = vma->vm_end;
	int error;

	more = shim_vma_dup(vma, mm);
	if (!more)
		return -ENOMEM;
	more->vm_pgoff += vma_pages(vma);
	more->vm_start = end;
	more->vm_end = start + length;
	error = shim_vma_insert(mm, more);
	if (error) {
		shim_vma_release(more);
		return error;
	}
	shim_vma_merge(mm, more);
	return start;
}

static unsigned long mremap_grow(struct mm_struct *mm, struct vm_area_struct *vma,
				 unsigned long start, unsigned long old_length,
				 unsigned long new_length, unsigned long flags)
{
	unsigned long end = start + old_length, to;

	if (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP))
		return -EFAULT;
	if (end == vma->vm_end && new_length <= TASK_SIZE - start &&
	    !find_vma_intersection(mm, end, start + new_length))
		return grow_in_place(mm, vma, start, new_length);
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	to = unmapped_area(mm, 0, new_length);
	return IS_ERR_VALUE(to) ? to : move_vma(mm, vma, start, old_length, to, new_length);
}

static unsigned long mremap_fixed(struct mm_struct *mm, unsigned long start,
				  unsigned long old_length, unsigned long new_length,
				  unsigned long to)
{
	struct vm_area_struct *vma;
	int error;

	if (bad_range(to, new_length) || (start < to + new_length && to < start + old_length))
		return -EINVAL;
	error = shim_munmap_locked(mm, to, to + new_length);
	if (!error && old_length > new_length) {
		error = shim_munmap_locked(mm, start + new_length, start + old_length);
		old_length = new_length;
	}
	if (error)
		return error;
	vma = vma_lookup(mm, start);
	if (!vma || old_length > vma->vm_end - start)
		return -EFAULT;
	if (new_length > old_length && (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP)))
		return -EFAULT;
	return move_vma(mm, vma, start, old_length, to, new_length);
}

static unsigned long mremap_locked(struct mm_struct *mm, unsigned long start,
				   unsigned long old_length, unsigned long new_length,
				   unsigned long flags, unsigned long to)
{
	struct vm_area_struct *vma = vma_lookup(mm, start);
	int error;

	shim_charge_ns(kparams.vma_ns);
	if (!vma)
		return -EFAULT;
	if (flags & MREMAP_FIXED)
		return mremap_fixed(mm, start, old_length, new_length, to);
	if (old_length >= new_length) {
		error = old_length == new_length
				? 0
				: shim_munmap_locked(mm, start + new_length, start + old_length);
		return error ? error : start;
	}
	if (!old_length || old_length > vma->vm_end - start)
		return old_length ? -EFAULT : -EINVAL;
	return mremap_grow(mm, vma, start, old_length, new_length, flags);
}

static s64 sys_mremap(const u64 args[7])
{
	struct mm_struct *mm = current->mm;
	unsigned long old_length = PAGE_ALIGN(args[1]), new_length = PAGE_ALIGN(args[2]);
	unsigned long flags = args[3], result;

	if ((flags & ~(unsigned long)(MREMAP_MAYMOVE | MREMAP_FIXED)) || !new_length ||
	    ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)) || bad_range(args[0], old_length))
		return -EINVAL;
	mmap_write_lock(mm);
	result = mremap_locked(mm, args[0], old_length, new_length, flags, args[4]);
	mmap_write_unlock(mm);
	return (s64)result;
}

/* ---- madvise, mincore, brk ----------------------------------------------------------------- */

static int madvise_dontneed(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	unsigned long at = start;
	int error = 0;

	mmap_read_lock(mm);
	VMA_ITERATOR(vmi, mm, start);
	for_each_vma_range(vmi, vma, end)
	{
		if (vma->vm_start > at)
			error = -ENOMEM; /* unmapped parts are skipped, but told */
		if (vma->vm_flags & (VM_LOCKED | VM_PFNMAP)) {
			error = -EINVAL;
			break;
		}
		at = min(end, vma->vm_end);
		zap_page_range_single(vma, max(start, vma->vm_start),
				      at - max(start, vma->vm_start), NULL);
	}
	mmap_read_unlock(mm);
	return at < end && !error ? -ENOMEM : error;
}

static int madvise_flags(struct mm_struct *mm, unsigned long start, unsigned long end,
			 vm_flags_t set, vm_flags_t clear)
{
	int error = 0;

	mmap_write_lock(mm);
	while (start < end && !error) {
		struct vm_area_struct *vma = vma_lookup(mm, start);
		unsigned long next;

		error = -ENOMEM;
		if (!vma)
			break;
		next = min(end, vma->vm_end);
		error = -EINVAL;
		/* A driver's mapping keeps the inheritance that the driver chose */
		if ((clear & VM_DONTCOPY) && (vma->vm_flags & VM_IO))
			break;
		if ((set & VM_WIPEONFORK) && (vma->vm_file || (vma->vm_flags & VM_SHARED)))
			break;
		error = shim_vma_split_at(mm, start, next);
		if (error)
			break;
		vma = vma_lookup(mm, start);
		vm_flags_mod(vma, set, clear);
		shim_vma_merge(mm, vma);
		start = next;
	}
	mmap_write_unlock(mm);
	return error;
}

static s64 sys_madvise(const u64 args[7])
{
	struct mm_struct *mm = current->mm;
	unsigned long start = args[0], end = start + PAGE_ALIGN(args[1]);

	if (!PAGE_ALIGNED(start) || end < start || end > TASK_SIZE)
		return -EINVAL;
	switch (args[2]) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
		return 0;
	case MADV_DONTNEED:
		return madvise_dontneed(mm, start, end);
	case MADV_WILLNEED:
	case MADV_POPULATE_WRITE:
		shim_populate(mm, start, end);
		return 0;
	case MADV_DONTFORK:
		return madvise_flags(mm, start, end, VM_DONTCOPY, 0);
	case MADV_DOFORK:
		return madvise_flags(mm, start, end, 0, VM_DONTCOPY);
	case MADV_WIPEONFORK:
		return madvise_flags(mm, start, end, VM_WIPEONFORK, 0);
	case MADV_KEEPONFORK:
		return madvise_flags(mm, start, end, 0, VM_WIPEONFORK);
	default:
		return -EINVAL;
	}
}

static s64 sys_mincore(const u64 args[7])
{
	struct mm_struct *mm = current->mm;
	unsigned long start = args[0], end = start + PAGE_ALIGN(args[1]), va;
	unsigned char __user *out = (unsigned char __user *)args[2];

	if (!PAGE_ALIGNED(start))
		return -EINVAL;
	if (end < start || end > TASK_SIZE)
		return -ENOMEM;
	for (va = start; va < end; va += PAGE_SIZE) {
		unsigned char resident;
		bool mapped;

		mmap_read_lock(mm);
		mapped = vma_lookup(mm, va);
		resident = shim_peek_va(mm, va) != ~0ULL;
		mmap_read_unlock(mm);
		if (!mapped)
			return -ENOMEM;
		if (copy_to_user(out++, &resident, 1))
			return -EFAULT;
	}
	return 0;
}

/* The break that is in force; there is no heap to move it in */
static s64 sys_brk(const u64 args[7])
{
	return (s64)current->mm->brk;
}

#define NR_BRK	    214
#define NR_MUNMAP   215
#define NR_MREMAP   216
#define NR_MMAP	    222
#define NR_MPROTECT 226
#define NR_MINCORE  232
#define NR_MADVISE  233

const struct shim_syscall shim_syscalls_mm[] = {
	{NR_BRK, "brk", sys_brk},
	{NR_MUNMAP, "munmap", sys_munmap},
	{NR_MREMAP, "mremap", sys_mremap},
	{NR_MMAP, "mmap", sys_mmap},
	{NR_MPROTECT, "mprotect", sys_mprotect},
	{NR_MINCORE, "mincore", sys_mincore},
	{NR_MADVISE, "madvise", sys_madvise},
	{0, NULL, NULL},
};
