"""The systems that are measured: the project's own steps, the floor, and rivals."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts import PROJECT, dbt
from scripts.benchmark.agreement import answer_of_marts
from scripts.benchmark.export import Export
from scripts.benchmark.measure import CommandFailedError, measure
from scripts.warehouse import Warehouse

DBT_BUILD = ("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
OF_NOTHING = ("--select", "tag:benchmark_of_nothing")
# What the rivals make, and what is read for their answer, with all that these are made of.
RIVALS_TABLES = ("users", "sessions", "nps_scores", "experiment_variants", "funnel_steps")


@dataclass(frozen=True)
class Step:
    """One process of a system."""

    name: str
    command: tuple[str | Path, ...]
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = PROJECT


@dataclass(frozen=True)
class Stage:
    """Where systems run on one export."""

    export: Export
    folder: Path

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse of the system that runs."""
        return Warehouse(self.folder / "warehouse")

    @property
    def output(self) -> Path:
        """What else the system that runs writes."""
        return self.folder / "output"

    @property
    def log(self) -> Path:
        """What the step that runs, or ran last, printed."""
        return self.folder / "last_step.log"

    def clear(self) -> None:
        """Take away what the last system left."""
        shutil.rmtree(self.warehouse.folder, ignore_errors=True)
        shutil.rmtree(self.output, ignore_errors=True)
        self.output.mkdir(parents=True)

    def parse(self) -> None:
        """Have dbt parse the project, as before any build but a clone's first; not measured."""
        with self.warehouse.writing():
            dbt.run("parse", warehouse=self.warehouse, target=self._target)

    def load(self, source: Path) -> Step:
        """Load into the warehouse."""
        command = ("-m", "scripts", "load", "--source", source, "--json")
        return Step("load", (sys.executable, *command), self._of_warehouse)

    def dbt(self, *arguments: str, name: str = "dbt") -> Step:
        """Run dbt on the warehouse."""
        return Step(
            name, dbt.command(*arguments), dbt.environment(self._target), self.warehouse.folder
        )

    def build(self, source: Path) -> list[Step]:
        """Load and build all tables, without tests."""
        return [self.load(source), self.dbt(*DBT_BUILD)]

    def build_rivals_tables(self, source: Path) -> list[Step]:
        """Load, and build what the rivals make."""
        selected = [f"+{table}" for table in RIVALS_TABLES]
        return [self.load(source), self.dbt(*DBT_BUILD, "--select", *selected)]

    def build_and_publish(self, source: Path) -> list[Step]:
        """Do everything, tests included, as `make build` does."""
        command = ("-m", "scripts", "build", "--source", source, "--json")
        return [Step("build", (sys.executable, *command), self._of_warehouse)]

    def restore(self, name: str, steps: list[Step]) -> None:
        """Put the warehouse into the state of that name, made by the steps; not measured."""
        self.clear()
        if self._kept(name).exists():
            shutil.copytree(self._kept(name), self.warehouse.folder)
            return
        for step in steps:
            measure(step.command, step.folder, step.environment, self.log)
        self.keep(name)

    def keep(self, name: str) -> None:
        """Keep a copy of the warehouse as the state of that name."""
        shutil.rmtree(self._kept(name), ignore_errors=True)
        shutil.copytree(self.warehouse.folder, self._kept(name))

    def _kept(self, name: str) -> Path:
        return self.folder / f"kept_{name}"

    @property
    def _of_warehouse(self) -> dict[str, str]:
        return {"USERPILOT_WAREHOUSE": str(self.warehouse.folder)}

    @property
    def _target(self) -> str:
        return str(self.warehouse.dbt_target)


@dataclass(frozen=True)
class System:
    """Something to measure.

    Attributes:
        label: what it is, for the tables.
        steps: the processes to measure, one after the other.
        prepare: what comes before, not measured.
        findings: what the run shows besides its cost: `answer` and `size_bytes`, where it has them.
        is_rival: it is not the project's own.
        max_events: larger exports are too much for it.
        problem: why it cannot run here, if so.
    """

    name: str
    label: str
    steps: Callable[[Stage], list[Step]]
    prepare: Callable[[Stage], None] = Stage.clear
    findings: Callable[[Stage], dict[str, Any]] = lambda stage: {}
    is_rival: bool = False
    max_events: int | None = None
    problem: Callable[[], str | None] = lambda: None


def _floor(stage: Stage) -> list[Step]:
    database = stage.output / "floor.duckdb"
    command = ("-m", "scripts.benchmark.floor", stage.export.everything, database)
    return [Step("read", (sys.executable, *command))]


