"""Publishing: only what passed, all at once, while people read."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import KILLING, ROOT, held_open
from click.testing import CliRunner

from scripts import build, fingerprint
from scripts.errors import UsageProblem
from scripts.publish import command, publish
from scripts.warehouse import Warehouse

HOSTILE = 'it\'s "quoted"; drop table x; --\nline two'


def make_build(folder: Path, version: int, **run: Any) -> Warehouse:
    """Make a small build database, all of one version, and the artifacts of the run behind it."""
    warehouse = Warehouse(folder)
    folder.mkdir(parents=True, exist_ok=True)
    warehouse.build_database.unlink(missing_ok=True)
    with duckdb.connect(str(warehouse.build_database)) as connection:
        connection.execute(f"""
            create schema raw; create schema staging; create schema intermediate;
            create schema seeds; create schema marts; create schema audit;
            create table raw.rejected_lines as select 'secret' as line;
            create table seeds.funnels as select 1 as step;
            create view staging.stg_events as select 1 as a;
            create table raw.loads as
                select 1 as load_id, 1 as changed_events, 0 as changed_records,
                    timestamp '2025-05-12' as started_at;
            create table intermediate.int_build_info as
                select 'run-{version}' as invocation_id, 1 as load_id;
            create table marts.users as
                select {version} as version, i as id, cast('{{"a": [1]}}' as json) as traits
                from range(20000) as t(i);
            create table marts.events as
                select {version} as version, i as id, cast(null as json) as traits
                from range(30000) as t(i);
            create table marts.users__dbt_tmp as select 'left by a killed run' as a;
            create table audit."we""ird table" as select {version} as "odd ""column"" here";
            create view audit.counts as select count(*) as n from build.marts.users;
            comment on table marts.users is 'One row per user';
        """)  # noqa: S608
        quoted = HOSTILE.replace("'", "''")
        connection.execute(f"comment on column marts.users.traits is '{quoted}'")
        connection.execute(
            'comment on column audit."we""ird table"."odd ""column"" here" is \'odd\''
        )
    write_artifacts(warehouse.dbt_target, f"run-{version}", **run)
    return warehouse


def write_artifacts(
    target: Path,
    invocation_id: str,
    *,
    statuses: dict[str, str | None] | None = None,
    arguments: dict[str, Any] | None = None,
) -> None:
    """Write what dbt leaves of a run; `statuses` says where it went otherwise (None: not run)."""
    nodes = [
        node("model", "users", "marts"),
        node("model", "events", "marts"),
        node("model", 'we"ird table', "audit"),
        node("model", "counts", "audit"),
        node("model", "stg_events", "staging"),
        node("model", "int_ephemeral", "marts", materialized="ephemeral"),
        node("model", "switched_off", "marts", enabled=False),
        node("seed", "funnels", "seeds"),
        node("test", "not_null_users_id", "dbt_test__audit"),
        node("test", "warns_only", "dbt_test__audit"),
    ]
    unit_tests = [node("unit_test", "late_row", "marts")]
    usual = {"model": "success", "seed": "success", "test": "pass", "unit_test": "pass"}
    status = {
        one["unique_id"]: usual[one["resource_type"]]
        for one in nodes + unit_tests
        if one["name"] not in ("int_ephemeral", "switched_off")
    }
    results = status | {"test.p.warns_only": "warn"} | (statuses or {})
    target.mkdir(parents=True, exist_ok=True)
    (target / "manifest.json").write_text(
        json.dumps(
            {
                "metadata": {"invocation_id": invocation_id},
                "nodes": {one["unique_id"]: one for one in nodes},
                "unit_tests": {one["unique_id"]: one for one in unit_tests},
            }
        )
    )
    (target / "run_results.json").write_text(
        json.dumps(
            {
                "metadata": {"invocation_id": invocation_id},
                "args": {"which": "build"} | (arguments or {}),
                "results": [
                    {"unique_id": unique_id, "status": result, "message": f"Got\n  1 {result}"}
                    for unique_id, result in results.items()
                    if result is not None
                ],
            }
        )
    )


def node(kind: str, name: str, schema: str, **config: Any) -> dict[str, Any]:
    return {
        "unique_id": f"{kind}.p.{name}",
        "resource_type": kind,
        "name": name,
        "schema": schema,
        "alias": name,
        "config": {"enabled": True} | config,
    }


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return make_build(tmp_path / "it's a warehouse", 1)


def read(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse.published_database), read_only=True) as connection:
        return connection.execute(query).fetchall()


def versions(warehouse: Warehouse) -> set[tuple[Any, ...]]:
    """Versions in the published database and in Parquet: of one publish, exactly one."""
    users = warehouse.parquet_folder / "marts" / "users" / "data.parquet"
    query = "select version from marts.users union select version from marts.events"
    found = read(warehouse, query)
    found += duckdb.connect().read_parquet(str(users)).project("version").distinct().fetchall()
    return set(found)


# ---------- what is published


def test_only_marts_and_audit_of_the_manifest_are_published(warehouse: Warehouse) -> None:
    summary = publish(warehouse)
    tables = read(warehouse, "select schema_name, table_name from duckdb_tables() order by all")
    expected = [("audit", "counts"), ("audit", 'we"ird table'), ("marts", "events")]
    assert tables == [*expected, ("marts", "users")]
    assert list(summary.tables.values()) == [1, 1, 30000, 20000]
    assert read(warehouse, "select count(*) from duckdb_views() where not internal") == [(0,)]
    files = sorted(
        path.relative_to(warehouse.parquet_folder).as_posix()
        for path in warehouse.parquet_folder.glob("*/*/*")
    )
    assert files == [f"{schema}/{table}/data.parquet" for schema, table in tables]
    assert b"secret" not in warehouse.published_database.read_bytes()


def test_rows_comments_and_json_are_carried(warehouse: Warehouse) -> None:
    publish(warehouse)
    comments = read(
        warehouse,
        "select comment from duckdb_tables() where comment is not null union all "
        "select comment from duckdb_columns() where comment is not null order by all",
    )
    assert comments == [("One row per user",), (HOSTILE,), ("odd",)]
    expected = [(1, 0, '{"a": [1]}')]
    assert read(warehouse, "from marts.users limit 1") == expected
    users = warehouse.parquet_folder / "marts" / "users" / "data.parquet"
    with duckdb.connect() as connection:
        rows = connection.read_parquet(str(users))
        assert rows.limit(1).fetchall() == expected
        assert rows.project("traits ->> '$.a[0]'").limit(1).fetchall() == [("1",)]
        codecs = "select distinct compression from parquet_metadata(?)"
        assert connection.execute(codecs, [str(users)]).fetchall() == [("ZSTD",)]


def test_the_file_opens_in_older_duckdb(warehouse: Warehouse) -> None:
    publish(warehouse)
    # Bytes 12 to 19 of a DuckDB file are the version of its storage; 64 is that of 0.10 to 1.1.
    assert int.from_bytes(warehouse.published_database.read_bytes()[12:20], "little") == 64


def test_publishing_again_changes_nothing_and_leaves_nothing(warehouse: Warehouse) -> None:
    for _ in range(4):
        publish(warehouse)
    assert versions(warehouse) == {(1,)}
    assert sorted(path.name for path in warehouse.folder.iterdir()) == [
        ".parquet-3",
        ".parquet-4",
        "build.duckdb",
        "parquet",
        "target",
        "userpilot.duckdb",
    ]


def test_the_command_prints_one_json_object(warehouse: Warehouse) -> None:
    result = CliRunner().invoke(command, ["--warehouse", str(warehouse.folder), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["tables"]["marts.users"] == 20000


# ---------- what is refused


def refusal(warehouse: Warehouse) -> str:
    """Publish version 2 over version 1, which must fail and leave version 1."""
    with pytest.raises(UsageProblem) as caught:
        publish(warehouse)
    assert versions(warehouse) == {(1,)}
    assert not (warehouse.folder / ".publishing").exists()
    return caught.value.message


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        ({"test.p.not_null_users_id": "fail"}, "The data test not_null_users_id failed"),
        ({"unit_test.p.late_row": "fail"}, "The unit test late_row failed"),
        ({"test.p.not_null_users_id": "error"}, "(Got 1 error)"),
        ({"model.p.users": "error", "model.p.events": "skipped"}, "The model users failed"),
        ({"model.p.users": "error", "model.p.events": "error"}, ", and 1 more"),
        ({"operation.p.hook": "error"}, "The operation.p.hook failed"),
        ({"model.p.users": None}, "left out 1 of 9 nodes, the model users among them"),
        ({"seed.p.funnels": None}, "the seed funnels among them"),
        ({"test.p.warns_only": None}, "the data test warns_only among them"),
        ({"unit_test.p.late_row": None}, "the unit test late_row among them"),
        ({"model.p.events": "skipped"}, "the model events among them"),
        ({"model.p.events": "never heard of"}, "the model events among them"),
    ],
)
def test_what_did_not_pass_is_not_published(
    warehouse: Warehouse, statuses: dict[str, str | None], sentence: str
) -> None:
    publish(warehouse)
    make_build(warehouse.folder, 2, statuses=statuses)
    message = refusal(warehouse)
    assert sentence in message
    assert "`dbt build`" in message


def test_unit_tests_that_the_published_project_passed_need_not_run_again(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_without_unit_tests(version: int) -> None:
        make_build(warehouse.folder, version, statuses={"unit_test.p.late_row": None})

    def remember_published() -> None:
        warehouse.report_page.parent.mkdir(exist_ok=True)
        warehouse.report_page.touch()
        fingerprint.remember(warehouse, fingerprint.fingerprint(warehouse))

    build_without_unit_tests(2)
    with pytest.raises(UsageProblem, match="the unit test late_row among them"):
        publish(warehouse)
    make_build(warehouse.folder, 3)
    publish(warehouse)
    remember_published()
    build_without_unit_tests(4)
    publish(warehouse)
    publish(warehouse)
    assert versions(warehouse) == {(4,)}
    known = fingerprint.published(warehouse)
    assert known and known.load == fingerprint.UNKNOWN
    build_without_unit_tests(5)
    monkeypatch.setenv(fingerprint.SALT, "another")
    with pytest.raises(UsageProblem, match="the unit test late_row among them"):
        publish(warehouse)


@pytest.mark.parametrize("flag", [{"empty": True}, {"sample": "3 days"}])
def test_a_build_of_some_rows_is_not_published(warehouse: Warehouse, flag: dict[str, Any]) -> None:
    publish(warehouse)
    make_build(warehouse.folder, 2, arguments=flag)
    assert "only some rows" in refusal(warehouse)


def test_a_later_run_hides_the_build(warehouse: Warehouse) -> None:
    publish(warehouse)
    make_build(warehouse.folder, 2)
    write_artifacts(warehouse.dbt_target, "a later `dbt run --select users`")
    assert "not a whole `dbt build`" in refusal(warehouse)


def test_a_killed_dbt_leaves_no_artifacts(warehouse: Warehouse) -> None:
    publish(warehouse)
    make_build(warehouse.folder, 2)
    write_artifacts(warehouse.dbt_target, "run-1")
    assert "did not finish" in refusal(warehouse)
    (warehouse.dbt_target / "run_results.json").write_text('{"metadata": ')
    assert "did not finish" in refusal(warehouse)


def test_tables_without_a_build_are_not_published(warehouse: Warehouse) -> None:
    publish(warehouse)
    with duckdb.connect(str(warehouse.build_database)) as connection:
        connection.execute("drop table intermediate.int_build_info")
    assert "no complete `dbt build`" in refusal(warehouse)


@pytest.mark.parametrize(
    ("load", "is_refused"), [((2, 0, 0), False), ((2, 1, 0), True), ((2, 0, 1), True)]
)
def test_what_was_loaded_after_the_build_is_not_published(
    warehouse: Warehouse, load: tuple[int, int, int], is_refused: bool
) -> None:
    """Views have it, other tables do not; a load that changed nothing is no reason to wait."""
    publish(warehouse)
    make_build(warehouse.folder, 2)
    with duckdb.connect(str(warehouse.build_database)) as connection:
        connection.execute("insert into raw.loads values (?, ?, ?, null)", load)
    if is_refused:
        assert "Something was loaded after the last `dbt build`" in refusal(warehouse)
    else:
        publish(warehouse)


def test_a_build_into_another_target_folder_is_found(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(warehouse)
    make_build(warehouse.folder, 2)
    shutil.copytree(warehouse.dbt_target, tmp_path / "elsewhere")
    write_artifacts(warehouse.dbt_target, "run-1")
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "elsewhere"))
    publish(warehouse)
    assert versions(warehouse) == {(2,)}


def test_an_empty_folder_says_what_to_run(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--warehouse", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "does not exist yet. Run `make build`" in result.output


def test_a_stray_wal_is_refused(warehouse: Warehouse) -> None:
    publish(warehouse)
    stray = warehouse.published_database.with_name("userpilot.duckdb.wal")
    stray.write_bytes(b"left by a writer")
    with pytest.raises(UsageProblem, match="Remove the file"):
        publish(warehouse)
    stray.unlink()
    publish(warehouse)


def test_a_foreign_parquet_folder_is_refused(warehouse: Warehouse) -> None:
    warehouse.parquet_folder.mkdir()
    with pytest.raises(UsageProblem, match="Move it away"):
        publish(warehouse)


def test_two_writers_never_meet(warehouse: Warehouse) -> None:
    with warehouse.writing():
        result = CliRunner().invoke(command, ["--warehouse", str(warehouse.folder)])
    assert result.exit_code == 1
    assert "Another command is writing" in result.output


def test_a_running_dbt_is_told_plainly(warehouse: Warehouse) -> None:
    with (
        held_open(warehouse.build_database),
        pytest.raises(UsageProblem, match="has it open: wait for it"),
    ):
        publish(warehouse)
    publish(warehouse)


# ---------- while people read


def test_an_open_reader_keeps_its_version(warehouse: Warehouse) -> None:
    publish(warehouse)
    resolved = warehouse.parquet_folder.resolve()
    reader = subprocess.Popen(
        [sys.executable, "-c", READ_TWICE, str(warehouse.published_database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "1 20000\n"
    make_build(warehouse.folder, 2)
    publish(warehouse)
    assert versions(warehouse) == {(2,)}
    assert reader.communicate("go on\n")[0] == "1 30000\n"
    old = duckdb.connect().read_parquet(str(resolved / "marts" / "users" / "data.parquet"))
    assert old.project("version").distinct().fetchall() == [(1,)]


READ_TWICE = """
import sys, duckdb
query = "select any_value(version), count(*) from marts."
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    print(*connection.execute(query + "users").fetchone(), flush=True)
    sys.stdin.readline()
    print(*connection.execute(query + "events").fetchone(), flush=True)
