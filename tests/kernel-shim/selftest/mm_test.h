/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the self-tests of memory management: a process's address space worn by the task that runs the
 * tests, the system calls by number, and a load/store unit that translates by the page table and
 * takes page faults as a CPU does.
 */
#ifndef TESTS_KERNEL_SHIM_SELFTEST_MM_TEST_H
#define TESTS_KERNEL_SHIM_SELFTEST_MM_TEST_H

#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

#include "../../../kernel-shim/mm/mm_internal.h"

#define PAGES(n)   ((u64)(n)*PAGE_SIZE)
#define ANON	   (MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_WRITE (PROT_READ | PROT_WRITE)

enum { NR_munmap = 215, NR_mremap = 216, NR_mmap = 222, NR_mprotect = 226, NR_madvise = 233 };

static inline void __maybe_unused wear_mm(struct mm_struct *mm)
{
	task_lock(current);
	current->mm = mm;
	task_unlock(current);
	shim_mm_switch(mm);
}

/* Ends the address space as a process's exit does */
static inline void __maybe_unused drop_mm(struct mm_struct *mm)
{
	wear_mm(NULL);
	mmput(mm);
}

static inline s64 __maybe_unused mm_syscall(u32 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	const u64 args[7] = {a, b, c, d, e, f, 0};
	const struct shim_syscall *call;

	for (call = shim_syscalls_mm; call->name; call++)
		if (call->number == number)
			return call->fn(args);
	return -ENOSYS;
}

static inline u64 __maybe_unused map_anon(u64 pages)
{
	return (u64)mm_syscall(NR_mmap, 0, PAGES(pages), READ_WRITE, ANON, (u64)-1, 0);
}

static inline bool __maybe_unused pte_allows(struct mm_struct *mm, u64 va, bool write)
{
	spinlock_t *ptl;
	u64 *pte = shim_pte_find(mm, va, &ptl);

	return pte && (*pte & PTD_VALID) && !(write && (*pte & PTD_AP_RDONLY));
}

/* The byte at va in simulated RAM, faulted in as by the current task's CPU; NULL: no access */
static inline u8 *__maybe_unused user_byte(struct mm_struct *mm, u64 va, bool write)
{
	int tries;

	for (tries = 0; tries < 3; tries++) {
		if (pte_allows(mm, va, write))
			return __va(shim_peek_va(mm, va));
		if (shim_mm_page_fault(va, write ? KI_WRITE : KI_READ))
			return NULL;
	}
	return NULL;
}

static inline bool __maybe_unused user_store(struct mm_struct *mm, u64 va, u8 value)
{
	u8 *byte = user_byte(mm, va, true);

	if (byte)
		*byte = value;
	return byte;
}

/* -1: no access */
static inline int __maybe_unused user_load(struct mm_struct *mm, u64 va)
{
	u8 *byte = user_byte(mm, va, false);

	return byte ? *byte : -1;
}

static inline int __maybe_unused page_refs(struct mm_struct *mm, u64 va)
{
	return page_count(pfn_to_page(shim_peek_va(mm, va) >> PAGE_SHIFT));
}

/* Pages that are allocated now */
static inline u64 __maybe_unused pages_in_use(void)
{
	return kcounters.pages_allocated - kcounters.pages_freed;
}

#endif
