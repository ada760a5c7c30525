"""The analyst cookbook: docs/cookbook.md is current, and its numbers are right.

`UPDATE_DOCUMENTS=1 pytest tests/python/test_cookbook.py` writes the page anew from the queries in
analyses/cookbook: read the diff.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from statistics import mean, median
from typing import Any

import duckdb
import pytest
from building import ROOT, Build
from recount.base import Counted, Settings, grouped, ratio, seconds
from recount.formulas import wilson
from recount.reading import Event
from recount.tables import recount, rows_of
from test_documents import table

FOLDER = ROOT / "analyses/cookbook"
PAGE = ROOT / "docs/cookbook.md"
APP = "NX-44A1B2C3"
LONGEST = 10

INTRODUCTION = f"""\
# Cookbook

Questions that analysts, customer success and product managers ask, each with a query on the
published tables and its result on the sample export. The queries are files in
[analyses/cookbook](../analyses/cookbook), plain SQL to run or to paste anywhere:

```sh
duckdb -readonly warehouse/userpilot.duckdb < analyses/cookbook/02_companies_going_quiet.sql
```

Put the token of your app in place of `{APP}`, and the ids and event names of your product in
place of the sample's. Each query gives {LONGEST} rows at most: take its `limit` away for all.
The last 28 dates end with the as-of date, the last one of `marts.daily_activity`; dates follow the
var `reporting_timezone`. What the notes say of sizes and differences is said of the sample.

