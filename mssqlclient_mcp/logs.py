"""The log: to stderr only (stdout belongs to the protocol), as text or as one JSON object a line, without secrets.

What a caller passes as ``extra`` becomes fields. Secrets are taken out in two ways: the texts that are known
(``Redactor.add``), and whatever follows ``pwd=``, ``password=``, ``Bearer`` and the like or stands between ``user:`` and
``@`` in a URL.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Protocol
from urllib.parse import quote

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the call that is worked on: it stands in every line of the log that is written meanwhile."""

MASK = "****"
MOST_CHARACTERS = 4_000  # of a message or a field
MOST_TRACE_CHARACTERS = 40_000
_SHORTEST = 4  # a shorter secret is part of too many words to be taken out wherever it stands; the patterns still find it
_PATTERNS = (
    re.compile(
        r"""(?i)((?:\b|_)(?:pwd|password|passwd|secret|token|api[_-]?key|client[_-]?secret|sslpassword)["']?\s*[=:]\s*)"""
        r"""(?:\{(?:[^}]|\}\})*\}|"(?:[^"\\]|""|\\.)*"|'(?:[^'\\]|''|\\.)*'|[^\s;,&"'}]+)"""
    ),
    re.compile(r"(?i)(\bbearer\s+)[A-Za-z0-9._~+/=\-]+"),
    re.compile(r"(?i)(\b[a-z][a-z0-9+.\-]{0,20}://[^\s/:@]*:)[^\s/@]+(?=@)"),
)
_MAY_MATCH = re.compile(r"(?i)pwd|passw|secret|token|api[_-]?key|bearer|://")
"""What a text must hold for any of the patterns to match; nearly none does, and looking for this is quick."""
_QUOTED_INPUT = re.compile(r"input_value=.*(?=, input_type=)")
"""What pydantic quotes of a value that it refused."""
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Libraries that tell every message they handle, contents included, are heard from WARNING on only.
QUIET = ("azure", "msal", "mcp", "httpx", "httpcore", "asyncio", "sqlglot", "sse_starlette", "uvicorn")


class Revealing(Protocol):
    """A secret, as ``connection_settings.Secret`` is one."""

    def reveal(self) -> str:
        """The text that must not be logged."""


class Redactor:
    """Takes secrets out of texts; secrets can be added while the log is in use."""

    def __init__(self, secrets: Iterable[Revealing] = ()) -> None:
        self._known: tuple[str, ...] = ()
        self.add(*secrets)

    def add(self, *secrets: Revealing) -> None:
        """Take these out as well, as they are and as they look in a URL, in quotes and in connection strings."""
        known = set(self._known)
        for text in (secret.reveal() for secret in secrets):
            if len(text) >= _SHORTEST:
                known |= {text, quote(text, safe="", errors="replace"), repr(text)[1:-1], json.dumps(text)[1:-1]}
                known |= {text.replace(quoted, quoted * 2) for quoted in ("}", '"', "'")}
        self._known = tuple(sorted(known, key=len, reverse=True))

    def forget(self, *secrets: Revealing) -> None:
        """Look for these no longer; they mean nothing any more."""
        gone = Redactor(secrets)._known
        self._known = tuple(known for known in self._known if known not in gone)

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for known in self._known:
            text = text.replace(known, MASK)
        if _MAY_MATCH.search(text):
            for pattern in _PATTERNS:
                text = pattern.sub(rf"\g<1>{MASK}", text)
        return text

    def clean_value(self, value: object) -> object:
        """A value for JSON without secrets in any text of it; what JSON does not know is told as text."""
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, Mapping):
            return {self.clean(str(key)): self.clean_value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.clean_value(item) for item in value]
        return self.clean(str(value))


class _Formatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    @property
    def redactor(self) -> Redactor:
        """What takes secrets out of this log."""
        return self._redactor

    def _when(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, tz=timezone.utc)
        return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _fields(self, record: logging.LogRecord) -> dict[str, object]:
        extras = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        return {self._redactor.clean(key): _bounded(self._redactor.clean_value(value)) for key, value in extras.items()}

    def _message(self, record: logging.LogRecord) -> str:
        return _bounded_text(self._redactor.clean(record.getMessage()))

    def _trace(self, record: logging.LogRecord) -> str:
        parts = []
        if record.exc_info and record.exc_info[0] is not None:
            parts.append(self.formatException(record.exc_info))
        if record.stack_info:
            parts.append(record.stack_info)
        trace = _QUOTED_INPUT.sub(f"input_value={MASK}", "\n".join(parts))
        return _bounded_text(self._redactor.clean(trace), MOST_TRACE_CHARACTERS)


class _RequestId(logging.Filter):
    """Puts the id of the call into each record of it, also those of libraries."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets everything pass."""
        current = request_id.get()
        if current is not None:
            record.request = current
        return True


class TextFormatter(_Formatter):
    """``time LEVEL logger: message key=value``; a line break in a message or value cannot begin a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it, indented."""
        fields = "".join(f" {key}={_compact(value)}" for key, value in self._fields(record).items())
        message = _one_line(self._message(record))
        line = f"{self._when(record)} {record.levelname:<7} {record.name}: {message}{fields}"
        trace = self._trace(record)
        return line + "".join(f"\n    {part}" for part in trace.splitlines())


class JsonFormatter(_Formatter):
    """One JSON object a line: time, level, logger, message, the extras, and ``traceback``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; an extra never hides one of the standing fields."""
        told: dict[str, object] = {
            "time": self._when(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._message(record),
        }
        for key, value in self._fields(record).items():
            told[f"extra_{key}" if key in told else key] = value
        trace = self._trace(record)
        if trace:
            told["traceback"] = trace
        return json.dumps(_finite(told), ensure_ascii=True, separators=(",", ":"))


def setup_logging(level: str, fmt: str, secrets: Iterable[Revealing] = ()) -> Redactor:
    """Send the log of this process to stderr, replacing what was set up before.

    ``level`` is debug, info, warning or error; ``fmt`` text or json. Returns the redactor, to which later secrets are added.
    """
    redactor = Redactor(secrets)
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_RequestId())
    handler.setFormatter(JsonFormatter(redactor) if fmt == "json" else TextFormatter(redactor))
    root = logging.getLogger()
    for old in list(root.handlers):  # those of others that do not write to our streams may stay
        if isinstance(old.formatter, _Formatter) or getattr(old, "stream", None) in (sys.stderr, sys.stdout):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    return redactor


def hide(secret: Revealing, *, instead_of: Revealing | None = None) -> None:
    """Keep a secret that came up while running out of this process's log; ``instead_of`` is one that has ended."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _Formatter):
            if instead_of is not None:
                handler.formatter.redactor.forget(instead_of)
            handler.formatter.redactor.add(secret)


def _bounded_text(text: str, most: int = MOST_CHARACTERS) -> str:
    """A text, or its two ends: what is cut was cleaned before, so that no half of a secret is left."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]} ... ({len(text) - most} characters left out) ... {text[-(most // 2) :]}"


def _bounded(value: object) -> object:
    return _bounded_text(value) if isinstance(value, str) else value


def _one_line(text: str) -> str:
    """Control characters and line separators written out, so that a line of the log stays one line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _compact(value: object) -> str:
    text = value if isinstance(value, str) else _COMPACT.encode(value)
    text = _one_line(text)
    return json.dumps(text, ensure_ascii=False) if not text or " " in text or "=" in text or '"' in text else text


def _finite(value: object) -> object:
    """JSON has no NaN and no infinity: they are told as text."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value
