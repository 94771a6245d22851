// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small helpers that mm/util.c gives the rest of the kernel: copies of strings and memory, constant
 * strings, command lines.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include <asm/sections.h>
#include <trace/events/mmflags.h>

#include "mm_internal.h"

static bool is_slab_address(const void *p)
{
	return (unsigned long)p >= (unsigned long)machine->ram &&
	       (unsigned long)p < (unsigned long)machine->ram + machine->ram_bytes;
}

void kfree_const(const void *x)
{
	if (is_slab_address(x))
		kfree(x);
}

static char *dup_terminated(const char *s, size_t length, gfp_t gfp, unsigned long site)
{
	char *copy = kmalloc_node_track_caller_noprof(length + 1, gfp, NUMA_NO_NODE, site);

	if (copy) {
		memcpy(copy, s, length);
		copy[length] = '\0';
	}
	return copy;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return s ? dup_terminated(s, strlen(s), gfp, _RET_IP_) : NULL;
}

/* A string constant of the image is shared; whatever may change or end is copied */
const char *kstrdup_const(const char *s, gfp_t gfp)
{
	if (is_kernel_rodata((unsigned long)s))
		return s;
	return s ? dup_terminated(s, strlen(s), gfp, _RET_IP_) : NULL;
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	return s ? dup_terminated(s, strnlen(s, max), gfp, _RET_IP_) : NULL;
}

char *kmemdup_nul(const char *s, size_t length, gfp_t gfp)
{
	return s ? dup_terminated(s, length, gfp, _RET_IP_) : NULL;
}

void *kmemdup_noprof(const void *src, size_t length, gfp_t gfp)
{
	void *copy = kmalloc_node_track_caller_noprof(length, gfp, NUMA_NO_NODE, _RET_IP_);

	if (copy)
		memcpy(copy, src, length);
	return copy;
}

void *kmemdup_array(const void *src, size_t count, size_t element_size, gfp_t gfp)
{
	return kmemdup_noprof(src, size_mul(element_size, count), gfp);
}

void *kvmemdup(const void *src, size_t length, gfp_t gfp)
{
	return kmemdup_noprof(src, length, gfp);
}

/* A simulated process has no argument block in its memory */
int get_cmdline(struct task_struct *task, char *buffer, int buflen)
{
	return 0;
}

struct address_space *folio_mapping(struct folio *folio)
{
	struct address_space *mapping = folio->mapping;

	return ((unsigned long)mapping & PAGE_MAPPING_FLAGS) ? NULL : mapping;
}

/* ---- names that vsprintf prints flags with (%pGp, %pGg, %pGv) ------------------------------ */

const struct trace_print_flags pageflag_names[] = {__def_pageflag_names, {0, NULL}};
const struct trace_print_flags gfpflag_names[] = {__def_gfpflag_names, {0, NULL}};
const struct trace_print_flags vmaflag_names[] = {__def_vmaflag_names, {0, NULL}};
