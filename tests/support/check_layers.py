# SPDX-License-Identifier: BSD-2-Clause
"""Who may include and call whom. Layers come from the Makefile, top to bottom; each may use those after it.

Checks that includes point down, that libraries stay behind their fences, that every header compiles alone,
and that every layer links whole against the layers below it and an empty main: an upward call does not link.
"""

import argparse
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path

# A library's headers, and the only files that may include them.
FENCES = {
    "gnutls/*": ["worker/tls/*", "shared/tls_*"],
    "ini.h": ["master/config_read.c"],
    "ev.h": ["worker/*", "master/master.c", "master/main.c", "master/loop*", "master/supervisor*.c"],
    "llhttp.h": ["worker/http/http_parser.c"],
    "openssl/*": [],
}
# On one level: neither may use the other.
NEIGHBOURS = {"worker/http": "worker/tcp", "worker/tcp": "worker/http"}
# The one way from the master into a worker.
MASTER_TO_WORKER = ("master/supervisor.c", "worker/worker.h")
NAMELESS = {"util", "utils", "common", "misc", "helpers", "helper", "types", "defs"}
LINES_HINT = 400

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)

GNUTLS_CALL = re.compile(r"\bgnutls_[a-z0-9_]+\(")


def layer_of(path, layers):
    folder = os.path.dirname(path)
    return folder if folder in layers else None


def check_include(source, kind, target, layers):
    """What is wrong with one include, or None."""
    if kind == "<":
        for pattern, allowed in FENCES.items():
            if fnmatch(target, pattern) and not any(fnmatch(source, each) for each in allowed):
                return f"<{target}> may be included only by {', '.join(allowed) or 'tests'}"
        return None
    if not Path(target).is_file():
        return f'"{target}" is no file: includes are written from the root'
    below, above = layer_of(target, layers), layer_of(source, layers)
    if below is None:
        return f'"{target}" is in no layer'
    if above == "master" and below.startswith("worker"):
        return None if (source, target) == MASTER_TO_WORKER else \
            "of worker/ the master may include worker/worker.h alone, and only in supervisor.c"
    if NEIGHBOURS.get(above) == below:
        return f"looks aside: {above} and {below} are on one level"
    if layers.index(below) < layers.index(above):
        return f"looks up: {above} is below {below}"
    return None


def check_words(path, text):
    """A header of ours may let a library's types through; nobody outside the fence may call it."""
    if any(fnmatch(path, each) for each in FENCES["gnutls/*"]):
        return []
    return [f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}...) outside {FENCES['gnutls/*']}"
            for match in GNUTLS_CALL.finditer(text)]


def check_files(files, layers):
    faults = []
    for path in files:
        text = Path(path).read_text()
        if layer_of(path, layers) is None:
            faults.append(f"{path}: its folder is no layer; name it in LAYERS of the Makefile")
            continue
        if Path(path).stem in NAMELESS:
            faults.append(f"{path}: a name that says nothing")
        if not text.startswith("/* SPDX-License-Identifier: "):
            faults.append(f"{path}:1: no SPDX-License-Identifier")
        for match in INCLUDE.finditer(text):
            fault = check_include(path, match[1], match[2], layers)
            if fault:
                line = text.count("\n", 0, match.start(2)) + 1
                faults.append(f"{path}:{line}: {fault}")
        faults += check_words(path, text)
        count = text.count("\n")
        if count > LINES_HINT:
            print(f"hint: {path}: {count} lines; past {LINES_HINT} there are often two subjects")
    return faults


def run(command):
    return subprocess.run(command, capture_output=True, text=True)


def check_header(path, compiler, flags):
    done = run([*compiler, *flags, "-Werror", "-fsyntax-only", "-x", "c", path])
    return f"{path}: does not compile alone\n{done.stderr}" if done.returncode else None


def library(build, layer):
    return f"{build}/lib{layer.replace('/', '_')}.a"


def check_link(layer, below, arguments, main):
    """Links all of a layer. An undefined reference names the upward call."""
    command = [*arguments.cc, "-o", "/dev/null", main, "-Wl,--whole-archive", library(arguments.build, layer),
               "-Wl,--no-whole-archive", *(library(arguments.build, each) for each in below), *arguments.link]
    done = run(command)
    if not done.returncode:
        return None
    lines = [line for line in done.stderr.splitlines() if "undefined reference" in line] or done.stderr.splitlines()
    return f"{layer}: does not link with the layers below it alone\n  " + "\n  ".join(lines[:20])


def check_builds(files, arguments):
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        main = f"{folder}/main.c"
        Path(main).write_text("int main(void) { return 0; }\n")
        jobs = [pool.submit(check_header, path, arguments.cc, arguments.flags)
                for path in files if path.endswith(".h")]
        for i, layer in enumerate(arguments.layers):
            below = [each for each in arguments.layers[i + 1:] if each != NEIGHBOURS.get(layer)]
            jobs.append(pool.submit(check_link, layer, below, arguments, main))
        return [fault for fault in (job.result() for job in jobs) if fault]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="folder of the libraries")
    parser.add_argument("--cc", type=shlex.split, required=True)
    parser.add_argument("--flags", type=shlex.split, required=True)
    parser.add_argument("--link", type=shlex.split, required=True)
    parser.add_argument("layers", nargs="+")
    arguments = parser.parse_args()
    files = sorted(str(path) for top in ("master", "worker", "shared") for path in Path(top).rglob("*.[ch]"))
    faults = check_files(files, arguments.layers) + check_builds(files, arguments)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


sys.exit(main())
