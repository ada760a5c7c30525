"""The published sample under several readers, while `publish` replaces it again and again.

test_publish.py has the cases one by one, on made-up tables; here they meet on the real ones.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from building import Build, run_command

READERS = 3
VERSIONS = 4

# The number of events by three tables that different models make: equal within one build.
COUNTS = """
select
    (select count(*) from marts.events) as events,
    (select sum(new_events) from audit.file_ledger) as loaded_events,
    (select sum(event_count) from marts.users)
        + (select count(*) from marts.events where user_id is null) as events_of_users_and_nobody
"""
# Opens the file anew each time; a refusal ends it.
READ_ALWAYS = """
import sys, time, duckdb
database, query = sys.argv[1:]
while True:
    with duckdb.connect(database, read_only=True, config={"threads": 1}) as connection:
        print(*connection.execute(query).fetchone(), flush=True)
    time.sleep(0.05)  # else the readers, not what they read, keep `publish` waiting
"""
# Opens the file once, and asks again when it is told to.
READ_WHEN_TOLD = """
import sys, duckdb
database, query = sys.argv[1:]
with duckdb.connect(database, read_only=True) as connection:
    for _ in range(2):
        print(*connection.execute(query).fetchone(), flush=True)
        sys.stdin.readline()
"""


@pytest.fixture
def warehouse(sample_build: Build, tmp_path: Path) -> Path:
    """What `publish` needs of the sample's warehouse, and what it has published."""
    for name in ("build.duckdb", "userpilot.duckdb"):
        shutil.copy2(sample_build.warehouse / name, tmp_path / name)
    shutil.copytree(sample_build.warehouse / "target", tmp_path / "target")
    return tmp_path


def add_event(warehouse: Path) -> None:
    """Give the build one event more, in each of the three tables."""
    with duckdb.connect(str(warehouse / "build.duckdb")) as connection:
        connection.execute("""
            create temp table added as
                select * from raw.events where user_id is not null and not is_superseded limit 1;
            insert into raw.events from added;
            update marts.users set event_count = event_count + 1
                where (app_token, user_id) in (select app_token, user_id from added);
            update audit.file_ledger set new_events = new_events + 1
                where file_key = (select min(file_key) from audit.file_ledger);
        """)


def start(program: str, warehouse: Path, log: Path) -> "subprocess.Popen[str]":
    with log.open("w") as out:
        return subprocess.Popen(
            [sys.executable, "-c", program, warehouse / "userpilot.duckdb", COUNTS],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )


def await_line(log: Path, line: str) -> None:
    deadline = time.monotonic() + 60
    while line not in log.read_text().splitlines():
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.01)


def test_many_readers_see_whole_versions_and_block_nobody(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse / "userpilot.duckdb"), read_only=True) as connection:
        (first, *_) = connection.execute(COUNTS).fetchone() or [0]
    versions = [" ".join([str(first + added)] * 3) for added in range(VERSIONS)]
    logs = [warehouse / f"log-{number}" for number in range(READERS)]
    held = warehouse / "log-of-holder"
    running = [start(READ_ALWAYS, warehouse, log) for log in logs]
    running.append(holder := start(READ_WHEN_TOLD, warehouse, held))
    try:
        for version in versions:
            if version != versions[0]:
                add_event(warehouse)
                run_command("publish", warehouse=warehouse)
            for log in logs:
                await_line(log, version)
            await_line(held, versions[0])
        holder.communicate("again\n\n")
        assert held.read_text().splitlines() == [versions[0]] * 2
        assert [process.poll() for process in running[:-1]] == [None] * READERS
    finally:
        for process in running:
            process.kill()
            process.communicate()
    for log in logs:
        # What the kill cut short is no line yet.
        lines = log.read_text().rpartition("\n")[0].splitlines()
        assert [*dict.fromkeys(lines)] == versions
