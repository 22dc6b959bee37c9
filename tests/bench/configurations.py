# SPDX-License-Identifier: BSD-2-Clause
"""The configurations of the proxies under test: the same listeners with the same settings, in four languages.

HTTP listeners speak HTTP/1.1 to the upstream. What would end a connection of itself is set so that it does not:
nginx's and Sealane's keepalive_requests, HAProxy's pool-purge-delay.
"""

import os
import pathlib
from dataclasses import dataclass

from pki import UPSTREAM_NAME

NGINX_STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"
KEPT_CONNECTIONS = 64
KEPT_REQUESTS = 1000000


@dataclass(frozen=True)
class Listener:
    name: str
    service: str           # of the upstream, as build/bench/upstream names it
    certificate: str = ""  # of the listener, in the PKI folder; empty: clients speak plain
    pooled: bool = False   # HTTP: upstream connections are kept for the next request

    @property
    def http(self):
        return self.service.endswith(",http")

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
    Listener("http13", "tls13,http", pooled=True),
    Listener("http13_noreuse", "tls13,http"),
    Listener("http12_noreuse", "tls12,http"),
]


@dataclass(frozen=True)
class Route:
    """A listener of one proxy with its addresses and the PKI folder: what a configuration is written from."""
    listener: Listener
    address: str
    upstream: str
    pki: pathlib.Path


def _sealane_http(route):
    name = route.listener.name
    kept = KEPT_CONNECTIONS if route.listener.pooled else 0
    return f"""
[upstream {name}]
server = {route.upstream}
keepalive = {kept}
keepalive_requests = {KEPT_REQUESTS}

[http {name}]
listen = {route.address}
keepalive_requests = {KEPT_REQUESTS}

[location {name} /]
proxy_pass = https://{name}
proxy_tls = bench
"""


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
        if route.listener.http:
            text += _sealane_http(route)
            continue
        certificate = route.listener.certificate
        text += f"\n[tcp {route.listener.name}]\nproxy_pass = {route.upstream}\n"
        if certificate:
            text += f"listen = {route.address} ssl\nssl_certificate = {pki}/{certificate}.crt\n"
            text += f"ssl_certificate_key = {pki}/{certificate}.key\n"
        else:
            text += f"listen = {route.address}\nproxy_ssl = on\nproxy_tls = bench\n"
    return text


def _nginx_tls(pki):
    return f"""    access_log off;
    proxy_ssl_certificate {pki}/client.crt;
    proxy_ssl_certificate_key {pki}/client.key;
    proxy_ssl_trusted_certificate {pki}/ca.crt;
    proxy_ssl_verify on;
    proxy_ssl_name {UPSTREAM_NAME};
    proxy_ssl_server_name on;
    proxy_ssl_session_reuse on;
    proxy_ssl_protocols TLSv1.2 TLSv1.3;
    ssl_protocols TLSv1.2 TLSv1.3;
"""


def _nginx_stream(route):
    certificate = route.listener.certificate
    if certificate:
        ssl = (f"listen {route.address} ssl; ssl_certificate {route.pki}/{certificate}.crt; "
               f"ssl_certificate_key {route.pki}/{certificate}.key;")
    else:
        ssl = f"listen {route.address}; proxy_ssl on;"
    return f"    server {{ {ssl} proxy_pass {route.upstream}; }}\n"


def _nginx_http(route):
    name = route.listener.name
    keepalive, connection = "", "close"
    if route.listener.pooled:
        keepalive = f" keepalive {KEPT_CONNECTIONS}; keepalive_requests {KEPT_REQUESTS};"
        connection = ""
    return f"""    upstream {name} {{ server {route.upstream};{keepalive} }}
    server {{
        listen {route.address};
        location / {{ proxy_pass https://{name}; proxy_set_header Connection "{connection}"; }}
    }}
"""


def nginx_config(routes, folder):
    """No answer goes by way of a file: that would measure the disk."""
    pki = routes[0].pki
    user = "user root;\n" if os.geteuid() == 0 else ""
    temporary = "".join(f"    {name}_temp_path {folder}/nginx-{name};\n"
                        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    stream = "".join(_nginx_stream(route) for route in routes if not route.listener.http)
    http = "".join(_nginx_http(route) for route in routes if route.listener.http)
    return f"""load_module {NGINX_STREAM_MODULE};
{user}worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
events {{ worker_connections 16384; }}
stream {{
{_nginx_tls(pki)}    ssl_session_cache shared:bench:16m;
{stream}}}
http {{
{_nginx_tls(pki)}{temporary}    proxy_http_version 1.1;
    proxy_max_temp_file_size 0;
    keepalive_requests {KEPT_REQUESTS};
{http}}}
"""


def _haproxy_http(route):
    """The lines of a `listen` section, and the options of its server."""
    if route.listener.pooled:
        return ("    mode http\n    http-reuse always\n",
                f" pool-max-conn {KEPT_CONNECTIONS} pool-purge-delay 10m")
    return "    mode http\n    http-reuse never\n    option http-server-close\n", ""


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
        mode, pool = _haproxy_http(route) if route.listener.http else ("", "")
        text += (f"listen {route.listener.name}\n{mode}    bind {route.address}{bind}\n"
                 f"    server upstream {route.upstream}{server}{pool}\n")
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
