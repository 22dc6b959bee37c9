# SPDX-License-Identifier: BSD-2-Clause
"""HTTP servers over mutual TLS to stand behind the gateway, as processes, and a WebSocket client."""

import fcntl
import json
import sys
from pathlib import Path

import pytest

from support.ports import free_port
from support.processes import Process, run
from support.sealane import ROOT
from support.upstreams import TESTS, Application, Upstream

SUPPORT = Path(__file__).parent


class HttpApplication(Application):
    """http_application.py."""

    def __init__(self, folder, pki, name="http_application", idle=None):  # pylint: disable=super-init-not-called
        self.port = free_port()
        self.log_path = Path(folder) / f"{name}.json.log"
        server = pki.server()
        words = [sys.executable, "-m", "support.http_application", "--port", self.port, "--log", self.log_path,
                 "--tls", server.chain, server.key, pki.authority().root.certificate]
        if idle:
            words += ["--idle", idle]
        Upstream.__init__(self, name, words, folder, env={"PYTHONPATH": str(TESTS)})

    def requests(self):
        return self.events("request")

    def connections(self):
        return self.events("connection")


def npm_package(name):
    """The folder to run node in for a package from npm, which is installed into build/ once."""
    folder = ROOT / "build" / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(folder, name)
    return folder


def _install(folder, name):
    if not (folder / "node_modules" / name.split("@")[0]).exists():
        if run(["sh", "-c", "command -v npm"])[0] != 0:
            pytest.skip("npm is not installed")
        status, output = run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, name],
                             timeout=120)
        if status != 0:
            pytest.skip(f"npm cannot install {name}: {output[-200:]}")


class WebSocketServer(Upstream):
    """websocket.js: an echo over wss by the package ws."""

    def __init__(self, folder, pki, packages, name="websocket"):
        self.port = free_port()
        server = pki.server()
        super().__init__(name, ["node", SUPPORT / "websocket.js", "server", self.port, server.chain, server.key,
                                pki.authority().root.certificate], folder,
                         env={"NODE_PATH": f"{packages}/node_modules"})


class WebSocketClient(Process):
    """websocket.js: `messages` there and back, spread over `seconds`."""

    def __init__(self, folder, port, packages, messages, seconds=0, name="websocket_client"):
        super().__init__(name, ["node", SUPPORT / "websocket.js", "client", port, messages, seconds], folder,
                         env={"NODE_PATH": f"{packages}/node_modules"})

    def result(self, timeout=60):
        assert self.wait(timeout) == 0, self.output
        return json.loads(self.output.splitlines()[-1])
