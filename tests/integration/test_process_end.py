"""The end of the process when a worker never comes back from its driver."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.databases import server_environment

STUCK = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from mssqlclient_mcp.process_end import ProcessEnd
executor = ThreadPoolExecutor(1)
executor.submit(time.sleep, 60)
print("stuck", flush=True)
ProcessEnd([{step}]).finish()
"""


def seconds_until_gone(step: str) -> float:
    """How long a process with a stuck worker lives once its end has begun; ``step`` is what it does at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK.format(step=step)], env=server_environment({}), stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "stuck\n"
    began = time.monotonic()
    process.communicate(timeout=30)
    assert process.returncode == 0
    return time.monotonic() - began


def test_a_worker_that_never_returns_does_not_keep_the_process() -> None:
    """The interpreter joins its pool's threads at exit; the watchdog does not wait for them."""
    assert seconds_until_gone("print") < 5.5


def test_a_step_that_hangs_does_not_keep_the_process() -> None:
    """Nor does a driver that hangs while its connection is closed."""
    assert seconds_until_gone("lambda: time.sleep(60)") < 5.5


TWICE = """
import threading, time
from mssqlclient_mcp.process_end import ProcessEnd
under_way = threading.Event()
def step():
    under_way.set()
    time.sleep(0.3)
    print("cancelled", flush=True)
end = ProcessEnd([step])
threading.Thread(target=end.finish).start()
under_way.wait()
end.finish()
print("left", flush=True)
"""


def test_a_second_end_waits_for_what_the_first_does() -> None:
    """EOF and a signal at once: whoever comes second must not leave while the first still cancels statements."""
    ended = subprocess.run(
        [sys.executable, "-c", TWICE], env=server_environment({}), capture_output=True, encoding="utf-8", timeout=30
    )
    assert ended.stdout.splitlines() == ["cancelled", "left"]
