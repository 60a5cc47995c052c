"""Catalogue SQL about what procedures take.

Sources: "sys.all_parameters", "sys.all_sql_modules", "sys.table_types", "sys.numbered_procedures", "sys.synonyms". Views that
a compatible server may lack stand in statements of their own.
"""

from __future__ import annotations

from .catalog_parts import ASKED_NAME

PROCEDURE = f"""
WITH {ASKED_NAME}
SELECT TOP (1) o.object_id AS object_id, s.name AS schema_name, o.name AS name, RTRIM(o.type) AS type,
  OBJECTPROPERTY(o.object_id, 'IsEncrypted') AS encrypted, m.definition AS definition
FROM sys.all_objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id CROSS JOIN asked
LEFT JOIN sys.all_sql_modules AS m ON m.object_id = o.object_id
WHERE o.type IN ('P', 'PC', 'X', 'RF') AND o.name = asked.name COLLATE DATABASE_DEFAULT
  AND (s.name = asked.schema_name COLLATE DATABASE_DEFAULT
    OR (asked.schema_name IS NULL AND s.name IN (SCHEMA_NAME(), N'dbo', N'sys')))
ORDER BY CASE WHEN s.name = N'sys' AND o.name LIKE N'sp[_]%' THEN 0 WHEN s.name = SCHEMA_NAME() THEN 1
  WHEN s.name = N'dbo' THEN 2 ELSE 3 END
"""

PARAMETERS = """
SELECT p.name AS name, p.max_length AS max_length, p.precision AS precision, p.scale AS scale, p.is_output AS is_output,
  p.is_readonly AS is_readonly, p.is_cursor_ref AS is_cursor, p.is_nullable AS is_nullable, p.has_default_value AS has_default,
  CONVERT(nvarchar(4000), p.default_value) AS default_value, ty.name AS type_name, tys.name AS type_schema,
  ty.is_user_defined AS is_user_defined, base.name AS base_name
FROM sys.all_parameters AS p
LEFT JOIN sys.types AS ty ON ty.user_type_id = p.user_type_id
LEFT JOIN sys.schemas AS tys ON tys.schema_id = ty.schema_id
LEFT JOIN sys.types AS base ON base.user_type_id = ty.system_type_id AND base.is_user_defined = 0
WHERE p.object_id = ? AND p.parameter_id > 0
ORDER BY p.parameter_id
"""

USER_TYPE = """
SELECT ty.name AS type_name, tys.name AS type_schema, ty.max_length AS max_length, ty.precision AS precision, ty.scale AS scale,
  ty.is_user_defined AS is_user_defined, base.name AS base_name
FROM sys.types AS ty LEFT JOIN sys.schemas AS tys ON tys.schema_id = ty.schema_id
LEFT JOIN sys.types AS base ON base.user_type_id = ty.system_type_id AND base.is_user_defined = 0
WHERE ty.user_type_id = TYPE_ID(?)
"""

TABLE_TYPE_COLUMNS = """
SELECT c.name AS name, c.max_length AS max_length, c.precision AS precision, c.scale AS scale, c.is_nullable AS is_nullable,
  c.is_identity AS is_identity, c.is_computed AS is_computed, c.default_object_id AS default_id, ty.name AS type_name,
  tys.name AS type_schema, ty.is_user_defined AS is_user_defined, base.name AS base_name
FROM sys.table_types AS tt JOIN sys.columns AS c ON c.object_id = tt.type_table_object_id
JOIN sys.types AS ty ON ty.user_type_id = c.user_type_id
LEFT JOIN sys.schemas AS tys ON tys.schema_id = ty.schema_id
LEFT JOIN sys.types AS base ON base.user_type_id = ty.system_type_id AND base.is_user_defined = 0
WHERE tt.user_type_id = TYPE_ID(?)
ORDER BY c.column_id
"""

NUMBERED = (
    "SELECT n.definition AS definition FROM sys.numbered_procedures AS n WHERE n.object_id = ? AND n.procedure_number = ?"
)

SYNONYM = f"""
WITH {ASKED_NAME}
SELECT TOP (1) s.name AS schema_name, y.name AS name, y.base_object_name AS target,
  PARSENAME(y.base_object_name, 1) AS target_name, PARSENAME(y.base_object_name, 2) AS target_schema,
  CASE WHEN COALESCE(PARSENAME(y.base_object_name, 3), DB_NAME()) = DB_NAME()
    AND PARSENAME(y.base_object_name, 4) IS NULL THEN 1 ELSE 0 END AS is_here
FROM sys.synonyms AS y JOIN sys.schemas AS s ON s.schema_id = y.schema_id CROSS JOIN asked
WHERE y.name = asked.name COLLATE DATABASE_DEFAULT
  AND (s.name = asked.schema_name COLLATE DATABASE_DEFAULT
    OR (asked.schema_name IS NULL AND s.name IN (SCHEMA_NAME(), N'dbo')))
ORDER BY CASE WHEN s.name = SCHEMA_NAME() THEN 0 ELSE 1 END
"""