This page is written by a test, which counts its numbers again in plain Python: see
[tests/python/test_cookbook.py](../tests/python/test_cookbook.py).
"""


# --- the page --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recipe:
    """A file of the cookbook: a question, notes on how to read the answer, and the query."""

    path: Path

    @cached_property
    def _parts(self) -> tuple[list[str], str]:
        lines = self.path.read_text().splitlines(keepends=True)
        end = next(n for n, line in enumerate(lines) if not line.startswith("-- "))
        return [line.removeprefix("-- ").strip() for line in lines[:end]], "".join(lines[end:])

    @property
    def question(self) -> str:
        return self._parts[0][0]

    @property
    def notes(self) -> str:
        return "\n".join(self._parts[0][1:])

    @property
    def sql(self) -> str:
        return self._parts[1]

    @property
    def anchor(self) -> str:
        """The anchor that GitHub gives the heading."""
        return re.sub(r"[^\w -]", "", self.question.lower()).replace(" ", "-")


RECIPES = [Recipe(path) for path in sorted(FOLDER.glob("*.sql"))]
by_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.path.stem)


def page(connection: duckdb.DuckDBPyConnection) -> str:
    contents = "".join(f"- [{recipe.question}](#{recipe.anchor})\n" for recipe in RECIPES)
    sections = (
        f"## {recipe.question}\n\n{recipe.notes}\n\n"
        f"[{recipe.path.name}](../{recipe.path.relative_to(ROOT)})\n\n"
        f"```sql\n{recipe.sql}```\n\n{table(connection, recipe.sql)}"
        for recipe in RECIPES
    )
    return "\n".join([INTRODUCTION, contents, *sections])


@pytest.fixture(scope="module")
def published(sample_build: Build) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(sample_build.published), read_only=True) as connection:
        yield connection


def test_the_page_is_current(published: duckdb.DuckDBPyConnection) -> None:
    current = page(published)
    if os.environ.get("UPDATE_DOCUMENTS"):
        PAGE.write_text(current)
    assert PAGE.read_text() == current


def test_every_question_has_a_place_of_its_own() -> None:
    assert [recipe.path.name[:3] for recipe in RECIPES] == [
        f"{number:02}_" for number in range(1, len(RECIPES) + 1)
    ]
    assert len({recipe.anchor for recipe in RECIPES}) == len(RECIPES)


@by_recipe
def test_a_recipe_says_what_it_answers_and_may_be_pasted(recipe: Recipe) -> None:
    assert recipe.question.endswith("?")
    assert recipe.notes.endswith(".")
    assert not re.search(r"[{][{%#]", recipe.path.read_text()), "Jinja cannot be pasted"
    assert recipe.sql.endswith(f"\nlimit {LONGEST}\n")


@pytest.fixture(scope="module")
def shuffled(sample_build: Build) -> Iterator[list[duckdb.DuckDBPyConnection]]:
    """The published tables, their rows in two other orders."""
    connections = []
    for direction in ("asc", "desc"):
        connection = duckdb.connect()
        connections.append(connection)
        connection.execute(f"attach '{sample_build.published}' as published (read_only)")
        for schema, name, key in connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns()"
            " where database_name = 'published' and column_index = 1"
        ).fetchall():
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(
                f"create table {schema}.{name} as from published.{schema}.{name}"
                f" order by md5({key}) {direction}"
            )
        connection.execute("detach published")
    yield connections
    for connection in connections:
        connection.close()


@by_recipe
def test_the_result_does_not_depend_on_the_order_of_rows(
    recipe: Recipe,
    published: duckdb.DuckDBPyConnection,
    shuffled: list[duckdb.DuckDBPyConnection],
) -> None:
    results = [connection.execute(recipe.sql).fetchall() for connection in (published, *shuffled)]
    assert 0 < len(results[0]) <= LONGEST
    assert results[1:] == results[:1] * 2


# --- the numbers -----------------------------------------------------------------------------

Rows = list[tuple[Any, ...]]
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def counted(sample_build: Build) -> Counted:
    with duckdb.connect(str(sample_build.database), read_only=True) as connection:
        loaded_at = connection.execute("select max(loaded_at) from raw.files").fetchall()[0][0]
    settings = Settings.of(sample_build.vars)
    return recount(sample_build.source, loaded_at, settings, sample_build.seeds)


def rows(name: str, counted: Counted) -> list[dict[str, Any]]:
    """The recounted rows of a table, of the app if the table has apps."""
    return [row for row in rows_of(name, counted) if row.get("app_token", APP) == APP]


def rounded(value: float | None, digits: int) -> float | None:
    """Round halves away from 0, as SQL does."""
    if value is None:
        return None
    return math.copysign(math.floor(abs(value) * 10**digits + 0.5) / 10**digits, value)


def rate(part: int, whole: int) -> tuple[float | None, ...]:
    """A share with its 95 % interval."""
    return tuple(rounded(value, 3) for value in (part / whole, *(wilson(part, whole) or ())))


def now(counted: Counted) -> date:
    assert counted.as_of_date
    return counted.as_of_date


def histories(counted: Counted) -> dict[str, list[Event]]:
    """The events of each user of the app, in order of time."""
    return {user: events for (app, user), events in counted.by_user.items() if app == APP}


def active_dates(counted: Counted) -> dict[str, set[date]]:
    """The dates up to now on which each user of the app was active."""
    return {
        user: {
            day
            for event in events
            if event.is_activity and (day := counted.date_of(event.occurred_at)) <= now(counted)
        }
        for user, events in histories(counted).items()
    }


def signed_up(counted: Counted, days_ago: int) -> dict[str, datetime]:
    """The first sign-up of each user of the app, so many dates ago or more."""
    sign_ups: dict[str, datetime] = {}
    for event in counted.events:
        if (event.app_token, event.event_type) != (APP, "track") or event.user_id is None:
            continue
        if event.event_name == "Account: Signed Up":
            sign_ups.setdefault(event.user_id, event.occurred_at)
    latest = now(counted) - days_ago * DAY
    return {user: at for user, at in sign_ups.items() if counted.date_of(at) <= latest}


def reports(events: Iterable[Event], after: datetime, until: datetime) -> list[datetime]:
    """When somebody made a report."""
    return [
        event.occurred_at
        for event in events
        if event.event_type == "track"
        and event.event_name == "Report: Created"
        and after <= event.occurred_at <= until
    ]


def month(moment: date) -> date:
    return date(moment.year, moment.month, 1)


def latest_scores(counted: Counted) -> dict[str, dict[str, Any]]:
    """The last response of each user that has a score."""
    scored = [row for row in rows("nps_responses", counted) if row["score"] is not None]
    scored.sort(key=lambda row: (row["responded_at"], row["submission_id"]))
    return {row["user_id"]: row for row in scored}


def plans(counted: Counted) -> dict[str, str]:
    """The plan of each user's company."""
    of_company = {row["company_id"]: row["plan"] for row in rows("companies", counted)}
    return {
        row["user_id"]: of_company.get(row["company_id"]) or "(none)"
        for row in rows("users", counted)
    }


