"""Estimated plans of SQL Server: SET SHOWPLAN_XML ON on a connection of their own, which is closed afterwards.

Some servers that speak T-SQL accept the setting and run the statement all the same. So a probe goes first: only when
``SELECT 1`` comes back as a plan document, and not as the value 1, is the statement sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element, ParseError, fromstring

from ...errors import DatabaseFault
from ...plan_models import MissingIndex, Plan, PlanFormat, PlanOperator
from ..base import Access, Connection

OWN_CONNECTION = True
"""``explain`` closes the connection it was given."""

SWITCH_ON = "SET SHOWPLAN_XML ON"
PROBE = "SELECT 1"
NOT_OFFERED = (
    "This server gives no estimated plans: with SET SHOWPLAN_XML ON it would still run the statement. Nothing was run."
)

_NAMESPACE = "{http://schemas.microsoft.com/sqlserver/2004/07/showplan}"
_DECLARATIONS = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_SCANS = ("Table Scan", "Clustered Index Scan", "Index Scan", "Columnstore Index Scan", "Remote Scan")


def explain(
    connection: Connection, sql: str, *, net_seconds: float, lock_seconds: float, check: Callable[[], object] = lambda: None
) -> Plan:
    """The plan that SQL Server would take for ``sql``, which the gate has passed; it is not run, and takes no parameters.

    ``check`` is asked before each call that may take long. Raises DatabaseFault when the server would have run the
    statement, and the other errors of ``errors``. The connection is closed in every case.
    """
    try:
        connection.begin(Access.AUTOCOMMIT, net_seconds=net_seconds, lock_seconds=lock_seconds)
        _answer(connection, SWITCH_ON)
        check()
        if not _is_plan(_answer(connection, PROBE)):
            raise DatabaseFault(NOT_OFFERED)
        check()
        document = _answer(connection, sql)
    finally:
        connection.close()
    if not _is_plan(document):
        raise DatabaseFault("The server answered with something that is no plan.")
    return read_plan(document)


def _answer(connection: Connection, sql: str) -> str:
    """The first value of every row of every result set, put together."""
    cursor = connection.execute(sql)
    values: list[str] = []
    try:
        while True:
            if cursor.columns:
                while batch := cursor.fetch(100):
                    values += [str(row[0]) for row in batch]
            if not cursor.next_part():
                return "".join(values)
    finally:
        cursor.close()


def _is_plan(answer: str) -> bool:
    return answer.lstrip().startswith(("<ShowPlanXML", "<?xml")) and "ShowPlanXML" in answer[:1000]


def read_plan(document: str) -> Plan:
    """The summary of a showplan document. Raises DatabaseFault for what is none, or declares entities of its own."""
    root = _parsed(document)
    statement = next((e for e in root.iter() if e.get("StatementSubTreeCost") is not None), None)
    operators = tuple(_operators(root))
    return Plan(
        PlanFormat.XML,
        document,
        operators,
        cost=_float(statement, "StatementSubTreeCost"),
        rows=_float(statement, "StatementEstRows"),
        scans=tuple(dict.fromkeys(o.object for o in operators if o.object and o.name.startswith(_SCANS))),
        missing_indexes=tuple(_missing_indexes(root)),
        warnings=tuple(dict.fromkeys(_warnings(root))),
    )


def _parsed(document: str) -> Element:
    if _DECLARATIONS.search(document):
        raise DatabaseFault("The plan declares entities, which no plan of SQL Server does; it was not read.")
    try:
        return fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", document))  # noqa: S314 - without declarations nothing expands
    except ParseError as error:
        raise DatabaseFault("The plan is not well-formed XML.") from error


def _operators(root: Element) -> Iterator[PlanOperator]:
    waiting: list[tuple[Element, int]] = [(root, 0)]
    while waiting:
        element, depth = waiting.pop()
        if _tag(element) == "RelOp":
            yield _operator(element, depth)
            depth += 1
        waiting.extend((child, depth) for child in reversed(element))


def _operator(element: Element, depth: int) -> PlanOperator:
    physical, logical = element.get("PhysicalOp", "?"), element.get("LogicalOp", "")
    return PlanOperator(
        depth,
        physical if logical in ("", physical) else f"{physical} ({logical})",
        _object(element),
        _detail(element),
        rows=_float(element, "EstimateRows"),
        cost=_float(element, "EstimatedTotalSubtreeCost"),
    )


def _own(element: Element) -> Iterator[Element]:
    """The descendants of an operator, without those of the operators below it."""
    waiting = list(element)
    while waiting:
        child = waiting.pop(0)
        if _tag(child) != "RelOp":
            yield child
            waiting[:0] = list(child)


def _object(element: Element) -> str | None:
    found = next((child for child in _own(element) if _tag(child) == "Object" and child.get("Table")), None)
    if found is None:
        return None
    name = ".".join(part for part in (_bare(found.get("Schema")), _bare(found.get("Table"))) if part)
    index = _bare(found.get("Index"))
    return f"{name} ({index})" if index else name


def _detail(element: Element) -> str:
    wanted = {"SeekPredicates", "Predicate", "ProbeResidual"}
    found = []
    for child in _own(element):
        if _tag(child) in wanted:
            texts = [scalar.get("ScalarString", "") for scalar in child.iter() if scalar.get("ScalarString")]
            found += [f"{_tag(child)}: {', '.join(texts)}"] if texts else []
    return "; ".join(found)


def _missing_indexes(root: Element) -> Iterator[MissingIndex]:
    for group in root.iter(f"{_NAMESPACE}MissingIndexGroup"):
        for index in group.iter(f"{_NAMESPACE}MissingIndex"):
            columns = {usage: tuple(_columns(index, usage)) for usage in ("EQUALITY", "INEQUALITY", "INCLUDE")}
            table = ".".join(part for part in (_bare(index.get("Schema")), _bare(index.get("Table"))) if part)
            yield MissingIndex(table, columns["EQUALITY"], columns["INEQUALITY"], columns["INCLUDE"], _float(group, "Impact"))


def _columns(index: Element, usage: str) -> Iterator[str]:
    for group in index.iter(f"{_NAMESPACE}ColumnGroup"):
        if group.get("Usage") == usage:
            yield from (_bare(column.get("Name")) for column in group)


def _warnings(root: Element) -> Iterator[str]:
    for warnings in root.iter(f"{_NAMESPACE}Warnings"):
        for name, value in warnings.attrib.items():
            if value in ("1", "true"):
                yield _spaced(name)
        for child in warnings:
            detail = child.get("Expression") or child.get("ConvertIssue") or ", ".join(filter(None, map(_column, child)))
            yield f"{_spaced(_tag(child))}: {detail}" if detail else _spaced(_tag(child))


def _column(element: Element) -> str:
    return ".".join(part for part in (_bare(element.get("Table")), _bare(element.get("Column"))) if part)


def _spaced(name: str) -> str:
    """``NoJoinPredicate`` as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _bare(name: str | None) -> str:
    """A name without its brackets."""
    name = name or ""
    return name[1:-1].replace("]]", "]") if name.startswith("[") and name.endswith("]") else name


def _float(element: Element | None, attribute: str) -> float | None:
    text = element.get(attribute) if element is not None else None
    try:
        return float(text) if text else None
    except ValueError:
        return None
