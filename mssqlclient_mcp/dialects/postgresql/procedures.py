"""Functions and procedures of PostgreSQL: implements ``dialects.procedures.Procedures``.

Values travel as text beside the statement, each with a cast to its parameter's type: ``CALL "s"."p"("a" => $1::integer)``.
The cast gives a NULL its type and picks the overload.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import InvalidParameter
from ...models import Direction, OutputValue, ParameterType, ResultSet, Statement, StatementKind, StoredProcedureParameter
from ...procedure_models import ProcedureSignature
from ..conversions import TypedValue
from ..procedures import Answer, PreparedCall
from .signature import Shape, find, is_variadic, shape_of

__all__ = ["find", "prepare", "read_answer"]

RETURN_COLUMN = "return_value"
CURSOR = "refcursor"
CURSOR_CLOSED = (
    "A refcursor names a cursor that is closed with the call: its rows were not read. A function that returns a set (RETURNS "
    "TABLE) brings them back."
)
_ARRAYS = ("anyarray", "anycompatiblearray")


def prepare(signature: ProcedureSignature, values: Mapping[str, object]) -> PreparedCall:
    """The call with ``values`` by parameter name. Raises InvalidParameter for what cannot be called from outside."""
    shape = shape_of(signature)
    if shape is Shape.TRIGGER:
        raise InvalidParameter(f"{signature.name} is a trigger function: only a trigger can call it.")
    bound: list[object] = []
    arguments = ", ".join(_arguments(signature, values, bound))
    call = f"{quote(signature.name.schema)}.{quote(signature.name.name)}({arguments})"
    outputs = tuple(one.name for one in signature.parameters if one.is_output)
    statement = Statement(_text(shape, call), tuple(bound), StatementKind.CALL)
    return PreparedCall(statement, signature, outputs if shape in (Shape.CALL, Shape.OUTPUTS) else ())


def _text(shape: Shape, call: str) -> str:
    if shape is Shape.CALL:
        return f"CALL {call}"
    if shape in (Shape.ROWS, Shape.OUTPUTS):
        return f"SELECT * FROM {call}"  # noqa: S608 - names from the catalogue, quoted; values are parameters
    return f"SELECT {call} AS {quote(RETURN_COLUMN)}"


def _arguments(signature: ProcedureSignature, values: Mapping[str, object], bound: list[object]) -> list[str]:
    """Arguments by name; those before a nameless one by position, for a name cannot stand before a position."""
    takes = [one for one in signature.parameters if _is_passed(one, signature)]
    given = [one for one in takes if one.name in values or one.direction is Direction.OUT]
    last_nameless = max((place for place, one in enumerate(takes) if one.name.startswith("$")), default=-1)
    by_position = takes[: last_nameless + 1]
    while by_position and by_position[-1] not in given:
        by_position.pop()
    skipped = [one.name for one in by_position if one not in given]
    if skipped:
        raise InvalidParameter(
            f"{signature.name} was not called: {', '.join(skipped)} must be given, for a later parameter has no name.",
            details={"expected": str(signature)},
        )
    texts = []
    told = any(_is_polymorphic(one.type) and values.get(one.name) is not None for one in given)
    for one in given:
        variadic = "VARIADIC " if is_variadic(signature) and one is _last_input(takes) else ""
        name = "" if one in by_position else f"{quote(one.name)} => "
        texts.append(f"{variadic}{name}{_expression(one.type, values.get(one.name), bound, told=told)}")
    return texts


def _is_passed(one: StoredProcedureParameter, signature: ProcedureSignature) -> bool:
    """CALL lists the OUT parameters of a procedure, too (since PostgreSQL 14); a function's are left out."""
    return one.direction is not Direction.OUT or signature.kind == "procedure"


def _last_input(takes: Sequence[StoredProcedureParameter]) -> StoredProcedureParameter:
    return [one for one in takes if one.direction is not Direction.OUT][-1]


def _is_polymorphic(kind: ParameterType) -> bool:
    return kind.name.startswith("any")


def _expression(kind: ParameterType, value: object, bound: list[object], *, told: bool) -> str:
    """The value with its cast. ``told``: another argument tells what the polymorphic types stand for."""
    if value is None:
        if not _is_polymorphic(kind):
            return f"NULL::{kind.text}"
        return "NULL" if told else f"NULL::{'text[]' if kind.name in _ARRAYS else 'text'}"
    if isinstance(value, TypedValue):
        return _expression(value.type, value.value, bound, told=told)
    bound.append(value)
    between = "::numeric" if kind.name == "money" else ""  # money reads text by the server's locale
    return f"${len(bound)}{between}::{kind.text}"


def read_answer(call: PreparedCall, result_sets: Sequence[ResultSet]) -> Answer:
    """The row of outputs, or the one value of a scalar function, apart from result sets."""
    shape = shape_of(call.signature)
    row = _only_row(result_sets)
    if shape in (Shape.CALL, Shape.OUTPUTS) and call.outputs and row is not None and len(row) == len(call.outputs):
        types = {one.name: one.sql_type for one in call.signature.parameters}
        outputs = tuple(OutputValue(name, types[name], value) for name, value in zip(call.outputs, row, strict=True))
        cursor = any(one.sql_type == CURSOR and one.value is not None for one in outputs)
        return Answer((), outputs, notes=(CURSOR_CLOSED,) if cursor else ())
    if shape is Shape.SCALAR and row is not None:
        returns = call.signature.returns
        cursor = returns is not None and returns.sql_type == CURSOR and row[0] is not None
        return Answer((), return_value=row[0], has_return=True, notes=(CURSOR_CLOSED,) if cursor else ())
    if shape is Shape.VOID and row is not None:
        return Answer(())
    return Answer(tuple(result_sets))


def _only_row(result_sets: Sequence[ResultSet]) -> tuple[object, ...] | None:
    if len(result_sets) == 1 and result_sets[0].columns and len(result_sets[0].rows) == 1:
        return result_sets[0].rows[0]
    return None


def quote(identifier: str) -> str:
    """``"identifier"``, a quote in it doubled."""
    return '"' + identifier.replace('"', '""') + '"'
