/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_server_test.c - GnuTLS clients against tls_server over a socket pair: who is shown what, what
 * becomes of client certificates, and what can be resumed.
 */
#include "worker/tls/tls_server.h"

#include "shared/check.h"
#include "shared/ticket_key.h"
#include "shared/tls_credentials.h"
#include "shared/tls_session_store.h"
#include "tests/support/fake_loop.h"
#include "tests/support/pki.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum way { WAY_TLS13, WAY_TICKET, WAY_ID, WAY_COUNT };

static const char *const way_names[] = {"TLS 1.3", "TLS 1.2 ticket", "TLS 1.2 session ID"};
static const char *const way_priorities[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_TICKETS"};

/* Who the client is. */
enum who { WHO_NOBODY, WHO_GOOD, WHO_FOREIGN, WHO_EXPIRED, WHO_SELF_SIGNED, WHO_SERVER, WHO_COUNT };

static struct {
	struct event_loop *loop;
	struct buffer_pool *pool;
	struct tls_session_store *store;
	struct ticket_key *ticket_key;
	struct tls_server_context context;
	struct pki_certificate *root, *other_root, *a, *b, *who[WHO_COUNT];
	char *root_pem, *other_root_pem;
} rig;

static int set_up(void **state)
{
	int64_t now = (int64_t)time(NULL);

	(void)state;
	rig.loop = event_loop_create();
	rig.pool = buffer_pool_create(64 << 20, 256 * 1024);
	rig.store = tls_session_store_create(1 << 20, "test");
	tls_session_store_attach(rig.store);
	rig.ticket_key = ticket_key_create();
	rig.context = (struct tls_server_context){.wire = tls_wire_create(rig.loop, rig.pool),
	        .ticket_key = rig.ticket_key,
	        .store = rig.store};
	rig.root = pki_issue(&(struct pki_request){.name = "Root", .ca = true}, NULL);
	rig.other_root = pki_issue(&(struct pki_request){.name = "Other", .ca = true}, NULL);
	rig.a = pki_issue(&(struct pki_request){.name = "a.example"}, rig.root);
	rig.b = pki_issue(&(struct pki_request){.name = "b.example"}, rig.root);
	rig.who[WHO_GOOD] = pki_issue(&(struct pki_request){.name = "good"}, rig.root);
	rig.who[WHO_FOREIGN] = pki_issue(&(struct pki_request){.name = "foreign"}, rig.other_root);
	rig.who[WHO_EXPIRED] = pki_issue(
	        &(struct pki_request){
	                .name = "expired", .not_before = now - 9000, .not_after = now - 100},
	        rig.root);
	rig.who[WHO_SELF_SIGNED] = pki_issue(&(struct pki_request){.name = "self"}, NULL);
	rig.who[WHO_SERVER] = pki_issue(
	        &(struct pki_request){.name = "server", .purpose = GNUTLS_KP_TLS_WWW_SERVER},
	        rig.root);
	rig.root_pem = pki_pem(rig.root, NULL);
	rig.other_root_pem = pki_pem(rig.other_root, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < WHO_COUNT; i++)
		pki_free(rig.who[i]);
	pki_free(rig.a);
	pki_free(rig.b);
	pki_free(rig.root);
	pki_free(rig.other_root);
	free(rig.root_pem);
	free(rig.other_root_pem);
	tls_wire_destroy(rig.context.wire);
	tls_session_store_destroy(rig.store);
	ticket_key_destroy(rig.ticket_key);
	buffer_pool_destroy(rig.pool);
	event_loop_destroy(rig.loop);
	return 0;
}

/* ---- servers ---- */

static void report(void *opaque, enum tls_severity severity, enum tls_setting setting, size_t pair,
        const char *text)
{
	(void)opaque;
	(void)setting;
	(void)pair;
	if (severity == TLS_ERROR)
		fail_msg("%s", text);
}

struct server {
	const char *name;
	const struct pki_certificate *certificate; /* NULL: a.example's */
	enum tls_verify_client verify_client;
	bool in_handshake; /* TCP */
	bool no_tickets, no_cache;
	unsigned protocols;
	const char *ca; /* NULL: root */
	const char *alpn;
	const char *priority;
	uint32_t timeout_s;
};

static struct tls_server_credentials *make_server(const struct server *server)
{
	const struct pki_certificate *own = server->certificate ? server->certificate : rig.a;
	char *certificate = pki_pem(own, NULL), *key = pki_key_pem(own, NULL);
	struct tls_key_pair pair = {
	        {slice_of(certificate), "c"},
	        {slice_of(key), "k"},
	};
	const char *alpn[] = {server->alpn};
	struct tls_server_settings settings = {
	        .pairs = &pair,
	        .pair_count = 1,
	        .client_ca = {slice_of(server->ca ? server->ca : rig.root_pem), "ca"},
	        .verify_client = server->verify_client,
	        .verdict_after_handshake = !server->in_handshake,
	        .verify_depth = 4,
	        .session_tickets = !server->no_tickets,
	        .session_cache = !server->no_cache,
	        .session_timeout_s = server->timeout_s ? server->timeout_s : 600,
	        .alpn = {alpn, server->alpn ? 1 : 0},
	        .policy = {server->protocols ? server->protocols : (unsigned)TLS_PROTOCOLS_DEFAULT,
	                "DEFAULT", server->priority},
	        .name = server->name ? server->name : "http a",
	};
	struct tls_server_credentials *credentials = tls_server_credentials_create(
	        &settings, report, NULL);
	free(certificate);
	free(key);
	CHECK(credentials);
	return credentials;
}

/* ---- one connection ---- */

struct client {
	enum who who;
	const char *priority;
	const char *server_name;
	const char *alpn;
	gnutls_datum_t session; /* to resume, and the new one afterwards */
	gnutls_handshake_hook_func hook;
};

struct talk {
	struct transport *server;
	gnutls_session_t client;
	gnutls_certificate_credentials_t credentials;
	int fds[2];
	int client_code;
	enum io_result server_result;
	bool resumed;
	struct tls_server_facts facts;
};

static void give_certificate(struct talk *talk, const struct pki_certificate *own)
{
	gnutls_x509_crt_t list[] = {own->certificate};

	CHECK(gnutls_certificate_set_x509_key(talk->credentials, list, 1, own->key) == 0);
}

static void open_client(struct talk *talk, const struct client *client)
{
	CHECK(gnutls_certificate_allocate_credentials(&talk->credentials) == 0);
	if (client->who != WHO_NOBODY)
		give_certificate(talk, rig.who[client->who]);
	CHECK(gnutls_init(&talk->client, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
	                                         GNUTLS_FORCE_CLIENT_CERT) == 0);
	CHECK(gnutls_priority_set_direct(talk->client, client->priority, NULL) == 0);
	CHECK(gnutls_credentials_set(talk->client, GNUTLS_CRD_CERTIFICATE, talk->credentials) == 0);
	if (client->server_name)
		CHECK(gnutls_server_name_set(talk->client, GNUTLS_NAME_DNS, client->server_name,
		              strlen(client->server_name)) == 0);
	if (client->alpn) {
		gnutls_datum_t datum = {
		        (unsigned char *)(uintptr_t)client->alpn, (unsigned)strlen(client->alpn)};
		CHECK(gnutls_alpn_set_protocols(talk->client, &datum, 1, 0) == 0);
	}
	if (client->session.size)
		CHECK(gnutls_session_set_data(
		              talk->client, client->session.data, client->session.size) == 0);
	if (client->hook)
		gnutls_handshake_set_hook_function(
		        talk->client, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE, client->hook);
	gnutls_transport_set_int(talk->client, talk->fds[1]);
	gnutls_handshake_set_timeout(talk->client, 0);
}

/* What the stream does after READY. */
static void send_rest(struct talk *talk)
{
	size_t put;

	CHECK(talk->server->ops->write(talk->server, NULL, 0, &put) == IO_OK);
}

static void shake_hands(struct talk *talk, bool sends_rest)
{
	bool client_done = false, server_done = false;

	for (int i = 0; i < 20 && !(client_done && server_done); i++) {
		if (!client_done) {
			talk->client_code = gnutls_handshake(talk->client);
			client_done = talk->client_code == 0 ||
			              gnutls_error_is_fatal(talk->client_code);
		}
		if (!server_done) {
			talk->server->readable = true;
			talk->server_result = talk->server->ops->handshake(talk->server);
			server_done = talk->server_result == IO_OK ||
			              talk->server_result == IO_ERROR;
			if (talk->server_result == IO_OK && sends_rest)
				send_rest(talk);
		}
	}
}

/* A byte each way, so that tickets and alerts arrive. */
static void exchange(struct talk *talk)
{
	char byte = 'x';
	size_t put;

	if (talk->server_result == IO_OK) {
		CHECK(talk->server->ops->write(talk->server, "y", 1, &put) == IO_OK);
		CHECK(put == 1);
	}
	for (int i = 0; i < 5 && talk->client_code == 0; i++) {
		ssize_t got = gnutls_record_recv(talk->client, &byte, 1);
		if (got == 1 || (got < 0 && gnutls_error_is_fatal((int)got))) {
			talk->client_code = got < 0 ? (int)got : 0;
			break;
		}
	}
}

static void keep_session(struct talk *talk, struct client *client)
{
	bool tls13 = gnutls_protocol_get_version(talk->client) == GNUTLS_TLS1_3;

	gnutls_free(client->session.data);
	client->session = (gnutls_datum_t){NULL, 0};
	if (talk->client_code != 0)
		return;
	if (tls13 && !(gnutls_session_get_flags(talk->client) & GNUTLS_SFLAGS_SESSION_TICKET))
		return;
	CHECK(gnutls_session_get_data2(talk->client, &client->session) == 0);
}

static struct talk *talk_by(struct client *client, const struct tls_server_choice *choice)
{
	struct talk *talk = calloc(1, sizeof(*talk));

	CHECK(talk);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, talk->fds) == 0);
	talk->server = tls_server_create(&rig.context, choice, talk->fds[0]);
	CHECK(talk->server);
	open_client(talk, client);
	shake_hands(talk, true);
	if (talk->server_result == IO_OK) {
		talk->resumed = gnutls_session_is_resumed(tls_transport_of(talk->server)->session);
		CHECK(tls_server_facts(talk->server, &talk->facts));
	}
	exchange(talk);
	keep_session(talk, client);
	return talk;
}

