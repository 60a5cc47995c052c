"""The steps of the guided tour, as data: what is called, why, and what is expected to come back. One more step? Add one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FOUNDATION = ("list_tables", "get_table_schema", "execute_query")
"""Tools that every server has; a step of another tool is skipped where the server does not list it."""


@dataclass(frozen=True)
class Step:
    """One call. A text argument ``$name`` stands for what an earlier step remembered under that name.

    ``error``: the code that this call is expected to fail with. ``remember``: fields of the structured answer to keep.
    ``expect``: fields of the structured answer and the values they must have. ``after``: a further tool that it needs.
    """

    title: str
    why: str
    tool: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    error: str | None = None
    remember: tuple[str, ...] = ()
    expect: Mapping[str, object] = field(default_factory=dict)
    after: str | None = None
    lines: int = 14  # of the answer, to show

    def filled(self, memory: Mapping[str, object]) -> dict[str, object]:
        """The arguments with what was remembered in them."""
        return {
            name: memory.get(value[1:], value) if isinstance(value, str) and value.startswith("$") else value
            for name, value in self.arguments.items()
        }


@dataclass(frozen=True)
class Chapter:
    """Steps that belong together."""

    title: str
    steps: tuple[Step, ...]


BEST_COUNTRIES = """\
SELECT country, count(*) AS orders, sum(total) AS revenue
FROM sales.order_overview
WHERE status = $1 AND ordered_at >= $2
GROUP BY country ORDER BY revenue DESC"""

EVERY_LINE = """\
SELECT o.order_id, o.ordered_at, c.name AS customer, p.sku, l.quantity, l.line_total
FROM sales.order_lines l
JOIN sales.orders o USING (order_id) JOIN sales.customers c USING (customer_id)
JOIN inventory.products p USING (product_id)
ORDER BY o.order_id, l.line_no"""

HOPELESS = (
    "SELECT count(*) AS pairs FROM sales.order_lines a, sales.order_lines b, sales.orders c WHERE a.quantity > b.quantity"
)

STILL_RUNNING = """\
SELECT count(*) AS still_running FROM pg_stat_activity
WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()"""

LOOKING = Chapter(
    "Looking around",
    (
        Step(
            "What is there?",
            "Tables, views and partitions with the catalogue's row counts; nothing is counted by reading it.",
            "list_tables",
            {"maxRows": 8},
            lines=18,
        ),
        Step(
            "What does a table look like?",
            "Types with their lengths, keys, defaults, generated columns, comments: what one must know to write SQL.",
            "get_table_schema",
            {"tableName": "inventory.products"},
            lines=40,
        ),
        Step(
            "A name that is not quite right",
            "An error says what is wrong and what to do next, so that an assistant corrects itself.",
            "get_table_schema",
            {"tableName": "sales.costumers"},
            error="OBJECT_NOT_FOUND",
        ),
        Step(
            "Where does it say e-mail?",
            "One search over names, columns, definitions and descriptions saves reading the whole schema.",
            "search_objects",
            {"pattern": "email"},
        ),
        Step(
            "How is a table indexed?",
            "Kind, columns, filter, size and use of every index.",
            "get_table_indexes",
            {"tableName": "sales.orders"},
        ),
        Step(
            "What hangs together?",
            "Foreign keys in both directions, column by column.",
            "get_table_foreign_keys",
            {"tableName": "sales.orders"},
        ),
        Step(
            "How big is it?",
            "Size, partitions with their bounds, and when statistics were last made.",
            "get_table_statistics",
            {"tableName": "inventory.stock_movements"},
        ),
        Step(
            "What can this server do?",
            "Version, edition, this login's permissions, and which features are there, with the reason where not.",
            "get_server_capabilities",
            lines=30,
        ),
    ),
)

ASKING = Chapter(
    "Asking questions",
    (
        Step(
            "Which countries bring the most?",
            "A query with bound parameters: values never become SQL.",
            "execute_query",
            {"query": BEST_COUNTRIES, "parameters": ["delivered", "2026-01-01"]},
        ),
        Step(
            "A result that is cut, visibly",
            "60,000 rows do not flood the conversation: the answer says that it was cut, and how to get the rest.",
            "execute_query",
            {"query": "SELECT * FROM sales.order_lines ORDER BY line_total DESC", "maxRows": 3},
        ),
        Step(
            "Without any SQL",
            "Conditions, groups and aggregates as data; the server writes the SQL.",
            "select_data",
            {
                "tableName": "sales.orders",
                "groupBy": ["status"],
                "aggregates": [{"function": "count", "as": "orders"}],
                "orderBy": [{"column": "orders", "direction": "desc"}],
            },
        ),
        Step(
            "What would it cost?",
            "The plan of a query, without running it.",
            "explain_query",
            {"query": "SELECT * FROM sales.orders WHERE customer_id = 7 ORDER BY ordered_at DESC"},
        ),
        Step(
            "A write that is refused",
            "Query text may only read, unless the owner says otherwise. The gate refuses before anything is sent.",
            "execute_query",
            {"query": "DELETE FROM sales.payments"},
            error="READ_ONLY_VIOLATION",
        ),
        Step(
            "A write in disguise",
            "A WITH query that deletes looks like a read; the gate reads it whole.",
            "execute_query",
            {"query": "WITH gone AS (DELETE FROM sales.orders RETURNING *) SELECT count(*) FROM gone"},
            error="READ_ONLY_VIOLATION",
        ),
    ),
)

CALLING = Chapter(
    "Calling procedures",
    (
        Step(
            "What does it want?",
            "Parameters with types, directions and defaults.",
            "get_stored_procedure_parameters",
            {"procedureName": "sales.place_order"},
        ),
        Step(
            "All mistakes in one answer",
            "All that is wrong with the parameters is said at once, before anything runs.",
            "execute_stored_procedure",
            {"procedureName": "sales.place_order", "parameters": {"customer_id": "seven", "skew": "SKU-00007"}},
            error="INVALID_PARAMETER",
        ),
        Step(
            "Place an order",
            "The values of INOUT parameters and the procedure's notices come back with the rest.",
            "execute_stored_procedure",
            {"procedureName": "sales.place_order", "parameters": {"customer_id": 7, "sku": "SKU-00007", "quantity": 2}},
        ),
        Step(
            "A function that returns rows",
            "Functions are called the same way; what is left out takes its default.",
            "execute_stored_procedure",
            {"procedureName": "sales.best_sellers", "parameters": {"since": "2026-06-01"}},
            lines=16,
        ),
    ),
)

WAITING = Chapter(
    "Working in the background",
    (
        Step(
            "Start a query",
            "It runs in the background; the answer is there at once.",
            "start_query",
            {"query": EVERY_LINE},
            remember=("sessionId",),
        ),
        Step(
            "Watch it",
            "The status answers as soon as the query ends, or after waitSeconds.",
            "get_session_status",
            {"sessionId": "$sessionId", "waitSeconds": 20},
            expect={"status": "completed"},
        ),
        Step(
            "Page through 60,000 rows",
            "Any page, as often as wanted, without asking the database again.",
            "get_session_result",
            {"sessionId": "$sessionId", "offset": 50_000, "maxRows": 5},
        ),
        Step(
            "Start one that would never end",
            "All pairs of pairs: some 70 million million rows to look at.",
            "start_query",
            {"query": HOPELESS},
            remember=("sessionId",),
        ),
        Step(
            "Is it still at it?",
            "After a second of waiting the status comes, whether the query has ended or not.",
            "get_session_status",
            {"sessionId": "$sessionId", "waitSeconds": 1},
            expect={"status": "running"},
        ),
        Step(
            "Change one's mind",
            "Cancelling reaches the database: the statement stops there.",
            "cancel_session",
            {"sessionId": "$sessionId"},
        ),
        Step(
            "Is it over?",
            "A cancelled session says so; it never passes for a failure.",
            "get_session_status",
            {"sessionId": "$sessionId", "waitSeconds": 5},
            expect={"status": "cancelled"},
        ),
        Step(
            "Look at the database itself",
            "The server's own list of what runs: nothing is left behind.",
            "execute_query",
            {"query": STILL_RUNNING, "parameters": ["SELECT count(*) AS pairs%"]},
            expect={"rows": [[0]]},
            after="cancel_session",
        ),
        Step("All background work at a glance", "Each client sees its own.", "list_sessions"),
    ),
)

CHAPTERS = (LOOKING, ASKING, CALLING, WAITING)
