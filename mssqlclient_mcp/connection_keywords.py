"""The keywords of SQL Server connection strings and the parameters of libpq, as tables.

Sources: Microsoft's ``SqlConnection.ConnectionString`` page (ADO.NET keywords and synonyms), its "DSN and connection
string keywords and attributes" page (ODBC Driver for SQL Server), FreeTDS's list of ODBC connection attributes, and
PostgreSQL's "Parameter Key Words" (libpq, version 18).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum


class Use(Enum):
    """What becomes of a keyword."""

    FIELD = "field"  # a field of ConnectionSettings, named by ``target``
    OPTION = "option"  # handed to the ODBC driver under the name ``target``
    IGNORED = "ignored"  # understood, and of no meaning here (pooling, MARS, ... are the server's own business)


@dataclass(frozen=True)
class Keyword:
    """One meaning: its best-known name, the other names, and what becomes of it."""

    name: str
    use: Use
    target: str = ""
    synonyms: tuple[str, ...] = ()
    odbc_only: bool = False


def _field(name: str, target: str, *synonyms: str, odbc_only: bool = False) -> Keyword:
    return Keyword(name, Use.FIELD, target, synonyms, odbc_only)


def _option(name: str, target: str, *synonyms: str) -> Keyword:
    return Keyword(name, Use.OPTION, target, synonyms)


def _odbc(name: str) -> Keyword:
    return Keyword(name, Use.OPTION, name, odbc_only=True)


def _ignored(name: str, *synonyms: str) -> Keyword:
    return Keyword(name, Use.IGNORED, "", synonyms)


SQLSERVER_KEYWORDS = (
    _field("Server", "server", "Data Source", "Address", "Addr", "Network Address"),
    _field("Database", "database", "Initial Catalog"),
    _field("User Id", "user", "UID", "User"),
    _field("Password", "password", "PWD"),
    _field("Encrypt", "encrypt"),
    _field("TrustServerCertificate", "trust_server_certificate"),
    _field("Integrated Security", "integrated", "Trusted_Connection"),
    _field("Authentication", "authentication"),
    _field("Connect Timeout", "connect_timeout", "Connection Timeout", "Timeout"),
    _field("ApplicationIntent", "application_intent"),
    _field("MultiSubnetFailover", "multi_subnet_failover"),
    _field("Application Name", "application_name", "App"),
    _field("Driver", "driver", odbc_only=True),
    _field("Port", "port", odbc_only=True),
    _option("Workstation ID", "WSID", "WSID"),
    _option("Current Language", "Language", "Language"),
    _option("AttachDBFilename", "AttachDbFilename", "Extended Properties", "Initial File Name"),
    _option("Failover Partner", "Failover_Partner"),
    _option("Failover Partner SPN", "FailoverPartnerSPN"),
    _option("Server SPN", "ServerSPN"),
    _option("Host Name In Certificate", "HostnameInCertificate"),
    _option("Server Certificate", "ServerCertificate"),
    _option("Column Encryption Setting", "ColumnEncryption", "ColumnEncryption"),
    _option("Connect Retry Count", "ConnectRetryCount"),
    _option("Connect Retry Interval", "ConnectRetryInterval"),
    _option("IP Address Preference", "IpAddressPreference"),
    *map(
        _odbc,
        (
            *("DSN", "FILEDSN", "SAVEFILE", "Description", "AnsiNPW", "AutoTranslate", "ClientCertificate", "ClientKey"),
            *("ConcatNullYieldsNull", "GetDataExtensions", "KeepAlive", "KeepAliveInterval", "KeystoreAuthentication"),
            *("KeystoreLocation", "KeystorePrincipalId", "KeystoreSecret", "LongAsMax", "MARS_Connection"),
            *("QueryLog_On", "QueryLogFile", "QueryLogTime", "QuotedId", "Regional", "RetryExec"),
            *("StatsLog_On", "StatsLogFile", "UseFMTONLY", "VectorTypeSupport"),
            *("Servername", "TDS_Version", "ClientCharset", "UseNTLMv2", "Realm", "Encryption", "TextSize"),  # FreeTDS
            *("DumpFile", "DumpFileAppend", "DebugFlags"),  # FreeTDS
        ),
    ),
    _ignored("Asynchronous Processing", "Async"),
    _ignored("Attestation Protocol"),
    _ignored("Command Timeout"),
    _ignored("Connection Lifetime", "Load Balance Timeout"),
    _ignored("Connection Reset"),
    _ignored("Context Connection"),
    _ignored("Enclave Attestation Url"),
    _ignored("Enlist"),
    _ignored("Max Pool Size"),
    _ignored("Min Pool Size"),
    _ignored("MultipleActiveResultSets"),
    _ignored("Network Library", "Net", "Network"),
    _ignored("Packet Size"),
    _ignored("Persist Security Info"),
    _ignored("Pool Blocking Period"),
    _ignored("Pooling"),
    _ignored("Provider"),
    _ignored("Replication"),
    _ignored("Transaction Binding"),
    _ignored("Transparent Network IP Resolution"),
    _ignored("Type System Version"),
    _ignored("User Instance"),
)

LIBPQ_PARAMETERS = frozenset(
    (
        *("application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname"),
        *("fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr"),
        *("keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname"),
        *("load_balance_hosts", "max_protocol_version", "min_protocol_version", "oauth_client_id"),
        *("oauth_client_secret", "oauth_issuer", "oauth_scope", "options", "passfile", "password", "port"),
        *("replication", "require_auth", "requirepeer", "scram_client_key", "scram_server_key", "service"),
        *("servicefile", "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcert", "sslcertmode"),
        *("sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslkeylogfile", "sslmode", "sslnegotiation"),
        *("sslpassword", "sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout", "user"),
    )
)

BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
INTEGRATED = {**BOOLEANS, "sspi": True}
ENCRYPT = {
    **dict.fromkeys(("true", "yes", "1", "mandatory"), "yes"),
    **dict.fromkeys(("false", "no", "0", "optional"), "no"),
    "strict": "strict",
}
APPLICATION_INTENT = {"readonly": "ReadOnly", "readwrite": "ReadWrite"}
AUTHENTICATION = {
    "notspecified": "",
    "sqlpassword": "SqlPassword",
    "activedirectorypassword": "ActiveDirectoryPassword",
    "activedirectoryintegrated": "ActiveDirectoryIntegrated",
    "activedirectoryinteractive": "ActiveDirectoryInteractive",
    "activedirectoryserviceprincipal": "ActiveDirectoryServicePrincipal",
    "activedirectorymanagedidentity": "ActiveDirectoryMsi",
    "activedirectorymsi": "ActiveDirectoryMsi",
    "activedirectorydefault": "ActiveDirectoryDefault",
    "activedirectoryworkloadidentity": "ActiveDirectoryWorkloadIdentity",
}
AUTHENTICATION_OPTION = "authentication"
"""Our own parameter in PostgreSQL URLs; libpq never sees it."""


def plain(word: str) -> str:
    """How keywords are compared: without case, spaces and underscores."""
    return "".join(word.split()).replace("_", "").lower()


_BY_WORD = {plain(word): keyword for keyword in SQLSERVER_KEYWORDS for word in (keyword.name, *keyword.synonyms)}
_SPELLINGS = {plain(word): word for keyword in SQLSERVER_KEYWORDS for word in (keyword.name, *keyword.synonyms)}
# Words of other products' connection strings, which resemble nothing of ours.
_FOREIGN = {"host": "Server", "hostname": "Server", "dbname": "Database", "username": "User Id", "login": "User Id"}


def sqlserver_keyword(word: str) -> Keyword | None:
    """The keyword a word stands for, by any of its names; None when it is not known."""
    return _BY_WORD.get(plain(word))


def nearest_keyword(word: str, *, cutoff: float = 0.6) -> str | None:
    """The known keyword nearest to a word, or None when nothing is near."""
    if plain(word) in _FOREIGN:
        return _FOREIGN[plain(word)]
    found = _nearest(plain(word), _SPELLINGS, cutoff)
    return _SPELLINGS[found] if found else None


def nearest_libpq_parameter(word: str) -> str | None:
    """The libpq parameter nearest to a word, or None when nothing is near."""
    return _nearest(word.lower(), LIBPQ_PARAMETERS, 0.6)


def _nearest(word: str, known: Iterable[str], cutoff: float) -> str | None:
    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=cutoff)), None)
