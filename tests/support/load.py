# SPDX-License-Identifier: BSD-2-Clause
"""A program that loads an echo behind the gateway: new connections all the time, CONNECTIONS at
once, and TRANSFERS long ones, each byte of which is compared.

Arguments: PORT CONNECTIONS TRANSFERS PAUSE_MS. It says "running" when all transfers stand. SIGTERM
ends it with one JSON line: exchanges, bytes, slowest (ms), and `failures`: [kind, local port, what
happened, seconds since the epoch].
"""

import asyncio
import json
import random
import signal
import sys
import time

_BLOCK = random.Random(2).randbytes(64 * 1024)


class Load:
    def __init__(self, port, pause):
        self.port, self.pause = port, pause
        self.end = asyncio.Event()
        self.failures = []
        self.exchanges = self.bytes = 0
        self.slowest = 0.0
        self.standing = 0

    def failed(self, kind, writer, error):
        local = writer.get_extra_info("sockname") if writer else None
        self.failures.append([kind, local[1] if local else None,
                              f"{type(error).__name__}: {error}", time.time()])

    async def exchange(self):
        writer = None
        started = time.monotonic()
        try:
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection("127.0.0.1", self.port), 30)
            data = _BLOCK[:1000]
            writer.write(data)
            echo = await asyncio.wait_for(reader.readexactly(len(data)), 30)
            if echo != data:
                raise ValueError("another echo")
            writer.write_eof()
            rest = await asyncio.wait_for(reader.read(), 30)
            if rest:
                raise ValueError("more than was sent")
            self.exchanges += 1
        except Exception as error:  # pylint: disable=broad-except
            self.failed("exchange", writer, error)
        self.slowest = max(self.slowest, (time.monotonic() - started) * 1000)
        if writer:
            writer.close()

    async def exchanges_until_end(self):
        while not self.end.is_set():
            await self.exchange()
            await asyncio.sleep(self.pause)

    async def transfer(self):
        """Blocks there and back until the end; then the end itself."""
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            first = True
            while not self.end.is_set():
                writer.write(_BLOCK)
                echo = await asyncio.wait_for(reader.readexactly(len(_BLOCK)), 30)
                if echo != _BLOCK:
                    raise ValueError("another echo")
                self.bytes += len(echo)
                if first:
                    self.standing += 1
                    first = False
                await asyncio.sleep(0.02)
            if reader.at_eof():
                raise ValueError("ended before we did")
            writer.write_eof()
            if await asyncio.wait_for(reader.read(), 30):
                raise ValueError("more than was sent")
        except Exception as error:  # pylint: disable=broad-except
            self.failed("transfer", writer, error)
        if writer:
            writer.close()

    async def transfers_until_end(self):
        """A transfer that broke is noted and begun anew."""
        while not self.end.is_set():
            await self.transfer()


async def main(port, connections, transfers, pause_ms):
    load = Load(port, pause_ms / 1000)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, load.end.set)
    tasks = [asyncio.create_task(load.transfers_until_end()) for _ in range(transfers)]
    while load.standing < transfers and not load.failures:
        await asyncio.sleep(0.01)
    print("running", flush=True)
    tasks += [asyncio.create_task(load.exchanges_until_end()) for _ in range(connections)]
    await asyncio.wait(tasks)
    print(json.dumps({"exchanges": load.exchanges, "bytes": load.bytes, "slowest": load.slowest,
                      "failures": load.failures}))


if __name__ == "__main__":
    asyncio.run(main(*(int(word) for word in sys.argv[1:5])))
