# SPDX-License-Identifier: BSD-2-Clause
"""A program that opens a connection every INTERVAL_MS, is echoed eight bytes, and takes the time.

A probe that is late does not hold up the next one. SIGTERM ends it with one JSON line.
"""

import asyncio
import json
import signal
import sys
import time


async def probe(port, times, failures):
    started = time.monotonic()
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 20)
        writer.write(b"probe..\n")
        answer = await asyncio.wait_for(reader.readexactly(8), 20)
        if answer != b"probe..\n":
            failures.append(f"answer {answer!r}")
        times.append((time.monotonic() - started) * 1000)
        writer.close()
    except Exception as error:  # pylint: disable=broad-except
        failures.append(f"{type(error).__name__}: {error}")


async def main(port, interval):
    times, failures, running, end = [], [], set(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    due = time.monotonic()
    while not end.is_set():
        task = asyncio.create_task(probe(port, times, failures))
        running.add(task)
        task.add_done_callback(running.discard)
        due = max(due + interval, time.monotonic())
        await asyncio.sleep(due - time.monotonic())
    if running:
        await asyncio.wait(running)
    times.sort()
    print(json.dumps({
        "count": len(times) + len(failures), "failures": failures[:20],
        "p50": times[len(times) // 2] if times else None,
        "p99": times[int(len(times) * 0.99)] if times else None,
        "max": times[-1] if times else None}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
