"""Statements that ask SQL Server what it is and what the login may do. SERVERPROPERTY gives ``sql_variant``: always cast.

A property that a server does not know is NULL there, not an error, so all of them stand in one statement for every version.
The database is found by name: on Azure SQL Database DB_ID() need not be the number in sys.databases.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..features import Facts, Probe, number

_PROPERTIES = {
    "product_version": "ProductVersion",
    "product_level": "ProductLevel",
    "update_level": "ProductUpdateLevel",
    "update_reference": "ProductUpdateReference",
    "edition": "Edition",
    "engine_edition": "EngineEdition",
    "server_collation": "Collation",
    "server_name": "ServerName",
    "machine_name": "MachineName",
    "is_local_db": "IsLocalDB",
    "is_clustered": "IsClustered",
    "is_hadr_enabled": "IsHadrEnabled",
    "is_fulltext_installed": "IsFullTextInstalled",
    "is_polybase_installed": "IsPolyBaseInstalled",
    "is_xtp_supported": "IsXTPSupported",
    "filestream_level": "FilestreamEffectiveLevel",
}
_DATABASE_PROPERTIES = {
    "database_collation": "Collation",
    "updateability": "Updateability",
    "service_objective": "ServiceObjective",
    "is_optimized_locking_on": "IsOptimizedLockingOn",
}
_PERMISSIONS = {
    "control_server": "NULL, NULL, N'CONTROL SERVER'",
    "control_database": "DB_NAME(), N'DATABASE', N'CONTROL'",
    "may_insert": "DB_NAME(), N'DATABASE', N'INSERT'",
    "may_update": "DB_NAME(), N'DATABASE', N'UPDATE'",
    "may_delete": "DB_NAME(), N'DATABASE', N'DELETE'",
    "may_execute": "DB_NAME(), N'DATABASE', N'EXECUTE'",
    "may_create_table": "DB_NAME(), N'DATABASE', N'CREATE TABLE'",
}


def _server_facts() -> str:
    parts = [f"CAST(SERVERPROPERTY('{name}') AS nvarchar(128)) AS {alias}" for alias, name in _PROPERTIES.items()]
    parts += [
        f"CAST(DATABASEPROPERTYEX(DB_NAME(), '{name}') AS nvarchar(128)) AS {alias}"
        for alias, name in _DATABASE_PROPERTIES.items()
    ]
    parts += [f"HAS_PERMS_BY_NAME({arguments}) AS {alias}" for alias, arguments in _PERMISSIONS.items()]
    return ",\n  ".join(parts)


SERVER_FACTS = f"""
SELECT CAST(@@VERSION AS nvarchar(400)) AS version_text, DB_NAME() AS database_name, SUSER_SNAME() AS login_name,
  USER_NAME() AS user_name, IS_SRVROLEMEMBER('sysadmin') AS is_sysadmin, IS_MEMBER('db_owner') AS is_db_owner,
  IS_MEMBER('db_datawriter') AS is_datawriter, DB_ID(N'rdsadmin') AS rds_database_id,
  {_server_facts()},
  d.compatibility_level AS compatibility_level, d.is_query_store_on AS is_query_store_on, d.is_encrypted AS is_encrypted,
  d.is_cdc_enabled AS is_cdc_enabled, d.is_broker_enabled AS is_broker_enabled,
  (SELECT sd.name AS [name] FROM sys.databases AS sd WHERE sd.name IN (N'master', N'tempdb', N'model', N'msdb')
    ORDER BY sd.name FOR JSON PATH) AS system_databases
