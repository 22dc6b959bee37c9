# SPDX-License-Identifier: BSD-2-Clause
"""Plays a row of the request matrix and judges what client and upstream saw of it."""

import time
from dataclasses import dataclass

from support.http_answers import Conversation, Malformed
from support.http_cases.request_case import FINISH, get
from support.http_readers import STRICT, disagreement, fault
from support.recording_upstream import Pause

PROBE = "/probe"
MUCH = 900_000  # a client that sent so much behind a refusal may be reset


@dataclass(frozen=True)
class Verdict:
    kind: str  # "": as it has to be; else one of KINDS
    text: str = ""

    def __str__(self):
        return f"{self.kind}: {self.text}"


# The worst first: read in two ways, or by the wrong one; malformed passed on; a cut answer that looks
# whole; no end; passed on what had to be refused; any other difference.
KINDS = ("DANGER", "INVALID", "SILENT", "HANG", "LAX", "WRONG", "")
GOOD = Verdict("")
SMUGGLED = b"/smuggled"


def _send(conversation, case, piece):
    for step in case.steps:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
        elif step == FINISH:
            conversation.finish()
        else:
            conversation.send(step, piece, pause=0.0002 if piece else 0)


def _answers_fault(case, conversation, answers, rest):
    """What the client cannot live with."""
    statuses = [answer.status for answer in answers]
    wanted = [200] * len(case.seen) + list(case.status[:1])
    said = f"{statuses}, then {conversation.end or 'nothing'}; {conversation.data[:300]!r}"
    if len(answers) < len(wanted) or not all(answer.complete for answer in answers):
        kind = "HANG" if not conversation.end else "WRONG"
        return Verdict(kind, f"wanted {wanted}, got {said}")
    if (statuses[:len(case.seen)] != wanted[:len(case.seen)] or len(answers) > len(wanted)
            or (case.status and statuses[-1] not in case.status) or rest):
        return Verdict("WRONG", f"wanted {wanted} (or {case.status}), got {said}")
    for seen, answer in zip(case.seen, answers):
        body = b"" if seen.method == "HEAD" else f"{seen.method} {seen.target}\n".encode("latin-1")
        if answer.body != body:
            return Verdict("DANGER", f"the answer to another request: {answer.body!r}")
    interim = [status for answer in answers for status in answer.interim]
    if interim[:len(case.interim)] != list(case.interim) or set(interim) - {100}:
        return Verdict("WRONG", f"interim answers {interim}")
    return GOOD


def _end_fault(case, conversation, answers):
    if case.keep:
        if conversation.end or any(answer.says_close for answer in answers):
            return Verdict("WRONG", f"the connection ended ({conversation.end}); {answers}")
        return GOOD
    if not conversation.end:
        return Verdict("HANG", f"the connection stands; {answers}")
    if conversation.end != "fin" and len(case.data) < MUCH and not case.silent:
        return Verdict("WRONG", f"a reset behind {answers}")
    if answers and not answers[-1].says_close and FINISH not in case.steps:
        return Verdict("WRONG", "closed without saying so")
    return GOOD


def _request_fault(seen, request):
    """Where the upstream's reading differs from the row."""
    framing = seen.framing or ("sized" if seen.body else "none")
    got_framing = request.framing if request.body or seen.framing else "none"
    if (request.method, request.target, request.body, got_framing) != (
            seen.method.encode(), seen.target.encode("latin-1"), seen.body, framing):
        return f"{request.method} {request.target[:80]} {request.framing} {request.body[:80]}"
    if seen.host is not None and request.host != seen.host.encode():
        return f"Host {request.host}"
    for name, *values in seen.has:
        if request.values(name) != [value.encode("latin-1") for value in values]:
            return f"{name}: {request.values(name)}"
    for name in seen.lacks:
        if request.values(name):
            return f"{name} is there: {request.values(name)}"
    return ""


def _upstream_fault(case, records):
    requests, parts = [], 0
    for data in records.values():
        if fault(data):
            return Verdict("INVALID", f"{fault(data)} in {data[:400]!r}")
        if disagreement(data):
            return Verdict("DANGER", f"{disagreement(data)[:1000]} in {data[:400]!r}")
        reading = STRICT.read(data)
        requests += [r for r in reading.requests if r.target != PROBE.encode()]
        parts += reading.rest == "incomplete"
    if parts > case.partial:
        return Verdict("WRONG", f"a part of a request went out: {list(records.values())}")
    if any(request.target == SMUGGLED for request in requests):
        return Verdict("DANGER", f"smuggled: {requests}")
    if len(requests) != len(case.seen):
        kind = "LAX" if case.status and len(requests) > len(case.seen) else "WRONG"
        return Verdict(kind, f"{len(requests)} requests arrived: {requests}")
    order = sorted(requests, key=lambda r: (r.target, r.method)), sorted(
        case.seen, key=lambda s: (s.target.encode("latin-1"), s.method.encode()))
    for request, seen in zip(*order):
        text = _request_fault(seen, request)
        if text:
            return Verdict("WRONG", f"wanted {seen}, arrived: {text}")
    return GOOD


def _probe_fault(conversation):
    answer = conversation.ask(get(target=PROBE))
    if answer.status != 200 or answer.body != f"GET {PROBE}\n".encode():
        return Verdict("DANGER", f"the probe behind it got {answer}")
    return GOOD


def _converse(lane, case, piece):
    with Conversation(lane.port) as conversation:
        conversation.methods = [seen.method for seen in case.seen]
        _send(conversation, case, piece)
        wanted = len(case.seen) + bool(case.status)
        answers, rest = conversation.wait(wanted, to_end=not case.keep)
        verdict = _answers_fault(case, conversation, answers, rest)
        if verdict is GOOD:
            verdict = _end_fault(case, conversation, answers)
        if verdict is GOOD and case.keep:
            verdict = _probe_fault(conversation)
    return verdict


def play(lane, case, piece=0):
    """`piece`: so many bytes at a time. The worst that can be said of it."""
    lane.upstream.take()
    try:
        client = _converse(lane, case, piece)
    except Malformed as malformed:
        client = Verdict("INVALID", f"to the client: {malformed}")
    except (AssertionError, OSError) as error:
        client = Verdict("WRONG", f"to the client: {type(error).__name__} {error}")
    try:
        with Conversation(lane.port) as conversation:
            after = _probe_fault(conversation)
    except (AssertionError, OSError) as error:
        after = Verdict("DANGER", f"the next client: {type(error).__name__} {error}")
    if case.partial:
        time.sleep(0.1)  # what the upstream has not read yet is this row's, not the next one's
    upstream = _upstream_fault(case, lane.upstream.settle())
    verdicts = sorted((client, after, upstream), key=lambda v: KINDS.index(v.kind))
    return Verdict(verdicts[0].kind, " | ".join(str(v) for v in verdicts if v is not GOOD))


