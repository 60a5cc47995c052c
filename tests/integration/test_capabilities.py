"""What a server is and can do, on every database at hand; and the detector's memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import psycopg
import pytest
from mcp import Client

from mssqlclient_mcp.capabilities import CapabilityDetector
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.dialects.features import feature_book_for
from mssqlclient_mcp.errors import ConnectionFailed, PermissionDenied, StatementCancelled
from mssqlclient_mcp.formatters.capabilities import format_capabilities_report
from mssqlclient_mcp.models import ServerCapability
from mssqlclient_mcp.server import build_server
from tests.databases import TestDatabase, with_database

pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")

Reader = Callable[[str | None, str, Sequence[object]], list[dict[str, object]]]


@pytest.fixture
def service(database: TestDatabase) -> Iterator[DatabaseService]:
    """The whole service."""
    with DatabaseService(database.config()) as made:
        yield made


def test_the_server_tells_its_version_and_the_login_its_rights(service: DatabaseService, database: TestDatabase) -> None:
    """What a DBA looks at first: product, version, database, collation, and whether this login can write."""
    with service.call(60):
        found = service.capabilities.get_capabilities(database.name)
    assert found.identity.product.startswith(
        {"postgresql": "PostgreSQL", "sqlserver": ("SQL Server", "Azure")}[database.dialect]
    )
    assert found.identity.major is not None
    assert found.identity.version in str(found.identity.version_text) or not database.genuine
    assert str(found.identity.database).lower() == database.name.lower()
    assert found.identity.collation
    assert found.identity.system_databases
    assert found.login.login
    assert found.login.can_write is True


def test_thirty_features_and_more_each_with_a_reason_when_missing(service: DatabaseService, database: TestDatabase) -> None:
    """True, false or unknown; the two latter say why."""
    with service.call(60):
        found = service.capabilities.get_capabilities(database.name)
    assert len(found.features) >= 30
    assert len({feature.name for feature in found.features}) == len(found.features)
    assert [feature for feature in found.features if feature.supported is not True and not feature.reason] == []


async def test_the_tool_answers_by_both_names_and_refreshes(database: TestDatabase) -> None:
    """get_server_capabilities, and server_capabilities as it was called before; text and structured content agree."""
    async with Client(build_server(database.config())) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        first = await client.call_tool("get_server_capabilities", {})
        old = await client.call_tool("server_capabilities", {"refresh": True})
    assert "get_server_capabilities" in names
    assert "server_capabilities" not in names
    assert not first.is_error, first.content[0].text
    assert first.structured_content["server"] == old.structured_content["server"]
    assert first.structured_content["server"]["product"] in first.content[0].text
    assert len(first.structured_content["features"]) >= 30


def test_a_login_without_rights_is_told_apart(postgres_server: object, make_postgres_database: Callable[[], str]) -> None:
    """A login that may only read cannot write and is no administrator."""
    url = make_postgres_database()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        admin.execute("DROP ROLE IF EXISTS looks_only")
        admin.execute("CREATE ROLE looks_only")
        admin.execute("SET ROLE looks_only")

        def read(database: str | None, sql: str, values: Sequence[object]) -> list[dict[str, object]]:
            with admin.cursor(row_factory=psycopg.rows.dict_row) as cursor:
                return cursor.execute(sql, prepare=False).fetchall()  # type: ignore[call-overload, no-any-return]

        found = CapabilityDetector(read, feature_book_for("postgresql")).get_capabilities()
        admin.execute("RESET ROLE")
        admin.execute("DROP ROLE looks_only")
    assert (found.login.user, found.login.can_write, found.login.administrator) == ("looks_only", False, False)
    assert with_database(url, "x")  # the URL helper keeps its shape


class FakeServer:
    """A server at the reader's seam that counts what it is asked, and can be slow or fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None
        self.wait = threading.Event()
        self.wait.set()
        self._lock = threading.Lock()

    def __call__(self, database: str | None, sql: str, values: Sequence[object]) -> list[dict[str, object]]:
        with self._lock:
            self.asked += 1
            error, self.error = self.error, None
        self.wait.wait(5)
        if error is not None:
            raise error
        return [{"version_number": 180004, "product_version": "18.4", "version_text": "PostgreSQL 18.4"}]


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def detector(server: Reader, clock: Clock | None = None) -> CapabilityDetector:
    """A detector over a fake server."""
    return CapabilityDetector(server, feature_book_for("postgresql"), connection="secret text", clock=clock or Clock())


def test_the_answer_is_remembered_for_an_hour_per_database() -> None:
    """One detection an hour and database; refresh looks again."""
    server, clock = FakeServer(), Clock()
    found = detector(server, clock)
    for expected, seconds, database, refresh in (
        (1, 0.0, "a", False),
        (1, 3599.0, "a", False),
        (2, 3599.0, "b", False),
        (3, 3600.0, "a", False),
        (4, 3600.0, "a", True),
    ):
        clock.now = seconds
        found.get_capabilities(database, refresh=refresh)
        assert server.asked == expected


def test_no_secret_is_kept() -> None:
    """The detector holds a digest that nobody can take back to the connection string."""
    made = detector(FakeServer())
    made.get_capabilities("a")
    assert "secret text" not in repr(vars(made))


def test_concurrent_callers_cause_one_detection() -> None:
    """Ten callers at once: one looks, nine wait, all get the same answer."""
    server = FakeServer()
    server.wait.clear()
    found, answers = detector(server), []
    threads = [threading.Thread(target=lambda: answers.append(found.get_capabilities())) for _ in range(10)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    server.wait.set()
    for thread in threads:
        thread.join(5)
    assert server.asked == 1
    assert len(answers) == 10
    assert all(answer is answers[0] for answer in answers)


def test_a_cancelled_caller_does_not_cancel_those_who_wait() -> None:
    """They look themselves."""
    server = FakeServer()
    server.wait.clear()
    server.error = StatementCancelled("the client went away")
    found = detector(server)
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(found.get_capabilities())
        except StatementCancelled as error:
            answers.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    server.wait.set()
    for thread in threads:
        thread.join(5)
    assert sorted(type(answer).__name__ for answer in answers) == ["ServerCapability", "StatementCancelled"]


def test_a_lost_connection_is_not_remembered() -> None:
    """The next caller tries again."""
    server = FakeServer()
    server.error = ConnectionFailed("away")
    found = detector(server)
    with pytest.raises(ConnectionFailed):
        found.get_capabilities()
    assert found.get_capabilities().identity.major == 18


def test_a_refused_probe_leaves_its_fields_unknown() -> None:
    """The whole answer never fails for one part; the note says what was refused."""
    server = FakeServer()
    server.error = PermissionDenied("permission denied for view pg_settings")
    found = detector(server).get_capabilities()
    assert found.identity.major is None
    assert found.deployment == "unknown"
    assert {feature.supported for feature in found.features} == {None}
    assert "pg_settings" in found.notes[0]
    assert "unknown" in format_capabilities_report(found)[0]


def test_the_cached_answer_is_fast_and_the_cold_one_bounded(service: DatabaseService, database: TestDatabase) -> None:
    """Cached under 5 ms; cold under 500 ms and the round trips."""
    with service.call(60):
        service.capabilities.get_capabilities(database.name)  # connects
        started = time.perf_counter()
        cold: ServerCapability = service.capabilities.get_capabilities(database.name, refresh=True)
        cold_seconds = time.perf_counter() - started
        started = time.perf_counter()
        assert service.capabilities.get_capabilities(database.name) is cold
        assert time.perf_counter() - started < 0.005
    if database.genuine:
        assert cold_seconds < 0.5
