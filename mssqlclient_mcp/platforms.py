"""Which system this is, as far as commands to type and places of files depend on it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from enum import Enum


class System(str, Enum):
    """A family of systems with the same package manager."""

    DEBIAN = "Debian or Ubuntu"
    RHEL = "RHEL or Fedora"
    ALPINE = "Alpine"
    SUSE = "SUSE"
    LINUX = "Linux"  # another one
    MACOS = "macOS"
    WINDOWS = "Windows"


_FAMILIES = (  # the words of /etc/os-release (ID, ID_LIKE) that tell a family
    (System.ALPINE, ("alpine",)),
    (System.DEBIAN, ("debian", "ubuntu")),
    (System.RHEL, ("rhel", "fedora", "centos", "amzn", "ol")),
    (System.SUSE, ("suse", "sles", "opensuse")),
)


def system_of(platform_name: str, distribution: frozenset[str]) -> System:
    """The system that ``sys.platform`` and the words of the distribution tell."""
    if platform_name == "win32":
        return System.WINDOWS
    if platform_name == "darwin":
        return System.MACOS
    return next((system for system, words in _FAMILIES if distribution.intersection(words)), System.LINUX)


def this_system() -> System:
    """The system that this runs on."""
    return system_of(sys.platform, distribution())


def distribution() -> frozenset[str]:
    """The words by which a Linux distribution calls itself and its relatives; none elsewhere."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return frozenset()
    return frozenset(f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".lower().replace("-", " ").split())


def for_system(text: str | Mapping[System, str], system: System) -> str:
    """A text that may differ by system; a system without one of its own gets that of ``System.LINUX``."""
    return text if isinstance(text, str) else text.get(system, text[System.LINUX])
