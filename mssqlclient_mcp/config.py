"""Every setting of the server with default, bounds and help; the only reader of the environment.

``load_config`` reads, in this order of precedence: what the command line set, the environment, the ``.env`` file, the
defaults. A setting may also come under the name of the .NET server of the same purpose (``DatabaseConfiguration__`` and the
setting's name in capitals and small letters). An empty value counts as not set.
"""

# ruff: noqa: RUF009 - the calls in the dataclass make its fields, as dataclasses.field does

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from urllib.parse import urlsplit

from .connection_settings import ConnectionSettings, Secret
from .connection_string import parse
from .errors import ConfigInvalid
from .models import DatabaseMode
from .settings import (
    Setting,
    choice,
    file,
    flag,
    nearest_name,
    optional_text,
    secret,
    settings_of,
    text,
    text_of,
    whole,
    whole_or_off,
    words,
)

DOTENV = Path(".env")
_DOTNET_PREFIX = "databaseconfiguration__"
_RATE_LIMIT_OVER_HTTP = 10
_OWNER_TEXT_BYTES = 16 * 1024


@dataclass(frozen=True)
class Config:
    """The settings in force. ``connection`` is the parsed connection string, ``warnings`` what is odd but no error,
    ``owner_text`` what INSTRUCTIONS_FILE says."""

    connection: ConnectionSettings
    warnings: tuple[str, ...] = ()
    owner_text: str = ""

    mssql_connectionstring: Secret | None = secret(
        "Connection string of a SQL Server, in ADO.NET or ODBC form. Without a database in it the server works in server mode.",
        example="Server=localhost,1433;Database=shop;User Id=reader;Password=...;TrustServerCertificate=True",
    )
    database_url: Secret | None = secret(
        "URL of a PostgreSQL (postgresql://) or SQL Server (mssql://) database; instead of MSSQL_CONNECTIONSTRING.",
        example="postgresql://reader:...@localhost:5432/shop",
    )
    mssql_odbc_driver: str | None = optional_text(
        "ODBC driver for SQL Server, by name or by the path of its library, when the connection string names none. "
        "Without it the newest driver found is taken.",
        example="ODBC Driver 18 for SQL Server",
    )

    enable_select_data: bool = flag(True, "Offer select_data and execute_filter.")
    enable_execute_query: bool = flag(False, "Offer execute_query and explain_query.")
    enable_execute_stored_procedure: bool = flag(False, "Offer execute_stored_procedure.")
    enable_start_query: bool = flag(False, "Offer start_query: queries in the background.")
    enable_start_stored_procedure: bool = flag(False, "Offer start_stored_procedure: procedures in the background.")
    enable_write_queries: bool = flag(
        False, "Let execute_query and start_query change data. While false they accept reads only."
    )

    connection_timeout_seconds: int = whole(
        15, 1, 300, "Longest wait for a connection, when the connection string does not say."
    )
    default_command_timeout_seconds: int = whole(
        30, 1, 3600, "Longest run of a statement, until a client sets its own with set_command_timeout."
    )
    total_tool_call_timeout_seconds: int = whole(120, 1, 3600, "Longest time a tool call may take, all in all.")
    session_timeout_seconds: int = whole(600, 1, 86400, "Longest run of a background session that does not say.")
    session_max_timeout_seconds: int = whole(3600, 1, 86400, "Longest run that a background session may ask for.")
    query_handoff_seconds: int = whole(
        25,
        0,
        3600,
        "After this time a running execute_query or execute_stored_procedure becomes a background session, when the "
        "matching ENABLE_START setting is on. 0 is off.",
    )

    max_concurrent_sessions: int = whole(10, 1, 100, "How many background sessions may run at once.")
    session_cleanup_interval_minutes: int = whole(15, 1, 1440, "How long a session's result is kept after its end.")
    session_max_result_mb: int = whole(64, 1, 65536, "Memory for one session's result; what is over is cut, and said.")
    sessions_max_memory_mb: int = whole(256, 1, 65536, "Memory for the results of all sessions together.")

    default_max_rows: int = whole(200, 1, 1_000_000, "Rows in an answer when the call does not say.")
    max_rows: int = whole(10_000, 1, 1_000_000, "Most rows that a call may ask for.")
    max_response_chars: int = whole(60_000, 1_000, 10_000_000, "Longest answer, in characters; what is over is cut, and said.")

    pool_max_size: int = whole(10, 1, 500, "Connections for interactive calls, over all databases.")
    pool_max_waiting: int = whole(15, 0, 10_000, "Calls that may wait for a connection; further ones get POOL_EXHAUSTED.")
    pool_idle_seconds: int = whole(300, 1, 86400, "An idle connection is closed after this time.")
    capability_cache_minutes: int = whole(60, 0, 10_080, "How long the server's capabilities are remembered. 0: not at all.")

    transport: str = choice("stdio", ("stdio", "http", "sse"), "How clients reach the server; sse is the older HTTP form.")
    http_host: str = text(
        "127.0.0.1", "Address to listen on. One that is not loopback needs authentication and HTTP_ALLOWED_HOSTS."
    )
    http_port: int = whole(8000, 0, 65535, "Port to listen on. 0 takes any that is free.")
    http_bearer_token: Secret | None = secret("Token that clients must send; several as name=token, separated by commas.")
    http_tokens_file: Path | None = file("File with one name=token a line.", example="/etc/mssqlclient-mcp/tokens")
    http_allowed_hosts: tuple[str, ...] = words("Host headers to accept, separated by commas.", example="mcp.example.com:8000")
    http_allowed_origins: tuple[str, ...] = words("Origin headers to accept.", example="https://app.example.com")
    http_trusted_proxies: tuple[str, ...] = words(
        "Addresses or networks of proxies whose X-Forwarded-For is believed.", example="10.0.0.0/8"
    )
    http_tls_cert: Path | None = file("Certificate chain (PEM) to serve HTTPS; with HTTP_TLS_KEY.", example="/etc/tls/cert.pem")
    http_tls_key: Path | None = file("Private key (PEM) of HTTP_TLS_CERT.", example="/etc/tls/key.pem")
    oauth_issuer: str | None = optional_text("Issuer of the OAuth tokens to accept.", example="https://login.example.com/")
    oauth_audience: str | None = optional_text("Audience that the OAuth tokens must name.", example="mssqlclient-mcp")
    oauth_jwks_url: str | None = optional_text(
        "Where the issuer publishes its keys.", example="https://login.example.com/.well-known/jwks.json"
    )
    health_port: int | None = whole_or_off(1, 65535, "Port of the health API and metrics; with every transport.")
    health_host: str = text("127.0.0.1", "Address the health API listens on.")
    rate_limit_per_minute: int = whole(
        _RATE_LIMIT_OVER_HTTP, 0, 1_000_000, "Tool calls per client and minute. 0 is off.", shown="10 over HTTP, off on stdio"
    )
    rate_limit_storage_uri: Secret | None = secret(
        "Where call counts are kept, so that several servers share them.", example="redis://localhost:6379/0", shown="memory"
    )
    otel_exporter_otlp_endpoint: str | None = optional_text(
        "Where OpenTelemetry traces go, by OTLP over HTTP. Needs the extra otel.", example="http://localhost:4318"
    )
    log_level: str = choice("info", ("debug", "info", "warning", "error"), "What goes to the log on stderr.")
    log_format: str = choice("text", ("text", "json"), "Form of the log; json is one object a line.")
    instructions_file: Path | None = file(
        "File of UTF-8 text (16 KiB at most) for every assistant that uses this database; added to the server's instructions.",
        example="instructions.md",
    )

    @property
    def mode(self) -> DatabaseMode:
        """Whether the connection string names a database."""
        return DatabaseMode.DATABASE if self.connection.database else DatabaseMode.SERVER

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Everything in here that must not be seen, for the log's redaction."""
        values = (getattr(self, item.name) for item in fields(self))
        return (*(value for value in values if isinstance(value, Secret)), *self.connection.secrets)


