# SPDX-License-Identifier: BSD-2-Clause
"""A real protocol that others wrote: plain redis clients, two redis servers that want certificates."""

import os
import re
import signal

import pytest

from support.clients import connect, receive_exactly
from support.ports import free_port
from support.processes import Process, wait_until
from support.sealane import wait_for_access_lines
from support.upstreams import Upstream, require


class Redis(Upstream):
    def __init__(self, folder, pki, name, port=None):
        self.port = port or free_port()
        certificate, ca = pki.server(name), pki.authority()
        super().__init__(name, [
            "redis-server", "--port", "0", "--tls-port", self.port, "--tls-auth-clients", "yes",
            "--tls-cert-file", certificate.chain, "--tls-key-file", certificate.key,
            "--tls-ca-cert-file", ca.certificate, "--save", "", "--appendonly", "no",
            "--bind", "127.0.0.1", "--protected-mode", "no"], folder)


NAMES = ("backend1.example.com", "backend2.example.com")


@pytest.fixture(name="served")
def served_fixture(stage):
    """(gateway, port, the servers): the shape of the example that this program began with."""
    require("redis-server", "redis-benchmark")
    servers = [stage.upstream(Redis, stage.pki, name) for name in NAMES]
    port = stage.port()
    configuration = stage.tls_tunnel(port, "backend", name=None, proxy_ssl_verify="on",
                                     proxy_ssl_ciphers="HIGH:!aNULL:!MD5", proxy_ssl_verify_depth=2,
                                     proxy_ssl_protocols="TLSv1 TLSv1.1 TLSv1.2")
    configuration["upstream backend"] = {"server": [
        f"127.0.0.1:{server.port} name={server.name} fail_timeout=1s" for server in servers]}
    return stage.gateway(configuration, workers=2), port, servers


def ask(sock):
    """What PING gets."""
    sock.sendall(b"PING\r\n")
    return receive_exactly(sock, 7)


@pytest.mark.parametrize("keepalive, tests", [
    (1, "set,get,incr,lpush,rpush,lpop,sadd,hset"), (0, "set")],
                         ids=["kept connections", "a connection for each"])
def test_benchmark_while_reloading(stage, served, keepalive, tests):
    gateway, port, _ = served
    benchmark = stage.add(Process("benchmark", [
        "redis-benchmark", "-p", port, "-c", "50", "-n", "10000", "-k", keepalive, "-t", tests,
        "-q"], stage.folder))
    for _ in range(3):
        old = gateway.workers().values()
        gateway.signal(signal.SIGHUP)
        gateway.wait_for_new_workers(old)
    if not benchmark.running:
        pytest.fail("it was over before the third reload")
    assert benchmark.wait(120) == 0
    output = benchmark.output.replace("\r", "\n")
    for test in tests.upper().split(","):
        assert re.search(rf"^{test}: [\d.]+ requests", output, re.MULTILINE), output
    assert not re.search("[Ee]rror|reset|refused|Could not", output), output


def test_a_client_that_leaves_first_is_no_error(stage, served):
    """redis answers our close_notify with a bare FIN, each time: told apart, but not cried out."""
    gateway, port, _ = served
    with connect(port) as sock:
        assert ask(sock) == b"+PONG\r\n"
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "upstream_truncated"
    gateway.wait_for_log(r"\[info\] .*ended without close_notify")
    assert "[error]" not in gateway.error_log, gateway.error_log


def test_one_server_dies_and_comes_back(stage, served):
    _, port, servers = served
    socks = [connect(port) for _ in range(20)]
    assert all(ask(sock) == b"+PONG\r\n" for sock in socks)
    servers[0].signal(signal.SIGKILL)
    servers[0].wait()
    alive = 0
    for sock in socks:
        try:
            alive += ask(sock) == b"+PONG\r\n"
        except ConnectionError:
            pass
        sock.close()
    assert alive == 10, "what ran on the other goes on"
    for _ in range(20):
        with connect(port) as sock:
            assert ask(sock) == b"+PONG\r\n"
    again = stage.upstream(Redis, stage.pki, NAMES[0], servers[0].port)

    def is_used():
        with connect(port) as sock:
            assert ask(sock) == b"+PONG\r\n"
            sock.sendall(b"INFO server\r\n")
            return f"process_id:{again.pid}".encode() in sock.recv(65_536)
    wait_until(is_used, "the server that came back", timeout=15)


def test_large_values(served):
    _, port, _ = served
    value = os.urandom(5_000_000)
    with connect(port, timeout=30) as sock:
        sock.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%s\r\n" % (len(value), value))
        assert receive_exactly(sock, 5) == b"+OK\r\n"
        sock.sendall(b"GET k\r\n")
        head = b"$%d\r\n" % len(value)
        assert receive_exactly(sock, len(head) + len(value) + 2) == head + value + b"\r\n"
