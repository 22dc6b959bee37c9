# SPDX-License-Identifier: BSD-2-Clause
"""Lanes through one worker of the gateway, for matrices: each has a listener and a recording upstream
of its own, so that cases run side by side and what arrives is known to be of which case."""

import concurrent.futures
import queue

from support.recording_upstream import RecordingUpstream

SET_HEADERS = ("Host $host", "X-Forwarded-For $proxy_add_x_forwarded_for", "X-Real-IP $remote_addr",
               "X-Client-DN $ssl_client_s_dn")


class Lane:
    def __init__(self, number, port, upstream):
        self.number, self.port, self.upstream = number, port, upstream


def upstream_tls(pki, client="gateway", name="backend1.example.com"):
    """The keys for verified TLS with a client certificate."""
    certificate = pki.client(client)
    return {"proxy_ssl_certificate": certificate.chain, "proxy_ssl_certificate_key": certificate.key,
            "proxy_ssl_trusted_certificate": pki.authority().root.certificate, "proxy_ssl_name": name}


def configuration(stage, lanes, **http):
    """`http`: more keys for [http]."""
    sections = {"http": {**upstream_tls(stage.pki), "access_log": f"{stage.folder}/access.log upstream_tls",
                         **http}}
    for lane in lanes:
        target = f"https://127.0.0.1:{lane.upstream.port}"
        sections[f"http lane{lane.number}"] = {"listen": f"127.0.0.1:{lane.port}"}
        sections[f"location lane{lane.number} /"] = {"proxy_pass": target,
                                                     "proxy_set_header": SET_HEADERS}
        sections[f"location lane{lane.number} /plain"] = {"proxy_pass": target}
    return sections


def build(stage, count, **upstream):
    return [Lane(number, stage.port(), stage.add(RecordingUpstream(stage.pki, **upstream)))
            for number in range(count)]


def run(lanes, cases, play):
    """{case: play(lane, case)}, as many at a time as there are lanes."""
    free = queue.SimpleQueue()
    for lane in lanes:
        free.put(lane)

    def one(case):
        lane = free.get()
        try:
            return play(lane, case)
        finally:
            free.put(lane)

    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        return dict(zip(cases, pool.map(one, cases)))
