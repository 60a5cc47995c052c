"""The pieces that the statements of ``catalog`` are made of: each a part of a SELECT over one table (``o`` or ``c``)."""

from __future__ import annotations

TEXT = "nvarchar(4000)"
TABLE_TYPES = "'U', 'V', 'ET'"

# A data type as DDL writes it; aliases: c (max_length, precision, scale), ty = sys.types, tys = its schema. A login without
# a permission on a user-defined type does not see it.
TYPE = """CASE
      WHEN ty.name IS NULL THEN N'(not visible)'
      WHEN ty.is_user_defined = 1 THEN COALESCE(tys.name + N'.', N'') + ty.name
      WHEN ty.name IN (N'varchar', N'char', N'varbinary', N'binary')
        THEN ty.name + N'(' + CASE c.max_length WHEN -1 THEN N'max' ELSE CAST(c.max_length AS nvarchar(10)) END + N')'
      WHEN ty.name IN (N'nvarchar', N'nchar')
        THEN ty.name + N'(' + CASE c.max_length WHEN -1 THEN N'max' ELSE CAST(c.max_length / 2 AS nvarchar(10)) END + N')'
      WHEN ty.name IN (N'decimal', N'numeric')
        THEN ty.name + N'(' + CAST(c.precision AS nvarchar(10)) + N',' + CAST(c.scale AS nvarchar(10)) + N')'
      WHEN ty.name IN (N'datetime2', N'datetimeoffset', N'time') THEN ty.name + N'(' + CAST(c.scale AS nvarchar(10)) + N')'
      ELSE ty.name END"""

PARTITION_SCHEME = """FROM sys.indexes AS pi JOIN sys.partition_schemes AS ps ON ps.data_space_id = pi.data_space_id
    WHERE pi.object_id = o.object_id AND pi.index_id IN (0, 1)"""

KIND = f"""CASE WHEN o.type = 'V' THEN 'view' WHEN t.temporal_type = 2 THEN 'temporal' WHEN t.temporal_type = 1 THEN 'history'
    WHEN t.is_external = 1 OR o.type = 'ET' THEN 'external' WHEN EXISTS (SELECT 1 {PARTITION_SCHEME}) THEN 'partitioned'
    ELSE 'table' END"""

HEAD = f"""o.object_id AS object_id, s.name AS schema_name, o.name AS name, {KIND} AS kind,
  CAST(ep.value AS {TEXT}) AS description"""

HEAD_TABLES = """JOIN sys.objects AS o ON o.object_id = {0}.object_id
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
LEFT JOIN sys.tables AS t ON t.object_id = o.object_id
LEFT JOIN sys.extended_properties AS ep ON ep.class = 1 AND ep.major_id = o.object_id AND ep.minor_id = 0
  AND ep.name = N'MS_Description'"""

ASKED_NAME = f"asked AS (SELECT CAST(? AS {TEXT}) AS schema_name, CAST(? AS {TEXT}) AS name)"

# Which object a name means: without a schema the login's default schema, then dbo.
MEANT = """o.name = asked.name COLLATE DATABASE_DEFAULT
    AND (s.name = asked.schema_name COLLATE DATABASE_DEFAULT
      OR (asked.schema_name IS NULL AND s.name IN (SCHEMA_NAME(), N'dbo')))
  ORDER BY CASE WHEN s.name = SCHEMA_NAME() THEN 0 ELSE 1 END"""


def target(types: str) -> str:
    return f"""{ASKED_NAME},
target AS (
  SELECT TOP (1) o.object_id
  FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id CROSS JOIN asked
  WHERE o.type IN ({types}) AND {MEANT})"""


TARGET = target(TABLE_TYPES)


def wanted(view: str, condition: str) -> str:
    """The objects that a page is cut from; takes the page's four parameters in order."""
    return f"""asked AS (SELECT CAST(? AS {TEXT}) AS schema_name, CAST(? AS {TEXT}) AS pattern),
wanted AS (
  SELECT o.object_id, s.name AS schema_name, o.name
  FROM {view} AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id CROSS JOIN asked
  WHERE {condition} AND o.is_ms_shipped = 0
    AND (asked.schema_name IS NULL OR s.name = asked.schema_name COLLATE DATABASE_DEFAULT)
    AND (asked.pattern IS NULL OR LOWER(o.name) LIKE LOWER(asked.pattern) COLLATE DATABASE_DEFAULT ESCAPE N'\\')),
page AS (SELECT w.object_id, w.schema_name, w.name FROM wanted AS w ORDER BY w.schema_name, w.name
  OFFSET ? ROWS FETCH NEXT ? ROWS ONLY)"""


