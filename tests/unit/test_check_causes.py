"""What the check makes of errors: the step they belong to, the likely cause, and the remedy for each system."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from mssqlclient_mcp.check import _version
from mssqlclient_mcp.check_models import Advice, CheckedStep, CheckReport, Finding, Mark, failed, skipped, well
from mssqlclient_mcp.connection_string import parse
from mssqlclient_mcp.dialects.checking import CheckBook, check_book_for, explained, step_of
from mssqlclient_mcp.dialects.reach import Certificate, is_local
from mssqlclient_mcp.dialects.sqlserver.drivers import INSTALL, Driver, default_encryption
from mssqlclient_mcp.dialects.sqlserver.odbc import MANAGER
from mssqlclient_mcp.errors import (
    AuthenticationFailed,
    ConfigInvalid,
    ConnectionFailed,
    DatabaseFault,
    DatabaseMcpError,
    DriverMissing,
    ObjectNotFound,
)
from mssqlclient_mcp.formatters.check import PLAIN, check_content, format_step, format_verdict
from mssqlclient_mcp.models import LoginRights, ServerCapability, ServerIdentity
from mssqlclient_mcp.platforms import System, for_system, system_of

SQLSERVER = (
    ("tls", "SSL Provider: [error:0A000086:SSL routines::certificate verify failed:self-signed certificate]"),
    ("tls", "SSL Provider: The certificate chain was issued by an authority that is not trusted."),
    ("tls", "SSL Provider: [error:0A000086:SSL routines::certificate verify failed:hostname mismatch]"),
    ("tls", "SSL Provider: [error:0A000102:SSL routines::unsupported protocol]"),
    ("tls", "Encryption not supported on SQL Server."),
    ("login", "Login failed for user 'reader'."),
    ("login", "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."),
    ("login", "Login failed for user 'reader'. Reason: The account is disabled."),
    ("login", "SSPI Provider: No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)"),
    (
        "login",
        "Cannot open server 'x' requested by the login. Client with IP address '1.2.3.4' is not allowed to access the server.",
    ),
    ("login", "Login failed for user 'reader'.  Reason: The password of the account must be changed."),
    ("login", "Login timeout expired"),
    ("login", "Unable to connect to data source"),
    ("login", "Data source name not found and no default driver specified"),
    ("login", "TCP Provider: Error code 0x2746"),
    ("login", "Microsoft Entra refuses: DefaultAzureCredential failed to retrieve a token. certificate role does not exist"),
    ("database", 'Cannot open database "shop" requested by the login. The login failed.'),
    ("database", 'The server principal "reader" is not able to access the database "shop" under the current security context.'),
)
POSTGRESQL = (
    ("tls", "connection failed: server does not support SSL, but SSL was required"),
    ("tls", 'root certificate file "/root/.postgresql/root.crt" does not exist'),
    ("tls", "SSL error: certificate verify failed"),
    ("tls", 'server certificate for "db.example.com" does not match host name "localhost"'),
    ("tls", "SSL error: tlsv13 alert certificate required"),
    ("tls", "FATAL:  connection requires a valid client certificate"),
    ("tls", 'private key file "/k" has group or world access; file must have permissions u=rw (0600) or less'),
    ("tls", 'could not open certificate file "/c": No such file or directory'),
    ("login", 'FATAL:  password authentication failed for user "ada"'),
    ("login", "fe_sendauth: no password supplied"),
    ("login", 'FATAL:  role "ada" does not exist'),
    ("login", 'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "ada", database "shop", SSL encryption'),
    ("login", 'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "ada", database "shop", no encryption'),
    ("login", 'FATAL:  role "ada" is not permitted to log in'),
    ("login", "FATAL:  sorry, too many clients already"),
    ("login", "FATAL:  the database system is starting up"),
    ("login", "connection timeout expired"),
    ("login", "Microsoft Entra gives no token within 15 s (ActiveDirectoryDefault)."),
    ("database", 'FATAL:  database "shop" does not exist'),
    ("database", 'FATAL:  permission denied for database "shop"'),
)
BOOKS = ("sqlserver", "postgresql")


@pytest.fixture(params=BOOKS)
def book(request: pytest.FixtureRequest) -> CheckBook:
    """The steps and causes of a dialect."""
    return check_book_for(request.param)


@pytest.mark.parametrize(
    ("dialect", "step", "message"),
    [(dialect, *case) for dialect, cases in zip(BOOKS, (SQLSERVER, POSTGRESQL), strict=True) for case in cases],
)
def test_an_error_of_connecting_belongs_to_its_step_and_is_explained(dialect: str, step: str, message: str) -> None:
    """The words of servers and drivers, as they come; the message itself stays whole."""
    causes = check_book_for(dialect).CAUSES
    error = ConnectionFailed(message)
    assert step_of(error, causes) == step
    told = explained(error, causes, System.DEBIAN)
    assert told.text == message
    assert told.cause
    assert told.remedy
    assert "usual" not in told.cause


def test_every_cause_has_a_remedy_on_every_system(book: CheckBook) -> None:
    """And its pattern can be read."""
    steps = {step.name for step in book.STEPS}
    for cause in book.CAUSES:
        re.compile(cause.pattern)
        assert cause.step in steps
        assert all(for_system(cause.remedy, system) for system in System)


def test_every_step_needs_steps_that_come_before_it(book: CheckBook) -> None:
    """So that each is tried once, in order."""
    seen: set[str] = set()
    for step in book.STEPS:
        assert set(step.needs) <= seen
        seen.add(step.name)


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (ObjectNotFound("something new about it"), "database"),
        (AuthenticationFailed("something new about it"), "login"),
        (DatabaseFault("something new about it"), "login"),
    ],
)
def test_an_unknown_error_is_told_in_its_own_words(book: CheckBook, error: DatabaseMcpError, step: str) -> None:
    """Sorted by its kind; nothing is made up."""
    assert step_of(error, book.CAUSES) == step
    told = explained(error, book.CAUSES, System.LINUX)
    assert told.text == "something new about it"
    assert told.remedy


@pytest.mark.parametrize("kind", [ConfigInvalid, DriverMissing])
def test_what_this_program_words_itself_keeps_its_own_remedy(book: CheckBook, kind: type[DatabaseMcpError]) -> None:
    """Even where a word of it is in a pattern."""
    error = kind("FreeTDS knows passwords and Kerberos; the timeout is fine", next_step="Do this.")
    told = explained(error, book.CAUSES, System.LINUX)
    assert (told.cause, told.remedy) == ("", "Do this.")


@pytest.mark.parametrize(
    ("platform", "words", "system"),
    [
        ("linux", "debian", System.DEBIAN),
        ("linux", "ubuntu debian", System.DEBIAN),
        ("linux", "rocky rhel centos fedora", System.RHEL),
        ("linux", "alpine", System.ALPINE),
        ("linux", "opensuse leap suse opensuse", System.SUSE),
        ("linux", "arch", System.LINUX),
        ("linux", "", System.LINUX),
        ("darwin", "", System.MACOS),
        ("win32", "", System.WINDOWS),
    ],
)
def test_each_system_gets_its_own_commands(platform: str, words: str, system: System) -> None:
    """Told by sys.platform and /etc/os-release; a command for the driver and its manager on each."""
    assert system_of(platform, frozenset(words.split())) is system
    manager = {System.DEBIAN: "apt-get", System.RHEL: "dnf", System.ALPINE: "apk", System.SUSE: "zypper", System.MACOS: "brew"}
    if system in manager:
        assert manager[system] in for_system(MANAGER, system)
        assert all(manager[system] in command for _, command in INSTALL[system])
    assert INSTALL[system]


def test_the_place_is_told_without_secrets() -> None:
    """In the way of each database."""
    told = {
        "Server=db1\\PAYROLL;User Id=u;Password=hush-hush": "SQL Server at db1\\PAYROLL",
        "Server=db1,1444;Database=shop;User Id=u;Password=hush-hush": "SQL Server at db1,1444, database shop",
        "DSN=warehouse;UID=u;PWD=hush-hush": "SQL Server at data source warehouse",
        "postgresql://u:hush-hush@db1:5433/shop": "PostgreSQL at db1:5433, database shop",
        "postgresql:///shop": "PostgreSQL at libpq's default, database shop",
    }
    for text, place in told.items():
        settings = parse(text)
        assert check_book_for(settings.dialect).place(settings) == place


@pytest.mark.parametrize(
    ("driver", "default"),
    [
        ("ODBC Driver 18 for SQL Server", "yes"),
        ("/x/libmsodbcsql-18.6.so.2.1", "yes"),
        ("/x/libmsodbcsql.18.dylib", "yes"),
        ("ODBC Driver 17 for SQL Server", "no"),
        ("SQL Server", "no"),
    ],
)
def test_what_a_driver_does_without_being_told(driver: str, default: str) -> None:
    """From 18 on Microsoft's encrypts and checks."""
    assert default_encryption(Driver(driver, freetds=False)) == default


