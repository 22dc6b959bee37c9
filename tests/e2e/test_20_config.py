# SPDX-License-Identifier: BSD-2-Clause
"""Configuration through the binary: every fault with its place, statuses, -t -T -q -W and overlays."""

import json
import os
import re
import socket

import pytest

from support.clients import exchange
from support.sealane import EXIT_CONFIGURATION, EXIT_DONE, sealane, to_ini

GOOD = """\
[main]
workers = 1
{user}
pid_file = none.pid

[tcp echo]
listen = 127.0.0.1:{port}
proxy_pass = backend

[upstream backend]
server = 127.0.0.1:1
"""


@pytest.fixture(name="good")
def good_fixture(stage):
    return GOOD.format(port=stage.port(), user="user = nobody" if os.geteuid() == 0 else "")


def write(stage, text, name="sealane.ini"):
    path = stage.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def check(stage, text, *options, name="sealane.ini"):
    return sealane("-t", "-c", write(stage, text, name), *options)


def test_good_configuration(stage, good):
    status, output = check(stage, good)
    assert status == EXIT_DONE, output
    assert check(stage, good, "-q") == (EXIT_DONE, "")
    assert check(stage, good.replace("\n", "\r\n"))[0] == EXIT_DONE
    assert check(stage, "\ufeff" + good)[0] == EXIT_DONE
    assert check(stage, good.replace("workers = 1", "  workers=1   ; one\n# two"))[0] == EXIT_DONE


# What is put into the good file (after which line), and what the message about it says. The place is
# the line of the inserted text.
FAULTS = [
    ("listen = ", "proxy_tiemout = 5s", r"unknown key 'proxy_tiemout'.*\[tcp echo\].*'proxy_timeout'"),
    ("listen = ", "preconnect = 3", r"unknown key 'preconnect'"),
    ("listen = ", "proxy_protocol = v1", r"unknown key 'proxy_protocol'"),
    ("listen = ", "proxy_timeout = 5", r"unit|5s"),
    ("listen = ", "proxy_timeout = 5 parsecs", r"proxy_timeout|parsecs"),
    ("listen = ", "proxy_timeout = -5s", r"-5s"),
    ("listen = ", "proxy_half_close = maybe", r"'?maybe'?.*on.*off|on.*off.*maybe"),
    ("listen = ", "proxy_buffer_size = 16q", r"16q"),
    ("listen = ", "proxy_timeout = 5s;", r"quote it|';'"),
    ("listen = ", "proxy_timeout 5s", r"'proxy_timeout = "),
    ("listen = ", "proxy_timeout = 5s\nproxy_timeout = 6s", r"proxy_timeout.*(:8|line 8)"),
    ("listen = ", "listen = 127.0.0.1:99999", r"99999"),
    ("listen = ", "listen = 127.0.0.1:{free} shiny", r"shiny"),
    ("listen = ", "listen = 127.0.0.1:{free} ssl", r"ssl_certificate"),
    ("listen = ", "proxy_ssl = on\nproxy_ssl_certificate = client.pem", r"proxy_ssl_certificate_key|client\.pem"),
    ("listen = ", "proxy_ssl = on\nproxy_ssl_protocols = TLSv1.4", r"TLSv1\.4"),
    ("listen = ", "proxy_ssl = on\nproxy_ssl_protocols = TLSv1.1 TLSv1.3", r"gap|TLSv1\.2"),
    ("listen = ", "proxy_ssl = on\nproxy_ssl_ciphers = HIGHT", r"HIGHT"),
    ("listen = ", "proxy_ssl = on\nproxy_ssl_ciphers = HIGH:!HIGH", r"proxy_ssl_ciphers|no (cipher )?suite|nothing"),
    ("listen = ", "proxy_ssl = on\nproxy_ssl_priority = NORMAL:+WONDER", r"WONDER|priority"),
    ("listen = ", "proxy_ssl = on\nproxy_ssl_ciphers = HIGH\nproxy_ssl_priority = NORMAL", r"proxy_ssl_priority"),
    ("listen = ", "proxy_ssl = on\nproxy_ssl_trusted_certificate = none.pem", r"none\.pem.*No such file"),
    ("listen = ", "proxy_ssl_crl = a.pem", r"unknown key 'proxy_ssl_crl'"),
    ("listen = ", "proxy_ssl_verify = report", r"report"),
    ("listen = ", "proxy_tls = nobody", r"nobody"),
    ("listen = ", "access_log = a.log json", r"json"),
    ("server = ", "balance = least_conn", r"least_conn.*round_robin|round_robin"),
    ("server = ", "server = 127.0.0.1:2 wieght=2", r"wieght.*weight"),
    ("server = ", "server = 127.0.0.1:2 weight=0", r"weight"),
    ("server = ", "server = 127.0.0.1", r"port"),
    ("server = ", "server = 127.0.0.1:0", r"127\.0\.0\.1:0|port"),
    ("server = ", "proxy_bind = elsewhere", r"elsewhere"),
    ("server = ", "queue = 4", r"unknown key 'queue'"),
    ("server = ", "[upstream backend]\nserver = 127.0.0.1:2", r"\[upstream backend\].*(:\d+|line \d+)"),
    ("server = ", "[upsteram other]\nserver = 127.0.0.1:2", r"upsteram.*upstream"),
    ("server = ", "[http]\nlisten = 80", r"\[?http\]?"),
    ("server = ", "[upstream empty]", r"server"),
    ("server = ", "[tcp]\nlisten = 127.0.0.1:{free}", r"listen"),
    ("server = ", "[tcp lonely]\nproxy_pass = backend", r"listen"),
    ("server = ", "[tcp lost]\nlisten = 127.0.0.1:{free}", r"proxy_pass"),
    ("server = ", "[tcp lost]\nlisten = 127.0.0.1:{free}\nproxy_pass = nowhere", r"nowhere"),
    ("server = ", "[tcp twin]\nlisten = 127.0.0.1:{port}\nproxy_pass = backend", r"{port}.*:\d+"),
    ("server = ", "[open", r"\]"),
    ("workers = ", "worker_connections = lots", r"lots"),
    ("workers = ", "worker_conections = 10", r"'worker_connections'"),
    ("workers = ", "resolver = 127.0.0.1", r"unknown key 'resolver'"),
    ("workers = ", "tls_keys = worker", r"unknown key 'tls_keys'"),
    ("workers = ", "error_log = syslog:server=127.0.0.1 info", r"syslog"),
    ("workers = ", "error_log = stderr loud", r"loud"),
    ("workers = ", "daemon = on\nerror_log = stderr info", r"daemon|stderr"),
    ("workers = ", "include = missing.ini", r"missing\.ini"),
    ("workers = ", "max_generations = 0", r"max_generations"),
    ("workers = ", "resolve_at_start = perhaps", r"perhaps"),
]


