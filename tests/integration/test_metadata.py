"""The catalogue of a real PostgreSQL as we tell it, against what the server's own functions and views say; and, on every
database at hand, names as the server resolves them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
import pytest

from mssqlclient_mcp.database_service import DatabaseService
from mssqlclient_mcp.dialects.catalog import catalog_for
from mssqlclient_mcp.errors import ObjectNotFound, PermissionDenied
from mssqlclient_mcp.metadata import Metadata, Search
from tests import golden_schema
from tests.databases import TestDatabase, postgres_database
from tests.golden_schema import ODD_NAME

Rows = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def golden_postgres(postgres_url: str) -> str:
    """The URL of a PostgreSQL database with the golden schema."""
    golden_schema.load(postgres_database(postgres_url))
    return postgres_url


@pytest.fixture
def server(golden_postgres: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The server itself, to compare with."""
    with psycopg.connect(golden_postgres, autocommit=True) as made:
        yield made


class Counting:
    """A catalogue reader over a real connection that remembers what it was asked."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection
        self.asked: list[str] = []

    def __call__(self, database: str | None, sql: str, values: Sequence[object]) -> list[dict[str, object]]:
        self.asked.append(sql)
        with psycopg.RawCursor(self._connection) as cursor:
            cursor.execute(sql, values)  # type: ignore[call-overload]
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture
def reader(server: psycopg.Connection[tuple[object, ...]]) -> Counting:
    """The reader that ``metadata`` uses."""
    return Counting(server)


@pytest.fixture
def metadata(reader: Counting) -> Metadata:
    """The catalogue under test."""
    return Metadata(reader, catalog_for("postgresql"))


def ask(server: psycopg.Connection[tuple[object, ...]], sql: str) -> Rows:
    """Rows of the server's own answer."""
    return server.execute(sql).fetchall()  # type: ignore[call-overload, no-any-return]


def test_every_index_is_what_pg_get_indexdef_says(metadata: Metadata, server: psycopg.Connection[tuple[object, ...]]) -> None:
    """Kind, uniqueness, definition and filter of every index of every golden table."""
    truth = ask(
        server,
        "SELECT c.relname, i.relname, pg_get_indexdef(i.oid), am.amname, x.indisunique, x.indisprimary "
        "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am am ON am.oid = i.relam WHERE n.nspname = 'golden'",
    )
    told = [
        (table, index.name, index.definition, index.kind, index.unique, index.primary_key)
        for table in {str(row[0]) for row in truth}
        for index in metadata.table_indexes(None, f'golden."{table}"').indexes
    ]
    assert sorted(told, key=str) == sorted(truth, key=str)


def test_an_index_shows_its_keys_order_included_columns_filter_and_fill_factor(metadata: Metadata) -> None:
    """The parts that a definition's text would have to be read for."""
    indexes = {index.name: index for index in metadata.table_indexes(None, "golden.orders").indexes}
    placed = indexes["orders_placed"]
    assert [(column.name, column.descending) for column in placed.columns] == [("placed", True), ("customer_id", False)]
    assert placed.included == ("note",)
    assert placed.filter == "parent_id IS NULL"
    assert indexes["orders_lower"].fill_factor == 70
    assert indexes["orders_lower"].columns[0].name == "lower(note)"
    assert {index.kind for index in indexes.values()} == {"btree", "hash", "brin"}
    assert all(index.size_kb is not None and index.usage is not None for index in indexes.values())


