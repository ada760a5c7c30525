"""The semantic layer: it is valid, and every metric gives the number of its mart.

`UPDATE_DOCUMENTS=1 pytest tests/python/test_metrics.py` prints the tables of docs/metrics.md anew:
read the diff.
"""
# ruff: noqa: S608 - the queries are put together from names of this file alone

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pytest
from building import ROOT, Build, copy_project
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow.validation.data_warehouse_model_validator import DataWarehouseModelValidator
from metricflow_semantic_interfaces.protocols.semantic_manifest import SemanticManifest
from metricflow_semantic_interfaces.validations.semantic_manifest_validator import (
    SemanticManifestValidator,
)
from metricflow_semantics.model.dbt_manifest_parser import (
    parse_manifest_from_dbt_generated_manifest,
)
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

PAGE = ROOT / "docs/metrics.md"
DAY, MONTH = "metric_time__day", "metric_time__month"


# --- MetricFlow on a database that nobody locks ----------------------------------------------


class ReadOnlyClient:
    """What MetricFlow asks of a database to explain its queries and to validate them."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def dry_run(self, stmt: str, sql_bind_parameter_set: object = None) -> None:
        self._connection.execute(f"explain {stmt}")


@dataclass(frozen=True)
class Metrics:
    """The semantic layer of a build, and the build's tables."""

    manifest: SemanticManifest
    artifact: dict[str, Any]
    connection: duckdb.DuckDBPyConnection

    @cached_property
    def client(self) -> Any:
        return ReadOnlyClient(self.connection)

    @cached_property
    def engine(self) -> MetricFlowEngine:
        return MetricFlowEngine(SemanticManifestLookup(self.manifest), self.client)

    def sql(self, metrics: Sequence[str], by: Sequence[str], where: str | None = None) -> str:
        """The SQL that `mf query` would run."""
        request = MetricFlowQueryRequest.create(
            metric_names=metrics,
            group_by_names=by,
            where_constraints=[where] if where else None,
        )
        return str(self.engine.explain(request).sql_statement.without_descriptions.sql)

    def query(
        self, metric: str, by: Sequence[str] = (), where: str | None = None
    ) -> list[tuple[Any, ...]]:
        """Rows of what it is grouped by, in that order, and the metric."""
        columns = ", ".join([*by, metric])
        rows = self.rows(f"select {columns} from ({self.sql([metric], by, where)})")
        assert rows, f"{metric} is empty"
        return rows

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of SQL in an order of their own, dates as dates, however they were truncated."""
        rows = self.connection.execute(sql).fetchall()
        plain = [
            tuple(value.date() if isinstance(value, datetime) else value for value in row)
            for row in rows
        ]
        return sorted(plain, key=lambda row: [str(value) for value in row[:-1]])


@pytest.fixture(scope="module")
def metrics(sample_build: Build) -> Iterator[Metrics]:
    text = (sample_build.warehouse / "target/semantic_manifest.json").read_text()
    with duckdb.connect(str(sample_build.database), read_only=True) as connection:
        yield Metrics(
            parse_manifest_from_dbt_generated_manifest(text), json.loads(text), connection
        )


def assert_same(got: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    """Same groups, same numbers; a rate may differ in the last bits of a double."""
    assert [row[:-1] for row in got] == [row[:-1] for row in expected]
    for (*group, value), (*_, number) in zip(got, expected, strict=True):
        assert value == (pytest.approx(number, rel=1e-12) if number is not None else None), group


# --- each metric and its mart ----------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A metric by some groups, and the same from the marts in plain SQL."""

    metric: str
    by: tuple[str, ...]
    sql: str
    where: str | None = None


NOW = "(select max(activity_date) from marts.daily_activity)"
UNTIL_NOW = f"{{{{ TimeDimension('metric_time', 'day') }}}} <= {NOW}"


def active_days(metric: str, column: str) -> Case:
    """A column of daily_activity: no row of the metric is a date with nobody."""
    return Case(
        metric,
        (DAY, "app_token"),
        f"select activity_date, app_token, {column} from marts.daily_activity where {column} > 0",
        UNTIL_NOW,
    )


def monthly(metric: str, expression: str) -> Case:
    return Case(
        metric,
        (MONTH, "app_token"),
        f"select date_trunc('month', activity_date), app_token, {expression}"
        " from marts.daily_activity group by all",
    )


# Counted from the events, on the dates on which their user was active.
ON_ACTIVE_DAYS = """
    select events.occurred_date, events.app_token, count(*) as number
    from marts.events
    inner join marts.user_days
        on
            events.user_key = user_days.user_key
            and events.occurred_date = user_days.activity_date
    where events.event_type in ({types})
    group by all
"""


