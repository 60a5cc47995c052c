"""Signing in with a token of Microsoft Entra: a credential that is a script stands where azure-identity would."""

from __future__ import annotations

import io
import logging
import struct
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType

import pytest

from mssqlclient_mcp.connection_settings import ConnectionSettings, Secret
from mssqlclient_mcp.connection_string import parse
from mssqlclient_mcp.dialects.entra import SQLSERVER_SCOPE, Tokens, make_credential
from mssqlclient_mcp.dialects.postgresql.connection import PostgresDialect
from mssqlclient_mcp.dialects.sqlserver.connection import SqlServerDialect
from mssqlclient_mcp.errors import AuthenticationFailed, ConfigInvalid, DriverMissing
from mssqlclient_mcp.logs import setup_logging
from tests.fakes.dbapi import FakeDriver

SETTINGS = parse("Server=db.example.com;Database=shop;Authentication=Active Directory Default")


@dataclass
class GivenToken:
    """What azure.identity gives."""

    token: str
    expires_on: int


@dataclass
class FakeCredential:
    """Gives tokens that live for ``life`` seconds, or fails with ``error``; ``wait`` holds it up."""

    clock: Clock
    life: int = 3600
    error: Exception | None = None
    wait: threading.Event | None = None
    scopes: list[tuple[str, ...]] = field(default_factory=list)

    def get_token(self, *scopes: str) -> GivenToken:
        self.scopes.append(scopes)
        if self.wait is not None:
            self.wait.wait(10)
        if self.error is not None:
            raise self.error
        return GivenToken(f"token-number-{len(self.scopes)}", int(self.clock.seconds) + self.life)


@dataclass
class Clock:
    """A clock that tests move."""

    seconds: float = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def credential(clock: Clock) -> FakeCredential:
    """The credential that every authentication gets."""
    return FakeCredential(clock)


@pytest.fixture
def tokens(credential: FakeCredential, clock: Clock) -> Tokens:
    """Tokens of that credential."""
    return Tokens(lambda *_: credential, clock)


def ask(tokens: Tokens, seconds: float = 5) -> str:
    """A token, in the clear."""
    return tokens.token(SETTINGS, SQLSERVER_SCOPE, client_id=None, seconds=seconds).reveal()


# -- the tokens --------------------------------------------------------------------------------------------------------


def test_a_token_is_kept_until_shortly_before_it_ends(tokens: Tokens, credential: FakeCredential, clock: Clock) -> None:
    """A connection never starts with a token that is about to end, and none is asked for more often than needed."""
    assert [ask(tokens), ask(tokens)] == ["token-number-1"] * 2
    clock.seconds += 3600 - 301
    assert ask(tokens) == "token-number-1"
    clock.seconds += 2
    assert ask(tokens) == "token-number-2"
    assert credential.scopes == [(SQLSERVER_SCOPE,)] * 2


def test_threads_that_need_a_token_at_once_wait_for_one_question(tokens: Tokens, credential: FakeCredential) -> None:
    """Eight connections start together: one question, eight answers."""
    credential.wait = threading.Event()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(ask, tokens) for _ in range(8)]
        time.sleep(0.1)
        credential.wait.set()
        assert {item.result(10) for item in waiting} == {"token-number-1"}
    assert len(credential.scopes) == 1


def test_a_credential_that_says_nothing_is_not_waited_for_longer_than_allowed(
    tokens: Tokens, credential: FakeCredential
) -> None:
    """The wait is bounded; what comes late is used by the next."""
    credential.wait = threading.Event()
    began = time.monotonic()
    with pytest.raises(AuthenticationFailed, match="within 0 s") as caught:
        ask(tokens, seconds=0.1)
    assert time.monotonic() - began < 2
    assert caught.value.retryable
    credential.wait.set()
    assert ask(tokens) == "token-number-1"
    assert len(credential.scopes) == 1


def test_the_reason_of_a_refusal_is_told_and_the_next_call_asks_again(tokens: Tokens, credential: FakeCredential) -> None:
    """AUTHENTICATION_FAILED with the credential's own words."""
    credential.error = RuntimeError("AADSTS50034: the account does not exist")
    with pytest.raises(AuthenticationFailed, match="AADSTS50034: the account does not exist") as caught:
        ask(tokens)
    assert "az login" in caught.value.next_step
    credential.error = None
    assert ask(tokens) == "token-number-2"