"""


def test_readers_are_never_refused_and_see_no_mixture(warehouse: Warehouse, tmp_path: Path) -> None:
    publish(warehouse)
    log = tmp_path / "log"
    log.touch()
    reader = subprocess.Popen(
        [sys.executable, "-c", READ_ALWAYS, str(warehouse.folder), str(log)],
        stderr=subprocess.PIPE,
        text=True,
    )
    for version in range(2, 7):
        await_laps(reader, log, len(log.read_text().splitlines()) + 2)
        make_build(warehouse.folder, version)
        publish(warehouse)
    await_laps(reader, log, len(log.read_text().splitlines()) + 2)
    reader.terminate()
    reader.wait()
    laps = [tuple(map(int, line.split())) for line in log.read_text().splitlines()]
    assert {lap[0] for lap in laps} == {1, 2, 3, 4, 5, 6}
    for database_users, database_events, parquet_users, parquet_events, one_file in laps:
        assert database_users == database_events
        assert parquet_users == parquet_events
        assert one_file >= parquet_users
    assert laps == sorted(laps)


def await_laps(reader: "subprocess.Popen[str]", log: Path, laps: int) -> None:
    deadline = time.monotonic() + 60
    while len(log.read_text().splitlines()) < laps:
        assert time.monotonic() < deadline
        if reader.poll() is not None:
            pytest.fail(reader.communicate()[1])
        time.sleep(0.01)


# Opens everything anew each time; any refusal, or a table of two versions, ends it.
READ_ALWAYS = """
import os, sys, duckdb
folder, log = sys.argv[1:]
def version(connection, relation):
    low, high = connection.execute(f"select min(version), max(version) from {relation}").fetchone()
    assert low == high, (relation, low, high)
    return low
