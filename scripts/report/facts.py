"""What the page shows, as one typed structure; JSON of it is all that the page gets."""

import itertools
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

import duckdb

from scripts.report import queries
from scripts.report.conclusions import Conclusion, caveats, conclusion
from scripts.report.queries import EVER

PERIODS = {"7": 7, "28": 28, "90": 90}
APPS_SHOWN = 20
DAYS_SHOWN = 2 * 366
COHORTS_SHOWN = 14
MONTHS_SHOWN = 24
CARDS_SHOWN = 12
STEPS_SHOWN = 20
TEXT_LENGTH = 120
JOINERS = "\u200c\u200d"

Row = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Totals:
    """Whatever was ever seen of an app."""

    users: int
    companies: int
    sessions: int
    events: int


@dataclass(frozen=True)
class Figures:
    """Headline figures of one period."""

    active_users: int
    new_users: int
    stickiness: float | None
    active_companies: int
    sessions: int
    page_views: int
    events: int


IDLE = Figures(0, 0, None, 0, 0, 0, 0)


@dataclass(frozen=True)
class NpsScore:
    """The score of a month (`YYYY-MM`) or of a period."""

    period: str
    responses: int
    promoters: int
    passives: int
    detractors: int
    nps: float
    margin: float
    response_rate: float | None


@dataclass(frozen=True)
class Period:
    """A period's figures, and those of the one before where the data reaches that far back."""

    figures: Figures
    previous: Figures | None
    nps: NpsScore | None
    previous_nps: NpsScore | None


@dataclass(frozen=True)
class Days:
    """Daily series, column by column, without gaps from the first date.

    Attributes:
        is_cut: there are earlier days too, for which the page has no room.
    """

    first_date: date | None
    is_cut: bool
    dau: list[int]
    wau: list[int]
    mau: list[int]
    stickiness: list[float | None]
    new_users: list[int]
    retained_users: list[int]
    resurrected_users: list[int]
    dormant_users: list[int]
    active_companies: list[int]
    sessions: list[int]
    events: list[int]
    page_views: list[int]
    tracked_events: list[int]
    feature_events: list[int]
    interactions: list[int]


@dataclass(frozen=True)
class CohortWeek:
    """A cohort, some weeks later."""

    cohort_date: date
    period_n: int
    cohort_users: int
    eligible_users: int
    retained_users: int
    rate: float | None
    is_open: bool


@dataclass(frozen=True)
class RetentionDay:
    """All users whose Nth day has come."""

    day_n: int
    eligible_users: int
    retained_users: int
    rate: float


@dataclass(frozen=True)
class FunnelStep:
    """A step of a funnel."""

    step: int
    step_name: str | None
    users: int
    conversion_from_first: float | None
    conversion_from_previous: float | None
    median_seconds: float | None
    p90_seconds: float | None


@dataclass(frozen=True)
class Funnel:
    """A funnel of who entered in a period; `worst_step` (an index) loses most users."""

    name: str
    steps: list[FunnelStep]
    steps_total: int
    worst_step: int | None


@dataclass(frozen=True)
class FlowStep:
    """A step of a flow."""

    step_number: int | None
    name: str
    seen_users: int
    completed_users: int
    dropped_users: int | None


@dataclass(frozen=True)
class Flow:
    """A flow of who first saw it in a period; `worst_step` (an index) loses most users."""

    name: str
    shown_users: int
    seen_users: int
    completed_users: int
    dismissed_users: int
    completion_rate: float | None
    median_seconds: float | None
    steps: list[FlowStep]
    steps_total: int
    worst_step: int | None


@dataclass(frozen=True)
class Survey:
    """An NPS survey, with its score in each period that has answers."""

    name: str
    scores: dict[str, NpsScore]
    months: list[NpsScore]


@dataclass(frozen=True)
class Variant:
    """A variant of an experiment."""

    variant: str
    is_control: bool | None
    is_reference: bool
    clean_users: int
    converted_users: int
    conversion_rate: float | None
    conversion_rate_low: float | None
    conversion_rate_high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    holm_p_value: float | None


@dataclass(frozen=True)
class Experiment:
    """An experiment, with what may be concluded."""

    name: str
    days_running: int | None
    has_srm: bool
    variants: list[Variant]
    conclusions: list[Conclusion]
    caveats: list[str]


