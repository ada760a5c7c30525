"""The report's periods: figures recounted in plain Python, and at full range those of the marts."""

import csv
import itertools
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest
from building import ROOT, Build
from test_report import LARGEST_PAGE, event, fill, fill_with, page_of, warehouse

from scripts.warehouse import Warehouse

__all__ = ["warehouse"]

Row = dict[str, Any]
AS_OF = date(2025, 6, 30)
APPS = ("NX-44A1B2C3", "NX-STAGING7")
LENGTHS = {"7": 7, "28": 28, "90": 90}
PERIODS = (*LENGTHS, "all")
each_app_and_period = pytest.mark.parametrize(
    ("app", "period"), list(itertools.product(APPS, PERIODS)), indirect=["app"]
)


class Published:
    """The published tables of the sample, row by row."""

    def __init__(self, build: Build) -> None:
        self.build = build

    def __call__(self, table: str, app: str) -> list[Row]:
        with duckdb.connect(str(self.build.published), read_only=True) as connection:
            result = connection.execute(
                f"select * from marts.{table} where app_token = ?",  # noqa: S608
                [app],
            )
            names = [column[0] for column in result.description or []]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.fixture(scope="module")
def published(sample_build: Build) -> Published:
    return Published(sample_build)


@pytest.fixture(scope="module")
def apps(sample_build: Build) -> dict[str, Row]:
    page = page_of(Warehouse(sample_build.warehouse))
    assert page.data["as_of_date"] == str(AS_OF)
    return {app["name"]: app for app in page.data["apps"]}


@pytest.fixture
def app(apps: dict[str, Row], request: pytest.FixtureRequest) -> Row:
    return apps[request.param]


def is_in(period: str, day: date) -> bool:
    """Whether a date is of the period; of `all` is every date, also one in the future."""
    return period == "all" or timedelta(0) <= AS_OF - day < timedelta(days=LENGTHS[period])


def grouped(rows: Iterable[Row], *keys: str) -> defaultdict[Any, list[Row]]:
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys) if len(keys) > 1 else row[keys[0]]].append(row)
    return groups


