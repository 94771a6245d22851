/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which line: see lines.h. */
#include "models/mem/lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS	  256u
#define FIRST_BUCKET_BITS 8u
#define LINES_A_KIB	  16u
#define NONE		  0u /* index 0 of each pool is not used */

/* A cache's pages in order of their arrival, or of their second chance. */
struct usage {
	uint32_t newest, oldest;
	uint64_t lines;
};

struct lines {
	struct lines_front front; /* tags and the CPUs' copies; pools grow by realloc */
	struct lines_config config;
	uint64_t llc_capacity, cpu_capacity; /* lines */

	uint32_t tag_slots, tag_fresh, tag_free, tag_count;
	uint32_t copy_slots, copy_fresh, copy_free, copy_count;

	struct usage llc;
	struct usage *cpus;
	unsigned int cpu_count;
};

static void *grow(void *array, size_t count, size_t size)
{
	void *grown = reallocarray(array, count, size);

	if (!grown)
		abort(); /* the host is out of memory */
	return grown;
}

static uint32_t *new_buckets(uint32_t bits)
{
	uint32_t *buckets = calloc((size_t)1 << bits, sizeof(*buckets));

	if (!buckets)
		abort(); /* the host is out of memory */
	return buckets;
}

/* ---- pages ------------------------------------------------------------------------------- */

static void rehash_tags(struct lines *lines)
{
	uint32_t *old = lines->front.tag_buckets;
	const uint32_t old_count = 1u << (64 - lines->front.tag_shift);

	lines->front.tag_buckets = new_buckets(64 - --lines->front.tag_shift);
	for (uint32_t i = 0; i < old_count; i++) {
		for (uint32_t tag = old[i], next; tag != NONE; tag = next) {
			uint32_t *bucket =
				lines_tag_bucket(&lines->front, lines->front.tags[tag].page);

			next = lines->front.tags[tag].next;
			lines->front.tags[tag].next = *bucket;
			*bucket = tag;
		}
	}
	free(old);
}

static uint32_t take_tag_slot(struct lines *lines)
{
	uint32_t tag = lines->tag_free;

	if (tag != NONE) {
		lines->tag_free = lines->front.tags[tag].next;
		return tag;
	}
	if (lines->tag_fresh == lines->tag_slots) {
		lines->tag_slots *= 2;
		lines->front.tags =
			grow(lines->front.tags, lines->tag_slots, sizeof(*lines->front.tags));
	}
	return lines->tag_fresh++;
}

static uint32_t add_tag(struct lines *lines, uint64_t page)
{
	const uint32_t tag = take_tag_slot(lines);

	if (++lines->tag_count > 1u << (64 - lines->front.tag_shift))
		rehash_tags(lines);
	uint32_t *bucket = lines_tag_bucket(&lines->front, page);

	lines->front.tags[tag] = (struct lines_tag){.page = page, .next = *bucket};
	*bucket = tag;
	return tag;
}

static void drop_tag_if_unused(struct lines *lines, uint32_t tag)
{
	if (lines->front.tags[tag].present || lines->front.tags[tag].copies != NONE)
		return;
	uint32_t *link = lines_tag_bucket(&lines->front, lines->front.tags[tag].page);

	while (*link != tag)
		link = &lines->front.tags[*link].next;
	*link = lines->front.tags[tag].next;
	lines->front.tags[tag].next = lines->tag_free;
	lines->tag_free = tag;
	lines->tag_count--;
}

/* ---- the last-level cache ---------------------------------------------------------------- */

static void llc_unlink(struct lines *lines, const struct lines_tag *tag)
{
	if (tag->newer == NONE)
		lines->llc.newest = tag->older;
	else
		lines->front.tags[tag->newer].older = tag->older;
	if (tag->older == NONE)
		lines->llc.oldest = tag->newer;
	else
		lines->front.tags[tag->older].newer = tag->newer;
}

static void llc_link_newest(struct lines *lines, uint32_t index)
{
	struct lines_tag *tag = &lines->front.tags[index];

	tag->newer = NONE;
	tag->older = lines->llc.newest;
	if (tag->older == NONE)
		lines->llc.oldest = index;
	else
		lines->front.tags[tag->older].newer = index;
	lines->llc.newest = index;
}

static void llc_take(struct lines *lines, uint32_t index, uint64_t mask)
{
	struct lines_tag *tag = &lines->front.tags[index];

	if (!(tag->present & mask))
		return;
	lines->llc.lines -= lines_count(tag->present & mask);
	tag->present &= ~mask;
	tag->dirty &= ~mask;
	if (!tag->present)
		llc_unlink(lines, tag);
}

