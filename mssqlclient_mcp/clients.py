"""What the server remembers of each client: how long its statements may take."""

from __future__ import annotations

import threading
from collections import OrderedDict

MOST_CLIENTS = 10_000


class Clients:
    """Command timeouts by client, for as long as the process lives; the longest unused is forgotten past 10,000."""

    def __init__(self, default_timeout_seconds: float) -> None:
        self.default_timeout_seconds = default_timeout_seconds
        self._timeouts: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def command_timeout(self, client: str) -> float:
        """Seconds a statement of this client may take."""
        with self._lock:
            if client in self._timeouts:
                self._timeouts.move_to_end(client)
            return self._timeouts.get(client, self.default_timeout_seconds)

    def set_command_timeout(self, client: str, seconds: float) -> float:
        """Set it for this client's later calls; returns the one before."""
        with self._lock:
            before = self._timeouts.get(client, self.default_timeout_seconds)
            self._timeouts[client] = seconds
            self._timeouts.move_to_end(client)
            while len(self._timeouts) > MOST_CLIENTS:
                self._timeouts.popitem(last=False)
            return before

    def forget(self, client: str) -> None:
        """The client is gone for good."""
        with self._lock:
            self._timeouts.pop(client, None)
