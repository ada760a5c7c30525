"""`publish`: hand the tested tables to the readers, as one DuckDB file and as Parquet.

Readers are never refused and never see half a version: both copies are made aside and swapped in
by rename, once both are complete.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import duckdb
from tqdm import tqdm

from scripts import PROJECT, fingerprint
from scripts.errors import UsageProblem, plainly
from scripts.sql import literal
from scripts.warehouse import (
    Warehouse,
    duckdb_settings,
    empty_folder,
    told_plainly,
    warehouse_option,
)

SCHEMAS = ("marts", "audit")
MAIN_MARTS = ("events", "users", "companies", "sessions")
NODE_KINDS = {"model": "model", "seed": "seed", "snapshot": "snapshot", "test": "data test"}
PASSED = {"success", "pass", "warn"}
FAILED = {"error", "fail", "runtime error", "partial success"}
# Readable by every DuckDB from 1.0 on.
STORAGE_VERSION = "v1.0.0"


@dataclass(frozen=True)
class PublishSummary:
    """What was handed to the readers.

    Attributes:
        tables: number of rows by `schema.table`.
    """

    database: str
    parquet: str
    invocation_id: str
    tables: dict[str, int]
    seconds: float


@dataclass(frozen=True)
class Node:
    """Something that a whole `dbt build` runs; `relation` is (schema, name) of what it makes."""

    unique_id: str
    kind: str
    name: str
    relation: tuple[str, str]

    def __str__(self) -> str:
        """Name it to a person."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class DbtRun:
    """The artifacts that a dbt run left: what it had to do, and what came of it."""

    manifest: dict[str, Any]
    results: dict[str, Any]

    @staticmethod
    def find(warehouse: Warehouse, invocation_id: str) -> "DbtRun":
        """Find the artifacts of the run that made the tables.

        Raises:
            UsageProblem: they are nowhere, or a later run has overwritten them.
        """
        places = [
            warehouse.dbt_target,
            PROJECT / os.environ.get("DBT_TARGET_PATH", "target"),
        ]
        for place in places:
            results = _read_json(place / "run_results.json")
            manifest = _read_json(place / "manifest.json")
            if results and manifest and results["metadata"]["invocation_id"] == invocation_id:
                return DbtRun(manifest, results)
        raise _NoWholeBuild(
            "The last dbt command on this warehouse was not a whole `dbt build`, or did not finish"
            f" (no artifacts of the build that made the tables in {places[0]} or {places[1]})."
        )

    def nodes(self) -> list[Node]:
        """List what a whole build has to run."""
        found = [
            Node(one["unique_id"], NODE_KINDS[kind], one["name"], (one["schema"], one["alias"]))
            for one in self.manifest["nodes"].values()
            if (kind := one["resource_type"]) in NODE_KINDS
            and one["config"].get("enabled", True)
            and one["config"].get("materialized") != "ephemeral"
        ]
        return found + [
            Node(one["unique_id"], "unit test", one["name"], ("", ""))
            for one in self.manifest.get("unit_tests", {}).values()
            if one["config"].get("enabled", True)
        ]

    def refuse_unless_passed(self, *, unit_tests: bool) -> None:
        """Check that all of the build ran, with its unit tests or not, on all rows, and passed.

        Raises:
            UsageProblem: it did not.
        """
        results = {one["unique_id"]: one for one in self.results["results"]}
        nodes = [one for one in self.nodes() if unit_tests or one.kind != "unit test"]
        names = {node.unique_id: str(node) for node in nodes}
        if failed := [one for one in results.values() if one["status"] in FAILED]:
            worst = failed[0]["unique_id"]
            reason = " ".join((failed[0].get("message") or "no message").split())
            others = f", and {len(failed) - 1} more" if failed[1:] else ""
            raise UsageProblem(
                f"The {names.get(worst, worst)} failed in the last `dbt build` ({reason[:300]})"
                f"{others}. Nothing was published, readers keep what they have. Mend it, run"
                " `dbt build`, then publish again."
            )
        missing = [
            node for node in nodes if results.get(node.unique_id, {}).get("status") not in PASSED
        ]
        if missing:
            raise _NoWholeBuild(
                f"The last `dbt build` left out {len(missing)} of {len(nodes)} nodes,"
                f" the {missing[0]} among them."
            )
        arguments = self.results.get("args", {})
        if arguments.get("empty") or arguments.get("sample"):
            raise _NoWholeBuild("The last `dbt build` read only some rows (--empty or --sample).")

    def published_relations(self) -> list[tuple[str, str]]:
        """List (schema, table) of what readers get, in order."""
        kinds = {"model", "snapshot"}
        return sorted(
            node.relation
            for node in self.nodes()
            if node.kind in kinds and node.relation[0] in SCHEMAS
        )


