"""psycopg's errors in our words: the table of SQLSTATEs and the words libpq uses while connecting."""

from __future__ import annotations

from contextlib import suppress

import psycopg
import pytest

from mssqlclient_mcp.dialects.postgresql import errors
from mssqlclient_mcp.errors import (
    AuthenticationFailed,
    ConfigInvalid,
    ConnectionFailed,
    ConstraintViolation,
    DatabaseFault,
    DatabaseMcpError,
    Deadlock,
    InvalidParameter,
    ObjectNotFound,
    PermissionDenied,
    ReadOnlyViolation,
    StatementCancelled,
    StatementTimeout,
    SyntaxInvalid,
)


def served(sqlstate: str, message: str = "told by the server", **fields: str) -> psycopg.Error:
    """An error as the server sends it, through psycopg's own door for that."""
    names = {"severity": "SEVERITY_NONLOCALIZED", "context": "CONTEXT", "position": "STATEMENT_POSITION"}
    given = {names.get(key, key.upper()): value for key, value in {"severity": "ERROR", **fields}.items()}
    info: dict[int, bytes | None] = {psycopg.pq.DiagnosticField[key]: value.encode() for key, value in given.items()}
    info[psycopg.pq.DiagnosticField.SQLSTATE] = sqlstate.encode()
    info[psycopg.pq.DiagnosticField.MESSAGE_PRIMARY] = message.encode()
    kind = psycopg.errors.get_base_exception(sqlstate)
    with suppress(KeyError):
        kind = psycopg.errors.lookup(sqlstate)
    return kind(message, info=info)


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("57014", StatementCancelled),
        ("55P03", StatementTimeout),
        ("40P01", Deadlock),
        ("40001", Deadlock),
        ("42601", SyntaxInvalid),
        ("42803", SyntaxInvalid),
        ("42P01", ObjectNotFound),
        ("42703", ObjectNotFound),
        ("42883", ObjectNotFound),
        ("42704", ObjectNotFound),
        ("3F000", ObjectNotFound),
        ("3D000", ObjectNotFound),
        ("42501", PermissionDenied),
        ("23505", ConstraintViolation),
        ("23503", ConstraintViolation),
        ("23502", ConstraintViolation),
        ("23514", ConstraintViolation),
        ("23P01", ConstraintViolation),
        ("44000", ConstraintViolation),
        ("25006", ReadOnlyViolation),
        ("25001", DatabaseFault),
        ("22012", DatabaseFault),
        ("22P02", DatabaseFault),
        ("42P18", InvalidParameter),
        ("08P01", InvalidParameter),
        ("53100", DatabaseFault),
        ("53200", DatabaseFault),
        ("54001", DatabaseFault),
        ("P0001", DatabaseFault),
        ("XX000", DatabaseFault),
        ("ZZ999", DatabaseFault),
    ],
)
def test_each_sqlstate_has_its_error(sqlstate: str, kind: type[DatabaseMcpError]) -> None:
    """The class, the state in the details, and the server's words."""
    found = errors.translated(served(sqlstate))
    assert type(found) is kind
    assert found.details["sqlstate"] == sqlstate
    assert found.message == "told by the server"


@pytest.mark.parametrize("sqlstate", ["57P01", "57P02", "57P03", "57P05", "53300", "25P03", "08006", "XX000"])
def test_whatever_ends_the_server_process_is_a_lost_connection(sqlstate: str) -> None:
    """FATAL means that the connection is gone, whatever the state."""
    assert type(errors.translated(served(sqlstate, severity="FATAL"))) is ConnectionFailed


def test_another_servers_lost_connection_is_not_ours() -> None:
    """postgres_fdw and dblink report 08001 with severity ERROR: this connection goes on."""
    assert type(errors.translated(served("08001"))) is DatabaseFault


def test_an_error_without_a_state_comes_from_a_lost_line() -> None:
    """libpq's own errors have none."""
    assert type(errors.translated(psycopg.OperationalError("server closed the connection unexpectedly"))) is ConnectionFailed


def test_the_servers_own_statement_timeout_is_a_timeout() -> None:
    """The same state as a cancel; the words differ."""
    assert type(errors.translated(served("57014", "canceling statement due to statement timeout"))) is StatementTimeout


def test_a_value_that_the_server_cannot_read_is_the_parameters_fault() -> None:
    """The context tells that it came by a parameter, not from the data."""
    found = errors.translated(served("22P02", context="unnamed portal parameter $1 = '...'"))
    assert type(found) is InvalidParameter


def test_an_error_tells_its_place_and_its_objects() -> None:
    """Position and line in the text as sent, and the names of what was violated."""
    found = errors.translated(served("42703", position="14"), "SELECT 1,\n   nope")
    assert (found.details["position"], found.details["line"]) == (14, 2)
    found = errors.translated(served("23505", table_name="t", constraint_name="t_pkey", schema_name="s"))
    assert found.details == {"sqlstate": "23505", "table": "t", "constraint": "t_pkey", "schema": "s"}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ('connection to server at "h", port 5432 failed: Connection refused', ConnectionFailed),
        ("connection failed: FATAL:  the database system is starting up", ConnectionFailed),
        ("connection failed: FATAL:  sorry, too many clients already", ConnectionFailed),
        ("connection failed: FATAL:  remaining connection slots are reserved for roles with SUPERUSER", ConnectionFailed),
        ('FATAL:  password authentication failed for user "u"', AuthenticationFailed),
        ("fe_sendauth: no password supplied", AuthenticationFailed),
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "u", database "d", no encryption', AuthenticationFailed),
        ('FATAL:  pg_hba.conf rejects connection for host "1.2.3.4"', AuthenticationFailed),
        ('FATAL:  role "u" does not exist', AuthenticationFailed),
        ('FATAL:  role "u" is not permitted to log in', AuthenticationFailed),
        ('FATAL:  permission denied for database "d"\nDETAIL:  User does not have CONNECT privilege.', AuthenticationFailed),
        ('FATAL:  Peer authentication failed for user "u"', AuthenticationFailed),
        ('FATAL:  database "d" does not exist', ObjectNotFound),
        ('invalid connection option "sslmod"', ConfigInvalid),
        ('invalid sslmode value: "sometimes"', ConfigInvalid),
        ("SSL error: certificate verify failed", ConnectionFailed),
    ],
)
def test_a_refused_connection_is_told_by_its_words(words: str, kind: type[DatabaseMcpError]) -> None:
    """libpq gives no state while connecting."""
    found = errors.refused(psycopg.OperationalError(words))
    assert type(found) is kind
    assert found.message == words
