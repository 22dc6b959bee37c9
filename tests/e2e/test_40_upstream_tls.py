# SPDX-License-Identifier: BSD-2-Clause
"""TLS to upstreams of four makes: client certificates, protocols, suites, names, and servers that
answer something else, too much, too little, or not to the end."""

import re
import socket
import ssl
import threading
import time

import pytest

from support.application import pattern
from support.clients import (connect, exchange, fetch, how_it_ends, receive_all,
                             receive_exactly, try_to_talk)
from support.processes import private_memory, wait_until
from support.sealane import IS_SANITIZED, access_lines, wait_for_access_lines
from support.upstreams import (GnutlsServer, Haproxy, NginxStream, OpensslServer, ScriptedServer,
                               require)

NAME = "backend1.example.com"


def visit(port, upstream):
    if isinstance(upstream, OpensslServer):
        with connect(port) as sock:
            sock.sendall(upstream.REQUEST)
            sock.shutdown(socket.SHUT_WR)
            upstream.note(receive_all(sock))
    elif isinstance(upstream, NginxStream):
        fetch(port)
    else:
        exchange(port, b"a line, as gnutls-serv echoes lines\n")


# kind -> (only this protocol) -> what makes the server so
PEERS = {
    "nginx": {"1.2": {"protocols": "TLSv1.2"}, "1.3": {"protocols": "TLSv1.3"}, "both": {},
              "no tickets": {"tickets": "off", "cache": "off"}},
    "haproxy": {"1.2": {"options": "ssl-max-ver TLSv1.2"}, "1.3": {"options": "ssl-min-ver TLSv1.3"},
                "both": {}, "no tickets": {"options": "no-tls-tickets"}},
    "s_server": {"1.2": {"options": ["-tls1_2"]}, "1.3": {"options": ["-tls1_3"]}, "both": {},
                 "no tickets": {"options": ["-no_ticket", "-num_tickets", "0"]}},
    "gnutls": {"1.2": {"priority": "NORMAL:-VERS-ALL:+VERS-TLS1.2"},
               "1.3": {"priority": "NORMAL:-VERS-ALL:+VERS-TLS1.3"}, "both": {},
               "no tickets": {"options": ["--echo", "--noticket"]}},
}


def start_peer(stage, kind, options):
    certificate, ca = stage.pki.server(depth=1), stage.pki.authority()
    if kind == "s_server":
        require("openssl")
        return stage.upstream(OpensslServer, certificate, client_ca=ca, **options)
    if kind == "gnutls":
        require("gnutls-serv")
        return stage.upstream(GnutlsServer, certificate, client_ca=ca, **options)
    plain = stage.application(name="plain")
    if kind == "nginx":
        require("nginx")
        return stage.upstream(NginxStream, certificate, plain.port, client_ca=ca, **options)
    require("haproxy")
    return stage.upstream(Haproxy, stage.pki, certificate, plain.port, client_ca=ca, **options)


@pytest.mark.parametrize("kind, variant", [(k, v) for k, vs in PEERS.items() for v in vs])
def test_real_servers_with_client_certificates(stage, kind, variant):
    upstream = start_peer(stage, kind, PEERS[kind][variant])
    port = stage.port()
    gateway = stage.gateway(stage.tls_tunnel(port, upstream.port), workers=2)
    for _ in range(4):
        visit(port, upstream)
    lines = wait_for_access_lines(stage.folder / "access.log", 4)
    assert {line["end"] for line in lines} == {"done"}, gateway.error_log
    protocol = f"TLSv{variant}" if variant in ("1.2", "1.3") else "TLSv1.3"
    assert {line["tls"] for line in lines} == {protocol}
    wait_until(lambda: len(upstream.handshakes()) == 4, "four handshakes")
    assert ["r" if h.resumed else "." for h in upstream.handshakes()] == [
        line["session"] for line in lines], "both sides tell the same"
    if variant != "no tickets":
        assert [h.resumed for h in upstream.handshakes()] == [False, True, True, True]


def test_certificate_is_sent_whatever_the_server_lists(stage):
    """As nginx does; GnuTLS by itself would keep it back."""
    both = stage.pki.bundle(stage.pki.authority("Listed CA"), stage.pki.authority())
    listed = stage.pki.authority("Listed CA")
    application = stage.application(
        certificate=stage.pki.server(),
        options=["--client-ca", str(both)])
    port = stage.port()
    stage.gateway(stage.tls_tunnel(port, application.port))
    exchange(port)
    assert application.events("handshake")[0]["client"] == "gateway" and listed


SEED = {"proxy_ssl_protocols": "TLSv1 TLSv1.1 TLSv1.2", "proxy_ssl_ciphers": "HIGH:!aNULL:!MD5"}


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2"])
def test_legacy_protocols_negotiate_when_asked_for(stage, version):
    application = stage.application(certificate=stage.pki.server(), options=[
        "--min", version, "--max", version, "--ciphers", "ALL:@SECLEVEL=0"])
    port = stage.port()
    gateway = stage.gateway(stage.tls_tunnel(port, application.port, **SEED))
    exchange(port)
    assert application.handshakes()[0].protocol == version.replace("_", ".")
    assert re.search(r"notice.*sealane\.ini:\d+: .*TLSv1", gateway.error_log + gateway.output)


