"""dbt as a child process, told where the warehouse lies."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from scripts import PROJECT
from scripts.errors import UsageProblem
from scripts.warehouse import Warehouse, replace_file

# What dbt parsed last of the project, for whichever warehouse; parsing all takes seconds.
PARSED = PROJECT / "target" / "parsed.msgpack"


def executable() -> Path:
    """Name the program that is installed beside this Python."""
    return Path(sys.executable).with_name("dbt")


def command(*arguments: str) -> tuple[str, ...]:
    """Write a command of dbt on the project, whatever folder one stands in."""
    return (str(executable()), *arguments, f"--project-dir={PROJECT}", f"--profiles-dir={PROJECT}")


def environment(target: str) -> dict[str, str]:
    """Return the variables of a dbt that runs in the folder of its warehouse.

    It is `.` to dbt: were the folder named, what dbt parsed for one would be no good for another.

    Args:
        target: folder for its artifacts and its log.
    """
    parsed = {"DBT_PARTIAL_PARSE_FILE_PATH": str(PARSED)} if PARSED.exists() else {}
    return {"USERPILOT_WAREHOUSE": ".", "DBT_TARGET_PATH": target, "DBT_LOG_PATH": target} | parsed


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
    process = None
    try:
        with _interrupted_later():
            process = subprocess.Popen(  # noqa: S603 (the project's own dbt)
                command("--no-use-colors", *arguments),
                cwd=warehouse.folder,
                env=os.environ | environment(target),
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
    _keep_parsed(Path(target) / "partial_parse.msgpack")


def _keep_parsed(parsed: Path) -> None:
    """Keep for the next run what dbt parsed, if it found changes; whoever may not does without."""
    with suppress(OSError):
        replace_file(PARSED, parsed.read_bytes())
        parsed.unlink()


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
