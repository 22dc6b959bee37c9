# SPDX-License-Identifier: BSD-2-Clause
"""Upstream connections that are kept: used again, within bounds, only by who may, and never in vain."""

import concurrent.futures
import random
import ssl
import threading
import time

import pytest

from support.clients import connect, receive_exactly
from support.http_answers import Conversation
from support.http_cases.request_case import get, sized
from support.http_lanes import upstream_tls
from support.http_upstreams import HttpApplication
from support.processes import descriptors, wait_until
from support.recording_upstream import CLOSE, CUT, HOLD, RESET, Pause, RecordingUpstream, describe, reply
from support.sealane import IS_SANITIZED


def start(stage, *servers, group=None, workers=1, **http):
    """(gateway, port): one site in front of a group of these servers (or their ports)."""
    port = stage.port()
    addresses = [f"127.0.0.1:{server if isinstance(server, int) else server.port}" for server in servers]
    gateway = stage.gateway({
        "http": upstream_tls(stage.pki),
        "http site": {"listen": f"127.0.0.1:{port}", "proxy_pass": "https://group", **http},
        "upstream group": {"server": addresses, **(group or {})},
    }, workers=workers)
    return gateway, port


def recording(stage, *arguments, **options):
    return stage.add(RecordingUpstream(stage.pki, *arguments, **options))


def ask(port, data=None, method="GET"):
    """The answer to one request on a connection of its own."""
    with Conversation(port) as client:
        return client.ask(data or get(), method)


def standing(upstream):
    return [connection for connection in upstream.connections if not connection.end]


# Used again

def test_one_connection_serves_many_clients(stage):
    upstream = recording(stage)
    _, port = start(stage, upstream)
    for number in range(30):
        assert ask(port, get(target=f"/{number}")).body == f"GET /{number}\n".encode()
    assert upstream.count() == 1


def test_all_kinds_of_requests_share_it(stage):
    upstream = recording(stage)
    _, port = start(stage, upstream)
    for data, method in ((get(), "GET"), (sized(b"hello"), "POST"), (sized(b"", method="PUT"), "PUT"),
                         (get().replace(b"GET", b"HEAD"), "HEAD")) * 3:
        assert ask(port, data, method).status == 200
    assert upstream.count() == 1


def test_tickets_do_not_count_as_bytes(stage):
    """TLS 1.3 servers send tickets when it suits them: a connection with nothing else stays."""
    upstream = recording(stage, tickets=4, minimum=ssl.TLSVersion.TLSv1_3)
    _, port = start(stage, upstream)
    for _ in range(5):
        assert ask(port).status == 200
        time.sleep(0.05)
    assert upstream.count() == 1


# Bounds

