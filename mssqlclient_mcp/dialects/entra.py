"""Signing in with an access token of Microsoft Entra, for the authentications that no driver brings itself.

A token is asked of the package azure-identity (the extra ``azure``) when a connection is made, kept until shortly before it
ends, and then asked for again; threads that need one at the same time wait for the same question.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Protocol, cast

from ..connection_settings import ConnectionSettings, Secret
from ..errors import AuthenticationFailed, DatabaseMcpError, DriverMissing
from ..logs import hide

SQLSERVER_SCOPE = "https://database.windows.net/.default"
POSTGRESQL_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"
LEAST_LIFE_SECONDS = 300.0  # a connection never starts with a token that ends sooner
INSTALL = 'pip install "mssqlclient-mcp[azure]"'

_CREDENTIALS = {
    "ActiveDirectoryDefault": ("DefaultAzureCredential", "managed_identity_client_id"),
    "ActiveDirectoryWorkloadIdentity": ("WorkloadIdentityCredential", "client_id"),
}
"""Authentication -> the class in azure.identity, and what it calls the client id."""


class AccessToken(Protocol):
    """azure.core.credentials.AccessToken as far as it is used."""

    token: str
    expires_on: int  # seconds since 1970


class Credential(Protocol):
    """azure.core.credentials.TokenCredential as far as it is used."""

    def get_token(self, *scopes: str) -> AccessToken:
        """A token for the scopes; may take long, raises whatever it likes."""


Maker = Callable[[str, "str | None"], Credential]
"""(authentication, client id) -> a credential."""


def make_credential(authentication: str, client_id: str | None) -> Credential:
    """The credential of azure.identity for an authentication. Raises DriverMissing when the package is not installed,
    AuthenticationFailed when it says what is missing already when it is made."""
    try:
        package = importlib.import_module("azure.identity")
    except ImportError as error:
        raise DriverMissing(
            f"Authentication={authentication} needs the package azure-identity: {error}",
            next_step=f"Install it with: {INSTALL}",
        ) from error
    name, identity = _CREDENTIALS[authentication]
    try:
        return cast("Credential", getattr(package, name)(**({identity: client_id} if client_id else {})))
    except ValueError as error:  # something it needs is not in the environment
        raise _refused(error) from error


@dataclass
class _Kept:
    """A credential and the last token it gave."""

    credential: Credential
    token: Secret | None = None
    before: Secret | None = None  # the one before; connections may still have been made with it
    ends: float = 0.0
    asking: Future[None] | None = None


class Tokens:
    """The tokens of one dialect. Thread-safe. ``now`` is seconds since 1970, as tokens count."""

    def __init__(self, make: Maker = make_credential, now: Callable[[], float] = time.time) -> None:
        self._make = make
        self._now = now
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str | None, str], _Kept] = {}

    def token(self, settings: ConnectionSettings, scope: str, *, client_id: str | None, seconds: float) -> Secret:
        """A token with enough life left, waiting for it no longer than ``seconds``.

        Raises AuthenticationFailed with the credential's own reason, DriverMissing when azure-identity is not installed.
        """
        authentication = settings.authentication or ""
        with self._lock:
            kept = self._keep((authentication, client_id, scope))
            if kept.token is not None and kept.ends - self._now() > LEAST_LIFE_SECONDS:
                return kept.token
            if kept.asking is None:
                kept.asking = Future()
                threading.Thread(target=self._ask, args=(kept, kept.asking, scope), name="entra-token", daemon=True).start()
            asking = kept.asking
        try:
            asking.result(seconds)
        except FutureTimeout:
            raise AuthenticationFailed(
                f"Microsoft Entra gives no token within {seconds:.0f} s ({authentication}).",
                retryable=True,
                next_step="Try again; if it stays, see whether this machine reaches login.microsoftonline.com.",
            ) from None
        if kept.token is None:
            raise RuntimeError("a question that went well left a token")
        return kept.token

    def _keep(self, key: tuple[str, str | None, str]) -> _Kept:
        if key not in self._kept:
            self._kept[key] = _Kept(self._make(key[0], key[1]))
        return self._kept[key]

    def _ask(self, kept: _Kept, asking: Future[None], scope: str) -> None:
        try:
            given = kept.credential.get_token(scope)
            token = Secret(given.token)
            hide(token, instead_of=kept.before)
            with self._lock:
                kept.before, kept.token, kept.ends, kept.asking = kept.token, token, float(given.expires_on), None
            asking.set_result(None)
        except BaseException as error:  # noqa: BLE001 - the library's edge: credentials raise what they like
            with self._lock:
                kept.asking = None
            asking.set_exception(_refused(error))


def _refused(error: BaseException) -> DatabaseMcpError:
    reason = str(error).strip() or type(error).__name__
    return AuthenticationFailed(
        f"Microsoft Entra refuses: {reason}",
        next_step="Sign in on this machine (az login), or set what the credential needs (AZURE_CLIENT_ID and its like).",
    )
