"""What tests of procedures share: a service on a test database, and calls as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mssqlclient_mcp.config import Config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.execution import ResultBuffer
from mssqlclient_mcp.models import Statement, StatementKind
from mssqlclient_mcp.procedure_models import ProcedureResult, ProcedureSignature


class Calls:
    """One service; each method is a call of its own."""

    def __init__(self, config: Config) -> None:
        self.service = DatabaseService(config)

    def run(self, *statements: str) -> None:
        """Statements of the test itself, one after the other, in autocommit."""
        with self.service.call(60):
            for sql in statements:
                self.service.execute(None, Statement(sql, (), StatementKind.CALL), ResultBuffer(max_rows=10, max_bytes=10_000))

    def rows(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        """The rows of a query of the test itself."""
        with self.service.call(60):
            sink = ResultBuffer(max_rows=10_000, max_bytes=10_000_000)
            self.service.execute(None, Statement(sql, parameters, StatementKind.READ), sink)
            return [tuple(row) for row in sink.result_sets()[0].rows]

    def signatures(self, procedure: str) -> tuple[ProcedureSignature, ...]:
        """What a procedure takes."""
        with self.service.call(60):
            return self.service.get_sp_parameters(None, procedure)

    def call(self, procedure: str, parameters: object = None, *, max_rows: int | None = None) -> ProcedureResult:
        """Call a procedure."""
        with self.service.call(60):
            return self.service.execute_stored_procedure(None, procedure, parameters, max_rows=max_rows)

    def outputs(self, procedure: str, parameters: object = None) -> dict[str, object]:
        """The outputs of a call by name."""
        return {one.name: one.value for one in self.call(procedure, parameters).outputs}


@contextmanager
def calls(config: Config) -> Iterator[Calls]:
    """Calls on a database, closed at the end."""
    made = Calls(config)
    try:
        yield made
    finally:
        made.service.close()
