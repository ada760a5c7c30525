"""The command line: its help and docs, its exit codes, and errors that say what to do."""

import errno
import gzip
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import duckdb
import pytest
from building import ROOT, copy_project, held_open, run
from click.testing import CliRunner, Result

from scripts import build, configuration, workers
from scripts.__main__ import COMMANDS, main
from scripts.doctor import SETTINGS, SETTINGS_OF_SUPERSET
from scripts.errors import UsageProblem
from scripts.warehouse import Warehouse, told_plainly

DOCUMENT = ROOT / "docs/commands.md"
LINE = '{"app_token": "NX-1", "event_type": "track", "inserted_at": "2025-05-11T07:45:30Z"}\n'
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export of one event."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "a.json").write_text(LINE)
    return folder


def invoke(*arguments: object) -> Result:
    """Run a command in this process, with nothing set by whoever tests."""
    unset = dict.fromkeys([*SETTINGS, configuration.SALT])
    return CliRunner(env=unset).invoke(main, list(map(str, arguments)), prog_name="scripts")


def refusal(result: Result | subprocess.CompletedProcess[str]) -> str:
    """The message of a command that must refuse with exit code 1, and without a traceback."""
    code = result.exit_code if isinstance(result, Result) else result.returncode
    assert code == 1, result
    assert "Traceback" not in result.stdout + result.stderr
    return result.stderr[result.stderr.index("Error: ") :]


# ---------- help and documents


def help_of(name: str | None) -> str:
    """What `--help` prints, on a terminal of a certain width."""
    parent = click.Context(main, info_name="python -m scripts", terminal_width=88)
    if name is None:
        return main.get_help(parent)
    command = main.get_command(parent, name)
    assert command
    return command.get_help(click.Context(command, parent, info_name=name, terminal_width=88))


def test_the_document_shows_the_help_of_every_command() -> None:
    """`UPDATE_DOCUMENTS=1` writes it anew."""
    text = DOCUMENT.read_text()
    names = re.findall(r"^## `(\w+)`\n\n```text\n", text, re.MULTILINE)
    assert names == list(COMMANDS)
    helps = iter([help_of(None), *map(help_of, names)])
    current = re.sub(
        r"(?<=```text\n)Usage: .*?(?=```)", lambda _: f"{next(helps)}\n", text, flags=re.DOTALL
    )
    if os.environ.get("UPDATE_DOCUMENTS"):
        DOCUMENT.write_text(current)
    assert text == current


def test_the_document_lists_every_environment_variable() -> None:
    sources = [*(ROOT / "scripts").rglob("*.py"), ROOT / "profiles.yml", ROOT / "Makefile"]
    read = re.compile(r"\b(?:USERPILOT|DBT_ENV_SECRET)_[A-Z_]+\b")
    names = {name for path in sources for name in read.findall(path.read_text())}
    names -= SETTINGS_OF_SUPERSET  # in docs/bi.md
    assert names == {*SETTINGS, configuration.SALT}
    row = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)
    assert set(row.findall(DOCUMENT.read_text())) == {*names, "NO_COLOR"}
    assert set(row.findall((ROOT / "README.md").read_text())) == names
    start = (ROOT / "bi/superset/start.py").read_text()
    assert {*read.findall(start)} == {*SETTINGS_OF_SUPERSET, "USERPILOT_WAREHOUSE"}
    assert set(row.findall((ROOT / "docs/bi.md").read_text())) == SETTINGS_OF_SUPERSET


def test_to_superset_an_empty_variable_is_one_that_is_not_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("USERPILOT_WAREHOUSE", "")
    monkeypatch.setenv("USERPILOT_SUPERSET_PORT", "")
    start = runpy.run_path(str(ROOT / "bi/superset/start.py"))
    assert (start["WAREHOUSE"], start["PORT"]) == (Path("warehouse").absolute(), "8088")


def test_the_document_and_the_help_tell_the_same_exit_codes() -> None:
    told = re.findall(r"^ +(\d+)  ", help_of(None), re.MULTILINE)
    assert told == re.findall(r"^\| (\d+) \|", DOCUMENT.read_text(), re.MULTILINE)
    assert told == ["0", "1", "2", "130"]


def test_version_is_that_of_the_project() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    result = invoke("--version")
    assert result.exit_code == 0
    assert f" {version[1]} (dbt-core 1." in result.stdout


