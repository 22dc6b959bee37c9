# SPDX-License-Identifier: BSD-2-Clause
"""Raw answers of upstreams: what the client has to get for each.

`answers`: this status and body, whole. `bad`: a 502 of ours. `cut`: a 502 of ours, or what came and
an end that no client can take for a whole answer. `late`: a 504 of ours. Only what is answered in
full, with nothing behind it, may leave the upstream's connection in use (`pooled`).
"""

from dataclasses import dataclass

from support.recording_upstream import CLOSE, CUT, HOLD, RESET, Pause

ANSWERS, BAD, CUTS, LATE = "answers", "bad", "cut", "late"


@dataclass(frozen=True)
class Case:
    name: str
    kind: str
    steps: tuple
    status: int = 200
    body: bytes = b""  # for a cut: all of it that may arrive
    method: str = "GET"
    minor: int = 1
    fields: tuple = ()  # of the request
    interim: tuple = ()
    has: tuple = ()  # ("Name", "value", …) of the answer
    lacks: tuple = ()
    keep: bool = True
    pooled: bool = False
    wait: float = 0.0  # before the next request, for what still comes


CASES = []
OK = "HTTP/1.1 200 OK"


def head(line, *fields):
    return "\r\n".join([line, *fields, "", ""]).encode("latin-1")


def _add(kind, name, steps, **options):
    steps = tuple(steps) if isinstance(steps, (list, tuple)) else (steps,)
    CASES.append(Case(name, kind, steps, **options))


def answers(name, steps, body=b"", pooled=True, **options):
    _add(ANSWERS, name, steps, body=body, pooled=pooled, **options)


def bad(name, steps, **options):
    _add(BAD, name, steps, **options)


def cut(name, steps, **options):
    _add(CUTS, name, steps, keep=False, **options)


def late(name, steps, **options):
    _add(LATE, name, steps, **options)


def sized(body, *fields, line=OK):
    return head(line, *fields, f"Content-Length: {len(body)}") + body


CHUNKED = head(OK, "Transfer-Encoding: chunked")
LENGTH = head(OK, "Content-Length: 5")
HELLO = b"5\r\nhello\r\n"
LAST = b"0\r\n\r\n"
OTHER = sized(b"another's\n")

# Whole answers

answers("sized", sized(b"hello"), b"hello")
answers("sized, empty", sized(b""))
answers("sized, zeros before", head(OK, "Content-Length: 005") + b"hello", b"hello")
answers("chunked", CHUNKED + HELLO + LAST, b"hello")
answers("chunked, nothing", CHUNKED + LAST)
answers("chunked, with extensions and a trailer", CHUNKED + b"5;a=b\r\nhello\r\n0;c\r\nX-T: y\r\n\r\n", b"hello",
        lacks=("X-T",))
answers("until the end", [head(OK) + b"hello", CLOSE], b"hello", pooled=False)
answers("until the end, nothing", [head(OK), CLOSE], pooled=False)
answers("Connection: close", [sized(b"hello", "Connection: close"), CLOSE], b"hello", pooled=False)
answers("HTTP/1.0, sized", sized(b"hello", line="HTTP/1.0 200 OK"), b"hello", pooled=False)
answers("HTTP/1.0, kept alive", sized(b"hello", "Connection: keep-alive", line="HTTP/1.0 200 OK"), b"hello")
answers("HTTP/1.0, until the end", [head("HTTP/1.0 200 OK") + b"hello", CLOSE], b"hello", pooled=False)
answers("chunked to a client of HTTP/1.0", CHUNKED + HELLO + LAST, b"hello", minor=0, keep=False)
answers("until the end to a client of HTTP/1.0", [head(OK) + b"hello", CLOSE], b"hello", minor=0, keep=False,
        pooled=False)
answers("sized to a client of HTTP/1.0", sized(b"hello"), b"hello", minor=0, keep=False)
answers("204", head("HTTP/1.1 204 No Content"), status=204)
answers("304 with a length", head("HTTP/1.1 304 Not Modified", "Content-Length: 5"), status=304)
answers("304", head("HTTP/1.1 304 Not Modified", "ETag: \"x\""), status=304, has=(("ETag", '"x"'),))
answers("HEAD, sized", head(OK, "Content-Length: 5"), method="HEAD", has=(("Content-Length", "5"),))
answers("HEAD, chunked", CHUNKED, method="HEAD")
answers("HEAD, no framing", head(OK), method="HEAD")
for line, status in (("HTTP/1.1 200 ", 200), ("HTTP/1.1 299 Whatever it is", 299), ("HTTP/1.1 404 Not Found", 404),
                     ("HTTP/1.1 500 x", 500), ("HTTP/1.1 503 Busy", 503), ("HTTP/1.1 206 Partial Content", 206),
                     ("HTTP/1.1 301 Moved", 301), ("HTTP/1.1 205 Reset", 205), ("HTTP/1.1 200 \xe9\xff", 200),
                     ("HTTP/1.1 599 x", 599), ("HTTP/1.1 200", 200)):
    answers(f"status line {line!r}", sized(b"", line=line), status=status)
