"""ODBC's errors in our tree: by SQL Server's error number first, else by SQLSTATE.

Numbers: "Database engine errors" and "Troubleshoot transient connection errors" of the SQL Server documentation.
SQLSTATEs: "Appendix A: ODBC Error Codes". An endpoint that speaks T-SQL but numbers its errors otherwise is told by SQLSTATE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import (
    AuthenticationFailed,
    ConnectionFailed,
    ConstraintViolation,
    DatabaseFault,
    DatabaseMcpError,
    Deadlock,
    DriverMissing,
    InvalidParameter,
    ObjectNotFound,
    PermissionDenied,
    StatementCancelled,
    StatementTimeout,
    SyntaxInvalid,
)

NUMBERS: dict[type[DatabaseMcpError], tuple[int, ...]] = {
    AuthenticationFailed: (18456, 18452, 18470, 18486, 18487, 18488, 40531, 40532),
    PermissionDenied: (229, 230, 262, 297, 300, 916, 3906, 15151, 15247),
    ObjectNotFound: (195, 207, 208, 911, 942, 1088, 2812, 4060, 4104, 4121, 4902, 11526, 15007),
    SyntaxInvalid: (102, 105, 137, 156, 201, 205, 209, 319, 8120, 8144, 8145, 8146, 8180, 11501),
    ConstraintViolation: (515, 544, 547, 2601, 2627, 2714),
    Deadlock: (1205, 3960),
    StatementTimeout: (-2, 1222),
    ConnectionFailed: (
        596, 615, 978, 983, 4221, 6005, 17142, 17187, 40197, 40613, 40615,
    ),
    DatabaseFault: (
        # conversions
        206, 220, 232, 241, 242, 245, 257, 402, 468, 529, 2628, 8114, 8115, 8134, 8152,
        # resources and throttling
        701, 924, 926, 927, 1101, 1105, 1204, 3101, 8621, 8623, 8645, 8651, 9002,
        10928, 10929, 10936, 40501, 40544, 49918, 49919, 49920,
        # the state of the transaction
        3902, 3903, 3930,
    ),
}  # fmt: skip
"""What SQL Server's error numbers mean."""

TRANSPORT_NUMBERS = (20, 26, 40, 53, 64, 121, 233, 10053, 10054, 10060, 10061, 11001)
"""Numbers of the client's network layer: they count only beside a SQLSTATE of class 08, for the server uses some itself."""

RETRY_HELPS = frozenset(
    {
        -2, 53, 40, 64, 121, 233, 596, 615, 701, 924, 927, 1204, 1205, 1222, 3101, 3960, 4221, 6005, 8645, 8651,
        10053, 10054, 10060, 10928, 10929, 10936, 17142, 17187, 40197, 40501, 40613, 49918, 49919, 49920,
    }
)  # fmt: skip
"""Numbers after which the very same call may work."""

NOT_IN_TRANSACTION = frozenset({226, 574, 3021, 15002, 41368})
"""Numbers that refuse a statement only because a transaction is open: it did nothing."""

SQLSTATES: dict[str, type[DatabaseMcpError]] = {
    "HY008": StatementCancelled,
    "HYT00": StatementTimeout,
    "HYT01": ConnectionFailed,
    "28000": AuthenticationFailed,
    "40001": Deadlock,
    "40003": ConnectionFailed,
    "42S01": ConstraintViolation,
    "42S02": ObjectNotFound,
    "42S22": ObjectNotFound,
    "23000": ConstraintViolation,
    "07001": InvalidParameter,
    "07002": InvalidParameter,
    "IM002": DriverMissing,
    "IM003": DriverMissing,
    "IM004": DriverMissing,
}
"""Whole SQLSTATEs, for errors whose number says nothing."""

_CLASSES: dict[str, type[DatabaseMcpError]] = {"08": ConnectionFailed, "23": ConstraintViolation}
_GENERAL_SYNTAX = "42000"  # a syntax error or an access violation: the number or the words decide

_TYPE_OF_NUMBER = {number: kind for kind, numbers in NUMBERS.items() for number in numbers}
_RECORD = re.compile(r";\s(?=\[\w{5}\] \[)")
_NATIVE = re.compile(r" \((-?\d+)\)(?: \(\w+\))?$")
_STATE = re.compile(r"^\[(\w{5})\]\s*")
_BARE_STATE = re.compile(r"^[0-9A-Z]{5}$")
_VENDORS = r"Microsoft|FreeTDS|unixODBC|iODBC|Driver Manager|SQL Server|(?:ODBC|Microsoft ODBC|SQL Server) [^\]]*"
_VENDOR = re.compile(rf"^(?:\[(?:{_VENDORS})\]\s*)+")
_FOLLOW_UPS = frozenset({3621, 8180})  # "The statement has been terminated", "could not be prepared": nothing of their own
_LOST_LINK = (
    "closed connection|connection was closed|closed cursor|communication link|dead or not enabled"  # pyodbc, Microsoft
    "|unexpected EOF|(?:read from|write to) the server failed|adaptive server (?:connection failed|is unavailable)"  # FreeTDS
)
_CLOSED = re.compile(_LOST_LINK, re.I)
_SPEECHLESS = re.compile(r"^Unknown error$|driver did not supply an error", re.I)  # FreeTDS's word for a lost link
_MARKERS = re.compile(r"parameter markers|The SQL contains", re.I)
_NO_LIBRARY = re.compile(r"Can't open lib|file not found|specified driver could not be loaded", re.I)
_CERTIFICATE = re.compile(r"SSL Provider|certificate (?:chain|verify)", re.I)
_DENIED = re.compile(r"permission (?:was )?denied|do not have permission", re.I)
_SYNTAX = re.compile(r"syntax error|incorrect syntax", re.I)


