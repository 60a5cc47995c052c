"""The gate for query text: is it exactly one statement that is certainly a read?

Default-deny, in this order: limits, the dialect's tokens, its rules, then a second opinion by sqlglot's parser, which
can only refuse. The text that was judged is the text that must run. Rules and tables live in ``dialects/*/read_only.py``.
"""

from __future__ import annotations

import functools
import importlib
import re
from dataclasses import dataclass

from .dialects.reading import MAX_CHARACTERS, Grammar, Reading, Unreadable, fold

_NEVER = re.compile("[\x00\ud800-\udfff]")
WRITES_ARE_OFF = "This server only reads: send one SELECT at a time. ENABLE_WRITE_QUERIES=true lets the owner allow more."


@dataclass(frozen=True)
class Verdict:
    """Whether a statement may run as a read; if not, why, where (character offset) and what to do instead."""

    allowed: bool
    reason: str = ""
    position: int | None = None
    advice: str = ""


def judge(dialect_name: str, sql: str, *, outside_functions: frozenset[str] = frozenset()) -> Verdict:
    """The verdict on ``sql``. ``outside_functions`` are the names learnt from the database at connect."""
    return judge_by(grammar_of(dialect_name), sql, outside_functions=outside_functions)


def judge_plan(
    dialect_name: str, sql: str, *, writes: bool = False, outside_functions: frozenset[str] = frozenset()
) -> Verdict:
    """The verdict on a statement whose estimated plan is wanted: a query that passes the gate or, with ``writes``, one INSERT,
    UPDATE, DELETE or MERGE."""
    grammar = grammar_of(dialect_name)
    verdict = judge_by(grammar, sql, outside_functions=outside_functions)
    try:
        reading = Reading(sql, grammar.tokenize(sql)) if len(sql) <= MAX_CHARACTERS else None
    except Unreadable:
        return verdict
    if reading is None or not reading.tokens:
        return verdict
    if reading.key(reading.first) in ("explain", "show"):
        return Verdict(False, "only a query has a plan", 0, "Send the query itself, without EXPLAIN.")
    if writes and not verdict.allowed and grammar.one_change(reading):
        return Verdict(True)
    return verdict


def judge_by(grammar: Grammar, sql: str, *, outside_functions: frozenset[str] = frozenset()) -> Verdict:
    """The verdict by a given grammar. Never raises: what cannot be read for certain is refused."""
    try:
        return _judge(grammar, sql, outside_functions)
    except Unreadable as error:
        return Verdict(False, error.reason, error.position, error.advice or WRITES_ARE_OFF)
    except RecursionError:
        return Verdict(False, "the statement is nested too deep to be judged", None, "Simplify it.")


@functools.cache
def grammar_of(dialect_name: str) -> Grammar:
    """The grammar of reads of a dialect."""
    module = importlib.import_module(f".dialects.{dialect_name}.read_only", __package__)
    grammar: Grammar = module.GRAMMAR
    return grammar


def _judge(grammar: Grammar, sql: str, outside_functions: frozenset[str]) -> Verdict:
    if len(sql) > MAX_CHARACTERS:
        reason = f"the text is longer than {MAX_CHARACTERS:,} characters"
        return Verdict(False, reason, None, "Shorten it, or pass values as parameters.")
    if odd := _NEVER.search(sql):
        reason = "the text holds a NUL or half a surrogate pair, which drivers may change or cut at"
        return Verdict(False, reason, odd.start(), "Leave the character out, or pass the value as a parameter.")
    tokens = grammar.tokenize(sql)
    if not tokens:
        return Verdict(False, "there is no statement", None, "Send one SELECT.")
    learnt = frozenset(map(fold, outside_functions))
    reading = Reading(sql, tokens, learnt.union(map(str.rstrip, learnt)))  # SQL Server overlooks blanks behind a name
    return broken_rule(grammar, reading) or second_opinion(grammar, reading) or Verdict(True)


def broken_rule(grammar: Grammar, reading: Reading) -> Verdict | None:
    """The refusal of the first rule that objects."""
    table = grammar.by_trigger
    for rule in table.get("", ()):
        if reason := rule.check(reading, 0):
            return Verdict(False, reason, reading.tokens[0].start, rule.advice or WRITES_ARE_OFF)
    for index, token in enumerate(reading.tokens):
        for rule in table.get(token.key, ()):
            if reason := rule.check(reading, index):
                return Verdict(False, reason, token.start, rule.advice or WRITES_ARE_OFF)
    return None


def second_opinion(grammar: Grammar, reading: Reading) -> Verdict | None:
    """What sqlglot's parser says to the statement's outline: a refusal unless it reads one statement, and that a query."""
    outline = grammar.outline(reading)
    if not outline:
        return None
    try:
        parser = importlib.import_module(".dialects.parser", __package__)
    except ImportError as error:
        return Verdict(False, f"the parser that has to agree is not installed ({error})", None, "Install sqlglot.")
    problem: str = parser.problem(outline, grammar.parser)
    return Verdict(False, problem, None, "Check the syntax, or write it more plainly.") if problem else None
