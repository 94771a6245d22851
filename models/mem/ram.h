/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Simulated RAM: one host mapping at a fixed address, so that no result depends on where the
 * host maps things. It is reserved, not allocated: a page costs host memory once it is touched,
 * so a terabyte may be asked for. Contents start as zeros.
 */
#ifndef MODELS_MEM_RAM_H
#define MODELS_MEM_RAM_H

#include <stdint.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RAM_MAX_BYTES (UINT64_C(1) << 40)

struct ram {
	uint8_t *host;
	uint64_t base; /* physical address of host[0] */
	uint64_t bytes;
};

/*
 * Maps `bytes` (a multiple of 4 KiB, up to RAM_MAX_BYTES) at host address `host`, which must be
 * free; 0: anywhere, for tests. 0, or -1 with errno set (EEXIST: something is mapped there).
 */
int ram_init(struct ram *ram, uint64_t host, uint64_t base, uint64_t bytes);
void ram_destroy(struct ram *ram);

/* The bytes at physical address pa, or NULL if not all `len` of them are in this RAM. */
static inline void *ram_host(const struct ram *ram, uint64_t pa, uint64_t len)
{
	uint64_t offset = pa - ram->base;

	if (pa < ram->base || offset > ram->bytes || len > ram->bytes - offset)
		return NULL;
	return ram->host + offset;
}

#ifdef __cplusplus
}
#endif
#endif
