# SPDX-License-Identifier: BSD-2-Clause
"""The Ansible role, on this machine, into a test's folder: what is good is served, what is not changes nothing."""

import json
import os
import re
import shutil
import socket

import pytest

from support.processes import IS_ROOT, run
from support.sealane import BINARY, ROOT, VARIANT, environment, sealane

pytestmark = [pytest.mark.long,
              pytest.mark.skipif(not shutil.which("ansible-playbook"), reason="ansible-core is not installed")]

ANSIBLE = ROOT / "etc" / "ansible"


def answering(port, text):
    return {"content": f"[http s{port}]\nlisten = 127.0.0.1:{port}\nreturn = 200 {text}\n"}


class Host:
    """This machine as the role's only host, with all paths in the test's folder."""

    def __init__(self, stage):
        self.folder = stage.folder
        self.main = stage.folder / "etc" / "sealane.ini"
        self.fragments = stage.folder / "etc" / "conf.d"
        self.error_log = stage.folder / "role.error.log"
        self.variables = {
            "sealane_source": "none", "sealane_binary": str(BINARY), "sealane_service": "command",
            "sealane_user": "nobody nogroup" if IS_ROOT else "", "sealane_create_user": False,
            "sealane_configuration": str(self.main),
            "sealane_main": {"daemon": "on", "pid_file": f"{stage.folder}/role.pid",
                             "error_log": f"{self.error_log} info", "workers": 1}}
        (self.folder / "tmp").mkdir()
        stage.add(self)

    def play(self, fragments, *options, **variables):
        """(status, output, changed tasks) of a play with the role."""
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "roles": ["sealane"],
                "vars": {**self.variables, "sealane_fragments": fragments, **variables}}
        path = self.folder / "play.yml"
        path.write_text(json.dumps([play]))
        status, output = run(
            ["ansible-playbook", "-i", "localhost,", *options, path], timeout=120, cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                 "TMPDIR": str(self.folder / "tmp"), "ANSIBLE_ROLES_PATH": str(ANSIBLE / "roles"), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1",
                 "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3", **environment()})
        (self.folder / "ansible.log").write_text(output)
        changed = re.search(r"changed=(\d+)", output)
        assert not list((self.folder / "tmp").iterdir()), "a folder of the role is left"
        return status, output, int(changed[1]) if changed else None

    def good(self, fragments, *options, **variables):
        status, output, changed = self.play(fragments, *options, **variables)
        assert status == 0, output
        return changed

    def files(self):
        return {path: path.read_text() for path in sorted(self.main.parent.rglob("*.ini"))}

    def stop(self):
        if self.main.exists():
            sealane("-s", "stop", "-c", self.main)


def get(port):
    return run(["curl", "-s", "-m", "5", f"http://127.0.0.1:{port}/"])[1]


@pytest.fixture(name="host")
def host_fixture(stage):
    return Host(stage)


def test_new_same_changed_and_removed(stage, host):
    one, two = stage.ports(2)
    fragments = {"10-one": answering(one, "first")}
    assert host.good(fragments) > 0
    assert get(one) == "first"
    assert host.good(fragments) == 0

    # A change, a new one from a template that needs another new one, and a file of somebody else's.
    (host.folder / "two.ini.j2").write_text(
        "[http two]\nlisten = 127.0.0.1:{{ port }}\nproxy_pass = http://group\n")
    (host.fragments / "99-theirs.ini").write_text("[tcp theirs]\nlisten = 127.0.0.1:%d\nproxy_pass = 127.0.0.1:1\n"
                                                  % stage.port())
    fragments = {"10-one": answering(one, "second"), "20-two": {"template": "two.ini.j2"},
                 "30-group": {"content": f"[upstream group]\nserver = 127.0.0.1:{one}\n"}}
    assert host.good(fragments, port=two) > 0
    assert (get(one), get(two)) == ("second", "second")

    fragments = {"10-one": answering(one, "second"), "20-two": {"state": "absent"}, "30-group": {"state": "absent"}}
    assert host.good(fragments) > 0
    assert [path.name for path in host.fragments.iterdir()] in (["10-one.ini", "99-theirs.ini"],
                                                               ["99-theirs.ini", "10-one.ini"])
    assert get(one) == "second" and get(two) == ""
    assert host.good(fragments) == 0


