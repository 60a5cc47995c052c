"""Bearer tokens that the owner of the server gave out, each with a name; compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from mcp.server.auth.provider import AccessToken

from ..config import Config
from ..connection_settings import Secret
from ..errors import ConfigInvalid
from ..scopes import SCOPES

log = logging.getLogger(__name__)

ONLY_NAME = "token"
SHORTEST_TOKEN = 16

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")  # RFC 6750, b64token


class NamedTokens:
    """Verifies tokens that stand in the settings. A name is whose sessions are whose, so two tokens may share one."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._digests = [(hashlib.sha256(token.encode()).digest(), name) for token, name in tokens.items()]

    async def verify_token(self, token: str) -> AccessToken | None:
        """The token's name with every scope, or None. Takes the same time whichever token is right."""
        given = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        found = None
        for digest, name in self._digests:
            if hmac.compare_digest(digest, given):
                found = name
        return None if found is None else AccessToken(token="", client_id=found, scopes=list(SCOPES))


def named_tokens(config: Config) -> dict[str, str]:
    """Token -> name, from HTTP_BEARER_TOKEN and HTTP_TOKENS_FILE; raises ConfigInvalid for what cannot be one."""
    found: dict[str, str] = {}
    if config.http_bearer_token is not None:
        for part in config.http_bearer_token.reveal().split(","):
            if part.strip():
                _add(found, part.strip(), "HTTP_BEARER_TOKEN")
    if config.http_tokens_file is not None:
        for line in _lines(config.http_tokens_file):
            if line.strip() and not line.lstrip().startswith("#"):
                _add(found, line.strip(), "HTTP_TOKENS_FILE")
        if not found:
            raise ConfigInvalid("HTTP_TOKENS_FILE holds no token.", details={"setting": "HTTP_TOKENS_FILE"})
    return found


def token_secrets(tokens: Mapping[str, str]) -> list[Secret]:
    """The tokens, for the log's redaction."""
    return [Secret(token) for token in tokens]


def _add(found: dict[str, str], text: str, setting: str) -> None:
    name, equals, token = text.partition("=")
    if not equals or not token or not _NAME.fullmatch(name.strip()) or not token.strip("="):
        name, token = ONLY_NAME, text  # a token alone, which may end in the = of base64
    name, token = name.strip(), token.strip()
    if not _TOKEN.fullmatch(token) or len(token) < SHORTEST_TOKEN:
        raise ConfigInvalid(
            f"{setting}: the token {name!r} cannot be used: at least {SHORTEST_TOKEN} characters of A-Z a-z 0-9 . _ ~ + / = -.",
            details={"setting": setting},
            next_step='Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"',
        )
    found[token] = name


def _lines(path: Path) -> list[str]:
    try:
        if os.name == "posix" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            log.warning("HTTP_TOKENS_FILE can be read by others: chmod 600 %s", path)
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"HTTP_TOKENS_FILE cannot be read: {error}", details={"setting": "HTTP_TOKENS_FILE"}) from None