# ---------- exit codes


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["load", "--nonsense"], ["load", "--warehouse", __file__]]
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    assert invoke(*arguments).exit_code == 2


@pytest.mark.parametrize("kind", ["python", "duckdb"])
def test_an_interrupt_is_one_line_and_130(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    def interrupted(*_: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            if kind == "duckdb":
                raise RuntimeError("Query interrupted")  # noqa: B904 (as DuckDB does)
            raise

    monkeypatch.setattr("scripts.generate.generate", interrupted)
    result = invoke("generate")
    assert result.exit_code == 130
    assert result.stderr == "Interrupted. Run the same again: it goes on or starts anew.\n"


def test_other_errors_are_not_taken_for_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("scripts.generate.generate", broken)
    assert isinstance(invoke("generate").exception, RuntimeError)


def test_ctrl_c_in_a_load_with_workers(tmp_path: Path) -> None:
    """The whole process group gets it, as on a terminal; no worker tells of it."""
    export = tmp_path / "export"
    export.mkdir()
    for number in range(3):
        (export / f"{number}.json").write_text(LINE.replace("}", f', "user_id": {number}}}'))
    code = """if True:
        import sys
        from scripts import load
        from scripts.__main__ import main
        load.SMALL_LOAD_BYTES, load.TASK_BYTES = 0, 1
        merge = load._Run._merge_batch
        def slowly(*arguments):
            print("merging", flush=True)
            import time; time.sleep(60)
        load._Run._merge_batch = slowly
        main()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", code, "load", "--source", export, "--warehouse", tmp_path / "w"],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "merging\n"
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.splitlines() == ["Interrupted. Run the same again: it goes on or starts anew."]


@pytest.mark.parametrize("when", ["at once", "later"])
def test_ctrl_c_ends_dbt_too(tmp_path: Path, when: str) -> None:
    code = f"""if True:
        import sys
        sys.executable = {str(tmp_path / "python")!r}
        from scripts.__main__ import main
        main()
    """
    dbt = tmp_path / "dbt"
    interrupt = "kill -INT $PPID" if when == "at once" else f"touch {tmp_path}/running"
    dbt.write_text(f"#!/bin/sh\ntrap '' INT\n{interrupt}\nexec sleep 60\n")
    dbt.chmod(0o755)
    (tmp_path / "export").mkdir()
    folders = ["--source", tmp_path / "export", "--warehouse", tmp_path / "w"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, "build", *folders],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    if when == "later":
        while not (tmp_path / "running").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.splitlines()[-1].startswith("Interrupted.")
    with Warehouse(tmp_path / "w").writing():  # dbt held the lock, and is gone
        pass


# ---------- the source


def test_no_source(tmp_path: Path) -> None:
    assert "--source FOLDER or USERPILOT_SOURCE" in refusal(
        invoke("load", "--warehouse", tmp_path / "w")
    )


def test_a_source_whose_parent_is_not_there(tmp_path: Path) -> None:
    source = tmp_path / "exports/userpilot_datasync_1_NX-1/2025-05-11"
    told = refusal(invoke("load", "--source", source, "--warehouse", tmp_path / "w"))
    assert f"does not exist: look into {tmp_path}, the last folder" in told


@pytest.mark.parametrize(
    ("name", "words"), [(None, "nor any other file"), ("a.csv", "but other files (a.csv)")]
)
def test_a_source_without_export_files(tmp_path: Path, name: str | None, words: str) -> None:
    source = tmp_path / "export"
    source.mkdir()
    if name:
        (source / name).touch()
    result = invoke("load", "--source", source, "--warehouse", tmp_path / "w")
    assert result.exit_code == 0
    assert "No export files (.json, .ndjson, .jsonl, plain, .gz or .zst)" in result.stdout
    assert words in result.stdout


def test_a_broken_gzip_is_named_and_the_others_load(export: Path, tmp_path: Path) -> None:
    (export / "b.json.gz").write_text("no gzip")
    (export / "c.json.gz").write_bytes(gzip.compress(LINE.encode())[:-5])
    result = invoke("load", "--source", export, "--warehouse", tmp_path / "w")
    assert result.exit_code == 0
    assert "Files:    2 failed, 1 loaded" in result.stdout
    assert "Cannot read b.json.gz: the compressed file is damaged (" in result.stdout
    assert "Cannot read c.json.gz: the compressed file is cut short. It is left" in result.stdout


def test_a_file_that_may_not_be_read_is_named(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("scripts.source.LocalSource.open", closed)
    result = invoke("load", "--source", export, "--warehouse", tmp_path / "w")
    assert "Cannot read a.json: Permission denied. It is left out" in result.stdout


# ---------- the warehouse


def test_a_warehouse_that_cannot_be_made(export: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = refusal(invoke("load", "--source", export, "--warehouse", tmp_path / "file/w"))
    assert f"Cannot write to the warehouse folder {tmp_path}/file/w: Not a directory" in told


def test_a_warehouse_that_may_not_be_written(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", closed)
    told = refusal(invoke("load", "--source", export, "--warehouse", tmp_path / "w"))
    assert "Permission denied. Have the right to it given" in told


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """A warehouse whose build database another process has open."""
    with held_open(tmp_path / "build.duckdb"):
        yield tmp_path


def test_a_database_in_use(held: Path, export: Path) -> None:
    loading = refusal(invoke("load", "--source", export, "--warehouse", held))
    publishing = refusal(invoke("publish", "--warehouse", held))
    by_hand = run("dbt.cli.main", "build", "--quiet", warehouse=held)
    assert by_hand.returncode != 0
    assert "Traceback" not in by_hand.stdout + by_hand.stderr
    for told in (loading, publishing, by_hand.stdout):
        assert f"Cannot open {held}/build.duckdb: " in told
        assert "(PID " in told
        assert "has it open: wait for it or end it" in told


def test_dbt_by_hand_without_a_warehouse_folder(tmp_path: Path) -> None:
    """From another folder too: profiles.yml finds the plugin beside itself."""
    folders = [f"--{kind}-dir={ROOT}" for kind in ("project", "profiles")]
    scratch = tmp_path / "target"
    result = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "build", *folders],
        cwd=tmp_path,
        env=os.environ
        | {"USERPILOT_WAREHOUSE": str(tmp_path / "w")}
        | dict.fromkeys(("DBT_TARGET_PATH", "DBT_LOG_PATH"), str(scratch)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert f"The warehouse folder {tmp_path}/w does not exist." in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("USERPILOT_THREADS", "many", "USERPILOT_THREADS is `many`"),
        ("USERPILOT_MEMORY_LIMIT", "much", "Set USERPILOT_MEMORY_LIMIT"),
    ],
)
def test_a_setting_that_is_none(
    *,
    export: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    words: str,
) -> None:
    warehouse = ["--warehouse", str(tmp_path / "w")]
    loading = ["load", "--source", str(export), *warehouse]
    assert CliRunner().invoke(main, loading).exit_code == 0
    monkeypatch.setenv(name, value)
    for arguments in (loading, ["publish", *warehouse]):
        assert words in refusal(CliRunner().invoke(main, arguments))


# ---------- a full disk


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for one megabyte."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_load_on_a_full_disk(export: Path, tiny_disk: Path) -> None:
    (export / "b.json").write_text(LINE.replace("}", ', "hostname": "' + "x" * 2_000_000 + '"}'))
    told = refusal(invoke("load", "--source", export, "--warehouse", tiny_disk))
    assert f"Cannot write to {tiny_disk}: " in told
    assert "The disk is full: make room, then run this again. Nothing was loaded." in told


@pytest.mark.parametrize("left", [0, 500_000])
def test_writing_on_a_full_disk(tiny_disk: Path, left: int) -> None:
    """DuckDB has an error for a commit that finds no room, and another for a long query."""
    with (
        pytest.raises(UsageProblem) as refused,
        told_plainly(f"Cannot publish to {tiny_disk}", "Readers keep what they have."),
        duckdb.connect(str(tiny_disk / "a.duckdb")) as connection,
    ):
        free = shutil.disk_usage(tiny_disk).free
        (tiny_disk / "other").write_bytes(b"x" * (free - left))
        connection.execute("create table a as select hash(range) from range(?)", [1 + 2 * left])
    told = refused.value.message
    assert told.startswith(f"Cannot publish to {tiny_disk}: ")
    assert told.endswith(
        "The disk is full: make room, then run this again. Readers keep what they have."
    )


def full(*_: object, **__: object) -> None:
    raise FULL


def test_a_worker_on_a_full_disk(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "read", full)
    told = refusal(invoke("load", "--source", export, "--warehouse", tmp_path / "w"))
    assert "The disk is full: make room" in told


@pytest.mark.parametrize("refused", ["scripts.dbt.run", "tempfile.TemporaryDirectory"])
def test_a_documentation_page_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    with duckdb.connect(str(tmp_path / "build.duckdb")) as connection:
        connection.execute("create schema intermediate")
        connection.execute("create table intermediate.int_build_info (invocation_id text)")
    monkeypatch.setattr(refused, full)
    told = refusal(invoke("docs", "--warehouse", tmp_path))
    assert told.startswith(f"Error: Cannot write {tmp_path}/docs/index.html: ")
    assert "The disk is full: make room" in told


@pytest.mark.parametrize("refused", ["tempfile.mkdtemp", "scripts.generate.write_story"])
def test_a_sample_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    monkeypatch.setattr(refused, full)
    told = refusal(invoke("generate", "--output", tmp_path / "sample"))
    assert f"{tmp_path}/sample: " in told
    assert "The disk is full: make room" in told


def test_dbt_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Told once, with neither the tracebacks of dbt nor those of Python's logging."""
    said = [
        '{"info": {"name": "X", "level": "error", "msg": "No space left on device"}, "data": {}}',
        '{"info": {"name": "X", "level": "error", "msg": "No space left on device"}, "data": {}}',
        '{"info": {"name": "MainStackTrace", "level": "error", "msg": "Traceback"}, "data": {}}',
        "--- Logging error ---",
    ]
    dbt = tmp_path / "dbt"
    dbt.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in said) + "exit 1\n")
    dbt.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    warehouse = Warehouse(tmp_path / "w")
    with warehouse.writing() as lock, pytest.raises(UsageProblem) as refused:
        build.run_dbt(warehouse, lock, progress=False)
    assert refused.value.message.endswith("The disk is full: make room, then run this again.")
    assert capfd.readouterr().err == "No space left on device\n"


