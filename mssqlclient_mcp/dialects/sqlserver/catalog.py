r"""Catalogue SQL for SQL Server 2016 and later, as named constants. What goes in and comes out: ``dialects/catalog.py``.

Sources: "System catalog views" of SQL Server's documentation. Rules of this room: every view and column is there since
2016 (a test compares with the documents' lists); views that a login may be refused, or that a compatible server may lack,
stand in statements of their own; ``sql_variant`` is cast; a text that meets a catalogue name says
``COLLATE DATABASE_DEFAULT``, for the catalogue's collation can differ from the database's (contained databases, Azure SQL
Database); ``*_desc`` columns never share an expression with names.
"""

from __future__ import annotations

FOLDS_UNQUOTED = False

_TEXT = "nvarchar(4000)"

# A data type as DDL writes it; aliases: c (max_length, precision, scale), ty = sys.types, tys = its schema.
_TYPE = """CASE
      WHEN ty.is_user_defined = 1 THEN tys.name + N'.' + ty.name
      WHEN ty.name IN (N'varchar', N'char', N'varbinary', N'binary')
        THEN ty.name + N'(' + CASE c.max_length WHEN -1 THEN N'max' ELSE CAST(c.max_length AS nvarchar(10)) END + N')'
      WHEN ty.name IN (N'nvarchar', N'nchar')
        THEN ty.name + N'(' + CASE c.max_length WHEN -1 THEN N'max' ELSE CAST(c.max_length / 2 AS nvarchar(10)) END + N')'
      WHEN ty.name IN (N'decimal', N'numeric')
        THEN ty.name + N'(' + CAST(c.precision AS nvarchar(10)) + N',' + CAST(c.scale AS nvarchar(10)) + N')'
      WHEN ty.name IN (N'datetime2', N'datetimeoffset', N'time') THEN ty.name + N'(' + CAST(c.scale AS nvarchar(10)) + N')'
      ELSE ty.name END"""

_PARTITION_SCHEME = """FROM sys.indexes AS pi JOIN sys.partition_schemes AS ps ON ps.data_space_id = pi.data_space_id
    WHERE pi.object_id = o.object_id AND pi.index_id IN (0, 1)"""

_KIND = f"""CASE WHEN o.type = 'V' THEN 'view' WHEN t.temporal_type = 2 THEN 'temporal' WHEN t.temporal_type = 1 THEN 'history'
    WHEN t.is_external = 1 THEN 'external' WHEN EXISTS (SELECT 1 {_PARTITION_SCHEME}) THEN 'partitioned'
    ELSE 'table' END"""

_HEAD = f"""o.object_id AS object_id, s.name AS schema_name, o.name AS name, {_KIND} AS kind,
  CAST(ep.value AS {_TEXT}) AS description"""

_HEAD_TABLES = """JOIN sys.objects AS o ON o.object_id = {0}.object_id
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
LEFT JOIN sys.tables AS t ON t.object_id = o.object_id
LEFT JOIN sys.extended_properties AS ep ON ep.class = 1 AND ep.major_id = o.object_id AND ep.minor_id = 0
  AND ep.name = N'MS_Description'"""

_ASKED_NAME = f"asked AS (SELECT CAST(? AS {_TEXT}) AS schema_name, CAST(? AS {_TEXT}) AS name)"

# Which object a name means: without a schema the login's default schema, then dbo.
_MEANT = """o.name = asked.name COLLATE DATABASE_DEFAULT
    AND (s.name = asked.schema_name COLLATE DATABASE_DEFAULT
      OR (asked.schema_name IS NULL AND s.name IN (SCHEMA_NAME(), N'dbo')))
  ORDER BY CASE WHEN s.name = SCHEMA_NAME() THEN 0 ELSE 1 END"""


def _target(types: str) -> str:
    return f"""{_ASKED_NAME},
target AS (
  SELECT TOP (1) o.object_id
  FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id CROSS JOIN asked
  WHERE o.type IN ({types}) AND {_MEANT})"""


