"""pandas: frames in memory, written as Parquet."""

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from scripts.benchmark.rivals.question import COLUMNS, FUNNELS, GOALS, Answer, Funnel, Step, run

USER = ["app_token", "user_id"]


def answer(export: str, output: str) -> Answer:
    """Build the tables as Parquet files, then count."""
    events = read_events(export)
    by_users = events[events["user_id"].fillna("") != ""].sort_values("inserted_at", kind="stable")
    interactions = interactions_of(by_users)
    frames = {
        "events": events.assign(metadata=events["metadata"].map(json.dumps)),
        "users": users(by_users),
        "sessions": sessions(by_users),
        "nps_responses": nps_responses(interactions),
        "experiment_users": experiment_users(interactions, by_users),
    } | {f"funnel_{funnel.name}": funnel_users(funnel, by_users) for funnel in FUNNELS}
    for name, frame in frames.items():
        frame.to_parquet(Path(output) / f"{name}.parquet", index=False)
    return count(frames)


def read_events(export: str) -> Any:
    """Read all files in the order of folder dates and paths; the last copy of an event counts."""
    paths = sorted(Path(export).rglob("*.ndjson"), key=lambda path: (path.parent.name, str(path)))
    events = pd.concat([read_file(path) for path in paths], ignore_index=True)
    events["inserted_at"] = pd.to_datetime(
        events["inserted_at"], format="ISO8601", utc=True, errors="coerce"
    ).dt.tz_localize(None)
    return events.dropna(subset=["app_token", "event_type", "inserted_at"]).drop_duplicates(
        ["app_token", "internal_event_id"], keep="last"
    )


def read_file(path: Path) -> Any:
    """Read a file. A line that is no JSON fails the whole file, so those are taken out before."""
    lines = [
        line
        for line in path.read_bytes().split(b"\n")
        if line.startswith(b"{") and line.endswith(b"}")
    ]
    frame = pd.read_json(io.BytesIO(b"\n".join(lines)), lines=True, dtype=False)
    return frame.reindex(columns=list(COLUMNS))


def users(events: Any) -> Any:
    """One row per user; the events are in the order of time."""
    groups = events.groupby(USER)
    identified = events[events["event_type"] == "identify_user"].groupby(USER)["metadata"].last()
    traits = identified.reset_index()
    traits["email"] = traits["metadata"].map(lambda one: one.get("email"))
    traits["plan_type"] = traits["metadata"].map(lambda one: one.get("plan_type"))
    traits["traits"] = traits.pop("metadata").map(json.dumps)
    views = events[events["event_type"] == "page_view"].groupby(USER).size().rename("page_views")
    seen = groups.agg(
        first_seen_at=("inserted_at", "min"),
        last_seen_at=("inserted_at", "max"),
        event_count=("inserted_at", "size"),
        company_id=("company_id", "last"),
    )
    return seen.join(views).fillna({"page_views": 0}).reset_index().merge(traits, "left", on=USER)


def sessions(events: Any) -> Any:
    """One row per session of a user."""
    events = events[events["session"].fillna("") != ""]
    return (
        events.assign(is_view=events["event_type"] == "page_view")
        .groupby([*USER, "session"])
        .agg(
            started_at=("inserted_at", "min"),
            ended_at=("inserted_at", "max"),
            event_count=("inserted_at", "size"),
            page_view_count=("is_view", "sum"),
            entry_pathname=("pathname", "first"),
            exit_pathname=("pathname", "last"),
        )
        .reset_index()
    )


def interactions_of(events: Any) -> Any:
    """NPS and experiment events with their names and attributes taken apart."""
    found = events[
        (events["event_type"] == "interaction")
        & events["event_name"].str.startswith(("nps:", "experiment:"))
    ].reset_index(drop=True)
    parts = found["event_name"].str.split(":", n=2, expand=True)
    found["entity_type"], found["entity_id"], found["status"] = parts[0], parts[1], parts[2]
    for name in ("score", "submission_id", "feedback", "variant"):
        found[name] = found["metadata"].map(lambda one, name=name: one.get(name) or None)
    found["score"] = pd.to_numeric(found["score"], errors="coerce")
    return found