static void hang_up(struct talk *talk)
{
	talk->server->ops->close(talk->server, false);
	gnutls_deinit(talk->client);
	gnutls_certificate_free_credentials(talk->credentials);
	close(talk->fds[0]);
	close(talk->fds[1]);
	free(talk);
}

static void forget(struct client *client)
{
	gnutls_free(client->session.data);
	client->session = (gnutls_datum_t){NULL, 0};
}

/* ---- client certificates ---- */

static const char *wanted_text(enum tls_verify_client mode, enum who who)
{
	static const char *const texts[] = {"NONE", "SUCCESS",
	        "FAILED:unable to get local issuer certificate", "FAILED:certificate has expired",
	        "FAILED:self-signed certificate", "FAILED:unsuitable certificate purpose"};

	return mode == TLS_VERIFY_CLIENT_OFF ? "NONE" : texts[who];
}

static bool is_wanted(enum tls_verify_client mode, enum who who)
{
	if (mode == TLS_VERIFY_CLIENT_OFF || who == WHO_GOOD)
		return true;
	if (who == WHO_NOBODY)
		return mode != TLS_VERIFY_CLIENT_ON;
	return mode == TLS_VERIFY_CLIENT_OPTIONAL_NO_CA &&
	       (who == WHO_FOREIGN || who == WHO_SELF_SIGNED);
}

