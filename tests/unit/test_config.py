"""Settings are read strictly, from the right place, and never show a secret."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mssqlclient_mcp.config import SETTINGS, Config, load_config
from mssqlclient_mcp.errors import ConfigInvalid
from mssqlclient_mcp.models import DatabaseMode
from mssqlclient_mcp.settings import Kind, nearest_name

URL = {"DATABASE_URL": "postgresql://reader@db1/shop"}
PACKAGE = Path(__file__).resolve().parents[2] / "mssqlclient_mcp"
NAMES = [setting.name for setting in SETTINGS]


def invalid(environ: dict[str, str]) -> ConfigInvalid:
    with pytest.raises(ConfigInvalid) as caught:
        load_config(environ)
    return caught.value


def test_defaults_hold_without_any_setting() -> None:
    """A connection is all that must be set; the rest is as documented, gates closed."""
    config = load_config(URL)
    assert config.connection.host == "db1"
    assert (config.default_command_timeout_seconds, config.max_rows, config.pool_max_size) == (30, 10_000, 10)
    assert config.enable_select_data
    gates = (config.enable_execute_query, config.enable_start_query, config.enable_write_queries)
    assert gates == (False, False, False)
    assert (config.transport, config.rate_limit_per_minute, config.health_port) == ("stdio", 0, None)
    assert config.warnings == ()


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("Yes", True), ("ON", True), (" true ", True)])
def test_a_switch_is_on_for_every_word_of_yes(text: str, value: bool) -> None:
    """true, 1, yes, on in any case."""
    assert load_config({**URL, "ENABLE_EXECUTE_QUERY": text}).enable_execute_query is value


@pytest.mark.parametrize("text", ["false", "0", "No", "OFF"])
def test_a_switch_is_off_for_every_word_of_no(text: str) -> None:
    """false, 0, no, off in any case."""
    assert load_config({**URL, "ENABLE_SELECT_DATA": text}).enable_select_data is False


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.kind is Kind.FLAG], ids=lambda s: s.name)
@pytest.mark.parametrize("text", ["treu", "2", "t", "enabled", "none"])
def test_a_misspelt_truth_is_an_error_naming_the_setting(setting: object, text: str) -> None:
    """Never a silent false."""
    name = setting.name  # type: ignore[attr-defined]
    error = invalid({**URL, name: text})
    assert error.message.startswith(f"{name} must be true or false")
    assert error.details["setting"] == name


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.kind is Kind.WHOLE], ids=lambda s: s.name)
def test_a_number_outside_its_bounds_is_an_error_naming_them(setting: object) -> None:
    """Bounds are part of the message; fractions, units and words are no numbers."""
    name, least, most = setting.name, setting.least, setting.most  # type: ignore[attr-defined]
    for text in (str(most + 1), "-1", "1.5", "30s", "many", "1e3", "١٢", "9" * 50, "1_0"):
        error = invalid({**URL, name: text})
        assert name in error.message
        assert f"{least} to {most}" in error.message
    if least > 1:
        assert name in invalid({**URL, name: str(least - 1)}).message


@pytest.mark.parametrize("name", ["TRANSPORT", "LOG_LEVEL", "LOG_FORMAT"])
def test_a_choice_takes_its_words_in_any_case_and_no_other(name: str) -> None:
    """The message lists the words."""
    setting = next(s for s in SETTINGS if s.name == name)
    for word in setting.choices:
        assert getattr(load_config({**URL, name: word.upper()}), name.lower()) == word
    assert ", ".join(setting.choices) in invalid({**URL, name: "other"}).message


def test_an_empty_value_counts_as_not_set() -> None:
    """Container files often pass a variable on empty."""
    assert load_config({**URL, **{name: " " for name in NAMES if name not in URL}}) == load_config(URL)


# --- the connection


def test_no_connection_names_the_three_ways() -> None:
    """The first message a newcomer sees says all that can be done."""
    step = invalid({}).next_step
    assert all(way in step for way in ("MSSQL_CONNECTIONSTRING", "DATABASE_URL", "demo"))


def test_two_connections_are_an_error() -> None:
    """We do not guess which was meant."""
    message = invalid({**URL, "MSSQL_CONNECTIONSTRING": "Server=x"}).message
    assert "MSSQL_CONNECTIONSTRING" in message
    assert "DATABASE_URL" in message


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({"MSSQL_CONNECTIONSTRING": "Server=x;Database=shop"}, DatabaseMode.DATABASE),
        ({"MSSQL_CONNECTIONSTRING": "Server=x"}, DatabaseMode.SERVER),
        ({"DATABASE_URL": "postgresql://x/shop"}, DatabaseMode.DATABASE),
        ({"DATABASE_URL": "postgresql://x"}, DatabaseMode.SERVER),
        ({"DATABASE_URL": "mssql://x/shop"}, DatabaseMode.DATABASE),
        ({"MSSQL_CONNECTIONSTRING": "mssql://x"}, DatabaseMode.SERVER),
    ],
)
def test_the_mode_follows_from_the_connection_string(environ: dict[str, str], mode: DatabaseMode) -> None:
    """A database in the string: database mode; none: server mode."""
    assert load_config(environ).mode is mode


@pytest.mark.parametrize(
    ("environ", "part"),
    [
        ({"MSSQL_CONNECTIONSTRING": "postgresql://x/shop"}, "DATABASE_URL"),
        ({"DATABASE_URL": "Server=x;Database=shop"}, "MSSQL_CONNECTIONSTRING"),
        ({"MSSQL_CONNECTIONSTRING": "Server=x;Databse=y"}, "MSSQL_CONNECTIONSTRING: "),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL: "),
    ],
)
def test_a_connection_string_at_fault_is_told_with_its_setting(environ: dict[str, str], part: str) -> None:
    """The message begins with the setting or says where the string belongs."""
    error = invalid(environ)
    assert part in error.message
    assert error.details["setting"] == next(iter(environ))


def test_the_connect_timeout_of_the_string_goes_before_the_setting() -> None:
    """The setting holds where the string is silent, or says to wait for ever."""
    given = {"CONNECTION_TIMEOUT_SECONDS": "9"}
    assert load_config({**given, **URL}).connection.connect_timeout == 9
    assert load_config({**given, "MSSQL_CONNECTIONSTRING": "Server=x;Connect Timeout=4"}).connection.connect_timeout == 4
    assert load_config({**given, "MSSQL_CONNECTIONSTRING": "Server=x;Connect Timeout=0"}).connection.connect_timeout == 9


# --- where settings come from


def test_a_dotenv_file_is_read_and_the_environment_goes_before_it(tmp_path: Path) -> None:
    """Quotes, comments, a byte-order mark; no interpolation, since a password may hold ${...}."""
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "\ufeff# local\nMAX_ROWS=500\nexport LOG_LEVEL=debug\n"
        "MSSQL_CONNECTIONSTRING='Server=.\\SQLEXPRESS;Password=a${HOME}#b'\n",
        encoding="utf-8",
    )
    config = load_config({"MAX_ROWS": "600"}, dotenv)
    assert (config.max_rows, config.log_level) == (600, "debug")
    assert config.connection.instance == "SQLEXPRESS"
    assert config.connection.password is not None
    assert config.connection.password.reveal() == "a${HOME}#b"


def test_the_environment_s_connection_replaces_that_of_the_dotenv_file(tmp_path: Path) -> None:
    """One in the environment and another in the file are no conflict: the environment wins. Overrides go before both."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("MSSQL_CONNECTIONSTRING=Server=x\n", encoding="utf-8")
    assert load_config(URL, dotenv).connection.dialect == "postgresql"
    config = load_config(URL, dotenv, overrides={"MSSQL_CONNECTIONSTRING": "Server=y", "TRANSPORT": "http"})
    assert (config.connection.host, config.transport, config.database_url) == ("y", "http", None)


