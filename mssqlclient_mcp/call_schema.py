"""A call as JSON Schema (draft 2020-12): what an assistant may send, written from the types' rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from .dialects.conversions import Kind, Rule
from .models import Direction, ParameterType, StoredProcedureParameter
from .procedure_models import ProcedureSignature
from .type_mapper import rule_of

Schema = dict[str, object]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
SAFE_INTEGER = 2**53 - 1


def call_schema(signature: ProcedureSignature, dialect: str) -> Schema:
    """The JSON Schema of the ``parameters`` object."""
    takes = [one for one in signature.parameters if one.direction is not Direction.OUT]
    schema: Schema = {
        "$schema": DRAFT,
        "title": str(signature.name),
        "type": "object",
        "properties": {one.name: _parameter(one, dialect) for one in takes},
        "additionalProperties": False,
    }
    required = [one.name for one in takes if one.required]
    return {**schema, "required": required} if required else schema


def _parameter(one: StoredProcedureParameter, dialect: str) -> Schema:
    schema = _nullable(_value(one.type, dialect))
    words = [one.sql_type, "OUTPUT" if one.is_output else "", f"default {one.default}" if one.default is not None else ""]
    hint = rule_of(one.type, dialect).hint
    return {**schema, "description": "; ".join(word for word in (*words, hint) if word)}


def _nullable(schema: Schema) -> Schema:
    kind = schema.get("type")
    if kind is None:
        return {**schema, "enum": [*schema["enum"], None]} if isinstance(schema.get("enum"), list) else schema  # type: ignore[misc]
    return {**schema, "type": [*kind, "null"] if isinstance(kind, list) else [kind, "null"]}


def _value(kind: ParameterType, dialect: str) -> Schema:
    rule = rule_of(kind, dialect)
    if rule.kind is Kind.ARRAY and kind.element is not None:
        return {"type": "array", "items": _nullable(_value(kind.element, dialect))}
    if rule.kind is Kind.COMPOSITE:
        return _object(kind, dialect)
    if rule.kind is Kind.TABLE:
        return {"type": "array", "items": _object(kind, dialect)}
    write = _SCHEMAS.get(rule.kind)
    return write(kind, rule) if write is not None else {"type": "string"}


def _object(kind: ParameterType, dialect: str) -> Schema:
    writable = [field for field in kind.fields if field.writable]
    schema: Schema = {
        "type": "object",
        "properties": {field.name: _nullable(_value(field.type, dialect)) for field in writable},
        "additionalProperties": False,
    }
    required = [field.name for field in writable if field.required]
    return {**schema, "required": required} if required else schema


def _integer(_: ParameterType, rule: Rule) -> Schema:
    low, high = int(rule.low or 0), int(rule.high or 0)
    if high > SAFE_INTEGER:
        return {"type": ["integer", "string"], "minimum": low, "maximum": high, "pattern": r"^-?\d{1,19}$"}
    return {"type": "integer", "minimum": low, "maximum": high}


def _decimal(kind: ParameterType, rule: Rule) -> Schema:
    scale = kind.scale if kind.scale is not None else rule.digits
    precision = kind.precision or (len(str(rule.high).split(".")[0]) + (scale or 0) if rule.high is not None else None)
    if precision is None or scale is None:
        return {"type": ["string", "number"]}
    fraction = rf"(\.\d{{1,{scale}}})?" if scale else ""
    whole = rf"\d{{1,{precision - scale}}}" if precision > scale else "0?"
    return {"type": ["string", "number"], "pattern": f"^-?{whole}{fraction}$"}


def _float(_: ParameterType, rule: Rule) -> Schema:
    schema: Schema = {"type": "number"}
    if rule.high is not None and rule.high < Decimal("1e300"):
        schema |= {"minimum": float(rule.low or 0), "maximum": float(rule.high)}
    return {"type": ["number", "string"], **{k: v for k, v in schema.items() if k != "type"}} if rule.words else schema


def _text(kind: ParameterType, _: Rule) -> Schema:
    return {"type": "string", "maxLength": kind.length} if kind.length is not None else {"type": "string"}


def _format(name: str) -> Callable[[ParameterType, Rule], Schema]:
    return lambda _, rule: {"type": "string"} if rule.words else {"type": "string", "format": name}


_SCHEMAS: Mapping[Kind, Callable[[ParameterType, Rule], Schema]] = {
    Kind.BOOLEAN: lambda _, __: {"type": "boolean"},
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.TEXT: _text,
    Kind.BINARY: lambda _, __: {"type": "string", "contentEncoding": "base64"},
    Kind.DATE: _format("date"),
    Kind.TIME: lambda _, __: {"type": "string"},
    Kind.TIMESTAMP: lambda _, rule: (
        {"type": "string", "format": "date-time"} if rule.offset and not rule.words else {"type": "string"}
    ),
    Kind.UUID: _format("uuid"),
    Kind.JSON: lambda _, __: {},
    Kind.ENUM: lambda kind, _: {"enum": list(kind.labels)},
    Kind.RANGE: lambda _, __: {"type": ["string", "object"]},
    Kind.BITS: lambda _, __: {"type": "string", "pattern": "^[01]*$"},
    Kind.VARIANT: lambda _, __: {},
}
