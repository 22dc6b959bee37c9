# SPDX-License-Identifier: BSD-2-Clause
"""Clients of the gateway: short exchanges, many at once, load and probes in processes of their own."""

import concurrent.futures
import json
import signal
import socket
import ssl
import struct
import sys
from pathlib import Path

from support.processes import Process
from support.tls_stream import is_unexpected_end

SUPPORT = Path(__file__).parent


def connect(port, timeout=10.0, host="127.0.0.1"):
    sock = socket.create_connection((host, port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def receive_exactly(sock, count):
    """`count` bytes, or what came before the end."""
    pieces = []
    while count:
        piece = sock.recv(min(count, 1 << 18))
        if not piece:
            break
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def receive_all(sock):
    pieces = []
    while piece := sock.recv(1 << 18):
        pieces.append(piece)
    return b"".join(pieces)


def is_cut(sock):
    """Whether a TLS connection ends now, without close_notify."""
    try:
        return sock.recv(1) is None
    except ssl.SSLError as error:
        return is_unexpected_end(error)
    except ConnectionResetError:
        return True


def exchange(port, data=b"x" * 64, timeout=10.0):
    """One connection that is echoed `data` and ends cleanly, both ways."""
    with connect(port, timeout) as sock:
        sock.sendall(data)
        echo = receive_exactly(sock, len(data))
        assert echo == data, f"{len(echo)} of {len(data)} bytes came back"
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == b""


def fetch(port, count=64, timeout=10.0):
    """One connection on which the upstream sends `count` bytes and ends first.

    nginx does not answer a close_notify with its own, which is a truncation to whoever looks: with
    it as the upstream only this order ends cleanly."""
    with connect(port, timeout) as sock:
        sock.sendall(f"SEND {count}\n".encode())
        assert len(receive_all(sock)) == count


def exchange_many(port, count, parallel=1, one=exchange):
    """`count` calls of one(port), `parallel` at a time; the first failure is raised."""
    if parallel == 1:
        for _ in range(count):
            one(port)
        return
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        for result in [pool.submit(one, port) for _ in range(count)]:
            result.result()


def how_it_ends(sock):
    """(bytes, end): "fin" or "reset"."""
    pieces = []
    try:
        while piece := sock.recv(1 << 16):
            pieces.append(piece)
    except ConnectionResetError:
        return b"".join(pieces), "reset"
    return b"".join(pieces), "fin"


def try_to_talk(port, data=b"hello\n", timeout=15.0):
    """(bytes, end) of a connection that may be reset at any point, connect included."""
    try:
        with connect(port, timeout) as sock:
            sock.sendall(data)
            return how_it_ends(sock)
    except (ConnectionResetError, BrokenPipeError):
        return b"", "reset"


def reset(sock):
    """Closes with a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def tls_context(ca=None, certificate=None, minimum=None, maximum=None, alpn=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # a cut is no end
    if ca:
        context.load_verify_locations(ca.root.certificate)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate.chain, certificate.key)
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def tls_connect(port, context, name="localhost", timeout=10.0, session=None):
    sock = connect(port, timeout)
    return context.wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False,
                               session=session)


class JsonProgram(Process):
    """A program of this folder that prints one JSON line when it is told to end by SIGTERM."""

    def __init__(self, folder, name, program, *words):
        super().__init__(name, [sys.executable, SUPPORT / program, *words], folder)
        self._result = None

    def finish(self, timeout=60):
        if self._result is None:
            if self.running:
                self.signal(signal.SIGTERM)
            status = self.wait(timeout)
            assert status == 0, f"{self.name} ended with {status}: {self.output}"
            self._result = json.loads(self.output.splitlines()[-1])
        return self._result


class Probe(JsonProgram):
    """A new connection every 10 ms; finish() gives count, failures, p50, p99, max (ms)."""

    def __init__(self, folder, port, name="probe", interval_ms=10):
        super().__init__(folder, name, "probe.py", port, interval_ms)


class Load(JsonProgram):
    """New connections all the time beside long transfers; see load.py for what finish() gives."""

    def __init__(self, folder, port, name="load", connections=8, transfers=4, pause_ms=5):
        super().__init__(folder, name, "load.py", port, connections, transfers, pause_ms)

    def wait_until_running(self):
        self.wait_for(lambda: "running" in self.output, "has its transfers standing")
        return self


class HttpLoad(JsonProgram):
    """Kept and new HTTP connections, long downloads and tunnels; see http_load.py."""

    def __init__(self, folder, port, name="http_load", kept=8, new=4, long=4, tunnels=4):
        super().__init__(folder, name, "http_load.py", port, kept, new, long, tunnels)

    def wait_until_running(self):
        self.wait_for(lambda: "running" in self.output, "has had all kinds of answers", timeout=20)
        return self
