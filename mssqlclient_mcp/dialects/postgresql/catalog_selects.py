"""Catalogue SQL about what can be read from a table: its columns with their types, and its keys.

Sources: "pg_attribute", "pg_index" and "System Information Functions" of PostgreSQL's documentation.
"""

from __future__ import annotations

from .catalog_parts import TARGET
from .catalog_procedures import TYPE_ROWS, wanted_types

# Since PostgreSQL 18 attnotnull may come of a NOT NULL that is NOT VALID: rows from before it may hold NULL all the same.
_NEVER_NULL = """(a.attnotnull AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS w
        WHERE w.conrelid = a.attrelid AND w.contype = 'n' AND NOT w.convalidated AND w.conkey = ARRAY[a.attnum]))"""

# A key counts when it is checked at once (not deferred), whole (no WHERE), of plain columns that are never NULL, and of all
# rows that a SELECT brings (not so for a parent of inheritance, whose children have their own).
_KEYS = f"""(
    SELECT json_agg(k.columns ORDER BY k.is_primary DESC, k.size, k.oid) FROM (
      SELECT x.indexrelid AS oid, x.indisprimary AS is_primary, x.indnkeyatts AS size,
        json_agg(a.attname ORDER BY u.place) AS columns, count(a.attname) AS found, bool_and{_NEVER_NULL} AS never_null
      FROM pg_catalog.pg_index AS x
      CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS u (number, place)
      LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = u.number AND u.number > 0
      WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indimmediate AND x.indpred IS NULL
        AND u.place <= x.indnkeyatts AND (c.relkind = 'p' OR NOT c.relhassubclass)
      GROUP BY x.indexrelid, x.indisprimary, x.indnkeyatts) AS k
    WHERE k.found = k.size AND k.never_null)"""

READABLE_TABLE = f"""
WITH RECURSIVE {TARGET},
{wanted_types("SELECT a.atttypid FROM target JOIN pg_attribute AS a ON a.attrelid = target.oid WHERE a.attnum > 0")}
SELECT n.nspname AS schema_name, c.relname AS name,
  (SELECT json_agg(json_build_object('name', a.attname, 'type', a.atttypid::bigint,
      'sql_type', format_type(a.atttypid, a.atttypmod), 'nullable', NOT {_NEVER_NULL},
      'readable', has_column_privilege(c.oid, a.attnum, 'SELECT')) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns,
  {_KEYS}::text AS keys,
  (SELECT json_agg(row_to_json(made)) FROM ({TYPE_ROWS}) AS made)::text AS types
FROM target JOIN pg_catalog.pg_class AS c ON c.oid = target.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
"""
