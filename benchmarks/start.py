"""Process start to the answer of ``initialize``, and the memory a server holds once it idles; against the bare SDK server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from .figures import Figure
from .pipe import ServerProcess, bare_server, our_server
from .places import Place

ROUNDS = 15
SETTLED_SECONDS = 0.15
NOWHERE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
"""Nothing connects before it is needed, so the start needs no database."""


def measure(_: Place) -> Iterator[Figure]:
    """Both servers in turns, each a new process."""
    started(bare_server()), started(our_server(NOWHERE))  # byte code is written, files are cached
    floors, ours = [], []
    for _round in range(ROUNDS):
        floors.append(started(bare_server()))
        ours.append(started(our_server(NOWHERE)))
    milliseconds = [statistics.median(one[0] for one in taken) * 1000 for taken in (ours, floors)]
    megabytes = [statistics.median(one[1] for one in taken) for taken in (ours, floors)]
    yield Figure("start to initialize answered", milliseconds[0], "ms", 1.15, floor=milliseconds[1], floor_is="bare SDK server")
    yield Figure("idle memory after initialize", megabytes[0], "MB", 1.2, floor=megabytes[1], floor_is="bare SDK server")


def started(server: ServerProcess) -> tuple[float, float]:
    """Seconds to the answer of initialize, and megabytes a moment later."""
    with server:
        seconds = server.initialize()
        time.sleep(SETTLED_SECONDS)
        return seconds, server.memory_mb()
