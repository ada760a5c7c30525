"""chDB, ClickHouse in the process, with tables on disk."""

import json
from pathlib import Path
from typing import Any

from chdb.session import Session

from scripts.benchmark.rivals.question import COLUMNS, FUNNELS, GOALS, Answer, Funnel, Step, run

TYPES = {"TIMESTAMP": "DateTime64(6, 'UTC')", "INTEGER": "Int32"}
STRUCTURE = ", ".join(f"{name} {TYPES.get(kind, 'String')}" for name, kind in COLUMNS.items())

# In the order in which it is asked for: by user and time.
EVENTS = f"""
create table bench.events ({STRUCTURE}, path LowCardinality(String), line UInt64)
engine = MergeTree order by (app_token, user_id, inserted_at)
"""
# By lines, since after a line that is cut short the reader of JSON loses the next one too.
LOAD = f"""
insert into bench.events
select {", ".join(f"fields.{name}" for name in COLUMNS)}, _path, _row_number
from (
    select JSONExtract(line, 'Tuple({STRUCTURE.replace("'", "''")})') as fields, _path, _row_number
    from file('FILES', LineAsString, 'line String')
)
where fields.app_token <> '' and fields.event_type <> '' and fields.inserted_at > '1970-01-02'
"""  # noqa: S608 (the columns are ours)

COPIES = """
create table bench.kept engine = Memory as
select
    app_token,
    internal_event_id,
    argMax((path, line), (extract(path, '([0-9-]{10})/[^/]*$'), path, line)) as place
from bench.events
group by app_token, internal_event_id
having count() > 1
"""
DEDUPLICATE = """
delete from bench.events
where
    (app_token, internal_event_id) in (select app_token, internal_event_id from bench.kept)
    and (app_token, internal_event_id, path, line) not in (
        select app_token, internal_event_id, place.1, place.2 from bench.kept
    )
"""

TABLES = {
    "users": """
        select
            app_token,
            user_id,
            min(inserted_at) as first_seen_at,
            max(inserted_at) as last_seen_at,
            count() as event_count,
            countIf(event_type = 'page_view') as page_view_count,
            argMaxIf(company_id, inserted_at, company_id <> '') as company,
            argMaxIf(metadata, inserted_at, event_type = 'identify_user') as traits,
            JSONExtractString(traits, 'email') as email,
            JSONExtractString(traits, 'plan_type') as plan_type
        from bench.events
        where user_id <> ''
        group by app_token, user_id
    """,
    "sessions": """
        select
            app_token,
            user_id,
            session,
            min(inserted_at) as started_at,
            max(inserted_at) as ended_at,
            count() as event_count,
            countIf(event_type = 'page_view') as page_view_count,
            argMin(pathname, inserted_at) as entry_pathname,
            argMax(pathname, inserted_at) as exit_pathname
        from bench.events
        where user_id <> '' and session <> ''
        group by app_token, user_id, session
    """,
    "interactions": """
        select
            app_token,
            user_id,
            inserted_at,
            splitByChar(':', event_name) as parts,
            parts[1] as entity_type,
            parts[2] as entity_id,
            parts[-1] as status,
            toInt32OrNull(JSONExtractString(metadata, 'score')) as score,
            JSONExtractString(metadata, 'submission_id') as submission_id,
            JSONExtractString(metadata, 'feedback') as feedback,
            JSONExtractString(metadata, 'variant') as variant
        from bench.events
        where
            event_type = 'interaction'
            and user_id <> ''
            and (startsWith(event_name, 'nps:') or startsWith(event_name, 'experiment:'))
    """,
    "nps_responses": """
        select
            app_token,
            entity_id as nps_id,
            user_id,
            submission_id,
            argMaxIf(score, inserted_at, score is not null) as last_score,
            argMaxIf(feedback, inserted_at, feedback <> '') as last_feedback,
            max(inserted_at) as responded_at
        from bench.interactions
        where entity_type = 'nps' and startsWith(status, 'SUBMITTED_')
        group by app_token, nps_id, user_id, submission_id
    """,
    "exposures": """
        select
            app_token,
            entity_id as experiment_id,
            user_id,
            min(variant) as first_variant,
            uniqExact(variant) > 1 as is_contaminated,
            min(inserted_at) as exposed_at,
            minOrNullIf(inserted_at, status = 'COMPLETED') as completed_at
        from bench.interactions
        where entity_type = 'experiment' and variant <> ''
        group by app_token, experiment_id, user_id
    """,
}


