"""Catalogue SQL for PostgreSQL 13 and later, as named constants. What goes in and comes out: ``dialects/catalog.py``.

Sources: the system catalogs and the functions of "System Information Functions" in PostgreSQL's documentation.
A column that only newer versions have is read through ``to_jsonb(row) ->> 'column'``, which is NULL where it is missing.
"""

from __future__ import annotations

from .catalog_parts import (
    CHECKS,
    COLUMNS,
    HEAD,
    INDEXES,
    KEYS,
    KIND,
    PARTITIONS,
    ROWS,
    SIZE_KB,
    TARGET,
    TRIGGERS,
    USER_SCHEMA,
    foreign_keys,
)

FOLDS_UNQUOTED = True

LIST_DATABASES = """
SELECT d.datname AS name, CASE WHEN d.datallowconn THEN 'ONLINE' ELSE 'NO CONNECTIONS' END AS state,
  d.datallowconn AND has_database_privilege(d.oid, 'CONNECT') AS accessible, d.datistemplate AS is_system,
  pg_get_userbyid(d.datdba) AS owner, d.datcollate AS collation, pg_encoding_to_char(d.encoding) AS encoding,
  NULL::int AS compatibility_level, NULL::text AS created, false AS read_only,
  CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) / 1024 END AS size_kb,
  shobj_description(d.oid, 'pg_database') AS description
FROM pg_catalog.pg_database AS d ORDER BY d.datname
"""
DATABASE_SIZES = None

LIST_TABLES = f"""
WITH wanted AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {USER_SCHEMA}
    AND ($1::text IS NULL OR n.nspname IN ($1::text, lower($1::text)))
    AND ($2::text IS NULL OR c.relname ILIKE $2::text)),
page AS (SELECT * FROM wanted ORDER BY nspname, relname OFFSET $3::bigint LIMIT $4::bigint)
SELECT (SELECT count(*) FROM wanted) AS total, {HEAD}, {ROWS} AS row_count, {SIZE_KB} AS size_kb
FROM (SELECT 1) AS one LEFT JOIN (page
  JOIN pg_catalog.pg_class AS c ON c.oid = page.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace) ON true
ORDER BY n.nspname, c.relname
"""
TABLE_SIZES = None

TABLE_SCHEMA = f"""
WITH {TARGET}
SELECT {HEAD}, NULL::text AS created, NULL::text AS modified,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid, true) END AS definition,
  NULL::boolean AS definition_hidden, NULL::text AS history_table,
  CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partitioning,
  (SELECT string_agg(p.inhparent::regclass::text || coalesce(' ' || pg_get_expr(c.relpartbound, c.oid), ''), ', '
      ORDER BY p.inhseqno)
    FROM pg_inherits AS p WHERE p.inhrelid = c.oid) AS partition_of,
  c.relrowsecurity AS row_security, NULL::boolean AS memory_optimized,
  {COLUMNS} AS columns, {KEYS} AS keys, {CHECKS} AS checks, {foreign_keys("k.conrelid = c.oid")} AS foreign_keys,
  {TRIGGERS} AS triggers
FROM target JOIN pg_catalog.pg_class AS c ON c.oid = target.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
"""
COLUMN_MASKS = None

_ROUTINE = """n.nspname AS schema, p.proname AS name,
  CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window' ELSE 'function' END AS kind,
  pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS returns, l.lanname AS language,
  obj_description(p.oid, 'pg_proc') AS description, NULL::text AS created, NULL::text AS modified"""

_NOT_OF_EXTENSION = """NOT EXISTS (SELECT 1 FROM pg_depend AS e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid
      AND e.deptype = 'e')"""

LIST_PROCEDURES = f"""
WITH wanted AS MATERIALIZED (
  SELECT p.oid, n.nspname, p.proname
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  WHERE {USER_SCHEMA} AND {_NOT_OF_EXTENSION}
    AND ($1::text IS NULL OR n.nspname IN ($1::text, lower($1::text)))
    AND ($2::text IS NULL OR p.proname ILIKE $2::text)),
page AS (SELECT * FROM wanted ORDER BY nspname, proname, oid OFFSET $3::bigint LIMIT $4::bigint)
SELECT (SELECT count(*) FROM wanted) AS total, {_ROUTINE}
FROM (SELECT 1) AS one LEFT JOIN (page JOIN pg_catalog.pg_proc AS p ON p.oid = page.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang) ON true
ORDER BY n.nspname, p.proname, p.oid
"""

