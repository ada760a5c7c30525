"""`doctor`: check a set-up, and say for each finding what to do."""

import fcntl
import importlib.util
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

import click
import duckdb
import fsspec
import jinja2

from scripts import PROJECT, dbt
from scripts.configuration import (
    declared_seeds,
    is_share,
    read_seed,
    salt_mistakes,
    seed_mistakes,
    var_mistakes,
)
from scripts.errors import UsageProblem, on_one_line, plainly
from scripts.load import kind_of, no_export_files
from scripts.sanitise import expected_bytes
from scripts.source import Entry, find_source, source_option
from scripts.warehouse import Warehouse, duckdb_settings, warehouse_option

ROOM = 3  # what a warehouse takes of the disk, as a multiple of the export's lines
MANY_FILES = 20_000  # so many are looked at, to be done in time
SETTINGS = {
    f"USERPILOT_{name}"
    for name in ("SOURCE", "WAREHOUSE", "THREADS", "MEMORY_LIMIT", "ERROR_BUDGET")
}
SETTINGS_OF_SUPERSET = {"USERPILOT_SUPERSET_PORT", "USERPILOT_SUPERSET_PASSWORD"}
# Entity types that the seed content has and interactions do not.
ONLY_CONTENT = ["survey", "survey_option", "track", "track_feature"]
COLOURS = {"ok": "green", "warning": "yellow", "problem": "red"}

_PIN = re.compile(r"^([\w.-]+)==([\w.]+)( ;)?", re.MULTILINE)


@dataclass(frozen=True)
class Setup:
    """What is checked: the source, where one is given, and the warehouse."""

    source: str | None
    warehouse: Warehouse


@dataclass(frozen=True)
class Finding:
    """What a check found; `state` is ok, warning or problem."""

    check: str
    state: str
    message: str


# State and message; a check that ends without any has found nothing wrong.
Found = Iterator[tuple[str, str]]


# ---------- the installation


def python(_: Setup) -> Found:
    """Python is the version that the packages are locked for."""
    if sys.version_info[:2] != (3, 11):
        yield "problem", f"{sys.version.split()[0]}: install 3.11, remove .venv, run `make setup`"
    yield "ok", sys.version.split()[0]


def packages(_: Setup) -> Found:
    """Every package is the pinned one."""
    pins = _PIN.findall((PROJECT / "requirements.lock").read_text())
    # Which pin of a package counts elsewhere than here is pip's to know.
    wrong = [
        f"{name} is {_version(name) or 'missing'}, not {pinned}"
        for name, pinned, condition in pins
        if not condition and _version(name) != pinned
    ]
    if wrong:
        rest = f" and {len(wrong) - 3} more" if wrong[3:] else ""
        yield "problem", f"{'; '.join(wrong[:3])}{rest}: remove .venv, run `make setup`"
    yield "ok", f"{len(pins)} as in requirements.lock"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def imports(_: Setup) -> Found:
    """DuckDB works, and dbt is there with its adapter."""
    duckdb.execute("select 1")
    if importlib.util.find_spec("dbt.adapters.duckdb") is None or not dbt.executable().exists():
        yield (
            "problem",
            f"{dbt.executable()} or dbt-duckdb is missing: remove .venv, run `make setup`",
        )
    yield "ok", f"dbt {_version('dbt-core')}, DuckDB {duckdb.__version__}"


# ---------- the configuration


def environment(_: Setup) -> Found:
    """The environment variables hold what they may."""
    given = {name for name in os.environ if name.startswith("USERPILOT_")}
    for name in sorted(given - SETTINGS - SETTINGS_OF_SUPERSET):
        yield "warning", f"nothing reads {name}; what is read is {', '.join(sorted(SETTINGS))}"
    budget = os.environ.get("USERPILOT_ERROR_BUDGET")
    if budget and not is_share(_number(budget)):
        yield "problem", f"USERPILOT_ERROR_BUDGET is `{budget}`; give a number from 0 to 1"
    try:
        duckdb.connect(config=duckdb_settings()).close()
    except duckdb.Error as error:
        yield "problem", plainly(error)
    yield "ok", ", ".join(sorted(given)) or "nothing set, the defaults count"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def variables(_: Setup) -> Found:
    """The vars have known names and the right types, the time zone is one."""
    yield from _problems(var_mistakes())


