"""Signatures of SQL Server's procedures, from catalogue rows as its documents describe them: what a look-alike cannot show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from mssqlclient_mcp.dialects.sqlserver import catalog_procedures as sql
from mssqlclient_mcp.dialects.sqlserver.signature import ENCRYPTED, HIDDEN, find
from mssqlclient_mcp.errors import InvalidParameter, ObjectNotFound, PermissionDenied
from mssqlclient_mcp.models import Direction

Rows = list[dict[str, object]]
PROCEDURE = {"object_id": 7, "schema_name": "dbo", "name": "p", "type": "P", "encrypted": 0, "definition": None}
PLAIN = {
    "max_length": 4, "precision": 10, "scale": 0, "is_output": False, "is_readonly": False, "is_cursor": False,
    "is_nullable": True, "has_default": False, "default_value": None, "type_name": "int", "type_schema": "sys",
    "is_user_defined": False, "base_name": "int",
}  # fmt: skip


PHONE = {
    **PLAIN,
    "type_name": "Phone",
    "type_schema": "hr",
    "is_user_defined": True,
    "base_name": "varchar",
    "max_length": 20,
}


class Catalogue:
    """Answers each catalogue statement with rows, or with the error that stands for it."""

    def __init__(self, answers: Mapping[str, Rows | Exception]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Sequence[object]]] = []

    def __call__(self, statement: str, values: Sequence[object]) -> Rows:
        self.asked.append((statement, values))
        answer = self.answers.get(statement, [])
        if isinstance(answer, Exception):
            raise answer
        return answer


def _procedure(definition: str | None, **changes: object) -> Rows:
    return [{**PROCEDURE, "definition": definition, **changes}]


def test_types_are_written_as_one_would_declare_them() -> None:
    """Lengths in characters, (max), precision, aliases and CLR types."""
    rows = [
        {**PLAIN, "name": "@a", "type_name": "nvarchar", "max_length": 100},
        {**PLAIN, "name": "@b", "type_name": "nvarchar", "max_length": -1},
        {**PLAIN, "name": "@c", "type_name": "decimal", "precision": 18, "scale": 2},
        {**PHONE, "name": "@d"},
        {**PLAIN, "name": "@e", "type_name": "hierarchyid", "base_name": None, "max_length": 892},
        {**PLAIN, "name": "@f", "type_name": "datetime2", "scale": 3, "is_output": True},
        {**PLAIN, "name": "@g", "type_name": "sysname", "max_length": 256},
        {**PLAIN, "name": "@h", "type_name": None, "is_cursor": True, "is_output": True},
        {**PLAIN, "name": "@i", "is_nullable": False},
    ]  # fmt: skip
    [signature] = find(Catalogue({sql.PROCEDURE: _procedure(None), sql.PARAMETERS: rows}), "p")
    assert [one.sql_type for one in signature.parameters] == [
        "nvarchar(50)", "nvarchar(max)", "decimal(18,2)", "hr.Phone", "hierarchyid", "datetime2(3)", "sysname", "cursor", "int",
    ]  # fmt: skip
    assert [one.type.length for one in signature.parameters[:4]] == [50, None, None, 20]
    assert signature.parameters[3].type.text == "varchar(20)"
    assert signature.parameters[5].direction is Direction.INOUT
    assert [one.nullable for one in signature.parameters[-2:]] == [True, False]


@pytest.mark.parametrize(("encrypted", "note"), [(1, ENCRYPTED), (0, HIDDEN), (None, HIDDEN)])
def test_without_a_definition_what_is_required_is_unknown(encrypted: int | None, note: str) -> None:
    """The server decides, and the note says why."""
    rows = [{**PLAIN, "name": "@a"}, {**PLAIN, "name": "@b", "is_output": True}]
    [signature] = find(Catalogue({sql.PROCEDURE: _procedure(None, encrypted=encrypted), sql.PARAMETERS: rows}), "p")
    assert [(one.required, one.default) for one in signature.parameters] == [(None, None), (None, None)]
    assert signature.notes == (note,)


def test_a_clr_procedure_keeps_its_defaults_in_the_catalogue() -> None:
    """Only these do."""
    rows = [{**PLAIN, "name": "@a"}, {**PLAIN, "name": "@b", "has_default": True, "default_value": "5"}]
    [signature] = find(Catalogue({sql.PROCEDURE: _procedure(None, type="PC"), sql.PARAMETERS: rows}), "p")
    assert [(one.required, one.default) for one in signature.parameters] == [(True, None), (False, "5")]
    assert (signature.kind, signature.notes) == ("clr_procedure", ())


@pytest.mark.parametrize("error", [ObjectNotFound("no such view"), PermissionDenied("refused")])
def test_where_the_view_is_missing_the_definition_tells(error: Exception) -> None:
    """Names, types, directions and defaults from the head of the text; a user's own type is looked up."""
    definition = "CREATE PROC dbo.p @a hr.Phone, @b dec(9) = 1 OUTPUT, @c varchar, @t dbo.T READONLY AS SELECT 1"
    column = {**PLAIN, "name": "x", "is_identity": False, "is_computed": False, "default_id": 0, "is_nullable": False}
    catalogue = Catalogue(
        {
            sql.PROCEDURE: _procedure(definition),
            sql.PARAMETERS: error,
            sql.USER_TYPE: [PHONE],
            sql.TABLE_TYPE_COLUMNS: [column],
        }
    )
    [signature] = find(catalogue, "p")
    assert [(one.name, one.type.text, one.required) for one in signature.parameters] == [
        ("@a", "varchar(20)", True),
        ("@b", "decimal(9,0)", False),
        ("@c", "varchar(1)", True),
        ("@t", "[dbo].[T]", False),
    ]
    assert [(field.name, field.required) for field in signature.parameters[3].type.fields] == [("x", True)]


