"""Cuts T-SQL into tokens as SQL Server does: nested comments, doubled quotes, brackets, glued numbers, odd white space.

Where SQL Server's reading is not certain (characters without width, line ends that only some take for one), the text is
refused rather than guessed at. Strings and quoted names are cut alike whatever QUOTED_IDENTIFIER says.
"""

from __future__ import annotations

import re
import unicodedata

from ..reading import MARK, NAME, NUMBER, STRING, WORD, Token, Unreadable, fold, quoted_end
from . import words

_SPACE = re.compile(r"[ \t\r\n\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_WORD = re.compile(r"[^\W\d][\w@$#]*|[#][\w@$#]*|@@?[\w@$#]+|\$[^\W\d][\w@$#]*")
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F]*|[$\u00a2-\u00a5\u0e3f\u20a0-\u20bf][ ]?[+-]?(?:\d+\.?\d*|\.\d+)|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d*)?"
)
_MARK = re.compile(r"::|[-+*/%&|^~<>=!,.;:()?]")
_GLUED_MARKER = re.compile(r"[\w@$#]\?|\?[\w@$#]|.\?[\w@$#]", re.DOTALL)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_LINE_ENDS_OF_SOME = re.compile("\r(?!\n)|[\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ANY_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_IN_WORD = re.compile(r"[\w@$#]*")
_KEYWORDS = words.RESERVED | words.STARTERS
_PSEUDO_COLUMNS = frozenset(("$action", "$edge_id", "$from_id", "$identity", "$node_id", "$partition", "$rowguid", "$to_id"))


def tokenize(text: str) -> list[Token]:
    """The tokens of ``text``, comments and white space left out. Raises Unreadable."""
    tokens: list[Token] = []
    position, length = 0, len(text)
    while position < length:
        sign = text[position]
        if match := _SPACE.match(text, position):
            position = match.end()
            continue
        if sign == "-" and text.startswith("--", position):
            position = _line_comment_end(text, position)
            continue
        if sign == "/" and text.startswith("/*", position):
            position = _block_comment_end(text, position)
            continue
        token = _token(text, position, sign)
        tokens.append(token)
        position = token.end
    return tokens


def _token(text: str, position: int, sign: str) -> Token:
    if sign == "'" or (sign in "nN" and text.startswith("'", position + 1)):
        return _string(text, position, position + (1 if sign == "'" else 2))
    if sign in '"[':
        return _quoted_name(text, position, '"' if sign == '"' else "]")
    if match := _WORD.match(text, position):
        return _word(text[position : _word_end(text, match.end())], position)
    if match := _NUMBER.match(text, position):
        return _number(text, position, match.end())
    if match := _MARK.match(text, position):
        if sign == "?" and _GLUED_MARKER.match(text, max(0, position - 1)):
            raise Unreadable("a parameter marker is glued to a word", position, "Put a space between.")
        return Token(MARK, match.group(), "", position, match.end())
    raise Unreadable(*_stray(sign), position)


def _stray(sign: str) -> tuple[str]:
    if sign in "{}":
        return ("braces outside quotes are rewritten by ODBC drivers after the statement was judged",)
    if _CONTROL.match(sign) or unicodedata.category(sign) in ("Cf", "Zl", "Zp"):
        return (f"the character U+{ord(sign):04X} stands outside quotes, where servers do not agree what it means",)
    return (f"the character {sign!r} has no place in a read",)


def _string(text: str, position: int, content: int) -> Token:
    end = quoted_end(text, content, "'")
    if end < 0:
        raise Unreadable("a string is not closed", position)
    return Token(STRING, STRING, "", position, end)


def _quoted_name(text: str, position: int, quote: str) -> Token:
    """A name in quotes. SQL Server overlooks blanks behind it, and its collations overlook control characters within."""
    end = quoted_end(text, position + 1, quote)
    if end < 0:
        raise Unreadable("a quoted name is not closed", position)
    content = text[position + 1 : end - 1].replace(quote * 2, quote)
    if quote == "]" and ("{" in content or "}" in content):
        raise Unreadable("braces in a bracketed name may be rewritten by ODBC drivers", position, 'Quote the name with "...".')
    if "\\\n" in content or "\\\r" in content:
        raise Unreadable("a backslash before a line end continues the line, also within quotes", position)
    name = fold(_ANY_CONTROL.sub("", content)).rstrip()
    return Token(NAME, '"' + name, name, position, end)


def _word_end(text: str, end: int) -> int:
    """The end of a word that may hold combining marks, as those of Thai and Hindi do; ``\\w`` knows none."""
    while end < len(text) and text[end] > "\u02ff" and unicodedata.category(text[end])[0] == "M":
        end = _IN_WORD.match(text, end + 1).end()  # type: ignore[union-attr]  # it matches nothing, too
    return end


def _word(word: str, position: int) -> Token:
    name = fold(word)
    if not (word[0].isalpha() or word[0] in "_#@$"):
        raise Unreadable(f"no name begins with {word[0]}", position, "Put it in brackets.")
    if name in _KEYWORDS and not word.isascii():
        raise Unreadable(f"{word} is spelled like {name.upper()} but for its accents", position, "Put it in brackets.")
    if word[0] == "$" and name not in _PSEUDO_COLUMNS:
        raise Unreadable(f"{word} is no column SQL Server knows", position)
    variable = word[0] == "@" and word[1:2] != "@"
    return Token(WORD, "@" if variable else name, name, position, position + len(word))


def _number(text: str, position: int, end: int) -> Token:
    if _WORD.match(text, end) or text.startswith((".", "'", '"', "["), end):
        raise Unreadable(
            "a number is glued to what follows, which may be a statement of its own", position, "Put a space between."
        )
    return Token(NUMBER, NUMBER, "", position, end)


def _line_comment_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    if odd := _LINE_ENDS_OF_SOME.search(text, position, end + 1):
        raise Unreadable("a line comment holds a character that may end the line", odd.start())
    _no_braces(text, position, end)
    return end


def _block_comment_end(text: str, position: int) -> int:
    depth, start = 0, position
    while edge := _COMMENT_EDGE.search(text, position):
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
        if depth == 0:
            _no_braces(text, start, position)
            return position
    raise Unreadable("a comment is not closed", start)


def _no_braces(text: str, start: int, end: int) -> None:
    for brace in "{}":
        found = text.find(brace, start, end)
        if found >= 0:
            raise Unreadable("braces in a comment may be rewritten by ODBC drivers after the statement was judged", found)