def nps_responses(interactions: Any) -> Any:
    """One row per NPS submission."""
    submitted = interactions[
        (interactions["entity_type"] == "nps") & interactions["status"].str.startswith("SUBMITTED_")
    ]
    return (
        submitted.rename(columns={"entity_id": "nps_id"})
        .groupby(["app_token", "nps_id", "user_id", "submission_id"])
        .agg(
            score=("score", "last"),
            feedback=("feedback", "last"),
            responded_at=("inserted_at", "max"),
        )
        .reset_index()
    )


def experiment_users(interactions: Any, events: Any) -> Any:
    """One row per user exposed to an experiment."""
    shown = interactions[
        (interactions["entity_type"] == "experiment") & interactions["variant"].notna()
    ].rename(columns={"entity_id": "experiment_id"})
    keys = ["app_token", "experiment_id", "user_id"]
    completed = shown[shown["status"] == "COMPLETED"].groupby(keys)["inserted_at"].min()
    exposed = (
        shown.groupby(keys)
        .agg(
            variant=("variant", "min"),
            variants=("variant", "nunique"),
            exposed_at=("inserted_at", "min"),
        )
        .join(completed.rename("completed_at"))
        .reset_index()
        .sort_values("exposed_at")
    )
    parts = []
    for experiment, goal in GOALS.items():
        part = exposed[exposed["experiment_id"] == experiment]
        if goal.event_type is None:
            parts.append(part.assign(converted_at=part["completed_at"]))
            continue
        goals = events[
            (events["event_type"] == goal.event_type) & (events["event_name"] == goal.event_name)
        ]
        parts.append(
            pd.merge_asof(
                part,
                goals[[*USER, "inserted_at"]].rename(columns={"inserted_at": "converted_at"}),
                left_on="exposed_at",
                right_on="converted_at",
                by=USER,
                direction="forward",
                tolerance=pd.Timedelta(days=goal.days),
            )
        )
    return pd.concat(parts, ignore_index=True)


def funnel_users(funnel: Funnel, events: Any) -> Any:
    """How far each user came: each entry with the earliest later match of each next step."""
    entries = matches(funnel.steps[0], events, "at_1")
    window = pd.Timedelta(seconds=funnel.window_seconds)
    chain, reached = entries.assign(at=entries["at_1"]), [entries[USER].assign(max_step=1)]
    for number, step in enumerate(funnel.steps[1:], 2):
        chain = pd.merge_asof(
            chain.sort_values("at"),
            matches(step, events, "next"),
            left_on="at",
            right_on="next",
            by=USER,
            direction="forward",
            allow_exact_matches=False,
        )
        chain = chain[chain["next"] - chain["at_1"] <= window]
        chain = chain.assign(at=chain["next"]).drop(columns="next")
        reached.append(chain[USER].assign(max_step=number))
    return pd.concat(reached).groupby(USER)["max_step"].max().reset_index()


def matches(step: Step, events: Any, name: str) -> Any:
    """Moments at which users did a step, in the order of time."""
    names = events["event_name"]
    found = events[
        (events["event_type"] == step.event_type)
        & names.str.startswith(step.begins)
        & names.str.endswith(step.ends)
    ]
    return found[[*USER, "inserted_at"]].rename(columns={"inserted_at": name})


def count(frames: dict[str, Any]) -> Answer:
    """Count."""
    found = Answer(len(frames["events"]), len(frames["users"]), len(frames["sessions"]))
    scores = frames["nps_responses"]
    scores = scores[scores["score"].between(0, 10)]
    found.add_nps(
        (survey, len(one), (one["score"] >= 9).sum(), (one["score"] <= 6).sum())
        for survey, one in scores.groupby("nps_id")
    )
    exposed = frames["experiment_users"]
    found.add_experiments(
        (*names, len(one), one["converted_at"].count())
        for names, one in exposed[exposed["variants"] == 1].groupby(["experiment_id", "variant"])
    )
    for funnel in FUNNELS:
        steps = frames[f"funnel_{funnel.name}"]["max_step"].value_counts()
        found.add_funnel(funnel, steps.items())
    return found


if __name__ == "__main__":
    run(answer)
