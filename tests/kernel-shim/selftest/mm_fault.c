// SPDX-License-Identifier: GPL-2.0-only
/* Faults, copy-on-write, fork, exit, notifiers, page-frame maps, ASIDs, racing faults. */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>

#include "mm_test.h"

KI_SELFTEST(mm_fault_read_maps_the_zero_page_and_a_write_replaces_it)
{
	struct mm_struct *mm = shim_mm_alloc();
	u64 at, maps = kcounters.zero_page_maps, copies = kcounters.cow_copies;

	wear_mm(mm);
	at = map_anon(2);
	KI_CHECK(user_load(mm, at) == 0 && user_load(mm, at + PAGE_SIZE) == 0);
	KI_CHECK(kcounters.zero_page_maps == maps + 2);
	KI_CHECK(shim_peek_va(mm, at) == shim_peek_va(mm, at + PAGE_SIZE));
	KI_CHECK(user_store(mm, at, 3));
	KI_CHECK(shim_peek_va(mm, at) != shim_peek_va(mm, at + PAGE_SIZE));
	KI_CHECK(user_load(mm, at) == 3 && user_load(mm, at + PAGE_SIZE) == 0);
	KI_CHECK(kcounters.cow_copies == copies); /* zeroes are not copied */
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_fault_descriptor_is_what_the_architecture_asks_for)
{
	struct mm_struct *mm = shim_mm_alloc();
	spinlock_t *ptl;
	u64 at, descriptor;

	wear_mm(mm);
	at = map_anon(1);
	KI_CHECK(user_store(mm, at, 1));
	descriptor = *shim_pte_find(mm, at, &ptl);
	KI_CHECK((descriptor & PTD_PAGE) == PTD_PAGE && (descriptor & PTD_AF));
	KI_CHECK((descriptor & PTD_NG) && (descriptor & PTD_SH_INNER) == PTD_SH_INNER);
	KI_CHECK((descriptor & PTD_AP_USER) && !(descriptor & PTD_AP_RDONLY));
	KI_CHECK((descriptor & PTD_UXN) && (descriptor & PTD_PXN));
	KI_CHECK((descriptor & PTD_ADDRESS) == (shim_peek_va(mm, at) & PAGE_MASK));
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_fault_for_a_device_is_counted_apart)
{
	struct mm_struct *mm = shim_mm_alloc();
	u64 io = kcounters.io_faults, cpu = kcounters.cpu_faults;
	u64 installed = kcounters.ptes_installed_io, at;
	struct vm_area_struct *vma;

	wear_mm(mm);
	at = map_anon(1);
	wear_mm(NULL);
	mmap_read_lock(mm);
	vma = vma_lookup(mm, at);
	KI_CHECK(!handle_mm_fault(vma, at + 5, FAULT_FLAG_REMOTE | FAULT_FLAG_WRITE, NULL));
	KI_CHECK(!handle_mm_fault(vma, at + 6, FAULT_FLAG_REMOTE | FAULT_FLAG_WRITE, NULL));
	mmap_read_unlock(mm);
	KI_CHECK(kcounters.io_faults == io + 2 && kcounters.cpu_faults == cpu);
	KI_CHECK(kcounters.ptes_installed_io == installed + 1);
	KI_CHECK(pte_allows(mm, at, true));
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_fault_extra_latency_is_waited_for_by_devices_alone)
{
	struct mm_struct *mm = shim_mm_alloc();
	unsigned int extra = kparams.fault_extra_ns[KI_EXTRA_MM];
	u64 at, before, cpu_ps, io_ps;

	wear_mm(mm);
	at = map_anon(2);
	kparams.fault_extra_ns[KI_EXTRA_MM] = 50000;
	before = shim_local_time();
	KI_CHECK(user_store(mm, at, 1));
	cpu_ps = shim_local_time() - before;
	before = shim_local_time();
	mmap_read_lock(mm);
	KI_CHECK(!handle_mm_fault(vma_lookup(mm, at), at + PAGE_SIZE,
				  FAULT_FLAG_REMOTE | FAULT_FLAG_WRITE, NULL));
	mmap_read_unlock(mm);
	io_ps = shim_local_time() - before;
	kparams.fault_extra_ns[KI_EXTRA_MM] = extra;
	KI_CHECK(cpu_ps < 50000000 && io_ps >= 50000000 && io_ps < 100000000);
	KI_CHECK(shim_task(current)->mm_left - shim_task(current)->mm_entered >= 50000000);
	drop_mm(mm);
	return 0;
}

