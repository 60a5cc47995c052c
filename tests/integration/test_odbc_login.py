"""What real ODBC drivers make of our connection strings, seen from the wire.

A listener speaks just enough TDS to receive the login packet, decodes it and hangs up. So user, password, database and
application name are compared as the server would get them, after the driver manager's and the driver's own reading.
Source: Microsoft, [MS-TDS] 2.2.6.4 (LOGIN7) and 2.2.6.5 (PRELOGIN).
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mssqlclient_mcp.connection_string import ConnectionSettings, Secret, odbc_connection_string
from mssqlclient_mcp.errors import ConfigInvalid, InvalidParameter

pyodbc = pytest.importorskip("pyodbc", exc_type=ImportError, reason="no ODBC library (unixODBC) on this machine")

PRELOGIN, LOGIN7 = 0x12, 0x10
PRELOGIN_ANSWER = struct.pack(
    ">BHHBHHB6sB", 0, 11, 6, 1, 17, 1, 0xFF, b"\x10\x00\x03\xe8\x00\x00", 2
)  # version 16.0.1000, encryption not supported: the login then comes in the clear


class Listener:
    """Takes one connection after the other and keeps the fields of the last login."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.login: dict[str, str] = {}
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(5)
                self._talk(peer)

    def _talk(self, peer: socket.socket) -> None:
        kind, body = _message(peer)
        if kind == PRELOGIN:
            peer.sendall(struct.pack(">BBHHBB", 4, 1, 8 + len(PRELOGIN_ANSWER), 0, 0, 0) + PRELOGIN_ANSWER)
            kind, body = _message(peer)
        if kind == LOGIN7:
            self.login = _fields(body)


def _message(peer: socket.socket) -> tuple[int, bytes]:
    body = b""
    while True:
        header = _exactly(peer, 8)
        if not header:
            return 0, b""
        kind, status, length = struct.unpack(">BBH", header[:4])
        body += _exactly(peer, length - 8)
        if status & 1:
            return kind, body


def _exactly(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = peer.recv(size - len(data))
        if not part:
            return b""
        data += part
    return data


def _fields(body: bytes) -> dict[str, str]:
    names = ("host", "user", "password", "application", "server", "", "library", "language", "database")
    fields = {}
    for number, name in enumerate(names):
        offset, length = struct.unpack_from("<HH", body, 36 + 4 * number)
        raw = body[offset : offset + 2 * length]
        if name == "password":
            raw = bytes((byte ^ 0xA5) >> 4 | ((byte ^ 0xA5) & 15) << 4 for byte in raw)
        fields[name] = raw.decode("utf-16-le")
    return fields


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener on a free port of the loopback."""
    it = Listener()
    yield it
    it.close()


def drivers() -> list[str]:
    """FreeTDS when it is registered, and Microsoft's driver, registered or from its Python package."""
    found = [name for name in pyodbc.drivers() if name == "FreeTDS" or name.startswith("ODBC Driver ")]
    try:
        import mssql_python_odbc
    except ImportError:
        return found
    library = Path(mssql_python_odbc.__file__).parent / "libs" / "linux" / "debian_ubuntu" / "x86_64" / "lib"
    return found + [str(path) for path in sorted(library.glob("libmsodbcsql-*.so*"))[:1]]


def send(listener: Listener, driver: str, wanted: dict[str, str]) -> dict[str, str]:
    """Log in with the values wanted, and tell what arrived of them."""
    text = odbc_connection_string(
        ConnectionSettings(
            "sqlserver", "127.0.0.1", listener.port, user=wanted["user"], password=Secret(wanted["password"]), encrypt="no"
        ),
        driver=driver,
        freetds=driver == "FreeTDS",
        database=wanted["database"],
        application_name=wanted["application"],
    )
    listener.login = {}
    with pytest.raises(pyodbc.Error):
        pyodbc.connect(text, timeout=5)
    return {name: listener.login.get(name, "(nothing came)") for name in wanted}


VALUE = st.text(st.sampled_from("ab1;={}[]\"' \\,%@:/?#&+é漢"), min_size=1, max_size=20)


@pytest.mark.parametrize("driver", drivers() or [pytest.param("", marks=pytest.mark.skip("no driver for SQL Server"))])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(user=VALUE.filter(lambda user: "\\" not in user), password=VALUE, database=VALUE, application=VALUE)
@example(user="u", password="a;b", database="x;UID=sa;PWD=evil", application="}")
@example(user="u;UID=sa", password="}", database="}};UID=sa", application="{a}")
@example(user="{u", password="{", database="{}", application=";")
@example(user="u", password="p", database="x};DSN=evil;UID=sa", application="a")
@example(user="u}", password="a}b", database="d}", application="};UID=sa")
@example(user=" u ", password=" p ", database=" d ", application=" a ")
def test_a_real_driver_sends_each_value_as_it_was_given(
    listener: Listener, driver: str, user: str, password: str, database: str, application: str
) -> None:
    """User, password, database and application name arrive as given, whatever quotes, braces and semicolons they hold.
    What FreeTDS cannot be told (a ``}`` beside a ``;``, or in braces) is refused before; a user with a backslash means a
    Windows domain to it, which is another kind of login."""
    wanted = {"user": user, "password": password, "database": database, "application": application}
    try:
        arrived = send(listener, driver, wanted)
    except (ConfigInvalid, InvalidParameter):
        assert driver == "FreeTDS"
        assert any("}" in value for value in (user, password, database))
        return
    if driver == "FreeTDS":
        wanted["application"] = application.replace("}", ")")
    assert arrived == wanted
