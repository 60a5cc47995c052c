"""The documents show exactly the settings there are."""

from __future__ import annotations

import importlib.util
from io import StringIO
from pathlib import Path
from types import ModuleType

import pytest
from dotenv import dotenv_values

from mssqlclient_mcp.config import SECTIONS, SETTINGS, Config, load_config, settings_table
from mssqlclient_mcp.settings import Kind

ROOT = Path(__file__).resolve().parents[2]
AGAIN = "run: python docs/generate.py"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_environment_is_up_to_date(generate: ModuleType) -> None:
    """.env.example is what the settings say today."""
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == generate.env_example(), AGAIN


def test_the_page_of_settings_is_up_to_date(generate: ModuleType) -> None:
    """docs/settings.md is what the settings say today, and README leads to it."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == generate.settings_page.page(), AGAIN
    assert all(f"| `{setting.name}` |" in page for setting in SETTINGS)
    assert "(docs/settings.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_in_a_document_is_replaced_between_its_markers(generate: ModuleType) -> None:
    """What stands around the markers stays; a document without them is left alone."""
    begin, end = "<!-- settings:begin -->", "<!-- settings:end -->"
    after = generate.with_tables(f"# Title\n\n{begin}\nstale row\n{end}\n\nafter\n")
    assert after.startswith(f"# Title\n\n{begin}\n| Setting | Default | Meaning |\n")
    assert after.endswith(f"|\n{end}\n\nafter\n")
    assert "stale row" not in after
    assert generate.with_tables(after) == after
    assert generate.with_tables("nothing here") == "nothing here"


def test_every_setting_has_a_name_a_default_and_help() -> None:
    """One row a setting, named as its attribute in capitals, explained in sentences."""
    rows = settings_table()
    assert [name for name, _, _ in rows] == [setting.attribute.upper() for setting in SETTINGS]
    assert len({name for name, _, _ in rows}) == len(rows)
    assert all(help.endswith(".") for _, _, help in rows)
    assert set(SECTIONS) <= {name for name, _, _ in rows}


def test_the_defaults_that_are_shown_are_those_in_force(generate: ModuleType) -> None:
    """Every line of .env.example without an example value, taken as it stands, changes nothing."""
    plain = {setting.name for setting in SETTINGS if not setting.example}
    lines = [line[2:] for line in generate.env_example().splitlines() if line.startswith("# ") and "=" in line]
    shown = dotenv_values(stream=StringIO("\n".join(lines)), interpolate=False)
    given = {name: value or "" for name, value in shown.items() if name in plain}
    assert len(given) == len(plain)
    url = {"DATABASE_URL": "postgresql://db1/shop"}
    assert load_config({**given, **url}) == load_config(url)


def test_the_examples_are_valid() -> None:
    """An example value is one that the setting takes (files aside, which are not here)."""
    examples = {s.name: s.example for s in SETTINGS if s.example and s.kind is not Kind.FILE}
    one = {name: value for name, value in examples.items() if name != "DATABASE_URL"}
    other = {name: value for name, value in examples.items() if name != "MSSQL_CONNECTIONSTRING"}
    assert isinstance(load_config(one), Config)
    assert isinstance(load_config(other), Config)
