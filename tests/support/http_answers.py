# SPDX-License-Identifier: BSD-2-Clause
"""A raw HTTP client: bytes out as they are given, answers in, read strictly and with their end.

What an answer lacks is never made up: `complete` tells whether its own framing says that all of it
came, `end` how the connection ended.
"""

import re
import socket
import time
from dataclasses import dataclass, field

from support.clients import connect
from support.http_readers import TOKEN

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class Malformed(AssertionError):
    """What a client was sent is no HTTP."""


@dataclass
class Answer:
    status: int
    minor: int
    fields: list = field(default_factory=list)
    body: bytes = b""
    framing: str = "none"  # "sized", "chunked", "close"
    complete: bool = False
    interim: list = field(default_factory=list)  # statuses of the 1xx before it

    def values(self, name):
        return [value for n, value in self.fields if n.lower() == name.lower().encode()]

    @property
    def says_close(self):
        """Whether its sender will close after it (RFC 9112 9.3)."""
        options = b",".join(self.values("Connection")).lower()
        return b"close" in options or (self.minor == 0 and b"keep-alive" not in options)


def _head(data, at):
    """(Answer, end) or None when it is not all there."""
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        return None
    first, *lines = data[at:end].split(b"\r\n")
    found = _STATUS_LINE.fullmatch(first)
    if not found:
        raise Malformed(f"status line {first[:80]!r}")
    answer = Answer(int(found[2]), int(found[1]))
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Malformed(f"field {line[:80]!r}")
        answer.fields.append((name, value.strip(b" \t")))
    return answer, end + 4


def _frame(answer, method):
    lengths, codings = answer.values("Content-Length"), answer.values("Transfer-Encoding")
    if len(lengths) > 1 or (lengths and codings) or len(codings) > 1:
        raise Malformed(f"framing {lengths} {codings}")
    if lengths and not lengths[0].isdigit():
        raise Malformed(f"length {lengths[0]!r}")
    if codings and codings[0] != b"chunked":
        raise Malformed(f"coding {codings[0]!r}")
    if codings and answer.status in (204, 101) or codings and answer.minor == 0:
        raise Malformed("chunked where it cannot be")
    if method == "HEAD" or answer.status in (204, 304, 101):
        return "none", 0
    if codings:
        return "chunked", 0
    return ("sized", int(lengths[0])) if lengths else ("close", 0)


def _chunks(answer, data, at):
    """Where they end, or None."""
    pieces = []
    while True:
        answer.body = b"".join(pieces)
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size = data[at:end]
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
            raise Malformed(f"chunk size {size[:40]!r}")
        at, length = end + 2, int(size, 16)
        if length == 0:
            if len(data) < at + 2:
                return None
            if data[at:at + 2] != b"\r\n":
                raise Malformed("trailers that nobody asked for")
            return at + 2
        pieces.append(data[at:at + length])
        if len(data) < at + length + 2:
            answer.body = b"".join(pieces)
            return None
        if data[at + length:at + length + 2] != b"\r\n":
            raise Malformed("data longer than its chunk")
        at += length + 2


def read_answers(data, methods, end):
    """([Answer], bytes behind the last). `end`: "", "fin", "reset"; the last may be incomplete."""
    answers, at, interim = [], 0, []
    while at < len(data):
        found = _head(data, at)
        if not found:
            return answers, data[at:]
        answer, at = found
        if 100 <= answer.status < 200 and answer.status != 101:
            interim.append(answer.status)
            continue
        answer.interim, interim = interim, []
        method = methods[len(answers)] if len(answers) < len(methods) else "GET"
        answers.append(answer)
        answer.framing, length = _frame(answer, method)
        if answer.status == 101:
            answer.complete, answer.body = True, data[at:]
            return answers, b""
        if answer.framing == "chunked":
            after = _chunks(answer, data, at)
            answer.complete = after is not None
            at = after if answer.complete else len(data)
        elif answer.framing == "close":
            answer.body, at = data[at:], len(data)
            answer.complete = end == "fin"
        else:
            answer.body = data[at:at + length]
            answer.complete = len(answer.body) == length
            at = min(at + length, len(data))
    return answers, b""


class Conversation:
    """One client connection. `end` is "" while it stands."""

    def __init__(self, port, timeout=8.0, sock=None):
        self.sock = sock or connect(port, timeout)
        self.timeout = timeout
        self.data, self.end, self.methods = b"", "", []

    def send(self, data, piece=0, pause=0.0):
        """As far as the other side takes it. `piece`: so many bytes at a time."""
        pieces = [data[i:i + piece] for i in range(0, len(data), piece)] if piece else [data]
        try:
            for part in pieces:
                self.sock.sendall(part)
                if pause:
                    time.sleep(pause)
        except (ConnectionResetError, BrokenPipeError, TimeoutError):
            pass

    def finish(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _receive(self, deadline):
        """False when there is nothing more."""
        self.sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            piece = self.sock.recv(1 << 16)
        except TimeoutError:
            return False
        except (ConnectionResetError, BrokenPipeError):
            self.end = "reset"
            return False
        if not piece:
            self.end = "fin"
            return False
        self.data += piece
        return True

    def answers(self):
        return read_answers(self.data, self.methods, self.end)

    def wait(self, count, to_end=False, timeout=None):
        """Until `count` answers are there, or the end. ([Answer], bytes that belong to none)"""
        deadline = time.monotonic() + (timeout or self.timeout)
        while True:
            found, rest = self.answers()
            done = sum(answer.complete for answer in found) >= count
            if self.end or (done and not to_end) or not self._receive(deadline):
                return self.answers()

    def ask(self, data, method="GET", timeout=None):
        """One request and its answer."""
        self.methods.append(method)
        self.send(data)
        found, rest = self.wait(len(self.methods), timeout=timeout)
        assert len(found) == len(self.methods) and not rest, (found, rest, self.end)
        return found[-1]

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
