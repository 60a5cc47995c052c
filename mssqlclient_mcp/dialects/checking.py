"""What the checks of both dialects share: the subject that is looked at, and the steps that do not differ.

Each ``dialects/<db>/check.py`` holds ``STEPS``, a table in order, and ``CAUSES``, what an error met on the way most likely
means. A step gets the ``Subject`` and gives back a ``Finding``; what it learns for later steps it leaves in the subject.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from ..check_models import Advice, Finding, Mark, failed, well
from ..connection_settings import ConnectionSettings
from ..errors import ConfigInvalid, DatabaseMcpError, DriverMissing, ObjectNotFound
from ..platforms import System, for_system
from .base import Access, Connection
from .reach import Address, TlsLook, is_address, knock, resolve

SOON_DAYS = 30
OF_OURS = (ConfigInvalid, DriverMissing)
"""Errors that this program words itself, with their remedies."""


@dataclass
class Subject:
    """The server that is checked. ``seconds`` tells how many are left; ``try_connect`` connects as the server would."""

    settings: ConnectionSettings
    odbc_driver: str | None
    system: System
    seconds: Callable[[], float]
    try_connect: Callable[[], Connection]
    port: int = 0
    addresses: tuple[Address, ...] = ()
    reached: Address | None = None
    verifies: bool = False  # whether the driver judges the certificate
    tls: TlsLook | None = None
    connection: Connection | None = None
    _refusal: DatabaseMcpError | None = None

    def connect(self) -> DatabaseMcpError | None:
        """Connect, once for all steps; the error when that failed."""
        if self.connection is None and self._refusal is None:
            try:
                self.connection = self.try_connect()
            except DatabaseMcpError as error:
                self._refusal = error
        return self._refusal

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, object]]:
        """The rows of one catalogue statement, by column alias. For the steps after the login."""
        if self.connection is None:
            raise RuntimeError("no step has connected")
        self.connection.begin(Access.READ_ONLY, net_seconds=max(1.0, self.seconds()), lock_seconds=2)
        try:
            cursor = self.connection.execute(sql, parameters)
            names = [column.name for column in cursor.columns or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetch(1000)]
            cursor.close()
            return rows
        finally:
            self.connection.rollback()


@dataclass(frozen=True)
class Step:
    """One step: ``needs`` names the steps without which it makes no sense."""

    name: str
    title: str
    run: Callable[[Subject], Finding]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cause:
    """What an error most likely means: the step it belongs to, what tells it (a pattern in its message), and the remedy."""

    step: str
    pattern: str
    cause: str
    remedy: str | Mapping[System, str]


class CheckBook(Protocol):
    """What each dialect's ``check.py`` offers."""

    STEPS: tuple[Step, ...]
    CAUSES: tuple[Cause, ...]

    def place(self, settings: ConnectionSettings) -> str:
        """Where the server is, in one phrase."""


def check_book_for(dialect: str) -> CheckBook:
    """The steps of ``sqlserver`` or ``postgresql``; needs no driver."""
    return cast("CheckBook", importlib.import_module(f".{dialect}.check", package=__package__))


# -- the way there -----------------------------------------------------------------------------------------------------


def find_name(subject: Subject, hosts: Sequence[tuple[str, int]]) -> Finding:
    """Look the hosts up and keep their addresses."""
    found: list[Address] = []
    unknown: list[str] = []
    for host, port in hosts:
        try:
            found += resolve(host, port)
        except OSError as error:
            unknown.append(f"{host}: {error.strerror or error}")
    subject.addresses = tuple(found)
    if not found:
        return failed(
            f"the name is not known ({'; '.join(unknown)})",
            cause="A typing error, or this machine's name server does not know the host (VPN not connected?).",
            remedy="Correct the host, or look it up with:\n" + for_system(LOOK_UP, subject.system).format(host=hosts[0][0]),
        )
    warnings = [Advice(f"One of the hosts is not known: {what}.", "Correct or remove it.") for what in unknown]
    if all(is_address(host) for host, _ in hosts):
        return well("an address, no name to look up", *warnings, addresses=[address.ip for address in found])
    told = ", ".join(dict.fromkeys(address.ip for address in found))
    return well(f"{', '.join(host for host, _ in hosts)} is {told}", *warnings, addresses=[address.ip for address in found])


LOOK_UP: Mapping[System, str] = {
    System.LINUX: "  getent hosts {host}",
    System.MACOS: "  dscacheutil -q host -a name {host}",
    System.WINDOWS: "  nslookup {host}",
}


def reach(subject: Subject, *, listening: str) -> Finding:
    """Open a TCP connection to one of the addresses. ``listening`` says how the server is made to listen."""
    try:
        subject.reached, seconds = knock(subject.addresses, max(1.0, subject.seconds()))
    except TimeoutError:
        return failed(
            f"no answer from {_told(subject.addresses)}",
            cause="A firewall drops the packets, or the host is down or elsewhere.",
            remedy="Let this machine through the firewall (on a cloud service: its network rules), or correct host and port.",
        )
    except ConnectionRefusedError:
        return failed(
            f"{_told(subject.addresses)} refuses the connection",
            cause="The host is there, but nothing listens on this port.",
            remedy=listening,
        )
    except OSError as error:
        return failed(
            f"{_told(subject.addresses)} cannot be reached: {error.strerror or error}",
            cause="There is no route from here (VPN not connected? IPv6 without a route?).",
            remedy="Connect this machine to the server's network, or correct the host.",
        )
    return well(f"{subject.reached} answers ({seconds * 1000:.0f} ms)", milliseconds=round(seconds * 1000, 1))


