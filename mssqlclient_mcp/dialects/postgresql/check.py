"""The steps by which a PostgreSQL server is checked, and what errors met on the way most likely mean."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ...check_models import Advice, Finding, Mark, failed, skipped, well
from ...connection_settings import ConnectionSettings
from ...errors import DatabaseMcpError
from .. import checking
from ..checking import Cause, Step, Subject
from ..reach import Address, SocketLine, is_local, look, open_socket
from .catalog_server import CHECK_RIGHTS
from .connection import INSTALL

DEFAULT_PORT = 5432
LOOK_SECONDS = 5.0
SSL_REQUEST = struct.pack(">II", 8, 80877103)
"""PostgreSQL's documentation, "Message Formats": SSLRequest; the answer is the one byte S or N."""

VERIFYING = ("verify-ca", "verify-full")
DEMANDING = ("require", *VERIFYING)

LISTENING = (
    "Start the server; let it listen to more than its own machine (postgresql.conf: listen_addresses = '*', then restart); "
    "or correct the port (5432 unless it was changed). In a container the port must be published (-p 5432:5432)."
)
TRUST = (
    "Get the certificate of the server's authority (a self-signed one: itself) as a PEM file and name it in the URL:\n"
    "  ?sslmode=verify-full&sslrootcert=/path/to/ca.pem\n"
    "A public authority is known to this system: sslrootcert=system. Without sslrootcert, ~/.postgresql/root.crt is read."
)

CAUSES = (
    Cause("login", r"^Microsoft Entra", "The sign-in with Microsoft Entra failed on this machine.",
          "Sign in (az login), or set what the credential needs (AZURE_CLIENT_ID and its like)."),
    Cause("tls", r"server does not support SSL", "The URL demands TLS (sslmode), and the server has none.",
          "Switch it on at the server (ssl = on, with a certificate), or, in a network you trust, use sslmode=prefer."),
    Cause("tls", r"root certificate file .* does not exist|could not read root certificate",
          "sslmode=verify-ca or verify-full needs the certificate of an authority to check against.", TRUST),
    Cause("tls", r"does not match host ?name|hostname mismatch",
          "The certificate was made for another name than the URL's.",
          "Use the name that the certificate has; sslmode=verify-ca checks the authority and not the name."),
    Cause("tls", r"certificate verify failed|certificate has expired|self.signed|unable to get local issuer",
          "The authority's certificate that is checked against did not sign the server's, or one of them has ended.", TRUST),
    Cause("tls", r"certificate required|tlsv1\S* alert|requires a valid client certificate|connection requires .* certificate",
          "The server wants a client certificate that it trusts.",
          "Name yours in the URL: ?sslcert=/path/to/client.crt&sslkey=/path/to/client.key"),
    Cause("tls", r"private key file .* (?:access|permissions)|has group or world access",
          "Others may read the private key's file, so it is refused.", "Make it yours alone:\n  chmod 600 /path/to/client.key"),
    Cause("tls", r"certificate file|private key file|certificate present, but not private key",
          "A file named by sslcert or sslkey is missing or is no PEM file.", "Correct the paths in the URL."),
    Cause("tls", r"unsupported protocol|wrong version number|no protocols available|SSL error|SSL SYSCALL",
          "The TLS versions of server and client do not meet, or something between them breaks the handshake.",
          "Bring the server to TLS 1.2 or later, or see ssl_min_protocol_version."),
    Cause("database", r"database .* does not exist", "There is no database of that name; case counts.",
          "Correct the name behind the last / of the URL (without it the server works in server mode)."),
    Cause("database", r"permission denied for database", "The role may not connect to this database.",
          "On the server: GRANT CONNECT ON DATABASE name TO role"),
    Cause("login", r"no pg_hba\.conf entry.*no encryption", "The server takes this role from here over TLS only.",
          "Add ?sslmode=require to the URL (verify-full where you have the authority's certificate)."),
    Cause("login", r"no pg_hba\.conf entry|pg_hba\.conf rejects", "The server's rules do not let this role in from here.",
          "On the server: add a line for this role, database and address to pg_hba.conf, then SELECT pg_reload_conf()"),
    Cause("login", r"no password supplied", "The server asks for a password, and none was found.",
          "Give it in DATABASE_URL, or in ~/.pgpass (a line host:port:database:user:password, chmod 600)."),
    Cause("login", r"authentication failed", "User or password is wrong, or the role has no password.",
          "Correct user and password; in a URL the characters @ : / ? # % of a password are percent-encoded."),
    Cause("login", r"role .* does not exist", "There is no role of that name; case counts.", "Correct the user in the URL."),
    Cause("login", r"is not permitted to log in", "The role has no LOGIN.", "On the server: ALTER ROLE name LOGIN"),
    Cause("login", r"too many clients|too many connections|remaining connection slots",
          "All connections of the server or the role are in use.",
          "Close some, or raise max_connections; this server uses at most POOL_MAX_SIZE and one for each session."),
    Cause("login", r"starting up|shutting down|recovery mode", "The server is starting, stopping or recovering.",
          "Try again in a minute."),
    Cause("login", r"timeout", "The port answers, but the login is not finished in time: the server is overloaded, or a proxy "
          "stands between.", "Try again, or raise CONNECTION_TIMEOUT_SECONDS."),
)  # fmt: skip


