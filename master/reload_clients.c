/* SPDX-License-Identifier: BSD-2-Clause */
/* reload_clients.c - two lists, of which a client leaves by itself when it goes away. */
#include "master/reload_clients.h"

#include "master/config_load.h"
#include "master/control_socket.h"
#include "shared/log.h"

#include <stdio.h>

void reload_clients_init(struct reload_clients *clients)
{
	list_init(&clients->now);
	list_init(&clients->next);
}

void reload_clients_add(struct reload_clients *clients, struct control_client *client)
{
	control_client_tell(client, ANSWER_PROGRESS, "waiting for the reload before this one");
	list_append(&clients->next, control_client_link(client));
}

void reload_clients_take_next(struct reload_clients *clients)
{
	LIST_EACH(link, &clients->next)
	{
		list_remove(link);
		list_append(&clients->now, link);
	}
}

static void tell(struct reload_clients *clients, enum control_answer kind, const char *text)
{
	LIST_EACH(link, &clients->now)
	control_client_tell(control_client_of(link), kind, text);
}

void reload_clients_progress(struct reload_clients *clients, const char *text)
{
	tell(clients, ANSWER_PROGRESS, text);
}

void reload_clients_tell(struct reload_clients *clients, const char *text)
{
	tell(clients, ANSWER_MESSAGE, text);
}

void reload_clients_tell_messages(
        struct reload_clients *clients, const struct config_messages *messages)
{
	char line[CONTROL_TEXT_MAX];
	size_t errors_told = 0;

	for (size_t i = 0; i < messages->count; i++) {
		const struct config_message *message = &messages->items[i];
		config_message_format(message, line, sizeof(line));
		errors_told += message->severity == CONFIG_ERROR;
		log_write(config_message_level(message), "%s", line);
		tell(clients, ANSWER_MESSAGE, line);
	}
	if (messages->error_count <= errors_told)
		return;
	snprintf(line, sizeof(line), "and %zu more errors", messages->error_count - errors_told);
	log_write(LOG_ERROR, "%s", line);
	tell(clients, ANSWER_MESSAGE, line);
}

void reload_clients_done(struct reload_clients *clients, int exit_status)
{
	LIST_EACH(link, &clients->now)
	control_client_done(control_client_of(link), exit_status);
}
