# SPDX-License-Identifier: BSD-2-Clause
"""Plays a row of the response matrix and judges what the client got, and who else got something."""

import time

from support.http_answers import Conversation, Malformed
from support.http_cases.request_case import get
from support.http_cases.responses import ANSWERS, BAD, CUTS, LATE
from support.recording_upstream import describe
from support.request_matrix import GOOD, KINDS, Verdict

TARGET = b"/case"


def _request(case):
    lines = [f"{case.method} {TARGET.decode()} HTTP/1.{case.minor}", "Host: a.example", *case.fields, "", ""]
    return "\r\n".join(lines).encode()


def _fields_fault(case, answer):
    for name, *values in case.has:
        if answer.values(name) != [value.encode("latin-1") for value in values]:
            return f"{name}: {answer.values(name)}"
    for name in case.lacks:
        if answer.values(name):
            return f"{name} is there: {answer.values(name)}"
    return ""


def _whole_fault(case, conversation, answer):
    if not answer.complete:
        return Verdict("WRONG" if conversation.end else "HANG", f"not whole: {answer} {conversation.end}"[:600])
    if answer.status != case.status or tuple(answer.interim) != case.interim:
        return Verdict("WRONG", f"status {answer.status}, interim {answer.interim}")
    if answer.body != case.body:
        return Verdict("DANGER", f"another body: {answer.body[:100]!r}")
    text = _fields_fault(case, answer)
    return Verdict("WRONG", text) if text else GOOD


def _refusal_fault(case, conversation, answer, status):
    if answer.status != status:
        kind = "INVALID" if answer.status == 200 and answer.complete else "WRONG"
        return Verdict(kind, f"wanted {status}, got {answer} {conversation.end}"[:600])
    if not answer.complete:
        return Verdict("HANG" if not conversation.end else "WRONG", f"a {status} cut short")
    if tuple(answer.interim) != case.interim:
        return Verdict("WRONG", f"interim {answer.interim}")
    return GOOD


def _cut_fault(case, conversation, answer):
    if answer.status == 502 and answer.complete:
        return GOOD
    if answer.complete:
        return Verdict("SILENT", f"a cut that looks whole: {answer} {conversation.end}")
    if not conversation.end:
        return Verdict("HANG", f"no end: {answer}")
    if not case.body.startswith(answer.body):
        return Verdict("DANGER", f"a body that nobody sent: {answer.body[:100]!r}")
    return GOOD


def _client_fault(lane, case):
    with Conversation(lane.port) as conversation:
        conversation.methods = [case.method]
        conversation.send(_request(case))
        answers, rest = conversation.wait(1, to_end=case.kind == CUTS or not case.keep)
        if len(answers) != 1 or rest:
            kind = "HANG" if not conversation.end else "WRONG"
            return Verdict(kind, f"{answers} {rest!r} {conversation.end} {conversation.data[:300]!r}"[:600])
        verdict = {
            ANSWERS: lambda: _whole_fault(case, conversation, answers[0]),
            BAD: lambda: _refusal_fault(case, conversation, answers[0], 502),
            LATE: lambda: _refusal_fault(case, conversation, answers[0], 504),
            CUTS: lambda: _cut_fault(case, conversation, answers[0]),
        }[case.kind]()
        time.sleep(case.wait)
        if verdict is GOOD and case.kind == ANSWERS and case.keep:
            verdict = _next_fault(conversation, "/same")
        return verdict


def _next_fault(conversation, target):
    answer = conversation.ask(get(target=target))
    if answer.status != 200 or answer.body != f"GET {target}\n".encode():
        return Verdict("DANGER", f"{target} behind it got {answer}"[:600])
    return GOOD


def _upstream_fault(lane, case):
    """Whether the connection of the case was used again where it must not be."""
    for data in lane.upstream.take().values():
        if b" " + TARGET + b" " not in data:
            continue
        more = data.split(b" " + TARGET + b" ")[-1].split(b"\r\n\r\n", 1)[-1]
        if more and not case.pooled:
            return Verdict("DANGER", f"the connection was used again: {more[:200]!r}")
        if not more and case.pooled and case.keep:
            return Verdict("WRONG", "the connection was not used again")
    return GOOD


def _tried(what, *arguments):
    try:
        return what(*arguments)
    except Malformed as malformed:
        return Verdict("INVALID", f"to the client: {malformed}")
    except (AssertionError, OSError) as error:
        return Verdict("WRONG", f"{what.__name__}: {type(error).__name__} {error}"[:600])


def _other_client_fault(lane):
    with Conversation(lane.port) as conversation:
        return _next_fault(conversation, "/other")


def play(lane, case):
    lane.upstream.take()
    lane.upstream.plan = lambda request, connection: (
        case.steps if request.target == TARGET else describe(request))
    verdicts = [_tried(_client_fault, lane, case), _tried(_other_client_fault, lane), _upstream_fault(lane, case)]
    worst = min(verdicts, key=lambda verdict: KINDS.index(verdict.kind))
    return Verdict(worst.kind, " | ".join(str(v) for v in verdicts if v is not GOOD))
