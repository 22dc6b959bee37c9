#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares Sealane with nginx, HAProxy and stunnel: README.md here describes the method.

Run by `make bench`. Changes nothing on the system, keeps everything in one temporary folder, and leaves no
process behind, whether it ends by itself, by Ctrl-C or by SIGTERM.
"""

import argparse
import contextlib
import os
import pathlib
import platform
import signal
import sys
import tempfile
import time

import machine
import pki
import report
import runs
import workloads
from configurations import LISTENERS
from proxies import Proxy, kinds
from tools import SERVICES, LoadGenerator, Unmeasurable, Upstream


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sealane", default="build/release/sealane", help="the program to measure")
    parser.add_argument("--tools", default="build/bench", help="folder of 'load' and 'upstream'")
    parser.add_argument("--proxies", default="", help="names, divided by spaces; default: all")
    parser.add_argument("--workloads", default="", help="beginnings of names; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="of one measurement")
    parser.add_argument("--port", type=int, default=25000, help="where to look for free ports from")
    return parser.parse_args()


def select_kinds(arguments):
    """The proxies to run: those asked for, less those that are not installed."""
    known = kinds(os.path.abspath(arguments.sealane))
    wanted = arguments.proxies.split() or [kind.name for kind in known]
    for name in wanted:
        if name not in [kind.name for kind in known]:
            raise SystemExit(f"bench: no proxy '{name}'; there are: "
                             + " ".join(kind.name for kind in known))
    selected = []
    for kind in known:
        if kind.name in wanted:
            if missing := kind.missing():
                print(f"{kind.name} is left out: there is no {missing}")
            else:
                selected.append(kind)
    if not selected:
        raise SystemExit("bench: no proxy left to measure")
    return selected


class Bench:
    """One run of the benchmark: the upstream, the load generator, and fleets of proxies as needed."""

    def __init__(self, arguments, selected, folder):
        self._arguments = arguments
        self._selected = selected
        self._folder = folder
        self._proxy_core, load_core = machine.cores()
        os.sched_setaffinity(0, {load_core})
        self._pki = pki.make(folder / "pki")
        ports = machine.free_ports(len(SERVICES) + len(selected) * len(LISTENERS), arguments.port)
        self._upstream_ports, self._ports = ports[:len(SERVICES)], ports[len(SERVICES):]
        self._addresses = [f"127.0.0.{2 + i}" for i in range(len(selected))]
        self._upstream = Upstream(arguments.tools, self._pki, load_core,
                                  self._addresses, self._upstream_ports)
        self._load = LoadGenerator(arguments.tools, load_core)

    @contextlib.contextmanager
    def _fleet(self):
        """All proxies, newly started."""
        with contextlib.ExitStack() as stack:
            proxies = []
            for i, (kind, address) in enumerate(zip(self._selected, self._addresses)):
                own = self._ports[i * len(LISTENERS):]
                listening = {listener.name: port for listener, port in zip(LISTENERS, own)}
                upstream = {service: f"{address}:{port}"
                            for service, port in zip(SERVICES, self._upstream_ports)}
                proxies.append(stack.enter_context(
                    Proxy(kind, self._folder, self._pki, self._proxy_core, listening, upstream)))
            yield proxies

    def _rate(self, workload, proxies):
        proxies = [proxy for proxy in proxies if workload.listener in proxy.ports]
        own_pids = {self._upstream.pid, *(pid for proxy in proxies for pid in proxy.pids())}
        results = {proxy.name: [] for proxy in proxies}
        for number in range(self._arguments.rounds):
            # Each round begins with another proxy, so that none always follows the same one.
            for i in range(len(proxies)):
                proxy = proxies[(number + i) % len(proxies)]
                if isinstance(results[proxy.name], Unmeasurable):
                    continue
                try:
                    results[proxy.name].append(runs.run_rate(
                        workload, proxy, self._load, self._upstream, own_pids,
                        self._arguments.seconds))
                except Unmeasurable as reason:
                    results[proxy.name] = reason
        return results

    def _calls(self, workload, proxies):
        results = {}
        for proxy in proxies:
            if workload.listener not in proxy.ports:
                continue
            try:
                results[proxy.name] = runs.run_calls(workload, proxy, self._load, self._folder)
            except Unmeasurable as reason:
                results[proxy.name] = reason
        return results

    def run(self, selected):
        """Runs the workloads and prints their tables; (summary, doubts), lines both."""
        summary, rates = [], []
        with self._upstream:
            for workload in selected:
                if isinstance(workload, workloads.Idle):
                    with self._fleet() as proxies:
                        results = runs.run_idle(workload, proxies, self._load)
                    summary.append(report.print_idle(workload, results))
            with self._fleet() as proxies:
                for workload in selected:
                    if isinstance(workload, workloads.Rate):
                        results = self._rate(workload, proxies)
                        rates.append((workload, results))
                        summary.append(report.print_rate(workload, results))
                    elif isinstance(workload, workloads.Calls):
                        summary.append(
                            report.print_calls(workload, self._calls(workload, proxies)))
        return [line for line in summary if line], report.doubts(rates)


def print_heading(arguments, selected):
    print(f"{' '.join(kind.name for kind in selected)}: {arguments.rounds} rounds of"
          f" {arguments.seconds:g} s, one worker on one core; Linux {platform.release()}")
    for kind in selected:
        print(f"  {kind.name:<8} {kind.version()}")


def main():
    arguments = parse_arguments()
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    machine.raise_open_files()
    selected = select_kinds(arguments)
    wanted = workloads.select(arguments.workloads.split())
    print_heading(arguments, selected)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sealane-bench-") as folder:
        summary, doubts = Bench(arguments, selected, pathlib.Path(folder)).run(wanted)
    if summary:
        print("\nSummary\n  " + "\n  ".join(summary))
    if doubts:
        print("\nTo be doubted\n  " + "\n  ".join(doubts))
    print(f"\nDone in {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("bench: interrupted")