def test_a_missing_dotenv_file_is_no_error_and_a_broken_one_is(tmp_path: Path) -> None:
    """Most people have none; one in another encoding would be half read."""
    assert load_config(URL, tmp_path / "none") == load_config(URL)
    broken = tmp_path / ".env"
    broken.write_bytes(b"MAX_ROWS=1\nX=\xff\xfe\n")
    with pytest.raises(ConfigInvalid, match="UTF-8"):
        load_config(URL, broken)


def test_without_an_argument_the_environment_of_the_process_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And .env in the working directory."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://fromenv/x")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("MAX_ROWS=77\nDEFAULT_MAX_ROWS=7\n", encoding="utf-8")
    config = load_config()
    assert (config.connection.host, config.max_rows, config.default_max_rows) == ("fromenv", 77, 7)


@pytest.mark.parametrize(
    ("alias", "text", "attribute", "value"),
    [
        ("EnableExecuteQuery", "true", "enable_execute_query", True),
        ("EnableExecuteStoredProcedure", "true", "enable_execute_stored_procedure", True),
        ("EnableStartQuery", "true", "enable_start_query", True),
        ("EnableStartStoredProcedure", "true", "enable_start_stored_procedure", True),
        ("DefaultCommandTimeoutSeconds", "40", "default_command_timeout_seconds", 40),
        ("ConnectionTimeoutSeconds", "5", "connection_timeout_seconds", 5),
        ("MaxConcurrentSessions", "3", "max_concurrent_sessions", 3),
        ("SessionCleanupIntervalMinutes", "30", "session_cleanup_interval_minutes", 30),
        ("TotalToolCallTimeoutSeconds", "60", "total_tool_call_timeout_seconds", 60),
    ],
)
def test_the_names_of_the_net_server_are_aliases(alias: str, text: str, attribute: str, value: object) -> None:
    """In any case, as .NET reads them (Windows hands them over in capitals)."""
    for name in (f"DatabaseConfiguration__{alias}", f"DATABASECONFIGURATION__{alias.upper()}"):
        config = load_config({**URL, name: text})
        assert getattr(config, attribute) == value
        assert config.warnings == ()


