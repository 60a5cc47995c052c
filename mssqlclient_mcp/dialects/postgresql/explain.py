"""Estimated plans of PostgreSQL: EXPLAIN (FORMAT JSON), always inside a READ ONLY transaction.

Planning runs functions that are marked IMMUTABLE, whatever they do; the transaction keeps them from writing and is rolled
back.
A statement with markers (``$1``) is planned for values unknown.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator

from ...errors import DatabaseFault
from ...plan_models import Plan, PlanFormat, PlanOperator
from ..base import Access, Connection
from .tokens import tokenize

OWN_CONNECTION = False
"""A pooled connection will do: it is left as it was."""

_SCANS = ("Seq Scan", "Sample Scan", "Foreign Scan")
_CONDITIONS = ("Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter", "Sort Key", "Group Key")
_MANY_ROWS = 1_000_000

Node = dict[str, object]


def explain(
    connection: Connection, sql: str, *, net_seconds: float, lock_seconds: float, check: Callable[[], object] = lambda: None
) -> Plan:
    """The plan that PostgreSQL would take for ``sql``, which the gate has passed; it is not run.

    ``check`` is asked before each call that may take long. Raises the errors of ``errors``.
    """
    connection.begin(Access.READ_ONLY, net_seconds=net_seconds, lock_seconds=lock_seconds)
    try:
        check()
        document = _asked(connection, f"EXPLAIN (FORMAT JSON) {_explainable(connection, sql)}")
    finally:
        connection.rollback()
    return read_plan(document)


def _explainable(connection: Connection, sql: str) -> str:
    """The statement itself or, when it has markers, the EXECUTE of it prepared, with a plan that asks for no values."""
    markers = _markers(sql)
    if not markers:
        return sql
    name = f"explained_{secrets.token_hex(6)}"  # gone with the reset of the connection
    connection.execute_script("SET LOCAL plan_cache_mode = force_generic_plan")
    _asked(connection, f"PREPARE {name} AS {sql}")
    return f"EXECUTE {name}({', '.join(['NULL'] * markers)})"


def _asked(connection: Connection, sql: str) -> str:
    cursor = connection.execute(sql)
    values: list[str] = []
    try:
        if cursor.columns:
            while batch := cursor.fetch(100):
                values += [str(row[0]) for row in batch]
    finally:
        cursor.close()
    return "".join(values)


def read_plan(document: str) -> Plan:
    """The summary of a plan that EXPLAIN wrote as JSON. Raises DatabaseFault when it is none."""
    try:
        root = dict(json.loads(document)[0]["Plan"])
    except (ValueError, LookupError, TypeError) as error:
        raise DatabaseFault("The server answered EXPLAIN with something that is no plan.") from error
    nodes = list(_nodes(root))
    operators = tuple(_operator(node, depth) for node, depth in nodes)
    return Plan(
        PlanFormat.JSON,
        document,
        operators,
        cost=_float(root.get("Total Cost")),
        rows=_float(root.get("Plan Rows")),
        scans=tuple(dict.fromkeys(o.object for o in operators if o.object and o.name.endswith(_SCANS))),
        warnings=tuple(_warnings(nodes)),
    )


def _markers(sql: str) -> int:
    """The highest number among the ``$1`` markers."""
    return max((int(sql[token.start + 1 : token.end]) for token in tokenize(sql) if token.key == "$"), default=0)


def _nodes(root: Node) -> Iterator[tuple[Node, int]]:
    waiting: list[tuple[Node, int]] = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        below = node.get("Plans")
        if isinstance(below, list):
            waiting.extend((child, depth + 1) for child in reversed(below) if isinstance(child, dict))


def _operator(node: Node, depth: int) -> PlanOperator:
    name = " ".join(
        str(node[key]) for key in ("Join Type", "Strategy", "Node Type") if node.get(key) not in (None, "Inner", "Plain")
    )
    return PlanOperator(
        depth, name, _object(node), _detail(node), rows=_float(node.get("Plan Rows")), cost=_float(node.get("Total Cost"))
    )


def _object(node: Node) -> str | None:
    relation = node.get("Relation Name") or node.get("Function Name") or node.get("CTE Name")
    if node.get("Schema"):
        relation = f"{node['Schema']}.{relation}"
    index = node.get("Index Name")
    if index is None:
        return None if relation is None else str(relation)
    return str(index) if relation is None else f"{relation} ({index})"


def _detail(node: Node) -> str:
    found = []
    for key in _CONDITIONS:
        value = node.get(key)
        if value:
            found.append(f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    return "; ".join(found)


def _warnings(nodes: list[tuple[Node, int]]) -> Iterator[str]:
    for node, _ in nodes:
        rows = _float(node.get("Plan Rows")) or 0
        if node.get("Node Type") == "Seq Scan" and rows > _MANY_ROWS:
            yield f"{_object(node)} is read whole: about {rows:.0f} rows come out of it"
        if node.get("Node Type") == "Nested Loop" and not node.get("Join Filter") and _crossed(node) and rows > _MANY_ROWS:
            yield f"a nested loop without a condition brings about {rows:.0f} rows"
        if node.get("Disabled") is True:
            yield f"{node.get('Node Type')} is disabled by a setting, and was taken for want of another way"


def _crossed(node: Node) -> bool:
    """True when no child of a join looks anything up."""
    below = node.get("Plans")
    return isinstance(below, list) and not any("Index Cond" in child or "Recheck Cond" in child for child in below)


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
