"""dbt as a child process, told where the warehouse lies."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from scripts import PROJECT
from scripts.errors import UsageProblem
from scripts.warehouse import Warehouse


def executable() -> Path:
    """Name the program that is installed beside this Python."""
    return Path(sys.executable).with_name("dbt")


def command(*arguments: str) -> tuple[str, ...]:
    """Write a command of dbt on the project, whatever folder one stands in."""
    return (str(executable()), *arguments, f"--project-dir={PROJECT}", f"--profiles-dir={PROJECT}")


@contextmanager
def running(
    *arguments: str, warehouse: Warehouse, target: str, lock: int | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Run dbt on the project; when the block is left, by Ctrl-C too, it has ended.

    Args:
        arguments: of dbt.
        warehouse: which it reads and writes.
        target: folder for its artifacts and its log.
        lock: file descriptor of the write lock, for dbt to hold too: were this process killed,
            nobody else could write to the warehouse before dbt has ended.

    Yields:
        The process. What it says is to be read from its stdout.

    Raises:
        UsageProblem: it is not installed.
    """
    if not executable().exists():
        raise UsageProblem(f"{executable()} does not exist. Run `make setup` first.")
    folder = str(warehouse.folder.resolve())
    told = {"USERPILOT_WAREHOUSE": folder, "DBT_TARGET_PATH": target, "DBT_LOG_PATH": target}
    process = None
    try:
        with _interrupted_later():
            process = subprocess.Popen(  # noqa: S603 (the project's own dbt)
                command("--no-use-colors", *arguments),
                cwd=PROJECT,
                env=os.environ | told,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                pass_fds=() if lock is None else (lock,),
            )
        with process:
            yield process
    except BaseException:
        if process:
            process.terminate()
            process.wait()  # leaving `with` did not: it waits a moment only after Ctrl-C
        raise


def run(*arguments: str, warehouse: Warehouse, target: str, lock: int | None = None) -> None:
    """Run dbt unheard, unless it fails; see `running`.

    Raises:
        UsageProblem: it failed; why was told on stderr.
    """
    with running("--quiet", *arguments, warehouse=warehouse, target=target, lock=lock) as process:
        said, _ = process.communicate()
    if process.returncode:
        click.echo(said.strip(), err=True)
        raise UsageProblem(f"`dbt {' '.join(arguments)}` failed, see above.")


@contextmanager
def _interrupted_later() -> Iterator[None]:
    """Keep Ctrl-C until the end of the block: a child that is just starting would stay behind."""
    kept: list[int] = []
    usual = signal.signal(signal.SIGINT, lambda number, _: kept.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if kept:
        signal.raise_signal(signal.SIGINT)
