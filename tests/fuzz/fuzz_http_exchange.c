/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_http_exchange.c - exchanges under every order of events.
 *
 * The input is a list of moves: what the client and the upstreams say (messages of a small grammar,
 * in pieces, or rubbish), how much they take, when they end, which dial connects, the clock, a
 * drain, a close from outside. The real session, exchange and pool stand between scripted peers.
 *
 * The n-th request bears the number n, and an upstream answers what it was asked with that number.
 * So the n-th answer that the client gets may bear no other, and an answer that nobody asked for
 * may reach nobody. What an upstream gets are whole requests, none of them inside of another's
 * body. No pooled connection holds a byte or waits for the rest of a request. In the end the clock
 * alone must end the session, with nothing left over.
 */
#include "tests/support/exchange_grammar.h"
#include "tests/support/exchange_oracle.h"
#include "tests/support/exchange_rig.h"

#include "shared/check.h"
#include "worker/http/http_proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MOVES_MAX = 300,
	TEXTS_MAX = 200,
	FOR_EVER_MS = 20000000, /* each of many pipelined requests may wait for each server */
	NONE = -1,
};

/* A peer's message that it is in the middle of saying. */
struct speech {
	const char *rest; /* "" or NULL: none */
	bool ended; /* it has said its last */
};

struct game {
	struct exchange_rig rig;
	char texts[TEXTS_MAX][EXCHANGE_TEXT_MAX]; /* scripts keep addresses */
	size_t text_count;
	struct speech client, upstreams[EXCHANGE_RIG_UPSTREAMS_MAX];
	size_t answered[EXCHANGE_RIG_UPSTREAMS_MAX]; /* bytes of requests that were answered */
	unsigned requests;
	bool switched; /* a 101 was said: what follows bears no numbers */
	const uint8_t *data;
	size_t size;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t next_byte(struct game *game)
{
	if (game->size == 0)
		return 0;
	game->size--;
	return *game->data++;
}

static char *new_text(struct game *game)
{
	CHECK(game->text_count < TEXTS_MAX);
	return game->texts[game->text_count++];
}

static bool has_texts(const struct game *game)
{
	return game->text_count + 4 < TEXTS_MAX;
}

static bool is_full(const struct fake_peer *peer, enum fake_operation operation)
{
	return peer->queues[operation].count + 2 >= FAKE_STEPS_MAX;
}

/* ---- what peers say ---- */

static char *write_message(struct game *game, enum exchange_message kind, unsigned number)
{
	char *text = new_text(game);

	exchange_grammar_write(text, kind, next_byte(game), number);
	return text;
}

static bool is_client_open(const struct game *game)
{
	return !game->rig.session->closed;
}

static void add_text(struct fake_peer *peer, const char *text, size_t length, enum io_result result,
        enum close_reason reason)
{
	struct fake_queue *queue = &peer->queues[FAKE_READ];

