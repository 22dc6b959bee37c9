# SPDX-License-Identifier: BSD-2-Clause
"""One full handshake, then every worker resumes: over reloads and deaths, and never across settings.

What counts is the upstream's own account. Over HTTP no upstream connection is kept here.
"""

import os
import signal
import socket
import struct
from pathlib import Path

import pytest

from support.clients import connect, exchange_many, receive_all, reset
from support.http_answers import Conversation
from support.http_cases.request_case import get
from support.http_lanes import upstream_tls
from support.processes import wait_until
from support.recording_upstream import RecordingUpstream
from support.upstreams import OpensslServer, require

NAME = "backend1.example.com"
VERSIONS = ["1.3", "1.2"]


def start(stage, protocol, kind="nginx", version="1.3", client_ca=True, **options):
    certificate = stage.pki.server()
    ca = stage.pki.authority() if client_ca else None
    if kind == "s_server":
        require("openssl")
        return stage.upstream(OpensslServer, certificate, client_ca=ca,
                              options=[f"-tls{version.replace('.', '_')}"])
    require("nginx")
    return protocol.nginx(stage, certificate, client_ca=ca, protocols=f"TLSv{version}", **options)


def visitor(protocol, upstream):
    """A function of a port that makes one connection through to this upstream."""
    if not isinstance(upstream, OpensslServer):
        return protocol.visit

    def visit(port):
        with connect(port, timeout=60) as sock:
            sock.sendall(upstream.REQUEST)
            sock.shutdown(socket.SHUT_WR)
            upstream.note(receive_all(sock))
    return visit


@pytest.fixture(name="full_handshakes")
def full_handshakes_fixture(protocol):
    """A function: how many of the next `count` connections to `upstream` are full handshakes."""
    def full_handshakes(upstream, port, count, parallel=1):
        before = len(upstream.handshakes())
        exchange_many(port, count, parallel, visitor(protocol, upstream))
        wait_until(lambda: len(upstream.handshakes()) >= before + count, f"{count} handshakes")
        return sum(not h.resumed for h in upstream.handshakes()[before:])
    return full_handshakes