# pg_get_functiondef refuses aggregates: they are written as their parts.
PROCEDURE_DEFINITION = f"""
WITH found AS (
  SELECT p.oid, (n.nspname = $1::text) AS same_schema, (p.proname = $2::text) AS same_name, n.nspname
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  WHERE p.proname IN ($2::text, lower($2::text))
    AND CASE WHEN $1::text IS NULL THEN pg_function_is_visible(p.oid) ELSE n.nspname IN ($1::text, lower($1::text)) END),
target AS (
  SELECT f.oid, rank() OVER (ORDER BY f.same_schema DESC NULLS LAST, f.same_name DESC) AS place FROM found AS f)
SELECT {_ROUTINE}, n.nspname AS schema_name, CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition,
  CASE WHEN p.prokind = 'a' THEN 'an aggregate has no text of its own' END AS without_definition
FROM target JOIN pg_catalog.pg_proc AS p ON p.oid = target.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
WHERE target.place = 1
ORDER BY n.nspname, p.pronargs, p.oid
"""

_NEAR = """ORDER BY abs(length({0}) - length($1::text))
  + CASE WHEN lower(left({0}, 2)) = lower(left($1::text, 2)) THEN 0 ELSE 8 END, {0}
LIMIT 1000"""

NEAREST_TABLES = f"""
SELECT n.nspname AS schema_name, c.relname AS name
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {USER_SCHEMA}
{_NEAR.format("c.relname")}
"""

NEAREST_PROCEDURES = f"""
SELECT n.nspname AS schema_name, p.proname AS name
FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE {USER_SCHEMA} AND {_NOT_OF_EXTENSION}
{_NEAR.format("p.proname")}
"""

OBJECT_NAMES = f"""
SELECT n.nspname AS schema_name, c.relname AS name, 'table'::text AS kind
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {USER_SCHEMA}
UNION
SELECT n.nspname AS schema_name, p.proname AS name, 'procedure'::text AS kind
FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE {USER_SCHEMA} AND {_NOT_OF_EXTENSION}
ORDER BY schema_name, name LIMIT 20000
"""

DATABASE_NAMES = """
SELECT d.datname AS name FROM pg_catalog.pg_database AS d
WHERE d.datallowconn AND NOT d.datistemplate AND has_database_privilege(d.oid, 'CONNECT') ORDER BY d.datname
"""

RESOLVE_TABLE = f"""
WITH {TARGET}
SELECT n.nspname AS schema_name, c.relname AS name
FROM target JOIN pg_catalog.pg_class AS c ON c.oid = target.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
"""

_FROM_TARGET = """FROM target JOIN pg_catalog.pg_class AS c ON c.oid = target.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"""

TABLE_INDEXES = f"""
WITH {TARGET}
SELECT {HEAD}, {INDEXES} AS indexes
{_FROM_TARGET}
"""
INDEX_USAGE = None
INDEX_SIZES = None

TABLE_FOREIGN_KEYS = f"""
WITH {TARGET}
SELECT {HEAD}, {foreign_keys("c.oid IN (k.conrelid, k.confrelid)")} AS foreign_keys
{_FROM_TARGET}
"""

# Sizes are sums over the partition tree, which for a plain table is the table itself.
TABLE_STATISTICS = f"""
WITH {TARGET},
space AS (
  SELECT sum(pg_table_size(l.oid)) / 1024 AS table_kb, sum(pg_indexes_size(l.oid)) / 1024 AS index_kb,
    sum(pg_total_relation_size(l.oid)) / 1024 AS reserved_kb,
    sum(CASE WHEN l.reltoastrelid = 0 THEN 0 ELSE pg_total_relation_size(l.reltoastrelid) END) / 1024 AS lob_kb
  FROM target CROSS JOIN LATERAL (
    SELECT t.relid FROM pg_partition_tree(target.oid) AS t UNION SELECT target.oid) AS tree
  JOIN pg_class AS l ON l.oid = tree.relid AND l.relkind IN ('r', 'm', 'p'))
SELECT {HEAD}, {ROWS} AS row_count, NULL::text AS created, NULL::text AS modified,
  (space.table_kb - space.lob_kb)::bigint AS data_kb, space.index_kb::bigint AS index_kb,
  space.reserved_kb::bigint AS reserved_kb, NULL::bigint AS unused_kb, space.lob_kb::bigint AS lob_kb,
  (SELECT {PARTITIONS} FROM pg_class AS o WHERE o.oid = c.oid) AS partitions,
  (SELECT json_agg(json_build_object('name', 'table', 'last_updated', greatest(v.last_analyze, v.last_autoanalyze),
      'modifications', v.n_mod_since_analyze, 'rows', v.n_live_tup))
    FROM pg_stat_all_tables AS v WHERE v.relid = c.oid) AS statistics
{_FROM_TARGET} CROSS JOIN space
"""
TABLE_SPACE = None
COLUMN_STATISTICS = None

