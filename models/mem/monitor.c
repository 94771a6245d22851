/* SPDX-License-Identifier: BSD-3-Clause */
/* Monitors of memory lines: see monitor.h. */
#include "models/mem/monitor.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#define FIRST_POOL    64u
#define FIRST_BUCKETS 64u
#define NONE	      UINT32_MAX

/* Indices instead of pointers: the arrays grow by realloc. */
struct monitor {
	void (*fn)(void *arg); /* NULL: cancelled while it was about to fire */
	void *arg;
	uint32_t next, prev; /* of the same page; next: free list, firing list */
	uint32_t page;	     /* index of its watched page, NONE while free or firing */
	uint32_t generation; /* makes ids unique */
	uint8_t line;	     /* within the page */
	bool live;
};

struct watched_page {
	uint64_t number;      /* physical address >> MONITOR_PAGE_BITS */
	uint64_t lines;	      /* mask of lines that are watched */
	uint32_t first, last; /* its monitors, oldest first */
	uint32_t next;	      /* in the bucket; free list */
};

struct monitor_table {
	struct monitor *monitors;
	uint32_t monitor_slots, monitor_free;
	struct watched_page *pages;
	uint32_t page_slots, page_free;
	uint32_t page_count;
	uint32_t *buckets;
	uint32_t bucket_count; /* power of two */
	uint64_t count;
};

static void *grow(void *array, size_t count, size_t size)
{
	void *grown = reallocarray(array, count, size);

	if (!grown)
		abort(); /* the host is out of memory */
	return grown;
}

static void grow_monitors(struct monitor_table *table)
{
	uint32_t old = table->monitor_slots;
	uint32_t slots = old ? old * 2 : FIRST_POOL;

	table->monitors = grow(table->monitors, slots, sizeof(*table->monitors));
	for (uint32_t i = slots; i-- > old;) {
		table->monitors[i] = (struct monitor){.next = table->monitor_free, .generation = 1};
		table->monitor_free = i;
	}
	table->monitor_slots = slots;
}

static void grow_pages(struct monitor_table *table)
{
	uint32_t old = table->page_slots;
	uint32_t slots = old ? old * 2 : FIRST_POOL;

	table->pages = grow(table->pages, slots, sizeof(*table->pages));
	for (uint32_t i = slots; i-- > old;) {
		table->pages[i] = (struct watched_page){.next = table->page_free};
		table->page_free = i;
	}
	table->page_slots = slots;
}

static uint32_t *bucket_of(const struct monitor_table *table, uint64_t number)
{
	uint64_t hash = number * UINT64_C(0x9e3779b97f4a7c15);

	return &table->buckets[(hash >> 32) & (table->bucket_count - 1)];
}

static void rehash(struct monitor_table *table, uint32_t bucket_count)
{
	uint32_t *old = table->buckets;
	uint32_t old_count = table->bucket_count;

	table->buckets = grow(NULL, bucket_count, sizeof(*table->buckets));
	table->bucket_count = bucket_count;
	for (uint32_t i = 0; i < bucket_count; i++)
		table->buckets[i] = NONE;
	for (uint32_t i = 0; i < old_count; i++) {
		for (uint32_t page = old[i], next; page != NONE; page = next) {
			uint32_t *bucket = bucket_of(table, table->pages[page].number);

			next = table->pages[page].next;
			table->pages[page].next = *bucket;
			*bucket = page;
		}
	}
	free(old);
}

static uint32_t find_page(const struct monitor_table *table, uint64_t number)
{
	uint32_t page = *bucket_of(table, number);

	while (page != NONE && table->pages[page].number != number)
		page = table->pages[page].next;
	return page;
}

static uint32_t add_page(struct monitor_table *table, uint64_t number)
{
	if (table->page_free == NONE)
		grow_pages(table);
	if (table->page_count == table->bucket_count)
		rehash(table, table->bucket_count * 2);

	uint32_t page = table->page_free;
	uint32_t *bucket = bucket_of(table, number);

	table->page_free = table->pages[page].next;
	table->pages[page] = (struct watched_page){
		.number = number, .first = NONE, .last = NONE, .next = *bucket};
	*bucket = page;
	table->page_count++;
	return page;
}

static void remove_page(struct monitor_table *table, uint32_t page)
{
	uint32_t *link = bucket_of(table, table->pages[page].number);

	while (*link != page)
		link = &table->pages[*link].next;
	*link = table->pages[page].next;
	table->pages[page].next = table->page_free;
	table->page_free = page;
	table->page_count--;
}

/* Takes a monitor out of its page's list; the page's mask is the caller's. */
static void unlink_monitor(struct monitor_table *table, uint32_t index)
{
	struct monitor *monitor = &table->monitors[index];
	struct watched_page *page = &table->pages[monitor->page];

	if (monitor->prev == NONE)
		page->first = monitor->next;
	else
		table->monitors[monitor->prev].next = monitor->next;
	if (monitor->next == NONE)
		page->last = monitor->prev;
	else
		table->monitors[monitor->next].prev = monitor->prev;
	monitor->page = NONE;
	table->count--;
}

