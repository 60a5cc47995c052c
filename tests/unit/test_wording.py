"""Sentences that name tools: told only where all of them are open, and every name in them is one that there is."""

from __future__ import annotations

import pytest

from mssqlclient_mcp.tools.instructions import ADVICE
from mssqlclient_mcp.tools.prompts import ANY_DATABASE, DATABASE, PROMPTS, Prompt
from mssqlclient_mcp.tools.table import TOOLS
from mssqlclient_mcp.tools.wording import Step, Wording, fields

TOOL_NAMES = {tool.name for tool in TOOLS} | {"select_data", "execute_filter"}


def needed(steps: tuple[Step, ...]) -> set[str]:
    """All names in the braces of all sentences."""
    return {name for step in steps for sentence in ([step] if isinstance(step, str) else step) for name in fields(sentence)}


def test_a_sentence_is_told_when_all_that_it_names_is_known() -> None:
    """Under the names that are given."""
    wording = Wording({"a": "tool_a", "b": "tool_b"})
    assert wording.told(["plain", "use {a}", "use {a} and {c}", "{b}, {a}"]) == ["plain", "use tool_a", "tool_b, tool_a"]


def test_of_alternatives_the_first_that_fits_is_told() -> None:
    """Or none, when none fits or the one that fits is empty."""
    assert Wording({"b": "B"}).told([("{a}", "{b}", "c")]) == ["B"]
    assert Wording({}).told([("{a}", "{b}"), ("{a}", ""), "end"]) == ["end"]


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    """A user's words may hold braces."""
    assert Wording({"x": "{y} {0} {x!r}", "y": "no"}).told(["say {x}"]) == ["say {y} {0} {x!r}"]


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.name)
def test_every_name_in_a_prompt_is_a_tool_or_an_argument(prompt: Prompt) -> None:
    """A misspelt one would leave its sentence out for ever; and each argument is used."""
    database = DATABASE if prompt.database_required else ANY_DATABASE
    arguments = {one.name for one in (database, *prompt.arguments)}
    assert not arguments & TOOL_NAMES
    names = needed((prompt.task, *prompt.steps))
    assert names - TOOL_NAMES - arguments == set()
    assert arguments <= names
    required = {one.name for one in prompt.arguments if one.required}
    assert fields(prompt.task) == required


def test_every_name_in_the_instructions_is_a_tool() -> None:
    """The same holds there."""
    assert needed(ADVICE) <= TOOL_NAMES
