# SPDX-License-Identifier: BSD-2-Clause
"""Logs: reopened, rate limited, nothing secret, and never a reason to stop traffic."""

import fcntl
import grp
import os
import re
import signal
import socket
import stat

import pytest

from support.clients import connect, exchange, exchange_many, receive_exactly, reset, try_to_talk
from support.processes import run, wait_until
from support.sealane import EXIT_DONE, EXIT_RUN_TIME, access_lines, sealane, wait_for_access_lines


@pytest.fixture(name="served")
def served_fixture(stage):
    """(gateway, port)"""
    application, port = stage.application(), stage.port()
    return stage.gateway(stage.tunnel(port, application.port)), port


def test_error_line(stage):
    dead, port = stage.ports(2)
    gateway = stage.gateway(stage.tunnel(port, dead))
    try_to_talk(port)
    line = gateway.wait_for_log(rf"127\.0\.0\.1:{dead}")
    worker = re.search(r"\b(" + "|".join(map(str, gateway.workers().values())) + r")\b", line)
    assert worker and re.match(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d", line), line
    assert re.search(r"\berror\b", line) and re.search(r"#\d+", line) and "refused" in line


def test_reopen_that_fails_says_so(stage, served):
    gateway, port = served
    access = stage.folder / "access.log"
    access.rename(stage.folder / "access.1.log")
    access.mkdir()
    status, output = gateway.command("reopen")
    assert status == EXIT_RUN_TIME and "reopen: a log file cannot be opened" in output, output
    gateway.wait_for_log(r"access\.log: Is a directory; lines go on")
    access.rmdir()
    assert gateway.command("reopen") == (EXIT_DONE, "")
    exchange(port)
    wait_for_access_lines(access, 1)


@pytest.mark.parametrize("how", ["signal", "command"])
def test_reopen(stage, served, how):
    gateway, port = served
    access, error = stage.folder / "access.log", gateway.error_path
    with connect(port) as old:  # stays on a worker that drains
        old.sendall(b"old")
        assert receive_exactly(old, 3) == b"old"
        gateway.reload()
        exchange(port)
        wait_for_access_lines(access, 1)
        access.rename(stage.folder / "access.1.log")
        error.rename(stage.folder / "error.1.log")
        if how == "signal":
            gateway.signal(signal.SIGUSR1)
        else:
            assert gateway.command("reopen")[0] == EXIT_DONE
        wait_until(lambda: access.exists() and error.exists(), "new files")
        moved = (stage.folder / "access.1.log").stat().st_size

        def all_write_to_the_new():
            before = len(access_lines(access))
            exchange(port)
            return len(wait_for_access_lines(access, before + 1)) if (
                stage.folder / "access.1.log").stat().st_size == moved else False
        wait_until(all_write_to_the_new, "lines in the new file")
        exchange_many(port, 10)
        before = len(access_lines(access))
        old.shutdown(socket.SHUT_WR)
        assert old.recv(1) == b""
    wait_until(lambda: len(access_lines(access)) > before, "the draining worker's line in it too")


@pytest.mark.root
def test_files_belong_to_the_workers_group(stage, served):
    gateway, _ = served
    group = grp.getgrnam("nogroup").gr_gid
    for path in (stage.folder / "access.log", gateway.error_path):
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == 0o640 and status.st_gid == group, path


class _Mount:
    def __init__(self, path):
        path.mkdir()
        self.path = path
        status, output = run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0755", "none", path])
        if status != 0:
            pytest.skip(f"cannot mount a tmpfs: {output}")

    def stop(self):
        run(["umount", "-l", self.path])


@pytest.mark.root
def test_full_disk(stage):
    """Lines are dropped and counted, traffic goes on, and the count is told when there is room."""
    disk = stage.add(_Mount(stage.folder / "disk")).path
    application, port, refused, dead = stage.application(), *stage.ports(3)
    configuration = stage.tunnel(port, application.port, access_log=disk / "access.log")
    configuration["tcp refused"] = stage.tunnel(refused, dead)["tcp echo"]
    gateway = stage.gateway(configuration, error_log=f"{disk}/error.log info")
    (disk / "ballast").write_bytes(b"")
    with open(disk / "ballast", "wb", buffering=0) as ballast:
        with pytest.raises(OSError):
            while True:
                ballast.write(bytes(1024))
    for _ in range(5):
        try_to_talk(refused)
        exchange_many(port, 60, 6)
    gateway.reload()
    exchange_many(port, 20)
    (disk / "ballast").unlink()

    def told():
        exchange(port)
        try_to_talk(refused)
        return re.search(r"\d+ (log )?lines? .*dropped", (disk / "error.log").read_text())
    wait_until(told, "the count of what was dropped", timeout=15, interval=0.3)
    wait_until(lambda: (disk / "access.log").read_text().endswith("end=done\n"), "whole lines again")


def test_an_access_log_without_room_is_told(stage):
    """At the first line that is lost, and how many there were when its workers go."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port, access_log="/dev/full"), workers=1)
    exchange_many(port, 20)
    gateway.wait_for_log(r"\[error\] .*access log /dev/full: No space left on device")
    gateway.reload()
    gateway.wait_for_log(r"access log /dev/full: 20 lines were dropped")


def test_stopped_reader_of_stderr(stage):
    fifo = stage.folder / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    application, port, refused, dead = stage.application(), *stage.ports(3)
    configuration = stage.tunnel(port, application.port)
    configuration["tcp refused"] = stage.tunnel(refused, dead)["tcp echo"]
    gateway = stage.gateway(configuration, error_log="stderr debug",
                            prefix=["sh", "-c", f'exec "$0" "$@" 2>{fifo}'])
    for _ in range(3):
        gateway.reload()
        for _ in range(60):
            try_to_talk(refused)
            sock = connect(port)  # each has a line of its own, by its port
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
            reset(sock)
        exchange_many(port, 30)
    text = b""

    def told():
        nonlocal text
        try_to_talk(refused)
        try:
            text += os.read(reader, 1 << 16)
        except BlockingIOError:
            pass
        return re.search(rb"\d+ (log )?lines? .*dropped", text)
    wait_until(told, "the count of what was dropped", timeout=15)
    assert not fcntl.fcntl(2, fcntl.F_GETFL) & os.O_NONBLOCK, "others' stderr is as it was"
    os.close(reader)
    exchange(port)
    assert gateway.stop() == 0


def test_device_that_is_always_full(stage):
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port, access_log="/dev/full"),
                            error_log="/dev/full debug")
    exchange_many(port, 40)
    gateway.reload()
    exchange_many(port, 10)


def test_the_same_fault_is_counted(stage):
    dead, port = stage.ports(2)
    gateway = stage.gateway(stage.tunnel(port, dead), workers=1)
    for _ in range(200):
        try_to_talk(port)
    gateway.wait_for_log(rf"repeated \d+ times.*127\.0\.0\.1:{dead}", timeout=20)
    lines = [line for line in gateway.error_log.splitlines() if f"127.0.0.1:{dead}" in line]
    assert len(lines) < 100, f"{len(lines)} lines for 200 times the same fault"


def test_warnings_of_the_start_stand_in_the_log_too(stage):
    port = stage.port()
    configuration = stage.tunnel(port, "group")
    configuration["upstream group"] = {"server": f"no-such-host.invalid:{port}"}
    wanted = r"warning: \S+\.ini:\d+: server: 'no-such-host\.invalid' does not resolve"
    gateway = stage.gateway(configuration)
    assert len(re.findall(wanted, gateway.output)) == 1
    assert len(re.findall(wanted, gateway.error_log)) == 1
    gateway.kill()
    gateway = stage.gateway(configuration, name="stderr", error_log="stderr")
    assert len(re.findall(wanted, gateway.output)) == 1
    gateway.kill()
    gateway = stage.gateway(configuration, name="quiet", options=("-q",))
    assert not re.findall(wanted, gateway.output + gateway.error_log)


def test_stderr_hears_of_the_start_alone(stage):
    """Once it serves, errors stand in the log; one of a start that fails stands in both, once."""
    application, port = stage.application(), stage.port()
    gateway = stage.gateway(stage.tunnel(port, application.port))
    os.kill(gateway.workers().popitem()[1], signal.SIGKILL)
    gateway.wait_for_log("was killed by signal 9")
    assert "signal 9" not in gateway.output
    for name, log in (("both", stage.folder / "both.log"), ("one", "stderr")):
        second = stage.gateway(stage.tunnel(port, application.port), name=name, ready=False, error_log=log)
        assert second.wait() == EXIT_RUN_TIME
        assert second.output.count("in use by another process") == 1
    assert (stage.folder / "both.log").read_text().count("in use by another process") == 1


def test_quiet(stage):
    dead, port = stage.ports(2)
    gateway = stage.gateway(stage.tunnel(port, dead), options=["-q"])
    gateway.reload()
    try_to_talk(port)
    gateway.wait_for_log("refused")
    for line in gateway.error_log.splitlines():
        assert re.search(r"\b(error|crit)\b", line), line


def test_levels(stage):
    dead, port = stage.ports(2)
    files = {level: stage.folder / f"{level}.log" for level in ("debug", "error")}
    gateway = stage.gateway(stage.tunnel(port, dead), error_log=[
        f"{path} {level}" for level, path in files.items()])
    gateway.reload()
    try_to_talk(port)
    wait_until(lambda: "refused" in files["error"].read_text(), "the error")
    assert "refused" in files["debug"].read_text()
    assert len(files["debug"].read_text().splitlines()) > len(files["error"].read_text().splitlines())
    assert not re.search(r"\b(notice|info|debug)\b", files["error"].read_text())


def test_under_the_journal(stage):
    """A priority, no time and no pid."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    status = os.fstat(theirs.fileno())
    dead, port = stage.ports(2)
    gateway = stage.gateway(stage.tunnel(port, dead), error_log="stderr info", stderr=theirs,
                            prefix=["env", f"JOURNAL_STREAM={status.st_dev}:{status.st_ino}"])
    theirs.close()
    try_to_talk(port)
    ours.settimeout(10)
    text = b""
    while b"refused" not in text:
        text += ours.recv(65_536)
    for line in text.decode().splitlines():
        assert re.match(r"<[0-7]>\D", line), line
    assert re.search(r"^<3>.*refused", text.decode(), re.MULTILINE)
    assert gateway.stop() == 0


def test_nothing_secret(stage):
    phrases = stage.folder / "phrases"
    phrases.write_text("sesame-open-up\n")
    phrases.chmod(0o600)
    client = stage.pki.client()
    application = stage.application(certificate=stage.pki.server(), client_ca=stage.pki.authority())
    port = stage.port()
    gateway = stage.gateway(stage.tls_tunnel(
        port, application.port, proxy_ssl_password_file=phrases,
        proxy_ssl_certificate_key=stage.pki.encrypted_key(client, "sesame-open-up")),
        error_log=f"{stage.folder}/sealane.error.log debug")
    exchange(port, b"payload-that-nobody-may-see")
    status, dump = sealane("-T", "-c", gateway.ini)
    assert status == EXIT_DONE
    key = client.key.read_text().splitlines()[1]
    said = gateway.error_log + gateway.output + dump.replace("sesame-open-up.key", "") + (
        stage.folder / "access.log").read_text()
    for secret in ("sesame-open-up\n", key, "payload-that-nobody"):
        assert secret not in said.replace("sesame-open-up.key", "")


def test_log_file_that_cannot_be_opened(stage):
    port = stage.port()
    gateway = stage.gateway(stage.tunnel(port, 1, access_log=stage.folder / "none/access.log"),
                            ready=False)
    assert gateway.wait() in (1, 3)
    assert "none/access.log" in gateway.output + gateway.error_log
