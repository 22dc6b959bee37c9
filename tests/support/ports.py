# SPDX-License-Identifier: BSD-2-Clause
"""Ports that nobody uses, below the range the kernel takes source ports from.

Ports are handed out in turn, so that one is not used again while connections of the test before
are still in TIME_WAIT on it. SEALANE_TEST_PORTS=FIRST-LAST chooses another range. Of several test
processes side by side each has its part of the range.
"""

import os
import random
import socket



def _range():
    first, last = (int(word) for word in os.environ.get("SEALANE_TEST_PORTS", "22000-24999").split("-"))
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    each = (last - first + 1) // count
    return first + number * each, first + (number + 1) * each - 1


_first, _last = _range()
_next = random.randint(_first, _last)


def _is_free(port):
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.bind((host, port))
        except OSError as error:
            if family == socket.AF_INET6 and error.errno != 98:
                continue  # a host without IPv6
            return False
    return True


def free_port():
    global _next
    for _ in range(_first, _last + 1):
        _next = _next + 1 if _next < _last else _first
        if _is_free(_next):
            return _next
    raise RuntimeError(f"no free port between {_first} and {_last}")


def free_ports(count):
    return [free_port() for _ in range(count)]
