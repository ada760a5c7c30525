"""Run all systems on all exports, several times, and remember what each run took."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from scripts.benchmark.export import Export, find_or_make
from scripts.benchmark.measure import CommandFailedError, Cost, measure
from scripts.benchmark.systems import Stage, System
from scripts.errors import UsageProblem


@dataclass(frozen=True)
class Run:
    """One run of one system.

    Attributes:
        costs: of each of its processes, by the step's name.
        error: why it failed; its costs then count for nothing.
    """

    system: str
    events: int
    costs: dict[str, Cost] = field(default_factory=dict)
    answer: dict[str, Any] | None = None
    size_bytes: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Median:
    """Medians of the runs of a system on an export; the peak is the greatest of all runs.

    Attributes:
        runs: how many succeeded.
        steps: seconds of each process.
    """

    runs: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    steps: dict[str, float]


@dataclass
class Campaign:
    """All exports, systems and runs.

    Attributes:
        skipped: by events and system, why it did not run.
    """

    systems: Sequence[System]
    exports: list[Export] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    skipped: dict[tuple[int, str], str] = field(default_factory=dict)

    def measure(
        self,
        events: int,
        runs: int,
        work_folder: Path,
        *,
        tell: Callable[[str], None],
        after_turn: Callable[[], object],
    ) -> None:
        """Measure every system on an export of that size, turn by turn, so that all share luck.

        Args:
            events: about how many.
            runs: number of turns.
            work_folder: for exports and warehouses.
            tell: gets a line for each run.
            after_turn: called when each system has run once more.
        """
        tell(f"{events:,} events: finding or making the export ...")
        export = find_or_make(work_folder, events)
        self.exports.append(export)
        stage = Stage(export, work_folder / f"stage_{events}")
        # What an earlier campaign left was built by other code, perhaps.
        shutil.rmtree(stage.folder, ignore_errors=True)
        stage.folder.mkdir()
        stage.parse()
        ready = [one for one in self.systems if not self._skips(one, events)]
        for number in range(1, runs + 1):
            for system in ready:
                run = run_once(system, stage)
                self.runs.append(run)
                took = " + ".join(f"{name} {cost.seconds} s" for name, cost in run.costs.items())
                tell(f"{events:,} events, run {number}: {system.name}: {run.error or took}")
                self.save(work_folder / "runs.json")
            after_turn()
        shutil.rmtree(stage.folder)

    def _skips(self, system: System, events: int) -> bool:
        reason = system.problem()
        if reason is None and system.max_events is not None and events > system.max_events:
            reason = f"not tried above {system.max_events:,} events"
        if reason is not None:
            self.skipped[events, system.name] = reason
        return reason is not None

    def save(self, path: Path) -> None:
        """Write all runs, so that nothing is lost when a later one takes too long."""
        path.write_text(json.dumps([asdict(run) for run in self.runs], indent=1) + "\n")

    def median(self, system: str, events: int) -> Median | None:
        """Sum up the runs that succeeded."""
        runs = [
            run.costs
            for run in self.runs
            if (run.system, run.events) == (system, events) and run.error is None
        ]
        if not runs:
            return None
        return Median(
            len(runs),
            median(sum(cost.seconds for cost in costs.values()) for costs in runs),
            median(sum(cost.cpu_seconds for cost in costs.values()) for costs in runs),
            max(cost.peak_bytes for costs in runs for cost in costs.values()),
            {name: median(costs[name].seconds for costs in runs) for name in runs[0]},
        )

    def size_bytes(self, events: int) -> int | None:
        """Size of the database after a full build, None where none was made."""
        sizes = [r.size_bytes for r in self.runs if (r.system, r.events) == ("full", events)]
        return next((size for size in sizes if size is not None), None)

    def error(self, system: str, events: int) -> str | None:
        """Why the system did not run, or failed, None where neither is so."""
        failed = [run.error for run in self.runs if (run.system, run.events) == (system, events)]
        return self.skipped.get((events, system)) or next(filter(None, failed), None)

    def disagreements(self, events: int) -> dict[str, str]:
        """Systems whose answer is not that of the first, with the first part that differs."""
        answers = [
            (run.system, run.answer)
            for run in self.runs
            if run.events == events and run.answer is not None
        ]
        found: dict[str, str] = {}
        for system, answer in answers[1:]:
            expected = answers[0][1] or {}
            for part, value in (answer or {}).items():
                if value != expected.get(part):
                    found.setdefault(
                        system, f"{part} {value}, not {expected.get(part)} as {answers[0][0]}"
                    )
        return found

    def answering(self, events: int) -> list[str]:
        """Systems that gave an answer."""
        return list(
            dict.fromkeys(run.system for run in self.runs if run.events == events and run.answer)
        )


def run_once(system: System, stage: Stage) -> Run:
    """Run a system; a failure is a result too."""
    name, events = system.name, stage.export.events
    costs = {}
    try:
        system.prepare(stage)
        for step in system.steps(stage):
            costs[step.name] = measure(step.command, step.folder, step.environment, stage.log)
        return Run(name, events, costs, **system.findings(stage))
    except (CommandFailedError, UsageProblem, duckdb.Error) as error:
        return Run(name, events, error=" ".join(str(error).split()))
