# SPDX-License-Identifier: BSD-2-Clause
"""A program that loads an HTTP site: KEPT clients that keep their connections, NEW ones that do not,
LONG downloads that take seconds, and TUNNELS upgraded to an echo.

Arguments: PORT KEPT NEW LONG TUNNELS. It says "running" when all have had an answer. SIGTERM ends it with
one JSON line: requests, downloads, echoes, closes (connections that the gateway ended, having said
so), and `failures`: [kind, what happened, seconds since the epoch]. A connection that ends without
having said so while a request is on its way is a failure; none is tried twice.
"""

import asyncio
import json
import random
import signal
import sys
import time
import zlib

_BODY = random.Random(6).randbytes(10_000)
_PATIENCE = 30



class Client:
    """One connection."""

    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None

    async def open(self):
        self.reader, self.writer = await asyncio.wait_for(
            asyncio.open_connection("127.0.0.1", self.port), _PATIENCE)

    def close(self):
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None

    async def ask(self, line, body=None, *fields):
        """(status, fields, body); opens the connection when there is none, closes it when told to."""
        if not self.writer:
            await self.open()
        lines = [f"{line} HTTP/1.1", "Host: a.example", *fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        return await asyncio.wait_for(self.answer(), _PATIENCE)

    async def answer(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        first, *lines = head[:-4].split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines)
        status, body = int(first.split(" ")[1]), b""
        if status == 101:
            return status, fields, body
        if "transfer-encoding" in fields:
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
        else:
            body = await self.reader.readexactly(int(fields["content-length"]))
        if "close" in fields.get("connection", ""):
            if await self.reader.read():
                raise ValueError("something behind the last answer")
            self.close()
        return status, fields, body


class Load:
    def __init__(self, port):
        self.port = port
        self.end = asyncio.Event()
        self.requests = self.downloads = self.echoes = self.closes = 0
        self.failures = []
        self.begun = set()

    async def until_end(self, kind, step):
        """step(client) again and again; each failure is noted, and a new connection made."""
        client = Client(self.port)
        while not self.end.is_set():
            try:
                await step(client)
                self.begun.add(kind)
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append([kind, f"{type(error).__name__}: {error}", time.time()])
                client.close()
                await asyncio.sleep(0.01)
        client.close()

    async def kept(self, client):
        target = f"/{random.random()}"
        post = random.random() < 0.3
        status, _, body = await client.ask(f"POST {target}" if post else f"GET {target}", _BODY if post else None)
        wanted = f"{len(_BODY)} {zlib.crc32(_BODY)} sized\n" if post else f"GET {target}\n"
        if status != 200 or body != wanted.encode():
            raise ValueError(f"{status} {body[:100]}")
        self.requests += 1
        self.closes += client.writer is None
        await asyncio.sleep(random.random() * 0.03)

    async def new(self, client):
        await self.kept(client)
        client.close()

    async def long(self, client):
        status, _, body = await client.ask("GET /drip/20")
        if status != 200 or body != b"".join(f"line {i}\n".encode() for i in range(20)):
            raise ValueError(f"{status} {body[-100:]}")
        self.downloads += 1

    async def tunnel(self, client):
        """An echo from here to the end of the load."""
        status, _, _ = await client.ask("GET /chat", None, "Connection: upgrade", "Upgrade: echo")
        if status != 101:
            raise ValueError(status)
        self.begun.add("tunnel")
        while not self.end.is_set():
            client.writer.write(_BODY)
            if await asyncio.wait_for(client.reader.readexactly(len(_BODY)), _PATIENCE) != _BODY:
                raise ValueError("another echo")
            self.echoes += 1
            await asyncio.sleep(0.02)
        client.writer.write_eof()
        if await asyncio.wait_for(client.reader.read(), _PATIENCE):
            raise ValueError("more than was sent")
        client.close()


async def main(port, *counts):
    load = Load(port)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, load.end.set)
    kinds = dict(zip(("kept", "new", "long", "tunnel"), counts))
    tasks = [asyncio.create_task(load.until_end(kind, getattr(load, kind)))
             for kind, count in kinds.items() for _ in range(count)]
    wanted = {kind for kind, count in kinds.items() if count}
    while not wanted <= load.begun and not load.failures:
        await asyncio.sleep(0.01)
    print("running", flush=True)
    await asyncio.wait(tasks)
    print(json.dumps({"requests": load.requests, "downloads": load.downloads, "echoes": load.echoes,
                      "closes": load.closes, "failures": load.failures}))


if __name__ == "__main__":
    asyncio.run(main(*(int(word) for word in sys.argv[1:6])))
