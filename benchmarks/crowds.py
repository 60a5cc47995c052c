"""Clients with a token each that call as fast as they can over HTTP, with pool and queue of the defaults: latencies, what is
refused, whether waiting as told gets a client past it, and whether the rate limit counts exactly."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .clients import HttpClient, serving
from .figures import Figure, Judged
from .places import Place

FEW, MANY = (5, 200), (50, 20)
DEFAULT_POOL = {"POOL_MAX_SIZE": "10", "POOL_MAX_WAITING": "15"}
PER_MINUTE = 10
LONGEST_SECONDS = 50.0  # within one window of the rate limit
MOST_TRIES = 20
OK, EXHAUSTED, LIMITED = "ok", "POOL_EXHAUSTED", "RATE_LIMITED"
LIMITS = {"p50": 250, "p95": 500, "p99": 1000}


@dataclass
class Found:
    """What a crowd met: milliseconds of each answer, how often each code, and how often calls were tried."""

    times: list[float] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    tries: list[int] = field(default_factory=list)


def measure(place: Place) -> Iterator[Figure]:
    """Without a rate limit, then with one."""
    tokens = [f"a-token-of-client-number-{number:04}" for number in range(MANY[0])]
    given = {"HTTP_BEARER_TOKEN": ",".join(f"c{number}={token}" for number, token in enumerate(tokens)), **DEFAULT_POOL}
    with serving(place, **given) as port:
        for clients, calls in (FEW, MANY):
            found = crowd(port, tokens[:clients], calls, {"query": place.one})
            yield from told(found, clients, calls)
    with serving(place, **given, RATE_LIMIT_PER_MINUTE=str(PER_MINUTE)) as port:
        clients, calls = FEW
        found = crowd(port, tokens[:clients], calls, {"query": place.one}, patient=False)
        wrong = sum(found.answers[number] != PER_MINUTE for number in range(clients))
        odd = sum(found.codes.values()) - found.codes[OK] - found.codes[LIMITED]
        name = f"{clients} clients x {calls} at {PER_MINUTE} a minute, clients without exactly {PER_MINUTE} answers"
        yield Figure(name, wrong, "", 0, Judged.VALUE)
        yield Figure("  answers that are neither rows nor RATE_LIMITED", odd, "", 0, Judged.VALUE)


def told(found: Found, clients: int, calls: int) -> Iterator[Figure]:
    """The figures of a crowd that nobody limits."""
    name = f"{clients} HTTP clients x {calls}"
    cuts = statistics.quantiles(found.times, n=100)
    for label, value in (("p50", cuts[49]), ("p95", cuts[94]), ("p99", cuts[98])):
        yield Figure(f"{name}, {label}", value, "ms", LIMITS[label], Judged.VALUE)
    if (clients, calls) == FEW:
        yield Figure("  errors", sum(found.codes.values()) - found.codes[OK], "", 0, Judged.VALUE)
        return
    odd = sum(found.codes.values()) - found.codes[OK] - found.codes[EXHAUSTED]
    yield Figure("  errors that are not POOL_EXHAUSTED", odd, "", 0, Judged.VALUE)
    yield Figure("  calls that waiting did not get past it", clients * calls - found.codes[OK], "", 0, Judged.VALUE)
    yield Figure(
        f"  most tries of a call ({found.codes[EXHAUSTED]} POOL_EXHAUSTED)", max(found.tries), "", MOST_TRIES, Judged.VALUE
    )


def crowd(port: int, tokens: list[str], calls: int, arguments: dict[str, object], *, patient: bool = True) -> Found:
    """All clients at once, each one call after the other. ``patient``: a refused call is sent again after the seconds told."""
    found, lock = Found(), threading.Lock()
    ready = threading.Barrier(len(tokens))
    give_up = time.monotonic() + LONGEST_SECONDS

    def work(number: int, client: HttpClient) -> None:
        ready.wait()
        for _ in range(calls):
            tries = 0
            while tries < MOST_TRIES and time.monotonic() < give_up:
                tries += 1
                began = time.perf_counter()
                code, seconds = outcome(client.ask("tools/call", {"name": "execute_query", "arguments": arguments}))
                taken = (time.perf_counter() - began) * 1000
                with lock:
                    found.codes[code] += 1
                    if code == OK:
                        found.times.append(taken)
                        found.answers[number] += 1
                if code == OK or not patient or not seconds:
                    break
                time.sleep(seconds)
            with lock:
                found.tries.append(tries)

    made = [HttpClient(port, token) for token in tokens]
    threads = [threading.Thread(target=work, args=(number, client)) for number, client in enumerate(made)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in made:
        client.close()
    return found


def outcome(body: bytes) -> tuple[str, float]:
    """The code of an answer, and the seconds that it says to wait."""
    text = body.decode()
    if not text.startswith("{"):  # an event of a stream
        text = next(line.removeprefix("data:") for line in text.splitlines() if line.startswith("data:") and "{" in line)
    result: dict[str, Any] = json.loads(text)["result"]
    if not result.get("isError"):
        return OK, 0.0
    error = result["structuredContent"]
    return error["code"], float(error["details"].get("retryAfterSeconds", 0))
