"""The head of a procedure's definition: parameters with their defaults, which SQL Server keeps nowhere else.

Source of the grammar: "CREATE PROCEDURE (Transact-SQL)". The text is the server's own, so it is known to be valid; what is
not understood ends the reading, and then nothing is claimed about what follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class TokenKind(str, Enum):
    """What a token is."""

    WORD = "word"
    VARIABLE = "variable"
    STRING = "string"
    NAME = "name"  # in brackets or double quotes
    NUMBER = "number"
    HEX = "hex"
    MONEY = "money"
    MARK = "mark"


@dataclass(frozen=True)
class Token:
    """A token of the text; ``value`` is its content without quotes."""

    kind: TokenKind
    value: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """True for one of these keywords."""
        return self.kind is TokenKind.WORD and self.value.upper() in words

    def is_mark(self, mark: str) -> bool:
        """True for this sign."""
        return self.kind is TokenKind.MARK and self.value == mark


_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\r\n]*)
    |(?P<comment>/\*)
    |(?P<string>[nN]?'(?:[^']|'')*')
    |(?P<name>\[(?:[^\]]|\]\])*\]|"(?:[^"]|"")*")
    |(?P<variable>@[@\w$\#]*)
    |(?P<hex>0[xX](?:[0-9a-fA-F]|\\\r?\n)*)
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d*)?)
    |(?P<money>[$\u00a3\u00a2\u00a4\u00a5\u20a0-\u20bf]\s?[+-]?(?:\d+(?:,\d+)*(?:\.\d*)?|\.\d+)?)
    |(?P<word>[^\W\d][\w@$\#]*|\#[\w@$\#]*)
    |(?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


class DefaultKind(str, Enum):
    """What a default is made of."""

    NULL = "null"
    STRING = "string"
    NUMBER = "number"
    BINARY = "binary"
    EXPRESSION = "expression"  # a function, a global variable: only the server knows its value


@dataclass(frozen=True)
class Default:
    """A default as it is written, and its value (None for NULL and for an expression)."""

    text: str
    kind: DefaultKind
    value: object = None

    @property
    def is_constant(self) -> bool:
        """True when the value is known without asking the server."""
        return self.kind is not DefaultKind.EXPRESSION


@dataclass(frozen=True)
class HeaderParameter:
    """A parameter as it is declared."""

    name: str
    type_text: str
    default: Default | None
    output: bool
    readonly: bool


def parse_header(definition: str) -> tuple[HeaderParameter, ...] | None:
    """The parameters of ``CREATE [OR ALTER] PROCEDURE``; None when the text is no such definition or cannot be read."""
    try:
        return _Reader(tokenize(definition), definition).parameters()
    except _NotUnderstood:
        return None


def read_default(text: str) -> Default | None:
    """A default that stands alone, as ``HeaderParameter.default.text`` gives it."""
    found = parse_header(f"CREATE PROCEDURE p @p sql_variant = {text} AS")
    return found[0].default if found else None


def tokenize(text: str) -> list[Token]:
    """The tokens of a T-SQL text, without comments (which nest) and white space."""
    tokens: list[Token] = []
    position = 0
    while match := _TOKEN.match(text, position):
        position = match.end()
        kind = match.lastgroup or "mark"
        if kind == "comment":
            position = _comment_end(text, position)
        elif kind != "space":
            tokens.append(Token(TokenKind(kind), _content(kind, match.group()), match.start(), position))
    return tokens


def _comment_end(text: str, position: int) -> int:
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(text, position)):
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
    return len(text) if depth else position


def _content(kind: str, text: str) -> str:
    if kind == "string":
        return text[text.index("'") + 1 : -1].replace("''", "'")
    if kind == "name":
        return text[1:-1].replace(text[-1] * 2, text[-1])
    return text


class _NotUnderstood(Exception):
    """The text goes on in a way this reader does not know."""


_AFTER_TYPE = ("NULL", "NOT", "OUT", "OUTPUT", "READONLY", "WITH", "FOR", "AS")
_END = Token(TokenKind.MARK, "", 0, 0)


class _Reader:
    """Walks over the tokens of a header."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._at = 0

    def parameters(self) -> tuple[HeaderParameter, ...]:
        self._skip_to_name()
        self._skip_name()
        in_parentheses = self._take_mark("(")
        found: list[HeaderParameter] = []
        while self._now.kind is TokenKind.VARIABLE:
            found.append(self._parameter())
            if not self._take_mark(","):
                break
        if not (self._take_mark(")") if in_parentheses else self._now.is_word("AS", "WITH", "FOR")):
            raise _NotUnderstood
        return tuple(found)

    @property
    def _now(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _next(self) -> Token:
        token = self._now
        self._at += 1
        return token

    def _take_mark(self, mark: str) -> bool:
        if self._now.is_mark(mark):
            self._at += 1
            return True
        return False

    def _take_word(self, *words: str) -> bool:
        if self._now.is_word(*words):
            self._at += 1
            return True
        return False

    def _skip_to_name(self) -> None:
        while self._at < len(self._tokens):
            if self._next().is_word("CREATE", "ALTER"):
                self._take_word("OR")
                self._take_word("ALTER")
                if self._take_word("PROC", "PROCEDURE"):
                    return
        raise _NotUnderstood

    def _skip_name(self) -> None:
        self._one_name()
        while self._take_mark("."):
            self._one_name()
        if self._take_mark(";"):
            self._next()

    def _one_name(self) -> None:
        if self._next().kind not in (TokenKind.WORD, TokenKind.NAME):
            raise _NotUnderstood

    def _parameter(self) -> HeaderParameter:
        name = self._next().value
        self._take_word("AS")
        type_text = self._type()
        if self._take_word("NOT"):
            self._take_word("NULL")
        else:
            self._take_word("NULL")
        default = self._default() if self._take_mark("=") else None
        output = self._take_word("OUT", "OUTPUT")
        return HeaderParameter(name, type_text, default, output, self._take_word("READONLY"))

    def _type(self) -> str:
        """Words and names up to the next clause, with the length in parentheses."""
        start = self._now.start
        end = start
        while self._now.kind in (TokenKind.WORD, TokenKind.NAME) or self._now.is_mark("."):
            if self._now.is_word(*_AFTER_TYPE) and end > start:
                break
            end = self._next().end
        if self._now.is_mark("("):
            end = self._parentheses()
            while self._take_word("VARYING"):
                end = self._tokens[self._at - 1].end
        if end == start:
            raise _NotUnderstood
        return " ".join(self._text[start:end].split())

    def _parentheses(self) -> int:
        """Pass a parenthesis with all inside; its end."""
        depth = 0
        while self._at < len(self._tokens):
            token = self._next()
            depth += token.is_mark("(") - token.is_mark(")")
            if depth == 0:
                return token.end
        raise _NotUnderstood

    def _default(self) -> Default:
        start = self._now.start
        sign = ""
        while self._now.is_mark("-") or self._now.is_mark("+"):
            sign = _negated(sign) if self._next().value == "-" else sign
        token = self._next()
        if token.is_mark("("):
            self._at -= 1
            end = self._parentheses()
            return Default(self._text[start:end], DefaultKind.EXPRESSION)
        if self._now.is_mark("(") or self._now.is_mark("."):
            return self._expression(start)
        return _constant(self._text[start : token.end], token, sign)

    def _expression(self, start: int) -> Default:
        end = self._now.end
        while self._now.is_mark("(") or self._now.is_mark(".") or self._now.kind in (TokenKind.WORD, TokenKind.NAME):
            if self._now.is_mark("("):
                end = self._parentheses()
                break
            end = self._next().end
        return Default(self._text[start:end], DefaultKind.EXPRESSION)


def _negated(sign: str) -> str:
    return "" if sign else "-"


def _constant(text: str, token: Token, sign: str) -> Default:
    if token.is_word("NULL"):
        return Default(text, DefaultKind.NULL)
    if token.kind in (TokenKind.STRING, TokenKind.NAME, TokenKind.WORD):
        return Default(text, DefaultKind.STRING, token.value)  # a bare word is a string: DEFAULT-less T-SQL of old
    if token.kind is TokenKind.HEX:
        digits = re.sub(r"\\\r?\n", "", token.value[2:])
        return Default(text, DefaultKind.BINARY, bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0")))
    if token.kind is TokenKind.NUMBER:
        return Default(text, DefaultKind.NUMBER, _number(sign, token.value))
    if token.kind is TokenKind.MONEY:
        return Default(text, DefaultKind.NUMBER, _money(sign, token.value))
    if token.kind is TokenKind.VARIABLE:
        return Default(text, DefaultKind.EXPRESSION)
    raise _NotUnderstood


def _money(sign: str, text: str) -> object:
    """An amount, whose own sign may stand behind the sign of its currency; without digits it is nothing."""
    digits = re.sub(r"[^\d.]", "", text)
    negative = (sign == "-") != ("-" in text)
    return _number("-" if negative else "", digits if re.search(r"\d", digits) else "0")


def _number(sign: str, text: str) -> object:
    """An int, a Decimal, or a float where the constant has an exponent, as T-SQL takes them."""
    written = sign + text.replace(",", "")
    try:
        if "e" in written.lower():
            mantissa, exponent = re.split("[eE]", written)
            return float(f"{mantissa}e{exponent if exponent.strip('+-') else '0'}")
        return int(written) if written.lstrip("+-").isdigit() else Decimal(written)
    except (ValueError, ArithmeticError) as error:  # signs without digits, such as $-
        raise _NotUnderstood from error