static void check_facts(const struct talk *talk, enum tls_verify_client mode, enum who who)
{
	static const enum tls_client_verdict verdicts[] = {TLS_CLIENT_NONE, TLS_CLIENT_VERIFIED,
	        TLS_CLIENT_REFUSED, TLS_CLIENT_REFUSED, TLS_CLIENT_REFUSED, TLS_CLIENT_REFUSED};
	const struct tls_server_facts *facts = &talk->facts;
	bool asked = mode != TLS_VERIFY_CLIENT_OFF;
	bool shown = asked && who != WHO_NOBODY;
	char subject[64] = "";

	assert_string_equal(facts->verify, wanted_text(mode, who));
	assert_int_equal(facts->verdict, asked ? verdicts[who] : TLS_CLIENT_NONE);
	assert_int_equal(facts->only_issuer_unknown,
	        asked && (who == WHO_FOREIGN || who == WHO_SELF_SIGNED));
	assert_int_equal(facts->refusal[0] != 0, facts->verdict == TLS_CLIENT_REFUSED);
	if (shown)
		snprintf(subject, sizeof(subject), "CN=%s",
		        (const char *[]){"", "good", "foreign", "expired", "self", "server"}[who]);
	assert_string_equal(facts->subject, subject);
	assert_int_equal(facts->serial[0] != 0, shown);
}

