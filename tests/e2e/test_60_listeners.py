# SPDX-License-Identifier: BSD-2-Clause
"""TLS towards clients: certificates both ways, protocols, ALPN, resumption over workers, endings."""

import re
import socket
import ssl
import subprocess

import pytest

from support.application import pattern
from support.clients import (connect, exchange_many, how_it_ends, is_cut, receive_all,
                             receive_exactly, tls_connect, tls_context)
from support.processes import run, wait_until
from support.sealane import wait_for_access_lines
from support.tls_stream import TlsStream
from support.upstreams import require

NAME = "backend1.example.com"
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = {"1.2": V12, "1.3": V13}


def listener(stage, port, target, certificate=None, **keys):
    certificate = certificate or stage.pki.server()
    configuration = stage.tunnel(port, target, **{
        "ssl_certificate": certificate.chain, "ssl_certificate_key": certificate.key, **keys})
    configuration["tcp echo"]["listen"] += " ssl"
    return configuration


def serve(stage, workers=2, **keys):
    """(application, port, gateway)"""
    application, port = stage.application(), stage.port()
    return application, port, stage.gateway(listener(stage, port, application.port, **keys),
                                            workers=workers)


def client(stage, version=None, **options):
    version = VERSIONS.get(version)
    return tls_context(stage.pki.authority(), minimum=version, maximum=version, **options)


def greet(sock):
    sock.sendall(b"hello\n")
    assert receive_exactly(sock, 6) == b"hello\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_echo_and_clean_end(stage, version):
    _, port, _ = serve(stage)
    data = b"".join(pattern(300_000))
    with tls_connect(port, client(stage, version), NAME) as sock:
        assert sock.version() == f"TLSv{version}"
        sock.sendall(data)
        assert receive_exactly(sock, len(data)) == data
        sock.unwrap()  # raises unless the other side's close_notify comes too
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "done"


@pytest.mark.parametrize("version", VERSIONS)
def test_half_close(stage, version):
    _, port, _ = serve(stage)
    with TlsStream(connect(port), client(stage, version), server_hostname=NAME) as stream:
        stream.handshake()
        stream.sendall(b"SINK\n" + b"".join(pattern(100_000)))
        stream.end_writing()
        assert receive_all(stream).startswith(b"100000 ")
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "done"


@pytest.mark.parametrize("program", ["openssl", "gnutls-cli", "curl"])
def test_other_clients(stage, program):
    require(program)
    _, port, _ = serve(stage)
    ca = stage.pki.authority().certificate
    if program == "openssl":
        words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", ca, "-quiet",
                 "-servername", NAME, "-verify_return_error", "-no_ign_eof"]
    elif program == "gnutls-cli":
        words = ["gnutls-cli", f"--x509cafile={ca}", f"--sni-hostname={NAME}",
                 f"--verify-hostname={NAME}", "-p", str(port), "127.0.0.1"]
    else:
        words = ["curl", "-sS", "--http0.9", "--cacert", ca, "--resolve", f"{NAME}:{port}:127.0.0.1",
                 "-m", "3", f"https://{NAME}:{port}/x"]
    child = stage.add(_Child(words))
    child.talk(b"hello there\n")
    wanted = b"GET /x" if program == "curl" else b"hello there"
    assert wanted in child.output


class _Child:
    def __init__(self, words):
        self.child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT)
        self.output = b""

    def talk(self, data):
        self.child.stdin.write(data)
        self.child.stdin.flush()
        while data.strip() not in self.output and b"GET /x" not in self.output:
            piece = self.child.stdout.read1(4096)
            if not piece:
                break
            self.output += piece

    def kill(self):
        self.child.kill()
        self.child.communicate()


def test_two_kinds_of_key(stage):
    rsa, ec = stage.pki.rsa_server(), stage.pki.server()
    application, port = stage.application(), stage.port()
    configuration = listener(stage, port, application.port)
    configuration["tcp echo"]["ssl_certificate"] = [ec.chain, rsa.chain]
    configuration["tcp echo"]["ssl_certificate_key"] = [ec.key, rsa.key]
    stage.gateway(configuration)
    for kind, cn in (("ECDSA", NAME), ("RSA", "rsa.example.com")):
        context = tls_context(stage.pki.authority(), maximum=V12)
        context.set_ciphers(f"ECDHE-{kind}-AES128-GCM-SHA256")
        context.check_hostname = False
        with tls_connect(port, context) as sock:
            assert dict(pair[0] for pair in sock.getpeercert()["subject"])["commonName"] == cn
            greet(sock)


