"""The settings of a server that accepts the tokens of a test's issuer."""

from __future__ import annotations

from tests.issuer import AUDIENCE, ISSUER, Issuer

GATES = {
    "ENABLE_EXECUTE_QUERY": "true",
    "ENABLE_START_QUERY": "true",
    "ENABLE_EXECUTE_STORED_PROCEDURE": "true",
    "RATE_LIMIT_PER_MINUTE": "0",
}


def oauth(issuer: Issuer, url: str, **settings: str) -> dict[str, str]:
    """Those settings, with every gate open that the tests need, and no rate limit."""
    return {
        "DATABASE_URL": url,
        "OAUTH_ISSUER": ISSUER,
        "OAUTH_AUDIENCE": AUDIENCE,
        "OAUTH_JWKS_URL": issuer.jwks_url,
        **GATES,
        **settings,
    }
