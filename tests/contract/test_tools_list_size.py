"""What a client pays for at each start: the tools/list answer stays lean, and still says what a model needs to choose."""

from __future__ import annotations

import json
import re

import mcp_types as types
import pytest

from mssqlclient_mcp.config import Config, load_config
from mssqlclient_mcp.server import build_server
from mssqlclient_mcp.tools.dispatch import Dispatcher
from mssqlclient_mcp.tools.table import TOOLS

CHARACTERS_PER_TOKEN = 4
MODES = {"database": "postgresql://h/d", "server": "postgresql://h/"}
EVERY_GATE = dict.fromkeys(
    (
        "ENABLE_EXECUTE_QUERY",
        "ENABLE_EXECUTE_STORED_PROCEDURE",
        "ENABLE_START_QUERY",
        "ENABLE_START_STORED_PROCEDURE",
        "ENABLE_WRITE_QUERIES",
    ),
    "true",
)
LIMITS = {"default gates": ({}, 3500), "every gate": (EVERY_GATE, 6000)}


def listed(config: Config) -> list[types.Tool]:
    """The tools as they go to a client."""
    return Dispatcher(config, TOOLS).listed()


def tokens(tools: list[types.Tool]) -> float:
    """About how many tokens the answer takes, written as it travels."""
    dumped = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    return len(json.dumps({"tools": dumped}, separators=(",", ":"), ensure_ascii=False)) / CHARACTERS_PER_TOKEN


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gates", LIMITS)
def test_the_list_of_tools_stays_under_its_limit(mode: str, gates: str) -> None:
    """3,500 tokens with the default gates, 6,000 with all of them open."""
    settings, limit = LIMITS[gates]
    found = tokens(listed(load_config({"DATABASE_URL": MODES[mode], **settings})))
    print(f"{mode} mode, {gates}: {found:.0f} tokens")
    assert found < limit


@pytest.mark.parametrize("mode", MODES)
def test_every_tool_has_a_title_and_all_four_hints(mode: str) -> None:
    """A person picks by the title; a client decides by the hints whether to ask first."""
    for tool in listed(load_config({"DATABASE_URL": MODES[mode], **EVERY_GATE})):
        assert tool.title
        assert tool.title != tool.name
        assert tool.annotations is not None
        hints = tool.annotations.model_dump(by_alias=True, exclude_none=True)
        assert set(hints) >= {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
        assert not (tool.annotations.read_only_hint and tool.annotations.destructive_hint)


@pytest.mark.parametrize("writes", ["false", "true"])
def test_hints_follow_from_the_gates(writes: str) -> None:
    """Queries only read while writes are off; a procedure may do anything; looking never changes a thing."""
    config = load_config({"DATABASE_URL": MODES["database"], **EVERY_GATE, "ENABLE_WRITE_QUERIES": writes})
    hints = {tool.name: tool.annotations for tool in listed(config) if tool.annotations}
    assert hints["execute_query"].read_only_hint is (writes == "false")
    assert hints["start_query"].destructive_hint is (writes == "true")
    assert hints["execute_stored_procedure"].destructive_hint is True
    assert hints["start_stored_procedure"].read_only_hint is False
    assert hints["cancel_session"].idempotent_hint is True
    assert hints["set_command_timeout"].destructive_hint is False
    looking = [name for name in hints if name.startswith(("get_", "list_", "search_"))]
    assert len(looking) > 10
    assert all(hints[name].read_only_hint for name in looking)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("opened", [*EVERY_GATE, None])
def test_a_description_says_enough_and_names_only_tools_that_are_listed(mode: str, opened: str | None) -> None:
    """When to use it and what comes back, in a sentence or two; nobody is sent to a tool that refuses."""
    tools = listed(load_config({"DATABASE_URL": MODES[mode], **({opened: "true"} if opened else {})}))
    names = {tool.name for tool in tools}
    every_name = {name for tool in TOOLS for name in (tool.name, tool.server_name) if name}
    for tool in tools:
        assert 50 < len(tool.description or "") < 400
        assert every_name & set(re.findall(r"[a-z]+(?:_[a-z]+)+", tool.description or "")) <= names


def test_no_output_schema_requires_or_forbids_anything() -> None:
    """Some clients hold an error's structured content against it, too."""
    for tool in listed(load_config({"DATABASE_URL": MODES["server"], **EVERY_GATE})):
        text = json.dumps(tool.output_schema)
        assert '"required": [' not in text
        assert "additionalProperties" not in text


@pytest.mark.parametrize("mode", MODES)
def test_a_call_of_the_stateless_era_does_not_list_all_tools(mode: str) -> None:
    """The SDK asks for the schema of the tool that is called; without an answer it would make the whole list for each call."""
    config = load_config({"DATABASE_URL": MODES[mode], **EVERY_GATE})
    schema_of = build_server(config).get_tool_input_schema
    assert schema_of is not None
    for tool in listed(config):
        assert schema_of(tool.name) == tool.input_schema
    assert schema_of("no_such_tool") is None
