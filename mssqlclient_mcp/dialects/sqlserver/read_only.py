"""The rules of T-SQL reads, and the catalogue questions of the other layers.

What T-SQL adds to the danger: no semicolon is needed between statements, so every word that can begin one has its few legal
places; ODBC drivers rewrite braces; rowset functions and four-part names reach other servers and files.
"""

from __future__ import annotations

from ..reading import NAME, NO_GROUP, STRING, WORD, Grammar, Reading, Rule
from . import functions, words
from .outline import outline
from .tokens import tokenize

_LOOK_BACK = 200


def _begins(reading: Reading, _: int) -> str | None:
    first = reading.first
    while reading.key(first) == "(":
        first += 1
    if reading.key(first) in ("select", "with") and not (
        reading.key(first) == "with" and first and reading.key(first - 1) == "("
    ):
        return None
    word = reading.text[reading.at(first).start : reading.at(first).end]
    return f"a read begins with SELECT or WITH, not with {word or 'nothing'}"


def _separator(reading: Reading, index: int) -> str | None:
    inside = reading.first < index < reading.last
    return "a semicolon separates statements, and only one is allowed" if inside else None


def _no_place(reading: Reading, index: int) -> str | None:
    if reading.key(index) in words.INSIDE_ONLY and reading.outer[index] != NO_GROUP:
        return None
    return f"{reading.at(index).name.upper()} has no place in a read here"


def _leaves(reading: Reading, index: int) -> str | None:
    return f"{reading.at(index).name.upper()} reaches files or other servers"


def _select(reading: Reading, index: int) -> str | None:
    before = reading.key(index - 1)
    if before in ("", "(", "union", "except", "intersect", ";"):
        return None
    if before == "all" and reading.key(index - 2) == "union":
        return None
    if before == ")" and reading.key(reading.first) == "with" and reading.outer[index] == NO_GROUP:
        reading.seen["select"] += 1
        if reading.seen["select"] == 1:
            return None
    return "SELECT begins a second statement here"


def _with(reading: Reading, index: int) -> str | None:
    if index == reading.first or reading.key(index + 1) in ("(", "ties", "rollup", "cube"):
        return None
    if reading.outer[index] != NO_GROUP and reading.key(index - 1) != "(":
        return None
    return "WITH begins a second statement here"


def _fetch(reading: Reading, index: int) -> str | None:
    amount = index + 2
    if (
        reading.key(index - 1) in ("row", "rows")
        and reading.key(index + 1) in ("next", "first")
        and (reading.key(amount) in ("(", "?") or reading.kind(amount) == "number")
    ):
        return None
    return "FETCH stands only after OFFSET ... ROWS"


def _merge(reading: Reading, index: int) -> str | None:
    return None if reading.key(index + 1) in ("join", "union") else "MERGE stands only before JOIN or UNION"


def _use(reading: Reading, index: int) -> str | None:
    inside = reading.outer[index] != NO_GROUP and reading.callee(reading.outer[index]) == "option"
    return None if inside and reading.key(index + 1) in ("hint", "plan") else "USE stands only in OPTION, before HINT or PLAN"


def _end(reading: Reading, index: int) -> str | None:
    """Counts the CASEs that are open in each group; reading goes forward."""
    group = reading.outer[index]
    if reading.key(index) == "case":
        reading.seen[group] += 1
        return None
    reading.seen[group] -= 1
    return "END closes no CASE" if reading.seen[group] < 0 else None


def _starter(reading: Reading, index: int) -> str | None:
    before = reading.at(index - 1)
    if before.key == "*" and reading.key(index - 2) in ("select", "distinct", "all", ".", ",", "ties", "percent"):
        return f"{reading.at(index).name.upper()} may begin a statement behind the list of columns"
    ends_table = before.key == "all" and reading.key(index - 2) == "system_time"
    if reading.outer[index] != NO_GROUP or (before.key in words.BEFORE_OPERAND and not ends_table):
        return None
    if before.kind == "mark" and before.key != ")" and before.key != "?":
        return None
    return f"{reading.at(index).name.upper()} may begin a statement of its own here"


def _colon(reading: Reading, index: int) -> str | None:
    return "a colon makes a label here" if reading.outer[index] == NO_GROUP else None


