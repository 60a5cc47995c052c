"""The names by which clients may call this server, and the pages that may: Host and Origin headers, read whole."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import ConfigInvalid

USUAL_PORTS = (80, 443)
ANY = "*"

_PLACE = re.compile(
    r"(?:([a-z][a-z0-9+.-]*)://)?(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_-]|\.(?=[a-z0-9_]))*)(?::([0-9]{1,5}|\*))?"
)


@dataclass(frozen=True)
class Place:
    """A host, with a scheme where it is an origin. ``port`` None: one that goes without saying; ``*``: any."""

    scheme: str | None
    name: str
    port: int | str | None

    def fits(self, allowed: Place) -> bool:
        """Whether ``allowed`` stands for this."""
        same = (self.scheme, self.name) == (allowed.scheme, allowed.name)
        return same and allowed.port in (ANY, self.port)

    def pattern(self) -> str:
        """What an origin of this looks like in a browser, which leaves a usual port out."""
        ports = "" if self.port is None else r"(:\d+)?" if self.port == ANY else f":{self.port}"
        return f"{self.scheme}://{re.escape(self.name)}{ports}"


class AllowedNames:
    """Which Host and Origin headers are accepted. Raises ConfigInvalid for a name that no header could have."""

    def __init__(self, hosts: Iterable[str], origins: Iterable[str]) -> None:
        self._hosts = [_allowed("HTTP_ALLOWED_HOSTS", text, origin=False) for text in hosts]
        self._origins = [_allowed("HTTP_ALLOWED_ORIGINS", text, origin=True) for text in origins]

    def host(self, text: str) -> bool:
        """Whether a Host header names this server."""
        place = read_place(text)
        return place is not None and place.scheme is None and any(place.fits(one) for one in self._hosts)

    def origin(self, text: str) -> bool:
        """Whether the pages of an Origin header may call."""
        place = read_place(text)
        return place is not None and place.scheme is not None and any(place.fits(one) for one in self._origins)


def read_place(text: str) -> Place | None:
    """A host or an origin (RFC 6454) as ``[scheme://]name[:port]``; None for what is none."""
    found = _PLACE.fullmatch(text.lower())
    if found is None:
        return None
    scheme, name, told = found.groups()
    if name.startswith("["):
        try:
            name = f"[{ipaddress.IPv6Address(name[1:-1])}]"
        except ValueError:
            return None
    if told is None or told == ANY:
        return Place(scheme, name, told)
    port = int(told)
    usual = {"http": (80,), "https": (443,)}.get(scheme, ()) if scheme else USUAL_PORTS
    return Place(scheme, name, None if port in usual else port) if port < 1 << 16 else None


def _allowed(setting: str, text: str, *, origin: bool) -> Place:
    place = read_place(text.rstrip("/") if origin else text)
    if place is None or (place.scheme is None) is origin:
        form = "origins such as https://app.example.com (:* for any port)" if origin else "names such as mcp.example.com:8000"
        raise ConfigInvalid(
            f"{setting} must be {form}, separated by commas, not {text[:80]!r}.",
            details={"setting": setting, "expected": form},
        )
    return place
