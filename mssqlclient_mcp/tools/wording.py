"""Sentences about tools, told only as far as those tools are open: nobody is sent to a tool that refuses."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping

Step = str | tuple[str, ...]
"""A sentence with tools (by their first name) and arguments in braces; or several, of which the first that fits is told."""

_FORMATTER = string.Formatter()


def fields(sentence: str) -> frozenset[str]:
    """What a sentence needs: the names in its braces."""
    return frozenset(name for _, name, _, _ in _FORMATTER.parse(sentence) if name)


class Wording:
    """Fills sentences. ``known``: for each name that may stand in braces what is told in its place."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def told(self, steps: Iterable[Step]) -> list[str]:
        """The sentences all of whose names are known, filled; empty ones are left out."""
        return [sentence for sentence in map(self._first, steps) if sentence]

    def _first(self, step: Step) -> str:
        return next(self._fitting((step,) if isinstance(step, str) else step), "")

    def _fitting(self, sentences: Iterable[str]) -> Iterator[str]:
        for sentence in sentences:
            if fields(sentence) <= self._known.keys():
                yield sentence.format_map(self._known)  # what is filled in is not looked at again
