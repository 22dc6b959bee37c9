# SPDX-License-Identifier: BSD-2-Clause
"""[admin]: metrics, status and health, from a process that has no rights and that nobody can block."""

import json
import os
import signal
import socket
import stat
import subprocess
import time

import pytest

from support.clients import exchange_many
from support.processes import IS_ROOT, children, descriptors, is_alive, title, wait_until
from support.sealane import EXIT_DONE, EXIT_RELOAD_REFUSED, EXIT_RUN_TIME, IS_SANITIZED

SLOTS = 64  # clients that the process keeps at once


class Admin:
    """A gateway in front of an echo application, with [admin] on a unix socket and a port."""

    def __init__(self, stage, **main):
        self.stage = stage
        self.folder = stage.folder
        self.application = stage.application()
        self.port, self.tcp_port = stage.ports(2)
        self.socket = stage.folder / "admin.sock"
        self.configuration = {
            **stage.tunnel(self.port, self.application.port),
            "admin": {"listen": [f"unix:{self.socket} mode=0640", f"127.0.0.1:{self.tcp_port}"]}}
        self.gateway = stage.gateway(self.configuration, **main)
        wait_until(self.pid, "a status process")

    def pid(self):
        found = [pid for pid in children(self.gateway.pid) if title(pid) == "sealane: status"]
        return found[-1] if found else None

    def curl(self, path, *options, unix=True):
        """(status, body)"""
        where = (["--unix-socket", str(self.socket), f"http://admin{path}"] if unix
                 else [f"http://127.0.0.1:{self.tcp_port}{path}"])
        done = subprocess.run(["curl", "-sS", "-m", "10", "-w", "\n%{http_code}", *options, *where],
                              capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    def metrics(self, **options):
        """{series: value}"""
        status, body = self.curl("/metrics", **options)
        assert status == 200
        return dict(line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))

    def value(self, series):
        return float(self.metrics()["sealane_" + series])

    def status(self):
        status, body = self.curl("/status")
        assert status == 200
        return json.loads(body)

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.tcp_port), 10)
        return self.stage.add(_Closing(sock)).sock


class _Closing:
    def __init__(self, sock):
        self.sock = sock

    def stop(self):
        self.sock.close()


@pytest.fixture(name="admin")
def admin_fixture(stage):
    return Admin(stage)


