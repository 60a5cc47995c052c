"""Why a value does not fit its type: raised by the converters, collected by ``type_mapper``, never shown as it is."""

from __future__ import annotations


class Unfit(ValueError):
    """The value cannot be used; the text ends the sentence "<name>: ..."."""


def shown(value: object, *, most: int = 60) -> str:
    """A value as it stands in a message: short, and on one line."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
