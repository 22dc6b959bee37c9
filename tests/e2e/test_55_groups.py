# SPDX-License-Identifier: BSD-2-Clause
"""Groups: turns by weight, failures that all workers know of, backups, names, source addresses."""

import os
import re
import signal
import socket
import time

import pytest

from support.clients import connect, exchange, exchange_many, receive_exactly, try_to_talk
from support.processes import wait_until
from support.sealane import (EXIT_CONFIGURATION, EXIT_RELOAD_REFUSED, access_lines, sealane, to_ini,
                             wait_for_access_lines)


def group(stage, servers, tcp=None, tls=False, **keys):
    """(port, configuration) of a tunnel to a group of these server lines."""
    port = stage.port()
    make = stage.tls_tunnel if tls else stage.tunnel
    configuration = make(port, "pool", **(tcp or {}))
    configuration["upstream pool"] = {"server": servers, **keys}
    return port, configuration


def applications(stage, count, **options):
    return [stage.application(name=f"app{number}", **options) for number in range(count)]


def at(application, *parameters):
    return " ".join([f"127.0.0.1:{application.port}", *parameters])


def visits(application):
    return len(application.events("accepted"))


def tried(stage):
    """What each connection tried, by the access log: a list of ports for each line."""
    return [[int(port) for port in re.findall(r":(\d+)", line["up"])]
            for line in access_lines(stage.folder / "access.log")]


@pytest.mark.parametrize("weights, shares", [((1, 1), (20, 20)), ((3, 1), (30, 10)),
                                             ((1, 2, 5), (5, 10, 25))])
def test_turns_by_weight_over_all_workers(stage, weights, shares):
    apps = applications(stage, len(weights))
    port, configuration = group(stage, [at(app, f"weight={w}") for app, w in zip(apps, weights)])
    stage.gateway(configuration, workers=4)
    exchange_many(port, 40)
    assert tuple(map(visits, apps)) == shares


def test_weights_are_smooth(stage):
    heavy, light = applications(stage, 2)
    port, configuration = group(stage, [at(heavy, "weight=5"), at(light)])
    stage.gateway(configuration, workers=1)
    exchange_many(port, 12)
    order = [ports[0] for ports in tried(stage)]
    places = [number for number, one in enumerate(order) if one == light.port]
    assert len(places) == 2 and places[1] - places[0] == 6, order


def test_failover_and_shared_max_fails(stage):
    (app,) = applications(stage, 1)
    dead = stage.port()
    port, configuration = group(stage, [f"127.0.0.1:{dead} max_fails=3 fail_timeout=60s", at(app)])
    gateway = stage.gateway(configuration, workers=4)
    exchange_many(port, 60)
    wait_for_access_lines(stage.folder / "access.log", 60)
    assert sum(dead in ports for ports in tried(stage)) == 3, "counted together by all workers"
    assert all(ports[-1] == app.port for ports in tried(stage))
    gateway.wait_for_log(rf"upstream pool: 127\.0\.0\.1:{dead}: .*refused")
    assert {line["end"] for line in access_lines(stage.folder / "access.log")} == {"done"}


def test_server_comes_back_after_fail_timeout(stage):
    first, second = stage.application(name="first"), stage.application(name="second")
    port, configuration = group(stage, [at(first, "fail_timeout=1s"), at(second)])
    gateway = stage.gateway(configuration)
    exchange_many(port, 4)
    first.kill()
    exchange_many(port, 10)
    again = stage.application(name="again", port=first.port)
    wait_until(lambda: exchange(port) or visits(again), "is tried again", timeout=8)
    gateway.wait_for_log(f"server 127.0.0.1:{first.port} .* is back")
    before = visits(again)
    exchange_many(port, 10)
    wait_until(lambda: visits(again) - before == 5, "has its turns again")


def test_max_fails_0_never_goes_out(stage):
    (app,) = applications(stage, 1)
    dead = stage.port()
    port, configuration = group(stage, [f"127.0.0.1:{dead} max_fails=0", at(app)])
    stage.gateway(configuration)
    exchange_many(port, 20)
    wait_for_access_lines(stage.folder / "access.log", 20)
    assert sum(dead in ports for ports in tried(stage)) >= 10


def test_backup_and_down(stage):
    main, backup, down = applications(stage, 3)
    port, configuration = group(stage, [at(main, "fail_timeout=60s"), at(backup, "backup"),
                                        at(down, "down")])
    stage.gateway(configuration)
    exchange_many(port, 10)
    assert [visits(app) for app in (main, backup, down)] == [10, 0, 0]
    main.kill()
    exchange_many(port, 10)
    assert [visits(app) for app in (backup, down)] == [10, 0]
    wait_for_access_lines(stage.folder / "access.log", 20)
    assert sum(len(ports) == 2 for ports in tried(stage)) == 1


def test_only_server_never_goes_out(stage):
    own = stage.port()
    port, configuration = group(stage, [f"127.0.0.1:{own} fail_timeout=60s"])
    stage.gateway(configuration)
    for _ in range(5):
        assert try_to_talk(port) == (b"", "reset")
    stage.application(port=own)
    exchange_many(port, 5)


