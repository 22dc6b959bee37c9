# SPDX-License-Identifier: BSD-2-Clause
"""How much private memory a process takes while something goes on."""

import threading

from support.processes import private_memory
from support.sealane import IS_SANITIZED

MIB = 1 << 20


class MemoryWatch:
    """The most private memory a process was seen with, looked at 20 times a second."""

    def __init__(self, pid):
        self.pid, self.ended = pid, threading.Event()
        self.before = self.most = private_memory(pid)
        self.thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self.ended.wait(0.05):
            self.most = max(self.most, private_memory(self.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def assert_bounded(watch, limit=MIB):
    if not IS_SANITIZED:
        grown = watch.most - watch.before
        assert grown <= limit, f"grew by {grown} bytes over {watch.before}"
