"""Settings as drivers take them: an ODBC connection string, or libpq's parameters.

No value leaves its place: in ODBC text whatever is not plainly harmless stands in braces with ``}`` doubled (FreeTDS, whose
older versions read that differently, gets only what every version reads alike), and libpq's parameters stay apart until the
driver quotes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .connection_settings import ConnectionSettings
from .errors import ConfigInvalid, InvalidParameter, ObjectNotFound

_HARMLESS = re.compile(r"[A-Za-z0-9_.\-]+(?: [A-Za-z0-9_.\-]+)*", re.ASCII)
_HARMLESS_SERVER = re.compile(r"[A-Za-z0-9_.\-:,\\()$]+", re.ASCII)
_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*", re.ASCII)
_DRIVER_VERSION = re.compile(r"(?:ODBC Driver |msodbcsql-?)(\d+)", re.IGNORECASE)
_LONGEST_SQLSERVER_NAME = 128  # sysname, in UTF-16 units; longer ones overflow buffers of some drivers
_LONGEST_POSTGRESQL_NAME = 63  # bytes; the server cuts longer ones silently and would connect elsewhere


def odbc_connection_string(
    settings: ConnectionSettings, *, driver: str, freetds: bool, database: str | None, application_name: str | None
) -> str:
    """The string for SQLDriverConnect in the spelling of the driver at hand (FreeTDS differs from Microsoft's).

    ``driver`` is a registered name or the path of a library, unused when the settings name a data source. ``database``
    and ``application_name`` go before those of the settings. Raises ConfigInvalid for what the driver cannot do,
    ObjectNotFound for a database name that none can have, InvalidParameter for one that FreeTDS cannot be told.
    """
    parts = [
        *_source(settings, driver),
        *(_freetds_server(settings) if freetds else _microsoft_server(settings, driver)),
        *_login(settings, freetds=freetds),
        *_database(database or settings.database),
        *_application(application_name or settings.application_name),
        *((name, value) for name, value in settings.options if name.upper() not in ("DSN", "FILEDSN")),
    ]
    cautious = freetds or parts[0][0] != "DRIVER"
    return "".join(f"{_keyword(name)}={_value(name, value, cautious=cautious)};" for name, value in parts)


def libpq_parameters(settings: ConnectionSettings, database: str | None, application_name: str | None) -> dict[str, str]:
    """libpq's parameters by name; without any database in the settings (server mode) it is ``postgres``.

    Raises ObjectNotFound for a database name that none can have.
    """
    fallback = None if settings.option("service") else "postgres"
    name = database or settings.database or fallback
    _check_name(name or "", len((name or "").encode("utf-8", "replace")), _LONGEST_POSTGRESQL_NAME)
    given = {
        "host": settings.host,
        "port": settings.port,
        "dbname": name,
        "user": settings.user,
        "password": settings.password.reveal() if settings.password else None,
        "connect_timeout": settings.connect_timeout,
        "application_name": application_name or settings.application_name,
    }
    return {**dict(settings.options), **{key: str(value) for key, value in given.items() if value not in (None, "")}}


def _source(settings: ConnectionSettings, driver: str) -> Iterator[tuple[str, str]]:
    """The data source (which brings its own driver) or the driver; it comes first, since the first one counts."""
    for name in ("DSN", "FILEDSN"):
        value = settings.option(name)
        if value:
            yield name, value
            return
    yield "DRIVER", driver


def _microsoft_server(settings: ConnectionSettings, driver: str) -> Iterator[tuple[str, str]]:
    if settings.host:
        yield "SERVER", _server_name(settings, with_port=True)
    if settings.by_token:
        _check_token(settings)
    encrypt = settings.encrypt or ("yes" if settings.by_token else None)
    if encrypt:
        if encrypt == "strict" and not _knows_strict(driver):
            raise _no_strict(driver)
        yield "Encrypt", encrypt
    if settings.trust_server_certificate is not None:
        yield "TrustServerCertificate", _yes(settings.trust_server_certificate)
    if settings.authentication and not settings.integrated and not settings.by_token:
        yield "Authentication", settings.authentication
    if settings.application_intent:
        yield "ApplicationIntent", settings.application_intent
    if settings.multi_subnet_failover is not None:
        yield "MultiSubnetFailover", _yes(settings.multi_subnet_failover)


def _freetds_server(settings: ConnectionSettings) -> Iterator[tuple[str, str]]:
    """FreeTDS: the port apart, TDS 7.4 unless told, its own word for encryption. It reads neither
    TrustServerCertificate (certificates are checked only as its freetds.conf says) nor MultiSubnetFailover."""
    if settings.host:
        yield "SERVER", _server_name(settings, with_port=False)
    if settings.port is not None:
        yield "PORT", str(settings.port)
    elif settings.host and not settings.instance:
        yield "PORT", "1433"
    if not settings.option("TDS_Version"):
        yield "TDS_Version", "7.4"
    if settings.encrypt == "strict":
        raise _no_strict("FreeTDS")
    if settings.encrypt and not settings.option("Encryption"):
        yield "Encryption", "require" if settings.encrypt == "yes" else "off"
    if settings.authentication not in (None, "SqlPassword") and not settings.integrated:
        raise ConfigInvalid(
            f"Authentication={settings.authentication} needs Microsoft's ODBC driver; FreeTDS knows passwords and Kerberos.",
            next_step="Install 'ODBC Driver 18 for SQL Server', or remove Authentication and give User Id and Password.",
        )
    if settings.application_intent:
        yield "ApplicationIntent", settings.application_intent


def _check_token(settings: ConnectionSettings) -> None:
    """A token is as good as a password for an hour: it is not sent in the clear, and there is none beside it."""
    if settings.password is not None:
        raise ConfigInvalid(f"Authentication={settings.authentication} takes no password: remove it.")
    if settings.encrypt == "no":
        raise ConfigInvalid(f"Authentication={settings.authentication} needs encryption: remove Encrypt=no.")


def _knows_strict(driver: str) -> bool:
    version = _DRIVER_VERSION.search(driver)
    return version is not None and int(version[1]) >= 18


def _no_strict(driver: str) -> ConfigInvalid:
    return ConfigInvalid(
        f"Encrypt=Strict needs 'ODBC Driver 18 for SQL Server' or later; the driver in use ({driver}) does not know it.",
        next_step="Install ODBC Driver 18, or use Encrypt=Mandatory.",
    )


def _server_name(settings: ConnectionSettings, *, with_port: bool) -> str:
    if settings.port is not None:  # a port makes the instance's name needless: the browser service is not asked
        return f"{settings.host},{settings.port}" if with_port else settings.host
    return f"{settings.host}\\{settings.instance}" if settings.instance else settings.host


def _login(settings: ConnectionSettings, *, freetds: bool) -> Iterator[tuple[str, str]]:
    if settings.integrated:
        yield "Trusted_Connection", "Yes" if freetds else "yes"
        return
    if settings.by_token:
        return
    if settings.user is not None:
        yield "UID", settings.user
    if settings.password is not None:
        yield "PWD", settings.password.reveal()


def _database(name: str | None) -> Iterator[tuple[str, str]]:
    if name:
        _check_name(name, len(name.encode("utf-16-le", "replace")) // 2, _LONGEST_SQLSERVER_NAME)
        yield "DATABASE", name


def _application(name: str | None) -> Iterator[tuple[str, str]]:
    if name:
        yield "APP", name[:_LONGEST_SQLSERVER_NAME]


def _check_name(name: str, length: int, longest: int) -> None:
    if length > longest or "\0" in name or not _is_text(name):
        raise ObjectNotFound(f"There is no database of that name: a name has at most {longest} characters, none of them NUL.")


def _is_text(text: str) -> bool:
    return text.encode("utf-8", "replace").decode("utf-8") == text


def _keyword(name: str) -> str:
    if not _KEYWORD.fullmatch(name):
        raise ConfigInvalid("An option of the connection settings has a name that no ODBC keyword can have.")
    return name


def _value(keyword: str, value: str, *, cautious: bool) -> str:
    if "\0" in value or not _is_text(value):
        raise ConfigInvalid(f"The value of {keyword} holds a character that cannot be sent (NUL or half a pair).")
    if cautious and keyword == "APP":  # a name for people: rather another sign than no connection
        value = value.replace("}", ")")
    harmless = _HARMLESS_SERVER if keyword == "SERVER" else _HARMLESS
    if not value or harmless.fullmatch(value):
        return value
    if cautious and "}" in value:
        return _without_braces(keyword, value)
    return "{" + value.replace("}", "}}") + "}"


def _without_braces(keyword: str, value: str) -> str:
    """A value with ``}`` for FreeTDS, or for a data source whose driver may be FreeTDS: versions up to 1.3.20 end a value in
    braces at the first ``};``, doubled or not, later ones want it doubled. Bare text means the same to all, where it can be."""
    if ";" not in value and not value.startswith("{") and value == value.strip():
        return value
    message = f"FreeTDS cannot be given this value of {keyword}: it holds a '}}' beside a ';', a leading '{{' or outer spaces."
    advice = "Use Microsoft's ODBC driver, or another name or password."
    if keyword == "DATABASE":
        raise InvalidParameter(message, next_step=advice)
    raise ConfigInvalid(message, next_step=advice)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
