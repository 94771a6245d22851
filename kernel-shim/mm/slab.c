// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slab allocator: caches of equal objects in blocks of pages, kmalloc on top of them, large
 * allocations straight from the page allocator. Beside each slab's objects lies what the kernel
 * keeps only when it debugs: who asked for an object and how large, so that every leak is reported
 * by call site. Under AddressSanitizer each object has a red zone, its unused tail and freed
 * objects are poisoned, and a freed object waits in a queue before it is used again.
 *
 * As in page.c nothing here lets time pass, so no lock is needed. Not modelled: per-CPU slabs,
 * memory control groups.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "mm_internal.h"

#ifdef __SANITIZE_ADDRESS__
void __asan_poison_memory_region(const volatile void *address, size_t size);
void __asan_unpoison_memory_region(const volatile void *address, size_t size);
#define RED_ZONE   16u
#define QUARANTINE 4096u
#else
static inline void __asan_poison_memory_region(const volatile void *address, size_t size)
{
}
static inline void __asan_unpoison_memory_region(const volatile void *address, size_t size)
{
}
#define RED_ZONE   0u
#define QUARANTINE 0u
#endif

#define MAX_SLAB_OBJECT	   SZ_16K
#define MAX_KMALLOC_OBJECT SZ_2K /* above, whole pages: naturally aligned without a slab's header */
#define SLOT_END	   0xffffu

struct kmem_cache {
	const char *name;
	unsigned int object_size, stride, align;
	unsigned int order, objects, first; /* of one slab: pages, objects, offset of the first */
	slab_flags_t flags;
	void (*ctor)(void *object);
	bool kmalloc;
	bool keep; /* created before the baseline */
	struct list_head partial, full, node;
	unsigned long in_use;
};

enum slot_state { SLOT_FREE, SLOT_USED, SLOT_QUARANTINED };

struct slot {
	s32 site; /* of the allocation, an offset into the image */
	u32 size; /* asked for */
	u16 next; /* free slots */
	u8 state;
	bool keep;
};

/* At the start of every slab */
struct slab_head {
	struct kmem_cache *cache;
	struct list_head node;
	u16 first_free;
	u16 in_use; /* quarantined ones included */
	struct slot slots[];
};

kmem_buckets kmalloc_caches[NR_KMALLOC_TYPES];

static LIST_HEAD(all_caches);
static struct kmem_cache cache_cache = {.name = "kmem_cache"};
static bool slab_ready;

static const struct {
	const char *name;
	unsigned int size;
} kmalloc_sizes[] = {
	[1] = {"kmalloc-96", 96},    [2] = {"kmalloc-192", 192},  [3] = {"kmalloc-8", 8},
	[4] = {"kmalloc-16", 16},    [5] = {"kmalloc-32", 32},	  [6] = {"kmalloc-64", 64},
	[7] = {"kmalloc-128", 128},  [8] = {"kmalloc-256", 256},  [9] = {"kmalloc-512", 512},
	[10] = {"kmalloc-1k", 1024}, [11] = {"kmalloc-2k", 2048}, [12] = {"kmalloc-4k", 4096},
	[13] = {"kmalloc-8k", 8192},
};

/* ---- slabs --------------------------------------------------------------------------------- */

static void cache_layout(struct kmem_cache *cache)
{
	unsigned int want = 8, bytes, header;

	cache->stride = ALIGN(cache->object_size + RED_ZONE, cache->align);
	for (cache->order = 0; cache->order < 6; cache->order++) {
		bytes = PAGE_SIZE << cache->order;
		cache->objects = bytes / cache->stride;
		do {
			header = sizeof(struct slab_head) + cache->objects * sizeof(struct slot);
			cache->first = ALIGN(header, cache->align);
		} while (cache->objects && cache->first + cache->objects * cache->stride > bytes &&
			 cache->objects--);
		if (cache->objects >= want)
			return;
	}
	cache->order--;
}

static void cache_setup(struct kmem_cache *cache, unsigned int size, unsigned int align)
{
	cache->object_size = size;
	cache->align = max_t(unsigned int, align, ARCH_KMALLOC_MINALIGN);
	INIT_LIST_HEAD(&cache->partial);
	INIT_LIST_HEAD(&cache->full);
	cache_layout(cache);
	list_add_tail(&cache->node, &all_caches);
}

static void *slot_object(struct slab_head *slab, unsigned int index)
{
	return (char *)slab + slab->cache->first + index * slab->cache->stride;
}

