"""The batch that calls a procedure: a typed variable for each value, the EXEC, and one last SELECT with what came out.

Why variables: ``DECLARE @v1 decimal(18,2) = CONVERT(decimal(18,2), ?)`` lets the server make the value from text, exactly and
whatever the driver thinks of the parameter; a NULL written there has the right type; and an OUTPUT parameter needs one
anyway. A conversion that fails ends the batch before the procedure starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...errors import InvalidParameter
from ...models import OutputValue, ParameterType, ResultSet, Statement, StatementKind, StoredProcedureParameter
from ...procedure_models import ProcedureSignature
from ..conversions import MISSING, TableRows, TypedValue
from ..procedures import Answer, PreparedCall
from .module_header import read_default
from .signature import quote

RETURN_COLUMN = "mcp_return_value"
OUTPUT_COLUMN = "mcp_output_{}"
TYPE_COLUMN = "mcp_output_{}_type"
MOST_MARKERS = 2000  # SQL Server takes 2100 parameters, its drivers use a few themselves
ROWS_AT_ONCE = 1000  # of one VALUES list
_PARAMETER_NAME = re.compile(r"@[\w@$#]+")

_VARIABLE_TYPES = {
    "text": "varchar(max)",
    "ntext": "nvarchar(max)",
    "image": "varbinary(max)",
    "timestamp": "binary(8)",
    "rowversion": "binary(8)",
    "sysname": "nvarchar(128)",
}
"""Types that no variable can have, or should not have, and those that turn into them by themselves."""

CONVERSIONS = {
    "geometry": "geometry::Parse(CONVERT(nvarchar(max), ?))",
    "geography": "geography::Parse(CONVERT(nvarchar(max), ?))",
    "hierarchyid": "hierarchyid::Parse(CONVERT(nvarchar(4000), ?))",
}

READINGS = {
    "xml": "CONVERT(nvarchar(max), {0})",
    "json": "CONVERT(nvarchar(max), {0})",
    "vector": "CONVERT(nvarchar(max), {0})",
    "hierarchyid": "{0}.ToString()",
    "geometry": "{0}.ToString()",
    "geography": "{0}.ToString()",
}
"""How an output is read where its own type would not travel; everything else travels as it is."""

_BASE_TYPE = "CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY({0}, 'BaseType'))"
VARIANT_READING = f"""CASE {_BASE_TYPE}
  WHEN N'float' THEN CONVERT(nvarchar(max), CONVERT(float, {{0}}), 3)
  WHEN N'real' THEN CONVERT(nvarchar(max), CONVERT(real, {{0}}), 3)
  WHEN N'money' THEN CONVERT(nvarchar(max), CONVERT(money, {{0}}), 2)
  WHEN N'smallmoney' THEN CONVERT(nvarchar(max), CONVERT(money, {{0}}), 2)
  WHEN N'date' THEN CONVERT(nvarchar(max), CONVERT(date, {{0}}), 126)
  WHEN N'datetime' THEN CONVERT(nvarchar(max), CONVERT(datetime, {{0}}), 126)
  WHEN N'smalldatetime' THEN CONVERT(nvarchar(max), CONVERT(smalldatetime, {{0}}), 126)
  WHEN N'datetime2' THEN CONVERT(nvarchar(max), CONVERT(datetime2(7), {{0}}), 126)
  WHEN N'datetimeoffset' THEN CONVERT(nvarchar(max), CONVERT(datetimeoffset(7), {{0}}), 126)
  WHEN N'binary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), {{0}}), 1)
  WHEN N'varbinary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), {{0}}), 1)
  ELSE CONVERT(nvarchar(max), {{0}}) END"""
"""A sql_variant as text that keeps every digit (styles 3: 17 digits, 2: four decimals, 1: 0x, 126: ISO 8601)."""


@dataclass
class _Batch:
    """A batch under construction."""

    lines: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    outputs: list[tuple[StoredProcedureParameter, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _variables: int = 0

    def variable(self) -> str:
        """A new variable's name. Drivers call the markers @P1, @P2 and so on."""
        self._variables += 1
        return f"@v{self._variables}"


