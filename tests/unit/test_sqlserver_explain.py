"""Estimated plans of SQL Server: the order of what is sent, and what is read out of a showplan document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from mssqlclient_mcp.dialects.base import Access, Connection
from mssqlclient_mcp.dialects.sqlserver.explain import NOT_OFFERED, PROBE, SWITCH_ON, explain, read_plan
from mssqlclient_mcp.errors import DatabaseFault
from mssqlclient_mcp.formatters.plans import plan_report
from mssqlclient_mcp.models import Column, Message, Row

QUERY = "SELECT o.id FROM dbo.orders AS o JOIN dbo.lines AS l ON l.order_id = o.id WHERE o.customer = 5"
PLAN = """<ShowPlanXML xmlns="http://schemas.microsoft.com/sqlserver/2004/07/showplan" Version="1.564" Build="16.0.1000.6">
<BatchSequence><Batch><Statements>
<StmtSimple StatementText="SELECT o.id" StatementSubTreeCost="1.25" StatementEstRows="42" StatementType="SELECT">
<QueryPlan CachedPlanSize="32">
<MissingIndexes><MissingIndexGroup Impact="87.5"><MissingIndex Database="[shop]" Schema="[dbo]" Table="[orders]">
<ColumnGroup Usage="EQUALITY"><Column Name="[customer]" ColumnId="2"/></ColumnGroup>
<ColumnGroup Usage="INCLUDE"><Column Name="[total]" ColumnId="3"/></ColumnGroup>
</MissingIndex></MissingIndexGroup></MissingIndexes>
<Warnings><PlanAffectingConvert ConvertIssue="Seek Plan" Expression="CONVERT_IMPLICIT(int,[o].[code],0)=(5)"/></Warnings>
<RelOp NodeId="0" PhysicalOp="Hash Match" LogicalOp="Inner Join" EstimateRows="42" EstimatedTotalSubtreeCost="1.25">
<Warnings NoJoinPredicate="1"/>
<Hash>
<RelOp NodeId="1" PhysicalOp="Clustered Index Scan" LogicalOp="Clustered Index Scan" EstimateRows="10"
 EstimatedTotalSubtreeCost="0.5">