/* Second chance: what was used since it last came up goes to the end. `own` stays. */
static void llc_evict_one(struct lines *lines, uint32_t own)
{
	uint32_t victim = lines->llc.oldest;

	while (lines->front.tags[victim].used || victim == own) {
		lines->front.tags[victim].used = false;
		llc_unlink(lines, &lines->front.tags[victim]);
		llc_link_newest(lines, victim);
		victim = lines->llc.oldest;
	}
	const uint64_t dirty = lines->front.tags[victim].dirty;

	if (dirty)
		lines->config.writeback(lines->config.writeback_arg, lines->front.tags[victim].page,
					dirty);
	llc_take(lines, victim, UINT64_MAX);
	drop_tag_if_unused(lines, victim);
}

/* Only if there is one. `dirty` is part of `mask`; either may be empty. The page itself stays. */
static void llc_put(struct lines *lines, uint32_t index, uint64_t mask, uint64_t dirty)
{
	struct lines_tag *tag = &lines->front.tags[index];

	if (tag->present) {
		tag->used = true;
	} else if (mask) {
		tag->used = false;
		llc_link_newest(lines, index);
	}
	if (mask & ~tag->present)
		lines->llc.lines += lines_count(mask & ~tag->present);
	tag->present |= mask;
	tag->dirty |= dirty;
	while (lines->llc.lines > lines->llc_capacity && lines->llc.oldest != lines->llc.newest)
		llc_evict_one(lines, index);
}

/* Lines leave a CPU's cache. */
static void give_up(struct lines *lines, uint32_t tag, uint64_t mask, uint64_t dirty)
{
	if (lines->llc_capacity)
		llc_put(lines, tag, mask, dirty);
	else if (dirty)
		lines->config.writeback(lines->config.writeback_arg, lines->front.tags[tag].page,
					dirty);
}

/* ---- CPUs' caches ------------------------------------------------------------------------ */

static void rehash_copies(struct lines *lines)
{
	uint32_t *old = lines->front.buckets;
	const uint32_t old_count = 1u << (64 - lines->front.shift);

	lines->front.buckets = new_buckets(64 - --lines->front.shift);
	for (uint32_t i = 0; i < old_count; i++) {
		for (uint32_t copy = old[i], next; copy != NONE; copy = next) {
			const struct lines_copy *c = &lines->front.copies[copy];
			uint32_t *bucket = lines_copy_bucket(&lines->front, c->cpu, c->page);

			next = c->next;
			lines->front.copies[copy].next = *bucket;
			*bucket = copy;
		}
	}
	free(old);
}

static uint32_t take_copy_slot(struct lines *lines)
{
	uint32_t copy = lines->copy_free;

	if (copy != NONE) {
		lines->copy_free = lines->front.copies[copy].next;
		return copy;
	}
	if (lines->copy_fresh == lines->copy_slots) {
		lines->copy_slots *= 2;
		lines->front.copies =
			grow(lines->front.copies, lines->copy_slots, sizeof(*lines->front.copies));
	}
	return lines->copy_fresh++;
}

static void copy_unlink(struct lines *lines, const struct lines_copy *copy)
{
	struct usage *cpu = &lines->cpus[copy->cpu];

	if (copy->newer == NONE)
		cpu->newest = copy->older;
	else
		lines->front.copies[copy->newer].older = copy->older;
	if (copy->older == NONE)
		cpu->oldest = copy->newer;
	else
		lines->front.copies[copy->older].newer = copy->newer;
}

static void copy_link_newest(struct lines *lines, uint32_t index)
{
	struct lines_copy *copy = &lines->front.copies[index];
	struct usage *cpu = &lines->cpus[copy->cpu];

	copy->newer = NONE;
	copy->older = cpu->newest;
	if (copy->older == NONE)
		cpu->oldest = index;
	else
		lines->front.copies[copy->older].newer = index;
	cpu->newest = index;
}

static uint32_t add_copy(struct lines *lines, unsigned int cpu, uint32_t tag)
{
	const uint64_t page = lines->front.tags[tag].page;
	const uint32_t index = take_copy_slot(lines);
	const uint32_t peer = lines->front.tags[tag].copies;

	if (++lines->copy_count > 1u << (64 - lines->front.shift))
		rehash_copies(lines);
	uint32_t *bucket = lines_copy_bucket(&lines->front, cpu, page);

	lines->front.copies[index] =
		(struct lines_copy){.page = page, .cpu = cpu, .peer_next = peer, .next = *bucket};
	*bucket = index;
	if (peer != NONE)
		lines->front.copies[peer].peer_prev = index;
	lines->front.tags[tag].copies = index;
	copy_link_newest(lines, index);
	return index;
}

