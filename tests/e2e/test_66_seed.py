# SPDX-License-Identifier: BSD-2-Clause
"""The guide's example, etc/seed.ini, whole: with our own servers, with nginx's in their place, and with nginx in ours."""

import re
import shutil
import subprocess

import pytest

from support.processes import IS_ROOT, run
from support.sealane import BINARY, ROOT, environment
from support.upstreams import Upstream, is_listening, require

PORTS = (8080, 8441, 8442, 8481, 8482, 12345, 12351, 12352, 12353)
NAMES = ("backend1.example.com", "backend2.example.com", "backend3.example.com")


class Nginx(Upstream):
    """`body` is what stands in http {}; {folder} is the test's."""

    def __init__(self, folder, body, port, name="nginx"):
        self.port = port
        path = folder / f"{name}.conf"
        user = "user root;" if IS_ROOT else ""
        path.write_text(f"""
daemon off; {user} worker_processes 2; pid {folder}/{name}.pid; error_log {folder}/{name}.error.log info;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/{name}.access.log; proxy_temp_path {folder}/{name}.tmp;
    client_body_temp_path {folder}/{name}.body; fastcgi_temp_path {folder}/{name}.f;
    uwsgi_temp_path {folder}/{name}.u; scgi_temp_path {folder}/{name}.s;
    {body}
}}
""")
        super().__init__(name, ["/usr/sbin/nginx", "-p", folder, "-c", path,
                                "-e", f"{folder}/{name}.error.log"], folder)


@pytest.fixture(name="seed")
def seed_fixture(stage):
    """(configuration text, {port of the example: port of this test}), with certificates beside it."""
    pki = stage.pki
    ca = pki.authority()
    server = pki.once("seed", lambda: pki.issue(ca, NAMES[0], [f"DNS:{name}" for name in NAMES]))
    client = pki.client()
    for name, source in (("ca.crt", ca.certificate), ("trusted_ca_cert.crt", ca.certificate),
                         ("server.crt", server.chain), ("server.key", server.key),
                         ("client.pem", client.chain), ("client.key", client.key),
                         ("backend.crt", client.chain), ("backend.key", client.key)):
        shutil.copy(source, stage.folder / name)
    own = dict(zip(PORTS, stage.ports(len(PORTS))))
    text = (ROOT / "etc" / "seed.ini").read_text()
    text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{own[int(found[1])]}", text)
    main = f"pid_file = {stage.folder}/sealane.pid\nerror_log = {stage.folder}/sealane.error.log info"
    if IS_ROOT:
        main += "\nuser = nobody nogroup"
    text = text.replace("pid_file = seed.pid\nerror_log = stderr notice", main)
    assert main in text
    return text, own


def without(text, *titles):
    """The configuration less these sections."""
    for title in titles:
        text, count = re.subn(rf"^\[{title}\].*?(?=^\[|\Z)", "", text, flags=re.DOTALL | re.MULTILINE)
        assert count == 1, title
    return text


def get(url, *options):
    status, output = run(["curl", "-s", "-S", "--max-time", "10", *options, url])
    assert status == 0, output
    return output


def test_own_servers(stage, seed):
    text, own = seed
    gateway = stage.gateway(text)
    answers = [get(f"http://127.0.0.1:{own[8080]}/upstream/a/b?c=d") for _ in range(16)]
    for number in (1, 2):
        mine = [answer for answer in answers if answer.startswith(f"application {number}: ")]
        assert mine
        assert all("GET /yourapp/a/b?c=d," in answer for answer in mine)
        assert all("client certificate SUCCESS " in answer for answer in mine)
        assert all("TLSv1.2" in answer for answer in mine)
    # Which worker the kernel gives a connection to is its own affair: one may have got all of them.
    for _ in range(200):
        if any("session r," in answer for answer in answers):
            break
        answers.append(get(f"http://127.0.0.1:{own[8080]}/upstream/a"))
    assert any("session r," in answer for answer in answers)
    # Not below /upstream, and a server of ours without a certificate.
    assert "404 Not Found" in get(f"http://127.0.0.1:{own[8080]}/other")
    assert "client certificate NONE" in get(
        f"https://backend1.example.com:{own[8441]}/yourapp/", "--cacert", stage.folder / "ca.crt",
        "--resolve", f"backend1.example.com:{own[8441]}:127.0.0.1")
    # The TCP example beside it.
    for _ in range(3):
        assert get(f"http://127.0.0.1:{own[12345]}/").startswith("application 1: GET /,")
    assert gateway.stop() == 0


