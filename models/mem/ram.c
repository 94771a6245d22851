/* SPDX-License-Identifier: BSD-3-Clause */
/* Simulated RAM: see ram.h. */
#include "models/mem/ram.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE_BYTES 4096u

/* Where it was mapped, or MAP_FAILED. */
static void *map_at(uint64_t host, uint64_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	void *wanted = (void *)(uintptr_t)host;

	if (host)
		flags |= MAP_FIXED_NOREPLACE;
	void *at = mmap(wanted, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (at != MAP_FAILED && host && at != wanted) { /* an old host kernel takes it as a hint */
		munmap(at, bytes);
		errno = EEXIST;
		return MAP_FAILED;
	}
	return at;
}

int ram_init(struct ram *ram, uint64_t host, uint64_t base, uint64_t bytes)
{
	if (!bytes || bytes % PAGE_BYTES || bytes > RAM_MAX_BYTES || base + bytes < base) {
		errno = EINVAL;
		return -1;
	}
	void *at = map_at(host, bytes);

	if (at == MAP_FAILED)
		return -1;
	/* sparse use must cost what it touches, not 2 MiB each; and no terabyte in a core file */
	madvise(at, bytes, MADV_NOHUGEPAGE);
	madvise(at, bytes, MADV_DONTDUMP);
	*ram = (struct ram){.host = at, .base = base, .bytes = bytes};
	return 0;
}

void ram_destroy(struct ram *ram)
{
	if (ram->host)
		munmap(ram->host, ram->bytes);
	*ram = (struct ram){0};
}
