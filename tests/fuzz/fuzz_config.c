/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_config.c - text to a configuration, and through its dump to the same one.
 *
 * The input is the main file and up to eight included ones, divided by lines "---". A good
 * configuration is printed, read again and printed again: values and order have to be the same. The
 * source is closed: nothing of the machine is read, no name looked up.
 */
#include "master/config_dump.h"
#include "master/config_load.h"
#include "master/config_source.h"
#include "shared/config.h"
#include "tests/support/pki.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES_MAX = 8, NOBODY = 65534 };

/* Made once: the system's trust, some 140 certificates, would take most of the time. */
static struct slice ca_text(void)
{
	static char *text;

	if (!text) {
		struct pki_certificate *ca = pki_issue(
		        &(struct pki_request){.name = "CA", .ca = true}, NULL);
		text = pki_pem(ca, NULL);
		pki_free(ca);
	}
	return slice_of(text);
}

static void give_files(struct config_source *source, struct slice text)
{
	static const char divider[] = "\n---\n";

	config_source_give(source, "/c/ca.pem", 0600, ca_text());
	for (size_t i = 0; i < FILES_MAX; i++) {
		char path[32];
		const char *end = text.length ? memmem(text.data, text.length, divider, 5) : NULL;
		struct slice part = {text.data, end ? (size_t)(end - text.data) : text.length};
		snprintf(path, sizeof(path), i ? "/c/conf.d/%zu.ini" : "/c/main.ini", i);
		config_source_give(source, path, 0600, part);
		if (!end)
			return;
		text = (struct slice){end + 5, text.length - part.length - 5};
	}
}

static struct config *load(struct config_source *source, struct config_messages *messages)
{
	const struct config_load_options options = {.main_file = "/c/main.ini"};

	return config_load(source, &options, messages);
}

static char *dump(const struct config *config, size_t *length_out)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, length_out);

	if (!file)
		abort();
	config_dump(config, file);
	fclose(file);
	return text;
}

/* In place: without comments, blanks and empty lines. */
static void keep_values(char *text)
{
	char *out = text, *start = text;
	bool quoted = false, comment = false;

	for (; *text; text++) {
		if (*text == '\n')
			comment = quoted = false;
		else if (*text == '\\' && quoted && !comment && text[1])
			*out++ = *text++;
		else if (*text == '"' && !comment)
			quoted = !quoted;
		else if (*text == ';' && !quoted)
			comment = true;
		bool line_is_empty = out == start || out[-1] == '\n';
		if (!comment && (*text != ' ' || quoted) && (*text != '\n' || !line_is_empty))
			*out++ = *text;
	}
	*out = '\0';
}

static void check_again(const struct config *config)
{
	struct config_source *source = config_source_create_closed();
	struct config_messages messages;
	size_t length;
	char *first = dump(config, &length);

	config_messages_init(&messages);
	config_source_give(source, "/c/ca.pem", 0600, ca_text());
	config_source_give(source, "/c/main.ini", 0600, (struct slice){first, length});
	struct config *again = load(source, &messages);
	if (!again) {
		fputs(first, stderr);
		config_messages_print(&messages, stderr, false, true);
		abort();
	}
	char *second = dump(again, &length);
	keep_values(first);
	keep_values(second);
	if (strcmp(first, second) != 0) {
		fprintf(stderr, "%s\nbut again\n%s\n", first, second);
		abort();
	}
	config_destroy(again);
	config_messages_clear(&messages);
	config_source_destroy(source);
	free(second);
	free(first);
}

/* The packed source gives the same verdict. */
static void check_replay(const struct config_source *source, size_t error_count)
{
	struct config_messages messages;
	size_t length;
	void *packed = config_source_pack(source, &length);
	struct config_source *copy = config_source_unpack((struct slice){packed, length});

	if (!copy)
		abort();
	config_messages_init(&messages);
	config_destroy(load(copy, &messages));
	if (messages.error_count != error_count)
		abort();
	config_messages_clear(&messages);
	config_source_destroy(copy);
	free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_source *source = config_source_create_closed();
	struct config_messages messages;

	/* `user` is looked up by root only; the leak checker, afterwards, has to be root again. */
	bool is_root = geteuid() == 0;
	if (is_root && seteuid(NOBODY) != 0)
		abort();
	config_messages_init(&messages);
	give_files(source, (struct slice){(const char *)data, size});
	struct config *config = load(source, &messages);
	if (!config != (messages.error_count > 0))
		abort();
	check_replay(source, messages.error_count);
	if (config)
		check_again(config);
	config_destroy(config);
	config_messages_clear(&messages);
	config_source_destroy(source);
	if (is_root && seteuid(0) != 0)
		abort();
	return 0;
}
