"""``mssqlclient-mcp check``, on real servers and on ports that misbehave."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from mssqlclient_mcp.check import Check
from mssqlclient_mcp.check_models import Finding, Mark
from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.dialects.reach import Address
from mssqlclient_mcp.dialects.sqlserver.browser import port_of
from mssqlclient_mcp.dialects.sqlserver.drivers import Machine, package_library
from tests.certificates import Issued, issue
from tests.databases import TestDatabase, server_environment
from tests.guarded_postgres import PASSWORD, Guarded, guarded_server
from tests.ports import closed_port, listening, no_answer, speak_http
from tests.tds_server import FakeSqlServer
from tests.tls_front import TlsFront

AFTER_LOGIN = ("database", "permissions", "writes", "version", "round_trip")


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    """A PostgreSQL that asks for a password."""
    with guarded_server() as server:
        yield server


def check(settings: dict[str, str], seconds: float = 30) -> dict[str, Finding]:
    """What each step found, by name; it takes no longer than the time for a connection and a few seconds."""
    began = time.monotonic()
    found = {
        step.name: step.finding for step in Check(lambda: load_config({"CONNECTION_TIMEOUT_SECONDS": "3", **settings})).steps()
    }
    assert time.monotonic() - began < min(seconds, 3 + 8)
    return found


def url(text: str) -> dict[str, Finding]:
    """The steps for a PostgreSQL URL."""
    return check({"DATABASE_URL": text})


def run(settings: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Exit code and output of the command itself; nothing goes to stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "mssqlclient_mcp", "check", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=server_environment(settings),
        cwd=tempfile.gettempdir(),
        encoding="utf-8",
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def assert_stopped(found: dict[str, Finding], at: str) -> Finding:
    """That step failed, with a cause and a remedy; what needs it was not tried, what comes before went well."""
    names = list(found)
    assert found[at].mark is Mark.FAILED
    assert found[at].cause
    assert found[at].remedy
    assert all(found[name].mark is not Mark.FAILED for name in names[: names.index(at)])
    assert all(found[name].mark is Mark.NOT_TRIED for name in AFTER_LOGIN if names.index(name) > names.index(at))
    return found[at]


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


def test_a_server_that_works_passes_every_step(guarded: Guarded) -> None:
    """Every step is there, none failed, and the version is the server's."""
    found = url(guarded.through(PASSWORD))
    assert {name: finding.mark for name, finding in found.items() if finding.mark not in (Mark.OK, Mark.WARNING)} == {}
    with psycopg.connect(guarded.url) as connection:
        [version] = connection.execute("SHOW server_version").fetchone() or [""]
    assert version.split()[0] in found["version"].text
    assert "administrator: no" in found["writes"].text
    assert float(str(found["round_trip"].facts["milliseconds"])) > 0


def test_an_administrator_is_a_note_and_no_failure(guarded: Guarded) -> None:
    """A login that could write is worth a thought, and the server works with it."""
    found = url(guarded.url)
    assert found["writes"].mark is Mark.WARNING
    assert "administrator" in found["writes"].warnings[0].text
    assert found["name"].mark is Mark.SKIPPED  # a socket on this machine


