"""The TOOLS table: every tool, its arguments, its answer and the gate that opens it."""

from __future__ import annotations

from ..formatters import capabilities, metadata, server_info, table_details
from ..formatters import data as data_answers
from ..formatters import plans as plan_answers
from ..formatters import procedures as procedure_answers
from ..formatters import queries as query_answers
from ..formatters import sessions as session_answers
from ..scopes import WRITE
from . import data, procedures, queries, schema, server, sessions
from .base import Database, Effect, NoArguments, Tool

EXECUTION_GATES = (
    "enable_execute_query",
    "enable_execute_stored_procedure",
    "enable_start_query",
    "enable_start_stored_procedure",
)

START_GATES = ("enable_start_query", "enable_start_stored_procedure")

TOOLS: tuple[Tool, ...] = (
    Tool(
        "get_server_capabilities",
        "Version, edition, place, the login's rights, and which features are there or why not: to assess a server, or before "
        "relying on a feature. Remembered for an hour.",
        server.Capabilities,
        server.get_server_capabilities,
        capabilities.CAPABILITIES_SCHEMA,
        database=Database.NONE,
        aliases=("server_capabilities",),
    ),
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
        "list_tables",
        "Find tables and views by name: a page of them with the catalogue's row counts and sizes.",
        schema.Listed,
        schema.list_tables,
        metadata.TABLES_SCHEMA,
        server_name="list_tables_in_database",
    ),
    Tool(
        "get_table_schema",
        "One table or view in full: columns, keys, checks, foreign keys, triggers, a view's definition. Look before you query.",
        schema.Table,
        schema.get_table_schema,
        metadata.TABLE_SCHEMA_SCHEMA,
        server_name="get_table_schema_in_database",
    ),
    Tool(
        "get_table_indexes",
        "The indexes of a table, with size and use where the login may see them: why a query is slow, what is not used.",
        schema.Table,
        schema.get_table_indexes,
        table_details.INDEXES_SCHEMA,
    ),
    Tool(
        "get_table_foreign_keys",
        "The foreign keys of a table, and those of others that point to it: how to join, what a delete touches.",
        schema.Table,
        schema.get_table_foreign_keys,
        table_details.FOREIGN_KEYS_SCHEMA,
    ),
    Tool(
        "get_table_statistics",
        "How large a table is, without counting: the catalogue's rows, sizes, partitions, how fresh the statistics are.",
        schema.Table,
        schema.get_table_statistics,
        table_details.STATISTICS_SCHEMA,
    ),
    Tool(
        "list_stored_procedures",
        "Find stored procedures (PostgreSQL: and functions) by name, a page at a time.",
        schema.Listed,
        schema.list_stored_procedures,
        metadata.PROCEDURES_SCHEMA,
        server_name="list_stored_procedures_in_database",
    ),
    Tool(
        "get_stored_procedure_definition",
        "The source text of a procedure or function, all overloads: what a call would do.",
        schema.Procedure,
        schema.get_stored_procedure_definition,
        metadata.PROCEDURE_DEFINITION_SCHEMA,
        server_name="get_stored_procedure_definition_in_database",
    ),
    Tool(
        "get_metadata",
        "Many tables with columns and keys in one call: what a query over several tables needs.",
        schema.Outlines,
        schema.get_metadata,
        table_details.OUTLINES_SCHEMA,
    ),
    Tool(
        "search_objects",
        "Find objects by a pattern in names, columns, definitions or descriptions; best matches first.",
        schema.SearchFor,
        schema.search_objects,
        table_details.HITS_SCHEMA,
    ),
    Tool(
        "select_data",
        "Rows of one table or view without SQL; all filters must hold. groupBy and aggregates answer how many, which is most. "
        "in and between take a list. NULL fits only is_null, never != or not_in. cursor: nextCursor of the page before.",
        data.SelectData,
        data.select_data,
        data_answers.DATA_SCHEMA,
        gates=("enable_select_data",),
    ),
    Tool(
        "execute_filter",
        "select_data with a tree of and, or, not over conditions as its filter.",
        data.ExecuteFilter,
        data.execute_filter,
        data_answers.DATA_SCHEMA,
        gates=("enable_select_data",),
    ),
    Tool(
        "execute_query",
        "Run one SQL statement and get its rows (reads only, unless the owner enabled writes). "
        "Answers within the timeout: not for what takes minutes.",
        queries.ExecuteQuery,
        queries.execute_query,
        query_answers.QUERY_SCHEMA,
        effect=Effect.QUERY,
        gates=("enable_execute_query",),
        server_name="execute_query_in_database",
    ),
    Tool(
        "explain_query",
        "The estimated plan of a query without running it: cost, operators, what is read whole, missing indexes, warnings. "
        "For what may be slow.",
        queries.ExplainQuery,
        queries.explain_query,
        plan_answers.PLAN_SCHEMA,
        gates=("enable_execute_query",),
    ),
    Tool(
        "get_stored_procedure_parameters",
        "What a stored procedure or function takes: types, directions, defaults; format=json gives a JSON Schema of the call.",
        procedures.ProcedureParameters,
        procedures.get_stored_procedure_parameters,
        procedure_answers.PARAMETERS_SCHEMA,
    ),
    Tool(
        "execute_stored_procedure",
        "Call a stored procedure or function: outputs, return value, all result sets, messages. Values are checked first. "
        "Look at get_stored_procedure_parameters before.",
        procedures.ExecuteProcedure,
        procedures.execute_stored_procedure,
        procedure_answers.CALL_SCHEMA,
        effect=Effect.CALL,
        gates=("enable_execute_stored_procedure",),
        scope=WRITE,
        aliases=("execute_stored_procedure_in_database",),
    ),
    Tool(
        "start_query",
        "Run one SQL statement in the background and get a sessionId at once: for what takes long or brings many rows. "
        "Then get_session_status, get_session_result.",
        sessions.StartQuery,
        sessions.start_query,
        session_answers.STARTED_SCHEMA,
        effect=Effect.QUERY,
        database=Database.OPTIONAL,
        gates=("enable_start_query",),
        aliases=("start_query_in_database",),
    ),
    Tool(
        "start_stored_procedure",
        "Call a stored procedure or function in the background and get a sessionId at once: for what takes long. "
        "Then get_session_status, get_session_result.",
        sessions.StartProcedure,
        sessions.start_stored_procedure,
        session_answers.STARTED_SCHEMA,
        effect=Effect.CALL,
        database=Database.OPTIONAL,
        gates=("enable_start_stored_procedure",),
        scope=WRITE,
        aliases=("start_stored_procedure_in_database",),
    ),
    Tool(
        "get_session_status",
        "How far a background session is: status, rows so far, error. waitSeconds waits for its end.",
        sessions.SessionStatusOf,
        sessions.get_session_status,
        session_answers.SESSION_SCHEMA,
        gates=START_GATES,
        database=Database.NONE,
        counted=False,
    ),
    Tool(
        "get_session_result",
        "The rows of a session, a page at a time; of a running one, the rows so far.",
        sessions.SessionResult,
        sessions.get_session_result,
        session_answers.PAGE_SCHEMA,
        gates=START_GATES,
        database=Database.NONE,
        aliases=("get_session_results",),
    ),
    Tool(
        "cancel_session",
        "Stop a session at the database; the rows it has stay readable.",
        sessions.SessionId,
        sessions.cancel_session,
        session_answers.STARTED_SCHEMA,
        effect=Effect.STOP,
        gates=START_GATES,
        database=Database.NONE,
        counted=False,
        aliases=("stop_session",),
    ),
    Tool(
        "list_sessions",
        "Your background sessions with their status, the latest first: when an id is lost.",
        sessions.ListSessions,
        sessions.list_sessions,
        session_answers.SESSIONS_SCHEMA,
        gates=START_GATES,
        database=Database.NONE,
    ),
    Tool(
        "get_command_timeout",
        "How many seconds your statements may take before they end with TIMEOUT.",
        NoArguments,
        queries.get_command_timeout,
        server_info.COMMAND_TIMEOUT_SCHEMA,
        gates=EXECUTION_GATES,
        database=Database.NONE,
    ),
    Tool(
        "set_command_timeout",
        "Change how many seconds your later statements may take; answers with the former limit.",
        queries.SetCommandTimeout,
        queries.set_command_timeout,
        server_info.COMMAND_TIMEOUT_SCHEMA,
        effect=Effect.SETTING,
        gates=EXECUTION_GATES,
        database=Database.NONE,
    ),
)


def scopes_by_name() -> dict[str, str]:
    """The scope that a token must grant at least, for each name a tool answers to."""
    names = ((tool, name) for tool in TOOLS for name in (tool.name, tool.server_name, *tool.aliases))
    return {name: tool.scope for tool, name in names if name is not None}