def _told(addresses: Sequence[Address]) -> str:
    return ", ".join(map(str, addresses))


# -- the certificate ---------------------------------------------------------------------------------------------------


def describe(subject: Subject, *, judged: str) -> Finding:
    """What the handshake showed, and what is to be thought of it. ``judged`` says who checks the certificate, or that
    nobody does."""
    seen = subject.tls
    if seen is None:
        raise RuntimeError("no handshake was made")
    certificate = seen.certificate
    warnings = [*_old_version(seen), *_oddities(subject, seen)]
    if certificate is None:
        return well(f"{seen.version}; {judged}", *warnings, version=seen.version)
    issuer = "self-signed" if certificate.self_signed else f"issued by {certificate.issuer}"
    ends = f"ends {certificate.ends:%Y-%m-%d}"
    return well(
        f"{seen.version}, certificate for {', '.join(certificate.names) or certificate.subject}, {issuer}, {ends}; {judged}",
        *warnings,
        version=seen.version,
        cipher=seen.cipher,
        names=list(certificate.names),
        issuer=certificate.issuer,
        selfSigned=certificate.self_signed,
        expires=certificate.ends.isoformat(),
        verified=subject.verifies,
    )


def _old_version(seen: TlsLook) -> list[Advice]:
    if seen.version in ("TLSv1", "TLSv1.1", "SSLv3"):
        return [Advice(f"{seen.version} is out of date, and newer systems refuse it.", "Bring the server to TLS 1.2 or later.")]
    return []


def _oddities(subject: Subject, seen: TlsLook) -> list[Advice]:
    """What would be wrong with the certificate if somebody looked."""
    certificate = seen.certificate
    if certificate is None:
        return []
    found = []
    days = certificate.days_left()
    if days < 0:
        found.append(Advice(f"The certificate ended on {certificate.ends:%Y-%m-%d}.", "Renew it on the server."))
    elif days <= SOON_DAYS:
        found.append(Advice(f"The certificate ends in {days} days.", "Renew it on the server."))
    host = subject.reached.host if subject.reached else subject.settings.host
    if not subject.verifies and certificate.names and not certificate.names_host(host):
        found.append(Advice(f"The certificate is for {', '.join(certificate.names)}, not for {host}."))
    return found


# -- the login ---------------------------------------------------------------------------------------------------------


def step_of(error: DatabaseMcpError, causes: Sequence[Cause]) -> str:
    """The step that an error of connecting belongs to."""
    cause = cause_of(error, causes)
    if cause is not None:
        return cause.step
    return "database" if isinstance(error, ObjectNotFound) else "login"


def cause_of(error: DatabaseMcpError, causes: Sequence[Cause]) -> Cause | None:
    """The first cause whose pattern is in the message; what is said by this program says enough."""
    if isinstance(error, OF_OURS) and error.next_step:
        return None
    return next((cause for cause in causes if re.search(cause.pattern, error.message, re.IGNORECASE)), None)


def explained(error: DatabaseMcpError, causes: Sequence[Cause], system: System) -> Finding:
    """An error as a finding, with the likely cause and the remedy for this system."""
    cause = cause_of(error, causes)
    facts = {"code": error.code.value, **error.details}
    if cause is None:
        told = isinstance(error, OF_OURS) and bool(error.next_step)
        return Finding(
            Mark.FAILED,
            error.message,
            "" if told else "None of the usual ones; the words above are the driver's or the server's own.",
            error.next_step or "Look into the server's log of this minute: it tells more than a client may hear.",
            facts=facts,
        )
    return Finding(Mark.FAILED, error.message, cause.cause, for_system(cause.remedy, system), facts=facts)


def sign_in(subject: Subject, causes: Sequence[Cause]) -> Finding:
    """Log in as the server does."""
    error = subject.connect()
    if error is not None and step_of(error, causes) != "database":
        return explained(error, causes, subject.system)
    settings = subject.settings
    kind = settings.authentication or ("Kerberos or Windows" if settings.integrated else None)
    who = f" as {settings.user}" if settings.user and not settings.integrated else ""
    return well("accepted" + who + (f" ({kind})" if kind else ""), user=settings.user or None)


def open_database(subject: Subject, causes: Sequence[Cause]) -> Finding:
    """Find the database that was asked for."""
    error = subject.connect()
    if error is not None:
        return explained(error, causes, subject.system)
    if subject.connection is None:
        raise RuntimeError("no step has connected")
    name = subject.connection.database
    if subject.settings.database is None:
        return well(f"{name}, the default: no database is named, so the server works in server mode", database=name)
    return well(name, database=name)
