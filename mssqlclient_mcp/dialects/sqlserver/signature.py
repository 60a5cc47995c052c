"""The signature of a stored procedure, from the catalogue and from the head of its definition.

Sources: "sys.all_parameters", "sys.all_sql_modules", "sys.table_types", "sys.numbered_procedures", "sys.synonyms". Where a view
is missing or refused, the definition's own words are taken instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ...errors import DatabaseFault, InvalidParameter, ObjectNotFound, PermissionDenied
from ...models import Direction, ObjectName, ParameterField, ParameterType, StoredProcedureParameter
from ...names import QualifiedName, parse_name
from ...procedure_models import ProcedureSignature
from ..procedures import Read
from .catalog_procedures import NUMBERED, PARAMETERS, PROCEDURE, SYNONYM, TABLE_TYPE_COLUMNS, USER_TYPE
from .conversions import SYNONYMS
from .module_header import HeaderParameter, parse_header
from .types import TYPES, Family, Shape, type_text

Record = dict[str, object]

_NUMBER = re.compile(r"(?P<name>.*[^;\s])\s*;\s*(?P<number>\d{1,5})\s*", re.DOTALL)
_DECLARED = re.compile(r"(?P<name>[^(]*?)\s*(?:\(\s*(?P<first>\d+|max)\s*(?:,\s*(?P<second>\d+)\s*)?\))?", re.IGNORECASE)
_WITHOUT_VIEW = (ObjectNotFound, PermissionDenied, DatabaseFault)
_KINDS = {"PC": "clr_procedure", "X": "extended_procedure", "RF": "replication_filter"}
RETURNS = StoredProcedureParameter("@RETURN_VALUE", 0, ParameterType("int", "int"), "int", Direction.RETURN, required=False)
HIDDEN = "The definition may not be seen, so which parameters have defaults is not known; the server decides."
ENCRYPTED = "The definition is encrypted, so which parameters have defaults is not known; the server decides."


def find(read: Read, text: str) -> tuple[ProcedureSignature, ...]:
    """The one procedure that a name means, a synonym of it and a numbered one (``p;2``) included; else nothing."""
    text, number = _split_number(text)
    name = parse_name(text, parameter="procedureName")
    found = read(PROCEDURE, (name.schema, name.name)) or _through_synonym(read, name)
    return (_signature(read, found[0], number),) if found else ()


def _split_number(text: str) -> tuple[str, int]:
    match = _NUMBER.fullmatch(text)
    return (match["name"], int(match["number"])) if match else (text, 1)


def _through_synonym(read: Read, name: QualifiedName) -> Sequence[Record]:
    try:
        found = read(SYNONYM, (name.schema, name.name))
    except _WITHOUT_VIEW:
        return []
    if not found:
        return []
    [row] = found
    if not row["is_here"]:
        raise InvalidParameter(
            f"{row['schema_name']}.{row['name']} is a synonym for {row['target']}, which is not in this database.",
            next_step="Call the procedure itself, in its own database.",
        )
    return read(PROCEDURE, (row["target_schema"], row["target_name"]))


def _signature(read: Read, row: Record, number: int) -> ProcedureSignature:
    definition = _text(row["definition"]) if number == 1 else _numbered_definition(read, row, number)
    header = parse_header(definition) if definition is not None else None
    kind = _KINDS.get(str(row["type"]), "procedure")
    return ProcedureSignature(
        ObjectName(str(row["schema_name"]), str(row["name"])),
        kind,
        _parameters(read, row, header, number),
        RETURNS,
        _notes(row, kind, header),
        f";{number}" if number > 1 else "",
    )


def _numbered_definition(read: Read, row: Record, number: int) -> str | None:
    found = read(NUMBERED, (row["object_id"], number))
    if not found or found[0]["definition"] is None:
        why = "is encrypted, so its parameters are not known" if found else "does not exist"
        raise InvalidParameter(f"The numbered procedure {row['schema_name']}.{row['name']};{number} {why}.")
    return str(found[0]["definition"])


def _notes(row: Record, kind: str, header: Sequence[HeaderParameter] | None) -> tuple[str, ...]:
    if header is not None or kind != "procedure":
        return ()
    return (ENCRYPTED if row["encrypted"] else HIDDEN,)


def _parameters(
    read: Read, row: Record, header: Sequence[HeaderParameter] | None, number: int
) -> tuple[StoredProcedureParameter, ...]:
    """From the catalogue, with defaults from the definition; from the definition alone where the catalogue knows less."""
    found = _catalogue_rows(read, row, must=header is None) if number == 1 else []
    if header is not None and len(found) != len(header):
        return tuple(_from_header(read, one, place) for place, one in enumerate(header, start=1))
    declared = {one.name.lower(): one for one in header or ()}
    return tuple(
        _from_catalogue(read, one, place, declared.get(str(one["name"]).lower()), clr=row["type"] == "PC")
        for place, one in enumerate(found, start=1)
    )


def _catalogue_rows(read: Read, row: Record, *, must: bool) -> Sequence[Record]:
    try:
        return read(PARAMETERS, (row["object_id"],))
    except _WITHOUT_VIEW:
        if must:
            raise
        return []


def _from_catalogue(
    read: Read, row: Record, ordinal: int, header: HeaderParameter | None, *, clr: bool
) -> StoredProcedureParameter:
    if row["is_cursor"]:
        kind = ParameterType("cursor", "cursor")
    elif header is not None and header.readonly:
        kind = _table_type(read, _quoted(header.type_text))
    elif row["is_readonly"]:
        kind = _table_type(read, f"{quote(str(row['type_schema']))}.{quote(str(row['type_name']))}")
    else:
        kind = scalar_type(row)
    default = header.default.text if header and header.default else None
    required: bool | None = None if header is None else header.default is None
    if clr:
        has_default = bool(row["has_default"])
        default, required = (_text(row["default_value"]) or "NULL" if has_default else None), not has_default
    made = _parameter(str(row["name"]), ordinal, kind, _written(row, kind), bool(row["is_output"]), required, default)
    return made if row["is_nullable"] in (None, True, 1) else replace(made, nullable=False)  # natively compiled: NOT NULL


def _from_header(read: Read, header: HeaderParameter, ordinal: int) -> StoredProcedureParameter:
    kind = _declared_type(read, header)
    default = header.default.text if header.default else None
    return _parameter(header.name, ordinal, kind, header.type_text, header.output, header.default is None, default)


def _parameter(
    name: str, ordinal: int, kind: ParameterType, written: str, output: bool, required: bool | None, default: str | None
) -> StoredProcedureParameter:
    direction = Direction.INOUT if output else Direction.IN
    needed = False if kind.name == "table" or (output and required is not None) else required
    return StoredProcedureParameter(name, ordinal, kind, written, direction, needed, default)


def _written(row: Record, kind: ParameterType) -> str:
    """The type as one would write it: an alias or table type by its own name."""
    if row["is_user_defined"] and kind.name not in ("hierarchyid", "geometry", "geography"):
        return f"{row['type_schema']}.{row['type_name']}"
    return kind.text


def _declared_type(read: Read, header: HeaderParameter) -> ParameterType:
    match = _DECLARED.fullmatch(header.type_text)
    written = " ".join(match["name"].lower().split()) if match else ""
    name = SYNONYMS.get(written, written)
    if match is None or name.removesuffix(" varying") == "cursor":
        return ParameterType("cursor", "cursor")
    if name in TYPES:
        return _sized(name, match["first"], match["second"])
    if header.readonly:
        return _table_type(read, _quoted(header.type_text))
    found = read(USER_TYPE, (_quoted(match["name"]),))
    return scalar_type(found[0]) if found else ParameterType("verbatim", _quoted(match["name"]))


def _quoted(written: str) -> str:
    """A type's name as the definition writes it, quoted anew."""
    name = parse_name(written, parameter="type")
    return quote(name.name) if name.schema is None else f"{quote(name.schema)}.{quote(name.name)}"