def test_every_foreign_key_is_what_pg_get_constraintdef_says(
    metadata: Metadata, server: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Definitions as the server writes them; each key is seen from both of its tables."""
    truth = {
        (row[0], row[1])
        for row in ask(
            server,
            "SELECT conname, pg_get_constraintdef(oid, true) FROM pg_constraint "
            "WHERE contype = 'f' AND connamespace = 'golden'::regnamespace",
        )
    }
    seen = {
        table: {(key.name, key.definition) for key in metadata.foreign_keys(None, f"golden.{table}").foreign_keys}
        for table in ("orders", "customers")
    }
    assert seen["orders"] == truth
    assert seen["customers"] == {key for key in truth if key[0] == "orders_customer"}


def test_a_key_of_two_columns_keeps_its_pairs_in_order(metadata: Metadata) -> None:
    """Pairs, actions and direction."""
    keys = {key.name: key for key in metadata.foreign_keys(None, "golden.orders").foreign_keys}
    parent = keys["orders_parent"]
    assert (parent.columns, parent.referenced_columns) == (("parent_id", "parent_line"), ("id", "line"))
    assert (parent.direction, parent.on_delete, parent.on_update) == ("self", "SET NULL", "NO ACTION")
    assert (keys["orders_customer"].on_delete, keys["orders_customer"].on_update) == ("CASCADE", "RESTRICT")


def test_every_column_is_what_information_schema_says(
    metadata: Metadata, server: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Name, position, nullability, default, identity, generation and collation of every column in the golden schema."""
    truth = ask(
        server,
        """SELECT table_name, column_name, ordinal_position, is_nullable = 'YES', column_default, identity_start,
             identity_increment, generation_expression, collation_name
           FROM information_schema.columns WHERE table_schema = 'golden'""",
    )
    told = [
        (t.name, c.name, c.position, c.nullable, c.default, c.identity_seed, c.identity_increment, c.computed, c.collation)
        for t in metadata.tables_with_columns(None, "golden", max_rows=100).items
        for c in t.columns
        if t.kind != "materialized_view"  # information_schema leaves these out
    ]
    domain_columns = {("customers", "contact")}  # a NOT NULL domain: the column takes no null, whatever its own flag says
    assert sorted((row for row in told if row[:2] not in domain_columns), key=str) == sorted(
        (row for row in truth if row[:2] not in domain_columns), key=str
    )


def test_every_type_is_what_format_type_says(metadata: Metadata, server: psycopg.Connection[tuple[object, ...]]) -> None:
    """Length, precision, arrays, domains and enums as DDL writes them."""
    truth = dict(
        ask(
            server,
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = 'golden.customers'::regclass AND attnum > 0",
        )
    )
    assert {column.name: column.type for column in metadata.table_schema(None, "golden.customers").columns} == truth
    assert truth["tags"] == "text[]"
    assert truth["born"] == "timestamp(3) with time zone"


def test_keys_and_checks_are_what_pg_get_constraintdef_says(
    metadata: Metadata, server: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Primary, unique, exclusion and check constraints of every golden table, with NOT VALID told."""
    truth = ask(
        server,
        "SELECT c.relname, k.conname, pg_get_constraintdef(k.oid, true) FROM pg_constraint k "
        "JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype IN ('p', 'u', 'x', 'c') "
        "AND k.connamespace = 'golden'::regnamespace",
    )
    schemas = [metadata.table_schema(None, f'golden."{name}"') for name in sorted({str(row[0]) for row in truth})]
    told = [(s.name, item.name, item.definition) for s in schemas for item in (*s.keys, *s.checks)]
    assert sorted(told, key=str) == sorted(truth, key=str)
    orders = next(schema for schema in schemas if schema.name == "orders")
    assert [check.name for check in orders.checks if check.not_trusted] == ["note_short"]


def test_the_rest_of_a_tables_schema_is_there(metadata: Metadata) -> None:
    """Descriptions, triggers, partitioning, row security and definitions."""
    customers = metadata.table_schema(None, "golden.customers")
    assert customers.description == "Who buys, e.g. the Müllers"
    assert {c.name: c.description for c in customers.columns}["name"] == "Family name"
    trigger = metadata.table_schema(None, "golden.orders").triggers[0]
    assert (trigger.name, trigger.timing, trigger.events) == ("orders_touch", "BEFORE", "INSERT, UPDATE")
    assert metadata.table_schema(None, "golden.events").partitioning == "RANGE (happened)"
    assert "FROM ('2024-01-01')" in str(metadata.table_schema(None, "golden.events_2024").partition_of)
    assert metadata.table_schema(None, "golden.bookings").row_security is True
    assert "credit" in str(metadata.table_schema(None, "golden.big_spenders").definition)


def test_list_tables_tells_every_kind_with_rows_and_sizes(
    metadata: Metadata, server: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Rows by the catalogue (never counted), sizes as pg_total_relation_size says."""
    tables = {table.name: table for table in metadata.list_tables(None, "golden").items}
    kinds = {name: table.kind for name, table in tables.items()}
    assert (kinds["customers"], kinds["events"], kinds["totals"], kinds["big_spenders"]) == (
        "table",
        "partitioned",
        "materialized_view",
        "view",
    )
    assert (tables["customers"].rows, tables["events"].rows) == (500, 200)
    [(size,)] = ask(server, "SELECT pg_total_relation_size('golden.customers') / 1024")
    assert tables["customers"].size_kb == size
    assert tables["big_spenders"].rows is None


def test_statistics_add_up_to_what_the_server_measures(
    metadata: Metadata, server: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Reserved is data, indexes and out-of-line values together; partitions come with boundaries and rows."""
    found = metadata.table_statistics(None, "golden.customers")
    [(total, indexes)] = ask(
        server,
        "SELECT pg_total_relation_size('golden.customers') / 1024, pg_indexes_size('golden.customers') / 1024",
    )
    assert (found.reserved_kb, found.index_kb, found.rows) == (total, indexes, 500)
    assert found.statistics[0].last_updated is not None
    parts = {part.partition: part for part in metadata.table_statistics(None, "golden.events").partitions}
    assert parts["events_2024"].rows == 200
    assert parts["events_rest"].boundary == "DEFAULT"


def test_all_overloads_of_a_function_are_read(metadata: Metadata, server: psycopg.Connection[tuple[object, ...]]) -> None:
    """As pg_get_functiondef writes them."""
    told = {item.definition for item in metadata.procedure_definition(None, "golden.add_up")}
    assert told == {row[0] for row in ask(server, "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = 'add_up'")}
    assert len(told) == 2
    kinds = {p.name: p.kind for p in metadata.list_procedures(None, "golden").items}
    assert (kinds["restock"], kinds["add_up"]) == ("procedure", "function")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("golden.orders", "orders"),
        ("GOLDEN.ORDERS", "orders"),
        ("golden.Orders", "Orders"),
        ('golden."Orders"', "Orders"),
        ('"golden"."orders"', "orders"),
        (ODD_NAME["postgresql"], 'T "q" [b] ünï'),
    ],
)
def test_a_name_means_what_the_server_would_take_it_for(name: str, found: str, metadata: Metadata) -> None:
    """As written first, then folded, as PostgreSQL folds what is not quoted."""
    assert metadata.resolve(None, name).name == found


@pytest.mark.parametrize("name", ['golden."ORDERS"', '"GOLDEN".orders', "orders", "golden.nothing_like_it"])
def test_a_name_the_server_would_not_find_is_not_found(name: str, metadata: Metadata) -> None:
    """Quotes forbid folding; a schema that is not on the search path must be named; three nearest names come along."""
    with pytest.raises(ObjectNotFound) as caught:
        metadata.resolve(None, name)
    nearest = caught.value.details["nearest"]
    assert isinstance(nearest, list)
    assert len(nearest) == 3


def test_a_name_without_schema_follows_the_search_path(
    metadata: Metadata, server: psycopg.Connection[tuple[object, ...]]
) -> None:
    """The first schema on the path that has it."""
    server.execute("SET search_path = golden")
    assert str(metadata.resolve(None, "orders")) == "golden.orders"


def test_each_question_is_one_statement(metadata: Metadata, reader: Counting) -> None:
    """Set-based: one statement, however many columns, indexes and keys there are; never a COUNT over a table's rows."""
    for question in (
        lambda: metadata.list_tables(None, "golden"),
        lambda: metadata.table_schema(None, "golden.orders"),
        lambda: metadata.table_indexes(None, "golden.orders"),
        lambda: metadata.foreign_keys(None, "golden.orders"),
        lambda: metadata.table_statistics(None, "golden.orders"),
        lambda: metadata.tables_with_columns(None, "golden"),
        lambda: metadata.search_objects(None, Search("order")),
        lambda: metadata.list_procedures(None, "golden"),
        lambda: metadata.procedure_definition(None, "golden.restock"),
        metadata.list_databases,
    ):
        reader.asked.clear()
        question()
        assert len(reader.asked) == 1


def test_search_ranks_names_before_columns_before_texts(metadata: Metadata) -> None:
    """The exact name first; a text's hit comes with its line."""
    hits = metadata.search_objects(None, Search("orders", schema="golden")).items
    assert (hits[0].name.lower(), hits[0].found_in) == ("orders", "name")
    texts = metadata.search_objects(None, Search("PECULIAR*word", places=("definitions",))).items
    assert [(hit.name, hit.kind) for hit in texts] == [("touch", "function")]
    assert texts[0].line == "-- keeps the peculiar marker word"
    described = metadata.search_objects(None, Search("müller", places=("descriptions",))).items
    assert [(hit.name, hit.found_in) for hit in described] == [("customers", "description")]
    column = metadata.search_objects(None, Search("family", places=("descriptions",))).items[0]
    assert (column.name, column.column) == ("customers", "name")


def test_search_pages_without_loss(metadata: Metadata) -> None:
    """All pages together are the whole, in the same order."""
    whole = metadata.search_objects(None, Search("o", schema="golden", max_rows=1000))
    paged = [
        hit
        for offset in range(0, whole.total, 7)
        for hit in metadata.search_objects(None, Search("o", schema="golden", offset=offset, max_rows=7)).items
    ]
    assert tuple(paged) == whole.items


def test_wildcards_of_sql_are_plain_characters(metadata: Metadata) -> None:
    """Only the star is special."""
    assert metadata.list_tables(None, "golden", "%").items == ()
    assert [table.name for table in metadata.list_tables(None, "golden", "events_").items] == ["events_2024", "events_rest"]


@pytest.fixture(scope="module")
def golden(database: TestDatabase) -> TestDatabase:
    """Every database at hand, with the golden schema."""
    golden_schema.load(database)
    return database


@pytest.fixture
def service(golden: TestDatabase) -> Iterator[DatabaseService]:
    """The whole service over it."""
    with DatabaseService(golden.config()) as made:
        yield made


def test_the_same_questions_are_answered_on_every_database(service: DatabaseService, golden: TestDatabase) -> None:
    """Columns, keys, both directions of foreign keys, indexes, procedures: the parts that both golden schemas share."""
    metadata = service.metadata
    with service.call(60):
        schema = metadata.table_schema(None, "golden.customers")
        assert [(c.name, c.nullable) for c in schema.columns][:3] == [("id", False), ("name", False), ("loud_name", True)]
        assert [key.columns for key in schema.keys if key.kind == "primary_key"] == [("id",)]
        assert [key.columns for key in schema.keys if key.kind == "unique"] == [("code",)]
        assert [check.columns for check in schema.checks] == [("credit",)]
        incoming = metadata.foreign_keys(None, "golden.customers").foreign_keys
        assert [(key.name, key.direction, key.table) for key in incoming] == [("orders_customer", "incoming", "orders")]
        names = [tuple(column.name for column in i.columns) for i in metadata.table_indexes(None, "golden.orders").indexes]
        assert ("id", "line") in names
        assert [p.name for p in metadata.list_procedures(None, "golden", "re*").items] == ["restock"]
        assert metadata.resolve(None, ODD_NAME[golden.dialect]).schema == "odd schema.x"
        assert metadata.table_statistics(None, "golden.customers").rows is not None


def test_a_plain_name_is_found_whatever_its_case_where_the_collation_says_so(
    service: DatabaseService, golden: TestDatabase
) -> None:
    """SQL Server compares as the database's collation does; PostgreSQL folds."""
    with service.call(60):
        assert str(service.metadata.resolve(None, "GOLDEN.CUSTOMERS")) == "golden.customers"


class Refusing:
    """A reader that refuses statements which name certain views, as SQL Server refuses what a login may not see."""

    def __init__(self, views: dict[str, Exception], row: dict[str, object]) -> None:
        self._views = views
        self._row = row

    def __call__(self, database: str | None, sql: str, values: Sequence[object]) -> list[dict[str, object]]:
        for view, error in self._views.items():
            if view in sql:
                raise error
        return [dict(self._row)]


INDEX_ROW: dict[str, object] = {
    "object_id": 1,
    "schema_name": "dbo",
    "name": "t",
    "kind": "table",
    "description": None,
    "indexes": '[{"index_id": 1, "name": "pk", "kind": "clustered", "unique": true, "primary_key": true, '
    '"unique_constraint": false, "columns": [{"name": "id", "descending": false}]}]',
}


def test_a_refused_view_costs_its_part_alone_and_names_the_permission() -> None:
    """Without VIEW SERVER STATE the use is null and said; the size, which is public, is still there."""
    refusal = PermissionDenied("VIEW SERVER STATE permission was denied on object 'server', database 'master'.")
    read = Refusing({"dm_db_index_usage_stats": refusal}, {**INDEX_ROW, "index_id": 1, "size_kb": 16})
    found = Metadata(read, catalog_for("sqlserver")).table_indexes(None, "dbo.t")
    assert (found.indexes[0].usage, found.indexes[0].size_kb) == (None, 16)
    assert "VIEW SERVER STATE" in found.notes[0]


def test_views_that_a_server_lacks_cost_their_part_alone() -> None:
    """An endpoint without the allocation views answers with nulls and a note."""
    missing = ObjectNotFound("Invalid object name 'sys.allocation_units'.")
    found = Metadata(Refusing({"allocation_units": missing}, INDEX_ROW), catalog_for("sqlserver")).table_indexes(None, "t")
    assert (found.indexes[0].usage, found.indexes[0].size_kb) == (None, None)
    assert "sys.allocation_units" in found.notes[0]


TABLE_ROW: dict[str, object] = {
    "object_id": 1,
    "schema_name": "dbo",
    "name": "t",
    "kind": "table",
    "description": None,
    "created": None,
    "modified": None,
    "definition": None,
    "definition_hidden": 0,
    "history_table": None,
    "partitioning": None,
    "partition_of": None,
    "row_security": None,
    "memory_optimized": None,
    "columns": '[{"name": "a", "position": 1, "type": "int", "nullable": true, "masked": true}]',
    "keys": None,
    "checks": '[{"name": "c", "disabled": false, "not_trusted": false}]',
    "foreign_keys": None,
    "triggers": None,
}


def test_definitions_that_may_not_be_seen_are_null_and_the_note_names_the_permission() -> None:
    """Without VIEW DEFINITION a check's text is NULL in the catalogue."""
    found = Metadata(Refusing({"masked_columns": PermissionDenied("no")}, TABLE_ROW), catalog_for("sqlserver"))
    schema = found.table_schema(None, "dbo.t")
    assert schema.checks[0].definition is None
    assert "VIEW DEFINITION" in schema.notes[0]
    assert (schema.columns[0].masked, schema.columns[0].mask) == (True, None)
    assert "masking functions" in schema.notes[1]


def test_sizes_of_databases_that_nobody_may_see_are_said_to_be_missing() -> None:
    """Without VIEW ANY DEFINITION the view of files is empty rather than refused."""
    names = ("name", "state", "owner", "collation", "encoding", "compatibility_level", "created", "size_kb", "description")
    row: dict[str, object] = {**dict.fromkeys(names), "name": "a", "accessible": 1, "is_system": 0, "read_only": 0}

    def read(database: str | None, sql: str, values: Sequence[object]) -> list[dict[str, object]]:
        return [] if "master_files" in sql else [row]

    page = Metadata(read, catalog_for("sqlserver")).list_databases()
    assert page.items[0].size_kb is None
    assert "VIEW ANY DEFINITION" in page.notes[0]