SETTINGS: tuple[Setting, ...] = settings_of(Config)
SECTIONS: Mapping[str, str] = {  # the setting that opens a section -> the section's heading
    "MSSQL_CONNECTIONSTRING": "Connection (one of the first two)",
    "ENABLE_SELECT_DATA": "What clients may do",
    "CONNECTION_TIMEOUT_SECONDS": "Time",
    "MAX_CONCURRENT_SESSIONS": "Background sessions",
    "DEFAULT_MAX_ROWS": "Results",
    "POOL_MAX_SIZE": "Connections",
    "TRANSPORT": "Serving",
}
_CONNECTION_NAMES = ("MSSQL_CONNECTIONSTRING", "DATABASE_URL")
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_DOTNET_NAMES = {
    "connectionstring": "MSSQL_CONNECTIONSTRING",
    **{setting.attribute.replace("_", ""): setting.name for setting in SETTINGS},
}

# (smaller, larger, gap): the first stays below the second by the gap. A default gives way, a value that was set does not.
_ORDER = (
    ("default_command_timeout_seconds", "total_tool_call_timeout_seconds", 0),
    ("query_handoff_seconds", "total_tool_call_timeout_seconds", 1),
    ("session_timeout_seconds", "session_max_timeout_seconds", 0),
    ("session_max_result_mb", "sessions_max_memory_mb", 0),
    ("default_max_rows", "max_rows", 0),
)


