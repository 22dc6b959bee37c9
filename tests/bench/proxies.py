# SPDX-License-Identifier: BSD-2-Clause
"""The four proxies under test, and their processes.

Every proxy gets the same listeners (configurations.LISTENERS) on ports of its own, and reaches the upstream at
an address of its own: connections left in TIME_WAIT by one proxy must not make the next one's connect() search for a port.
"""

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass

import machine
from configurations import (LISTENERS, NGINX_STREAM_MODULE, Route, haproxy_config, nginx_config,
                            sealane_config, stunnel_config)

START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 5


@dataclass(frozen=True)
class Kind:
    """How a proxy is configured and started; `command` takes the place of FILE."""
    name: str
    config: callable
    command: tuple
    version_option: str
    needs: tuple = ()
    http: bool = True

    def listeners(self):
        return [listener for listener in LISTENERS if self.http or not listener.http]

    def missing(self):
        """The first file that is needed and not there, or None."""
        if not shutil.which(self.command[0]):
            return self.command[0]
        return next((path for path in self.needs if not os.path.exists(path)), None)

    def version(self):
        """The first line of what the program says of itself that holds a number."""
        done = subprocess.run([self.command[0], self.version_option], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        lines = done.stdout.splitlines()
        return next((line for line in lines if any(map(str.isdigit, line))), "of unknown version")


def kinds(sealane):
    return [
        Kind("sealane", sealane_config, (sealane, "-c", "FILE"), "-v"),
        Kind("nginx", nginx_config, ("/usr/sbin/nginx", "-c", "FILE", "-e", "stderr"), "-v",
             (NGINX_STREAM_MODULE,)),
        Kind("haproxy", haproxy_config, ("/usr/sbin/haproxy", "-db", "-f", "FILE"), "-v"),
        Kind("stunnel", stunnel_config, ("/usr/bin/stunnel4", "FILE"), "-version", http=False),
    ]


class Proxy:
    """One running proxy, pinned to one core; a context manager that leaves no process behind."""

    def __init__(self, kind, folder, pki, core, ports, upstream):
        """`ports`: of its listeners by name; `upstream`: ADDRESS:PORT of its upstream services by name."""
        self.name = kind.name
        self.ports = {listener.name: ports[listener.name] for listener in kind.listeners()}
        self._core = core
        self._log = folder / f"{kind.name}.out"
        routes = [Route(listener, f"127.0.0.1:{ports[listener.name]}",
                        upstream[listener.service], pki) for listener in kind.listeners()]
        config = folder / f"{kind.name}.conf"
        config.write_text(kind.config(routes, folder))
        self._command = [str(config) if word == "FILE" else word for word in kind.command]

    def __enter__(self):
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=machine.child_setup(self._core))
        try:
            self._wait_until_listening()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        pids = self.pids()
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in pids[1:]:
            self._end_orphan(pid)

    def pids(self):
        return machine.process_tree(self._process.pid)

    def _wait_until_listening(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        """The connections made to find out have come to rest when this returns."""
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError as error:
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit(f"bench: {self.name} does not listen: {error}\n"
                                         + self._log.read_text()) from None
                    time.sleep(0.02)
        time.sleep(0.2)

    def _end_orphan(self, pid):
        """A worker whose master had to be killed; it is of the session that this proxy leads."""
        try:
            if os.getsid(pid) == self._process.pid:
                os.kill(pid, 9)
        except ProcessLookupError:
            pass
