"""What servers say about themselves, read: version strings of SQL Server 2016 to 2025, of Azure and RDS, and of PostgreSQL."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mssqlclient_mcp.dialects.postgresql import features as postgresql
from mssqlclient_mcp.dialects.sqlserver import features as sqlserver
from tests.catalog_facts import FACTS

SQLSERVER: list[dict[str, Any]] = json.loads((FACTS / "version_strings.json").read_text(encoding="utf-8"))
LINUX = "PostgreSQL {} on x86_64-pc-linux-gnu, compiled by gcc (GCC) 12.2.0, 64-bit"


@pytest.mark.parametrize("case", SQLSERVER, ids=lambda case: case["name"])
def test_a_sql_server_is_read_from_its_properties(case: dict[str, Any]) -> None:
    """Product, version numbers, place, operating system and engine edition."""
    found = sqlserver.identity(case["facts"])
    assert {
        "product": found.product,
        "version": [found.major, found.minor, found.build],
        "deployment": sqlserver.deployment(case["facts"], case["host"]),
        "host_os": found.host_os,
        "engine_edition": found.engine_edition,
    } == case["expect"]


def test_every_kind_of_server_is_in_the_data() -> None:
    """2016, 2017, 2019, 2022, 2025, Azure SQL Database, Managed Instance, RDS."""
    told = " ".join(case["name"] for case in SQLSERVER)
    assert all(word in told for word in ("2016", "2017", "2019", "2022", "2025", "Azure SQL Database", "Managed", "RDS"))


def test_a_server_that_tells_nothing_is_unknown_not_an_error() -> None:
    """Every field for itself."""
    for book in (sqlserver, postgresql):
        found = book.identity({})
        assert (found.major, found.version, found.host_os) == (None, None, None)
        assert book.deployment({}, "") == "unknown"
        assert {feature.supported for feature in book.features({})} == {None}
        assert book.rights({}).can_write is None


@pytest.mark.parametrize(
    ("text", "number", "product", "host_os"),
    [
        (LINUX.format("13.16"), 130016, "PostgreSQL 13.16", "Linux"),
        (LINUX.format("18.4"), 180004, "PostgreSQL 18.4", "Linux"),
        ("PostgreSQL 17.2 on aarch64-apple-darwin23.6.0, compiled by Apple clang", 170002, "PostgreSQL 17.2", "macOS"),
        ("PostgreSQL 16.4, compiled by Visual C++ build 1940, 64-bit", 160004, "PostgreSQL 16.4", "Windows"),
    ],
)
def test_a_postgresql_is_read_from_its_settings(text: str, number: int, product: str, host_os: str) -> None:
    """Major and minor from server_version_num; the system from what version() was built for."""
    found = postgresql.identity({"version_text": text, "version_number": number, "product_version": product.split()[1]})
    assert (found.product, found.host_os) == (product, host_os)
    assert (found.major, found.minor) == (number // 10000, number % 10000)


@pytest.mark.parametrize(
    ("facts", "host", "deployment"),
    [
        ({}, "db.internal", "self-hosted"),
        ({"vendor_roles": '["rds_superuser"]'}, "", "Amazon RDS"),
        ({}, "x.abc.eu-west-1.rds.amazonaws.com", "Amazon RDS"),
        ({"has_aurora_version": True, "vendor_roles": '["rds_superuser"]'}, "", "Amazon Aurora"),
        ({"vendor_roles": '["azure_pg_admin"]'}, "", "Azure Database for PostgreSQL"),
        ({"settings": '{"azure.extensions": ""}'}, "", "Azure Database for PostgreSQL"),
        ({"vendor_roles": '["cloudsqlsuperuser"]'}, "", "Google Cloud SQL"),
        ({"vendor_roles": '["alloydbsuperuser", "cloudsqlsuperuser"]'}, "", "Google AlloyDB"),
        ({"vendor_roles": '["supabase_admin"]'}, "", "Supabase"),
        ({"settings": '{"neon.tenant_id": "x"}'}, "", "Neon"),
    ],
)
def test_a_postgresql_service_is_known_by_its_marks(facts: dict[str, object], host: str, deployment: str) -> None:
    """Roles, settings, functions and, last, host names."""
    assert postgresql.deployment({"version_number": 160004, **facts}, host) == deployment
