"""The report: the numbers of the published tables, and nothing a browser could mistake for code."""

import itertools
import json
import re
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import Build
from click.testing import CliRunner

from scripts.report import (
    MINUS,
    NOTHING,
    command,
    conclusion,
    duration,
    funnels,
    number,
    percent,
    printable,
    probability,
    report,
    round_up,
    weekly_trend,
)
from scripts.warehouse import Warehouse

HOSTILE = (
    "</title></style></script><script>alert('1')</script>",
    '"><img src=x onerror="alert(2)">',
    "' onmouseover='alert(3)",
    "{{ 7 * 7 }}{% raw %}<!-- -->",
    "&lt;b&gt; &amp;",
)
TABLES = """
create schema marts; create schema audit;
create table marts.events (app_token text, user_id text, company_id text, occurred_date date,
    is_activity boolean, is_future_dated boolean);
create table marts.users (app_token text, user_id text);
create table marts.sessions (app_token text, user_id text);
create table marts.companies (app_token text, company_id text, company_name text, plan text,
    industry text, current_user_count bigint, active_user_count_28d bigint, event_count bigint);
create table marts.tracked_events (app_token text, event_name text, user_id text,
    occurred_date date, is_future_dated boolean);
create table marts.feature_events (app_token text, feature_id text, feature_name text,
    user_id text, occurred_date date, is_future_dated boolean);
create table marts.nps_scores (app_token text, nps_id text, period text, basis text,
    responses bigint, promoters bigint, passives bigint, detractors bigint, nps double,
    margin_of_error_95 double, response_rate double);
create table marts.experiment_users (app_token text, experiment_id text, is_contaminated boolean);
create table marts.experiment_variants (app_token text, experiment_id text, variant text,
    is_control boolean, is_reference boolean, clean_users bigint, converted_users bigint,
    conversion_rate double, conversion_rate_low double, conversion_rate_high double,
    difference double, difference_low double, difference_high double, holm_p_value double,
    srm_p_value double, has_srm boolean, days_running bigint);
create table marts.funnel_steps (funnel text, app_token text, step bigint, step_name text,
    users bigint, conversion_from_first double, median_seconds_from_previous double);
create table audit.file_ledger (path text, status text, physical_lines bigint, blank_lines bigint,
    rejected_lines bigint, duplicate_lines bigint, new_events bigint);
create table audit.rejected_lines (path text, reason text, line_count bigint);
"""


class Page(HTMLParser):
    """What a browser makes of the page: its elements, and its text."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.source = page.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "bdi":
            self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    @property
    def figures(self) -> list[float]:
        return [float(attrs["value"] or "") for tag, attrs in self.tags if tag == "data"]


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A published warehouse without a row."""
    warehouse = Warehouse(tmp_path)
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute(TABLES)
    return warehouse


def fill(warehouse: Warehouse, **tables: list[dict[str, Any]]) -> None:
    with duckdb.connect(str(warehouse.published_database)) as connection:
        for name, rows in tables.items():
            schema = "audit" if name in ("file_ledger", "rejected_lines") else "marts"
            for row in rows:
                connection.execute(
                    f"insert into {schema}.{name} ({', '.join(row)})"  # noqa: S608
                    f" values ({', '.join('?' * len(row))})",
                    list(row.values()),
                )


def event(app: str, user: str | None, day: str, **columns: Any) -> dict[str, Any]:
    usual = {"is_activity": True, "is_future_dated": False}
    return {"app_token": app, "user_id": user, "occurred_date": day} | usual | columns


