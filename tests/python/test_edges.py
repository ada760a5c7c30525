"""Exports with next to nothing in them: they build, and every table agrees with the recount."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import Build, project_vars, run_command, run_dbt
from recount.checking import differences_from_recount


def line(event_type: str, minute: int = 0, **values: Any) -> dict[str, Any]:
    return {
        "app_token": "NX-1",
        "event_type": event_type,
        "user_id": "u1",
        "company_id": "c1",
        "source": "web-client",
        "session": "1",
        "inserted_at": f"2025-05-10T12:{minute:02}:00Z",
        **values,
    }


def act(name: str, minute: int = 0, **metadata: Any) -> dict[str, Any]:
    return line("interaction", minute, event_name=name, metadata=metadata)


# Each alone; and then each as an app of its own, beside the others.
ALONE = {
    "one page view": [line("page_view")],
    "one user who is never active": [line("identify_user", source="backend-hubspot")],
    "nothing but an event from the year 2099": [
        line("page_view") | {"inserted_at": "2099-01-01T00:00:00Z"}
    ],
}
APPS = {
    **ALONE,
    "one event without user, company or session": [
        line("track", event_name="x", user_id=None, company_id=None, session=None)
    ],
    "no NPS, no experiment": [
        line("session_start"),
        line("page_view", 1, pathname="/a"),
        act("experience:1:SEEN", 2),
        act("experience:1:COMPLETED", 3),
        act("checklist_task:2:COMPLETED", 4, parent_id="checklist_1"),
    ],
    "an NPS shown and never answered": [act("nps:1:SEEN")],
    "an NPS with no valid score": [act("nps:1:SUBMITTED_SCORE", score="eleven")],
    "an experiment with one variant": [act("experiment:9:SEEN", variant="A")],
    "an experiment nobody is clean in": [
        act("experiment:9:SEEN", variant="A"),
        act("experiment:9:SEEN", 1, variant="B"),
    ],
    "an experiment without a variant": [act("experiment:9:SEEN")],
    "a survey module without a survey": [act("survey_module:1:COMPLETED", feedback="yes")],
    "a step without a flow": [act("experience_step:1:SEEN")],
    "interactions that do not parse": [act("a:b"), act("::"), act(""), act("x", 3)],
}
EXPORTS = {
    **ALONE,
    "many small apps": [
        event | {"app_token": app_token} for app_token, events in APPS.items() for event in events
    ],
}


def build(events: list[dict[str, Any]], folder: Path) -> Build:
    """Build an export; data tests are part of it, unit tests do not depend on the export."""
    (folder / "export").mkdir()
    lines = "".join(f"{json.dumps(event)}\n" for event in events)
    (folder / "export/events.json").write_text(lines)
    run_command("load", "--source", folder / "export", warehouse=folder)
    run_dbt("build", "--quiet", "--exclude-resource-type", "unit_test", warehouse=folder)
    return Build(folder / "export", folder, project_vars())


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Build]]:
    """Builds of all exports, two at a time: most of a small one is dbt, on one processor."""
    with ThreadPoolExecutor(2) as pool:
        return {
            name: pool.submit(build, events, tmp_path_factory.mktemp("small"))
            for name, events in EXPORTS.items()
        }


@pytest.mark.parametrize("name", EXPORTS)
def test_small_exports_build(name: str, builds: dict[str, Future[Build]]) -> None:
    built = builds[name].result()
    assert differences_from_recount(built.source, built.database, built.vars, built.seeds) == {}
    with duckdb.connect(str(built.database), read_only=True) as connection:
        events = connection.execute("select count(*) from marts.events").fetchall()
    assert events == [(len(EXPORTS[name]),)]
