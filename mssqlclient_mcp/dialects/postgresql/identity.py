"""Which PostgreSQL this is, where it runs, and what the login may do there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import cast

from ...models import LoginRights, ServerIdentity
from ..features import Facts, flag, number, words

_ON = re.compile(r"\bon ([^\s,]+)")
_SYSTEMS = (("linux", "Linux"), ("apple", "macOS"), ("darwin", "macOS"), ("mingw", "Windows"), ("windows", "Windows"))


def major(facts: Facts) -> int | None:
    """The major version: server_version_num / 10000, else what version() begins with."""
    version = number(facts.get("version_number"))
    if version is not None:
        return version // 10000
    found = re.match(r"(?:PostgreSQL )?(\d+)", words(facts.get("product_version")) or words(facts.get("version_text")) or "")
    return int(found.group(1)) if found else None


def settings(facts: Facts) -> Mapping[str, str]:
    """The settings that were asked for; a login may not see all of them."""
    return cast("Mapping[str, str]", _read(facts.get("settings")) or {})


def extensions(facts: Facts) -> Mapping[str, str] | None:
    """Extensions that could be had, with the installed version ('' when it is not); None when that cannot be seen."""
    if "extensions" not in facts:
        return None
    return cast("Mapping[str, str]", _read(facts.get("extensions")) or {})


def identity(facts: Facts) -> ServerIdentity:
    """Product, version and the machine it was built for."""
    version = number(facts.get("version_number"))
    text = words(facts.get("product_version"))
    return ServerIdentity(
        product=" ".join(part for part in ("PostgreSQL", text.split()[0] if text else None) if part),
        version=text,
        version_text=words(facts.get("version_text")),
        major=major(facts),
        minor=None if version is None else version % 10000,
        build=None,
        host_os=host_os(facts),
        database=words(facts.get("database_name")),
        collation=words(facts.get("database_collation")),
        server_collation=words(facts.get("server_collation")),
        system_databases=_names(facts.get("system_databases")),
    )


def host_os(facts: Facts) -> str | None:
    """The system that version() names: ``x86_64-pc-linux-gnu`` is Linux."""
    text = words(facts.get("version_text")) or ""
    found = _ON.search(text)
    target = (found.group(1) if found else text).lower()
    if "visual c++" in text.lower():
        return "Windows"
    return next((name for word, name in _SYSTEMS if word in target), None)


def deployment(facts: Facts, host: str) -> str:
    """Where it runs, by the marks that each service leaves: functions, settings, roles, extensions, or else its host names."""
    prefixes = {name.split(".", 1)[0] for name in settings(facts) if "." in name}
    roles = set(_names(facts.get("vendor_roles")))
    known = {name.split("_", 1)[0] for name in extensions(facts) or {}}
    name = host.lower()
    marks: tuple[tuple[str, bool], ...] = (
        ("Amazon Aurora", bool(flag(facts.get("has_aurora_version"))) or "aurora" in prefixes),
        ("Neon", "neon" in prefixes or "neon_superuser" in roles or name.endswith(".neon.tech")),
        ("Supabase", "supabase_admin" in roles or name.endswith((".supabase.co", ".supabase.com"))),
        ("Google AlloyDB", "alloydb" in prefixes or "alloydbsuperuser" in roles),
        ("Google Cloud SQL", "cloudsql" in prefixes or "cloudsqlsuperuser" in roles),
        ("Azure Database for PostgreSQL", bool({"azure_pg_admin", "azuresu"} & roles) or "azure" in prefixes | known
         or name.endswith(".postgres.database.azure.com")),
        ("Amazon RDS", bool({"rds_superuser", "rdsadmin"} & roles) or "rds" in prefixes or name.endswith(".rds.amazonaws.com")),
    )  # fmt: skip
    if not facts:
        return "unknown"
    return next((service for service, seen in marks if seen), "self-hosted")


def rights(facts: Facts) -> LoginRights:
    """What the login may do, and whether it can write at all."""
    superuser = flag(facts.get("is_superuser"))
    may = {
        "CREATE SCHEMA": facts.get("may_create_schemas"),
        "TEMPORARY": facts.get("may_create_temporary"),
        "CREATE": facts.get("may_create_tables"),
        "WRITE TABLES": facts.get("may_write_tables"),
    }
    attributes = {
        "SUPERUSER": superuser,
        "CREATEROLE": facts.get("may_create_roles"),
        "CREATEDB": facts.get("may_create_databases"),
        "REPLICATION": facts.get("may_replicate"),
        "BYPASSRLS": facts.get("bypasses_row_security"),
    }
    return LoginRights(
        login=words(facts.get("login_name")),
        user=words(facts.get("user_name")),
        administrator=superuser,
        database_owner=flag(facts.get("is_owner")),
        can_write=_can_write(facts, superuser),
        server_roles=_names(facts.get("roles")),
        server_permissions=tuple(name for name, value in attributes.items() if flag(value)),
        database_permissions=tuple(name for name, value in may.items() if flag(value)),
    )


def _can_write(facts: Facts, superuser: bool | None) -> bool | None:
    if flag(facts.get("in_recovery")):
        return False
    rights = [flag(facts.get(name)) for name in ("may_write_tables", "may_create_tables", "may_create_schemas")]
    if superuser or any(rights):
        return True
    return None if None in rights else False


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, cast("list[object]", _read(value) or [])))


def _read(value: object) -> object:
    return json.loads(value) if isinstance(value, str) and value else value
