"""Which functions of a database run outside its control: a READ ONLY transaction does not bind them.

Languages that are not trusted (C, internal, plpythonu, ...) can do whatever the server's process can; aggregates are as
good as the functions they are made of, and what an extension wraps around its own is as good as what it wraps (``http_get``
around ``http``). PostgreSQL's own functions (``pg_catalog``) are the gate's business, but a VOLATILE one
that its tables do not know, of a release to come, is refused too. The harmless ones that extensions bring are named here.
"""

from __future__ import annotations

from .functions import ALLOWED, DENIED_FUNCTIONS, DENIED_PREFIXES

HARMLESS = (
    "armor", "dearmor", "decrypt", "encrypt", "gen_random_bytes", "gen_random_uuid", "gen_salt", "hmac",
    "pgp_key_id", "pgp_pub_encrypt", "pgp_pub_encrypt_bytea", "pgp_sym_encrypt", "pgp_sym_encrypt_bytea",
    "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuid_generate_v7", "uuidv7",
    "int_agg_final_array", "int_agg_state", "int_array_aggregate", "normal_rand", "system_rows", "system_time",
    "pg_buffercache_pages", "pg_buffercache_summary", "pg_buffercache_usage_counts", "pg_freespace", "pg_relpages",
    "pg_visibility", "pg_visibility_map", "pg_visibility_map_summary", "pgstatginindex", "pgstathashindex", "pgstatindex",
    "pgstattuple", "pgstattuple_approx", "ssl_cipher", "ssl_is_used", "ssl_version",
    "st_generatepoints", "time_bucket_gapfill", "locf", "interpolate", "approximate_row_count", "show_tablespaces",
    "hypertable_size", "hypertable_detailed_size", "hypertable_index_size", "hypertable_approximate_size",
    "hypertable_approximate_detailed_size", "hypertable_compression_stats", "hypertable_columnstore_stats",
    "chunks_detailed_size", "chunk_compression_stats", "chunk_columnstore_stats", "pg_stat_kcache", "pg_stat_monitor",
    "show_limit", "pg_stat_statements", "pg_stat_statements_info", "postgis_full_version", "postgis_version",
)  # fmt: skip


def _array(names: object) -> str:
    assert isinstance(names, (tuple, list))
    return "ARRAY[" + ", ".join(f"'{name}'" for name in names) + "]"


OUTSIDE_FUNCTIONS = f"""
WITH untrusted AS (
  SELECT p.oid, p.proname::text AS name
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
  WHERE p.provolatile = 'v' AND p.prokind <> 'a'
    AND p.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype,
      'pg_catalog.language_handler'::pg_catalog.regtype, 'pg_catalog.fdw_handler'::pg_catalog.regtype)
    AND CASE WHEN p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
      THEN NOT p.proname::text = ANY ({_array(sorted(ALLOWED | DENIED_FUNCTIONS))})
        AND NOT lower(p.proname::text) ^@ ANY ({_array(DENIED_PREFIXES)})
      ELSE NOT l.lanpltrusted AND NOT p.proname::text = ANY ({_array(HARMLESS)})
    END
), brought AS (
  SELECT p.oid, p.proname::text AS name, d.refobjid AS extension, p.provolatile = 'v' AND p.prokind <> 'a' AS volatile
  FROM pg_catalog.pg_depend AS d
  JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
  WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'e'
    AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
), outside AS (
  SELECT oid, name FROM untrusted
  UNION
  SELECT b.oid, b.name FROM brought AS b
  WHERE b.volatile AND NOT b.name = ANY ({_array(HARMLESS)})
    AND b.extension IN (SELECT w.extension FROM brought AS w JOIN untrusted AS u ON u.oid = w.oid)
)
SELECT name FROM outside
UNION
SELECT p.proname::text
FROM pg_catalog.pg_aggregate AS a
JOIN pg_catalog.pg_proc AS p ON p.oid = a.aggfnoid
JOIN outside AS o ON o.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
ORDER BY name
"""  # noqa: S608 - only the names above and the gate's own tables go in
