"""The steps by which a SQL Server is checked, and what errors met on the way most likely mean."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import PurePath

from ...check_models import Advice, Finding, Mark, failed, skipped, well
from ...connection_settings import ConnectionSettings
from ...errors import DatabaseMcpError, DriverMissing
from ...platforms import System
from .. import checking
from ..checking import Cause, Step, Subject
from ..reach import Address, SocketLine, is_local, look, open_socket
from .browser import port_of
from .catalog_server import CHECK_RIGHTS
from .connection import SqlServerDialect
from .drivers import Driver, Machine, default_encryption, load_problem
from .odbc import load
from .prelogin import ALPN, Encryption, Greeting, TdsLine, greet

DEFAULT_PORT = 1433
LOOK_SECONDS = 5.0
BROWSER_SECONDS = 3.0

_NOT_INSTALLED = "It is not installed on this machine."
LISTENING = (
    "Start SQL Server, enable TCP/IP in SQL Server Configuration Manager and restart the service; or correct the port "
    "(Server=host,port; 1433 unless it was changed). In a container the port must be published (-p 1433:1433)."
)
_STORE: Mapping[System, str] = {
    System.DEBIAN: "  sudo cp ca.pem /usr/local/share/ca-certificates/sqlserver.crt && sudo update-ca-certificates",
    System.RHEL: "  sudo cp ca.pem /etc/pki/ca-trust/source/anchors/sqlserver.pem && sudo update-ca-trust",
    System.ALPINE: "  sudo cp ca.pem /usr/local/share/ca-certificates/sqlserver.crt && sudo update-ca-certificates",
    System.SUSE: "  sudo cp ca.pem /etc/pki/trust/anchors/sqlserver.pem && sudo update-ca-certificates",
    System.MACOS: '  cp ca.pem "$(brew --prefix)/etc/openssl@3/certs/" && "$(brew --prefix openssl@3)/bin/c_rehash"',
    System.WINDOWS: "  certutil -addstore -f Root ca.cer",
    System.LINUX: "  (the store that OpenSSL reads: see `openssl version -d`)",
}
TRUST: Mapping[System, str] = {
    system: "Put the certificate of the server's authority (a self-signed one: itself) into this system's store:\n"
    f"{command}\nor, in a network you trust, add TrustServerCertificate=yes to the connection string."
    for system, command in _STORE.items()
}
KERBEROS: Mapping[System, str] = {
    System.LINUX: "Get a ticket, then try again:\n  kinit user@REALM && klist",
    System.WINDOWS: "Run this as a domain user who may log in to the server, or use User Id and Password.",
}

CAUSES = (
    Cause("login", r"^Microsoft Entra", "The sign-in with Microsoft Entra failed on this machine.",
          "Sign in (az login), or set what the credential needs (AZURE_CLIENT_ID and its like)."),
    Cause("tls", r"hostname mismatch|does not match (?:the )?(?:target )?(?:host ?name|name)",
          "The certificate was made for another name than the connection string's.",
          "Use the name that the certificate has, or tell the driver: HostNameInCertificate=that.name"),
    Cause("tls", r"self.signed|unable to get (?:local )?issuer|certificate verify failed|certificate chain",
          "This machine does not trust the server's certificate (SQL Server makes a self-signed one of its own).",
          TRUST),
    Cause("tls", r"unsupported protocol|wrong version number|dh key too small|no protocols available",
          "The server offers only TLS versions that this system refuses (older than 1.2).",
          "Bring the server to TLS 1.2 (an update of SQL Server or its Windows); Encrypt=no helps in a network you trust."),
    Cause("tls", r"SSL Provider|encryption not supported|does not support encryption",
          "The driver and the server do not agree about encryption.",
          "Try another value of Encrypt: Mandatory, Optional or, from SQL Server 2022 on, Strict."),
    Cause("login", r"untrusted domain|SSPI|GSSAPI|Kerberos",
          "Trusted_Connection needs a Kerberos ticket (or a Windows domain login) that the server accepts.", KERBEROS),
    Cause("login", r"Data source name not found", "ODBC knows no data source of that name.",
          "Correct DSN; the names that ODBC knows are listed by:\n  odbcinst -q -s"),
    Cause("login", r"Unable to connect to data source|Adaptive Server",
          "FreeTDS says no more. With Trusted_Connection it is mostly a Kerberos ticket that is missing, else encryption that "
          "the server demands or refuses.", "See `klist`; Microsoft's driver tells more:\n  pip install mssql-python-odbc"),
    Cause("login", r"0x2746|0x68|communication link|unexpected EOF",
          "The server hung up during the login: it does not know this way to sign in, or something between cut the line.",
          "Look into the server's error log of this minute; try another way to sign in."),
    Cause("login", r"is disabled", "The login exists, but it is disabled.", "On the server: ALTER LOGIN [name] ENABLE"),
    Cause("login", r"password .{0,40}(?:expired|must be changed)", "The password has expired or must be changed.",
          "Change it once with another client (or ALTER LOGIN), then set the new one here."),
    Cause("login", r"not allowed to access the server|firewall", "The service's firewall does not know this machine's address.",
          "Add the address to the server's firewall rules (Azure portal: Networking)."),
    Cause("database", r"Cannot open database|database \S+ does not exist|Database .* does not exist",
          "The database does not exist, or the login has no user in it.",
          "Correct Database (left out, the server works in server mode); or, in it: CREATE USER [name] FOR LOGIN [name]"),
    Cause("database", r"is not able to access the database",
          "The login has no user in the database.", "In that database: CREATE USER [name] FOR LOGIN [name]"),
    Cause("login", r"Login failed for user",
          "User or password is wrong; or the server takes Windows logins only (SQL Server authentication is off).",
          "Correct User Id and Password; on the server, look into its error log, where the state number tells which it is."),
    Cause("login", r"timeout", "The port answers, but the login does not end: the server is overloaded or starting, or a "
          "proxy stands between.", "Try again, or raise CONNECTION_TIMEOUT_SECONDS."),
)  # fmt: skip


def place(settings: ConnectionSettings) -> str:
    """Where the server is, in one phrase."""
    instance = f"\\{settings.instance}" if settings.instance else ""
    port = f",{settings.port}" if settings.port else ""
    where = f"{settings.host}{instance}{port}" or f"data source {settings.option('DSN') or settings.option('FILEDSN') or ''}"
    return f"SQL Server at {where.strip()}" + (f", database {settings.database}" if settings.database else "")


# -- steps -------------------------------------------------------------------------------------------------------------


def driver(subject: Subject) -> Finding:
    """The driver manager and the driver: there, and loadable."""
    try:
        module = load()
    except DriverMissing as error:
        return failed(error.message, cause=_NOT_INSTALLED, remedy=error.next_step, code=error.code.value)
    try:
        chosen = SqlServerDialect(subject.odbc_driver, module=module).choose_driver(subject.settings)
    except DriverMissing as error:
        return failed(error.message, cause=_NOT_INSTALLED, remedy=_installing(), code=error.code.value)
    if not chosen.name:
        return well("the ODBC data source names its own driver", manager=_version(module))
    problem = load_problem(module, chosen)
    if problem:
        return failed(
            f"{chosen.name} cannot be loaded: {problem}",
            cause="Its library, or one that it needs itself, is not there.",
            remedy=_installing(),
        )
    subject.verifies = _verifies(subject.settings, chosen)
    shown = PurePath(chosen.name).name if "/" in chosen.name else chosen.name
    return well(f"{shown} (pyodbc {_version(module)})", *_driver_notes(subject.settings, chosen), driver=chosen.name)


def _installing() -> str:
    """The ways to a driver that works here, each command in a line of its own."""
    ways = [f"{what}, with what it needs:\n  {command}" for what, command in Machine.here().installs]
    return "\nor ".join(ways) + "\nWhere the connection string or MSSQL_ODBC_DRIVER names another, leave it out."


def _version(module: object) -> str:
    return str(getattr(module, "version", "unknown"))


def _verifies(settings: ConnectionSettings, chosen: Driver) -> bool:
    """Whether the driver checks the server's certificate with these settings."""
    encrypt = settings.encrypt or default_encryption(chosen)
    if encrypt == "strict":
        return True
    return encrypt == "yes" and not chosen.freetds and not settings.trust_server_certificate


