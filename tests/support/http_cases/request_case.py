# SPDX-License-Identifier: BSD-2-Clause
"""What one row of the request matrix says: the bytes, and what has to become of them.

Rows are written with `passes` and `refused`. The location "/" of the gateway under test sets Host to
$host, X-Forwarded-For to $proxy_add_x_forwarded_for, X-Real-IP to $remote_addr and X-Client-DN to
$ssl_client_s_dn; "/plain" sets nothing.
"""

from dataclasses import dataclass

from support.recording_upstream import Pause

FINISH = "finish"  # FIN from the client
HOST = "a.example"


@dataclass(frozen=True)
class Seen:
    """A request as the upstream has to read it. `has`: {name: [values]}, exactly these."""
    method: str
    target: str
    body: bytes = b""
    host: str = HOST
    framing: str = None  # None: "none" without a body, else "sized"
    has: tuple = ()
    lacks: tuple = ()


@dataclass(frozen=True)
class Case:
    name: str
    steps: tuple
    seen: tuple = ()
    status: tuple = ()  # of our own refusal, any of these; (): there is none
    keep: bool = True  # the client's connection goes on
    partial: bool = False  # a request may reach the upstream in part, never in whole
    interim: tuple = ()  # 1xx that have to come first
    silent: bool = False  # closed without any answer

    @property
    def data(self):
        return b"".join(step for step in self.steps if isinstance(step, bytes))

    @property
    def can_be_cut(self):
        """Whether the same bytes one by one have to mean the same, and that does not take long."""
        return len(self.data) < 700 and not any(isinstance(step, Pause) for step in self.steps)


def head(line, *fields, host=HOST):
    """A request's head: LINE HTTP/1.1, Host, fields; text as Latin-1."""
    lines = [line if " HTTP/" in line else f"{line} HTTP/1.1"]
    if host is not None:
        lines.append(f"Host: {host}")
    return "\r\n".join([*lines, *fields, "", ""]).encode("latin-1")


def get(*fields, target="/", **options):
    return head(f"GET {target}", *fields, **options)


def sized(body, *fields, method="POST", target="/", **options):
    return head(f"{method} {target}", *fields, f"Content-Length: {len(body)}", **options) + body


def chunked(data, *fields, method="POST", target="/", **options):
    """`data`: the chunks as they are on the wire."""
    return head(f"{method} {target}", *fields, "Transfer-Encoding: chunked", **options) + data


def chunks(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class Table:
    def __init__(self):
        self.cases = []

    def _add(self, name, steps, **options):
        steps = tuple(steps) if isinstance(steps, (list, tuple)) else (steps,)
        self.cases.append(Case(name, steps, **options))

    def passes(self, name, steps, *seen, **options):
        """Each of `seen` is answered with 200."""
        self._add(name, steps, seen=seen, **options)

    def refused(self, name, status, steps, *seen, **options):
        """What was `seen` before is answered; then one answer with that status, and a close."""
        status = status if isinstance(status, tuple) else (status,)
        self._add(name, steps, seen=seen, status=status, keep=False, **options)

    def dropped(self, name, steps, *seen, **options):
        """Closed without an answer."""
        self._add(name, steps, seen=seen, keep=False, silent=True, **options)