def in_parallel(port, count):
    """So many requests under way at once; the upstream answers after a while."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        for answer in pool.map(lambda _: ask(port, get(target="/slow")), range(count)):
            assert answer.status == 200


def slowly(request, _connection):
    return ([Pause(0.3)] if request.target == b"/slow" else []) + describe(request)


@pytest.mark.parametrize("keepalive", [0, 1, 3])
def test_keepalive(stage, keepalive):
    upstream = recording(stage, slowly)
    _, port = start(stage, upstream, group={"keepalive": keepalive})
    in_parallel(port, 8)
    wait_until(lambda: len(standing(upstream)) == keepalive, f"{keepalive} idle connections")
    time.sleep(0.2)
    assert len(standing(upstream)) == keepalive
    before = upstream.count()
    assert ask(port).status == 200
    assert upstream.count() == before + (0 if keepalive else 1)


def test_without_keepalive_the_upstream_is_told(stage):
    upstream = recording(stage)
    _, port = start(stage, upstream, group={"keepalive": 0})
    ask(port)
    (data,) = upstream.take().values()
    assert b"\r\nConnection: close\r\n" in data


def test_keepalive_requests(stage):
    upstream = recording(stage)
    _, port = start(stage, upstream, group={"keepalive_requests": 5})
    for _ in range(23):
        assert ask(port).status == 200
    assert sorted(connection.requests for connection in upstream.connections) == [3, 5, 5, 5, 5]


def test_keepalive_timeout(stage):
    upstream = recording(stage)
    _, port = start(stage, upstream, group={"keepalive_timeout": "500ms"})
    ask(port)
    assert len(standing(upstream)) == 1
    wait_until(lambda: not standing(upstream), "the end of the idle connection", timeout=3)
    assert upstream.connections[0].end == "clean"


def test_keepalive_time(stage):
    upstream = recording(stage)
    _, port = start(stage, upstream, group={"keepalive_time": "1s"})
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        assert ask(port).status == 200
        time.sleep(0.1)
    assert 2 <= upstream.count() <= 4


# Dead ones

def test_posts_to_an_upstream_that_closes_idle_connections(stage):
    """After 1 s, with POSTs every 0.9 to 1.1 s from each of many clients: none fails."""
    application = stage.upstream(HttpApplication, stage.pki, idle=1)
    _, port = start(stage, application)
    failures, done = [], []
    until = time.monotonic() + 12

    def client(number):
        dice = random.Random(number)
        time.sleep(dice.random())
        while time.monotonic() < until:
            try:
                answer = ask(port, sized(b"x" * 100), "POST")
                (done if answer.status == 200 else failures).append(answer.status)
            except (AssertionError, OSError) as error:
                failures.append(error)
            time.sleep(dice.uniform(0.9, 1.1))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and len(done) > 100, (len(done), failures[:5])


def test_one_client_posts_at_the_worst_moments(stage):
    """A single connection that dies at any time around each POST."""
    application = stage.upstream(HttpApplication, stage.pki, idle=0.3)
    _, port = start(stage, application)
    for number in range(25):
        assert ask(port, sized(b"hello"), "POST").status == 200, number
        time.sleep(0.28 + 0.002 * number)


@pytest.mark.parametrize("end", [CLOSE, CUT, RESET])
def test_an_idle_connection_that_ends_is_given_up_at_once(stage, end):
    upstream = recording(stage, lambda request, _: [*describe(request), Pause(0.1), end])
    gateway, port = start(stage, upstream)
    (pid,) = gateway.workers().values()
    before = len(descriptors(pid))
    for number in range(5):
        assert ask(port, sized(b"hello"), "POST").status == 200
        wait_until(lambda: len(descriptors(pid)) <= before, "no descriptor is left")
        assert upstream.count() == number + 1


def dies_when_used_again(end):
    def plan(request, connection):
        return [end] if connection.requests else describe(request)
    return plan


@pytest.mark.parametrize("end", [CLOSE, CUT, RESET])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT"])
def test_a_request_that_can_be_repeated_is(stage, end, method):
    """The kept connection dies when it gets the request: another one is made, nobody notices."""
    upstream = recording(stage, dies_when_used_again(end))
    _, port = start(stage, upstream)
    request = get().replace(b"GET", method.encode())
    for number in range(4):
        assert ask(port, request, method).status == 200, number
    assert upstream.count() == 4


@pytest.mark.parametrize("end", [CLOSE, RESET])
@pytest.mark.parametrize("method, body", [("POST", b"hello"), ("POST", b""), ("PATCH", b"hello"),
                                          ("PUT", b"hello"), ("GET", b"hello")])
def test_a_request_that_cannot_be_repeated_is_not(stage, end, method, body):
    """It may have been carried out: 502, and the upstream sees it once."""
    upstream = recording(stage, dies_when_used_again(end))
    _, port = start(stage, upstream)
    assert ask(port).status == 200
    assert ask(port, sized(body, method=method, target="/once"), method).status == 502
    seen = b"".join(connection.data for connection in upstream.connections)
    assert seen.count(b" /once HTTP/1.1\r\n") == 1


@pytest.mark.parametrize("end", [CLOSE, RESET])
def test_a_fresh_connection_that_dies_is_a_failure(stage, end):
    """No answer on a new connection to the only server: 502 after one try."""
    upstream = recording(stage, lambda request, _: [end])
    _, port = start(stage, upstream)
    assert ask(port).status == 502
    assert upstream.count() <= 2


def test_part_of_an_answer_is_never_repeated(stage):
    upstream = recording(stage, lambda request, connection: (
        [b"HTTP/1.1 200 OK\r\nX: ", CLOSE] if connection.requests else describe(request)))
    _, port = start(stage, upstream)
    assert ask(port).status == 200
    assert ask(port, get(target="/second")).status == 502
    assert sum(connection.requests for connection in upstream.connections) == 2


# The next server

def test_next_server_when_one_is_not_there(stage):
    upstream = recording(stage)
    _, port = start(stage, stage.port(), upstream)
    for _ in range(10):
        assert ask(port).status == 200
        assert ask(port, sized(b"hello"), "POST").status == 200


def test_next_server_only_for_what_can_be_repeated(stage):
    deaf = recording(stage, lambda request, _: [RESET])
    good = recording(stage)
    _, port = start(stage, deaf, good, group={"keepalive": 0})
    statuses = [ask(port, sized(b"hello"), "POST").status for _ in range(3)]
    assert statuses.count(502) == 1, "the first POST that met the deaf one, then it is out"
    assert all(ask(port).status == 200 for _ in range(5))
    assert sum(connection.requests for connection in deaf.connections) == 1


def test_next_server_after_silence(stage):
    deaf = recording(stage, lambda request, _: [HOLD])
    _, port = start(stage, deaf, recording(stage), proxy_read_timeout="500ms")
    assert all(ask(port).status == 200 for _ in range(4))


def test_next_server_can_be_forbidden(stage):
    _, port = start(stage, stage.port(), recording(stage), group={"keepalive": 0}, proxy_next_upstream="off")
    statuses = [ask(port).status for _ in range(4)]
    assert statuses.count(502) == 1 and statuses.count(200) == 3, statuses


# Who may use it

def identities(stage):
    """{location: the keys that make it another one}; each also says as whom the upstream knows it."""
    other = stage.pki.client("other-gateway")
    return {
        "/gateway": {},
        "/other": {"proxy_ssl_certificate": other.chain, "proxy_ssl_certificate_key": other.key},
        "/renamed": {"proxy_ssl_name": "backend2.example.com"},
        "/unnamed": {"proxy_ssl_server_name": "off"},
        "/depth": {"proxy_ssl_verify_depth": "2"},
        "/unverified": {"proxy_ssl_verify": "off"},
        "/tls12": {"proxy_ssl_protocols": "TLSv1.2"},
    }


@pytest.mark.parametrize("keepalive", [64, 0])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_connections_and_sessions_belong_to_one_identity(stage, keepalive, version):
    """Locations to one server that differ in what they are or demand: no connection carries requests
    of two, and no session of one is resumed by another."""
    certificate = stage.pki.once("two names", lambda: stage.pki.issue(
        stage.pki.authority(), "backend1.example.com",
        ["DNS:backend1.example.com", "DNS:backend2.example.com", "IP:127.0.0.1"]))
    upstream = recording(stage, certificate=certificate, maximum=version)
    port = stage.port()
    target = f"https://127.0.0.1:{upstream.port}"
    sections = {"http": upstream_tls(stage.pki), "http site": {"listen": f"127.0.0.1:{port}"},
                "upstream group": {"server": f"127.0.0.1:{upstream.port}", "keepalive": keepalive}}
    for path, keys in identities(stage).items():
        sections[f"location site {path}"] = {"proxy_pass": "https://group", **keys}
    stage.gateway(sections, workers=1)
    paths = list(identities(stage))
    for path in paths * 3 + random.Random(4).sample(paths * 5, len(paths) * 5):
        assert ask(port, get(target=path)).status == 200, target
    resumed = {path: [] for path in paths}
    for connection in upstream.connections:
        used = {line.split(b" ")[1].decode() for line in connection.data.split(b"\r\n") if line.startswith(b"GET ")}
        assert len(used) == 1, f"one connection, requests of {used}"
        (path,) = used
        resumed[path].append(connection.resumed)
        assert connection.client == ("other-gateway" if path == "/other" else "gateway")
        assert connection.server_name == {"/renamed": "backend2.example.com", "/unnamed": ""}.get(
            path, "backend1.example.com")
    assert all(not each[0] for each in resumed.values()), f"the first of each is a full handshake: {resumed}"
    for path, each in resumed.items():
        assert len(each) == (8 if not keepalive else 1), (path, each)
        assert all(each[1:]), (path, each)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_handshakes_are_resumed_from_any_worker(stage, version):
    """24 of 25 with two workers and no kept connections."""
    upstream = recording(stage, maximum=version)
    _, port = start(stage, upstream, group={"keepalive": 0}, workers=2)
    for _ in range(25):
        assert ask(port).status == 200
    assert [connection.resumed for connection in upstream.connections] == [False] + [True] * 24


def test_nothing_is_left_over(stage):
    """Descriptors of clients and upstreams that came and went in every way."""
    dice = random.Random(5)
    upstream = recording(stage, lambda request, _: dice.choice(
        (describe(request), describe(request), [reply(b"x"), CLOSE], [RESET], [reply(b"xy")[:-1], CUT])))
    gateway, port = start(stage, upstream, group={"keepalive": 4})
    (pid,) = gateway.workers().values()
    before = len(descriptors(pid))
    for number in range(100 if not IS_SANITIZED else 30):
        with Conversation(port) as client:
            client.methods = ["GET"]
            client.send(get())
            if number % 3:
                client.wait(1, timeout=5)
    wait_until(lambda: len(descriptors(pid)) <= before + 4, "the descriptors of four idle connections")


def test_kept_connections_give_way_to_clients(stage):
    """When descriptors are out, a connection that waits for a request has none to lose."""
    upstream = recording(stage, slowly)
    kept, tcp = stage.port(), stage.port()
    gateway = stage.gateway({
        "http": upstream_tls(stage.pki),
        "http site": {"listen": f"127.0.0.1:{kept}", "proxy_pass": "https://group"},
        "tcp site": {"listen": f"127.0.0.1:{tcp}", "proxy_pass": f"127.0.0.1:{stage.application().port}"},
        "upstream group": {"server": f"127.0.0.1:{upstream.port}", "keepalive": "32"},
    }, workers=1, worker_rlimit_nofile=64)
    in_parallel(kept, 21)
    (pid,) = gateway.workers().values()
    assert len(standing(upstream)) == 21 and len(descriptors(pid)) + 2 * 21 > 64
    clients = [connect(tcp) for _ in range(21)]
    for client in clients:
        client.sendall(b"hello")
        assert receive_exactly(client, 5) == b"hello"
    assert len(standing(upstream)) < 21
    for client in clients:
        client.close()