def _driver_notes(settings: ConnectionSettings, chosen: Driver) -> list[Advice]:
    notes = []
    if chosen.freetds and not settings.trust_server_certificate:
        notes.append(
            Advice(
                "FreeTDS cannot honour TrustServerCertificate=False: it does not check the server's certificate.",
                "Use Microsoft's driver where that matters:\n  pip install mssql-python-odbc",
            )
        )
    return notes


def _patience(subject: Subject) -> float:
    return min(LOOK_SECONDS, subject.seconds(), float(subject.settings.connect_timeout or LOOK_SECONDS))


def _elsewhere(settings: ConnectionSettings) -> str:
    """Why the way to the server cannot be looked at; empty when it can."""
    if not settings.host:
        return "the ODBC data source decides"
    if settings.host.startswith(("\\\\", "np:", "lpc:")):
        return "no TCP: a named pipe or shared memory"
    if settings.host.lower().startswith("(localdb)"):
        return "no TCP: LocalDB"
    return ""


def name(subject: Subject) -> Finding:
    """The host's addresses."""
    reason = _elsewhere(subject.settings)
    if reason:
        return skipped(reason)
    subject.port = subject.settings.port or DEFAULT_PORT
    return checking.find_name(subject, [(subject.settings.host.removeprefix("admin:"), subject.port)])