def test_encrypted_key(stage):
    phrases = stage.folder / "phrases"
    phrases.write_text("wrong\nsesame\n")
    phrases.chmod(0o600)
    _, port, _ = serve(stage, ssl_password_file=phrases,
                       ssl_certificate_key=stage.pki.encrypted_key(stage.pki.server(), "sesame"))
    with tls_connect(port, client(stage), NAME) as sock:
        greet(sock)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("who", ["good", "none", "unknown CA", "server only", "expired"])
def test_client_certificates(stage, who, version):
    pki = stage.pki
    certificate = {
        "good": pki.client, "none": lambda: None,
        "unknown CA": lambda: pki.client(authority="Another CA"),
        "server only": pki.server,
        "expired": lambda: pki.issue(pki.authority(), "old", usage="clientAuth", valid_from=-9,
                                     valid_to=-5)}[who]()
    application, port, gateway = serve(stage, ssl_verify_client="on",
                                       ssl_client_certificate=pki.authority().certificate)
    context = client(stage, version, certificate=certificate)
    if who == "good":
        with tls_connect(port, context, NAME) as sock:
            greet(sock)
        return
    with pytest.raises(ssl.SSLError) as failure:
        with tls_connect(port, context, NAME) as sock:
            sock.recv(1)  # a 1.3 client hears of it here
    assert "ALERT" in failure.value.reason
    (line,) = wait_for_access_lines(stage.folder / "access.log", 1)
    assert line["end"] == "client_certificate" and line["status"] == "400"
    assert not application.events("accepted"), "the upstream is dialled after the handshake"
    gateway.wait_for_log("certificate")


def test_client_ca_names_are_sent_or_not(stage):
    require("openssl")
    for key, sent in (("ssl_client_certificate", True), ("ssl_trusted_certificate", False)):
        _, port, gateway = serve(stage, ssl_verify_client="on",
                                 **{key: stage.pki.authority().certificate})
        _, output = run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}"], stdin=b"")
        assert ("Acceptable client certificate CA names" in output) == sent
        gateway.stop()


@pytest.mark.parametrize("protocols, version, accepted", [
    ("TLSv1.3", "1.2", False), ("TLSv1.3", "1.3", True), ("TLSv1.2", "1.3", False),
    ("TLSv1.2", "1.2", True)])
def test_protocols(stage, protocols, version, accepted):
    _, port, _ = serve(stage, ssl_protocols=protocols)
    if accepted:
        with tls_connect(port, client(stage, version), NAME) as sock:
            greet(sock)
        return
    with pytest.raises(ssl.SSLError) as failure:
        tls_connect(port, client(stage, version), NAME)
    # GnuTLS may find that no suite is in common before it looks at versions.
    assert re.search("PROTOCOL_VERSION|HANDSHAKE_FAILURE", failure.value.reason)
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "client_handshake"


