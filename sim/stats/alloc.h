/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory for the instruments. A host without memory cannot go on recording, and half a record would
 * be a wrong one: these do not return without memory.
 */
#ifndef SIM_STATS_ALLOC_H
#define SIM_STATS_ALLOC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *must_have(void *memory)
{
	if (!memory) {
		fputs("svasim: out of memory\n", stderr);
		exit(3);
	}
	return memory;
}

static inline void *must_calloc(size_t count, size_t size)
{
	return must_have(calloc(count ? count : 1, size));
}

static inline void *must_realloc(void *old, size_t count, size_t size)
{
	return must_have(reallocarray(old, count ? count : 1, size));
}

static inline char *must_strdup(const char *s)
{
	return (char *)must_have(strdup(s));
}

#endif