def test_metrics_count_and_promtool_takes_them(admin):
    exchange_many(admin.port, 10)
    wait_until(lambda: admin.value('connections_closed_total{reason="done"}') == 10, "10 ends")
    metrics = admin.metrics(unix=False)
    assert metrics["sealane_connections_accepted_total"] == "10"
    assert metrics['sealane_client_bytes_total{direction="in"}'] == "640"
    assert metrics["sealane_upstream_attempts_total"] == "10"
    assert metrics["sealane_healthy"] == "1"
    assert metrics['sealane_workers{generation="1",state="running"}'] == "2"
    server = f'upstream="127.0.0.1:{admin.application.port}",' \
             f'server="127.0.0.1:{admin.application.port}",address="127.0.0.1:{admin.application.port}"'
    assert metrics[f"sealane_server_up{{{server}}}"] == "1"
    assert metrics[f"sealane_server_requests_total{{{server}}}"] == "10"
    assert metrics[f'sealane_server_bytes_total{{{server},direction="out"}}'] == "640"

    body = admin.curl("/metrics")[1]
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True,
                          text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_types_and_head(admin):
    for path, kind in (("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
                       ("/status", "application/json"), ("/healthz", "text/plain; charset=utf-8")):
        status, head = admin.curl(path, "-I")
        assert status == 200
        assert f"content-type: {kind}" in head.lower() and "connection: close" in head.lower()
    assert admin.curl("/healthz") == (200, "ok\n")
    assert admin.curl("/")[0] == 404
    assert admin.curl("/metrics", "-d", "x")[0] == 405


def test_status_tells_who_serves(admin):
    exchange_many(admin.port, 3)
    wait_until(lambda: admin.status()["counters"]["connections_accepted"] == 3, "3 connections")
    status = admin.status()
    assert status["pid"] == admin.gateway.pid and status["healthy"] is True
    assert 0 <= status["uptime_seconds"] < 120
    (generation,) = status["generations"]
    assert generation["number"] == 1 and generation["state"] == "serving"
    workers = {worker["slot"]: worker["pid"] for worker in generation["workers"]}
    assert workers == admin.gateway.workers()
    assert {worker["state"] for worker in generation["workers"]} == {"running"}
    (listener,) = status["listeners"]
    assert (listener["listen"], listener["protocol"]) == (f"127.0.0.1:{admin.port}", "tcp")
    (upstream,) = status["upstreams"]
    (server,) = upstream["servers"]
    assert server["state"] == "up" and server["address"] == f"127.0.0.1:{admin.application.port}"
    assert status["connections_closed"]["done"] == 3


def test_certificates_are_watched(stage):
    """Of every section that has one of its own, on either side."""
    port, secure, dead, socket_path = *stage.ports(3), stage.folder / "admin.sock"
    own, tunnel = stage.pki.server(), stage.tls_tunnel(port, dead)
    upstream = {key: value for key, value in tunnel["tcp echo"].items() if key.startswith("proxy_ssl_")}
    stage.gateway({
        **tunnel, "admin": {"listen": f"unix:{socket_path}"},
        "tcp in": {"listen": f"127.0.0.1:{stage.port()} ssl", "proxy_pass": f"127.0.0.1:{dead}",
                   "ssl_certificate": own.chain, "ssl_certificate_key": own.key},
        "http www": {"listen": f"127.0.0.1:{secure} ssl", "ssl_certificate": own.chain,
                     "ssl_certificate_key": own.key, "proxy_pass": f"http://127.0.0.1:{dead}"},
        "location www /a": {"proxy_pass": f"https://127.0.0.1:{dead}", **upstream},
        "location www = /b": {"proxy_pass": f"http://127.0.0.1:{dead}"}})
    done = subprocess.run(["curl", "-sS", "--retry", "20", "--retry-delay", "0", "--unix-socket",
                           str(socket_path), "http://admin/status"],
                          capture_output=True, text=True, timeout=30, check=True)
    certificates = json.loads(done.stdout)["certificates"]
    assert sorted((each["section"], each["side"]) for each in certificates) == [
        ("http www", "client"), ("location www /a", "upstream"), ("tcp echo", "upstream"), ("tcp in", "client")]
    for each in certificates:
        assert each["days_left"] > 0 and each["not_after"] > time.time()


def test_socket_has_its_mode_and_goes_with_the_master(admin):
    assert stat.S_IMODE(admin.socket.stat().st_mode) == 0o640
    process = admin.pid()
    assert admin.gateway.stop() == 0
    assert not admin.socket.exists() and not is_alive(process)


def test_process_has_no_rights_and_no_foreign_descriptors(admin):
    fields = dict(line.split(":\t", 1) for line in
                  open(f"/proc/{admin.pid()}/status", encoding="ascii").read().splitlines())
    assert fields["NoNewPrivs"] == "1" and int(fields["CapEff"], 16) == 0
    if IS_ROOT:
        assert set(fields["Uid"].split()) == {"65534"} and set(fields["Gid"].split()) == {"65534"}
        if not IS_SANITIZED:
            # The log files, two listeners, the control socket; briefly a client that is leaving.
            wait_until(lambda: len([fd for fd in os.listdir(f"/proc/{admin.pid()}/fd") if int(fd) > 2])
                       == 5, "no foreign descriptors")


def test_survives_reload_and_counts_on(admin):
    exchange_many(admin.port, 5)
    wait_until(lambda: admin.value("connections_accepted_total") == 5, "5 connections")
    first = admin.pid()
    admin.gateway.reload()
    wait_until(lambda: admin.pid() not in (None, first) and not is_alive(first), "another process")
    assert admin.value("configuration_generation") == 2
    assert admin.value('reloads_total{outcome="done"}') == 1
    exchange_many(admin.port, 5)
    wait_until(lambda: admin.value("connections_accepted_total") == 10, "5 more")
    admin.gateway.wait_until_drained()
    assert [row["state"] for row in admin.status()["generations"]] == ["serving"]

    admin.gateway.write(admin.gateway.ini.read_text() + "rubbish\n")
    assert admin.gateway.command("reload")[0] == EXIT_RELOAD_REFUSED
    assert admin.value('reloads_total{outcome="refused"}') == 1
    assert admin.value("configuration_generation") == 2


def test_no_request_fails_through_reloads(admin):
    """Also those that the process that goes has taken on and not heard to their end."""
    reloads = 0
    until = time.monotonic() + 4
    while time.monotonic() < until:
        begun = admin.connect()
        begun.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert admin.curl("/healthz", unix=False)[0] == 200  # it came later: the other is taken on
        admin.gateway.signal(signal.SIGHUP)
        reloads += 1
        for _ in range(5):
            assert admin.curl("/healthz", unix=reloads % 2 == 0) == (200, "ok\n")
        begun.sendall(b"\r\n")
        with begun.makefile("rb") as answer:
            assert answer.read().endswith(b"\r\n\r\nok\n")
        begun.close()
    assert admin.value("configuration_generation") > 1


def test_listeners_change_with_a_reload(admin):
    other = admin.folder / "other.sock"
    configuration = {**admin.configuration, "admin": {"listen": f"unix:{other}"}}
    process = admin.pid()
    os.kill(process, signal.SIGSTOP)  # it holds what it has inherited
    admin.gateway.reload(admin.stage.complete(configuration))
    assert not admin.socket.exists()
    with pytest.raises(ConnectionRefusedError):
        admin.connect()
    os.kill(process, signal.SIGCONT)
    admin.socket = other
    assert admin.curl("/healthz")[0] == 200
    del configuration["admin"]
    admin.gateway.reload(admin.stage.complete(configuration))
    assert not other.exists()
    wait_until(lambda: admin.pid() is None, "no status process")


def test_a_reload_that_cannot_bind_is_refused(admin):
    taken = admin.stage.add(_Closing(socket.socket())).sock
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    address = f"127.0.0.1:{taken.getsockname()[1]}"
    other = admin.folder / "other.sock"
    admin.gateway.write(admin.stage.complete({**admin.configuration,
                                              "admin": {"listen": [f"unix:{other}", address]}}))
    status, output = admin.gateway.command("reload")
    assert status == EXIT_RELOAD_REFUSED and f"listen {address} (" in output, output
    assert not other.exists() and admin.curl("/healthz")[0] == 200


def test_killed_process_is_replaced(admin):
    for _ in range(3):
        process = admin.pid()
        os.kill(process, signal.SIGKILL)
        wait_until(lambda old=process: admin.pid() not in (None, old), "another status process")
        assert admin.curl("/healthz")[0] == 200
    assert admin.gateway.wait_for_log("the status process was killed by signal 9")
    assert admin.gateway.running


def test_reopening_logs_replaces_the_process(admin):
    """It writes into the log files as well, and nobody can hand it a new one."""
    process, log = admin.pid(), admin.gateway.error_path
    log.rename(log.with_suffix(".1.log"))
    assert admin.gateway.command("reopen")[0] == EXIT_DONE
    wait_until(lambda: admin.pid() not in (None, process) and not is_alive(process), "another process")
    assert admin.curl("/healthz")[0] == 200
    if IS_ROOT:
        assert str(log) in descriptors(admin.pid()).values()


def test_stale_socket_is_replaced_and_a_file_is_not(admin):
    configuration = admin.stage.complete(admin.configuration)
    process = admin.pid()
    os.kill(admin.gateway.pid, signal.SIGKILL)
    admin.gateway.wait()
    wait_until(lambda: not is_alive(process), "the status process ends with its master")
    assert admin.socket.exists()
    admin.gateway = admin.stage.gateway(configuration)
    assert admin.curl("/healthz")[0] == 200
    assert admin.gateway.stop() == 0

    admin.socket.write_text("somebody's")
    gateway = admin.stage.gateway(configuration, ready=False)
    assert gateway.wait() == EXIT_RUN_TIME
    assert "no socket" in gateway.output and admin.socket.read_text() == "somebody's"


def test_health_is_lost_with_the_workers(admin):
    for pid in admin.gateway.workers().values():
        os.kill(pid, signal.SIGSTOP)
    try:
        # worker_hang_timeout is 10 s by default: what counts is that it is told at all.
        admin.gateway.wait_for(lambda: admin.curl("/healthz") == (503, "no worker serves\n"),
                               "is unhealthy", 15)
    finally:
        for pid in admin.gateway.workers().values():
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: admin.curl("/healthz")[0] == 200, "healthy again")


