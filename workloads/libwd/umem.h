/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the process: mappings, and an arena that hands out pieces of one and gives all of them back at
 * once. Addresses, not pointers to be dereferenced.
 */
#ifndef WORKLOADS_LIBWD_UMEM_H
#define WORKLOADS_LIBWD_UMEM_H

#include <stddef.h>
#include <stdint.h>

/* Fresh, zero, private pages, not touched yet; 0 if the kernel refuses. `bytes` is rounded up to whole pages. */
uint64_t umem_map(size_t bytes);
void umem_unmap(uint64_t address, size_t bytes);

/* Lives at the beginning of its own mapping. One thread at a time. */
struct umem;

struct umem *umem_new(size_t bytes); /* NULL if the kernel refuses */
void umem_free(struct umem *arena);
/* Not initialised (zero before umem_reset()); align: a power of two. NULL: the arena is used up. */
void *umem_alloc(struct umem *arena, size_t bytes, size_t align);
/* Takes back all that was handed out. */
void umem_reset(struct umem *arena);

#endif
