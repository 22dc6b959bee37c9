/* SPDX-License-Identifier: BSD-2-Clause */
/* http_route_test.c - servers by name, locations by path, and what stands in the next request line.
 */
#include "worker/http/http_route.h"

#include "shared/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void server_by_name(void **state)
{
	static const char *const sorted[] = {
	        "a", "a.b", "ab", "example.com", "example.com.au", "xn--bcher-kva.de", "z"};
	static struct config_http https[COUNT(sorted)], standard;
	static struct config_server_name entries[COUNT(sorted)];
	const struct {
		const char *host;
		int index; /* -1: the standard one */
	} rows[] = {{"a", 0}, {"A", 0}, {"a.b", 1}, {"ab", 2}, {"EXAMPLE.com", 3},
	        {"example.com.au", 4}, {"XN--bcher-KVA.de", 5}, {"z", 6}, {"Z.", 6},
	        {"example.com.", 3}, {"example.com..", -1}, {"", -1}, {".", -1}, {"aa", -1},
	        {"zz", -1}, {"0", -1}, {"example.co", -1}, {"example.comm", -1}, {"\xc3\xa9", -1}};

	(void)state;
	for (size_t i = 0; i < COUNT(sorted); i++)
		entries[i] = (struct config_server_name){slice_of(sorted[i]), &https[i]};
	for (size_t count = 0; count <= COUNT(sorted); count++) {
		struct config_http_names names = {&standard, entries, count};
		for (size_t i = 0; i < COUNT(rows); i++) {
			const struct config_http *wanted = rows[i].index < 0 ||
			                                                   (size_t)rows[i].index >=
			                                                           count
			                                           ? &standard
			                                           : &https[rows[i].index];
			if (http_route_server(&names, slice_of(rows[i].host)) != wanted)
				fail_msg("%s among %zu", rows[i].host, count);
		}
	}
}

#define EXACT(text)                                             \
	{                                                       \
		.path = {text, sizeof(text) - 1}, .exact = true \
	}
#define PREFIX(text)                               \
	{                                          \
		.path = { text, sizeof(text) - 1 } \
	}
#define REPLACED(text, by)                                                               \
	{                                                                                \
		.path = {text, sizeof(text) - 1}, .replaces_uri = true, .replacement = { \
			by,                                                              \
			sizeof(by) - 1                                                   \
		}                                                                        \
	}

static void location_by_path(void **state)
{
	static const struct config_location locations[] = {
	        EXACT("/"),
	        EXACT("/up/one"),
	        PREFIX("/upstream/"),
	        PREFIX("/up/one"),
	        REPLACED("/new", "/x/"),
	        REPLACED("/old", "/x/."),
	        PREFIX("/up"),
	        PREFIX("/"),
	};
	static const struct config_location unmatched;
	const struct config_http with_root = {.locations = locations,
	        .location_count = COUNT(locations),
	        .unmatched = &unmatched};
	const struct config_http without_root = {.locations = locations,
	        .location_count = COUNT(locations) - 1,
	        .unmatched = &unmatched};
	const struct {
		const char *path;
		int index, index_without_root; /* -1: unmatched */
	} rows[] = {
	        {"/", 0, 0},
	        {"/x", 7, -1},
	        {"/up/one", 1, 1},
	        {"/up/one/two", 3, 3},
	        {"/up/ones", 3, 3},
	        {"/upstream/x", 2, 2},
	        {"/upstream", 6, 6}, /* a prefix of the text, not of the segments */
	        {"/up", 6, 6},
	        {"/u", 7, -1},
	        {"/UP", 7, -1},
	        {"*", 0, 0}, /* OPTIONS * */
	        {"", 0, 0},
	        /* what would climb out of the replacement, or vanish in it */
	        {"/new", 4, 4},
	        {"/new/a", 4, 4},
	        {"/newer", 4, 4},
	        {"/new../a", 7, -1},
	        {"/new..", 7, -1},
	        {"/new.", 7, -1},
	        {"/new./a", 7, -1},
	        {"/new...", 4, 4},
	        {"/new.a", 4, 4},
	        {"/new..a", 4, 4},
	        {"/old", 7, -1},
	        {"/old./a", 7, -1},
	        {"/old../a", 5, 5},
	        {"/olda", 5, 5},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct config_location *wanted = rows[i].index < 0
		                                               ? &unmatched
		                                               : &locations[rows[i].index];
		if (http_route_location(&with_root, slice_of(rows[i].path)) != wanted)
			fail_msg("%s", rows[i].path);
		wanted = rows[i].index_without_root < 0 ? &unmatched
		                                        : &locations[rows[i].index_without_root];
		if (http_route_location(&without_root, slice_of(rows[i].path)) != wanted)
			fail_msg("%s without /", rows[i].path);
	}
}

