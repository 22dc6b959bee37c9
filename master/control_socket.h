/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_socket.h - the master's side of `sealane -s`: who asks, and who still waits for an
 * answer.
 */
#ifndef MASTER_CONTROL_SOCKET_H
#define MASTER_CONTROL_SOCKET_H

#include "master/control_request.h"
#include "shared/list.h"

#include <stdbool.h>
#include <stddef.h>

struct control_client;
struct control_socket;
struct loop;

/* The callee answers with control_client_done, at once or later. */
typedef void control_order_fn(
        void *opaque, const struct control_order *order, struct control_client *client);

/* Mode 0600, in place of one that is left over: the pid file's lock says that nobody uses it. NULL
 * with a reason in `fault`. */
struct control_socket *control_socket_open(struct loop *loop, const char *pid_file,
        control_order_fn *fn, void *opaque, char *fault, size_t fault_size);
/* Removes it from the disk. Clients that wait see the end. NULL is fine. */
void control_socket_close(struct control_socket *control);

/* A client's place in a list of those that wait for the same answer. It leaves by itself when the
 * client goes away. */
struct list *control_client_link(struct control_client *client);
struct control_client *control_client_of(struct list *link);

/* Nobody waits for a client that does not read: what it does not take is lost. */
void control_client_tell(struct control_client *client, enum control_answer kind, const char *text);
/* The last word, and the end of `client`. */
void control_client_done(struct control_client *client, int exit_status);

#endif