def test_the_connection_string_of_the_net_server_is_an_alias_too() -> None:
    """A configuration for the .NET server starts this one."""
    assert load_config({"DatabaseConfiguration__ConnectionString": "Server=x;Database=y"}).connection.host == "x"


@pytest.mark.parametrize("own_first", [True, False])
def test_our_own_name_goes_before_the_alias(own_first: bool) -> None:
    """Whatever their order in the environment."""
    pairs = [("MAX_CONCURRENT_SESSIONS", "4"), ("DatabaseConfiguration__MaxConcurrentSessions", "5")]
    environ = {**URL, **dict(pairs if own_first else pairs[::-1])}
    assert load_config(environ).max_concurrent_sessions == 4


# --- misspelt names


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ENABEL_EXECUTE_QUERY", "ENABLE_EXECUTE_QUERY"),
        ("ENABLE_EXECUTE_QUERIES", "ENABLE_EXECUTE_QUERY"),
        ("ENABLE_QUERY_EXECUTE", "ENABLE_EXECUTE_QUERY"),
        ("enable_execute_query", "ENABLE_EXECUTE_QUERY"),
        ("MSSQL_CONNECTION_STRING", "MSSQL_CONNECTIONSTRING"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("MAXROWS", "MAX_ROWS"),
        ("TRANSPROT", "TRANSPORT"),
        ("POOL-MAX-SIZE", "POOL_MAX_SIZE"),
        ("DEFAULT_COMMAND_TIMEOUT_SECOND", "DEFAULT_COMMAND_TIMEOUT_SECONDS"),
    ],
)
def test_a_misspelt_setting_is_named_with_the_nearest(name: str, meant: str) -> None:
    """A warning, since the name may belong to another program."""
    (warning,) = load_config({**URL, name: "x"}).warnings
    assert name in warning
    assert meant in warning


def test_an_unknown_name_of_the_net_server_is_named() -> None:
    """Its prefix leaves no doubt that it was meant for a server like this."""
    (warning,) = load_config({**URL, "DatabaseConfiguration__Foo": "x"}).warnings
    assert "DatabaseConfiguration__Foo" in warning


