# SPDX-License-Identifier: BSD-2-Clause
"""Bytes through a tunnel, plain and TLS to the upstream, and every way it ends."""

import socket
import subprocess
import time

import pytest

from support.application import pattern, pattern_crc
from support.clients import (connect, exchange, exchange_many, how_it_ends, receive_all,
                             receive_exactly, reset, try_to_talk)
from support.processes import wait_until
from support.sealane import access_lines, wait_for_access_lines
from support.upstreams import ScriptedServer, require

KINDS = ["plain", "tls"]


def serve(stage, kind, options=(), main=None, **keys):
    """(application, port of the gateway, gateway)"""
    port = stage.port()
    if kind == "plain":
        application = stage.application(options=options)
        configuration = stage.tunnel(port, application.port, **keys)
    else:
        application = stage.application(certificate=stage.pki.server(), options=options,
                                        client_ca=stage.pki.authority())
        configuration = stage.tls_tunnel(port, application.port, **keys)
    return application, port, stage.gateway(configuration, **(main or {}))


def last_end(stage):
    return wait_for_access_lines(stage.folder / "access.log", 1)[-1]["end"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 16_384, 16_385, 262_144, 3_000_001])
def test_echo_of_any_size(stage, kind, size):
    _, port, _ = serve(stage, kind)
    data = b"".join(pattern(size))
    with connect(port) as sock:
        sent = received = 0
        echo = bytearray()
        while received < size:
            if sent < size and sent - received < 131_072:
                sent += sock.send(data[sent:sent + 65_536])
            else:
                piece = sock.recv(1 << 18)
                assert piece, "ended early"
                echo += piece
                received += len(piece)
        assert echo == data
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == b""
    assert last_end(stage) == "done"


@pytest.mark.parametrize("kind", KINDS)
def test_half_close_by_the_client(stage, kind):
    """The upstream answers only after the client's FIN."""
    _, port, _ = serve(stage, kind)
    with connect(port) as sock:
        sock.sendall(b"SINK\n" + b"".join(pattern(2_000_000)))
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == f"2000000 {pattern_crc(2_000_000)}\n".encode()
    assert last_end(stage) == "done"


@pytest.mark.parametrize("kind", KINDS)
def test_half_close_by_the_upstream(stage, kind):
    application, port, _ = serve(stage, kind)
    with connect(port) as sock:
        sock.sendall(b"SEND 1000\n")
        assert len(receive_all(sock)) == 1000
        sock.sendall(b"after your end")
        assert not application.events("end")
        assert not access_lines(stage.folder / "access.log")
    wait_until(lambda: application.events("end"), "the upstream's end")
    assert application.events("end")[0]["received"] == len(b"SEND 1000\nafter your end")
    assert last_end(stage) == "done"


def test_half_close_off_ends_both(stage):
    _, port, _ = serve(stage, "plain", proxy_half_close="off")
    with connect(port) as sock:
        sock.sendall(b"SEND 300000\n")
        assert len(receive_all(sock)) == 300_000
        assert last_end(stage) == "done", "though the client has not ended"


@pytest.mark.parametrize("kind", KINDS)
def test_upstream_speaks_first(stage, kind):
    _, port, _ = serve(stage, kind, options=["--greeting", "220 welcome\n"])
    with connect(port) as sock:
        assert receive_exactly(sock, 12) == b"220 welcome\n"


@pytest.mark.parametrize("setting, end", [("reset", "reset"), ("close", "fin"), (None, "reset")])
def test_truncation_by_the_upstream(stage, setting, end):
    """What arrived whole is delivered; then a cut stays a cut."""
    _, port, _ = serve(stage, "tls", proxy_ssl_truncation=setting)
    with connect(port) as sock:
        sock.sendall(b"TAIL truncated\n")
        data, how = how_it_ends(sock)
    assert data == b"".join(pattern(100_000))
    assert how == end
    assert last_end(stage) == "upstream_truncated"


@pytest.mark.parametrize("kind", KINDS)
def test_clean_end_is_a_clean_end(stage, kind):
    _, port, _ = serve(stage, kind)
    with connect(port) as sock:
        sock.sendall(b"TAIL clean\n")
        data, how = how_it_ends(sock)
    assert data == b"".join(pattern(100_000)) and how == "fin"
    assert last_end(stage) == "done"


