/* SPDX-License-Identifier: BSD-2-Clause */
/* config_child_test.c - a configuration read by a child: good, bad, too slow, killed, forgotten. */
#include "master/config_child.h"

#include "master/config_source.h"
#include "master/loop.h"
#include "shared/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
	struct loop *loop;
	struct loop_timer limit;
	char directory[64], file[96];
	struct config_load_options options;
	unsigned calls;
	enum config_outcome outcome;
	char failure[256], message[256];
	char *packed;
	size_t packed_length;
};

static const char good[] = "[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = 127.0.0.1:2\n"
                           "[main]\npid_file = a.pid\nuser = root\n";
static const char bad[] = "[tcp a]\nlissen = 127.0.0.1:1\n";
static const char unresolved[] = "[tcp a]\nlisten = 127.0.0.1:1\nproxy_pass = no.invalid:2\n"
                                 "[main]\npid_file = a.pid\nuser = root\n";

static void on_report(void *opaque, const struct config_report *report, const char *failure)
{
	struct rig *rig = opaque;

	rig->calls++;
	snprintf(rig->failure, sizeof(rig->failure), "%s", failure ? failure : "");
	if (report) {
		rig->outcome = report->outcome;
		if (report->messages.count)
			config_message_format(
			        &report->messages.items[0], rig->message, sizeof(rig->message));
		free(rig->packed);
		rig->packed_length = report->packed.length;
		rig->packed = malloc(rig->packed_length + 1);
		memcpy(rig->packed, report->packed.data, rig->packed_length);
	}
	loop_stop(rig->loop);
}

static void on_limit(struct loop_timer *timer)
{
	loop_stop(LIST_OBJECT(timer, struct rig, limit)->loop);
}

static void run(struct rig *rig, uint64_t limit_ms)
{
	loop_timer_start(&rig->limit, rig->loop, limit_ms, on_limit);
	loop_run(rig->loop);
	loop_timer_stop(&rig->limit);
}

static int open_rig(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	*state = rig;
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/sealane-child-XXXXXX");
	if (!mkdtemp(rig->directory))
		return -1;
	snprintf(rig->file, sizeof(rig->file), "%s/a.ini", rig->directory);
	rig->options = (struct config_load_options){.main_file = rig->file};
	rig->loop = loop_create();
	return rig->loop ? 0 : -1;
}

static int close_rig(void **state)
{
	struct rig *rig = *state;

	unlink(rig->file);
	int result = rmdir(rig->directory);
	loop_destroy(rig->loop);
	free(rig->packed);
	free(rig);
	return result;
}

static void write_file(const struct rig *rig, const char *text)
{
	FILE *file = fopen(rig->file, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void read_all(struct rig *rig, uint64_t limit_ms)
{
	struct config_job job = {.options = &rig->options};

	assert_non_null(config_child_start(rig->loop, &job, limit_ms, on_report, rig));
	run(rig, 10000);
	assert_int_equal(rig->calls, 1);
}

/* What came back, loaded once more without the disk. */
static struct config *load_packed(const struct rig *rig)
{
	struct config_messages messages;
	struct config_source *source = config_source_unpack(
	        (struct slice){rig->packed, rig->packed_length});

	assert_non_null(source);
	config_messages_init(&messages);
	struct config *config = config_load(source, &rig->options, &messages);
	config_messages_clear(&messages);
	config_source_destroy(source);
	return config;
}

static void a_good_one_can_be_loaded_from_what_it_packed(void **state)
{
	struct rig *rig = *state;

	write_file(rig, good);
	read_all(rig, 10000);
	assert_string_equal(rig->failure, "");
	assert_int_equal(rig->outcome, CONFIG_LOADED);
	unlink(rig->file);
	struct config *config = load_packed(rig);
	assert_non_null(config);
	assert_int_equal(config->listener_count, 1);
	config_destroy(config);
}

static void a_bad_one_is_refused_with_its_messages(void **state)
{
	struct rig *rig = *state;

	write_file(rig, bad);
	read_all(rig, 10000);
	assert_int_equal(rig->outcome, CONFIG_REFUSED);
	assert_non_null(strstr(rig->message, "a.ini:2: "));
	assert_non_null(strstr(rig->message, "lissen"));
	assert_int_equal(rig->packed_length, 0);
}

/* Its report is more than the pipe and a read hold: the child cannot end before it is read. */
static void write_large_file(const struct rig *rig)
{
	enum { COMMENTS = 50000 };
	static const char comment[] = "; a comment\n";
	size_t length = sizeof(comment) - 1, used = strlen(good);
	char *text = malloc(used + COMMENTS * length + 1);

	memcpy(text, good, used);
	for (int i = 0; i < COMMENTS; i++, used += length)
		memcpy(text + used, comment, length);
	text[used] = '\0';
	write_file(rig, text);
	free(text);
}

static void one_that_takes_too_long_is_killed(void **state)
{
	struct rig *rig = *state;

	write_large_file(rig);
	read_all(rig, 0);
	assert_non_null(strstr(rig->failure, "took longer than"));
}

static void one_that_is_cancelled_says_nothing(void **state)
{
	struct rig *rig = *state;
	struct config_job job = {.options = &rig->options};

	write_file(rig, good);
	config_child_cancel(config_child_start(rig->loop, &job, 10000, on_report, rig));
	run(rig, 200);
	assert_int_equal(rig->calls, 0);
	config_child_cancel(NULL);
}

/* Files that changed meanwhile don't matter: only names are looked up again. */
static void names_are_looked_up_again_and_files_are_not(void **state)
{
	struct rig *rig = *state;

	write_file(rig, unresolved);
	read_all(rig, 20000);
	assert_int_equal(rig->outcome, CONFIG_LOADED);
	struct config *current = load_packed(rig);
	assert_non_null(current);
	assert_true(current->names_unresolved);
	assert_int_equal(config_child_unresolved(current), 1);

	write_file(rig, bad);
	struct config_job job = {
	        .options = &rig->options,
	        .remembered = {rig->packed, rig->packed_length},
	        .current = current,
	};
	assert_non_null(config_child_start(rig->loop, &job, 20000, on_report, rig));
	run(rig, 20000);
	assert_int_equal(rig->calls, 2);
	assert_int_equal(rig->outcome, CONFIG_SAME_NAMES);
	config_destroy(current);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
	        WITH_RIG(a_good_one_can_be_loaded_from_what_it_packed),
	        WITH_RIG(a_bad_one_is_refused_with_its_messages),
	        WITH_RIG(one_that_takes_too_long_is_killed),
	        WITH_RIG(one_that_is_cancelled_says_nothing),
	        WITH_RIG(names_are_looked_up_again_and_files_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
