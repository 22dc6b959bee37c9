/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/config_rig.h"

#include "master/config_dump.h"
#include "shared/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOBODY = 65534 };

void config_rig_open(struct config_rig *rig)
{
	*rig = (struct config_rig){
	        .source = config_source_create_closed(),
	        .options = {.main_file = "/c/main.ini"},
	};
	config_messages_init(&rig->messages);
}

void config_rig_close(struct config_rig *rig)
{
	config_destroy(rig->config);
	config_messages_clear(&rig->messages);
	config_source_destroy(rig->source);
}

void config_rig_give_mode(struct config_rig *rig, const char *name, mode_t mode, struct slice text)
{
	char path[256];

	snprintf(path, sizeof(path), "/c/%s", name);
	config_source_give(rig->source, path, mode, text);
}

void config_rig_give(struct config_rig *rig, const char *name, struct slice text)
{
	config_rig_give_mode(rig, name, 0600, text);
}

/* `text` moves into rig->shown, less every "/c/". */
static const char *show(struct config_rig *rig, const char *text)
{
	char *out = rig->shown;

	while (*text) {
		if (strncmp(text, "/c/", 3) == 0) {
			text += 3;
			continue;
		}
		CHECK(out < rig->shown + RIG_SHOWN_MAX - 1);
		*out++ = *text++;
	}
	*out = '\0';
	return rig->shown;
}

const char *config_rig_load(struct config_rig *rig)
{
	char *text = NULL;
	size_t size = 0;

	config_destroy(rig->config);
	config_messages_clear(&rig->messages);
	rig->config = config_load(rig->source, &rig->options, &rig->messages);
	FILE *file = open_memstream(&text, &size);
	CHECK(file);
	config_messages_print(&rig->messages, file, false, false);
	CHECK(fclose(file) == 0);
	if (size)
		text[size - 1] = '\0'; /* the last new line */
	show(rig, text);
	free(text);
	return rig->shown;
}

const char *config_rig_load_text(struct config_rig *rig, const char *text)
{
	config_rig_open(rig);
	config_rig_give(rig, "main.ini", slice_of(text));
	return config_rig_load(rig);
}

const char *config_rig_dump(struct config_rig *rig)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	CHECK(file && rig->config);
	config_dump(rig->config, file);
	CHECK(fclose(file) == 0);
	show(rig, text);
	free(text);
	return rig->shown;
}

void config_rig_check(const struct config_rig_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct config_rig *rig = calloc(1, sizeof(*rig));
		CHECK(rig);
		const char *got = config_rig_load_text(rig, rows[i].text);
		if (strcmp(got, rows[i].wanted) != 0)
			fail_msg("row %zu:\n%s\ngives:\n%s\nnot:\n%s", i, rows[i].text, got,
			        rows[i].wanted);
		assert_true(!rig->config == (rig->messages.error_count > 0));
		config_rig_close(rig);
		free(rig);
	}
}

int config_rig_drop_root(void **state)
{
	(void)state;
	return geteuid() == 0 ? seteuid(NOBODY) : 0;
}

int config_rig_regain_root(void **state)
{
	(void)state;
	return getuid() == 0 ? seteuid(0) : 0;
}