class _NoWholeBuild(UsageProblem):
    """There is no complete and tested build to publish."""

    def __init__(self, message: str) -> None:
        super().__init__(
            f"{message} Nothing was published, readers keep what they have. Run `dbt build`"
            " without any selection, then publish again."
        )


def publish(warehouse: Warehouse, *, progress: bool = False) -> PublishSummary:
    """Write, audit, publish. The caller holds the warehouse's write lock.

    Args:
        warehouse: whose build database is published.
        progress: show a progress bar, on a terminal.

    Raises:
        UsageProblem: the last dbt run was not a whole, successful `dbt build` of all that was
            loaded, or the copies cannot be written. Readers then keep what they have.
    """
    started = time.monotonic()
    _refuse_foreign_files(warehouse)
    work = warehouse.folder / ".publishing"
    with (
        told_plainly(f"Cannot publish to {warehouse.folder}", "Readers keep what they have."),
        empty_folder(work),
    ):
        with _attached(warehouse, work) as connection:
            # While the build database is open here, no dbt can open it to change the tables.
            invocation_id, load_id = _last_build(connection)
            _refuse_later_loads(connection, load_id)
            run = DbtRun.find(warehouse, invocation_id)
            run.refuse_unless_passed(unit_tests=not fingerprint.is_project_tested(warehouse))
            tables = _copy_tables(connection, run.published_relations(), work, progress)
        fingerprint.forget_load(warehouse)  # until a whole `build` says what this is made of
        _swap(warehouse, work)
    return PublishSummary(
        database=str(warehouse.published_database),
        parquet=str(warehouse.parquet_folder),
        invocation_id=invocation_id,
        tables=tables,
        seconds=round(time.monotonic() - started, 3),
    )


# ---------- what there is


def _refuse_foreign_files(warehouse: Warehouse) -> None:
    stray = warehouse.published_database.with_name(warehouse.published_database.name + ".wal")
    if stray.exists():
        raise UsageProblem(
            f"{stray} exists: somebody opened {warehouse.published_database.name} for writing, and"
            " DuckDB would add those changes to the next version. Remove the file, then publish"
            " again; open the database with read_only only."
        )
    if warehouse.parquet_folder.exists() and not warehouse.parquet_folder.is_symlink():
        raise UsageProblem(
            f"{warehouse.parquet_folder} was not made by this command. Move it away, then publish"
            " again."
        )


