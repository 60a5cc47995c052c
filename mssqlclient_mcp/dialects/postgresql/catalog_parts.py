"""The pieces that the statements of ``catalog`` are made of: each a part of a SELECT over one table (``o`` or ``c``)."""

from __future__ import annotations

KIND = """CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' WHEN 'f' THEN 'external'
    WHEN 'p' THEN 'partitioned' ELSE 'table' END"""

# The size of a table with its indexes and out-of-line values; a partitioned table is the sum of its partitions.
SIZE_KB = """CASE WHEN c.relkind = 'p'
    THEN (SELECT sum(pg_total_relation_size(t.relid)) FROM pg_partition_tree(c.oid) AS t) / 1024
    WHEN c.relkind IN ('r', 'm', 't') THEN pg_total_relation_size(c.oid) / 1024 END::bigint"""

# The planner's estimate, or, before the first ANALYZE, what the statistics collector has seen. Never a count.
ROWS = """CASE WHEN c.relkind = 'p' THEN (
      SELECT sum(CASE WHEN l.reltuples > 0 THEN l.reltuples ELSE pg_stat_get_live_tuples(l.oid) END)
      FROM pg_partition_tree(c.oid) AS t JOIN pg_class AS l ON l.oid = t.relid WHERE t.isleaf)
    WHEN c.relkind IN ('r', 'm') THEN CASE WHEN c.reltuples > 0 THEN c.reltuples ELSE pg_stat_get_live_tuples(c.oid) END
    WHEN c.reltuples > 0 THEN c.reltuples END::bigint"""

# Which relation a name means: as written first, then folded to lower case; without a schema what the search_path shows.
TARGET = """target AS (
  SELECT c.oid
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname IN ($2::text, lower($2::text))
    AND CASE WHEN $1::text IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname IN ($1::text, lower($1::text)) END
  ORDER BY (n.nspname = $1::text) DESC NULLS LAST, (c.relname = $2::text) DESC
  LIMIT 1)"""

HEAD = f"""c.oid::bigint AS object_id, n.nspname AS schema_name, c.relname AS name, {KIND} AS kind,
  obj_description(c.oid, 'pg_class') AS description"""

USER_SCHEMA = r"n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'"

# Primary key position, identity and generation of one column; $-free, used by the schema and the many-tables statement.
COLUMNS = """(
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


def names(relation: str, keys: str) -> str:
    """The names of a constraint's columns, in the order of its key array."""
    return f"""(SELECT json_agg(ka.attname ORDER BY u.place) FROM unnest({keys}) WITH ORDINALITY AS u (number, place)
      JOIN pg_attribute AS ka ON ka.attrelid = {relation} AND ka.attnum = u.number)"""


KEYS = f"""(
    SELECT json_agg(json_build_object('name', k.conname,
      'kind', CASE k.contype WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' ELSE 'exclusion' END,
      'columns', {names("k.conrelid", "k.conkey")}, 'definition', pg_get_constraintdef(k.oid, true))
      ORDER BY k.contype = 'p' DESC, k.conname)
    FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))"""

CHECKS = f"""(
    SELECT json_agg(json_build_object('name', k.conname, 'columns', {names("k.conrelid", "k.conkey")},
      'definition', pg_get_constraintdef(k.oid, true), 'not_trusted', NOT k.convalidated,
      'disabled', coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'false') ORDER BY k.conname)
    FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'c')"""

ACTION = """CASE {} WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT'
        ELSE 'NO ACTION' END"""


def foreign_keys(condition: str) -> str:
    return f"""(
    SELECT json_agg(json_build_object('name', k.conname,
      'direction', CASE WHEN k.conrelid = k.confrelid THEN 'self' WHEN k.conrelid = c.oid THEN 'outgoing' ELSE 'incoming' END,
      'schema', ln.nspname, 'table', lc.relname, 'columns', {names("k.conrelid", "k.conkey")},
      'referenced_schema', rn.nspname, 'referenced_table', rc.relname,
      'referenced_columns', {names("k.confrelid", "k.confkey")},
      'on_delete', {ACTION.format("k.confdeltype")}, 'on_update', {ACTION.format("k.confupdtype")},
      'not_trusted', NOT k.convalidated, 'disabled', coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'false',
      'definition', pg_get_constraintdef(k.oid, true)) ORDER BY k.conrelid <> c.oid, ln.nspname, lc.relname, k.conname)
    FROM pg_constraint AS k
    JOIN pg_class AS lc ON lc.oid = k.conrelid JOIN pg_namespace AS ln ON ln.oid = lc.relnamespace
    JOIN pg_class AS rc ON rc.oid = k.confrelid JOIN pg_namespace AS rn ON rn.oid = rc.relnamespace
    WHERE k.contype = 'f' AND (k.conrelid = c.oid OR k.conparentid = 0) AND {condition})"""


