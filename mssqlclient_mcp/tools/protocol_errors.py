"""Errors of what is no tool: resources, prompts and completions answer with a protocol error of the same words and data."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import mcp_types as types
from mcp.shared.exceptions import MCPError

from ..errors import DatabaseMcpError, InternalError
from ..formatters.errors import format_error

log = logging.getLogger(__name__)


@contextmanager
def protocol_errors(what: str, number: str | None = None) -> Iterator[None]:
    """Let every error leave as an ``MCPError``: ours with code, next step and details, a defect without its insides.
    ``number`` is the request's id, which both the details and the log tell."""
    try:
        yield
    except MCPError:
        raise
    except DatabaseMcpError as error:
        text, data = format_error(error.with_details(requestId=number))
        raise MCPError(types.INVALID_PARAMS, text, data) from error
    except Exception as error:  # the edge: a defect of ours is logged, not shown
        log.exception("%s failed", what)
        text, data = format_error(InternalError(f"{what} failed.").with_details(requestId=number))
        raise MCPError(types.INTERNAL_ERROR, text, data) from error