static unsigned int object_slot(struct slab_head *slab, const void *object)
{
	return (unsigned int)((const char *)object - (const char *)slab - slab->cache->first) /
	       slab->cache->stride;
}

static struct slab_head *object_slab(const void *object)
{
	struct folio *folio = virt_to_folio(object);

	return folio_test_slab(folio) ? folio_address(folio) : NULL;
}

static struct slab_head *slab_new(struct kmem_cache *cache, gfp_t gfp)
{
	unsigned int i;
	struct slab_head *slab;
	struct page *page;

	page = shim_alloc_pages_site((gfp & ~__GFP_ZERO) | __GFP_COMP, cache->order, slab_new);
	shim_charge_ns(kparams.alloc_page_ns);
	if (!page)
		return NULL;
	__folio_set_slab((struct folio *)page);
	slab = page_address(page);
	slab->cache = cache;
	slab->in_use = 0;
	slab->first_free = 0;
	for (i = 0; i < cache->objects; i++) {
		slab->slots[i] = (struct slot){.next = i + 1 < cache->objects ? i + 1 : SLOT_END};
		if (cache->ctor)
			cache->ctor(slot_object(slab, i));
	}
	if (!(cache->flags & SLAB_TYPESAFE_BY_RCU))
		__asan_poison_memory_region(slot_object(slab, 0), cache->objects * cache->stride);
	list_add(&slab->node, &cache->partial);
	return slab;
}

static void slab_delete(struct slab_head *slab)
{
	struct kmem_cache *cache = slab->cache;
	struct page *page = virt_to_page(slab);

	list_del(&slab->node);
	__asan_unpoison_memory_region(slab, PAGE_SIZE << cache->order);
	__folio_clear_slab((struct folio *)page);
	shim_free_pages_uncharged(page, cache->order);
}

static void *slab_alloc(struct kmem_cache *cache, gfp_t gfp, u32 size, const void *site)
{
	struct slab_head *slab;
	struct slot *slot;
	unsigned int index;
	void *object;

	shim_charge_ns(kparams.slab_ns);
	slab = list_first_entry_or_null(&cache->partial, struct slab_head, node);
	if (!slab)
		slab = slab_new(cache, gfp);
	if (!slab)
		return NULL;
	index = slab->first_free;
	slot = &slab->slots[index];
	slab->first_free = slot->next;
	if (++slab->in_use == cache->objects)
		list_move(&slab->node, &cache->full);
	cache->in_use++;
	slot->site = (s32)shim_image_offset(site);
	slot->size = size;
	slot->state = SLOT_USED;
	slot->keep = false;
	object = slot_object(slab, index);
	__asan_unpoison_memory_region(object, size);
	if (gfp & __GFP_ZERO)
		memset(object, 0, RED_ZONE ? size : cache->object_size);
	return object;
}

static void slot_release(struct slab_head *slab, unsigned int index)
{
	struct kmem_cache *cache = slab->cache;
	struct slot *slot = &slab->slots[index];

	slot->state = SLOT_FREE;
	slot->next = slab->first_free;
	slab->first_free = index;
	if (slab->in_use-- == cache->objects)
		list_move(&slab->node, &cache->partial);
	/*
	 * One empty slab is kept, or a cache that hovers at a boundary would ask for pages again
	 * and again
	 */
	if (!slab->in_use && !list_is_singular(&cache->partial))
		slab_delete(slab);
}

#if QUARANTINE
static void *quarantine[QUARANTINE];
static unsigned int quarantine_next;

static void quarantine_swap(void *object)
{
	void *oldest = quarantine[quarantine_next];

	quarantine[quarantine_next] = object;
	quarantine_next = (quarantine_next + 1) % QUARANTINE;
	if (oldest) {
		struct slab_head *slab = object_slab(oldest);

		slot_release(slab, object_slot(slab, oldest));
	}
}

void shim_slab_drain(void)
{
	unsigned int i;

	for (i = 0; i < QUARANTINE; i++)
		quarantine_swap(NULL);
}
#else
static void quarantine_swap(void *object)
{
	struct slab_head *slab = object_slab(object);

	slot_release(slab, object_slot(slab, object));
}

void shim_slab_drain(void)
{
}
#endif

