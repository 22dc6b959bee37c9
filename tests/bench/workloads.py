# SPDX-License-Identifier: BSD-2-Clause
"""What is measured: one table of workloads of three kinds; runs.py knows how to run each kind.

`work` is that of build/bench/load, `listener` one of configurations.LISTENERS, `tls` what the client speaks,
`at_once` its connections, `path` what it asks for where it speaks HTTP.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """Work per CPU-second of the proxy."""
    name: str
    title: str
    listener: str
    work: str
    unit: str = "connections"  # or "requests", "GB": what is counted
    at_once: int = 32
    path: str = "/"
    tls: str = "plain"
    resume: bool = False       # the client keeps its tickets
    pooled: bool = False       # the listener keeps its upstream connections
    resumed_seen_by: str = ""  # "upstream" or "client": who counts resumed handshakes
    aim: float = 0.0           # times the best rival; 0: none

    @property
    def http(self):
        return self.work in ("requests", "request-connections")


@dataclass(frozen=True)
class Idle:
    """PSS growth per idle connection."""
    name: str
    title: str
    listener: str
    tls: str = "plain"
    aim: float = 0.0  # KiB at most
    work: str = "idle"
    path: str = "/"


@dataclass(frozen=True)
class Calls:
    """System calls per connection, request or MB, in a run under strace."""
    name: str
    title: str
    listener: str
    work: str
    unit: str = "connections"  # or "requests", "MB"
    at_once: int = 32
    path: str = "/"
    tls: str = "plain"
    aim: float = 0.0  # calls at most; 0: none

    @property
    def http(self):
        return self.work == "requests"


SPOKEN = {"tls13": "TLS 1.3", "tls12": "TLS 1.2"}

WORKLOADS = [
    Rate("tcp_conns_tls13", "new connections, upstream TLS 1.3", "tls13", "connections",
         resumed_seen_by="upstream", aim=1.4),
    Rate("tcp_conns_tls12", "new connections, upstream TLS 1.2", "tls12", "connections",
         resumed_seen_by="upstream", aim=1.8),
    Rate("tcp_bulk_up", "bulk from a plain client to a TLS 1.3 upstream", "up", "up",
         unit="GB", at_once=8, aim=1.4),
    Rate("tcp_bulk_down", "bulk from a TLS 1.3 upstream to a plain client", "down", "down",
         unit="GB", at_once=8, aim=1.2),
    *(Rate(f"tls_terminate_{handshake}_{key}_{version}",
           f"new {SPOKEN[version]} clients, {handshake} handshakes, {key.upper()} certificate",
           key, "connections", tls=version, resume=handshake == "resumed",
           resumed_seen_by="client", aim=1.3 if handshake == "resumed" else 0.0)
      for handshake in ("full", "resumed")
      for key in ("ecdsa", "rsa")
      for version in ("tls13", "tls12")),
    Rate("http_small", "answers of 1 KiB, kept-alive clients, pooled TLS 1.3 upstream", "http13",
         "requests", unit="requests", at_once=64, path="/small", pooled=True, aim=1.15),
    Rate("http_newconn", "answers of 1 KiB, a connection per request, pooled TLS 1.3 upstream",
         "http13", "request-connections", unit="requests", at_once=64, path="/small",
         pooled=True, aim=1.2),
    *(Rate(f"http_noreuse_{version}",
           f"answers of 1 KiB, kept-alive clients, a {SPOKEN[version]} upstream connection each",
           f"http{version[3:]}_noreuse", "requests", unit="requests", path="/small",
           resumed_seen_by="upstream", aim=aim)
      for version, aim in (("tls13", 1.4), ("tls12", 1.8))),
    Rate("http_large", "answers of 1 MiB, kept-alive clients, pooled TLS 1.3 upstream", "http13",
         "requests", unit="GB", at_once=16, path="/large", pooled=True, aim=1.25),
    Idle("idle_memory_upstream", "memory per idle connection, plain client, TLS 1.3 upstream",
         "tls13", aim=18),
    Idle("idle_memory_client", "memory per idle connection, TLS 1.3 client, plain upstream",
         "ecdsa", tls="tls13", aim=18),
    Calls("calls_tcp_conns_tls13", "system calls per connection, upstream TLS 1.3",
          "tls13", "connections"),
    Calls("calls_tcp_conns_tls12", "system calls per connection, upstream TLS 1.2",
          "tls12", "connections"),
    Calls("calls_tcp_bulk_up", "system calls per MB, client to upstream", "up", "up",
          unit="MB", at_once=8),
    Calls("calls_tcp_bulk_down", "system calls per MB, upstream to client", "down", "down",
          unit="MB", at_once=8),
    Calls("calls_http_small", "system calls per kept-alive request", "http13", "requests",
          unit="requests", at_once=64, path="/small", aim=4.3),
]


def select(words):
    """The workloads whose names begin with one of `words`; all when there are none."""
    unknown = [word for word in words if not any(w.name.startswith(word) for w in WORKLOADS)]
    if unknown:
        raise SystemExit(f"bench: no workload begins with '{unknown[0]}'; there are:\n  "
                         + "\n  ".join(workload.name for workload in WORKLOADS))
    return [w for w in WORKLOADS if not words or w.name.startswith(tuple(words))]