@pytest.mark.parametrize("kind", KINDS)
def test_reset_by_the_upstream(stage, kind):
    _, port, _ = serve(stage, kind)
    with connect(port) as sock:
        sock.sendall(b"TAIL reset\n")
        data, how = how_it_ends(sock)
    assert data == b"".join(pattern(100_000)) and how == "reset"
    assert last_end(stage) == "upstream_reset"


@pytest.mark.parametrize("kind", KINDS)
def test_reset_by_the_client(stage, kind):
    application, port, _ = serve(stage, kind)
    sock = connect(port)
    sock.sendall(b"hello")
    assert receive_exactly(sock, 5) == b"hello"
    reset(sock)
    assert last_end(stage) == "client_reset"
    wait_until(lambda: application.events("end"), "the upstream's end")
    assert application.events("end")[0]["end"] in ("reset", "truncated"), "not a clean end"


@pytest.mark.parametrize("kind", KINDS)
def test_idle_tunnel_is_cut(stage, kind):
    _, port, _ = serve(stage, kind, proxy_timeout="1s")
    with connect(port) as sock:
        for _ in range(6):  # traffic keeps it for longer than the time-out
            time.sleep(0.3)
            sock.sendall(b"tick")
            assert receive_exactly(sock, 4) == b"tick"
        started = time.monotonic()
        assert how_it_ends(sock) == (b"", "reset")
        assert 0.7 < time.monotonic() - started < 4
    assert last_end(stage) == "idle_timeout"


def test_refused_upstream(stage):
    port = stage.port()
    stage.gateway(stage.tunnel(port, stage.port()))
    assert try_to_talk(port) == (b"", "reset")
    (line,) = wait_for_access_lines(stage.folder / "access.log", 1)
    assert (line["end"], line["status"]) == ("upstream_connect", "502")


def test_upstream_that_does_not_connect_in_time(stage):
    """A listener whose queue is full drops SYNs."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = stage.port()
        stage.gateway(stage.tunnel(port, full.getsockname()[1], proxy_connect_timeout="500ms"))
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
        started = time.monotonic()
        assert try_to_talk(port) == (b"", "reset")
        assert 0.3 < time.monotonic() - started < 4
    assert last_end(stage) == "upstream_connect_timeout"


def silent(sock, _):
    while sock.recv(4096):
        pass


def test_client_that_resets_cancels_the_dial(stage):
    hanging = stage.add(ScriptedServer(silent))
    port = stage.port()
    stage.gateway(stage.tls_tunnel(port, hanging.port, proxy_connect_timeout="30s"))
    sock = connect(port)
    sock.sendall(b"hello")
    wait_until(lambda: hanging.accepted == 1, "the dial")
    reset(sock)
    assert last_end(stage) == "client_reset"


def test_client_that_only_ends_does_not_cancel_the_dial(stage):
    application, port, _ = serve(stage, "tls")
    with connect(port) as sock:
        sock.sendall(b"SINK\nabc")
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock).startswith(b"3 ")
    assert last_end(stage) == "done"
    assert application.events("handshake")


def test_ipv6(stage):
    application, port = stage.application(), stage.port()
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this host has no IPv6")
    configuration = stage.tunnel(port, application.port)
    configuration["tcp echo"]["listen"] = [f"[::1]:{port}", f"127.0.0.1:{port}"]
    stage.gateway(configuration)
    exchange(port)
    with connect(port, host="::1") as sock:
        sock.sendall(b"six")
        assert receive_exactly(sock, 3) == b"six"
    line = wait_for_access_lines(stage.folder / "access.log", 2)[-1]
    assert line["client"].startswith("[::1]:")


@pytest.mark.parametrize("setting, shown", [(None, True), ("off", False), ("30s:5s:3", True)])
def test_keepalive_towards_the_upstream(stage, setting, shown):
    require("ss")
    application, port, _ = serve(stage, "plain", proxy_socket_keepalive=setting)
    with connect(port) as sock:
        sock.sendall(b"hello")
        assert receive_exactly(sock, 5) == b"hello"
        output = subprocess.run(["ss", "-tnoH", "dst", f"127.0.0.1:{application.port}"],
                                capture_output=True, text=True, check=True).stdout
    assert output.strip() and ("timer:(keepalive" in output) == shown, output


def test_hundred_at_once(stage):
    _, port, _ = serve(stage, "tls")
    exchange_many(port, 400, parallel=50)
    lines = wait_for_access_lines(stage.folder / "access.log", 400)
    assert {line["end"] for line in lines} == {"done"}
