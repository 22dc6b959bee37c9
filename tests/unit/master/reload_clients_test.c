/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload_clients_test.c - who hears what, with real clients of a real control socket.
 *
 * Each client's answers are written down as the packets it got, one after another: kind, text, "|".
 */
#include "master/reload_clients.h"

#include "master/config_load.h"
#include "master/control_socket.h"
#include "master/loop.h"
#include "master/unix_path.h"
#include "shared/log.h"
#include "shared/log_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { TURN_MS = 10, TEXT_SIZE = 4 * CONTROL_TEXT_MAX };

#define WAITING "pwaiting for the reload before this one|"

struct rig {
	char directory[64], pid_file[80], socket_path[80];
	struct loop *loop;
	struct control_socket *control;
	struct loop_timer limit;
	struct reload_clients clients;
	struct log_file log;
	int log_reader;
};

static void on_order(void *opaque, const struct control_order *order, struct control_client *client)
{
	struct rig *rig = opaque;

	assert_int_equal(order->request, REQUEST_RELOAD);
	reload_clients_add(&rig->clients, client);
}

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char fault[256];
	int pipes[2];

	strcpy(rig->directory, "/tmp/reload_clients_test.XXXXXX");
	if (!mkdtemp(rig->directory) || pipe2(pipes, O_NONBLOCK | O_CLOEXEC) != 0)
		return -1;
	snprintf(rig->pid_file, sizeof(rig->pid_file), "%s/a.pid", rig->directory);
	snprintf(rig->socket_path, sizeof(rig->socket_path), "%s/a.sock", rig->directory);
	rig->loop = loop_create();
	rig->control = control_socket_open(
	        rig->loop, rig->pid_file, on_order, rig, fault, sizeof(fault));
	reload_clients_init(&rig->clients);
	rig->log = (struct log_file){.path = "pipe", .fd = -1};
	log_file_replace(&rig->log, pipes[1]);
	rig->log_reader = pipes[0];
	log_set_sinks(&(struct log_sink){&rig->log, LOG_DEBUG}, 1);
	*state = rig;
	return rig->control ? 0 : -1;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	log_set_sinks(NULL, 0);
	log_file_close(&rig->log);
	close(rig->log_reader);
	control_socket_close(rig->control);
	loop_timer_stop(&rig->limit);
	loop_destroy(rig->loop);
	int result = rmdir(rig->directory);
	free(rig);
	return result;
}

static void on_limit(struct loop_timer *timer)
{
	loop_stop(LIST_OBJECT(timer, struct rig, limit)->loop);
}

/* Whatever has arrived at the control socket is taken. */
static void turn(struct rig *rig)
{
	loop_timer_start(&rig->limit, rig->loop, TURN_MS, on_limit);
	loop_run(rig->loop);
}

static size_t count(const struct list *list)
{
	size_t number = 0;

	LIST_EACH(link, list)
	number++;
	return number;
}

/* A client that has asked for a reload, and waits in `next`. */
static int ask(struct rig *rig)
{
	struct sockaddr_un address;
	int directory, fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	size_t before = count(&rig->clients.next);

	assert_true(unix_path_address(rig->socket_path, &address, &directory));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, "reload", 6, 0), 6);
	for (int i = 0; i < 100 && count(&rig->clients.next) == before; i++)
		turn(rig);
	assert_int_equal(count(&rig->clients.next), before + 1);
	return fd;
}

/* What it has been told since; ends with "." where it was let go. */
static const char *heard(int fd)
{
	static char text[TEXT_SIZE];
	size_t used = 0;
	ssize_t got;

	while ((got = recv(fd, text + used, sizeof(text) - used - 2, MSG_DONTWAIT)) > 0) {
		used += (size_t)got;
		text[used++] = '|';
	}
	if (got == 0)
		text[used++] = '.';
	text[used] = '\0';
	return text;
}

