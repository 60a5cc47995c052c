"""The calls that the documents show, as data. Each is made on the demo's shop when the documents are generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Example:
    """One call. ``$name`` as an argument stands for what an earlier call's answer had under that name (``remember``).

    ``error``: the code that it is to end with; such an example goes to the page on errors, others to that of the tool.
    ``server_mode``: made without a database in the connection string. ``closed``: made with the default settings.
    """

    tool: str
    title: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    error: str = ""
    remember: tuple[str, ...] = ()
    server_mode: bool = False
    closed: bool = False

    def filled(self, memory: Mapping[str, object]) -> dict[str, object]:
        """The arguments with what was remembered in them."""
        return {
            name: memory.get(value[1:], value) if isinstance(value, str) and value.startswith("$") else value
            for name, value in self.arguments.items()
        }


BEST_COUNTRIES = (
    "SELECT country, count(*) AS orders, sum(total) AS revenue FROM sales.order_overview "
    "WHERE status = $1 AND ordered_at >= $2 GROUP BY country ORDER BY revenue DESC"
)
EVERY_LINE = (
    "SELECT l.order_id, l.line_no, p.sku, l.quantity FROM sales.order_lines l "
    "JOIN inventory.products p USING (product_id) ORDER BY l.order_id, l.line_no"
)
FOR_EVER = (
    "SELECT count(*) AS pairs FROM sales.order_lines a, sales.order_lines b, sales.orders c WHERE a.quantity > b.quantity"
)

EXAMPLES: tuple[Example, ...] = (
    Example("get_server_capabilities", "What can this server do?"),
    Example("list_databases", "Which databases are there?", server_mode=True),
    Example("list_tables", "The tables of a schema", {"schema": "sales"}),
    Example(
        "list_tables",
        "In server mode, with the database first",
        {"databaseName": "shop", "namePattern": "order*"},
        server_mode=True,
    ),
    Example("get_table_schema", "A table in full", {"tableName": "sales.orders"}),
    Example("get_table_indexes", "Its indexes", {"tableName": "sales.orders"}),
    Example("get_table_foreign_keys", "What hangs together", {"tableName": "sales.orders"}),
    Example("get_table_statistics", "How large it is", {"tableName": "sales.orders"}),
    Example("list_stored_procedures", "What can be called", {"schema": "sales"}),
    Example("get_stored_procedure_definition", "What a call would do", {"procedureName": "sales.place_order"}),
    Example("get_stored_procedure_parameters", "What it wants", {"procedureName": "sales.place_order"}),
    Example(
        "get_stored_procedure_parameters",
        "The same as a JSON Schema of the call",
        {"procedureName": "sales.customer_value", "format": "json"},
    ),
    Example("get_metadata", "Two tables with columns and keys", {"schema": "sales", "maxRows": 2}),
    Example("search_objects", "Where does it say e-mail?", {"pattern": "email"}),
    Example(
        "select_data",
        "Orders that came back, a page at a time",
        {
            "tableName": "sales.orders",
            "columns": ["order_id", "status", "ordered_at"],
            "filters": [{"column": "status", "op": "=", "value": "returned"}],
            "limit": 3,
        },
    ),
    Example(
        "select_data",
        "How many orders of each status?",
        {
            "tableName": "sales.orders",
            "groupBy": ["status"],
            "aggregates": [{"function": "count", "as": "orders"}],
            "orderBy": [{"column": "orders", "direction": "desc"}],
        },
    ),
    Example(
        "execute_filter",
        "Open orders of other customers than the first hundred",
        {
            "tableName": "sales.orders",
            "columns": ["order_id", "customer_id", "status"],
            "filter": {
                "and": [
                    {"column": "status", "op": "in", "value": ["new", "paid"]},
                    {"not": {"column": "customer_id", "op": "between", "value": [1, 100]}},
                ]
            },
            "limit": 3,
        },
    ),
    Example(
        "execute_query",
        "Which countries bring the most?",
        {"query": BEST_COUNTRIES, "parameters": ["delivered", "2026-01-01"], "maxRows": 5},
    ),
    Example(
        "explain_query",
        "What would it cost?",
        {"query": "SELECT * FROM sales.orders WHERE customer_id = 7 ORDER BY ordered_at DESC"},
    ),
    Example(
        "execute_stored_procedure",
        "Place an order",
        {"procedureName": "sales.place_order", "parameters": {"customer_id": 7, "sku": "SKU-00007", "quantity": 2}},
    ),
    Example("start_query", "Start what brings many rows", {"query": EVERY_LINE}, remember=("sessionId",)),
    Example("get_session_status", "Wait for its end", {"sessionId": "$sessionId", "waitSeconds": 30}),
    Example("get_session_result", "Any page of it", {"sessionId": "$sessionId", "offset": 50_000, "maxRows": 3}),
    Example("list_sessions", "What runs and what is kept"),
    Example(
        "start_stored_procedure",
        "A function in the background",
        {"procedureName": "sales.best_sellers", "parameters": {"since": "2026-06-01", "top": 3}},
    ),
    Example("get_command_timeout", "How long may a statement take?"),
    Example("set_command_timeout", "Allow a minute", {"timeoutSeconds": 60}),
    # What goes wrong, for the page on errors
    Example("get_table_schema", "A name that is not quite right", {"tableName": "sales.costumers"}, error="OBJECT_NOT_FOUND"),
    Example(
        "execute_query", "GROUP BY forgotten", {"query": "SELECT status, count(*) FROM sales.orders"}, error="SYNTAX_ERROR"
    ),
    Example("execute_query", "A write", {"query": "DELETE FROM sales.payments"}, error="READ_ONLY_VIOLATION"),
    Example(
        "execute_query", "A division", {"query": "SELECT 1 / (price - price) FROM inventory.products"}, error="DATABASE_ERROR"
    ),
    Example("execute_query", "What is not for the clerk", {"query": "SELECT * FROM pg_statistic"}, error="PERMISSION_DENIED"),
    Example("execute_query", "Too much for a second", {"query": FOR_EVER, "timeoutSeconds": 1}, error="TIMEOUT"),
    Example(
        "execute_stored_procedure",
        "All mistakes at once",
        {"procedureName": "sales.place_order", "parameters": {"customer_id": "seven", "skew": "SKU-00007"}},
        error="INVALID_PARAMETER",
    ),
    Example(
        "execute_stored_procedure",
        "A customer that does not exist",
        {"procedureName": "sales.place_order", "parameters": {"customer_id": 0, "sku": "SKU-00007"}},
        error="CONSTRAINT_VIOLATION",
    ),
    Example("execute_query", "With the default settings", {"query": "SELECT 1"}, error="GATE_CLOSED", closed=True),
    Example(
        "get_session_status",
        "An id that nobody gave out",
        {"sessionId": "00000000-0000-4000-8000-000000000000"},
        error="SESSION_NOT_FOUND",
    ),
    Example("start_query", "One that would never end", {"query": FOR_EVER}, remember=("sessionId",)),
    Example("cancel_session", "Change one's mind", {"sessionId": "$sessionId"}),
)
