"""The seam to the driver: the part of pyodbc that is used, as protocols, and the one place that imports it.

Tests put a fake module of the same shape here (``SqlServerDialect(load=...)``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, cast

from ...errors import DriverMissing
from ...platforms import System, for_system, this_system

Description = Sequence[tuple[str, type, object, int, int, int, "bool | None"]]
Converter = Callable[[bytes], object]

# The SQL type codes of Microsoft's ODBC headers (sqlncli.h / msodbcsql.h) and sqlext.h that need care here.
SQL_CHAR = 1
SQL_WCHAR = -8
SQL_TYPE_TIMESTAMP = 93
SQL_SS_UDT = -151
SQL_SS_TIME2 = -154
SQL_SS_TIMESTAMPOFFSET = -155
SQL_COPT_SS_ACCESS_TOKEN = 1256  # a connection attribute: an ACCESSTOKEN structure, set before connecting

MANAGER: Mapping[System, str] = {
    System.LINUX: "install the package unixODBC   (Debian, Ubuntu: sudo apt-get install -y libodbc2)",
    System.DEBIAN: "sudo apt-get install -y libodbc2",
    System.RHEL: "sudo dnf install -y unixODBC",
    System.ALPINE: "sudo apk add unixodbc",
    System.SUSE: "sudo zypper install -y unixODBC",
    System.MACOS: "brew install unixodbc",
    System.WINDOWS: "pip install --force-reinstall pyodbc   (Windows brings its own ODBC driver manager)",
}
"""The command that installs the ODBC driver manager."""


class OdbcCursor(Protocol):
    """pyodbc.Cursor as far as it is used; ``cancel`` alone may be called from another thread."""

    noscan: bool
    arraysize: int

    @property
    def description(self) -> Description | None: ...

    @property
    def rowcount(self) -> int: ...

    @property
    def messages(self) -> Sequence[tuple[str, str | bytes]] | None: ...

    def execute(self, sql: str, *parameters: object) -> object: ...

    def __iter__(self) -> Iterator[Sequence[object]]: ...

    def fetchmany(self, size: int) -> Sequence[Sequence[object]]: ...

    def nextset(self) -> bool: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...


class OdbcConnection(Protocol):
    """pyodbc.Connection as far as it is used. ``timeout`` (seconds, 0 = none) holds for cursors made afterwards."""

    timeout: int

    def cursor(self) -> OdbcCursor: ...

    def add_output_converter(self, sqltype: int, func: Converter) -> None: ...

    def setdecoding(self, sqltype: int, encoding: str, ctype: int) -> None: ...

    def clear_output_converters(self) -> None: ...

    def close(self) -> None: ...


class OdbcModule(Protocol):
    """The module pyodbc as far as it is used."""

    pooling: bool
    native_uuid: bool

    @property
    def Error(self) -> type[Exception]: ...  # noqa: N802 - PEP 249's name

    def drivers(self) -> list[str]: ...

    def connect(
        self, connection_string: str, *, autocommit: bool, timeout: int, attrs_before: Mapping[int, bytes] = ...
    ) -> OdbcConnection: ...


def load() -> OdbcModule:
    """Import pyodbc and make it ready. Raises DriverMissing when it, or the driver manager it needs, is not installed."""
    try:
        import pyodbc
    except ImportError as error:
        raise _no_manager(error) from error
    module = cast("OdbcModule", pyodbc)
    # Both are read by pyodbc from its module: pooling is ours, and only a native UUID tells uniqueidentifier from text.
    module.pooling = False
    module.native_uuid = True
    return module


def _no_manager(error: ImportError) -> DriverMissing:
    if "odbc" not in str(error).lower() or getattr(error, "name", "") == "pyodbc":
        return DriverMissing("The Python package pyodbc is not installed.", next_step="Run: pip install pyodbc")
    return DriverMissing(
        f"The ODBC driver manager is not installed ({error}).", next_step=f"Run: {for_system(MANAGER, this_system())}"
    )