@pytest.mark.parametrize("after, fault, message", FAULTS, ids=[f.split("\n")[-1][:40] for _, f, _ in FAULTS])
def test_fault(stage, good, after, fault, message):
    port = re.search(r"listen = .*:(\d+)", good)[1]
    names = {"{free}": str(stage.port()), "{port}": port}
    for name, value in names.items():
        fault, message = fault.replace(name, value), message.replace(name, value)
    lines = good.split("\n")
    place = next(i for i, line in enumerate(lines) if line.startswith(after)) + 1
    lines[place:place] = fault.split("\n")
    path = write(stage, "\n".join(lines))
    status, output = sealane("-t", "-c", path)
    assert status == EXIT_CONFIGURATION, output
    about = [line for line in output.splitlines() if re.search(message, line)]
    assert about, output
    assert re.search(r"sealane\.ini:\d+: ", about[0]), output
    # A start says the same and binds nothing.
    status, again = sealane("-c", path)
    assert status == EXIT_CONFIGURATION and about[0] in again


def test_all_faults_at_once(stage, good):
    faults = "\n".join(f"wrong_{i} = 1" for i in range(25))
    status, output = check(stage, good.replace("workers = 1", faults))
    assert status == EXIT_CONFIGURATION
    assert [int(n) for n in re.findall(r"sealane\.ini:(\d+): unknown key", output)] == list(range(2, 22))
    assert re.search(r"\b5 more|more.*\b5\b", output), "the rest is counted"


def test_place_is_the_line(stage, good):
    _, output = check(stage, good.replace("proxy_pass", "\n\nproxy_passs"))
    line = good.split("\n").index("proxy_pass = backend") + 3
    assert f"sealane.ini:{line}: unknown key 'proxy_passs'" in output


LONG = "x" * 300


