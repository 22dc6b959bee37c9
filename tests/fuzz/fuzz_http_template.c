/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_http_template.c - variables made of hostile bytes, and the heads that they go into.
 *
 * Every byte may stand where a client or a certificate has a say, even those that the parser would
 * refuse. No value holds a control byte, a template is the sum of its parts, and a rule whose value
 * was made so adds one line to a head, or none.
 */
#include "shared/arena.h"
#include "tests/support/http_rig.h"
#include "worker/http/http_fields.h"
#include "worker/http/http_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS_MAX = 12, FIELDS_MAX = 24, INPUT_MAX = 4096, HEAD_MAX = 1 << 18 };

struct input {
	const uint8_t *data;
	size_t size;
};

static _Noreturn void differ(const char *what, struct slice text)
{
	fprintf(stderr, "%s: %.*s\n", what, (int)text.length, text.data);
	abort();
}

static unsigned take_byte(struct input *input)
{
	if (input->size == 0)
		return 0;
	input->size--;
	return *input->data++;
}

/* Up to 31 bytes, as they are; now and then many. */
static struct slice take_text(struct input *input)
{
	size_t length = take_byte(input);

	length = length < 0xf0 ? length % 32 : length;
	if (length > input->size)
		length = input->size;
	struct slice text = {(const char *)input->data, length};
	input->data += length;
	input->size -= length;
	return text;
}

static struct slice take_name(struct input *input)
{
	static const char *const names[] = {"X-Forwarded-For", "x-forwarded-for", "Cookie", "Host",
	        "X-A", "x-a", "X_A", "Connection", "TE", "Content-Length", "Referer", "X-B"};

	return slice_of(names[take_byte(input) % (sizeof(names) / sizeof(names[0]))]);
}

static void fill_request(struct http_rig *rig, struct input *input)
{
	struct http_head *head = &rig->head;
	size_t count = take_byte(input) % FIELDS_MAX;

	for (size_t i = 0; i < count; i++)
		rig->fields[head->field_count++] = (struct http_field){
		        take_name(input), take_text(input)};
	head->path = take_text(input);
	head->args = take_text(input);
	head->target = take_text(input);
	head->host = take_text(input);
	head->connection = take_text(input);
	rig->session.facts.client_tls.protocol = take_byte(input) % 2 ? "TLSv1.3" : NULL;
	rig->session.facts.client_tls.cipher = "X";
}

static void take_parts(struct input *input, struct template *template, struct arena *arena)
{
	struct template_part *parts = arena_alloc_array(arena, PARTS_MAX, sizeof(*parts));

	template->parts = parts;
	template->count = take_byte(input) % PARTS_MAX;
	for (size_t i = 0; i < template->count; i++) {
		parts[i].variable = (enum variable)(take_byte(input) % VARIABLE_COUNT);
		parts[i].text = parts[i].variable == VARIABLE_HTTP ? take_name(input)
		                                                   : take_text(input);
	}
}

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == '\x7f';
}

static void check_template(const struct http_rig *rig, const struct template *template)
{
	struct slice whole = http_template(&rig->facts, template, rig->arena);
	size_t used = 0;

	for (size_t i = 0; i < template->count; i++) {
		const struct template_part *part = &template->parts[i];
		struct slice value = part->text;
		if (part->variable != VARIABLE_NONE) {
			value = http_variable(&rig->facts, part->variable, part->text, rig->arena);
			for (size_t j = 0; j < value.length; j++)
				if (is_control(value.data[j]))
					differ("a control byte", value);
		}
		if (value.length > whole.length - used ||
		        !slice_equal(value, (struct slice){whole.data + used, value.length}))
			differ("not the sum of its parts", whole);
		used += value.length;
	}
	if (used != whole.length)
		differ("more than its parts", whole);
}

static size_t lines_wanted(const struct http_rig *rig)
{
	const struct config_location *location = &rig->location;
	struct http_field_filter filter;
	size_t lines = 4; /* request line, Host, Connection, the empty one */

	http_field_filter_init(
	        &filter, &rig->head, location->header_rules, location->header_rule_count);
	for (size_t i = 0; i < rig->head.field_count; i++)
		lines += http_field_passes(&filter, rig->fields[i].name);
	for (size_t i = 0; i < location->header_rule_count; i++) {
		const struct config_header_rule *rule = &location->header_rules[i];
		if (!slice_equal_nocase(rule->name, SLICE("host")) &&
		        http_template(&rig->facts, &rule->value, rig->arena).length)
			lines++;
	}
	return lines;
}

/* What the parser lets through of values; all else stays hostile. */
static void tame_fields(struct http_rig *rig)
{
	for (size_t i = 0; i < rig->head.field_count; i++) {
		struct slice *value = &rig->fields[i].value;
		char *copy = arena_copy(rig->arena, *value);
		for (size_t j = 0; j < value->length; j++)
			if (is_control(copy[j]))
				copy[j] = '?';
		value->data = copy;
	}
}

static void check_head(struct http_rig *rig)
{
	static char out[HEAD_MAX];
	struct http_request_form form = {
	        .target = SLICE("/"), .default_host = SLICE("h"), .keep_alive = false};

	tame_fields(rig);
	size_t length = http_write_request(&rig->facts, &form, rig->arena, out, sizeof(out));
	if (length > sizeof(out))
		differ("too long", SLICE(""));
	struct slice head = {out, length}, line, rest = head;
	size_t lines = 0;
	while (slice_split(rest, '\n', &line, &rest)) {
		lines++;
		if (!slice_ends_with(line, SLICE("\r")))
			differ("a bare LF", head);
		for (size_t i = 0; i + 1 < line.length; i++)
			if (is_control(line.data[i]))
				differ("a control byte in a head", head);
	}
	if (line.length || lines != lines_wanted(rig))
		differ("another number of lines", head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct http_rig rig;

	if (size > INPUT_MAX)
		return 0;
	http_rig_init(&rig);
	fill_request(&rig, &input);
	for (size_t i = 0; i < 4; i++) {
		rig.rules[i].name = i ? take_name(&input) : SLICE("Host");
		take_parts(&input, &rig.rules[i].value, rig.arena);
		check_template(&rig, &rig.rules[i].value);
		rig.location.header_rule_count++;
	}
	check_head(&rig);
	http_rig_destroy(&rig);
	return 0;
}
