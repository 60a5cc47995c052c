r"""Catalogue SQL for SQL Server 2016 and later, as named constants. What goes in and comes out: ``dialects/catalog.py``.

Sources: "System catalog views" of SQL Server's documentation. Rules of this room: every view and column is there since
2016 (a test compares with the documents' lists); views that a login may be refused, or that a compatible server may lack,
stand in statements of their own; ``sql_variant`` is cast; a text that meets a catalogue name says
``COLLATE DATABASE_DEFAULT``, for the catalogue's collation can differ from the database's (contained databases, Azure SQL
Database); ``*_desc`` columns never share an expression with names.
"""

from __future__ import annotations

from .catalog_parts import (
    ASKED_NAME,
    CHECKS,
    COLUMNS,
    HEAD,
    HEAD_TABLES,
    INDEXES,
    KEYS,
    OUTGOING,
    PARTITIONS,
    TABLE_TYPES,
    TARGET,
    TEXT,
    TRIGGERS,
    WANTED_TABLES,
    foreign_keys,
    target,
    wanted,
)

FOLDS_UNQUOTED = False

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
WITH {WANTED_TABLES}
SELECT counted.total AS total, {HEAD}, CAST(NULL AS bigint) AS size_kb,
  (SELECT SUM(p.rows) FROM sys.partitions AS p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1)) AS row_count
FROM (SELECT COUNT_BIG(*) AS total FROM wanted) AS counted
LEFT JOIN page ON 1 = 1
LEFT {HEAD_TABLES.format("page").replace("JOIN sys.schemas", "LEFT JOIN sys.schemas")}
ORDER BY s.name, o.name
"""
TABLE_SIZES = f"""
WITH {WANTED_TABLES}
SELECT page.object_id AS object_id, SUM(au.total_pages) * 8 AS size_kb
FROM page JOIN sys.partitions AS p ON p.object_id = page.object_id
JOIN sys.allocation_units AS au ON au.container_id = p.partition_id
GROUP BY page.object_id
"""

TABLE_SCHEMA = f"""
WITH {TARGET}
SELECT {HEAD}, CONVERT(nvarchar(33), o.create_date, 126) AS created, CONVERT(nvarchar(33), o.modify_date, 126) AS modified,
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
  CAST(NULL AS nvarchar(60)) AS partition_of, CAST(NULL AS bit) AS row_security, t.is_memory_optimized AS memory_optimized,
  {COLUMNS} AS columns, {KEYS} AS keys, {CHECKS} AS checks, {OUTGOING} AS foreign_keys, {TRIGGERS} AS triggers
FROM target
{HEAD_TABLES.format("target")}
LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id
"""
COLUMN_MASKS = """
SELECT mc.name AS name, mc.masking_function AS mask FROM sys.masked_columns AS mc WHERE mc.is_masked = 1 AND mc.object_id = ?
"""

RESOLVE_TABLE = f"""
WITH {TARGET}
SELECT s.name AS schema_name, o.name AS name
FROM target JOIN sys.objects AS o ON o.object_id = target.object_id JOIN sys.schemas AS s ON s.schema_id = o.schema_id
"""

_ROUTINE_KIND = """CASE WHEN o.type = 'P' THEN 'procedure' WHEN o.type = 'PC' THEN 'clr_procedure'
    WHEN o.type = 'X' THEN 'extended_procedure'
    WHEN o.type = 'RF' THEN 'replication_filter' WHEN o.type = 'TR' THEN 'trigger' WHEN o.type = 'AF' THEN 'aggregate'
    WHEN o.type IN ('FS', 'FT') THEN 'clr_function' ELSE 'function' END"""

_ROUTINE = f"""s.name AS [schema], o.name AS name, {_ROUTINE_KIND} AS kind,
  CAST(NULL AS {TEXT}) AS arguments, CAST(NULL AS {TEXT}) AS returns,
  CASE WHEN o.type IN ('PC', 'FS', 'FT', 'AF') THEN 'CLR' WHEN o.object_id IS NOT NULL THEN 'T-SQL' END AS language,
  CAST(ep.value AS {TEXT}) AS description, CONVERT(nvarchar(33), o.create_date, 126) AS created,
  CONVERT(nvarchar(33), o.modify_date, 126) AS modified"""

_ROUTINE_TABLES = """JOIN sys.objects AS o ON o.object_id = {0}.object_id
{1}JOIN sys.schemas AS s ON s.schema_id = o.schema_id
LEFT JOIN sys.extended_properties AS ep ON ep.class = 1 AND ep.major_id = o.object_id AND ep.minor_id = 0
  AND ep.name = N'MS_Description'"""

LIST_PROCEDURES = f"""
WITH {wanted("sys.procedures", "1 = 1")}
SELECT counted.total AS total, {_ROUTINE}
FROM (SELECT COUNT_BIG(*) AS total FROM wanted) AS counted
LEFT JOIN page ON 1 = 1
LEFT {_ROUTINE_TABLES.format("page", "LEFT ")}
ORDER BY s.name, o.name
"""

PROCEDURE_DEFINITION = f"""
WITH {target("'P', 'PC', 'X', 'RF', 'FN', 'IF', 'TF', 'FS', 'FT', 'AF', 'TR'")}
SELECT {_ROUTINE}, s.name AS schema_name, m.definition AS definition,
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
WITH asked AS (SELECT CAST(? AS {TEXT}) AS name)
SELECT TOP (1000) s.name AS schema_name, o.name AS name
FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id CROSS JOIN asked
WHERE o.is_ms_shipped = 0 AND {condition}
ORDER BY ABS(LEN(o.name) - LEN(asked.name))
  + CASE WHEN LOWER(LEFT(o.name, 2)) = LOWER(LEFT(asked.name, 2)) COLLATE DATABASE_DEFAULT THEN 0 ELSE 8 END, o.name
