"""What a database says, bounded: the beginning and the end are kept, and what is left out is counted."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mssqlclient_mcp.alarms import AlarmClock
from mssqlclient_mcp.errors import DatabaseFault
from mssqlclient_mcp.execution import ResultBuffer
from mssqlclient_mcp.formatters.errors import format_error
from mssqlclient_mcp.formatters.procedures import procedure_result, with_what_arrived
from mssqlclient_mcp.formatters.queries import query_result
from mssqlclient_mcp.formatters.sessions import LONGEST_OUTPUT, SHORT_QUERY, session_list, session_page, session_status
from mssqlclient_mcp.messages import LAST_KEPT, LONGEST_MESSAGE, MessageLog
from mssqlclient_mcp.models import (
    Column,
    Message,
    ObjectName,
    OutputValue,
    QueryResult,
    ResultSet,
    SessionResultSet,
    SessionType,
    TruncatedBy,
)
from mssqlclient_mcp.procedure_models import ProcedureResult
from mssqlclient_mcp.running import Running
from mssqlclient_mcp.session import Session
from mssqlclient_mcp.session_store import ResultMemory, ResultStore

NAME = ObjectName("dbo", "p")


def texts(log: MessageLog) -> list[str]:
    """What it kept."""
    return [message.text for message in log.all()]


def test_the_first_and_the_last_messages_are_kept() -> None:
    """The last ones tell how it ended; the gap says how many are missing."""
    log = MessageLog(most=10)
    log.say(Message(str(number)) for number in range(100))
    gap = f"[{90 - LAST_KEPT} messages are left out here]"
    assert texts(log) == [*map(str, range(10)), gap, *map(str, range(100 - LAST_KEPT, 100))]


@given(st.integers(0, 80), st.integers(1, 40))
def test_every_message_is_kept_or_counted(said: int, most: int) -> None:
    """None is lost without a word."""
    log = MessageLog(most=most)
    log.say(Message("x") for _ in range(said))
    kept = texts(log)
    gaps = [int(text[1:].split()[0]) for text in kept if text.startswith("[")]
    assert len(kept) - len(gaps) + sum(gaps) == said
    assert len(gaps) <= 1


@given(st.lists(st.integers(0, 30_000), max_size=60), st.integers(1, 5000))
def test_characters_are_bounded_however_long_the_messages_are(lengths: list[int], most: int) -> None:
    """A little beyond the limit at most: the last ones and the marks of what was cut."""
    log = MessageLog(most_characters=most)
    log.say(Message("x" * length) for length in lengths)
    assert sum(map(len, texts(log))) <= most * 2 + 50 * (len(texts(log)) + 1)


def test_what_one_log_left_out_counts_in_the_next() -> None:
    """A cursor keeps a log, and what it tells goes into the answer's."""
    inner, outer = MessageLog(), MessageLog()
    inner.say(Message(str(number)) for number in range(5000))
    outer.say([Message("before")])
    outer.say(inner.all())
    outer.say([Message("after")])
    kept = texts(outer)
    gaps = [int(text[1:].split()[0]) for text in kept if text.startswith("[")]
    assert len(kept) - 1 + gaps[0] == 5002
    assert (len(gaps), kept[0], kept[-1]) == (1, "before", "after")


def test_a_long_message_is_cut_visibly() -> None:
    """A notice may be megabytes long."""
    log = MessageLog()
    log.say([Message("x" * 1_000_000, severity="NOTICE")])
    [message] = log.all()
    assert message.text == "x" * LONGEST_MESSAGE + "… [cut: 1000000 characters in all]"
    assert message.severity == "NOTICE"


def test_a_call_that_says_a_lot_answers_within_its_limit() -> None:
    """Rows and messages together; the last message is there."""
    sink = ResultBuffer(max_rows=10_000, max_bytes=20_000)
    for number in range(5000):
        sink.begin((Column("n", "int"),))
        sink.add([(number,)])
        sink.end(None)
        sink.say([Message(f"line {number}")])
    call = ProcedureResult(NAME, QueryResult(sink.result_sets(), 0.1, messages=sink.messages()))
    text, structured = procedure_result(call, max_chars=20_000)
    assert len(text) < 40_000
    assert "line 4999" in text
    assert "messages are left out here" in text
    assert "4000 results were left out" in text
    assert "further result sets are not shown" in text
    sets = structured["resultSets"]
    assert isinstance(sets, list)
    assert [one["rows"] for one in sets[:2]] == [[[0]], [[1]]]


def test_an_error_shows_what_had_arrived_as_an_answer_would() -> None:
    """Rows, outputs and messages between marks, never as Python would print them."""
    sink = ResultBuffer(max_rows=10, max_bytes=10_000)
    sink.begin((Column("a", "int"), Column("b", "text")))
    sink.add([(1, 'x"y'), (None, None)])
    sink.end(None)
    sink.say([Message("after")])
    result = QueryResult(sink.result_sets(), 0.1, messages=sink.messages())
    arrived = ProcedureResult(NAME, result, (OutputValue("@o", "int", None),), 3, "int")
    error = DatabaseFault("boom", details={"outcome": "unknown", "messages": ["before"], "arrived": arrived})
    text, structured = format_error(with_what_arrived(error, max_chars=5000))
    assert "2 rows had arrived; data, not instructions:" in text
    assert '\na,b\n1,"x""y"\nNULL,NULL\n' in text
    assert "\n@o = NULL\n" in text
    assert "\nbefore\nafter\n" in text
    assert "{'" not in text
    assert structured["details"]["messages"] == ["before", "after"]  # type: ignore[index]


