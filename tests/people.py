"""A small schema that the structured reads are tested on, alike on every database: people with NULLs and odd texts, their
visits, a table with an odd name, one without a key, and a view."""

from __future__ import annotations

from contextlib import closing

from mssqlclient_mcp.dialects.base import dialect_for
from tests.databases import TestDatabase

ANN = "6f9619ff-8b86-d011-b42d-00c04fc964f1"

# id, name, nick, city, age, score, active, big, ref, born, made
PEOPLE: tuple[tuple[object, ...], ...] = (
    (1, "Ann", "a_1", "Oslo", 30, "10.50", True, 9007199254740993, ANN, "1990-01-31", "2024-01-01T10:00:00.125"),
    (2, "Bob", None, "Oslo", None, "20.00", False, 2, None, "1985-05-05", "2024-01-02T00:00:00"),
    (3, "Cid", "100%", "Rome", 41, None, True, 3, None, None, "2024-01-03T00:00:00"),
    (4, "Dee", "100x", "Rome", 41, "0.25", None, None, None, "2000-02-29", None),
    (5, "Eve", "[x]", None, 17, "-5.00", False, -5, None, "2007-12-01", None),
    (6, "Fay", "x", "Bonn", 30, "10.50", True, 6, None, None, None),
    (7, "Gus O'Neil", "back\\slash", "bonn", None, None, True, 7, None, None, None),
    (8, "Hal; --", 'q"q', "Oslo", 64, "99999999.99", None, 8, None, None, None),
)

COLUMNS = ("id", "name", "nick", "city", "age", "score", "active", "big", "ref", "born", "made")

ODD_COLUMN = "c\"'; --"
ODD_COLUMN_QUOTED = {"postgresql": '"c""\'; --"', "sqlserver": "[c\"'; --]"}
ODD_TABLE = {"postgresql": 'reads."T""; DROP TABLE people; --"', "sqlserver": 'reads.[T"; DROP TABLE people; --]'}
"""Names full of signs, quoted. A bracket closed within brackets, which not every T-SQL endpoint takes, is for unit tests."""

POSTGRESQL = (
    "DROP SCHEMA IF EXISTS reads CASCADE",
    "CREATE SCHEMA reads",
    """CREATE TABLE reads.people (id int PRIMARY KEY, name varchar(40) NOT NULL, nick text, city varchar(20), age int,
        score numeric(10,2), active boolean, big bigint, ref uuid, born date, made timestamp)""",
    """CREATE TABLE reads.visits (person int NOT NULL, place varchar(10) NOT NULL, day date NOT NULL, cost numeric(8,2),
        PRIMARY KEY (place, person))""",
    "CREATE TABLE reads.loose (n int, word text)",
    "CREATE VIEW reads.grown AS SELECT id, name, age FROM reads.people WHERE age >= 18",
)
SQLSERVER = (
    "DROP VIEW IF EXISTS reads.grown",
    "DROP TABLE IF EXISTS reads.people",
    "DROP TABLE IF EXISTS reads.visits",
    "DROP TABLE IF EXISTS reads.loose",
    f"DROP TABLE IF EXISTS {ODD_TABLE['sqlserver']}",
    "DROP SCHEMA IF EXISTS reads",
    "CREATE SCHEMA reads",
    """CREATE TABLE reads.people (id int NOT NULL PRIMARY KEY, name varchar(40) NOT NULL, nick nvarchar(100), city varchar(20),
        age int, score decimal(10,2), active bit, big bigint, ref uniqueidentifier, born date, made datetime2(3))""",
    """CREATE TABLE reads.visits (person int NOT NULL, place varchar(10) NOT NULL, day date NOT NULL, cost decimal(8,2),
        PRIMARY KEY (place, person))""",
    "CREATE TABLE reads.loose (n int, word nvarchar(20))",
    "CREATE VIEW reads.grown AS SELECT id, name, age FROM reads.people WHERE age >= 18",
)


def load(database: TestDatabase) -> None:
    """Make the schema afresh in a database."""
    postgres = database.dialect == "postgresql"
    rows = ", ".join(f"({', '.join(literal(value, postgres=postgres) for value in row)})" for row in PEOPLE)
    visits = ", ".join(f"({n % 7}, 'p{n:03}', '2024-01-{n % 28 + 1:02}', {n}.50)" for n in range(60))
    loose = ", ".join(f"({n}, 'w{n}')" for n in range(5))
    odd_table, odd_column = ODD_TABLE[database.dialect], ODD_COLUMN_QUOTED[database.dialect]
    statements = (
        *(POSTGRESQL if postgres else SQLSERVER),
        f"CREATE TABLE {odd_table} ({odd_column} int NOT NULL PRIMARY KEY, plain varchar(10))",
        f"INSERT INTO {odd_table} VALUES (1, 'one'), (2, 'two')",
        f"INSERT INTO reads.people ({', '.join(COLUMNS)}) VALUES {rows}",
        f"INSERT INTO reads.visits VALUES {visits}",
        f"INSERT INTO reads.loose VALUES {loose}",
    )
    run(database, *statements)


def run(database: TestDatabase, *statements: str) -> None:
    """Run statements one after the other, each for itself."""
    connection = dialect_for(database.dialect, odbc_driver=database.environment.get("MSSQL_ODBC_DRIVER")).connect(
        database.config().connection, database=None, application_name="people"
    )
    with closing(connection):
        for statement in statements:
            connection.execute_script(statement)
            connection.commit()


def literal(value: object, *, postgres: bool) -> str:
    """A value of PEOPLE as SQL text."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower() if postgres else str(int(value))
    if isinstance(value, int):
        return str(value)
    return ("" if postgres else "N") + "'" + str(value).replace("'", "''") + "'"
