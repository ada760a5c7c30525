"""Run a whole process and say what it took: time, CPU time and memory."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.1
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """What a process and its children took.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of all processors together.
        peak_bytes: greatest resident memory of all processes at one time, as far as Linux tells
            (pages that processes share count for each); elsewhere of the largest process.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


class CommandFailedError(Exception):
    """A measured command did not succeed; the message is the end of what it printed."""


def measure(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], output: Path
) -> Cost:
    """Run a command and measure it.

    Args:
        command: program and arguments.
        folder: where to run it.
        environment: variables to set besides those of this process.
        output: file for what it prints, stdout and stderr.

    Raises:
        CommandFailedError: its exit code is not 0.
    """
    with output.open("wb") as printed:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 (the benchmark's own commands)
            [str(part) for part in command],
            cwd=folder,
            env=os.environ | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        watch = _Watch(process.pid)
        watch.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            raise
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.stop()
    if process.returncode:
        end = output.read_text(errors="replace").strip().splitlines()[-5:]
        raise CommandFailedError(f"exit code {process.returncode}: " + " / ".join(end))
    return Cost(
        round(seconds, 3),
        round(max(used.ru_utime + used.ru_stime, watch.cpu_seconds), 3),
        max(used.ru_maxrss * MAXRSS_BYTES, watch.peak_bytes),
    )


class _Watch(threading.Thread):
    """Watches a process and all its descendants together, also those that nobody waits for."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._ticks: dict[int, int] = {}
        self._pid = pid
        self._ended = threading.Event()

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all processes, as last seen."""
        return sum(self._ticks.values()) / TICKS_PER_SECOND

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            resident = 0
            for pid in _family(self._pid):
                with suppress(OSError, IndexError):  # it has ended, or this is not Linux
                    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                    resident += int(state[21]) * PAGE_BYTES
                    self._ticks[pid] = int(state[11]) + int(state[12])
            self.peak_bytes = max(self.peak_bytes, resident)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _family(pid: int) -> Iterator[int]:
    """The process and its descendants; it alone where /proc does not tell."""
    yield pid
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in tasks.read_text().split():
                yield from _family(int(child))