def test_ciphers(stage):
    _, port, _ = serve(stage, ssl_protocols="TLSv1.2", ssl_ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    with tls_connect(port, client(stage), NAME) as sock:
        assert sock.cipher()[0] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    context = client(stage, "1.2")
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with pytest.raises(ssl.SSLError) as failure:
        tls_connect(port, context, NAME)
    assert "HANDSHAKE_FAILURE" in failure.value.reason


@pytest.mark.parametrize("suite, taken", [("AES128-GCM-SHA256", True), ("AES256-GCM-SHA384", False)])
def test_suite_beyond_the_list_is_refused(stage, suite, taken):
    """GnuTLS can express this list only as a superset; the client offers nothing but the surplus."""
    _, port, gateway = serve(stage, ssl_protocols="TLSv1.2 TLSv1.3",
                             ssl_ciphers="ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384")
    context = client(stage, "1.2")
    context.set_ciphers(f"ECDHE-ECDSA-{suite}")
    if taken:
        with tls_connect(port, context, NAME) as sock:
            greet(sock)
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with tls_connect(port, context, NAME) as sock:
                greet(sock)
        gateway.wait_for_log("is not in ssl_ciphers")
    with tls_connect(port, client(stage, "1.3"), NAME) as sock:
        greet(sock)


def test_alpn(stage):
    _, port, gateway = serve(stage, ssl_alpn="imap pop3")
    for offer, chosen in ((["pop3", "imap"], "imap"), (["pop3"], "pop3"), (None, None)):
        with tls_connect(port, client(stage, alpn=offer), NAME) as sock:
            assert sock.selected_alpn_protocol() == chosen
            greet(sock)
            sock.unwrap()
    with pytest.raises(ssl.SSLError) as failure:
        with tls_connect(port, client(stage, alpn=["http/1.1"]), NAME) as sock:
            sock.recv(1)
    # Python knows no name for it: reason 1000 and the alert, 120.
    assert failure.value.reason is None or "APPLICATION_PROTOCOL" in failure.value.reason
    lines = wait_for_access_lines(stage.folder / "access.log", 4)
    ends = sorted(line["end"] for line in lines)  # two workers: in any order
    assert ends == ["client_handshake", "done", "done", "done"]
    gateway.wait_for_log("ssl_alpn")


def resumed(port, context, session, count=1):
    """How many of `count` connections that offer `session` are resumed, and the last session."""
    found = 0
    for _ in range(count):
        with tls_connect(port, context, NAME, session=session) as sock:
            greet(sock)
            found += sock.session_reused
            session = sock.session
    return found, session


@pytest.mark.parametrize("version", VERSIONS)
def test_resumption_over_workers_reloads_and_deaths(stage, version):
    _, port, gateway = serve(stage, workers=4)
    context = client(stage, version)
    _, session = resumed(port, context, None)
    found, session = resumed(port, context, session, 40)
    assert found == 40
    gateway.reload()
    found, session = resumed(port, context, session, 20)
    assert found == 20
    old = list(gateway.workers().values())
    for pid in old:
        run(["kill", "-9", str(pid)])
    gateway.wait_for_new_workers(old)
    assert resumed(port, context, session, 20)[0] == 20


@pytest.mark.parametrize("version", VERSIONS)
def test_tickets_off(stage, version):
    _, port, _ = serve(stage, ssl_session_tickets="off", ssl_session_cache="off")
    context = client(stage, version)
    _, session = resumed(port, context, None)
    assert resumed(port, context, session, 5)[0] == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_tickets_of_another_policy_are_unknown(stage, version):
    """A session of a listener that asks for no certificate opens nothing at one that does."""
    application, ports = stage.application(), stage.ports(2)
    strict = listener(stage, ports[1], application.port, ssl_verify_client="on",
                      ssl_client_certificate=stage.pki.authority().certificate)
    stage.gateway({**listener(stage, ports[0], application.port), "tcp strict": strict["tcp echo"]})
    context = client(stage, version, certificate=stage.pki.client())
    _, session = resumed(ports[0], context, None)
    assert resumed(ports[0], context, session)[0] == 1
    assert resumed(ports[1], context, session)[0] == 0
    bare = client(stage, version)
    _, session = resumed(ports[0], bare, None)
    with pytest.raises(ssl.SSLError):
        resumed(ports[1], bare, session)


def test_verified_clients_resume(stage):
    _, port, _ = serve(stage, workers=4, ssl_verify_client="on",
                       ssl_client_certificate=stage.pki.authority().certificate)
    context = client(stage, certificate=stage.pki.client())
    _, session = resumed(port, context, None)
    assert resumed(port, context, session, 20)[0] == 20


@pytest.mark.parametrize("version", VERSIONS)
def test_truncation_by_the_client(stage, version):
    """What arrived is delivered; the upstream sees a cut, not an end."""
    application, port, _ = serve(stage)
    sock = tls_connect(port, client(stage, version), NAME)
    greet(sock)
    sock.sendall(b"x" * 50_000)
    assert receive_exactly(sock, 50_000)
    socket.socket.shutdown(sock, socket.SHUT_WR)
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "client_truncated"
    wait_until(lambda: application.events("end"), "the upstream's end")
    (end,) = application.events("end")
    assert end["received"] == 50_006 and end["end"] == "reset"
    sock.close()


def test_truncation_by_the_upstream(stage):
    """TLS to TLS: a close without close_notify after all that arrived whole."""
    application = stage.application(certificate=stage.pki.server())
    port = stage.port()
    configuration = stage.tls_tunnel(port, application.port)
    configuration["tcp echo"] |= listener(stage, port, 1)["tcp echo"] | {
        "proxy_pass": f"127.0.0.1:{application.port}"}
    stage.gateway(configuration)
    with tls_connect(port, client(stage), NAME) as sock:
        sock.sendall(b"TAIL truncated\n")
        assert receive_exactly(sock, 100_000) == b"".join(pattern(100_000))
        assert is_cut(sock)


@pytest.mark.parametrize("version", VERSIONS)
def test_unreachable_upstream_is_an_internal_error(stage, version):
    port = stage.port()
    stage.gateway(listener(stage, port, stage.port()))
    with tls_connect(port, client(stage, version), NAME) as sock:
        with pytest.raises(ssl.SSLError) as failure:
            sock.recv(1)
    assert "INTERNAL_ERROR" in failure.value.reason


def test_clear_text_to_tls(stage):
    application, port, _ = serve(stage)
    with connect(port) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        how_it_ends(sock)
    (line,) = wait_for_access_lines(stage.folder / "access.log", 1)
    assert line["end"] == "client_clear_text" and not application.events("accepted")


def test_options_of_listen(stage):
    """so_keepalive shows on the accepted socket; freebind takes an address this host does not have."""
    require("ss")
    application, port = stage.application(), stage.port()
    configuration = stage.tunnel(port, application.port)
    configuration["tcp echo"]["listen"] = [
        f"127.0.0.1:{port} so_keepalive=30:5:3 backlog=100", f"192.0.2.5:{port} freebind"]
    stage.gateway(configuration)
    with connect(port) as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        _, output = run(["ss", "-tnoH", "sport", "=", f":{port}"])
        assert "timer:(keepalive" in output, output
    _, output = run(["ss", "-ltnH", "sport", "=", f":{port}"])
    assert "192.0.2.5" in output and re.search(r"LISTEN +0 +100 +127", output), output


def test_handshake_timeout(stage):
    _, port, _ = serve(stage, ssl_handshake_timeout="500ms")
    with connect(port) as sock:
        assert how_it_ends(sock)[0] == b""
    with connect(port) as sock:
        sock.sendall(b"\x16\x03\x01\x01\x00")  # the whole handshake is limited, not each byte
        how_it_ends(sock)
    lines = wait_for_access_lines(stage.folder / "access.log", 2)
    assert {line["end"] for line in lines} == {"client_handshake_timeout"}


def test_rubbish_for_a_handshake(stage):
    _, port, _ = serve(stage)
    for rubbish in (b"\x16\x03\x01\x00\x05hello", b"\x15\x03\x03\x00\x02\x02\x28", b"\x80\x2e\x01\x00\x02",
                    b"\x16\x03\x01\xff\xff" + bytes(70_000)):
        with connect(port) as sock:
            try:
                sock.sendall(rubbish)
                sock.shutdown(socket.SHUT_WR)
                how_it_ends(sock)
            except OSError:
                pass  # refused before all of it was sent
    lines = wait_for_access_lines(stage.folder / "access.log", 4)
    assert {line["end"] for line in lines} <= {"client_handshake", "client_clear_text", "client_protocol",
                                               "client_reset"}
    with tls_connect(port, client(stage), NAME) as sock:
        greet(sock)


def test_many_at_once(stage):
    _, port, _ = serve(stage, workers=2)
    context = client(stage)

    def one(target):
        with tls_connect(target, context, NAME) as sock:
            greet(sock)
            sock.unwrap()
    exchange_many(port, 100, 20, one)
    lines = wait_for_access_lines(stage.folder / "access.log", 100)
    assert {line["end"] for line in lines} == {"done"}