def biggest_companies(counted: Counted) -> list[dict[str, Any]]:
    companies = rows("companies", counted)
    return sorted(companies, key=lambda row: (-row["current_user_count"], row["company_id"]))[:5]


def detractors_of_biggest_companies(counted: Counted) -> Rows:
    scores = latest_scores(counted)
    company_of = {row["user_id"]: row["company_id"] for row in rows("users", counted)}
    return [
        (
            company["company_name"],
            company["current_user_count"],
            user,
            row["score"],
            counted.date_of(row["responded_at"]),
            row["feedback"],
        )
        for company in biggest_companies(counted)
        for user, row in sorted(scores.items(), key=lambda item: (item[1]["score"], item[0]))
        if company_of[user] == company["company_id"] and row["score"] <= 6
    ]


def companies_going_quiet(counted: Counted) -> Rows:
    result = []
    for company in rows("companies", counted):
        users: dict[bool, set[str | None]] = {True: set(), False: set()}
        dates = []
        for event in counted.by_company[APP, company["company_id"]]:
            age = (now(counted) - counted.date_of(event.occurred_at)).days
            if event.is_activity and 0 <= age < 56:
                users[age < 28].add(event.user_id)
                dates.append(counted.date_of(event.occurred_at))
        before, lately = (len(users[key] - {None}) for key in (False, True))
        if before >= 5 and lately <= before / 2:
            change = rounded(lately / before - 1, 2)
            names = (company["company_id"], company["company_name"], company["plan"])
            result.append((*names, before, lately, change, max(dates)))
    return sorted(result, key=lambda row: (row[4] - row[3], row[0]))


def champions(counted: Counted) -> Rows:
    dates = active_dates(counted)
    result = []
    for company in biggest_companies(counted):
        users = []
        for row in rows("users", counted):
            days = sum(now(counted) - day < 28 * DAY for day in dates[row["user_id"]])
            if row["company_id"] == company["company_id"] and days:
                users.append((-days, row["user_id"], row["latest_nps_score"]))
        for place, (days, user, score) in enumerate(sorted(users)[:2], start=1):
            result.append((company["company_name"], place, user, -days, score))
    return result


def resurrected_users(counted: Counted) -> Rows:
    names = {row["company_id"]: row["company_name"] for row in rows("companies", counted)}
    company_of = {row["user_id"]: row["company_id"] for row in rows("users", counted)}
    result = []
    for user, dates in active_dates(counted).items():
        days = sorted(dates)
        for place in reversed(range(1, len(days))):
            away = (days[place] - days[place - 1]).days - 1
            if away >= 28 and now(counted) - days[place] < 28 * DAY:
                name = names.get(company_of[user])
                result.append((user, name, away, days[place], len(days) - place))
                break
    return sorted(result, key=lambda row: (-row[2], row[0]))


def activation_by_plan(counted: Counted) -> Rows:
    cut = datetime.combine(now(counted), datetime.min.time()) - 7 * DAY
    entered = [row for row in rows("funnel_users", counted) if row["funnel"] == "activation"]
    past = [row for row in entered if row["entry_at"] < cut]
    plan_of = plans(counted)
    result = []
    for plan, users in grouped(past, lambda row: plan_of[row["user_id"]]).items():
        reached = [sum(row["max_step"] >= step for row in users) for step in (1, 2, 3, 4)]
        result.append((plan, *reached, *rate(reached[3], reached[0])))
    return sorted(result, key=lambda row: (-row[1], row[0]))


