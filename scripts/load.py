"""`python -m scripts load`: put export files into the raw tables, all of them or none."""

import contextlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import duckdb
from tqdm import tqdm

from scripts import raw
from scripts.configuration import is_share, variables
from scripts.errors import UsageProblem, on_one_line
from scripts.sanitise import (
    ExportFile,
    FileResult,
    Task,
    TaskResult,
    compression,
    expected_bytes,
)
from scripts.source import Entry, Source, find_source, source_option
from scripts.sql import literal
from scripts.warehouse import Warehouse, empty_folder, threads, told_plainly, warehouse_option
from scripts.workers import read_tasks

# A task is big enough to keep a worker busy, a batch small enough for the disk and the memory.
TASK_BYTES = 64 << 20
BATCH_BYTES = 1 << 30
# Below this, starting worker processes costs more than they bring.
SMALL_LOAD_BYTES = 8 << 20

_EXPORT_NAME = re.compile(r".*\.(json|ndjson|jsonl)(\.gz|\.zst)?", re.IGNORECASE | re.DOTALL)
_RECORD_NAME = re.compile(rf"({'|'.join(raw.RECORD_KINDS)})(?![A-Za-z])")
_SYNC_FOLDER = re.compile(r"userpilot_datasync_([^_]+)_(.+)", re.DOTALL)
_DATE_FOLDER = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass
class LoadSummary:
    """What a run did.

    Attributes:
        status: `loaded`, `nothing_new`, or `failed` (over the error budget, nothing was loaded).
        files: number of files by what became of them.
        new_events: events of which no line was known.
        copies: all other event lines.
        rejected: number of rejected lines by reason.
    """

    status: str
    source: str
    files: dict[str, int] = field(default_factory=dict)
    physical_lines: int = 0
    blank_lines: int = 0
    event_lines: int = 0
    record_lines: int = 0
    rejected_lines: int = 0
    new_events: int = 0
    copies: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None
    seconds: float = 0.0

    def to_json(self) -> str:
        """Write the summary as one JSON object."""
        return json.dumps(asdict(self))


class OverBudgetError(UsageProblem):
    """Too many lines were rejected: they are recorded, and nothing was loaded."""

    def __init__(self, message: str, summary: LoadSummary) -> None:
        """Keep the summary for `--json`."""
        super().__init__(message)
        self.summary = summary


def load(
    source: str,
    warehouse: Warehouse,
    *,
    error_budget: float | None = None,
    replay: bool = False,
    processes: int | None = None,
    progress: bool = False,
) -> LoadSummary:
    """Load what is new in the source. The caller holds the warehouse's write lock.

    Args:
        source: folder or fsspec URL.
        warehouse: where to.
        error_budget: greatest share of rejected lines; None takes the project's setting.
        replay: read the files that have rejected lines again.
        processes: worker processes for large loads; None takes one for each thread of DuckDB.
        progress: show a progress bar, on a terminal.

    Raises:
        OverBudgetError: too many bad lines.
        UsageProblem: nothing could be loaded, and why.
    """
    started = datetime.now(UTC)
    budget: Any = variables().get("error_budget") if error_budget is None else error_budget
    # `nan` is neither above 0 nor below, and would allow everything.
    if not is_share(budget):
        raise UsageProblem(f"The error budget is `{budget}`; give a number from 0 to 1.")
    place = find_source(source, warehouse.folder)
    scratch = warehouse.folder / ".incoming"
    with (
        told_plainly(f"Cannot write to {warehouse.folder}", "Nothing was loaded."),
        empty_folder(scratch),
        contextlib.closing(warehouse.connect()) as connection,
    ):
        connection.execute(f"set temp_directory = {literal(str(scratch / 'spill'))}")
        raw.create_tables(connection)
        entries = list(place.entries())
        plan = Plan.make(connection, entries, place.name, replay)
        run = _Run(
            connection=connection,
            source=place,
            scratch=scratch,
            budget=budget,
            started=started,
            load_id=raw.next_number(connection, "raw.loads", "load_id"),
            processes=processes or threads(),
            progress=progress,
        )
        summary = run.load(plan)
    if not plan.files and not plan.unchanged:
        summary.warnings.append(no_export_files(place, entries))
    summary.seconds = _seconds_since(started)
    return summary


