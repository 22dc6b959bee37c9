# SPDX-License-Identifier: BSD-2-Clause
"""What differs between the protocols in tests of what they share: TLS on either side.

Each of them has
    site(...)     the sections of one site "NAME" before a port or a group; over TLS to its upstream
    listener(...) those of one whose clients come over TLS, and what answers them
    group(...)    the keys of an [upstream] whose connections carry one client's bytes each
    nginx(...)    an upstream that accounts for each visit's handshake
    visit(port)   one client, which has one connection made to the upstream
    greet(sock)   a word there and back on a connection that stays
"""

from support.clients import connect, fetch, receive_exactly
from support.http_answers import Conversation
from support.http_cases.request_case import get
from support.upstreams import NginxHttp, NginxStream


class Tcp:
    kind, scheme = "tcp", ""

    def site(self, stage, port, target, name="echo", **keys):
        tunnel = stage.tls_tunnel(port, target, **keys)
        return {f"tcp {name}": tunnel["tcp echo"]}

    def listener(self, stage, port, name="echo", **keys):
        application = stage.application(name=f"{name}-plain")
        tunnel = stage.tunnel(port, application.port, **keys)["tcp echo"]
        return {f"tcp {name}": {**tunnel, "listen": f"{tunnel['listen']} ssl"}}

    def group(self, *servers, **keys):
        return {"server": [f"127.0.0.1:{port}" for port in servers], **keys}

    def nginx(self, stage, certificate, name="nginx", **options):
        plain = stage.application(name=f"{name}-plain")
        return stage.upstream(NginxStream, certificate, plain.port, name=name, **options)

    def visit(self, port):
        fetch(port)

    def greet(self, sock):
        sock.sendall(b"hello\n")
        assert receive_exactly(sock, 6) == b"hello\n"


class Http:
    """Without kept upstream connections: else one handshake would do for all visits."""

    kind, scheme = "http", "https://"

    def site(self, stage, port, target, name="echo", **keys):
        tunnel = stage.tls_tunnel(port, target, **keys)["tcp echo"]
        del tunnel["proxy_ssl"]
        if not isinstance(target, int):
            return {f"http {name}": {**tunnel, "proxy_pass": f"https://{target}"}}
        return {f"http {name}": {**tunnel, "proxy_pass": f"https://{name}"},
                f"upstream {name}": self.group(target)}

    def listener(self, stage, port, name="echo", **keys):
        return {f"http {name}": {"listen": f"127.0.0.1:{port} ssl", "return": '200 "hello"', **keys}}

    def group(self, *servers, **keys):
        return {"server": [f"127.0.0.1:{port}" for port in servers], "keepalive": 0, **keys}

    def nginx(self, stage, certificate, name="nginx", **options):
        return stage.upstream(NginxHttp, certificate, name=name, **options)

    def visit(self, port):
        with Conversation(port, sock=connect(port, timeout=60), timeout=60) as client:
            answer = client.ask(get(target="/visit"))
        assert (answer.status, answer.body, answer.complete) == (200, b"/visit", True)

    def greet(self, sock):
        answer = Conversation(0, sock=sock).ask(get())
        assert (answer.status, answer.body) == (200, b"hello")


PROTOCOLS = {each.kind: each() for each in (Tcp, Http)}
