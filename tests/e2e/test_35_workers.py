# SPDX-License-Identifier: BSD-2-Clause
"""Workers that are killed, stopped or full, a master that dies, and a second one that wants in."""

import asyncio
import os
import re
import signal
import socket
import time

import pytest

from support.clients import (Load, connect, exchange, exchange_many, receive_all, receive_exactly)
from support.processes import children, is_alive, run, title, wait_until
from support.sealane import (EXIT_DONE, EXIT_RELOAD_REFUSED, EXIT_RUN_TIME, Sealane, sealane,
                             wait_for_access_lines)
from support.upstreams import require


def hold(port):
    """A connection that stands through to the upstream."""
    sock = connect(port)
    sock.sendall(b"hold")
    assert receive_exactly(sock, 4) == b"hold"
    return sock


def clients_of(pid, port):
    """Source ports of the client connections that a worker holds."""
    status, output = run(["ss", "-tnpH", "sport", "=", f":{port}"])
    assert status == 0, output
    return {int(re.search(r":(\d+)\s+users", line)[1]) for line in output.splitlines()
            if f"pid={pid}," in line}


async def _time_many(port, count, parallel):
    gate = asyncio.Semaphore(parallel)

    async def one():
        async with gate:
            started = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"x" * 64)
            await asyncio.wait_for(reader.readexactly(64), 60)
            writer.close()
            return time.monotonic() - started
    return sorted(await asyncio.gather(*(one() for _ in range(count))))


def time_many(port, count, parallel):
    """Seconds that each of `count` new connections took to be answered, shortest first."""
    return asyncio.run(_time_many(port, count, parallel))


def test_killed_workers_lose_only_their_own(stage):
    require("ss")
    upstream = stage.application(certificate=stage.pki.server(), client_ca=stage.pki.authority())
    port = stage.port()
    gateway = stage.gateway(stage.tls_tunnel(port, upstream.port), workers=4)
    exchange(port)
    load = stage.add(Load(stage.folder, port, connections=6, transfers=6)).wait_until_running()
    theirs = set()
    for number in range(8):
        workers = gateway.workers()
        victim = workers[sorted(workers)[number % 4]]
        os.kill(victim, signal.SIGSTOP)  # it accepts no more; then the list is true
        theirs |= clients_of(victim, port)
        os.kill(victim, signal.SIGKILL)
        gateway.wait_for_new_workers([victim], 4)
        exchange_many(port, 10)
    result = load.finish()
    foreign = [failure for failure in result["failures"] if failure[1] not in theirs]
    assert not foreign, foreign
    assert theirs and result["exchanges"] > 50
    wait_until(lambda: upstream.handshakes(), "handshakes")
    done = len(upstream.handshakes())
    exchange_many(port, 100)
    wait_until(lambda: len(upstream.handshakes()) >= done + 100, "a hundred more")
    assert sum(h.resumed for h in upstream.handshakes()[done:done + 100]) >= 99
    gateway.wait_for_log(r"worker.*(signal 9|SIGKILL|Killed)", count=8)


def test_stopped_worker(stage):
    """Its queue is served by others once it counts as hanging; none waits longer than 15 s."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port), workers=4)
    exchange_many(port, 20)
    victim = sorted(gateway.workers().items())[1][1]
    time.sleep(2)  # it has said that its loop turns; until it has, the others serve its queue anyway
    os.kill(victim, signal.SIGSTOP)
    times = time_many(port, 1000, parallel=400)
    assert len(times) == 1000 and times[-1] < 15, times[-5:]
    assert times[-1] > 1, "some connections came to the stopped worker's queue"


def test_hanging_worker_is_replaced(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port), workers=2, worker_hang_timeout="2s")
    slot, victim = sorted(gateway.workers().items())[0]
    os.kill(victim, signal.SIGSTOP)
    wait_until(lambda: not is_alive(victim), "its end", timeout=15)
    gateway.wait_for(lambda: gateway.workers().get(slot) not in (None, victim), "is replaced")
    gateway.wait_for_log(rf"(hang|silent|not turned).*{victim}|{victim}.*(hang|silent|not turned)")
    exchange_many(port, 40)


def test_one_worker_at_its_limit(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port), workers=4, worker_connections=80)
    held = []
    while "worker_connections" not in gateway.error_log:
        assert len(held) < 4 * 40, "no worker said that it is at its limit"
        held.append(hold(port))
    times = time_many(port, 1000, parallel=4)
    assert len(times) == 1000 and times[-1] < 2, times[-5:]
    for sock in held:
        sock.close()


def test_all_workers_at_their_limit(stage):
    """Then connections wait in the queue, until one ends."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port), workers=2, worker_connections=20)
    held = [hold(port) for _ in range(20)]
    waiting = connect(port)
    waiting.sendall(b"wait")
    waiting.settimeout(1)
    with pytest.raises(TimeoutError):
        waiting.recv(4)
    gateway.wait_for_log("worker_connections")
    waiting.settimeout(10)
    held.pop().close()
    assert receive_exactly(waiting, 4) == b"wait"
    for sock in [waiting, *held]:
        sock.close()
    exchange_many(port, 50, parallel=5)


