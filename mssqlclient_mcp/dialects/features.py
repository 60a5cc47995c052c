"""What each dialect's ``features.py`` must offer: probes of a server, and how to read what they brought.

``Facts`` are the columns of all probes together; a probe that was refused leaves its columns out, and what depends on them is
unknown.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from ..models import FeatureSupport, LoginRights, ServerIdentity

Facts = Mapping[str, object]


@dataclass(frozen=True)
class Probe:
    """One statement without values and with at most one row. ``what`` names its part when it is refused; ``since``: the
    first version it is sent to (SQL Server: the year); ``instead``: what to ask for when it is refused."""

    what: str
    sql: str
    since: int = 0
    instead: Probe | None = None


class FeatureBook(Protocol):
    """How a kind of server is looked at."""

    SERVER: Probe
    """What every server answers."""

    def further_probes(self, facts: Facts) -> Sequence[Probe]:
        """What to ask besides, now that these ``facts`` are known; two at most."""

    def identity(self, facts: Facts) -> ServerIdentity:
        """Product, version, edition and the like."""

    def deployment(self, facts: Facts, host: str) -> str:
        """Where the server runs, by what it shows and the host name it was reached by."""

    def rights(self, facts: Facts) -> LoginRights:
        """What the login may do."""

    def features(self, facts: Facts) -> tuple[FeatureSupport, ...]:
        """What the server can do."""


def feature_book_for(dialect: str) -> FeatureBook:
    """The feature book of ``sqlserver`` or ``postgresql``; needs no driver."""
    return cast("FeatureBook", importlib.import_module(f".{dialect}.features", package=__package__))


def number(value: object) -> int | None:
    """A whole number, or None when it is not there or none."""
    try:
        return None if value is None else int(str(value))
    except ValueError:
        return None


def flag(value: object) -> bool | None:
    """A yes or no that may be written as 1, true or on; None when it is not there."""
    return None if value is None else str(value).lower() in ("1", "true", "on", "yes")


def words(value: object) -> str | None:
    """Text, or None when it is not there or empty."""
    return None if value is None or not str(value).strip() else str(value).strip()
