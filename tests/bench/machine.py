# SPDX-License-Identifier: BSD-2-Clause
"""What the benchmark reads from the kernel: CPU clocks, memory, foreign load; and what it asks of it: cores.

A process's CPU time is read from its CPU clock (clock_getcpuclockid(3)): the utime+stime of all its threads,
those that have ended included, in nanoseconds where /proc/PID/stat has ticks of 10 ms.
"""

import ctypes
import os
import resource
import signal
import socket
import time

PR_SET_PDEATHSIG = 1
TICK = os.sysconf("SC_CLK_TCK")


def cores():
    """The proxy's core and the core of everything else."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("bench: two CPUs are needed: one for the proxy, one for its load and upstream")
    return allowed[0], allowed[1]


def raise_open_files():
    """As many descriptors as allowed; inherited by everything that the benchmark starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def child_setup(core):
    """A preexec_fn: pins the child to `core`, and ends it should the benchmark die without cleaning up."""
    prctl = ctypes.CDLL(None).prctl

    def setup():
        os.sched_setaffinity(0, {core})
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return setup


def process_tree(pid):
    """`pid` and all its descendants."""
    pids = [pid]
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            for child in children.read().split():
                pids += process_tree(int(child))
    except FileNotFoundError:
        pass
    return pids


def cpu_seconds(pid):
    """CPU time of a process; 0 when it has gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)
    except OSError:
        return 0.0


def pss_kib(pids):
    """Proportional set size of the processes together."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return total


def free_ports(count, base):
    """`count` ports from `base` on that nobody uses on any address, below the ephemeral range."""
    found = []
    for port in range(base, 32768):
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise SystemExit(f"bench: fewer than {count} free ports from {base} on; try another --port")


def _busy_seconds():
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(
            int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICK


class ForeignLoad:
    """How many cores others kept busy in a stretch of time (other tenants of the host, as steal, too)."""

    def __init__(self, own_pids):
        self._own_pids = own_pids
        self._start = self._read()

    def _read(self):
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = sum(map(cpu_seconds, self._own_pids))
        own += time.process_time() + ended.ru_utime + ended.ru_stime
        return time.monotonic(), _busy_seconds(), own

    def cores(self):
        wall, busy, own = (now - then for now, then in zip(self._read(), self._start))
        return max(0.0, (busy - own) / wall)