def test_all_out_are_tried_once_more(stage):
    dead = stage.ports(2)
    port, configuration = group(stage, [f"127.0.0.1:{one} fail_timeout=60s" for one in dead])
    stage.gateway(configuration)
    for _ in range(6):
        assert try_to_talk(port) == (b"", "reset")
    wait_for_access_lines(stage.folder / "access.log", 6)
    assert all(set(ports) == set(dead) for ports in tried(stage)), tried(stage)
    application = stage.application(port=dead[0])
    exchange_many(port, 5)
    assert visits(application) >= 5


@pytest.mark.parametrize("keys, most", [({"proxy_next_upstream": "off"}, 1),
                                        ({"proxy_next_upstream_tries": 2}, 2), ({}, 4)])
def test_next_upstream_limits(stage, keys, most):
    dead = stage.ports(4)
    port, configuration = group(stage, [f"127.0.0.1:{one} max_fails=0" for one in dead], tcp=keys)
    stage.gateway(configuration)
    assert try_to_talk(port) == (b"", "reset")
    wait_for_access_lines(stage.folder / "access.log", 1)
    assert [len(ports) for ports in tried(stage)] == [most]


def test_next_upstream_timeout(stage):
    def silent_server():
        sock = socket.create_server(("127.0.0.1", 0))
        stage.add(_Closing(sock))
        return sock.getsockname()[1]
    hanging = [silent_server() for _ in range(4)]
    port, configuration = group(
        stage, [f"127.0.0.1:{one} max_fails=0" for one in hanging], tls=True,
        tcp={"proxy_connect_timeout": "600ms", "proxy_next_upstream_timeout": "1s"})
    stage.gateway(configuration)
    started = time.monotonic()
    assert try_to_talk(port) == (b"", "reset")
    assert time.monotonic() - started < 2.2
    wait_for_access_lines(stage.folder / "access.log", 1)
    assert [len(ports) for ports in tried(stage)] == [2]


class _Closing:
    def __init__(self, sock):
        self.stop = sock.close


def test_verification_failure_is_a_failed_attempt(stage):
    good = stage.application(name="good", certificate=stage.pki.server())
    bad = stage.application(name="bad", certificate=stage.pki.server("other.example.com", "Another CA"))
    port, configuration = group(stage, [at(bad, "fail_timeout=60s"), at(good)], tls=True)
    stage.gateway(configuration)
    exchange_many(port, 10)
    assert len(good.handshakes()) == 10 and visits(bad) == 1


def test_late_refusal_moves_on_while_nothing_was_sent(stage):
    """TLS 1.3: the server judges our certificate after our handshake is done."""
    picky = stage.application(name="picky", certificate=stage.pki.server(),
                              client_ca=stage.pki.authority("Another CA"))
    good = stage.application(name="good", certificate=stage.pki.server(),
                             options=["--greeting", "welcome\n"])
    port, configuration = group(stage, [at(picky, "max_fails=0"), at(good)], tls=True)
    gateway = stage.gateway(configuration)
    for _ in range(4):
        with connect(port) as sock:
            assert receive_exactly(sock, 8) == b"welcome\n"
    assert visits(picky) >= 2 and len(good.handshakes()) == 4
    gateway.wait_for_log(rf"127\.0\.0\.1:{picky.port}: .*([Uu]nknown|certificate)")


def test_name_per_server(stage):
    one = stage.application(name="one", certificate=stage.pki.server("one.example.com"))
    two = stage.application(name="two", certificate=stage.pki.server("two.example.com"))
    port, configuration = group(stage, [at(one, "name=one.example.com"), at(two, "name=two.example.com")],
                                tls=True)
    configuration["tcp echo"]["proxy_ssl_name"] = None
    stage.gateway(configuration)
    exchange_many(port, 10)
    assert {e["sni"] for e in one.events("handshake")} == {"one.example.com"}
    assert {e["sni"] for e in two.events("handshake")} == {"two.example.com"}


def test_several_addresses_of_a_name(stage):
    found = {info[4][0] for info in socket.getaddrinfo("localhost", 1, type=socket.SOCK_STREAM)}
    if found != {"127.0.0.1", "::1"}:
        pytest.skip(f"localhost is {found} here")
    four = stage.application(name="four")
    six = stage.application(name="six", port=four.port, host="::1")
    port, configuration = group(stage, [f"localhost:{four.port}"])
    stage.gateway(configuration)
    exchange_many(port, 10)
    assert (visits(four), visits(six)) == (5, 5)


def test_name_that_does_not_resolve(stage):
    (app,) = applications(stage, 1)
    port, configuration = group(stage, ["no-such-host.invalid:1", at(app)])
    gateway = stage.gateway(configuration)
    exchange_many(port, 6)
    assert visits(app) == 6
    assert re.search(r"warn.*no-such-host\.invalid", gateway.output + gateway.error_log)

    configuration = stage.complete(configuration, resolve_at_start="required")
    path = stage.folder / "required.ini"
    path.write_text(to_ini(configuration))
    status, output = sealane("-t", "-c", path)
    assert status == EXIT_CONFIGURATION
    assert re.search(r"required\.ini:\d+: .*no-such-host\.invalid", output), output
    gateway.write(configuration)
    assert gateway.command("reload")[0] == EXIT_RELOAD_REFUSED
    exchange(port)


