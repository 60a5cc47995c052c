"""The gate's memory: the same verdicts, each found once."""

from __future__ import annotations

import pytest

from mssqlclient_mcp import read_only
from mssqlclient_mcp.gate_memory import LONGEST_TEXT, MOST_VERDICTS, Verdicts

NOBODY: frozenset[str] = frozenset()


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that reached the gate."""
    seen: list[str] = []
    judge = read_only.judge

    def watched(dialect_name: str, sql: str, *, outside_functions: frozenset[str] = NOBODY) -> read_only.Verdict:
        seen.append(sql)
        return judge(dialect_name, sql, outside_functions=outside_functions)

    monkeypatch.setattr(read_only, "judge", watched)
    return seen


@pytest.mark.parametrize("sql", ["SELECT 1", "DELETE FROM t", "SELECT", ""])
def test_a_text_that_comes_again_is_judged_once(judged: list[str], sql: str) -> None:
    """The verdict is the gate's own, the first time and later."""
    verdicts = Verdicts("postgresql")
    first, again = verdicts.of(sql, NOBODY), verdicts.of(sql, frozenset())
    assert first == again == read_only.judge("postgresql", sql)
    assert judged == [sql, sql]  # once by each of the two


def test_what_the_database_taught_since_counts(judged: list[str]) -> None:
    """A function that turns out to run outside the database's control is refused from then on."""
    verdicts = Verdicts("postgresql")
    assert verdicts.of("SELECT look_outside()", NOBODY).allowed
    assert not verdicts.of("SELECT look_outside()", frozenset({"look_outside"})).allowed
    assert len(judged) == 2


def test_one_letter_makes_another_text() -> None:
    """Nothing is taken for the same that is not the same, spaces and comments included."""
    verdicts = Verdicts("sqlserver")
    assert verdicts.of("SELECT 1 -- DELETE FROM t", NOBODY).allowed
    assert not verdicts.of("SELECT 1 --\nDELETE FROM t", NOBODY).allowed


def test_the_memory_is_bounded(judged: list[str]) -> None:
    """Long texts are not kept, and of the short ones only the latest."""
    verdicts = Verdicts("postgresql")
    long = "SELECT 1" + " " * LONGEST_TEXT
    assert verdicts.of(long, NOBODY) == verdicts.of(long, NOBODY)
    assert len(judged) == 2
    for number in range(MOST_VERDICTS + 1):
        verdicts.of(f"SELECT {number}", NOBODY)
    verdicts.of("SELECT 0", NOBODY)
    assert judged[-1] == "SELECT 0"