def answer(export: str, output: str) -> Answer:
    """Build the tables in a database folder, then count."""
    session = Session(str(Path(output) / "chdb"))

    def rows(sql: str) -> list[Any]:
        text = str(session.query(sql, "JSONCompactEachRow"))
        return [json.loads(line) for line in text.splitlines()]

    session.query("create database bench")
    session.query(EVENTS)
    session.query(LOAD.replace("FILES", f"{export}/**/*.ndjson"))
    session.query(COPIES)
    session.query(DEDUPLICATE)
    tables = TABLES | {"experiment_users": experiment_users()}
    tables |= {f"funnel_{funnel.name}": funnel_users(funnel) for funnel in FUNNELS}
    for name, query in tables.items():
        session.query(f"create table bench.{name} engine = MergeTree order by tuple() as {query}")

    found = Answer()
    for table in ("events", "users", "sessions"):
        found.add_count(table, rows(f"select count() from bench.{table}")[0][0])  # noqa: S608
    found.add_nps(
        rows(
            "select nps_id, count(), countIf(last_score >= 9), countIf(last_score <= 6)"
            " from bench.nps_responses where last_score between 0 and 10 group by nps_id"
        )
    )
    found.add_experiments(
        rows(
            "select experiment_id, first_variant, count(), count(converted_at)"
            " from bench.experiment_users where not is_contaminated"
            " group by experiment_id, first_variant"
        )
    )
    for funnel in FUNNELS:
        found.add_funnel(
            funnel,
            rows(
                f"select max_step, count() from bench.funnel_{funnel.name}"  # noqa: S608
                " where max_step > 0 group by max_step"
            ),
        )
    return found


def experiment_users() -> str:
    """Write the query: exposed users with the first goal within the window, or the completion."""
    parts = []
    for experiment, goal in GOALS.items():
        if goal.event_type is None:
            parts.append(
                "select *, completed_at as converted_at from bench.exposures "  # noqa: S608
                f"where experiment_id = '{experiment}'"
            )
            continue
        parts.append(
            "select exposures.*, goals.converted_at as converted_at "  # noqa: S608
            "from (select * from bench.exposures "
            f"where experiment_id = '{experiment}') as exposures left join ("
            "select app_token, user_id, min(events.inserted_at) as converted_at "
            "from bench.exposures as exposures inner join ("
            "select app_token, user_id, inserted_at from bench.events "
            f"where event_type = '{goal.event_type}' and event_name = '{goal.event_name}'"
            ") as events using (app_token, user_id) "
            f"where experiment_id = '{experiment}' and events.inserted_at >= exposed_at "
            f"and events.inserted_at <= exposed_at + toIntervalDay({goal.days}) "
            "group by app_token, user_id"
            ") as goals using (app_token, user_id) settings join_use_nulls = 1"
        )
    return " union all ".join(f"select * from ({part})" for part in parts)  # noqa: S608


def funnel_users(funnel: Funnel) -> str:
    """Write the query: how far each user came."""
    steps = ", ".join(condition(step) for step in funnel.steps)
    return (
        f"select app_token, user_id, windowFunnel({funnel.window_seconds * 1_000_000}, "  # noqa: S608
        f"'strict_increase')(toUInt64(toUnixTimestamp64Micro(inserted_at)), {steps}) as max_step "
        "from bench.events where user_id <> '' group by app_token, user_id"
    )


def condition(step: Step) -> str:
    """Write the condition that an event does a step."""
    return (
        f"event_type = '{step.event_type}' and startsWith(event_name, '{step.begins}') "
        f"and endsWith(event_name, '{step.ends}')"
    )


if __name__ == "__main__":
    run(answer)
