"""`report`: one page for people who would rather look than query."""

import contextlib
import itertools
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.errors import UsageProblem
from scripts.warehouse import Warehouse, duckdb_settings, warehouse_option

TEMPLATE = "report_page.html.j2"
WEEKS_SHOWN = 53
MONTHS_SHOWN = 12
TOP = 10
SIGNIFICANT = 0.05
TEXT_LENGTH = 120
NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

Row = dict[str, Any]

AS_OF = "select max(occurred_date) as as_of_date from marts.events where not is_future_dated"

HEADLINES = f"""
with

as_of as (

    {AS_OF}

),

event_counts as (

    select
        app_token,
        count(*) as events,
        count(distinct case
            when is_activity and not is_future_dated and occurred_date > as_of_date - 28
                then user_id
        end) as active_users_28d
    from marts.events
    cross join as_of
    group by app_token

),

user_counts as (

    select app_token, count(*) as users
    from marts.users
    group by app_token

),

company_counts as (

    select app_token, count(*) as companies
    from marts.companies
    group by app_token

),

session_counts as (

    select app_token, count(*) as sessions
    from marts.sessions
    group by app_token

)

select
    app_token,
    events,
    active_users_28d,
    coalesce(users, 0) as users,
    coalesce(companies, 0) as companies,
    coalesce(sessions, 0) as sessions
from event_counts
left join user_counts using (app_token)
left join company_counts using (app_token)
left join session_counts using (app_token)
order by events desc, app_token
"""  # noqa: S608 (put together of constants)

WEEKS = """
select
    app_token,
    cast(date_trunc('week', occurred_date) as date) as week,
    count(distinct user_id) as users
from marts.events
where is_activity and not is_future_dated and user_id is not null
group by all
order by all
"""

NPS = """
select app_token, nps_id, period, responses, promoters, passives, detractors, nps,
    margin_of_error_95 as margin, response_rate
from marts.nps_scores
where basis = 'latest_per_user'
order by app_token, nps_id, period
"""

VARIANTS = """
with

contaminated as (

    select app_token, experiment_id, count(*) as contaminated_users
    from marts.experiment_users
    where is_contaminated
    group by all

)

select variants.*, coalesce(contaminated_users, 0) as contaminated_users
from marts.experiment_variants as variants
left join contaminated using (app_token, experiment_id)
order by app_token, experiment_id, variant
"""

FUNNEL_STEPS = """
select app_token, funnel, step, step_name, users, conversion_from_first,
    median_seconds_from_previous as median_seconds
from marts.funnel_steps
order by app_token, funnel, step
"""

TOP_EVENTS = """
with

as_of as (

    {as_of}

),

used as (

    select
        app_token,
        {name} as name,
        count(*) as events,
        count(distinct user_id) as users,
        count(distinct case when occurred_date > as_of_date - 28 then user_id end) as users_28d
    from marts.{table}
    cross join as_of
    where not is_future_dated and {name} is not null
    group by all

)

select *
from used
qualify row_number() over (partition by app_token order by users desc, events desc, name) <= {top}
order by app_token, users desc, events desc, name
"""

TRACKED_EVENTS = TOP_EVENTS.format(as_of=AS_OF, name="event_name", table="tracked_events", top=TOP)
FEATURES = TOP_EVENTS.format(
    as_of=AS_OF, name="coalesce(feature_name, feature_id)", table="feature_events", top=TOP
)

COMPANIES = f"""
select app_token, company_id, coalesce(company_name, company_id) as name, plan, industry,
    current_user_count as users, active_user_count_28d as active_users, event_count as events
from marts.companies
qualify row_number() over (
    partition by app_token
    order by active_user_count_28d desc, current_user_count desc, event_count desc, company_id
) <= {TOP}
order by app_token, active_users desc, users desc, events desc, company_id
"""  # noqa: S608 (put together of constants)

FILES = """
select
    status,
    count(*) as files,
    sum(physical_lines) as physical_lines,
    sum(blank_lines) as blank_lines,
    sum(rejected_lines) as rejected_lines,
    sum(duplicate_lines) as duplicate_lines,
    sum(new_events) as new_events
from audit.file_ledger
group by status
order by files desc, status
"""

REJECTED = """
select reason, sum(line_count) as lines, count(distinct path) as files
from audit.rejected_lines
group by reason
order by lines desc, reason
"""

FUTURE_DATED = "select count(*) as events from marts.events where is_future_dated"


@dataclass(frozen=True)
class ReportSummary:
    """What the page tells of."""

    report: str
    published_at: str
    as_of_date: str | None
    apps: int
    events: int
    seconds: float