	if (queue->next == queue->count)
		queue->next = queue->count = 0;
	fake_step_add(peer, FAKE_READ,
	        (struct fake_step){.result = result,
	                .bytes = (const unsigned char *)text,
	                .count = length,
	                .reason = reason});
}

/* The next piece of what it is saying; all of it when `length` is 0. */
static void say_piece(struct speech *speech, struct fake_peer *peer, size_t length)
{
	size_t left = speech->rest ? strlen(speech->rest) : 0;

	if (!left || speech->ended || is_full(peer, FAKE_READ))
		return;
	if (length == 0 || length > left)
		length = left;
	add_text(peer, speech->rest, length, IO_OK, CLOSE_DONE);
	speech->rest += length;
}

static void end_speech(struct speech *speech, struct fake_peer *peer, bool client, uint8_t how)
{
	static const enum io_result ends[] = {IO_EOF, IO_EOF, IO_ERROR, IO_TRUNCATED};
	enum io_result end = ends[how % 4];
	enum close_reason reset = client ? CLOSE_CLIENT_RESET : CLOSE_UPSTREAM_RESET;
	enum close_reason truncated = client ? CLOSE_CLIENT_TRUNCATED : CLOSE_UPSTREAM_TRUNCATED;

	if (speech->ended || is_full(peer, FAKE_READ))
		return;
	add_text(peer, "", 0, end, end == IO_TRUNCATED ? truncated : reset);
	speech->ended = true;
}

static void fire_client(struct game *game, unsigned events)
{
	exchange_rig_fire(&game->rig, &game->rig.session->client, events);
}

static void client_says(struct game *game)
{
	struct speech *speech = &game->client;
	uint8_t byte = next_byte(game);

	if (!is_client_open(game) || !has_texts(game))
		return;
	if (!speech->rest || !*speech->rest)
		speech->rest = write_message(game, EXCHANGE_REQUEST, game->requests++);
	say_piece(speech, &game->rig.client, byte & 1 ? 0 : byte >> 1);
	if (byte & 64)
		fire_client(game, EVENT_READ);
}

/* The number of the request that a connection has to answer now; NONE: it has nothing to answer. */
static int asked_number(struct game *game, size_t i)
{
	const struct fake_peer *peer = &game->rig.upstreams[i];
	size_t done = game->answered[i];

	if (peer->received_bytes <= done)
		return NONE;
	const char *end = (const char *)peer->received + peer->received_bytes;
	const char *at = memmem(peer->received + done, peer->received_bytes - done, "/q[", 3);
	if (!at || end - at < (ptrdiff_t)strlen("/q[0000]"))
		return NONE;
	return atoi(at + 3);
}

static size_t pick_upstream(struct game *game)
{
	size_t i = next_byte(game);

	return game->rig.upstream_count ? i % game->rig.upstream_count : SIZE_MAX;
}

static void upstream_says(struct game *game)
{
	size_t i = pick_upstream(game);
	uint8_t byte = next_byte(game);

	if (i == SIZE_MAX || !has_texts(game) || !exchange_rig_stream(&game->rig, i))
		return;
	struct speech *speech = &game->upstreams[i];
	struct fake_peer *peer = &game->rig.upstreams[i];
	if (!speech->rest || !*speech->rest) {
		int number = asked_number(game, i);
		if (number == NONE)
			return;
		bool poison = (byte & 14) == 14;
		speech->rest = write_message(
		        game, poison ? EXCHANGE_POISON : EXCHANGE_ANSWER, (unsigned)number);
		game->answered[i] = peer->received_bytes;
		game->switched |= strstr(speech->rest, " 101 ") != NULL;
		if (poison)
			byte |= 1;
	}
	say_piece(speech, peer, byte & 1 ? 0 : byte >> 1);
	if (byte & 1 || byte & 64)
		exchange_rig_fire(&game->rig, exchange_rig_stream(&game->rig, i), EVENT_READ);
}

static void interim(struct game *game)
{
	size_t i = pick_upstream(game);

	if (i == SIZE_MAX || !exchange_rig_stream(&game->rig, i) || asked_number(game, i) == NONE ||
	        (game->upstreams[i].rest && *game->upstreams[i].rest))
		return;
	game->upstreams[i].rest = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
	say_piece(&game->upstreams[i], &game->rig.upstreams[i], 0);
}

static void upstream_ends(struct game *game)
{
	size_t i = pick_upstream(game);
	uint8_t how = next_byte(game);

	if (i != SIZE_MAX && exchange_rig_stream(&game->rig, i))
		end_speech(&game->upstreams[i], &game->rig.upstreams[i], false, how);
}

static void rubbish(struct game *game)
{
	size_t i = pick_upstream(game);
	char *text;

	if (!has_texts(game))
		return;
	text = new_text(game);
	for (int j = 0; j < 20; j++)
		text[j] = (char)(next_byte(game) % 127 + 1);
	if (i == SIZE_MAX) {
		if (!game->client.rest || !*game->client.rest)
			game->client.rest = text;
	} else if (exchange_rig_stream(&game->rig, i) && asked_number(game, i) != NONE &&
	           (!game->upstreams[i].rest || !*game->upstreams[i].rest)) {
		game->upstreams[i].rest = text;
		game->answered[i] = game->rig.upstreams[i].received_bytes;
	}
}

/* ---- what they take ---- */

static void take(struct game *game, struct fake_peer *peer)
{
	uint8_t byte = next_byte(game);

	if (is_full(peer, FAKE_WRITE))
		return;
	if (byte == 255)
		fake_fail(peer, FAKE_WRITE,
		        peer == &game->rig.client ? CLOSE_CLIENT_RESET : CLOSE_UPSTREAM_RESET);
	else if (byte & 1)
		fake_write_short(peer, byte >> 1);
	else
		fake_write_kept(peer, byte >> 1);
}

static void hold_finish_up(struct game *game)
{
	if (!is_full(&game->rig.client, FAKE_FINISH))
		fake_step_add(&game->rig.client, FAKE_FINISH,
		        (struct fake_step){.result = IO_WANT_WRITE});
}

/* ---- events ---- */

static bool may_connect(const struct game *game)
{
	return game->rig.upstream_count < EXCHANGE_RIG_UPSTREAMS_MAX;
}

static void dial_ends(struct game *game, bool connects)
{
	if (!exchange_rig_is_dialling(&game->rig))
		return;
	if (!connects)
		exchange_rig_refuse(&game->rig);
	else if (may_connect(game))
		exchange_rig_connect(&game->rig);
}

static void drain(struct game *game)
{
	game->rig.host.draining = true;
	if (is_client_open(game))
		http_protocol.drain(game->rig.session);
}

static void close_from_outside(struct game *game)
{
	if (is_client_open(game))
		session_close(game->rig.session, CLOSE_SHUTDOWN_TIMEOUT);
}

static void fire_upstream(struct game *game)
{
	size_t i = pick_upstream(game);
	unsigned events = next_byte(game) & (EVENT_READ | EVENT_WRITE);

	if (i != SIZE_MAX)
		exchange_rig_fire(&game->rig, exchange_rig_stream(&game->rig, i), events);
}

static void fire_client_some(struct game *game)
{
	fire_client(game, next_byte(game) & (EVENT_READ | EVENT_WRITE));
}

static void connect_dial(struct game *game)
{
	dial_ends(game, true);
}

static void refuse_dial(struct game *game)
{
	dial_ends(game, false);
}

static void take_client(struct game *game)
{
	take(game, &game->rig.client);
}

static void take_upstream(struct game *game)
{
	size_t i = pick_upstream(game);

	if (i != SIZE_MAX)
		take(game, &game->rig.upstreams[i]);
}

static void prime(struct game *game)
{
	if (may_connect(game))
		exchange_rig_prime(&game->rig);
}

static void move_clock(struct game *game)
{
	exchange_rig_pass(&game->rig, (uint64_t)next_byte(game) * 40);
}

static void client_ends(struct game *game)
{
	end_speech(&game->client, &game->rig.client, true, next_byte(game));
}

static void do_rarely(struct game *game)
{
	switch (next_byte(game)) {
	case 1:
	case 2:
	case 3:
		client_ends(game);
		break;
	case 4:
		close_from_outside(game);
		break;
	case 5:
	case 6:
		drain(game);
		break;
	case 7:
	case 8:
		rubbish(game);
		break;
	case 9:
		refuse_dial(game);
		break;
	case 10:
		hold_finish_up(game);
		break;
	}
}

static void move(struct game *game)
{
	static void (*const moves[])(struct game *) = {client_says, client_says, client_says,
	        upstream_says, upstream_says, upstream_says, interim, fire_client_some,
	        fire_client_some, fire_upstream, fire_upstream, connect_dial, connect_dial,
	        take_client, take_upstream, prime, upstream_ends, move_clock, do_rarely};

	moves[next_byte(game) % (sizeof(moves) / sizeof(moves[0]))](game);
}

/* ---- what must hold ---- */

/* Nobody else has it. */
static bool is_pooled(struct game *game, size_t i)
{
	const struct session *session = game->rig.session;
	const struct upstream_connection *dialled = session->dial.connection;
	const struct stream *stream = exchange_rig_stream(&game->rig, i);

	if (!stream || session->closed)
		return stream;
	return stream != session->upstream && (!dialled || stream != &dialled->stream);
}

static void check_pooled(struct game *game)
{
	for (size_t i = 0; i < game->rig.upstream_count; i++) {
		const struct stream *stream = exchange_rig_stream(&game->rig, i);
		if (!is_pooled(game, i))
			continue;
		CHECK(stream->state == STREAM_OPEN && !stream->eof_seen);
		CHECK(stream_in_bytes(stream) == 0 && stream_is_drained(stream));
	}
}

static void check_bytes(struct game *game)
{
	const struct fake_peer *client = &game->rig.client;

	if (game->switched)
		return;
	CHECK(!exchange_rig_holds(client, EXCHANGE_POISON_TEXT));
	exchange_oracle_check_answers(client, game->requests);
	for (size_t i = 0; i < game->rig.upstream_count; i++) {
		bool whole = exchange_oracle_check_requests(&game->rig.upstreams[i]);
		CHECK(whole || !is_pooled(game, i));
	}
}

static void set_up(struct game *game)
{
	struct exchange_rig *rig = &game->rig;
	uint8_t byte = next_byte(game);

	exchange_rig_init(rig);
	rig->group.endpoint_count = 1 + byte % EXCHANGE_RIG_SERVERS_MAX;
	rig->client.cut_needs_reset = byte & 4;
	if (byte & 8)
		rig->client.read_room_min = 17 * 1024; /* as TLS */
	if (byte & 16)
		rig->server.keepalive_requests = 3;
	if (byte & 32)
		rig->proxied->client_max_body_size = 8;
	exchange_rig_open(rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct game *game = calloc(1, sizeof(*game));

	CHECK(game);
	game->data = data;
	game->size = size;
	set_up(game);
	for (int i = 0; i < MOVES_MAX && game->size > 0; i++) {
		move(game);
		fake_loop_end_turn(game->rig.host.io.loop);
		check_pooled(game);
		CHECK(game->rig.ended <= 1);
	}
	check_bytes(game);
	exchange_rig_pass(&game->rig, FOR_EVER_MS);
	check_bytes(game);
	CHECK(game->rig.ended == 1);
	exchange_rig_destroy(&game->rig);
	free(game);
	return 0;
}