def test_bad_fragment_changes_nothing(stage, host):
    port = stage.port()
    host.good({"10-one": answering(port, "first")})
    before, log = host.files(), host.error_log.read_text()
    bad = {"10-one": answering(port, "second"),
           "20-bad": {"content": "[upstream u]\nserver = 127.0.0.1:1\nproxy_ssl_verfiy = on\n"}}
    status, output, changed = host.play(bad)
    assert status != 0 and changed == 0
    assert (f"{host.fragments}/20-bad.ini:3: unknown key 'proxy_ssl_verfiy' in [upstream u]; "
            "did you mean 'proxy_ssl_verify'?") in output
    assert host.files() == before and host.error_log.read_text() == log and get(port) == "first"
    # A good one is only looked at with --check.
    host.good({"10-one": answering(port, "second")}, "--check")
    assert host.files() == before and get(port) == "first"


def test_refused_reload_fails_the_play_and_puts_files_back(stage, host):
    port = stage.port()
    host.good({"10-one": answering(port, "first"), "20-two": {"content": "; nothing\n"}})
    before = host.files()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        change = {"10-one": answering(port, "second"), "20-two": {"state": "absent"},
                  "30-taken": answering(number, "third")}
        status, output, _ = host.play(change)
        assert status != 0
        assert re.search(rf"listen 127\.0\.0\.1:{number} .*30-taken\.ini:2\): the address is in use", output)
        assert "reload refused, the old configuration serves on" in output
        assert host.files() == before and get(port) == "first"
    host.good(change)  # a second try is one
    assert (get(port), get(number)) == ("second", "third")
    assert len(host.files()) == 3


def test_first_start_that_fails_fails_the_play(host):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, output, _ = host.play({"10-one": answering(taken.getsockname()[1], "first")})
    assert status != 0 and "the address is in use" in output


@pytest.mark.skipif(VARIANT != "release", reason="the role installs the release build")
@pytest.mark.skipif(not (ROOT / "build" / "release" / "sealane").exists(), reason="nothing is built")
def test_installs_from_the_tree(stage, host):
    port = stage.port()
    installed = stage.folder / "root" / "usr" / "local" / "sbin" / "sealane"
    words = {"sealane_source": "tree", "sealane_tree": str(ROOT), "sealane_binary": str(installed),
             "sealane_make_options": [f"DESTDIR={stage.folder}/root"]}
    assert host.good({"10-one": answering(port, "installed")}, **words) > 0
    assert os.access(installed, os.X_OK) and get(port) == "installed"
    assert host.good({"10-one": answering(port, "installed")}, **words) == 0


def test_the_example(stage):
    """Its play and its fragments are what Ansible and Sealane take."""
    status, output = run(["ansible-playbook", "--syntax-check", "-i", "localhost,", ANSIBLE / "example.yml"],
                         env={"PATH": os.environ["PATH"], "HOME": str(stage.folder), "LC_ALL": "C.UTF-8"})
    assert status == 0, output
    yaml = pytest.importorskip("yaml")
    (play,) = yaml.safe_load((ANSIBLE / "example.yml").read_text())
    client, ca = stage.pki.client(), stage.pki.authority()
    for name, source in (("client.pem", client.chain), ("client.key", client.key), ("trusted_ca_cert.crt", ca.certificate)):
        shutil.copy(source, stage.folder / name)
    text = "".join(fragment["content"] for fragment in play["vars"]["sealane_fragments"].values())
    text = re.sub(r"backend\d\.example\.com(?=:)", "127.0.0.1", text)
    user = "[main]\nuser = nobody nogroup\n" if IS_ROOT else ""
    (stage.folder / "example.ini").write_text(user + text)
    status, output = sealane("-t", "-c", stage.folder / "example.ini")
    assert status == 0, output