/* With every mode, version and client: the first connection, and two with its session. */
static void verdicts_outlive_resumption(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode <= TLS_VERIFY_CLIENT_OPTIONAL_NO_CA; mode++) {
		struct server server = {.verify_client = mode};
		struct tls_server_credentials *credentials = make_server(&server);
		struct tls_server_choice choice = {.standard = credentials};
		for (unsigned row = 0; row < (unsigned)WAY_COUNT * WHO_COUNT; row++) {
			enum who who = row / WAY_COUNT;
			enum way way = row % WAY_COUNT;
			struct client client = {.who = who, .priority = way_priorities[way]};
			bool asked = mode != TLS_VERIFY_CLIENT_OFF;
			bool resumable = !asked || who == WHO_GOOD ||
			                 (who == WHO_NOBODY && mode != TLS_VERIFY_CLIENT_ON);
			for (int round = 0; round < 3; round++) {
				struct talk *talk = talk_by(&client, &choice);
				if (talk->server_result != IO_OK || talk->client_code != 0)
					fail_msg("mode %u, who %d, %s, round %d: %s", mode,
					        (int)who, way_names[way], round,
					        talk->server->fault
					                ? talk->server->fault->text
					                : gnutls_strerror(talk->client_code));
				check_facts(talk, mode, who);
				if (talk->resumed != (resumable && round > 0))
					fail_msg("mode %u, who %d, %s, round %d: resumed %d", mode,
					        (int)who, way_names[way], round, talk->resumed);
				hang_up(talk);
			}
			forget(&client);
		}
		tls_server_credentials_destroy(credentials);
	}
}

/* For protocols that have no answer of their own the handshake itself ends. */
static void refusals_end_the_handshake_where_nobody_else_can_answer(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode <= TLS_VERIFY_CLIENT_OPTIONAL_NO_CA; mode++) {
		struct server server = {.verify_client = mode, .in_handshake = true};
		struct tls_server_credentials *credentials = make_server(&server);
		struct tls_server_choice choice = {.standard = credentials};
		for (unsigned row = 0; row < (unsigned)WAY_COUNT * WHO_COUNT; row++) {
			enum who who = row / WAY_COUNT;
			struct client client = {
			        .who = who, .priority = way_priorities[row % WAY_COUNT]};
			for (int round = 0; round < 2; round++) {
				struct talk *talk = talk_by(&client, &choice);
				bool wanted = is_wanted(mode, who);
				assert_int_equal(talk->server_result, wanted ? IO_OK : IO_ERROR);
				if (wanted) {
					check_facts(talk, mode, who);
				} else {
					assert_int_equal(talk->server->fault->reason,
					        CLOSE_CLIENT_CERTIFICATE);
					assert_int_equal(
					        talk->client_code, GNUTLS_E_FATAL_ALERT_RECEIVED);
				}
				hang_up(talk);
			}
			forget(&client);
		}
		tls_server_credentials_destroy(credentials);
	}
}

/* A certificate ends between the first connection and the next. */
static void a_resumed_chain_is_judged_by_today(void **state)
{
	(void)state;
	int64_t now = (int64_t)time(NULL);
	struct pki_certificate *good = rig.who[WHO_GOOD];
	struct server http = {.verify_client = TLS_VERIFY_CLIENT_OPTIONAL};
	struct server tcp = {.verify_client = TLS_VERIFY_CLIENT_ON, .in_handshake = true};
	struct tls_server_credentials *credentials[] = {make_server(&http), make_server(&tcp)};
	struct client clients[2][WAY_COUNT] = {0};

	rig.who[WHO_GOOD] = pki_issue(
	        &(struct pki_request){
	                .name = "good", .not_before = now - 100, .not_after = now + 1},
	        rig.root);
	for (unsigned i = 0; i < 2 * (unsigned)WAY_COUNT; i++) {
		struct client *client = &clients[i % 2][i / 2];
		*client = (struct client){.who = WHO_GOOD, .priority = way_priorities[i / 2]};
		struct talk *talk = talk_by(
		        client, &(struct tls_server_choice){.standard = credentials[i % 2]});
		assert_string_equal(talk->facts.verify, "SUCCESS");
		hang_up(talk);
	}
	while ((int64_t)time(NULL) <= now + 1)
		usleep(50000);
	for (unsigned i = 0; i < 2 * (unsigned)WAY_COUNT; i++) {
		struct client *client = &clients[i % 2][i / 2];
		struct talk *talk = talk_by(
		        client, &(struct tls_server_choice){.standard = credentials[i % 2]});
		if (i % 2 == 0) {
			assert_string_equal(talk->facts.verify, "FAILED:certificate has expired");
			/* The store has let go of the session by then. */
			assert_int_equal(talk->resumed, i / 2 != WAY_ID);
		} else {
			assert_int_equal(talk->server_result, IO_ERROR);
			assert_int_equal(talk->server->fault->reason, CLOSE_CLIENT_CERTIFICATE);
		}
		hang_up(talk);
		forget(client);
	}
	tls_server_credentials_destroy(credentials[0]);
	tls_server_credentials_destroy(credentials[1]);
	pki_free(rig.who[WHO_GOOD]);
	rig.who[WHO_GOOD] = good;
}

