/* SPDX-License-Identifier: BSD-2-Clause */
/* status_json_test.c - the parts of the whole, and that Python's parser takes it. */
#include "master/status_json.h"

#include "shared/upstream_state.h"
#include "tests/support/status_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *json_of(const struct status_rig *rig)
{
	struct status_snapshot snapshot;
	char *text;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	status_snapshot_take(&snapshot, &rig->view);
	status_json_write(file, &snapshot);
	status_snapshot_drop(&snapshot);
	fclose(file);
	return text;
}

static void expect_parts(const char *text, const char *const *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strstr(text, parts[i]))
			fail_msg("missing: %s\nin: %s", parts[i], text);
}

static void python_takes_it(const char *text)
{
	FILE *python = popen("python3 -c 'import json, sys; json.load(sys.stdin)'", "w");

	assert_non_null(python);
	fputs(text, python);
	assert_int_equal(pclose(python), 0);
}

static void all_parts_are_there(void **state)
{
	static const char *const parts[] = {
	        "\"pid\":4711,\"started_at\":1700000000,",
	        "\"configuration\":\"/etc/sealane/\\ufffd\\u0009.ini\",\"healthy\":true,",
	        "\"generations\":[{\"number\":1,\"state\":\"draining\",\"workers\":[{\"slot\":0,"
	        "\"pid\":101,\"state\":\"draining\",\"sessions\":4}]},{\"number\":2,\"state\":"
	        "\"serving\",\"workers\":[{\"slot\":1,\"pid\":100,\"state\":\"paused\","
	        "\"sessions\":0}]}]",
	        "{\"listen\":\"127.0.0.1:6379\",\"section\":\"tcp redis\",\"protocol\":\"tcp\","
	        "\"ssl\":false,\"file\":\"a.ini\",\"line\":3}",
	        "{\"listen\":\"*:443\",\"section\":\"http site\",\"protocol\":\"http\",\"ssl\":"
	        "true,",
	        "\"upstreams\":[{\"name\":\"back\\\"end\\\\\",\"servers\":[{\"server\":\"one."
	        "example.com:443\",\"address\":\"10.0.0.1:443\",\"state\":\"up\",\"backup\":false,"
	        "\"weight\":1,\"attempts\":5,\"failures\":0,",
	        "\"address\":\"10.0.0.2:443\",\"state\":\"out\",",
	        "\"address\":\"-\",\"state\":\"unresolved\",",
	        "{\"name\":\"redis\",\"servers\":[{\"server\":\"[::1]:6379\",\"address\":\"[::1]:"
	        "6379\",\"state\":\"down\",",
	        "{\"section\":\"tcp redis\",\"side\":\"upstream\",\"not_after\":946684800,\"days_"
	        "left\":-",
	        "\"client_handshakes_full\":3,\"client_handshakes_resumed\":0,",
	        "\"connections_closed\":{\"done\":1,",
	        "\"tls_sessions\":{\"upstream\":{\"hits\":0,",
	};
	struct status_rig rig;

	(void)state;
	status_rig_open(&rig);
	struct scoreboard_row *row = status_rig_add_worker(&rig, 1, 2, WORKER_RUNNING);
	struct scoreboard_row *old = status_rig_add_worker(&rig, 0, 1, WORKER_DRAINING);
	atomic_store(&row->paused, 1);
	atomic_store(&old->sessions, 4);
	scoreboard_count(row, STAT_CLIENT_HANDSHAKES_FULL, 3);
	scoreboard_count_close(row, CLOSE_DONE);
	upstream_state_count(rig.upstream_state, 0, UPSTREAM_STAT_ATTEMPTS, 5);
	char *text = json_of(&rig);
	expect_parts(text, parts, sizeof(parts) / sizeof(parts[0]));
	python_takes_it(text);
	free(text);
	status_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_parts_are_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
