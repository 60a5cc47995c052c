"""Every rule of the gate earns its place: without it, something that is listed as a danger gets through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mssqlclient_mcp.dialects.reading import Grammar, Rule
from mssqlclient_mcp.dialects.sqlserver import words
from mssqlclient_mcp.read_only import grammar_of, judge_by
from tests.read_only_lists import ONLY_THE_PARSER, cases

GRAMMARS = {name: grammar_of(name) for name in ("sqlserver", "postgresql")}
LEARNT = frozenset({"reach_out"})
REACHES_OUT = "SELECT dbo.reach_out(1)"

DOCUMENTED_RESERVED_WORDS = """
    ADD ALL ALTER AND ANY AS ASC AUTHORIZATION BACKUP BEGIN BETWEEN BREAK BROWSE BULK BY CASCADE CASE CHECK CHECKPOINT CLOSE
    CLUSTERED COALESCE COLLATE COLUMN COMMIT COMPUTE CONSTRAINT CONTAINS CONTAINSTABLE CONTINUE CONVERT CREATE CROSS CURRENT
    CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DBCC DEALLOCATE DECLARE DEFAULT DELETE DENY DESC
    DISK DISTINCT DISTRIBUTED DOUBLE DROP DUMP ELSE END ERRLVL ESCAPE EXCEPT EXEC EXECUTE EXISTS EXIT EXTERNAL FETCH FILE
    FILLFACTOR FOR FOREIGN FREETEXT FREETEXTTABLE FROM FULL FUNCTION GOTO GRANT GROUP HAVING HOLDLOCK IDENTITY IDENTITY_INSERT
    IDENTITYCOL IF IN INDEX INNER INSERT INTERSECT INTO IS JOIN KEY KILL LEFT LIKE LINENO LOAD MERGE NATIONAL NOCHECK
    NONCLUSTERED NOT NULL NULLIF OF OFF OFFSETS ON OPEN OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OPTION OR ORDER OUTER OVER
    PERCENT PIVOT PLAN PRECISION PRIMARY PRINT PROC PROCEDURE PUBLIC RAISERROR READ READTEXT RECONFIGURE REFERENCES REPLICATION
    RESTORE RESTRICT RETURN REVERT REVOKE RIGHT ROLLBACK ROWCOUNT ROWGUIDCOL RULE SAVE SCHEMA SECURITYAUDIT SELECT
    SEMANTICKEYPHRASETABLE SEMANTICSIMILARITYDETAILSTABLE SEMANTICSIMILARITYTABLE SESSION_USER SET SETUSER SHUTDOWN SOME
    STATISTICS SYSTEM_USER TABLE TABLESAMPLE TEXTSIZE THEN TO TOP TRAN TRANSACTION TRIGGER TRUNCATE TRY_CONVERT TSEQUAL UNION
    UNIQUE UNPIVOT UPDATE UPDATETEXT USE USER VALUES VARYING VIEW WAITFOR WHEN WHERE WHILE WITH WITHIN WRITETEXT
"""


def alone(grammar: Grammar) -> Grammar:
    """The rules without the second parser, which would hide what a missing rule lets through."""
    return replace(grammar, outline=lambda _: "")


def without(grammar: Grammar, rule: Rule) -> Grammar:
    """The grammar without one rule."""
    return replace(grammar, rules=tuple(kept for kept in grammar.rules if kept is not rule))


def let_through(grammar: Grammar) -> list[str]:
    """The dangers that pass."""
    short = {"sqlserver": "tsql"}.get(grammar.name, grammar.name)
    dangers = [case.sql for case in cases("refuse", grammar.name) if case.family != ONLY_THE_PARSER and len(case.sql) < 10_000]
    passed = [sql for sql in dangers if judge_by(grammar, sql).allowed]
    if judge_by(grammar, REACHES_OUT, outside_functions=LEARNT).allowed:
        passed.append(REACHES_OUT)
    assert dangers, short
    return passed


@pytest.mark.parametrize("name", GRAMMARS)
def test_the_rules_alone_refuse_every_danger(name: str) -> None:
    """The second parser is a net under the rules: nothing listed but plain disorder depends on it."""
    assert let_through(alone(GRAMMARS[name])) == []


@pytest.mark.parametrize(("name", "rule"), [(name, rule) for name, g in GRAMMARS.items() for rule in g.rules], ids=str)
def test_without_any_one_rule_a_danger_passes(name: str, rule: Rule) -> None:
    """No rule is there for show."""
    passed = let_through(without(alone(GRAMMARS[name]), rule))
    print(f"\n{name}, without '{rule.name}': {len(passed)} dangers pass, such as {passed[:1]}")
    assert passed


@pytest.mark.parametrize("name", GRAMMARS)
def test_without_the_second_parser_disorder_passes(name: str) -> None:
    """The parser's part: text whose words are harmless but which is no statement this project knows."""
    disorder = [case.sql for case in cases("refuse", name) if case.family == ONLY_THE_PARSER]
    assert disorder
    assert all(judge_by(alone(GRAMMARS[name]), sql).allowed for sql in disorder)


def test_every_reserved_word_of_tsql_is_decided() -> None:
    """The documented reserved words, each exactly once in the tables."""
    assert frozenset(DOCUMENTED_RESERVED_WORDS.lower().split()) == words.RESERVED
    assert not words.NO_PLACE & words.IN_READS


@pytest.mark.parametrize("word", sorted(words.RESERVED - {"select", "with", "rowguidcol", "identitycol"}))
def test_no_reserved_word_can_follow_a_whole_select_as_a_statement(word: str) -> None:
    """``SELECT 1 WORD x`` is refused for each reserved word that may begin a statement, or could one day."""
    clauses = {"as", "collate", "except", "for", "from", "group", "having", "intersect", "order", "option", "union", "where"}
    operators = {"and", "or", "in", "is", "like", "between", "not", "escape", "over", "within"}
    assert word in clauses | operators or not judge_by(GRAMMARS["sqlserver"], f"SELECT 1 {word.upper()} x y z").allowed
