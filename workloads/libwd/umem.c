/* SPDX-License-Identifier: BSD-3-Clause */
/* Arenas over mmap(2). */
#include "workloads/include/program.h"
#include "workloads/libwd/sys.h"
#include "workloads/libwd/umem.h"

struct umem {
	uint64_t bytes, used;
};

static size_t whole_pages(size_t bytes)
{
	return (bytes + SYS_PAGE - 1) / SYS_PAGE * SYS_PAGE;
}

uint64_t umem_map(size_t bytes)
{
	int64_t address = sys_mmap(whole_pages(bytes), SYS_PROT_READ | SYS_PROT_WRITE,
				   SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);

	return address < 0 ? 0 : (uint64_t)address;
}

void umem_unmap(uint64_t address, size_t bytes)
{
	sys_munmap(address, whole_pages(bytes));
}

struct umem *umem_new(size_t bytes)
{
	size_t total = whole_pages(bytes + sizeof(struct umem));
	struct umem *arena = (struct umem *)(uintptr_t)umem_map(total);

	if (!arena)
		return NULL;
	STORE(&arena->bytes, total);
	STORE(&arena->used, sizeof(struct umem));
	return arena;
}

void umem_free(struct umem *arena)
{
	umem_unmap(PROG_VA(arena), LOAD(&arena->bytes));
}

void *umem_alloc(struct umem *arena, size_t bytes, size_t align)
{
	uint64_t total = LOAD(&arena->bytes);
	uint64_t begin = (LOAD(&arena->used) + align - 1) & ~(uint64_t)(align - 1);

	if (begin > total || bytes > total - begin)
		return NULL;
	STORE(&arena->used, begin + bytes);
	return (void *)(uintptr_t)(PROG_VA(arena) + begin);
}

void umem_reset(struct umem *arena)
{
	STORE(&arena->used, sizeof(struct umem));
}
