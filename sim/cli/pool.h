/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is freed all at once. A command that gets none ends: nothing it has written is lost. */
#ifndef SIM_CLI_POOL_H
#define SIM_CLI_POOL_H

#include <stddef.h>

struct pool_block;

/* Zero-initialised is empty. */
struct pool {
	struct pool_block *last;
};

/* Zeroed. */
void *pool_alloc(struct pool *pool, size_t count, size_t size);
char *pool_copy(struct pool *pool, const char *text);
char *pool_print(struct pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pool_free(struct pool *pool);

#endif