_TARGET = _target("'U', 'V'")


def _wanted(view: str, condition: str) -> str:
    """The objects that a page is cut from; takes the page's four parameters in order."""
    return f"""asked AS (SELECT CAST(? AS {_TEXT}) AS schema_name, CAST(? AS {_TEXT}) AS pattern),
wanted AS (
  SELECT o.object_id, s.name AS schema_name, o.name
  FROM {view} AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id CROSS JOIN asked
  WHERE {condition} AND o.is_ms_shipped = 0
    AND (asked.schema_name IS NULL OR s.name = asked.schema_name COLLATE DATABASE_DEFAULT)
    AND (asked.pattern IS NULL OR LOWER(o.name) LIKE LOWER(asked.pattern) COLLATE DATABASE_DEFAULT ESCAPE N'\\')),
page AS (SELECT w.object_id, w.schema_name, w.name FROM wanted AS w ORDER BY w.schema_name, w.name
  OFFSET ? ROWS FETCH NEXT ? ROWS ONLY)"""


_WANTED_TABLES = _wanted("sys.objects", "o.type IN ('U', 'V')")

_COLUMNS = f"""(
    SELECT c.name AS [name], c.column_id AS [position], {_TYPE} AS [type], c.is_nullable AS [nullable],
      dc.definition AS [default], CASE WHEN c.is_identity = 1 THEN 'IDENTITY' END AS [identity],
      CAST(ic.seed_value AS nvarchar(40)) AS [identity_seed],
      CAST(ic.increment_value AS nvarchar(40)) AS [identity_increment],
      cc.definition AS [computed], cc.is_persisted AS [persisted], c.collation_name AS [collation],
      pk.key_ordinal AS [primary_key], CAST(cp.value AS {_TEXT}) AS [description],
      c.is_sparse AS [sparse], c.is_masked AS [masked],
      CASE WHEN c.generated_always_type > 0 THEN c.generated_always_type_desc END AS [generated_always],
      c.is_hidden AS [hidden], c.encryption_type_desc AS [encrypted]
    FROM sys.columns AS c
    JOIN sys.types AS ty ON ty.user_type_id = c.user_type_id
    JOIN sys.schemas AS tys ON tys.schema_id = ty.schema_id
    LEFT JOIN sys.default_constraints AS dc ON dc.parent_object_id = c.object_id AND dc.parent_column_id = c.column_id
    LEFT JOIN sys.identity_columns AS ic ON ic.object_id = c.object_id AND ic.column_id = c.column_id
    LEFT JOIN sys.computed_columns AS cc ON cc.object_id = c.object_id AND cc.column_id = c.column_id
    LEFT JOIN sys.indexes AS pki ON pki.object_id = c.object_id AND pki.is_primary_key = 1
    LEFT JOIN sys.index_columns AS pk ON pk.object_id = c.object_id AND pk.index_id = pki.index_id
      AND pk.column_id = c.column_id AND pk.key_ordinal > 0
    LEFT JOIN sys.extended_properties AS cp ON cp.class = 1 AND cp.major_id = c.object_id AND cp.minor_id = c.column_id
      AND cp.name = N'MS_Description'
    WHERE c.object_id = o.object_id ORDER BY c.column_id FOR JSON PATH)"""

_KEYS = """(
    SELECT k.name AS [name], CASE k.type WHEN 'PK' THEN 'primary_key' ELSE 'unique' END AS [kind],
      CASE k.type WHEN 'PK' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END
        + CASE ki.type WHEN 1 THEN ' CLUSTERED' WHEN 7 THEN ' NONCLUSTERED HASH' ELSE ' NONCLUSTERED' END AS [definition],
      (SELECT kc.name AS [name] FROM sys.index_columns AS kic
        JOIN sys.columns AS kc ON kc.object_id = kic.object_id AND kc.column_id = kic.column_id
        WHERE kic.object_id = ki.object_id AND kic.index_id = ki.index_id AND kic.key_ordinal > 0
        ORDER BY kic.key_ordinal FOR JSON PATH) AS [columns]
    FROM sys.key_constraints AS k
    JOIN sys.indexes AS ki ON ki.object_id = k.parent_object_id AND ki.index_id = k.unique_index_id
    WHERE k.parent_object_id = o.object_id ORDER BY k.type, k.name FOR JSON PATH)"""