def time_to_first_value(counted: Counted) -> Rows:
    history = histories(counted)
    sign_ups = signed_up(counted, 14)
    result = []
    for start, users in grouped(sign_ups, lambda u: month(counted.date_of(sign_ups[u]))).items():
        days = []
        for user in users:
            at = sign_ups[user]
            made = reports(history[user], at, at + 14 * DAY)
            days += [seconds(at, made[0]) / 86400] if made else []
        share = rounded(len(days) / len(users), 3)
        result.append((start, len(users), len(days), share, rounded(median(days), 1)))
    return sorted(result)


def checklist_and_activation(counted: Counted) -> Rows:
    history = histories(counted)
    groups: dict[str, list[bool]] = {
        "finished a task": [],
        "saw it, finished none": [],
        "did not see it": [],
    }
    for user, at in signed_up(counted, 14).items():
        names = [
            str(event.event_name)
            for event in history[user]
            if event.event_type == "interaction" and at <= event.occurred_at <= at + DAY
        ]
        if any(re.fullmatch("checklist_task:.+:COMPLETED", name) for name in names):
            group = "finished a task"
        elif any(re.fullmatch("checklist(_task)?:.+:[^:]+", name) for name in names):
            group = "saw it, finished none"
        else:
            group = "did not see it"
        later = at + DAY + timedelta(microseconds=1)
        groups[group].append(bool(reports(history[user], later, at + 14 * DAY)))
    return [
        (name, len(made), sum(made), *rate(sum(made), len(made))) for name, made in groups.items()
    ]


def flow_drop_off(counted: Counted) -> Rows:
    users: dict[tuple[str, str], set[str | None]] = {}
    for event in counted.events:
        name = str(event.event_name).split(":")
        if event.app_token == APP and name[0] == "experience_step":
            users.setdefault((name[1], name[2]), set()).add(event.user_id)
    result: Rows = []
    for step, step_id in enumerate(("998", "999", "1000", "1001"), start=1):
        seen, finished = (len(users[step_id, status]) for status in ("SEEN", "COMPLETED"))
        dropped = result[-1][2] - seen if result else None
        name = counted.name_of(APP, "experience_step", step_id)
        result.append((step, name, seen, dropped, finished, rounded(finished / seen, 3)))
    return result


def flow_viewers_who_return(counted: Counted) -> Rows:
    flows = sorted(
        rows("flow_effectiveness", counted), key=lambda row: (-row["viewer_users"], row["flow_id"])
    )
    differences = ("difference", "difference_low", "difference_high")
    return [
        (
            row["flow_id"],
            row["flow_name"],
            row["viewer_users"],
            rounded(row["viewer_return_rate"], 3),
            row["comparison_users"],
            rounded(row["comparison_return_rate"], 3),
            *(rounded(row[name], 4) for name in differences),
        )
        for row in flows
    ]


def paths_after_sign_up(counted: Counted) -> Rows:
    result = []
    for step in (1, 2, 3):
        events = [
            (-row["user_count"], row["event"], rounded(row["share"], 3))
            for row in rows("paths", counted)
            if (row["anchor"], row["direction"], row["step"]) == ("Signed up", "after", step)
        ]
        for place, (users, event, share) in enumerate(sorted(events)[:3], start=1):
            result.append((step, place, event, -users, share))
    return result


def experiment_verdicts(counted: Counted) -> Rows:
    # Which is which is known from the script of the sample, scripts/sample/catalog.py.
    verdicts = {"9B": "better", "9A": "control", "12A": "control"}
    shares = ("conversion_rate", "conversion_rate_low", "conversion_rate_high")
    differences = ("difference", "difference_low", "difference_high")
    variants = rows("experiment_variants", counted)
    return [
        (
            counted.name_of(APP, "experiment", row["experiment_id"]),
            row["variant"],
            row["clean_users"],
            row["converted_users"],
            *(rounded(row[name], 3) for name in (*shares, *differences)),
            "none: the split is broken"
            if row["experiment_id"] == "15"
            else verdicts.get(row["experiment_id"] + row["variant"], "no difference shown"),
        )
        for row in sorted(variants, key=lambda row: (row["experiment_id"], row["variant"]))
    ]


