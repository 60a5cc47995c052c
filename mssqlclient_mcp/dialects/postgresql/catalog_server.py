"""The statement that asks PostgreSQL 13 and later what it is and what the login may do: one round trip."""

from __future__ import annotations

from collections.abc import Sequence

from ..features import Facts, Probe

SETTINGS = (
    "wal_level", "ssl", "jit", "data_checksums", "row_security", "shared_preload_libraries", "default_transaction_read_only",
    "io_method", "track_io_timing", "compute_query_id", "archive_mode", "password_encryption", "default_toast_compression",
    "max_prepared_transactions", "server_version_num", "server_version", "autovacuum", "event_triggers",
)  # fmt: skip
EXTENSIONS = (
    "pg_stat_statements", "pgcrypto", "postgis", "vector", "pg_trgm", "hstore", "citext", "ltree", "unaccent", "uuid-ossp",
    "postgres_fdw", "dblink", "file_fdw", "pg_cron", "timescaledb", "citus", "pg_partman", "btree_gin", "btree_gist",
    "fuzzystrmatch", "tablefunc", "pg_buffercache", "auto_explain", "pg_prewarm", "amcheck", "plpython3u",
)  # fmt: skip
VENDOR_PREFIXES = ("rds", "aurora", "azure", "cloudsql", "alloydb", "neon", "supabase", "google")
VENDOR_ROLES = (
    "rds_superuser", "rdsadmin", "azure_pg_admin", "azuresu", "cloudsqlsuperuser", "cloudsqladmin", "alloydbsuperuser",
    "supabase_admin", "neon_superuser",
)  # fmt: skip


def _texts(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


SERVER_FACTS = f"""
SELECT version() AS version_text, current_setting('server_version') AS product_version,
  current_setting('server_version_num') AS version_number, current_database() AS database_name,
  session_user::text AS login_name, current_user::text AS user_name, r.rolsuper AS is_superuser,
  r.rolcreaterole AS may_create_roles,
  r.rolcreatedb AS may_create_databases, r.rolreplication AS may_replicate, r.rolbypassrls AS bypasses_row_security,
  pg_is_in_recovery() AS in_recovery, pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS database_collation,
  (SELECT t.datcollate FROM pg_database AS t WHERE t.datname = 'template0') AS server_collation,
  pg_has_role(d.datdba, 'MEMBER') AS is_owner,
  has_database_privilege(d.oid, 'CREATE') AS may_create_schemas, has_database_privilege(d.oid, 'TEMP') AS may_create_temporary,
  EXISTS (SELECT 1 FROM pg_namespace AS n
    WHERE n.nspname !~ '^pg_' AND has_schema_privilege(n.oid, 'CREATE')) AS may_create_tables,
  EXISTS (SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')) AS may_write_tables,
  (SELECT json_agg(g.rolname ORDER BY g.rolname) FROM pg_roles AS g
    WHERE g.rolname <> current_user AND pg_has_role(g.oid, 'MEMBER')) AS roles,
  (SELECT json_agg(s.datname ORDER BY s.datname) FROM pg_database AS s
    WHERE s.datistemplate OR s.datname IN ('postgres', 'rdsadmin', 'azure_maintenance', 'azure_sys', 'cloudsqladmin',
      'alloydbadmin')
  ) AS system_databases,
  (SELECT json_object_agg(s.name, s.setting) FROM pg_settings AS s
    WHERE s.name IN ({_texts(SETTINGS)}) OR split_part(s.name, '.', 1) IN ({_texts(VENDOR_PREFIXES)})) AS settings,
  (SELECT json_object_agg(e.name, coalesce(e.installed_version, '')) FROM pg_available_extensions AS e
    WHERE e.name IN ({_texts(EXTENSIONS)}) OR split_part(e.name, '_', 1) IN ({_texts(VENDOR_PREFIXES)})) AS extensions,
  (SELECT json_agg(v.rolname ORDER BY v.rolname) FROM pg_roles AS v
    WHERE v.rolname IN ({_texts(VENDOR_ROLES)})) AS vendor_roles,
  EXISTS (SELECT 1 FROM pg_proc AS a WHERE a.proname = 'aurora_version') AS has_aurora_version
FROM pg_database AS d CROSS JOIN pg_roles AS r
WHERE d.datname = current_database() AND r.rolname = current_user
"""

CHECK_RIGHTS = """
SELECT count(*) AS tables,
  count(*) FILTER (WHERE has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) AS readable,
  (SELECT bool_or(pg_has_role(current_user, r.oid, 'MEMBER')) FROM pg_roles AS r
    WHERE r.rolname IN ('pg_monitor', 'pg_read_all_stats')) AS monitors
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
"""For the check: what the login may see and read in this database."""

SERVER = Probe("what the server is", SERVER_FACTS)
ALL_PROBES = (SERVER,)


def further_probes(facts: Facts) -> Sequence[Probe]:
    """Nothing more to ask."""
    del facts
    return ()
