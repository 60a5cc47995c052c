"""What a server is and can do, looked up once an hour.

``CapabilityDetector`` sends the probes of the dialect's feature book (``dialects/<db>/features.py``), keeps the answer by a
digest of connection and database, and lets callers that come at the same time wait for one detection.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import (
    DatabaseFault,
    DatabaseMcpError,
    ObjectNotFound,
    PermissionDenied,
    PoolExhausted,
    StatementCancelled,
    StatementTimeout,
    SyntaxInvalid,
)
from .models import FeatureSupport, ServerCapability

if TYPE_CHECKING:
    from .dialects.features import FeatureBook, Probe
    from .execution import CatalogReader

CACHE_SECONDS = 3600.0
REFUSALS = (PermissionDenied, ObjectNotFound, SyntaxInvalid, DatabaseFault)
"""Answers that leave the fields of one probe unknown."""

OF_THE_CALLER = (StatementCancelled, StatementTimeout, PoolExhausted)
"""Ends that say something about one caller, not about the server: those who waited for it look themselves."""

Facts = dict[str, object]


@dataclass
class _Detection:
    """One look at a server, under way or done."""

    done: threading.Event = field(default_factory=threading.Event)
    found: ServerCapability | None = None
    error: DatabaseMcpError | None = None
    at: float = 0.0


class CapabilityDetector:
    """Tells what the server can do. Thread-safe; ``connection`` is any text that tells connections apart: only a digest of
    it is kept, made with a key of this process."""

    def __init__(
        self,
        read: CatalogReader,
        book: FeatureBook,
        *,
        connection: str = "",
        host: str = "",
        cache_seconds: float = CACHE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._book = book
        self._host = host
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._salt = secrets.token_bytes(32)
        self._connection = self._digest(connection)
        self._lock = threading.Lock()
        self._detections: dict[str, _Detection] = {}

    def get_capabilities(self, database: str | None = None, *, refresh: bool = False) -> ServerCapability:
        """What the server can do, seen from ``database``; from memory for an hour, unless ``refresh``.

        Raises what the connection raises; a refused probe only leaves its fields unknown.
        """
        key = self._digest(f"{self._connection}\n{database!r}")
        while True:
            detection, mine = self._join(key, refresh)
            if mine:
                return self._detect(key, detection, database)
            detection.done.wait()
            if detection.found is not None:
                return detection.found
            if detection.error is not None and not isinstance(detection.error, OF_THE_CALLER):
                raise detection.error

    def _join(self, key: str, refresh: bool) -> tuple[_Detection, bool]:
        """The detection to use, and whether it is for the caller to carry out."""
        with self._lock:
            known = self._detections.get(key)
            if known is not None and (not known.done.is_set() or self._fresh(known, refresh)):
                return known, False
            made = self._detections[key] = _Detection()
            return made, True

    def _fresh(self, detection: _Detection, refresh: bool) -> bool:
        young = self._clock() - detection.at < self._cache_seconds
        return detection.found is not None and young and not refresh

    def _detect(self, key: str, detection: _Detection, database: str | None) -> ServerCapability:
        try:
            detection.found = self._look(database)
            detection.at = self._clock()
            return detection.found
        except DatabaseMcpError as error:
            detection.error = error
            raise
        finally:
            with self._lock:
                if detection.found is None and self._detections.get(key) is detection:
                    del self._detections[key]
            detection.done.set()

    def _look(self, database: str | None) -> ServerCapability:
        facts, notes = self._query_version_info(database)
        return ServerCapability(
            identity=self._book.identity(facts),
            deployment=self._detect_deployment_type(facts),
            login=self._book.rights(facts),
            features=self._determine_feature_support(facts),
            notes=notes,
        )

    def _query_version_info(self, database: str | None) -> tuple[Facts, tuple[str, ...]]:
        """The facts of all probes, and a note for each that was refused; three round trips at most where nothing is refused."""
        facts: Facts = {}
        notes = self._ask(database, self._book.SERVER, facts)
        for probe in self._book.further_probes(facts):
            notes += self._ask(database, probe, facts)
        return facts, notes

    def _detect_deployment_type(self, facts: Facts) -> str:
        """Where the server runs: a service, a virtual machine, on premises."""
        return self._book.deployment(facts, self._host)

    def _determine_feature_support(self, facts: Facts) -> tuple[FeatureSupport, ...]:
        """Each feature of the dialect's table with true, false or unknown, and why."""
        return self._book.features(facts)

    def _ask(self, database: str | None, probe: Probe, facts: Facts) -> tuple[str, ...]:
        try:
            found = self._read(database, probe.sql, ())
        except REFUSALS as error:
            note = f"Unknown: {probe.what} ({error.message})"
            return (note,) if probe.instead is None else (note, *self._ask(database, probe.instead, facts))
        facts.update(found[0] if found else {})
        return ()

    def _digest(self, text: str) -> str:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._salt, digest_size=16).hexdigest()