def report(warehouse: Warehouse) -> ReportSummary:
    """Write the report page of the published tables.

    Raises:
        UsageProblem: nothing was published yet, or the page cannot be written.
    """
    started = time.monotonic()
    database = warehouse.published_database
    if not database.exists():
        raise UsageProblem(f"{database} does not exist yet. Run `make build` or `make publish`.")
    try:
        with contextlib.closing(
            duckdb.connect(str(database), read_only=True, config=duckdb_settings())
        ) as connection:
            published_at = datetime.fromtimestamp(database.stat().st_mtime, UTC)
            facts = read_facts(connection)
        _write(warehouse.report_page, render(facts, published_at))
    except (OSError, duckdb.Error) as error:
        reason = (getattr(error, "strerror", None) or str(error)).splitlines()[0]
        raise UsageProblem(
            f"Cannot make the report of {database}: {reason.rstrip('.')}. If the published tables"
            " are of an earlier version, run `make build` again."
        ) from None
    return ReportSummary(
        report=str(warehouse.report_page),
        published_at=published_at.isoformat(timespec="seconds"),
        as_of_date=facts["as_of_date"].isoformat() if facts["as_of_date"] else None,
        apps=len(facts["apps"]),
        events=sum(app["headline"]["events"] for app in facts["apps"]),
        seconds=round(time.monotonic() - started, 3),
    )


# ---------- read


