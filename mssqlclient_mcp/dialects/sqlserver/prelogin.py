"""The first words of a SQL Server connection, to learn whether it encrypts and which certificate it shows.

Source: Microsoft, [MS-TDS] 2.2.6.5 (PRELOGIN), 2.2.3 (packets), 3.2.5.1 (the TLS handshake travels inside PRELOGIN packets);
with TDS 8.0 (Encrypt=Strict) TLS comes first, with the protocol name ``tds/8.0``.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

ALPN = "tds/8.0"

_PRELOGIN, _ANSWER = 0x12, 0x04
_VERSION, _ENCRYPTION, _END = 0, 1, 0xFF
_LAST = 1
_HEADER = struct.Struct(">BBHHBB")
_OPTION = struct.Struct(">BHH")
_LARGEST = 32767


class Encryption(IntEnum):
    """What the server answers to a client that does not insist."""

    OFFERED = 0  # the login is encrypted, the rest when the client asks for it
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


class NotTds(OSError):
    """What answers speaks another protocol."""


@dataclass(frozen=True)
class Greeting:
    """The server's answer."""

    version: tuple[int, int, int]
    encryption: Encryption


def greet(sock: socket.socket) -> Greeting:
    """Say hello without insisting on encryption. Raises NotTds, TimeoutError and other OSErrors."""
    head = 2 * _OPTION.size + 1
    body = _OPTION.pack(_VERSION, head, 6) + _OPTION.pack(_ENCRYPTION, head + 6, 1) + bytes([_END])
    _send(sock, body + bytes(6) + bytes([Encryption.OFFERED]))
    kind, answer = _receive(sock)
    if not answer:
        raise NotTds("it hung up at the first packet")
    options = _options(answer) if kind == _ANSWER else {}
    version, encryption = options.get(_VERSION, b""), options.get(_ENCRYPTION, b"")
    if len(version) < 4 or len(encryption) != 1 or encryption[0] not in tuple(Encryption):
        raise NotTds("its answer is not SQL Server's")
    return Greeting((version[0], version[1], version[2] << 8 | version[3]), Encryption(encryption[0]))


class TdsLine:
    """Carries a TLS handshake in PRELOGIN packets (a ``reach.Line``)."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def send(self, data: bytes) -> None:
        """One packet."""
        _send(self._socket, data)

    def receive(self) -> bytes:
        """The content of the next packet."""
        return _receive(self._socket)[1]


def _send(sock: socket.socket, body: bytes) -> None:
    sock.sendall(_HEADER.pack(_PRELOGIN, _LAST, _HEADER.size + len(body), 0, 0, 0) + body)


def _receive(sock: socket.socket) -> tuple[int, bytes]:
    header = _exactly(sock, _HEADER.size)
    if len(header) < _HEADER.size:
        return 0, b""
    kind, _, length, _, _, _ = _HEADER.unpack(header)
    if kind not in (_PRELOGIN, _ANSWER) or not _HEADER.size < length <= _LARGEST:
        raise NotTds("its answer is not SQL Server's")
    return kind, _exactly(sock, length - _HEADER.size)


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            break
        data += part
    return data


def _options(body: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for start in range(0, len(body) - _OPTION.size + 1, _OPTION.size):
        if body[start] == _END:
            break
        token, offset, length = _OPTION.unpack_from(body, start)
        found[token] = body[offset : offset + length]
    return found
