# SPDX-License-Identifier: BSD-2-Clause
"""Names, values and sizes of fields; what is of one hop; what only the gateway may say; Expect,
HTTP/1.0, pipelines, and clients that stop."""

from support.http_cases.request_case import (FINISH, Seen, Table, chunked, chunks, get, head, sized)
from support.recording_upstream import Pause

_table = Table()
passes, refused, dropped = _table.passes, _table.refused, _table.dropped
CASES = _table.cases

GET = Seen("GET", "/")
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"


def with_fields(*has, lacks=(), **options):
    """GET / that arrives with these: ("Name", "value", "value")."""
    return Seen("GET", "/", has=has, lacks=lacks, **options)


# Names

passes("every byte of a token", get("!#$%&'*+-.^`|~09AZaz: x"),
       with_fields(("!#$%&'*+-.^`|~09AZaz", "x")))
for byte in "()<>@,;\\\"/[]?={} ":
    refused(f"name with {byte!r}", 400, get(f"X{byte}Y: z"))
for byte in "\x00\x01\t\x0b\x1f\x7f\x80\xa0\xff":
    refused(f"name with {byte!r}", 400, get(f"X{byte}Y: z"))
refused("empty name", 400, get(": z"))
refused("no colon", 400, get("Foo"))
refused("blank before the colon", 400, get("X : z"))
refused("tab before the colon", 400, get("X\t: z"))
refused("fold", 400, get("X: y", " z"))
refused("fold by a tab", 400, get("X: y", "\tz"))
refused("fold of nothing", 400, get("X: y", " "))
refused("bare LF between fields", 400, get("X: y\nZ: w"))
refused("bare CR between fields", 400, get("X: y\rZ: w"))
refused("bare CR in a value", 400, get("X: y\rz"))
refused("CR at the end of a value", 400, get("X: y\r"))
refused("LF CR", 400, get("X: y\n\rZ: w"))
refused("head that ends with LF LF", 400, b"GET / HTTP/1.1\r\nHost: a.example\n\n")
refused("head that ends with CR LF LF", 400, b"GET / HTTP/1.1\r\nHost: a.example\r\n\n")
passes("name with an underscore is dropped", get("X_Y: z", "X-Y: w"),
       with_fields(("X-Y", "w"), lacks=("X_Y",)))
passes("name of 1,000 bytes", get("n" * 1000 + ": v"), with_fields(("n" * 1000, "v")))

# Values

passes("empty value", get("X-A:"), with_fields(("X-A", "")))
passes("value with blanks around", get("X-A: \t b \t"), with_fields(("X-A", "b")))
passes("value with a tab", get("X-A: b\tc"), with_fields(("X-A", "b\tc")))
passes("value with high bytes", get("X-A: \xe9\xff\x80"), with_fields(("X-A", "\xe9\xff\x80")))
passes("value with all that is visible", get("X-A: " + "".join(map(chr, range(0x21, 0x7f)))),
       with_fields(("X-A", "".join(map(chr, range(0x21, 0x7f))))))
passes("value of 16,000 bytes", get("X-A: " + "v" * 16_000), with_fields(("X-A", "v" * 16_000)))
passes("the same name thrice", get("X-A: 1", "x-a: 2", "X-A: 3"), with_fields(("X-A", "1", "2", "3")))
passes("cookies", get("Cookie: a=b", "Cookie: c=\"d e\""), with_fields(("Cookie", "a=b", "c=\"d e\"")))
for byte in "\x00\x01\x07\x08\x0b\x0c\x1b\x1f\x7f":
    refused(f"value with {byte!r}", 400, get(f"X: a{byte}b"))
    if byte in "\x00\x7f":
        refused(f"value that begins with {byte!r}", 400, get(f"X: {byte}b"))
        refused(f"value that ends with {byte!r}", 400, get(f"X: a{byte}"))

# Sizes

passes("500 fields", get(*(f"X-{i}: {i}" for i in range(500))), with_fields(("X-499", "499")))
refused("10,000 fields", 431, get(*(f"X-{i}: {i}" for i in range(10_000))))
refused("one field of 40,000 bytes", 431, get("X-A: " + "v" * 40_000))
refused("a name of 40,000 bytes", 431, get("n" * 40_000 + ": v"))
refused("a head of 100,000 bytes", 431, get(*("X-A: " + "v" * 1000 for _ in range(100))))
refused("a head of 100,000 bytes without an end", 431,
        get(*("X-A: " + "v" * 1000 for _ in range(100)))[:-4])
refused("a head of empty fields", 431, get(*["a:"] * 20_000))
refused("a head of 1,000,000 bytes", 431, get(*("X-A: " + "v" * 1000 for _ in range(1000))))

# Of one hop

