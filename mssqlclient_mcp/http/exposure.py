"""What must be set before the server listens where others can reach it, and who is let in."""

from __future__ import annotations

from mcp.server.auth.provider import TokenVerifier

from ..config import Config
from ..errors import ConfigInvalid
from .auth import NamedTokens, named_tokens
from .door import is_loopback


def verifier(config: Config, tokens: dict[str, str]) -> TokenVerifier | None:
    """What verifies bearer tokens; None when nobody has to show one."""
    if config.oauth_issuer is not None:
        from .oauth import JwtVerifier

        return JwtVerifier(config.oauth_issuer, str(config.oauth_audience), str(config.oauth_jwks_url))
    return NamedTokens(tokens) if tokens else None


def check_exposure(config: Config) -> dict[str, str]:
    """The named tokens (token -> name). Raises ConfigInvalid for a server that anybody could use, or one that could not tell
    its own name from another's."""
    tokens = named_tokens(config)
    if tokens and config.oauth_issuer is not None:
        raise ConfigInvalid(
            "OAUTH_ISSUER and HTTP_BEARER_TOKEN or HTTP_TOKENS_FILE are both set; clients sign in one way: remove the other.",
            details={"setting": "OAUTH_ISSUER"},
        )
    if is_loopback(config.http_host):
        return tokens
    if not tokens and config.oauth_issuer is None:
        raise ConfigInvalid(
            f"HTTP_HOST is {config.http_host}: others can reach the server, and nobody would have to sign in.",
            details={"setting": "HTTP_BEARER_TOKEN"},
            next_step="Set HTTP_BEARER_TOKEN, HTTP_TOKENS_FILE or the three OAUTH settings, or listen on 127.0.0.1.",
        )
    if not config.http_allowed_hosts:
        raise ConfigInvalid(
            f"HTTP_HOST is {config.http_host}, and HTTP_ALLOWED_HOSTS does not say by which names clients reach the server.",
            details={"setting": "HTTP_ALLOWED_HOSTS"},
            next_step="Set HTTP_ALLOWED_HOSTS, such as mcp.example.com:8000, or listen on 127.0.0.1.",
        )
    return tokens


def public_url(config: Config, port: int) -> str:
    """Where clients reach /mcp, for the protected-resource document: the audience when it is a URL, else the first allowed
    host, else the address listened on."""
    if config.oauth_audience and config.oauth_audience.startswith(("http://", "https://")):
        return config.oauth_audience
    scheme = "https" if config.http_tls_cert or not is_loopback(config.http_host) else "http"
    host = config.http_allowed_hosts[0].removesuffix(":*") if config.http_allowed_hosts else f"{config.http_host}:{port}"
    return f"{scheme}://{host}/mcp"
