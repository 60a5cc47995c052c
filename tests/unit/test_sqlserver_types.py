"""The type table of SQL Server, and the types of a result's columns."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from mssqlclient_mcp.dialects.sqlserver.types import TYPES, Family, Shape, column_type, type_text

FACTS = json.loads((Path(__file__).parents[1] / "data" / "sqlserver" / "types.json").read_text(encoding="utf-8"))


def test_the_table_has_the_types_of_the_facts_and_no_others() -> None:
    """A type that is missing would be shown and bound wrongly."""
    assert set(TYPES) == set(FACTS["types"])


@pytest.mark.parametrize("name", sorted(FACTS["types"]))
def test_a_types_size_and_code_are_those_of_the_facts(name: str) -> None:
    """Bytes of the largest value, the ODBC code, and the range of numbers."""
    fact, kind = FACTS["types"][name], TYPES[name]
    assert (kind.max_bytes, kind.odbc_code) == (fact["max_bytes"], fact["odbc_code"])
    if kind.family in (Family.INTEGER, Family.MONEY):
        assert [kind.low, kind.high] == [Decimal(str(bound)) for bound in fact["range"]]


def test_lengths_are_halved_for_the_types_that_count_two_bytes_a_character() -> None:
    """sys.columns.max_length is bytes."""
    assert {name for name, kind in TYPES.items() if kind.bytes_per_character == 2} == set(FACTS["rules"]["halve_for_length"])


@pytest.mark.parametrize(
    ("name", "max_length", "precision", "scale", "text"),
    [
        ("int", 4, 10, 0, "int"), ("varchar", 50, 0, 0, "varchar(50)"), ("nvarchar", 100, 0, 0, "nvarchar(50)"),
        ("nvarchar", -1, 0, 0, "nvarchar(max)"), ("varbinary", -1, 0, 0, "varbinary(max)"), ("nchar", 20, 0, 0, "nchar(10)"),
        ("decimal", 9, 18, 2, "decimal(18,2)"), ("numeric", 5, 5, 0, "numeric(5,0)"), ("float", 8, 53, 0, "float"),
        ("float", 4, 24, 0, "float(24)"), ("real", 4, 24, 0, "real"), ("time", 5, 16, 7, "time(7)"),
        ("datetime2", 8, 27, 0, "datetime2(0)"), ("datetimeoffset", 10, 34, 3, "datetimeoffset(3)"),
        ("datetime", 8, 23, 3, "datetime"), ("xml", -1, 0, 0, "xml"), ("sysname", 256, 0, 0, "sysname"),
        ("vector", 20, 0, 0, "vector(3)"), ("PhoneNumber", 20, 0, 0, "PhoneNumber"),
    ],
)  # fmt: skip
def test_a_catalogue_row_is_written_as_one_would_declare_it(
    name: str, max_length: int, precision: int, scale: int, text: str
) -> None:
    """Length, precision and scale stand where a declaration has them."""
    assert type_text(name, max_length=max_length, precision=precision, scale=scale) == text


@pytest.mark.parametrize(
    ("python_type", "size", "scale", "text"),
    [
        (int, 3, 0, "tinyint"), (int, 5, 0, "smallint"), (int, 10, 0, "int"), (int, 19, 0, "bigint"), (bool, 1, 0, "bit"),
        (Decimal, 38, 10, "decimal(38,10)"), (float, 53, 0, "float"), (float, 24, 0, "real"), (UUID, 36, 0, "uniqueidentifier"),
        (str, 50, 0, "nvarchar(50)"), (str, 0, 0, "nvarchar(max)"),
        (str, 2**31 - 1, 0, "nvarchar(max)"), (str, 8000, 0, "varchar(8000)"),
        (date, 10, 0, "date"), (time, 16, 7, "time(7)"), (time, 8, 0, "time(0)"), (datetime, 23, 3, "datetime"),
        (datetime, 16, 0, "smalldatetime"), (datetime, 19, 0, "datetime2(0)"), (datetime, 27, 7, "datetime2(7)"),
        (bytearray, 10, 0, "varbinary(10)"), (bytearray, 0, 0, "varbinary(max)"), (bytearray, 34, 7, "datetimeoffset(7)"),
    ],
)  # fmt: skip
def test_a_result_columns_type_is_told_as_far_as_the_driver_tells_it(
    python_type: type, size: int, scale: int, text: str
) -> None:
    """What pyodbc describes a column with, by both drivers."""
    assert column_type(python_type, size, scale) == text


def test_every_type_with_parentheses_can_be_written() -> None:
    """No shape of the table is left without a text."""
    for name, kind in TYPES.items():
        text = type_text(name, max_length=16, precision=10, scale=2)
        assert text.startswith(name)
        assert ("(" in text) == (kind.shape is not Shape.PLAIN)
