"""Asking the SQL Server Browser service which port a named instance listens on.

Source: Microsoft, [MC-SQLR] 2.2.3 (CLNT_UCAST_INST) and 2.2.5 (SVR_RESP).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

from ..reach import Address

PORT = 1434
TRIES = 3  # a datagram may get lost
_ASK_FOR_ONE = b"\x04"
_ANSWER = 5
_LONGEST = 1024 + 3


def port_of(instance: str, addresses: Sequence[Address], seconds: float, *, browser_port: int = PORT) -> int | None:
    """The TCP port of an instance; None when the service knows it but it has no TCP port.

    Raises TimeoutError when nobody answers, OSError when the answer means nothing.
    """
    question = _ASK_FOR_ONE + instance.encode("utf-8") + b"\0"
    wait = max(0.1, seconds / TRIES / max(1, len(addresses)))
    refused: OSError | None = None
    for _ in range(TRIES):
        for address in addresses:
            try:
                return _port(_ask(address, browser_port, question, wait))
            except TimeoutError:
                continue
            except ConnectionError as error:  # the host says that nothing listens there
                refused = error
        if refused is not None:
            raise refused
    raise TimeoutError("the SQL Server Browser service does not answer")


def _ask(address: Address, port: int, question: bytes, seconds: float) -> bytes:
    with socket.socket(address.family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds)
        sock.connect((address.ip, port))
        sock.send(question)
        return sock.recv(_LONGEST)


def _port(answer: bytes) -> int | None:
    if len(answer) < 3 or answer[0] != _ANSWER:
        raise OSError("the answer of the SQL Server Browser service cannot be read")
    (length,) = struct.unpack_from("<H", answer, 1)
    words = answer[3 : 3 + length].decode("utf-8", "replace").split(";")
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    port = pairs.get("tcp", "")
    return int(port) if port.isascii() and port.isdigit() else None
