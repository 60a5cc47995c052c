"""Catalogue SQL about what functions and procedures take.

Sources: "pg_proc", "pg_type", "pg_enum", "pg_range" and "System Information Functions" of PostgreSQL's documentation.
"""

from __future__ import annotations

ROUTINES = """
WITH found AS (
  SELECT p.oid, (n.nspname = $1::text) AS same_schema, (p.proname = $2::text) AS same_name
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  WHERE p.proname IN ($2::text, lower($2::text))
    AND CASE WHEN $1::text IS NULL THEN pg_function_is_visible(p.oid) ELSE n.nspname IN ($1::text, lower($1::text)) END),
target AS (
  SELECT f.oid, rank() OVER (ORDER BY f.same_schema DESC NULLS LAST, f.same_name DESC) AS place FROM found AS f)
SELECT n.nspname AS schema_name, p.proname AS name, p.prokind::text AS kind, p.proretset AS returns_set,
  p.prorettype::bigint AS return_type, pg_get_function_result(p.oid) AS returns,
  (SELECT json_agg(json_build_object(
      'name', p.proargnames[a.place], 'mode', coalesce(p.proargmodes[a.place]::text, 'i'), 'type', a.type::bigint,
      'default', pg_get_function_arg_default(p.oid, a.place::int)) ORDER BY a.place)
    FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS a(type, place))::text AS arguments
FROM target JOIN pg_catalog.pg_proc AS p ON p.oid = target.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE target.place = 1
ORDER BY p.pronargs, p.oid
"""

# What the types asked for are made of: bases of domains, items of arrays, fields of composites, ends of ranges.
_PARTS_OF_TYPES = """SELECT part.oid
  FROM wanted JOIN pg_catalog.pg_type AS t ON t.oid = wanted.oid
  CROSS JOIN LATERAL (
    SELECT t.typbasetype WHERE t.typtype = 'd'
    UNION ALL SELECT t.typelem WHERE t.typelem <> 0 AND t.typlen = -1
    UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range AS r WHERE t.typtype = 'r' AND r.rngtypid = t.oid
    UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
      WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS part(oid)"""


def wanted_types(source: str) -> str:
    """The CTE ``wanted``: the types that ``source`` selects, and all that they are made of. Needs WITH RECURSIVE."""
    return f"""wanted(oid) AS (
  {source}
  UNION
  {_PARTS_OF_TYPES})"""


# With the modifier -1 a name says no length: "bpchar", where NULL gives "character", which is character(1).
TYPE_ROWS = """SELECT t.oid::bigint AS oid, t.typname AS name, n.nspname AS schema_name, t.typtype::text AS kind,
  format_type(t.oid, -1) AS text,
  t.typbasetype::bigint AS base, CASE WHEN t.typlen = -1 AND t.typcategory = 'A' THEN t.typelem::bigint END AS element,
  (SELECT r.rngsubtype::bigint FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid) AS subtype,
  (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
    FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid)::text AS labels,
  (SELECT json_agg(json_build_object('name', a.attname, 'type', a.atttypid::bigint) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute AS a
    WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)::text AS fields,
  EXISTS (SELECT FROM pg_catalog.pg_opclass AS o JOIN pg_catalog.pg_am AS m ON m.oid = o.opcmethod
    WHERE o.opcintype = t.oid AND o.opcdefault AND m.amname = 'btree') AS sortable
FROM wanted JOIN pg_catalog.pg_type AS t ON t.oid = wanted.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace"""

TYPES = f"WITH RECURSIVE {wanted_types('SELECT unnest($1::oid[])')}\n{TYPE_ROWS}\n"
