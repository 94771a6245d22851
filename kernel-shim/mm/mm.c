// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: the life of an mm_struct from allocation or fork over its last user (exit_mmap,
 * with the mmu notifiers' release first) to its last reference, and boot of memory management as a
 * whole.
 */
#include <linux/init.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "mm_internal.h"

pgd_t swapper_pg_dir[PTRS_PER_PGD];

/* Kernel threads run on it: no user mapping ever appears here */
struct mm_struct init_mm = {
	.mm_mt = MTREE_INIT_EXT(mm_mt, MM_MT_FLAGS, init_mm.mmap_lock),
	.pgd = swapper_pg_dir,
	.mm_users = ATOMIC_INIT(2),
	.mm_count = ATOMIC_INIT(1),
	.write_protect_seq = SEQCNT_ZERO(init_mm.write_protect_seq),
	MMAP_LOCK_INITIALIZER(init_mm).page_table_lock =
		__SPIN_LOCK_UNLOCKED(init_mm.page_table_lock),
	.arg_lock = __SPIN_LOCK_UNLOCKED(init_mm.arg_lock),
	.mmlist = LIST_HEAD_INIT(init_mm.mmlist),
};

static struct kmem_cache *mm_cache;
static LIST_HEAD(all_mms);
static unsigned int next_mm_id = 1;

struct mm_struct *shim_mm_alloc(void)
{
	struct shim_mm *smm = kmem_cache_zalloc(mm_cache, GFP_KERNEL);
	struct mm_struct *mm;

	if (!smm)
		return NULL;
	mm = &smm->mm;
	mm->pgd = (pgd_t *)shim_pgd_alloc();
	if (!mm->pgd) {
		kmem_cache_free(mm_cache, smm);
		return NULL;
	}
	smm->id = next_mm_id++;
	list_add_tail(&smm->node, &all_mms);
	mt_init_flags(&mm->mm_mt, MM_MT_FLAGS);
	mt_set_external_lock(&mm->mm_mt, &mm->mmap_lock);
	atomic_set(&mm->mm_users, 1);
	atomic_set(&mm->mm_count, 1);
	seqcount_init(&mm->write_protect_seq);
	mmap_init_lock(mm);
	INIT_LIST_HEAD(&mm->mmlist);
	spin_lock_init(&mm->page_table_lock);
	spin_lock_init(&mm->arg_lock);
	mm_init_cpumask(mm);
	mm->task_size = TASK_SIZE;
	mmu_notifier_subscriptions_init(mm);
	mm_pasid_init(mm);
	shim_asid_assign(mm);
	return mm;
}

/* The last reference is gone: nobody looks at the page tables any more */
void __mmdrop(struct mm_struct *mm)
{
	struct shim_mm *smm = to_shim_mm(mm);

	mm_pasid_drop(mm);
	mmu_notifier_subscriptions_destroy(mm);
	WARN_ON(atomic_long_read(&mm->pgtables_bytes));
	shim_pgd_free((u64 *)mm->pgd);
	list_del(&smm->node);
	kmem_cache_free(mm_cache, smm);
}

/* Devices stop using the address space before its pages go */
void exit_mmap(struct mm_struct *mm)
{
	mmu_notifier_release(mm);
	mmap_write_lock(mm);
	shim_unmap_all(mm);
	__mt_destroy(&mm->mm_mt);
	mmap_write_unlock(mm);
}

void mmput(struct mm_struct *mm)
{
	might_sleep();
	if (!atomic_dec_and_test(&mm->mm_users))
		return;
	exit_mmap(mm);
	mmdrop(mm);
}

struct mm_struct *get_task_mm(struct task_struct *task)
{
	struct mm_struct *mm;

	if (task->flags & PF_KTHREAD)
		return NULL;
	task_lock(task);
	mm = task->mm;
	if (mm)
		mmget(mm);
	task_unlock(task);
	return mm;
}

void shim_exit_mm(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	if (!mm)
		return;
	/* The CPU may go on with these tables until it switches: the mm stays until then */
	mmgrab(mm);
	task_lock(task);
	task->mm = NULL;
	task->active_mm = NULL;
	task_unlock(task);
	shim_mm_switch(NULL);
	mmput(mm);
	mmdrop(mm);
}

struct mm_struct *shim_mm_fork(struct mm_struct *parent)
{
	struct mm_struct *child = shim_mm_alloc();
	struct vm_area_struct *vma, *copy;
	int error = 0;

	if (!child)
		return ERR_PTR(-ENOMEM);
	mmap_write_lock(parent);
	mmap_write_lock_nested(child, SINGLE_DEPTH_NESTING);
	child->mmap_base = parent->mmap_base;
	child->def_flags = parent->def_flags;
	VMA_ITERATOR(vmi, parent, 0);
	for_each_vma(vmi, vma)
	{
		if (vma->vm_flags & VM_DONTCOPY)
			continue;
		error = -ENOMEM;
		copy = shim_vma_dup(vma, child);
		if (!copy)
			break;
		vm_flags_clear(copy, VM_LOCKED_MASK);
		error = shim_vma_insert(child, copy);
		if (error) {
			shim_vma_release(copy);
			break;
		}
		if (!(vma->vm_flags & VM_WIPEONFORK))
			error = shim_copy_range(child, parent, vma);
		if (error)
			break;
	}
	mmap_write_unlock(child);
	/* The parent's CPUs and devices must not write to pages that are shared now */
	shim_flush_mm(parent);
	mmap_write_unlock(parent);
	if (error) {
		mmput(child);
		return ERR_PTR(error);
	}
	return child;
}

/* ---- boot and the end ---------------------------------------------------------------------- */

void shim_mm_init(void)
{
	shim_slab_init();
	if (mm_cache)
		return;
	mm_cache = kmem_cache_create("mm_struct", sizeof(struct shim_mm) + cpumask_size(),
				     L1_CACHE_BYTES, 0, NULL);
	shim_pgtable_init();
	shim_vma_init();
	shim_fault_init();
}

void shim_mm_baseline(void)
{
	shim_slab_drain();
	shim_slab_baseline();
	shim_page_baseline();
}

/*
 * Subsystems are up, devices are not there yet: what they allocate must be gone when they are
 * removed
 */
static int __init baseline_after_initcalls(void)
{
	shim_mm_baseline();
	return 0;
}
late_initcall_sync(baseline_after_initcalls);

int shim_mm_check_leaks(void)
{
	struct shim_mm *smm;
	int leaks = 0;

	/* What is only waiting for readers is not leaked */
	mmu_notifier_synchronize();
	rcu_barrier();
	list_for_each_entry(smm, &all_mms, node)
	{
		pr_err("leak: mm %u with %d user(s), %d reference(s), %d VMA(s)\n", smm->id,
		       atomic_read(&smm->mm.mm_users), atomic_read(&smm->mm.mm_count),
		       smm->mm.map_count);
		leaks++;
	}
	leaks += shim_zero_page_check_leaks();
	shim_slab_drain();
	leaks += shim_slab_check_leaks();
	leaks += shim_page_check_leaks();
	return leaks;
}
