"""psycopg's errors become ours, here and nowhere else.

SQLSTATEs: PostgreSQL documentation, appendix A. The server's message stays whole (with LINE, DETAIL, HINT and CONTEXT);
connection strings never enter it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from ...errors import (
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

ErrorType = type[DatabaseMcpError]

BY_STATE: dict[str, ErrorType] = {
    "08P01": InvalidParameter,  # protocol violation: the number of values differs from the number of markers
    "25006": ReadOnlyViolation,
    "3D000": ObjectNotFound,
    "3F000": ObjectNotFound,
    "40001": Deadlock,
    "40P01": Deadlock,
    "42501": PermissionDenied,
    "42601": SyntaxInvalid,
    "42602": SyntaxInvalid,
    "42622": SyntaxInvalid,
    "42702": SyntaxInvalid,
    "42703": ObjectNotFound,
    "42704": ObjectNotFound,
    "42712": SyntaxInvalid,
    "42725": SyntaxInvalid,
    "42803": SyntaxInvalid,
    "42804": SyntaxInvalid,
    "42846": SyntaxInvalid,
    "42883": ObjectNotFound,
    "42P01": ObjectNotFound,
    "42P02": InvalidParameter,
    "42P08": InvalidParameter,
    "42P10": SyntaxInvalid,
    "42P18": InvalidParameter,  # the type of a parameter cannot be told: it needs a cast
    "42P19": SyntaxInvalid,
    "42P20": SyntaxInvalid,
    "42P21": SyntaxInvalid,
    "42P22": SyntaxInvalid,
    "44000": ConstraintViolation,
    "55P03": StatementTimeout,  # lock_timeout, NOWAIT
    "57014": StatementCancelled,
}
"""What a statement's error means. The states of a lost connection (08..., 57P01 and their like) are not here: such an error
is FATAL or comes from libpq; with severity ERROR the same states tell of another server's trouble (postgres_fdw, dblink)."""

BY_CLASS: dict[str, ErrorType] = {
    "23": ConstraintViolation,
    "28": PermissionDenied,
}

NEXT_STEPS = {
    "42P18": "Write a cast after the marker, for example $1::text.",
    "08P01": "Send exactly one value for each of the markers $1, $2, ...",
}

AT_CONNECT: tuple[tuple[re.Pattern[str], ErrorType], ...] = tuple(
    (re.compile(pattern), error)
    for pattern, error in (
        (r"authentication failed|no password supplied|no pg_hba\.conf entry|role \".*\" does not exist", AuthenticationFailed),
        (r"is not permitted to log in|permission denied for database|pg_hba\.conf rejects", AuthenticationFailed),
        (r"database \".*\" does not exist|no such database", ObjectNotFound),
        (r"invalid connection option|invalid .* value:|invalid integer value", ConfigInvalid),
    )
)
"""libpq tells no SQLSTATE of a connection that was refused: its words have to do."""

_FATAL = ("FATAL", "PANIC")
_STATEMENT_TIMEOUT = "statement timeout"
_WHERE = re.compile(r"PL/\w+ function (?P<name>.+) line (?P<line>\d+) at ")
"""The innermost line of a context in PL/pgSQL: the function, with its types, and the line of its body."""
_PARAMETER_CONTEXT = re.compile(r"portal.* parameter \$\d+")


@contextmanager
def translating(sql: str | None = None) -> Iterator[None]:
    """Raise errors of ours in place of psycopg's. ``sql`` is the text sent, to tell the line of an error."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(error, sql) from error


def translated(error: psycopg.Error, sql: str | None = None) -> DatabaseMcpError:
    """The error of ours that says what ``error`` says."""
    state = error.sqlstate or ""
    kind = _kind(error, state)
    found = kind(_message(error), details=_details(error, sql), next_step=NEXT_STEPS.get(state, ""))
    if state == "57014" and _STATEMENT_TIMEOUT in (error.diag.message_primary or ""):
        return StatementTimeout(found.message, details=found.details)
    return found


@contextmanager
def connecting() -> Iterator[None]:
    """Raise errors of ours in place of psycopg's while a connection is made."""
    try:
        yield
    except psycopg.Error as error:
        raise refused(error) from error


def refused(error: psycopg.Error) -> DatabaseMcpError:
    """The error for a connection that could not be made."""
    if error.sqlstate:
        return translated(error)
    message = _message(error)
    for pattern, kind in AT_CONNECT:
        if pattern.search(message):
            return kind(message)
    if error.pgconn is not None and error.pgconn.needs_password:
        return AuthenticationFailed(message)
    return ConnectionFailed(message)


def _kind(error: psycopg.Error, state: str) -> ErrorType:
    fatal = (error.diag.severity_nonlocalized or error.diag.severity) in _FATAL
    if fatal or (not state and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))):
        return AuthenticationFailed if state[:2] == "28" else ConnectionFailed
    if state[:2] == "22" and _PARAMETER_CONTEXT.search(error.diag.context or ""):
        return InvalidParameter
    return BY_STATE.get(state) or BY_CLASS.get(state[:2]) or DatabaseFault


def _message(error: psycopg.Error) -> str:
    return str(error).strip() or type(error).__name__


def _details(error: psycopg.Error, sql: str | None) -> dict[str, object]:
    diag = error.diag
    found: dict[str, object | None] = {
        "sqlstate": error.sqlstate,
        "schema": diag.schema_name,
        "table": diag.table_name,
        "column": diag.column_name,
        "constraint": diag.constraint_name,
    }
    where = _WHERE.match(diag.context or "")
    if where:
        found["procedure"], found["line"] = where["name"], int(where["line"])
    if diag.statement_position is not None:
        position = int(diag.statement_position)
        found["position"] = position
        if sql is not None:
            found["line"] = sql.count("\n", 0, position - 1) + 1
    return {key: value for key, value in found.items() if value is not None}
