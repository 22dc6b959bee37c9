/* SPDX-License-Identifier: BSD-2-Clause */
/* config_template_test.c - texts split at their variables. */
#include "master/config_template.h"

#include "shared/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A template as text: literals in quotes, variables by number and rest. */
static const char *show(const struct template *template, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < template->count; i++) {
		const struct template_part *part = &template->parts[i];
		int length = (int)part->text.length;
		if (part->variable == VARIABLE_NONE)
			used += (size_t)snprintf(
			        buffer + used, size - used, "'%.*s'", length, part->text.data);
		else
			used += (size_t)snprintf(buffer + used, size - used, "<%s:%.*s>",
			        config_variable_name(part->variable), length,
			        length ? part->text.data : "");
	}
	return buffer;
}

static const struct {
	const char *text;
	const char *wanted; /* NULL: refused */
	const char *fault;
} rows[] = {
        {"", "", NULL},
        {"plain text", "'plain text'", NULL},
        {"$host", "<host:>", NULL},
        {"${host}", "<host:>", NULL},
        {"$host$uri", "<host:><uri:>", NULL},
        {"https://$host$request_uri", "'https://'<host:><request_uri:>", NULL},
        {"a${host}b", "'a'<host:>'b'", NULL},
        {"$host-$remote_addr.", "<host:>'-'<remote_addr:>'.'", NULL},
        {"$HOST", "<host:>", NULL},
        {"$http_x", "<http_NAME:x>", NULL},
        {"$http_X_Request_Id!", "<http_NAME:x-request-id>'!'", NULL},
        {"${http_a}b", "<http_NAME:a>'b'", NULL},
        {"$proxy_host", "<proxy_host:>", NULL},
        {"$proxy_add_x_forwarded_for", "<proxy_add_x_forwarded_for:>", NULL},
        {"$ssl_client_s_dn", "<ssl_client_s_dn:>", NULL},
        {"\xc3\xa4$pid\xc3\xb6", "'\xc3\xa4'<pid:>'\xc3\xb6'", NULL},
        {"}{", "'}{'", NULL},
        {"$", NULL, "a '$' without a name; it always begins a variable, like $host"},
        {"costs 5$", NULL, "a '$' without a name; it always begins a variable, like $host"},
        {"$ host", NULL, "a '$' without a name; it always begins a variable, like $host"},
        {"$$host", NULL, "a '$' without a name; it always begins a variable, like $host"},
        {"${}", NULL, "a '${' without a name and a '}' behind it"},
        {"${host", NULL, "a '${' without a name and a '}' behind it"},
        {"${host-}", NULL, "a '${' without a name and a '}' behind it"},
        {"${", NULL, "a '${' without a name and a '}' behind it"},
        {"$hots", NULL, "unknown variable '$hots'; did you mean '$host'?"},
        {"$hostname", NULL, "unknown variable '$hostname'"},
        {"$remote_adr", NULL, "unknown variable '$remote_adr'; did you mean '$remote_addr'?"},
        {"$http_", NULL, "unknown variable '$http_'"},
        {"$1", NULL, "unknown variable '$1'"},
        {"$host$nothing_like_it", NULL, "unknown variable '$nothing_like_it'"},
};

static void texts_are_split(void **state)
{
	(void)state;
	struct arena *arena = arena_create(4096);
	char shown[300], fault[200];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool fine = config_template_check(rows[i].text, fault, sizeof(fault));
		if (fine != (rows[i].wanted != NULL))
			fail_msg("'%s' is %s", rows[i].text, fine ? "taken" : fault);
		if (!fine) {
			assert_string_equal(fault, rows[i].fault);
			continue;
		}
		struct template template = config_template_compile(arena, rows[i].text);
		assert_string_equal(show(&template, shown, sizeof(shown)), rows[i].wanted);
	}
	arena_destroy(arena);
}

static void every_variable_is_known(void **state)
{
	(void)state;
	struct arena *arena = arena_create(4096);
	char text[100], fault[200];

	for (unsigned i = VARIABLE_NONE + 1; i < VARIABLE_COUNT; i++) {
		snprintf(text, sizeof(text), "$%s", config_variable_name((enum variable)i));
		assert_true(config_template_check(text, fault, sizeof(fault)));
		struct template template = config_template_compile(arena, text);
		assert_int_equal(template.count, 1);
		assert_int_equal(template.parts[0].variable, i);
	}
	arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(texts_are_split),
	        cmocka_unit_test(every_variable_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
