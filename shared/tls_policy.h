/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_policy.h - protocols, ciphers and priority as written, made into GnuTLS priority objects. */
#ifndef SHARED_TLS_POLICY_H
#define SHARED_TLS_POLICY_H

#include "shared/tls_credentials.h"
#include "shared/tls_report.h"

#include <stdbool.h>

/* Fills `policy_out`, to be cleared in any case. `server`: towards clients, where our order counts.
 */
void tls_policy_build(const struct tls_policy_settings *settings, bool server,
        struct tls_reporter *reporter, struct tls_policy *policy_out);
void tls_policy_clear(struct tls_policy *policy);

#endif