def place(settings: ConnectionSettings) -> str:
    """Where the server is, in one phrase."""
    where = settings.host or "libpq's default"
    port = f":{settings.port}" if settings.port and not where.startswith("/") else ""
    return f"PostgreSQL at {where}{port}" + (f", database {settings.database}" if settings.database else "")


# -- steps -------------------------------------------------------------------------------------------------------------


def driver(subject: Subject) -> Finding:
    """psycopg and libpq."""
    try:
        import psycopg
        from psycopg import pq
    except ImportError as error:
        return failed(
            f"psycopg 3 or libpq is missing: {error}",
            cause="What PostgreSQL needs is an extra of this package.",
            remedy=f"Install it:\n  {INSTALL}",
        )
    number = pq.version()
    libpq = f"{number // 10000}.{number % 10000}"
    subject.verifies = _verifies(subject.settings)
    return well(f"psycopg {psycopg.__version__} ({pq.__impl__}), libpq {libpq}", psycopg=psycopg.__version__, libpq=libpq)


def _verifies(settings: ConnectionSettings) -> bool:
    """Whether libpq checks the server's certificate; with a root at hand, sslmode=require is verify-ca."""
    sslmode, root = settings.option("sslmode"), settings.option("sslrootcert")
    at_hand = root == "system" or Path(root or "~/.postgresql/root.crt").expanduser().exists()
    return sslmode in VERIFYING or (sslmode == "require" and at_hand)


def _hosts(settings: ConnectionSettings) -> list[tuple[str, int]]:
    """The hosts that are reached by TCP, each with its port."""
    hosts = (settings.option("hostaddr") or settings.host).split(",")
    ports = (settings.option("port") or str(settings.port or DEFAULT_PORT)).split(",")
    paired = zip(hosts, ports if len(ports) == len(hosts) else ports[:1] * len(hosts), strict=True)
    return [(host, int(port)) for host, port in paired if host and not host.startswith(("/", "@"))]


def _patience(subject: Subject) -> float:
    return min(LOOK_SECONDS, subject.seconds(), float(subject.settings.connect_timeout or LOOK_SECONDS))


def _elsewhere(settings: ConnectionSettings) -> str:
    if settings.option("service"):
        return "the service file decides"
    return "a socket on this machine" if settings.host else "libpq's own default decides (PGHOST, or a socket on this machine)"


def name(subject: Subject) -> Finding:
    """The addresses of all hosts."""
    hosts = _hosts(subject.settings)
    return checking.find_name(subject, hosts) if hosts else skipped(_elsewhere(subject.settings))


def tcp(subject: Subject) -> Finding:
    """A port answers."""
    if not subject.addresses:
        return skipped(_elsewhere(subject.settings))
    return checking.reach(subject, listening=LISTENING)


