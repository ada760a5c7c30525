"""The benchmark's export and what is written of the results; nothing here measures time."""

import hashlib
import json
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from building import ROOT, run_command
from test_generate import ATTRIBUTES, COLUMNS, EVENT_TYPES, SOURCES

from scripts.benchmark import export as exports
from scripts.benchmark.campaign import Campaign, Run
from scripts.benchmark.export import DAYS, Export, find_or_make
from scripts.benchmark.measure import CommandFailedError, Cost, measure
from scripts.benchmark.results import write_results
from scripts.benchmark.rivals.question import FUNNELS, GOALS
from scripts.benchmark.systems import OWN, rivals
from scripts.benchmark.targets import targets
from scripts.lines import Event, classify

EVENTS = 2000


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    return find_or_make(tmp_path_factory.mktemp("benchmark"), EVENTS)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.ndjson"))
    }


def lines(folder: Path) -> list[bytes]:
    return [
        line for path in sorted(folder.rglob("*.ndjson")) for line in path.read_bytes().splitlines()
    ]


def events(export: Export) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in lines(export.everything) if isinstance(classify(line), Event)
    ]


def test_the_same_seed_gives_the_same_export(export: Export, tmp_path: Path) -> None:
    again, other = find_or_make(tmp_path, EVENTS), find_or_make(tmp_path, EVENTS, seed=8)
    assert contents(again.folder) == contents(export.folder) != contents(other.folder)


def test_an_export_is_made_once(export: Export) -> None:
    before = {path: path.stat().st_mtime_ns for path in export.folder.rglob("*")}
    assert find_or_make(export.folder.parent, EVENTS) == export
    assert {path: path.stat().st_mtime_ns for path in export.folder.rglob("*")} == before


def test_all_lines_are_events_but_the_few_that_are_to_be_rejected(
    export: Export, tmp_path: Path
) -> None:
    loaded = json.loads(
        run_command("load", "--source", export.everything, "--json", warehouse=tmp_path)
    )
    assert loaded["physical_lines"] == export.lines
    assert loaded["rejected"] == {"not_json": 3, "no_app_token": 1}
    assert loaded["new_events"] == len({event["internal_event_id"] for event in events(export)})
    assert loaded["copies"] > 0


def test_the_export_shows_all_that_is_documented(export: Export) -> None:
    attributes: defaultdict[str, set[str]] = defaultdict(set)
    found = events(export)
    for event in found:
        if event["event_type"] == "interaction":
            attributes[event["event_name"].split(":")[0]] |= event["metadata"].keys()
    assert {event["event_type"] for event in found} == EVENT_TYPES
    assert {event["source"] for event in found} == SOURCES
    assert {key for event in found for key in event} == COLUMNS
    for entity, documented in ATTRIBUTES.items():
        assert attributes[entity] >= documented, entity
    assert not any("$" in json.dumps(event) for event in found)


def test_the_export_has_the_shape_of_a_data_sync(export: Export) -> None:
    folders = {path.parent.name for path in export.everything.rglob("*.ndjson")}
    assert len(folders) == DAYS
    assert len(events(export)) == pytest.approx(EVENTS, rel=0.1)
    assert export.size_bytes / export.lines == pytest.approx(620, rel=0.1)
    rest = contents(export.without_last_day)
    assert rest.items() < contents(export.everything).items()
    assert len(rest) == DAYS - 1
    recent = contents(export.recent_days)
    assert recent.items() < rest.items()
    assert min(recent) > max(rest.keys() - recent.keys())
    assert len(recent) == DAYS // 10
    assert contents(export.recent_and_last_day) == recent | {
        path: content for path, content in contents(export.everything).items() if path not in rest
    }
    for again in (export.with_resync, export.with_regrouped):
        assert Counter(lines(again)) == Counter(lines(export.everything) * 2)


def test_another_generator_makes_the_export_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = find_or_make(tmp_path, 1000)
    leftover = made.folder / "leftover"
    leftover.touch()
    monkeypatch.setattr(exports, "_fingerprint", lambda: "another")
    assert find_or_make(tmp_path, 1000) == made
    assert not leftover.exists()


def test_the_rivals_are_asked_what_the_seeds_declare() -> None:
    experiments = (ROOT / "seeds" / "experiments.csv").read_text().splitlines()[1:]
    for row in experiments:
        _, experiment, *_, event_type, event_name, days = row.split(",")
        goal = GOALS[experiment]
        assert (goal.event_type or "", goal.event_name or "") == (event_type, event_name)
        assert str(goal.days or "") == days
    funnels = (ROOT / "seeds" / "funnels.csv").read_text().splitlines()[1:]
    for funnel in FUNNELS:
        rows = [row.split(",") for row in funnels if row.startswith(f"{funnel.name},")]
        assert [row[3] for row in rows] == [step.event_type for step in funnel.steps]
        assert {row[8] for row in rows} == {str(funnel.window_seconds)}


