"""Statement text as the read-only gate sees it: tokens, where parentheses open and close, and rules over them.

A dialect's ``tokens.py`` cuts text exactly as its server does, or raises ``Unreadable``; its ``read_only.py`` holds the
rules. A rule looks at one token in its surroundings and answers with the reason for a refusal, or None. Rules are named
data, so that a test can leave one out and show what gets through without it.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

WORD = "word"  # a bare word: keyword or name
NAME = "name"  # a quoted name; never a keyword
STRING = "string"
NUMBER = "number"
MARK = "mark"  # everything else: operators, commas, parentheses, parameters

MAX_CHARACTERS = 250_000
MAX_DEPTH = 200
NO_GROUP = -1

_WITHOUT_WEIGHT = dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0))
_ASCII_TWINS = str.maketrans({
    "\u0131": "i", "\u0130": "i", "\u00e6": "ae", "\u0153": "oe", "\u00f8": "o", "\u0111": "d", "\u00f0": "d", "\u0142": "l",
    "\u0127": "h", "\u00fe": "th", "\u00df": "ss",
})  # fmt: skip


class Token(NamedTuple):
    """One token. ``key`` is what rules compare: a bare word in lower case, a quoted name's content in lower case
    behind a double quote, the characters of a mark, else the kind. ``name`` is the lower-case name of a word or name."""

    kind: str
    key: str
    name: str
    start: int
    end: int


class Unreadable(Exception):
    """The text cannot be cut into tokens with certainty, or must not be; ``position`` is a character offset."""

    def __init__(self, reason: str, position: int, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position
        self.advice = advice


def fold(name: str) -> str:
    """A name as rules compare it: lower case, and for other than ASCII also without what a collation may overlook
    (width, accents, characters without weight), since a server may find ``pg_sleep`` under another spelling."""
    if name.isascii():
        return name.lower()
    lowered = name.translate(_ASCII_TWINS).casefold().translate(_ASCII_TWINS)
    plain = "".join(
        sign
        for sign in unicodedata.normalize("NFKD", lowered.translate(_WITHOUT_WEIGHT)).casefold()
        if not unicodedata.combining(sign)
    )
    kept = "".join(sign for sign in plain if sign.isascii() or unicodedata.category(sign)[0] in "LN")
    return kept if kept.isascii() else "".join(sign for sign in kept if sign.isascii()) + "\u00b7" + kept


def quoted_end(text: str, start: int, quote: str) -> int:
    """Where a quoted piece ends whose content begins at ``start``; a doubled quote stands for itself. -1: never."""
    while True:
        end = text.find(quote, start)
        if end < 0 or text[end + 1 : end + 2] != quote:
            return end + 1 if end >= 0 else -1
        start = end + 2


class Reading:
    """A statement cut into tokens, with the shape of its parentheses.

    ``outer[i]`` is the index of the opening parenthesis or bracket around token i (NO_GROUP outside of all), ``partner[i]``
    the index of the closing one for one that opens, and the reverse. ``first`` and ``last`` are the outermost tokens but for
    semicolons.
    """

    def __init__(self, text: str, tokens: list[Token], outside_functions: frozenset[str] = frozenset()) -> None:
        self.text = text
        self.tokens = tokens
        self.outside_functions = outside_functions
        self.outer: list[int] = []
        self.partner: dict[int, int] = {}
        self.seen: Counter[object] = Counter()  # what rules have counted so far; tokens are judged in order
        self.first, self.last = self._edges()
        self.end = Token("end", "", "", len(text), len(text))
        self._pair()

    def _edges(self) -> tuple[int, int]:
        """The indexes of the first and the last token that is no semicolon."""
        kept = [index for index, token in enumerate(self.tokens) if token.key != ";"]
        return (kept[0], kept[-1]) if kept else (0, -1)

    def _pair(self) -> None:
        pairs = {")": "(", "]": "["}
        stack: list[int] = []
        for index, token in enumerate(self.tokens):
            key = token.key
            if key in pairs:
                if not stack or self.tokens[stack[-1]].key != pairs[key]:
                    raise Unreadable(f"'{key}' closes nothing", token.start)
                self.partner[index] = stack[-1]
                self.partner[stack.pop()] = index
            self.outer.append(stack[-1] if stack else NO_GROUP)
            if key in ("(", "["):
                stack.append(index)
                if len(stack) > MAX_DEPTH:
                    raise Unreadable(f"parentheses are nested more than {MAX_DEPTH} deep", token.start)
        if stack:
            raise Unreadable("a parenthesis is not closed", self.tokens[stack[-1]].start)

    def at(self, index: int) -> Token:
        """The token there; the end token past either end."""
        return self.tokens[index] if 0 <= index < len(self.tokens) else self.end

    def key(self, index: int) -> str:
        """The key of the token there, empty past either end."""
        return self.tokens[index].key if 0 <= index < len(self.tokens) else ""

    def kind(self, index: int) -> str:
        """The kind of the token there."""
        return self.at(index).kind

    def is_name(self, index: int) -> bool:
        """True for a bare word or a quoted name."""
        return self.kind(index) in (WORD, NAME)

    def chain(self, last: int) -> list[str]:
        """The parts of the dotted name that ends at token ``last``, outermost first; an empty part between two dots is ''."""
        parts = [self.at(last).name]
        index = last - 1
        while self.key(index) == ".":
            index -= 1
            if self.is_name(index):
                parts.append(self.at(index).name)
                index -= 1
            else:
                parts.append("")
        return parts[::-1]

    def chain_start(self, last: int) -> int:
        """The index of the first token of the dotted name that ends at token ``last``."""
        index = last
        while self.key(index - 1) == ".":
            index -= 1
            while self.key(index - 1) == ".":
                index -= 1
            if not self.is_name(index - 1):
                return index
            index -= 1
        return index

    def callee(self, opening: int) -> str:
        """The last name before an opening parenthesis, when that is a word or a name directly before it; else ''."""
        return self.at(opening - 1).name if opening > 0 and self.is_name(opening - 1) else ""

    def inside(self, opening: int) -> Iterator[int]:
        """The indexes of the tokens directly in the group that opens there, those of inner groups left out."""
        index = opening + 1
        while index < self.partner[opening]:
            yield index
            index = self.partner[index] + 1 if self.tokens[index].key in ("(", "[") else index + 1


Check = Callable[[Reading, int], "str | None"]


@dataclass(frozen=True)
class Rule:
    """One thing a read never holds. ``triggers`` are the token keys it wants to see (empty: the first token only);
    ``check`` gives the reason for refusing, or None; ``advice`` says what to do instead."""

    name: str
    check: Check
    triggers: frozenset[str] = frozenset()
    advice: str = ""


@dataclass(frozen=True)
class Grammar:
    """How a dialect's reads look: the cutter, the rules, and the text of a statement as the second parser reads it."""

    name: str
    tokenize: Callable[[str], list[Token]]
    rules: tuple[Rule, ...]
    outline: Callable[[Reading], str]
    parser: str  # sqlglot's name of the dialect
    one_change: Callable[[Reading], bool]  # is it one INSERT, UPDATE, DELETE or MERGE for certain?
    by_trigger: Mapping[str, tuple[Rule, ...]] = field(init=False)

    def __post_init__(self) -> None:
        table: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            for key in rule.triggers or ("",):
                table[key] = (*table.get(key, ()), rule)
        object.__setattr__(self, "by_trigger", table)
