"""Which functions of a database run outside its control: a READ ONLY transaction does not bind them.

Languages that are not trusted (C, internal, plpythonu, ...) can do whatever the server's process can. PostgreSQL's own
functions (``pg_catalog``) are the gate's business; the harmless ones that extensions bring are named here.
"""

from __future__ import annotations

HARMLESS = (
    "armor", "dearmor", "decrypt", "encrypt", "gen_random_bytes", "gen_random_uuid", "gen_salt", "hmac",
    "pgp_key_id", "pgp_pub_encrypt", "pgp_pub_encrypt_bytea", "pgp_sym_encrypt", "pgp_sym_encrypt_bytea",
    "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuid_generate_v7", "uuidv7",
    "show_limit", "pg_stat_statements", "pg_stat_statements_info", "postgis_full_version", "postgis_version",
)  # fmt: skip

OUTSIDE_FUNCTIONS = f"""
SELECT DISTINCT p.proname::text AS name
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
WHERE p.provolatile = 'v' AND NOT l.lanpltrusted
  AND p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
  AND p.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype,
    'pg_catalog.language_handler'::pg_catalog.regtype, 'pg_catalog.fdw_handler'::pg_catalog.regtype)
  AND NOT p.proname::text = ANY (ARRAY[{", ".join(f"'{name}'" for name in HARMLESS)}])
ORDER BY name
"""  # noqa: S608 - only the names above go in