def test_nothing_but_names_that_do_not_resolve(stage):
    port, configuration = group(stage, ["no-such-host.invalid:1"])
    stage.gateway(configuration)
    assert try_to_talk(port) == (b"", "reset")
    (line,) = wait_for_access_lines(stage.folder / "access.log", 1)
    assert (line["end"], line["status"], line["up"]) == ("no_upstream", "502", "-")


def gateway_with_hosts(stage, configuration, text, name="sealane"):
    """(gateway, file): it has an /etc/hosts of its own."""
    if os.system("unshare -m true 2>/dev/null") != 0:
        pytest.skip("needs mount namespaces")
    hosts = stage.folder / "hosts"
    hosts.write_text(text)
    return stage.gateway(configuration, name=name, prefix=[
        "unshare", "-m", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$0" "$@"']), hosts


@pytest.mark.root
def test_name_that_resolves_no_more(stage):
    """A name server that is out of order at a reload takes nothing along that works."""
    old, new = applications(stage, 2)
    port, configuration = group(stage, [f"lost-host.invalid:{old.port}"])
    gateway, hosts = gateway_with_hosts(stage, configuration, "127.0.0.1 lost-host.invalid\n")
    exchange(port)
    hosts.write_text("127.0.0.1 localhost\n")
    status, output = gateway.command("reload")
    assert status == 0 and "'lost-host.invalid' does not resolve" in output
    assert "it keeps the addresses it had" in output
    exchange_many(port, 6)
    assert visits(old) == 7
    # Again, and of a configuration where that is not allowed; then one with another server.
    assert gateway.command("reload")[0] == 0
    exchange(port)
    gateway.write(stage.complete(configuration, resolve_at_start="required"))
    assert gateway.command("reload")[0] == EXIT_RELOAD_REFUSED
    exchange(port)
    with open(hosts, "a", encoding="ascii") as file:
        file.write("127.0.0.2 lost-host.invalid\n")
    wait_until(lambda: not _answered(port), "it has another address, where nobody listens", timeout=30)
    configuration["upstream pool"]["server"] = [at(new)]
    gateway.write(stage.complete(configuration))
    assert gateway.command("reload")[0] == 0
    exchange(port)
    assert visits(new) == 1


@pytest.mark.root
def test_name_that_resolves_later(stage):
    """Looked up again every 10 s, by a child of the master; also one that a reload brought."""
    (app,) = applications(stage, 1)
    ports = []
    for name, first in (("started", f"late-host.invalid:{app.port}"), ("reloaded", at(app))):
        port, configuration = group(stage, [first])
        gateway, hosts = gateway_with_hosts(stage, configuration, "127.0.0.1 localhost\n", name)
        if name == "reloaded":
            configuration["upstream pool"]["server"] = f"late-host.invalid:{app.port}"
            gateway.reload(stage.complete(configuration, name))
        assert try_to_talk(port) == (b"", "reset")
        ports.append(port)
    with open(hosts, "a") as file:
        file.write("127.0.0.1 late-host.invalid\n")
    for port in ports:
        wait_until(lambda port=port: _answered(port), "the name resolves", timeout=30, interval=0.3)


def _answered(port):
    try:
        exchange(port)
        return True
    except (AssertionError, OSError):
        return False


def test_proxy_bind(stage):
    (app,) = applications(stage, 1)
    port, configuration = group(stage, [at(app)], proxy_bind=["127.0.0.2", "127.0.0.3"])
    stage.gateway(configuration, workers=1)
    exchange_many(port, 10)
    sources = [event["host"] for event in app.events("accepted")]
    assert sources.count("127.0.0.2") == sources.count("127.0.0.3") == 5


def test_proxy_bind_to_an_address_of_others(stage):
    (app,) = applications(stage, 1)
    port, configuration = group(stage, [at(app)], proxy_bind="192.0.2.77")
    gateway = stage.gateway(configuration)
    assert try_to_talk(port) == (b"", "reset")
    assert wait_for_access_lines(stage.folder / "access.log", 1)[0]["end"] == "bind"
    gateway.wait_for_log("proxy_bind")


def test_failures_outlive_a_reload(stage):
    (app,) = applications(stage, 1)
    dead = stage.port()
    port, configuration = group(stage, [f"127.0.0.1:{dead} fail_timeout=60s", at(app)])
    gateway = stage.gateway(configuration)
    exchange_many(port, 6)
    old = gateway.workers().values()
    gateway.signal(signal.SIGHUP)
    gateway.wait_for_new_workers(old)
    exchange_many(port, 10)
    wait_for_access_lines(stage.folder / "access.log", 16)
    assert sum(dead in ports for ports in tried(stage)) == 1, "the server is unchanged, so it is still out"
