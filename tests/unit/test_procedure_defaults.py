"""Defaults of T-SQL parameters, read from definition texts as they are met in practice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mssqlclient_mcp.dialects.sqlserver.module_header import DefaultKind, HeaderParameter, parse_header


def _parameters(declarations: str, *, rest: str = " AS SELECT 1") -> tuple[HeaderParameter, ...]:
    found = parse_header(f"CREATE PROCEDURE dbo.p {declarations}{rest}")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("NULL", DefaultKind.NULL, None),
        ("null", DefaultKind.NULL, None),
        ("5", DefaultKind.NUMBER, 5),
        ("-5", DefaultKind.NUMBER, -5),
        ("- 5", DefaultKind.NUMBER, -5),
        ("--no\n7", DefaultKind.NUMBER, 7),
        ("+3", DefaultKind.NUMBER, 3),
        ("12345678901234567890.12", DefaultKind.NUMBER, Decimal("12345678901234567890.12")),
        (".5", DefaultKind.NUMBER, Decimal("0.5")),
        ("5.", DefaultKind.NUMBER, Decimal("5")),
        ("1.5e3", DefaultKind.NUMBER, 1500.0),
        ("$1,234.50", DefaultKind.NUMBER, Decimal("1234.50")),
        ("-$2", DefaultKind.NUMBER, -2),
        ("0x", DefaultKind.BINARY, b""),
        ("0xFF0A", DefaultKind.BINARY, b"\xff\x0a"),
        ("0xF", DefaultKind.BINARY, b"\x0f"),
        ("''", DefaultKind.STRING, ""),
        ("N'a, b'", DefaultKind.STRING, "a, b"),
        ("'it''s) OUTPUT'", DefaultKind.STRING, "it's) OUTPUT"),
        ("'-- no comment'", DefaultKind.STRING, "-- no comment"),
        ('"double"', DefaultKind.STRING, "double"),
        ("[b]]r]", DefaultKind.STRING, "b]r"),
        ("bareword", DefaultKind.STRING, "bareword"),
        ("/* a /* nested */ one */ 9", DefaultKind.NUMBER, 9),
        ("getdate()", DefaultKind.EXPRESSION, None),
        ("dbo.f(1, ')')", DefaultKind.EXPRESSION, None),
        ("(5)", DefaultKind.EXPRESSION, None),
        ("@@SPID", DefaultKind.EXPRESSION, None),
    ],
)
def test_a_default_is_read_as_it_is_written(written: str, kind: DefaultKind, value: object) -> None:
    """Signs, comments, strings with commas, bare words: the value, and that the next parameter is still found."""
    first, second = _parameters(f"@a varchar(10) = {written}, @b int = 1 OUTPUT")
    assert first.default is not None
    assert (first.default.kind, first.default.value) == (kind, value)
    assert type(first.default.value) is type(value)
    assert (second.name, second.output) == ("@b", True)


def test_parameters_with_all_clauses_are_read() -> None:
    """Types of several words, table types, READONLY, VARYING, NULL, AS, and a parenthesis around it all."""
    found = parse_header(
        """/* CREATE PROCEDURE decoy @x int AS */
        -- CREATE PROC other
        CREATE OR ALTER PROC [odd].[na]]me] ( @Id AS int,
          @n national character varying (20) = N'x' , @d decimal ( 18 , 2 ) NULL = -1.5 OUT,
          @t [my schema].[T] READONLY, @c cursor VARYING OUTPUT, @p double precision NOT NULL = 1 )
        WITH RECOMPILE AS SELECT @Id"""
    )
    assert found is not None
    assert [(one.name, one.type_text) for one in found] == [
        ("@Id", "int"),
        ("@n", "national character varying (20)"),
        ("@d", "decimal ( 18 , 2 )"),
        ("@t", "[my schema].[T]"),
        ("@c", "cursor VARYING"),
        ("@p", "double precision"),
    ]
    assert [one.output for one in found] == [False, False, True, False, True, False]
    assert [one.readonly for one in found] == [False, False, False, True, False, False]
    assert [one.default.text if one.default else None for one in found] == [None, "N'x'", "-1.5", None, None, "1"]


@pytest.mark.parametrize(
    "text", ["", "CREATE VIEW v AS SELECT 1", "CREATE PROCEDURE p @a int = = 1 AS SELECT 1", "rubbish ' ["]
)
def test_what_is_no_procedure_is_not_guessed_at(text: str) -> None:
    """An unreadable text gives nothing rather than something wrong."""
    assert parse_header(text) is None


@pytest.mark.parametrize(
    "head",
    ["CREATE PROCEDURE p AS SELECT @x = 1", "CREATE PROC dbo.p;2 AS SELECT 1", "ALTER PROCEDURE p WITH ENCRYPTION AS SELECT 1"],
)
def test_a_procedure_without_parameters_has_none(head: str) -> None:
    """The body's variables are no parameters."""
    assert parse_header(head) == ()


def test_a_group_number_does_not_hide_the_parameters() -> None:
    """Numbered procedures: ``p;2``."""
    found = parse_header("CREATE PROCEDURE dbo.p;2 @a int = 4 AS SELECT @a")
    assert found is not None
    assert [(one.name, one.default.value if one.default else None) for one in found] == [("@a", 4)]


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=40))
def test_any_string_default_comes_back_whole(text: str) -> None:
    """Whatever a string holds (quotes, commas, comment marks), its value is found and the next parameter too."""
    quoted = "N'" + text.replace("'", "''") + "'"
    first, second = _parameters(f"@a nvarchar(100) = {quoted}, @b int = 2")
    assert first.default is not None
    assert first.default.value == text
    assert second.default is not None
    assert second.default.value == 2


@given(st.text(alphabet="@,=()'\"[]-/*abc1. \n;$", max_size=60))
@example("$-")
@example("-$-1")
@example("-.e-")
@example("$-")
@example("-$-5")
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text ends in an answer or in None, never in an exception."""
    parse_header("CREATE PROCEDURE p @a int = " + text)
