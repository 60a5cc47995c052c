"""``--fuzz`` makes the search long: minutes and tens of thousands of statements instead of seconds and hundreds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.oracle import Oracle


def pytest_addoption(parser: pytest.Parser) -> None:
    """The switch that ``make fuzz`` sets."""
    parser.addoption("--fuzz", action="store_true", default=False, help="search long for a write that passes the gate")


@pytest.fixture(scope="module")
def oracle(postgres_url: str) -> Iterator[Oracle]:
    """The judge, on a database of the module's own."""
    with Oracle(postgres_url) as made:
        yield made
