# SPDX-License-Identifier: BSD-2-Clause
"""Raw answers of upstreams of every shape: each reaches its client whole, or is a 502, a 504, or a cut
that can be seen; and never another client."""

import collections
import random
import re
import socket
import ssl
import threading
import time

import pytest

from support import http_lanes
from support.http_answers import Conversation
from support.http_cases.request_case import get, head, sized
from support.http_cases.responses import CASES
from support.recording_upstream import (CLOSE, HOLD, READ_BODY, RecordingUpstream, Pause, describe, reply)
from support.response_matrix import play
from support.upstreams import ScriptedServer

LANES = 8


@pytest.fixture(name="play_ground", scope="module")
def play_ground_fixture(module_stage):
    """(stage, gateway, {name of a place: its port}): the lanes, and a listener for each upstream that
    misbehaves otherwise."""
    stage = module_stage
    lanes = http_lanes.build(stage, LANES)
    sections = http_lanes.configuration(stage, lanes, proxy_read_timeout="2s", proxy_connect_timeout="2s",
                                        client_body_timeout="4s")
    ports = {}
    for name, keys in _places(stage).items():
        ports[name] = stage.port()
        sections[f"http {name}"] = {"listen": f"127.0.0.1:{ports[name]}", **keys}
    gateway = stage.gateway(sections, workers=1)
    gateway.lanes = lanes
    return stage, gateway, ports


def _places(stage):
    pki = stage.pki

    def to(server):
        return f"https://127.0.0.1:{server.port}"

    def silent(sock, _server):
        sock.recv(1)
        threading.Event().wait(10)

    def rubbish(sock, _server):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    stage.early = stage.add(RecordingUpstream(pki, before=[reply(b"unasked\n")]))
    stage.later = stage.add(RecordingUpstream(pki))
    tls12 = ssl.TLSVersion.TLSv1_2
    good = stage.add(RecordingUpstream(pki))
    return {
        "refused": {"proxy_pass": f"https://127.0.0.1:{stage.port()}"},
        "silent": {"proxy_pass": to(stage.add(ScriptedServer(silent)))},
        "clear": {"proxy_pass": to(stage.add(ScriptedServer(rubbish)))},
        "stranger": {"proxy_pass": to(stage.add(RecordingUpstream(pki, certificate=pki.server(
            authority="Other CA"))))},
        "misnamed": {"proxy_pass": to(good), "proxy_ssl_name": "other.example.com"},
        "anonymous": {"proxy_pass": to(good), "proxy_ssl_certificate": "none"},
        "anonymous12": {"proxy_pass": to(stage.add(RecordingUpstream(pki, maximum=tls12))),
                        "proxy_ssl_certificate": "none"},
        "early": {"proxy_pass": to(stage.early)},
        "later": {"proxy_pass": to(stage.later)},
    }


@pytest.fixture(name="matrix", scope="module")
def matrix_fixture(play_ground):
    """{case: verdict}"""
    _, gateway, _ = play_ground
    workers = gateway.workers()
    verdicts = http_lanes.run(gateway.lanes, CASES, play)
    assert gateway.workers() == workers, "CRASH: a worker died"
    return verdicts


def test_the_matrix_is_whole():
    assert len(CASES) >= 80 and len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_response(matrix, case):
    assert not matrix[case].kind, matrix[case]


def test_nothing_worse_than_a_wrong_status(matrix):
    found = collections.Counter(verdict.kind for verdict in matrix.values())
    assert not set(found) & {"DANGER", "INVALID", "SILENT", "HANG"}, found


@pytest.mark.parametrize("place, status", [
    ("refused", 502), ("silent", 504), ("clear", 502), ("stranger", 502), ("misnamed", 502),
    ("anonymous", 502), ("anonymous12", 502)])
def test_no_connection(play_ground, place, status):
    """Nobody there, no handshake, not who it should be, or not content with us."""
    _, _, ports = play_ground
    for request, method in ((get(), "GET"), (sized(b"hello"), "POST"), (head("HEAD /"), "HEAD")):
        with Conversation(ports[place]) as client:
            answer = client.ask(request, method)
            assert answer.status == status and answer.complete