FROM (SELECT 1 AS here) AS one LEFT JOIN sys.databases AS d ON d.name = DB_NAME()
"""

# Roles and permissions of the login itself are always visible to it.
ROLE_FACTS = """
SELECT
  (SELECT r.name AS [name] FROM sys.server_principals AS r WHERE r.type = 'R' AND IS_SRVROLEMEMBER(r.name) = 1
    ORDER BY r.name FOR JSON PATH) AS server_roles,
  (SELECT r.name AS [name] FROM sys.database_principals AS r WHERE r.type = 'R' AND IS_MEMBER(r.name) = 1
    ORDER BY r.name FOR JSON PATH) AS database_roles,
  (SELECT COUNT_BIG(*) FROM sys.database_permissions AS dp
    WHERE dp.class IN (1, 3) AND dp.state IN ('G', 'W')
      AND dp.permission_name IN (N'INSERT', N'UPDATE', N'DELETE', N'ALTER', N'CONTROL', N'EXECUTE')
      AND (USER_NAME(dp.grantee_principal_id) = USER_NAME() OR IS_MEMBER(USER_NAME(dp.grantee_principal_id)) = 1)
    ) AS write_grants"""
LOGIN_FACTS = f"""{ROLE_FACTS},
  (SELECT p.permission_name AS [name] FROM sys.fn_my_permissions(NULL, N'SERVER') AS p FOR JSON PATH) AS server_permissions,
  (SELECT p.permission_name AS [name] FROM sys.fn_my_permissions(NULL, N'DATABASE') AS p FOR JSON PATH)
    AS database_permissions"""

CHECK_RIGHTS = """
SELECT HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DEFINITION') AS view_definition,
  HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DATABASE STATE') AS view_state,
  (SELECT COUNT(*) FROM sys.tables AS t WHERE t.is_ms_shipped = 0) AS [tables],
  CASE WHEN HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'SELECT') = 1 OR EXISTS (SELECT 1 FROM sys.objects AS o
    WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0
      AND HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name), N'OBJECT', N'SELECT') = 1)
    THEN 1 ELSE 0 END AS may_read"""
"""For the check: what the login may see and read in this database."""

_CONFIGURED = """(SELECT CAST(k.value_in_use AS int) FROM sys.configurations AS k
    WHERE k.name = N'clr enabled') AS clr_enabled,
  (SELECT CAST(k.value_in_use AS int) FROM sys.configurations AS k
    WHERE k.name = N'column encryption enclave type') AS enclave_type"""
_HOST = "h.host_platform AS host_platform, h.host_distribution AS host_distribution, h.host_release AS host_release"
_FROM_HOST = "FROM (SELECT 1 AS here) AS one LEFT JOIN sys.dm_os_host_info AS h ON 1 = 1"
_FROM_DATABASE = f"{_FROM_HOST} LEFT JOIN sys.databases AS d ON d.name = DB_NAME()"

FACTS_2016 = f"SELECT {_CONFIGURED}"
FACTS_2017 = f"SELECT {_CONFIGURED}, {_HOST} {_FROM_HOST}"
FACTS_2019 = f"SELECT {_CONFIGURED}, {_HOST}, d.is_accelerated_database_recovery_on AS is_adr_on {_FROM_DATABASE}"
FACTS_2022 = (
    f"SELECT {_CONFIGURED}, {_HOST}, d.is_accelerated_database_recovery_on AS is_adr_on, d.is_ledger_on AS is_ledger_on "
    f"{_FROM_DATABASE}"
)
FACTS_AZURE = (
    "SELECT d.is_accelerated_database_recovery_on AS is_adr_on, d.is_ledger_on AS is_ledger_on "
    "FROM sys.databases AS d WHERE d.name = DB_NAME()"
)

SERVER = Probe("what the server is", SERVER_FACTS)
ROLES = Probe("roles of the login", ROLE_FACTS)
LOGIN = Probe("permissions of the login", LOGIN_FACTS, instead=ROLES)
NEWER = {
    17: Probe("settings of the server", FACTS_2022, since=2022),
    16: Probe("settings of the server", FACTS_2022, since=2022),
    15: Probe("settings of the server", FACTS_2019, since=2019),
    14: Probe("settings of the server", FACTS_2017, since=2017),
    13: Probe("settings of the server", FACTS_2016, since=2016),
}
AZURE = Probe("settings of the database", FACTS_AZURE, since=2022)
ALL_PROBES = (SERVER, LOGIN, ROLES, *NEWER.values(), AZURE)
_AZURE_ENGINES = (5, 12)


def further_probes(facts: Facts) -> Sequence[Probe]:
    """What the login may do, and what only newer versions know. On Azure SQL Database the version number is no measure."""
    if number(facts.get("engine_edition")) in _AZURE_ENGINES:
        return (LOGIN, AZURE)
    major = number(str(facts.get("product_version") or "0").split(".", 1)[0]) or 0
    newer = NEWER.get(min(major, max(NEWER)))
    return (LOGIN,) if newer is None else (LOGIN, newer)
