"""Driver and parser are imported between the first tools/list and the first call, beside the event loop."""

from __future__ import annotations

import asyncio
import logging
import threading

from ..database_service import DatabaseService
from ..errors import DatabaseMcpError

log = logging.getLogger(__name__)

SECONDS_AFTER_THE_ANSWER = 0.05
"""So that the answer itself is on its way before anything else is done."""


class WarmUp:
    """Loads what calls need, once, some time after it was asked to."""

    def __init__(self) -> None:
        self._asked = False

    def soon(self, service: DatabaseService) -> None:
        """Begin when the answer under way is sent; from the event loop. Harmless twice."""
        if not self._asked:
            self._asked = True
            asyncio.get_running_loop().call_later(SECONDS_AFTER_THE_ANSWER, self._begin, service)

    def _begin(self, service: DatabaseService) -> None:
        threading.Thread(target=self._load, args=(service,), name="warm-up", daemon=True).start()

    @staticmethod
    def _load(service: DatabaseService) -> None:
        try:
            service.load()
        except DatabaseMcpError as error:
            log.info("not loaded ahead: %s", error.message)  # the first call that needs it says so to its caller