def events_of(metric: str, *types: str) -> Case:
    listed = ", ".join(f"'{name}'" for name in types)
    return Case(
        metric,
        (DAY, "app_token"),
        f"""
        select days.activity_date, days.app_token, coalesce(counted.number, 0)
        from (select distinct activity_date, app_token from marts.user_days) as days
        left join ({ON_ACTIVE_DAYS.format(types=listed)}) as counted
            on
                days.activity_date = counted.occurred_date
                and days.app_token = counted.app_token
        """,
    )


def of_mart(metric: str, mart: str, by: dict[str, str], number: str, where: str = "true") -> Case:
    """Rows of a mart as they are, columns by the names of the groups."""
    return Case(
        metric,
        tuple(by),
        f"select {', '.join(by.values())}, {number} from marts.{mart} where {where}",
    )


def retained(metric: str, column: str, day: int) -> Case:
    by = {DAY: "cohort_date", "app_token": "app_token"}
    return of_mart(metric, "retention", by, column, f"period = 'day' and period_n = {day}")


OF_FLOW = {"app_token": "app_token", "flow__flow_id": "flow_id"}
OF_SURVEY = {"app_token": "app_token", "survey__survey_id": "survey_id"}
OF_STEP = {
    "app_token": "app_token",
    "funnel_step__funnel": "funnel",
    "funnel_step__step": "step",
    "funnel_step__step_name": "step_name",
}
OF_FUNNEL = {"app_token": "app_token", "funnel_step__funnel": "funnel"}
OF_VARIANT = {
    "app_token": "app_token",
    "experiment_user__experiment_id": "experiment_id",
    "experiment_user__variant": "variant",
}
OF_NPS = {
    MONTH: "cast(period || '-01' as date)",
    "app_token": "app_token",
    "nps_response__nps_id": "nps_id",
}
LAST_STEP = (
    "step = (select max(steps.step) from marts.funnel_steps as steps"
    " where steps.funnel = funnel_steps.funnel)"
)
ALL_RESPONSES = "basis = 'all_responses' and period <> 'all'"
BY_START = {DAY: "started_date", "app_token": "app_token"}

