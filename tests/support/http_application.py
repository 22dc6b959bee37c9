# SPDX-License-Identifier: BSD-2-Clause
"""An HTTP/1.1 server over mutual TLS for well-behaved clients; a program, so that it has a CPU of its own.

    GET, HEAD /bytes/N   N bytes of the pattern, sized; one Range
    GET /chunks/N        the same in chunks
    GET /drip/N          N lines in chunks, one each tenth of a second
    PUT, POST            answered with "COUNT CRC FRAMING", of the body; /slow: as by a SlowReader
    Upgrade: echo        101, then an echo until the end
    anything else        "METHOD TARGET"
With --idle a connection without a request is closed after so many seconds. Each connection and each
request is a JSON line in --log.
"""

import argparse
import asyncio
import json
import re
import ssl
import time
import zlib

from support.application import SlowReader, pattern

_LIMIT = 1 << 18


class Connection:
    def __init__(self, server, reader, writer):
        self.server, self.reader, self.writer = server, reader, writer

    async def serve(self):
        tls = self.writer.get_extra_info("ssl_object")
        subject = dict(pair[0] for pair in tls.getpeercert()["subject"])
        self.server.log(event="connection", resumed=tls.session_reused, protocol=tls.version(),
                        client=subject.get("commonName"))
        try:
            while await self.request():
                await self.writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, TimeoutError):
            pass
        self.writer.close()

    async def request(self):
        """False: no other will follow."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), self.server.idle)
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.server.log(event="request", method=method, target=target, fields=fields)
        if "echo" in fields.get("upgrade", ""):
            return await self.echo()
        if "100-continue" in fields.get("expect", ""):
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        taken = await self.take_body(fields, slow=target == "/slow")
        kind, _, number = target[1:].partition("/")
        if kind == "bytes":
            await self.send_bytes(method, int(number), fields.get("range"))
        elif kind in ("chunks", "drip"):
            await self.send_chunks(kind, int(number))
        else:
            body = f"{taken}\n" if method in ("PUT", "POST") else f"{method} {target}\n"
            self.send_head("200 OK", f"Content-Length: {len(body)}")
            self.writer.write(b"" if method == "HEAD" else body.encode())
        return fields.get("connection", "").lower() != "close"

    def send_head(self, status, *fields):
        self.writer.write("\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode())

    async def pieces(self, fields):
        """(framing, generator of the body's data)"""
        if "chunked" in fields.get("transfer-encoding", ""):
            while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
                async for piece in self.sized(size):
                    yield piece
                await self.reader.readexactly(2)
            await self.reader.readuntil(b"\r\n")
        else:
            async for piece in self.sized(int(fields.get("content-length", "0"))):
                yield piece

    async def sized(self, left):
        while left:
            piece = await self.reader.read(min(left, _LIMIT))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
            yield piece

    async def take_body(self, fields, slow):
        count, crc, reader = 0, 0, SlowReader()
        async for piece in self.pieces(fields):
            count, crc = count + len(piece), zlib.crc32(piece, crc)
            if slow and (pause := reader.pause(count)):
                await asyncio.sleep(pause)
        return f"{count} {crc} {'chunked' if 'transfer-encoding' in fields else 'sized'}"

    async def send_bytes(self, method, count, wanted):
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted or "")
        if found:
            first, last = int(found[1]), int(found[2])
            data = b"".join(pattern(count))[first:last + 1]
            self.send_head("206 Partial Content", f"Content-Length: {len(data)}",
                           f"Content-Range: bytes {first}-{last}/{count}")
            self.writer.write(data)
            return
        self.send_head("200 OK", f"Content-Length: {count}")
        for piece in pattern(count if method != "HEAD" else 0):
            self.writer.write(piece)
            await self.writer.drain()

    async def send_chunks(self, kind, count):
        self.send_head("200 OK", "Transfer-Encoding: chunked")
        pieces = pattern(count) if kind == "chunks" else (f"line {i}\n".encode() for i in range(count))
        for piece in pieces:
            self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self.writer.drain()
            if kind == "drip":
                await asyncio.sleep(0.1)
        self.writer.write(b"0\r\n\r\n")

    async def echo(self):
        self.send_head("101 Switching Protocols", "Connection: upgrade", "Upgrade: echo")
        while piece := await self.reader.read(_LIMIT):
            self.writer.write(piece)
            await self.writer.drain()
        return False


class Server:
    def __init__(self, log, idle):
        self.file = open(log, "a", buffering=1)
        self.idle = idle

    def log(self, **fields):
        self.file.write(json.dumps({"time": time.time(), **fields}) + "\n")

    async def connected(self, reader, writer):
        await Connection(self, reader, writer).serve()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--idle", type=float)
    parser.add_argument("--tls", nargs=3, metavar=("CHAIN", "KEY", "CLIENT_CA"), required=True)
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*options.tls[:2])
    context.load_verify_locations(options.tls[2])
    context.verify_mode = ssl.CERT_REQUIRED
    server = Server(options.log, options.idle)
    listener = await asyncio.start_server(server.connected, "127.0.0.1", options.port, ssl=context,
                                          limit=_LIMIT, backlog=512)
    await listener.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
