/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_priority.h - from an evaluated cipher list to what GnuTLS makes of it.
 *
 * Internal to the cipher strings: others use tls_ciphers.h, which declares tls_ciphers_to_priority.
 */
#ifndef SHARED_TLS_PRIORITY_H
#define SHARED_TLS_PRIORITY_H

#include "shared/tls_ciphers.h"

#include <stdbool.h>

/* False when a protocol below TLS 1.3 is on and none of them can use a suite of the list. */
bool tls_priority_usable(const struct tls_cipher_list *list, unsigned protocols);

/* What GnuTLS enables beyond list->suites under `protocols`. */
void tls_priority_surplus(
        const struct tls_cipher_list *list, unsigned protocols, struct tls_suite_set *surplus_out);

#endif