static const char *logged(struct rig *rig)
{
	static char text[TEXT_SIZE];
	ssize_t got = read(rig->log_reader, text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void a_client_waits_for_the_next_reload_and_gets_its_verdict(void **state)
{
	struct rig *rig = *state;
	int fd = ask(rig);

	assert_string_equal(heard(fd), WAITING);
	reload_clients_progress(&rig->clients, "nobody's business");
	reload_clients_tell(&rig->clients, "nobody's either");
	reload_clients_done(&rig->clients, 9); /* of a reload that began before it asked */
	assert_string_equal(heard(fd), "");

	reload_clients_take_next(&rig->clients);
	assert_true(list_is_empty(&rig->clients.next));
	reload_clients_progress(&rig->clients, "reading");
	reload_clients_tell(&rig->clients, "done it");
	reload_clients_done(&rig->clients, 4);
	assert_string_equal(heard(fd), "preading|mdone it|d4|.");
	assert_true(list_is_empty(&rig->clients.now));
	close(fd);
}

static void who_asks_during_a_reload_waits_for_another(void **state)
{
	struct rig *rig = *state;
	int first = ask(rig), second = ask(rig);

	reload_clients_take_next(&rig->clients);
	int late = ask(rig);
	assert_int_equal(count(&rig->clients.now), 2);
	reload_clients_done(&rig->clients, 0);
	assert_string_equal(heard(first), WAITING "d0|.");
	assert_string_equal(heard(second), WAITING "d0|.");
	assert_string_equal(heard(late), WAITING);

	reload_clients_take_next(&rig->clients);
	reload_clients_done(&rig->clients, 4);
	assert_string_equal(heard(late), "d4|.");
	close(first);
	close(second);
	close(late);
}

/* Nobody is left in a list whose memory has gone. */
static void a_client_that_goes_away_is_forgotten(void **state)
{
	struct rig *rig = *state;
	int first = ask(rig), second = ask(rig), third = ask(rig);

	close(second);
	turn(rig);
	assert_int_equal(count(&rig->clients.next), 2);
	reload_clients_take_next(&rig->clients);
	close(first);
	turn(rig);
	assert_int_equal(count(&rig->clients.now), 1);
	reload_clients_tell(&rig->clients, "who is there?");
	reload_clients_done(&rig->clients, 0);
	assert_string_equal(heard(third), WAITING "mwho is there?|d0|.");
	close(third);
}

static void messages_go_to_clients_and_to_the_log(void **state)
{
	struct rig *rig = *state;
	struct config_origin origin = {.file = "site.ini", .line = 7};
	struct config_messages messages;
	int fd = ask(rig);

	heard(fd);
	reload_clients_take_next(&rig->clients);
	config_messages_init(&messages);
	config_messages_add(&messages, CONFIG_NOTICE, &origin, "by the way");
	config_messages_add(&messages, CONFIG_WARNING, &origin, "beware");
	config_messages_add(&messages, CONFIG_ERROR, &origin, "unknown key");
	reload_clients_tell_messages(&rig->clients, &messages);
	config_messages_clear(&messages);
	assert_string_equal(heard(fd), "mnotice: site.ini:7: by the way|"
	                               "mwarning: site.ini:7: beware|"
	                               "msite.ini:7: unknown key|");
	const char *log = logged(rig);
	assert_non_null(strstr(log, "[notice]"));
	assert_non_null(strstr(log, "[warn]"));
	assert_non_null(strstr(log, "[error]"));
	assert_non_null(strstr(log, "site.ini:7: unknown key"));
	assert_null(strstr(log, "more errors"));
	close(fd);
}

static void errors_that_were_not_kept_are_counted(void **state)
{
	struct rig *rig = *state;
	struct config_messages messages;
	int fd = ask(rig);

	heard(fd);
	reload_clients_take_next(&rig->clients);
	config_messages_init(&messages);
	config_messages_add(&messages, CONFIG_NOTICE, NULL, "by the way");
	for (unsigned line = 1; line <= 25; line++) {
		struct config_origin origin = {.file = "site.ini", .line = line};
		config_messages_add(&messages, CONFIG_ERROR, &origin, "unknown key");
	}
	reload_clients_tell_messages(&rig->clients, &messages);
	config_messages_clear(&messages);
	assert_non_null(strstr(heard(fd), "msite.ini:20: unknown key|mand 5 more errors|"));
	assert_non_null(strstr(logged(rig), "and 5 more errors"));
	close(fd);
}

static void the_log_is_told_even_if_nobody_waits(void **state)
{
	struct rig *rig = *state;
	struct config_messages messages;

	config_messages_init(&messages);
	config_messages_add(&messages, CONFIG_ERROR, NULL, "no such file");
	reload_clients_tell_messages(&rig->clients, &messages);
	config_messages_clear(&messages);
	assert_non_null(strstr(logged(rig), "no such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                a_client_waits_for_the_next_reload_and_gets_its_verdict, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                who_asks_during_a_reload_waits_for_another, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                a_client_that_goes_away_is_forgotten, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                messages_go_to_clients_and_to_the_log, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                errors_that_were_not_kept_are_counted, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(
	                the_log_is_told_even_if_nobody_waits, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
