# SPDX-License-Identifier: BSD-2-Clause
"""Certificate and key files that are missing, unreadable, locked, mismatched, expired or no PEM at
all: told apart, with the line that names them."""

import os
import re

import pytest

from support.clients import exchange
from support.sealane import EXIT_CONFIGURATION, EXIT_DONE, sealane, to_ini


def client_files(stage, **keys):
    client = stage.pki.client()
    files = {"proxy_ssl_certificate": client.chain, "proxy_ssl_certificate_key": client.key,
             "proxy_ssl_trusted_certificate": stage.pki.authority().certificate}
    return stage.complete(stage.tunnel(stage.port(), 1, proxy_ssl="on", **{**files, **keys}))


def check(stage, configuration, *options):
    path = stage.folder / "check.ini"
    path.write_text(to_ini(configuration))
    return sealane("-t", "-c", path, *options)


def line_of(stage, key):
    lines = (stage.folder / "check.ini").read_text().split("\n")
    return next(i for i, line in enumerate(lines, 1) if line.startswith(f"{key} = "))


def assert_fault(stage, configuration, key, message):
    status, output = check(stage, configuration)
    assert status == EXIT_CONFIGURATION, output
    assert re.search(rf"check\.ini:{line_of(stage, key)}: .*({message})", output), output


def test_good_files(stage):
    status, output = check(stage, client_files(stage))
    assert status == EXIT_DONE and "error" not in output, output


@pytest.mark.parametrize("key", ["proxy_ssl_certificate", "proxy_ssl_certificate_key",
                                 "proxy_ssl_trusted_certificate"])
def test_missing(stage, key):
    assert_fault(stage, client_files(stage, **{key: "missing.pem"}), key,
                 r"missing\.pem.*No such file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_unreadable(stage):
    path = stage.folder / "locked.key"
    path.write_text("x")
    path.chmod(0)
    assert_fault(stage, client_files(stage, proxy_ssl_certificate_key=path),
                 "proxy_ssl_certificate_key", "Permission denied")


def test_folder_for_file(stage):
    assert_fault(stage, client_files(stage, proxy_ssl_certificate=stage.folder),
                 "proxy_ssl_certificate", "directory")


@pytest.mark.parametrize("content", ["", "no PEM at all\n", "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                     "-----END CERTIFICATE-----\n"])
@pytest.mark.parametrize("key", ["proxy_ssl_certificate", "proxy_ssl_certificate_key",
                                 "proxy_ssl_trusted_certificate"])
def test_no_pem(stage, key, content):
    path = stage.folder / "rubbish.pem"
    path.write_text(content)
    path.chmod(0o600)
    assert_fault(stage, client_files(stage, **{key: path}), key, r"rubbish\.pem")


def test_key_of_another(stage):
    assert_fault(stage, client_files(stage, proxy_ssl_certificate_key=stage.pki.server().key),
                 "proxy_ssl_certificate_key", "match|belong")


def test_encrypted_without_phrase(stage):
    key = stage.pki.encrypted_key(stage.pki.client(), "sesame")
    assert_fault(stage, client_files(stage, proxy_ssl_certificate_key=key),
                 "proxy_ssl_certificate_key", "encrypted.*password.file")


def test_encrypted_with_wrong_phrase(stage):
    phrases = stage.folder / "phrases"
    phrases.write_text("open\nplease\n")
    phrases.chmod(0o600)
    key = stage.pki.encrypted_key(stage.pki.client(), "sesame")
    status, output = check(stage, client_files(stage, proxy_ssl_certificate_key=key,
                                               proxy_ssl_password_file=phrases))
    assert status == EXIT_CONFIGURATION
    assert re.search(r"pass.?(phrase|word)", output) and "please" not in output


def test_encrypted_with_second_phrase(stage):
    phrases = stage.folder / "phrases"
    phrases.write_text("open\nsesame\n")
    phrases.chmod(0o600)
    application = stage.application(certificate=stage.pki.server(), client_ca=stage.pki.authority())
    port = stage.port()
    stage.gateway(stage.tls_tunnel(
        port, application.port, proxy_ssl_password_file=phrases,
        proxy_ssl_certificate_key=stage.pki.encrypted_key(stage.pki.client(), "sesame")))
    exchange(port)
    assert application.events("handshake")[0]["client"] == "gateway"


def test_expired_and_expiring(stage):
    pki = stage.pki
    expired = pki.issue(pki.authority(), "old", usage="clientAuth", valid_from=-20, valid_to=-10)
    status, output = check(stage, client_files(stage, proxy_ssl_certificate=expired.chain,
                                               proxy_ssl_certificate_key=expired.key))
    assert re.search(r"check\.ini:\d+: .*expired", output), output
    assert status in (EXIT_DONE, EXIT_CONFIGURATION)


def test_listener_key_of_another(stage):
    port = stage.port()
    configuration = stage.complete(stage.tunnel(
        port, 1, ssl_certificate=stage.pki.server().chain, ssl_certificate_key=stage.pki.client().key))
    configuration["tcp echo"]["listen"] += " ssl"
    assert_fault(stage, configuration, "ssl_certificate_key", "match|belong")


def test_open_key_file_is_warned_about(stage):
    client = stage.pki.client()
    key = stage.folder / "open.key"
    key.write_text(client.key.read_text())
    key.chmod(0o644)
    status, output = check(stage, client_files(stage, proxy_ssl_certificate_key=key))
    assert status == EXIT_DONE and re.search(r"warning: .*open\.key", output), output
