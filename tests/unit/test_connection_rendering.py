"""What drivers are given: their own spelling, and no value outside its place."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg import conninfo

from mssqlclient_mcp.connection_string import ConnectionSettings, Secret, libpq_parameters, odbc_connection_string, parse
from mssqlclient_mcp.errors import ConfigInvalid, InvalidParameter, ObjectNotFound

DRIVER = "ODBC Driver 18 for SQL Server"


def render(settings: ConnectionSettings, *, freetds: bool = False, driver: str = DRIVER, database: str | None = None) -> str:
    return odbc_connection_string(settings, driver=driver, freetds=freetds, database=database, application_name=None)


def sqlserver(**fields: object) -> ConnectionSettings:
    return ConnectionSettings(dialect="sqlserver", host="db1", **fields)  # type: ignore[arg-type]


def odbc_pairs(text: str) -> list[tuple[str, str]]:
    """An ODBC reader by the letter of the rule, written for these tests: value = {anything, }} for }} or up to ';'."""
    pairs = []
    while text:
        keyword, _, text = text.partition("=")
        if text.startswith("{"):
            value, text = "", text[1:]
            while text[:1] != "}" or text[:2] == "}}":
                assert text, "a brace stays open"
                step = 2 if text[:2] == "}}" else 1
                value, text = value + text[0], text[step:]
            text = text[1:]
            assert text.startswith(";")
        else:
            value, text = text.partition(";")[0], ";" + text.partition(";")[2]
        pairs.append((keyword, value))
        text = text[1:]
    return pairs


def old_freetds_pairs(text: str) -> list[tuple[str, str]]:
    """How FreeTDS up to 1.3.20 reads: a value in braces ends at the first "};", and nothing in it is doubled."""
    pairs = []
    while text:
        keyword, _, text = text.partition("=")
        start, end = (1, text.find("};")) if text.startswith("{") else (0, text.find(";"))
        pairs.append((keyword, text[start:end]))
        text = text[end:].lstrip("}").removeprefix(";")
    return pairs


def test_microsofts_driver_gets_its_own_spelling() -> None:
    """Server with the port behind a comma, and every keyword of the driver."""
    settings = sqlserver(
        port=1434,
        instance="ignored",
        database="shop",
        user="u",
        password=Secret("p;w"),
        encrypt="strict",
        trust_server_certificate=False,
        application_intent="ReadOnly",
        multi_subnet_failover=True,
        application_name="own",
        options=(("WSID", "pc 7"),),
    )
    text = odbc_connection_string(settings, driver=DRIVER, freetds=False, database="other", application_name="given")
    assert text == (
        "DRIVER=ODBC Driver 18 for SQL Server;SERVER=db1,1434;Encrypt=strict;TrustServerCertificate=no;"
        "ApplicationIntent=ReadOnly;MultiSubnetFailover=yes;UID=u;PWD={p;w};DATABASE=other;APP=given;WSID=pc 7;"
    )


def test_freetds_gets_its_own_spelling() -> None:
    """Port apart, TDS 7.4, its own word for encryption, nothing it does not know."""
    settings = sqlserver(user="u", password=Secret("p"), encrypt="yes", trust_server_certificate=True, database="shop")
    assert render(settings, freetds=True, driver="FreeTDS") == (
        "DRIVER=FreeTDS;SERVER=db1;PORT=1433;TDS_Version=7.4;Encryption=require;UID=u;PWD=p;DATABASE=shop;"
    )


def test_an_instance_is_looked_up_only_without_a_port() -> None:
    """Both drivers get host\\instance; a port makes the name needless."""
    named = sqlserver(instance="SQLEXPRESS")
    assert ("SERVER", r"db1\SQLEXPRESS") in odbc_pairs(render(named))
    assert ("SERVER", r"db1\SQLEXPRESS") in odbc_pairs(render(named, freetds=True))
    assert not any(keyword == "PORT" for keyword, _ in odbc_pairs(render(named, freetds=True)))


def test_integrated_security_sends_no_password() -> None:
    """As ADO.NET does, user and password are left out."""
    settings = sqlserver(integrated=True, user="u", password=Secret("p"))
    for freetds in (False, True):
        keywords = dict(odbc_pairs(render(settings, freetds=freetds)))
        assert keywords["Trusted_Connection"].lower() == "yes"
        assert "UID" not in keywords
        assert "PWD" not in keywords


def test_a_data_source_brings_its_own_driver_and_server() -> None:
    """DSN comes first, since the first of DSN and DRIVER decides, and no DRIVER follows."""
    assert render(parse("DSN=warehouse;UID=u;PWD=p")) == "DSN=warehouse;UID=u;PWD=p;"


@pytest.mark.parametrize("driver", ["ODBC Driver 17 for SQL Server", "SQL Server", "/opt/libmsodbcsql-17.10.so.6.1"])
def test_strict_encryption_needs_driver_18(driver: str) -> None:
    """An older driver would refuse the word with a riddle; we name the remedy."""
    with pytest.raises(ConfigInvalid, match="Driver 18"):
        render(sqlserver(encrypt="strict"), driver=driver)


@pytest.mark.parametrize("driver", [DRIVER, "/opt/lib/libmsodbcsql-18.6.so.2.1", "ODBC Driver 19 for SQL Server"])
def test_strict_encryption_goes_to_drivers_that_know_it(driver: str) -> None:
    """By registered name or by the library's path."""
    assert ("Encrypt", "strict") in odbc_pairs(render(sqlserver(encrypt="strict"), driver=driver))


