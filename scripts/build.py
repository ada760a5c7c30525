"""`build`: the whole way, from export files to published tables and the report."""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from scripts import PROJECT, dbt, fingerprint, generate
from scripts.configuration import refuse_mistakes
from scripts.errors import UsageProblem, advice
from scripts.load import LoadSummary, error_budget_option, load
from scripts.publish import MAIN_MARTS, PublishSummary, publish
from scripts.report import ReportSummary, report
from scripts.source import source_option
from scripts.warehouse import Warehouse, warehouse_option

SAMPLE = PROJECT / "sample_export"


@dataclass(frozen=True)
class BuildSummary:
    """What each step did; nothing is published where nothing has changed."""

    load: LoadSummary
    publish: PublishSummary | None
    report: ReportSummary | None
    seconds: float


def build(
    source: str | None,
    warehouse: Warehouse,
    error_budget: float | None = None,
    *,
    lock: int,
    force: bool = False,
    progress: bool = False,
) -> BuildSummary:
    """Load, run `dbt build`, publish and report. The caller holds the warehouse's write lock.

    Where the load brings nothing and the project is as it was, readers have the result already.

    Args:
        source: folder or fsspec URL; None makes and takes the sample export.
        warehouse: where to.
        error_budget: greatest share of rejected lines; None takes the project's setting.
        lock: file descriptor of the write lock, for dbt to hold too.
        force: build, and run all tests, whatever has changed or not.
        progress: tell what is done on stderr, with progress bars on a terminal.

    Raises:
        UsageProblem: a step failed. Readers then keep what they have.
    """
    started = time.monotonic()
    refuse_mistakes()
    source = source or sample_export(progress)
    _tell(f"Loading {source} ...", progress)
    loaded = load(source, warehouse, error_budget=error_budget, progress=progress)
    for warning in loaded.warnings:
        _tell(f"Warning: {warning}", True)
    made_of = fingerprint.fingerprint(warehouse)
    if made_of == fingerprint.published(warehouse) and not force:
        return BuildSummary(loaded, None, None, round(time.monotonic() - started, 3))
    _tell("Building and testing with dbt ...", progress)
    run_dbt(
        warehouse,
        lock,
        progress,
        unit_tests=force or not fingerprint.is_project_tested(warehouse),
    )
    _tell("Publishing ...", progress)
    published = publish(warehouse, progress=progress)
    page = report(warehouse)
    fingerprint.remember(warehouse, made_of)
    return BuildSummary(loaded, published, page, round(time.monotonic() - started, 3))


def sample_export(progress: bool) -> str:
    """Make the sample export with the generator's defaults, where it is not there yet."""
    defaults = generate.command.make_context("generate", []).params
    _tell(f"No source given: taking the sample export in {SAMPLE} ...", progress)
    generate.generate(
        SAMPLE, defaults["events"], defaults["seed"], defaults["days"], defaults["end"].date()
    )
    return str(SAMPLE)


def run_dbt(warehouse: Warehouse, lock: int, progress: bool, *, unit_tests: bool = True) -> None:
    """Run `dbt build`; its warnings and errors go to stderr in full, the rest is a progress bar.

    Raises:
        UsageProblem: something in it failed.
    """
    target = str(warehouse.dbt_target.resolve())
    arguments = ["--log-format=json", "build"]
    if not unit_tests:
        arguments.append("--exclude-resource-type=unit_test")
    with (
        dbt.running(*arguments, warehouse=warehouse, target=target, lock=lock) as process,
        tqdm(desc="dbt build", unit="node", disable=None if progress else True) as bar,
    ):
        log = _Log(bar)
        for line in process.stdout or ():
            log.read(line)
    # With a known advice, they are tracebacks of what is told below.
    if log.plain and not (process.returncode and log.advice):
        click.echo("\n".join(log.plain), err=True)
    if process.returncode:
        raise UsageProblem(
            "`dbt build` failed, see above (the whole log is"
            f" {warehouse.dbt_target / 'dbt.log'}). Nothing was published, readers keep what they"
            f" have. {log.advice}".rstrip()
        )


@dataclass
class _Log:
    """Reads dbt's log and shows it: steps done, and once each the messages that a person must see.

    Attributes:
        shown: these messages.
        plain: lines that are not of the log, what crashed printed for example.
        advice: what to do about the first message that somebody knows an advice for.
    """

    bar: "tqdm[Any]"
    shown: set[str] = field(default_factory=set)
    plain: list[str] = field(default_factory=list)
    advice: str = ""

    def read(self, line: str) -> None:
        """Take in one line."""
        try:
            event = json.loads(line)
            info, data = event["info"], event["data"]
            name, level, message = info["name"], info["level"], info["msg"]
        except (ValueError, TypeError, KeyError):
            self.plain.append(line.rstrip())
            name, level, message = "", "error", line
        if level == "error":
            self.advice = self.advice or advice(message)
        if name == "LogStartLine":
            self.bar.total = data["total"]
        elif name.startswith("Log") and name.endswith("Result"):
            self.bar.update()  # a failure is told in full at the end of the run
        elif name == "MainStackTrace" and self.advice:
            pass
        elif name and level in ("warn", "error") and message.strip() and message not in self.shown:
            self.shown.add(message)
            tqdm.write(message, file=sys.stderr)


def _tell(message: str, progress: bool) -> None:
    if progress:
        click.echo(message, err=True)


def describe(summary: BuildSummary) -> str:
    """Write the summary for people."""
    loaded, published = summary.load, summary.publish
    if published is None or summary.report is None:
        return (
            "Nothing has changed: readers have what a build would make (--force builds anyway).\n"
            f"Took {summary.seconds:.1f} s."
        )
    rows = {name: published.tables.get(f"marts.{name}") for name in MAIN_MARTS}
    marts = ", ".join(f"{count:,} {name}" for name, count in rows.items() if count is not None)
    new = (
        f"{loaded.new_events:,} new events of {loaded.physical_lines:,} lines"
        if loaded.status == "loaded"
        else "nothing new"
    )
    return (
        f"Loaded:   {new}\n"
        f"Database: {published.database} ({len(published.tables)} tables: {marts})\n"
        f"Parquet:  {published.parquet}\n"
        f"Report:   {summary.report.report}\n"
        f"Took {summary.seconds:.1f} s."
    )


@click.command()
@source_option
@warehouse_option
@error_budget_option
@click.option("--force", is_flag=True, help="Build although nothing has changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def command(
    *, source: str | None, folder: Path, error_budget: float | None, force: bool, as_json: bool
) -> None:
    """Do everything: load, `dbt build`, publish and report.

    Without a source, it makes a sample export in the project folder and takes that.
    Readers see the new tables when all of it has passed, and keep the old ones until then. It may
    be interrupted at any time and started again; what was loaded is not loaded twice.

    \b
    Examples:
      python -m scripts build
      python -m scripts build --source ~/userpilot_events --warehouse /data/warehouse
    """
    warehouse = Warehouse(folder)
    with warehouse.writing() as lock:
        summary = build(
            source or None, warehouse, error_budget, lock=lock, force=force, progress=not as_json
        )
    click.echo(json.dumps(asdict(summary)) if as_json else describe(summary))