def settings_table() -> tuple[tuple[str, str, str], ...]:
    """(name, default, help) of every setting, for the documents."""
    return tuple((setting.name, setting.default, setting.help) for setting in SETTINGS)


def load_config(
    environ: Mapping[str, str] | None = None,
    dotenv_path: Path | None = None,
    *,
    overrides: Mapping[str, str] | None = None,
) -> Config:
    """The settings in force; raises ConfigInvalid for the first that cannot be used.

    ``environ`` None is the environment of the process, together with ``.env`` in the working directory. A ``dotenv_path``
    that is not there is no error. ``overrides`` (names as in the environment) go before everything.
    """
    if environ is None:
        environ, dotenv_path = os.environ, dotenv_path or DOTENV
    warnings: list[str] = []
    layers = [_ours(layer, warnings) for layer in (overrides or {}, environ, _dotenv(dotenv_path))]
    connection_name = _connection_name(layers)
    values = {name: value for layer in reversed(layers) for name, value in layer.items()}
    values = {name: value for name, value in values.items() if name not in _CONNECTION_NAMES or name == connection_name}
    read = {_BY_NAME[name].attribute: _BY_NAME[name].read(value) for name, value in values.items()}
    config = Config(connection=_connection(connection_name, values[connection_name]), **read)  # type: ignore[arg-type]
    config = _fit(config, set(read))
    _check(config)
    return replace(config, warnings=(*warnings, *_oddities(config)), owner_text=_owner_text(config))


def _dotenv(path: Path | None) -> Mapping[str, str]:
    if path is None or not path.is_file():
        return {}
    from dotenv import dotenv_values  # only who has such a file waits for it

    try:  # without interpolation: a password may hold ${...}
        values = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigInvalid(f"{path} is not UTF-8 text.", details={"setting": str(path)}) from None
    return {name: value for name, value in values.items() if value is not None}


def _ours(layer: Mapping[str, str], warnings: list[str]) -> dict[str, str]:
    """The settings of one source under their own names; an own name goes before its alias."""
    found: dict[str, str] = {}
    for name, value in layer.items():
        own = name if name in _BY_NAME else _aliased(name)
        if own is None:
            warnings.extend(_misspelt(name))
        elif value.strip() and (own == name or own not in found):
            found[own] = value.strip()
    return found


def _aliased(name: str) -> str | None:
    lowered = name.lower()
    return _DOTNET_NAMES.get(lowered[len(_DOTNET_PREFIX) :]) if lowered.startswith(_DOTNET_PREFIX) else None


def _misspelt(name: str) -> Iterator[str]:
    if name.lower().startswith(_DOTNET_PREFIX):
        yield f"{name} is not a setting of this server and has no effect."
        return
    near = nearest_name(name, _BY_NAME)
    if near:
        yield f"{name} is not a setting and has no effect; {near} is the nearest that is."


def _connection_name(layers: Sequence[Mapping[str, str]]) -> str:
    """Which of the two connection settings counts: the first source that has one decides."""
    for layer in layers:
        named = [name for name in _CONNECTION_NAMES if name in layer]
        if len(named) > 1:
            raise ConfigInvalid(
                "MSSQL_CONNECTIONSTRING and DATABASE_URL are both set; this server connects to one database: remove one.",
                details={"setting": "DATABASE_URL"},
            )
        if named:
            return named[0]
    raise ConfigInvalid(
        "No database is configured.",
        details={"setting": "MSSQL_CONNECTIONSTRING or DATABASE_URL"},
        next_step="Set MSSQL_CONNECTIONSTRING (SQL Server, ADO.NET or ODBC form) or DATABASE_URL (postgresql://... or "
        "mssql://...), or start with the sample database: mssqlclient-mcp --demo.",
    )


