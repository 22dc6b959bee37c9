/* SPDX-License-Identifier: BSD-2-Clause */
/* list_test.c - links in order, taken out anywhere, also while walking. */
#include "shared/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct item {
	int number;
	struct list link;
};

static void check_order(struct list *head, const char *wanted)
{
	char text[32] = "";

	LIST_EACH(each, head)
	{
		size_t length = strlen(text);
		snprintf(text + length, sizeof(text) - length, "%d",
		        LIST_OBJECT(each, struct item, link)->number);
	}
	assert_string_equal(text, wanted);
}

static void links_keep_the_order_they_came_in(void **state)
{
	struct item items[4];
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	check_order(&head, "");
	for (int i = 0; i < 4; i++) {
		items[i].number = i;
		list_append(&head, &items[i].link);
	}
	check_order(&head, "0123");
	list_remove(&items[1].link);
	check_order(&head, "023");
	list_remove(&items[2].link);
	list_remove(&items[1].link); /* again: harmless, also when a neighbour has gone since */
	check_order(&head, "03");
	list_append(&head, &items[2].link);
	list_remove(&items[3].link);
	list_append(&head, &items[3].link);
	check_order(&head, "023");

	list_append(&head, &items[1].link);
	check_order(&head, "0231");
	list_remove(&items[0].link);
	list_remove(&items[1].link);
	check_order(&head, "23");
	assert_false(list_is_empty(&head));
}

static void a_link_may_go_while_the_list_is_walked(void **state)
{
	struct item items[4];
	struct list head;
	int seen = 0;

	(void)state;
	list_init(&head);
	for (int i = 0; i < 4; i++) {
		items[i].number = i;
		list_append(&head, &items[i].link);
	}
	LIST_EACH(each, &head)
	{
		seen++;
		if (LIST_OBJECT(each, struct item, link)->number % 2 == 0)
			list_remove(each);
	}
	assert_int_equal(seen, 4);
	check_order(&head, "13");
	LIST_EACH(each, &head)
	list_remove(each);
	assert_true(list_is_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(links_keep_the_order_they_came_in),
	        cmocka_unit_test(a_link_may_go_while_the_list_is_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
