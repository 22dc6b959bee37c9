# SPDX-License-Identifier: BSD-2-Clause
"""Does anything work: the command line, a start from five keys, the processes, the stops."""

import os
import re
import signal
import socket
import stat

import pytest

from support.clients import connect, exchange, exchange_many, receive_exactly
from support.processes import descriptors, is_alive, stat_of, title, wait_until
from support.sealane import (EXIT_CONFIGURATION, EXIT_DONE, EXIT_NOT_RUNNING, EXIT_RELOAD_REFUSED,
                             EXIT_RUN_TIME, EXIT_USAGE, IS_SANITIZED, access_lines, sealane,
                             wait_for_access_lines)


def test_version_and_help():
    status, output = sealane("-v")
    assert status == EXIT_DONE and output.startswith("sealane ")
    status, output = sealane("-V")
    assert status == EXIT_DONE and "GnuTLS" in output and "session" in output
    status, output = sealane("-h")
    assert status == EXIT_DONE and "-t" in output and "--overlay" in output


@pytest.mark.parametrize("words", [["-x"], ["-c"], ["-s", "dance"], ["stray"], ["--overlay", "x"]])
def test_wrong_usage(words):
    status, output = sealane(*words)
    assert status == EXIT_USAGE and output


def test_missing_configuration(stage):
    status, output = sealane("-c", stage.folder / "none.ini")
    assert status == EXIT_CONFIGURATION
    assert "none.ini" in output and "No such file" in output


def test_five_keys_are_a_gateway(stage):
    application, port = stage.application(), stage.port()
    user = "user = nobody nogroup\n" if os.geteuid() == 0 else ""
    gateway = stage.gateway(f"[main]\nworkers = 1\npid_file = sealane.pid\n{user}"
                            f"[tcp echo]\nlisten = 127.0.0.1:{port}\n"
                            f"proxy_pass = 127.0.0.1:{application.port}\n")
    exchange(port)
    exchange(port, b"y" * 1_000_000)
    assert gateway.stop() == 0
    assert not gateway.pid_path.exists(), "the pid file is removed at exit"


def test_processes_are_named_and_counted(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port), workers=3)
    assert title(gateway.pid) == "sealane: master"
    assert sorted(gateway.workers()) in ([0, 1, 2], [1, 2, 3])
    assert int(gateway.pid_path.read_text()) == gateway.pid
    # One socket for each worker, all held by the master.
    sockets = [word for word in gateway.descriptors().values() if word.startswith("socket:")]
    listening = [line for line in open("/proc/net/tcp") if f":{port:04X} 00000000:0000 0A" in line]
    assert len(listening) == 3
    assert {f"socket:[{line.split()[9]}]" for line in listening} <= set(sockets)


