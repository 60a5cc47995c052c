"""What a database says while a statement runs, bounded: a procedure may PRINT a line for each of a million rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .models import Message

MOST_MESSAGES = 1000
MOST_CHARACTERS = 200_000
MOST_RESULT_SETS = 1000
LAST_KEPT = 20
LONGEST_MESSAGE = 8000
CUT = "… [cut: {length} characters in all]"
LEFT_OUT = "[{count} messages are left out here]"


@dataclass(frozen=True)
class _Gap(Message):
    """Stands where messages were left out, and keeps their number for a log that takes it in."""

    count: int = 0


class MessageLog:
    """Keeps the first messages and the last few, and says between them how many were left out. Not thread-safe."""

    def __init__(self, *, most: int = MOST_MESSAGES, most_characters: int = MOST_CHARACTERS) -> None:
        self._most = most
        self._left = most_characters
        self._longest = min(LONGEST_MESSAGE, max(1, most_characters // 4))
        self._first: list[Message] = []
        self._last: deque[Message] = deque(maxlen=LAST_KEPT)
        self._left_out = 0
        self._full = False

    def __bool__(self) -> bool:
        return bool(self._first)

    def say(self, messages: Iterable[Message]) -> None:
        """Take messages in."""
        for message in messages:
            if isinstance(message, _Gap):
                self._full = True
                self._left_out += message.count
            else:
                self._take(_shortened(message, self._longest))

    def all(self) -> tuple[Message, ...]:
        """What was kept, in order."""
        gap = [_Gap(LEFT_OUT.format(count=self._left_out), count=self._left_out)] if self._left_out else []
        return (*self._first, *gap, *self._last)

    def _take(self, message: Message) -> None:
        size = len(message.text)
        self._full = self._full or len(self._first) >= self._most or (bool(self._first) and size > self._left)
        if not self._full:
            self._first.append(message)
            self._left -= size
            return
        self._left_out += len(self._last) == LAST_KEPT
        self._last.append(_shortened(message, max(1, self._longest // LAST_KEPT)))


def sets_left_out(count: int) -> tuple[Message, ...]:
    """What is said when not all result sets were kept."""
    kept = f"the first {MOST_RESULT_SETS - 1} and the last are kept"
    return (Message(f"{count} result{'s were' if count > 1 else ' was'} left out: {kept}."),) if count else ()


def _shortened(message: Message, longest: int) -> Message:
    length = len(message.text)
    return message if length <= longest else replace(message, text=message.text[:longest] + CUT.format(length=length))
