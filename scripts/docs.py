"""`docs`: dbt's documentation of a built warehouse, as one page that needs no network."""

import contextlib
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import duckdb

from scripts import PROJECT, dbt
from scripts.errors import UsageProblem
from scripts.warehouse import Warehouse, replace_file, told_plainly, warehouse_option


@dataclass(frozen=True)
class DocsSummary:
    """What the page describes."""

    docs: str
    tables: int
    columns: int
    seconds: float


def docs(warehouse: Warehouse, lock: int) -> DocsSummary:
    """Write the documentation page of the tables that dbt has built.

    Args:
        warehouse: whose build database is described. The caller holds its write lock.
        lock: file descriptor of the write lock, for dbt to hold too.

    Raises:
        UsageProblem: nothing was built yet, or the page cannot be made.
    """
    started = time.monotonic()
    _refuse_unless_built(warehouse)
    page = warehouse.folder / "docs" / "index.html"
    with (
        told_plainly(f"Cannot write {page}", "Readers keep the one they have."),
        # Elsewhere than the artifacts of the build, by which publishing tells whether it passed.
        tempfile.TemporaryDirectory() as target,
    ):
        dbt.run("docs", "generate", "--static", warehouse=warehouse, target=target, lock=lock)
        catalog = json.loads((Path(target) / "catalog.json").read_text(encoding="utf-8"))
        text = (Path(target) / "static_index.html").read_text(encoding="utf-8")
        # The page is made to be handed on: it need not tell where the project lies.
        replace_file(page, text.replace(json.dumps(str(PROJECT)), '""').encode())
    tables = [*catalog["nodes"].values(), *catalog["sources"].values()]
    return DocsSummary(
        docs=str(page),
        tables=len(tables),
        columns=sum(len(table["columns"]) for table in tables),
        seconds=round(time.monotonic() - started, 3),
    )


def _refuse_unless_built(warehouse: Warehouse) -> None:
    """Check that a whole `dbt build` has run, as the model that it leaves behind says."""
    problem = UsageProblem(
        f"There is no complete `dbt build` in {warehouse.build_database} yet."
        " Run `make build` first."
    )
    if not warehouse.build_database.exists():
        raise problem
    try:
        with contextlib.closing(warehouse.connect(read_only=True)) as connection:
            connection.execute("select invocation_id from intermediate.int_build_info")
    except duckdb.CatalogException:
        raise problem from None


def describe(summary: DocsSummary) -> str:
    """Write the summary for people."""
    return (
        f"Docs:     {summary.docs}\n"
        f"Shows:    {summary.tables:,} tables and views, {summary.columns:,} columns\n"
        f"Took {summary.seconds:.1f} s."
    )


@click.command()
@warehouse_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def command(*, folder: Path, as_json: bool) -> None:
    """Write the documentation page: every table, column, test and macro, and the lineage graph.

    Makes docs/index.html in the warehouse folder, by `dbt docs generate --static`: one file that a
    browser opens without any network. It describes the build database, so it needs a `dbt build`.

    \b
    Examples:
      python -m scripts docs
      python -m scripts docs --warehouse /data/warehouse
    """
    warehouse = Warehouse(folder)
    with warehouse.writing() as lock:
        summary = docs(warehouse, lock)
    click.echo(json.dumps(asdict(summary)) if as_json else describe(summary))
