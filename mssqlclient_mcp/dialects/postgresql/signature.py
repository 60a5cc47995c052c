"""Signatures of functions and procedures, one for each overload, with all that their types are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import cast

from ...errors import InvalidParameter
from ...models import Direction, ObjectName, ParameterField, ParameterType, StoredProcedureParameter
from ...names import QualifiedName, parse_name
from ...procedure_models import ProcedureSignature
from ..procedures import Read
from .catalog_procedures import ROUTINES, TYPES
from .conversions import RULES, SYNONYMS

Record = dict[str, object]


class Shape(str, Enum):
    """How a routine is called, and what comes back."""

    CALL = "call"  # a procedure: one row of outputs, or nothing
    SCALAR = "scalar"
    VOID = "void"
    OUTPUTS = "outputs"  # a function with OUT parameters: one row of them
    ROWS = "rows"  # a set, or a single composite
    RECORD = "record"  # a record without column names: shown as one value
    TRIGGER = "trigger"


_DIRECTIONS = {"i": Direction.IN, "o": Direction.OUT, "b": Direction.INOUT, "v": Direction.IN}
_NOT_CALLED = {"a": "an aggregate", "w": "a window function"}
VARIADIC = "VARIADIC "


def find(read: Read, text: str) -> tuple[ProcedureSignature, ...]:
    """Every overload that a name means; with types behind it (``name(integer, text)``) only the one that takes these."""
    written, types = _split_types(text)
    name = parse_name(written, parameter="procedureName")
    rows = [row for row in read(ROUTINES, (name.schema, name.name)) if not _wrong_case(row, name)]
    if not rows:
        return ()
    callable_rows = [row for row in rows if row["kind"] not in _NOT_CALLED]
    if not callable_rows:
        raise InvalidParameter(f"{name} is {_NOT_CALLED[str(rows[0]['kind'])]}.", next_step="Use it in a query.")
    found = _signatures(read, callable_rows)
    return found if types is None else tuple(one for one in found if _input_types(one) == types) or _no_such(found, text)


def _no_such(found: Sequence[ProcedureSignature], text: str) -> tuple[ProcedureSignature, ...]:
    raise InvalidParameter(f"No overload is {text}.", details={"expected": [str(one) for one in found]})


def _split_types(text: str) -> tuple[str, list[str] | None]:
    match = re.fullmatch(r"(?P<name>.+?)\s*\((?P<types>[^()]*(?:\(\d+(?:,\s*\d+)?\)[^()]*)*)\)\s*", text, re.DOTALL)
    if match is None or text.rstrip().endswith('"'):
        return text, None
    plain = re.sub(r"\([^)]*\)", "", match["types"])
    return match["name"], [_usual(one) for one in plain.split(",") if one.strip()]


def _usual(written: str) -> str:
    words = " ".join(written.lower().split())
    array = words[len(words.rstrip("[]")) :]
    base = words.rstrip("[]")
    return SYNONYMS.get(base, base) + array


def _input_types(signature: ProcedureSignature) -> list[str]:
    return [_usual(one.sql_type) for one in signature.parameters if one.direction is not Direction.OUT]


def _wrong_case(row: Record, name: QualifiedName) -> bool:
    return (name.quoted and row["name"] != name.name) or (name.schema_quoted and row["schema_name"] != name.schema)


def _signatures(read: Read, rows: Sequence[Record]) -> tuple[ProcedureSignature, ...]:
    arguments = [cast("list[Record]", json.loads(str(row["arguments"] or "[]"))) for row in rows]
    oids = {_whole(one["type"]) for some in arguments for one in some} | {_whole(row["return_type"]) for row in rows}
    types = TypesByOid(read(TYPES, ("{" + ",".join(map(str, sorted(oids))) + "}",)))
    return tuple(_signature(row, some, types) for row, some in zip(rows, arguments, strict=True))


def _signature(row: Record, arguments: Sequence[Record], types: TypesByOid) -> ProcedureSignature:
    parameters = tuple(
        _parameter(one, place, types) for place, one in enumerate(arguments, start=1) if one["mode"] in _DIRECTIONS
    )
    shape = _shape(row, arguments, types)
    returns = None
    if shape not in (Shape.CALL, Shape.VOID, Shape.OUTPUTS):
        kind = types.get(_whole(row["return_type"]))
        returns = StoredProcedureParameter("return value", 0, kind, str(row["returns"]), Direction.RETURN, required=False)
    handle = shape.value + (f" {VARIADIC}" if any(one["mode"] == "v" for one in arguments) else "")
    kind_name = "procedure" if row["kind"] == "p" else "function"
    return ProcedureSignature(ObjectName(str(row["schema_name"]), str(row["name"])), kind_name, parameters, returns, (), handle)


def shape_of(signature: ProcedureSignature) -> Shape:
    """How the routine is called."""
    return Shape(signature.handle.split(" ")[0])


def is_variadic(signature: ProcedureSignature) -> bool:
    """True when the last input takes any number of values, given as an array."""
    return VARIADIC in signature.handle


def _shape(row: Record, arguments: Sequence[Record], types: TypesByOid) -> Shape:
    returned = types.get(_whole(row["return_type"]))
    if row["kind"] == "p":
        return Shape.CALL
    if returned.name in ("trigger", "event_trigger"):
        return Shape.TRIGGER
    named = any(one["mode"] in ("o", "b", "t") for one in arguments)
    if row["returns_set"]:
        return Shape.RECORD if returned.name == "record" and not named else Shape.ROWS
    if named:
        return Shape.OUTPUTS
    return {"void": Shape.VOID, "record": Shape.RECORD, "composite": Shape.ROWS}.get(returned.name, Shape.SCALAR)


def _parameter(one: Record, place: int, types: TypesByOid) -> StoredProcedureParameter:
    kind = types.get(_whole(one["type"]))
    direction = _DIRECTIONS[str(one["mode"])]
    default = None if one["default"] is None else str(one["default"])
    required = direction is not Direction.OUT and default is None
    name = str(one["name"]) if one["name"] else f"${place}"
    return StoredProcedureParameter(name, place, kind, kind.text, direction, required, default)


class TypesByOid:
    """The types of a statement's rows, by OID."""

    def __init__(self, rows: Sequence[Record]) -> None:
        self._rows: Mapping[int, Record] = {_whole(row["oid"]): row for row in rows}
        self._under_way: set[int] = set()

    def get(self, oid: int) -> ParameterType:
        """The type; one that contains itself is text from there on."""
        row = self._rows.get(oid)
        if row is None or oid in self._under_way:
            return ParameterType("verbatim", str(row["text"]) if row else "text")
        self._under_way.add(oid)
        try:
            return self._made(row)
        finally:
            self._under_way.discard(oid)

    def below(self, oid: int) -> ParameterType:
        """The type; of a domain, the type that it narrows."""
        row = self._rows.get(oid)
        return self.below(_whole(row["base"])) if row is not None and row["kind"] == "d" else self.get(oid)

    def row(self, oid: int) -> Record:
        """What the catalogue tells of a type, that of a domain included; nothing for an unknown one."""
        row = self._rows.get(oid, {})
        return self.row(_whole(row["base"])) if row and row["kind"] == "d" else row

    def _made(self, row: Record) -> ParameterType:
        name, text = str(row["name"]), str(row["text"])
        if row["kind"] == "d":
            return replace(self.get(_whole(row["base"])), text=text)
        if row["element"] is not None:
            return ParameterType("array", text, element=self.get(_whole(row["element"])))
        if row["kind"] == "e":
            return ParameterType("enum", text, labels=tuple(json.loads(str(row["labels"] or "[]"))))
        if row["kind"] == "c":
            fields = json.loads(str(row["fields"] or "[]"))
            return ParameterType(
                "composite", text, fields=tuple(ParameterField(f["name"], self.get(f["type"])) for f in fields)
            )
        if row["kind"] == "r":
            return ParameterType("range", text, element=self.get(_whole(row["subtype"])))
        if row["kind"] == "p":
            return ParameterType(name if name in RULES or name == "void" else "internal", text)
        known = name in RULES and (row["schema_name"] == "pg_catalog" or name == "citext")
        return ParameterType(name if known else "verbatim", text)


def _whole(value: object) -> int:
    return int(str(value))
