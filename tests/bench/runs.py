# SPDX-License-Identifier: BSD-2-Clause
"""How each kind of workload is run: once for a rate, on all proxies at once for memory, traced for calls."""

import time
from dataclasses import dataclass

import machine
from tools import Strace, Unmeasurable, LOAD_TIMEOUT_S

WARMUP_S = 0.3

IDLE_CONNECTIONS = 2000
IDLE_AT_ONCE = 100
IDLE_WAIT_S = 10

# By the unit of the workload; for MB in bytes.
TRACED = {"connections": 500, "requests": 20000, "MB": 256 * 10**6}
TRACED_WARMUP = 1000  # requests before, that the connections of the pool stand
TRACED_REST_S = 0.5  # for what a proxy still does after the last byte

# System calls by what they do.
CALL_KINDS = {
    "recv": {"read", "readv", "recvfrom", "recvmsg", "recvmmsg"},
    "send": {"write", "writev", "sendto", "sendmsg", "sendmmsg"},
    "poll": {"poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_ctl"},
}


@dataclass
class Measured:
    """One run of a Rate."""
    rate: float            # connections, requests or GB per CPU-second
    wall_rate: float       # the same per second
    core: float            # share of its core that the proxy used
    resumed: float | None  # share of handshakes
    dials: float | None    # HTTP: new upstream connections per request
    errors: int
    foreign: float         # cores that others used meanwhile


def _resumed_share(workload, got, upstream):
    if workload.resumed_seen_by == "upstream":
        resumed, handshakes = upstream["resumed"], upstream["full"] + upstream["resumed"]
    else:
        resumed, handshakes = got["resumed"], got["handshakes"]
    return resumed / handshakes if handshakes else None


def run_rate(workload, proxy, load, upstream, own_pids, seconds):
    """Measures `proxy` for `seconds`. `own_pids`: all that the benchmark runs, the load aside."""
    pids = proxy.pids()
    options = ["--at-once", workload.at_once, "--warmup", WARMUP_S, "--seconds", seconds]
    options += ["--resume"] if workload.resume else []
    options += [word for pid in pids for word in ("--pid", pid)]
    foreign = machine.ForeignLoad(own_pids)
    at_start = upstream.counters()
    at_open = {}
    got = load.run(workload, proxy, *options, at_open=lambda: at_open.update(upstream.counters()))
    at_end = upstream.counters()
    if proxy.pids() != pids:
        raise Unmeasurable("its processes changed meanwhile: did a worker die?")

    seen = {name: at_end[name] - at_open[name] for name in at_end}
    work = got["bytes"] / 1e9 if workload.unit == "GB" else got["exchanges"]
    wall, cpu = got["wall_ns"] / 1e9, got["cpu_ns"] / 1e9
    errors = got["errors"] + at_end["failed"] - at_start["failed"]
    if not work or not cpu:
        raise Unmeasurable(f"no work was done; {errors} connections failed")
    dials = None
    if workload.http and seen["requests"]:
        dials = (seen["full"] + seen["resumed"]) / seen["requests"]
    return Measured(rate=work / cpu, wall_rate=work / wall, core=cpu / wall, dials=dials, errors=errors,
                    resumed=_resumed_share(workload, got, seen), foreign=foreign.cores())


def run_idle(workload, proxies, load):
    """KiB per idle connection by proxy name, or Unmeasurable; on proxies that have just been started.

    The connections of all proxies are held at the same time, so that only one wait is needed.
    """
    results, before, held = {}, {}, {}
    try:
        for proxy in proxies:
            load.run(workload, proxy, "--limit", 1, work="connections")
            before[proxy.name] = machine.pss_kib(proxy.pids())
            held[proxy.name] = load.hold(workload, proxy, "--limit", IDLE_CONNECTIONS,
                                         "--at-once", IDLE_AT_ONCE)
            try:
                held[proxy.name].wait_until_open()
            except Unmeasurable as reason:
                results[proxy.name] = reason
        time.sleep(IDLE_WAIT_S)
        for proxy in proxies:
            grown = machine.pss_kib(proxy.pids()) - before[proxy.name]
            results.setdefault(proxy.name, grown / IDLE_CONNECTIONS)
        for name, connections in held.items():
            if not isinstance(results[name], Unmeasurable) and (lost := connections.release()):
                results[name] = Unmeasurable(f"{lost} idle connections were closed meanwhile")
    finally:
        for connections in held.values():
            connections.kill()
    return results


def run_calls(workload, proxy, load, folder):
    """System calls per unit of the workload: a dictionary of total, recv, send, poll, other."""
    if workload.http:
        load.run(workload, proxy, "--at-once", workload.at_once, "--limit", TRACED_WARMUP)
    tracer = Strace(proxy.pids(), folder / "strace.out")
    try:
        got = load.run(workload, proxy, "--at-once", workload.at_once, "--limit", TRACED[workload.unit],
                       "--seconds", LOAD_TIMEOUT_S / 2)
        time.sleep(TRACED_REST_S)
    finally:
        calls = tracer.stop()
    units = got["bytes"] / 1e6 if workload.unit == "MB" else got["exchanges"]
    if not units:
        raise Unmeasurable("no work was done")

    result = dict.fromkeys(("total", *CALL_KINDS, "other"), 0.0)
    for name, count in calls.items():
        kind = next((kind for kind, names in CALL_KINDS.items() if name in names), "other")
        result[kind] += count / units
        result["total"] += count / units
    return result
