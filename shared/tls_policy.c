/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_policy.c - what a session may negotiate.
 *
 * After GnuTLS has taken a priority string it is asked what it made of it: a system-wide
 * configuration
 * (/etc/gnutls/config) can take protocols and ciphers away from every program, and an operator who
 * is not told of it looks for the fault in the wrong place.
 */
#include "shared/tls_policy.h"

#include "shared/check.h"
#include "shared/tls_suite_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRIORITY_MAX = 2048, NAMES_MAX = 1024, LEGACY = TLS_PROTOCOL_1_0 | TLS_PROTOCOL_1_1 };

static unsigned protocol_of(unsigned version)
{
	switch (version) {
	case GNUTLS_TLS1_0:
		return TLS_PROTOCOL_1_0;
	case GNUTLS_TLS1_1:
		return TLS_PROTOCOL_1_1;
	case GNUTLS_TLS1_2:
		return TLS_PROTOCOL_1_2;
	case GNUTLS_TLS1_3:
		return TLS_PROTOCOL_1_3;
	default:
		return 0;
	}
}

static unsigned enabled_protocols(gnutls_priority_t priority)
{
	const unsigned *list;
	int count = gnutls_priority_protocol_list(priority, &list);
	unsigned protocols = 0;
	for (int i = 0; i < count; i++)
		protocols |= protocol_of(list[i]);
	return protocols;
}

/* OpenSSL's names, blank separated; what does not fit is cut off with "...". */
static const char *format_suites(const struct tls_suite_set *set, char *buffer, size_t buffer_size)
{
	size_t used = 0;
	buffer[0] = '\0';
	for (size_t i = 0; i < set->count; i++) {
		const char *name = tls_suite_openssl_name(set->indices[i]);
		if (used + strlen(name) + sizeof(" ...") > buffer_size) {
			snprintf(buffer + used, buffer_size - used, " ...");
			break;
		}
		used += (size_t)snprintf(
		        buffer + used, buffer_size - used, "%s%s", used ? " " : "", name);
	}
	return buffer;
}

/* ---- from protocols and ciphers ---- */

static void note_protocols(unsigned protocols, struct tls_reporter *reporter)
{
	char names[64];
	if ((protocols & LEGACY) && !(protocols & TLS_PROTOCOL_1_2) &&
	        (protocols & TLS_PROTOCOL_1_3))
		tls_report(reporter, TLS_ERROR, TLS_SETTING_PROTOCOLS,
		        "TLSv1.2 is left out between %s: GnuTLS would not offer TLSv1.3 then",
		        tls_protocols_format(protocols, names, sizeof(names)));
	else if ((protocols & LEGACY) && !(protocols & TLS_PROTOCOL_1_3))
		tls_report(reporter, TLS_NOTICE, TLS_SETTING_PROTOCOLS,
		        "%s %s on and TLSv1.3 is off; 'TLSv1.2 TLSv1.3' is the default",
		        (protocols & LEGACY) == LEGACY   ? "TLSv1 and TLSv1.1"
		        : (protocols & TLS_PROTOCOL_1_0) ? "TLSv1"
		                                         : "TLSv1.1",
		        (protocols & LEGACY) == LEGACY ? "are" : "is");
}

static bool has_legacy_suite(const struct tls_cipher_list *list)
{
	for (size_t i = 0; i < list->suites.count; i++)
		if (tls_suite_at(list->suites.indices[i])->min_version < TLS_SUITE_TLS1_2)
			return true;
	return false;
}

