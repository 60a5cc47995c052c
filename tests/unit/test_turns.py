"""Turns: one worker at a time, each in its order, and nobody waits for one that stays away."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from mssqlclient_mcp import turns as turns_module
from mssqlclient_mcp.turns import TURN_SECONDS, Turns


def run(*works: Callable[[], None]) -> None:
    """Each on a thread of its own, to the end."""
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


def test_alone_there_is_nothing_to_wait_for() -> None:
    """One session takes its turn again and again, without a pause, whether or not the last one is over."""
    now = 0.0
    turns = Turns(lambda: now)
    for _ in range(5):
        turns.take("a")
        now += TURN_SECONDS * 0.7


def test_one_works_at_a_time_and_each_gets_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten workers that all have something to do: never two of them at once, and each comes as often as the others."""
    monkeypatch.setattr(turns_module, "TURN_SECONDS", 30.0)  # however slow the machine is, nobody is taken to stay away
    turns, at_work, crowded, order = Turns(), 0, 0, list[int]()

    def work(who: int) -> None:
        nonlocal at_work, crowded
        for _ in range(20):
            turns.take(who)
            at_work += 1
            crowded += at_work > 1
            order.append(who)
            sum(range(2000))
            at_work -= 1
            turns.leave(who)

    run(*(partial(work, who) for who in range(10)))
    assert crowded == 0
    assert sorted(order) == sorted(list(range(10)) * 20)


def test_whoever_stays_away_is_passed_over() -> None:
    """A worker that waits for its database keeps nobody: the next one goes on when the turn is over."""
    turns = Turns()
    turns.take("away")
    began = time.monotonic()
    turns.take("next")
    assert TURN_SECONDS * 0.5 <= time.monotonic() - began < 2
    turns.leave("next")
    turns.take("away")  # back again, and nobody is there


def test_a_turn_given_up_passes_on_at_once() -> None:
    """Who is done does not keep its turn to the end."""
    now = 0.0
    turns = Turns(lambda: now)
    turns.take("first")
    taken = threading.Event()

    def second() -> None:
        turns.take("second")
        taken.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert not taken.wait(0.05)
    turns.leave("first")
    turns.leave("first")
    assert taken.wait(5)
    thread.join()


def test_nobody_is_forgotten_however_late_it_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """With turns shorter than it takes to wake a thread, all go on to the end."""
    monkeypatch.setattr(turns_module, "TURN_SECONDS", 0.0002)
    turns, rounds = Turns(), dict.fromkeys(range(12), 0)
    stop = time.monotonic() + 1.5

    def work(who: int) -> None:
        chance = random.Random(who)
        while time.monotonic() < stop:
            turns.take(who)
            rounds[who] += 1
            time.sleep(chance.choice((0, 0, 0.001)))
            if chance.random() < 0.2:
                turns.leave(who)

    run(*(partial(work, who) for who in rounds))
    assert min(rounds.values()) > 1