static int fork_and_write(void)
{
	struct mm_struct *parent = shim_mm_alloc(), *child;
	u64 at, copies = kcounters.cow_copies;

	wear_mm(parent);
	at = map_anon(3);
	KI_CHECK(user_store(parent, at, 1) && user_store(parent, at + PAGE_SIZE, 2));
	KI_CHECK(user_load(parent, at + PAGES(2)) == 0);
	child = shim_mm_fork(parent);
	KI_CHECK(!IS_ERR(child));
	KI_CHECK(page_refs(parent, at) == 2 && !pte_allows(parent, at, true));
	KI_CHECK(user_store(parent, at, 11));
	wear_mm(child);
	KI_CHECK(user_load(child, at) == 1 && user_load(child, at + PAGE_SIZE) == 2);
	/* The last one that has the old page takes it */
	KI_CHECK(user_store(child, at, 21));
	KI_CHECK(kcounters.cow_copies == copies + 1);
	KI_CHECK(user_store(child, at + PAGE_SIZE, 22) && user_store(child, at + PAGES(2), 23));
	wear_mm(parent);
	KI_CHECK(user_load(parent, at) == 11 && user_load(parent, at + PAGE_SIZE) == 2);
	KI_CHECK(user_load(parent, at + PAGES(2)) == 0);
	KI_CHECK(page_refs(parent, at + PAGE_SIZE) == 1);
	drop_mm(parent);
	wear_mm(child);
	KI_CHECK(user_load(child, at) == 21 && user_load(child, at + PAGE_SIZE) == 22);
	drop_mm(child);
	/* Maple nodes wait for readers, and slabs for their last object */
	rcu_barrier();
	shim_slab_drain();
	return 0;
}

KI_SELFTEST(mm_fork_parent_and_child_write_their_own_copies)
{
	u64 in_use;
	int line = fork_and_write();

	if (line)
		return line;
	in_use = pages_in_use();
	line = fork_and_write();
	if (line)
		return line;
	KI_CHECK(pages_in_use() == in_use);
	return 0;
}

KI_SELFTEST(mm_fork_honours_shared_dontfork_and_wipeonfork)
{
	struct mm_struct *parent = shim_mm_alloc(), *child;
	u64 shared, kept, wiped;

	wear_mm(parent);
	shared = (u64)mm_syscall(NR_mmap, 0, PAGES(2), READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
				 0);
	kept = map_anon(1);
	wiped = map_anon(1);
	KI_CHECK(user_store(parent, shared, 1) && user_store(parent, kept, 2) &&
		 user_store(parent, wiped, 3));
	KI_CHECK(!mm_syscall(NR_madvise, kept, PAGE_SIZE, MADV_DONTFORK, 0, 0, 0));
	KI_CHECK(!mm_syscall(NR_madvise, wiped, PAGE_SIZE, MADV_WIPEONFORK, 0, 0, 0));
	child = shim_mm_fork(parent);
	wear_mm(child);
	KI_CHECK(user_load(child, shared) == 1);
	KI_CHECK(user_store(child, shared, 5) && user_store(child, shared + PAGE_SIZE, 6));
	KI_CHECK(user_load(child, kept) == -1 && user_load(child, wiped) == 0);
	drop_mm(child);
	wear_mm(parent);
	KI_CHECK(user_load(parent, shared) == 5 && user_load(parent, shared + PAGE_SIZE) == 6);
	KI_CHECK(user_load(parent, kept) == 2 && user_load(parent, wiped) == 3);
	drop_mm(parent);
	return 0;
}

/* ---- notifiers ----------------------------------------------------------------------------- */

struct watcher {
	struct mmu_notifier notifier;
	unsigned long start, end; /* of the last invalidation */
	unsigned int invalidations, releases;
};

static void watch_invalidate(struct mmu_notifier *notifier, struct mm_struct *mm,
			     unsigned long start, unsigned long end)
{
	struct watcher *watcher = container_of(notifier, struct watcher, notifier);

	watcher->start = start;
	watcher->end = end;
	watcher->invalidations++;
}

static void watch_release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	container_of(notifier, struct watcher, notifier)->releases++;
}

static const struct mmu_notifier_ops watch_ops = {
	.arch_invalidate_secondary_tlbs = watch_invalidate,
	.release = watch_release,
};