def test_what_comes_before_the_request_is_no_answer(play_ground):
    """An upstream that talks first. Nobody can tell its bytes from an answer when a request has just
    gone out; but the answer that comes behind them is nobody's: never the next client's."""
    stage, _, ports = play_ground
    for number in range(20):
        target = f"/mine/{number}"
        with Conversation(ports["early"]) as client:
            answer = client.ask(get(target=target))
            assert answer.status == 502 or answer.body in (b"unasked\n", f"GET {target}\n".encode()), answer
        time.sleep(0.03)
    used = [data.count(b"HTTP/1.1\r\n") for data in stage.early.take().values()]
    assert set(used) == {1}, f"requests on each connection: {used}"


def _ask_early(port, body, sent, method="POST"):
    """A request whose body stops after `sent` bytes: what is answered, and how it ends."""
    request = sized(body, method=method)
    with Conversation(port) as client:
        client.methods = [method]
        client.send(request[:len(request) - len(body) + sent])
        answers, rest = client.wait(1, to_end=True)
        assert len(answers) == 1 and not rest, (answers, rest, client.end)
        return answers[0], client.end


@pytest.mark.parametrize("then", [READ_BODY, HOLD, CLOSE])
def test_early_answer(play_ground, then):
    """It goes out at once, says close, and the upstream's connection is not used again."""
    stage, _, ports = play_ground
    answer = reply(b"no\n", "403 Forbidden")
    stage.later.plan = lambda request, _: [answer, then, READ_BODY] if request.method == b"POST" else describe(request)
    stage.later.take()
    got, end = _ask_early(ports["later"], bytes(500_000), 1000)
    assert (got.status, got.body, end) == (403, b"no\n", "fin") and got.says_close
    with Conversation(ports["later"]) as client:
        assert client.ask(get(target="/next")).body == b"GET /next\n"
    assert len(stage.later.take()) == 2, "the second request came by another connection"


def test_early_answer_to_a_client_that_sends_on(play_ground):
    """The answer is not lost to a reset while the rest of the body comes (lingering close)."""
    stage, _, ports = play_ground
    stage.later.plan = lambda request, _: [
        reply(b"no\n", "403 Forbidden", "Connection: close"), HOLD, READ_BODY]
    for _ in range(5):
        got, _ = _ask_early(ports["later"], bytes(900_000), 900_000)
        assert (got.status, got.body) == (403, b"no\n")


def test_answers_find_their_client(play_ground):
    """Clients that tag their requests, an upstream that now and then answers twice or late: each gets
    its own answer or an error, never another's."""
    stage, _, ports = play_ground
    dice = random.Random(3)

    def plan(request, _connection):
        mine = reply(request.target + b"\n")
        return dice.choice(([mine], [mine], [mine + reply(b"another's\n")],
                            [Pause(0.01), mine, CLOSE], [mine[:20], Pause(0.01), mine[20:]],
                            [mine + b"x"], [reply(b"")[:30], CLOSE]))

    stage.later.plan = plan
    wrong, right = [], []

    def client(number):
        for i in range(60):
            target = f"/{number}/{i}"
            try:
                with Conversation(ports["later"]) as conversation:
                    answer = conversation.ask(get(target=target))
            except (AssertionError, OSError) as error:  # cut short, which the plan does not say
                wrong.append((target, error))
                continue
            if answer.status != 502:
                (right if answer.body == f"{target}\n".encode() else wrong).append((target, answer.body))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(right) > 200, (len(right), wrong[:3])


def test_a_client_that_goes_takes_its_answer_along(play_ground):
    """An upstream connection whose client left before the answer is not used for the next one."""
    stage, _, ports = play_ground
    stage.later.plan = lambda request, _: ([Pause(0.3), reply(b"late\n")] if request.target == b"/late"
                                           else describe(request))
    for _ in range(5):
        with Conversation(ports["later"]) as client:
            client.send(get(target="/late"))
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        with Conversation(ports["later"]) as client:
            assert client.ask(get(target="/mine")).body == b"GET /mine\n"


def test_the_log_says_why(play_ground, matrix):
    """One line each, with the upstream and the reason; the like in a short time is told by number."""
    stage, gateway, _ = play_ground
    assert matrix
    log = gateway.error_log
    for reason in ("bad answer: ", "interim answers",
                   r"switched protocols \(101\)", "certificate verification failed", "in time",
                   "closed without an answer", "close_notify|truncated|without"):
        assert re.search(reason, log), reason
    assert all(c == "\t" or c == "\n" or " " <= c for c in log), "a control byte in the log"
