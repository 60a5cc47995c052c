"""Names as people write them, and name patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mssqlclient_mcp.errors import InvalidParameter
from mssqlclient_mcp.names import QualifiedName, like_pattern, longest_literal, parse_name, written_name


@pytest.mark.parametrize(
    ("text", "schema", "name"),
    [
        ("t", None, "t"),
        ("s.t", "s", "t"),
        ("[s].[t.u]", "s", "t.u"),
        ('"s"."t"', "s", "t"),
        ("[a]]b]", None, "a]b"),
        ('"a""b"', None, 'a"b'),
        ("s.[t u]", "s", "t u"),
        (" s . t ", "s", "t"),
        ("my table", None, "my table"),
        ("ünï.コード", "ünï", "コード"),
        ("[s.x].t", "s.x", "t"),
        ("a[b]c", None, "a[b]c"),
    ],
)
def test_a_name_is_read_into_its_parts(text: str, schema: str | None, name: str) -> None:
    """Plain, bracketed and quoted parts, with dots and doubled quotes inside."""
    read = parse_name(text)
    assert (read.schema, read.name) == (schema, name)


@pytest.mark.parametrize("text", ["", "  ", ".", "s.", ".t", "a.b.c", "[a", '"a', "[a]b", "[]", '"".t', "s..t", "x" * 5000])
def test_what_is_no_name_is_refused_with_the_reason(text: str) -> None:
    """Never guessed at, and the parameter is named."""
    with pytest.raises(InvalidParameter) as caught:
        parse_name(text, parameter="procedureName")
    assert "procedureName" in caught.value.message


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_any_name_survives_bracketing_and_quoting(schema: str, name: str) -> None:
    """Whatever a catalogue holds can be asked for."""
    bracketed = f"[{schema.replace(']', ']]')}].[{name.replace(']', ']]')}]"
    quoted = '"{}"."{}"'.format(schema.replace('"', '""'), name.replace('"', '""'))
    for text in (bracketed, quoted):
        assert parse_name(text) == QualifiedName(schema, name, quoted=True, schema_quoted=True)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """A name or InvalidParameter, never another error."""
    try:
        read = parse_name(text)
    except InvalidParameter:
        return
    assert read.name


@pytest.mark.parametrize(
    ("pattern", "like"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("cust", "%cust%"),
        ("cust*", "cust%"),
        ("*cust", "%cust"),
        ("a*b", "a%b"),
        ("50%_[x]\\", r"%50\%\_\[x]\\%"),
        ("*", "%"),
    ],
)
def test_a_star_stands_for_anything_and_all_else_for_itself(pattern: str | None, like: str | None) -> None:
    """Without a star the pattern may stand anywhere in the name."""
    assert like_pattern(pattern) == like


def test_a_pattern_for_texts_may_stand_anywhere() -> None:
    """A definition is not a name: what is sought stands in its middle."""
    assert like_pattern("a*b", anywhere=True) == "%a%b%"


def test_the_longest_literal_leads_the_eye() -> None:
    """It places the line that a search shows."""
    assert longest_literal("sel*customers*x") == "customers"
    assert longest_literal("*") == ""


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_written_name_is_read_back_as_it_was(schema: str, name: str) -> None:
    """Whatever characters a catalogue allows, a completed name means just that object."""
    read = parse_name(written_name(schema, name))
    assert (read.schema, read.name) == (schema, name)


def test_a_plain_name_is_written_without_quotes() -> None:
    """As people write it."""
    assert written_name("sales", "Orders_2024") == "sales.Orders_2024"
    assert written_name("odd schema.x", 'T "q"') == '"odd schema.x"."T ""q"""'
