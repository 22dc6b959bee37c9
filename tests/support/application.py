# SPDX-License-Identifier: BSD-2-Clause
"""A server for the far end of a tunnel, plain or TLS; a program, so that it has a CPU of its own.

The first line of a connection says what it does; anything else is echoed, first bytes included:
    SEND N\\n   sends N bytes of the pattern, then ends
    SINK\\n     takes bytes until the end, answers "COUNT CRC\\n"
    HOLD\\n     answers "held\\n", then reads and says nothing until the client's end
    TAIL MODE\\n sends 100,000 bytes of the pattern and ends: clean, truncated or reset
Each connection writes JSON lines to --log: its handshake (or why there was none) and its end.
"""

import argparse
import itertools
import json
import random
import socket
import ssl
import struct
import threading
import time
import zlib

from support.tls_stream import TlsStream, is_unexpected_end

_BLOCK = random.Random(1).randbytes(1 << 20)


def pattern(count):
    """`count` bytes in pieces; no two MiB of it are the same."""
    for number in itertools.count():
        if count <= 0:
            return
        piece = struct.pack(">Q", number) + _BLOCK[8:]
        yield piece if count >= len(piece) else piece[:count]
        count -= len(piece)


def pattern_crc(count):
    crc = 0
    for piece in pattern(count):
        crc = zlib.crc32(piece, crc)
    return crc


class SlowReader:
    """So many bytes a second for so many seconds, nothing for a while, then as fast as it goes."""

    def __init__(self, rate=1_000_000, slow=20, stop=5):
        self.rate, self.slow, self.stop = rate, slow, stop
        self.started, self.has_stopped = time.monotonic(), False

    def pause(self, done):
        """How many seconds to wait before reading on, with `done` bytes read."""
        if done < self.rate * self.slow:
            return max(0.0, done / self.rate - (time.monotonic() - self.started))
        pause = 0 if self.has_stopped else self.stop
        self.has_stopped = True
        return pause


class Log:
    def __init__(self, path):
        self.file = open(path, "a", buffering=1) if path else None
        self.lock = threading.Lock()

    def write(self, **fields):
        if self.file:
            with self.lock:
                self.file.write(json.dumps({"time": time.time(), **fields}) + "\n")


class PlainStream:
    """A socket with the operations of TlsStream."""

    def __init__(self, sock):
        self.sock = sock
        self.recv, self.sendall, self.close = sock.recv, sock.sendall, sock.close

    def end_writing(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    cut_writing = end_writing


class Connection:
    def __init__(self, stream):
        self.stream = stream
        self.received = self.sent = 0

    def receive(self, size=256 * 1024):
        data = self.stream.recv(size)
        self.received += len(data)
        return data

    def send(self, data):
        self.stream.sendall(data)
        self.sent += len(data)

    def until_end(self):
        while self.receive():
            pass

    def serve(self):
        """Returns how the connection ended."""
        first = self.receive()
        line = first.split(b"\n", 1)[0].split()
        if line and line[0] == b"SEND":
            for piece in pattern(int(line[1])):
                self.send(piece)
        elif line and line[0] == b"SINK":
            self.sink(first.split(b"\n", 1)[1])
        elif line and line[0] == b"HOLD":
            self.send(b"held\n")
            self.until_end()
        elif line and line[0] == b"TAIL":
            return self.tail(line[1].decode())
        else:
            while first:
                self.send(first)
                first = self.receive()
        self.stream.end_writing()
        self.until_end()
        return "done"

    def sink(self, data):
        crc = count = 0
        data = data or self.receive()
        while data:
            crc = zlib.crc32(data, crc)
            count += len(data)
            data = self.receive()
        self.send(f"{count} {crc}\n".encode())

    def tail(self, mode):
        for piece in pattern(100_000):
            self.send(piece)
        if mode == "reset":
            time.sleep(0.2)  # else the reset may overtake the bytes
            linger = struct.pack("ii", 1, 0)
            self.stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return mode
        if mode == "truncated":
            self.stream.cut_writing()
        else:
            self.stream.end_writing()
        self.until_end()
        return mode


class Server:
    def __init__(self, arguments):
        self.log = Log(arguments.log)
        self.context = make_context(arguments) if arguments.tls else None
        self.numbers = itertools.count(1)
        self.greeting = arguments.greeting.encode()
        family = socket.AF_INET6 if ":" in arguments.host else socket.AF_INET
        self.listener = socket.create_server((arguments.host, arguments.port), family=family,
                                             backlog=4096)

    def run(self):
        while True:
            sock, address = self.listener.accept()
            threading.Thread(target=self.handle, args=(sock, address, next(self.numbers)),
                             daemon=True).start()

    def handle(self, sock, address, number):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.log.write(n=number, event="accepted", host=address[0], port=address[1])
        stream = self.shake_hands(sock, number) if self.context else PlainStream(sock)
        if not stream:
            return
        connection = Connection(stream)
        try:
            if self.greeting:
                connection.send(self.greeting)
            end = connection.serve()
        except ssl.SSLError as error:
            end = "truncated" if is_unexpected_end(error) else f"tls: {error.reason}"
        except ConnectionResetError:
            end = "reset"
        except OSError as error:
            end = f"error: {error}"
        sock.close()
        self.log.write(n=number, event="end", received=connection.received, sent=connection.sent,
                       end=end)

    def shake_hands(self, sock, number):
        stream = TlsStream(sock, self.context, server_side=True)
        try:
            stream.handshake()
        except (ssl.SSLError, OSError) as error:
            self.log.write(n=number, event="refused", error=str(error),
                           reason=getattr(error, "reason", None))
            sock.close()
            return None
        tls = stream.tls
        subject = dict(pair[0] for pair in (tls.getpeercert() or {}).get("subject", ()))
        self.log.write(n=number, event="handshake", resumed=tls.session_reused,
                       protocol=tls.version(), cipher=tls.cipher()[0],
                       sni=getattr(tls, "asked_name", None), client=subject.get("commonName"),
                       alpn=tls.selected_alpn_protocol())
        return stream


def make_context(arguments):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # a cut is no end
    if arguments.ciphers:
        context.set_ciphers(arguments.ciphers)
    context.minimum_version = getattr(ssl.TLSVersion, arguments.min)
    context.maximum_version = getattr(ssl.TLSVersion, arguments.max)
    context.load_cert_chain(*arguments.tls)
    if arguments.dh:
        context.load_dh_params(arguments.dh)
    if arguments.client_ca:
        context.load_verify_locations(arguments.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED if arguments.require else ssl.CERT_OPTIONAL
    if arguments.no_tickets:
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    if arguments.alpn:
        context.set_alpn_protocols(arguments.alpn.split(","))

    def note_name(tls, name, _):
        tls.asked_name = name
    context.sni_callback = note_name
    return context


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log")
    parser.add_argument("--greeting", default="", help="sent first of all")
    parser.add_argument("--tls", nargs=2, metavar=("CHAIN", "KEY"))
    parser.add_argument("--client-ca")
    parser.add_argument("--require", action="store_true", help="a client certificate")
    parser.add_argument("--min", default="TLSv1_2")
    parser.add_argument("--max", default="TLSv1_3")
    parser.add_argument("--ciphers")
    parser.add_argument("--dh")
    parser.add_argument("--no-tickets", action="store_true")
    parser.add_argument("--alpn")
    return parser.parse_args()


if __name__ == "__main__":
    Server(parse()).run()
