# SPDX-License-Identifier: BSD-2-Clause
"""The gateway under test: an INI file in the test's folder, a running master, and looks into it."""

import os
import re
import signal
from pathlib import Path

from support.processes import (IS_ROOT, Process, TimedOut, children, descriptors, private_memory, run,
                               title, wait_until)
from support.upstreams import is_listening

ROOT = Path(__file__).resolve().parents[2]
VARIANT = os.environ.get("VARIANT", "release")
BINARY = Path(os.environ.get("SEALANE", ROOT / "build" / VARIANT / "sealane"))
IS_SANITIZED = VARIANT == "asan"

EXIT_DONE, EXIT_RUN_TIME, EXIT_USAGE, EXIT_CONFIGURATION, EXIT_RELOAD_REFUSED = range(5)
EXIT_NOT_RUNNING = 7


def to_ini(sections):
    """{"tcp a": {"listen": "1", "access_log": ["a.log", "b.log"]}} as text; None leaves a key out."""
    lines = []
    for section, keys in sections.items():
        lines.append(f"[{section}]")
        for key, values in keys.items():
            if values is None:
                continue
            for value in values if isinstance(values, (list, tuple)) else [values]:
                lines.append(f"{key} = {value}")
        lines.append("")
    return "\n".join(lines)


def merged(*configurations):
    """Later ones replace keys of earlier ones, section by section."""
    result = {}
    for configuration in configurations:
        for section, keys in configuration.items():
            result[section] = {**result.get(section, {}), **keys}
    return result


def main_section(folder, name="sealane", **keys):
    """A [main] for a test: two workers, an own pid file, all of the log in a file."""
    section = {"workers": 2, "pid_file": f"{folder}/{name}.pid",
               "error_log": f"{folder}/{name}.error.log info"}
    if IS_ROOT:
        section["user"] = "nobody nogroup"
    if not IS_ROOT or IS_SANITIZED:
        section["core_dumps"] = "on"  # else only root may look into (or trace) a worker
    section.update(keys)
    return section


def environment():
    return {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1:log_path=asan",
            "UBSAN_OPTIONS": "print_stacktrace=1"} if IS_SANITIZED else {}


def sealane(*words, **options):
    """One run of the binary to its end: (status, output)."""
    return run([BINARY, *words], env={**os.environ, **environment()}, **options)


class Sealane(Process):
    """A master. `configuration` is a dict for to_ini or the text itself."""

    def __init__(self, folder, configuration, name="sealane", options=(), prefix=(), **process):
        self.folder = Path(folder)
        self.ini = self.folder / f"{name}.ini"
        self.pid_path = self.folder / f"{name}.pid"
        self.error_path = self.folder / f"{name}.error.log"
        assert BINARY.exists(), f"{BINARY} is not built"
        self.write(configuration)
        super().__init__(name, [*prefix, BINARY, "-c", self.ini, *options], folder,
                         env=environment(), **process)

    def write(self, configuration):
        text = to_ini(configuration) if isinstance(configuration, dict) else configuration
        self.ini.write_text(text)

    def wait_until_ready(self, *ports, timeout=15):
        """Listening, with every worker there."""
        self.wait_for(self.pid_path.exists, "writes its pid file", timeout)
        for port in ports:
            self.wait_for(lambda port=port: is_listening(port), f"listens on {port}", timeout)
        found = re.search(r"^workers = (\d+)$", self.ini.read_text(), re.MULTILINE)
        count = int(found[1]) if found else 1
        self.wait_for(lambda: len(self.workers()) >= count, f"has {count} workers", timeout)
        return self

    # Processes

    def workers(self):
        """{slot: pid} of the serving generation."""
        found = {}
        for pid in children(self.pid):
            words = re.fullmatch(r"sealane: worker (\d+)", title(pid))
            if words:
                found[int(words[1])] = pid
        return found

    def draining(self):
        return [pid for pid in children(self.pid) if title(pid).endswith("(draining)")]

    def wait_for_new_workers(self, old, count=None, timeout=15):
        """Until none of the pids `old` serves any more and `count` others do."""
        def replaced():
            serving = self.workers()
            wanted = len(old) if count is None else count
            return len(serving) == wanted and not set(serving.values()) & set(old)
        self.wait_for(replaced, "has replaced its workers", timeout)
        return self.workers()

    def wait_until_drained(self, timeout=30):
        self.wait_for(lambda: not self.draining(), "has drained the old generation", timeout)

    # Orders

    def command(self, word, *options):
        """-s WORD: (status, output)."""
        return sealane("-c", self.ini, "-s", word, *options, timeout=130)

    def reload(self, configuration=None):
        """Over the control socket, to its end; fails when it is refused."""
        if configuration is not None:
            self.write(configuration)
        status, output = self.command("reload")
        assert status == EXIT_DONE, f"reload: status {status}: {output}"
        return output

    def stop(self, number=signal.SIGTERM, timeout=15):
        """The exit status after a signal. Under ASan this is where leaks are told."""
        if self.running:
            self.signal(number)
        return self.wait(timeout)

    # What it says and holds

    @property
    def error_log(self):
        return self.error_path.read_text(errors="replace") if self.error_path.exists() else ""

    def wait_for_log(self, pattern, timeout=10, count=1):
        """The `count`-th line that the regular expression finds in the error log."""
        def found():
            lines = [line for line in self.error_log.splitlines() if re.search(pattern, line)]
            return lines[count - 1] if len(lines) >= count else None
        return wait_until(found, f"an error log line with {pattern!r}", timeout)

    def private_memory(self):
        return private_memory(self.pid)

    def descriptors(self):
        return descriptors(self.pid)

    def kill(self):
        """At the end of a test. Leaks are looked for only in a process that ends by itself."""
        if IS_SANITIZED and self.running:
            try:
                self.stop()
            except TimedOut:
                pass
        super().kill()


ACCESS_LINE = re.compile(
    r"(?P<time>\S+) (?P<client>\S+) (?P<name>\S+) \"(?P<request>[^\"]*)\" (?P<status>\S+) "
    r"up=(?P<up>.*?) in=(?P<received>\d+) out=(?P<sent>\d+) time=(?P<duration>\d+\.\d{3}) "
    r"tls=(?P<tls>\S+) cipher=(?P<cipher>\S+) session=(?P<session>\S+) end=(?P<end>\S+)")


def access_lines(path):
    """Each line as a dict; a line of another shape is a failure."""
    path = Path(path)
    lines = []
    for text in path.read_text().splitlines() if path.exists() else []:
        match = ACCESS_LINE.match(text)
        assert match, f"not an upstream_tls line: {text!r}"
        lines.append(match.groupdict())
    return lines


def wait_for_access_lines(path, count, timeout=10):
    wait_until(lambda: len(access_lines(path)) >= count, f"{count} lines in {path}", timeout)
    return access_lines(path)
