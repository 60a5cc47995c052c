"""The server with the fixtures of the conformance suite beside its own tools: python -m tests.conformance.server

Only what answers to ``test_*`` and ``test://`` is added; transport, sessions, streams, checks and all else are the real ones.
"""

from __future__ import annotations

import asyncio
import base64
import struct
import sys
import zlib
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from mssqlclient_mcp import cli
from mssqlclient_mcp.http import serving

Context = ServerRequestContext[Any, Any]
Content = list[types.ContentBlock]
Fixture = Callable[[Context, dict[str, Any]], Awaitable[Content]]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_PIXEL = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + _PIXEL + _chunk(b"IEND", b"")).decode()
WAV = base64.b64encode(
    b"RIFF" + struct.pack("<I", 37) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    + b"data" + struct.pack("<I", 1) + b"\x80"
).decode()  # fmt: skip
IMAGE = types.ImageContent(type="image", data=PNG, mime_type="image/png")
CHOICES = ["option1", "option2", "option3"]
DEFAULTS: dict[str, Any] = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
TITLED = [{"const": f"value{number}", "title": f"{word} Option"} for number, word in enumerate(("First", "Second", "Third"), 1)]
ENUMS: dict[str, Any] = {
    "untitledSingle": {"type": "string", "enum": CHOICES},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"],
    },
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": CHOICES}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}
USER: dict[str, Any] = {"username": {"type": "string"}, "email": {"type": "string"}}


def text(words: str) -> types.TextContent:
    """A block of text."""
    return types.TextContent(type="text", text=words)


def embedded(uri: str, mime_type: str, words: str) -> types.EmbeddedResource:
    """A resource inside an answer."""
    return types.EmbeddedResource(
        type="resource", resource=types.TextResourceContents(uri=uri, mime_type=mime_type, text=words)
    )


def always(*blocks: types.ContentBlock) -> Fixture:
    """A tool that answers the same whatever is asked."""

    async def answer(_: Context, __: dict[str, Any]) -> Content:
        return list(blocks)

    return answer


async def with_logging(context: Context, _: dict[str, Any]) -> Content:
    """Three lines of log while it runs."""
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await context.session.send_log_message("info", words, related_request_id=context.request_id)
        await asyncio.sleep(0.05)
    return [text("done")]


async def with_progress(context: Context, _: dict[str, Any]) -> Content:
    """Three notes of progress while it runs."""
    for percent in (0, 50, 100):
        await context.session.report_progress(percent, 100, f"{percent} of 100")
        await asyncio.sleep(0.05)
    return [text("done")]


async def sampling(context: Context, arguments: dict[str, Any]) -> Content:
    """Asks the client's model."""
    message = types.SamplingMessage(role="user", content=text(arguments["prompt"]))
    told = await context.session.create_message([message], max_tokens=100, related_request_id=context.request_id)
    return [text(f"LLM response: {getattr(told.content, 'text', '')}")]


def elicitation(properties: dict[str, Any], opening: str, required: list[str]) -> Fixture:
    """A tool that asks the client's user."""

    async def ask(context: Context, arguments: dict[str, Any]) -> Content:
        schema = {"type": "object", "properties": properties, "required": required}
        message = arguments.get("message", "Please fill in")
        told = await context.session.elicit_form(message, schema, related_request_id=context.request_id)
        return [text(f"{opening}: action={told.action}, content={told.content}")]

    return ask


async def failing(_: Context, __: dict[str, Any]) -> Content:
    """Fails, whatever is asked."""
    raise ValueError("This tool intentionally returns an error for testing")