/* Its lines are gone. The page's tag is the caller's. */
static void drop_copy(struct lines *lines, uint32_t tag, uint32_t index)
{
	const struct lines_copy *copy = &lines->front.copies[index];
	uint32_t *link = lines_copy_bucket(&lines->front, copy->cpu, copy->page);

	while (*link != index)
		link = &lines->front.copies[*link].next;
	*link = copy->next;
	if (copy->peer_prev == NONE)
		lines->front.tags[tag].copies = copy->peer_next;
	else
		lines->front.copies[copy->peer_prev].peer_next = copy->peer_next;
	if (copy->peer_next != NONE)
		lines->front.copies[copy->peer_next].peer_prev = copy->peer_prev;
	copy_unlink(lines, copy);
	lines->front.copies[index].next = lines->copy_free;
	lines->copy_free = index;
	lines->copy_count--;
}

/* Takes lines from a copy, which may end it. */
static void invalidate(struct lines *lines, uint32_t tag, uint32_t index, uint64_t mask)
{
	struct lines_copy *copy = &lines->front.copies[index];

	lines->cpus[copy->cpu].lines -= lines_count(copy->present & mask);
	copy->present &= ~mask;
	copy->dirty &= ~mask;
	if (!copy->present)
		drop_copy(lines, tag, index);
}

/* All copies but one (NONE: all) lose lines. Returns those that any had. */
static uint64_t invalidate_others(struct lines *lines, uint32_t tag, uint32_t but, uint64_t mask)
{
	uint64_t had = 0;

	for (uint32_t i = lines->front.tags[tag].copies, next; i != NONE; i = next) {
		next = lines->front.copies[i].peer_next;
		if (i == but || !(lines->front.copies[i].present & mask))
			continue;
		had |= lines->front.copies[i].present & mask;
		invalidate(lines, tag, i, mask);
	}
	return had;
}

/* Lines that others own become clean: from now on they are shared. Returns them. */
static uint64_t clean_others(struct lines *lines, uint32_t tag, uint32_t but, uint64_t mask)
{
	uint64_t dirty = 0;

	for (uint32_t i = lines->front.tags[tag].copies; i != NONE;
	     i = lines->front.copies[i].peer_next) {
		if (i == but)
			continue;
		dirty |= lines->front.copies[i].dirty & mask;
		lines->front.copies[i].dirty &= ~mask;
	}
	return dirty;
}

/* Second chance: what was used since it last came up goes to the end. `own` stays. */
static void cpu_trim(struct lines *lines, const struct usage *cpu, uint32_t own)
{
	while (cpu->lines > lines->cpu_capacity && cpu->oldest != cpu->newest) {
		struct lines_copy *victim = &lines->front.copies[cpu->oldest];

		if (victim->used || cpu->oldest == own) {
			const uint32_t index = cpu->oldest;

			victim->used = false;
			copy_unlink(lines, victim);
			copy_link_newest(lines, index);
			continue;
		}
		const uint32_t tag = lines_find_tag(&lines->front, victim->page);

		give_up(lines, tag, victim->present, victim->dirty);
		invalidate(lines, tag, cpu->oldest, UINT64_MAX);
		drop_tag_if_unused(lines, tag);
	}
}

static void add_cpus(struct lines *lines, unsigned int count)
{
	lines->cpus = grow(lines->cpus, count, sizeof(*lines->cpus));
	memset(&lines->cpus[lines->cpu_count], 0,
	       (count - lines->cpu_count) * sizeof(*lines->cpus));
	lines->cpu_count = count;
}

/* ---- accesses ---------------------------------------------------------------------------- */

void lines_device_read(struct lines *lines, uint64_t page, uint64_t mask, struct lines_found *found)
{
	uint32_t tag = lines_find_tag(&lines->front, page);
	uint64_t keep;

	*found = (struct lines_found){.memory = mask};
	if (tag != NONE) {
		found->cpu = clean_others(lines, tag, NONE, mask);
		found->llc = lines->front.tags[tag].present & mask & ~found->cpu;
		found->memory = mask & ~found->cpu & ~found->llc;
	}
	keep = found->cpu | (lines->config.device_read_allocate ? found->memory : 0);
	if (!lines->llc_capacity) {
		if (found->cpu)
			give_up(lines, tag, found->cpu, found->cpu);
		return;
	}
	if (tag == NONE) {
		if (!keep)
			return;
		tag = add_tag(lines, page);
	}
	llc_put(lines, tag, keep, found->cpu);
}

/* Takes the lines away from CPUs; they are the last-level cache's (`stash`) or memory's then. */
static void write_past_cpus(struct lines *lines, uint64_t page, uint64_t mask, bool stash,
			    struct lines_found *found)
{
	uint32_t tag = lines_find_tag(&lines->front, page);