"""


NEAREST_TABLES = _nearest(f"o.type IN ({TABLE_TYPES})")
NEAREST_PROCEDURES = _nearest("o.type IN ('P', 'PC', 'X', 'FN', 'IF', 'TF', 'FS', 'FT', 'TR')")

OBJECT_NAMES = f"""
SELECT TOP (20000) s.name AS schema_name, o.name AS name,
  CASE WHEN o.type IN ({TABLE_TYPES}) THEN 'table' ELSE 'procedure' END AS kind
FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id
WHERE o.is_ms_shipped = 0 AND o.type IN ({TABLE_TYPES}, 'P', 'PC', 'X', 'FN', 'IF', 'TF', 'FS', 'FT')
ORDER BY s.name, o.name
"""

DATABASE_NAMES = """
SELECT d.name AS name FROM sys.databases AS d WHERE HAS_DBACCESS(d.name) = 1 ORDER BY d.name
"""

TABLE_INDEXES = f"""
WITH {TARGET}
SELECT {HEAD}, {INDEXES} AS indexes
FROM target
{HEAD_TABLES.format("target")}
"""
_INDEX_SIZE = """(SELECT SUM(au.total_pages) * 8 FROM sys.partitions AS p
    JOIN sys.allocation_units AS au ON au.container_id = p.partition_id
    WHERE p.object_id = i.object_id AND p.index_id = i.index_id) AS size_kb"""

# No row of the usage view means: not used since the server started.
INDEX_USAGE = f"""
SELECT i.index_id AS index_id, {_INDEX_SIZE},
  COALESCE(u.user_seeks, 0) AS seeks, COALESCE(u.user_scans, 0) AS scans, COALESCE(u.user_lookups, 0) AS lookups,
  COALESCE(u.user_updates, 0) AS updates,
  (SELECT CONVERT(nvarchar(33), MAX(d.used), 126)
    FROM (VALUES (u.last_user_seek), (u.last_user_scan), (u.last_user_lookup)) AS d (used)) AS last_used
FROM sys.indexes AS i LEFT JOIN sys.dm_db_index_usage_stats AS u
  ON u.database_id = DB_ID() AND u.object_id = i.object_id AND u.index_id = i.index_id
WHERE i.object_id = ?
"""
INDEX_SIZES = f"""
SELECT i.index_id AS index_id, {_INDEX_SIZE} FROM sys.indexes AS i WHERE i.object_id = ?
"""

TABLE_FOREIGN_KEYS = f"""
WITH {TARGET}
SELECT {HEAD}, {foreign_keys("o.object_id IN (f.parent_object_id, f.referenced_object_id)")} AS foreign_keys
FROM target
{HEAD_TABLES.format("target")}
"""

TABLE_STATISTICS = f"""
WITH {TARGET}
SELECT {HEAD},
  (SELECT SUM(p.rows) FROM sys.partitions AS p WHERE p.object_id = o.object_id AND p.index_id IN (0, 1)) AS row_count,
  CONVERT(nvarchar(33), o.create_date, 126) AS created, CONVERT(nvarchar(33), o.modify_date, 126) AS modified,
  CAST(NULL AS bigint) AS data_kb, CAST(NULL AS bigint) AS index_kb, CAST(NULL AS bigint) AS reserved_kb,
  CAST(NULL AS bigint) AS unused_kb, CAST(NULL AS bigint) AS lob_kb,
  {PARTITIONS} AS partitions, CAST(NULL AS nvarchar(max)) AS [statistics]
