"""Connection strings of all three forms are read as their own rules say, and faults are told without secrets."""

from __future__ import annotations

import copy
import pickle
from contextlib import suppress
from dataclasses import asdict, replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mssqlclient_mcp.connection_keywords import SQLSERVER_KEYWORDS
from mssqlclient_mcp.connection_string import ConnectionSettings, Secret, parse
from mssqlclient_mcp.errors import ConfigInvalid

SECRET = "Zq8-hidden-Xw3"  # no keyword, setting or message contains any long part of it


def revealed(settings: ConnectionSettings) -> str | None:
    return settings.password.reveal() if settings.password else None


def test_an_ado_net_string_is_read_into_every_field() -> None:
    """Each keyword of the list that matters reaches its field, in the field's type."""
    settings = parse(
        "Server=tcp:db1.example.com,1434;Database=shop;User Id=reader;Password=s3cret;Encrypt=Mandatory;"
        "TrustServerCertificate=False;Connect Timeout=7;ApplicationIntent=ReadOnly;MultiSubnetFailover=True;"
        "Application Name=report;Authentication=Sql Password"
    )
    assert settings == ConnectionSettings(
        dialect="sqlserver",
        host="db1.example.com",
        port=1434,
        database="shop",
        user="reader",
        password=Secret("s3cret"),
        encrypt="yes",
        trust_server_certificate=False,
        connect_timeout=7,
        application_intent="ReadOnly",
        multi_subnet_failover=True,
        application_name="report",
        authentication="SqlPassword",
    )


@pytest.mark.parametrize(
    ("keyword", "field"),
    [
        *((name, "host") for name in ("Server", "Data Source", "Address", "Addr", "Network Address", "SERVER")),
        *((name, "database") for name in ("Database", "Initial Catalog", "initial  catalog")),
        *((name, "user") for name in ("User Id", "User ID", "UID", "User", "UserId")),
        *((name, "password") for name in ("Password", "PWD", "pwd")),
        *((name, "application_name") for name in ("Application Name", "App", "ApplicationName")),
    ],
)
def test_every_synonym_reaches_the_same_field(keyword: str, field: str) -> None:
    """Synonyms and any case mean the same."""
    settings = parse(f"{keyword}=abc" if field == "host" else f"Server=x;{keyword}=abc")
    value = getattr(settings, field)
    assert (value.reveal() if isinstance(value, Secret) else value) == "abc"


@pytest.mark.parametrize(
    ("text", "encrypt"),
    [
        *((word, "yes") for word in ("True", "yes", "Mandatory", "1")),
        *((word, "no") for word in ("False", "no", "Optional", "0")),
        ("Strict", "strict"),
    ],
)
def test_encrypt_takes_the_words_of_old_and_new_drivers(text: str, encrypt: str) -> None:
    """True and Mandatory are one, False and Optional are one."""
    assert parse(f"Server=x;Encrypt={text}").encrypt == encrypt


@pytest.mark.parametrize("text", ["True", "yes", "SSPI"])
def test_integrated_security_takes_sspi_too(text: str) -> None:
    """SSPI is the spelling most strings carry."""
    assert parse(f"Server=x;Integrated Security={text}").integrated
    assert parse(f"Server=x;Trusted_Connection={text}").integrated


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("db1", ("db1", None, None)),
        ("db1,1500", ("db1", 1500, None)),
        ("tcp:db1 , 1500", ("db1", 1500, None)),
        (r"db1\SQLEXPRESS", ("db1", None, "SQLEXPRESS")),
        (r"db1\SQLEXPRESS,1500", ("db1", 1500, "SQLEXPRESS")),
        (".", ("localhost", None, None)),
        ("(local)", ("localhost", None, None)),
        ("LOCALHOST", ("localhost", None, None)),
        (r".\SQLEXPRESS", ("localhost", None, "SQLEXPRESS")),
        (r"(localdb)\MSSQLLocalDB", ("(localdb)", None, "MSSQLLocalDB")),
        ("::1", ("::1", None, None)),
        ("[::1],1433", ("::1", 1433, None)),
        ("tcp:2001:db8::7,1433", ("2001:db8::7", 1433, None)),
        ("admin:db1", ("admin:db1", None, None)),
        (r"np:\\db1\pipe\sql\query", (r"np:\\db1\pipe\sql\query", None, None)),
        ("shop.database.windows.net", ("shop.database.windows.net", None, None)),
    ],
)
def test_a_server_is_split_into_host_port_and_instance(server: str, expected: tuple[str, int | None, str | None]) -> None:
    """All the ways to write a server, IPv6 and local names included."""
    settings = parse(f"Server={server};Database=d")
    assert (settings.host, settings.port, settings.instance) == expected


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ('Password="a;b"', "a;b"),
        ("Password='a;b'", "a;b"),
        ('Password="a""b"', 'a"b'),
        ("Password='a''b'", "a'b"),
        ("""Password="a'b" """, "a'b"),
        ('Password = "  a b " ; Encrypt=no', "  a b "),
        ("Password=  a b  ", "a b"),
        ("Password={a}", "{a}"),
        ("Password=a=b", "a=b"),
        ('Password=a"b', 'a"b'),
        ('Password="Driver={x};DSN=y"', "Driver={x};DSN=y"),
        ('Password=""', None),
        ("Password=", None),
        ("Password=one;PWD=two", "two"),
    ],
)
def test_ado_net_values_follow_their_quoting_rules(text: str, password: str | None) -> None:
    """Quotes of either kind, doubled inside; braces mean nothing here; the last of several counts."""
    assert revealed(parse(f"Server=x;{text}")) == password


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("PWD={a;b}", "a;b"),
        ("PWD={a}}b}", "a}b"),
        ("PWD={}}}", "}"),
        ("PWD={ a };Encrypt=yes", " a "),
        ('PWD="ab"', '"ab"'),
        ("PWD=a{b", "a{b"),
        ("PWD={Server=evil}", "Server=evil"),
        ("PWD=one;PWD=two", "one"),
    ],
)
def test_odbc_values_follow_their_quoting_rules(text: str, password: str) -> None:
    """Braces with } doubled inside; quotes mean nothing here; the first of several counts."""
    assert revealed(parse(f"DRIVER={{ODBC Driver 18 for SQL Server}};SERVER=x;{text}")) == password


