"""Whether a T-SQL text is certainly one statement. T-SQL needs no semicolon, so the words decide."""

from __future__ import annotations

from ..reading import WORD, Token, Unreadable
from .tokens import tokenize

# Words that begin a statement. Some have another place inside one; then the text is not certain, which only costs a retry.
_BEGINNING_WORDS = """
    add alter backup begin break bulk checkpoint close commit continue create dbcc deallocate declare delete deny
    disable drop enable end exec execute fetch goto grant if insert kill merge open print raiserror read reconfigure
    restore return revert revoke rollback save select send set setuser shutdown throw truncate update updatetext use
    waitfor while with writetext
"""
_BEGINNINGS = frozenset(_BEGINNING_WORDS.split())

# What a statement of these first words may hold beside them, how often.
_INSIDE: dict[tuple[str, str], tuple[str, ...]] = {
    ("alter", "database"): ("set", "add", "with"),
    ("create", "database"): ("with",),
    ("create", "fulltext"): ("with",),
    ("backup", "database"): ("with",),
    ("backup", "log"): ("with",),
    ("restore", "database"): ("with",),
    ("restore", "log"): ("with",),
}


def is_sole_statement(sql: str) -> bool:
    """True when the text holds no second statement for certain."""
    try:
        tokens = tokenize(sql)
    except Unreadable:
        return False
    while tokens and tokens[-1].key == ";":
        tokens.pop()
    if not tokens or any(token.key == ";" for token in tokens) or _word(tokens[0]) not in _BEGINNINGS:
        return False
    words = [_word(token) for token in tokens[1:]]
    allowed = list(_INSIDE.get((_word(tokens[0]), words[0] if words else ""), ()))
    for word in words:
        if word in _BEGINNINGS:
            if word not in allowed:
                return False
            allowed.remove(word)
    return True


def _word(token: Token) -> str:
    return token.name if token.kind == WORD else ""
