# SPDX-License-Identifier: BSD-2-Clause
"""TLS servers to stand behind the gateway, each with its own account of who resumed a session.

All of them are a `Process` with `port`, and `handshakes()`: a list with one `Handshake` for each
connection whose handshake was done, in the server's own words and not in the gateway's.
"""

import json
import re
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_port
from support.processes import Process, run

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Handshake:
    resumed: bool
    protocol: str


TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


class Upstream(Process):
    port = 0
    tables = TABLES  # where its port shows up: of one family, or of either

    def wait_until_listening(self):
        self.wait_for(lambda: is_listening(self.port, self.tables), f"listens on port {self.port}")
        return self


def is_listening(port, tables=TABLES):
    """By the kernel's table: a probing connection would show up in the server's log."""
    wanted = f":{port:04X}"
    for table in tables:
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[1].endswith(wanted):
                return True
    return False


class Application(Upstream):
    """application.py: plain, or TLS when `certificate` is given."""

    def __init__(self, folder, name="application", port=None, certificate=None, client_ca=None,
                 options=(), host="127.0.0.1"):
        self.port = port or free_port()
        self.tables = TABLES[1:] if ":" in host else TABLES[:1]
        self.log_path = Path(folder) / f"{name}.json.log"
        words = [sys.executable, "-m", "support.application", "--host", host, "--port", self.port,
                 "--log", self.log_path]
        if certificate:
            words += ["--tls", certificate.chain, certificate.key]
        if client_ca:
            words += ["--client-ca", client_ca.root.certificate, "--require"]
        super().__init__(name, [*words, *options], folder, env={"PYTHONPATH": str(TESTS)})

    def events(self, event=None):
        if not self.log_path.exists():
            return []
        lines = [json.loads(line) for line in self.log_path.read_text().splitlines()]
        return [line for line in lines if event is None or line["event"] == event]

    def handshakes(self):
        return [Handshake(e["resumed"], e["protocol"]) for e in self.events("handshake")]


_NGINX = """
daemon off; master_process on; user root; worker_processes 1;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
pid {folder}/{name}.pid; error_log {folder}/{name}.error.log info;
events {{ worker_connections 4096; }}
{block} {{
    log_format tls '$ssl_session_reused $ssl_protocol $ssl_cipher $status';
    access_log {folder}/{name}.access.log tls;
    server {{
        listen 127.0.0.1:{port} ssl;
        {answer}
        ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};
        ssl_protocols {protocols}; ssl_session_cache {cache}; ssl_session_tickets {tickets};
        {more}
    }}
}}
"""


class _Nginx(Upstream):
    """nginx ends TLS; `answer` is what it does then, in a server of `block`."""

    def __init__(self, folder, certificate, block, answer, name="nginx", client_ca=None,
                 protocols="TLSv1.2 TLSv1.3", tickets="on", cache="shared:S:4m", more="", port=None):
        self.port = port or free_port()
        self.access_path = Path(folder) / f"{name}.access.log"
        if client_ca:
            more += (f"ssl_client_certificate {client_ca.root.certificate}; "
                     "ssl_verify_client on; ssl_verify_depth 4;")
        configuration = Path(folder) / f"{name}.conf"
        configuration.write_text(_NGINX.format(
            folder=folder, name=name, block=block, answer=answer, port=self.port,
            certificate=certificate, protocols=protocols, tickets=tickets, cache=cache, more=more))
        super().__init__(name, ["nginx", "-p", folder, "-e", f"{folder}/{name}.error.log",
                                "-c", configuration], folder)

    def handshakes(self):
        found = []
        if self.access_path.exists():
            for line in self.access_path.read_text().splitlines():
                reused, protocol, _, _ = line.split()
                if protocol != "-":
                    found.append(Handshake(reused == "r", protocol))
        return found


class NginxStream(_Nginx):
    """It passes on to `target`."""

    def __init__(self, folder, certificate, target, **options):
        super().__init__(folder, certificate, "stream", f"proxy_pass 127.0.0.1:{target};", **options)


