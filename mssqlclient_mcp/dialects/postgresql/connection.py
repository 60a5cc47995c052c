"""The dialect: how a connection to PostgreSQL is made. psycopg is imported with the first connection, not before.

A cursor of this dialect yields None, bool, int, float, Decimal, str, bytes, UUID and lists; times as ISO 8601 strings, and
json, ranges, intervals, composites and the like as the server's text (see ``values``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...connection_rendering import libpq_parameters
from ...errors import DatabaseMcpError, DriverMissing
from ..entra import POSTGRESQL_SCOPE, Tokens
from .outside_functions import OUTSIDE_FUNCTIONS
from .types import TypeNames

if TYPE_CHECKING:
    from ...connection_settings import ConnectionSettings
    from ...plan_models import Plan
    from ..base import Connection
    from .psycopg_connection import PostgresConnection

INSTALL = 'pip install "mssqlclient-mcp[postgres]"'

LINE_SETTINGS = {
    "connect_timeout": "15",
    "gssencmode": "disable",  # one attempt less at each connect; Kerberos login works without
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""libpq parameters that make a dead line end a call within a minute; the connection string's own win."""

NO_TRANSACTION_BLOCK = "25001"


class PostgresDialect:
    """PostgreSQL."""

    def __init__(self, *, tokens: Tokens | None = None) -> None:
        self._tokens = tokens or Tokens()
        self._type_names: dict[tuple[str, str, str], TypeNames] = {}

    @property
    def name(self) -> str:
        """The dialect's name in settings."""
        return "postgresql"

    def load(self) -> None:
        """Import psycopg. Raises DriverMissing."""
        try:
            from . import wire  # noqa: F401 - it is the import that is wanted
        except ImportError as error:
            raise DriverMissing(
                f"PostgreSQL needs psycopg 3 and libpq: {error}", next_step=f"Install them with: {INSTALL}"
            ) from error

    def connect(self, settings: ConnectionSettings, *, database: str | None, application_name: str) -> PostgresConnection:
        """A new connection. Raises ConnectionFailed, AuthenticationFailed, ObjectNotFound (the database), ConfigInvalid (an
        option libpq does not know), DriverMissing."""
        self.load()
        from . import psycopg_connection, wire

        parameters = connect_parameters(settings, database, application_name)
        if settings.by_token:
            seconds = settings.connect_timeout or int(LINE_SETTINGS["connect_timeout"])
            token = self._tokens.token(settings, POSTGRESQL_SCOPE, client_id=None, seconds=seconds)
            parameters["password"] = token.reveal()
        place = (parameters.get("host", ""), parameters.get("port", ""), parameters.get("dbname", ""))
        names = self._type_names.setdefault(place, TypeNames())
        return psycopg_connection.PostgresConnection(wire.open_wire(parameters), names)

    def quote(self, identifier: str) -> str:
        """An identifier in double quotes."""
        return '"' + identifier.replace('"', '""') + '"'

    def needs_autocommit(self, error: DatabaseMcpError) -> bool:
        """True for a statement that PostgreSQL refuses inside a transaction block, unless a function sent it."""
        return error.details.get("sqlstate") == NO_TRANSACTION_BLOCK and "\nCONTEXT:" not in error.message

    def is_sole_statement(self, sql: str) -> bool:  # noqa: ARG002 - the answer does not depend on the text
        """Always true: statements are sent by the extended protocol, where the server refuses a second one."""
        return True

    def same_database(self, one: str, other: str) -> bool:
        """Names of databases differ by case."""
        return one == other

    @property
    def outside_functions_sql(self) -> str:
        """Functions in C and other untrusted languages that may do anything, but for a list known to be harmless."""
        return OUTSIDE_FUNCTIONS

    def explain(
        self, connection: Connection, sql: str, *, net_seconds: float, lock_seconds: float, check: Callable[[], object]
    ) -> Plan:
        """EXPLAIN inside a READ ONLY transaction, which is rolled back."""
        from .explain import explain

        return explain(connection, sql, net_seconds=net_seconds, lock_seconds=lock_seconds, check=check)


def connect_parameters(settings: ConnectionSettings, database: str | None, application_name: str) -> dict[str, str]:
    """The libpq parameters of a connection: ours, and over them those of the settings."""
    return {
        **LINE_SETTINGS,
        **libpq_parameters(settings, database, application_name),
        "client_encoding": "UTF8",
    }