def test_writes_that_are_enabled_are_a_note(guarded: Guarded) -> None:
    """ENABLE_WRITE_QUERIES is said where the configuration is looked at."""
    settings = {"DATABASE_URL": guarded.url, "ENABLE_WRITE_QUERIES": "true", "ENABLE_EXECUTE_QUERY": "true"}
    assert "ENABLE_WRITE_QUERIES" in check(settings)["configuration"].warnings[0].text


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_that_goes_away_leaves_no_traceback() -> None:
    """As ``mssqlclient-mcp check | head -1`` does."""
    check = subprocess.Popen(
        [sys.executable, "-m", "mssqlclient_mcp", "check"],
        env=server_environment({"DATABASE_URL": f"postgresql://reader@127.0.0.1:{closed_port()}/shop"}),
        cwd=tempfile.gettempdir(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert check.stdout is not None
    assert check.stdout.readline().startswith("mssqlclient-mcp ")
    check.stdout.close()
    assert check.stderr is not None
    assert (check.stderr.read(), check.wait(30)) == ("", 141)
    check.stderr.close()


def test_a_closed_port_is_told_at_tcp() -> None:
    """Refused at once: nothing listens."""
    stopped = assert_stopped(url(f"postgresql://u:p@127.0.0.1:{closed_port()}/d"), "tcp")
    assert "refuses" in stopped.text
    assert "listen_addresses" in stopped.remedy


def test_a_silent_port_is_told_and_bounded() -> None:
    """Something takes the connection and never says a word."""
    with listening(no_answer) as port:
        stopped = assert_stopped(url(f"postgresql://u:p@127.0.0.1:{port}/d"), "tls")
    assert "says nothing" in stopped.text


def test_another_program_on_the_port_is_told() -> None:
    """A web server, say."""
    with listening(speak_http) as port:
        stopped = assert_stopped(url(f"postgresql://u:p@127.0.0.1:{port}/d"), "tls")
    assert "not PostgreSQL" in stopped.text


def no_tls_and_then_nothing(peer: socket.socket) -> None:
    """Answer the question for TLS, and fall silent."""
    peer.recv(8)
    peer.sendall(b"N")


def test_silence_at_the_login_is_told_there_and_bounded() -> None:
    """The way was fine, and the login does not end."""
    with listening(no_tls_and_then_nothing) as port:
        found = url(f"postgresql://u:p@127.0.0.1:{port}/d")
    assert "timeout" in assert_stopped(found, "login").text


def test_a_driver_that_never_comes_back_is_left_behind(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drivers may overrun their own login timeout: the check does not wait for them."""
    over = threading.Event()

    class StuckDialect:
        def connect(self, *_: object, **__: object) -> None:
            over.wait(30)

    monkeypatch.setattr("mssqlclient_mcp.check.dialect_for", lambda *_, **__: StuckDialect())
    settings = {"DATABASE_URL": guarded.url, "CONNECTION_TIMEOUT_SECONDS": "1"}
    run_of_it = Check(lambda: load_config(settings))
    began = time.monotonic()
    found = {step.name: step.finding for step in run_of_it.steps()}
    over.set()
    assert run_of_it.stuck
    assert time.monotonic() - began < 1 + 7
    assert_stopped(found, "login")


def test_an_unknown_host_is_told_at_the_name() -> None:
    """The remedy is a command of this platform."""
    stopped = assert_stopped(url("postgresql://u:p@no-such-host.invalid/d"), "name")
    assert "no-such-host.invalid" in stopped.remedy


def test_a_wrong_password_is_told_at_the_login(guarded: Guarded) -> None:
    """The server's own words, the cause, and nothing of the password."""
    found = url(guarded.through("wrong-password-of-mine"))
    stopped = assert_stopped(found, "login")
    assert "password authentication failed" in stopped.text
    assert "wrong-password-of-mine" not in repr(found)


def test_no_password_at_all_is_told_at_the_login(guarded: Guarded) -> None:
    """.pgpass is named as the place where libpq looks, too."""
    bare = f"postgresql://guarded@127.0.0.1:{guarded.relay.settings.port}/postgres"
    assert ".pgpass" in assert_stopped(url(bare), "login").remedy


def test_an_unknown_database_is_told_after_the_login(guarded: Guarded) -> None:
    """User and password were right, and that is said."""
    found = url(guarded.through(PASSWORD, database="no_such_database"))
    assert_stopped(found, "database")
    assert found["login"].mark is Mark.OK


# -- PostgreSQL and certificates ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    """An authority."""
    return issue(tmp_path_factory.mktemp("certificates"), "authority", authority=True)


@contextmanager
def secured(server: Guarded, certificate: Issued) -> Iterator[Callable[..., dict[str, Finding]]]:
    """Checks of the server behind TLS with that certificate, by sslmode and further parameters."""
    with closing(TlsFront(server.url, certificate.certificate_file, certificate.key_file)) as front:

        def look(sslmode: str, *, host: str = "localhost", **further: str) -> dict[str, Finding]:
            query = "".join(f"&{name}={quote(value)}" for name, value in further.items())
            return url(f"{server.through(PASSWORD, port=front.port, host=host)}?sslmode={sslmode}{query}")

        yield look


def test_a_self_signed_certificate_is_refused_when_it_is_checked_and_described_always(guarded: Guarded, tmp_path: Path) -> None:
    """verify-full refuses and says what to do; require takes it, says that nobody checked; with itself as root it is fine."""
    own = issue(tmp_path, "self", hosts=("localhost",))
    missing = str(tmp_path / "none.crt")
    with secured(guarded, own) as look:
        refused = assert_stopped(look("verify-full", sslrootcert=missing), "tls")
        taken = look("require", sslrootcert=missing)
        trusted = look("verify-full", sslrootcert=str(own.certificate_file))
    assert "self-signed" in refused.cause
    assert "sslrootcert" in refused.remedy
    assert "not checked" in taken["tls"].text
    assert taken["round_trip"].mark is Mark.OK
    assert "checked by the driver" in trusted["tls"].text
    assert trusted["tls"].mark is Mark.OK
    assert trusted["tls"].facts["selfSigned"] is True


def test_a_certificate_of_an_unknown_authority_is_refused(guarded: Guarded, authority: Issued, tmp_path: Path) -> None:
    """The root that is checked against is another one."""
    other = issue(tmp_path, "other", authority=True)
    with secured(guarded, issue(tmp_path, "server", hosts=("localhost",), by=authority)) as look:
        refused = assert_stopped(look("verify-full", sslrootcert=str(other.certificate_file)), "tls")
        taken = look("verify-full", sslrootcert=str(authority.certificate_file))
    assert "certificate verify failed" in refused.text
    assert taken["tls"].mark is Mark.OK


def test_a_certificate_for_another_name_is_refused(guarded: Guarded, authority: Issued, tmp_path: Path) -> None:
    """verify-full refuses; verify-ca takes it, and the difference is a note."""
    with secured(guarded, issue(tmp_path, "server", hosts=("db.example.com",), by=authority)) as look:
        refused = assert_stopped(look("verify-full", sslrootcert=str(authority.certificate_file)), "tls")
        unchecked = look("require", sslrootcert=str(tmp_path / "none.crt"))
    assert "db.example.com" in refused.cause
    assert any("not for localhost" in advice.text for advice in unchecked["tls"].warnings)


@pytest.mark.parametrize(("days", "words"), [(-5, "ended on"), (5, "ends in")])
def test_the_end_of_a_certificate_is_noted(guarded: Guarded, authority: Issued, tmp_path: Path, days: int, words: str) -> None:
    """Ended or about to, whoever checks it."""
    with secured(guarded, issue(tmp_path, "server", hosts=("localhost",), by=authority, days=days)) as look:
        found = look("require", sslrootcert=str(tmp_path / "none.crt"))
    assert any(words in advice.text for advice in found["tls"].warnings)


# -- SQL Server: what does not need one --------------------------------------------------------------------------------


def mssql(text: str) -> dict[str, Finding]:
    """The steps for a SQL Server connection string. The driver may be missing here: the way is looked at all the same."""
    return check({"MSSQL_CONNECTIONSTRING": text})


def failure(found: dict[str, Finding], at: str) -> Finding:
    """The failed step, whether or not this machine has a driver."""
    assert found[at].mark is Mark.FAILED
    assert found[at].cause
    assert found[at].remedy
    assert found["login"].mark is Mark.NOT_TRIED
    return found[at]


def test_the_way_to_a_sql_server_is_looked_at_step_by_step() -> None:
    """Unknown host, closed port, silent port, another program: each at its own step."""
    login = "User Id=reader;Password=s3cret-word"
    assert "no-such-host" in failure(mssql(f"Server=no-such-host.invalid;{login}"), "name").remedy
    assert "TCP/IP" in failure(mssql(f"Server=127.0.0.1,{closed_port()};{login}"), "tcp").remedy
    with listening(no_answer) as port:
        assert "says nothing" in failure(mssql(f"Server=127.0.0.1,{port};{login}"), "tls").text
    with listening(speak_http) as port:
        assert "not SQL Server" in failure(mssql(f"Server=127.0.0.1,{port};{login}"), "tls").text
    with listening(speak_http) as port:
        strict = failure(mssql(f"Server=127.0.0.1,{port};Encrypt=Strict;{login}"), "tls")
    assert "2022" in strict.cause


@pytest.mark.parametrize(("encryption", "words"), [(0, "encryption offered"), (3, "encryption required")])
def test_the_certificate_inside_tds_packets_is_described(
    monkeypatch: pytest.MonkeyPatch, authority: Issued, tmp_path: Path, encryption: int, words: str
) -> None:
    """The handshake is wrapped in PRELOGIN packets; names, authority and end are told, and nothing is judged here."""
    monkeypatch.setattr("mssqlclient_mcp.check.dialect_for", lambda *_, **__: RefusingDialect())
    server = FakeSqlServer(encryption, issue(tmp_path, "sql", hosts=("sql.example.com",), by=authority))
    with listening(server) as port:
        found = mssql(f"Server=127.0.0.1,{port};User Id=u;Password=p;TrustServerCertificate=true")["tls"]
    assert words in found.text
    assert found.facts["names"] == ["sql.example.com"]
    assert found.facts["issuer"] == "CN=authority"
    assert any("TrustServerCertificate" in advice.text for advice in found.warnings)


def test_a_server_without_encryption_is_told(monkeypatch: pytest.MonkeyPatch, authority: Issued, tmp_path: Path) -> None:
    """Answer 2 to the question for encryption: it has none."""
    monkeypatch.setattr("mssqlclient_mcp.check.dialect_for", lambda *_, **__: RefusingDialect())
    with listening(FakeSqlServer(2, issue(tmp_path, "sql", by=authority))) as port:
        assert "offers no encryption" in mssql(f"Server=127.0.0.1,{port};User Id=u;Password=p")["tls"].text


class RefusingDialect:
    """A dialect whose driver gets no further than the way."""

    def connect(self, *_: object, **__: object) -> None:
        from mssqlclient_mcp.errors import AuthenticationFailed

        raise AuthenticationFailed("Login failed for user 'u'.")


def browser(answer: bytes | None) -> tuple[socket.socket, threading.Thread]:
    """A SQL Server Browser service on a port of its own, for one question."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            question, peer = server.recvfrom(1024)
            if answer is not None and question == b"\x04PAYROLL\x00":
                server.sendto(b"\x05" + struct.pack("<H", len(answer)) + answer, peer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return server, thread


@pytest.mark.parametrize(
    ("answer", "port"),
    [
        (b"ServerName;DB1;InstanceName;PAYROLL;IsClustered;No;Version;16.0.1000.6;tcp;51433;;", 51433),
        (b"ServerName;DB1;InstanceName;PAYROLL;IsClustered;No;Version;16.0.1000.6;np;\\\\DB1\\pipe;;", None),
    ],
)
def test_a_named_instance_is_asked_for_its_port(answer: bytes, port: int | None) -> None:
    """The browser service tells the TCP port, or that there is none."""
    server, thread = browser(answer)
    with server:
        assert port_of("PAYROLL", [Address("db1", "127.0.0.1", 1433)], 3, browser_port=server.getsockname()[1]) == port
        thread.join(5)


def test_a_silent_browser_service_is_not_waited_for_long() -> None:
    """Datagrams vanish without a word: the wait is bounded."""
    server, thread = browser(None)
    began = time.monotonic()
    with server, pytest.raises(TimeoutError):
        port_of("PAYROLL", [Address("db1", "127.0.0.1", 1433)], 1, browser_port=server.getsockname()[1])
    assert time.monotonic() - began < 3
    thread.join(5)


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_prints_one_line_a_step_and_ends_with_0(guarded: Guarded) -> None:
    """Plain ASCII where the output is no terminal, and the password nowhere."""
    code, text = run({"DATABASE_URL": guarded.through(PASSWORD)})
    assert code == 0
    assert text.isascii()
    lines = [line for line in text.splitlines() if line[:2] in ("ok", "!!", "--")]
    assert [line[3:16].strip() for line in lines] == [
        "configuration", "driver", "name", "TCP", "TLS", "login", "database", "permissions", "writes", "version", "round trip",
    ]  # fmt: skip
    assert PASSWORD not in text


def test_the_command_ends_with_1_when_a_step_failed_and_tells_it_as_json(guarded: Guarded) -> None:
    """--format json prints one JSON value, and no secret."""
    code, text = run({"DATABASE_URL": guarded.through("wrong-password-of-mine")}, "--format", "json")
    told = json.loads(text)
    assert (code, told["ok"], told["exitCode"]) == (1, False, 1)
    login = next(step for step in told["steps"] if step["name"] == "login")
    assert (login["mark"], login["facts"]["code"]) == ("failed", "AUTHENTICATION_FAILED")
    assert login["remedy"]
    assert "wrong-password-of-mine" not in text


def test_the_command_ends_though_the_driver_does_not(authority: Issued, tmp_path: Path) -> None:
    """A server that is silent after the handshake: Microsoft's driver waits a minute, the check some seconds."""
    pyodbc = pytest.importorskip("pyodbc", exc_type=ImportError)
    library = package_library(Machine.here())
    if library is None or not pyodbc.drivers:
        pytest.skip("Microsoft's driver is not installed by its package")
    server = FakeSqlServer(1, issue(tmp_path, "sql", hosts=("localhost",), by=authority), hang_up=False)
    with listening(server, at_once=True) as port:
        text = f"DRIVER={library};SERVER=127.0.0.1,{port};UID=u;PWD=hush-hush;TrustServerCertificate=yes"
        began = time.monotonic()
        code, out = run({"MSSQL_CONNECTIONSTRING": text, "CONNECTION_TIMEOUT_SECONDS": "1"})
    assert code == 1
    assert "!! login" in out
    assert time.monotonic() - began < 1 + 9


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("settings", [{}, {"DATABASE_URL": "postgresql://u:hush-hush@h/d?sslmod=x"}, {"MAX_ROWS": "many"}])
def test_the_command_ends_with_2_when_the_configuration_cannot_be_used(settings: dict[str, str], format: str) -> None:
    """Nothing set, a parameter misspelt, a value that cannot be: said at the first step."""
    code, text = run(settings, "--format", format)
    assert code == 2
    assert "configuration" in text
    assert "hush-hush" not in text


def blocking(folder: Path, module: str, reason: str) -> dict[str, str]:
    """An environment in which the import of a module fails, as where it is not installed."""
    lines = (
        "import builtins",
        "_real = builtins.__import__",
        "def _refuse(name, *rest, **more):",
        f"    if name.partition('.')[0] == {module!r}: raise ImportError({reason!r})",
        "    return _real(name, *rest, **more)",
        "builtins.__import__ = _refuse",
    )
    (folder / "sitecustomize.py").write_text("\n".join(lines))
    return {"PYTHONPATH": str(folder)}


def test_a_missing_psycopg_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    """Server and port are looked at all the same."""
    with listening(no_answer) as port:
        settings = {"DATABASE_URL": f"postgresql://u:p@127.0.0.1:{port}/d", "CONNECTION_TIMEOUT_SECONDS": "1"}
        code, text = run({**settings, **blocking(tmp_path, "psycopg", "No module named 'psycopg'")})
    assert code == 1
    assert "!! driver" in text
    assert "pip install" in text
    assert "ok TCP" in text


def test_a_missing_driver_manager_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    """pyodbc's import fails where the system has no libodbc."""
    reason = "libodbc.so.2: cannot open shared object file: No such file or directory"
    settings = {"MSSQL_CONNECTIONSTRING": f"Server=127.0.0.1,{closed_port()};User Id=u;Password=hush-hush"}
    code, text = run({**settings, **blocking(tmp_path, "pyodbc", reason)})
    assert code == 1
    assert "!! driver" in text
    assert "ODBC driver manager" in text
    if sys.platform == "linux" and Path("/etc/debian_version").exists():
        assert "apt-get install -y libodbc2" in text


def test_a_driver_that_is_not_registered_is_told_with_those_that_are(tmp_path: Path) -> None:
    """ODBC's list is empty, and the one named is not in it."""
    pytest.importorskip("pyodbc", exc_type=ImportError)
    text = f"DRIVER={{ODBC Driver 18 for SQL Server}};SERVER=127.0.0.1,{closed_port()};UID=u;PWD=hush-hush"
    code, out = run({"MSSQL_CONNECTIONSTRING": text, "ODBCSYSINI": str(tmp_path), "ODBCINSTINI": "none.ini"})
    assert code == 1
    assert "'ODBC Driver 18 for SQL Server' is not installed" in out
    assert "install" in out


def test_a_library_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Named by its path, and the path is wrong."""
    pytest.importorskip("pyodbc", exc_type=ImportError)
    found = mssql(f"DRIVER={tmp_path / 'libtdsodbc.so'};SERVER=127.0.0.1;PORT={closed_port()};UID=u;PWD=p")
    assert found["driver"].mark is Mark.FAILED
    assert "cannot be loaded" in found["driver"].text


# -- SQL Server --------------------------------------------------------------------------------------------------------


@pytest.mark.sqlserver
def test_a_sql_server_that_works_passes_every_step(request: pytest.FixtureRequest) -> None:
    """Every step, with the driver that the connection string names."""
    found = check(live(request))
    assert {name for name, finding in found.items() if finding.mark not in (Mark.OK, Mark.WARNING)} <= {"instance"}
    assert found["version"].facts["version"]


@pytest.mark.sqlserver
def test_a_wrong_password_and_an_unknown_database_are_told_on_a_sql_server(request: pytest.FixtureRequest) -> None:
    """Each at its step, by the driver's own error."""
    text = live(request)["MSSQL_CONNECTIONSTRING"]
    connection = load_config({"MSSQL_CONNECTIONSTRING": text}).connection
    if connection.password is None:
        pytest.skip("the login has no password")
    word = connection.password.reveal()
    assert_stopped(mssql(text.replace(word, "wrong-password-of-mine")), "login")
    found = mssql(f"{text};DATABASE=no_such_database")
    assert_stopped(found, "database")


def live(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of the SQL Server of this run, without a database."""
    request.getfixturevalue("sqlserver")
    return {"MSSQL_CONNECTIONSTRING": os.environ["TEST_MSSQL_CONNECTIONSTRING"].rstrip(";")}


@pytest.mark.sqlserver
def test_the_driver_says_what_to_do_about_a_self_signed_certificate(request: pytest.FixtureRequest) -> None:
    """With Microsoft's driver and checking on, a certificate nobody vouches for is refused, with both ways out."""
    text = live(request)["MSSQL_CONNECTIONSTRING"]
    settings = load_config({"MSSQL_CONNECTIONSTRING": text}).connection
    if "tdsodbc" in text.lower() or "freetds" in text.lower():
        pytest.skip("FreeTDS checks no certificate")
    found = mssql(text.replace("TrustServerCertificate=yes", "TrustServerCertificate=no"))
    if found["tls"].facts.get("selfSigned") is False or settings.trust_server_certificate is not True:
        pytest.skip("the server's certificate is trusted here")
    refused = assert_stopped(found, "tls")
    assert "TrustServerCertificate" in refused.remedy


def test_a_database_of_every_dialect_is_described_in_one_phrase(database: TestDatabase) -> None:
    """The configuration step says where the server is, never with a password."""
    found = check(dict(database.environment))
    assert found["configuration"].mark in (Mark.OK, Mark.WARNING)
    assert ("PostgreSQL" if database.dialect == "postgresql" else "SQL Server") in found["configuration"].text
