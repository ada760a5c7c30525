"""polars: frames in memory, written as Parquet."""

from pathlib import Path

import polars as pl

from scripts.benchmark.rivals.question import COLUMNS, FUNNELS, GOALS, Answer, Funnel, Step, run

TYPES = {"INTEGER": pl.Int32}
SCHEMA = {name: TYPES.get(kind, pl.String) for name, kind in COLUMNS.items()}
USER = ["app_token", "user_id"]


def answer(export: str, output: str) -> Answer:
    """Build the tables as Parquet files, then count."""
    tables = Tables(read_events(export))
    for name, frame in tables.frames().items():
        frame.write_parquet(Path(output) / f"{name}.parquet")
    return tables.answer()


def read_events(export: str) -> pl.DataFrame:
    """Read all files in the order of folder dates and paths; the last copy of an event counts."""
    paths = sorted(Path(export).rglob("*.ndjson"), key=lambda path: (path.parent.name, str(path)))
    return (
        pl.concat([read_file(path) for path in paths], rechunk=False)
        .filter(pl.all_horizontal(pl.col("app_token", "event_type", "inserted_at").is_not_null()))
        .unique(["app_token", "internal_event_id"], keep="last", maintain_order=True)
    )


def read_file(path: Path) -> pl.DataFrame:
    """Read a file. A line that is no JSON fails the whole file, so those are taken out before."""
    lines = [
        line
        for line in path.read_bytes().split(b"\n")
        if line.startswith(b"{") and line.endswith(b"}")
    ]
    return pl.read_ndjson(b"\n".join(lines), schema=SCHEMA, ignore_errors=True).with_columns(
        pl.col("inserted_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False)
    )


class Tables:
    """The tables made of the events."""

    def __init__(self, events: pl.DataFrame) -> None:
        """Make all of them."""
        self.events = events
        by_users = events.lazy().filter(pl.col("user_id") != "")
        self.users = users(by_users)
        self.sessions = sessions(by_users)
        interactions = interactions_of(by_users)
        self.nps_responses = nps_responses(interactions)
        self.experiment_users = experiment_users(interactions, by_users)
        self.funnels = {funnel.name: funnel_users(funnel, by_users) for funnel in FUNNELS}

    def frames(self) -> dict[str, pl.DataFrame]:
        """Return the tables by name."""
        return {
            "events": self.events,
            "users": self.users,
            "sessions": self.sessions,
            "nps_responses": self.nps_responses,
            "experiment_users": self.experiment_users,
        } | {f"funnel_{name}": frame for name, frame in self.funnels.items()}

    def answer(self) -> Answer:
        """Count."""
        found = Answer(self.events.height, self.users.height, self.sessions.height)
        found.add_nps(
            self.nps_responses.filter(pl.col("score").is_between(0, 10))
            .group_by("nps_id")
            .agg(pl.len(), promoters=(pl.col("score") >= 9).sum(), low=(pl.col("score") <= 6).sum())
            .rows()
        )
        found.add_experiments(
            self.experiment_users.filter(~pl.col("is_contaminated"))
            .group_by("experiment_id", "variant")
            .agg(pl.len(), converted=pl.col("converted_at").count())
            .rows()
        )
        for funnel in FUNNELS:
            steps = self.funnels[funnel.name].group_by("max_step").agg(pl.len())
            found.add_funnel(funnel, steps.rows())
        return found


def users(events: pl.LazyFrame) -> pl.DataFrame:
    """One row per user."""
    company, identified = pl.col("company_id") != "", pl.col("event_type") == "identify_user"
    return (
        events.group_by(USER)
        .agg(
            first_seen_at=pl.col("inserted_at").min(),
            last_seen_at=pl.col("inserted_at").max(),
            event_count=pl.len(),
            page_view_count=(pl.col("event_type") == "page_view").sum(),
            company_id=latest("company_id", company),
            traits=latest("metadata", identified),
        )
        .with_columns(
            email=pl.col("traits").str.json_path_match("$.email"),
            plan_type=pl.col("traits").str.json_path_match("$.plan_type"),
        )
        .collect()
    )


def latest(column: str, condition: pl.Expr) -> pl.Expr:
    """Value of the last event that meets the condition."""
    return pl.col(column).filter(condition).max_by(pl.col("inserted_at").filter(condition))


def sessions(events: pl.LazyFrame) -> pl.DataFrame:
    """One row per session of a user."""
    return (
        events.filter(pl.col("session") != "")
        .group_by(*USER, "session")
        .agg(
            started_at=pl.col("inserted_at").min(),
            ended_at=pl.col("inserted_at").max(),
            event_count=pl.len(),
            page_view_count=(pl.col("event_type") == "page_view").sum(),
            entry_pathname=pl.col("pathname").min_by("inserted_at"),
            exit_pathname=pl.col("pathname").max_by("inserted_at"),
        )
        .collect()
    )


def interactions_of(events: pl.LazyFrame) -> pl.LazyFrame:
    """NPS and experiment events with their names and attributes taken apart."""
    name, metadata = pl.col("event_name"), pl.col("metadata")
    return (
        events.filter(
            (pl.col("event_type") == "interaction")
            & (name.str.starts_with("nps:") | name.str.starts_with("experiment:"))
        )
        .with_columns(
            name.str.split_exact(":", 2).struct.rename_fields(
                ["entity_type", "entity_id", "status"]
            )
        )
        .unnest("event_name")
        .with_columns(
            score=metadata.str.json_path_match("$.score").cast(pl.Int32, strict=False),
            submission_id=metadata.str.json_path_match("$.submission_id"),
            feedback=metadata.str.json_path_match("$.feedback"),
            variant=metadata.str.json_path_match("$.variant"),
        )
        .collect()
        .lazy()
    )


def nps_responses(interactions: pl.LazyFrame) -> pl.DataFrame:
    """One row per NPS submission."""
    return (
        interactions.filter(
            (pl.col("entity_type") == "nps") & pl.col("status").str.starts_with("SUBMITTED_")
        )
        .group_by("app_token", pl.col("entity_id").alias("nps_id"), "user_id", "submission_id")
        .agg(
            score=latest("score", pl.col("score").is_not_null()),
            feedback=latest("feedback", pl.col("feedback") != ""),
            responded_at=pl.col("inserted_at").max(),
        )
        .collect()
    )


def experiment_users(interactions: pl.LazyFrame, events: pl.LazyFrame) -> pl.DataFrame:
    """One row per user exposed to an experiment."""
    exposed = (
        interactions.filter((pl.col("entity_type") == "experiment") & (pl.col("variant") != ""))
        .group_by("app_token", pl.col("entity_id").alias("experiment_id"), "user_id")
        .agg(
            variant=pl.col("variant").min(),
            is_contaminated=pl.col("variant").n_unique() > 1,
            exposed_at=pl.col("inserted_at").min(),
            completed_at=pl.col("inserted_at").filter(pl.col("status") == "COMPLETED").min(),
        )
        .collect()
    )
    parts = []
    for experiment, goal in GOALS.items():
        part = exposed.lazy().filter(pl.col("experiment_id") == experiment)
        if goal.event_type is None:
            parts.append(part.with_columns(converted_at="completed_at"))
            continue
        goals = events.filter(
            (pl.col("event_type") == goal.event_type) & (pl.col("event_name") == goal.event_name)
        ).select(*USER, converted_at="inserted_at")
        parts.append(
            part.sort("exposed_at").join_asof(
                goals.sort("converted_at"),
                left_on="exposed_at",
                right_on="converted_at",
                by=USER,
                strategy="forward",
                tolerance=f"{goal.days}d",
                coalesce=False,
                check_sortedness=False,
            )
        )
    return pl.concat(parts).collect()


def funnel_users(funnel: Funnel, events: pl.LazyFrame) -> pl.DataFrame:
    """How far each user came: each entry with the earliest later match of each next step."""
    chain = matches(funnel.steps[0], events, "at_1").with_columns(at="at_1", max_step=1)
    for number, step in enumerate(funnel.steps[1:], 2):
        chain = (
            chain.join_asof(
                matches(step, events, "next"),
                left_on="at",
                right_on="next",
                by=USER,
                strategy="forward",
                allow_exact_matches=False,
                coalesce=False,
                check_sortedness=False,
            )
            .with_columns(
                max_step=pl.when(
                    (pl.col("next") - pl.col("at_1")).dt.total_microseconds()
                    <= funnel.window_seconds * 1_000_000
                )
                .then(number)
                .otherwise("max_step"),
                # Who missed a step can find no later one.
                at=pl.col("next").fill_null(pl.datetime(9999, 1, 1)),
            )
            .drop("next")
            .sort("at")
        )
    return chain.group_by(USER).agg(pl.col("max_step").max()).collect()


def matches(step: Step, events: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Moments at which users did a step."""
    return (
        events.filter(
            (pl.col("event_type") == step.event_type)
            & pl.col("event_name").str.starts_with(step.begins)
            & pl.col("event_name").str.ends_with(step.ends)
        )
        .select(*USER, pl.col("inserted_at").alias(name))
        .sort(name)
    )


if __name__ == "__main__":
    run(answer)