def no_export_files(source: Source, entries: Sequence[Entry]) -> str:
    """Say that there is nothing to load, and what is there instead."""
    found = f"but other files ({on_one_line(entries[0].path)})" if entries else "nor any other file"
    return (
        f"No export files (.json, .ndjson, .jsonl, plain, .gz or .zst) in {source.name}, {found}:"
        " the tables get nothing from it. Is it the folder that Userpilot writes to?"
    )


# ---------- what is to be done


@dataclass(frozen=True)
class Known:
    """A row of raw.files that is in force."""

    file_id: int
    path: str
    kind: str
    status: str
    size: int
    modified: str
    fingerprint: str | None
    physical_lines: int
    blank_lines: int
    rejected_lines: int
    event_lines: int
    error: str | None


@dataclass(frozen=True)
class Candidate:
    """A file that may bring something new.

    Attributes:
        loaded: the version of the file that is loaded.
        attempt: the row of an earlier run that could not load the file; a new row takes its place.
        twins: fingerprints of other files of events that are loaded and have this size.
        replay: read again, whether the content changed or not.
    """

    file_id: int
    entry: Entry
    kind: str
    folder_date: date | None
    sync: tuple[str, str] | None
    loaded: Known | None
    attempt: Known | None
    twins: frozenset[str]
    replay: bool

    def export_file(self) -> ExportFile:
        """Describe the file to a worker."""
        known = None if self.replay or self.loaded is None else self.loaded.fingerprint
        entry = self.entry
        return ExportFile(
            self.file_id,
            entry.path,
            entry.key,
            self.kind,
            entry.size,
            entry.modified,
            known,
            self.twins,
        )


@dataclass(frozen=True)
class Plan:
    """Files to read, files to list as skipped, and the number of files that are as they were.

    Attributes:
        twins: of the loaded files of events, the best of each fingerprint and compression.
    """

    files: list[Candidate]
    skipped: list[tuple[Candidate, str]]
    unchanged: int
    twins: dict[tuple[str, str], Known]

    @property
    def expected_bytes(self) -> int:
        """About how many bytes the files to read have, decompressed."""
        return sum(expected_bytes(one.entry.path, one.entry.size) for one in self.files)

    @staticmethod
    def make(
        connection: raw.Connection, entries: Iterable[Entry], source_name: str, replay: bool
    ) -> "Plan":
        """Compare the source with the ledger."""
        loaded, attempts = _ledger(connection)
        file_id = raw.next_number(connection, "raw.files", "file_id")
        twins = {
            (one.fingerprint, compression(one.path)): one
            for one in loaded.values()
            if one.kind == "events" and one.fingerprint is not None
        }
        sizes: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        for (fingerprint, how), twin in twins.items():
            sizes[twin.size, how].add(fingerprint)
        plan = Plan([], [], 0, twins)
        unchanged = 0
        for entry in sorted(entries, key=lambda entry: entry.path):
            known, attempt = loaded.get(entry.path), attempts.get(entry.path)
            kind, problem = kind_of(entry)
            again = replay and known is not None and known.rejected_lines > 0
            alike = sizes.get((entry.size, compression(entry.path)), ())
            same_size = frozenset(() if again or kind != "events" else alike)
            one = Candidate(
                file_id,
                entry,
                kind,
                *_folders(source_name, entry.path),
                known,
                attempt,
                same_size,
                again,
            )
            if problem is not None:
                if not _same_attempt(attempt, "skipped", entry, problem):
                    plan.skipped.append((one, problem))
            elif known and not attempt and not again and _same_file(known, entry):
                unchanged += 1
                continue
            else:
                plan.files.append(one)
            file_id += 1
        return replace(plan, unchanged=unchanged)


def _ledger(connection: raw.Connection) -> tuple[dict[str, Known], dict[str, Known]]:
    """Rows of raw.files in force, by path: loaded versions, and attempts that loaded nothing.

    The best files come last.
    """
    rows = connection.execute("""
        select
            file_id, path, kind, status, size_bytes, modified, fingerprint, physical_lines,
            blank_lines, rejected_lines, event_lines, error
        from raw.files
        where status <> 'replaced'
        order by folder_date nulls first, path, file_id
    """).fetchall()
    known = [Known(*row) for row in rows]
    return (
        {one.path: one for one in known if one.status == "loaded"},
        {one.path: one for one in known if one.status != "loaded"},
    )