def _next_value(reading: Reading, index: int) -> str | None:
    if reading.key(index + 1) == "value" and reading.key(index + 2) == "for":
        return "NEXT VALUE FOR draws from a sequence"
    return None


def _many_parts(reading: Reading, index: int) -> str | None:
    last = index + 1
    if reading.key(last) == ".":
        return None
    parts = reading.chain(last) if reading.is_name(last) else [*reading.chain(index - 1), ""]
    if len(parts) < 4 or (len(parts) == 4 and _is_column(reading, last)):
        return None
    return "a name of four parts reaches another server"


def _is_column(reading: Reading, last: int) -> bool:
    """True where only a column can stand, or its xml method: the table it names is judged where it stands in FROM."""
    if reading.key(last + 1) == "(" and reading.at(last).name not in functions.XML_METHODS:
        return False
    first = reading.chain_start(last if reading.is_name(last) else last - 2)
    if reading.key(first - 1) != ",":
        return reading.key(first - 1) in words.BEFORE_COLUMNS
    group = reading.outer[first]
    for i in range(first - 1, max(group, first - _LOOK_BACK), -1):
        if reading.outer[i] == group and reading.key(i) in words.BEFORE_LISTS:
            return reading.key(i) in ("select", "by")
    return False


def _function(reading: Reading, index: int) -> str | None:
    name = reading.callee(index)
    if not name:
        return None
    if name in functions.DENIED_FUNCTIONS:
        return f"{name} is no function for a read: it reaches files, logs, keys or other servers"
    if not name.startswith(functions.SYSTEM_PREFIXES) or name in functions.ALLOWED_SYSTEM_FUNCTIONS:
        return None
    parts = reading.chain(index - 1)
    if len(parts) == 1 or parts[-2] in functions.SYSTEM_SCHEMAS:
        return f"{name} is not among the system functions that are known to read only"
    return None


def _modify(reading: Reading, index: int) -> str | None:
    if reading.callee(index) == "modify" and reading.key(index - 2) == ".":
        return "modify() writes into an xml value"
    return None


def _login_property(reading: Reading, index: int) -> str | None:
    if reading.callee(index) != "loginproperty":
        return None
    closing = reading.partner[index]
    value = reading.at(closing - 1)
    wanted = reading.text[value.start : value.end].partition("'")[2].rstrip("'").lower()
    if value.kind == STRING and reading.key(closing - 2) == "," and wanted in functions.LOGIN_PROPERTIES:
        return None
    return "LOGINPROPERTY may hand out a password's hash unless it names another property in a plain string"


def _secret(reading: Reading, index: int) -> str | None:
    name = reading.at(index).name
    return f"{name} " + ("looks at the server's disks" if name in functions.FILE_VIEWS else "holds password hashes or keys")


def _table_hints(reading: Reading, index: int) -> str | None:
    opening = index + 1
    before = reading.partner.get(index - 1, NO_GROUP)
    if reading.key(opening) != "(" or (before >= 0 and reading.callee(before) == "openjson"):
        return None
    return _hints_in(reading, opening)


def _hints_in(reading: Reading, opening: int, skip: str = "") -> str | None:
    for i in reading.inside(opening):
        token = reading.tokens[i]
        separated = reading.key(i - 1) in ("(", ",", ")", *words.READ_HINTS)
        if token.kind == WORD and separated and token.key not in words.READ_HINTS and token.key != skip:
            return f"the hint {token.name.upper()} is not among those that only read"
        if token.kind == NAME and separated and reading.key(i - 1) != "=":
            return "a hint is no quoted name"
    return None


def _old_hints(reading: Reading, index: int) -> str | None:
    """``FROM t (XLOCK)`` needs no WITH; there a hint stands alone between commas, parentheses and other hints."""
    hint, opening = reading.at(index).name.upper(), reading.outer[index]
    if hint == "HOLDLOCK":
        return "HOLDLOCK keeps locks"
    around = {reading.key(index - 1), reading.key(index + 1)} - words.LOCK_HINTS - words.READ_HINTS
    if opening == NO_GROUP or not reading.callee(opening) or around - {"(", ",", ")"}:
        return None
    return f"the hint {hint} takes or keeps locks"


