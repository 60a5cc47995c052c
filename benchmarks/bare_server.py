"""The floor: the SDK's server over stdio with one tool, whose answer is ready-made. ``python -m benchmarks.bare_server [FILE]``

FILE holds the result to answer with as JSON; without it the tool answers with one small row.
"""

import json
import sys
from pathlib import Path

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

SMALL = {
    "content": [{"type": "text", "text": "1 row\nn\n1"}],
    "structuredContent": {"columns": [{"name": "n", "type": "integer"}], "rows": [[1]], "rowCount": 1, "truncated": False},
}
TOOL = types.Tool(name="bare", input_schema={"type": "object"}, output_schema={"type": "object"})


async def serve(answer: types.CallToolResult) -> None:
    """Serve until stdin ends."""

    async def list_tools(*_: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[TOOL])

    async def call_tool(*_: object) -> types.CallToolResult:
        return answer

    server: Server[object] = Server("bare", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


if __name__ == "__main__":
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")) if sys.argv[1:] else SMALL
    anyio.run(serve, types.CallToolResult.model_validate(ready))