TRIGGERS = """(
    SELECT json_agg(json_build_object('name', g.tgname,
      'timing', CASE WHEN g.tgtype & 2 <> 0 THEN 'BEFORE' WHEN g.tgtype & 64 <> 0 THEN 'INSTEAD OF' ELSE 'AFTER' END,
      'events', array_to_string(ARRAY[CASE WHEN g.tgtype & 4 <> 0 THEN 'INSERT' END,
        CASE WHEN g.tgtype & 16 <> 0 THEN 'UPDATE' END,
        CASE WHEN g.tgtype & 8 <> 0 THEN 'DELETE' END, CASE WHEN g.tgtype & 32 <> 0 THEN 'TRUNCATE' END], ', '),
      'disabled', g.tgenabled = 'D', 'definition', pg_get_triggerdef(g.oid, true)) ORDER BY g.tgname)
    FROM pg_trigger AS g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal)"""


def index_names(condition: str) -> str:
    """Columns or expressions of the index ``x`` whose place ``u.n`` fits the condition."""
    return f"""(
      SELECT json_agg(json_build_object('name', coalesce(ia.attname::text, pg_get_indexdef(x.indexrelid, u.n, true)),
        'descending', coalesce(x.indoption[u.n - 1] & 1 = 1, false)) ORDER BY u.n)
      FROM generate_series(1, x.indnatts) AS u (n)
      LEFT JOIN pg_attribute AS ia ON ia.attrelid = x.indrelid AND ia.attnum = x.indkey[u.n - 1] AND x.indkey[u.n - 1] <> 0
      WHERE {condition})"""


INDEXES = f"""(
    SELECT json_agg(json_build_object('name', i.relname, 'kind', am.amname, 'unique', x.indisunique,
      'primary_key', x.indisprimary,
      'unique_constraint', EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.oid AND k.contype = 'u'),
      'columns', {index_names("u.n <= x.indnkeyatts")}, 'included', {index_names("u.n > x.indnkeyatts")},
      'filter', pg_get_expr(x.indpred, x.indrelid, true), 'disabled', NOT x.indisvalid,
      'fill_factor', (SELECT r.option_value FROM pg_options_to_table(i.reloptions) AS r WHERE r.option_name = 'fillfactor'),
      'size_kb', CASE i.relkind WHEN 'i' THEN pg_relation_size(i.oid)
        ELSE (SELECT sum(pg_relation_size(t.relid)) FROM pg_partition_tree(i.oid) AS t)::bigint END / 1024,
      'scans', CASE WHEN i.relkind = 'i' THEN v.idx_scan END, 'last_used', to_jsonb(v) ->> 'last_idx_scan',
      'storage', (SELECT ts.spcname FROM pg_tablespace AS ts WHERE ts.oid = i.reltablespace),
      'definition', pg_get_indexdef(i.oid)) ORDER BY x.indisprimary DESC, i.relname)
    FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_am AS am ON am.oid = i.relam
    LEFT JOIN pg_stat_all_indexes AS v ON v.indexrelid = i.oid
    WHERE x.indrelid = c.oid)"""

# The partitions right below a table; those further down belong to their own parents.
PARTITIONS = f"""(
    SELECT json_agg(json_build_object('partition', c.relname, 'boundary', pg_get_expr(c.relpartbound, c.oid),
      'rows', {ROWS}, 'size_kb', {SIZE_KB}) ORDER BY c.relname)
    FROM pg_inherits AS h JOIN pg_class AS c ON c.oid = h.inhrelid WHERE h.inhparent = o.oid AND c.relispartition)"""