WANTED_TABLES = wanted("sys.objects", f"o.type IN ({TABLE_TYPES})")

COLUMNS = f"""(
    SELECT c.name AS [name], c.column_id AS [position], {TYPE} AS [type], c.is_nullable AS [nullable],
      COALESCE(dc.definition, CASE WHEN dc.object_id IS NOT NULL THEN N'(not visible)' END) AS [default],
      CASE WHEN dc.is_system_named = 0 THEN dc.name END AS [default_name],
      CASE WHEN c.is_identity = 1 THEN 'IDENTITY' END AS [identity],
      (SELECT MAX(CAST(ic.seed_value AS nvarchar(40))) FROM sys.identity_columns AS ic
        WHERE ic.object_id = c.object_id AND ic.column_id = c.column_id) AS [identity_seed],
      (SELECT MAX(CAST(ic.increment_value AS nvarchar(40))) FROM sys.identity_columns AS ic
        WHERE ic.object_id = c.object_id AND ic.column_id = c.column_id) AS [identity_increment],
      COALESCE(cc.definition, CASE WHEN c.is_computed = 1 THEN N'(not visible)' END) AS [computed],
      cc.is_persisted AS [persisted], c.collation_name AS [collation],
      pk.key_ordinal AS [primary_key], CAST(cp.value AS {TEXT}) AS [description],
      c.is_rowguidcol AS [rowguidcol], c.is_sparse AS [sparse], c.is_masked AS [masked],
      CASE WHEN c.generated_always_type > 0 THEN c.generated_always_type_desc END AS [generated_always],
      c.is_hidden AS [hidden], c.encryption_type_desc AS [encrypted]
    FROM sys.columns AS c
    LEFT JOIN sys.types AS ty ON ty.user_type_id = c.user_type_id
    LEFT JOIN sys.schemas AS tys ON tys.schema_id = ty.schema_id
    LEFT JOIN sys.default_constraints AS dc ON dc.parent_object_id = c.object_id AND dc.parent_column_id = c.column_id
    LEFT JOIN sys.computed_columns AS cc ON cc.object_id = c.object_id AND cc.column_id = c.column_id
    LEFT JOIN sys.indexes AS pki ON pki.object_id = c.object_id AND pki.is_primary_key = 1
    LEFT JOIN sys.index_columns AS pk ON pk.object_id = c.object_id AND pk.index_id = pki.index_id
      AND pk.column_id = c.column_id AND pk.key_ordinal > 0
    LEFT JOIN sys.extended_properties AS cp ON cp.class = 1 AND cp.major_id = c.object_id AND cp.minor_id = c.column_id
      AND cp.name = N'MS_Description'
    WHERE c.object_id = o.object_id ORDER BY c.column_id FOR JSON PATH)"""

# The index that enforces a key carries the constraint's name.
KEYS = """(
    SELECT ki.name AS [name], CASE ki.is_primary_key WHEN 1 THEN 'primary_key' ELSE 'unique' END AS [kind],
      CASE ki.is_primary_key WHEN 1 THEN 'PRIMARY KEY' ELSE 'UNIQUE' END
        + CASE ki.type WHEN 1 THEN ' CLUSTERED' WHEN 7 THEN ' NONCLUSTERED HASH' ELSE ' NONCLUSTERED' END AS [definition],
      (SELECT kc.name AS [name] FROM sys.index_columns AS kic
        JOIN sys.columns AS kc ON kc.object_id = kic.object_id AND kc.column_id = kic.column_id
        WHERE kic.object_id = ki.object_id AND kic.index_id = ki.index_id AND kic.key_ordinal > 0
        ORDER BY kic.key_ordinal FOR JSON PATH) AS [columns]
    FROM sys.indexes AS ki
    WHERE ki.object_id = o.object_id AND (ki.is_primary_key = 1 OR ki.is_unique_constraint = 1)
    ORDER BY ki.is_primary_key DESC, ki.name FOR JSON PATH)"""

