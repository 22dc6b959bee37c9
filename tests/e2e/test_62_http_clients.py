# SPDX-License-Identifier: BSD-2-Clause
"""Clients as they are in use: curl, wrk, ab, Python's http.client, Node's http, WebSockets by ws.

The uploads are of 200 MB, with SEALANE_TEST_GIB=1 in the environment of 1 GiB. More of big transfers is in
test_15_bulk.py."""

import http.client
import json
import os
import re
import shutil
import zlib

import pytest

from support.application import pattern, pattern_crc
from support.clients import connect
from support.http_answers import Conversation
from support.http_cases.request_case import get, head
from support.http_lanes import upstream_tls
from support.http_upstreams import SUPPORT, HttpApplication, WebSocketClient, WebSocketServer, npm_package
from support.memory_watch import MIB, MemoryWatch, assert_bounded
from support.processes import run
from support.sealane import IS_SANITIZED
from support.upstreams import require

IS_WHOLE = os.environ.get("SEALANE_TEST_GIB") == "1"
# curl keeps what --data-binary sends in memory, and has room for a little less than 1 GiB there.
BIG = (1 << 30) - 1024 if IS_WHOLE else 20_000_000 if IS_SANITIZED else 200_000_000


@pytest.fixture(name="served")
def served_fixture(stage):
    """(application, port, pid of the only worker)"""
    application = stage.upstream(HttpApplication, stage.pki)
    port = stage.port()
    gateway = stage.gateway({
        "http": {**upstream_tls(stage.pki), "client_max_body_size": "0",
                 "access_log": f"{stage.folder}/access.log combined"},
        "http site": {"listen": f"127.0.0.1:{port}", "proxy_pass": f"https://127.0.0.1:{application.port}"},
    }, workers=1)
    (pid,) = gateway.workers().values()
    return application, port, pid


@pytest.fixture(name="big", scope="module")
def big_fixture(tmp_path_factory):
    """Of BIG bytes; beside it one to warm up with."""
    folder = tmp_path_factory.mktemp("big")
    for name, size in (("big", BIG), ("warm-up", 16 * MIB)):
        with open(folder / name, "wb") as file:
            for piece in pattern(size):
                file.write(piece)
    yield folder / "big"
    shutil.rmtree(folder)


def curl(*words, timeout=120):
    require("curl")
    status, output = run(["curl", "-sS", *words], timeout=timeout)
    assert status == 0, f"curl {words}: {status}: {output[-500:]}"
    return output


@pytest.mark.parametrize("option, version", [("--http1.0", "1.1"), ("--http1.1", "1.1")])
def test_curl_versions(served, option, version):
    _, port, _ = served
    output = curl(option, "-w", "%{http_version} %{response_code}", f"http://127.0.0.1:{port}/x")
    assert output == f"GET /x\n{version} 200"


def test_curl_keeps_its_connection(served):
    application, port, _ = served
    url = f"http://127.0.0.1:{port}/"
    output = curl("-w", "%{num_connects} ", *(f"{url}{i}" for i in range(20)))
    assert [int(n) for n in re.findall(r"(\d) ", output)] == [1] + [0] * 19
    assert len(application.connections()) == 1


def test_curl_ranges_and_head(served, tmp_path):
    _, port, _ = served
    url = f"http://127.0.0.1:{port}/bytes/100000"
    curl("-r", "1000-1999", "-o", tmp_path / "part", url)
    assert (tmp_path / "part").read_bytes() == b"".join(pattern(100_000))[1000:2000]
    output = curl("-I", url)
    assert "200 OK" in output and "Content-Length: 100000" in output


@pytest.mark.parametrize("options, framing", [
    ([], "sized"), (["-H", "Transfer-Encoding: chunked"], "chunked"), (["-H", "Expect:"], "sized"),
    (["--http1.0"], "sized")])
def test_curl_uploads(served, big, options, framing):
    """--data-binary of a big file; curl expects 100-continue unless told otherwise."""
    _, port, pid = served
    url = f"http://127.0.0.1:{port}/upload"
    curl(*options, "--data-binary", f"@{big.parent}/warm-up", url)
    with MemoryWatch(pid) as watch:
        output = curl(*options, "--data-binary", f"@{big}", url)
    assert output == f"{BIG} {pattern_crc(BIG)} {framing}\n"
    assert_bounded(watch)


