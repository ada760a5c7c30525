"""`python -m scripts benchmark`: measure the project, a floor and rivals."""

import json
import shlex
from dataclasses import asdict
from pathlib import Path

import click

from scripts import PROJECT
from scripts.benchmark.campaign import Campaign
from scripts.benchmark.machine import machine_facts
from scripts.benchmark.results import write_results
from scripts.benchmark.systems import OWN, rivals
from scripts.benchmark.targets import targets
from scripts.errors import UsageProblem, plainly

RIVALS_PYTHON = PROJECT / ".venv-benchmark" / "bin" / "python"
DEFAULTS = {"events": (1_000_000, 10_000_000), "runs": 3}
NAMES = [system.name for system in (*OWN, *rivals(RIVALS_PYTHON))]


@click.command()
@click.option(
    "--events",
    multiple=True,
    type=click.IntRange(min=1000),
    default=DEFAULTS["events"],
    show_default=True,
    help="About how many events; give it several times for several sizes.",
)
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=DEFAULTS["runs"],
    show_default=True,
    help="How often each system runs; medians count.",
)
@click.option(
    "--systems",
    multiple=True,
    type=click.Choice(NAMES),
    help="What to measure; give it several times [default: all].",
)
@click.option(
    "--work-folder",
    type=click.Path(path_type=Path, file_okay=False),
    default="benchmark_data",
    show_default=True,
    help="Folder for exports and warehouses (10 million events: about 19 GB).",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=PROJECT / "docs" / "benchmarks",
    help="Folder for results.md and results.svg [default: docs/benchmarks].",
)
@click.option(
    "--rivals-python",
    type=click.Path(path_type=Path, dir_okay=False),
    default=RIVALS_PYTHON,
    help="Interpreter that has the rivals' packages [default: the one of .venv-benchmark].",
)
@click.option("--json", "as_json", is_flag=True, help="Print all runs as one JSON object too.")
def command(
    *,
    events: tuple[int, ...],
    runs: int,
    systems: tuple[str, ...],
    work_folder: Path,
    output: Path,
    rivals_python: Path,
    as_json: bool,
) -> None:
    """Measure loading and building against a floor and rivals, as whole processes.

    Exports are made in the work folder, and used again by the next benchmark. The results are
    written after each turn of all systems. See docs/benchmarks/README.md.

    \b
    Examples:
      python -m scripts benchmark
      python -m scripts benchmark --events 100000 --runs 1 --systems floor --systems full
    """
    every = (*OWN, *rivals(rivals_python.absolute()))
    campaign = Campaign([one for one in every if not systems or one.name in systems])
    machine = machine_facts()
    written_as = _written_command(events, runs, systems)
    for size in sorted(set(events)):
        try:
            campaign.measure(
                size,
                runs,
                work_folder.resolve(),
                tell=lambda text: click.echo(text, err=True),
                after_turn=lambda: write_results(campaign, machine, written_as, output),
            )
        except OSError as error:
            raise UsageProblem(f"Cannot measure {size:,} events: {plainly(error)}") from None
    reached = targets(campaign)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "machine": machine,
                    "runs": [asdict(run) for run in campaign.runs],
                    "skipped": [
                        {"events": size, "system": name, "reason": reason}
                        for (size, name), reason in campaign.skipped.items()
                    ],
                    "targets": [asdict(one) | {"is_reached": one.is_reached} for one in reached],
                }
            )
        )
        return
    for one in reached:
        mark = "reached" if one.is_reached else "NOT reached"
        click.echo(f"{one.what}: {one.measured:.2f} {one.unit}, limit {one.limit:.2f}: {mark}")
    click.echo(f"Wrote results.md and results.svg to {output}.")


def _written_command(events: tuple[int, ...], runs: int, systems: tuple[str, ...]) -> str:
    """Write the command that gives such results, without the folders of this machine."""
    if events == DEFAULTS["events"] and runs == DEFAULTS["runs"] and not systems:
        return "make benchmark"
    words = ["python", "-m", "scripts", "benchmark"]
    for size in events:
        words += ["--events", str(size)]
    words += ["--runs", str(runs)]
    for name in systems:
        words += ["--systems", name]
    return shlex.join(words)