def salt(_: Setup) -> Found:
    """There is a salt where traits are hashed."""
    yield from _problems(salt_mistakes())


def seeds(_: Setup) -> Found:
    """The seeds have the columns, values and rows that seeds/_seeds.yml declares."""
    yield from (("warning", doubt) for doubt in seed_doubts())
    yield from _problems(seed_mistakes())


def seed_doubts(project: Path = PROJECT) -> Iterator[str]:
    """Find what an export may yet hold: blanks around a cell, and what nobody documented."""
    documented = documented_values(project)
    for seed in declared_seeds(project):
        rows, _ = read_seed(seed)
        first: dict[tuple[str, str], int] = {}
        for line, row in rows:
            for name, cell in row.items():
                first.setdefault((name, cell), line)
        for (name, cell), line in first.items():
            known = documented.get(name.removeprefix("goal_"), [])
            if (seed.path.stem, name) == ("content", "entity_type"):
                known = known + ONLY_CONTENT
            if cell != cell.strip():
                yield (
                    f"seeds/{seed.path.name}, line {line}, column {name}: `{cell}` has blanks"
                    " around it, which count: remove them, unless your export holds them"
                )
            # A cell fits as the macro `matches_cell` has it.
            pattern = ".*".join(map(re.escape, cell.split("%")))
            if cell and known and not any(re.fullmatch(pattern, value) for value in known):
                yield (
                    f"seeds/{seed.path.name}, line {line}, column {name}: `{cell}` is none of the"
                    f" documented {', '.join(known)}: mend it, unless your export holds it"
                )


def documented_values(project: Path = PROJECT) -> dict[str, list[str]]:
    """Read from the macros what values Userpilot documents for which column."""

    def returned(macro: str, **others: Callable[[], Any]) -> Any:
        text = (project / f"macros/parsing/{macro}.sql").read_text()
        values: list[Any] = []
        known = {"return": values.append, **others}
        template = jinja2.Environment().from_string(text, globals=known)  # noqa: S701 (no HTML)
        getattr(template.module, macro)()
        return values[0]

    values: dict[str, list[str]] = returned(
        "documented_values", interaction_attributes=lambda: returned("interaction_attributes")
    )
    return values


def _problems(mistakes: Iterable[str]) -> Found:
    yield from (("problem", mistake) for mistake in mistakes)
    yield "ok", "no mistake"


# ---------- the source


def source(setup: Setup) -> Found:
    """The source is there and holds export files."""
    if not setup.source:
        yield (
            "ok",
            "none given: `build` takes a sample export; yours is --source or USERPILOT_SOURCE",
        )
    elif "://" in setup.source:
        protocol = setup.source.partition("://")[0].rpartition("::")[2]
        try:
            fsspec.get_filesystem_class(protocol)
        except (ImportError, ValueError) as error:
            yield "problem", f"{error}: install the package that reads {protocol}:// with pip"
        yield "ok", f"{protocol}:// can be read; `load` finds out whether you may"
    else:
        place = find_source(setup.source, setup.warehouse.folder)
        entries = list(islice(place.entries(), MANY_FILES))
        exported = _exported(entries)
        if not exported:
            yield "warning", no_export_files(place, entries)
        closed = [one.path for one in exported if not os.access(one.key, os.R_OK)]
        if closed:
            yield (
                "problem",
                f"{len(closed)} files cannot be read, {on_one_line(closed[0])} for one: have the"
                " right to read them given to the user who runs this",
            )
        some = "the first " if len(entries) == MANY_FILES else ""
        size = sum(one.size for one in exported)
        yield "ok", f"{some}{len(exported):,} export files, {_megabytes(size)} in {place.name}"


def _exported(entries: list[Entry]) -> list[Entry]:
    return [one for one in entries if kind_of(one)[1] is None]


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f} MB"


# ---------- the warehouse


