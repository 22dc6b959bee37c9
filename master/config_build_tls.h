/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_build_tls.h - what both sides of TLS need while their credentials are made.
 */
#ifndef MASTER_CONFIG_BUILD_TLS_H
#define MASTER_CONFIG_BUILD_TLS_H

#include "master/config_build.h"
#include "shared/tls_credentials.h"

enum { CONFIG_TLS_SETTINGS = TLS_SETTING_ALPN + 1 };

/* Says of each setting which entry it came from, so that a credential's fault gets its FILE:LINE.
 */
struct config_tls_place {
	struct config_builder *builder;
	const struct config_section *section; /* whose traffic it is; where a default's fault is */
	const struct config_entry *entries[CONFIG_TLS_SETTINGS];
	enum config_key keys[CONFIG_TLS_SETTINGS];
	const struct config_entry *const *pair_certificates, *const *pair_keys; /* of a listener */
};

tls_report_fn config_tls_report; /* its opaque is the place */
/* True without an entry, and where it is `none`: then *pem_out stays as it is. */
bool config_tls_read_pem(struct config_builder *builder, const struct config_entry *entry,
        enum config_key key, struct tls_pem *pem_out);
struct tls_policy_settings config_tls_policy(const struct config_tls_place *place);

#endif