def test_freetds_refuses_what_it_would_silently_drop() -> None:
    """Strict encryption and Entra sign-in exist in Microsoft's driver only."""
    with pytest.raises(ConfigInvalid, match="Driver 18"):
        render(sqlserver(encrypt="strict"), freetds=True, driver="FreeTDS")
    with pytest.raises(ConfigInvalid, match="ActiveDirectoryMsi"):
        render(sqlserver(authentication="ActiveDirectoryMsi"), freetds=True, driver="FreeTDS")


@pytest.mark.parametrize("name", ["x" * 129, "a\0b", "\ud800"])
def test_a_database_name_that_none_can_have_is_not_sent(name: str) -> None:
    """Too long, NUL or broken Unicode: there is no such database, and no driver has to cope with it."""
    with pytest.raises(ObjectNotFound):
        render(sqlserver(), database=name)
    with pytest.raises(ObjectNotFound):
        libpq_parameters(parse("postgresql://h"), name, None)


def test_a_postgresql_name_over_63_bytes_is_not_cut_to_another_one() -> None:
    """The server would cut it silently and connect to whatever has the shorter name."""
    with pytest.raises(ObjectNotFound):
        libpq_parameters(parse("postgresql://h"), "é" * 32, None)
    assert libpq_parameters(parse("postgresql://h"), "e" * 63, None)["dbname"] == "e" * 63


def test_an_option_cannot_bring_a_keyword_of_its_own() -> None:
    """A keyword is letters, digits, underscores and spaces."""
    with pytest.raises(ConfigInvalid):
        render(sqlserver(options=(("a=b;UID", "x"),)))


def test_libpq_gets_its_parameters_by_name() -> None:
    """What is given goes before the settings; what is not set is left to libpq."""
    settings = parse("postgresql://u:p@h:5433/shop?sslmode=require&connect_timeout=5&application_name=own")
    assert libpq_parameters(settings, None, "given") == {
        "host": "h",
        "port": "5433",
        "dbname": "shop",
        "user": "u",
        "password": "p",
        "connect_timeout": "5",
        "application_name": "given",
        "sslmode": "require",
    }
    assert libpq_parameters(parse("postgresql:///"), None, None) == {"dbname": "postgres"}
    assert libpq_parameters(parse("postgresql://h1:1,h2:2/d"), "other", None) == {
        "host": "h1,h2",
        "port": "1,2",
        "dbname": "other",
    }
    assert libpq_parameters(parse("postgresql:///?service=shop"), None, None) == {"service": "shop"}


# --- properties

ANY = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=40)
TRICKY = st.text(st.sampled_from("ab;={}[]\"' \\,%@:/?#&+\t\n"), min_size=1, max_size=20)
VALUE = st.one_of(ANY, TRICKY)


