# SPDX-License-Identifier: BSD-2-Clause
"""Peers that never read, never write or vanish: a probe every 10 ms through the same worker does not
feel them, and nothing of them is left."""

import re
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from support.clients import (Probe, connect, exchange, exchange_many, receive_all, receive_exactly,
                             reset, try_to_talk)
from support.processes import cpu_seconds, descriptors, wait_until
from support.sealane import IS_SANITIZED, access_lines
from support.upstreams import NginxHttp, ScriptedServer

pytestmark = pytest.mark.alone

LARGE = 150_000_000
GET_LARGE = b"GET /large HTTP/1.0\r\n\r\n"


def start(stage, target, **keys):
    """(gateway, pid of its only worker, port): plain clients, a TLS upstream on port `target`."""
    port = stage.port()
    configuration = stage.tls_tunnel(port, target)
    for name, tcp in keys.items():
        configuration[f"tcp {name}"] = tcp
    gateway = stage.gateway(configuration, workers=1)
    (pid,) = gateway.workers().values()
    return gateway, pid, port


def start_echo(stage):
    application = stage.application(certificate=stage.pki.server(), client_ca=stage.pki.authority())
    started = start(stage, application.port)
    exchange_many(started[2], 5)
    return started


def start_probed(stage, **keys):
    """The upstream is nginx with a large file: a busy one with hundreds of threads would take the
    CPUs, and the probes would tell of that. The probe has a listener and a plain upstream of its own,
    so that it waits for this worker and for nobody else."""
    with open(stage.folder / "large", "wb") as large:
        large.truncate(LARGE)
    nginx = stage.upstream(NginxHttp, stage.pki.server(), client_ca=stage.pki.authority(), root=stage.folder)
    stage.probed, stage.direct = stage.port(), stage.application(name="probed").port
    probe = {"listen": f"127.0.0.1:{stage.probed}", "proxy_pass": f"127.0.0.1:{stage.direct}"}
    started = start(stage, nginx.port, probe=probe, **keys)
    for _ in range(5):  # with a session from now on
        with connect(started[2]) as sock:
            sock.sendall(b"GET /none HTTP/1.0\r\n\r\n")
            assert b" 404 " in receive_all(sock)
    return started


class Probing:
    """A probe beside what stands in the block; the worker holds afterwards what it held before.

    A second probe goes straight to the probe's upstream: what it sees is the machine's own delay,
    and no fault of the gateway's."""

    def __init__(self, stage, pid, seconds=2.5):
        self.stage, self.pid, self.seconds = stage, pid, seconds

    def __enter__(self):
        self.before = len(descriptors(self.pid))
        self.probe = self.stage.add(Probe(self.stage.folder, self.stage.probed))
        self.control = self.stage.add(Probe(self.stage.folder, self.stage.direct, "control"))
        self.until = time.monotonic() + self.seconds
        return self

    def __exit__(self, kind, *_):
        if kind:
            return
        time.sleep(max(0.0, self.until - time.monotonic()))
        seen, control = self.probe.finish(), self.control.finish()
        assert not seen["failures"] and seen["count"] > 50, seen
        if not IS_SANITIZED:
            assert seen["p99"] < 50 + control["p99"], (seen, control)
            assert seen["max"] < 500 + control["max"], (seen, control)
        wait_until(lambda: len(descriptors(self.pid)) <= self.before, "no descriptor is left over",
                   timeout=15)


def test_clients_that_never_write(stage):
    _, pid, port = start_probed(stage)
    with Probing(stage, pid):
        socks = []
        for _ in range(300):
            socks.append(connect(port))
            time.sleep(0.002)
        time.sleep(1)
        for sock in socks:
            sock.close()


def test_clients_that_never_read(stage):
    _, pid, port = start_probed(stage)
    with Probing(stage, pid, seconds=4):
        socks = []
        for _ in range(40):
            sock = connect(port)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(GET_LARGE)
            socks.append(sock)
        time.sleep(1)
        before = cpu_seconds(pid)
        time.sleep(1)
        assert cpu_seconds(pid) - before < 0.6, "the worker spins"
        for sock in socks:
            reset(sock)


def test_clients_that_come_and_vanish(stage):
    gateway, pid, port = start_probed(stage)
    with Probing(stage, pid):
        for number in range(400):
            sock = connect(port)
            if number % 3:
                sock.sendall(b"x" * (number * 10))
            reset(sock)
    assert gateway.workers() and list(gateway.workers().values()) == [pid]


def test_tls_clients_that_never_finish_a_handshake(stage):
    application = stage.application()
    tls = stage.port()
    server = stage.pki.server()
    _, pid, _ = start_probed(stage, tls={
        "listen": f"127.0.0.1:{tls} ssl", "proxy_pass": f"127.0.0.1:{application.port}",
        "ssl_certificate": server.chain, "ssl_certificate_key": server.key,
        "ssl_handshake_timeout": "1s", "access_log": f"{stage.folder}/tls.log"})
    with Probing(stage, pid, seconds=3):
        socks = []
        for number in range(200):
            sock = connect(tls)
            sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[:number % 12])
            socks.append(sock)
        wait_until(lambda: len(access_lines(stage.folder / "tls.log")) == 200, "all are timed out")
        for sock in socks:
            sock.close()
    ends = {line["end"] for line in access_lines(stage.folder / "tls.log")}
    assert ends == {"client_handshake_timeout"}


