"""The document of capabilities: ``docs/features.md`` from the feature tables. ``docs/generate.py`` writes it."""

from __future__ import annotations

from mssqlclient_mcp.dialects.postgresql import features as postgresql
from mssqlclient_mcp.dialects.sqlserver import features as sqlserver

HEAD = """\
# What get_server_capabilities tells

Written from the tables in `mssqlclient_mcp/dialects/*/features.py` by `docs/generate.py`.

**How a server is looked at.** SQL Server: one statement of `SERVERPROPERTY`, `DATABASEPROPERTYEX` and permission functions,
one of the login's roles and permissions, one of what newer versions know; three round trips. PostgreSQL: one statement. A
part that is refused leaves its own fields unknown, with a note. The answer is kept for an hour (`CAPABILITY_CACHE_MINUTES`)
by a digest of connection and database; `refresh` looks again; callers that come together share one look.

**What is judged.** A feature is supported, not supported, or unknown, and the two latter say why: the service or version
does not have it, the edition does not, its component is not installed, the compatibility level is too low, or the documents
do not say. A feature that is a switch also tells whether it is on (`enabled`).

**Where a server runs.** Azure SQL Database, Managed Instance, Synapse, Fabric and Azure SQL Edge tell it by their engine
edition, Amazon RDS by its own database or host name, an Azure VM by its host name only, Linux or Windows by `@@VERSION`. For
PostgreSQL the roles, settings, functions and host names that RDS, Aurora, Azure, Cloud SQL, AlloyDB, Supabase and Neon
leave.
"""


def features_markdown() -> str:
    """The document."""
    return "\n".join([HEAD, *_sqlserver_lines(), "", *_postgresql_lines(), ""])


def _sqlserver_lines() -> list[str]:
    lines = [
        f"## SQL Server: {len(sqlserver.FEATURES)} features",
        "",
        "| Feature | Since | Editions | Azure SQL Database | Managed Instance | Needs besides |",
        "|---|---|---|---|---|---|",
    ]
    for feature in sqlserver.FEATURES:
        needs = [f"compatibility level {feature.level}"] if feature.level else []
        needs += ["its component installed"] if feature.component else []
        needs += ["to be switched on"] if feature.switch else []
        needs += ["PREVIEW_FEATURES"] if feature.preview else []
        azure = (_yes(feature.azure_sql_db), _yes(feature.managed_instance))
        cells = (feature.name, sqlserver.YEARS[feature.since], feature.editions.text, *azure, ", ".join(needs))
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _postgresql_lines() -> list[str]:
    lines = [
        f"## PostgreSQL: {len(postgresql.FEATURES)} features",
        "",
        "| Feature | Since | Needs besides |",
        "|---|---|---|",
    ]
    for feature in postgresql.FEATURES:
        needs = f"extension {feature.extension}" if feature.extension else ""
        needs = f"`{feature.setting}` on ({', '.join(feature.on)})" if feature.setting else needs
        lines.append(f"| {feature.name} | {feature.since or 'always'} | {needs} |")
    return lines


def _yes(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"