static void slab_free(struct slab_head *slab, void *object)
{
	struct kmem_cache *cache = slab->cache;
	unsigned int index = object_slot(slab, object);
	struct slot *slot = &slab->slots[index];

	shim_charge_ns(kparams.slab_ns);
	if (index >= cache->objects || slot_object(slab, index) != object)
		panic("slab: %s: freeing an address inside an object", cache->name);
	if (slot->state != SLOT_USED)
		panic("slab: %s: object freed twice, allocated at shim_mm_init%+d", cache->name,
		      slot->site);
	slot->state = SLOT_QUARANTINED;
	cache->in_use--;
	if (!(cache->flags & SLAB_TYPESAFE_BY_RCU))
		__asan_poison_memory_region(object, cache->stride);
	quarantine_swap(object);
}

/* ---- kmalloc ------------------------------------------------------------------------------- */

void shim_slab_init(void)
{
	static struct kmem_cache kmalloc_cache[ARRAY_SIZE(kmalloc_sizes)];
	unsigned int i, type;

	if (slab_ready)
		return;
	slab_ready = true;
	shim_page_init();
	cache_setup(&cache_cache, sizeof(struct kmem_cache), sizeof(void *));
	for (i = 1; i < ARRAY_SIZE(kmalloc_sizes); i++) {
		unsigned int size = kmalloc_sizes[i].size;

		kmalloc_cache[i].name = kmalloc_sizes[i].name;
		kmalloc_cache[i].kmalloc = true;
		/* A power of two is aligned to itself */
		cache_setup(&kmalloc_cache[i], size, 1U << __ffs(size));
		for (type = 0; type < NR_KMALLOC_TYPES; type++)
			kmalloc_caches[type][i] = &kmalloc_cache[i];
	}
}

static void *kmalloc_pages(size_t size, gfp_t gfp, const void *site)
{
	unsigned int order = get_order(size);
	struct page *page = shim_alloc_pages_site(gfp | __GFP_COMP, order, site);

	shim_charge_ns(kparams.alloc_page_ns);
	if (!page)
		return NULL;
	if (gfp & __GFP_ZERO)
		shim_charge_ns((u64)kparams.zero_page_ns << order);
	return page_address(page);
}

static void *kmalloc_site(size_t size, gfp_t gfp, const void *site)
{
	shim_slab_init();
	if (!size)
		return ZERO_SIZE_PTR;
	if (size > MAX_KMALLOC_OBJECT)
		return kmalloc_pages(size, gfp, site);
	return slab_alloc(kmalloc_caches[0][__kmalloc_index(size, false)], gfp, size, site);
}

void *__kmalloc_noprof(size_t size, gfp_t gfp)
{
	return kmalloc_site(size, gfp, __builtin_return_address(0));
}

void *__kmalloc_node_noprof(DECL_BUCKET_PARAMS(size, b), gfp_t gfp, int node)
{
	return kmalloc_site(size, gfp, __builtin_return_address(0));
}

void *__kmalloc_node_track_caller_noprof(DECL_BUCKET_PARAMS(size, b), gfp_t gfp, int node,
					 unsigned long caller)
{
	return kmalloc_site(size, gfp, (void *)caller);
}

void *__kmalloc_cache_noprof(struct kmem_cache *cache, gfp_t gfp, size_t size)
{
	return kmalloc_site(size, gfp, __builtin_return_address(0));
}

void *__kmalloc_cache_node_noprof(struct kmem_cache *cache, gfp_t gfp, int node, size_t size)
{
	return kmalloc_site(size, gfp, __builtin_return_address(0));
}

void *__kmalloc_large_noprof(size_t size, gfp_t gfp)
{
	return kmalloc_site(size, gfp, __builtin_return_address(0));
}

void *__kmalloc_large_node_noprof(size_t size, gfp_t gfp, int node)
{
	return kmalloc_site(size, gfp, __builtin_return_address(0));
}

void *__kvmalloc_node_noprof(DECL_BUCKET_PARAMS(size, b), gfp_t gfp, int node)
{
	return kmalloc_site(size, gfp, __builtin_return_address(0));
}

void kfree(const void *object)
{
	struct slab_head *slab;

	if (ZERO_OR_NULL_PTR(object))
		return;
	slab = object_slab(object);
	if (slab)
		slab_free(slab, (void *)object);
	else
		__free_pages(virt_to_head_page(object), shim_page_order(virt_to_head_page(object)));
}

void kfree_sensitive(const void *object)
{
	if (!ZERO_OR_NULL_PTR(object))
		memset((void *)object, 0, ksize(object));
	kfree(object);
}

void kvfree(const void *object)
{
	kfree(object);
}

void kvfree_sensitive(const void *object, size_t length)
{
	kfree_sensitive(object);
}