@pytest.mark.root
def test_workers_give_up_everything(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    for pid in gateway.workers().values():
        status = dict(line.split(":\t", 1) for line in
                      open(f"/proc/{pid}/status").read().splitlines() if ":\t" in line)
        assert set(status["Uid"].split()) == {"65534"}
        assert set(status["Gid"].split()) == {"65534"}
        assert status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert status["Groups"].split() in ([], ["65534"])
        limits = open(f"/proc/{pid}/limits").read()
        assert IS_SANITIZED or [line.split()[4] for line in limits.splitlines() if "core file" in line] == ["0"]


def test_workers_hold_only_what_they_need(stage):
    """Nothing of the master's (its control socket, its pid file, other workers' control sockets)."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    for pid in gateway.workers().values():
        targets = descriptors(pid).values()
        assert not [target for target in targets if target.endswith(".pid")]
        sockets = [target for target in targets if target.startswith("socket:")]
        assert len(sockets) <= 2 + 1 + 2, f"two listeners, control (and log): {sockets}"


def test_worker_affinity(stage):
    application, port = stage.application(), stage.port()
    count = len(os.sched_getaffinity(0))
    gateway = stage.gateway(stage.tunnel(port, application.port), workers="auto",
                            worker_cpu_affinity="auto")
    wait_until(lambda: len(gateway.workers()) == count, "auto: one worker for each CPU")
    sets = [os.sched_getaffinity(pid) for pid in gateway.workers().values()]
    assert all(len(one) == 1 for one in sets) and len(set().union(*sets)) == count


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_fast_shutdown_cuts(stage, number):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    with connect(port) as sock:
        sock.sendall(b"hello")
        assert receive_exactly(sock, 5) == b"hello"
        workers = gateway.workers().values()
        assert gateway.stop(number) == 0
        with pytest.raises(ConnectionResetError):
            assert sock.recv(1) == b"reset"
    assert not [pid for pid in workers if is_alive(pid)]
    assert [line["end"] for line in access_lines(stage.folder / "access.log")] == ["fast_shutdown"]


@pytest.mark.parametrize("how", ["signal", "command"])
def test_graceful_shutdown_waits(stage, how):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    with connect(port) as sock:
        sock.sendall(b"hello")
        assert receive_exactly(sock, 5) == b"hello"
        if how == "signal":
            gateway.signal(signal.SIGQUIT)
        else:
            assert gateway.command("quit")[0] == EXIT_DONE
        gateway.wait_for(lambda: gateway.draining(), "drains")
        wait_until(lambda: _is_refused(port), "no new connection")
        sock.sendall(b"still here")
        assert receive_exactly(sock, 10) == b"still here"
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b""
    assert gateway.wait() == 0
    assert access_lines(stage.folder / "access.log")[-1]["end"] == "done"


def test_fast_shutdown_overtakes_a_graceful_one(stage):
    """Which goes on meanwhile, and reads no configuration any more."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    with connect(port) as sock:
        sock.sendall(b"hello")
        assert receive_exactly(sock, 5) == b"hello"
        gateway.signal(signal.SIGQUIT)
        gateway.wait_for(lambda: gateway.draining(), "drains")
        status, output = gateway.command("reload")
        assert status == EXIT_RELOAD_REFUSED and "is stopping" in output
        gateway.signal(signal.SIGQUIT)
        assert gateway.running and gateway.draining()
        assert gateway.stop() == 0
        with pytest.raises(ConnectionResetError):
            assert sock.recv(1) == b"reset"
    assert [line["end"] for line in access_lines(stage.folder / "access.log")] == ["fast_shutdown"]


def test_a_worker_that_hangs_does_not_keep_a_stop(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    pids = list(gateway.workers().values())
    os.kill(pids[0], signal.SIGSTOP)
    assert gateway.stop(timeout=9) == 0
    assert not [pid for pid in pids if is_alive(pid)]


@pytest.mark.root
def test_workers_that_keep_root_do_not_serve(stage):
    """No start without them: each ends before it accepts anybody."""
    port = stage.port()
    gateway = stage.gateway(stage.tunnel(port, 1), ready=False,
                            prefix=["setpriv", "--bounding-set=-setuid,-setgid"])
    assert gateway.wait() == EXIT_RUN_TIME
    assert "exited with status 77" in gateway.output and _is_refused(port)
    assert not gateway.pid_path.exists()


def test_other_signals_mean_nothing(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    workers = gateway.workers()
    for number in (signal.SIGUSR2, signal.SIGWINCH):
        gateway.signal(number)
        gateway.wait_for_log(f"{number.name} means nothing")
    # A terminal sends these to the whole group, and only the master's word counts for workers.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2,
                   signal.SIGWINCH):
        for pid in workers.values():
            os.kill(pid, number)
    exchange_many(port, 10)
    assert gateway.workers() == workers


def _is_refused(port):
    try:
        connect(port).close()
    except ConnectionRefusedError:
        return True
    return False


def test_command_stop_and_not_running(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    control = [path for path in stage.folder.iterdir() if stat.S_ISSOCK(path.stat().st_mode)]
    assert len(control) == 1 and stat.S_IMODE(control[0].stat().st_mode) == 0o600
    assert gateway.command("stop")[0] == EXIT_DONE
    assert gateway.wait() == 0
    assert not control[0].exists()
    status, output = gateway.command("reload")
    assert status == EXIT_NOT_RUNNING and "not running" in output


def test_signal_by_pid_option_with_broken_configuration(stage):
    """-s reads no more than pid_file, so that the running master is the one that refuses."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    gateway.write("[main\nthis is = broken\n")
    status, _ = sealane("-c", gateway.ini, "--pid", gateway.pid_path, "-s", "stop")
    assert status == EXIT_DONE
    assert gateway.wait() == 0


@pytest.mark.parametrize("word", ["reload", "stop"])
def test_order_by_a_configuration_that_is_not_there(stage, word):
    """A mistyped -c must not lead to the master of the default pid file."""
    status, output = sealane("-c", stage.folder / "no.ini", "-s", word)
    assert status == EXIT_CONFIGURATION
    assert re.search(rf"-s {word}: .*/no.ini cannot be read: No such file.*--pid FILE", output)


def test_stale_pid_file_is_replaced(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    gateway.signal(signal.SIGKILL)
    gateway.wait()
    assert gateway.pid_path.exists()
    again = stage.gateway(stage.tunnel(port, application.port))
    assert int(again.pid_path.read_text()) == again.pid
    exchange(port)


def test_daemon(stage):
    application, port = stage.application(), stage.port()
    configuration = stage.complete(stage.tunnel(port, application.port), daemon="on")
    gateway = stage.gateway(configuration, ready=False)
    assert gateway.wait() == 0, gateway.output
    wait_until(gateway.pid_path.exists, "a pid file")
    pid = int(gateway.pid_path.read_text())
    assert pid != gateway.pid and stat_of(pid)
    assert os.getsid(pid) == pid, "of no terminal's session"
    assert {descriptors(pid)[fd] for fd in range(3)} == {"/dev/null"}
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    exchange(port)
    assert gateway.command("stop")[0] == EXIT_DONE
    wait_until(lambda: not is_alive(pid), "the daemon's end")


def test_access_line_of_a_plain_tunnel(stage):
    application, port = stage.application(), stage.port()
    stage.gateway(stage.tunnel(port, application.port))
    exchange(port, b"z" * 1000)
    (line,) = wait_for_access_lines(stage.folder / "access.log", 1)
    assert line["name"] == "echo" and line["status"] == "200" and line["end"] == "done"
    assert line["received"] == line["sent"] == "1000"
    assert line["up"] == f"127.0.0.1:{application.port}"
    assert (line["request"], line["tls"], line["cipher"], line["session"]) == ("-",) * 4