@given(user=VALUE, password=VALUE, database=VALUE, application=VALUE, option=VALUE, driver=VALUE)
def test_no_odbc_value_leaves_its_place(
    user: str, password: str, database: str, application: str, option: str, driver: str
) -> None:
    """Read back by an independent reader, the text holds the keywords we meant with the values we meant, and no more."""
    settings = sqlserver(port=1433, user=user, password=Secret(password), options=(("WSID", option),))
    text = odbc_connection_string(settings, driver=driver, freetds=False, database=database, application_name=application)
    assert odbc_pairs(text) == [
        ("DRIVER", driver),
        ("SERVER", "db1,1433"),
        ("UID", user),
        ("PWD", password),
        ("DATABASE", database),
        ("APP", application),
        ("WSID", option),
    ]


@given(user=VALUE, password=VALUE, database=VALUE, application=VALUE)
@example(user="u", password="p", database="x};UID=sa;", application="a")
@example(user="u", password="p", database="}};UID=sa;", application="a")
@example(user="u", password="p", database="{x};UID=sa;", application="a")
@example(user="u", password="a}b", database="{", application="};UID=sa;{")
def test_no_value_leaves_its_place_in_any_version_of_freetds(user: str, password: str, database: str, application: str) -> None:
    """The old and the new reader of FreeTDS agree on every text we give it; what they read differently is refused."""
    settings = sqlserver(user=user, password=Secret(password))
    try:
        text = odbc_connection_string(settings, driver="FreeTDS", freetds=True, database=database, application_name=application)
    except (ConfigInvalid, InvalidParameter):
        assert any("}" in value for value in (user, password, database))
        return
    expected = [
        *(("DRIVER", "FreeTDS"), ("SERVER", "db1"), ("PORT", "1433"), ("TDS_Version", "7.4")),
        *(("UID", user), ("PWD", password), ("DATABASE", database), ("APP", application.replace("}", ")"))),
    ]
    assert odbc_pairs(text) == expected
    assert old_freetds_pairs(text) == expected


def test_a_data_source_is_written_for_every_driver_it_may_name() -> None:
    """Its driver is not known here, so what FreeTDS would read wrongly is refused for it as well."""
    settings = parse("DSN=warehouse;UID=u;PWD=p")
    with pytest.raises(InvalidParameter):
        render(settings, database="x};UID=sa;")
    with pytest.raises(ConfigInvalid):
        render(parse("DSN=warehouse;UID=u;PWD={p}};x}"))
    assert render(settings, database="x}y") == "DSN=warehouse;UID=u;PWD=p;DATABASE=x}y;"


@given(
    st.builds(
        ConnectionSettings,
        dialect=st.just("sqlserver"),
        host=st.sampled_from(["db1", "localhost", "::1", "10.0.0.1", "db.example.com"]),
        port=st.none() | st.integers(1, 65535),
        database=st.none() | VALUE,
        user=st.none() | VALUE,
        password=st.none() | VALUE.map(Secret),
        encrypt=st.sampled_from([None, "yes", "no", "strict"]),
        trust_server_certificate=st.sampled_from([None, True, False]),
        authentication=st.sampled_from([None, "SqlPassword", "ActiveDirectoryMsi"]),
        application_intent=st.sampled_from([None, "ReadOnly", "ReadWrite"]),
        multi_subnet_failover=st.sampled_from([None, True, False]),
        application_name=st.none() | VALUE,
        driver=st.just(DRIVER),
        options=st.just(()) | VALUE.map(lambda value: (("WSID", value),)),
    )
)
def test_writing_and_reading_odbc_are_inverse(settings: ConnectionSettings) -> None:
    """What is written for Microsoft's driver reads back as the same settings."""
    assert parse(render(settings)) == settings


@given(user=VALUE, password=VALUE, database=VALUE.filter(lambda name: len(name.encode()) <= 63), application=VALUE)
def test_no_libpq_value_leaves_its_place(user: str, password: str, database: str, application: str) -> None:
    """Put together by psycopg and taken apart by libpq, each parameter is what we meant, and there is no other."""
    settings = ConnectionSettings(dialect="postgresql", host="h", user=user, password=Secret(password))
    parameters = libpq_parameters(settings, database, application)
    assert conninfo.conninfo_to_dict(conninfo.make_conninfo("", **parameters)) == {
        "host": "h",
        "user": user,
        "password": password,
        "dbname": database,
        "application_name": application,
    }
