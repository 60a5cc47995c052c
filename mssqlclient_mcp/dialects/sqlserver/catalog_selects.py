"""Catalogue SQL about what can be read from a table: its columns with their types, and its keys.

Sources: "sys.columns", "sys.types", "sys.indexes", "sys.index_columns".
"""

from __future__ import annotations

from .catalog_parts import TARGET

_COLUMNS = """(
    SELECT c.name AS [name], c.max_length AS [max_length], c.precision AS [precision], c.scale AS [scale],
      c.is_nullable AS [nullable], c.is_hidden AS [hidden], c.collation_name AS [collation],
      c.encryption_type_desc AS [encrypted], ty.name AS [type_name], tys.name AS [type_schema],
      ty.is_user_defined AS [is_user_defined], base.name AS [base_name]
    FROM sys.columns AS c
    LEFT JOIN sys.types AS ty ON ty.user_type_id = c.user_type_id
    LEFT JOIN sys.schemas AS tys ON tys.schema_id = ty.schema_id
    LEFT JOIN sys.types AS base ON base.user_type_id = ty.system_type_id AND base.is_user_defined = 0
    WHERE c.object_id = o.object_id ORDER BY c.column_id FOR JSON PATH, INCLUDE_NULL_VALUES)"""

# A unique index counts when it covers every row, and in use; which of its columns can be NULL is with the columns.
_KEYS = """(
    SELECT (SELECT kc.name AS [name] FROM sys.index_columns AS x
        JOIN sys.columns AS kc ON kc.object_id = x.object_id AND kc.column_id = x.column_id
        WHERE x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0
        ORDER BY x.key_ordinal FOR JSON PATH) AS [columns]
    FROM sys.indexes AS i
    WHERE i.object_id = o.object_id AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0 AND i.is_hypothetical = 0
    ORDER BY i.is_primary_key DESC, i.index_id FOR JSON PATH)"""

READABLE_TABLE = f"""
WITH {TARGET}
SELECT s.name AS schema_name, o.name AS name, {_COLUMNS} AS columns, {_KEYS} AS keys
FROM target JOIN sys.objects AS o ON o.object_id = target.object_id JOIN sys.schemas AS s ON s.schema_id = o.schema_id
"""
