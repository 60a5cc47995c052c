"""A structured read as a client wrote it -> ``QueryRequest``, with every problem of its shape noted by its path.

What depends on the table (names of columns, types of values) is for ``query_builder`` to judge, which goes on with the same
list of problems: so all of them are told at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from .models import Aggregate, Condition, Junction, Ordering, QueryRequest
from .names import nearest_of

T = TypeVar("T")
Filter = Condition | Junction

MOST_CONDITIONS = 100
MOST_LEVELS = 10
MOST_VALUES = 1000
DEFAULT_LIMIT = 100

WITHOUT_VALUE = ("is_null", "is_not_null")
OF_LISTS = ("in", "not_in")
OF_PATTERNS = ("like", "not_like", "ilike", "starts_with", "contains")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "between", *OF_LISTS, *OF_PATTERNS, *WITHOUT_VALUE)
FUNCTIONS = ("count", "count_distinct", "sum", "avg", "min", "max")

_MEANT = {
    "<>": "!=",
    "==": "=",
    "eq": "=",
    "equals": "=",
    "ne": "!=",
    "not_equals": "!=",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "ends_with": "like",
    "null": "is_null",
    "not_null": "is_not_null",
    "exists": "is_not_null",
    "regex": "like",
    "not_contains": "not_like",
    "average": "avg",
    "mean": "avg",
    "total": "sum",
    "maximum": "max",
    "minimum": "min",
}
"""Words of other languages, and what stands for them here."""

_LISTS = {
    "columns": "names",
    "filters": 'conditions such as {"column": "age", "op": ">=", "value": 18}',
    "groupBy": "names",
    "aggregates": 'objects such as {"function": "count", "as": "n"}',
    "orderBy": 'objects such as {"column": "age", "direction": "desc"}',
}
"""What the lists of a request hold, for messages."""

UNREADABLE: Final = object()
"""Stands in a Condition for a value whose problem has been told."""

_NOT_A_TREE = 'neither a condition {"column", "op", "value"} nor one of and, or, not'


@dataclass(frozen=True)
class StructuredRead:
    """The arguments of select_data or execute_filter, nested ones as the client wrote them. ``tree`` is execute_filter's
    filter, ``filters`` select_data's list."""

    table: str
    columns: object = None
    filters: object = None
    tree: object = None
    group_by: object = None
    aggregates: object = None
    order_by: object = None
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: str | None = None


