"""completion/complete: what a person may mean while typing a name, for the arguments of resource templates and prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext

from ..database_service import DatabaseService
from ..errors import DatabaseMcpError
from .dispatch import Dispatcher
from .known_names import Candidate, KnownNames, Source
from .prompts import Prompts
from .protocol_errors import protocol_errors
from .resources import Resources

MOST_VALUES = 100  # the protocol's limit
LONGEST_TYPED = 200

Context = ServerRequestContext[DatabaseService, Any]


class Completions:
    """Finds where an argument's values come from, and chooses those that fit what was typed."""

    def __init__(self, dispatcher: Dispatcher, resources: Resources, prompts: Prompts, names: KnownNames | None = None) -> None:
        self._dispatcher = dispatcher
        self._resources = resources
        self._prompts = prompts
        self._names = names or KnownNames()

    async def complete(self, ctx: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        """The completion/complete answer; raises MCPError for a reference or an argument that there is not."""
        with protocol_errors("completion/complete"):
            source = self._source(params)
            given = (params.context.arguments if params.context else None) or {}
            values = matching(params.argument.value, await self._candidates(ctx, source, given)) if source else []
        shown = values[:MOST_VALUES]
        return types.CompleteResult(
            completion=types.Completion(values=shown, total=len(values), has_more=len(values) > len(shown))
        )

    def _source(self, params: types.CompleteRequestParams) -> Source | None:
        if isinstance(params.ref, types.PromptReference):
            return self._prompts.source(params.ref.name, params.argument.name)
        return self._resources.source(params.ref.uri, params.argument.name)

    async def _candidates(self, ctx: Context, source: Source, given: Mapping[str, str]) -> list[Candidate]:
        try:
            call = self._dispatcher.looking(ctx)
        except DatabaseMcpError:  # a token that may not look
            return []
        return await self._names.candidates(call, source, given)


def matching(typed: str, candidates: Iterable[Candidate]) -> list[str]:
    """The values that fit: first those that begin as typed, then those that have it inside; when there are few of both, those
    that have its letters in order. Case does not matter."""
    wanted = typed.strip().casefold()[:LONGEST_TYPED]
    beginning: list[str] = []
    inside: list[str] = []
    others: list[Candidate] = []
    for candidate in candidates:
        texts = candidate.looked_for_as
        if any(text.startswith(wanted) for text in texts):
            beginning.append(candidate.value)
        elif any(wanted in text for text in texts):
            inside.append(candidate.value)
        else:
            others.append(candidate)
    found = beginning + inside
    if len(found) < MOST_VALUES:
        found += [one.value for one in others if any(in_order(wanted, text) for text in one.looked_for_as[:2])]
    return found


def in_order(letters: str, text: str) -> bool:
    """Whether the letters occur in the text in this order, with anything between them."""
    rest = iter(text)
    return all(letter in rest for letter in letters)
