"""The gate's tables of PostgreSQL functions, held against the catalogue of a real server."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from mssqlclient_mcp.dialects.postgresql import functions
from mssqlclient_mcp.dialects.postgresql.outside_functions import OUTSIDE_FUNCTIONS
from mssqlclient_mcp.read_only import judge
from tests.read_only_lists import cases

OWN_FUNCTIONS = """
SELECT DISTINCT proname::text, provolatile::text FROM pg_catalog.pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace ORDER BY 1
"""


@pytest.fixture(scope="module")
def catalogue(postgres_url: str) -> Iterator[list[tuple[str, str]]]:
    """Name and volatility of every function of PostgreSQL's own."""
    with psycopg.connect(postgres_url) as connection:
        yield [(str(name), str(volatility)) for name, volatility in connection.execute(OWN_FUNCTIONS).fetchall()]


def test_every_volatile_function_of_the_server_has_a_decision(catalogue: list[tuple[str, str]]) -> None:
    """VOLATILE is what PostgreSQL calls a function that may change something: each is refused, or allowed with a reason."""
    undecided = [name for name, volatility in catalogue if volatility == "v" and not _decided(name.lower())]
    refused = sum(1 for name, volatility in catalogue if volatility == "v" and functions.refusal(name.lower()))
    print(f"\nvolatile functions: {sum(v == 'v' for _, v in catalogue)}, refused: {refused}, undecided: {undecided}")
    assert undecided == []


def _decided(name: str) -> bool:
    return bool(functions.refusal(name)) or name in functions.ALLOWED or name.startswith(functions.ALLOWED_PREFIXES)


def test_what_is_refused_is_refused_in_a_statement(catalogue: list[tuple[str, str]]) -> None:
    """The verdict follows the tables, in plain, quoted and qualified spelling."""
    for name, _ in catalogue:
        if functions.refusal(name.lower()):
            for call in (f"{name}()", f'"{name}"()', f"pg_catalog.{name.upper()}(1)", f"pg_catalog . {name} /**/ (1)"):
                assert not judge("postgresql", f"SELECT {call}").allowed, call


def test_functions_that_only_read_are_allowed(catalogue: list[tuple[str, str]]) -> None:
    """At least nine in ten of the functions that cannot change anything may be called."""
    harmless = [name for name, volatility in catalogue if volatility != "v" and name.isidentifier()]
    allowed = [name for name in harmless if judge("postgresql", f'SELECT * FROM "{name}"(1)').allowed]
    print(f"\nstable and immutable functions: {len(harmless)}, allowed: {len(allowed)}")
    assert len(allowed) > len(harmless) * 0.9


def test_what_the_server_tells_at_connect_closes_the_gaps(postgres_url: str) -> None:
    """Untrusted code and the aggregates made of it are learnt; allowed functions of PostgreSQL's own are not among them."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION reach_step(bigint, int) RETURNS bigint LANGUAGE internal VOLATILE AS 'int84pl';"
            "CREATE AGGREGATE reach_sum(int) (SFUNC = reach_step, STYPE = bigint, INITCOND = '0')"
        )
        names = frozenset(str(row[0]).lower() for row in connection.execute(OUTSIDE_FUNCTIONS).fetchall())
    assert {"reach_step", "reach_sum"} <= names
    assert not names & functions.ALLOWED
    _wrap_in_an_extension(postgres_url, names)
    for name in ("reach_sum", '"reach_step"', "public.reach_sum"):
        assert judge("postgresql", f"SELECT {name}(1)").allowed
        assert not judge("postgresql", f"SELECT {name}(1)", outside_functions=names).allowed
    for case in cases("allow", "postgresql"):
        verdict = judge("postgresql", case.sql, outside_functions=names)
        assert verdict.allowed, (case.sql, verdict.reason)


def _wrap_in_an_extension(url: str, before: frozenset[str]) -> None:
    """What the extension of an untrusted function wraps around it is learnt as well, but for what cannot change anything."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE FUNCTION reach_wrapped() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT reach_step(1, 2)';"
            "CREATE FUNCTION reach_plain() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';"
            "ALTER EXTENSION plpgsql ADD FUNCTION reach_wrapped(); ALTER EXTENSION plpgsql ADD FUNCTION reach_plain()"
        )
        assert _learnt(connection) == before
        connection.execute("ALTER EXTENSION plpgsql ADD FUNCTION reach_step(bigint, int)")
        learnt = _learnt(connection)
        assert "reach_wrapped" in learnt
        assert "reach_plain" not in learnt
        connection.rollback()


def _learnt(connection: psycopg.Connection[tuple[object, ...]]) -> frozenset[str]:
    return frozenset(str(row[0]) for row in connection.execute(OUTSIDE_FUNCTIONS).fetchall())
