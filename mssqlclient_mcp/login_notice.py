"""The first layer of reads only: whether the login could write all the same, said once in the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from .errors import DatabaseMcpError
from .models import LoginRights

log = logging.getLogger(__name__)


class LoginNotice:
    """Says once a database what its login may do. ``rights`` looks it up; what cannot be seen is said as such."""

    def __init__(self, rights: Callable[[str | None], LoginRights]) -> None:
        self._rights = rights
        self._told: set[str | None] = set()
        self._lock = threading.Lock()

    def tell(self, database: str | None) -> None:
        """Log it, unless that was done; never raises an error of the database's."""
        with self._lock:
            if database in self._told:
                return
            self._told.add(database)
        try:
            rights = self._rights(database)
        except DatabaseMcpError as error:
            log.info("what the login may do could not be seen: %s", error.code.value)
            return
        level, text = notice(rights)
        log.log(level, "%s", text, extra={"database": database or ""})


def notice(rights: LoginRights) -> tuple[int, str]:
    """The level and the words: a warning where nothing but this program keeps the login from writing."""
    login = rights.login or "the login"
    advice = "a login that can only read is the one layer that nothing in this program can break"
    if rights.administrator:
        return logging.WARNING, f"{login} is an administrator of the database server; {advice}"
    if rights.can_write:
        return logging.WARNING, f"{login} can write; {advice}"
    if rights.can_write is None:
        return logging.INFO, f"whether {login} can write could not be seen"
    return logging.INFO, f"{login} can only read"
