"""PostgreSQL's words as the read-only gate knows them: those that begin a query, change data, or stand before an operand."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


QUERY_STARTS = _words("select values table with")
CHANGES = _words("insert update delete merge")
EXPLAIN_OPTIONS = _words("""
    analyze buffers costs format generic_plan memory serialize settings summary timing verbose wal
""")

# Keywords after which an operand or a label is expected: a word there begins no change of data.
BEFORE_OPERAND = _words("""
    all and any as between by case distinct else except from having ilike in intersect join like limit not offset on or order
    returning select similar some then union when where
""")

# Keywords that a parenthesis may follow without making a call.
NOT_CALLS = (
    BEFORE_OPERAND
    | QUERY_STARTS
    | _words("""
    asymmetric columns escape exists fetch first is lateral next only overlaps symmetric to using window
""")
)
# Words whose place decides what the rules make of their neighbours: another spelling must not pass for one.
ALL = NOT_CALLS | CHANGES | _words("explain for into key materialized no only operator set share show update")
# Words whose group the second parser has to see.
KEPT_GROUPS = _words("as bernoulli cube filter group materialized over repeatable rollup sets system")
OPERATOR_SIGNS = frozenset("+-*/<>=~!@#%^&|`?") | {"=>", ":="}
# Words that a string may follow without being a literal of that type (``circle '...'``).
BEFORE_STRINGS = NOT_CALLS | _words("interval precision varying zone")
