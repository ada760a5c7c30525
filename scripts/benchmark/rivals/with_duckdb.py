"""DuckDB, by a script of plain SQL."""

from pathlib import Path
from typing import Any

import duckdb

from scripts.benchmark.rivals.question import COLUMNS, FUNNELS, GOALS, Answer, Funnel, Step, run

LOAD = f"""
create table events as
select *, regexp_extract(filename, '([0-9-]{{10}})/[^/]*$', 1) as folder_date
from read_ndjson($files, columns = {COLUMNS}, ignore_errors = true, filename = true)
where app_token is not null and event_type is not null and inserted_at is not null
"""  # noqa: S608 (the columns are ours)

# Row ids follow the files and their lines. To delete 1 % costs less than to write 99 % again.
DEDUPLICATE = """
delete from events where rowid in (
    select place
    from (
        select
            events.rowid as place,
            row_number() over (
                partition by app_token, internal_event_id
                order by folder_date desc, filename desc, events.rowid desc
            ) as copy
        from events
        semi join (
            select app_token, internal_event_id
            from events
            group by all
            having count(*) > 1
        ) as repeated using (app_token, internal_event_id)
    )
    where copy > 1
)
"""

TABLES = """
create table users as
select
    app_token,
    user_id,
    min(inserted_at) as first_seen_at,
    max(inserted_at) as last_seen_at,
    count(*) as event_count,
    count(*) filter (event_type = 'page_view') as page_view_count,
    max_by(company_id, inserted_at) filter (company_id <> '') as company_id,
    max_by(metadata, inserted_at) filter (event_type = 'identify_user') as traits,
    traits ->> 'email' as email,
    traits ->> 'plan_type' as plan_type
from events
where user_id <> ''
group by all;

create table sessions as
select
    app_token,
    user_id,
    session,
    min(inserted_at) as started_at,
    max(inserted_at) as ended_at,
    count(*) as event_count,
    count(*) filter (event_type = 'page_view') as page_view_count,
    min_by(pathname, inserted_at) as entry_pathname,
    max_by(pathname, inserted_at) as exit_pathname
from events
where user_id <> '' and session <> ''
group by all;

create table interactions as
select
    app_token,
    user_id,
    inserted_at,
    split_part(event_name, ':', 1) as entity_type,
    split_part(event_name, ':', 2) as entity_id,
    split_part(event_name, ':', -1) as status,
    metadata ->> ['score', 'submission_id', 'feedback', 'variant'] as attributes
from events
where
    event_type = 'interaction'
    and user_id <> ''
    and (starts_with(event_name, 'nps:') or starts_with(event_name, 'experiment:'));

create table nps_responses as
select
    app_token,
    entity_id as nps_id,
    user_id,
    attributes[2] as submission_id,
    max_by(try_cast(attributes[1] as integer), inserted_at) as score,
    max_by(nullif(attributes[3], ''), inserted_at) as feedback,
    max(inserted_at) as responded_at
from interactions
where entity_type = 'nps' and starts_with(status, 'SUBMITTED_')
group by all;

create table exposures as
select
    app_token,
    entity_id as experiment_id,
    user_id,
    min(attributes[4]) as variant,
    count(distinct attributes[4]) > 1 as is_contaminated,
    min(inserted_at) as exposed_at,
    min(inserted_at) filter (status = 'COMPLETED') as completed_at
from interactions
where entity_type = 'experiment' and attributes[4] <> ''
group by all;

create table experiment_users as
select
    exposures.*,
    case
        when goals.event_type is null then exposures.completed_at
        else (
            select min(events.inserted_at)
            from events
            where
                events.user_id = exposures.user_id
                and events.app_token = exposures.app_token
                and events.event_type = goals.event_type
                and events.event_name = goals.event_name
                and events.inserted_at between exposures.exposed_at
                and exposures.exposed_at + to_days(goals.days)
        )
    end as converted_at
from exposures
left join goals using (experiment_id);
"""


def answer(export: str, output: str) -> Answer:
    """Build the tables in a database file, then count."""
    with duckdb.connect(str(Path(output) / "warehouse.duckdb")) as connection:
        connection.execute(
            "create table goals (experiment_id text, event_type text, event_name text, days int)"
        )
        connection.executemany(
            "insert into goals values (?, ?, ?, ?)",
            [(name, goal.event_type, goal.event_name, goal.days) for name, goal in GOALS.items()],
        )
        connection.execute(LOAD, {"files": f"{export}/**/*.ndjson"})
        connection.execute(DEDUPLICATE)
        connection.execute(TABLES)
        for funnel in FUNNELS:
            connection.execute(f"create table funnel_{funnel.name} as {funnel_users(funnel)}")

        def rows(sql: str) -> list[Any]:
            return connection.execute(sql).fetchall()

        found = Answer()
        for table in ("events", "users", "sessions"):
            found.add_count(table, rows(f"select count(*) from {table}")[0][0])  # noqa: S608
        found.add_nps(
            rows(
                "select nps_id, count(score), count_if(score >= 9), count_if(score <= 6)"
                " from nps_responses where score between 0 and 10 group by all"
            )
        )
        found.add_experiments(
            rows(
                "select experiment_id, variant, count(*), count(converted_at)"
                " from experiment_users where not is_contaminated group by all"
            )
        )
        for funnel in FUNNELS:
            found.add_funnel(
                funnel,
                rows(f"select max_step, count(*) from funnel_{funnel.name} group by all"),  # noqa: S608
            )
    return found


def funnel_users(funnel: Funnel) -> str:
    """Write the query: each entry with the earliest later match of each next step.

    A step that was missed is put to infinity: in DuckDB 1.5.5 an ASOF join of NULL finds matches.
    """
    first = matches(funnel.steps[0])
    parts = [f"step_1 as (select *, moment as at_1 from ({first}))"]  # noqa: S608
    reached = ["1"]
    for number, step in enumerate(funnel.steps[1:], 2):
        parts.append(
            f"matches_{number} as ({matches(step)}), "  # noqa: S608
            f"step_{number} as ("
            f"select earlier.*, later.moment as at_{number} from step_{number - 1} as earlier "
            f"asof left join matches_{number} as later "
            "on earlier.app_token = later.app_token and earlier.user_id = later.user_id "
            f"and coalesce(earlier.at_{number - 1}, 'infinity') < later.moment)"
        )
        reached.append(
            f"coalesce(at_{number} <= at_1 + to_seconds({funnel.window_seconds}), false)::int"
        )
    return (
        f"with {', '.join(parts)} "  # noqa: S608 (the funnels are ours)
        f"select app_token, user_id, max({' + '.join(reached)}) as max_step "
        f"from step_{len(funnel.steps)} group by all"
    )


def matches(step: Step) -> str:
    """Write the query for the moments at which users did a step."""
    return (
        "select distinct app_token, user_id, inserted_at as moment from events "  # noqa: S608
        f"where event_type = '{step.event_type}' and user_id <> '' "
        f"and starts_with(event_name, '{step.begins}') and ends_with(event_name, '{step.ends}')"
    )


if __name__ == "__main__":
    run(answer)