static void release_monitor(struct monitor_table *table, uint32_t index)
{
	struct monitor *monitor = &table->monitors[index];

	monitor->live = false;
	monitor->generation++;
	monitor->next = table->monitor_free;
	table->monitor_free = index;
}

static void refresh_page(struct monitor_table *table, uint32_t index)
{
	struct watched_page *page = &table->pages[index];

	if (page->first == NONE) {
		remove_page(table, index);
		return;
	}
	page->lines = 0;
	for (uint32_t i = page->first; i != NONE; i = table->monitors[i].next)
		page->lines |= UINT64_C(1) << table->monitors[i].line;
}

/* Moves the page's monitors of `lines` to a list of their own, in order. Returns its head. */
static uint32_t detach_lines(struct monitor_table *table, uint32_t page, uint64_t lines)
{
	uint32_t head = NONE;
	uint32_t *tail = &head;

	for (uint32_t i = table->pages[page].first, next; i != NONE; i = next) {
		next = table->monitors[i].next;
		if (!(lines >> table->monitors[i].line & 1))
			continue;
		unlink_monitor(table, i);
		table->monitors[i].next = NONE;
		*tail = i;
		tail = &table->monitors[i].next;
	}
	refresh_page(table, page);
	return head;
}

static unsigned int fire(struct monitor_table *table, uint32_t head)
{
	unsigned int fired = 0;

	/* a callback may add monitors, which can move the array, and cancel others of this list */
	for (uint32_t i = head, next; i != NONE; i = next) {
		void (*fn)(void *arg) = table->monitors[i].fn;
		void *arg = table->monitors[i].arg;

		next = table->monitors[i].next;
		release_monitor(table, i);
		if (!fn)
			continue;
		fired++;
		fn(arg);
	}
	return fired;
}

struct monitor_table *monitor_table_new(void)
{
	struct monitor_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->monitor_free = NONE;
	table->page_free = NONE;
	rehash(table, FIRST_BUCKETS);
	return table;
}

void monitor_table_free(struct monitor_table *table)
{
	if (!table)
		return;
	free(table->monitors);
	free(table->pages);
	free(table->buckets);
	free(table);
}

uint64_t monitor_add(struct monitor_table *table, uint64_t pa, void (*fn)(void *arg), void *arg)
{
	uint64_t number = pa >> MONITOR_PAGE_BITS;
	uint32_t page_index = find_page(table, number);

	if (page_index == NONE)
		page_index = add_page(table, number);
	if (table->monitor_free == NONE)
		grow_monitors(table);

	uint32_t index = table->monitor_free;
	struct monitor *monitor = &table->monitors[index];
	struct watched_page *page = &table->pages[page_index];

	table->monitor_free = monitor->next;
	monitor->fn = fn;
	monitor->arg = arg;
	monitor->line = (pa >> MONITOR_LINE_BITS) & 63;
	monitor->page = page_index;
	monitor->next = NONE;
	monitor->prev = page->last;
	monitor->live = true;
	if (page->last == NONE)
		page->first = index;
	else
		table->monitors[page->last].next = index;
	page->last = index;
	page->lines |= UINT64_C(1) << monitor->line;
	table->count++;
	return (uint64_t)monitor->generation << 32 | index;
}

void monitor_cancel(struct monitor_table *table, uint64_t id)
{
	uint32_t index = (uint32_t)id;
	uint32_t generation = (uint32_t)(id >> 32);

	if (index >= table->monitor_slots)
		return;
	struct monitor *monitor = &table->monitors[index];

	if (!monitor->live || monitor->generation != generation)
		return;
	if (monitor->page == NONE) { /* on a list that is being fired */
		monitor->fn = NULL;
		return;
	}
	uint32_t page = monitor->page;

	unlink_monitor(table, index);
	release_monitor(table, index);
	refresh_page(table, page);
}

static uint64_t line_mask(uint64_t pa, uint64_t end)
{
	uint64_t page_base = pa & ~((UINT64_C(1) << MONITOR_PAGE_BITS) - 1);
	unsigned int first = (unsigned int)((pa - page_base) >> MONITOR_LINE_BITS);
	unsigned int last = (unsigned int)((end - 1 - page_base) >> MONITOR_LINE_BITS);

	return (UINT64_MAX >> (63 - (last - first))) << first;
}

unsigned int monitor_written(struct monitor_table *table, uint64_t pa, uint64_t len)
{
	uint64_t end = pa + len;
	unsigned int fired = 0;

	while (table->count && pa < end) {
		uint64_t page_end = ((pa >> MONITOR_PAGE_BITS) + 1) << MONITOR_PAGE_BITS;
		uint64_t upto = page_end < end ? page_end : end;
		uint32_t page = find_page(table, pa >> MONITOR_PAGE_BITS);

		if (page != NONE) {
			uint64_t lines = table->pages[page].lines & line_mask(pa, upto);

			if (lines)
				fired += fire(table, detach_lines(table, page, lines));
		}
		pa = upto;
	}
	return fired;
}

uint64_t monitor_count(const struct monitor_table *table)
{
	return table->count;
}
