/* SPDX-License-Identifier: BSD-3-Clause */
/* Intrusive doubly linked list: an element embeds a link and can be on one list per link. */
#ifndef MODELS_ACCEL_LIST_H
#define MODELS_ACCEL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
	struct link *prev, *next; /* next is NULL while on no list */
};

static inline void list_init(struct link *list)
{
	list->prev = list->next = list;
}

static inline bool list_empty(const struct link *list)
{
	return list->next == list;
}

static inline bool link_on_list(const struct link *link)
{
	return link->next != NULL;
}

static inline void list_append(struct link *list, struct link *link)
{
	link->prev = list->prev;
	link->next = list;
	list->prev->next = link;
	list->prev = link;
}

/* The analyzer does not know that a list's elements differ and that what was removed is not found again. */
static inline void link_remove(struct link *link)
{
	link->prev->next = link->next; /* NOLINT(clang-analyzer-*) */
	link->next->prev = link->prev;
	link->prev = link->next = NULL;
}

/* The first element's link, taken off; NULL if the list is empty. */
static inline struct link *list_pop(struct link *list)
{
	struct link *first = list->next;

	if (first == list)
		return NULL;
	link_remove(first); /* NOLINT(clang-analyzer-*) */
	return first;
}

#define LINK_OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

#endif
