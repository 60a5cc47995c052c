"""One schema with every case that a catalogue can hold, written for each database; tests compare what we tell about it."""

from __future__ import annotations

from contextlib import closing

from mssqlclient_mcp.dialects.base import dialect_for
from tests.databases import TestDatabase

SCHEMA = "golden"

POSTGRESQL = (
    "DROP SCHEMA IF EXISTS golden CASCADE",
    'DROP SCHEMA IF EXISTS "odd schema.x" CASCADE',
    "CREATE SCHEMA golden",
    'CREATE SCHEMA "odd schema.x"',
    "CREATE TYPE golden.mood AS ENUM ('sad', 'ok')",
    "CREATE DOMAIN golden.email AS text NOT NULL CHECK (VALUE LIKE '%@%')",
    """CREATE TABLE golden.customers (
        id integer GENERATED ALWAYS AS IDENTITY (START WITH 5 INCREMENT BY 2) PRIMARY KEY,
        name varchar(40) NOT NULL DEFAULT 'nobody',
        loud_name text GENERATED ALWAYS AS (upper(name)) STORED,
        credit numeric(10,2) CONSTRAINT credit_ok CHECK (credit >= 0),
        code text COLLATE "C" CONSTRAINT customers_code UNIQUE,
        contact golden.email, feeling golden.mood, tags text[], born timestamptz(3))""",
    "COMMENT ON TABLE golden.customers IS 'Who buys, e.g. the Müllers'",
    "COMMENT ON COLUMN golden.customers.name IS 'Family name'",
    """CREATE TABLE golden.orders (
        id bigserial, line smallint NOT NULL, customer_id integer NOT NULL,
        parent_id bigint, parent_line smallint, placed date NOT NULL, note text,
        CONSTRAINT orders_pk PRIMARY KEY (id, line),
        CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES golden.customers (id)
            ON DELETE CASCADE ON UPDATE RESTRICT,
        CONSTRAINT orders_parent FOREIGN KEY (parent_id, parent_line) REFERENCES golden.orders (id, line)
            ON DELETE SET NULL)""",
    "ALTER TABLE golden.orders ADD CONSTRAINT note_short CHECK (length(note) < 1000) NOT VALID",
    "CREATE INDEX orders_placed ON golden.orders (placed DESC, customer_id) INCLUDE (note) WHERE parent_id IS NULL",
    "CREATE INDEX orders_lower ON golden.orders (lower(note)) WITH (fillfactor = 70)",
    "CREATE INDEX orders_hash ON golden.orders USING hash (customer_id)",
    "CREATE INDEX customers_tags ON golden.customers USING gin (tags)",
    "CREATE INDEX orders_brin ON golden.orders USING brin (placed)",
    """CREATE TABLE golden.bookings (room int, during int4range,
        CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&))""",
    "CREATE TABLE golden.events (id int, happened date NOT NULL, what text, PRIMARY KEY (id, happened)) "
    "PARTITION BY RANGE (happened)",
    "CREATE TABLE golden.events_2024 PARTITION OF golden.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "CREATE TABLE golden.events_rest PARTITION OF golden.events DEFAULT",
    "CREATE VIEW golden.big_spenders AS SELECT id, name FROM golden.customers WHERE credit > 1000",
    "COMMENT ON VIEW golden.big_spenders IS 'Best customers'",
    "CREATE MATERIALIZED VIEW golden.totals AS SELECT customer_id, count(*) AS n FROM golden.orders GROUP BY customer_id",
    """CREATE FUNCTION golden.touch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      -- keeps the peculiar marker word
      RETURN NEW;
    END $$""",
    "CREATE TRIGGER orders_touch BEFORE INSERT OR UPDATE ON golden.orders FOR EACH ROW EXECUTE FUNCTION golden.touch()",
    "CREATE FUNCTION golden.add_up(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT a + b'",
    "CREATE FUNCTION golden.add_up(a text) RETURNS text LANGUAGE sql AS 'SELECT a'",
    "CREATE PROCEDURE golden.restock(INOUT amount int) LANGUAGE plpgsql AS $$ BEGIN amount := amount * 2; END $$",
    'CREATE TABLE "odd schema.x"."T ""q"" [b] ünï" ("C 1" int PRIMARY KEY, "select" text)',
    'CREATE TABLE golden."Orders" ("ID" int)',
    "INSERT INTO golden.customers (name, credit, code, contact) "
    "SELECT 'n' || i, i, 'c' || i, i || '@x' FROM generate_series(1, 500) AS i",
    "INSERT INTO golden.events SELECT i, date '2024-06-01', 'x' FROM generate_series(1, 200) AS i",
    "ALTER TABLE golden.bookings ENABLE ROW LEVEL SECURITY",
    "ANALYZE golden.customers, golden.events_2024",
)

