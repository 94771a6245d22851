// SPDX-License-Identifier: GPL-2.0-only
/* The system calls on address spaces: where mappings go, splitting and merging, rights, errors. */
#include "mm_test.h"

KI_SELFTEST(mm_map_places_from_the_top_down_at_the_same_address)
{
	struct mm_struct *mm = shim_mm_alloc();
	u64 first, second;

	wear_mm(mm);
	first = map_anon(4);
	second = map_anon(4);
	KI_CHECK(first + PAGES(4) == TASK_SIZE - SZ_128M);
	KI_CHECK(second == first - PAGES(4));
	KI_CHECK(mm->map_count == 1); /* neighbours that do not differ are one */
	KI_CHECK(!mm_syscall(NR_munmap, second, PAGES(8), 0, 0, 0, 0));
	KI_CHECK(map_anon(4) == first);
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_map_refuses_what_is_wrong)
{
	static const struct {
		u64 addr, length, prot, flags, fd, offset;
		s64 error;
	} cases[] = {
		{0, 0, READ_WRITE, ANON, -1, 0, -EINVAL},
		{0, PAGE_SIZE, READ_WRITE, MAP_ANONYMOUS, -1, 0, -EINVAL},
		{0, PAGE_SIZE, READ_WRITE, ANON, -1, 17, -EINVAL},
		{0, 1ULL << 48, READ_WRITE, ANON | MAP_NORESERVE, -1, 0, -ENOMEM},
		{0, ~0ULL, READ_WRITE, ANON, -1, 0, -ENOMEM},
		{0x100001, PAGE_SIZE, READ_WRITE, ANON | MAP_FIXED, -1, 0, -EINVAL},
		{0, PAGE_SIZE, READ_WRITE, ANON | MAP_FIXED, -1, 0, -EPERM},
		{(1ULL << 48) - PAGE_SIZE, 2 * PAGE_SIZE, READ_WRITE, ANON | MAP_FIXED, -1, 0,
		 -ENOMEM},
	};
	struct mm_struct *mm = shim_mm_alloc();
	unsigned int i;

	wear_mm(mm);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KI_CHECK(mm_syscall(NR_mmap, cases[i].addr, cases[i].length, cases[i].prot,
				    cases[i].flags, cases[i].fd,
				    cases[i].offset) == cases[i].error);
	KI_CHECK(mm_syscall(NR_munmap, 17, PAGE_SIZE, 0, 0, 0, 0) == -EINVAL);
	KI_CHECK(mm_syscall(NR_munmap, 0x100000, 0, 0, 0, 0, 0) == -EINVAL);
	KI_CHECK(mm_syscall(NR_mprotect, 0x100000, PAGE_SIZE, PROT_READ, 0, 0, 0) == -ENOMEM);
	KI_CHECK(mm_syscall(NR_madvise, 0x100000, PAGE_SIZE, 99, 0, 0, 0) == -EINVAL);
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_map_fixed_replaces_unless_told_not_to)
{
	struct mm_struct *mm = shim_mm_alloc();
	u64 at;

	wear_mm(mm);
	at = map_anon(4);
	KI_CHECK(user_store(mm, at + PAGES(1), 7));
	KI_CHECK(mm_syscall(NR_mmap, at + PAGES(1), PAGE_SIZE, READ_WRITE,
			    ANON | MAP_FIXED_NOREPLACE, -1, 0) == -EEXIST);
	KI_CHECK(mm_syscall(NR_mmap, at + PAGES(1), PAGE_SIZE, READ_WRITE, ANON | MAP_FIXED, -1,
			    0) == (s64)(at + PAGES(1)));
	KI_CHECK(user_load(mm, at + PAGES(1)) == 0);
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_map_unmapping_the_middle_splits)
{
	struct mm_struct *mm = shim_mm_alloc();
	u64 at, i;

	wear_mm(mm);
	at = map_anon(5);
	for (i = 0; i < 5; i++)
		KI_CHECK(user_store(mm, at + PAGES(i), (u8)(i + 1)));
	KI_CHECK(!mm_syscall(NR_munmap, at + PAGES(2), PAGE_SIZE, 0, 0, 0, 0));
	KI_CHECK(mm->map_count == 2);
	KI_CHECK(shim_peek_va(mm, at + PAGES(2)) == ~0ULL);
	KI_CHECK(user_load(mm, at + PAGES(2)) == -1);
	KI_CHECK(user_load(mm, at + PAGES(1)) == 2 && user_load(mm, at + PAGES(3)) == 4);
	KI_CHECK(mm_syscall(NR_mmap, at + PAGES(2), PAGE_SIZE, READ_WRITE, ANON | MAP_FIXED, -1,
			    0) == (s64)(at + PAGES(2)));
	KI_CHECK(mm->map_count == 1);
	KI_CHECK(user_load(mm, at + PAGES(2)) == 0);
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_map_protection_is_what_the_table_says)
{
	struct mm_struct *mm = shim_mm_alloc();
	u64 at;

	wear_mm(mm);
	at = map_anon(3);
	KI_CHECK(user_store(mm, at + PAGES(1), 9));
	KI_CHECK(!mm_syscall(NR_mprotect, at + PAGES(1), PAGE_SIZE, PROT_READ, 0, 0, 0));
	KI_CHECK(mm->map_count == 3);
	KI_CHECK(!pte_allows(mm, at + PAGES(1), true));
	KI_CHECK(!user_store(mm, at + PAGES(1), 1));
	KI_CHECK(user_load(mm, at + PAGES(1)) == 9);
	KI_CHECK(!mm_syscall(NR_mprotect, at + PAGES(1), PAGE_SIZE, PROT_NONE, 0, 0, 0));
	KI_CHECK(user_load(mm, at + PAGES(1)) == -1);
	KI_CHECK(!mm_syscall(NR_mprotect, at, PAGES(3), READ_WRITE, 0, 0, 0));
	KI_CHECK(mm->map_count == 1);
	KI_CHECK(user_load(mm, at + PAGES(1)) == 9);
	KI_CHECK(user_store(mm, at + PAGES(1), 10));
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_map_mremap_grows_moves_and_shrinks)
{
	struct mm_struct *mm = shim_mm_alloc();
	u64 at, moved;

	wear_mm(mm);
	at = map_anon(8);
	KI_CHECK(!mm_syscall(NR_munmap, at + PAGES(2), PAGES(2), 0, 0, 0, 0));
	KI_CHECK(user_store(mm, at + PAGES(1), 42));
	KI_CHECK(mm_syscall(NR_mremap, at, PAGES(2), PAGES(4), 0, 0, 0) == (s64)at);
	KI_CHECK(mm_syscall(NR_mremap, at, PAGES(4), PAGES(9), 0, 0, 0) == -ENOMEM);
	moved = (u64)mm_syscall(NR_mremap, at, PAGES(4), PAGES(9), MREMAP_MAYMOVE, 0, 0);
	KI_CHECK(moved < at && user_load(mm, moved + PAGES(1)) == 42);
	KI_CHECK(user_load(mm, at + PAGES(1)) == -1);
	KI_CHECK(mm_syscall(NR_mremap, moved, PAGES(9), PAGES(1), 0, 0, 0) == (s64)moved);
	KI_CHECK(user_load(mm, moved + PAGES(1)) == -1);
	KI_CHECK(mm_syscall(NR_mremap, 0x100000, PAGES(1), PAGES(2), 0, 0, 0) == -EFAULT);
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_map_populate_and_dontneed)
{
	struct mm_struct *mm = shim_mm_alloc();
	u64 at, faults;

	wear_mm(mm);
	at = (u64)mm_syscall(NR_mmap, 0, PAGES(16), READ_WRITE, ANON | MAP_POPULATE, -1, 0);
	faults = kcounters.cpu_faults;
	KI_CHECK(user_store(mm, at, 5) && user_store(mm, at + PAGES(15), 5));
	KI_CHECK(kcounters.cpu_faults == faults);
	KI_CHECK(!mm_syscall(NR_madvise, at, PAGES(16), MADV_DONTNEED, 0, 0, 0));
	KI_CHECK(user_load(mm, at) == 0 && user_load(mm, at + PAGES(15)) == 0);
	drop_mm(mm);
	return 0;
}

