"""Settings written out again as a person would write them, with something else in the place of each secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

from .connection_keywords import AUTHENTICATION_OPTION, sqlserver_keyword
from .connection_settings import ConnectionSettings, holds_secret

Hide = Callable[[str, str], str]
"""(name of what is secret, the secret) -> what to write in its place."""


def connection_text(settings: ConnectionSettings, hide: Hide) -> str:
    """A connection string or URL that reads as the same settings once the secrets are back in it. What stands for a secret is
    written as it is: in a URL the secret must be percent-encoded, elsewhere it stands in quotes or braces already."""
    if settings.dialect == "postgresql":
        return _url(settings, hide)
    odbc = settings.driver is not None or any(_odbc_only(name) for name, _ in settings.options)
    quoted = _in_braces if odbc else _in_quotes
    parts = []
    for name, value in _sqlserver_pairs(settings):
        if holds_secret(name):
            secret = hide(name.lower(), value)
            parts.append(f"{name}={{{secret}}}" if odbc else f"{name}='{secret}'")
        else:
            parts.append(f"{name}={quoted(value)}")
    return ";".join(parts)


def _odbc_only(name: str) -> bool:
    keyword = sqlserver_keyword(name)
    return keyword is None or keyword.odbc_only


def _sqlserver_pairs(settings: ConnectionSettings) -> Iterator[tuple[str, str]]:
    instance = f"\\{settings.instance}" if settings.instance else ""
    port = f",{settings.port}" if settings.port else ""
    given: tuple[tuple[str, object], ...] = (
        ("Driver", settings.driver),
        ("Server", f"{settings.host}{instance}{port}"),
        ("Database", settings.database),
        ("User Id", settings.user),
        ("Password", settings.password.reveal() if settings.password else None),
        ("Trusted_Connection", settings.integrated or None),
        ("Authentication", settings.authentication),
        ("Encrypt", settings.encrypt),
        ("TrustServerCertificate", settings.trust_server_certificate),
        ("Connect Timeout", settings.connect_timeout),
        ("ApplicationIntent", settings.application_intent),
        ("MultiSubnetFailover", settings.multi_subnet_failover),
        ("Application Name", settings.application_name),
        *settings.options,
    )
    for name, value in given:
        if value not in (None, ""):
            yield name, ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _in_quotes(value: str) -> str:
    """A value as ADO.NET reads it."""
    harmless = not set(value) & set(";'\"{}") and value == value.strip()
    return value if harmless else '"' + value.replace('"', '""') + '"'


def _in_braces(value: str) -> str:
    """A value as ODBC reads it."""
    harmless = not set(value) & set(";'\"{}[]()?*=!@") and value == value.strip()
    return value if harmless else "{" + value.replace("}", "}}") + "}"


def _url(settings: ConnectionSettings, hide: Hide) -> str:
    login = quote(settings.user or "", safe="")
    if settings.password:
        login += ":" + hide("password", settings.password.reveal())
    plain_host = bool(settings.host) and not set(settings.host) & set("/,:@")
    authority = (settings.host if plain_host else "") + (f":{settings.port}" if plain_host and settings.port else "")
    parameters = [] if plain_host else [("host", settings.host), ("port", str(settings.port or ""))]
    parameters += [
        ("connect_timeout", str(settings.connect_timeout or "")),
        ("application_name", settings.application_name or ""),
        (AUTHENTICATION_OPTION, settings.authentication or ""),
        *settings.options,
    ]
    query = "&".join(f"{name}={_parameter(name, value, hide)}" for name, value in parameters if value)
    where = f"{login}@{authority}" if login else authority
    return f"postgresql://{where}/{quote(settings.database or '', safe='')}" + (f"?{query}" if query else "")


def _parameter(name: str, value: str, hide: Hide) -> str:
    return hide(name, value) if holds_secret(name) else quote(value, safe="/,")