static void note_ciphers(const struct tls_cipher_list *list, unsigned protocols, bool server,
        struct tls_reporter *reporter)
{
	char names[NAMES_MAX];
	if (list->ignored[0])
		tls_report(reporter, TLS_NOTICE, TLS_SETTING_CIPHERS,
		        "'%s' adds nothing: GnuTLS does not offer it, or it is a suite of TLSv1.3, "
		        "which "
		        "are always on with TLSv1.3",
		        list->ignored);
	if (list->security_level == 0)
		tls_report(reporter, TLS_NOTICE, TLS_SETTING_CIPHERS,
		        "@SECLEVEL=0 takes keys of any length and broken signatures; 2 is the "
		        "default");
	if (list->surplus.count > 0)
		tls_report(reporter, TLS_WARNING, TLS_SETTING_CIPHERS,
		        "GnuTLS can offer these ciphers only together with %s; a connection on "
		        "which the "
		        "%s picks one of them is closed",
		        format_suites(&list->surplus, names, sizeof(names)),
		        server ? "client" : "server");
	if ((protocols & LEGACY) && (protocols & TLS_PROTOCOL_1_2) && !has_legacy_suite(list))
		tls_report(reporter, TLS_WARNING, TLS_SETTING_CIPHERS,
		        "no suite of the cipher string works below TLSv1.2, so %s is never used",
		        tls_protocols_format(protocols & LEGACY, names, sizeof(names)));
}

static bool is_enabled(gnutls_priority_t priority, size_t suite)
{
	unsigned position, index;
	for (unsigned i = 0;; i++) {
		int code = gnutls_priority_get_cipher_suite_index(priority, i, &position);
		if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return false;
		if (code != 0)
			continue;
		unsigned char id[2];
		const char *name = gnutls_cipher_suite_info(position, id, NULL, NULL, NULL, NULL);
		size_t found;
		index = name && tls_suite_find_iana(name, &found) ? (unsigned)found
		                                                  : TLS_SUITES_MAX;
		if (index == suite)
			return true;
	}
}

/* Did GnuTLS enable all that was asked for? */
static void check_enabled(const struct tls_policy *policy, const struct tls_cipher_list *list,
        unsigned asked, struct tls_reporter *reporter)
{
	char left[64], names[NAMES_MAX];
	unsigned lost = asked & ~policy->protocols;
	if (lost)
		tls_report(reporter, TLS_WARNING, TLS_SETTING_PROTOCOLS,
		        "the system-wide configuration of GnuTLS switches %s off; what is left is "
		        "'%s'",
		        tls_protocols_format(lost, names, sizeof(names)),
		        tls_protocols_format(policy->protocols, left, sizeof(left)));
	unsigned newest = policy->protocols & TLS_PROTOCOL_1_2 ? TLS_SUITE_TLS1_2
	                  : policy->protocols & LEGACY         ? TLS_SUITE_TLS1_0
	                                                       : 0;
	struct tls_suite_set missing = {.count = 0};
	for (size_t i = 0; i < list->suites.count; i++) {
		uint8_t suite = list->suites.indices[i];
		if (tls_suite_at(suite)->min_version <= newest &&
		        !is_enabled(policy->priority, suite))
			missing.indices[missing.count++] = suite;
	}
	if (missing.count > 0)
		tls_report(reporter, TLS_WARNING, TLS_SETTING_CIPHERS,
		        "the system-wide configuration of GnuTLS switches %s off",
		        format_suites(&missing, names, sizeof(names)));
}

static bool init_priority(gnutls_priority_t *priority, const char *text, enum tls_setting setting,
        struct tls_reporter *reporter)
{
	const char *position = NULL;
	int code = gnutls_priority_init(priority, text, &position);
	if (code == 0)
		return true;
	*priority = NULL;
	if (position && code == GNUTLS_E_INVALID_REQUEST)
		tls_report(reporter, TLS_ERROR, setting, "GnuTLS does not understand '%.80s'",
		        position);
	else
		tls_report(reporter, TLS_ERROR, setting,
		        "GnuTLS refuses the priority string '%.400s': %s", text,
		        gnutls_strerror(code));
	return false;
}

static void write_priority(const struct tls_cipher_list *list, unsigned protocols, bool server,
        char *text, size_t text_size)
{
	CHECK(tls_ciphers_to_priority(list, protocols, text, text_size));
	size_t used = strlen(text);
	if (server)
		CHECK(snprintf(text + used, text_size - used, ":%%SERVER_PRECEDENCE") <
		        (int)(text_size - used));
}

