"""PostgreSQL's types as a table: how a column's type is written from its OID and its type modifier.

Source: ``pg_type`` of PostgreSQL 18. OIDs below 10000 are assigned by hand and never change between versions
(PostgreSQL documentation, "System Catalog Initial Data"). Types above are a database's own: enums, domains, composites
and those of extensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

NO_MODIFIER = -1
_HEADER = 4  # varlena header counted into the modifiers of varchar, char and numeric
_FULL_PRECISION = 0xFFFF

INTERVAL_FIELDS = {
    1 << 2: "year",
    1 << 1: "month",
    1 << 3: "day",
    1 << 10: "hour",
    1 << 11: "minute",
    1 << 12: "second",
    (1 << 2) | (1 << 1): "year to month",
    (1 << 3) | (1 << 10): "day to hour",
    (1 << 3) | (1 << 10) | (1 << 11): "day to minute",
    (1 << 3) | (1 << 10) | (1 << 11) | (1 << 12): "day to second",
    (1 << 10) | (1 << 11): "hour to minute",
    (1 << 10) | (1 << 11) | (1 << 12): "hour to second",
    (1 << 11) | (1 << 12): "minute to second",
}
"""Masks of INTERVAL_MASK in PostgreSQL's utils/timestamp.h."""

Modifier = Callable[[str, int], str]
"""(the type's name, a modifier that is set) -> the name with its length or precision."""


def _length(name: str, modifier: int) -> str:
    return f"{name}({modifier - _HEADER})"


def _bits(name: str, modifier: int) -> str:
    return f"{name}({modifier})"


def _precision_and_scale(name: str, modifier: int) -> str:
    packed = modifier - _HEADER
    precision = (packed >> 16) & 0xFFFF
    scale = ((packed & 0x7FF) ^ 1024) - 1024  # 11 bits, signed: negative scales came with PostgreSQL 15
    return f"{name}({precision},{scale})"


def _second_fraction(name: str, modifier: int) -> str:
    word, _, rest = name.partition(" ")
    return f"{word}({modifier}) {rest}".rstrip()


def _interval(name: str, modifier: int) -> str:
    fields = INTERVAL_FIELDS.get((modifier >> 16) & 0x7FFF, "")
    precision = modifier & 0xFFFF
    fraction = "" if precision == _FULL_PRECISION else f"({precision})"
    return f"{name} {fields}".rstrip() + fraction


@dataclass(frozen=True)
class BuiltinType:
    """A type of ``pg_catalog``: its OID, the OID of its array, and the name a person writes."""

    oid: int
    array_oid: int  # 0: it has no array
    name: str
    modifier: Modifier | None = None


