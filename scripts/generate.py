"""`generate`: write a sample export, so that everything can be tried without one's own data."""

import json
import shutil
import tempfile
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from scripts.errors import UsageProblem, plainly
from scripts.sample.files import Export
from scripts.sample.story import Story

MARKER = ".sample_export.json"
TRIAL_USERS = 600  # enough to foresee how many events a user brings


def generate(output: Path, events: int, seed: int, days: int, end: date) -> dict[str, Any]:
    """Write the sample export to `output`, unless the same one is there.

    Args:
        output: Folder to make. It is replaced only if this command made it.
        events: About how many distinct events to write.
        seed: Another seed tells another story with the same plot.
        days: Length of the story.
        end: Its last day.

    Returns:
        The summary, also kept in the folder's marker file.

    Raises:
        UsageProblem: `output` is something else than a sample export.
    """
    arguments = {"events": events, "seed": seed, "days": days, "end": end.isoformat()}
    marker = {"arguments": arguments, "generator": fingerprint()}
    target = output.resolve()
    existing = read_marker(target)
    if existing and {key: existing.get(key) for key in marker} == marker:
        return {**existing["summary"], "output": str(output), "status": "already there"}

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise UsageProblem(f"Cannot write beside {output}: {plainly(error)}") from None
    try:
        made = work / "made"
        made.mkdir()
        summary = write_story(made, events, seed, days, end)
        (made / MARKER).write_text(json.dumps(marker | {"summary": summary}, indent=2) + "\n")
        if target.exists():
            target.rename(work / "replaced")
        made.rename(target)
    except OSError as error:
        raise UsageProblem(f"Cannot write {output}: {plainly(error)}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {**summary, "output": str(output), "status": "written"}


def write_story(folder: Path, events: int, seed: int, days: int, end: date) -> dict[str, Any]:
    """Write all files and sum them up."""
    start = end - timedelta(days=days - 1)
    trial = Story(seed, TRIAL_USERS, start, days)
    for _ in trial.play():
        pass
    users = max(40, round(TRIAL_USERS * events / trial.counts.total()))
    story = Story(seed, users, start, days)
    written = Export(folder, story, events).write()
    return {
        "events": story.counts.total(),
        "events_by_type": dict(sorted(story.counts.items())),
        "events_by_app": written.apps,
        "users": sum(bool(user.first_seen) for user in story.users),
        "companies": len({user.company.number for user in story.users if user.company}),
        "first_date": start.isoformat(),
        "last_date": end.isoformat(),
        "files": written.files,
        "lines": written.lines,
        "bad_lines": written.bad_lines,
        "repeated_lines": written.repeated_lines,
        "size_bytes": written.size_bytes,
    }


def read_marker(output: Path) -> dict[str, Any] | None:
    """Read what made the folder, None where nothing is there yet.

    Raises:
        UsageProblem: the folder holds something that this command did not write.
    """
    try:
        marker = json.loads((output / MARKER).read_text())
        if isinstance(marker, dict) and "summary" in marker:
            return marker
    except (OSError, ValueError):
        pass
    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return None
    raise UsageProblem(
        f"{output} exists and is not a sample export. Choose another --output, or remove it."
    )


def fingerprint() -> str:
    """Identify the generator's code: a changed one writes a sample anew."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.joinpath("sample").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@click.command()
@click.option(
    "--output",
    default="sample_export",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder to write; replaced only if this command made it.",
)
@click.option(
    "--events",
    default=20_000,
    show_default=True,
    type=click.IntRange(min=1000),
    help="About how many events; users grow with them.",
)
@click.option("--seed", default=7, show_default=True, help="Another seed, another sample.")
@click.option(
    "--days",
    default=120,
    show_default=True,
    type=click.IntRange(30, 3650),
    help="Days the sample covers.",
)
@click.option(
    "--end",
    default="2025-06-30",
    show_default=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last day.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(
    *, output: Path, events: int, seed: int, days: int, end: datetime, as_json: bool
) -> None:
    """Write a sample export, as Userpilot's Data Sync would.

    It tells the story of a product with two environments: sign-ups that grow, an onboarding flow
    with a weak third step, a checklist, NPS, a survey, upgrades and three experiments, delivered
    with the flaws of real exports (files sent again or late, broken lines, strange ids and texts).

    The same arguments give the same files, on any day. Where they are there already, nothing
    is done.

    \b
    Examples:
      python -m scripts generate
      python -m scripts generate --events 1000000 --output big_sample
    """
    if not 2000 <= end.year <= 2100:
        raise UsageProblem("--end must lie between 2000 and 2100.")
    summary = generate(output, events, seed, days, end.date())
    if as_json:
        click.echo(json.dumps(summary))
        return
    state = "is there already, nothing to do" if summary["status"] != "written" else "written"
    click.echo(
        f"{summary['output']}: {state}.\n"
        f"  {summary['events']:,} events of {summary['users']:,} users and "
        f"{summary['companies']:,} companies, {summary['first_date']} to {summary['last_date']}\n"
        f"  {summary['files']:,} files, {summary['lines']:,} lines, "
        f"{summary['size_bytes'] / 1e6:,.1f} MB; {summary['bad_lines']:,} bad lines and "
        f"{summary['repeated_lines']:,} repeated ones on purpose"
    )
