# SPDX-License-Identifier: BSD-2-Clause
"""Sessions of clients by their ID (ssl_session_cache) and by ticket, as other programs use them; those of
Python over either protocol."""

import ssl
import subprocess

import pytest

from support.application import pattern
from support.clients import connect, receive_all, receive_exactly, tls_connect, tls_context
from support.processes import run
from support.protocols import PROTOCOLS
from support.upstreams import require

NAME = "backend1.example.com"
TCP = PROTOCOLS["tcp"]
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def listener(stage, protocol, port, section="echo", **keys):
    own = stage.pki.server()
    return protocol.listener(stage, port, section, ssl_certificate=own.chain,
                             ssl_certificate_key=own.key, **keys)


def serve(stage, protocol=TCP, workers=4, **keys):
    """(port, gateway)"""
    port = stage.port()
    return port, stage.gateway(listener(stage, protocol, port, **keys), workers=workers)


def without_tickets(stage, **options):
    context = tls_context(stage.pki.authority(), maximum=V12, **options)
    context.options |= ssl.OP_NO_TICKET
    return context


def resumed(protocol, port, context, session, count=1):
    """How many of `count` connections that offer `session` are resumed, and the last session."""
    found = 0
    for _ in range(count):
        with tls_connect(port, context, NAME, session=session) as sock:
            protocol.greet(sock)
            found += sock.session_reused
            session = sock.session
    return found, session


def test_session_ids_over_workers_reloads_and_deaths(stage, protocol):
    port, gateway = serve(stage, protocol)
    context = without_tickets(stage)
    _, session = resumed(protocol, port, context, None)
    assert not session.has_ticket
    found, session = resumed(protocol, port, context, session, 40)
    assert found == 40
    gateway.reload()
    found, session = resumed(protocol, port, context, session, 20)
    assert found == 20
    old = list(gateway.workers().values())
    for pid in old:
        run(["kill", "-9", str(pid)])
    gateway.wait_for_new_workers(old)
    assert resumed(protocol, port, context, session, 20)[0] == 20


def test_session_ids_hold_client_certificates(stage, protocol):
    port, _ = serve(stage, protocol, ssl_verify_client="on",
                    ssl_client_certificate=stage.pki.authority().certificate)
    context = without_tickets(stage, certificate=stage.pki.client())
    _, session = resumed(protocol, port, context, None)
    assert resumed(protocol, port, context, session, 20)[0] == 20


def test_session_cache_off(stage, protocol):
    port, _ = serve(stage, protocol, ssl_session_cache="off")
    context = without_tickets(stage)
    _, session = resumed(protocol, port, context, None)
    assert resumed(protocol, port, context, session, 5)[0] == 0


def test_many_sessions_at_once(stage, protocol):
    port, _ = serve(stage, protocol)
    context = without_tickets(stage)
    sessions = [resumed(protocol, port, context, None)[1] for _ in range(50)]
    assert sum(resumed(protocol, port, context, session)[0] for session in sessions) >= 48


@pytest.mark.parametrize("kind", ["session ID", "ticket 1.2", "ticket 1.3"])
def test_sessions_stay_at_their_listener(stage, protocol, kind):
    """A session of a listener that asks for no certificate opens nothing at one that does."""
    ports = stage.ports(2)
    configuration = listener(stage, protocol, ports[0], "open")
    configuration.update(listener(
        stage, protocol, ports[1], "closed", ssl_verify_client="on",
        ssl_client_certificate=stage.pki.authority().certificate))
    stage.gateway(configuration, workers=2)

    def context(certificate=None):
        if kind == "session ID":
            return without_tickets(stage, certificate=certificate)
        version = V13 if kind == "ticket 1.3" else V12
        return tls_context(stage.pki.authority(), minimum=version, maximum=version,
                           certificate=certificate)

    known, unknown = context(stage.pki.client()), context()
    for first, second in ((0, 1), (1, 0)):
        _, session = resumed(protocol, ports[first], known, None)
        assert resumed(protocol, ports[first], known, session)[0] == 1
        assert resumed(protocol, ports[second], known, session)[0] == 0
    _, session = resumed(protocol, ports[0], unknown, None)
    with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):  # HTTP answers with a 400
        resumed(protocol, ports[1], unknown, session)


def s_client(stage, port, *words):
    """What `openssl s_client` prints of a connection on which nothing is said."""
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", NAME, "-CAfile",
         stage.pki.authority().certificate, "-verify_return_error", *words],
        input=b"Q\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
        check=False).stdout.decode()


@pytest.mark.parametrize("words", [["-tls1_2", "-no_ticket"], ["-tls1_2"], ["-tls1_3"]],
                         ids=["session ID", "ticket 1.2", "ticket 1.3"])
def test_openssl_resumes_without_a_word_said(stage, words):
    require("openssl")
    port, _ = serve(stage)
    saved = stage.folder / "session.pem"
    # TLS 1.3: the ticket comes with the server's Finished, and is read while s_client waits.
    s_client(stage, port, *words, "-sess_out", saved)
    assert saved.exists()
    for _ in range(8):
        assert "Reused, " in s_client(stage, port, *words, "-sess_in", saved)


def test_a_client_that_learns_a_newer_version(stage):
    """It offers its TLS 1.2 session, and has to be shown a certificate."""
    require("openssl")
    port, _ = serve(stage)
    saved = stage.folder / "session.pem"
    for words in ([], ["-no_ticket"]):
        s_client(stage, port, "-tls1_2", *words, "-sess_out", saved)
        output = s_client(stage, port, *words, "-sess_in", saved)
        assert "New, TLSv1.3" in output
        assert "Verify return code: 0 (ok)" in output


@pytest.mark.parametrize("priority", [
    "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_TICKETS", "NORMAL:-VERS-ALL:+VERS-TLS1.2",
    "NORMAL:-VERS-ALL:+VERS-TLS1.3"])
def test_gnutls_resumes(stage, priority):
    require("gnutls-cli")
    port, _ = serve(stage)
    output = subprocess.run(
        ["gnutls-cli", "--resume", "--waitresumption",
         f"--x509cafile={stage.pki.authority().certificate}", f"--sni-hostname={NAME}",
         f"--verify-hostname={NAME}", f"--priority={priority}", "-p", str(port), "127.0.0.1"],
        input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
        check=False).stdout
    assert b"This is a resumed session" in output


def test_big_transfers_on_resumed_sessions(stage):
    port, _ = serve(stage)
    data = b"".join(pattern(300_000))
    for version in (V12, V13):
        context = tls_context(stage.pki.authority(), minimum=version, maximum=version)
        _, session = resumed(TCP, port, context, None)
        with tls_connect(port, context, NAME, session=session) as sock:
            assert sock.session_reused
            sock.sendall(data)
            assert receive_exactly(sock, len(data)) == data


def client_hello(name):
    """A ClientHello of Python's with `name` in the place of another of the same length."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = tls_context()
    hello = context.wrap_bio(incoming, outgoing, server_hostname="a" * len(name))
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    return outgoing.read().replace(b"a" * len(name), name)


@pytest.mark.parametrize("name", [b"back end.example", b"back\x00end.example", b"back\xc3\xbcd.example",
                                  b"back\nend.example"])
def test_names_that_are_none(stage, protocol, name):
    port, gateway = serve(stage, protocol, workers=1)
    workers = gateway.workers()
    with connect(port) as sock:
        sock.sendall(client_hello(name))
        assert receive_all(sock)[:2] == b"\x15\x03"  # an alert, and the end
    assert resumed(protocol, port, without_tickets(stage), None)
    assert gateway.workers() == workers
