"""The report: the numbers of the published tables, and nothing a browser could mistake for code."""

import base64
import hashlib
import json
import re
from dataclasses import fields
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from building import ROOT, Build
from click.testing import CliRunner

from scripts.report import command, report
from scripts.report.conclusions import (
    MINUS,
    NOTHING,
    Conclusion,
    caveats,
    conclusion,
    number,
    probability,
    smallest_difference_seen,
)
from scripts.report.facts import (
    DAYS_SHOWN,
    STEPS_SHOWN,
    Days,
    daily,
    funnels,
    printable,
    windows,
)
from scripts.warehouse import Warehouse

HOSTILE = (
    "</title></style></script><script>alert('1')</script>",
    '"><img src=x onerror="alert(2)">',
    "' onmouseover='alert(3)",
    "{{ 7 * 7 }}{% raw %}<!-- -->",
    "&lt;b&gt; &amp;",
    "=cmd|' /C calc'!A0",
    "<!--<script>",
    '\\"];alert(4)//',
)
LARGEST_PAGE = 5_000_000
# The columns of every public table, as its contract has them, and its schema.
MODELS = {
    model["name"]: (folder, model["columns"])
    for folder in ("marts", "audit")
    for path in sorted((ROOT / "models" / folder).rglob("*.yml"))
    for model in yaml.safe_load(path.read_text()).get("models", [])
}


def empty_tables() -> str:
    """The published tables as their contracts have them, without a row."""
    statements = ["create schema marts; create schema audit;"]
    for name, (schema, columns) in MODELS.items():
        types = (f"{one['name']} {column_type(one['data_type'])}" for one in columns)
        statements.append(f"create table {schema}.{name} ({', '.join(types)});")
    return "\n".join(statements)


def column_type(declared: str) -> str:
    return "json" if "{{" in declared else declared


class Page(HTMLParser):
    """What a browser makes of the page before it runs anything."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.source = page.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.open = ""
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = tag
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open in self.inside:
            self.inside[self.open][-1] += data

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.inside["script"][0])
        return data

    def app(self, index: int = 0) -> dict[str, Any]:
        app: dict[str, Any] = self.data["apps"][index]
        return app


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A published warehouse without a row."""
    warehouse = Warehouse(tmp_path)
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute(empty_tables())
    return warehouse


def fill(warehouse: Warehouse, **tables: list[dict[str, Any]]) -> None:
    with duckdb.connect(str(warehouse.published_database)) as connection:
        for name, rows in tables.items():
            for row in rows:
                connection.execute(
                    f"insert into {MODELS[name][0]}.{name} ({', '.join(row)})"  # noqa: S608
                    f" values ({', '.join('?' * len(row))})",
                    list(row.values()),
                )


def event(app: str, user: str | None, day: str, **columns: Any) -> dict[str, Any]:
    usual = {"is_activity": True, "is_future_dated": False, "event_type": "page_view"}
    return {"app_token": app, "user_id": user, "occurred_date": day} | usual | columns


def variant(name: str, **columns: Any) -> dict[str, Any]:
    """A row of experiment_variants; without a difference it is the control."""
    is_reference = "difference" not in columns
    return {
        "app_token": "NX-1",
        "experiment_id": "9",
        "experiment_name": None,
        "variant": name,
        "is_control": is_reference,
        "is_reference": is_reference,
        "clean_users": 100,
        "converted_users": 40,
        "conversion_rate": 0.4,
        "conversion_rate_low": 0.309,
        "conversion_rate_high": 0.498,
        "difference": None,
        "difference_low": None,
        "difference_high": None,
        "holm_p_value": None,
        "srm_p_value": 0.5,
        "has_srm": False,
        "days_running": 30,
    } | columns


def score(period: str, **columns: Any) -> dict[str, Any]:
    return {
        "app_token": "NX-1",
        "nps_id": "1",
        "period": period,
        "basis": "latest_per_user",
        "responses": 50,
        "promoters": 30,
        "passives": 10,
        "detractors": 10,
        "nps": 40.0,
        "margin_of_error_95": 22.2,
        "response_rate": 0.5,
    } | columns