def test_traps_of_the_ini_reader(stage, good):
    """Lines over 200 bytes, section names over 50, indented lines, ':' for '=', long values."""
    status, output = check(stage, good.replace("backend", LONG[:120]))
    assert status == EXIT_DONE, output
    status, output = check(stage, good + f"proxy_ssl_name = {LONG}.{LONG}\n")
    assert status in (EXIT_DONE, EXIT_CONFIGURATION) and "unknown" not in output
    status, output = check(stage, good.replace("proxy_pass = ", "   proxy_pass = "))
    assert status == EXIT_DONE, output
    status, output = check(stage, good.replace("proxy_pass = ", "proxy_pass: "))
    assert status == EXIT_CONFIGURATION and "proxy_pass" in output
    status, output = check(stage, good + "# " + "c" * 70_000 + "\n")
    assert "sealane.ini:" in output or status == EXIT_DONE
    status, output = check(stage, good.replace("server = ", "server = \0"))
    assert status == EXIT_CONFIGURATION, output


def test_include(stage, good):
    main, rest = good.split("[tcp echo]")
    write(stage, "[tcp echo]" + rest, "conf.d/10-echo.ini")
    for leftover in ("10-echo.ini~", "20.ini.bak", "30.ini.dpkg-old", "40.ini.rpmsave", ".50.ini"):
        write(stage, "rubbish\n", f"conf.d/{leftover}")
    main = main.replace("workers = 1", "workers = 1\ninclude = conf.d/*")
    assert check(stage, main)[0] == EXIT_DONE
    write(stage, "[tcp other]\nlisten = 1\nproxy_passs = backend\n", "conf.d/05-other.ini")
    status, output = check(stage, main)
    assert status == EXIT_CONFIGURATION and "conf.d/05-other.ini:3: unknown key" in output
    status, output = check(stage, good.replace("workers = 1", "include = nothing.d/*.ini"))
    assert status == EXIT_DONE, output


def test_prefix(stage, good):
    write(stage, good.split("[tcp echo]")[0].replace("workers = 1", "include = a.ini"), "main/s.ini")
    write(stage, "[tcp echo]" + good.split("[tcp echo]")[1], "elsewhere/a.ini")
    main = stage.folder / "main/s.ini"
    assert sealane("-t", "-c", main)[0] == EXIT_CONFIGURATION
    assert sealane("-t", "-c", main, "-p", stage.folder / "elsewhere")[0] == EXIT_DONE


def test_overlay(stage, good):
    """What Ansible's validate: needs."""
    main = write(stage, good.replace("workers = 1", "include = conf.d/*.ini"))
    (stage.folder / "conf.d").mkdir()
    new = write(stage, "[upstream more]\nserver = 127.0.0.1:1\nwrong = 1\n", "tmp/new.ini")
    path = stage.folder / "conf.d/20-more.ini"
    status, output = sealane("-t", "-c", main, "--overlay", f"{path}={new}")
    assert status == EXIT_CONFIGURATION and "20-more.ini:3: unknown key 'wrong'" in output
    assert "new.ini" not in output
    assert sealane("-t", "-c", main)[0] == EXIT_DONE
    status, output = sealane("-t", "-c", main, "--overlay", f"{stage.folder}/other.ini={new}")
    assert status != EXIT_DONE and "include" in output
    broken = write(stage, "wrong", "conf.d/30.ini")
    assert sealane("-t", "-c", main)[0] == EXIT_CONFIGURATION
    assert sealane("-t", "-c", main, "--overlay", f"{broken}=")[0] == EXIT_DONE


def test_dump_tells_values_and_origins(stage, good):
    path = write(stage, good.replace("[tcp echo]", "[tcp]\nproxy_timeout = 7m\n\n[tcp echo]"))
    status, output = sealane("-T", "-c", path)
    assert status == EXIT_DONE
    line = good.split("\n").index("[tcp echo]") + 2
    echo = output.split("[tcp echo]")[1]
    assert re.search(rf"proxy_timeout\s+= 7m\s.*sealane\.ini:{line}\b", echo), output
    assert re.search(r"proxy_connect_timeout\s+= 5s\s.*default", output), output