@dataclass(frozen=True)
class Used:
    """A feature or a tracked event in a period."""

    name: str
    users: int
    events: int


@dataclass(frozen=True)
class Company:
    """A company in a period; `users` are those it has now."""

    name: str
    plan: str | None
    industry: str | None
    active_users: int
    users: int
    events: int


@dataclass(frozen=True)
class Listing(Generic[T]):
    """The first rows of a list, and how many it has in all."""

    rows: list[T]
    total: int


@dataclass(frozen=True)
class App:
    """Everything about one app."""

    name: str
    first_date: date | None
    totals: Totals
    periods: dict[str, Period]
    days: Days
    cohorts: list[CohortWeek]
    retention_curve: dict[str, list[RetentionDay]]
    funnels: dict[str, Listing[Funnel]]
    flows: dict[str, Listing[Flow]]
    surveys: Listing[Survey]
    experiments: Listing[Experiment]
    features: dict[str, Listing[Used]]
    tracked_events: dict[str, Listing[Used]]
    companies: dict[str, Listing[Company]]


@dataclass(frozen=True)
class FileStatus:
    """The files with one status."""

    status: str
    files: int
    physical_lines: int
    blank_lines: int
    rejected_lines: int
    duplicate_lines: int
    new_events: int
    removed_events: int


@dataclass(frozen=True)
class Rejection:
    """Why lines are no events."""

    reason: str
    lines: int
    files: int


@dataclass(frozen=True)
class UnknownValue:
    """A value that Userpilot does not document."""

    field: str
    value: str | None
    events: int
    last_seen: date | None


@dataclass(frozen=True)
class Removal:
    """Events that the configuration erases or excludes."""

    app_token: str
    reason: str
    rule: str | None
    events: int
    users: int


@dataclass(frozen=True)
class Quality:
    """What became of every line, all apps together."""

    files: list[FileStatus]
    rejected: list[Rejection]
    unknown_values: Listing[UnknownValue]
    removed_events: Listing[Removal]
    future_dated_events: int
    duplicate_conflicts: int


@dataclass(frozen=True)
class Facts:
    """The whole page."""

    published_at: datetime
    as_of_date: date | None
    apps: list[App]
    apps_total: int
    events_total: int
    quality: Quality


# ---------- read


def read_facts(connection: duckdb.DuckDBPyConnection, published_at: datetime) -> Facts:
    """Read everything the page shows."""

    def rows(query: str, *parameters: object) -> list[Row]:
        result = connection.execute(query, parameters)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def by_app(query: str, *parameters: object) -> defaultdict[str, list[Row]]:
        return grouped(rows(query, *parameters), "app_token")

    as_of: date | None = rows(queries.AS_OF)[0]["as_of_date"]
    connection.execute(queries.WINDOWS)
    # Without a date there is no window, and so no row in any of them.
    today = as_of or date.min
    if as_of:
        connection.executemany("insert into windows values (?, ?, ?, ?)", windows(as_of))
    apps = rows(queries.APPS)
    figures = by_app(queries.FIGURES)
    nps_figures = by_app(queries.NPS_FIGURES)
    days = by_app(queries.DAYS, today, DAYS_SHOWN + 1)
    cohorts = by_app(queries.COHORTS, today, COHORTS_SHOWN)
    curves = by_app(queries.RETENTION_CURVE)
    funnel_steps = by_app(queries.FUNNEL_STEPS)
    connection.execute(queries.FLOW_USER_STEPS)
    flow_rows = by_app(queries.FLOWS)
    flow_steps = by_app(queries.FLOW_STEPS)
    nps_months = by_app(queries.NPS_MONTHS)
    nps_names = by_app(queries.NPS_NAMES)
    variants = by_app(queries.VARIANTS)
    experiment_users = by_app(queries.EXPERIMENT_USERS)
    features = by_app(queries.FEATURES)
    tracked_events = by_app(queries.TRACKED_EVENTS)
    companies = by_app(queries.COMPANIES)

    def app_facts(app: Row) -> App:
        token = app["app_token"]
        names = {row["nps_id"]: row["name"] for row in nps_names[token]}
        survey_rows = nps_surveys(nps_figures[token], nps_months[token], names)
        main_survey = survey_rows[0][0] if survey_rows else None
        return App(
            name=printable(token),
            first_date=app["first_date"],
            totals=made(Totals, app),
            periods=periods(
                figures[token],
                [row for row in nps_figures[token] if row["nps_id"] == main_survey],
                app["first_date"],
                today,
            ),
            days=daily(days[token]),
            cohorts=[
                made(CohortWeek, row, is_open=week_end(row) > today) for row in cohorts[token]
            ],
            retention_curve=by_period(partial(rows_as, RetentionDay), curves[token]),
            funnels=by_period(lambda *rows: shown(funnels(*rows)), funnel_steps[token]),
            flows=by_period(lambda *rows: shown(flows(*rows)), flow_rows[token], flow_steps[token]),
            surveys=shown([survey for _, survey in survey_rows]),
            experiments=shown(experiments(variants[token], experiment_users[token])),
            features=by_period(partial(listing, Used), features[token]),
            tracked_events=by_period(partial(listing, Used), tracked_events[token]),
            companies=by_period(partial(listing, Company), companies[token]),
        )

    return Facts(
        published_at=published_at,
        as_of_date=as_of,
        apps=[app_facts(app) for app in apps[:APPS_SHOWN]],
        apps_total=len(apps),
        events_total=sum(app["events"] for app in apps),
        quality=Quality(
            files=[made(FileStatus, row) for row in rows(queries.FILES)],
            rejected=[made(Rejection, row) for row in rows(queries.REJECTED)],
            unknown_values=listing(UnknownValue, rows(queries.UNKNOWN_VALUES)),
            removed_events=listing(Removal, rows(queries.REMOVED_EVENTS)),
            **rows(queries.QUALITY)[0],
        ),
    )