def test_other_programs_variables_cause_no_warning() -> None:
    """What stands in every environment is no misspelling."""
    usual = """
        PATH HOME USER LANG SHELL TERM PWD HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy PYTHONPATH VIRTUAL_ENV TMPDIR HOSTNAME
        PGHOST PGPORT PGUSER PGPASSWORD TEST_DATABASE_URL TEST_MSSQL_CONNECTIONSTRING LOGNAME XDG_SESSION_ID SSH_AUTH_SOCK
        LC_ALL LC_CTYPE EDITOR DISPLAY COLORTERM OLDPWD SHLVL NODE_ENV DEBUG PORT HOST SESSION_MANAGER KUBERNETES_PORT CI
        DATABASE_USER DATABASE_NAME APPDATA COMSPEC SYSTEMROOT USERPROFILE PROCESSOR_ARCHITECTURE
    """
    assert load_config({**URL, **dict.fromkeys(usual.split(), "x")}).warnings == ()


@given(st.text(max_size=40))
def test_the_nearest_name_never_fails(word: str) -> None:
    """Any variable name may stand in an environment."""
    assert nearest_name(word, NAMES) in {None, *NAMES}


@given(name=st.sampled_from([n for n in NAMES if len(n) >= 8]), data=st.data())
def test_one_letter_wrong_is_always_found(name: str, data: st.DataObject) -> None:
    """Left out, doubled or swapped with the next, in any place."""
    at = data.draw(st.integers(0, len(name) - 2))
    kind = data.draw(st.sampled_from(["out", "twice", "swap"]))
    wrong = {
        "out": name[:at] + name[at + 1 :],
        "twice": name[: at + 1] + name[at:],
        "swap": name[:at] + name[at + 1] + name[at] + name[at + 2 :],
    }[kind]
    found = nearest_name(wrong, NAMES)
    assert found is not None
    assert found == name or wrong in NAMES or len(set(found) ^ set(name)) < 8


# --- settings together


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("DEFAULT_COMMAND_TIMEOUT_SECONDS", "TOTAL_TOOL_CALL_TIMEOUT_SECONDS"),
        ("QUERY_HANDOFF_SECONDS", "TOTAL_TOOL_CALL_TIMEOUT_SECONDS"),
        ("SESSION_TIMEOUT_SECONDS", "SESSION_MAX_TIMEOUT_SECONDS"),
        ("SESSION_MAX_RESULT_MB", "SESSIONS_MAX_MEMORY_MB"),
        ("DEFAULT_MAX_ROWS", "MAX_ROWS"),
    ],
)
def test_a_setting_above_its_limit_is_an_error_and_a_default_gives_way(smaller: str, larger: str) -> None:
    """Who lowers the limit alone need not lower the default beneath it as well."""
    message = invalid({**URL, smaller: "21", larger: "20"}).message
    assert smaller in message
    assert larger in message
    config = load_config({**URL, larger: "20"})
    assert getattr(config, smaller.lower()) <= getattr(config, larger.lower()) == 20


def test_a_handoff_at_the_very_end_of_a_call_makes_no_sense() -> None:
    """It must come before the call's own end; 0 is off and always fine."""
    assert "less than" in invalid({**URL, "QUERY_HANDOFF_SECONDS": "20", "TOTAL_TOOL_CALL_TIMEOUT_SECONDS": "20"}).message
    assert load_config({**URL, "QUERY_HANDOFF_SECONDS": "0"}).query_handoff_seconds == 0
    assert load_config({**URL, "TOTAL_TOOL_CALL_TIMEOUT_SECONDS": "20"}).query_handoff_seconds == 19


def test_the_rate_limit_depends_on_the_transport() -> None:
    """Off on stdio, ten a minute over HTTP, and what was set in either."""
    assert load_config({**URL, "TRANSPORT": "http"}).rate_limit_per_minute == 10
    assert load_config({**URL, "TRANSPORT": "sse", "RATE_LIMIT_PER_MINUTE": "0"}).rate_limit_per_minute == 0
    assert load_config({**URL, "RATE_LIMIT_PER_MINUTE": "5"}).rate_limit_per_minute == 5