@dataclass(frozen=True)
class OdbcRecord:
    """One diagnostic record: SQLSTATE, the server's or driver's own number (None: none told), and the clean text."""

    sqlstate: str
    native: int | None
    text: str


def clean_text(text: str) -> str:
    """A driver's text without the ``[vendor][driver]`` prefixes; what the server said stays whole."""
    return _VENDOR.sub("", text).strip()


def read_records(error: Exception) -> tuple[OdbcRecord, ...]:
    """The diagnostic records inside one of pyodbc's exceptions.

    Its arguments are a SQLSTATE and a text that holds all records, ``[state] [vendor][driver]words (number) (function);
    [state] ...``; for what pyodbc itself complains of, the words and then a SQLSTATE.
    """
    arguments = [str(argument) for argument in error.args]
    first_state = next((argument for argument in arguments if _BARE_STATE.match(argument)), "")
    text = next((argument for argument in arguments if argument != first_state), first_state or str(error))
    return tuple(_record(part, first_state) for part in _RECORD.split(text))


def _record(part: str, first_state: str) -> OdbcRecord:
    state = _STATE.match(part)
    text = part[state.end() :] if state else part
    native = _NATIVE.search(text)
    if native:
        text = text[: native.start()]
    return OdbcRecord(state[1] if state else first_state, int(native[1]) if native else None, clean_text(text))


def translate(error: Exception, *, connecting: bool = False, cancelled: bool = False) -> DatabaseMcpError:
    """One of pyodbc's exceptions as ours, with ``details.sqlstate`` and ``details.nativeError``.

    ``connecting``: it came while connecting, so a timeout is the connection's. ``cancelled``: a cancel had been sent to
    the statement, so the states that drivers fall into after one mean that it worked.
    """
    records = read_records(error)
    telling = [record for record in records if record.native not in _FOLLOW_UPS] or list(records)
    main = telling[0]
    kind = _kind(main, connecting=connecting, cancelled=cancelled)
    text = "\n".join(dict.fromkeys(record.text for record in telling if record.text)) or str(error)
    numbered = main.native in _TYPE_OF_NUMBER or main.native in TRANSPORT_NUMBERS
    retryable = main.native in RETRY_HELPS if numbered else None
    if _CERTIFICATE.search(main.text):
        retryable = False
    told = kind(text, retryable=retryable, next_step=_next_step(main))
    return told.with_details(sqlstate=main.sqlstate or None, nativeError=main.native or None)


def _kind(record: OdbcRecord, *, connecting: bool, cancelled: bool) -> type[DatabaseMcpError]:
    by_number = _TYPE_OF_NUMBER.get(record.native) if record.native is not None else None
    if by_number is not None:
        return by_number
    if _NO_LIBRARY.search(record.text) and connecting:
        return DriverMissing
    if record.sqlstate.startswith("08") or _CLOSED.search(record.text):
        return ConnectionFailed
    if connecting and record.sqlstate == "HYT00":
        return ConnectionFailed
    if cancelled and record.sqlstate in ("HY000", "HY008", "HY010", "24000", "S1008", "S1010"):
        return StatementCancelled
    if not record.native and _SPEECHLESS.search(record.text):
        return ConnectionFailed
    return _kind_by_state(record)


def _kind_by_state(record: OdbcRecord) -> type[DatabaseMcpError]:
    if record.sqlstate in SQLSTATES:
        return SQLSTATES[record.sqlstate]
    if record.sqlstate[:2] in _CLASSES:
        return _CLASSES[record.sqlstate[:2]]
    if not record.native and _MARKERS.search(record.text):
        return InvalidParameter
    if record.sqlstate in (_GENERAL_SYNTAX, "37000"):
        if _DENIED.search(record.text):
            return PermissionDenied
        if _SYNTAX.search(record.text):
            return SyntaxInvalid
    return DatabaseFault


def _next_step(record: OdbcRecord) -> str:
    if _CERTIFICATE.search(record.text):
        return (
            "Install the certificate of the server's authority on this machine or, in a network you trust, "
            "add TrustServerCertificate=yes to the connection string."
        )
    if record.sqlstate in ("HY091", "HY106"):
        return "This driver cannot read a column's type: CAST it in the query, sql_variant to nvarchar(4000) for example."
    if record.native == 257 or (record.native == 206 and "varbinary" in record.text):
        return "Write CAST(? AS type) around the parameter."
    return ""


def needs_autocommit(error: DatabaseMcpError) -> bool:
    """True when the statement was refused only because it ran inside a transaction (25001 is the standard's word for it)."""
    return error.details.get("nativeError") in NOT_IN_TRANSACTION or error.details.get("sqlstate") == "25001"
