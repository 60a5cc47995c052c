"""What can go wrong, as one tree.

* DatabaseMcpError
  + ConfigInvalid             CONFIG_INVALID
  + GateClosed                GATE_CLOSED
  + InvalidParameter          INVALID_PARAMETER
  + ReadOnlyViolation         READ_ONLY_VIOLATION
  + RateLimited               RATE_LIMITED            retryable
  x SessionError
    + TooManySessions         TOO_MANY_SESSIONS       retryable
    + SessionNotFound         SESSION_NOT_FOUND
    + SessionRunning          SESSION_RUNNING         retryable
    + ResultExpired           RESULT_EXPIRED
  x ConnectionError_
    + DriverMissing           DRIVER_MISSING
    + ConnectionFailed        CONNECTION_FAILED       retryable
    + AuthenticationFailed    AUTHENTICATION_FAILED
    + PoolExhausted           POOL_EXHAUSTED          retryable
  x StatementError
    + StatementTimeout        TIMEOUT                 retryable
    + StatementCancelled      CANCELLED
    + SyntaxInvalid           SYNTAX_ERROR
    + ObjectNotFound          OBJECT_NOT_FOUND
    + PermissionDenied        PERMISSION_DENIED
    + ConstraintViolation     CONSTRAINT_VIOLATION
    + Deadlock                DEADLOCK                retryable
    + DatabaseFault           DATABASE_ERROR
  + InternalError             INTERNAL

A driver's exception is translated into one of these once, in ``dialects/<name>/errors.py``, and turned into
words once, in ``formatters/errors.py``. ``retryable`` answers "may the very same call be sent again and work?";
``details`` carries what helps to decide the next step (see DETAIL_KEYS).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar


class ErrorCode(str, Enum):
    """The codes a client can meet; their names are the contract."""

    CONFIG_INVALID = "CONFIG_INVALID"
    CONNECTION_FAILED = "CONNECTION_FAILED"
    AUTHENTICATION_FAILED = "AUTHENTICATION_FAILED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    DRIVER_MISSING = "DRIVER_MISSING"
    TIMEOUT = "TIMEOUT"
    CANCELLED = "CANCELLED"
    SYNTAX_ERROR = "SYNTAX_ERROR"
    OBJECT_NOT_FOUND = "OBJECT_NOT_FOUND"
    INVALID_PARAMETER = "INVALID_PARAMETER"
    CONSTRAINT_VIOLATION = "CONSTRAINT_VIOLATION"
    DEADLOCK = "DEADLOCK"
    READ_ONLY_VIOLATION = "READ_ONLY_VIOLATION"
    GATE_CLOSED = "GATE_CLOSED"
    POOL_EXHAUSTED = "POOL_EXHAUSTED"
    RATE_LIMITED = "RATE_LIMITED"
    TOO_MANY_SESSIONS = "TOO_MANY_SESSIONS"
    SESSION_NOT_FOUND = "SESSION_NOT_FOUND"
    SESSION_RUNNING = "SESSION_RUNNING"
    RESULT_EXPIRED = "RESULT_EXPIRED"
    DATABASE_ERROR = "DATABASE_ERROR"
    INTERNAL = "INTERNAL"


class Outcome(str, Enum):
    """What became of a statement that failed (``details.outcome``)."""

    NOT_STARTED = "not_started"
    ROLLED_BACK = "rolled_back"
    COMMITTED = "committed"
    UNKNOWN = "unknown"


DETAIL_KEYS = (
    "sqlstate",
    "nativeError",
    "state",
    "line",
    "position",
    "procedure",
    "retryAfterSeconds",
    "expected",
    "nearest",
    "outcome",
    "setting",
    "stoppedAtDatabase",
    "sessionIds",
    "problems",
    "requestId",
)


class DatabaseMcpError(Exception):
    """The root: a message for a person and a model, a code, and whether to retry.

    ``message`` holds what happened (the database's own words stay whole) and never a credential.
    ``next_step`` is one sentence saying what to do; when empty the formatter has a default for each code.
    """

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL
    default_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        details: Mapping[str, object] | None = None,
        retryable: bool | None = None,
        next_step: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, object] = dict(details or {})
        self._retryable = self.default_retryable if retryable is None else retryable
        self.next_step = next_step

    @property
    def retryable(self) -> bool:
        """True when sending the same call again can help; an unknown outcome never is."""
        return self._retryable and self.details.get("outcome") != Outcome.UNKNOWN.value

    def with_details(self, **details: object) -> DatabaseMcpError:
        """Add details in place (a value of None is left out) and return self."""
        self.details.update({key: value for key, value in details.items() if value is not None})
        return self


class ConfigInvalid(DatabaseMcpError):
    """A setting or a connection string cannot be used; names the setting, never a secret."""

    code = ErrorCode.CONFIG_INVALID


class GateClosed(DatabaseMcpError):
    """The tool exists, but the setting that opens it is off."""

    code = ErrorCode.GATE_CLOSED


class InvalidParameter(DatabaseMcpError):
    """An argument is missing, unknown or unfit; ``details.problems`` lists all of them at once."""

    code = ErrorCode.INVALID_PARAMETER


class ReadOnlyViolation(DatabaseMcpError):
    """The read-only gate refused the statement before anything was sent."""

    code = ErrorCode.READ_ONLY_VIOLATION


class RateLimited(DatabaseMcpError):
    """Too many calls in the window; ``details.retryAfterSeconds`` is exact."""

    code = ErrorCode.RATE_LIMITED
    default_retryable = True


class SessionError(DatabaseMcpError):
    """Trouble with a background session rather than with its statement."""


class TooManySessions(SessionError):
    """Every session slot runs; ``details.sessionIds`` are the running ones."""

    code = ErrorCode.TOO_MANY_SESSIONS
    default_retryable = True


class SessionNotFound(SessionError):
    """No such session for this client, or its life after the end is over."""

    code = ErrorCode.SESSION_NOT_FOUND


class SessionRunning(SessionError):
    """The session has not ended, and what was asked for needs its end."""

    code = ErrorCode.SESSION_RUNNING
    default_retryable = True


class ResultExpired(SessionError):
    """The session is known, but its rows were given up to make room."""

    code = ErrorCode.RESULT_EXPIRED


class ConnectionError_(DatabaseMcpError):
    """No connection could be had (the name avoids Python's own ConnectionError)."""


class DriverMissing(ConnectionError_):
    """A library or an ODBC driver is not installed; the next step is the command that installs it."""

    code = ErrorCode.DRIVER_MISSING


class ConnectionFailed(ConnectionError_):
    """The database cannot be reached, or the connection was lost."""

    code = ErrorCode.CONNECTION_FAILED
    default_retryable = True


class AuthenticationFailed(ConnectionError_):
    """The database knows us not: user, password, token or database access."""

    code = ErrorCode.AUTHENTICATION_FAILED


class PoolExhausted(ConnectionError_):
    """All connections are lent and the queue is full; ``details.retryAfterSeconds`` says when to come back."""

    code = ErrorCode.POOL_EXHAUSTED
    default_retryable = True


class StatementError(DatabaseMcpError):
    """The database (or our clock) ended a statement."""


class StatementTimeout(StatementError):
    """Our deadline, a lock timeout or the driver's net ended the statement."""

    code = ErrorCode.TIMEOUT
    default_retryable = True


class StatementCancelled(StatementError):
    """Somebody asked for the end: the client, cancel_session, or the server going down."""

    code = ErrorCode.CANCELLED


class SyntaxInvalid(StatementError):
    """The database could not read the statement."""

    code = ErrorCode.SYNTAX_ERROR


class ObjectNotFound(StatementError):
    """A table, column, procedure or database is unknown; ``details.nearest`` names the three nearest."""

    code = ErrorCode.OBJECT_NOT_FOUND


class PermissionDenied(StatementError):
    """The login may not do this."""

    code = ErrorCode.PERMISSION_DENIED


class ConstraintViolation(StatementError):
    """A key, check or not-null constraint refused the values."""

    code = ErrorCode.CONSTRAINT_VIOLATION


class Deadlock(StatementError):
    """Chosen as a deadlock victim, or a serialisation failure."""

    code = ErrorCode.DEADLOCK
    default_retryable = True


class DatabaseFault(StatementError):
    """Any other error of the database, in its own words."""

    code = ErrorCode.DATABASE_ERROR


class InternalError(DatabaseMcpError):
    """A defect of ours; the text stays in the log."""

    code = ErrorCode.INTERNAL