KI_SELFTEST(mm_notifier_sees_every_right_that_is_lost)
{
	struct watcher watcher = {.notifier.ops = &watch_ops};
	struct mm_struct *mm = shim_mm_alloc(), *child;
	unsigned int seen;
	u64 at;

	wear_mm(mm);
	KI_CHECK(!mmu_notifier_register(&watcher.notifier, mm));
	at = map_anon(4);
	KI_CHECK(user_store(mm, at, 1) && user_store(mm, at + PAGE_SIZE, 2));
	KI_CHECK(!watcher.invalidations);
	KI_CHECK(!mm_syscall(NR_mprotect, at, PAGE_SIZE, PROT_READ, 0, 0, 0));
	KI_CHECK(watcher.invalidations == 1 && watcher.start <= at && watcher.end > at);
	child = shim_mm_fork(mm);
	seen = watcher.invalidations;
	KI_CHECK(seen == 2);
	KI_CHECK(user_store(mm, at + PAGE_SIZE, 3)); /* copy-on-write */
	KI_CHECK(watcher.invalidations == seen + 1 && watcher.start == at + PAGE_SIZE &&
		 watcher.end == at + PAGES(2));
	KI_CHECK(!mm_syscall(NR_munmap, at + PAGE_SIZE, PAGE_SIZE, 0, 0, 0, 0));
	KI_CHECK(watcher.invalidations == seen + 2 && watcher.start == at + PAGE_SIZE);
	KI_CHECK(!mm_syscall(NR_munmap, at + PAGES(2), PAGES(2), 0, 0, 0, 0));
	KI_CHECK(watcher.invalidations == seen + 2); /* nothing was there */
	mmgrab(mm);
	drop_mm(mm);
	KI_CHECK(watcher.releases == 1);
	mmu_notifier_unregister(&watcher.notifier, mm);
	mmdrop(mm);
	drop_mm(child);
	return 0;
}

/* ---- page-frame maps ----------------------------------------------------------------------- */

static struct vm_area_struct *device_vma(struct mm_struct *mm, u64 at, u64 pages)
{
	struct vm_area_struct *vma = vm_area_alloc(mm);

	vma->vm_start = at;
	vma->vm_end = at + PAGES(pages);
	vm_flags_init(vma, VM_READ | VM_WRITE | VM_SHARED | VM_MAYREAD | VM_MAYWRITE);
	return vma;
}

KI_SELFTEST(mm_pfn_map_of_registers_is_device_memory_without_references)
{
	struct mm_struct *mm = shim_mm_alloc();
	unsigned long pfn = (machine->ram_base + machine->ram_bytes + SZ_1M) >> PAGE_SHIFT;
	struct vm_area_struct *vma;
	u64 at = 1ULL << 40;
	spinlock_t *ptl;

	wear_mm(mm);
	mmap_write_lock(mm);
	vma = device_vma(mm, at, 2);
	KI_CHECK(!remap_pfn_range(vma, at, pfn, PAGES(2), vma->vm_page_prot));
	KI_CHECK(remap_pfn_range(vma, at, pfn, PAGES(3), vma->vm_page_prot) == -EINVAL);
	KI_CHECK(!shim_vma_insert(mm, vma));
	mmap_write_unlock(mm);
	KI_CHECK(shim_peek_va(mm, at + PAGE_SIZE) == PFN_PHYS(pfn + 1));
	KI_CHECK(((*shim_pte_find(mm, at, &ptl) >> 2) & 7) == MAIR_DEVICE_nGnRE);
	KI_CHECK(mm_syscall(NR_mremap, at, PAGES(2), PAGES(4), MREMAP_MAYMOVE, 0, 0) == -EFAULT);
	KI_CHECK(!mm_syscall(NR_munmap, at, PAGES(2), 0, 0, 0, 0));
	KI_CHECK(shim_peek_va(mm, at) == ~0ULL);
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_inserted_page_is_held_until_it_is_unmapped)
{
	struct mm_struct *mm = shim_mm_alloc();
	struct page *page = alloc_page(GFP_KERNEL);
	struct vm_area_struct *vma;
	u64 at = 1ULL << 40;

	wear_mm(mm);
	mmap_write_lock(mm);
	vma = device_vma(mm, at, 1);
	KI_CHECK(!vm_insert_page(vma, at, page));
	KI_CHECK(vm_insert_page(vma, at, page) == -EBUSY);
	KI_CHECK(!shim_vma_insert(mm, vma));
	mmap_write_unlock(mm);
	KI_CHECK(page_count(page) == 2);
	KI_CHECK(user_store(mm, at + 3, 77) && ((u8 *)page_address(page))[3] == 77);
	drop_mm(mm);
	KI_CHECK(page_count(page) == 1);
	put_page(page);
	return 0;
}

