# SPDX-License-Identifier: BSD-2-Clause
"""1 GiB each way over TLS, fast and with readers that are slow, stop and wake: memory is bounded."""

import concurrent.futures
import re

import pytest

from support.bulk import TRANSFERS, tcp_download, tcp_upload
from support.clients import connect
from support.http_lanes import upstream_tls
from support.http_upstreams import HttpApplication
from support.memory_watch import MIB, MemoryWatch, assert_bounded
from support.sealane import IS_SANITIZED, wait_for_access_lines

SIZE = 1 << 30 if not IS_SANITIZED else 1 << 27


def serve(stage, name):
    """(port, pid of the only worker) of a gateway for this transfer."""
    port = stage.port()
    kind = name.split("-")[0]
    if kind == "tcp":
        application = stage.application(certificate=stage.pki.server(), name=f"{name}-application",
                                        client_ca=stage.pki.authority())
        section = stage.tls_tunnel(port, application.port)["tcp echo"]
    else:
        application = stage.upstream(HttpApplication, stage.pki, name=f"{name}-application")
        section = {"listen": f"127.0.0.1:{port}", **upstream_tls(stage.pki),
                   "proxy_pass": f"https://127.0.0.1:{application.port}", "client_max_body_size": "0"}
    section["access_log"] = f"{stage.folder}/{name}.access.log upstream_tls"
    gateway = stage.gateway({f"{kind} site": section}, name=name, workers=1)
    (pid,) = gateway.workers().values()
    return port, pid


def watched(stage, name, port, pid, **how):
    """Warmed up by one each way, one transfer whose memory is bounded and whose end is clean."""
    for way in ("up", "down"):
        TRANSFERS[re.sub("up|down", way, name)](port, 64 * MIB)
    with MemoryWatch(pid) as watch:
        TRANSFERS[name](port, SIZE, **how)
    assert wait_for_access_lines(stage.folder / f"{name}.access.log", 3)[-1]["end"] == "done"
    assert_bounded(watch)


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_one_gib(stage, transfer):
    watched(stage, transfer, *serve(stage, transfer))


def test_slow_readers(stage):
    """Each at the end of a gateway of its own, all at once."""
    slow = {name: serve(stage, name) for name in TRANSFERS if name != "tcp-up"}
    with concurrent.futures.ThreadPoolExecutor(len(slow)) as pool:
        runs = {name: pool.submit(watched, stage, name, *where, is_slow=True) for name, where in slow.items()}
    failures = {name: run.exception() for name, run in runs.items() if run.exception()}
    assert not failures


def test_slow_upstream_stops_the_client(stage):
    """An upstream that reads nothing: the client's send is held up, memory is not taken."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port), workers=1)
    (pid,) = gateway.workers().values()
    tcp_upload(port, 16 * MIB)
    with MemoryWatch(pid) as watch, connect(port) as sock:
        sock.sendall(b"HOLD\n")
        assert sock.recv(5) == b"held\n"
        sock.settimeout(1)
        application.signal(19)  # SIGSTOP: reads nothing
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 64 * MIB:
                sent += sock.send(bytes(65_536))
        application.signal(18)
    assert_bounded(watch)


def test_worker_buffers_are_a_limit_and_no_failure(stage):
    """Connections that find no buffer wait for one; all of them end well."""
    application = stage.application(certificate=stage.pki.server(), client_ca=stage.pki.authority())
    port = stage.port()
    gateway = stage.gateway(stage.tls_tunnel(port, application.port), workers=1,
                            worker_buffers="2m")
    (pid,) = gateway.workers().values()
    tcp_download(port, 4 * MIB)
    with MemoryWatch(pid) as watch, concurrent.futures.ThreadPoolExecutor(30) as pool:
        for done in [pool.submit(tcp_download, port, 4 * MIB) for _ in range(60)]:
            done.result()
    assert_bounded(watch, 6 * MIB)  # 2 MiB, and 60 KiB of TLS for each connection