def _same_file(known: Known, entry: Entry) -> bool:
    return entry.modified != "" and (known.size, known.modified) == (entry.size, entry.modified)


def _same_attempt(attempt: Known | None, status: str, entry: Entry, error: str | None) -> bool:
    return (
        attempt is not None
        and attempt.status == status
        and (attempt.size, attempt.modified, attempt.error) == (entry.size, entry.modified, error)
    )


def kind_of(entry: Entry) -> tuple[str, str | None]:
    """Tell a file's kind by its name, and why it is no export file at all (or None)."""
    *_, name = parts = entry.path.split("/")
    if entry.problem is not None:
        return "other", entry.problem
    if any(part.startswith(".") for part in parts):
        return "other", "hidden file or folder"
    if not _EXPORT_NAME.fullmatch(name):
        return "other", "unknown extension"
    match = _RECORD_NAME.match(name)
    return (match[1] if match else "events"), None


def _folders(source_name: str, path: str) -> tuple[date | None, tuple[str, str] | None]:
    """Folder date, and (sync id, app token), from the folders nearest to the file."""
    folder_date, sync = None, None
    for folder in reversed([*source_name.split("/"), *path.split("/")[:-1]]):
        if folder_date is None and _DATE_FOLDER.fullmatch(folder):
            with contextlib.suppress(ValueError):
                folder_date = date.fromisoformat(folder)
        if sync is None and (match := _SYNC_FOLDER.fullmatch(folder)):
            sync = (match[1], match[2])
    return folder_date, sync


# ---------- one run


