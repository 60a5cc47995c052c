"""Connections to SQL Server on a driver that is a script: transactions, nets, cancel, loss, KILL, closing under a call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mssqlclient_mcp.connection_settings import ConnectionSettings, Secret
from mssqlclient_mcp.dialects.base import Access, dialect_for
from mssqlclient_mcp.dialects.sqlserver.connection import SqlServerDialect
from mssqlclient_mcp.dialects.sqlserver.odbc_connection import SqlServerConnection
from mssqlclient_mcp.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    DatabaseFault,
    DatabaseMcpError,
    DriverMissing,
    ObjectNotFound,
    StatementTimeout,
)
from tests.fakes.dbapi import Count, Error, Fails, FakeConnection, FakeDriver, Rows, Wait, odbc_error

SETTINGS = ConnectionSettings("sqlserver", host="db", user="u", password=Secret("hush-hush"), database="shop")
ONE_ROW = Rows([("a", int)], [(1,)])


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def driver() -> Iterator[FakeDriver]:
    """A driver, which at the end must not have been misused."""
    fake = FakeDriver()
    yield fake
    assert fake.crashes == []


@pytest.fixture
def dialect(driver: FakeDriver) -> SqlServerDialect:
    """The dialect on that driver."""
    return SqlServerDialect(module=driver)


@pytest.fixture
def connection(dialect: SqlServerDialect) -> Iterator[SqlServerConnection]:
    """A connection."""
    made = dialect.connect(SETTINGS, database=None, application_name="test")
    yield made
    made.close()


def raw(driver: FakeDriver) -> FakeConnection:
    """The driver's side of the first connection."""
    return driver.connections[0]


def sent_after_connecting(driver: FakeDriver) -> list[str]:
    """The texts, without the two that ask who we are."""
    return driver.sent()[2:]


# -- connecting --------------------------------------------------------------------------------------------------------


def test_a_connection_knows_its_database_and_session(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """Both as the server names them; the driver keeps its autocommit, and char text is read as UTF-16."""
    driver.database = "Shop"
    assert connection.database == "master"
    assert connection.session_id == raw(driver).session_id
    assert raw(driver).autocommit
    assert raw(driver).decoding == {1: ("utf-16-le", -8)}


def test_the_dialect_is_found_by_its_name() -> None:
    """And importing it does not need a driver."""
    found = dialect_for("sqlserver", odbc_driver=None)
    assert found.name == "sqlserver"
    assert found.quote("a]b") == "[a]]b]"
    assert found.same_database("Shop", "SHOP")


def test_the_connection_string_is_in_the_drivers_spelling(driver: FakeDriver, dialect: SqlServerDialect) -> None:
    """The database asked for goes before that of the settings; the application's name is for the DBA who looks."""
    dialect.connect(SETTINGS, database="other", application_name="me 7").close()
    assert driver.connection_strings[0].startswith("DRIVER=")
    assert "DATABASE=other" in driver.connection_strings[0]
    assert "APP=me 7" in driver.connection_strings[0]


def test_the_login_has_a_time_limit(driver: FakeDriver, dialect: SqlServerDialect) -> None:
    """15 seconds, or what the settings say."""
    dialect.connect(SETTINGS).close()
    quick = ConnectionSettings("sqlserver", host="db", connect_timeout=3)
    dialect.connect(quick).close()
    assert [made.login_timeout for made in driver.connections] == [15, 3]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (odbc_error("28000", "Login failed for user 'u'.", 18456), AuthenticationFailed),
        (odbc_error("42000", "Cannot open database \"x\" requested by the login.", 4060), ObjectNotFound),
        (odbc_error("08001", "A network-related error occurred", 53), ConnectionFailed),
        (odbc_error("HYT00", "Login timeout expired"), ConnectionFailed),
        (odbc_error("42000", "Database is not currently available", 40613), ConnectionFailed),
    ],
)  # fmt: skip
def test_a_failure_to_connect_is_told(
    driver: FakeDriver, dialect: SqlServerDialect, error: Error, kind: type[DatabaseMcpError]
) -> None:
    """As our error, the next attempt being free to work."""
    driver.connect_errors.append(error)
    with pytest.raises(kind):
        dialect.connect(SETTINGS)
    dialect.connect(SETTINGS).close()


