"""What watches over calls with every transport: the rate limit, and the health API with its metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ..config import Config
from ..database_service import DatabaseService
from ..errors import ConfigInvalid
from ..tools.surroundings import Caller, CallTold, Surroundings
from ..tools.table import TOOLS

if TYPE_CHECKING:
    from .health import HealthServer
    from .rate_limit import RateLimiter

METHODS = ("resources/read", "resources/list", "prompts/get", "completion/complete")
"""What is counted and is no tool."""


class Watch:
    """The parts that the settings ask for. Raises ConfigInvalid when a package that they need is not installed."""

    def __init__(self, config: Config, service: DatabaseService, *, draining: Callable[[], bool] = lambda: False) -> None:
        self._limiter = _limiter(config)
        self.health = _health(config, service, draining) if config.health_port is not None else None

    @property
    def admit(self) -> Callable[[Caller], Awaitable[None]] | None:
        """See ``Surroundings``."""
        return None if self._limiter is None else self._limiter.admit

    @property
    def watchers(self) -> tuple[Callable[[CallTold], None], ...]:
        """See ``Surroundings``."""
        return () if self.health is None else (self.health.watch,)

    def surroundings(self) -> Surroundings:
        """Those of a single local client."""
        return Surroundings(admit=self.admit, watchers=self.watchers)

    def start(self) -> None:
        """Begin to listen, where a port is set."""
        if self.health is not None:
            self.health.start()

    def close(self) -> None:
        """Stop listening; harmless twice."""
        if self.health is not None:
            self.health.close()


def counted_names() -> frozenset[str]:
    """All names that calls are counted by."""
    names = (name for tool in TOOLS for name in (tool.name, tool.server_name, *tool.aliases) if name)
    return frozenset((*names, *METHODS))


def _limiter(config: Config) -> RateLimiter | None:
    if not config.rate_limit_per_minute:
        return None
    try:
        from .rate_limit import RateLimiter
    except ImportError as error:
        raise _missing(error, "RATE_LIMIT_PER_MINUTE", "Or set RATE_LIMIT_PER_MINUTE=0.") from None
    return RateLimiter(config.rate_limit_per_minute, config.rate_limit_storage_uri)


def _health(config: Config, service: DatabaseService, draining: Callable[[], bool]) -> HealthServer:
    try:
        from .health import HealthServer
    except ImportError as error:
        raise _missing(error, "HEALTH_PORT", "") from None
    return HealthServer(config, service, counted_names(), draining=draining)


def _missing(error: ImportError, setting: str, otherwise: str) -> ConfigInvalid:
    return ConfigInvalid(
        f"{setting} needs the package {error.name}, which is not installed.",
        details={"setting": setting},
        next_step=f'Install it: pip install "mssqlclient-mcp[http]". {otherwise}'.strip(),
    )