/* GnuTLS opens the session of another name, does not use it, and still says that its chain was
 * sent: here by a client that has no certificate at all. */
static void a_session_ends_with_its_time(void **state)
{
	static const uint32_t timeouts_s[] = {1, 600};
	struct client clients[2][WAY_COUNT] = {0};
	struct tls_server_credentials *credentials[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		credentials[i] = make_server(&(struct server){.timeout_s = timeouts_s[i]});
		for (unsigned way = 0; way < (unsigned)WAY_COUNT; way++) {
			clients[i][way] = (struct client){
			        .who = WHO_NOBODY, .priority = way_priorities[way]};
			hang_up(talk_by(&clients[i][way],
			        &(struct tls_server_choice){.standard = credentials[i]}));
		}
	}
	int64_t made_at = (int64_t)time(NULL);
	while ((int64_t)time(NULL) <= made_at + 1)
		usleep(50000);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned way = 0; way < (unsigned)WAY_COUNT; way++) {
			struct talk *talk = talk_by(&clients[i][way],
			        &(struct tls_server_choice){.standard = credentials[i]});
			assert_int_equal(talk->server_result, IO_OK);
			assert_int_equal(talk->resumed, i == 1);
			hang_up(talk);
			forget(&clients[i][way]);
		}
		tls_server_credentials_destroy(credentials[i]);
	}
}

static void a_session_that_is_not_used_proves_nothing(void **state)
{
	(void)state;
	static const enum way ways[] = {WAY_TICKET, WAY_ID};
	struct server server = {.verify_client = TLS_VERIFY_CLIENT_OPTIONAL};
	struct tls_server_credentials *credentials = make_server(&server);
	struct tls_server_choice choice = {.standard = credentials};

	for (size_t i = 0; i < 2; i++) {
		struct client client = {.who = WHO_GOOD,
		        .priority = way_priorities[ways[i]],
		        .server_name = "a.example"};
		struct talk *talk = talk_by(&client, &choice);
		assert_string_equal(talk->facts.verify, "SUCCESS");
		hang_up(talk);
		client.who = WHO_NOBODY;
		client.server_name = "other.example";
		talk = talk_by(&client, &choice);
		assert_false(talk->resumed);
		assert_string_equal(talk->facts.verify, "NONE");
		assert_string_equal(talk->facts.subject, "");
		hang_up(talk);
		forget(&client);
	}
	tls_server_credentials_destroy(credentials);
}

/* ---- the name ---- */

struct names {
	struct tls_server_credentials *a, *b;
};

static const struct tls_server_credentials *find(const void *opaque, struct slice name)
{
	const struct names *names = opaque;

	if (slice_equal(name, SLICE("a.example")))
		return names->a;
	return slice_equal(name, SLICE("b.example")) ? names->b : NULL;
}

static const char *shown_to(const struct talk *talk, char *buffer, size_t size)
{
	gnutls_x509_crt_t certificate;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(talk->client, NULL);

	CHECK(chain && gnutls_x509_crt_init(&certificate) == 0);
	CHECK(gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER) == 0);
	CHECK(gnutls_x509_crt_get_dn(certificate, buffer, &size) == 0);
	gnutls_x509_crt_deinit(certificate);
	return buffer;
}

