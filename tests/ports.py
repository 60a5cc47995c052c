"""Loopback ports that behave or misbehave as a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def listening(answer: Callable[[socket.socket], object], *, at_once: bool = False) -> Iterator[int]:
    """A loopback port; each connection is handed to ``answer``, one after the other or ``at_once``, and held until the end."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak(peer: socket.socket) -> None:
            with suppress(OSError):
                answer(peer)

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                held.append(peer)
                peer.settimeout(5)
                if at_once:
                    threading.Thread(target=speak, args=(peer,), daemon=True).start()
                else:
                    speak(peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    for peer in held:
        peer.close()


def closed_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def no_answer(_: socket.socket) -> None:
    """Say nothing at all."""


def speak_http(peer: socket.socket) -> None:
    """Answer as a web server does to what it cannot read."""
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