def feature_adoption_by_plan(counted: Counted) -> Rows:
    plan_of, history = plans(counted), histories(counted)
    names = {row["feature_id"]: row["feature_name"] for row in rows("features", counted)}
    active: Counter[str] = Counter()
    used: dict[str, Counter[str]] = {}
    for user, events in history.items():
        recent = [
            event
            for event in events
            if event.is_activity
            and timedelta() <= now(counted) - counted.date_of(event.occurred_at) < 28 * DAY
        ]
        active[plan_of[user]] += bool(recent)
        features = {str(e.event_name) for e in recent if e.event_type == "track_feature"}
        used.setdefault(plan_of[user], Counter()).update(features)
    result = []
    for plan, users in sorted(active.items(), key=lambda item: (-item[1], item[0])):
        best = sorted((-count, feature) for feature, count in used[plan].items())[:2]
        for place, (count, feature) in enumerate(best, start=1):
            name = names[feature] or feature
            result.append((plan, users, place, name, -count, rounded(-count / users, 3)))
    return result


def sign_up_cohort(counted: Counted) -> Rows:
    sign_ups = {user: counted.date_of(at) for user, at in signed_up(counted, 0).items()}
    cohort = {user: day for user, day in sign_ups.items() if month(day) == date(2025, 4, 1)}
    active = active_dates(counted)
    result = []
    for week in range(1, 11):
        eligible = [
            {day + (7 * week + n) * DAY for n in range(7)} & active[user]
            for user, day in cohort.items()
            if day + (7 * week + 6) * DAY <= now(counted)
        ]
        there = sum(map(bool, eligible))
        result.append((week, len(eligible), there, rounded(there / len(eligible), 3)))
    return result


def retention_by_month(counted: Counted) -> Rows:
    weeks = [
        {day - day.weekday() * DAY for day in dates}
        for dates in active_dates(counted).values()
        if dates
    ]
    over = now(counted) - 6 * DAY  # a week that begins later is not over
    result = []
    for start, users in grouped(weeks, lambda user: month(min(user))).items():
        whole = [user for user in users if min(user) <= over]
        rates = []
        for later in (7 * DAY, 28 * DAY, 56 * DAY):
            eligible = [user for user in whole if min(user) + later <= over]
            back = sum(min(user) + later in user for user in eligible)
            rates.append(rounded(ratio(back, len(eligible)), 3))
        if whole:
            result.append((start, len(whole), *rates))
    return sorted(result)


def stickiness_trend(counted: Counted) -> Rows:
    dates = [days for days in active_dates(counted).values() if days]

    def users(day: date, length: int) -> int:
        window = {day - back * DAY for back in range(length)}
        return sum(not days.isdisjoint(window) for days in dates)

    sunday = now(counted) - (now(counted).weekday() + 1) % 7 * DAY
    result = []
    for weeks in reversed(range(10)):
        end = sunday - 7 * weeks * DAY
        workdays = [end - back * DAY for back in range(2, 7)]
        daily = [users(day, 1) for day in workdays]
        sticky = [count / users(day, 28) for day, count in zip(workdays, daily, strict=True)]
        shares = (rounded(mean(daily), 1), users(end, 7), users(end, 28), rounded(mean(sticky), 3))
        result.append((end - 6 * DAY, *shares))
    return result


def sessions_of(counted: Counted) -> dict[tuple[str, str], list[Event]]:
    """The events of each session of the app."""
    return {
        (user, session): events
        for user, history in histories(counted).items()
        for session, events in grouped(history, lambda event: event.session).items()
        if session is not None
    }


def sessions_per_user(counted: Counted) -> Rows:
    per_user = Counter(
        user
        for (user, _), events in sessions_of(counted).items()
        if timedelta() <= now(counted) - counted.date_of(events[0].occurred_at) < 28 * DAY
    )
    bands = {
        "1": (1, 1),
        "2": (2, 2),
        "3 to 5": (3, 5),
        "6 to 10": (6, 10),
        "11 and more": (11, 999),
    }
    result = []
    for band, (least, most) in bands.items():
        sessions = [count for count in per_user.values() if least <= count <= most]
        shares = (len(sessions) / len(per_user), sum(sessions) / per_user.total())
        result.append((band, len(sessions), *(rounded(share, 3) for share in shares)))
    return result


