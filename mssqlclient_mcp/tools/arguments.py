"""Arguments that do not fit, said all at once and in words."""

from __future__ import annotations

from pydantic import ValidationError

from ..names import MOST_SHOWN, nearest_of
from .base import Arguments


def argument_problems(model: type[Arguments], error: ValidationError) -> list[str]:
    """One line for each argument that is missing, unknown (with the nearest name) or unfit."""
    known = [field.alias or name for name, field in model.model_fields.items()]
    return [_problem(dict(item), known) for item in error.errors(include_url=False, include_input=False)]


def expected_arguments(model: type[Arguments]) -> str:
    """The arguments of a tool on one line, optional ones with a question mark."""
    parts = []
    for name, schema in model.model_json_schema().get("properties", {}).items():
        kinds = [schema.get("type")] if "type" in schema else [one.get("type") for one in schema.get("anyOf", [])]
        kind = " or ".join(str(one) for one in kinds if one and one != "null") or "any"
        required = name in model.model_json_schema().get("required", [])
        parts.append(f"{name}{'' if required else '?'}: {kind}")
    return ", ".join(parts) or "no arguments"


def _problem(item: dict[str, object], known: list[str]) -> str:
    place = item["loc"]
    where = ".".join(str(part) for part in place) if isinstance(place, tuple) else ""
    if item["type"] == "missing":
        return f"{where} is missing"
    if item["type"] == "extra_forbidden":
        nearest = nearest_of(where, known, 1, 0.5)
        return f"{where[:MOST_SHOWN]} is unknown" + (f"; did you mean {nearest[0]}?" if nearest else "")
    return f"{where}: {item['msg']}"
