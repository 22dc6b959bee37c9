# SPDX-License-Identifier: BSD-2-Clause
"""1 GiB each way over TLS, fast and with a reader that is slow, stops and wakes: memory is bounded."""

import concurrent.futures
import socket
import time
import zlib

import pytest

from support.application import pattern, pattern_crc
from support.clients import connect, receive_all
from support.memory_watch import MIB, MemoryWatch, assert_bounded
from support.sealane import IS_SANITIZED, wait_for_access_lines

SIZE = 1 << 30 if not IS_SANITIZED else 1 << 27


def read_checked(sock, size, crc=0, throttle=None):
    """Reads `size` bytes, calling throttle(bytes so far); the CRC."""
    buffer = bytearray(1 << 18)
    view = memoryview(buffer)
    done = 0
    while done < size:
        count = sock.recv_into(buffer)
        assert count, f"ended after {done} bytes"
        crc = zlib.crc32(view[:count], crc)
        done += count
        if throttle:
            throttle(done)
    return crc


def upload(port, size):
    with connect(port, timeout=60) as sock:
        sock.sendall(b"SINK\n")
        crc = 0
        for piece in pattern(size):
            crc = zlib.crc32(piece, crc)
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == f"{size} {crc}\n".encode()


def download(port, size):
    with connect(port, timeout=60) as sock:
        sock.sendall(f"SEND {size}\n".encode())
        crc = read_checked(sock, size)
        assert receive_all(sock) == b""
    assert crc == pattern_crc(size)


@pytest.fixture(name="served")
def served_fixture(stage):
    """(port, pid of the only worker), warmed up by one transfer each way."""
    application = stage.application(certificate=stage.pki.server(), client_ca=stage.pki.authority())
    port = stage.port()
    gateway = stage.gateway(stage.tls_tunnel(port, application.port), workers=1)
    upload(port, 64 * MIB)
    download(port, 64 * MIB)
    (pid,) = gateway.workers().values()
    return port, pid


@pytest.mark.parametrize("transfer", [upload, download])
def test_one_gib(stage, served, transfer):
    port, pid = served
    with MemoryWatch(pid) as watch:
        transfer(port, SIZE)
    assert wait_for_access_lines(stage.folder / "access.log", 3)[-1]["end"] == "done"
    assert_bounded(watch)


def test_slow_reader(stage, served):
    """1 MB/s for 20 s, 5 s of nothing, then as fast as it goes."""
    port, pid = served
    size = 200 * MIB
    started = time.monotonic()
    phases = {"paused": False}

    def throttle(done):
        if done < 20_000_000:
            time.sleep(max(0.0, done / 1_000_000 - (time.monotonic() - started)))
        elif not phases["paused"]:
            phases["paused"] = True
            time.sleep(5)

    with MemoryWatch(pid) as watch, connect(port, timeout=60) as sock:
        sock.sendall(f"SEND {size}\n".encode())
        assert read_checked(sock, size, throttle=throttle) == pattern_crc(size)
        assert receive_all(sock) == b""
    assert phases["paused"]
    assert_bounded(watch)


def test_slow_upstream_stops_the_client(stage):
    """An upstream that reads nothing: the client's send is held up, memory is not taken."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port), workers=1)
    (pid,) = gateway.workers().values()
    upload(port, 16 * MIB)
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
    download(port, 4 * MIB)
    with MemoryWatch(pid) as watch, concurrent.futures.ThreadPoolExecutor(30) as pool:
        for done in [pool.submit(download, port, 4 * MIB) for _ in range(60)]:
            done.result()
    assert_bounded(watch, 6 * MIB)  # 2 MiB, and 60 KiB of TLS for each connection