def test_all_workers_killed_at_once(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port), workers=3)
    old = gateway.workers().values()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    exchange_many(port, 30)
    gateway.wait_for_new_workers(old)


def test_master_killed(stage):
    """Its workers finish what they carry; a start right after it serves at once and wholly."""
    application, port = stage.application(), stage.port()
    configuration = stage.complete(stage.tunnel(port, application.port), workers=3)
    gateway = stage.gateway(configuration)
    held = [hold(port) for _ in range(12)]
    old = list(gateway.workers().values())
    gateway.signal(signal.SIGKILL)
    again = stage.add(Sealane(stage.folder, configuration)).wait_until_ready(port)
    times = time_many(port, 500, parallel=20)
    assert len(times) == 500 and times[-1] < 5, times[-5:]
    for sock in held:
        sock.sendall(b"more")
        assert receive_exactly(sock, 4) == b"more"
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == b""
    wait_until(lambda: not [pid for pid in old if is_alive(pid)], "the end of the old workers")
    assert len(again.workers()) == 3


def test_master_killed_under_load(stage):
    """Transfers that stood go on to their end."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port), workers=2)
    load = stage.add(Load(stage.folder, port, connections=0, transfers=6)).wait_until_running()
    gateway.signal(signal.SIGKILL)
    orphans = [pid for pid in children(os.getpid()) if title(pid).startswith("sealane: worker")]
    wait_until(lambda: _refuses(port), "closed listening sockets")
    time.sleep(0.5)  # of transfer without a master
    result = load.finish()
    assert not result["failures"], result
    wait_until(lambda: not [pid for pid in orphans if is_alive(pid)], "the workers' end")
    lines = wait_for_access_lines(stage.folder / "access.log", 6)
    assert {line["end"] for line in lines if int(line["received"])} == {"done"}


def _refuses(port):
    try:
        connect(port).close()
        return False
    except ConnectionRefusedError:
        return True


def test_second_start_is_refused(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    status, output = sealane("-c", gateway.ini)
    assert status == EXIT_RUN_TIME
    assert re.search(rf"already running.*{gateway.pid}", output), output
    exchange(port)
    assert gateway.command("reload")[0] == EXIT_DONE, "its control socket is still its own"


def foreign_listener(port):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen()
    return sock


def test_foreign_listener_at_start(stage):
    port = stage.port()
    with foreign_listener(port):
        gateway = stage.gateway(stage.tunnel(port, 1), ready=False)
        assert gateway.wait() == EXIT_RUN_TIME
    assert re.search(rf"127\.0\.0\.1:{port} .*another process", gateway.output + gateway.error_log)


def test_foreign_listener_at_reload(stage):
    application, port, taken = stage.application(), *stage.ports(2)
    configuration = stage.complete(stage.tunnel(port, application.port))
    gateway = stage.gateway(configuration)
    configuration["tcp echo"]["listen"] = [f"127.0.0.1:{port}", f"127.0.0.1:{taken}"]
    gateway.write(configuration)
    with foreign_listener(taken):
        status, output = gateway.command("reload")
        assert status == EXIT_RELOAD_REFUSED
        assert re.search(rf"127\.0\.0\.1:{taken} .*another process", output), output
        exchange(port)
    gateway.reload()
    exchange(taken)
