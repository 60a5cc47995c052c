"""What a PostgreSQL database holds, as its own catalogue tells: the judge of whether a statement changed anything."""

from __future__ import annotations

import time

import psycopg

STATE = """
SELECT
  (SELECT md5(coalesce(string_agg(c.relname || ':' || c.relkind::text || ':' || c.relfilenode, ',' ORDER BY c.oid), ''))
   FROM pg_class c WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
     AND NOT pg_is_other_temp_schema(c.relnamespace)),
  (SELECT md5(string_agg(p.proname, ',' ORDER BY p.oid)) FROM pg_proc p),
  (SELECT md5(string_agg(r.rolname || r.rolsuper::text || coalesce(r.rolconfig::text, ''), ',' ORDER BY r.oid))
   FROM pg_roles r),
  (SELECT md5(coalesce(string_agg(n.nspname || coalesce(n.nspacl::text, ''), ',' ORDER BY n.oid), ''))
   FROM pg_namespace n WHERE n.nspname !~ '^pg_(toast_)?temp'),
  (SELECT md5(coalesce(string_agg(s.setrole || ':' || s.setdatabase || ':' || s.setconfig::text, ','), ''))
   FROM pg_db_role_setting s),
  (SELECT count(*) FROM pg_largeobject_metadata),
  (SELECT count(*) FROM pg_replication_slots),
  (SELECT count(*) FROM pg_replication_origin),
  (SELECT count(*) FROM pg_prepared_xacts),
  (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
  (SELECT count(*) FROM pg_extension),
  (SELECT count(*) FROM pg_database),
  (SELECT md5(string_agg(name || '=' || setting, ',' ORDER BY name)) FROM pg_settings WHERE source = 'configuration file'),
  (SELECT md5(string_agg(coalesce(d.description, ''), ',')) FROM pg_description d WHERE d.objoid >= 16384)
"""
TABLES = """
SELECT format('%I.%I', n.nspname, c.relname), c.relkind
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1
"""
ROWS = "count(*), md5(coalesce(string_agg(x::text, ',' ORDER BY x::text), ''))"


def state(admin: psycopg.Connection[tuple[object, ...]]) -> tuple[object, ...]:
    """A picture of all that a statement could change: objects, roles, settings, locks, every row of every table, sequences."""
    found: list[object] = list(admin.execute(STATE).fetchone() or ())
    for table, kind in admin.execute(TABLES).fetchall():
        columns = (
            "last_value, is_called" if kind == "S" else "count(*), md5(coalesce(string_agg(x::text, ',' ORDER BY x::text), ''))"
        )
        found.append((table, *(admin.execute(f"SELECT {columns} FROM {table} x").fetchone() or ())))  # type: ignore[call-overload]
    return tuple(found)


def unchanged(admin: psycopg.Connection[tuple[object, ...]], before: tuple[object, ...], *, seconds: float = 2.0) -> bool:
    """True when the database is as before; a session that just ended gets some seconds to let its locks go."""
    give_up = time.monotonic() + seconds
    while state(admin) != before:
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True
