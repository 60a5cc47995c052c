"""Settings written out again: what is read back is the same."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mssqlclient_mcp.connection_settings import ConnectionSettings, Secret
from mssqlclient_mcp.connection_string import parse
from mssqlclient_mcp.connection_text import connection_text

EXAMPLES = (
    "Server=db1;Database=shop;User Id=reader;Password=hush-hush",
    "Server=db1\\PAYROLL,1444;Database=a b;Trusted_Connection=yes;Encrypt=Strict;Connect Timeout=7",
    "Server=tcp:db1,1433;User Id=u;Password='a;b';TrustServerCertificate=yes;ApplicationIntent=ReadOnly;Workstation ID=w1",
    "DRIVER={ODBC Driver 18 for SQL Server};SERVER=db1,1433;UID=u;PWD={a;b};Encrypt=no;MARS_Connection=yes",
    "DSN=warehouse;UID=u;PWD=hush-hush",
    "DRIVER=FreeTDS;SERVER=db1;PORT=1433;UID=u;PWD=hush-hush;TDS_Version=7.4",
    "Server=db1;Authentication=Active Directory Default;User Id=client-id;MultiSubnetFailover=True",
    "mssql://u:hush-hush@db1:1433/shop?Application+Name=a",
    "postgresql://u:hush-hush@db1:5433/shop?sslmode=verify-full&sslrootcert=/etc/ca%20s.pem&connect_timeout=7",
    "postgresql://u@/shop?host=/var/run/postgresql",
    "postgresql://u:hush-hush@a:1,b:2/shop?application_name=x",
    "postgresql://u:hush-hush@a,b/shop",
    "postgresql://[::1]:5433/shop?sslkey=/k&sslpassword=of-the-key",
    "postgresql:///?service=shop",
    "postgresql://me@db1/shop?authentication=ActiveDirectoryDefault",
)


def secret_of(settings: ConnectionSettings, name: str, value: str) -> str:
    """The secret itself, written as its place needs it."""
    del name
    return quote(value, safe="") if settings.dialect == "postgresql" else value


@pytest.mark.parametrize("text", EXAMPLES)
def test_settings_are_read_back_as_they_were(text: str) -> None:
    """Every form of connection string, with its options."""
    settings = parse(text)
    assert parse(connection_text(settings, lambda name, value: secret_of(settings, name, value))) == settings


@pytest.mark.parametrize("text", EXAMPLES)
def test_no_secret_is_written(text: str) -> None:
    """A name in angle brackets stands in its place, and is read as that."""
    settings = parse(text)
    written = connection_text(settings, lambda name, _: f"<{name}>")
    assert not any(secret.reveal() in written for secret in settings.secrets)
    again = parse(written)
    if settings.password:
        assert again.password == Secret("<password>")


VALUE = st.text(st.sampled_from("ab1;={}[]\"' \\,%@:/?#&+é漢<>$"), min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)


@given(user=VALUE, database=VALUE, application=VALUE)
@pytest.mark.parametrize("form", ["sqlserver", "odbc", "postgresql"])
def test_values_stay_in_their_places(form: str, user: str, database: str, application: str) -> None:
    """Whatever signs they hold."""
    settings = ConnectionSettings(
        "postgresql" if form == "postgresql" else "sqlserver",
        "db1",
        user=user,
        database=database,
        application_name=application,
        driver="FreeTDS" if form == "odbc" else None,
    )
    assert parse(connection_text(settings, lambda name, _: f"<{name}>")) == settings
