"""The thread that asks the database for the health API, with a driver that never comes back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from mssqlclient_mcp import running
from mssqlclient_mcp.alarms import AlarmClock
from mssqlclient_mcp.connection_string import parse
from mssqlclient_mcp.http import probe
from mssqlclient_mcp.http.probe import Prober
from tests.http_servers import wait_until


class StuckConnection:
    """Answers, until it hangs: then nothing brings its call back."""

    usable = True
    database = "d"

    def __init__(self, stuck: threading.Event, let_go: threading.Event) -> None:
        self._stuck = stuck
        self._let_go = let_go
        self.closed = False

    def alive(self) -> bool:
        return True

    def begin(self, *_: object, **__: object) -> None:
        """Nothing to do."""

    def rollback(self) -> None:
        """Nothing to do."""

    def cancel(self) -> None:
        """Helps nobody."""

    def shutdown(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True

    def execute(self, sql: str, parameters: Sequence[object] = (), *, batch: int = 1) -> Any:
        if self._stuck.is_set():
            self._let_go.wait(20)
        return SimpleNamespace(columns=None, rows_affected=0, messages=lambda: (), next_part=lambda: False, close=lambda: None)


def test_a_driver_that_never_comes_back_costs_one_thread_and_not_the_health_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread takes over on a new connection, and the first ends when its driver does."""
    for name, seconds in (("GIVE_UP_AFTER_SECONDS", 0.3), ("LAST_GRACE_SECONDS", 0.1), ("CANCEL_EVERY_SECONDS", 0.05)):
        monkeypatch.setattr(running, name, seconds)
    monkeypatch.setattr(probe, "DEADLINE_SECONDS", 0.3)
    monkeypatch.setattr(probe, "EVERY_SECONDS", 0.05)
    stuck, let_go = threading.Event(), threading.Event()
    made: list[StuckConnection] = []

    def connect(*_: object, **__: object) -> StuckConnection:
        made.append(StuckConnection(stuck, let_go))
        return made[-1]

    alarms = AlarmClock()
    service: Any = SimpleNamespace(
        settings=parse("postgresql://u:p@h/d"), alarms=alarms, dialect=SimpleNamespace(connect=connect)
    )
    prober = Prober(service)
    prober.start()
    try:
        assert wait_until(lambda: prober.standing().reachable, 5)
        stuck.set()
        assert wait_until(lambda: prober.standing().code == "TIMEOUT", 5)
        assert wait_until(lambda: len(made) == 2, 5)
        stuck.clear()
        assert wait_until(lambda: prober.standing().reachable, 5) or len(made) > 2
        let_go.set()
        assert wait_until(lambda: made[0].closed, 5)
        assert wait_until(lambda: sum(one.name == "health-probe" for one in threading.enumerate()) == 1, 5)
        assert prober.standing().reachable
    finally:
        let_go.set()
        prober.close()
        alarms.close()
    assert all(one.closed for one in made)