def measured(export: Export) -> Campaign:
    """A campaign of two sizes whose figures were made up."""
    seconds = {
        "floor": 10.0,
        "load": 14.0,
        "full": 26.0,
        "day": 2.0,
        "day_of_recent": 1.0,
        "dbt_start": 4.0,
        "again": 7.5,
        "part": 20.0,
        "polars": 20.0,
        "pandas": 19.0,
        "duckdb": 30.0,
        "chdb": 16.0,
    }
    campaign = Campaign([*OWN, *rivals(Path("/nowhere/python"))])
    for events, factor in ((1_000_000, 1.0), (10_000_000, 10.0)):
        campaign.exports.append(
            replace(export, events=events, size_bytes=600 * events, lines=events)
        )
        for noise in (0.5, 0.0, 1.0):
            for system, median in seconds.items():
                cost = Cost(median * factor + noise - 0.5, 20.0, 1_500_000_000)
                answer = {"events": events} if system in ("full", "day") else None
                campaign.runs.append(Run(system, events, {"run": cost}, answer, 100 * events))
        campaign.skipped[events, "spark"] = "java is not <here>"
    return campaign


def test_targets_compare_medians(export: Export) -> None:
    reached = {target.what: target.is_reached for target in targets(measured(export))}
    assert reached == {
        "full / floor, 1,000,000 events": False,
        "load / floor, 1,000,000 events": True,
        "the rivals' part / polars, 1,000,000 events": True,
        "the rivals' part / pandas, 1,000,000 events": False,
        "the rivals' part / the faster of plain DuckDB SQL and chDB, 1,000,000 events": False,
        "nothing new, 1,000,000 events (3 s and dbt's start)": False,
        "peak memory of full, 1,000,000 events": True,
        "database / NDJSON, 1,000,000 events": True,
        "full / floor, 10,000,000 events": False,
        "load / floor, 10,000,000 events": True,
        "the rivals' part / polars, 10,000,000 events": True,
        "the rivals' part / pandas, 10,000,000 events": False,
        "the rivals' part / the faster of plain DuckDB SQL and chDB, 10,000,000 events": False,
        "nothing new, 10,000,000 events (3 s and dbt's start)": False,
        "peak memory of full, 10,000,000 events": True,
        "one day more / full, 10,000,000 events": False,
        "one day more / the same onto a tenth of the days, 10,000,000 events": False,
        "database / NDJSON, 10,000,000 events": True,
        "full, 10,000,000 events / 1,000,000 events": True,
    }


def test_results_are_a_page_and_a_plot(export: Export, tmp_path: Path) -> None:
    campaign = measured(export)
    page, plot = write_results(campaign, {"processors": "2 x thing"}, "make benchmark", tmp_path)
    text = page.read_text()
    assert "| load / floor, 1,000,000 events | 1.40 x | 1.50 x | reached |" in text
    assert "| `scripts load` | 14.0 |" in text
    assert "- Spark, local: not measured (java is not <here>)" in text
    assert "The answers of full, day agree." in text
    drawing = ET.fromstring(plot.read_text())  # noqa: S314 (written a line ago)
    assert len(drawing.findall(".//{http://www.w3.org/2000/svg}rect")) == 1 + 2 * 12


def test_an_answer_that_differs_is_told(export: Export, tmp_path: Path) -> None:
    campaign = measured(export)
    campaign.runs.append(Run("polars", 1_000_000, {"run": Cost(1, 1, 1)}, {"events": 999_999}))
    page, _ = write_results(campaign, {}, "make benchmark", tmp_path)
    told = "**The answers differ**: polars: events 999999, not 1000000 as full."
    assert told in page.read_text()


def test_a_process_is_measured_with_its_children(tmp_path: Path) -> None:
    child = "x = bytearray(60_000_000); import time; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{child}'])"
    cost = measure(["python3", "-c", parent], tmp_path, {}, tmp_path / "log")
    assert cost.seconds > 0.5
    assert cost.peak_bytes > 60_000_000


def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="exit code 3: no such thing"):
        measure(["sh", "-c", "echo no such thing; exit 3"], tmp_path, {}, tmp_path / "log")