@dataclass(frozen=True)
class _Run:
    """One run of the loader: read, merge and record, in one transaction."""

    connection: raw.Connection
    source: Source
    scratch: Path
    budget: float
    started: datetime
    load_id: int
    processes: int
    progress: bool

    @property
    def _started_utc(self) -> datetime:
        """When the load began, without time zone: the moment all its files count as loaded."""
        return self.started.replace(tzinfo=None)

    def load(self, plan: Plan) -> LoadSummary:
        """Do what is planned."""
        summary = LoadSummary("nothing_new", self.source.name)
        self.connection.begin()
        try:
            results = self._merge(plan, summary) if plan.files else []
            self._settle(plan, results, summary)
        except BaseException:
            with contextlib.suppress(duckdb.Error):
                self.connection.rollback()
            raise
        return summary

    def _merge(self, plan: Plan, summary: LoadSummary) -> list[TaskResult]:
        """Merge all new lines into the raw tables, batch by batch.

        The best copies come first: else a content would count for a batch that a later one
        supersedes, and be taken for a change.
        """
        coming = [(one.file_id, one.entry.path, one.folder_date) for one in plan.files]
        raw.begin_load(self.connection, self.load_id, self._started_utc, coming)
        best_first = sorted(
            plan.files, key=lambda one: (one.folder_date or date.min, one.entry.path), reverse=True
        )
        tasks = [
            Task(self.source, files, self.scratch, number)
            for number, files in enumerate(_groups(best_first))
        ]
        total = sum(one.entry.size for one in plan.files)
        processes = self.processes if total > SMALL_LOAD_BYTES else 1
        done: list[TaskResult] = []
        with (
            read_tasks(tasks, processes) as results,
            tqdm(
                total=total,
                unit="B",
                unit_scale=True,
                desc="Loading",
                disable=None if self.progress else True,
            ) as bar,
        ):
            batch: list[TaskResult] = []
            for result in results:
                batch.append(result)
                bar.update(sum(file.size for file in result.task.files))
                if sum(one.task.expected_bytes for one in batch) >= BATCH_BYTES:
                    self._merge_batch(batch, plan, summary)
                    done += batch
                    batch = []
            self._merge_batch(batch, plan, summary)
        return done + batch

    def _merge_batch(self, batch: list[TaskResult], plan: Plan, summary: LoadSummary) -> None:
        """Merge what the tasks found into the raw tables."""
        twin_lines = self._merge_twins(batch, plan)
        summary.copies += twin_lines
        events = records = 0
        if parts := {one.task.parquet: one.events for one in batch if one.events is not None}:
            events = sum(parts.values())
            in_batches = plan.expected_bytes > BATCH_BYTES
            new_events = raw.store_events(self.connection, parts, in_batches=in_batches)
            summary.new_events += new_events
            summary.copies += events - new_events
        if paths := _filled(batch, "records"):
            records = raw.store_records(self.connection, paths, _longest(batch))
        expected = sum(file.event_lines for result in batch for file in result.files)
        if twin_lines + events + records != expected:
            raise RuntimeError(f"DuckDB read {twin_lines + events + records} of {expected} lines")
        for result in batch:
            result.task.parquet.unlink(missing_ok=True)
            result.task.scratch("records").unlink()

    def _merge_twins(self, batch: list[TaskResult], plan: Plan) -> int:
        """Merge the files that are the same as loaded ones, without reading them."""
        twins = [
            (file, plan.twins[file.fingerprint, one.compression])
            for result in batch
            for one, file in zip(result.task.files, result.files, strict=True)
            if file.status == "twin" and file.fingerprint is not None
        ]
        if not twins:
            return 0
        reasons = raw.rejected_reasons(self.connection, [known.file_id for _, known in twins])
        for file, known in twins:
            file.status = "read"
            file.twin_id = known.file_id
            file.physical_lines = known.physical_lines
            file.blank_lines = known.blank_lines
            file.rejected_lines = known.rejected_lines
            file.event_lines = known.event_lines
            for reason, lines, first_line in reversed(reasons.get(known.file_id, [])):
                file.reasons[reason] = lines
                file.first_rejected = (first_line, reason)
        return raw.store_twins(
            self.connection, [(file.file_id, known.file_id) for file, known in twins]
        )

    def _settle(self, plan: Plan, results: list[TaskResult], summary: LoadSummary) -> None:
        """Write the ledger and commit; over the budget, record only what was wrong."""
        found = {file.file_id: file for result in results for file in result.files}
        read = [(one, found[one.file_id]) for one in plan.files]
        summary.error = _over_budget(read, self.budget)
        over_budget = summary.error is not None
        became = "over_budget" if over_budget else "loaded"
        _add_up(plan, read, became, summary)
        if over_budget:
            self.connection.rollback()
            self.connection.begin()
            summary.status, summary.new_events, summary.copies = "failed", 0, 0
        rows = [_skipped_row(one, why) for one, why in plan.skipped]
        rows += [row for one, result in read if (row := _read_row(one, result, became)) is not None]
        unchanged = [one for one, result in read if result.status == "unchanged"]
        self._touch(unchanged)
        if rows:
            summary.status = "failed" if over_budget else "loaded"
        if rows or any(one.attempt for one in unchanged):
            raw.copy_rejected(
                self.connection,
                [
                    (one.file_id, one.entry.path, result.twin_id)
                    for one, result in read
                    if result.twin_id is not None
                ],
            )
            removed = 0 if over_budget else self._replace(read)
            changed_records = 0 if over_budget else summary.record_lines + removed
            self._write_ledger(rows, summary, changed_records)
            if paths := _filled(results, "rejected"):
                raw.store_rejected(self.connection, paths, _longest(results))
        self.connection.commit()
        if summary.error is not None:
            summary.seconds = _seconds_since(self.started)
            raise OverBudgetError(summary.error, summary)

    def _write_ledger(
        self, rows: list["LedgerRow"], summary: LoadSummary, changed_records: int
    ) -> None:
        raw.forget_attempts(self.connection, [row.attempt for row in rows if row.attempt])
        raw.insert(
            self.connection,
            "raw.files",
            [row.values(self.load_id, self._started_utc) for row in rows],
        )
        raw.insert(
            self.connection,
            "raw.loads",
            [
                (
                    self.load_id,
                    self._started_utc,
                    datetime.now(UTC).replace(tzinfo=None),
                    "failed" if summary.status == "failed" else "succeeded",
                    summary.source,
                    len(rows),
                    summary.physical_lines,
                    summary.event_lines,
                    summary.rejected_lines,
                    summary.error,
                    raw.changed_events(self.connection, self.load_id),
                    changed_records,
                )
            ],
        )

    def _touch(self, unchanged: list[Candidate]) -> None:
        """Note that files have the content they had, whatever their dates say."""
        attempts = [one.attempt.file_id for one in unchanged if one.attempt]
        raw.forget_attempts(self.connection, attempts)
        raw.note_modified(
            self.connection,
            [
                (one.loaded.file_id, one.entry.size, one.entry.modified)
                for one in unchanged
                if one.loaded is not None and not _same_file(one.loaded, one.entry)
            ],
        )

    def _replace(self, read: list[tuple[Candidate, FileResult]]) -> int:
        """Take the earlier versions of loaded files out; return how many records they held."""
        older = [(one.loaded, now) for one, now in read if one.loaded and now.status == "read"]
        if not older:
            return 0
        removed = raw.remove_files(self.connection, [known.file_id for known, _ in older])
        # A replayed file is the same version read again: its row makes way. Others are history.
        same = [known.file_id for known, now in older if known.fingerprint == now.fingerprint]
        raw.forget_attempts(self.connection, same)
        raw.mark_replaced(self.connection, [known.file_id for known, _ in older])
        return removed


