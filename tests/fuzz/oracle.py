"""Runs a statement with nothing to hold it back, and tells what came of it.

An administrator's connection, autocommit, the simple protocol (which takes several statements at once): what changes, leaks or
waits here is the fault of whoever allowed the statement.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import psycopg

from tests.state_of_postgres import state, unchanged

CANARY = "canary-7f3a91"
TOO_LONG = "57014"
SETUP = f"""
DROP TABLE IF EXISTS t CASCADE; DROP SEQUENCE IF EXISTS s; DROP PROCEDURE IF EXISTS p; DROP FUNCTION IF EXISTS reach_out;
CREATE TABLE t (id int PRIMARY KEY, name text, "delete" int, doc jsonb DEFAULT '{{"a": 1}}');
INSERT INTO t (id, name, "delete") SELECT n, 'row ' || n, n FROM generate_series(1, 20) n;
CREATE SEQUENCE s;
CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN DELETE FROM t; END';
CREATE FUNCTION reach_out(text) RETURNS text LANGUAGE internal VOLATILE AS 'pg_read_file_all';
CREATE ROLE fuzz_secret PASSWORD '{CANARY}';
"""
SESSION = """
SELECT (SELECT string_agg(name || '=' || setting, ',' ORDER BY name) FROM pg_settings WHERE source = 'session'),
  (SELECT string_agg(c, ',') FROM pg_listening_channels() c), (SELECT count(*) FROM pg_prepared_statements),
  (SELECT count(*) FROM pg_cursors WHERE name <> ''), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
  (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()), current_user, session_user,
  (SELECT coalesce(max(xmax::text::bigint), 0) FROM t)
"""


class Told(NamedTuple):
    """What came of a statement: the harm (empty: none), and whether it ran to its end."""

    harm: str
    ran: bool


class Oracle:
    """A database that is put right again after each harm."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._admin = psycopg.connect(url, autocommit=True)
        self.canary_file = f"{self._one('SHOW data_directory')}/canary.txt"
        self._set_up()

    def __enter__(self) -> Oracle:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()
        with suppress(psycopg.Error):
            self._admin.execute("DROP ROLE fuzz_secret")
        self._admin.close()

    def judge(self, sql: str) -> Told:
        """Run the statement and look at everything."""
        ran, shown, harm = self._run(sql)
        harm = harm or self._changed(shown)
        if harm:
            self._runner.close()
            self._set_up()
        return Told(harm, ran)

    def _run(self, sql: str) -> tuple[bool, str, str]:
        shown: list[str] = []
        try:
            cursor = self._runner.execute(sql.encode())  # bytes: sent as they are, placeholders or not
            while True:
                if cursor.description is not None:
                    shown.append(str(cursor.fetchmany(500)))
                if not cursor.nextset():
                    return True, "".join(shown), ""
        except psycopg.Error as error:
            return False, "".join(shown), "waits until it is cancelled" if error.sqlstate == TOO_LONG else ""

    def _changed(self, shown: str) -> str:
        if CANARY in shown or "SCRAM-SHA-256$" in shown:
            return "reads what is secret"
        if self._runner.closed or self._runner.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            return "leaves a transaction open, or the session"
        try:
            if self._runner.execute(SESSION).fetchone() != self._session:
                return "changes the session"
        except psycopg.Error:
            return "changes what the session sees"
        return "" if unchanged(self._admin, self._state, seconds=0.0) else "changes the database"

    def _set_up(self) -> None:
        with suppress(psycopg.Error):
            self._admin.execute("DROP ROLE IF EXISTS fuzz_secret")
        self._admin.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
        self._admin.execute(f"COPY (SELECT '{CANARY}') TO '{self.canary_file}'")
        self._admin.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self._admin.execute(SETUP)
        self._runner = psycopg.connect(self._url, autocommit=True, prepare_threshold=None)
        self._runner.execute("SET statement_timeout = 700; SET lock_timeout = 300; SET bytea_output = 'escape'")
        self._session = self._runner.execute(SESSION).fetchone()
        self._state = state(self._admin)

    def _one(self, sql: str) -> object:
        row = self._admin.execute(sql).fetchone()
        assert row is not None
        return row[0]