def test_legacy_protocols_are_off_by_default(stage):
    application = stage.application(certificate=stage.pki.server(), options=[
        "--min", "TLSv1", "--max", "TLSv1_1", "--ciphers", "ALL:@SECLEVEL=0"])
    port = stage.port()
    gateway = stage.gateway(stage.tls_tunnel(port, application.port))
    assert try_to_talk(port) == (b"", "reset")
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "upstream_handshake"
    gateway.wait_for_log("protocol")


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
                                   "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES256-SHA"])
def test_suites(stage, suite):
    application = stage.application(certificate=stage.pki.server(), options=[
        "--max", "TLSv1_2", "--ciphers", "ALL:@SECLEVEL=0"])
    port = stage.port()
    stage.gateway(stage.tls_tunnel(port, application.port, proxy_ssl_ciphers=suite,
                                   proxy_ssl_protocols="TLSv1.2"))
    exchange(port)
    assert application.events("handshake")[0]["cipher"] == suite
    (line,) = wait_for_access_lines(stage.folder / "access.log", 1)
    assert line["cipher"] == suite


def test_no_common_suite(stage):
    application = stage.application(certificate=stage.pki.server(), options=[
        "--max", "TLSv1_2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"])
    port = stage.port()
    gateway = stage.gateway(stage.tls_tunnel(port, application.port, proxy_ssl_protocols="TLSv1.2",
                                             proxy_ssl_ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"))
    assert try_to_talk(port) == (b"", "reset")
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "upstream_handshake"
    gateway.wait_for_log("proxy_ssl_ciphers")


def test_suite_beyond_the_list_is_refused(stage):
    """GnuTLS can express this list only as a superset; the server picks from the surplus."""
    application = stage.application(certificate=stage.pki.server(), options=[
        "--max", "TLSv1_2", "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384"])
    port = stage.port()
    gateway = stage.gateway(stage.tls_tunnel(
        port, application.port,
        proxy_ssl_ciphers="ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"))
    assert "ECDHE-ECDSA-AES256-GCM-SHA384" in gateway.output + gateway.error_log, "warned about"
    assert try_to_talk(port) == (b"", "reset")
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "upstream_suite"
    gateway.wait_for_log("is not in proxy_ssl_ciphers")
    assert sum(event["received"] for event in application.events("end")) == 0


@pytest.mark.parametrize("keys, sni", [
    ({}, NAME), ({"proxy_ssl_name": f"{NAME}."}, NAME), ({"proxy_ssl_name": "127.0.0.1"}, None),
    ({"proxy_ssl_server_name": "off"}, None)])
def test_server_name_indication(stage, keys, sni):
    application = stage.application(certificate=stage.pki.server())
    port = stage.port()
    stage.gateway(stage.tls_tunnel(port, application.port, **keys))
    exchange(port)
    assert application.events("handshake")[0]["sni"] == sni


def test_alpn(stage):
    application = stage.application(certificate=stage.pki.server(), options=["--alpn", "b,c"])
    port = stage.port()
    stage.gateway(stage.tls_tunnel(port, application.port, proxy_ssl_alpn="a b"))
    exchange(port)
    assert application.events("handshake")[0]["alpn"] == "b"


def scripted(stage, script, **keys):
    """(server, port of a gateway before it, gateway)"""
    server, port = stage.add(ScriptedServer(script)), stage.port()
    return server, port, stage.gateway(stage.tls_tunnel(port, server.port, **keys), workers=1)


def end_of(stage, port):
    assert try_to_talk(port) == (b"", "reset")
    return wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"]


@pytest.mark.parametrize("answer, shown", [
    (b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    (b"220 mail.example.com ESMTP\r\n", "220 mail.example.com ESMTP"),
    (b"-ERR \x1b[31mred\n", r"-ERR \x1b[31mred")])
def test_clear_text_answer(stage, answer, shown):
    def script(sock, _):
        sock.recv(4096)
        sock.sendall(answer)
        sock.recv(4096)
    _, port, gateway = scripted(stage, script)
    assert end_of(stage, port) == "upstream_clear_text"
    assert shown in gateway.wait_for_log("clear text")


def test_unrecognised_name(stage):
    def script(sock, _):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(stage.pki.server().chain, stage.pki.server().key)
        context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        context.wrap_socket(sock, server_side=True)
    _, port, gateway = scripted(stage, script)
    assert end_of(stage, port) == "upstream_handshake"
    assert re.search("proxy_ssl_(server_)?name", gateway.wait_for_log("unrecogni[sz]ed name"))


def test_close_instead_of_a_handshake(stage):
    def script(sock, _):
        sock.recv(4096)
        sock.shutdown(socket.SHUT_RDWR)
    _, port, _ = scripted(stage, script)
    assert end_of(stage, port) == "upstream_handshake"


def test_silence_instead_of_a_handshake(stage):
    def script(sock, _):
        while sock.recv(4096):
            pass
    _, port, _ = scripted(stage, script, proxy_connect_timeout="700ms")
    started = time.monotonic()
    assert end_of(stage, port) == "upstream_handshake_timeout"
    assert 0.5 < time.monotonic() - started < 5


def relay(target, shape):
    """A script that passes on to `target` and hands what comes back to shape(client socket, bytes);
    when that returns False the connection is cut."""
    def upwards(sock, upstream):
        try:
            while data := sock.recv(65_536):
                upstream.sendall(data)
            upstream.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # cut from the other side

    def script(sock, _):
        with socket.create_connection(("127.0.0.1", target)) as upstream:
            threading.Thread(target=upwards, args=(sock, upstream), daemon=True).start()
            try:
                while data := upstream.recv(65_536):
                    if shape(sock, data) is False:
                        break
            finally:
                sock.shutdown(socket.SHUT_RDWR)
    return script


def tls_application(stage, **options):
    return stage.application(certificate=stage.pki.server(), **options)


def test_handshake_byte_by_byte(stage):
    def trickle(sock, data):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(data)):
            sock.sendall(data[place:place + 1])
    application = tls_application(stage)
    _, port, _ = scripted(stage, relay(application.port, trickle))
    exchange(port, b"".join(pattern(5000)))
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "done"


@pytest.mark.parametrize("after", [1, 100, 700])
def test_close_in_the_middle_of_a_handshake(stage, after):
    def cut(sock, data):
        sock.sendall(data[:after])
        return False
    application = tls_application(stage)
    _, port, _ = scripted(stage, relay(application.port, cut))
    assert end_of(stage, port) == "upstream_handshake"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_close_in_the_middle_of_a_record(stage, version):
    """What arrived whole is delivered, the cut is a cut."""
    seen = {"bytes": 0}

    def cut(sock, data):
        left = 60_000 - seen["bytes"]
        seen["bytes"] += len(data)
        sock.sendall(data[:max(left, 0)])
        return seen["bytes"] < 60_000
    application = tls_application(stage, options=["--min", version, "--max", version])
    _, port, _ = scripted(stage, relay(application.port, cut))
    with connect(port) as sock:
        sock.sendall(b"SEND 1000000\n")
        data, end = how_it_ends(sock)
    assert end == "reset" and 32_768 <= len(data) < 60_000
    assert data == b"".join(pattern(1_000_000))[:len(data)]
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "upstream_truncated"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_garbage_after_the_handshake(stage, version):
    seen = {"bytes": 0}

    def spoil(sock, data):
        seen["bytes"] += len(data)
        sock.sendall(data if seen["bytes"] < 20_000 else bytes(reversed(data)))
    application = tls_application(stage, options=["--min", version, "--max", version])
    _, port, _ = scripted(stage, relay(application.port, spoil))
    with connect(port) as sock:
        sock.sendall(b"SEND 1000000\n")
        data, end = how_it_ends(sock)
    assert end == "reset" and data == b"".join(pattern(1_000_000))[:len(data)]
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] in (
        "upstream_protocol", "upstream_truncated")


def serve_tls(stage, sock):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stage.pki.server().chain, stage.pki.server().key)
    return context.wrap_socket(sock, server_side=True)