def read_request(given: StructuredRead, problems: list[str]) -> QueryRequest:
    """The request, without the parts whose problem went into ``problems``."""
    reader = _Reader(problems)
    if given.cursor is not None and given.offset:
        problems.append("offset: a cursor says already where the page starts; leave offset out")
    return QueryRequest(
        given.table,
        columns=reader.names(given.columns, "columns", all_names="*"),
        filters=reader.filters(given),
        limit=given.limit,
        offset=given.offset,
        group_by=reader.names(given.group_by, "groupBy"),
        aggregates=reader.items(given.aggregates, "aggregates", reader.aggregate),
        order_by=reader.items(given.order_by, "orderBy", reader.ordering),
        cursor=given.cursor,
    )


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The one of ``known`` that is most like ``word``, if any is."""
    lowered = {name.lower(): name for name in reversed(known)}
    found = nearest_of(word.lower(), lowered, 1, 0.5)
    return lowered[found[0]] if found else None


def suggestion(word: str, known: Sequence[str]) -> str:
    """``; did you mean 'x'?`` when one of ``known`` is near, else nothing."""
    near = nearest(word, known)
    return "" if near is None else f"; did you mean {near!r}?"


class _Reader:
    """Reads the parts of one request and notes what is wrong with them."""

    def __init__(self, problems: list[str]) -> None:
        self._problems = problems
        self._conditions = 0

    def filters(self, given: StructuredRead) -> tuple[Filter, ...]:
        """select_data's conditions, or execute_filter's tree as the only part."""
        if given.tree is not None:
            parsed = self._parsed(given.tree, "filter")
            tree = None if parsed is UNREADABLE else self._tree(parsed, "filter", 1)
            return () if tree is None else (tree,)
        return self.items(given.filters, "filters", self._plain)

    def names(self, given: object, path: str, *, all_names: str | None = None) -> tuple[str, ...]:
        """A list of names."""
        found = self._list(given, path)
        return () if found == [all_names] else tuple(self._each(found, path, self._name))

    def items(self, given: object, path: str, read: Callable[[object, str], T | None]) -> tuple[T, ...]:
        """A list, each item read by ``read``."""
        return tuple(self._each(self._list(given, path), path, read))

    def aggregate(self, given: object, path: str) -> Aggregate | None:
        """``{"function", "column", "as"}``. A part that is wrong is noted; the rest is kept, to be judged too."""
        item = self._object(given, path, ("function", "column", "as"))
        if item is None:
            return None
        function = self._word(item.get("function"), f"{path}.function", FUNCTIONS, "a function")
        column, alias = item.get("column"), item.get("as")
        if column is None or column == "*":
            if function not in (None, "count"):
                self._note(f"{path}.column", f"is missing: {function} needs a column")
            column = None
        elif not isinstance(column, str) or not column:
            self._note(f"{path}.column", "is not a column's name")
            return None
        if alias is not None and not isinstance(alias, str):
            self._note(f"{path}.as", "is not a name")
            return None
        return Aggregate(function or "", column, alias)

    def ordering(self, given: object, path: str) -> Ordering | None:
        """``{"column", "direction"}``, or just the column's name."""
        item = self._object({"column": given} if isinstance(given, str) else given, path, ("column", "direction"))
        if item is None:
            return None
        column, direction = item.get("column"), item.get("direction", "asc")
        word = self._word(direction, f"{path}.direction", ("asc", "desc"), "a direction")
        if not isinstance(column, str) or not column:
            self._note(f"{path}.column", "is missing" if column is None else "is not a name")
            return None
        return Ordering(column, word == "desc")

    # -- filters -------------------------------------------------------------------------------------------------------

    def _plain(self, given: object, path: str) -> Filter | None:
        """A condition of select_data."""
        if isinstance(given, Mapping) and _junctions(given):
            self._note(path, "is a tree; execute_filter takes those, here all conditions of the list must hold")
            return None
        return self._tree(given, path, 1)

    def _tree(self, given: object, path: str, level: int) -> Filter | None:
        if level > MOST_LEVELS:
            self._note(path, f"the tree is more than {MOST_LEVELS} levels deep")
            return None
        if not isinstance(given, Mapping):
            self._note(path, f"is not an object, and so {_NOT_A_TREE}")
            return None
        words = _junctions(given)
        if not words:
            return self._condition(given, path)
        if len(given) > 1:
            self._note(path, f"must be one of a condition, and, or, not; this has {', '.join(map(str, given))}")
            return None
        return self._junction(words[0], given[words[0]], path, level)

    def _junction(self, written: str, inner: object, path: str, level: int) -> Filter | None:
        word, path = written.lower(), f"{path}.{written}"
        if word == "not":
            part = self._tree(inner, path, level + 1)
            return None if part is None else Junction(word, (part,))
        if not isinstance(inner, (list, tuple)):
            self._note(path, "is not a list")
            return None
        if not inner:
            self._note(path, "is empty")
            return None

        def below(one: object, place: str) -> Filter | None:
            return self._tree(one, place, level + 1)

        parts: list[Filter] = self._each(inner, path, below)
        return Junction(word, tuple(parts)) if parts else None

    def _condition(self, given: Mapping[object, object], path: str) -> Condition | None:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            if self._conditions == MOST_CONDITIONS + 1:
                self._note(path, f"a request has at most {MOST_CONDITIONS} conditions")
            return None
        unknown = [str(key) for key in given if key not in ("column", "op", "value")]
        if "column" not in given and "op" not in given:
            self._note(path, f"is {_NOT_A_TREE}" + (f"; it has {', '.join(unknown)}" if unknown else ""))
            return None
        if unknown:
            self._note(path, f"a condition has column, op and value, and no {', '.join(unknown)}")
            return None
        column = given.get("column")
        if not isinstance(column, str) or not column:
            self._note(f"{path}.column", "is missing" if column is None else "is not a column's name")
            column = ""
        op = self._word(given.get("op"), f"{path}.op", OPERATORS, "an operator")
        value = UNREADABLE if op is None else self._value(op, given, f"{path}.value")
        return Condition(column, op or "", value, path)

    def _value(self, op: str, given: Mapping[object, object], path: str) -> object:
        """The value, when it has the shape that the operator takes."""
        value = given.get("value")
        if op in WITHOUT_VALUE:
            if value is not None and value is not True:
                return self._note(path, f"{op} takes no value")
            return None
        if "value" not in given:
            return self._note(path, f"is missing: {op} needs one")
        if op in OF_LISTS or op == "between":
            return self._values(op, value, path)
        if value is None:
            advice = {"=": "use is_null", "!=": "use is_not_null"}.get(op, "use is_null or is_not_null")
            return self._note(path, f"NULL equals nothing and is not unequal to anything: {advice}")
        return value

    def _values(self, op: str, value: object, path: str) -> object:
        if not isinstance(value, (list, tuple)):
            return self._note(path, f"{op} takes {'two values: [low, high]' if op == 'between' else 'a list of values'}")
        if op == "between" and len(value) != 2:
            return self._note(path, f"between takes two values: [low, high], not {len(value)}")
        if not value:
            return self._note(path, "is empty: the condition would hold for no row, or with not_in for each; leave it out")
        if len(value) > MOST_VALUES:
            return self._note(path, f"has {len(value)} values, and {MOST_VALUES} are taken at most")
        nulls = [place for place, item in enumerate(value) if item is None]
        if nulls:
            why = "not_in would hold for no row at all" if op == "not_in" else "it can never be found"
            return self._note(f"{path}[{nulls[0]}]", f"is null, and {why}: ask for NULL with is_null")
        return list(value)

    # -- pieces --------------------------------------------------------------------------------------------------------

    def _note(self, path: str, what: str) -> object:
        self._problems.append(f"{path}: {what}")
        return UNREADABLE

    @staticmethod
    def _each(given: Sequence[object], path: str, read: Callable[[object, str], T | None]) -> list[T]:
        found = (read(item, f"{path}[{place}]") for place, item in enumerate(given))
        return [one for one in found if one is not None]

    def _list(self, given: object, path: str) -> list[object]:
        parsed = self._parsed(given, path)
        if parsed is None or parsed is UNREADABLE:
            return []
        if not isinstance(parsed, (list, tuple)):
            self._note(path, f"is not a list of {_LISTS[path]}")
            return []
        return list(parsed)

    def _parsed(self, given: object, path: str) -> object:
        """What was written as JSON text, read; decimals keep all their digits."""
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            return self._note(path, f"is a text, and no JSON ({error})")

    def _object(self, given: object, path: str, keys: Sequence[str]) -> Mapping[object, object] | None:
        if not isinstance(given, Mapping):
            self._note(path, f"is not an object of {', '.join(keys)}")
            return None
        unknown = [str(key) for key in given if key not in keys]
        if unknown:
            near = suggestion(unknown[0], keys)
            self._note(path, f"has {', '.join(map(repr, unknown))}, which is unknown; there are {', '.join(keys)}{near}")
            return None
        return given

    def _name(self, given: object, path: str) -> str | None:
        if isinstance(given, str) and given:
            return given
        self._note(path, "is not a column's name")
        return None

    def _word(self, given: object, path: str, known: Sequence[str], what: str) -> str | None:
        """One of the known words, in any case."""
        if given is None:
            self._note(path, f"is missing; {what} is one of {', '.join(known)}")
            return None
        word = "_".join(given.lower().split()) if isinstance(given, str) else None
        if word in known:
            return word
        meant = _MEANT.get(word or "")
        near = f"; did you mean {meant!r}?" if meant in known else suggestion(word or "", known) or "."
        self._note(path, f"{_shown(given)} is not {what}{near} There are: {', '.join(known)}")
        return None


def _junctions(given: Mapping[object, object]) -> list[str]:
    return [key for key in given if isinstance(key, str) and key.lower() in ("and", "or", "not")]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
