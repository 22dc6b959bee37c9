# SPDX-License-Identifier: BSD-2-Clause
"""The measuring tools themselves, without the gateway: each upstream's account of who resumed.

A client that keeps its session and one that does not must be told apart by every upstream, in both
protocols; nginx, which resumes with one worker, stands in for a gateway.
"""

import socket
import ssl

import pytest

from support.application import pattern, pattern_crc
from support.clients import (Load, Probe, connect, exchange, exchange_many, receive_all,
                             receive_exactly, tls_connect, tls_context)
from support.processes import wait_until
from support.upstreams import (GnutlsServer, Haproxy, NginxStream, OpensslServer, Upstream, require)

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def start(stage, kind):
    certificate, client_ca = stage.pki.server(), stage.pki.authority()
    if kind == "application":
        return stage.application(name="tls", certificate=certificate, client_ca=client_ca)
    if kind == "s_server":
        require("openssl")
        return stage.upstream(OpensslServer, certificate, client_ca=client_ca)
    if kind == "gnutls":
        require("gnutls-serv", "stdbuf")
        return stage.upstream(GnutlsServer, certificate, client_ca=client_ca)
    plain = stage.application(name="plain")
    if kind == "nginx":
        require("nginx")
        return stage.upstream(NginxStream, certificate, plain.port, client_ca=client_ca)
    require("haproxy")
    return stage.upstream(Haproxy, stage.pki, certificate, plain.port, client_ca=client_ca)


def visit(upstream, context, session):
    """One exchange; returns the session to offer next."""
    with tls_connect(upstream.port, context, "backend1.example.com", session=session) as sock:
        if isinstance(upstream, OpensslServer):
            sock.sendall(upstream.REQUEST)
            upstream.note(receive_all(sock))
        else:
            sock.sendall(b"hello\n")
            assert sock.recv(100) == b"hello\n"
        return sock.session


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["application", "nginx", "haproxy", "s_server", "gnutls"])
def test_upstreams_tell_resumed_from_full(stage, kind, version):
    upstream = start(stage, kind)
    context = tls_context(stage.pki.authority(), stage.pki.client(), VERSIONS[version],
                          VERSIONS[version])
    session = visit(upstream, context, None)
    visit(upstream, context, session)
    visit(upstream, context, None)
    wait_until(lambda: len(upstream.handshakes()) == 3, "three handshakes in the upstream's log")
    assert [h.resumed for h in upstream.handshakes()] == [False, True, False]
    assert {h.protocol for h in upstream.handshakes()} == {f"TLSv{version}"}


STAND_IN = """
daemon off; user root; worker_processes 1;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
pid {folder}/in.pid; error_log {folder}/in.error.log info;
events {{ worker_connections 1024; }}
stream {{
    server {{
        listen 127.0.0.1:{port};
        proxy_pass 127.0.0.1:{upstream};
        proxy_ssl on; proxy_ssl_session_reuse {reuse};
        proxy_ssl_certificate {client.chain}; proxy_ssl_certificate_key {client.key};
        proxy_ssl_trusted_certificate {ca.certificate}; proxy_ssl_verify on;
        proxy_ssl_name backend1.example.com;
    }}
}}
"""


@pytest.mark.parametrize("reuse", ["on", "off"])
def test_resumption_through_another_gateway_is_seen(stage, reuse):
    require("nginx")
    upstream = start(stage, "nginx")
    port = stage.port()
    configuration = stage.folder / "in.conf"
    configuration.write_text(STAND_IN.format(
        folder=stage.folder, port=port, upstream=upstream.port, reuse=reuse,
        client=stage.pki.client(), ca=stage.pki.authority()))
    gateway = stage.add(Upstream("in", ["nginx", "-e", stage.folder / "in.error.log",
                                        "-c", configuration], stage.folder))
    gateway.port = port
    gateway.wait_until_listening()
    exchange_many(port, 20)
    wait_until(lambda: len(upstream.handshakes()) == 20, "20 handshakes")
    assert sum(h.resumed for h in upstream.handshakes()) == (19 if reuse == "on" else 0)


def test_application_sends_takes_and_half_closes(stage):
    application = stage.application()
    exchange(application.port)
    with connect(application.port) as sock:
        sock.sendall(b"SEND 3000000\n")
        assert receive_all(sock) == b"".join(pattern(3_000_000))
    with connect(application.port) as sock:
        sock.sendall(b"SINK\n")
        for piece in pattern(3_000_000):
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == f"3000000 {pattern_crc(3_000_000)}\n".encode()


@pytest.mark.parametrize("mode, end", [("clean", "fin"), ("truncated", "cut"), ("reset", "cut")])
def test_application_ends_as_it_is_told(stage, mode, end):
    application = stage.application(certificate=stage.pki.server())
    with tls_connect(application.port, tls_context(), "x") as sock:
        sock.sendall(f"TAIL {mode}\n".encode())
        assert receive_exactly(sock, 100_000) == b"".join(pattern(100_000))
        if end == "fin":
            assert sock.recv(1) == b""
        else:
            with pytest.raises(OSError):
                assert sock.recv(1) == b"no end"


@pytest.mark.parametrize("mode, end", [("clean", "done"), ("cut", "truncated")])
def test_application_tells_a_cut_from_an_end(stage, mode, end):
    application = stage.application(certificate=stage.pki.server())
    with tls_connect(application.port, tls_context(), "x") as sock:
        sock.sendall(b"hello")
        assert sock.recv(5) == b"hello"
        if mode == "clean":
            sock.unwrap()
    wait_until(lambda: application.events("end"), "its end")
    assert application.events("end")[0]["end"] == end


def test_probe_and_load_tell_what_they_saw(stage):
    application = stage.application()
    probe = stage.add(Probe(stage.folder, application.port))
    load = stage.add(Load(stage.folder, application.port)).wait_until_running()
    wait_until(lambda: len(application.events("accepted")) > 150, "some load")
    assert not load.finish()["failures"]
    seen = probe.finish()
    assert not seen["failures"] and seen["max"] < 500
    again = stage.add(Load(stage.folder, application.port, name="second")).wait_until_running()
    application.kill()
    with pytest.raises(ConnectionRefusedError):
        connect(application.port)
    failures = again.finish()["failures"]
    assert "transfer" in {kind for kind, *_ in failures}
