# SPDX-License-Identifier: BSD-2-Clause
"""The four proxies under test: their configurations, all with the same settings, and their processes.

Every proxy gets the same listeners (LISTENERS) on ports of its own, and reaches the upstream at an address of
its own: connections left in TIME_WAIT by one proxy must not make the next one's connect() search for a port.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass

import machine
from pki import UPSTREAM_NAME

START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 5
NGINX_STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


@dataclass(frozen=True)
class Listener:
    name: str
    service: str           # of the upstream, as build/bench/upstream names it
    certificate: str = ""  # of the listener, in the PKI folder; empty: clients speak plain TCP

    @property
    def upstream_tls(self):
        return not self.service.startswith("plain")


LISTENERS = [
    Listener("tls13", "tls13,echo"),
    Listener("tls12", "tls12,echo"),
    Listener("up", "tls13,sink"),
    Listener("down", "tls13,source"),
    Listener("ecdsa", "plain,echo", "ecdsa"),
    Listener("rsa", "plain,echo", "rsa"),
]


@dataclass(frozen=True)
class Route:
    """A listener of one proxy with its addresses and the PKI folder: what a configuration is written from."""
    listener: Listener
    address: str
    upstream: str
    pki: pathlib.Path


def sealane_config(routes, folder):
    pki = routes[0].pki
    user = "user = root\n" if os.geteuid() == 0 else ""
    text = f"""[main]
workers = 1
{user}pid_file = {folder}/sealane.pid
error_log = {folder}/sealane.log error

[tls bench]
proxy_ssl_certificate = {pki}/client.crt
proxy_ssl_certificate_key = {pki}/client.key
proxy_ssl_trusted_certificate = {pki}/ca.crt
proxy_ssl_name = {UPSTREAM_NAME}

[tcp]
proxy_half_close = off
"""
    for route in routes:
        certificate = route.listener.certificate
        text += f"\n[tcp {route.listener.name}]\nproxy_pass = {route.upstream}\n"
        if certificate:
            text += f"listen = {route.address} ssl\nssl_certificate = {pki}/{certificate}.crt\n"
            text += f"ssl_certificate_key = {pki}/{certificate}.key\n"
        else:
            text += f"listen = {route.address}\nproxy_ssl = on\nproxy_tls = bench\n"
    return text


def nginx_config(routes, folder):
    pki = routes[0].pki
    user = "user root;\n" if os.geteuid() == 0 else ""
    text = f"""load_module {NGINX_STREAM_MODULE};
{user}worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
events {{ worker_connections 16384; }}
stream {{
    access_log off;
    proxy_ssl_certificate {pki}/client.crt;
    proxy_ssl_certificate_key {pki}/client.key;
    proxy_ssl_trusted_certificate {pki}/ca.crt;
    proxy_ssl_verify on;
    proxy_ssl_name {UPSTREAM_NAME};
    proxy_ssl_server_name on;
    proxy_ssl_session_reuse on;
    proxy_ssl_protocols TLSv1.2 TLSv1.3;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:bench:16m;
"""
    for route in routes:
        certificate = route.listener.certificate
        if certificate:
            ssl = (f"listen {route.address} ssl; ssl_certificate {pki}/{certificate}.crt; "
                   f"ssl_certificate_key {pki}/{certificate}.key;")
        else:
            ssl = f"listen {route.address}; proxy_ssl on;"
        text += f"    server {{ {ssl} proxy_pass {route.upstream}; }}\n"
    return text + "}\n"


def haproxy_config(routes, folder):
    del folder
    pki = routes[0].pki
    text = """global
    nbthread 1
    maxconn 9000
    ssl-default-bind-options ssl-min-ver TLSv1.2
    ssl-default-server-options ssl-min-ver TLSv1.2
defaults
    mode tcp
    timeout connect 5s
    timeout client 10m
    timeout server 10m
"""
    for route in routes:
        certificate = route.listener.certificate
        bind = f" ssl crt {pki}/{certificate}.pem" if certificate else ""
        server = (f" ssl verify required ca-file {pki}/ca.crt crt {pki}/client.pem"
                  f" sni str({UPSTREAM_NAME}) verifyhost {UPSTREAM_NAME}"
                  if route.listener.upstream_tls else "")
        text += (f"listen {route.listener.name}\n    bind {route.address}{bind}\n"
                 f"    server upstream {route.upstream}{server}\n")
    return text


def stunnel_config(routes, folder):
    pki = routes[0].pki
    text = f"""foreground = quiet
pid =
syslog = no
debug = crit
output = {folder}/stunnel.log
"""
    for route in routes:
        certificate = route.listener.certificate
        text += (f"[{route.listener.name}]\naccept = {route.address}\nconnect = {route.upstream}\n"
                 f"cert = {pki}/{certificate or 'client'}.crt\nkey = {pki}/{certificate or 'client'}.key\n")
        if not certificate:
            text += (f"client = yes\nCAfile = {pki}/ca.crt\nverifyChain = yes\n"
                     f"checkHost = {UPSTREAM_NAME}\nsni = {UPSTREAM_NAME}\n")
    return text


@dataclass(frozen=True)
class Kind:
    """How a proxy is configured and started; `command` takes the place of FILE."""
    name: str
    config: callable
    command: tuple
    version_option: str
    needs: tuple = ()

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
        Kind("stunnel", stunnel_config, ("/usr/bin/stunnel4", "FILE"), "-version"),
    ]


class Proxy:
    """One running proxy, pinned to one core; a context manager that leaves no process behind."""

    def __init__(self, kind, folder, pki, core, ports, upstream):
        """`ports`: of its listeners by name; `upstream`: ADDRESS:PORT of its upstream services by name."""
        self.name = kind.name
        self.ports = ports
        self._core = core
        self._log = folder / f"{kind.name}.out"
        routes = [Route(listener, f"127.0.0.1:{ports[listener.name]}",
                        upstream[listener.service], pki) for listener in LISTENERS]
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