def never_answers(sock, _):
    time.sleep(30)
    sock.close()


def never_reads(stage):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stage.pki.server().chain, stage.pki.server().key)

    def script(sock, server):
        server.facts.append(context.wrap_socket(sock, server_side=True))  # kept open
        time.sleep(30)
    return script


def bad_tunnel(stage, port, server, **keys):
    return stage.tls_tunnel(port, server.port, access_log=f"{stage.folder}/bad.log", **keys)["tcp echo"]


def test_upstreams_that_never_answer(stage):
    server, bad = stage.add(ScriptedServer(never_answers)), stage.port()
    gateway, pid, _ = start_probed(stage, bad=bad_tunnel(stage, bad, server, proxy_connect_timeout="1s"))
    with Probing(stage, pid):
        socks = [connect(bad) for _ in range(100)]
        wait_until(lambda: len(access_lines(stage.folder / "bad.log")) == 100, "all are timed out")
        for sock in socks:
            sock.close()
    assert {line["end"] for line in access_lines(stage.folder / "bad.log")} == {
        "upstream_handshake_timeout"}
    gateway.wait_for_log(rf"127\.0\.0\.1:{server.port}")


def test_upstreams_that_never_read(stage):
    """Stuck both ways until proxy_timeout; one line each, and the worker sleeps meanwhile."""
    server, bad = stage.add(ScriptedServer(never_reads(stage))), stage.port()
    _, pid, _ = start_probed(stage, bad=bad_tunnel(stage, bad, server, proxy_timeout="2s",
                                               proxy_connect_timeout="10s"))
    with Probing(stage, pid, seconds=4):
        socks = []
        for number in range(20):
            socks.append(connect(bad))
            socks[-1].setblocking(False)
            wait_until(lambda: len(server.facts) > number, "a handshake", interval=0.002)
            _fill(socks[-1])
        wait_until(lambda: len(access_lines(stage.folder / "bad.log")) == 20, "all are timed out",
                   timeout=20)
        for sock in socks:
            sock.close()
    assert {line["end"] for line in access_lines(stage.folder / "bad.log")} == {"idle_timeout"}


def _fill(sock):
    try:
        while True:
            sock.send(bytes(65_536))
    except (BlockingIOError, ConnectionResetError):
        pass  # full, or timed out already


def test_upstreams_that_vanish(stage):
    def script(sock, _):
        sock.recv(10)
        reset(sock)

    server, bad = stage.add(ScriptedServer(script)), stage.port()
    _, pid, _ = start_probed(stage, bad=bad_tunnel(stage, bad, server))
    with Probing(stage, pid):
        for _ in range(100):
            assert try_to_talk(bad) == (b"", "reset")
    assert len(access_lines(stage.folder / "bad.log")) == 100


def test_bulk_beside_the_probe(stage):
    """Eight downloads as fast as they go leave the others their turn."""
    _, pid, port = start_probed(stage)

    def download():
        with connect(port, timeout=60) as sock:
            sock.sendall(GET_LARGE)
            while sock.recv(1 << 18):
                pass
    with Probing(stage, pid):
        threads = [threading.Thread(target=download) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_idle_connections_cost_nothing(stage):
    _, pid, port = start_echo(stage)
    socks = []
    for _ in range(100):
        sock = connect(port)
        sock.sendall(b"hello")
        assert receive_exactly(sock, 5) == b"hello"
        socks.append(sock)
    time.sleep(0.5)
    before = cpu_seconds(pid)
    time.sleep(2)
    assert cpu_seconds(pid) - before <= 0.05
    for sock in socks:
        sock.close()


def test_descriptors_run_out(stage):
    """EMFILE: accepting pauses without spinning, what stands goes on, and all comes back."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port), workers=1, worker_rlimit_nofile=64)
    (pid,) = gateway.workers().values()
    assert re.search(r"^Max open files +64 ", Path(f"/proc/{pid}/limits").read_text(), re.MULTILINE)
    socks = [connect(port) for _ in range(80)]
    socks[0].sendall(b"hello")
    assert receive_exactly(socks[0], 5) == b"hello"
    time.sleep(0.5)  # past the first tries
    before = cpu_seconds(pid)
    time.sleep(1.5)
    assert cpu_seconds(pid) - before < 0.3, "the worker spins"
    socks[0].sendall(b"again")
    assert receive_exactly(socks[0], 5) == b"again"
    assert len(descriptors(pid)) <= 64
    gateway.wait_for_log(r"descriptor|EMFILE|Too many open files|worker_rlimit_nofile|worker_connections")
    for sock in socks:  # those that wait in the queue have their turn as others leave
        sock.sendall(b"hello")
        assert receive_exactly(sock, 5) in (b"hello", b"again")
        sock.close()
    wait_until(lambda: len(descriptors(pid)) < 40, "they are given back")
    exchange_many(port, 20)
    assert list(gateway.workers().values()) == [pid]


def test_every_connection_has_one_line(stage):
    _, _, port = start_echo(stage)
    before = len(access_lines(stage.folder / "access.log"))
    for number in range(60):
        sock = connect(port)
        sock.sendall(b"x")
        if number % 2:
            assert sock.recv(1) == b"x"
        (reset if number % 3 else socket.socket.close)(sock)
    exchange(port)
    wait_until(lambda: len(access_lines(stage.folder / "access.log")) >= before + 61, "all lines")
    time.sleep(0.2)
    assert len(access_lines(stage.folder / "access.log")) == before + 61