@dataclass(frozen=True)
class LedgerRow:
    """A row for raw.files; `attempt` is the file_id of the row it takes the place of."""

    one: Candidate
    status: str
    result: FileResult

    @property
    def attempt(self) -> int | None:
        """Number of the earlier row that this one makes obsolete."""
        return self.one.attempt.file_id if self.one.attempt else None

    def values(self, load_id: int, loaded_at: datetime) -> tuple[object, ...]:
        """Cells in the order of the table."""
        one, result = self.one, self.result
        sync_id, app_token = one.sync or (None, None)
        return (
            one.file_id,
            load_id,
            one.entry.path,
            one.kind,
            sync_id,
            app_token,
            one.folder_date,
            one.entry.size,
            result.fingerprint,
            one.entry.modified,
            self.status,
            result.physical_lines,
            result.blank_lines,
            result.rejected_lines,
            result.event_lines,
            loaded_at,
            result.error,
        )


def _skipped_row(one: Candidate, why: str) -> LedgerRow:
    return LedgerRow(one, "skipped", FileResult(one.file_id, error=why))


def _read_row(one: Candidate, result: FileResult, became: str) -> LedgerRow | None:
    """Ledger row of a file and of what became of it, if it was read; None where nothing is new."""
    if result.status == "unchanged":
        return None
    if result.status == "failed":
        same = _same_attempt(one.attempt, "failed", one.entry, result.error)
        return None if same else LedgerRow(one, "failed", result)
    return LedgerRow(one, became, result)


def _add_up(
    plan: Plan, read: list[tuple[Candidate, FileResult]], became: str, summary: LoadSummary
) -> None:
    files = Counter(result.status for _, result in read)
    files[became] = files.pop("read", 0)
    files["unchanged"] += plan.unchanged
    files["skipped"] = len(plan.skipped)
    summary.files = {status: count for status, count in sorted(files.items()) if count}
    reasons: Counter[str] = Counter()
    for one, result in read:
        summary.physical_lines += result.physical_lines
        summary.blank_lines += result.blank_lines
        summary.rejected_lines += result.rejected_lines
        if one.kind == "events":
            summary.event_lines += result.event_lines
        else:
            summary.record_lines += result.event_lines
        reasons += result.reasons
        if result.status == "failed":
            summary.warnings.append(
                f"Cannot read {on_one_line(one.entry.path)}: {result.error}."
                " It is left out until it is mended; each load tries it again."
            )
    summary.rejected = dict(reasons)