_CHECKS = """(
    SELECT k.name AS [name], k.definition AS [definition], k.is_disabled AS [disabled], k.is_not_trusted AS [not_trusted],
      (SELECT kc.name AS [name] FROM sys.columns AS kc
        WHERE kc.object_id = k.parent_object_id AND kc.column_id = k.parent_column_id FOR JSON PATH) AS [columns]
    FROM sys.check_constraints AS k WHERE k.parent_object_id = o.object_id ORDER BY k.name FOR JSON PATH)"""


def _foreign_keys(condition: str) -> str:
    return f"""(
    SELECT f.name AS [name],
      CASE WHEN f.parent_object_id = f.referenced_object_id THEN 'self' WHEN f.parent_object_id = o.object_id THEN 'outgoing'
        ELSE 'incoming' END AS [direction],
      ls.name AS [schema], lo.name AS [table], rs.name AS [referenced_schema], ro.name AS [referenced_table],
      (SELECT lc.name AS [name] FROM sys.foreign_key_columns AS fc
        JOIN sys.columns AS lc ON lc.object_id = fc.parent_object_id AND lc.column_id = fc.parent_column_id
        WHERE fc.constraint_object_id = f.object_id ORDER BY fc.constraint_column_id FOR JSON PATH) AS [columns],
      (SELECT rc.name AS [name] FROM sys.foreign_key_columns AS fc
        JOIN sys.columns AS rc ON rc.object_id = fc.referenced_object_id AND rc.column_id = fc.referenced_column_id
        WHERE fc.constraint_object_id = f.object_id ORDER BY fc.constraint_column_id FOR JSON PATH) AS [referenced_columns],
      REPLACE(f.delete_referential_action_desc, '_', ' ') AS [on_delete],
      REPLACE(f.update_referential_action_desc, '_', ' ') AS [on_update],
      f.is_disabled AS [disabled], f.is_not_trusted AS [not_trusted]
    FROM sys.foreign_keys AS f
    JOIN sys.objects AS lo ON lo.object_id = f.parent_object_id JOIN sys.schemas AS ls ON ls.schema_id = lo.schema_id
    JOIN sys.objects AS ro ON ro.object_id = f.referenced_object_id JOIN sys.schemas AS rs ON rs.schema_id = ro.schema_id
    WHERE {condition}
    ORDER BY CASE WHEN f.parent_object_id = o.object_id THEN 0 ELSE 1 END, ls.name, lo.name, f.name FOR JSON PATH)"""


_OUTGOING = _foreign_keys("f.parent_object_id = o.object_id")

_TRIGGERS = """(
    SELECT tr.name AS [name], CASE tr.is_instead_of_trigger WHEN 1 THEN 'INSTEAD OF' ELSE 'AFTER' END AS [timing],
      STUFF(CASE WHEN OBJECTPROPERTY(tr.object_id, 'ExecIsInsertTrigger') = 1 THEN ', INSERT' ELSE '' END
        + CASE WHEN OBJECTPROPERTY(tr.object_id, 'ExecIsUpdateTrigger') = 1 THEN ', UPDATE' ELSE '' END
        + CASE WHEN OBJECTPROPERTY(tr.object_id, 'ExecIsDeleteTrigger') = 1 THEN ', DELETE' ELSE '' END, 1, 2, '') AS [events],
      tr.is_disabled AS [disabled], trm.definition AS [definition]
    FROM sys.triggers AS tr LEFT JOIN sys.sql_modules AS trm ON trm.object_id = tr.object_id
    WHERE tr.parent_id = o.object_id AND tr.parent_class = 1 ORDER BY tr.name FOR JSON PATH)"""