# -- certificates ------------------------------------------------------------------------------------------------------


def certificate(*names: str, days: float = 10) -> Certificate:
    """A certificate for these names."""
    now = datetime.now(timezone.utc)
    return Certificate("CN=a", "CN=b", names, now - timedelta(days=1), now + timedelta(days=days))


@pytest.mark.parametrize(
    ("name", "host", "fits"),
    [
        ("db.example.com", "DB.example.com.", True),
        ("*.example.com", "db.example.com", True),
        ("*.example.com", "a.db.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.com", "example.com", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("*", "db", False),
    ],
)
def test_a_certificate_names_its_hosts(name: str, host: str, fits: bool) -> None:
    """RFC 6125: a star is the whole first label, of at least three."""
    assert certificate(name).names_host(host) is fits


def test_the_days_that_are_left_are_whole_ones() -> None:
    """Negative when it has ended."""
    assert certificate("a", days=5.5).days_left() == 5
    assert certificate("a", days=-0.5).days_left() == -1


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("/run/pg", True),
        ("", True),
        ("db1", False),
        ("10.0.0.1", False),
    ],
)
def test_this_machine_is_known_by_its_names(host: str, local: bool) -> None:
    """Nothing travels then that others could read."""
    assert is_local(host) is local


# -- text and data -----------------------------------------------------------------------------------------------------


