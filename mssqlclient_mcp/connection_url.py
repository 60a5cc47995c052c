"""Connection URLs: ``postgresql://`` as libpq reads them, and ``mssql://`` with the keywords of connection strings.

Source: PostgreSQL, "Connection URIs" (libpq). No message repeats a part of the URL's authority or path: with a character
that should have been percent-encoded, any of them may be a piece of the password.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from .connection_keywords import AUTHENTICATION, AUTHENTICATION_OPTION, LIBPQ_PARAMETERS, nearest_libpq_parameter, plain
from .connection_settings import TOKEN_AUTHENTICATION, ConnectionSettings, Secret
from .errors import ConfigInvalid

_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ENCODING_ADVICE = (
    "The connection URL cannot be split: the user, password or database holds a character that must be percent-encoded "
    "(@ is %40, / is %2F, ? is %3F, # is %23, : is %3A, % is %25)."
)


def postgresql_settings(rest: str) -> ConnectionSettings:
    """Settings from what follows ``postgresql://``."""
    user, password, authority, database, query = _split(rest)
    hosts = [_host_and_port(part) for part in authority.split(",")]
    given = {
        "host": ",".join(host for host, _ in hosts),
        "port": ",".join(port for _, port in hosts) if any(port for _, port in hosts) else "",
        "user": user,
        "password": password,
        "dbname": database,
    }
    for name, value in _query(query, plus_is_space=False):
        given.update(_libpq_parameter(name, value))
    return _postgresql(given)


def sqlserver_pairs(rest: str) -> list[tuple[str, str]]:
    """Keyword-value pairs, as in a connection string, from what follows ``mssql://``."""
    user, password, authority, database, query = _split(rest)
    host, port = _host_and_port(authority)
    given = [("Server", host), ("Port", port), ("User Id", user), ("Password", password), ("Database", database)]
    return [pair for pair in given if pair[1]] + _query(query, plus_is_space=True)


def _split(rest: str) -> tuple[str, str, str, str, str]:
    """User, password, authority without them, database (all but the authority decoded), and the raw query."""
    main, _, query = rest.partition("?")
    authority, _, path = main.partition("/")
    if "#" in rest or "@" in query or "@" in path or "/" in path:
        raise ConfigInvalid(_ENCODING_ADVICE)
    login, _, hosts = authority.rpartition("@")
    user, _, password = login.partition(":")
    return _decode(user, "user"), _decode(password, "password"), hosts, _decode(path, "database"), query


def _decode(text: str, part: str) -> str:
    if _BAD_PERCENT.search(text):
        raise ConfigInvalid(f"The {part} in the connection URL has a % that begins no escape; % itself is %25.")
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ConfigInvalid(f"The {part} in the connection URL is not UTF-8 when decoded.") from None
    if "\0" in decoded:
        raise ConfigInvalid(f"The {part} in the connection URL holds a NUL character.")
    return decoded


def _host_and_port(text: str) -> tuple[str, str]:
    """Host (decoded, IPv6 without its brackets) and port (as text, empty when not given)."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
    if bracketed:
        host, port = bracketed[1], bracketed[2] or ""
    elif text.count(":") > 1:
        raise ConfigInvalid("An IPv6 address in the connection URL stands in brackets, as in [::1]:5432.")
    else:
        host, _, port = text.partition(":")
    if port:
        _port(port)
    return _decode(host, "host"), port


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535):
        raise ConfigInvalid(f"The port in the connection URL is not a number from 1 to 65535. {_ENCODING_ADVICE}")
    return int(text)


def _query(query: str, *, plus_is_space: bool) -> list[tuple[str, str]]:
    pairs = []
    for item in filter(None, query.split("&")):
        name, equals, value = (item.replace("+", " ") if plus_is_space else item).partition("=")
        if not equals or not name:
            raise ConfigInvalid("A parameter behind the ? of the connection URL is not of the form name=value.")
        name = _decode(name, "name of a parameter")
        pairs.append((name, _decode(value, f"parameter {name[:60]}")))
    return pairs


def _libpq_parameter(name: str, value: str) -> dict[str, str]:
    if name == "ssl" and value == "true":  # libpq takes this spelling of other libraries in URLs, and only there
        return {"sslmode": "require"}
    if name == AUTHENTICATION_OPTION:
        return {name: _authentication(value)}
    if name not in LIBPQ_PARAMETERS:
        near = nearest_libpq_parameter(name)
        hint = f" The nearest that is known: {near}." if near else ""
        raise ConfigInvalid(
            f"The connection URL's parameter {name[:60]!r} is not known to PostgreSQL's client library.{hint}",
            details={"nearest": [near]} if near else None,
        )
    return {name: value}


def _postgresql(given: dict[str, str]) -> ConnectionSettings:
    given = {name: value for name, value in given.items() if value}
    host, ports = given.pop("host", ""), given.pop("port", "")
    port, port_option = _ports(ports, host.count(",") + 1)
    timeout = given.pop("connect_timeout", "")
    if timeout and not (timeout.isascii() and timeout.isdigit() and len(timeout) < 10):
        raise ConfigInvalid("connect_timeout in the connection URL must be a whole number of seconds.")
    password, authentication = given.pop("password", ""), given.pop(AUTHENTICATION_OPTION, None)
    if authentication:
        _check_token(given, password, authentication)
    return ConnectionSettings(
        dialect="postgresql",
        authentication=authentication,
        host=host,
        port=port,
        database=given.pop("dbname", None),
        user=given.pop("user", None),
        password=Secret(password) if password else None,
        connect_timeout=int(timeout) if timeout else None,
        application_name=given.pop("application_name", None),
        options=(*port_option, *given.items()),
    )


def _authentication(value: str) -> str:
    """The authentication that a URL asks for: one of those that get a token of Microsoft Entra."""
    meaning = AUTHENTICATION.get(plain(value))
    if meaning not in TOKEN_AUTHENTICATION:
        raise ConfigInvalid(
            f"authentication in the connection URL must be one of: {', '.join(TOKEN_AUTHENTICATION)}.",
            details={"expected": list(TOKEN_AUTHENTICATION)},
        )
    return meaning


def _check_token(given: dict[str, str], password: str, authentication: str) -> None:
    """A token stands in the place of the password, and is not sent in the clear: TLS is required where nothing is said."""
    if password:
        raise ConfigInvalid(f"authentication={authentication} in the connection URL takes no password: remove it.")
    if given.setdefault("sslmode", "require") in ("disable", "allow", "prefer"):
        raise ConfigInvalid(f"authentication={authentication} needs TLS: sslmode must be require, verify-ca or verify-full.")


def _ports(text: str, hosts: int) -> tuple[int | None, tuple[tuple[str, str], ...]]:
    """One port for all hosts, or a list of them as an option for libpq."""
    numbers = [_port(part) if part else 5432 for part in text.split(",")] if text else []
    if len(numbers) not in (0, 1, hosts):
        raise ConfigInvalid("The connection URL names a number of ports that is not the number of its hosts.")
    if len(set(numbers)) < 2:
        return (numbers[0] if numbers else None), ()
    return None, (("port", ",".join(str(number) for number in numbers)),)