def bounce_pages(counted: Counted) -> Rows:
    bounces: dict[str, list[bool]] = {}
    users: dict[str, set[str]] = {}
    for (user, _), events in sessions_of(counted).items():
        entry = next((event.pathname for event in events if event.pathname is not None), None)
        if entry is not None:
            types = Counter(event.event_type for event in events)
            did_something = types["interaction"] + types["track"] + types["track_feature"]
            bounces.setdefault(entry, []).append(types["page_view"] <= 1 and not did_something)
            users.setdefault(entry, set()).add(user)
    result = [
        (entry, len(ends), len(users[entry]), sum(ends), *rate(sum(ends), len(ends)))
        for entry, ends in bounces.items()
        if len(ends) >= 30
    ]
    return sorted(result, key=lambda row: (-row[3] / row[1], row[0]))


def upgrades(counted: Counted) -> Rows:
    changes = grouped(rows("user_traits_history", counted), lambda row: row["user_id"])
    plan = re.compile('"plan_type": ?"([^"]*)"')
    trials: dict[date, list[bool]] = {}
    for user, at in signed_up(counted, 30).items():
        known = [
            (row["valid_from"], found[1])
            for row in changes[user]
            if (found := plan.search(row["traits"]))
        ]
        if [name for moment, name in known if moment <= at][-1] == "trial":
            upgraded = any(
                name in ("pro", "enterprise") and at < moment <= at + 30 * DAY
                for moment, name in known
            )
            trials.setdefault(month(counted.date_of(at)), []).append(upgraded)
    return [
        (start, len(users), sum(users), *rate(sum(users), len(users)))
        for start, users in sorted(trials.items())
    ]


def nps_by_plan(counted: Counted) -> Rows:
    changes = grouped(rows("company_traits_history", counted), lambda row: row["company_id"])
    plan = re.compile('"plan": ?"([^"]*)"')
    scores: dict[str, list[int]] = {}
    for response in latest_scores(counted).values():
        known = [
            row["traits"]
            for row in changes.get(response["company_id"], [])
            if row["valid_from"] <= response["responded_at"]
        ]
        found = plan.search(known[-1]) if known else None
        scores.setdefault(found[1] if found else "(none)", []).append(response["score"])
    result = []
    for name, given in scores.items():
        n = len(given)
        values = [100 if score >= 9 else -100 if score <= 6 else 0 for score in given]
        parts = (values.count(100), values.count(0), values.count(-100))
        deviation = math.sqrt(mean(value**2 for value in values) - mean(values) ** 2)
        margin = 1.959964 * deviation / math.sqrt(n)
        result.append((name, n, *parts, rounded(mean(values), 1), rounded(margin, 1)))
    return sorted(result, key=lambda row: (-row[1], row[0]))


def survey_users(counted: Counted, *modules: str) -> list[int]:
    """Users who saw, answered and dismissed any of some survey questions."""
    return [
        len(
            {
                event.user_id
                for event in counted.events
                if event.app_token == APP
                and event.event_name in {f"survey_module:{module}:{status}" for module in modules}
            }
        )
        for status in ("SEEN", "COMPLETED", "DISMISSED")
    ]


def survey_response_rates(counted: Counted) -> Rows:
    seen, answered, _ = survey_users(counted, "49", "50")
    result: Rows = []
    for number, module in enumerate(("49", "50"), start=1):
        users = survey_users(counted, module)
        shares = (rounded(users[1] / users[0], 3), rounded(answered / seen, 3))
        question = counted.name_of(APP, "survey_module", module)
        result.append(("13", number, question, *users, *shares))
    return result


def survey_answers(counted: Counted) -> Rows:
    answers = {
        item.event.user_id: item.attributes["feedback"] or ""
        for item in counted.interactions
        if (item.event.app_token, item.event.event_name) == (APP, "survey_module:49:COMPLETED")
    }
    names = Counter(
        counted.name_of(APP, "survey_option", answer) or "(other)" for answer in answers.values()
    )
    result = [(name, users, rounded(users / len(answers), 3)) for name, users in names.items()]
    return sorted(result, key=lambda row: (-row[1], row[0]))


