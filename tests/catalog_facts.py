"""SQL Server's catalogue SQL against the documents' lists of views and columns: what a parser finds wrong with a statement."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

FACTS = Path(__file__).parent / "data" / "sqlserver"
OLDEST = 2016

RESERVED = frozenset(
    """
    add all alter and any as asc authorization backup begin between break browse bulk by cascade case check
    checkpoint close clustered coalesce collate column commit compute constraint contains containstable continue
    convert create cross current current_date current_time current_timestamp current_user cursor database dbcc
    deallocate declare default delete deny desc disk distinct distributed double drop dump else end errlvl escape
    except exec execute exists exit external fetch file fillfactor for foreign freetext freetexttable from full
    function goto grant group having holdlock identity identity_insert identitycol if in index inner insert
    intersect into is join key kill left like lineno load merge national nocheck nonclustered not null nullif of
    off offsets on open opendatasource openquery openrowset openxml option or order outer over percent pivot plan
    precision primary print proc procedure public raiserror read readtext reconfigure references replication
    restore restrict return revert revoke right rollback rowcount rowguidcol rule save schema securityaudit select
    session_user set setuser shutdown some statistics system_user table tablesample textsize then to top tran
    transaction trigger truncate try_convert tsequal union unique unpivot update updatetext use user values
    varying view waitfor when where while with within writetext
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""Words that T-SQL takes as an alias only in brackets (Transact-SQL reference, "Reserved keywords")."""


@cache
def catalog() -> dict[str, dict[str, Any]]:
    """Views and functions by lower-case name, with their columns by lower-case name."""
    read = json.loads((FACTS / "catalog.json").read_text(encoding="utf-8"))
    return {
        name.lower(): {**view, "columns": {column.lower(): facts for column, facts in view["columns"].items()}}
        for name, view in read.items()
    }


def faults(sql: str, *, since: int = OLDEST, azure: bool = False) -> list[str]:
    """What is wrong with a statement that is sent to servers from version ``since`` on; with ``azure`` also to Azure SQL
    Database. Empty: every view, column and alias stands."""
    tree = sqlglot.parse_one(sql, dialect="tsql")
    found = [fault for scope in traverse_scope(tree) for fault in _scope_faults(scope, since, azure)]
    found += [f"{word} needs brackets as a name" for word in _bare_reserved_names(tree)]
    return list(dict.fromkeys(found))


def output_names(sql: str, dialect: str = "tsql") -> list[str]:
    """The column aliases of a statement."""
    tree = sqlglot.parse_one(sql, dialect=dialect)
    assert isinstance(tree, exp.Query)
    return tree.named_selects


def _scope_faults(scope: Scope, since: int, azure: bool) -> Iterator[str]:
    for table in scope.tables:
        if table.db:
            yield from _view_faults(_full_name(table), since, azure)
    for lateral in scope.expression.find_all(exp.Lateral):
        yield from _view_faults(_function_name(lateral), since, azure)
    for column in scope.columns:
        yield from _column_faults(column, scope, since)


def _view_faults(name: str, since: int, azure: bool) -> Iterator[str]:
    view = catalog().get(name)
    if view is None:
        yield f"{name} is not a known view"
    elif (view["since"] or 0) and int(view["since"]) > since:
        yield f"{name} came with {view['since']}"
    elif azure and view["azure_sql_db"] is False and not view.get("azure_sql_db_unconfirmed"):
        yield f"{name} is not in Azure SQL Database"


def _column_faults(column: exp.Column, scope: Scope, since: int) -> Iterator[str]:
    if not column.table:
        yield f"{column.sql()} has no alias"
        return
    source = _source(column.table, scope)
    if source is None:
        yield f"{column.sql()}: there is no {column.table}"
    elif isinstance(source, exp.Lateral):
        yield from _known_column(_function_name(source), column.name, since)
    elif isinstance(source, Scope):
        lateral = source.expression
        if isinstance(lateral, exp.Lateral):
            yield from _known_column(_function_name(lateral), column.name, since)
        elif column.name.lower() not in _names_of(source):
            yield f"{column.sql()}: {column.table} has no such column"
    else:
        yield from _known_column(_full_name(source), column.name, since)


def _source(alias: str, scope: Scope | None) -> Any:
    """What an alias stands for, here or in a query around."""
    while scope is not None:
        if alias in scope.selected_sources:
            return scope.selected_sources[alias][1]
        scope = scope.parent
    return None


def _names_of(source: Scope) -> set[str]:
    expression = source.expression
    if isinstance(expression, exp.Query):
        return {name.lower() for name in expression.named_selects}
    alias = expression.args.get("alias")
    return {name.name.lower() for name in alias.columns} if alias is not None else set()


def _known_column(view: str, name: str, since: int) -> Iterator[str]:
    if view not in catalog():
        return
    facts = catalog()[view]["columns"].get(name.lower())
    if facts is None:
        yield f"{view} has no column {name}"
    elif facts.get("unconfirmed"):
        yield f"{view}.{name} is not confirmed"
    elif facts.get("only_on"):
        yield f"{view}.{name} is only on {facts['only_on']}"
    elif facts.get("since") and int(facts["since"]) > since:
        yield f"{view}.{name} came with {facts['since']}"


def _full_name(table: exp.Table) -> str:
    name = table.this.name if isinstance(table.this, exp.Identifier) else str(table.this.this)
    return f"{table.db}.{name}".lower()


def _function_name(lateral: exp.Lateral) -> str:
    called = lateral.this
    return called.sql(dialect="tsql").split("(")[0].lower()


def _bare_reserved_names(tree: exp.Expression) -> Iterator[str]:
    for alias in tree.find_all(exp.Alias, exp.TableAlias):
        name = alias.args.get("alias") if isinstance(alias, exp.Alias) else alias.this
        if isinstance(name, exp.Identifier) and not name.quoted and name.name.lower() in RESERVED:
            yield name.name