size_t ksize(const void *object)
{
	struct slab_head *slab;

	if (ZERO_OR_NULL_PTR(object))
		return 0;
	slab = object_slab(object);
	if (!slab)
		return PAGE_SIZE << shim_page_order(virt_to_head_page(object));
	/* With red zones only what was asked for may be touched */
	return RED_ZONE ? slab->slots[object_slot(slab, object)].size : slab->cache->object_size;
}

size_t kmalloc_size_roundup(size_t size)
{
	if (!size)
		return 0;
	if (size > MAX_KMALLOC_OBJECT)
		return PAGE_SIZE << get_order(size);
	return kmalloc_sizes[__kmalloc_index(size, false)].size;
}

static void *krealloc_site(const void *old, size_t size, gfp_t gfp, const void *site)
{
	size_t had = ksize(old);
	void *new;

	if (!size) {
		kfree(old);
		return ZERO_SIZE_PTR;
	}
	if (!ZERO_OR_NULL_PTR(old) && had >= size)
		return (void *)old;
	new = kmalloc_site(size, gfp, site);
	if (new && !ZERO_OR_NULL_PTR(old)) {
		memcpy(new, old, min(had, size));
		kfree(old);
	}
	return new;
}

void *krealloc_noprof(const void *old, size_t size, gfp_t gfp)
{
	return krealloc_site(old, size, gfp, __builtin_return_address(0));
}

void *kvrealloc_noprof(const void *old, size_t size, gfp_t gfp)
{
	return krealloc_site(old, size, gfp, __builtin_return_address(0));
}

bool slab_is_available(void)
{
	return slab_ready;
}

/* ---- caches -------------------------------------------------------------------------------- */

struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int object_size,
					    struct kmem_cache_args *args, slab_flags_t flags)
{
	struct kmem_cache *cache;
	unsigned int align = args ? args->align : 0;

	shim_slab_init();
	if (!object_size || object_size > MAX_SLAB_OBJECT || (align && !is_power_of_2(align)))
		return NULL;
	if (flags & SLAB_HWCACHE_ALIGN)
		align = max_t(unsigned int, align, min(64U, roundup_pow_of_two(object_size)));
	cache = slab_alloc(&cache_cache, GFP_KERNEL | __GFP_ZERO, sizeof(*cache),
			   __builtin_return_address(0));
	if (!cache)
		return NULL;
	cache->name = kstrdup_const(name, GFP_KERNEL);
	cache->flags = flags;
	cache->ctor = args ? args->ctor : NULL;
	cache_setup(cache, object_size, max_t(unsigned int, align, sizeof(void *)));
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	struct slab_head *slab, *next;

	if (!cache)
		return;
	shim_slab_drain();
	if (cache->in_use) {
		pr_err("kmem_cache_destroy %s: %lu object(s) still in use\n", cache->name,
		       cache->in_use);
		return;
	}
	list_for_each_entry_safe(slab, next, &cache->partial, node) slab_delete(slab);
	list_del(&cache->node);
	kfree_const(cache->name);
	slab_free(object_slab(cache), cache);
}

int kmem_cache_shrink(struct kmem_cache *cache)
{
	struct slab_head *slab, *next;

	list_for_each_entry_safe(slab, next, &cache->partial, node) if (!slab->in_use)
		slab_delete(slab);
	return 0;
}

unsigned int kmem_cache_size(struct kmem_cache *cache)
{
	return cache->object_size;
}

void *kmem_cache_alloc_noprof(struct kmem_cache *cache, gfp_t gfp)
{
	return slab_alloc(cache, gfp, cache->object_size, __builtin_return_address(0));
}

void *kmem_cache_alloc_node_noprof(struct kmem_cache *cache, gfp_t gfp, int node)
{
	return slab_alloc(cache, gfp, cache->object_size, __builtin_return_address(0));
}

void *kmem_cache_alloc_lru_noprof(struct kmem_cache *cache, struct list_lru *lru, gfp_t gfp)
{
	return slab_alloc(cache, gfp, cache->object_size, __builtin_return_address(0));
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	struct slab_head *slab;

	if (!object)
		return;
	slab = object_slab(object);
	if (!slab || slab->cache != cache)
		panic("slab: object freed to cache %s, which it is not from", cache->name);
	slab_free(slab, object);
}

int kmem_cache_alloc_bulk_noprof(struct kmem_cache *cache, gfp_t gfp, size_t count, void **objects)
{
	size_t i;

	for (i = 0; i < count; i++) {
		objects[i] =
			slab_alloc(cache, gfp, cache->object_size, __builtin_return_address(0));
		if (!objects[i]) {
			kmem_cache_free_bulk(cache, i, objects);
			return 0;
		}
	}
	return (int)count;
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t count, void **objects)
{
	size_t i;

	for (i = 0; i < count; i++)
		kfree(objects[i]);
}

