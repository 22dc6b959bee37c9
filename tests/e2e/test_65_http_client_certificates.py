# SPDX-License-Identifier: BSD-2-Clause
"""Servers on one address that differ in the client certificates they ask for: what each answers, what its
upstream is told, and that neither a Host nor a session of another server gets around it.

One gateway serves all of the file. The client is `openssl s_client`, which offers sessions wherever it is
told to; its second visits bring the session of the first, and no certificate unless the test says so.
"""

import re
from dataclasses import dataclass

import pytest

from support.clients import tls_connect, tls_context
from support.http_answers import Conversation
from support.http_cases.request_case import get
from support.http_lanes import upstream_tls
from support.processes import run
from support.recording_upstream import RecordingUpstream, reply
from support.upstreams import require

KINDS = {"session ID": ["-tls1_2", "-no_ticket"], "ticket 1.2": ["-tls1_2"], "ticket 1.3": ["-tls1_3"]}
# SNI and Host -> ssl_verify_client, CA. The first is the default server.
SERVERS = {
    "off": ("off", None), "on": ("on", "Test CA"), "twin": ("on", "Test CA"), "other": ("on", "Another CA"),
    "optional": ("optional", "Test CA"), "optional-no-ca": ("optional_no_ca", "Test CA"),
}
MODES = ["off", "on", "optional", "optional-no-ca"]
NONE_SENT, REFUSED = (400, "No required SSL certificate was sent"), (400, "The SSL certificate error")
MISDIRECTED = (421, "421 Misdirected Request")
VERDICTS = {
    "none": "NONE", "good": "SUCCESS", "expired": "FAILED:certificate has expired",
    "unknown CA": "FAILED:unable to get local issuer certificate",
    "wrong purpose": "FAILED:unsuitable certificate purpose",
}


def expected(mode, who):
    """(status, what the upstream was told or the heading of the page)"""
    if mode == "off":
        return 200, "NONE"
    if who == "none":
        return NONE_SENT if mode == "on" else (200, "NONE")
    if who == "good" or (mode == "optional-no-ca" and who == "unknown CA"):
        return 200, VERDICTS[who]
    return REFUSED


def host_of(server):
    return f"{server}.example.com"


@dataclass
class Visit:
    resumed: bool
    answer: tuple  # as expected() says it


class Site:
    def __init__(self, stage):
        self.stage, self.port = stage, stage.port()
        pki = stage.pki
        own = pki.once("wildcard", lambda: pki.issue(pki.authority(), "wildcard", ["DNS:*.example.com"]))
        upstream = stage.add(RecordingUpstream(
            pki, lambda request, _: [reply(b"<title>%b</title>" % b"|".join(request.values("X-Verify")))]))
        sections = {"http": {**upstream_tls(pki), "proxy_set_header": "X-Verify $ssl_client_verify",
                             "ssl_certificate": own.chain, "ssl_certificate_key": own.key}}
        for name, (mode, ca) in SERVERS.items():
            default = "" if len(sections) > 1 else " default_server"
            sections[f"http {name}"] = {
                "listen": f"127.0.0.1:{self.port} ssl{default}", "server_name": host_of(name),
                "proxy_pass": f"https://127.0.0.1:{upstream.port}", "ssl_verify_client": mode,
                "ssl_client_certificate": pki.authority(ca).certificate if ca else None}
        self.gateway = stage.gateway(sections)

    def certificate(self, who):
        """None, or one that the CA of most servers would judge as `who`."""
        pki = self.stage.pki
        return {
            "none": lambda: None, "good": pki.client, "wrong purpose": pki.server,
            "unknown CA": lambda: pki.client(authority="Another CA"),
            "expired": lambda: pki.once("expired client", lambda: pki.issue(
                pki.authority(), "old", usage="clientAuth", valid_from=-9, valid_to=-5))}[who]()

    def visit(self, sni, kind, who="none", host=None, save=None, offer=None):
        """One request. `save`, `offer`: the file of a session."""
        require("openssl")
        certificate = self.certificate(who)
        words = ["-cert", certificate.chain, "-key", certificate.key] if certificate else []
        words += ["-servername", host_of(sni)] if sni else ["-noservername"]
        words += ["-sess_out", save] if save else []
        words += ["-sess_in", offer] if offer else []
        request = get("Connection: close", host=host_of(host or sni))
        status, output = run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-ign_eof",
                              *KINDS[kind], *words], stdin=request, timeout=20)
        reuse = re.search(r"^(New|Reused), TLS", output, re.MULTILINE)
        answer = re.search(r"^HTTP/1\.1 (\d+) .*?<title>(.*?)</title>", output, re.MULTILINE | re.DOTALL)
        assert reuse and answer, (status, output)
        return Visit(reuse[1] == "Reused", (int(answer[1]), answer[2]))


@pytest.fixture(name="site", scope="module")
def site_fixture(module_stage):
    return Site(module_stage)


@pytest.fixture(name="saved")
def saved_fixture(site):
    """A file for a session."""
    path = site.stage.folder / "session.pem"
    path.unlink(missing_ok=True)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", VERDICTS)