	*found = (struct lines_found){.memory = mask};
	if (tag != NONE) {
		found->cpu = invalidate_others(lines, tag, NONE, mask);
		found->llc = lines->front.tags[tag].present & mask & ~found->cpu;
		found->memory = mask & ~found->cpu & ~found->llc;
	} else if (stash) {
		tag = add_tag(lines, page);
	}
	if (stash) {
		llc_put(lines, tag, mask, mask);
	} else if (tag != NONE) {
		llc_take(lines, tag, mask);
		drop_tag_if_unused(lines, tag);
	}
}

void lines_device_write(struct lines *lines, uint64_t page, uint64_t mask,
			struct lines_found *found)
{
	write_past_cpus(lines, page, mask, lines->config.device_write_stash && lines->llc_capacity,
			found);
}

void lines_cpu_stream(struct lines *lines, uint64_t page, uint64_t mask)
{
	struct lines_found found;

	write_past_cpus(lines, page, mask, lines->llc_capacity, &found);
}

/* The CPU's copy of a page, new if need be. */
static uint32_t own_copy(struct lines *lines, unsigned int cpu, uint64_t page, uint32_t *tag)
{
	if (cpu >= lines->cpu_count)
		add_cpus(lines, cpu + 1);
	*tag = lines_find_tag(&lines->front, page);
	if (*tag == NONE)
		*tag = add_tag(lines, page);
	const uint32_t copy = lines_find_copy(&lines->front, cpu, page);

	return copy != NONE ? copy : add_copy(lines, cpu, *tag);
}

void lines_cpu_load(struct lines *lines, unsigned int cpu, uint64_t page, uint64_t mask,
		    struct lines_found *found)
{
	uint32_t tag;
	const uint32_t own = own_copy(lines, cpu, page, &tag);
	const uint64_t need = mask & ~lines->front.copies[own].present;

	found->own = mask & ~need;
	found->cpu = clean_others(lines, tag, own, need);
	found->llc = lines->front.tags[tag].present & need & ~found->cpu;
	found->memory = need & ~found->cpu & ~found->llc;
	lines->front.copies[own].present |= need;
	lines->cpus[cpu].lines += lines_count(need);
	if (found->cpu)
		give_up(lines, tag, found->cpu, found->cpu);
	else if (found->llc)
		lines->front.tags[tag].used = true;
	cpu_trim(lines, &lines->cpus[cpu], own);
}

void lines_cpu_store(struct lines *lines, unsigned int cpu, uint64_t page, uint64_t mask,
		     uint64_t whole, struct lines_found *found)
{
	uint32_t tag;
	const uint32_t own = own_copy(lines, cpu, page, &tag);
	const uint64_t need = mask & ~lines->front.copies[own].dirty;
	const uint64_t have = lines->front.copies[own].present;

	found->cpu = invalidate_others(lines, tag, own, need);
	found->llc = lines->front.tags[tag].present & need & ~found->cpu;
	found->memory = need & ~found->cpu & ~found->llc & ~have & ~whole;
	found->own = mask & ~found->cpu & ~found->llc & ~found->memory;
	llc_take(lines, tag, need);
	lines->front.copies[own].present |= mask;
	lines->front.copies[own].dirty |= mask;
	lines->cpus[cpu].lines += lines_count(mask & ~have);
	cpu_trim(lines, &lines->cpus[cpu], own);
}

const struct lines_front *lines_front(const struct lines *lines)
{
	return &lines->front;
}

const uint64_t *lines_llc_used(const struct lines *lines)
{
	return &lines->llc.lines;
}

/* ---- life -------------------------------------------------------------------------------- */

struct lines *lines_new(const struct lines_config *config)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return NULL;
	lines->config = *config;
	lines->llc_capacity = (uint64_t)config->llc_kib * LINES_A_KIB;
	lines->cpu_capacity = (uint64_t)config->cpu_cache_kib * LINES_A_KIB;
	lines->tag_slots = lines->copy_slots = FIRST_SLOTS;
	lines->tag_fresh = lines->copy_fresh = 1;
	lines->front.tags = grow(NULL, lines->tag_slots, sizeof(*lines->front.tags));
	lines->front.copies = grow(NULL, lines->copy_slots, sizeof(*lines->front.copies));
	lines->front.copies[0] = (struct lines_copy){0}; /* hits nothing */
	lines->front.tags[0] = (struct lines_tag){0};
	lines->front.tag_shift = lines->front.shift = 64 - FIRST_BUCKET_BITS;
	lines->front.tag_buckets = new_buckets(FIRST_BUCKET_BITS);
	lines->front.buckets = new_buckets(FIRST_BUCKET_BITS);
	return lines;
}

void lines_free(struct lines *lines)
{
	if (!lines)
		return;
	free(lines->front.tags);
	free(lines->front.tag_buckets);
	free(lines->front.copies);
	free(lines->front.buckets);
	free(lines->cpus);
	free(lines);
}
