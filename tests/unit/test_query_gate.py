"""The gate as a service keeps it: a text may write only when the owner and the caller's right both say so."""

from __future__ import annotations

import pytest

from mssqlclient_mcp.errors import InvalidParameter, ReadOnlyViolation
from mssqlclient_mcp.models import StatementKind
from mssqlclient_mcp.query_gate import QueryGate

DIALECTS = ["postgresql", "sqlserver"]
READ, WRITE = "SELECT 1", "DELETE FROM t"


def nothing_outside() -> frozenset[str]:
    """A database without functions of that kind."""
    return frozenset()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("writes", "may_write"), [(False, False), (False, True), (True, False)])
def test_a_write_needs_both_yeses(dialect: str, writes: bool, may_write: bool) -> None:
    """One of them alone is a no, for running and for planning; the scope is named where it is what lacks."""
    gate = QueryGate(dialect, writes=writes)
    for ask in (gate.kind, gate.pass_plan):
        with pytest.raises(ReadOnlyViolation) as refused:
            ask(None, WRITE, nothing_outside, may_write=may_write)
        assert refused.value.details.get("scope") == ("db:write" if writes else None)
        assert ask(None, READ, nothing_outside, may_write=may_write) is StatementKind.READ
    with pytest.raises(ReadOnlyViolation):
        gate.kind_yet(None, WRITE, may_write=may_write)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_who_does_not_say_may_not(dialect: str) -> None:
    """A caller that nobody knows anything of reads only."""
    gate = QueryGate(dialect, writes=True)
    for refusal in (
        lambda: gate.kind(None, WRITE, nothing_outside),
        lambda: gate.pass_plan(None, WRITE, nothing_outside),
        lambda: gate.kind_yet(None, WRITE),
    ):
        with pytest.raises(ReadOnlyViolation):
            refusal()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_with_both_a_read_is_still_a_read(dialect: str) -> None:
    """It runs in a transaction that cannot write, whoever sends it."""
    gate = QueryGate(dialect, writes=True)
    assert gate.kind(None, READ, nothing_outside, may_write=True) is StatementKind.READ
    assert gate.kind(None, WRITE, nothing_outside, may_write=True) is StatementKind.WRITE
    assert gate.pass_plan(None, WRITE, nothing_outside, may_write=True) is StatementKind.WRITE


def test_advice_of_a_rule_stays_beside_the_scope() -> None:
    """Where a read was refused for how it is written, the way to write it is worth more than the scope."""
    gate = QueryGate("postgresql", writes=True)
    with pytest.raises(ReadOnlyViolation) as refused:
        gate.kind(None, "SELECT '\x00'", nothing_outside)
    assert refused.value.next_step.startswith("Leave the character out")
    assert "db:write" in refused.value.next_step


def test_an_empty_text_is_no_statement() -> None:
    """For nobody."""
    gate = QueryGate("postgresql", writes=True)
    with pytest.raises(InvalidParameter):
        gate.kind(None, " \n", nothing_outside, may_write=True)
