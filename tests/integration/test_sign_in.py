"""Ways to sign in, for real: what libpq reads by itself, client certificates, and tokens as the drivers send them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

import psycopg
import pytest

from mssqlclient_mcp.connection_string import parse
from mssqlclient_mcp.dialects.sqlserver.connection import SqlServerDialect
from mssqlclient_mcp.dialects.sqlserver.drivers import Driver, Machine, choose_driver, load_problem, package_library
from mssqlclient_mcp.errors import AuthenticationFailed, ConnectionFailed, DatabaseMcpError
from tests.certificates import Issued, issue
from tests.guarded_postgres import PASSWORD, Guarded, guarded_server
from tests.live_postgres import ask, connect
from tests.ports import listening
from tests.system_postgres import system_postgres
from tests.tds_server import FakeSqlServer
from tests.tls_front import TlsFront


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    """A PostgreSQL that asks for a password."""
    with guarded_server() as server:
        yield server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    """An authority."""
    return issue(tmp_path_factory.mktemp("certificates"), "authority", authority=True)


def whoami(url: str) -> str:
    """The login that the server sees."""
    with closing(connect(url)) as connection:
        _, [[name]] = ask(connection, "SELECT session_user::text")
    return str(name)


# -- PostgreSQL: password files and certificates -----------------------------------------------------------------------


@pytest.mark.parametrize("by", ["parameter", "environment", "home"])
def test_a_password_file_is_read(guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """~/.pgpass, PGPASSFILE, or passfile= in the URL: the URL itself then holds no secret."""
    port = guarded.relay.settings.port
    file = tmp_path / ".pgpass"
    file.write_text(f"# host:port:database:user:password\n127.0.0.1:{port}:*:guarded:{PASSWORD}\n")
    file.chmod(0o600)
    url = f"postgresql://guarded@127.0.0.1:{port}/postgres"
    if by == "parameter":
        url += f"?passfile={quote(str(file))}"
    elif by == "environment":
        monkeypatch.setenv("PGPASSFILE", str(file))
    elif sys.platform == "win32":
        pytest.skip("Windows keeps it elsewhere")
    else:
        monkeypatch.setenv("HOME", str(tmp_path))
    assert whoami(url) == "guarded"


def test_a_client_certificate_is_shown(guarded: Guarded, authority: Issued, tmp_path: Path) -> None:
    """sslcert and sslkey in the URL; without them the other side refuses."""
    server = issue(tmp_path, "server", hosts=("localhost",), by=authority)
    client = issue(tmp_path, "ada", by=authority)
    root = authority.certificate_file
    with closing(TlsFront(guarded.url, server.certificate_file, server.key_file, clients=root)) as front:
        url = (
            f"{guarded.through(PASSWORD, port=front.port, host='localhost')}?sslmode=verify-full&sslrootcert={quote(str(root))}"
        )
        shown = f"&sslcert={quote(str(client.certificate_file))}&sslkey={quote(str(client.key_file))}"
        assert whoami(url + shown) == "guarded"
        assert front.client_subjects == [((("commonName", "ada"),),)]
        with pytest.raises(ConnectionFailed):
            whoami(f"{url}&sslcert={tmp_path / 'none.crt'}")


@pytest.mark.skipif(sys.platform == "win32", reason="starts a system's server")
def test_a_server_that_knows_people_by_certificates_lets_them_in_without_a_password(authority: Issued, tmp_path: Path) -> None:
    """PostgreSQL's own ``cert`` method: the certificate's common name is the role."""
    server = issue(tmp_path, "server", hosts=("localhost",), by=authority)
    ada, eve = issue(tmp_path, "ada", by=authority), issue(tmp_path, "eve", by=authority)
    root = authority.certificate_file
    settings = {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key", "ssl_ca_file": root.name}
    rules = ["hostssl all all 127.0.0.1/32 cert"]
    with system_postgres(settings, rules, [server.certificate_file, server.key_file, root]) as (folder, port):
        with psycopg.connect(f"postgresql://postgres@/postgres?host={folder}&port={port}", autocommit=True) as administrator:
            administrator.execute("CREATE ROLE ada LOGIN")
        url = f"postgresql://ada@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={quote(str(root))}&"

        def by(person: Issued) -> str:
            return whoami(f"{url}sslcert={quote(str(person.certificate_file))}&sslkey={quote(str(person.key_file))}")

        assert by(ada) == "ada"
        with pytest.raises(AuthenticationFailed, match="authentication failed"):
            by(eve)


# -- tokens ------------------------------------------------------------------------------------------------------------


@dataclass
class GivenToken:
    """What azure.identity gives."""

    token: str
    expires_on: int


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """azure.identity with a credential that gives the guarded role's password for a token; holds the scopes asked for."""
    scopes: list[str] = []

    class DefaultAzureCredential:
        def get_token(self, *asked: str) -> GivenToken:
            scopes.extend(asked)
            return GivenToken(PASSWORD, int(time.time()) + 3600)

    package = ModuleType("azure.identity")
    package.DefaultAzureCredential = DefaultAzureCredential  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "azure.identity", package)
    return scopes


