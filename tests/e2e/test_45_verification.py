# SPDX-License-Identifier: BSD-2-Clause
"""The verification matrix: each shape of an upstream's certificate, its close and its log reason.

Where the certificate is refused the server's application reads not one byte: it says so itself.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.clients import exchange, try_to_talk
from support.processes import wait_until
from support.sealane import wait_for_access_lines

NAME = "backend1.example.com"
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
LAX = ("--ciphers", "ALL:@SECLEVEL=0")


def server(pki, **keys):
    options = {"names": [f"DNS:{NAME}", "IP:127.0.0.1"], **keys}
    return pki.issue(pki.authority(), NAME, **options)


@dataclass
class Row:
    certificate: object  # of a Pki
    end: str = "upstream_verify"
    reason: str = ""
    keys: dict = field(default_factory=dict)
    options: object = ()  # of the server; of a Pki if callable
    only: str = None  # the one version it is about


GOOD = {
    "good": Row(lambda pki: pki.server()),
    "ip san": Row(lambda pki: pki.server(), keys={"proxy_ssl_name": "127.0.0.1"}),
    "name of the server line": Row(lambda pki: pki.server(), keys={"proxy_ssl_name": None}),
    "wildcard": Row(lambda pki: server(pki, names=["DNS:*.example.com"])),
    "other case, trailing dot": Row(lambda pki: pki.server(),
                                    keys={"proxy_ssl_name": "BackEnd1.Example.com."}),
    "no EKU": Row(lambda pki: server(pki, usage=None)),
    "exactly at the depth": Row(lambda pki: pki.server(depth=2),
                                keys={"proxy_ssl_verify_depth": 2}),
    "at the default depth": Row(lambda pki: pki.server(depth=4)),
    "depth 0": Row(lambda pki: pki.server(), keys={"proxy_ssl_verify_depth": 0}),
    "RSA": Row(lambda pki: pki.rsa_server(), keys={"proxy_ssl_name": "rsa.example.com"}),
    "expired, verify off": Row(lambda pki: server(pki, valid_from=-9, valid_to=-5),
                               keys={"proxy_ssl_verify": "off"}),
    "1024-bit RSA at level 1": Row(lambda pki: pki.rsa_server(1024), options=LAX, keys={
        "proxy_ssl_name": "rsa.example.com", "proxy_ssl_ciphers": "DEFAULT:@SECLEVEL=1"}),
    "SHA-1 at level 1": Row(lambda pki: server(pki, digest="sha1"), options=LAX,
                            keys={"proxy_ssl_ciphers": "DEFAULT:@SECLEVEL=1"}),
}


def self_signed(pki):
    return pki.issue(None, NAME, [f"DNS:{NAME}"])


def weak_dh(pki):
    return ["--dh", str(pki.dh_parameters(1024)), "--ciphers",
            "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"]


BAD = {
    "expired": Row(lambda pki: server(pki, valid_from=-9, valid_to=-5),
                   reason=r"expired on \d{4}-\d\d-\d\d"),
    "not yet valid": Row(lambda pki: server(pki, valid_from=3), reason=r"not (yet )?valid.*\d{4}-\d\d-\d\d"),
    "wrong name": Row(lambda pki: pki.server(), reason=r"name.*other\.example\.com|other\.example\.com",
                      keys={"proxy_ssl_name": "other.example.com"}),
    "wildcard of two labels": Row(lambda pki: server(pki, names=["DNS:*.com"]), reason="name"),
    "wrong IP": Row(lambda pki: server(pki, names=["IP:127.0.0.2"]), reason=r"127\.0\.0\.1",
                    keys={"proxy_ssl_name": "127.0.0.1"}),
    "IP as DNS name": Row(lambda pki: server(pki, names=["DNS:127.0.0.1"]), reason=r"127\.0\.0\.1",
                          keys={"proxy_ssl_name": "127.0.0.1"}),
    "CN without SAN": Row(lambda pki: server(pki, names=[]), reason="name|SAN|subjectAltName"),
    "CN with another SAN": Row(lambda pki: server(pki, names=["DNS:x.example.com"]), reason="name"),
    "unknown CA": Row(lambda pki: pki.server(authority="Another CA"),
                      reason="unknown|not trusted|no trusted"),
    "same CA name, other key": Row(
        lambda pki: pki.issue(pki.once("impostor", lambda: pki.issue(None, "Test CA", is_ca=True)),
                              NAME, [f"DNS:{NAME}"]), reason="unknown|not trusted|signature|no trusted"),
    "self-signed": Row(self_signed, reason="self-signed"),
    "deeper than the depth": Row(lambda pki: pki.server(depth=3), keys={"proxy_ssl_verify_depth": 2},
                                 reason=r"proxy_ssl_verify_depth.*\b3\b"),
    "deeper than 0": Row(lambda pki: pki.server(depth=1), keys={"proxy_ssl_verify_depth": 0},
                         reason=r"proxy_ssl_verify_depth.*\b1\b"),
    "deeper than the default": Row(lambda pki: pki.server(depth=5), reason=r"proxy_ssl_verify_depth.*\b5\b"),
    "missing intermediate": Row(lambda pki: pki.server(depth=2).without_intermediates(),
                                reason="issuer|intermediate|unknown"),
    "EKU of clients only": Row(lambda pki: server(pki, usage="clientAuth"),
                               reason="purpose|server|usage"),
    "a leaf that signed": Row(
        lambda pki: pki.issue(pki.server("leaf.example.com"), NAME, [f"DNS:{NAME}"]),
        reason="CA|issuer|authority|unknown"),
    "1024-bit RSA": Row(lambda pki: pki.rsa_server(1024), options=LAX, reason="1024|weak|level",
                        keys={"proxy_ssl_name": "rsa.example.com"}),
    "SHA-1 signature": Row(lambda pki: server(pki, digest="sha1"), options=LAX,
                           reason="SHA-?1|weak|insecure"),
    "1024-bit DH": Row(lambda pki: pki.rsa_server(), options=weak_dh, only="1.2",
                       end="upstream_handshake", reason="DH|[Dd]iffie|prime|level|weak|secur",
                       keys={"proxy_ssl_name": "rsa.example.com",
                             "proxy_ssl_ciphers": "DHE-RSA-AES128-GCM-SHA256"}),
}

VERSIONS = ["1.2", "1.3"]


def serve(stage, row, version):
    """(the server, port of a gateway before it)"""
    port = stage.port()
    fixed = version.replace(".", "_")
    options = row.options(stage.pki) if callable(row.options) else row.options
    application = stage.application(certificate=row.certificate(stage.pki), options=[
        "--min", f"TLSv{fixed}", "--max", f"TLSv{fixed}", *options])
    keys = {"proxy_ssl_name": NAME, **row.keys}
    if keys["proxy_ssl_name"] is None:
        del keys["proxy_ssl_name"]
    configuration = stage.tls_tunnel(port, application.port, **keys)
    if "proxy_ssl_name" not in keys:
        configuration["tcp echo"]["proxy_ssl_name"] = None
    return application, port, stage.gateway(configuration, workers=1)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", GOOD)
def test_accepted(stage, name, version):
    application, port, gateway = serve(stage, GOOD[name], version)
    exchange(port)
    exchange(port)
    lines = wait_for_access_lines(stage.folder / "access.log", 2)
    assert {line["end"] for line in lines} == {"done"}
    assert not re.search(r"\berror\b", gateway.error_log), gateway.error_log
    assert [h.resumed for h in application.handshakes()] == [False, True]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", BAD)
def test_refused(stage, name, version):
    row = BAD[name]
    if row.only not in (None, version):
        pytest.skip(f"TLS {row.only} alone has this")
    application, port, gateway = serve(stage, row, version)
    assert try_to_talk(port, b"a secret that must not get out") == (b"", "reset")
    (line,) = wait_for_access_lines(stage.folder / "access.log", 1)
    assert line["end"] == row.end and line["status"] == "502"
    text = gateway.wait_for_log(rf"127\.0\.0\.1:{application.port}.*({row.reason})")
    assert "error" in text
    if row.end == "upstream_verify":
        assert "certificate verification failed" in text
        assert re.search(r"CN=", text), "names the certificate"
    wait_until(lambda: application.events("refused") or application.events("end"), "its end")
    assert not application.events("handshake") or version == "1.3"
    assert sum(event["received"] for event in application.events("end")) == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_client_certificate_demanded_and_none_configured(stage, version):
    port, fixed = stage.port(), version.replace(".", "_")
    application = stage.application(certificate=stage.pki.server(), client_ca=stage.pki.authority(),
                                    options=["--min", f"TLSv{fixed}", "--max", f"TLSv{fixed}"])
    gateway = stage.gateway(stage.tls_tunnel(port, application.port, client=None), workers=1)
    assert try_to_talk(port, b"a secret that must not get out") == (b"", "reset")
    (line,) = wait_for_access_lines(stage.folder / "access.log", 1)
    assert line["end"] == "upstream_refused_us" if version == "1.3" else line["end"] in (
        "upstream_refused_us", "upstream_handshake")
    gateway.wait_for_log(r"proxy_ssl_certificate" if version == "1.2" else "certificate required")
    wait_until(lambda: application.events("refused"), "the refusal")
    assert not application.events("end") and not application.events("handshake")


@pytest.mark.parametrize("version", VERSIONS)
def test_client_certificate_of_an_unknown_ca(stage, version):
    port, fixed = stage.port(), version.replace(".", "_")
    application = stage.application(certificate=stage.pki.server(), client_ca=stage.pki.authority(),
                                    options=["--min", f"TLSv{fixed}", "--max", f"TLSv{fixed}"])
    gateway = stage.gateway(stage.tls_tunnel(
        port, application.port, client=stage.pki.client(authority="Another CA")), workers=1)
    assert try_to_talk(port, b"a secret that must not get out") == (b"", "reset")
    (line,) = wait_for_access_lines(stage.folder / "access.log", 1)
    assert line["end"] == "upstream_refused_us"
    gateway.wait_for_log(r"[Uu]nknown (CA|ca)|unknown_ca|CA is unknown")
    wait_until(lambda: application.events("refused"), "the refusal")


def test_failure_is_not_remembered_as_a_session(stage):
    """After a refused handshake the next is full again, and refused again."""
    application, port, _ = serve(stage, BAD["wrong name"], "1.3")
    for _ in range(5):
        assert try_to_talk(port) == (b"", "reset")
    lines = wait_for_access_lines(stage.folder / "access.log", 5)
    assert {line["end"] for line in lines} == {"upstream_verify"}
    assert not [h for h in application.handshakes() if h.resumed]


def test_system_trust_does_not_know_us(stage):
    application, port = stage.application(certificate=stage.pki.server()), stage.port()
    configuration = stage.tls_tunnel(port, application.port, client=None,
                                     proxy_ssl_trusted_certificate="system")
    stage.gateway(configuration)
    assert try_to_talk(port) == (b"", "reset")
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "upstream_verify"


@pytest.mark.root
@pytest.mark.parametrize("depth", [0, 2])
def test_system_trust_knows_whom_the_system_trusts(stage, depth):
    """Which is the default. The bundle of the host has the test's CA, for the gateway alone."""
    if os.system("unshare -m true 2>/dev/null") != 0:
        pytest.skip("needs mount namespaces")
    bundle = stage.folder / "bundle.pem"
    bundle.write_text(Path(SYSTEM_BUNDLE).read_text() + stage.pki.authority().certificate.read_text())
    application = stage.application(certificate=stage.pki.server(depth=depth))
    port = stage.port()
    stage.gateway(
        stage.tls_tunnel(port, application.port, client=None, proxy_ssl_trusted_certificate=None,
                         proxy_ssl_verify_depth=depth),
        prefix=["unshare", "-m", "sh", "-c", f'mount --bind {bundle} {SYSTEM_BUNDLE} && exec "$0" "$@"'])
    exchange(port)


def test_system_trust_and_a_file(stage):
    application, port = stage.application(certificate=stage.pki.server()), stage.port()
    stage.gateway(stage.tls_tunnel(port, application.port, client=None, proxy_ssl_trusted_certificate=(
        f"system {stage.pki.authority().certificate}")))
    exchange(port)
