"""The warehouse folder: where its files lie, and who may write there."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb

from scripts.errors import UsageProblem, plainly

# What the machine may refuse: space, rights, memory.
REFUSALS = (
    *(OSError, duckdb.IOException, duckdb.OutOfMemoryException),
    *(duckdb.TransactionException, duckdb.FatalException),
)

# How new build databases are stored: smaller and faster than the default. Only this project opens
# them; the published database is for all.
STORAGE_VERSION = "v1.5.0"

MOST_THREADS = 1024


@dataclass(frozen=True)
class Warehouse:
    """Paths inside one warehouse folder (`USERPILOT_WAREHOUSE`, `warehouse` by default)."""

    folder: Path

    @property
    def build_database(self) -> Path:
        """The writer's own database: raw, staging, intermediate, marts and audit."""
        return self.folder / "build.duckdb"

    @property
    def published_database(self) -> Path:
        """The readers' database: marts and audit only, replaced by rename."""
        return self.folder / "userpilot.duckdb"

    @property
    def parquet_folder(self) -> Path:
        """The published tables as Parquet, one folder a schema and table."""
        return self.folder / "parquet"

    @property
    def report_page(self) -> Path:
        """The report for people who would rather look than query."""
        return self.folder / "report" / "index.html"

    @property
    def dbt_target(self) -> Path:
        """dbt's artifacts of the last run on this warehouse, `run_results.json` among them."""
        return self.folder / "target"

    @contextmanager
    def writing(self) -> Iterator[int]:
        """Hold the folder's write lock, so that two builds never meet.

        The lock belongs to the process, so it is gone with it, however it ends. A child that shall
        hold it too is started with the yielded file descriptor (`pass_fds`).

        Raises:
            UsageProblem: another command is writing to this warehouse, or nothing can be.
        """
        if "?" in str(self.folder):
            raise UsageProblem(
                f"DuckDB cannot write to a folder with a question mark in its name: {self.folder}."
                " Choose another."
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("w")
        except OSError as error:
            raise UsageProblem(
                f"Cannot write to the warehouse folder {self.folder}: {plainly(error)}"
            ) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageProblem(
                    f"Another command is writing to {self.folder}."
                    " Wait for it, then run this again."
                ) from None
            yield lock.fileno()

    def connect(self, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
        """Open the build database.

        Raises:
            UsageProblem: nothing was loaded yet, or another process holds the database.
        """
        if read_only and not self.build_database.exists():
            raise UsageProblem(f"{self.build_database} does not exist yet. Run `make load` first.")
        try:
            connection = duckdb.connect(
                str(self.build_database),
                read_only=read_only,
                config=duckdb_settings() | {"storage_compatibility_version": STORAGE_VERSION},
            )
        except duckdb.Error as error:
            raise UsageProblem(f"Cannot open {self.build_database}: {plainly(error)}") from None
        connection.execute("set TimeZone = 'UTC'")
        return connection


@contextmanager
def empty_folder(folder: Path) -> Iterator[None]:
    """An empty folder, removed afterwards; what a killed run left is removed first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file aside and rename it, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.stem}-", delete=False
    ) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


@contextmanager
def told_plainly(what_failed: str, what_follows: str) -> Iterator[None]:
    """Turn what the machine may refuse into one sentence, between two others."""
    try:
        yield
    except REFUSALS as error:
        raise UsageProblem(f"{what_failed}: {plainly(error)} {what_follows}") from None


def duckdb_settings() -> dict[str, str | bool | int | float | list[str]]:
    """Settings of every connection that does heavy work, dbt's too.

    Raises:
        UsageProblem: an environment variable holds no such setting.
    """
    return {
        "autoinstall_known_extensions": False,
        "memory_limit": os.environ.get("USERPILOT_MEMORY_LIMIT") or "1GB",
        "threads": threads(),
    }


def threads() -> int:
    """Return how many threads work; more than there are processors take twice the time.

    Raises:
        UsageProblem: the environment variable holds no number.
    """
    given = os.environ.get("USERPILOT_THREADS") or str(os.cpu_count() or 1)
    # DuckDB takes minutes to start a hundred thousand.
    if not given.isdecimal() or not 1 <= int(given) <= MOST_THREADS:
        raise UsageProblem(
            f"USERPILOT_THREADS is `{given}`; give a number of threads, such as 4,"
            f" {MOST_THREADS} at most."
        )
    return int(given)


warehouse_option = click.option(
    "--warehouse",
    "folder",
    envvar="USERPILOT_WAREHOUSE",
    default="warehouse",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Warehouse folder [env: USERPILOT_WAREHOUSE].",
)
