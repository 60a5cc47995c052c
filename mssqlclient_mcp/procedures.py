"""Stored procedures and functions: what they take, whether the values fit, the call, and everything it brings back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from .call_schema import call_schema
from .dialects.catalog import catalog_for
from .dialects.conversions import Kind
from .dialects.procedures import PreparedCall, procedures_for
from .errors import InvalidParameter, ObjectNotFound
from .models import Direction, QueryResult, StoredProcedureParameter
from .names import MOST_SHOWN, nearest_of
from .procedure_models import ProcedureResult, ProcedureSignature
from .type_mapper import bound_value, rule_of, validate_parameter

if TYPE_CHECKING:
    from .execution import CatalogReader

NEAREST = 3
Values = Mapping[str, object]


@dataclass(frozen=True)
class _Fitting:
    """A signature against the values of a call: by parameter name, and what is wrong with them."""

    signature: ProcedureSignature
    values: dict[str, object]
    problems: tuple[str, ...]


class SPExecutor:
    """Discovers, checks and prepares calls, and reads their answers. ``read`` runs one catalogue statement and is injected;
    the prepared statement is run by whoever runs statements."""

    def __init__(self, read: CatalogReader, dialect: str) -> None:
        self._read = read
        self._dialect = dialect
        self._procedures = procedures_for(dialect)

    def signatures(self, database: str | None, procedure: str) -> tuple[ProcedureSignature, ...]:
        """What a name stands for: one signature, or several overloads. Raises ObjectNotFound with the nearest names."""

        def read(sql: str, values: Sequence[object]) -> Sequence[dict[str, object]]:
            return self._read(database, sql, values)

        found = self._procedures.find(read, procedure)
        if found:
            return found
        nearest = self._nearest(database, procedure)
        raise ObjectNotFound(
            f"There is no procedure or function {procedure!r}, or this login may not see it.",
            details={"nearest": nearest},
            next_step="Look the name up with list_stored_procedures.",
        )

    def call_schema(self, signature: ProcedureSignature) -> dict[str, object]:
        """The JSON Schema of a call's parameters."""
        return call_schema(signature, self._dialect)

    def prepare(self, database: str | None, procedure: str, parameters: object) -> PreparedCall:
        """The call of ``procedure`` with ``parameters``: an object by parameter name, or the same as a JSON string.

        Names may come with or without ``@`` and in any case. Raises InvalidParameter with all problems at once, and
        ``details.expected``; then nothing has run.
        """
        signatures = self.signatures(database, procedure)
        given = read_parameters(parameters)
        chosen = self._choose(signatures, given)
        return self._procedures.prepare(chosen.signature, self._bound(chosen))

    def collect(self, call: PreparedCall, result: QueryResult) -> ProcedureResult:
        """What the call brought back, outputs and return value apart from the result sets."""
        answer = self._procedures.read_answer(call, result.result_sets)
        returns = call.signature.returns
        notes = (*result.notes, *call.signature.notes, *call.notes, *answer.notes)
        return ProcedureResult(
            call.signature.name,
            replace(result, result_sets=answer.result_sets, notes=notes),
            answer.outputs,
            answer.return_value,
            returns.sql_type if returns is not None and answer.has_return else None,
        )

    def _bound(self, chosen: _Fitting) -> dict[str, object]:
        types = {parameter.name: parameter.type for parameter in chosen.signature.parameters}
        return {name: bound_value(value, types[name], self._dialect) for name, value in chosen.values.items()}

    def _choose(self, signatures: Sequence[ProcedureSignature], given: Values) -> _Fitting:
        """The overload that takes the values; InvalidParameter when there is none, or more than one as good."""
        fittings = [self._fit(signature, given) for signature in signatures]
        fit = [one for one in fittings if not one.problems]
        if not fit:
            raise _refused(fittings)
        ranked = sorted(fit, key=self._distance)
        if len(ranked) > 1 and self._distance(ranked[0]) == self._distance(ranked[1]):
            raise InvalidParameter(
                f"{len(ranked)} overloads of {signatures[0].name} take these values.",
                details={"expected": [str(one.signature) for one in ranked]},
                next_step="Write the types behind the name, such as name(integer, text).",
            )
        return ranked[0]

    def _fit(self, signature: ProcedureSignature, given: Values) -> _Fitting:
        takes = [parameter for parameter in signature.parameters if parameter.direction is not Direction.OUT]
        values: dict[str, object] = {}
        problems: list[str] = []
        for written, value in given.items():
            parameter = _named(takes, written)
            if parameter is None:
                problems.append(_unknown(written, signature))
            elif parameter.name in values:
                problems.append(f"{parameter.name} is given twice")
            else:
                values[parameter.name] = value
                problem = validate_parameter(value, parameter, self._dialect)
                problems += [problem] if problem is not None else []
        missing = [one for one in takes if one.required and one.name not in values]
        problems += [f"{one.name} ({one.sql_type}) is missing" for one in missing]
        return _Fitting(signature, values, tuple(problems))

    def _distance(self, fitting: _Fitting) -> tuple[int, int]:
        """How far the values are from the parameters' types; then how many parameters are left to their defaults."""
        types = {parameter.name: parameter for parameter in fitting.signature.parameters}
        far = sum(
            _distance(value, rule_of(types[name].type, self._dialect).kind, types[name])
            for name, value in fitting.values.items()
        )
        return far, len(fitting.signature.parameters) - len(fitting.values)

    def _nearest(self, database: str | None, procedure: str) -> list[str]:
        bare = procedure.rpartition(".")[2].strip('[]"`; ')
        wanted = procedure.lower() if "." in procedure else bare.lower()

        def likeness(row: Mapping[str, object]) -> float:
            full = f"{row['schema_name']}.{row['name']}" if "." in procedure else str(row["name"])
            return SequenceMatcher(None, wanted, full.lower()).ratio()

        rows = self._read(database, catalog_for(self._dialect).NEAREST_PROCEDURES, (bare,))
        best = sorted(rows, key=likeness, reverse=True)
        return list(dict.fromkeys(f"{row['schema_name']}.{row['name']}" for row in best))[:NEAREST]