@pytest.mark.parametrize(
    "text",
    [
        "Server=x;UID=u;PWD={a;b}",
        "SERVER=x;PORT=1433;UID=u;PWD={a;b}",
        "Driver=FreeTDS;Server=x;UID=u;PWD={a;b}",
        " driver = {FreeTDS} ; server = x ; uid = u ; pwd = {a;b} ; ",
    ],
)
def test_odbc_is_recognised_without_a_driver_in_front(text: str) -> None:
    """Keywords that only ODBC has, or a password in braces, tell the form."""
    settings = parse(text)
    assert (settings.host, settings.user, revealed(settings)) == ("x", "u", "a;b")


def test_a_data_source_name_needs_no_server() -> None:
    """The data source knows server and driver; the name is handed on."""
    settings = parse("DSN=warehouse;UID=u;PWD=p;DATABASE=shop")
    assert settings.host == ""
    assert settings.option("dsn") == "warehouse"
    assert settings.database == "shop"


def test_odbc_keywords_of_other_drivers_are_handed_on() -> None:
    """What resembles no known keyword belongs to a driver we do not know."""
    settings = parse("DRIVER=FreeTDS;SERVER=x;TDS_Version=7.3;ZyxQuux=3;UID=u")
    assert settings.options == (("TDS_Version", "7.3"), ("ZyxQuux", "3"))


@pytest.mark.parametrize("keyword", [k for k in SQLSERVER_KEYWORDS if k.use.value == "ignored"], ids=lambda k: k.name)
def test_keywords_of_net_alone_are_accepted_and_ignored(keyword: object) -> None:
    """A string copied from a .NET application works as it is."""
    assert parse(f"Server=x;{keyword.name}=1") == parse("Server=x")  # type: ignore[attr-defined]