def page_of(warehouse: Warehouse) -> Page:
    report(warehouse)
    return Page(warehouse.report_page)


def refuse_code(page: Page) -> None:
    """Only our own scripts run, named by their hashes; nothing loads, nothing leads away."""
    tags = [tag for tag, _ in page.tags]
    assert not {"img", "link", "iframe", "object", "embed", "base", "svg"} & set(tags)
    assert tags.count("script") == 3
    attributes = [name for _, attrs in page.tags for name in attrs]
    assert not [name for name in attributes if name.startswith("on")]
    assert not {"src", "srcset", "action", "xlink:href", "style"} & set(attributes)
    assert [attrs["href"] for _, attrs in page.tags if "href" in attrs] == ["#main"]
    (style,), (_, *scripts) = page.inside["style"], page.inside["script"]
    assert not re.search(r"url\(|@import|https?:", style)
    policy = next(attrs["content"] for _, attrs in page.tags if "http-equiv" in attrs)
    assert policy == (
        "default-src 'none'; base-uri 'none'; form-action 'none';"
        f" style-src {sha256(style)}; script-src {' '.join(sha256(text) for text in scripts)}"
    )


def sha256(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


# ---------- the page


def test_an_empty_warehouse_gives_a_page(warehouse: Warehouse) -> None:
    page = page_of(warehouse)
    assert page.data["apps"] == []
    assert page.data["as_of_date"] is None
    refuse_code(page)


def test_an_app_with_one_future_event_gives_a_page(warehouse: Warehouse) -> None:
    fill(warehouse, events=[event("NX-1", None, "2030-01-01", is_future_dated=True)])
    page = page_of(warehouse)
    assert page.app()["totals"]["events"] == 1
    assert page.app()["periods"]["all"]["figures"]["events"] == 0
    assert page.app()["periods"]["28"]["previous"] is None
    assert page.data["quality"]["future_dated_events"] == 1


def test_before_publishing_it_says_what_to_run(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--warehouse", str(tmp_path)])
    assert result.exit_code == 1
    assert "does not exist yet. Run `make build`" in result.output


def test_tables_of_another_version_are_told_plainly(warehouse: Warehouse) -> None:
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute("drop table marts.funnel_steps")
    result = CliRunner().invoke(command, ["--warehouse", str(warehouse.folder)])
    assert result.exit_code == 1
    assert "run `make build` again" in result.output


def test_a_page_that_cannot_be_written(warehouse: Warehouse) -> None:
    warehouse.report_page.parent.write_text("a file where the folder should be")
    result = CliRunner().invoke(command, ["--warehouse", str(warehouse.folder)])
    assert result.exit_code == 1
    assert f"Cannot write {warehouse.report_page}: " in result.output
    assert "earlier version" not in result.output


def test_the_command_prints_one_json_object(warehouse: Warehouse) -> None:
    result = CliRunner().invoke(command, ["--warehouse", str(warehouse.folder), "--json"])
    assert json.loads(result.stdout)["report"] == str(warehouse.report_page)
    assert [path.name for path in warehouse.report_page.parent.iterdir()] == ["index.html"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_data(warehouse: Warehouse, text: str) -> None:
    fill_with(warehouse, "harmless")
    harmless = page_of(warehouse)
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute("drop schema marts cascade; drop schema audit cascade")
        connection.execute(empty_tables())
    fill_with(warehouse, text)
    hostile = page_of(warehouse)
    assert hostile.tags == harmless.tags
    assert strings(hostile.data) == [
        one.replace("harmless", text) for one in strings(harmless.data)
    ]
    assert sum(text in one for one in strings(hostile.data)) > 20
    assert not re.search("[<>&\u2028\u2029]", hostile.inside["script"][0])
    refuse_code(hostile)


def strings(value: Any) -> list[str]:
    """All text in the data; when the page was published is of no interest."""
    if isinstance(value, dict):
        return [one for key in value if key != "published_at" for one in strings(value[key])]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


def fill_with(warehouse: Warehouse, text: str) -> None:
    """Put the text wherever the exports and the seeds have a say."""
    app = {"app_token": text}
    when = {"user_id": text, "occurred_date": "2025-06-01", "is_future_dated": False}
    fill(
        warehouse,
        events=[
            event(one, user, "2025-06-01", company_id=text, event_type=text)
            for one, user in ((text, text), (text, "x"), ("NX-2", text))
        ],
        users=[app | {"user_id": text}],
        user_days=[app | {"user_id": text, "activity_date": "2025-06-01"}],
        companies=[
            app
            | {"company_id": text, "company_name": text, "plan": text, "industry": text}
            | {"current_user_count": 1, "event_count": 2}
        ],
        tracked_events=[app | when | {"event_name": text}],
        feature_events=[app | when | {"feature_id": "77", "feature_name": text}],
        nps_responses=[
            app | {"nps_id": text, "nps_name": text, "user_id": text, "category": "passive"}
        ],
        nps_scores=[score(period, nps_id=text) | app for period in ("all", "2025-06")],
        experiment_users=[app | {"experiment_id": text, "user_id": "x", "is_contaminated": True}],
        experiment_variants=[
            variant(text, experiment_id=text, experiment_name=text, is_control=None) | app,
            variant(text + "B", experiment_id=text, difference=None, is_reference=False) | app,
        ],
        funnel_steps=[
            app
            | {"funnel": text, "step": 1, "step_name": text, "users": 1}
            | {"conversion_from_first": 1.0}
        ],
        funnel_users=[app | {"funnel": text, "max_step": 1, "step_times": "2025-06-01T00:00:00Z"}],
        interactions=[
            app | when | {"entity_type": kind, "entity_id": text, "interaction_status": text}
            for kind in ("experience", "experience_step", "nps")
        ],
        flows=[app | {"flow_id": text, "flow_name": text}],
        flow_steps=[app | {"flow_id": text, "step_id": text}],
        file_ledger=[{"path": text, "status": text}],
        rejected_lines=[{"path": text, "reason": text, "line_count": 1}],
        unknown_values=[{"field": "source", "value": text, "event_count": 1}],
        removed_events=[
            app | {"reason": text, "rule": text, "event_count": 1, "user_count": 1},
        ],
    )


def test_no_template_is_run_in_the_data(warehouse: Warehouse) -> None:
    fill(warehouse, events=[event("{{ 7 * 7 }}", "a", "2025-06-01")])
    assert page_of(warehouse).app()["name"] == "{{ 7 * 7 }}"


def test_a_page_of_many_apps_and_long_names_stays_small(warehouse: Warehouse) -> None:
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute(
            """
            create macro day(n) as date '2020-01-01' + cast(n as integer);
            insert into marts.events by name
            select 'app' || app as app_token, 'u' as user_id, 'track' as event_type,
                day(n) as occurred_date, true as is_activity, false as is_future_dated
            from range(30) as apps (app), range(2000) as days (n);
            insert into marts.daily_activity by name
            select app_token, occurred_date as activity_date, 123456 as dau, 123456 as wau,
                123456 as mau, 1 / 3 as stickiness, 123456 as new_users, 123456 as retained_users,
                123456 as resurrected_users, 123456 as dormant_users
            from marts.events
            """
        )
        connection.execute(
            """
            insert into marts.tracked_events by name
            select app_token, user_id, occurred_date, is_future_dated, repeat(?, n) as event_name
            from marts.events, range(9000, 9020) as lengths (n)
            where occurred_date = day(1999)
            """,
            ["\U0001f600"],
        )
    page = page_of(warehouse)
    assert len(page.source.encode()) < LARGEST_PAGE
    assert (len(page.data["apps"]), page.data["apps_total"]) == (20, 30)
    assert len(page.app()["days"]["dau"]) == 732
    assert max(len(text) for text in strings(page.data)) <= 120


# ---------- the numbers


def test_the_numbers_are_those_of_the_tables(warehouse: Warehouse) -> None:
    fill(
        warehouse,
        events=[
            event("NX-1", "a", "2025-04-02"),
            event("NX-1", "a", "2025-05-15"),
            event("NX-1", "a", "2025-06-08", company_id="c1"),
            event("NX-1", "b", "2025-06-24", company_id="c1"),
            event("NX-1", "c", "2025-06-24", company_id="c1", is_activity=False),
            event("NX-1", None, "2025-06-24", event_type="track"),
            event("NX-1", "z", "2031-01-01", is_future_dated=True),
            event("NX-2", "a", "2025-06-25"),
        ],
        users=[{"app_token": "NX-1", "user_id": user} for user in "abcz"],
        companies=[{"app_token": "NX-1", "company_id": "c1", "company_name": "One"}],
        sessions=[
            {"app_token": "NX-1", "started_date": day}
            for day in ("2025-06-24", "2025-06-24", "2025-05-15", "2031-01-01")
        ],
        user_days=[
            {"app_token": "NX-1", "user_id": user, "activity_date": day}
            for user, day in (
                *(("a", "2025-04-02"), ("a", "2025-05-15"), ("a", "2025-06-08")),
                *(("a", "2025-06-24"), ("b", "2025-06-24")),
            )
        ],
        company_days=[
            {"app_token": "NX-1", "company_id": "c1", "activity_date": day}
            for day in ("2025-06-08", "2025-06-24")
        ],
        daily_activity=[
            {"app_token": "NX-1", "activity_date": day, "new_users": new, "stickiness": sticky}
            for day, new, sticky in (("2025-06-24", 1, 0.5), ("2025-06-25", 0, 0.1))
        ],
        nps_responses=[
            {"app_token": "NX-1", "nps_id": survey, "user_id": user, "category": category}
            | {"responded_at": day, "responded_date": day}
            for survey, user, category, day in (
                *(("1", "a", "detractor", "2025-05-02"), ("1", "a", "promoter", "2025-06-20")),
                *(("1", "b", "passive", "2025-05-30"), ("1", "z", "promoter", "2031-01-01")),
                ("small", "a", "detractor", "2025-06-25"),
            )
        ],
        interactions=[
            {"app_token": "NX-1", "entity_type": kind, "entity_id": "1", "user_id": user}
            | {"occurred_date": "2025-06-20"}
            for kind, user in (("nps", "a"), ("nps", "b"), ("nps", None), ("survey", "c"))
        ],
        nps_scores=[
            score("2025-05", nps=-3.21),
            score("2025-06", nps=61.3),
            score("2025-06", basis="all_responses", nps=99.0, responses=1000),
        ],
        tracked_events=[
            {"app_token": "NX-1", "event_name": "Paid", "user_id": user, "occurred_date": day}
            for user, day in zip(
                "aabz", ("2025-06-25", "2025-06-01", "2025-03-01", "2031-01-01"), strict=True
            )
        ],
        file_ledger=[
            {"path": str(i), "status": "loaded", "physical_lines": 1000, "blank_lines": 1}
            | {"rejected_lines": 2, "duplicate_lines": 3, "new_events": 994, "removed_events": 4}
            for i in range(3)
        ],
        rejected_lines=[{"path": str(i), "reason": "not_json", "line_count": 2} for i in range(3)],
    )
    page = page_of(warehouse)
    app = page.app()
    assert app["totals"] == {"users": 4, "companies": 1, "sessions": 4, "events": 7}
    assert app["first_date"] == "2025-04-02"
    assert page.data["as_of_date"] == "2025-06-25"
    periods = app["periods"]
    assert periods["28"]["figures"] == {
        **{"active_users": 2, "new_users": 1, "stickiness": 0.3, "active_companies": 1},
        **{"sessions": 2, "page_views": 3, "events": 4},
    }
    assert periods["28"]["previous"]["active_users"] == 1
    assert periods["28"]["previous"]["stickiness"] is None
    assert periods["7"]["figures"]["active_users"] == 2
    # Nothing happened in the seven days before, and the data covers them.
    assert periods["7"]["previous"]["events"] == 0
    # The 90 days before begin earlier than the data.
    assert periods["90"]["previous"] is None
    assert periods["all"]["figures"]["events"] == 6
    # Of all time is what the marts count, also an answer that is dated in the future.
    main, small = app["surveys"]["rows"]
    assert [one["name"] for one in (main, small)] == ["Survey 1", "Survey small"]
    assert {period: one["nps"] for period, one in main["scores"].items()} == {
        **{"all": pytest.approx(100 * 2 / 3), "90": 50.0, "28": 50.0, "7": 100.0}
    }
    assert (main["scores"]["28"]["responses"], main["scores"]["28"]["response_rate"]) == (2, 1.0)
    assert periods["7"]["nps"] == main["scores"]["7"]
    assert periods["28"]["previous_nps"]["nps"] == -100.0
    assert [one["nps"] for one in main["months"]] == [-3.21, 61.3]
    used = {period: app["tracked_events"][period]["rows"] for period in ("7", "28", "all")}
    assert used == {
        "7": [{"name": "Paid", "users": 1, "events": 1}],
        "28": [{"name": "Paid", "users": 1, "events": 2}],
        "all": [{"name": "Paid", "users": 3, "events": 4}],
    }
    assert [one["active_users"] for one in app["companies"]["7"]["rows"]] == [1]
    assert [one["active_users"] for one in app["companies"]["28"]["rows"]] == [2]
    assert page.data["quality"]["files"] == [
        {
            **{"status": "loaded", "files": 3, "physical_lines": 3000, "blank_lines": 3},
            **{"rejected_lines": 6, "duplicate_lines": 9, "new_events": 2982},
            "removed_events": 12,
        }
    ]
    assert page.data["quality"]["rejected"] == [{"reason": "not_json", "lines": 6, "files": 3}]


def test_the_sample_shows_the_numbers_of_its_marts(sample_build: Build) -> None:
    warehouse = Warehouse(sample_build.warehouse)
    page = page_of(warehouse)
    refuse_code(page)
    assert len(page.source.encode()) < LARGEST_PAGE
    with duckdb.connect(str(warehouse.published_database), read_only=True) as connection:

        def one(query: str, *parameters: Any) -> Any:
            return connection.execute(query, parameters).fetchall()[0][0]

        for app in page.data["apps"]:
            token = app["name"]
            for table, shown in app["totals"].items():
                count = f"select count(*) from marts.{table} where app_token = ?"  # noqa: S608
                assert shown == one(count, token), table
            for column in ("dau", "wau", "mau", "dormant_users"):
                assert app["days"][column][-1] == one(
                    f"select {column} from marts.daily_activity"  # noqa: S608
                    " where app_token = ? and activity_date = ?",
                    *(token, page.data["as_of_date"]),
                )
            # Two ways to the same figure.
            assert app["periods"]["28"]["figures"]["active_users"] == app["days"]["mau"][-1]
            assert app["periods"]["7"]["figures"]["active_users"] == app["days"]["wau"][-1]
            for period in ("7", "28", "90"):
                for column in ("new_users", "sessions", "page_views", "events"):
                    figure = app["periods"][period]["figures"][column]
                    assert figure == sum(app["days"][column][-int(period) :]), column
            assert app["periods"]["all"]["figures"]["new_users"] == sum(app["days"]["new_users"])
            features = app["features"]
            for feature in features["28"]["rows"]:
                assert feature["users"] == one(
                    "select user_count_28d from marts.features"
                    " where app_token = ? and coalesce(feature_name, feature_id) = ?",
                    token,
                    feature["name"],
                )
            for company in app["companies"]["28"]["rows"]:
                assert company["active_users"] in {
                    row[0]
                    for row in connection.execute(
                        "select active_user_count_28d from marts.companies where app_token = ?"
                        " and coalesce(company_name, company_id) = ?",
                        [token, company["name"]],
                    ).fetchall()
                }
            for cell in app["cohorts"]:
                assert cell["rate"] == one(
                    "select rate from marts.retention where app_token = ? and period = 'week'"
                    " and cohort_date = ? and period_n = ?",
                    *(token, cell["cohort_date"], cell["period_n"]),
                )
    verdicts = {
        experiment["name"]: {one["kind"] for one in experiment["conclusions"]}
        for experiment in page.app()["experiments"]["rows"]
    }
    assert verdicts == {
        "Connect: text or video": {"better"},
        "Spring news: blue or green": {"broken"},
        "Bulk export: none, short or long hint": {"underpowered"},
    }


def test_periods_end_with_the_data() -> None:
    found = {
        (period, is_previous): dates for period, is_previous, *dates in windows(date(2025, 6, 30))
    }
    assert found["7", False] == [date(2025, 6, 24), date(2025, 6, 30)]
    assert found["7", True] == [date(2025, 6, 17), date(2025, 6, 23)]
    assert found["90", True] == [date(2025, 1, 2), date(2025, 4, 1)]
    assert ("all", True) not in found


def test_days_are_cut_where_there_are_more_than_the_page_shows() -> None:
    columns = [one.name for one in fields(Days)]
    rows = [
        dict.fromkeys(columns, 1) | {"activity_date": date(2023, 1, 1) + timedelta(days=number)}
        for number in range(DAYS_SHOWN + 1)
    ]
    cut, whole = daily(rows), daily(rows[1:])
    assert (cut.is_cut, whole.is_cut) == (True, False)
    assert cut.first_date == whole.first_date == date(2023, 1, 2)
    assert len(cut.dau) == len(whole.dau) == DAYS_SHOWN
    assert daily([]).first_date is None


def test_a_funnel_tells_its_biggest_drop() -> None:
    step = {
        **{"step_name": "x", "conversion_from_first": 1.0, "conversion_from_previous": None},
        **{"median_seconds": None, "p90_seconds": None},
    }

    def worst(*users: int) -> int | None:
        rows = [step | {"funnel": "f", "step": i, "users": n} for i, n in enumerate(users, 1)]
        (funnel,) = funnels(rows)
        assert funnel.steps_total == len(users)
        return funnel.worst_step

    assert worst(200, 150, 30) == 2
    assert worst(200, 20, 10) == 1
    assert worst(5, 5) is None
    assert worst(5) is None
    assert worst(*[1000] * STEPS_SHOWN, 1) == STEPS_SHOWN, "beyond the steps that are shown"


# ---------- what may be concluded

SMALL = {"difference": 0.1, "difference_low": 0.02, "difference_high": 0.18}
LARGE_GROUPS = {"clean_users": 4000, "converted_users": 1600}


@pytest.mark.parametrize(
    ("row", "kind", "sentence"),
    [
        (
            variant("B", **SMALL, holm_p_value=0.01),
            "better",
            "B converts better than A, by 10.0 percentage points"
            " (95 % interval 2.0 to 18.0), more than chance explains.",
        ),
        (
            variant("B", difference=-0.1, difference_low=-0.18, difference_high=-0.02)
            | {"holm_p_value": 0.01},
            "worse",
            f"B converts worse than A, by {MINUS}10.0 percentage points"
            f" (95 % interval {MINUS}18.0 to {MINUS}2.0), more than chance explains.",
        ),
        (
            variant("B", **SMALL, holm_p_value=0.06),
            "underpowered",
            "B against A: no difference is shown"
            " (10.0 percentage points, 95 % interval 2.0 to 18.0), but with so few users one below"
            " about 19 points would probably go unseen, so this does not mean that there is none.",
        ),
        (
            variant("B", difference=0.1, difference_low=-0.01, difference_high=0.18)
            | {"holm_p_value": 0.049},
            "underpowered",
            "B against A: no difference is shown"
            f" (10.0 percentage points, 95 % interval {MINUS}1.0 to 18.0), but with so few users"
            " one below about 19 points would probably go unseen, so this does not mean that there"
            " is none.",
        ),
        (
            variant("B", difference=0.0, difference_low=-0.02, difference_high=0.02)
            | {"holm_p_value": 1.0, **LARGE_GROUPS},
            "none",
            f"B against A: no difference is shown (0.0 percentage points, 95 % interval {MINUS}2.0"
            " to 2.0); one of 3.1 points or more would probably be seen.",
        ),
        (
            variant("B", **SMALL, holm_p_value=0.0001, has_srm=True, srm_p_value=0.00002),
            "broken",
            "B against A: nothing can be concluded, because users were not split as planned"
            " (p < 0.001).",
        ),
        (
            variant("B", difference=None),
            "few",
            "B against A: nothing can be concluded yet, there are not enough users.",
        ),
        (
            variant("B", **SMALL, holm_p_value=0.01, clean_users=8, converted_users=6),
            "few",
            "B against A: nothing can be concluded yet, there are not enough users.",
        ),
    ],
)
def test_conclusions(row: dict[str, Any], kind: str, sentence: str) -> None:
    reference = variant("A", **(LARGE_GROUPS if kind == "none" else {}), is_reference=True)
    assert conclusion(row, reference) == Conclusion("B", kind, sentence)


def test_the_smallest_difference_seen_is_that_of_the_textbook() -> None:
    # 2.8016 * sqrt(0.4 * 0.6 * 2 / 100), and too few where a group expects under 5 conversions.
    assert smallest_difference_seen(variant("B"), variant("A")) == pytest.approx(0.19410, abs=1e-5)
    rare = {"clean_users": 100, "converted_users": 4}
    assert smallest_difference_seen(variant("B", **rare), variant("A", **rare)) is None
    assert smallest_difference_seen(variant("B", clean_users=0), variant("A")) is None


def test_caveats_tell_what_weakens_a_comparison() -> None:
    assert caveats(variant("A"), 100, 0) == []
    assert caveats(variant("A"), 1000, 3) == [
        "3 of 1,000 users (0.3 %) saw several variants and are left out."
    ]
    assert caveats(variant("A", is_control=None, days_running=3), 10, 2) == [
        "2 of 10 users (20.0 %) saw several variants and are left out, which is too many to trust"
        " the rest blindly.",
        "No control is declared in seeds/experiments.csv: the others are compared with A, the first"
        " by name.",
        "It ran for less than a week, so weekdays may explain a difference.",
    ]


def test_experiments_are_told_with_their_caveats(warehouse: Warehouse) -> None:
    fill(
        warehouse,
        events=[event("NX-1", "a", "2025-06-02")],
        experiment_users=[
            {"app_token": "NX-1", "experiment_id": "9", "is_contaminated": contaminated}
            for contaminated in (True, True, False)
        ],
        experiment_variants=[
            variant("A", is_control=None),
            variant("B", is_control=None, difference=None),
            variant("A", experiment_id="12"),
        ],
    )
    nine, twelve = page_of(warehouse).app()["experiments"]["rows"]
    assert (nine["name"], len(nine["caveats"])) == ("Experiment 9", 2)
    assert [one["kind"] for one in nine["conclusions"]] == ["few"]
    assert (twelve["name"], twelve["conclusions"]) == ("Experiment 12", [])


# ---------- the parts


def test_numbers_are_written_for_people() -> None:
    assert [number(1234567), number(-0.04, 1), number(-1234.56, 1), number(None)] == [
        "1,234,567",
        "0.0",
        f"{MINUS}1,234.6",
        NOTHING,
    ]
    assert [probability(0.0001), probability(0.0312)] == ["p < 0.001", "p = 0.031"]
    assert printable("a\0b\x1b\u202ec") == "a\ufffdb\ufffd\ufffdc"
    for shown in ("\u682a\u3000\u793e", "1\u00a0000", "\U0001f469\u200d\U0001f680"):
        assert printable(shown) == shown
    assert printable("x" * 120) == "x" * 120
    assert len(printable("x" * 1000)) == 120