def instance(subject: Subject) -> Finding:
    """The port of a named instance."""
    settings = subject.settings
    if not subject.addresses or not settings.instance:
        return skipped("none is named")
    if settings.port:
        return skipped(f"the port is given, so the name {settings.instance} is not needed")
    try:
        port = port_of(settings.instance, subject.addresses, min(BROWSER_SECONDS, subject.seconds()))
    except OSError as error:
        return failed(
            f"{settings.instance}: {error.strerror or error} (UDP port 1434)",
            cause="The SQL Server Browser service is off, or a firewall drops UDP port 1434; or the instance's name is wrong.",
            remedy=f"Start that service; or give the instance's TCP port: Server={settings.host},port",
        )
    if port is None:
        return failed(f"{settings.instance} has no TCP port", cause="TCP/IP is disabled for the instance.", remedy=LISTENING)
    subject.port = port
    subject.addresses = tuple(replace(address, port=port) for address in subject.addresses)
    return well(f"{settings.instance} listens on port {port}", port=port)


def tcp(subject: Subject) -> Finding:
    """The port answers."""
    if not subject.addresses:
        return skipped(_elsewhere(subject.settings))
    return checking.reach(subject, listening=LISTENING)


def tls(subject: Subject) -> Finding:
    """What the server offers and shows, then what the driver says to it."""
    seen: Finding | None = None
    if subject.reached is not None:
        strict = subject.settings.encrypt == "strict"
        seen = _look_strict(subject, subject.reached) if strict else _look(subject, subject.reached)
        if seen.mark is Mark.FAILED:
            return seen
    error = subject.connect()
    if error is not None and checking.step_of(error, CAUSES) == "tls":
        refused = checking.explained(error, CAUSES, subject.system)
        shown = f" It shows: {seen.text.rpartition('; ')[0]}." if subject.tls and seen else ""
        return replace(refused, text=f"the driver refuses: {refused.text}", cause=refused.cause + shown)
    return seen or skipped("left to the driver")


def _look(subject: Subject, address: Address) -> Finding:
    greeting: Greeting | None = None
    try:
        with closing(open_socket(address, _patience(subject))) as sock:
            greeting = greet(sock)
            if greeting.encryption is not Encryption.NOT_SUPPORTED:
                subject.tls = look(TdsLine(sock), address.host)
    except ssl.SSLError as error:
        return well(f"the certificate cannot be looked at: {error.reason or error}")
    except OSError as error:
        if greeting is not None:
            return well(f"the certificate cannot be looked at: {error}")
        return _no_sql_server(address, error)
    if subject.tls is None:
        return well("the server offers no encryption", *_clear_text(subject), encryption="not supported")
    word = "required" if greeting.encryption is Encryption.REQUIRED else "offered"
    return _with_notes(subject, checking.describe(subject, judged=f"encryption {word}, {_judged(subject)}"))