def test_ado_net_keywords_with_an_odbc_counterpart_become_options() -> None:
    """Their value goes to the driver under ODBC's own name."""
    text = "Server=x;Workstation ID=pc7;Host Name In Certificate=db.example.com;Current Language=German"
    assert parse(text).options == (("WSID", "pc7"), ("HostnameInCertificate", "db.example.com"), ("Language", "German"))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("Database=x", "names no server"),
        ("Server=", "names no server"),
        ("Server=x;Databse=y", "Database"),
        ("Server=x;Host=y", "Server"),
        ("Server=x;Encrypt=perhaps", "Encrypt"),
        ("Server=x;TrustServerCertificate=2", "TrustServerCertificate"),
        ("Server=x;Connect Timeout=soon", "Connect Timeout"),
        ("Server=x;Authentication=Magic", "Authentication"),
        ("Server=x,99999", "port"),
        ("Server=x,", "port"),
        ("Server=x:1433", "comma"),
        ("Server=x\\", "instance"),
        ('Server=x;Password="abc', "Password"),
        ('Server=x;Password="abc"d', "Password"),
        ("Server=x;nonsense", "'='"),
        ("DRIVER=FreeTDS;SERVER=x;Encrpyt=yes", "Encrypt"),
        ("Server=x;Password=a\0b", "NUL"),
        ("jdbc:sqlserver://x;databaseName=y", "JDBC"),
        ("mysql://x/y", "postgresql://"),
    ],
)
def test_a_fault_is_told_with_its_keyword(text: str, part: str) -> None:
    """The message names what is wrong, and where a name is near, that name."""
    with pytest.raises(ConfigInvalid) as caught:
        parse(text)
    assert part in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        f"Server=x;Password=a;{SECRET};User Id=u",
        f"Server=x;Password=a;{SECRET}=b",
        f"Server=x;PWD=a;b{SECRET}=c;d",
        f'Server=x;Password="{SECRET}',
        f'Server=x;Password="a"{SECRET}',
        f"Server=x;Password={SECRET};Encrypt=perhaps",
        f"DRIVER=FreeTDS;SERVER=x;PWD={{{SECRET}",
        f"DRIVER=FreeTDS;SERVER=x;PWD={{a}}{SECRET}",
        f"DRIVER=FreeTDS;SERVER=x;PWD=a;{SECRET}=b",
        f"DRIVER=FreeTDS;SERVER=x;PWD=a;{SECRET}",
        f"postgresql://u:{SECRET}/x@h/d",
        f"postgresql://u:a/{SECRET}@h/d",
        f"postgresql://u:a#{SECRET}@h/d",
        f"postgresql://u:a?{SECRET}=b@h/d",
        f"postgresql://u:a?{SECRET}@h/d",
        f"postgresql://u:{SECRET}%zz@h/d",
        f"postgresql://u:a@{SECRET}:x@h:y/d",
        f"postgresql://u@h:{SECRET}/d",
        f"mssql://u:{SECRET}/x@h/d",
        f"mssql://u:{SECRET}@h/d?Encrypt=perhaps",
    ],
)
def test_no_message_repeats_a_password_or_a_piece_of_one(text: str) -> None:
    """Whatever may belong to an unquoted password stays out of message, details and next step."""
    with pytest.raises(ConfigInvalid) as caught:
        parse(text)
    told = f"{caught.value.message} {caught.value.details} {caught.value.next_step} {caught.value!r}"
    assert SECRET not in told
    assert SECRET[:6] not in told


def test_secrets_do_not_print() -> None:
    """Neither the settings nor the secret shows its text by any of the usual ways."""
    settings = parse(f"DRIVER=FreeTDS;SERVER=x;UID=u;PWD={SECRET};KeystoreSecret={SECRET}")
    assert settings.password is not None
    shown = [repr(settings), str(settings), f"{settings}", f"{settings.password:>30}", str(asdict(settings)["password"])]
    assert not any(SECRET in text for text in shown)
    assert str(copy.deepcopy(settings.password)) == "****"
    with pytest.raises(TypeError):
        pickle.dumps(settings.password)
    assert {secret.reveal() for secret in settings.secrets} == {SECRET}


def test_secrets_are_compared_by_their_text() -> None:
    """Equal texts are equal secrets; a secret is no string."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


# --- URLs


def test_a_postgresql_url_is_read_as_libpq_reads_it() -> None:
    """Percent-encoding, IPv6, parameters, and the spelling postgres://."""
    settings = parse(
        "postgres://re%40der:p%2Fw%3A%25@[2001:db8::7]:5433/sh%20op?sslmode=require&application_name=a+b&connect_timeout=5"
    )
    assert settings == ConnectionSettings(
        dialect="postgresql",
        host="2001:db8::7",
        port=5433,
        database="sh op",
        user="re@der",
        password=Secret("p/w:%"),
        connect_timeout=5,
        application_name="a+b",
        options=(("sslmode", "require"),),
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://", ("", None, None)),
        ("postgresql:///shop", ("", None, "shop")),
        ("postgresql://h", ("h", None, None)),
        ("postgresql://h:1/", ("h", 1, None)),
        ("postgresql:///shop?host=/run/postgresql&port=6000", ("/run/postgresql", 6000, "shop")),
        ("postgresql://%2Frun%2Fpg/shop", ("/run/pg", None, "shop")),
        ("postgresql://h1:5432,h2:5432/shop", ("h1,h2", 5432, "shop")),
        ("postgresql://h1,h2/shop", ("h1,h2", None, "shop")),
        ("postgresql+psycopg://h/shop", ("h", None, "shop")),
        ("postgresql://u:p@/shop?host=/tmp/x", ("/tmp/x", None, "shop")),
        ("postgresql://h/shop?dbname=other", ("h", None, "other")),
        ("postgresql://h/%2C", ("h", None, ",")),
    ],
)
def test_hosts_ports_and_databases_of_a_postgresql_url(url: str, expected: tuple[str, int | None, str | None]) -> None:
    """Every part may be missing, come as a parameter, or several times."""
    settings = parse(url)
    assert (settings.host, settings.port, settings.database) == expected


