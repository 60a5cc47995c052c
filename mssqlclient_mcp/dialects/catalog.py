"""What each dialect's ``catalog.py`` must offer: one SQL text a question, all with the same column aliases.

Parameters are positional and come in the order given here; a dialect uses its own markers (``?`` or ``$1``). ``page``
stands for (schema or None, LIKE pattern or None, offset, most rows), ``name`` for (schema or None, name). A statement over
one name finds what the server would find (search path; default schema, then dbo) and has no row when there is nothing.
Columns named in brackets hold a JSON array of objects, as text or already read. A paged statement has no row, or one with a
null ``name``, when the page is empty.
"""

from __future__ import annotations

import importlib
from typing import Protocol, cast


class Catalog(Protocol):
    """The questions. ``str | None``: None where the main statement answers already; these may be refused or fail for want of an
    object without harm to the rest."""

    FOLDS_UNQUOTED: bool
    """Whether plain names are folded to one case before they are looked up."""

    LIST_DATABASES: str
    """() -> name, state, accessible, is_system, owner, collation, encoding, compatibility_level, created, read_only, size_kb,
    description"""
    DATABASE_SIZES: str | None
    """() -> name, size_kb"""
    LIST_TABLES: str
    """page -> total, object_id, schema_name, name, kind, description, row_count, size_kb"""
    TABLE_SIZES: str | None
    """page -> object_id, size_kb"""
    TABLE_SCHEMA: str
    """name -> object_id, schema_name, name, kind, description, created, modified, definition, definition_hidden, history_table,
    partitioning, partition_of, row_security, memory_optimized, [columns], [keys], [checks], [foreign_keys], [triggers]"""
    COLUMN_MASKS: str | None
    """(object_id) -> name, mask"""
    RESOLVE_TABLE: str
    """name -> schema_name, name"""
    LIST_PROCEDURES: str
    """page -> total, object_id, schema_name, name, kind, arguments, returns, language, description, created, modified"""
    PROCEDURE_DEFINITION: str
    """name -> the same without total, definition, without_definition; a row for each overload"""
    NEAREST_TABLES: str
    NEAREST_PROCEDURES: str
    """(name) -> schema_name, name: a bounded choice of likely candidates"""
    OBJECT_NAMES: str
    """() -> schema_name, name, kind (table or procedure), in the order of names: what completions choose from; bounded"""
    DATABASE_NAMES: str
    """() -> name: the databases that the login may enter"""
    TABLE_INDEXES: str
    """name -> object_id, schema_name, name, kind, [indexes]"""
    INDEX_USAGE: str | None
    """(object_id) -> index_id, size_kb, seeks, scans, lookups, updates, last_used"""
    INDEX_SIZES: str | None
    """(object_id) -> index_id, size_kb: what is left when the usage may not be seen"""
    TABLE_FOREIGN_KEYS: str
    """name -> object_id, schema_name, name, kind, [foreign_keys] of both directions"""
    TABLE_STATISTICS: str
    """name -> object_id, schema_name, name, kind, row_count, created, modified, data_kb, index_kb, reserved_kb, unused_kb,
    lob_kb, [partitions], [statistics]"""
    TABLE_SPACE: str | None
    """(object_id) -> data_kb, index_kb, reserved_kb, unused_kb, lob_kb"""
    COLUMN_STATISTICS: str | None
    """(object_id) -> name, last_updated, modifications, row_count, rows_sampled"""
    TABLES_WITH_COLUMNS: str
    """(schema or None, name or None, offset, most rows) -> total, object_id, schema_name, name, kind, description,
    [columns], [keys], [foreign_keys]"""
    SEARCH_OBJECTS: str
    """(LIKE pattern for names, LIKE pattern for texts, literal to look for in a text, places as ``names,columns,...``,
    schema or None, kinds as ``table,view,...`` or None, offset, most rows) -> total, schema_name, name, kind, found_in,
    column_name, position (of the literal in the text, from 1), body (the text)"""


def catalog_for(dialect: str) -> Catalog:
    """The catalogue SQL of ``sqlserver`` or ``postgresql``; needs no driver."""
    return cast("Catalog", importlib.import_module(f".{dialect}.catalog", package=__package__))