def test_without_view_and_definition_the_error_stands() -> None:
    """Nothing is known then, and nothing is pretended."""
    with pytest.raises(PermissionDenied):
        find(Catalogue({sql.PROCEDURE: _procedure(None), sql.PARAMETERS: PermissionDenied("refused")}), "p")


def test_a_table_types_columns_say_what_may_be_written() -> None:
    """Identity, computed and rowversion columns are the server's; the type is asked for by its quoted name."""
    column = {**PLAIN, "is_identity": False, "is_computed": False, "default_id": 0}
    columns = [
        {**column, "name": "id", "is_identity": True, "is_nullable": False},
        {**column, "name": "n", "is_nullable": False},
        {**column, "name": "d", "is_nullable": False, "default_id": 9},
        {**column, "name": "c", "is_computed": True},
        {**column, "name": "v", "type_name": "timestamp", "is_nullable": False},
    ]
    rows = [{**PLAIN, "name": "@t", "type_name": "T]x", "type_schema": "my s", "is_readonly": True, "is_user_defined": True}]
    catalogue = Catalogue({sql.PROCEDURE: _procedure(None), sql.PARAMETERS: rows, sql.TABLE_TYPE_COLUMNS: columns})
    [signature] = find(catalogue, "p")
    [table] = signature.parameters
    assert (table.sql_type, table.type.text, table.required) == ("my s.T]x", "[my s].[T]]x]", False)
    assert [(f.name, f.writable, f.required) for f in table.type.fields] == [
        ("id", False, False), ("n", True, True), ("d", True, False), ("c", False, False), ("v", False, False),
    ]  # fmt: skip
    assert catalogue.asked[-1] == (sql.TABLE_TYPE_COLUMNS, ("[my s].[T]]x]",))


def test_a_synonym_leads_to_its_target_or_says_where_it_is() -> None:
    """In this database it is followed; elsewhere it is named."""
    synonym = {"schema_name": "dbo", "name": "s", "target": "[x].[p]", "target_schema": "x", "target_name": "p", "is_here": 1}

    class Following(Catalogue):
        def __call__(self, statement: str, values: Sequence[object]) -> Rows:
            found = super().__call__(statement, values)
            return _procedure("CREATE PROC x.p AS SELECT 1") if statement == sql.PROCEDURE and values == ("x", "p") else found

    [signature] = find(Following({sql.SYNONYM: [synonym]}), "s")
    assert str(signature.name) == "dbo.p"
    with pytest.raises(InvalidParameter, match=r"synonym for other\.dbo\.p"):
        find(Catalogue({sql.SYNONYM: [{**synonym, "is_here": 0, "target": "other.dbo.p"}]}), "s")
    assert find(Catalogue({sql.SYNONYM: ObjectNotFound("no such view")}), "s") == ()


def test_a_numbered_procedure_has_its_own_definition() -> None:
    """Its parameters stand only there; a number that is not there is named, and so is an encrypted one."""
    numbered = [{"definition": "CREATE PROC dbo.p;2 @z int = 4 AS SELECT 1"}]
    [signature] = find(Catalogue({sql.PROCEDURE: _procedure("CREATE PROC p AS SELECT 1"), sql.NUMBERED: numbered}), "dbo.p ; 2")
    assert (signature.handle, [one.name for one in signature.parameters]) == (";2", ["@z"])
    with pytest.raises(InvalidParameter, match="does not exist"):
        find(Catalogue({sql.PROCEDURE: _procedure("CREATE PROC p AS SELECT 1")}), "p;3")
    with pytest.raises(InvalidParameter, match="encrypted"):
        find(Catalogue({sql.PROCEDURE: _procedure(None), sql.NUMBERED: [{"definition": None}]}), "p;2")


def test_nothing_of_a_name_gets_into_the_statements() -> None:
    """What is asked are constants; the name travels beside them."""
    catalogue = Catalogue({})
    assert find(catalogue, "[x'; DROP TABLE t; --].[y]") == ()
    assert [statement in (sql.PROCEDURE, sql.SYNONYM) for statement, _ in catalogue.asked] == [True, True]
    assert catalogue.asked[0][1] == ("x'; DROP TABLE t; --", "y")
