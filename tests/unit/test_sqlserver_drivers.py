"""Which ODBC driver is chosen."""

from __future__ import annotations

import builtins
import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

from mssqlclient_mcp.dialects.sqlserver import odbc
from mssqlclient_mcp.dialects.sqlserver.drivers import Driver, Machine, choose_driver, package_library
from mssqlclient_mcp.errors import DriverMissing

PACKAGE = Path("/site-packages/mssql_python_odbc")
LIBRARIES = [
    f"{PACKAGE}/libs/linux/debian_ubuntu/x86_64/lib/libmsodbcsql-18.6.so.2.1",
    f"{PACKAGE}/libs/linux/rhel/x86_64/lib/libmsodbcsql-18.6.so.2.1",
    f"{PACKAGE}/libs/linux/alpine/arm64/lib/libmsodbcsql-18.6.so.2.1",
    f"{PACKAGE}/libs/macos/arm64/lib/libmsodbcsql.18.dylib",
]
TDS = "/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so"


def machine(
    files: list[str],
    *,
    platform: str = "linux",
    architecture: str = "x86_64",
    distribution: str = "debian",
    package: Path | None = PACKAGE,
) -> Machine:
    """A computer with these files."""
    return Machine(
        platform, architecture, frozenset(distribution.split()), package,
        lambda pattern: [file for file in files if fnmatch.fnmatch(file, pattern)],
    )  # fmt: skip


BARE = machine([], package=None)


def test_the_driver_of_the_connection_string_goes_first() -> None:
    """A named driver is used though better ones are there, whatever its case and braces."""
    registered = ["ODBC Driver 18 for SQL Server", "FreeTDS", "ODBC Driver 17 for SQL Server"]
    assert choose_driver("{odbc driver 17 for sql server}", "FreeTDS", registered, BARE) == Driver(
        "ODBC Driver 17 for SQL Server", freetds=False
    )


def test_the_configured_driver_goes_before_the_installed_ones() -> None:
    """MSSQL_ODBC_DRIVER, by name or by path."""
    registered = ["ODBC Driver 18 for SQL Server", "FreeTDS"]
    assert choose_driver(None, "FreeTDS", registered, BARE) == Driver("FreeTDS", freetds=True)
    assert choose_driver(None, TDS, registered, BARE) == Driver(TDS, freetds=True)


def test_the_newest_of_microsofts_drivers_is_taken_by_number() -> None:
    """Numbers, not letters: 9 is older than 18; other drivers named nearly the same do not count."""
    registered = [
        "ODBC Driver 9 for SQL Server",
        "ODBC Driver 18 for SQL Server",
        "ODBC Driver 17 for SQL Server",
        "SQL Server",
    ]
    assert choose_driver(None, None, registered, machine(LIBRARIES)).name == "ODBC Driver 18 for SQL Server"


def test_the_packages_library_comes_next_and_freetds_last() -> None:
    """Without a registered driver of Microsoft's, the library in the package; without that, FreeTDS by name, then by path."""
    assert choose_driver(None, None, ["FreeTDS"], machine([*LIBRARIES, TDS])) == Driver(LIBRARIES[0], freetds=False)
    assert choose_driver(None, None, ["FreeTDS"], machine([TDS])) == Driver("FreeTDS", freetds=True)
    assert choose_driver(None, None, [], machine([TDS])) == Driver(TDS, freetds=True)


@pytest.mark.parametrize(
    ("here", "library"),
    [
        (machine(LIBRARIES, distribution="ubuntu debian"), LIBRARIES[0]),
        (machine(LIBRARIES, distribution="rocky rhel centos fedora"), LIBRARIES[1]),
        (machine(LIBRARIES, distribution="arch"), LIBRARIES[0]),
        (machine(LIBRARIES, distribution="alpine", architecture="arm64"), LIBRARIES[2]),
        (machine(LIBRARIES, distribution="alpine"), None),
        (machine(LIBRARIES, architecture="arm64"), None),
        (machine(LIBRARIES, platform="darwin", architecture="arm64", distribution=""), LIBRARIES[3]),
        (machine(LIBRARIES, platform="win32"), None),
        (machine(LIBRARIES, package=None), None),
    ],
)
def test_the_packages_library_fits_the_machine(here: Machine, library: str | None) -> None:
    """By system, distribution and processor; musl and glibc are never mixed, and Windows loads no library by path."""
    assert package_library(here) == library


def test_freetds_by_its_usual_name_is_found_by_its_library() -> None:
    """``DRIVER={FreeTDS}`` works where the library is installed but not registered."""
    assert choose_driver("FreeTDS", None, [], machine([TDS])) == Driver(TDS, freetds=True)


@pytest.mark.parametrize(("platform", "command"), [("linux", "apt-get"), ("darwin", "brew"), ("win32", "winget")])
def test_no_driver_at_all_says_what_to_install(platform: str, command: str) -> None:
    """The remedy is a command for this platform."""
    with pytest.raises(DriverMissing) as caught:
        choose_driver(None, None, ["PostgreSQL"], machine([], platform=platform, package=None))
    assert command in caught.value.next_step


def test_a_named_driver_that_is_not_there_is_never_replaced_by_another() -> None:
    """What was asked for is used or refused, with what is installed."""
    with pytest.raises(DriverMissing, match=r"ODBC Driver 99 for SQL Server.*Installed: FreeTDS"):
        choose_driver("ODBC Driver 99 for SQL Server", None, ["FreeTDS"], machine(LIBRARIES))


def test_this_machine_can_be_looked_at() -> None:
    """Reading the real machine raises nothing, whatever is installed."""
    assert Machine.here().architecture


def _without_pyodbc(monkeypatch: pytest.MonkeyPatch, error: ImportError) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: object) -> ModuleType:
        if name == "pyodbc":
            raise error
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)


def test_a_missing_driver_manager_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyodbc's wheel does not hold libodbc, so that its import fails on a bare system."""
    _without_pyodbc(monkeypatch, ImportError("libodbc.so.2: cannot open shared object file: No such file or directory"))
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(DriverMissing) as caught:
        odbc.load()
    assert "libodbc2" in caught.value.next_step


def test_a_missing_pyodbc_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a requirement of the package, but an installation may be broken."""
    _without_pyodbc(monkeypatch, ModuleNotFoundError("No module named 'pyodbc'", name="pyodbc"))
    with pytest.raises(DriverMissing) as caught:
        odbc.load()
    assert "pip install pyodbc" in caught.value.next_step