def articles_before_detractor_scores(counted: Counted) -> Rows:
    reads: dict[str, list[tuple[str, datetime]]] = {}
    titles: dict[str, str | None] = {}
    for item in counted.interactions:
        if item.event.app_token == APP and item.entity_type == "resource_center_article":
            titles[str(item.entity_id)] = item.attributes["article_title"]
            read = (str(item.event.user_id), item.event.occurred_at)
            reads.setdefault(str(item.entity_id), []).append(read)
    given = grouped(rows("nps_responses", counted), lambda row: row["category"])
    result = []
    for article in sorted(reads):
        cells: list[int] = []
        for category in ("detractor", "promoter"):
            who_read = {
                row["user_id"]
                for row in given[category]
                for user, at in reads[article]
                if user == row["user_id"]
                and timedelta() < row["responded_at"] - at <= timedelta(days=30)
            }
            cells += [len(who_read), len({row["user_id"] for row in given[category]})]
        result.append((titles[article], len({user for user, _ in reads[article]}), *cells))
    return sorted(result, key=lambda row: (-row[2], -row[1]))


def rejected_lines(counted: Counted) -> Rows:
    lines = sum(f.physical_lines for f in counted.export.files if f.kind == "events")
    result = []
    for reason, rejected in grouped(counted.export.rejected, lambda line: line.reason).items():
        files = grouped(rejected, lambda line: line.path)
        share = rounded(len(rejected) / lines, 5)
        example = min(files)
        first = min(line.line_number for line in files[example])
        result.append((reason, len(files), len(rejected), share, f"{example}, line {first}"))
    return sorted(result, key=lambda row: (-row[2], row[0]))


def duplicates(counted: Counted) -> Rows:
    folders = {file.path: file.folder_date for file in counted.export.files}
    lines: Counter[date] = Counter()
    copies: Counter[date] = Counter()
    conflicts: Counter[date] = Counter()
    for events in counted.export.copies.values():
        months = [month(folder) for event in events if (folder := folders[event.path])]
        lines.update(months)
        copies.update(months[:-1])
        conflicts[months[-1]] += len({event.content for event in events}) > 1
    files = Counter(
        month(file.folder_date)
        for file in counted.export.files
        if file.kind == "events" and file.status == "loaded" and file.folder_date
    )
    return [
        (
            start,
            files[start],
            lines[start],
            copies[start],
            rounded(copies[start] / lines[start], 3),
            conflicts[start],
        )
        for start in sorted(files)
    ]


def unknown_values(counted: Counted) -> Rows:
    result = [
        (
            row["field"],
            row["value"] or "(name does not parse)",
            row["event_count"],
            row["first_seen_at"].date(),
            row["last_seen_at"].date(),
        )
        for row in rows("unknown_values", counted)
    ]
    return sorted(result, key=lambda row: (-row[2], row[0], row[1]))


COUNTS = {
    count.__name__: count
    for count in (
        detractors_of_biggest_companies,
        companies_going_quiet,
        champions,
        resurrected_users,
        activation_by_plan,
        time_to_first_value,
        checklist_and_activation,
        flow_drop_off,
        flow_viewers_who_return,
        paths_after_sign_up,
        experiment_verdicts,
        feature_adoption_by_plan,
        sign_up_cohort,
        retention_by_month,
        stickiness_trend,
        sessions_per_user,
        bounce_pages,
        upgrades,
        nps_by_plan,
        survey_response_rates,
        survey_answers,
        articles_before_detractor_scores,
        rejected_lines,
        duplicates,
        unknown_values,
    )
}


def test_every_recipe_is_counted_again() -> None:
    assert list(COUNTS) == [recipe.path.stem[3:] for recipe in RECIPES]


@by_recipe
def test_the_numbers_are_right(
    recipe: Recipe, counted: Counted, published: duckdb.DuckDBPyConnection
) -> None:
    found = published.execute(recipe.sql).fetchall()
    assert found == COUNTS[recipe.path.stem[3:]](counted)[:LONGEST]
