"""The type table of PostgreSQL: how a column's type is written."""

from __future__ import annotations

import pytest

from mssqlclient_mcp.dialects.postgresql.types import BUILTIN_TYPES, INTERVAL_FIELDS, TypeNames, type_name


@pytest.mark.parametrize(
    ("oid", "modifier", "written"),
    [
        (23, -1, "integer"),
        (1007, -1, "integer[]"),
        (1043, 54, "varchar(50)"),
        (1043, -1, "varchar"),
        (1015, 54, "varchar(50)[]"),
        (1042, 7, "char(3)"),
        (1700, ((18 << 16) | 2) + 4, "numeric(18,2)"),
        (1700, ((5 << 16) | (-3 & 0x7FF)) + 4, "numeric(5,-3)"),
        (1700, -1, "numeric"),
        (1184, 3, "timestamp(3) with time zone"),
        (1184, -1, "timestamp with time zone"),
        (1114, 0, "timestamp(0)"),
        (1083, 6, "time(6)"),
        (1266, 2, "time(2) with time zone"),
        (1186, -1, "interval"),
        (1186, (0x7FFF << 16) | 3, "interval(3)"),
        (1186, (6 << 16) | 0xFFFF, "interval year to month"),
        (1186, ((8 | 1024 | 2048 | 4096) << 16) | 2, "interval day to second(2)"),
        (1560, 8, "bit(8)"),
        (1562, 8, "bit varying(8)"),
    ],
)
def test_a_type_is_written_with_its_length_precision_and_brackets(oid: int, modifier: int, written: str) -> None:
    """The table and its modifier functions agree with how PostgreSQL packs type modifiers."""
    assert type_name(oid, modifier) == written


def test_an_oid_outside_the_table_has_no_name() -> None:
    """A database's own types are not guessed at."""
    assert type_name(16400) is None


def test_no_oid_stands_twice_in_the_table() -> None:
    """A copied line would hide another type."""
    oids = [row.oid for row in BUILTIN_TYPES] + [row.array_oid for row in BUILTIN_TYPES if row.array_oid]
    assert len(oids) == len(set(oids))
    assert len(INTERVAL_FIELDS) == 13


def test_an_unknown_type_is_wanted_until_its_name_is_learnt() -> None:
    """What could not be named in the middle of a result is remembered for the next quiet moment."""
    names = TypeNames()
    assert names.find((16400, -1)) is None
    assert names.wanted == {(16400, -1)}
    names.learn([(16400, -1, "mood")])
    assert names.find((16400, -1)) == "mood"
    assert names.wanted == set()


def test_a_type_with_an_unknown_modifier_shows_its_plain_name_meanwhile() -> None:
    """``geometry`` is better than nothing while ``geometry(Point,4326)`` has not been asked for."""
    names = TypeNames()
    names.learn([(16400, -1, "geometry")])
    assert names.find((16400, 1107460)) == "geometry"
    assert names.wanted == {(16400, 1107460)}