FROM target
{HEAD_TABLES.format("target")}
"""
# The sums of sp_spaceused, from views that every login may read.
TABLE_SPACE = """
SELECT SUM(CASE WHEN au.type <> 1 THEN au.used_pages WHEN p.index_id < 2 THEN au.data_pages ELSE 0 END) * 8 AS data_kb,
  SUM(au.used_pages - CASE WHEN au.type <> 1 THEN au.used_pages WHEN p.index_id < 2 THEN au.data_pages ELSE 0 END) * 8
    AS index_kb,
  SUM(au.total_pages) * 8 AS reserved_kb, SUM(au.total_pages - au.used_pages) * 8 AS unused_kb,
  SUM(CASE WHEN au.type = 2 THEN au.used_pages ELSE 0 END) * 8 AS lob_kb
FROM sys.partitions AS p JOIN sys.allocation_units AS au ON au.container_id = p.partition_id
WHERE p.object_id = ?
"""
COLUMN_STATISTICS = """
SELECT st.name AS name, CONVERT(nvarchar(33), sp.last_updated, 126) AS last_updated, sp.modification_counter AS modifications,
  sp.rows AS row_count, sp.rows_sampled AS rows_sampled
FROM sys.stats AS st OUTER APPLY sys.dm_db_stats_properties(st.object_id, st.stats_id) AS sp
WHERE st.object_id = ? ORDER BY st.stats_id
"""

TABLES_WITH_COLUMNS = f"""
WITH {ASKED_NAME},
wanted AS (
  SELECT o.object_id, s.name AS schema_name, o.name,
    CASE WHEN asked.schema_name IS NULL AND s.name = SCHEMA_NAME() THEN 0 ELSE 1 END AS place,
    CASE WHEN asked.name IS NULL THEN 0 ELSE 1 END AS named
  FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id CROSS JOIN asked
  WHERE o.type IN ({TABLE_TYPES}) AND o.is_ms_shipped = 0
    AND (asked.schema_name IS NULL OR s.name = asked.schema_name COLLATE DATABASE_DEFAULT)
    AND (asked.name IS NULL OR (o.name = asked.name COLLATE DATABASE_DEFAULT
      AND (asked.schema_name IS NOT NULL OR s.name IN (SCHEMA_NAME(), N'dbo'))))),
page AS (SELECT w.object_id FROM wanted AS w ORDER BY w.named * w.place, w.schema_name, w.name
  OFFSET ? ROWS FETCH NEXT ? ROWS ONLY)
SELECT counted.total AS total, {HEAD}, {COLUMNS} AS columns, {KEYS} AS keys, {OUTGOING} AS foreign_keys
FROM (SELECT COUNT_BIG(*) AS total FROM wanted) AS counted
LEFT JOIN page ON 1 = 1
LEFT {HEAD_TABLES.format("page").replace("JOIN sys.schemas", "LEFT JOIN sys.schemas")}
ORDER BY s.name, o.name
"""

_OBJECT_KIND = """CASE WHEN o.type IN ('U', 'ET') THEN 'table' WHEN o.type = 'V' THEN 'view'
      WHEN o.type IN ('P', 'PC', 'X', 'RF') THEN 'procedure'
      WHEN o.type = 'TR' THEN 'trigger' WHEN o.type = 'SO' THEN 'sequence' WHEN o.type = 'SN' THEN 'synonym'
      ELSE 'function' END"""
_LIKE = "LIKE LOWER(asked.{0}) COLLATE DATABASE_DEFAULT ESCAPE N'\\'"
_DESCRIPTION = f"CAST(d.value AS {TEXT}) COLLATE DATABASE_DEFAULT"

# Hits are narrow rows, counted as they are paged; the texts are fetched for the page alone.
SEARCH_OBJECTS = f"""
WITH asked AS (
  SELECT CAST(? AS {TEXT}) AS name_like, CAST(? AS {TEXT}) AS text_like, CAST(? AS {TEXT}) AS needle, CAST(? AS {TEXT}) AS look,
    CAST(? AS {TEXT}) AS schema_name, CAST(? AS {TEXT}) AS kinds),