def step(finding: Finding) -> CheckedStep:
    """A step named ``tls``."""
    return CheckedStep("tls", "TLS", finding, 0.25)


def test_a_failure_has_its_cause_and_its_remedy_below() -> None:
    """Commands stay whole, in a line of their own; several lines of a database's words become one."""
    command = "  sudo " + "x" * 200
    text = format_step(step(failed("a\nb", cause="why", remedy=f"Do:\n{command}\nor not.")))
    assert text.splitlines() == [
        "!! TLS           a b",
        "     cause: why",
        "     do:    Do:",
        " " * 12 + command,
        "            or not.",
    ]


def test_the_report_counts_and_decides_the_exit_code() -> None:
    """Notes never fail; a configuration that cannot be used is 2."""
    noted, lost = well("x", Advice("look", "here")), failed("y", cause="c", remedy="r")
    good = CheckReport("db", (step(noted), step(skipped("z"))), 1.25)
    bad = CheckReport("db", (step(noted), step(lost)), 1.25)
    assert (good.exit_code, format_verdict(good)) == (0, "All well, 1 note (1.2 s)")
    assert (bad.exit_code, format_verdict(bad)) == (1, "1 step failed, 1 note (1.2 s)")
    assert CheckReport("", (step(lost),), 0.0, configured=False).exit_code == 2
    told = check_content(bad)
    assert (told["ok"], told["exitCode"], told["subject"]) == (False, 1, "db")
    assert told["steps"] == [
        {
            "name": "tls", "mark": "warning", "text": "x", "cause": None, "remedy": None,
            "warnings": [{"text": "look", "remedy": "here"}], "seconds": 0.25, "facts": {},
        },
        {
            "name": "tls", "mark": "failed", "text": "y", "cause": "c", "remedy": "r",
            "warnings": [], "seconds": 0.25, "facts": {},
        },
    ]  # fmt: skip


def test_every_mark_has_its_sign() -> None:
    """Plain ASCII."""
    assert set(PLAIN) == set(Mark)
    assert "".join(PLAIN.values()).isascii()


def test_a_place_that_cannot_be_told_is_said_in_words() -> None:
    """A bare "unknown" at the end of a line would be anybody's guess."""
    identity = ServerIdentity("PostgreSQL 16.3", "16.3", None, 16, 3, None)
    capability = ServerCapability(identity, "unknown", LoginRights("reader", None, False, False, False), ())
    told = _version(capability)
    assert told.text == "PostgreSQL 16.3, where it runs is not known"
    assert told.facts["deployment"] == "unknown"
    assert _version(replace(capability, deployment="self-hosted")).text == "PostgreSQL 16.3, self-hosted"
