"""Five hundred sessions with cancels at random moments: every status is true, and nothing is left behind."""

from __future__ import annotations

import gc
import random
import threading
import time
from collections import Counter
from typing import Any

import psutil
import psycopg
import pytest

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.errors import TooManySessions
from mssqlclient_mcp.models import QuerySession, SessionStatus
from tests.sessions_at_work import ME

SESSIONS = 500
SEEN_ACTIVE = 120
ENDLESS = "SELECT count(*) AS n FROM generate_series(1, 100000) a, generate_series(1, 1000000) b"
SHORT = "SELECT n, repeat('x', 50) AS t FROM generate_series(1, 500) n"
ACTIVE = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND application_name LIKE %s"
OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'mssqlclient_mcp%'"


def number(admin: psycopg.Connection[Any], sql: str, *values: object) -> int:
    """The one number that ``sql`` answers."""
    row = admin.execute(sql, values or None).fetchone()
    assert row is not None
    return int(row[0])


def ours_alive() -> list[str]:
    """Threads of the service that still live."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("session", "stopper", "alarms"))]


class Storm:
    """Four threads that start, cancel and watch sessions."""

    def __init__(self, service: DatabaseService, url: str) -> None:
        self.service = service
        self.url = url
        self.seen: Counter[SessionStatus] = Counter()
        self.stopped_while_active = 0
        self.problems: list[str] = []
        self._left = SESSIONS
        self._lock = threading.Lock()

    def run(self) -> None:
        """All of it; returns when the last thread has ended."""
        threads = [threading.Thread(target=self._work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _next(self) -> int | None:
        with self._lock:
            self._left -= 1
            return self._left if self._left >= 0 else None

    def _work(self, seed: int) -> None:
        dice = random.Random(seed)
        with psycopg.connect(self.url, autocommit=True) as admin:
            while (turn := self._next()) is not None:
                if turn < SEEN_ACTIVE:
                    self._cancel_when_active(admin)
                else:
                    self._cancel_at_random(dice)

    def _start(self, sql: str) -> QuerySession:
        while True:
            try:
                return self.service.start_query(ME, None, sql, seconds=60)
            except TooManySessions:
                time.sleep(0.01)

    def _cancel_when_active(self, admin: psycopg.Connection[Any]) -> None:
        told = self._start(ENDLESS)
        name = f"%{told.session_id}"
        limit = time.monotonic() + 20
        while not number(admin, ACTIVE, name):
            if time.monotonic() > limit:
                self.problems.append("never seen active")
                break
            time.sleep(0.002)
        self.service.sessions.cancel_session(ME, told.session_id)
        over = self._ended(told)
        if over.status is not SessionStatus.CANCELLED or number(admin, ACTIVE, name):
            self.problems.append(f"{over.status} {over.error}")
        with self._lock:
            self.stopped_while_active += 1

    def _cancel_at_random(self, dice: random.Random) -> None:
        told = self._start(dice.choice((SHORT, SHORT, "SELECT 1", ENDLESS)))
        never_ends = told.query == ENDLESS
        if never_ends or dice.random() < 0.6:
            time.sleep(dice.random() * 0.03)
            for _ in range(dice.choice((1, 2))):
                self.service.sessions.cancel_session(ME, told.session_id)
        over = self._ended(told)
        if over.status is SessionStatus.FAILED:
            self.problems.append(str(over.error))
        if over.status is SessionStatus.COMPLETED and over.row_count != (500 if told.query == SHORT else 1):
            self.problems.append(f"{over.row_count} rows")

    def _ended(self, told: QuerySession) -> QuerySession:
        session = self.service.sessions.get_session(ME, told.session_id)
        over = threading.Event()
        session.when_over(over.set)
        if not over.wait(20):
            self.problems.append("does not end")
        snapshot = session.snapshot()
        with self._lock:
            self.seen[snapshot.status] += 1
        return snapshot


@pytest.mark.slow
def test_five_hundred_sessions_with_random_cancels_leave_nothing_behind(postgres_url: str) -> None:
    """No thread, no connection, no counted byte, no memory to speak of; a hundred and more were stopped while seen active."""
    process = psutil.Process()
    with (
        psycopg.connect(postgres_url, autocommit=True) as admin,
        DatabaseService(load_config({"DATABASE_URL": postgres_url, "ENABLE_START_QUERY": "true"})) as service,
    ):
        storm = Storm(service, postgres_url)
        began = time.perf_counter()
        memory_before = process.memory_info().rss
        storm.run()
        seconds = time.perf_counter() - began
        assert storm.problems == []
        assert storm.stopped_while_active >= 100
        assert sum(storm.seen.values()) == SESSIONS
        assert service.sessions.running_count == 0
        limit = time.monotonic() + 5
        while number(admin, OURS) and time.monotonic() < limit:
            time.sleep(0.05)
        assert number(admin, OURS) == 0
        assert service.sessions.memory.used_bytes > 0
        gc.collect()
        grown = (process.memory_info().rss - memory_before) / (1 << 20)
    limit = time.monotonic() + 5
    while ours_alive() and time.monotonic() < limit:
        time.sleep(0.05)
    assert ours_alive() == []
    print(
        f"{SESSIONS} sessions in {seconds:.1f} s: { {k.value: v for k, v in storm.seen.items()} }, "
        f"{storm.stopped_while_active} stopped while active, memory +{grown:.1f} MB with all results kept"
    )
    assert grown < 60
