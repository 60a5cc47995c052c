"""Which SQL Server this is: its version strings, its edition, where it runs, and what the login may do there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ...models import LoginRights, ServerIdentity
from ..features import Facts, flag, number, words

AZURE_SQL = "Azure SQL Database"
MANAGED_INSTANCE = "Azure SQL Managed Instance"
SYNAPSE = "Azure Synapse Analytics"
FABRIC = "SQL database in Microsoft Fabric"

PRODUCTS = {9: "2005", 10: "2008", 11: "2012", 12: "2014", 13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"}
ENGINES = {
    1: "Personal or Desktop Engine",
    2: "Standard",
    3: "Enterprise",
    4: "Express",
    5: AZURE_SQL,
    6: f"{SYNAPSE} (dedicated pool)",
    8: MANAGED_INSTANCE,
    9: "Azure SQL Edge",
    11: "Azure Synapse serverless SQL pool",
    12: FABRIC,
}
"""SERVERPROPERTY('EngineEdition')."""

SERVICES = {5: AZURE_SQL, 6: SYNAPSE, 8: MANAGED_INSTANCE, 11: SYNAPSE, 12: AZURE_SQL}
"""The engine editions whose features follow the service rather than the version."""

_YEAR = re.compile(r"SQL Server (\d{4})(?: \(([^)]+)\))?")
_NUMBER = re.compile(r"\b(\d+)\.(\d+)\.(\d+)\.\d+\b")
_HOST_OS = re.compile(r"\bon (Windows|Linux)\b([^<]*)(?:<[^>]*>)?")
_FAMILIES = (
    ("Express Edition with Advanced", "express advanced"),
    ("Express", "express"),
    ("Web", "web"),
    ("Standard", "standard"),
    ("Business Intelligence", "standard"),
    ("Enterprise", "enterprise"),
    ("Developer", "enterprise"),
    ("Evaluation", "enterprise"),
)


@dataclass(frozen=True)
class Place:
    """What decides about features: the service or the major version, the family of the edition, the compatibility level."""

    service: str | None
    major: int | None
    edition: str | None
    family: str | None
    level: int | None

    @classmethod
    def of(cls, facts: Facts) -> Place:
        """The place that the facts tell of."""
        engine = number(facts.get("engine_edition"))
        edition = words(facts.get("edition"))
        return cls(
            SERVICES.get(engine or 0),
            version(facts)[0],
            edition,
            family(edition, engine),
            number(facts.get("compatibility_level")),
        )


def family(edition: str | None, engine: int | None) -> str | None:
    """Editions that share their features under one name; None when it is unknown."""
    for start, name in _FAMILIES:
        if edition is not None and edition.startswith(start):
            return name
    return {2: "standard", 3: "enterprise", 4: "express"}.get(engine or 0)


def version(facts: Facts) -> tuple[int | None, int | None, int | None]:
    """Major, minor and build, from ProductVersion or else from the text of @@VERSION."""
    text = words(facts.get("product_version")) or ""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text) or _NUMBER.search(words(facts.get("version_text")) or "")
    if found is None:
        return None, None, None
    major, minor, build = found.groups()[:3]
    return int(major), int(minor), int(build)


def identity(facts: Facts) -> ServerIdentity:
    """Product, version and edition. On Azure SQL Database the version number says nothing about age."""
    major, minor, build = version(facts)
    engine = number(facts.get("engine_edition"))
    return ServerIdentity(
        product=product(facts),
        version=words(facts.get("product_version")),
        version_text=words(facts.get("version_text")),
        major=major,
        minor=minor,
        build=build,
        level=level(facts),
        edition=words(facts.get("edition")),
        engine_edition=None if engine is None else ENGINES.get(engine, f"unknown ({engine})"),
        host_os=host_os(facts),
        database=words(facts.get("database_name")),
        compatibility_level=number(facts.get("compatibility_level")),
        collation=words(facts.get("database_collation")),
        server_collation=words(facts.get("server_collation")),
        system_databases=_names(facts.get("system_databases")),
    )


def product(facts: Facts) -> str:
    """``SQL Server 2022 CU14``; on a service of Azure its name."""
    engine = number(facts.get("engine_edition")) or 0
    if engine in SERVICES or engine == 9:
        return ENGINES[engine]
    year = PRODUCTS.get(version(facts)[0] or 0)
    found = _YEAR.search(words(facts.get("version_text")) or "")
    year = year or (found.group(1) if found else None)
    return " ".join(part for part in ("SQL Server", year, level(facts)) if part)


def level(facts: Facts) -> str | None:
    """``CU14``, ``SP3``, ``SP1 CU2``, ``RTM``: what the properties say, else what stands in brackets in @@VERSION."""
    engine = number(facts.get("engine_edition")) or 0
    if engine in SERVICES:
        return None
    base, update = words(facts.get("product_level")), words(facts.get("update_level"))
    if base is None and update is None:
        found = _YEAR.search(words(facts.get("version_text")) or "")
        base, _, update = (found.group(2) if found and found.group(2) else "").partition("-")
    kept = [part for part in (base, update) if part and not (part == "RTM" and update)]
    return " ".join(kept) or None


def host_os(facts: Facts) -> str | None:
    """The operating system, as a view tells it, else as @@VERSION ends."""
    told = [words(facts.get(name)) for name in ("host_distribution", "host_release")]
    if told[0] is not None:
        return " ".join(part for part in told if part)
    found = _HOST_OS.search(words(facts.get("version_text")) or "")
    return (found.group(1) + found.group(2)).strip() if found else None


def deployment(facts: Facts, host: str) -> str:
    """Where it runs. Services tell it themselves; RDS has a database of its own; an Azure VM is known only by its host name."""
    engine = number(facts.get("engine_edition")) or 0
    if engine in SERVICES or engine == 9:
        return ENGINES[engine]
    name = host.lower()
    if number(facts.get("rds_database_id")) is not None or name.endswith(".rds.amazonaws.com"):
        return "Amazon RDS"
    system = host_os(facts)
    if name.endswith(".cloudapp.azure.com") or name.endswith(".cloudapp.net"):
        return f"Azure VM ({system})" if system else "Azure VM"
    if flag(facts.get("is_local_db")):
        return "LocalDB"
    if system is None:
        return "unknown"
    return f"{'Linux' if system.split()[0] != 'Windows' else 'Windows'}, on premises or in a VM"


def rights(facts: Facts) -> LoginRights:
    """What the login may do, and whether it can write at all."""
    administrator = _any(facts, "is_sysadmin", "control_server")
    owner = _any(facts, "is_db_owner", "control_database")
    return LoginRights(
        login=words(facts.get("login_name")),
        user=words(facts.get("user_name")),
        administrator=administrator,
        database_owner=owner,
        can_write=_can_write(facts, administrator, owner),
        server_roles=_names(facts.get("server_roles")),
        database_roles=_names(facts.get("database_roles")),
        server_permissions=_names(facts.get("server_permissions")),
        database_permissions=_names(facts.get("database_permissions")),
    )


def _can_write(facts: Facts, administrator: bool | None, owner: bool | None) -> bool | None:
    if words(facts.get("updateability")) == "READ_ONLY":
        return False
    rights = ("is_datawriter", "may_insert", "may_update", "may_delete", "may_execute", "may_create_table")
    in_database = _any(facts, *rights)
    if administrator or owner or in_database:
        return True
    grants = number(facts.get("write_grants"))
    if grants is None or in_database is None:
        return None
    return grants > 0


def _any(facts: Facts, *names: str) -> bool | None:
    """True when one of the facts is; None when none of them is known."""
    known = [value for value in (flag(facts.get(name)) for name in names) if value is not None]
    return any(known) if known else None


def _names(value: object) -> tuple[str, ...]:
    """The names in a JSON array of objects, sorted and once each."""
    read = json.loads(value) if isinstance(value, str) and value else value
    items = read if isinstance(read, list) else []
    return tuple(sorted({str(item["name"]) for item in items if isinstance(item, dict)}))
