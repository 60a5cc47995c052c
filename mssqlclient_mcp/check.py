"""``mssqlclient-mcp check``: what a person runs when it does not connect, or before the first client does.

The steps are a table (``STEPS`` in ``dialects/<db>/check.py``, and what both share at the end, here); the engine takes one
after the other, leaves out what needs a failed one, and ends each with the time that is left.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TypeVar

from . import __version__
from .capabilities import CapabilityDetector
from .check_models import Advice, CheckedStep, CheckReport, Finding, Mark, failed, well
from .config import Config, load_config
from .connection_settings import ConnectionSettings
from .dialects.base import Access, Connection, dialect_for
from .dialects.checking import Step, Subject, check_book_for
from .dialects.features import feature_book_for
from .errors import ConfigInvalid, ConnectionFailed, DatabaseMcpError
from .formatters.check import PLAIN, PRETTY, check_content, format_step, format_verdict
from .formatters.errors import NEXT_STEP
from .logs import Redactor, setup_logging
from .models import DatabaseMode, ServerCapability
from .platforms import this_system

T = TypeVar("T")

GRACE_SECONDS = 5.0  # beyond the time for one connection
LEAST_SECONDS = 1.0
MOMENT_SECONDS = 0.5
ROUND_TRIPS = 5
SLOW_SECONDS = 0.1
GATES = (
    "enable_select_data", "enable_execute_query", "enable_execute_stored_procedure", "enable_start_query",
    "enable_start_stored_procedure", "enable_write_queries",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Check and print; 0 all well (notes aside), 1 a step failed, 2 the configuration cannot be used."""
    options = _parser().parse_args(arguments)
    as_json = options.format == "json"
    setup_logging("error", "text")
    check = Check(load_config)
    marks = PRETTY if _knows_signs() else PLAIN
    if not as_json:
        _say(f"mssqlclient-mcp {__version__} on {check.system.value}, Python {sys.version.split()[0]}")
    for step in check.steps():
        if not as_json:
            _say(check.redactor.clean(format_step(step, marks)))
    report = check.report()
    if as_json:
        _say(json.dumps(check.redactor.clean_value(check_content(report)), indent=2, default=str))
    else:
        _say(format_verdict(report))
    if check.stuck:  # a call that never returns must not keep the process, nor be torn down under way
        os._exit(report.exit_code)
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mssqlclient-mcp check",
        description="Check the configuration, the driver, the way to the database, the login and its rights, a step at a time. "
        "Exit code: 0 all well, 1 a step failed, 2 the configuration cannot be used.",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    return parser