static void target_that_goes_on(void **state)
{
	static const struct {
		const char *location, *replacement; /* replacement NULL: as received */
		const char *target, *path, *args;
		const char *wanted;
	} rows[] = {
	        {"/", NULL, "/a%2Fb//../c?x#", "/a/c", "x#", "/a%2Fb//../c?x#"},
	        {"/up/", "/", "/up/a?b=%20", "/up/a", "b=%20", "/a?b=%20"},
	        {"/up", "/", "/up", "/up", "", "/"},
	        {"/up", "/new", "/up/a", "/up/a", "", "/new/a"},
	        {"/up/", "/new/", "/up/", "/up/", "", "/new/"},
	        {"/up/", "/new", "/up/a", "/up/a", "", "/newa"}, /* nginx's too */
	        {"/up", "/new", "/upstream", "/upstream", "", "/newstream"},
	        {"/up", "/new/", "/up/a", "/up/a", "", "/new/a"},
	        {"/up", "/", "/up//a", "/up/a", "", "/a"},
	        /* the path is normalised, so the target's own spelling is gone */
	        {"/up/", "/new/", "/x/../up/%61", "/up/a", "", "/new/a"},
	        {"/up/", "/new/", "/up/a?", "/up/a", "", "/new/a"},
	        {"/up/", "/new/", "/up/a??", "/up/a", "?", "/new/a??"},
	        /* nginx's set */
	        {"/up/", "/n/", "", "/up/ \"#%<>?", "", "/n/%20%22%23%25%3C%3E%3F"},
	        {"/up/", "/n/", "", "/up/\\^`{|}", "", "/n/%5C%5E%60%7B%7C%7D"},
	        {"/up/", "/n/", "", "/up/\x01\n\x1f\x7f", "", "/n/%01%0A%1F%7F"},
	        {"/up/", "/n/", "", "/up/\x80\xc3\xa9\xff", "", "/n/%80%C3%A9%FF"},
	        {"/up/", "/n/", "", "/up/az09-._~!$&'()*+,;=:@/[]", "",
	                "/n/az09-._~!$&'()*+,;=:@/[]"},
	        {"/up/", "/n%20/", "", "/up/a", "", "/n%20/a"}, /* as configured */
	        {"/", "/n/", "*", "*", "", "*"},
	        {"/", "/n/", "*", "/", "", "*"},
	};

	struct arena *arena = arena_create(4096);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *target = *rows[i].target ? rows[i].target : "/any";
		struct config_location location = {.path = slice_of(rows[i].location),
		        .replaces_uri = rows[i].replacement != NULL,
		        .replacement = slice_of(rows[i].replacement)};
		struct http_head head = {.target = slice_of(target),
		        .path = slice_of(rows[i].path),
		        .args = slice_of(rows[i].args)};
		struct slice got = http_route_target(&location, &head, arena);
		if (!slice_equal(got, slice_of(rows[i].wanted)))
			fail_msg("row %zu: %.*s", i, (int)got.length, got.data);
	}
	arena_destroy(arena);
}

/* Each byte becomes three; longer than the arena has room for, so that it has memory of its own. */
static void a_path_that_is_all_escapes_has_room(void **state)
{
	enum { LONG = 100000 };
	struct config_location location = {
	        .path = SLICE("/"), .replacement = SLICE("/"), .replaces_uri = true};
	struct arena *arena = arena_create(4096);
	char *path = malloc(LONG);

	(void)state;
	assert_non_null(path);
	memset(path, 0xff, LONG);
	path[0] = '/';
	struct http_head head = {.target = SLICE("/"), .path = {path, LONG}, .args = SLICE("a=b")};
	struct slice target = http_route_target(&location, &head, arena);
	assert_int_equal(target.length, 1 + 3 * (LONG - 1) + 4);
	assert_true(slice_ends_with(target, SLICE("%FF%FF?a=b")));
	free(path);
	arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(server_by_name),
	        cmocka_unit_test(location_by_path),
	        cmocka_unit_test(target_that_goes_on),
	        cmocka_unit_test(a_path_that_is_all_escapes_has_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
