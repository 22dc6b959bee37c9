# SPDX-License-Identifier: BSD-2-Clause
"""What every test gets: a folder, processes that end with it, certificates, logs on failure."""

import itertools
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from support import processes
from support.pki import Pki
from support.protocols import PROTOCOLS
from support.sealane import IS_SANITIZED
from support.stage import Stage

_numbers = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures delays, so that no other test may run beside it")
    config.addinivalue_line("markers", "long: a file that takes minutes, begun with")
    config.addinivalue_line("markers", "root: needs root")
    processes.adopt_orphans()


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    for item in items:
        if item.get_closest_marker("root") and not processes.IS_ROOT:
            item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    stage = getattr(item, "stage", None) or getattr(item.getparent(pytest.Module), "stage", None)
    if stage and report.failed:
        stage.failed = True
        for title, text in stage.logs():
            report.sections.append((title, text))


@pytest.fixture(scope="session")
def run_folder():
    """Short, as the path of a Unix socket has room for 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="sealane-"))
    folder.chmod(0o755)
    yield folder
    try:
        folder.rmdir()  # stays while a failed test's folder is in it
    except OSError:
        pass


@pytest.fixture(scope="session")
def pki():
    folder = Path(tempfile.mkdtemp(prefix="sealane-pki-"))
    folder.chmod(0o755)
    yield Pki(folder)
    shutil.rmtree(folder)


def _staged(node, run_folder, pki):
    """A stage for what `node` is, cleared behind it."""
    name = re.sub(r"\W+", "_", Path(node.name).stem)[:32]
    folder = run_folder / f"{next(_numbers):03}-{name}"
    folder.mkdir()
    folder.chmod(0o777 if IS_SANITIZED else 0o755)  # workers write their reports there
    the_stage = Stage(folder, pki)
    node.stage = the_stage
    yield the_stage
    the_stage.stop()
    left = processes.reap_orphans()
    reports = the_stage.sanitizer_reports()
    if not the_stage.failed and not reports:
        shutil.rmtree(folder)
    assert not reports, "\n".join(reports)
    assert not left, f"left running after the test: {left}"


@pytest.fixture
def stage(request, run_folder, pki):
    yield from _staged(request.node, run_folder, pki)


@pytest.fixture(scope="module")
def module_stage(request, run_folder, pki):
    """One stage for all tests of a file, which then cannot use `stage`: its end ends every child."""
    yield from _staged(request.node, run_folder, pki)


@pytest.fixture(params=PROTOCOLS)
def protocol(request):
    """For what holds over either; see support/protocols.py."""
    return PROTOCOLS[request.param]
