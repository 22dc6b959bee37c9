# SPDX-License-Identifier: BSD-2-Clause
"""Reload: nothing is lost in 200 of them under load, a bad one changes nothing and says why."""

import concurrent.futures
import os
import re
import signal
import socket
import time

import pytest

from support.clients import (Load, connect, exchange, exchange_many, how_it_ends, receive_all,
                             receive_exactly)
from support.processes import is_alive, wait_until
from support.sealane import (EXIT_DONE, EXIT_RELOAD_REFUSED, IS_SANITIZED, access_lines,
                             wait_for_access_lines)

MIB = 1 << 20


@pytest.fixture(name="served")
def served_fixture(stage):
    """(gateway, its configuration, port)"""
    application, port = stage.application(), stage.port()
    configuration = stage.complete(stage.tunnel(port, application.port))
    return stage.gateway(configuration), configuration, port


def test_200_hups_under_load(stage):
    application, port = stage.application(), stage.port()
    configuration = stage.complete(stage.tunnel(port, application.port), max_generations=250,
                                   workers=4)
    gateway = stage.gateway(configuration)
    load = stage.add(Load(stage.folder, port, connections=4, transfers=4)).wait_until_running()
    rounds = 200 if not IS_SANITIZED else 40
    memory = descriptors = None
    for number in range(1, rounds + 1):
        workers = (4, 2, 3, 1)[number // 5 % 4]
        configuration["main"]["workers"] = workers
        old = gateway.workers().values()
        gateway.write(configuration)
        gateway.signal(signal.SIGHUP)
        gateway.wait_for_new_workers(old, workers)
        if number == 20:
            memory, descriptors = gateway.private_memory(), len(gateway.descriptors())
    result = load.finish()
    assert not result["failures"], result
    assert result["exchanges"] > rounds and result["bytes"] > 10 * MIB
    gateway.wait_until_drained()
    gateway.wait_for(lambda: len(gateway.workers()) == workers, "one generation")
    assert {line["end"] for line in access_lines(stage.folder / "access.log")} == {"done"}
    # Sockets are kept for the most workers there were; only control sockets come and go.
    wait_until(lambda: len(gateway.descriptors()) <= descriptors, "the descriptors of old")
    if not IS_SANITIZED:
        assert gateway.private_memory() - memory <= MIB


def test_descriptors_come_back(served):
    gateway, configuration, _ = served
    gateway.reload()
    gateway.wait_until_drained()
    before = sorted(gateway.descriptors().values())
    for workers in (3, 1, 2):
        configuration["main"]["workers"] = workers
        gateway.reload(configuration)
    gateway.wait_until_drained()
    gateway.reload()
    gateway.wait_until_drained()
    after = gateway.descriptors().values()
    assert len(after) <= len(before) + 1, "one more listening socket, kept"


def test_new_settings_serve_when_the_command_returns(stage, served):
    gateway, configuration, port = served
    for number in range(5):
        other = stage.application(name=f"other{number}", options=["--greeting", f"{number}\n"])
        configuration["tcp echo"]["proxy_pass"] = f"127.0.0.1:{other.port}"
        gateway.reload(configuration)
        for _ in range(8):
            with connect(port) as sock:
                assert receive_exactly(sock, 2) == f"{number}\n".encode()


def test_listeners_come_and_go(stage, served):
    gateway, configuration, port = served
    second = stage.port()
    configuration["tcp echo"]["listen"] = [f"127.0.0.1:{port}", f"127.0.0.1:{second}"]
    gateway.reload(configuration)
    exchange(port)
    exchange(second)
    configuration["tcp echo"]["listen"] = f"127.0.0.1:{second}"
    gateway.reload(configuration)
    exchange(second)
    with pytest.raises(ConnectionRefusedError):
        wait_until(lambda: connect(port).close(), "a closed port", timeout=5)


def wait_for_one_draining(gateway):
    """Its pid. Old workers that carry nothing are gone soon, but not at once."""
    gateway.wait_for(lambda: len(gateway.draining()) == 1, "has one worker that drains")
    return gateway.draining()[0]


def test_old_connections_go_on(stage, served):
    gateway, configuration, port = served
    with connect(port) as sock:
        sock.sendall(b"one")
        assert receive_exactly(sock, 3) == b"one"
        for _ in range(3):
            gateway.reload(configuration)
        wait_for_one_draining(gateway)
        sock.sendall(b"two")
        assert receive_exactly(sock, 3) == b"two"
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == b""
    gateway.wait_until_drained()
    assert {line["end"] for line in wait_for_access_lines(stage.folder / "access.log", 1)} == {"done"}


def test_shutdown_timeout(stage, served):
    gateway, configuration, port = served
    configuration["tcp echo"]["shutdown_timeout"] = "1s"
    gateway.reload(configuration)
    with connect(port) as sock:
        sock.sendall(b"one")
        assert receive_exactly(sock, 3) == b"one"
        gateway.reload(configuration)
        started = time.monotonic()
        assert how_it_ends(sock) == (b"", "reset")
        assert 0.5 < time.monotonic() - started < 5
    (line,) = wait_for_access_lines(stage.folder / "access.log", 1)
    assert line["end"] == "shutdown_timeout"
    gateway.wait_until_drained()


def test_max_generations(stage, served):
    """The oldest is closed, with a line that counts its connections by listener."""
    gateway, configuration, port = served
    configuration["main"]["max_generations"] = 2
    gateway.reload(configuration)
    socks = []
    for _ in range(3):
        sock = connect(port)
        sock.sendall(b"one")
        assert receive_exactly(sock, 3) == b"one"
        socks.append(sock)
        gateway.reload(configuration)
    assert how_it_ends(socks[0]) == (b"", "reset")
    for sock in socks[1:]:
        sock.sendall(b"two")
        assert receive_exactly(sock, 3) == b"two"
        sock.close()
    lines = wait_for_access_lines(stage.folder / "access.log", 3)
    assert [line["end"] for line in lines].count("generation_limit") == 1
    gateway.wait_for_log(rf"max_generations.*127\.0\.0\.1:{port}|127\.0\.0\.1:{port}.*max_generations")


def break_syntax(configuration, _):
    return {**configuration, "tcp other": {"lisen": "1"}}, r"sealane\.ini:\d+: unknown key 'lisen'"


def break_key(configuration, stage):
    keys = {"proxy_ssl": "on", "proxy_ssl_certificate": stage.folder / "gone.pem",
            "proxy_ssl_certificate_key": stage.folder / "gone.key"}
    return ({**configuration, "tcp echo": {**configuration["tcp echo"], **keys}},
            r"sealane\.ini:\d+: .*gone\.(pem|key)")


def break_port(configuration, stage):
    taken = socket.create_server(("127.0.0.1", 0))
    stage.taken = taken
    port = taken.getsockname()[1]
    return ({**configuration, "tcp other": {"listen": f"127.0.0.1:{port}", "proxy_pass": "127.0.0.1:1"}},
            rf"127\.0\.0\.1:{port} .*sealane\.ini:\d+.*another process")


def break_pid_file(configuration, stage):
    main = {**configuration["main"], "pid_file": stage.folder / "other.pid"}
    return {**configuration, "main": main}, r"pid_file.*needs a restart|needs a restart.*pid_file"


@pytest.mark.parametrize("how", ["command", "signal"])
@pytest.mark.parametrize("fault", [break_syntax, break_key, break_port, break_pid_file])
def test_bad_reload_changes_nothing(stage, served, fault, how):
    gateway, configuration, port = served
    workers = gateway.workers()
    broken, message = fault(configuration, stage)
    gateway.write(broken)
    if how == "signal":
        gateway.signal(signal.SIGHUP)
        gateway.wait_for_log(message)
    else:
        # The running master is found by its own pid file whatever the new file says.
        status, output = gateway.command("reload", "--pid", gateway.pid_path)
        assert status == EXIT_RELOAD_REFUSED, output
        assert re.search(message, output), output
    assert gateway.workers() == workers
    exchange(port)
    gateway.reload(configuration)
    assert not set(gateway.workers().values()) & set(workers.values())
    exchange(port)


def test_warnings_are_errors_when_asked_for(served):
    gateway, configuration, port = served
    workers = gateway.workers()
    gateway.write({**configuration, "tls unused": {"proxy_ssl_verify": "on"}})
    status, output = gateway.command("reload", "-W")
    assert status == EXIT_RELOAD_REFUSED and "unused" in output
    assert gateway.workers() == workers
    status, output = gateway.command("reload")
    assert status == EXIT_DONE and "unused" in output
    exchange(port)


def test_many_commands_at_once(served):
    """They are folded, and each hears the verdict of a reload that read its files."""
    gateway, _, port = served
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        verdicts = [future.result() for future in
                    [pool.submit(gateway.command, "reload") for _ in range(6)]]
    assert [status for status, _ in verdicts] == [EXIT_DONE] * 6, verdicts
    exchange_many(port, 20)


def test_hup_storm(served):
    gateway, _, port = served
    for _ in range(50):
        gateway.signal(signal.SIGHUP)
    gateway.reload()
    gateway.wait_until_drained()
    gateway.wait_for(lambda: len(gateway.workers()) == 2, "two workers")
    exchange_many(port, 20)


def test_new_log_file(stage, served):
    gateway, configuration, port = served
    configuration["tcp echo"]["access_log"] = stage.folder / "other.log"
    gateway.reload(configuration)
    exchange(port)
    wait_for_access_lines(stage.folder / "other.log", 1)


def test_old_worker_that_dies_is_not_replaced(served):
    gateway, configuration, port = served
    with connect(port) as sock:
        sock.sendall(b"one")
        assert receive_exactly(sock, 3) == b"one"
        gateway.reload(configuration)
        old = wait_for_one_draining(gateway)
        os.kill(old, signal.SIGKILL)
        assert how_it_ends(sock)[1] in ("reset", "fin")
    wait_until(lambda: not is_alive(old), "its end")
    assert not gateway.draining() and len(gateway.workers()) == 2
    exchange(port)