static void the_name_chooses_the_server(void **state)
{
	(void)state;
	struct server a = {.protocols = TLS_PROTOCOL_1_2, .alpn = "a"};
	struct server b = {.name = "http b",
	        .certificate = rig.b,
	        .protocols = TLS_PROTOCOL_1_3,
	        .verify_client = TLS_VERIFY_CLIENT_OPTIONAL,
	        .alpn = "b"};
	struct names names = {make_server(&a), make_server(&b)};
	struct tls_server_choice choice = {.standard = names.a, .for_name = find, .opaque = &names};
	static const struct {
		const char *asked, *alpn, *shown, *name;
		bool is_b;
	} rows[] = {
	        {NULL, "a", "CN=a.example", "", false},
	        {"a.example", "a", "CN=a.example", "a.example", false},
	        {"b.example", "b", "CN=b.example", "b.example", true},
	        {"B.ExAmPlE", "b", "CN=b.example", "b.example", true},
	        {"b.example.", "b", "CN=b.example", "b.example", true},
	        {"c.example", "a", "CN=a.example", "c.example", false},
	        {"b.example", NULL, "CN=b.example", "b.example", true},
	};
	char buffer[256];

	for (int swapped = 0; swapped < 2; swapped++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct client client = {.who = WHO_GOOD,
			        .priority = "NORMAL",
			        .server_name = rows[i].asked,
			        .alpn = rows[i].alpn};
			bool is_b = rows[i].is_b;
			if (swapped && (!rows[i].asked || rows[i].asked[0] == 'c')) {
				client.alpn = "b";
				is_b = true;
			}
			choice.standard = swapped ? names.b : names.a;
			struct talk *talk = talk_by(&client, &choice);
			assert_int_equal(talk->server_result, IO_OK);
			assert_int_equal(talk->client_code, 0);
			assert_string_equal(shown_to(talk, buffer, sizeof(buffer)),
			        is_b ? "CN=b.example" : "CN=a.example");
			assert_int_equal(gnutls_protocol_get_version(talk->client),
			        is_b ? GNUTLS_TLS1_3 : GNUTLS_TLS1_2);
			assert_ptr_equal(talk->facts.credentials, is_b ? names.b : names.a);
			assert_string_equal(talk->facts.server_name, rows[i].name);
			assert_string_equal(talk->facts.verify, is_b ? "SUCCESS" : "NONE");
			assert_string_equal(talk->facts.alpn, client.alpn ? client.alpn : "");
			hang_up(talk);
			forget(&client);
		}
	}
	tls_server_credentials_destroy(names.a);
	tls_server_credentials_destroy(names.b);
}

/* What one server gave never opens another, whichever of the two is the standard. */
static void sessions_stay_with_their_server(void **state)
{
	(void)state;
	struct server a = {.verify_client = TLS_VERIFY_CLIENT_OFF};
	struct server b = {.verify_client = TLS_VERIFY_CLIENT_ON, .certificate = rig.b};
	struct names names = {make_server(&a), make_server(&b)};

	for (unsigned row = 0; row < 4 * (unsigned)WAY_COUNT; row++) {
		enum way way = row / 4;
		struct tls_server_choice choice = {.standard = row % 2 ? names.a : names.b,
		        .for_name = find,
		        .opaque = &names};
		const char *first = row % 4 < 2 ? "a.example" : "b.example";
		const char *second = row % 4 < 2 ? "b.example" : "a.example";
		struct client client = {
		        .who = WHO_GOOD, .priority = way_priorities[way], .server_name = first};
		for (int round = 0; round < 2; round++) {
			struct talk *talk = talk_by(&client, &choice);
			assert_int_equal(talk->resumed, round > 0);
			hang_up(talk);
		}
		client.server_name = second;
		client.who = WHO_NOBODY;
		struct talk *talk = talk_by(&client, &choice);
		assert_int_equal(talk->server_result, IO_OK);
		assert_false(talk->resumed);
		assert_string_equal(talk->facts.verify, "NONE");
		hang_up(talk);
		forget(&client);
	}
	tls_server_credentials_destroy(names.a);
	tls_server_credentials_destroy(names.b);
}

/* ---- versions, retries, keys ---- */

/* GnuTLS 3.7 would take it for resumed, and the client would miss the certificate. */
static void an_old_ticket_in_a_new_handshake_is_unknown(void **state)
{
	(void)state;
	struct server server = {0};
	struct tls_server_credentials *credentials = make_server(&server);
	struct tls_server_choice choice = {.standard = credentials};
	struct client client = {.priority = way_priorities[WAY_TICKET]};
	struct talk *talk = talk_by(&client, &choice);

	assert_int_equal(talk->server_result, IO_OK);
	hang_up(talk);
	client.priority = "NORMAL";
	talk = talk_by(&client, &choice);
	assert_int_equal(talk->server_result, IO_OK);
	assert_int_equal(talk->client_code, 0);
	assert_int_equal(gnutls_protocol_get_version(talk->client), GNUTLS_TLS1_3);
	assert_false(talk->resumed);
	hang_up(talk);
	forget(&client);
	tls_server_credentials_destroy(credentials);
}