def _option(reading: Reading, index: int) -> str | None:
    opening = index + 1
    if reading.key(opening) != "(":
        return "OPTION needs its hints in parentheses"
    for i in reading.inside(opening):
        token = reading.tokens[i]
        if token.kind in (WORD, NAME) and token.key not in words.QUERY_HINTS:
            return f"the query hint {token.name.upper()} is not among those that only read"
        if token.key == "hint" and reading.key(i - 1) == "table" and reading.key(i + 1) == "(":
            first_comma = next((j for j in reading.inside(i + 1) if reading.key(j) == ","), None)
            if first_comma is None:
                continue
            bad = [j for j in reading.inside(i + 1) if j > first_comma and reading.kind(j) == WORD]
            for j in bad:
                if reading.key(j) not in words.READ_HINTS and reading.key(j - 1) != "=":
                    return f"the hint {reading.at(j).name.upper()} is not among those that only read"
    return None


def _variable(_: Reading, __: int) -> str | None:
    return "variables have no place in a single read: nothing declares them"


def _outside(reading: Reading, _: int) -> str | None:
    names = reading.outside_functions
    if not names:
        return None
    for token in reading.tokens:
        if token.name in names:
            return f"{token.name} runs outside the database's control or reaches another server"
    return None


def _either_way(names: frozenset[str]) -> frozenset[str]:
    """Names, bare and quoted."""
    return names | frozenset('"' + name for name in names)


RULES = (
    Rule("begins as a read", _begins),
    Rule("one statement", _separator, frozenset(";")),
    Rule("words without a place", _no_place, words.NO_PLACE | words.INSIDE_ONLY),
    Rule(
        "stays on the server",
        _leaves,
        words.LEAVES_THE_SERVER,
        "Data from elsewhere needs a view or a procedure that its owner made.",
    ),
    Rule("place of SELECT", _select, frozenset(("select",)), "Send one statement at a time."),
    Rule("place of WITH", _with, frozenset(("with",)), "Send one statement at a time."),
    Rule("place of FETCH", _fetch, frozenset(("fetch",))),
    Rule("place of MERGE", _merge, frozenset(("merge",))),
    Rule("place of USE", _use, frozenset(("use",)), "Name the database in the call instead."),
    Rule("place of END", _end, frozenset(("case", "end"))),
    Rule("unreserved words that begin statements", _starter, words.STARTERS, "Write it in brackets, or after AS."),
    Rule("labels", _colon, frozenset(":")),
    Rule("sequences", _next_value, frozenset(("next",))),
    Rule("names of four parts", _many_parts, frozenset(".")),
    Rule("system functions", _function, frozenset("("), "For a function of your own, write its schema before its name."),
    Rule("xml modify", _modify, frozenset("(")),
    Rule("login properties", _login_property, frozenset("(")),
    Rule(
        "secrets",
        _secret,
        _either_way(functions.SECRET_VIEWS | functions.FILE_VIEWS),
        "sys.server_principals lists logins without their secrets.",
    ),
    Rule("table hints", _table_hints, frozenset(("with",)), "Leave the hint out."),
    Rule("hints without WITH", _old_hints, words.LOCK_HINTS, "Leave the hint out."),
    Rule("variables", _variable, frozenset("@")),
    Rule("outside functions", _outside),
    Rule("query hints", _option, frozenset(("option",)), "Leave the hint out."),
)


def one_change(reading: Reading) -> bool:
    """True for one INSERT, UPDATE, DELETE or MERGE, with or without a WITH before it."""
    if reading.key(reading.first) not in (*words.CHANGES, "with"):
        return False
    verbs: list[str] = []
    for index, token in enumerate(reading.tokens):
        if token.key == ";" and reading.first < index < reading.last:
            return False
        if token.key in words.NO_PLACE_IN_CHANGES or (token.key in words.STARTERS and _starter(reading, index)):
            return False
        top = reading.outer[index] == NO_GROUP and reading.key(index - 1) not in ("then", "union", "all", "except", "intersect")
        if top and token.key in (*words.CHANGES, "select"):
            verbs.append(token.key)
    return verbs in (["insert", "select"], *([verb] for verb in words.CHANGES))


GRAMMAR = Grammar("sqlserver", tokenize, RULES, outline, "tsql", one_change)