CASES = [
    active_days("active_users", "dau"),
    active_days("daily_active_users", "dau"),
    active_days("weekly_active_users", "wau"),
    active_days("monthly_active_users", "mau"),
    of_mart(
        "stickiness",
        "daily_activity",
        {DAY: "activity_date", "app_token": "app_token"},
        "stickiness",
        "mau > 0",
    ),
    monthly("daily_active_users", "avg(nullif(dau, 0))"),
    monthly("weekly_active_users", "avg(nullif(wau, 0))"),
    monthly("monthly_active_users", "avg(nullif(mau, 0))"),
    monthly("stickiness", "avg(nullif(dau, 0)) / avg(nullif(mau, 0))"),
    monthly("new_users", "sum(new_users)"),
    of_mart(
        "new_users",
        "daily_activity",
        {DAY: "activity_date", "app_token": "app_token"},
        "new_users",
    ),
    Case(
        "active_companies",
        (MONTH, "app_token"),
        "select date_trunc('month', occurred_date), app_token, count(distinct company_id)"
        " from marts.events where is_activity and company_id is not null group by all",
    ),
    events_of("page_views", "page_view"),
    events_of("product_events", "track", "track_feature"),
    Case(
        "events_per_active_user",
        (MONTH, "app_token"),
        "select date_trunc('month', activity_date), app_token,"
        " sum(tracked_event_count + feature_event_count) / count(distinct user_id)"
        " from marts.user_days group by all",
    ),
    *(
        retained(f"{name}_day_{day}", column, day)
        for day in (1, 7, 28)
        for name, column in {
            "retained_users": "retained_users",
            "eligible_users": "eligible_users",
            "retention_rate": "rate",
        }.items()
    ),
    Case("users", ("app_token",), "select app_token, count(*) from marts.users group by all"),
    Case("companies", ("app_token",), "select app_token, count(*) from marts.companies group by 1"),
    of_mart("sessions", "sessions", BY_START, "count(*)", "true group by all"),
    of_mart(
        "average_session_duration",
        "sessions",
        BY_START,
        "sum(duration_seconds) / count(*)",
        "true group by all",
    ),
    of_mart(
        "bounce_rate",
        "sessions",
        {"app_token": "app_token", "session__device": "device_type"},
        "count(case when is_bounce then 1 end) / count(*)",
        "true group by all",
    ),
    of_mart("flow_viewers", "flows", OF_FLOW, "seen_users", "seen_users > 0"),
    of_mart("flow_completion_rate", "flows", OF_FLOW, "completion_rate", "seen_users > 0"),
    of_mart("survey_viewers", "surveys", OF_SURVEY, "seen_users"),
    of_mart("survey_respondents", "surveys", OF_SURVEY, "completed_users"),
    of_mart("survey_response_rate", "surveys", OF_SURVEY, "response_rate"),
    of_mart("nps_responses", "nps_scores", OF_NPS, "responses", ALL_RESPONSES),
    of_mart("nps_promoters", "nps_scores", OF_NPS, "promoters", ALL_RESPONSES),
    of_mart("nps_detractors", "nps_scores", OF_NPS, "detractors", ALL_RESPONSES),
    of_mart("nps", "nps_scores", OF_NPS, "nps", ALL_RESPONSES),
    of_mart("experiment_clean_users", "experiment_variants", OF_VARIANT, "clean_users"),
    of_mart("experiment_converted_users", "experiment_variants", OF_VARIANT, "converted_users"),
    of_mart("experiment_conversion_rate", "experiment_variants", OF_VARIANT, "conversion_rate"),
    of_mart("funnel_step_users", "funnel_steps", OF_STEP, "users"),
    of_mart("funnel_step_conversion_from_first", "funnel_steps", OF_STEP, "conversion_from_first"),
    of_mart(
        "funnel_step_conversion_from_previous", "funnel_steps", OF_STEP, "conversion_from_previous"
    ),
    of_mart(
        "funnel_conversion_rate", "funnel_steps", OF_FUNNEL, "conversion_from_first", LAST_STEP
    ),
    of_mart(
        "activation_rate",
        "funnel_steps",
        {"app_token": "app_token"},
        "conversion_from_first",
        f"funnel = 'activation' and {LAST_STEP}",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.metric} by {case.by[0]}")
def test_a_metric_is_the_number_of_its_mart(case: Case, metrics: Metrics) -> None:
    assert_same(metrics.query(case.metric, case.by, case.where), metrics.rows(case.sql))


def test_every_metric_has_a_case(metrics: Metrics) -> None:
    assert {metric.name for metric in metrics.manifest.metrics} == {case.metric for case in CASES}


@pytest.mark.parametrize(
    ("metric", "sql"),
    [
        ("active_users", "select count(distinct user_key) from marts.user_days"),
        ("active_companies", "select count(distinct company_key) from marts.company_days"),
        ("flow_viewers", "select count(distinct user_key) from marts.interactions"
         " where entity_type = 'experience' and interaction_status = 'SEEN'"),
        ("funnel_step_users", "select count(distinct user_key) from marts.funnel_users"),
    ],
)  # fmt: skip
def test_users_are_counted_once_over_all_groups(metric: str, sql: str, metrics: Metrics) -> None:
    assert_same(metrics.query(metric), metrics.rows(sql))


@pytest.mark.parametrize(
    ("by", "column"),
    [
        ("user__plan", "users.plan_type"),
        ("user__country", "users.latest_country_code"),
        ("user__device", "users.latest_device_type"),
        ("user__company__company_name", "companies.company_name"),
        ("user__company__plan", "companies.plan"),
    ],
)
def test_active_users_by_what_is_known_of_them(by: str, column: str, metrics: Metrics) -> None:
    expected = metrics.rows(f"""
        select {column}, count(distinct user_days.user_key)
        from marts.user_days
        inner join marts.users on user_days.user_key = users.user_key
        left join marts.companies on users.company_key = companies.company_key
        group by {column}
    """)
    assert_same(metrics.query("active_users", [by]), expected)


def test_nps_of_companies_is_that_of_then(metrics: Metrics) -> None:
    expected = metrics.rows("""
        select
            companies.plan,
            100 * avg(case category when 'promoter' then 1 when 'detractor' then -1 else 0 end)
        from marts.nps_responses
        left join marts.companies on nps_responses.company_key = companies.company_key
        where score is not null
        group by companies.plan
    """)
    assert_same(metrics.query("nps", ["company__plan"]), expected)


def test_metrics_of_several_tables_stand_side_by_side(metrics: Metrics) -> None:
    names = ["active_users", "new_users", "sessions", "events_per_active_user"]
    together = metrics.sql(names, [MONTH, "app_token"])
    for name in names:
        rows = metrics.rows(
            f"select {MONTH}, app_token, {name} from ({together}) where {name} is not null"
        )
        assert_same(rows, metrics.query(name, [MONTH, "app_token"]))


# --- the layer itself ------------------------------------------------------------------------


def test_the_layer_is_valid(metrics: Metrics) -> None:
    """What `mf validate-configs` does, against the tables too."""
    validator = DataWarehouseModelValidator(metrics.client)
    results = [
        SemanticManifestValidator[SemanticManifest]().validate_semantic_manifest(metrics.manifest),
        validator.validate_semantic_models(metrics.manifest),
        validator.validate_dimensions(metrics.manifest),
        validator.validate_entities(metrics.manifest),
        validator.validate_simple_metrics(metrics.manifest),
        validator.validate_metrics(metrics.manifest),
    ]
    assert not [issue.message for result in results for issue in result.errors]


def test_everything_has_a_label_and_a_description(metrics: Metrics) -> None:
    models = metrics.artifact["semantic_models"]
    parts = ("entities", "dimensions", "measures")
    for item in [
        *metrics.artifact["metrics"],
        *models,
        *(part for model in models for kind in parts for part in model[kind]),
    ]:
        assert item["label"], item["name"]
        assert len(item["description"]) > 10, item["name"]


def test_labels_of_metrics_are_unique(metrics: Metrics) -> None:
    labels = [metric["label"] for metric in metrics.artifact["metrics"]]
    assert len(set(labels)) == len(labels)


def test_every_metric_has_all_its_dimensions(metrics: Metrics) -> None:
    """Each is asked by all that MetricFlow lists for it, and the database knows every column."""
    for metric in metrics.engine.list_metrics():
        names = sorted({dimension.dunder_name for dimension in metric.dimensions})
        assert len(names) > 1, metric.name
        metrics.client.dry_run(metrics.sql([metric.name], [*names, "app_token"]))


def test_no_personal_data_is_a_dimension(metrics: Metrics) -> None:
    names = {
        dimension["expr"] or dimension["name"]
        for model in metrics.artifact["semantic_models"]
        for dimension in model["dimensions"]
    }
    assert not names & {"email", "name", "traits", "user_id", "feedback", "user_agent"}


# --- docs/metrics.md -------------------------------------------------------------------------

TABLE = re.compile(r"(?<=<!-- metrics -->\n\n)(\|[^\n]*\n)+")
COMMAND = re.compile(
    r"```sh\n\.venv/bin/mf (?P<command>query [^`]*?)\n```\n\n```text\n(?P<result>.*?)```",
    re.DOTALL,
)
# All commands in one process, as importing MetricFlow takes longer than a query; without a look at
# PyPI for a newer version, whose announcement would stand among the results.
RUN = """
import json, sys
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from dbt_metricflow.cli.main import UpdateChecker, cli
UpdateChecker.check = lambda *_: None
configuration = CLIConfiguration()
for command in json.loads(sys.argv[1]):
    cli.main(command, obj=configuration, standalone_mode=False)
    print("\\0", flush=True)
"""


def table_of_metrics(metrics: Metrics) -> str:
    lines = ["| metric | meaning | equals, in `marts` |", "|---|---|---|"]
    for metric in sorted(metrics.artifact["metrics"], key=lambda metric: str(metric["name"])):
        meaning = " ".join(metric["description"].split())
        equals = metric["config"]["meta"]["equals"]
        lines.append(f"| `{metric['name']}` | {meaning} | {equals} |")
    return "".join(f"{line}\n" for line in lines)


def check_page(current: str) -> None:
    if os.environ.get("UPDATE_DOCUMENTS"):
        PAGE.write_text(current)
    assert PAGE.read_text() == current


def test_the_page_lists_every_metric(metrics: Metrics) -> None:
    check_page(TABLE.sub(lambda _: table_of_metrics(metrics), PAGE.read_text(), count=1))


def test_the_commands_of_the_page_print_what_it_shows(sample_build: Build, tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    (project / "target").mkdir()
    (project / "warehouse").mkdir()
    # `mf` opens the database to write; readers of the sample shall not notice.
    shutil.copy(sample_build.database, project / "warehouse/build.duckdb")
    shutil.copy(sample_build.warehouse / "target/semantic_manifest.json", project / "target")
    page = PAGE.read_text()
    commands = [
        shlex.split(command["command"].replace("\\\n", "")) for command in COMMAND.finditer(page)
    ]
    assert len(commands) >= 3
    run = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps([[*command, "--quiet"] for command in commands])],
        cwd=project,
        env={k: v for k, v in os.environ.items() if not k.startswith(("USERPILOT", "DBT"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    printed = iter(run.stdout.split("\0\n"))

    def renewed(example: re.Match[str]) -> str:
        head = example[0].removesuffix(example["result"] + "```")
        return f"{head}{next(printed)}```"

    check_page(COMMAND.sub(renewed, page))
