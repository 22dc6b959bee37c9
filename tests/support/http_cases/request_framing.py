# SPDX-License-Identifier: BSD-2-Clause
"""Content-Length, Transfer-Encoding, chunks and trailers: where smuggling begins."""

from support.http_cases.request_case import (FINISH, Seen, Table, chunked, chunks, get, head, sized)
from support.recording_upstream import Pause

_table = Table()
passes, refused, dropped = _table.passes, _table.refused, _table.dropped
CASES = _table.cases

BODY = b"hello"
POST = Seen("POST", "/", BODY)
CHUNKED = Seen("POST", "/", BODY, framing="chunked")
EMPTY = Seen("POST", "/", framing="chunked")
GET = Seen("GET", "/")
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"
LAST = b"0\r\n\r\n"


def post(*fields):
    return head("POST /", *fields)


# Both framings

for first, second in (("Content-Length: 5", "Transfer-Encoding: chunked"),
                      ("Transfer-Encoding: chunked", "Content-Length: 5"),
                      ("Content-Length: 0", "Transfer-Encoding: chunked"),
                      ("Content-Length: 5", "Transfer-Encoding: identity"),
                      ("Content-Length: 5", "Transfer-Encoding:"),
                      ("Content-Length: 5", "transfer-encoding: Chunked"),
                      ("Content-Length:", "Transfer-Encoding: chunked"),
                      ("Content-Length: 5", "Transfer-Encoding: gzip")):
    refused(f"{first}, {second}", (400, 501), post(first, second) + LAST + SMUGGLED)
refused("both, with a GET", 400, get("Content-Length: 5", "Transfer-Encoding: chunked") + LAST)
refused("both, in HTTP/1.0", 400,
        head("POST / HTTP/1.0", "Content-Length: 5", "Transfer-Encoding: chunked") + LAST)
refused("both, Connection names the length", 400,
        post("Connection: Content-Length", "Content-Length: 5", "Transfer-Encoding: chunked") + LAST)
refused("both, Connection names the coding", 400,
        post("Connection: Transfer-Encoding", "Content-Length: 5", "Transfer-Encoding: chunked") + LAST)

# Transfer-Encoding

passes("chunked", chunked(chunks(BODY)), CHUNKED)
passes("chunked, no data", chunked(LAST), EMPTY)
passes("chunked with blanks around", post("Transfer-Encoding:   chunked  ") + chunks(BODY), CHUNKED)
passes("chunked with a tab before", post("Transfer-Encoding:\tchunked") + chunks(BODY), CHUNKED)
# RFC 9110 5.5 allows it; llhttp does not take a tab there, and nobody sends one.
refused("chunked with a tab behind", 400, post("Transfer-Encoding: chunked\t") + chunks(BODY))
passes("chunked in capitals", post("TRANSFER-ENCODING: CHUNKED") + chunks(BODY), CHUNKED)
passes("chunked, PUT", chunked(chunks(BODY), method="PUT"), Seen("PUT", "/", BODY, framing="chunked"))
passes("chunked, GET", chunked(chunks(BODY), method="GET"), Seen("GET", "/", BODY, framing="chunked"))
for value in ("chunked, chunked", "chunked, identity", "chunked, gzip", "gzip, chunked",
              "identity, chunked", "identity", "gzip", "xchunked", "chunkedx", "chunked;q=1",
              "\"chunked\"", "'chunked'", "chunked chunked", "chunked\x0b", "\x0bchunked", "chunked\x00",
              "\x00chunked", "chun\x00ked", "chunked\x80", "chunked,", ",chunked", ", ,", "", "chunke",
              "c hunked", "chunked\x01", "trailers", "chunked; x=y", "[chunked]", "chunk\xe9d"):
    refused(f"Transfer-Encoding {value!r}", (400, 501),
            post(f"Transfer-Encoding: {value}") + LAST + SMUGGLED)
refused("Transfer-Encoding twice", 400,
        post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + LAST)