MIXED = embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
TOOLS: dict[str, Fixture] = {
    "test_simple_text": always(text("This is a simple text response for testing.")),
    "test_image_content": always(IMAGE),
    "test_audio_content": always(types.AudioContent(type="audio", data=WAV, mime_type="audio/wav")),
    "test_embedded_resource": always(
        embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
    ),
    "test_multiple_content_types": always(text("Multiple content types test:"), IMAGE, MIXED),
    "test_tool_with_logging": with_logging,
    "test_tool_with_progress": with_progress,
    "test_error_handling": failing,
    "test_sampling": sampling,
    "test_elicitation": elicitation(USER, "User response", ["username", "email"]),
    "test_elicitation_sep1034_defaults": elicitation(DEFAULTS, "Elicitation completed", []),
    "test_elicitation_sep1330_enums": elicitation(ENUMS, "Elicitation completed", []),
}


def prompt_messages(name: str, arguments: dict[str, str]) -> list[types.PromptMessage]:
    """What the suite's four prompts say."""
    blocks: dict[str, Content] = {
        "test_simple_prompt": [text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments": [
            text(f"Prompt with arguments: arg1='{arguments.get('arg1')}', arg2='{arguments.get('arg2')}'")
        ],
        "test_prompt_with_embedded_resource": [
            embedded(arguments.get("resourceUri", "test://x"), "text/plain", "Embedded resource content for testing."),
            text("Please process the embedded resource above."),
        ],
        "test_prompt_with_image": [IMAGE, text("Please analyze the image above.")],
    }
    return [types.PromptMessage(role="user", content=block) for block in blocks[name]]


def resource_contents(uri: str) -> types.TextResourceContents | types.BlobResourceContents:
    """What the suite's resources hold."""
    if uri == "test://static-binary":
        return types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)
    if uri == "test://static-text":
        return types.TextResourceContents(
            uri=uri, mime_type="text/plain", text="This is the content of the static text resource."
        )
    number = uri.split("/")[3]
    told = f'{{"id":"{number}","templateTest":true,"data":"Data for ID: {number}"}}'
    return types.TextResourceContents(uri=uri, mime_type="application/json", text=told)


def with_fixtures(build: Callable[..., Server[Any]]) -> Callable[..., Server[Any]]:
    """The server that ``build`` makes, with the fixtures."""

    @wraps(build)
    def built(*arguments: Any, **options: Any) -> Server[Any]:
        server = build(*arguments, **options)

        def instead(method: str, ours: Callable[[Context, Any], Awaitable[Any]], is_ours: Callable[[Any], bool]) -> None:
            entry = server.get_request_handler(method)
            assert entry is not None

            async def answer(context: Context, params: Any) -> Any:
                return await (ours if is_ours(params) else entry.handler)(context, params)

            server.add_request_handler(method, entry.params_type, answer)

        async def call(context: Context, params: Any) -> types.CallToolResult:
            try:
                return types.CallToolResult(content=await TOOLS[params.name](context, params.arguments or {}))
            except ValueError as error:
                return types.CallToolResult(content=[text(str(error))], is_error=True)

        async def prompt(_: Context, params: Any) -> types.GetPromptResult:
            return types.GetPromptResult(messages=prompt_messages(params.name, params.arguments or {}))

        async def read(_: Context, params: Any) -> types.ReadResourceResult:
            return types.ReadResourceResult(contents=[resource_contents(str(params.uri))])

        async def complete(_: Context, __: Any) -> types.CompleteResult:
            return types.CompleteResult(completion=types.Completion(values=["paris", "park", "party"], total=3))

        async def set_level(_: Context, __: types.SetLevelRequestParams) -> types.EmptyResult:
            return types.EmptyResult()

        instead("tools/call", call, lambda params: params.name in TOOLS)
        instead("prompts/get", prompt, lambda params: params.name.startswith("test_"))
        instead("resources/read", read, lambda params: str(params.uri).startswith("test://"))
        instead("completion/complete", complete, lambda params: getattr(params.ref, "name", "").startswith("test_"))
        server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, set_level)
        return server

    return built


if __name__ == "__main__":
    serving.build_server = with_fixtures(serving.build_server)  # type: ignore[assignment]
    sys.exit(cli.main())