def tls(subject: Subject) -> Finding:
    """What the server offers and shows, then what the driver says to it."""
    seen = _look(subject, subject.reached) if subject.reached is not None else skipped(_elsewhere(subject.settings))
    if seen.mark is Mark.FAILED:
        return seen
    error = subject.connect()
    if error is not None and checking.step_of(error, CAUSES) == "tls":
        refused = checking.explained(error, CAUSES, subject.system)
        shown = f" It shows: {seen.text.rpartition('; ')[0]}." if subject.tls else ""
        return replace(refused, text=f"the driver refuses: {refused.text}", cause=refused.cause + shown)
    return seen


def _look(subject: Subject, address: Address) -> Finding:
    direct = subject.settings.option("sslnegotiation") == "direct"
    offered = direct
    try:
        with closing(open_socket(address, _patience(subject))) as sock:
            if not direct:
                offered = _asks_for_tls(sock)
            if offered:
                subject.tls = look(SocketLine(sock), address.host, alpn=["postgresql"] if direct else [])
    except ssl.SSLError as error:
        return well(f"the certificate cannot be looked at: {error.reason or error}")
    except OSError as error:
        return well(f"the certificate cannot be looked at: {error}") if offered else _no_postgresql(address, error)
    sslmode = subject.settings.option("sslmode") or "prefer"
    if subject.tls is None:
        return well("the server offers no TLS", *_clear_text(subject), encryption="not supported")
    if sslmode == "disable":
        return well("offered and not used (sslmode=disable)", *_clear_text(subject))
    return _judged(subject, sslmode)


def _asks_for_tls(sock: socket.socket) -> bool:
    sock.sendall(SSL_REQUEST)
    answer = sock.recv(1)
    if answer not in (b"S", b"N"):
        raise ConnectionError("its answer is not PostgreSQL's" if answer else "it hung up at the first packet")
    return answer == b"S"


def _judged(subject: Subject, sslmode: str) -> Finding:
    judged = "checked by the driver" if sslmode == "verify-full" else "its authority checked by the driver, its name not"
    found = checking.describe(subject, judged=judged if subject.verifies else f"not checked (sslmode={sslmode})")
    notes = list(found.warnings)
    if not subject.verifies and not is_local(subject.settings.host):
        notes.append(Advice("Encrypted, but nobody checks who answers.", TRUST))
    return well(found.text, *notes, **found.facts)


def _clear_text(subject: Subject) -> list[Advice]:
    if is_local(subject.settings.host):
        return []
    return [Advice("Queries and results travel unencrypted.", "Switch TLS on at the server, and use sslmode=verify-full.")]


def _no_postgresql(address: Address, error: OSError) -> Finding:
    if isinstance(error, TimeoutError):
        return failed(
            f"{address} takes the connection and then says nothing",
            cause="Something else than PostgreSQL listens there, or a proxy or a tunnel whose other end is dead.",
            remedy="Correct the port, or look at what stands between (proxy, tunnel, container port).",
        )
    return failed(
        f"{address} is not PostgreSQL, or refuses to talk: {error}",
        cause="Another program listens on this port, or the server is starting.",
        remedy="Correct the port.",
    )


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
    tables, readable, monitors = int(str(row["tables"])), int(str(row["readable"])), bool(row["monitors"])
    notes = []
    if tables and not readable:
        notes.append(Advice("The login may read no table here.", "From PostgreSQL 14 on: GRANT pg_read_all_data TO role"))
    if not monitors:
        notes.append(Advice("Statistics of other sessions stay hidden.", "On the server: GRANT pg_monitor TO role"))
    return well(
        f"tables and views: {tables}, readable: {readable}; pg_monitor: {'yes' if monitors else 'no'}",
        *notes,
        tables=tables,
        readable=readable,
        monitors=monitors,
    )


STEPS = (
    Step("driver", "driver", driver),
    Step("name", "name", name),
    Step("tcp", "TCP", tcp, ("name",)),
    Step("tls", "TLS", tls, ("tcp",)),
    Step("login", "login", login, ("driver", "tls")),
    Step("database", "database", database, ("login",)),
    Step("permissions", "permissions", rights, ("database",)),
)
