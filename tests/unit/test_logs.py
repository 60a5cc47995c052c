"""The log goes to stderr, says what it is given, and keeps secrets to itself."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mssqlclient_mcp.connection_string import Secret
from mssqlclient_mcp.logs import QUIET, JsonFormatter, Redactor, TextFormatter, setup_logging

SECRET = "Zq8;hi}dd\"en'\\ü w"


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., io.StringIO]]:
    """Set the log up with stderr caught, and put everything back afterwards."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    levels = {name: logging.getLogger(name).level for name in QUIET}
    stream = io.StringIO()

    def start(level: str = "info", fmt: str = "json", secrets: tuple[Secret, ...] = ()) -> io.StringIO:
        monkeypatch.setattr(sys, "stderr", stream)
        setup_logging(level, fmt, secrets)
        return stream

    yield start
    logging.captureWarnings(False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_is_one_object_a_line_with_extras_as_fields(logged: Callable[..., io.StringIO]) -> None:
    """Time in UTC, level, logger, message, and whatever the caller added, in its own type."""
    stream = logged()
    logging.getLogger("mssqlclient_mcp.tools").info(
        "call\ndone", extra={"tool": "list_tables", "rows": 3, "seconds": 0.5, "ok": True, "code": None, "ids": ["a", 1]}
    )
    (line,) = lines(stream)
    assert str(line.pop("time")).endswith("Z")
    assert line == {
        "level": "info",
        "logger": "mssqlclient_mcp.tools",
        "message": "call\ndone",
        "tool": "list_tables",
        "rows": 3,
        "seconds": 0.5,
        "ok": True,
        "code": None,
        "ids": ["a", 1],
    }


def test_an_extra_never_hides_a_standing_field(logged: Callable[..., io.StringIO]) -> None:
    """A field named level is told, beside the level."""
    stream = logged()
    logging.getLogger("x").info("m", extra={"level": "mine", "time": 1})
    (line,) = lines(stream)
    assert (line["level"], line["extra_level"], line["extra_time"]) == ("info", "mine", 1)


def test_values_that_json_lacks_are_told_as_text(logged: Callable[..., io.StringIO]) -> None:
    """NaN, infinity, half a surrogate pair and objects still make a line that any JSON reader takes."""
    stream = logged()
    logging.getLogger("x").info("m\ud800", extra={"a": float("nan"), "b": [float("inf")], "c": {"d": object}, "e": b"x"})
    (line,) = lines(stream)
    assert (line["a"], line["b"]) == ("nan", ["inf"])
    assert stream.getvalue().isascii()


def test_text_is_one_line_with_extras_behind_the_message(logged: Callable[..., io.StringIO]) -> None:
    """A line break in a message or a value cannot fake a line of the log."""
    stream = logged(fmt="text")
    logging.getLogger("x").warning("one\ntwo\x1b[31m\u2028three", extra={"tool": "a b", "rows": 3, "bad": "x\ny"})
    (line,) = stream.getvalue().splitlines()
    assert line.endswith('WARNING x: one\\ntwo\\x1b[31m\\u2028three tool="a b" rows=3 bad=x\\ny')


@pytest.mark.parametrize("fmt", ["text", "json"])
def test_a_known_secret_is_taken_out_of_everything(logged: Callable[..., io.StringIO], fmt: str) -> None:
    """Message, arguments, extras in depth, traceback, and the forms it takes in URLs, quotes and connection strings."""
    from urllib.parse import quote

    stream = logged(fmt=fmt, secrets=(Secret(SECRET),))
    log = logging.getLogger("x")
    log.info("plain %s", SECRET, extra={"deep": [{"key": SECRET}, (SECRET,)], SECRET: 1})
    log.info("url %s repr %r brace %s", quote(SECRET, safe=""), SECRET, SECRET.replace("}", "}}"))
    try:
        raise ValueError(f"it was {SECRET}")
    except ValueError:
        log.exception("failed", stack_info=True)
    text = stream.getvalue()
    assert "Zq8" not in text
    assert "****" in text
    assert "ValueError" in text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Server=x;Password=hidden;Database=y", "Server=x;Password=****;Database=y"),
        ("PWD={hid}}den;x};A=1", "PWD=****;A=1"),
        ('pwd = "hid;den"; a=1', "pwd = ****; a=1"),
        ("password='it''s';a=1", "password=****;a=1"),
        ("postgresql://u:hidden@h/d", "postgresql://u:****@h/d"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ****"),
        ('{"password": "hidden", "a": 1}', '{"password": ****, "a": 1}'),
        ("?password=hidden&sslmode=require", "?password=****&sslmode=require"),
        ("sslpassword=hidden", "sslpassword=****"),
        ("PGPASSWORD and passwords are words", "PGPASSWORD and passwords are words"),
        ("login failed for user 'sa'", "login failed for user 'sa'"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, cleaned: str) -> None:
    """Even when nobody told the log that it is one."""
    assert Redactor().clean(text) == cleaned


def test_a_secret_learnt_later_is_taken_out_from_then_on() -> None:
    """Tokens from a file are known only after the log has begun."""
    redactor = Redactor()
    assert redactor.clean("tok-12345") == "tok-12345"
    redactor.add(Secret("tok-12345"))
    assert redactor.clean("a tok-12345 b") == "a **** b"


def test_a_very_short_secret_does_not_tear_the_log_apart() -> None:
    """A password of one letter would take that letter out of every word."""
    assert Redactor([Secret("a"), Secret("")]).clean("a day; pwd=a") == "a day; pwd=****"


def test_a_longer_secret_goes_before_one_that_it_contains() -> None:
    """Else its rest would stay."""
    assert Redactor([Secret("abcd"), Secret("abcdefgh")]).clean("x abcdefgh y") == "x **** y"


def test_a_long_line_is_cleaned_in_time() -> None:
    """Patterns stay linear, also on text made to be hard."""
    redactor = Redactor([Secret("hidden")])
    for piece in ("a.", 'password="', "pwd={", "x://a:", "bearer ", "_token"):
        started = time.perf_counter()
        redactor.clean(piece * 10_000)
        assert time.perf_counter() - started < 5, piece


@given(st.text(min_size=4), st.text(), st.text())
def test_no_known_secret_survives(secret: str, before: str, after: str) -> None:
    """Wherever it stands."""
    redactor = Redactor([Secret(secret)])
    cleaned = redactor.clean(before + secret + after)
    assert secret not in cleaned.replace("****", "\0") or secret in before + "\0" + after


def test_setting_up_twice_writes_once_and_the_level_holds(logged: Callable[..., io.StringIO]) -> None:
    """The second call replaces the first; what is under the level is not told."""
    logged()
    stream = logged("warning")
    logging.getLogger("x").info("no")
    logging.getLogger("x").warning("yes")
    assert [line["message"] for line in lines(stream)] == ["yes"]


def test_libraries_that_tell_contents_are_heard_from_warning_on(logged: Callable[..., io.StringIO]) -> None:
    """At debug the protocol library logs whole messages, SQL values included."""
    stream = logged("debug")
    logging.getLogger("mcp.server.lowlevel").debug("value 42")
    logging.getLogger("mcp").info("value 42")
    logging.getLogger("mcp").warning("careful")
    logging.getLogger("mssqlclient_mcp").debug("ours")
    assert [line["message"] for line in lines(stream)] == ["careful", "ours"]


@pytest.mark.parametrize("formatter", [TextFormatter, JsonFormatter])
@given(message=st.text(), value=st.text())
def test_any_text_makes_exactly_one_line(formatter: type[TextFormatter | JsonFormatter], message: str, value: str) -> None:
    """Whatever a client sends, it cannot begin a line of its own."""
    record = logging.makeLogRecord({"msg": message, "name": "x", "levelno": 20, "levelname": "INFO", "field": value})
    line = formatter(Redactor()).format(record)
    assert len(line.splitlines()) == 1


def test_nothing_goes_to_stdout() -> None:
    """Stdout belongs to the protocol: log, warnings and uncaught errors of threads keep off it."""
    code = (
        "import logging, warnings\n"
        "from mssqlclient_mcp.logs import setup_logging\n"
        "setup_logging('debug', 'json')\n"
        "logging.getLogger('x').error('boo')\n"
        "warnings.warn('old', DeprecationWarning)\n"
    )
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
    assert [json.loads(line)["logger"] for line in done.stderr.splitlines()] == ["x", "py.warnings"]


@pytest.mark.parametrize("fmt", ["text", "json"])
def test_what_somebody_blew_up_is_cut_after_its_secrets_are_out(logged: Callable[..., io.StringIO], fmt: str) -> None:
    """A line stays a line that people and programs can read; the secret at the cut is not left in halves."""
    stream = logged(fmt=fmt, secrets=(Secret(SECRET),))
    text = "a" * 1990 + SECRET * 200_000 + "the end"
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("mssqlclient_mcp").exception("%s", text, extra={"tool": text})
    told = stream.getvalue()
    assert len(told) < 100_000
    assert told.count("characters left out") == 3
    assert "the end" in told
    assert SECRET[:8] not in told


def test_a_value_that_was_refused_is_not_quoted(logged: Callable[..., io.StringIO]) -> None:
    """Pydantic's errors hold what was given."""
    stream = logged()
    given = ", input_type=str] ".join(["m4" + "rker"] * 2)
    try:
        TypeAdapter(int).validate_python(given)
    except ValidationError:
        logging.getLogger("mssqlclient_mcp").exception("defect")
    (line,) = lines(stream)
    assert "input_value=****" in str(line["traceback"])
    assert "m4rker" not in str(line["traceback"])