def windows(as_of: date) -> list[tuple[str, bool, date, date]]:
    """Periods that end with the as-of date, and those before them."""
    found = [(EVER, False, date.min, as_of)]
    for period, length in PERIODS.items():
        for back in (0, length):
            last = as_of - timedelta(days=back)
            found.append((period, back > 0, last - timedelta(days=length - 1), last))
    return found


# ---------- shape


def made(cls: type[T], row: Row, **more: Any) -> T:
    """Make a structure of a row's columns of the same names."""
    values = row | more
    return cls(**{one.name: cleaned(values[one.name]) for one in fields(cls)})  # type: ignore[arg-type]


def rows_as(cls: type[T], rows: list[Row]) -> list[T]:
    """Make a structure of each row."""
    return [made(cls, row) for row in rows]


def cleaned(value: object) -> object:
    """Make any text of the exports printable."""
    return printable(value) if isinstance(value, str) else value


def printable(text: str) -> str:
    """Text from the exports, short and without what no page can show."""
    short = "".join(char if is_shown(char) else "\ufffd" for char in text[:TEXT_LENGTH])
    return short if len(text) <= TEXT_LENGTH else short[:-1] + "…"


def is_shown(char: str) -> bool:
    """Tell whether a page may show it: also the blanks and joiners of other scripts and emoji."""
    return char.isprintable() or char in JOINERS or unicodedata.category(char) == "Zs"


def grouped(rows: Iterable[Row], key: str) -> defaultdict[str, list[Row]]:
    """Rows by the value of a column."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def shown(items: list[T]) -> Listing[T]:
    """As many as the page has room for."""
    return Listing(items[:CARDS_SHOWN], len(items))


def listing(cls: type[T], rows: list[Row]) -> Listing[T]:
    """Rows that tell themselves how many there are."""
    return Listing(rows_as(cls, rows), rows[0]["total"] if rows else 0)


def by_period(shape: Callable[..., T], *tables: list[Row]) -> dict[str, T]:
    """Shape the rows of each period."""
    groups = [grouped(rows, "period") for rows in tables]
    return {period: shape(*(one[period] for one in groups)) for period in (*PERIODS, EVER)}


def periods(
    figures: list[Row], nps: list[Row], first_date: date | None, as_of: date
) -> dict[str, Period]:
    """Figures of each period; the one before only where the app's data reaches back over it."""
    figure_of = {(row["period"], row["is_previous"]): made(Figures, row) for row in figures}
    nps_of = {(row["period"], row["is_previous"]): made(NpsScore, row) for row in nps}
    found = {}
    for period, length in (*PERIODS.items(), (EVER, None)):
        is_covered = (
            length is not None
            and first_date is not None
            and first_date <= as_of - timedelta(days=2 * length - 1)
        )
        found[period] = Period(
            figures=figure_of.get((period, False), IDLE),
            previous=figure_of.get((period, True), IDLE) if is_covered else None,
            nps=nps_of.get((period, False)),
            previous_nps=nps_of.get((period, True)) if is_covered else None,
        )
    return found


