# SPDX-License-Identifier: BSD-2-Clause
"""What the documents show is what the program takes: samples, README, manual pages, unit file, logrotate."""

import os
import re
import shutil
import subprocess

import pytest

from support.sealane import BINARY, EXIT_DONE, ROOT, sealane

README = (ROOT / "README.md").read_text()
SAMPLES = sorted((ROOT / "etc").glob("*.ini"))
BLOCKS = re.findall(r"^```ini\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def settle(text, folder, pki):
    """Files that the text names exist in `folder`, names of example.com resolve, and the user is one that is here."""
    certificate = pki.server()

    def to_file(match):
        key, value = match[1], match[2]
        if value in ("system", "none"):
            return match[0]
        kind = certificate.key if key.endswith("certificate_key") else certificate.chain
        target = folder / value.lstrip("/").replace("/", "_")
        shutil.copy(kind, target)
        target.chmod(0o600)
        return f"{key} = {target.name}"

    text = re.sub(r"^(\w*certificate(?:_key)?) *= *(\S+)", to_file, text, flags=re.MULTILINE)
    text = re.sub(r"/(?:var/log|run)/sealane", str(folder), text)
    text = re.sub(r"\b[a-z0-9-]+\.example\.com(?=:\d)", "127.0.0.1", text)
    if os.geteuid() == 0:
        text = re.sub(r"^user *=.*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"^\[main\]$", "[main]\nuser = nobody nogroup", text, count=1, flags=re.MULTILINE)
        if "[main]" not in text:
            text = "[main]\nuser = nobody nogroup\n" + text
    return text


def check(text, stage):
    main_file = stage.folder / "document.ini"
    main_file.write_text(settle(text, stage.folder, stage.pki))
    status, output = sealane("-t", "-c", main_file)
    assert status == EXIT_DONE, f"{output}\n{main_file.read_text()}"


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_readme_block(stage, number):
    check(BLOCKS[number], stage)


def test_readme_shows_configurations():
    assert len(BLOCKS) >= 2
    lines = [line for line in BLOCKS[0].splitlines() if line and not line.startswith((";", "["))]
    assert len(lines) <= 15


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_sample(stage, sample):
    check(sample.read_text(), stage)


def test_there_are_samples():
    assert SAMPLES


def manual():
    status, output = sealane("--manual")
    assert status == EXIT_DONE
    return output


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_manual_pages_are_clean(stage):
    page = stage.folder / "sealane.ini.5"
    page.write_text(manual())
    for path in page, ROOT / "etc" / "man" / "sealane.8":
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_manual_tells_of_every_option():
    page = (ROOT / "etc" / "man" / "sealane.8").read_text()
    _, text = sealane("--help")
    for option in set(re.findall(r"^ +(-\w|--[\w]+)", text, re.MULTILINE)):
        wanted = option.replace("--", "Fl -") if option.startswith("--") else f"Fl {option[1:]}"
        assert wanted in page, option


def test_readme_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_unit_file_is_clean(stage):
    unit = stage.folder / "sealane.service"
    text = (ROOT / "etc" / "sealane.service").read_text()
    unit.write_text(text.replace("/usr/sbin/sealane", str(BINARY)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr


@pytest.mark.skipif(not shutil.which("logrotate"), reason="logrotate is not installed")
def test_logrotate_file_is_read(stage):
    done = subprocess.run(["logrotate", "-d", "-s", stage.folder / "state", ROOT / "etc" / "logrotate"],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "error:" not in done.stderr, done.stderr


def test_install_and_uninstall(stage):
    """make install puts down what it says and make uninstall takes it away again, but for the configuration."""
    target = stage.folder / "root"
    words = [f"DESTDIR={target}", "PREFIX=/opt/sealane"]
    variables = {"VARIANT": os.environ.get("VARIANT", "release"), "PATH": os.environ["PATH"]}

    def make(goal):
        done = subprocess.run(["make", "-C", ROOT, goal, *words], capture_output=True, text=True, env=variables)
        assert done.returncode == 0, done.stdout + done.stderr

    def files():
        return {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}

    make("install")
    installed = files()
    assert {"opt/sealane/sbin/sealane", "opt/sealane/share/man/man8/sealane.8",
            "opt/sealane/share/man/man5/sealane.ini.5", "opt/sealane/lib/systemd/system/sealane.service",
            "etc/logrotate.d/sealane"} <= installed
    assert {f"opt/sealane/share/doc/sealane/examples/{sample.name}" for sample in SAMPLES} <= installed
    unit = (target / "opt/sealane/lib/systemd/system/sealane.service").read_text()
    assert "ExecStart=/opt/sealane/sbin/sealane" in unit and "/usr/sbin" not in unit
    make("uninstall")
    assert files() <= {"etc/sealane/sealane.ini"}
