# SPDX-License-Identifier: BSD-2-Clause
"""Variables, proxy_pass with a URI and the combined log, side by side with the nginx that people come from."""

import re
import socket
import subprocess

import pytest

from support.clients import connect, tls_connect, tls_context
from support.processes import wait_until
from support.upstreams import Upstream, require

LOCATIONS = {"= /exact": "/one", "/up/": "/new/", "/bare": "/x", "/": None}
VARIABLES = "$host|$remote_addr|$scheme|$request_uri|$request_method|$uri|$args|$server_name|$server_port|" \
            "$http_x_one|$http_cookie|$proxy_add_x_forwarded_for|"

NGINX = """
worker_processes 1; daemon off; error_log stderr; pid {folder}/nginx.pid;
events {{ }}
http {{
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  log_format none ''; access_log {folder}/nginx.log combined;
  server {{ listen 127.0.0.1:{target}; access_log off; location / {{ return 200 $request_uri; }} }}
  server {{
    listen 127.0.0.1:{port}; server_name www.example.com; proxy_http_version 1.1;
    {locations}
    location /variables {{ return 200 "{variables}"; }}
  }}
}}
"""


class Nginx(Upstream):
    def __init__(self, folder, port, target):
        locations = "\n".join(f"location {path} {{ proxy_pass http://127.0.0.1:{target}{uri or ''}; }}"
                              for path, uri in LOCATIONS.items())
        configuration = folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=folder, port=port, target=target, locations=locations,
                                              variables=VARIABLES))
        self.port = port
        super().__init__("nginx", ["nginx", "-p", folder, "-e", "stderr", "-c", configuration], folder)


def ask(sock, target, *fields):
    """The body of the answer."""
    lines = [f"GET {target} HTTP/1.1", *(fields or ["Host: www.example.com"]), "Connection: close", "", ""]
    sock.sendall("\r\n".join(lines).encode("latin-1"))
    answer = b""
    while piece := sock.recv(65536):
        answer += piece
    sock.close()
    return answer.partition(b"\r\n\r\n")[2].decode("latin-1")


@pytest.fixture(name="both")
def both_fixture(stage):
    """(our port, nginx's port)"""
    require("nginx")
    ours, theirs, target = stage.ports(3)
    nginx = stage.add(Nginx(stage.folder, theirs, target))
    nginx.wait_until_listening()
    sections = {"http www": {"listen": f"127.0.0.1:{ours}", "server_name": "www.example.com",
                             "access_log": f"{stage.folder}/ours.log combined"},
                "location www /variables": {"return": f'200 "{VARIABLES}"'}}
    for path, uri in LOCATIONS.items():
        sections[f"location www {path}"] = {"proxy_pass": f"http://127.0.0.1:{target}{uri or ''}"}
    stage.gateway(sections)
    return ours, theirs


@pytest.mark.parametrize("target", [
    "/", "/a/b?c=d", "/a%20b/../c//d", "/exact", "/exact?x", "/exactly", "/up/", "/up/a", "/up/a%2Fb",
    "/up/a%20b%23%3f%25?q=%20&r", "/up/%C3%A9", "/up/a?", "/up/a??", "/up/x/../y/./z//w", "/bare",
    "/bare/a", "/barefoot", "/up/%5c%22%3C%7c", "/up/+&=;@$!~*'()", "/up/%e2%82%ac/%41"])
def test_target_that_goes_on(both, target):
    ours, theirs = (ask(connect(port), target) for port in both)
    assert ours == theirs and ours.startswith("/")


@pytest.mark.parametrize("fields", [
    ["Host: WWW.example.com"], ["Host: www.example.com:8080"], ["Host: other.example", "X-One: 1"],
    ["Host: a", "Cookie: a=1", "Cookie: b=2"], ["Host: a", "X_One: 1"],
    ["Host: a", "X-Forwarded-For: 10.0.0.1", "x-forwarded-for: 10.0.0.2"]])
def test_variables(both, fields):
    ours, theirs = (ask(connect(port), "/variables/%41?x=%20", *fields).replace(str(port), "PORT")
                    for port in both)
    assert ours == theirs and "|GET|/variables/A|x=%20|" in ours


def test_combined_log(stage, both):
    for port in both:
        for fields in ([], ["User-Agent: a\"b\\c\xe9\t~", "Referer: http://r/"]):
            ask(connect(port), "/a", "Host: www.example.com", *fields)
    logs = [stage.folder / name for name in ("ours.log", "nginx.log")]
    wait_until(lambda: all(log.read_bytes().count(b"\n") == 2 for log in logs), "both lines of both")
    ours, theirs = (re.sub(r"\[[^]]*\]", "[time]", log.read_text()) for log in logs)
    assert ours == theirs
    assert re.search(r"\[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", logs[0].read_text())


TLS_VARIABLES = "$scheme|$ssl_protocol|$ssl_session_reused|$ssl_server_name|$ssl_client_verify|$ssl_client_s_dn|" \
                "$ssl_client_i_dn|$ssl_client_serial"


@pytest.fixture(name="tls_port")
def tls_port_fixture(stage):
    server, port = stage.pki.server("www.example.com"), stage.port()
    stage.gateway({"http www": {
        "listen": f"127.0.0.1:{port} ssl", "server_name": "www.example.com",
        "ssl_certificate": server.chain, "ssl_certificate_key": server.key, "ssl_verify_client": "optional",
        "ssl_client_certificate": stage.pki.authority().certificate, "return": f'200 "{TLS_VARIABLES}"'}})
    return port


def of_certificate(certificate, what):
    line = subprocess.check_output(["openssl", "x509", "-noout", what, "-nameopt", "RFC2253", "-in",
                                    certificate.certificate], text=True)
    return line.partition("=")[2].strip()


def test_variables_of_a_client_certificate(stage, tls_port):
    client = stage.pki.client("a, gateway")
    context = tls_context(stage.pki.authority(), client)
    values = ask(tls_connect(tls_port, context, "www.example.com"), "/").split("|")
    assert values == ["https", "TLSv1.3", ".", "www.example.com", "SUCCESS",
                      *(of_certificate(client, what) for what in ("-subject", "-issuer", "-serial"))]


def test_variables_without_a_client_certificate(stage, tls_port):
    context = tls_context(stage.pki.authority())
    values = ask(tls_connect(tls_port, context, "www.example.com"), "/").split("|")
    assert values == ["https", "TLSv1.3", ".", "www.example.com", "NONE", "", "", ""]


def test_variables_without_tls(stage):
    port = stage.port()
    stage.gateway({"http www": {"listen": f"127.0.0.1:{port}", "return": f'200 "{TLS_VARIABLES}"'}})
    assert ask(socket.create_connection(("127.0.0.1", port)), "/") == "http" + "|" * 7