def read_facts(connection: duckdb.DuckDBPyConnection) -> Row:
    """Read everything the page shows."""
    as_of = _rows(connection, AS_OF)[0]["as_of_date"]
    weeks = _by_app(_rows(connection, WEEKS))
    nps = _by_app(_rows(connection, NPS))
    variants = _by_app(_rows(connection, VARIANTS))
    steps = _by_app(_rows(connection, FUNNEL_STEPS))
    tracked_events = _by_app(_rows(connection, TRACKED_EVENTS))
    features = _by_app(_rows(connection, FEATURES))
    companies = _by_app(_rows(connection, COMPANIES))
    apps = [
        {
            "headline": headline,
            "weeks": weekly_trend(weeks[token], as_of),
            "surveys": nps_surveys(nps[token]),
            "experiments": experiments(variants[token]),
            "funnels": funnels(steps[token]),
            "tracked_events": tracked_events[token],
            "features": features[token],
            "companies": companies[token],
        }
        for headline in _rows(connection, HEADLINES)
        for token in [headline["app_token"]]
    ]
    return {
        "as_of_date": as_of,
        "apps": apps,
        "files": _rows(connection, FILES),
        "rejected": _rows(connection, REJECTED),
        "future_dated": _rows(connection, FUTURE_DATED)[0]["events"],
    }


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    result = connection.execute(query)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _by_app(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    return _grouped(rows, "app_token")


def _grouped(rows: Iterable[Row], key: str) -> defaultdict[str, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


# ---------- shape


def weekly_trend(rows: list[Row], as_of: date | None) -> list[Row]:
    """Weeks (from Monday) without gaps up to the as-of date, the last one open until Sunday."""
    if not rows or as_of is None:
        return []
    users = {row["week"]: row["users"] for row in rows}
    last = as_of - timedelta(days=as_of.weekday())
    shown = min(WEEKS_SHOWN, (last - min(users)).days // 7 + 1)
    weeks = [last - timedelta(weeks=back) for back in reversed(range(shown))]
    return [
        {
            "week": week,
            "users": users.get(week, 0),
            "is_open": as_of < week + timedelta(days=6),
            "starts_month": week.day <= 7,
        }
        for week in weeks
    ]


def nps_surveys(rows: list[Row]) -> list[Row]:
    """Surveys, the one with most responses first, each with its total and its latest months."""
    surveys = []
    for nps_id, periods in _grouped(rows, "nps_id").items():
        total = next(row for row in periods if row["period"] == "all")
        months = [
            row | {"month": date.fromisoformat(row["period"] + "-01")}
            for row in periods
            if row["period"] != "all"
        ]
        surveys.append({"nps_id": nps_id, "total": total, "months": months[-MONTHS_SHOWN:]})
    return sorted(surveys, key=lambda survey: -survey["total"]["responses"])


def experiments(rows: list[Row]) -> list[Row]:
    """Experiments with what may be concluded from each comparison."""
    found = []
    for experiment_id, variants in _grouped(rows, "experiment_id").items():
        reference = next(row for row in variants if row["is_reference"])
        found.append(
            {
                "experiment_id": experiment_id,
                "variants": variants,
                "reference": reference,
                "conclusions": [
                    conclusion(row, reference) for row in variants if not row["is_reference"]
                ],
            }
        )
    # By length first, so that 9 comes before 12.
    return sorted(found, key=lambda one: (len(one["experiment_id"]), one["experiment_id"]))


def conclusion(variant: Row, reference: Row) -> Row:
    """Say in one sentence what may be concluded; `kind` is what the sentence amounts to."""
    one, other = variant["variant"], reference["variant"]
    if variant["has_srm"]:
        chance = probability(variant["srm_p_value"])
        return {
            "kind": "broken",
            "text": f"{one} against {other}: nothing can be concluded, because users were not"
            f" split as planned ({chance}).",
        }
    if variant["difference"] is None or variant["holm_p_value"] is None:
        return {
            "kind": "unknown",
            "text": f"{one} against {other}: there is too little data to compare them.",
        }
    points = 100 * variant["difference"]
    low, high = 100 * variant["difference_low"], 100 * variant["difference_high"]
    interval = f"95 % interval {number(low, 1)} to {number(high, 1)}"
    if variant["holm_p_value"] < SIGNIFICANT and (low > 0 or high < 0):
        kind = "better" if points > 0 else "worse"
        return {
            "kind": kind,
            "text": f"{one} converts {kind} than {other}, by {number(abs(points), 1)} percentage"
            f" points (difference {number(points, 1)}, {interval}).",
        }
    return {
        "kind": "open",
        "text": f"{one} against {other}: no difference is shown ({number(points, 1)} percentage"
        f" points, {interval}).",
    }


def funnels(rows: list[Row]) -> list[Row]:
    """Funnels with the users lost at each step, and the step that loses most."""
    found = []
    for name, steps in _grouped(rows, "funnel").items():
        lost = [before["users"] - step["users"] for before, step in itertools.pairwise(steps)]
        worst = 1 + lost.index(max(lost)) if lost and max(lost) > 0 else None
        found.append(
            {
                "funnel": name,
                "steps": [
                    step
                    | {
                        "lost": lost[index - 1] if index else None,
                        "before": steps[index - 1]["users"] if index else None,
                        "is_worst": index == worst,
                    }
                    for index, step in enumerate(steps)
                ],
            }
        )
    return found


# ---------- write


def number(value: float | None, digits: int = 0) -> str:
    """Write a number for people, with a true minus sign; an en dash where there is none."""
    if value is None:
        return NOTHING
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share for people."""
    return NOTHING if value is None else f"{number(100 * value, digits)} %"


def probability(value: float | None) -> str:
    """Write a p value for people."""
    if value is None:
        return NOTHING
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def long_date(value: date) -> str:
    """Write a date for people."""
    return f"{value.day} {value:%B %Y}"


def duration(seconds: float | None) -> str:
    """Write a length of time for people, in its greatest unit."""
    if seconds is None:
        return NOTHING
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} s"


def printable(value: object) -> str:
    """Text from the exports, short and without what no page can show."""
    text = "".join(char if char.isprintable() else "�" for char in str(value))
    return text if len(text) <= TEXT_LENGTH else text[: TEXT_LENGTH - 1] + "…"


def round_up(value: float) -> int:
    """Find the end of an axis: 1, 2 or 5 times a power of ten, at least 2 (so that half is one)."""
    power = 1
    while True:
        for step in (2, 4, 10):
            if value <= step * power:
                return step * power
        power *= 10


def render(facts: Row, published_at: datetime) -> str:
    """Write the page. All text is escaped by the template's engine."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (number, percent, probability, long_date, duration, printable, round_up)
    environment.filters |= {one.__name__: one for one in filters}
    return environment.get_template(TEMPLATE).render(facts, published_at=published_at)


def _write(page: Path, text: str) -> None:
    """Write the page aside and rename it, so that a browser never loads half of it."""
    page.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=page.parent, prefix=".index-", delete=False
    ) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(page)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


# ---------- command


def describe(summary: ReportSummary) -> str:
    """Write the summary for people."""
    as_of = f"data up to {summary.as_of_date}" if summary.as_of_date else "no data yet"
    return (
        f"Report:   {summary.report}\n"
        f"Shows:    {summary.events:,} events of {summary.apps:,} apps, {as_of}\n"
        f"Took {summary.seconds:.1f} s."
    )


@click.command()
@warehouse_option
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def command(*, folder: Path, as_json: bool) -> None:
    """Write the report page of the published tables.

    Makes report/index.html in the warehouse folder: one file that a browser opens without any
    network. It reads userpilot.duckdb, so it shows what was published last, also while a build
    is running.

    \b
    Examples:
      python -m scripts report
      python -m scripts report --warehouse /data/warehouse
    """
    summary = report(Warehouse(folder))
    click.echo(json.dumps(asdict(summary)) if as_json else describe(summary))
