"""ODBC errors of SQL Server in our tree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mssqlclient_mcp.dialects.sqlserver import errors
from mssqlclient_mcp.dialects.sqlserver.errors import needs_autocommit, translate
from mssqlclient_mcp.errors import (
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
from tests.fakes.dbapi import NATIVE, Error, odbc_error

FACTS = json.loads((Path(__file__).parents[1] / "data" / "sqlserver" / "errors.json").read_text(encoding="utf-8"))

TYPE_OF_CLASS: dict[str, type[DatabaseMcpError]] = {
    "authentication": AuthenticationFailed,
    "connection": ConnectionFailed,
    "constraint": ConstraintViolation,
    "conflict": DatabaseFault,
    "conversion": DatabaseFault,
    "deadlock": Deadlock,
    "not_found": ObjectNotFound,
    "permission": PermissionDenied,
    "resource": DatabaseFault,
    "syntax": SyntaxInvalid,
    "throttled": DatabaseFault,
    "timeout": StatementTimeout,
}
# An update conflict under snapshot isolation loses the transaction just as a deadlock does, and the same call may work.
OURS = {"3960": Deadlock}


@pytest.mark.parametrize("number", sorted(FACTS["errors"], key=int))
def test_every_known_error_number_becomes_the_error_of_its_class(number: str) -> None:
    """The documented class of a number decides our error, and whether to try again."""
    fact = FACTS["errors"][number]
    state = "08S01" if int(number) in errors.TRANSPORT_NUMBERS else "HY000"
    told = translate(odbc_error(state, "words", int(number)))
    assert type(told) is OURS.get(number, TYPE_OF_CLASS[fact["class"]])
    helps = fact["retry_can_help"] and fact.get("retry_where") != "azure"
    assert told.retryable is helps
    assert told.details["nativeError"] == int(number)


def test_the_table_names_no_number_that_the_facts_do_not() -> None:
    """What is in code and what is in the facts pack are the same numbers."""
    known = {number for numbers in errors.NUMBERS.values() for number in numbers} | set(errors.TRANSPORT_NUMBERS)
    assert known == {int(number) for number in FACTS["errors"]}
    assert known >= errors.RETRY_HELPS


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("08001", ConnectionFailed), ("08S01", ConnectionFailed), ("08003", ConnectionFailed), ("HYT00", StatementTimeout),
        ("HYT01", ConnectionFailed), ("28000", AuthenticationFailed), ("40001", Deadlock), ("42S02", ObjectNotFound),
        ("42S22", ObjectNotFound), ("23000", ConstraintViolation), ("HY008", StatementCancelled), ("22012", DatabaseFault),
        ("07002", InvalidParameter), ("IM002", DriverMissing), ("HY000", DatabaseFault), ("HY106", DatabaseFault),
    ],
)  # fmt: skip
def test_a_foreign_number_leaves_the_decision_to_the_sqlstate(state: str, kind: type[DatabaseMcpError]) -> None:
    """Endpoints that speak T-SQL with numbers of their own are told by SQLSTATE."""
    assert type(translate(odbc_error(state, "foreign words", 33557097))) is kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("permission denied for table t", PermissionDenied),
        ("syntax error near 'x'", SyntaxInvalid),
        ("relation does not exist", DatabaseFault),
    ],
)
def test_the_general_sqlstate_42000_is_told_by_its_words(text: str, kind: type[DatabaseMcpError]) -> None:
    """42000 means syntax error or access violation: with a foreign number only the words can say which."""
    assert type(translate(odbc_error("42000", text, 33557097))) is kind


def test_the_servers_words_stay_whole_and_the_drivers_prefixes_go() -> None:
    """A model repairs its SQL from the server's text, brackets of its own included."""
    error = odbc_error("42S02", "[dbo] Invalid object name 'x (1)'.", 208)
    told = translate(error)
    assert told.message == "[dbo] Invalid object name 'x (1)'."
    assert told.details == {"sqlstate": "42S02", "nativeError": 208}


@pytest.mark.parametrize("vendor", ["[FreeTDS][SQL Server]", "[Microsoft][ODBC Driver 17 for SQL Server]", "[unixODBC]"])
def test_the_prefixes_of_all_drivers_go(vendor: str) -> None:
    """Each driver names itself in brackets before the words."""
    assert translate(Error("42000", f"[42000] {vendor}Words (1) (SQLExecDirectW)")).message == "Words"


