# SPDX-License-Identifier: BSD-2-Clause
"""A TLS server that keeps every byte of every request, and answers with whatever it is told to.

It demands a client certificate. `plan(request, connection)` is called when a request's head is there
and gives the steps of the answer; `take()` gives what has arrived on each connection since the last
call. What arrived is judged by support.http_readers, not here: only the strict reader is used to
know when a request is complete.
"""

import socket
import ssl
import threading
import time
from dataclasses import dataclass

from support.clients import reset
from support.http_readers import STRICT, Incomplete, Malformed
from support.tls_stream import TlsStream, is_unexpected_end


@dataclass(frozen=True)
class Pause:
    seconds: float


READ_BODY = "read body"  # what comes before is sent when the head is there; without it: nothing
CLOSE = "close"  # close_notify and FIN
CUT = "cut"  # FIN without close_notify
RESET = "reset"
HOLD = "hold"  # nothing more, until the other side ends
GO_ON = "go on"  # no HTTP from here on: an echo


def reply(body=b"", status="200 OK", *fields):
    """A plain answer's bytes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def describe(request, _connection=None):
    """What the request was: "METHOD TARGET"; 100 first where it is expected."""
    body = request.method + b" " + request.target + b"\n"
    answer = reply(body)[:-len(body)] if request.method == b"HEAD" else reply(body)
    if request.values("Expect"):
        return [b"HTTP/1.1 100 Continue\r\n\r\n", READ_BODY, answer]
    return [answer]


class Connection:
    """One of the gateway's. `end`: how it ended its side: "", "clean", "cut", "reset";
    or "idle": we closed it."""

    def __init__(self, number, sock):
        self.number, self.sock = number, sock
        self.stream = None
        self.data = b""
        self.taken = 0
        self.requests = 0
        self.end = ""
        self.resumed = None
        self.client = self.server_name = ""

    def receive(self):
        """False at the end."""
        try:
            piece = self.stream.recv(1 << 16)
        except ssl.SSLError as error:
            self.end = "cut" if is_unexpected_end(error) else "fault"
            return False
        except TimeoutError:
            self.end = "idle"
            return False
        except OSError:
            self.end = "reset"
            return False
        if not piece:
            self.end = "clean"
            return False
        self.data += piece
        return True


class RecordingUpstream:
    def __init__(self, pki, plan=describe, certificate=None, before=(), idle=None, tickets=2,
                 minimum=None, maximum=None):
        """`before`: steps played when a connection is there, before any request. `idle`: seconds
        after which a connection without a request is closed."""
        self.plan, self.before, self.idle = plan, before, idle
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server = certificate or pki.server()
        self.context.load_cert_chain(server.chain, server.key)
        self.context.load_verify_locations(pki.authority().root.certificate)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self.context.num_tickets = tickets
        self.context.sni_callback = self._sni
        if minimum:
            self.context.minimum_version = minimum
        if maximum:
            self.context.maximum_version = maximum
        self.lock = threading.Lock()
        self.connections = []
        self.errors = []
        self._names = {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _sni(self, tls, name, _context):
        self._names[id(tls)] = name or ""

    def _run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                connection = Connection(len(self.connections), sock)
                self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self._handshake(connection)
            if self._play(connection, self.before):
                self._requests(connection)
        except (OSError, ssl.SSLError) as error:
            connection.end = connection.end or "fault"
            self.errors.append(error)
        finally:
            connection.sock.close()

    def _handshake(self, connection):
        connection.stream = stream = TlsStream(connection.sock, self.context, server_side=True)
        stream.handshake()
        subject = dict(pair[0] for pair in stream.tls.getpeercert()["subject"])
        connection.client = subject.get("commonName", "")
        connection.resumed = stream.tls.session_reused
        connection.server_name = self._names.pop(id(stream.tls), "")

    # Requests

    def _wait(self, connection, begun):
        """One more read; False at the end, or when nothing came for too long."""
        if self.idle and not begun:
            connection.sock.settimeout(self.idle)
            try:
                return connection.receive()
            finally:
                connection.sock.settimeout(None)
        return connection.receive()

    def _requests(self, connection):
        at = 0
        while True:
            head = self._read(connection, at, STRICT.head)
            if head is None:
                return
            steps = list(self.plan(head[0], connection))
            connection.requests += 1
            if READ_BODY in steps:
                early, steps = steps[:steps.index(READ_BODY)], steps[steps.index(READ_BODY) + 1:]
                if not self._play(connection, early):
                    return
            whole = self._read(connection, at, STRICT.request)
            if whole is None:
                return
            at = whole[1]
            if not self._play(connection, steps):
                return

    def _read(self, connection, at, parse):
        """What `parse` makes of the bytes from `at` on; None at the end. Malformed bytes are kept,
        and answered, so that nobody hangs: judging them is the test's part."""
        while True:
            try:
                if len(connection.data) > at:
                    return parse(connection.data, at)
            except Incomplete:
                pass
            except Malformed as malformed:
                self.errors.append(malformed)
                self._play(connection, [reply(b"malformed"), CLOSE])
                return None
            if not self._wait(connection, len(connection.data) > at):
                if connection.end == "idle":
                    self._play(connection, [CLOSE])
                return None

    # Answers

    def _play(self, connection, steps):
        """False: the connection is done with."""
        stream = connection.stream
        for step in steps:
            if isinstance(step, Pause):
                time.sleep(step.seconds)
            elif isinstance(step, (bytes, bytearray)):
                stream.sendall(step)
            elif step == CLOSE:
                stream.end_writing()
                return self._drain(connection)
            elif step == CUT:
                stream.cut_writing()
                return self._drain(connection)
            elif step == RESET:
                reset(connection.sock)
                return False
            elif step == GO_ON:
                return self._echo(connection)
            else:
                assert step == HOLD, step
                return self._drain(connection)
        return True

    @staticmethod
    def _drain(connection):
        """So that what was sent is not lost to a reset."""
        connection.sock.settimeout(10)
        while connection.receive():
            pass
        return False

    @staticmethod
    def _echo(connection):
        while True:
            at = len(connection.data)
            if not connection.receive():
                connection.stream.end_writing()
                return False
            connection.stream.sendall(connection.data[at:])

    # Accounts

    def take(self):
        """{connection: bytes that came since the last call}; quiet ones are left out."""
        with self.lock:
            connections = list(self.connections)
        found = {}
        for connection in connections:
            data = connection.data
            if len(data) > connection.taken:
                found[connection] = data[connection.taken:]
                connection.taken = len(data)
        return found

    def settle(self, patience=3.0):
        """As take(), once every connection is between two requests or at its end. One that is not by
        then is a hang."""
        found, deadline = self.take(), time.monotonic() + patience
        while True:
            open_parts = [connection for connection, data in found.items()
                          if not connection.end and STRICT.read(data).rest == "incomplete"]
            shaking_hands = [connection for connection in list(self.connections)
                             if connection.resumed is None and not connection.end]
            if not open_parts and not shaking_hands:
                return found
            assert time.monotonic() < deadline, (
                f"a part of a request stands: {[c.data[-300:] for c in open_parts]}")
            time.sleep(0.01)
            for connection, data in self.take().items():
                found[connection] = found.get(connection, b"") + data

    def count(self):
        """Connections whose handshake was done."""
        return sum(1 for connection in self.connections if connection.resumed is not None)

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for connection in self.connections:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
