"""The keys that an issuer of tokens publishes (RFC 7517): fetched off the event loop, kept, and fetched again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException

import anyio
import anyio.to_thread
import jwt

log = logging.getLogger(__name__)

FRESH_SECONDS = 300.0
USABLE_SECONDS = 3600.0
RETRY_SECONDS = 10.0
FETCH_SECONDS = 5.0
PUBLIC_KEY_TYPES = ("RSA", "EC", "OKP")

UNREADABLE = (
    jwt.PyJWTError,
    HTTPException,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
)
"""What comes of an answer that is no document of keys: a proxy in between may answer with anything."""

Keys = Mapping[str | None, jwt.PyJWK]


class IssuerKeys:
    """Signing keys by their id (``kid``).

    Keys older than five minutes are fetched again beside the requests that use them; when the issuer does not answer they serve
    for an hour. An unknown id makes one fetch, at most every ten seconds however many such tokens come, so that nobody can use
    this server to flood the issuer.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=FETCH_SECONDS)
        self._clock = clock
        self._keys: Keys = {}
        self._fetched = self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, key_id: str | None) -> jwt.PyJWK | None:
        """The key of this id; without an id, the only key there is. None when there is none, or no answer."""
        found = self._find(key_id)
        age = self._clock() - self._fetched
        if found is None or age > FRESH_SECONDS:
            fetching = self._begin_to_fetch()
            if found is None and fetching is not None:
                await asyncio.shield(fetching)
                found = self._find(key_id)
        return found

    async def aclose(self) -> None:
        """Leave a fetch under way alone; its thread ends by its own time limit."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
            self._fetching = None

    def _find(self, key_id: str | None) -> jwt.PyJWK | None:
        if self._clock() - self._fetched > USABLE_SECONDS:
            return None
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def _begin_to_fetch(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one when the last is long enough ago."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        if self._clock() - self._tried < RETRY_SECONDS:
            return None
        self._tried = self._clock()
        self._fetching = asyncio.get_running_loop().create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            told = await anyio.to_thread.run_sync(self._client.fetch_data, abandon_on_cancel=True)
            keys = jwt.PyJWKSet.from_dict(told).keys
        except UNREADABLE as error:
            log.warning("the issuer's keys could not be fetched: %s: %s", type(error).__name__, error)
            return
        usable = (key for key in keys if key.public_key_use in ("sig", None) and key.key_type in PUBLIC_KEY_TYPES)
        self._keys = {key.key_id: key for key in usable}
        self._fetched = self._clock()
