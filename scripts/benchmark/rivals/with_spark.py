"""Spark on one machine, with tables as Parquet."""

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f

from scripts.benchmark.rivals.question import COLUMNS, FUNNELS, GOALS, Answer, Funnel, Step, run

TYPES = {"INTEGER": "int", "TIMESTAMP": "timestamp"}
SCHEMA = ", ".join(f"{name} {TYPES.get(kind, 'string')}" for name, kind in COLUMNS.items())
USER = ["app_token", "user_id"]


def answer(export: str, output: str) -> Answer:
    """Build the tables as Parquet files, then count."""
    spark: Any = (
        SparkSession.builder.master("local[*]")
        .config("spark.driver.memory", "6g")
        .config("spark.local.dir", str(Path(output) / "scratch"))
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    kept: dict[str, Any] = {}

    def keep(name: str, frame: Any) -> Any:
        path = str(Path(output) / name)
        frame.write.parquet(path)
        kept[name] = spark.read.parquet(path)
        return kept[name]

    events = keep("events", read_events(spark, export)).where("user_id <> ''")
    keep("users", users(events))
    keep("sessions", sessions(events))
    interactions = interactions_of(events).cache()
    keep("nps_responses", nps_responses(interactions))
    keep("experiment_users", experiment_users(interactions, events))
    for funnel in FUNNELS:
        keep(f"funnel_{funnel.name}", funnel_users(funnel, events))
    found = count(kept)
    spark.stop()
    return found


def read_events(spark: Any, export: str) -> Any:
    """Read all files; of each event the copy from the latest folder, path and line counts."""
    lines = (
        spark.read.schema(SCHEMA)
        .option("recursiveFileLookup", "true")
        .option("pathGlobFilter", "*.ndjson")
        .json(export)
        .where("app_token is not null and event_type is not null and inserted_at is not null")
    )
    path = f.col("_metadata.file_path")
    place = f.struct(
        f.regexp_extract(path, "([0-9-]{10})/[^/]*$", 1),
        path,
        f.col("_metadata.file_block_start"),
        f.monotonically_increasing_id(),
    )
    copies = Window.partitionBy("app_token", "internal_event_id").orderBy(f.col("place").desc())
    return (
        lines.withColumn("place", place)
        .withColumn("copy", f.row_number().over(copies))
        .where("copy = 1")
        .drop("copy", "place")
    )


def users(events: Any) -> Any:
    """One row per user."""
    return (
        events.groupBy(USER)
        .agg(
            f.min("inserted_at").alias("first_seen_at"),
            f.max("inserted_at").alias("last_seen_at"),
            f.count("*").alias("event_count"),
            f.count_if(f.expr("event_type = 'page_view'")).alias("page_view_count"),
            f.expr("max_by(company_id, inserted_at) filter (where company_id <> '')").alias(
                "company_id"
            ),
            f.expr(
                "max_by(metadata, inserted_at) filter (where event_type = 'identify_user')"
            ).alias("traits"),
        )
        .withColumn("email", f.get_json_object("traits", "$.email"))
        .withColumn("plan_type", f.get_json_object("traits", "$.plan_type"))
    )


def sessions(events: Any) -> Any:
    """One row per session of a user."""
    return (
        events.where("session <> ''")
        .groupBy(*USER, "session")
        .agg(
            f.min("inserted_at").alias("started_at"),
            f.max("inserted_at").alias("ended_at"),
            f.count("*").alias("event_count"),
            f.count_if(f.expr("event_type = 'page_view'")).alias("page_view_count"),
            f.min_by("pathname", "inserted_at").alias("entry_pathname"),
            f.max_by("pathname", "inserted_at").alias("exit_pathname"),
        )
    )


def interactions_of(events: Any) -> Any:
    """NPS and experiment events with their names and attributes taken apart."""
    fields = "score string, submission_id string, feedback string, variant string"
    return (
        events.where(
            "event_type = 'interaction'"
            " and (startswith(event_name, 'nps:') or startswith(event_name, 'experiment:'))"
        )
        .withColumn("attributes", f.from_json("metadata", fields))
        .select(
            *USER,
            "inserted_at",
            f.split_part("event_name", f.lit(":"), f.lit(1)).alias("entity_type"),
            f.split_part("event_name", f.lit(":"), f.lit(2)).alias("entity_id"),
            f.split_part("event_name", f.lit(":"), f.lit(-1)).alias("status"),
            f.expr("try_cast(attributes.score as int)").alias("score"),
            "attributes.submission_id",
            "attributes.feedback",
            "attributes.variant",
        )
    )


def nps_responses(interactions: Any) -> Any:
    """One row per NPS submission."""
    return (
        interactions.where("entity_type = 'nps' and startswith(status, 'SUBMITTED_')")
        .withColumnRenamed("entity_id", "nps_id")
        .groupBy("app_token", "nps_id", "user_id", "submission_id")
        .agg(
            f.expr("max_by(score, inserted_at) filter (where score is not null)").alias("score"),
            f.expr("max_by(feedback, inserted_at) filter (where feedback <> '')").alias("feedback"),
            f.max("inserted_at").alias("responded_at"),
        )
    )


def experiment_users(interactions: Any, events: Any) -> Any:
    """One row per user exposed to an experiment."""
    exposed = (
        interactions.where("entity_type = 'experiment' and variant <> ''")
        .withColumnRenamed("entity_id", "experiment_id")
        .groupBy("app_token", "experiment_id", "user_id")
        .agg(
            f.min("variant").alias("variant"),
            (f.count_distinct("variant") > 1).alias("is_contaminated"),
            f.min("inserted_at").alias("exposed_at"),
            f.expr("min(inserted_at) filter (where status = 'COMPLETED')").alias("completed_at"),
        )
    )
    goals: Any = None
    for experiment, goal in GOALS.items():
        if goal.event_type is not None:
            reached = events.where(
                (f.col("event_type") == goal.event_type) & (f.col("event_name") == goal.event_name)
            ).select(
                *USER,
                f.lit(experiment).alias("experiment_id"),
                f.lit(goal.days).alias("days"),
                f.col("inserted_at").alias("reached_at"),
            )
            goals = reached if goals is None else goals.unionByName(reached)
    keys = ["app_token", "experiment_id", "user_id"]
    reached = (
        exposed.join(goals, keys)
        .where("reached_at >= exposed_at and reached_at <= exposed_at + make_dt_interval(days)")
        .groupBy(keys)
        .agg(f.min("reached_at").alias("reached_at"))
    )
    without_goal = [name for name, goal in GOALS.items() if goal.event_type is None]
    converted = f.when(f.col("experiment_id").isin(without_goal), f.col("completed_at")).otherwise(
        f.col("reached_at")
    )
    return exposed.join(reached, keys, "left").withColumn("converted_at", converted)


def funnel_users(funnel: Funnel, events: Any) -> Any:
    """How far each user came: each entry with the earliest later match of each next step."""
    entries = matches(funnel.steps[0], events, "at_1")
    chain = entries.withColumn("at", f.col("at_1"))
    reached = entries.select(*USER, f.lit(1).alias("max_step"))
    for number, step in enumerate(funnel.steps[1:], 2):
        chain = (
            chain.join(matches(step, events, "next"), USER)
            .where(
                f"next > at and next <= at_1 + make_dt_interval(0, 0, 0, {funnel.window_seconds})"
            )
            .groupBy(*USER, "at_1")
            .agg(f.min("next").alias("at"))
        )
        reached = reached.unionByName(chain.select(*USER, f.lit(number).alias("max_step")))
    return reached.groupBy(USER).agg(f.max("max_step").alias("max_step"))


def matches(step: Step, events: Any, name: str) -> Any:
    """Moments at which users did a step."""
    return (
        events.where(
            (f.col("event_type") == step.event_type)
            & f.col("event_name").startswith(step.begins)
            & f.col("event_name").endswith(step.ends)
        )
        .select(*USER, f.col("inserted_at").alias(name))
        .distinct()
    )


def count(tables: dict[str, Any]) -> Answer:
    """Count."""
    found = Answer(*(tables[name].count() for name in ("events", "users", "sessions")))
    found.add_nps(
        tables["nps_responses"]
        .where("score between 0 and 10")
        .groupBy("nps_id")
        .agg(f.count("*"), f.expr("count_if(score >= 9)"), f.expr("count_if(score <= 6)"))
        .collect()
    )
    found.add_experiments(
        tables["experiment_users"]
        .where("not is_contaminated")
        .groupBy("experiment_id", "variant")
        .agg(f.count("*"), f.count("converted_at"))
        .collect()
    )
    for funnel in FUNNELS:
        steps = tables[f"funnel_{funnel.name}"].groupBy("max_step").agg(f.count("*"))
        found.add_funnel(funnel, steps.collect())
    return found


if __name__ == "__main__":
    run(answer)