def test_several_records_are_read_and_those_that_only_follow_are_left_out() -> None:
    """On Windows pyodbc joins all diagnostic records; 'could not be prepared' and 'terminated' add nothing."""
    text = (
        f"[42S22] {NATIVE}Invalid column name 'a'. (207) (SQLExecDirectW); [42S22] {NATIVE}Invalid column name 'b'. (207); "
        f"[42000] {NATIVE}Statement(s) could not be prepared. (8180)"
    )
    told = translate(Error("42S22", text))
    assert type(told) is ObjectNotFound
    assert told.message == "Invalid column name 'a'.\nInvalid column name 'b'."


@pytest.mark.parametrize("number", [53, 64, 233, 10054])
def test_a_number_of_the_network_layer_counts_only_for_a_broken_link(number: int) -> None:
    """The server uses some of these numbers for errors of its own."""
    assert type(translate(odbc_error("23000", "NULL not allowed", number))) is ConstraintViolation
    assert type(translate(odbc_error("08S01", "link broke", number))) is ConnectionFailed


@pytest.mark.parametrize("state", ["HY000", "HY008", "HY010", "24000"])
def test_what_drivers_say_after_a_cancel_means_cancelled(state: str) -> None:
    """After a cancel drivers fall into different states; the same states without one are faults."""
    assert type(translate(odbc_error(state, "state"), cancelled=True)) is StatementCancelled
    if state != "HY008":
        assert type(translate(odbc_error(state, "state"))) is DatabaseFault


def test_a_lost_link_is_lost_even_after_a_cancel() -> None:
    """A cancel must not hide that the connection is gone."""
    assert type(translate(odbc_error("08S01", "Communication link failure"), cancelled=True)) is ConnectionFailed
    assert (
        type(translate(Error("01000", "[01000] [FreeTDS][SQL Server]Unexpected EOF from the server (20017)")))
        is ConnectionFailed
    )
    assert (
        type(translate(Error("HY000", "[HY000] [FreeTDS][SQL Server]Unknown error (0) (SQLExecDirectW)"))) is ConnectionFailed
    )


def test_a_time_limit_while_connecting_is_a_failed_connection() -> None:
    """The same SQLSTATE ends a statement and a login."""
    assert type(translate(odbc_error("HYT00", "Login timeout expired"), connecting=True)) is ConnectionFailed


def test_a_driver_library_that_cannot_be_loaded_is_a_missing_driver() -> None:
    """unixODBC words it as a general warning."""
    error = Error("01000", "[01000] [unixODBC][Driver Manager]Can't open lib 'x.so' : file not found (0) (SQLDriverConnect)")
    assert type(translate(error, connecting=True)) is DriverMissing


def test_a_certificate_that_is_not_trusted_says_what_to_do_and_is_not_tried_again() -> None:
    """The commonest first failure with Driver 18, which encrypts by default."""
    told = translate(
        odbc_error("08001", "SSL Provider: certificate verify failed:self-signed certificate", -1), connecting=True
    )
    assert isinstance(told, ConnectionFailed)
    assert not told.retryable
    assert "TrustServerCertificate" in told.next_step


def test_pyodbcs_own_errors_put_the_sqlstate_last() -> None:
    """pyodbc's complaints are (words, SQLSTATE), ODBC's are (SQLSTATE, words)."""
    told = translate(Error("The SQL contains 2 parameter markers, but 1 parameters were supplied", "HY000"))
    assert type(told) is InvalidParameter
    assert told.details == {"sqlstate": "HY000"}
    unread = translate(Error("ODBC SQL type -150 is not yet supported.  column-index=0  type=-150", "HY106"))
    assert "CAST" in unread.next_step


@pytest.mark.parametrize("number", sorted(errors.NOT_IN_TRANSACTION))
def test_a_refusal_because_of_the_transaction_is_known(number: int) -> None:
    """The layer above runs such a statement again, alone."""
    told = translate(odbc_error("42000", "not allowed within a transaction", number))
    assert type(told) is DatabaseFault
    assert needs_autocommit(told)
    assert not needs_autocommit(translate(odbc_error("42S02", "Invalid object name", 208)))


@pytest.mark.parametrize("error", [Error(), Error("x"), Error("", ""), Error("HY000", "no shape at all")])
def test_an_error_of_no_known_shape_is_still_told(error: Error) -> None:
    """Whatever a driver raises becomes an error of ours."""
    assert isinstance(translate(error), DatabaseMcpError)
