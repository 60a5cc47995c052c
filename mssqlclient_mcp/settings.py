"""What a setting is: its kind, bounds and help, and how its text is read. The settings themselves stand in ``config``.

``flag``, ``whole`` and their siblings are written as defaults of the fields of a dataclass; ``settings_of`` collects them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path

from .connection_settings import Secret
from .errors import ConfigInvalid

_METADATA = "setting"
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class Kind(str, Enum):
    """How a setting's text is read."""

    FLAG = "flag"
    WHOLE = "whole number"
    CHOICE = "choice"
    TEXT = "text"
    LIST = "list"  # separated by commas
    SECRET = "secret"  # noqa: S105 - the name of a kind
    FILE = "file"  # must exist


@dataclass(frozen=True)
class Setting:
    """One setting. ``name`` is that of the environment, ``attribute`` that of the Config; ``default`` is text to show."""

    attribute: str
    kind: Kind
    default: str
    help: str
    least: int = 0
    most: int = 0
    choices: tuple[str, ...] = ()
    off: bool = False  # 0 and the words for no mean None
    example: str = ""

    @property
    def name(self) -> str:
        return self.attribute.upper()

    def read(self, text: str) -> object:
        """The value that a non-empty text stands for; raises ConfigInvalid naming the setting, never a secret."""
        if self.kind is Kind.FLAG:
            return self._flag(text)
        if self.kind is Kind.WHOLE:
            return self._whole(text)
        if self.kind is Kind.CHOICE:
            return self._choice(text)
        if self.kind is Kind.LIST:
            return tuple(part.strip() for part in text.split(",") if part.strip())
        if self.kind is Kind.SECRET:
            return Secret(text)
        return self._file(text) if self.kind is Kind.FILE else text

    def invalid(self, expected: str, text: str) -> ConfigInvalid:
        """The error for a text that does not fit."""
        return ConfigInvalid(
            f"{self.name} must be {expected}, not {text[:80]!r}.", details={"setting": self.name, "expected": expected}
        )

    def _flag(self, text: str) -> bool:
        value = _BOOLEANS.get(text.lower())
        if value is None:
            raise self.invalid("true or false (also 1/0, yes/no, on/off)", text)
        return value

    def _whole(self, text: str) -> int | None:
        if self.off and (text == "0" or _BOOLEANS.get(text.lower()) is False):
            return None
        digits = text.isascii() and text.isdigit() and len(text) < 10
        if not digits or not self.least <= int(text) <= self.most:
            raise self.invalid(f"a whole number from {self.least} to {self.most}", text)
        return int(text)

    def _choice(self, text: str) -> str:
        if text.lower() not in self.choices:
            raise self.invalid("one of " + ", ".join(self.choices), text)
        return text.lower()

    def _file(self, text: str) -> Path:
        path = Path(text).expanduser()
        if not path.is_file():
            raise self.invalid("the path of an existing file", text)
        return path


def text_of(setting: Setting, path: Path, *, most_bytes: int) -> str:
    """The text of the file that a setting names, without blank space around it. Raises ConfigInvalid when the file cannot be
    read, is longer than ``most_bytes`` or is not UTF-8."""
    try:
        with path.open("rb") as file:
            raw = file.read(most_bytes + 1)
    except OSError as error:
        raise setting.invalid(f"a file that can be read ({error.strerror})", str(path)) from None
    if len(raw) > most_bytes:
        raise setting.invalid(f"a file of at most {most_bytes // 1024} KiB", str(path))
    try:
        return "\n".join(raw.decode("utf-8-sig").splitlines()).strip()
    except UnicodeDecodeError:
        raise setting.invalid("a file of UTF-8 text", str(path)) from None


def flag(default: bool, help: str) -> bool:
    """A switch."""
    return field(default=default, metadata=_metadata(Kind.FLAG, str(default).lower(), help))


def whole(default: int, least: int, most: int, help: str, *, shown: str = "") -> int:
    """A whole number within bounds; ``shown`` describes a default that depends on something else."""
    setting = Setting("", Kind.WHOLE, shown or str(default), help, least=least, most=most)
    return field(default=default, metadata={_METADATA: setting})


def whole_or_off(least: int, most: int, help: str) -> int | None:
    """A whole number within bounds, off (None) by default."""
    return field(default=None, metadata={_METADATA: Setting("", Kind.WHOLE, "off", help, least, most, off=True)})


def choice(default: str, choices: tuple[str, ...], help: str) -> str:
    """One word of a list, in any case."""
    return field(default=default, metadata={_METADATA: Setting("", Kind.CHOICE, default, help, choices=choices)})


def text(default: str, help: str) -> str:
    """A text with a default."""
    return field(default=default, metadata=_metadata(Kind.TEXT, default, help))


def optional_text(help: str, *, example: str = "") -> str | None:
    """A text, or None."""
    return field(default=None, metadata=_metadata(Kind.TEXT, "", help, example))


def words(help: str, *, example: str = "") -> tuple[str, ...]:
    """Texts separated by commas, none by default."""
    return field(default=(), metadata=_metadata(Kind.LIST, "", help, example))


def secret(help: str, *, example: str = "", shown: str = "") -> Secret | None:
    """A text that never prints, or None."""
    return field(default=None, metadata=_metadata(Kind.SECRET, shown, help, example))


def file(help: str, *, example: str = "") -> Path | None:
    """The path of a file that exists, or None."""
    return field(default=None, metadata=_metadata(Kind.FILE, "", help, example))


def _metadata(kind: Kind, default: str, help: str, example: str = "") -> dict[str, Setting]:
    return {_METADATA: Setting("", kind, default, help, example=example)}


def settings_of(config: type) -> tuple[Setting, ...]:
    """The settings among the fields of a dataclass, in their order."""
    found = ((item.name, item.metadata[_METADATA]) for item in fields(config) if _METADATA in item.metadata)
    return tuple(Setting(**{**vars(setting), "attribute": name}) for name, setting in found)


def nearest_name(word: str, names: Iterable[str]) -> str | None:
    """The name that ``word`` is most likely a misspelling of: a few letters wrong, or its words in another order."""
    word = word.upper().replace("-", "_")
    for name in names:
        if sorted(word.split("_")) == sorted(name.split("_")):
            return name
    close = ((_distance_within(word, name, min(3, max(1, len(name) // 6))), name) for name in names)
    found = [(distance, name) for distance, name in close if distance is not None]
    return min(found)[1] if found else None


def _distance_within(one: str, other: str, most: int) -> int | None:
    """How many letters to insert, delete, change or swap with a neighbour; None when more than ``most``."""
    if abs(len(one) - len(other)) > most or len(set(one) ^ set(other)) > 2 * most:
        return None
    before: list[int] = []
    previous = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            row.append(min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], before[j - 2] + 1)
        before, previous = previous, row
    return previous[-1] if previous[-1] <= most else None