def test_dump_hides_secrets_and_shows_ciphers(stage, good):
    phrases = write(stage, "sesame-phrase\n", "phrases")
    phrases.chmod(0o600)
    client = stage.pki.client()
    key = stage.pki.encrypted_key(client, "sesame-phrase")
    path = write(stage, good + to_ini({"tls ours": {
        "proxy_ssl_certificate": client.chain, "proxy_ssl_certificate_key": key,
        "proxy_ssl_password_file": phrases, "proxy_ssl_ciphers": "HIGH:!aNULL:!MD5",
        "proxy_ssl_trusted_certificate": stage.pki.authority().certificate}}))
    path.write_text(path.read_text().replace(
        "proxy_pass = backend", "proxy_pass = backend\nproxy_ssl = on\nproxy_tls = ours"))
    status, output = sealane("-T", "-c", path)
    assert status == EXIT_DONE, output
    assert "sesame" not in output.replace(str(key), "")
    assert "HIGH:!aNULL:!MD5" in output and "AES-256-GCM" in output


def test_notices_and_warnings(stage, good):
    text = good.replace("proxy_pass = backend", "proxy_pass = backend\nproxy_ssl = on\n"
                        "proxy_ssl_protocols = TLSv1 TLSv1.1 TLSv1.2\nproxy_ssl_verify = off\n"
                        "proxy_ssl_ciphers = DEFAULT:@SECLEVEL=0")
    status, output = check(stage, text)
    assert status == EXIT_DONE
    assert re.search(r"notice: .*sealane\.ini:\d+: .*TLSv1", output), output
    assert re.search(r"sealane\.ini:\d+: .*proxy_ssl_verify", output), output
    assert re.search(r"sealane\.ini:\d+: .*SECLEVEL", output), output
    status, output = check(stage, good + "[tls unused]\nproxy_ssl_verify = on\n")
    assert status == EXIT_DONE and re.search(r"warning: .*unused", output), output
    status, output = check(stage, good + "[tls unused]\nproxy_ssl_verify = on\n", "-W")
    assert status == EXIT_CONFIGURATION


def test_name_that_does_not_resolve_is_a_warning(stage, good):
    text = good.replace("127.0.0.1:1", "no-such-host.invalid:1")
    status, output = check(stage, text)
    assert status == EXIT_DONE
    assert re.search(r"warning: .*sealane\.ini:\d+: .*no-such-host\.invalid", output), output


def test_faults_as_json(stage, good):
    status, output = check(stage, good.replace("workers", "wrokers"), "--format=json")
    assert status == EXIT_CONFIGURATION
    found = json.loads(output) if output.lstrip().startswith("[") else [
        json.loads(line) for line in output.splitlines()]
    text = json.dumps(found)
    assert "wrokers" in text and '"line": 2' in text and "sealane.ini" in text


def test_test_run_binds_and_writes_nothing(stage, good):
    port = int(re.search(r"listen = .*:(\d+)", good)[1])
    with socket.create_server(("127.0.0.1", port)):
        assert check(stage, good)[0] == EXIT_DONE
    assert sorted(path.name for path in stage.folder.iterdir()) == ["sealane.ini"]


@pytest.mark.root
def test_missing_user_prints_the_command(stage, good):
    status, output = check(stage, good.replace("user = nobody", "user = no-such-user"))
    assert status == EXIT_CONFIGURATION and "useradd" in output and "sealane.ini:3" in output
    status, output = check(stage, good.replace("user = nobody", "user = root"))
    assert status == EXIT_DONE and re.search(r"warning: .*root", output), output


def test_taking_back_and_profiles(stage):
    """[tls NAME] by [tcp], taken back by `none`; the upstream then sees no certificate."""
    application = stage.application(
        certificate=stage.pki.server(),
        options=["--client-ca", str(stage.pki.authority().certificate)])
    with_certificate, without = stage.ports(2)
    client, authority = stage.pki.client(), stage.pki.authority()
    stage.gateway({
        "tls ours": {"proxy_ssl_certificate": client.chain, "proxy_ssl_certificate_key": client.key,
                     "proxy_ssl_trusted_certificate": authority.certificate},
        "tcp": {"proxy_ssl": "on", "proxy_tls": "ours"},
        "tcp a": {"listen": f"127.0.0.1:{with_certificate}",
                  "proxy_pass": f"127.0.0.1:{application.port}"},
        "tcp b": {"listen": f"127.0.0.1:{without}", "proxy_ssl_certificate": "none",
                  "proxy_pass": f"127.0.0.1:{application.port}"}})
    exchange(with_certificate)
    exchange(without)
    assert [event["client"] for event in application.events("handshake")] == ["gateway", None]