def _after_full(stage: Stage) -> dict[str, Any]:
    stage.keep("built")
    return _after_build(stage)


def _after_build(stage: Stage) -> dict[str, Any]:
    return {
        "answer": json.loads(answer_of_marts(stage.warehouse).to_json()),
        "size_bytes": stage.warehouse.build_database.stat().st_size,
    }


def _restore_built(stage: Stage) -> None:
    stage.restore("built", stage.build(stage.export.everything))


def _restore_published(stage: Stage) -> None:
    stage.restore("published", stage.build_and_publish(stage.export.everything))


def _restore_without_last_day(stage: Stage) -> None:
    stage.restore("without_last_day", stage.build(stage.export.without_last_day))


def _restore_recent_days(stage: Stage) -> None:
    stage.restore("recent_days", stage.build(stage.export.recent_days))


OWN = (
    System("floor", "floor: DuckDB reads the files into one table", _floor),
    System("load", "`scripts load`", lambda stage: [stage.load(stage.export.everything)]),
    System(
        "full",
        "full: load and `dbt build`",
        lambda stage: stage.build(stage.export.everything),
        findings=_after_full,
    ),
    System(
        "part",
        "the rivals' part of it: load and `dbt build`",
        lambda stage: stage.build_rivals_tables(stage.export.everything),
        findings=_after_build,
    ),
    System(
        "day",
        "one day more: load and `dbt build`",
        lambda stage: stage.build(stage.export.everything),
        _restore_without_last_day,
        _after_build,
    ),
    System(
        "day_of_recent",
        "the same day onto a tenth of the days: load and `dbt build`",
        lambda stage: stage.build(stage.export.recent_and_last_day),
        _restore_recent_days,
    ),
    System(
        "resync",
        "everything sent again: load and `dbt build`",
        lambda stage: stage.build(stage.export.with_resync),
        _restore_built,
        _after_build,
    ),
    System(
        "regrouped",
        "everything sent again in other files: load and `dbt build`",
        lambda stage: stage.build(stage.export.with_regrouped),
        _restore_built,
        _after_build,
    ),
    System(
        "again",
        "nothing new: `scripts build`",
        lambda stage: stage.build_and_publish(stage.export.everything),
        _restore_published,
        _after_build,
    ),
    System(
        "dbt_start",
        "dbt's own start: `dbt build` of nothing",
        lambda stage: [stage.dbt("build", *OF_NOTHING)],
        _restore_built,
    ),
    System(
        "dbt_parse",
        "the same, parsing the whole project, as the first time in a clone",
        lambda stage: [stage.dbt("--no-partial-parse", "build", *OF_NOTHING)],
        _restore_built,
    ),
)


def rivals(python: Path) -> tuple[System, ...]:
    """Return the rivals, run by the interpreter that has their packages."""
    return (
        _rival("duckdb", "plain DuckDB SQL", Path(sys.executable)),
        _rival("polars", "polars", python),
        _rival("pandas", "pandas", python, max_events=1_000_000),
        _rival("chdb", "chDB (ClickHouse)", python),
        _rival("spark", "Spark, local", python, module="pyspark", program="java"),
    )


def _rival(
    name: str,
    label: str,
    python: Path,
    *,
    module: str | None = None,
    program: str | None = None,
    max_events: int | None = None,
) -> System:
    def steps(stage: Stage) -> list[Step]:
        script = f"scripts.benchmark.rivals.with_{name}"
        return [Step("run", (python, "-m", script, stage.export.everything, stage.output))]

    def findings(stage: Stage) -> dict[str, Any]:
        printed = stage.log.read_text(errors="replace").splitlines()
        answers = [line for line in printed if line.startswith('{"events"')]
        if not answers:
            raise CommandFailedError("it printed no answer")
        return {"answer": json.loads(answers[-1])}

    def problem() -> str | None:
        if program and not shutil.which(program):
            return f"{program} is not installed"
        return _missing(python, module or name)

    return System(
        name,
        label,
        steps,
        findings=findings,
        is_rival=True,
        max_events=max_events,
        problem=problem,
    )


def _missing(python: Path, module: str) -> str | None:
    """Say why a module cannot be imported, None where it can."""
    if not python.exists():
        return f"{python} does not exist (`make benchmark` makes it)"
    looked = subprocess.run(  # noqa: S603
        [python, "-c", f"import {module}"], capture_output=True, text=True, check=False
    )
    return looked.stderr.strip().splitlines()[-1] if looked.returncode else None