def test_a_token_is_the_password_of_a_postgresql_login(
    guarded: Guarded, authority: Issued, tmp_path: Path, entra: list[str]
) -> None:
    """Over TLS, as Azure Database for PostgreSQL wants it."""
    server = issue(tmp_path, "server", hosts=("localhost",), by=authority)
    with closing(TlsFront(guarded.url, server.certificate_file, server.key_file)) as front:
        root = quote(str(authority.certificate_file))
        url = f"postgresql://guarded@localhost:{front.port}/postgres?sslmode=verify-full&sslrootcert={root}"
        assert whoami(f"{url}&authentication=ActiveDirectoryDefault") == "guarded"
    assert entra == ["https://ossrdbms-aad.database.windows.net/.default"]


def test_a_token_is_not_sent_to_a_postgresql_without_tls(guarded: Guarded, entra: list[str]) -> None:
    """Where the URL says nothing about TLS, it is required."""
    url = f"postgresql://guarded@127.0.0.1:{guarded.relay.settings.port}/postgres?authentication=ActiveDirectoryDefault"
    with pytest.raises(ConnectionFailed, match="does not support SSL"):
        whoami(url)


def microsoft_driver() -> str:
    """Microsoft's driver, registered or out of its package; skips when there is none."""
    pyodbc = pytest.importorskip("pyodbc", exc_type=ImportError, reason="no ODBC library (unixODBC) on this machine")
    try:
        chosen = choose_driver(None, None, pyodbc.drivers(), Machine.here())
    except DatabaseMcpError:
        pytest.skip("no driver of Microsoft's")
    if chosen.freetds:
        pytest.skip("no driver of Microsoft's")
    return chosen.name


def test_microsofts_driver_sends_the_token_and_no_password(authority: Issued, tmp_path: Path, entra: list[str]) -> None:
    """Seen from the wire: the login packet holds the token, as UTF-16, in its field for federated authentication."""
    driver = microsoft_driver()
    server = FakeSqlServer(1, issue(tmp_path, "sql", hosts=("localhost",), by=authority))
    with listening(server) as port:
        text = f"DRIVER={driver};SERVER=127.0.0.1,{port};Authentication=ActiveDirectoryDefault;TrustServerCertificate=yes"
        with pytest.raises(DatabaseMcpError):
            SqlServerDialect().connect(parse(f"{text};Connect Timeout=3"), application_name="test")
    token = PASSWORD.encode("utf-16-le")
    assert b"\x02" + (len(token) + 5).to_bytes(4, "little") in server.login  # FEDAUTH, with the length of its data
    assert token in server.login
    assert entra == ["https://database.windows.net/.default"]


# -- Microsoft's driver out of its package -----------------------------------------------------------------------------


@pytest.mark.skipif(find_spec("mssql_python_odbc") is None, reason="the extra `driver` is not installed")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows drivers by their registered names only")
def test_the_driver_of_the_extra_is_found_and_can_be_loaded() -> None:
    """``pip install "mssqlclient-mcp[driver]"`` and nothing more: the library fits this machine, and its own needs are met."""
    module = pytest.importorskip("pyodbc", exc_type=ImportError)
    library = package_library(Machine.here())
    assert library is not None
    chosen = choose_driver(None, None, [], Machine.here())
    assert chosen == Driver(library, freetds=False)
    assert load_problem(module, chosen) == ""
