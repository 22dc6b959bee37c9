# SPDX-License-Identifier: BSD-2-Clause
"""What the documents show is what the program takes: samples, README, manual pages, unit file, logrotate."""

import itertools
import os
import re
import shutil
import subprocess

import pytest

from support.processes import run
from support.sealane import BINARY, EXIT_DONE, ROOT, sealane

README = (ROOT / "README.md").read_text()
DOC = ROOT / "etc" / "doc"
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
    http, tcp = ([line for line in block.splitlines() if line] for block in BLOCKS[:2])
    assert "[http www]" in http and len(http) <= 12
    assert "[tcp backend]" in tcp and len(tcp) <= 15


def test_readme_first_screen():
    assert "make demo" in README[:1500] and "make test" in README[:1500]


@pytest.mark.parametrize("tool", ("openssl", "certtool"))
def test_try_it(stage, tool):
    """What README's "Try it" says, with the certificates of either way in certificates.md."""
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    commands = fenced((DOC / "certificates.md").read_text(), "sh")
    assert len(commands) == 7
    for block in [block for block in commands[:6] if tool in block] + commands[6:]:
        status, output = run(["sh", "-e", "-c", block], cwd=stage.folder)
        assert status == 0, output
    (text,) = [block for block in BLOCKS if block.startswith("; try.ini")]
    own = {number: str(stage.port()) for number in ("8080", "8081", "8443")}
    text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{own[found[1]]}", text)
    text = text.replace("pid_file = try.pid", main_lines(stage))
    gateway = stage.gateway(re.sub(r"^user = .*\n", "", text, count=1, flags=re.MULTILINE))
    shown = re.findall(r"^curl http://127\.0\.0\.1:(\d+)(/\w+) +# (.*)$", README, re.MULTILINE)
    assert len(shown) == 3
    for port, path, answer in shown:
        assert run(["curl", "-s", "-m", "10", f"http://127.0.0.1:{own[port]}{path}"]) == (0, answer + "\n")
    gateway.reload(gateway.ini.read_text().replace("proxy_ssl_trusted", ";proxy_ssl_trusted"))
    assert "502" in run(["curl", "-s", "-m", "10", f"http://127.0.0.1:{own['8080']}/http"])[1]
    gateway.wait_for_log("CN=Example CA is not trusted")


def main_lines(stage):
    lines = [f"pid_file = {stage.folder}/sealane.pid", f"error_log = {stage.folder}/sealane.error.log info"]
    return "\n".join([*lines, "user = nobody nogroup"] if os.geteuid() == 0 else lines)


def fenced(text, language=r"\w*"):
    """What stands between fences, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def rows(text):
    """The rows of all tables, each a list of cells."""
    return [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in text.splitlines()
            if line.startswith("| ") and not line.startswith("|---")]


def in_code(text):
    return sorted(set(re.findall(r"`([^`\n]+)`", text)))


@pytest.mark.parametrize("name", ("README", "nginx", "errors"))
def test_both_languages_show_the_same(name):
    """Fenced blocks but for their comments, first columns, and what is written as code in each row."""
    theirs = (DOC / f"{name}.zh.md").read_text()
    ours = (DOC / f"{name}.md").read_text() if name != "README" else README[:README.index("## Try it")]
    assert f"{name}.zh.md)" in ours and f"{name}.md)" in theirs

    def commands(text):
        return [re.sub(r" +# .*", "", block) for block in fenced(text)]

    assert commands(ours) == commands(theirs)
    titles = {"`end=`", "nginx"}
    for our, their in itertools.zip_longest(rows(ours), rows(theirs)):
        assert our and their and our[0] == their[0], (our, their)
        if our[0] not in titles:
            assert in_code(" ".join(our)) == in_code(" ".join(their))


def test_nginx_table_has_every_directive_of_the_guide():
    """They stand in the comments of seed.ini."""
    seed = (ROOT / "etc" / "seed.ini").read_text()
    directives = set(re.findall(r" ; *(\w+) +\S.*[;{]$", seed, re.MULTILINE))
    assert {"proxy_ssl_verify_depth", "ssl_verify_client", "listen", "upstream"} <= directives
    first = " ".join(row[0] for row in rows((DOC / "nginx.md").read_text()))
    assert not {word for word in directives if not re.search(rf"\b{word}\b", first)}


def test_error_guide_knows_every_end():
    """Every end= that is an error, and nothing that is none."""
    header = (ROOT / "shared" / "close_reason.h").read_text()
    ends = re.findall(r'X\(CLOSE_\w+, "(\w+)", (true|false)', header)
    told = set(re.findall(r"`(\w+)`", " ".join(row[0] for row in rows((DOC / "errors.md").read_text()))))
    assert told <= {word for word, _ in ends}
    assert not {word for word, error in ends if error == "true"} - told


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


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "etc").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"


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
    assert {f"opt/sealane/share/doc/sealane/etc/{sample.name}" for sample in SAMPLES} <= installed
    for page in (target / "opt/sealane/share/doc/sealane/etc/doc").glob("*.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
    assert {"opt/sealane/share/doc/sealane/etc/doc/errors.zh.md",
            "opt/sealane/share/doc/sealane/etc/ansible/roles/sealane/tasks/main.yml"} <= installed
    unit = (target / "opt/sealane/lib/systemd/system/sealane.service").read_text()
    assert "ExecStart=/opt/sealane/sbin/sealane" in unit and "/usr/sbin" not in unit
    make("uninstall")
    assert files() <= {"etc/sealane/sealane.ini"}