def prepare(signature: ProcedureSignature, values: Mapping[str, object]) -> PreparedCall:
    """The call with ``values`` by parameter name. Raises InvalidParameter for one that SQL Server cannot take."""
    batch = _Batch()
    for parameter in signature.parameters:
        if parameter.name in values:
            _give(batch, parameter, values[parameter.name])
        elif parameter.is_output:
            _start_from_default(batch, parameter)
    _execute(batch, signature)
    if len(batch.values) > MOST_MARKERS:
        raise InvalidParameter(
            f"The call has {len(batch.values)} values, and SQL Server takes {MOST_MARKERS} at once.",
            next_step="Pass fewer rows to the table-valued parameter, in several calls.",
        )
    statement = Statement("\n".join(batch.lines), tuple(batch.values), StatementKind.CALL)
    names = tuple(parameter.name for parameter, _ in batch.outputs)
    return PreparedCall(statement, signature, names, tuple(batch.notes))


def _give(batch: _Batch, parameter: StoredProcedureParameter, value: object) -> None:
    if isinstance(value, TableRows):
        _give_table(batch, parameter, value)
        return
    variable = batch.variable()
    batch.lines.append(f"DECLARE {variable} {_declared(parameter.type)} = {_expression(batch, parameter.type, value)};")
    _guard_code_page(batch, parameter, variable, value)
    _pass(batch, parameter, variable)


def _start_from_default(batch: _Batch, parameter: StoredProcedureParameter) -> None:
    """An OUTPUT parameter must be bound, which hides its default: so it starts from that."""
    variable = batch.variable()
    default = None if parameter.default is None else read_default(parameter.default)
    value = default.value if default is not None else None
    start = "NULL"
    if value is not None:
        batch.values.append(value)
        start = f"CONVERT({_declared(parameter.type)}, ?)"
    elif parameter.required is None or (parameter.default is not None and (default is None or not default.is_constant)):
        batch.notes.append(f"{parameter.name} was left out and its default is not known here: it started from NULL.")
    batch.lines.append(f"DECLARE {variable} {_declared(parameter.type)} = {start};")
    _pass(batch, parameter, variable)


def _pass(batch: _Batch, parameter: StoredProcedureParameter, variable: str) -> None:
    if not _PARAMETER_NAME.fullmatch(parameter.name):
        raise InvalidParameter(f"The parameter {parameter.name!r} has a name that T-SQL cannot spell.")
    batch.arguments.append(f"{parameter.name} = {variable}" + (" OUTPUT" if parameter.is_output else ""))
    if parameter.is_output:
        batch.outputs.append((parameter, variable))


def _declared(kind: ParameterType) -> str:
    return _VARIABLE_TYPES.get(kind.name, kind.text)


def _expression(batch: _Batch, kind: ParameterType, value: object) -> str:
    """The value in the text: a marker inside its conversion, or NULL."""
    if value is None:
        return "NULL"
    if isinstance(value, TypedValue):
        return _expression(batch, value.type, value.value)
    batch.values.append(value)
    return CONVERSIONS.get(kind.name, f"CONVERT({_declared(kind)}, ?)")


def _guard_code_page(batch: _Batch, parameter: StoredProcedureParameter, variable: str, value: object) -> None:
    """Text beyond ASCII can change on its way into a code page, or grow too long for it, without an error: compare."""
    if parameter.type.name not in ("char", "varchar", "text") or not isinstance(value, str) or value.isascii():
        return
    batch.values.append(value)
    batch.lines.append(
        f"IF CONVERT(nvarchar(max), {variable}) COLLATE Latin1_General_BIN2"
        " <> CONVERT(nvarchar(max), ?) COLLATE Latin1_General_BIN2\n"
        f"  THROW 50000, N'The value of {parameter.name} cannot be kept as it is in {parameter.type.text}: the code page lacks "
        "a character, or its bytes do not fit. The procedure was not run.', 1;"
    )