@pytest.mark.parametrize("mode", MODES)
def test_verdict_outlives_resumption(site, saved, mode, who, kind):
    """The first visit's answer is the second's too, if it is resumed; a refused one never is made good."""
    first = site.visit(mode, kind, who, save=saved)
    assert not first.resumed and first.answer == expected(mode, who)
    is_good = first.answer[1] in ("NONE", "SUCCESS")
    if kind == "ticket 1.3" and not is_good:
        assert not saved.exists(), "a ticket after a failed verification"
    for again in ("none", who):
        offer = saved if saved.exists() else None
        second = site.visit(mode, kind, again, offer=offer)
        assert second.resumed or not is_good
        assert second.answer == expected(mode, who if second.resumed else again)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first, who, second", [
    ("off", "none", "on"), ("off", "good", "on"), ("off", "none", "optional"), ("optional", "none", "on"),
    ("optional", "good", "on"), ("optional-no-ca", "unknown CA", "on"), ("optional-no-ca", "good", "on"),
    ("optional-no-ca", "good", "optional"), ("on", "good", "other"), ("on", "good", "off"),
    ("on", "good", "optional"), ("other", "unknown CA", "on")])
def test_session_opens_no_other_server(site, saved, first, who, second, kind):
    answer = site.visit(first, kind, who, save=saved).answer
    assert answer[0] == 200
    if kind == "ticket 1.3" and answer[1].startswith("FAILED"):
        assert not saved.exists(), "a ticket after a failed verification"
        return
    visit = site.visit(second, kind, offer=saved)
    assert not visit.resumed
    assert visit.answer == expected("on" if second == "other" else second, "none")
    if second == "other":
        assert site.visit(second, kind, who, offer=saved).answer == REFUSED


@pytest.mark.parametrize("kind", KINDS)
def test_session_of_the_same_policy(site, saved, kind):
    """It may be resumed, and then tells the truth."""
    assert site.visit("on", kind, "good", save=saved).answer == (200, "SUCCESS")
    visit = site.visit("twin", kind, offer=saved)
    assert visit.answer == ((200, "SUCCESS") if visit.resumed else NONE_SENT)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sni, host, who, answer", [
    ("on", "twin", "good", (200, "SUCCESS")), ("twin", "on", "good", (200, "SUCCESS")),
    ("on", "twin", "none", NONE_SENT),
    ("off", "on", "none", MISDIRECTED), ("off", "on", "good", MISDIRECTED),
    ("on", "off", "good", MISDIRECTED), ("on", "other", "good", MISDIRECTED),
    ("other", "on", "unknown CA", MISDIRECTED), ("on", "optional", "good", MISDIRECTED),
    ("optional", "on", "none", MISDIRECTED), ("optional-no-ca", "optional", "good", MISDIRECTED),
    ("off", "nobody", "none", (200, "NONE")), ("on", "nobody", "good", MISDIRECTED),
    ("nobody", "off", "none", (200, "NONE")), ("nobody", "on", "none", MISDIRECTED),
    (None, "off", "none", (200, "NONE")), (None, "on", "good", MISDIRECTED)])
def test_host_of_another_server(site, saved, sni, host, who, answer, kind):
    """421 where the two differ in their policy, resumed or not."""
    assert site.visit(sni, kind, who, host=host, save=saved).answer == answer
    if saved.exists():
        visit = site.visit(sni, kind, who, host=host, offer=saved)
        assert visit.answer == answer
        assert visit.resumed or answer == NONE_SENT, "no session without the certificate it demands"


def test_each_request_of_a_connection_is_judged(site):
    context = tls_context(site.stage.pki.authority(), certificate=site.certificate("good"))
    with tls_connect(site.port, context, host_of("on")) as sock:
        client = Conversation(site.port, sock=sock)
        for name, status in (("on", 200), ("twin", 200), ("on", 200), ("other", 421)):
            answer = client.ask(get(host=host_of(name)))
            assert answer.status == status
        assert answer.says_close


@pytest.mark.parametrize("server, host, who, answer", [
    ("off", "off", "none", (200, "NONE")), ("on", "on", "none", NONE_SENT),
    ("on", "on", "good", (200, "SUCCESS")), ("on", "on", "expired", REFUSED),
    ("off", "on", "none", MISDIRECTED), ("on", "other", "good", MISDIRECTED)])
def test_curl(site, server, host, who, answer):
    require("curl")
    certificate, name = site.certificate(who), host_of(server)
    words = ["--cert", certificate.chain, "--key", certificate.key] if certificate else []
    status, output = run(["curl", "-sS", "--cacert", site.stage.pki.authority().certificate, *words,
                          "--resolve", f"{name}:{site.port}:127.0.0.1", "-H", f"Host: {host_of(host)}",
                          "-w", "%{http_code}", f"https://{name}:{site.port}/"])
    assert status == 0, output
    found = re.search(r"<title>(.*?)</title>.*?(\d{3})$", output, re.DOTALL)
    assert (int(found[2]), found[1]) == answer