static void build_from_ciphers(const struct tls_policy_settings *settings, bool server,
        struct tls_reporter *reporter, struct tls_policy *policy)
{
	struct tls_cipher_list list;
	char fault[512], text[PRIORITY_MAX];
	unsigned protocols = settings->protocols;

	note_protocols(protocols, reporter);
	if (!tls_ciphers_parse(
	            slice_of(settings->ciphers), protocols, &list, fault, sizeof(fault))) {
		tls_report(reporter, TLS_ERROR, TLS_SETTING_CIPHERS, "%s", fault);
		return;
	}
	note_ciphers(&list, protocols, server, reporter);
	policy->security_level = list.security_level;
	policy->allowed = list.suites;

	write_priority(&list, protocols, server, text, sizeof(text));
	policy->priority_text = strdup(text);
	CHECK(policy->priority_text);
	if (reporter->failed ||
	        !init_priority(&policy->priority, text, TLS_SETTING_CIPHERS, reporter))
		return;
	policy->protocols = enabled_protocols(policy->priority);
	check_enabled(policy, &list, protocols, reporter);

	unsigned without_13 = protocols & ~(unsigned)TLS_PROTOCOL_1_3;
	if (!(policy->protocols & TLS_PROTOCOL_1_2) || !(policy->protocols & TLS_PROTOCOL_1_3))
		return;
	write_priority(&list, without_13, server, text, sizeof(text));
	init_priority(&policy->priority_tls12, text, TLS_SETTING_CIPHERS, reporter);
}

/* ---- from a priority string ---- */

/* The floor for chains that goes with the profile named last. */
static unsigned level_of_profile(const char *priority)
{
	static const struct {
		const char *name;
		unsigned level;
	} profiles[] = {
	        {"VERY_WEAK", 0},
	        {"LOW", 1},
	        {"LEGACY", 1},
	        {"MEDIUM", 2},
	        {"HIGH", 3},
	        {"ULTRA", 4},
	        {"FUTURE", 5},
	        {"SUITEB128", 3},
	        {"SUITEB192", 4},
	};
	static const char token[] = "%PROFILE_";
	unsigned level = 2;
	for (const char *at = strstr(priority, token); at; at = strstr(at, token)) {
		at += sizeof(token) - 1;
		size_t length = strcspn(at, ":");
		for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
			if (slice_equal((struct slice){at, length}, slice_of(profiles[i].name)))
				level = profiles[i].level;
	}
	return level;
}

static void build_from_priority(const struct tls_policy_settings *settings,
        struct tls_reporter *reporter, struct tls_policy *policy)
{
	policy->security_level = level_of_profile(settings->priority);
	policy->priority_text = strdup(settings->priority);
	CHECK(policy->priority_text);
	if (!init_priority(&policy->priority, settings->priority, TLS_SETTING_PRIORITY, reporter))
		return;
	policy->protocols = enabled_protocols(policy->priority);
	if (policy->security_level == 0)
		tls_report(reporter, TLS_NOTICE, TLS_SETTING_PRIORITY,
		        "%%PROFILE_VERY_WEAK takes keys of any length and broken signatures");
	if (!(policy->protocols & TLS_PROTOCOL_1_2) || !(policy->protocols & TLS_PROTOCOL_1_3))
		return;
	char *text;
	CHECK(asprintf(&text, "%s:-VERS-TLS1.3", settings->priority) >= 0);
	init_priority(&policy->priority_tls12, text, TLS_SETTING_PRIORITY, reporter);
	free(text);
}

void tls_policy_build(const struct tls_policy_settings *settings, bool server,
        struct tls_reporter *reporter, struct tls_policy *policy_out)
{
	*policy_out = (struct tls_policy){.security_level = 2};
	if (settings->priority)
		build_from_priority(settings, reporter, policy_out);
	else
		build_from_ciphers(settings, server, reporter, policy_out);
}

void tls_policy_clear(struct tls_policy *policy)
{
	if (policy->priority)
		gnutls_priority_deinit(policy->priority);
	if (policy->priority_tls12)
		gnutls_priority_deinit(policy->priority_tls12);
	free(policy->priority_text);
	*policy = (struct tls_policy){.security_level = 0};
}
