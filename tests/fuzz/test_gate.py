"""No statement that the gate allows changes, leaks or waits, whatever it is put together from."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mssqlclient_mcp.dialects.reading import Grammar, Rule
from mssqlclient_mcp.read_only import grammar_of, judge_by
from tests.fuzz.oracle import Oracle
from tests.fuzz.statements import statements
from tests.read_only_lists import cases

BOUNDED, LONG = 600, 20_000
LEARNT = frozenset({"reach_out"})
GRAMMAR = grammar_of("postgresql")
RULES_ALONE = replace(GRAMMAR, outline=lambda _: "")
REACHES_OUT = "SELECT reach_out('{canary}')"


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("grammar", [GRAMMAR, RULES_ALONE], ids=["the gate", "the rules alone"])
def test_what_is_allowed_changes_nothing(grammar: Grammar, oracle: Oracle, pytestconfig: pytest.Config) -> None:
    """The database's own state is the judge; a fifth of the statements at the least is allowed and runs to its end."""
    long = pytestconfig.getoption("--fuzz", default=False)
    begin = time.monotonic()
    harm, counted = search(grammar, oracle, LONG if long else BOUNDED)
    share = counted["ran"] / counted["built"]
    print(f"\n{dict(counted)}, {share:.0%} allowed and run, {time.monotonic() - begin:.0f} s")
    assert not harm
    assert share >= 0.2


@pytest.mark.timeout(120)
@pytest.mark.parametrize("rule", GRAMMAR.rules, ids=lambda rule: rule.name)
def test_without_any_one_rule_the_search_finds_a_harm(rule: Rule, oracle: Oracle, pytestconfig: pytest.Config) -> None:
    """The search is sharp enough: with one rule left out it finds within a minute what then gets through."""
    if not pytestconfig.getoption("--fuzz", default=False):
        pytest.skip("part of the long search")
    begin = time.monotonic()
    while time.monotonic() - begin < 60:
        harm, counted = search(without(rule), oracle, 500)
        if harm:
            print(f"\nwithout '{rule.name}', after {time.monotonic() - begin:.1f} s: {harm}")
            return
    pytest.fail(f"nothing found in {dict(counted)}")


@pytest.mark.parametrize("rule", GRAMMAR.rules, ids=lambda rule: rule.name)
def test_without_any_one_rule_a_harm_is_found_within_a_minute(rule: Rule, oracle: Oracle) -> None:
    """With one rule left out, a listed statement gets through that the real server shows to change or leak something."""
    lame = without(rule)
    begin = time.monotonic()
    for sql in _dangers(oracle):
        if _passes(lame, sql) and (harm := oracle.judge(sql).harm):
            print(f"\nwithout '{rule.name}', after {time.monotonic() - begin:.1f} s: {harm}: {sql}")
            return
        assert time.monotonic() - begin < 60
    pytest.fail(f"nothing got worse without '{rule.name}'")


def search(grammar: Grammar, oracle: Oracle, examples: int) -> tuple[str, Counter[str]]:
    """The first harm that an allowed statement does (empty: none), and how many were built, allowed and run."""
    counted: Counter[str] = Counter()
    found: list[str] = []

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def build(data: st.DataObject) -> None:
        sql = data.draw(statements(oracle.canary_file))
        counted["built"] += 1
        if not found and _passes(grammar, sql):
            told = oracle.judge(sql)
            counted["allowed"] += 1
            counted["ran"] += told.ran
            if told.harm:
                found.append(f"{told.harm}: {sql}")

    build()
    return (found[0] if found else ""), counted


def without(rule: Rule) -> Grammar:
    """The rules alone, one of them left out."""
    return replace(RULES_ALONE, rules=tuple(kept for kept in GRAMMAR.rules if kept is not rule))


def _dangers(oracle: Oracle) -> list[str]:
    listed = [case.sql for case in cases("refuse", "postgresql") if len(case.sql) < 10_000 and "\x00" not in case.sql]
    return [REACHES_OUT.replace("{canary}", oracle.canary_file), *listed]


def _passes(grammar: Grammar, sql: str) -> bool:
    return judge_by(grammar, sql, outside_functions=LEARNT).allowed
