"""TLS in front of a PostgreSQL server that has none: answers the SSLRequest, shakes hands, and passes the rest on."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


class TlsFront:
    """Listens on a loopback port. ``clients`` is the authority whose certificates clients must show."""

    def __init__(self, url: str, certificate: Path, key: Path, *, clients: Path | None = None) -> None:
        parts = conninfo_to_dict(url)
        self._host, self._port = str(parts.get("host", "127.0.0.1")), int(str(parts.get("port", 5432)))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        if clients is not None:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(clients)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.client_subjects: list[object] = []
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        self._start(self._accept)

    def close(self) -> None:
        """Cut all lines and end all threads."""
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(timeout=10)

    def _start(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(10)
            if client.recv(8) != SSL_REQUEST:
                return
            client.sendall(b"S")
            with self._context.wrap_socket(client, server_side=True) as secure, self._reach() as server:
                self.client_subjects.append((secure.getpeercert() or {}).get("subject"))
                self._pump(secure, server)

    def _reach(self) -> socket.socket:
        if self._host.startswith("/"):
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(f"{self._host}/.s.PGSQL.{self._port}")
            return server
        return socket.create_connection((self._host, self._port))

    def _pump(self, secure: ssl.SSLSocket, server: socket.socket) -> None:
        while not self._over.is_set():
            ready, _, _ = ([secure], None, None) if secure.pending() else select.select([secure, server], [], [], 0.2)
            for source in ready:
                data = source.recv(65536)
                if not data:
                    return
                (server if source is secure else secure).sendall(data)