def test_several_hosts_with_ports_of_their_own() -> None:
    """libpq takes a list of ports beside the list of hosts."""
    settings = parse("postgresql://h1:5432,h2:5433/shop?target_session_attrs=read-only")
    assert settings.host == "h1,h2"
    assert settings.port is None
    assert settings.options == (("port", "5432,5433"), ("target_session_attrs", "read-only"))


def test_an_mssql_url_takes_the_keywords_of_connection_strings() -> None:
    """Parameters are the keywords of ADO.NET and ODBC, with + for a space."""
    settings = parse(
        "mssql://sa:p%40ss@db1:1434/shop?Encrypt=yes&TrustServerCertificate=yes&driver=ODBC+Driver+17+for+SQL+Server&Application+Name=x"
    )
    assert settings == ConnectionSettings(
        dialect="sqlserver",
        host="db1",
        port=1434,
        database="shop",
        user="sa",
        password=Secret("p@ss"),
        encrypt="yes",
        trust_server_certificate=True,
        application_name="x",
        driver="ODBC Driver 17 for SQL Server",
    )


def test_an_mssql_url_may_name_an_instance_or_an_ipv6_address() -> None:
    """The instance's backslash may be encoded; IPv6 stands in brackets."""
    assert parse("mssql://h%5CSQLEXPRESS/d").instance == "SQLEXPRESS"
    assert parse("mssql://[::1]:1433/d").host == "::1"


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("postgresql://h:0/d", "port"),
        ("postgresql://h:70000/d", "port"),
        ("postgresql://h:abc/d", "port"),
        ("postgresql://::1/d", "brackets"),
        ("postgresql://h/d?sslmod=require", "sslmode"),
        ("postgresql://h/d?sslmode", "name=value"),
        ("postgresql://h/d?connect_timeout=soon", "connect_timeout"),
        ("postgresql://h/a/b", "percent-encoded"),
        ("postgresql://u:%FF@h/d", "password"),
        ("postgresql://u%00:x@h/d", "user"),
        ("postgresql://h1,h2/d?port=1,2,3", "number of ports"),
        ("mssql:///d", "no server"),
        ("mssql://h/d?Databse=x", "Database"),
    ],
)
def test_a_fault_in_a_url_is_told_with_its_part(url: str, part: str) -> None:
    """The message names the part of the URL, or the parameter and the nearest that is known."""
    with pytest.raises(ConfigInvalid) as caught:
        parse(url)
    assert part in caught.value.message


# --- properties

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=40)
TRICKY = st.text(st.sampled_from("ab;={}[]\"' \\,%@:/?#&+}\t"), min_size=1, max_size=20)
VALUE = st.one_of(TEXT, TRICKY)


def ado(value: str, quote_mark: str) -> str:
    return quote_mark + value.replace(quote_mark, quote_mark * 2) + quote_mark


@given(user=VALUE, password=VALUE, database=VALUE, mark=st.sampled_from("\"'"))
def test_any_value_survives_ado_net_quoting(user: str, password: str, database: str, mark: str) -> None:
    """Quoted values come back as they were, whatever they hold."""
    text = f"Server=x;User Id={ado(user, mark)};Password={ado(password, mark)};Database={ado(database, mark)};Encrypt=yes"
    settings = parse(text)
    assert settings == ConnectionSettings(
        dialect="sqlserver", host="x", user=user, password=Secret(password), database=database, encrypt="yes"
    )


@given(user=VALUE, password=VALUE, database=VALUE)
def test_any_value_survives_odbc_quoting(user: str, password: str, database: str) -> None:
    """Values in braces come back as they were, whatever they hold."""
    braced = ("{" + value.replace("}", "}}") + "}" for value in (user, password, database))
    settings = parse("SERVER=x;UID={};PWD={};DATABASE={};Encrypt=yes".format(*braced))
    assert settings == ConnectionSettings(
        dialect="sqlserver", host="x", user=user, password=Secret(password), database=database, encrypt="yes"
    )


@given(user=VALUE, password=VALUE, database=VALUE, scheme=st.sampled_from(["postgresql", "postgres", "mssql"]))
def test_any_value_survives_percent_encoding(user: str, password: str, database: str, scheme: str) -> None:
    """Encoded parts of a URL come back as they were, whatever they hold."""
    settings = parse(f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@x/{quote(database, safe='')}")
    expected = ConnectionSettings(dialect="postgresql", host="x", user=user, password=Secret(password), database=database)
    assert settings == (replace(expected, dialect="sqlserver") if scheme == "mssql" else expected)


@given(text=st.one_of(TEXT, TRICKY, st.text(st.sampled_from("Serv=x;PWDUIa{}\"'/:@?,\\ "), max_size=60)))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the reader fail in any other way than ConfigInvalid."""
    with suppress(ConfigInvalid):
        parse(text)