def _knows_signs() -> bool:
    try:
        "".join(PRETTY.values()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return sys.stdout.isatty()


def _say(text: str) -> None:
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


class TimeIsOver(Exception):
    """The time is over, and the work is not."""


class Check:
    """One run over all steps. ``load`` reads the configuration; ``now`` is monotonic."""

    def __init__(self, load: Callable[[], Config], now: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._now = now
        self._began = now()
        self._done: list[CheckedStep] = []
        self._title = ""
        self._configured = True
        self.system = this_system()
        self.redactor = Redactor()
        self.stuck = False

    def report(self) -> CheckReport:
        """What was found so far."""
        return CheckReport(self._title, tuple(self._done), self._now() - self._began, self._configured)

    def steps(self) -> Iterator[CheckedStep]:
        """Take the steps, one at a time."""
        try:
            config = self._load()
        except ConfigInvalid as error:
            self._configured = False
            remedy = error.next_step or NEXT_STEP[error.code]
            found = failed(error.message, cause=_where(), remedy=remedy, code=error.code.value, **error.details)
            yield self._note(CheckedStep("configuration", "configuration", found))
            return
        self.redactor.add(*config.secrets)
        book = check_book_for(config.connection.dialect)
        self._title = book.place(config.connection)
        yield self._note(CheckedStep("configuration", "configuration", _configuration(config, self._title)))
        deadline = self._now() + (config.connection.connect_timeout or config.connection_timeout_seconds) + GRACE_SECONDS
        subject = self._subject(config, deadline)
        try:
            yield from self._take((*book.STEPS, *_last_steps(config)), subject)
        finally:
            if subject.connection is not None and not self.stuck:
                subject.connection.close()

    def _subject(self, config: Config, deadline: float) -> Subject:
        dialect = dialect_for(config.connection.dialect, odbc_driver=config.mssql_odbc_driver)

        def connect() -> Connection:
            seconds = left()
            try:
                return self._within(
                    seconds,
                    lambda: dialect.connect(config.connection, database=None, application_name="mssqlclient_mcp check"),
                )
            except TimeIsOver:
                raise ConnectionFailed(f"The login came to no end within {seconds:.0f} s (timeout).") from None

        def left() -> float:
            return max(LEAST_SECONDS, deadline - self._now())

        return Subject(config.connection, config.mssql_odbc_driver, self.system, left, connect)

    def _take(self, steps: Sequence[Step], subject: Subject) -> Iterator[CheckedStep]:
        lost: dict[str, str] = {}  # the steps that gave nothing, and the failed one at the root of it
        for step in steps:
            missing = [lost[name] for name in step.needs if name in lost]
            began = self._now()
            finding = _not_tried(missing[0]) if missing else self._bounded(step, subject)
            if finding.mark in (Mark.FAILED, Mark.NOT_TRIED):
                lost[step.name] = missing[0] if missing else step.title
            yield self._note(CheckedStep(step.name, step.title, finding, self._now() - began))

    def _bounded(self, step: Step, subject: Subject) -> Finding:
        """Take a step, and wait no longer than the time that is left and a moment for what it does within that time."""
        seconds = subject.seconds() + MOMENT_SECONDS
        try:
            return self._within(seconds, lambda: step.run(subject))
        except TimeIsOver:
            return failed(
                f"no answer within {seconds:.0f} s",
                cause="The driver or the server does not come back.",
                remedy="Try again; if it stays, look at what stands between this machine and the server.",
            )
        except DatabaseMcpError as error:
            return failed(error.message, remedy=error.next_step or NEXT_STEP[error.code], code=error.code.value)

    def _within(self, seconds: float, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises, on a thread of its own; after ``seconds`` TimeIsOver, and the thread is left
        to itself."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised again by the waiting thread
                future.set_exception(error)

        threading.Thread(target=run, name="check", daemon=True).start()
        wait([future], timeout=seconds)
        if not future.done():
            self.stuck = True
            raise TimeIsOver
        return future.result()

    def _note(self, step: CheckedStep) -> CheckedStep:
        self._done.append(step)
        return step


def _not_tried(failed_step: str) -> Finding:
    return Finding(Mark.NOT_TRIED, f"not tried: {failed_step} failed")


# -- the steps that do not depend on the dialect -----------------------------------------------------------------------


def _where() -> str:
    return (
        f"Settings are read from the environment and from .env in this folder ({Path.cwd()}). What stands in a client's "
        "configuration is not seen here: set the same variables first."
    )


def _configuration(config: Config, title: str) -> Finding:
    """What is configured, and what of it deserves a second look."""
    warnings = [Advice(warning) for warning in config.warnings]
    if config.enable_write_queries:
        warnings.append(
            Advice(
                "ENABLE_WRITE_QUERIES is on: an assistant may change whatever the login may.",
                "Leave it out unless that is wanted.",
            )
        )
    opened = [gate.upper() for gate in GATES if getattr(config, gate)]
    mode = "database mode" if config.mode is DatabaseMode.DATABASE else "server mode"
    text = f"{title} ({mode}); on: {', '.join(opened) or 'nothing that runs statements'}"
    return well(text, *warnings, mode=config.mode.value, gates=opened)


def _last_steps(config: Config) -> tuple[Step, ...]:
    """What is asked of a connection: who the login is, which server this is, how far away it is."""
    found: list[ServerCapability] = []

    def capability(subject: Subject) -> ServerCapability:
        if not found:
            found.append(_detect(config.connection, subject))
        return found[0]

    return (
        Step("writes", "writes", lambda subject: _writes(capability(subject), config), ("database",)),
        Step("version", "version", lambda subject: _version(capability(subject)), ("database",)),
        Step("round_trip", "round trip", _round_trip, ("database",)),
    )


def _detect(settings: ConnectionSettings, subject: Subject) -> ServerCapability:
    def read(_: str | None, sql: str, parameters: Sequence[object]) -> list[dict[str, object]]:
        return subject.read(sql, parameters)

    book = feature_book_for(settings.dialect)
    return CapabilityDetector(read, book, host=settings.host).get_capabilities()


def _writes(capability: ServerCapability, config: Config) -> Finding:
    """Whether the login could write whatever the gates say."""
    login = capability.login
    advice = "Give the server a login that can only read: SECURITY.md, layer 1."
    told = {True: "yes", False: "no", None: "could not be seen"}
    text = f"the login can write: {told[login.can_write]}, administrator: {told[login.administrator]}"
    warnings = []
    if login.administrator:
        warnings.append(Advice("The login is an administrator of the database server.", advice))
    elif login.can_write and not config.enable_write_queries:
        warnings.append(Advice("The login can write; only the read-only gate keeps query text from it.", advice))
    return well(text, *warnings, login=login.login, canWrite=login.can_write, administrator=login.administrator)


def _version(capability: ServerCapability) -> Finding:
    identity = capability.identity
    number = identity.version if identity.version and identity.version.split()[0] not in identity.product else None
    place = "where it runs is not known" if capability.deployment == "unknown" else capability.deployment
    text = ", ".join(part for part in (identity.product, number, identity.edition, place) if part)
    return well(text, product=identity.product, version=identity.version, deployment=capability.deployment)


def _round_trip(subject: Subject) -> Finding:
    """The median of a few times there and back."""
    connection = subject.connection
    if connection is None:
        raise RuntimeError("no step has connected")
    times = []
    connection.begin(Access.READ_ONLY, net_seconds=subject.seconds(), lock_seconds=1)
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        cursor = connection.execute("SELECT 1")
        cursor.fetch(1)
        cursor.close()
        times.append(time.perf_counter() - began)
    connection.rollback()
    median = statistics.median(times)
    slow = [Advice("That is far: each call pays this several times.")] if median > SLOW_SECONDS else []
    return well(f"{median * 1000:.1f} ms (median of {ROUND_TRIPS})", *slow, milliseconds=round(median * 1000, 2))
