"""Catalogue SQL for PostgreSQL 13 and later, as named constants. What goes in and comes out: ``dialects/catalog.py``.

Sources: the system catalogs and the functions of "System Information Functions" in PostgreSQL's documentation.
A column that only newer versions have is read through ``to_jsonb(row) ->> 'column'``, which is NULL where it is missing.
"""

from __future__ import annotations

FOLDS_UNQUOTED = True

_KIND = """CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' WHEN 'f' THEN 'external'
    WHEN 'p' THEN 'partitioned' ELSE 'table' END"""

# The size of a table with its indexes and out-of-line values; a partitioned table is the sum of its partitions.
_SIZE_KB = """CASE WHEN c.relkind = 'p'
    THEN (SELECT sum(pg_total_relation_size(t.relid)) FROM pg_partition_tree(c.oid) AS t) / 1024
    WHEN c.relkind IN ('r', 'm', 't') THEN pg_total_relation_size(c.oid) / 1024 END::bigint"""

# The planner's estimate, or, before the first ANALYZE, what the statistics collector has seen. Never a count.
_ROWS = """CASE WHEN c.relkind = 'p' THEN (
      SELECT sum(CASE WHEN l.reltuples > 0 THEN l.reltuples ELSE pg_stat_get_live_tuples(l.oid) END)
      FROM pg_partition_tree(c.oid) AS t JOIN pg_class AS l ON l.oid = t.relid WHERE t.isleaf)
    WHEN c.relkind IN ('r', 'm') THEN CASE WHEN c.reltuples > 0 THEN c.reltuples ELSE pg_stat_get_live_tuples(c.oid) END
    WHEN c.reltuples > 0 THEN c.reltuples END::bigint"""

# Which relation a name means: as written first, then folded to lower case; without a schema what the search_path shows.
_TARGET = """target AS (
  SELECT c.oid
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname IN ($2::text, lower($2::text))
    AND CASE WHEN $1::text IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname IN ($1::text, lower($1::text)) END
  ORDER BY (n.nspname = $1::text) DESC NULLS LAST, (c.relname = $2::text) DESC
  LIMIT 1)"""

_HEAD = f"""c.oid::bigint AS object_id, n.nspname AS schema_name, c.relname AS name, {_KIND} AS kind,
  obj_description(c.oid, 'pg_class') AS description"""

_USER_SCHEMA = r"n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'"

# Primary key position, identity and generation of one column; $-free, used by the schema and the many-tables statement.
_COLUMNS = """(
    SELECT json_agg(json_strip_nulls(json_build_object(
      'name', a.attname, 'position', a.attnum, 'type', format_type(a.atttypid, a.atttypmod),
      'nullable', NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)),
      'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
      'identity', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
      'identity_seed', q.seqstart::text, 'identity_increment', q.seqincrement::text,
      'computed', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
      'persisted', CASE WHEN a.attgenerated <> '' THEN a.attgenerated = 's' END,
      'collation', CASE WHEN a.attcollation <> t.typcollation THEN l.collname END,
      'primary_key', array_position(p.conkey, a.attnum),
      'description', col_description(c.oid, a.attnum))) ORDER BY a.attnum)
    FROM pg_attribute AS a
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
    LEFT JOIN pg_constraint AS p ON p.conrelid = a.attrelid AND p.contype = 'p'
    LEFT JOIN pg_depend AS e ON a.attidentity <> '' AND e.refclassid = 'pg_class'::regclass AND e.refobjid = a.attrelid
      AND e.refobjsubid = a.attnum AND e.deptype = 'i' AND e.classid = 'pg_class'::regclass
    LEFT JOIN pg_sequence AS q ON q.seqrelid = e.objid
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)"""


def _names(relation: str, keys: str) -> str:
    """The names of a constraint's columns, in the order of its key array."""
    return f"""(SELECT json_agg(ka.attname ORDER BY u.place) FROM unnest({keys}) WITH ORDINALITY AS u (number, place)
      JOIN pg_attribute AS ka ON ka.attrelid = {relation} AND ka.attnum = u.number)"""


_KEYS = f"""(
    SELECT json_agg(json_build_object('name', k.conname,
      'kind', CASE k.contype WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' ELSE 'exclusion' END,
      'columns', {_names("k.conrelid", "k.conkey")}, 'definition', pg_get_constraintdef(k.oid, true))
      ORDER BY k.contype = 'p' DESC, k.conname)
    FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))"""

_CHECKS = f"""(
    SELECT json_agg(json_build_object('name', k.conname, 'columns', {_names("k.conrelid", "k.conkey")},
      'definition', pg_get_constraintdef(k.oid, true), 'not_trusted', NOT k.convalidated,
      'disabled', coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'false') ORDER BY k.conname)
    FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'c')"""

_ACTION = """CASE {} WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT'
        ELSE 'NO ACTION' END"""