# ---------- the configuration, before any work


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("dbt_project.yml", "reporting_timezone: UTC", "reporting_timezone: Mars/Olympus", "Mars"),
        ("seeds/funnels.csv", "activation,2,", "activation,two,", "line 3, column step: `two`"),
        ("seeds/funnels.csv", "activation,2,", "activation,5,", "line 4, column step: `3` stands"),
    ],
)
def test_build_refuses_a_mistake_before_it_loads(
    *, export: Path, tmp_path: Path, file: str, old: str, new: str, words: str
) -> None:
    project, warehouse = copy_project(tmp_path / "project"), tmp_path / "w"
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new))
    told = refusal(
        run("scripts", "build", "--source", export, warehouse=warehouse, project=project)
    )
    by_hand = run("dbt.cli.main", "build", warehouse=warehouse, project=project)
    assert by_hand.returncode != 0
    assert "Traceback" not in by_hand.stdout + by_hand.stderr
    for message in (told, by_hand.stdout):
        assert words in message
        assert "Mend the configuration, then run this again." in message
    assert not (warehouse / "build.duckdb").exists()


# ---------- the installation


@pytest.mark.parametrize("python", ["echo Python 3.12.1; exit 1", ""])
def test_make_refuses_another_python(tmp_path: Path, python: str) -> None:
    shutil.copy2(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\n{python}\n")
    other.chmod(0o755)
    named = str(other) if python else ""
    made = subprocess.run(
        ["make", "setup", f"PYTHON={named}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode != 0
    assert "Python 3.11 is needed" in made.stderr
    assert (f"{named} is Python 3.12.1" in made.stderr) == bool(python)
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("module", "words"),
    [("click", "the packages are missing"), ("duckdb", "No module named")],
)
def test_a_missing_package_says_what_to_run(tmp_path: Path, module: str, words: str) -> None:
    (tmp_path / f"{module}.py").write_text(
        f"raise ModuleNotFoundError(\"No module named '{module}'\")"
    )
    result = run("scripts", "doctor", warehouse=tmp_path / "w", PYTHONPATH=str(tmp_path))
    told = refusal(result)
    assert words in told
    assert "make setup" in told
