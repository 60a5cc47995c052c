"""What a connection string comes to, whichever way it was written. Secrets print as ``****``."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Literal

MASK = "****"
TOKEN_AUTHENTICATION = ("ActiveDirectoryDefault", "ActiveDirectoryWorkloadIdentity")
"""The authentications that no driver knows: this server gets the token itself (``dialects/entra.py``)."""

_SECRET_WORDS = ("password", "pwd", "secret", "clientkey", "scram", "token")


class Secret:
    """A text that must not be seen: only ``reveal()`` shows it, every other way to print it gives ``****``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that hands it to a driver or compares it."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._encoded(), other._encoded())

    def __hash__(self) -> int:
        return hash(self._text)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return self

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not written anywhere")

    def _encoded(self) -> bytes:
        return self._text.encode("utf-8", "surrogatepass")


def holds_secret(keyword: str) -> bool:
    """True for keywords whose value must not be shown (``PWD``, ``sslpassword``, ``KeystoreSecret``, ...)."""
    plain = keyword.replace(" ", "").replace("_", "").lower()
    return any(word in plain for word in _SECRET_WORDS)


@dataclass(frozen=True, repr=False)
class ConnectionSettings:
    """Where to connect and how; ``options`` are all further keywords in the driver's own spelling.

    ``host`` is empty when an ODBC data source (``DSN`` among the options) or libpq's default decides. PostgreSQL's
    several hosts stand in ``host`` with commas between them, as libpq takes them; unequal ports of theirs stand as
    ``port`` among the options. ``connect_timeout`` is in seconds; ``encrypt`` is yes, no or strict,
    ``application_intent`` is ReadOnly or ReadWrite.
    """

    dialect: Literal["sqlserver", "postgresql"]
    host: str = ""
    port: int | None = None
    instance: str | None = None
    database: str | None = None
    user: str | None = None
    password: Secret | None = None
    encrypt: str | None = None
    trust_server_certificate: bool | None = None
    integrated: bool = False
    authentication: str | None = None
    connect_timeout: int | None = None
    application_intent: str | None = None
    multi_subnet_failover: bool | None = None
    application_name: str | None = None
    driver: str | None = None
    options: tuple[tuple[str, str], ...] = ()

    def option(self, name: str) -> str | None:
        """The value of a further keyword, whatever its case; None when it is not given."""
        return next((value for key, value in self.options if key.lower() == name.lower()), None)

    @property
    def by_token(self) -> bool:
        """True when the login is a token of Microsoft Entra that this server gets itself."""
        return self.authentication in TOKEN_AUTHENTICATION and not self.integrated

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Everything in here that must not be seen, for the log's redaction."""
        hidden = [Secret(value) for key, value in self.options if holds_secret(key)]
        return (*([self.password] if self.password else []), *hidden)

    def __repr__(self) -> str:
        told = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "options"}
        told["options"] = tuple((key, MASK if holds_secret(key) else value) for key, value in self.options)
        parts = (f"{name}={value!r}" for name, value in told.items() if value is not None and value != ())
        return f"ConnectionSettings({', '.join(parts)})"