answers("100, then 200", head("HTTP/1.1 100 Continue") + sized(b"hello"), b"hello", interim=(100,))
answers("103 with fields, then 200", head("HTTP/1.1 103 Early Hints", "Link: </a>") + sized(b"hello"), b"hello",
        interim=(103,))
answers("103, a pause, 200", [head("HTTP/1.1 103 Early Hints"), Pause(0.2), sized(b"hello")], b"hello",
        interim=(103,))
answers("16 interim answers", head("HTTP/1.1 102 Processing") * 16 + sized(b"hello"), b"hello",
        interim=(102,) * 16)
answers("103 is nothing for a client of HTTP/1.0", head("HTTP/1.1 103 Early Hints") + sized(b"hello"), b"hello",
        minor=0, keep=False)
answers("Date and Server go on", sized(b"", "Date: Thu, 01 Jan 1970 00:00:00 GMT", "Server: x"),
        has=(("Date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("Server", "x")))
answers("two cookies", sized(b"", "Set-Cookie: a=b", "Set-Cookie: c=d"), has=(("Set-Cookie", "a=b", "c=d"),))
answers("fields of one hop", sized(b"", "Connection: X-A", "X-A: b", "Keep-Alive: timeout=5",
                                   "Proxy-Connection: x", "Upgrade: h2c"),
        lacks=("X-A", "Keep-Alive", "Proxy-Connection", "Upgrade"))
answers("names with an underscore", sized(b"", "X_A: b"), has=(("X_A", "b"),))
answers("values with high bytes and tabs", sized(b"", "X-A: \xe9\t\xff"), has=(("X-A", "\xe9\t\xff"),))
answers("the head in drips", [part for c in sized(b"hello") for part in (bytes([c]), Pause(0.005))], b"hello")
answers("the body in drips", [LENGTH, Pause(0.2), b"he", Pause(0.2), b"llo"], b"hello")
answers("chunks in drips", [CHUNKED] + [part for c in HELLO + LAST for part in (bytes([c]), Pause(0.02))],
        b"hello")
answers("a head of 12,000 bytes", sized(b"", "X-A: " + "v" * 12_000), has=(("X-A", "v" * 12_000),))
answers("1 MiB, sized", sized(b"b" * (1 << 20)), b"b" * (1 << 20))
answers("1 MiB, chunked", CHUNKED + b"10000\r\n" + b"b" * 65_536 + b"\r\n" + b"%x\r\n" % 983_040 + b"b" * 983_040 +
        b"\r\n" + LAST, b"b" * (1 << 20))

# What came behind a whole answer is nobody's

for name, answer, options in (
        ("sized", sized(b"hello"), {"body": b"hello"}), ("chunked", CHUNKED + HELLO + LAST, {"body": b"hello"}),
        ("204", head("HTTP/1.1 204 No Content"), {"status": 204}),
        ("304", head("HTTP/1.1 304 Not Modified", "Content-Length: 5"), {"status": 304}),
        ("HEAD", head(OK, "Content-Length: 10"), {"method": "HEAD"}),
        ("length 0", head(OK, "Content-Length: 0"), {})):
    for what, more in (("another answer", OTHER), ("a byte", b"x"), ("an empty line", b"\r\n")):
        answers(f"{name}, then {what}", answer + more, pooled=False, **options)
    answers(f"{name}, later another answer", [answer, Pause(0.1), OTHER], pooled=False, wait=0.4, **options)
answers("204 with a length and a body", head("HTTP/1.1 204 No Content", "Content-Length: 5") + b"hello",
        status=204, pooled=False, lacks=("Content-Length",))
answers("sized, then close", [sized(b"hello"), CLOSE], b"hello", pooled=False, wait=0.4)
answers("sized, then a cut", [sized(b"hello"), CUT], b"hello", pooled=False, wait=0.4)

# Bad status lines

for line in ("garbage", "", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc OK",
             "HTTP/1.1 200OK", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK", " HTTP/1.1 200 OK",
             "http/1.1 200 OK", "HTTP/2 200", "HTTP/2.0 200 OK", "HTTP/0.9 200 OK", "HTTP/1.2 200 OK",
             "HTTP/1.10 200 OK", "HTTP/11 200 OK", "HTTP/1.1.1 200 OK", "ICY 200 OK", "HTTPS/1.1 200 OK",
             "HTTP/1.1 000 x", "HTTP/1.1 099 x", "HTTP/1.1 999 x", "HTTP/1.1 600 x", "HTTP/1.1 -20 x",
             "HTTP/1.1 +20 x", "HTTP/1.1 0x1 x", "HTTP/1.1 2 0 x", "HTTP/1.1 200 a\0b", "HTTP/1.1 200 a\rb",
             "HTTP/1.1 200 a\x01b", "HTTP/1.1 200 a\x7fb", "\0HTTP/1.1 200 OK", "GET / HTTP/1.1",
             "<html><body>It works</body></html>", "220 mail.example ESMTP", "SSH-2.0-OpenSSH_9.2"):
    bad(f"status line {line!r}", [head(line, "Content-Length: 5") + b"hello", CLOSE])
bad("empty line before the status line", [b"\n" + sized(b"hello"), CLOSE])
bad("random bytes", [bytes((i * 73 + 129) % 256 for i in range(300)), CLOSE])

# Bad heads

for name, text in (("bare LF behind the status line", b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello"),
                   ("bare LF everywhere", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
                   ("bare CR behind the status line", b"HTTP/1.1 200 OK\rContent-Length: 5\r\n\r\nhello"),
                   ("end with CR LF LF", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello")):
    bad(name, [text, CLOSE])
for field in ("X-A", ": b", "X-A : b", "X A: b", "X-A\t: b", "X-A: b\r\n c", " X-A: b", "X-A: b\nX-B: c",
              "X-A: b\rX-B: c", "X-A: a\0b", "X\0A: b", "X-A: a\x01b", "X-A: a\x7fb", "X\xe9: b", "X(A): b",
              "X-A: b\r"):
    bad(f"field {field!r}", [sized(b"hello", field), CLOSE])
for fields in (("Content-Length: 5", "Content-Length: 5"), ("Content-Length: 5", "Content-Length: 6"),
               ("Content-Length: 5, 5",), ("Content-Length: +5",), ("Content-Length: -5",), ("Content-Length: 0x5",),
               ("Content-Length:",), ("Content-Length: 5 5",), ("Content-Length: five",),
               ("Content-Length: 9223372036854775808",), ("Content-Length: 18446744073709551621",),
               ("Content-Length : 5",), ("Content-Length:\r\n 5",),
               ("Content-Length: 5", "Transfer-Encoding: chunked"),
               ("Transfer-Encoding: chunked", "Content-Length: 5"),
               ("Transfer-Encoding: gzip",), ("Transfer-Encoding: gzip, chunked",),
               ("Transfer-Encoding: chunked, gzip",), ("Transfer-Encoding: chunked, chunked",),
               ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), ("Transfer-Encoding: identity",),
               ("Transfer-Encoding: xchunked",), ("Transfer-Encoding:",), ("Transfer-Encoding:\r\n chunked",),
               ("Transfer-Encoding : chunked",), ("Transfer-Encoding: chunked\0",)):
    bad(f"framing {fields}", [head(OK, *fields) + HELLO + LAST, CLOSE])
bad("chunked in HTTP/1.0", [head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked") + HELLO + LAST, CLOSE])
bad("both framings, HEAD", [head(OK, "Content-Length: 5", "Transfer-Encoding: chunked"), CLOSE], method="HEAD")
bad("both framings, 304", [head("HTTP/1.1 304 x", "Content-Length: 5", "Transfer-Encoding: chunked"), CLOSE])
bad("a head of 20,000 bytes", [sized(b"hello", "X-A: " + "v" * 20_000), CLOSE])
bad("5,000 fields", [sized(b"hello", *["X: y"] * 5000), CLOSE])
bad("a status line without an end", [b"HTTP/1.1 200 " + b"x" * 100_000, CLOSE])
bad("a head without an end", [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, CLOSE])

# Interim answers, 101

bad("17 interim answers", [head("HTTP/1.1 102 Processing") * 17 + sized(b"hello"), CLOSE], interim=(102,) * 16)
bad("1,000 interim answers", [head("HTTP/1.1 103 x") * 1000 + sized(b"hello"), CLOSE], interim=(103,) * 16)
bad("17 interim answers, HTTP/1.0", [head("HTTP/1.1 102 Processing") * 17 + sized(b"hello"), CLOSE], minor=0)
bad("100 with a body", [head("HTTP/1.1 100 x", "Content-Length: 5") + b"hello" + sized(b"hello"), CLOSE],
    interim=(100,))
bad("101 that nobody asked for", [head("HTTP/1.1 101 x", "Connection: upgrade", "Upgrade: websocket"), HOLD])
bad("101 without Upgrade", [head("HTTP/1.1 101 x"), HOLD], fields=("Connection: upgrade", "Upgrade: websocket"))
bad("101 to HTTP/1.0", [head("HTTP/1.1 101 x", "Connection: upgrade", "Upgrade: websocket"), HOLD], minor=0,
    fields=("Connection: upgrade", "Upgrade: websocket"))
bad("101 as an interim answer", [head("HTTP/1.1 101 x") + sized(b"hello"), CLOSE])
bad("interim answers, then the end", [head("HTTP/1.1 103 x"), CLOSE], interim=(103,))

# Ends

for end in (CLOSE, CUT, RESET):
    bad(f"no answer, {end}", [end], method="POST", fields=("Content-Length: 0",))
    bad(f"half a status line, {end}", [b"HTTP/1.", Pause(0.1), end])
    bad(f"half a head, {end}", [head(OK)[:-2], Pause(0.1), end])
    for pause in (0, 0.2):
        when = "" if not pause else ", the head first"
        cut(f"too short a body, {end}{when}", [LENGTH, Pause(pause), b"hel", Pause(0.05), end], body=b"hel")
        cut(f"no body, {end}{when}", [LENGTH, Pause(pause), end])
        cut(f"no last chunk, {end}{when}", [CHUNKED, Pause(pause), HELLO, Pause(0.05), end], body=b"hello")
        cut(f"half a chunk, {end}{when}", [CHUNKED, Pause(pause), b"5\r\nhel", Pause(0.05), end], body=b"hel")
        cut(f"no end of the last chunk, {end}{when}", [CHUNKED, Pause(pause), HELLO + b"0\r\n", Pause(0.05), end],
            body=b"hello")
    cut(f"no last chunk, {end}, HTTP/1.0", [CHUNKED + HELLO, Pause(0.05), end], body=b"hello", minor=0)
    cut(f"too short a body, {end}, HTTP/1.0", [LENGTH + b"hel", Pause(0.05), end], body=b"hel", minor=0)
for end in (CUT, RESET):
    cut(f"until the end, {end}", [head(OK) + b"hello", Pause(0.05), end], body=b"hello")
    cut(f"until the end, {end} at once", [head(OK) + b"hello", end], body=b"hello")
    cut(f"until the end, {end}, HTTP/1.0", [head(OK) + b"hello", Pause(0.05), end], body=b"hello", minor=0)
    cut(f"until the end, nothing, {end}", [head(OK), Pause(0.05), end])
    cut(f"HTTP/1.0 until the end, {end}", [head("HTTP/1.0 200 OK") + b"hello", Pause(0.05), end], body=b"hello")

# Chunks

for name, data in (("size 0x5", b"0x5\r\nhello\r\n"), ("size 5g", b"5g\r\nhello\r\n"), ("size -5", b"-5\r\nhello\r\n"),
                   ("size '5 '", b"5 \r\nhello\r\n"), ("empty size", b"\r\nhello\r\n"),
                   ("size of 80 bits", b"ffffffffffffffffffff\r\nhello\r\n"), ("no chunks", b"hello world\r\n"),
                   ("bare LF behind the size", b"5\nhello\r\n"), ("bare LF behind the data", b"5\r\nhello\n"),
                   ("data longer than the size", b"4\r\nhello\r\n"), ("nothing behind the data", b"5\r\nhello0\r\n"),
                   ("bare LF in an extension", b"5;a\nhello\r\n"), ("NUL in an extension", b"5;\0\r\nhello\r\n"),
                   ("an extension of 300,000 bytes", b"5;" + b"a" * 300_000 + b"\r\nhello\r\n"),
                   ("trailer with a fold", b"0\r\nA: b\r\n c\r\n\r\n"), ("trailer with a NUL", b"0\r\nA: \0\r\n\r\n"),
                   ("trailers of 20,000 bytes", b"0\r\n" + b"A: bcdefgh\r\n" * 2000 + b"\r\n"),
                   ("bare LF at the end", b"0\r\n\n")):
    for pause in (0, 0.15):
        when = "" if not pause else ", the head first"
        steps = [CHUNKED, Pause(pause), data + LAST, Pause(0.05), CLOSE] if pause else [CHUNKED + data + LAST, CLOSE]
        cut(f"chunks: {name}{when}", steps, body=b"hello")

# Time

late("silence", [HOLD])
late("half a head, then silence", [b"HTTP/1.1 200 OK\r\nX-", HOLD])
late("a head in drips that never ends", [b"HTTP/1.1 200 OK\r\n"] + [b"X", Pause(0.2)] * 40)
late("an interim answer, then silence", [head("HTTP/1.1 103 x"), HOLD], interim=(103,))
cut("a body, then silence", [LENGTH + b"he", HOLD], body=b"he")
cut("chunks, then silence", [CHUNKED + HELLO, HOLD], body=b"hello")
cut("until the end, then silence", [head(OK) + b"hello", HOLD], body=b"hello")
cut("until the end, then silence, HTTP/1.0", [head(OK) + b"hello", HOLD], body=b"hello", minor=0)
