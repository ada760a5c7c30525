"""`report`: one page for people who would rather look than query."""

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import duckdb

from scripts.errors import UsageProblem, plainly
from scripts.report.facts import read_facts
from scripts.report.page import render
from scripts.warehouse import (
    Warehouse,
    duckdb_settings,
    replace_file,
    told_plainly,
    warehouse_option,
)


@dataclass(frozen=True)
class ReportSummary:
    """What the page tells of."""

    report: str
    published_at: str
    as_of_date: str | None
    apps: int
    events: int
    seconds: float


def report(warehouse: Warehouse) -> ReportSummary:
    """Write the report page of the published tables.

    Raises:
        UsageProblem: nothing was published yet, or the page cannot be written.
    """
    started = time.monotonic()
    database = warehouse.published_database
    if not database.exists():
        raise UsageProblem(f"{database} does not exist yet. Run `make build` or `make publish`.")
    try:
        with contextlib.closing(
            duckdb.connect(str(database), read_only=True, config=duckdb_settings())
        ) as connection:
            published_at = datetime.fromtimestamp(database.stat().st_mtime, UTC)
            facts = read_facts(connection, published_at.replace(microsecond=0))
    except duckdb.Error as error:
        raise UsageProblem(
            f"Cannot make the report of {database}: {plainly(error)} If the published tables are of"
            " an earlier version, run `make build` again."
        ) from None
    with told_plainly(f"Cannot write {warehouse.report_page}", "Readers keep the one they have."):
        replace_file(warehouse.report_page, render(facts).encode())
    return ReportSummary(
        report=str(warehouse.report_page),
        published_at=facts.published_at.isoformat(),
        as_of_date=facts.as_of_date.isoformat() if facts.as_of_date else None,
        apps=facts.apps_total,
        events=facts.events_total,
        seconds=round(time.monotonic() - started, 3),
    )


def describe(summary: ReportSummary) -> str:
    """Write the summary for people."""
    as_of = f"data up to {summary.as_of_date}" if summary.as_of_date else "no data yet"
    return (
        f"Report:   {summary.report}\n"
        f"Shows:    {summary.events:,} events of {summary.apps:,} apps, {as_of}\n"
        f"Took {summary.seconds:.1f} s."
    )


@click.command()
@warehouse_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def command(*, folder: Path, as_json: bool) -> None:
    """Write the report page of the published tables.

    Makes report/index.html in the warehouse folder: one file that a browser opens without any
    network. It reads userpilot.duckdb, so it shows what was published last, also while a build
    is running.

    \b
    Examples:
      python -m scripts report
      python -m scripts report --warehouse /data/warehouse
    """
    summary = report(Warehouse(folder))
    click.echo(json.dumps(asdict(summary)) if as_json else describe(summary))
