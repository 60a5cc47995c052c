"""Connection strings: ADO.NET, ODBC and URL text -> ``ConnectionSettings``, and settings -> what drivers take.

* ADO.NET, ``Server=db1;Database=shop;User Id=reader;Password="a;b"``: values in ``"`` or ``'``, doubled inside.
  The last of several equal keywords counts. Keywords that only steer .NET's own pooling and the like are ignored.
* ODBC, ``DRIVER={ODBC Driver 18 for SQL Server};SERVER=db1;UID=reader;PWD={a;b}``: values in ``{}``, ``}`` doubled.
  The first of several equal keywords counts. Keywords of other drivers are handed on as they are.
* URLs, ``postgresql://reader:secret@db1/shop?sslmode=require`` and ``mssql://reader:secret@db1:1433/shop``.

Every fault is ``ConfigInvalid`` naming the keyword or part at fault. No value is ever repeated in a message, nor a word
that may be a piece of a password with an unquoted ``;``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from .connection_keywords import (
    APPLICATION_INTENT,
    AUTHENTICATION,
    BOOLEANS,
    ENCRYPT,
    INTEGRATED,
    Use,
    nearest_keyword,
    plain,
    sqlserver_keyword,
)
from .connection_rendering import libpq_parameters, odbc_connection_string
from .connection_settings import ConnectionSettings, Secret, holds_secret
from .connection_url import postgresql_settings, sqlserver_pairs
from .errors import ConfigInvalid

__all__ = ["ConnectionSettings", "Secret", "libpq_parameters", "odbc_connection_string", "parse"]

Pair = tuple[str, str]
T = TypeVar("T")

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://", re.ASCII)
_ADO_QUOTES = {'"': '"', "'": "'"}
_ODBC_QUOTES = {"{": "}"}
_NO_SERVER_NEEDED = ("DSN", "FILEDSN", "Servername")
_LOCAL = ("(local)", ".", "localhost")
_FOREIGN_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*", re.ASCII)
_PROTOCOL = re.compile(r"(tcp|np|lpc|admin):(.*)", re.IGNORECASE | re.DOTALL)


def parse(text: str) -> ConnectionSettings:
    """Read a connection string in any of the three forms; raises ConfigInvalid."""
    text = text.strip()
    _check_characters(text)
    if text.lower().startswith("jdbc:"):
        raise ConfigInvalid("JDBC connection strings are not read; write postgresql://... or mssql://... instead.")
    url = _URL.match(text)
    if url:
        return _from_url(url[1].lower(), text[url.end() :])
    if _is_odbc(text):
        return _sqlserver_settings(list(_pairs(text, _ODBC_QUOTES)), odbc=True)
    return _sqlserver_settings(list(_pairs(text, _ADO_QUOTES)), odbc=False)


def _check_characters(text: str) -> None:
    if not text:
        raise ConfigInvalid("The connection string is empty.")
    if "\0" in text:
        raise ConfigInvalid("The connection string holds a NUL character.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigInvalid("The connection string is not valid Unicode text.") from None


def _from_url(scheme: str, rest: str) -> ConnectionSettings:
    scheme = scheme.partition("+")[0]  # postgresql+psycopg://, mssql+pyodbc:// name a Python library besides
    if scheme in ("postgresql", "postgres"):
        return postgresql_settings(rest)
    if scheme == "mssql":
        return _sqlserver_settings(sqlserver_pairs(rest), odbc=False)
    raise ConfigInvalid(
        "The connection URL's scheme is not one of postgresql://, postgres:// and mssql://.",
        details={"expected": ["postgresql://", "postgres://", "mssql://"]},
    )


def _is_odbc(text: str) -> bool:
    """Tell the form: keywords that only ODBC has, or a user or password in braces. Faults are for the reading to find."""
    scan = _pairs(text, {**_ADO_QUOTES, **_ODBC_QUOTES}, keep_quotes=True)
    with suppress(ConfigInvalid):
        for word, value in scan:
            keyword = sqlserver_keyword(word)
            if (keyword and keyword.odbc_only) or (plain(word) in ("uid", "pwd") and value.startswith("{")):
                return True
    return False


def _pairs(text: str, quotes: Mapping[str, str], *, keep_quotes: bool = False) -> Iterator[Pair]:
    """Split ``keyword=value;...``; a value that begins with a quote of the form runs to its closing partner."""
    keyword, position = "", _skip(text, 0, ";")
    while position < len(text):
        equals = text.find("=", position)
        if equals < 0 or ";" in text[position:equals]:
            raise ConfigInvalid(f"There is text without '=' {_after(keyword)}; {_quoting_advice(quotes)}")
        keyword = text[position:equals].strip()
        position = _skip(text, equals + 1)
        if text[position : position + 1] in quotes:
            value, end = _quoted(text, position, quotes[text[position]], keyword)
            yield keyword, text[position:end] if keep_quotes else value
            position = _end_of_value(text, end, keyword)
        else:
            end = text.find(";", position)
            end = len(text) if end < 0 else end
            yield keyword, text[position:end].strip()
            position = end
        position = _skip(text, position, ";")


def _skip(text: str, position: int, also: str = "") -> int:
    while position < len(text) and (text[position].isspace() or text[position] in also):
        position += 1
    return position


def _quoted(text: str, start: int, closing: str, keyword: str) -> tuple[str, int]:
    """The value whose opening quote stands at ``start``, and the position behind its closing quote."""
    parts, position = [], start + 1
    while True:
        end = text.find(closing, position)
        if end < 0:
            raise ConfigInvalid(f"The value of {_told(keyword)} begins with {text[start]} and has no closing {closing}.")
        parts.append(text[position:end])
        if text[end + 1 : end + 2] != closing:
            return closing.join(parts), end + 1
        position = end + 2


def _end_of_value(text: str, position: int, keyword: str) -> int:
    rest = text[position:].lstrip()
    if rest and not rest.startswith(";"):
        closing = text[position - 1]
        raise ConfigInvalid(
            f"Text follows the closing {closing} of {_told(keyword)}; a {closing} inside the value is written twice."
        )
    return len(text) - len(rest)


def _told(word: str) -> str:
    """A keyword as it may be named in a message: by its own name when known, else not at all."""
    keyword = sqlserver_keyword(word)
    return keyword.name if keyword else "a keyword"


def _after(word: str) -> str:
    return f"after the value of {_told(word)}" if word else "at the beginning of the connection string"


def _quoting_advice(quotes: Mapping[str, str]) -> str:
    return 'a value that holds ";" is written in {braces}.' if "{" in quotes else "a value that holds ; is quoted."


def _sqlserver_settings(pairs: Sequence[Pair], *, odbc: bool) -> ConnectionSettings:
    """Settings from keyword-value pairs in the order written."""
    fields: dict[str, str] = {}
    options: dict[str, str] = {}
    previous = ""
    for word, value in pairs:
        keyword = sqlserver_keyword(word)
        if keyword is None and odbc and _is_foreign(word, previous):
            options.setdefault(word, value)
        elif keyword is None:
            raise _unknown(word, previous)
        elif keyword.use is not Use.IGNORED:
            store = fields if keyword.use is Use.FIELD else options
            if not (odbc and keyword.target in store):
                store[keyword.target] = value
        previous = word
    fields = {name: value for name, value in fields.items() if value}
    return _typed(fields, tuple((name, value) for name, value in options.items() if value))


def _is_foreign(word: str, previous: str) -> bool:
    """A keyword of some other ODBC driver: resembles none of ours, and is no piece of a password."""
    near = nearest_keyword(word, cutoff=0.8)
    return near is None and not _is_secret(previous) and _FOREIGN_KEYWORD.fullmatch(word) is not None


def _is_secret(word: str) -> bool:
    keyword = sqlserver_keyword(word)
    return keyword is not None and holds_secret(keyword.target)


def _unknown(word: str, previous: str) -> ConfigInvalid:
    if _is_secret(previous):
        return ConfigInvalid(
            f"What follows the value of {_told(previous)} is not a keyword that is known here; "
            "a password that holds ';' must be quoted (ADO.NET: in \"...\", ODBC: in {...})."
        )
    near = nearest_keyword(word)
    hint = f" The nearest that is known: {near}." if near else ""
    return ConfigInvalid(
        f"The connection string's keyword {word[:60]!r} is not known.{hint}",
        details={"nearest": [near]} if near else None,
    )


def _typed(fields: Mapping[str, str], options: tuple[Pair, ...]) -> ConnectionSettings:
    names = {name.lower() for name, _ in options}
    no_server_needed = any(name.lower() in names for name in _NO_SERVER_NEEDED)
    if "server" not in fields and not no_server_needed:
        raise ConfigInvalid("The connection string names no server (Server=...).")
    host, port, instance = _split_server(fields["server"]) if "server" in fields else ("", None, None)
    return ConnectionSettings(
        dialect="sqlserver",
        host=host,
        port=port if port is not None else _number("Port", fields.get("port"), 1, 65535),
        instance=instance,
        database=fields.get("database"),
        user=fields.get("user"),
        password=Secret(fields["password"]) if "password" in fields else None,
        encrypt=_word("Encrypt", fields.get("encrypt"), ENCRYPT),
        trust_server_certificate=_word("TrustServerCertificate", fields.get("trust_server_certificate"), BOOLEANS),
        integrated=_word("Integrated Security", fields.get("integrated"), INTEGRATED) or False,
        authentication=_word("Authentication", fields.get("authentication"), AUTHENTICATION) or None,
        connect_timeout=_number("Connect Timeout", fields.get("connect_timeout"), 0, 2**31 - 1),
        application_intent=_word("ApplicationIntent", fields.get("application_intent"), APPLICATION_INTENT),
        multi_subnet_failover=_word("MultiSubnetFailover", fields.get("multi_subnet_failover"), BOOLEANS),
        application_name=fields.get("application_name"),
        driver=fields.get("driver"),
        options=options,
    )


def _word(keyword: str, value: str | None, table: Mapping[str, T]) -> T | None:
    """What a word of a closed list means; None when the keyword is not given."""
    if value is None:
        return None
    meaning = table.get(plain(value))
    if meaning is None:
        words = [word for word in table if not word.isdigit()]
        raise ConfigInvalid(f"{keyword} must be one of: {', '.join(words)}.", details={"expected": words})
    return meaning


def _number(keyword: str, value: str | None, least: int, most: int) -> int | None:
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and least <= int(value[:12]) <= most):
        raise ConfigInvalid(f"{keyword} must be a whole number from {least} to {most}.")
    return int(value)


def _split_server(value: str) -> tuple[str, int | None, str | None]:
    """Host, port and instance of a ``Server`` value: ``host``, ``host,port``, ``host\\instance``, ``tcp:host,port``,
    ``(local)``, ``.``, IPv6 bare or in brackets. A named pipe (``np:\\\\...``) is one host for the driver to read."""
    protocol = _PROTOCOL.fullmatch(value)
    if value.startswith("\\\\") or (protocol and protocol[1].lower() == "np"):
        return value, None, None
    prefix = f"{protocol[1].lower()}:" if protocol and protocol[1].lower() != "tcp" else ""
    rest, comma, port = (protocol[2] if protocol else value).partition(",")
    host, backslash, instance = (part.strip() for part in rest.partition("\\"))
    number = _number("The port in Server", port.strip(), 1, 65535) if comma else None
    if backslash and not instance:
        raise ConfigInvalid("Server has a '\\' without the name of an instance behind it.")
    return prefix + _host(host), number, instance or None


def _host(host: str) -> str:
    if host.lower() in _LOCAL:
        return "localhost"
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if ":" in bare:
        try:
            ipaddress.IPv6Address(bare)
        except ValueError:
            raise ConfigInvalid("Server holds a ':'; the port follows a comma, as in Server=host,1433.") from None
    if not bare or re.search(r"[\s;{}=\[\]]", bare):
        raise ConfigInvalid("Server does not name a host.")
    return bare