def _give_table(batch: _Batch, parameter: StoredProcedureParameter, table: TableRows) -> None:
    """A table variable, filled by INSERT: it needs no driver that knows table-valued parameters."""
    variable = batch.variable()
    batch.lines.append(f"DECLARE {variable} {parameter.type.text};")
    types = {column.name: column.type for column in parameter.type.fields}
    names = ", ".join(map(quote, table.columns))
    if table.rows:
        batch.lines.append("SET NOCOUNT ON;")
        for start in range(0, len(table.rows), ROWS_AT_ONCE):
            some = table.rows[start : start + ROWS_AT_ONCE]
            rows = ",\n".join(_row(batch, row, [types[name] for name in table.columns]) for row in some)
            batch.lines.append(f"INSERT INTO {variable} ({names}) VALUES\n{rows};")
        batch.lines.append("SET NOCOUNT OFF;")
    _pass(batch, parameter, variable)


def _row(batch: _Batch, row: Sequence[object], types: Sequence[ParameterType]) -> str:
    cells = ("DEFAULT" if value is MISSING else _expression(batch, kind, value) for value, kind in zip(row, types, strict=True))
    return f"({', '.join(cells)})"


def _execute(batch: _Batch, signature: ProcedureSignature) -> None:
    name = f"{quote(signature.name.schema)}.{quote(signature.name.name)}{signature.handle}"
    arguments = ",\n  ".join(batch.arguments)
    batch.lines.insert(0, "DECLARE @return_value int;")
    batch.lines.append(f"EXEC @return_value = {name}" + (f"\n  {arguments};" if arguments else ";"))
    columns = [f"@return_value AS {quote(RETURN_COLUMN)}", *_output_columns(batch)]
    batch.lines.append("SELECT " + ",\n  ".join(columns) + ";")


def _output_columns(batch: _Batch) -> Iterator[str]:
    for place, (parameter, variable) in enumerate(batch.outputs, start=1):
        name = parameter.type.name
        if name == "sql_variant":
            yield f"{VARIANT_READING.format(variable)} AS {quote(OUTPUT_COLUMN.format(place))}"
            yield f"{_BASE_TYPE.format(variable)} AS {quote(TYPE_COLUMN.format(place))}"
        else:
            yield f"{READINGS.get(name, '{0}').format(variable)} AS {quote(OUTPUT_COLUMN.format(place))}"


def read_answer(call: PreparedCall, result_sets: Sequence[ResultSet]) -> Answer:
    """The last result set apart, when it is the one of the batch: it carries the return value and the outputs."""
    if not result_sets or not _is_last_select(result_sets[-1]):
        return Answer(tuple(result_sets))
    *rest, last = result_sets
    [row] = last.rows
    by_column = {column.name: value for column, value in zip(last.columns, row, strict=True)}
    types = {parameter.name: parameter.sql_type for parameter in call.signature.parameters}
    outputs = tuple(
        OutputValue(name, _held_type(by_column, place) or types[name], by_column.get(OUTPUT_COLUMN.format(place)))
        for place, name in enumerate(call.outputs, start=1)
    )
    return Answer(tuple(rest), outputs, by_column[RETURN_COLUMN], has_return=True)


def _is_last_select(part: ResultSet) -> bool:
    return bool(part.columns) and part.columns[0].name == RETURN_COLUMN and len(part.rows) == 1


def _held_type(by_column: Mapping[str, object], place: int) -> str:
    """What a sql_variant turned out to hold."""
    held = by_column.get(TYPE_COLUMN.format(place))
    return f"sql_variant ({held})" if held is not None else ""
