"""The macros for analysts, as analyses call them, against plain Python.

Companies are counted by the recount of users, with companies in the users' place.
"""

import json
import math
import re
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
from building import ROOT, Build, copy_project, run_dbt
from recount import activity, feedback, funnels
from recount.base import Counted, Settings, grouped, last
from recount.comparing import compare, report
from recount.jsontext import freeze, parse
from recount.reading import Event
from recount.seeds import Seeds
from recount.tables import recount, rows_of
from recount.traits import states

Rows = list[dict[str, Any]]
Query = Callable[[str], Rows]

FUNNEL_STEP = ("funnel", "app_token", "step")
COMPANY = ("app_token", "company_id")
# What a person might write, beyond the analyses of the project.
AD_HOC = {
    "seed_funnel": "{{ funnel(ref('funnels')) }}",
    "seed_funnel_users": "{{ funnel_users(ref('funnels')) }}",
    "company_funnel_users": "{{ funnel_users(ref('funnels'), id='company_id') }}",
    "app_nps": "{{ nps() }}",
    "company_nps_latest": "{{ nps(by=['company_id'], latest_per='user_id') }}",
    "company_nps_text": "{{ nps(by='company_id', latest_per='user_id') }}",
    "default_retention": "{{ retention() }}",
    "feature_retention": (
        "{{ retention(period='week', longest=4, returns=ref('feature_events'),"
        " returns_date='occurred_date') }}"
    ),
    "quoted_funnel": """
        with given as (
            select
                event_name || user_id || occurred_at as event_key,
                'NX-1' as app_token,
                'track' as event_type,
                *
            from (values
                ('It''s 100% done', 'u1', timestamp '2025-05-10 10:00:00'),
                ('\\''; drop table x; --', 'u1', timestamp '2025-05-10 10:00:20'),
                ('It''s started', 'u2', timestamp '2025-05-10 10:00:00'),
                ('\\''; drop table y; --', 'u2', timestamp '2025-05-10 10:00:10'),
                ('Its 100% done', 'u3', timestamp '2025-05-10 10:00:00'),
                ('It''s 50% done', 'u4', timestamp '2025-05-10 10:00:00'),
                ('it''s 50% done', 'u5', timestamp '2025-05-10 10:00:00')
            ) as given (event_name, user_id, occurred_at)
        )
        {% set steps = [
            {'step_name': "It's on", 'event_name': "It's %"},
            {'step_name': '100%', 'event_name': "\\\\'; drop table x; --"},
        ] %}
        select * from (
            {{ funnel(steps, name="what's up", events='given') }}
        )
    """,
}
# The examples of the documentation, each of which must run.
DOCUMENTED = {
    f"documented_{number}": sql
    for number, sql in enumerate(
        re.findall(r"```jinja\n(.*?)```", (ROOT / "docs/macros.md").read_text(), re.DOTALL)
    )
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which dbt has compiled every analysis, on a warehouse that holds nothing."""
    folder = tmp_path_factory.mktemp("analyses")
    project = copy_project(folder / "project")
    shutil.copytree(ROOT / "analyses", project / "analyses")
    for name, sql in (AD_HOC | DOCUMENTED).items():
        (project / f"analyses/{name}.sql").write_text(sql)
    run_dbt("compile", "--select", "resource_type:analysis", warehouse=folder, project=project)
    return folder / "target"


@pytest.fixture(scope="module")
def query(compiled: Path, sample_build: Build) -> Query:
    """What a compiled analysis, called by its name, selects from the sample."""
    folder = compiled / "compiled/userpilot_warehouse/analyses"

    def run(name: str) -> Rows:
        with duckdb.connect(str(sample_build.database), read_only=True) as connection:
            return rows(connection, (folder / f"{name}.sql").read_text())

    return run


@pytest.fixture(scope="module")
def counted(sample_build: Build) -> Counted:
    with duckdb.connect(str(sample_build.database), read_only=True) as connection:
        loaded_at = rows(connection, "select max(loaded_at) as loaded_at from raw.files")
    settings = Settings.of(sample_build.vars)
    return recount(sample_build.source, loaded_at[0]["loaded_at"], settings, sample_build.seeds)


@pytest.fixture(scope="module")
def companies(counted: Counted) -> Counted:
    """The same export with companies in the place of users."""
    companies = Counted(counted.export, counted.settings, counted.seeds)
    companies.by_user = counted.by_company
    return companies


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    found = connection.execute(sql)
    columns = [column[0] for column in found.description or []]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def renamed(table: list[dict[str, Any]], **names: str) -> Rows:
    """A table with some columns under other names, and without its `_` columns."""
    return [
        {
            names.get(column, column): value
            for column, value in row.items()
            if not column.startswith("_")
        }
        for row in table
    ]


def agree(expected: Rows, actual: Rows, key: tuple[str, ...]) -> None:
    assert expected, "nothing is expected: it proves nothing"
    differences = compare(expected, actual, key)
    assert not differences, report(differences)
    assert len(expected) == len(actual)


# --- the analyses of the project ---------------------------------------------------------------


def test_every_analysis_begins_with_its_grain_and_is_described(compiled: Path) -> None:
    nodes = json.loads((compiled / "manifest.json").read_text())["nodes"].values()
    analyses = {n["name"]: n for n in nodes if n["resource_type"] == "analysis"}
    own = {path.stem for path in (ROOT / "analyses").glob("*.sql")}
    assert own <= set(analyses)
    for name in own:
        assert analyses[name]["raw_code"].startswith("-- one row per"), name
        assert analyses[name]["description"].startswith("One row per"), name


@pytest.mark.parametrize(
    "name", [*sorted(path.stem for path in (ROOT / "analyses").glob("*.sql")), *DOCUMENTED]
)
def test_every_analysis_and_every_example_finds_something(query: Query, name: str) -> None:
    assert query(name)


def test_company_funnel(query: Query, companies: Counted) -> None:
    expected = renamed(funnels.funnel_steps(companies), users="companies")
    agree(expected, query("company_funnel"), FUNNEL_STEP)


def test_company_nps(query: Query, counted: Counted) -> None:
    names = {tuple(r[c] for c in COMPANY): r["company_name"] for r in rows_of("companies", counted)}
    expected = nps_of(responses_by(counted, *COMPANY))
    in_a_company = [row for row in expected if row["company_id"] is not None]
    assert len(in_a_company) < len(expected)
    for row in in_a_company:
        row["company_name"] = names[row["app_token"], row["company_id"]]
    agree(in_a_company, query("company_nps"), COMPANY)


def test_company_retention(query: Query, companies: Counted) -> None:
    weeks = [row for row in activity.retention(companies) if row["period"] == "week"]
    columns = {"app_token", "cohort_date", "week_n", "companies", "retained_companies", "rate"}
    expected = renamed(
        weeks, period_n="week_n", cohort_users="companies", retained_users="retained_companies"
    )
    expected = [{c: v for c, v in row.items() if c in columns} for row in expected]
    agree(expected, query("company_retention"), ("app_token", "cohort_date", "week_n"))


def test_funnel_ad_hoc(query: Query, counted: Counted) -> None:
    empty = dict.fromkeys(
        ("event_type", "event_name", "entity_type", "entity_id", "interaction_status"), ""
    )
    step = {**empty, "funnel": "reports to NPS", "window_seconds": "604800", "is_exclusion": ""}
    declared = [
        {**step, "step": "1", "step_name": "Viewed a page", "event_type": "page_view"},
        {**step, "step": "2", "step_name": "Made or shared a report"}
        | {"event_type": "track", "event_name": "Report: %"},
        {**step, "step": "3", "step_name": "Answered the NPS"}
        | {"entity_type": "nps", "interaction_status": "SUBMITTED_%"},
        {**step, "step": "", "step_name": "", "is_exclusion": "true"}
        | {"event_type": "track", "event_name": "Checkout: Cancelled"},
    ]
    ad_hoc = Counted(counted.export, counted.settings, Seeds(funnels=declared))
    agree(renamed(funnels.funnel_steps(ad_hoc)), query("funnel_ad_hoc"), FUNNEL_STEP)


# --- what a person might write -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "table", "key"),
    [
        ("seed_funnel", funnels.funnel_steps, FUNNEL_STEP),
        ("seed_funnel_users", funnels.funnel_users, ("funnel", "app_token", "user_id")),
    ],
)
def test_the_mart_is_the_macro(
    query: Query,
    counted: Counted,
    name: str,
    table: Callable[[Counted], Rows],
    key: tuple[str, ...],
) -> None:
    agree(renamed(table(counted)), query(name), key)


def test_how_far_each_company_came(query: Query, companies: Counted) -> None:
    expected = renamed(funnels.funnel_users(companies), user_id="company_id")
    agree(expected, query("company_funnel_users"), ("funnel", *COMPANY))


def test_values_of_steps_are_texts_and_never_sql(query: Query) -> None:
    """Quotes and backslashes stand for themselves; only `%` is more than itself.

    u1 and u2 and u4 begin with "It's "; of the second step only x fits, which u1 took after 20 s.
    """
    first, second = query("quoted_funnel")
    assert (first["funnel"], first["step_name"], first["users"]) == ("what's up", "It's on", 3)
    assert (second["step_name"], second["users"]) == ("100%", 1)
    assert (second["median_seconds_from_previous"], second["p90_seconds_from_previous"]) == (20, 20)


def test_nps_by_app_and_by_company_of_latest_responses(query: Query, counted: Counted) -> None:
    agree(nps_of(responses_by(counted, "app_token")), query("app_nps"), ("app_token",))
    last = {
        group: list({r["user_id"]: r for r in responses}.values())
        for group, responses in responses_by(counted, *COMPANY).items()
    }
    assert last != responses_by(counted, *COMPANY)
    for name in ("company_nps_latest", "company_nps_text"):
        agree(nps_of(last), query(name), COMPANY)


def test_retention_without_arguments_is_that_of_users_by_day(
    query: Query, counted: Counted
) -> None:
    days = [row for row in activity.retention(counted) if row["period"] == "day"]
    columns = {"app_token", "period", "cohort_date", "period_n", "cohort_users", "retained_users"}
    expected = [{c: v for c, v in row.items() if c in columns} for row in days]
    agree(expected, query("default_retention"), ("app_token", "cohort_date", "period_n"))


def test_retention_may_count_other_returns_than_starts(query: Query, counted: Counted) -> None:
    """Users by their first active week, and how many of them used a feature N weeks later."""
    today = counted.as_of_date
    assert today
    cohorts: dict[tuple[str, date], list[set[date]]] = {}
    for (app_token, _), events in counted.by_user.items():
        dated = [(monday(counted.date_of(e.occurred_at)), e) for e in events]
        past = [(m, e) for m, e in dated if counted.date_of(e.occurred_at) <= today]
        starts = [m for m, e in past if e.is_activity]
        returns = {m for m, e in past if e.event_type == "track_feature"}
        if starts:
            cohorts.setdefault((app_token, min(starts)), []).append(returns)
    expected: Rows = [
        {
            "app_token": app_token,
            "period": "week",
            "cohort_date": start,
            "period_n": n,
            "cohort_users": len(cohort),
            "retained_users": sum(start + timedelta(weeks=n) in weeks for weeks in cohort),
        }
        for (app_token, start), cohort in cohorts.items()
        for n in range(5)
        if start + timedelta(weeks=n) <= today
    ]
    assert any(r["period_n"] == 0 and r["retained_users"] < r["cohort_users"] for r in expected)
    agree(expected, query("feature_retention"), ("app_token", "cohort_date", "period_n"))


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def responses_by(counted: Counted, *columns: str) -> dict[tuple[Any, ...], Rows]:
    """Scored responses by group, in order of time."""
    scored: Rows = [r for r in feedback.nps_responses(counted) if r["score"] is not None]
    scored.sort(key=lambda r: (r["responded_at"], r["submission_id"], r["nps_id"], r["user_id"]))
    return grouped(scored, lambda r: tuple(r[column] for column in columns))


def nps_of(groups: dict[tuple[Any, ...], Rows]) -> Rows:
    expected: Rows = []
    for group, responses in groups.items():
        categories = [response["category"] for response in responses]
        n = len(categories)
        p, d = categories.count("promoter") / n, categories.count("detractor") / n
        expected.append(
            {
                **dict(zip(COMPANY, group, strict=False)),
                "responses": n,
                "promoters": categories.count("promoter"),
                "passives": categories.count("passive"),
                "detractors": categories.count("detractor"),
                "nps": 100 * (p - d),
                "margin_of_error_95": 195.9964 * math.sqrt(max(0, p + d - (p - d) ** 2) / n),
                "average_score": sum(response["score"] for response in responses) / n,
            }
        )
    return expected


# --- what a person might get wrong -------------------------------------------------------------


class Stop(Exception):
    """What dbt would stop with."""


class Exceptions:
    """dbt's `exceptions`."""

    def raise_compiler_error(self, message: str) -> None:
        raise Stop(message)


@pytest.mark.parametrize(
    ("steps", "window_seconds", "message"),
    [
        ([{"event_nam": "x"}], None, "has event_nam = 'x'"),
        ([{"event_name": "x"}, {"event_name": ""}], None, "has event_name = ''"),
        ([{"event_name": None}], None, "has event_name = 'None'"),
        ([], None, "needs a step"),
        ([{"event_name": "x", "is_exclusion": True}], None, "needs a step"),
        ([{"event_name": "x"}, {"is_exclusion": "false"}], None, "true or false, without quotes"),
        ([{"event_name": "x"}], "60", "window_seconds is a number"),
        ('"build"."seeds"."funnels"', 60, "window_seconds is a number, for a list"),
    ],
)
def test_a_funnel_that_would_count_something_else_stops(
    steps: Any, window_seconds: Any, message: str
) -> None:
    macros: Any = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(  # noqa: S701
        (ROOT / "macros/analysis/funnel.sql").read_text(), globals={"exceptions": Exceptions()}
    )
    with pytest.raises(Stop, match=message):
        macros.module.check_funnel_declaration(steps, window_seconds)
    macros.module.check_funnel_declaration([{"step_name": "Anything", "entity_id": 0}], 60)


# --- the as-of join, against traits replayed event by event -------------------------------------


def traits_then(counted: Counted, history: list[Event], event_type: str, event: Event) -> object:
    """The traits after everything up to the event's instant."""
    known = (item for item in history if item.occurred_at <= event.occurred_at)
    merged = last(traits for _, traits in states(known, event_type, counted.settings.trait_merge))
    return None if merged is None else freeze(merged)


def expected_rows(counted: Counted) -> Counter[tuple[object, ...]]:
    """What each tracked event should be joined to."""
    rows: Counter[tuple[object, ...]] = Counter()
    for event in counted.events:
        if event.event_type != "track":
            continue
        company = user_traits = company_traits = None
        if event.user_id is not None:
            user = (event.app_token, event.user_id)
            company = counted.company_as_of(user, event.occurred_at)
            user_traits = traits_then(counted, counted.by_user[user], "identify_user", event)
        if company is not None:
            history = counted.by_company[event.app_token, company]
            company_traits = traits_then(counted, history, "identify_company", event)
        place = (event.app_token, event.user_id, event.occurred_at, event.event_name)
        rows[(*place, company, user_traits, company_traits)] += 1
    return rows


def test_every_event_has_company_and_traits_of_its_time(query: Query, counted: Counted) -> None:
    names = ("app_token", "user_id", "occurred_at", "event_name", "company_id_then")
    actual: Counter[tuple[object, ...]] = Counter()
    for row in query("events_as_of"):
        traits = (row["user_traits_then"], row["company_traits_then"])
        frozen = (text and freeze(parse(text)) for text in traits)
        actual[(*(row[name] for name in names), *frozen)] += 1
    expected = expected_rows(counted)
    assert any(row[4] and row[5] and row[6] for row in expected), "nothing to join to"
    assert actual == expected
