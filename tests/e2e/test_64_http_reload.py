# SPDX-License-Identifier: BSD-2-Clause
"""Reload under HTTP: nothing is lost in 200 of them, and what drains says so."""

import re
import signal
import time

import pytest

from support.clients import HttpLoad, Load
from support.http_answers import Conversation
from support.http_cases.request_case import get
from support.http_lanes import upstream_tls
from support.http_upstreams import HttpApplication, WebSocketClient, WebSocketServer, npm_package
from support.processes import Process, wait_until
from support.sealane import IS_SANITIZED
from support.upstreams import require

ROUNDS = 200 if not IS_SANITIZED else 30


def site(stage, port, target, **keys):
    return {"http": upstream_tls(stage.pki),
            "http site": {"listen": f"127.0.0.1:{port}", "proxy_pass": f"https://127.0.0.1:{target}", **keys}}


@pytest.fixture(name="served")
def served_fixture(stage):
    """(gateway, its configuration, port)"""
    application, port = stage.upstream(HttpApplication, stage.pki), stage.port()
    configuration = stage.complete(site(stage, port, application.port))
    return stage.gateway(configuration), configuration, port


def reload_often(gateway, configuration, rounds):
    """With another number of workers now and then."""
    for number in range(1, rounds + 1):
        workers = (2, 3, 1)[number // 5 % 3]
        configuration["main"]["workers"] = workers
        old = gateway.workers().values()
        gateway.write(configuration)
        gateway.signal(signal.SIGHUP)
        gateway.wait_for_new_workers(old, workers)


def test_200_hups_under_load(stage):
    """Kept and new connections, POSTs, long downloads, tunnels, TCP transfers, and wrk, all at once."""
    require("wrk")
    application, echo = stage.upstream(HttpApplication, stage.pki), stage.application()
    port, tcp = stage.port(), stage.port()
    configuration = stage.complete({**site(stage, port, application.port), **stage.tunnel(tcp, echo.port)},
                                   max_generations=250)
    gateway = stage.gateway(configuration)
    load = stage.add(HttpLoad(stage.folder, port)).wait_until_running()
    tcp_load = stage.add(Load(stage.folder, tcp, connections=2, transfers=2)).wait_until_running()
    wrk = stage.add(Process("wrk", ["wrk", "-t1", "-c8", f"-d{ROUNDS // 10 + 2}s", f"http://127.0.0.1:{port}/wrk"],
                            stage.folder))
    reload_often(gateway, configuration, ROUNDS)
    result, tcp_result = load.finish(), tcp_load.finish()
    assert not result["failures"], (len(result["failures"]), result["failures"][:5])
    assert not tcp_result["failures"], tcp_result["failures"][:5]
    assert result["requests"] > ROUNDS and result["echoes"] > ROUNDS and result["downloads"] >= 4
    assert result["closes"], "draining workers said Connection: close"
    assert wrk.wait(60) == 0
    assert "Non-2xx" not in wrk.output and "Socket errors" not in wrk.output, wrk.output
    gateway.wait_until_drained()


def test_websockets_outlive_reloads(stage):
    require("node")
    packages = npm_package("ws@8")
    server, port = stage.upstream(WebSocketServer, stage.pki, packages), stage.port()
    configuration = stage.complete(site(stage, port, server.port), max_generations=50)
    gateway = stage.gateway(configuration)
    clients = [stage.add(WebSocketClient(stage.folder, port, packages, 150, 4, name=f"client{n}")) for n in range(3)]
    time.sleep(0.7)
    reload_often(gateway, configuration, 15)
    for client in clients:
        assert client.result() == {"echoes": 150, "pongs": 1, "code": 4001, "failure": None}


def test_a_kept_connection_is_told(served):
    """The next answer on it is its last: it says so, and the connection ends."""
    gateway, configuration, port = served
    with Conversation(port) as client:
        assert not client.ask(get()).says_close
        gateway.reload(configuration)
        time.sleep(0.3)  # it is not closed at once: a request could be on its way
        answer = client.ask(get(target="/last"))
        assert answer.body == b"GET /last\n" and answer.says_close
        client.wait(3, to_end=True)
        assert client.end == "fin"
    gateway.wait_until_drained(timeout=3)


def test_a_kept_connection_without_a_request_ends(served):
    gateway, configuration, port = served
    with Conversation(port) as client:
        client.ask(get())
        gateway.reload(configuration)
        started = time.monotonic()
        client.wait(2, to_end=True, timeout=10)
        assert client.end == "fin" and 1 < time.monotonic() - started < 9
    gateway.wait_until_drained(timeout=3)


def test_an_answer_goes_on(served):
    gateway, configuration, port = served
    with Conversation(port) as client:
        client.methods = ["GET"]
        client.send(get(target="/drip/15"))
        client.wait(1, timeout=0.4)
        gateway.reload(configuration)
        (answer,), _ = client.wait(1)
        assert answer.complete and answer.body.count(b"\n") == 15


def test_requests_in_a_pipeline_are_answered_up_to_the_last_word(served):
    """Those behind an answer that says close are not carried out: a client can send them again."""
    gateway, configuration, port = served
    with Conversation(port) as client:
        client.methods = ["GET"] * 3
        client.send(get(target="/drip/15") + get(target="/2") + get(target="/3"))
        client.wait(1, timeout=0.2)
        gateway.reload(configuration)
        answers, rest = client.wait(3, to_end=True)
        assert not rest and all(answer.complete for answer in answers)
        assert answers[-1].says_close and client.end == "fin"
        assert not any(answer.says_close for answer in answers[:-1])


def test_worker_shutdown_timeout_cuts_visibly(stage):
    application, port = stage.upstream(HttpApplication, stage.pki), stage.port()
    configuration = stage.complete(site(stage, port, application.port), worker_shutdown_timeout="1s")
    gateway = stage.gateway(configuration)
    with Conversation(port) as client:
        client.methods = ["GET"]
        client.send(get(target="/drip/100"))
        client.wait(1, timeout=0.3)
        gateway.reload(configuration)
        (answer,), _ = client.wait(1, to_end=True, timeout=6)
        assert client.end == "reset" and not answer.complete and answer.body.count(b"\n") < 50
    gateway.wait_until_drained(timeout=3)
    gateway.wait_for_log("1 connections are cut: outlived worker_shutdown_timeout")


def test_tunnels_end_by_shutdown_timeout(stage):
    application, port = stage.upstream(HttpApplication, stage.pki), stage.port()
    configuration = stage.complete(site(stage, port, application.port, shutdown_timeout="1s"))
    gateway = stage.gateway(configuration)
    with Conversation(port) as client:
        client.methods = ["GET"]
        client.send(get("Connection: upgrade", "Upgrade: echo"))
        client.wait(1)
        gateway.reload(configuration)
        client.sock.sendall(b"still there")
        wait_until(lambda: client.wait(2, timeout=0.2)[0][0].body == b"still there", "an echo", timeout=1)
        client.wait(2, to_end=True, timeout=5)
        assert client.end == "reset"
    gateway.wait_until_drained(timeout=3)
    gateway.wait_for_log("1 connections are cut: outlived shutdown_timeout")


def test_new_settings_serve_new_requests(served):
    gateway, configuration, port = served
    for number in range(5):
        with Conversation(port) as under_way:  # the old workers stay for it
            under_way.methods = ["GET"]
            under_way.send(get(target="/drip/100"))
            under_way.wait(1, timeout=0.2)
            configuration["location site /new"] = {"return": f'200 "{number}"'}
            gateway.reload(configuration)
            for _ in range(20):
                with Conversation(port) as client:
                    assert client.ask(get(target="/new")).body == str(number).encode()
            assert gateway.draining()


def test_a_refused_reload_changes_nothing(served):
    gateway, configuration, port = served
    with Conversation(port) as client:
        client.ask(get())
        gateway.write({**configuration, "http site": {"listen": "nonsense"}})
        assert gateway.command("reload")[0] == 4
        assert not client.ask(get(target="/2")).says_close


def test_a_killed_worker_takes_only_its_own_along(stage):
    application, port = stage.upstream(HttpApplication, stage.pki), stage.port()
    gateway = stage.gateway(site(stage, port, application.port), workers=2)
    load = stage.add(HttpLoad(stage.folder, port, kept=10, new=4, long=2, tunnels=4)).wait_until_running()
    time.sleep(0.5)
    victim, other = gateway.workers()[0], gateway.workers()[1]
    killed = time.time()
    Process("kill", ["kill", "-9", victim], stage.folder).wait()
    gateway.wait_for_new_workers([victim], 2)
    time.sleep(1.5)
    failures = load.finish()["failures"]
    assert gateway.workers()[1] == other
    assert all(moment < killed + 1 for _, _, moment in failures), failures
    assert not re.search(r"\[crit\]", gateway.error_log)