@pytest.mark.parametrize("options", [[], ["-H", "Connection: close"]], ids=["kept", "closed"])
def test_wrk(served, options):
    require("wrk")
    _, port, _ = served
    status, output = run(["wrk", "-t1", "-c16", "-d2s", *options, f"http://127.0.0.1:{port}/wrk"])
    assert status == 0 and "Socket errors" not in output and "Non-2xx" not in output, output
    assert float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]) > 50, output


@pytest.mark.parametrize("options", [["-k"], []], ids=["kept", "closed"])
def test_ab(served, options):
    """HTTP/1.0, with and without keep-alive."""
    require("ab")
    _, port, _ = served
    status, output = run(["ab", "-q", "-n", "1000", "-c", "10", *options, f"http://127.0.0.1:{port}/ab"])
    assert status == 0 and re.search(r"Complete requests:\s+1000\n", output), output
    assert re.search(r"Failed requests:\s+0\n", output) and "Non-2xx" not in output, output
    if options:
        assert re.search(r"Keep-Alive requests:\s+(9\d\d|1000)\n", output), output


def test_python_http_client(served):
    application, port, _ = served
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in range(10):
        connection.request("GET", f"/{number}")
        assert connection.getresponse().read() == f"GET /{number}\n".encode()
    connection.request("POST", "/", body=iter([b"hel", b"lo"]), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})
    assert connection.getresponse().read() == f"5 {zlib.crc32(b'hello')} chunked\n".encode()
    connection.request("HEAD", "/bytes/500")
    answer = connection.getresponse()
    assert answer.headers["Content-Length"] == "500" and answer.read() == b""
    connection.request("GET", "/drip/5")
    assert connection.getresponse().read() == b"".join(f"line {i}\n".encode() for i in range(5))
    connection.close()
    assert len(application.connections()) == 1


def test_node_http(stage, served):
    require("node")
    _, port, _ = served
    status, output = run(["node", SUPPORT / "node_client.js", port], timeout=60)
    assert status == 0, output
    result = json.loads(output.splitlines()[-1])
    assert not result["failures"] and result["right"] == 205, result


def test_websocket(stage):
    """Text, binary, big messages, a ping, and the close with its code, through a 101."""
    require("node")
    packages = npm_package("ws@8")
    server = stage.upstream(WebSocketServer, stage.pki, packages)
    port = stage.port()
    stage.gateway({"http chat": {"listen": f"127.0.0.1:{port}", **upstream_tls(stage.pki),
                                 "proxy_pass": f"https://127.0.0.1:{server.port}"}})
    client = stage.add(WebSocketClient(stage.folder, port, packages, 300))
    assert client.result() == {"echoes": 300, "pongs": 1, "code": 4001, "failure": None}
    server.wait_for(lambda: "closed 4001" in server.output, "hears of the close")


def test_upgrade_is_a_tunnel(served):
    """What follows a 101 goes both ways as it comes, and so do both ends."""
    _, port, _ = served
    with Conversation(port) as client:
        client.methods = ["GET"]
        client.send(get("Connection: upgrade", "Upgrade: echo"))
        (answer,), _ = client.wait(1)
        assert answer.status == 101 and answer.values("Upgrade") == [b"echo"]
        assert b"upgrade" in answer.values("Connection")[0].lower()
        for number in range(100):
            data = bytes([number]) * (number * 100 + 1)
            client.sock.sendall(data)
            echo = b""
            while len(echo) < len(data):
                echo += client.sock.recv(1 << 16)
            assert echo == data
        client.finish()
        assert client.sock.recv(1) == b""


def test_expect_is_asked_of_the_upstream(served):
    """100 comes from the upstream; the body is not sent before it."""
    _, port, _ = served
    with Conversation(port) as client:
        client.methods = ["POST"]
        client.send(head("POST /", "Expect: 100-continue", "Content-Length: 5"))
        client.wait(1, timeout=1)
        assert client.data.startswith(b"HTTP/1.1 100 ")
        client.send(b"hello")
        (answer,), _ = client.wait(1)
        assert answer.status == 200 and answer.interim == [100] and answer.body.startswith(b"5 ")


def test_many_clients_at_once(served):
    """200 connections open, each with its own answers."""
    _, port, _ = served
    socks = [Conversation(port, sock=connect(port)) for _ in range(200)]
    for round_ in range(3):
        for number, client in enumerate(socks):
            client.methods.append("GET")
            client.send(get(target=f"/{round_}/{number}"))
        for number, client in enumerate(socks):
            answers, _ = client.wait(round_ + 1)
            assert answers[-1].body == f"GET /{round_}/{number}\n".encode()
    for client in socks:
        client.close()