def _look_strict(subject: Subject, address: Address) -> Finding:
    try:
        with closing(open_socket(address, _patience(subject))) as sock:
            subject.tls = look(SocketLine(sock), address.host, alpn=[ALPN])
    except OSError as error:
        return failed(
            f"Encrypt=Strict, and no TLS handshake comes about: {error}",
            cause="TDS 8.0 needs SQL Server 2022 or later with a certificate of its own, or Azure SQL.",
            remedy="Use Encrypt=Mandatory with an older server.",
        )
    return checking.describe(subject, judged=_judged(subject))


def _judged(subject: Subject) -> str:
    return "checked by the driver" if subject.verifies else "not checked"


def _no_sql_server(address: Address, error: OSError) -> Finding:
    if isinstance(error, TimeoutError):
        return failed(
            f"{address} takes the connection and then says nothing",
            cause="Something else than SQL Server listens there, or a proxy or a tunnel whose other end is dead.",
            remedy="Correct the port, or look at what stands between (proxy, tunnel, container port).",
        )
    return failed(
        f"{address} is not SQL Server, or refuses to talk: {error}",
        cause="Another program listens on this port, or the server takes only Encrypt=Strict.",
        remedy="Correct the port; with a server that enforces strict encryption, set Encrypt=Strict (ODBC Driver 18).",
    )


def _with_notes(subject: Subject, finding: Finding) -> Finding:
    notes = list(finding.warnings)
    if subject.settings.trust_server_certificate:
        notes.append(
            Advice(
                "TrustServerCertificate is on: nobody checks who answers.",
                "Remove it once this machine trusts the certificate's authority.",
            )
        )
    notes += _clear_text(subject)
    return well(finding.text, *notes, **finding.facts)


def _clear_text(subject: Subject) -> list[Advice]:
    if is_local(subject.settings.host) or (subject.settings.encrypt != "no" and subject.tls is not None):
        return []
    return [Advice("Queries and results travel unencrypted.", "Set Encrypt=Mandatory.")]


def login(subject: Subject) -> Finding:
    """The login is accepted."""
    return checking.sign_in(subject, CAUSES)


def database(subject: Subject) -> Finding:
    """The database is there and may be used."""
    return checking.open_database(subject, CAUSES)


def rights(subject: Subject) -> Finding:
    """What of the catalogue and the data the login may see."""
    try:
        [row] = subject.read(CHECK_RIGHTS)
    except DatabaseMcpError as error:
        return well("what the login may see could not be told", Advice(error.message))
    tables, readable = int(str(row["tables"] or 0)), bool(row["may_read"])
    notes = []
    if not readable:
        notes.append(
            Advice("The login may read no table here.", "In this database: ALTER ROLE db_datareader ADD MEMBER [user]")
        )
    if row["view_definition"] == 0:
        notes.append(
            Advice("Definitions of views and procedures stay hidden.", "In this database: GRANT VIEW DEFINITION TO [user]")
        )
    if row["view_state"] == 0:
        notes.append(
            Advice("Index use and statistics stay hidden in part.", "In this database: GRANT VIEW DATABASE STATE TO [user]")
        )
    return well(
        f"tables: {tables}; reads: {_yes(readable)}, VIEW DEFINITION: {_yes(row['view_definition'])}, "
        f"VIEW DATABASE STATE: {_yes(row['view_state'])}",
        *notes,
        tables=tables,
        mayRead=readable,
        viewDefinition=_known(row["view_definition"]),
        viewDatabaseState=_known(row["view_state"]),
    )


def _yes(value: object) -> str:
    return "could not be seen" if value is None else "yes" if value else "no"


def _known(value: object) -> bool | None:
    return None if value is None else bool(value)


STEPS = (
    Step("driver", "driver", driver),
    Step("name", "name", name),
    Step("instance", "instance", instance, ("name",)),
    Step("tcp", "TCP", tcp, ("name", "instance")),
    Step("tls", "TLS", tls, ("tcp",)),
    Step("login", "login", login, ("driver", "tls")),
    Step("database", "database", database, ("login",)),
    Step("permissions", "permissions", rights, ("database",)),
)