class NginxHttp(_Nginx):
    """It answers each request with its path, or a file of `root`; `handshakes` has one for each
    request."""

    def __init__(self, folder, certificate, name="nginx", root=None, **options):
        own = " ".join(f"{kind}_temp_path {folder}/{name}.{kind};"
                       for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        answer = f"root {root};" if root else 'return 200 "$request_uri";'
        super().__init__(folder, certificate, "http", f"{own} {answer}", name=name, **options)


_HAPROXY = """
global
    log stdout format raw local0
    maxconn 4000
    tune.ssl.default-dh-param 2048
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend tls
    bind 127.0.0.1:{port} ssl crt {pair} {options}
    log global
    log-format "handshake %[ssl_fc_is_resumed] %[ssl_fc_protocol]"
    default_backend application
backend application
    server application 127.0.0.1:{target}
"""


class Haproxy(Upstream):
    def __init__(self, folder, pki, certificate, target, name="haproxy", client_ca=None, options=""):
        self.port = free_port()
        if client_ca:
            options += f" ca-file {client_ca.root.certificate} verify required"
        configuration = Path(folder) / f"{name}.cfg"
        configuration.write_text(_HAPROXY.format(
            port=self.port, pair=pki.pair(certificate), target=target, options=options))
        super().__init__(name, ["haproxy", "-db", "-f", configuration], folder)

    def handshakes(self):
        return [Handshake(resumed == "1", protocol) for resumed, protocol in
                re.findall(r"^handshake (\d) (\S+)", self.output, re.MULTILINE)]


class OpensslServer(Upstream):
    """openssl s_server -www: one connection after another, each answered with a status page that
    says whether its session was reused. `handshakes` counts what `note` was given of them."""

    REQUEST = b"GET / HTTP/1.0\r\n\r\n"

    def __init__(self, folder, certificate, name="s_server", client_ca=None, options=()):
        self.port = free_port()
        words = ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-www",
                 "-cert", certificate.certificate, "-key", certificate.key,
                 "-cert_chain", certificate.chain]
        if client_ca:
            words += ["-CAfile", client_ca.root.certificate, "-Verify", "4", "-verify_return_error"]
        self._noted = []
        super().__init__(name, [*words, *options], folder)

    def note(self, page):
        found = re.search(rb"(Reused|New), (\S+),", page)
        assert found, page
        self._noted.append(Handshake(found[1] == b"Reused", found[2].decode()))

    def handshakes(self):
        return list(self._noted)


class GnutlsServer(Upstream):
    """gnutls-serv --echo, or its HTTP page."""

    def __init__(self, folder, certificate, name="gnutls_serv", client_ca=None, priority="NORMAL",
                 options=("--echo",)):
        self.port = free_port()
        words = ["gnutls-serv", "--port", self.port, "--x509certfile", certificate.chain,
                 "--x509keyfile", certificate.key, "--priority", priority]
        if client_ca:
            words += ["--x509cafile", client_ca.root.certificate, "--require-client-cert",
                      "--verify-client-cert"]
        # Its output is buffered unless it goes to a terminal.
        super().__init__(name, ["stdbuf", "-oL", *words, *options], folder)

    def handshakes(self):
        found = []
        for part in self.output.split("* Accepted connection from")[1:]:
            protocol = re.search(r"- Description: \(?(TLS[0-9.]+)", part)
            if protocol:
                found.append(Handshake("This is a resumed session" in part,
                                       protocol[1].replace("TLS", "TLSv")))
        return found


class ScriptedServer:
    """A server in this process for misbehaviour: `script(socket, server)` runs in a thread for each
    connection. What it raises is kept in `errors`."""

    def __init__(self, script, backlog=512):
        self.script = script
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.port = self.listener.getsockname()[1]
        self.accepted = 0
        self.errors = []
        self.facts = []  # for the script's use
        self._open = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            self.script(sock, self)
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(error)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept; close alone would not
        self.listener.close()
        for sock in self._open:
            try:
                sock.close()
            except OSError:
                pass


def require(*programs):
    """Skips the test when a peer is not installed."""
    import pytest
    for program in programs:
        if run(["sh", "-c", f"PATH=$PATH:/usr/sbin:/sbin command -v {program}"])[0] != 0:
            pytest.skip(f"{program} is not installed (make deps-test)")