CHECKS = """(
    SELECT k.name AS [name], k.definition AS [definition], k.is_disabled AS [disabled], k.is_not_trusted AS [not_trusted],
      (SELECT kc.name AS [name] FROM sys.columns AS kc
        WHERE kc.object_id = k.parent_object_id AND kc.column_id = k.parent_column_id FOR JSON PATH) AS [columns]
    FROM sys.check_constraints AS k WHERE k.parent_object_id = o.object_id ORDER BY k.name FOR JSON PATH)"""


def foreign_keys(condition: str) -> str:
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


OUTGOING = foreign_keys("f.parent_object_id = o.object_id")

TRIGGERS = """(
    SELECT tr.name AS [name], CASE tr.is_instead_of_trigger WHEN 1 THEN 'INSTEAD OF' ELSE 'AFTER' END AS [timing],
      STUFF(CASE WHEN OBJECTPROPERTY(tr.object_id, 'ExecIsInsertTrigger') = 1 THEN ', INSERT' ELSE '' END
        + CASE WHEN OBJECTPROPERTY(tr.object_id, 'ExecIsUpdateTrigger') = 1 THEN ', UPDATE' ELSE '' END
        + CASE WHEN OBJECTPROPERTY(tr.object_id, 'ExecIsDeleteTrigger') = 1 THEN ', DELETE' ELSE '' END, 1, 2, '') AS [events],
      tr.is_disabled AS [disabled], trm.definition AS [definition]
    FROM sys.triggers AS tr LEFT JOIN sys.sql_modules AS trm ON trm.object_id = tr.object_id
    WHERE tr.parent_id = o.object_id AND tr.parent_class = 1 ORDER BY tr.name FOR JSON PATH)"""


def index_columns(condition: str) -> str:
    """Columns of the index ``i`` that fit the condition."""
    return f"""(
      SELECT xc.name AS [name], x.is_descending_key AS [descending] FROM sys.index_columns AS x
      JOIN sys.columns AS xc ON xc.object_id = x.object_id AND xc.column_id = x.column_id
      WHERE x.object_id = i.object_id AND x.index_id = i.index_id AND {condition}
      ORDER BY x.key_ordinal, x.index_column_id FOR JSON PATH)"""


# A full-text index has no name and stands in no sys.indexes; Management Studio shows it with the others.
_FULL_TEXT = """SELECT CAST(NULL AS int) AS [index_id], CAST(N'(full-text index)' AS nvarchar(128)) AS [name],
      CAST('full_text' AS nvarchar(60)) AS [kind], 0 AS [unique], 0 AS [primary_key], 0 AS [unique_constraint],
      (SELECT tc.name AS [name], 0 AS [descending] FROM sys.columns AS tc
        WHERE tc.object_id = ft.object_id AND COLUMNPROPERTY(tc.object_id, tc.name, 'IsFulltextIndexed') = 1
        ORDER BY tc.column_id FOR JSON PATH) AS [columns],
      CAST(NULL AS nvarchar(max)) AS [included], CAST(NULL AS nvarchar(max)) AS [filter], CAST(NULL AS int) AS [fill_factor],
      CASE ft.is_enabled WHEN 1 THEN 0 ELSE 1 END AS [disabled], CAST(NULL AS nvarchar(60)) AS [compression],
      N'KEY INDEX ' + QUOTENAME(fk.name) + CASE ft.change_tracking_state WHEN 'A' THEN N', CHANGE_TRACKING AUTO'
        WHEN 'M' THEN N', CHANGE_TRACKING MANUAL' ELSE N', CHANGE_TRACKING OFF' END AS [definition],
      0 AS [ignore_dup_key], CAST(NULL AS nvarchar(300)) AS [storage]
    FROM sys.fulltext_indexes AS ft
    LEFT JOIN sys.indexes AS fk ON fk.object_id = ft.object_id AND fk.index_id = ft.unique_index_id
    WHERE ft.object_id = o.object_id"""

# A partition scheme shows with its column; the filegroup that all objects are in by default goes without saying.
_STORAGE = """(SELECT CASE WHEN sc.name IS NOT NULL THEN ds.name + N' (' + sc.name + N')'
          WHEN ds.is_default = 0 THEN ds.name END
        FROM sys.data_spaces AS ds
        LEFT JOIN sys.index_columns AS sx
          ON sx.object_id = i.object_id AND sx.index_id = i.index_id AND sx.partition_ordinal = 1
        LEFT JOIN sys.columns AS sc ON sc.object_id = sx.object_id AND sc.column_id = sx.column_id
        WHERE ds.data_space_id = i.data_space_id)"""

