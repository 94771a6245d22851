/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is freed all at once. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cli/cli.h"
#include "sim/cli/pool.h"

struct pool_block {
	struct pool_block *before;
	max_align_t memory[];
};

void *pool_alloc(struct pool *pool, size_t count, size_t size)
{
	struct pool_block *block = NULL;
	size_t bytes;

	if (!__builtin_mul_overflow(count, size, &bytes) &&
	    !__builtin_add_overflow(bytes, sizeof(*block), &bytes))
		block = calloc(1, bytes);
	if (!block)
		exit(cli_user_error("out of memory"));
	block->before = pool->last;
	pool->last = block;
	return block->memory;
}

char *pool_copy(struct pool *pool, const char *text)
{
	return pool_print(pool, "%s", text);
}

char *pool_print(struct pool *pool, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = pool_alloc(pool, (size_t)length + 1, 1);
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

void pool_free(struct pool *pool)
{
	while (pool->last) {
		struct pool_block *block = pool->last;

		pool->last = block->before;
		free(block);
	}
}
