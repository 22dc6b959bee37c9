# SPDX-License-Identifier: BSD-2-Clause
"""The two C programs of the benchmark as the driver uses them: the upstream, and the load generator."""

import os
import signal
import subprocess

import machine

LOAD_TIMEOUT_S = 60
# Everything that any listener of any proxy leads to.
SERVICES = ("tls13,echo", "tls12,echo", "tls13,sink", "tls13,source", "plain,echo",
            "tls13,http", "tls12,http")


class Unmeasurable(Exception):
    """A run that gave no figure; says why."""


def counters(line):
    """'a=1 b=2' as a dictionary of numbers."""
    return {name: int(value) for name, value in (pair.split("=") for pair in line.split())}


class Upstream:
    """The upstream of all proxies: each service at one port, on one address for each proxy."""

    def __init__(self, folder, pki, core, addresses, ports):
        command = [f"{folder}/upstream", str(pki)]
        command += [f"{address}:{port}={service}" for address in addresses
                    for service, port in zip(SERVICES, ports)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True, preexec_fn=machine.child_setup(core))
        self.pid = self._process.pid

    def counters(self):
        """connections, full, resumed and failed (handshakes), requests, received and sent (bytes): since the start."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return counters(self._process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()


class LoadGenerator:
    """Starts build/bench/load on a core of its own."""

    def __init__(self, folder, core):
        self._program = f"{folder}/load"
        self._core = core

    def _start(self, workload, proxy, options, work):
        command = [self._program, "--tls", workload.tls, "--path", workload.path, *map(str, options), work or workload.work,
                   f"127.0.0.1:{proxy.ports[workload.listener]}"]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True, preexec_fn=machine.child_setup(self._core))

    def run(self, workload, proxy, *options, work=None, at_open=None):
        """Runs to the end; the counters of its report. `at_open` is called when the window opens."""
        with self._start(workload, proxy, options, work) as process:
            try:
                opened = process.stdout.readline()
                if opened and at_open:
                    at_open()
                output, errors = process.communicate(timeout=LOAD_TIMEOUT_S)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise Unmeasurable(errors.strip() or f"the load ended with {process.returncode}")
        return counters(output)

    def hold(self, workload, proxy, *options):
        """Opens the idle connections of `workload` and holds them."""
        return HeldConnections(self._start(workload, proxy, options, None))


class HeldConnections:
    """A load generator that holds idle connections until released."""

    def __init__(self, process):
        self._process = process

    def wait_until_open(self):
        if not self._process.stdout.readline():
            raise Unmeasurable(self._process.stderr.read().strip())

    def release(self):
        """Closes all; how many the proxy had closed before."""
        output, _ = self._process.communicate("", timeout=LOAD_TIMEOUT_S)
        return counters(output)["errors"]

    def kill(self):
        self._process.kill()
        self._process.communicate()


class Strace:
    """Counts the system calls of running processes, from construction to stop()."""

    def __init__(self, pids, summary):
        self._summary = summary
        command = ["strace", "-f", "-c", "--summary-columns=calls,name", "-o", str(summary)]
        command += [word for pid in pids for word in ("-p", str(pid))]
        try:
            self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True,
                                             start_new_session=True)
        except FileNotFoundError:
            raise Unmeasurable("strace is not installed") from None
        for _ in pids:
            line = self._process.stderr.readline()
            if "attached" not in line:
                self.stop()
                raise Unmeasurable(line.strip())

    def stop(self):
        """Detaches; a dictionary of the calls by name."""
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=LOAD_TIMEOUT_S)
        if not os.path.exists(self._summary):
            return {}
        with open(self._summary) as summary:
            rows = [line.split() for line in summary]
        return {row[1]: int(row[0]) for row in rows
                if len(row) == 2 and row[0].isdigit() and row[1] != "total"}