/* HelloRetryRequest: the client has guessed another group. */
static void a_second_hello_changes_nothing(void **state)
{
	(void)state;
	struct server a = {.priority = "NORMAL:-GROUP-ALL:+GROUP-SECP521R1"};
	struct server b = {.priority = "NORMAL:-GROUP-ALL:+GROUP-SECP521R1",
	        .certificate = rig.b,
	        .verify_client = TLS_VERIFY_CLIENT_ON};
	struct names names = {make_server(&a), make_server(&b)};
	struct tls_server_choice choice = {.standard = names.a, .for_name = find, .opaque = &names};
	struct client client = {
	        .who = WHO_GOOD, .priority = way_priorities[WAY_TLS13], .server_name = "b.example"};

	for (int round = 0; round < 2; round++) {
		struct talk *talk = talk_by(&client, &choice);
		assert_int_equal(talk->server_result, IO_OK);
		assert_ptr_equal(talk->facts.credentials, names.b);
		assert_string_equal(talk->facts.verify, "SUCCESS");
		assert_int_equal(talk->resumed, round > 0);
		hang_up(talk);
	}
	forget(&client);
	tls_server_credentials_destroy(names.a);
	tls_server_credentials_destroy(names.b);
}

static int ask_for_another(gnutls_session_t session, unsigned type, unsigned when,
        unsigned incoming, const gnutls_datum_t *message)
{
	(void)when;
	(void)message;
	if (incoming && type == GNUTLS_HANDSHAKE_HELLO_RETRY_REQUEST)
		gnutls_server_name_set(session, GNUTLS_NAME_DNS, "a.example", 9);
	return 0;
}

/* Certificate request and session key are one server's; GnuTLS would tell the other's name. */
static void a_second_hello_with_another_name_is_refused(void **state)
{
	(void)state;
	struct server a = {.priority = "NORMAL:-GROUP-ALL:+GROUP-SECP521R1"};
	struct tls_server_credentials *credentials = make_server(&a);
	struct tls_server_choice choice = {.standard = credentials};
	struct client client = {.priority = way_priorities[WAY_TLS13],
	        .server_name = "b.example",
	        .hook = ask_for_another};

	struct talk *talk = talk_by(&client, &choice);
	assert_int_equal(talk->server_result, IO_ERROR);
	assert_int_equal(talk->client_code, GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(gnutls_alert_get(talk->client), GNUTLS_A_ILLEGAL_PARAMETER);
	hang_up(talk);
	tls_server_credentials_destroy(credentials);
}

static void switches_switch_off(void **state)
{
	(void)state;
	struct server server = {.no_tickets = true, .no_cache = true};
	struct server only_cache = {.no_tickets = true};
	struct tls_server_credentials *nothing = make_server(&server);
	struct tls_server_credentials *cache = make_server(&only_cache);

	for (unsigned way = 0; way < WAY_COUNT; way++) {
		struct client client = {.priority = way_priorities[way]};
		for (int round = 0; round < 2; round++) {
			struct talk *talk = talk_by(
			        &client, &(struct tls_server_choice){.standard = nothing});
			assert_int_equal(talk->server_result, IO_OK);
			assert_false(talk->resumed);
			hang_up(talk);
		}
		forget(&client);
		for (int round = 0; round < 2; round++) {
			struct talk *talk = talk_by(
			        &client, &(struct tls_server_choice){.standard = cache});
			assert_int_equal(talk->resumed, way != WAY_TLS13 && round > 0);
			hang_up(talk);
		}
		forget(&client);
	}
	tls_server_credentials_destroy(nothing);
	tls_server_credentials_destroy(cache);
}

/* One send of ours ends the handshake, ticket and all, for a client without certificate. */
static void the_ticket_costs_no_send(void **state)
{
	(void)state;
	struct server server = {0};
	struct tls_server_credentials *credentials = make_server(&server);
	struct tls_server_choice choice = {.standard = credentials};
	struct client client = {.priority = way_priorities[WAY_TLS13]};
	struct talk *talk = calloc(1, sizeof(*talk));

	assert_non_null(talk);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, talk->fds), 0);
	talk->server = tls_server_create(&rig.context, &choice, talk->fds[0]);
	open_client(talk, &client);
	shake_hands(talk, false);
	assert_int_equal(talk->server_result, IO_OK);
	assert_int_equal(talk->server->ops->pending(talk->server), 0);
	exchange(talk);
	assert_true(gnutls_session_get_flags(talk->client) & GNUTLS_SFLAGS_SESSION_TICKET);
	hang_up(talk);
	forget(&client);
	tls_server_credentials_destroy(credentials);
}