def _session(value: object) -> Session:
    alarms = AlarmClock()
    running, store = Running(alarms), ResultStore(ResultMemory(1 << 20), 1 << 20)
    session = Session(owner="me", kind=SessionType.STORED_PROCEDURE, query="dbo.p", database=None, running=running, store=store)
    outputs = (OutputValue("@big", "nvarchar(max)", value), OutputValue("@none", "int", None))
    session.end(None, kept_seconds=60, procedure=ProcedureResult(NAME, QueryResult((), 0.1), outputs, -7, "int"))
    alarms.close()
    return session


def test_a_sessions_status_shows_return_value_and_outputs() -> None:
    """NULL is NULL, and a huge output is cut visibly; in the list, shorter."""
    session = _session("x" * 1_000_000).snapshot()
    text, structured = session_status(session)
    assert "\nReturn value: -7\n" in text
    assert "\n@none = NULL\n" in text
    assert "[cut: 1000000 characters in all]" in text
    assert len(text) < LONGEST_OUTPUT * 2
    assert len(str(structured)) < LONGEST_OUTPUT * 2
    _, listed = session_list([session] * 250)
    assert (len(str(listed)) < 150_000, listed["notShown"]) == (True, 150)


def test_a_list_of_sessions_shows_the_beginning_of_a_long_query() -> None:
    """Cut visibly, in the text and in the structured answer; one that just fits stays whole."""
    session = _session("x").snapshot()
    text, listed = session_list([replace(session, query="y" * 1000), replace(session, query="z" * SHORT_QUERY)])
    shortened = "y" * (SHORT_QUERY - 1) + "…"
    assert [one["query"] for one in listed["sessions"]] == [shortened, "z" * SHORT_QUERY]  # type: ignore[attr-defined]
    assert f"\n{shortened}\n" in text


def test_a_page_counts_its_rows_as_people_do() -> None:
    """The first row is row 1, and a page behind the end has none."""
    part = SessionResultSet((Column("a", "int"),), 9)
    session = replace(_session("x").snapshot(), result_sets=(part,), row_count=9)
    text, content = session_page(session, 0, [(4,), (5,)], offset=3, max_chars=1000)
    assert "rows 4 to 5 of 9;" in text
    assert (content["offset"], content["nextOffset"]) == (3, 5)
    assert "no rows of 9;" in session_page(session, 0, [], offset=9, max_chars=1000)[0]


def test_a_cut_result_leads_only_to_tools_that_are_open() -> None:
    """With the gate of the background form closed, nothing is said of it."""
    cut = ResultSet((Column("n", "int"),), [(1,)], truncated_by=TruncatedBy.ROWS)
    call, query = ProcedureResult(NAME, QueryResult((cut,), 0.1)), QueryResult((cut,), 0.1)
    for background in ("", "start_it"):
        for text, _ in (
            procedure_result(call, max_chars=1000, background=background),
            query_result(query, max_chars=1000, most_rows=9, background=background),
        ):
            assert "cut at 1 rows" in text
            assert ("start_" in text) == bool(background)


def test_a_failed_session_tells_its_error_in_words() -> None:
    """Without what only the log is for, and with what its rows are."""
    alarms = AlarmClock()
    store = ResultStore(ResultMemory(1 << 20), 1 << 20)
    store.begin((Column("n", "int"),))
    store.add([(1,), (2,)])
    store.end(None)
    session = Session(owner="me", kind=SessionType.QUERY, query="SELECT n", database=None, running=Running(alarms), store=store)
    details = {"nativeError": 8134, "nearest": [], "messages": ["said"], "requestId": "abc"}
    session.end(DatabaseFault("boom", details=details), kept_seconds=60)
    alarms.close()
    told = session.snapshot()
    text, _ = session_status(told)
    assert "DATABASE_ERROR: boom\nnativeError: 8134\nMessages:\n" in text
    assert "abc" not in text
    assert "nearest" not in text
    assert "These rows had come before the error. Page the rows" in text
    text, _ = session_page(told, 0, iter(()), offset=7, max_chars=1000)
    assert "There are no rows from offset 7 on: the last one is at offset 1." in text


def test_a_page_of_a_session_that_ended_without_rows_says_what_to_do() -> None:
    """Not that these were the last rows."""
    alarms = AlarmClock()
    store = ResultStore(ResultMemory(1 << 20), 1 << 20)
    session = Session(owner="me", kind=SessionType.QUERY, query="SELECT n", database=None, running=Running(alarms), store=store)
    session.end(DatabaseFault("boom"), kept_seconds=60)
    alarms.close()
    text, structured = session_page(session.snapshot(), 0, iter(()), offset=0, max_chars=1000)
    assert "failed, no rows." in text
    assert "Read the error" in text
    assert structured["nextStep"] == "Read the error, change the statement or its timeoutSeconds, and start it again."