SQLSERVER = (
    "CREATE SCHEMA golden",
    "CREATE SCHEMA [odd schema.x]",
    """CREATE TABLE golden.customers (
        id int IDENTITY(5, 2) NOT NULL CONSTRAINT customers_pk PRIMARY KEY,
        name nvarchar(40) NOT NULL CONSTRAINT name_default DEFAULT N'nobody',
        loud_name AS (UPPER(name)),
        credit decimal(10, 2) NULL CONSTRAINT credit_ok CHECK (credit >= 0),
        code varchar(20) NULL CONSTRAINT customers_code UNIQUE,
        picture varbinary(max) NULL, born datetime2(3) NULL)""",
    """CREATE TABLE golden.orders (
        id bigint NOT NULL, line smallint NOT NULL, customer_id int NOT NULL, parent_id bigint NULL, parent_line smallint NULL,
        placed date NOT NULL, note nvarchar(200) NULL,
        CONSTRAINT orders_pk PRIMARY KEY (id, line),
        CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES golden.customers (id) ON DELETE CASCADE,
        CONSTRAINT orders_parent FOREIGN KEY (parent_id, parent_line) REFERENCES golden.orders (id, line))""",
    "CREATE INDEX orders_placed ON golden.orders (placed, customer_id)",
    "CREATE VIEW golden.big_spenders AS SELECT id, name FROM golden.customers WHERE credit > 1000",
    """CREATE PROCEDURE golden.restock @amount int OUTPUT AS
    BEGIN
      -- keeps the peculiar marker word
      SET @amount = @amount * 2
    END""",
    "CREATE FUNCTION golden.add_up (@a int, @b int) RETURNS int AS BEGIN RETURN @a + @b END",
    'CREATE TABLE [odd schema.x]."T ""q"" [b] ünï" ([C 1] int NOT NULL PRIMARY KEY, [select] nvarchar(10) NULL)',
    "INSERT INTO golden.customers (name, credit, code) VALUES (N'a', 1, 'a'), (N'b', 2, 'b')",
)

SQLSERVER_DROP = (
    "DROP FUNCTION IF EXISTS golden.add_up",
    "DROP PROCEDURE IF EXISTS golden.restock",
    "DROP VIEW IF EXISTS golden.big_spenders",
    "DROP TABLE IF EXISTS golden.orders",
    "DROP TABLE IF EXISTS golden.customers",
    'DROP TABLE IF EXISTS [odd schema.x]."T ""q"" [b] ünï"',
    "DROP SCHEMA IF EXISTS golden",
    "DROP SCHEMA IF EXISTS [odd schema.x]",
)

ODD_NAME = {
    "postgresql": '"odd schema.x"."T ""q"" [b] ünï"',
    "sqlserver": '[odd schema.x].[T "q" [b]] ünï]',
}


def load(database: TestDatabase) -> None:
    """Make the golden schema afresh in a database."""
    statements = POSTGRESQL if database.dialect == "postgresql" else (*SQLSERVER_DROP, *SQLSERVER)
    connection = dialect_for(database.dialect, odbc_driver=database.environment.get("MSSQL_ODBC_DRIVER")).connect(
        database.config().connection, database=None, application_name="golden-schema"
    )
    with closing(connection):
        for statement in statements:
            connection.execute_script(statement)
            connection.commit()