BUILTIN_TYPES = (
    BuiltinType(16, 1000, "boolean"),
    BuiltinType(17, 1001, "bytea"),
    BuiltinType(18, 1002, '"char"'),
    BuiltinType(19, 1003, "name"),
    BuiltinType(20, 1016, "bigint"),
    BuiltinType(21, 1005, "smallint"),
    BuiltinType(22, 1006, "int2vector"),
    BuiltinType(23, 1007, "integer"),
    BuiltinType(24, 1008, "regproc"),
    BuiltinType(25, 1009, "text"),
    BuiltinType(26, 1028, "oid"),
    BuiltinType(27, 1010, "tid"),
    BuiltinType(28, 1011, "xid"),
    BuiltinType(29, 1012, "cid"),
    BuiltinType(30, 1013, "oidvector"),
    BuiltinType(114, 199, "json"),
    BuiltinType(142, 143, "xml"),
    BuiltinType(194, 0, "pg_node_tree"),
    BuiltinType(600, 1017, "point"),
    BuiltinType(601, 1018, "lseg"),
    BuiltinType(602, 1019, "path"),
    BuiltinType(603, 1020, "box"),
    BuiltinType(604, 1027, "polygon"),
    BuiltinType(628, 629, "line"),
    BuiltinType(650, 651, "cidr"),
    BuiltinType(700, 1021, "real"),
    BuiltinType(701, 1022, "double precision"),
    BuiltinType(705, 0, "unknown"),
    BuiltinType(718, 719, "circle"),
    BuiltinType(774, 775, "macaddr8"),
    BuiltinType(790, 791, "money"),
    BuiltinType(829, 1040, "macaddr"),
    BuiltinType(869, 1041, "inet"),
    BuiltinType(1033, 1034, "aclitem"),
    BuiltinType(1042, 1014, "char", _length),
    BuiltinType(1043, 1015, "varchar", _length),
    BuiltinType(1082, 1182, "date"),
    BuiltinType(1083, 1183, "time", _second_fraction),
    BuiltinType(1114, 1115, "timestamp", _second_fraction),
    BuiltinType(1184, 1185, "timestamp with time zone", _second_fraction),
    BuiltinType(1186, 1187, "interval", _interval),
    BuiltinType(1266, 1270, "time with time zone", _second_fraction),
    BuiltinType(1560, 1561, "bit", _bits),
    BuiltinType(1562, 1563, "bit varying", _bits),
    BuiltinType(1700, 1231, "numeric", _precision_and_scale),
    BuiltinType(1790, 2201, "refcursor"),
    BuiltinType(2202, 2207, "regprocedure"),
    BuiltinType(2203, 2208, "regoper"),
    BuiltinType(2204, 2209, "regoperator"),
    BuiltinType(2205, 2210, "regclass"),
    BuiltinType(2206, 2211, "regtype"),
    BuiltinType(2249, 2287, "record"),
    BuiltinType(2275, 1263, "cstring"),
    BuiltinType(2278, 0, "void"),
    BuiltinType(2277, 0, "anyarray"),
    BuiltinType(2950, 2951, "uuid"),
    BuiltinType(2970, 2949, "txid_snapshot"),
    BuiltinType(3220, 3221, "pg_lsn"),
    BuiltinType(3614, 3643, "tsvector"),
    BuiltinType(3615, 3645, "tsquery"),
    BuiltinType(3642, 3644, "gtsvector"),
    BuiltinType(3734, 3735, "regconfig"),
    BuiltinType(3769, 3770, "regdictionary"),
    BuiltinType(3802, 3807, "jsonb"),
    BuiltinType(3904, 3905, "int4range"),
    BuiltinType(3906, 3907, "numrange"),
    BuiltinType(3908, 3909, "tsrange"),
    BuiltinType(3910, 3911, "tstzrange"),
    BuiltinType(3912, 3913, "daterange"),
    BuiltinType(3926, 3927, "int8range"),
    BuiltinType(4072, 4073, "jsonpath"),
    BuiltinType(4089, 4090, "regnamespace"),
    BuiltinType(4096, 4097, "regrole"),
    BuiltinType(4191, 4192, "regcollation"),
    BuiltinType(4451, 6150, "int4multirange"),
    BuiltinType(4532, 6151, "nummultirange"),
    BuiltinType(4533, 6152, "tsmultirange"),
    BuiltinType(4534, 6153, "tstzmultirange"),
    BuiltinType(4535, 6155, "datemultirange"),
    BuiltinType(4536, 6157, "int8multirange"),
    BuiltinType(5038, 5039, "pg_snapshot"),
    BuiltinType(5069, 271, "xid8"),
)

USER_DEFINED = "user-defined"
"""How a type is written whose name is not known yet while the database is busy sending rows."""

_BY_OID = {row.oid: (row, "") for row in BUILTIN_TYPES} | {row.array_oid: (row, "[]") for row in BUILTIN_TYPES if row.array_oid}


OWN_TYPES = """
SELECT t.oid, -1, pg_catalog.format_type(t.oid, NULL)
FROM pg_catalog.pg_type AS t
WHERE t.oid >= 16384 AND t.typtype <> 'p' AND t.typrelid = 0
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS e WHERE e.typarray = t.oid AND e.typrelid <> 0)
LIMIT 5000
"""
"""Enums, domains, ranges and the types of extensions, and their arrays; not the row type that each table has."""

NAMES_OF_TYPES = """
SELECT asked.type, asked.modifier, pg_catalog.format_type(asked.type, asked.modifier)
FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int4[])) AS asked(type, modifier)
"""

TypeKey = tuple[int, int]
"""OID and modifier."""


class TypeNames:
    """The names of types of one database, built-in and its own; shared by its connections. Its own types are read with the
    first connection; one that was made later, or a table's row type, is noted as ``wanted`` until somebody asks."""

    def __init__(self) -> None:
        self._own: dict[TypeKey, str] = {}
        self.loaded = False
        self.wanted: set[TypeKey] = set()

    @property
    def incomplete(self) -> bool:
        """True while the database has not been asked, or somebody wants a name that is not known yet."""
        return not self.loaded or bool(self.wanted)

    def find(self, key: TypeKey) -> str | None:
        """The name, or None, and then the type is noted as wanted."""
        found = type_name(*key) or self._own.get(key)
        if found is None:
            self.wanted.add(key)
            found = self._own.get((key[0], NO_MODIFIER))
        return found

    def learn(self, rows: Iterable[tuple[int, int, str]]) -> None:
        """Take over (oid, modifier, name) as the two statements above give them."""
        self._own.update({(oid, modifier): name for oid, modifier, name in rows})
        self.wanted -= self._own.keys()


def type_name(oid: int, modifier: int = NO_MODIFIER) -> str | None:
    """A built-in type as a person writes it: ``numeric(18,2)``, ``varchar(50)``, ``integer[]``; None for any other OID."""
    found = _BY_OID.get(oid)
    if found is None:
        return None
    row, suffix = found
    if modifier == NO_MODIFIER or row.modifier is None:
        return row.name + suffix
    return row.modifier(row.name, modifier) + suffix
