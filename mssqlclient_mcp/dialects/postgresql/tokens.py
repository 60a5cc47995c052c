"""Cuts SQL into tokens as PostgreSQL's scanner does (scan.l): escape strings and their continuation over lines, dollar quotes,
``U&`` names, nested comments, operators that end where a comment begins.

Assumes ``standard_conforming_strings = on`` (the connection sets it).
"""

from __future__ import annotations

import re

from ..reading import MARK, NAME, NUMBER, STRING, WORD, Token, Unreadable, fold, quoted_end
from . import words

_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_WORD = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*")
_NUMBER = re.compile(
    r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
    r"|(?:\d(?:_?\d)*(?:\.(?!\.)(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?"
)
_PARAMETER = re.compile(r"\$\d+")
_DOLLAR = re.compile(r"\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$")
_MARK = re.compile(r"::|:=|=>|[-+*/<>=~!@#%^&|`?,.;:()\[\]]")
_ESCAPED = re.compile(r"[\\']")
_CONTINUED = re.compile(r"[ \t\f\v]*(?:--[^\r\n]*)?[\r\n](?:[ \t\r\n\f\v]|--[^\r\n]*[\r\n])*'")  # no two ways to match a text
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_LINE_END = re.compile(r"[\r\n]")
_UESCAPE = re.compile(r"[ \t\r\n\f\v]*uescape[ \t\r\n\f\v]*'(.)'", re.IGNORECASE | re.ASCII)
_NAME_BYTES = 63  # the server cuts longer names
_PREFIXED = re.compile(r"[eEbBxXnN](?=')|[uU]&(?=['\"])")


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
            end = _LINE_END.search(text, position)
            position = end.start() if end else length
            continue
        if sign == "/" and text.startswith("/*", position):
            position = _block_comment_end(text, position)
            continue
        token = _token(text, position, sign)
        if token.key == "uescape" and tokens and tokens[-1].kind == NAME:
            raise Unreadable("UESCAPE stands apart from its name", token.start, "Write the name without U&.")
        tokens.append(token)
        position = token.end
    return tokens


def _token(text: str, position: int, sign: str) -> Token:
    if sign == "'":
        return _string(text, position, position + 1, escapes=False)
    if sign == '"':
        return _quoted_name(text, position)
    if match := _PREFIXED.match(text, position):
        if text[match.end()] == '"':
            return _unicode_name(text, position, match.end() + 1)
        return _string(text, position, match.end() + 1, escapes=sign in "eE")
    if match := _WORD.match(text, position):
        return _word(match.group(), position)
    if sign == "$":
        return _dollar(text, position)
    if match := _NUMBER.match(text, position):
        return _number(text, position, match.end())
    if match := _MARK.match(text, position):
        return Token(MARK, match.group(), "", position, match.end())
    raise Unreadable(f"the character {sign!r} has no place in a read", position)


def _word(word: str, start: int) -> Token:
    name = _name(word)
    if name in words.ALL and not word.isascii():
        raise Unreadable(f"{word} is spelled like {name.upper()} but for its accents", start, "Put it in double quotes.")
    return Token(WORD, name, name, start, start + len(word))


def _name(spelled: str) -> str:
    """A name as rules compare it, cut where the server cuts it."""
    if len(spelled.encode()) > _NAME_BYTES:
        spelled = spelled.encode()[:_NAME_BYTES].decode(errors="ignore")
    return fold(spelled)


def _string(text: str, start: int, content: int, *, escapes: bool) -> Token:
    """A string to its very end: after a line end a quote goes on with it, and with its escapes."""
    while True:
        end = _escaped_end(text, content) if escapes else quoted_end(text, content, "'")
        if end < 0:
            raise Unreadable("a string is not closed", start)
        more = _CONTINUED.match(text, end)
        if more is None:
            return Token(STRING, STRING, "", start, end)
        content = more.end()


def _escaped_end(text: str, position: int) -> int:
    while match := _ESCAPED.search(text, position):
        position = match.end()
        if match.group() == "\\" or text.startswith("'", position):
            position += 1
        else:
            return position
    return -1


def _quoted_name(text: str, start: int) -> Token:
    end = quoted_end(text, start + 1, '"')
    if end < 0:
        raise Unreadable("a quoted name is not closed", start)
    name = _name(text[start + 1 : end - 1].replace('""', '"'))
    return Token(NAME, '"' + name, name, start, end)


def _unicode_name(text: str, start: int, content: int) -> Token:
    """A ``U&"..."`` name with its escapes resolved, and the UESCAPE clause that may follow it."""
    end = quoted_end(text, content, '"')
    if end < 0:
        raise Unreadable("a quoted name is not closed", start)
    raw = text[content : end - 1].replace('""', '"')
    clause = _UESCAPE.match(text, end)
    sign = clause.group(1) if clause else "\\"
    escape = re.compile(re.escape(sign) + r"(?:\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4})|" + re.escape(sign) + ")")
    try:
        name = _name(escape.sub(lambda m: chr(int(m.group(1) or m.group(2), 16)) if m.lastindex else sign, raw))
    except (ValueError, OverflowError) as error:
        raise Unreadable("a name holds an escape that is no character", start) from error
    return Token(NAME, '"' + name, name, start, clause.end() if clause else end)


def _dollar(text: str, start: int) -> Token:
    if match := _PARAMETER.match(text, start):
        if text.startswith("$", match.end()) or _WORD.match(text, match.end()):
            raise Unreadable("a parameter is glued to a word", start, "Put a space between.")
        return Token(MARK, "$", "", start, match.end())
    match = _DOLLAR.match(text, start)
    if match is None:
        raise Unreadable("'$' begins neither a parameter nor a string", start)
    end = text.find(match.group(), match.end())
    if end < 0:
        raise Unreadable("a dollar-quoted string is not closed", start)
    return Token(STRING, STRING, "", start, end + len(match.group()))


def _number(text: str, start: int, end: int) -> Token:
    if _WORD.match(text, end):
        raise Unreadable("a number is glued to a word", start, "Put a space between.")
    return Token(NUMBER, NUMBER, "", start, end)


def _block_comment_end(text: str, position: int) -> int:
    depth, start = 0, position
    while edge := _COMMENT_EDGE.search(text, position):
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
        if depth == 0:
            return position
    raise Unreadable("a comment is not closed", start)
