"""Databases, tables, columns, keys and procedures, as the catalogue tells them.

``Metadata`` asks one set-based statement a question (``dialects/<db>/catalog.py``) and makes models of the rows. What a
login may not see, or what a server does not have, is None with a note; it never fails the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from . import metadata_rows as rows
from .errors import DatabaseFault, DatabaseMcpError, ObjectNotFound, PermissionDenied, SyntaxInvalid
from .models import ObjectName, TableStatistics
from .names import QualifiedName, like_pattern, longest_literal, parse_name, written_name
from .records import Record
from .schema_models import (
    DatabaseInfo,
    ObjectNames,
    Page,
    ProcedureDefinition,
    ProcedureInfo,
    SearchHit,
    TableForeignKeys,
    TableIndexes,
    TableInfo,
    TableSchema,
)

if TYPE_CHECKING:
    from .dialects.catalog import Catalog
    from .execution import CatalogReader

NEAREST = 3
DEFAULT_PAGE = 200
DEFAULT_OUTLINES = 50
TABLE = "table or view"
NO_SIZES = "Not shown: sizes of databases; the login lacks VIEW ANY DEFINITION"
REFUSALS = (PermissionDenied, ObjectNotFound, SyntaxInvalid, DatabaseFault)
"""Answers of the database that cost an optional part; a timeout, a cancel or a lost connection ends the call."""
PLACES = ("names", "columns", "definitions", "descriptions")


@dataclass(frozen=True)
class Search:
    """What search_objects looks for: a pattern (``*`` stands for anything), where, and in which objects."""

    pattern: str
    places: tuple[str, ...] = PLACES
    kinds: tuple[str, ...] = ()
    schema: str | None = None
    offset: int = 0
    max_rows: int = DEFAULT_OUTLINES


class Metadata:
    """The catalogue of one server. Synchronous; ``read`` runs one statement and is injected."""

    def __init__(self, read: CatalogReader, catalog: Catalog) -> None:
        self._read = read
        self._catalog = catalog

    def list_databases(self) -> Page[DatabaseInfo]:
        """All databases that the login may know of."""
        found = self._read(None, self._catalog.LIST_DATABASES, ())
        sizes, notes = self._extra(None, self._catalog.DATABASE_SIZES, (), "sizes of databases")
        if self._catalog.DATABASE_SIZES is not None and not sizes and not notes:
            notes = (NO_SIZES,)
        by_name = {row["name"]: row["size_kb"] for row in sizes}
        items = tuple(rows.database(row, by_name) for row in found)
        return Page(items, len(items), notes=notes)

    def list_tables(
        self,
        database: str | None = None,
        schema: str | None = None,
        name_pattern: str | None = None,
        offset: int = 0,
        max_rows: int = DEFAULT_PAGE,
    ) -> Page[TableInfo]:
        """A page of tables and views with the catalogue's row counts."""
        values = (schema or None, like_pattern(name_pattern), offset, max_rows)
        found = self._read(database, self._catalog.LIST_TABLES, values)
        sizes, notes = self._extra(database, self._catalog.TABLE_SIZES, values, "sizes of tables")
        by_id = {row["object_id"]: row["size_kb"] for row in sizes}
        items = tuple(rows.table(row, by_id) for row in found if row["name"] is not None)
        return Page(items, _total(found), offset, notes)

    def table_schema(self, database: str | None, table: str | QualifiedName) -> TableSchema:
        """A table or view with all that belongs to it. Raises ObjectNotFound with ``details.nearest``."""
        row = self._table(database, self._catalog.TABLE_SCHEMA, table)
        schema = rows.table_schema(row)
        if not any(column.masked for column in schema.columns):
            return schema
        masks, notes = self._extra(database, self._catalog.COLUMN_MASKS, (row["object_id"],), "masking functions")
        by_name = {mask["name"]: rows.text(mask["mask"]) for mask in masks}
        columns = tuple(replace(column, mask=by_name.get(column.name)) for column in schema.columns)
        return replace(schema, columns=columns, notes=schema.notes + notes)

    def resolve(self, database: str | None, name: str | QualifiedName) -> ObjectName:
        """The table or view that a name means, as the catalogue spells it."""
        wanted = parse_name(name) if isinstance(name, str) else name
        row = self._named(database, self._catalog.RESOLVE_TABLE, wanted, self._catalog.NEAREST_TABLES, TABLE)[0]
        return ObjectName(str(row["schema_name"]), str(row["name"]))

    def object_names(self, database: str | None) -> ObjectNames:
        """The names of tables, views, procedures and functions; of very many the first 20,000."""
        found = [
            (ObjectName(str(row["schema_name"]), str(row["name"])), row["kind"] == "table")
            for row in self._read(database, self._catalog.OBJECT_NAMES, ())
        ]
        tables = tuple(name for name, is_table in found if is_table)
        return ObjectNames(tables, tuple(name for name, is_table in found if not is_table))

    def database_names(self) -> tuple[str, ...]:
        """The databases that this login may enter."""
        return tuple(str(row["name"]) for row in self._read(None, self._catalog.DATABASE_NAMES, ()))

    def table_row(self, database: str | None, sql: str, table: str) -> Record:
        """The one row of a catalogue statement that takes (schema or None, name), for what other rooms ask about a table.
        Raises ObjectNotFound with ``details.nearest``."""
        return self._table(database, sql, table)

    def list_procedures(
        self,
        database: str | None = None,
        schema: str | None = None,
        name_pattern: str | None = None,
        offset: int = 0,
        max_rows: int = DEFAULT_PAGE,
    ) -> Page[ProcedureInfo]:
        """A page of stored procedures; on PostgreSQL functions and procedures."""
        values = (schema or None, like_pattern(name_pattern), offset, max_rows)
        found = self._read(database, self._catalog.LIST_PROCEDURES, values)
        return Page(rows.procedures(found), _total(found), offset)

    def procedure_definition(self, database: str | None, procedure: str) -> tuple[ProcedureDefinition, ...]:
        """The text of a procedure or function, one for each overload (SQL Server: always one)."""
        name = parse_name(procedure, parameter="procedureName")
        sql, nearest = self._catalog.PROCEDURE_DEFINITION, self._catalog.NEAREST_PROCEDURES
        found = self._named(database, sql, name, nearest, "procedure or function")
        return tuple(rows.procedure_definition(row) for row in found)

    def table_indexes(self, database: str | None, table: str) -> TableIndexes:
        """All indexes of a table or view, with their size and use where these can be seen."""
        row = self._table(database, self._catalog.TABLE_INDEXES, table)
        choice = (self._catalog.INDEX_USAGE, self._catalog.INDEX_SIZES)
        seen, notes = self._first(database, choice, (row["object_id"],), "sizes and use of indexes")
        usage = {item["index_id"]: item for item in seen}
        indexes = tuple(rows.index(item, usage) for item in rows.records(row["indexes"]))
        return TableIndexes(str(row["schema_name"]), str(row["name"]), str(row["kind"]), indexes, notes)

    def foreign_keys(self, database: str | None, table: str) -> TableForeignKeys:
        """The foreign keys of a table and those of other tables that point to it."""
        row = self._table(database, self._catalog.TABLE_FOREIGN_KEYS, table)
        keys = tuple(rows.foreign_key(item) for item in rows.records(row["foreign_keys"]))
        return TableForeignKeys(str(row["schema_name"]), str(row["name"]), str(row["kind"]), keys)

    def table_statistics(self, database: str | None, table: str) -> TableStatistics:
        """Rows by the catalogue, sizes, partitions and the freshness of statistics."""
        row = self._table(database, self._catalog.TABLE_STATISTICS, table)
        values = (row["object_id"],)
        space, space_notes = self._extra(database, self._catalog.TABLE_SPACE, values, "sizes")
        statistics, notes = self._extra(database, self._catalog.COLUMN_STATISTICS, values, "statistics of columns")
        inline = rows.records(row["statistics"])
        return rows.table_statistics(row, space[0] if space else row, statistics or inline, space_notes + notes)

    def tables_with_columns(
        self,
        database: str | None = None,
        schema: str | None = None,
        table: str | None = None,
        offset: int = 0,
        max_rows: int = DEFAULT_OUTLINES,
    ) -> Page[TableSchema]:
        """A page of tables and views with columns, keys and foreign keys; with ``table`` just that one."""
        if table is not None and table.strip():
            name = parse_name(table)
            name = replace(name, schema=name.schema or schema or None)
            sql = self._catalog.TABLES_WITH_COLUMNS
            row = self._named(database, sql, name, self._catalog.NEAREST_TABLES, TABLE, (0, 1))[0]
            return Page((rows.table_outline(row),), 1)
        found = self._read(database, self._catalog.TABLES_WITH_COLUMNS, (schema or None, None, offset, max_rows))
        items = tuple(rows.table_outline(row) for row in found if row["name"] is not None)
        return Page(items, _total(found), offset)

    def search_objects(self, database: str | None, search: Search) -> Page[SearchHit]:
        """Where a pattern occurs in names, columns, definitions and descriptions; the best matches first."""
        values = (
            like_pattern(search.pattern),
            like_pattern(search.pattern, anywhere=True),
            longest_literal(search.pattern),
            ",".join(search.places),
            search.schema or None,
            ",".join(search.kinds) or None,
            search.offset,
            search.max_rows,
        )
        found = self._read(database, self._catalog.SEARCH_OBJECTS, values)
        items = tuple(rows.search_hit(row) for row in found if row["name"] is not None)
        if not found and search.offset:  # beyond the end: the total is with the first hit
            found = self._read(database, self._catalog.SEARCH_OBJECTS, (*values[:-2], 0, 1))
        return Page(items, _total(found), search.offset)

    def _table(self, database: str | None, sql: str, table: str | QualifiedName) -> Record:
        """The one row of a statement over a table's name."""
        name = parse_name(table) if isinstance(table, str) else table
        return self._named(database, sql, name, self._catalog.NEAREST_TABLES, TABLE)[0]

    def _named(
        self,
        database: str | None,
        sql: str,
        name: QualifiedName,
        nearest_sql: str,
        what: str,
        more: tuple[object, ...] = (),
    ) -> Sequence[Record]:
        """The rows of a statement over one name; only when there are none, a second statement looks for likely names."""
        found = self._read(database, sql, (name.schema, name.name, *more))
        found = [row for row in found if row["name"] is not None and not self._wrong_case(row, name)]
        if found:
            return found
        nearest = nearest_names(name, self._read(database, nearest_sql, (name.name,)))
        raise ObjectNotFound(f"There is no {what} {str(name)!r}, or this login may not see it.", details={"nearest": nearest})

    def _wrong_case(self, row: Record, name: QualifiedName) -> bool:
        """True when a quoted name was found only by folding its case, which quotes forbid."""
        if not self._catalog.FOLDS_UNQUOTED:
            return False
        return (name.quoted and row["name"] != name.name) or (name.schema_quoted and row["schema_name"] != name.schema)

    def _extra(
        self, database: str | None, sql: str | None, values: Sequence[object], what: str
    ) -> tuple[Sequence[Record], tuple[str, ...]]:
        """Rows of a statement that may be refused, or else a note why they are missing."""
        return self._first(database, (sql,), values, what)

    def _first(
        self, database: str | None, choice: Sequence[str | None], values: Sequence[object], what: str
    ) -> tuple[Sequence[Record], tuple[str, ...]]:
        """The rows of the first statement that is not refused, with a note why those before it were."""
        notes: tuple[str, ...] = ()
        for sql in choice:
            if sql is None:
                continue
            try:
                return self._read(database, sql, values), notes
            except REFUSALS as error:
                notes = (missing(what, error),)
        return (), notes


def missing(what: str, error: DatabaseMcpError) -> str:
    """The note for a part that could not be had."""
    why = "the login lacks a permission" if isinstance(error, PermissionDenied) else "the server does not offer it"
    return f"Not shown: {what}; {why} ({error.message})"


def nearest_names(name: QualifiedName, candidates: Sequence[Record]) -> list[str]:
    """The three names most like ``name``, written so that they can be sent; a schema that was written counts too."""
    wanted = str(name).lower()

    def likeness(row: Record) -> float:
        full = f"{row['schema_name']}.{row['name']}" if name.schema is not None else str(row["name"])
        return SequenceMatcher(None, wanted, full.lower()).ratio()

    best = sorted(candidates, key=likeness, reverse=True)[:NEAREST]
    return [written_name(str(row["schema_name"]), str(row["name"])) for row in best]


def _total(found: Sequence[Record]) -> int:
    return rows.whole(found[0]["total"]) or 0 if found else 0
