"""The second parser, sqlglot: imported only when the first statement is judged."""

from __future__ import annotations

import logging

import sqlglot
from sqlglot import exp

_QUERIES = (exp.Query, exp.Values, exp.Table, exp.Paren)
_NEVER_IN_A_READ = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock, exp.Merge, exp.Drop, exp.TruncateTable)

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # its warnings are refusals here, and say so


def problem(text: str, dialect: str) -> str:
    """Why ``text`` is not one query; empty when it is."""
    try:
        parsed = [tree for tree in sqlglot.parse(text, read=dialect) if tree is not None]
    except RecursionError:
        return "the statement is nested too deep for the parser"
    except Exception as error:  # noqa: BLE001 - whatever breaks inside the parser has to refuse, not to pass
        return f"the parser cannot read the statement: {str(error).partition(chr(10))[0]}"
    if len(parsed) != 1:
        return "the parser sees more than one statement"
    if not isinstance(parsed[0], _QUERIES):
        return f"the parser sees {parsed[0].key.upper()}, which is no query"
    for node in parsed[0].walk():
        if isinstance(node, _NEVER_IN_A_READ) and not isinstance(node, exp.Query):
            return f"the parser sees {node.key.upper()} inside the statement"
    return ""