def daily(rows: list[Row]) -> Days:
    """Rows turned into columns, of the last days as many as the page has room for."""
    shown_rows = rows[-DAYS_SHOWN:]
    columns = [one.name for one in fields(Days) if one.name not in ("first_date", "is_cut")]
    return Days(
        first_date=shown_rows[0]["activity_date"] if rows else None,
        is_cut=len(rows) > DAYS_SHOWN,
        **{column: [rounded(row[column]) for row in shown_rows] for column in columns},
    )


def rounded(value: Any) -> Any:
    """Rates need no more digits than a screen shows."""
    return round(value, 4) if isinstance(value, float) else value


def week_end(row: Row) -> date:
    """Last date of a cohort's Nth week."""
    end: date = row["cohort_date"] + timedelta(weeks=row["period_n"], days=6)
    return end


def nps_surveys(
    scores: list[Row], months: list[Row], names: dict[str, str | None]
) -> list[tuple[str, Survey]]:
    """Surveys by id, the one with most responses first, each with its scores and latest months."""
    months_of = grouped(months, "nps_id")
    now = [row for row in scores if not row["is_previous"]]
    surveys = []
    for nps_id, rows_of in grouped(now, "nps_id").items():
        survey = Survey(
            name=printable(names.get(nps_id) or f"Survey {nps_id}"),
            scores={row["period"]: made(NpsScore, row) for row in rows_of},
            months=rows_as(NpsScore, months_of[nps_id][-MONTHS_SHOWN:]),
        )
        surveys.append((nps_id, survey))
    return sorted(surveys, key=lambda survey: -survey[1].scores[EVER].responses)


def experiments(rows: list[Row], users: list[Row]) -> list[Experiment]:
    """Experiments, the one with most users first, with what may be concluded."""
    users_of = {row["experiment_id"]: row for row in users}
    found = []
    for experiment_id, rows_of in grouped(rows, "experiment_id").items():
        variants = [row | {"variant": printable(row["variant"])} for row in rows_of]
        reference = next(row for row in variants if row["is_reference"])
        counts = users_of.get(experiment_id, {"users": 0, "contaminated_users": 0})
        experiment = Experiment(
            name=printable(reference["experiment_name"]),
            days_running=reference["days_running"],
            has_srm=any(row["has_srm"] for row in variants),
            variants=[made(Variant, row) for row in variants],
            conclusions=[conclusion(row, reference) for row in variants if not row["is_reference"]],
            caveats=caveats(reference, counts["users"], counts["contaminated_users"]),
        )
        found.append((counts["users"], experiment_id, experiment))
    return [one for *_, one in sorted(found, key=lambda item: (-item[0], item[1]))]


def funnels(rows: list[Row]) -> list[Funnel]:
    """Funnels, the one most entered first, with their first steps."""
    found = []
    for name, rows_of in grouped(rows, "funnel").items():
        steps = rows_as(FunnelStep, rows_of[:STEPS_SHOWN])
        worst = worst_step([row["users"] for row in rows_of])
        found.append(Funnel(printable(name), steps, len(rows_of), worst))
    return sorted(found, key=lambda one: -one.steps[0].users)


def flows(rows: list[Row], steps: list[Row]) -> list[Flow]:
    """Flows, the one shown most first, with their first steps."""
    steps_of = grouped(steps, "flow_id")
    return [
        made(
            Flow,
            row,
            steps=rows_as(FlowStep, rows_of[:STEPS_SHOWN]),
            steps_total=len(rows_of),
            worst_step=worst_step([step["seen_users"] for step in rows_of]),
        )
        for row in rows
        for rows_of in [steps_of[row["flow_id"]]]
    ]


def worst_step(users: list[int]) -> int | None:
    """Find the step that loses most users, also where it is beyond those that are shown."""
    lost = [before - after for before, after in itertools.pairwise(users)]
    return 1 + lost.index(max(lost)) if lost and max(lost) > 0 else None