def seed(name: str) -> list[Row]:
    with (ROOT / f"seeds/{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def median(values: list[float]) -> Any:
    return pytest.approx(statistics.median(values)) if values else None


# ---------- recounts


@each_app_and_period
def test_funnels_have_the_users_who_entered_in_the_period(
    app: Row, period: str, published: Published
) -> None:
    entered = [
        row
        for row in published("funnel_users", app["name"])
        if is_in(period, row["entry_at"].date())
    ]
    declared = grouped((row for row in seed("funnels") if row["step"]), "funnel")
    expected = {}
    for funnel, users in grouped(entered, "funnel").items():
        times = [
            [datetime.fromisoformat(text) for text in user["step_times"].split(",")]
            for user in users
        ]
        steps = []
        for index, step in enumerate(declared[funnel]):
            there = [one for one in times if len(one) > index]
            seconds = [(one[index] - one[index - 1]).total_seconds() for one in there if index]
            steps.append((step["step_name"], len(there), median(seconds)))
        expected[funnel] = steps
    shown = app["funnels"][period]
    assert shown["total"] == len(expected)
    assert {
        one["name"]: [
            (step["step_name"], step["users"], step["median_seconds"]) for step in one["steps"]
        ]
        for one in shown["rows"]
    } == expected
    for one in shown["rows"]:
        counts = [step["users"] for step in one["steps"]]
        assert [step["conversion_from_first"] for step in one["steps"]] == [
            share(count, counts[0]) for count in counts
        ]
        assert [step["conversion_from_previous"] for step in one["steps"]] == [
            None,
            *(share(after, before) for before, after in itertools.pairwise(counts)),
        ]


@each_app_and_period
def test_flows_have_the_users_who_first_saw_them_in_the_period(
    app: Row, period: str, published: Published
) -> None:
    listed = {
        row["entity_id"]: row["parent_id"]
        for row in seed("content")
        if row["app_token"] == app["name"] and row["entity_type"] == "experience_step"
    }
    names = {
        row["entity_id"]: row["name"]
        for row in seed("content")
        if row["app_token"] == app["name"] and row["entity_type"].startswith("experience")
    }
    events = []
    for row in published("interactions", app["name"]):
        if row["user_id"] is not None and row["entity_type"] == "experience":
            events.append(row | {"flow": row["entity_id"], "step": None})
        elif row["user_id"] is not None and row["entity_type"] == "experience_step":
            flow = row["parent_id"] or listed.get(row["entity_id"])
            events.append(row | {"flow": flow, "step": row["entity_id"]})
    durations = {
        (row["flow_id"], row["user_id"]): row["seconds_to_complete"]
        for row in published("flow_users", app["name"])
    }
    users: defaultdict[str, set[str]] = defaultdict(set)
    did: defaultdict[tuple[str, str | None, str], set[str]] = defaultdict(set)
    for (flow, user), rows in grouped(events, "flow", "user_id").items():
        if is_in(period, min(row["occurred_date"] for row in rows)):
            users[flow].add(user)
            for row in rows:
                did[flow, row["step"], row["interaction_status"]].add(user)
    expected = {}
    for flow, viewers in users.items():
        seen, completed = did[flow, None, "SEEN"], did[flow, None, "COMPLETED"]
        seconds = [durations[flow, user] for user in viewers]
        name = names.get(flow, flow)
        expected[name] = {
            "name": name,
            "shown_users": len(viewers),
            "seen_users": len(seen),
            "completed_users": len(completed),
            "dismissed_users": len(did[flow, None, "DISMISSED"]),
            "completion_rate": share(len(seen & completed), len(seen)),
            "median_seconds": median([one for one in seconds if one is not None]),
            "steps": {
                names.get(step, step): (
                    len(did[flow, step, "SEEN"]),
                    len(did[flow, step, "COMPLETED"]),
                )
                for step in {step for one, step, _ in did if one == flow and step}
            },
        }
    shown = app["flows"][period]
    assert shown["total"] == len(expected)
    for flow in shown["rows"]:
        steps = flow["steps"]
        taken = {step["name"]: (step["seen_users"], step["completed_users"]) for step in steps}
        lost = [
            before["seen_users"] - after["seen_users"]
            for before, after in itertools.pairwise(steps)
        ]
        assert [step["dropped_users"] for step in steps[1:]] == lost
        assert flow | {
            "steps": {name: users for name, users in taken.items() if any(users)}
        } == expected[flow["name"]] | {
            "steps_total": len(steps),
            "worst_step": 1 + lost.index(max(lost)) if max(lost, default=0) > 0 else None,
        }


@each_app_and_period
def test_nps_has_the_latest_answer_of_each_user_in_the_period(
    app: Row, period: str, published: Published
) -> None:
    answers = [
        row
        for row in published("nps_responses", app["name"])
        if row["score"] is not None and is_in(period, row["responded_date"])
    ]
    latest = [
        max(rows, key=lambda row: (row["responded_at"], row["submission_id"]))
        for rows in grouped(answers, "user_id").values()
    ]
    asked = {
        row["user_id"]
        for row in published("interactions", app["name"])
        if row["entity_type"] == "nps" and is_in(period, row["occurred_date"])
    } - {None}
    kinds = Counter(
        "promoters" if row["score"] >= 9 else "passives" if row["score"] >= 7 else "detractors"
        for row in latest
    )
    (survey,) = app["surveys"]["rows"]
    expected = {
        "period": period,
        "responses": len(latest),
        **{kind: kinds[kind] for kind in ("promoters", "passives", "detractors")},
        "nps": pytest.approx(100 * (kinds["promoters"] - kinds["detractors"]) / len(latest)),
        "response_rate": pytest.approx(len(latest) / len(asked)),
    }
    signs = [1] * kinds["promoters"] + [0] * kinds["passives"] + [-1] * kinds["detractors"]
    margin = 100 * 1.959964 * statistics.pstdev(signs) / len(latest) ** 0.5
    expected["margin"] = pytest.approx(margin)
    assert survey["scores"][period] == expected
    assert app["periods"][period]["nps"] == expected


@each_app_and_period
def test_retention_has_the_users_first_active_in_the_period(
    app: Row, period: str, published: Published
) -> None:
    days = defaultdict(set)
    for row in published("user_days", app["name"]):
        if row["activity_date"] <= AS_OF:
            days[row["user_id"]].add(row["activity_date"])
    cohorts = [dates for dates in days.values() if is_in(period, min(dates))]
    expected = []
    for day_n in range(1, 31):
        later = timedelta(days=day_n)
        eligible = [dates for dates in cohorts if min(dates) + later <= AS_OF]
        retained = sum(min(dates) + later in dates for dates in eligible)
        if eligible:
            expected.append((day_n, len(eligible), retained, retained / len(eligible)))
    assert [
        (one["day_n"], one["eligible_users"], one["retained_users"], one["rate"])
        for one in app["retention_curve"][period]
    ] == expected


@each_app_and_period
def test_the_most_used_are_those_of_the_period(app: Row, period: str, published: Published) -> None:
    for table, identity in (("feature_events", "feature_id"), ("tracked_events", "event_name")):
        used = [
            row
            for row in published(table, app["name"])
            if row[identity] is not None and is_in(period, row["occurred_date"])
        ]
        counts = sorted(
            (
                (len({row["user_id"] for row in rows} - {None}), len(rows))
                for rows in grouped(used, identity).values()
            ),
            reverse=True,
        )
        shown = app["features" if table == "feature_events" else table][period]
        assert shown["total"] == len(counts)
        assert [(one["users"], one["events"]) for one in shown["rows"]] == counts[:10]


@each_app_and_period
def test_companies_have_the_users_and_events_of_the_period(
    app: Row, period: str, published: Published
) -> None:
    events = [
        row
        for row in published("events", app["name"])
        if row["company_id"] is not None and is_in(period, row["occurred_date"])
    ]
    companies = {row["company_id"]: row for row in published("companies", app["name"])}
    expected = []
    for company, rows in grouped(events, "company_id").items():
        active = {row["user_id"] for row in rows if row["is_activity"]} - {None}
        if active:
            members = companies[company]["current_user_count"]
            expected.append((len(active), members, len(rows)))
    shown = app["companies"][period]
    assert shown["total"] == len(expected)
    assert [(one["active_users"], one["users"], one["events"]) for one in shown["rows"]] == sorted(
        expected, reverse=True
    )[:10]


# ---------- the full range


@pytest.mark.parametrize("app", APPS, indirect=True)
def test_all_is_what_the_marts_have(app: Row, published: Published) -> None:
    def told(rows: Iterable[Row], columns: str) -> list[tuple[Any, ...]]:
        return sorted((tuple(row[one] for one in columns.split()) for row in rows), key=repr)

    def mart(table: str, columns: str) -> list[tuple[Any, ...]]:
        return told(published(table, app["name"]), columns)

    funnels, flows, features, companies = (
        app[part]["all"]["rows"] for part in ("funnels", "flows", "features", "companies")
    )
    (survey,) = app["surveys"]["rows"]
    assert told(
        [step | {"funnel": one["name"]} for one in funnels for step in one["steps"]],
        "funnel step step_name users conversion_from_first conversion_from_previous"
        " median_seconds p90_seconds",
    ) == mart(
        "funnel_steps",
        "funnel step step_name users conversion_from_first conversion_from_previous"
        " median_seconds_from_previous p90_seconds_from_previous",
    )
    counts = "shown_users seen_users completed_users dismissed_users completion_rate"
    assert told(flows, f"name {counts} median_seconds") == mart(
        "flows", f"flow_name {counts} median_seconds_to_complete"
    )
    counts = "step_number seen_users completed_users dropped_users"
    assert told([step for flow in flows for step in flow["steps"]], f"name {counts}") == mart(
        "flow_steps", f"step_name {counts}"
    )
    counts = "responses promoters passives detractors"
    scores = [
        row
        for row in published("nps_scores", app["name"])
        if (row["period"], row["basis"]) == ("all", "latest_per_user")
    ]
    assert told([survey["scores"]["all"]], counts) == told(scores, counts)
    for column, of_mart in (
        *(("nps", "nps"), ("margin", "margin_of_error_95")),
        ("response_rate", "response_rate"),
    ):
        assert survey["scores"]["all"][column] == pytest.approx(scores[0][of_mart])
    assert {*told(features, "users events")} <= {*mart("features", "user_count event_count")}
    assert {*told(companies, "plan users events")} <= {
        *mart("companies", "plan current_user_count event_count")
    }


# ---------- corners


def test_an_entry_has_the_date_of_its_event(warehouse: Warehouse) -> None:
    """Dates are those of the reporting time zone, here one east of Greenwich; entries are UTC."""
    moments = {"2025-06-23": "2025-06-22 22:30", "2025-06-24": "2025-06-23 23:30"}
    fill(
        warehouse,
        events=[
            *(event("NX-1", "a", day, occurred_at=moment) for day, moment in moments.items()),
            event("NX-1", "a", "2025-06-30", occurred_at="2025-06-30 12:00"),
        ],
        funnel_steps=[
            {"app_token": "NX-1", "funnel": "f", "step": step, "step_name": name}
            for step, name in ((1, "one"), (2, "two"))
        ],
        funnel_users=[
            {"app_token": "NX-1", "funnel": "f", "max_step": 1, "entry_at": moment}
            | {"step_times": moment.replace(" ", "T") + ":00.000000Z"}
            for moment in moments.values()
        ],
    )
    funnels = page_of(warehouse).app()["funnels"]
    assert {
        period: [step["users"] for step in funnels[period]["rows"][0]["steps"]]
        for period in ("7", "28")
    } == {"7": [1, 0], "28": [2, 0]}


@pytest.mark.parametrize(
    ("listed", "users"),
    [
        # content.csv names the step's flow, so an event need not.
        ([("F", "s")], 2),
        # Nothing but some of its events names it: the others belong to no flow.
        ([("F", "s"), (None, "s")], 1),
    ],
)
def test_a_step_without_a_flow_is_one_of_that_which_lists_it(
    warehouse: Warehouse, listed: list[tuple[str | None, str]], users: int
) -> None:
    of_app = {"app_token": "NX-1"}
    fill(
        warehouse,
        events=[event("NX-1", "a", "2025-06-30")],
        flow_steps=[of_app | {"flow_id": flow, "step_id": step} for flow, step in listed],
        interactions=[
            of_app
            | {"entity_type": "experience_step", "entity_id": "s", "interaction_status": "SEEN"}
            | {"user_id": user, "parent_id": flow, "occurred_date": "2025-06-30"}
            for user, flow in (("a", "F"), ("b", None), (None, "F"))
        ],
    )
    rows = page_of(warehouse).app()["flows"]["7"]["rows"]
    assert [(row["name"], row["shown_users"]) for row in rows] == [("F", users)]
    assert [step["seen_users"] for step in rows[0]["steps"]] == [users]


def test_steps_with_one_number_come_as_the_mart_counts_them(warehouse: Warehouse) -> None:
    steps = ["2", "10", "010", str(10**30), "1.5", "a"]
    of_flow = {"app_token": "NX-1", "flow_id": "F", "step_number": 1}
    fill(
        warehouse,
        events=[event("NX-1", "a", "2025-06-30")],
        flow_steps=[of_flow | {"step_id": step} for step in reversed(steps)],
        interactions=[
            {"app_token": "NX-1", "entity_type": "experience_step", "entity_id": "a"}
            | {"interaction_status": "SEEN", "user_id": "a", "parent_id": "F"}
            | {"occurred_date": "2025-06-30"}
        ],
    )
    (flow,) = page_of(warehouse).app()["flows"]["7"]["rows"]
    assert [step["name"] for step in flow["steps"]] == steps


def test_who_completed_a_flow_unseen_is_no_part_of_its_rate(warehouse: Warehouse) -> None:
    fill(
        warehouse,
        events=[event("NX-1", "a", "2025-06-30")],
        interactions=[
            {"app_token": "NX-1", "entity_type": "experience", "entity_id": "F", "user_id": user}
            | {"interaction_status": status, "occurred_date": "2025-06-30"}
            for user, status in (
                *(("a", "SEEN"), ("a", "COMPLETED"), ("b", "SEEN"), ("b", "DISMISSED")),
                ("c", "COMPLETED"),
            )
        ],
    )
    (flow,) = page_of(warehouse).app()["flows"]["7"]["rows"]
    assert [flow[f"{what}_users"] for what in ("shown", "seen", "completed", "dismissed")] == [
        *(3, 2, 2, 1)
    ]
    assert flow["completion_rate"] == 0.5


def test_a_page_of_much_text_keeps_the_apps_that_fit(warehouse: Warehouse) -> None:
    apps = [str(app) + "<" * 110 for app in range(6)]
    for app in apps:
        fill_with(warehouse, app)
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute(
            """
            insert into marts.flow_steps by name
            select app_token, n || flow_id as flow_id, m || step_id as step_id
            from marts.flow_steps, range(12) as flows (n), range(20) as steps (m);
            insert into marts.interactions by name
            select interactions.* replace (m || entity_id as entity_id, n || entity_id as parent_id)
            from marts.interactions, range(12) as flows (n), range(20) as steps (m)
            where entity_type = 'experience_step'
            """
        )
    page = page_of(warehouse)
    assert len(page.source.encode()) < LARGEST_PAGE
    assert 1 <= len(page.data["apps"]) < page.data["apps_total"]
