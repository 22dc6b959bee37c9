# SPDX-License-Identifier: BSD-2-Clause
"""Many ways to read one stream of HTTP/1 requests: what real servers do, strict and lax.

A gateway's output is safe only if all of them read the same out of it. `readings(data)` gives each
reader's account; `disagreement(data)` says in words where they part, `fault(data)` what is wrong by
RFC 9112 alone. No reader is a model of quality: each has the laxness that some server has or had.
"""

import email.parser
import email.policy
import re
from dataclasses import dataclass, field

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(rb"[\x21-\x7e\x80-\xff]+")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})((?:;[\t\x20-\x7e\x80-\xff]*)?)")


class Malformed(Exception):
    """This reader answers 400."""


class Incomplete(Exception):
    """This reader waits for more."""


@dataclass(frozen=True)
class Request:
    method: bytes
    target: bytes
    minor: int
    host: bytes
    framing: str  # "none", "sized", "chunked"
    body: bytes
    fields: tuple = field(compare=False, default=())
    size: int = field(compare=False, default=0)  # bytes of the whole message

    def values(self, name):
        """Of all fields of that name, in any case."""
        return [value for n, value in self.fields if n.lower() == name.lower().encode()]


@dataclass(frozen=True)
class Reading:
    requests: tuple
    rest: str  # "": all was read; "incomplete"; "malformed: …"


@dataclass(frozen=True)
class Reader:
    """A server's habits."""
    name: str
    line_end: bytes = rb"\r\n"  # a pattern
    strict: bool = False
    fold: str = "refuse"  # "join", "field": a folded line is one of its own, "drop"
    name_space: str = "refuse"  # "strip": before the colon
    underscore: bool = False  # the same as '-', as CGI sees names
    cut_at_nul: bool = False
    length: str = "refuse"  # of several: "first", "last"
    number: str = "digits"  # "lax": what strtol takes
    priority: str = "chunked"  # with both framings: "sized", "refuse"
    coding: str = "exact"  # "contains", "first", "last": of a list
    coding_field: str = "join"  # of several fields: "first", "last"
    chunked_in_10: bool = True
    host: str = "first"  # "last"
    authority_wins: bool = True  # that of an absolute target, over Host
    chunk_size: str = "strict"  # "lax": strtol again

    # Lines

    def _line(self, data, at):
        found = re.compile(self.line_end).search(data, at)
        if not found:
            raise Incomplete
        return data[at:found.start()], found.end()

    def _fields(self, data, at):
        """([(name, value)], where the head ends)"""
        found = []
        while True:
            line, at = self._line(data, at)
            if not line:
                return found, at
            if line[:1] in b" \t":
                if self.fold == "refuse" or (self.fold == "join" and not found):
                    raise Malformed("folded line")
                if self.fold == "join":
                    name, value = found[-1]
                    found[-1] = name, (value + b" " + line.strip(b" \t")).strip()
                    continue
                if self.fold == "drop":
                    continue
                line = line.lstrip(b" \t")
            found.append(self._field(line))

    def _field(self, line):
        name, colon, value = line.partition(b":")
        if self.strict and (not colon or not TOKEN.fullmatch(name) or not _VALUE.fullmatch(value)):
            raise Malformed(f"field {line[:40]!r}")
        if self.name_space == "strip":
            name = name.rstrip(b" \t")
        if self.underscore:
            name = name.replace(b"_", b"-")
        if self.cut_at_nul:
            name, value = name.split(b"\0")[0], value.split(b"\0")[0]
        return name, value.strip(b" \t\r\n\x0b\x0c" if not self.strict else b" \t")

    # Framing

    def _number(self, text):
        if self.number == "lax":
            found = re.match(rb"\s*\+?(\d+)", text)
            return int(found[1]) if found else 0
        if not text.isdigit():
            raise Malformed(f"length {text!r}")
        return int(text)

    def _is_chunked(self, values):
        if not values:
            return False
        if self.coding_field != "join":
            values = [values[0 if self.coding_field == "first" else -1]]
        words = [word.strip().lower() for word in b",".join(values).split(b",")]
        if self.coding == "contains":
            return any(b"chunked" in word for word in words)
        if self.coding == "exact" and words != [b"chunked"]:
            raise Malformed(f"coding {values!r}")
        return words[0 if self.coding == "first" else -1] == b"chunked"

    def _framing(self, fields, minor):
        lengths = [v for n, v in fields if n.lower() == b"content-length"]
        codings = [v for n, v in fields if n.lower() == b"transfer-encoding"]
        if self.strict and (len(lengths) > 1 or len(codings) > 1 or (codings and minor == 0)):
            raise Malformed("repeated framing, or chunked in HTTP/1.0")
        chunked = self._is_chunked(codings) and (minor > 0 or self.chunked_in_10)
        if chunked and lengths:
            if self.priority == "refuse":
                raise Malformed("both framings")
            chunked = self.priority == "chunked"
        if chunked:
            return "chunked", 0
        if not lengths:
            return "none", 0
        if len(lengths) > 1 and self.length == "refuse" and len(set(lengths)) > 1:
            raise Malformed("two lengths")
        return "sized", self._number(lengths[-1 if self.length == "last" else 0])

    def _chunked(self, data, at):
        pieces = []
        while True:
            line, at = self._line(data, at)
            if self.chunk_size == "lax":
                found = re.match(rb"\s*\+?(?:0[xX])?([0-9A-Fa-f]*)", line)
                size = int(found[1] or b"0", 16)
            else:
                found = _CHUNK_SIZE.fullmatch(line)
                if not found:
                    raise Malformed(f"chunk size {line[:40]!r}")
                size = int(found[1], 16)
            if size == 0:
                return b"".join(pieces), self._fields(data, at)[1]
            if len(data) < at + size + 2:
                raise Incomplete
            pieces.append(data[at:at + size])
            end, at = self._line(data, at + size)
            if end and self.chunk_size == "strict":
                raise Malformed("data longer than its chunk")

    # Whole messages

    def _start(self, data, at):
        """(method, target, minor, where the line ends)"""
        line, at = self._line(data, at)
        words = line.split(b" ") if self.strict else line.split()
        if self.strict:
            if (len(words) != 3 or not TOKEN.fullmatch(words[0]) or not _TARGET.fullmatch(words[1])
                    or not re.fullmatch(rb"HTTP/1\.[01]", words[2])):
                raise Malformed(f"request line {line[:60]!r}")
        if len(words) < 2:
            raise Malformed(f"request line {line[:60]!r}")
        version = words[-1] if len(words) > 2 else b"HTTP/0.9"
        return words[0], words[1], 0 if version == b"HTTP/1.0" else 1, at

    def head(self, data, at=0):
        """(Request without its body, length of the body or None for chunks, where the body begins)"""
        start = at
        method, target, minor, at = self._start(data, at)
        fields, at = self._fields(data, at)
        framing, length = self._framing(fields, minor)
        hosts = [v for n, v in fields if n.lower() == b"host"]
        if self.strict and (len(hosts) > 1 or (not hosts and minor)):
            raise Malformed("no Host, or several")
        host = hosts[-1 if self.host == "last" else 0] if hosts else b""
        absolute = re.match(rb"[a-z]+://([^/?#]*)", target)
        if absolute and self.authority_wins:
            host = absolute[1]
        request = Request(method, target, minor, host, framing, b"", tuple(fields), at - start)
        return request, None if framing == "chunked" else length, at

    def request(self, data, at):
        """(Request, where it ends)"""
        start = at
        head, length, at = self.head(data, at)
        if length is None:
            body, at = self._chunked(data, at)
        else:
            if len(data) < at + length:
                raise Incomplete
            body, at = data[at:at + length], at + length
        return Request(head.method, head.target, head.minor, head.host, head.framing, body,
                       head.fields, at - start), at

    def read(self, data):
        requests, at = [], 0
        try:
            while at < len(data):
                request, at = self.request(data, at)
                requests.append(request)
        except Incomplete:
            return Reading(tuple(requests), "incomplete")
        except Malformed as malformed:
            return Reading(tuple(requests), f"malformed: {malformed}")
        return Reading(tuple(requests), "")


