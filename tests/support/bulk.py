# SPDX-License-Identifier: BSD-2-Clause
"""Transfers of the pattern through a gateway, either way and over either protocol, checked on arrival.

transfer(port, size, is_slow): `is_slow` makes its receiving end a SlowReader.
"""

import functools
import http.client
import socket
import time
import zlib

from support.application import SlowReader, pattern, pattern_crc
from support.clients import connect, receive_all

_TIMEOUT = 60


def _read(read_into, size, is_slow):
    """The CRC of `size` bytes."""
    buffer, reader = bytearray(1 << 18), SlowReader()
    view, crc, done = memoryview(buffer), 0, 0
    while done < size:
        count = read_into(buffer)
        assert count, f"ended after {done} bytes"
        crc, done = zlib.crc32(view[:count], crc), done + count
        if is_slow:
            time.sleep(reader.pause(done))
    return crc


def tcp_upload(port, size):
    with connect(port, _TIMEOUT) as sock:
        sock.sendall(b"SINK\n")
        crc = 0
        for piece in pattern(size):
            crc = zlib.crc32(piece, crc)
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == f"{size} {crc}\n".encode()


def tcp_download(port, size, is_slow=False):
    with connect(port, _TIMEOUT) as sock:
        sock.sendall(f"SEND {size}\n".encode())
        crc = _read(sock.recv_into, size, is_slow)
        assert receive_all(sock) == b""
    assert crc == pattern_crc(size)


def http_upload(framing, port, size, is_slow=False):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    length = {"Content-Length": str(size)} if framing == "sized" else {"Transfer-Encoding": "chunked"}
    client.request("PUT", "/slow" if is_slow else "/", body=pattern(size), headers=length,
                   encode_chunked=framing == "chunked")
    assert client.getresponse().read() == f"{size} {pattern_crc(size)} {framing}\n".encode()
    client.close()


def http_download(framing, port, size, is_slow=False):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    client.request("GET", f"/{'bytes' if framing == 'sized' else 'chunks'}/{size}")
    answer = client.getresponse()
    assert answer.status == 200 and answer.chunked == (framing == "chunked")
    crc = _read(answer.readinto, size, is_slow)
    assert answer.read() == b"" and crc == pattern_crc(size)
    client.close()


TRANSFERS = {"tcp-up": tcp_upload, "tcp-down": tcp_download, **{
    f"http-{way}-{framing}": functools.partial(transfer, framing)
    for way, transfer in (("up", http_upload), ("down", http_download))
    for framing in ("sized", "chunked")}}
