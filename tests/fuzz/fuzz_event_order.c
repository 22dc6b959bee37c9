/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_event_order.c - a tunnel under every order of events.
 *
 * The input is a list of moves: what the two peers say and take, which descriptor is reported when,
 * the clock, a pool that runs dry, a close from outside. The real session, tunnel, pump and streams
 * stand between two scripted peers. After each move what arrived must be a prefix of what was sent.
 * In the end everything is let go: then all must have arrived, or the session must have ended for a
 * reason that happened; nothing may wait without an event to come, spin, or be left over.
 */
#include "tests/support/fake_session.h"

#include "shared/check.h"

#include <string.h>

enum {
	PATTERN_BYTES = 1 << 19,
	POOL_BYTES = 700 * 1024,
	MOVES_MAX = 400,
	LET_GO_TURNS_MAX = 5000,
	CLIENT = 0,
	UPSTREAM = 1,
};

/* One of the two peers, and what the moves have told it to do. */
struct side {
	struct fake_peer *peer;
	size_t said; /* bytes of its pattern in its script */
	size_t checked; /* bytes that it received and that were compared */
	size_t first; /* where in the pattern it starts: the two sides say different things */
	bool will_end, ends_cleanly; /* an end is in its script */
	bool write_fails;
};

struct game {
	struct fake_session fake;
	struct side sides[2];
	struct buffer *hoard; /* what keeps the pool dry */
	bool connected, closed_from_outside, clock_moved;
	const uint8_t *data;
	size_t size;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned char pattern[PATTERN_BYTES + 1];

static uint8_t next_byte(struct game *game)
{
	if (game->size == 0)
		return 0;
	game->size--;
	return *game->data++;
}

/* From a few bytes to a few buffers. */
static size_t next_count(struct game *game)
{
	uint8_t byte = next_byte(game);

	return (size_t)(byte & 15) << (byte >> 4);
}

static struct stream *stream_of(struct game *game, int side)
{
	struct session *session = game->fake.session;