# XML and spatial indexes have columns without a key ordinal; a column that only partitions an index is no key.
_INDEXES = f"""SELECT i.index_id AS [index_id], i.name AS [name],
      CASE i.type WHEN 0 THEN 'heap' WHEN 1 THEN 'clustered' WHEN 2 THEN 'nonclustered' WHEN 3 THEN 'xml' WHEN 4 THEN 'spatial'
        WHEN 5 THEN 'clustered_columnstore' WHEN 6 THEN 'nonclustered_columnstore' WHEN 7 THEN 'hash'
        ELSE LOWER(i.type_desc) END AS [kind],
      i.is_unique AS [unique], i.is_primary_key AS [primary_key], i.is_unique_constraint AS [unique_constraint],
      {index_columns("x.is_included_column = 0 AND (x.key_ordinal > 0 OR x.partition_ordinal = 0)")} AS [columns],
      {index_columns("x.is_included_column = 1")} AS [included],
      i.filter_definition AS [filter], NULLIF(i.fill_factor, 0) AS [fill_factor], i.is_disabled AS [disabled],
      (SELECT CASE WHEN MIN(ip.data_compression) = MAX(ip.data_compression) THEN MAX(ip.data_compression_desc) ELSE 'MIXED' END
        FROM sys.partitions AS ip WHERE ip.object_id = i.object_id AND ip.index_id = i.index_id) AS [compression],
      CAST(NULL AS nvarchar(4000)) AS [definition], i.ignore_dup_key AS [ignore_dup_key], {_STORAGE} AS [storage]
    FROM sys.indexes AS i WHERE i.object_id = o.object_id AND i.is_hypothetical = 0"""

INDEXES = f"""(
    SELECT q.[index_id] AS [index_id], q.[name] AS [name], q.[kind] AS [kind], q.[unique] AS [unique],
      q.[primary_key] AS [primary_key], q.[unique_constraint] AS [unique_constraint], q.[columns] AS [columns],
      q.[included] AS [included], q.[filter] AS [filter], q.[fill_factor] AS [fill_factor], q.[disabled] AS [disabled],
      q.[compression] AS [compression], q.[definition] AS [definition], q.[ignore_dup_key] AS [ignore_dup_key],
      q.[storage] AS [storage]
    FROM ({_INDEXES} UNION ALL {_FULL_TEXT}) AS q
    ORDER BY q.[primary_key] DESC, CASE WHEN q.[index_id] IS NULL THEN 1 ELSE 0 END, q.[index_id] FOR JSON PATH)"""

# Plain casts of these types leave out seconds, or are no text at all.
_BOUNDARY = f"""CASE WHEN CAST(SQL_VARIANT_PROPERTY(pv.value, 'BaseType') AS nvarchar(60)) IN (N'datetime', N'smalldatetime')
          THEN CONVERT(nvarchar(33), CAST(pv.value AS datetime), 126)
          WHEN CAST(SQL_VARIANT_PROPERTY(pv.value, 'BaseType') AS nvarchar(60)) IN (N'binary', N'varbinary')
          THEN CONVERT({TEXT}, CAST(pv.value AS varbinary(4000)), 1) ELSE CAST(pv.value AS {TEXT}) END"""

PARTITIONS = f"""(
    SELECT pp.partition_number AS [partition], pp.rows AS [rows], pp.data_compression_desc AS [compression],
      (SELECT CASE pf.boundary_value_on_right WHEN 1 THEN N'>= ' ELSE N'<= ' END + {_BOUNDARY}
        FROM sys.indexes AS pi JOIN sys.partition_schemes AS ps ON ps.data_space_id = pi.data_space_id
        JOIN sys.partition_functions AS pf ON pf.function_id = ps.function_id
        JOIN sys.partition_range_values AS pv ON pv.function_id = pf.function_id AND pv.parameter_id = 1
          AND pv.boundary_id = pp.partition_number - CASE pf.boundary_value_on_right WHEN 1 THEN 1 ELSE 0 END
        WHERE pi.object_id = pp.object_id AND pi.index_id = pp.index_id) AS [boundary]
    FROM sys.partitions AS pp WHERE pp.object_id = o.object_id AND pp.index_id IN (0, 1)
    ORDER BY pp.partition_number FOR JSON PATH)"""
