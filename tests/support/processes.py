# SPDX-License-Identifier: BSD-2-Clause
"""Child processes of a test: started, waited for, looked into, and gone when the test is.

Every process gets a group of its own and a death signal, so that nothing outlives the test run
whatever happens to it. Who runs the tests becomes the reaper of orphans (workers whose master was
killed come back to us), so a stray one is found and named.
"""

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


IS_ROOT = os.geteuid() == 0


class TimedOut(AssertionError):
    """What was waited for did not come."""


def adopt_orphans():
    """Orphans of our children become ours, for `children` to find."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def wait_until(condition, what, timeout=10.0, interval=0.02):
    """The first true value of `condition()`; TimedOut after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimedOut(f"waited {timeout} s for: {what}")
        time.sleep(interval)


def stat_of(pid):
    """(parent, state) of a process, or None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields[1]), fields[0]


def is_alive(pid):
    stat = stat_of(pid)
    return stat is not None and stat[1] not in "ZX"


def children(pid):
    """Living children of `pid`, by number."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        stat = stat_of(entry)
        if stat and stat[0] == pid and stat[1] not in "ZX":
            found.append(int(entry))
    return sorted(found)


def title(pid):
    """What ps shows, or '' when the process is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descriptors(pid):
    """{number: what it points to}; {} when the process is gone."""
    folder = f"/proc/{pid}/fd"
    found = {}
    try:
        numbers = os.listdir(folder)
    except FileNotFoundError:
        return found
    for number in numbers:
        try:
            found[int(number)] = os.readlink(f"{folder}/{number}")
        except FileNotFoundError:
            pass
    return found


def private_memory(pid):
    """Private bytes of a process: what it wrote and nobody shares.

    Clean private pages are left out: a library's page is one when no other process happens to map
    it, so their number changes with what else runs."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no Private_Dirty in smaps_rollup")


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _reap():
    """Takes the exit statuses of all that has ended; true when no child is left."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return False
        except ChildProcessError:
            return True


def reap_orphans(patience=2.0):
    """Kills and reaps every child that does not end by itself in time; returns their titles."""
    deadline = time.monotonic() + patience
    while not _reap():
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    left = [(pid, title(pid)) for pid in children(os.getpid())]
    for pid, _ in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    while not _reap():
        time.sleep(0.01)
    return [f"{pid} {text}" for pid, text in left]


class Process:
    """A program with its output in FOLDER/NAME.out.log."""

    def __init__(self, name, argv, folder, stdin=subprocess.DEVNULL, env=None,
                 stderr=subprocess.STDOUT):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.output_path = Path(folder) / f"{name}.out.log"
        with open(self.output_path, "ab") as output:
            self.child = subprocess.Popen(
                self.argv, stdin=stdin, stdout=output, stderr=stderr, cwd=folder,
                env={**os.environ, **(env or {})}, start_new_session=True,
                preexec_fn=_die_with_parent)
        self.pid = self.child.pid

    @property
    def output(self):
        return self.output_path.read_text(errors="replace")

    @property
    def running(self):
        return self.child.poll() is None

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, timeout=10.0):
        """The exit status; negative for a signal."""
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimedOut(f"{self.name} (pid {self.pid}) did not end in {timeout} s") from None

    def wait_for(self, condition, what, timeout=10.0):
        """As wait_until, but fails at once when the process ends."""
        def check():
            value = condition()
            if not value and not self.running:
                raise AssertionError(
                    f"{self.name} ended with {self.child.returncode} before: {what}\n{self.output}")
            return value
        return wait_until(check, f"{self.name}: {what}", timeout)

    def kill(self):
        """The whole group, for good. A stopped process dies of it too."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()


def run(argv, timeout=60, stdin=None, **options):
    """(status, stdout and stderr as one text)."""
    done = subprocess.run([str(word) for word in argv], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, check=False, **options)
    return done.returncode, done.stdout.decode(errors="replace")
