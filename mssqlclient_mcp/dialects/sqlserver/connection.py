"""The SQL Server dialect: how connections are made, and what is asked of it beside them."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ...connection_rendering import odbc_connection_string
from ...connection_settings import MASK, ConnectionSettings
from ...errors import ConnectionFailed, DatabaseMcpError
from ..entra import SQLSERVER_SCOPE, Tokens
from .drivers import Driver, Machine, choose_driver, is_freetds
from .errors import needs_autocommit, translate
from .link import Abandoned, Link
from .odbc import SQL_CHAR, SQL_COPT_SS_ACCESS_TOKEN, SQL_WCHAR, OdbcConnection, OdbcModule, load
from .odbc_connection import SHORT_SECONDS, SqlServerConnection, ask
from .outside_functions import OUTSIDE_FUNCTIONS
from .sole_statement import is_sole_statement

if TYPE_CHECKING:
    from ...plan_models import Plan
    from ..base import Connection

DEFAULT_CONNECT_SECONDS = 15
_SHORTEST_SECRET = 4  # a shorter one would mask half the words of a message
_LOGIN_TIME_OF = "SELECT CONVERT(varchar(33), login_time, 126) FROM sys.dm_exec_sessions WHERE session_id = ?"


class SqlServerDialect:
    """Implements ``dialects.base.Dialect``. ``odbc_driver`` is MSSQL_ODBC_DRIVER; ``module``, ``machine`` and ``tokens`` stand
    in for pyodbc, the computer and Microsoft Entra in tests."""

    def __init__(
        self,
        odbc_driver: str | None = None,
        *,
        module: OdbcModule | None = None,
        machine: Machine | None = None,
        now: Callable[[], float] = time.monotonic,
        tokens: Tokens | None = None,
    ) -> None:
        self._odbc_driver = odbc_driver
        self._tokens = tokens or Tokens()
        self._module = module
        self._machine = machine
        self._now = now
        self._abandoned = Abandoned()

    @property
    def name(self) -> str:
        """``sqlserver``."""
        return "sqlserver"

    @property
    def abandoned(self) -> int:
        """Connections that were closed under a call that has not returned; their handles are kept until it does."""
        return self._abandoned.count

    def load(self) -> None:
        """Import pyodbc. Raises DriverMissing."""
        self._pyodbc()

    def connect(
        self, settings: ConnectionSettings, *, database: str | None = None, application_name: str = ""
    ) -> SqlServerConnection:
        """A new connection. Raises ConnectionFailed, AuthenticationFailed, DriverMissing, ObjectNotFound."""

        def kill(session_id: int, login_time: str) -> bool:
            return self._kill(settings, session_id, login_time)

        seconds = settings.connect_timeout or DEFAULT_CONNECT_SECONDS
        link = self._link(settings, database, application_name, seconds)
        try:
            return SqlServerConnection(link, kill)
        except BaseException:
            link.close()
            raise

    def quote(self, identifier: str) -> str:
        """``[identifier]``, a closing bracket in it doubled."""
        return "[" + identifier.replace("]", "]]") + "]"

    def needs_autocommit(self, error: DatabaseMcpError) -> bool:
        """True when a statement was refused only because it ran inside a transaction."""
        return needs_autocommit(error)

    def is_sole_statement(self, sql: str) -> bool:
        """True when the text is certainly a single statement."""
        return is_sole_statement(sql)

    def same_database(self, one: str, other: str) -> bool:
        """Whether two spellings name the same database; a server whose collation minds case is not asked."""
        return one.casefold() == other.casefold()

    @property
    def outside_functions_sql(self) -> str:
        """CLR code beyond SAFE, and synonyms of other servers' objects."""
        return OUTSIDE_FUNCTIONS

    def explain(
        self, connection: Connection, sql: str, *, net_seconds: float, lock_seconds: float, check: Callable[[], object]
    ) -> Plan:
        """SET SHOWPLAN_XML ON after a probe; the connection is closed."""
        from .explain import explain

        return explain(connection, sql, net_seconds=net_seconds, lock_seconds=lock_seconds, check=check)

    def choose_driver(self, settings: ConnectionSettings) -> Driver:
        """The driver that a connection of ``settings`` uses. Raises DriverMissing."""
        if settings.option("DSN") or settings.option("FILEDSN"):
            return Driver("", is_freetds(settings.driver or ""))  # the data source names its own
        module = self._pyodbc()
        return choose_driver(settings.driver, self._odbc_driver, module.drivers(), self._here())

    def _link(self, settings: ConnectionSettings, database: str | None, application_name: str, seconds: int) -> Link:
        module = self._pyodbc()
        driver = self.choose_driver(settings)
        text = odbc_connection_string(
            settings,
            driver=driver.name,
            freetds=driver.freetds,
            database=database,
            application_name=application_name or None,
        )
        try:
            if settings.by_token:
                token, seconds = self._token(settings, seconds)
                odbc = module.connect(text, autocommit=True, timeout=seconds, attrs_before={SQL_COPT_SS_ACCESS_TOKEN: token})
            else:
                odbc = module.connect(text, autocommit=True, timeout=seconds)
        except module.Error as error:
            raise _told(translate(error, connecting=True), settings) from None
        _read_text_as_unicode(odbc)
        return Link(odbc, module.Error, self._abandoned, self._now)

    def _token(self, settings: ConnectionSettings, seconds: int) -> tuple[bytes, int]:
        """The token as the driver takes it (ACCESSTOKEN of msodbcsql.h), and the seconds that are left for connecting. The
        user is the client id of a managed identity, as Microsoft's other drivers have it."""
        began = self._now()
        token = self._tokens.token(settings, SQLSERVER_SCOPE, client_id=settings.user, seconds=seconds)
        data = token.reveal().encode("utf-16-le")
        return struct.pack("<I", len(data)) + data, max(1, round(seconds - (self._now() - began)))

    def _kill(self, settings: ConnectionSettings, session_id: int, login_time: str) -> bool:
        try:
            link = self._link(settings, None, "", SHORT_SECONDS)
        except DatabaseMcpError:
            return False
        with suppress(DatabaseMcpError):
            link.limit(SHORT_SECONDS)
            if ask(link, _LOGIN_TIME_OF, session_id) == (login_time,):
                ask(link, f"KILL {int(session_id)}")
                link.close()
                return True
        link.close()
        return False

    def _pyodbc(self) -> OdbcModule:
        if self._module is None:
            self._module = load()
        return self._module

    def _here(self) -> Machine:
        if self._machine is None:
            self._machine = Machine.here()
        return self._machine


def _read_text_as_unicode(odbc: OdbcConnection) -> None:
    """char and varchar as UTF-16: as narrow text Microsoft's driver would turn them to the process's locale, and lose
    what that cannot hold."""
    odbc.setdecoding(SQL_CHAR, "utf-16-le", SQL_WCHAR)


def _told(error: DatabaseMcpError, settings: ConnectionSettings) -> DatabaseMcpError:
    """A failure to connect, with the place (drivers leave it out) and without what must not be seen."""
    message = error.message
    if isinstance(error, ConnectionFailed):
        message += f" (connecting to {_place(settings)})"
    for secret in settings.secrets:
        if len(secret.reveal()) >= _SHORTEST_SECRET:
            message = message.replace(secret.reveal(), MASK)
    return type(error)(message, details=error.details, retryable=error.retryable, next_step=error.next_step)


def _place(settings: ConnectionSettings) -> str:
    instance = f"\\{settings.instance}" if settings.instance else ""
    port = f",{settings.port}" if settings.port else ""
    return f"{settings.host}{instance}{port}" or "the ODBC data source"