def test_nginx_as_the_upstream_servers(stage, seed):
    require("nginx")
    text, own = seed
    servers = "".join(f"""
        server {{
            listen 127.0.0.1:{own[port]} ssl; server_name {name};
            ssl_certificate server.crt; ssl_certificate_key server.key;
            ssl_client_certificate ca.crt; ssl_verify_client on;
            ssl_session_cache shared:sessions:1m;
            location /yourapp {{ return 200 "{name} $host $request_uri $ssl_client_verify $ssl_session_reused\\n"; }}
        }}""" for port, name in ((8441, NAMES[0]), (8442, NAMES[1])))
    stage.add(Nginx(stage.folder, servers, own[8441])).wait_until_listening()
    gateway = stage.gateway(without(text, "http backend1", "location backend1 /yourapp",
                                    "http backend2", "location backend2 /yourapp"))
    answers = [get(f"http://127.0.0.1:{own[8080]}/upstream/x").split() for _ in range(16)]
    assert {answer[0] for answer in answers} == set(NAMES[:2])
    for name, host, uri, verify, _ in answers:
        assert (host, uri, verify) == (name, "/yourapp/x", "SUCCESS")
    assert any(answer[-1] == "r" for answer in answers)
    assert gateway.stop() == 0


def test_nginx_as_the_gateway(stage, seed):
    require("nginx")
    text, own = seed
    gateway = stage.gateway(without(text, "upstream backend.example.com", "http www",
                                    "location www /upstream"))
    stage.add(Nginx(stage.folder, f"""
        upstream backend.example.com {{
            server 127.0.0.1:{own[8441]};
            server 127.0.0.1:{own[8442]};
        }}
        server {{
            listen 127.0.0.1:{own[8080]}; server_name www.example.com;
            location /upstream {{
                proxy_pass https://backend.example.com/yourapp;
                proxy_ssl_certificate client.pem; proxy_ssl_certificate_key client.key;
                proxy_ssl_trusted_certificate trusted_ca_cert.crt;
                proxy_ssl_name backend1.example.com; proxy_ssl_server_name on;
                proxy_ssl_verify on; proxy_ssl_verify_depth 2; proxy_ssl_session_reuse on;
            }}
        }}""", own[8080])).wait_until_listening()
    answers = [get(f"http://127.0.0.1:{own[8080]}/upstream/x") for _ in range(16)]
    assert all("client certificate SUCCESS " in answer for answer in answers), answers
    assert all("GET /yourapp/x," in answer for answer in answers)
    assert any("session r," in answer for answer in answers)
    assert gateway.stop() == 0


def test_the_demo(stage):
    """As `make demo` runs it, on the ports of the example."""
    taken = [port for port in PORTS if is_listening(port)]
    if taken:
        pytest.skip(f"ports {taken} are taken")
    done = subprocess.run([ROOT / "etc/demo/run.sh", BINARY, stage.folder / "demo"], timeout=60, text=True,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEMO_ONCE": "1", **environment()},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout
    for pattern in (r"  GET /yourapp/hello, TLSv1\.2 \S+, client certificate SUCCESS CN=gateway",
                    r" \d+ x  worker \d+ to application 1, full handshake",
                    r" \d+ x  worker \d+ to application 2, session resumed",
                    r"127\.0\.0\.1:8441 +1 +[1-9]\d* +12\n",
                    r"127\.0\.0\.1:8442 +1 +[1-9]\d* +12\n",
                    r"up=127\.0\.0\.1:\d+ tls=TLSv1\.2 cipher=\S+ resumed"):
        assert re.search(pattern, done.stdout), done.stdout
    assert not any(is_listening(port) for port in PORTS)
