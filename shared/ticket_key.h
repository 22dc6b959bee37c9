/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ticket_key.h - the base key of all session tickets that we give to clients.
 *
 * The story of a ticket key. The master makes 64 random bytes at start; they stay in their own
 * locked page of shared memory, across reloads and for all generations of workers. A worker never
 * uses them as they are: for each client it derives the key of the listener's policy from them
 * (tls_ticket_key), so that a ticket which one policy gave is unknown to any other. From that key
 * and the clock GnuTLS makes the keys that really encrypt, a new one every three session
 * time-outs, accepting the last one too. So any worker can open any worker's ticket, and nothing
 * has to be told to anybody when the time comes.
 *
 * What GnuTLS derives is no safer than the base key. ticket_key_publish replaces that: workers read
 * it afresh for each session, and tickets made from the old one are unknown at once, which costs
 * their owners a full handshake and no error.
 */
#ifndef SHARED_TICKET_KEY_H
#define SHARED_TICKET_KEY_H

#include <stdint.h>

enum { TICKET_KEY_BYTES = 64 };

struct ticket_key;

/* A segment with a random key. NULL with errno. Only the process that created it destroys it; NULL
 * is fine. */
struct ticket_key *ticket_key_create(void);
void ticket_key_destroy(struct ticket_key *ticket_key);

/* The master alone: from now on everybody reads this key. Dying in the middle leaves the old one.
 */
void ticket_key_publish(struct ticket_key *ticket_key, const uint8_t bytes[TICKET_KEY_BYTES]);

/* The present key, whole. Wipe it after use. */
void ticket_key_read(const struct ticket_key *ticket_key, uint8_t bytes_out[TICKET_KEY_BYTES]);

#endif
