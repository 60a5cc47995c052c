"""The tool that tells what the server is and can do."""

from __future__ import annotations

from ..formatters.capabilities import format_capabilities_report
from .base import Arguments, Call, Reply


class Capabilities(Arguments):
    """Arguments of get_server_capabilities."""

    refresh: bool = False


async def get_server_capabilities(call: Call, args: Capabilities) -> Reply:
    """Version, edition, place, rights and features."""
    detector = call.service.capabilities
    return format_capabilities_report(await call.run(lambda: detector.get_capabilities(call.database, refresh=args.refresh)))
