"""Databases, tables, columns, keys and procedures, as the catalogue tells them.

``Metadata`` asks one set-based statement a question (``dialects/<db>/catalog.py``) and makes models of the rows. What a
login may not see, or what a server does not have, is None with a note; it never fails the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from . import metadata_rows as rows
from .errors import ObjectNotFound, PermissionDenied
from .models import ObjectName
from .names import QualifiedName, like_pattern, parse_name
from .schema_models import DatabaseInfo, Page, ProcedureDefinition, ProcedureInfo, TableInfo, TableSchema

if TYPE_CHECKING:
    from .dialects.catalog import Catalog
    from .execution import CatalogReader

NEAREST = 3
DEFAULT_PAGE = 200
Record = dict[str, object]


class Metadata:
    """The catalogue of one server. Synchronous; ``read`` runs one statement and is injected."""

    def __init__(self, read: CatalogReader, catalog: Catalog) -> None:
        self._read = read
        self._catalog = catalog

    def list_databases(self) -> Page[DatabaseInfo]:
        """All databases that the login may know of."""
        found = self._read(None, self._catalog.LIST_DATABASES, ())
        sizes, notes = self._extra(None, self._catalog.DATABASE_SIZES, (), "sizes of databases")
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

    def table_schema(self, database: str | None, table: str) -> TableSchema:
        """A table or view with all that belongs to it. Raises ObjectNotFound with ``details.nearest``."""
        name = parse_name(table)
        row = self._one(database, self._catalog.TABLE_SCHEMA, name, self._catalog.NEAREST_TABLES, "table or view")
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
        row = self._one(database, self._catalog.RESOLVE_TABLE, wanted, self._catalog.NEAREST_TABLES, "table or view")
        return ObjectName(str(row["schema_name"]), str(row["name"]))

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
        return Page(tuple(rows.procedure(row) for row in found if row["name"] is not None), _total(found), offset)

    def procedure_definition(self, database: str | None, procedure: str) -> tuple[ProcedureDefinition, ...]:
        """The text of a procedure or function, one for each overload (SQL Server: always one)."""
        name = parse_name(procedure, parameter="procedureName")
        sql, nearest = self._catalog.PROCEDURE_DEFINITION, self._catalog.NEAREST_PROCEDURES
        found = self._named(database, sql, name, nearest, "procedure or function")
        return tuple(rows.procedure_definition(row) for row in found)

    def _one(self, database: str | None, sql: str, name: QualifiedName, nearest_sql: str, what: str) -> Record:
        return self._named(database, sql, name, nearest_sql, what)[0]

    def _named(self, database: str | None, sql: str, name: QualifiedName, nearest_sql: str, what: str) -> Sequence[Record]:
        """The rows of a statement over one name; only when there are none, a second statement looks for likely names."""
        found = self._read(database, sql, (name.schema, name.name))
        found = [row for row in found if not self._wrong_case(row, name)]
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
        if sql is None:
            return (), ()
        try:
            return self._read(database, sql, values), ()
        except (PermissionDenied, ObjectNotFound) as error:
            return (), (missing(what, error),)


def missing(what: str, error: PermissionDenied | ObjectNotFound) -> str:
    """The note for a part that could not be had."""
    why = "the login lacks a permission" if isinstance(error, PermissionDenied) else "the server does not have it"
    return f"Not shown: {what}; {why} ({error.message})"


def nearest_names(name: QualifiedName, candidates: Sequence[Record]) -> list[str]:
    """The three names most like ``name``, as ``schema.name``; a schema that was written counts too."""
    wanted = str(name).lower()

    def likeness(row: Record) -> float:
        full = f"{row['schema_name']}.{row['name']}" if name.schema is not None else str(row["name"])
        return SequenceMatcher(None, wanted, full.lower()).ratio()

    best = sorted(candidates, key=likeness, reverse=True)[:NEAREST]
    return [f"{row['schema_name']}.{row['name']}" for row in best]


def _total(found: Sequence[Record]) -> int:
    return rows.whole(found[0]["total"]) or 0 if found else 0