@pytest.mark.parametrize("text", ["", "0", "off", "no"])
def test_the_health_port_can_be_off(text: str) -> None:
    """Off by any of the usual words."""
    assert load_config({**URL, "HEALTH_PORT": text}).health_port is None
    assert load_config({**URL, "HEALTH_PORT": "9090"}).health_port == 9090


@pytest.mark.parametrize(
    ("environ", "part"),
    [
        ({"OAUTH_ISSUER": "https://a.example"}, "OAUTH_AUDIENCE"),
        ({"HTTP_TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, "HTTP_TRUSTED_PROXIES"),
        ({"TRANSPORT": "http", "HEALTH_PORT": "8000"}, "HEALTH_PORT"),
        ({"INSTRUCTIONS_FILE": "/no/such/file"}, "INSTRUCTIONS_FILE"),
        (
            {"OAUTH_ISSUER": "http://a.example", "OAUTH_AUDIENCE": "x", "OAUTH_JWKS_URL": "https://a.example/k"},
            "OAUTH_ISSUER",
        ),
        (
            {"OAUTH_ISSUER": "https://a.example", "OAUTH_AUDIENCE": "x", "OAUTH_JWKS_URL": "file:///k"},
            "OAUTH_JWKS_URL",
        ),
    ],
)
def test_what_cannot_be_meant_is_an_error(environ: dict[str, str], part: str) -> None:
    """Half of a pair, an address that is none, two services on one port, a file that is not there."""
    assert part in invalid({**URL, **environ}).message


def test_certificate_and_key_go_together(tmp_path: Path) -> None:
    """A certificate without its key serves nothing."""
    cert = tmp_path / "cert.pem"
    cert.write_text("x", encoding="utf-8")
    assert "HTTP_TLS_KEY" in invalid({**URL, "HTTP_TLS_CERT": str(cert)}).message
    assert load_config({**URL, "HTTP_TLS_CERT": str(cert), "HTTP_TLS_KEY": str(cert)}).http_tls_key == cert


def test_lists_are_separated_by_commas() -> None:
    """Spaces and empty places do not count."""
    config = load_config({**URL, "HTTP_ALLOWED_HOSTS": " a:1 , b ,", "HTTP_TRUSTED_PROXIES": "::1,10.1.2.3/8"})
    assert (config.http_allowed_hosts, config.http_trusted_proxies) == (("a:1", "b"), ("::1", "10.1.2.3/8"))


def test_writes_without_a_query_tool_are_odd() -> None:
    """No error, but hardly what was wanted."""
    (warning,) = load_config({**URL, "ENABLE_WRITE_QUERIES": "1"}).warnings
    assert "ENABLE_WRITE_QUERIES" in warning


# --- secrets, and who reads the environment


def test_no_secret_shows_in_the_config() -> None:
    """Neither repr nor str nor the error of another setting."""
    config = load_config(
        {
            "MSSQL_CONNECTIONSTRING": "Server=x;User Id=u;Password=Zq8hidden",
            "HTTP_BEARER_TOKEN": "Zq8token",
            "RATE_LIMIT_STORAGE_URI": "redis://:Zq8redis@h",
        }
    )
    assert "Zq8" not in f"{config!r} {config} {config.connection}"
    assert {"Zq8hidden", "Zq8token", "redis://:Zq8redis@h"} <= {secret.reveal() for secret in config.secrets}


def test_only_config_reads_the_environment() -> None:
    """No other module of the package says os.environ or getenv."""
    readers = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"):
                readers.add(path.relative_to(PACKAGE).as_posix())
            if isinstance(node, ast.ImportFrom) and node.module == "os":
                assert not {alias.name for alias in node.names} & {"environ", "getenv"}, path
    assert readers == {"config.py"}


def test_config_is_made_by_hand_in_tests_too() -> None:
    """Every setting has a default, so a Config needs a connection only."""
    connection = load_config(URL).connection
    assert Config(connection=connection).max_rows == 10_000