LIST_DATABASES = """
SELECT d.name AS name, d.state_desc AS state, HAS_DBACCESS(d.name) AS accessible,
  CASE WHEN d.name IN (N'master', N'tempdb', N'model', N'msdb') THEN 1 ELSE 0 END AS is_system,
  SUSER_SNAME(d.owner_sid) AS owner, d.collation_name AS collation, CAST(NULL AS nvarchar(60)) AS encoding,
  d.compatibility_level AS compatibility_level, CONVERT(nvarchar(33), d.create_date, 126) AS created,
  d.is_read_only AS read_only,
  CAST(NULL AS bigint) AS size_kb, CAST(NULL AS nvarchar(60)) AS description
FROM sys.databases AS d ORDER BY d.name
"""
DATABASE_SIZES = """
SELECT DB_NAME(f.database_id) AS name, SUM(CAST(f.size AS bigint)) * 8 AS size_kb
FROM sys.master_files AS f GROUP BY f.database_id
"""

LIST_TABLES = f"""
WITH {_WANTED_TABLES}
SELECT counted.total AS total, {_HEAD}, CAST(NULL AS bigint) AS size_kb,
  (SELECT SUM(p.rows) FROM sys.partitions AS p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1)) AS row_count
FROM (SELECT COUNT_BIG(*) AS total FROM wanted) AS counted
LEFT JOIN page ON 1 = 1
LEFT {_HEAD_TABLES.format("page").replace("JOIN sys.schemas", "LEFT JOIN sys.schemas")}
ORDER BY s.name, o.name
"""
TABLE_SIZES = f"""
WITH {_WANTED_TABLES}
SELECT page.object_id AS object_id, SUM(au.total_pages) * 8 AS size_kb
FROM page JOIN sys.partitions AS p ON p.object_id = page.object_id
JOIN sys.allocation_units AS au ON au.container_id = p.partition_id
GROUP BY page.object_id
"""

TABLE_SCHEMA = f"""
WITH {_TARGET}
SELECT {_HEAD}, CONVERT(nvarchar(33), o.create_date, 126) AS created, CONVERT(nvarchar(33), o.modify_date, 126) AS modified,
  m.definition AS definition, CASE WHEN o.type = 'V' AND m.definition IS NULL THEN 1 ELSE 0 END AS definition_hidden,
  (SELECT hs.name + N'.' + ho.name FROM sys.objects AS ho JOIN sys.schemas AS hs ON hs.schema_id = ho.schema_id
    WHERE ho.object_id = t.history_table_id) AS history_table,
  (SELECT ps.name + N' (' + pc.name + N'), RANGE ' + CASE pf.boundary_value_on_right WHEN 1 THEN N'RIGHT' ELSE N'LEFT' END
      + N' by ' + pf.name
    FROM sys.indexes AS pi JOIN sys.partition_schemes AS ps ON ps.data_space_id = pi.data_space_id
    JOIN sys.partition_functions AS pf ON pf.function_id = ps.function_id
    JOIN sys.index_columns AS pic ON pic.object_id = pi.object_id AND pic.index_id = pi.index_id AND pic.partition_ordinal = 1
    JOIN sys.columns AS pc ON pc.object_id = pic.object_id AND pc.column_id = pic.column_id
    WHERE pi.object_id = o.object_id AND pi.index_id IN (0, 1)) AS partitioning,
  CAST(NULL AS nvarchar(60)) AS partition_of, CAST(NULL AS bit) AS row_security,
  {_COLUMNS} AS columns, {_KEYS} AS keys, {_CHECKS} AS checks, {_OUTGOING} AS foreign_keys, {_TRIGGERS} AS triggers
FROM target
{_HEAD_TABLES.format("target")}
LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id
"""
COLUMN_MASKS = """
SELECT mc.name AS name, mc.masking_function AS mask FROM sys.masked_columns AS mc WHERE mc.is_masked = 1 AND mc.object_id = ?
"""

