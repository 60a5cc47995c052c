"""Which ODBC driver to use: the one that was named, else the best that is installed."""

from __future__ import annotations

import glob
import platform
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DatabaseMcpError, DriverMissing
from ...platforms import System, distribution, system_of
from .errors import translate

if TYPE_CHECKING:
    from .odbc import OdbcModule

_MICROSOFT = re.compile(r"^ODBC Driver (\d+)(?:\.\d+)? for SQL Server$", re.IGNORECASE)
_VERSION = re.compile(r"(?:ODBC Driver |msodbcsql-?\.?)(\d+)", re.IGNORECASE)
_LIBRARY_PACKAGE = "mssql_python_odbc"

# Where the packages of Debian, Fedora, Alpine and Homebrew put FreeTDS's ODBC library.
FREETDS_LIBRARIES = (
    "/usr/lib/*/odbc/libtdsodbc.so",
    "/usr/lib64/libtdsodbc.so*",
    "/usr/lib/libtdsodbc.so*",
    "/usr/local/lib/libtdsodbc.so*",
    "/opt/homebrew/lib/libtdsodbc.so",
)

# The words of /etc/os-release (ID, ID_LIKE) that lead to a folder of the library package.
_DISTRIBUTIONS = (
    ("alpine", ("alpine",)),
    ("debian_ubuntu", ("debian", "ubuntu")),
    ("rhel", ("rhel", "fedora", "centos", "amzn", "ol")),
    ("suse", ("suse", "sles", "opensuse")),
)
_PACKAGE = "pip install mssql-python-odbc"
INSTALL: Mapping[System, tuple[tuple[str, str], ...]] = {
    System.LINUX: (("Microsoft's driver", _PACKAGE),),  # it needs the system's libraries of Kerberos, and libltdl
    System.DEBIAN: (
        ("Microsoft's driver", f"sudo apt-get install -y libodbc2 libgssapi-krb5-2 && {_PACKAGE}"),
        ("FreeTDS", "sudo apt-get install -y libodbc2 tdsodbc"),
    ),
    System.RHEL: (("Microsoft's driver", f"sudo dnf install -y unixODBC krb5-libs libtool-ltdl && {_PACKAGE}"),),
    System.ALPINE: (
        ("Microsoft's driver", f"sudo apk add unixodbc krb5-libs libltdl && {_PACKAGE}"),
        ("FreeTDS", "sudo apk add unixodbc freetds"),
    ),
    System.SUSE: (("Microsoft's driver", f"sudo zypper install -y unixODBC krb5 libltdl7 && {_PACKAGE}"),),
    System.MACOS: (("Microsoft's driver", f"brew install unixodbc && {_PACKAGE}"),),
    System.WINDOWS: (("Microsoft's driver", "winget install Microsoft.msodbcsql.18"),),
}
"""What can be installed, and the command for it."""

_MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Driver:
    """What goes into ``DRIVER=``, and whether it is FreeTDS, which spells its keywords differently."""

    name: str
    freetds: bool


@dataclass(frozen=True)
class Machine:
    """The facts about this machine on which the choice rests; tests make their own."""

    platform: str
    architecture: str
    distribution: frozenset[str]
    library_folder: Path | None
    find_files: Callable[[str], list[str]] = glob.glob

    @classmethod
    def here(cls) -> Machine:
        """This machine."""
        return cls(
            platform=sys.platform,
            architecture=_MACHINES.get(platform.machine().lower(), platform.machine().lower()),
            distribution=distribution(),
            library_folder=_library_folder(),
        )

    @property
    def installs(self) -> tuple[tuple[str, str], ...]:
        """The drivers that can be installed here, each with its command."""
        return INSTALL[system_of(self.platform, self.distribution)]

    @property
    def install_command(self) -> str:
        """The same in one sentence."""
        return ", or: ".join(f"{command}   ({what})" for what, command in self.installs)