refused("Transfer-Encoding twice, the second another", (400, 501),
        post("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + LAST)
refused("Transfer-Encoding twice, the first empty", 400,
        post("Transfer-Encoding:", "Transfer-Encoding: chunked") + LAST)
refused("Transfer-Encoding in HTTP/1.0", 400,
        head("POST / HTTP/1.0", "Transfer-Encoding: chunked") + chunks(BODY))
refused("Transfer-Encoding in HTTP/1.0, kept alive", 400,
        head("POST / HTTP/1.0", "Connection: keep-alive", "Transfer-Encoding: chunked") + chunks(BODY))
for name, field in (("blank before the colon", "Transfer-Encoding : chunked"),
                    ("tab before the colon", "Transfer-Encoding\t: chunked"),
                    ("blank before the name", " Transfer-Encoding: chunked"),
                    ("tab before the name", "\tTransfer-Encoding: chunked"),
                    ("NUL before the name", "\0Transfer-Encoding: chunked"),
                    ("NUL behind the name", "Transfer-Encoding\0: chunked"),
                    ("fold before the value", "Transfer-Encoding:\r\n chunked"),
                    ("fold behind the value", "Transfer-Encoding: chunked\r\n , identity"),
                    ("fold before the colon", "Transfer-Encoding\r\n: chunked"),
                    ("bare LF before", "X: y\nTransfer-Encoding: chunked"),
                    ("bare CR before", "X: y\rTransfer-Encoding: chunked"),
                    ("bare LF behind", "Transfer-Encoding: chunked\nX: y"),
                    ("bare CR behind", "Transfer-Encoding: chunked\rX: y"),
                    ("two CR behind", "Transfer-Encoding: chunked\r"),
                    ("LF within the value", "Transfer-Encoding:\nchunked"),
                    ("no colon", "Transfer-Encoding chunked"),
                    ("a high byte in the name", "Transfer-Encoding\xa0: chunked"),
                    ("a blank within the name", "Transfer Encoding: chunked"),
                    ("fold of another field", "X: y\r\n Transfer-Encoding: chunked")):
    refused(f"Transfer-Encoding, {name}", 400, post(field, "Content-Length: 5") + BODY)
passes("Transfer_Encoding is dropped", post("Transfer_Encoding: chunked", "Content-Length: 5") + BODY,
       Seen("POST", "/", BODY, lacks=("Transfer_Encoding", "Transfer-Encoding")))
passes("Content_Length is dropped", post("Content_Length: 50", "Content-Length: 5") + BODY,
       Seen("POST", "/", BODY, lacks=("Content_Length",)))
passes("Connection names Transfer-Encoding",
       post("Connection: Transfer-Encoding", "Transfer-Encoding: chunked") + chunks(BODY), CHUNKED)
passes("Connection names Content-Length",
       post("Connection: Content-Length", "Content-Length: 5") + BODY, POST)

# Content-Length

passes("sized", sized(BODY), POST)
passes("sized, empty", post("Content-Length: 0"), Seen("POST", "/"))
passes("length with zeros before", post("Content-Length: 0005") + BODY, POST)
passes("length with blanks around", post("Content-Length:   5  ") + BODY, POST)
passes("length with a tab before", post("Content-Length:\t5") + BODY, POST)
refused("length with a tab behind", 400, post("Content-Length: 5\t") + BODY)
passes("no length", post(), Seen("POST", "/"))
for method in ("GET", "HEAD", "DELETE", "OPTIONS", "PATCH", "PUT", "PROPFIND"):
    passes(f"body of {method}", sized(BODY, method=method), Seen(method, "/", BODY))
passes("GET with length 0", get("Content-Length: 0"), GET)
for value in ("+5", "-5", "-0", "0x5", "5,5", "5, 5", "5 5", "5;", "5.0", "5e0", "", " ", "\"5\"", "five",
              "\xb2", "5\x0b", "\x0b5", "5\x00", "\x005", "5\x80", "5,", ",5", "9223372036854775808",
              "18446744073709551616", "18446744073709551621", "340282366920938463463374607431768211461",
              "99999999999999999999999999999999", "05h", "5\x01", "1_0"):
    refused(f"Content-Length {value!r}", 400, post(f"Content-Length: {value}") + BODY + SMUGGLED)
for first, second in (("5", "5"), ("5", "6"), ("5", "0"), ("0", "5"), ("5", ""), ("", "5")):
    refused(f"Content-Length {first!r} and {second!r}", 400,
            post(f"Content-Length: {first}", f"Content-Length: {second}") + BODY + SMUGGLED)
for name, field in (("blank before the colon", "Content-Length : 5"),
                    ("tab before the colon", "Content-Length\t: 5"),
                    ("fold before the value", "Content-Length:\r\n 5"),
                    ("fold behind the value", "Content-Length: 5\r\n 0"),
                    ("bare LF before", "X: y\nContent-Length: 5"),
                    ("bare CR before", "X: y\rContent-Length: 5"),
                    ("a blank within the name", "Content Length: 5"),
                    ("NUL in the name", "Content\0-Length: 5")):
    refused(f"Content-Length, {name}", 400, post(field) + BODY + SMUGGLED)
refused("longer than client_max_body_size", 413, post("Content-Length: 2000000"))
refused("2^62 bytes announced", 413, post("Content-Length: 4611686018427387904"))
refused("2^63-1 bytes announced", 413, post("Content-Length: 9223372036854775807"))
refused("longer than client_max_body_size, Expect", 413,
        post("Content-Length: 2000000", "Expect: 100-continue"))
refused("chunks beyond client_max_body_size", 413,
        chunked((b"80000\r\n" + bytes(0x80000) + b"\r\n") * 3 + LAST), partial=True)
refused("one chunk beyond client_max_body_size", 413, chunked(b"200000\r\n" + bytes(0x200000) + b"\r\n"),
        partial=True)
passes("body of 1 MiB", sized(b"x" * (1 << 20)), Seen("POST", "/", b"x" * (1 << 20)))
passes("chunks of 1 MiB", chunked(chunks(*[b"y" * 65_536] * 16)),
       Seen("POST", "/", b"y" * (1 << 20), framing="chunked"))

# Chunks

for name, data in (("two", b"2\r\nhe\r\n3\r\nllo\r\n" + LAST),
                   ("bytes", chunks(*(bytes([c]) for c in BODY))),
                   ("zeros before the size", b"0005\r\nhello\r\n000\r\n\r\n"),
                   ("an extension", b"5;a=b\r\nhello\r\n0;c\r\n\r\n"),
                   ("a quoted extension", b"5;a=\"b;c\"\r\nhello\r\n" + LAST),
                   ("a trailer", b"5\r\nhello\r\n0\r\nX-Trailer: y\r\n\r\n"),
                   ("two trailers", b"5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n")):
    passes(f"chunks: {name}", chunked(data),
           Seen("POST", "/", BODY, framing="chunked", lacks=("X-Trailer", "A", "C")))
passes("chunks: size in both cases", chunked(b"A\r\n0123456789\r\na\r\n0123456789\r\n" + LAST),
       Seen("POST", "/", b"0123456789" * 2, framing="chunked"))
passes("chunks: 1,000 of a byte", chunked(chunks(*[b"z"] * 1000)),
       Seen("POST", "/", b"z" * 1000, framing="chunked"))
for name, data in (("size 0x5", b"0x5\r\nhello\r\n"), ("size +5", b"+5\r\nhello\r\n"),
                   ("size -5", b"-5\r\nhello\r\n"), ("size 5g", b"5g\r\nhello\r\n"),
                   ("size ' 5'", b" 5\r\nhello\r\n"), ("size '5 '", b"5 \r\nhello\r\n"),
                   ("size empty", b"\r\nhello\r\n"), ("size ;", b";a\r\nhello\r\n"),
                   ("size of 65 bits", b"10000000000000005\r\nhello\r\n"),
                   ("size of 80 bits", b"ffffffffffffffffffff\r\nhello\r\n"),
                   ("size in quotes", b"\"5\"\r\nhello\r\n"), ("size 5,5", b"5,5\r\nhello\r\n"),
                   ("size 5_", b"5_\r\nhello\r\n"), ("size with a NUL", b"5\0\r\nhello\r\n"),
                   ("size with a high byte", b"5\xb2\r\nhello\r\n"),
                   ("bare LF behind the size", b"5\nhello\r\n"),
                   ("bare CR behind the size", b"5\rhello\r\n"),
                   ("two CR behind the size", b"5\r\r\nhello\r\n"),
                   ("bare LF behind the data", b"5\r\nhello\n"),
                   ("bare CR behind the data", b"5\r\nhello\r0"),
                   ("nothing behind the data", b"5\r\nhello0\r\n"),
                   ("data longer than the size", b"4\r\nhello\r\n"),
                   ("bare LF in an extension", b"5;a\nhello\r\n"),
                   ("bare LF in an extension, CR LF later", b"5;a\nb\r\nhello\r\n"),
                   ("bare CR in an extension", b"5;a\rb\r\nhello\r\n"),
                   ("NUL in an extension", b"5;a=\0\r\nhello\r\n"),
                   ("an extension of 300,000 bytes", b"5;" + b"a" * 300_000 + b"\r\nhello\r\n"),
                   ("a size line that never ends", b"5;" + b"a=b;" * 5000),
                   ("2,000 extensions", (b"1;" + b"e" * 60 + b"\r\nz\r\n") * 2000)):
    refused(f"chunks: {name}", 400, chunked(data + LAST + SMUGGLED), partial=True)
refused("chunks: 2^64-1 bytes announced", (400, 413), chunked(b"ffffffffffffffff\r\nhello"), partial=True)
refused("chunks: 2^63 bytes announced", (400, 413), chunked(b"8000000000000000\r\nhello"), partial=True)
for name, data in (("bare LF at the end", b"0\r\n\n"), ("bare LF twice", b"0\n\n"),
                   ("bare CR at the end", b"0\r\n\rGET"), ("garbage at the end", b"0\r\nX\r\n\r\n"),
                   ("a trailer with a fold", b"0\r\nA: b\r\n c\r\n\r\n"),
                   ("a trailer with bare LF", b"0\r\nA: b\nC: d\r\n\r\n"),
                   ("a trailer with bare CR", b"0\r\nA: b\rC: d\r\n\r\n"),
                   ("a trailer with a NUL", b"0\r\nA: \0\r\n\r\n"),
                   ("a trailer with a blank before the colon", b"0\r\nA : b\r\n\r\n"),
                   ("a trailer without a name", b"0\r\n: b\r\n\r\n"),
                   ("trailers of 20,000 bytes", b"0\r\n" + b"A: bcdefgh\r\n" * 2000 + b"\r\n")):
    refused(f"chunks: {name}", 400, chunked(b"5\r\nhello\r\n" + data + SMUGGLED), partial=True)
for field in ("X-Forwarded-For: 192.0.2.1", "Connection: close", "Authorization: Basic Zm9v"):
    passes(f"chunks: trailer {field!r} is dropped",
           chunked(b"5\r\nhello\r\n0\r\n" + field.encode() + b"\r\n\r\n"), CHUNKED)
for field in ("Content-Length: 5", "Transfer-Encoding: chunked", "Host: b.example"):
    refused(f"chunks: trailer {field!r}", 400,
            chunked(b"5\r\nhello\r\n0\r\n" + field.encode() + b"\r\n\r\n" + SMUGGLED), partial=True)

# Time, ends

refused("a body that stops", 408, post("Content-Length: 5") + b"he", partial=True)
refused("chunks that stop", 408, chunked(b"5\r\nhe"), partial=True)
refused("chunks that stop before the last", 408, chunked(b"5\r\nhello\r\n"), partial=True)
refused("a chunk that swallows the end", 408, chunked(b"50\r\nhello\r\n" + LAST), partial=True)
dropped("a body whose client goes", [post("Content-Length: 5") + b"he", FINISH], partial=True)
dropped("chunks whose client goes", [chunked(b"5\r\nhello\r\n"), FINISH], partial=True)
passes("a body that comes later", [post("Content-Length: 5"), Pause(0.3), b"he", Pause(0.3), b"llo"], POST)
passes("chunks that come later", [chunked(b"5"), Pause(0.3), b"\r\nhel", Pause(0.3), b"lo\r\n0", Pause(0.2),
                                  b"\r\n\r\n"], CHUNKED)