def test_each_credential_has_its_own_token(clock: Clock) -> None:
    """Another identity or another scope never gets the token of the first."""
    made: list[tuple[str, str | None]] = []

    def make(authentication: str, client_id: str | None) -> FakeCredential:
        made.append((authentication, client_id))
        return FakeCredential(clock)

    tokens = Tokens(make, clock)
    for client_id, scope in ((None, "a"), ("id-1", "a"), ("id-1", "b"), (None, "a")):
        tokens.token(SETTINGS, scope, client_id=client_id, seconds=5)
    assert made == [("ActiveDirectoryDefault", client_id) for client_id in (None, "id-1", "id-1")]


def test_a_token_never_shows_in_the_log(
    tokens: Tokens, credential: FakeCredential, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever logs it by accident, in whatever form; and the log forgets those that ended long ago."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    before = logging.getLogger().handlers[:]
    redactor = setup_logging("info", "text")
    try:
        for _ in range(4):
            logging.getLogger("somebody").warning("got %s and %r", ask(tokens), ask(tokens))
            clock.seconds += 4000
    finally:
        logging.getLogger().handlers[:] = before
        logging.captureWarnings(False)
    assert "token-number" not in stream.getvalue()
    assert stream.getvalue().count("****") == 8
    assert redactor.clean("token-number-4 token-number-1") == "**** token-number-1"
    assert len(credential.scopes) == 4


# -- azure-identity ----------------------------------------------------------------------------------------------------


@pytest.fixture
def azure_identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, str]]]]:
    """A package of that name; holds what was made of it."""
    made: list[tuple[str, dict[str, str]]] = []
    package = ModuleType("azure.identity")
    for name in ("DefaultAzureCredential", "WorkloadIdentityCredential"):
        setattr(package, name, lambda name=name, **options: made.append((name, options)))
    monkeypatch.setitem(sys.modules, "azure.identity", package)
    return made


def test_each_authentication_has_its_credential(azure_identity: list[tuple[str, dict[str, str]]]) -> None:
    """The client id of a managed identity goes under the name that the class has for it."""
    make_credential("ActiveDirectoryDefault", None)
    make_credential("ActiveDirectoryDefault", "id-1")
    make_credential("ActiveDirectoryWorkloadIdentity", "id-2")
    assert azure_identity == [
        ("DefaultAzureCredential", {}),
        ("DefaultAzureCredential", {"managed_identity_client_id": "id-1"}),
        ("WorkloadIdentityCredential", {"client_id": "id-2"}),
    ]


def test_a_missing_azure_identity_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(DriverMissing) as caught:
        Tokens().token(SETTINGS, SQLSERVER_SCOPE, client_id=None, seconds=5)
    assert "mssqlclient-mcp[azure]" in caught.value.next_step


def test_the_real_package_refuses_with_its_reason_where_nobody_has_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment, no az, no identity: the list of what was tried is the reason."""
    pytest.importorskip("azure.identity")
    for name in ("PATH", "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.setenv(name, "") if name == "PATH" else monkeypatch.delenv(name, raising=False)
    workload = parse("Server=db;Authentication=ActiveDirectoryWorkloadIdentity")
    with pytest.raises(AuthenticationFailed, match="WorkloadIdentityCredential"):
        Tokens().token(workload, SQLSERVER_SCOPE, client_id=None, seconds=10)


# -- SQL Server --------------------------------------------------------------------------------------------------------


def test_a_sql_server_gets_the_token_as_a_connection_attribute(tokens: Tokens) -> None:
    """ACCESSTOKEN: the length in bytes, then UTF-16; the text of the connection holds neither user nor authentication."""
    driver = FakeDriver()
    dialect = SqlServerDialect(module=driver, tokens=tokens)
    dialect.connect(SETTINGS, database=None, application_name="test").close()
    data = "token-number-1".encode("utf-16-le")
    assert driver.attributes == [{1256: struct.pack("<I", len(data)) + data}]
    [text] = driver.connection_strings
    assert "Encrypt=yes;" in text
    assert not any(word in text for word in ("UID", "PWD", "Authentication", "Trusted_Connection", "token-number"))


def test_without_such_an_authentication_no_attribute_is_set(tokens: Tokens, credential: FakeCredential) -> None:
    """Passwords, Windows logins and the authentications that the driver brings itself are left to the driver."""
    driver = FakeDriver()
    dialect = SqlServerDialect(module=driver, tokens=tokens)
    for text in ("User Id=u;Password=p", "Trusted_Connection=yes", "Authentication=ActiveDirectoryMsi;User Id=id-1"):
        dialect.connect(parse(f"Server=db;{text}"), database=None, application_name="test").close()
    assert driver.attributes == [{}, {}, {}]
    assert "Authentication=ActiveDirectoryMsi;" in driver.connection_strings[2]
    assert credential.scopes == []


def test_the_user_of_a_token_is_the_client_id_of_a_managed_identity(clock: Clock) -> None:
    """As Microsoft's drivers for .NET have it."""
    made: list[str | None] = []

    def make(_: str, client_id: str | None) -> FakeCredential:
        made.append(client_id)
        return FakeCredential(clock)

    settings = parse("Server=db;Authentication=ActiveDirectoryDefault;User Id=id-1")
    SqlServerDialect(module=FakeDriver(), tokens=Tokens(make, clock)).connect(settings, application_name="t").close()
    assert made == ["id-1"]


