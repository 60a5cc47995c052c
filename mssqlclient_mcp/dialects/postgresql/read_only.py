"""The rules of PostgreSQL reads.

PostgreSQL separates statements by semicolons alone, and a READ ONLY transaction stops most writes; what it does not stop
(files, other servers, locks, settings, signals, sleeping) is called by functions, so those are judged by name.
"""

from __future__ import annotations

from ..reading import NAME, WORD, Grammar, Reading, Rule
from . import functions, words
from .outline import is_change, outline, query_start
from .tokens import tokenize


def _begins(reading: Reading, _: int) -> str | None:
    if reading.key(0) == "show":
        plain = all(token.kind in (WORD, NAME) or token.key in (".", ";") for token in reading.tokens)
        return None if plain else "SHOW takes the name of one setting"
    first = query_start(reading)
    while reading.key(first) == "(":
        first += 1
    if reading.key(first) in words.QUERY_STARTS:
        return None
    word = reading.text[reading.at(first).start : reading.at(first).end]
    return f"a read begins with SELECT, VALUES, TABLE, WITH, SHOW or EXPLAIN, not with {word or 'nothing'}"


def _separator(reading: Reading, index: int) -> str | None:
    return "a semicolon separates statements, and only one is allowed" if index < reading.last else None


def _into(reading: Reading, index: int) -> str | None:
    return None if reading.key(index - 1) in (".", "as") else "INTO makes or fills a table"


def _changes(reading: Reading, index: int) -> str | None:
    return f"{reading.at(index).name.upper()} changes data" if is_change(reading, index) else None


def _locks(reading: Reading, index: int) -> str | None:
    if reading.key(index - 1) not in (".", "as") and reading.key(index + 1) in ("update", "no", "share", "key"):
        return "a locking clause locks rows against others"
    return None


def _function(reading: Reading, index: int) -> str | None:
    name = reading.callee(index)
    return functions.refusal(name) or None if name else None


def _secret(reading: Reading, index: int) -> str | None:
    return f"{reading.at(index).name} holds password hashes, connection secrets or the server's files"


def _outside(reading: Reading, _: int) -> str | None:
    names = reading.outside_functions
    if not names:
        return None
    for index, token in enumerate(reading.tokens):
        if token.name in names and (reading.key(index + 1) == "(" or reading.key(index - 1) == "."):
            return f"{token.name} runs outside the database's control"
    return None


RULES = (
    Rule("begins as a read", _begins),
    Rule("one statement", _separator, frozenset(";"), "Send one statement at a time."),
    Rule("no INTO", _into, frozenset(("into",))),
    Rule("no change of data", _changes, words.CHANGES, "If it is a column's name, quote it."),
    Rule("no locks on rows", _locks, frozenset(("for",)), "Leave the locking clause out."),
    Rule("functions", _function, frozenset("(")),
    Rule(
        "secrets",
        _secret,
        functions.SECRETS | frozenset('"' + name for name in functions.SECRETS),
        "pg_roles lists roles without their secrets.",
    ),
    Rule("outside functions", _outside),
)


def one_change(reading: Reading) -> bool:
    """True for one INSERT, UPDATE, DELETE or MERGE, with or without a WITH before it."""
    first = reading.key(reading.first)
    if any(token.key == ";" for token in reading.tokens[: reading.last]):
        return False
    changing = (i for i, token in enumerate(reading.tokens) if token.key in words.CHANGES and is_change(reading, i))
    return first in (*words.CHANGES, "with") and next(changing, None) is not None


GRAMMAR = Grammar("postgresql", tokenize, RULES, outline, "postgres", one_change)