KI_SELFTEST(mm_unmapping_a_file_takes_it_from_every_process)
{
	static struct address_space mapping;
	static struct file file = {.f_mapping = &mapping};
	struct mm_struct *parent = shim_mm_alloc(), *child;
	struct watcher watcher = {.notifier.ops = &watch_ops};
	struct vm_area_struct *vma;
	u64 at = 1ULL << 40;

	init_rwsem(&mapping.i_mmap_rwsem);
	atomic_long_set(&file.f_count, 100);
	wear_mm(parent);
	mmap_write_lock(parent);
	vma = device_vma(parent, at, 4);
	vma->vm_file = get_file(&file);
	KI_CHECK(!remap_pfn_range(vma, at, page_to_pfn(ZERO_PAGE(0)) + 1, PAGES(4),
				  vma->vm_page_prot));
	KI_CHECK(!shim_vma_insert(parent, vma));
	mmap_write_unlock(parent);
	child = shim_mm_fork(parent);
	KI_CHECK(!mmu_notifier_register(&watcher.notifier, parent));
	KI_CHECK(!mm_syscall(NR_munmap, at + PAGE_SIZE, PAGE_SIZE, 0, 0, 0, 0));
	unmap_mapping_range(&mapping, PAGES(2), PAGES(1), 1);
	KI_CHECK(shim_peek_va(parent, at) != ~0ULL && shim_peek_va(child, at) != ~0ULL);
	KI_CHECK(shim_peek_va(parent, at + PAGES(2)) == ~0ULL);
	KI_CHECK(shim_peek_va(child, at + PAGES(2)) == ~0ULL);
	KI_CHECK(watcher.start == at + PAGES(2) && watcher.end == at + PAGES(3));
	unmap_mapping_range(&mapping, 0, 0, 1);
	KI_CHECK(shim_peek_va(parent, at + PAGES(3)) == ~0ULL);
	KI_CHECK(shim_peek_va(child, at) == ~0ULL);
	/* The VMA stays; nothing gives its pages back */
	KI_CHECK(vma_lookup(parent, at) && user_load(parent, at) == -1);
	mmu_notifier_unregister(&watcher.notifier, parent);
	drop_mm(parent);
	drop_mm(child);
	KI_CHECK(RB_EMPTY_ROOT(&mapping.i_mmap.rb_root));
	KI_CHECK(atomic_long_read(&file.f_count) == 100);
	return 0;
}

KI_SELFTEST(mm_asid_rollover_keeps_what_runs)
{
	struct mm_struct *running = shim_mm_alloc(), *other = shim_mm_alloc();
	unsigned int asid, i, seen = 0;

	wear_mm(running);
	asid = shim_mm_asid(running);
	KI_CHECK(asid && shim_mm_asid(other) && asid != shim_mm_asid(other));
	for (i = 0; i < 1u << machine->asid_bits; i++) {
		shim_asid_assign(other);
		seen += shim_mm_asid(other) == asid;
	}
	KI_CHECK(!seen && shim_mm_asid(running) == asid);
	drop_mm(running);
	drop_mm(other);
	return 0;
}

/* ---- races --------------------------------------------------------------------------------- */

#define RACERS	   4
#define RACE_PAGES 64

struct race {
	struct mm_struct *mm;
	u64 at;
	int failed;
	struct completion done[RACERS];
	unsigned int next;
};

static int race_thread(void *arg)
{
	struct race *race = arg;
	unsigned int me = race->next++, i;

	for (i = 0; i < RACE_PAGES; i++) {
		u64 va = race->at + PAGES(i);

		mmap_read_lock(race->mm);
		if (handle_mm_fault(vma_lookup(race->mm, va), va,
				    FAULT_FLAG_REMOTE | FAULT_FLAG_WRITE, NULL))
			race->failed++;
		mmap_read_unlock(race->mm);
	}
	complete(&race->done[me]);
	return 0;
}

KI_SELFTEST(mm_race_on_a_page_installs_it_once)
{
	struct race race = {.mm = shim_mm_alloc()};
	u64 installed;
	unsigned int i;

	wear_mm(race.mm);
	race.at = map_anon(RACE_PAGES);
	KI_CHECK(user_store(race.mm, race.at, 1));
	KI_CHECK(!mm_syscall(NR_madvise, race.at, PAGE_SIZE, MADV_DONTNEED, 0, 0, 0));
	wear_mm(NULL);
	installed = kcounters.ptes_installed_io;
	for (i = 0; i < RACERS; i++)
		init_completion(&race.done[i]);
	for (i = 0; i < RACERS; i++)
		kthread_run(race_thread, &race, "racer%u", i);
	for (i = 0; i < RACERS; i++)
		wait_for_completion(&race.done[i]);
	KI_CHECK(!race.failed);
	KI_CHECK(kcounters.ptes_installed_io == installed + RACE_PAGES);
	for (i = 0; i < RACE_PAGES; i++)
		KI_CHECK(page_refs(race.mm, race.at + PAGES(i)) == 1);
	drop_mm(race.mm);
	return 0;
}
