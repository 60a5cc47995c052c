"""Whatever a client sends for a parameter, and however a procedure's head is written: an answer, never a crash."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mssqlclient_mcp.dialects.conversions import TypedValue
from mssqlclient_mcp.dialects.sqlserver.module_header import parse_header, read_default
from mssqlclient_mcp.errors import InvalidParameter
from mssqlclient_mcp.formatters.values import json_value, plain_text
from mssqlclient_mcp.models import ParameterField, ParameterType
from mssqlclient_mcp.procedures import read_parameters
from mssqlclient_mcp.type_mapper import convert_python_to_sql, parse_type, type_mapping

DIALECTS = ("sqlserver", "postgresql")
ODD_TEXTS = (
    "", " ", "0x", "0xZZ", "0xDEADBEEF", "NaN", "-inf", "Infinity", "1e999999999", "1E+400", "\u0663", "\uff11\uff12", "½",
    "1_000", " 12 ",
    "--5", ".", ".5", "5.", "-", "\x00", "a\x00b", "\ud800", "2024-02-30", "0000-01-01", "2024-01-01T00:00:00+99:99",
    "2024-01-01T24:00:00", "\u0661\u0662\u0663\u0664-\u0660\u0661-\u0660\u0661",
    "24:00", "23:59:60", "P", "P1D", "true", "{}", "[]", "[1,2", "[1,10)", "empty", "(,)",
    "10.0.0.1/8", "fe80::1%eth0", "{6F9619FF-8B86-D011-B42D-00C04FC964FF}", "<!DOCTYPE x [<!ENTITY a 'b'>]><a>&a;</a>",
    "9" * 5000, "1e-99999",
)  # fmt: skip
ODD = st.one_of(
    st.sampled_from(ODD_TEXTS),
    st.sampled_from([None, True, 2**63, -(2**63) - 1, 10**4000, 1e308, -0.0, float("nan"), float("inf"), 5e-324]),
    st.sampled_from(
        [Decimal("sNaN"), Decimal("-Infinity"), Decimal("1E+999999"), Decimal("1E-999999"), b"x", (1, 2), object()]
    ),
)
TYPES = st.sampled_from(["int", "decimal(99,99)", "varchar(0)", "array", "range", "enum", "composite", "table", "int[]", "xml"])
VALUES = st.recursive(
    ODD,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["a", "A", "type", "value", "lower", "upper", "bounds", ""]), inner, max_size=4),
        st.fixed_dictionaries({"type": TYPES, "value": inner}),
    ),
    max_leaves=8,
)
KINDS = [(name, kind) for name in DIALECTS for kind in type_mapping[name]]


@settings(max_examples=600, deadline=None)
@given(VALUES, st.sampled_from(KINDS), st.booleans())
def test_an_odd_value_is_converted_or_refused(value: object, where: tuple[str, str], in_array: bool) -> None:
    """And what is converted can be shown and sent."""
    dialect, name = where
    element = ParameterType("text", "text")
    fields = (ParameterField("a", element), ParameterField("A", ParameterType("int4", "integer")))
    kind = ParameterType(name, name, element=element if name in ("array", "range") else None, fields=fields)
    if in_array and dialect == "postgresql":
        kind = ParameterType("array", f"{name}[]", element=kind)
    try:
        bound = convert_python_to_sql(value, kind, dialect)
    except InvalidParameter as error:
        assert len(error.message) < 2000  # noqa: PT017 - the point is that no other exception comes
        return
    sent = bound.value if isinstance(bound, TypedValue) else bound
    plain_text(sent)
    json.dumps(json_value(sent))


@pytest.mark.parametrize("name", ["array", "composite", "enum", "range"])
def test_what_stands_for_types_of_any_name_is_no_type(name: str) -> None:
    """A value cannot be said to be "an array" of nothing."""
    with pytest.raises(InvalidParameter):
        parse_type(name, "postgresql")
    with pytest.raises(InvalidParameter):
        convert_python_to_sql({"type": name, "value": [1]}, ParameterType("anyelement", "anyelement"), "postgresql")


@pytest.mark.parametrize("text", ['{"a":' + "[" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000, "[" * 100_000])
def test_parameters_nested_without_end_are_refused(text: str) -> None:
    """As parameters, and as a JSON document among them."""
    with pytest.raises(InvalidParameter):
        read_parameters(text)
    with pytest.raises(InvalidParameter):
        convert_python_to_sql(text, "jsonb", "postgresql")


def test_a_value_nested_without_end_is_refused() -> None:
    """Whatever type it is for."""
    value: object = 1
    for _ in range(5000):
        value = [value]
    for name in ("jsonb", "integer[]", "text[]"):
        with pytest.raises(InvalidParameter):
            convert_python_to_sql(value, name, "postgresql")


def test_fields_that_differ_by_case_alone_are_told_apart() -> None:
    """The very name first, else the only one; never one over the other in silence."""
    text, number = ParameterType("text", "text"), ParameterType("int4", "integer")
    both = ParameterType("composite", "c", fields=(ParameterField("a", text), ParameterField("A", number)))
    assert convert_python_to_sql({"A": 1, "a": "x"}, both, "postgresql") == convert_python_to_sql(["x", 1], both, "postgresql")
    one = ParameterType("composite", "c", fields=(ParameterField("Name", text),))
    assert convert_python_to_sql({"nAME": "x"}, one, "postgresql") == convert_python_to_sql(["x"], one, "postgresql")
    with pytest.raises(InvalidParameter, match="twice"):
        convert_python_to_sql({"Name": "x", "name": "y"}, one, "postgresql")


# -- heads of procedures ---------------------------------------------------------------------------------------------------

TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=12)
COMMENTS = st.one_of(
    st.text(alphabet="ab,=@'()[]\"-", max_size=8).map(lambda text: f"/*{text}*/"),
    st.text(alphabet="ab,=@'()[]\"-", max_size=8).map(lambda text: f"/* /*{text}*/ , @no int = 1 */"),
    st.text(alphabet="ab,=@'()[]\"/*", max_size=8).map(lambda text: f"--{text}\n"),
)
GAPS = st.lists(st.one_of(st.sampled_from([" ", "\n", "\t", "\r\n"]), COMMENTS), max_size=3).map("".join)
NAMES = st.from_regex(r"@[a-zA-Z_ü名][\w$#@]{0,8}", fullmatch=True)
DECLARED = st.sampled_from(
    ["int", "varchar(10)", "decimal ( 18 , 2 )", "nvarchar(max)", "double precision", "dbo.[My, Type]", '"a b"', "sysname"]
)
DEFAULTS = st.one_of(
    st.none(),
    st.just(("NULL", None)),
    st.integers(-(10**20), 10**20).map(lambda number: (str(number), number)),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-999, max_value=999).map(lambda n: (f"{n:f}", n)),
    TEXT.map(lambda text: ("N'" + text.replace("'", "''") + "'", text)),
    st.binary(max_size=5).map(lambda data: ("0x" + data.hex(), data)),
    st.from_regex(r"[a-z]{3}x", fullmatch=True).map(lambda word: (word, word)),
)
PARAMETERS = st.tuples(NAMES, DECLARED, DEFAULTS, st.sampled_from(["", "OUTPUT", "out", "READONLY"]))


@settings(max_examples=400)
@given(
    st.lists(PARAMETERS, max_size=5),
    st.booleans(),
    st.sampled_from(["AS", "WITH RECOMPILE AS", "FOR REPLICATION AS"]),
    st.data(),
)
def test_a_head_is_read_as_it_was_made(
    made: list[tuple[str, str, tuple[str, object] | None, str]], in_parentheses: bool, end: str, data: st.DataObject
) -> None:
    """Names, types, defaults and directions, whatever comments and white space stand between."""

    def gap() -> str:
        return " " + data.draw(GAPS) + " "

    texts = []
    for name, declared, default, direction in made:
        shown = f"{gap()}={gap()}{default[0]}" if default is not None else ""
        texts.append(f"{gap()}{name}{gap()}{declared}{shown}{gap()}{direction}{gap()}")
    inside = ",".join(texts)
    body = f"({inside})" if in_parentheses and made else inside
    head = (
        f"{gap()}CREATE{gap()}OR{gap()}ALTER{gap()}PROC{gap()}dbo{gap()}.{gap()}[p, @x int]{gap()}{body}{gap()}{end} SELECT @no"
    )
    found = parse_header(head)
    assert found is not None
    assert [one.name for one in found] == [name for name, _, _, _ in made]
    assert ["".join(one.type_text.split()) for one in found] == ["".join(declared.split()) for _, declared, _, _ in made]
    for one, (_, _, default, direction) in zip(found, made, strict=True):
        assert (one.default is None) == (default is None)
        if one.default is not None and default is not None:
            assert one.default.value == default[1]
        assert (one.output, one.readonly) == (direction.upper() in ("OUT", "OUTPUT"), direction == "READONLY")


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_head_or_none(text: str) -> None:
    """Never an exception, with and without its beginning."""
    parse_header(text)
    parse_header(f"CREATE PROCEDURE p {text}")
    read_default(text)
