"""The export to measure with: 60 days of events as Data Sync writes them, made by DuckDB."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from scripts.benchmark import scenes
from scripts.sample import catalog
from scripts.sql import literal

FIRST_DAY = date(2025, 5, 1)
DAYS = 60
RECENT_DAYS = DAYS // 10
EVENTS_PER_USER, EVENTS_PER_VISIT = 50, 10
SYNC_FOLDER = f"userpilot_datasync_{catalog.SYNC_IDS[catalog.MAIN]}_{catalog.MAIN}"
RESYNC_DAY = FIRST_DAY + timedelta(days=DAYS + 5)
MARKER = "export.json"
SQL = Path(__file__).with_name("export.sql")


@dataclass(frozen=True)
class Export:
    """An export on disk.

    Attributes:
        events: about how many events it holds, as asked for.
        lines: lines of `everything`, copies and rejected ones included.
        size_bytes: their size.
    """

    folder: Path
    events: int
    seed: int
    lines: int
    size_bytes: int

    @property
    def everything(self) -> Path:
        """All days."""
        return self.folder / "everything"

    @property
    def without_last_day(self) -> Path:
        """All days but the last."""
        return self.folder / "without_last_day"

    @property
    def recent_days(self) -> Path:
        """A tenth of the days: those before the last."""
        return self.folder / "recent_days"

    @property
    def recent_and_last_day(self) -> Path:
        """The same, and the last."""
        return self.folder / "recent_and_last_day"

    @property
    def with_resync(self) -> Path:
        """All days, and the same files again in a later folder."""
        return self.folder / "with_resync"

    @property
    def with_regrouped(self) -> Path:
        """All days, and the same lines again in a later folder, two days a file."""
        return self.folder / "with_regrouped"


def find_or_make(work_folder: Path, events: int, seed: int = 7) -> Export:
    """Return the export of that size, made now unless it is there.

    Args:
        work_folder: where exports lie, one folder each.
        events: about how many events to write.
        seed: another seed, another export.
    """
    folder = work_folder / f"export_{events}_{seed}"
    marker = folder / MARKER
    if marker.exists():
        found = json.loads(marker.read_text())
        if found.pop("generator") == _fingerprint():
            return Export(folder, **found)
        shutil.rmtree(folder)
    elif folder.exists():
        raise FileExistsError(f"{folder} is there and is not an export of this benchmark.")
    work_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export.", dir=work_folder) as scratch:
        made = _write(Path(scratch) / "export", events, seed)
        kept = {"events": events, "seed": seed, "lines": made.lines, "size_bytes": made.size_bytes}
        (made.folder / MARKER).write_text(
            json.dumps(kept | {"generator": _fingerprint()}, indent=2) + "\n"
        )
        made.folder.rename(folder)
    return Export(folder, **kept)


def _write(folder: Path, events: int, seed: int) -> Export:
    export = Export(folder, events, seed, 0, 0)
    lines = 0
    with _telling(events, seed) as connection:
        for number in range(DAYS):
            path = export.everything / SYNC_FOLDER / _day(number) / _file_name(number)
            path.parent.mkdir(parents=True)
            # Without quotes and with a delimiter that no line holds, CSV is plain text.
            row = connection.execute(
                f"copy (from lines_of({number})) to {literal(str(path))} "
                "(format csv, header false, quote '', escape '', delimiter '\x01')"
            ).fetchone()
            lines += row[0] if row else 0
    again = Path(SYNC_FOLDER, RESYNC_DAY.isoformat())
    files = sorted(export.everything.rglob("*.ndjson"))
    for path in files:
        relative = path.relative_to(export.everything)
        _link(path, export.with_resync / relative)
        _link(path, export.with_resync / again / f"again_{path.name}")
        _link(path, export.with_regrouped / relative)
        is_last = relative.parts[1] == _day(DAYS - 1)
        if not is_last:
            _link(path, export.without_last_day / relative)
        if relative.parts[1] >= _day(DAYS - 1 - RECENT_DAYS):
            _link(path, export.recent_and_last_day / relative)
            if not is_last:
                _link(path, export.recent_days / relative)
    for pair in zip(files[::2], files[1::2], strict=True):
        _join(pair, export.with_regrouped / again / f"again_{pair[0].name}")
    return Export(folder, events, seed, lines, sum(path.stat().st_size for path in files))


@contextmanager
def _telling(events: int, seed: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database with the people, their visits and the macro `lines_of`."""
    variables: dict[str, int | list[str]] = {
        "seed": seed,
        "days": DAYS,
        "users": max(events // EVENTS_PER_USER, 1),
        "visits": max(events // EVENTS_PER_VISIT, 1),
        "first_names": list(catalog.FIRST_NAMES),
        "last_names": list(catalog.LAST_NAMES),
        "pages": _repeated(catalog.PAGES, catalog.PAGE_WEIGHTS),
        "devices": _devices(),
    }
    with duckdb.connect() as connection:
        connection.execute(f"set variable first_day = date '{FIRST_DAY.isoformat()}'")
        for name, value in variables.items():
            connection.execute(f"set variable {name} = {literal(value)}")
        _table(connection, "scenes", scenes.Scene, scenes.SCENES)
        _table(connection, "cues", scenes.Cue, scenes.CUES)
        connection.execute(SQL.read_text())
        yield connection


def _table(
    connection: duckdb.DuckDBPyConnection, name: str, kind: type[Any], rows: tuple[Any, ...]
) -> None:
    """Make a table of dataclass instances; scenes get their number, to be in a known order."""
    columns = ", ".join(
        f"{field.name} {'integer' if field.type is int else 'varchar'}" for field in fields(kind)
    )
    connection.execute(f"create table {name} ({name[:-1]}_number integer, {columns})")
    marks = ", ".join("?" * (1 + len(fields(kind))))
    connection.executemany(
        f"insert into {name} values ({marks})",  # noqa: S608 (the tables are ours)
        [(number, *astuple(row)) for number, row in enumerate(rows)],
    )


def _devices() -> list[str]:
    """What each kind of browser adds to an event, as JSON members; pick evenly from the list."""
    members = []
    for (kind, width, height, system, browser, agent, weight), (country, language, _, _) in zip(
        catalog.MACHINES * 2, catalog.PLACES, strict=True
    ):
        device = {
            "screen_width": width,
            "screen_height": height,
            "device_type": kind,
            "user_agent": agent,
            "operating_system": system,
            "browser": browser,
            "browser_language": language,
            "country_code": country,
        }
        members += [json.dumps(device, separators=(",", ":"))[1:-1]] * weight
    return members


def _repeated(options: tuple[str, ...], weights: tuple[int, ...]) -> list[str]:
    """Repeat each option by its weight, ready to be put between the quotes of JSON."""
    return [
        json.dumps(option, ensure_ascii=False)[1:-1]
        for option, weight in zip(options, weights, strict=True)
        for _ in range(weight)
    ]


def _day(number: int) -> str:
    return (FIRST_DAY + timedelta(days=number)).isoformat()


def _file_name(number: int) -> str:
    return f"events_{_day(number).replace('-', '')}_000.ndjson"


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; where the file system cannot, copy it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _join(sources: Iterable[Path], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as joined:
        for source in sources:
            with source.open("rb") as lines:
                shutil.copyfileobj(lines, joined)


def _fingerprint() -> str:
    """Identify the generator's code: a changed one writes exports anew."""
    digest = sha256(duckdb.__version__.encode())
    for path in (SQL, Path(__file__), Path(scenes.__file__), Path(catalog.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