def test_draining_master_is_not_healthy(admin):
    with socket.create_connection(("127.0.0.1", admin.port)) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        admin.gateway.signal(signal.SIGQUIT)
        wait_until(lambda: admin.curl("/healthz")[0] == 503, "unhealthy while it drains")
        wait_until(lambda: admin.value("connections_open") == 1, "one connection is told")
    assert admin.gateway.wait() == 0


HOSTILE = {
    "silent": b"",
    "half": b"GET /metrics HTTP/1.1\r\nHost: ",
    "tls": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "binary": bytes(range(256)) * 64,
    "endless head": b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 100_000,
    "many lines": b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 20_000,
    "body": b"POST /metrics HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 100_000,
    "pipelined": b"GET /metrics HTTP/1.1\r\n\r\n" * 1000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_clients_block_nobody(admin, what):
    socks = []
    for _ in range(2 * SLOTS):
        sock = admin.connect()
        sock.setblocking(False)
        try:
            sock.send(HOSTILE[what])
        except (BlockingIOError, ConnectionError):
            pass
        socks.append(sock)
    started = time.monotonic()
    for _ in range(3):
        assert admin.curl("/healthz", unix=False) == (200, "ok\n")
    assert time.monotonic() - started < 3
    assert len(children(admin.gateway.pid)) == 3  # two workers and the same status process
    assert admin.gateway.error_log.count("status process") == 0


def test_a_client_that_never_reads_goes_after_its_time(admin):
    sock = admin.connect()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
    silent = admin.connect()
    silent.settimeout(10)
    started = time.monotonic()
    assert silent.recv(1) == b""
    assert 4 < time.monotonic() - started < 8
    if IS_ROOT:
        wait_until(lambda: len(os.listdir(f"/proc/{admin.pid()}/fd")) <= 3 + 5, "its descriptor is closed")
