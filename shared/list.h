/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - a doubly linked list whose links sit inside the listed objects.
 *
 * The list owns nothing. An object is in at most one list by each of its links; taking a link out
 * twice is harmless, since a link that is out points to itself.
 */
#ifndef SHARED_LIST_H
#define SHARED_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *previous;
};

static inline void list_init(struct list *list)
{
	list->next = list->previous = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

static inline void list_append(struct list *list, struct list *link)
{
	link->previous = list->previous;
	link->next = list;
	list->previous->next = link;
	list->previous = link;
}

static inline void list_remove(struct list *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	list_init(link);
}

/* The object that holds `link` as its member `member`. */
#define LIST_OBJECT(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* `each` may be taken out of the list inside the loop. */
#define LIST_EACH(each, head)                                                             \
	for (struct list *each = (head)->next, *each##_next = each->next; each != (head); \
	        each = each##_next, each##_next = each->next)

#endif
