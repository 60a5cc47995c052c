"""As much of a SQL Server as stands before the login is judged. Source: Microsoft, [MS-TDS] 2.2.6.4 and 2.2.6.5."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import suppress

from tests.certificates import Issued


class FakeSqlServer:
    """Answers PRELOGIN and shakes hands inside its packets; keeps the login that comes, and hangs up
    (or falls silent).

    ``encryption`` is its answer: 0 offered, 1 on, 2 not supported, 3 required.
    """

    def __init__(self, encryption: int, certificate: Issued, *, hang_up: bool = True) -> None:
        self._encryption = encryption
        self._hang_up = hang_up
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2  # as TDS 7.4 has it
        self._context.load_cert_chain(certificate.certificate_file, certificate.key_file)
        self.login = b""

    def __call__(self, peer: socket.socket) -> None:
        """Serve one connection."""
        options = [(0, b"\x10\x00\x03\xe8\x00\x00"), (1, bytes([self._encryption]))]
        if b"\x06\x00" in self._packet(peer)[:40]:  # the client has a token to send (FEDAUTHREQUIRED)
            options.append((6, b"\x01"))
        offset, head, data = 5 * len(options) + 1, b"", b""
        for token, value in options:
            head += struct.pack(">BHH", token, offset + len(data), len(value))
            data += value
        self._send(peer, 0x04, head + b"\xff" + data)
        if self._encryption != 2:
            self._read_login(peer, *self._shake_hands(peer))

    def _shake_hands(self, peer: socket.socket) -> tuple[ssl.SSLObject, ssl.MemoryBIO]:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)
        over = False
        while not over:
            incoming.write(self._packet(peer))
            with suppress(ssl.SSLWantReadError):
                tls.do_handshake()
                over = True
            answer = outgoing.read()
            if answer:
                self._send(peer, 0x12, answer)
        return tls, incoming

    def _read_login(self, peer: socket.socket, tls: ssl.SSLObject, incoming: ssl.MemoryBIO) -> None:
        """From here on the TLS records stand by themselves, with packets inside."""
        data = b""
        while len(data) < 8 or len(data) < struct.unpack(">H", data[2:4])[0]:
            received = peer.recv(65536)
            if not received:
                return
            incoming.write(received)
            with suppress(ssl.SSLWantReadError):
                while True:
                    data += tls.read(65536)
        self.login = data
        if self._hang_up:
            peer.shutdown(socket.SHUT_RDWR)

    def _send(self, peer: socket.socket, kind: int, body: bytes) -> None:
        peer.sendall(struct.pack(">BBHHBB", kind, 1, 8 + len(body), 0, 0, 0) + body)

    def _packet(self, peer: socket.socket) -> bytes:
        header = peer.recv(8, socket.MSG_WAITALL)
        if not header:
            raise ConnectionResetError("the client hung up")
        return peer.recv(struct.unpack(">BBH", header[:4])[2] - 8, socket.MSG_WAITALL)