def turns(pid):
    """How often a process has gone to sleep: grows with each event it was woken for."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("voluntary_ctxt_switches:")[1].split()[0])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["nginx", "s_server"])
def test_four_workers_one_upstream(stage, protocol, full_handshakes, kind, version):
    upstream, port = start(stage, protocol, kind, version), stage.port()
    gateway = stage.gateway(protocol.site(stage, port, upstream.port, proxy_connect_timeout="30s"),
                            workers=4)
    assert full_handshakes(upstream, port, 1) == 1
    before = {pid: turns(pid) for pid in gateway.workers().values()}
    assert full_handshakes(upstream, port, 200) <= 2
    assert full_handshakes(upstream, port, 200, parallel=50) <= 2
    assert all(turns(pid) - count > 40 for pid, count in before.items()), "all workers had their part"

    old = gateway.workers().values()
    gateway.signal(signal.SIGHUP)
    gateway.wait_for_new_workers(old)
    assert full_handshakes(upstream, port, 100) <= 1
    assert full_handshakes(upstream, port, 100, parallel=50) <= 1

    old = list(gateway.workers().values())
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    gateway.wait_for_new_workers(old)
    assert full_handshakes(upstream, port, 100) <= 1
    assert full_handshakes(upstream, port, 100, parallel=50) <= 1


def test_reuse_off(stage, protocol, full_handshakes):
    upstream, port = start(stage, protocol), stage.port()
    stage.gateway(protocol.site(stage, port, upstream.port, proxy_ssl_session_reuse="off"))
    assert full_handshakes(upstream, port, 5) == 5


# Changes of the identity: the keys before and after.
CHANGES = {
    "client certificate": lambda pki: (_client(pki.client()), _client(pki.client("gateway2"))),
    "no client certificate": lambda pki: (_client(pki.client()), {
        "proxy_ssl_certificate": None, "proxy_ssl_certificate_key": None}),
    "CA": lambda pki: ({}, {"proxy_ssl_trusted_certificate":
                            pki.bundle(pki.authority("Another CA"), pki.authority())}),
    "SNI": lambda pki: ({}, {"proxy_ssl_server_name": "off"}),
    "name": lambda pki: ({}, {"proxy_ssl_name": "127.0.0.1"}),
    "verify on": lambda pki: ({"proxy_ssl_verify": "off"}, {"proxy_ssl_verify": "on"}),
    "verify depth": lambda pki: ({}, {"proxy_ssl_verify_depth": 2}),
    "level": lambda pki: ({"proxy_ssl_ciphers": "DEFAULT:@SECLEVEL=1"},
                          {"proxy_ssl_ciphers": "DEFAULT:@SECLEVEL=2"}),
    "ALPN": lambda pki: ({}, {"proxy_ssl_alpn": "http/1.1 http/1.0"}),
}


def _client(certificate):
    return {"proxy_ssl_certificate": certificate.chain, "proxy_ssl_certificate_key": certificate.key}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("change", CHANGES)
def test_changed_settings_make_the_next_handshake_full(stage, protocol, full_handshakes, change, version):
    upstream = start(stage, protocol, version=version, client_ca=False)
    port = stage.port()
    before, after = CHANGES[change](stage.pki)
    first = stage.complete(protocol.site(stage, port, upstream.port, **before))
    second = stage.complete(protocol.site(stage, port, upstream.port, **{**before, **after}))
    gateway = stage.gateway(first)
    assert full_handshakes(upstream, port, 4) == 1
    gateway.reload(second)
    assert full_handshakes(upstream, port, 4) == 1, "the first is full, then they resume"
    gateway.reload(second)
    assert full_handshakes(upstream, port, 4) == 0, "nothing has changed"
    gateway.reload(first)
    assert full_handshakes(upstream, port, 4) <= 1


def test_section_names_are_no_part_of_the_identity(stage, protocol, full_handshakes):
    upstream, port = start(stage, protocol), stage.port()
    configuration = stage.complete(protocol.site(stage, port, upstream.port))
    gateway = stage.gateway(configuration)
    assert full_handshakes(upstream, port, 4) == 1
    configuration[f"{protocol.kind} renamed"] = configuration.pop(f"{protocol.kind} echo")
    gateway.reload(configuration)
    assert full_handshakes(upstream, port, 4) == 0


def test_another_cache_size_keeps_living_sessions(stage, protocol, full_handshakes):
    upstream, port = start(stage, protocol), stage.port()
    configuration = stage.complete(protocol.site(stage, port, upstream.port),
                                   tls_session_cache_size="16m")
    gateway = stage.gateway(configuration)
    assert full_handshakes(upstream, port, 4) == 1
    for size in ("4m", "32m"):
        configuration["main"]["tls_session_cache_size"] = size
        gateway.reload(configuration)
        assert full_handshakes(upstream, port, 4) == 0, size


GROUPS = {
    "trust": lambda pki: {"proxy_ssl_trusted_certificate":
                          pki.bundle(pki.authority(), pki.authority("Another CA"))},
    "client certificate": lambda pki: _client(pki.client("gateway2")),
    "name": lambda pki: {"proxy_ssl_name": "127.0.0.1"},
    "verify": lambda pki: {"proxy_ssl_verify": "off"},
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("difference", GROUPS)
def test_groups_that_differ_share_nothing(stage, protocol, full_handshakes, difference, version):
    upstream = start(stage, protocol, version=version, client_ca=False)
    ports = stage.ports(2)
    client, ca = stage.pki.client(), stage.pki.authority()
    keys = protocol.group(upstream.port, proxy_ssl_name=NAME,
                          proxy_ssl_trusted_certificate=ca.certificate, **_client(client))
    configuration = {"upstream a": keys, "upstream b": {**keys, **GROUPS[difference](stage.pki)}}
    for name, port in zip("ab", ports):
        configuration[f"{protocol.kind} {name}"] = {
            "listen": f"127.0.0.1:{port}", "proxy_pass": f"{protocol.scheme}{name}"}
    if protocol.kind == "tcp":
        configuration["tcp"] = {"proxy_ssl": "on"}
    stage.gateway(configuration)
    assert full_handshakes(upstream, ports[0], 6) == 1
    assert full_handshakes(upstream, ports[1], 6) == 1
    assert full_handshakes(upstream, ports[0], 6) == 0


def test_groups_that_do_not_differ_share(stage, protocol, full_handshakes):
    upstream = start(stage, protocol)
    ports = stage.ports(2)
    one = protocol.site(stage, ports[0], upstream.port)
    other = protocol.site(stage, ports[1], upstream.port, name="other")
    stage.gateway({**one, **other})
    assert full_handshakes(upstream, ports[0], 4) == 1
    assert full_handshakes(upstream, ports[1], 4) == 0


def test_another_server_on_the_same_group(stage, protocol):
    """Sessions are the server's, not the group's."""
    first, second = (start(stage, protocol, name=name) for name in ("one", "two"))
    port = stage.port()
    configuration = protocol.site(stage, port, "pair")
    configuration["upstream pair"] = protocol.group(first.port, second.port)
    stage.gateway(configuration)
    exchange_many(port, 40, one=protocol.visit)
    for upstream in (first, second):
        wait_until(lambda upstream=upstream: len(upstream.handshakes()) == 20, "half of them")
        assert sum(not h.resumed for h in upstream.handshakes()) == 1


def test_server_that_forgot_its_sessions(stage, protocol, full_handshakes):
    """Restarted with new ticket keys it declines: a full handshake on the same connection."""
    port, own = stage.ports(2)
    first = start(stage, protocol, name="first", port=own)
    stage.gateway(protocol.site(stage, port, own), workers=2)
    assert full_handshakes(first, port, 5) == 1
    first.kill()
    second = start(stage, protocol, name="second", port=own)
    assert full_handshakes(second, port, 10) <= 3, "each old ticket is declined once at most"
    assert full_handshakes(second, port, 10) == 0


def _offers_session(hello):
    """Whether a ClientHello of TLS 1.3 has the extension pre_shared_key."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]  # legacy_session_id
    at += 2 + struct.unpack_from("!H", hello, at)[0]  # cipher_suites
    at += 1 + hello[at] + 2  # legacy_compression_methods
    while at < len(hello):
        kind, length = struct.unpack_from("!HH", hello, at)
        if kind == 41:
            return True
        at += 4 + length
    return False


