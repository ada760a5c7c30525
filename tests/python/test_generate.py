import csv
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from building import ROOT
from click.testing import CliRunner

from scripts.generate import MARKER, command

SMALL = ("--events", "3000", "--days", "45")

# Typed from the vendor's schema page.
COLUMNS = {
    "app_token", "event_type", "event_name", "user_id", "company_id", "source", "inserted_at",
    "internal_event_id", "hostname", "pathname", "screen_width", "screen_height", "device_type",
    "user_agent", "operating_system", "browser", "browser_language", "session", "country_code",
    "metadata",
}  # fmt: skip
EVENT_TYPES = {
    "identify_user", "identify_company", "interaction", "track", "track_feature", "page_view",
    "session_start",
}  # fmt: skip
SOURCES = {
    "web-client", "backend-http", "backend-hubspot", "backend-salesforce", "backend-segment",
}  # fmt: skip
CHECKLIST = {"interaction_id", "is_dismissed", "parent_id", "status"}
RESOURCE_CENTER = CHECKLIST | {"article_title", "article_url"}
FLOW = {"interaction_id", "is_dismissed", "status", "total_dismissed"}
ATTRIBUTES = {
    "survey_module": CHECKLIST | {"feedback", "survey_question", "variant"},
    "checklist": CHECKLIST,
    "checklist_task": CHECKLIST,
    "resource_center": RESOURCE_CENTER,
    "resource_center_article": RESOURCE_CENTER,
    "nps": {
        "feedback", "follow_up_question", "interaction_id", "score", "status", "survey_question",
        "submission_id",
    },
    "experience": FLOW,
    "experience_step": FLOW,
    "experiment": FLOW | {"never_show_again", "variant"},
}  # fmt: skip
NOT_EVENTS = (
    "all_users", "all_companies", "feature_tags_definitions", "feature_tags_breakdown",
)  # fmt: skip


def generate(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(command, [*SMALL, "--json", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    summary: dict[str, Any] = json.loads(result.stdout)
    return summary


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generate") / "sample"
    generate("--output", str(folder))
    return folder


def contents(folder: Path) -> dict[str, tuple[str, float]]:
    """Each file's hash and time of change."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            0 if path.name == MARKER else path.stat().st_mtime,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def event_lines(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*")):
        is_skipped = path.name.startswith((".", *NOT_EVENTS)) or path.suffix == ".csv"
        if path.is_dir() or is_skipped:
            continue
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        elif path.suffix == ".zst":
            data = zstandard.ZstdDecompressor().decompress(data)
        lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        yield from (line for line in lines if line.strip())


def read_events(folder: Path) -> tuple[list[dict[str, Any]], int]:
    """The events and the number of lines that are none."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    events, bad = [], 0
    for line in event_lines(folder):
        try:
            event = json.loads(line.decode(), parse_constant=refuse)
        except ValueError:
            bad += 1
            continue
        required = ("app_token", "event_type", "inserted_at")
        is_event = isinstance(event, dict) and all(
            isinstance(event.get(key), str) and event[key] for key in required
        )
        if is_event and event["inserted_at"][4] == "-":
            events.append(event)
        else:
            bad += 1
    return events, bad


def metadata(event: dict[str, Any]) -> dict[str, Any]:
    found = event.get("metadata") or event.get("attributes") or {}
    opened: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
    return opened


def test_same_arguments_give_the_same_bytes_in_any_process(sample: Path, tmp_path: Path) -> None:
    surroundings = {"PYTHONHASHSEED": "4321", "TZ": "Asia/Kolkata", "LC_ALL": "C"}
    subprocess.run(
        [sys.executable, "-m", "scripts", "generate", *SMALL, "--output", tmp_path / "again"],
        check=True,
        cwd=ROOT,
        env=os.environ | surroundings,
        capture_output=True,
    )
    assert contents(tmp_path / "again") == contents(sample)


def test_the_same_sample_is_left_alone(sample: Path) -> None:
    marker = sample / MARKER
    before = marker.stat().st_mtime_ns
    assert generate("--output", str(sample))["status"] == "already there"
    assert marker.stat().st_mtime_ns == before


def test_another_sample_replaces_the_old_one_and_leaves_nothing_behind(tmp_path: Path) -> None:
    output = tmp_path / "sample"
    first = generate("--output", str(output), "--days", "30", "--events", "1000")
    second = generate("--output", str(output), "--days", "30", "--events", "1000", "--seed", "8")
    assert first["status"] == second["status"] == "written"
    assert json.loads((output / MARKER).read_text())["arguments"]["seed"] == 8
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]


def test_a_folder_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    result = CliRunner().invoke(command, ["--output", str(tmp_path)])
    assert result.exit_code == 1
    assert "not a sample export" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_sample_shows_all_that_is_documented(sample: Path) -> None:
    events, _ = read_events(sample)
    attributes: defaultdict[str, set[str]] = defaultdict(set)
    for event in events:
        if event["event_type"] == "interaction":
            attributes[event["event_name"].split(":")[0]] |= metadata(event).keys()
    assert {event["event_type"] for event in events} >= EVENT_TYPES
    assert {event["source"] for event in events} >= SOURCES
    assert {key for event in events for key in event} >= COLUMNS
    for entity, documented in ATTRIBUTES.items():
        assert attributes[entity] >= documented, entity


def test_the_seeds_describe_what_the_sample_holds(sample: Path) -> None:
    events, _ = read_events(sample)
    seen = {(event["app_token"], event["event_name"].rpartition(":")[0]) for event in events}
    seen |= {(event["app_token"], "track:" + event["event_name"]) for event in events}
    seen |= {(app, "survey:13") for app, _ in seen}  # known as the parent of its modules only
    with (ROOT / "seeds" / "content.csv").open(encoding="utf-8", newline="") as file:
        content = [row for row in csv.DictReader(file) if row["entity_type"] != "survey_option"]
    named = {(row["app_token"], f"{row['entity_type']}:{row['entity_id']}") for row in content}
    assert named <= seen
    with (ROOT / "seeds" / "experiments.csv").open(encoding="utf-8", newline="") as file:
        declared = {(row["experiment_id"], row["variant"]) for row in csv.DictReader(file)}
    assert declared == {
        (event["event_name"].split(":")[1], metadata(event)["variant"])
        for event in events
        if event["event_name"].startswith("experiment:")
    }


def test_bad_lines_stay_within_the_error_budget(sample: Path) -> None:
    events, bad = read_events(sample)
    assert 0 < bad < 0.01 * (len(events) + bad)


def test_the_story_is_told_whatever_the_seed(tmp_path: Path) -> None:
    output = tmp_path / "sample"
    summary = generate("--output", str(output), "--seed", "99")
    events, _ = read_events(output)
    steps: defaultdict[str, set[str]] = defaultdict(set)
    for event in events:
        if event["event_name"].startswith("experience_step:"):
            steps[event["event_name"]].add(event["user_id"])
    reached = [len(steps[f"experience_step:{step}:SEEN"]) for step in (998, 999, 1000, 1001)]
    finished = len(steps["experience_step:1000:COMPLETED"])
    assert reached == sorted(reached, reverse=True)
    assert finished < 0.7 * reached[2]
    assert 2400 < summary["events"] < 3600