def warehouse_folder(setup: Setup) -> Found:
    """The warehouse folder, or where it will be made, can be written to."""
    folder = _existing(setup.warehouse.folder)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        yield "problem", f"cannot write to {folder}: {plainly(error)}"
    made = "" if folder == setup.warehouse.folder else " will be made"
    yield "ok", f"{setup.warehouse.folder}{made}"


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def disk(setup: Setup) -> Found:
    """There is room for what the source becomes."""
    free = shutil.disk_usage(_existing(setup.warehouse.folder)).free
    needed = 0
    if setup.source and "://" not in setup.source and Path(setup.source).is_dir():
        place = find_source(setup.source, setup.warehouse.folder)
        exported = _exported(list(islice(place.entries(), MANY_FILES)))
        needed = ROOM * sum(expected_bytes(one.path, one.size) for one in exported)
    if free < needed:
        yield (
            "warning",
            f"{_megabytes(free)} are free, the source may become {_megabytes(needed)}: make room or"
            " take a --warehouse on another disk",
        )
    yield "ok", f"{_megabytes(free)} are free"


def write_lock(setup: Setup) -> Found:
    """Nobody is writing to the warehouse."""
    if (setup.warehouse.folder / ".lock").exists():
        with setup.warehouse.writing():
            pass
    yield "ok", "free"


def build_database(setup: Setup) -> Found:
    """The build database opens, and no reader keeps `build` from writing to it."""
    path = setup.warehouse.build_database
    if not path.exists():
        yield "ok", "not there yet: `build` makes it"
        return
    setup.warehouse.connect(read_only=True).close()
    with path.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock that DuckDB takes
        except BlockingIOError:
            yield (
                "problem",
                f"another process reads {path}: end it; readers should open userpilot.duckdb",
            )
    if path.with_name(f"{path.name}.wal").exists():
        yield "warning", f"{path.name}.wal was left by a killed run: the next `build` takes it in"
    yield "ok", f"{path} opens"


def published_database(setup: Setup) -> Found:
    """The published database opens, and nobody wrote to it."""
    path = setup.warehouse.published_database
    stray = path.with_name(f"{path.name}.wal")
    if stray.exists():
        yield "problem", f"{stray}: somebody opened the database for writing: remove the file"
    elif not path.exists():
        yield "ok", "not there yet: `build` makes it"
    else:
        try:
            duckdb.connect(str(path), read_only=True).close()
        except duckdb.Error as error:
            yield "problem", f"cannot open {path}: {plainly(error)}"
        yield "ok", f"{path} opens"


CHECKS: tuple[Callable[[Setup], Found], ...] = (
    *(python, packages, imports, environment, variables, salt, seeds, source),
    *(warehouse_folder, disk, write_lock, build_database, published_database),
)


def examine(setup: Setup) -> list[Finding]:
    """Run every check."""
    return [finding for check in CHECKS for finding in _examine(check, setup)]


def _examine(check: Callable[[Setup], Found], setup: Setup) -> list[Finding]:
    name = check.__name__.replace("_", " ")
    found = []
    try:
        found += [Finding(name, *one) for one in check(setup)]
    except UsageProblem as problem:
        found.append(Finding(name, "problem", problem.message))
    except OSError as error:
        found.append(Finding(name, "problem", f"{error.filename}: {plainly(error)}"))
    return [one for one in found if one.state != "ok"] or found


# ---------- command


@click.command()
@source_option
@warehouse_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
@click.pass_context
def command(ctx: click.Context, *, source: str | None, folder: Path, as_json: bool) -> None:
    """Check the set-up and say what to do about each finding.

    Looks at Python and its packages, the configuration (vars, seeds, environment variables), the
    source and the warehouse folder; changes nothing. The exit code is 0 where it finds nothing
    but warnings.

    \b
    Examples:
      python -m scripts doctor
      python -m scripts doctor --source ~/userpilot_events --json
    """
    findings = examine(Setup(source or None, Warehouse(folder)))
    problems = sum(one.state == "problem" for one in findings)
    if as_json:
        report = {"problems": problems, "findings": [asdict(one) for one in findings]}
        click.echo(json.dumps(report))
    else:
        for one in findings:
            state = click.style(f"{one.state:8}", fg=COLOURS[one.state])
            click.echo(f"{state} {one.check:19} {one.message}".rstrip())
        click.echo(f"{problems or 'No'} problem{'s' if problems != 1 else ''} found.")
    ctx.exit(min(problems, 1))