@contextlib.contextmanager
def _attached(warehouse: Warehouse, work: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the build database for reading (as `build`) and a new one (as `published`)."""
    if not warehouse.build_database.exists():
        raise UsageProblem(
            f"{warehouse.build_database} does not exist yet. Run `make build`, or `make load` and"
            " `dbt build`, first."
        )
    settings = duckdb_settings() | {"temp_directory": str(work / "spill")}
    with contextlib.ExitStack() as opened:
        try:
            connection = opened.enter_context(duckdb.connect(config=settings))
            connection.execute(
                f"attach {literal(str(warehouse.build_database))} as build (read_only)"
            )
        except duckdb.Error as error:
            raise UsageProblem(
                f"Cannot open {warehouse.build_database}: {plainly(error)}"
            ) from None
        connection.execute(
            f"attach {literal(str(work / warehouse.published_database.name))} as published"
            f" (storage_version {literal(STORAGE_VERSION)})"
        )
        yield connection


def _last_build(connection: duckdb.DuckDBPyConnection) -> tuple[str, int]:
    """Id of the dbt run that made the tables, and of the last load before it."""
    try:
        row = connection.execute(
            "select invocation_id, load_id from build.intermediate.int_build_info"
        ).fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):  # none, or of an earlier version
        row = None
    if row is None:
        raise _NoWholeBuild("There is no complete `dbt build` in this warehouse yet.")
    return str(row[0]), int(row[1])


def _refuse_later_loads(connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Check that no load has changed events since: views have them, other tables do not yet.

    Raises:
        UsageProblem: one has.
    """
    later = connection.execute(
        "from build.raw.loads where load_id > ? and changed_events + changed_records > 0", [load_id]
    ).fetchone()
    if later:
        raise _NoWholeBuild("Something was loaded after the last `dbt build`.")


# ---------- write


def _copy_tables(
    connection: duckdb.DuckDBPyConnection,
    relations: list[tuple[str, str]],
    work: Path,
    progress: bool,
) -> dict[str, int]:
    """Fill both copies; returns the number of rows by table."""
    rows = {}
    for schema in SCHEMAS:
        connection.execute(f"create schema published.{_name(schema)}")
    bar = tqdm(relations, desc="Publishing", unit="table", disable=None if progress else True)
    for schema, table in bar:
        relation = f"{_name(schema)}.{_name(table)}"
        file = work / "parquet" / schema / table / "data.parquet"
        file.parent.mkdir(parents=True)
        made = connection.execute(f"create table published.{relation} as from build.{relation}")
        rows[f"{schema}.{table}"] = int((made.fetchone() or [0])[0])
        connection.execute(
            f"copy (from published.{relation}) to {literal(str(file))}"
            " (format parquet, compression zstd)"
        )
    _copy_comments(connection, set(relations))
    connection.execute("checkpoint published")
    connection.execute("detach published")
    return rows


def _copy_comments(connection: duckdb.DuckDBPyConnection, relations: set[tuple[str, str]]) -> None:
    comments = connection.execute("""
        select schema_name, table_name, null as column_name, comment
        from duckdb_tables() where database_name = 'build' and comment is not null
        union all
        select schema_name, view_name, null, comment
        from duckdb_views() where database_name = 'build' and comment is not null
        union all
        select schema_name, table_name, column_name, comment
        from duckdb_columns() where database_name = 'build' and comment is not null
    """).fetchall()
    for schema, table, column, comment in comments:
        if (schema, table) in relations:
            target = f"published.{_name(schema)}.{_name(table)}"
            kind, target = ("column", f"{target}.{_name(column)}") if column else ("table", target)
            connection.execute(f"comment on {kind} {target} is {literal(comment)}")


# ---------- publish


def _swap(warehouse: Warehouse, work: Path) -> None:
    """Put the new copies in the place of the old ones.

    `parquet` is a link to the folder of a version. The version before stays, for readers that
    resolved the link a moment ago.
    """
    folder, link = warehouse.folder, warehouse.parquet_folder
    database = work / warehouse.published_database.name
    # Opening it for writing would lock others out and leave a .wal behind.
    database.chmod(0o444)
    parquet = work / "parquet"
    parquet.mkdir(exist_ok=True)
    for path in (database, *parquet.rglob("*"), parquet):
        _fsync(path)

    previous = link.readlink().name if link.is_symlink() else None
    versions = {path.name for path in folder.glob(".parquet-*")}
    version = f".parquet-{1 + max((_version_number(name) for name in versions), default=0)}"
    parquet.rename(folder / version)
    new_link = work / "link"
    new_link.symlink_to(version)
    database.replace(warehouse.published_database)
    new_link.replace(link)
    _fsync(folder)
    for name in versions - {previous}:
        shutil.rmtree(folder / name, ignore_errors=True)


def _version_number(name: str) -> int:
    number = name.removeprefix(".parquet-")
    return int(number) if number.isdecimal() else 0


def _fsync(path: Path) -> None:
    """Put a file or a folder on the disk, so that a rename never outruns the content."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---------- helpers


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


# ---------- command


def describe(summary: PublishSummary) -> str:
    """Write the summary for people."""
    total = sum(summary.tables.values())
    main = ", ".join(
        f"{name} {summary.tables[f'marts.{name}']:,}"
        for name in MAIN_MARTS
        if f"marts.{name}" in summary.tables
    )
    return (
        f"Database: {summary.database}\n"
        f"Parquet:  {summary.parquet}\n"
        f"Tables:   {len(summary.tables)} with {total:,} rows ({main or 'no main marts'})\n"
        f"Took {summary.seconds:.1f} s."
    )


@click.command()
@warehouse_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def command(*, folder: Path, as_json: bool) -> None:
    """Publish the tables of the last `dbt build` to the readers.

    Copies the schemas marts and audit to userpilot.duckdb and to parquet/ in the warehouse folder.
    Both are swapped in when they are complete, while people read: who has the old version open
    keeps it, who opens it anew gets the new one. Open userpilot.duckdb read-only.

    Refuses unless the last dbt run on the warehouse was a whole `dbt build` of all that was loaded,
    in which every model, seed and test passed.

    \b
    Examples:
      python -m scripts publish
      python -m scripts publish --warehouse /data/warehouse --json
    """
    warehouse = Warehouse(folder)
    with warehouse.writing():
        summary = publish(warehouse, progress=not as_json)
    click.echo(json.dumps(asdict(summary)) if as_json else describe(summary))