class StandardLibrary(Reader):
    """Fields as Python's http.server reads them, by the mail parser."""

    def _fields(self, data, at):
        end = re.compile(rb"\r?\n\r?\n").search(data, at - 1)
        if not end:
            raise Incomplete
        text = data[at:end.end()].decode("iso-8859-1")
        message = email.parser.Parser(policy=email.policy.compat32).parsestr(text)
        return [(n.encode("iso-8859-1"), str(v).strip().encode("iso-8859-1"))
                for n, v in message.items()], end.end()


_LF = rb"\r?\n"
STRICT = Reader("strict", strict=True, priority="refuse")
READERS = (
    STRICT,
    Reader("bare LF ends a line", line_end=_LF),
    Reader("bare CR ends a line", line_end=rb"\r\n|\r|\n", fold="join"),
    Reader("length wins", line_end=_LF, priority="sized", length="first", number="lax"),
    Reader("length wins, the last", line_end=_LF, priority="sized", length="last", number="lax"),
    Reader("chunked wins", line_end=_LF, priority="chunked", coding="contains", length="last"),
    Reader("chunked by the first word", line_end=_LF, coding="first", coding_field="first"),
    Reader("chunked by the last word", line_end=_LF, coding="last", coding_field="last"),
    Reader("folds are joined", line_end=_LF, fold="join", coding="contains"),
    Reader("folds are fields", line_end=_LF, fold="field", coding="contains"),
    Reader("folds are dropped", line_end=_LF, fold="drop", coding="last"),
    Reader("spaces before the colon", line_end=_LF, name_space="strip", coding="contains"),
    Reader("CGI names", line_end=_LF, underscore=True, name_space="strip", coding="contains",
           fold="join"),
    Reader("C strings", line_end=_LF, cut_at_nul=True, coding="contains", number="lax"),
    Reader("last Host", line_end=_LF, host="last", authority_wins=False),
    Reader("no chunks in HTTP/1.0", chunked_in_10=False),
    Reader("lax chunk sizes", line_end=_LF, chunk_size="lax", coding="last"),
    StandardLibrary("Python's", line_end=_LF, priority="chunked", coding="last", length="first"),
)


def readings(data):
    return {reader.name: reader.read(data) for reader in READERS}


def fault(data):
    """What the strict reader holds against it, or "". Being cut short is no fault."""
    rest = STRICT.read(data).rest
    return rest if rest.startswith("malformed") else ""


def disagreement(data):
    """Who reads something else than the strict reader, or ""."""
    found = readings(data)
    expected = found[STRICT.name]
    for name, reading in found.items():
        if reading != expected:
            return f"{name}: {reading}, but strict: {expected}"
    return ""