bool kmem_dump_obj(void *object)
{
	struct slab_head *slab = virt_addr_valid(object) ? object_slab(object) : NULL;

	if (!slab)
		return false;
	pr_cont(" slab %s, allocated at shim_mm_init%+d\n", slab->cache->name,
		slab->slots[object_slot(slab, object)].site);
	return true;
}

/* ---- per-CPU and vmalloc ------------------------------------------------------------------- */

/* The kernel is configured for one CPU, where a per-CPU variable is a variable */
void __percpu *pcpu_alloc_noprof(size_t size, size_t align, bool reserved, gfp_t gfp)
{
	size_t bytes = align > 8 ? roundup_pow_of_two(max(size, align)) : size;

	return (void __percpu *)kmalloc_site(bytes, gfp | __GFP_ZERO, __builtin_return_address(0));
}

void free_percpu(void __percpu *object)
{
	kfree((void __force *)object);
}

/*
 * Simulated RAM is mapped as one piece, and the buddy system gives contiguous blocks of any size:
 * no second mapping is needed
 */
void *vmalloc_noprof(unsigned long size)
{
	return size ? kmalloc_pages(size, GFP_KERNEL, __builtin_return_address(0)) : NULL;
}

void *vzalloc_noprof(unsigned long size)
{
	return size ? kmalloc_pages(size, GFP_KERNEL | __GFP_ZERO, __builtin_return_address(0))
		    : NULL;
}

void vfree(const void *object)
{
	kfree(object);
}

/* Only what vmap() gave can be unmapped, and it gives nothing: memory is contiguous as it is */
void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
{
	return NULL;
}

void vunmap(const void *addr)
{
}

bool is_vmalloc_addr(const void *object)
{
	return false;
}

/* ---- what lives as long as the kernel, and what leaked ------------------------------------- */

void shim_mm_keep(const void *object)
{
	struct slab_head *slab = object_slab(object);

	if (slab)
		slab->slots[object_slot(slab, object)].keep = true;
	else
		shim_page_keep(virt_to_head_page(object));
}

static void slab_keep_all(struct list_head *slabs)
{
	struct slab_head *slab;
	unsigned int i;

	list_for_each_entry(slab, slabs, node) for (i = 0; i < slab->cache->objects; i++)
		slab->slots[i]
			.keep = true;
}

void shim_slab_baseline(void)
{
	struct kmem_cache *cache;

	list_for_each_entry(cache, &all_caches, node)
	{
		slab_keep_all(&cache->partial);
		slab_keep_all(&cache->full);
	}
}

struct leak_line {
	s32 site;
	u32 size;
	unsigned int count;
};

#define LEAK_LINES 64

static void leak_add(struct leak_line *lines, unsigned int *used, const struct slot *slot)
{
	unsigned int i;

	for (i = 0; i < *used; i++)
		if (lines[i].site == slot->site && lines[i].size == slot->size)
			break;
	if (i == LEAK_LINES)
		i--; /* the last line takes the rest */
	else if (i == *used)
		lines[(*used)++] = (struct leak_line){slot->site, slot->size, 0};
	lines[i].count++;
}

static int slab_leaks(struct list_head *slabs, struct leak_line *lines, unsigned int *used)
{
	struct slab_head *slab;
	unsigned int i;
	int leaks = 0;

	list_for_each_entry(slab, slabs, node)
	{
		for (i = 0; i < slab->cache->objects; i++) {
			struct slot *slot = &slab->slots[i];

			if (slot->state != SLOT_USED || slot->keep)
				continue;
			leak_add(lines, used, slot);
			leaks++;
		}
	}
	return leaks;
}

int shim_slab_check_leaks(void)
{
	static struct leak_line lines[LEAK_LINES];
	struct kmem_cache *cache;
	unsigned int i, used;
	int leaks = 0;

	list_for_each_entry(cache, &all_caches, node)
	{
		used = 0;
		leaks += slab_leaks(&cache->partial, lines, &used);
		leaks += slab_leaks(&cache->full, lines, &used);
		for (i = 0; i < used; i++)
			pr_err("leak: %u object(s) of %u bytes from %s, allocated at "
			       "shim_mm_init%+d\n",
			       lines[i].count, lines[i].size, cache->name, lines[i].site);
	}
	return leaks;
}