def _over_budget(read: list[tuple[Candidate, FileResult]], budget: float) -> str | None:
    """Say what is wrong where too many lines were rejected.

    Files that are read again with the content they had passed the budget of an earlier run.
    """
    counted = [
        (one, result)
        for one, result in read
        if one.kind == "events"
        and not (one.replay and one.loaded and one.loaded.fingerprint == result.fingerprint)
    ]
    lines = sum(result.physical_lines for _, result in counted)
    rejected = sum(result.rejected_lines for _, result in counted)
    if not lines or rejected / lines <= budget:
        return None
    worst = sorted(counted, key=lambda pair: -pair[1].rejected_lines)[:3]
    named = "; ".join(
        f"{on_one_line(one.entry.path)}: {result.rejected_lines},"
        f" first in line {result.first_rejected[0]} ({result.first_rejected[1]})"
        for one, result in worst
        if result.first_rejected
    )
    return (
        f"{rejected} of {lines} lines were rejected ({rejected / lines:.1%}), more than the error"
        f" budget of {budget:.1%}, so nothing was loaded. Worst: {named}. Look at"
        " raw.rejected_lines, mend the files or raise --error-budget, then load again."
    )


def _groups(files: list[Candidate]) -> Iterator[tuple[ExportFile, ...]]:
    """Cut the files into tasks of a useful size."""
    group: list[ExportFile] = []
    size = 0
    for one in files:
        group.append(one.export_file())
        size += group[-1].expected_bytes
        if size >= TASK_BYTES:
            yield tuple(group)
            group, size = [], 0
    if group:
        yield tuple(group)


def _filled(results: list[TaskResult], name: str) -> list[Path]:
    return [result.task.scratch(name) for result in results if result.task.has(name)]


def _longest(results: list[TaskResult]) -> int:
    return max((result.longest for result in results), default=0)


def _seconds_since(started: datetime) -> float:
    return round((datetime.now(UTC) - started).total_seconds(), 3)


# ---------- command


error_budget_option = click.option(
    "--error-budget",
    envvar="USERPILOT_ERROR_BUDGET",
    type=click.FloatRange(0, 1),
    help="Share of lines that may be rejected before the load fails"
    " [env: USERPILOT_ERROR_BUDGET; default: the var error_budget in dbt_project.yml].",
)


@click.command()
@source_option
@warehouse_option
@error_budget_option
@click.option("--replay", is_flag=True, help="Read files with rejected lines again.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def command(
    source: str | None, folder: Path, error_budget: float | None, replay: bool, as_json: bool
) -> None:
    """Load export files into the raw tables of the warehouse.

    Reads every .json, .ndjson and .jsonl file (plain, .gz or .zst) of the source, at any depth.
    Files that were loaded before are not read again; a file whose content changed replaces its
    earlier version. Lines that are not events go to raw.rejected_lines. A run loads everything or
    nothing, so it may be interrupted at any time and started again.

    \b
    Examples:
      python -m scripts load --source ~/userpilot_events
      python -m scripts load --source s3://bucket/prefix --error-budget 0.05
    """
    if not source:
        raise UsageProblem("Say where the export files are: --source FOLDER or USERPILOT_SOURCE.")
    warehouse = Warehouse(folder)
    with warehouse.writing():
        try:
            summary = load(
                source,
                warehouse,
                error_budget=error_budget,
                replay=replay,
                progress=not as_json,
            )
        except OverBudgetError as error:
            if as_json:
                click.echo(error.summary.to_json())
            raise
    click.echo(summary.to_json() if as_json else describe(summary))


def describe(summary: LoadSummary) -> str:
    """Write the summary for people."""
    files = ", ".join(f"{count:,} {status}" for status, count in summary.files.items()) or "none"
    lines = [f"Files:    {files}"]
    if summary.status == "nothing_new":
        lines.append("Nothing new.")
    else:
        lines += [
            f"Lines:    {summary.physical_lines:,} read, {summary.blank_lines:,} blank,"
            f" {summary.rejected_lines:,} rejected",
            f"Events:   {summary.new_events:,} new, {summary.copies:,} copies of known ones",
        ]
    if summary.record_lines:
        lines.append(f"Records:  {summary.record_lines:,} in snapshot and definition files")
    if summary.rejected:
        reasons = ", ".join(f"{count:,} {why}" for why, count in summary.rejected.items())
        lines.append(f"Rejected: {reasons} (see raw.rejected_lines)")
    lines += [f"Warning:  {warning}" for warning in summary.warnings]
    lines.append(f"Took {summary.seconds:.1f} s.")
    return "\n".join(lines)