ALERTS = {"handshake_failure": 40, "access_denied": 49, "decrypt_error": 51}


class Allergic(RecordingUpstream):
    """Once `how` is set: each handshake that offers a session ends like that."""

    how, failed = None, 0

    def _handshake(self, connection):
        if self.how and _offers_session(connection.sock.recv(1 << 14, socket.MSG_PEEK)):
            self.failed += 1
            if self.how in ALERTS:
                connection.sock.sendall(b"\x15\x03\x03\x00\x02\x02" + bytes([ALERTS[self.how]]))
            if self.how == "reset":
                reset(connection.sock)
            else:
                connection.sock.recv(1 << 14)
            raise ConnectionResetError
        super()._handshake(connection)


@pytest.mark.parametrize("how", [*ALERTS, "end", "reset"])
def test_server_that_fails_at_sessions(stage, how):
    """It is asked again without one, and nobody notices; what else was stored of it is offered no more."""
    upstream, port = stage.add(Allergic(stage.pki)), stage.port()
    gateway = stage.gateway({
        "http": upstream_tls(stage.pki),
        "http site": {"listen": f"127.0.0.1:{port}", "proxy_pass": "https://group"},
        "upstream group": {"server": f"127.0.0.1:{upstream.port}", "keepalive": 0}})

    def visit():
        with Conversation(port) as client:
            assert client.ask(get("Connection: close")).status == 200

    visit()
    visit()
    assert [connection.resumed for connection in upstream.connections] == [False, True]
    upstream.how = how
    upstream.context.num_tickets = 0
    for _ in range(3):
        visit()
    assert upstream.failed == 1 and len(upstream.connections) == 6
    assert not any(connection.resumed for connection in upstream.connections[2:])
    gateway.wait_for_log("the handshake with a stored session failed; trying without")
    assert "[error]" not in gateway.error_log