	return side == CLIENT ? &session->client : session->upstream;
}

static bool is_full(const struct fake_peer *peer, enum fake_operation operation)
{
	return peer->queues[operation].count >= FAKE_STEPS_MAX;
}

/* ---- what peers say and take ---- */

static void say(struct game *game, int index, bool inside, bool answers)
{
	struct side *side = &game->sides[index];
	size_t count = next_count(game), left = PATTERN_BYTES - side->first - side->said;

	if (side->will_end || is_full(side->peer, FAKE_READ))
		return;
	if (count > left)
		count = left;
	/* Bytes get into a transport only with others that were read, or with the handshake. */
	const struct fake_queue *queue = &side->peer->queues[FAKE_READ];
	inside &= queue->next < queue->count || !side->peer->handshake_done;
	fake_step_add(side->peer, FAKE_READ,
	        (struct fake_step){.result = IO_OK,
	                .bytes = pattern + side->first + side->said,
	                .count = count,
	                .inside = inside,
	                .answers = answers});
	side->said += count;
}

static void end(struct game *game, int index, enum io_result result)
{
	struct side *side = &game->sides[index];
	bool client = index == CLIENT, cut = result == IO_TRUNCATED;
	enum close_reason reset = client ? CLOSE_CLIENT_RESET : CLOSE_UPSTREAM_RESET;
	enum close_reason truncated = client ? CLOSE_CLIENT_TRUNCATED : CLOSE_UPSTREAM_TRUNCATED;

	if (side->will_end || is_full(side->peer, FAKE_READ))
		return;
	fake_step_add(side->peer, FAKE_READ,
	        (struct fake_step){.result = result, .reason = cut ? truncated : reset});
	side->will_end = true;
	side->ends_cleanly = result == IO_EOF;
}

static void take(struct game *game, int index, bool kept)
{
	struct fake_peer *peer = game->sides[index].peer;
	size_t count = next_count(game);

	if (is_full(peer, FAKE_WRITE))
		return;
	if (kept)
		fake_write_kept(peer, count);
	else
		fake_write_short(peer, count);
}

static void fail_to_take(struct game *game, int index)
{
	struct side *side = &game->sides[index];

	if (is_full(side->peer, FAKE_WRITE) || side->write_fails)
		return;
	fake_fail(side->peer, FAKE_WRITE,
	        index == CLIENT ? CLOSE_CLIENT_RESET : CLOSE_UPSTREAM_RESET);
	side->write_fails = true;
}

static void hold_finish_up(struct game *game, int index)
{
	struct fake_peer *peer = game->sides[index].peer;

	if (!is_full(peer, FAKE_FINISH))
		fake_step_add(peer, FAKE_FINISH, (struct fake_step){.result = IO_WANT_WRITE});
}

/* ---- events ---- */

static void fire(struct game *game, int index, unsigned events)
{
	struct stream *stream = stream_of(game, index);

	if (stream && stream->state != STREAM_CLOSED)
		fake_loop_fire_in_turn(&stream->watch, events);
}

static void connect_upstream(struct game *game)
{
	if (game->connected || game->fake.session->closed)
		return;
	if (game->fake.session->client.state != STREAM_OPEN)
		return; /* the upstream is dialled after the client's handshake */
	game->connected = true;
	fake_session_connect(&game->fake);
}

static void dry_pool(struct game *game)
{
	struct buffer_pool *pool = game->fake.host.io.pool;

	if (game->hoard || buffer_pool_lent_bytes(pool) >= POOL_BYTES)
		return;
	game->hoard = buffer_pool_lend_always(
	        pool, (size_t)(POOL_BYTES - buffer_pool_lent_bytes(pool)));
}

static void fill_pool(struct game *game)
{
	buffer_pool_return(game->fake.host.io.pool, &game->hoard);
}

static void close_from_outside(struct game *game)
{
	if (game->fake.session->closed)
		return;
	game->closed_from_outside = true;
	session_close(game->fake.session, CLOSE_SHUTDOWN_TIMEOUT);
}

static void move_clock(struct game *game)
{
	game->clock_moved = true;
	fake_loop_advance(game->fake.host.io.loop, (uint64_t)next_byte(game) * 100);
}

static void move(struct game *game)
{
	uint8_t byte = next_byte(game);
	int side = byte & 1;

	switch ((byte >> 1) % 18) {
	case 0:
	case 1:
		say(game, side, false, false);
		break;
	case 2:
		say(game, side, true, false);
		break;
	case 3:
		say(game, side, false, true);
		break;
	case 4:
		end(game, side, IO_EOF);
		break;
	case 5:
		end(game, side, byte & 128 ? IO_ERROR : IO_TRUNCATED);
		break;
	case 6:
		take(game, side, false);
		break;
	case 7:
		take(game, side, true);
		break;
	case 8:
		hold_finish_up(game, side);
		break;
	case 9:
		if (byte & 128)
			fail_to_take(game, side);
		break;
	case 10:
		dry_pool(game);
		break;
	case 11:
		fill_pool(game);
		break;
	case 12:
		connect_upstream(game);
		break;
	case 13:
		if (byte & 128)
			move_clock(game);
		break;
	case 14:
		if (byte >= 254)
			close_from_outside(game);
		break;
	case 15:
		fire(game, side, EVENT_WRITE);
		break;
	case 16:
		fire(game, side, EVENT_READ);
		break;
	case 17:
		fire(game, side, EVENT_READ | EVENT_WRITE);
		break;
	}
	if (byte & 64)
		fake_loop_end_turn(game->fake.host.io.loop);
}

/* ---- what must hold ---- */

static const struct side *other_side(const struct game *game, int index)
{
	return &game->sides[1 - index];
}

static void check_prefixes(struct game *game)
{
	for (int i = 0; i < 2; i++) {
		const struct side *from = other_side(game, i);
		struct side *to = &game->sides[i];
		size_t received = to->peer->received_bytes, fresh = received - to->checked;
		CHECK(received <= from->said);
		CHECK(fresh == 0 || memcmp(to->peer->received + to->checked,
		                            pattern + from->first + to->checked, fresh) == 0);
		to->checked = received;
	}
	CHECK(game->fake.ended <= 1);
}

/* What lies in the transport already brings no event of the descriptor. */
static bool is_descriptor_readable(const struct fake_peer *peer)
{
	const struct fake_queue *queue = &peer->queues[FAKE_READ];

	for (size_t i = queue->next; i < queue->count; i++) {
		if (!queue->steps[i].inside)
			return true;
	}
	return false;
}

/* One turn in which each stream gets what it can wait for. */
static bool let_go_once(struct game *game)
{
	bool moved = false;

	for (int i = 0; i < 2; i++) {
		struct stream *stream = stream_of(game, i);
		if (!stream || stream->state == STREAM_CLOSED)
			continue;
		unsigned events = stream->watch.events & EVENT_WRITE;
		if (stream->state == STREAM_HANDSHAKING ||
		        is_descriptor_readable(game->sides[i].peer))
			events |= stream->watch.events & EVENT_READ;
		moved |= fake_loop_fire(&stream->watch, events);
	}
	return moved;
}

static void let_go(struct game *game)
{
	unsigned turns = 0;

	fill_pool(game);
	fake_loop_end_turn(game->fake.host.io.loop);
	for (;;) {
		connect_upstream(game);
		if (!let_go_once(game))
			break;
		check_prefixes(game);
		CHECK(++turns < LET_GO_TURNS_MAX); /* it spins */
	}
}

/* A tunnel that goes on though no event is to come has passed on all that it got. */
static void check_nothing_waits(struct game *game)
{
	if (game->fake.session->closed || !game->connected)
		return;
	for (int i = 0; i < 2; i++) {
		struct stream *stream = stream_of(game, i);
		CHECK(stream->state == STREAM_OPEN);
		CHECK(stream_in_bytes(stream) == 0 && stream_is_drained(stream));
		CHECK(stream->finished == stream_of(game, 1 - i)->eof_seen);
	}
}

/* Nothing happened that may end it early: then it ends exactly when both sides have. */
static void check_clean(const struct game *game)
{
	const struct fake_session *fake = &game->fake;
	bool both_end = game->sides[CLIENT].will_end && game->sides[UPSTREAM].will_end;

	for (int i = 0; i < 2; i++) {
		const struct side *from = other_side(game, i);
		const struct fake_peer *to = game->sides[i].peer;
		CHECK(to->received_bytes == from->said);
		CHECK(to->tail_bytes == 0 && !to->answer_waits);
		CHECK(to->finished == from->will_end);
		CHECK(to->closed == both_end);
		CHECK(!to->cut);
	}
	CHECK(fake->row.closed[CLOSE_DONE] == both_end);
	CHECK(both_end || buffer_pool_lent_bytes(fake->host.io.pool) == 0);
}

/* The one thing that happened is that side `index` was cut: no whole byte is lost, and no cut looks
 * like an end. */
static void check_cut(const struct game *game, int index)
{
	const struct side *from = &game->sides[index];
	const struct fake_peer *to = other_side(game, index)->peer;
	bool truncated = game->fake.row.closed[CLOSE_CLIENT_TRUNCATED] ||
	                 game->fake.row.closed[CLOSE_UPSTREAM_TRUNCATED];

	CHECK(game->fake.ended == 1);
	if (!game->connected || !to->handshake_done)
		return;
	CHECK(to->received_bytes == from->said);
	CHECK(to->tail_bytes == 0);
	CHECK(to->cut == (game->fake.settings.truncation_resets || !truncated));
	CHECK(!to->cut || !to->finished);
}

static bool may_be_cut_short(const struct game *game)
{
	return game->closed_from_outside || game->fake.row.closed[CLOSE_IDLE_TIMEOUT] ||
	       game->fake.row.closed[CLOSE_UPSTREAM_HANDSHAKE_TIMEOUT];
}

static void check_end(struct game *game)
{
	const struct side *client = &game->sides[CLIENT], *upstream = &game->sides[UPSTREAM];
	bool cut[2];

	for (int i = 0; i < 2; i++)
		cut[i] = game->sides[i].will_end && !game->sides[i].ends_cleanly;
	check_nothing_waits(game);
	if (may_be_cut_short(game) || client->write_fails || upstream->write_fails)
		return;
	if (!game->fake.settings.half_close && (client->will_end || upstream->will_end))
		CHECK(game->fake.ended == 1);
	else if (!cut[CLIENT] && !cut[UPSTREAM])
		check_clean(game);
	/* With an end the other way the cut may come when all is over. */
	else if (cut[CLIENT] != cut[UPSTREAM] && !(cut[CLIENT] ? upstream : client)->will_end)
		check_cut(game, cut[CLIENT] ? CLIENT : UPSTREAM);
	else
		CHECK(game->fake.ended == 1);
}

/* ---- the game ---- */

static void set_up_side(struct game *game, int index, struct fake_peer *peer)
{
	uint8_t byte = next_byte(game);

	game->sides[index].peer = peer;
	game->sides[index].first = index == CLIENT ? 0 : 77;
	peer->cut_needs_reset = byte & 1;
	if (byte & 2)
		peer->read_room_min = 17 * 1024; /* as TLS */
	for (int turns = byte >> 2 & 3; turns > 0; turns--)
		fake_handshake(peer, byte & 1 << (3 + turns) ? IO_WANT_READ : IO_WANT_WRITE);
	if (byte & 128)
		fake_step_add(
		        peer, FAKE_HANDSHAKE, (struct fake_step){.result = IO_OK, .answers = true});
}

static void set_up(struct game *game)
{
	uint8_t byte = next_byte(game);

	fake_session_init(&game->fake, POOL_BYTES);
	game->fake.settings.half_close = !(byte & 1);
	game->fake.settings.truncation_resets = !(byte & 2);
	set_up_side(game, CLIENT, &game->fake.client);
	set_up_side(game, UPSTREAM, &game->fake.upstream);
	fake_session_open(&game->fake);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct game game = {.data = data, .size = size};

	for (size_t i = 0; pattern[PATTERN_BYTES] == 0 && i < PATTERN_BYTES; i++)
		pattern[i] = fake_pattern(i);
	pattern[PATTERN_BYTES] = 1;
	set_up(&game);
	for (int i = 0; i < MOVES_MAX && game.size > 0; i++) {
		move(&game);
		check_prefixes(&game);
	}
	let_go(&game);
	check_end(&game);
	fake_session_destroy(&game.fake);
	return 0;
}