<IndexScan Ordered="0"><Object Database="[shop]" Schema="[dbo]" Table="[orders]" Index="[PK_orders]" Alias="[o]"/>
<Predicate><ScalarOperator ScalarString="[shop].[dbo].[orders].[customer]=(5)"/></Predicate></IndexScan></RelOp>
<RelOp NodeId="2" PhysicalOp="Index Seek" LogicalOp="Index Seek" EstimateRows="100" EstimatedTotalSubtreeCost="0.25">
<IndexScan Ordered="1"><Object Database="[shop]" Schema="[dbo]" Table="[lines]" Index="[ix]]order]" Alias="[l]"/></IndexScan>
</RelOp>
</Hash></RelOp></QueryPlan></StmtSimple></Statements></Batch></BatchSequence></ShowPlanXML>"""


class Answer:
    """A cursor over one value, or over nothing."""

    def __init__(self, value: object) -> None:
        self.columns = None if value is None else (Column("plan", "xml"),)
        self.rows_affected = None
        self._rows: list[Row] = [] if value is None else [(value,)]

    def fetch(self, size: int) -> Sequence[Row]:
        """Everything at once, then nothing."""
        rows, self._rows = self._rows, []
        return rows

    def next_part(self) -> bool:
        """There is one part only."""
        return False

    def messages(self) -> tuple[Message, ...]:
        """None."""
        return ()

    def close(self) -> None:
        """Nothing to give up."""


class Server:
    """A connection that writes down what it is sent; ``shows_plans`` is false for a server that runs the statement anyway."""

    def __init__(self, *, shows_plans: bool, plan: str = PLAN) -> None:
        self.sent: list[str] = []
        self.closed = False
        self._shows, self._plan = shows_plans, plan

    def begin(self, access: Access, *, net_seconds: float, lock_seconds: float) -> None:
        """The nets are set before plans are asked for."""
        assert not self.sent
        assert access is Access.AUTOCOMMIT

    def execute(self, sql: str, parameters: Sequence[object] = (), *, batch: int = 1000) -> Answer:
        """A plan, a value or nothing."""
        self.sent.append(sql)
        if sql == SWITCH_ON:
            return Answer(None)
        return Answer(self._plan if self._shows else 1)

    def close(self) -> None:
        """Closed for good."""
        self.closed = True


def explained(server: Server) -> object:
    """The plan of QUERY as that server gives it."""
    return explain(cast(Connection, server), QUERY, net_seconds=30, lock_seconds=5)


def test_the_statement_is_sent_only_after_the_probe_came_back_as_a_plan() -> None:
    """The setting, the probe, the statement, and then the connection is closed."""
    server = Server(shows_plans=True)
    explained(server)
    assert server.sent == [SWITCH_ON, PROBE, QUERY]
    assert server.closed


def test_a_server_that_runs_the_probe_never_sees_the_statement() -> None:
    """The value 1 means that the setting did nothing: refused, nothing run, connection closed."""
    server = Server(shows_plans=False)
    with pytest.raises(DatabaseFault) as told:
        explained(server)
    assert told.value.message == NOT_OFFERED
    assert server.sent == [SWITCH_ON, PROBE]
    assert server.closed


def test_the_connection_is_closed_when_the_call_is_ended() -> None:
    """A cancel between two statements leaves nothing behind."""
    server = Server(shows_plans=True)

    def ended() -> None:
        raise DatabaseFault("cancelled")

    with pytest.raises(DatabaseFault):
        explain(cast(Connection, server), QUERY, net_seconds=30, lock_seconds=5, check=ended)
    assert server.closed
    assert QUERY not in server.sent


def test_the_summary_names_cost_operators_scans_missing_indexes_and_warnings() -> None:
    """What a person looks for in a plan, out of the document."""
    plan = read_plan(PLAN)
    assert (plan.cost, plan.rows) == (1.25, 42.0)
    assert [(o.depth, o.name, o.object) for o in plan.operators] == [
        (0, "Hash Match (Inner Join)", None),
        (1, "Clustered Index Scan", "dbo.orders (PK_orders)"),
        (1, "Index Seek", "dbo.lines (ix]order)"),
    ]
    assert plan.operators[1].detail == "Predicate: [shop].[dbo].[orders].[customer]=(5)"
    assert plan.scans == ("dbo.orders (PK_orders)",)
    (missing,) = plan.missing_indexes
    assert (missing.table, missing.equality, missing.include, missing.impact) == ("dbo.orders", ("customer",), ("total",), 87.5)
    assert "no join predicate" in plan.warnings
    assert "plan affecting convert: CONVERT_IMPLICIT(int,[o].[code],0)=(5)" in plan.warnings


def test_the_report_holds_the_summary_and_the_plan() -> None:
    """The text for a model, the structured content for a program; what the database wrote stands between data marks."""
    text, structured = plan_report(read_plan(PLAN), max_chars=60_000)
    assert "not run" in text
    assert "missing index on dbo.orders: (customer) INCLUDE (total), would save about 88 % of the cost" in text
    assert text.index("<data-") < text.index("PK_orders") < text.index("</data-")
    assert structured["plan"] == PLAN
    assert structured["truncated"] is False
    short, cut = plan_report(read_plan(PLAN), max_chars=300)
    assert cut["truncated"] is True
    assert "characters in all" in str(cut["plan"])
    assert len(short) < 800


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY b "x">]><ShowPlanXML>&b;</ShowPlanXML>',
        '<?xml version="1.0"?><!doctype lolz SYSTEM "file:///etc/passwd"><ShowPlanXML/>',
        "<ShowPlanXML>",
        "",
        "1",
    ],
)
def test_a_document_with_entities_or_broken_xml_is_not_read(document: str) -> None:
    """An XML bomb does not go off; nothing outside is fetched."""
    with pytest.raises(DatabaseFault):
        read_plan(document)


def test_a_very_deep_plan_is_read() -> None:
    """Thousands of operators in one another: no recursion."""
    depth = 3_000
    middle = '<RelOp PhysicalOp="Nested Loops" LogicalOp="Inner Join" EstimateRows="1"><N>'
    document = f'<ShowPlanXML xmlns="http://schemas.microsoft.com/sqlserver/2004/07/showplan">{middle * depth}'
    plan = read_plan(document + "</N></RelOp>" * depth + "</ShowPlanXML>")
    assert len(plan.operators) == depth
    assert plan.operators[-1].depth == depth - 1