def choose_driver(named: str | None, configured: str | None, registered: Sequence[str], machine: Machine) -> Driver:
    """The driver named in the connection string, else the configured one (MSSQL_ODBC_DRIVER), else the newest "ODBC
    Driver NN for SQL Server", else the library inside the package mssql-python-odbc, else FreeTDS.

    ``registered`` is what ODBC lists. Raises DriverMissing with the command that installs one.
    """
    wanted = (named or configured or "").strip().removeprefix("{").removesuffix("}").strip()
    if wanted:
        return _named(wanted, registered, machine)
    candidates = (_newest_microsoft(registered), package_library(machine), *_freetds(registered, machine))
    for name in candidates:
        if name:
            return Driver(name, is_freetds(name))
    raise DriverMissing("No ODBC driver for SQL Server is installed.", next_step=f"Run: {machine.install_command}")


def is_freetds(name: str) -> bool:
    """True when a registered name or a library's path means FreeTDS."""
    return "freetds" in name.lower() or "tdsodbc" in name.lower()


def _named(wanted: str, registered: Sequence[str], machine: Machine) -> Driver:
    known = {name.lower(): name for name in registered}
    if wanted.lower() in known or "/" in wanted or "\\" in wanted:
        return Driver(known.get(wanted.lower(), wanted), is_freetds(wanted))
    if is_freetds(wanted):  # the name everybody writes, on a machine where only the library is there
        library = next(_freetds(registered, machine), None)
        if library:
            return Driver(library, freetds=True)
    raise DriverMissing(
        f"The ODBC driver {wanted!r} is not installed. Installed: {', '.join(registered) or 'none'}.",
        next_step=f"Leave the driver out to have one chosen, or run: {machine.install_command}",
    )


def _newest_microsoft(registered: Iterable[str]) -> str | None:
    versions = {int(match[1]): name for name in registered if (match := _MICROSOFT.match(name))}
    return versions[max(versions)] if versions else None


def _freetds(registered: Iterable[str], machine: Machine) -> Iterator[str]:
    yield from (name for name in registered if is_freetds(name))
    for pattern in FREETDS_LIBRARIES:
        yield from sorted(machine.find_files(pattern))


def package_library(machine: Machine) -> str | None:
    """The absolute path of Microsoft's library inside the package mssql-python-odbc; None when it is not there.

    Windows' driver manager knows drivers by their registered names only, so a library there could not be loaded.
    """
    root = machine.library_folder
    if root is None or machine.platform == "win32":
        return None
    if machine.platform == "darwin":
        pattern = root / "libs" / "macos" / machine.architecture / "lib" / "libmsodbcsql*.dylib"
        return next(iter(sorted(machine.find_files(str(pattern)), reverse=True)), None)
    own = [folder for folder, words in _DISTRIBUTIONS if machine.distribution.intersection(words)]
    others = [folder for folder, _ in _DISTRIBUTIONS if folder not in own and (folder != "alpine") != ("alpine" in own)]
    for folder in (*own, *others):
        pattern = root / "libs" / "linux" / folder / machine.architecture / "lib" / "libmsodbcsql-*.so*"
        found = sorted(machine.find_files(str(pattern)), reverse=True)
        if found:
            return found[0]
    return None


def default_encryption(driver: Driver) -> str:
    """What the driver does when the connection string does not say: yes, no, or offered (encrypted if the server does)."""
    if driver.freetds:
        return "offered"
    version = _VERSION.search(driver.name)
    return "yes" if version is not None and int(version[1]) >= 18 else "no"


def load_problem(module: OdbcModule, driver: Driver) -> str:
    """Why the driver manager cannot load the driver; empty when it can. Nothing is connected: no server is named."""
    try:
        module.connect(f"DRIVER={{{driver.name}}};", autocommit=True, timeout=1).close()
    except module.Error as error:
        told: DatabaseMcpError = translate(error, connecting=True)
        return told.message if isinstance(told, DriverMissing) else ""
    return ""


def _library_folder() -> Path | None:
    spec = find_spec(_LIBRARY_PACKAGE)
    return Path(spec.origin).parent if spec is not None and spec.origin else None