def test_a_failure_to_connect_names_the_place_and_never_the_password(driver: FakeDriver, dialect: SqlServerDialect) -> None:
    """Drivers leave the server out; one might repeat its connection string."""
    driver.connect_errors.append(odbc_error("08001", "cannot use PWD=hush-hush"))
    with pytest.raises(ConnectionFailed) as caught:
        dialect.connect(SETTINGS)
    assert caught.value.message == "cannot use PWD=**** (connecting to db)"


def test_a_connection_that_dies_while_it_says_who_it_is_leaves_nothing_open(
    driver: FakeDriver, dialect: SqlServerDialect
) -> None:
    """The handle is freed."""
    driver.on("@@SPID, DB_NAME()", Fails(odbc_error("08S01", "Communication link failure")))
    with pytest.raises(ConnectionFailed):
        dialect.connect(SETTINGS)
    assert raw(driver).closed


def test_a_server_that_hides_its_sessions_can_be_used_all_the_same(driver: FakeDriver, dialect: SqlServerDialect) -> None:
    """Without the login time only KILL is off: the number alone could be another's session by then."""
    driver.on("login_time", Fails(odbc_error("42S02", "Invalid object name 'sys.dm_exec_sessions'.", 208)))
    connection = dialect.connect(SETTINGS)
    assert connection.usable
    assert not connection.shutdown()
    assert driver.sent("KILL") == []
    connection.close()


def test_no_driver_is_told_before_anything_is_tried() -> None:
    """DRIVER_MISSING for a named driver that is not there."""
    named = ConnectionSettings("sqlserver", host="db", driver="ODBC Driver 99 for SQL Server")
    with pytest.raises(DriverMissing):
        SqlServerDialect(module=FakeDriver()).connect(named)


def test_a_data_source_name_needs_no_choice_of_driver() -> None:
    """DSN= names its driver itself."""
    fake = FakeDriver(drivers=[])
    SqlServerDialect(module=fake).connect(ConnectionSettings("sqlserver", options=(("DSN", "shop"),))).close()
    assert "DSN=shop" in fake.connection_strings[0]


# -- transactions ------------------------------------------------------------------------------------------------------


