/* SPDX-License-Identifier: BSD-2-Clause */
/* reload_clients.h - who waits for the verdict of a reload, and what is said to them. */
#ifndef MASTER_RELOAD_CLIENTS_H
#define MASTER_RELOAD_CLIENTS_H

#include "shared/list.h"

struct config_messages;
struct control_client;

struct reload_clients {
	struct list now; /* wait for the reload that is under way */
	struct list next; /* for the one after it, which will read their files */
};

void reload_clients_init(struct reload_clients *clients);
/* Waits for the next reload. */
void reload_clients_add(struct reload_clients *clients, struct control_client *client);
/* The next reload begins. */
void reload_clients_take_next(struct reload_clients *clients);

/* To those of the reload under way: what is being waited for; a line. */
void reload_clients_progress(struct reload_clients *clients, const char *text);
void reload_clients_tell(struct reload_clients *clients, const char *text);
/* Each message, to the error log as well. */
void reload_clients_tell_messages(
        struct reload_clients *clients, const struct config_messages *messages);
/* Their verdict, as an exit status; they wait no longer. */
void reload_clients_done(struct reload_clients *clients, int exit_status);

#endif
