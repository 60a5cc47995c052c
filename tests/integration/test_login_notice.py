"""What the log says of a login that could write."""

from __future__ import annotations

import logging

import psycopg
import pytest

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.login_notice import notice
from mssqlclient_mcp.models import LoginRights


def test_an_administrator_is_warned_of_once(postgres_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """The first query says it in the log, the second does not say it again."""
    caplog.set_level(logging.INFO, "mssqlclient_mcp.login_notice")
    with DatabaseService(load_config({"DATABASE_URL": postgres_url, "ENABLE_EXECUTE_QUERY": "true"})) as service:
        for _ in range(2):
            with service.call(10):
                service.execute_query(service.settings.database, "SELECT 1")
    [record] = caplog.records
    with psycopg.connect(postgres_url) as connection:
        [superuser] = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() or [None]
    assert record.levelno == logging.WARNING
    assert ("administrator" in record.message) is superuser


@pytest.mark.parametrize(
    ("administrator", "can_write", "level", "words"),
    [
        (True, True, logging.WARNING, "administrator"),
        (False, True, logging.WARNING, "can write"),
        (False, False, logging.INFO, "can only read"),
        (None, None, logging.INFO, "could not be seen"),
    ],
)
def test_each_kind_of_login_has_its_words(administrator: bool | None, can_write: bool | None, level: int, words: str) -> None:
    """Only a login that could write is a warning."""
    told = notice(LoginRights("ada", "ada", administrator, None, can_write))
    assert told[0] == level
    assert words in told[1]
    assert "ada" in told[1]