@pytest.mark.parametrize("more", ["Password=p", "Encrypt=no"])
def test_a_token_is_not_sent_in_the_clear_nor_beside_a_password(tokens: Tokens, more: str) -> None:
    """Both are mistakes, said before anything is sent."""
    settings = parse(f"Server=db;Authentication=ActiveDirectoryDefault;{more}")
    with pytest.raises(ConfigInvalid):
        SqlServerDialect(module=FakeDriver(), tokens=tokens).connect(settings, application_name="t")


def test_freetds_cannot_take_a_token(tokens: Tokens, credential: FakeCredential) -> None:
    """It knows no such attribute, and is refused before a token is asked for."""
    dialect = SqlServerDialect("FreeTDS", module=FakeDriver(["FreeTDS"]), tokens=tokens)
    with pytest.raises(ConfigInvalid, match="Microsoft's ODBC driver"):
        dialect.connect(SETTINGS, application_name="t")
    assert credential.scopes == []


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


def test_a_url_may_ask_for_a_token_and_libpq_does_not_see_that() -> None:
    """TLS is required where the URL does not say."""
    settings = parse("postgresql://me@db/shop?authentication=Active%20Directory%20Default")
    assert settings.by_token
    assert settings.option("sslmode") == "require"
    assert settings.option("authentication") is None
    checked = parse("postgresql://me@db/shop?authentication=ActiveDirectoryDefault&sslmode=verify-full")
    assert checked.option("sslmode") == "verify-full"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://me:pw-of-mine@db/shop?authentication=ActiveDirectoryDefault", "takes no password"),
        ("postgresql://me@db/shop?authentication=ActiveDirectoryDefault&sslmode=prefer", "needs TLS"),
        ("postgresql://me@db/shop?authentication=ActiveDirectoryPassword", "must be one of"),
        ("postgresql://me@db/shop?authentication=nonsense", "must be one of"),
    ],
)
def test_what_cannot_be_meant_is_refused(url: str, words: str) -> None:
    """And no password is repeated."""
    with pytest.raises(ConfigInvalid, match=words) as caught:
        parse(url)
    assert "pw-of-mine" not in str(caught.value)


def test_postgresql_gets_the_token_as_its_password(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the scope of Azure Database for PostgreSQL."""
    wire = pytest.importorskip("mssqlclient_mcp.dialects.postgresql.wire", exc_type=ImportError)
    seen: list[dict[str, str]] = []

    class Enough(Exception):
        pass

    def open_wire(parameters: dict[str, str]) -> None:
        seen.append(parameters)
        raise Enough

    monkeypatch.setattr(wire, "open_wire", open_wire)
    settings = parse("postgresql://me@db/shop?authentication=ActiveDirectoryDefault")
    with pytest.raises(Enough):
        PostgresDialect(tokens=tokens).connect(settings, database=None, application_name="t")
    assert (seen[0]["user"], seen[0]["password"], seen[0]["sslmode"]) == ("me", "token-number-1", "require")
    assert "authentication" not in seen[0]


def test_settings_by_token_print_no_secret() -> None:
    """Nor does a settings object that was made by hand with one."""
    settings = ConnectionSettings("sqlserver", "db", authentication="ActiveDirectoryDefault", password=Secret("hush-hush"))
    assert "hush-hush" not in repr(settings)
