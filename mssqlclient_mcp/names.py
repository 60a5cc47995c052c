"""Names as a person or a model writes them: ``t``, ``s.t``, ``[s].[t.u]``, ``"s"."t"`` -> their parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from .errors import InvalidParameter
from .models import ObjectName

_CLOSING = {"[": "]", '"': '"', "`": "`"}
MAX_PARTS = 2
MAX_LENGTH = 1000
MOST_SHOWN = 200


@dataclass(frozen=True)
class QualifiedName:
    """A name in its parts; ``schema`` is None when none was written. ``quoted`` tells that the last part stood in
    quotes or brackets, so that a database which folds plain names must not fold it."""

    schema: str | None
    name: str
    quoted: bool = False
    schema_quoted: bool = False

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


def parse_name(text: str, *, parameter: str = "tableName") -> QualifiedName:
    """Split ``text`` at the dots outside quotes; a doubled closing quote stands for itself (``[a]]b]`` is ``a]b``).

    Raises InvalidParameter for an empty part, an open quote, text after a closing quote, or more than two parts
    (another database is reached by its own parameter, another server not at all).
    """
    if len(text) > MAX_LENGTH:
        raise _unfit(text[:40] + "...", parameter, f"a name is at most {MAX_LENGTH} characters long")
    parts = _split(text.strip(), parameter)
    if len(parts) > MAX_PARTS:
        raise _unfit(text, parameter, "write it as name or schema.name; another database is chosen by its own parameter")
    name, quoted = parts[-1]
    schema, schema_quoted = parts[0] if len(parts) == MAX_PARTS else (None, False)
    return QualifiedName(schema, name, quoted, schema_quoted)


def written_name(schema: str, name: str) -> str:
    """``schema.name`` so that ``parse_name`` reads it back."""
    return str(ObjectName(schema, name))


def shown(text: str) -> str:
    """A text of a client's as an error tells it back: in quotes, and no longer than helps."""
    return repr(text) if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]!r}..."


def nearest_of(word: str, known: Iterable[str], most: int = 3, likeness: float = 0.6) -> list[str]:
    """Those of ``known`` that are most like a word, the likest first; none for a text that is no word any more."""
    return get_close_matches(word, list(known), most, likeness) if len(word) <= MOST_SHOWN else []


def like_pattern(pattern: str | None, *, anywhere: bool = False) -> str | None:
    r"""A name pattern as an SQL LIKE pattern with ``\`` as the escape character; None stays None.

    ``*`` stands for any characters; all others, ``%`` and ``_`` too, stand for themselves. Without a ``*`` (or with
    ``anywhere``) the pattern may be found anywhere in the text.
    """
    if pattern is None or not pattern.strip():
        return None
    escaped = pattern.strip()
    for special in ("\\", "%", "_", "["):
        escaped = escaped.replace(special, "\\" + special)
    like = escaped.replace("*", "%")
    return f"%{like}%" if anywhere or "*" not in pattern else like


def longest_literal(pattern: str) -> str:
    """The longest piece of a name pattern between its ``*``: where a reader's eye should land in a long text."""
    return max(pattern.strip().split("*"), key=len)


def _split(text: str, parameter: str) -> list[tuple[str, bool]]:
    parts: list[tuple[str, bool]] = []
    position = 0
    while True:
        part, quoted, position = _read_part(text, position, parameter)
        parts.append((part, quoted))
        if position >= len(text):
            return parts
        position += 1  # the dot


def _read_part(text: str, start: int, parameter: str) -> tuple[str, bool, int]:
    """One part from ``start``: its text, whether it was quoted, and the position of the dot (or end) behind it."""
    while start < len(text) and text[start] == " ":
        start += 1
    if start < len(text) and text[start] in _CLOSING:
        return _read_quoted(text, start, parameter)
    end = text.find(".", start)
    end = len(text) if end < 0 else end
    part = text[start:end].strip()
    if not part:
        raise _unfit(text, parameter, "a part of the name is empty")
    return part, False, end


def _read_quoted(text: str, start: int, parameter: str) -> tuple[str, bool, int]:
    closing = _CLOSING[text[start]]
    part = ""
    position = start + 1
    while True:
        end = text.find(closing, position)
        if end < 0:
            raise _unfit(text, parameter, f"the quote {text[start]} is not closed")
        part += text[position:end]
        if text[end + 1 : end + 2] != closing:
            break
        part += closing
        position = end + 2
    end += 1
    while end < len(text) and text[end] == " ":
        end += 1
    if not part or (end < len(text) and text[end] != "."):
        raise _unfit(text, parameter, "a dot must follow a quoted part, and it must not be empty")
    return part, True, end


def _unfit(text: str, parameter: str, why: str) -> InvalidParameter:
    return InvalidParameter(
        f"{parameter} {text!r} is not a name: {why}.",
        details={"expected": 'name, schema.name, [schema].[name] or "schema"."name"', "problems": [why]},
    )