TABLES_WITH_COLUMNS = f"""
WITH wanted AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND ($1::text IS NULL OR n.nspname IN ($1::text, lower($1::text)))
    AND CASE WHEN $2::text IS NULL THEN {USER_SCHEMA}
      ELSE c.relname IN ($2::text, lower($2::text)) AND ($1::text IS NOT NULL OR pg_table_is_visible(c.oid)) END),
page AS (SELECT * FROM wanted
  ORDER BY (nspname = $1::text) DESC, (relname = $2::text) DESC, nspname, relname OFFSET $3::bigint LIMIT $4::bigint)
SELECT (SELECT count(*) FROM wanted) AS total, {HEAD},
  {COLUMNS} AS columns, {KEYS} AS keys, {foreign_keys("k.conrelid = c.oid")} AS foreign_keys
FROM (SELECT 1) AS one LEFT JOIN (page
  JOIN pg_catalog.pg_class AS c ON c.oid = page.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace) ON true
ORDER BY n.nspname, c.relname
"""

# The texts behind $4 (what to look in) stand as constants in each branch, so that a branch nobody asked for costs nothing.
SEARCH_OBJECTS = rf"""
WITH objects AS MATERIALIZED (
  SELECT 'pg_class'::regclass::oid AS class, c.oid, n.nspname, c.relname AS name,
    CASE c.relkind WHEN 'S' THEN 'sequence' ELSE {KIND} END AS kind
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {USER_SCHEMA}
  UNION ALL
  SELECT 'pg_proc'::regclass::oid, p.oid, n.nspname, p.proname,
    CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  WHERE {USER_SCHEMA} AND {_NOT_OF_EXTENSION}
  UNION ALL
  SELECT 'pg_type'::regclass::oid, t.oid, n.nspname, t.typname, 'type'
  FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd') AND {USER_SCHEMA}
  UNION ALL
  SELECT 'pg_trigger'::regclass::oid, g.oid, n.nspname, g.tgname, 'trigger'
  FROM pg_catalog.pg_trigger AS g JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE NOT g.tgisinternal AND {USER_SCHEMA}),
chosen AS (
  SELECT * FROM objects AS o WHERE ($5::text IS NULL OR o.nspname IN ($5::text, lower($5::text)))
    AND ($6::text IS NULL OR o.kind = ANY (string_to_array($6::text, ',')))),
hits AS MATERIALIZED (
  SELECT o.*, 'name' AS found_in, NULL::name AS column_name, NULL::text AS body,
    CASE WHEN lower(o.name) = lower($3::text) THEN 0 WHEN strpos(lower(o.name), lower($3::text)) = 1 THEN 1 ELSE 2 END AS place
  FROM chosen AS o WHERE $4::text LIKE '%names%' AND o.name ILIKE $1::text
  UNION ALL
  SELECT o.*, 'column', a.attname, NULL, CASE WHEN lower(a.attname) = lower($3::text) THEN 1 ELSE 3 END
  FROM chosen AS o JOIN pg_catalog.pg_attribute AS a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE $4::text LIKE '%columns%' AND o.class = 'pg_class'::regclass AND o.kind <> 'sequence' AND a.attname ILIKE $1::text
  UNION ALL
  SELECT o.*, 'description', a.attname, d.description, 4
  FROM chosen AS o JOIN pg_catalog.pg_description AS d ON d.objoid = o.oid AND d.classoid = o.class
  LEFT JOIN pg_catalog.pg_attribute AS a ON d.objsubid > 0 AND a.attrelid = o.oid AND a.attnum = d.objsubid
  WHERE $4::text LIKE '%descriptions%' AND d.description ILIKE $2::text
  UNION ALL
  SELECT o.*, 'definition', NULL, m.body, 5
  FROM chosen AS o CROSS JOIN LATERAL (SELECT CASE WHEN $4::text NOT LIKE '%definitions%' THEN NULL
    WHEN o.kind IN ('view', 'materialized_view') THEN pg_get_viewdef(o.oid, true)
    WHEN o.kind IN ('function', 'procedure') THEN pg_get_functiondef(o.oid)
    WHEN o.kind = 'trigger' THEN pg_get_triggerdef(o.oid, true) END AS body) AS m
  WHERE $4::text LIKE '%definitions%' AND m.body ILIKE $2::text),
page AS (SELECT * FROM hits ORDER BY place, nspname, name, found_in, column_name OFFSET $7::bigint LIMIT $8::bigint)
SELECT (SELECT count(*) FROM hits) AS total, page.nspname AS schema_name, page.name AS name, page.kind AS kind,
  page.found_in AS found_in, page.column_name AS column_name,
  greatest(strpos(lower(page.body), lower($3::text)), 1) AS position, page.body AS body
FROM (SELECT 1) AS one LEFT JOIN page ON true
ORDER BY page.place, page.nspname, page.name, page.found_in, page.column_name
"""