def read_parameters(parameters: object) -> dict[str, object]:
    """Parameters as they were sent: an object, its JSON text, or nothing. Decimals of a text keep all their digits."""
    if parameters is None:
        return {}
    if isinstance(parameters, str):
        parameters = _read_json(parameters) if parameters.strip() else {}
    if not isinstance(parameters, Mapping):
        raise InvalidParameter(
            "parameters must be an object of names and values, or the same as a JSON string.",
            details={"expected": '{"name": value, ...}'},
        )
    return {str(name): value for name, value in parameters.items()}


def _read_json(text: str) -> object:
    try:
        return json.loads(text, parse_float=Decimal, object_pairs_hook=_once)
    except RecursionError as error:
        raise InvalidParameter("parameters is nested too deeply.") from error
    except ValueError as error:
        raise InvalidParameter(
            f"parameters is not a JSON object: {error}.", details={"expected": '{"name": value, ...}'}
        ) from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice")
    return found


def _named(parameters: Sequence[StoredProcedureParameter], written: str) -> StoredProcedureParameter | None:
    """The parameter of that very name, else the only one that differs by case or ``@`` alone."""
    for parameter in parameters:
        if parameter.name == written:
            return parameter
    alike = [parameter for parameter in parameters if _folded(parameter.name) == _folded(written)]
    return alike[0] if len(alike) == 1 else None


def _folded(name: str) -> str:
    return name.strip().lstrip("@$").lower()


def _unknown(written: str, signature: ProcedureSignature) -> str:
    folded = {_folded(one.name): one for one in signature.parameters}
    only_out = folded.get(_folded(written))
    if only_out is not None and only_out.direction is Direction.OUT:
        return f"{only_out.name} takes no value: it only comes out"
    close = nearest_of(_folded(written), folded, 1, 0.5)
    return f"{written[:MOST_SHOWN]}: there is no such parameter" + (f"; did you mean {folded[close[0]].name}?" if close else "")


def _refused(fittings: Sequence[_Fitting]) -> InvalidParameter:
    if len(fittings) == 1:
        [only] = fittings
        many = f"{len(only.problems)} problem{'s' if len(only.problems) > 1 else ''}"
        return InvalidParameter(
            f"{only.signature.name} was not called: {many} with the parameters.",
            details={"problems": list(only.problems), "expected": str(only.signature)},
        )
    return InvalidParameter(
        f"None of the {len(fittings)} overloads of {fittings[0].signature.name} takes these parameters.",
        details={
            "problems": [f"{one.signature}: {'; '.join(one.problems)}" for one in fittings],
            "expected": [str(one.signature) for one in fittings],
        },
    )


_CLOSE: Mapping[type, tuple[Kind, ...]] = {
    bool: (Kind.BOOLEAN,),
    int: (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT),
    float: (Kind.DECIMAL, Kind.FLOAT),
    Decimal: (Kind.DECIMAL, Kind.FLOAT),
    str: (Kind.TEXT,),
    list: (Kind.ARRAY, Kind.TABLE, Kind.JSON, Kind.COMPOSITE),
    dict: (Kind.COMPOSITE, Kind.JSON, Kind.RANGE),
}
_FAR = 10


def _distance(value: object, kind: Kind, parameter: StoredProcedureParameter) -> int:
    """0 for the type that a value of JSON most likely means."""
    if value is None:
        return 0
    close = _CLOSE.get(type(value), ())
    steps = close.index(kind) * 2 if kind in close else _FAR
    usual = parameter.type.name in ("int4", "int", "numeric", "text", "jsonb")
    return steps + (0 if usual else 1)
