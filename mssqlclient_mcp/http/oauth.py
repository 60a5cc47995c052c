"""OAuth 2.1 access tokens: this server is a resource server that accepts the JWTs (RFC 9068) of one issuer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import jwt
from mcp.server.auth.provider import AccessToken

from .jwks import IssuerKeys

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric ones only: with HS256 a public key would do as the secret, and ``none`` is no signature."""
LEEWAY_SECONDS = 30
LONGEST_TOKEN = 16 * 1024


class JwtVerifier:
    """Verifies a JWT: signature, algorithm, issuer, audience and times; scopes come from ``scope`` or ``scp``."""

    def __init__(self, issuer: str, audience: str, jwks_url: str, *, keys: IssuerKeys | None = None) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys or IssuerKeys(jwks_url)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who the token stands for and what it grants; None when it cannot be accepted: the log says why."""
        try:
            claims = await self._claims(token)
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            log.info("a token is refused: %s", error)
            return None
        subject = _text(claims, "sub")
        client = _text(claims, "client_id") or _text(claims, "azp") or subject
        if client is None:
            log.info("a token is refused: it names neither a subject nor a client")
            return None
        return AccessToken(
            token="",
            client_id=client,
            scopes=granted_scopes(claims),
            expires_at=int(claims["exp"]) + LEEWAY_SECONDS,
            subject=subject,
            claims={"iss": self._issuer},
        )

    async def aclose(self) -> None:
        """Let go of a fetch under way."""
        await self._keys.aclose()

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise ValueError("it is too long")
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise ValueError("its algorithm is not one of those accepted")
        key_id = header.get("kid")
        key = await self._keys.key(key_id if isinstance(key_id, str) else None)
        if key is None:
            raise ValueError("the issuer has no such key, or does not answer")
        required = {"require": ["exp", "iss", "aud"]}
        return jwt.decode(
            token,
            key.key,
            algorithms=list(ALGORITHMS),
            issuer=self._issuer,
            audience=self._audience,
            leeway=LEEWAY_SECONDS,
            options=required,  # type: ignore[arg-type]
        )


def granted_scopes(claims: Mapping[str, Any]) -> list[str]:
    """The scopes of ``scope`` (RFC 8693: one text) and ``scp`` (as some issuers name it: a text or a list)."""
    found: list[str] = []
    for name in ("scope", "scp"):
        told = claims.get(name)
        parts = told.split() if isinstance(told, str) else told if isinstance(told, list) else ()
        found += [part for part in parts if isinstance(part, str) and part not in found]
    return found


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and value else None