def _sized(name: str, first: str | None, second: str | None) -> ParameterType:
    """A system type with the length, or precision and scale, of a declaration; T-SQL's own where there are none."""
    known = TYPES[name]
    number = int(first) if first and first.lower() != "max" else -1 if first else None
    if known.shape is Shape.LENGTH:
        length = 1 if number is None else number
        return scalar(name, length if length < 0 else length * known.bytes_per_character, 0, 0)
    if known.shape is Shape.PRECISION_SCALE:
        return scalar(name, 0, 18 if number is None else number, int(second or 0))
    if known.shape is Shape.SCALE:
        return scalar(name, 0, 0, known.default_scale or 0 if number is None else number)
    return scalar(name, 0, number or 0, 0)


def scalar_type(row: Record) -> ParameterType:
    """The type of a catalogue row; an alias type by the system type that it stands for."""
    name = str(row["type_name"])
    if row["is_user_defined"]:
        if row["base_name"] is None:  # a CLR type of the user's own
            return ParameterType("verbatim", f"{quote(str(row['type_schema']))}.{quote(name)}")
        name = str(row["base_name"])
    return scalar(name, *(int(str(row[key] or 0)) for key in ("max_length", "precision", "scale")))


def scalar(name: str, max_length: int, precision: int, scale: int) -> ParameterType:
    """A system type from the catalogue's numbers; ``max_length`` is bytes, -1 = max."""
    kind = TYPES.get(name.lower())
    if kind is None:
        return ParameterType("verbatim", quote(name))
    text = type_text(kind.name, max_length=max_length, precision=precision, scale=scale)
    plain = ParameterType(kind.name, text)
    if kind.name == "sysname":
        return replace(plain, length=128)
    if kind.name in ("timestamp", "rowversion"):
        return replace(plain, length=8)
    if kind.shape is Shape.LENGTH and kind.family in (Family.TEXT, Family.BINARY):
        return replace(plain, length=None if max_length < 0 else max_length // kind.bytes_per_character)
    if kind.shape is Shape.PRECISION_SCALE:
        return replace(plain, precision=precision, scale=scale)
    return replace(plain, scale=scale) if kind.shape is Shape.SCALE else plain


def _table_type(read: Read, quoted: str) -> ParameterType:
    columns = tuple(_column(row) for row in read(TABLE_TYPE_COLUMNS, (quoted,)))
    return ParameterType("table", quoted, fields=columns)


def _column(row: Record) -> ParameterField:
    kind = scalar_type(row)
    made = bool(row["is_identity"]) or bool(row["is_computed"]) or kind.name in ("timestamp", "rowversion")
    required = not row["is_nullable"] and not row["default_id"] and not made
    return ParameterField(str(row["name"]), kind, required, not made)


def quote(identifier: str) -> str:
    """``[identifier]``, a closing bracket in it doubled."""
    return "[" + identifier.replace("]", "]]") + "]"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
