"""The TOOLS table: every tool, its arguments, its answer and the gate that opens it."""

from __future__ import annotations

from ..formatters import metadata, server_info
from ..formatters import queries as query_answers
from . import queries, schema
from .base import Database, Effect, NoArguments, Tool

EXECUTION_GATES = (
    "enable_execute_query",
    "enable_execute_stored_procedure",
    "enable_start_query",
    "enable_start_stored_procedure",
)

TOOLS: tuple[Tool, ...] = (
    Tool(
        "list_databases",
        "The databases of this server, with state and size. Start here, then list_tables_in_database.",
        NoArguments,
        schema.list_databases,
        metadata.DATABASES_SCHEMA,
        server_mode_only=True,
        database=Database.NONE,
    ),
    Tool(
        "execute_query",
        "Run one SQL statement and get its rows (reads only, unless the owner enabled writes). "
        "Answers within the timeout; long queries belong to start_query.",
        queries.ExecuteQuery,
        queries.execute_query,
        query_answers.QUERY_SCHEMA,
        effect=Effect.QUERY,
        gates=("enable_execute_query",),
        server_name="execute_query_in_database",
    ),
    Tool(
        "get_command_timeout",
        "How many seconds your statements may take.",
        NoArguments,
        queries.get_command_timeout,
        server_info.COMMAND_TIMEOUT_SCHEMA,
        gates=EXECUTION_GATES,
        database=Database.NONE,
    ),
    Tool(
        "set_command_timeout",
        "Change how many seconds your later statements may take.",
        queries.SetCommandTimeout,
        queries.set_command_timeout,
        server_info.COMMAND_TIMEOUT_SCHEMA,
        effect=Effect.SETTING,
        gates=EXECUTION_GATES,
        database=Database.NONE,
    ),
)
