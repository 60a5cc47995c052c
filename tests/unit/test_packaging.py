"""What describes the package elsewhere (registry entry, bundle, container, compose file) says what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from mssqlclient_mcp import __version__
from mssqlclient_mcp.config import SETTINGS, load_config
from mssqlclient_mcp.settings import Kind

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTING = {setting.name: setting for setting in SETTINGS}
EXTRAS = set(re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE))

# What the registry's schema of 2025-12-11 asks of the parts that are used here.
_INPUT = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "format": {"enum": ["string", "number", "boolean", "filepath"]},
        "default": {"type": "string"},
        "isSecret": {"type": "boolean"},
    },
}
_PACKAGE = {
    "type": "object",
    "required": ["registryType", "identifier", "version", "transport"],
    "properties": {
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
        "transport": {"type": "object", "required": ["type"], "properties": {"type": {"const": "stdio"}}},
        "environmentVariables": {"type": "array", "items": _INPUT},
        "runtimeArguments": {"type": "array", "items": {"type": "object", "required": ["type", "name", "value"]}},
    },
}
SERVER_JSON = Draft7Validator(
    {
        "type": "object",
        "required": ["$schema", "name", "description", "version", "packages"],
        "properties": {
            "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
            "name": {"type": "string", "pattern": r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$", "maxLength": 200},
            "title": {"type": "string", "minLength": 1, "maxLength": 100},
            "description": {"type": "string", "minLength": 1, "maxLength": 100},
            "packages": {"type": "array", "minItems": 1, "items": _PACKAGE},
        },
    }
)


@pytest.fixture(scope="module")
def server_json() -> dict[str, Any]:
    """The entry for the MCP registry."""
    entry: dict[str, Any] = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    return entry


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """The manifest of the MCP bundle."""
    read: dict[str, Any] = json.loads((ROOT / "packaging" / "mcpb" / "manifest.json").read_text(encoding="utf-8"))
    return read


def test_the_registry_entry_keeps_the_rules_of_its_schema(server_json: dict[str, Any]) -> None:
    """Lengths, patterns and required fields; the description is short enough for the registry."""
    assert [error.message for error in SERVER_JSON.iter_errors(server_json)] == []


def test_the_readme_proves_whose_the_registry_entry_is(server_json: dict[str, Any]) -> None:
    """The registry looks for this comment in the README of the published package."""
    assert f"<!-- mcp-name: {server_json['name']} -->" in README


def test_the_registry_entry_has_the_version_and_settings_of_the_code(server_json: dict[str, Any]) -> None:
    """One version everywhere; each variable is a setting, with its default, and secret where it can hold a secret."""
    (package,) = server_json["packages"]
    assert server_json["version"] == package["version"] == __version__
    for variable in package["environmentVariables"]:
        setting = SETTING[variable["name"]]
        assert variable.get("default", "") == setting.default
        assert (variable.get("format") == "boolean") == (setting.kind is Kind.FLAG)
        assert (variable.get("format") == "filepath") == (setting.kind is Kind.FILE)
        holds_a_secret = setting.kind is Kind.SECRET or setting.name in ("MSSQL_CONNECTIONSTRING", "DATABASE_URL")
        assert variable.get("isSecret", False) == holds_a_secret
    asked = package["runtimeArguments"][0]["value"]
    assert set(asked.partition("[")[2].rstrip("]").split(",")) <= EXTRAS


def test_the_bundle_has_the_version_and_settings_of_the_code(manifest: dict[str, Any]) -> None:
    """Each variable is a setting and has its question; switches have the default of the code."""
    assert manifest["version"] == __version__
    config = manifest["server"]["mcp_config"]
    asked = manifest["user_config"]
    assert set(config["env"]) <= set(SETTING)
    assert config["env"] == {name: f"${{user_config.{name.lower()}}}" for name in config["env"]}
    assert set(asked) == {name.lower() for name in config["env"]}
    for name, question in asked.items():
        setting = SETTING[name.upper()]
        if setting.kind is Kind.FLAG:
            assert question["type"] == "boolean"
            assert str(question["default"]).lower() == setting.default
    extras = [config["args"][i + 1] for i, word in enumerate(config["args"]) if word == "--extra"]
    assert set(extras) <= EXTRAS


def test_the_bundle_marks_what_holds_a_password(manifest: dict[str, Any]) -> None:
    """Both connection strings are kept as secrets by the client."""
    sensitive = {name for name, question in manifest["user_config"].items() if question.get("sensitive")}
    assert sensitive == {"mssql_connectionstring", "database_url"}


def test_what_is_left_empty_in_the_bundle_counts_as_not_set(manifest: dict[str, Any]) -> None:
    """A client puts empty text where nothing was typed; with one of the two connections filled in, the server starts."""
    typed = {"database_url": "postgresql://reader@db.example.com/shop"}
    answers = {name: typed.get(name, question["default"]) for name, question in manifest["user_config"].items()}
    environment = {name.upper(): str(value).lower() if isinstance(value, bool) else value for name, value in answers.items()}
    config = load_config(environment)
    assert config.connection.dialect == "postgresql"
    assert not config.enable_execute_query


def test_the_bundle_starts_a_file_that_is_in_it(manifest: dict[str, Any]) -> None:
    """The entry point exists in the package."""
    assert (ROOT / manifest["server"]["entry_point"]).is_file()
    assert manifest["server"]["mcp_config"]["args"][-1] == "mssqlclient-mcp"


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, comments left out and lines joined."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#")).replace("\\\n", " ")
    return [(first, rest.strip()) for first, _, rest in (line.partition(" ") for line in text.splitlines() if line.strip())]


def test_the_container_runs_without_rights_and_is_watched() -> None:
    """Slim base, a user that is not root, a health check on the port that is set, and the program as entry point."""
    instructions = dockerfile()
    last = dict(instructions)
    assert all("-slim" in rest for name, rest in instructions if name == "FROM")
    assert last["USER"].isdigit()
    assert int(last["USER"]) > 0
    assert json.loads(last["ENTRYPOINT"]) == ["mssqlclient-mcp"]
    settings = dict(re.findall(r"(\w+)=(\S+)", last["ENV"]))
    assert "HEALTH_PORT" in SETTING
    assert settings["HEALTH_PORT"].isdigit()
    check = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])
    assert "/health/live" in check[-1]
    compile(check[-1], "HEALTHCHECK", "exec")


def test_the_container_is_built_of_files_that_are_there_and_not_ignored() -> None:
    """What is copied exists and passes .dockerignore; the extras exist."""
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name, rest in dockerfile():
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                part = source.removeprefix("./")
                assert (ROOT / part).exists()
                assert f"!{part}" in ignore
    (extras,) = (rest.partition("=")[2] for name, rest in dockerfile() if name == "ARG")
    assert set(extras.split(",")) <= EXTRAS


def test_the_compose_file_brings_both_databases_on_this_machine_only() -> None:
    """Ports are bound to loopback, the server's settings exist, and the sample that is mounted is there."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    images = " ".join(service.get("image", "") for service in services.values())
    assert "mssql/server" in images
    assert "postgres:" in images
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert set(services["mcp"]["environment"]) <= set(SETTING)
    assert services["mcp"]["profiles"] == ["serve"]
    (sample,) = (mount.split(":")[0] for mount in services["postgresql"]["volumes"] if mount.startswith("./"))
    assert (ROOT / sample).is_file()


def test_no_address_of_a_package_registry_stands_in_what_is_shipped() -> None:
    """Where packages come from is the business of each installation."""
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com")
    files = [
        ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml", "server.json", "Dockerfile", "Makefile")
    ]
    files += [
        path
        for folder in (".github", "docs", "packaging", "scripts", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    found = [str(path) for path in files if any(host in path.read_text(encoding="utf-8") for host in hosts)]
    assert found == []