KI_SELFTEST(mm_map_tables_go_when_no_vma_is_left_in_them)
{
	struct mm_struct *mm = shim_mm_alloc();
	u64 low = 1ULL << 40, high = low + PAGES(8);

	wear_mm(mm);
	KI_CHECK(mm_syscall(NR_mmap, low, PAGE_SIZE, READ_WRITE, ANON | MAP_FIXED, -1, 0) ==
		 (s64)low);
	KI_CHECK(mm_syscall(NR_mmap, high, PAGE_SIZE, READ_WRITE, ANON | MAP_FIXED, -1, 0) ==
		 (s64)high);
	KI_CHECK(user_store(mm, low, 1) && user_store(mm, high, 2));
	KI_CHECK(mm_pgtables_bytes(mm) == 3 * PAGE_SIZE);
	KI_CHECK(!mm_syscall(NR_munmap, low, PAGE_SIZE, 0, 0, 0, 0));
	KI_CHECK(mm_pgtables_bytes(mm) == 3 * PAGE_SIZE && user_load(mm, high) == 2);
	KI_CHECK(!mm_syscall(NR_munmap, high, PAGE_SIZE, 0, 0, 0, 0));
	KI_CHECK(mm_pgtables_bytes(mm) == 0);
	drop_mm(mm);
	return 0;
}