/* In a resumed handshake it goes with the answer when the request is there already, else alone. */
static void the_ticket_waits_for_the_answer(void **state)
{
	(void)state;
	struct server server = {0};
	struct tls_server_credentials *credentials = make_server(&server);
	struct tls_server_choice choice = {.standard = credentials};
	struct client client = {.priority = way_priorities[WAY_TLS13]};
	char room[20000];
	size_t got;

	hang_up(talk_by(&client, &choice));
	for (int asked = 0; asked < 2; asked++) {
		struct talk *talk = calloc(1, sizeof(*talk));
		assert_non_null(talk);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, talk->fds), 0);
		talk->server = tls_server_create(&rig.context, &choice, talk->fds[0]);
		open_client(talk, &client);
		gnutls_handshake(talk->client);
		talk->server->readable = true;
		assert_int_equal(talk->server->ops->handshake(talk->server), IO_WANT_READ);
		assert_int_equal(gnutls_handshake(talk->client), 0);
		if (asked)
			assert_int_equal(gnutls_record_send(talk->client, "GET", 3), 3);
		talk->server->readable = true;
		assert_int_equal(talk->server->ops->handshake(talk->server), IO_OK);
		assert_int_equal(talk->server->ops->pending(talk->server),
		        asked ? PENDING_READ : PENDING_WRITE);
		if (asked) {
			talk->server->ops->read(talk->server, room, sizeof(room), &got);
			assert_int_equal(got, 3);
			assert_int_equal(talk->server->ops->pending(talk->server), 0);
		} else {
			send_rest(talk);
		}
		talk->server_result = IO_OK;
		exchange(talk);
		assert_int_equal(talk->server->ops->pending(talk->server), 0);
		keep_session(talk, &client);
		assert_int_not_equal(client.session.size, 0);
		hang_up(talk);
	}
	forget(&client);
	tls_server_credentials_destroy(credentials);
}

/* ---- bytes ---- */

static void say(struct transport *server, int fd, const char *bytes, size_t count)
{
	assert_int_equal(send(fd, bytes, count, MSG_NOSIGNAL), count);
	server->readable = true;
	enum io_result result = server->ops->handshake(server);
	struct tls_server_facts facts;
	assert_true(result == IO_ERROR || result == IO_WANT_READ);
	assert_false(tls_server_facts(server, &facts));
}

/* A warning first, so that it looks like TLS; then SSL 2, which has no name and no extensions. */
static void an_ssl2_hello_is_refused(void **state)
{
	(void)state;
	static const char warning[] = "\x15\x03\x01\x00\x02\x01\x5a";
	static const char hello[] = "\x80\x2e\x01\x03\x03\x00\x15\x00\x00\x00\x10"
	                            "\x00\x00\x2f\x00\x00\x9c\x00\xc0\x2f\x00\xc0\x2b\x00\x00\xff"
	                            "\x00\xc0\x13\x00\xc0\x09"
	                            "0123456789abcdef";
	struct server settings = {0};
	struct tls_server_credentials *credentials = make_server(&settings);
	struct tls_server_choice choice = {.standard = credentials};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	struct transport *server = tls_server_create(&rig.context, &choice, fds[0]);
	assert_non_null(server);
	say(server, fds[1], warning, sizeof(warning) - 1);
	say(server, fds[1], hello, sizeof(hello) - 1);
	assert_non_null(server->fault);
	server->ops->close(server, false);
	close(fds[0]);
	close(fds[1]);
	tls_server_credentials_destroy(credentials);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(verdicts_outlive_resumption),
	        cmocka_unit_test(refusals_end_the_handshake_where_nobody_else_can_answer),
	        cmocka_unit_test(a_resumed_chain_is_judged_by_today),
	        cmocka_unit_test(a_session_ends_with_its_time),
	        cmocka_unit_test(a_session_that_is_not_used_proves_nothing),
	        cmocka_unit_test(the_name_chooses_the_server),
	        cmocka_unit_test(sessions_stay_with_their_server),
	        cmocka_unit_test(an_old_ticket_in_a_new_handshake_is_unknown),
	        cmocka_unit_test(a_second_hello_changes_nothing),
	        cmocka_unit_test(a_second_hello_with_another_name_is_refused),
	        cmocka_unit_test(switches_switch_off),
	        cmocka_unit_test(the_ticket_costs_no_send),
	        cmocka_unit_test(the_ticket_waits_for_the_answer),
	        cmocka_unit_test(an_ssl2_hello_is_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
