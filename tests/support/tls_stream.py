# SPDX-License-Identifier: BSD-2-Clause
"""TLS over a socket by hand, for what ssl.SSLSocket cannot do: end one direction and go on reading.

SSLSocket.unwrap() sends close_notify and at once looks for the other side's; application data that
comes in its place is lost. Here OpenSSL sees only bytes that `recv` gave it.
"""

import socket
import ssl

_PIECE = 1 << 16
_RECORD = 1 << 14


class TlsStream:
    """As far as a test needs it: recv, sendall, end_writing, close."""

    def __init__(self, sock, context, **options):
        self.sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, **options)

    def _flush(self):
        data = self._outgoing.read()
        if data:
            self.sock.sendall(data)

    def _until_done(self, operation, *arguments):
        while True:
            try:
                return operation(*arguments)
            except ssl.SSLWantReadError:
                self._flush()
                data = self.sock.recv(_PIECE)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            finally:
                self._flush()

    def handshake(self):
        self._until_done(self.tls.do_handshake)

    def recv(self, count):
        """b"" after close_notify; an end without it is an SSLError (see is_cut)."""
        try:
            return self._until_done(self.tls.read, min(count, _RECORD))
        except ssl.SSLZeroReturnError:
            return b""

    def sendall(self, data):
        view = memoryview(data)
        while view:
            sent = self._until_done(self.tls.write, view[:_PIECE])
            view = view[sent:]

    def end_writing(self):
        """close_notify and FIN; reading goes on."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass  # sent; the other side's own has not come yet
        try:
            self._flush()
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut_writing(self):
        """FIN alone."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def is_unexpected_end(error):
    """Whether an SSLError says that TLS ended without close_notify."""
    return isinstance(error, ssl.SSLEOFError) or error.reason == "UNEXPECTED_EOF_WHILE_READING"
