/* SPDX-License-Identifier: BSD-2-Clause */
/* config_report_test.c - a report survives the pipe, and half of one is none. */
#include "master/config_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *encode_sample(size_t *length_out)
{
	struct config_report report = {.outcome = CONFIG_LOADED, .packed = SLICE("packed\0bytes")};
	struct config_origin origin = {.file = "site.ini", .line = 12};

	config_messages_init(&report.messages);
	config_messages_add(&report.messages, CONFIG_NOTICE, &origin, "TLSv1 is on");
	config_messages_add(&report.messages, CONFIG_WARNING, NULL, "%s", "no name: 100%");
	void *bytes = config_report_encode(&report, length_out);
	config_messages_clear(&report.messages);
	return bytes;
}

static void what_goes_in_comes_out(void **state)
{
	struct config_report report;
	size_t length;
	char line[256];
	char *bytes = encode_sample(&length);

	(void)state;
	assert_true(config_report_decode((struct slice){bytes, length}, &report));
	assert_int_equal(report.outcome, CONFIG_LOADED);
	assert_true(slice_equal(report.packed, SLICE("packed\0bytes")));
	assert_int_equal(report.messages.count, 2);
	assert_string_equal(config_message_format(&report.messages.items[0], line, sizeof(line)),
	        "notice: site.ini:12: TLSv1 is on");
	assert_string_equal(config_message_format(&report.messages.items[1], line, sizeof(line)),
	        "warning: no name: 100%");
	assert_int_equal(report.messages.warning_count, 1);
	config_messages_clear(&report.messages);
	free(bytes);
}

static void errors_that_were_only_counted_stay_counted(void **state)
{
	struct config_report report = {.outcome = CONFIG_REFUSED}, decoded;
	size_t length;

	(void)state;
	config_messages_init(&report.messages);
	for (unsigned i = 0; i < 33; i++)
		config_messages_add(&report.messages, CONFIG_ERROR,
		        &(struct config_origin){"a.ini", i + 1}, "fault");
	void *bytes = config_report_encode(&report, &length);
	assert_true(config_report_decode((struct slice){bytes, length}, &decoded));
	assert_int_equal(decoded.messages.error_count, 33);
	assert_int_equal(decoded.messages.count, report.messages.count);
	config_messages_clear(&decoded.messages);
	config_messages_clear(&report.messages);
	free(bytes);
}

static void cut_anywhere_it_is_no_report(void **state)
{
	struct config_report report;
	size_t length;
	char *bytes = encode_sample(&length);

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		char *part = malloc(cut + 1); /* of its own, so that ASan sees each step too far */
		memcpy(part, bytes, cut);
		assert_false(config_report_decode((struct slice){part, cut}, &report));
		free(part);
	}
	free(bytes);
}

static void flipped_bytes_do_no_harm(void **state)
{
	struct config_report report;
	size_t length;
	char *bytes = encode_sample(&length);

	(void)state;
	for (size_t i = 0; i < length; i++) {
		bytes[i] = (char)~bytes[i];
		if (config_report_decode((struct slice){bytes, length}, &report))
			config_messages_clear(&report.messages);
		bytes[i] = (char)~bytes[i];
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_goes_in_comes_out),
	        cmocka_unit_test(errors_that_were_only_counted_stay_counted),
	        cmocka_unit_test(cut_anywhere_it_is_no_report),
	        cmocka_unit_test(flipped_bytes_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
