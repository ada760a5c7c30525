"""The list of recounted tables, and the one function that counts them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from . import activity, audit, content, core, experiments, feedback, funnels, journeys, traits
from .base import Counted, Row, Settings
from .reading import read_export
from .seeds import Seeds, read_seeds


@dataclass(frozen=True)
class Table:
    """How to count a table, and the columns that name a row of it."""

    schema: str
    rows: Callable[[Counted], list[Row]]
    key: tuple[str, ...]


EVENT = ("app_token", "internal_event_id", "occurred_at", "user_id", "company_id")
USER = ("app_token", "user_id")
COMPANY = ("app_token", "company_id")
HELD = ("valid_from", "valid_to")  # two changes at one instant begin together

TABLES = {
    "events": Table("marts", core.events, (*EVENT, "event_type", "event_name")),
    "page_views": Table("marts", core.page_views, EVENT),
    "tracked_events": Table("marts", core.tracked_events, (*EVENT, "event_name")),
    "feature_events": Table("marts", core.feature_events, (*EVENT, "feature_id")),
    "interactions": Table("marts", core.interactions, (*EVENT, "event_name")),
    "users": Table("marts", core.users, USER),
    "companies": Table("marts", core.companies, COMPANY),
    "user_companies": Table("marts", core.user_companies, (*USER, "stay_number")),
    "user_traits_history": Table("marts", traits.user_traits_history, (*USER, *HELD)),
    "company_traits_history": Table("marts", traits.company_traits_history, (*COMPANY, *HELD)),
    "sessions": Table("marts", core.sessions, (*USER, "session")),
    "nps_responses": Table("marts", feedback.nps_responses, (*USER, "nps_id", "submission_id")),
    "nps_scores": Table("marts", feedback.nps_scores, ("app_token", "nps_id", "period", "basis")),
    "experiment_users": Table("marts", experiments.experiment_users, (*USER, "experiment_id")),
    "experiment_variants": Table(
        "marts", experiments.experiment_variants, ("app_token", "experiment_id", "variant")
    ),
    "funnel_steps": Table("marts", funnels.funnel_steps, ("funnel", "app_token", "step")),
    "funnel_users": Table("marts", funnels.funnel_users, ("funnel", *USER)),
    "user_days": Table("marts", activity.user_days, (*USER, "activity_date")),
    "company_days": Table("marts", activity.company_days, (*COMPANY, "activity_date")),
    "daily_activity": Table("marts", activity.daily_activity, ("app_token", "activity_date")),
    "retention": Table(
        "marts", activity.retention, ("app_token", "period", "cohort_date", "period_n")
    ),
    "features": Table("marts", activity.features, ("app_token", "feature_id")),
    "pages": Table("marts", activity.pages, ("app_token", "hostname", "pathname")),
    "paths": Table("marts", journeys.paths, ("app_token", "anchor", "direction", "step", "event")),
    "flows": Table("marts", content.flows, ("app_token", "flow_id")),
    "flow_steps": Table("marts", content.flow_steps, ("app_token", "flow_id", "step_id")),
    "flow_users": Table("marts", content.flow_users, (*USER, "flow_id")),
    "flow_effectiveness": Table("marts", journeys.flow_effectiveness, ("app_token", "flow_id")),
    "checklists": Table("marts", content.checklists, ("app_token", "checklist_id")),
    "checklist_tasks": Table(
        "marts", content.checklist_tasks, ("app_token", "checklist_id", "task_id")
    ),
    "checklist_users": Table("marts", content.checklist_users, (*USER, "checklist_id")),
    "surveys": Table("marts", content.surveys, ("app_token", "survey_id")),
    "survey_questions": Table(
        "marts", content.survey_questions, ("app_token", "survey_id", "module_id")
    ),
    "survey_responses": Table(
        "marts", content.survey_responses, (*USER, "survey_id", "module_id", "answered_at")
    ),
    "resource_centers": Table(
        "marts", content.resource_centers, ("app_token", "resource_center_id")
    ),
    "resource_center_articles": Table(
        "marts",
        content.resource_center_articles,
        ("app_token", "resource_center_id", "article_id"),
    ),
    "duplicate_conflicts": Table(
        "audit",
        audit.duplicate_conflicts,
        ("app_token", "internal_event_id", "kept_path", "kept_line_number"),
    ),
    "unknown_values": Table("audit", audit.unknown_values, ("field", "value")),
    "trait_drift": Table(
        "audit", audit.trait_drift, ("event_type", "is_unknown_field", "metadata_key")
    ),
    "removed_events": Table("audit", audit.removed_events, ("app_token", "reason", "rule")),
    "file_ledger": Table("audit", audit.file_ledger, ("path",)),
    "rejected_lines": Table("audit", audit.rejected_lines, ("path", "reason")),
}


def recount(
    source: Path,
    loaded_at: datetime,
    settings: Settings | None = None,
    seeds: Path | None = None,
) -> Counted:
    """Read an export folder and the seeds; tables are counted from what is returned."""
    return Counted(
        read_export(source, loaded_at),
        settings or Settings(),
        read_seeds(seeds) if seeds else Seeds(),
    )


def rows_of(name: str, counted: Counted) -> list[Row]:
    """The rows of a table, with its public columns only."""
    return [
        {column: value for column, value in row.items() if not column.startswith("_")}
        for row in TABLES[name].rows(counted)
    ]