for fields, lacks in ((("Connection: keep-alive",), ("Connection", "Keep-Alive")),
                      (("Connection: keep-alive", "Keep-Alive: timeout=5"), ("Keep-Alive",)),
                      (("Keep-Alive: timeout=5",), ("Keep-Alive",)),
                      (("Proxy-Connection: keep-alive",), ("Proxy-Connection",)),
                      (("Proxy-Authorization: Basic Zm9v",), ("Proxy-Authorization",)),
                      (("TE: trailers",), ("TE",)),
                      (("TE: trailers", "Connection: TE"), ("TE",)),
                      (("Trailer: X-A",), ("Trailer",)),
                      (("Upgrade: websocket",), ("Upgrade",)),
                      (("Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "Connection: Upgrade, HTTP2-Settings"),
                       ("Upgrade", "HTTP2-Settings")),
                      (("X-A: b", "Connection: X-A"), ("X-A",)),
                      (("X-A: b", "Connection: x-a , X-B", "X-B: c"), ("X-A", "X-B")),
                      (("Connection: X-A", "X-A: b", "Connection: X-B", "X-B: c"), ("X-A", "X-B")),
                      (("Connection: ,, X-A ,", "X-A: b"), ("X-A",)),
                      (("Connection: Cookie", "Cookie: a=b"), ("Cookie",)),
                      (("Connection: Authorization", "Authorization: Basic Zm9v"), ("Authorization",))):
    passes(f"one hop: {'; '.join(fields)}", get(*fields), with_fields(lacks=lacks))
passes("Connection cannot take Host away", get("Connection: Host"), GET)
passes("Connection cannot take our fields away",
       get("Connection: X-Forwarded-For, X-Real-IP", "X-Forwarded-For: 192.0.2.1"),
       with_fields(("X-Real-IP", "127.0.0.1"), ("X-Forwarded-For", "192.0.2.1, 127.0.0.1")))
passes("Connection: close", get("Connection: close"), with_fields(lacks=("Keep-Alive",)), keep=False)
passes("Connection: Close in a list", get("Connection: foo, Close"), GET, keep=False)
passes("Connection: close, then keep-alive", get("Connection: close", "Connection: keep-alive"), GET,
       keep=False)
passes("Connection with 50 options",
       get("Connection: " + ",".join(f"X-{i}" for i in range(50)), *(f"X-{i}: y" for i in range(50))),
       with_fields(lacks=tuple(f"X-{i}" for i in range(50))))

# Spoofing

passes("X-Forwarded-For: ours comes last", get("X-Forwarded-For: 192.0.2.1"),
       with_fields(("X-Forwarded-For", "192.0.2.1, 127.0.0.1")))
passes("X-Forwarded-For: without one", get(), with_fields(("X-Forwarded-For", "127.0.0.1")))
passes("X-Forwarded-For: two", get("X-Forwarded-For: 192.0.2.1", "x-forwarded-for: 192.0.2.2"),
       with_fields(("X-Forwarded-For", "192.0.2.1, 192.0.2.2, 127.0.0.1")))
passes("X-Real-IP: ours alone", get("X-Real-IP: 192.0.2.1", "x-real-ip: 192.0.2.2"),
       with_fields(("X-Real-IP", "127.0.0.1")))
for name in ("X_Real_IP", "X_Real-IP", "X-Real_IP", "x_forwarded_for", "X_Client_DN", "X_Client-DN"):
    passes(f"spelled {name}", get(f"{name}: 192.0.2.1"),
           with_fields(("X-Real-IP", "127.0.0.1"), ("X-Forwarded-For", "127.0.0.1"),
                       lacks=(name, "X-Client-DN")))
passes("nobody speaks for a client certificate", get("X-Client-DN: CN=admin", "X-CLIENT-DN: CN=root"),
       with_fields(lacks=("X-Client-DN",)))
passes("unconfigured: X-Forwarded-* go on unchanged",
       get("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: b.example",
           "Forwarded: for=192.0.2.1", "Via: 1.1 b", target="/plain"),
       Seen("GET", "/plain", host=None,
            has=(("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"),
                 ("X-Forwarded-Host", "b.example"), ("Forwarded", "for=192.0.2.1"), ("Via", "1.1 b"))))
passes("what a header is made of cannot break it", get("X-Forwarded-For: a%0d%0aX: y"),
       with_fields(("X-Forwarded-For", "a%0d%0aX: y, 127.0.0.1"), lacks=("X",)))

# Expect

_EXPECT = ("Expect: 100-continue", "Content-Length: 5")
passes("Expect, the body waits", [head("POST /", *_EXPECT), Pause(0.5), b"hello"], Seen("POST", "/", b"hello"),
       interim=(100,))
passes("Expect, the body comes at once", head("POST /", *_EXPECT) + b"hello", Seen("POST", "/", b"hello"))
passes("Expect in capitals", head("POST /", "Expect: 100-CONTINUE", "Content-Length: 5") + b"hello",
       Seen("POST", "/", b"hello"))
passes("Expect without a body", get("Expect: 100-continue"), GET)
passes("Expect, chunks", head("POST /", "Expect: 100-continue", "Transfer-Encoding: chunked") + chunks(b"hello"),
       Seen("POST", "/", b"hello", framing="chunked"))
passes("Expect in HTTP/1.0", head("POST / HTTP/1.0", *_EXPECT) + b"hello", Seen("POST", "/", b"hello"),
       keep=False)
refused("another expectation", 417, head("POST /", "Expect: 200-ok", "Content-Length: 5") + b"hello")

# HTTP/1.0

passes("HTTP/1.0", head("GET / HTTP/1.0"), GET, keep=False)
passes("HTTP/1.0 without Host", head("GET / HTTP/1.0", host=None), Seen("GET", "/", host=None), keep=False)
passes("HTTP/1.0, kept alive", head("GET / HTTP/1.0", "Connection: keep-alive"), GET)
passes("HTTP/1.0 with a body", head("POST / HTTP/1.0", "Content-Length: 5") + b"hello",
       Seen("POST", "/", b"hello"), keep=False)
passes("HTTP/1.0, kept alive, with a body",
       head("POST / HTTP/1.0", "Connection: Keep-Alive", "Content-Length: 5") + b"hello",
       Seen("POST", "/", b"hello"))
passes("HTTP/1.0 cannot upgrade", head("GET / HTTP/1.0", "Connection: upgrade", "Upgrade: websocket"),
       with_fields(lacks=("Upgrade",)), keep=False)
passes("HTTP/1.0: what comes behind is not read", head("GET / HTTP/1.0") + SMUGGLED, GET, keep=False)

# Pipelines

SECOND = get(target="/2")
passes("two GETs", get() + SECOND, GET, Seen("GET", "/2"))
passes("ten GETs", b"".join(get(target=f"/{i}") for i in range(10)),
       *(Seen("GET", f"/{i}") for i in range(10)))
passes("POST, GET", sized(b"hello") + SECOND, Seen("POST", "/", b"hello"), Seen("GET", "/2"))
passes("chunks, GET", chunked(chunks(b"hello")) + SECOND, Seen("POST", "/", b"hello", framing="chunked"),
       Seen("GET", "/2"))
passes("two POSTs with chunks", chunked(chunks(b"one")) + chunked(chunks(b"two"), target="/2"),
       Seen("POST", "/", b"one", framing="chunked"), Seen("POST", "/2", b"two", framing="chunked"))
passes("HEAD, GET", head("HEAD /") + SECOND, Seen("HEAD", "/"), Seen("GET", "/2"))
passes("GET, empty line, GET", get() + b"\r\n" + SECOND, GET, Seen("GET", "/2"))
passes("POST, its old client's CR LF, GET", sized(b"hello") + b"\r\n" + SECOND,
       Seen("POST", "/", b"hello"), Seen("GET", "/2"))
passes("GET with close, GET", get("Connection: close") + SMUGGLED, GET, keep=False)
passes("GET with a body of a request, GET", sized(SMUGGLED, method="GET") + SECOND,
       Seen("GET", "/", SMUGGLED), Seen("GET", "/2"))
refused("GET, garbage", 400, get() + b"\x01\x02\x03\r\n\r\n" + SMUGGLED, GET)
refused("GET, bad GET, GET", 400, get() + get("X : y") + SMUGGLED, GET)
refused("bad GET, GET", 400, get("X : y") + SMUGGLED)
refused("TRACE, GET", 405, head("TRACE /") + SMUGGLED)
refused("GET, CONNECT, GET", 405, get() + head("CONNECT a.example:443") + SMUGGLED, GET)
refused("too long a target, GET", 414, get(target="/" + "x" * 9000) + SMUGGLED)
refused("too big a head, GET", 431, get("X-A: " + "v" * 40_000) + SMUGGLED)
refused("too big a body, GET", 413, head("POST /", "Content-Length: 2000000") + SMUGGLED)
refused("POST, what is left of its body", 400, sized(b"hello") + b"world" + SECOND, Seen("POST", "/", b"hello"))

# Clients that stop or go

dropped("nothing, then the end", [FINISH])
dropped("empty lines, then the end", [b"\r\n\r\n", FINISH])
dropped("half a head, then the end", [b"GET / HTTP/1.1\r\nHost: a.ex", FINISH])
refused("half a head, and it stops", 408, b"GET / HTTP/1.1\r\nHost: a.ex")
refused("a head in drips", 408, [piece for c in b"GET / HTTP/1.1\r\nX" for piece in (bytes([c]), Pause(0.3))])
passes("GET, then the end", [get(), FINISH], GET, keep=False)
passes("POST, then the end", [sized(b"hello"), FINISH], Seen("POST", "/", b"hello"), keep=False)
passes("a head in two parts", [b"GET / HT", Pause(0.2), b"TP/1.1\r\nHost: a.example\r", Pause(0.2), b"\n\r\n"], GET)