objects AS (
  SELECT o.object_id, s.name COLLATE DATABASE_DEFAULT AS schema_name, o.name COLLATE DATABASE_DEFAULT AS name,
    {_OBJECT_KIND} AS kind
  FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id
  WHERE o.is_ms_shipped = 0
    AND o.type IN ('U', 'ET', 'V', 'P', 'PC', 'X', 'RF', 'FN', 'IF', 'TF', 'FS', 'FT', 'AF', 'TR', 'SO', 'SN')),
chosen AS (
  SELECT o.object_id, o.schema_name, o.name, o.kind FROM objects AS o CROSS JOIN asked
  WHERE (asked.schema_name IS NULL OR o.schema_name = asked.schema_name COLLATE DATABASE_DEFAULT)
    AND (asked.kinds IS NULL OR N',' + asked.kinds + N',' LIKE N'%,' + o.kind + N',%')),
hits AS (
  SELECT o.object_id, o.schema_name, o.name, o.kind, 'name' AS found_in, CAST(NULL AS int) AS column_id,
    CAST(NULL AS nvarchar(128)) AS column_name,
    CASE WHEN LOWER(o.name) = LOWER(asked.needle) THEN 0 WHEN CHARINDEX(LOWER(asked.needle), LOWER(o.name)) = 1 THEN 1
      ELSE 2 END AS place
  FROM chosen AS o CROSS JOIN asked
  WHERE asked.look LIKE N'%names%' AND LOWER(o.name) {_LIKE.format("name_like")}
  UNION ALL
  SELECT o.object_id, o.schema_name, o.name, o.kind, 'column', c.column_id, c.name COLLATE DATABASE_DEFAULT,
    CASE WHEN LOWER(c.name) = LOWER(asked.needle) COLLATE DATABASE_DEFAULT THEN 1 ELSE 3 END
  FROM chosen AS o JOIN sys.columns AS c ON c.object_id = o.object_id CROSS JOIN asked
  WHERE asked.look LIKE N'%columns%' AND LOWER(c.name) {_LIKE.format("name_like")}
  UNION ALL
  SELECT o.object_id, o.schema_name, o.name, o.kind, 'description', d.minor_id, c.name COLLATE DATABASE_DEFAULT, 4
  FROM chosen AS o JOIN sys.extended_properties AS d ON d.class = 1 AND d.major_id = o.object_id AND d.name = N'MS_Description'
  LEFT JOIN sys.columns AS c ON c.object_id = d.major_id AND c.column_id = d.minor_id CROSS JOIN asked
  WHERE asked.look LIKE N'%descriptions%' AND LOWER({_DESCRIPTION}) {_LIKE.format("text_like")}
  UNION ALL
  SELECT o.object_id, o.schema_name, o.name, o.kind, 'definition', NULL, NULL, 5
  FROM chosen AS o JOIN sys.sql_modules AS m ON m.object_id = o.object_id CROSS JOIN asked
  WHERE asked.look LIKE N'%definitions%' AND LOWER(m.definition) {_LIKE.format("text_like")}),
page AS (
  SELECT h.object_id, h.schema_name, h.name, h.kind, h.found_in, h.column_id, h.column_name, h.place,
    COUNT_BIG(*) OVER () AS total
  FROM hits AS h ORDER BY h.place, h.schema_name, h.name, h.found_in, h.column_name OFFSET ? ROWS FETCH NEXT ? ROWS ONLY)
SELECT page.total AS total, page.schema_name AS schema_name, page.name AS name, page.kind AS kind, page.found_in AS found_in,
  page.column_name AS column_name, COALESCE({_DESCRIPTION}, m.definition) AS body,
  CHARINDEX(LOWER(asked.needle), LOWER(COALESCE({_DESCRIPTION}, m.definition)) COLLATE DATABASE_DEFAULT) AS position
FROM page CROSS JOIN asked
LEFT JOIN sys.sql_modules AS m ON page.found_in = 'definition' AND m.object_id = page.object_id
LEFT JOIN sys.extended_properties AS d ON page.found_in = 'description' AND d.class = 1 AND d.major_id = page.object_id
  AND d.minor_id = page.column_id AND d.name = N'MS_Description'
ORDER BY page.place, page.schema_name, page.name, page.found_in, page.column_name
"""