def _connection(name: str, value: str) -> ConnectionSettings:
    try:
        settings = parse(value)
    except ConfigInvalid as error:
        raise ConfigInvalid(f"{name}: {error.message}", details={**error.details, "setting": name}) from None
    if name == "MSSQL_CONNECTIONSTRING" and settings.dialect != "sqlserver":
        raise ConfigInvalid(f"{name} holds a PostgreSQL URL; it belongs into DATABASE_URL.", details={"setting": name})
    if name == "DATABASE_URL" and "://" not in value.partition(";")[0]:
        raise ConfigInvalid(
            f"{name} must be a URL; ADO.NET and ODBC strings belong into MSSQL_CONNECTIONSTRING.", details={"setting": name}
        )
    return settings


def _fit(config: Config, given: set[str]) -> Config:
    """Bring defaults in line with what was set beside them, and the settings that depend on others."""
    changes: dict[str, int] = {}
    for smaller, larger, gap in _ORDER:
        most = getattr(config, larger) - gap
        if getattr(config, smaller) > most:
            if smaller in given:
                word = "less than" if gap else "at most"
                raise ConfigInvalid(
                    f"{smaller.upper()} ({getattr(config, smaller)}) must be {word} {larger.upper()} ({most + gap}).",
                    details={"setting": smaller.upper()},
                )
            changes[smaller] = most
    if "rate_limit_per_minute" not in given:
        changes["rate_limit_per_minute"] = 0 if config.transport == "stdio" else _RATE_LIMIT_OVER_HTTP
    seconds = config.connection.connect_timeout or config.connection_timeout_seconds
    return replace(config, connection=replace(config.connection, connect_timeout=seconds), **changes)  # type: ignore[arg-type]


def _check(config: Config) -> None:
    """What cannot be meant."""
    _all_or_none(config, "http_tls_cert", "http_tls_key")
    _all_or_none(config, "oauth_issuer", "oauth_audience", "oauth_jwks_url")
    for attribute in ("oauth_issuer", "oauth_jwks_url"):
        _check_https(attribute, getattr(config, attribute))
    traces_to = config.otel_exporter_otlp_endpoint
    if traces_to is not None and not traces_to.startswith(("http://", "https://")):
        raise _BY_NAME["OTEL_EXPORTER_OTLP_ENDPOINT"].invalid("a URL (http:// or https://)", traces_to)
    for proxy in config.http_trusted_proxies:
        try:
            ipaddress.ip_network(proxy, strict=False)
        except ValueError:
            raise _BY_NAME["HTTP_TRUSTED_PROXIES"].invalid("IP addresses or networks, separated by commas", proxy) from None
    served = config.transport != "stdio" and config.http_port != 0
    if served and (config.health_host, config.health_port) == (config.http_host, config.http_port):
        raise ConfigInvalid("HEALTH_PORT and HTTP_PORT must differ.", details={"setting": "HEALTH_PORT"})


def _all_or_none(config: Config, *attributes: str) -> None:
    missing = [attribute.upper() for attribute in attributes if getattr(config, attribute) is None]
    if missing and len(missing) < len(attributes):
        names = ", ".join(attribute.upper() for attribute in attributes)
        raise ConfigInvalid(f"{names} go together; {missing[0]} is not set.", details={"setting": missing[0]})


def _check_https(attribute: str, url: str | None) -> None:
    if url is None:
        return
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise _BY_NAME[attribute.upper()].invalid("an https:// URL (http:// on loopback only)", url)


def _owner_text(config: Config) -> str:
    path = config.instructions_file
    return text_of(_BY_NAME["INSTRUCTIONS_FILE"], path, most_bytes=_OWNER_TEXT_BYTES) if path else ""


def _oddities(config: Config) -> Iterator[str]:
    if config.enable_write_queries and not (config.enable_execute_query or config.enable_start_query):
        yield "ENABLE_WRITE_QUERIES has no effect while ENABLE_EXECUTE_QUERY and ENABLE_START_QUERY are off."