def test_tiny_records(stage):
    def script(sock, server):
        with serve_tls(stage, sock) as tls:
            tls.recv(100)
            for place in range(20_000):
                tls.send(b"%c" % (place % 251))
            server.facts.append("sent")
            tls.recv(100)
    server, port, _ = scripted(stage, script)
    with connect(port) as sock:
        sock.sendall(b"go")
        assert receive_exactly(sock, 20_000) == bytes(place % 251 for place in range(20_000))
    assert server.facts == ["sent"]


def test_endless_records_to_a_client_that_does_not_read(stage):
    stop = []

    def script(sock, server):
        with serve_tls(stage, sock) as tls:
            tls.settimeout(0.5)
            block, sent = bytes(65_536), 0
            try:
                while not stop and sent < 1 << 30:
                    sent += tls.send(block)
            except (TimeoutError, ssl.SSLWantWriteError):
                pass  # it is held up, as it should be
            server.facts.append(sent)
    server, port, gateway = scripted(stage, script)
    (pid,) = gateway.workers().values()
    memory = private_memory(pid)
    with connect(port) as sock:
        sock.sendall(b"go")
        wait_until(lambda: server.facts, "the upstream is held up", timeout=20)
        if not IS_SANITIZED:  # freed memory is kept aside there
            assert private_memory(pid) - memory < 3 << 20
    assert server.facts[0] < 64 << 20
    wait_until(lambda: access_lines(stage.folder / "access.log"), "its end")