def test_a_read_is_one_round_trip_to_begin_and_one_to_roll_back(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """The lock timeout travels with BEGIN TRANSACTION and is not sent again while it stays the same."""
    driver.on("FROM t", ONE_ROW)
    for _ in range(2):
        connection.begin(Access.READ_ONLY, net_seconds=30, lock_seconds=2.5)
        connection.execute("SELECT a FROM t").close()
        connection.rollback()
        assert connection.reset(trusted=True)
    rest = ["SELECT a FROM t", "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"]
    assert sent_after_connecting(driver) == ["SET LOCK_TIMEOUT 2500; BEGIN TRANSACTION", *rest, "BEGIN TRANSACTION", *rest]
    assert raw(driver).lock_timeout == 2500


def test_the_net_is_set_on_every_cursor(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """ODBC's query timeout in whole seconds, never 0, which would mean none."""
    for net, seconds in ((3605.2, 3606), (0.1, 1)):
        connection.begin(Access.AUTOCOMMIT, net_seconds=net, lock_seconds=1)
        cursor = connection.execute("SELECT 1")
        assert raw(driver).open_cursors[-1].query_timeout == seconds
        assert raw(driver).open_cursors[-1].noscan
        cursor.close()


def test_autocommit_opens_no_transaction_and_tells_one_that_was_left_open(
    driver: FakeDriver, connection: SqlServerConnection
) -> None:
    """A procedure may leave one; a rollback ends it."""
    connection.begin(Access.AUTOCOMMIT, net_seconds=30, lock_seconds=1)
    connection.execute("EXEC p").close()
    assert not connection.in_transaction()
    connection.execute("EXEC p").close()
    raw(driver).trancount = 1
    assert connection.in_transaction()
    connection.rollback()
    assert not connection.in_transaction()


def test_commit_ends_also_what_the_text_itself_began(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """T-SQL counts its transactions; one COMMIT lowers the count by one only."""
    connection.begin(Access.READ_WRITE, net_seconds=30, lock_seconds=1)
    connection.execute("BEGIN TRANSACTION; UPDATE t SET a = 1").close()
    connection.commit()
    assert driver.sent("COMMIT") == ["WHILE @@TRANCOUNT > 0 COMMIT TRANSACTION"]
    assert raw(driver).trancount == 0


def test_commit_and_rollback_without_work_send_nothing(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """No harm, and no round trip."""
    connection.commit()
    connection.rollback()
    assert sent_after_connecting(driver) == []


def test_a_catalogue_statement_of_ours_is_one_round_trip(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """It only reads, so it needs no transaction; what runs after it has its own again."""
    driver.on("FROM sys.tables", ONE_ROW)
    for _ in range(2):
        connection.begin(Access.OWN_READ, net_seconds=30, lock_seconds=2.5)
        connection.execute("SELECT name FROM sys.tables").close()
        connection.rollback()
        assert connection.reset(trusted=True)
    listed = "SELECT name FROM sys.tables"
    assert sent_after_connecting(driver) == ["SET LOCK_TIMEOUT 2500", listed, listed]
    connection.begin(Access.READ_WRITE, net_seconds=30, lock_seconds=2.5)
    assert connection.in_transaction()
    connection.rollback()
    connection.begin(Access.AUTOCOMMIT, net_seconds=30, lock_seconds=2.5)
    connection.execute("BEGIN TRANSACTION; UPDATE t SET a = 1").close()
    assert connection.in_transaction()


def test_only_a_trusted_connection_without_a_transaction_is_lent_again(connection: SqlServerConnection) -> None:
    """SQL Server has no command with which a client could clear its session."""
    connection.begin(Access.READ_ONLY, net_seconds=30, lock_seconds=1)
    assert connection.reset(trusted=True)
    assert not connection.in_transaction()
    assert not connection.reset(trusted=False)
    connection.close()
    assert not connection.reset(trusted=True)


def test_a_failed_begin_sends_the_lock_timeout_again_the_next_time(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """What the server took of the text is not known."""
    driver.on("SET LOCK_TIMEOUT", Fails(odbc_error("HY000", "no")), times=1)
    with pytest.raises(DatabaseFault):
        connection.begin(Access.READ_ONLY, net_seconds=30, lock_seconds=1)
    connection.rollback()
    connection.begin(Access.READ_ONLY, net_seconds=30, lock_seconds=1)
    assert len(driver.sent("SET LOCK_TIMEOUT")) == 2


# -- a link that breaks -------------------------------------------------------------------------------------------------


def test_a_connection_that_died_is_not_usable(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """From the first error on."""
    raw(driver).die()
    assert connection.usable
    with pytest.raises(ConnectionFailed):
        connection.execute("SELECT 1")
    assert not connection.usable
    assert not connection.alive()
    assert not connection.reset(trusted=True)


def test_an_idle_connection_is_asked_before_it_is_trusted(driver: FakeDriver) -> None:
    """One that was used a moment ago is not."""
    clock = Clock()
    connection = SqlServerDialect(module=driver, now=clock).connect(SETTINGS)
    assert connection.alive()
    assert driver.sent("SELECT 1") == []
    clock.seconds = 6.0
    assert connection.alive()
    assert driver.sent("SELECT 1") == ["SELECT 1"]
    raw(driver).die()
    assert connection.alive()  # used just now
    clock.seconds = 12.0
    assert not connection.alive()
    connection.close()


def test_after_an_error_a_connection_is_asked_however_fresh_it_is(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """Some drivers leave a connection dead after a time limit."""
    driver.on("SLOW", Count(0), wait=Wait(dies_of_timeout=True))
    connection.begin(Access.AUTOCOMMIT, net_seconds=1, lock_seconds=1)
    with pytest.raises(StatementTimeout):
        connection.execute("SLOW")
    assert not connection.alive()
    assert not connection.usable


def test_after_a_harmless_error_a_connection_is_lent_again(driver: FakeDriver, connection: SqlServerConnection) -> None:
    """A misspelt table costs no reconnect."""
    driver.on("nosuch", Fails(odbc_error("42S02", "Invalid object name 'nosuch'.", 208)))
    connection.begin(Access.READ_ONLY, net_seconds=30, lock_seconds=1)
    with pytest.raises(ObjectNotFound):
        connection.execute("SELECT * FROM nosuch")
    connection.rollback()
    assert connection.reset(trusted=True)
    assert connection.alive()