def variant(name: str, **columns: Any) -> dict[str, Any]:
    """A row of experiment_variants; without a difference it is the control."""
    is_reference = "difference" not in columns
    return {
        "app_token": "NX-1",
        "experiment_id": "9",
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
    """Nothing runs, nothing loads, nothing leads away."""
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "base", "a", "form"}
    attributes = [name for _, attrs in page.tags for name in attrs]
    assert not [name for name in attributes if name.startswith("on")]
    assert not {"src", "href", "srcset", "action", "xlink:href"} & set(attributes)
    styles = re.findall(r"<style>(.*?)</style>", page.source, re.DOTALL)
    styles += [attrs["style"] for _, attrs in page.tags if attrs.get("style")]
    assert styles
    assert not [style for style in styles if re.search(r"url\(|@import|https?:", style)]
    policy = [
        attrs["content"]
        for tag, attrs in page.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


# ---------- the page


def test_an_empty_warehouse_gives_a_page(warehouse: Warehouse) -> None:
    page = page_of(warehouse)
    assert "No events yet" in page.words
    assert "No data yet" in page.words
    refuse_code(page)


def test_an_app_with_one_future_event_gives_a_page(warehouse: Warehouse) -> None:
    fill(warehouse, events=[event("NX-1", None, "2030-01-01", is_future_dated=True)])
    page = page_of(warehouse)
    assert "Nobody was active yet" in page.words
    assert "1 event is dated in the future" in page.words


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


def test_the_command_prints_one_json_object(warehouse: Warehouse) -> None:
    result = CliRunner().invoke(command, ["--warehouse", str(warehouse.folder), "--json"])
    assert json.loads(result.stdout)["report"] == str(warehouse.report_page)
    assert [path.name for path in warehouse.report_page.parent.iterdir()] == ["index.html"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_never_obeyed(warehouse: Warehouse, text: str) -> None:
    fill_with(warehouse, "harmless")
    harmless = page_of(warehouse)
    with duckdb.connect(str(warehouse.published_database)) as connection:
        connection.execute("drop schema marts cascade; drop schema audit cascade")
        connection.execute(TABLES)
    fill_with(warehouse, text)
    hostile = page_of(warehouse)
    assert hostile.text.count(text) == harmless.text.count("harmless") == 20
    assert elements(hostile) == elements(harmless)
    refuse_code(hostile)


def elements(page: Page) -> list[tuple[str, list[str]]]:
    return [(tag, list(attrs)) for tag, attrs in page.tags]


def fill_with(warehouse: Warehouse, text: str) -> None:
    """Put the text wherever the exports and the seeds have a say."""
    app = {"app_token": text}
    used = {"user_id": text, "occurred_date": "2025-06-01", "is_future_dated": False}
    fill(
        warehouse,
        events=[event(app, text, "2025-06-01") for app in (text, text, "NX-2")],
        users=[app | {"user_id": text}],
        companies=[
            app | {"company_id": text, "plan": text, "industry": text, "event_count": 2},
            app | {"company_id": "x", "company_name": text, "event_count": 1},
        ],
        tracked_events=[app | used | {"event_name": text}],
        feature_events=[app | used | {"feature_name": text}],
        nps_scores=[score(period, nps_id=text) | app for period in ("all", "2025-06")],
        experiment_variants=[
            variant(text, experiment_id=text, is_control=None) | app,
            variant(text + "B", experiment_id=text, difference=None, is_reference=False) | app,
        ],
        funnel_steps=[
            app
            | {"funnel": text, "step": 1, "step_name": text, "users": 1}
            | {"conversion_from_first": 1.0}
        ],
        file_ledger=[{"path": text, "status": text}],
        rejected_lines=[{"path": text, "reason": text, "line_count": 1}],
    )


def test_the_numbers_are_those_of_the_tables(warehouse: Warehouse) -> None:
    fill(
        warehouse,
        events=[
            event("NX-1", "a", "2025-06-02"),  # a Monday
            event("NX-1", "a", "2025-06-08"),
            event("NX-1", "b", "2025-06-08"),
            event("NX-1", "c", "2025-06-08", is_activity=False),
            event("NX-1", None, "2025-06-08"),
            event("NX-1", "a", "2025-06-23"),
            event("NX-1", "z", "2031-01-01", is_future_dated=True),
            event("NX-2", "a", "2025-06-25"),
        ],
        users=[{"app_token": "NX-1", "user_id": user} for user in "abcz"]
        + [{"app_token": "NX-2", "user_id": "a"}],
        companies=[
            {"app_token": "NX-1", "company_id": f"c{i:02}", "active_user_count_28d": i}
            for i in range(12)
        ],
        sessions=[{"app_token": "NX-1", "user_id": "a"}] * 1234,
        nps_scores=[
            score("all", responses=9, nps=12.5, nps_id="small"),
            score("all"),
            score("2025-05", nps=-3.21),
            score("2025-06", nps=61.3),
            score("all", basis="all_responses", nps=99.0, responses=1000),
        ],
        tracked_events=[
            {"app_token": "NX-1", "event_name": "Paid", "user_id": user, "occurred_date": day}
            | {"is_future_dated": day > "2030"}
            for user, day in zip(
                "aabz", ("2025-06-25", "2025-06-01", "2025-05-01", "2031-01-01"), strict=True
            )
        ],
        funnel_steps=[
            {"app_token": "NX-1", "funnel": "f", "step": step, "step_name": f"s{step}"}
            | {"users": users, "conversion_from_first": users / 200}
            for step, users in ((1, 200), (2, 150), (3, 30))
        ],
        file_ledger=[
            {"path": str(i), "status": "loaded", "physical_lines": 1000, "blank_lines": 1}
            | {"rejected_lines": 2, "duplicate_lines": 3, "new_events": 994}
            for i in range(3)
        ],
        rejected_lines=[{"path": str(i), "reason": "not_json", "line_count": 2} for i in range(3)],
    )
    page = page_of(warehouse)
    # Users, companies, sessions, events, NPS of the survey with most responses; app by app.
    assert page.figures == [4, 12, 1234, 7, 40, 1, 0, 0, 1]
    words = page.words
    assert "Data up to 25 June 2025," in words
    assert "2 active in the last 28 days" in words
    assert "± 22, 50 users" in words
    assert (
        "Week from Active users 2025-06-23 (not over) 1 2025-06-16 0 2025-06-09 0 2025-06-02 2"
        in words
    )
    assert f"2025-06 61.3 ± 22.2 50 30 10 10 50 % 2025-05 {MINUS}3.2 ± 22.2" in words
    assert "Paid 2 1 3" in words
    assert "s3 30 15 % 120 lost (80 % of the step before), the biggest drop" in words
    assert "s2 150 75 % 50 lost (25 % of the step before) s3" in words
    assert "loaded 3 3,000 2,982 9 6 3" in words
    assert "not JSON not_json 6 3" in words
    assert f"c11 {NOTHING} {NOTHING} 11" in words
    assert "c01" not in words


def test_weeks_of_the_chart_are_as_high_as_their_users(warehouse: Warehouse) -> None:
    days = ["2025-06-02"] * 4 + ["2025-06-09"] * 1 + ["2025-06-16"] * 2
    events = [event("NX-1", f"u{i}", day) for i, day in enumerate(days)]
    fill(warehouse, events=events)
    page = page_of(warehouse)
    bars = [attrs for tag, attrs in page.tags if (attrs.get("class") or "").startswith("bar")]
    heights = [float(bar["height"] or "") for bar in bars]
    assert heights == [100, 25, 50]
    assert [bar["class"] for bar in bars] == ["bar", "bar", "bar open"]


def test_a_real_build_shows_its_own_numbers(sample_build: Build) -> None:
    warehouse = Warehouse(sample_build.warehouse)
    page = page_of(warehouse)
    refuse_code(page)
    with duckdb.connect(str(warehouse.published_database), read_only=True) as connection:
        tables = ("users", "companies", "sessions", "events")
        apps = connection.execute(
            "select app_token from marts.events group by 1 order by count(*) desc"
        ).fetchall()
        counts = [
            connection.execute(
                f"select count(*) from marts.{table} where app_token = ?",  # noqa: S608
                app,
            ).fetchall()[0][0]
            for app, table in itertools.product(apps, tables)
        ]
        nps = connection.execute(
            "select nps from marts.nps_scores where period = 'all' and basis = 'latest_per_user'"
        ).fetchall()
    assert [figure for figure in page.figures if figure in counts] == counts
    assert {figure for figure in page.figures if figure not in counts} <= {row[0] for row in nps}


# ---------- what may be concluded


@pytest.mark.parametrize(
    ("row", "kind", "sentence"),
    [
        (
            variant("B", difference=0.1, difference_low=0.02, difference_high=0.18)
            | {"holm_p_value": 0.01},
            "better",
            "B converts better than A, by 10.0 percentage points"
            " (difference 10.0, 95 % interval 2.0 to 18.0).",
        ),
        (
            variant("B", difference=-0.1, difference_low=-0.18, difference_high=-0.02)
            | {"holm_p_value": 0.01},
            "worse",
            "B converts worse than A, by 10.0 percentage points"
            f" (difference {MINUS}10.0, 95 % interval {MINUS}18.0 to {MINUS}2.0).",
        ),
        (
            variant("B", difference=0.1, difference_low=0.02, difference_high=0.18)
            | {"holm_p_value": 0.06},
            "open",
            "B against A: no difference is shown"
            " (10.0 percentage points, 95 % interval 2.0 to 18.0).",
        ),
        (
            variant("B", difference=0.1, difference_low=-0.01, difference_high=0.18)
            | {"holm_p_value": 0.049},
            "open",
            "B against A: no difference is shown"
            f" (10.0 percentage points, 95 % interval {MINUS}1.0 to 18.0).",
        ),
        (
            variant("B", difference=0.1, difference_low=0.02, difference_high=0.18)
            | {"holm_p_value": 0.0001, "has_srm": True, "srm_p_value": 0.00002},
            "broken",
            "B against A: nothing can be concluded, because users were not split as planned"
            " (p < 0.001).",
        ),
        (
            variant("B", difference=None),
            "unknown",
            "B against A: there is too little data to compare them.",
        ),
    ],
)
def test_conclusions(row: dict[str, Any], kind: str, sentence: str) -> None:
    assert conclusion(row, variant("A")) == {"kind": kind, "text": sentence}


def test_experiments_tell_of_what_they_left_out(warehouse: Warehouse) -> None:
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
    words = page_of(warehouse).words
    assert "Experiment 9 30 days. 2 users saw several variants and are left out." in words
    assert "No control is declared, so the others are compared with A, the first by name." in words
    assert "Experiment 12 30 days. Too little data Only one variant was seen" in words


# ---------- the parts


def test_weeks_have_no_gaps_and_end_with_the_data() -> None:
    rows = [{"week": date(2025, 6, 2), "users": 3}]
    weeks = weekly_trend(rows, date(2025, 6, 22))
    assert [(week["users"], week["is_open"]) for week in weeks] == [(3, False)] + [(0, False)] * 2
    years = [{"week": date(2019, 6, 3), "users": 1}, *rows]
    shown = weekly_trend(years, date(2025, 6, 4))
    assert len(shown) == 53
    assert shown[0]["week"] == date(2025, 6, 2) - timedelta(weeks=52)
    assert shown[-1] | {"users": 3, "is_open": True} == shown[-1]


def test_a_funnel_nobody_leaves_has_no_biggest_drop() -> None:
    steps = [{"funnel": "f", "users": 5}, {"funnel": "f", "users": 5}]
    (funnel,) = funnels(steps)
    assert [(step["lost"], step["is_worst"]) for step in funnel["steps"]] == [
        (None, False),
        (0, False),
    ]


def test_numbers_are_written_for_people() -> None:
    assert [number(1234567), number(-0.04, 1), number(-1234.56, 1), number(None)] == [
        "1,234,567",
        "0.0",
        f"{MINUS}1,234.6",
        NOTHING,
    ]
    assert [percent(0.1234), percent(None)] == ["12.3 %", NOTHING]
    assert [probability(0.0001), probability(0.0312)] == ["p < 0.001", "p = 0.031"]
    assert [duration(59), duration(90), duration(5400), duration(129600)] == [
        "59 s",
        "1.5 min",
        "1.5 h",
        "1.5 days",
    ]
    assert [round_up(value) for value in (0, 1, 3, 5, 10, 11, 41, 101, 1000)] == [
        2, 2, 4, 10, 10, 20, 100, 200, 1000,
    ]  # fmt: skip
    assert printable("a\0b\x1b\u202ec") == "a�b��c"
    assert len(printable("x" * 1000)) == 120
