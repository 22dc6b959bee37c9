# SPDX-License-Identifier: BSD-2-Clause
"""Raw requests of every shape: each is passed on so that all readers read the same, or refused with
its status and a close. Every row is sent in one piece and, where it is short, byte by byte."""

import collections

import pytest

from support import http_lanes
from support.http_cases import request_fields, request_framing, request_lines
from support.request_matrix import play

CASES = request_lines.CASES + request_framing.CASES + request_fields.CASES
LANES = 8


@pytest.fixture(name="matrix", scope="module")
def matrix_fixture(module_stage):
    """{(case, bytes at a time): verdict}"""
    lanes = http_lanes.build(module_stage, LANES)
    gateway = module_stage.gateway(
        http_lanes.configuration(module_stage, lanes, client_header_timeout="2s",
                                 client_body_timeout="2s", proxy_read_timeout="4s"), workers=1)
    workers = gateway.workers()
    runs = [(case, 0) for case in CASES] + [(case, 1) for case in CASES if case.can_be_cut]
    runs.sort(key=lambda run: 408 not in run[0].status)  # those that wait begin first
    verdicts = http_lanes.run(lanes, runs, lambda lane, run: play(lane, *run))
    assert gateway.workers() == workers, "CRASH: a worker died"
    return verdicts


def test_the_matrix_is_whole():
    assert len(CASES) >= 200 and len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_request(matrix, case):
    verdict = matrix[case, 0]
    assert not verdict.kind, verdict
    verdict = matrix.get((case, 1))
    assert not verdict or not verdict.kind, f"byte by byte: {verdict}"


def test_nothing_worse_than_a_wrong_status(matrix):
    """Those that may never be: their number is 0."""
    found = collections.Counter(verdict.kind for verdict in matrix.values())
    assert not set(found) & {"DANGER", "INVALID", "HANG", "LAX"}, found