def _foreign_keys(condition: str) -> str:
    return f"""(
    SELECT json_agg(json_build_object('name', k.conname,
      'direction', CASE WHEN k.conrelid = k.confrelid THEN 'self' WHEN k.conrelid = c.oid THEN 'outgoing' ELSE 'incoming' END,
      'schema', ln.nspname, 'table', lc.relname, 'columns', {_names("k.conrelid", "k.conkey")},
      'referenced_schema', rn.nspname, 'referenced_table', rc.relname,
      'referenced_columns', {_names("k.confrelid", "k.confkey")},
      'on_delete', {_ACTION.format("k.confdeltype")}, 'on_update', {_ACTION.format("k.confupdtype")},
      'not_trusted', NOT k.convalidated, 'disabled', coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'false',
      'definition', pg_get_constraintdef(k.oid, true)) ORDER BY k.conrelid <> c.oid, ln.nspname, lc.relname, k.conname)
    FROM pg_constraint AS k
    JOIN pg_class AS lc ON lc.oid = k.conrelid JOIN pg_namespace AS ln ON ln.oid = lc.relnamespace
    JOIN pg_class AS rc ON rc.oid = k.confrelid JOIN pg_namespace AS rn ON rn.oid = rc.relnamespace
    WHERE k.contype = 'f' AND {condition})"""


_TRIGGERS = """(
    SELECT json_agg(json_build_object('name', g.tgname,
      'timing', CASE WHEN g.tgtype & 2 <> 0 THEN 'BEFORE' WHEN g.tgtype & 64 <> 0 THEN 'INSTEAD OF' ELSE 'AFTER' END,
      'events', array_to_string(ARRAY[CASE WHEN g.tgtype & 4 <> 0 THEN 'INSERT' END,
        CASE WHEN g.tgtype & 16 <> 0 THEN 'UPDATE' END,
        CASE WHEN g.tgtype & 8 <> 0 THEN 'DELETE' END, CASE WHEN g.tgtype & 32 <> 0 THEN 'TRUNCATE' END], ', '),
      'disabled', g.tgenabled = 'D', 'definition', pg_get_triggerdef(g.oid, true)) ORDER BY g.tgname)
    FROM pg_trigger AS g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal)"""

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
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_USER_SCHEMA}
    AND ($1::text IS NULL OR n.nspname IN ($1::text, lower($1::text)))
    AND ($2::text IS NULL OR c.relname ILIKE $2::text)),
page AS (SELECT * FROM wanted ORDER BY nspname, relname OFFSET $3::bigint LIMIT $4::bigint)
SELECT (SELECT count(*) FROM wanted) AS total, {_HEAD}, {_ROWS} AS row_count, {_SIZE_KB} AS size_kb
FROM (SELECT 1) AS one LEFT JOIN (page
  JOIN pg_catalog.pg_class AS c ON c.oid = page.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace) ON true
ORDER BY n.nspname, c.relname
"""
TABLE_SIZES = None

TABLE_SCHEMA = f"""
WITH {_TARGET}
SELECT {_HEAD}, NULL::text AS created, NULL::text AS modified,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid, true) END AS definition,
  NULL::boolean AS definition_hidden, NULL::text AS history_table,
  CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partitioning,
  (SELECT string_agg(p.inhparent::regclass::text || coalesce(' ' || pg_get_expr(c.relpartbound, c.oid), ''), ', '
      ORDER BY p.inhseqno)
    FROM pg_inherits AS p WHERE p.inhrelid = c.oid) AS partition_of,
  c.relrowsecurity AS row_security,
  {_COLUMNS} AS columns, {_KEYS} AS keys, {_CHECKS} AS checks, {_foreign_keys("k.conrelid = c.oid")} AS foreign_keys,
  {_TRIGGERS} AS triggers
FROM target JOIN pg_catalog.pg_class AS c ON c.oid = target.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
"""
COLUMN_MASKS = None

_ROUTINE = """p.oid::bigint AS object_id, n.nspname AS schema_name, p.proname AS name,
  CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window' ELSE 'function' END AS kind,
  pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS returns, l.lanname AS language,
  obj_description(p.oid, 'pg_proc') AS description, NULL::text AS created, NULL::text AS modified"""

_NOT_OF_EXTENSION = """NOT EXISTS (SELECT 1 FROM pg_depend AS e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid
      AND e.deptype = 'e')"""

LIST_PROCEDURES = f"""
WITH wanted AS MATERIALIZED (
  SELECT p.oid, n.nspname, p.proname
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  WHERE {_USER_SCHEMA} AND {_NOT_OF_EXTENSION}
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
SELECT {_ROUTINE}, CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition,
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
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_USER_SCHEMA}
{_NEAR.format("c.relname")}
"""

NEAREST_PROCEDURES = f"""
SELECT n.nspname AS schema_name, p.proname AS name
FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE {_USER_SCHEMA} AND {_NOT_OF_EXTENSION}
{_NEAR.format("p.proname")}
"""

RESOLVE_TABLE = f"""
WITH {_TARGET}
SELECT n.nspname AS schema_name, c.relname AS name
FROM target JOIN pg_catalog.pg_class AS c ON c.oid = target.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
"""
