/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who has which 64-byte line: the CPUs' private caches, the last-level cache, or memory alone.
 *
 * State only, no time and no data: an access says what it found where and changes owners. One
 * tag covers a 4 KiB page with masks of its lines, so an access to any part of a page costs a
 * look-up or two. Caches hold a number of lines, in any place, and give up a page that was not
 * used lately. A CPU that writes a line has it alone; several may have read it. The last-level
 * cache takes what CPUs give up and what devices write or read, as the settings say.
 *
 * Not modelled: sets and ways, levels within a CPU, prefetching.
 */
#ifndef MODELS_MEM_LINES_H
#define MODELS_MEM_LINES_H

#include <stdbool.h>
#include <stdint.h>

#define LINES_LINE_BITS 6u
#define LINES_PAGE_BITS 12u

struct lines;

struct lines_config {
	uint32_t llc_kib;	   /* 0: none */
	uint32_t cpu_cache_kib;	   /* of each CPU; 0: not modelled, CPUs own nothing */
	bool device_read_allocate; /* lines that a device reads from memory stay in the LLC */
	bool device_write_stash;   /* a device writes into the LLC, else to memory */
	/* dirty lines of a page go to memory */
	void (*writeback)(void *arg, uint64_t page, uint64_t mask);
	void *writeback_arg;
};

/* Where the lines of an access were: masks that do not overlap. */
struct lines_found {
	uint64_t own;	 /* the CPU's own cache, or lines that it need not fetch */
	uint64_t cpu;	 /* another CPU's cache, which had to give it or give it up */
	uint64_t llc;	 /* the last-level cache */
	uint64_t memory; /* nowhere else */
};

/* NULL: the host has no memory. */
struct lines *lines_new(const struct lines_config *config);
void lines_free(struct lines *lines);

/* Lines of [pa, pa + bytes), which is not empty, as far as they are in pa's page. */
static inline uint64_t lines_mask(uint64_t pa, uint32_t bytes)
{
	const unsigned int first = (pa >> LINES_LINE_BITS) & 63;
	uint64_t last = (pa + bytes - 1) >> LINES_LINE_BITS;

	last = last >> 6 == pa >> LINES_PAGE_BITS ? last & 63 : 63;
	return (UINT64_MAX >> (63 - (last - first))) << first;
}

/* How many lines; without the library call that a compiler makes of it for any CPU. */
static inline unsigned int lines_count(uint64_t mask)
{
	if (!(mask & (mask - 1)))
		return mask != 0;
	mask -= mask >> 1 & UINT64_C(0x5555555555555555);
	mask = (mask & UINT64_C(0x3333333333333333)) + (mask >> 2 & UINT64_C(0x3333333333333333));
	mask = (mask + (mask >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (unsigned int)(mask * UINT64_C(0x0101010101010101) >> 56);
}

/* ---- look-ups, public for the sake of the hits where most accesses end --------------------- */

/* A page of which some cache has a line. Indices instead of pointers: pools grow. */
struct lines_tag {
	uint64_t page;
	uint64_t present, dirty; /* in the last-level cache */
	uint32_t copies;	 /* of CPUs, first of a list */
	uint32_t next;		 /* in the bucket; free list */
	uint32_t older, newer;	 /* in the last-level cache, if present */
	bool used;		 /* since it was last looked at for eviction */
};

/* A CPU's lines of a page. */
struct lines_copy {
	uint64_t page;
	uint64_t present, dirty;
	uint32_t cpu;
	uint32_t next;		       /* in the bucket; free list */
	bool used;		       /* since it was last looked at for eviction */
	uint32_t peer_next, peer_prev; /* the same page's, of other CPUs */
	uint32_t older, newer;	       /* the same CPU's */
};

/* Index 0 has nothing of any page. */
struct lines_front {
	struct lines_copy *copies;
	uint32_t *buckets;
	unsigned int shift, tag_shift; /* 64 - log2 of the buckets */
	struct lines_tag *tags;
	uint32_t *tag_buckets;
};

const struct lines_front *lines_front(const struct lines *lines);

#define LINES_HASH_MULTIPLY UINT64_C(0x9e3779b97f4a7c15)

static inline uint32_t *lines_copy_bucket(const struct lines_front *front, unsigned int cpu,
					  uint64_t page)
{
	return &front->buckets[(page ^ (uint64_t)cpu << 40) * LINES_HASH_MULTIPLY >> front->shift];
}

static inline uint32_t lines_find_copy(const struct lines_front *front, unsigned int cpu,
				       uint64_t page)
{
	uint32_t copy = *lines_copy_bucket(front, cpu, page);

	while (copy && (front->copies[copy].page != page || front->copies[copy].cpu != cpu))
		copy = front->copies[copy].next;
	return copy;
}

static inline uint32_t *lines_tag_bucket(const struct lines_front *front, uint64_t page)
{
	return &front->tag_buckets[page * LINES_HASH_MULTIPLY >> front->tag_shift];
}

static inline uint32_t lines_find_tag(const struct lines_front *front, uint64_t page)
{
	uint32_t tag = *lines_tag_bucket(front, page);

	while (tag && front->tags[tag].page != page)
		tag = front->tags[tag].next;
	return tag;
}

/* ---- accesses: `page` is a physical address >> LINES_PAGE_BITS ----------------------------- */

/* Whether the last-level cache has all that a device reads, and no CPU anything of the page. */
static inline bool lines_device_hit(const struct lines_front *front, uint64_t page, uint64_t mask)
{
	struct lines_tag *tag = &front->tags[lines_find_tag(front, page)];

	if (tag->copies || mask & ~tag->present)
		return false;
	tag->used = true;
	return true;
}

/* In any case, or when it does not hit. */
void lines_device_read(struct lines *lines, uint64_t page, uint64_t mask,
		       struct lines_found *found);
void lines_device_write(struct lines *lines, uint64_t page, uint64_t mask,
			struct lines_found *found);

/* Whether the CPU's own cache has it all, as its owner for a store. */
static inline bool lines_cpu_hit(const struct lines_front *front, unsigned int cpu, uint64_t page,
				 uint64_t mask, bool store)
{
	struct lines_copy *copy = &front->copies[lines_find_copy(front, cpu, page)];

	copy->used = true;
	return !(mask & ~(store ? copy->dirty : copy->present));
}

/* When it does not hit. `whole`: lines of a store that are written wholly, and not fetched. */
void lines_cpu_load(struct lines *lines, unsigned int cpu, uint64_t page, uint64_t mask,
		    struct lines_found *found);
/* Whole lines that a CPU streams past its cache: into the last-level cache, or to memory if there is none. */
void lines_cpu_stream(struct lines *lines, uint64_t page, uint64_t mask);
void lines_cpu_store(struct lines *lines, unsigned int cpu, uint64_t page, uint64_t mask,
		     uint64_t whole, struct lines_found *found);

/* Lines that are in the last-level cache now; a counter's address. */
const uint64_t *lines_llc_used(const struct lines *lines);

#endif
