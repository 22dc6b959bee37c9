# SPDX-License-Identifier: BSD-2-Clause
"""Request lines: methods, targets, versions; Host and authority."""

from support.http_cases.request_case import Seen, Table, chunked, chunks, get, head, sized

_table = Table()
passes, refused = _table.passes, _table.refused
CASES = _table.cases

GET = Seen("GET", "/")

# Methods

for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "MKCOL", "COPY",
               "LOCK", "REPORT", "PURGE", "M-SEARCH"):
    passes(f"method {method}", head(f"{method} /m"), Seen(method, "/m"))
passes("OPTIONS of the whole server", head("OPTIONS *"), Seen("OPTIONS", "*"))
refused("CONNECT", 405, head("CONNECT a.example:443", host="a.example:443"))
refused("CONNECT with a path", 405, head("CONNECT /"))
refused("TRACE", 405, head("TRACE /"))
refused("TRACE with a body", 405, sized(b"hello", method="TRACE"))
refused("unknown method", (400, 501), head("FROBNICATE /"))
refused("lower-case method", (400, 501), head("get /"))
refused("method with a letter too many", (400, 501), head("GETX /"))
refused("method with a colon", 400, head("GE:T /"))
refused("method with a NUL", 400, head("GE\0T /"))
refused("method with a high byte", 400, head("G\xc9T /"))
refused("empty method", 400, head(" /"))
refused("very long method", (400, 501), head("A" * 9000 + " /"))

# Blanks, ends of lines, versions