RESOLVE_TABLE = f"""
WITH {_TARGET}
SELECT s.name AS schema_name, o.name AS name
FROM target JOIN sys.objects AS o ON o.object_id = target.object_id JOIN sys.schemas AS s ON s.schema_id = o.schema_id
"""

_ROUTINE_KIND = """CASE WHEN o.type = 'P' THEN 'procedure' WHEN o.type = 'PC' THEN 'clr_procedure'
    WHEN o.type = 'X' THEN 'extended_procedure'
    WHEN o.type = 'RF' THEN 'replication_filter' WHEN o.type = 'TR' THEN 'trigger' WHEN o.type = 'AF' THEN 'aggregate'
    WHEN o.type IN ('FS', 'FT') THEN 'clr_function' ELSE 'function' END"""

_ROUTINE = f"""o.object_id AS object_id, s.name AS schema_name, o.name AS name, {_ROUTINE_KIND} AS kind,
  CAST(NULL AS {_TEXT}) AS arguments, CAST(NULL AS {_TEXT}) AS returns,
  CASE WHEN o.type IN ('PC', 'FS', 'FT', 'AF') THEN 'CLR' WHEN o.object_id IS NOT NULL THEN 'T-SQL' END AS language,
  CAST(ep.value AS {_TEXT}) AS description, CONVERT(nvarchar(33), o.create_date, 126) AS created,
  CONVERT(nvarchar(33), o.modify_date, 126) AS modified"""

_ROUTINE_TABLES = """JOIN sys.objects AS o ON o.object_id = {0}.object_id
{1}JOIN sys.schemas AS s ON s.schema_id = o.schema_id
LEFT JOIN sys.extended_properties AS ep ON ep.class = 1 AND ep.major_id = o.object_id AND ep.minor_id = 0
  AND ep.name = N'MS_Description'"""

LIST_PROCEDURES = f"""
WITH {_wanted("sys.procedures", "1 = 1")}
SELECT counted.total AS total, {_ROUTINE}
FROM (SELECT COUNT_BIG(*) AS total FROM wanted) AS counted
LEFT JOIN page ON 1 = 1
LEFT {_ROUTINE_TABLES.format("page", "LEFT ")}
ORDER BY s.name, o.name
"""

PROCEDURE_DEFINITION = f"""
WITH {_target("'P', 'PC', 'X', 'RF', 'FN', 'IF', 'TF', 'FS', 'FT', 'AF', 'TR'")}
SELECT {_ROUTINE}, m.definition AS definition,
  CASE WHEN m.definition IS NOT NULL THEN NULL
    WHEN o.type IN ('PC', 'FS', 'FT', 'AF') THEN 'its code is in a CLR assembly'
    WHEN o.type = 'X' THEN 'its code is in a DLL'
    WHEN OBJECTPROPERTY(o.object_id, 'IsEncrypted') = 1 THEN 'it is encrypted'
    ELSE 'the login lacks VIEW DEFINITION on it' END AS without_definition
FROM target
{_ROUTINE_TABLES.format("target", "")}
LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id
"""


def _nearest(condition: str) -> str:
    """Up to a thousand names that are likely meant: alike in length and beginning."""
    return f"""
WITH asked AS (SELECT CAST(? AS {_TEXT}) AS name)
SELECT TOP (1000) s.name AS schema_name, o.name AS name
FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id CROSS JOIN asked
WHERE o.is_ms_shipped = 0 AND {condition}
ORDER BY ABS(LEN(o.name) - LEN(asked.name))
  + CASE WHEN LOWER(LEFT(o.name, 2)) = LOWER(LEFT(asked.name, 2)) COLLATE DATABASE_DEFAULT THEN 0 ELSE 8 END, o.name
"""


NEAREST_TABLES = _nearest("o.type IN ('U', 'V')")
NEAREST_PROCEDURES = _nearest("o.type IN ('P', 'PC', 'X', 'FN', 'IF', 'TF', 'FS', 'FT', 'TR')")
