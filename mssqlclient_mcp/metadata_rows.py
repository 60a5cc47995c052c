"""Rows of the catalogue statements -> models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from .models import (
    ColumnStatistics,
    ForeignKey,
    IndexColumn,
    IndexUsage,
    PartitionStatistics,
    TableIndex,
    TableStatistics,
)
from .records import columns_of
from .schema_models import (
    CheckConstraint,
    ColumnInfo,
    Columns,
    DatabaseInfo,
    KeyConstraint,
    ProcedureDefinition,
    ProcedureInfo,
    SearchHit,
    TableInfo,
    TableSchema,
    TriggerInfo,
    defaults,
    made,
)

Record = Mapping[str, object]

LINE_LENGTH = 200
NOT_VISIBLE = "(not visible)"
DEFINITION_HIDDEN = "Some definitions are not shown: they are encrypted, or the login lacks VIEW DEFINITION on them."


def text(value: object) -> str | None:
    """Text, or None."""
    return None if value is None else str(value)


def whole(value: object) -> int | None:
    """A whole number from what the driver or JSON gave, or None."""
    return None if value is None else int(cast("int", value))


def records(value: object) -> list[dict[str, object]]:
    """A JSON column: an array of objects as text, or already read; null is an empty one."""
    read = json.loads(value) if isinstance(value, str) and value else value
    return cast("list[dict[str, object]]", read or [])


def names(value: object) -> tuple[str, ...]:
    """A JSON array of names, or of objects with a ``name``."""
    return tuple(str(item["name"]) if isinstance(item, dict) else str(item) for item in records(value))


def database(row: Record, sizes: Mapping[object, object]) -> DatabaseInfo:
    """A row of LIST_DATABASES."""
    size = sizes.get(row["name"], row["size_kb"])
    accessible, read_only = row["accessible"], row["read_only"]
    return DatabaseInfo(
        name=str(row["name"]),
        state=text(row["state"]),
        accessible=None if accessible is None else bool(accessible),
        is_system=bool(row["is_system"]),
        read_only=None if read_only is None else bool(read_only),
        owner=text(row["owner"]),
        collation=text(row["collation"]),
        encoding=text(row["encoding"]),
        compatibility_level=whole(row["compatibility_level"]),
        created=text(row["created"]),
        size_kb=whole(size),
        description=text(row["description"]),
    )


def table(row: Record, sizes: Mapping[object, object]) -> TableInfo:
    """A row of LIST_TABLES."""
    return TableInfo(
        schema=str(row["schema_name"]),
        name=str(row["name"]),
        kind=str(row["kind"]),
        rows=whole(row["row_count"]),
        size_kb=whole(sizes.get(row["object_id"], row["size_kb"])),
        description=text(row["description"]),
    )


def table_schema(row: Record) -> TableSchema:
    """The row of TABLE_SCHEMA."""
    row_security = row["row_security"]
    schema = TableSchema(
        schema=str(row["schema_name"]),
        name=str(row["name"]),
        kind=str(row["kind"]),
        columns=tuple(column(item) for item in records(row["columns"])),
        description=text(row["description"]),
        created=text(row["created"]),
        modified=text(row["modified"]),
        keys=tuple(key(item) for item in records(row["keys"])),
        checks=tuple(check(item) for item in records(row["checks"])),
        foreign_keys=tuple(foreign_key(item) for item in records(row["foreign_keys"])),
        triggers=tuple(trigger(item) for item in records(row["triggers"])),
        definition=text(row["definition"]),
        history_table=text(row["history_table"]),
        partitioning=text(row["partitioning"]),
        partition_of=text(row["partition_of"]),
        row_security=None if row_security is None else bool(row_security),
        memory_optimized=bool(row["memory_optimized"]),
    )
    hidden = bool(row["definition_hidden"]) or _hides_expressions(schema)
    return replace(schema, notes=(DEFINITION_HIDDEN,)) if hidden else schema


def _hides_expressions(schema: TableSchema) -> bool:
    """Whether a default, a formula or a check is there without its text."""
    hidden_column = any(NOT_VISIBLE in (column.default, column.computed) for column in schema.columns)
    return hidden_column or any(check.definition is None for check in schema.checks)


_NO_COLUMN = {**defaults(ColumnInfo), "nullable": False, "position": 0}
_FLAGS = frozenset({"nullable", "persisted", "rowguidcol", "sparse", "masked", "hidden"})


def column(item: Record) -> ColumnInfo:
    """An object of [columns], whose keys are the names of fields: both catalogues leave out what does not apply, and SQL Server
    writes flags as 0 and 1."""
    told = {**_NO_COLUMN, **item}
    for name in _FLAGS.intersection(item):
        if told[name] is not None:
            told[name] = bool(told[name])
    return made(ColumnInfo, told)


def key(item: Record) -> KeyConstraint:
    """An object of [keys]."""
    return KeyConstraint(str(item["name"]), str(item["kind"]), names(item.get("columns")), text(item.get("definition")))


def check(item: Record) -> CheckConstraint:
    """An object of [checks]."""
    return CheckConstraint(
        name=str(item["name"]),
        definition=text(item.get("definition")),
        columns=names(item.get("columns")),
        disabled=bool(item.get("disabled")),
        not_trusted=bool(item.get("not_trusted")),
    )


def foreign_key(item: Record) -> ForeignKey:
    """An object of [foreign_keys]."""
    return ForeignKey(
        name=str(item["name"]),
        direction=str(item["direction"]),
        schema=str(item["schema"]),
        table=str(item["table"]),
        columns=names(item["columns"]),
        referenced_schema=str(item["referenced_schema"]),
        referenced_table=str(item["referenced_table"]),
        referenced_columns=names(item["referenced_columns"]),
        on_delete=str(item["on_delete"]),
        on_update=str(item["on_update"]),
        disabled=bool(item.get("disabled")),
        not_trusted=bool(item.get("not_trusted")),
        definition=text(item.get("definition")),
    )


def trigger(item: Record) -> TriggerInfo:
    """An object of [triggers]."""
    return TriggerInfo(
        name=str(item["name"]),
        timing=str(item["timing"]),
        events=str(item.get("events") or ""),
        disabled=bool(item.get("disabled")),
        definition=text(item.get("definition")),
    )


def procedures(found: Sequence[dict[str, object]]) -> Sequence[ProcedureInfo]:
    """The rows of LIST_PROCEDURES: both catalogues give text or NULL for each field."""
    values = columns_of(found)
    some = bool(found) and values["name"][0] is not None  # of a page without any, the row tells only the total
    return Columns(ProcedureInfo, {name: values[name] if some else () for name in defaults(ProcedureInfo)})


def procedure_definition(row: Record) -> ProcedureDefinition:
    """A row of PROCEDURE_DEFINITION."""
    info = made(ProcedureInfo, {name: row[name] for name in defaults(ProcedureInfo)})
    return ProcedureDefinition(info, text(row["definition"]), text(row["without_definition"]))


def index(item: Record, usage: Mapping[object, Record]) -> TableIndex:
    """An object of [indexes], with the row of INDEX_USAGE for it where there is one."""
    seen = usage.get(item.get("index_id"), item)
    return TableIndex(
        name=text(item.get("name")),
        kind=str(item["kind"]),
        unique=bool(item["unique"]),
        primary_key=bool(item["primary_key"]),
        unique_constraint=bool(item["unique_constraint"]),
        columns=tuple(IndexColumn(str(c["name"]), bool(c["descending"])) for c in records(item.get("columns"))),
        included=names(item.get("included")),
        filter=text(item.get("filter")),
        fill_factor=whole(item.get("fill_factor")),
        disabled=bool(item.get("disabled")),
        compression=text(item.get("compression")),
        size_kb=whole(seen.get("size_kb")),
        usage=index_usage(seen),
        definition=text(item.get("definition")),
        storage=text(item.get("storage")),
        ignore_dup_key=bool(item.get("ignore_dup_key")),
    )


def index_usage(row: Record) -> IndexUsage | None:
    """The counters of an index; None when the database shows none."""
    if row.get("seeks") is None and row.get("scans") is None:
        return None
    return IndexUsage(
        whole(row.get("seeks")),
        whole(row.get("scans")),
        whole(row.get("lookups")),
        whole(row.get("updates")),
        text(row.get("last_used")),
    )


def table_statistics(row: Record, space: Record, statistics: Sequence[Record], notes: tuple[str, ...]) -> TableStatistics:
    """The row of TABLE_STATISTICS, with the sizes and column statistics that may have come separately."""
    return TableStatistics(
        schema=str(row["schema_name"]),
        name=str(row["name"]),
        kind=str(row["kind"]),
        rows=whole(row["row_count"]),
        rows_approximate=True,
        data_kb=whole(space["data_kb"]),
        index_kb=whole(space["index_kb"]),
        reserved_kb=whole(space["reserved_kb"]),
        unused_kb=whole(space["unused_kb"]),
        lob_kb=whole(space["lob_kb"]),
        created=text(row["created"]),
        modified=text(row["modified"]),
        partitions=tuple(partition(item) for item in records(row["partitions"])),
        statistics=tuple(column_statistics(item) for item in statistics),
        notes=notes,
    )


def partition(item: Record) -> PartitionStatistics:
    """An object of [partitions]."""
    return PartitionStatistics(
        partition=str(item["partition"]),
        rows=whole(item.get("rows")),
        boundary=text(item.get("boundary")),
        compression=text(item.get("compression")),
        size_kb=whole(item.get("size_kb")),
    )


def column_statistics(item: Record) -> ColumnStatistics:
    """An object of [statistics] or a row of COLUMN_STATISTICS."""
    return ColumnStatistics(
        name=str(item["name"]),
        last_updated=text(item.get("last_updated")),
        modifications=whole(item.get("modifications")),
        rows=whole(item.get("row_count")),
        rows_sampled=whole(item.get("rows_sampled")),
    )


def table_outline(row: Record) -> TableSchema:
    """A row of TABLES_WITH_COLUMNS: a table with columns and keys, without the rest."""
    return TableSchema(
        schema=str(row["schema_name"]),
        name=str(row["name"]),
        kind=str(row["kind"]),
        columns=tuple(column(item) for item in records(row["columns"])),
        description=text(row["description"]),
        keys=tuple(key(item) for item in records(row["keys"])),
        foreign_keys=tuple(foreign_key(item) for item in records(row["foreign_keys"])),
    )


def search_hit(row: Record) -> SearchHit:
    """A row of SEARCH_OBJECTS; of a text, the line in which the literal stands."""
    body = text(row["body"])
    number, line = (None, None) if body is None else line_at(body, (whole(row["position"]) or 1) - 1)
    return SearchHit(
        schema=str(row["schema_name"]),
        name=str(row["name"]),
        kind=str(row["kind"]),
        found_in=str(row["found_in"]),
        column=text(row["column_name"]),
        line_number=number,
        line=line,
    )


def line_at(body: str, position: int) -> tuple[int, str]:
    """The number (from 1) and the text of the line at ``position``, cut to LINE_LENGTH around it."""
    position = max(0, min(position, len(body)))
    start = body.rfind("\n", 0, position) + 1
    end = body.find("\n", position)
    line = body[start : len(body) if end < 0 else end]
    first = max(0, position - start - LINE_LENGTH // 2)
    return body.count("\n", 0, position) + 1, line[first : first + LINE_LENGTH].strip()