refused("two blanks after the method", 400, b"GET  / HTTP/1.1\r\nHost: a.example\r\n\r\n")
refused("two blanks before the version", 400, b"GET /  HTTP/1.1\r\nHost: a.example\r\n\r\n")
refused("tab after the method", 400, b"GET\t/ HTTP/1.1\r\nHost: a.example\r\n\r\n")
refused("tab before the version", 400, b"GET /\tHTTP/1.1\r\nHost: a.example\r\n\r\n")
refused("vertical tab as a blank", 400, b"GET\x0b/ HTTP/1.1\r\nHost: a.example\r\n\r\n")
refused("blank before the method", 400, b" GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
refused("blank behind the version", 400, b"GET / HTTP/1.1 \r\nHost: a.example\r\n\r\n")
refused("words behind the version", 400, b"GET / HTTP/1.1 x\r\nHost: a.example\r\n\r\n")
refused("bare LF after the request line", 400, b"GET / HTTP/1.1\nHost: a.example\r\n\r\n")
refused("bare CR after the request line", 400, b"GET / HTTP/1.1\rHost: a.example\r\n\r\n")
refused("two CR after the request line", 400, b"GET / HTTP/1.1\r\r\nHost: a.example\r\n\r\n")
refused("bare LF everywhere", 400, b"GET / HTTP/1.1\nHost: a.example\n\n")
passes("an empty line before", b"\r\n" + get(), GET)
passes("three empty lines before", b"\r\n\r\n\r\n" + get(), GET)
refused("a request line of blanks", 400, b"   \r\n" + get())
refused("HTTP/0.9", (400, 505), b"GET /\r\n\r\n")
refused("HTTP/0.9 with fields", (400, 505), b"GET /\r\nHost: a.example\r\n\r\n")
refused("HTTP/2.0", (400, 505), head("GET / HTTP/2.0"))
refused("HTTP/2 preface", (400, 505), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
refused("HTTP/1.2", (400, 505), head("GET / HTTP/1.2"))
refused("HTTP/1.9", (400, 505), head("GET / HTTP/1.9"))
refused("HTTP/0.9 written out", (400, 505), head("GET / HTTP/0.9"))
refused("HTTP/3.1", (400, 505), head("GET / HTTP/3.1"))
for version in ("HTTP/1.10", "HTTP/01.1", "HTTP/1.", "HTTP/.1", "HTTP/1", "HTTP/11", "HTTP/1,1",
                "HTTP/1.1.1", "HTTP/+1.1", "HTTP/1.x", "HTTP//1.1", "HTTP", "HTTPS/1.1", "HTTP/1.1\0",
                "HTP/1.1", "ICY/1.1"):
    line = f"GET / {version}\r\nHost: a.example\r\n\r\n"
    refused(f"version {version!r}", (400, 505), line.encode())
refused("version in lower case", (400, 505), b"GET / http/1.1\r\nHost: a.example\r\n\r\n")
refused("blank within the version", 400, b"GET / HTTP /1.1\r\nHost: a.example\r\n\r\n")

# Targets

for target in ("/a?b=c", "/%41", "/a//b", "/a/./b/../c", "//other.example/x", "//", "/?", "/a?b?c",
               "/a;b=c", "/~!$&'()*+,;=:@", "/a\"b", "/a<b>", "/a|b", "/a^b", "/a`b", "/a{b}",
               "/a\\b", "/a[b]", "/\xc3\xa9", "/a?q=\xff", "/a/%2e%2e/b", "/a?x=%00",
               "/a?x=%zz", "/a?x=%", "/*", "/a%0d%0aX:%20y"):
    passes(f"target {target!r}", get(target=target), Seen("GET", target))
for target in ("/..", "/../etc/passwd", "/a/../../b", "/%2e%2e/x", "/a%00b", "/%", "/%4", "/%zz",
               "/a#b", "/#", "#", "x", "?a", "*", "a.example:80", "a.example", "", "/\x01", "/\x7f",
               "/a\0b", "/a\tb", "/a\x0bb", "/a b", "/\r/", "/\n/", "ftp://a.example/", "http:/",
               "http:///x", "http://", "http:a.example", "ws://a.example/"):
    refused(f"target {target!r}", 400, get(target=target))
passes("target of 7,000 bytes", get(target="/" + "x" * 7000), Seen("GET", "/" + "x" * 7000))
refused("target of 9,000 bytes", 414, get(target="/" + "x" * 9000))
refused("target of 100,000 bytes", 414, get(target="/" + "x" * 100_000))
refused("request line without an end", 414, b"GET /" + b"x" * 50_000)

# Absolute form

passes("absolute form", get(target="http://a.example/x?y"), Seen("GET", "/x?y"))
passes("absolute form without a path", get(target="http://a.example"), GET)
passes("absolute form with a query alone", get(target="http://a.example?x=y"), Seen("GET", "/?x=y"))
passes("absolute form in capitals", get(target="HTTP://A.EXAMPLE/x"), Seen("GET", "/x"))
passes("absolute form, default port", get(target="http://a.example:80/x"), Seen("GET", "/x"))
passes("absolute form, both with a port", get(target="http://a.example:8080/x", host="a.example:8080"),
       Seen("GET", "/x"))
passes("absolute form for OPTIONS", head("OPTIONS http://a.example"), Seen("OPTIONS", "*"))
passes("absolute form with a body", sized(b"hello", target="http://a.example/x"),
       Seen("POST", "/x", b"hello"))
passes("absolute form in HTTP/1.0 without Host", head("GET http://b.example/x HTTP/1.0", host=None),
       Seen("GET", "/x", host="b.example"), keep=False)
refused("absolute form, another Host", 400, get(target="http://b.example/"))
refused("absolute form, another port", 400, get(target="http://a.example:8080/"))
refused("absolute form with a user", 400, get(target="http://u:p@a.example/"))
refused("absolute form with a user that looks like the host", 400,
        get(target="http://a.example@b.example/"))
refused("absolute form without Host", 400, get(target="http://a.example/", host=None))
refused("absolute form with a bad port", 400, get(target="http://a.example:x/"))
refused("absolute form with a fragment", 400, get(target="http://a.example/#x"))
refused("absolute form with a backslash", 400, get(target="http://a.example\\@b.example/"))

# Host

for host in ("A.EXAMPLE", "a.example:8080", "a.example:", "  a.example", "a.example \t"):
    passes(f"Host {host!r}", get(host=host), GET)
passes("Host without a blank", b"GET / HTTP/1.1\r\nHost:a.example\r\n\r\n", GET)
passes("Host in capitals", b"GET / HTTP/1.1\r\nHOST: a.example\r\n\r\n", GET)
passes("Host last", b"GET / HTTP/1.1\r\nAccept: */*\r\nhost: a.example\r\n\r\n", GET)
passes("Host with a dot at its end", get(host="a.example."), GET)
passes("Host is an address", get(host="192.0.2.1"), Seen("GET", "/", host="192.0.2.1"))
passes("Host is an IPv6 address", get(host="[2001:db8::1]:80"), Seen("GET", "/", host="[2001:db8::1]"))
passes("Host with an underscore", get(host="a_b.example"), Seen("GET", "/", host="a_b.example"))
refused("no Host", 400, get(host=None))
refused("no Host, but one like it", 400, get("X-Host: a.example", host=None))
refused("no Host, but one with an underscore", 400, get("_Host: a.example", host=None))
refused("no Host, HTTP/1.1 with a body", 400, sized(b"hello", host=None))
refused("two Hosts", 400, get("Host: b.example"))
refused("two equal Hosts", 400, get("Host: a.example"))
refused("two Hosts in other cases", 400, get("hOST: a.example"))
refused("two Hosts, the second empty", 400, get("Host:"))
refused("two Hosts in HTTP/1.0", 400, head("GET / HTTP/1.0", "Host: b.example"))
for host in ("", " ", "a b", "a.example/x", "a.example?x", "a.example#x", "u@a.example", "a..example",
             ".a.example", "a.example:x", "a.example:99999", "a.example:80:80", "a.example:-1", "[::1",
             "::1", "[::1]x", "[]", "[a.example]", "a\x00b", "a\x01b", "a\x7fb", "\xe9.example",
             "a\\b", "a\"b", "<a>", "a^b", "a|b", "{a}", "a%b", "a%zzb", ":80", "http://a.example",
             "a.example\tb.example"):
    refused(f"Host {host!r}", 400, get(host=host))
refused("folded Host", 400, b"GET / HTTP/1.1\r\nHost:\r\n a.example\r\n\r\n")
refused("fold before Host", 400, b"GET / HTTP/1.1\r\n Host: a.example\r\n\r\n")
refused("fold before Host, and a Host", 400, b"GET / HTTP/1.1\r\n Host: b.example\r\nHost: a.example\r\n\r\n")
refused("blank before Host's colon", 400, b"GET / HTTP/1.1\r\nHost : a.example\r\n\r\n")

# What is no HTTP

refused("TLS on a plain port", 400, bytes.fromhex("16030100710100006d0303") + bytes(range(64)) + b"\r\n\r\n")
refused("SSH banner", (400, 501), b"SSH-2.0-OpenSSH_9.2\r\n")
refused("SMTP", (400, 501), b"EHLO a.example\r\n")
refused("an answer instead of a request", (400, 501), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
refused("random bytes", 400, bytes((i * 73 + 129) % 256 for i in range(300)) + b"\r\n\r\n")
refused("zeros", 400, bytes(100))
refused("PROXY protocol, unasked", (400, 501), b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + get())
refused("chunks without a head", (400, 501), chunks(b"hello"))
passes("a body that looks like a request", sized(get()), Seen("POST", "/", get()))
passes("chunks that look like a request", chunked(chunks(get())),
       Seen("POST", "/", get(), framing="chunked"))