def parquet(connection, folder, table):
    path = os.path.join(folder, "marts", table, "data.parquet").replace("'", "''")
    return version(connection, f"read_parquet('{path}')")
with open(log, "a", buffering=1) as out:
    while True:
        with duckdb.connect(os.path.join(folder, "userpilot.duckdb"), read_only=True) as connection:
            found = [version(connection, "marts.users"), version(connection, "marts.events")]
        with duckdb.connect() as connection:
            resolved = os.path.realpath(os.path.join(folder, "parquet"))
            found += [parquet(connection, resolved, name) for name in ("users", "events")]
            found += [parquet(connection, os.path.join(folder, "parquet"), "users")]
        out.write(" ".join(map(str, found)) + "\\n")
"""


# ---------- killed

# Kills its own process at the n-th step that touches the disk's names or flushes to it.
KILLED = f"""
{KILLING}
from pathlib import Path
from scripts import publish
from scripts.warehouse import Warehouse
publish._fsync = killing(publish._fsync)
publish._copy_comments = killing(publish._copy_comments)
for name in ("rename", "replace", "symlink_to", "chmod"):
    setattr(Path, name, killing(getattr(Path, name)))
publish.shutil.rmtree = killing(publish.shutil.rmtree)
publish.publish(Warehouse(Path(sys.argv[2])))
"""


def test_kill_at_any_step(warehouse: Warehouse) -> None:
    publish(warehouse)
    version, killed = 1, 0
    while True:
        version += 1
        make_build(warehouse.folder, version)
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, str(killed + 1), str(warehouse.folder)],
            cwd=ROOT,
            check=False,
        )
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
        killed += 1
        # Each of the two copies is the old or the new one.
        assert versions(warehouse) <= {(version - 1,), (version,)}
        publish(warehouse)
        assert versions(warehouse) == {(version,)}
        assert not (warehouse.folder / ".publishing").exists()
        assert len(list(warehouse.folder.glob(".parquet-*"))) == 2
    assert killed > 15


# ---------- the dbt step of `build`

FAKE_DBT = """#!/bin/sh
echo '{"info": {"name": "LogStartLine", "level": "info", "msg": "START"}, "data": {"total": 2}}'
echo '{"info": {"name": "RunResult", "level": "error", "msg": "Failure in x"}, "data": {}}'
echo "plain words"
echo "$(cd "$USERPILOT_WAREHOUSE" && pwd) $DBT_TARGET_PATH"
flock --nonblock "$USERPILOT_WAREHOUSE/.lock" true && echo "the lock is free"
exit $(cat "$USERPILOT_WAREHOUSE/exit")
"""


@pytest.fixture
def fake_dbt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dbt = tmp_path / "bin" / "dbt"
    dbt.parent.mkdir()
    dbt.write_text(FAKE_DBT)
    dbt.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dbt.with_name("python")))


@pytest.mark.usefixtures("fake_dbt")
@pytest.mark.parametrize("code", [0, 1])
def test_dbt_finds_the_warehouse_and_its_failure_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    warehouse = Warehouse(Path("relative"))
    with warehouse.writing() as lock:
        (warehouse.folder / "exit").write_text(str(code))
        if code:
            with pytest.raises(UsageProblem, match="Nothing was published"):
                build.run_dbt(warehouse, lock, progress=False)
        else:
            build.run_dbt(warehouse, lock, progress=False)
    shown = capfd.readouterr().err.splitlines()
    folder = tmp_path / "relative"
    assert shown == ["Failure in x", "plain words", f"{folder} {folder}/target"]


def test_dbt_keeps_the_lock_when_build_is_killed(warehouse: Warehouse) -> None:
    """The child outlives its parent, and nobody else may write before it has ended."""
    with warehouse.writing() as lock:
        child = subprocess.Popen(["sleep", "60"], pass_fds=(lock,))
    try:
        with pytest.raises(UsageProblem, match="Another command"), warehouse.writing():
            pass
    finally:
        child.kill()
        child.wait()
    with warehouse.writing():
        pass


def test_a_file_in_use_is_read_only(warehouse: Warehouse) -> None:
    """Whoever opened it for writing would lock all others out."""
    publish(warehouse)
    assert warehouse.published_database.stat().st_mode & 0o222 == 0
    assert os.access(warehouse.published_database, os.R_OK)
